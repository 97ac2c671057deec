/* `flyball run` from Kafka to Kafka, exactly once: whatever is killed, stopped or taken away, what
 * is committed is what `replay` makes of the same events, each output once. FB_TORTURE=1: longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/calendar.h"
#include "engine/codec/json_write.h"
#include "engine/run/crumbs.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/compare.h"
#include "tests/kafka/program.h"
#include "tests/kafka/topic.h"
#include "tests/kafka/watch.h"

enum {
    PARTITIONS = 4,
    BACK_MS = 8 * 3600 * 1000, /* the first event lies so far back: all timers are due at the end */
    FETCHED = 200,             /* records of a partition a second, about, while there is trouble */
    PATIENCE_MS = 120000,
    LOG_MAX = 8 << 20
};

static char folder[] = "/tmp/fb-test-exactly-XXXXXX";

static int set_up(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return getenv("FB_KEEP") ? 0 : system(command);
}

static bool torture(void) {
    const char *wish = getenv("FB_TORTURE");
    return wish && wish[0] && strcmp(wish, "0") != 0;
}

static uint64_t chance(void) {
    static uint64_t seed = 0x9e3779b97f4a7c15u;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void pause_ms(int ms) {
    usleep((useconds_t)ms * 1000);
}

/* ---- an application and its instances ---- */

struct app {
    const char *address;
    char input[64], name[64];
    int n_events;
    const char *pace;   /* of snapshots; settings */
    const char *poison; /* the dead letter of the record that ends the process; NULL: none does */
    struct fb_watch *watch;
};

static const char *const often =
    "snapshot.interval.min.ms = 200\nsnapshot.interval.max.ms = 1000\n";
static const char *const seldom =
    "snapshot.interval.min.ms = 3600000\nsnapshot.interval.max.ms = 3600000\n";

struct instance {
    const struct app *app;
    char id[16], owner[96];
    unsigned starts;
    int64_t started_ms;
    struct fb_program_run run;
};

static void topic_of(const struct app *app, const char *stream, char topic[static 96]) {
    snprintf(topic, 96, "%s.%s", app->name, stream);
}

static void path_of(const struct app *app, const char *name, char path[static 256]) {
    snprintf(path, 256, "%s/%s-%s", folder, app->name, name);
}

/* An input that is whole before anything reads it, so that the clock does not depend on when what
 * is read. */
static void make_app(struct app *app, const char *address, int n_events) {
    char path[256];
    *app = (struct app){.address = address, .n_events = n_events, .pace = often};
    fb_topic_name(app->input, "events");
    fb_topic_name(app->name, "app");
    path_of(app, "rules", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, fb_meter_rules, app->input);
    fclose(file);
    struct fb_event_shape shape = {n_events, PARTITIONS, fb_wall_ms() - BACK_MS, true};
    struct fb_topic_record *events = fb_events_make(&shape);
    path_of(app, "events.ndjson", path);
    fb_events_write(path, events, n_events);
    fb_topic_create(address, app->input, PARTITIONS, NULL);
    fb_topic_put_all(address, app->input, events, (size_t)n_events);
    fb_events_free(events, n_events);
    app->watch = fb_watch_start(address, app->name, app->input, PARTITIONS);
}

/* The client asks for more only once a second when it has `fetched` records of a partition: that
 * makes the work last. 0: as fast as it goes. */
static void start(struct instance *instance, const struct app *app, const char *id, int workers,
                  int fetched) {
    char path[256], rules[256], name[256];
    if (instance->app != app)
        *instance = (struct instance){.app = app};
    if (id != instance->id)
        snprintf(instance->id, sizeof instance->id, "%s", id);
    snprintf(instance->owner, sizeof instance->owner, "%s-%s-0", app->name, id);
    path_of(app, id, path);
    path_of(app, "rules", rules);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "application.id = %s\ninstance.id = %s\nworkers = %d\nstart.from = earliest\n"
            "commit.interval.ms = 20\nstate.dir = %s\nlog.level = debug\n%s"
            "kafka.bootstrap.servers = %s\nkafka.session.timeout.ms = 6000\n"
            "kafka.max.partition.fetch.bytes = 20000\n",
            app->name, id, workers, folder, app->pace, app->address);
    if (fetched)
        fprintf(file, "kafka.queued.min.messages = %d\n", fetched);
    fclose(file);
    snprintf(name, sizeof name, "%s-%s-%u.log", app->name, id, instance->starts++);
    const char *const args[] = {"run", "--rules", rules, "--config", path, NULL};
    instance->started_ms = fb_watch_now_ms();
    instance->run = fb_program_start(folder, name, args);
}

