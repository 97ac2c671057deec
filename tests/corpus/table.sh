#!/bin/sh
# The table of docs/rules-corpus.md and the files here agree: 97 ids, each once; a file for each
# `yes`, a construct for each `no`; no file without a row; the count at the top is right; a file's
# first line begins with its id.
#
# usage: table.sh PROJECT
set -eu
cd "$1"
export LC_ALL=C
document=docs/rules-corpus.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n 's/^| \([A-Z][0-9][0-9]\) |.*| \([^|]*\) |$/\1 \2/p' "$document" >"$work/rows"
cut -d' ' -f1 "$work/rows" | sort -u >"$work/ids"
awk '$2 ~ /^\[yes\]/ { print $1 }' "$work/rows" | sort >"$work/yes"
find tests/corpus -name '*.rules' -exec basename {} .rules \; | sort >"$work/files"

fail() {
    echo "$document: $*"
    exit 1
}

[ "$(wc -l <"$work/rows")" -eq 97 ] || fail "$(wc -l <"$work/rows") rows, not 97"
[ "$(wc -l <"$work/ids")" -eq 97 ] || fail "an id stands twice"
diff "$work/yes" "$work/files" || fail "rows with yes (<) and files (>) differ"
count=$(sed -n 's/.*\*\*\([0-9]*\) of them are written.*/\1/p' "$document")
[ "$count" = "$(wc -l <"$work/yes")" ] || fail "says $count, and $(wc -l <"$work/yes") are written"
while read -r id answer; do
    case $answer in
    "[yes](../tests/corpus/$id.rules)")
        head -n 1 "tests/corpus/$id.rules" | grep -q "^# $id " || fail "$id.rules is of another rule" ;;
    "no: "?*) ;;
    *) fail "$id: neither a link to its file nor what it needs" ;;
    esac
done <"$work/rows"
echo "$count of 97"
