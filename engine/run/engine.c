/* The live engine: workers, signals, the state of affairs in the log. */
#include "engine/run/engine.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connectors/kafka_history.h"
#include "connectors/kafka_sink.h"
#include "connectors/kafka_source.h"
#include "connectors/kafka_txn_sink.h"
#include "connectors/pipe.h"
#include "connectors/state_dir.h"
#include "engine/base/arena.h"
#include "engine/base/log.h"
#include "engine/run/config.h"
#include "engine/run/control.h"
#include "engine/run/deployed.h"
#include "engine/run/kafka_settings.h"
#include "engine/run/routes.h"
#include "engine/run/status.h"
#include "engine/run/topics.h"
#include "engine/run/worker.h"

enum { REPORT_S = 10, LOOK_MS = 100, FORCED_STATUS = 3, PARK_US = 600 * 1000000, STATUS_MS = 5000 };

struct engine;

struct thread {
    struct engine *engine;
    pthread_t id;
    bool running;
    struct fb_worker_config config;
    struct fb_worker *worker;
    char member[512]; /* the consumer's identity */
    struct fb_kafka_source_config source;
    struct fb_kafka_txn_sink_config sink; /* exactly once */
    struct fb_err err;
    bool ok;
    atomic_bool done;
};

struct engine {
    const struct fb_engine_options *options;
    struct fb_bundle *bundle;
    char pipe_name[256];
    const char *pipe_topic; /* NULL: Kafka */
    struct fb_task_config task;
    struct fb_park *park;
    struct fb_crumbs *crumbs;
    struct fb_board *board;
    struct fb_sink *status_sink; /* NULL: there is no status topic */
    struct fb_kafka_sink_config status_topic;
    struct fb_status *status;
    struct fb_deployed *deployed; /* NULL: rules come by --rules only */
    struct fb_control *control;   /* NULL: there are no operators' calls */
    bool unusable;                /* the folder of the state: locked, damaged, of another version */
    struct fb_state_dir *state;   /* of a pipe or file with a state.dir; NULL: none */
    struct fb_kafka_settings settings;
    const char **inputs; /* the routes' topics */
    struct fb_topics topics;
    struct fb_kafka_health health;
    struct fb_kafka_sink_config sink;
    const char *written[FB_STREAM_STATUS + FB_COMMANDED_MAX]; /* the sink's topics */
    int32_t written_partitions[FB_STREAM_STATUS + FB_COMMANDED_MAX];
    struct thread *threads;
    const char **members; /* of the threads */
    uint32_t n_threads;
    atomic_bool stop;
    atomic_int drain; /* enum fb_drain */
};

static struct fb_kafka_settings settings_of(struct engine *engine) {
    if (!engine->settings.items)
        engine->settings = fb_kafka_settings_of(engine->options->config);
    return engine->settings;
}

/* ---- ends of the workers ---- */

/* What is written as lines has no topics; a state folder still tells its records by them. */
static const char *const line_topics[FB_STREAMS] = {
    "alerts", "late", "dead", "audit", "commands", "shadow", "journal", "snapshot", "status"};

static struct fb_record_source *open_source(void *context, uint32_t worker,
                                            const struct fb_record_source_events *events,
                                            void *owner, struct fb_err *err) {
    struct engine *engine = context;
    if (engine->options->input)
        return fb_pipe_source_open(engine->options->input, engine->pipe_topic, events, owner, err);
    return fb_kafka_source_open(&engine->threads[worker].source, events, owner, err);
}

/* Journal and snapshots in state.dir, all other outputs behind what the file holds already. */
static struct fb_sink *open_state_sink(struct engine *engine, struct fb_err *err) {
    struct fb_state_marks marks;
    struct fb_sink *inner = fb_pipe_sink_open_behind(engine->options->output, &marks, err);
    if (!inner)
        return NULL;
    return fb_state_sink_open(engine->state, inner, &marks, line_topics[FB_STREAM_JOURNAL],
                              line_topics[FB_STREAM_SNAPSHOT], err);
}

static struct fb_sink *open_sink(void *context, uint32_t worker, struct fb_err *err) {
    struct engine *engine = context;
    if (engine->state)
        return open_state_sink(engine, err);
    if (engine->options->output)
        return fb_pipe_sink_open(engine->options->output, err);
    if (engine->task.journalled)
        return fb_kafka_txn_sink_open(&engine->threads[worker].sink, err);
    return fb_kafka_sink_open(&engine->sink, err);
}

