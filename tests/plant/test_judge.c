/* The judge of the closed loops, at the edges of each limit: a blind one proves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/plant/judge.h"

#define S INT64_C(1000000)
#define HOUR (3600 * S)

static const struct loop_limits pump = {.is_switch = true,
                                        .minimum_us = {60 * S, 30 * S},
                                        .reversals = 2,
                                        .reversals_us = 1000 * S};
static const struct loop_limits valve = {
    .slew = 10, .slew_us = 30 * S, .reversals = 2, .reversals_us = 1000 * S};

enum { CHANGES_MAX = 16 };

static struct judgement judged(const struct loop_limits *limits, const struct loop_setup *setup,
                               const struct loop_change *changes, uint32_t n, int64_t spell_us) {
    struct loop_change copy[CHANGES_MAX] = {{0}};
    for (uint32_t i = 0; i < n; i++)
        copy[i + 1] = changes[i];
    const struct loop_course course = {
        .changes = copy, .n_changes = n + 1, .spell_from_us = spell_us};
    return judge(&course, limits, setup);
}

static void assert_broken(const struct loop_limits *limits, const struct loop_change *changes,
                          uint32_t n, uint32_t broken) {
    const struct loop_setup setup = {0};
    assert_int_equal(judged(limits, &setup, changes, n, -1).broken, broken);
}

static void a_state_left_too_soon(void **state) {
    (void)state;
    for (int64_t us = -1; us <= 0; us++) {
        const struct loop_change changes[] = {
            {.at_us = 100 * S, .value = 1},
            {.at_us = 101 * S, .value = 0, .forced = true}, /* for safety */
            {.at_us = 161 * S + us, .value = 1}};
        assert_broken(&pump, changes, 3, us < 0 ? BROKE_MINIMUM : 0);
        struct loop_limits late = pump;
        late.jitter_us = 1;
        assert_broken(&late, changes, 3, 0);
    }
    for (int64_t us = -1; us <= 0; us++) { /* nothing but safety ends a state too soon */
        const struct loop_change changes[] = {{.at_us = 100 * S, .value = 1},
                                              {.at_us = 130 * S + us, .value = 0}};
        assert_broken(&pump, changes, 2, us < 0 ? BROKE_MINIMUM : 0);
    }
    struct loop_limits safe_on = pump;
    safe_on.safe = 1;
    const struct loop_change changes[] = {{.at_us = S, .value = 1}, {.at_us = 20 * S, .value = 0}};
    assert_broken(&safe_on, changes, 2, BROKE_MINIMUM);
}

static void too_many_reversals_in_one_window(void **state) {
    (void)state;
    for (int64_t us = -1; us <= 0; us++) {
        /* Two are allowed, and one towards safe: the fourth is too many. */
        const struct loop_change changes[] = {
            {.at_us = 100 * S, .value = 1}, {.at_us = 200 * S, .value = 0},
            {.at_us = 300 * S, .value = 1}, {.at_us = 400 * S, .value = 0},
            {.at_us = 1200 * S + us, .value = 1}};
        assert_broken(&pump, changes, 4, 0);
        assert_broken(&pump, changes, 5, us < 0 ? BROKE_REVERSALS : 0);
    }
}

static void numbers_turn_and_step(void **state) {
    (void)state;
    const struct loop_change steady[] = {{.at_us = 30 * S, .value = 10},
                                         {.at_us = 60 * S, .value = 20},
                                         {.at_us = 61 * S, .value = 1}, /* towards safe */
                                         {.at_us = 91 * S, .value = 2}};
    assert_broken(&valve, steady, 4, 0);
    const struct loop_setup setup = {0};
    assert_int_equal(judged(&valve, &setup, steady, 4, -1).reversals, 2);
    const struct loop_change soon[] = {{.at_us = 30 * S, .value = 5},
                                       {.at_us = 60 * S - 1, .value = 6}};
    assert_broken(&valve, soon, 2, BROKE_SLEW);
    const struct loop_change large[] = {{.at_us = 30 * S, .value = 10.001}};
    assert_broken(&valve, large, 1, BROKE_SLEW);
}

static void a_lapse_is_no_step_but_its_return_is(void **state) {
    (void)state;
    struct loop_change changes[] = {{.at_us = 100 * S, .value = 1},
                                    {.at_us = 110 * S, .value = 0, .lapsed = true},
                                    {.at_us = 170 * S, .value = 1},
                                    {.at_us = 300 * S, .value = 0}};
    struct loop_setup setup = {0};
    assert_broken(&pump, changes, 4, 0);
    assert_int_equal(judged(&pump, &setup, changes, 4, -1).reversals, 1);
    changes[2].at_us--;
    assert_broken(&pump, changes, 4, BROKE_MINIMUM);
    setup.commands_lost = 10; /* then the engine knows nothing of it */
    assert_int_equal(judged(&pump, &setup, changes, 4, -1).broken, 0);
    changes[1].lapsed = false;
    assert_broken(&pump, changes, 4, BROKE_MINIMUM);
}

