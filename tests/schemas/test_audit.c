/* Audit records: to the byte, and as a chain. */
#include "engine/codec/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "tests/schemas/sample.h"

#define AT INT64_C(1795247999123456)

static struct fb_encoder *encoder;
static struct fb_buf line, data;

static int set_up(void **state) {
    (void)state;
    encoder = fb_encoder_new(sample_program(), FB_S("plant"));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fb_encoder_free(encoder);
    fb_buf_free(&line);
    fb_buf_free(&data);
    return 0;
}

static void keep(const struct fb_encoded *encoded) {
    line.n = data.n = 0;
    fb_encode_line(encoded, &line);
    fb_buf_str(&data, encoded->data);
    fb_buf_terminated(&line);
    fb_buf_terminated(&data);
}

static const char *decision(struct fb_auditor *auditor, struct fb_output output) {
    struct fb_encoded encoded;
    fb_audit_decision(auditor, encoder, &output, (struct fb_circumstance){0}, NULL, &encoded);
    keep(&encoded);
    return fb_buf_terminated(&line);
}

static const char *rules(struct fb_auditor *auditor) {
    struct fb_encoded encoded;
    fb_audit_rules(auditor, encoder, "0.1.0", &encoded);
    keep(&encoded);
    return fb_buf_terminated(&line);
}

/* What stands behind "NAME":" in the data. */
static struct fb_str member(const char *name) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *at = strstr(fb_buf_terminated(&data), quoted);
    if (!at)
        return (struct fb_str){0};
    at += strlen(quoted);
    return (struct fb_str){at, strcspn(at, "\"")};
}

static void expect_member(const char *name, const char *wanted) {
    struct fb_str text = member(name);
    if (!fb_str_eq(text, fb_str_of(wanted)))
        fail_msg("%s is %.*s, not %s", name, FB_ARG(text), wanted);
}

static void a_decision_is_a_cloud_event_on_one_line(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    auditor.clock_us = AT + 1000;
    assert_string_equal(decision(&auditor, sample_alert()), 
        "{\"specversion\":\"1.0\",\"id\":\"f5aea11b5ac046e870a8fdb0471296e8\",\"source\":\"/f"
        "lyball/plant\",\"type\":\"flyball.audit\",\"subject\":\"plant/3\",\"time\":\"2026-11"
        "-21T07:59:59.123Z\",\"datacontenttype\":\"application/json\",\"data\":{\"task\":\"pl"
        "ant/3\",\"seq\":1,\"previous\":\"000000000000000000000000000000000000000000000000000"
        "0000000000000\",\"kind\":\"decision\",\"rule\":\"overheat\",\"rule_version\":\"01234"
        "56789ab\",\"device\":\"p-1\",\"at\":\"2026-11-21T07:59:59.123Z\",\"clock\":\"2026-11"
        "-21T07:59:59.124Z\",\"cause\":{\"topic\":\"events\",\"partition\":3,\"offset\":41,\""
        "index\":2},\"payload\":\"3626a70b10daa4ec76e10a46704d47e184a19e6ec492856c87449336b54"
        "06519\",\"inputs\":[{\"name\":\"count\",\"value\":-9223372036854775808,\"quality\":"
        "\"good\",\"at\":\"2026-11-21T07:59:59.123Z\",\"topic\":\"events\",\"partition\":3,\""
        "offset\":41},{\"name\":\"flow\",\"value\":null,\"quality\":\"stale\",\"at\":null,\"t"
        "opic\":null,\"partition\":null,\"offset\":null},{\"name\":\"load\",\"value\":98.6000"
        "0000000001,\"quality\":\"good\",\"at\":\"2026-11-21T07:59:58.123Z\",\"topic\":null,"
        "\"partition\":null,\"offset\":null},{\"name\":\"mode\",\"value\":\"on \\\"hot\\\"\","
        "\"quality\":\"good\",\"at\":\"2026-11-21T07:59:59.123Z\",\"topic\":\"events\",\"part"
        "ition\":3,\"offset\":41},{\"name\":\"note\",\"value\":\"a\\tb\\u0001\\\\\",\"quality"
        "\":\"good\",\"at\":\"2026-11-21T07:59:59.123Z\",\"topic\":null,\"partition\":null,\""
        "offset\":null},{\"name\":\"running\",\"value\":false,\"quality\":\"good\",\"at\":\"2"
        "026-11-21T07:59:59.123Z\",\"topic\":null,\"partition\":null,\"offset\":null},{\"name"
        "\":\"seen\",\"value\":\"1970-01-01T00:00:00.000Z\",\"quality\":\"good\",\"at\":\"202"
        "6-11-21T07:59:59.123Z\",\"topic\":null,\"partition\":null,\"offset\":null},{\"name\""
        ":\"temp\",\"value\":0,\"quality\":\"good\",\"at\":\"2026-11-21T07:59:59.123Z\",\"top"
        "ic\":null,\"partition\":null,\"offset\":null}],\"verdicts\":[],\"outcome\":\"raised"
        "\",\"explains\":\"b4e9c70052cae649b101db272e8d1679\",\"severity\":\"high\",\"active"
        "\":true,\"initial\":false,\"historical\":false,\"rules\":\"0000000000000000000000000"
        "000000000000000000000000000000000000001\",\"semantics\":1,\"hash\":\"f5aea11b5ac046e"
        "870a8fdb0471296e8ebc0806c20d63454b95be2793a66e319\"}}\n");
    assert_true(auditor.seq == 1);
}

