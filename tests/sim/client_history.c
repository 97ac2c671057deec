/* Reads what was committed before. */
#include <stdlib.h>

#include "engine/base/arena.h"
#include "tests/sim/client.h"

#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)
enum { PATIENCE_MS = 10000 };

struct history {
    struct fb_history base;
    struct sim_actor *actor;
};

struct reader {
    struct fb_reader base;
    struct sim_actor *actor;
    int topic;
    int32_t partition;
    int64_t next, end;
};

/* Waits for the broker. False: killed, or it does not come back (err says which). */
static bool answers(struct sim_actor *actor, struct fb_err *err) {
    struct sim_world *world = actor->world;
    bool slow = world->now_us < world->slow_us;
    sim_pass(actor, SIM_AT_READ, slow ? 20 * MS : 20, slow ? 200 * MS : 2 * MS);
    int64_t until_us = world->now_us + PATIENCE_MS * MS;
    while (!sim_dead(actor) && !sim_reachable(actor)) {
        if (world->now_us > until_us)
            return fb_fail(err, FB_RETRIABLE, "the broker does not answer");
        sim_sleep(actor, 50 * MS);
    }
    return !sim_dead(actor) || fb_fail(err, FB_FATAL, "killed");
}

static bool bounds(struct fb_history *base, const char *topic, int32_t partition, int64_t *first,
                   int64_t *end, struct fb_err *err) {
    struct history *history = (struct history *)base;
    struct sim_kafka *kafka = history->actor->world->kafka;
    if (!answers(history->actor, err))
        return false;
    int found = sim_topic(kafka, fb_str_of(topic));
    *first = *end = 0;
    if (found >= 0) {
        *first = kafka->logs[found][partition].first;
        *end = sim_stable_end(kafka, found, partition);
    }
    return true;
}

static bool offset_at(struct fb_history *base, const char *topic, int32_t partition,
                      int64_t stamp_us, int64_t *offset, struct fb_err *err) {
    struct history *history = (struct history *)base;
    struct sim_kafka *kafka = history->actor->world->kafka;
    if (!answers(history->actor, err))
        return false;
    int found = sim_topic(kafka, fb_str_of(topic));
    FB_ASSERT(found >= 0);
    const struct sim_log *log = &kafka->logs[found][partition];
    int64_t end = sim_stable_end(kafka, found, partition);
    *offset = log->first;
    while (*offset < end && log->records[*offset].stamp_us < stamp_us)
        (*offset)++;
    return true;
}

static bool all_is_shown(struct fb_history *base, const char *topic, int32_t partition, bool *yes,
                         struct fb_err *err) {
    struct history *history = (struct history *)base;
    struct sim_kafka *kafka = history->actor->world->kafka;
    if (!answers(history->actor, err))
        return false;
    int found = sim_topic(kafka, fb_str_of(topic));
    *yes = found < 0 ||
           sim_stable_end(kafka, found, partition) == (int64_t)kafka->logs[found][partition].n;
    return true;
}

/* ---- readers ---- */

static enum fb_read next(struct fb_reader *base, struct fb_record *record, struct fb_err *err) {
    struct reader *reader = (struct reader *)base;
    struct sim_kafka *kafka = reader->actor->world->kafka;
    if (fb_random_chance(&reader->actor->world->random, 20) && !answers(reader->actor, err))
        return FB_READ_FAILED;
    if (sim_dead(reader->actor)) {
        fb_fail(err, FB_FATAL, "killed");
        return FB_READ_FAILED;
    }
    int64_t offset;
    const struct sim_record *found =
        sim_next(kafka, reader->topic, reader->partition, reader->next, &offset);
    if (!found || offset >= reader->end)
        return FB_READ_END;
    reader->next = offset + 1;
    *record = (struct fb_record){.topic = fb_str_of(kafka->topics[reader->topic]),
                                 .partition = reader->partition,
                                 .offset = offset,
                                 .stamp_us = found->stamp_us,
                                 .key = found->key,
                                 .value = found->value};
    return FB_READ_RECORD;
}

static void close_reader(struct fb_reader *base) {
    free(base);
}

static const struct fb_reader_calls reader_calls = {next, close_reader};

static struct fb_reader *open_reader(struct fb_history *base, const char *topic, int32_t partition,
                                     int64_t from, struct fb_err *err) {
    struct history *history = (struct history *)base;
    struct sim_kafka *kafka = history->actor->world->kafka;
    if (!answers(history->actor, err))
        return NULL;
    int found = sim_topic(kafka, fb_str_of(topic));
    if (found < 0 || from < kafka->logs[found][partition].first) {
        fb_fail(err, FB_FATAL, "records at %lld are gone", (long long)from);
        return NULL;
    }
    struct reader *reader = fb_alloc(sizeof *reader);
    *reader = (struct reader){.base.calls = &reader_calls,
                              .actor = history->actor,
                              .topic = found,
                              .partition = partition,
                              .next = from,
                              .end = sim_stable_end(kafka, found, partition)};
    return &reader->base;
}

static void close_history(struct fb_history *base) {
    free(base);
}

static const struct fb_history_calls calls = {bounds,       bounds,      offset_at,
                                              all_is_shown, open_reader, close_history};

struct fb_history *sim_open_history(void *context, uint32_t worker, struct fb_err *err) {
    struct sim_process *process = context;
    struct sim_actor *actor = &process->actors[worker];
    if (sim_dead(actor)) {
        fb_fail(err, FB_FATAL, "killed");
        return NULL;
    }
    struct history *history = fb_alloc(sizeof *history);
    history->base.calls = &calls;
    history->actor = actor;
    return &history->base;
}
