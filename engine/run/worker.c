/* A thread with one source, one sink and the tasks of its partitions. */
#include "engine/run/worker.h"

#include <stdlib.h>
#include <time.h>

#include "engine/base/arena.h"
#include "engine/base/log.h"

enum {
    TICK_US = 20000,           /* how late a timer may be at a partition's end */
    FIGURES_US = 1000000,      /* how often the lag is looked up */
    BATCH_BYTES_MAX = 4 << 20, /* outputs of all tasks before a commit is due at once */
    WALL_EVERY = 64,           /* records that share one look at the wall clock */
    WAIT_MS = 100,             /* one wait for acknowledgements */
    MOMENT_US = 1000000,       /* a longer wait for acknowledgements is told */
    DRAIN_US = 30000000        /* how long a stop waits for acknowledgements */
};

/* A task and how far its outputs and positions are. */
struct slot {
    struct fb_task *task;
    struct fb_task_stats before; /* what it had done for other workers */
    bool moved;                  /* it has a position that is not committed */
    uint32_t put;                /* how many outputs of its batch the sink has already */
    int64_t *ends;               /* of each route's topic, as the source said last; -1: not known */
};

struct fb_worker {
    const struct fb_worker_config *config;
    struct fb_record_source *source;
    struct fb_sink *sink;
    struct slot *slots;
    size_t n_slots, cap_slots;
    size_t batch_bytes; /* of all tasks */
    int64_t wall_us;    /* of the records being taken */
    uint32_t since_wall;
    int64_t commit_at_us, tick_at_us, figures_at_us; /* monotonic */
    struct fb_worker_figures figures;
    struct fb_task_stats gone; /* of tasks that were given up */
    bool keyless_told, closing;
};

