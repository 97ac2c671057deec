#!/bin/sh
# `flyball audit`: heads, chains, what a change is told as, exit statuses, executing again.
#
# usage: audit.sh FLYBALL
. "$(dirname "$0")/harness.sh"

cat >hot.rules <<'END'
device pump from "telemetry.pumps" {
  key  pump
  time ts [ms]
  temp : number [degC] every 1s
}
alarm hot on pump { raise high when temp > 80 degC until temp < 75 degC  message "hot" }
END
sed 's/temp > 80/temp > 81/' hot.rules >hotter.rules
i=0
while [ $i -lt 60 ]; do
    printf '{"pump":"p%s","ts":%s,"temp":%s}\n' $((i % 5)) $((1767225600000 + i * 1000)) \
        $((70 + i * 7 % 23))
    [ $((i % 20)) -ne 7 ] || echo 'not json'
    i=$((i + 1))
done >events.ndjson
for tasks in 1 3; do
    expect 0 "$flyball" replay --quiet --rules hot.rules --input events.ndjson --tasks $tasks \
        --application plant --out r$tasks
done
cat r3/audit.ndjson >trail

# heads and chains
expect 0 "$flyball" audit head trail
cp out.txt heads
cases=$((cases + 1))
[ "$(cut -d= -f1 heads | tr '\n' ' ')" = "plant/0 plant/1 plant/2 " ] || fail "heads of three tasks"
expect 0 "$flyball" audit verify trail
says out.txt 'without --head it would not show if their ends were cut off'
expect 0 "$flyball" audit verify --head @heads trail
says out.txt 'the chains are whole and go through the exported heads'
expect 0 "$flyball" audit verify --head "$(sed 1q heads)" r3/audit.ndjson
expect 0 "$flyball" audit head r1/audit.ndjson
expect 0 "$flyball" audit verify --head "$(sed 's/.*=//' out.txt)" r1/audit.ndjson
zstd -q trail -o trail.zst
expect 0 "$flyball" audit verify --head=@heads trail.zst
expect 0 sh -c "'$flyball' audit verify --head @heads - <trail"
# As the values of Kafka's records: the data alone.
sed 's/.*"data"://; s/}$//' trail >bare
expect 0 "$flyball" audit verify --head @heads bare

# a file of each day
head -n 10 trail >monday
tail -n +11 trail >tuesday
expect 0 "$flyball" audit verify --head @heads monday tuesday
expect 1 "$flyball" audit verify tuesday
says out.txt 'where the records begin here on purpose, say --from'
expect 0 "$flyball" audit head monday
cp out.txt heads.monday
expect 0 "$flyball" audit verify --from @heads.monday --head @heads tuesday

# changes
sed '4s/"quality":"good"/"quality":"gooD"/; 4s/"clock":"2/"clock":"3/' trail >changed
expect 1 "$flyball" audit verify changed
says out.txt 'changed:4: plant/'
says out.txt 'the record was changed: its hash is not that of its bytes'
says out.txt 'of 3 tasks: 1 finding'
sed 's/"source"/"sauce"/' trail >changed
expect 1 "$flyball" audit verify changed
says out.txt 'what stands around the data does not follow from it'
says out.txt "and $(($(wc -l <trail) - 20)) more"
sed 5d trail >changed
expect 1 "$flyball" audit verify changed
says out.txt 'is missing'
sed 5p trail >changed
expect 1 "$flyball" audit verify changed
says out.txt 'the record is there twice'
sed '$d' trail >changed
expect 0 "$flyball" audit verify changed
expect 1 "$flyball" audit verify --head @heads changed
says out.txt 'the end was cut off'
head -c -30 trail >changed
expect 1 "$flyball" audit verify --head @heads changed
expect 1 "$flyball" audit head changed
says err.txt 'changed:'
cases=$((cases + 1))
[ ! -s out.txt ] || fail "a broken chain has no head"
expect 1 "$flyball" audit verify r3/alerts.ndjson
says out.txt 'the line is no audit record: its type is not flyball.audit'
expect 1 "$flyball" audit verify /dev/null
says out.txt 'there are no audit records'

# unreadable and wrong
expect 3 "$flyball" audit verify missing
says err.txt 'missing'
head -c 200 trail.zst >cut.zst
expect 3 "$flyball" audit verify cut.zst
expect 3 "$flyball" audit verify --head @missing trail
expect 2 "$flyball" audit verify --head 12 trail
says err.txt '--head takes [TASK=]SEQ:HASH'
expect 2 "$flyball" audit verify
expect 2 "$flyball" audit
expect 2 "$flyball" audit verfy trail
says err.txt 'did you mean `verify`?'
expect 2 "$flyball" audit verify --rules hot.rules trail
says err.txt 'go with --reexecute'

# again
expect 0 "$flyball" audit verify --reexecute --rules hot.rules --input events.ndjson trail
says out.txt 'the same rules and events give the same records'
expect 0 "$flyball" audit verify --reexecute --rules hot.rules --input events.ndjson r1/audit.ndjson
expect 0 "$flyball" audit verify --reexecute --rules hot.rules --input events.ndjson \
    --from @heads.monday tuesday
expect 1 "$flyball" audit verify --reexecute --rules hotter.rules --input events.ndjson trail
says out.txt ': the same rules and events give another record'
says out.txt '  recorded: '
says out.txt '  executed: '
sed 30d events.ndjson >fewer.ndjson
expect 1 "$flyball" audit verify --reexecute --rules hot.rules --input fewer.ndjson trail
sed 50q events.ndjson >shorter.ndjson
expect 1 "$flyball" audit verify --reexecute --rules hot.rules --input shorter.ndjson trail
says out.txt ': the same rules and events do not give this record'
expect 1 "$flyball" audit verify --reexecute --rules hot.rules --input events.ndjson monday
says out.txt 'give more, from seq'
expect 1 "$flyball" audit verify --reexecute --rules hot.rules --input events.ndjson changed
says out.txt 'nothing was executed again'
expect 2 "$flyball" audit verify --reexecute --rules hot.rules trail
says err.txt '--input is missing'
expect 3 "$flyball" audit verify --reexecute --rules hot.rules --input missing trail

# The whole chain written anew with another text in it: as another build or semantics would.
rewrite() { # FROM TO: r1's trail
    python3 - "$1" "$2" r1/audit.ndjson <<'END'
import hashlib, sys
previous = "0" * 64
for line in open(sys.argv[3]):
    data = line[line.index('"data":') + 7:-2].replace(sys.argv[1], sys.argv[2])
    at = data.index('"previous":"') + 12
    data = data[:at] + previous + data[at + 64:data.rindex(',"hash"')] + "}"
    previous = hashlib.sha256(bytes.fromhex(previous) + data.encode()).hexdigest()
    print(data[:-1] + ',"hash":"' + previous + '"}')
END
}
rewrite '"build":"' '"build":"an older one than ' >older
expect 0 "$flyball" audit verify --reexecute --rules hot.rules --input events.ndjson older
rewrite '"semantics":' '"semantics":99' >newer
expect 0 "$flyball" audit verify newer
expect 1 "$flyball" audit verify --reexecute --rules hot.rules --input events.ndjson newer
says out.txt 'a build of the same semantics'
rewrite '"value":9' '"value":8' >forged
expect 0 "$flyball" audit verify forged
"$flyball" audit head r1/audit.ndjson >heads.r1
expect 1 "$flyball" audit verify --head @heads.r1 forged
says out.txt 'the hash is not that of the exported head'
expect 1 "$flyball" audit verify --reexecute --rules hot.rules --input events.ndjson forged
says out.txt 'give another record'

finish