static struct fb_history *open_history(void *context, uint32_t worker, struct fb_err *err) {
    (void)worker;
    struct engine *engine = context;
    if (engine->state) {
        struct fb_history_topics topics = {.journal = line_topics[FB_STREAM_JOURNAL],
                                           .snapshot = line_topics[FB_STREAM_SNAPSHOT],
                                           .input = engine->pipe_topic,
                                           .input_path = fb_pipe_file(engine->options->input)};
        return fb_state_history_open(engine->state, &topics, err);
    }
    struct fb_kafka_settings settings = settings_of(engine);
    return fb_kafka_history_open(&settings, &engine->stop, err);
}

/* ---- set-up ---- */

/* The topic of a pipe: the one that is named, or the only one of the rules. */
static bool name_pipe(struct engine *engine, struct fb_err *err) {
    const char *topic = engine->options->input_topic;
    struct fb_routes all = fb_routes_of(engine->options->compiled->program);
    bool ok = true;
    if (!topic && all.n > 1)
        ok = fb_fail(err, FB_FATAL,
                     "the rules read %u topics (%s, %s ..): say which one the input is, as in "
                     "--input %s=-",
                     all.n, all.items[0].topic, all.items[1].topic, all.items[0].topic);
    else
        snprintf(engine->pipe_name, sizeof engine->pipe_name, "%s",
                 topic   ? topic
                 : all.n ? all.items[0].topic
                         : "input");
    engine->pipe_topic = engine->pipe_name;
    fb_routes_free(&all);
    return ok;
}

static bool make_bundle(struct engine *engine, struct fb_err *err) {
    struct fb_bundle_settings settings = fb_bundle_settings_of(engine->options->config);
    if (engine->options->input && !name_pipe(engine, err))
        return false;
    engine->bundle = fb_bundle_of(engine->options->compiled, &settings, engine->pipe_topic);
    if (engine->bundle->routes.n > FB_JOURNAL_INPUTS_MAX)
        return fb_fail(err, FB_FATAL, "the rules read %u topics; at most %d are possible",
                       engine->bundle->routes.n, FB_JOURNAL_INPUTS_MAX);
    if (engine->bundle->routes.n == 0 && engine->options->input)
        return fb_fail(err, FB_FATAL, "no device of the rules reads the topic '%s'",
                       engine->pipe_topic);
    if (engine->bundle->routes.n == 0)
        return fb_fail(
            err, FB_FATAL,
            "the rules do not say which topics to read: write device NAME from \"TOPIC\"");
    bool reads_what_it_writes = !engine->options->input && !engine->options->output;
    const struct fb_program *program = engine->bundle->program;
    return (!reads_what_it_writes ||
            fb_topics_are_of_others(engine->options->config, program, err)) &&
           (engine->options->output ||
            fb_topics_may_be_commanded(engine->options->config, program, err));
}

/* What need not outlive the machine goes to state.dir too, where there is one. */
static const char *temporary_folder(const struct fb_config *config) {
    const char *state = fb_config_text(config, FB_KEY_STATE_DIR), *temporary = getenv("TMPDIR");
    return state[0] ? state : temporary && temporary[0] ? temporary : "/tmp";
}

/* Only where records are numbered for good: those of a pipe can not be recognised again. */
static bool open_crumbs(struct engine *engine, struct fb_err *err) {
    const struct fb_config *config = engine->options->config;
    const char *folder = fb_config_text(config, FB_KEY_STATE_DIR);
    char shared[4096], name[512];
    snprintf(shared, sizeof shared, "%s/flyball-%ld", temporary_folder(config), (long)getuid());
    snprintf(name, sizeof name, "%s-%s", fb_config_text(config, FB_KEY_APPLICATION_ID),
             fb_config_text(config, FB_KEY_INSTANCE_ID));
    engine->crumbs = fb_crumbs_open(*folder ? folder : shared, name,
                                    (uint32_t)fb_config_number(config, FB_KEY_WORKERS), err);
    struct fb_crash crash;
    for (uint32_t i = 0; engine->crumbs && fb_crumbs_crash(engine->crumbs, i, &crash); i++)
        fb_log(FB_LOG_WARN,
               "the process ended while it took the record at [%d]@%lld (%u time%s in a row)",
               crash.partition, (long long)crash.offset, crash.times, crash.times == 1 ? "" : "s");
    return engine->crumbs != NULL;
}

/* From Kafka to Kafka, or from file to file with a folder for the state. */
static bool is_exactly_once(const struct engine *engine) {
    const struct fb_engine_options *options = engine->options;
    bool lines = options->input && options->output;
    if (!options->input != !options->output ||
        !fb_config_is(options->config, FB_KEY_GUARANTEE, "exactly_once"))
        return false;
    return !lines || fb_config_text(options->config, FB_KEY_STATE_DIR)[0];
}

