/* Coroutines, clocks and faults. */
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "engine/base/arena.h"
#include "engine/base/hash.h"
#include "tests/sim/engine.h"
#include "tests/sim/retention.h"

enum {
    STACK_BYTES = 512 * 1024,
    GUARD_BYTES = 4096,
    CALLS_AFTER_DEATH_MAX = 100000,
    PATIENCE = 2000
};
#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)

/* ---- trace ---- */

void sim_trace(struct sim_world *world, const char *format, ...) {
    char *line = world->trace[world->trace_n++ % SIM_TRACE_LINES];
    va_list args;
    int n = snprintf(line, sizeof *world->trace, "%10.3f ", (double)world->now_us / 1e6);
    va_start(args, format);
    vsnprintf(line + n, sizeof *world->trace - (size_t)n, format, args);
    va_end(args);
    struct fb_hash128 before = {world->trace_hash, 0};
    world->trace_hash = fb_hash128_next(before, line, strlen(line)).low;
    if (world->trace_file)
        fprintf(world->trace_file, "%s\n", line);
}

void sim_violated(struct sim_world *world, const char *invariant, const char *format, ...) {
    if (world->violation)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(world->violation_text, sizeof world->violation_text, format, args);
    va_end(args);
    world->violation = invariant;
    sim_trace(world, "VIOLATED %s", invariant);
}

/* ---- the world ---- */

/* Of 100: where faults happen. */
static const uint32_t point_shares[SIM_POINTS] = {
    [SIM_AT_POLL] = 16,     [SIM_AT_PUT] = 8,  [SIM_AT_FLUSH] = 12,
    [SIM_AT_OFFSETS] = 10,  [SIM_AT_END] = 20, [SIM_AT_ENDED] = 12,
    [SIM_AT_REBALANCE] = 7, [SIM_AT_OPEN] = 5, [SIM_AT_READ] = 10};

static void draw_next_fault(struct sim_world *world) {
    /* Faults come in bursts and after pauses: the gaps are spread over magnitudes. */
    uint32_t most = world->plan.fault_gap >> fb_random_below(&world->random, 8);
    uint32_t drawn = fb_random_below(&world->random, 100);
    int point = 0;
    world->credit = fb_random_below(&world->random, most + 2);
    while (drawn >= point_shares[point])
        drawn -= point_shares[point++];
    world->wanted = (enum sim_point)point;
}

void sim_world_init(struct sim_world *world, const struct sim_plan *plan) {
    world->plan = *plan;
    world->random.state = plan->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    world->kafka = sim_kafka_new(&plan->kafka, &world->random);
    world->faults_left = plan->faults;
    world->lethal_left = plan->lethal;
    draw_next_fault(world);
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_process *process = &world->processes[i];
        process->world = world;
        snprintf(process->name, sizeof process->name, "%c", 'A' + i);
        process->start_us = -1;
        for (uint32_t w = 0; w < SIM_ACTORS; w++) {
            process->actors[w].world = world;
            process->actors[w].process = process;
            process->actors[w].worker = w;
        }
    }
}

void sim_world_free(struct sim_world *world) {
    for (int i = 0; i < SIM_PROCESSES_MAX; i++)
        free(world->processes[i].crumbs_at_death);
    for (int i = 0; i < SIM_PROCESSES_MAX; i++)
        for (int w = 0; w < SIM_ACTORS; w++)
            if (world->processes[i].actors[w].stack)
                munmap(world->processes[i].actors[w].stack, STACK_BYTES);
    sim_kafka_free(world->kafka);
    free(world->deployments);
}

/* ---- actors ---- */

bool sim_dead(const struct sim_actor *self) {
    return self->process->dead;
}

bool sim_reachable(const struct sim_actor *self) {
    const struct sim_world *world = self->world;
    return world->now_us >= world->outage_us && world->now_us >= self->process->cut_us;
}

