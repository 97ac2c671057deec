/* `flyball deploy` and `drain` on a live application: other rules leave no trace in what the rules
 * put out that stay the same. FB_TORTURE=1: longer. */
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

#include "tests/kafka/broker.h"
#include "tests/kafka/compare.h"
#include "tests/kafka/program.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/topic.h"
#include "tests/kafka/watch.h"

enum {
    PARTITIONS = 4,
    BACK_MS = 8 * 3600 * 1000, /* the first event lies so far back: all timers are due at the end */
    EVENTS_A_DEPLOYMENT = 12000, /* more than are taken meanwhile */
    BUNDLES = 3,
    PATIENCE_MS = 120000,
    LOG_MAX = 8 << 20
};

/* Behind the rules that stay: what makes the bundles different. */
static const char *const extras[BUNDLES] = {
    "", "alarm extra_load on meter { raise low when avg(load over 1m) > 40 % for 20s }\n",
    ("alarm extra_load on meter { raise low when avg(load over 1m) > 60 % for 10s }\n"
     "alarm extra_temp on meter { raise info when max(temp over 5m) > 50 degC }\n")};

static void write_rules(const char *name, const char *input, const char *extra) {
    FILE *file = fopen(fb_path_of(name), "w");
    assert_non_null(file);
    fprintf(file, fb_meter_rules, input);
    fputs(extra, file);
    fclose(file);
}

static void write_config(const char *name, const char *application, const char *more) {
    FILE *file = fopen(fb_path_of(name), "w");
    assert_non_null(file);
    fprintf(file,
            "application.id = %s\ninstance.id = a\nworkers = 2\nstart.from = earliest\n"
            "commit.interval.ms = 20\nsnapshot.interval.min.ms = 200\n"
            "snapshot.interval.max.ms = 1000\nkafka.bootstrap.servers = %s\n"
            "kafka.max.partition.fetch.bytes = 20000\nstate.dir = %s\n%s",
            application, fb_broker_shared(), fb_folder(), more);
    fclose(file);
}

static struct fb_program_run start_as(const char *id, const char *rules, const char *config) {
    static int starts;
    char log[32], instance[32];
    snprintf(log, sizeof log, "run-%d.log", starts++);
    snprintf(instance, sizeof instance, "instance.id=%s", id);
    const char *const args[] = {
        "run", "--rules", fb_path_of(rules), "--config", fb_path_of(config), "-X", instance, NULL};
    return fb_program_start(fb_folder(), log, args);
}

static struct fb_program_run start(const char *rules, const char *config) {
    return start_as("a", rules, config);
}

static void end(const struct fb_program_run *run, int signal) {
    fb_program_signal(run, signal);
    assert_int_equal(fb_program_wait(run), signal == SIGKILL ? 128 + SIGKILL : 0);
}

static int deploy(const char *rules, const char *wait) {
    const char *const args[] = {
        "deploy", "--rules", fb_path_of(rules), "--config", fb_path_of("config"), "--wait",
        wait,     NULL};
    return fb_program_do(fb_folder(), "deploy.log", args);
}

static int deploy_with(const char *option, const char *rules) {
    const char *const args[] = {"deploy",
                                "--config",
                                fb_path_of("config"),
                                option,
                                rules ? "--rules" : NULL,
                                rules ? fb_path_of(rules) : NULL,
                                NULL};
    return fb_program_do(fb_folder(), "deploy.log", args);
}

static bool deploy_said(const char *text) {
    struct fb_program_run run = fb_program_done(fb_folder(), "deploy.log");
    return fb_program_said(&run, text);
}

/* How often its log holds a text. */
static unsigned count_said(const struct fb_program_run *run, const char *text) {
    unsigned n = 0;
    char *log = malloc(LOG_MAX);
    FILE *file = fopen(run->log, "r");
    assert_non_null(log);
    assert_non_null(file);
    log[fread(log, 1, LOG_MAX - 1, file)] = '\0';
    for (const char *at = log; (at = strstr(at, text)); at++)
        n++;
    fclose(file);
    free(log);
    return n;
}

