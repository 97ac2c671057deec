#!/bin/sh
# `flyball diff`: what it says of every kind of difference, to the byte, and its exit statuses.
#
# usage: diff.sh FLYBALL
. "$(dirname "$0")/harness.sh"

# A value each second; rules with a limit, a delay, a severity of their own.
cat >a.rules <<'END'
device pump from "t" { key k  time ts  temp : number [degC] every 1s  door : bool }
alarm early on pump { raise high when temp > 50 degC for 5s until temp < 40 degC }
alarm gone on pump { raise low when temp > 80 degC until temp < 70 degC }
alarm longer on pump { raise low when temp > 60 degC until temp < 50 degC }
alarm worse on pump { raise low when temp > 60 degC until temp < 50 degC }
alarm same on pump { raise low when temp > 60 degC until temp < 50 degC }
alarm open on pump { raise low when temp > 82 degC until temp < 50 degC }
event opened on pump { when door }
END
sed -e 's/for 5s/for 2s/' -e 's/80 degC/90 degC/' -e '/longer/s/< 50/< 30/' -e '/worse/s/low/high/' \
    -e '/open on/s/< 50/< 0/' -e 's/when door/when door for 3s/' a.rules >b.rules
echo 'alarm more on pump { raise critical when temp > 70 degC until temp < 60 degC  message "{k} at {temp}" }' >>b.rules
for s in 0 1 2 3 4 5 6 7 8 9; do # up from 0 to 90, down again to 0; the door opens at 10 s
    echo "{\"k\":\"p1\",\"ts\":\"2026-01-01T00:00:0${s}Z\",\"temp\":$((s * 10)),\"door\":false}"
done >events.ndjson
for s in 10 11 12 13 14 15 16 17 18 19; do
    echo "{\"k\":\"p1\",\"ts\":\"2026-01-01T00:00:${s}Z\",\"temp\":$((190 - s * 10)),\"door\":true}"
done >>events.ndjson

expect 1 "$flyball" diff a.rules b.rules --input events.ndjson
is out.txt <<'END'
2026-01-01 00:00:07.000  changed  alarm longer/p1, cleared 2s later
2026-01-01 00:00:07.000  changed  alarm worse/p1, high instead of low
2026-01-01 00:00:08.000  earlier  alarm early/p1, raised 3s earlier
2026-01-01 00:00:08.000  new      alarm more/p1, critical, for 6s: p1 at 80 degC
2026-01-01 00:00:09.000  gone     alarm gone/p1, low, for 4s
2026-01-01 00:00:09.000  changed  alarm open/p1, not cleared
2026-01-01 00:00:13.000  later    event opened/p1, 3s later
       rule       same      new     gone  earlier    later  changed
alarm  early         0        0        0        1        0        0
alarm  gone          0        0        1        0        0        0
alarm  longer        0        0        0        0        0        1
alarm  more          0        1        0        0        0        0
alarm  open          0        0        0        0        0        1
alarm  same          1        0        0        0        0        0
alarm  worse         0        0        0        0        0        1
event  opened        0        0        0        0        1        0
20 events: they differ
END

# What is further apart is another one.
expect 1 "$flyball" diff a.rules b.rules --input events.ndjson --near 2 --summary --format json
says out.txt '"rule":"opened","same":0,"new":1,"gone":1,"earlier":0,"later":0,"changed":0'
says out.txt '{"differs":true,"events":20,'
silent out.txt '"differences"'
expect 1 "$flyball" diff a.rules b.rules --input events.ndjson --format json
says out.txt '{"difference":"gone","kind":"alarm","rule":"gone","device":"p1","a":{"from":"2026-01-01T00:00:09.000Z","to":"2026-01-01T00:00:13.000Z","severity":"low","message":""},"b":null}'

# The other way round what was new is gone.
expect 1 "$flyball" diff b.rules a.rules --input events.ndjson
says out.txt '2026-01-01 00:00:08.000  gone     alarm more/p1, critical, for 6s: p1 at 80 degC'
says out.txt '2026-01-01 00:00:11.000  later    alarm early/p1, raised 3s later'

# The same rules; other declarations.
expect 0 "$flyball" diff a.rules a.rules --input events.ndjson
says out.txt '20 events: no difference'
sed 's/key k/key kk/' a.rules >other.rules
expect 1 "$flyball" diff a.rules other.rules --input events.ndjson
says out.txt 'devices: 1, then 0'
says out.txt 'dead letters: 0, then 20'

# Commands: the value each actuator has over time. B pumps earlier, and faster.
cat >armed.rules <<'END'
device tank from "t" { key k  time ts  level : number [m] every 10s }
actuator pump on tank : (off, on) { safe off  minimum on 0s, off 0s }
actuator drive on tank : number [%] range 0..100 { safe 0 % }
control empty on tank {
  start when level > 5 m until level < 2 m
  command pump  = on
  command drive = 60 %
  rollout armed
}
END
sed -e 's/level > 5 m/level > 4 m/' -e 's/60 %/70 %/' armed.rules >faster.rules
sed 's/rollout armed//' faster.rules >shadow.rules
second=0
for level in 1 3 4.5 6 4 1 3 6 3 1; do
    echo "{\"k\":\"t1\",\"ts\":\"2026-01-01T00:0$((second / 60)):$((second / 10 % 6))0Z\",\"level\":$level}"
    second=$((second + 10))
done >tank.ndjson
expect 1 "$flyball" diff armed.rules faster.rules --input tank.ndjson
is out.txt <<'END'
2026-01-01 00:00:20.000  earlier  command drive/t1 = 70 % instead of 60 %, 10s earlier
2026-01-01 00:00:20.000  earlier  command pump/t1 = on, 10s earlier
2026-01-01 00:01:10.000  changed  command drive/t1 = 70 % instead of 60 %
         actuator          same      new     gone  earlier    later  changed   starts     then  reversals     then
