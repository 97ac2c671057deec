#!/bin/sh
# The built-in sample fleet, 1,000 devices of seven industries for ten minutes, through the example
# rules: shows the alerts as they come, then a summary, where the files are, and why one of them came.
# Then rules that act, in a closed loop with modelled wells: what they command, what the guardrails
# held back, and why. No broker needed.
# usage: demo/run.sh [FLYBALL]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
flyball=${1:-$here/build/flyball}
out=${FB_DEMO_DIR:-$here/build/demo}
mkdir -p "$out"

echo "Making ten minutes of telemetry of 1,000 devices in $out, faults included."
set --
while read -r profile devices; do
    "$flyball" gen --profile "$profile" --devices "$devices" --duration 10m --poison 50000 \
        >"$out/$profile.ndjson"
    set -- "$@" --input "telemetry.$profile=$out/$profile.ndjson"
done <<FLEET
pumps 400
turbines 200
batteries 100
servers 100
cold-chain 100
air-handlers 50
switches 50
FLEET

echo "Running the rules of rules/examples over it; each line is an alert or an event."
"$flyball" replay --rules "$here/rules/examples" "$@" --out "$out/results" --watch
echo
echo "The records behind these lines are in"
for file in alerts late dead; do
    printf '  %s  %s lines\n' "$out/results/$file.ndjson" \
        "$(wc -l <"$out/results/$file.ndjson" | tr -d ' ')"
done
# id FILE PATTERN: of the first record that holds it
id() { grep -m 1 "$2" "$1" | sed 's/.*"id":"\([0-9a-f]*\)","source".*/\1/'; }

echo
echo "Why one of them came:"
"$flyball" explain "$(id "$out/results/alerts.ndjson" '"severity":"critical"')" \
    "$out/results/audit.ndjson" --rules "$here/rules/examples"

wells=$here/rules/examples/wells
echo
echo "Rules that act: twenty modelled wells for twelve hours, with lost and late messages, a sensor"
echo "that sticks and one that falls silent."
"$flyball" simulate --rules "$wells.rules" --plant "$wells.plant" --fleet 20 --duration 12h \
    --out "$out/wells" --report "$out/wells.html" --quiet
echo "Why a pump was started, and why a guardrail did not let one run on:"
"$flyball" explain "$(id "$out/wells/commands.ndjson" '"value":"on".*"reason":"claimed"')" \
    "$out/wells/audit.ndjson" --rules "$wells.rules"
echo
"$flyball" explain "$(id "$out/wells/audit.ndjson" '"kind":"blocked"')" \
    "$out/wells/audit.ndjson" --rules "$wells.rules"
echo
echo "Telemetry, commands and what held them back, on one time axis: $out/wells.html"
echo "The rules are in $here/rules/examples; change a limit in pumps.rules and run this again."
echo "What a rule costs and what it waits for: $flyball check $here/rules/examples"
