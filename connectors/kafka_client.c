/* What the Kafka connectors share: a client made of fixed, preset and the user's settings. */
#include "connectors/kafka_client.h"

#include <time.h>

#include "connectors/kafka_login.h"
#include "connectors/kafka_source.h"
#include "engine/base/log.h"

/* What a user may override: sizes and times that were measured to do well. */
static const struct fb_kafka_setting presets[] = {
    {"client.id", "flyball"},
    {"reconnect.backoff.max.ms", "1000"},
    {"socket.nagle.disable", "true"},
    {"socket.connection.setup.timeout.ms", "5000"},
    {"ssl.endpoint.identification.algorithm", "https"}, /* older libraries do not by themselves */
};
static const struct fb_kafka_setting consumer_presets[] = {
    {"session.timeout.ms", "30000"},
    {"heartbeat.interval.ms", "1000"},
    {"max.poll.interval.ms", "300000"},
    /* Little, so that memory is used again before it leaves the caches and its pages are taken
     * back; see kafka_batch.h for when so many are there. */
    {"queued.min.messages", "20000"},
    {"queued.max.messages.kbytes", "65536"},
    {"fetch.wait.max.ms", "50"},
    {"fetch.max.bytes", "15000000"},
    {"receive.message.max.bytes", "16777216"},
};
static const struct fb_kafka_setting producer_presets[] = {
    {"linger.ms", "1000"}, /* a commit sends at once what waits: see kafka_producer.c */
    {"compression.codec", "lz4"},
    {"retry.backoff.ms", "50"},
    {"queue.buffering.max.kbytes", "65536"},
    {"message.max.bytes", "8388608"},
};
/* What nobody may override. */
static const struct fb_kafka_setting consumer_fixed[] = {
    {"isolation.level", "read_committed"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"partition.assignment.strategy", "range"},
    {"enable.partition.eof", "true"},
    {"check.crcs", "true"},
};
static const struct fb_kafka_setting producer_fixed[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"message.timeout.ms", "0"},
};

void fb_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[256];
    FB_ASSERT(rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK);
}

static void set_all(rd_kafka_conf_t *conf, const struct fb_kafka_setting *settings, size_t n) {
    for (size_t i = 0; i < n; i++)
        fb_kafka_conf_set(conf, settings[i].name, settings[i].value);
}

#define SET_ALL(conf, table) set_all((conf), (table), sizeof(table) / sizeof *(table))

/* The library's own lines: what they say comes to us as errors too, so they are for debugging. */
void fb_kafka_on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
    (void)rk;
    (void)level;
    fb_log(FB_LOG_DEBUG, "kafka client: %s: %s", facility, text);
}

rd_kafka_conf_t *fb_kafka_conf_new(enum fb_kafka_role role,
                                   const struct fb_kafka_settings *settings, struct fb_err *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool consumer = role == FB_KAFKA_CONSUMER;
    char why[256];
    SET_ALL(conf, presets);
    if (consumer)
        SET_ALL(conf, consumer_presets);
    else
        SET_ALL(conf, producer_presets);
    /* Clients from 2.2 on look again only after this time, a second unless it is set, where their
     * queue was full; nothing wakes them, which kafka_batch.h does with older ones, which do not
     * know it. */
    if (consumer)
        rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "10", why, sizeof why);
    for (uint32_t i = 0; i < settings->n; i++)
        if (rd_kafka_conf_set(conf, settings->items[i].name, settings->items[i].value, why,
                              sizeof why) != RD_KAFKA_CONF_OK) {
            fb_fail(err, FB_FATAL, "'kafka.%s': %s", settings->items[i].name, why);
            rd_kafka_conf_destroy(conf);
            return NULL;
        }
    if (consumer)
        SET_ALL(conf, consumer_fixed);
    else
        SET_ALL(conf, producer_fixed);
    rd_kafka_conf_set_log_cb(conf, fb_kafka_on_log);
    return conf;
}

rd_kafka_t *fb_kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct fb_err *err) {
    char why[512];
    rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        fb_fail(err, FB_FATAL, "cannot make a Kafka client: %s", why);
    }
    return client;
}

bool fb_kafka_failed(struct fb_err *err, rd_kafka_resp_err_t code, const char *what) {
    enum fb_failure kind;
    switch (code) {
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        kind = FB_FATAL;
        break;
    default:
        kind = FB_RETRIABLE;
    }
    return fb_fail(err, kind, "%s: %s (%s)", what, rd_kafka_err2str(code), rd_kafka_err2name(code));
}

