#!/bin/sh
# The same input gives the same bytes: with every compiler (this runs in each build and compares with
# one table of digests), and per key with any number of tasks.
#
# usage: run.sh FLYBALL RULES [--update]
set -eu
flyball=$1
rules=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Lines by key, in their order.
by_key() {
    sed 's|.*"subject":"\([^"]*\)".*|\1 &|' "$1" | LC_ALL=C sort -s -k 1,1
}

for profile in air-handlers batteries cold-chain pumps servers switches turbines; do
    "$flyball" gen --profile "$profile" --devices 60 --duration 12m --faults 500 --seed 7 \
        --poison 5000 >"$work/$profile.ndjson"
    for tasks in 1 4; do
        "$flyball" replay --quiet --rules "$rules/$profile.rules" --tasks $tasks \
            --input "$work/$profile.ndjson" --out "$work/$profile.$tasks"
    done
    for file in alerts late dead; do
        by_key "$work/$profile.1/$file.ndjson" >"$work/one"
        by_key "$work/$profile.4/$file.ndjson" >"$work/four"
        cmp "$work/one" "$work/four" || { echo "$profile: $file differs with four tasks"; exit 1; }
        (cd "$work" && sha256sum "$profile.1/$file.ndjson")
    done
    # The chain begins with the version of the build and the text of the rules, and both may change
    # without a result: what must not is compared.
    sed 's/"\(id\|previous\|build\|rules\|hash\)":"[^"]*"//g' \
        "$work/$profile.1/audit.ndjson" >"$work/$profile.1/audit.unchained"
    (cd "$work" && sha256sum "$profile.1/audit.unchained")
done >"$work/digests"
if [ "${3:-}" = --update ]; then
    cp "$work/digests" "$here/golden.sha256"
fi
diff -u "$here/golden.sha256" "$work/digests" ||
    { echo "results changed: if that is meant, FB_SEMANTICS goes up and --update writes the table"; exit 1; }
grep -q alerts "$work/digests"
echo "$(wc -l <"$work/digests") files, byte for byte"
