/* Writes records to topics in transactions.
 *
 * The library's calls can be repeated until they end, but each only by itself: a commit that is
 * under way goes on with a commit, an abort with an abort. So the stage is kept, and what an abort
 * will have been for. */
#include "connectors/kafka_txn_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/kafka_group.h"
#include "connectors/kafka_producer.h"
#include "connectors/kafka_rights.h"
#include "connectors/kafka_source.h"
#include "engine/base/arena.h"
#include "engine/base/log.h"

enum {
    OFFSETS_MS = 30000, /* a shorter time would not outlast the failover of a broker */
    ANSWER_MS = 1000,
    CLOSE_MS = 2000,
    AGAIN_MS = 100 /* a second abort in a row waits so long: its cause lasts */
};

enum stage {
    READY,      /* nothing is begun */
    OPEN,       /* records may be put */
    COMMITTING, /* the positions are sent */
    ABORTING,
    BROKEN /* only a new producer helps */
};

struct txn_sink {
    struct fb_sink base;
    const struct fb_kafka_txn_sink_config *config;
    struct fb_kafka_producer producer;
    enum stage stage;
    enum fb_commit outcome; /* ABORTING: of the commit, when that is done */
    struct fb_err why;      /* of that outcome, or of BROKEN */
    unsigned aborts;        /* since the last commit that went well */
};

/* ---- errors ---- */

/* What was wrong at first: after a fatal error the library only says that there was one. */
static rd_kafka_resp_err_t cause_of(const struct txn_sink *sink, const rd_kafka_error_t *error) {
    char text[256];
    rd_kafka_resp_err_t first = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (rd_kafka_error_is_fatal(error) || rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__FATAL)
        first = rd_kafka_fatal_error(sink->producer.client, text, sizeof text);
    return first ? first : rd_kafka_error_code(error);
}

/* Where code is a lack of rights: says which, and returns true. */
static bool denied(const struct txn_sink *sink, rd_kafka_resp_err_t code, struct fb_err *err) {
    const struct fb_kafka_sink_config *config = &sink->config->sink;
    unsigned refused = atomic_load(&sink->producer.denied);
    char topics[256] = "";
    int n = 0;
    switch (code) {
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
        return fb_kafka_denied(err, code, "Write", FB_KAFKA_ON_TRANSACTIONAL_ID,
                               sink->config->transactional_id);
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return fb_kafka_denied(err, code, "Read", FB_KAFKA_ON_GROUP,
                               sink->config->group ? sink->config->group : "");
    default:
        for (uint32_t i = 0; i < config->n_topics && n < (int)sizeof topics; i++)
            n += snprintf(topics + n, sizeof topics - (size_t)n, "%s%s", i ? "' or '" : "",
                          config->topics[i]);
        return fb_kafka_denied(err, code, "Write", FB_KAFKA_ON_TOPIC,
                               refused ? config->topics[refused - 1] : topics);
    }
}

/* Whether the source is no longer the member that it was: it has to join again before a commit can
 * go well. */
