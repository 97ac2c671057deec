#!/bin/sh
# Checks the house rules over a tree: usage: tests/tidy/tidy.sh [ROOT]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
export LC_ALL=C

folders=
for folder in engine rules connectors tests bench tools demo docs; do
    [ ! -d $folder ] || folders="$folders $folder"
done
pages=$(find . -maxdepth 1 -name '*.md')
allow=tests/tidy/allow
[ -e $allow ] || allow=
# Awk takes the empty input of a tree without files for a good one.
[ -n "$folders" ] || { echo "tidy: nothing to check in $PWD" && exit 2; }
# shellcheck disable=SC2086 # folders are words
find $folders $pages -type f \( -name '*.[ch]' -o -name '*.cc' -o -name '*.cpp' -o -name '*.sh' \
    -o -name '*.awk' -o -name '*.py' -o -name '*.md' -o -name CMakeLists.txt \) -print |
    sort | xargs awk -v allow_file="$allow" -f "$here/tidy.awk"
