/* What of a record's headers goes along with what it causes.
 *
 * Place in the flow: engine/run/headers, and engine/run/task with a record that has some. */
#include "engine/run/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/run/task.h"
#include "tests/unit/bundle_of_text.h"

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define OTHER "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"

/* A message of a source, and how often its headers were asked for. */
struct message {
    struct fb_header headers[80];
    uint32_t n;
    int asked;
};

static uint32_t headers_of(void *from, struct fb_header *headers, uint32_t max) {
    struct message *message = from;
    message->asked++;
    for (uint32_t i = 0; i < message->n && i < max; i++)
        headers[i] = message->headers[i];
    return message->n;
}

static struct fb_record record_of(struct message *message) {
    return (struct fb_record){
        .topic = FB_S("in"), .key = FB_S("a"), .headers = headers_of, .message = message};
}

static void add(struct message *message, const char *name, const char *value) {
    message->headers[message->n++] =
        (struct fb_header){fb_str_of(name), value ? fb_str_of(value) : (struct fb_str){NULL, 0}};
}

/* ---- traces ---- */

static void expect_trace(struct message *message, const char *expected) {
    struct fb_record record = record_of(message);
    char bytes[FB_TRACE_BYTES];
    assert_true(fb_str_eq(fb_headers_trace(&record, bytes), fb_str_of(expected)));
}

static void the_events_own_trace_comes_before_the_transports(void **state) {
    (void)state;
    struct message message = {.n = 0};
    expect_trace(&message, "");
    add(&message, "other", TRACE);
    expect_trace(&message, "");
    add(&message, "traceparent", TRACE);
    expect_trace(&message, TRACE);
    add(&message, "ce_traceparent", OTHER);
    expect_trace(&message, OTHER);
    expect_trace(&(struct message){.headers = {{FB_S("ce_traceparent"), FB_S("broken")},
                                               {FB_S("traceparent"), FB_S(TRACE)}},
                                   .n = 2},
                 TRACE);
    char bytes[FB_TRACE_BYTES];
    struct fb_record without = {.topic = FB_S("in")};
    assert_int_equal(fb_headers_trace(&without, bytes).n, 0);
}

static void what_is_no_trace_is_left_out(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "00",
                                        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                                        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                        "00-0af7651916cd43dd8448eb211c80319c+b7ad6b7169203331-01",
                                        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331+01",
                                        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
                                        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
                                        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct message message = {.n = 0};
        add(&message, "traceparent", wrong[i]);
        expect_trace(&message, "");
    }
    struct message message = {.n = 0};
    add(&message, "traceparent", NULL);
    expect_trace(&message, "");
}

/* ---- hops ---- */

