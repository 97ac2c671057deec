#!/bin/sh
# `flyball deploy` and `flyball drain` as far as they come without a broker: usage, rules with
# mistakes, configurations, a broker that is not there.
#
# usage: deploy.sh FLYBALL
set -u
flyball=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0
cases=0

expect() { # STATUS TEXT COMMAND...: its status, and a text on its output or stderr
    wanted=$1
    text=$2
    shift 2
    cases=$((cases + 1))
    "$@" >all.txt 2>&1 </dev/null
    got=$?
    if [ $got -ne "$wanted" ] || ! grep -qF -e "$text" all.txt; then
        failed=$((failed + 1))
        echo "not ok: $*: status $got, not $wanted, or nothing says '$text'"
        head -c 1000 all.txt
    fi
}

cat >good.rules <<'RULES'
device pump from "pumps" {
  key id
  time arrival
  temp : number [degC]
}
alarm hot on pump { raise high when temp > 80 degC }
RULES
sed 's/80 degC/80 bar/' good.rules >bad.rules
# nobody listens there
echo 'kafka.bootstrap.servers = 127.0.0.1:1' >nobody.properties

expect 2 '--rules is missing' "$flyball" deploy
expect 2 'exclude each other' "$flyball" deploy --list --rollback
expect 2 '--rules does not go with --rollback' "$flyball" deploy --rollback --rules good.rules
expect 2 '--wait takes whole seconds' "$flyball" deploy --rules good.rules --wait soon
expect 2 'rules go behind --rules' "$flyball" deploy good.rules
expect 2 'no.such.key' "$flyball" deploy --rules good.rules -X no.such.key=1
expect 2 'restart it with the new rules' \
    "$flyball" deploy --rules good.rules -X processing.guarantee=at_least_once
expect 2 'kafka.bootstrap.servers is not set' "$flyball" deploy --rules good.rules
expect 2 'are the same topic' "$flyball" deploy --rules good.rules -X topics.rules=flyball.alerts
expect 3 'missing.rules' "$flyball" deploy --rules missing.rules --config nobody.properties
# told before anything of Kafka is touched
expect 1 'bad.rules:6:' "$flyball" deploy --rules bad.rules --config nobody.properties
expect 3 'cannot reach Kafka at 127.0.0.1:1' \
    "$flyball" deploy --list --config nobody.properties
expect 0 'flyball deploy --rollback' "$flyball" deploy --help

expect 2 'the configuration goes behind --config' "$flyball" drain app
expect 2 'restart it with the new rules' "$flyball" drain -X processing.guarantee=at_least_once
expect 3 'cannot reach Kafka at 127.0.0.1:1' "$flyball" drain --config nobody.properties
expect 0 'flyball drain --config' "$flyball" drain --help

echo "$cases cases, $failed failed"
[ "$failed" -eq 0 ]
