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

#include "engine/codec/json_write.h"
#include "engine/run/crumbs.h"
#include "tests/kafka/app.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/compare.h"
#include "tests/kafka/program.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/topic.h"
#include "tests/kafka/watch.h"

enum { PATIENCE_MS = 120000 };

static unsigned faults;

static uint64_t chance(void) {
    static uint64_t seed = 0x9e3779b97f4a7c15u;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
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
static void kill_somewhere(struct fb_instance *victim, struct kills *kills) {
    switch (chance() % 4) {
    case 0: /* perhaps before it has begun */
        fb_pause_ms((int)(chance() % 600));
        break;
    case 1:
        fb_instance_await_said(victim, "rebuilding its state", 1);
        usleep((useconds_t)(chance() % 20000));
        break;
    default:
        note_recovery(kills, fb_instance_await_commit(victim));
        fb_pause_ms((int)(chance() % 300));
    }
    fb_instance_end(victim, SIGKILL);
    kills->n++;
    if (fb_instance_said(victim, "rebuilding its state") >
        fb_instance_said(victim, "state rebuilt in"))
        kills->restoring++;
    else if (!fb_instance_said(victim, "worker 0 has"))
        kills->starting++;
}

static void kills_leave_no_trace_in_the_outputs(void **state) {
    (void)state;
    unsigned wanted = fb_torture() ? 200 : 20, crumbs = 0;
    struct fb_app app;
    struct fb_instance instances[2] = {0};
    static struct kills kills;
    fb_app_make(&app, fb_broker_shared(), fb_folder(), fb_torture() ? 1000000 : 150000);
    fb_instance_start(&instances[0], &app, "a", 1, FB_APP_FETCHED);
    fb_instance_start(&instances[1], &app, "b", 1, FB_APP_FETCHED);
    fb_instance_await_commit(&instances[0]);
    fb_instance_await_commit(&instances[1]);
    while (kills.n < wanted || kills.restoring == 0) {
        struct fb_instance *victim = &instances[chance() % 2], *other = &instances[0];
        other += victim == other;
        kill_somewhere(victim, &kills);
        if (chance() % 5 == 0) { /* both are away for a moment */
            fb_instance_end(other, SIGKILL);
            kills.n++;
            fb_instance_start(other, &app, other->id, 1, FB_APP_FETCHED);
        }
        fb_instance_start(victim, &app, victim->id, 1, FB_APP_FETCHED);
        crumbs += fb_instance_said(victim, "the process ended while it took the record");
    }
    int64_t done = fb_watch_total(app.watch);
    assert_true(kills.n_recoveries > 0);
    for (int i = 0; i < 2; i++)
        note_recovery(&kills, fb_instance_await_commit(&instances[i]));
    fb_app_finish(&app, instances, 2, 1);
    qsort(kills.recoveries, kills.n_recoveries, sizeof kills.recoveries[0], by_number);
    faults += kills.n;
    print_message("%u kills over %lld records: %u while a state was rebuilt, %u before any "
                  "partition was had, %u within a record; first commit after a start: p50 %lld ms, "
                  "max %lld ms (%zu starts)\n",
                  kills.n, (long long)done, kills.restoring, kills.starting, crumbs,
                  (long long)kills.recoveries[kills.n_recoveries / 2],
                  (long long)kills.recoveries[kills.n_recoveries - 1], kills.n_recoveries);
    fb_app_expect_exact(&app);
}

/* ---- an outage of the broker ---- */

static void the_broker_goes_and_comes(void **state) {
    (void)state;
    struct fb_broker *broker = fb_broker_start();
    struct fb_app app;
    struct fb_instance engine = {0};
    fb_app_make(&app, fb_broker_address(broker), fb_folder(), 60000);
    fb_instance_start(&engine, &app, "a", 2, FB_APP_FETCHED);
    for (int i = 1; i <= (fb_torture() ? 8 : 3); i++) {
        unsigned lost = fb_instance_said(&engine, "no Kafka broker can be reached");
        unsigned back = fb_instance_said(&engine, "Kafka is back after");
        fb_app_await_total(&app, fb_watch_total(app.watch) + 600);
        if (i % 2)
            fb_broker_stop(broker);
        else
            fb_broker_kill(broker);
        faults++;
        if (i == 1)
            fb_instance_await_said(&engine, "no Kafka broker can be reached", lost + 1);
        if (i == 1 && fb_torture()) /* longer than any time-out of a session or transaction */
            fb_pause_ms(90000);
        fb_broker_restart(broker);
        if (i == 1)
            fb_instance_await_said(&engine, "Kafka is back after", back + 1);
    }
    print_message("warnings: %u; ends opened anew: %u\n", fb_instance_said(&engine, " warn "),
                  fb_instance_said(&engine, "opened anew"));
    fb_app_finish(&app, &engine, 1, 2);
    fb_app_expect_exact(&app);
    fb_broker_free(broker);
}

/* ---- a zombie ---- */

/* Longer than a transaction's time-out, and than the broker takes to see that it is over. */
enum { PAST_TRANSACTION_MS = 45000 };

/* The heir has everything while the other one stands still. */
static void stop_one(struct fb_instance *zombie, struct fb_instance *heir, int more_ms) {
    unsigned two = fb_instance_said(heir, "worker 0 has 2 partitions");
    unsigned four = fb_instance_said(heir, "worker 0 has 4 partitions");
    int64_t stopped_ms = fb_watch_now_ms();
    fb_program_signal(&zombie->run, SIGSTOP);
    faults++;
    fb_instance_await_said(heir, "worker 0 has 4 partitions", four + 1);
    heir->started_ms = fb_watch_now_ms();
    int64_t commit_ms = fb_instance_await_commit(heir) + heir->started_ms - stopped_ms;
    fb_pause_ms(more_ms);
    zombie->started_ms = fb_watch_now_ms();
    fb_program_signal(&zombie->run, SIGCONT);
    fb_instance_await_said(heir, "worker 0 has 2 partitions", two + 1);
    print_message("stopped for %lld ms: first commit of the heir after %lld ms, of the one that "
                  "went on %lld ms after that\n",
                  (long long)(zombie->started_ms - stopped_ms), (long long)commit_ms,
                  (long long)fb_instance_await_commit(zombie));
}

/* Nobody takes over, and the broker ends the transactions. */
static void stop_both(struct fb_instance *one, struct fb_instance *other) {
    faults += 2;
    fb_program_signal(&one->run, SIGSTOP);
    fb_program_signal(&other->run, SIGSTOP);
    fb_pause_ms(PAST_TRANSACTION_MS);
    one->started_ms = other->started_ms = fb_watch_now_ms();
    fb_program_signal(&one->run, SIGCONT);
    fb_program_signal(&other->run, SIGCONT);
    int64_t first_ms = fb_instance_await_commit(one);
    print_message("both stopped for %d ms: first commits %lld and %lld ms after that\n",
                  PAST_TRANSACTION_MS, (long long)first_ms,
                  (long long)fb_instance_await_commit(other));
}

static void who_was_stopped_for_too_long_commits_nothing(void **state) {
    (void)state;
    struct fb_app app;
    struct fb_instance instances[2] = {0}, *zombie = &instances[0], *heir = &instances[1];
    fb_app_make(&app, fb_broker_shared(), fb_folder(), fb_torture() ? 500000 : 60000);
    fb_instance_start(zombie, &app, "a", 1, FB_APP_FETCHED);
    fb_instance_start(heir, &app, "b", 1, FB_APP_FETCHED);
    fb_instance_await_said(zombie, "worker 0 has 2 partitions", 1);
    fb_instance_await_said(heir, "worker 0 has 2 partitions", 1);
    fb_instance_await_commit(zombie);
    stop_one(zombie, heir, 0);
    for (int i = 0; fb_torture() && i < 3; i++) {
        stop_one(zombie, heir, PAST_TRANSACTION_MS);
        stop_one(heir, zombie, i * 500);
        stop_both(zombie, heir);
    }
    fb_app_finish(&app, instances, 2, 1);
    fb_app_expect_exact(&app);
}

/* ---- joining and leaving ---- */

static void instances_come_and_go_under_load(void **state) {
    (void)state;
    enum { EVERY_MS = 2000 };
    int64_t span_ms = fb_torture() ? 180000 : 30000;
    unsigned guests = 0, kept = 0;
    struct fb_app app;
    struct fb_instance host = {0}, guest = {0};
    fb_app_make(&app, fb_broker_shared(), fb_folder(), fb_torture() ? 300000 : 80000);
    fb_instance_start(&host, &app, "a", 1, FB_APP_FETCHED);
    fb_instance_await_commit(&host);
    for (int64_t begun_ms = fb_watch_now_ms(); fb_watch_now_ms() - begun_ms < span_ms; guests++) {
        char id[16];
        guest.app = NULL;
        snprintf(id, sizeof id, "guest%u", guests % 4);
        fb_instance_start(&guest, &app, id, 1, FB_APP_FETCHED);
        guest.starts = guests;
        fb_pause_ms(EVERY_MS);
        fb_instance_end(&guest, SIGTERM);
        kept += fb_instance_said(&guest, "state kept");
        fb_pause_ms(EVERY_MS);
    }
    kept += fb_instance_said(&host, "state kept");
    faults += 2 * guests;
    print_message("%u times another instance came and went; %u times a partition's state was kept, "
                  "%u times rebuilt by the one that stayed\n",
                  guests, kept, fb_instance_said(&host, "state rebuilt in"));
    assert_true(kept > 0);
    fb_app_finish(&app, &host, 1, 1);
    fb_app_expect_exact(&app);
}

/* ---- a record that ends the process ---- */

/* A process of this instance takes the record in hand, and ends. */
static void die_of(const struct fb_app *app, const char *id, int32_t partition, int64_t offset) {
    char name[128];
    snprintf(name, sizeof name, "%s-%s", app->name, id);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fb_err err;
        struct fb_crumbs *crumbs = fb_crumbs_open(fb_folder(), name, 1, &err);
        if (crumbs)
            fb_crumb_drop(fb_crumbs_of(crumbs, 0), fb_crumb_topic(fb_str_of(app->input)), partition,
                          offset);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The input of `replay` without one record, whose text it returns; the caller frees it. */
static char *leave_out(const struct fb_app *app, int32_t partition, int64_t offset) {
    char path[256], *line = NULL, *text = NULL;
    size_t cap = 0;
    struct fb_records records = fb_topic_read(app->address, app->input, true);
    for (size_t i = 0; i < records.n; i++)
        if (records.v[i].partition == partition && records.v[i].offset == offset)
            text = strdup(records.v[i].value);
    fb_records_free(&records);
    assert_non_null(text);
    fb_app_path(app, "events.ndjson", path);
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
    struct fb_app app;
    struct fb_instance engine = {0};
    fb_app_make(&app, fb_broker_shared(), fb_folder(), 40000);
    char *text = leave_out(&app, PARTITION, OFFSET);
    struct fb_buf letter = {0};
    fb_buf_text(&letter, "POISON,\"encoding\":\"utf-8\",\"payload\":");
    fb_json_put_text(&letter, fb_str_of(text));
    fb_buf_char(&letter, '\0');
    app.poison = letter.p;
    die_of(&app, "a", PARTITION, OFFSET);
    fb_instance_start(&engine, &app, "a", 1, FB_APP_FETCHED);
    fb_instance_await_commit(&engine); /* of other records; once is no proof */
    assert_int_equal(
        fb_instance_said(&engine, "the process ended while it took the record at [1]@5000"), 1);
    fb_instance_end(&engine, SIGKILL);
    assert_true(fb_group_offset(app.address, app.name, app.input, PARTITION) <= OFFSET);
    die_of(&app, "a", PARTITION, OFFSET);
    die_of(&app, "a", PARTITION, OFFSET);
    fb_instance_start(&engine, &app, "a", 1, 0);
    fb_instance_await_said(&engine, "[1]@5000 ended the process twice: it goes to the dead letters",
                           1);
    fb_app_await_end(&app);
    assert_int_equal(
        fb_instance_said(&engine, "the process ended while it took the record at [1]@5000"), 1);
    fb_instance_end(&engine, SIGTERM);
    fb_app_expect_exact(&app);
    fb_buf_free(&letter);
    free(text);
}

/* ---- what is taken away from outside ---- */

/* Whether its log has a line with this text before the first line with that one. */
static bool said_before(const struct fb_instance *instance, const char *text, const char *that) {
    char *line = NULL;
    size_t room = 0;
    bool found = false, began = false;
    FILE *file = fopen(instance->run.log, "r");
    assert_non_null(file);
    while (!found && !began && getline(&line, &room, file) > 0) {
        found = strstr(line, text) != NULL;
        began = strstr(line, that) != NULL;
    }
    fclose(file);
    free(line);
    assert_true(found || began);
    return found;
}

static void a_forgotten_group_is_no_loss(void **state) {
    (void)state;
    struct fb_app app;
    struct fb_instance engine = {0};
    fb_app_make(&app, fb_broker_shared(), fb_folder(), 60000);
    fb_instance_start(&engine, &app, "a", 1, FB_APP_FETCHED);
    fb_instance_await_commit(&engine);
    fb_instance_end(&engine, SIGTERM);
    assert_true(fb_watch_total(app.watch) < app.n_events);
    fb_group_delete(app.address, app.name);
    assert_int_equal(fb_group_offset(app.address, app.name, app.input, 0), -1);
    fb_instance_start(&engine, &app, "a", 1, 0);
    fb_app_await_end(&app);
    assert_true(fb_instance_said(&engine, "the consumer group has no positions any more") > 0);
    fb_instance_end(&engine, SIGTERM);
    /* A topic that was not there is not looked for again before the work begins. */
    assert_false(said_before(&engine, ".rules: UNKNOWN_TOPIC", "info  application "));
    fb_app_expect_exact(&app);
}

/* Until the newest status of a partition holds a text. */
static void await_status(const struct fb_app *app, int32_t partition, const char *text) {
    char topic[96], key[96];
    fb_app_topic(app, "status", topic);
    snprintf(key, sizeof key, "%s/%d", app->name, partition);
    for (int64_t begun_ms = fb_watch_now_ms();; fb_pause_ms(100)) {
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
static void await_snapshots(const struct fb_app *app) {
    char topic[96];
    int found = 0;
    fb_app_topic(app, "snapshot", topic);
    for (int64_t begun_ms = fb_watch_now_ms(); found < FB_APP_PARTITIONS; fb_pause_ms(100)) {
        bool whole[FB_APP_PARTITIONS] = {false};
        struct fb_records records = fb_topic_read(app->address, topic, true);
        for (size_t i = 0; i < records.n; i++)
            whole[records.v[i].partition] |=
                records.v[i].key && strstr(records.v[i].key, "/manifest") != NULL;
        fb_records_free(&records);
        found = 0;
        for (int p = 0; p < FB_APP_PARTITIONS; p++)
            found += whole[p];
        if (fb_watch_now_ms() - begun_ms > PATIENCE_MS)
            fail_msg("%d of %d partitions have a snapshot", found, FB_APP_PARTITIONS);
    }
}

static void a_state_without_its_snapshots_is_rebuilt_from_the_journal(void **state) {
    (void)state;
    /* Of a topic that is only compacted nothing can be cut. */
    static const char *const settings[] = {"cleanup.policy", "compact,delete", "max.message.bytes",
                                           "8388608", NULL};
    char snapshot[96];
    struct fb_app app;
    struct fb_instance engine = {0};
    fb_app_make(&app, fb_broker_shared(), fb_folder(), 60000);
    fb_app_topic(&app, "snapshot", snapshot);
    fb_topic_create(app.address, snapshot, FB_APP_PARTITIONS, settings);
    fb_instance_start(&engine, &app, "a", 1, FB_APP_FETCHED);
    await_snapshots(&app);
    fb_instance_end(&engine, SIGKILL);
    for (int32_t p = 0; p < FB_APP_PARTITIONS; p++)
        fb_topic_cut(app.address, snapshot, p, fb_topic_end(app.address, snapshot, p, false));
    fb_instance_start(&engine, &app, "a", 1, 0);
    fb_app_await_end(&app);
    assert_true(
        fb_instance_said(&engine, "snapshot cannot be used: the snapshot has no manifest") >=
        FB_APP_PARTITIONS);
    fb_instance_end(&engine, SIGTERM);
    fb_app_expect_exact(&app);
}

static void partitions_whose_journal_is_gone_are_halted_alone(void **state) {
    (void)state;
    enum { LOST = 2, EMPTY = 1 };
    char journal[96];
    struct fb_app app;
    struct fb_instance engine = {0};
    fb_app_make(&app, fb_broker_shared(), fb_folder(), 20000);
    app.pace = fb_app_seldom;
    fb_app_topic(&app, "journal", journal);
    fb_instance_start(&engine, &app, "a", 1, FB_APP_FETCHED);
    fb_app_await_total(&app, app.n_events);
    fb_instance_end(&engine, SIGTERM);
    fb_topic_cut(app.address, journal, LOST, fb_topic_end(app.address, journal, LOST, true) - 2);
    fb_topic_cut(app.address, journal, EMPTY, fb_topic_end(app.address, journal, EMPTY, false));
    for (int32_t p = 0; p < FB_APP_PARTITIONS; p++)
        fb_topic_put(app.address, app.input, p, 0, "x", "one more", NULL, 0);
    int64_t position = fb_group_offset(app.address, app.name, app.input, LOST);
    fb_instance_start(&engine, &app, "a", 1, 0);
    fb_app_await_total(&app, app.n_events + FB_APP_PARTITIONS - 2);
    assert_int_equal(
        fb_instance_said(&engine, "partition 2 is halted, its state cannot be rebuilt"), 1);
    fb_instance_await_said(&engine, "partition 1 is halted, its state cannot be rebuilt: commit ",
                           1);
    assert_int_equal(fb_instance_said(&engine, "is halted"), 2);
    await_status(&app, LOST, "\"mode\":\"halted\"");
    await_status(&app, LOST, "the journal does not reach back to the newest snapshot");
    for (int32_t p = 0; p < FB_APP_PARTITIONS; p++)
        if (p != LOST && p != EMPTY)
            await_status(&app, p, "\"mode\":\"normal\"");
    assert_int_equal(fb_group_offset(app.address, app.name, app.input, LOST), position);
    fb_instance_end(&engine, SIGTERM);
    assert_int_equal(fb_watch_end(app.watch), 0);
}

static void another_number_of_partitions_is_refused(void **state) {
    (void)state;
    char config[256], rules[256];
    struct fb_app app;
    struct fb_instance engine = {0};
    fb_app_make(&app, fb_broker_shared(), fb_folder(), 4000);
    fb_instance_start(&engine, &app, "a", 1, 0);
    fb_app_await_total(&app, app.n_events);
    fb_instance_end(&engine, SIGTERM);
    assert_int_equal(fb_watch_end(app.watch), 0);
    fb_topic_grow(app.address, app.input, FB_APP_PARTITIONS + 2);
    fb_app_path(&app, "a", config);
    fb_app_path(&app, "rules", rules);
    const char *const args[] = {"run", "--rules", rules, "--config", config, NULL};
    struct fb_program_run run = fb_program_start(fb_folder(), "grown.log", args);
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
    int failed = cmocka_run_group_tests(tests, fb_folder_make, fb_folder_remove);
    printf("torture: exactly_once cases=%zu faults=%u violations=%d\n",
           sizeof tests / sizeof *tests, faults, failed);
    return failed;
}