static void the_hash_is_of_the_one_before_and_the_data_without_it(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    uint8_t previous[32] = {0}, digest[32];
    char hex[65];
    auditor.clock_us = AT;
    for (int i = 0; i < 3; i++) {
        fb_hex(previous, 32, hex);
        decision(&auditor, i == 1 ? sample_cleared() : sample_alert());
        expect_member("previous", hex);
        /* by hand: cut the member out, close the object */
        const char *cut = strstr(fb_buf_terminated(&data), ",\"hash\":\"");
        struct fb_str parts[] = {
            {(const char *)previous, 32}, {data.p, (size_t)(cut - data.p)}, FB_S("}")};
        fb_sha256(parts, 3, digest);
        fb_hex(digest, 32, hex);
        expect_member("hash", hex);
        assert_memory_equal(digest, auditor.head, 32);
        assert_memory_equal(strstr(fb_buf_terminated(&line), "\"id\":\"") + 6, hex, 32);
        memcpy(previous, digest, 32);
    }
    assert_true(auditor.seq == 3);
}

/* The chain goes on from (seq, head), wherever these were kept meanwhile. */
static void a_chain_goes_on_with_another_encoder(void **state) {
    (void)state;
    struct fb_auditor whole = sample_auditor(), begun = sample_auditor();
    rules(&whole);
    rules(&begun);
    struct fb_buf wanted = {0};
    fb_buf_text(&wanted, decision(&whole, sample_alert()));
    struct fb_auditor resumed = sample_auditor();
    resumed.seq = begun.seq;
    memcpy(resumed.head, begun.head, 32);
    fb_encoder_free(encoder);
    encoder = fb_encoder_new(sample_program(), FB_S("plant"));
    assert_string_equal(decision(&resumed, sample_alert()), fb_buf_terminated(&wanted));
    fb_buf_free(&wanted);
}

static void it_names_the_alert_that_it_explains(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    struct fb_output alert = sample_alert();
    struct fb_encoded encoded;
    char id[33];
    fb_encode(encoder, &alert, (struct fb_circumstance){0}, &encoded);
    memcpy(id, encoded.id, sizeof id);
    decision(&auditor, alert);
    expect_member("explains", id);
    struct fb_dead_letter letter = sample_dead();
    fb_encode_dead(encoder, &letter, &encoded);
    memcpy(id, encoded.id, sizeof id);
    fb_audit_rejected(&auditor, encoder, &letter, &encoded);
    keep(&encoded);
    expect_member("explains", id);
    expect_member("outcome", "JSON_SYNTAX");
}

