#!/bin/sh
# Operators' calls about alarms and devices, from a file in `flyball replay`: what is annunciated, what
# the audit has of the rest, and how `flyball explain` tells why nobody was told.
#
# usage: operator_alarms.sh FLYBALL
. "$(dirname "$0")/harness.sh"

cat >pumps.rules <<'RULES'
device pump from "pumps" { key id  time ts  temp : number [degC]  flow : number [m3/h] }
actuator fan on pump : (off, on) { safe off  minimum on 0s, off 0s  lease 300s }
alarm hot on pump { raise low when temp > 60 degC  raise high when temp > 80 degC }
alarm dry on pump { raise critical when flow < 1 m3/h }
control cool on pump { start when temp > 80 degC  command fan = on  rollout armed }
RULES
pick() { # FILE CONDITION FIELDS...: of the data of its records, as lines; in python, `d` the data
    python3 -c '
import json, sys
def shown(v):
    return "-" if v is None else str(v).lower() if isinstance(v, bool) else v[14:19] if isinstance(v, str) and len(v) == 24 and v[-1] == "Z" else v
for line in open(sys.argv[1]):
    d = json.loads(line)["data"]
    if eval(sys.argv[2]):
        print(*[shown(d.get(f)) for f in sys.argv[3:]])
' "$@"
}
second() { # N: as a time of the first hour
    printf '2026-01-01T00:%02d:%02dZ' $(($1 / 60)) $(($1 % 60))
}
while read -r at temp flow; do
    for id in p1 p2 a%2Fb; do
        echo "{\"id\":\"$(echo $id | sed 's,%2F,/,')\",\"ts\":\"$(second "$at")\",\"temp\":$temp,\"flow\":$flow}"
    done
done >events.ndjson <<'EVENTS'
0 20 5
60 70 5
120 90 5
180 20 5
240 90 0
300 20 5
360 70 5
420 20 5
480 90 5
540 20 5
600 20 5
EVENTS
call() { # SECOND MEMBERS
    echo "{\"at\":\"$(second "$1")\",$2,\"who\":\"ann\"}"
}
{
    call 70 '"call":"ack","alarm":"hot/p1"'
    call 75 '"call":"ack","alarm":"hot/p1"'
    call 80 '"call":"shelve","alarm":"hot/p1","until":"2026-01-01T00:05:10Z","reason":"sensor is loose"'
    call 90 '"call":"shelve","alarm":"hot/a%2Fb","until":"2026-01-01T00:30:00Z","reason":"known","once":true'
    call 230 '"call":"maintenance","device":"p2","until":"2026-01-01T00:06:10Z"'
    call 245 '"call":"maintenance","device":"p2","until":"2026-01-01T00:08:10Z","reason":"bearing"'
    call 250 '"call":"ack","alarm":"dry/p2"'
    call 365 '"call":"shelve","alarm":"hot/p1","until":"2026-01-01T00:30:00Z","reason":"sensor is loose"'
    call 500 '"call":"unshelve","alarm":"hot/p1"'
    call 505 '"call":"service","device":"p2"'
} >calls.ndjson

replay() { # OUT OPTION...
    out=$1
    shift
    expect 0 "$flyball" replay --rules pumps.rules --input events.ndjson --calls calls.ndjson \
        --out "$out" "$@"
}
replay first
pick first/audit.ndjson 'd["kind"] == "operator"' clock call outcome who why >answers
is answers <<'END'
01:10 ack accepted ann -
01:15 ack refused ann the alarm is acknowledged already
01:20 shelve accepted ann -
01:30 shelve accepted ann -
03:50 maintenance accepted ann -
04:05 maintenance accepted ann -
04:10 ack accepted ann -
06:05 shelve accepted ann -
08:20 unshelve accepted ann -
08:25 service refused ann the device is not in maintenance
END

