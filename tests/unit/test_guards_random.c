/* Random requests over time, through all rows: what no sequence of them may break. The checks look
 * at the log of what was accepted alone, not at the cell. */
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

enum { RUNS = 400, DECISIONS = 1500 };

static uint64_t next_random(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}
static int64_t below(uint64_t *state, int64_t n) {
    return (int64_t)(next_random(state) % (uint64_t)n);
}
static bool one_in(uint64_t *state, int64_t n) {
    return below(state, n) == 0;
}

struct step {
    int64_t at_us;
    double from, to;
    bool towards_safe, first, start, reversal;
    bool forced; /* an interlock, a lockout, a maximum, a breaker, or the claim itself asked */
};

struct run {
    uint64_t random;
    struct fb_actuator actuator;
    struct fb_actuator_cell *cell;
    int64_t came_us, now_us, wake_us;
    int64_t counted[DECISIONS * 2]; /* reversals as the breaker counts them */
    uint32_t n_counted;
    int64_t open_until_us; /* FB_NO_TIME: closed */
    uint32_t opened, not_made; /* of these: in place of a step */
    int64_t lockout_until_us;
    uint8_t interlock, permissive;
    struct step log[DECISIONS];
    uint32_t n_log;
    uint32_t held; /* so that the rows have had something to do */
};

static void configure(struct run *run) {
    uint64_t *r = &run->random;
    struct fb_actuator *a = &run->actuator;
    *a = (struct fb_actuator){.is_switch = !one_in(r, 3), .high = 1, .lease_us = 60 * S};
    if (a->is_switch) {
        a->safe = (double)below(r, 2);
        a->minimum_us[0] = below(r, 4) * 5 * S;
        a->minimum_us[1] = below(r, 4) * 5 * S;
        /* With a safe active word it would contradict an interlock. */
        a->maximum_on_us = a->safe == 0 && one_in(r, 4) ? 30 * S : 0;
        a->starts = (uint32_t)below(r, 5);
        a->starts_us = (1 + below(r, 4)) * 40 * S;
    } else {
        a->low = -8;
        a->high = 24;
        a->safe = (double)below(r, 33) - 8;
        for (int up = 0; up <= 1; up++) {
            a->slew[up] = (double)below(r, 4) * 0.5; /* sums of these are exact */
            a->slew_us[up] = (1 + below(r, 3)) * 4 * S;
        }
        a->ignore_under = (double)below(r, 3) * 0.25;
    }
    a->lockout_us = below(r, 2) * 7 * S;
    if (!one_in(r, 4)) {
        a->reversals = (uint32_t)(3 + below(r, 4));
        a->reversals_us = (1 + below(r, 4)) * 50 * S;
        /* Not shorter than the window, or its reversals would count twice here. */
        a->breaker_us = a->reversals_us + below(r, 3) * 20 * S;
        a->breaker_safe = one_in(r, 2);
    }
}

static void begin(struct run *run, uint64_t seed) {
    memset(run, 0, sizeof(*run));
    run->random = seed;
    configure(run);
    run->came_us = run->now_us = below(&run->random, 1000 * S) - 500 * S;
    run->wake_us = FB_NEVER;
    run->open_until_us = run->lockout_until_us = FB_NO_TIME;
    run->permissive = 1;
    run->cell = calloc(1, fb_actuator_bytes(&run->actuator));
    assert_non_null(run->cell);
    run->cell->changed_us = run->came_us;
    run->cell->lease_until_us = FB_NO_TIME;
    run->cell->sent_us = run->cell->lockout_end_us = run->cell->breaker_end_us = FB_NO_TIME;
    run->cell->guard = FB_GUARDS;
    for (uint32_t i = 0; i < run->actuator.starts + run->actuator.reversals; i++)
        run->cell->times[i] = FB_NO_TIME;
}

static double some_request(struct run *run) {
    uint64_t *r = &run->random;
    return run->actuator.is_switch ? (double)below(r, 2) : (double)below(r, 200) * 0.25 - 12;
}

