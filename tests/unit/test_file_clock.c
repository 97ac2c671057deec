/* The clock of a file: leaps held, taken or refused.
 *
 * Place in the flow: engine/run/file_clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/calendar.h"
#include "engine/run/file_clock.h"

struct taken {
    int64_t ts_s, c_s;
    char device;
};
struct log {
    struct taken items[64];
    int n;
};

static void take(void *context, const struct fb_entry *entry, int64_t c_us) {
    struct log *log = context;
    log->items[log->n++] =
        (struct taken){entry->ts_us / FB_SECOND, c_us / FB_SECOND, entry->device.p[0]};
}

static void give(struct fb_file_clock *clock, const char *device, int64_t ts_s) {
    struct fb_entry entry = {.device = fb_str_of(device), .ts_us = ts_s * FB_SECOND};
    fb_file_clock_entry(clock, &entry);
}

static void expect(const struct log *log, int i, char device, int64_t ts_s, int64_t c_s) {
    assert_true(i < log->n);
    assert_int_equal(log->items[i].device, device);
    assert_int_equal(log->items[i].ts_s, ts_s);
    assert_int_equal(log->items[i].c_s, c_s);
}

static struct fb_field fields[] = {{.type = FB_T_NUMBER}, {.type = FB_T_TEXT}};
static struct fb_class class = {.fields = fields, .n_fields = 2};
static const struct fb_program program = {.classes = &class, .n_classes = 1};

enum { SKEW_S = 600, WEEK_S = 7 * 86400 };

static struct fb_file_clock *fresh(struct log *log) {
    *log = (struct log){0};
    return fb_file_clock_new(&program, SKEW_S * FB_SECOND, take, log);
}

static void test_clock_starts_at_the_first_record_and_never_falls(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", 1000);
    give(clock, "b", 900);
    give(clock, "a", 1600); /* exactly max_skew ahead is no leap */
    expect(&log, 0, 'a', 1000, 1000);
    expect(&log, 1, 'b', 900, 1000);
    expect(&log, 2, 'a', 1600, 1600);
    assert_int_equal(fb_file_clock_end(clock), 1600 * FB_SECOND);
    fb_file_clock_free(clock);
}

static void test_single_stamp_far_ahead_harms_nobody(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", 1000);
    give(clock, "b", 1000);
    give(clock, "a", 1000 + WEEK_S);
    assert_int_equal(log.n, 2);
    give(clock, "a", 1001); /* its others are taken */
    give(clock, "a", 2000 + WEEK_S);
    give(clock, "b", 1002); /* decides */
    expect(&log, 2, 'a', 1001, 1001);
    expect(&log, 3, 'a', 1000 + WEEK_S, 1001);
    expect(&log, 4, 'a', 2000 + WEEK_S, 1001);
    expect(&log, 5, 'b', 1002, 1002);
    fb_file_clock_free(clock);
}

static void test_real_gap_is_crossed(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", 1000);
    give(clock, "b", 1000);
    give(clock, "a", 1000 + WEEK_S);
    give(clock, "b", 400 + WEEK_S); /* the leap less max_skew */
    expect(&log, 2, 'a', 1000 + WEEK_S, 1000 + WEEK_S);
    expect(&log, 3, 'b', 400 + WEEK_S, 1000 + WEEK_S);
    fb_file_clock_free(clock);
}

static void test_lonely_device_decides_itself(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", 1000);
    give(clock, "a", 1000 + WEEK_S);
    give(clock, "a", 1001 + WEEK_S);
    expect(&log, 1, 'a', 1000 + WEEK_S, 1000 + WEEK_S);
    expect(&log, 2, 'a', 1001 + WEEK_S, 1001 + WEEK_S);
    give(clock, "a", 1000 + 2 * WEEK_S);
    give(clock, "a", 1002 + WEEK_S);
    expect(&log, 3, 'a', 1000 + 2 * WEEK_S, 1001 + WEEK_S);
    expect(&log, 4, 'a', 1002 + WEEK_S, 1002 + WEEK_S);
    fb_file_clock_free(clock);
}

static void test_what_is_held_at_the_end_does_not_move_the_clock(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", 1000);
    give(clock, "a", 1000 + WEEK_S);
    assert_int_equal(fb_file_clock_end(clock), 1000 * FB_SECOND);
    expect(&log, 1, 'a', 1000 + WEEK_S, 1000);
    fb_file_clock_free(clock);
}

enum { LEAP_S = 10 * WEEK_S };

