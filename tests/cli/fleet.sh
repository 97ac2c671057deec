#!/bin/sh
# `fleet` of a control: what is told of a breaker that opens, in the audit and by `explain`, and the
# call that closes it.
#
# usage: fleet.sh FLYBALL
. "$(dirname "$0")/harness.sh"

cat >houses.rules <<'RULES'
device house from "houses" {
  key house
  time ts
  tag street
  domain street
  temp : number [degC] every 10s
}
actuator heater on house : (off, on) { safe off  minimum on 0s, off 0s }
control heat on house {
  start when temp < 18 degC until temp > 20 degC
  command heater = on
  rollout armed
  fleet 50 % per 1m
}
RULES
second() { # N: as a time of the first hour
    printf '2026-01-01T00:%02d:%02dZ' $(($1 / 60)) $(($1 % 60))
}
# Three houses; from 80 s on a, from 90 s on b, from 100 s on c is cold.
n=0
while [ $n -lt 20 ]; do
    for house in a b c; do
        from=8
        [ $house != b ] || from=9
        [ $house != c ] || from=10
        temp=19
        [ $n -lt $from ] || temp=17
        echo "{\"house\":\"$house\",\"street\":\"elm\",\"ts\":\"$(second $((n * 10)))\",\"temp\":$temp}"
    done
    n=$((n + 1))
done >houses.ndjson
call() { # SECOND MEMBERS
    echo "{\"at\":\"$(second "$1")\",\"call\":\"reset\",$2,\"who\":\"ann\"}"
}
{
    call 50 '"rule":"heat","device":"a"'
    call 125 '"rule":"heat","device":"a"'
    call 126 '"rule":"warm","device":"a"'
    call 127 '"rule":"heat","device":"z"'
    call 128 '"rule":"heat","actuator":"heater","device":"a"'
    call 129 '"rule":"heat"'
} >calls.ndjson
expect 0 "$flyball" replay --rules houses.rules --input houses.ndjson --calls calls.ndjson \
    --out results --audit
audit=results/audit.ndjson

pick() { # CONDITION FIELDS...: of the data of the audit's records, as lines; in python, `d` the data
    python3 -c '
import json, sys
for line in open(sys.argv[1]):
    d = json.loads(line)["data"]
    if eval(sys.argv[2]):
        print(*[eval(f) for f in sys.argv[3:]])
' $audit "$@"
}

# One of three may be heated. b opens the breaker, c finds it open; the reset makes the budget whole,
# which b uses, so that c opens the breaker again.
pick 'd["kind"] in ("decision", "blocked") and d["outcome"] != "renewed"' \
    'd["at"][14:19]' 'd["device"]' 'd["outcome"]' 'd.get("guardrail", "-")' >told.txt
is told.txt <<'TOLD'
01:20 a claimed -
01:30 b began fleet
01:40 c began fleet
02:05 b ended fleet
02:05 b claimed -
TOLD
pick 'd["kind"] == "blocked" and d["outcome"] == "began"' \
    '[v["fleet"] for v in d["verdicts"] if v["guardrail"] == "fleet"]' >counts.txt
is counts.txt <<'COUNTS'
[{'acted': 2, 'budget': 1, 'live': 3, 'members': 3}]
[{'open_since': '2026-01-01T00:01:30.000Z'}]
COUNTS
pick 'd["kind"] == "operator"' 'd["outcome"]' 'd["why"]' 'd["what"]' >answers.txt
is answers.txt <<'ANSWERS'
refused the breaker is not open, and nothing is stopped {'rule': 'heat', 'device': 'a'}
accepted None {'rule': 'heat', 'device': 'a'}
refused the rules in force have no rule of this name with `fleet` {'rule': 'warm', 'device': 'a'}
elsewhere the device has sent nothing to this partition {'rule': 'heat', 'device': 'z'}
refused it takes one of `rule` and `actuator` None
refused `device` is missing, or no text of 1 to 1024 bytes None
ANSWERS

# Explanations: of the two blocks, and of what is at a time.
blocks() { # N: the id of the N-th block
    grep -F '"kind":"blocked"' $audit | sed -n "$1s/.*\"id\":\"\([0-9a-f]*\)\".*/\1/p"
}
expect 0 "$flyball" explain "$(blocks 1)" $audit
says out.txt 'heater/b: on refused by fleet; with this device 2 acted upon, 1 allowed, 3 of the domain'"'"'s 3 report'
expect 0 "$flyball" explain "$(blocks 2)" $audit
says out.txt 'heater/c: on refused by fleet; its breaker is open since 2026-01-01 00:01:30.000'
at() { # TIME DEVICE
    expect 0 "$flyball" explain --rule heat --device "$2" --at "2026-01-01T00:0$1Z" \
        --rules houses.rules --input houses.ndjson
}
at 1:25 b
says out.txt '50 % per 1m: with this device 2 acted upon, 1 allowed; 3 of the domain'"'"'s 3 report'
at 0:25 b
says out.txt '1 acted upon, 1 allowed; 3 of the domain'"'"'s 3 report, not settled yet'
at 1:45 c
says out.txt '50 % per 1m: the breaker is open since 2026-01-01 00:01:30.000, until an operator resets it'
says out.txt 'fleet blocks since 2026-01-01 00:01:40.000; 1 decision so far'

# In a closed loop: twenty houses get cold, one after the other. At most two of them are heated
# within half an hour, the third opens the breaker; without the clause all of them are.
cat >houses.plant <<'PLANT'
[device house]
id    = house-{n}
every = 10s
[process temp]
start    = 21
outside  = 5
time constant = 2h
actuator = heater
effect   = 30
spread   = 30 %
[field street]
value = elm
PLANT
sed 's/fleet 50 % per 1m/fleet 10 % per 30m/' houses.rules >limited.rules
grep -v 'fleet ' houses.rules >free.rules
for rules in limited free; do
    expect 0 "$flyball" simulate --rules $rules.rules --plant houses.plant --fleet 20 \
        --duration 2h --out $rules
    python3 -c '
import datetime, json, sys
on = []
for line in open(sys.argv[1]):
    d = json.loads(line)["data"]
    if d["value"] == "on" and d["reason"] == "claimed":
        on.append((datetime.datetime.fromisoformat(d["at"][:19]), d["device"]))
half = datetime.timedelta(minutes=30)
at_a_time = max(len({d for t, d in on if u - half < t <= u}) for u, _ in on)
print(at_a_time, len({d for _, d in on}) == 20)
' $rules/commands.ndjson
done >heated.txt
is heated.txt <<'HEATED'
2 False
20 True
HEATED

# What the tool itself says of a call that can not be.
tells 2 '`device` is missing' "$flyball" operator reset rule:heat
tells 2 '`rule` is missing' "$flyball" operator reset rule:/a
finish