/* Time goes on: not at all, by a microsecond, by seconds, or to what a row said, or just beside. */
static void pass_time(struct run *run) {
    uint64_t *r = &run->random;
    int64_t to_us = run->now_us;
    switch (below(r, 5)) {
    case 0: to_us += below(r, 2); break;
    case 1: to_us += below(r, 20 * S); break;
    case 2: to_us += below(r, 3) * S; break;
    default:
        if (run->wake_us != FB_NEVER)
            to_us = run->wake_us + below(r, 3) - 1;
    }
    if (to_us > run->now_us)
        run->now_us = to_us;
}

/* The bytes of the cell are all that is left after a restart. */
static void restart(struct run *run) {
    const size_t bytes = fb_actuator_bytes(&run->actuator);
    struct fb_actuator_cell *read_back = malloc(bytes);
    assert_non_null(read_back);
    memcpy(read_back, run->cell, bytes);
    free(run->cell);
    run->cell = read_back;
}

/* The breaker by the reference's words, with a list instead of a ring. */
static void breaker_closes(struct run *run, int64_t at_us) {
    if (run->open_until_us == FB_NO_TIME || at_us < run->open_until_us)
        return;
    run->n_counted = 0;
    while (run->n_counted + 2 < run->actuator.reversals)
        run->counted[run->n_counted++] = run->open_until_us;
    run->open_until_us = FB_NO_TIME;
}
static void breaker_counts(struct run *run, int64_t at_us) {
    run->counted[run->n_counted++] = at_us;
    uint32_t n = 0;
    for (uint32_t i = 0; i < run->n_counted; i++)
        n += run->counted[i] > at_us - run->actuator.reversals_us;
    if (run->open_until_us != FB_NO_TIME || n < run->actuator.reversals)
        return;
    run->open_until_us = at_us + run->actuator.breaker_us;
    run->opened++;
}

static uint32_t count_since(const struct run *run, bool starts, int64_t since_us) {
    uint32_t n = 0;
    for (uint32_t i = run->n_log; i > 0 && run->log[i - 1].at_us > since_us; i--)
        n += starts ? run->log[i - 1].start : run->log[i - 1].reversal;
    return n;
}

static double last_direction(const struct run *run) {
    for (uint32_t i = run->n_log; i > 0; i--) {
        const struct step *s = &run->log[i - 1];
        if (s->to != s->from)
            return s->to > s->from ? 1 : -1;
    }
    return 0;
}

/* Before the breaker is asked: with `safe`, a switch's n-th reversal away from safe is not made. */
static void breaker_opens_instead(struct run *run, const struct fb_request *request) {
    const struct fb_actuator *a = &run->actuator;
    const double from = run->cell->has_accepted ? run->cell->accepted : 0;
    const double before = last_direction(run), now = request->value - from;
    uint32_t n = 1;
    for (uint32_t i = 0; i < run->n_counted; i++)
        n += run->counted[i] > run->now_us - a->reversals_us;
    if (!a->is_switch || !a->breaker_safe || a->reversals == 0 || request->lag_us > 0 ||
        run->open_until_us != FB_NO_TIME || request->value == a->safe || before * now >= 0 ||
        n < a->reversals)
        return;
    run->open_until_us = run->now_us + a->breaker_us;
    run->opened++;
    run->not_made++;
}

static void check_switch(const struct run *run, const struct step *step, int64_t changed_us) {
    const struct fb_actuator *a = &run->actuator;
    if (!step->towards_safe || (!step->first && !step->forced))
        assert_true(step->at_us - changed_us >= a->minimum_us[step->from == 1]);
    if (step->towards_safe)
        return;
    if (step->start && a->starts > 0)
        assert_true(count_since(run, true, step->at_us - a->starts_us) <= a->starts);
}

static void check_number(const struct run *run, const struct step *step, int64_t changed_us) {
    const struct fb_actuator *a = &run->actuator;
    const bool up = step->to > step->from;
    const double size = up ? step->to - step->from : step->from - step->to;
    if (a->slew[up] > 0) {
        assert_true(size <= a->slew[up]);
        assert_true(step->at_us - changed_us >= a->slew_us[up]);
    } else if (step->to != a->low && step->to != a->high) {
        assert_true(size >= a->ignore_under);
    }
}

