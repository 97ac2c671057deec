#!/bin/sh
# tools/kafka.sh when things are not as they should be: started twice, a stale pid file, a port in
# use, a node that was killed. Needs a minute of a real broker at most.
set -eu
script=$(cd "$(dirname "$0")/../.." && pwd)/tools/kafka.sh
folder=$(mktemp -d)
export FB_KAFKA_DIR="$folder/node"
trap '"$script" wipe >/dev/null; rm -rf "$folder"' EXIT

failed() {
    echo "failed: $*"
    cat "$folder/said"
    exit 1
}
# wants STATUS TEXT COMMAND...: kafka.sh ends with the status and says the text
wants() {
    status=0 want=$1 text=$2
    shift 2
    "$@" >"$folder/said" 2>&1 || status=$?
    [ "$status" = "$want" ] || failed "$* ended with $status, not $want"
    grep -q "$text" "$folder/said" || failed "$* does not say \"$text\""
}

wants 1 'does not run' "$script" status
wants 0 'does not run' "$script" stop
wants 2 'usage: ' "$script" dance
wants 3 'only one of' env FB_KAFKA_NODES=3 FB_KAFKA_SECURE=1 "$script" start
wants 0 'ready ' "$script" start-any
FB_KAFKA_PORT=$(sed 's/.*://' "$FB_KAFKA_DIR/bootstrap")
export FB_KAFKA_PORT
pid=$(cat "$FB_KAFKA_DIR/pid")
wants 0 "runs already (pid $pid)" "$script" start
wants 0 "runs (pid $pid)" "$script" status
wants 4 "in use by another program" env FB_KAFKA_DIR="$folder/other" "$script" start
wants 4 "in use by another program" \
    env FB_KAFKA_DIR="$folder/other" FB_KAFKA_PORT=$((FB_KAFKA_PORT - 1)) "$script" start
wants 0 "ended (pid $pid)" "$script" kill
[ ! -e "/proc/$pid" ] || grep -q 'State:.*Z' "/proc/$pid/status" || failed "$pid still runs"

# The number in a stale pid file may be anybody's by now: here our own, which must survive.
echo $$ >"$FB_KAFKA_DIR/pid"
wants 1 'does not run' "$script" status
wants 0 'does not run' "$script" stop
echo $$ >"$FB_KAFKA_DIR/pid"
wants 0 'removing a stale pid file' "$script" start
pid=$(cat "$FB_KAFKA_DIR/pid")
wants 0 "ended (pid $pid)" "$script" stop
wants 0 'does not run' "$script" wipe
[ ! -e "$FB_KAFKA_DIR" ] || failed "wipe left $FB_KAFKA_DIR"
echo "as wanted"
