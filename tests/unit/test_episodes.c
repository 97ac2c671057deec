/* Alerts, events and commands gathered to episodes, and those of two runs paired.
 *
 * Place in the flow: engine/review/episodes alone. */
#include "engine/review/episodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/model/program.h"

static void add(struct fb_episodes *episodes, struct fb_output output, const char *rule,
                int64_t at_us) {
    struct fb_rule made = {.name = fb_str_of(rule)};
    output.rule = &made;
    output.device = FB_S("p1");
    output.at_us = at_us;
    fb_episodes_add(episodes, &output, FB_S("said"));
}

static void raise(struct fb_episodes *episodes, const char *rule, int64_t at_us,
                  enum fb_severity severity) {
    add(episodes, (struct fb_output){.kind = FB_OUT_ALERT, .active = true, .severity = severity},
        rule, at_us);
}

static void change(struct fb_episodes *episodes, const char *rule, int64_t at_us,
                   enum fb_severity severity) {
    add(episodes,
        (struct fb_output){
            .kind = FB_OUT_ALERT, .event = FB_ALERT_SEVERITY, .active = true, .severity = severity},
        rule, at_us);
}

static void clear(struct fb_episodes *episodes, const char *rule, int64_t at_us) {
    add(episodes, (struct fb_output){.kind = FB_OUT_ALERT, .event = FB_ALERT_CLEARED}, rule, at_us);
}

static void happen(struct fb_episodes *episodes, const char *rule, int64_t at_us) {
    add(episodes, (struct fb_output){.kind = FB_OUT_EVENT}, rule, at_us);
}

static void an_alarm_is_from_raised_to_cleared_with_its_highest_severity(void **state) {
    (void)state;
    struct fb_episodes *run = fb_episodes_new();
    happen(run, "door", 5);
    raise(run, "hot", 10, FB_LOW);
    change(run, "hot", 20, FB_CRITICAL);
    change(run, "hot", 30, FB_MEDIUM);
    clear(run, "hot", 40);
    raise(run, "hot", 50, FB_LOW);
    assert_int_equal(fb_episodes_count(run), 3);
    const struct fb_episode *first = fb_episodes_at(run, 0);
    assert_int_equal(first->kind, FB_EPISODE_ALARM);
    assert_int_equal(first->from_us, 10);
    assert_int_equal(first->to_us, 40);
    assert_int_equal(first->severity, FB_CRITICAL);
    assert_true(fb_episodes_at(run, 1)->to_us == FB_NEVER);
    assert_int_equal(fb_episodes_at(run, 2)->kind, FB_EPISODE_EVENT);
    fb_episodes_free(run);
}

/* Pairs as text: "10-10 20-_ _-30", the starts in run A and B. */
static void check_pairs(struct fb_episodes *a, struct fb_episodes *b, int64_t near_us,
                        const char *wanted) {
    uint32_t n;
    struct fb_buf text = {0};
    struct fb_episode_pair *pairs = fb_episodes_compare(a, b, near_us, &n);
    for (uint32_t i = 0; i < n; i++) {
        fb_buf_text(&text, i ? " " : "");
        if (pairs[i].a)
            fb_buf_printf(&text, "%d-", (int)pairs[i].a->from_us);
        else
            fb_buf_text(&text, "_-");
        if (pairs[i].b)
            fb_buf_printf(&text, "%d", (int)pairs[i].b->from_us);
        else
            fb_buf_char(&text, '_');
    }
    assert_string_equal(fb_buf_terminated(&text), wanted);
    fb_buf_free(&text);
    free(pairs);
    fb_episodes_free(a);
    fb_episodes_free(b);
}

static void alarms_that_overlap_are_one_even_far_apart(void **state) {
    (void)state;
    struct fb_episodes *a = fb_episodes_new(), *b = fb_episodes_new();
    raise(a, "hot", 10, FB_LOW);
    clear(a, "hot", 1000);
    raise(b, "hot", 500, FB_LOW);
    check_pairs(a, b, 0, "10-500");
}

static void an_alarm_that_falls_apart_is_one_and_a_new_one(void **state) {
    (void)state;
    struct fb_episodes *a = fb_episodes_new(), *b = fb_episodes_new();
    raise(a, "hot", 10, FB_LOW);
    clear(a, "hot", 100);
    raise(b, "hot", 20, FB_LOW);
    clear(b, "hot", 40);
    raise(b, "hot", 60, FB_LOW);
    clear(b, "hot", 100);
    check_pairs(a, b, 0, "10-20 _-60");
}

static void the_same_instant_comes_before_what_is_only_near(void **state) {
    (void)state;
    struct fb_episodes *a = fb_episodes_new(), *b = fb_episodes_new();
    happen(a, "door", 10);
    happen(b, "door", 5);
    happen(b, "door", 10);
    check_pairs(a, b, 100, "_-5 10-10");
}

static void events_are_near_up_to_the_distance_and_not_beyond(void **state) {
    (void)state;
    struct fb_episodes *a = fb_episodes_new(), *b = fb_episodes_new();
    happen(a, "door", 10);
    happen(a, "door", 100);
    happen(b, "door", 20);
    happen(b, "door", 111);
    check_pairs(a, b, 10, "10-20 100-_ _-111");
}

