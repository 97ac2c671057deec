#!/bin/sh
# `flyball run` with state.dir while the wall clock leaps by an hour and by ten years, to and fro,
# with a kill -9 in between.
#
# usage: clock_jumps.sh FLYBALL WALL_SHIFT.SO
. "$(dirname "$0")/harness.sh"
shim=$2

cat >hot.rules <<'RULES'
device pump from "pumps" {
  key id
  time ts [ms]
  temp : number [degC]
}
alarm hot on pump { raise high when temp > 80 degC until temp < 70 degC }
event seen on pump { whenever temp > 0 degC }
alarm quiet on pump { raise low when silent for 30s }
RULES
mkfifo in
: >out.txt
: >err.txt

start() { # the process as $pid, its input as descriptor 4
    LD_PRELOAD=$shim WALL_SHIFT_FILE=$work/shift "$flyball" run --rules hot.rules --input - \
        --output - -X application.id=plant -X state.dir=state -X commit.interval.ms=10 \
        -X snapshot.interval.min.ms=30 <in >>out.txt 2>>err.txt 4>&- &
    pid=$!
    exec 4>in
}

outputs() { grep -c '"type":"flyball.event"' out.txt; }

more_than() { [ "$(outputs)" -gt "$1" ]; }

send() { # a record, and waits for its output
    before=$(outputs)
    echo "{\"id\":\"a\",\"ts\":$(date +%s%3N),\"temp\":$1}" >&4
    await more_than "$before"
}

shift_to() {
    echo "$1" >shift.new && mv shift.new shift
}

shift_to 0
start
for seconds in 0 3600 -3600 315360000 -315360000 0; do
    shift_to $seconds
    send 90
    send 30
    if [ $seconds = -3600 ]; then
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null
        exec 4>&-
        start
    fi
done
exec 4>&-
wait "$pid"
check "it ends well" [ $? -eq 0 ]
pid=
check "the state was rebuilt after the kill" grep -q "state rebuilt in" err.txt
check "each record has its output once" [ "$(outputs)" -eq 12 ]
check "each alarm by a value is raised and cleared" \
    [ "$(grep '"rule":"hot"' out.txt | grep '"type":"flyball.alert"' |
        grep -c -e '"event":"raised"' -e '"event":"cleared"')" -eq 12 ]
grep flyball.audit out.txt >audit.txt
grep -o '"clock":"[^"]*"' audit.txt >clocks.txt
check "the task's clock is known" [ -s clocks.txt ]
check "the task's clock never goes back" sort -c clocks.txt
check "the two leaps ahead are audited, and those back are none" \
    [ "$(grep -c '"kind":"clock"' audit.txt)" -eq 2 ]
check "the audit trail is whole" "$flyball" audit verify audit.txt

echo "torture: clock_jumps cases=$cases faults=6 violations=$failures"
finish
