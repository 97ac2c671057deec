/* Conditions with `each` windows wait for every window's end, but for those that cannot bring
 * anything new: a device with a clock of 1970 must not cost an evaluation for each window since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/core.h"
#include "rules/compile.h"

enum { SECOND = 1000000 };
#define YEARS_53 (INT64_C(1700000000) * SECOND)

struct run {
    struct fb_diags *diags;
    struct fb_compiled compiled;
    struct fb_core *core;
    uint64_t raised, cleared, events;
    int64_t last_us; /* `at` of the last output */
};

static void count(void *context, const struct fb_output *output) {
    struct run *run = context;
    run->events += output->kind == FB_OUT_EVENT;
    run->raised += output->kind == FB_OUT_ALERT && output->event == FB_ALERT_RAISED;
    run->cleared += output->kind == FB_OUT_ALERT && output->event == FB_ALERT_CLEARED;
    run->last_us = output->at_us;
}

static struct run start(const char *rule) {
    struct run run = {.diags = fb_diags_new()};
    struct fb_sources *sources = fb_sources_new();
    struct fb_buf text = {0};
    fb_buf_text(&text, "device d from \"t\" { key k  time ts [s]  x : number  y : number\n"
                        "z : number every 1s, stale after 60s }\n");
    fb_buf_text(&text, rule);
    fb_sources_add(sources, FB_S("test.rules"), (struct fb_str){text.p, text.n});
    fb_buf_free(&text);
    assert_true(fb_compile_sources(sources, run.diags, &run.compiled));
    return run;
}

static void begin(struct run *run) {
    static const struct fb_core_config config = {.max_skew_us = 600 * (int64_t)SECOND};
    run->core = fb_core_new(run->compiled.program, &config, count, run);
}

static void end(struct run *run) {
    fb_core_free(run->core);
    fb_compiled_free(&run->compiled);
    fb_diags_free(run->diags);
}

/* A record of the one device with a value of x (field 1) or y (field 2), the clock at its time. */
static void take(struct run *run, int64_t ts_us, uint16_t field, double value) {
    const struct fb_sample sample = {.field = field, .num = value};
    const struct fb_entry entry = {
        .device = FB_S("a"), .ts_us = ts_us, .samples = &sample, .n_samples = 1};
    assert_int_equal(fb_core_take(run->core, &entry, ts_us), FB_TAKEN);
}

static void empty_windows_of_decades_cost_a_few_evaluations(void **state) {
    (void)state;
    struct run run = start("alarm few on d { raise low when count(x > 0 each 1s) < 1 }");
    begin(&run);
    take(&run, 0, 1, 1);
    take(&run, YEARS_53, 1, 1);
    assert_int_equal(run.raised, 1); /* the window that begins at 1 s */
    assert_int_equal(run.last_us, 2 * SECOND);
    assert_true(fb_core_stats(run.core).timers < 10);
    end(&run);
}

static void a_record_wakes_what_rested(void **state) {
    (void)state;
    struct run run = start("alarm few on d { raise low when count(x > 0 each 1s) < 1 }");
    begin(&run);
    take(&run, 0, 1, 1);
    take(&run, YEARS_53, 1, 1);
    fb_core_advance(run.core, YEARS_53 + 10 * SECOND);
    assert_int_equal(run.cleared, 1); /* by the window of the second record */
    assert_int_equal(run.raised, 2);
    assert_int_equal(run.last_us, YEARS_53 + 2 * SECOND);
    end(&run);
}

static void a_record_of_another_field_wakes_too(void **state) {
    (void)state;
    struct run run =
        start("alarm few on d { raise low when count(x > 0 each 1s) < 1 and count(each 1s) > 0 }");
    begin(&run);
    take(&run, 0, 1, 1);
    take(&run, YEARS_53, 2, 1);
    fb_core_advance(run.core, YEARS_53 + 10 * SECOND);
    assert_int_equal(run.raised, 1);
    assert_int_equal(run.cleared, 1);
    assert_int_equal(run.last_us, YEARS_53 + 2 * SECOND);
    end(&run);
}

static void whenever_still_happens_at_every_end(void **state) {
    (void)state;
    struct run run = start("event none on d { whenever count(x > 0 each 1s) < 1 }");
    begin(&run);
    take(&run, 0, 1, 1);
    fb_core_finish(run.core, 100 * SECOND);
    assert_int_equal(run.events, 99);
    end(&run);
}

static void a_delay_over_empty_windows_is_kept(void **state) {
    (void)state;
    struct run run = start("alarm few on d { raise low when count(x > 0 each 1s) < 1 for 1h }");
    begin(&run);
    take(&run, 0, 1, 1);
    fb_core_advance(run.core, 2 * 3600 * (int64_t)SECOND);
    assert_int_equal(run.raised, 1);
    assert_int_equal(run.last_us, (2 + 3600) * (int64_t)SECOND);
    end(&run);
}

static void a_held_value_without_staleness_rests(void **state) {
    (void)state;
    struct run run = start("alarm high on d { raise low when time_avg(x each 1s) > 3 }");
    begin(&run);
    take(&run, 0, 1, 5);
    take(&run, YEARS_53, 1, 1);
    assert_int_equal(run.raised, 1);
    assert_true(fb_core_stats(run.core).timers < 10);
    fb_core_advance(run.core, YEARS_53 + 10 * SECOND);
    assert_int_equal(run.cleared, 1);
    end(&run);
}

/* The sum is 0 and known until x, stale after 60 s, leaves less than 80 % of good time; no deadline
 * of its own says so, but the end of a window at 75 s looks. */
static void beside_a_moving_window_every_end_is_looked_at(void **state) {
    (void)state;
    struct run run = start("device d { let quiet = sum(z over 10s) >= 0 }\n"
                           "alarm some on d { raise low when quiet and count(each 5s) < 100\n"
                           "on unknown clear }");
    begin(&run);
    for (int i = 0; i <= 10; i++)
        take(&run, i * (int64_t)SECOND, 3, 1);
    fb_core_advance(run.core, 200 * (int64_t)SECOND);
    assert_int_equal(run.raised, 1);
    assert_int_equal(run.cleared, 1);
    assert_int_equal(run.last_us, 75 * (int64_t)SECOND);
    end(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_windows_of_decades_cost_a_few_evaluations),
        cmocka_unit_test(a_record_wakes_what_rested),
        cmocka_unit_test(a_record_of_another_field_wakes_too),
        cmocka_unit_test(whenever_still_happens_at_every_end),
        cmocka_unit_test(a_delay_over_empty_windows_is_kept),
        cmocka_unit_test(a_held_value_without_staleness_rests),
        cmocka_unit_test(beside_a_moving_window_every_end_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
