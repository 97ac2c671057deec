/* A producer with its output topics. */
#include "connectors/kafka_producer.h"

#include <stdlib.h>
#include <string.h>

#include "connectors/kafka_rights.h"
#include "connectors/kafka_source.h"
#include "engine/base/arena.h"

/* The broker ends a transaction of this age, so no record of it may be waited for longer. Shorter
 * ones would not outlast the failover of a broker (10 s were measured to be too few). */
#define TRANSACTION_MS "30000"

enum {
    SEND_MS = 100,    /* for one batch; a commit waits for as long as it takes */
    RECORD_BYTES = 64 /* more of a record than its parts, at most */
};

/* A batch of one partition, the last one that was put to, on its way together. */
struct fb_kafka_filling {
    int32_t partition;
    size_t bytes, records;
};

void fb_kafka_set_transactional(rd_kafka_conf_t *conf, const char *transactional_id) {
    fb_kafka_conf_set(conf, "transactional.id", transactional_id);
    fb_kafka_conf_set(conf, "transaction.timeout.ms", TRANSACTION_MS);
    fb_kafka_conf_set(conf, "message.timeout.ms", TRANSACTION_MS);
}

/* In a transaction these come of an outage, of an abort, or of the state of the producer, which the
 * commit looks at: its records are put again. */
static bool passes(rd_kafka_resp_err_t code) {
    switch (code) {
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING:
    case RD_KAFKA_RESP_ERR_INVALID_TXN_STATE:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
        return true;
    default:
        return false;
    }
}

/* Without this callback the library's flush would sleep in steps of 10 ms. */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    (void)rk;
    struct fb_kafka_producer *producer = opaque;
    producer->waiting--;
    if (!message->err) {
        fb_kafka_on_answer(producer->config->health);
    } else if (!producer->failure.kind && !(producer->transactional && passes(message->err))) {
        const char *topic = rd_kafka_topic_name(message->rkt);
        if (!fb_kafka_denied(&producer->failure, message->err, "Write", FB_KAFKA_ON_TOPIC, topic))
            fb_kafka_failed(&producer->failure, message->err, topic);
    }
}

/* ---- batches ----
 * The library sends one batch of a partition at a time where it must keep their order, and as long
 * as more waits behind that its thread (up to 2.0.2 at least) does not sleep. So no more is put
 * than makes one batch, which is then sent. */

static size_t setting_of(const rd_kafka_t *client, const char *name) {
    char value[32] = "";
    size_t room = sizeof value;
    FB_ASSERT(rd_kafka_conf_get(rd_kafka_conf((rd_kafka_t *)(uintptr_t)client), name, value,
                                &room) == RD_KAFKA_CONF_OK);
    return strtoul(value, NULL, 10);
}

static void begin_batches(struct fb_kafka_producer *producer) {
    for (uint32_t i = 0; i < producer->config->n_topics; i++)
        producer->fillings[i] = (struct fb_kafka_filling){0};
}

static size_t bytes_of(const struct fb_outgoing *record) {
    size_t bytes = RECORD_BYTES + record->key.n + record->value.n;
    for (uint32_t i = 0; i < record->n_headers; i++)
        bytes += record->headers[i].name.n + record->headers[i].value.n + 2 * sizeof(int64_t);
    return bytes;
}

/* Makes room for a record in its batch; where the broker is slow it becomes a part of the next. */
static void make_room(struct fb_kafka_producer *producer, uint32_t topic,
                      const struct fb_outgoing *record) {
    struct fb_kafka_filling *filling = &producer->fillings[topic];
    size_t bytes = bytes_of(record);
    if (producer->waiting == 0)
        begin_batches(producer);
    if (filling->partition != record->partition)
        *filling = (struct fb_kafka_filling){.partition = record->partition};
    if (filling->records >= producer->batch_records_max ||
        (filling->records && filling->bytes + bytes > producer->batch_bytes_max)) {
        rd_kafka_flush(producer->client, SEND_MS);
        begin_batches(producer);
        filling->partition = record->partition;
    }
    filling->bytes += bytes;
    filling->records++;
}

/* ---- the client's life ---- */

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
    (void)rk;
    struct fb_kafka_producer *producer = opaque;
    fb_kafka_on_error(producer->config->health, (rd_kafka_resp_err_t)code, reason);
}

