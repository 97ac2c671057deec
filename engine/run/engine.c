/* The live engine: workers, signals, the state of affairs in the log. */
#include "engine/run/engine.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connectors/kafka_sink.h"
#include "connectors/kafka_source.h"
#include "connectors/pipe.h"
#include "engine/base/arena.h"
#include "engine/base/log.h"
#include "engine/run/config.h"
#include "engine/run/routes.h"
#include "engine/run/topics.h"
#include "engine/run/worker.h"

enum { REPORT_S = 10, LOOK_MS = 100, FORCED_STATUS = 3, PARK_US = 600 * 1000000 };

struct engine;

struct thread {
    struct engine *engine;
    pthread_t id;
    bool running;
    struct fb_worker_config config;
    struct fb_worker *worker;
    char member[512]; /* the consumer's identity */
    struct fb_kafka_source_config source;
    struct fb_err err;
    bool ok;
    atomic_bool done;
};

struct engine {
    const struct fb_engine_options *options;
    struct fb_routes routes;
    struct fb_task_config task;
    struct fb_park *park;
    struct fb_kafka_setting *settings;
    const char **inputs; /* the routes' topics */
    struct fb_topics topics;
    struct fb_kafka_health health;
    struct fb_kafka_sink_config sink;
    struct thread *threads;
    uint32_t n_threads;
    atomic_bool stop;
};

/* ---- ends of the workers ---- */

static struct fb_record_source *open_source(void *context, uint32_t worker,
                                            const struct fb_record_source_events *events,
                                            void *owner, struct fb_err *err) {
    struct engine *engine = context;
    if (engine->options->input)
        return fb_pipe_source_open(engine->options->input, engine->routes.items[0].topic, events,
                                   owner, err);
    return fb_kafka_source_open(&engine->threads[worker].source, events, owner, err);
}

static struct fb_sink *open_sink(void *context, uint32_t worker, struct fb_err *err) {
    (void)worker;
    struct engine *engine = context;
    if (engine->options->output)
        return fb_pipe_sink_open(engine->options->output, err);
    return fb_kafka_sink_open(&engine->sink, err);
}

/* ---- set-up ---- */

static struct fb_kafka_settings settings_of(struct engine *engine) {
    uint32_t n = fb_config_n_kafka(engine->options->config);
    if (!engine->settings) {
        engine->settings = fb_alloc((n + 1) * sizeof *engine->settings);
        for (uint32_t i = 0; i < n; i++)
            fb_config_kafka(engine->options->config, i, &engine->settings[i].name,
                            &engine->settings[i].value);
    }
    return (struct fb_kafka_settings){engine->settings, n};
}

/* The topic of a pipe: the one that is named, or the only one of the rules. */
static bool route_pipe(struct engine *engine, struct fb_err *err) {
    const char *topic = engine->options->input_topic;
    struct fb_routes all = fb_routes_of(engine->options->program);
    bool ok = true;
    if (!topic && all.n > 1)
        ok = fb_fail(err, FB_FATAL,
                     "the rules read %u topics (%s, %s ..): say which one the input is, as in "
                     "--input %s=-",
                     all.n, all.items[0].topic, all.items[1].topic, all.items[0].topic);
    else
        engine->routes = fb_routes_to(engine->options->program, topic   ? topic
                                                                : all.n ? all.items[0].topic
                                                                        : "input");
    if (ok && engine->routes.n == 0)
        ok = fb_fail(err, FB_FATAL, "no device of the rules reads the topic '%s'",
                     topic ? topic : "input");
    fb_routes_free(&all);
    return ok;
}

static bool route_kafka(struct engine *engine, struct fb_err *err) {
    engine->routes = fb_routes_of(engine->options->program);
    if (engine->routes.n == 0)
        return fb_fail(
            err, FB_FATAL,
            "the rules do not say which topics to read: write device NAME from \"TOPIC\"");
    return true;
}

/* Of outputs that are too much for memory. */
static const char *temporary_folder(const struct fb_config *config) {
    const char *state = fb_config_text(config, FB_KEY_STATE_DIR), *temporary = getenv("TMPDIR");
    return state[0] ? state : temporary && temporary[0] ? temporary : "/tmp";
}

