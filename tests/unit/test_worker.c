/* A worker between a source and a sink that a script drives: what comes in which order, and what a
 * trouble outside makes of it. */
#include "engine/run/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <pthread.h>

#include "engine/base/arena.h"
#include "tests/unit/bundle_of_text.h"

static const char rules[] = "device m from \"in\" {\n"
                            "  key id\n"
                            "  time arrival\n"
                            "  temp: number [degC]\n"
                            "}\n"
                            "alarm hot on m {\n"
                            "  raise high when temp > 80 degC until temp < 70 degC\n"
                            "}\n"
                            "alarm quiet on m {\n"
                            "  raise low when silent for 1ms\n"
                            "  clear after 1d\n"
                            "}\n";

static struct fb_bundle *bundle;
static struct fb_task_config task_config;

static int compile(void **state) {
    (void)state;
    struct fb_bundle_settings settings = {.max_skew_us = 600000000};
    bundle = bundle_of_text(rules, &settings);
    task_config =
        (struct fb_task_config){.application = FB_S("t"), .room = {FB_BATCH_MEMORY_MAX, "/tmp"}};
    return 0;
}

static int clean_up(void **state) {
    (void)state;
    fb_bundle_drop(bundle);
    return 0;
}

/* ---- the script ---- */

enum step_kind { START, STOP, LOST, RECORD, END, OFFLINE, ONLINE, TICKS, DRAIN, IDLE, LAST };

/* One step a poll; TICKS lasts until the worker has looked twice whether it may tick. */
struct step {
    enum step_kind kind;
    int32_t partition;
    int64_t offset; /* START: the group's position; END: the end */
    const char *value;
};

struct script {
    struct fb_record_source source;
    struct fb_sink sink;
    const struct fb_record_source_events *events;
    void *owner;
    const struct step *steps;
    bool offline;
    int commits_refused;       /* the next ones fail, retriably */
    enum fb_commit answers[8]; /* of the next commits of outputs; then FB_COMMITTED */
    int n_answers;
    bool put;          /* something, since the last commit */
    const char *until; /* LAST waits until this stands in the log */
    struct fb_buf log;
    atomic_bool stop;
    atomic_int drain;
    int64_t stamp_us;
    int looks; /* whether the source is online */
};

static struct script *of_source(struct fb_record_source *source) {
    return (struct script *)((char *)source - offsetof(struct script, source));
}

static struct script *of_sink(struct fb_sink *sink) {
    return (struct script *)((char *)sink - offsetof(struct script, sink));
}

static void start_all(struct script *script, const struct step *step) {
    struct fb_position positions[8];
    uint32_t n = 0;
    for (; step[n].kind == START; n++)
        positions[n] = (struct fb_position){
            .topic = FB_S("in"), .partition = step[n].partition, .next = step[n].offset};
    script->events->started(script->owner, positions, n);
    for (uint32_t i = 0; i < n; i++)
        fb_buf_printf(&script->log, "start %d@%lld\n", positions[i].partition,
                      (long long)positions[i].next);
    script->steps += n;
}

static enum fb_poll poll_script(struct fb_record_source *source, int timeout_ms,
                                struct fb_err *err) {
    (void)timeout_ms;
    (void)err;
    struct script *script = of_source(source);
    const struct step *step = script->steps;
    struct fb_record record = {.topic = FB_S("in"),
                               .partition = step->partition,
                               .offset = step->offset,
                               .stamp_us = script->stamp_us,
                               .key = FB_S("k")};
    if (step->kind == LAST) {
        if (!script->until || strstr(fb_buf_terminated(&script->log), script->until))
            atomic_store(&script->stop, true);
        return FB_POLL_OK;
    }
    if (step->kind == START) {
        start_all(script, step);
        return FB_POLL_OK;
    }
    if (step->kind == TICKS && script->looks < 2)
        return FB_POLL_OK;
    script->looks = 0;
    script->steps++;
    switch (step->kind) {
    case STOP:
    case LOST:
        script->events->stopped(script->owner, step->kind == LOST);
        fb_buf_text(&script->log, step->kind == LOST ? "lost\n" : "stopped\n");
        break;
    case RECORD:
        record.value = fb_str_of(step->value);
        fb_buf_printf(&script->log, "read %d@%lld\n", step->partition, (long long)step->offset);
        script->events->record(script->owner, &record);
        break;
    case END:
        script->events->end(script->owner, FB_S("in"), step->partition, step->offset);
        break;
    case OFFLINE:
    case ONLINE:
        script->offline = step->kind == OFFLINE;
        fb_buf_text(&script->log, script->offline ? "offline\n" : "online\n");
        break;
    case DRAIN:
        atomic_store(&script->drain, FB_DRAIN_LEAVE);
        break;
    case IDLE:
        fb_buf_text(&script->log, "idle\n");
        break;
    case START:
    case TICKS:
    case LAST:
        break;
    }
    return FB_POLL_OK;
}

