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

/* A clock and what it has let through. */
struct run {
    struct fb_file_clock *clock;
    struct taken items[64];
    int n;
};

static void take(void *context, const struct fb_entry *entry, int64_t c_us) {
    struct run *run = context;
    run->items[run->n++] =
        (struct taken){entry->ts_us / FB_SECOND, c_us / FB_SECOND, entry->device.p[0]};
}

static void give(struct run *run, const char *device, int64_t ts_s) {
    struct fb_entry entry = {.device = fb_str_of(device), .ts_us = ts_s * FB_SECOND};
    fb_file_clock_entry(run->clock, &entry);
}

static void expect(const struct run *run, int i, char device, int64_t ts_s, int64_t c_s) {
    assert_true(i < run->n);
    assert_int_equal(run->items[i].device, device);
    assert_int_equal(run->items[i].ts_s, ts_s);
    assert_int_equal(run->items[i].c_s, c_s);
}

static void expect_end(struct run *run, int64_t c_s) {
    assert_int_equal(fb_file_clock_end(run->clock), c_s * FB_SECOND);
}

static struct fb_field fields[] = {{.type = FB_T_NUMBER}, {.type = FB_T_TEXT}};
static struct fb_class class = {.fields = fields, .n_fields = 2};
static const struct fb_program program = {.classes = &class, .n_classes = 1};

enum { SKEW_S = 600, WEEK_S = 7 * 86400 };

static void begin(struct run *run) {
    fb_file_clock_free(run->clock);
    *run = (struct run){.clock = fb_file_clock_new(&program, SKEW_S * FB_SECOND, take, run)};
}

static int set_up(void **state) {
    static struct run run;
    begin(&run);
    *state = &run;
    return 0;
}

static int tear_down(void **state) {
    struct run *run = *state;
    fb_file_clock_free(run->clock);
    run->clock = NULL;
    return 0;
}

static void test_clock_starts_at_the_first_record_and_never_falls(void **state) {
    struct run *run = *state;
    give(run, "a", 1000);
    give(run, "b", 900);
    give(run, "a", 1600); /* exactly max_skew ahead is no leap */
    expect(run, 0, 'a', 1000, 1000);
    expect(run, 1, 'b', 900, 1000);
    expect(run, 2, 'a', 1600, 1600);
    expect_end(run, 1600);
}

static void test_single_stamp_far_ahead_harms_nobody(void **state) {
    struct run *run = *state;
    give(run, "a", 1000);
    give(run, "b", 1000);
    give(run, "a", 1000 + WEEK_S);
    assert_int_equal(run->n, 2);
    give(run, "a", 1001); /* its others are taken */
    give(run, "a", 2000 + WEEK_S);
    give(run, "b", 1002); /* decides */
    expect(run, 2, 'a', 1001, 1001);
    expect(run, 3, 'a', 1000 + WEEK_S, 1001);
    expect(run, 4, 'a', 2000 + WEEK_S, 1001);
    expect(run, 5, 'b', 1002, 1002);
}

static void test_real_gap_is_crossed(void **state) {
    struct run *run = *state;
    give(run, "a", 1000);
    give(run, "b", 1000);
    give(run, "a", 1000 + WEEK_S);
    give(run, "b", 400 + WEEK_S); /* the leap less max_skew */
    expect(run, 2, 'a', 1000 + WEEK_S, 1000 + WEEK_S);
    expect(run, 3, 'b', 400 + WEEK_S, 1000 + WEEK_S);
}

static void test_lonely_device_decides_itself(void **state) {
    struct run *run = *state;
    give(run, "a", 1000);
    give(run, "a", 1000 + WEEK_S);
    give(run, "a", 1001 + WEEK_S);
    expect(run, 1, 'a', 1000 + WEEK_S, 1000 + WEEK_S);
    expect(run, 2, 'a', 1001 + WEEK_S, 1001 + WEEK_S);
    give(run, "a", 1000 + 2 * WEEK_S);
    give(run, "a", 1002 + WEEK_S);
    expect(run, 3, 'a', 1000 + 2 * WEEK_S, 1001 + WEEK_S);
    expect(run, 4, 'a', 1002 + WEEK_S, 1002 + WEEK_S);
}

static void test_what_is_held_at_the_end_does_not_move_the_clock(void **state) {
    struct run *run = *state;
    give(run, "a", 1000);
    give(run, "a", 1000 + WEEK_S);
    expect_end(run, 1000);
    expect(run, 1, 'a', 1000 + WEEK_S, 1000);
}

enum { LEAP_S = 10 * WEEK_S };

static void test_first_record_far_ahead_is_told_by_two_others(void **state) {
    struct run *run = *state;
    give(run, "a", LEAP_S);
    give(run, "b", 1000);
    assert_int_equal(run->n, 0);
    give(run, "c", 1001);
    expect(run, 0, 'b', 1000, 1000);
    expect(run, 1, 'a', LEAP_S, 1000); /* refused by the core: beyond C + max_skew */
    expect(run, 2, 'c', 1001, 1001);
    give(run, "a", 1005);
    expect(run, 3, 'a', 1005, 1005);
    expect_end(run, 1005);
}

static void test_device_of_the_first_leap_tells_with_another(void **state) {
    struct run *run = *state;
    give(run, "a", LEAP_S);
    give(run, "a", 1000);
    give(run, "a", 1005);
    assert_int_equal(run->n, 0);
    give(run, "b", 1006);
    expect(run, 0, 'a', 1000, 1000);
    expect(run, 1, 'a', LEAP_S, 1000);
    expect(run, 2, 'a', 1005, 1005);
    expect(run, 3, 'b', 1006, 1006);
}