int64_t sim_wall_us(const struct sim_actor *self) {
    return self->world->now_us + self->process->wall_offset_us;
}

static void give_way(struct sim_actor *self, int64_t us) {
    if (self->process->dead) {
        /* A killed process has no more time; its worker only has to come to its end. */
        FB_ASSERT(self->calls_after_death++ < CALLS_AFTER_DEATH_MAX);
        return;
    }
    self->wake_us = self->world->now_us + us;
    swapcontext(&self->context, &self->world->scheduler);
}

void sim_sleep(struct sim_actor *self, int64_t us) {
    give_way(self, us);
}

static void enter(unsigned low, unsigned high) {
    struct sim_actor *self = (struct sim_actor *)((uintptr_t)low | (uintptr_t)high << 32);
    self->run(self);
    self->finished = true;
    swapcontext(&self->context, &self->world->scheduler);
}

void sim_actor_start(struct sim_actor *actor, void (*run)(struct sim_actor *self)) {
    if (!actor->stack) {
        actor->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        FB_ASSERT(actor->stack != MAP_FAILED && !mprotect(actor->stack, GUARD_BYTES, PROT_NONE));
    }
    actor->run = run;
    actor->used = true;
    actor->finished = false;
    actor->member = 0;
    actor->calls_after_death = 0;
    actor->wake_us = actor->world->now_us;
    FB_ASSERT(getcontext(&actor->context) == 0);
    actor->context.uc_stack.ss_sp = actor->stack + GUARD_BYTES;
    actor->context.uc_stack.ss_size = STACK_BYTES - GUARD_BYTES;
    actor->context.uc_link = NULL;
    uintptr_t self = (uintptr_t)actor;
    makecontext(&actor->context, (void (*)(void))enter, 2, (unsigned)self, (unsigned)(self >> 32));
}

/* ---- faults ---- */

enum fault {
    CRASH,
    PAUSE,
    OUTAGE,
    CUT,
    COMMIT_UNKNOWN,
    TRANSACTION_FAILS,
    FENCE,
    QUEUE_FULL,
    LEAVE,
    JOIN,
    WALL_JUMP,
    SLOW_HISTORY,
    COMPACT,
    RETAIN,
    RELOAD,
    SESSION_LOST,
    DRAIN,
    FAULTS
};

static const char *const fault_names[FAULTS] = {
    "crash",   "pause",      "outage", "network cut",  "commit unknown", "transaction fails",
    "fence",   "queue full", "leave",  "join",         "wall jump",      "slow history",
    "compact", "retention",  "reload", "session lost", "drain"};

/* How often a kind of fault is drawn, where it can happen. */
static const uint32_t fault_weights[FAULTS] = {26, 9, 5, 6, 40, 12, 5, 10, 5,
                                               5,  4, 2, 4, 4,  16, 5, 3};

void sim_kill(struct sim_world *world, struct sim_process *process) {
    sim_trace(world, "%s: killed", process->name);
    sim_process_dies(process);
    process->dead = true;
    atomic_store(&process->stop, true); /* so that nothing waits for what does not come any more */
    process->paused_us = 0;
    for (int w = 0; w < world->plan.workers; w++)
        if (process->actors[w].member)
            sim_silence(world->kafka, process->actors[w].member, true);
}

/* When a process that ended begins again; now and then another one does in its place. */
static void plan_restart(struct sim_world *world, struct sim_process *process) {
    static const int64_t magnitudes[] = {50 * MS, 500 * MS, 5 * SECOND, 30 * SECOND};
    uint32_t most = world->quiet ? 2 : 4;
    int64_t wait =
        fb_random_between(&world->random, 0, magnitudes[fb_random_below(&world->random, most)]);
    struct sim_process *heir = process;
    if (fb_random_chance(&world->random, 20))
        heir = &world->processes[fb_random_below(&world->random, SIM_PROCESSES_MAX)];
    if (heir->running || heir->start_us >= 0 || heir->wanted)
        heir = process;
    process->wanted = false;
    heir->wanted = true;
    heir->start_us = world->now_us + wait;
}

