#!/bin/sh
# The examples in the documents: every block marked `flyball` compiles, its tests pass, and `fmt`
# reads it.
#
# usage: run.sh FLYBALL DOCUMENT...
set -u
flyball=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for document; do
    awk -v base="$work/$(basename "$document" .md)" '
        /^```flyball$/ { inside = 1; file = sprintf("%s-line%04d.rules", base, NR); next }
        /^```$/ { inside = 0 }
        inside { print > file }' "$document"
done
n=0
failures=0
for file in "$work"/*.rules; do
    [ -e "$file" ] || break
    n=$((n + 1))
    "$flyball" test "$file" >"$work/out" 2>&1 || { failures=$((failures + 1)); cat "$work/out"; }
done
echo "$n examples, $failures failures"
[ "$n" -gt 0 ] && [ "$failures" -eq 0 ]