static void end(struct instance *instance, int signal) {
    fb_program_signal(&instance->run, signal);
    int status = fb_program_wait(&instance->run);
    if (status != (signal == SIGKILL ? 128 + SIGKILL : 0))
        fail_msg("%s: exit status %d", instance->run.log, status);
}

/* How often its log holds a text. */
static unsigned said(const struct instance *instance, const char *text) {
    unsigned n = 0;
    char *log = malloc(LOG_MAX);
    FILE *file = fopen(instance->run.log, "r");
    assert_non_null(log);
    if (file) {
        log[fread(log, 1, LOG_MAX - 1, file)] = '\0';
        for (const char *at = log; (at = strstr(at, text)); at++)
            n++;
        fclose(file);
    }
    free(log);
    return n;
}

static void await_said(const struct instance *instance, const char *text, unsigned times) {
    for (int64_t begun_ms = fb_watch_now_ms(); said(instance, text) < times; pause_ms(2))
        if (fb_watch_now_ms() - begun_ms > PATIENCE_MS)
            fail_msg("%s does not say '%s'", instance->run.log, text);
}

/* Until it has committed since it was started; how long that took. -1: nothing is left to do. */
static int64_t await_commit(const struct instance *instance) {
    for (;;) {
        int64_t at_ms = fb_watch_committed_ms(instance->app->watch, instance->owner);
        if (at_ms > instance->started_ms)
            return at_ms - instance->started_ms;
        if (fb_watch_total(instance->app->watch) >= instance->app->n_events)
            return -1;
        if (fb_watch_now_ms() - instance->started_ms > PATIENCE_MS)
            fail_msg("%s: no commit", instance->run.log);
        pause_ms(2);
    }
}

static void await_total(const struct app *app, int64_t total) {
    for (int64_t begun_ms = fb_watch_now_ms(); fb_watch_total(app->watch) < total; pause_ms(20))
        if (fb_watch_now_ms() - begun_ms > PATIENCE_MS)
            fail_msg("the group has got to %lld, not to %lld",
                     (long long)fb_watch_total(app->watch), (long long)total);
}

/* ---- what must hold at the end ---- */

static void replay(const struct app *app, const char *out) {
    char rules[256], events[256], until[FB_TIME_TEXT_MAX];
    path_of(app, "rules", rules);
    path_of(app, "events.ndjson", events);
    fb_time_format(fb_wall_ms() * 1000, until);
    const char *const args[] = {"replay", "--rules", rules, "--input",       events,    "--out",
                                out,      "--until", until, "--application", app->name, NULL};
    assert_int_equal(fb_program_do(folder, "replay.log", args), 0);
}

/* The last outputs are those of timers, which come after the last record. */
static struct fb_items await_alerts(const struct app *app, size_t n) {
    char topic[96];
    topic_of(app, "alerts", topic);
    for (int64_t begun_ms = fb_watch_now_ms();; pause_ms(100)) {
        struct fb_items items = fb_items_of_topic(app->address, topic);
        if (items.n >= n || fb_watch_now_ms() - begun_ms > PATIENCE_MS / 2)
            return items;
        fb_items_free(&items);
    }
}

static void expect_equal(struct fb_items live, struct fb_items replayed, const char *what,
                         int (*order)(const void *, const void *)) {
    size_t repeats = fb_items_drop_repeats(&live);
    print_message("%zu %s, %zu repeats\n", live.n, what, repeats);
    fb_items_expect_same(&live, &replayed, order);
    assert_int_equal(repeats, 0);
    fb_items_free(&live);
    fb_items_free(&replayed);
}

