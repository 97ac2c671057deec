/* What the encoder writes, to the byte. */
#include "engine/codec/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/connector.h"
#include "engine/codec/json_write.h"
#include "tests/schemas/sample.h"

static struct fb_encoder *encoder;
static struct fb_buf line;

static int set_up(void **state) {
    (void)state;
    encoder = fb_encoder_new(sample_program(), FB_S("plant"));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fb_encoder_free(encoder);
    fb_buf_free(&line);
    return 0;
}

static const char *line_of(struct fb_output output) {
    struct fb_encoded encoded;
    line.n = 0;
    fb_encode(encoder, &output, (struct fb_circumstance){0}, &encoded);
    fb_encode_line(&encoded, &line);
    return fb_buf_terminated(&line);
}

static const char *dead_line_of(struct fb_dead_letter letter) {
    struct fb_encoded encoded;
    line.n = 0;
    fb_encode_dead(encoder, &letter, &encoded);
    fb_encode_line(&encoded, &line);
    return fb_buf_terminated(&line);
}

static void id_of(struct fb_output output, char id[33]) {
    struct fb_encoded encoded;
    fb_encode(encoder, &output, (struct fb_circumstance){0}, &encoded);
    memcpy(id, encoded.id, 33);
}

static void an_alert_is_a_cloud_event_on_one_line(void **state) {
    (void)state;
    assert_string_equal(
        line_of(sample_alert()),
        "{\"specversion\":\"1.0\",\"id\":\"b4e9c70052cae649b101db272e8d1679\","
        "\"source\":\"/flyball/plant\","
        "\"type\":\"flyball.alert\",\"subject\":\"overheat/p-1\","
        "\"time\":\"2026-11-21T07:59:59.123Z\",\"datacontenttype\":\"application/json\",\"data\":{"
        "\"alarm\":\"overheat/p-1\",\"rule\":\"overheat\",\"rule_version\":\"0123456789ab\","
        "\"device\":\"p-1\",\"event\":\"raised\",\"active\":true,\"acked\":false,"
        "\"latched\":false,\"shelved\":false,\"suppressed\":false,\"severity\":\"high\","
        "\"message\":\"p-1: 80.2 degC, 98.6%, true, on \\\"hot\\\", 2026-11-21T07:59:59.123Z, "
        "unknown\",\"response\":\"see overheat / high\",\"labels\":{\"team\":\"cooling\\n\"},"
        "\"at\":\"2026-11-21T07:59:59.123Z\",\"since\":\"2026-11-21T07:59:59.123Z\",\"values\":{"
        "\"count\":{\"value\":-9223372036854775808,\"unit\":null,\"quality\":\"good\"},"
        "\"flow\":{\"value\":null,\"unit\":\"m3/h\",\"quality\":\"stale\"},"
        "\"load\":{\"value\":98.60000000000001,\"unit\":\"%\",\"quality\":\"good\"},"
        "\"mode\":{\"value\":\"on \\\"hot\\\"\",\"unit\":null,\"quality\":\"good\"},"
        "\"note\":{\"value\":\"a\\tb\\u0001\\\\\",\"unit\":null,\"quality\":\"good\"},"
        "\"running\":{\"value\":false,\"unit\":null,\"quality\":\"good\"},"
        "\"seen\":{\"value\":\"1970-01-01T00:00:00.000Z\",\"unit\":null,\"quality\":\"good\"},"
        "\"temp\":{\"value\":0,\"unit\":\"degC\",\"quality\":\"good\"}},"
        "\"tags\":{\"floor\":null,\"site\":\"K\xC3\xB6ln\"},\"initial\":false,"
        "\"historical\":false}}\n");
}

static void a_rule_without_texts_gives_nulls_and_empty_objects(void **state) {
    (void)state;
    const char *text = line_of(sample_cleared());
    assert_non_null(strstr(text, "\"event\":\"cleared\",\"active\":false,"));
    assert_non_null(strstr(text, "\"message\":null,\"response\":null,\"labels\":{},"));
    assert_non_null(strstr(text, "\"since\":\"2026-11-21T07:58:59.123Z\",\"values\":{},"));
}

static void an_alert_of_a_rule_that_is_gone_says_removed(void **state) {
    (void)state;
    assert_non_null(strstr(line_of(sample_removed()), "\"event\":\"removed\",\"active\":false,"));
}

