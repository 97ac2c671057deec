/* One seed from beginning to end. */
#include "tests/sim/run.h"

#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/codec/journal.h"
#include "tests/sim/check.h"
#include "tests/sim/check_least.h"
#include "tests/sim/engine.h"
#include "tests/sim/work.h"

#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)
/* 2026-01-01, so that times in a trace can be read */
#define BEGINNING (INT64_C(1767225600) * SECOND)

enum {
    FAULTS_S = 900,  /* how long a seed may take to spend its faults */
    DRAIN_S = 120,   /* how soon everything must be done when they have stopped (I8) */
    SETTLE_S = 8,    /* then timers and snapshots come to their end */
    FAILURES_MAX = 8 /* of processes, when there are no more faults */
};

/* ---- rules ---- */

static struct fb_bundle *make_bundle(struct fb_buf rules) {
    struct fb_compiled compiled = {0};
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    fb_sources_add(sources, FB_S("machines.rules"), (struct fb_str){rules.p, rules.n});
    fb_buf_free(&rules);
    bool ok = fb_compile_sources(sources, diags, &compiled);
    struct fb_buf text = {0};
    if (!ok) {
        fb_diags_print(diags, compiled.sources, false, &text);
        fputs(fb_buf_terminated(&text), stderr);
    }
    fb_buf_free(&text);
    fb_diags_free(diags);
    struct fb_bundle_settings settings = {.max_skew_us = 60 * SECOND, .max_age_us = 60 * SECOND};
    if (ok)
        return fb_bundle_of(&compiled, &settings, NULL);
    fb_compiled_free(&compiled);
    return NULL;
}

bool sim_bundles_make(struct sim_bundles *bundles) {
    bool ok = true;
    *bundles = (struct sim_bundles){0};
    for (int topics = 1; topics <= 2; topics++)
        ok &= (bundles->least[topics] = make_bundle(sim_rules_of_least(topics))) != NULL;
    for (int topics = 1; topics <= 2; topics++)
        for (int v = 0; v < SIM_RULES; v++)
            ok &= (bundles->of[topics][v] = make_bundle(sim_rules(topics, v))) != NULL;
    return ok;
}

void sim_bundles_free(struct sim_bundles *bundles) {
    for (int topics = 1; topics <= 2; topics++)
        for (int v = 0; v < SIM_RULES; v++)
            fb_bundle_drop(bundles->of[topics][v]);
    for (int topics = 1; topics <= 2; topics++)
        fb_bundle_drop(bundles->least[topics]);
}

/* ---- the plan ---- */

static struct sim_plan draw_plan(const struct sim_options *options) {
    struct fb_random random = {options->seed ^ UINT64_C(0x5851f42d4c957f2d)};
    struct sim_plan plan = {.seed = options->seed};
    plan.processes = 1 + (int)fb_random_below(&random, 3);
    plan.workers = fb_random_chance(&random, 30) ? 2 : 1;
    plan.partitions = 2 + (int)fb_random_below(&random, 3);
    plan.topics = fb_random_chance(&random, 40) ? 2 : 1;
    plan.stored = plan.topics == 1 && fb_random_chance(&random, 40);
    plan.events = (int)fb_random_between(&random, 100, 600);
    plan.reloads = fb_random_chance(&random, 40);
    plan.markers = fb_random_chance(&random, 30);
    plan.devices = (int)fb_random_between(&random, 2, 24);
    plan.piece_bytes = fb_random_chance(&random, 70) ? 1 + fb_random_below(&random, 2000) : 0;
    plan.step_us = fb_random_between(&random, 5 * MS, 60 * MS);
    plan.faults = options->faults >= 0 ? options->faults : (int)fb_random_below(&random, 25);
    plan.fault_gap = 400;
    plan.commit_us =
        fb_random_chance(&random, 20) ? 0 : fb_random_between(&random, 5 * MS, 200 * MS);
    plan.snapshot_least_us = fb_random_between(&random, 50 * MS, 2 * SECOND);
    plan.snapshot_most_us = plan.snapshot_least_us + fb_random_between(&random, 0, 3 * SECOND);
    plan.transaction_us = fb_random_between(&random, 1 * SECOND, 6 * SECOND);
    plan.kafka = (struct sim_kafka_config){
        .session_us = fb_random_between(&random, 1 * SECOND, 6 * SECOND),
        .rebalance_us = fb_random_between(&random, 3 * SECOND, 10 * SECOND),
        .offsets_retention_us = fb_random_chance(&random, 30) ? 8 * SECOND : 3600 * SECOND,
        .marker_max_us = fb_random_between(&random, 1 * MS, 500 * MS)};
    plan.drains = fb_random_chance(&random, 50);
    plan.lethal = fb_random_chance(&random, 25) ? 1 + (int)fb_random_below(&random, 3) : 0;
    plan.least = fb_random_chance(&random, 12) || options->least;
    plan.look_us =
        fb_random_chance(&random, 40) ? SECOND : fb_random_between(&random, SECOND, 20 * SECOND);
    return plan;
}

