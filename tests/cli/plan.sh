#!/bin/sh
# `flyball plan`: what it says of every kind of change, to the byte, and its exit statuses.
#
# usage: plan.sh FLYBALL
. "$(dirname "$0")/harness.sh"

cat >old.rules <<'END'
device pump from "t" {
  key k  time ts
  temp : number [degC] every 10s
  load : number [%] every 10s
  flow : number [m3/h]
  state : one of (off, on)
}
device fan from "t" { key f  time ts  speed : number [rpm] every 10s }
alarm hot on pump { raise high when temp > 80 degC for 10s until temp < 75 degC }
alarm busy on pump { raise medium when avg(load over 4m) > 95 % }
alarm steady on pump { raise low when stddev(flow over 1h) < 1 m3/h }
alarm cold on pump { raise low when temp < 5 degC }
alarm slow on fan { raise low when speed < 100 rpm }
END
cat >new.rules <<'END'
device pump from "t" {
  key k  time ts
  temp : number [degC] every 10s
  load : number [%] every 10s
  flow : number [l/s]
  state : one of (off, on, broken)
}
device blower from "t" { key f  time ts  speed : number [rpm] every 10s }
alarm hot on pump { raise high when temp > 85 degC for 20s until temp < 75 degC }
alarm busy on pump { raise medium when avg(load over 5m) > 95 % and temp > 20 degC }
alarm steady on pump { raise low when stddev(flow over 1h) < 1 l/s }
alarm peak on pump { raise low when max(load over 1h) > 99 % }
alarm slow on blower { raise low when speed < 100 rpm }
END

expect 1 "$flyball" plan old.rules new.rules
is out.txt <<'END'
device pump
  reset    flow: its type or unit changed
  reset    busy: raise medium: another condition; its delays begin anew, an active alarm stays until the new condition ends it
  reset    steady: raise low: another condition; its delays begin anew, an active alarm stays until the new condition ends it
  migrate  state: its words changed
  migrate  avg of load over 5m: its samples go along
  keep     hot: raise high, `for`: its numbers changed; it goes on
  keep     hot: raise high, `until`: its numbers changed; it goes on
  keep     hot: raise high: its numbers changed; its delays go on
  keep     alarm hot: it changed; what it has raised or counted stays
  keep     alarm busy: it changed; what it has raised or counted stays
  keep     alarm steady: it changed; what it has raised or counted stays
  new      alarm peak
  new      stddev of flow over 1h
  new      max of load over 1h
  remove   alarm cold: where it is active, it ends with `removed`
  remove   stddev of flow over 1h
device fan
  forget   all of them: the rules have no such device any more
device blower
  new
of each device's cells: 9 kept, 2 migrated, 3 reset, 4 new, 3 removed; devices of 1 class forgotten
END

# numbers, names of lets, messages and comments lose nothing
sed -e 's/> 80/> 90/' -e 's/for 10s/for 5s/' -e 's/{ raise medium/{ # busy\n  raise high/' \
    -e 's/4m/5m/' old.rules >tuned.rules
expect 0 "$flyball" plan old.rules tuned.rules
is out.txt <<'END'
device pump
  migrate  avg of load over 5m: its samples go along
  keep     hot: raise high, `for`: its numbers changed; it goes on
  keep     hot: raise high, `until`: its numbers changed; it goes on
  keep     hot: raise high: its numbers changed; its delays go on
  keep     alarm hot: it changed; what it has raised or counted stays
  keep     busy: raise high: its numbers changed; its delays go on
  keep     alarm busy: it changed; what it has raised or counted stays
of each device's cells: 20 kept, 1 migrated, 0 reset, 0 new, 0 removed
END

# slices of another length
sed 's/stddev(flow over 1h)/stddev(flow over 2h)/' old.rules >longer.rules
expect 1 "$flyball" plan old.rules longer.rules
is out.txt <<'END'
device pump
  reset    stddev of flow over 2h: its slices have another length
  keep     steady: raise low: its numbers changed; its delays go on
  keep     alarm steady: it changed; what it has raised or counted stays
of each device's cells: 20 kept, 0 migrated, 1 reset, 0 new, 0 removed
END

# JSON
cat >a.rules <<'END'
device fan from "t" { key f  time ts  speed : number [rpm] every 10s }
alarm slow on fan { raise low when speed < 100 rpm }
END
sed 's/< 100/< 200/' a.rules >b.rules
expect 0 "$flyball" plan --format json a.rules b.rules
is out.txt <<'END'
{"classes":[{"device":"fan","fate":"keep","why":null,"cells":[{"kind":"field","name":"f","fate":"keep","why":null},{"kind":"field","name":"speed","fate":"keep","why":null},{"kind":"condition","name":"slow: raise low","fate":"keep","why":"its numbers changed; its delays go on"},{"kind":"rule","name":"alarm slow","fate":"keep","why":"it changed; what it has raised or counted stays"}]}],"cells":{"keep":4,"migrate":0,"reset":0,"new":0,"remove":0},"keeps_all":true}
END

