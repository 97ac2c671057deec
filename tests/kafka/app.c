#include "tests/kafka/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kafka/compare.h"
#include "tests/kafka/topic.h"
#include "tests/kafka/watch.h"

enum {
    BACK_MS = 8 * 3600 * 1000, /* the first event lies so far back: all timers are due at the end */
    PATIENCE_MS = 120000,
    FETCH_RECORDS = 100, /* a batch of fb_topic_put_all: a fetch of 20,000 bytes brings one */
    LOG_MAX = 8 << 20
};

const char *const fb_app_often =
    "snapshot.interval.min.ms = 200\nsnapshot.interval.max.ms = 1000\n";
const char *const fb_app_seldom =
    "snapshot.interval.min.ms = 3600000\nsnapshot.interval.max.ms = 3600000\n";

void fb_pause_ms(int ms) {
    usleep((useconds_t)ms * 1000);
}

/* ---- an application and its instances ---- */

void fb_app_topic(const struct fb_app *app, const char *stream, char topic[static 96]) {
    snprintf(topic, 96, "%s.%s", app->name, stream);
}

void fb_app_path(const struct fb_app *app, const char *name, char path[static 256]) {
    snprintf(path, 256, "%s/%s-%s", app->folder, app->name, name);
}

void fb_app_make(struct fb_app *app, const char *address, const char *folder, int n_events) {
    char path[256];
    *app = (struct fb_app){
        .address = address, .folder = folder, .n_events = n_events, .pace = fb_app_often};
    fb_topic_name(app->input, "events");
    fb_topic_name(app->name, "app");
    fb_app_path(app, "rules", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, fb_meter_rules, app->input);
    fclose(file);
    struct fb_event_shape shape = {n_events, FB_APP_PARTITIONS, fb_wall_ms() - BACK_MS, true};
    struct fb_topic_record *events = fb_events_make(&shape);
    fb_app_path(app, "events.ndjson", path);
    fb_events_write(path, events, n_events);
    fb_topic_create(address, app->input, FB_APP_PARTITIONS, NULL);
    fb_topic_put_all(address, app->input, events, (size_t)n_events);
    fb_events_free(events, n_events);
    app->watch = fb_watch_start(address, app->name, app->input, FB_APP_PARTITIONS);
}

void fb_instance_start(struct fb_instance *instance, const struct fb_app *app, const char *id,
                       int workers, int fetched) {
    char path[256], rules[256], name[256];
    if (instance->app != app)
        *instance = (struct fb_instance){.app = app, .address = instance->address};
    if (id != instance->id)
        snprintf(instance->id, sizeof instance->id, "%s", id);
    snprintf(instance->owner, sizeof instance->owner, "%s-%s-0", app->name, id);
    fb_app_path(app, id, path);
    fb_app_path(app, "rules", rules);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "application.id = %s\ninstance.id = %s\nworkers = %d\nstart.from = earliest\n"
            "commit.interval.ms = 20\nstate.dir = %s\nlog.level = debug\n%s"
            "kafka.bootstrap.servers = %s\nkafka.session.timeout.ms = 6000\n"
            "kafka.max.partition.fetch.bytes = 20000\n",
            app->name, id, workers, app->folder, app->pace,
            instance->address ? instance->address : app->address);
    if (fetched)
        fprintf(file, "kafka.fetch.min.bytes = 1000000\nkafka.fetch.wait.max.ms = %d\n",
                fetched < FETCH_RECORDS * 1000 ? FETCH_RECORDS * 1000 / fetched : 1);
    fclose(file);
    snprintf(name, sizeof name, "%s-%s-%u.log", app->name, id, instance->starts++);
    const char *const args[] = {"run", "--rules", rules, "--config", path, NULL};
    instance->started_ms = fb_watch_now_ms();
    instance->run = fb_program_start(app->folder, name, args);
}

void fb_instance_end(struct fb_instance *instance, int signal) {
    fb_program_signal(&instance->run, signal);
    int status = fb_program_wait(&instance->run);
    if (status == (signal == SIGKILL ? 128 + SIGKILL : 0))
        return;
    fb_program_show(&instance->run);
    fail_msg("%s, above: exit status %d", instance->run.log, status);
}