static void make_topics(struct sim_world *world) {
    const struct sim_plan *plan = &world->plan;
    for (int t = 0; t < plan->topics; t++)
        sim_topic_add(world->kafka, sim_inputs[t], plan->partitions, true);
    for (int s = 0; s < FB_STREAMS; s++)
        sim_topic_add(world->kafka, sim_stream_names[s], plan->partitions, false);
    sim_topic_add(world->kafka, SIM_FANS_TOPIC, plan->partitions, false);
    sim_topic_add(world->kafka, SIM_RULES_TOPIC, 1, false);
}

static void store_input(struct sim_world *world) {
    int64_t at_us = world->now_us - SIM_STORED_HOURS * 3600 * SECOND;
    for (int i = 0; i < world->plan.events; i++) {
        at_us += fb_random_between(&world->random, 0, 2 * world->plan.step_us);
        sim_event(world, at_us);
    }
}

/* ---- the course ---- */

struct course {
    struct sim_world world;
    struct sim_result *result;
    int events; /* appended */
    int64_t event_us;
    int failures;
    struct fb_err last_failure;
};

static void look_after_processes(struct course *course) {
    struct sim_world *world = &course->world;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_process *process = &world->processes[i];
        struct fb_err why;
        if (process->running)
            continue;
        if (!sim_process_clean_up(process, &why)) {
            course->failures += world->quiet;
            course->last_failure = why;
        }
        if (process->start_us >= 0 && process->start_us <= world->now_us) {
            course->result->restarts++;
            sim_process_start(process);
        }
    }
}

static void send(struct course *course) {
    struct sim_world *world = &course->world;
    course->events++;
    sim_event(world, world->now_us);
    course->event_us =
        world->now_us + fb_random_between(&world->random, 0, 2 * world->plan.step_us);
}

/* Devices go on sending while there are faults to come. */
static void devices(struct course *course) {
    struct sim_world *world = &course->world;
    bool more = course->events < world->plan.events ||
                (world->faults_left > 0 && course->events < 4 * world->plan.events);
    if (world->plan.stored || world->quiet || !more || world->now_us < course->event_us ||
        world->now_us < world->outage_us)
        return;
    send(course);
}

static void turn(struct course *course, int64_t until_us) {
    look_after_processes(course);
    devices(course);
    sim_turn(&course->world, until_us);
}

/* At least once the positions of the group are all there is. */
static bool positions_are_at_the_end(struct sim_world *world, int32_t partition) {
    for (int t = 0; t < world->plan.topics; t++) {
        int topic = sim_topic(world->kafka, fb_str_of(sim_inputs[t]));
        int64_t offset, next = world->kafka->group.offsets[topic][partition].next;
        if (next < 0 || sim_next(world->kafka, topic, partition, next, &offset))
            return false;
    }
    return true;
}

/* Behind all that a record of the journal tells. */
static bool are_in_force(const struct fb_journal *journal, const struct fb_bundle *bundle) {
    struct fb_journal_reader reader = fb_journal_ops(journal);
    struct fb_journal_op op;
    struct fb_err err;
    uint8_t rules[32];
    memcpy(rules, journal->rules, sizeof rules);
    while (fb_journal_next_op(&reader, &op, &err))
        if (op.kind == FB_JOURNAL_RULES)
            memcpy(rules, op.rules, sizeof rules);
    return memcmp(rules, bundle->hash, sizeof rules) == 0;
}