static void it_tells_which_claims_and_guardrails_made_a_command(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    struct fb_output command = sample_command(), shadow = sample_shadow();
    struct fb_encoded encoded;
    char id[33];
    fb_encode(encoder, &command, (struct fb_circumstance){0}, &encoded);
    memcpy(id, encoded.id, sizeof id);
    decision(&auditor, command);
    expect_member("kind", "decision");
    expect_member("explains", id);
    assert_non_null(strstr(
        data.p, "\"verdicts\":[{\"guardrail\":\"interlock\",\"result\":\"pass\","
                "\"requested\":\"full \\\"on\\\"\",\"applied\":\"full \\\"on\\\"\","
                "\"until\":null}],\"outcome\":\"claimed\","));
    assert_non_null(strstr(
        data.p, "\"actuator\":\"fan/p-1\",\"entries\":[{\"rule\":\"overheat\",\"priority\":9,"
                "\"value\":\"full \\\"on\\\"\"},{\"rule\":\"bare\",\"priority\":12,"
                "\"value\":\"off\"}],\"requested\":\"full \\\"on\\\"\","
                "\"own\":{\"version\":\"00000000fa00\",\"interlock\":\"unknown\","
                "\"permissive\":null,\"inputs\":[{\"name\":\"count\",\"value\":"));
    assert_non_null(strstr(data.p, "}]},\"value\":\"full \\\"on\\\"\",\"epoch\":0,"
                                   "\"command\":17,\"rules\":"));
    decision(&auditor, shadow);
    expect_member("kind", "shadow");
    assert_null(strstr(data.p, "\"to\":"));
    decision(&auditor, sample_relinquished());
    assert_non_null(strstr(data.p, "\"command\":1,\"to\":\"plant.valves\",\"rules\":"));
    assert_non_null(strstr(data.p, "\"rule\":null,\"rule_version\":null,\"device\":\"p-1\","));
    assert_non_null(strstr(data.p, "\"inputs\":[],"));
    assert_non_null(strstr(data.p, "\"requested\":100,\"applied\":62.5,\"until\":null}],"));
    assert_non_null(strstr(data.p, "\"requested\":140.5,\"own\":null,\"value\":62.5,"));
}

static void it_tells_when_a_guardrail_begins_and_ends_to_block(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    decision(&auditor, sample_block());
    expect_member("kind", "blocked");
    expect_member("outcome", "began");
    assert_non_null(strstr(data.p, "{\"guardrail\":\"minimum\",\"result\":\"hold\","
                                   "\"requested\":\"full \\\"on\\\"\",\"applied\":null,"
                                   "\"until\":\"2026-11-21T08:00:59.123Z\"}"));
    assert_non_null(strstr(data.p, "\"offset\":null}]},\"applied\":null,"
                                   "\"guardrail\":\"minimum\",\"count\":0,\"shadow\":false,"));
    decision(&auditor, sample_block_ended());
    expect_member("outcome", "ended");
    assert_non_null(strstr(data.p, "\"applied\":\"off\",\"guardrail\":\"minimum\",\"count\":5,"
                                   "\"shadow\":true,"));
    assert_non_null(strstr(data.p, "\"explains\":null,"));
}

static void it_tells_what_fleet_counted_or_since_when_it_is_open(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    decision(&auditor, sample_block_of_fleet());
    assert_non_null(strstr(data.p, "\"applied\":null,\"until\":null,\"fleet\":{\"acted\":4,"
                                   "\"budget\":3,\"live\":38,\"members\":40}}],"));
    assert_non_null(strstr(data.p, "\"guardrail\":\"catch_up\",\"result\":\"pass\","));
    decision(&auditor, sample_block_of_breaker());
    assert_non_null(strstr(data.p, "\"until\":null,\"fleet\":{\"open_since\":"
                                   "\"2026-11-21T07:59:59.123Z\"}}],"));
}

static void it_tells_how_much_of_a_limit_was_used(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    decision(&auditor, sample_block_of_rate());
    assert_non_null(strstr(data.p, "\"until\":null,\"limit\":{\"counted\":1,\"most\":4,"
                                   "\"per_ms\":3600000}},{\"guardrail\":\"rate\","));
    assert_non_null(strstr(data.p, "\"limit\":{\"counted\":3,\"most\":3,\"per_ms\":1.5}}],"));
}

static void it_tells_what_keeps_an_alarm_from_being_annunciated(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    decision(&auditor, sample_muted());
    expect_member("kind", "decision");
    expect_member("outcome", "raised");
    assert_non_null(strstr(
        data.p, "\"verdicts\":[{\"guardrail\":\"shelf\",\"result\":\"hold\","
                "\"requested\":\"raised\",\"applied\":null,"
                "\"until\":\"2026-11-21T08:00:59.123Z\"},"
                "{\"guardrail\":\"maintenance\",\"result\":\"hold\",\"requested\":\"raised\","
                "\"applied\":null,\"until\":\"2026-11-21T08:01:59.123Z\"}],"));
    assert_non_null(strstr(data.p, "\"explains\":null,"));
}

