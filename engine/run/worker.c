/* A thread with one source, one sink and the tasks of its partitions. */
#include "engine/run/worker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/arena.h"
#include "engine/base/log.h"
#include "engine/base/planted.h"
#include "engine/run/takeover.h"

enum {
    TICK_US = 20000,           /* how late a timer may be at a partition's end */
    FIGURES_US = 1000000,      /* how often the lag is looked up */
    BATCH_BYTES_MAX = 4 << 20, /* outputs of all tasks before a commit is due at once */
    WALL_EVERY = 64,           /* records that share one look at the wall clock */
    WAIT_MS = 100,             /* one wait for acknowledgements */
    MOMENT_US = 1000000,       /* a longer wait for acknowledgements is told */
    DRAIN_US = 30000000,       /* how long a stop waits for acknowledgements */
    REOPEN_US = 100000,        /* before the ends are opened again, longer each time */
    REOPEN_MAX_US = 2000000,   /* but not longer than this */
    TELL_US = 30000000         /* how often a trouble that goes on is told */
};

/* A partition that is ours: its task and how far its outputs and positions are. */
struct slot {
    int32_t partition;
    struct fb_task *task;        /* NULL: halted, its state cannot be had */
    struct fb_task_stats before; /* what it had done for other workers */
    bool moved;                  /* it has a position that is not committed */
    uint32_t put;                /* how many outputs of its batch the sink has already */
    int64_t *ends;               /* of each route's topic, as the source said last; -1: not known */
    uint64_t *topics;            /* of each route, as the crumbs name them */
};

struct fb_worker {
    const struct fb_worker_config *config;
    struct fb_crumb *crumb; /* NULL: none */
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
    uint32_t reopens;          /* since the last commit */
    int64_t told_us;           /* when the trouble behind them was told last */
    bool keyless_told, closing;
    bool reopen; /* a commit went wrong: the ends must be opened anew before there is another one */
};