/* Takes the dead letter of the record that ended the process out, which `replay` did not see. */
static void expect_poison(struct fb_items *dead, const char *poison) {
    size_t kept = 0, found = 0;
    for (size_t i = 0; i < dead->n; i++) {
        if (!poison || strcmp(dead->v[i].text, poison) != 0) {
            dead->v[kept++] = dead->v[i];
            continue;
        }
        found++;
        free(dead->v[i].key);
        free(dead->v[i].text);
        free(dead->v[i].id);
    }
    dead->n = kept;
    assert_int_equal(found, poison != NULL);
}

static void expect_audit(const struct app *app) {
    char topic[96], path[256];
    topic_of(app, "audit", topic);
    path_of(app, "audit.ndjson", path);
    struct fb_records records = fb_topic_read(app->address, topic, true);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < records.n; i++)
        fprintf(file, "%s\n", records.v[i].value);
    fclose(file);
    const char *const args[] = {"audit", "verify", path, NULL};
    struct fb_program_run run = fb_program_start(folder, "verify.log", args);
    if (fb_program_wait(&run) != 0)
        fail_msg("the audit trail %s does not verify: %s", path, run.log);
    print_message("%zu audit records verify\n", records.n);
    assert_true(records.n > 0);
    fb_records_free(&records);
}

static void await_end(const struct app *app) {
    char out[256], path[300];
    await_total(app, app->n_events);
    path_of(app, "out", out);
    replay(app, out);
    snprintf(path, sizeof path, "%s/alerts.ndjson", out);
    struct fb_items replayed = fb_items_of_lines(path), live = await_alerts(app, replayed.n);
    fb_items_free(&live);
    fb_items_free(&replayed);
}

/* After await_end and the end of all instances. Ends the watch too. */
static void expect_exact(struct app *app) {
    char out[256], path[300], topic[96];
    path_of(app, "out", out);
    snprintf(path, sizeof path, "%s/alerts.ndjson", out);
    topic_of(app, "alerts", topic);
    expect_equal(fb_items_of_topic(app->address, topic), fb_items_of_lines(path),
                 "alerts and events", fb_by_key);
    snprintf(path, sizeof path, "%s/late.ndjson", out);
    topic_of(app, "late", topic);
    expect_equal(fb_items_of_topic(app->address, topic), fb_items_of_lines(path), "late records",
                 fb_by_key);
    snprintf(path, sizeof path, "%s/dead.ndjson", out);
    topic_of(app, "dead", topic);
    struct fb_items dead = fb_items_of_dead_topic(app->address, topic, app->input);
    expect_poison(&dead, app->poison);
    expect_equal(dead, fb_items_of_dead_lines(path), "dead letters", fb_by_text);
    expect_audit(app);
    assert_int_equal(fb_watch_total(app->watch), app->n_events);
    assert_int_equal(fb_watch_end(app->watch), 0);
}

/* ---- kill -9 of the engine ---- */

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

struct kills {
    unsigned n, restoring, starting;
    int64_t recoveries[512];
    size_t n_recoveries;
};

static void note_recovery(struct kills *kills, int64_t ms) {
    if (ms >= 0)
        kills->recoveries[kills->n_recoveries++] = ms;
}

/* Waits for one of three moments in its life, and kills it a while after. */
static void kill_somewhere(struct instance *victim, struct kills *kills) {
    switch (chance() % 4) {
    case 0: /* perhaps before it has begun */
        pause_ms((int)(chance() % 600));
        break;
    case 1:
        await_said(victim, "rebuilding its state", 1);
        usleep((useconds_t)(chance() % 20000));
        break;
    default:
        note_recovery(kills, await_commit(victim));
        pause_ms((int)(chance() % 300));
    }
    end(victim, SIGKILL);
    kills->n++;
    if (said(victim, "rebuilding its state") > said(victim, "state rebuilt in"))
        kills->restoring++;
    else if (!said(victim, "worker 0 has"))
        kills->starting++;
}