/* ---- many changes under load ---- */

/* Those of rules that are in all bundles. */
static struct fb_items without_extras(struct fb_items items) {
    size_t n = 0;
    for (size_t i = 0; i < items.n; i++) {
        struct fb_item item = items.v[i];
        if (!strstr(item.text, "extra_")) {
            items.v[n++] = item;
            continue;
        }
        free(item.key);
        free(item.text);
        free(item.id);
    }
    items.n = n;
    return items;
}

static struct fb_items await_alerts(const char *topic, size_t n) {
    for (int64_t begun_ms = fb_watch_now_ms();; usleep(100000)) {
        struct fb_items items = without_extras(fb_items_of_topic(fb_broker_shared(), topic));
        if (items.n >= n || fb_watch_now_ms() - begun_ms > PATIENCE_MS)
            return items;
        fb_items_free(&items);
    }
}

static void expect_undisturbed(const char *application) {
    char topic[96];
    fb_events_replay(fb_folder(), &(struct fb_replaying){.rules = fb_path_of("0.rules"),
                                                         .events = fb_path_of("events.ndjson"),
                                                         .out = fb_path_of("out"),
                                                         .application = application,
                                                         .until_now = true});
    snprintf(topic, sizeof topic, "%s.alerts", application);
    struct fb_items replayed = fb_items_of_lines(fb_path_of("out/alerts.ndjson"));
    struct fb_items live = await_alerts(topic, replayed.n);
    size_t repeats = fb_items_drop_repeats(&live);
    print_message("%zu alerts and events of rules that stay, %zu repeats\n", live.n, repeats);
    fb_items_expect_same(&live, &replayed, fb_by_key);
    assert_int_equal(repeats, 0);
    fb_items_free(&live);
    fb_items_free(&replayed);
}

/* Until every partition has told something since then: `deploy` waits for those it has heard of. */
static void await_heard(const char *application, int64_t since_ms) {
    char topic[96];
    snprintf(topic, sizeof topic, "%s.status", application);
    for (int64_t begun_ms = fb_watch_now_ms();; usleep(20000)) {
        struct fb_records got = fb_topic_read(fb_broker_shared(), topic, false);
        bool heard[PARTITIONS] = {false};
        int n = 0;
        for (size_t i = 0; i < got.n; i++)
            heard[got.v[i].partition] |= got.v[i].stamp_ms >= since_ms;
        for (int p = 0; p < PARTITIONS; p++)
            n += heard[p];
        fb_records_free(&got);
        if (n == PARTITIONS)
            return;
        assert_true(fb_watch_now_ms() - begun_ms < PATIENCE_MS);
    }
}

