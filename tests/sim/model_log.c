/* Topics and their logs. */
#include "tests/sim/model.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/map.h"
#include "tests/sim/model_inside.h"

struct sim_kafka *sim_kafka_new(const struct sim_kafka_config *config, struct fb_random *random) {
    struct sim_kafka *kafka = fb_alloc(sizeof *kafka);
    kafka->config = *config;
    kafka->random = random;
    kafka->group.empty_us = 0;
    for (int t = 0; t < SIM_TOPICS_MAX; t++)
        for (int p = 0; p < SIM_PARTITIONS_MAX; p++)
            kafka->group.offsets[t][p].next = -1;
    FB_PUSH_ROOM(kafka->txns, kafka->n_txns, kafka->cap_txns);
    kafka->txns[kafka->n_txns++] = (struct sim_txn){.over = true}; /* 0: none */
    return kafka;
}

void sim_kafka_free(struct sim_kafka *kafka) {
    if (!kafka)
        return;
    for (int t = 0; t < SIM_TOPICS_MAX; t++)
        for (int p = 0; p < SIM_PARTITIONS_MAX; p++) {
            struct sim_log *log = &kafka->logs[t][p];
            for (size_t i = 0; i < log->n; i++)
                free(log->records[i].bytes);
            free(log->records);
        }
    for (size_t i = 0; i < kafka->n_txns; i++)
        free(kafka->txns[i].offsets);
    free(kafka->txns);
    free(kafka);
}

int sim_topic(const struct sim_kafka *kafka, struct fb_str name) {
    for (int t = 0; t < kafka->n_topics; t++)
        if (fb_str_eq(fb_str_of(kafka->topics[t]), name))
            return t;
    return -1;
}

int sim_topic_add(struct sim_kafka *kafka, const char *name, int partitions, bool read_by_group) {
    FB_ASSERT(kafka->n_topics < SIM_TOPICS_MAX && partitions <= SIM_PARTITIONS_MAX);
    int topic = kafka->n_topics++;
    snprintf(kafka->topics[topic], SIM_NAME_MAX, "%s", name);
    kafka->partitions[topic] = partitions;
    kafka->read_by_group[topic] = read_by_group;
    return topic;
}

/* ---- records ---- */

/* Each header as "name=value\n". */
static size_t headers_bytes(const struct fb_outgoing *record) {
    size_t n = 0;
    for (uint32_t i = 0; i < record->n_headers; i++)
        n += record->headers[i].name.n + record->headers[i].value.n + 2;
    return n;
}

static struct fb_str copy(char **to, struct fb_str s) {
    if (!s.p)
        return s;
    struct fb_str copied = {*to, s.n};
    memcpy(*to, s.p, s.n);
    *to += s.n;
    return copied;
}

struct sim_record *sim_log_add(struct sim_kafka *kafka, int topic, int32_t partition,
                               const struct fb_outgoing *from) {
    FB_ASSERT(topic >= 0 && partition >= 0 && partition < kafka->partitions[topic]);
    struct sim_log *log = &kafka->logs[topic][partition];
    FB_PUSH_ROOM(log->records, log->n, log->cap);
    struct sim_record *record = &log->records[log->n++];
    size_t n_headers = headers_bytes(from);
    char *to = fb_alloc(from->key.n + from->value.n + n_headers + 1);
    *record = (struct sim_record){.bytes = to, .stamp_us = from->stamp_us};
    record->key = copy(&to, from->key);
    record->value = copy(&to, from->value);
    record->headers = (struct fb_str){to, n_headers};
    for (uint32_t i = 0; i < from->n_headers; i++) {
        copy(&to, from->headers[i].name);
        *to++ = '=';
        copy(&to, from->headers[i].value);
        *to++ = '\n';
    }
    if (record->stamp_us == FB_NO_STAMP)
        record->stamp_us = kafka->now_us;
    return record;
}

void sim_append(struct sim_kafka *kafka, int topic, int32_t partition, int64_t stamp_us,
                struct fb_str key, struct fb_str value) {
    struct fb_outgoing record = {.stamp_us = stamp_us, .key = key, .value = value};
    sim_log_add(kafka, topic, partition, &record)->state = SIM_PLAIN;
}

void sim_append_record(struct sim_kafka *kafka, int topic, const struct fb_outgoing *record) {
    sim_log_add(kafka, topic, record->partition, record)->state = SIM_PLAIN;
}

void sim_append_marker(struct sim_kafka *kafka, int topic, int32_t partition, bool aborted) {
    struct fb_outgoing record = {.stamp_us = FB_NO_STAMP, .value = FB_S("aborted")};
    if (aborted)
        sim_log_add(kafka, topic, partition, &record)->state = SIM_ABORTED;
    sim_log_add(kafka, topic, partition, &record)->state = SIM_CONTROL;
}

int64_t sim_stable_end(struct sim_kafka *kafka, int topic, int32_t partition) {
    struct sim_log *log = &kafka->logs[topic][partition];
    if (kafka->config.uncommitted)
        return (int64_t)log->n;
    while ((size_t)log->stable < log->n && log->records[log->stable].state != SIM_OPEN)
        log->stable++;
    return log->stable;
}

const struct sim_record *sim_next(struct sim_kafka *kafka, int topic, int32_t partition,
                                  int64_t from, int64_t *offset) {
    struct sim_log *log = &kafka->logs[topic][partition];
    int64_t end = sim_stable_end(kafka, topic, partition);
    for (int64_t i = from > log->first ? from : log->first; i < end; i++) {
        const struct sim_record *record = &log->records[i];
        if (!record->gone && (record->state == SIM_PLAIN || record->state == SIM_COMMITTED ||
                              (kafka->config.uncommitted && record->state != SIM_CONTROL))) {
            *offset = i;
            return record;
        }
    }
    return NULL;
}

void sim_compact(struct sim_kafka *kafka, int topic, int32_t partition, int64_t below) {
    struct sim_log *log = &kafka->logs[topic][partition];
    int64_t end = sim_stable_end(kafka, topic, partition);
    struct fb_map *seen = fb_map_new();
    for (int64_t i = (below < end ? below : end) - 1; i >= 0; i--) {
        struct sim_record *record = &log->records[i];
        if (record->state == SIM_ABORTED) {
            record->gone = true;
        } else if (record->state == SIM_COMMITTED || record->state == SIM_PLAIN) {
            record->gone |= fb_map_get(seen, record->key) != FB_MAP_NONE;
            fb_map_put(seen, record->key, 1);
        }
    }
    fb_map_free(seen);
}
