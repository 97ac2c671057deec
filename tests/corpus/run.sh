#!/bin/sh
# Each rule file of a folder by itself, as names repeat between them: its layout is canonical, `check`
# has no warning, every one of its tests passes and there are at least three. TEXT is how a line among
# the first eight of each has to begin.
#
# usage: run.sh FLYBALL FOLDER LEAST MOST [TEXT]
set -u
flyball=$1 folder=$2 least=$3 most=$4 text=${5:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
files=0 tests=0 failures=0

bad() {
    failures=$((failures + 1))
    echo "$1: $2"
    cat "$work/out"
}

for file in "$folder"/*.rules; do
    name=$(basename "$file")
    files=$((files + 1))
    "$flyball" fmt --check "$file" >"$work/out" 2>&1 || bad "$name" "not as fmt lays it out"
    "$flyball" check "$file" >"$work/out" 2>&1 || bad "$name" "check fails"
    ! grep -q 'warning\[' "$work/out" || bad "$name" "check warns"
    head -n 8 "$file" | grep -q "^$text" || bad "$name" "has no line that begins with $text"
    "$flyball" test "$file" >"$work/out" 2>&1 || bad "$name" "its tests fail"
    n=$(sed -n 's/^\([0-9]*\) tests\{0,1\}, .*/\1/p' "$work/out")
    [ "${n:-0}" -ge 3 ] || bad "$name" "fewer than three tests"
    tests=$((tests + ${n:-0}))
done
echo "$files files, $tests tests, $failures failures"
[ "$files" -ge "$least" ] && [ "$files" -le "$most" ] && [ "$failures" -eq 0 ]
