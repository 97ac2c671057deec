/* What of a record's headers the outputs carry, on a real broker: the trace, the hops, and what a
 * dead letter keeps. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/kafka/broker.h"
#include "tests/kafka/program.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/topic.h"

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static int tear_down(void **state) {
    (void)state;
    static const char *const files[] = {"hot.rules", "run.log", "a.rules",    "b.rules",
                                        "a.log",     "b.log",   "explain.log"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(fb_path_of(files[i]));
    return rmdir(fb_folder());
}

static struct fb_topic_header header(const char *name, const char *value) {
    return (struct fb_topic_header){(char *)name, (char *)value, strlen(value)};
}

static void write_rules(const char *path, const char *input) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "device m from \"%s\" { key id  time arrival  temp : number [degC] }\n"
            "alarm hot on m { raise high when temp > 80 degC until temp < 70 degC }\n",
            input);
    fclose(file);
}

static void outputs_carry_the_trace_and_dead_letters_their_headers(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char input[64], app[64], alerts[80], dead[80], setting[2][128];
    fb_topic_name(input, "events");
    fb_topic_name(app, "app");
    snprintf(alerts, sizeof alerts, "%s.alerts", app);
    snprintf(dead, sizeof dead, "%s.dead", app);
    snprintf(setting[0], sizeof setting[0], "kafka.bootstrap.servers=%s", address);
    snprintf(setting[1], sizeof setting[1], "application.id=%s", app);
    const char *rules = fb_path_of("hot.rules");
    write_rules(rules, input);
    fb_topic_create(address, input, 1, NULL);
    struct fb_topic_header traced[] = {header("other", "x"), header("traceparent", TRACE)};
    struct fb_topic_header poison[] = {header("fb_reason", "OLD"), header("tenant", "blue"),
                                       header("empty", ""), header("traceparent", TRACE)};
    fb_topic_put(address, input, 0, 0, "a", "{\"id\":\"a\",\"temp\":90}", traced, 2);
    fb_topic_put(address, input, 0, 0, "a", "{\"id\":\"a\",\"temp\":60}", NULL, 0);
    fb_topic_put(address, input, 0, 0, "a", "poison", poison, 4);
    const char *const args[] = {"run",      "--rules",  rules, "-X", setting[0], "-X",
                                setting[1], "-X", "start.from=earliest", NULL};
    struct fb_program_run run = fb_program_start(fb_folder(), "run.log", args);
    fb_program_await(&run, "created topic");

    struct fb_records got = fb_topic_await(address, alerts, true, 2);
    assert_non_null(strstr(got.v[0].value, "\"event\":\"raised\""));
    assert_string_equal(fb_record_header(&got.v[0], "ce_traceparent"), TRACE);
    assert_null(fb_record_header(&got.v[0], "other"));
    assert_non_null(strstr(got.v[1].value, "\"event\":\"cleared\""));
    assert_null(fb_record_header(&got.v[1], "ce_traceparent"));
    fb_records_free(&got);

    got = fb_topic_await(address, dead, true, 1);
    assert_string_equal(got.v[0].value, "poison");
    assert_string_equal(fb_record_header(&got.v[0], "fb_offset"), "2");
    assert_string_equal(fb_record_header(&got.v[0], "tenant"), "blue");
    assert_string_equal(fb_record_header(&got.v[0], "empty"), "");
    assert_string_equal(fb_record_header(&got.v[0], "traceparent"), TRACE);
    for (size_t i = 0; i < got.v[0].headers_n; i++)
        assert_string_not_equal(got.v[0].headers[i].value, "OLD");
    fb_records_free(&got);
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);
}

/* ---- applications that feed each other ---- */

/* Reads events and gives some. */
static void write_circle(const char *path, const char *input, const char *events) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "device m from \"%s\" { key device  time arrival  withheld : integer }\n"
            "event again on m { whenever withheld >= 0 }\n",
            events);
    if (input)
        fprintf(file,
                "device first from \"%s\" { key id  time arrival  x : number }\n"
                "event begin on first { whenever x > 5 }\n",
                input);
    fclose(file);
}