static void the_payload_is_hashed_as_it_came(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    struct fb_dead_letter letter = sample_dead_binary();
    struct fb_encoded encoded;
    uint8_t digest[32];
    char hex[65];
    fb_sha256(&letter.payload, 1, digest);
    fb_hex(digest, 32, hex);
    fb_audit_rejected(&auditor, encoder, &letter, &encoded);
    keep(&encoded);
    expect_member("payload", hex);
    fb_sha256(&auditor.payload, 1, digest);
    fb_hex(digest, 32, hex);
    decision(&auditor, sample_alert());
    expect_member("payload", hex);
    decision(&auditor, sample_cleared()); /* a timer's */
    assert_non_null(strstr(fb_buf_terminated(&data), "\"payload\":null"));
    assert_non_null(
        strstr(fb_buf_terminated(&data), "\"cause\":{\"deadline\":\"2026-11-21T07:59:59.123Z\"}"));
}

/* Only the record that is the cause, and only of the values it carries, is a value's source. */
static void a_position_stands_at_the_values_that_the_record_carries(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    struct fb_output output = sample_alert();
    decision(&auditor, output);
    assert_non_null(strstr(data.p, "\"at\":\"2026-11-21T07:59:59.123Z\",\"topic\":\"events\","
                                   "\"partition\":3,\"offset\":41},{\"name\":\"flow\""));
    assert_non_null(strstr(data.p, "{\"name\":\"flow\",\"value\":null,\"quality\":\"stale\","
                                   "\"at\":null,\"topic\":null,\"partition\":null,"
                                   "\"offset\":null}"));
    output.cause.timer = true;
    decision(&auditor, output);
    assert_null(strstr(data.p, "\"topic\":\"events\""));
    output.sources = NULL;
    decision(&auditor, output);
    assert_null(strstr(data.p, "\"at\":\"2026-11-21T07:59:59.123Z\",\"topic\""));
}

static void rules_and_jumps_of_the_clock_are_records_too(void **state) {
    (void)state;
    struct fb_auditor auditor = sample_auditor();
    struct fb_origin origin = {.topic = FB_S("events"), .partition = 3, .offset = 5};
    struct fb_encoded encoded;
    rules(&auditor);
    expect_member("kind", "rules");
    expect_member("build", "0.1.0");
    expect_member("rules", "0000000000000000000000000000000000000000000000000000000000000001");
    assert_null(strstr(line.p, "\"time\"")); /* there is no clock yet */
    auditor.clock_us = AT;
    fb_audit_clock(&auditor, encoder, 0, &origin, &encoded);
    keep(&encoded);
    expect_member("kind", "clock");
    expect_member("from", "1970-01-01T00:00:00.000Z");
    expect_member("clock", "2026-11-21T07:59:59.123Z");
    expect_member("topic", "events");
    assert_true(auditor.seq == 2);
}

static void a_jump_is_a_step_beyond_the_skew(void **state) {
    (void)state;
    assert_false(fb_audit_is_jump(1000, 1600, 600));
    assert_true(fb_audit_is_jump(1000, 1601, 600));
    assert_false(fb_audit_is_jump(1000, 1000, 0));
    assert_false(fb_audit_is_jump(FB_NO_TIME, AT, 600)); /* where the clock begins */
    assert_false(fb_audit_is_jump(INT64_MAX - 10, INT64_MAX, 600));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_decision_is_a_cloud_event_on_one_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_hash_is_of_the_one_before_and_the_data_without_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_chain_goes_on_with_another_encoder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_names_the_alert_that_it_explains, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_tells_which_claims_and_guardrails_made_a_command, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_tells_when_a_guardrail_begins_and_ends_to_block, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_tells_how_much_of_a_limit_was_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_tells_what_fleet_counted_or_since_when_it_is_open,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_tells_what_keeps_an_alarm_from_being_annunciated, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_payload_is_hashed_as_it_came, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_position_stands_at_the_values_that_the_record_carries,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(rules_and_jumps_of_the_clock_are_records_too, set_up,
                                        tear_down),
        cmocka_unit_test(a_jump_is_a_step_beyond_the_skew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