static bool set_up(struct engine *engine, struct fb_err *err) {
    const struct fb_engine_options *options = engine->options;
    const struct fb_config *config = options->config;
    if (!(options->input ? route_pipe(engine, err) : route_kafka(engine, err)))
        return false;
    engine->inputs = fb_alloc(engine->routes.n * sizeof *engine->inputs);
    for (uint32_t i = 0; i < engine->routes.n; i++)
        engine->inputs[i] = engine->routes.items[i].topic;
    engine->task = (struct fb_task_config){
        .program = options->program,
        .routes = &engine->routes,
        .application = fb_str_of(fb_config_text(config, FB_KEY_APPLICATION_ID)),
        .max_age_us = fb_config_number(config, FB_KEY_MAX_AGE_MS) * 1000,
        .core = {.max_skew_us = fb_config_number(config, FB_KEY_MAX_SKEW_MS) * 1000,
                 .devices_max = (uint32_t)fb_config_number(config, FB_KEY_DEVICES_MAX)},
        .room = {.memory_max = FB_BATCH_MEMORY_MAX, .folder = temporary_folder(config)},
        .lines = options->output != NULL};
    if (options->input && options->output)
        return true;
    struct fb_topics_wanted wanted = {.settings = settings_of(engine),
                                      .program = options->program,
                                      .inputs = options->input ? NULL : engine->inputs,
                                      .n_inputs = options->input ? 0 : engine->routes.n,
                                      .write = options->output == NULL,
                                      .config = config};
    if (!fb_topics_prepare(&wanted, &engine->topics, err))
        return false;
    engine->sink = (struct fb_kafka_sink_config){.settings = settings_of(engine),
                                                 .topics = engine->topics.names,
                                                 .partitions = engine->topics.partitions,
                                                 .n_topics = FB_STREAMS,
                                                 .health = &engine->health};
    return true;
}

static void make_thread(struct engine *engine, uint32_t i) {
    const struct fb_config *config = engine->options->config;
    struct thread *thread = &engine->threads[i];
    thread->engine = engine;
    snprintf(thread->member, sizeof thread->member, "%s-%s-%u",
             fb_config_text(config, FB_KEY_APPLICATION_ID),
             fb_config_text(config, FB_KEY_INSTANCE_ID), i);
    thread->source = (struct fb_kafka_source_config){
        .settings = settings_of(engine),
        .group = fb_config_text(config, FB_KEY_APPLICATION_ID),
        .member = thread->member,
        .topics = engine->inputs,
        .n_topics = engine->routes.n,
        .from_earliest = fb_config_is(config, FB_KEY_START_FROM, "earliest"),
        .stop = &engine->stop,
        .health = &engine->health};
    thread->config = (struct fb_worker_config){
        .task = &engine->task,
        .park = engine->park,
        .commit_interval_us = fb_config_number(config, FB_KEY_COMMIT_INTERVAL_MS) * 1000,
        .open_source = open_source,
        .open_sink = open_sink,
        .context = engine,
        .worker = i,
        .stop = &engine->stop};
    for (int s = 0; s < FB_STREAMS; s++)
        thread->config.topics[s] = engine->topics.names[s];
    thread->worker = fb_worker_new(&thread->config);
}

static void *thread_main(void *context) {
    struct thread *thread = context;
    thread->ok = fb_worker_run(thread->worker, &thread->err);
    atomic_store(&thread->done, true);
    return NULL;
}

/* ---- the engine's own thread ---- */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct report {
    int64_t at_ms;
    uint64_t records;
};

static void report(const struct engine *engine, struct report *last, bool final) {
    uint64_t records = 0, alerts = 0, late = 0, dead = 0;
    int64_t lag = 0;
    unsigned waiting = 0;
    for (uint32_t i = 0; i < engine->n_threads; i++) {
        const struct fb_worker_figures *figures = fb_worker_figures(engine->threads[i].worker);
        records += atomic_load(&figures->records);
        alerts += atomic_load(&figures->alerts);
        late += atomic_load(&figures->late);
        dead += atomic_load(&figures->dead);
        lag += atomic_load(&figures->lag);
        waiting += atomic_load(&figures->waiting);
    }
    int64_t now = now_ms(), span_ms = now - last->at_ms > 0 ? now - last->at_ms : 1;
    char note[64] = "";
    if (waiting)
        snprintf(note, sizeof note, "; %u worker%s for acknowledgements", waiting,
                 waiting == 1 ? " waits" : "s wait");
    fb_log(FB_LOG_INFO,
           "%s%llu records/s, lag %lld; since the start %llu records, %llu alerts, %llu late, %llu "
           "dead letters%s",
           final ? "stopped: " : "",
           (unsigned long long)(records - last->records) * 1000 / (unsigned long long)span_ms,
           (long long)lag, (unsigned long long)records, (unsigned long long)alerts,
           (unsigned long long)late, (unsigned long long)dead, note);
    *last = (struct report){now, records};
}