static void kills_leave_no_trace_in_the_outputs(void **state) {
    (void)state;
    unsigned wanted = torture() ? 200 : 20, crumbs = 0;
    struct app app;
    struct instance instances[2] = {0};
    static struct kills kills;
    make_app(&app, fb_broker_shared(), torture() ? 1200000 : 200000);
    start(&instances[0], &app, "a", 1, FETCHED);
    start(&instances[1], &app, "b", 1, FETCHED);
    await_commit(&instances[0]);
    await_commit(&instances[1]);
    while (kills.n < wanted || kills.restoring == 0) {
        struct instance *victim = &instances[chance() % 2], *other = &instances[0];
        other += victim == other;
        kill_somewhere(victim, &kills);
        if (chance() % 5 == 0) { /* both are away for a moment */
            end(other, SIGKILL);
            kills.n++;
            start(other, &app, other->id, 1, FETCHED);
        }
        start(victim, &app, victim->id, 1, FETCHED);
        crumbs += said(victim, "the process ended while it took the record");
    }
    int64_t done = fb_watch_total(app.watch);
    assert_true(kills.n_recoveries > 0);
    for (int i = 0; i < 2; i++) {
        note_recovery(&kills, await_commit(&instances[i]));
        end(&instances[i], SIGTERM);
        start(&instances[i], &app, instances[i].id, 1, 0);
    }
    await_end(&app);
    for (int i = 0; i < 2; i++)
        end(&instances[i], SIGTERM);
    qsort(kills.recoveries, kills.n_recoveries, sizeof kills.recoveries[0], by_number);
    print_message("%u kills over %lld records: %u while a state was rebuilt, %u before any "
                  "partition was had, %u within a record; first commit after a start: p50 %lld ms, "
                  "max %lld ms (%zu starts)\n",
                  kills.n, (long long)done, kills.restoring, kills.starting, crumbs,
                  (long long)kills.recoveries[kills.n_recoveries / 2],
                  (long long)kills.recoveries[kills.n_recoveries - 1], kills.n_recoveries);
    expect_exact(&app);
}

/* ---- an outage of the broker ---- */

static void the_broker_goes_and_comes(void **state) {
    (void)state;
    struct fb_broker *broker = fb_broker_start();
    struct app app;
    struct instance engine = {0};
    make_app(&app, fb_broker_address(broker), 120000);
    start(&engine, &app, "a", 2, FETCHED);
    for (int i = 1; i <= (torture() ? 8 : 3); i++) {
        unsigned lost = said(&engine, "no Kafka broker can be reached");
        unsigned back = said(&engine, "Kafka is back after");
        await_total(&app, fb_watch_total(app.watch) + app.n_events / 200);
        if (i % 2)
            fb_broker_stop(broker);
        else
            fb_broker_kill(broker);
        if (i == 1)
            await_said(&engine, "no Kafka broker can be reached", lost + 1);
        if (i == 1 && torture()) /* longer than any time-out of a session or transaction */
            pause_ms(90000);
        fb_broker_restart(broker);
        if (i == 1)
            await_said(&engine, "Kafka is back after", back + 1);
    }
    assert_true(fb_watch_total(app.watch) < app.n_events);
    await_end(&app);
    end(&engine, SIGTERM);
    print_message("warnings: %u; ends opened anew: %u\n", said(&engine, " warn "),
                  said(&engine, "opened anew"));
    expect_exact(&app);
    fb_broker_free(broker);
}

/* ---- a zombie ---- */

static void who_was_stopped_for_too_long_commits_nothing(void **state) {
    (void)state;
    struct app app;
    struct instance zombie = {0}, heir = {0};
    make_app(&app, fb_broker_shared(), torture() ? 800000 : 200000);
    start(&zombie, &app, "a", 1, FETCHED);
    start(&heir, &app, "b", 1, FETCHED);
    await_said(&zombie, "worker 0 has 2 partitions", 1);
    await_said(&heir, "worker 0 has 2 partitions", 1);
    await_commit(&zombie);
    for (unsigned i = 1; i <= (torture() ? 4 : 1); i++) {
        unsigned two = said(&heir, "worker 0 has 2 partitions");
        unsigned four = said(&heir, "worker 0 has 4 partitions");
        fb_program_signal(&zombie.run, SIGSTOP);
        await_said(&heir, "worker 0 has 4 partitions", four + 1);
        heir.started_ms = fb_watch_now_ms();
        await_commit(&heir);
        fb_program_signal(&zombie.run, SIGCONT);
        await_said(&heir, "worker 0 has 2 partitions", two + 1);
    }
    await_end(&app);
    end(&zombie, SIGTERM);
    end(&heir, SIGTERM);
    expect_exact(&app);
}

