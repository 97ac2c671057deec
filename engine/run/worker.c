/* A thread with one source, one sink and the tasks of its partitions. */
#include "engine/run/worker.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/log.h"
#include "engine/base/planted.h"
#include "engine/run/commit.h"
#include "engine/run/partitions.h"
#include "engine/run/takeover.h"
#include "engine/run/task_commit.h"

enum {
    TICK_US = 20000,           /* how late a timer may be at a partition's end */
    FIGURES_US = 1000000,      /* how often the lag is looked up */
    BATCH_BYTES_MAX = 4 << 20, /* outputs of all tasks before a commit is due at once */
    WALL_EVERY = 64,           /* records that share one look at the wall clock */
    REOPEN_US = 100000,        /* before the ends are opened again, longer each time */
    REOPEN_MAX_US = 2000000,   /* but not longer than this */
    TELL_US = 30000000         /* how often a trouble that goes on is told */
};

struct fb_worker {
    const struct fb_worker_config *config;
    struct fb_crumb *crumb; /* NULL: none */
    struct fb_record_source *source;
    struct fb_sink *sink;
    struct fb_partitions parts;
    size_t batch_bytes; /* of all tasks */
    int64_t wall_us;    /* of the records being taken */
    uint32_t since_wall;
    int64_t commit_at_us, tick_at_us, figures_at_us; /* monotonic */
    struct fb_worker_figures figures;
    struct fb_task_stats gone; /* of tasks that were given up */
    uint32_t reopens;          /* since the last commit */
    int64_t told_us;           /* when the trouble behind them was told last */
    bool keyless_told, closing;
    bool assigned; /* the source has said which partitions are ours, perhaps none */
    bool leaving;  /* all is drained */
    bool reopen; /* a commit went wrong: the ends must be opened anew before there is another one */
};

static int64_t now_us(const struct fb_worker *worker) {
    return fb_now_us(worker->config->time);
}

static int64_t wall_us(const struct fb_worker *worker) {
    return fb_wall_us(worker->config->time);
}

static bool stopping(const struct fb_worker *worker) {
    return atomic_load_explicit(worker->config->stop, memory_order_relaxed);
}

static bool draining(const struct fb_worker *worker) {
    return worker->config->drain &&
           atomic_load_explicit(worker->config->drain, memory_order_relaxed) != FB_DRAIN_NOT;
}

static bool exactly_once(const struct fb_worker *worker) {
    return worker->config->task->journalled;
}

/* ---- figures ---- */

static int64_t lag_of(struct fb_worker *worker, const struct fb_partition *part) {
    int64_t lag = 0;
    for (uint32_t r = 0; part->task && r < fb_partition_routes(part)->n; r++) {
        struct fb_position position = fb_partition_position(part, r);
        if (position.next < 0)
            continue;
        int64_t end = worker->source->calls->end_of(worker->source, &position);
        lag += end > position.next ? end - position.next : 0;
    }
    return lag;
}

static bool is_drained(const struct fb_worker *worker, const struct fb_partition *part) {
    return draining(worker) && fb_task_is_drained(part->task);
}

static void post(struct fb_worker *worker, const struct fb_partition *part, int64_t lag) {
    struct fb_posting posting = {.partition = part->number,
                                 .mode = is_drained(worker, part)       ? FB_MODE_DRAINED
                                         : fb_task_is_killed(part->task) ? FB_MODE_FROZEN
                                         : fb_partition_is_at_end(part) ? FB_MODE_NORMAL
                                                                        : FB_MODE_CATCHING_UP,
                                 .lag = lag};
    fb_task_describe(part->task, &posting);
    fb_board_post(worker->config->board, &posting);
}

static void measure(struct fb_worker *worker) {
    struct fb_worker_figures *figures = &worker->figures;
    struct fb_task_stats sum = worker->gone;
    int64_t lag = 0;
    for (size_t i = 0; i < worker->parts.n; i++) {
        int64_t its_lag = lag_of(worker, &worker->parts.items[i]);
        fb_partition_add_stats(&worker->parts.items[i], &sum);
        lag += its_lag;
        if (worker->parts.items[i].task)
            post(worker, &worker->parts.items[i], its_lag);
    }
    atomic_store(&figures->records, sum.records);
    atomic_store(&figures->alerts, sum.core.alerts + sum.core.events);
    atomic_store(&figures->late, sum.core.late + sum.core.future);
    atomic_store(&figures->dead, sum.dead);
    atomic_store(&figures->lag, lag);
}

