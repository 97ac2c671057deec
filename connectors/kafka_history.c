/* Reads again what is in topics.
 *
 * Partitions are read by the library's simple consumer, each into a queue of its own, so that
 * readers come and go without a word to the others. */
#include "connectors/kafka_history.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connectors/kafka_batch.h"
#include "connectors/kafka_client.h"
#include "connectors/kafka_rights.h"
#include "engine/base/arena.h"
#include "engine/base/log.h"

enum {
    ANSWER_MS = 5000,
    PATIENCE_MS = 30000, /* without any answer */
    LOOK_MS = 100,       /* how soon a stop is seen */
    ABSENT_LOOKS = 3     /* so many answers in a row must say that a topic does not exist */
};

/* A topic that was there. Each question about a topic costs a request to the broker. */
struct known {
    char *topic;
    int32_t partitions;
};

struct kafka_history {
    struct fb_history base;
    const atomic_bool *stop;
    struct fb_kafka_settings settings;
    rd_kafka_t *client;
    rd_kafka_t *uncommitted; /* is told the end of the log, not the stable one; NULL: not needed yet
                              */
    struct known *known;
    size_t n_known, cap_known;
};

struct kafka_reader {
    struct fb_reader base;
    struct kafka_history *history;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue; /* NULL: there was nothing to read */
    bool ended;
    int32_t partition;
    int64_t from, end;
    struct fb_kafka_batch batch;
};

/* ---- questions ---- */

/* After an answer that does not help. False: it is over, err says why. */
static bool ask_again(const struct kafka_history *history, int64_t since_ms, const char *topic,
                      rd_kafka_resp_err_t code, struct fb_err *err) {
    if (fb_kafka_denied(err, code, "Read", FB_KAFKA_ON_TOPIC, topic))
        return false;
    if (atomic_load(history->stop) || fb_kafka_now_ms() - since_ms > PATIENCE_MS)
        return fb_fail(err, FB_RETRIABLE, "no answer about topic '%s': %s", topic,
                       rd_kafka_err2str(code));
    fb_log(FB_LOG_DEBUG, "history of %s: %s", topic, rd_kafka_err2name(code));
    usleep(LOOK_MS * 1000);
    return true;
}

static bool is_unknown(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

static rd_kafka_resp_err_t partitions_of(struct kafka_history *history, const char *topic,
                                         int32_t *n) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(history->client, topic, NULL);
    if (!handle)
        return rd_kafka_last_error();
    rd_kafka_resp_err_t code = rd_kafka_metadata(history->client, 0, handle, &metadata, ANSWER_MS);
    rd_kafka_topic_destroy(handle);
    if (code)
        return code;
    *n = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                    : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    rd_kafka_metadata_destroy(metadata);
    return code;
}

static struct known *find_known(const struct kafka_history *history, const char *topic) {
    for (size_t i = 0; i < history->n_known; i++)
        if (strcmp(history->known[i].topic, topic) == 0)
            return &history->known[i];
    return NULL;
}

static void remember(struct kafka_history *history, const char *topic, int32_t partitions) {
    struct known *known = find_known(history, topic);
    if (!known) {
        FB_PUSH_ROOM(history->known, history->n_known, history->cap_known);
        known = &history->known[history->n_known++];
        known->topic = fb_copy_text(topic);
    }
    known->partitions = partitions;
}

/* Whether there is such a partition, after so many answers that there is no such topic. To take one
 * for absent that is only not known yet would be to begin without a state. False: err says why. */