static void stay(struct fb_record_source *source) {
    fb_buf_text(&of_source(source)->log, "stay\n");
}

static bool commit(struct fb_record_source *source, const struct fb_position *positions, uint32_t n,
                   struct fb_err *err) {
    struct script *script = of_source(source);
    if (script->commits_refused > 0) {
        script->commits_refused--;
        fb_buf_text(&script->log, "commit refused\n");
        return fb_fail(err, FB_RETRIABLE, "refused");
    }
    for (uint32_t i = 0; i < n; i++)
        fb_buf_printf(&script->log, "commit %d@%lld\n", positions[i].partition,
                      (long long)positions[i].next);
    return true;
}

static bool online(const struct fb_record_source *source) {
    struct script *script = of_source((struct fb_record_source *)(uintptr_t)source);
    script->looks++;
    return !script->offline;
}

static int64_t end_of(struct fb_record_source *source, const struct fb_position *position) {
    (void)source;
    return position->next;
}

static void close_script(struct fb_record_source *source) {
    struct script *script = of_source(source);
    script->events->stopped(script->owner, false);
}

static const struct fb_record_source_calls source_calls = {poll_script, stay,   commit,
                                                           online,      end_of, close_script};

static bool put(struct fb_sink *sink, const struct fb_outgoing *record, struct fb_err *err) {
    (void)err;
    bool raised = memmem(record->value.p, record->value.n, "\"raised\"", 8) != NULL;
    of_sink(sink)->put = true;
    bool cleared = memmem(record->value.p, record->value.n, "\"cleared\"", 9) != NULL;
    fb_buf_printf(&of_sink(sink)->log, "put %s %d %.*s%s\n", record->topic, record->partition,
                  FB_ARG(record->key),
                  raised    ? " raised"
                  : cleared ? " cleared"
                            : "");
    return true;
}

static enum fb_commit commit_sink(struct fb_sink *sink, struct fb_record_source *source,
                                  const struct fb_position *positions, uint32_t n, int timeout_ms,
                                  struct fb_err *err) {
    (void)timeout_ms;
    struct script *script = of_sink(sink);
    enum fb_commit answer = FB_COMMITTED;
    if (script->put && script->n_answers > 0) {
        answer = script->answers[0];
        memmove(script->answers, script->answers + 1,
                sizeof script->answers - sizeof *script->answers);
        script->n_answers--;
    }
    static const char *const words[] = {"", "wait\n", "again\n", "doubt\n", "failed\n"};
    fb_buf_text(&script->log, words[answer]);
    if (answer == FB_COMMIT_FAILED)
        fb_fail(err, FB_FATAL, "the sink is broken");
    script->put &= answer != FB_COMMITTED;
    if (answer == FB_COMMITTED)
        commit(source, positions, n, err);
    return answer;
}

static void close_sink(struct fb_sink *sink) {
    fb_buf_text(&of_sink(sink)->log, "closed\n");
}

static const struct fb_sink_calls sink_calls = {put, commit_sink, close_sink};

static struct fb_record_source *open_source(void *context, uint32_t worker,
                                            const struct fb_record_source_events *events,
                                            void *owner, struct fb_err *err) {
    (void)worker;
    (void)err;
    struct script *script = context;
    script->source.calls = &source_calls;
    script->events = events;
    script->owner = owner;
    return &script->source;
}