static void starts_of_an_hour(void **state) {
    (void)state;
    struct loop_limits limits = pump;
    limits.starts = 2;
    limits.reversals = 10;
    for (int64_t us = -1; us <= 0; us++) {
        const struct loop_change changes[] = {
            {.at_us = 100 * S, .value = 1}, {.at_us = 200 * S, .value = 0},
            {.at_us = 300 * S, .value = 1}, {.at_us = 400 * S, .value = 0},
            {.at_us = HOUR + 100 * S + us, .value = 1}};
        assert_broken(&limits, changes, 5, us < 0 ? BROKE_STARTS : 0);
    }
}

static void on_for_too_long(void **state) {
    (void)state;
    struct loop_limits limits = pump;
    limits.maximum_us = 300 * S;
    struct loop_setup setup = {.length_us = 400 * S};
    const struct loop_change changes[] = {{.at_us = 100 * S, .value = 1},
                                          {.at_us = 400 * S + 1, .value = 0}};
    assert_int_equal(judged(&limits, &setup, changes, 1, -1).broken, 0);
    assert_int_equal(judged(&limits, &setup, changes, 2, -1).broken, BROKE_MAXIMUM);
    setup.length_us++;
    assert_int_equal(judged(&limits, &setup, changes, 1, -1).broken, BROKE_MAXIMUM);
    limits.offs_may_be_lost = true;
    assert_int_equal(judged(&limits, &setup, changes, 2, -1).broken, 0);
}

/* Whether or not the equipment is told of each end, an end at the maximum is no state cut short. */
static void maximum_goes_before_minimum(void **state) {
    (void)state;
    struct loop_limits limits = pump;
    limits.maximum_us = 300 * S;
    limits.minimum_us[1] = 400 * S;
    limits.offs_may_be_lost = true;
    for (int64_t us = -1; us <= 0; us++) {
        const struct loop_change changes[] = {{.at_us = 100 * S, .value = 1},
                                              {.at_us = 400 * S + us, .value = 0},
                                              {.at_us = HOUR, .value = 1}};
        assert_broken(&limits, changes, 3, us < 0 ? BROKE_MINIMUM : 0);
    }
}

static void rivals_that_take_turns(void **state) {
    (void)state;
    struct loop_limits limits = pump;
    limits.reversals_us = HOUR;
    limits.reversals = 5;
    struct loop_change changes[12];
    for (uint32_t i = 0; i < 12; i++)
        changes[i] = (struct loop_change){
            .at_us = (i + 1) * 100 * S, .value = i % 2 == 0, .winner = i % 2 + 1};
    /* The third and the later ones come back: eight of ten are two more than allowed. */
    assert_broken(&limits, changes, 7, 0);
    assert_broken(&limits, changes, 9, BROKE_REVERSALS | BROKE_RIVALS);
    for (uint32_t i = 0; i < 12; i++)
        changes[i].winner = 7;
    assert_broken(&limits, changes, 9, BROKE_REVERSALS);
}

static void safe_in_time_and_until_the_end(void **state) {
    (void)state;
    const struct loop_setup setup = {.spell = SPELL_TRIP, .spell_us = 500 * S};
    struct loop_limits limits = pump;
    limits.safe_within_us = 5 * S;
    limits.lockout_us = 100 * S;
    struct loop_change changes[] = {{.at_us = 100 * S, .value = 1},
                                    {.at_us = 205 * S, .value = 0},
                                    {.at_us = 800 * S, .value = 1}};
    struct judgement j = judged(&limits, &setup, changes, 3, 200 * S);
    assert_int_equal(j.broken, 0);
    assert_int_equal(j.to_safe_us, 5 * S);
    changes[2].at_us = 800 * S - 1;
    assert_int_equal(judged(&limits, &setup, changes, 3, 200 * S).broken, BROKE_SAFE);
    changes[1].at_us = 205 * S + 1;
    assert_int_equal(judged(&limits, &setup, changes, 2, 200 * S).broken, BROKE_SAFE);
    assert_int_equal(judged(&limits, &setup, changes, 1, 200 * S).broken, BROKE_SAFE);
    assert_int_equal(judged(&limits, &setup, changes, 1, -1).broken, BROKE_NOTHING_TRIED);
}

static void a_command_for_what_was_long_past(void **state) {
    (void)state;
    struct loop_change first = {0};
    const struct loop_setup setup = {0};
    const struct loop_course course = {
        .changes = &first, .n_changes = 1, .stale_commands = 1, .spell_from_us = -1};
    assert_int_equal(judge(&course, &pump, &setup).broken, BROKE_STALE);
}

static struct judgement judged_all(const struct loop_limits *limits, const struct loop_setup *setup,
                                   struct loop_change (*changes)[CHANGES_MAX], const uint32_t *n) {
    struct loop_courses courses = {0};
    for (uint32_t i = 0; i < setup->machines * setup->acts; i++)
        courses.of[i / setup->acts][i % setup->acts] =
            (struct loop_course){.changes = changes[i], .n_changes = n[i], .spell_from_us = -1};
    return judge_all(&courses, limits, setup);
}

