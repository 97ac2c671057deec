/* What has to hold after a run at least once. */
#include "tests/sim/check_least.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "tests/sim/engine.h"
#include "tests/sim/work.h"

static const struct sim_log *log_of(const struct sim_world *world, const char *topic,
                                    int32_t partition) {
    return &world->kafka->logs[sim_topic(world->kafka, fb_str_of(topic))][partition];
}

/* The number behind a mark in a text; -1: it is not there. */
static int64_t number_behind(struct fb_str text, const char *mark) {
    const char *found = text.p ? memmem(text.p, text.n, mark, strlen(mark)) : NULL;
    return found ? strtoll(found + strlen(mark), NULL, 10) : -1;
}

/* How often something was put out; `firm`: by producers that knew of it. */
struct told {
    uint32_t all, firm;
};

static void tell(struct told *told, const struct sim_record *output) {
    told->all++;
    told->firm += !output->voided;
}

/* ---- dead letters ---- */

/* What ended a process twice is put aside unread: then nothing else tells of it. */
static void check_poison(struct sim_world *world, const struct sim_record *letter, int t,
                         int32_t partition, int64_t offset, struct sim_result *result) {
    const int topic = sim_topic(world->kafka, fb_str_of(sim_inputs[t]));
    struct sim_record *record = &world->kafka->logs[topic][partition].records[offset];
    int most = 0;
    if (!memmem(letter->headers.p, letter->headers.n, "fb_reason=POISON", 16))
        return;
    for (int i = 0; i < SIM_DEATHS_OF; i++)
        most = record->kills[i] > most ? record->kills[i] : most;
    record->buried = true;
    result->buried++;
    if (most < 2)
        sim_violated(world, "I12", "%s [%d]@%lld was put aside, and ended a process %d times",
                     sim_inputs[t], partition, (long long)offset, most);
}

static void count_dead(struct sim_world *world, int32_t partition, struct sim_result *result) {
    const struct sim_log *dead = log_of(world, sim_stream_names[FB_STREAM_DEAD], partition);
    struct told *letters[2];
    for (int t = 0; t < world->plan.topics; t++)
        letters[t] = fb_alloc((log_of(world, sim_inputs[t], partition)->n + 1) * sizeof **letters);
    for (size_t i = 0; i < dead->n; i++) {
        int64_t offset = number_behind(dead->records[i].headers, "fb_offset=");
        int t = memmem(dead->records[i].headers.p, dead->records[i].headers.n, "fb_topic=more", 13)
                    ? 1
                    : 0;
        FB_ASSERT(offset >= 0 && (size_t)offset < log_of(world, sim_inputs[t], partition)->n);
        tell(&letters[t][offset], &dead->records[i]);
        result->outputs++;
        check_poison(world, &dead->records[i], t, partition, offset, result);
    }
    for (int t = 0; t < world->plan.topics; t++) {
        const struct sim_log *log = log_of(world, sim_inputs[t], partition);
        for (size_t i = 0; i < log->n; i++) {
            const struct sim_record *record = &log->records[i];
            bool is_due = record->state == SIM_PLAIN && record->number == 0;
            struct told n = letters[t][i];
            result->records += record->state == SIM_PLAIN;
            if (is_due && n.all == 0)
                sim_violated(world, "I12", "%s [%d]@%zu: no dead letter of it", sim_inputs[t],
                             partition, i);
            if (n.firm > record->handed)
                sim_violated(world, "I12", "%s [%d]@%zu: %u dead letters, it was read %u times",
                             sim_inputs[t], partition, i, n.firm, record->handed);
        }
        free(letters[t]);
    }
}

/* ---- events ---- */

/* How often each number was told: by its event, or as late or ahead of the time. */
static struct told *count_told(const struct sim_world *world, struct sim_result *result) {
    struct told *told = fb_alloc((world->events + 1) * sizeof *told);
    static const struct {
        enum fb_stream stream;
        const char *mark;
    } where[] = {{FB_STREAM_ALERTS, "\"n="}, {FB_STREAM_LATE, "\"n\":"}};
    for (int32_t p = 0; p < world->plan.partitions; p++)
        for (int k = 0; k < 2; k++) {
            const struct sim_log *log = log_of(world, sim_stream_names[where[k].stream], p);
            for (size_t i = 0; i < log->n; i++) {
                int64_t number = number_behind(log->records[i].value, where[k].mark);
                result->outputs++;
                if (number > 0 && number <= world->events)
                    tell(&told[number], &log->records[i]);
            }
        }
    return told;
}

static void check_events(struct sim_world *world, struct sim_result *result) {
    struct told *told = count_told(world, result);
    for (int t = 0; t < world->plan.topics; t++)
        for (int32_t p = 0; p < world->plan.partitions; p++) {
            const struct sim_log *log = log_of(world, sim_inputs[t], p);
            for (size_t i = 0; i < log->n; i++) {
                const struct sim_record *record = &log->records[i];
                struct told n = told[record->number];
                if (record->tells && !record->buried && n.all == 0)
                    sim_violated(world, "I12", "%s [%d]@%zu: no event of it, number %u",
                                 sim_inputs[t], p, i, record->number);
                if (record->number && n.firm > record->handed)
                    sim_violated(world, "I12", "%s [%d]@%zu: told %u times, it was read %u times",
                                 sim_inputs[t], p, i, n.firm, record->handed);
            }
        }
    free(told);
}

void sim_check_least(struct sim_world *world, struct sim_result *result) {
    for (int32_t p = 0; p < world->plan.partitions; p++)
        count_dead(world, p, result);
    check_events(world, result);
    for (int s = FB_STREAM_AUDIT; s < FB_STREAMS; s++)
        for (int32_t p = 0; p < world->plan.partitions; p++)
            if (log_of(world, sim_stream_names[s], p)->n)
                sim_violated(world, "I12", "%s [%d]: something was written", sim_stream_names[s],
                             p);
}