static void changes_under_load_leave_the_other_rules_alone(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    int deployments = fb_torture() ? 100 : 20, n_events = deployments * EVENTS_A_DEPLOYMENT;
    char input[64], application[64], name[16];
    fb_topic_name(input, "events");
    fb_topic_name(application, "app");
    for (int i = 0; i < BUNDLES; i++) {
        snprintf(name, sizeof name, "%d.rules", i);
        write_rules(name, input, extras[i]);
    }
    /* A fetch brings 100 records of a partition, and waits for more than it may bring. */
    write_config("slow", application,
                 "kafka.fetch.min.bytes = 1000000\nkafka.fetch.wait.max.ms = 200\n");
    write_config("config", application, "");
    struct fb_event_shape shape = {n_events, PARTITIONS, fb_wall_ms() - BACK_MS, true};
    struct fb_topic_record *events = fb_events_make(&shape);
    fb_events_write(fb_path_of("events.ndjson"), events, n_events);
    fb_topic_create(address, input, PARTITIONS, NULL);
    fb_topic_put_all(address, input, events, (size_t)n_events);
    fb_events_free(events, n_events);
    struct fb_watch *watch = fb_watch_start(address, application, input, PARTITIONS);

    int64_t started_ms = fb_wall_ms();
    struct fb_program_run run = start("0.rules", "slow");
    fb_program_await(&run, "worker 0 has");
    unsigned changes = 0;
    for (int i = 1; i <= deployments; i++) {
        snprintf(name, sizeof name, "%d.rules", i % BUNDLES);
        if (i % 3 == 1)
            await_heard(application, started_ms);
        assert_int_equal(deploy(name, i % 3 ? "60" : "0"), 0); /* killed while it changes, or not */
        if (i % 3 == 0) {
            usleep((useconds_t)(i * 7919 % 900) * 1000);
            changes += count_said(&run, "take the place of");
            end(&run, SIGKILL);
            started_ms = fb_wall_ms();
            run = start("0.rules", "slow");
        }
    }
    int64_t total = fb_watch_total(watch);
    changes += count_said(&run, "take the place of");
    end(&run, SIGKILL);
    print_message("%d deployments, %u changes of a task, %lld of %d records under them\n",
                  deployments, changes, (long long)total, n_events);
    assert_true(changes >= (unsigned)deployments);
    assert_true(total > 0);
    assert_true(total < n_events); /* under load to the last */

    run = start("0.rules", "config");
    assert_int_equal(deploy("0.rules", "60"), 0);
    for (int64_t moved_ms = fb_watch_now_ms(); fb_watch_total(watch) < n_events; usleep(20000)) {
        if (fb_watch_total(watch) > total)
            moved_ms = fb_watch_now_ms();
        total = fb_watch_total(watch);
        assert_true(fb_watch_now_ms() - moved_ms < PATIENCE_MS);
    }
    expect_undisturbed(application);
    end(&run, SIGTERM);
    assert_int_equal(fb_watch_end(watch), 0);
}

/* ---- what is refused, taken back, ended ---- */

static void put_temp(const char *input, const char *device, int temp) {
    char value[64];
    snprintf(value, sizeof value, "{\"id\":\"%s\",\"temp\":%d}", device, temp);
    fb_topic_put(fb_broker_shared(), input, 0, 0, device, value, NULL, 0);
}

static void write_small(const char *name, const char *input, const char *limit) {
    FILE *file = fopen(fb_path_of(name), "w");
    assert_non_null(file);
    fprintf(file,
            "device meter from \"%s\" {\n  key id\n  time arrival\n  temp: number [degC]\n}\n"
            "alarm hot on meter {\n  raise high when temp > %s until temp < 10 degC\n}\n",
            input, limit);
    fclose(file);
}

static void expect_alerts(const char *topic, size_t n, const char *text) {
    struct fb_records got = fb_topic_await(fb_broker_shared(), topic, true, n);
    assert_int_equal(got.n, n);
    assert_non_null(strstr(got.v[n - 1].value, text));
    fb_records_free(&got);
}

static size_t n_deployed(const char *topic) {
    struct fb_records got = fb_topic_read(fb_broker_shared(), topic, true);
    size_t n = got.n;
    fb_records_free(&got);
    return n;
}

static int plan(const char *rules) {
    const char *const args[] = {"plan", fb_path_of(rules), "--config", fb_path_of("config"), NULL};
    return fb_program_do(fb_folder(), "deploy.log", args);
}