/* No command goes out without the audit that explains it, in the same commit; and after a restart
 * nothing is remembered that a guardrail asks. */
static bool may_command(const struct engine *engine, struct fb_err *err) {
    const struct fb_program *program = engine->bundle->program;
    for (uint32_t i = 0; i < program->n_classes && !engine->task.journalled; i++)
        if (program->classes[i].n_claims)
            return fb_fail(err, FB_FATAL,
                           "the rules have controls, of device %.*s: they need "
                           "processing.guarantee = exactly_once, from Kafka to Kafka, or from one "
                           "pipe or file to another with state.dir; `flyball replay` and `flyball "
                           "test` need neither",
                           FB_ARG(program->classes[i].name));
    return true;
}

static bool open_state(struct engine *engine, struct fb_err *err) {
    const struct fb_config *config = engine->options->config;
    struct fb_state_place place = {.root = fb_config_text(config, FB_KEY_STATE_DIR),
                                   .application = fb_config_text(config, FB_KEY_APPLICATION_ID),
                                   .partition = -1};
    engine->state = fb_state_dir_open(&place, err);
    engine->unusable = engine->state == NULL;
    return engine->state != NULL;
}

/* Its own producer: the status tells of transactions that do not come about. */
static bool open_status(struct engine *engine, struct fb_err *err) {
    const struct fb_config *config = engine->options->config;
    engine->status_topic =
        (struct fb_kafka_sink_config){.settings = settings_of(engine),
                                      .topics = &engine->topics.names[FB_STREAM_STATUS],
                                      .partitions = &engine->topics.partitions[FB_STREAM_STATUS],
                                      .n_topics = 1,
                                      .health = &engine->health};
    engine->status_sink = fb_kafka_sink_open(&engine->status_topic, err);
    if (!engine->status_sink)
        return false;
    struct fb_status_config status = {.topic = engine->topics.names[FB_STREAM_STATUS],
                                      .application = fb_config_text(config, FB_KEY_APPLICATION_ID),
                                      .instance = fb_config_text(config, FB_KEY_INSTANCE_ID),
                                      .build = engine->options->build,
                                      .board = engine->board,
                                      .sink = engine->status_sink};
    engine->status = fb_status_new(&status);
    return true;
}

/* The rules that were deployed, if any. */
static bool open_deployed(struct engine *engine, struct fb_err *err) {
    struct fb_kafka_settings settings = settings_of(engine);
    struct fb_deployed_config deployed = {
        .topic = fb_config_text(engine->options->config, FB_KEY_TOPICS_RULES),
        .history = fb_kafka_history_open(&settings, &engine->stop, err),
        .config = engine->options->config,
        .bundle = engine->bundle,
        .board = engine->board,
        .is_absent = !engine->topics.rules_are_there,
        .stop = &engine->stop};
    if (deployed.history)
        engine->deployed = fb_deployed_open(&deployed, err);
    return engine->deployed != NULL;
}

/* What was killed must be known before anything is commanded. */
static bool open_control(struct engine *engine, struct fb_err *err) {
    struct fb_kafka_settings settings = settings_of(engine);
    struct fb_control_config control = {
        .topic = fb_config_text(engine->options->config, FB_KEY_TOPICS_CONTROL),
        .history = fb_kafka_history_open(&settings, &engine->stop, err),
        .stop = &engine->stop};
    if (control.history)
        engine->control = fb_control_open(&control, err);
    return engine->control != NULL;
}

/* What the workers write: all streams but the status, then the other topics of commands. */
static struct fb_kafka_sink_config sink_of(struct engine *engine) {
    const struct fb_topics *topics = &engine->topics;
    uint32_t n = engine->task.journalled ? FB_STREAM_STATUS : FB_STREAM_AUDIT;
    for (uint32_t i = 0; i < n; i++) {
        engine->written[i] = topics->names[i];
        engine->written_partitions[i] = topics->partitions[i];
    }
    for (uint32_t i = 0; i < topics->n_also; i++, n++) {
        engine->written[n] = topics->also[i];
        engine->written_partitions[n] = topics->also_partitions[i];
    }
    return (struct fb_kafka_sink_config){.settings = settings_of(engine),
                                         .topics = engine->written,
                                         .partitions = engine->written_partitions,
                                         .n_topics = n,
                                         .health = &engine->health};
}

