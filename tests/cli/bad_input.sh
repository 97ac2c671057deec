#!/bin/sh
# Bad input: each case ends with the right exit status and says what happened, where, what to do.
#
# usage: bad_input.sh FLYBALL
. "$(dirname "$0")/harness.sh"

# dead REASON: the replay of event.ndjson leaves exactly one dead letter, with this reason, and
# still takes the good record.
dead() {
    printf '%s\n' '{"pump":"p9","ts":1767225600000,"temp":20}' >>event.ndjson
    rm -rf results
    tells 0 "1 dead letter;" "$flyball" replay --rules pump.rules --input event.ndjson --out results
    cases=$((cases + 1))
    grep -qF "\"reason\":\"$1\"" results/dead.ndjson ||
        fail "dead letter with reason $1; got $(head -c 600 results/dead.ndjson)"
}

cat >pump.rules <<'END'
device pump from "pumps" { key pump  time ts [ms]  temp : number [degC] }
alarm hot on pump { raise high when temp > 85 degC }
END
printf '%s\n' '{"pump":"p1","ts":1767225600000,"temp":90}' >good.ndjson

# files
tells 3 "missing.rules: " "$flyball" check missing.rules
tells 3 "missing.ndjson: No such file or directory" \
    "$flyball" replay --rules pump.rules --input missing.ndjson
mkdir folder
tells 3 "folder" "$flyball" replay --rules pump.rules --input folder
tells 3 "folder" "$flyball" check folder
head -c 100 /dev/zero | tr '\0' 'a' >not.zst
printf '\050\265\057\375damaged' >damaged.ndjson.zst
tells 3 "damaged zstd data" "$flyball" replay --rules pump.rules --input damaged.ndjson.zst

# rules
printf 'device pump from "pumps" { key pump time ts temp : number [degC] }\nalarm a on pump { raise high when temp > 5 bar }\n' >unit.rules
tells 1 "unit.rules:2:" "$flyball" check unit.rules
printf 'device pump from "pumps" { key pump time ts temp : number [wibble] }\n' >nounit.rules
tells 1 "wibble" "$flyball" check nounit.rules
{ printf '# '; head -c 10000000 /dev/zero | tr '\0' 'x'; } >large.rules
tells 3 "large.rules" "$flyball" check large.rules
head -c 300 /dev/urandom >binary.rules
tells 1 "binary.rules:1:" "$flyball" check binary.rules
i=0
while [ $i -lt 300 ]; do printf '('; i=$((i + 1)); done >deep.txt
printf 'device p from "p" { key p time ts x : number }\nalarm a on p { raise high when %s x' "$(cat deep.txt)" >deep.rules
tells 1 "deep.rules:2:" "$flyball" check deep.rules

# records
{ printf '{"pump":"p1","ts":1767225600000,"temp":90,"pad":"'; head -c 10000000 /dev/zero | tr '\0' 'x'; printf '"}\n'; } >event.ndjson
dead JSON_SIZE
{ printf '{"pump":"'; head -c 1000000 /dev/zero | tr '\0' 'p'; printf '","ts":1767225600000,"temp":90}\n'; } >event.ndjson
dead JSON_SIZE
{ printf '{"pump":"'; head -c 300 /dev/zero | tr '\0' 'p'; printf '","ts":1767225600000,"temp":90}\n'; } >event.ndjson
dead KEY_TOO_LONG
echo '{"pump":"p1","ts":1767225600000,"temp":NaN}' >event.ndjson
dead JSON_SYNTAX
echo '{"pump":"p1","ts":1767225600000,"temp":1e999}' >event.ndjson
"$flyball" replay --rules pump.rules --input event.ndjson --out results 2>/dev/null
echo '{"ts":1767225600000,"temp":90}' >event.ndjson
dead NO_KEY
echo '{"pump":"p1","ts":"yesterday","temp":90}' >event.ndjson
dead BAD_TIME
printf '{"pump":"p1","ts":1767225600000,"temp":"\377"}\n' >event.ndjson
dead JSON_UTF8
echo 'not json' >event.ndjson
dead JSON_NOT_OBJECT

# the year 9999 is a real time, far ahead: it harms nobody and goes to late
cat >far.ndjson <<'END'
{"pump":"p1","ts":1767225600000,"temp":20}
{"pump":"p2","ts":253402300799000,"temp":90}
{"pump":"p1","ts":1767225601000,"temp":90}
END
tells 0 "1 alert, 0 rule events, 1 late" "$flyball" replay --rules pump.rules --input far.ndjson --out far
tells 0 '"reason":"future"' cat far/late.ndjson

# a field that changes its type is a bad sample, not a bad record
cat >types.ndjson <<'END'
{"pump":"p1","ts":1767225600000,"temp":90}
{"pump":"p1","ts":1767225601000,"temp":"hot"}
{"pump":"p1","ts":1767225602000,"temp":{"c":20}}
{"pump":"p1","ts":1767225603000,"temp":20}
END
tells 0 "2 alerts, 0 rule events, 0 late, 0 dead letters" \
    "$flyball" replay --rules pump.rules --input types.ndjson --out types

# outputs
mkdir full
ln -s /dev/full full/alerts.ndjson
tells 3 "No space left on device" "$flyball" replay --rules pump.rules --input good.ndjson --out full
tells 3 "the output could not be written" \
    sh -c "'$flyball' replay --rules pump.rules --input good.ndjson >/dev/full"
tells 3 "Not a directory" "$flyball" replay --rules pump.rules --input good.ndjson --out good.ndjson/x

# usage
tells 2 "did you mean \`replay\`" "$flyball" repaly
tells 2 "--rules is missing" "$flyball" replay --input good.ndjson
tells 2 "--until takes a time" "$flyball" replay --rules pump.rules --input good.ndjson --until noon
tells 2 "did you mean \`pumps\`" "$flyball" gen --profile pumsp
tells 2 "unrecognized option" "$flyball" check --colour pump.rules
tells 3 "takes the topic \`fans\`" "$flyball" replay --rules pump.rules --input fans=good.ndjson

finish