# What a subscriber sees of an alarm that was shelved twice.
flags="at event active acked shelved suppressed severity since until once who reason"
pick first/alerts.ndjson 'd["alarm"] == "hot/p1"' $flags >alerts
is alerts <<'END'
01:00 raised true false false false low 01:00 - - - -
01:10 acked true true false false low 01:00 - - ann -
01:20 shelved true true true false low 01:00 05:10 false ann sensor is loose
05:10 unshelved false false false false high 04:00 - - - -
06:00 raised true false false false low 06:00 - - - -
06:05 shelved true false true false low 06:00 30:00 false ann sensor is loose
08:20 unshelved true false false false high 08:00 - - ann -
09:00 cleared false false false false high 08:00 - - - -
END
# What is shelved once is told of from its next raise on; a key with a slash is named as its alerts are.
pick first/alerts.ndjson 'd["alarm"] == "hot/a%2Fb"' at event active shelved once >alerts
is alerts <<'END'
01:00 raised true false -
01:30 shelved true true true
03:00 unshelved false false -
04:00 raised true false -
05:00 cleared false false -
06:00 raised true false -
07:00 cleared false false -
08:00 raised true false -
09:00 cleared false false -
END
# In maintenance; the alarm that came and was acknowledged there is told of behind it.
pick first/alerts.ndjson 'd["device"] == "p2" and d["at"][14:16] > "03"' \
    at alarm event active acked suppressed until >alerts
is alerts <<'END'
04:05 hot/p2 suppressed true false true 08:10
04:05 dry/p2 suppressed true false true 08:10
04:10 dry/p2 acked true true true -
08:10 hot/p2 unsuppressed true false false -
08:10 dry/p2 unsuppressed false true false -
09:00 hot/p2 cleared false false false -
END
# The audit has what nobody was told of, and why.
pick first/audit.ndjson 'd["kind"] == "decision" and d["device"] == "p2" and d["verdicts"] and not d.get("actuator")' \
    at rule outcome active explains >muted
is muted <<'END'
04:00 hot raised true -
04:00 dry raised true -
05:00 hot cleared false -
05:00 dry cleared false -
06:00 hot raised true -
07:00 hot cleared false -
08:00 hot raised true -
END
says first/audit.ndjson '"verdicts":[{"guardrail":"maintenance","result":"hold","requested":"raised","applied":null,"until":"2026-01-01T00:08:10.000Z"}]'
# Its commands are withheld, but for the step to safe.
pick first/commands.ndjson 'd["device"] == "p2"' at value reason >commands
is commands <<'END'
02:00 on claimed
03:00 off relinquished
08:10 on claimed
09:00 off relinquished
END

# The same whatever the tasks; the trail can be executed again; the ids are those of any other run.
replay second --tasks 3
for file in commands alerts; do
    cases=$((cases + 1))
    sort first/$file.ndjson >a
    sort second/$file.ndjson | cmp -s a - || fail "$file.ndjson is another with 3 tasks"
done
check "every id is one of its own" [ -z "$(sed 's/.*"id":"\([0-9a-f]*\)".*/\1/' first/alerts.ndjson | sort | uniq -d)" ]
expect 0 "$flyball" audit verify --reexecute --rules pumps.rules --input events.ndjson \
    --calls calls.ndjson first/audit.ndjson

# Why was nobody told? By the id of the audit record.
id_of() { # WORDS...: of the first line of the audit that has them all
    lines=$(cat first/audit.ndjson)
    for words in "$@"; do
        lines=$(echo "$lines" | grep -F -e "$words")
    done
    echo "$lines" | sed -n '1s/.*"id":"\([0-9a-f]*\)".*/\1/p'
}
expect 0 "$flyball" explain "$(id_of '"outcome":"raised"' '"rule":"hot"' '"device":"p1"' '"guardrail":"shelf"')" \
    first/audit.ndjson
says out.txt 'alarm hot/p1 raised, high; not annunciated: shelved until 2026-01-01 00:05:10.000'
says out.txt "operator  2026-01-01 00:01:20.000  operator's call shelve accepted: hot/p1 until 2026-01-01 00:05:10.000, by ann: sensor is loose"
expect 0 "$flyball" explain "$(id_of '"outcome":"cleared"' '"rule":"dry"' '"device":"p2"')" first/audit.ndjson
says out.txt 'alarm dry/p2 cleared, was critical; not annunciated: in maintenance until 2026-01-01 00:08:10.000'
says out.txt "operator's call maintenance accepted: device p2 until 2026-01-01 00:08:10.000, by ann: bearing"
expect 0 "$flyball" explain "$(id_of '"kind":"blocked"' '"guardrail":"maintenance"')" first/audit.ndjson
says out.txt 'fan/p2: off refused by maintenance'
says out.txt "operator's call maintenance accepted: device p2 until 2026-01-01 00:06:10.000, by ann"
# By the alert's own id: who did that, and whose shelf it was that ended.
alert() { # WORDS: id of the first alert that has them
    grep -F -e "$1" first/alerts.ndjson | sed -n '1s/.*"id":"\([0-9a-f]*\)".*/\1/p'
}
expect 0 "$flyball" explain "$(alert '"event":"acked"')" first/audit.ndjson --rules pumps.rules
says out.txt 'alarm hot/p1 acked, low'
says out.txt "operator  2026-01-01 00:01:10.000  operator's call ack accepted: hot/p1, by ann"
expect 0 "$flyball" explain "$(alert '"event":"unshelved","active":false')" first/audit.ndjson
says out.txt 'alarm hot/a%2Fb unshelved, not active, was high'
says out.txt "operator's call shelve accepted: hot/a%2Fb until 2026-01-01 00:30:00.000, once, by ann: known"
expect 0 "$flyball" explain "$(alert '"event":"unshelved","active":true')" first/audit.ndjson
says out.txt "operator's call unshelve accepted: hot/p1, by ann"

