#!/bin/sh
# `flyball deploy` and `flyball drain` as far as they come without a broker: usage, rules with
# mistakes, configurations, a broker that is not there.
#
# usage: deploy.sh FLYBALL
. "$(dirname "$0")/harness.sh"

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

tells 2 '--rules is missing' "$flyball" deploy
tells 2 'exclude each other' "$flyball" deploy --list --rollback
tells 2 '--rules does not go with --rollback' "$flyball" deploy --rollback --rules good.rules
tells 2 '--wait takes whole seconds' "$flyball" deploy --rules good.rules --wait soon
tells 2 'rules go behind --rules' "$flyball" deploy good.rules
tells 2 'no.such.key' "$flyball" deploy --rules good.rules -X no.such.key=1
tells 2 'restart it with the new rules' \
    "$flyball" deploy --rules good.rules -X processing.guarantee=at_least_once
tells 2 'kafka.bootstrap.servers is not set' "$flyball" deploy --rules good.rules
# Rules that would read what their own application writes.
sed 's/from "[^"]*"/from "plant.commands"/' good.rules >loop.rules
for command in deploy run; do
    tells 2 "own (topics.commands): what it puts out would come back" "$flyball" $command \
        --rules loop.rules -X application.id=plant
    tells 2 "reads the topic 'plant.commands'" "$flyball" $command --rules loop.rules \
        -X topics.status=plant.commands
done
# Rules that would command what the configuration does not allow.
{
    cat good.rules
    echo 'actuator fan on pump : (off, on) { to "plant.fans"  safe off }'
    echo 'control cool on pump { start when temp > 80 degC until temp < 70 degC  command fan = on  rollout armed }'
} >elsewhere.rules
for command in 'deploy --rules' 'run --rules' plan; do
    for also in '' 'plant.pumps, fans'; do
        tells 2 "the actuator \`fan\` is commanded in the topic 'plant.fans', which the configuration does not allow rules to command: add it to topics.commands.also, or mend its \`to\`" \
            "$flyball" $command elsewhere.rules --config nobody.properties -X "topics.commands.also=$also"
    done
done
tells 3 'cannot reach Kafka at 127.0.0.1:1' "$flyball" deploy --rules elsewhere.rules \
    --config nobody.properties -X 'topics.commands.also=plant.pumps, plant.fans'
for command in deploy run; do # one that may be commanded may not be read
    sed 's/from "[^"]*"/from "plant.fans"/' elsewhere.rules >loop.rules
    tells 2 "own (topics.commands.also): what it puts out would come back" "$flyball" $command \
        --rules loop.rules -X topics.commands.also=plant.fans
done
tells 2 'are the same topic' "$flyball" deploy --rules good.rules -X topics.rules=flyball.alerts
tells 3 'missing.rules' "$flyball" deploy --rules missing.rules --config nobody.properties
# told before anything of Kafka is touched
tells 1 'bad.rules:6:' "$flyball" deploy --rules bad.rules --config nobody.properties
tells 3 'cannot reach Kafka at 127.0.0.1:1' \
    "$flyball" deploy --list --config nobody.properties
tells 0 'flyball deploy --rollback' "$flyball" deploy --help

tells 2 'the configuration goes behind --config' "$flyball" drain app
tells 2 '--wait takes whole seconds' "$flyball" drain --wait -1
tells 2 'restart it with the new rules' "$flyball" drain -X processing.guarantee=at_least_once
tells 3 'cannot reach Kafka at 127.0.0.1:1' "$flyball" drain --config nobody.properties
tells 0 'flyball drain --config' "$flyball" drain --help

finish
