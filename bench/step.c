/* step: how long a task is busy with one thing at a time, and how long its way back takes.
 * usage: build/bench/step [DEVICES [SWEEPS]]
 *
 * A journalled task with so many devices, each with a record every 10 s of stream, is given records
 * one by one and is sealed every 100 ms of stream, as run/worker does it: first with no snapshot
 * under way, then while as many are written as SWEEPS says. Printed is how long such a step took,
 * in CPU time of the thread and by the clock on the wall, which on a busy machine also shows what
 * others did. Encoding and compressing are in it, what a sink does is not.
 *
 * Then the task is rebuilt from what it has left: the last snapshot, the journal behind it, and the
 * 10 s of records that the journal names. Journal and snapshot are in memory, records are made
 * anew, so that what is measured is the engine's part. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/core/snapshot.h"
#include "engine/run/restore.h"
#include "engine/run/task_commit.h"
#include "engine/run/task.h"
#include "rules/compile.h"

#define S INT64_C(1000000)
#define NEVER (INT64_MAX / 4)

enum {
    PERIOD_US = 10000000, /* between two records of a device */
    COMMIT_US = 100000,
    WALL_EVERY = 64, /* records that share one look at the wall clock */
    EVENT_MAX = 256,
    QUIET_PERIODS = 2 /* without a snapshot */
};

/* 15 minutes begin here: no `each` window of the rules ends while this goes on. */
static const int64_t begin_us = INT64_C(900) * 1888889 * S;

static const char rules[] =
    "device machine from \"t\" {\n"
    "  key id  time ts [ms]  tag site\n"
    "  temp : number [degC] every 10s, stale after 1m\n"
    "  load : number [%] every 10s, stale after 1m\n"
    "  state : one of (stopped, running)\n"
    "}\n"
    "alarm hot on machine { raise high when temp > 80 degC for 10s until temp < 75 degC for 30s }\n"
    "alarm busy on machine { raise medium when avg(load over 1m) > 95 % }\n"
    "alarm unsteady on machine { raise low when stddev(temp each 15m) > 20 K  clear after 1m }\n"
    "event started on machine { when state == running }\n";

/* ---- the stream: a record is made of its offset ---- */

static int64_t time_of(uint32_t devices, int64_t offset) {
    return begin_us + (int64_t)((double)offset * PERIOD_US / devices);
}

static size_t make_event(uint32_t devices, int64_t offset, char out[EVENT_MAX]) {
    uint64_t random = (uint64_t)offset * UINT64_C(0x9e3779b97f4a7c15);
    random ^= random >> 29;
    random *= UINT64_C(0xbf58476d1ce4e5b9);
    double x = (double)(random >> 40) / (double)(1 << 24);
    uint32_t device = (uint32_t)((uint64_t)offset % devices * 7919 % devices);
    return (size_t)snprintf(out, EVENT_MAX,
                            "{\"id\":\"machine-%07u\",\"ts\":%" PRId64
                            ",\"site\":\"north\",\"temp\":%.2f,\"load\":%.1f,\"state\":\"%s\"}",
                            device, time_of(devices, offset) / 1000, 60 + 10 * x, 90 * x,
                            x > 0.1 ? "running" : "stopped");
}

static struct fb_record make_record(uint32_t devices, int64_t offset, char text[EVENT_MAX]) {
    size_t n = make_event(devices, offset, text);
    return (struct fb_record){.topic = FB_S("t"),
                              .offset = offset,
                              .stamp_us = time_of(devices, offset),
                              .key = {text + strlen("{\"id\":\""), strlen("machine-0000000")},
                              .value = {text, n}};
}

/* ---- what commits leave behind, and reading it ---- */

struct stored {
    struct fb_buf key, value;
};

struct log {
    struct stored *items;
    size_t n, cap;
};

static void log_add(struct log *log, struct fb_str key, struct fb_str value) {
    FB_PUSH_ROOM(log->items, log->n, log->cap);
    struct stored *one = &log->items[log->n++];
    *one = (struct stored){0};
    fb_buf_str(&one->key, key);
    fb_buf_str(&one->value, value);
}