static void rules_and_devices_are_not_mixed_up(void **state) {
    (void)state;
    struct fb_episodes *a = fb_episodes_new(), *b = fb_episodes_new();
    raise(a, "hot", 10, FB_LOW);
    raise(b, "warm", 10, FB_LOW);
    check_pairs(a, b, 100, "10-_ _-10");
}

static void one_run_may_be_empty(void **state) {
    (void)state;
    struct fb_episodes *a = fb_episodes_new(), *b = fb_episodes_new();
    happen(a, "door", 10);
    happen(a, "bell", 10);
    check_pairs(a, b, 100, "10-_ 10-_");
}

/* ---- commands ---- */

static void command(struct fb_episodes *episodes, const struct fb_actuator *actuator,
                    const char *device, int64_t at_us, double value) {
    struct fb_output output = {.kind = FB_OUT_COMMAND,
                               .actuator = actuator,
                               .device = fb_str_of(device),
                               .at_us = at_us,
                               .value = value};
    fb_episodes_add_command(episodes, FB_EPISODE_COMMAND, FB_S("tank"), &output);
}

static const struct fb_actuator pump = {
    .name = {"pump", 4}, .is_switch = true, .words = {{"off", 3}, {"on", 2}}};
static const struct fb_actuator valve = {.name = {"valve", 5}, .unit = {"%", 1}};

static void a_course_has_a_command_for_each_value(void **state) {
    (void)state;
    struct fb_episodes *run = fb_episodes_new();
    command(run, &valve, "p1", 10, 40);
    command(run, &valve, "p1", 20, 40); /* renewed */
    command(run, &valve, "p2", 20, 40); /* another one */
    command(run, &valve, "p1", 30, 62.5);
    command(run, &valve, "p1", 40, 0);
    assert_int_equal(fb_episodes_courses(run), 2);
    const struct fb_course *course = fb_episodes_course(run, 0);
    assert_true(fb_str_eq(course->actuator, FB_S("valve")));
    assert_true(fb_str_eq(course->class_name, FB_S("tank")));
    assert_int_equal(course->motion.reversals, 1);
    assert_int_equal(fb_episodes_count(run), 4);
    const struct fb_episode *second = fb_episodes_at(run, 1);
    assert_int_equal(second->from_us, 30);
    assert_int_equal(second->to_us, 40);
    assert_true(fb_str_eq(second->value, FB_S("62.5 %")));
    assert_true(fb_episodes_at(run, 2)->to_us == FB_NEVER);
    assert_true(fb_str_eq(fb_episodes_at(run, 3)->device, FB_S("p2")));
    fb_episodes_free(run);
}

static void commands_of_one_value_belong_together(void **state) {
    (void)state;
    struct fb_episodes *a = fb_episodes_new(), *b = fb_episodes_new();
    command(a, &pump, "p1", 10, 1);
    command(a, &pump, "p1", 50, 0);
    command(b, &pump, "p1", 10, 0); /* over before A has it */
    command(b, &pump, "p1", 30, 1);
    command(b, &pump, "p1", 60, 0);
    check_pairs(a, b, 0, "10-30 _-10 50-60");
}

static void a_word_is_not_another_word_nearby_but_at_the_same_instant(void **state) {
    (void)state;
    struct fb_episodes *a = fb_episodes_new(), *b = fb_episodes_new();
    command(a, &pump, "p1", 10, 1);
    command(b, &pump, "p1", 15, 0);
    command(a, &pump, "p2", 10, 1);
    command(b, &pump, "p2", 10, 0);
    check_pairs(a, b, 100, "10-_ 10-10 _-15");
}

static void numbers_nearby_are_one_command_with_another_value(void **state) {
    (void)state;
    struct fb_episodes *a = fb_episodes_new(), *b = fb_episodes_new();
    command(a, &valve, "p1", 10, 40);
    command(a, &valve, "p1", 30, 50);
    command(b, &valve, "p1", 15, 45);
    command(b, &valve, "p1", 35, 60);
    command(b, &valve, "p1", 100, 50); /* overlaps what A has since 30 */
    check_pairs(a, b, 5, "10-15 30-100 _-35");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alarm_is_from_raised_to_cleared_with_its_highest_severity),
        cmocka_unit_test(alarms_that_overlap_are_one_even_far_apart),
        cmocka_unit_test(an_alarm_that_falls_apart_is_one_and_a_new_one),
        cmocka_unit_test(the_same_instant_comes_before_what_is_only_near),
        cmocka_unit_test(events_are_near_up_to_the_distance_and_not_beyond),
        cmocka_unit_test(rules_and_devices_are_not_mixed_up),
        cmocka_unit_test(one_run_may_be_empty),
        cmocka_unit_test(a_course_has_a_command_for_each_value),
        cmocka_unit_test(commands_of_one_value_belong_together),
        cmocka_unit_test(a_word_is_not_another_word_nearby_but_at_the_same_instant),
        cmocka_unit_test(numbers_nearby_are_one_command_with_another_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
