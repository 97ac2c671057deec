#!/bin/sh
# `gen` and `replay`: the same bytes every time, the files that are promised, results on stdout and
# the rest on stderr, colour on terminals only.
#
# usage: replay.sh FLYBALL
. "$(dirname "$0")/harness.sh"

differ() { ! cmp -s "$1" "$2"; }
lines() { wc -l <"$1" | tr -d ' '; }
same() { # TEXT TEXT
    [ "$1" = "$2" ] || echo "  $1, not $2"
    [ "$1" = "$2" ]
}

cat >hot.rules <<'RULES'
device pump from "telemetry.pumps" {
  key  pump
  time ts [ms]
  temp : number [degC] every 1s
}
alarm hot on pump {
  raise high when temp > 80 degC for 2s until temp < 75 degC
  message "{pump} at {temp:.1f}"
}
event hotter on pump { whenever changed(temp > 85 degC) }
RULES

# gen
for profile in $("$flyball" gen --list | sed 's/ .*//'); do
    "$flyball" gen --profile "$profile" --devices 20 --duration 1m >one
    "$flyball" gen --profile "$profile" --devices 20 --duration 1m >two
    check "gen $profile gives something" [ -s one ]
    check "gen $profile gives the same bytes again" cmp -s one two
    "$flyball" gen --profile "$profile" --devices 20 --duration 1m --seed 2 >two
    check "gen $profile gives others for another seed" differ one two
done
"$flyball" gen --devices 3 --duration 10s --faults 0 --rate 2 >one
check "devices x duration x rate are the records" same "$(lines one)" 60
"$flyball" gen --devices 40 --poison 500 >plain
"$flyball" gen --devices 40 --poison 500 --format keyed | cut -f 2 >two
check "keyed records are the plain ones" cmp -s plain two
"$flyball" gen --devices 40 --poison 500 --format envelope >enveloped
check "an envelope a record" same "$(lines enveloped)" "$(lines plain)"
check "envelopes name their topic" \
    same "$(grep -c '^{"topic":"telemetry.pumps","key":"pump-' enveloped)" "$(lines plain)"
check "a full disk is noticed" sh -c "'$flyball' gen >/dev/full 2>err; [ \$? -eq 3 ]"

# replay: files
"$flyball" replay --rules hot.rules --input plain --out results >out 2>err
check "replay ends with 0" [ $? -eq 0 ]
check "nothing on stdout" [ ! -s out ]
check "a summary of one line on stderr" same "$(lines err)" 1
check "the files" same "$(echo results/*)" \
    "results/alerts.ndjson results/audit.ndjson results/commands.ndjson results/dead.ndjson\
 results/late.ndjson results/shadow.ndjson"
check "alerts" grep -q '"type":"flyball.alert".*"event":"raised"' results/alerts.ndjson
check "rule events" grep -q '"type":"flyball.event"' results/alerts.ndjson
dead=$(grep -cv '}$' plain)
check "poison goes to the dead letters" \
    same "$(grep -c '"type":"flyball.dead"' results/dead.ndjson)" "$dead"
check "the summary counts them" grep -q "$dead dead letters; see results" err
cp -r results first
"$flyball" replay --rules hot.rules --input plain --out results 2>err
check "a second run writes the same anew" diff -r first results

# the same events in other ways
"$flyball" replay --rules hot.rules --input - --out piped <plain 2>err
check "from standard input" diff -r first piped
"$flyball" replay --rules hot.rules --input telemetry.pumps=plain --out named 2>err
check "with the topic named" diff -r first named
"$flyball" replay --rules hot.rules --envelope --input enveloped --out enveloped.out 2>err
check "from envelopes, the same alerts" cmp first/alerts.ndjson enveloped.out/alerts.ndjson
check "from envelopes, the same dead letters" cmp first/dead.ndjson enveloped.out/dead.ndjson
"$flyball" replay --rules hot.rules --input plain --tasks 4 --out tasks 2>err
sort first/alerts.ndjson >one
sort tasks/alerts.ndjson >two
check "by four tasks" cmp one two
awk 'NR % 2' plain >odd
awk 'NR % 2 == 0' plain >even
"$flyball" replay --rules hot.rules --input odd --input even --out merged 2>err
sed 's/"id":"[^"]*"//' first/alerts.ndjson | sort >one
sed 's/"id":"[^"]*"//' merged/alerts.ndjson | sort >two
check "merged from two files" cmp one two
check "topics behind --input do not go with --envelope" sh -c "
    '$flyball' replay --rules hot.rules --envelope --input x=enveloped >out 2>err; [ \$? -eq 2 ]"

