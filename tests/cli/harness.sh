# What the tests of this folder begin with: `. "$(dirname "$0")/harness.sh"`, with the program as $1.
#
# Place in the flow: sourced first; leaves the test in a temporary folder of its own, $work, which
# goes with it, as do the processes in $pid and $reader.
set -u
# shellcheck disable=SC2034 # what is set here is for the test
flyball=$1
work=$(mktemp -d)
pid=
reader=
trap 'for p in $pid $reader; do kill -KILL "$p" 2>/dev/null; done; rm -rf "$work"' EXIT
cd "$work" || exit 1
# Who runs beside this test, under the same default identity, is not to be met.
mkdir tmp && export TMPDIR="$work/tmp"
failures=0
cases=0
shown="out.txt err.txt" # their ends are shown where a case fails

fail() { # WHAT
    failures=$((failures + 1))
    echo "not ok: $*"
    for file in $shown; do
        [ ! -s "$file" ] || tail -c 1000 "$file" | sed "s/^/  $file: /"
    done
}

check() { # WHAT COMMAND...: it succeeds
    what=$1
    shift
    cases=$((cases + 1))
    "$@" || fail "$what"
}

expect() { # STATUS COMMAND...: its exit status; output in out.txt and err.txt
    status=$1
    shift
    cases=$((cases + 1))
    "$@" >out.txt 2>err.txt </dev/null
    got=$?
    [ "$got" -eq "$status" ] || fail "$*: exit $got, not $status"
}

tells() { # STATUS "WORDS" COMMAND...: its exit status, and the words on stdout or stderr
    status=$1 words=$2
    shift 2
    expect "$status" "$@"
    cat out.txt err.txt | grep -qF -e "$words" || fail "$*: nothing says \"$words\""
}

says() { # FILE "WORDS": the file holds them
    cases=$((cases + 1))
    grep -qF -e "$2" "$1" || fail "$1 does not say \"$2\""
}

silent() { # FILE "WORDS": the file does not hold them
    cases=$((cases + 1))
    ! grep -qF -e "$2" "$1" || fail "$1 says \"$2\""
}

is() { # FILE: it is what stands on standard input
    cases=$((cases + 1))
    cat >wanted.txt
    cmp -s "$1" wanted.txt && return
    fail "$1 differs"
    diff wanted.txt "$1"
}

await() { # COMMAND...: until it succeeds; a minute at most, and while the process in $pid runs
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || return 1
        [ -z "$pid" ] || kill -0 "$pid" 2>/dev/null || {
            "$@" >/dev/null 2>&1 # what it did last
            return
        }
        sleep 0.1
    done
}

write_hot_rules() { # FILE: for lines that arrive one by one
    cat >"$1" <<'RULES'
device pump from "pumps" {
  key id
  time arrival
  temp : number [degC]
}
alarm hot on pump { raise high when temp > 80 degC until temp < 70 degC }
RULES
}

write_pump_rules() { # FILE: for the events of `gen --profile pumps`
    cat >"$1" <<'RULES'
device pump from "telemetry.pumps" {
  key pump
  time ts [ms]
  temp : number [degC]
  flow : number [m3/h]
}
alarm warm on pump {
  raise low when avg(temp over 5m) > 60 degC for 1m until avg(temp over 5m) < 58 degC
}
event seen on pump { whenever count(each 5m) > 0 }
RULES
}

finish() { # the last command of a test: its status is the test's
    echo "$cases cases, $failures failures"
    [ "$failures" -eq 0 ]
}