static bool exists(struct kafka_history *history, const char *topic, int32_t partition,
                   int absent_looks, bool *yes, struct fb_err *err) {
    int64_t since_ms = fb_kafka_now_ms();
    const struct known *known = find_known(history, topic);
    int32_t n = 0;
    rd_kafka_resp_err_t code;
    int looks = 0;
    *yes = known && partition < known->partitions;
    if (*yes)
        return true;
    while ((code = partitions_of(history, topic, &n)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (is_unknown(code) && ++looks == absent_looks)
            return true;
        if (!ask_again(history, since_ms, topic, code, err))
            return false;
    }
    remember(history, topic, n);
    *yes = true;
    return partition < n ||
           fb_fail(err, FB_FATAL,
                   "topic '%s' has %d partitions, and partition %d is needed: it must have as many "
                   "as the inputs",
                   topic, (int)n, (int)partition);
}

static bool look(struct kafka_history *history, const char *topic, int32_t partition,
                 int absent_looks, int64_t *first, int64_t *end, struct fb_err *err) {
    int64_t since_ms = fb_kafka_now_ms();
    bool there = false;
    rd_kafka_resp_err_t code;
    *first = *end = 0;
    if (!exists(history, topic, partition, absent_looks, &there, err))
        return false;
    while (there &&
           (code = fb_kafka_ask_ends(history->client, topic, partition, first, end, ANSWER_MS))) {
        if (!ask_again(history, since_ms, topic, code, err))
            return false;
        if (is_unknown(code)) { /* has it gone? Of one that was there that takes more than a peek */
            remember(history, topic, 0);
            if (!exists(history, topic, partition, ABSENT_LOOKS, &there, err))
                return false;
        }
    }
    return true;
}

static bool bounds(struct fb_history *base, const char *topic, int32_t partition, int64_t *first,
                   int64_t *end, struct fb_err *err) {
    return look((struct kafka_history *)base, topic, partition, ABSENT_LOOKS, first, end, err);
}

static bool peek(struct fb_history *base, const char *topic, int32_t partition, int64_t *first,
                 int64_t *end, struct fb_err *err) {
    return look((struct kafka_history *)base, topic, partition, 1, first, end, err);
}

static bool offset_at(struct fb_history *base, const char *topic, int32_t partition,
                      int64_t stamp_us, int64_t *offset, struct fb_err *err) {
    struct kafka_history *history = (struct kafka_history *)base;
    int64_t since_ms = fb_kafka_now_ms(), first, found = -1;
    rd_kafka_resp_err_t code;
    if (!bounds(base, topic, partition, &first, offset, err))
        return false;
    while (first < *offset &&
           (code = fb_kafka_ask_offset(history->client, topic, partition,
                                       stamp_us > 0 ? stamp_us / 1000 : 0, &found, ANSWER_MS))) {
        if (!ask_again(history, since_ms, topic, code, err))
            return false;
        fb_kafka_look_who_leads(history->client, topic, ANSWER_MS);
    }
    if (found >= 0 && found < *offset)
        *offset = found;
    return true;
}

/* A client of its own: which end it is told goes by how it reads. */
static bool open_uncommitted(struct kafka_history *history, struct fb_err *err) {
    rd_kafka_conf_t *conf = fb_kafka_conf_new(FB_KAFKA_CONSUMER, &history->settings, err);
    if (!conf)
        return false;
    fb_kafka_conf_set(conf, "isolation.level", "read_uncommitted");
    history->uncommitted = fb_kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    return history->uncommitted != NULL;
}

static bool all_is_shown(struct fb_history *base, const char *topic, int32_t partition, bool *yes,
                         struct fb_err *err) {
    struct kafka_history *history = (struct kafka_history *)base;
    int64_t since_ms = fb_kafka_now_ms(), first, stable, end;
    rd_kafka_resp_err_t code;
    *yes = false;
    if (!history->uncommitted && !open_uncommitted(history, err))
        return false;
    while (
        (code = fb_kafka_ask_ends(history->uncommitted, topic, partition, &first, &end, ANSWER_MS)))
        if (!ask_again(history, since_ms, topic, code, err))
            return false;
    if (!bounds(base, topic, partition, &first, &stable, err))
        return false;
    *yes = stable >= end;
    return true;
}

/* ---- readers ---- */

static bool gone(const struct kafka_reader *reader, const char *topic, int64_t first,
                 struct fb_err *err) {
    return fb_fail(err, FB_FATAL,
                   "topic %s [%d]: the records from offset %lld on are needed to rebuild the "
                   "state, but %lld is the first that is left. The retention of the topic is too "
                   "short (retention.ms, retention.bytes); without these records only another "
                   "application.id can begin, with an empty state",
                   topic, (int)reader->partition, (long long)reader->from, (long long)first);
}

static bool is_damaged(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__BAD_MSG || code == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
           code == RD_KAFKA_RESP_ERR_INVALID_MSG;
}

/* FB_READ_RECORD: nothing to mind. */
static enum fb_read on_error(struct kafka_reader *reader, const rd_kafka_message_t *message,
                             struct fb_err *err) {
    const char *topic = rd_kafka_topic_name(reader->topic);
    int64_t first = 0, end;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return message->offset >= reader->end ? FB_READ_END : FB_READ_RECORD;
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        if (bounds(&reader->history->base, topic, reader->partition, &first, &end, err))
            gone(reader, topic, first, err);
        return FB_READ_FAILED;
    }
    if (fb_kafka_denied(err, message->err, "Read", FB_KAFKA_ON_TOPIC, topic))
        return FB_READ_FAILED;
    if (is_damaged(message->err) || is_unknown(message->err)) {
        fb_fail(err, FB_FATAL, "cannot read %s [%d]: %s", topic, (int)reader->partition,
                rd_kafka_message_errstr(message));
        return FB_READ_FAILED;
    }
    fb_log(FB_LOG_DEBUG, "history of %s: %s", topic, rd_kafka_message_errstr(message));
    return FB_READ_RECORD;
}