/* ---- joining and leaving ---- */

static void instances_come_and_go_under_load(void **state) {
    (void)state;
    enum { EVERY_MS = 2000 };
    int64_t span_ms = torture() ? 180000 : 30000;
    unsigned guests = 0, kept = 0;
    struct app app;
    struct instance host = {0}, guest = {0};
    make_app(&app, fb_broker_shared(), torture() ? 800000 : 200000);
    start(&host, &app, "a", 1, FETCHED);
    await_commit(&host);
    for (int64_t begun_ms = fb_watch_now_ms(); fb_watch_now_ms() - begun_ms < span_ms; guests++) {
        char id[16];
        guest.app = NULL;
        snprintf(id, sizeof id, "guest%u", guests % 4);
        start(&guest, &app, id, 1, FETCHED);
        guest.starts = guests;
        pause_ms(EVERY_MS);
        end(&guest, SIGTERM);
        kept += said(&guest, "state kept");
        pause_ms(EVERY_MS);
    }
    kept += said(&host, "state kept");
    await_end(&app);
    end(&host, SIGTERM);
    print_message("%u times another instance came and went; %u times a partition's state was kept, "
                  "%u times rebuilt by the one that stayed\n",
                  guests, kept, said(&host, "state rebuilt in"));
    assert_true(kept > 0);
    expect_exact(&app);
}

/* ---- a record that ends the process ---- */

