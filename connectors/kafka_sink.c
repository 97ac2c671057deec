/* Writes records to topics. */
#include "connectors/kafka_sink.h"

#include <stdlib.h>

#include "connectors/kafka_producer.h"
#include "connectors/kafka_rights.h"
#include "engine/base/arena.h"
#include "engine/base/log.h"

struct kafka_sink {
    struct fb_sink base;
    const struct fb_kafka_sink_config *config;
    struct fb_kafka_producer producer;
};

/* A fatal error of an idempotent producer ends it: its messages are purged, with their failure
 * reported. What was put is put again by the owner, so a new producer takes its place. */
static bool reopen(struct kafka_sink *sink, struct fb_err *err) {
    fb_kafka_producer_close(&sink->producer);
    return fb_kafka_producer_open(&sink->producer, sink->config, NULL, err);
}

static bool put(struct fb_sink *base, const struct fb_outgoing *record, struct fb_err *err) {
    return fb_kafka_producer_put(&((struct kafka_sink *)base)->producer, record, err);
}

/* FB_COMMITTED: everything that was put is acknowledged. */
static enum fb_commit flush(struct kafka_sink *sink, int timeout_ms, struct fb_err *err) {
    struct fb_kafka_producer *producer = &sink->producer;
    char why[256];
    if (producer->waiting > 0)
        rd_kafka_flush(producer->client, timeout_ms);
    else
        rd_kafka_poll(producer->client, 0);
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(producer->client, why, sizeof why);
    /* A producer whose repeats are dropped needs the right to write some topic, whichever. */
    if (fb_kafka_denied(err, fatal, "Write", FB_KAFKA_ON_TOPIC, sink->config->topics[0]))
        return FB_COMMIT_FAILED;
    if (fatal) {
        fb_log(FB_LOG_WARN, "the Kafka producer failed and is made anew: %s", why);
        return reopen(sink, err) ? FB_COMMIT_AGAIN : FB_COMMIT_FAILED;
    }
    if (producer->failure.kind) {
        *err = producer->failure;
        return FB_COMMIT_FAILED;
    }
    return producer->waiting == 0 ? FB_COMMITTED : FB_COMMIT_WAIT;
}

/* At least once: positions follow when the outputs are safe. */
static enum fb_commit commit(struct fb_sink *base, struct fb_record_source *source,
                             const struct fb_position *positions, uint32_t n, int timeout_ms,
                             struct fb_err *err) {
    enum fb_commit flushed = flush((struct kafka_sink *)base, timeout_ms, err);
    if (flushed != FB_COMMITTED || n == 0 || source->calls->commit(source, positions, n, err))
        return flushed;
    return err->kind == FB_RETRIABLE ? FB_COMMITTED : FB_COMMIT_FAILED;
}

static void close_sink(struct fb_sink *base) {
    struct kafka_sink *sink = (struct kafka_sink *)base;
    fb_kafka_producer_close(&sink->producer);
    free(sink);
}

static const struct fb_sink_calls calls = {put, commit, close_sink};

struct fb_sink *fb_kafka_sink_open(const struct fb_kafka_sink_config *config, struct fb_err *err) {
    struct kafka_sink *sink = fb_alloc(sizeof *sink);
    sink->base.calls = &calls;
    sink->config = config;
    if (!fb_kafka_producer_open(&sink->producer, config, NULL, err)) {
        close_sink(&sink->base);
        return NULL;
    }
    return &sink->base;
}