static void what_operators_say_of_an_alarm_has_an_author_and_an_end(void **state) {
    (void)state;
    const char *text = line_of(sample_shelved());
    assert_non_null(strstr(text, "\"event\":\"shelved\",\"active\":true,\"acked\":false,"
                                 "\"latched\":false,\"shelved\":true,\"suppressed\":true,"));
    assert_non_null(strstr(text, "\"historical\":false,\"who\":\"ann\","
                                 "\"reason\":\"\\\"repair\\\"\","
                                 "\"until\":\"2026-11-21T08:00:59.123Z\",\"once\":true}}"));
    text = line_of(sample_acked());
    assert_non_null(strstr(text, "\"event\":\"acked\",\"active\":true,\"acked\":true,"));
    assert_non_null(strstr(text, "\"historical\":false,\"who\":\"ann\"}}"));
    text = line_of(sample_suppressed());
    assert_non_null(strstr(text, "\"who\":\"ann\",\"until\":\"2026-11-21T08:01:59.123Z\"}}"));
    text = line_of(sample_unshelved());
    assert_non_null(strstr(text, "\"shelved\":false,\"suppressed\":true,"));
    assert_non_null(strstr(text, "\"historical\":false}}"));
}

static void an_event_says_how_many_were_withheld(void **state) {
    (void)state;
    const char *text = line_of(sample_event());
    assert_non_null(strstr(text, "\"type\":\"flyball.event\",\"subject\":\"started/p-1\","));
    assert_non_null(strstr(text, "\"withheld\":7}}\n"));
}

static void a_command_says_what_its_actuator_is_to_be_and_for_how_long(void **state) {
    (void)state;
    assert_string_equal(
        line_of(sample_command()),
        "{\"specversion\":\"1.0\",\"id\":\"646917e9528f0c9791d35f9bbe8541a2\","
        "\"source\":\"/flyball/plant\",\"type\":\"flyball.command\",\"subject\":\"fan/p-1\","
        "\"time\":\"2026-11-21T07:59:59.123Z\",\"datacontenttype\":\"application/json\",\"data\":{"
        "\"actuator\":\"fan/p-1\",\"device\":\"p-1\",\"value\":\"full \\\"on\\\"\",\"unit\":null,"
        "\"requested\":\"full \\\"on\\\"\",\"priority\":9,\"rule\":\"overheat\","
        "\"rule_version\":\"0123456789ab\",\"reason\":\"claimed\","
        "\"at\":\"2026-11-21T07:59:59.123Z\",\"expires_at\":\"2026-11-21T08:00:29.123Z\","
        "\"lease_until\":\"2026-11-21T08:00:59.123Z\",\"epoch\":0,\"seq\":17,"
        "\"message\":\"p-1: 80.2 degC, 98.6%, true, on \\\"hot\\\", 2026-11-21T07:59:59.123Z, "
        "unknown\",\"response\":\"see overheat / high\",\"labels\":{\"team\":\"cooling\\n\"}}}\n");
}

static void a_command_of_the_default_has_no_rule(void **state) {
    (void)state;
    const char *text = line_of(sample_relinquished());
    assert_non_null(strstr(text, "\"value\":62.5,\"unit\":\"%\",\"requested\":140.5,"
                                 "\"priority\":null,\"rule\":null,\"rule_version\":null,"
                                 "\"reason\":\"slew\","));
    assert_non_null(strstr(text, "\"message\":null,\"response\":null,\"labels\":{}}}\n"));
}

static void a_command_carries_the_epoch_of_its_journal(void **state) {
    (void)state;
    struct fb_output output = sample_command();
    struct fb_encoded encoded;
    fb_encode(encoder, &output, (struct fb_circumstance){.epoch_ms = 1795247999123}, &encoded);
    assert_int_equal(encoded.stream, FB_STREAM_COMMANDS);
    assert_int_equal(encoded.to.n, 0);
    line.n = 0;
    fb_buf_str(&line, encoded.data);
    assert_non_null(strstr(fb_buf_terminated(&line), "\"epoch\":1795247999123,\"seq\":17,"));
}

static void a_shadow_is_of_another_type_and_stream(void **state) {
    (void)state;
    struct fb_output shadow = sample_shadow();
    struct fb_encoded encoded;
    char of_command[33];
    id_of(sample_command(), of_command);
    fb_encode(encoder, &shadow, (struct fb_circumstance){0}, &encoded);
    assert_string_equal(encoded.type, "flyball.shadow");
    assert_int_equal(encoded.stream, FB_STREAM_SHADOW);
    assert_true(fb_str_eq(encoded.subject, FB_S("fan/p-1")));
    assert_string_not_equal(encoded.id, of_command);
    assert_int_equal(encoded.to.n, 0); /* though its actuator names a topic */
}

