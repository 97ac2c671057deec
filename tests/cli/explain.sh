#!/bin/sh
# `flyball explain`: what it says of alarms, commands and blocks, to the byte, and its exit statuses.
#
# usage: explain.sh FLYBALL
. "$(dirname "$0")/harness.sh"

cat >tank.rules <<'END'
device tank from "t" {
  key k
  time ts
  level : number [m] every 1s
  flow : number [m3/h] stale after 10s
  door : one of (open, closed)
  let near = level > 2 m
}
param limit [m] = 3.2 m
alarm deep on tank {
  let well = near and door == closed
  raise high when level > limit for 3s until level < 2 m
  raise low when well
}
event filled on tank { when level > 3.6 m }
actuator pump on tank : (off, on) {
  safe off
  minimum on 5s, off 10s
  interlock when door == open
}
control drain on tank {
  start when level > 3 m for 3s until level < 2 m
  command pump = on
  rollout armed
}
END
second=0
for level in 1 2.5 3.05 3.5 3.6 3.7 3.7 3 1.9 1.5 3.2 3.3 3.4 3.5 3.5 1 1 1 1 1 3.2 3.3 3.4 3.5 3.6 3.5; do
    door=closed
    [ $second -lt 24 ] || door=open
    printf '{"k":"t1","ts":"2026-01-01T00:00:%02dZ","level":%s,"door":"%s"}\n' $second $level $door
    second=$((second + 1))
done >events.ndjson
expect 0 "$flyball" replay --rules tank.rules --input events.ndjson --out results --quiet

first_id() { # the first line's id
    sed -n '1s/.*"id":"\([0-9a-f]*\)".*/\1/p'
}
of_output() { # FILE "WORDS": id of the first line in it that holds them
    grep -F -e "$2" "results/$1" | first_id
}
normal() { # without what follows from the rules' text
    sed -e 's/version [0-9a-f]\{12\}/version V/' -e 's/hash .*/hash H/' \
        -e 's/id [0-9a-f]\{32\}/id I/' out.txt >normal.txt
}

# An alarm, by the alert's id: the rule's text with the values in place, lets of the device too.
expect 0 "$flyball" explain "$(of_output alerts.ndjson '"event":"raised"')" results/audit.ndjson \
    --rules tank.rules
normal
is normal.txt <<'END'
2026-01-01 00:00:01.000  alarm deep/t1 raised, low
rule      deep, version V
cause     record 1 of t
audit     flyball/0, hash H
tank.rules:10:
  alarm deep on tank {
    let well = near (true) and door (closed, good, 0s old) == closed
    raise high when level (2.5 m, good, 0s old) > limit (3.2 m) for 3s until level < 2 m
    raise low when well (true)
  }
tank.rules:7:
  let near (true) = level (2.5 m, good, 0s old) > 2 m
checked   raise high: does not follow from these values alone
            level > 3.2 m is false; for how long does not stand in the record
            level < 2 m is false, which ends it where it is true
          raise low: true
          fits: nothing above contradicts what happened, and not all of it follows from the record
later     2026-01-01 00:00:08.000  alarm deep/t1 cleared, was high
          id I, rule deep
END

# Without rules a table; what came before.
expect 0 "$flyball" explain "$(of_output alerts.ndjson '"event":"cleared"')" results/audit.ndjson
normal
is normal.txt <<'END'
2026-01-01 00:00:08.000  alarm deep/t1 cleared, was high
rule      deep, version V
cause     record 8 of t
audit     flyball/0, hash H
values    door   closed, good, 0s old
          level  1.9, good, 0s old
          near   false
          well   false
raised    2026-01-01 00:00:01.000  alarm deep/t1 raised, low
          id I, rule deep
END

# A block, by the id of its record, and its end.
expect 0 "$flyball" explain "$(of_output audit.ndjson '"guardrail":"minimum","count":0')" \
    results/audit.ndjson --rules tank.rules
normal
is normal.txt <<'END'
2026-01-01 00:00:05.000  pump/t1: on held back by minimum until 2026-01-01 00:00:10.000
rule      drain, version V
cause     record 5 of t
audit     flyball/0, hash H
tank.rules:21:
  control drain on tank {
    start when level (3.7 m, good, 0s old) > 3 m for 3s until level < 2 m
    command pump = on
    rollout armed
  }