command  drive on tank        2        0        0        1        0        2        0        0          3        3
command  pump on tank         3        0        0        1        0        0        2        2          3        3
10 events: they differ
END

# Rules in shadow against those that are armed: what they would command, were they armed too.
expect 1 "$flyball" diff armed.rules shadow.rules --input tank.ndjson
is out.txt <<'END'
2026-01-01 00:00:20.000  earlier  shadow drive/t1 = 70 % instead of 60 %, 10s earlier
2026-01-01 00:00:20.000  earlier  shadow pump/t1 = on, 10s earlier
2026-01-01 00:00:30.000  gone     command drive/t1 = 60 %, for 20s
2026-01-01 00:00:30.000  gone     command pump/t1 = on, for 20s
2026-01-01 00:00:50.000  gone     command drive/t1 = 0 %, for 20s
2026-01-01 00:00:50.000  gone     command pump/t1 = off, for 20s
2026-01-01 00:01:10.000  gone     command drive/t1 = 60 %, for 20s
2026-01-01 00:01:10.000  gone     command pump/t1 = on, for 20s
2026-01-01 00:01:10.000  changed  shadow drive/t1 = 70 % instead of 60 %
2026-01-01 00:01:30.000  gone     command drive/t1 = 0 %, to the end
2026-01-01 00:01:30.000  gone     command pump/t1 = off, to the end
         actuator          same      new     gone  earlier    later  changed   starts     then  reversals     then
command  drive on tank        0        0        4        0        0        0        0        0          3        0
command  pump on tank         0        0        4        0        0        0        2        0          3        0
shadow   drive on tank        2        0        0        1        0        2        0        0          3        3
shadow   pump on tank         3        0        0        1        0        0        2        2          3        3
10 events: they differ
END
expect 0 "$flyball" diff shadow.rules shadow.rules --input tank.ndjson
says out.txt 'shadow   pump on tank         4        0        0        0        0        0        2        2          3        3'
expect 1 "$flyball" diff shadow.rules faster.rules --input tank.ndjson --summary
says out.txt 'command  pump on tank         0        4        0        0        0        0        0        2          0        3'
says out.txt 'shadow   pump on tank         4        0        0        0        0        0        2        2          3        3'
expect 1 "$flyball" diff armed.rules shadow.rules --input tank.ndjson --format json
says out.txt '{"difference":"earlier","kind":"shadow","actuator":"drive","class":"tank","device":"t1","a":{"from":"2026-01-01T00:00:30.000Z","to":"2026-01-01T00:00:50.000Z","value":"60 %"},"b":{"from":"2026-01-01T00:00:20.000Z","to":"2026-01-01T00:00:50.000Z","value":"70 %"}}'
says out.txt '"rules":[],"actuators":[{"kind":"command","actuator":"drive","class":"tank","same":0,"new":0,"gone":4,"earlier":0,"later":0,"changed":0,"a":{"starts":0,"reversals":3},"b":{"starts":0,"reversals":0}}'
says out.txt '{"difference":"gone","kind":"command","actuator":"pump","class":"tank","device":"t1","a":{"from":"2026-01-01T00:01:30.000Z","to":null,"value":"off"},"b":null}'

# One set of rules: what is sent against what would be, were all of it armed.
cat >both.rules <<'END'
device tank from "t" { key k  time ts  level : number [m] every 10s }
actuator pump on tank : (off, on) { safe off  minimum on 0s, off 0s }
actuator drive on tank : number [%] range 0..100 { safe 0 % }
control empty on tank {
  start when level > 5 m until level < 2 m
  command pump  = on
  command drive = 60 %
  rollout armed
}
control sooner on tank { start when level > 4 m until level < 2 m  command pump = on at priority 10 }
END
expect 1 "$flyball" diff --shadow both.rules --input tank.ndjson
is out.txt <<'END'
2026-01-01 00:00:20.000  earlier  command pump/t1 = on, 10s earlier
         actuator          same      new     gone  earlier    later  changed   starts     then  reversals     then
command  drive on tank        4        0        0        0        0        0        0        0          3        3
command  pump on tank         3        0        0        1        0        0        2        2          3        3
10 events: they differ
END
expect 0 "$flyball" diff --shadow armed.rules --input tank.ndjson
says out.txt '10 events: no difference'
expect 0 "$flyball" diff --shadow armed.rules --input - <tank.ndjson
expect 2 "$flyball" diff --shadow both.rules armed.rules --input tank.ndjson
says err.txt '--shadow looks at one set of rules'

# Wrong usage, rules with mistakes, no input.
expect 2 "$flyball" diff a.rules --input events.ndjson
says err.txt 'B is missing'
expect 2 "$flyball" diff a.rules b.rules c.rules --input events.ndjson
says err.txt 'is one too many'
expect 2 "$flyball" diff a.rules b.rules
says err.txt '--input is missing'
expect 2 "$flyball" diff a.rules b.rules --input -
says err.txt 'cannot be read twice'
expect 2 "$flyball" diff a.rules b.rules --input events.ndjson --near soon
says err.txt '--near takes a number of seconds'
echo 'alarm' >bad.rules
expect 1 "$flyball" diff a.rules bad.rules --input events.ndjson
says err.txt 'bad.rules:1:6: error'
expect 3 "$flyball" diff a.rules b.rules --input nowhere.ndjson
says err.txt 'nowhere.ndjson'
finish