static void test_first_record_far_ahead_is_told_by_two_others(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", LEAP_S);
    give(clock, "b", 1000);
    assert_int_equal(log.n, 0);
    give(clock, "c", 1001);
    expect(&log, 0, 'b', 1000, 1000);
    expect(&log, 1, 'a', LEAP_S, 1000); /* refused by the core: beyond C + max_skew */
    expect(&log, 2, 'c', 1001, 1001);
    give(clock, "a", 1005);
    expect(&log, 3, 'a', 1005, 1005);
    assert_int_equal(fb_file_clock_end(clock), 1005 * FB_SECOND);
    fb_file_clock_free(clock);
}

static void test_device_of_the_first_leap_tells_with_another(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", LEAP_S);
    give(clock, "a", 1000);
    give(clock, "a", 1005);
    assert_int_equal(log.n, 0);
    give(clock, "b", 1006);
    expect(&log, 0, 'a', 1000, 1000);
    expect(&log, 1, 'a', LEAP_S, 1000);
    expect(&log, 2, 'a', 1005, 1005);
    expect(&log, 3, 'b', 1006, 1006);
    fb_file_clock_free(clock);
}

static void test_first_record_stands_against_one_device_that_is_behind(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", LEAP_S);
    give(clock, "b", 10); /* a clock that nobody has set */
    give(clock, "b", 15);
    give(clock, "a", LEAP_S + 5);
    expect(&log, 0, 'a', LEAP_S, LEAP_S);
    expect(&log, 1, 'b', 10, LEAP_S);
    expect(&log, 2, 'b', 15, LEAP_S);
    expect(&log, 3, 'a', LEAP_S + 5, LEAP_S + 5);
    fb_file_clock_free(clock);
}

static void test_first_record_stands_from_exactly_max_skew_below(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", 1600);
    give(clock, "b", 999);
    give(clock, "c", 1000);
    expect(&log, 0, 'a', 1600, 1600);
    expect(&log, 1, 'b', 999, 1600);
    expect(&log, 2, 'c', 1000, 1600);
    fb_file_clock_free(clock);
    clock = fresh(&log);
    give(clock, "a", 1600);
    give(clock, "b", 999);
    give(clock, "c", 999);
    expect(&log, 0, 'b', 999, 999);
    fb_file_clock_free(clock);
}

static void test_lonely_device_tells_of_its_first_leap_at_the_end(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", LEAP_S);
    give(clock, "a", 1000);
    give(clock, "a", 1005);
    assert_int_equal(fb_file_clock_end(clock), 1005 * FB_SECOND);
    expect(&log, 0, 'a', 1000, 1000);
    expect(&log, 1, 'a', LEAP_S, 1000);
    expect(&log, 2, 'a', 1005, 1005);
    fb_file_clock_free(clock);
}

static void test_of_two_records_the_first_stands(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", LEAP_S);
    give(clock, "b", 1000);
    assert_int_equal(fb_file_clock_end(clock), LEAP_S * FB_SECOND);
    expect(&log, 0, 'a', LEAP_S, LEAP_S);
    expect(&log, 1, 'b', 1000, LEAP_S);
    fb_file_clock_free(clock);
}

static void test_a_file_of_one_record_and_of_none(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    assert_int_equal(fb_file_clock_end(clock), FB_NO_TIME);
    assert_int_equal(log.n, 0);
    fb_file_clock_free(clock);
    clock = fresh(&log);
    give(clock, "a", 1000);
    assert_int_equal(fb_file_clock_end(clock), 1000 * FB_SECOND);
    expect(&log, 0, 'a', 1000, 1000);
    fb_file_clock_free(clock);
}

struct texts {
    char seen[64];
};

static void take_text(void *context, const struct fb_entry *entry, int64_t c_us) {
    struct texts *texts = context;
    (void)c_us;
    assert_int_equal(entry->n_samples, 2);
    assert_true(entry->samples[0].num == 1.5);
    strncat(texts->seen, entry->samples[1].text.p, entry->samples[1].text.n);
}

static void test_held_records_keep_their_texts(void **state) {
    (void)state;
    struct texts texts = {0};
    struct fb_file_clock *clock =
        fb_file_clock_new(&program, SKEW_S * FB_SECOND, take_text, &texts);
    for (int i = 0; i < 3; i++) {
        char scratch[2] = {(char)('x' + i), '\0'};
        struct fb_sample samples[] = {{.field = 0, .num = 1.5},
                                      {.field = 1, .text = fb_str_of(scratch)}};
        struct fb_entry entry = {.device = FB_S("a"),
                                 .ts_us = (i < 2 ? 1000 : LEAP_S) * FB_SECOND,
                                 .samples = samples,
                                 .n_samples = 2};
        fb_file_clock_entry(clock, &entry);
        scratch[0] = '?';
    }
    fb_file_clock_end(clock);
    fb_file_clock_free(clock);
    assert_string_equal(texts.seen, "xyz");
}