static int64_t machine_now_us(void *context, enum fb_clock_kind kind) {
    struct timespec now;
    (void)context;
    clock_gettime(kind == FB_CLOCK_WALL ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void machine_sleep_us(void *context, int64_t us) {
    (void)context;
    struct timespec wait = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&wait, NULL);
}

const struct fb_time fb_machine_time = {machine_now_us, machine_sleep_us, NULL};

static int64_t now_us(const struct fb_worker *worker) {
    return worker->config->time->now_us(worker->config->time->context, FB_CLOCK_MONOTONIC);
}

static int64_t wall_us(const struct fb_worker *worker) {
    return worker->config->time->now_us(worker->config->time->context, FB_CLOCK_WALL);
}

static bool stopping(const struct fb_worker *worker) {
    return atomic_load_explicit(worker->config->stop, memory_order_relaxed);
}

static bool draining(const struct fb_worker *worker) {
    return worker->config->drain &&
           atomic_load_explicit(worker->config->drain, memory_order_relaxed);
}

static bool exactly_once(const struct fb_worker *worker) {
    return worker->config->task->journalled;
}

static const struct fb_routes *routes_of(const struct slot *slot) {
    return &fb_task_bundle(slot->task)->routes;
}

/* ---- slots ---- */

static struct slot *slot_of(struct fb_worker *worker, int32_t partition) {
    for (size_t i = 0; i < worker->n_slots; i++)
        if (worker->slots[i].partition == partition)
            return &worker->slots[i];
    return NULL;
}

/* What is kept for each route of the task's bundle. */
static void number_routes(struct slot *slot) {
    const struct fb_routes *routes = routes_of(slot);
    slot->ends = fb_alloc((routes->n + 1) * sizeof *slot->ends);
    slot->topics = fb_alloc((routes->n + 1) * sizeof *slot->topics);
    for (uint32_t r = 0; r < routes->n; r++) {
        slot->ends[r] = -1;
        slot->topics[r] = fb_crumb_topic(fb_str_of(routes->items[r].topic));
    }
}

/* task: NULL where the partition is halted. */
static struct slot *add_slot(struct fb_worker *worker, int32_t partition, struct fb_task *task) {
    FB_PUSH_ROOM(worker->slots, worker->n_slots, worker->cap_slots);
    struct slot *slot = &worker->slots[worker->n_slots++];
    *slot = (struct slot){.partition = partition, .task = task};
    if (!task)
        return slot;
    slot->before = fb_task_stats(task);
    slot->moved = true; /* a beginning that nobody committed is committed soon */
    number_routes(slot);
    return slot;
}

static void add_stats(struct fb_task_stats *sum, const struct slot *slot) {
    if (!slot->task)
        return;
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
        if (worker->slots[i].task)
            worker->batch_bytes += fb_batch_bytes(fb_task_batch(worker->slots[i].task));
}

/* At the end of all its topics, as far as the source knows. */
static bool at_end(const struct slot *slot) {
    if (!slot->task)
        return false;
    for (uint32_t r = 0; r < routes_of(slot)->n; r++) {
        int64_t next = fb_task_next(slot->task, r);
        if (next >= 0 && (slot->ends[r] < 0 || next < slot->ends[r]))
            return false;
    }
    return true;
}

/* ---- what the source tells ---- */

static void take(struct fb_worker *worker, struct slot *slot, uint32_t route,
                 const struct fb_record *record) {
    bool poison = false;
    if (worker->crumb) {
        fb_crumb_drop(worker->crumb, slot->topics[route], record->partition, record->offset);
        poison = fb_crumbs_is_poison(worker->config->crumbs, slot->topics[route], record->partition,
                                     record->offset);
    }
    if (!poison) {
        fb_task_record(slot->task, route, record, worker->wall_us);
        if (worker->crumb)
            fb_crumb_clear(worker->crumb); /* whatever ends the process now, it is not this one */
        return;
    }
    fb_log(FB_LOG_ERROR,
           "%.*s [%d]@%lld ended the process twice: it goes to the dead letters as POISON, unread",
           FB_ARG(record->topic), record->partition, (long long)record->offset);
    fb_task_quarantine(slot->task, route, record, worker->wall_us);
}

static bool commit(struct fb_worker *worker, int64_t patience_us, struct fb_err *err);

static bool on_record(void *context, const struct fb_record *record) {
    struct fb_worker *worker = context;
    struct slot *slot = slot_of(worker, record->partition);
    if (!slot || !slot->task)
        return true; /* of an assignment that is over */
    uint32_t route = fb_routes_find(routes_of(slot), record->topic);
    if (route == UINT32_MAX || record->offset < fb_task_next(slot->task, route))
        return true;
    struct fb_err err;
    if (draining(worker))
        return false;
    /* A commit in doubt comes to its end before anything else is taken. Where it does not, both
     * ends are opened again and this record comes again. */
    if (worker->reopen || (fb_task_is_sealed(slot->task) && !commit(worker, INT64_MAX, &err)))
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
    struct fb_batch *batch = fb_task_batch(slot->task);
    size_t before = fb_batch_bytes(batch);
    take(worker, slot, route, record);
    slot->moved = true;
    worker->batch_bytes += fb_batch_bytes(batch) - before;
    if (worker->batch_bytes >= BATCH_BYTES_MAX)
        return false;
    return worker->since_wall % WALL_EVERY != 0 ||
           (now_us(worker) < worker->commit_at_us && !stopping(worker));
}

static void on_end(void *context, struct fb_str topic, int32_t partition, int64_t end) {
    struct slot *slot = slot_of(context, partition);
    uint32_t route = slot && slot->task ? fb_routes_find(routes_of(slot), topic) : UINT32_MAX;
    if (route != UINT32_MAX)
        slot->ends[route] = end;
}

/* While a state is rebuilt nothing is polled, and the group must not think us dead. */
static bool stay_while_rebuilding(void *context) {
    struct fb_worker *worker = context;
    if (worker->source)
        worker->source->calls->stay(worker->source);
    return !stopping(worker);
}

struct fb_bundle *fb_worker_wanted(const struct fb_worker_config *config) {
    return config->wanted ? config->wanted(config->context) : fb_bundle_keep(config->bundle);
}

static void change_rules(struct fb_worker *worker, struct slot *slot, struct fb_bundle *bundle) {
    struct slot before = *slot;
    const struct fb_bundle *from = fb_task_bundle(slot->task);
    struct fb_bundle *old = fb_bundle_keep((struct fb_bundle *)(uintptr_t)from);
    fb_log(FB_LOG_INFO, "partition %d: rules %s take the place of %s", slot->partition,
           bundle->name, old->name);
    fb_task_change(slot->task, bundle, fb_str_of(worker->config->build), wall_us(worker));
    number_routes(slot);
    for (uint32_t r = 0; r < old->routes.n; r++) {
        uint32_t route = fb_routes_find(routes_of(slot), fb_str_of(old->routes.items[r].topic));
        if (route != UINT32_MAX)
            slot->ends[route] = before.ends[r];
    }
    free(before.ends);
    free(before.topics);
    fb_bundle_drop(old);
}

/* Between two commits, so that a journal's record begins with the change. */
static void follow_rules(struct fb_worker *worker, struct slot *slot) {
    if (!exactly_once(worker) || draining(worker) || !fb_task_may_change(slot->task))
        return;
    struct fb_bundle *bundle = fb_worker_wanted(worker->config);
    if (memcmp(bundle->hash, fb_task_bundle(slot->task)->hash, sizeof bundle->hash) != 0)
        change_rules(worker, slot, bundle);
    fb_bundle_drop(bundle);
}

/* Where to go on in a partition of which this is the first position: all positions of it are set.
 */
static void start_partition(struct fb_worker *worker, struct fb_position *positions, uint32_t i,
                            uint32_t n) {
    struct fb_takeover takeover = {worker->config, stay_while_rebuilding, worker};
    struct fb_task *task;
    enum fb_taken_over taken = fb_take_over(&takeover, positions[i].partition, positions, n, &task);
    struct slot *slot = add_slot(worker, positions[i].partition, task);
    if (taken == FB_TAKEN_NEW && exactly_once(worker))
        fb_task_activate(task, fb_str_of(worker->config->build), wall_us(worker));
    else if (task)
        follow_rules(worker, slot);
    static const char *const words[] = {"begun anew", "state kept", "state rebuilt", "halted"};
    for (uint32_t k = i; k < n; k++) {
        if (positions[k].partition != slot->partition)
            continue;
        uint32_t route = task ? fb_routes_find(routes_of(slot), positions[k].topic) : UINT32_MAX;
        if (!task)
            positions[k].next = FB_POSITION_NONE;
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

static unsigned n_halted(const struct fb_worker *worker) {
    unsigned n = 0;
    for (size_t i = 0; i < worker->n_slots; i++)
        n += worker->slots[i].task == NULL;
    return n;
}

static void on_started(void *context, struct fb_position *positions, uint32_t n) {
    struct fb_worker *worker = context;
    for (uint32_t i = 0; i < n; i++)
        if (!slot_of(worker, positions[i].partition))
            start_partition(worker, positions, i, n);
    count_batches(worker);
    atomic_store(&worker->figures.partitions, (unsigned)worker->n_slots);
    atomic_store(&worker->figures.halted, n_halted(worker));
    fb_log(FB_LOG_INFO, "worker %u has %zu partition%s", worker->config->worker, worker->n_slots,
           worker->n_slots == 1 ? "" : "s");
}

static void on_stopped(void *context, bool lost) {
    struct fb_worker *worker = context;
    struct fb_err err;
    /* Not committed: this state goes on if the partitions come back to this process and nobody else
     * had them, else the next owner decides the same again. */
    if (!lost && !worker->closing && !commit(worker, DRAIN_US / 3, &err))
        fb_log(FB_LOG_WARN, "partitions are given up without a commit: %s", err.text);
    for (size_t i = 0; i < worker->n_slots; i++) {
        add_stats(&worker->gone, &worker->slots[i]);
        fb_board_remove(worker->config->board, worker->slots[i].partition);
        if (worker->slots[i].task)
            fb_park_leave(worker->config->park, worker->slots[i].task, now_us(worker));
        free(worker->slots[i].ends);
        free(worker->slots[i].topics);
    }
    worker->n_slots = 0;
    worker->batch_bytes = 0;
    atomic_store(&worker->figures.partitions, 0);
    atomic_store(&worker->figures.halted, 0);
}

static const struct fb_record_source_events events = {on_record, on_started, on_stopped, on_end};

/* ---- figures ---- */

static int64_t lag_of(struct fb_worker *worker, const struct slot *slot) {
    int64_t lag = 0;
    for (uint32_t r = 0; slot->task && r < routes_of(slot)->n; r++) {
        struct fb_position position = {.topic = fb_str_of(routes_of(slot)->items[r].topic),
                                       .partition = slot->partition,
                                       .next = fb_task_next(slot->task, r)};
        if (position.next < 0)
            continue;
        int64_t end = worker->source->calls->end_of(worker->source, &position);
        lag += end > position.next ? end - position.next : 0;
    }
    return lag;
}

static void post(struct fb_worker *worker, const struct slot *slot, int64_t lag) {
    struct fb_posting posting = {.partition = slot->partition,
                                 .mode = at_end(slot) ? FB_MODE_NORMAL : FB_MODE_CATCHING_UP,
                                 .lag = lag};
    fb_task_describe(slot->task, &posting);
    fb_board_post(worker->config->board, &posting);
}

static void measure(struct fb_worker *worker) {
    struct fb_worker_figures *figures = &worker->figures;
    struct fb_task_stats sum = worker->gone;
    int64_t lag = 0;
    for (size_t i = 0; i < worker->n_slots; i++) {
        int64_t its_lag = lag_of(worker, &worker->slots[i]);
        add_stats(&sum, &worker->slots[i]);
        lag += its_lag;
        if (worker->slots[i].task)
            post(worker, &worker->slots[i], its_lag);
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
        if (!slot->task)
            continue;
        const struct fb_batch *batch = fb_task_batch(slot->task);
        for (; slot->put < fb_batch_count(batch); slot->put++) {
            struct fb_header headers[FB_BATCH_HEADERS_MAX];
            struct fb_outgoing out = {.partition = slot->partition, .stamp_us = FB_NO_STAMP};
            enum fb_stream stream = fb_batch_at(batch, slot->put, &out, headers);
            if (!fb_batch_ok(batch, err))
                return false;
            if (stream >= FB_STREAM_JOURNAL) /* restoring looks for them by this time */
                out.stamp_us = fb_task_sealed_at(slot->task);
            out.topic = worker->config->topics[stream];
            while (!worker->sink->calls->put(worker->sink, &out, err))
                if (err->kind != FB_RETRIABLE)
                    return false;
        }
    }
    return true;
}

static bool anything_new(const struct fb_worker *worker) {
    for (size_t i = 0; i < worker->n_slots; i++) {
        const struct slot *slot = &worker->slots[i];
        if (!slot->task)
            continue;
        if (exactly_once(worker) ? fb_task_has_news(slot->task) || fb_task_is_sealed(slot->task)
                                 : slot->moved || fb_batch_count(fb_task_batch(slot->task)))
            return true;
    }
    return false;
}

/* Positions of all tasks with their notes, which stand in `notes`. */
struct positions {
    struct fb_position *items;
    uint32_t n;
    struct fb_buf notes;
};

static void add_positions(struct positions *to, const struct fb_worker *worker,
                          const struct slot *slot, size_t note_at) {
    for (uint32_t r = 0; r < routes_of(slot)->n; r++) {
        int64_t next = fb_task_next(slot->task, r);
        if (next < 0)
            continue;
        struct fb_position position = {.topic = fb_str_of(routes_of(slot)->items[r].topic),
                                       .partition = slot->partition,
                                       .next = next};
        if (exactly_once(worker))
            position.note = (struct fb_str){to->notes.p + note_at, to->notes.n - note_at};
        to->items[to->n++] = position;
    }
}

/* The caller frees both. */
static struct positions positions_of(const struct fb_worker *worker) {
    struct positions to = {0};
    size_t n = 1;
    for (size_t i = 0; i < worker->n_slots; i++)
        n += worker->slots[i].task ? routes_of(&worker->slots[i])->n : 0;
    to.items = fb_alloc(n * sizeof *to.items);
    fb_buf_room(&to.notes, (worker->n_slots + 1) * FB_NOTE_BYTES_MAX); /* so that views hold */
    for (size_t i = 0; i < worker->n_slots; i++) {
        size_t note_at = to.notes.n;
        if (!worker->slots[i].task)
            continue;
        if (exactly_once(worker))
            fb_task_note(worker->slots[i].task, &to.notes);
        add_positions(&to, worker, &worker->slots[i], note_at);
    }
    return to;
}

/* Waits until the sink knows. While it waits nothing is read, so a slow broker costs no memory. */
static bool make_last(struct fb_worker *worker, const struct positions *positions,
                      int64_t patience_us, struct fb_err *err) {
    int64_t begun_us = now_us(worker);
    for (;;) {
        switch (worker->sink->calls->commit(worker->sink, worker->source, positions->items,
                                            positions->n, WAIT_MS, err)) {
        case FB_COMMITTED:
            atomic_store(&worker->figures.waiting, false);
            return true;
        case FB_COMMIT_FAILED:
            return false;
        case FB_COMMIT_DOUBT:
            if (FB_PLANTED(DOUBT_IS_COMMITTED))
                return true;
            worker->reopen = true;
            return false;
        case FB_COMMIT_AGAIN:
            for (size_t i = 0; i < worker->n_slots && !FB_PLANTED(DROP_ON_ABORT); i++)
                worker->slots[i].put = 0;
            if (!put_all(worker, err))
                return false;
            break;
        case FB_COMMIT_WAIT:
            if (FB_PLANTED(WAIT_IS_COMMITTED))
                return true;
            break;
        }
        int64_t waited_us = now_us(worker) - begun_us;
        if (waited_us > MOMENT_US && !atomic_exchange(&worker->figures.waiting, true))
            measure(worker);
        if (waited_us > (stopping(worker) && patience_us > DRAIN_US ? DRAIN_US : patience_us))
            return fb_fail(err, FB_RETRIABLE, "outputs are not acknowledged after %lld s",
                           (long long)(waited_us / 1000000));
        worker->source->calls->stay(worker->source);
    }
}

static void seal_all(struct fb_worker *worker) {
    int64_t wall = wall_us(worker);
    for (size_t i = 0; i < worker->n_slots; i++) {
        struct fb_task *task = worker->slots[i].task;
        if (task && !fb_task_is_sealed(task) && fb_task_has_news(task))
            fb_task_seal(task, wall);
        if (task)
            fb_task_claim(task, fb_str_of(worker->config->owner));
    }
}

static void follow_all(struct fb_worker *worker) {
    for (size_t i = 0; i < worker->n_slots && !stopping(worker); i++)
        if (worker->slots[i].task)
            follow_rules(worker, &worker->slots[i]);
}

/* Outputs, and the positions behind them. False: it did not go well, err says why. */
static bool commit(struct fb_worker *worker, int64_t patience_us, struct fb_err *err) {
    *err = (struct fb_err){0};
    if (!anything_new(worker)) {
        follow_all(worker);
        return true;
    }
    if (worker->reopen)
        return fb_fail(err, FB_RETRIABLE, "the connection to Kafka is being made anew");
    if (exactly_once(worker))
        seal_all(worker);
    struct positions positions = positions_of(worker);
    bool ok = put_all(worker, err) && make_last(worker, &positions, patience_us, err);
    free(positions.items);
    fb_buf_free(&positions.notes);
    worker->reopen |= !ok && exactly_once(worker); /* what was put must not be committed later */
    if (!ok)
        return false;
    for (size_t i = 0; i < worker->n_slots; i++) {
        struct slot *slot = &worker->slots[i];
        slot->put = 0;
        slot->moved = err->kind == FB_RETRIABLE;
        if (!slot->task)
            continue;
        fb_task_committed(slot->task);
    }
    follow_all(worker);
    count_batches(worker);
    if (worker->reopens > 1)
        fb_log(FB_LOG_INFO, "worker %u commits again, after both ends were opened %u times",
               worker->config->worker, worker->reopens);
    worker->reopens = 0;
    if (err->kind == FB_RETRIABLE) /* a rebalance or an outage: the next commit will do */
        fb_log(FB_LOG_DEBUG, "%s", err->text);
    return true;
}

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
    const struct fb_time *time = worker->config->time;
    do {
        tell_trouble(worker, err);
        worker->reopens++;
        close_ends(worker);
        int64_t pause_us = (int64_t)REOPEN_US * worker->reopens;
        time->sleep_us(time->context, pause_us < REOPEN_MAX_US ? pause_us : REOPEN_MAX_US);
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
    if (draining(worker) || !worker->source->calls->online(worker->source))
        return;
    int64_t wall = wall_us(worker);
    for (size_t i = 0; i < worker->n_slots; i++)
        if (at_end(&worker->slots[i]) && !fb_task_is_sealed(worker->slots[i].task))
            fb_task_tick(worker->slots[i].task, wall);
    count_batches(worker);
}

static int until_ms(int64_t now, int64_t then) {
    return then <= now ? 0 : (int)((then - now + 999) / 1000);
}

/* Nothing is taken any more: commits until the snapshots are whole. Partitions that come meanwhile
 * are treated alike. */
static void drain(struct fb_worker *worker) {
    bool all = !worker->reopen;
    for (size_t i = 0; i < worker->n_slots; i++) {
        struct fb_task *task = worker->slots[i].task;
        if (!task)
            continue;
        fb_task_drain(task);
        all &= fb_task_is_drained(task);
    }
    if (!all)
        worker->commit_at_us = 0; /* at once */
    else                          /* polling comes back at once where records are there */
        worker->config->time->sleep_us(worker->config->time->context, TICK_US);
    atomic_store(&worker->figures.drained, all);
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
    if (worker->crumb)
        fb_crumb_clear(worker->crumb);
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
    for (size_t i = 0; i < worker->n_slots; i++) {
        fb_task_free(worker->slots[i].task);
        free(worker->slots[i].ends);
        free(worker->slots[i].topics);
    }
    free(worker->slots);
    free(worker);
}

const struct fb_worker_figures *fb_worker_figures(const struct fb_worker *worker) {
    return &worker->figures;
}

bool fb_worker_run(struct fb_worker *worker, struct fb_err *err) {
    *err = (struct fb_err){0};
    bool open = open_ends(worker, err);
    worker->commit_at_us = now_us(worker) + worker->config->commit_interval_us;
    while (open && worker->source && !stopping(worker) && go_on(worker, err))
        continue;
    bool ok = err->kind == FB_NO_FAILURE;
    if (worker->source) {
        if (ok)
            ok = commit(worker, DRAIN_US, err);
        measure(worker);
    }
    close_ends(worker);
    return ok;
}
