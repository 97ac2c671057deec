#!/bin/sh
# Those of the rule files that drive a plant, in a closed loop with one: what is measured stays where
# it is to be, within the starts that are declared; each guardrail that has to hold something back
# says so, and `explain` answers why.
#
# usage: closed_loop.sh FLYBALL
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../cli/harness.sh"

run() { # RULES PLANT DURATION OUT OPTION...
    rules=$here/$1.rules plant=$2 duration=$3 out=$4
    shift 4
    expect 0 "$flyball" simulate --rules "$rules" --plant "$plant" --duration "$duration" \
        --out "$out" "$@"
}
in_band() { # PROCESS PERCENT: at least, of the time
    check "$1 is in its band" awk -v name="$1" -v least="$2" \
        '$1 == name { found = $5 == "%" && $4 >= least } END { exit !found }' out.txt
}
blocked() { # OUT ACTUATOR GUARDRAIL: the guardrail has held the actuator back
    check "$3 holds $2 back" grep -q "\"kind\":\"blocked\".*\"actuator\":\"$2/.*\"guardrail\":\"$3\"" "$1/audit.ndjson"
}
explained() { # OUT GUARDRAIL RULES "WORDS": of its first block
    id=$(grep -m 1 "\"kind\":\"blocked\".*\"guardrail\":\"$2\"" "$1/audit.ndjson" |
        sed 's/.*"id":"\([0-9a-f]*\)","source".*/\1/')
    tells 0 "$4" "$flyball" explain "$id" "$1/audit.ndjson" --rules "$here/$3.rules"
}

# A wet well: 20 of them, with lost and late records and a sensor that is silent for two minutes.
lift=01-wastewater-lift-station
run $lift "$here/$lift.plant" 12h wells --fleet 20
in_band level 99
check "ten starts an hour at most" python3 - wells/commands.ndjson <<'END'
import datetime, json, sys
starts = {}
for line in open(sys.argv[1]):
    d = json.loads(line)["data"]
    if d["reason"] != "renewed" and d["value"] == "on":
        at = datetime.datetime.fromisoformat(d["at"].replace("Z", "+00:00")).timestamp()
        starts.setdefault(d["actuator"], []).append(at)
assert len(starts) >= 20, len(starts)
for actuator, times in starts.items():
    for i in range(10, len(times)):
        assert times[i] - times[i - 10] >= 3600, (actuator, times[i])
END
blocked wells lead interlock
explained wells interlock $lift 'agrees: the values above give what happened'

# Its lead pump runs dry: locked out for 90 minutes, again and again; the lag pump does what it can.
sed 's/^value = 40$/value = 0/' "$here/$lift.plant" >dry.plant
run $lift "$PWD/dry.plant" 12h dry
blocked dry lead lockout
check "between two tries lie 90 minutes" python3 - dry/commands.ndjson <<'END'
import datetime, json, sys
off, tries = None, 0
for line in open(sys.argv[1]):
    d = json.loads(line)["data"]
    if not d["actuator"].startswith("lead/") or d["reason"] == "renewed":
        continue
    at = datetime.datetime.fromisoformat(d["at"].replace("Z", "+00:00")).timestamp()
    if d["value"] == "off" and d["reason"] == "safe":
        off = at
    elif d["value"] == "on" and off is not None:
        assert at - off >= 5400, at - off
        tries, off = tries + 1, None
assert tries >= 3, tries
END

# A receiver: pressure between its limits, three starts an hour at most.
compressor=09-gas-compressor
run $compressor "$here/$compressor.plant" 48h pressure
in_band discharge 99
check "three starts an hour at most" awk '$1 == "motor" { found = $4 >= 20 && $4 <= 144 } END { exit !found }' out.txt

# A bed: moist, with what water a day has; eight minutes at most.
irrigation=12-greenhouse-irrigation
run $irrigation "$here/$irrigation.plant" 48h bed
in_band moisture 99
blocked bed valve maximum
sed 's/^outside  = -0.00015/outside  = -0.004/' "$here/$irrigation.plant" >hot.plant
run $irrigation "$PWD/hot.plant" 12h hot
blocked hot valve interlock
check "no more than the day's budget" awk '$1 == "valve" { found = $4 <= 3 } END { exit !found }' out.txt

finish
