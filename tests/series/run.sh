#!/bin/sh
# Real series through rules that make sense for them, against a table of what comes out.
#
# usage: run.sh FLYBALL [--update]
set -eu
flyball=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for file in "$here"/nab/*.csv; do
    "$flyball" replay --quiet --rules "$here/nab.rules" --input "$file" \
        --set device=@filename >>"$work/alerts.ndjson"
done
# alarm, what happened, how often
sed -n 's|.*"alarm":"\([^"]*\)".*"event":"\([a-z]*\)".*|\1 \2|p' "$work/alerts.ndjson" |
    LC_ALL=C sort | uniq -c | awk '{ print $2, $3, $1 }' >"$work/counts"
if [ "${2:-}" = --update ]; then
    cp "$work/counts" "$here/nab.expect"
fi
diff -u "$here/nab.expect" "$work/counts"

count() { awk -v alarm="$1" '$1 == alarm && $2 == "raised" { n = $3 } END { print n + 0 }' "$work/counts"; }
fail() { echo "$*"; exit 1; }
[ "$(count stuck/art_flatline)" -eq 1 ] || fail "the flat line is not found stuck"
[ "$(count naive_high/art_daily_perfect_square_wave)" -ge 14 ] ||
    fail "the naive rule does not flap with the square wave: this test proves nothing"
[ "$(count sensible_high/art_daily_perfect_square_wave)" -eq 1 ] ||
    fail "the sensible rule flaps with the square wave"
[ "$(count naive_noise/art_noisy)" -ge 100 ] ||
    fail "the naive rule does not flap with noise: this test proves nothing"
[ "$(count sensible_noise/art_noisy)" -le 1 ] || fail "the sensible rule flaps with noise"
echo "$(wc -l <"$work/counts") rows as expected"