/* A process of this instance takes the record in hand, and ends. */
static void die_of(const struct app *app, const char *id, int32_t partition, int64_t offset) {
    char name[128];
    snprintf(name, sizeof name, "%s-%s", app->name, id);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fb_err err;
        struct fb_crumbs *crumbs = fb_crumbs_open(folder, name, 1, &err);
        if (crumbs)
            fb_crumb_drop(fb_crumbs_of(crumbs, 0), fb_crumb_topic(fb_str_of(app->input)), partition,
                          offset);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The input of `replay` without one record, whose text it returns; the caller frees it. */
static char *leave_out(const struct app *app, int32_t partition, int64_t offset) {
    char path[256], *line = NULL, *text = NULL;
    size_t cap = 0;
    struct fb_records records = fb_topic_read(app->address, app->input, true);
    for (size_t i = 0; i < records.n; i++)
        if (records.v[i].partition == partition && records.v[i].offset == offset)
            text = strdup(records.v[i].value);
    fb_records_free(&records);
    assert_non_null(text);
    path_of(app, "events.ndjson", path);
    FILE *from = fopen(path, "r");
    assert_non_null(from);
    unlink(path);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    bool out = false;
    for (ssize_t n; (n = getline(&line, &cap, from)) > 0;) {
        bool it = !out && strncmp(line, text, strlen(text)) == 0;
        out |= it;
        if (!it)
            fwrite(line, 1, (size_t)n, to);
    }
    assert_true(out);
    free(line);
    fclose(from);
    fclose(to);
    return text;
}

static void a_record_that_ends_the_process_twice_is_put_aside(void **state) {
    (void)state;
    enum { PARTITION = 1, OFFSET = 5000 };
    struct app app;
    struct instance engine = {0};
    make_app(&app, fb_broker_shared(), 40000);
    char *text = leave_out(&app, PARTITION, OFFSET);
    struct fb_buf letter = {0};
    fb_buf_text(&letter, "POISON,\"encoding\":\"utf-8\",\"payload\":");
    fb_json_put_text(&letter, fb_str_of(text));
    fb_buf_char(&letter, '\0');
    app.poison = letter.p;
    die_of(&app, "a", PARTITION, OFFSET);
    start(&engine, &app, "a", 1, FETCHED);
    await_commit(&engine); /* of other records; once is no proof */
    assert_int_equal(said(&engine, "the process ended while it took the record at [1]@5000"), 1);
    end(&engine, SIGKILL);
    assert_true(fb_group_offset(app.address, app.name, app.input, PARTITION) <= OFFSET);
    die_of(&app, "a", PARTITION, OFFSET);
    die_of(&app, "a", PARTITION, OFFSET);
    start(&engine, &app, "a", 1, 0);
    await_said(&engine, "[1]@5000 ended the process twice: it goes to the dead letters", 1);
    await_end(&app);
    assert_int_equal(said(&engine, "the process ended while it took the record at [1]@5000"), 1);
    end(&engine, SIGTERM);
    expect_exact(&app);
    fb_buf_free(&letter);
    free(text);
}

/* ---- what is taken away from outside ---- */

static void a_forgotten_group_is_no_loss(void **state) {
    (void)state;
    struct app app;
    struct instance engine = {0};
    make_app(&app, fb_broker_shared(), 60000);
    start(&engine, &app, "a", 1, FETCHED);
    await_commit(&engine);
    end(&engine, SIGTERM);
    assert_true(fb_watch_total(app.watch) < app.n_events);
    fb_group_delete(app.address, app.name);
    assert_int_equal(fb_group_offset(app.address, app.name, app.input, 0), -1);
    start(&engine, &app, "a", 1, 0);
    await_end(&app);
    assert_true(said(&engine, "the consumer group has no positions any more") > 0);
    end(&engine, SIGTERM);
    expect_exact(&app);
}

/* Until the newest status of a partition holds a text. */
static void await_status(const struct app *app, int32_t partition, const char *text) {
    char topic[96], key[96];
    topic_of(app, "status", topic);
    snprintf(key, sizeof key, "%s/%d", app->name, partition);
    for (int64_t begun_ms = fb_watch_now_ms();; pause_ms(100)) {
        struct fb_records records = fb_topic_read(app->address, topic, false);
        const char *newest = "nothing";
        for (size_t i = 0; i < records.n; i++)
            if (records.v[i].key && strcmp(records.v[i].key, key) == 0)
                newest = records.v[i].value;
        bool found = strstr(newest, text) != NULL;
        if (!found && fb_watch_now_ms() - begun_ms > PATIENCE_MS / 2)
            fail_msg("the status of partition %d is %s, without %s", (int)partition, newest, text);
        fb_records_free(&records);
        if (found)
            return;
    }
}

/* Until the newest snapshot of each partition is whole. */
static void await_snapshots(const struct app *app) {
    char topic[96];
    int found = 0;
    topic_of(app, "snapshot", topic);
    for (int64_t begun_ms = fb_watch_now_ms(); found < PARTITIONS; pause_ms(100)) {
        bool whole[PARTITIONS] = {false};
        struct fb_records records = fb_topic_read(app->address, topic, true);
        for (size_t i = 0; i < records.n; i++)
            whole[records.v[i].partition] |=
                records.v[i].key && strstr(records.v[i].key, "/manifest") != NULL;
        fb_records_free(&records);
        found = 0;
        for (int p = 0; p < PARTITIONS; p++)
            found += whole[p];
        if (fb_watch_now_ms() - begun_ms > PATIENCE_MS)
            fail_msg("%d of %d partitions have a snapshot", found, PARTITIONS);
    }
}

static void a_state_without_its_snapshots_is_rebuilt_from_the_journal(void **state) {
    (void)state;
    /* Of a topic that is only compacted nothing can be cut. */
    static const char *const settings[] = {"cleanup.policy", "compact,delete", "max.message.bytes",
                                           "8388608", NULL};
    char snapshot[96];
    struct app app;
    struct instance engine = {0};
    make_app(&app, fb_broker_shared(), 60000);
    topic_of(&app, "snapshot", snapshot);
    fb_topic_create(app.address, snapshot, PARTITIONS, settings);
    start(&engine, &app, "a", 1, FETCHED);
    await_snapshots(&app);
    end(&engine, SIGKILL);
    for (int32_t p = 0; p < PARTITIONS; p++)
        fb_topic_cut(app.address, snapshot, p, fb_topic_end(app.address, snapshot, p, false));
    start(&engine, &app, "a", 1, 0);
    await_end(&app);
    assert_true(said(&engine, "snapshot cannot be used: the snapshot has no manifest") >=
                PARTITIONS);
    end(&engine, SIGTERM);
    expect_exact(&app);
}

static void partitions_whose_journal_is_gone_are_halted_alone(void **state) {
    (void)state;
    enum { LOST = 2, EMPTY = 1 };
    char journal[96];
    struct app app;
    struct instance engine = {0};
    make_app(&app, fb_broker_shared(), 20000);
    app.pace = seldom;
    topic_of(&app, "journal", journal);
    start(&engine, &app, "a", 1, FETCHED);
    await_total(&app, app.n_events);
    end(&engine, SIGTERM);
    fb_topic_cut(app.address, journal, LOST, fb_topic_end(app.address, journal, LOST, true) - 2);
    fb_topic_cut(app.address, journal, EMPTY, fb_topic_end(app.address, journal, EMPTY, false));
    for (int32_t p = 0; p < PARTITIONS; p++)
        fb_topic_put(app.address, app.input, p, 0, "x", "one more", NULL, 0);
    int64_t position = fb_group_offset(app.address, app.name, app.input, LOST);
    start(&engine, &app, "a", 1, 0);
    await_total(&app, app.n_events + PARTITIONS - 2);
    assert_int_equal(said(&engine, "partition 2 is halted, its state cannot be rebuilt"), 1);
    await_said(&engine, "partition 1 is halted, its state cannot be rebuilt: commit ", 1);
    assert_int_equal(said(&engine, "is halted"), 2);
    await_status(&app, LOST, "\"mode\":\"halted\"");
    await_status(&app, LOST, "the journal does not reach back to the newest snapshot");
    for (int32_t p = 0; p < PARTITIONS; p++)
        if (p != LOST && p != EMPTY)
            await_status(&app, p, "\"mode\":\"normal\"");
    assert_int_equal(fb_group_offset(app.address, app.name, app.input, LOST), position);
    end(&engine, SIGTERM);
    assert_int_equal(fb_watch_end(app.watch), 0);
}

static void another_number_of_partitions_is_refused(void **state) {
    (void)state;
    char config[256], rules[256];
    struct app app;
    struct instance engine = {0};
    make_app(&app, fb_broker_shared(), 4000);
    start(&engine, &app, "a", 1, 0);
    await_total(&app, app.n_events);
    end(&engine, SIGTERM);
    assert_int_equal(fb_watch_end(app.watch), 0);
    fb_topic_grow(app.address, app.input, PARTITIONS + 2);
    path_of(&app, "a", config);
    path_of(&app, "rules", rules);
    const char *const args[] = {"run", "--rules", rules, "--config", config, NULL};
    struct fb_program_run run = fb_program_start(folder, "grown.log", args);
    assert_int_equal(fb_program_wait(&run), 2);
    assert_true(fb_program_said(&run, "has 4 partitions and the input 6: the number of the input's "
                                      "partitions must not change in the life of an application"));
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_leave_no_trace_in_the_outputs),
        cmocka_unit_test(the_broker_goes_and_comes),
        cmocka_unit_test(who_was_stopped_for_too_long_commits_nothing),
        cmocka_unit_test(instances_come_and_go_under_load),
        cmocka_unit_test(a_record_that_ends_the_process_twice_is_put_aside),
        cmocka_unit_test(a_forgotten_group_is_no_loss),
        cmocka_unit_test(a_state_without_its_snapshots_is_rebuilt_from_the_journal),
        cmocka_unit_test(partitions_whose_journal_is_gone_are_halted_alone),
        cmocka_unit_test(another_number_of_partitions_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