static struct sim_process *any_process(struct sim_world *world) {
    uint32_t from = fb_random_below(&world->random, SIM_PROCESSES_MAX);
    for (uint32_t i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_process *process = &world->processes[(from + i) % SIM_PROCESSES_MAX];
        if (process->running && !process->dead)
            return process;
    }
    return NULL;
}

static void join_another(struct sim_world *world) {
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_process *process = &world->processes[i];
        if (!process->running && process->start_us < 0) {
            process->wanted = true;
            process->start_us = world->now_us;
            return;
        }
    }
}

/* Somebody uses the transactional.id of another for a moment, or an operator aborts. */
static void fence_one(struct sim_world *world) {
    struct sim_kafka *kafka = world->kafka;
    struct sim_handle handle;
    if (kafka->n_producers == 0 || world->now_us < world->outage_us)
        return;
    uint32_t i = fb_random_below(&world->random, (uint32_t)kafka->n_producers);
    sim_init(kafka, kafka->producers[i].id, world->plan.transaction_us, &handle);
}

static int64_t some_time(struct sim_world *world, int64_t limit_us) {
    return fb_random_chance(&world->random, 50)
               ? fb_random_between(&world->random, 0, limit_us)
               : fb_random_between(&world->random, limit_us, 2 * limit_us);
}

static void compact_all(struct sim_world *world) {
    struct sim_kafka *kafka = world->kafka;
    int topic = sim_topic(kafka, FB_S("snapshot"));
    for (int p = 0; topic >= 0 && p < kafka->partitions[topic]; p++) {
        int64_t end = sim_stable_end(kafka, topic, p);
        sim_compact(kafka, topic, p, fb_random_between(&world->random, 0, end));
    }
}

static bool happens_here(const struct sim_world *world, enum fault fault, enum sim_point point) {
    if (fault == COMMIT_UNKNOWN)
        return point == SIM_AT_END;
    if (fault == TRANSACTION_FAILS)
        return point == SIM_AT_FLUSH || point == SIM_AT_OFFSETS || point == SIM_AT_END;
    if (fault == QUEUE_FULL)
        return point == SIM_AT_PUT;
    return fault != RELOAD || world->plan.reloads;
}

static enum fault draw_fault(struct sim_world *world, enum sim_point point) {
    uint32_t sum = 0;
    for (int f = 0; f < FAULTS; f++)
        sum += happens_here(world, (enum fault)f, point) ? fault_weights[f] : 0;
    uint32_t drawn = fb_random_below(&world->random, sum);
    for (int f = 0; f < FAULTS; f++) {
        if (!happens_here(world, (enum fault)f, point))
            continue;
        if (drawn < fault_weights[f])
            return (enum fault)f;
        drawn -= fault_weights[f];
    }
    FB_BUG("a fault for every point");
}

