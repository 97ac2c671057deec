#!/bin/sh
# `flyball run` through pipes: alerts come while the input is open, signals end it as promised.
#
# usage: run.sh FLYBALL
. "$(dirname "$0")/harness.sh"

ended_with() { # STATUS: of the process in $pid
    wait "$pid"
    got=$?
    pid=
    [ "$got" -eq "$1" ] || echo "exit $got, not $1"
    [ "$got" -eq "$1" ]
}

write_hot_rules hot.rules
{
    cat hot.rules
    echo 'alarm quiet on pump { raise low when silent for 100ms clear after 1d }'
} >quiet.rules
mkfifo in out

printf '{"id":"a","temp":90}\nnonsense\n\n{"id":"a","temp":60}' |
    "$flyball" run --rules hot.rules --input - --output - >out.txt 2>err.txt
check "a pipe that ends is done" [ $? -eq 0 ]
check "it raises" grep -q '"event":"raised"' out.txt
check "it clears at a last line without an end" grep -q '"event":"cleared"' out.txt
check "poison is a dead letter" grep -q '"payload":"nonsense"' out.txt
check "nothing else comes" [ "$(wc -l <out.txt)" -eq 3 ]

"$flyball" run --rules quiet.rules --input pumps=- --output - <in >out.txt 2>err.txt &
pid=$!
exec 4>in
(echo '{"id":"a","temp":90}' >&4) # alone: it ends with a program that ended
check "an alert comes while the input is open" await grep -q '"alarm":"hot/a"' out.txt
check "a timer fires without a record" await grep -q '"alarm":"quiet/a"' out.txt
kill -TERM "$pid"
check "SIGTERM ends it in order" ended_with 0
exec 4>&-

yes '{"id":"a","temp":90}
{"id":"a","temp":60}' | head -n 1000 >events.ndjson
exec 5<>out # nobody reads on
"$flyball" run --rules hot.rules --input events.ndjson --output - >out 2>err.txt &
pid=$!
head -c 13 <&5 >first.txt & # nothing else ends it where nothing comes: we could write, too
reader=$!
check "output begins" await grep -q '{"specversion' first.txt
kill -INT "$pid"
check "a stop waits for its output" await grep -q 'a second one ends at once' err.txt
kill -INT "$pid"
check "a second signal ends it at once" ended_with 3
exec 5>&-

"$flyball" run --rules hot.rules --input none=- --output - </dev/null >out.txt 2>err.txt
check "a strange topic is wrong usage" [ $? -eq 2 ]
check "and is named" grep -q "no device of the rules reads the topic 'none'" err.txt
"$flyball" run --rules hot.rules --input none.ndjson --output - >out.txt 2>err.txt
check "a file that is not there is a failure" [ $? -eq 3 ]
check "and is named too" grep -q "none.ndjson" err.txt

# A broker that takes the connection and never answers: the start waits for it.
python3 -c 'import socket, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
listener.accept()
print("connected", flush=True)
time.sleep(60)' >port.txt &
reader=$!
pid=$reader
check "the port is there" await test -s port.txt
"$flyball" run --rules hot.rules -X kafka.bootstrap.servers=127.0.0.1:"$(cat port.txt)" 2>err.txt &
pid=$!
check "the start waits" await grep -q connected port.txt
kill -TERM "$pid"
check "SIGTERM ends a start too" ended_with 0
kill -KILL "$reader" 2>/dev/null
wait "$reader" 2>/dev/null
reader=

# An event for each second of a gap of two and a half days: more than a batch keeps in memory.
cat >ticks.rules <<'RULES'
device pump from "pumps" { key id  time ts }
event tick on pump { whenever count(each 1s, needs 0 %) == 0 and count(over 1h, needs 0 %) == 0 }
RULES
for back in 4days 36hours; do
    printf '{"id":"a","ts":"%s"}\n' "$(date -u -d "-$back" +%FT%TZ)"
done >gap.ndjson
run_gap() { "$flyball" run --rules ticks.rules --input gap.ndjson --output - 2>err.txt; }
ticks=$(run_gap | wc -l)
check "one record may cause any number of outputs" [ "$ticks" -gt 200000 ]
TMPDIR=$work/none/none run_gap >out.txt
check "without room for them it ends" [ $? -eq 3 ]
check "and says what to do" grep -q "set state.dir or TMPDIR" err.txt

finish
