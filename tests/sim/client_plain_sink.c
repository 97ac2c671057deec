/* Writes records without transactions; positions follow when all of them are there. */
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/planted.h"
#include "tests/sim/client.h"
#include "tests/sim/queue.h"

#define MS INT64_C(1000)

struct sink {
    struct fb_sink base;
    struct sim_actor *actor;
    struct sim_queue queue;
    uint32_t sent; /* of the queue; the producer's numbers keep the broker from taking one twice */
};

static struct sim_kafka *kafka_of(const struct sink *sink) {
    return sink->actor->world->kafka;
}

static void send_one(struct sink *sink) {
    struct fb_outgoing record = sim_queue_at(&sink->queue, sink->sent);
    struct sim_queued *queued = &sink->queue.items[sink->sent++];
    queued->at = kafka_of(sink)->logs[queued->topic][queued->partition].n;
    sim_append_record(kafka_of(sink), queued->topic, &record);
}

/* The client sends when it likes, some of what there is. */
static void send_some(struct sink *sink, uint32_t percent) {
    struct fb_random *random = &sink->actor->world->random;
    if (!fb_random_chance(random, percent) || !sim_reachable(sink->actor))
        return;
    for (uint32_t most = 1 + fb_random_below(random, 6); sink->sent < sink->queue.n && most > 0;
         most--)
        send_one(sink);
}

static bool put(struct fb_sink *base, const struct fb_outgoing *record, struct fb_err *err) {
    struct sink *sink = (struct sink *)base;
    enum sim_trouble trouble = sim_pass(sink->actor, SIM_AT_PUT, 1, 50);
    if (sim_dead(sink->actor))
        return fb_fail(err, FB_FATAL, "killed");
    if (trouble == SIM_FULL)
        return fb_fail(err, FB_RETRIABLE, "the queue is full");
    sim_queue_add(&sink->queue, sim_topic(kafka_of(sink), fb_str_of(record->topic)), record);
    send_some(sink, 5);
    return true;
}

/* The producer failed and is made anew: what it sent is put again, and nothing can tell it apart.
 */
static void forget(struct sink *sink) {
    sim_trace(sink->actor->world, "%s: the producer is made anew", sink->actor->process->name);
    for (uint32_t i = 0; i < sink->sent; i++) {
        const struct sim_queued *queued = &sink->queue.items[i];
        kafka_of(sink)->logs[queued->topic][queued->partition].records[queued->at].voided = true;
    }
    sim_queue_clear(&sink->queue);
    sink->sent = 0;
}

static enum fb_commit commit_positions(struct sink *sink, struct fb_record_source *source,
                                       const struct fb_position *positions, uint32_t n,
                                       struct fb_err *err) {
    if (n == 0 || source->calls->commit(source, positions, n, err))
        return FB_COMMITTED;
    return err->kind == FB_RETRIABLE && !sim_dead(sink->actor) ? FB_COMMITTED : FB_COMMIT_FAILED;
}

static enum fb_commit commit(struct fb_sink *base, struct fb_record_source *source,
                             const struct fb_position *positions, uint32_t n, int timeout_ms,
                             struct fb_err *err) {
    struct sink *sink = (struct sink *)base;
    if (FB_PLANTED(POSITIONS_FIRST) && n)
        source->calls->commit(source, positions, n, err);
    enum sim_trouble trouble = sim_pass(sink->actor, SIM_AT_FLUSH, 50, 3 * MS);
    if (sim_dead(sink->actor)) {
        fb_fail(err, FB_FATAL, "killed");
        return FB_COMMIT_FAILED;
    }
    if (trouble == SIM_ABORTABLE) {
        forget(sink);
        return FB_COMMIT_AGAIN;
    }
    send_some(sink, 50);
    if (sink->sent < sink->queue.n) {
        sim_sleep(sink->actor, sim_reachable(sink->actor) ? MS : timeout_ms * MS);
        return FB_COMMIT_WAIT;
    }
    sim_queue_clear(&sink->queue);
    sink->sent = 0;
    return commit_positions(sink, source, positions, n, err);
}

static void close_sink(struct fb_sink *base) {
    struct sink *sink = (struct sink *)base;
    sim_queue_free(&sink->queue);
    free(sink);
}

static const struct fb_sink_calls calls = {put, commit, close_sink};

struct fb_sink *sim_open_plain_sink(void *context, uint32_t worker, struct fb_err *err) {
    struct sim_process *process = context;
    struct sim_actor *actor = &process->actors[worker];
    sim_pass(actor, SIM_AT_OPEN, 100, 20 * MS);
    if (sim_dead(actor)) {
        fb_fail(err, FB_FATAL, "killed");
        return NULL;
    }
    struct sink *sink = fb_alloc(sizeof *sink);
    sink->base.calls = &calls;
    sink->actor = actor;
    return &sink->base;
}
