/* Points in time and spans: reading, writing, refusing. */
#include "engine/base/calendar.h"

#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check_time(const char *text, int64_t wanted) {
    int64_t us = 0;
    if (!fb_time_parse(fb_str_of(text), &us))
        fail_msg("%s is refused", text);
    if (us != wanted)
        fail_msg("%s reads as %lld", text, (long long)us);
}

static void reads_dates_and_times(void **state) {
    (void)state;
    check_time("1970-01-01", 0);
    check_time("1970-01-01T00:00:00Z", 0);
    check_time("1970-01-01 00:00:01", FB_SECOND);
    check_time("1970-01-01t00:01:00z", FB_MINUTE);
    check_time("1970-01-01T01:00", FB_HOUR);
    check_time("1969-12-31T23:59:59Z", -FB_SECOND);
    check_time("2026-11-21T08:00:00Z", 1795248000 * FB_SECOND);
    check_time("2000-02-29T00:00:00Z", 951782400 * FB_SECOND);
    check_time("1900-03-01", INT64_C(-2203891200) * FB_SECOND);
    check_time("0001-01-01T00:00:00Z", INT64_C(-62135596800) * FB_SECOND);
    check_time("9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999));
}

static void applies_zones(void **state) {
    (void)state;
    check_time("1970-01-01T02:00:00+02:00", 0);
    check_time("1969-12-31T20:00:00.5-04:00", FB_SECOND / 2);
    check_time("1970-01-01T05:45+05:45", 0);
    check_time("1970-01-01T05:45:00.0+0545", 0);
    check_time("1969-12-31T20:00-04", 0);
    check_time("0001-01-01T23:00:00+23:00", INT64_C(-62135596800) * FB_SECOND);
}

static void rounds_fractions_half_away_from_zero(void **state) {
    (void)state;
    check_time("1970-01-01T00:00:00.1Z", 100000);
    check_time("1970-01-01T00:00:00,123456Z", 123456);
    check_time("1970-01-01T00:00:00.1234564Z", 123456);
    check_time("1970-01-01T00:00:00.1234565Z", 123457);
    check_time("1970-01-01T00:00:00.12345649999999999999Z", 123456);
    check_time("1970-01-01T00:00:00.9999995Z", FB_SECOND);
    check_time("1969-12-31T23:59:59.9999995Z", -1);
    check_time("1969-12-31T23:59:59.99999950001Z", 0);
    check_time("1969-12-31T23:59:59.9999994Z", -1);
    check_time("1969-12-31T23:59:58.0000005Z", -2 * FB_SECOND);
}

static void takes_a_leap_second_as_the_next_minute(void **state) {
    (void)state;
    check_time("2016-12-31T23:59:60Z", 1483228800 * FB_SECOND);
    check_time("2017-01-01T00:59:60.5+01:00", 1483228800 * FB_SECOND + FB_SECOND / 2);
}

static void refuses_bad_times(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2026-04-31",
        "2025-02-29",
        "1900-02-29",
        "0000-01-01",
        "10000-01-01",
        "2026-1-01",
        "2026-01-01T",
        "2026-01-01T24:00:00Z",
        "2026-01-01T12:60:00Z",
        "2026-01-01T12:00:60Z",
        "2026-01-01T12:00:61Z",
        "2026-01-01T12:00:00.Z",
        "2026-01-01T12:00:00+1:00",
        "2026-01-01T12:00:00+24:00",
        "2026-01-01T12:00:00+01:60",
        "2026-01-01T12:00:00+01:",
        "2026-01-01T12:00:00+010",
        "2026-01-01T12:00:00ZZ",
        "2026-01-01X12:00:00",
        "2026-01-01  12:00:00",
        " 2026-01-01",
        "2026-01-01Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59.9999995Z",
        "9999-12-31T23:59:59-00:01",
        "-001-01-01",
    };
    int64_t us;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (fb_time_parse(fb_str_of(bad[i]), &us))
            fail_msg("%s is taken", bad[i]);
    assert_false(fb_time_parse((struct fb_str){0}, &us));
}