/* The step has been logged: nothing but a step towards safe may break a limit, and the minimum only
 * one that safety asks for. */
static void check_step(struct run *run, int64_t changed_us) {
    const struct fb_actuator *a = &run->actuator;
    const struct step *step = &run->log[run->n_log - 1];
    breaker_closes(run, step->at_us);
    assert_true(step->to >= a->low && step->to <= a->high);
    if (run->interlock != 0 || step->at_us < run->lockout_until_us)
        assert_true(step->to == a->safe);
    if (a->is_switch)
        check_switch(run, step, changed_us);
    if (!step->towards_safe) {
        if (!a->is_switch)
            check_number(run, step, changed_us);
        if (run->permissive != 1)
            assert_true(a->is_switch && step->to == 0);
        assert_int_equal(run->open_until_us, FB_NO_TIME);
        if (a->reversals > 0 && step->reversal)
            assert_true(count_since(run, false, step->at_us - a->reversals_us) <= a->reversals);
    }
    if (a->reversals > 0 && step->reversal)
        breaker_counts(run, step->at_us);
    assert_int_equal(run->cell->breaker_end_us, run->open_until_us);
}

/* By the reference's words, from what is kept here. */
static bool is_forced(const struct run *run, bool unknown_safe) {
    const struct fb_actuator_cell *cell = run->cell;
    const int64_t max_us = run->actuator.maximum_on_us;
    return unknown_safe || run->interlock != 0 || run->now_us < run->lockout_until_us ||
           (max_us > 0 && cell->accepted == 1 && run->now_us - cell->changed_us >= max_us) ||
           (run->actuator.breaker_safe && run->open_until_us != FB_NO_TIME);
}

static void accept(struct run *run, double value, bool unknown_safe) {
    struct fb_actuator_cell *cell = run->cell;
    const struct fb_actuator *a = &run->actuator;
    const double from = cell->has_accepted ? cell->accepted : a->is_switch ? 0 : a->safe;
    const double before = last_direction(run);
    assert_true(run->n_log < DECISIONS);
    run->log[run->n_log++] = (struct step){
        .at_us = run->now_us,
        .from = from,
        .to = value,
        .towards_safe = fb_is_towards_safe(a, cell, value),
        .first = !cell->has_accepted,
        .forced = is_forced(run, unknown_safe),
        .start = a->is_switch && value == 1,
        .reversal = (value > from && before < 0) || (value < from && before > 0)};
    const int64_t changed_us = cell->changed_us;
    fb_guards_accepted(a, cell, value, run->now_us);
    cell->sent_us = run->now_us;
    check_step(run, changed_us);
}

/* Every row in order, as the deciding does it: returns whether `value` may go out. */
static bool ask_rows(struct run *run, struct fb_request *request, int64_t *until_us) {
    bool stopped = false;
    run->cell->guard = FB_GUARDS;
    for (int i = 0; i < FB_GUARDS; i++) {
        const struct fb_guard_row *row = &fb_guard_rows[i];
        if ((stopped && row->guard != FB_GUARD_CATCH_UP) ||
            !fb_guard_is_asked(row, &run->actuator, run->cell, request))
            continue;
        int64_t until = FB_NEVER;
        if (row->guard == FB_GUARD_BREAKER)
            breaker_opens_instead(run, request);
        const enum fb_verdict verdict =
            row->fn(&run->actuator, run->cell, request, run->now_us, &until);
        assert_true(until > run->now_us);
        *until_us = until < *until_us ? until : *until_us;
        if (verdict == FB_VERDICT_HOLD)
            assert_int_not_equal(until, FB_NEVER);
        stopped = stopped || verdict == FB_VERDICT_HOLD || verdict == FB_VERDICT_REFUSE;
    }
    return !stopped;
}

