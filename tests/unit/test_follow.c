/* `feedback .., stop after n failures` (MEANING.md A97 to A99): what counts, what it stops, until
 * when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/core/call.h"
#include "tests/unit/acting.h"

#define FILL "control fill on d { start when x > 5  command pump = on  rollout armed }\n"
#define FOLLOWS(n) PUMP "lease 1h  feedback y > 0 after 5s, stop after " n " failures }\n"
#define VALVE(n)                                                                                   \
    "actuator valve on d : number range 0..100 { safe 0  lease 1h\n"                               \
    "feedback y within 1 after 5s, stop after " n " failures }\n"                                  \
    "control set on d { command valve = x  rollout armed }\n"

static enum fb_call_outcome reset(struct fixture *f, const char *actuator, int64_t at_s) {
    const struct fb_call call = {
        .kind = FB_CALL_RESET, .actuator = fb_str_of(actuator), .device = FB_S("a")};
    return fb_core_call(f->core, &call, at_s * S);
}

/* On at 10 and 30, off at 20; nothing of it moves. */
static struct fixture *stopped_pump(const char *rules) {
    struct fixture *f = begin(rules);
    take(f, Y, 0, 0);
    take(f, X, 6, 10);
    take(f, X, 1, 20);
    take(f, X, 6, 30);
    f->outputs.n = 0;
    fb_core_advance(f->core, 36 * S);
    outputs_are(f, "pump_discrepancy raised at 35\n"
                   "pump blocked by discrepancy, on, wants on by fill 12 at 35\n");
    return f;
}

static void starts_of_what_is_dead_fail_in_a_row(void **state) {
    (void)state;
    struct fixture *f = begin(FOLLOWS("2") FILL);
    take(f, Y, 0, 0);
    take(f, X, 6, 10);
    take(f, X, 1, 20);
    fb_core_advance(f->core, 30 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 10\n"
                   "pump_discrepancy raised at 15\n"
                   "pump off relinquished #2 by default 17 at 20\n"
                   "pump_discrepancy cleared at 20\n");
    take(f, X, 6, 30);
    take(f, X, 1, 40);
    take(f, X, 6, 50);
    outputs_are(f,
                "pump on claimed #3 by fill 12 at 30\n"
                "pump_discrepancy raised at 35\n"
                "pump blocked by discrepancy, on, wants on by fill 12 at 35\n"
                "pump no more blocked by discrepancy, after 1, off, wants off by default 17 at 40\n"
                "pump off relinquished #4 by default 17 at 40\n"
                "pump_discrepancy cleared at 40\n"
                "pump blocked by discrepancy, off, wants on by fill 12 at 50\n");
    end(f);
}

static void a_command_is_followed_in_time_or_not_to_the_microsecond(void **state) {
    (void)state;
    for (int64_t late = 0; late < 2; late++) {
        struct fixture *f = begin(FOLLOWS("1") FILL);
        take(f, Y, 0, 0);
        take(f, X, 6, 10);
        take_of(f, "a", Y, 1, 15 * S + late, 15 * S + late);
        f->outputs.n = 0;
        fb_core_advance(f->core, 16 * S);
        take(f, X, 1, 20);
        take(f, Y, 0, 21);
        take(f, X, 6, 30);
        outputs_are(f, late ? "pump no more blocked by discrepancy, after 1, off, wants off by "
                              "default 17 at 20\n"
                              "pump off relinquished #2 by default 17 at 20\n"
                              "pump blocked by discrepancy, off, wants on by fill 12 at 30\n"
                            : "pump off relinquished #2 by default 17 at 20\n"
                              "pump on claimed #3 by fill 12 at 30\n");
        end(f);
    }
}

static void one_that_is_followed_begins_the_count_anew(void **state) {
    (void)state;
    struct fixture *f = begin(FOLLOWS("2") FILL);
    take(f, Y, 0, 0);
    for (int64_t at_s = 10; at_s < 130; at_s += 30) { /* each second start is followed */
        take(f, X, 6, at_s);
        if (at_s % 60 == 40)
            take(f, Y, 1, at_s + 3);
        take(f, X, 1, at_s + 10);
        if (at_s % 60 == 40)
            take(f, Y, 0, at_s + 12);
    }
    f->outputs.n = 0;
    take(f, X, 6, 150);
    outputs_are(f, "pump on claimed #9 by fill 12 at 150\n");
    take(f, X, 1, 160);
    take(f, X, 6, 170);
    f->outputs.n = 0;
    fb_core_advance(f->core, 176 * S);
    outputs_are(f, "pump_discrepancy raised at 175\n"
                   "pump blocked by discrepancy, on, wants on by fill 12 at 175\n");
    end(f);
}