unsigned fb_instance_said(const struct fb_instance *instance, const char *text) {
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

void fb_instance_await_said(const struct fb_instance *instance, const char *text, unsigned times) {
    for (int64_t begun_ms = fb_watch_now_ms(); fb_instance_said(instance, text) < times;
         fb_pause_ms(2))
        if (fb_watch_now_ms() - begun_ms > PATIENCE_MS)
            fail_msg("%s does not say '%s'", instance->run.log, text);
}

int64_t fb_instance_await_commit(const struct fb_instance *instance) {
    for (;;) {
        int64_t at_ms = fb_watch_committed_ms(instance->app->watch, instance->owner);
        if (at_ms > instance->started_ms)
            return at_ms - instance->started_ms;
        if (fb_watch_total(instance->app->watch) >= instance->app->n_events)
            return -1;
        if (fb_watch_now_ms() - instance->started_ms > PATIENCE_MS)
            fail_msg("%s: no commit", instance->run.log);
        fb_pause_ms(2);
    }
}

void fb_app_await_total(const struct fb_app *app, int64_t total) {
    int64_t moved_ms = fb_watch_now_ms(), now, before = -1;
    for (; (now = fb_watch_total(app->watch)) < total; fb_pause_ms(20)) {
        if (now != before)
            moved_ms = fb_watch_now_ms();
        before = now;
        if (fb_watch_now_ms() - moved_ms > PATIENCE_MS)
            fail_msg("the group stands still at %lld, before %lld", (long long)now,
                     (long long)total);
    }
}

/* ---- what must hold at the end ---- */

static void replay(const struct fb_app *app, const char *out) {
    char rules[256], events[256];
    fb_app_path(app, "rules", rules);
    fb_app_path(app, "events.ndjson", events);
    fb_events_replay(app->folder, &(struct fb_replaying){.rules = rules,
                                                         .events = events,
                                                         .out = out,
                                                         .application = app->name,
                                                         .until_now = true});
}

/* The last outputs are those of timers, which come after the last record. */
static struct fb_items await_alerts(const struct fb_app *app, size_t n) {
    char topic[96];
    fb_app_topic(app, "alerts", topic);
    for (int64_t begun_ms = fb_watch_now_ms();; fb_pause_ms(100)) {
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

static void expect_audit(const struct fb_app *app) {
    char topic[96], path[256];
    fb_app_topic(app, "audit", topic);
    fb_app_path(app, "audit.ndjson", path);
    struct fb_records records = fb_topic_read(app->address, topic, true);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < records.n; i++)
        fprintf(file, "%s\n", records.v[i].value);
    fclose(file);
    const char *const args[] = {"audit", "verify", path, NULL};
    struct fb_program_run run = fb_program_start(app->folder, "verify.log", args);
    if (fb_program_wait(&run) != 0)
        fail_msg("the audit trail %s does not verify: %s", path, run.log);
    print_message("%zu audit records verify\n", records.n);
    assert_true(records.n > 0);
    fb_records_free(&records);
}

void fb_app_await_end(const struct fb_app *app) {
    char out[256], path[300];
    fb_app_await_total(app, app->n_events);
    fb_app_path(app, "out", out);
    replay(app, out);
    snprintf(path, sizeof path, "%s/alerts.ndjson", out);
    struct fb_items replayed = fb_items_of_lines(path), live = await_alerts(app, replayed.n);
    fb_items_free(&live);
    fb_items_free(&replayed);
}

void fb_app_finish(const struct fb_app *app, struct fb_instance *instances, int n, int workers) {
    assert_true(fb_watch_total(app->watch) < app->n_events);
    for (int i = 0; i < n; i++) {
        fb_instance_end(&instances[i], SIGTERM);
        fb_instance_start(&instances[i], app, instances[i].id, workers, 0);
    }
    fb_app_await_end(app);
    for (int i = 0; i < n; i++)
        fb_instance_end(&instances[i], SIGTERM);
}

void fb_app_expect_exact(struct fb_app *app) {
    char out[256], path[300], topic[96];
    fb_app_path(app, "out", out);
    snprintf(path, sizeof path, "%s/alerts.ndjson", out);
    fb_app_topic(app, "alerts", topic);
    expect_equal(fb_items_of_topic(app->address, topic), fb_items_of_lines(path),
                 "alerts and events", fb_by_key);
    snprintf(path, sizeof path, "%s/late.ndjson", out);
    fb_app_topic(app, "late", topic);
    expect_equal(fb_items_of_topic(app->address, topic), fb_items_of_lines(path), "late records",
                 fb_by_key);
    snprintf(path, sizeof path, "%s/dead.ndjson", out);
    fb_app_topic(app, "dead", topic);
    struct fb_items dead = fb_items_of_dead_topic(app->address, topic, app->input);
    expect_poison(&dead, app->poison);
    expect_equal(dead, fb_items_of_dead_lines(path), "dead letters", fb_by_text);
    expect_audit(app);
    assert_int_equal(fb_watch_total(app->watch), app->n_events);
    assert_int_equal(fb_watch_end(app->watch), 0);
}
