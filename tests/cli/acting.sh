#!/bin/sh
# Commands of `flyball replay` and `flyball run`: what is written, what is refused, what a restart
# and kill -9 leave of it.
#
# usage: acting.sh FLYBALL SCHEMAS_FOLDER
schemas=$2
. "$(dirname "$0")/harness.sh"

cat >cool.rules <<'RULES'
device pump from "pumps" {
  key id
  time arrival
  temp : number [degC]
}
actuator fan on pump : (off, on) { safe off  minimum on 0s, off 0s }
control cool on pump {
  start when temp > 80 degC until temp < 70 degC  command fan = on  rollout armed
  message "{id} at {temp}"
}
RULES
cat >pumps.rules <<'RULES'
device pump from "telemetry.pumps" {
  key pump
  time ts [ms]
  temp : number [degC]
  flow : number [m3/h]
}
actuator fan on pump : (off, on) { safe off  minimum on 2m, off 2m  interlock when flow < 1 m3/h }
actuator valve on pump : number [%] range 0..100 { safe 0 %  slew 5 % per 10s }
control cool on pump {
  start when avg(temp over 1m) > 62 degC until avg(temp over 1m) < 58 degC
  command fan = on
  rollout armed
}
control open on pump { start when temp > 60 degC  command valve = 40 % at priority 10  rollout armed }
control more on pump { start when temp > 64 degC  command valve = 60 % at priority 9 }
RULES
cat >often.rules <<'RULES'
device pump from "telemetry.pumps" { key pump  time ts [ms]  temp : number [degC] }
actuator fan on pump : (off, on) {
  safe off  minimum on 0s, off 0s  breaker 32 reversals in 1s, hold 1s
}
control cool on pump {
  start when temp > 62 degC until temp < 60 degC  command fan = on  rollout armed
}
control more on pump { start when temp > 61 degC until temp < 60 degC  command fan = on at priority 9 }
RULES

run() { # RULES STATE INPUT OUTPUT
    "$flyball" run --rules "$1" --input "$3" --output "$4" -X application.id=plant \
        -X state.dir="$2" -X commit.interval.ms=10 -X snapshot.interval.min.ms=30 2>>err.txt
}

# ---- replay ----

"$flyball" gen --profile pumps --devices 20 --duration 20m >events.ndjson
expect 0 "$flyball" replay --rules pumps.rules --input events.ndjson --out first
check "there are commands" [ "$(grep -c flyball.command first/commands.ndjson)" -gt 100 ]
check "there are shadows" [ "$(grep -c flyball.shadow first/shadow.ndjson)" -gt 100 ]
check "there are blocks" grep -q '"kind":"blocked"' first/audit.ndjson
check "the summary counts commands" \
    grep -q ", $(wc -l <first/commands.ndjson) commands; see first" err.txt