static void what_is_taken_back_before_its_time_says_nothing(void **state) {
    (void)state;
    struct fixture *f = begin(FOLLOWS("1") FILL);
    take(f, Y, 0, 0);
    for (int64_t at_s = 10; at_s < 60; at_s += 10) {
        take(f, X, 6, at_s);
        take(f, X, 1, at_s + 4);
    }
    f->outputs.n = 0;
    take(f, X, 6, 60);
    outputs_are(f, "pump on claimed #11 by fill 12 at 60\n");
    end(f);
}

static void the_trial_stands_still_while_the_feedback_is_unknown(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "lease 1h  feedback z > 0 after 15s, stop after 1 failures }\n" FILL);
    take(f, Z, 0, 0);
    take(f, X, 6, 2);
    take(f, Z, 0, 30); /* stale since 10.000001 s, 8.000001 s after the command */
    take(f, Z, 0, 35);
    outputs_are(f, "pump on claimed #1 by fill 12 at 2\n");
    fb_core_advance(f->core, 40 * S);
    outputs_are(f, "pump_discrepancy raised at 36.999999\n"
                   "pump blocked by discrepancy, on, wants on by fill 12 at 36.999999\n");
    end(f);
}

static void a_trial_waits_for_a_feedback_that_is_known(void **state) {
    (void)state;
    for (int follows = 0; follows < 2; follows++) {
        struct fixture *f = begin(FOLLOWS("1") FILL);
        take(f, X, 6, 10);
        take(f, Y, follows, 50);
        fb_core_advance(f->core, 60 * S);
        outputs_are(f, follows ? "pump on claimed #1 by fill 12 at 10\n"
                               : "pump on claimed #1 by fill 12 at 10\n"
                                 "pump_discrepancy raised at 55\n"
                                 "pump blocked by discrepancy, on, wants on by fill 12 at 55\n");
        end(f);
    }
}

static void what_trails_a_ramp_fails_once_for_each_delay(void **state) {
    (void)state;
    for (int n = 3; n < 5; n++) {
        struct fixture *f = begin(n == 3 ? VALVE("3") : VALVE("4"));
        take(f, Y, 0, 0);
        for (int64_t at_s = 10; at_s < 26; at_s += 2)
            take(f, X, 10 + (double)at_s, at_s);
        f->outputs.n = 0;
        fb_core_advance(f->core, 100 * S);
        /* trials from 10, 16, 22 on */
        outputs_are(f,
                    n == 3 ? "valve blocked by discrepancy, 34, wants 34 by set 12 at 27\n" : "");
        end(f);
    }
}

static void a_number_goes_towards_safe_and_no_step_else(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE("1"));
    take(f, Y, 0, 0);
    take(f, X, 50, 10);
    f->outputs.n = 0;
    fb_core_advance(f->core, 16 * S);
    outputs_are(f, "valve_discrepancy raised at 15\n"
                   "valve blocked by discrepancy, 50, wants 50 by set 12 at 15\n");
    take(f, X, 30, 20);
    outputs_are(f, "valve no more blocked by discrepancy, after 1, 30, wants 30 by set 12 at 20\n"
                   "valve 30 claimed #2 by set 12 at 20\n");
    take(f, X, 40, 30);
    take(f, X, 0, 40);
    fb_core_advance(f->core, 41 * S);
    outputs_are(f, "valve blocked by discrepancy, 30, wants 40 by set 12 at 30\n"
                   "valve no more blocked by discrepancy, after 1, 0, wants 0 by set 12 at 40\n"
                   "valve 0 claimed #3 by set 12 at 40\n"
                   "valve_discrepancy cleared at 40\n");
    end(f);
}

static void nothing_is_renewed_so_that_the_lease_runs_out(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "lease 9s  feedback y > 0 after 5s, stop after 1 failures }\n" FILL);
    take(f, Y, 0, 0);
    take(f, X, 6, 10);
    fb_core_advance(f->core, 30 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 10\n"
                   "pump on renewed #2 by fill 12 at 13\n"
                   "pump_discrepancy raised at 15\n"
                   "pump blocked by discrepancy, on, wants on by fill 12 at 15\n");
    take(f, X, 1, 40); /* the equipment went to safe at 22 */
    fb_core_advance(f->core, 60 * S);
    outputs_are(f,
                "pump no more blocked by discrepancy, after 2, off, wants off by default 17 at 40\n"
                "pump off relinquished #3 by default 17 at 40\n"
                "pump_discrepancy cleared at 40\n");
    end(f);
}

