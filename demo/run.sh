#!/bin/sh
# The built-in sample fleet, 1,000 devices of seven industries for ten minutes, through the example
# rules: shows the alerts as they come, then a summary and where the files are. No broker needed.
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
echo
echo "One of them whole, with the values that decided it:"
grep -m 1 '"severity":"critical"' "$out/results/alerts.ndjson" || head -n 1 "$out/results/alerts.ndjson"
echo
echo "The rules are in $here/rules/examples; change a limit in pumps.rules and run this again."
echo "What a rule costs and what it waits for: $flyball check $here/rules/examples"