/* False: no message has come, err says why. */
static bool fill(struct kafka_reader *reader, struct fb_err *err) {
    struct kafka_history *history = reader->history;
    const char *topic = rd_kafka_topic_name(reader->topic);
    int64_t since_ms = fb_kafka_now_ms();
    while (!fb_kafka_batch_fill(&reader->batch, history->client, reader->queue, topic,
                                reader->partition, LOOK_MS)) {
        rd_kafka_poll(history->client, 0);
        if (atomic_load(history->stop) || fb_kafka_now_ms() - since_ms > PATIENCE_MS)
            return fb_fail(err, FB_RETRIABLE, "topic %s [%d] is not read to its end: no answer",
                           topic, (int)reader->partition);
    }
    return true;
}

static enum fb_read next(struct fb_reader *base, struct fb_record *record, struct fb_err *err) {
    struct kafka_reader *reader = (struct kafka_reader *)base;
    while (reader->queue && !reader->ended) {
        rd_kafka_message_t *message = fb_kafka_batch_next(&reader->batch);
        if (!message && !fill(reader, err))
            return FB_READ_FAILED;
        if (!message)
            continue;
        if (message->err) {
            enum fb_read read = on_error(reader, message, err);
            if (read == FB_READ_FAILED)
                return read;
            reader->ended = read == FB_READ_END;
            continue;
        }
        if (message->offset >= reader->end) {
            reader->ended = true;
            break;
        }
        *record = fb_kafka_record(message, fb_str_of(rd_kafka_topic_name(message->rkt)));
        return FB_READ_RECORD;
    }
    return FB_READ_END;
}

static void close_reader(struct fb_reader *base) {
    struct kafka_reader *reader = (struct kafka_reader *)base;
    fb_kafka_batch_drop(&reader->batch);
    if (reader->queue) {
        rd_kafka_consume_stop(reader->topic, reader->partition);
        rd_kafka_queue_destroy(reader->queue);
    }
    if (reader->topic)
        rd_kafka_topic_destroy(reader->topic);
    free(reader);
}

static const struct fb_reader_calls reader_calls = {next, close_reader};

/* False: err says why. */
static bool start(struct kafka_reader *reader, const char *topic, struct fb_err *err) {
    struct kafka_history *history = reader->history;
    int64_t first;
    if (!bounds(&history->base, topic, reader->partition, &first, &reader->end, err))
        return false;
    if (reader->from < first)
        return gone(reader, topic, first, err);
    if (reader->from > reader->end)
        return fb_fail(err, FB_FATAL,
                       "topic %s [%d] ends at offset %lld, but offset %lld was read once: the "
                       "topic was made anew or has lost records",
                       topic, (int)reader->partition, (long long)reader->end,
                       (long long)reader->from);
    reader->topic = rd_kafka_topic_new(history->client, topic, NULL);
    if (!reader->topic)
        return fb_kafka_failed(err, rd_kafka_last_error(), topic);
    if (reader->from == reader->end)
        return true;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(history->client);
    if (rd_kafka_consume_start_queue(reader->topic, reader->partition, reader->from, queue) == 0) {
        reader->queue = queue;
        return true;
    }
    rd_kafka_queue_destroy(queue);
    return fb_kafka_failed(err, rd_kafka_last_error(), topic);
}

static struct fb_reader *open_reader(struct fb_history *base, const char *topic, int32_t partition,
                                     int64_t from, struct fb_err *err) {
    struct kafka_reader *reader = fb_alloc(sizeof *reader);
    reader->base.calls = &reader_calls;
    reader->history = (struct kafka_history *)base;
    reader->partition = partition;
    reader->from = from;
    if (!start(reader, topic, err)) {
        close_reader(&reader->base);
        return NULL;
    }
    return &reader->base;
}

static void close_history(struct fb_history *base) {
    struct kafka_history *history = (struct kafka_history *)base;
    if (history->client)
        rd_kafka_destroy(history->client);
    if (history->uncommitted)
        rd_kafka_destroy(history->uncommitted);
    for (size_t i = 0; i < history->n_known; i++)
        free(history->known[i].topic);
    free(history->known);
    free(history);
}

static const struct fb_history_calls calls = {bounds,       peek,        offset_at,
                                              all_is_shown, open_reader, close_history};

struct fb_history *fb_kafka_history_open(const struct fb_kafka_settings *settings,
                                         const atomic_bool *stop, struct fb_err *err) {
    rd_kafka_conf_t *conf = fb_kafka_conf_new(FB_KAFKA_CONSUMER, settings, err);
    if (!conf)
        return NULL;
    /* The end of a partition, which is waited for, comes with an empty answer. */
    fb_kafka_conf_set(conf, "fetch.wait.max.ms", "10");
    /* A restore waits for each record: what a user has set to read slowly is not meant for it. */
    fb_kafka_conf_set(conf, "queued.min.messages", "1000000");
    struct kafka_history *history = fb_alloc(sizeof *history);
    history->base.calls = &calls;
    history->stop = stop;
    history->settings = *settings;
    history->client = fb_kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (!history->client) {
        close_history(&history->base);
        return NULL;
    }
    return &history->base;
}