/* What is not for the one who passes, but around it. */
static void strike(struct sim_world *world, enum fault fault, struct sim_process *self) {
    const struct sim_plan *plan = &world->plan;
    struct sim_process *victim = fb_random_chance(&world->random, 70) ? self : any_process(world);
    if (!victim)
        return;
    switch (fault) {
    case CRASH:
        sim_kill(world, victim);
        break;
    case PAUSE:
        victim->paused_us = world->now_us + some_time(world, fb_random_chance(&world->random, 50)
                                                                 ? plan->kafka.session_us
                                                                 : plan->transaction_us);
        for (int w = 0; w < plan->workers; w++)
            sim_silence(world->kafka, victim->actors[w].member, true);
        break;
    case OUTAGE:
        world->outage_us = world->now_us + some_time(world, plan->transaction_us);
        world->was_out = true;
        break;
    case CUT:
        victim->cut_us = world->now_us + some_time(world, plan->kafka.session_us);
        for (int w = 0; w < plan->workers; w++)
            sim_silence(world->kafka, victim->actors[w].member, true);
        break;
    case FENCE:
        fence_one(world);
        break;
    case LEAVE:
        atomic_store(&victim->stop, true);
        break;
    case JOIN:
        join_another(world);
        break;
    case WALL_JUMP:
        victim->wall_offset_us =
            fb_random_between(&world->random, -3600, 3600) * SECOND *
            (fb_random_chance(&world->random, 20) && !world->plan.stored ? 24 * 365 * 10 : 1);
        break;
    case SLOW_HISTORY:
        world->slow_us = world->now_us + 5 * SECOND;
        break;
    case COMPACT:
        compact_all(world);
        break;
    case RETAIN:
        sim_retain(world);
        break;
    case RELOAD:
        sim_deploy(world);
        break;
    case DRAIN:
        sim_ask_to_drain(world);
        break;
    case SESSION_LOST:
        sim_expel(world->kafka, victim->actors[0].member);
        break;
    case COMMIT_UNKNOWN:
    case TRANSACTION_FAILS:
    case QUEUE_FULL:
    case FAULTS:
        break;
    }
}

static enum sim_trouble maybe_fault(struct sim_actor *self, enum sim_point point) {
    struct sim_world *world = self->world;
    world->credit--;
    if (world->quiet || world->faults_left == 0 || world->credit > 0 ||
        (point != world->wanted && world->credit > -PATIENCE))
        return SIM_NO_TROUBLE;
    draw_next_fault(world);
    world->faults_left--;
    enum fault fault = draw_fault(world, point);
    world->faults_done[fault]++;
    sim_trace(world, "%s.%u: FAULT %s at %d", self->process->name, self->worker, fault_names[fault],
              (int)point);
    if (fault == COMMIT_UNKNOWN)
        return (enum sim_trouble)(SIM_UNKNOWN_DONE + fb_random_below(&world->random, 4));
    if (fault == TRANSACTION_FAILS)
        return SIM_ABORTABLE;
    if (fault == QUEUE_FULL)
        return SIM_FULL;
    strike(world, fault, self->process);
    return SIM_NO_TROUBLE;
}

void sim_look_into(struct sim_actor *self, struct sim_record *record, bool dies) {
    struct sim_world *world = self->world;
    bool fault =
        !world->quiet && world->faults_left > 0 && fb_random_below(&world->random, 400) == 0;
    if (self->process->dead || !(dies || fault))
        return;
    if (!dies) {
        world->faults_left--;
        world->faults_done[CRASH]++;
    }
    record->kills[self->process - world->processes]++;
    sim_trace(world, "%s.%u: %s within a record", self->process->name, self->worker,
              dies ? "dies" : "FAULT crash");
    sim_kill(world, self->process);
}

enum sim_trouble sim_pass(struct sim_actor *self, enum sim_point point, int64_t least_us,
                          int64_t most_us) {
    if (self->process->dead) {
        give_way(self, 0);
        return SIM_NO_TROUBLE;
    }
    /* Faults strike on both sides of the time that goes by: half of them are seen at once. */
    enum sim_trouble trouble = maybe_fault(self, point);
    if (self->process->dead)
        return SIM_NO_TROUBLE;
    give_way(self, fb_random_between(&self->world->random, least_us, most_us));
    return trouble;
}

void sim_end_late(struct sim_world *world, struct sim_handle handle) {
    if (world->n_late == sizeof world->late / sizeof *world->late)
        return;
    int64_t most_us = world->plan.transaction_us >> fb_random_below(&world->random, 8);
    world->late[world->n_late++] = (struct sim_late_end){
        .handle = handle,
        .txn = world->kafka->producers[handle.producer].txn,
        .at_us = world->now_us + fb_random_between(&world->random, 0, most_us)};
}

