#!/bin/sh
# Memory that runs out at the Nth call: the program ends with status 4 and says so, or is not
# disturbed; never by a signal, and never with another result.
#
# usage: out_of_memory.sh FLYBALL FAILING_MALLOC [all]     all: every N, otherwise Fibonacci's
. "$(dirname "$0")/harness.sh"
failing=$2
every=${3:-}
clean=0

cat >x.rules <<'RULES'
device pump from "pumps" {
  key id
  time ts [ms]
  name : text
  temp : number [degC] every 1s
}
alarm hot on pump { raise high when temp > 80 degC for 2s until temp < 70 degC }
event odd on pump { when name matches "^(?:a|b)+$" }
event minute on pump { whenever avg(temp over 1m) > 20 degC }
RULES
i=0
while [ $i -lt 40 ]; do
    echo "{\"id\":\"p$((i % 3))\",\"ts\":$((1767225600000 + i * 1000)),\"name\":\"ab\",\"temp\":$((60 + i))}"
    i=$((i + 1))
done >x.ndjson
echo '{' >>x.ndjson

checked() { "$flyball" check x.rules; }
replayed() { "$flyball" replay --quiet --rules x.rules --input x.ndjson; }
piped() {
    "$flyball" run --rules x.rules -X "state.dir=$work/state" --input - --output - <x.ndjson
}

# What may differ from run to run of a live engine: its clock.
outputs() { # COMMAND FILE
    if [ "$1" = piped ]; then
        grep -c . "$2"
    else
        cat "$2"
    fi
}

complain() { # TEXT
    failures=$((failures + 1))
    [ $failures -gt 20 ] && return
    echo "not ok: $1"
    head -c 500 err.txt
}

# try COMMAND N; false where the program has fewer calls
try() {
    rm -rf state told
    FB_FAIL_AT=$2 FB_FAIL_TOLD=$work/told LD_PRELOAD=$failing $1 >out.txt 2>err.txt </dev/null
    status=$?
    [ -e told ] || return 1
    cases=$((cases + 1))
    if [ $status -eq 4 ]; then
        clean=$((clean + 1))
        grep -q 'flyball: out of memory: ' err.txt || complain "$1, call $2: no reason is given"
    elif [ $status -eq 0 ]; then # a library did without
        [ "$(outputs "$1" out.txt)" = "$(outputs "$1" "$1.txt")" ] ||
            complain "$1, call $2: status 0 and other outputs"
    elif [ $status -ne 3 ] || ! grep -q 'Cannot allocate memory' err.txt; then
        complain "$1, call $2: status $status"
    fi
}

for command in checked replayed piped; do
    rm -rf state
    $command >$command.txt 2>err.txt || complain "$command fails undisturbed"
    n=1
    before=1
    while try $command $n; do
        if [ "$every" = all ]; then
            n=$((n + 1))
        else
            sum=$((n + before))
            before=$n
            n=$sum
        fi
    done
    echo "$command: fewer than $n calls"
done
echo "$cases failed allocations, $clean ended with status 4, $failures violations"
[ $cases -gt 20 ] && [ $clean -gt 10 ] && [ $failures -eq 0 ]
