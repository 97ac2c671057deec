/* Writes records in transactions, with the positions that they go back to. */
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/planted.h"
#include "tests/sim/client.h"
#include "tests/sim/queue.h"

#define MS INT64_C(1000)

enum stage { STAGE_RECORDS, STAGE_OFFSETS, STAGE_END };

struct sink {
    struct fb_sink base;
    struct sim_actor *actor;
    struct sim_handle handle;
    struct sim_queue queue;
    uint32_t sent; /* of the queue */
    enum stage stage;
    bool asked;  /* for the end of the transaction: it can not be aborted any more */
    bool failed; /* for good: only the opening of another one helps */
};

static struct sim_kafka *kafka_of(const struct sink *sink) {
    return sink->actor->world->kafka;
}

/* ---- records ---- */

static void clear(struct sink *sink) {
    sim_queue_clear(&sink->queue);
    sink->sent = 0;
    sink->stage = STAGE_RECORDS;
    sink->asked = false;
}

static bool is_outside(const struct sink *sink, const struct sim_queued *queued) {
    const char *topic = kafka_of(sink)->topics[queued->topic];
    return (FB_PLANTED(DEAD_OUTSIDE) && strcmp(topic, "dead") == 0) ||
           (FB_PLANTED(SNAPSHOT_OUTSIDE) && strcmp(topic, "snapshot") == 0);
}

static enum sim_code send_records(struct sink *sink) {
    for (; sink->sent < sink->queue.n; sink->sent++) {
        const struct sim_queued *queued = &sink->queue.items[sink->sent];
        struct fb_outgoing record = sim_queue_at(&sink->queue, sink->sent);
        if (is_outside(sink, queued)) {
            sim_append(kafka_of(sink), queued->topic, queued->partition, queued->stamp_us,
                       record.key, record.value);
            continue;
        }
        enum sim_code code = sim_produce(kafka_of(sink), sink->handle, queued->topic, &record);
        if (code != SIM_OK)
            return code;
    }
    return SIM_OK;
}

static bool put(struct fb_sink *base, const struct fb_outgoing *record, struct fb_err *err) {
    struct sink *sink = (struct sink *)base;
    enum sim_trouble trouble = sim_pass(sink->actor, SIM_AT_PUT, 1, 50);
    if (sim_dead(sink->actor))
        return fb_fail(err, FB_FATAL, "killed");
    if (trouble == SIM_FULL)
        return fb_fail(err, FB_RETRIABLE, "the queue is full");
    sim_queue_add(&sink->queue, sim_topic(kafka_of(sink), fb_str_of(record->topic)), record);
    /* The client sends when it likes; what it meets is told by the commit. */
    if (!sink->failed && sim_reachable(sink->actor) &&
        fb_random_chance(&sink->actor->world->random, 30))
        send_records(sink);
    return true;
}

/* ---- the commit ---- */

static enum fb_commit doubt(struct sink *sink, const char *why) {
    struct sim_world *world = sink->actor->world;
    sim_trace(world, "%s: in doubt: %s", kafka_of(sink)->producers[sink->handle.producer].id, why);
    sink->failed = true;
    return FB_COMMIT_DOUBT;
}

/* Aborts; `outcome` is what the commit has come to then. */
static enum fb_commit abort_for(struct sink *sink, enum fb_commit outcome, const char *why) {
    sim_trace(sink->actor->world, "%s: aborts: %s",
              kafka_of(sink)->producers[sink->handle.producer].id, why);
    sim_pass(sink->actor, SIM_AT_FLUSH, 100, 5 * MS);
    if (sim_dead(sink->actor))
        return FB_COMMIT_FAILED;
    const struct sim_producer *producer = &kafka_of(sink)->producers[sink->handle.producer];
    if (producer->epoch != sink->handle.epoch)
        return doubt(sink, "fenced at the abort");
    if (producer->state == SIM_ONGOING && sim_end(kafka_of(sink), sink->handle, false) != SIM_OK)
        return doubt(sink, "the abort failed");
    clear(sink);
    sink->failed = outcome == FB_COMMIT_DOUBT;
    return outcome;
}

/* Of one step; FB_COMMITTED: on with the next. */
static enum fb_commit judge(struct sink *sink, enum sim_code code, const char *step) {
    switch (code) {
    case SIM_OK:
        return FB_COMMITTED;
    case SIM_BUSY:
        return FB_COMMIT_WAIT;
    case SIM_STALE:
    case SIM_FENCED_MEMBER:
    case SIM_REBALANCING: /* it has to join again before a commit can go well */
        return abort_for(sink, FB_COMMIT_DOUBT, step);
    default:
        return doubt(sink, step);
    }
}

static enum sim_code send_offsets(struct sink *sink, struct fb_record_source *source,
                                  const struct fb_position *positions, uint32_t n) {
    uint32_t generation = 0;
    uint64_t member = source ? sim_source_member(source, &generation) : 0;
    struct sim_offset *offsets = fb_alloc(n * sizeof *offsets + 1);
    for (uint32_t i = 0; i < n; i++) {
        offsets[i] = (struct sim_offset){.topic = sim_topic(kafka_of(sink), positions[i].topic),
                                         .partition = positions[i].partition,
                                         .next = positions[i].next};
        FB_ASSERT(positions[i].note.n <= FB_NOTE_BYTES_MAX);
        if (positions[i].note.p)
            memcpy(offsets[i].note, positions[i].note.p, positions[i].note.n);
    }
    enum sim_code code = SIM_OK;
    if (FB_PLANTED(OFFSETS_OUTSIDE))
        for (uint32_t i = 0; i < n && code == SIM_OK; i++)
            code = sim_commit_offset(kafka_of(sink), member, generation, &offsets[i]);
    else
        code = sim_send_offsets(kafka_of(sink), sink->handle,
                                FB_PLANTED(NO_GENERATION) ? 0 : member, generation, offsets, n);
    free(offsets);
    return code;
}