# replay: streams
"$flyball" replay --rules hot.rules --input plain >out 2>err
sort first/alerts.ndjson first/late.ndjson first/dead.ndjson >two
sort out >one
check "without --out the records but the audit are on stdout" cmp -s one two
"$flyball" replay --rules hot.rules --input plain --audit 2>err | grep '"type":"flyball.audit"' >one
check "with --audit the audit too" cmp -s one first/audit.ndjson
"$flyball" replay --rules hot.rules --input plain --quiet >out 2>err
check "--quiet leaves stderr empty" [ ! -s err ]
"$flyball" replay --rules hot.rules --input plain --quiet 2>err | head -n 1 >out
check "a reader that leaves is no error" [ ! -s err ]

# --watch
"$flyball" replay --rules hot.rules --input plain --out watched --watch >out 2>err
check "--watch still writes the files" diff -r first watched
check "--watch shows a line for each" same "$(lines out)" "$(lines first/alerts.ndjson)"
check "--watch shows day, time, what, whose and the message" grep -Eq \
    '^2026-01-01 00:[0-9]{2}:[0-9]{2}  raised +high +hot +pump-00[0-9]{2} +pump-00[0-9]{2} at [0-9.]+ degC$' out

# colour; `script` gives a terminal
escapes() { tr -dc '\033' <"$1" | wc -c | tr -d ' '; }
watch="'$flyball' replay --rules hot.rules --input plain --out watched --watch --quiet"
check "no colour in a file" same "$(escapes out)" 0
if ! script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    echo "no pseudo-terminal can be had here: colour on terminals was not tried"
else
    env -u NO_COLOR TERM=xterm script -qec "$watch" /dev/null >out </dev/null
    check "colour on a terminal" [ "$(escapes out)" -gt 0 ]
    NO_COLOR=1 TERM=xterm script -qec "$watch" /dev/null >out </dev/null
    check "none with NO_COLOR" same "$(escapes out)" 0
    NO_COLOR= TERM=xterm script -qec "$watch" /dev/null >out </dev/null
    check "an empty NO_COLOR does not count" [ "$(escapes out)" -gt 0 ]
    TERM=dumb script -qec "$watch" /dev/null >out </dev/null
    check "none on a dumb terminal" same "$(escapes out)" 0
fi

# A page that needs no network.
cat >page.rules <<'END'
device pump from "t" { key k  time ts  temp : number [degC]  state : one of (off, on) }
alarm hot on pump { raise high when temp > 80 degC until temp < 75 degC  message "</script> {temp}" }
END
for s in 1 2 3 4; do
    echo "{\"k\":\"p1\",\"ts\":\"2026-01-01T00:00:0${s}Z\",\"temp\":$((s * 25)),\"state\":\"on\"}"
done >page.ndjson
expect 0 "$flyball" replay --rules page.rules --input page.ndjson --out results --report page.html
says page.html '"title":"page.rules over page.ndjson"'
says page.html '"name":"temp","unit":"degC","words":null,"at":[0,1,2,3],"values":[25,50,75,100]'
says page.html '"words":["off","on"],"at":[0,1,2,3],"values":[1,1,1,1]'
says page.html '"rule":"hot","severity":"high"'
says page.html '\u003c/script> 100 degC'
cases=$((cases + 1))
! grep -Eq '<(script|link|img)[^>]* (src|href)=' page.html || fail "the page loads something"
tells 3 "/nowhere/page.html" "$flyball" replay --rules page.rules --input page.ndjson --out results \
    --report /nowhere/page.html

finish
