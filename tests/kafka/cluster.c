#include "tests/kafka/cluster.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kafka/broker.h"
#include "tests/kafka/watch.h"

enum { PATIENCE_MS = 120000, ANSWER_MS = 5000, PATH_SIZE = 512 };

static _Noreturn void die(const char *what, const char *why) {
    fprintf(stderr, "cluster: %s: %s\n", what, why);
    abort();
}

static rd_kafka_t *client(const char *address) {
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", address, why, sizeof why) ||
        rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why))
        die(address, why);
    rd_kafka_t *made = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!made)
        die(address, why);
    return made;
}

/* What the metadata hold of a topic, or of all (NULL), when `enough` of them is there. */
static int ask(const char *address, const char *topic,
               int (*enough)(const struct rd_kafka_metadata *, int32_t), int32_t argument) {
    int found = -1;
    rd_kafka_t *rk = client(address);
    rd_kafka_topic_t *handle = topic ? rd_kafka_topic_new(rk, topic, NULL) : NULL;
    for (int64_t begun_ms = fb_watch_now_ms(); found < 0; usleep(100000)) {
        const struct rd_kafka_metadata *metadata;
        if (!rd_kafka_metadata(rk, !topic, handle, &metadata, ANSWER_MS)) {
            found = enough(metadata, argument);
            rd_kafka_metadata_destroy(metadata);
        }
        if (fb_watch_now_ms() - begun_ms > PATIENCE_MS)
            die(topic ? topic : "all topics", "not in two minutes");
    }
    if (handle)
        rd_kafka_topic_destroy(handle);
    rd_kafka_destroy(rk);
    return found;
}

static int leader_in(const struct rd_kafka_metadata *metadata, int32_t partition) {
    for (int i = 0; metadata->topic_cnt == 1 && i < metadata->topics[0].partition_cnt; i++)
        if (metadata->topics[0].partitions[i].id == partition)
            return metadata->topics[0].partitions[i].leader;
    return -1;
}

int fb_cluster_leader(const char *address, const char *topic, int32_t partition) {
    return ask(address, topic, leader_in, partition);
}

/* As the broker does: Java's hash of the text, its absolute value, by the number of partitions. */
static int coordinator_in(const char *address, const char *topic, const char *id) {
    enum { INTERNAL_PARTITIONS = 5 }; /* tools/kafka.sh */
    uint32_t hash = 0;
    for (; *id; id++)
        hash = hash * 31 + (unsigned char)*id;
    uint32_t positive = hash < 0x80000000u ? hash : hash == 0x80000000u ? 0 : 0u - hash;
    return fb_cluster_leader(address, topic, (int32_t)(positive % INTERNAL_PARTITIONS));
}

int fb_cluster_of_group(const char *address, const char *group) {
    return coordinator_in(address, "__consumer_offsets", group);
}

int fb_cluster_of_transactions(const char *address, const char *id) {
    return coordinator_in(address, "__transaction_state", id);
}

/* Clients are told of any node; the nodes keep in a file whom they have voted for. */
int fb_cluster_controller(const struct fb_broker *broker) {
    int newest = -1, controller = -1;
    for (int node = 1; node <= FB_BROKER_NODES; node++) {
        char path[PATH_SIZE], text[1024] = "";
        int leader, epoch;
        snprintf(path, sizeof path, "%s/node-%d/data/__cluster_metadata-0/quorum-state",
                 fb_broker_folder(broker), node);
        FILE *file = fopen(path, "r");
        if (!file)
            die(path, "cannot be read");
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        const char *at = strstr(text, "\"leaderId\":");
        if (at && sscanf(at, "\"leaderId\":%d,\"leaderEpoch\":%d", &leader, &epoch) == 2 &&
            epoch > newest && leader > 0) {
            newest = epoch;
            controller = leader;
        }
    }
    if (controller < 0)
        die("the active controller", "no node knows it");
    return controller;
}

static int whole_in(const struct rd_kafka_metadata *metadata, int32_t unused) {
    (void)unused;
    if (metadata->broker_cnt < FB_BROKER_NODES)
        return -1;
    for (int i = 0; i < metadata->topic_cnt; i++)
        for (int k = 0; k < metadata->topics[i].partition_cnt; k++) {
            const struct rd_kafka_metadata_partition *one = &metadata->topics[i].partitions[k];
            if (one->leader < 0 || one->isr_cnt < one->replica_cnt)
                return -1;
        }
    return 0;
}

void fb_cluster_await_whole(const char *address) {
    ask(address, NULL, whole_in, 0);
}
