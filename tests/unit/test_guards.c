/* Guardrails: every row at its exact edges, and what random requests over time never break. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/guard.h"

#define S INT64_C(1000000)
#define MINUTE (60 * S)

enum { OFF, ON };

static struct fb_actuator switch_of(double safe) {
    return (struct fb_actuator){.is_switch = true,
                                .high = 1,
                                .safe = safe,
                                .fallback = safe,
                                .lease_us = MINUTE,
                                .interlock = FB_NO_CONDITION,
                                .permissive = FB_NO_CONDITION};
}

static struct fb_actuator number_of(double low, double high, double safe) {
    struct fb_actuator actuator = switch_of(safe);
    actuator.is_switch = false;
    actuator.low = low;
    actuator.high = high;
    return actuator;
}

static struct fb_actuator_cell *cell_of(const struct fb_actuator *actuator, int64_t came_us) {
    struct fb_actuator_cell *cell = calloc(1, fb_actuator_bytes(actuator));
    assert_non_null(cell);
    cell->now_us = cell->sent_us = cell->lease_until_us = FB_NO_TIME;
    cell->changed_us = came_us;
    cell->due_us = FB_NEVER;
    cell->lockout_end_us = cell->breaker_end_us = cell->blocked_us = FB_NO_TIME;
    cell->guard = FB_GUARDS;
    for (uint32_t i = 0; i < actuator->starts + actuator->reversals; i++)
        cell->times[i] = FB_NO_TIME;
    return cell;
}

/* The cell after a restart: nothing but its bytes is left of it. */
static struct fb_actuator_cell *restarted(const struct fb_actuator *actuator,
                                          struct fb_actuator_cell *cell) {
    const size_t bytes = fb_actuator_bytes(actuator);
    struct fb_actuator_cell *read_back = malloc(bytes);
    assert_non_null(read_back);
    memcpy(read_back, cell, bytes);
    memset(cell, 0xa5, bytes);
    free(cell);
    return read_back;
}

struct answer {
    enum fb_verdict verdict;
    double value;
    int64_t until_us;
};

static struct fb_request request_of(double value) {
    return (struct fb_request){
        .requested = value, .value = value, .permissive = 1, .max_lag_us = MINUTE};
}

static struct answer ask(enum fb_guard guard, const struct fb_actuator *actuator,
                         struct fb_actuator_cell *cell, struct fb_request request,
                         int64_t now_us) {
    struct answer answer = {.until_us = FB_NEVER};
    answer.verdict =
        fb_guard_rows[guard].fn(actuator, cell, &request, now_us, &answer.until_us);
    answer.value = request.value;
    return answer;
}

static void expect(struct answer answer, enum fb_verdict verdict, double value,
                   int64_t until_us) {
    assert_string_equal(fb_verdict_name(answer.verdict), fb_verdict_name(verdict));
    assert_true(answer.value == value);
    assert_int_equal(answer.until_us, until_us);
}

/* The row of the guardrail alone is asked for `value` at a time. */
static void expect_of(enum fb_guard guard, const struct fb_actuator *actuator,
                      struct fb_actuator_cell *cell, double value, int64_t now_us,
                      enum fb_verdict verdict, double applied, int64_t until_us) {
    expect(ask(guard, actuator, cell, request_of(value), now_us), verdict, applied, until_us);
}

static void the_table_is_in_the_order_of_the_guards(void **state) {
    (void)state;
    for (int guard = 0; guard < FB_GUARDS; guard++) {
        assert_int_equal(fb_guard_rows[guard].guard, guard);
        assert_non_null(fb_guard_rows[guard].fn);
    }
    static const enum fb_guard skipped[] = {FB_GUARD_PERMISSIVE, FB_GUARD_MINIMUM, FB_GUARD_STARTS,
                                            FB_GUARD_SLEW,       FB_GUARD_IGNORE,  FB_GUARD_RATE,
                                            FB_GUARD_COMMANDS,   FB_GUARD_FLEET};
    const int n_skipped = sizeof(skipped) / sizeof(*skipped);
    int n_always = 0;
    for (int guard = 0; guard < FB_GUARDS; guard++)
        n_always += fb_guard_rows[guard].always;
    for (int i = 0; i < n_skipped; i++)
        assert_false(fb_guard_rows[skipped[i]].always);
    assert_int_equal(n_always, FB_GUARDS - n_skipped);
}

static void towards_safe_of_two_words(void **state) {
    (void)state;
    for (int safe = OFF; safe <= ON; safe++) {
        const struct fb_actuator actuator = switch_of(safe);
        struct fb_actuator_cell *cell = cell_of(&actuator, 0);
        assert_true(fb_is_towards_safe(&actuator, cell, safe));
        assert_false(fb_is_towards_safe(&actuator, cell, 1 - safe));
        fb_guards_accepted(&actuator, cell, safe, 1);
        assert_false(fb_is_towards_safe(&actuator, cell, safe));
        assert_false(fb_is_towards_safe(&actuator, cell, 1 - safe));
        fb_guards_accepted(&actuator, cell, 1 - safe, 2);
        assert_true(fb_is_towards_safe(&actuator, cell, safe));
        assert_false(fb_is_towards_safe(&actuator, cell, 1 - safe));
        free(cell);
    }
}

