#!/bin/sh
# Runs every benchmark of a build and prints its tables: decode, windows, core, snapshot, step, and
# Kafka to Kafka beside an empty librdkafka loop, on a broker of its own that is gone afterwards.
# usage: bench/run.sh [--little] [BUILD]
#
#   --little   a few events only: whether they run, not what they measure
#   BUILD      folder of the build (build)
#
# What counts is the CPU time of each process, so a busy machine disturbs less than it seems; on an
# idle one the figures are better still.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
little=
[ "${1:-}" != --little ] || { little=1 && shift; }
build=${1:-$root/build}

work=$(mktemp -d)
export FB_KAFKA_DIR="$work/kafka"
clean_up() {
    "$root/tools/kafka.sh" wipe >/dev/null 2>&1 || :
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# title WORDS...
title() { printf '\n== %s\n' "$*"; }

title "decode: from JSON to entries"
"$build/bench/decode" ${little:+2000 1}
title "windows: what a sample and a read cost"
"$build/bench/windows" ${little:+2 2000 1}
title "core: where the time of an event goes"
"$build/bench/core" ${little:+20000 1}
title "snapshot: state written while records go on, read again, and under other rules"
"$build/bench/snapshot" ${little:+3000 1}
title "step: how long a task is busy at a time, and its way back"
"$build/bench/step" ${little:+3000 1}
title "Kafka to Kafka"
"$root/tools/kafka.sh" start-any
"$build/bench/kafka" "$build/flyball" "$(cat "$FB_KAFKA_DIR/bootstrap")" \
    ${little:+20000 1 "W2, 10 "}