static bool is_stale(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

/* Another producer with this id came meanwhile; a new one will do. */
static bool is_fenced(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

static void describe(struct fb_err *err, enum fb_failure kind, const char *what,
                     rd_kafka_resp_err_t code, const rd_kafka_error_t *error) {
    fb_fail(err, kind, "%s: %s (%s)", what, rd_kafka_error_string(error), rd_kafka_err2name(code));
}

/* ---- the ends of a transaction ---- */

static enum fb_commit broken(struct txn_sink *sink, const char *what, rd_kafka_error_t *error,
                             struct fb_err *err) {
    rd_kafka_resp_err_t code = cause_of(sink, error);
    bool final = denied(sink, code, &sink->why);
    if (!final)
        describe(&sink->why, FB_RETRIABLE, what, code, error);
    rd_kafka_error_destroy(error);
    sink->stage = BROKEN;
    sink->outcome = final ? FB_COMMIT_FAILED : FB_COMMIT_DOUBT;
    *err = sink->why;
    return sink->outcome;
}

/* Nothing of this transaction is to be seen; then says what the commit has come to. */
static enum fb_commit go_on_aborting(struct txn_sink *sink, int timeout_ms, struct fb_err *err) {
    rd_kafka_error_t *error = rd_kafka_abort_transaction(sink->producer.client, timeout_ms);
    if (error && rd_kafka_error_is_retriable(error) && !rd_kafka_error_is_fatal(error)) {
        describe(err, FB_RETRIABLE, "the transaction is not aborted yet",
                 rd_kafka_error_code(error), error);
        rd_kafka_error_destroy(error);
        return FB_COMMIT_WAIT;
    }
    if (error && sink->outcome == FB_COMMIT_FAILED) {
        /* A transaction whose first topic may not be written never began for the broker, which then
         * refuses its abort: what was wrong at first counts. */
        rd_kafka_error_destroy(error);
        sink->stage = BROKEN;
        *err = sink->why;
        return FB_COMMIT_FAILED;
    }
    if (error)
        return broken(sink, "the transaction cannot be aborted", error, err);
    rd_kafka_poll(sink->producer.client, 0); /* what on_delivery has to say */
    sink->stage = READY;
    if (sink->producer.failure.kind) {
        sink->why = sink->producer.failure;
        sink->outcome = FB_COMMIT_FAILED;
    }
    if (sink->outcome == FB_COMMIT_AGAIN) {
        bool told = (sink->aborts & (sink->aborts + 1)) == 0; /* ever more seldom */
        fb_log(told ? FB_LOG_WARN : FB_LOG_DEBUG,
               "a transaction was aborted, its records are put again: %s", sink->why.text);
        if (sink->aborts++ > 0)
            usleep(AGAIN_MS * 1000);
    }
    *err = sink->why;
    return sink->outcome;
}

static enum fb_commit abort_for(struct txn_sink *sink, const char *what, rd_kafka_error_t *error,
                                int timeout_ms, struct fb_err *err) {
    rd_kafka_resp_err_t code = cause_of(sink, error);
    sink->outcome = is_stale(code) ? FB_COMMIT_DOUBT : FB_COMMIT_AGAIN;
    if (denied(sink, code, &sink->why))
        sink->outcome = FB_COMMIT_FAILED;
    else
        describe(&sink->why, FB_RETRIABLE, what, code, error);
    rd_kafka_error_destroy(error);
    sink->stage = ABORTING;
    return go_on_aborting(sink, timeout_ms, err);
}

/* ---- put and commit ---- */

static bool begin(struct txn_sink *sink, struct fb_err *err) {
    if (sink->stage != READY)
        return sink->stage != BROKEN;
    rd_kafka_error_t *error = rd_kafka_begin_transaction(sink->producer.client);
    if (error) {
        broken(sink, "no transaction can be begun", error, err);
        return false;
    }
    sink->stage = OPEN;
    return true;
}

static bool put(struct fb_sink *base, const struct fb_outgoing *record, struct fb_err *err) {
    struct txn_sink *sink = (struct txn_sink *)base;
    FB_ASSERT(sink->stage != COMMITTING && sink->stage != ABORTING);
    if (!begin(sink, err))
        return true; /* the commit says so */
    return fb_kafka_producer_put(&sink->producer, record, err);
}

/* While no broker can be reached waiting costs nothing, and a transaction that waits too long would
 * be lost. */
static bool reachable(struct txn_sink *sink, int timeout_ms) {
    struct fb_kafka_health *health = sink->config->sink.health;
    const struct rd_kafka_metadata *metadata;
    if (!atomic_load(&health->lost))
        return true;
    if (rd_kafka_metadata(sink->producer.client, 0, NULL, &metadata, timeout_ms)) {
        fb_kafka_on_no_answer(health);
        return false;
    }
    rd_kafka_metadata_destroy(metadata);
    fb_kafka_on_answer(health);
    return true;
}

/* Of every partition, also where nothing has moved: without one a predecessor would not be found
 * out. */
static rd_kafka_error_t *send_positions(struct txn_sink *sink,
                                        const struct fb_record_source *source,
                                        const struct fb_position *positions, uint32_t n) {
    const rd_kafka_consumer_group_metadata_t *group = source ? fb_kafka_source_group(source) : NULL;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    FB_ASSERT(group);
    for (uint32_t i = 0; i < n; i++) {
        char topic[256];
        snprintf(topic, sizeof topic, "%.*s", FB_ARG(positions[i].topic));
        rd_kafka_topic_partition_t *one =
            rd_kafka_topic_partition_list_add(list, topic, positions[i].partition);
        one->offset = positions[i].next;
        if (positions[i].note.n == 0)
            continue;
        FB_ASSERT(positions[i].note.n <= FB_NOTE_BYTES_MAX);
        one->metadata = strndup(positions[i].note.p, positions[i].note.n);
        FB_ASSERT(one->metadata);
        one->metadata_size = positions[i].note.n;
    }
    rd_kafka_error_t *error =
        rd_kafka_send_offsets_to_transaction(sink->producer.client, list, group, OFFSETS_MS);
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

static enum fb_commit go_on_committing(struct txn_sink *sink, int timeout_ms, struct fb_err *err) {
    rd_kafka_error_t *error = rd_kafka_commit_transaction(sink->producer.client, timeout_ms);
    if (!error) {
        sink->stage = READY;
        sink->aborts = 0;
        return FB_COMMITTED;
    }
    if (rd_kafka_error_is_fatal(error))
        return broken(sink, "it is not known whether the transaction was committed", error, err);
    if (rd_kafka_error_txn_requires_abort(error))
        return abort_for(sink, "the transaction cannot be committed", error, timeout_ms, err);
    if (!rd_kafka_error_is_retriable(error))
        return broken(sink, "it is not known whether the transaction was committed", error, err);
    describe(err, FB_RETRIABLE, "the transaction is not committed yet", rd_kafka_error_code(error),
             error);
    rd_kafka_error_destroy(error);
    return FB_COMMIT_WAIT;
}

static enum fb_commit commit(struct fb_sink *base, struct fb_record_source *source,
                             const struct fb_position *positions, uint32_t n, int timeout_ms,
                             struct fb_err *err) {
    struct txn_sink *sink = (struct txn_sink *)base;
    if (sink->stage == ABORTING)
        return go_on_aborting(sink, timeout_ms, err);
    if (sink->stage == COMMITTING)
        return go_on_committing(sink, timeout_ms, err);
    if (sink->stage == READY && n == 0)
        return FB_COMMITTED;
    rd_kafka_poll(sink->producer.client, 0);
    if (!reachable(sink, timeout_ms)) {
        fb_fail(err, FB_RETRIABLE, "no Kafka broker can be reached");
        return FB_COMMIT_WAIT;
    }
    if (!begin(sink, err)) {
        *err = sink->why;
        return sink->outcome;
    }
    rd_kafka_error_t *error = n ? send_positions(sink, source, positions, n) : NULL;
    if (!error) {
        sink->stage = COMMITTING;
        return go_on_committing(sink, timeout_ms, err);
    }
    if (rd_kafka_error_is_fatal(error)) /* not committed, as the positions will tell */
        return broken(sink, "positions cannot be sent", error, err);
    if (rd_kafka_error_txn_requires_abort(error) || !rd_kafka_error_is_retriable(error))
        return abort_for(sink, "positions cannot be sent", error, timeout_ms, err);
    describe(err, FB_RETRIABLE, "positions are not sent yet", rd_kafka_error_code(error), error);
    rd_kafka_error_destroy(error);
    return FB_COMMIT_WAIT;
}

/* ---- open and close ---- */

static bool stopping(const struct txn_sink *sink) {
    return atomic_load(sink->config->stop);
}

static bool initialise(struct txn_sink *sink, struct fb_err *err) {
    rd_kafka_error_t *error;
    while ((error = rd_kafka_init_transactions(sink->producer.client, ANSWER_MS)) &&
           rd_kafka_error_is_retriable(error) && !stopping(sink)) {
        fb_log(FB_LOG_DEBUG, "transactions of %s: %s", sink->config->transactional_id,
               rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
    if (!error)
        return true;
    rd_kafka_resp_err_t code = cause_of(sink, error);
    if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE ||
        code == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION)
        fb_fail(err, FB_FATAL,
                "these Kafka brokers have no transactions (%s): set processing.guarantee to "
                "at_least_once",
                rd_kafka_error_string(error));
    else if (!denied(sink, code, err))
        describe(err,
                 rd_kafka_error_is_retriable(error) || is_fenced(code) ? FB_RETRIABLE : FB_FATAL,
                 "transactions cannot be initialised", code, error);
    rd_kafka_error_destroy(error);
    return false;
}

static void close_sink(struct fb_sink *base) {
    struct txn_sink *sink = (struct txn_sink *)base;
    if (sink->stage == OPEN || sink->stage == ABORTING) {
        rd_kafka_error_t *error = rd_kafka_abort_transaction(sink->producer.client, CLOSE_MS);
        if (error)
            rd_kafka_error_destroy(error); /* the next with this id ends it */
    }
    fb_kafka_producer_close(&sink->producer);
    free(sink);
}

static const struct fb_sink_calls calls = {put, commit, close_sink};

struct fb_sink *fb_kafka_txn_sink_open(const struct fb_kafka_txn_sink_config *config,
                                       struct fb_err *err) {
    struct txn_sink *sink = fb_alloc(sizeof *sink);
    sink->base.calls = &calls;
    sink->config = config;
    if (!fb_kafka_producer_open(&sink->producer, &config->sink, config->transactional_id, err) ||
        !initialise(sink, err)) {
        close_sink(&sink->base);
        return NULL;
    }
    return &sink->base;
}