/* ---- commits, and rules between them ---- */

/* Between two commits, so that a journal's record begins with the change. */
static void follow_rules(struct fb_worker *worker, struct fb_partition *part) {
    if (!exactly_once(worker) || draining(worker) || !fb_task_may_change(part->task))
        return;
    struct fb_bundle *bundle = fb_deployed_wanted(worker->config->deployed, worker->config->bundle);
    if (memcmp(bundle->hash, fb_task_bundle(part->task)->hash, sizeof bundle->hash) != 0) {
        fb_log(FB_LOG_INFO, "partition %d: rules %s take the place of %s", part->number,
               bundle->name, fb_task_bundle(part->task)->name);
        fb_partition_change(part, bundle, fb_str_of(worker->config->build), wall_us(worker));
    }
    fb_bundle_drop(bundle);
}

/* Calls that the task has not taken. */
static void follow_calls(struct fb_worker *worker, struct fb_partition *part) {
    struct fb_control_call call;
    if (!exactly_once(worker) || draining(worker) || fb_task_is_sealed(part->task))
        return;
    while (fb_control_next(worker->config->control, fb_task_calls_next(part->task), &call))
        fb_task_call(part->task, call.topic, call.offset, call.bytes, wall_us(worker));
}

/* Acknowledgements that are long in coming are told at once, not only when they have come. */
static void on_waiting(void *context, bool waits) {
    struct fb_worker *worker = context;
    if (!atomic_exchange(&worker->figures.waiting, waits) && waits)
        measure(worker);
}

static void follow_all(struct fb_worker *worker) {
    for (size_t i = 0; i < worker->parts.n && !stopping(worker); i++)
        if (worker->parts.items[i].task) {
            follow_rules(worker, &worker->parts.items[i]);
            follow_calls(worker, &worker->parts.items[i]);
        }
}

/* What all tasks have taken, then other rules. False: it did not go well, err says why. */
static bool commit(struct fb_worker *worker, int64_t patience_us, struct fb_err *err) {
    *err = (struct fb_err){0};
    if (!fb_commit_is_due(worker->config, &worker->parts)) {
        follow_all(worker);
        return true;
    }
    if (worker->reopen)
        return fb_fail(err, FB_RETRIABLE, "the connection to Kafka is being made anew");
    struct fb_commit_request request = {worker->config, &worker->parts, worker->source,
                                        worker->sink,   patience_us,    on_waiting,
                                        worker};
    if (!fb_commit(&request, &worker->reopen, err))
        return false;
    follow_all(worker);
    worker->batch_bytes = fb_partitions_bytes(&worker->parts);
    if (worker->reopens > 1)
        fb_log(FB_LOG_INFO, "worker %u commits again, after both ends were opened %u times",
               worker->config->worker, worker->reopens);
    worker->reopens = 0;
    if (err->kind == FB_RETRIABLE) /* a rebalance or an outage: the next commit will do */
        fb_log(FB_LOG_DEBUG, "%s", err->text);
    return true;
}

/* ---- what the source tells ---- */

static void take(struct fb_worker *worker, struct fb_partition *part, uint32_t route,
                 const struct fb_record *record) {
    bool poison = false;
    if (worker->crumb && !FB_PLANTED(NO_CRUMB)) {
        fb_crumb_drop(worker->crumb, part->topics[route], record->partition, record->offset);
        poison = fb_crumbs_is_poison(worker->config->crumbs, part->topics[route], record->partition,
                                     record->offset);
    }
    if (poison) {
        fb_log(FB_LOG_ERROR,
               "%.*s [%d]@%lld ended the process twice: it goes to the dead letters as POISON, "
               "unread",
               FB_ARG(record->topic), record->partition, (long long)record->offset);
        fb_task_quarantine(part->task, route, record, worker->wall_us);
    } else {
        fb_task_record(part->task, route, record, worker->wall_us);
    }
    if (worker->crumb && !FB_PLANTED(CRUMB_KEPT))
        fb_crumb_clear(worker->crumb); /* whatever ends the process now, it is not this one */
}

