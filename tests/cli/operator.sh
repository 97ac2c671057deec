#!/bin/sh
# Operators' calls: from a file in `flyball replay`, what becomes of them, what is told of them.
#
# usage: operator.sh FLYBALL
. "$(dirname "$0")/harness.sh"

cat >pumps.rules <<'RULES'
device pump from "pumps" { key id  time ts  temp : number [degC] }
actuator fan on pump : (off, on) { safe off  minimum on 60s, off 0s }
actuator valve on pump : number [%] range 0..100 { safe 0 %  slew 10 % per 10s }
control cool on pump {
  start when temp > 80 degC until temp < 70 degC
  command fan = on
  command valve = 50 %
  rollout armed
}
RULES
pick() { # FILE CONDITION FIELDS...: of the data of its records, as lines; in python, `d` the data
    python3 -c '
import json, sys
for line in open(sys.argv[1]):
    d = json.loads(line)["data"]
    if eval(sys.argv[2]):
        print(*["-" if d[f] is None else d[f][14:19] if f in ("at", "clock") else d[f] for f in sys.argv[3:]])
' "$@"
}
second() { # N: as a time of the first hour
    printf '2026-01-01T00:%02d:%02dZ' $(($1 / 60)) $(($1 % 60))
}
for id in p1 p2 p3; do
    n=0
    while [ $n -lt 120 ]; do
        temp=20
        [ $n -lt 6 ] || [ $n -ge 60 ] || temp=90
        echo "{\"id\":\"$id\",\"ts\":\"$(second $((n * 10)))\",\"temp\":$temp}"
        n=$((n + 1))
    done >$id.ndjson
done
call() { # SECOND MEMBERS
    echo "{\"at\":\"$(second "$1")\",$2,\"who\":\"ann\"}"
}
{
    call 35 '"call":"hand","actuator":"valve","device":"p1","value":30,"until":"2026-01-01T00:05:00Z","reason":"a test"'
    call 125 '"call":"kill","mode":"freeze","actuator":"fan","reason":"smoke"'
    call 180 '"call":"unkill","actuator":"fan"'
    call 240 '"call":"hand","actuator":"fan","device":"p9","value":"on","until":"2026-01-01T00:05:00Z","reason":"a test"'
    call 300 '"call":"hand","actuator":"valve","device":"p2","value":101,"until":"2026-01-01T00:15:00Z","reason":"a test"'
    call 365 '"call":"kill","mode":"safe","all":true,"reason":"smoke"'
    call 485 '"call":"unkill","all":true'
    call 545 '"call":"dance"'
    call 905 '"call":"hand","actuator":"fan","device":"p1","value":"on","until":"2026-01-01T00:17:00Z","reason":"a test"'
    call 965 '"call":"auto","actuator":"fan","device":"p1"'
    call 3000 '"call":"auto","actuator":"fan","device":"p1"'
} >calls.ndjson

replay() { # OUT OPTION...
    out=$1
    shift
    expect 0 "$flyball" replay --rules pumps.rules --input p1.ndjson --input p2.ndjson \
        --input p3.ndjson --calls calls.ndjson --out "$out" "$@"
}
replay first
says err.txt "10 operator calls (1 more behind the end)"
pick first/audit.ndjson 'd.get("kind") == "operator"' clock call outcome who why >answers
is answers <<'END'
00:35 hand accepted ann -
02:05 kill accepted ann -
03:00 unkill accepted ann -
04:00 hand elsewhere ann the device has sent nothing to this partition
05:00 hand refused ann the value is no word of the actuator, or out of its range
06:05 kill accepted ann -
08:05 unkill accepted ann -
09:05 dance refused ann there is no call `dance`: known are hand, auto, kill, unkill, reset, ack, shelve, unshelve, maintenance, service
15:05 hand accepted ann -
16:05 auto accepted ann -
END
pick first/commands.ndjson 'd["device"] == "p1" and d["reason"] != "renewed"' \
    at actuator value reason priority rule >commands