static void hops_are_digits_and_saturate(void **state) {
    (void)state;
    static const struct {
        const char *value;
        uint8_t hops;
    } cases[] = {{"0", 0},
                 {"1", 1},
                 {"3", 3},
                 {"254", 254},
                 {"255", 255},
                 {"256", 255},
                 {"99999999999999999999", 255},
                 {"", 0},
                 {"-1", 0},
                 {"+1", 0},
                 {"2 ", 0},
                 {"2.0", 0},
                 {"x", 0},
                 {"007", 7},
                 {NULL, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message message = {.n = 0};
        add(&message, "hop", "9");
        add(&message, "ce_hop", cases[i].value);
        add(&message, "ce_hop", "8");
        struct fb_record record = record_of(&message);
        assert_int_equal(fb_headers_hops(&record), cases[i].hops);
    }
    struct fb_record without = {.topic = FB_S("in")};
    assert_int_equal(fb_headers_hops(&without), 0);
}

/* ---- dead letters ---- */

static void a_dead_letter_keeps_all_but_our_own(void **state) {
    (void)state;
    struct message message = {.n = 0};
    add(&message, "a", "1");
    add(&message, "fb_reason", "JSON_SYNTAX");
    add(&message, "a", NULL);
    add(&message, "fbx", "");
    struct fb_record record = record_of(&message);
    struct fb_header kept[FB_HEADERS_DEAD_MAX];
    char count[16];
    assert_int_equal(fb_headers_of_dead(&record, kept, count), 3);
    assert_true(fb_str_eq(kept[0].name, FB_S("a")) && fb_str_eq(kept[0].value, FB_S("1")));
    assert_true(fb_str_eq(kept[1].name, FB_S("a")));
    assert_null(kept[1].value.p);
    assert_true(fb_str_eq(kept[2].name, FB_S("fbx")));
    assert_non_null(kept[2].value.p);
}

static void headers_that_are_too_many_are_counted(void **state) {
    (void)state;
    struct message message = {.n = 0};
    for (int i = 0; i < 60; i++)
        add(&message, i == 5 ? "fb_detail" : "name", "value");
    struct fb_record record = record_of(&message);
    struct fb_header kept[FB_HEADERS_DEAD_MAX];
    char count[16];
    assert_int_equal(fb_headers_of_dead(&record, kept, count), 48);
    assert_true(fb_str_eq(kept[46].name, FB_S("name")));
    assert_true(fb_str_eq(kept[47].name, FB_S("fb_headers_left_out")));
    assert_true(fb_str_eq(kept[47].value, FB_S("12")));
}

static void headers_that_are_too_large_are_counted(void **state) {
    (void)state;
    char *large = fb_alloc(40001);
    memset(large, 'x', 40000);
    struct message message = {.n = 0};
    add(&message, "a", large);
    add(&message, "b", large);
    add(&message, "c", "1");
    struct fb_record record = record_of(&message);
    struct fb_header kept[FB_HEADERS_DEAD_MAX];
    char count[16];
    assert_int_equal(fb_headers_of_dead(&record, kept, count), 2);
    assert_int_equal(kept[0].value.n, 40000);
    assert_true(fb_str_eq(kept[1].value, FB_S("2")));
    free(large);
}

/* ---- a task ---- */

static struct fb_bundle *bundle;
static struct fb_task_config config;
static struct fb_task *task;

static int make_task(void **state) {
    (void)state;
    struct fb_bundle_settings settings = {.max_skew_us = 600000000, .max_hops = 3};
    bundle = bundle_of_text("device m from \"in\" { key id  time ts [s]  x : number }\n"
                            "event high on m { whenever x > 5 }\n"
                            "event quiet on m { when silent for 10s }\n",
                            &settings);
    config =
        (struct fb_task_config){.application = FB_S("t"), .room = {FB_BATCH_MEMORY_MAX, "/tmp"}};
    task = fb_task_new(&config, bundle, 0);
    fb_task_set_next(task, 0, 0);
    return 0;
}

static int free_task(void **state) {
    (void)state;
    fb_task_free(task);
    fb_bundle_drop(bundle);
    return 0;
}

/* Takes a record; gives what it caused: a word an output, "-" for one without a trace. */
static const char *cause(struct message *message, const char *value) {
    static int64_t offset;
    static char text[512];
    struct fb_record record = record_of(message);
    record.value = fb_str_of(value);
    record.offset = offset++;
    record.stamp_us = FB_NO_STAMP;
    fb_task_record(task, 0, &record, INT64_C(1000000000000));
    struct fb_batch *batch = fb_task_batch(task);
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < fb_batch_count(batch); i++) {
        struct fb_outgoing out;
        struct fb_header headers[FB_BATCH_HEADERS_MAX];
        static const char *const names[] = {"alert", "late", "dead"};
        const char *stream = names[fb_batch_at(batch, i, &out, headers)], *trace = "-";
        for (uint32_t k = 0; k < out.n_headers; k++)
            if (fb_str_eq(headers[k].name, FB_S("ce_traceparent")) ||
                fb_str_eq(headers[k].name, FB_S("traceparent")))
                trace = headers[k].value.p;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s %.6s;", stream, trace);
    }
    fb_batch_clear(batch);
    return text;
}