static struct fb_program_run start_app(const char *app, const char *rules, const char *log) {
    char setting[3][128];
    snprintf(setting[0], sizeof setting[0], "kafka.bootstrap.servers=%s", fb_broker_shared());
    snprintf(setting[1], sizeof setting[1], "application.id=%s", app);
    snprintf(setting[2], sizeof setting[2], "instance.id=%s", app);
    const char *const args[] = {"run",
                                "--rules",
                                rules,
                                "-X",
                                setting[0],
                                "-X",
                                setting[1],
                                "-X",
                                setting[2],
                                "-X",
                                "start.from=earliest",
                                NULL};
    return fb_program_start(fb_folder(), log, args);
}

/* Events are in no trail: they are found in their own topic. */
static void expect_event_explained(const char *app, const char *alerts) {
    char setting[2][128];
    struct fb_records got = fb_topic_read(fb_broker_shared(), alerts, true);
    snprintf(setting[0], sizeof setting[0], "kafka.bootstrap.servers=%s", fb_broker_shared());
    snprintf(setting[1], sizeof setting[1], "application.id=%s", app);
    const char *const args[] = {
        "explain", fb_record_header(&got.v[0], "ce_id"), "-X", setting[0], "-X", setting[1], NULL};
    assert_int_equal(fb_program_do(fb_folder(), "explain.log", args), 0);
    struct fb_program_run told = fb_program_done(fb_folder(), "explain.log");
    assert_true(fb_program_said(&told, "event begin/p"));
    fb_records_free(&got);
}

static void a_circle_of_applications_comes_to_an_end(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char input[64], a[64], b[64], a_alerts[80], b_alerts[80], dead[80];
    fb_topic_name(input, "begin");
    fb_topic_name(a, "a");
    fb_topic_name(b, "b");
    snprintf(a_alerts, sizeof a_alerts, "%s.alerts", a);
    snprintf(b_alerts, sizeof b_alerts, "%s.alerts", b);
    snprintf(dead, sizeof dead, "%s.dead", a);
    write_circle(fb_path_of("a.rules"), input, b_alerts);
    write_circle(fb_path_of("b.rules"), NULL, a_alerts);
    fb_topic_create(address, input, 1, NULL);
    fb_topic_create(address, a_alerts, 1, NULL);
    fb_topic_create(address, b_alerts, 1, NULL);
    fb_topic_create(address, dead, 1, NULL);
    fb_topic_put(address, input, 0, 0, "p", "{\"id\":\"p\",\"x\":6}", NULL, 0);
    struct fb_program_run run_a = start_app(a, fb_path_of("a.rules"), "a.log");
    struct fb_program_run run_b = start_app(b, fb_path_of("b.rules"), "b.log");

    struct fb_records got = fb_topic_await(address, dead, true, 1);
    assert_string_equal(fb_record_header(&got.v[0], "fb_reason"), "HOPS");
    assert_string_equal(fb_record_header(&got.v[0], "ce_hop"), "4");
    fb_records_free(&got);
    static const char *const hops[] = {"1", "2", "3", "4"};
    for (int i = 0; i < 4; i++) {
        got = fb_topic_await(address, i % 2 ? b_alerts : a_alerts, true, 2);
        assert_int_equal(got.n, 2);
        assert_string_equal(fb_record_header(&got.v[i / 2], "ce_hop"), hops[i]);
        fb_records_free(&got);
    }
    fb_program_await(&run_a, "it came through 4 applications");
    expect_event_explained(a, a_alerts);
    fb_program_signal(&run_a, SIGTERM);
    fb_program_signal(&run_b, SIGTERM);
    assert_int_equal(fb_program_wait(&run_a), 0);
    assert_int_equal(fb_program_wait(&run_b), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_carry_the_trace_and_dead_letters_their_headers),
        cmocka_unit_test(a_circle_of_applications_comes_to_an_end),
    };
    return cmocka_run_group_tests(tests, fb_folder_make, tear_down);
}