static bool set_up(struct engine *engine, struct fb_err *err) {
    const struct fb_engine_options *options = engine->options;
    const struct fb_config *config = options->config;
    if (!make_bundle(engine, err))
        return false;
    const struct fb_routes *routes = &engine->bundle->routes;
    engine->inputs = fb_alloc(routes->n * sizeof *engine->inputs);
    for (uint32_t i = 0; i < routes->n; i++)
        engine->inputs[i] = routes->items[i].topic;
    engine->task = (struct fb_task_config){
        .application = fb_str_of(fb_config_text(config, FB_KEY_APPLICATION_ID)),
        .room = {FB_BATCH_MEMORY_MAX, temporary_folder(config)},
        .lines = options->output != NULL,
        .journalled = is_exactly_once(engine),
        .stamp_by_wall = options->input != NULL,
        .keep_bytes = options->input && !fb_pipe_file(options->input),
        .pace = {.least_us = fb_config_number(config, FB_KEY_SNAPSHOT_MIN_MS) * 1000,
                 .most_us = fb_config_number(config, FB_KEY_SNAPSHOT_MAX_MS) * 1000}};
    if (!may_command(engine, err) || (!options->input && !open_crumbs(engine, err)))
        return false;
    if (options->input && options->output)
        return !engine->task.journalled || open_state(engine, err);
    struct fb_topics_wanted wanted = {.settings = settings_of(engine),
                                      .program = engine->bundle->program,
                                      .inputs = options->input ? NULL : engine->inputs,
                                      .n_inputs = options->input ? 0 : routes->n,
                                      .write = options->output == NULL,
                                      .exactly_once = engine->task.journalled,
                                      .config = config};
    if (!fb_topics_prepare(&wanted, &engine->topics, err))
        return false;
    engine->sink = sink_of(engine);
    return !engine->task.journalled || (open_deployed(engine, err) && open_control(engine, err) &&
                                        open_status(engine, err));
}

static void make_thread(struct engine *engine, uint32_t i) {
    const struct fb_config *config = engine->options->config;
    struct thread *thread = &engine->threads[i];
    thread->engine = engine;
    snprintf(thread->member, sizeof thread->member, "%s-%s-%u",
             fb_config_text(config, FB_KEY_APPLICATION_ID),
             fb_config_text(config, FB_KEY_INSTANCE_ID), i);
    engine->members[i] = thread->member;
    thread->source = (struct fb_kafka_source_config){
        .settings = settings_of(engine),
        .group = fb_config_text(config, FB_KEY_APPLICATION_ID),
        .member = thread->member,
        .kin = engine->members,
        .n_kin = engine->n_threads,
        .topics = engine->inputs,
        .n_topics = engine->bundle->routes.n,
        .from_earliest = fb_config_is(config, FB_KEY_START_FROM, "earliest"),
        .stop = &engine->stop,
        .health = &engine->health};
    thread->sink = (struct fb_kafka_txn_sink_config){.sink = engine->sink,
                                                     .transactional_id = thread->member,
                                                     .group = thread->source.group,
                                                     .stop = &engine->stop};
    thread->config = (struct fb_worker_config){
        .task = &engine->task,
        .bundle = engine->bundle,
        .deployed = engine->deployed,
        .control = engine->control,
        .also = engine->topics.also,
        .n_also = engine->topics.n_also,
        .pipe_topic = engine->pipe_topic,
        .build = engine->options->build,
        .owner = thread->member,
        .time = &fb_machine_time,
        .crumbs = engine->crumbs,
        .board = engine->board,
        .park = engine->park,
        .commit_interval_us = fb_config_number(config, FB_KEY_COMMIT_INTERVAL_MS) * 1000,
        .open_source = open_source,
        .open_sink = open_sink,
        .open_history = open_history,
        .context = engine,
        .worker = i,
        .stop = &engine->stop,
        .drain = engine->deployed ? &engine->drain : NULL};
    thread->config.last_is_unfinished = engine->state && fb_state_unfinished(engine->state) >= 0;
    for (int s = 0; s < FB_STREAMS; s++)
        thread->config.topics[s] =
            engine->options->output ? line_topics[s] : engine->topics.names[s];
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
    return fb_now_us(&fb_machine_time) / 1000;
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

static bool drains(const struct engine *engine) {
    return atomic_load(&engine->drain) != FB_DRAIN_NOT;
}

/* Somebody asked for it: workers take nothing more, and leave when all of them are done. */
static void look_at_drain(struct engine *engine) {
    if (!engine->deployed || !fb_deployed_drains(engine->deployed))
        return;
    if (!drains(engine)) {
        fb_log(FB_LOG_INFO, "asked to drain: nothing more is taken, a snapshot of all state is "
                            "made");
        atomic_store(&engine->drain, FB_DRAIN_WANTED);
    }
    for (uint32_t i = 0; i < engine->n_threads; i++)
        if (!atomic_load(&fb_worker_figures(engine->threads[i].worker)->drained))
            return;
    atomic_store(&engine->drain, FB_DRAIN_LEAVE);
}

/* All workers have left by themselves. */
static void tell_drained(struct engine *engine) {
    unsigned partitions = 0, halted = 0;
    for (uint32_t i = 0; i < engine->n_threads; i++) {
        const struct fb_worker_figures *figures = fb_worker_figures(engine->threads[i].worker);
        if (!engine->threads[i].ok || !atomic_load(&figures->drained))
            return;
        partitions += atomic_load(&figures->partitions);
        halted += atomic_load(&figures->halted);
    }
    fb_log(FB_LOG_INFO,
           "drained: all state of %u partition%s is in snapshots, the next start goes on from them"
           "%s",
           partitions - halted, partitions - halted == 1 ? "" : "s",
           halted ? "; what is halted stays as it is" : "");
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
        if (any_over(engine, &failed) && (failed || !drains(engine)))
            atomic_store(&engine->stop, true);
        if (!atomic_load(&engine->stop))
            look_at_drain(engine);
        if (engine->status)
            fb_status_tell(engine->status, fb_wall_us(&fb_machine_time));
        if (now_ms() - last.at_ms >= REPORT_S * 1000)
            report(engine, &last, false);
    }
    report(engine, &last, true);
    if (drains(engine) && !atomic_load(&engine->stop))
        tell_drained(engine);
    if (engine->status)
        fb_status_tell(engine->status, fb_wall_us(&fb_machine_time));
    if (engine->status && drains(engine)) /* somebody waits for it */
        fb_status_flush(engine->status, STATUS_MS);
    atomic_store(&engine->stop, true);
}