static struct fb_sink *open_sink(void *context, uint32_t worker, struct fb_err *err) {
    (void)worker;
    (void)err;
    struct script *script = context;
    script->sink.calls = &sink_calls;
    return &script->sink;
}

static int64_t wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

enum { KEEP_US = 60 * 1000000 };

static struct fb_worker_config config_of(struct script *script) {
    return (struct fb_worker_config){.task = &task_config,
                                     .bundle = bundle,
                                     .time = &fb_machine_time,
                                     .owner = "o",
                                     .topics = {"alerts", "late", "dead"},
                                     .commit_interval_us = 0,
                                     .open_source = open_source,
                                     .open_sink = open_sink,
                                     .context = script,
                                     .stop = &script->stop};
}

static const char *play_in(struct script *script, struct fb_park *park, bool *ok,
                           struct fb_err *err) {
    struct fb_worker_config config = config_of(script);
    config.park = park;
    if (script->stamp_us == 0)
        script->stamp_us = wall_us();
    struct fb_worker *worker = fb_worker_new(&config);
    *ok = fb_worker_run(worker, err);
    fb_worker_free(worker);
    return fb_buf_terminated(&script->log);
}

/* Runs the script to its LAST step; what happened, a line each. */
static const char *play(struct script *script, bool *ok, struct fb_err *err) {
    struct fb_park *park = fb_park_new(KEEP_US);
    const char *log = play_in(script, park, ok, err);
    fb_park_free(park);
    return log;
}

static void expect(struct script *script, const char *expected) {
    struct fb_err err;
    bool ok;
    const char *happened = play(script, &ok, &err);
    assert_string_equal(happened, expected);
    assert_true(ok);
    fb_buf_free(&script->log);
}

#define HOT "{\"id\":\"a\",\"temp\":90}"
#define COLD "{\"id\":\"a\",\"temp\":60}"

/* ---- tests ---- */

static void outputs_are_safe_before_positions_are_committed(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 2, 5, NULL}, {RECORD, 2, 5, HOT}, {RECORD, 2, 6, "junk"}, {LAST, 0, 0, NULL}};
    expect(&(struct script){.steps = steps}, "start 2@5\n"
                                             "commit 2@5\n"
                                             "read 2@5\n"
                                             "put alerts 2 hot/a raised\n"
                                             "commit 2@6\n"
                                             "read 2@6\n"
                                             "put dead 2 k\n"
                                             "commit 2@7\n"
                                             "closed\n");
}

static void nothing_is_read_while_outputs_are_not_acknowledged(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 0, 0, NULL}, {RECORD, 0, 0, HOT}, {RECORD, 0, 1, COLD}, {LAST, 0, 0, NULL}};
    struct script script = {
        .steps = steps, .answers = {FB_COMMIT_WAIT, FB_COMMIT_WAIT}, .n_answers = 2};
    expect(&script, "start 0@0\n"
                    "commit 0@0\n"
                    "read 0@0\n"
                    "put alerts 0 hot/a raised\n"
                    "wait\n"
                    "stay\n"
                    "wait\n"
                    "stay\n"
                    "commit 0@1\n"
                    "read 0@1\n"
                    "put alerts 0 hot/a cleared\n"
                    "commit 0@2\n"
                    "closed\n");
}

static void a_sink_that_begins_anew_gets_the_same_again(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 0, 0, NULL}, {RECORD, 0, 0, HOT}, {LAST, 0, 0, NULL}};
    struct script script = {
        .steps = steps, .answers = {FB_COMMIT_WAIT, FB_COMMIT_AGAIN}, .n_answers = 2};
    expect(&script, "start 0@0\n"
                    "commit 0@0\n"
                    "read 0@0\n"
                    "put alerts 0 hot/a raised\n"
                    "wait\n"
                    "stay\n"
                    "again\n"
                    "put alerts 0 hot/a raised\n"
                    "stay\n"
                    "commit 0@1\n"
                    "closed\n");
}

