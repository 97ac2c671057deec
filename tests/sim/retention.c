/* Old records go, as far as the promises allow: what the second newest snapshot needs is kept. */
#include "tests/sim/retention.h"

#include "engine/codec/chunk.h"
#include "tests/sim/engine.h"

/* The second newest of the committed ones. False: there are no two. */
static bool second_newest(const struct sim_kafka *kafka, int32_t partition,
                          struct fb_manifest *second) {
    int topic = sim_topic(kafka, fb_str_of(sim_stream_names[FB_STREAM_SNAPSHOT]));
    const struct sim_log *log = &kafka->logs[topic][partition];
    int found = 0;
    for (size_t i = log->n; i-- > 0 && found < 2;) {
        const struct sim_record *record = &log->records[i];
        uint8_t rules[32];
        uint32_t index;
        int slot;
        struct fb_err err;
        if (record->state == SIM_COMMITTED &&
            fb_chunk_key_parse(record->key, &slot, &index, rules) == FB_KEY_MANIFEST &&
            fb_manifest_decode(record->value, second, &err))
            found++;
    }
    return found == 2;
}

static void cut(struct sim_world *world, int topic, int32_t partition, int64_t most) {
    struct sim_log *log = &world->kafka->logs[topic][partition];
    if (most > log->first)
        log->first = fb_random_between(&world->random, log->first, most);
}

/* The offset of a commit's record in the journal. */
static int64_t offset_of(const struct sim_log *log, uint64_t seq) {
    struct fb_journal journal;
    struct fb_err err;
    for (size_t i = 0; i < log->n; i++)
        if (log->records[i].state == SIM_COMMITTED &&
            fb_journal_parse(log->records[i].value, &journal, &err) && journal.seq == seq)
            return (int64_t)i;
    return 0;
}

void sim_retain(struct sim_world *world) {
    struct sim_kafka *kafka = world->kafka;
    int journal = sim_topic(kafka, fb_str_of(sim_stream_names[FB_STREAM_JOURNAL]));
    for (int32_t p = 0; p < world->plan.partitions; p++) {
        struct fb_manifest second;
        if (!second_newest(kafka, p, &second))
            continue;
        for (uint32_t i = 0; i < second.at.n_inputs; i++)
            cut(world, sim_topic(kafka, second.at.inputs[i].topic), p, second.at.inputs[i].next);
        cut(world, journal, p, offset_of(&kafka->logs[journal][p], second.at.seq));
        sim_trace(world, "[%d]: records before snapshot %llu may go", p,
                  (unsigned long long)second.snapshot);
    }
}