static bool start(struct engine *engine, struct fb_err *err) {
    for (uint32_t i = 0; i < engine->n_threads; i++)
        make_thread(engine, i);
    if ((engine->deployed && !fb_deployed_start(engine->deployed, err)) ||
        (engine->control && !fb_control_start(engine->control, err))) {
        atomic_store(&engine->stop, true);
        return false;
    }
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
           engine->n_threads == 1 ? "" : "s", engine->bundle->routes.n,
           engine->bundle->routes.n == 1 ? "" : "s");
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
    free(engine->members);
    fb_park_free(engine->park);
    fb_deployed_close(engine->deployed);
    fb_control_close(engine->control);
    fb_status_free(engine->status);
    if (engine->status_sink)
        engine->status_sink->calls->close(engine->status_sink);
    fb_board_free(engine->board);
    fb_crumbs_close(engine->crumbs);
    fb_state_dir_close(engine->state);
    free(engine->inputs);
    fb_kafka_settings_free(engine->settings);
    fb_bundle_drop(engine->bundle);
}

/* Before anything was taken there is nothing to drain. */
static void end_at_once(int signal) {
    (void)signal;
    _exit(0);
}

enum fb_engine_end fb_engine_run(const struct fb_engine_options *options, struct fb_err *err) {
    struct engine engine = {
        .options = options, .park = fb_park_new(PARK_US), .board = fb_board_new()};
    enum fb_engine_end end = FB_ENGINE_DONE;
    sigset_t signals, before;
    struct sigaction early = {.sa_handler = end_at_once}, term, interrupt;
    *err = (struct fb_err){0};
    sigaction(SIGTERM, &early, &term);
    sigaction(SIGINT, &early, &interrupt);
    if (!set_up(&engine, err)) {
        sigaction(SIGTERM, &term, NULL);
        sigaction(SIGINT, &interrupt, NULL);
        free_engine(&engine);
        return engine.unusable || err->kind == FB_RETRIABLE ? FB_ENGINE_FAILED : FB_ENGINE_WRONG;
    }
    /* Blocked before there are threads: only `watch` takes them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    engine.n_threads =
        options->input ? 1 : (uint32_t)fb_config_number(options->config, FB_KEY_WORKERS);
    engine.threads = fb_alloc(engine.n_threads * sizeof *engine.threads);
    engine.members = fb_alloc(engine.n_threads * sizeof *engine.members);
    bool ok = start(&engine, err);
    watch(&engine, &signals);
    ok &= finish(&engine, err);
    sigaction(SIGTERM, &term, NULL);
    sigaction(SIGINT, &interrupt, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free_engine(&engine);
    return ok ? end : FB_ENGINE_FAILED;
}