checked   start: does not follow from these values alone
            level > 3 m is true; for how long does not stand in the record
            level < 2 m is false, which ends it where it is true
          command pump = on
          fits: nothing above contradicts what happened, and not all of it follows from the record
claims    drain = on at priority 12: wins
guards    range       lets on pass
          interlock   lets on pass
          lockout     lets on pass
          maximum     lets on pass
          permissive  lets on pass
          minimum     holds on until 2026-01-01 00:00:10.000
          catch_up    lets on pass
own       interlock false
tank.rules:16:
  actuator pump on tank : (off, on) {
    safe off
    minimum on 5s, off 10s
    interlock when door (closed, good, 0s old) == open
  }
checked   interlock: false
          agrees: the values above give what happened
ended     2026-01-01 00:00:08.000  pump/t1: minimum blocks no longer; it blocked 1 decision
          id I
after     2026-01-01 00:00:13.000  command pump/t1 = on: a rule claims it
          id I, rule drain
END
expect 0 "$flyball" explain "$(of_output audit.ndjson '"guardrail":"minimum","count":1')" \
    results/audit.ndjson
says out.txt 'began     2026-01-01 00:00:05.000  pump/t1: on held back by minimum until'
says out.txt 'claims    none in force'

# A command that no rule claims any more: whose claim it was.
expect 0 "$flyball" explain "$(of_output commands.ndjson '"reason":"relinquished"')" \
    results/audit.ndjson
normal
is normal.txt <<'END'
2026-01-01 00:00:18.000  command pump/t1 = off: no rule claims it any more
rule      none: no claim is in force, it is the actuator's default
cause     a timer, due at 2026-01-01 00:00:18.000 of the device's time
command   2 of epoch 0
audit     flyball/0, hash H
claims    none in force
guards    range       lets off pass
          interlock   lets off pass
          lockout     lets off pass
          maximum     lets off pass
          minimum     lets off pass
          breaker     lets off pass
          catch_up    lets off pass
own       interlock false
          door  closed, good, 0s old
ended     the claim of rule drain, which asked for on at 2026-01-01 00:00:13.000; the values that ended it are not recorded where no rule wins
before    2026-01-01 00:00:13.000  command pump/t1 = on: a rule claims it
          id I, rule drain
END

# An interlock changes what was asked for.
expect 0 "$flyball" explain "$(of_output audit.ndjson '"guardrail":"interlock","count":0')" \
    results/audit.ndjson --rules tank.rules
says out.txt 'pump/t1: on made off by interlock'
says out.txt 'interlock   changes on to off'
says out.txt 'own       interlock true'
says out.txt 'interlock when door (open, good, 0s old) == open'
says out.txt 'checked   interlock: true'
expect 0 "$flyball" explain "$(of_output audit.ndjson '"guardrail":"interlock","count":0')" \
    results/audit.ndjson --rules tank.rules --format json
says out.txt '"own_checked":"agrees"'
# Of an actuator without rules at hand the operands stand there as they are.
expect 0 "$flyball" explain "$(of_output audit.ndjson '"guardrail":"interlock","count":0')" \
    results/audit.ndjson
says out.txt '          door  open, good, 0s old'
# Other rules: their text is shown, and nothing is checked by it.
sed 's/door == open/door == closed/' tank.rules >other.rules
expect 0 "$flyball" explain "$(of_output audit.ndjson '"guardrail":"interlock","count":0')" \
    results/audit.ndjson --rules other.rules
silent out.txt 'interlock: '

# The beginning of an id, or of the hash; from standard input, bare as in the topic; twice given.
command=$(of_output commands.ndjson '"reason":"claimed"')
expect 0 "$flyball" explain "$command" results/audit.ndjson
cp out.txt whole.txt
hash=$(grep -F "$command" results/audit.ndjson | sed 's/.*"hash":"\([0-9a-f]*\)".*/\1/')
for id in "$(echo "$command" | cut -c1-16)" "$hash" "$(echo "$hash" | cut -c1-16)"; do
    expect 0 "$flyball" explain "$id" results/audit.ndjson results/audit.ndjson
    is out.txt <whole.txt