static bool on_record(void *context, const struct fb_record *record) {
    struct fb_worker *worker = context;
    struct fb_partition *part = fb_partitions_find(&worker->parts, record->partition);
    if (!part || !part->task)
        return true; /* of an assignment that is over */
    uint32_t route = fb_routes_find(fb_partition_routes(part), record->topic);
    if (route == UINT32_MAX || record->offset < fb_task_next(part->task, route))
        return true;
    struct fb_err err;
    if (draining(worker) && !FB_PLANTED(DRAIN_TAKES))
        return false;
    /* A commit in doubt comes to its end before anything else is taken. Where it does not, both
     * ends are opened again and this record comes again. */
    if (worker->reopen || (fb_task_is_sealed(part->task) && !commit(worker, INT64_MAX, &err)))
        return false;
    if (!record->key.p && !worker->keyless_told) {
        worker->keyless_told = true;
        fb_log(
            FB_LOG_WARN,
            "records without a key come in %.*s [%d]: the order of a device's records is promised "
            "only where all have its key (told once)",
            FB_ARG(record->topic), record->partition);
    }
    if (worker->since_wall++ % WALL_EVERY == 0)
        worker->wall_us = wall_us(worker);
    struct fb_batch *batch = fb_task_batch(part->task);
    size_t before = fb_batch_bytes(batch);
    take(worker, part, route, record);
    part->moved = true;
    worker->batch_bytes += fb_batch_bytes(batch) - before;
    if (worker->batch_bytes >= BATCH_BYTES_MAX)
        return false;
    return worker->since_wall % WALL_EVERY != 0 ||
           (now_us(worker) < worker->commit_at_us && !stopping(worker));
}

static void on_end(void *context, struct fb_str topic, int32_t partition, int64_t end) {
    struct fb_worker *worker = context;
    struct fb_partition *part = fb_partitions_find(&worker->parts, partition);
    uint32_t route =
        part && part->task ? fb_routes_find(fb_partition_routes(part), topic) : UINT32_MAX;
    if (route != UINT32_MAX)
        part->ends[route] = end;
}

/* While a state is rebuilt nothing is polled, and the group must not think us dead. */
static bool stay_while_rebuilding(void *context) {
    struct fb_worker *worker = context;
    if (worker->source)
        worker->source->calls->stay(worker->source);
    return !stopping(worker);
}

/* Where to go on in a partition of which this is the first position: all positions of it are set.
 */
static void start_partition(struct fb_worker *worker, struct fb_position *positions, uint32_t i,
                            uint32_t n) {
    struct fb_takeover takeover = {worker->config, stay_while_rebuilding, worker};
    struct fb_task *task;
    enum fb_taken_over taken = fb_take_over(&takeover, positions[i].partition, positions, n, &task);
    struct fb_partition *part = fb_partitions_add(&worker->parts, positions[i].partition, task);
    if (taken == FB_TAKEN_NEW && exactly_once(worker))
        fb_task_activate(task, fb_str_of(worker->config->build), wall_us(worker));
    else if (task)
        follow_rules(worker, part);
    if (task)
        follow_calls(worker, part); /* before anything is commanded */
    static const char *const words[] = {"begun anew", "state kept", "state rebuilt", "halted"};
    for (uint32_t k = i; k < n; k++) {
        if (positions[k].partition != part->number)
            continue;
        uint32_t route =
            task ? fb_routes_find(fb_partition_routes(part), positions[k].topic) : UINT32_MAX;
        if (!task)
            positions[k].next = FB_POSITION_NONE;
        else if (FB_PLANTED(EVERYTHING_AGAIN) && !exactly_once(worker))
            fb_task_begin(task, route, positions[k].next = positions[k].next / 2);
        else if (taken == FB_TAKEN_NEW || fb_task_next(task, route) < 0)
            fb_task_begin(task, route, positions[k].next);
        else if (FB_PLANTED(GROUP_POSITION))
            fb_task_set_next(task, route, positions[k].next);
        else
            positions[k].next = fb_task_next(task, route);
        fb_log(FB_LOG_DEBUG, "%.*s [%d] from %lld, %s", FB_ARG(positions[k].topic),
               positions[k].partition, (long long)positions[k].next, words[taken]);
    }
}

