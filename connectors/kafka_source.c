/* Reads topics as a member of a consumer group.
 *
 * Messages come through a queue of our own, to which the queue of every assigned partition is
 * forwarded: the library aborts when the consumer's own queue is read with a callback and a
 * rebalance comes. The consumer itself is polled for membership and errors only. */
#include "connectors/kafka_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connectors/kafka_batch.h"
#include "connectors/kafka_client.h"
#include "connectors/kafka_end.h"
#include "connectors/kafka_group.h"
#include "connectors/kafka_rights.h"
#include "engine/base/arena.h"
#include "engine/base/log.h"

enum {
    ANSWER_MS = 5000,
    PROBE_MS = 1000,
    FATAL_MAX = 3,
    LIVED_MS = 15000, /* five heartbeats */
    OUTAGE_MS = 60000
};

struct part {
    rd_kafka_queue_t *queue;
    char *topic;
    struct fb_str name; /* the same, with its length */
    int32_t partition;
    const rd_kafka_topic_t *handle; /* as its messages name the topic; NULL: none has come */
    int64_t next;                   /* behind the last record that was handed over */
    /* At the last end that was met; -1: none was. Behind the last record there may be marks of
     * transactions, so `stable` may lie behind `told`, which is where the owner stands. `high` is
     * what the library took for the end of the topic then. */
    int64_t told, stable, high;
    int64_t asked_ms;
};

struct kafka_source {
    struct fb_record_source base;
    const struct fb_kafka_source_config *config;
    const struct fb_record_source_events *events;
    void *context;
    rd_kafka_t *consumer;
    rd_kafka_queue_t *messages, *idle;         /* idle: empty; polling it keeps the member alive */
    rd_kafka_consumer_group_metadata_t *group; /* of the last assignment; NULL: there was none */
    struct fb_kafka_names seen;                /* members at the last assignment */
    struct part *parts, *last;                 /* last: of the last message; NULL: not known */
    uint32_t n_parts, woken;
    struct fb_kafka_batch batch;
    bool online;
    bool broken;  /* a commit has found that the consumer failed for good */
    bool started; /* the owner has been told of partitions, and not that they are given up */
    int64_t probe_at_ms;
    int fatal_errors;      /* of consumers in a row that lived for less than LIVED_MS */
    int64_t made_ms;       /* when the last one was made anew; 0: it is the first */
    struct fb_err failure; /* found in a callback; ends the poll */
};

/* ---- assignment ---- */

static void forget_parts(struct kafka_source *source) {
    for (uint32_t i = 0; i < source->n_parts; i++) {
        rd_kafka_queue_destroy(source->parts[i].queue);
        free(source->parts[i].topic);
    }
    free(source->parts);
    fb_kafka_batch_drop(&source->batch); /* of an assignment that is over */
    source->parts = source->last = NULL;
    source->n_parts = 0;
}

static bool stopping(const struct kafka_source *source) {
    return atomic_load(source->config->stop);
}

/* Where code is a lack of rights: ends the poll with what is missing. */
static bool denied(struct kafka_source *source, rd_kafka_resp_err_t code, const char *topic) {
    bool group = code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    return fb_kafka_denied(&source->failure, code, "Read",
                           group ? FB_KAFKA_ON_GROUP : FB_KAFKA_ON_TOPIC,
                           group ? source->config->group : topic);
}

/* One offset that is asked of the broker, again until there is an answer or the end is near. */
static bool ends_of(struct kafka_source *source, const char *topic, int32_t partition,
                    int64_t *first, int64_t *end) {
    rd_kafka_resp_err_t code;
    while ((code = fb_kafka_ask_ends(source->consumer, topic, partition, first, end, ANSWER_MS)) !=
           RD_KAFKA_RESP_ERR_NO_ERROR) {
        fb_log(FB_LOG_DEBUG, "ends of %s [%d]: %s", topic, partition, rd_kafka_err2str(code));
        if (denied(source, code, topic) || stopping(source))
            return false;
        source->online &= fb_kafka_look(source->consumer, source->config->health);
        usleep(100000);
    }
    return true;
}

/* Positions of the group. With read_committed this waits while another producer's transaction
 * still holds one. */
