#!/bin/sh
# One real Apache Kafka node on this machine's loopback, for tests, benchmarks and trying out; or a
# cluster of them.
# usage: tools/kafka.sh fetch | start | start-any | stop | kill | status | wipe | topic | acls
#
#   fetch      get the broker's jars with Maven, once
#   start      fetch, start the node, wait until it answers; its data stay over a stop and a start
#   start-any  the same on ports that are free; the address is then in FB_KAFKA_DIR/bootstrap
#   stop       end the node that start began, in order
#   kill       end it as a power cut would (SIGKILL)
#   status     exit 0 when it runs, 1 when not
#   wipe       stop, and delete the node's data
#   topic NAME [PARTITIONS]  make a topic (1 partition) on the running node
#   acls ARGUMENT...         Kafka's command for rights, on the running node
#
# FB_KAFKA_PORT   port of the broker (39092); its controller uses the one after it
# FB_KAFKA_DIR    folder of the node (.cache/kafka/node-PORT): tests give each of theirs its own
# FB_KAFKA_LIBS   folder of the jars (.cache/kafka/libs)
# FB_KAFKA_HEAP   heap of the node (512m)
# FB_KAFKA_SECURE set when the node is first started: its authorizer is on, and besides the open
#                 listener (whose users may do all) it has one for SCRAM-SHA-512 over TLS on the
#                 second port after FB_KAFKA_PORT, and one for client certificates on the third.
#                 FB_KAFKA_DIR/tls then holds ca.pem, client.pem, client.key (User:CN=flyball), the
#                 password of the SCRAM user flyball, and the ca.pem of strangers.
# FB_KAFKA_PROXY  a port that leads, by a program of yours, to the second port after FB_KAFKA_PORT:
#                 the node has a listener there which advertises that port.
# FB_KAFKA_NODES  3: a cluster of three nodes, each on the two ports after the last one's; every
#                 topic is on all three, and a record is stored when two have it. Each command is
#                 for all of them, or with FB_KAFKA_NODE (1 to 3) for that one, whose folder is
#                 FB_KAFKA_DIR/node-1 to node-3.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
port=${FB_KAFKA_PORT:-39092}
libs=${FB_KAFKA_LIBS:-$root/.cache/kafka/libs}
dir=${FB_KAFKA_DIR:-$root/.cache/kafka/node-$port}
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
nodes=${FB_KAFKA_NODES:-1} node=${FB_KAFKA_NODE:-1}
all_dir=$dir first_port=$port heap=${FB_KAFKA_HEAP:-512m} flags=
if [ "$nodes" -gt 1 ]; then
    dir=$dir/node-$node port=$((port + 2 * (node - 1)))
    # So many on one machine start sooner and take less so.
    heap=${FB_KAFKA_HEAP:-256m} flags="-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
