/* The clock of a file: leaps held, taken or refused.
 *
 * Place in the flow: engine/run/file_clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

enum { SKEW_S = 600, WEEK_S = 7 * 86400 };

static struct fb_file_clock *fresh(struct log *log) {
    *log = (struct log){0};
    return fb_file_clock_new(SKEW_S * FB_SECOND, take, log);
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
        cmocka_unit_test(test_stamps_move_the_clock_and_their_leaps_are_examined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