static void set_interlock(struct run *run) {
    if (one_in(&run->random, 12)) {
        const uint8_t before = run->interlock;
        run->interlock = (uint8_t)below(&run->random, 3);
        if (run->interlock != 0)
            run->lockout_until_us = FB_NO_TIME;
        else if (before != 0)
            run->lockout_until_us = run->now_us + run->actuator.lockout_us;
    }
    fb_guards_interlock(&run->actuator, run->cell, run->interlock, run->now_us);
}

static void decide(struct run *run, double requested) {
    set_interlock(run);
    if (one_in(&run->random, 12))
        run->permissive = (uint8_t)below(&run->random, 3);
    const bool unknown_safe = one_in(&run->random, 20);
    if (unknown_safe)
        requested = run->actuator.safe;
    breaker_closes(run, run->now_us);
    struct fb_request request = {.requested = requested,
                                 .value = requested,
                                 .interlock = run->interlock,
                                 .permissive = run->permissive,
                                 .lag_us = one_in(&run->random, 40) ? 61 * S : 0,
                                 .max_lag_us = 60 * S,
                                 .safety = unknown_safe ||
                                           fb_guard_breaks_safe(&run->actuator, run->cell,
                                                                run->now_us)};
    run->wake_us = FB_NEVER;
    const bool may = ask_rows(run, &request, &run->wake_us);
    run->held += !may;
    const bool is_new = !run->cell->has_accepted || request.value != run->cell->accepted;
    if (request.lag_us > 0)
        assert_false(may);
    if (may && is_new)
        accept(run, request.value, unknown_safe);
    else if (run->interlock != 0 && request.lag_us == 0)
        assert_true(run->cell->has_accepted && run->cell->accepted == run->actuator.safe);
}

static void random_requests_break_no_limit(void **state) {
    (void)state;
    struct run *run = malloc(sizeof(*run));
    assert_non_null(run);
    uint64_t steps = 0, held = 0, opened = 0, not_made = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        begin(run, seed * 1000);
        double requested = some_request(run);
        for (int i = 0; i < DECISIONS; i++) {
            pass_time(run);
            if (one_in(&run->random, 2))
                requested = some_request(run);
            decide(run, requested);
            if (one_in(&run->random, 10))
                restart(run);
        }
        steps += run->n_log;
        held += run->held;
        opened += run->opened;
        not_made += run->not_made;
        free(run->cell);
    }
    free(run);
    /* Otherwise nothing was tried. */
    assert_true(steps > 20 * RUNS);
    assert_true(held > 100 * RUNS);
    assert_true(opened > RUNS);
    assert_true(not_made > RUNS / 20);
}

/* A request that stays comes through: a row that holds says an end, and at it lets pass. */
static void what_is_asked_for_long_enough_is_accepted(void **state) {
    (void)state;
    struct run *run = malloc(sizeof(*run));
    assert_non_null(run);
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        begin(run, seed * 7919);
        run->actuator.maximum_on_us = 0;
        run->actuator.ignore_under = 0;
        for (int i = 0; i < 200; i++) {
            pass_time(run);
            decide(run, some_request(run));
        }
        run->interlock = 0;
        run->permissive = 1;
        const double wanted = run->actuator.is_switch ? 1 - run->actuator.safe
                              : run->actuator.safe > 8 ? run->actuator.low
                                                       : run->actuator.high;
        int asked = 0;
        for (run->wake_us = run->now_us; run->wake_us != FB_NEVER && asked < 1000; asked++) {
            run->now_us = run->wake_us;
            fb_guards_interlock(&run->actuator, run->cell, 0, run->now_us);
            struct fb_request request = {.requested = wanted,
                                         .value = wanted,
                                         .permissive = 1,
                                         .max_lag_us = 60 * S};
            run->wake_us = FB_NEVER;
            run->lockout_until_us = run->cell->lockout_end_us;
            if (ask_rows(run, &request, &run->wake_us) &&
                (!run->cell->has_accepted || request.value != run->cell->accepted))
                accept(run, request.value, false);
        }
        assert_true(run->cell->accepted == wanted);
        free(run->cell);
    }
    free(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_requests_break_no_limit),
        cmocka_unit_test(what_is_asked_for_long_enough_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
