/* `flyball run` from Kafka to Kafka, at least once, against what `replay` makes of the same
 * events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/calendar.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/compare.h"
#include "tests/kafka/program.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/topic.h"

enum {
    EVENTS = 200000,
    PARTITIONS = 4,
    BACK_MS = 3 * 3600 * 1000, /* the first event lies so far back: all timers are due at the end */
    PATIENCE_S = 120
};

static int64_t committed(const char *address, const char *group, const char *topic) {
    int64_t sum = 0;
    for (int32_t p = 0; p < PARTITIONS; p++) {
        int64_t offset = fb_group_offset(address, group, topic, p);
        sum += offset > 0 ? offset : 0;
    }
    return sum;
}

/* Lets the engine run in slices, short ones first, until the group has got to an offset. */
static void run_until(const struct fb_program_run *run, const char *address, const char *group,
                      const char *topic, int64_t offset) {
    fb_program_signal(run, SIGSTOP);
    for (unsigned slice_us = 5000; committed(address, group, topic) < offset;) {
        fb_program_signal(run, SIGCONT);
        usleep(slice_us);
        slice_us = slice_us < 40000 ? slice_us * 2 : slice_us;
        fb_program_signal(run, SIGSTOP);
        assert_false(fb_program_said(run, "stopped: "));
    }
}

static void await_committed(const struct fb_program_run *run, const char *address,
                            const char *group, const char *topic, int64_t offset) {
    for (int64_t end_ms = fb_wall_ms() + PATIENCE_S * 1000;
         committed(address, group, topic) < offset;) {
        assert_false(fb_program_said(run, "stopped: "));
        if (fb_wall_ms() > end_ms)
            fail_msg("the group has not got to %lld", (long long)offset);
        usleep(50000);
    }
}

/* Until a topic has at least so many different outputs; the last are those of timers. */
static struct fb_items await_events(const char *address, const char *topic, size_t n,
                                    size_t *repeats) {
    for (int64_t end_ms = fb_wall_ms() + PATIENCE_S * 1000;;) {
        struct fb_items items = fb_items_of_topic(address, topic);
        *repeats = fb_items_drop_repeats(&items);
        if (items.n >= n || fb_wall_ms() > end_ms)
            return items;
        fb_items_free(&items);
        usleep(50000);
    }
}

/* ---- tests ---- */

static void outputs_are_those_of_replay_though_the_broker_goes_and_comes(void **state) {
    (void)state;
    struct fb_broker *broker = fb_broker_start();
    const char *address = fb_broker_address(broker);
    char input[64], group[64], alerts[80], late[80], dead[80];
    fb_topic_name(input, "events");
    fb_topic_name(group, "app");
    snprintf(alerts, sizeof alerts, "%s.alerts", group);
    snprintf(late, sizeof late, "%s.late", group);
    snprintf(dead, sizeof dead, "%s.dead", group);
    fb_write_text(fb_path_of("a.rules"), fb_meter_rules, input);
    struct fb_event_shape shape = {EVENTS, PARTITIONS, fb_wall_ms() - BACK_MS, true};
    struct fb_topic_record *events = fb_events_make(&shape);
    fb_events_write(fb_path_of("events.ndjson"), events, EVENTS);
    fb_topic_create(address, input, PARTITIONS, NULL);
    fb_topic_put_all(address, input, events, EVENTS);
    fb_events_free(events, EVENTS);

    fb_write_text(
        fb_path_of("fb.properties"),
        "application.id = %s\nworkers = 2\nstart.from = earliest\ncommit.interval.ms = 10\n"
        "processing.guarantee = at_least_once\n"
        "kafka.bootstrap.servers = %s\n"
        "kafka.queued.max.messages.kbytes = 1024\nkafka.max.partition.fetch.bytes = 20000\n",
        group, address);
    const char *const run_args[] = {
        "run", "--rules", fb_path_of("a.rules"), "--config", fb_path_of("fb.properties"), NULL};
    struct fb_program_run run = fb_program_start(fb_folder(), "run.log", run_args);
    fb_program_await(&run, "application ");
    run_until(&run, address, group, input, 1);
    assert_true(committed(address, group, input) < EVENTS);
    fb_broker_stop(broker);
    fb_program_signal(&run, SIGCONT);
    fb_program_await(&run, "no Kafka broker can be reached");
    fb_broker_restart(broker);
    fb_program_await(&run, "Kafka is back");
    run_until(&run, address, group, input, EVENTS / 2);
    fb_broker_kill(broker);
    fb_program_signal(&run, SIGCONT);
    fb_broker_restart(broker);
    await_committed(&run, address, group, input, EVENTS);

    fb_events_replay(fb_folder(), &(struct fb_replaying){.rules = fb_path_of("a.rules"),
                                                         .events = fb_path_of("events.ndjson"),
                                                         .out = fb_path_of("out"),
                                                         .application = group,
                                                         .until_now = true});
    struct fb_items replayed = fb_items_of_lines(fb_path_of("out/alerts.ndjson"));
    size_t repeats;
    struct fb_items live = await_events(address, alerts, replayed.n, &repeats);
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);
    fb_items_free(&live);
    live = await_events(address, alerts, replayed.n, &repeats);
    print_message("%zu alerts and events, %zu repeats\n", live.n, repeats);
    fb_items_expect_same(&live, &replayed, fb_by_key);
    fb_items_free(&live);
    fb_items_free(&replayed);

    live = fb_items_of_topic(address, late);
    repeats = fb_items_drop_repeats(&live);
    replayed = fb_items_of_lines(fb_path_of("out/late.ndjson"));
    print_message("%zu late records, %zu repeats\n", live.n, repeats);
    fb_items_expect_same(&live, &replayed, fb_by_key);
    fb_items_free(&live);
    fb_items_free(&replayed);

    live = fb_items_of_dead_topic(address, dead, input);
    repeats = fb_items_drop_repeats(&live);
    replayed = fb_items_of_dead_lines(fb_path_of("out/dead.ndjson"));
    print_message("%zu dead letters, %zu repeats\n", live.n, repeats);
    fb_items_expect_same(&live, &replayed, fb_by_text);
    fb_items_free(&live);
    fb_items_free(&replayed);
    fb_broker_free(broker);
}