done
sed 's/.*"data":\(.*\)}$/\1/' results/audit.ndjson >bare.ndjson
check "bare records explain the same" \
    sh -c "'$flyball' explain $command - <bare.ndjson | cmp - whole.txt"

# An event stands in the outputs only.
event=$(of_output alerts.ndjson flyball.event)
expect 1 "$flyball" explain "$event" results/audit.ndjson
says err.txt 'An event is found in the outputs'
expect 0 "$flyball" explain "$event" results/audit.ndjson results/alerts.ndjson --rules tank.rules
says out.txt 'event filled/t1'
says out.txt 'event filled on tank { when level (3.7 m, good) > 3.6 m }'
says out.txt 'checked   when: true'
says out.txt 'agrees: the values above give what happened'
sed 's/"value":3.7/"value":3.6/' results/alerts.ndjson >moved.ndjson
expect 0 "$flyball" explain "$event" moved.ndjson --rules tank.rules
says out.txt 'checked   when: false'
says out.txt 'DIFFERS: the values above do not give what happened'

# Other rules; a record that was changed; for programs.
sed 's/3 m for 3s/3.1 m for 3s/' tank.rules >other.rules
expect 0 "$flyball" explain "$command" results/audit.ndjson --rules other.rules
says out.txt 'what stands there may differ'
silent out.txt 'checked'
sed 's/drain/train/g' tank.rules >train.rules
expect 0 "$flyball" explain "$command" results/audit.ndjson --rules train.rules
says out.txt 'the rules given have no such rule'
says out.txt 'values    level  3.5'
sed "/$command/s/\"value\":3.5/\"value\":3.6/" results/audit.ndjson >changed.ndjson
expect 0 "$flyball" explain "$command" changed.ndjson
says out.txt 'NOT to be relied on: the record was changed: its hash is not that of its bytes'
expect 0 "$flyball" explain "$command" results/audit.ndjson --format json --rules tank.rules
says out.txt '{"headline":"2026-01-01 00:00:13.000  command pump/t1 = on: a rule claims it","fault":null'
says out.txt '"record":{"task":"flyball/0"'
says out.txt '"checked":"fits"'
says out.txt '"before":null,"after":{"task":"flyball/0"'
check "it is JSON" python3 -c 'import json; json.load(open("out.txt"))'

# Of what is no decision.
expect 0 "$flyball" explain "$(of_output audit.ndjson '"kind":"rules"')" results/audit.ndjson
says out.txt 'were activated, by build'

# An operator's hand and a kill: whose call it was.
cat >calls.ndjson <<'END'
{"at":"2026-01-01T00:00:17Z","call":"hand","actuator":"pump","device":"t1","value":"on","until":"2026-01-01T00:00:40Z","who":"anna","reason":"a try"}
{"at":"2026-01-01T00:00:21Z","call":"auto","actuator":"pump","device":"t1","who":"anna"}
{"at":"2026-01-01T00:00:22Z","call":"kill","mode":"freeze","all":true,"who":"ben","reason":"work"}
END
expect 0 "$flyball" replay --rules tank.rules --input events.ndjson --calls calls.ndjson --out called \
    --quiet
of_called() { # "WORDS": id of the first audit record that holds them
    grep -F -e "$1" called/audit.ndjson | first_id
}
expect 0 "$flyball" explain "$(of_called '"priority":8')" called/audit.ndjson --rules tank.rules
says out.txt "rule      none: the operator's hand is in force"
says out.txt "claims    the operator's hand = on at priority 8: wins"
says out.txt "operator  2026-01-01 00:00:17.000  operator's call hand accepted: pump/t1 = on until 2026-01-01 00:00:40.000, by anna: a try"
expect 0 "$flyball" explain "$(of_called '"guardrail":"kill","count":0')" called/audit.ndjson
says out.txt "refused by kill"
says out.txt "operator's call kill accepted: everything, freeze, by ben: work"
expect 0 "$flyball" explain "$(of_called '"call":"auto"')" called/audit.ndjson
says out.txt "operator's call auto accepted: pump/t1, by anna"
expect 0 "$flyball" explain --rule drain --device t1 --rules tank.rules --input events.ndjson \
    --calls calls.ndjson --at 2026-01-01T00:00:19Z
