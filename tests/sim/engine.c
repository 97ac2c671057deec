/* Processes of the simulator: real workers, each on a coroutine of its own. */
#include "tests/sim/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/run/worker.h"
#include "tests/sim/client.h"

#define SECOND INT64_C(1000000)

const char *const sim_stream_names[FB_STREAMS] = {
    [FB_STREAM_ALERTS] = "alerts",   [FB_STREAM_LATE] = "late",
    [FB_STREAM_DEAD] = "dead",       [FB_STREAM_AUDIT] = "audit",
    [FB_STREAM_JOURNAL] = "journal", [FB_STREAM_SNAPSHOT] = "snapshot",
    [FB_STREAM_STATUS] = "status"};

/* While a process runs. */
struct life {
    struct fb_task_config task;
    struct fb_bundle *const *rules; /* the variants */
    struct fb_park *park;
    struct part {
        struct fb_time time;
        char owner[SIM_NAME_MAX];
        struct fb_worker_config config;
        struct fb_worker *worker;
        bool ok;
        struct fb_err err;
    } workers[SIM_WORKERS_MAX];
};

static const struct fb_task_config reference_configs[] = {
    {.application = {"sim", 3}, .room = {.memory_max = 1 << 20, .folder = "/tmp"}},
    {.application = {"sim", 3},
     .room = {.memory_max = 1 << 20, .folder = "/tmp"},
     .journalled = true,
     .pace = {.least_us = INT64_MAX, .most_us = INT64_MAX}}};

const struct fb_task_config *sim_reference_config(bool journalled) {
    return &reference_configs[journalled];
}

static int64_t now_us(void *context, enum fb_clock_kind kind) {
    struct sim_actor *actor = context;
    return kind == FB_CLOCK_WALL ? sim_wall_us(actor) : actor->world->now_us;
}

static void sleep_us(void *context, int64_t us) {
    sim_pass(context, SIM_AT_POLL, us, us + 1000);
}

static void live(struct sim_actor *self) {
    struct sim_process *process = self->process;
    struct life *life = process->life;
    struct part *part = &life->workers[self->worker];
    part->ok = fb_worker_run(part->worker, &part->err);
    if (!process->dead)
        sim_trace(self->world, "%s: %s%s", part->owner,
                  part->ok ? "done" : "failed: ", part->ok ? "" : part->err.text);
    if (!part->ok) /* one that fails takes the others of its process along */
        atomic_store(&process->stop, true);
}

/* A process hears of new rules sooner or later. */
static struct fb_bundle *wanted(void *context) {
    struct sim_process *process = context;
    struct sim_world *world = process->world;
    if (process->rules != world->rules && sim_chance(&world->random, 20)) {
        process->rules = world->rules;
        world->rules_changed = true;
        sim_trace(world, "%s: rules %d", process->name, process->rules);
    }
    return fb_bundle_keep(((struct life *)process->life)->rules[process->rules]);
}

static void start_worker(struct sim_process *process, uint32_t worker) {
    const struct sim_plan *plan = &process->world->plan;
    struct life *life = process->life;
    struct part *part = &life->workers[worker];
    sim_identity(process, worker, part->owner);
    part->time = (struct fb_time){now_us, sleep_us, &process->actors[worker]};
    part->config = (struct fb_worker_config){.task = &life->task,
                                             .bundle = life->rules[process->rules],
                                             .wanted = wanted,
                                             .park = life->park,
                                             .build = "simulated",
                                             .owner = part->owner,
                                             .commit_interval_us = plan->commit_us,
                                             .time = &part->time,
                                             .open_source = sim_open_source,
                                             .open_sink = sim_open_sink,
                                             .open_history = sim_open_history,
                                             .context = process,
                                             .worker = worker,
                                             .stop = &process->stop};
    memcpy(part->config.topics, sim_stream_names, sizeof sim_stream_names);
    part->worker = fb_worker_new(&part->config);
    sim_actor_start(&process->actors[worker], live);
}

void sim_process_start(struct sim_process *process, struct fb_bundle *const rules[SIM_RULES]) {
    struct sim_world *world = process->world;
    const struct sim_plan *plan = &world->plan;
    struct life *life = fb_alloc(sizeof *life);
    sim_trace(world, "%s: starts", process->name);
    life->task = *sim_reference_config(true);
    life->task.pace = (struct fb_snapshot_pace){.least_us = plan->snapshot_least_us,
                                                .most_us = plan->snapshot_most_us,
                                                .piece_bytes = plan->piece_bytes};
    life->rules = rules;
    if (!sim_chance(&world->random, 10))
        process->rules = world->rules;
    world->rules_changed |= process->rules != 0;
    life->park = fb_park_new(10 * SECOND);
    process->life = life;
    process->start_us = -1;
    process->running = true;
    process->dead = false;
    process->paused_us = process->cut_us = 0;
    atomic_store(&process->stop, false);
    for (int w = 0; w < plan->workers; w++)
        start_worker(process, (uint32_t)w);
}

bool sim_process_clean_up(struct sim_process *process, struct fb_err *why) {
    struct life *life = process->life;
    bool ok = true;
    if (!life)
        return true;
    for (uint32_t w = 0; w < SIM_WORKERS_MAX; w++) {
        struct part *part = &life->workers[w];
        if (part->worker && !part->ok && ok) {
            ok = false;
            *why = part->err;
        }
        fb_worker_free(part->worker);
    }
    fb_park_free(life->park);
    free(life);
    process->life = NULL;
    return ok || process->dead;
}
