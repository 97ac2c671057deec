/* The task clock: what moves it and what does not. */
#include "engine/run/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void it_follows_stamps_and_never_falls(void **state) {
    (void)state;
    struct fb_clock clock = fb_clock_new();
    assert_int_equal(fb_clock_record(&clock, 100, 1000), 100);
    assert_int_equal(fb_clock_record(&clock, 90, 1000), 100);
    assert_int_equal(fb_clock_record(&clock, 150, 1000), 150);
}

static void a_stamp_of_the_future_counts_as_the_wall_clock(void **state) {
    (void)state;
    struct fb_clock clock = fb_clock_new();
    assert_int_equal(fb_clock_record(&clock, 5000, 1000), 1000);
    assert_int_equal(fb_clock_record(&clock, 5000, 1001), 1001);
}

static void a_record_without_a_stamp_leaves_it(void **state) {
    (void)state;
    struct fb_clock clock = fb_clock_new();
    fb_clock_record(&clock, 100, 1000);
    assert_int_equal(fb_clock_record(&clock, -1, 2000), 100);
    clock = fb_clock_new();
    assert_int_equal(fb_clock_record(&clock, -1, 1000), 1000);
}

static void only_the_end_follows_the_wall_clock(void **state) {
    (void)state;
    struct fb_clock clock = fb_clock_new();
    fb_clock_record(&clock, 100, 1000);
    assert_int_equal(fb_clock_end(&clock, 1001), 1001);
    assert_int_equal(fb_clock_record(&clock, 500, 1002), 1001);
    assert_int_equal(fb_clock_end(&clock, 900), 1001); /* the wall clock was set back */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_follows_stamps_and_never_falls),
        cmocka_unit_test(a_stamp_of_the_future_counts_as_the_wall_clock),
        cmocka_unit_test(a_record_without_a_stamp_leaves_it),
        cmocka_unit_test(only_the_end_follows_the_wall_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