static void log_clear(struct log *log) {
    for (size_t i = 0; i < log->n; i++) {
        fb_buf_free(&log->items[i].key);
        fb_buf_free(&log->items[i].value);
    }
    log->n = 0;
}

struct history {
    struct fb_history base;
    struct log journal, snapshot; /* of the last snapshot only, as compaction leaves it */
    uint32_t devices;
    int64_t end; /* of the inputs */
};

struct reader {
    struct fb_reader base;
    struct history *history;
    struct log *log; /* NULL: the inputs */
    int64_t next;
    char text[EVENT_MAX];
};

static struct log *log_of(struct history *history, const char *topic) {
    return strcmp(topic, "journal") == 0    ? &history->journal
           : strcmp(topic, "snapshot") == 0 ? &history->snapshot
                                            : NULL;
}

static enum fb_read next(struct fb_reader *base, struct fb_record *record, struct fb_err *err) {
    struct reader *reader = (struct reader *)base;
    (void)err;
    if (reader->next >= (reader->log ? (int64_t)reader->log->n : reader->history->end))
        return FB_READ_END;
    int64_t offset = reader->next++;
    if (!reader->log) {
        *record = make_record(reader->history->devices, offset, reader->text);
        return FB_READ_RECORD;
    }
    const struct stored *one = &reader->log->items[offset];
    *record = (struct fb_record){.offset = offset,
                                 .stamp_us = FB_NO_STAMP,
                                 .key = {one->key.p, one->key.n},
                                 .value = {one->value.p, one->value.n}};
    return FB_READ_RECORD;
}

static void close_reader(struct fb_reader *base) {
    free(base);
}

static bool bounds(struct fb_history *base, const char *topic, int32_t partition, int64_t *first,
                   int64_t *end, struct fb_err *err) {
    struct history *history = (struct history *)base;
    const struct log *log = log_of(history, topic);
    (void)partition;
    (void)err;
    *first = 0;
    *end = log ? (int64_t)log->n : history->end;
    return true;
}

/* Any offset before it will do. */
static bool offset_at(struct fb_history *base, const char *topic, int32_t partition,
                      int64_t stamp_us, int64_t *offset, struct fb_err *err) {
    (void)base;
    (void)topic;
    (void)partition;
    (void)stamp_us;
    (void)err;
    *offset = 0;
    return true;
}

static struct fb_reader *open_reader(struct fb_history *base, const char *topic, int32_t partition,
                                     int64_t from, struct fb_err *err) {
    static const struct fb_reader_calls calls = {next, close_reader};
    struct reader *reader = fb_alloc(sizeof *reader);
    (void)partition;
    (void)err;
    reader->base.calls = &calls;
    reader->history = (struct history *)base;
    reader->log = log_of(reader->history, topic);
    reader->next = from;
    return &reader->base;
}

static const struct fb_history_calls history_calls = {
    .bounds = bounds, .offset_at = offset_at, .open = open_reader};

/* ---- the task ---- */

struct bench {
    struct fb_task_config config;
    struct fb_bundle *bundle;
    struct fb_task *task;
    struct history history;
    uint32_t devices;
    int64_t offset, wall_us, seal_at_us;
    size_t snapshot_bytes;
};

struct steps {
    float *cpu_us, *wall_us;
    size_t n, cap, cap_wall;
};

static double now_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct moment {
    double cpu_us, wall_us;
};

static struct moment now(void) {
    return (struct moment){now_of(CLOCK_THREAD_CPUTIME_ID), now_of(CLOCK_MONOTONIC)};
}

/* steps: NULL where nobody wants to know. */
static void note(struct steps *steps, struct moment began) {
    if (!steps)
        return;
    struct moment ended = now();
    FB_PUSH_ROOM(steps->wall_us, steps->n, steps->cap_wall);
    FB_PUSH_ROOM(steps->cpu_us, steps->n, steps->cap);
    steps->wall_us[steps->n] = (float)(ended.wall_us - began.wall_us);
    steps->cpu_us[steps->n++] = (float)(ended.cpu_us - began.cpu_us);
}