static void the_hand_is_refused_too(void **state) {
    (void)state;
    struct fixture *f = stopped_pump(FOLLOWS("2") FILL);
    take(f, X, 1, 40);
    fb_core_advance(f->core, 41 * S);
    f->outputs.n = 0;
    const struct fb_call hand = {.kind = FB_CALL_HAND,
                                 .actuator = FB_S("pump"),
                                 .device = FB_S("a"),
                                 .word = FB_S("on"),
                                 .until_us = 100 * S};
    assert_int_equal(fb_core_call(f->core, &hand, 50 * S), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 51 * S);
    outputs_are(f, "pump blocked by discrepancy, off, wants on by hand 8 at 50\n");
    assert_int_equal(reset(f, "pump", 52), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 53 * S);
    outputs_are(f, "pump no more blocked by discrepancy, after 1, on, wants on by hand 8 at 52\n"
                   "pump on claimed #5 by hand 8 at 52\n");
    end(f);
}

static void agreement_does_not_end_it_but_reset(void **state) {
    (void)state;
    struct fixture *f = begin(FOLLOWS("2") FILL);
    take(f, Y, 0, 0);
    take(f, X, 6, 10);
    fb_core_advance(f->core, 16 * S);
    assert_int_equal(reset(f, "pump", 16), FB_CALL_NOT_OPEN); /* one failure is not two */
    end(f);
    f = stopped_pump(FOLLOWS("2") FILL);
    take(f, Y, 1, 40);
    fb_core_advance(f->core, 60 * S);
    outputs_are(f, "pump_discrepancy cleared at 40\n");
    assert_int_equal(reset(f, "pump", 61), FB_CALL_ACCEPTED);
    assert_int_equal(reset(f, "pump", 61), FB_CALL_NOT_OPEN);
    fb_core_advance(f->core, 62 * S);
    outputs_are(f, "pump no more blocked by discrepancy, after 1, on, wants on by fill 12 at 61\n");
    end(f);
}

static void after_a_reset_what_is_accepted_is_tried_anew(void **state) {
    (void)state;
    struct fixture *f = stopped_pump(FOLLOWS("2") FILL);
    assert_int_equal(reset(f, "pump", 40), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 46 * S);
    outputs_are(f, "pump no more blocked by discrepancy, after 1, on, wants on by fill 12 at 40\n");
    take(f, X, 1, 50); /* the trial of 40 failed at 45 */
    take(f, X, 6, 60);
    f->outputs.n = 0;
    fb_core_advance(f->core, 66 * S);
    outputs_are(f, "pump_discrepancy raised at 65\n"
                   "pump blocked by discrepancy, on, wants on by fill 12 at 65\n");
    end(f);
}

static void one_reset_ends_a_breaker_too(void **state) {
    (void)state;
    struct fixture *f =
        begin("actuator pump on d : (off, on) { safe off  minimum on 0s, off 0s  lease 1h\n"
              "breaker 3 reversals in 100s, hold 1000s\n"
              "feedback y > 0 after 5s, stop after 2 failures }\n" FILL);
    take(f, Y, 0, 0);
    take(f, X, 6, 10);
    take(f, X, 1, 20);
    take(f, X, 6, 30);
    take(f, X, 1, 40);
    fb_core_advance(f->core, 41 * S);
    f->outputs.n = 0;
    take(f, X, 6, 50); /* both; discrepancy comes first */
    outputs_are(f, "pump blocked by discrepancy, off, wants on by fill 12 at 50\n");
    assert_int_equal(reset(f, "pump", 60), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 61 * S);
    outputs_are(f, "pump no more blocked by discrepancy, after 1, on, wants on by fill 12 at 60\n"
                   "pump on claimed #5 by fill 12 at 60\n");
    end(f);
}

