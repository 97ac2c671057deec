#!/bin/sh
# `flyball audit verify --reexecute` with the folder of state.dir: what runs wrote between kills is
# executed again, and the folder stays as it is.
#
# usage: reexecute.sh FLYBALL
. "$(dirname "$0")/harness.sh"
shown="err.txt again.txt"

write_pump_rules cool.rules
sed 's/> 60 degC/> 61 degC/' cool.rules >warm.rules
settings="-X application.id=plant -X commit.interval.ms=10 -X snapshot.interval.min.ms=30"

run() { # RULES STATE INPUT
    # shellcheck disable=SC2086
    "$flyball" run --rules "$1" --input "$3" --output out.txt $settings -X state.dir="$2" 2>>err.txt
}

killed() { # SECONDS RULES STATE INPUT
    # shellcheck disable=SC2086
    timeout -s KILL "$1" "$flyball" run --rules "$2" --input "$4" --output out.txt $settings \
        -X state.dir="$3" 2>>err.txt
}

again() { # STATE ARGUMENT... ; what it says is in again.txt
    state=$1
    shift
    # shellcheck disable=SC2086
    "$flyball" audit verify --reexecute $settings -X state.dir="$state" "$@" >again.txt 2>>err.txt
}

sums() { # FOLDER
    (cd "$1" && find . -type f -exec cksum {} + | sort)
}

# A file, killed in between, with other rules for a while.
"$flyball" gen --profile pumps --devices 200 --duration 20m >events.ndjson
for delay in 0.05 0.2 0.11; do
    killed $delay cool.rules file events.ndjson 2>/dev/null
done
killed 0.2 warm.rules file events.ndjson 2>/dev/null
run cool.rules file events.ndjson
check "the run ends well" [ $? -eq 0 ]
sums file >before.txt
again file --input events.ndjson
check "it is the same from the newest snapshot on" [ $? -eq 0 ]
check "and says so" grep -q '^plant/-1: .*; head plant/-1=[0-9]*:[0-9a-f]*; ok$' again.txt
again file --input telemetry.pumps=events.ndjson --from-beginning
check "it is the same from the first commit on, through a change of rules" [ $? -eq 0 ]
check "which takes all records" \
    grep -q "^plant/-1: commits 1 to [0-9]*, $(wc -l <events.ndjson) records; head" again.txt
sed -n 's/.*; head \(.*\); ok$/\1/p' again.txt >head.txt
grep '"type":"flyball.audit"' out.txt >audit.txt
check "its head is that of the records" "$flyball" audit verify --head @head.txt audit.txt >/dev/null
sums file >after.txt
check "the folder is as it was" cmp -s before.txt after.txt
check "no copy stays behind" [ -z "$(ls tmp)" ]

# Other events than those that were read.
sed 's/"temp":6/"temp":7/' events.ndjson >changed.ndjson
again file --input changed.ndjson --from-beginning
check "changed events are found" [ $? -eq 1 ]
check "and where" grep -q '^plant/-1: .*commit [0-9]* ' again.txt
head -n 100000 events.ndjson >short.ndjson
again file --input short.ndjson --from-beginning
check "missing events are found" [ $? -eq 1 ]

# A pipe, whose records are in the journal.
head -n 50000 events.ndjson | run cool.rules pipe -
tail -n +50001 events.ndjson | killed 0.2 cool.rules pipe - 2>/dev/null
tail -n 50000 events.ndjson | run cool.rules pipe -
check "a run from a pipe ends well" [ $? -eq 0 ]
again pipe
check "a pipe is the same from the newest snapshot on" [ $? -eq 0 ]
again pipe --from-beginning
status=$?
check "from its first commit on it is the same, or the journal does not reach back" \
    [ $status -eq 0 -o $status -eq 1 ]
[ $status -eq 0 ] || check "which is said" grep -q 'it can be executed again from commit' again.txt

# What is not there, or is used wrongly.
again nowhere
check "no state is a failure" [ $? -eq 3 ]
again file
check "a file that is not named is a mistake" [ $? -eq 2 ]
"$flyball" audit verify --reexecute --from-beginning 2>>err.txt
check "no place is a mistake" [ $? -eq 2 ]
"$flyball" audit verify --from-beginning audit.txt 2>>err.txt
check "--from-beginning needs --reexecute" [ $? -eq 2 ]
again file --rules cool.rules
check "its rules are in the journal" [ $? -eq 2 ]
: >err.txt
mkfifo in
run cool.rules pipe - <in &
exec 4>in
await grep -q "worker 0 has 1 partition" err.txt
again pipe
check "a state in use is a failure" [ $? -eq 3 ]
check "that says what to do" grep -q "a process uses .*/pipe: stop it" err.txt
exec 4>&-
wait

finish