fi
config=$dir/server.properties
pid_file=$dir/pid
log=$dir/server.log
tls=$dir/tls
secure=${FB_KAFKA_SECURE:-}
[ ! -d "$tls" ] || secure=1
ports=2
[ -z "$secure" ] || ports=4
proxy=${FB_KAFKA_PROXY:-}
[ -z "$proxy" ] || ports=3
special=${secure:+1}${proxy:+1}
[ "$nodes" = 1 ] || special=1$special
[ ${#special} -lt 2 ] || {
    echo "kafka: error: only one of FB_KAFKA_SECURE, FB_KAFKA_PROXY and FB_KAFKA_NODES" >&2
    exit 3
}

say() { echo "kafka: $*"; }
fail() {
    echo "kafka: error: $*" >&2
    exit 3
}
port_in_use() {
    echo "kafka: error: a port of $port to $((port + ports - 1)) is in use by another program: end that, or" \
        "choose another port, as in FB_KAFKA_PORT=$((port + 10)) ./dev kafka start" >&2
    exit 4
}

# The pid of our node, nothing when it does not run. A pid file alone proves nothing: the number
# may belong to another program by now, so the process must have been started with our file.
running() {
    [ -s "$pid_file" ] || return 0
    pid=$(cat "$pid_file")
    [ -r "/proc/$pid/cmdline" ] || return 0
    if tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF "$config"; then
        echo "$pid"
    fi
}

# True when a process has let go of its files and ports: its command line is gone before them, and
# its first thread may be over before the others.
gone() {
    [ -d "/proc/$1" ] || return 0
    grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null && [ "$(ls "/proc/$1/task" | wc -l)" = 1 ]
}

# True where something listens on one of the node's ports, as far as the system lets us see.
taken() {
    wanted=
    for i in 0 1 2 3; do
        [ $i -ge $ports ] || wanted="$wanted $(printf '%04X' $((port + i)))"
    done
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk -v wanted="$wanted " \
            '{ n = split($2, at, ":") }
             $4 == "0A" && index(wanted, " " at[n] " ") { found = 1 }
             END { exit !found }'
}

fetch() {
    mkdir -p "$(dirname "$libs")"
    exec 8>"$libs.lock"
    flock 8 # tests start nodes in parallel; one of them fetches
    if [ ! -e "$libs/.whole" ]; then
        command -v mvn >/dev/null && command -v java >/dev/null ||
            fail "needs maven and a Java runtime: ./dev kafka start installs them, or" \
                "apt-get install maven openjdk-17-jre-headless"
        say "fetching Apache Kafka with Maven into $libs"
        tries=3
        rm -rf "$libs"
        until mvn -q -B -Dstyle.color=never -f "$root/tools/kafka-pom.xml" dependency:copy-dependencies \
            -DincludeScope=runtime -DoutputDirectory="$libs" >"$libs.log" 2>&1 </dev/null; do
            tries=$((tries - 1))
            tail -n 5 "$libs.log" >&2
            [ $tries -gt 0 ] || fail "Maven could not fetch the jars: is its repository reachable?"
            say "Maven failed, trying again"
            sleep 2
        done
        touch "$libs/.whole"
    fi
    exec 8>&-
}

# certify NAME SUBJECT CA EXTENSION: NAME.pem and NAME.key, signed by CA, or by itself without one.
certify() {
    signer=
    [ -z "$3" ] || signer="-CA $tls/$3.pem -CAkey $tls/$3.key"
    # shellcheck disable=SC2086 # the signer is two options
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 $signer \
        -keyout "$tls/$1.key" -out "$tls/$1.pem" -subj "/CN=$2" -addext "$4" >>"$tls/log" 2>&1 ||
        fail "openssl cannot make $tls/$1.pem, its output is in $tls/log"
}

make_certificates() {
    [ ! -e "$tls/whole" ] || return 0
    command -v openssl >/dev/null ||
        fail "a node with TLS needs openssl: apt-get install openssl"
    mkdir -p -m 700 "$tls"
    certify ca "flyball test CA" "" keyUsage=keyCertSign
    certify broker broker ca subjectAltName=IP:127.0.0.1
    certify client flyball ca extendedKeyUsage=clientAuth
    certify strangers "another CA" "" keyUsage=keyCertSign
    certify stranger flyball strangers extendedKeyUsage=clientAuth
    cat "$tls/broker.key" "$tls/broker.pem" >"$tls/broker-store.pem"
    openssl rand -hex 12 >"$tls/password"
    touch "$tls/whole"
}

# Every listener ends in the same broker; rights are by user, and only the open listener has
# users without a name.
write_secure_config() {
    cat >>"$config" <<END

# Who may do what is decided by access control lists.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.mtls.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location=$tls/broker-store.pem
ssl.truststore.type=PEM
ssl.truststore.location=$tls/ca.pem
END
}

# The addresses of all nodes, joined by commas: what stands before them ("1@" and so on for %d), and
# how far the port lies behind the node's first.
addresses() {
    i=1 list=
    while [ $i -le "$nodes" ]; do
        # shellcheck disable=SC2059 # the format is the argument
        list=$list${list:+,}$(printf "$1" $i)127.0.0.1:$((first_port + 2 * (i - 1) + $2))
        i=$((i + 1))
    done
    echo "$list"
}

write_config() {
    replicas=$nodes in_sync=$((nodes > 1 ? 2 : 1))
    open=PLAINTEXT://127.0.0.1:$port
    map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
    if [ -n "$secure" ]; then
        open=$open,SCRAM://127.0.0.1:$((port + 2)),MTLS://127.0.0.1:$((port + 3))
        map=$map,SCRAM:SASL_SSL,MTLS:SSL
    fi
    advertised=$open
    if [ -n "$proxy" ]; then
        open=$open,PROXIED://127.0.0.1:$((port + 2))
        advertised=$advertised,PROXIED://127.0.0.1:$proxy
        map=$map,PROXIED:PLAINTEXT
    fi
    cat >"$config" <<END
process.roles=broker,controller
node.id=$node
controller.quorum.voters=$(addresses %d@ 1)
listeners=$open,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=$advertised
listener.security.protocol.map=$map
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/data

# Every topic is on all nodes; the internal ones have settings of their own.
default.replication.factor=$replicas
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync
transaction.state.log.num.partitions=5
auto.create.topics.enable=false
# Recorded events may be years old: nothing is deleted because of its age.
log.retention.ms=-1
log.retention.bytes=-1

# Tests do not wait for what only large clusters need.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
# After a kill the node waits until its dead predecessor's session is over.
broker.session.timeout.ms=$((nodes > 1 ? 6000 : 3000))
broker.heartbeat.interval.ms=500

# Small: the machine is shared with what is being tested.
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.dedupe.buffer.size=16777216
END
    [ -z "$secure" ] || write_secure_config
    cat >"$dir/log4j.properties" <<END
log4j.rootLogger=INFO, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n
END
}

# Started, by its own word; and, where kcat is at hand, by a client's.
answers() {
    grep -q 'Kafka Server started' "$log" 2>/dev/null || return 1
    ! command -v kcat >/dev/null || kcat -L -m 5 -b "127.0.0.1:$port" >/dev/null 2>&1 </dev/null
}

start() {
    mkdir -p "$dir"
    exec 9>"$dir/lock"
    flock 9
    pid=$(running)
    if [ -n "$pid" ]; then
        say "runs already (pid $pid), bootstrap.servers=$(cat "$dir/bootstrap")"
        return
    fi
    if [ -e "$pid_file" ]; then
        say "removing a stale pid file ($(cat "$pid_file"))"
        rm -f "$pid_file"
    fi
    ! taken || port_in_use
    fetch
    [ -z "$secure" ] || make_certificates
    write_config
    if [ ! -e "$dir/data/meta.properties" ]; then
        say "formatting $dir/data"
        set --
        [ -z "$secure" ] || set -- --add-scram \
            "SCRAM-SHA-512=[name=flyball,password=$(cat "$tls/password")]"
        java -Xmx128m -XX:TieredStopAtLevel=1 "-Dlog4j.configuration=file:$dir/log4j.properties" \
            -cp "$libs/*" kafka.tools.StorageTool format --ignore-formatted \
            -t flyballflyballflyballw -c "$config" "$@" >"$dir/format.log" 2>&1 </dev/null 9>&- || {
            grep -E 'Exception|ERROR' "$dir/format.log" | head -n 5 >&2
            fail "formatting failed, the whole output is in $dir/format.log"
        }
    fi
    say "starting on 127.0.0.1:$port, log in $log"
    # shellcheck disable=SC2086 # several flags
    setsid java -Xms128m "-Xmx$heap" $flags -Djava.net.preferIPv4Stack=true \
        "-Dlog4j.configuration=file:$dir/log4j.properties" \
        -cp "$libs/*" kafka.Kafka "$config" >"$log" 2>&1 </dev/null 9>&- &
    echo $! >"$pid_file"
    addresses "" 0 >"$dir/bootstrap"
    waited=0
    until answers; do
        if [ -z "$(running)" ] && [ $waited -gt 5 ]; then
            rm -f "$pid_file"
            ! grep -q 'Address already in use' "$log" || port_in_use
            grep -E 'ERROR|FATAL|Exception|Error' "$log" | head -n 5 >&2
            fail "the node ended while starting, its log is $log"
        fi
        waited=$((waited + 1))
        [ $waited -lt 600 ] || fail "no answer within 2 minutes, its log is $log"
        sleep 0.2
    done
    say "ready (pid $(cat "$pid_file")), bootstrap.servers=$(cat "$dir/bootstrap")"
}

# Another program may always be quicker to take a port; then the next try takes other ones. Below
# 32768 the system hands out none by itself; a node takes two. Where some nodes of a cluster have
# their ports, they begin anew on other ones.
start_any() {
    at=$(($$ * 7)) tries=10 status=4
    while [ $status = 4 ] && [ $tries -gt 0 ]; do
        status=0 at_port=$((20000 + at % (6000 / nodes) * 2 * nodes))
        FB_KAFKA_DIR=$all_dir FB_KAFKA_PORT=$at_port "$0" start || status=$?
        [ $status = 0 ] || [ "$nodes" = 1 ] || FB_KAFKA_DIR=$all_dir "$0" wipe
        at=$((at + 101)) tries=$((tries - 1))
    done
    exit $status
}

# A command for each node of the cluster, at the same time: none answers without the others.
each() {
    i=1 runs='' status=0
    while [ $i -le "$nodes" ]; do
        FB_KAFKA_DIR=$all_dir FB_KAFKA_PORT=$first_port FB_KAFKA_NODE=$i "$0" "$@" &
        runs="$runs $!" i=$((i + 1))
    done
    for run in $runs; do
        one=0
        wait "$run" || one=$?
        [ $one = 0 ] || [ $status = 4 ] || status=$one
    done
    [ ! -e "$all_dir/node-1/bootstrap" ] || cp "$all_dir/node-1/bootstrap" "$all_dir/bootstrap"
    [ "$1" != wipe ] || rm -rf "$all_dir"
    exit $status
}

# end SIGNAL SECONDS
end() {
    if [ -d "$dir" ]; then
        exec 9>"$dir/lock"
        flock 9 # a start that has begun comes first, so that nothing is left behind
    fi
    pid=$(running)
    if [ -z "$pid" ]; then
        rm -f "$pid_file"
        say "does not run"
        return
    fi
    kill "-$1" "$pid" 2>/dev/null || : # it may have ended this moment
    waited=0
    until gone "$pid"; do
        waited=$((waited + 1))
        if [ $waited -eq $(($2 * 10)) ]; then
            say "pid $pid does not stop, killing it"
            kill -KILL "$pid" 2>/dev/null || :
        fi
        sleep 0.1
    done
    rm -f "$pid_file"
    say "ended (pid $pid)"
}

if [ "$nodes" -gt 1 ] && [ -z "${FB_KAFKA_NODE:-}" ]; then
    case ${1:-} in
    start | stop | kill | wipe | status) each "$@" ;;
    esac