static void late_requests(struct sim_world *world) {
    for (int i = world->n_late; i-- > 0;) {
        struct sim_late_end late = world->late[i];
        if (late.at_us > world->now_us)
            continue;
        world->late[i] = world->late[--world->n_late];
        const struct sim_producer *producer = &world->kafka->producers[late.handle.producer];
        if (producer->txn != late.txn || producer->state != SIM_ONGOING)
            continue;
        bool done = sim_end(world->kafka, late.handle, true) == SIM_OK;
        sim_trace(world, "late commit of %s %s", producer->id,
                  done ? "takes effect" : "is refused");
    }
}

void sim_calm(struct sim_world *world) {
    world->quiet = true;
    world->outage_us = world->now_us;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_process *process = &world->processes[i];
        if (process->paused_us > world->now_us)
            process->paused_us = world->now_us;
        if (process->cut_us > world->now_us)
            process->cut_us = world->now_us;
        if (process->start_us > world->now_us)
            process->start_us = world->now_us;
    }
}

/* ---- the scheduler ---- */

static bool is_ready(const struct sim_actor *actor) {
    return actor->used && !actor->finished;
}

static int64_t wakes_us(const struct sim_actor *actor) {
    int64_t paused_us = actor->process->paused_us;
    if (actor->process->dead)
        return 0;
    return actor->wake_us > paused_us ? actor->wake_us : paused_us;
}

static struct sim_actor *next_actor(struct sim_world *world) {
    struct sim_actor *next = NULL;
    for (int i = 0; i < SIM_PROCESSES_MAX; i++)
        for (int w = 0; w < SIM_ACTORS; w++) {
            struct sim_actor *actor = &world->processes[i].actors[w];
            if (is_ready(actor) && (!next || wakes_us(actor) < wakes_us(next)))
                next = actor;
        }
    return next;
}

/* Heartbeats go on in the background while a process lives and the broker is in reach. */
static void heartbeats(struct sim_world *world) {
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_process *process = &world->processes[i];
        bool silent =
            process->dead || process->paused_us > world->now_us || process->cut_us > world->now_us;
        for (int w = 0; w < world->plan.workers; w++)
            if (process->actors[w].member && !silent)
                sim_silence(world->kafka, process->actors[w].member, false);
    }
}

static void time_goes_on(struct sim_world *world, int64_t to_us) {
    if (to_us > world->now_us)
        world->now_us = to_us;
    if (world->now_us < world->outage_us)
        return;
    if (world->was_out) { /* sessions begin anew with the broker */
        world->was_out = false;
        for (int i = 0; i < world->kafka->group.n_members; i++)
            if (world->kafka->group.members[i].silent_us >= 0)
                world->kafka->group.members[i].silent_us = world->now_us;
    }
    heartbeats(world);
    late_requests(world);
    sim_kafka_at(world->kafka, world->now_us);
    if (world->kafka->broken)
        sim_violated(world, "I4", "%s", world->kafka->broken);
}

static void after_turn(struct sim_world *world, struct sim_process *process) {
    bool running = false;
    for (int w = 0; w < SIM_ACTORS; w++)
        running |= is_ready(&process->actors[w]);
    if (running || !process->running)
        return;
    process->running = false;
    sim_trace(world, "%s: ended", process->name);
    if (!world->quiet || process->wanted)
        plan_restart(world, process);
}

bool sim_turn(struct sim_world *world, int64_t until_us) {
    /* A step at most, so that nothing that is due waits for the actors. */
    int64_t next_us = world->now_us + 20 * MS;
    struct sim_actor *actor = next_actor(world);
    if (next_us > until_us)
        next_us = until_us;
    if (!actor || wakes_us(actor) > next_us) {
        time_goes_on(world, next_us);
        return world->now_us < until_us;
    }
    time_goes_on(world, wakes_us(actor));
    swapcontext(&world->scheduler, &actor->context);
    after_turn(world, actor->process);
    return true;
}