static void outputs_of_a_record_carry_its_trace_and_those_of_timers_none(void **state) {
    (void)state;
    struct message plain = {.n = 0}, traced = {.n = 0};
    add(&traced, "traceparent", TRACE);
    assert_string_equal(cause(&traced, "{\"id\":\"a\",\"ts\":100,\"x\":1}"), "");
    assert_int_equal(traced.asked, 1); /* for hops: nothing came of it */
    assert_string_equal(cause(&traced, "{\"id\":\"a\",\"ts\":101,\"x\":6}"), "alert 00-0af;");
    assert_int_equal(traced.asked, 3);
    assert_string_equal(cause(&plain, "{\"id\":\"a\",\"ts\":102,\"x\":6}"), "alert -;");
    assert_string_equal(cause(&traced, "{\"id\":\"a\",\"ts\":120,\"x\":6}"),
                        "alert -;alert 00-0af;"); /* the silence first */
    assert_string_equal(cause(&traced, "{\"id\":\"a\",\"ts\":10,\"x\":6}"), "late 00-0af;");
    assert_string_equal(cause(&traced, "poison"), "dead 00-0af;");
    traced.asked = 0;
    assert_string_equal(cause(&traced, "{\"id\":\"b\",\"ts\":120,\"x\":7}\n"
                                       "{\"id\":\"c\",\"ts\":120,\"x\":8}\n"),
                        "alert 00-0af;alert 00-0af;");
    assert_int_equal(traced.asked, 2); /* once a record for each */
}

/* Takes a record with so many hops; gives the first output and its hop, "alert 2". */
static const char *caused_hop(const char *hops, const char *value) {
    static char text[64];
    static int64_t offset;
    struct message message = {.n = 0};
    add(&message, "ce_hop", hops);
    struct fb_record record = record_of(&message);
    record.value = fb_str_of(value);
    record.offset = offset++;
    record.stamp_us = FB_NO_STAMP;
    fb_task_record(task, 0, &record, INT64_C(1000000000000));
    struct fb_batch *batch = fb_task_batch(task);
    struct fb_outgoing out;
    struct fb_header headers[FB_BATCH_HEADERS_MAX];
    text[0] = '\0';
    if (fb_batch_count(batch)) {
        const char *hop = "-", *reason = "";
        bool dead = fb_batch_at(batch, 0, &out, headers) == FB_STREAM_DEAD;
        for (uint32_t k = 0; k < out.n_headers; k++) {
            if (fb_str_eq(headers[k].name, FB_S("ce_hop")))
                hop = headers[k].value.p;
            if (fb_str_eq(headers[k].name, FB_S("fb_reason")))
                reason = headers[k].value.p;
        }
        snprintf(text, sizeof text, "%s%s %s", dead ? "dead " : "alert", reason, hop);
    }
    fb_batch_clear(batch);
    return text;
}

static void what_came_round_too_often_is_a_dead_letter_and_changes_nothing(void **state) {
    (void)state;
    assert_string_equal(caused_hop("", "{\"id\":\"a\",\"ts\":100,\"x\":6}"), "alert 1");
    assert_string_equal(caused_hop("3", "{\"id\":\"b\",\"ts\":100,\"x\":6}"), "alert 4");
    assert_string_equal(caused_hop("4", "{\"id\":\"c\",\"ts\":100,\"x\":6}"), "dead HOPS 4");
    assert_string_equal(caused_hop("4", "{\"id\":\"a\",\"ts\":111,\"x\":6}"), "dead HOPS 4");
    assert_int_equal(fb_core_stats(fb_task_core(task)).devices, 2); /* c is none */
    assert_string_equal(caused_hop("2", "{\"id\":\"b\",\"ts\":101,\"x\":6}"), "alert 4");
    assert_string_equal(caused_hop("2", "{\"id\":\"a\",\"ts\":10,\"x\":6}"), "alert 3"); /* late */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_events_own_trace_comes_before_the_transports),
        cmocka_unit_test(what_is_no_trace_is_left_out),
        cmocka_unit_test(a_dead_letter_keeps_all_but_our_own),
        cmocka_unit_test(headers_that_are_too_many_are_counted),
        cmocka_unit_test(headers_that_are_too_large_are_counted),
        cmocka_unit_test_setup_teardown(
            outputs_of_a_record_carry_its_trace_and_those_of_timers_none, make_task, free_task),
        cmocka_unit_test(hops_are_digits_and_saturate),
        cmocka_unit_test_setup_teardown(
            what_came_round_too_often_is_a_dead_letter_and_changes_nothing, make_task, free_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