static void a_command_goes_to_the_topic_of_its_actuator(void **state) {
    (void)state;
    struct fb_output output = sample_relinquished();
    struct fb_encoded encoded;
    fb_encode(encoder, &output, (struct fb_circumstance){0}, &encoded);
    assert_int_equal(encoded.stream, FB_STREAM_COMMANDS);
    assert_true(fb_str_eq(encoded.to, FB_S("plant.valves")));
    line.n = 0;
    fb_buf_str(&line, encoded.data); /* which says nothing of it */
    assert_null(strstr(fb_buf_terminated(&line), "plant.valves"));
}

static void the_id_of_a_command_is_of_its_actuator_and_number(void **state) {
    (void)state;
    char first[33], other[33];
    id_of(sample_command(), first);
    struct fb_output same = sample_command();
    same.value = 0;
    same.rule = NULL; /* another winner with another value, but that can not be */
    same.at_us++;
    id_of(same, other);
    assert_string_equal(first, other);
    struct fb_output different[] = {sample_command(), sample_command(), sample_command()};
    different[0].seq++;
    different[1].device = FB_S("p-2");
    different[2].cause.origin.offset++;
    for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
        id_of(different[i], other);
        assert_string_not_equal(first, other);
    }
}

static void a_late_record_is_embedded_on_one_line(void **state) {
    (void)state;
    assert_non_null(strstr(line_of(sample_late()),
                           "\"data\":{\"reason\":\"late\",\"at\":\"2026-11-21T07:59:59.123Z\","
                           "\"watermark\":\"2026-11-21T07:59:59.124Z\","
                           "\"event\":{\"id\":  \"p-1\"}}}\n"));
    assert_non_null(strstr(line_of(sample_future()),
                           "\"reason\":\"future\",\"at\":\"2026-11-21T07:59:59.123Z\","
                           "\"watermark\":null,\"event\":\"p-1,2099-01-01,\\\"5\\\"\"}}\n"));
}

static void a_dead_letter_keeps_every_byte(void **state) {
    (void)state;
    assert_non_null(
        strstr(dead_line_of(sample_dead()),
               "\"type\":\"flyball.dead\",\"datacontenttype\":\"application/json\",\"data\":{"
               "\"reason\":\"JSON_SYNTAX\",\"detail\":\"a value was expected\","
               "\"topic\":\"events\",\"partition\":-1,\"offset\":9,\"encoding\":\"utf-8\","
               "\"payload\":\"{\\\"id\\\":\\n}\"}}\n"));
    assert_non_null(strstr(dead_line_of(sample_dead_binary()),
                           "\"encoding\":\"base64\",\"payload\":\"/wABeno=\"}}\n"));
}