# Why is it not told of now?
state() { # SECOND
    expect 0 "$flyball" explain --rule hot --device "$2" --at "$(second "$1")" --rules pumps.rules \
        --input events.ndjson --calls calls.ndjson
}
state 400 p1
says out.txt 'alarm hot/p1 is active, low, since 2026-01-01 00:06:00.000'
says out.txt 'shelved   not annunciated until 2026-01-01 00:30:00.000'
state 75 p1
says out.txt 'is active, low, since 2026-01-01 00:01:00.000, acknowledged'
state 100 a%2Fb
says out.txt 'shelved   not annunciated until 2026-01-01 00:30:00.000, or until it clears'
state 400 p2
says out.txt 'service   the device is in maintenance until 2026-01-01 00:08:10.000: its alarms are not annunciated, its commands withheld'

# What each call needs.
wrong() { # WHY MEMBERS
    call 65 "$2" >bad.ndjson
    expect 0 "$flyball" replay --rules pumps.rules --input events.ndjson --calls bad.ndjson --audit
    cases=$((cases + 1))
    pick out.txt 'd.get("kind") == "operator"' outcome why | grep -qF "$1" || fail "$2 is not refused with \"$1\""
}
shelve() { # MEMBERS: of a shelve, beside reason
    echo "\"call\":\"shelve\",\"reason\":\"x\"$1"
}
wrong 'refused `alarm` is missing' '"call":"ack"'
wrong 'refused `alarm` is not of the form' '"call":"ack","alarm":"hot"'
wrong 'refused `alarm` is not of the form' '"call":"unshelve","alarm":"/p1"'
wrong 'refused the rules in force have no such alarm' '"call":"ack","alarm":"cool/p1"'
wrong 'elsewhere the device has sent nothing' '"call":"ack","alarm":"hot/p9"'
wrong 'refused the alarm is not active' '"call":"ack","alarm":"dry/p1"'
wrong 'refused the alarm is not active' "$(shelve ',"alarm":"dry/p1","until":"2026-01-01T00:10:00Z"')"
wrong 'refused the alarm is not shelved' '"call":"unshelve","alarm":"hot/p1"'
wrong 'refused `until` is missing' "$(shelve ',"alarm":"hot/p1"')"
wrong 'refused `until` is not ahead' "$(shelve ',"alarm":"hot/p1","until":"2026-01-01T00:01:05Z"')"
wrong 'refused `until` is more than 8h ahead' "$(shelve ',"alarm":"hot/p1","until":"2026-01-01T08:01:06Z"')"
wrong 'refused `once` is neither' "$(shelve ',"alarm":"hot/p1","until":"2026-01-01T00:10:00Z","once":1')"
wrong 'refused `reason` is missing' '"call":"shelve","alarm":"hot/p1","until":"2026-01-01T00:10:00Z"'
wrong 'refused `device` is missing' '"call":"maintenance","until":"2026-01-01T00:10:00Z"'
wrong 'refused `until` is missing' '"call":"maintenance","device":"p1"'
wrong 'refused `class` is missing, or no text' '"call":"service","device":"p1","class":1'
wrong 'refused the rules in force have no device of this class' '"call":"service","device":"p1","class":"fan"'
wrong 'elsewhere the device has sent nothing' '"call":"service","device":"p9"'
wrong 'refused the device is not in maintenance' '"call":"service","device":"p1","class":"pump"'

# The command says what a call lacks before it looks for Kafka.
tells 2 '`reason` is missing' "$flyball" operator shelve hot/p1 --until 2026-01-01T00:10:00Z
tells 2 '`until` is missing' "$flyball" operator maintenance p1
tells 2 '`alarm` is missing' "$flyball" operator ack
tells 2 'CALL is missing: ack, shelve' "$flyball" operator

finish
