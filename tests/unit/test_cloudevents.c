/* CloudEvents in binary mode are read as the same events in structured mode.
 *
 * Place in the flow: engine/run/cloudevent, and engine/run/task before the decoder. */
#include "engine/run/cloudevent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/run/task.h"
#include "tests/unit/bundle_of_text.h"

struct message {
    struct fb_header headers[16];
    uint32_t n;
};

static uint32_t headers_of(void *from, struct fb_header *headers, uint32_t max) {
    struct message *message = from;
    for (uint32_t i = 0; i < message->n && i < max; i++)
        headers[i] = message->headers[i];
    return message->n;
}

static void add(struct message *message, const char *name, const char *value) {
    message->headers[message->n++] =
        (struct fb_header){fb_str_of(name), value ? fb_str_of(value) : (struct fb_str){NULL, 0}};
}

static struct message binary(void) {
    struct message message = {.n = 0};
    add(&message, "ce_specversion", "1.0");
    add(&message, "ce_subject", "p-1");
    add(&message, "ce_time", "2026-01-01T00:00:00Z");
    return message;
}

/* ---- the event put together ---- */

static void expect_whole(const struct message *message, const char *value, const char *expected) {
    struct message copy = *message;
    struct fb_record record = {.headers = headers_of, .message = &copy};
    if (value)
        record.value = fb_str_of(value);
    struct fb_cloudevents *events = fb_cloudevents_new();
    struct fb_str whole = fb_cloudevents_whole(events, &record);
    if (!expected)
        assert_null(whole.p);
    else if (!fb_str_eq(whole, fb_str_of(expected)))
        fail_msg("%.*s is not %s", FB_ARG(whole), expected);
    fb_cloudevents_free(events);
}

#define ATTRIBUTES "{\"specversion\":\"1.0\",\"subject\":\"p-1\",\"time\":\"2026-01-01T00:00:00Z\""

static void attributes_stand_before_the_data(void **state) {
    (void)state;
    struct message message = binary();
    expect_whole(&message, "{\"temp\":5}", ATTRIBUTES ",\"data\":{\"temp\":5}}");
    expect_whole(&message, " {\"data\":1,\"data\":2}\n ",
                 ATTRIBUTES ",\"data\": {\"data\":1,\"data\":2}\n }");
    expect_whole(&message, NULL, ATTRIBUTES "}");
    add(&message, "content-type", "application/json");
    add(&message, "ce_site2", "a \"quoted\"\n word");
    expect_whole(&message, "{}",
                 ATTRIBUTES ",\"datacontenttype\":\"application/json\","
                            "\"site2\":\"a \\\"quoted\\\"\\n word\",\"data\":{}}");
}

static void headers_that_are_no_attributes_are_left_alone(void **state) {
    (void)state;
    struct message message = binary();
    add(&message, "traceparent", "x");
    add(&message, "ce_", "x");
    add(&message, "ce_data", "x");
    add(&message, "ce_Upper", "x");
    add(&message, "ce_none", NULL);
    add(&message, "ce_latin", "\xe9");
    expect_whole(&message, "{}", ATTRIBUTES ",\"data\":{}}");
}

static void what_is_no_event_with_one_object_stands_for_itself(void **state) {
    (void)state;
    struct message message = binary(), plain = {.n = 0};
    add(&plain, "ce_subject", "p-1");
    expect_whole(&plain, "{\"temp\":5}", NULL);
    static const char *const values[] = {
        "poison", "[{\"temp\":5}]", "{\"temp\":5}{\"temp\":6}",           " ",
        "5",      "{\"temp\":5",    "{\"temp\":5},\"subject\":\"other\"", "null"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        expect_whole(&message, values[i], NULL);
}

/* ---- a task ---- */

static const char *const rules =
    "device pump from \"events\" { key subject  time time  temp : number [degC] from \"data.temp\" "
    "}\n"
    "device plain from \"plain\" { key subject  time time  data : number }\n"
    "event hot on pump { whenever temp > 80 degC  message \"{device} {temp}\" }\n"
    "event any on plain { whenever data > 0 }\n";

static struct fb_bundle *bundle;
static struct fb_task_config config;
static struct fb_task *task;

static int make_task(void **state) {
    (void)state;
    struct fb_bundle_settings settings = {.max_skew_us = 600000000};
    bundle = bundle_of_text(rules, &settings);
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

/* The one output of a record. */
static struct fb_str output_of(const struct message *message, const char *value) {
    static int64_t offset;
    struct message copy = *message;
    struct fb_record record = {.topic = FB_S("events"),
                               .value = fb_str_of(value),
                               .offset = offset++,
                               .stamp_us = FB_NO_STAMP,
                               .headers = headers_of,
                               .message = &copy};
    struct fb_batch *batch = fb_task_batch(task);
    struct fb_outgoing out;
    struct fb_header headers[FB_BATCH_HEADERS_MAX];
    fb_batch_clear(batch);
    fb_task_record(task, fb_routes_find(&bundle->routes, FB_S("events")), &record,
                   INT64_C(1767225600000000));
    assert_int_equal(fb_batch_count(batch), 1);
    fb_batch_at(batch, 0, &out, headers);
    return out.value;
}

static void expect_message(const struct message *message, const char *value, const char *text) {
    struct fb_str out = output_of(message, value);
    assert_non_null(memmem(out.p, out.n, text, strlen(text)));
}

static void one_device_block_takes_both_modes(void **state) {
    (void)state;
    struct message event = binary(), none = {.n = 0};
    expect_message(&event, "{\"temp\":90}", "\"message\":\"p-1 90 degC\"");
    expect_message(&none, ATTRIBUTES ",\"data\":{\"temp\":91}}", "\"message\":\"p-1 91 degC\"");
}

static void a_dead_letter_holds_the_value_as_it_came(void **state) {
    (void)state;
    struct message event = binary();
    event.headers[2].value = FB_S("noon");
    assert_true(fb_str_eq(output_of(&event, "{\"temp\": 90}"), FB_S("{\"temp\": 90}")));
    assert_true(fb_str_eq(output_of(&event, "poison"), FB_S("poison")));
}

static void only_topics_that_read_data_look_for_events(void **state) {
    (void)state;
    uint32_t events = fb_routes_find(&bundle->routes, FB_S("events"));
    uint32_t plain = fb_routes_find(&bundle->routes, FB_S("plain"));
    assert_true(fb_cloudevents_wanted(bundle->program, &bundle->routes.items[events]));
    assert_false(fb_cloudevents_wanted(bundle->program, &bundle->routes.items[plain]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_stand_before_the_data),
        cmocka_unit_test(headers_that_are_no_attributes_are_left_alone),
        cmocka_unit_test(what_is_no_event_with_one_object_stands_for_itself),
        cmocka_unit_test(one_device_block_takes_both_modes),
        cmocka_unit_test(a_dead_letter_holds_the_value_as_it_came),
        cmocka_unit_test(only_topics_that_read_data_look_for_events),
    };
    return cmocka_run_group_tests(tests, make_task, free_task);
}