static const char *const small_rules = "device meter from \"%s\" {\n"
                                       "  key id\n"
                                       "  time arrival\n"
                                       "  temp: number [degC]\n"
                                       "}\n"
                                       "alarm hot on meter {\n"
                                       "  raise high when temp > 80 degC until temp < 70 degC\n"
                                       "}\n";

static const char *const each_rules = "device meter from \"%s\" {\n"
                                      "  key id\n"
                                      "  time ts [ms]\n"
                                      "  temp: number [degC]\n"
                                      "}\n"
                                      "event warm on meter {\n"
                                      "  whenever temp > 80 degC\n"
                                      "}\n";

/* One worker, fast to notice who is gone. */
static struct fb_program_run start_instance(const char *name, const char *address,
                                            const char *group) {
    char config[64], log[64];
    snprintf(config, sizeof config, "%s.properties", name);
    snprintf(log, sizeof log, "%s.log", name);
    fb_write_text(fb_path_of(config),
                  "application.id = %s\ninstance.id = %s\nworkers = 1\nstart.from = earliest\n"
                  "kafka.bootstrap.servers = %s\nkafka.session.timeout.ms = 6000\n",
                  group, name, address);
    const char *const args[] = {"run",      "--rules",          fb_path_of("small.rules"),
                                "--config", fb_path_of(config), NULL};
    return fb_program_start(fb_folder(), log, args);
}

static void a_task_keeps_its_state_when_its_partition_comes_back(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char input[64], group[64], alerts[80];
    fb_topic_name(input, "events");
    fb_topic_name(group, "app");
    snprintf(alerts, sizeof alerts, "%s.alerts", group);
    fb_write_text(fb_path_of("small.rules"), small_rules, input);
    fb_topic_create(address, input, 2, NULL);
    struct fb_program_run first = start_instance("a", address, group);
    fb_topic_put(address, input, 0, 0, "x", "{\"id\":\"x\",\"temp\":90}", NULL, 0);
    fb_program_await(&first, "created topic");
    struct fb_records got = fb_topic_await(address, alerts, true, 1);
    assert_non_null(strstr(got.v[0].value, "\"event\":\"raised\""));
    char since[FB_TIME_TEXT_MAX + 16];
    snprintf(since, sizeof since, "%.35s", strstr(got.v[0].value, "\"since\":"));
    fb_records_free(&got);

    struct fb_program_run second = start_instance("b", address, group);
    fb_program_await(&second, "worker 0 has 1 partition");
    fb_program_await(&first, "worker 0 has 1 partition");
    fb_topic_put(address, input, 0, 0, "x", "{\"id\":\"x\",\"temp\":60}", NULL, 0);
    got = fb_topic_await(address, alerts, true, 2);
    assert_non_null(strstr(got.v[1].value, "\"event\":\"cleared\""));
    assert_non_null(strstr(got.v[1].value, since));
    fb_records_free(&got);
    fb_program_signal(&first, SIGTERM);
    fb_program_signal(&second, SIGINT);
    assert_int_equal(fb_program_wait(&first), 0);
    assert_int_equal(fb_program_wait(&second), 0);
}

