/* What cannot change until something happens costs nothing, however far the clock leaps, and goes
 * on to the instant as if it had been looked at all the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/call.h"
#include "tests/unit/acting.h"

#define YEAR_1 (INT64_C(-62135596800) * S)
#define TODAY (INT64_C(1795248000) * S)

/* Reads what is commanded, and an aligned window. */
#define HOT "alarm hot on d { raise high when pump == on and sum(x each 10s) == 0 }"
#define PULSE                                                                                      \
    PUMP "}\ncontrol fill on d { start when y > 5  command pump = on at priority 12 for 500ms  "   \
         "rollout armed }\n"

static void a_leap_from_year_1_looks_at_no_window_by_itself(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "feedback z == 1 after 15s }\n"
                   "control fill on d { start when sum(x each 1m) > 3 or (pump == on and "
                   "max(y each 1m) > 5)  command pump = on at priority 12  rollout armed }\n"
                   "alarm dry on d { raise high when pump == off and sum(y each 1m) > 1 }");
    take_of(f, "a", X, 1, YEAR_1, TODAY);
    take_of(f, "a", Y, 1, TODAY, TODAY + S);
    fb_core_advance(f->core, TODAY + 300 * S);
    assert_true(fb_core_stats(f->core).evaluations < 100);
    end(f);
}

/* z is good until 69, so from 84 on not for half of the last 30 seconds; after that the share falls
 * to nothing, and no later end of an aligned window brings anything new. */
static void what_has_good_time_rests_once_that_is_over(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct fixture *f =
            begin("alarm quiet on d { raise high when time_avg(z over 30s, needs 50 %) is unknown "
                  "and sum(x each 1s) == 0 }");
        for (int64_t s = 1; s <= 60; s++)
            take(f, s % 2 ? Z : X, 1, s);
        if (way == 1)
            restart(f, 60 * S);
        fb_core_advance(f->core, 100 * S);
        outputs_are(f, "quiet raised at 14\nquiet cleared at 15\nquiet raised at 84.000001\n");
        fb_core_advance(f->core, TODAY);
        outputs_are(f, "");
        assert_true(fb_core_stats(f->core).evaluations < 1000);
        take_of(f, "a", Z, 1, TODAY, TODAY);
        fb_core_advance(f->core, TODAY + 100 * S);
        outputs_are(f, "");
        end(f);
    }
}

/* At 39.2 the alarm's windows are empty: it rests. The pump is off 0.5s later, of which the alarm
 * is told 1s later (A13), but for the window that ends at 30 and is waited for until 40. */
static void
the_end_of_a_window_sees_a_command_that_a_resting_condition_is_told_later(void **state) {
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct fixture *f = begin(PULSE HOT);
        take(f, X, 1, 1);
        take_of(f, "a", Y, 6, 39200000, 39200000);
        fb_core_advance(f->core, 39500000);
        outputs_are(f, "pump on claimed #1 by fill 12 at 39.2\nhot raised at 39.2\n");
        if (way == 1)
            restart(f, 39500000);
        if (way == 2)
            change_to(f, PULSE HOT);
        fb_core_advance(f->core, 60 * S);
        outputs_are(f, "pump off relinquished #2 by default 17 at 39.7\nhot cleared at 40\n");
        end(f);
    }
}

static void a_hand_wakes_what_rests(void **state) {
    (void)state;
    struct fixture *f = begin(PULSE HOT);
    take(f, X, 1, 1);
    take(f, Y, 6, 25);
    fb_core_advance(f->core, 5000 * S);
    f->outputs.n = 0;
    const struct fb_call call = {.kind = FB_CALL_HAND,
                                 .actuator = FB_S("pump"),
                                 .device = FB_S("a"),
                                 .word = FB_S("on"),
                                 .until_us = 5003500000};
    assert_int_equal(fb_core_call(f->core, &call, 5001500000), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 6000 * S);
    outputs_are(f, "pump on claimed #3 by hand 8 at 5001.5\nhot raised at 5001.5\n"
                   "pump off relinquished #4 by default 17 at 5003.5\nhot cleared at 5003.5\n");
    end(f);
}

#define VALVE(range)                                                                               \
    "actuator valve on d : number range 0..200 { safe 0  lease 1h  breaker 30 reversals in 1s, "   \
    "hold 1s }\ncontrol open on d { start when x > 5  step valve by y every 10s within " range     \
    " from 80 at priority 12  rollout armed }\n"

static void a_step_at_its_end_is_made_no_more(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE("0..100"));
    f->config.max_lag_us = 60 * S;
    fb_core_configure(f->core, &f->config);
    fb_core_set_wall(f->core, TODAY);
    take_of(f, "a", Y, 10, YEAR_1, YEAR_1);
    take_of(f, "a", X, 6, YEAR_1 + 5 * S, YEAR_1 + 5 * S);
    fb_core_advance(f->core, TODAY);
    assert_true(fb_core_stats(f->core).timers < 100);
    end(f);
}

/* On at 5, at its end 100 from 25 on. The instants of steps go on: 205 is the next one. */
static void a_step_that_rested_goes_on_at_the_next_of_its_instants(void **state) {
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct fixture *f = begin(VALVE("0..100"));
        take(f, Y, 10, 1);
        take(f, X, 6, 5);
        fb_core_advance(f->core, 190 * S);
        take(f, X, 7, 192);
        outputs_are(f, "valve 80 claimed #1 by open 12 at 5\nvalve 90 claimed #2 by open 12 at 15\n"
                       "valve 100 claimed #3 by open 12 at 25\n");
        if (way == 1)
            restart(f, 192 * S);
        if (way == 2) {
            change_to(f, VALVE("0..150"));
            fb_core_advance(f->core, 220 * S);
            outputs_are(f, "valve 110 claimed #4 by open 12 at 195\n"
                           "valve 120 claimed #5 by open 12 at 205\n"
                           "valve 130 claimed #6 by open 12 at 215\n");
            end(f);
            continue;
        }
        take(f, Y, -10, 196);
        fb_core_advance(f->core, 220 * S);
        outputs_are(f, "valve 90 claimed #4 by open 12 at 205\n"
                       "valve 80 claimed #5 by open 12 at 215\n");
        end(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leap_from_year_1_looks_at_no_window_by_itself),
        cmocka_unit_test(what_has_good_time_rests_once_that_is_over),
        cmocka_unit_test(the_end_of_a_window_sees_a_command_that_a_resting_condition_is_told_later),
        cmocka_unit_test(a_hand_wakes_what_rests),
        cmocka_unit_test(a_step_at_its_end_is_made_no_more),
        cmocka_unit_test(a_step_that_rested_goes_on_at_the_next_of_its_instants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