static enum fb_commit end_transaction(struct sink *sink, enum sim_trouble trouble) {
    struct sim_kafka *kafka = kafka_of(sink);
    switch (trouble) {
    case SIM_UNKNOWN_NOT:
        return doubt(sink, "no answer (not done)");
    case SIM_UNKNOWN_LATE:
        sim_end_late(sink->actor->world, sink->handle);
        return doubt(sink, "no answer (on its way)");
    case SIM_UNKNOWN_DONE:
        sim_end(kafka, sink->handle, true);
        return doubt(sink, "no answer (perhaps done)");
    case SIM_UNANSWERED:
        sink->asked = true;
        sim_end(kafka, sink->handle, true);
        return FB_COMMIT_WAIT;
    default:
        return judge(sink, sim_end(kafka, sink->handle, true), "end");
    }
}

/* One step; FB_COMMITTED: it is done. */
static enum fb_commit step(struct sink *sink, struct fb_record_source *source,
                           const struct fb_position *positions, uint32_t n, int timeout_ms) {
    static const enum sim_point points[] = {SIM_AT_FLUSH, SIM_AT_OFFSETS, SIM_AT_END};
    enum sim_trouble trouble = sim_pass(sink->actor, points[sink->stage], 50, 3 * MS);
    if (sim_dead(sink->actor))
        return FB_COMMIT_FAILED;
    if (!sim_reachable(sink->actor)) {
        sim_sleep(sink->actor, timeout_ms * MS);
        return FB_COMMIT_WAIT;
    }
    if (trouble == SIM_ABORTABLE && !sink->asked)
        return abort_for(sink, FB_COMMIT_AGAIN, "a record was refused");
    if (sink->stage == STAGE_RECORDS)
        return judge(sink, send_records(sink), "records");
    if (sink->stage == STAGE_OFFSETS)
        return judge(sink, send_offsets(sink, source, positions, n), "offsets");
    enum fb_commit ended = end_transaction(sink, trouble);
    if (ended == FB_COMMITTED)
        sim_pass(sink->actor, SIM_AT_ENDED, 50, 3 * MS);
    return sim_dead(sink->actor) ? FB_COMMIT_FAILED : ended;
}

static enum fb_commit commit(struct fb_sink *base, struct fb_record_source *source,
                             const struct fb_position *positions, uint32_t n, int timeout_ms,
                             struct fb_err *err) {
    struct sink *sink = (struct sink *)base;
    if (sink->failed)
        return FB_COMMIT_DOUBT;
    for (; sink->stage <= STAGE_END; sink->stage++) {
        enum fb_commit done = step(sink, source, positions, n, timeout_ms);
        if (done == FB_COMMIT_FAILED)
            fb_fail(err, FB_FATAL, "killed");
        if (done == FB_COMMIT_WAIT)
            sim_sleep(sink->actor, 5 * MS);
        if (done != FB_COMMITTED)
            return done;
    }
    clear(sink);
    return FB_COMMITTED;
}

static void close_sink(struct fb_sink *base) {
    struct sink *sink = (struct sink *)base;
    const struct sim_producer *producer = &kafka_of(sink)->producers[sink->handle.producer];
    /* What is open is aborted, if it can be; else the next with this identity does it. */
    if (!sink->failed && !sim_dead(sink->actor) && sim_reachable(sink->actor) &&
        producer->state == SIM_ONGOING)
        sim_end(kafka_of(sink), sink->handle, false);
    clear(sink);
    sim_queue_free(&sink->queue);
    free(sink);
}

static const struct fb_sink_calls calls = {put, commit, close_sink};

/* Without shutting the one before out. */
static bool take_over_producer(const struct sim_kafka *kafka, const char *name,
                               struct sim_handle *handle) {
    for (int i = 0; i < kafka->n_producers; i++)
        if (strcmp(kafka->producers[i].id, name) == 0) {
            *handle = (struct sim_handle){i, kafka->producers[i].epoch};
            return true;
        }
    return false;
}

struct fb_sink *sim_open_sink(void *context, uint32_t worker, struct fb_err *err) {
    struct sim_process *process = context;
    struct sim_actor *actor = &process->actors[worker];
    struct sim_world *world = actor->world;
    struct sim_handle handle;
    char name[SIM_NAME_MAX];
    sim_identity(process, worker, name);
    for (;;) {
        sim_pass(actor, SIM_AT_OPEN, 100, 20 * MS);
        if (sim_dead(actor)) {
            fb_fail(err, FB_FATAL, "killed");
            return NULL;
        }
        if (FB_PLANTED(NO_FENCING) && take_over_producer(world->kafka, name, &handle))
            break;
        if (sim_reachable(actor) &&
            sim_init(world->kafka, name, world->plan.transaction_us, &handle) == SIM_OK)
            break;
        if (atomic_load(&process->stop)) {
            fb_fail(err, FB_RETRIABLE, "stopped while the broker is awaited");
            return NULL;
        }
        sim_sleep(actor, 50 * MS);
    }
    struct sink *sink = fb_alloc(sizeof *sink);
    sink->base.calls = &calls;
    sink->actor = actor;
    sink->handle = handle;
    return &sink->base;
}
