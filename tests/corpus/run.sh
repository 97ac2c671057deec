#!/bin/sh
# Each file by itself, as names repeat between them: its layout is canonical, `check` has no warning,
# every one of its tests passes and there are at least three.
#
# usage: run.sh FLYBALL
set -u
flyball=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
files=0 tests=0 failures=0

bad() {
    failures=$((failures + 1))
    echo "$1: $2"
    cat "$work/out"
}

for file in "$here"/*.rules; do
    name=$(basename "$file")
    files=$((files + 1))
    "$flyball" fmt --check "$file" >"$work/out" 2>&1 || bad "$name" "not as fmt lays it out"
    "$flyball" check "$file" >"$work/out" 2>&1 || bad "$name" "check fails"
    ! grep -q 'warning\[' "$work/out" || bad "$name" "check warns"
    "$flyball" test "$file" >"$work/out" 2>&1 || bad "$name" "its tests fail"
    n=$(sed -n 's/^\([0-9]*\) tests\{0,1\}, .*/\1/p' "$work/out")
    [ "${n:-0}" -ge 3 ] || bad "$name" "fewer than three tests"
    tests=$((tests + ${n:-0}))
done
echo "$files rules, $tests tests, $failures failures"
[ "$files" -ge 75 ] && [ "$failures" -eq 0 ]