/* Without state there is one right answer after a crash too: every record's event, at least once,
 * and again only with the same id. */
static void nothing_is_lost_when_the_engine_is_killed(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char input[64], group[64], alerts[80];
    fb_topic_name(input, "events");
    fb_topic_name(group, "app");
    snprintf(alerts, sizeof alerts, "%s.alerts", group);
    fb_write_text(fb_path_of("each.rules"), each_rules, input);
    struct fb_event_shape shape = {EVENTS, PARTITIONS, fb_wall_ms() - BACK_MS, false};
    struct fb_topic_record *events = fb_events_make(&shape);
    fb_events_write(fb_path_of("events.ndjson"), events, EVENTS);
    fb_topic_create(address, input, PARTITIONS, NULL);
    fb_topic_put_all(address, input, events, EVENTS);
    fb_events_free(events, EVENTS);
    fb_write_text(
        fb_path_of("each.properties"),
        "application.id = %s\nworkers = 2\nstart.from = earliest\ncommit.interval.ms = 50\n"
        "processing.guarantee = at_least_once\n"
        "kafka.bootstrap.servers = %s\nkafka.queued.max.messages.kbytes = 1024\n"
        "kafka.max.partition.fetch.bytes = 20000\n",
        group, address);
    const char *const args[] = {
        "run", "--rules", fb_path_of("each.rules"), "--config", fb_path_of("each.properties"),
        NULL};
    for (int kills = 0; kills < 4; kills++) {
        struct fb_program_run run = fb_program_start(fb_folder(), "each.log", args);
        fb_program_await(&run, "application ");
        run_until(&run, address, group, input, 1 + kills * (EVENTS / 5));
        fb_program_signal(&run, SIGKILL);
        assert_int_equal(fb_program_wait(&run), 128 + SIGKILL);
    }
    assert_true(committed(address, group, input) < EVENTS);
    struct fb_program_run run = fb_program_start(fb_folder(), "each.log", args);
    await_committed(&run, address, group, input, EVENTS);
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);

    fb_events_replay(fb_folder(), &(struct fb_replaying){.rules = fb_path_of("each.rules"),
                                                         .events = fb_path_of("events.ndjson"),
                                                         .out = fb_path_of("each"),
                                                         .application = group});
    struct fb_items replayed = fb_items_of_lines(fb_path_of("each/alerts.ndjson"));
    struct fb_items live = fb_items_of_topic(address, alerts);
    size_t repeats = fb_items_drop_repeats(&live);
    print_message("%zu events, %zu repeats\n", live.n, repeats);
    fb_items_expect_same(&live, &replayed, fb_by_key);
    fb_items_free(&live);
    fb_items_free(&replayed);
}

/* As if it ran on another host: there it finds no crumbs of the other one. */
static struct fb_program_run start_twin(const char *of) {
    char before[512], config[64];
    const char *temporary = getenv("TMPDIR");
    snprintf(before, sizeof before, "%s", temporary ? temporary : "");
    snprintf(config, sizeof config, "%s.properties", of);
    const char *const args[] = {"run",      "--rules",          fb_path_of("small.rules"),
                                "--config", fb_path_of(config), NULL};
    assert_int_equal(mkdir(fb_path_of("elsewhere"), 0700), 0);
    setenv("TMPDIR", fb_path_of("elsewhere"), 1);
    struct fb_program_run run = fb_program_start(fb_folder(), "twin.log", args);
    if (temporary)
        setenv("TMPDIR", before, 1);
    else
        unsetenv("TMPDIR");
    return run;
}

static void of_two_processes_with_one_identity_one_ends_and_says_why(void **state) {
    (void)state;
    static const char why[] = "does another instance run with the same instance.id?";
    const char *address = fb_broker_shared();
    char input[64], group[64];
    fb_topic_name(input, "events");
    fb_topic_name(group, "app");
    fb_write_text(fb_path_of("small.rules"), small_rules, input);
    fb_topic_create(address, input, 2, NULL);
    struct fb_program_run first = start_instance("d", address, group);
    fb_program_await(&first, "worker 0 has 2 partitions");
    struct fb_program_run second = start_twin("d");
    bool first_ends = false;
    for (int64_t end_ms = fb_wall_ms() + PATIENCE_S * 1000;; usleep(50000)) {
        first_ends = fb_program_said(&first, why);
        if (first_ends || fb_program_said(&second, why))
            break;
        assert_true(fb_wall_ms() < end_ms);
    }
    assert_int_equal(fb_program_wait(first_ends ? &first : &second), 3);
    fb_topic_put(address, input, 0, 0, "x", "{\"id\":\"x\",\"temp\":90}", NULL, 0);
    await_committed(first_ends ? &second : &first, address, group, input, 1);
    fb_program_signal(first_ends ? &second : &first, SIGTERM);
    assert_int_equal(fb_program_wait(first_ends ? &second : &first), 0);
}