static uint32_t headers_of(void *message, struct fb_header *headers, uint32_t max) {
    rd_kafka_headers_t *all;
    if (rd_kafka_message_headers(message, &all) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    uint32_t n = (uint32_t)rd_kafka_header_cnt(all);
    for (uint32_t i = 0; i < n && i < max; i++) {
        const char *name;
        const void *value;
        size_t bytes;
        rd_kafka_header_get_all(all, i, &name, &value, &bytes);
        headers[i] = (struct fb_header){fb_str_of(name), {value, value ? bytes : 0}};
    }
    return n;
}

struct fb_record fb_kafka_record(rd_kafka_message_t *message, struct fb_str topic) {
    int64_t stamp_ms = rd_kafka_message_timestamp(message, NULL);
    return (struct fb_record){.topic = topic,
                              .partition = message->partition,
                              .offset = message->offset,
                              .stamp_us = stamp_ms < 0 ? FB_NO_STAMP : stamp_ms * 1000,
                              .key = {message->key, message->key_len},
                              .value = {message->payload, message->len},
                              .headers = headers_of,
                              .message = message};
}

rd_kafka_resp_err_t fb_kafka_ask_offset(rd_kafka_t *client, const char *topic, int32_t partition,
                                        int64_t at, int64_t *offset, int timeout_ms) {
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(one, topic, partition)->offset = at;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(client, one, timeout_ms);
    if (!code)
        code = one->elems[0].err;
    if (!code)
        *offset = one->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(one);
    return code;
}

/* The library asks who it took for the leader last time, also where that one is dead. */
void fb_kafka_look_who_leads(rd_kafka_t *client, const char *topic, int timeout_ms) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    if (handle && !rd_kafka_metadata(client, 0, handle, &metadata, timeout_ms))
        rd_kafka_metadata_destroy(metadata);
    if (handle)
        rd_kafka_topic_destroy(handle);
}

rd_kafka_resp_err_t fb_kafka_ask_ends(rd_kafka_t *client, const char *topic, int32_t partition,
                                      int64_t *first, int64_t *end, int timeout_ms) {
    rd_kafka_resp_err_t code =
        fb_kafka_ask_offset(client, topic, partition, RD_KAFKA_OFFSET_BEGINNING, first, timeout_ms);
    if (!code)
        code = fb_kafka_ask_offset(client, topic, partition, RD_KAFKA_OFFSET_END, end, timeout_ms);
    if (code)
        fb_kafka_look_who_leads(client, topic, timeout_ms);
    return code;
}

int64_t fb_kafka_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A broker that comes back is lost to some clients once more before all have found it. */
enum { FLUTTER_MS = 2000, LOOK_MS = 1000 };

static void tell_lost(struct fb_kafka_health *health, const char *reason) {
    if (!atomic_exchange(&health->told, true))
        fb_log(FB_LOG_WARN, "no Kafka broker can be reached (%s): waiting for one", reason);
}

void fb_kafka_on_no_answer(struct fb_kafka_health *health) {
    if (atomic_load(&health->lost) &&
        fb_kafka_now_ms() - atomic_load(&health->lost_at_ms) > FLUTTER_MS)
        tell_lost(health, "no answer");
}

bool fb_kafka_on_error(struct fb_kafka_health *health, rd_kafka_resp_err_t code,
                       const char *reason) {
    const struct fb_kafka_login *refused = fb_kafka_login_of(reason);
    struct fb_str words = fb_kafka_login_words(reason);
    switch (code) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        if (!atomic_exchange(&health->lost, true)) {
            atomic_store(&health->lost_at_ms, fb_kafka_now_ms());
            if (fb_kafka_now_ms() - atomic_load(&health->back_at_ms) > FLUTTER_MS)
                tell_lost(health, reason);
        }
        return true;
    default:
        if (refused && refused->lasting) /* the library holds back what it has said already */
            fb_log(FB_LOG_ERROR, "%s: %s (it says: %.*s); trying again", refused->what,
                   refused->help, FB_ARG(words));
        fb_log(FB_LOG_DEBUG, "kafka client: %s: %s", rd_kafka_err2name(code), reason);
        return false;
    }
}

void fb_kafka_on_answer(struct fb_kafka_health *health) {
    if (!atomic_load(&health->lost) || !atomic_exchange(&health->lost, false))
        return;
    int64_t now_ms = fb_kafka_now_ms();
    atomic_store(&health->back_at_ms, now_ms);
    if (atomic_exchange(&health->told, false))
        fb_log(FB_LOG_INFO, "Kafka is back after %lld ms",
               (long long)(now_ms - atomic_load(&health->lost_at_ms)));
}

bool fb_kafka_look(rd_kafka_t *client, struct fb_kafka_health *health) {
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(client, 0, NULL, &metadata, LOOK_MS)) {
        fb_kafka_on_error(health, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "no answer");
        fb_kafka_on_no_answer(health);
        return false;
    }
    rd_kafka_metadata_destroy(metadata);
    return true;
}
