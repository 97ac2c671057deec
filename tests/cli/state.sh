#!/bin/sh
# `flyball run` with state.dir: what it knew goes on after its end, in order or by kill -9.
#
# usage: state.sh FLYBALL
. "$(dirname "$0")/harness.sh"

write_hot_rules hot.rules

run() { # STATE INPUT OUTPUT
    "$flyball" run --rules "${rules:-hot.rules}" --input "$2" --output "$3" \
        -X application.id=plant -X state.dir="$1" -X commit.interval.ms=10 \
        -X snapshot.interval.min.ms=30 2>>err.txt
}

start() { # the same in the background, as $pid
    "$flyball" run --rules "${rules:-hot.rules}" --input "$2" --output "$3" \
        -X application.id=plant -X state.dir="$1" -X commit.interval.ms=10 \
        -X snapshot.interval.min.ms=30 2>>err.txt &
    pid=$!
}

# A pipe: what the first process knew, the second one clears.
echo '{"id":"a","temp":90}' | run pipe - - >out.txt
check "it raises" grep -q '"event":"raised"' out.txt
printf '\n{"id":"a","temp":85}\n\n{"id":"b","temp":5}\n' | run pipe - - >out.txt
check "the next process knows that it is raised" [ "$(grep -c '"flyball.a' out.txt)" -eq 0 ]
echo '{"id":"a","temp":60}' | run pipe - - >out.txt
check "and the one after that clears it" grep -q '"event":"cleared"' out.txt
cp -r pipe grown

# A file: goes on behind the last line that was taken, also where standard output is a file.
echo '{"id":"a","temp":90}' >lines.ndjson
run file lines.ndjson - >>out2.txt
printf '{"id":"a","temp":60}\n{"id":"a","temp":95}\n' >>lines.ndjson
run file lines.ndjson - >>out2.txt
run file lines.ndjson - >>out2.txt
check "each line of a file counts once" \
    [ "$(grep -o '"event":"[a-z]*"' out2.txt | tr '\n' ' ')" = \
    '"event":"raised" "event":"cleared" "event":"raised" ' ]
echo '{"id":"a","temp":1}' >lines.ndjson
run file lines.ndjson - >>out2.txt
check "another file under its name is a failure" [ $? -eq 3 ]
check "and says why" grep -q "halted, its state cannot be rebuilt: commit 1 put out" err.txt

# One process a folder.
mkfifo in
start grown in out3.txt
exec 4>in
tries=0
until [ -s out3.txt ] || [ $tries -eq 300 ]; do
    (echo '{"id":"a","temp":90}' >&4)
    tries=$((tries + 1))
    sleep 0.1
done
run grown /dev/null out3.txt
check "a second process is refused" [ $? -ne 0 ]
check "and told who has the folder" grep -q "another process uses grown/plant/pipe (pid " err.txt
exec 4>&-
wait "$pid"
pid=

# Killed many times: every output once, the same as of a process that nobody disturbs.
rules=pumps.rules
write_pump_rules pumps.rules
"$flyball" gen --profile pumps --devices 200 --duration 20m >events.ndjson
run calm events.ndjson calm.txt
check "an undisturbed run ends well" [ $? -eq 0 ]
for delay in 0.05 0.2 0.11 0.07 0.26 0.15 0.09 0.18 0.06 0.13; do
    start killed events.ndjson killed.txt
    sleep $delay
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    pid=
done
run killed events.ndjson killed.txt
check "it ends well after kills" [ $? -eq 0 ]
# Which device's timer comes first may depend on the wall clock at which lines are read.
grep -v flyball.audit calm.txt | sort >calm.out
grep -v flyball.audit killed.txt | sort >killed.out
check "there are outputs" [ "$(wc -l <calm.out)" -gt 100 ]
check "after kills each is there once" cmp -s calm.out killed.out
sed -n 's/.*"task":"plant\/-1","seq":\([0-9]*\),.*/\1/p' killed.txt >seqs.txt
check "the audit trail has no gap and no repetition" \
    [ "$(cat seqs.txt)" = "$(seq "$(wc -l <seqs.txt)")" ]

# Damage is refused.
printf 'x' | dd of="$(ls killed/plant/pipe/journal-* | tail -n 1)" bs=1 seek=100 conv=notrunc \
    2>/dev/null
run killed events.ndjson killed.txt
check "a damaged journal is a failure" [ $? -ne 0 ]
check "and says what to do" grep -q "damaged or gone, though it was committed" err.txt

finish
