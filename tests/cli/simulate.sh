#!/bin/sh
# `flyball simulate`: a closed loop, its figures, its files, and what is said of a wrong plant file.
#
# usage: simulate.sh FLYBALL SOURCE
. "$(dirname "$0")/harness.sh"
examples=$2/rules/examples

run() { # STATUS OPTIONS...
    status=$1
    shift
    expect "$status" "$flyball" simulate --rules well.rules "$@"
}

cat >well.rules <<'END'
device tank from "t" {
  key k  time ts
  level : number [m] range 0..5, every 10s, stale after 35s
  runs : bool
  state : one of (off, on)
  valve : number [%]
}
actuator pump on tank : (off, on) { safe off  minimum on 30s, off 60s }
actuator inlet on tank : number [%] range 0..100 { safe 0 % }
control empty on tank { start when level > 3 m for 20s until level < 1 m  command pump = on  rollout armed }
control fill on tank { start when level < 2 m for 20s until level > 4 m  command inlet = 50 %  rollout armed }
alarm high on tank { raise high when level > 2.5 m until level < 2 m }
END
cat >well.plant <<'END'
[device tank]
id = well-{n}
[process level]   # flows in, is pumped out
start = 1.5
outside = 0.005
actuator = pump
effect = -0.02
limits = 0..5
band = 0.5..3.5
[field runs]
follows = pump
[field state]
follows = pump
[field valve]
follows = inlet
END

# The loop is closed: the pump empties the tank again and again.
run 0 --plant well.plant --duration 2h --out records --report page.html
says out.txt '1 plant for 2h: 720 records, 0 lost; 0 commands lost, 0 leases ended'
check "the level stays in its band" awk '$1 == "level" { found = $4 == "100.0" } END { exit !found }' out.txt
check "the pump starts several times" awk '$1 == "pump" { found = $4 >= 5 } END { exit !found }' out.txt
check "an alarm is told" grep -q '"type":"flyball.alert"' records/alerts.ndjson
check "commands are told" grep -q '"actuator":"pump/well-1"' records/commands.ndjson
check "a set point is told" grep -q '"actuator":"inlet/well-1","device":"well-1","value":50,"unit":"%"' records/commands.ndjson
expect 0 "$flyball" audit verify records/audit.ndjson
says page.html '"title":"well.rules with well.plant"'
says page.html '"name":"pump"'

# One seed, one course; another one with noise is another.
sed 's/^limits/noise = 0.05\nlimits/' well.plant >noisy.plant
run 0 --plant noisy.plant --fleet 3 --out one
run 0 --plant noisy.plant --fleet 3 --out two
check "the same seed gives the same bytes" cmp -s one/commands.ndjson two/commands.ndjson
check "and the same audit" cmp -s one/audit.ndjson two/audit.ndjson
run 0 --plant noisy.plant --fleet 3 --out three --seed 2
cases=$((cases + 1))
! cmp -s one/commands.ndjson three/commands.ndjson || fail "another seed changes nothing"
check "three plants are commanded" [ "$(grep -o '"actuator":"pump/well-[0-9]*"' one/commands.ndjson | sort -u | wc -l)" -eq 3 ]

# Several actuators on one process: their effects add up, each its own way.
cat >fill.rules <<'END'
device tank from "t" { key k  time ts  level : number [m] range 0..5, every 10s  draining : number [%] }
actuator fill on tank : (off, on) { safe off  minimum on 0s, off 0s }
actuator drain on tank : number [%] range 0..100 { safe 0 % }
control fuller on tank { start when level < 2.2 m until level > 2.95 m  command fill = on  rollout armed }
control emptier on tank { start when level > 2.9 m until level < 2.1 m  command drain = 50 %  rollout armed }
END
cat >fill.plant <<'END'
[device tank]
id = tank-{n}
[process level]
start = 1
actuator = fill
effect = 0.01
dead time = 10s
actuator = drain
effect = -0.04    # 0.02 m a second at 50 %
travel = 20s
limits = 0..5
band = 0.5..4
[field draining]
follows = drain
END
expect 0 "$flyball" simulate --rules fill.rules --plant fill.plant --duration 1h --out two --report two.html
says two.html '"name":"fill"'
says two.html '"name":"drain"'
# 1 m at 0 s; the pump is told at 0 s and acts from 10 s on: 0.01 m a second, 2.9 m at 200 s.
check "the pump alone fills" awk -F'"level":' '/"actuator":"drain/ && !seen { seen = /"at":"2026-01-01T00:03:30/ } END { exit !seen }' two/commands.ndjson
check "the level goes up and down" awk '$1 == "level" { found = $4 == "100.0" && $2 == 1 && $3 > 2.9 && $3 < 3.3 } END { exit !found }' out.txt
check "the pump starts again and again" awk '$1 == "fill" { found = $4 >= 3 } END { exit !found }' out.txt
check "the valve moves again and again" awk '$1 == "drain" { found = $3 >= 6 } END { exit !found }' out.txt
says two/commands.ndjson '"actuator":"drain/tank-1","device":"tank-1","value":50,"unit":"%"'
sed 's/^effect = 0.01/&\neffect = 0.02/' fill.plant >twice.plant
expect 1 "$flyball" simulate --rules fill.rules --plant twice.plant
says err.txt 'twice.plant:7: `effect` is given twice for one actuator'
sed 's/^actuator = drain/actuator = fill/' fill.plant >same.plant
expect 3 "$flyball" simulate --rules fill.rules --plant same.plant
says err.txt 'same.plant:8: `fill` acts twice on `level`'
sed 's/^actuator = drain/actuator = a\nactuator = b\nactuator = c\nactuator = d/' fill.plant >many.plant
expect 1 "$flyball" simulate --rules fill.rules --plant many.plant
says err.txt 'many.plant:11: at most 4 actuators act on a process'

