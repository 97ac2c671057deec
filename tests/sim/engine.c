/* Processes of the simulator: real workers, each on a coroutine of its own. */
#include "tests/sim/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/run/deployed.h"
#include "engine/run/deployments.h"
#include "engine/run/worker.h"
#include "tests/sim/client.h"

#define SECOND INT64_C(1000000)
enum { LOOK_US = 100000 };

const char *const sim_stream_names[FB_STREAMS] = {
    [FB_STREAM_ALERTS] = "alerts",   [FB_STREAM_LATE] = "late",
    [FB_STREAM_DEAD] = "dead",       [FB_STREAM_AUDIT] = "audit",
    [FB_STREAM_COMMANDS] = "commands", [FB_STREAM_SHADOW] = "shadow",
    [FB_STREAM_JOURNAL] = "journal", [FB_STREAM_SNAPSHOT] = "snapshot",
    [FB_STREAM_STATUS] = "status"};

static const char *const also[] = {SIM_FANS_TOPIC};

/* While a process runs. */
struct life {
    struct fb_task_config task;
    struct fb_park *park;
    struct fb_deployed *deployed;
    bool failed; /* before there were workers */
    struct fb_err why;
    struct fb_crumbs *crumbs;
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

/* ---- crumbs ---- */

/* The real ones, in real files. A process that was killed in the simulation goes on to its end in
 * this one, so its file is put back to what it was when it died. */
static char folder[32];

static void crumbs_path(const struct sim_process *process, char path[static 64]) {
    snprintf(path, 64, "%s/%s.crumbs", folder, process->name);
}

static void remove_files(void) {
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%c.crumbs", folder, 'A' + i);
        unlink(path);
    }
}

void sim_files_begin(void) {
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "/tmp/fb-sim-XXXXXX");
        FB_ASSERT(mkdtemp(folder));
    }
    remove_files();
}

void sim_files_end(void) {
    if (folder[0]) {
        remove_files();
        rmdir(folder);
    }
    folder[0] = '\0';
}

static struct fb_crumbs *open_crumbs(struct sim_process *process, uint32_t workers) {
    char path[64];
    struct fb_err err;
    crumbs_path(process, path);
    if (process->crumbs_at_death) {
        FILE *file = fopen(path, "w");
        FB_ASSERT(file && fwrite(process->crumbs_at_death, 1, process->crumbs_bytes, file) ==
                              process->crumbs_bytes);
        fclose(file);
    }
    free(process->crumbs_at_death);
    process->crumbs_at_death = NULL;
    struct fb_crumbs *crumbs = fb_crumbs_open(folder, process->name, workers, &err);
    FB_ASSERT(crumbs);
    return crumbs;
}

void sim_process_dies(struct sim_process *process) {
    char path[64];
    struct stat stat;
    if (process->dead || process->crumbs_at_death)
        return;
    crumbs_path(process, path);
    FILE *file = fopen(path, "r");
    FB_ASSERT(file && fstat(fileno(file), &stat) == 0);
    process->crumbs_bytes = (size_t)stat.st_size;
    process->crumbs_at_death = fb_alloc(process->crumbs_bytes);
    FB_ASSERT(fread(process->crumbs_at_death, 1, process->crumbs_bytes, file) ==
              process->crumbs_bytes);
    fclose(file);
}

bool sim_is_poison(const struct sim_process *process, const struct fb_record *record) {
    const struct life *life = process->life;
    return fb_crumbs_is_poison(life->crumbs, fb_crumb_topic(record->topic), record->partition,
                               record->offset);
}

/* ---- processes ---- */

static struct fb_bundle *bundle_of_start(const struct sim_process *process) {
    const struct sim_world *world = process->world;
    return world->plan.least ? world->least : world->variants[process->rules];
}

static void start_worker(struct sim_process *process, uint32_t worker) {
    const struct sim_plan *plan = &process->world->plan;
    struct life *life = process->life;
    struct part *part = &life->workers[worker];
    sim_identity(process, worker, part->owner);
    part->time = (struct fb_time){now_us, sleep_us, &process->actors[worker]};
    part->config =
        (struct fb_worker_config){.task = &life->task,
                                  .bundle = bundle_of_start(process),
                                  .deployed = life->deployed,
                                  .park = life->park,
                                  .build = "simulated",
                                  .owner = part->owner,
                                  .crumbs = life->crumbs,
                                  .commit_interval_us = plan->commit_us,
                                  .time = &part->time,
                                  .open_source = sim_open_source,
                                  .open_sink = plan->least ? sim_open_plain_sink : sim_open_sink,
                                  .open_history = sim_open_history,
                                  .context = process,
                                  .worker = worker,
                                  .stop = &process->stop,
                                  .drain = plan->least ? NULL : &process->drain};
    memcpy(part->config.topics, sim_stream_names, sizeof sim_stream_names);
    part->config.also = also;
    part->config.n_also = 1;
    part->worker = fb_worker_new(&part->config);
    sim_actor_start(&process->actors[worker], live);
}

/* What engine/run/engine does on its own thread, and run/deployed on another. */

static bool workers_are_over(const struct sim_process *process) {
    for (int w = 0; w < process->world->plan.workers; w++)
        if (!process->actors[w].finished)
            return false;
    return true;
}

static void look_at_drain(struct sim_process *process) {
    struct life *life = process->life;
    if (!fb_deployed_drains(life->deployed))
        return;
    if (atomic_load(&process->drain) == FB_DRAIN_NOT) {
        sim_trace(process->world, "%s: drains", process->name);
        atomic_store(&process->drain, FB_DRAIN_WANTED);
    }
    for (int w = 0; w < process->world->plan.workers; w++)
        if (!atomic_load(&fb_worker_figures(life->workers[w].worker)->drained))
            return;
    sim_trace(process->world, "%s: drained", process->name);
    atomic_store(&process->drain, FB_DRAIN_LEAVE);
}

