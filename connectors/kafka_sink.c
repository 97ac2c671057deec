/* Writes records to topics. */
#include "connectors/kafka_sink.h"

#include <stdlib.h>
#include <string.h>

#include "connectors/kafka_client.h"
#include "connectors/kafka_rights.h"
#include "connectors/kafka_source.h"
#include "engine/base/arena.h"
#include "engine/base/log.h"

struct kafka_sink {
    struct fb_sink base;
    const struct fb_kafka_sink_config *config;
    rd_kafka_t *producer;
    rd_kafka_topic_t **topics;
    uint64_t waiting;      /* handed to the library, fate unknown */
    struct fb_err failure; /* of the first delivery that failed; not failed: kind 0 */
};

/* Without this callback the library's flush would sleep in steps of 10 ms. */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    (void)rk;
    struct kafka_sink *sink = opaque;
    sink->waiting--;
    if (!message->err) {
        fb_kafka_on_answer(sink->config->health);
    } else if (!sink->failure.kind) {
        const char *topic = rd_kafka_topic_name(message->rkt);
        if (!fb_kafka_denied(&sink->failure, message->err, "Write", FB_KAFKA_ON_TOPIC, topic))
            fb_kafka_failed(&sink->failure, message->err, topic);
    }
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
    (void)rk;
    struct kafka_sink *sink = opaque;
    fb_kafka_on_error(sink->config->health, (rd_kafka_resp_err_t)code, reason);
}

/* A fatal error of an idempotent producer ends it: its messages are purged, with their failure
 * reported. What was put is put again by the owner, so a new producer takes its place. */
static bool open_producer(struct kafka_sink *sink, struct fb_err *err) {
    rd_kafka_conf_t *conf = fb_kafka_conf_new(FB_KAFKA_PRODUCER, &sink->config->settings, err);
    if (!conf)
        return false;
    rd_kafka_conf_set_opaque(conf, sink);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    sink->producer = fb_kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
    if (!sink->producer)
        return false;
    /* A topic that the client does not know yet would make its first record a second late. */
    for (uint32_t i = 0; i < sink->config->n_topics; i++)
        sink->topics[i] = rd_kafka_topic_new(sink->producer, sink->config->topics[i], NULL);
    return true;
}

static void close_producer(struct kafka_sink *sink) {
    if (!sink->producer)
        return;
    rd_kafka_purge(sink->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(sink->producer, 1000);
    for (uint32_t i = 0; i < sink->config->n_topics; i++)
        if (sink->topics[i])
            rd_kafka_topic_destroy(sink->topics[i]);
    rd_kafka_destroy(sink->producer);
    sink->producer = NULL;
    sink->waiting = 0;
}

static bool reopen(struct kafka_sink *sink, struct fb_err *err) {
    close_producer(sink);
    sink->failure = (struct fb_err){0};
    return open_producer(sink, err);
}

static uint32_t topic_index(const struct kafka_sink *sink, const char *topic) {
    for (uint32_t i = 0; i < sink->config->n_topics; i++)
        if (strcmp(sink->config->topics[i], topic) == 0)
            return i;
    fb_bug(__FILE__, __LINE__, "every output topic was named at the start");
}

static bool put(struct fb_sink *base, const struct fb_outgoing *record, struct fb_err *err) {
    struct kafka_sink *sink = (struct kafka_sink *)base;
    uint32_t topic = topic_index(sink, record->topic);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->n_headers);
    for (uint32_t i = 0; i < record->n_headers; i++)
        rd_kafka_header_add(headers, record->headers[i].name.p, (ssize_t)record->headers[i].name.n,
                            record->headers[i].value.p, (ssize_t)record->headers[i].value.n);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        sink->producer, RD_KAFKA_V_RKT(sink->topics[topic]),
        RD_KAFKA_V_PARTITION(record->partition % sink->config->partitions[topic]),
        RD_KAFKA_V_KEY(record->key.p, record->key.n),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value.p, record->value.n),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        sink->waiting++;
        return true;
    }
    rd_kafka_headers_destroy(headers); /* the library takes them only where it succeeds */
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(sink->producer, 10);
        return fb_fail(err, FB_RETRIABLE, "the Kafka client's queue is full");
    }
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        return true; /* flush says so, and what was put is put again */
    return fb_kafka_failed(err, code, record->topic);
}

/* FB_COMMITTED: everything that was put is acknowledged. */
static enum fb_commit flush(struct kafka_sink *sink, int timeout_ms, struct fb_err *err) {
    char why[256];
    if (sink->waiting > 0)
        rd_kafka_flush(sink->producer, timeout_ms);
    else
        rd_kafka_poll(sink->producer, 0);
    if (rd_kafka_fatal_error(sink->producer, why, sizeof why)) {
        fb_log(FB_LOG_WARN, "the Kafka producer failed and is made anew: %s", why);
        return reopen(sink, err) ? FB_COMMIT_AGAIN : FB_COMMIT_FAILED;
    }
    if (sink->failure.kind) {
        *err = sink->failure;
        return FB_COMMIT_FAILED;
    }
    return sink->waiting == 0 ? FB_COMMITTED : FB_COMMIT_WAIT;
}

/* At least once: positions follow when the outputs are safe. */
static enum fb_commit commit(struct fb_sink *base, struct fb_record_source *source,
                             const struct fb_position *positions, uint32_t n, int timeout_ms,
                             struct fb_err *err) {
    enum fb_commit flushed = flush((struct kafka_sink *)base, timeout_ms, err);
    if (flushed != FB_COMMITTED || source->calls->commit(source, positions, n, err))
        return flushed;
    return err->kind == FB_RETRIABLE ? FB_COMMITTED : FB_COMMIT_FAILED;
}

static void close_sink(struct fb_sink *base) {
    struct kafka_sink *sink = (struct kafka_sink *)base;
    close_producer(sink);
    free(sink->topics);
    free(sink);
}

static const struct fb_sink_calls calls = {put, commit, close_sink};

struct fb_sink *fb_kafka_sink_open(const struct fb_kafka_sink_config *config, struct fb_err *err) {
    struct kafka_sink *sink = fb_alloc(sizeof *sink);
    sink->base.calls = &calls;
    sink->config = config;
    sink->topics = fb_alloc(config->n_topics * sizeof *sink->topics);
    if (!open_producer(sink, err)) {
        close_sink(&sink->base);
        return NULL;
    }
    return &sink->base;
}