# The line loses what it is told to lose, and a lease that ends falls back.
cat well.plant - >lossy.plant <<'END'
[commands]
lost = 60 %
END
run 0 --plant lossy.plant --duration 8h
check "commands are lost" awk '/commands lost/ { found = $8 > 100 } END { exit !found }' out.txt
check "leases end" awk '/leases ended/ { found = $(NF - 2) > 0 } END { exit !found }' out.txt

# What is wrong with a plant file: where, what, and what to do.
wrong() { # "WORDS" LINE: says so of a file with this line at its end
    { cat well.plant; printf '%s\n' "$2"; } >wrong.plant
    expect 1 "$flyball" simulate --rules well.rules --plant wrong.plant
    says err.txt "wrong.plant:$(wc -l <wrong.plant): $1"
}
wrong '[field] has no `folows`; did you mean `follows`?' 'folows = pump'
wrong '`follows pump` is not of the form key = value' 'follows pump'
wrong '`value` has no value' 'value ='
wrong 'there is no section `proces`' '[proces level]'
wrong '[process] needs a name' '[process]'
wrong '[commands] takes no name' '[commands pump]'
wrong 'a section ends with `]`' '[commands'
for line in 'start = much|start is a number' 'lag = 3|lag is a span such as 90s or 1h30m' \
    'dead time = 121s|dead time is 120s at most' 'limits = 5..0|limits is a range such as 0..5' \
    'stuck = 2h..1h|stuck is a stretch of the run such as 30m..45m' \
    'bad = 101 %|bad is a share from 0 % to 100 %' 'swing = 3|swing is how much, and its period' \
    'shock = 0.1 every 1ms|shock is how much, and how often at a mean'; do
    sed "s/^start.*/${line%%|*}/" well.plant >wrong.plant
    expect 1 "$flyball" simulate --rules well.rules --plant wrong.plant
    says err.txt "wrong.plant:4: ${line#*|}"
done
misfit() { # "WORDS" SED: says so of a file that does not fit the rules
    sed "$2" well.plant >misfit.plant
    expect 3 "$flyball" simulate --rules well.rules --plant misfit.plant
    says err.txt "$1"
}
misfit 'misfit.plant:1: there is no device `tonk` in the rules; did you mean `tank`?' 's/tank/tonk/'
misfit 'misfit.plant:3: there is no field `lvel` in the rules; did you mean `level`?' 's/process level/process lvel/'
misfit 'misfit.plant:6: there is no actuator `pomp` in the rules; did you mean `pump`?' '6s/pump/pomp/'
misfit '`state` is no number, so no process gives it' 's/process level/process state/'
misfit 'the field `runs` is given twice' 's/field state/field runs/'
misfit '`state` cannot show what `inlet` does' '13s/pump/inlet/'
cat well.plant - >constant.plant <<'END'
[device tank]
END
expect 1 "$flyball" simulate --rules well.rules --plant /dev/null
says err.txt '[device NAME] is missing'

# Wrong usage; what cannot be read or written.
expect 2 "$flyball" simulate --rules well.rules
says err.txt '--plant is missing'
expect 2 "$flyball" simulate --plant well.plant
says err.txt '--rules is missing'
run 2 --plant well.plant --fleet 0
says err.txt '--fleet takes a number from 1 to 10000'
run 2 --plant well.plant --duration soon
says err.txt '--duration takes a span'
run 3 --plant nowhere.plant
says err.txt 'nowhere.plant'
run 3 --plant well.plant --duration 1m --report /nowhere/page.html
says err.txt '/nowhere/page.html'
sed 's/well-{n}/well/' well.plant >one.plant
run 3 --plant one.plant --fleet 2
says err.txt 'needs {n}'

# The examples work as their pages say.
for example in wells cold-rooms greenhouse; do
    expect 0 "$flyball" simulate --rules "$examples/$example.rules" --plant "$examples/$example.plant" \
        --fleet 20 --duration 12h
    check "$example: the value is in its band" awk '$5 == "%" { found = $4 > 95 } END { exit !found }' out.txt
done
finish
