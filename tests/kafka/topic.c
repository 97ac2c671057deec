#include "tests/kafka/topic.h"

#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/err.h"

enum { PATIENCE_MS = 60000, POLL_MS = 100 };

static _Noreturn void die(const char *topic, const char *what) {
    fprintf(stderr, "topic %s: %s\n", topic, what);
    abort();
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A client with settings: pairs of key and value, ended by NULL. */
static rd_kafka_t *client(rd_kafka_type_t type, const char *address, const char *const *settings,
                          void (*on_delivery)(rd_kafka_t *, const rd_kafka_message_t *, void *),
                          void *opaque) {
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", address, text, sizeof text))
        die(address, text);
    for (; settings[0]; settings += 2)
        if (rd_kafka_conf_set(conf, settings[0], settings[1], text, sizeof text))
            die(address, text);
    if (on_delivery)
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_opaque(conf, opaque);
    rd_kafka_t *made = rd_kafka_new(type, conf, text, sizeof text);
    if (!made)
        die(address, text);
    return made;
}

void fb_topic_name(char name[static 64], const char *prefix) {
    uint64_t chance;
    FB_ASSERT(getrandom(&chance, sizeof chance, 0) == (ssize_t)sizeof chance);
    snprintf(name, 64, "%.40s-%016llx", prefix, (unsigned long long)chance);
}

/* The number of partitions, 0 while the topic is unknown or one of them has no leader. */
static int partitions_of(rd_kafka_t *any, const char *topic) {
    rd_kafka_topic_t *handle = rd_kafka_topic_new(any, topic, NULL);
    const struct rd_kafka_metadata *metadata;
    int n = 0;
    if (!rd_kafka_metadata(any, 0, handle, &metadata, PATIENCE_MS)) {
        if (metadata->topic_cnt == 1 && !metadata->topics[0].err)
            n = metadata->topics[0].partition_cnt;
        for (int i = 0; i < n; i++)
            if (metadata->topics[0].partitions[i].leader < 0)
                n = 0;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(handle);
    return n;
}

/* The offset after the last record that the consumer's isolation lets it see, and the first. A
 * broker tells who leads a partition before that one is ready to, so some errors pass by. */
static int64_t end_of(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *first) {
    for (int64_t start = now_ms();; usleep(10000)) {
        int64_t end;
        rd_kafka_resp_err_t err =
            rd_kafka_query_watermark_offsets(rk, topic, partition, first, &end, PATIENCE_MS);
        if (!err)
            return end;
        if (now_ms() - start > PATIENCE_MS)
            die(topic, rd_kafka_err2str(err));
    }
}

void fb_topic_create(const char *address, const char *topic, int partitions,
                     const char *const *settings) {
    fb_topic_create_on(address, topic, partitions, -1, settings);
}

void fb_topic_create_on(const char *address, const char *topic, int partitions, int copies,
                        const char *const *settings) {
    static const char *const none[] = {NULL};
    char text[256];
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, address, none, NULL, NULL);
    rd_kafka_NewTopic_t *wanted =
        rd_kafka_NewTopic_new(topic, partitions, copies, text, sizeof text);
    if (!wanted)
        die(topic, text);
    for (; settings && settings[0]; settings += 2)
        if (rd_kafka_NewTopic_set_config(wanted, settings[0], settings[1]))
            die(topic, settings[0]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, PATIENCE_MS);
    if (!event || rd_kafka_event_error(event))
        die(topic, event ? rd_kafka_event_error_string(event) : "no answer to its creation");
    size_t n;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    if (n != 1 || rd_kafka_topic_result_error(results[0]))
        die(topic, n == 1 ? rd_kafka_topic_result_error_string(results[0]) : "no result");
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wanted);
    for (int64_t start = now_ms(); partitions_of(rk, topic) != partitions; usleep(10000))
        if (now_ms() - start > PATIENCE_MS)
            die(topic, "its partitions have no leader after a minute");
    for (int32_t i = 0; i < partitions; i++) {
        int64_t first;
        end_of(rk, topic, i, &first);
    }
    rd_kafka_destroy(rk);
}

/* ---- writing ---- */

struct delivery {
    size_t failed;
    rd_kafka_resp_err_t last;
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    (void)rk;
    struct delivery *delivery = opaque;
    if (message->err) {
        delivery->failed++;
        delivery->last = message->err;
    }
}