/* What the sink would have: journal and snapshot are kept, the rest is let go. */
static void commit(struct bench *bench) {
    const struct fb_batch *batch = fb_task_batch(bench->task);
    for (uint32_t i = 0; i < fb_batch_count(batch); i++) {
        struct fb_header headers[FB_BATCH_HEADERS_MAX];
        struct fb_outgoing record;
        enum fb_stream stream = fb_batch_at(batch, i, &record, headers);
        if (stream == FB_STREAM_JOURNAL)
            log_add(&bench->history.journal, record.key, record.value);
        if (stream == FB_STREAM_SNAPSHOT) {
            log_add(&bench->history.snapshot, record.key, record.value);
            bench->snapshot_bytes += record.value.n;
        }
    }
    fb_task_committed(bench->task);
}

static void one_record(struct bench *bench, struct steps *records, struct steps *seals) {
    char text[EVENT_MAX];
    struct fb_record record = make_record(bench->devices, bench->offset, text);
    if (bench->offset++ % WALL_EVERY == 0)
        bench->wall_us = record.stamp_us;
    struct moment began = records ? now() : (struct moment){0};
    fb_task_record(bench->task, 0, &record, bench->wall_us);
    note(records, began);
    if (record.stamp_us < bench->seal_at_us)
        return;
    bench->seal_at_us += COMMIT_US;
    began = now();
    fb_task_seal(bench->task, record.stamp_us);
    note(seals, began);
    commit(bench);
}

static bool sweeping(const struct bench *bench) {
    return fb_core_snapshot_is_open(fb_task_core(bench->task));
}

static void some_periods(struct bench *bench, int periods, struct steps *records,
                         struct steps *seals) {
    for (int64_t end = bench->offset + (int64_t)periods * bench->devices; bench->offset < end;)
        one_record(bench, records, seals);
}

/* Until a snapshot that begins now is whole; how long it took, in s of stream. */
static double one_snapshot(struct bench *bench, struct steps *records, struct steps *seals) {
    bench->config.pace.least_us = bench->config.pace.most_us = 0;
    while (!sweeping(bench))
        one_record(bench, NULL, NULL);
    bench->config.pace.least_us = bench->config.pace.most_us = NEVER;
    log_clear(&bench->history.snapshot);
    bench->snapshot_bytes = 0;
    int64_t began = bench->offset;
    while (sweeping(bench))
        one_record(bench, records, seals);
    return (double)(bench->offset - began) / bench->devices * PERIOD_US / 1e6;
}

/* ---- the table ---- */

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double at(const float *sorted, size_t n, double share) {
    return n ? (double)sorted[(size_t)(share * (double)(n - 1))] : 0;
}

static void print_times(const char *what, const char *clock, float *us, size_t n) {
    if (n == 0)
        return;
    qsort(us, n, sizeof *us, ascending);
    printf("%-34s %-5s %9zu %9.1f %9.1f %9.1f %9.1f\n", what, clock, n, at(us, n, .5),
           at(us, n, .99), at(us, n, .9999), at(us, n, 1));
}

static void print_steps(const char *what, const struct steps *steps) {
    print_times(what, "CPU", steps->cpu_us, steps->n);
    print_times("", "wall", steps->wall_us, steps->n);
}

static void steps_free(struct steps *steps) {
    free(steps->cpu_us);
    free(steps->wall_us);
}

/* ---- the way back ---- */

static bool no_hurry(void *context, int32_t partition, uint32_t permille) {
    (void)context;
    (void)partition;
    (void)permille;
    return true;
}