/* Nobody has deployed them, and yet they are compared with and gone back to. */
static void the_rules_of_the_start_are_known_to_the_first_deployment(void **state) {
    (void)state;
    char input[64], application[64], alerts[96], rules[96];
    fb_topic_name(input, "events");
    fb_topic_name(application, "app");
    snprintf(alerts, sizeof alerts, "%s.alerts", application);
    snprintf(rules, sizeof rules, "%s.rules", application);
    write_small("80.rules", input, "80 degC");
    write_small("50.rules", input, "50 degC");
    write_small("other.rules", "elsewhere", "50 degC");
    write_config("config", application, "");
    fb_topic_create(fb_broker_shared(), input, 1, NULL);
    assert_int_equal(plan("50.rules"), 2);
    assert_true(deploy_said("no instance has told any"));
    struct fb_program_run run = start("80.rules", "config");
    fb_program_await(&run, "application "); /* its topics are there */
    put_temp(input, "x", 90);
    expect_alerts(alerts, 1, "raised");
    for (int64_t begun_ms = fb_watch_now_ms(); plan("50.rules") != 0; usleep(100000))
        assert_true(fb_watch_now_ms() - begun_ms < PATIENCE_MS);
    assert_int_equal(deploy("other.rules", "60"), 1);
    assert_true(deploy_said("--other-topics"));
    assert_int_equal(n_deployed(rules), 0);
    assert_int_equal(deploy("50.rules", "60"), 0);
    assert_int_equal(n_deployed(rules), 2); /* those of the start come first */
    put_temp(input, "y", 60);
    expect_alerts(alerts, 2, "hot/y");
    assert_int_equal(deploy_with("--rollback", NULL), 0);
    put_temp(input, "z", 60); /* nothing by the rules for 80 */
    put_temp(input, "z", 90);
    expect_alerts(alerts, 3, "hot/z");
    assert_int_equal(plan("80.rules"), 0);
    end(&run, SIGTERM);
}

static void bad_rules_are_refused_and_the_last_ones_are_taken_back(void **state) {
    (void)state;
    char input[64], application[64], alerts[96], rules[96];
    fb_topic_name(input, "events");
    fb_topic_name(application, "app");
    snprintf(alerts, sizeof alerts, "%s.alerts", application);
    snprintf(rules, sizeof rules, "%s.rules", application);
    write_small("80.rules", input, "80 degC");
    write_small("50.rules", input, "50 degC");
    write_small("bad.rules", input, "50 bar");
    write_small("other.rules", "elsewhere", "50 degC");
    write_config("config", application, "");
    fb_topic_create(fb_broker_shared(), input, 1, NULL);
    struct fb_program_run run = start("80.rules", "config");
    fb_program_await(&run, "application "); /* its topics are there */
    put_temp(input, "x", 90);
    expect_alerts(alerts, 1, "raised");

    assert_int_equal(deploy("80.rules", "60"), 0);
    assert_int_equal(deploy("50.rules", "60"), 0);
    put_temp(input, "y", 60);
    expect_alerts(alerts, 2, "hot/y");

    assert_int_equal(deploy("bad.rules", "60"), 1);
    assert_int_equal(deploy("other.rules", "60"), 1);
    assert_true(deploy_said("--other-topics"));
    assert_int_equal(n_deployed(rules), 2);
    assert_int_equal(deploy_with("--other-topics", "other.rules"), 0);
    fb_program_await(&run, "are refused: they read other topics than this instance");
    fb_topic_put(fb_broker_shared(), rules, 0, 0, "rules", "junk", NULL, 0);
    fb_program_await(&run, "is not one of flyball's");
    put_temp(input, "z", 60);
    expect_alerts(alerts, 3, "hot/z"); /* by those before */

    assert_int_equal(deploy("80.rules", "60"), 1); /* other topics than the last ones */
    assert_int_equal(deploy_with("--other-topics", "80.rules"), 0);
    assert_int_equal(deploy("50.rules", "60"), 0);
    assert_int_equal(deploy_with("--rollback", NULL), 0);
    put_temp(input, "w", 60); /* nothing by the rules for 80 */
    put_temp(input, "w", 90);
    put_temp(input, "x", 0); /* active since the first rules */
    expect_alerts(alerts, 5, "hot/x");
    assert_int_equal(deploy_with("--list", NULL), 0);

    const char *const drain[] = {"drain", "--config", fb_path_of("config"), NULL};
    assert_int_equal(fb_program_do(fb_folder(), "drain.log", drain), 0);
    assert_int_equal(fb_program_wait(&run), 0);
    assert_true(fb_program_said(&run, "drained: all state of 1 partition is in snapshots"));
    run = start("80.rules", "config");
    fb_program_await(&run, "4 devices of a snapshot, 0 commits with 0 records after it");
    put_temp(input, "y", 0);
    expect_alerts(alerts, 6, "hot/y");
    end(&run, SIGTERM);
}