static void towards_safe_of_numbers(void **state) {
    (void)state;
    const struct fb_actuator actuator = number_of(-10, 10, 2);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    assert_true(fb_is_towards_safe(&actuator, cell, 2));
    assert_false(fb_is_towards_safe(&actuator, cell, 1));
    static const struct {
        double accepted, value;
        bool is;
    } cases[] = {{5, 5, false}, {5, 4, true},    {5, 2, true},  {5, 1.999, false}, {5, 6, false},
                 {2, 2, false}, {2, 3, false},   {2, 1, false}, {-3, -3, false},   {-3, -2, true},
                 {-3, 2, true}, {-3, 2.1, false}, {-3, -4, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cell->accepted = cases[i].accepted;
        cell->has_accepted = 1;
        assert_int_equal(fb_is_towards_safe(&actuator, cell, cases[i].value), cases[i].is);
    }
    free(cell);
}

static void range_ends_are_inside(void **state) {
    (void)state;
    const struct fb_actuator actuator = number_of(-1, 4, 0);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    const enum fb_guard row = FB_GUARD_RANGE;
    expect_of(row, &actuator, cell, -1, 0, FB_VERDICT_PASS, -1, FB_NEVER);
    expect_of(row, &actuator, cell, 4, 0, FB_VERDICT_PASS, 4, FB_NEVER);
    expect_of(row, &actuator, cell, 4.0000000000000009, 0, FB_VERDICT_CHANGE, 4, FB_NEVER);
    expect_of(row, &actuator, cell, -1.0000000000000002, 0, FB_VERDICT_CHANGE, -1, FB_NEVER);
    expect_of(row, &actuator, cell, 1.7e308, 0, FB_VERDICT_CHANGE, 4, FB_NEVER);
    const struct fb_actuator two_words = switch_of(OFF);
    expect_of(row, &two_words, cell, ON, 0, FB_VERDICT_PASS, ON, FB_NEVER);
    free(cell);
}

static void interlock_forces_safe_while_true_or_unknown(void **state) {
    (void)state;
    const struct fb_actuator actuator = number_of(0, 9, 3);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    for (uint8_t value = 0; value <= 2; value++) {
        struct fb_request request = request_of(7);
        request.interlock = value;
        expect(ask(FB_GUARD_INTERLOCK, &actuator, cell, request, 5),
               value ? FB_VERDICT_CHANGE : FB_VERDICT_PASS, value ? 3 : 7, FB_NEVER);
        request.value = 3;
        expect(ask(FB_GUARD_INTERLOCK, &actuator, cell, request, 5), FB_VERDICT_PASS, 3, FB_NEVER);
    }
    free(cell);
}

static void lockout_begins_when_the_interlock_becomes_false(void **state) {
    (void)state;
    struct fb_actuator actuator = switch_of(OFF);
    actuator.lockout_us = 10 * S;
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    const enum fb_guard row = FB_GUARD_LOCKOUT;
    fb_guards_interlock(&actuator, cell, 0, 0);
    expect_of(row, &actuator, cell, ON, 0, FB_VERDICT_PASS, ON, FB_NEVER);
    fb_guards_interlock(&actuator, cell, 1, S);
    expect_of(row, &actuator, cell, ON, S, FB_VERDICT_PASS, ON, FB_NEVER);
    fb_guards_interlock(&actuator, cell, 2, 2 * S);
    fb_guards_interlock(&actuator, cell, 0, 5 * S);
    fb_guards_interlock(&actuator, cell, 0, 6 * S);
    cell = restarted(&actuator, cell);
    expect_of(row, &actuator, cell, ON, 6 * S, FB_VERDICT_CHANGE, OFF, 15 * S);
    expect_of(row, &actuator, cell, OFF, 6 * S, FB_VERDICT_PASS, OFF, 15 * S);
    expect_of(row, &actuator, cell, ON, 15 * S - 1, FB_VERDICT_CHANGE, OFF, 15 * S);
    expect_of(row, &actuator, cell, ON, 15 * S, FB_VERDICT_PASS, ON, FB_NEVER);
    expect_of(row, &actuator, cell, ON, 15 * S + 1, FB_VERDICT_PASS, ON, FB_NEVER);
    free(cell);
}

static void there_is_no_lockout_while_the_interlock_is_true_again(void **state) {
    (void)state;
    struct fb_actuator actuator = switch_of(OFF);
    actuator.lockout_us = 10 * S;
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    fb_guards_interlock(&actuator, cell, 2, 0);
    fb_guards_interlock(&actuator, cell, 0, 5 * S);
    fb_guards_interlock(&actuator, cell, 1, 6 * S);
    expect_of(FB_GUARD_LOCKOUT, &actuator, cell, ON, 7 * S, FB_VERDICT_PASS, ON, FB_NEVER);
    fb_guards_interlock(&actuator, cell, 0, 20 * S);
    expect_of(FB_GUARD_LOCKOUT, &actuator, cell, ON, 20 * S, FB_VERDICT_CHANGE, OFF, 30 * S);
    free(cell);

    actuator.lockout_us = 0;
    cell = cell_of(&actuator, 0);
    fb_guards_interlock(&actuator, cell, 1, 0);
    fb_guards_interlock(&actuator, cell, 0, 1);
    expect_of(FB_GUARD_LOCKOUT, &actuator, cell, ON, 1, FB_VERDICT_PASS, ON, FB_NEVER);
    free(cell);
}

static void maximum_on_ends_what_is_active(void **state) {
    (void)state;
    struct fb_actuator actuator = switch_of(OFF);
    actuator.maximum_on_us = 30 * S;
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    const enum fb_guard row = FB_GUARD_MAXIMUM;
    /* Nothing is accepted, then inactive is: however long that lasts. */
    expect_of(row, &actuator, cell, ON, 99 * S, FB_VERDICT_PASS, ON, FB_NEVER);
    fb_guards_accepted(&actuator, cell, OFF, 100 * S);
    expect_of(row, &actuator, cell, ON, 199 * S, FB_VERDICT_PASS, ON, FB_NEVER);
    fb_guards_accepted(&actuator, cell, ON, 200 * S);
    cell = restarted(&actuator, cell);
    expect_of(row, &actuator, cell, ON, 230 * S - 1, FB_VERDICT_PASS, ON, 230 * S);
    expect_of(row, &actuator, cell, ON, 230 * S, FB_VERDICT_CHANGE, OFF, FB_NEVER);
    expect_of(row, &actuator, cell, ON, 230 * S + 1, FB_VERDICT_CHANGE, OFF, FB_NEVER);
    expect_of(row, &actuator, cell, OFF, 230 * S, FB_VERDICT_PASS, OFF, FB_NEVER);
    actuator.maximum_on_us = 0;
    expect_of(row, &actuator, cell, ON, 230 * S, FB_VERDICT_PASS, ON, FB_NEVER);
    free(cell);
}

static void permissive_gates_starts_and_every_step_of_a_number(void **state) {
    (void)state;
    const struct fb_actuator two_words = switch_of(OFF), number = number_of(0, 9, 3);
    struct fb_actuator_cell *cell = cell_of(&two_words, 0);
    for (uint8_t value = 0; value <= 2; value++) {
        const enum fb_verdict gated = value == 1 ? FB_VERDICT_PASS : FB_VERDICT_REFUSE;
        struct fb_request request = request_of(ON);
        request.permissive = value;
        expect(ask(FB_GUARD_PERMISSIVE, &two_words, cell, request, 5), gated, ON, FB_NEVER);
        request.value = OFF;
        expect(ask(FB_GUARD_PERMISSIVE, &two_words, cell, request, 5), FB_VERDICT_PASS, OFF,
               FB_NEVER);
        expect(ask(FB_GUARD_PERMISSIVE, &number, cell, request, 5), gated, 0, FB_NEVER);
    }
    free(cell);
}

static void minimum_holds_to_the_microsecond(void **state) {
    (void)state;
    struct fb_actuator actuator = switch_of(OFF);
    actuator.minimum_us[OFF] = 300 * S;
    actuator.minimum_us[ON] = 180 * S;
    struct fb_actuator_cell *cell = cell_of(&actuator, 7);
    const enum fb_guard row = FB_GUARD_MINIMUM;
    /* Nothing accepted: off since the device came. */
    expect_of(row, &actuator, cell, ON, 7, FB_VERDICT_HOLD, ON, 300 * S + 7);
    expect_of(row, &actuator, cell, ON, 300 * S + 6, FB_VERDICT_HOLD, ON, 300 * S + 7);
    expect_of(row, &actuator, cell, ON, 300 * S + 7, FB_VERDICT_PASS, ON, FB_NEVER);
    fb_guards_accepted(&actuator, cell, ON, 400 * S);
    cell = restarted(&actuator, cell);
    expect_of(row, &actuator, cell, OFF, 580 * S - 1, FB_VERDICT_HOLD, OFF, 580 * S);
    expect_of(row, &actuator, cell, OFF, 580 * S, FB_VERDICT_PASS, OFF, FB_NEVER);
    fb_guards_accepted(&actuator, cell, OFF, 600 * S);
    expect_of(row, &actuator, cell, ON, 900 * S - 1, FB_VERDICT_HOLD, ON, 900 * S);
    expect_of(row, &actuator, cell, ON, 900 * S, FB_VERDICT_PASS, ON, FB_NEVER);
    /* The same value again does not begin it anew. */
    fb_guards_accepted(&actuator, cell, OFF, 800 * S);
    expect_of(row, &actuator, cell, ON, 900 * S, FB_VERDICT_PASS, ON, FB_NEVER);
    actuator.minimum_us[OFF] = 0;
    expect_of(row, &actuator, cell, ON, 600 * S, FB_VERDICT_PASS, ON, FB_NEVER);
    free(cell);
}

static void the_first_command_of_two_words_begins_a_minimum(void **state) {
    (void)state;
    struct fb_actuator actuator = switch_of(OFF);
    actuator.minimum_us[OFF] = 10 * S;
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    fb_guards_accepted(&actuator, cell, OFF, 50 * S);
    expect_of(FB_GUARD_MINIMUM, &actuator, cell, ON, 60 * S - 1, FB_VERDICT_HOLD, ON, 60 * S);
    free(cell);
}

static void starts_hold_until_the_oldest_leaves(void **state) {
    (void)state;
    struct fb_actuator actuator = switch_of(OFF);
    actuator.starts = 3;
    actuator.starts_us = 100 * S;
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    const enum fb_guard row = FB_GUARD_STARTS;
    for (int64_t i = 1; i <= 3; i++) {
        expect_of(row, &actuator, cell, ON, 10 * i * S, FB_VERDICT_PASS, ON, FB_NEVER);
        fb_guards_accepted(&actuator, cell, ON, 10 * i * S);
        fb_guards_accepted(&actuator, cell, OFF, 10 * i * S + S);
    }
    cell = restarted(&actuator, cell);
    expect_of(row, &actuator, cell, ON, 110 * S - 1, FB_VERDICT_HOLD, ON, 110 * S);
    expect_of(row, &actuator, cell, OFF, 110 * S - 1, FB_VERDICT_PASS, OFF, FB_NEVER);
    expect_of(row, &actuator, cell, ON, 110 * S, FB_VERDICT_PASS, ON, FB_NEVER);
    /* The ring wraps: the next oldest is the one at 20 s. */
    fb_guards_accepted(&actuator, cell, ON, 110 * S);
    fb_guards_accepted(&actuator, cell, OFF, 111 * S);
    expect_of(row, &actuator, cell, ON, 112 * S, FB_VERDICT_HOLD, ON, 120 * S);
    fb_guards_accepted(&actuator, cell, ON, 120 * S);
    fb_guards_accepted(&actuator, cell, OFF, 121 * S);
    expect_of(row, &actuator, cell, ON, 121 * S, FB_VERDICT_HOLD, ON, 130 * S);
    fb_guards_accepted(&actuator, cell, ON, 131 * S);
    fb_guards_accepted(&actuator, cell, OFF, 132 * S);
    expect_of(row, &actuator, cell, ON, 209 * S, FB_VERDICT_HOLD, ON, 210 * S);
    free(cell);
}

static void starts_at_one_instant_all_count(void **state) {
    (void)state;
    struct fb_actuator actuator = switch_of(OFF);
    actuator.starts = FB_STARTS_MAX;
    actuator.starts_us = 1;
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    for (uint32_t i = 0; i < actuator.starts; i++) {
        expect_of(FB_GUARD_STARTS, &actuator, cell, ON, 5, FB_VERDICT_PASS, ON, FB_NEVER);
        fb_guards_accepted(&actuator, cell, ON, 5);
        fb_guards_accepted(&actuator, cell, OFF, 5);
    }
    expect_of(FB_GUARD_STARTS, &actuator, cell, ON, 5, FB_VERDICT_HOLD, ON, 6);
    expect_of(FB_GUARD_STARTS, &actuator, cell, ON, 6, FB_VERDICT_PASS, ON, FB_NEVER);
    free(cell);
}

static struct fb_actuator with_breaker(struct fb_actuator actuator, bool safe) {
    actuator.starts = 2; /* so that the reversals do not begin at place 0 */
    actuator.starts_us = S;
    actuator.reversals = 4;
    actuator.reversals_us = 600 * S;
    actuator.breaker_us = 1800 * S;
    actuator.breaker_safe = safe;
    return actuator;
}

/* on, off, on, off, on at 100 s, 110 s, .. 140 s: four reversals, the last at 140 s. */
static void hunt(const struct fb_actuator *actuator, struct fb_actuator_cell *cell) {
    for (int64_t i = 0; i < 5; i++) {
        assert_int_equal(cell->breaker_end_us, FB_NO_TIME);
        fb_guards_accepted(actuator, cell, i % 2 == 0, (100 + 10 * i) * S);
    }
}

static void breaker_opens_with_the_nth_reversal_and_keeps(void **state) {
    (void)state;
    const struct fb_actuator actuator = with_breaker(switch_of(OFF), false);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    const enum fb_guard row = FB_GUARD_BREAKER;
    hunt(&actuator, cell);
    cell = restarted(&actuator, cell);
    const int64_t end = 1940 * S;
    assert_int_equal(cell->breaker_end_us, end);
    /* On is accepted: off is towards safe and passes; then on is held. */
    expect_of(row, &actuator, cell, ON, 141 * S, FB_VERDICT_PASS, ON, end);
    expect_of(row, &actuator, cell, OFF, 141 * S, FB_VERDICT_PASS, OFF, end);
    fb_guards_accepted(&actuator, cell, OFF, 150 * S);
    assert_int_equal(cell->breaker_end_us, end);
    expect_of(row, &actuator, cell, ON, 151 * S, FB_VERDICT_HOLD, ON, end);
    expect_of(row, &actuator, cell, ON, end - 1, FB_VERDICT_HOLD, ON, end);
    expect_of(row, &actuator, cell, ON, end, FB_VERDICT_PASS, ON, FB_NEVER);
    free(cell);
}

static void breaker_lets_a_probe_through_and_opens_with_the_next(void **state) {
    (void)state;
    const struct fb_actuator actuator = with_breaker(switch_of(OFF), false);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    hunt(&actuator, cell);
    fb_guards_accepted(&actuator, cell, OFF, 150 * S);
    const int64_t end = 1940 * S;
    /* Whether the row was asked at the end or not is the same. */
    fb_guards_accepted(&actuator, cell, ON, end + 3 * S);
    cell = restarted(&actuator, cell);
    assert_int_equal(cell->breaker_end_us, FB_NO_TIME);
    fb_guards_accepted(&actuator, cell, OFF, end + 4 * S);
    assert_int_equal(cell->breaker_end_us, end + 1804 * S);
    free(cell);
}

static void reversals_counted_at_the_end_leave_after_the_window(void **state) {
    (void)state;
    for (int64_t late_us = -1; late_us <= 1; late_us++) {
        const struct fb_actuator actuator = with_breaker(switch_of(OFF), false);
        struct fb_actuator_cell *cell = cell_of(&actuator, 0);
        hunt(&actuator, cell);
        fb_guards_accepted(&actuator, cell, OFF, 150 * S);
        const int64_t end = 1940 * S;
        expect_of(FB_GUARD_BREAKER, &actuator, cell, ON, end, FB_VERDICT_PASS, ON, FB_NEVER);
        fb_guards_accepted(&actuator, cell, ON, end + S);
        fb_guards_accepted(&actuator, cell, OFF, end + 600 * S + late_us);
        assert_int_equal(cell->breaker_end_us,
                         late_us < 0 ? end + 2400 * S + late_us : FB_NO_TIME);
        free(cell);
    }
}

static void breaker_counts_only_reversals_in_the_window(void **state) {
    (void)state;
    for (int64_t late_us = -1; late_us <= 1; late_us++) {
        const struct fb_actuator actuator = with_breaker(switch_of(OFF), false);
        struct fb_actuator_cell *cell = cell_of(&actuator, 0);
        for (int64_t i = 0; i < 4; i++) /* reversals at 110, 120, 130 s */
            fb_guards_accepted(&actuator, cell, i % 2 == 0, (100 + 10 * i) * S);
        fb_guards_accepted(&actuator, cell, ON, 710 * S + late_us);
        assert_int_equal(cell->breaker_end_us != FB_NO_TIME, late_us < 0);
        /* Of the ring's four places the oldest is overwritten; the next reversal is the fifth. */
        fb_guards_accepted(&actuator, cell, OFF, 720 * S);
        assert_int_equal(cell->breaker_end_us != FB_NO_TIME, late_us < 0);
        fb_guards_accepted(&actuator, cell, ON, 729 * S);
        assert_int_equal(cell->breaker_end_us,
                         late_us < 0 ? 2510 * S + late_us : (729 + 1800) * S);
        free(cell);
    }
}

static void breaker_makes_safe_even_what_is_accepted(void **state) {
    (void)state;
    const struct fb_actuator actuator = with_breaker(switch_of(OFF), true);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    hunt(&actuator, cell);
    const int64_t end = 1940 * S;
    expect_of(FB_GUARD_BREAKER, &actuator, cell, ON, 141 * S, FB_VERDICT_CHANGE, OFF, end);
    expect_of(FB_GUARD_BREAKER, &actuator, cell, OFF, 141 * S, FB_VERDICT_PASS, OFF, end);
    expect_of(FB_GUARD_BREAKER, &actuator, cell, ON, end - 1, FB_VERDICT_CHANGE, OFF, end);
    expect_of(FB_GUARD_BREAKER, &actuator, cell, ON, end, FB_VERDICT_PASS, ON, FB_NEVER);
    free(cell);
}

/* Off, on, off, on would be three reversals; the fourth, of an on, is not made: it opens. */
static void breaker_that_makes_safe_opens_in_place_of_a_start(void **state) {
    (void)state;
    const struct fb_actuator actuator = with_breaker(switch_of(OFF), true);
    for (int64_t late_us = -1; late_us <= 0; late_us++) {
        struct fb_actuator_cell *cell = cell_of(&actuator, 0);
        for (int64_t i = 0; i < 4; i++) /* on, off, on, off at 100 s .. 130 s: three reversals */
            fb_guards_accepted(&actuator, cell, i % 2 == 0, (100 + 10 * i) * S);
        const int64_t at_us = 710 * S + late_us; /* the first of them is as old as the window */
        expect_of(FB_GUARD_BREAKER, &actuator, cell, OFF, at_us, FB_VERDICT_PASS, OFF, FB_NEVER);
        struct fb_request behind = {.value = ON, .lag_us = 61 * S, .max_lag_us = 60 * S};
        int64_t until_us = FB_NEVER;
        assert_int_equal(fb_guard_breaker(&actuator, cell, &behind, at_us, &until_us),
                         FB_VERDICT_PASS);
        if (late_us < 0)
            expect_of(FB_GUARD_BREAKER, &actuator, cell, ON, at_us, FB_VERDICT_CHANGE, OFF,
                      at_us + 1800 * S);
        else
            expect_of(FB_GUARD_BREAKER, &actuator, cell, ON, at_us, FB_VERDICT_PASS, ON, FB_NEVER);
        free(cell);
    }
}

static void breaker_of_numbers_counts_turns_and_not_steps(void **state) {
    (void)state;
    const struct fb_actuator actuator = with_breaker(number_of(0, 100, 0), false);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    static const double values[] = {0, 10, 20, 20, 30, 25, 20, 40, 35, 36, 37};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        assert_int_equal(cell->breaker_end_us, FB_NO_TIME);
        fb_guards_accepted(&actuator, cell, values[i], (int64_t)i * S);
        if (values[i] == 36) /* turns at 25, 40, 35, 36 */
            break;
    }
    assert_int_equal(cell->breaker_end_us, (9 + 1800) * S);
    expect_of(FB_GUARD_BREAKER, &actuator, cell, 37, 20 * S, FB_VERDICT_HOLD, 37, 1809 * S);
    expect_of(FB_GUARD_BREAKER, &actuator, cell, 36, 20 * S, FB_VERDICT_PASS, 36, 1809 * S);
    expect_of(FB_GUARD_BREAKER, &actuator, cell, 1, 20 * S, FB_VERDICT_PASS, 1, 1809 * S);
    free(cell);
}