static void rebuild(struct bench *bench) {
    struct fb_restore_wish wish = {.config = &bench->config,
                                   .bundle = bench->bundle,
                                   .journal = "journal",
                                   .snapshot = "snapshot",
                                   .committed_seq = fb_task_seq(bench->task),
                                   .progress = no_hurry};
    struct fb_restore_figures figures;
    struct fb_task *again;
    struct fb_err err;
    bench->history.base.calls = &history_calls;
    bench->history.devices = bench->devices;
    bench->history.end = bench->offset;
    struct fb_hash128 hash = fb_core_state_hash(fb_task_core(bench->task));
    fb_task_free(bench->task); /* as after a crash: nothing of it is in the caches */
    bench->task = NULL;
    struct moment began = now();
    enum fb_restored done = fb_restore(&bench->history.base, &wish, &again, &figures, &err);
    struct moment ended = now();
    if (done != FB_RESTORE_DONE)
        fprintf(stderr, "not restored: %s\n", err.text);
    FB_ASSERT(done == FB_RESTORE_DONE);
    FB_ASSERT(fb_hash128_eq(fb_core_state_hash(fb_task_core(again)), hash));
    printf("restored: %u devices (%.0f MB, %.0f MB compressed), %" PRIu64 " commits, %" PRIu64
           " records: %.2f s CPU, %.2f s wall\n",
           figures.devices, (double)figures.snapshot_bytes / 1e6,
           (double)bench->snapshot_bytes / 1e6, figures.commits, figures.records,
           (ended.cpu_us - began.cpu_us) / 1e6, (ended.wall_us - began.wall_us) / 1e6);
    fb_task_free(again);
}

/* ---- all of it ---- */

static void measure(struct bench *bench, int sweeps) {
    struct steps quiet = {0}, quiet_seals = {0}, busy = {0}, busy_seals = {0};
    double seconds = 0;
    some_periods(bench, 1, NULL, NULL);
    some_periods(bench, QUIET_PERIODS, &quiet, &quiet_seals);
    for (int i = 0; i < sweeps; i++)
        seconds += one_snapshot(bench, &busy, &busy_seals);
    printf("%-34s %-5s %9s %9s %9s %9s %9s\n", "us", "", "steps", "p50", "p99", "p99.99", "max");
    print_steps("record, no snapshot", &quiet);
    print_steps("seal, no snapshot", &quiet_seals);
    print_steps("record, snapshot under way", &busy);
    print_steps("seal, snapshot under way", &busy_seals);
    printf("\na snapshot took %.1f s of stream\n", seconds / sweeps);
    steps_free(&quiet);
    steps_free(&quiet_seals);
    steps_free(&busy);
    steps_free(&busy_seals);
    some_periods(bench, 1, NULL, NULL);
    fb_task_seal(bench->task, bench->wall_us);
    commit(bench);
    rebuild(bench);
}

static void begin(struct bench *bench) {
    static const struct fb_bundle_settings settings = {.max_skew_us = 600 * S,
                                                       .max_age_us = 3600 * S};
    struct fb_compiled compiled;
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    fb_sources_add(sources, FB_S("bench.rules"), fb_str_of(rules));
    FB_ASSERT(fb_compile_sources(sources, diags, &compiled));
    fb_diags_free(diags);
    bench->bundle = fb_bundle_of(&compiled, &settings, NULL);
    bench->config =
        (struct fb_task_config){.application = FB_S("bench"),
                                .room = {.memory_max = FB_BATCH_MEMORY_MAX, .folder = "/tmp"},
                                .journalled = true,
                                .pace = {.least_us = NEVER, .most_us = NEVER}};
    bench->task = fb_task_new(&bench->config, bench->bundle, 0);
    fb_task_activate(bench->task, FB_S("bench"), 0);
    fb_task_begin(bench->task, 0, 0);
    bench->seal_at_us = begin_us + COMMIT_US;
}

int main(int argc, char **argv) {
    struct bench bench = {.devices = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000};
    int sweeps = argc > 2 ? atoi(argv[2]) : 1;
    if (bench.devices == 0 || sweeps <= 0) {
        fprintf(stderr, "usage: build/bench/step [DEVICES [SWEEPS]]\n");
        return 2;
    }
    begin(&bench);
    printf("%u devices, a record each 10 s, a commit each 100 ms\n\n", bench.devices);
    measure(&bench, sweeps);
    log_clear(&bench.history.journal);
    log_clear(&bench.history.snapshot);
    free(bench.history.journal.items);
    free(bench.history.snapshot.items);
    fb_bundle_drop(bench.bundle);
    return 0;
}