fi
case ${1:-} in
fetch) fetch ;;
start) start ;;
start-any) start_any ;;
stop) end TERM 30 ;;
kill) end KILL 30 ;;
wipe)
    end TERM 30
    rm -rf "$dir"
    ;;
topic)
    [ -n "${2:-}" ] || fail "name the topic: tools/kafka.sh topic NAME [PARTITIONS]"
    [ -n "$(running)" ] || fail "the node does not run: ./dev kafka start"
    java -cp "$libs/*" org.apache.kafka.tools.TopicCommand --create --topic "$2" \
        --partitions "${3:-1}" --bootstrap-server "$(cat "$dir/bootstrap")" 2>&1 | grep -v WARN
    ;;
acls)
    shift
    [ -n "$(running)" ] || fail "the node does not run: ./dev kafka start"
    java -Xmx128m -XX:TieredStopAtLevel=1 -cp "$libs/*" kafka.admin.AclCommand \
        --bootstrap-server "$(cat "$dir/bootstrap")" "$@"
    ;;
status)
    pid=$(running)
    [ -n "$pid" ] || {
        say "does not run"
        exit 1
    }
    say "runs (pid $pid), bootstrap.servers=$(cat "$dir/bootstrap")"
    ;;
*)
    sed -n '2,30s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