static void the_first_command_is_a_step_only_if_it_leaves_safe(void **state) {
    (void)state;
    struct fb_actuator actuator = with_breaker(number_of(0, 100, 50), false);
    actuator.reversals = 1;
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    fb_guards_accepted(&actuator, cell, 50, S);
    assert_true(cell->direction == 0);
    fb_guards_accepted(&actuator, cell, 60, 2 * S);
    assert_true(cell->direction == 1);
    assert_int_equal(cell->breaker_end_us, FB_NO_TIME);
    fb_guards_accepted(&actuator, cell, 55, 3 * S);
    assert_int_equal(cell->breaker_end_us, 1803 * S);
    free(cell);

    cell = cell_of(&actuator, 0);
    fb_guards_accepted(&actuator, cell, 40, S);
    assert_true(cell->direction == -1);
    free(cell);
}

static void slew_cuts_steps_and_spaces_them(void **state) {
    (void)state;
    struct fb_actuator actuator = number_of(0, 100, 0);
    actuator.slew[1] = 5;
    actuator.slew_us[1] = 60 * S;
    actuator.slew[0] = 8;
    actuator.slew_us[0] = 30 * S;
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    const enum fb_guard row = FB_GUARD_SLEW;
    /* Nothing accepted: steps are from safe, the last change was when the device came. */
    expect_of(row, &actuator, cell, 7, 60 * S - 1, FB_VERDICT_HOLD, 7, 60 * S);
    expect_of(row, &actuator, cell, 7, 60 * S, FB_VERDICT_CHANGE, 5, 120 * S);
    fb_guards_accepted(&actuator, cell, 20, 100 * S);
    cell = restarted(&actuator, cell);
    expect_of(row, &actuator, cell, 21, 160 * S - 1, FB_VERDICT_HOLD, 21, 160 * S);
    expect_of(row, &actuator, cell, 25, 160 * S, FB_VERDICT_PASS, 25, FB_NEVER);
    expect_of(row, &actuator, cell, 25.000000000000004, 161 * S, FB_VERDICT_CHANGE, 25, 221 * S);
    expect_of(row, &actuator, cell, 11, 130 * S - 1, FB_VERDICT_HOLD, 11, 130 * S);
    expect_of(row, &actuator, cell, 11, 130 * S, FB_VERDICT_CHANGE, 12, 160 * S);
    actuator.slew[0] = 0;
    expect_of(row, &actuator, cell, 11, 100 * S, FB_VERDICT_PASS, 11, FB_NEVER);
    free(cell);
}