/* On a thread of the library, which says only here which topic was refused in a transaction. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
    struct fb_kafka_producer *producer = rd_kafka_opaque(rk);
    const char *name = strcmp(facility, "ADDPARTS") == 0 ? strstr(text, "add partition \"") : NULL;
    fb_kafka_on_log(rk, level, facility, text);
    if (!name || !strstr(name, "authorization failed"))
        return;
    name = strchr(name, '"') + 1;
    for (uint32_t i = 0; i < producer->config->n_topics; i++) {
        size_t n = strlen(producer->config->topics[i]);
        if (strncmp(name, producer->config->topics[i], n) == 0 && name[n] == '"')
            atomic_store(&producer->denied, i + 1);
    }
}

bool fb_kafka_producer_open(struct fb_kafka_producer *producer,
                            const struct fb_kafka_sink_config *config, const char *transactional_id,
                            struct fb_err *err) {
    *producer = (struct fb_kafka_producer){.config = config, .transactional = transactional_id};
    rd_kafka_conf_t *conf = fb_kafka_conf_new(FB_KAFKA_PRODUCER, &config->settings, err);
    if (!conf)
        return false;
    if (transactional_id)
        fb_kafka_set_transactional(conf, transactional_id);
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_log_cb(conf, on_log);
    producer->client = fb_kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
    if (!producer->client)
        return false;
    /* A topic that the client does not know yet would make its first record a second late. */
    producer->topics = fb_alloc((config->n_topics + 1) * sizeof(rd_kafka_topic_t *));
    producer->fillings = fb_alloc((config->n_topics + 1) * sizeof *producer->fillings);
    producer->batch_bytes_max = setting_of(producer->client, "batch.size");
    producer->batch_records_max = setting_of(producer->client, "batch.num.messages");
    for (uint32_t i = 0; i < config->n_topics; i++)
        producer->topics[i] = rd_kafka_topic_new(producer->client, config->topics[i], NULL);
    return true;
}

void fb_kafka_producer_close(struct fb_kafka_producer *producer) {
    if (!producer->client)
        return;
    rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(producer->client, 1000);
    for (uint32_t i = 0; i < producer->config->n_topics; i++)
        if (producer->topics[i])
            rd_kafka_topic_destroy(producer->topics[i]);
    free(producer->topics);
    free(producer->fillings);
    rd_kafka_destroy(producer->client);
    *producer = (struct fb_kafka_producer){0};
}

/* Most who put name a topic by the very text that it was opened by. */
static uint32_t topic_index(const struct fb_kafka_producer *producer, const char *topic) {
    for (uint32_t i = 0; i < producer->config->n_topics; i++)
        if (producer->config->topics[i] == topic)
            return i;
    for (uint32_t i = 0; i < producer->config->n_topics; i++)
        if (strcmp(producer->config->topics[i], topic) == 0)
            return i;
    fb_bug(__FILE__, __LINE__, "every output topic was named at the start");
}

bool fb_kafka_producer_put(struct fb_kafka_producer *producer, const struct fb_outgoing *record,
                           struct fb_err *err) {
    uint32_t topic = topic_index(producer, record->topic);
    make_room(producer, topic, record);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->n_headers);
    for (uint32_t i = 0; i < record->n_headers; i++)
        rd_kafka_header_add(headers, record->headers[i].name.p, (ssize_t)record->headers[i].name.n,
                            record->headers[i].value.p, (ssize_t)record->headers[i].value.n);
    int64_t stamp_ms = record->stamp_us > 0 ? record->stamp_us / 1000 : 0; /* 0: the client's now */
    rd_kafka_resp_err_t code = rd_kafka_producev(
        producer->client, RD_KAFKA_V_RKT(producer->topics[topic]),
        RD_KAFKA_V_PARTITION(record->partition % producer->config->partitions[topic]),
        RD_KAFKA_V_KEY(record->key.p, record->key.n),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value.p, record->value.n),
        RD_KAFKA_V_TIMESTAMP(stamp_ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        producer->waiting++;
        return true;
    }
    rd_kafka_headers_destroy(headers); /* the library takes them only where it succeeds */
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(producer->client, 10);
        return fb_fail(err, FB_RETRIABLE, "the Kafka client's queue is full");
    }
    if (code == RD_KAFKA_RESP_ERR__FATAL ||
        (producer->transactional && code == RD_KAFKA_RESP_ERR__STATE))
        return true;
    return !fb_kafka_denied(err, code, "Write", FB_KAFKA_ON_TOPIC, record->topic) &&
           fb_kafka_failed(err, code, record->topic);
}