static void a_sink_that_fails_ends_the_worker_without_a_commit(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 0, 0, NULL}, {RECORD, 0, 0, HOT}, {LAST, 0, 0, NULL}};
    struct script script = {.steps = steps, .answers = {FB_COMMIT_FAILED}, .n_answers = 1};
    struct fb_err err;
    bool ok;
    assert_string_equal(play(&script, &ok, &err), "start 0@0\n"
                                                  "commit 0@0\n"
                                                  "read 0@0\n"
                                                  "put alerts 0 hot/a raised\n"
                                                  "failed\n"
                                                  "closed\n");
    assert_false(ok);
    assert_string_equal(err.text, "the sink is broken");
    fb_buf_free(&script.log);
}

static void outputs_without_room_end_the_worker_without_a_commit(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 0, 0, NULL}, {RECORD, 0, 0, HOT}, {LAST, 0, 0, NULL}};
    struct script script = {.steps = steps};
    struct fb_room room = task_config.room;
    struct fb_err err;
    bool ok;
    task_config.room = (struct fb_room){0, "/not/there"};
    assert_string_equal(play(&script, &ok, &err), "start 0@0\n"
                                                  "commit 0@0\n"
                                                  "read 0@0\n"
                                                  "closed\n");
    assert_false(ok);
    assert_int_equal(err.kind, FB_FATAL);
    assert_non_null(strstr(err.text, "/not/there"));
    fb_buf_free(&script.log);
    task_config.room = room;
}

static void a_commit_that_is_refused_is_made_up_for(void **state) {
    (void)state;
    static const struct step steps[] = {{START, 0, 0, NULL},
                                        {RECORD, 0, 0, COLD},
                                        {OFFLINE, 0, 0, NULL},
                                        {ONLINE, 0, 0, NULL},
                                        {LAST, 0, 0, NULL}};
    expect(&(struct script){.steps = steps, .commits_refused = 3}, "start 0@0\n"
                                                                   "commit refused\n"
                                                                   "read 0@0\n"
                                                                   "commit refused\n"
                                                                   "offline\n"
                                                                   "commit refused\n"
                                                                   "online\n"
                                                                   "commit 0@1\n"
                                                                   "closed\n");
}

/* The alarm that is active clears in the second record: the state was kept. */
static void a_task_that_comes_back_goes_on(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 0, 0, NULL}, {RECORD, 0, 0, HOT},  {STOP, 0, 0, NULL}, {START, 0, 1, NULL},
        {START, 1, 9, NULL}, {RECORD, 0, 1, COLD}, {LAST, 0, 0, NULL}};
    expect(&(struct script){.steps = steps}, "start 0@0\n"
                                             "commit 0@0\n"
                                             "read 0@0\n"
                                             "put alerts 0 hot/a raised\n"
                                             "commit 0@1\n"
                                             "stopped\n"
                                             "start 0@1\n"
                                             "start 1@9\n"
                                             "commit 0@1\n"
                                             "commit 1@9\n"
                                             "read 0@1\n"
                                             "put alerts 0 hot/a cleared\n"
                                             "commit 0@2\n"
                                             "commit 1@9\n"
                                             "closed\n");
}

/* A rebalance may give a partition to another worker of the process: its state goes along. */
static void a_task_goes_on_in_another_worker(void **state) {
    (void)state;
    static const struct step first[] = {
        {START, 0, 0, NULL}, {RECORD, 0, 0, HOT}, {STOP, 0, 0, NULL}, {LAST, 0, 0, NULL}};
    static const struct step second[] = {
        {START, 0, 1, NULL}, {RECORD, 0, 1, COLD}, {LAST, 0, 0, NULL}};
    struct script one = {.steps = first}, other = {.steps = second};
    struct fb_park *park = fb_park_new(KEEP_US);
    struct fb_err err;
    bool ok = false;
    assert_non_null(strstr(play_in(&one, park, &ok, &err), "put alerts 0 hot/a raised\n"));
    assert_true(ok);
    assert_non_null(strstr(play_in(&other, park, &ok, &err), "put alerts 0 hot/a cleared\n"));
    assert_true(ok);
    fb_park_free(park);
    fb_buf_free(&one.log);
    fb_buf_free(&other.log);
}