static const struct loop_limits rated = {
    .slew = 100, .slew_us = 1, .reversals = 100, .reversals_us = 1, .rate = 2, .rate_us = 60 * S};

static void steps_of_one_rule_are_counted_over_the_actuators_of_a_machine(void **state) {
    (void)state;
    const struct loop_setup one = {.machines = 1, .acts = 2}, two = {.machines = 2, .acts = 1};
    const uint32_t n[] = {3, 3};
    for (int64_t us = -1; us <= 0; us++) {
        struct loop_change changes[2][CHANGES_MAX] = {
            {{0},
             {.at_us = 10 * S, .value = 10, .winner = 7},
             {.at_us = 70 * S + us, .value = 20, .winner = 7}},
            {{0},
             {.at_us = 10 * S, .value = 10, .winner = 7},
             {.at_us = 20 * S, .value = 5, .winner = 7}}}; /* towards safe */
        const struct judgement j = judged_all(&rated, &one, changes, n);
        assert_int_equal(j.broken, us < 0 ? BROKE_RATE : 0);
        assert_int_equal(j.most_of_rule, us < 0 ? 3 : 2);
        assert_int_equal(judged_all(&rated, &two, changes, n).broken, 0);
        changes[0][2].winner = 8; /* another rule; the default */
        assert_int_equal(judged_all(&rated, &one, changes, n).broken, 0);
        changes[0][2].winner = 0;
        assert_int_equal(judged_all(&rated, &one, changes, n).broken, 0);
    }
}

static void steps_of_all_are_counted_over_all_machines(void **state) {
    (void)state;
    struct loop_limits limits = rated;
    limits.rate = 0;
    limits.commands = 3;
    limits.commands_us = 60 * S;
    const struct loop_setup setup = {.machines = 2, .acts = 1};
    const uint32_t n[] = {4, 3};
    for (int64_t us = -1; us <= 0; us++) {
        struct loop_change changes[2][CHANGES_MAX] = {
            {{0},
             {.at_us = 10 * S, .value = 10, .winner = 7},
             {.at_us = 20 * S, .value = 0, .lapsed = true},
             {.at_us = 70 * S + us, .value = 20, .winner = 7}},
            {{0},
             {.at_us = 15 * S, .value = 30, .winner = 8},
             {.at_us = 16 * S, .value = 40}}}; /* the default's counts too */
        const struct judgement j = judged_all(&limits, &setup, changes, n);
        assert_int_equal(j.broken, us < 0 ? BROKE_COMMANDS : 0);
        assert_int_equal(j.most_of_all, us < 0 ? 4 : 3);
        limits.jitter_us = 1;
        assert_int_equal(judged_all(&limits, &setup, changes, n).broken, 0);
        limits.jitter_us = 0;
    }
}

static void of_several_actuators_the_worst_counts(void **state) {
    (void)state;
    struct loop_limits limits = pump;
    limits.safe_within_us = 5 * S;
    const struct loop_setup setup = {
        .machines = 2, .acts = 1, .spell = SPELL_TRIP, .spell_us = 100 * S};
    struct loop_change safe[] = {{0}};
    struct loop_change trips[] = {
        {0}, {.at_us = 100 * S, .value = 1}, {.at_us = 203 * S, .value = 0}};
    struct loop_courses courses = {0};
    courses.of[0][0] =
        (struct loop_course){.changes = trips, .n_changes = 3, .spell_from_us = 200 * S};
    courses.of[1][0] =
        (struct loop_course){.changes = safe, .n_changes = 1, .spell_from_us = 200 * S};
    assert_int_equal(judge_all(&courses, &limits, &setup).broken, 0);
    assert_int_equal(judge_all(&courses, &limits, &setup).to_safe_us, 3 * S);
    trips[2].at_us = 206 * S;
    assert_int_equal(judge_all(&courses, &limits, &setup).broken, BROKE_SAFE);
    courses.of[0][0].n_changes = 2;
    assert_int_equal(judge_all(&courses, &limits, &setup).broken, BROKE_SAFE);
    assert_int_equal(judge_all(&courses, &limits, &setup).to_safe_us, -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_left_too_soon),
        cmocka_unit_test(too_many_reversals_in_one_window),
        cmocka_unit_test(numbers_turn_and_step),
        cmocka_unit_test(a_lapse_is_no_step_but_its_return_is),
        cmocka_unit_test(starts_of_an_hour),
        cmocka_unit_test(on_for_too_long),
        cmocka_unit_test(maximum_goes_before_minimum),
        cmocka_unit_test(rivals_that_take_turns),
        cmocka_unit_test(safe_in_time_and_until_the_end),
        cmocka_unit_test(a_command_for_what_was_long_past),
        cmocka_unit_test(steps_of_one_rule_are_counted_over_the_actuators_of_a_machine),
        cmocka_unit_test(steps_of_all_are_counted_over_all_machines),
        cmocka_unit_test(of_several_actuators_the_worst_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
