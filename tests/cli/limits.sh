#!/bin/sh
# `starts`, `at most` and `commands at most`: how much of them was used, in the audit and by `explain`.
#
# usage: limits.sh FLYBALL
. "$(dirname "$0")/harness.sh"

cat >tanks.rules <<'RULES'
device tank from "tanks" {
  key tank
  time ts
  level : number [m] every 10s
}
actuator pump on tank : (off, on) { safe off  minimum on 0s, off 0s  starts 2 per 5m }
actuator valve on tank : number [%] range 0..100 { safe 0 % }
control empty on tank { start when level > 3 m  command pump = on  rollout armed }
control follow on tank { command valve = level * 10 %/m  at most 3 per 1m  rollout armed }
commands at most 6 per 2m
RULES
second=0
for level in 1 4 2 4 2 5 5 5 6 6; do
    printf '{"tank":"a","ts":"2026-01-01T00:%02d:%02dZ","level":%s}\n' $((second / 60)) \
        $((second % 60)) $level
    second=$((second + 10))
done >tanks.ndjson
expect 0 "$flyball" replay --rules tanks.rules --input tanks.ndjson --out results --audit
audit=results/audit.ndjson

# Of each command and block what was used before it.
python3 - $audit >told.txt <<'PICK'
import json, sys
for line in open(sys.argv[1]):
    d = json.loads(line)["data"]
    if d["kind"] in ("decision", "blocked") and d["outcome"] != "renewed":
        used = [(v["guardrail"], v["limit"]["counted"], v["limit"]["most"], v["limit"]["per_ms"])
                for v in d["verdicts"] if "limit" in v]
        print(d["at"][14:19], d["actuator"], d["outcome"], d.get("guardrail", "-"), *used)
PICK
is told.txt <<'TOLD'
00:00 valve/a claimed - ('rate', 0, 3, 60000) ('commands', 0, 6, 120000)
00:10 pump/a claimed - ('starts', 0, 2, 300000) ('commands', 1, 6, 120000)
00:10 valve/a claimed - ('rate', 1, 3, 60000) ('commands', 2, 6, 120000)
00:20 pump/a relinquished -
00:20 valve/a claimed -
00:30 pump/a claimed - ('starts', 1, 2, 300000) ('commands', 3, 6, 120000)
00:30 valve/a claimed - ('rate', 2, 3, 60000) ('commands', 4, 6, 120000)
00:40 pump/a relinquished -
00:40 valve/a claimed -
00:50 pump/a began starts ('starts', 2, 2, 300000)
00:50 valve/a began rate ('rate', 3, 3, 60000)
01:00 valve/a ended rate ('rate', 2, 3, 60000) ('commands', 5, 6, 120000)
01:00 valve/a claimed - ('rate', 2, 3, 60000) ('commands', 5, 6, 120000)
01:20 valve/a began commands ('rate', 2, 3, 60000) ('commands', 6, 6, 120000)
TOLD

id_of() { # "WORDS": of the first record that holds them
    grep -e "$1" $audit | sed -n '1s/.*{"specversion":"1.0","id":"\([0-9a-f]*\)".*/\1/p'
}
explain() { # WORDS: of the first block by this guardrail
    expect 0 "$flyball" explain "$(id_of "\"outcome\":\"began\",.*\"guardrail\":\"$1\",\"count\"")" $audit
}
explain starts
says out.txt 'pump/a: on held back by starts until 2026-01-01 00:05:10.000; 2 of 2 in the last 5m'
explain rate
says out.txt 'valve/a: 50 held back by rate until 2026-01-01 00:01:00.000; 3 of 3 in the last 1m'
says out.txt 'rate        holds 50 until 2026-01-01 00:01:00.000; 3 of 3 in the last 1m'
explain commands
says out.txt 'held back by commands until 2026-01-01 00:02:00.000; 6 of 6 in the last 2m'
says out.txt 'rate        lets 60 pass; 2 of 3 in the last 1m'

# The state at a time, where no record tells of it.
at() { # TIME RULE
    expect 0 "$flyball" explain --rule "$2" --device a --at "2026-01-01T00:0$1Z" \
        --rules tanks.rules --input tanks.ndjson
}
at 0:55 follow
says out.txt 'rate      3 of 3 in the last 1m'
says out.txt 'commands  5 of 6 in the last 2m'
says out.txt 'rate blocks since 2026-01-01 00:00:50.000, until 2026-01-01 00:01:00.000'
at 0:55 empty
says out.txt '2 of 2 in the last 5m, starts'
says out.txt 'starts blocks since 2026-01-01 00:00:50.000, until 2026-01-01 00:05:10.000'

finish