static void on_started(void *context, struct fb_position *positions, uint32_t n) {
    struct fb_worker *worker = context;
    for (uint32_t i = 0; i < n; i++)
        if (!fb_partitions_find(&worker->parts, positions[i].partition))
            start_partition(worker, positions, i, n);
    worker->assigned = true;
    worker->batch_bytes = fb_partitions_bytes(&worker->parts);
    atomic_store(&worker->figures.partitions, (unsigned)worker->parts.n);
    atomic_store(&worker->figures.halted, fb_partitions_halted(&worker->parts));
    fb_log(FB_LOG_INFO, "worker %u has %zu partition%s", worker->config->worker, worker->parts.n,
           worker->parts.n == 1 ? "" : "s");
    worker->figures_at_us = 0; /* at once: who deploys waits for those that were heard of */
}

static void on_stopped(void *context, bool lost) {
    struct fb_worker *worker = context;
    struct fb_err err;
    /* Not committed: this state goes on if the partitions come back to this process and nobody else
     * had them, else the next owner decides the same again. */
    if (!lost && !worker->closing && !commit(worker, FB_STOP_PATIENCE_US / 3, &err))
        fb_log(FB_LOG_WARN, "partitions are given up without a commit: %s", err.text);
    for (size_t i = 0; i < worker->parts.n; i++) {
        fb_partition_add_stats(&worker->parts.items[i], &worker->gone);
        if (!worker->leaving) /* what it says of the drained ones stays to be told */
            fb_board_remove(worker->config->board, worker->parts.items[i].number);
        if (worker->parts.items[i].task)
            fb_park_leave(worker->config->park, worker->parts.items[i].task, now_us(worker));
    }
    fb_partitions_clear(&worker->parts);
    worker->batch_bytes = 0;
    worker->assigned = false;
    if (worker->leaving)
        return;
    atomic_store(&worker->figures.drained, false); /* what comes next is not known yet */
    atomic_store(&worker->figures.partitions, 0);
    atomic_store(&worker->figures.halted, 0);
}

static const struct fb_record_source_events events = {on_record, on_started, on_stopped, on_end};

/* ---- both ends ---- */

static bool open_ends(struct fb_worker *worker, struct fb_err *err) {
    const struct fb_worker_config *config = worker->config;
    worker->sink = config->open_sink(config->context, config->worker, err);
    if (worker->sink)
        worker->source = config->open_source(config->context, config->worker, &events, worker, err);
    return worker->source != NULL;
}

/* The tasks go to the park. */
static void close_ends(struct fb_worker *worker) {
    worker->closing = true;
    if (worker->source)
        worker->source->calls->close(worker->source);
    if (worker->sink)
        worker->sink->calls->close(worker->sink);
    worker->source = NULL;
    worker->sink = NULL;
    worker->closing = false;
}

/* At once, and now and then while it lasts; in between only where debugging is on. */
static void tell_trouble(struct fb_worker *worker, const struct fb_err *err) {
    int64_t now = now_us(worker);
    bool first = worker->reopens == 0, due = first || now - worker->told_us >= TELL_US;
    if (due)
        worker->told_us = now;
    fb_log(due ? FB_LOG_WARN : FB_LOG_DEBUG,
           "worker %u: a commit went wrong and both ends are opened anew%s: %s",
           worker->config->worker, first ? "" : ", again", err->text);
}

/* After a commit whose outcome is not known, or that failed in passing; for as long as it takes,
 * since a broker may be away for long. False: err says why. */
static bool open_again(struct fb_worker *worker, struct fb_err *err) {
    do {
        tell_trouble(worker, err);
        worker->reopens++;
        close_ends(worker);
        int64_t pause_us = (int64_t)REOPEN_US * worker->reopens;
        fb_sleep_us(worker->config->time, pause_us < REOPEN_MAX_US ? pause_us : REOPEN_MAX_US);
        *err = (struct fb_err){0};
        worker->reopen = false;
    } while (!stopping(worker) && !open_ends(worker, err) && err->kind == FB_RETRIABLE);
    if (stopping(worker) && err->kind == FB_RETRIABLE)
        *err = (struct fb_err){0};
    return !err->kind;
}

/* ---- the loop ---- */

/* Only where silence means something: at the end, with the outside in reach. */
static void tick(struct fb_worker *worker) {
    if ((draining(worker) && !FB_PLANTED(DRAIN_TICKS)) ||
        !worker->source->calls->online(worker->source))
        return;
    int64_t wall = wall_us(worker);
    for (size_t i = 0; i < worker->parts.n; i++)
        if (fb_partition_is_at_end(&worker->parts.items[i]) &&
            !fb_task_is_sealed(worker->parts.items[i].task))
            fb_task_tick(worker->parts.items[i].task, wall);
    worker->batch_bytes = fb_partitions_bytes(&worker->parts);
}