is commands <<'END'
00:35 valve/p1 10 slew 8 -
00:45 valve/p1 20 slew 8 -
00:55 valve/p1 30 claimed 8 -
01:00 fan/p1 on claimed 12 cool
03:00 fan/p1 on claimed 12 cool
05:00 valve/p1 40 slew 12 cool
05:10 valve/p1 50 claimed 12 cool
06:05 fan/p1 off safe 12 cool
06:05 valve/p1 0 safe 12 cool
08:05 fan/p1 on claimed 12 cool
08:05 valve/p1 10 slew 12 cool
08:15 valve/p1 20 slew 12 cool
08:25 valve/p1 30 slew 12 cool
08:35 valve/p1 40 slew 12 cool
08:45 valve/p1 50 claimed 12 cool
10:00 fan/p1 off relinquished - -
10:00 valve/p1 0 relinquished - -
15:05 fan/p1 on claimed 8 -
16:05 fan/p1 off relinquished - -
END
# While killed nothing at all goes out, whatever of.
pick first/commands.ndjson '"00:06:05.000" < d["at"][11:23] < "00:08:05.000"' actuator at >sent
is sent </dev/null
pick first/audit.ndjson 'd.get("guardrail") == "kill" and d["actuator"] == "fan/p2"' at outcome >blocked
is blocked <<'END'
02:05 began
03:00 ended
06:05 began
08:05 ended
END

# The same whatever the tasks; the trail can be executed again.
replay second --tasks 3
for file in commands shadow alerts; do
    cases=$((cases + 1))
    sort first/$file.ndjson >a
    sort second/$file.ndjson | cmp -s a - || fail "$file.ndjson is another with 3 tasks"
done
check "each task answers" [ "$(grep -c '"kind":"operator"' second/audit.ndjson)" -eq 30 ]
for out in first second; do
    tasks=1
    [ $out = first ] || tasks=3
    expect 0 "$flyball" audit verify --reexecute --rules pumps.rules --input p1.ndjson \
        --input p2.ndjson --input p3.ndjson --calls calls.ndjson --tasks $tasks $out/audit.ndjson
done

# What is no file of calls ends the replay.
tells 3 "No such file" "$flyball" replay --rules pumps.rules --input p1.ndjson --calls none
echo '{"call":"auto","actuator":"fan","device":"p1","who":"ann"}' >bad.ndjson
tells 3 'bad.ndjson:1: a call in a file needs the time' \
    "$flyball" replay --rules pumps.rules --input p1.ndjson --calls bad.ndjson
{
    call 35 '"call":"ack"'
    call 34 '"call":"ack"'
} >bad.ndjson
tells 3 'bad.ndjson:2: `at` lies before' \
    "$flyball" replay --rules pumps.rules --input p1.ndjson --calls bad.ndjson

# What each call needs.
wrong() { # WHY MEMBERS
    call 35 "$2" >bad.ndjson
    expect 0 "$flyball" replay --rules pumps.rules --input p1.ndjson --calls bad.ndjson --audit
    cases=$((cases + 1))
    pick out.txt 'd.get("kind") == "operator"' outcome why | grep -qF "refused $1" || fail "$2 is not refused with \"$1\""
}
wrong '`reason` is missing' '"call":"kill","mode":"safe","all":true'
wrong '`mode` is neither' '"call":"kill","all":true,"reason":"smoke"'
wrong 'it takes one of' '"call":"kill","mode":"safe","reason":"smoke"'
wrong 'it takes one of' '"call":"unkill","all":true,"rule":"cool"'
wrong 'the rules in force have no control or mode of this name' '"call":"kill","mode":"safe","rule":"fan","reason":"smoke"'
wrong 'the rules in force have no such actuator' '"call":"reset","actuator":"cool","device":"p1"'
wrong '`device` is missing' '"call":"reset","actuator":"fan"'
wrong "the breaker is not open" '"call":"reset","actuator":"fan","device":"p1"'
wrong 'the actuator is not in hand' '"call":"auto","actuator":"fan","device":"p1"'
wrong 'nothing is killed so' '"call":"unkill","all":true'
wrong '`until` is missing' '"call":"hand","actuator":"fan","device":"p1","value":"on","reason":"x"'
wrong '`until` is not ahead' '"call":"hand","actuator":"fan","device":"p1","value":"on","reason":"x","until":"2026-01-01T00:00:35Z"'
wrong '`value` is missing' '"call":"hand","actuator":"fan","device":"p1","value":true,"reason":"x","until":"2026-01-01T01:00:00Z"'
wrong 'the value is no word of the actuator' '"call":"hand","actuator":"fan","device":"p1","value":1,"reason":"x","until":"2026-01-01T01:00:00Z"'

finish