static rd_kafka_t *producer(const char *address, struct delivery *delivery) {
    /* A fetch brings whole batches, however small it is meant to be: so they are small. */
    static const char *const settings[] = {
        "enable.idempotence", "true", "linger.ms", "5", "partitioner", "murmur2_random",
        "batch.num.messages", "100",  NULL};
    *delivery = (struct delivery){0};
    return client(RD_KAFKA_PRODUCER, address, settings, on_delivery, delivery);
}

static void finish(rd_kafka_t *rk, const char *topic, const struct delivery *delivery) {
    if (rd_kafka_flush(rk, PATIENCE_MS))
        die(topic, "not all was stored within a minute");
    if (delivery->failed)
        die(topic, rd_kafka_err2str(delivery->last));
    rd_kafka_destroy(rk);
}

void fb_topic_put(const char *address, const char *topic, int32_t partition, int64_t stamp_ms,
                  const char *key, const char *value, const struct fb_topic_header *headers,
                  size_t headers_n) {
    struct delivery delivery;
    rd_kafka_t *rk = producer(address, &delivery);
    rd_kafka_headers_t *list = rd_kafka_headers_new(headers_n);
    for (size_t i = 0; i < headers_n; i++)
        rd_kafka_header_add(list, headers[i].name, -1, headers[i].value,
                            (ssize_t)headers[i].value_n);
    rd_kafka_resp_err_t err = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
        RD_KAFKA_V_VALUE((char *)value, value ? strlen(value) : 0), RD_KAFKA_V_TIMESTAMP(stamp_ms),
        RD_KAFKA_V_HEADERS(list), RD_KAFKA_V_END);
    if (err)
        die(topic, rd_kafka_err2str(err));
    finish(rk, topic, &delivery);
}

/* The text of "field": "text" in a line, *n bytes long; NULL where there is none. */
static const char *text_field(const char *line, const char *field, size_t *n) {
    char quoted[128];
    snprintf(quoted, sizeof quoted, "\"%s\"", field);
    const char *at = strstr(line, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " ");
    if (*at++ != ':')
        return NULL;
    at += strspn(at, " ");
    if (*at++ != '"')
        return NULL;
    *n = strcspn(at, "\"");
    return at;
}

void fb_topic_put_all(const char *address, const char *topic, const struct fb_topic_record *records,
                      size_t n) {
    struct delivery delivery;
    rd_kafka_t *rk = producer(address, &delivery);
    for (size_t i = 0; i < n; i++) {
        const struct fb_topic_record *record = &records[i];
        rd_kafka_resp_err_t err;
        while (
            (err = rd_kafka_producev(
                 rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(record->partition),
                 RD_KAFKA_V_TIMESTAMP(record->stamp_ms), RD_KAFKA_V_KEY(record->key, record->key_n),
                 RD_KAFKA_V_VALUE(record->value, record->value_n),
                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END))) {
            if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                die(topic, rd_kafka_err2str(err));
            rd_kafka_poll(rk, POLL_MS);
        }
        rd_kafka_poll(rk, 0);
    }
    finish(rk, topic, &delivery);
}

size_t fb_topic_put_file(const char *address, const char *topic, const char *path,
                         const char *key_field) {
    FILE *file = fopen(path, "r");
    if (!file)
        die(topic, path);
    struct delivery delivery;
    rd_kafka_t *rk = producer(address, &delivery);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    char *line = NULL;
    size_t cap = 0, lines = 0;
    for (ssize_t n; (n = getline(&line, &cap, file)) > 0; lines++) {
        if (line[n - 1] == '\n')
            line[--n] = '\0';
        size_t key_n = 0;
        const char *key = key_field ? text_field(line, key_field, &key_n) : NULL;
        while (rd_kafka_produce(handle, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, line, (size_t)n,
                                key, key_n, NULL) == -1) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                die(topic, rd_kafka_err2str(rd_kafka_last_error()));
            rd_kafka_poll(rk, POLL_MS);
        }
        rd_kafka_poll(rk, 0);
    }
    free(line);
    fclose(file);
    rd_kafka_topic_destroy(handle);
    finish(rk, topic, &delivery);
    return lines;
}

/* ---- reading ---- */

static rd_kafka_t *consumer(const char *address, const char *group, bool committed) {
    const char *const settings[] = {"group.id",
                                    group,
                                    "enable.auto.commit",
                                    "false",
                                    "enable.partition.eof",
                                    "true",
                                    "auto.offset.reset",
                                    "error",
                                    "fetch.wait.max.ms",
                                    "20",
                                    "isolation.level",
                                    committed ? "read_committed" : "read_uncommitted",
                                    NULL};
    return client(RD_KAFKA_CONSUMER, address, settings, NULL, NULL);
}