static bool any_over(const struct engine *engine, bool *failed) {
    bool over = false;
    for (uint32_t i = 0; i < engine->n_threads; i++)
        if (atomic_load(&engine->threads[i].done)) {
            over = true;
            *failed |= !engine->threads[i].ok;
        }
    return over;
}

static bool all_over(const struct engine *engine) {
    for (uint32_t i = 0; i < engine->n_threads; i++)
        if (engine->threads[i].running && !atomic_load(&engine->threads[i].done))
            return false;
    return true;
}

/* Until all workers are over. */
static void watch(struct engine *engine, const sigset_t *signals) {
    struct report last = {now_ms(), 0};
    const struct timespec look = {0, LOOK_MS * 1000000L};
    while (!all_over(engine)) {
        int signal = sigtimedwait(signals, NULL, &look);
        bool failed = false;
        if (signal > 0 && atomic_load(&engine->stop)) {
            fb_log(FB_LOG_WARN, "a second signal: ended without a commit");
            _exit(FORCED_STATUS);
        }
        if (signal > 0) {
            fb_log(FB_LOG_INFO, "%s: draining and committing; a second one ends at once",
                   signal == SIGINT ? "SIGINT" : "SIGTERM");
            atomic_store(&engine->stop, true);
        }
        if (any_over(engine, &failed))
            atomic_store(&engine->stop, true);
        if (now_ms() - last.at_ms >= REPORT_S * 1000)
            report(engine, &last, false);
    }
    report(engine, &last, true);
}

static bool start(struct engine *engine, struct fb_err *err) {
    for (uint32_t i = 0; i < engine->n_threads; i++)
        make_thread(engine, i);
    for (uint32_t i = 0; i < engine->n_threads; i++) {
        struct thread *thread = &engine->threads[i];
        int code = pthread_create(&thread->id, NULL, thread_main, thread);
        if (code) {
            atomic_store(&engine->stop, true);
            return fb_fail(err, FB_FATAL, "cannot start a thread: %s", strerror(code));
        }
        thread->running = true;
    }
    fb_log(FB_LOG_INFO, "application %s: %u worker%s, %u input topic%s",
           fb_config_text(engine->options->config, FB_KEY_APPLICATION_ID), engine->n_threads,
           engine->n_threads == 1 ? "" : "s", engine->routes.n, engine->routes.n == 1 ? "" : "s");
    return true;
}

/* Joins the workers; the first failure is the engine's. */
static bool finish(struct engine *engine, struct fb_err *err) {
    bool ok = true;
    for (uint32_t i = 0; i < engine->n_threads; i++) {
        struct thread *thread = &engine->threads[i];
        if (!thread->running)
            continue;
        pthread_join(thread->id, NULL);
        if (!thread->ok && ok)
            *err = thread->err;
        ok &= thread->ok;
    }
    return ok;
}

static void free_engine(struct engine *engine) {
    for (uint32_t i = 0; i < engine->n_threads; i++)
        fb_worker_free(engine->threads[i].worker);
    free(engine->threads);
    fb_park_free(engine->park);
    free(engine->inputs);
    free(engine->settings);
    fb_routes_free(&engine->routes);
}

enum fb_engine_end fb_engine_run(const struct fb_engine_options *options, struct fb_err *err) {
    struct engine engine = {.options = options, .park = fb_park_new(PARK_US)};
    enum fb_engine_end end = FB_ENGINE_DONE;
    sigset_t signals, before;
    *err = (struct fb_err){0};
    if (!set_up(&engine, err)) {
        free_engine(&engine);
        return err->kind == FB_RETRIABLE ? FB_ENGINE_FAILED : FB_ENGINE_WRONG;
    }
    /* Blocked before there are threads: only `watch` takes them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    engine.n_threads =
        options->input ? 1 : (uint32_t)fb_config_number(options->config, FB_KEY_WORKERS);
    engine.threads = fb_alloc(engine.n_threads * sizeof *engine.threads);
    bool ok = start(&engine, err);
    watch(&engine, &signals);
    ok &= finish(&engine, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free_engine(&engine);
    return ok ? end : FB_ENGINE_FAILED;
}