expect 0 "$flyball" replay --rules pumps.rules --input events.ndjson --out second
check "a second run writes the same" diff -r first second
expect 0 "$flyball" audit verify first/audit.ndjson
expect 0 "$flyball" audit verify --reexecute --rules pumps.rules --input events.ndjson first/audit.ndjson
sed 's/"outcome":"claimed"/"outcome":"renewed"/' first/audit.ndjson >forged
expect 1 "$flyball" audit verify forged
cat first/*.ndjson >all.ndjson
check "what is written fits the schemas" python3 - "$schemas" all.ndjson <<'END'
import json, pathlib, sys
import jsonschema
check = {}
for path in pathlib.Path(sys.argv[1]).glob("*.schema.json"):
    check["flyball." + path.name.split(".")[0]] = jsonschema.Draft202012Validator(
        json.loads(path.read_text()))
seen = {}
for number, line in enumerate(open(sys.argv[2], encoding="utf-8")):
    record = json.loads(line)
    what = record["type"], record["data"].get("kind"), record["data"].get("reason")
    seen[what] = seen.get(what, 0) + 1
    if seen[what] <= 50:  # of each sort; all of them take long
        check[record["type"]].validate(record)
for what in ("claimed", "relinquished", "renewed"):
    assert ("flyball.command", None, what) in seen, what
END
check "each command has its audit, each audit its command" python3 - first <<'END'
import json, sys
def ids(name):
    return [json.loads(line)["id"] for line in open(f"{sys.argv[1]}/{name}.ndjson")]
audit = [json.loads(line)["data"] for line in open(f"{sys.argv[1]}/audit.ndjson")]
for name, kind in (("commands", "decision"), ("shadow", "shadow")):
    explained = [a["explains"] for a in audit if a["kind"] == kind and "command" in a]
    assert explained == ids(name), name
    assert len(set(explained)) == len(explained)
blocks = {}
for a in audit:
    if a["kind"] == "blocked":
        key = a["actuator"], a["shadow"]
        assert (a["outcome"] == "began") == (key not in blocks), a
        if a["outcome"] == "began":
            blocks[key] = a["guardrail"]
        else:
            assert blocks.pop(key) == a["guardrail"] and a["count"] > 0, a
END
expect 0 "$flyball" replay --rules pumps.rules --input events.ndjson --out watched --watch
check "--watch shows commands" grep -Eq '^[-0-9]+ [:0-9]+  command  on       *fan  *pump-' out.txt

# ---- run: only where there is a journal ----

echo '{"id":"a","temp":90}' >line
cases=$((cases + 1))
"$flyball" run --rules cool.rules --input - --output - <line >out.txt 2>err.txt
[ $? -eq 2 ] || fail "without state.dir it ends with 2"
says err.txt "they need processing.guarantee = exactly_once"
check "and nothing is put out" [ ! -s out.txt ]

# ---- run: numbers and state outlive the process ----

run cool.rules state line - <line >out.txt
check "a command" grep -q '"value":"on",.*"reason":"claimed",.*"seq":1,"message":"a at 90 degC"' out.txt
epoch=$(sed -n 's/.*"type":"flyball.command".*"epoch":\([0-9]*\),.*/\1/p' out.txt)
check "its epoch is a time in ms" [ "$epoch" -gt 1700000000000 ]
echo '{"id":"a","temp":85}' >>line
run cool.rules state line - >out.txt
check "the next process knows what it commanded" [ "$(grep -c '"reason":"claimed"' out.txt)" -eq 0 ]
echo '{"id":"a","temp":60}' >>line
run cool.rules state line - >out.txt
check "and the one after that goes on counting in the same epoch" \
    grep -q "\"value\":\"off\",.*\"reason\":\"relinquished\",.*\"epoch\":$epoch,\"seq\":2," out.txt
run cool.rules anew line - >out.txt
check "a state that is lost begins a greater epoch" \
    [ "$(sed -n 's/.*"type":"flyball.command".*"epoch":\([0-9]*\),"seq":1,.*/\1/p' out.txt)" -gt "$epoch" ]
printf 'application.id = plant\nstate.dir = %s/state\n' "$work" >fb.properties
expect 0 "$flyball" audit verify --reexecute --config fb.properties --input line --from-beginning

# ---- run: kill -9 ----

for delay in 0.05 0.2 0.11 0.07 0.26 0.15; do
    "$flyball" run --rules often.rules --input events.ndjson --output killed.txt \
        -X application.id=plant -X state.dir=killed -X commit.interval.ms=10 \
        -X snapshot.interval.min.ms=30 2>>err.txt &
    pid=$!
    sleep $delay
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    pid=
done
run often.rules killed events.ndjson killed.txt
check "it ends well after kills" [ $? -eq 0 ]
check "each actuator is numbered without gap and repetition, in one epoch" python3 - killed.txt <<'END'
import json, sys
last, epochs, n = {}, set(), 0
for line in open(sys.argv[1]):
    record = json.loads(line)
    if record["type"] not in ("flyball.command", "flyball.shadow"):
        continue
    key = record["type"], record["subject"]
    assert record["data"]["seq"] == last.get(key, 0) + 1, record
    last[key] = record["data"]["seq"]
    epochs.add(record["data"]["epoch"])
    n += 1
assert n > 40 and len(epochs) == 1, (n, epochs)
END
grep flyball.audit killed.txt >trail
expect 0 "$flyball" audit verify trail

finish