/* The journal is the authority: positions of the group may have expired. */
static bool partition_is_drained(struct sim_world *world, int32_t partition) {
    struct sim_kafka *kafka = world->kafka;
    if (world->plan.least)
        return positions_are_at_the_end(world, partition);
    int journal_topic = sim_topic(kafka, fb_str_of(sim_stream_names[FB_STREAM_JOURNAL]));
    const struct sim_log *log = &kafka->logs[journal_topic][partition];
    int64_t last = sim_stable_end(kafka, journal_topic, partition) - 1;
    struct fb_journal journal;
    struct fb_err err;
    while (last >= 0 && log->records[last].state != SIM_COMMITTED)
        last--;
    if (last < 0 || (size_t)sim_stable_end(kafka, journal_topic, partition) < log->n ||
        !fb_journal_parse(log->records[last].value, &journal, &err) ||
        !are_in_force(&journal, world->variants[world->rules]))
        return false;
    for (uint32_t i = 0; i < journal.n_inputs; i++) {
        int topic = sim_topic(kafka, journal.inputs[i].topic);
        int64_t offset;
        if (sim_next(kafka, topic, partition, journal.inputs[i].next, &offset))
            return false;
    }
    return true;
}

static bool is_drained(struct sim_world *world) {
    for (int32_t p = 0; p < world->plan.partitions; p++)
        if (!partition_is_drained(world, p))
            return false;
    return true;
}

static bool any_running(const struct sim_world *world) {
    for (int i = 0; i < SIM_PROCESSES_MAX; i++)
        if (world->processes[i].running)
            return true;
    return false;
}

static void with_faults(struct course *course) {
    struct sim_world *world = &course->world;
    int64_t until_us = world->now_us + FAULTS_S * SECOND;
    while (!world->violation && world->now_us < until_us &&
           (world->faults_left > 0 || (!world->plan.stored && course->events < world->plan.events)))
        turn(course, until_us);
    course->result->faults = world->plan.faults - world->faults_left;
}

static void drain(struct course *course) {
    struct sim_world *world = &course->world;
    int64_t until_us = world->now_us + DRAIN_S * SECOND;
    sim_calm(world);
    sim_trace(world, "the faults are over");
    while (!world->violation && !is_drained(world) && world->now_us < until_us &&
           course->failures <= FAILURES_MAX)
        turn(course, until_us);
    if (course->failures > FAILURES_MAX)
        sim_violated(world, "I8", "processes fail without a fault: %s", course->last_failure.text);
    else if (!is_drained(world))
        sim_violated(world, "I8", "not drained %d s after the last fault", DRAIN_S);
    until_us = world->now_us + SETTLE_S * SECOND;
    while (!world->violation && world->now_us < until_us)
        turn(course, until_us);
}

static void begin_to_drain(struct sim_world *world) {
    const struct sim_kafka *kafka = world->kafka;
    world->drained = true;
    for (int t = 0; t < kafka->n_topics; t++)
        for (int p = 0; p < kafka->partitions[t]; p++)
            world->drained_at[t][p] = (int64_t)kafka->logs[t][p].n;
    sim_ask_to_drain(world);
}