says out.txt "claimed by the operator's hand = on at priority 8: wins"

# ---- why not ----

why_not() { # RULE TIME [OPTION...]
    rule=$1 at=$2
    shift 2
    expect 0 "$flyball" explain --rule "$rule" --device t1 --at "2026-01-01T00:00:$at" \
        --rules tank.rules --input events.ndjson "$@"
}

# A delay that runs; an actuator that nothing claims.
why_not drain 12.500Z
is out.txt <<'END'
2026-01-01 00:00:12.500  control drain/t1 is off
tank.rules:21:
  control drain on tank {
    start when level (3.4 m, good, 500ms old) > 3 m for 3s until level < 2 m
    command pump = on
    rollout armed
  }
start     false
          (level > 3 m) for 3s: true since 2026-01-01 00:00:10.000, 500ms to go
          latch: not set, until level < 2 m
claim     pump = on at priority 12: not in force while the control is off
actuator  pump: nothing commanded yet
          no claim is in force
          no guardrail blocks
interlock false, as its operands give: door == open; door (closed, good, 500ms old)
END

# On, and held back until a time.
why_not drain 06.500Z
is out.txt <<'END'
2026-01-01 00:00:06.500  control drain/t1 is on, since 2026-01-01 00:00:05.000
tank.rules:21:
  control drain on tank {
    start when level (3.7 m, good, 500ms old) > 3 m for 3s until level < 2 m
    command pump = on
    rollout armed
  }
start     true
          (level > 3 m) for 3s: true since 2026-01-01 00:00:02.000, that is long enough
          latch: set, until level < 2 m
claim     pump = on at priority 12
actuator  pump: nothing commanded yet
          claimed by drain = on at priority 12: wins
          minimum blocks since 2026-01-01 00:00:05.000, until 2026-01-01 00:00:10.000; 1 decision so far
interlock false, as its operands give: door == open; door (closed, good, 500ms old)
          asked again at 2026-01-01 00:00:10.000, if nothing comes before
END

# What came at the time itself counts, what came later does not.
why_not deep 03Z
says out.txt 'raise high when level (3.5 m, good, 0s old)'
says out.txt '(level > 3.2 m) for 3s: true since 2026-01-01 00:00:03.000, 3s to go'
why_not deep 06Z
says out.txt 'alarm deep/t1 is active, high, since 2026-01-01 00:00:01.000'
says out.txt 'that is long enough'

# What is unknown, long after the last event.
why_not deep 59Z
says out.txt 'level (unknown, stale, last good 34s ago)'
says out.txt 'raise high unknown, as its operands give, counts as'
why_not drain 59Z --format json
says out.txt '"conditions":[{"name":"start","value":null}]'
check "it is JSON" python3 -c 'import json; json.load(open("out.txt"))'

# Windows, an off-delay, an event.
cat >windows.rules <<'END'
device tank from "t" { key k  time ts  level : number [m] every 1s }
alarm high on tank { raise low when avg(level over 5s) > 3 m and max(level over 5s) < 4 m clear after 10s }
event often on tank { whenever count(over 5s) > 3 }
END
expect 0 "$flyball" explain --rule high --device t1 --rules windows.rules --input events.ndjson \
    --at 2026-01-01T00:00:06Z
says out.txt 'avg(level over 5s): 3.51'
says out.txt 'max(level over 5s): 3.7 m'
expect 0 "$flyball" explain --rule high --device t1 --rules windows.rules --input events.ndjson \
    --at 2026-01-01T00:00:12Z
says out.txt 'off-delay no raise holds since'
expect 0 "$flyball" explain --rule often --device t1 --rules windows.rules --input events.ndjson
says out.txt 'when      true'