static void a_task_that_waited_too_long_is_given_up(void **state) {
    (void)state;
    struct fb_park *park = fb_park_new(KEEP_US);
    fb_park_leave(park, fb_task_new(&task_config, bundle, 0), 0);
    fb_park_leave(park, fb_task_new(&task_config, bundle, 1), KEEP_US);
    assert_null(fb_park_take(park, 2, KEEP_US + 1));
    assert_null(fb_park_take(park, 0, KEEP_US + 1));
    struct fb_task *task = fb_park_take(park, 1, KEEP_US + 1);
    assert_non_null(task);
    assert_int_equal(fb_task_partition(task), 1);
    fb_task_free(task);
    fb_park_free(park);
}

/* The commit was lost on the way, nobody else was further: no record is taken twice. */
static void a_task_whose_commit_was_lost_goes_on_where_it_stands(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 0, 0, NULL}, {RECORD, 0, 0, HOT},  {LOST, 0, 0, NULL}, {START, 0, 0, NULL},
        {RECORD, 0, 0, HOT}, {RECORD, 0, 1, COLD}, {LAST, 0, 0, NULL}};
    expect(&(struct script){.steps = steps, .commits_refused = 2}, "start 0@0\n"
                                                                   "commit refused\n"
                                                                   "read 0@0\n"
                                                                   "put alerts 0 hot/a raised\n"
                                                                   "commit refused\n"
                                                                   "lost\n"
                                                                   "start 0@1\n"
                                                                   "commit 0@1\n"
                                                                   "read 0@0\n"
                                                                   "read 0@1\n"
                                                                   "put alerts 0 hot/a cleared\n"
                                                                   "commit 0@2\n"
                                                                   "closed\n");
}

/* Somebody else has read on meanwhile: that state is wrong, a new one begins. */
static void a_task_that_was_overtaken_begins_anew(void **state) {
    (void)state;
    static const struct step steps[] = {{START, 0, 0, NULL},  {RECORD, 0, 0, HOT},
                                        {LOST, 0, 0, NULL},   {START, 0, 7, NULL},
                                        {RECORD, 0, 7, COLD}, {LAST, 0, 0, NULL}};
    expect(&(struct script){.steps = steps}, "start 0@0\n"
                                             "commit 0@0\n"
                                             "read 0@0\n"
                                             "put alerts 0 hot/a raised\n"
                                             "commit 0@1\n"
                                             "lost\n"
                                             "start 0@7\n"
                                             "commit 0@7\n"
                                             "read 0@7\n"
                                             "commit 0@8\n"
                                             "closed\n");
}

static void records_of_an_assignment_that_is_over_are_left_alone(void **state) {
    (void)state;
    static const struct step steps[] = {{START, 0, 3, NULL}, {RECORD, 1, 0, HOT},
                                        {RECORD, 0, 2, HOT}, {STOP, 0, 0, NULL},
                                        {RECORD, 0, 3, HOT}, {LAST, 0, 0, NULL}};
    expect(&(struct script){.steps = steps}, "start 0@3\n"
                                             "commit 0@3\n"
                                             "read 1@0\n"
                                             "read 0@2\n"
                                             "stopped\n"
                                             "read 0@3\n"
                                             "closed\n");
}

/* `quiet` is due a millisecond after the record: it fires when the partition is at its end and the
 * broker in reach, not before. */
static void timers_fire_at_the_end_and_online_only(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 0, 0, NULL},  {RECORD, 0, 0, COLD},  {TICKS, 0, 0, NULL}, {END, 0, 9, NULL},
        {TICKS, 0, 0, NULL},  {OFFLINE, 0, 0, NULL}, {END, 0, 1, NULL},   {TICKS, 0, 0, NULL},
        {ONLINE, 0, 0, NULL}, {LAST, 0, 0, NULL}};
    expect(&(struct script){.steps = steps, .stamp_us = wall_us() - 60000000, .until = "quiet"},
           "start 0@0\n"
           "commit 0@0\n"
           "read 0@0\n"
           "commit 0@1\n"
           "offline\n"
           "online\n"
           "put alerts 0 quiet/a raised\n"
           "commit 0@1\n"
           "closed\n");
}

/* ---- several workers at once ---- */

enum { THREADS = 4, RECORDS = 5000 };

struct one {
    struct script script;
    struct fb_worker_config config;
    struct fb_worker *worker;
    pthread_t thread;
    bool ok;
};