static void stop_all(struct course *course) {
    struct sim_world *world = &course->world;
    int64_t until_us = world->now_us + DRAIN_S * SECOND;
    bool drains = world->plan.drains && !world->plan.least && !world->violation;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_process *process = &world->processes[i];
        process->wanted = false;
        process->start_us = -1;
        drains &= !process->running || (sim_process_listens(process) && !process->stop);
    }
    if (drains)
        begin_to_drain(world);
    for (int i = 0; i < SIM_PROCESSES_MAX; i++)
        if (!drains)
            atomic_store(&world->processes[i].stop, true);
    while (any_running(world) && world->now_us < until_us) {
        /* Devices do not wait: what comes now is for the next start, or for who has not heard. */
        if (drains && !world->plan.stored && world->now_us >= course->event_us)
            send(course);
        sim_turn(world, until_us);
    }
    if (any_running(world))
        sim_violated(world, "I8", "a process does not stop");
    /* What still runs is unwound as if it were killed. */
    for (int i = 0; i < SIM_PROCESSES_MAX; i++)
        if (world->processes[i].running)
            sim_kill(world, &world->processes[i]);
    until_us = world->now_us + SECOND;
    while (any_running(world) && world->now_us < until_us)
        sim_turn(world, until_us);
    FB_ASSERT(!any_running(world));
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct fb_err why;
        if (!sim_process_clean_up(&world->processes[i], &why))
            sim_violated(world, "I8", "a process fails at its end: %s", why.text);
    }
    /* The markers of the last transactions. */
    sim_turn(world, world->now_us + world->plan.kafka.marker_max_us + MS);
    for (int64_t end_us = world->now_us + 2 * SECOND; world->now_us < end_us;)
        sim_turn(world, end_us);
}

/* What was written is part of what a seed must repeat. */
static uint64_t hash_logs(const struct sim_kafka *kafka, uint64_t before) {
    struct fb_hash128 hash = {before, 0};
    for (int t = 0; t < kafka->n_topics; t++)
        for (int p = 0; p < kafka->partitions[t]; p++)
            for (size_t i = 0; i < kafka->logs[t][p].n; i++) {
                const struct sim_record *record = &kafka->logs[t][p].records[i];
                hash = fb_hash128_next(hash, record->key.p, record->key.n);
                hash = fb_hash128_next(hash, record->value.p, record->value.n);
            }
    return hash.low;
}

static void tell(const struct sim_world *world, struct sim_result *result) {
    result->violation = world->violation;
    result->trace_hash = hash_logs(world->kafka, world->trace_hash);
    memcpy(result->text, world->violation_text, sizeof result->text);
    uint64_t n = world->trace_n < SIM_TRACE_LINES ? world->trace_n : SIM_TRACE_LINES;
    for (uint64_t i = world->trace_n - n; i < world->trace_n; i++)
        fb_buf_printf(&result->tail, "%s\n", world->trace[i % SIM_TRACE_LINES]);
}

struct sim_result sim_run(const struct sim_options *options, const struct sim_bundles *bundles) {
    struct sim_result result = {0};
    struct sim_plan plan = draw_plan(options);
    struct course *course = calloc(1, sizeof *course);
    FB_ASSERT(course);
    struct sim_world *world = &course->world;
    world->variants = bundles->of[plan.topics];
    world->least = bundles->least[plan.topics];
    world->foreign = bundles->of[3 - plan.topics][0];
    course->result = &result;
    world->now_us = BEGINNING;
    world->trace_file = options->trace;
    sim_world_init(world, &plan);
    sim_in_force(world, 0);
#ifdef FB_PLANTED_BUGS
    fb_planted = options->bug;
#endif
    world->kafka->config.uncommitted = FB_PLANTED(READ_UNCOMMITTED);
    sim_kafka_at(world->kafka, world->now_us);
    make_topics(world);
    sim_files_begin();
    if (plan.stored)
        store_input(world);
    for (int i = 0; i < plan.processes; i++) {
        world->processes[i].wanted = true;
        world->processes[i].start_us = world->now_us;
    }
    sim_trace(world, "seed %llu: %d processes of %d workers, %d partitions, %d topics%s, %d faults",
              (unsigned long long)plan.seed, plan.processes, plan.workers, plan.partitions,
              plan.topics,
              plan.least    ? " (at least once)"
              : plan.stored ? " (stored)"
                            : "",
              plan.faults);
    with_faults(course);
    drain(course);
    stop_all(course);
    world->kafka->config.uncommitted = false;
#ifdef FB_PLANTED_BUGS
    fb_planted = FB_NO_BUG; /* what is taken again is taken well */
#endif
    if (!world->violation)
        (plan.least ? sim_check_least : sim_check)(world, &result);
    tell(world, &result);
    sim_world_free(world);
    free(course);
    return result;
}