static int64_t now_us(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool stopping(const struct fb_worker *worker) {
    return atomic_load_explicit(worker->config->stop, memory_order_relaxed);
}

static uint32_t n_routes(const struct fb_worker *worker) {
    return worker->config->task->routes->n;
}

/* ---- tasks ---- */

static struct slot *slot_of(struct fb_worker *worker, int32_t partition) {
    for (size_t i = 0; i < worker->n_slots; i++)
        if (fb_task_partition(worker->slots[i].task) == partition)
            return &worker->slots[i];
    return NULL;
}

static struct slot *add_slot(struct fb_worker *worker, struct fb_task *task) {
    FB_PUSH_ROOM(worker->slots, worker->n_slots, worker->cap_slots);
    struct slot *slot = &worker->slots[worker->n_slots++];
    /* A beginning that nobody committed is committed soon. */
    *slot = (struct slot){.task = task,
                          .before = fb_task_stats(task),
                          .moved = true,
                          .ends = fb_alloc(n_routes(worker) * sizeof *slot->ends)};
    for (uint32_t r = 0; r < n_routes(worker); r++)
        slot->ends[r] = -1;
    return slot;
}

static void add_stats(struct fb_task_stats *sum, const struct slot *slot) {
    struct fb_task_stats one = fb_task_stats(slot->task);
    const struct fb_task_stats *before = &slot->before;
    sum->records += one.records - before->records;
    sum->dead += one.dead - before->dead;
    sum->core.alerts += one.core.alerts - before->core.alerts;
    sum->core.events += one.core.events - before->core.events;
    sum->core.late += one.core.late - before->core.late;
    sum->core.future += one.core.future - before->core.future;
}

static void count_batches(struct fb_worker *worker) {
    worker->batch_bytes = 0;
    for (size_t i = 0; i < worker->n_slots; i++)
        worker->batch_bytes += fb_batch_bytes(fb_task_batch(worker->slots[i].task));
}

/* At the end of all its topics, as far as the source knows. */
static bool at_end(const struct fb_worker *worker, const struct slot *slot) {
    for (uint32_t r = 0; r < n_routes(worker); r++) {
        int64_t next = fb_task_next(slot->task, r);
        if (next >= 0 && (slot->ends[r] < 0 || next < slot->ends[r]))
            return false;
    }
    return true;
}

/* ---- what the source tells ---- */

static bool on_record(void *context, const struct fb_record *record) {
    struct fb_worker *worker = context;
    uint32_t route = fb_routes_find(worker->config->task->routes, record->topic);
    struct slot *slot = slot_of(worker, record->partition);
    if (!slot || route == UINT32_MAX || record->offset < fb_task_next(slot->task, route))
        return true; /* of an assignment that is over */
    if (!record->key.p && !worker->keyless_told) {
        worker->keyless_told = true;
        fb_log(
            FB_LOG_WARN,
            "records without a key come in %.*s [%d]: the order of a device's records is promised "
            "only where all have its key (told once)",
            FB_ARG(record->topic), record->partition);
    }
    if (worker->since_wall++ % WALL_EVERY == 0)
        worker->wall_us = now_us(CLOCK_REALTIME);
    struct fb_batch *batch = fb_task_batch(slot->task);
    size_t before = fb_batch_bytes(batch);
    fb_task_record(slot->task, route, record, worker->wall_us);
    slot->moved = true;
    worker->batch_bytes += fb_batch_bytes(batch) - before;
    if (worker->batch_bytes >= BATCH_BYTES_MAX)
        return false;
    return worker->since_wall % WALL_EVERY != 0 ||
           (now_us(CLOCK_MONOTONIC) < worker->commit_at_us && !stopping(worker));
}

static void on_end(void *context, struct fb_str topic, int32_t partition, int64_t end) {
    struct fb_worker *worker = context;
    uint32_t route = fb_routes_find(worker->config->task->routes, topic);
    struct slot *slot = slot_of(worker, partition);
    if (slot && route != UINT32_MAX)
        slot->ends[route] = end;
}

/* A task whose partition comes back goes on where it stands, if nobody was further meanwhile: what
 * lies before was taken by this very state. */
static bool can_resume(const struct fb_worker *worker, const struct fb_task *task,
                       const struct fb_position *positions, uint32_t n) {
    for (uint32_t r = 0; r < n_routes(worker); r++) {
        bool found = false;
        for (uint32_t i = 0; i < n; i++)
            if (positions[i].partition == fb_task_partition(task) &&
                fb_routes_find(worker->config->task->routes, positions[i].topic) == r) {
                found = true;
                if (positions[i].next > fb_task_next(task, r))
                    return false;
            }
        if (found != (fb_task_next(task, r) >= 0))
            return false;
    }
    return true;
}

/* The task of a partition that has just become ours: the one that waited, or a new one. */
static struct slot *begin(struct fb_worker *worker, int32_t partition,
                          const struct fb_position *positions, uint32_t n, bool *resumed) {
    struct fb_task *task = fb_park_take(worker->config->park, partition, now_us(CLOCK_MONOTONIC));
    *resumed = task && can_resume(worker, task, positions, n);
    if (!*resumed) {
        fb_task_free(task);
        task = fb_task_new(worker->config->task, partition);
    }
    return add_slot(worker, task);
}

static void on_started(void *context, struct fb_position *positions, uint32_t n) {
    struct fb_worker *worker = context;
    for (uint32_t i = 0; i < n; i++) {
        bool resumed = false;
        if (!slot_of(worker, positions[i].partition))
            begin(worker, positions[i].partition, positions, n, &resumed);
        struct slot *slot = slot_of(worker, positions[i].partition);
        for (uint32_t k = 0; k < n; k++) {
            if (positions[k].partition != positions[i].partition || k < i)
                continue;
            uint32_t route = fb_routes_find(worker->config->task->routes, positions[k].topic);
            FB_ASSERT(route != UINT32_MAX);
            if (resumed)
                positions[k].next = fb_task_next(slot->task, route);
            else if (fb_task_next(slot->task, route) < 0)
                fb_task_set_next(slot->task, route, positions[k].next);
        }
        fb_log(FB_LOG_DEBUG, "%.*s [%d] from %lld%s", FB_ARG(positions[i].topic),
               positions[i].partition, (long long)positions[i].next, resumed ? ", state kept" : "");
    }
    count_batches(worker);
    atomic_store(&worker->figures.partitions, (unsigned)worker->n_slots);
    fb_log(FB_LOG_INFO, "worker %u has %zu partition%s", worker->config->worker, worker->n_slots,
           worker->n_slots == 1 ? "" : "s");
}

static bool commit(struct fb_worker *worker, int64_t patience_us, struct fb_err *err);

static void on_stopped(void *context, bool lost) {
    struct fb_worker *worker = context;
    struct fb_err err;
    /* Not committed: this state goes on if the partitions come back to this process, else the next
     * owner decides the same again. */
    if (!lost && !worker->closing && !commit(worker, DRAIN_US / 3, &err))
        fb_log(FB_LOG_WARN, "partitions are given up without a commit: %s", err.text);
    for (size_t i = 0; i < worker->n_slots; i++) {
        add_stats(&worker->gone, &worker->slots[i]);
        fb_park_leave(worker->config->park, worker->slots[i].task, now_us(CLOCK_MONOTONIC));
        free(worker->slots[i].ends);
    }
    worker->n_slots = 0;
    worker->batch_bytes = 0;
    atomic_store(&worker->figures.partitions, 0);
}

static const struct fb_record_source_events events = {on_record, on_started, on_stopped, on_end};

/* ---- figures ---- */

static int64_t lag_of(struct fb_worker *worker, const struct slot *slot) {
    int64_t lag = 0;
    for (uint32_t r = 0; r < n_routes(worker); r++) {
        struct fb_position position = {.topic =
                                           fb_str_of(worker->config->task->routes->items[r].topic),
                                       .partition = fb_task_partition(slot->task),
                                       .next = fb_task_next(slot->task, r)};
        if (position.next < 0)
            continue;
        int64_t end = worker->source->calls->end_of(worker->source, &position);
        lag += end > position.next ? end - position.next : 0;
    }
    return lag;
}

static void measure(struct fb_worker *worker) {
    struct fb_worker_figures *figures = &worker->figures;
    struct fb_task_stats sum = worker->gone;
    int64_t lag = 0;
    for (size_t i = 0; i < worker->n_slots; i++) {
        add_stats(&sum, &worker->slots[i]);
        lag += lag_of(worker, &worker->slots[i]);
    }
    atomic_store(&figures->records, sum.records);
    atomic_store(&figures->alerts, sum.core.alerts + sum.core.events);
    atomic_store(&figures->late, sum.core.late + sum.core.future);
    atomic_store(&figures->dead, sum.dead);
    atomic_store(&figures->lag, lag);
}

/* ---- commit ---- */

/* Puts what the sink does not have yet of every task. */
static bool put_all(struct fb_worker *worker, struct fb_err *err) {
    for (size_t i = 0; i < worker->n_slots; i++) {
        struct slot *slot = &worker->slots[i];
        const struct fb_batch *batch = fb_task_batch(slot->task);
        for (; slot->put < fb_batch_count(batch); slot->put++) {
            struct fb_header headers[FB_BATCH_HEADERS_MAX];
            struct fb_outgoing out = {.partition = fb_task_partition(slot->task)};
            out.topic = worker->config->topics[fb_batch_at(batch, slot->put, &out, headers)];
            if (!fb_batch_ok(batch, err))
                return false;
            while (!worker->sink->calls->put(worker->sink, &out, err))
                if (err->kind != FB_RETRIABLE)
                    return false;
        }
    }
    return true;
}

static bool anything_new(const struct fb_worker *worker) {
    for (size_t i = 0; i < worker->n_slots; i++)
        if (worker->slots[i].moved || fb_batch_count(fb_task_batch(worker->slots[i].task)))
            return true;
    return false;
}

/* Of all tasks; the caller frees them. */
static struct fb_position *positions_of(const struct fb_worker *worker, uint32_t *n) {
    struct fb_position *positions =
        fb_alloc((worker->n_slots * n_routes(worker) + 1) * sizeof *positions);
    *n = 0;
    for (size_t i = 0; i < worker->n_slots; i++)
        for (uint32_t r = 0; r < n_routes(worker); r++) {
            const struct fb_task *task = worker->slots[i].task;
            int64_t next = fb_task_next(task, r);
            if (next >= 0)
                positions[(*n)++] = (struct fb_position){
                    .topic = fb_str_of(worker->config->task->routes->items[r].topic),
                    .partition = fb_task_partition(task),
                    .next = next};
        }
    return positions;
}

/* Waits until the sink knows. While it waits nothing is read, so a slow broker costs no memory. */
static bool make_last(struct fb_worker *worker, const struct fb_position *positions, uint32_t n,
                      int64_t patience_us, struct fb_err *err) {
    int64_t begun_us = now_us(CLOCK_MONOTONIC);
    for (;;) {
        switch (
            worker->sink->calls->commit(worker->sink, worker->source, positions, n, WAIT_MS, err)) {
        case FB_COMMITTED:
            atomic_store(&worker->figures.waiting, false);
            return true;
        case FB_COMMIT_FAILED:
        case FB_COMMIT_DOUBT:
            return false;
        case FB_COMMIT_AGAIN:
            for (size_t i = 0; i < worker->n_slots; i++)
                worker->slots[i].put = 0;
            if (!put_all(worker, err))
                return false;
            break;
        case FB_COMMIT_WAIT:
            break;
        }
        int64_t waited_us = now_us(CLOCK_MONOTONIC) - begun_us;
        if (waited_us > MOMENT_US && !atomic_exchange(&worker->figures.waiting, true))
            measure(worker);
        if (waited_us > (stopping(worker) && patience_us > DRAIN_US ? DRAIN_US : patience_us))
            return fb_fail(err, FB_RETRIABLE, "outputs are not acknowledged after %lld s",
                           (long long)(waited_us / 1000000));
        worker->source->calls->stay(worker->source);
    }
}

/* Outputs, and the positions behind them. False: it did not go well, err says why. */
static bool commit(struct fb_worker *worker, int64_t patience_us, struct fb_err *err) {
    if (!anything_new(worker))
        return true;
    *err = (struct fb_err){0};
    if (!put_all(worker, err))
        return false;
    uint32_t n = 0;
    struct fb_position *positions = positions_of(worker, &n);
    bool ok = make_last(worker, positions, n, patience_us, err);
    free(positions);
    if (!ok)
        return false;
    for (size_t i = 0; i < worker->n_slots; i++) {
        fb_batch_clear(fb_task_batch(worker->slots[i].task));
        worker->slots[i].put = 0;
        worker->slots[i].moved = err->kind == FB_RETRIABLE;
    }
    worker->batch_bytes = 0;
    if (err->kind == FB_RETRIABLE) /* a rebalance or an outage: the next commit will do */
        fb_log(FB_LOG_DEBUG, "%s", err->text);
    return true;
}

/* ---- the loop ---- */

/* Only where silence means something: at the end, with the outside in reach. */
static void tick(struct fb_worker *worker) {
    if (!worker->source->calls->online(worker->source))
        return;
    int64_t wall_us = now_us(CLOCK_REALTIME);
    for (size_t i = 0; i < worker->n_slots; i++)
        if (at_end(worker, &worker->slots[i]))
            fb_task_tick(worker->slots[i].task, wall_us);
    count_batches(worker);
}

static int until_ms(int64_t now, int64_t then) {
    return then <= now ? 0 : (int)((then - now + 999) / 1000);
}

/* One round; false: over, by failure where err says so. */
static bool go_on(struct fb_worker *worker, struct fb_err *err) {
    int64_t now = now_us(CLOCK_MONOTONIC);
    int64_t next =
        worker->tick_at_us < worker->commit_at_us ? worker->tick_at_us : worker->commit_at_us;
    worker->since_wall = 0;
    enum fb_poll polled = worker->source->calls->poll(worker->source, until_ms(now, next), err);
    if (polled != FB_POLL_OK)
        return false;
    now = now_us(CLOCK_MONOTONIC);
    if (now >= worker->tick_at_us) {
        tick(worker);
        worker->tick_at_us = now + TICK_US;
    }
    if (now >= worker->commit_at_us || worker->batch_bytes >= BATCH_BYTES_MAX) {
        if (!commit(worker, INT64_MAX, err))
            return false;
        worker->commit_at_us = now_us(CLOCK_MONOTONIC) + worker->config->commit_interval_us;
    }
    if (now >= worker->figures_at_us) {
        measure(worker);
        worker->figures_at_us = now + FIGURES_US;
    }
    *err = (struct fb_err){0}; /* a passing trouble */
    return true;
}

struct fb_worker *fb_worker_new(const struct fb_worker_config *config) {
    struct fb_worker *worker = fb_alloc(sizeof *worker);
    worker->config = config;
    return worker;
}

void fb_worker_free(struct fb_worker *worker) {
    if (!worker)
        return;
    for (size_t i = 0; i < worker->n_slots; i++) {
        fb_task_free(worker->slots[i].task);
        free(worker->slots[i].ends);
    }
    free(worker->slots);
    free(worker);
}

const struct fb_worker_figures *fb_worker_figures(const struct fb_worker *worker) {
    return &worker->figures;
}

bool fb_worker_run(struct fb_worker *worker, struct fb_err *err) {
    const struct fb_worker_config *config = worker->config;
    *err = (struct fb_err){0};
    worker->sink = config->open_sink(config->context, config->worker, err);
    if (worker->sink)
        worker->source = config->open_source(config->context, config->worker, &events, worker, err);
    worker->commit_at_us = now_us(CLOCK_MONOTONIC) + config->commit_interval_us;
    while (worker->source && !stopping(worker) && go_on(worker, err))
        continue;
    bool ok = err->kind == FB_NO_FAILURE;
    if (worker->source) {
        if (ok)
            ok = commit(worker, DRAIN_US, err);
        measure(worker);
        worker->closing = true;
        worker->source->calls->close(worker->source);
    }
    if (worker->sink)
        worker->sink->calls->close(worker->sink);
    return ok;
}