static bool committed_of(struct kafka_source *source, rd_kafka_topic_partition_list_t *list) {
    for (;;) {
        const char *topic = "";
        rd_kafka_resp_err_t code = rd_kafka_committed(source->consumer, list, ANSWER_MS);
        for (int i = 0; i < list->cnt && !code; i++) {
            code = list->elems[i].err;
            topic = list->elems[i].topic;
        }
        if (!code)
            break;
        fb_log(FB_LOG_DEBUG, "committed positions: %s", rd_kafka_err2str(code));
        if (denied(source, code, topic) || stopping(source))
            return false;
        source->online &= fb_kafka_look(source->consumer, source->config->health);
        usleep(50000);
    }
    return true;
}

/* Where the group has no position: the beginning or the end, as the configuration says. */
static bool begin(struct kafka_source *source, struct fb_position *position, const char *topic) {
    int64_t first, end;
    if (!ends_of(source, topic, position->partition, &first, &end))
        return false;
    position->fresh = true;
    position->next = source->config->from_earliest ? first : end;
    return true;
}

/* Lets the owner put its own positions in the place of the group's. */
static bool tell_started(struct kafka_source *source, rd_kafka_topic_partition_list_t *list) {
    size_t n = (size_t)list->cnt;
    struct fb_position *positions = fb_alloc(n * sizeof *positions + 1);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        const rd_kafka_topic_partition_t *one = &list->elems[i];
        positions[i] = (struct fb_position){.topic = fb_str_of(one->topic),
                                            .partition = one->partition,
                                            .next = one->offset,
                                            .note = {one->metadata, one->metadata_size}};
        if (one->offset < 0)
            ok = begin(source, &positions[i], one->topic);
    }
    if (ok) {
        source->started = true;
        source->events->started(source->context, positions, (uint32_t)n);
    }
    for (size_t i = 0; i < n; i++)
        list->elems[i].offset = positions[i].next;
    free(positions);
    return ok;
}

static void forget_group(struct kafka_source *source) {
    if (source->group)
        rd_kafka_consumer_group_metadata_destroy(source->group);
    source->group = NULL;
}

static void take_part(struct kafka_source *source, const rd_kafka_topic_partition_t *one) {
    struct part *part = &source->parts[source->n_parts++];
    part->topic = fb_copy_text(one->topic);
    part->name = fb_str_of(part->topic);
    part->partition = one->partition;
    part->next = one->offset;
    part->told = part->stable = part->high = -1;
    part->queue = rd_kafka_queue_get_partition(source->consumer, part->topic, part->partition);
    rd_kafka_queue_forward(part->queue, source->messages);
}

static void assign(struct kafka_source *source, rd_kafka_topic_partition_list_t *list) {
    forget_parts(source);
    forget_group(source);
    source->group = rd_kafka_consumer_group_metadata(source->consumer);
    struct fb_kafka_membership us = {.consumer = source->consumer,
                                     .group = source->config->group,
                                     .member = source->config->member,
                                     .kin = source->config->kin,
                                     .n_kin = source->config->n_kin,
                                     .seen = &source->seen,
                                     .settings = &source->config->settings,
                                     .stop = source->config->stop,
                                     .health = source->config->health};
    fb_kafka_fence_gone(&us, list);
    if (!committed_of(source, list) || !tell_started(source, list)) {
        rd_kafka_assign(source->consumer, NULL);
        return;
    }
    /* Forward first, assign after: no message can slip into the consumer's own queue. */
    source->parts = fb_alloc((size_t)list->cnt * sizeof *source->parts + 1);
    rd_kafka_topic_partition_list_t *taken = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].offset != FB_POSITION_NONE) {
            take_part(source, &list->elems[i]);
            rd_kafka_topic_partition_list_add(taken, list->elems[i].topic, list->elems[i].partition)
                ->offset = list->elems[i].offset;
        }
    rd_kafka_resp_err_t code = rd_kafka_assign(source->consumer, taken);
    rd_kafka_topic_partition_list_destroy(taken);
    if (code)
        fb_kafka_failed(&source->failure, code, "cannot take partitions over");
}

static void unassign(struct kafka_source *source) {
    source->events->stopped(source->context, rd_kafka_assignment_lost(source->consumer));
    source->started = false;
    rd_kafka_assign(source->consumer, NULL);
    forget_parts(source);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque) {
    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        assign(opaque, list);
    else
        unassign(opaque);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
    (void)rk;
    struct kafka_source *source = opaque;
    if (fb_kafka_on_error(source->config->health, (rd_kafka_resp_err_t)code, reason))
        source->online = false;
}