# how often a rule, and all of them, may command
cat >brake.rules <<'END'
device tank from "tanks" { key tank  time ts  level : number [m] every 5s }
actuator pump on tank : (off, on) { safe off }
control fill on tank { start when level < 2 m until level > 3 m  command pump = on  at most 4 per 1h  rollout armed }
commands at most 100 per 1m
END
sed -e 's/at most 4/at most 6/' -e 's/100 per 1m/500 per 10m/' brake.rules >soft.rules
sed '/^commands/d' brake.rules >free.rules
expect 0 "$flyball" plan brake.rules soft.rules
is out.txt <<'END'
all rules
  migrate  commands at most 100 per 1m: becomes 500 per 10m, what it counted last stays
device tank
  migrate  fill, at most: its numbers changed; what it counted last stays
  keep     control fill: it changed; it is on or off as before until its start says else
of each device's cells: 8 kept, 1 migrated, 0 reset, 0 new, 0 removed
END
expect 0 "$flyball" plan free.rules brake.rules
is out.txt <<'END'
all rules
  new      commands at most 100 per 1m
of each device's cells: 9 kept, 0 migrated, 0 reset, 0 new, 0 removed
END
expect 0 "$flyball" plan --format json brake.rules free.rules
grep -q '"commands":{"fate":"remove","from":{"at_most":100,"per_us":60000000},"to":null}' out.txt ||
    fail "the plan does not say that the limit goes: $(cat out.txt)"

# actuators keep their memory by their names, claims that are gone are withdrawn
cat >idle.rules <<'END'
device tank from "tanks" { key tank  time ts  level : number [m] every 5s
  wet : bool  temp : number [degC] }
actuator pump on tank : (off, on) { safe off  interlock when wet }
actuator valve on tank : number [%] range 0..100 { safe 0 % }
actuator fan on tank : (off, on) { safe off }
actuator lamp on tank : (off, on) { safe off }
actuator flap on tank : (off, on) { safe off }
control fill on tank { start when level < 2 m until level > 3 m  command pump = on  rollout armed }
control vent on tank { start when temp > 30 degC for 1m  command fan = on  command valve = 40 %  rollout armed }
control light on tank { start when wet  command lamp = on }
control shut on tank { start when wet  command flap = on  rollout canary 50 % }
END
cat >acting.rules <<'END'
device tank from "tanks" { key tank  time ts  level : number [m] every 5s
  wet : bool  temp : number [degC] }
actuator pump on tank : (off, on) { safe off  interlock when wet or level < 1 m  starts 6 per 1h }
actuator valve on tank : number [m] range 0..100 { safe 0 m }
actuator fan on tank : (off, on) { safe off  permissive when level > 1 m }
actuator horn on tank : (off, on) { safe off }
actuator flap on tank : (off, on) { safe off }
control fill on tank { start when level < 1.5 m until level > 3 m  command pump = on  rollout canary 10 % }
control vent on tank { start when temp > 25 degC for 1m  command valve = 40 m  rollout armed }
control blow on tank { command fan = on at priority 13 rollout armed }
control shut on tank { start when level < 1 m command flap = on  rollout shadow }
END
expect 1 "$flyball" plan idle.rules acting.rules
is out.txt <<'END'
device tank
  reset    pump: interlock: another condition; its delays begin anew
  reset    valve, memory: its words or its unit changed: nothing counts as accepted any more
  reset    vent: command valve: its actuator is another one
  reset    shut: start: another condition; its delays begin anew
  keep     actuator pump: its text changed; what it remembers stays
  keep     actuator valve: its text changed; what it remembers stays
  keep     actuator fan: its text changed; what it remembers stays
  keep     fill: start, `until`: its numbers changed; it goes on
  keep     fill: start: its numbers changed; its delays go on
  keep     fill: command pump: it changed; on devices where it is not real any more it is withdrawn
  keep     control fill: it changed; it is on or off as before until its start says else
  keep     vent: start, `for`: its numbers changed; it goes on
  keep     vent: start: its numbers changed; its delays go on
  keep     control vent: it changed; it is on or off as before until its start says else
  keep     shut: command flap: it changed; it is not real any more: where it is in force it is withdrawn
  keep     control shut: it changed; it is on or off as before until its start says else
  new      pump, memory of its shadow
  new      fan: permissive
  new      actuator horn
  new      control blow
  remove   actuator lamp: what it remembers is forgotten; its last command ends with its lease
  remove   vent: command fan: its claim is withdrawn
  remove   control light: its claims are withdrawn
of each device's cells: 21 kept, 0 migrated, 4 reset, 6 new, 7 removed
END
expect 0 "$flyball" plan acting.rules acting.rules
is out.txt <<'END'
of each device's cells: 31 kept, 0 migrated, 0 reset, 0 new, 0 removed
END

# what cannot be planned
expect 2 "$flyball" plan a.rules
expect 2 "$flyball" plan a.rules b.rules new.rules
expect 2 "$flyball" plan --format yaml a.rules b.rules
expect 3 "$flyball" plan a.rules missing.rules
echo 'alarm' >wrong.rules
expect 1 "$flyball" plan a.rules wrong.rules
expect 1 "$flyball" plan wrong.rules a.rules

# of what an application has in force
echo 'kafka.bootstrap.servers = 127.0.0.1:1' >nobody.properties
expect 2 "$flyball" plan --config nobody.properties
expect 2 "$flyball" plan --config nobody.properties a.rules b.rules
expect 1 "$flyball" plan --config nobody.properties wrong.rules
expect 2 "$flyball" plan -X processing.guarantee=at_least_once a.rules
expect 3 "$flyball" plan --config nobody.properties a.rules

finish