static char *copy_of(const void *bytes, size_t n) {
    if (!bytes)
        return NULL;
    char *copy = malloc(n + 1);
    FB_ASSERT(copy);
    if (n)
        memcpy(copy, bytes, n);
    copy[n] = '\0';
    return copy;
}

static void keep(struct fb_records *records, size_t *cap, const rd_kafka_message_t *message) {
    if (records->n == *cap) {
        *cap = *cap * 2 + 64;
        records->v = realloc(records->v, *cap * sizeof *records->v);
        FB_ASSERT(records->v);
    }
    rd_kafka_timestamp_type_t type;
    struct fb_topic_record *record = &records->v[records->n++];
    *record = (struct fb_topic_record){
        .partition = message->partition,
        .offset = message->offset,
        .stamp_ms = rd_kafka_message_timestamp(message, &type),
        .key = copy_of(message->key, message->key_len),
        .key_n = message->key_len,
        .value = copy_of(message->payload, message->len),
        .value_n = message->len,
    };
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers))
        return;
    record->headers_n = rd_kafka_header_cnt(headers);
    record->headers = calloc(record->headers_n + 1, sizeof *record->headers);
    FB_ASSERT(record->headers);
    for (size_t i = 0; i < record->headers_n; i++) {
        const char *name;
        const void *value;
        size_t n;
        rd_kafka_header_get_all(headers, i, &name, &value, &n);
        record->headers[i] =
            (struct fb_topic_header){copy_of(name, strlen(name)), copy_of(value, n), n};
    }
}

/* One partition from its first record to its present end. */
static void read_partition(rd_kafka_t *rk, const char *topic, int32_t partition,
                           struct fb_records *records, size_t *cap) {
    int64_t at, end = end_of(rk, topic, partition, &at);
    if (at >= end)
        return;
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(one, topic, partition)->offset = at;
    rd_kafka_assign(rk, one);
    while (at < end) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, PATIENCE_MS);
        if (!message)
            die(topic, "nothing came for a minute");
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            at = message->offset; /* the only sign of progress over the marks of transactions */
        } else if (message->err) {
            die(topic, rd_kafka_message_errstr(message));
        } else {
            at = message->offset + 1;
            if (message->offset < end)
                keep(records, cap, message);
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_assign(rk, NULL);
    rd_kafka_topic_partition_list_destroy(one);
}

struct fb_records fb_topic_read(const char *address, const char *topic, bool committed) {
    rd_kafka_t *rk = consumer(address, "fb-test-reader", committed);
    rd_kafka_poll_set_consumer(rk);
    struct fb_records records = {0};
    size_t cap = 0;
    int partitions = partitions_of(rk, topic);
    if (!partitions)
        die(topic, "does not exist, or has no leader");
    for (int32_t i = 0; i < partitions; i++)
        read_partition(rk, topic, i, &records, &cap);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return records;
}

struct fb_records fb_topic_await(const char *address, const char *topic, bool committed, size_t n) {
    size_t seen = 0;
    for (int64_t since = now_ms();; usleep(50000)) {
        struct fb_records records = fb_topic_read(address, topic, committed);
        if (records.n >= n)
            return records;
        if (records.n > seen) {
            seen = records.n;
            since = now_ms();
        }
        fb_records_free(&records);
        if (now_ms() - since > PATIENCE_MS) {
            fprintf(stderr, "topic %s: %zu records, waiting for %zu\n", topic, seen, n);
            die(topic, "no further record for a minute");
        }
    }
}

void fb_records_free(struct fb_records *records) {
    for (size_t i = 0; i < records->n; i++) {
        struct fb_topic_record *record = &records->v[i];
        for (size_t k = 0; k < record->headers_n; k++) {
            free(record->headers[k].name);
            free(record->headers[k].value);
        }
        free(record->headers);
        free(record->key);
        free(record->value);
    }
    free(records->v);
    *records = (struct fb_records){0};
}

const char *fb_record_header(const struct fb_topic_record *record, const char *name) {
    for (size_t i = 0; i < record->headers_n; i++)
        if (!strcmp(record->headers[i].name, name))
            return record->headers[i].value;
    return NULL;
}