static bool open_deployed(struct sim_actor *self, struct fb_err *err) {
    struct sim_process *process = self->process;
    struct life *life = process->life;
    struct fb_deployed_config config = {.topic = SIM_RULES_TOPIC,
                                        .history = sim_open_history(process, self->worker, err),
                                        .bundle = process->world->variants[process->rules],
                                        .stop = &process->stop};
    if (config.history)
        life->deployed = fb_deployed_open(&config, err);
    return life->deployed != NULL;
}

static bool is_time_to_look(const struct sim_actor *self, int64_t looked_us) {
    const struct sim_world *world = self->world;
    const struct life *life = self->process->life;
    return fb_deployed_is_asked(life->deployed) ||
           world->now_us - looked_us >= (world->quiet ? SECOND : world->plan.look_us);
}

static void watch(struct sim_actor *self) {
    struct sim_process *process = self->process;
    struct life *life = process->life;
    int64_t looked_us = self->world->now_us;
    bool least = self->world->plan.least;
    if (!least && !open_deployed(self, &life->why)) {
        sim_trace(self->world, "%s: cannot start: %s", process->name, life->why.text);
        life->failed = true;
        return;
    }
    for (int w = 0; w < self->world->plan.workers; w++)
        start_worker(process, (uint32_t)w);
    while (!process->dead && !workers_are_over(process)) {
        struct fb_err err;
        sim_sleep(self, LOOK_US);
        if (least || process->dead || atomic_load(&process->stop))
            continue;
        if (is_time_to_look(self, looked_us)) {
            looked_us = self->world->now_us;
            fb_deployed_look(life->deployed, &err); /* what it does not see it sees later */
        }
        look_at_drain(process);
    }
}

void sim_process_start(struct sim_process *process) {
    struct sim_world *world = process->world;
    const struct sim_plan *plan = &world->plan;
    struct life *life = fb_alloc(sizeof *life);
    sim_trace(world, "%s: starts", process->name);
    life->task = *sim_reference_config(!plan->least);
    life->task.pace = (struct fb_snapshot_pace){.least_us = plan->snapshot_least_us,
                                                .most_us = plan->snapshot_most_us,
                                                .piece_bytes = plan->piece_bytes};
    /* With the rules that it knows already, or with those of the deployment. */
    if (fb_random_chance(&world->random, 50))
        process->rules = world->rules;
    life->park = fb_park_new(10 * SECOND);
    life->crumbs = open_crumbs(process, (uint32_t)plan->workers);
    process->life = life;
    process->start_us = -1;
    process->running = true;
    process->dead = false;
    process->paused_us = process->cut_us = 0;
    atomic_store(&process->stop, false);
    atomic_store(&process->drain, FB_DRAIN_NOT);
    for (int w = 0; w < SIM_ACTORS; w++)
        process->actors[w].used = process->actors[w].finished = false;
    sim_actor_start(&process->actors[SIM_MAIN], watch);
}

bool sim_process_listens(const struct sim_process *process) {
    const struct life *life = process->life;
    return life && life->deployed;
}

/* ---- what operators do ---- */

static void append_to_rules(struct sim_world *world, const struct fb_bundle *bundle) {
    struct fb_header headers[FB_DEPLOYMENT_HEADERS];
    struct fb_buf value = {0};
    struct fb_str bytes = bundle ? bundle->bytes : (struct fb_str){NULL, 0};
    struct fb_outgoing record =
        fb_deployment_record(SIM_RULES_TOPIC, bytes, "op", "now", headers, &value);
    int topic = sim_topic(world->kafka, FB_S(SIM_RULES_TOPIC));
    sim_append(world->kafka, topic, 0, world->now_us, record.key, record.value);
    fb_buf_free(&value);
}

void sim_in_force(struct sim_world *world, int variant) {
    FB_PUSH_ROOM(world->deployments, world->n_deployments, world->deployments_cap);
    world->deployments[world->n_deployments++] = variant;
    world->rules = variant;
}

void sim_deploy(struct sim_world *world) {
    uint32_t drawn = fb_random_below(&world->random, 100);
    int topic = sim_topic(world->kafka, FB_S(SIM_RULES_TOPIC));
    if (drawn < 12) {
        append_to_rules(world, world->foreign);
    } else if (drawn < 20) {
        sim_append(world->kafka, topic, 0, world->now_us, FB_S("rules"), FB_S("no bundle"));
    } else {
        sim_in_force(world, (int)fb_random_below(&world->random, SIM_RULES));
        world->rules_changed |= world->rules != 0;
        append_to_rules(world, world->variants[world->rules]);
    }
    sim_trace(world, "deployed: %s",
              drawn < 12   ? "rules that read other topics"
              : drawn < 20 ? "junk"
                           : world->variants[world->rules]->name);
}

void sim_ask_to_drain(struct sim_world *world) {
    sim_trace(world, "all that run are asked to drain");
    append_to_rules(world, NULL);
}

bool sim_process_clean_up(struct sim_process *process, struct fb_err *why) {
    struct life *life = process->life;
    if (!life)
        return true;
    bool ok = !life->failed;
    *why = life->why;
    for (uint32_t w = 0; w < SIM_WORKERS_MAX; w++) {
        struct part *part = &life->workers[w];
        if (part->worker && !part->ok && ok) {
            ok = false;
            *why = part->err;
        }
        fb_worker_free(part->worker);
    }
    fb_deployed_close(life->deployed);
    fb_park_free(life->park);
    fb_crumbs_close(life->crumbs);
    free(life);
    process->life = NULL;
    return ok || process->dead;
}
