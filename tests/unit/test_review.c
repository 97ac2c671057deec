/* What a run is shown as: curves of bounded size, figures of alarms, a page.
 *
 * Place in the flow: engine/review by itself; replay's part is in tests/cli/replay.sh. */
#include "engine/review/curve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/calendar.h"
#include "engine/review/actuation.h"
#include "engine/review/figures.h"
#include "engine/review/page.h"

/* ---- curves ---- */

static void a_short_curve_is_exact(void **state) {
    (void)state;
    struct fb_curve curve = {0};
    struct fb_buf out = {0};
    for (int i = 0; i < 4; i++)
        fb_curve_add(&curve, (10 + i) * FB_SECOND, i % 2 ? -1.5 : i);
    fb_curve_put(&curve, 10 * FB_SECOND, &out);
    assert_string_equal(fb_buf_terminated(&out), "\"at\":[0,1,2,3],\"values\":[0,-1.5,2,-1.5]");
    fb_buf_free(&out);
    fb_curve_free(&curve);
}

static void a_long_curve_keeps_every_peak(void **state) {
    (void)state;
    struct fb_curve curve = {0};
    for (int i = 0; i < 1000000; i++)
        fb_curve_add(&curve, i * FB_SECOND, i == 654321 ? 1000 : i == 123456 ? -1000 : i % 7);
    assert_true(curve.n < FB_CURVE_STRETCHES_MAX && curve.n > FB_CURVE_STRETCHES_MAX / 8);
    double least = 0, greatest = 0;
    for (uint32_t i = 0; i < curve.n; i++) {
        const struct fb_stretch *stretch = &curve.stretches[i];
        if (stretch->least < least) {
            least = stretch->least;
            assert_true(stretch->least_us == 123456 * FB_SECOND);
        }
        if (stretch->greatest > greatest && stretch->greatest == 1000) {
            greatest = stretch->greatest;
            assert_true(stretch->greatest_us == 654321 * FB_SECOND);
        }
    }
    assert_true(least == -1000 && greatest == 1000);
    fb_curve_free(&curve);
}

static void a_curve_that_leaps_far_ahead_stays_small(void **state) {
    (void)state;
    struct fb_curve curve = {0};
    for (int i = 0; i < 100000; i++)
        fb_curve_add(&curve, i < 50000 ? i : i * 10 * FB_DAY, 1);
    assert_true(curve.n < FB_CURVE_STRETCHES_MAX);
    fb_curve_free(&curve);
}

static void a_sample_from_before_is_left_out(void **state) {
    (void)state;
    struct fb_curve curve = {0};
    struct fb_buf out = {0};
    fb_curve_add(&curve, 5 * FB_SECOND, 1);
    fb_curve_add(&curve, 6 * FB_SECOND, 2);
    fb_curve_add(&curve, 5 * FB_SECOND, 9);
    fb_curve_put(&curve, 0, &out);
    assert_string_equal(fb_buf_terminated(&out), "\"at\":[5,6],\"values\":[1,2]");
    fb_buf_free(&out);
    fb_curve_free(&curve);
}

/* ---- figures ---- */

static void run(struct fb_episodes *episodes, const char *device, double from_s, double to_s) {
    struct fb_rule rule = {.name = FB_S("hot")};
    struct fb_output output = {.kind = FB_OUT_ALERT,
                               .rule = &rule,
                               .device = fb_str_of(device),
                               .severity = FB_HIGH,
                               .active = true,
                               .at_us = (int64_t)(from_s * 1e6)};
    fb_episodes_add(episodes, &output, FB_S(""));
    if (to_s < 0)
        return;
    output.event = FB_ALERT_CLEARED;
    output.active = false;
    output.at_us = (int64_t)(to_s * 1e6);
    fb_episodes_add(episodes, &output, FB_S(""));
}

static void figures_tell_fleeting_and_chattering_alarms(void **state) {
    (void)state;
    struct fb_episodes *episodes = fb_episodes_new();
    run(episodes, "a", 0, 10);    /* fleeting: 10 s, and quiet for more than 60 s */
    run(episodes, "a", 71, 81.1); /* too long */
    run(episodes, "b", 0, 5);     /* raised again within 60 s */
    run(episodes, "b", 65, 66);   /* fleeting: the last one */
    run(episodes, "c", 0, 10);    /* three within 60 s, the fourth is part of it */
    run(episodes, "c", 20, 30);
    run(episodes, "c", 40, 60);
    run(episodes, "c", 70, 79);
    run(episodes, "d", 0, 10); /* three within 60 s and a bit */
    run(episodes, "d", 20, 30);
    run(episodes, "d", 40, 60.1);
    run(episodes, "e", 90, -1); /* goes on */
    uint32_t n = fb_episodes_count(episodes), i = 0;
    struct fb_alarm_figures figures = fb_alarm_figures(episodes, n, &i, 100 * FB_SECOND);
    assert_int_equal(i, n);
    assert_int_equal(figures.raised, 12);
    assert_int_equal(figures.devices, 5);
    assert_int_equal(figures.open, 1);
    assert_int_equal(figures.fleeting, 3); /* a's first, b's last, c's last */
    assert_int_equal(figures.chattering, 1);
    assert_true(figures.longest_us == (int64_t)20.1e6);
    fb_episodes_free(episodes);
}

/* ---- actuations ---- */