static int64_t group_offset(const char *address, const char *group, const char *topic,
                            int32_t partition, bool stable) {
    rd_kafka_t *rk = consumer(address, group, stable);
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(one, topic, partition);
    rd_kafka_resp_err_t err;
    /* A node that was just started does not know at once that it coordinates the group. */
    for (int64_t start = now_ms();
         (err = rd_kafka_committed(rk, one, PATIENCE_MS)) || (err = one->elems[0].err);
         usleep(50000))
        if (now_ms() - start > PATIENCE_MS)
            die(topic, rd_kafka_err2str(err));
    int64_t offset = one->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(one);
    rd_kafka_destroy(rk);
    return offset == RD_KAFKA_OFFSET_INVALID ? -1 : offset;
}

int64_t fb_group_offset(const char *address, const char *group, const char *topic,
                        int32_t partition) {
    return group_offset(address, group, topic, partition, false);
}

int64_t fb_group_offset_stable(const char *address, const char *group, const char *topic,
                               int32_t partition) {
    return group_offset(address, group, topic, partition, true);
}

int64_t fb_topic_end(const char *address, const char *topic, int32_t partition, bool committed) {
    rd_kafka_t *rk = consumer(address, "fb-test-reader", committed);
    int64_t first, end = end_of(rk, topic, partition, &first);
    rd_kafka_destroy(rk);
    return end;
}

static void await_answer(rd_kafka_queue_t *queue, const char *topic, const char *none) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, PATIENCE_MS);
    if (!event || rd_kafka_event_error(event))
        die(topic, event ? rd_kafka_event_error_string(event) : none);
    rd_kafka_event_destroy(event);
}

void fb_topic_cut(const char *address, const char *topic, int32_t partition, int64_t before) {
    static const char *const none[] = {NULL};
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, address, none, NULL, NULL);
    rd_kafka_topic_partition_list_t *to = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(to, topic, partition)->offset = before;
    rd_kafka_DeleteRecords_t *wanted = rd_kafka_DeleteRecords_new(to);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteRecords(rk, &wanted, 1, NULL, queue);
    await_answer(queue, topic, "no answer to the deletion");
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteRecords_destroy(wanted);
    rd_kafka_topic_partition_list_destroy(to);
    rd_kafka_destroy(rk);
}

void fb_topic_grow(const char *address, const char *topic, int partitions) {
    static const char *const none[] = {NULL};
    char why[256];
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, address, none, NULL, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewPartitions_t *wanted =
        rd_kafka_NewPartitions_new(topic, (size_t)partitions, why, sizeof why);
    if (!wanted)
        die(topic, why);
    rd_kafka_CreatePartitions(rk, &wanted, 1, NULL, queue);
    await_answer(queue, topic, "no answer about new partitions");
    for (int64_t start = now_ms(); partitions_of(rk, topic) != partitions; usleep(50000))
        if (now_ms() - start > PATIENCE_MS)
            die(topic, "no partitions were added");
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewPartitions_destroy(wanted);
    rd_kafka_destroy(rk);
}

void fb_topic_delete(const char *address, const char *topic) {
    static const char *const none[] = {NULL};
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, address, none, NULL, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *wanted = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(rk, &wanted, 1, NULL, queue);
    await_answer(queue, topic, "no answer about its deletion");
    for (int64_t start = now_ms(); partitions_of(rk, topic) > 0; usleep(50000))
        if (now_ms() - start > PATIENCE_MS)
            die(topic, "it was deleted and does not go");
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy(wanted);
    rd_kafka_destroy(rk);
}

static rd_kafka_resp_err_t delete_once(rd_kafka_t *rk, const char *group) {
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteGroup_t *wanted = rd_kafka_DeleteGroup_new(group);
    rd_kafka_DeleteGroups(rk, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, PATIENCE_MS);
    rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    size_t n = 0;
    const rd_kafka_group_result_t **groups =
        code ? NULL
             : rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &n);
    if (n == 1 && rd_kafka_group_result_error(groups[0]))
        code = rd_kafka_error_code(rd_kafka_group_result_error(groups[0]));
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_DeleteGroup_destroy(wanted);
    rd_kafka_queue_destroy(queue);
    return code;
}

void fb_group_delete(const char *address, const char *group) {
    static const char *const none[] = {NULL};
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, address, none, NULL, NULL);
    rd_kafka_resp_err_t code;
    for (int64_t start = now_ms(); (code = delete_once(rk, group)); usleep(100000))
        if (now_ms() - start > PATIENCE_MS)
            die(group, rd_kafka_err2str(code));
    rd_kafka_destroy(rk);
}