static void test_first_record_stands_against_one_device_that_is_behind(void **state) {
    struct run *run = *state;
    give(run, "a", LEAP_S);
    give(run, "b", 10); /* a clock that nobody has set */
    give(run, "b", 15);
    give(run, "a", LEAP_S + 5);
    expect(run, 0, 'a', LEAP_S, LEAP_S);
    expect(run, 1, 'b', 10, LEAP_S);
    expect(run, 2, 'b', 15, LEAP_S);
    expect(run, 3, 'a', LEAP_S + 5, LEAP_S + 5);
}

static void test_first_record_stands_from_exactly_max_skew_below(void **state) {
    struct run *run = *state;
    give(run, "a", 1600);
    give(run, "b", 999);
    give(run, "c", 1000);
    expect(run, 0, 'a', 1600, 1600);
    expect(run, 1, 'b', 999, 1600);
    expect(run, 2, 'c', 1000, 1600);

    begin(run);
    give(run, "a", 1600);
    give(run, "b", 999);
    give(run, "c", 999);
    expect(run, 0, 'b', 999, 999);
}

static void test_lonely_device_tells_of_its_first_leap_at_the_end(void **state) {
    struct run *run = *state;
    give(run, "a", LEAP_S);
    give(run, "a", 1000);
    give(run, "a", 1005);
    expect_end(run, 1005);
    expect(run, 0, 'a', 1000, 1000);
    expect(run, 1, 'a', LEAP_S, 1000);
    expect(run, 2, 'a', 1005, 1005);
}

static void test_of_two_records_the_first_stands(void **state) {
    struct run *run = *state;
    give(run, "a", LEAP_S);
    give(run, "b", 1000);
    expect_end(run, LEAP_S);
    expect(run, 0, 'a', LEAP_S, LEAP_S);
    expect(run, 1, 'b', 1000, LEAP_S);
}

static void test_a_file_of_one_record_and_of_none(void **state) {
    struct run *run = *state;
    assert_int_equal(fb_file_clock_end(run->clock), FB_NO_TIME);
    assert_int_equal(run->n, 0);

    begin(run);
    give(run, "a", 1000);
    expect_end(run, 1000);
    expect(run, 0, 'a', 1000, 1000);
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
    struct run run = {.clock =
                          fb_file_clock_new(&program, SKEW_S * FB_SECOND, count_taken, &taken)};
    give(&run, "a", LEAP_S);
    for (int i = 1; i < 1000; i++)
        give(&run, "b", 1000 + i);
    assert_int_equal(taken, 0);
    give(&run, "b", 2000);
    assert_int_equal(taken, 1001);
    give(&run, "b", 2001); /* and no more is held */
    assert_int_equal(taken, 1002);
    expect_end(&run, 2001);
    fb_file_clock_free(run.clock);
}

static void test_first_may_leap_ahead_and_second_back(void **state) {
    struct run *run = *state;
    give(run, "a", LEAP_S);
    give(run, "b", 10); /* neither of the two is right */
    give(run, "c", WEEK_S);
    give(run, "d", WEEK_S + 1);
    expect(run, 0, 'b', 10, 10);
    expect(run, 1, 'a', LEAP_S, 10);
    expect(run, 2, 'c', WEEK_S, WEEK_S);
    expect(run, 3, 'd', WEEK_S + 1, WEEK_S + 1);
}

static void give_stamped(struct run *run, const char *device, int64_t ts_s, int64_t stamp_s) {
    struct fb_entry entry = {.device = fb_str_of(device), .ts_us = ts_s * FB_SECOND};
    fb_file_clock_stamped(run->clock, &entry, stamp_s * FB_SECOND);
}

static void test_stamps_move_the_clock_and_their_leaps_are_examined(void **state) {
    struct run *run = *state;
    give_stamped(run, "a", 5000, 1000); /* its own time moves nothing */
    give_stamped(run, "b", 1000, 1001);
    give_stamped(run, "a", 1002, 1000 + WEEK_S); /* a wrong stamp of a good record */
    assert_int_equal(run->n, 2);
    give_stamped(run, "b", 1003, 1003);
    expect(run, 0, 'a', 5000, 1000);
    expect(run, 1, 'b', 1000, 1001);
    expect(run, 2, 'a', 1002, 1001);
    expect(run, 3, 'b', 1003, 1003);
    give_stamped(run, "a", WEEK_S, 1010 + WEEK_S);
    give_stamped(run, "b", WEEK_S, 1020 + WEEK_S); /* a real gap */
    expect(run, 4, 'a', WEEK_S, 1010 + WEEK_S);
    expect(run, 5, 'b', WEEK_S, 1020 + WEEK_S);
    expect_end(run, 1020 + WEEK_S);
}

#define in_a_run(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        in_a_run(test_clock_starts_at_the_first_record_and_never_falls),
        in_a_run(test_single_stamp_far_ahead_harms_nobody),
        in_a_run(test_real_gap_is_crossed),
        in_a_run(test_lonely_device_decides_itself),
        in_a_run(test_what_is_held_at_the_end_does_not_move_the_clock),
        in_a_run(test_first_record_far_ahead_is_told_by_two_others),
        in_a_run(test_device_of_the_first_leap_tells_with_another),
        in_a_run(test_first_record_stands_against_one_device_that_is_behind),
        in_a_run(test_first_record_stands_from_exactly_max_skew_below),
        in_a_run(test_lonely_device_tells_of_its_first_leap_at_the_end),
        in_a_run(test_of_two_records_the_first_stands),
        in_a_run(test_a_file_of_one_record_and_of_none),
        cmocka_unit_test(test_held_records_keep_their_texts),
        cmocka_unit_test(test_first_leap_is_told_after_a_thousand_records),
        in_a_run(test_first_may_leap_ahead_and_second_back),
        in_a_run(test_stamps_move_the_clock_and_their_leaps_are_examined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