static void count_taken(void *context, const struct fb_entry *entry, int64_t c_us) {
    (void)entry;
    (void)c_us;
    ++*(int *)context;
}

static void test_first_leap_is_told_after_a_thousand_records(void **state) {
    (void)state;
    int taken = 0;
    struct fb_file_clock *clock =
        fb_file_clock_new(&program, SKEW_S * FB_SECOND, count_taken, &taken);
    give(clock, "a", LEAP_S);
    for (int i = 1; i < 1000; i++)
        give(clock, "b", 1000 + i);
    assert_int_equal(taken, 0);
    give(clock, "b", 2000);
    assert_int_equal(taken, 1001);
    give(clock, "b", 2001); /* and no more is held */
    assert_int_equal(taken, 1002);
    assert_int_equal(fb_file_clock_end(clock), 2001 * FB_SECOND);
    fb_file_clock_free(clock);
}

static void test_first_may_leap_ahead_and_second_back(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give(clock, "a", LEAP_S);
    give(clock, "b", 10); /* neither of the two is right */
    give(clock, "c", WEEK_S);
    give(clock, "d", WEEK_S + 1);
    expect(&log, 0, 'b', 10, 10);
    expect(&log, 1, 'a', LEAP_S, 10);
    expect(&log, 2, 'c', WEEK_S, WEEK_S);
    expect(&log, 3, 'd', WEEK_S + 1, WEEK_S + 1);
    fb_file_clock_free(clock);
}

static void give_stamped(struct fb_file_clock *clock, const char *device, int64_t ts_s,
                         int64_t stamp_s) {
    struct fb_entry entry = {.device = fb_str_of(device), .ts_us = ts_s * FB_SECOND};
    fb_file_clock_stamped(clock, &entry, stamp_s * FB_SECOND);
}

static void test_stamps_move_the_clock_and_their_leaps_are_examined(void **state) {
    (void)state;
    struct log log;
    struct fb_file_clock *clock = fresh(&log);
    give_stamped(clock, "a", 5000, 1000); /* its own time moves nothing */
    give_stamped(clock, "b", 1000, 1001);
    give_stamped(clock, "a", 1002, 1000 + WEEK_S); /* a wrong stamp of a good record */
    assert_int_equal(log.n, 2);
    give_stamped(clock, "b", 1003, 1003);
    expect(&log, 0, 'a', 5000, 1000);
    expect(&log, 1, 'b', 1000, 1001);
    expect(&log, 2, 'a', 1002, 1001);
    expect(&log, 3, 'b', 1003, 1003);
    give_stamped(clock, "a", WEEK_S, 1010 + WEEK_S);
    give_stamped(clock, "b", WEEK_S, 1020 + WEEK_S); /* a real gap */
    expect(&log, 4, 'a', WEEK_S, 1010 + WEEK_S);
    expect(&log, 5, 'b', WEEK_S, 1020 + WEEK_S);
    assert_int_equal(fb_file_clock_end(clock), (1020 + WEEK_S) * FB_SECOND);
    fb_file_clock_free(clock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_starts_at_the_first_record_and_never_falls),
        cmocka_unit_test(test_single_stamp_far_ahead_harms_nobody),
        cmocka_unit_test(test_real_gap_is_crossed),
        cmocka_unit_test(test_lonely_device_decides_itself),
        cmocka_unit_test(test_what_is_held_at_the_end_does_not_move_the_clock),
        cmocka_unit_test(test_first_record_far_ahead_is_told_by_two_others),
        cmocka_unit_test(test_device_of_the_first_leap_tells_with_another),
        cmocka_unit_test(test_first_record_stands_against_one_device_that_is_behind),
        cmocka_unit_test(test_first_record_stands_from_exactly_max_skew_below),
        cmocka_unit_test(test_lonely_device_tells_of_its_first_leap_at_the_end),
        cmocka_unit_test(test_of_two_records_the_first_stands),
        cmocka_unit_test(test_a_file_of_one_record_and_of_none),
        cmocka_unit_test(test_held_records_keep_their_texts),
        cmocka_unit_test(test_first_leap_is_told_after_a_thousand_records),
        cmocka_unit_test(test_first_may_leap_ahead_and_second_back),
        cmocka_unit_test(test_stamps_move_the_clock_and_their_leaps_are_examined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