/* ---- the client's life ---- */

static bool open_consumer(struct kafka_source *source, struct fb_err *err) {
    const struct fb_kafka_source_config *config = source->config;
    rd_kafka_conf_t *conf = fb_kafka_conf_new(FB_KAFKA_CONSUMER, &config->settings, err);
    if (!conf)
        return false;
    fb_kafka_conf_set(conf, "group.id", config->group);
    fb_kafka_conf_set(conf, "group.instance.id", config->member);
    rd_kafka_conf_set_opaque(conf, source);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    source->consumer = fb_kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (!source->consumer)
        return false;
    rd_kafka_poll_set_consumer(source->consumer);
    source->messages = rd_kafka_queue_new(source->consumer);
    source->idle = rd_kafka_queue_new(source->consumer);
    source->online = true;
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new((int)config->n_topics);
    for (uint32_t i = 0; i < config->n_topics; i++)
        rd_kafka_topic_partition_list_add(topics, config->topics[i], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(source->consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || fb_kafka_failed(err, code, "cannot subscribe");
}

/* Gives up the partitions too, through on_rebalance, but for a consumer that has failed: the
 * library says nothing of its partitions. A static member does not leave its group. */
static void close_consumer(struct kafka_source *source) {
    if (!source->consumer)
        return;
    rd_kafka_consumer_close(source->consumer);
    if (source->started)
        source->events->stopped(source->context, true);
    source->started = false;
    forget_parts(source);
    forget_group(source);
    if (source->messages)
        rd_kafka_queue_destroy(source->messages);
    if (source->idle)
        rd_kafka_queue_destroy(source->idle);
    fb_kafka_end(source->consumer);
    source->consumer = NULL;
    source->messages = source->idle = NULL;
}

static bool after_an_outage(const struct kafka_source *source) {
    struct fb_kafka_health *health = source->config->health;
    return atomic_load(&health->lost) ||
           (atomic_load(&health->back_at_ms) > 0 &&
            fb_kafka_now_ms() - atomic_load(&health->back_at_ms) < OUTAGE_MS);
}

/* After an outage of the coordinator the library may fence itself: begin anew, the owner keeps its
 * state. Somebody else who really has this identity is shut out by that, comes back, and shuts ours
 * out with one of its next heartbeats: so at the third time in a row, soon and without an outage.
 */
static bool rebuild(struct kafka_source *source, const char *why, struct fb_err *err) {
    int64_t now_ms = fb_kafka_now_ms();
    if (now_ms - source->made_ms > LIVED_MS)
        source->fatal_errors = 0;
    source->fatal_errors += !after_an_outage(source);
    if (source->fatal_errors >= FATAL_MAX)
        return fb_fail(
            err, FB_FATAL,
            "the Kafka consumer '%s' failed %d times: %s; does another instance run with "
            "the same instance.id?",
            source->config->member, FATAL_MAX, why);
    fb_log(FB_LOG_WARN, "the Kafka consumer failed and is made anew: %s", why);
    close_consumer(source);
    source->made_ms = fb_kafka_now_ms();
    return open_consumer(source, err);
}

/* ---- ends ---- */

static struct part *part_of(struct kafka_source *source, struct fb_str topic, int32_t partition) {
    for (uint32_t i = 0; i < source->n_parts; i++)
        if (source->parts[i].partition == partition && fb_str_eq(source->parts[i].name, topic))
            return &source->parts[i];
    return NULL;
}

static int64_t high_of(const struct kafka_source *source, const struct part *part) {
    int64_t first, end;
    return rd_kafka_get_watermark_offsets(source->consumer, part->topic, part->partition, &first,
                                          &end)
               ? -1
               : end;
}

/* Everything before `stable` was handed over, as far as it is records of committed transactions. */
static void on_end(struct kafka_source *source, const char *topic, int32_t partition,
                   int64_t stable) {
    struct part *part = part_of(source, fb_str_of(topic), partition);
    if (!part)
        return;
    part->stable = stable;
    part->told = part->next < stable ? part->next : stable;
    part->high = high_of(source, part);
    source->events->end(source->context, fb_str_of(topic), partition, part->told);
}

/* ---- reading ---- */

static void position_lost(struct kafka_source *source, const rd_kafka_message_t *message) {
    fb_fail(&source->failure, FB_FATAL,
            "the position of group '%s' in %s [%d] is no longer in the topic: records were deleted "
            "before they were read. Reset the group's offsets, or use another application.id",
            source->config->group, rd_kafka_topic_name(message->rkt), message->partition);
}

static void on_message_error(struct kafka_source *source, const rd_kafka_message_t *message) {
    const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "";
    if (denied(source, message->err, topic))
        return;
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        on_end(source, topic, message->partition, message->offset);
        return;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        position_lost(source, message);
        return;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
        fb_fail(&source->failure, FB_FATAL, "cannot read %s: %s", topic,
                rd_kafka_message_errstr(message));
        return;
    default:
        fb_log(FB_LOG_WARN, "kafka consumer: %s%s%s", topic, topic[0] ? ": " : "",
               rd_kafka_message_errstr(message));
    }
}

/* Where a message belongs; NULL: to an assignment that is over. Messages of a partition come in
 * runs. */
static struct part *part_of_message(struct kafka_source *source,
                                    const rd_kafka_message_t *message) {
    struct part *last = source->last;
    if (last && last->handle == message->rkt && last->partition == message->partition)
        return last;
    last = part_of(source, fb_str_of(rd_kafka_topic_name(message->rkt)), message->partition);
    if (last)
        last->handle = message->rkt;
    return source->last = last;
}

/* False: enough for now. */
static bool on_message(struct kafka_source *source, rd_kafka_message_t *message) {
    if (message->err) {
        on_message_error(source, message);
        return source->failure.kind == FB_NO_FAILURE;
    }
    struct part *part = part_of_message(source, message);
    if (!part)
        return true;
    part->next = message->offset + 1;
    struct fb_record record = fb_kafka_record(message, part->name);
    for (size_t i = 0; i < 2; i++) {
        const rd_kafka_message_t *other = fb_kafka_batch_coming(&source->batch, i);
        if (other && other->rkt == message->rkt && other->partition == message->partition &&
            !other->err)
            record.coming[i] = (struct fb_str){other->key, other->key_len};
    }
    return source->events->record(source->context, &record);
}

/* What is there, after waiting for a first message. */
static void hand_over(struct kafka_source *source, int timeout_ms) {
    static const struct part none = {.topic = ""};
    size_t left = rd_kafka_queue_length(source->messages) + FB_KAFKA_BATCH_MAX;
    for (;;) {
        rd_kafka_message_t *message = fb_kafka_batch_next(&source->batch);
        if (message) {
            timeout_ms = 0;
            if (!on_message(source, message) || --left == 0)
                return;
            continue;
        }
        const struct part *one =
            source->n_parts ? &source->parts[source->woken++ % source->n_parts] : &none;
        if (!fb_kafka_batch_fill(&source->batch, source->consumer, source->messages, one->topic,
                                 one->partition, timeout_ms))
            return;
    }
}

/* While the broker was away records may have come that no fetch has seen yet. */
static void tell_ends(struct kafka_source *source) {
    for (uint32_t i = 0; i < source->n_parts; i++) {
        const struct part *part = &source->parts[i];
        int64_t first, end;
        if (!ends_of(source, part->topic, part->partition, &first, &end))
            return;
        source->events->end(source->context, part->name, part->partition,
                            end == part->stable ? part->told : end);
    }
}

/* The library does not say when a broker is back: ask now and then. */
static void probe(struct kafka_source *source) {
    const struct rd_kafka_metadata *metadata;
    int64_t now_ms = fb_kafka_now_ms();
    if (source->online || now_ms < source->probe_at_ms)
        return;
    source->probe_at_ms = now_ms + PROBE_MS;
    if (rd_kafka_metadata(source->consumer, 0, NULL, &metadata, PROBE_MS)) {
        fb_kafka_on_no_answer(source->config->health);
        return;
    }
    rd_kafka_metadata_destroy(metadata);
    fb_kafka_on_answer(source->config->health);
    tell_ends(source);
    source->online = true;
}

/* Membership and errors; no message comes here, they are all forwarded. */
static bool poll_membership(struct kafka_source *source, struct fb_err *err) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(source->consumer, 0);
    if (!message && !source->broken)
        return true;
    char why[256] = "";
    bool fatal =
        (source->broken || message->err) && rd_kafka_fatal_error(source->consumer, why, sizeof why);
    if (message && !fatal)
        on_message_error(source, message);
    if (message)
        rd_kafka_message_destroy(message);
    source->broken = false;
    return !fatal || rebuild(source, why, err);
}