static int until_ms(int64_t now, int64_t then) {
    return then <= now ? 0 : (int)((then - now + 999) / 1000);
}

/* Nothing is taken any more: commits until the snapshots are whole. Partitions that come meanwhile
 * are treated alike; between two assignments those that wait in the park may still come back. */
static void drain(struct fb_worker *worker) {
    bool all = worker->assigned && !worker->reopen;
    for (size_t i = 0; i < worker->parts.n; i++) {
        struct fb_task *task = worker->parts.items[i].task;
        if (!task)
            continue;
        fb_task_drain(task);
        all &= fb_task_is_drained(task);
    }
    if (!all)
        worker->commit_at_us = 0; /* at once */
    else                          /* polling comes back at once where records are there */
        fb_sleep_us(worker->config->time, TICK_US);
    if (all && !atomic_load(&worker->figures.drained))
        measure(worker); /* told before anybody ends because of it */
    atomic_store(&worker->figures.drained, all);
}

static bool may_leave(const struct fb_worker *worker) {
    return worker->config->drain && atomic_load(worker->config->drain) == FB_DRAIN_LEAVE &&
           atomic_load(&worker->figures.drained);
}

/* What a commit that did not go well means: false ends the worker, err says why. */
static bool after_commit(struct fb_worker *worker, bool committed, struct fb_err *err) {
    if (committed && !worker->reopen)
        return true;
    if (!worker->reopen || err->kind == FB_FATAL)
        return false;
    return open_again(worker, err);
}

/* One round; false: over, by failure where err says so. */
static bool go_on(struct fb_worker *worker, struct fb_err *err) {
    int64_t now = now_us(worker);
    int64_t next =
        worker->tick_at_us < worker->commit_at_us ? worker->tick_at_us : worker->commit_at_us;
    worker->since_wall = 0;
    enum fb_poll polled = worker->source->calls->poll(worker->source, until_ms(now, next), err);
    if (polled != FB_POLL_OK)
        return false;
    now = now_us(worker);
    if (worker->reopen && !after_commit(worker, true, err)) /* of a rebalance within poll */
        return false;
    if (!worker->source) /* stopped meanwhile */
        return true;
    if (draining(worker))
        drain(worker);
    if (now >= worker->tick_at_us) {
        tick(worker);
        worker->tick_at_us = now + TICK_US;
    }
    if (now >= worker->commit_at_us || worker->batch_bytes >= BATCH_BYTES_MAX) {
        bool ok = commit(worker, INT64_MAX, err);
        if (!after_commit(worker, ok, err))
            return false;
        worker->commit_at_us = now_us(worker) + worker->config->commit_interval_us;
    }
    if (now >= worker->figures_at_us && worker->source) {
        measure(worker);
        worker->figures_at_us = now + FIGURES_US;
    }
    *err = (struct fb_err){0}; /* a passing trouble */
    return true;
}

struct fb_worker *fb_worker_new(const struct fb_worker_config *config) {
    struct fb_worker *worker = fb_alloc(sizeof *worker);
    worker->config = config;
    worker->crumb = config->crumbs ? fb_crumbs_of(config->crumbs, config->worker) : NULL;
    return worker;
}

void fb_worker_free(struct fb_worker *worker) {
    if (!worker)
        return;
    for (size_t i = 0; i < worker->parts.n; i++)
        fb_task_free(worker->parts.items[i].task);
    fb_partitions_free(&worker->parts);
    free(worker);
}

const struct fb_worker_figures *fb_worker_figures(const struct fb_worker *worker) {
    return &worker->figures;
}

bool fb_worker_run(struct fb_worker *worker, struct fb_err *err) {
    *err = (struct fb_err){0};
    bool open = open_ends(worker, err);
    worker->commit_at_us = now_us(worker) + worker->config->commit_interval_us;
    while (open && worker->source && !stopping(worker) && !may_leave(worker) && go_on(worker, err))
        continue;
    worker->leaving = open && worker->source && !stopping(worker) && may_leave(worker);
    bool ok = err->kind == FB_NO_FAILURE;
    if (worker->source) {
        if (ok)
            ok = commit(worker, FB_STOP_PATIENCE_US, err);
        measure(worker);
    }
    close_ends(worker);
    return ok;
}