static void ignored_are_only_small_steps_in_the_middle(void **state) {
    (void)state;
    struct fb_actuator actuator = number_of(0, 100, 50);
    actuator.ignore_under = 2;
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    const enum fb_guard row = FB_GUARD_IGNORE;
    expect_of(row, &actuator, cell, 51, 0, FB_VERDICT_REFUSE, 51, FB_NEVER);
    expect_of(row, &actuator, cell, 52, 0, FB_VERDICT_PASS, 52, FB_NEVER);
    static const struct {
        double accepted, value;
        bool refused;
    } cases[] = {{30, 32, false},  {30, 31.999, true}, {30, 28, false}, {30, 28.001, true},
                 {99, 100, false}, {1, 0, false},      {51, 50, false}, {51, 49.5, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cell->accepted = cases[i].accepted;
        cell->has_accepted = 1;
        expect_of(row, &actuator, cell, cases[i].value, 0,
                  cases[i].refused ? FB_VERDICT_REFUSE : FB_VERDICT_PASS, cases[i].value,
                  FB_NEVER);
    }
    free(cell);
}

static void what_slew_cut_short_is_not_ignored(void **state) {
    (void)state;
    struct fb_actuator actuator = number_of(0, 100, 0);
    actuator.ignore_under = 2;
    actuator.slew[0] = actuator.slew[1] = 1;
    actuator.slew_us[0] = actuator.slew_us[1] = S;
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    fb_guards_accepted(&actuator, cell, 30, 0);
    for (int far = 0; far <= 1; far++) {
        struct fb_request request = request_of(far ? 31.5 : 30.75);
        int64_t until_us = FB_NEVER;
        fb_guard_slew(&actuator, cell, &request, S, &until_us);
        assert_int_equal(fb_guard_ignore(&actuator, cell, &request, S, &until_us),
                         far ? FB_VERDICT_PASS : FB_VERDICT_REFUSE);
    }
    free(cell);
}

static void catch_up_holds_what_is_more_than_the_lag_behind(void **state) {
    (void)state;
    const struct fb_actuator actuator = switch_of(OFF);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    struct fb_request request = request_of(ON);
    request.lag_us = 60 * S;
    expect(ask(FB_GUARD_CATCH_UP, &actuator, cell, request, 5 * S), FB_VERDICT_PASS, ON, FB_NEVER);
    request.lag_us = 60 * S + 1;
    expect(ask(FB_GUARD_CATCH_UP, &actuator, cell, request, 5 * S), FB_VERDICT_HOLD, ON, 6 * S);
    request.lag_us = 65 * S; /* by that wall clock it lets pass from 10 s on */
    expect(ask(FB_GUARD_CATCH_UP, &actuator, cell, request, 5 * S), FB_VERDICT_HOLD, ON, 10 * S);
    request.lag_us = 60 * S + 1;
    request.renewal = true;
    expect(ask(FB_GUARD_CATCH_UP, &actuator, cell, request, 5 * S), FB_VERDICT_HOLD, ON, 6 * S);
    request.renewal = false;
    request.value = OFF;
    expect(ask(FB_GUARD_CATCH_UP, &actuator, cell, request, 5 * S), FB_VERDICT_HOLD, OFF, 6 * S);
    free(cell);
}

static struct fb_request of_fleet(const struct fb_fleet_view *fleet) {
    struct fb_request request = request_of(ON);
    request.fleet = fleet;
    return request;
}

static void fleet_lets_pass_what_the_budget_has_room_for(void **state) {
    (void)state;
    const struct fb_actuator actuator = switch_of(OFF);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    struct fb_fleet_view view = {.acted = 3, .budget = 3, .per_us = 100 * S};
    const struct fb_request request = of_fleet(&view);
    for (int settled = 0; settled < 2; settled++) {
        view.settled = settled;
        assert_false(fb_fleet_is_exceeded(&view));
        expect(ask(FB_GUARD_FLEET, &actuator, cell, request, 5 * S), FB_VERDICT_PASS, ON, FB_NEVER);
    }
    view.acted = 4;
    assert_true(fb_fleet_is_exceeded(&view));
    expect(ask(FB_GUARD_FLEET, &actuator, cell, request, 5 * S), FB_VERDICT_REFUSE, ON, FB_NEVER);
    view.settled = false;
    expect(ask(FB_GUARD_FLEET, &actuator, cell, request, 5 * S), FB_VERDICT_HOLD, ON, 15 * S);
    view.per_us = 10 * S + 19; /* a tenth, rounded down */
    expect(ask(FB_GUARD_FLEET, &actuator, cell, request, 5 * S), FB_VERDICT_HOLD, ON, 6 * S + 1);
    view.per_us = 9 * S; /* a second at least */
    expect(ask(FB_GUARD_FLEET, &actuator, cell, request, 5 * S), FB_VERDICT_HOLD, ON, 6 * S);
    view.per_us = INT64_MAX;
    expect(ask(FB_GUARD_FLEET, &actuator, cell, request, INT64_MAX - 5), FB_VERDICT_HOLD, ON,
           FB_NEVER);
    expect(ask(FB_GUARD_FLEET, &actuator, cell, of_fleet(NULL), 5 * S), FB_VERDICT_PASS, ON,
           FB_NEVER);
    free(cell);
}

static void fleet_refuses_while_open_and_in_no_domain(void **state) {
    (void)state;
    const struct fb_actuator actuator = switch_of(OFF);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    struct fb_fleet_view view = {.open = true, .acted = 1, .budget = 3};
    struct fb_request request = of_fleet(&view);
    expect(ask(FB_GUARD_FLEET, &actuator, cell, request, 5 * S), FB_VERDICT_REFUSE, ON, FB_NEVER);
    assert_false(fb_fleet_is_exceeded(&view));
    view = (struct fb_fleet_view){.nowhere = true, .acted = 1};
    expect(ask(FB_GUARD_FLEET, &actuator, cell, request, 5 * S), FB_VERDICT_REFUSE, ON, FB_NEVER);
    assert_false(fb_fleet_is_exceeded(&view));
    /* Towards safe it is not asked. */
    fb_guards_accepted(&actuator, cell, ON, 0);
    request.value = OFF;
    assert_false(fb_guard_is_asked(&fb_guard_rows[FB_GUARD_FLEET], &actuator, cell, &request));
    free(cell);
}

static void rate_holds_until_the_end_it_is_given(void **state) {
    (void)state;
    const struct fb_actuator actuator = switch_of(OFF);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    struct fb_request request = request_of(ON);
    request.rate_end_us = FB_NO_TIME;
    expect(ask(FB_GUARD_RATE, &actuator, cell, request, 5 * S), FB_VERDICT_PASS, ON, FB_NEVER);
    request.rate_end_us = 9 * S;
    expect(ask(FB_GUARD_RATE, &actuator, cell, request, 9 * S - 1), FB_VERDICT_HOLD, ON, 9 * S);
    expect(ask(FB_GUARD_RATE, &actuator, cell, request, 9 * S), FB_VERDICT_PASS, ON, FB_NEVER);
    free(cell);
}

static void commands_holds_for_a_tenth_of_its_time_at_least(void **state) {
    (void)state;
    const struct fb_actuator actuator = switch_of(OFF);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    struct fb_request request = request_of(ON);
    const enum fb_guard row = FB_GUARD_COMMANDS;
    request.commands_end_us = FB_NO_TIME;
    request.commands_per_us = 100 * S + 9;
    expect(ask(row, &actuator, cell, request, 5 * S), FB_VERDICT_PASS, ON, FB_NEVER);
    request.commands_end_us = 50 * S;
    expect(ask(row, &actuator, cell, request, 50 * S), FB_VERDICT_PASS, ON, FB_NEVER);
    expect(ask(row, &actuator, cell, request, 50 * S - 1), FB_VERDICT_HOLD, ON, 60 * S - 1);
    expect(ask(row, &actuator, cell, request, 30 * S), FB_VERDICT_HOLD, ON, 50 * S);
    request.commands_per_us = 3 * S;
    expect(ask(row, &actuator, cell, request, 50 * S - 1), FB_VERDICT_HOLD, ON, 51 * S - 1);
    request.commands_end_us = INT64_MAX;
    expect(ask(row, &actuator, cell, request, 5 * S), FB_VERDICT_HOLD, ON, INT64_MAX);
    free(cell);
}

static void a_lease_that_ran_out_leaves_what_is_safe(void **state) {
    (void)state;
    for (int safe = OFF; safe <= ON; safe++) {
        const struct fb_actuator actuator = with_breaker(switch_of(safe), false);
        struct fb_actuator_cell *cell = cell_of(&actuator, 0);
        assert_false(fb_guards_lapse(&actuator, cell, INT64_MAX, 0)); /* no command yet */
        fb_guards_accepted(&actuator, cell, 1 - safe, 10 * S);
        cell->lease_until_us = 70 * S;
        const double direction = cell->direction;
        cell = restarted(&actuator, cell);
        assert_false(fb_guards_lapse(&actuator, cell, 70 * S - 1, 65 * S));
        assert_true(cell->accepted == 1 - safe);
        assert_true(fb_guards_lapse(&actuator, cell, 70 * S, 65 * S));
        assert_true(cell->accepted == safe && cell->direction == direction);
        assert_int_equal(cell->changed_us, 65 * S);
        for (uint32_t i = 0; i < actuator.reversals; i++)
            assert_int_equal(cell->times[actuator.starts + i], FB_NO_TIME);
        assert_false(fb_guards_lapse(&actuator, cell, 99 * S, 99 * S)); /* once */
        assert_int_equal(cell->changed_us, 65 * S);
        free(cell);
    }
}

static void what_was_safe_stays_so_when_its_lease_runs_out(void **state) {
    (void)state;
    const struct fb_actuator actuator = number_of(0, 100, 20);
    struct fb_actuator_cell *cell = cell_of(&actuator, 0);
    fb_guards_accepted(&actuator, cell, 20, 10 * S);
    cell->lease_until_us = 70 * S;
    assert_false(fb_guards_lapse(&actuator, cell, 500 * S, 500 * S));
    assert_int_equal(cell->changed_us, 10 * S);
    fb_guards_accepted(&actuator, cell, 40, 20 * S);
    assert_true(fb_guards_lapse(&actuator, cell, 500 * S, 500 * S));
    assert_true(cell->accepted == 20);
    free(cell);
}

static bool minimum_is_asked(const struct fb_actuator *actuator,
                             const struct fb_actuator_cell *cell, double value, bool safety) {
    struct fb_request request = request_of(value);
    request.safety = safety;
    return fb_guard_is_asked(&fb_guard_rows[FB_GUARD_MINIMUM], actuator, cell, &request);
}

static void minimum_is_asked_towards_safe_unless_safety_asks(void **state) {
    (void)state;
    for (int safe = OFF; safe <= ON; safe++) {
        const struct fb_actuator actuator = switch_of(safe);
        struct fb_actuator_cell *cell = cell_of(&actuator, 0);
        assert_false(minimum_is_asked(&actuator, cell, safe, false)); /* the first command */
        assert_true(minimum_is_asked(&actuator, cell, 1 - safe, false));
        fb_guards_accepted(&actuator, cell, 1 - safe, 0);
        assert_false(minimum_is_asked(&actuator, cell, 1 - safe, false));
        assert_true(minimum_is_asked(&actuator, cell, safe, false));
        assert_false(minimum_is_asked(&actuator, cell, safe, true));
        fb_guards_accepted(&actuator, cell, safe, 1);
        assert_true(minimum_is_asked(&actuator, cell, 1 - safe, true));
        for (int guard = 0; guard < FB_GUARDS; guard++)
            assert_int_equal(fb_guard_rows[guard].of_safe, guard == FB_GUARD_MINIMUM);
        free(cell);
    }
}

/* Also where the winner asks for the safe value itself. */
static void safety_asks_through_its_rows(void **state) {
    (void)state;
    struct fb_actuator actuator = with_breaker(switch_of(OFF), true);
    actuator.maximum_on_us = 30 * S;
    actuator.lockout_us = 10 * S;
    for (int value = OFF; value <= ON; value++) {
        struct fb_actuator_cell *cell = cell_of(&actuator, 0);
        struct fb_request request = request_of(value);
        int64_t until_us = FB_NEVER;
        fb_guards_accepted(&actuator, cell, ON, 0);
        fb_guard_interlock(&actuator, cell, &request, 0, &until_us);
        fb_guard_lockout(&actuator, cell, &request, 0, &until_us);
        fb_guard_maximum(&actuator, cell, &request, 30 * S - 1, &until_us);
        assert_false(request.safety);
        request.interlock = 2;
        fb_guard_interlock(&actuator, cell, &request, 0, &until_us);
        assert_true(request.safety);
        request = request_of(value);
        fb_guard_maximum(&actuator, cell, &request, 30 * S, &until_us);
        assert_true(request.safety);
        request = request_of(value);
        cell->lockout_end_us = 10 * S;
        fb_guard_lockout(&actuator, cell, &request, 10 * S, &until_us);
        assert_false(request.safety);
        fb_guard_lockout(&actuator, cell, &request, 10 * S - 1, &until_us);
        assert_true(request.safety);
        cell->breaker_end_us = 50 * S;
        assert_true(fb_guard_breaks_safe(&actuator, cell, 50 * S - 1));
        assert_false(fb_guard_breaks_safe(&actuator, cell, 50 * S));
        free(cell);
    }
}

/* Times at the ends of int64 stay there; none wraps round to a time that has passed. */
static void extreme_times_saturate(void **state) {
    (void)state;
    struct fb_actuator actuator = with_breaker(switch_of(OFF), false);
    actuator.reversals = 1;
    actuator.starts = 1;
    actuator.minimum_us[OFF] = actuator.minimum_us[ON] = INT64_MAX;
    actuator.maximum_on_us = actuator.lockout_us = actuator.starts_us = INT64_MAX;
    actuator.reversals_us = actuator.breaker_us = INT64_MAX;
    const int64_t now = INT64_MAX - 1;
    struct fb_actuator_cell *cell = cell_of(&actuator, now);
    expect_of(FB_GUARD_MINIMUM, &actuator, cell, ON, now, FB_VERDICT_HOLD, ON, INT64_MAX);
    fb_guards_accepted(&actuator, cell, ON, now);
    expect_of(FB_GUARD_MAXIMUM, &actuator, cell, ON, now, FB_VERDICT_PASS, ON, INT64_MAX);
    fb_guards_accepted(&actuator, cell, OFF, now);
    assert_int_equal(cell->breaker_end_us, INT64_MAX);
    expect_of(FB_GUARD_STARTS, &actuator, cell, ON, now, FB_VERDICT_HOLD, ON, INT64_MAX);
    expect_of(FB_GUARD_BREAKER, &actuator, cell, ON, now, FB_VERDICT_HOLD, ON, INT64_MAX);
    fb_guards_interlock(&actuator, cell, 1, now);
    fb_guards_interlock(&actuator, cell, 0, now);
    expect_of(FB_GUARD_LOCKOUT, &actuator, cell, ON, now, FB_VERDICT_CHANGE, OFF, INT64_MAX);
    struct fb_request request = request_of(ON);
    request.lag_us = INT64_MAX;
    expect(ask(FB_GUARD_CATCH_UP, &actuator, cell, request, INT64_MAX - 5), FB_VERDICT_HOLD, ON,
           INT64_MAX);
    free(cell);

    struct fb_actuator number = number_of(0, 1, 0);
    number.slew[0] = number.slew[1] = 0.5;
    number.slew_us[0] = number.slew_us[1] = INT64_MAX;
    cell = cell_of(&number, INT64_MIN + 1);
    expect_of(FB_GUARD_SLEW, &number, cell, 1, -2, FB_VERDICT_HOLD, 1, 0);
    expect_of(FB_GUARD_SLEW, &number, cell, 1, 0, FB_VERDICT_CHANGE, 0.5, INT64_MAX);
    free(cell);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_in_the_order_of_the_guards),
        cmocka_unit_test(towards_safe_of_two_words),
        cmocka_unit_test(towards_safe_of_numbers),
        cmocka_unit_test(range_ends_are_inside),
        cmocka_unit_test(interlock_forces_safe_while_true_or_unknown),
        cmocka_unit_test(lockout_begins_when_the_interlock_becomes_false),
        cmocka_unit_test(there_is_no_lockout_while_the_interlock_is_true_again),
        cmocka_unit_test(maximum_on_ends_what_is_active),
        cmocka_unit_test(permissive_gates_starts_and_every_step_of_a_number),
        cmocka_unit_test(minimum_holds_to_the_microsecond),
        cmocka_unit_test(the_first_command_of_two_words_begins_a_minimum),
        cmocka_unit_test(starts_hold_until_the_oldest_leaves),
        cmocka_unit_test(starts_at_one_instant_all_count),
        cmocka_unit_test(breaker_opens_with_the_nth_reversal_and_keeps),
        cmocka_unit_test(breaker_lets_a_probe_through_and_opens_with_the_next),
        cmocka_unit_test(reversals_counted_at_the_end_leave_after_the_window),
        cmocka_unit_test(breaker_counts_only_reversals_in_the_window),
        cmocka_unit_test(breaker_makes_safe_even_what_is_accepted),
        cmocka_unit_test(breaker_that_makes_safe_opens_in_place_of_a_start),
        cmocka_unit_test(breaker_of_numbers_counts_turns_and_not_steps),
        cmocka_unit_test(the_first_command_is_a_step_only_if_it_leaves_safe),
        cmocka_unit_test(slew_cuts_steps_and_spaces_them),
        cmocka_unit_test(ignored_are_only_small_steps_in_the_middle),
        cmocka_unit_test(what_slew_cut_short_is_not_ignored),
        cmocka_unit_test(catch_up_holds_what_is_more_than_the_lag_behind),
        cmocka_unit_test(fleet_lets_pass_what_the_budget_has_room_for),
        cmocka_unit_test(fleet_refuses_while_open_and_in_no_domain),
        cmocka_unit_test(rate_holds_until_the_end_it_is_given),
        cmocka_unit_test(commands_holds_for_a_tenth_of_its_time_at_least),
        cmocka_unit_test(a_lease_that_ran_out_leaves_what_is_safe),
        cmocka_unit_test(what_was_safe_stays_so_when_its_lease_runs_out),
        cmocka_unit_test(minimum_is_asked_towards_safe_unless_safety_asks),
        cmocka_unit_test(safety_asks_through_its_rows),
        cmocka_unit_test(extreme_times_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