/* Which partitions the newest status says are drained. */
static int n_drained(const char *application) {
    char topic[96];
    bool drained[PARTITIONS] = {false};
    int n = 0;
    snprintf(topic, sizeof topic, "%s.status", application);
    struct fb_records got = fb_topic_read(fb_broker_shared(), topic, false);
    for (size_t i = 0; i < got.n; i++)
        drained[got.v[i].partition] = strstr(got.v[i].value, "\"mode\":\"drained\"") != NULL;
    for (int p = 0; p < PARTITIONS; p++)
        n += drained[p];
    fb_records_free(&got);
    return n;
}

static int drain(const char *wait) {
    const char *const args[] = {"drain", "--config", fb_path_of("config"), "--wait", wait, NULL};
    return fb_program_do(fb_folder(), "deploy.log", args);
}

/* The second instance joins as all are asked to drain: what it gets is drained by it. */
static void drain_waits_for_every_partition_wherever_it_goes(void **state) {
    (void)state;
    enum { EVENTS = 60000 };
    const char *address = fb_broker_shared();
    static const char more[] = "kafka.queued.min.messages = 200\nkafka.session.timeout.ms = 6000\n";
    char input[64], application[64], alerts[96];
    fb_topic_name(input, "events");
    fb_topic_name(application, "app");
    snprintf(alerts, sizeof alerts, "%s.alerts", application);
    write_rules("0.rules", input, "");
    write_config("config", application, more);
    struct fb_event_shape shape = {EVENTS, PARTITIONS, fb_wall_ms() - BACK_MS, true};
    struct fb_topic_record *events = fb_events_make(&shape);
    fb_topic_create(address, input, PARTITIONS, NULL);
    fb_topic_put_all(address, input, events, EVENTS);
    fb_events_free(events, EVENTS);
    struct fb_program_run a = start("0.rules", "config");
    fb_program_await(&a, "application "); /* its topics are there */
    struct fb_records some = fb_topic_await(address, alerts, true, 1);
    fb_records_free(&some);
    struct fb_program_run b = start_as("b", "0.rules", "config");
    fb_program_await(&b, "application ");
    assert_int_equal(drain("120"), 0);
    assert_true(deploy_said("drained: all state of 4 partitions is in snapshots"));
    assert_int_equal(n_drained(application), PARTITIONS);
    assert_int_equal(fb_program_wait(&a), 0);
    assert_int_equal(fb_program_wait(&b), 0);
    assert_true(fb_program_said(&a, "drained: all state of "));
    assert_true(fb_program_said(&b, "drained: all state of "));
    assert_int_equal(drain("120"), 0); /* nobody is there */
    a = start("0.rules", "config");
    fb_program_await(&a, "application ");
    for (int64_t begun_ms = fb_watch_now_ms(); count_said(&a, "state rebuilt in") < PARTITIONS;
         usleep(20000))
        assert_true(fb_watch_now_ms() - begun_ms < PATIENCE_MS);
    assert_int_equal(count_said(&a, "of a snapshot, 0 commits with 0 records after it"),
                     PARTITIONS);
    /* One that is killed after it was heard of is named. */
    for (int64_t begun_ms = fb_watch_now_ms(); n_drained(application) > 0; usleep(20000))
        assert_true(fb_watch_now_ms() - begun_ms < PATIENCE_MS);
    end(&a, SIGKILL);
    assert_int_equal(drain("1"), 1);
    assert_true(deploy_said("partitions are not drained after 1 s"));
    assert_true(deploy_said(" of instance a: "));
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_of_the_start_are_known_to_the_first_deployment),
        cmocka_unit_test(bad_rules_are_refused_and_the_last_ones_are_taken_back),
        cmocka_unit_test(changes_under_load_leave_the_other_rules_alone),
        cmocka_unit_test(drain_waits_for_every_partition_wherever_it_goes),
    };
    return cmocka_run_group_tests(tests, fb_folder_make, fb_folder_remove);
}