static void *run_one(void *context) {
    struct one *one = context;
    struct fb_err err;
    one->ok = fb_worker_run(one->worker, &err);
    return NULL;
}

/* Nothing but the program is shared; the figures are read from outside while they run. */
static void workers_share_only_the_program(void **state) {
    (void)state;
    static struct step steps[RECORDS + 2];
    static struct one ones[THREADS];
    steps[0] = (struct step){START, 0, 0, NULL};
    for (int i = 0; i < RECORDS; i++)
        steps[i + 1] = (struct step){RECORD, 0, i, i % 2 ? COLD : HOT};
    steps[RECORDS + 1] = (struct step){LAST, 0, 0, NULL};
    for (int i = 0; i < THREADS; i++) {
        ones[i].script = (struct script){.steps = steps, .stamp_us = wall_us() - 60000000};
        ones[i].config = config_of(&ones[i].script);
        ones[i].config.park = fb_park_new(KEEP_US);
        ones[i].worker = fb_worker_new(&ones[i].config);
        assert_int_equal(pthread_create(&ones[i].thread, NULL, run_one, &ones[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_true(atomic_load(&fb_worker_figures(ones[i].worker)->records) <= RECORDS);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(ones[i].thread, NULL);
        assert_true(ones[i].ok);
        assert_int_equal(atomic_load(&fb_worker_figures(ones[i].worker)->records), RECORDS);
        assert_string_equal(fb_buf_terminated(&ones[i].script.log),
                            fb_buf_terminated(&ones[0].script.log));
    }
    for (int i = 0; i < THREADS; i++) {
        fb_worker_free(ones[i].worker);
        fb_park_free(ones[i].config.park);
        fb_buf_free(&ones[i].script.log);
    }
}

/* ---- draining ---- */

static bool no_bounds(struct fb_history *history, const char *topic, int32_t partition,
                      int64_t *first, int64_t *end, struct fb_err *err) {
    (void)history;
    (void)topic;
    (void)partition;
    (void)err;
    *first = *end = 0;
    return true;
}

static void close_history(struct fb_history *history) {
    (void)history;
}

static struct fb_history *open_history(void *context, uint32_t worker, struct fb_err *err) {
    static const struct fb_history_calls calls = {.bounds = no_bounds, .close = close_history};
    static struct fb_history empty = {&calls};
    (void)context;
    (void)worker;
    (void)err;
    return &empty;
}

/* Exactly once; `task` lives as long as the worker. */
static struct fb_worker_config journalled_config_of(struct script *script,
                                                    struct fb_task_config *task) {
    struct fb_worker_config config = config_of(script);
    *task = task_config;
    task->journalled = true;
    task->pace = (struct fb_snapshot_pace){.least_us = INT64_MAX, .most_us = INT64_MAX};
    config.task = task;
    config.build = "test";
    config.open_history = open_history;
    config.topics[FB_STREAM_JOURNAL] = "journal";
    config.topics[FB_STREAM_SNAPSHOT] = "snapshot";
    config.topics[FB_STREAM_AUDIT] = "audit";
    return config;
}

/* Between two assignments a worker has no partitions, but may get its own back: it must not leave
 * them undrained. */
static void who_drains_leaves_when_what_it_was_given_is_drained(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 0, 5, NULL}, {RECORD, 0, 5, HOT}, {STOP, 0, 0, NULL}, {DRAIN, 0, 0, NULL},
        {IDLE, 0, 0, NULL},  {IDLE, 0, 0, NULL},  {IDLE, 0, 0, NULL}, {START, 0, 6, NULL},
        {IDLE, 0, 0, NULL},  {IDLE, 0, 0, NULL},  {IDLE, 0, 0, NULL}, {LAST, 0, 0, NULL}};
    struct script script = {.steps = steps, .stamp_us = wall_us()};
    struct fb_task_config task;
    struct fb_worker_config config = journalled_config_of(&script, &task);
    struct fb_err err;
    config.drain = &script.drain;
    config.park = fb_park_new(KEEP_US);
    struct fb_worker *worker = fb_worker_new(&config);
    assert_true(fb_worker_run(worker, &err));
    assert_true(atomic_load(&fb_worker_figures(worker)->drained));
    const char *log = fb_buf_terminated(&script.log);
    const char *waits = strstr(log, "idle\nidle\nidle\nstart 0@6\n");
    assert_non_null(waits);
    assert_null(strstr(log, "put snapshot 0 B/manifest"));
    assert_non_null(strstr(waits, "put snapshot 0 A/manifest"));
    assert_int_not_equal(script.steps->kind, LAST); /* it left by itself */
    fb_worker_free(worker);
    fb_park_free(config.park);
    fb_buf_free(&script.log);
}

/* ---- the order of what is put ---- */

static const char *play_journalled(struct script *script, bool lines) {
    struct fb_task_config task;
    struct fb_worker_config config = journalled_config_of(script, &task);
    struct fb_err err;
    task.lines = lines;
    config.commit_interval_us = INT64_C(3600) * 1000000;
    config.park = fb_park_new(KEEP_US);
    script->stamp_us = wall_us();
    struct fb_worker *worker = fb_worker_new(&config);
    assert_true(fb_worker_run(worker, &err));
    fb_worker_free(worker);
    fb_park_free(config.park);
    fb_buf_terminated(&script->log);
    for (char *hash; (hash = strstr(script->log.p, "rules/")) != NULL;)
        memmove(hash, hash + 70, strlen(hash + 70) + 1); /* of the rules, in the record's key */
    const char *last = strstr(script->log.p, "read 1@1\n");
    assert_non_null(last);
    return last + strlen("read 1@1\n");
}

static const struct step of_two[] = {
    {START, 0, 0, NULL},  {START, 1, 0, NULL}, {RECORD, 0, 0, HOT}, {RECORD, 0, 1, COLD},
    {RECORD, 1, 0, COLD}, {RECORD, 1, 1, HOT}, {LAST, 0, 0, NULL}};

/* So that a transaction can ask for all its partitions in one request. Each topic's order stays. */
static void what_is_the_first_in_its_topic_and_partition_is_put_before_all_others(void **state) {
    (void)state;
    struct script script = {.steps = of_two};
    assert_string_equal(play_journalled(&script, false), "put alerts 0 hot/a raised\n"
                                                         "put audit 0 t/0\n"
                                                         "put journal 0 \n"
                                                         "put snapshot 0 \n"
                                                         "put alerts 1 hot/a raised\n"
                                                         "put audit 1 t/1\n"
                                                         "put journal 1 \n"
                                                         "put snapshot 1 \n"
                                                         "put audit 0 t/0 raised\n"
                                                         "put alerts 0 hot/a cleared\n"
                                                         "put audit 0 t/0 cleared\n"
                                                         "put audit 1 t/1 raised\n"
                                                         "commit 0@2\n"
                                                         "commit 1@2\n"
                                                         "closed\n");
    fb_buf_free(&script.log);
}

static void lines_are_put_in_the_order_in_which_they_came(void **state) {
    (void)state;
    struct script script = {.steps = of_two};
    assert_string_equal(play_journalled(&script, true), "put audit 0 \n"
                                                        "put alerts 0  raised\n"
                                                        "put audit 0  raised\n"
                                                        "put alerts 0  cleared\n"
                                                        "put audit 0  cleared\n"
                                                        "put snapshot 0 \n"
                                                        "put journal 0 \n"
                                                        "put audit 1 \n"
                                                        "put alerts 1  raised\n"
                                                        "put audit 1  raised\n"
                                                        "put snapshot 1 \n"
                                                        "put journal 1 \n"
                                                        "commit 0@2\n"
                                                        "commit 1@2\n"
                                                        "closed\n");
    fb_buf_free(&script.log);
}

/* A vent with a topic of its own beside a fan, for which two controls ask. */
static const char commanding[] =
    "device m from \"in\" { key id  time arrival  temp: number [degC] }\n"
    "actuator fan on m : (off, on) { safe off  minimum on 0s, off 0s }\n"
    "actuator vent on m : (off, on) { to \"vents\"  safe off  minimum on 0s, off 0s }\n"
    "control cool on m {\n"
    "  start when temp > 80 degC until temp < 70 degC\n"
    "  command fan = on  command vent = on  rollout armed\n"
    "}\n"
    "control dry on m { start when temp > 75 degC  command vent = on at priority 16 }\n";

static bool play_commanding(struct script *script, uint32_t n_also, struct fb_err *err) {
    static const char *const also[] = {"others", "vents"};
    struct fb_task_config task;
    struct fb_worker_config config = journalled_config_of(script, &task);
    struct fb_bundle_settings settings = {.max_skew_us = 600000000};
    config.bundle = bundle_of_text(commanding, &settings);
    config.topics[FB_STREAM_COMMANDS] = "commands";
    config.topics[FB_STREAM_SHADOW] = "shadow";
    config.also = also;
    config.n_also = n_also;
    config.park = fb_park_new(KEEP_US);
    script->stamp_us = wall_us();
    struct fb_worker *worker = fb_worker_new(&config);
    bool ok = fb_worker_run(worker, err);
    fb_worker_free(worker);
    fb_park_free(config.park);
    fb_bundle_drop(config.bundle);
    fb_buf_terminated(&script->log);
    return ok;
}

static void commands_are_put_into_the_topic_that_they_name(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 0, 0, NULL}, {RECORD, 0, 0, HOT}, {RECORD, 0, 1, COLD}, {LAST, 0, 0, NULL}};
    struct script script = {.steps = steps};
    struct fb_err err = {0};
    assert_true(play_commanding(&script, 2, &err));
    assert_non_null(strstr(script.log.p, "put commands 0 fan/a\n"));
    assert_non_null(strstr(script.log.p, "put vents 0 vent/a\n"));
    assert_non_null(strstr(script.log.p, "put shadow 0 vent/a\n"));
    assert_null(strstr(script.log.p, "put commands 0 vent/a\n"));
    assert_null(strstr(script.log.p, "put others"));
    fb_buf_free(&script.log);
}