static void tell(struct fb_actuation *actuation, enum fb_command_reason reason, double value,
                 int64_t at_s) {
    fb_actuation_add(actuation, &(struct fb_output){.kind = FB_OUT_COMMAND,
                                                    .actuator = actuation->actuator,
                                                    .reason = reason,
                                                    .value = value,
                                                    .requested = value,
                                                    .at_us = at_s * FB_SECOND});
}

static void block(struct fb_actuation *actuation, enum fb_guard guard, bool ended, int64_t at_s) {
    fb_actuation_add(actuation, &(struct fb_output){.kind = FB_OUT_BLOCKED,
                                                    .actuator = actuation->actuator,
                                                    .guard = guard,
                                                    .ended = ended,
                                                    .count = ended ? 3 : 0,
                                                    .at_us = at_s * FB_SECOND});
}

static void an_actuations_figures_are_those_of_its_commands(void **state) {
    (void)state;
    struct fb_actuator pump = {.name = FB_S("pump"), .is_switch = true};
    struct fb_actuation actuation;
    fb_actuation_begin(&actuation, &pump);
    tell(&actuation, FB_REASON_CLAIMED, 1, 0);
    tell(&actuation, FB_REASON_RENEWED, 1, 20);
    tell(&actuation, FB_REASON_RELINQUISHED, 0, 30);
    block(&actuation, FB_GUARD_MINIMUM, false, 40);
    block(&actuation, FB_GUARD_MINIMUM, true, 90);
    block(&actuation, FB_GUARD_STARTS, false, 90);
    tell(&actuation, FB_REASON_CLAIMED, 1, 100);
    tell(&actuation, FB_REASON_SAFE, 0, 110);
    assert_int_equal(actuation.sent, 5);
    assert_int_equal(actuation.renewed, 1);
    assert_int_equal(actuation.n_commands, 4);
    assert_int_equal(actuation.motion.starts, 2);
    assert_int_equal(actuation.motion.reversals, 3);
    assert_true(actuation.active_us == 40 * FB_SECOND);
    assert_int_equal(actuation.n_blocks, 2);
    assert_true(actuation.blocks[0].to_us == 90 * FB_SECOND && actuation.blocks[0].count == 3);
    assert_true(actuation.blocks[1].to_us == FB_NEVER);
    assert_int_equal(actuation.blocked[FB_GUARD_MINIMUM], 1);
    fb_actuation_free(&actuation);
}

static void a_set_points_first_step_is_from_safe(void **state) {
    (void)state;
    struct fb_actuator speed = {.name = FB_S("speed"), .safe = 100};
    struct fb_actuation actuation;
    fb_actuation_begin(&actuation, &speed);
    tell(&actuation, FB_REASON_CLAIMED, 60, 0);
    tell(&actuation, FB_REASON_CLAIMED, 70, 10);
    tell(&actuation, FB_REASON_CLAIMED, 80, 20);
    assert_int_equal(actuation.motion.reversals, 1);
    assert_int_equal(actuation.motion.starts, 0);
    fb_actuation_free(&actuation);
}

/* ---- the page ---- */

static uint32_t count(const struct fb_buf *page, const char *what) {
    uint32_t n = 0;
    size_t length = strlen(what);
    for (size_t i = 0; i + length <= page->n; i++)
        n += memcmp(page->p + i, what, length) == 0;
    return n;
}

static void no_text_of_a_run_ends_the_pages_script(void **state) {
    (void)state;
    struct fb_class class_ = {.name = FB_S("pump")};
    struct fb_program program = {.classes = &class_, .n_classes = 1};
    struct fb_rule rule = {.name = FB_S("hot")};
    struct fb_page *page = fb_page_new(&program);
    struct fb_buf out = {0};
    fb_page_output(
        page,
        &(struct fb_output){.kind = FB_OUT_EVENT, .rule = &rule, .device = FB_S("</script><b>")},
        FB_S("</script><!-- \" \\"));
    fb_page_put(page, FB_S("<i>"), FB_S("1"), &out);
    assert_int_equal(count(&out, "</script>"), 3);
    assert_int_equal(count(&out, "\\u003c/script>\\u003c!-- \\\" \\\\"), 1);
    fb_buf_free(&out);
    fb_page_free(page);
}

static void a_run_without_anything_is_a_page_too(void **state) {
    (void)state;
    struct fb_program program = {0};
    struct fb_page *page = fb_page_new(&program);
    struct fb_buf out = {0};
    fb_page_put(page, FB_S("none"), FB_S("1"), &out);
    assert_int_equal(
        count(&out, "\"records\":0,\"left_out\":0,\"alarms\":[],\"actuators\":[],\"devices\":[]"),
        1);
    fb_buf_free(&out);
    fb_page_free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_curve_is_exact),
        cmocka_unit_test(a_long_curve_keeps_every_peak),
        cmocka_unit_test(a_curve_that_leaps_far_ahead_stays_small),
        cmocka_unit_test(a_sample_from_before_is_left_out),
        cmocka_unit_test(figures_tell_fleeting_and_chattering_alarms),
        cmocka_unit_test(an_actuations_figures_are_those_of_its_commands),
        cmocka_unit_test(a_set_points_first_step_is_from_safe),
        cmocka_unit_test(no_text_of_a_run_ends_the_pages_script),
        cmocka_unit_test(a_run_without_anything_is_a_page_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