static void base64_pads_every_length(void **state) {
    (void)state;
    static const char *const expected[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="};
    for (size_t n = 0; n < 5; n++) {
        line.n = 0;
        fb_json_put_base64(&line, (struct fb_str){"foob", n});
        assert_string_equal(fb_buf_terminated(&line), expected[n]);
    }
}

/* Binary mode is the structured one taken apart. */
static void kafka_headers_carry_the_envelope(void **state) {
    (void)state;
    struct fb_encoded encoded;
    struct fb_header headers[FB_ENCODED_HEADERS_MAX];
    struct fb_output output = sample_alert();
    output.hop = 2;
    fb_encode(encoder, &output, (struct fb_circumstance){.initial = true, .historical = true},
              &encoded);
    line.n = 0;
    uint32_t n = fb_encode_headers(&encoded, headers);
    for (uint32_t i = 0; i < n; i++)
        fb_buf_printf(&line, "%.*s=%.*s;", FB_ARG(headers[i].name), FB_ARG(headers[i].value));
    char expected[512];
    snprintf(expected, sizeof expected,
             "ce_specversion=1.0;ce_id=%s;ce_source=/flyball/plant;ce_type=flyball.alert;"
             "ce_subject=overheat/p-1;ce_time=2026-11-21T07:59:59.123Z;"
             "ce_hop=2;content-type=application/json;",
             encoded.id);
    assert_string_equal(fb_buf_terminated(&line), expected);
    encoded.traceparent = FB_S("00-trace");
    assert_int_equal(fb_encode_headers(&encoded, headers), n + 1);
    assert_true(fb_str_eq(headers[n - 2].name, FB_S("ce_traceparent")));
    assert_true(fb_str_eq(headers[n - 2].value, encoded.traceparent));
    struct fb_str tail = FB_S("\"initial\":true,\"historical\":true}");
    assert_memory_equal(encoded.data.p + encoded.data.n - tail.n, tail.p, tail.n);
}

static void dead_letters_in_kafka_say_why_in_headers(void **state) {
    (void)state;
    struct fb_header headers[FB_ENCODED_HEADERS_MAX];
    struct fb_dead_letter letter = sample_dead();
    line.n = 0;
    uint32_t n = fb_encode_dead_headers(encoder, &letter, headers);
    for (uint32_t i = 0; i < n; i++)
        fb_buf_printf(&line, "%.*s=%.*s;", FB_ARG(headers[i].name), FB_ARG(headers[i].value));
    assert_string_equal(fb_buf_terminated(&line),
                        "fb_reason=JSON_SYNTAX;fb_detail=a value was expected;fb_topic=events;"
                        "fb_partition=-1;fb_offset=9;");
}

static void an_id_depends_on_the_decision_and_its_cause_only(void **state) {
    (void)state;
    char first[33], other[33];
    id_of(sample_alert(), first);
    assert_int_equal(strlen(first), 32);
    struct fb_output same = sample_alert();
    same.at_us += 5;
    same.withheld++;
    id_of(same, other);
    assert_string_equal(first, other);

    struct fb_output different[] = {sample_alert(), sample_alert(), sample_alert(),
                                    sample_alert(), sample_alert(), sample_alert()};
    different[0].device = FB_S("p-2");
    different[1].cause.origin.offset++;
    different[2].cause.origin.index++;
    different[3].cause.origin.partition++;
    different[4].severity = FB_LOW;
    different[5].cause = (struct fb_cause){.timer = true, .deadline_us = 41};
    for (size_t i = 0; i < 6; i++) {
        id_of(different[i], other);
        assert_string_not_equal(first, other);
    }
}

static void decimals_are_rounded_from_the_exact_value(void **state) {
    (void)state;
    static const struct {
        double x;
        int8_t decimals;
        const char *text;
    } cases[] = {{80.25, 1, "80.2"}, {80.35, 1, "80.3"},   {0.5, 0, "0"},
                 {1.5, 0, "2"},      {-0.0, 1, "0.0"},     {1e22, 0, "10000000000000000000000"},
                 {2.5, -1, "2.5"},   {1.0 / 3, 3, "0.333"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fb_slot slot = {.type = FB_T_NUMBER, .decimals = cases[i].decimals};
        struct fb_value value = {.num = cases[i].x, .quality = FB_Q_GOOD};
        struct fb_rule rule = {.slots = &slot, .n_slots = 1};
        struct fb_template_part part = {.kind = FB_PART_SLOT};
        struct fb_template text = {&part, 1};
        struct fb_output output = {.rule = &rule, .slots = &value};
        line.n = 0;
        fb_encode_template(&text, &output, &line);
        assert_string_equal(fb_buf_terminated(&line), cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert_is_a_cloud_event_on_one_line),
        cmocka_unit_test(a_rule_without_texts_gives_nulls_and_empty_objects),
        cmocka_unit_test(an_alert_of_a_rule_that_is_gone_says_removed),
        cmocka_unit_test(what_operators_say_of_an_alarm_has_an_author_and_an_end),
        cmocka_unit_test(an_event_says_how_many_were_withheld),
        cmocka_unit_test(a_command_says_what_its_actuator_is_to_be_and_for_how_long),
        cmocka_unit_test(a_command_of_the_default_has_no_rule),
        cmocka_unit_test(a_command_carries_the_epoch_of_its_journal),
        cmocka_unit_test(a_shadow_is_of_another_type_and_stream),
        cmocka_unit_test(a_command_goes_to_the_topic_of_its_actuator),
        cmocka_unit_test(the_id_of_a_command_is_of_its_actuator_and_number),
        cmocka_unit_test(a_late_record_is_embedded_on_one_line),
        cmocka_unit_test(a_dead_letter_keeps_every_byte),
        cmocka_unit_test(base64_pads_every_length),
        cmocka_unit_test(kafka_headers_carry_the_envelope),
        cmocka_unit_test(dead_letters_in_kafka_say_why_in_headers),
        cmocka_unit_test(an_id_depends_on_the_decision_and_its_cause_only),
        cmocka_unit_test(decimals_are_rounded_from_the_exact_value),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