/* As rules that an instance restores may, before it changes them. */
static void a_topic_that_is_not_allowed_ends_the_worker_without_a_commit(void **state) {
    (void)state;
    static const struct step steps[] = {
        {START, 0, 0, NULL}, {RECORD, 0, 0, HOT}, {LAST, 0, 0, NULL}};
    struct script script = {.steps = steps};
    struct fb_err err = {0};
    assert_false(play_commanding(&script, 1, &err));
    assert_int_equal(err.kind, FB_FATAL);
    assert_non_null(strstr(err.text, "command the topic 'vents', which is not in "
                                     "topics.commands.also"));
    assert_null(strstr(script.log.p, "vents"));
    fb_buf_free(&script.log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_safe_before_positions_are_committed),
        cmocka_unit_test(nothing_is_read_while_outputs_are_not_acknowledged),
        cmocka_unit_test(a_sink_that_begins_anew_gets_the_same_again),
        cmocka_unit_test(a_sink_that_fails_ends_the_worker_without_a_commit),
        cmocka_unit_test(outputs_without_room_end_the_worker_without_a_commit),
        cmocka_unit_test(a_commit_that_is_refused_is_made_up_for),
        cmocka_unit_test(a_task_that_comes_back_goes_on),
        cmocka_unit_test(a_task_goes_on_in_another_worker),
        cmocka_unit_test(a_task_that_waited_too_long_is_given_up),
        cmocka_unit_test(a_task_whose_commit_was_lost_goes_on_where_it_stands),
        cmocka_unit_test(a_task_that_was_overtaken_begins_anew),
        cmocka_unit_test(records_of_an_assignment_that_is_over_are_left_alone),
        cmocka_unit_test(timers_fire_at_the_end_and_online_only),
        cmocka_unit_test(who_drains_leaves_when_what_it_was_given_is_drained),
        cmocka_unit_test(what_is_the_first_in_its_topic_and_partition_is_put_before_all_others),
        cmocka_unit_test(lines_are_put_in_the_order_in_which_they_came),
        cmocka_unit_test(commands_are_put_into_the_topic_that_they_name),
        cmocka_unit_test(a_topic_that_is_not_allowed_ends_the_worker_without_a_commit),
        cmocka_unit_test(workers_share_only_the_program),
    };
    return cmocka_run_group_tests(tests, compile, clean_up);
}