static void a_shadow_is_never_stopped(void **state) {
    (void)state;
    struct fixture *f =
        begin(FOLLOWS("1") "control fill on d { start when x > 5  command pump = on }\n");
    take(f, Y, 0, 0);
    take(f, X, 6, 10);
    take(f, X, 1, 20);
    take(f, X, 6, 30);
    outputs_are(f, "pump* on claimed #1 by fill 12 at 10\n"
                   "pump* off relinquished #2 by default 17 at 20\n"
                   "pump* on claimed #3 by fill 12 at 30\n");
    assert_int_equal(reset(f, "pump", 40), FB_CALL_NOT_OPEN);
    end(f);
}

static void a_restart_forgets_neither_count_nor_trial(void **state) {
    (void)state;
    struct fixture *f = begin(FOLLOWS("2") FILL);
    take(f, Y, 0, 0);
    take(f, X, 6, 10);
    take(f, X, 1, 20);
    restart(f, 20 * S); /* one failure */
    take(f, X, 6, 30);
    fb_core_advance(f->core, 32 * S);
    restart(f, 32 * S); /* and the next under way */
    f->outputs.n = 0;
    fb_core_advance(f->core, 36 * S);
    outputs_are(f, "pump_discrepancy raised at 35\n"
                   "pump blocked by discrepancy, on, wants on by fill 12 at 35\n");
    restart(f, 36 * S);
    take(f, X, 1, 40);
    fb_core_advance(f->core, 41 * S);
    f->outputs.n = 0;
    take(f, X, 6, 50);
    outputs_are(f, "pump blocked by discrepancy, off, wants on by fill 12 at 50\n");
    end(f);
}

static void the_count_is_held_against_what_other_rules_say(void **state) {
    (void)state;
    struct fixture *f = stopped_pump(FOLLOWS("2") FILL);
    change_to(f, FOLLOWS("3") FILL);
    take(f, X, 1, 40);
    fb_core_advance(f->core, 41 * S);
    f->outputs.n = 0;
    take(f, X, 6, 50);
    outputs_are(f, "pump on claimed #5 by fill 12 at 50\n");
    fb_core_advance(f->core, 56 * S);
    outputs_are(f, "pump_discrepancy raised at 55\n"
                   "pump blocked by discrepancy, on, wants on by fill 12 at 55\n");
    change_to(f, FOLLOWS("1") FILL);
    assert_int_equal(reset(f, "pump", 60), FB_CALL_ACCEPTED);
    end(f);
}

static void without_the_clause_nothing_is_stopped_and_with_it_anew(void **state) {
    (void)state;
    struct fixture *f = stopped_pump(FOLLOWS("2") FILL);
    change_to(f, PUMP "lease 1h  feedback y > 0 after 5s }\n" FILL);
    fb_core_advance(f->core, 40 * S);
    outputs_are(f, "pump no more blocked by discrepancy, after 1, on, wants on by fill 12 at 36\n");
    change_to(f, FOLLOWS("1") FILL); /* what is accepted is tried from now on */
    fb_core_advance(f->core, 45 * S);
    outputs_are(f, "");
    fb_core_advance(f->core, 46 * S);
    outputs_are(f, "pump blocked by discrepancy, on, wants on by fill 12 at 45\n");
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_of_what_is_dead_fail_in_a_row),
        cmocka_unit_test(a_command_is_followed_in_time_or_not_to_the_microsecond),
        cmocka_unit_test(one_that_is_followed_begins_the_count_anew),
        cmocka_unit_test(what_is_taken_back_before_its_time_says_nothing),
        cmocka_unit_test(the_trial_stands_still_while_the_feedback_is_unknown),
        cmocka_unit_test(a_trial_waits_for_a_feedback_that_is_known),
        cmocka_unit_test(what_trails_a_ramp_fails_once_for_each_delay),
        cmocka_unit_test(a_number_goes_towards_safe_and_no_step_else),
        cmocka_unit_test(nothing_is_renewed_so_that_the_lease_runs_out),
        cmocka_unit_test(the_hand_is_refused_too),
        cmocka_unit_test(agreement_does_not_end_it_but_reset),
        cmocka_unit_test(after_a_reset_what_is_accepted_is_tried_anew),
        cmocka_unit_test(one_reset_ends_a_breaker_too),
        cmocka_unit_test(a_shadow_is_never_stopped),
        cmocka_unit_test(a_restart_forgets_neither_count_nor_trial),
        cmocka_unit_test(the_count_is_held_against_what_other_rules_say),
        cmocka_unit_test(without_the_clause_nothing_is_stopped_and_with_it_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