static void a_position_that_the_topic_has_lost_is_an_error(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char input[64], group[64];
    fb_topic_name(input, "events");
    fb_topic_name(group, "app");
    fb_write_text(fb_path_of("small.rules"), small_rules, input);
    fb_topic_create(address, input, PARTITIONS, NULL);
    struct fb_program_run run = start_instance("c", address, group);
    fb_topic_put(address, input, 1, 0, "x", "{\"id\":\"x\",\"temp\":60}", NULL, 0);
    await_committed(&run, address, group, input, 1);
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);
    for (int i = 0; i < 3; i++)
        fb_topic_put(address, input, 1, 0, "x", "{\"id\":\"x\",\"temp\":90}", NULL, 0);
    fb_topic_cut(address, input, 1, 3);
    run = start_instance("c", address, group);
    assert_int_equal(fb_program_wait(&run), 3);
    assert_true(fb_program_said(&run, "is no longer in the topic: records were deleted before"));
}

static void what_cannot_start_says_why(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char input[64], servers[128], expected[256];
    fb_topic_name(input, "none");
    fb_write_text(fb_path_of("small.rules"), small_rules, input);
    snprintf(servers, sizeof servers, "kafka.bootstrap.servers=%s", address);
    const char *const no_topic[] = {"run", "--rules", fb_path_of("small.rules"),
                                    "-X",  servers,   NULL};
    struct fb_program_run run = fb_program_start(fb_folder(), "wrong.log", no_topic);
    assert_int_equal(fb_program_wait(&run), 2);
    snprintf(expected, sizeof expected, "the input topic '%s' does not exist", input);
    assert_true(fb_program_said(&run, expected));

    const char *const no_broker[] = {
        "run", "--rules", fb_path_of("small.rules"), "-X", "kafka.bootstrap.servers=127.0.0.1:1",
        NULL};
    run = fb_program_start(fb_folder(), "wrong.log", no_broker);
    assert_int_equal(fb_program_wait(&run), 3);
    assert_true(fb_program_said(&run, "cannot reach Kafka at 127.0.0.1:1"));
    assert_true(fb_program_said(&run, "Connection refused"));

    const char *const no_key[] = {"run", "--rules",      fb_path_of("small.rules"),
                                  "-X",  "start.form=x", NULL};
    run = fb_program_start(fb_folder(), "wrong.log", no_key);
    assert_int_equal(fb_program_wait(&run), 2);
    assert_true(fb_program_said(&run, "did you mean 'start.from'?"));

    fb_topic_create(address, input, 1, NULL);
    const char *const no_output[] = {"run",
                                     "--rules",
                                     fb_path_of("small.rules"),
                                     "-X",
                                     servers,
                                     "-X",
                                     "topics.create=false",
                                     "-X",
                                     "application.id=no-output",
                                     NULL};
    run = fb_program_start(fb_folder(), "wrong.log", no_output);
    assert_int_equal(fb_program_wait(&run), 2);
    assert_true(fb_program_said(&run, "the output topic 'no-output.alerts' does not exist"));

    char application[64], forgetful[128];
    fb_topic_name(application, "app");
    snprintf(forgetful, sizeof forgetful, "application.id=%s", application);
    const char *const too_short[] = {"run",
                                     "--rules",
                                     fb_path_of("small.rules"),
                                     "-X",
                                     servers,
                                     "-X",
                                     forgetful,
                                     "-X",
                                     "journal.retention.ms=3600000",
                                     "-X",
                                     "snapshot.interval.max.ms=3600000",
                                     NULL};
    run = fb_program_start(fb_folder(), "wrong.log", too_short);
    assert_int_equal(fb_program_wait(&run), 2);
    snprintf(expected, sizeof expected, "the topic '%s.journal' keeps its records for 3600 s",
             application);
    assert_true(fb_program_said(&run, expected));
    assert_true(fb_program_said(&run, "at least 4 times snapshot.interval.max.ms, 14400 s"));
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_those_of_replay_though_the_broker_goes_and_comes),
        cmocka_unit_test(a_task_keeps_its_state_when_its_partition_comes_back),
        cmocka_unit_test(nothing_is_lost_when_the_engine_is_killed),
        cmocka_unit_test(of_two_processes_with_one_identity_one_ends_and_says_why),
        cmocka_unit_test(a_position_that_the_topic_has_lost_is_an_error),
        cmocka_unit_test(what_cannot_start_says_why),
    };
    return cmocka_run_group_tests(tests, fb_folder_make, fb_folder_remove);
}