# A mode: which state it is in, what it commands there, what opens next.
cat >mode.rules <<'END'
device tank from "t" { key k  time ts  level : number [m] every 1s }
actuator pump on tank : (off, on) { safe off  minimum on 0s, off 0s }
actuator valve on tank : number [%] range 0..100 { safe 0 % }
mode phase on tank {
  state rest { command valve = 10 %  go empty when level > 3 m }
  state empty { stay 5s  command pump = on  command valve = 40 %  go rest when level < 2 m  go rest after 4s }
  rollout armed
}
alarm emptying on tank { raise low when phase == empty }
END
why_phase() {
    at=$1
    shift
    expect 0 "$flyball" explain --rule phase --device t1 --rules mode.rules --input events.ndjson \
        --at "2026-01-01T00:00:$at" "$@"
}
why_phase 01Z
says out.txt 'mode phase/t1 is in `rest`, since 2026-01-01 00:00:00.000'
says out.txt 'go empty  false, as its operands give'
says out.txt 'claim     pump = on at priority 12: not in force, it is for the state `empty`'
why_phase 03Z
says out.txt 'mode phase/t1 is in `empty`, since 2026-01-01 00:00:02.000'
says out.txt 'stay      until 2026-01-01 00:00:07.000'
says out.txt 'go        rest from 2026-01-01 00:00:07.000 on'
says out.txt 'claim     valve = 10 % at priority 12: not in force, it is for the state `rest`'
why_phase 03Z --format json
says out.txt '"state":"empty"'
expect 0 "$flyball" replay --rules mode.rules --input events.ndjson --out phases
says phases/audit.ndjson '"name":"phase","value":"empty","quality":"good","at":"2026-01-01T00:00:02.000Z"'
says phases/alerts.ndjson '"phase":{"value":"empty"'
for id in $(sed -n 's/.*"id":"\([^"]*\)".*"rule":"phase".*/\1/p' phases/commands.ndjson); do
    expect 0 "$flyball" explain "$id" --rules mode.rules phases/audit.ndjson
    says out.txt 'in the state `'
    says out.txt 'agrees: the values above give what happened'
done

expect 1 "$flyball" explain --rule deep --device t9 --rules tank.rules --input events.ndjson
says err.txt 'no record of t9 had come by then; devices that had: 1'
expect 1 "$flyball" explain --rule deep --device t1 --rules tank.rules --input events.ndjson \
    --at 2025-12-31T00:00:00Z
says err.txt 'devices that had: 0'
expect 2 "$flyball" explain --rule deeep --device t1 --rules tank.rules --input events.ndjson
says err.txt 'did you mean `deep`?'
expect 2 "$flyball" explain --rule deep --rules tank.rules --input events.ndjson
says err.txt '--device is missing'
expect 2 "$flyball" explain --rule deep --device t1 --rules tank.rules
says err.txt '--input is missing'
expect 2 "$flyball" explain --rule deep --device t1 --rules tank.rules --input events.ndjson --at now
says err.txt '--at takes a time'
expect 2 "$flyball" explain "$command" results/audit.ndjson --input events.ndjson
says err.txt 'go with --rule and --device'
expect 2 "$flyball" explain "$command" --rule deep --device t1 --rules tank.rules --input events.ndjson
says err.txt 'with --rule there is no ID'

# A topic that the actuator names is told; in files the command stands where it does without it.
sed 's/^  safe off/  to "plant.pumps"  safe off/' tank.rules >named.rules
expect 0 "$flyball" replay --rules named.rules --input events.ndjson --out named --quiet
[ -s named/commands.ndjson ] || fail 'no commands in the file'
cmp -s named/alerts.ndjson results/alerts.ndjson || fail 'a topic changes alerts'
ids() { sed 's/.*"id":"\([0-9a-f]*\)".*/\1/' "$1"; }
[ "$(ids named/commands.ndjson)" = "$(ids results/commands.ndjson)" ] ||
    fail 'a topic changes commands'
expect 0 "$flyball" explain "$(first_id <named/commands.ndjson)" named/audit.ndjson
says out.txt 'command   1 of epoch 0, to the topic plant.pumps'

# Wrong usage, nothing found, nothing to read.
expect 2 "$flyball" explain
says err.txt 'ID is missing'
expect 2 "$flyball" explain xyz results/audit.ndjson
says err.txt 'is no id'
expect 2 "$flyball" explain "$command"
says err.txt 'name files of audit records'
expect 1 "$flyball" explain 0000000000 results/audit.ndjson
says err.txt 'audit records has the id 0000000000'
expect 3 "$flyball" explain "$command" nowhere.ndjson
says err.txt 'nowhere.ndjson'
finish