static enum fb_poll poll_source(struct fb_record_source *base, int timeout_ms, struct fb_err *err) {
    struct kafka_source *source = (struct kafka_source *)base;
    if (!poll_membership(source, err))
        return FB_POLL_FAILED;
    probe(source);
    if (!source->failure.kind)
        hand_over(source, timeout_ms);
    if (!source->failure.kind)
        return FB_POLL_OK;
    *err = source->failure;
    return FB_POLL_FAILED;
}

/* Polling any queue counts as being alive. */
static void stay(struct fb_record_source *base) {
    struct kafka_source *source = (struct kafka_source *)base;
    rd_kafka_event_t *event = rd_kafka_queue_poll(source->idle, 0);
    if (event)
        rd_kafka_event_destroy(event);
}

static bool commit(struct fb_record_source *base, const struct fb_position *positions, uint32_t n,
                   struct fb_err *err) {
    struct kafka_source *source = (struct kafka_source *)base;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (uint32_t i = 0; i < n; i++) {
        char topic[256];
        snprintf(topic, sizeof topic, "%.*s", FB_ARG(positions[i].topic));
        rd_kafka_topic_partition_list_add(list, topic, positions[i].partition)->offset =
            positions[i].next;
    }
    rd_kafka_resp_err_t code = rd_kafka_commit(source->consumer, list, 0);
    for (int i = 0; i < list->cnt && !code; i++)
        code = list->elems[i].err;
    rd_kafka_topic_partition_list_destroy(list);
    source->broken |= code == RD_KAFKA_RESP_ERR__FATAL;
    if (source->broken || /* the next poll makes it anew; here: it says of which topic */
        code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return fb_fail(err, FB_RETRIABLE, "cannot commit positions: %s", rd_kafka_err2str(code));
    if (denied(source, code, "")) {
        *err = source->failure;
        return false;
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           fb_kafka_failed(err, code, "cannot commit positions");
}

static bool online(const struct fb_record_source *base) {
    return ((const struct kafka_source *)base)->online;
}

/* Nothing that could be read has come since the end was met: only records of a transaction that is
 * open, or none. The broker is asked seldom. */
static bool still_at_end(struct kafka_source *source, struct part *part, int64_t high) {
    int64_t end, now_ms = fb_kafka_now_ms();
    if (high == part->high)
        return true;
    if (!source->online || now_ms - part->asked_ms < PROBE_MS / 2)
        return false;
    part->asked_ms = now_ms;
    if (fb_kafka_ask_offset(source->consumer, part->topic, part->partition, RD_KAFKA_OFFSET_END,
                            &end, PROBE_MS) ||
        end != part->stable)
        return false;
    part->high = high;
    return true;
}

static int64_t end_of(struct fb_record_source *base, const struct fb_position *position) {
    struct kafka_source *source = (struct kafka_source *)base;
    struct part *part = part_of(source, position->topic, position->partition);
    if (!part)
        return -1;
    int64_t high = high_of(source, part);
    return position->next == part->told && still_at_end(source, part, high) ? part->told : high;
}

static void close_source(struct fb_record_source *base) {
    struct kafka_source *source = (struct kafka_source *)base;
    close_consumer(source);
    fb_kafka_names_free(&source->seen);
    free(source);
}

static const struct fb_record_source_calls calls = {poll_source, stay,   commit,
                                                    online,      end_of, close_source};

const rd_kafka_consumer_group_metadata_t *
fb_kafka_source_group(const struct fb_record_source *base) {
    return base->calls == &calls ? ((const struct kafka_source *)base)->group : NULL;
}

struct fb_record_source *fb_kafka_source_open(const struct fb_kafka_source_config *config,
                                              const struct fb_record_source_events *events,
                                              void *context, struct fb_err *err) {
    struct kafka_source *source = fb_alloc(sizeof *source);
    source->base.calls = &calls;
    source->config = config;
    source->events = events;
    source->context = context;
    if (!open_consumer(source, err)) {
        close_source(&source->base);
        return NULL;
    }
    return &source->base;
}