static void check_time_text(int64_t us, const char *wanted) {
    char text[FB_TIME_TEXT_MAX];
    assert_int_equal(fb_time_format(us, text), strlen(wanted));
    assert_string_equal(text, wanted);
}

static void writes_milliseconds_rounded_down(void **state) {
    (void)state;
    check_time_text(0, "1970-01-01T00:00:00.000Z");
    check_time_text(999, "1970-01-01T00:00:00.000Z");
    check_time_text(-1, "1969-12-31T23:59:59.999Z");
    check_time_text(1795248000 * FB_SECOND + 1999, "2026-11-21T08:00:00.001Z");
    check_time_text(951782400 * FB_SECOND, "2000-02-29T00:00:00.000Z");
}

static void writes_the_nearest_year_it_can(void **state) {
    (void)state;
    check_time_text(INT64_MIN, "0001-01-01T00:00:00.000Z");
    check_time_text(INT64_MAX, "9999-12-31T23:59:59.999Z");
    check_time_text(INT64_C(253402300800000000), "9999-12-31T23:59:59.999Z");
}

static void reads_back_every_day_it_writes(void **state) {
    (void)state;
    const int64_t first = INT64_C(-62135596800) / 86400, last = INT64_C(253402300799) / 86400;
    char before[FB_TIME_TEXT_MAX] = "";
    for (int64_t day = first; day <= last; day++) {
        char text[FB_TIME_TEXT_MAX];
        size_t n = fb_time_format(day * FB_DAY, text);
        int64_t us;
        assert_true(fb_time_parse((struct fb_str){text, n}, &us));
        assert_true(us == day * FB_DAY);
        assert_true(strcmp(before, text) < 0);
        strcpy(before, text);
    }
}

static void check_span(int64_t us, const char *wanted) {
    char text[FB_TIME_TEXT_MAX];
    assert_int_equal(fb_span_format(us, text), strlen(wanted));
    assert_string_equal(text, wanted);
}

static void writes_spans(void **state) {
    (void)state;
    check_span(0, "0s");
    check_span(30 * FB_SECOND, "30s");
    check_span(90 * FB_MINUTE, "1h30m");
    check_span(500000, "500ms");
    check_span(7 * FB_DAY, "7d");
    check_span(1500000, "1s500ms");
    check_span(7, "7us");
    check_span(-FB_MINUTE, "-1m");
    check_span(INT64_MIN, "-106751991d4h54s775ms808us");
}

static void spans_are_read_as_they_are_written(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {{"90s", 90 * FB_SECOND},
                {"1h30m", 90 * FB_MINUTE},
                {"500ms", FB_SECOND / 2},
                {"1w", 7 * FB_DAY},
                {"0s", 0},
                {"36525d", 36525 * FB_DAY}};
    static const char *const bad[] = {
        "", "s", "5", "5 s", "1.5h", "5m30", "-5s", "36525d1ms", "99999999999999999999s", "5x"};
    int64_t us;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(fb_span_parse(fb_str_of(good[i].text), &us));
        assert_true(us == good[i].us);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(fb_span_parse(fb_str_of(bad[i]), &us));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_read_as_they_are_written),
        cmocka_unit_test(reads_dates_and_times),
        cmocka_unit_test(applies_zones),
        cmocka_unit_test(rounds_fractions_half_away_from_zero),
        cmocka_unit_test(takes_a_leap_second_as_the_next_minute),
        cmocka_unit_test(refuses_bad_times),
        cmocka_unit_test(writes_milliseconds_rounded_down),
        cmocka_unit_test(writes_the_nearest_year_it_can),
        cmocka_unit_test(reads_back_every_day_it_writes),
        cmocka_unit_test(writes_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
