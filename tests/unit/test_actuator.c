/* Acting by rule texts: rules/MEANING.md, A1 to A14, each where the core decides it. The edges of
 * the guardrails themselves are in test_guards.c; rules that change and state that is restored in
 * test_actuator_state.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/acting.h"

#define FILL "control fill on d { start when x > 5  command pump = on  rollout armed }\n"

/* ---- A1 ---- */

static void a_record_decides_at_the_clock(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" FILL);
    take_of(f, "a", X, 6, 10 * S, 12 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 12\n");
    end(f);
}

static void a_timer_decides_when_the_device_came_to_it(void **state) {
    (void)state;
    struct fixture *f = begin(
        PUMP "}\n"
             "control fill on d { start when x > 5 for 10s  command pump = on  rollout armed }\n");
    take_of(f, "a", X, 6, 100 * S, 103 * S);
    fb_core_advance(f->core, 120 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 113\n");
    end(f);
}

/* Its own time runs to the record's, the clock is not there yet. */
static void a_timer_ahead_of_the_clock_decides_at_the_clock(void **state) {
    (void)state;
    struct fixture *f = begin(
        PUMP "}\n"
             "control fill on d { start when x > 5 for 10s  command pump = on  rollout armed }\n");
    take_of(f, "a", X, 6, 100 * S, 103 * S);
    take_of(f, "a", Y, 0, 130 * S, 104 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 104\n");
    end(f);
}

/* ---- A2 ---- */

static void a_new_device_waits_as_long_as_if_it_had_just_stopped(void **state) {
    (void)state;
    struct fixture *f = begin("actuator pump on d : (off, on) { safe off }\n" FILL);
    take(f, X, 6, 100);
    outputs_are(f, "pump blocked by minimum, nothing, wants on by fill 12 at 100\n");
    take(f, X, 6, 130);
    fb_core_advance(f->core, 160 * S);
    outputs_are(f, "");
    fb_core_advance(f->core, 161 * S);
    outputs_are(f, "pump no more blocked by minimum, after 1, on, wants on by fill 12 at 160\n"
                   "pump on claimed #1 by fill 12 at 160\n");
    end(f);
}

static void actuators_are_decided_after_all_rules_in_the_order_of_the_text(void **state) {
    (void)state;
    struct fixture *f = begin(
        "actuator b on d : (off, on) { safe off  minimum on 0s, off 0s }\n"
        "actuator c on d : (off, on) { safe off  minimum on 0s, off 0s }\n"
        "control second on d { start when x > 5  command c = on  rollout armed }\n"
        "control first on d { start when x > 5  command b = on  rollout armed }\n"
        "alarm hot on d { raise high when x > 5 }\n");
    take(f, X, 6, 1);
    outputs_are(f, "hot raised at 1\n"
                   "b on claimed #1 by first 12 at 1\n"
                   "c on claimed #1 by second 12 at 1\n");
    end(f);
}

static void what_changes_no_claim_decides_nothing(void **state) {
    (void)state;
    struct fixture *f = begin("actuator pump on d : (off, on) { safe off }\n" FILL);
    take(f, X, 6, 0);
    for (int i = 1; i < 50; i++)
        take(f, X, 6 + i, i);
    f->outputs.n = 0;
    take(f, X, 1, 50); /* the claim is withdrawn while it waits: two decisions in all */
    outputs_are(f, "pump no more blocked by minimum, after 1, nothing, wants off by default 17 "
                   "at 50\n");
    end(f);
}

static void an_interlock_that_changes_decides(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP " interlock when y > 9 }\n" FILL);
    take(f, Y, 0, 0);
    take(f, X, 6, 1);
    f->outputs.n = 0;
    take(f, Y, 10, 2);
    outputs_are(f, "pump blocked by interlock, off, wants on by fill 12 at 2\n"
                   "pump off safe #2 by fill 12 at 2\n");
    take(f, Y, 0, 3);
    outputs_are(f, "pump no more blocked by interlock, after 1, on, wants on by fill 12 at 3\n"
                   "pump on claimed #3 by fill 12 at 3\n");
    end(f);
}

/* ---- A3, A4 ---- */

#define START_Z "control fill on d { start when z > 5  command pump = on  on unknown %s"

static struct fixture *begin_on_unknown(const char *policy, const char *more) {
    char rules[512];
    snprintf(rules, sizeof rules, PUMP "%s }\n" START_Z " rollout armed }\n", more, policy);
    struct fixture *f = begin(rules);
    take(f, Z, 6, 0);
    outputs_are(f, "pump on claimed #1 by fill 12 at 0\n");
    return f;
}

static void an_unknown_start_holds(void **state) {
    (void)state;
    struct fixture *f = begin_on_unknown("hold", "");
    fb_core_advance(f->core, 15 * S);
    outputs_are(f, "");
    end(f);
}

static void an_unknown_start_stops(void **state) {
    (void)state;
    struct fixture *f = begin_on_unknown("stop", "");
    fb_core_advance(f->core, 15 * S);
    outputs_are(f, "pump off relinquished #2 by default 17 at 10.000001\n");
    end(f);
}

static void an_unknown_start_asks_for_safe(void **state) {
    (void)state;
    struct fixture *f = begin_on_unknown("safe", "");
    fb_core_advance(f->core, 15 * S);
    outputs_are(f, "pump off safe #2 by fill 12 at 10.000001\n");
    take(f, Z, 6, 16);
    outputs_are(f, "pump on claimed #3 by fill 12 at 16\n");
    end(f);
}

static void a_hold_ends(void **state) {
    (void)state;
    struct fixture *f = begin_on_unknown("hold", "hold at most 5s");
    fb_core_advance(f->core, 19 * S);
    outputs_are(f, "pump off relinquished #2 by default 17 at 15.000001\n");
    take(f, Z, 6, 30);
    outputs_are(f, "pump on claimed #3 by fill 12 at 30\n");
    end(f);
}

static void what_is_known_again_in_time_goes_on(void **state) {
    (void)state;
    struct fixture *f = begin_on_unknown("hold", "hold at most 5s");
    fb_core_advance(f->core, 14 * S);
    take(f, Z, 6, 14);
    fb_core_advance(f->core, 19 * S);
    outputs_are(f, "");
    end(f);
}

static void a_control_without_start_is_on_from_the_first_record(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "}\ncontrol always on d { command pump = on for 5s  rollout armed }\n");
    take(f, X, 0, 3);
    fb_core_advance(f->core, 10 * S);
    outputs_are(f, "pump on claimed #1 by always 12 at 3\n"
                   "pump off relinquished #2 by default 17 at 8\n");
    end(f);
}

#define VALVE "actuator valve on d : number range 0..100 { safe 0  "
#define FOLLOW "control follow on d { start when x > 0  command valve = z  on unknown %s "

static struct fixture *begin_follow(const char *policy) {
    char rules[512];
    snprintf(rules, sizeof rules, VALVE "hold at most 4s }\n" FOLLOW "rollout armed }\n", policy);
    struct fixture *f = begin(rules);
    take(f, X, 0, 0);
    take(f, Z, 30, 0);
    outputs_are(f, "");
    take(f, X, 1, 1);
    outputs_are(f, "valve 30 claimed #1 by follow 12 at 1\n");
    take(f, Z, 40, 2);
    outputs_are(f, "valve 40 claimed #2 by follow 12 at 2\n");
    return f;
}

static void a_claim_follows_its_value_and_keeps_the_last_known(void **state) {
    (void)state;
    struct fixture *f = begin_follow("hold");
    fb_core_advance(f->core, 16 * S);
    outputs_are(f, "");
    fb_core_advance(f->core, 17 * S);
    outputs_are(f, "valve 0 relinquished #3 by default 17 at 16.000001\n");
    end(f);
}

static void an_unknown_value_withdraws_the_claim(void **state) {
    (void)state;
    struct fixture *f = begin_follow("stop");
    fb_core_advance(f->core, 13 * S);
    outputs_are(f, "valve 0 relinquished #3 by default 17 at 12.000001\n");
    end(f);
}

static void an_unknown_value_asks_for_safe_as_long_as_it_may(void **state) {
    (void)state;
    struct fixture *f = begin_follow("safe");
    fb_core_advance(f->core, 13 * S);
    outputs_are(f, "valve 0 safe #3 by follow 12 at 12.000001\n");
    fb_core_advance(f->core, 17 * S);
    outputs_are(f, "valve 0 relinquished #4 by default 17 at 16.000001\n");
    end(f);
}

static void a_value_that_was_never_known_claims_nothing(void **state) {
    (void)state;
    struct fixture *f =
        begin(VALVE "}\n"
                    "control follow on d { start when x > 0  command valve = y  rollout armed }\n");
    take(f, X, 1, 1);
    outputs_are(f, "");
    take(f, Y, 7, 2);
    outputs_are(f, "valve 7 claimed #1 by follow 12 at 2\n");
    end(f);
}

/* Known while the control is off: the value is there when it starts. */
static void a_value_is_followed_while_the_control_is_off(void **state) {
    (void)state;
    struct fixture *f =
        begin(VALVE "}\n"
                    "control follow on d { start when x > 0  command valve = y  rollout armed }\n");
    take(f, Y, 7, 1);
    take(f, Y, 8, 2);
    take(f, X, 1, 3);
    outputs_are(f, "valve 8 claimed #1 by follow 12 at 3\n");
    end(f);
}

static void a_pulse_ends_and_comes_again_with_the_next_start(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "}\n"
                   "control kick on d { start when x > 5  command pump = on for 5s\n"
                   "rollout armed }\n");
    take(f, X, 6, 0);
    take(f, X, 7, 4);
    fb_core_advance(f->core, 5 * S);
    outputs_are(f, "pump on claimed #1 by kick 12 at 0\n");
    fb_core_advance(f->core, 9 * S);
    outputs_are(f, "pump off relinquished #2 by default 17 at 5\n");
    take(f, X, 1, 10);
    take(f, X, 6, 11);
    outputs_are(f, "pump on claimed #3 by kick 12 at 11\n");
    end(f);
}

/* ---- A5 ---- */

static void the_lowest_number_wins(void **state) {
    (void)state;
    struct fixture *f =
        begin(VALVE "default 5 }\n"
              "control normal on d { start when x > 0  command valve = 10  rollout armed }\n"
              "control first on d { start when y > 0  command valve = 20 at priority 9\n"
              "rollout armed }\n");
    take(f, X, 1, 1);
    take(f, Y, 1, 2);
    take(f, X, 0, 3);
    take(f, X, 1, 4);
    take(f, Y, 0, 5);
    take(f, X, 0, 6);
    outputs_are(f, "valve 10 claimed #1 by normal 12 at 1\n"
                   "valve 20 claimed #2 by first 9 at 2\n"
                   "valve 10 claimed #3 by normal 12 at 5\n"
                   "valve 5 relinquished #4 by default 17 at 6\n");
    end(f);
}

static void outputs_of_combine(const char *combine, const char *wanted) {
    char rules[512];
    snprintf(rules, sizeof rules,
             "actuator valve on d : number range 0..100 { safe 50  combine %s }\n"
             "control one on d { start when x > 0  command valve = 70  rollout armed }\n"
             "control two on d { start when x > 0  command valve = 20  rollout armed }\n"
             "control three on d { start when x > 0  command valve = 70  rollout armed }\n",
             combine);
    struct fixture *f = begin(rules);
    take(f, X, 1, 1);
    outputs_are(f, wanted);
    end(f);
}

static void claims_of_one_priority_combine(void **state) {
    (void)state;
    outputs_of_combine("min", "valve 20 claimed #1 by two 12 at 1\n");
    outputs_of_combine("max", "valve 70 claimed #1 by one 12 at 1\n");
    outputs_of_combine("safest", "valve 70 claimed #1 by one 12 at 1\n");
}

static void what_no_rule_has_claimed_is_not_touched(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP " default on }\n" FILL);
    take(f, X, 1, 0);
    fb_core_advance(f->core, 1000 * S);
    take(f, X, 1, 1000);
    outputs_are(f, "");
    take(f, X, 6, 1001);
    outputs_are(f, "pump on claimed #1 by fill 12 at 1001\n");
    end(f);
}

/* ---- A6 ---- */

static void a_shadow_decides_with_all_claims_and_reaches_nothing(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "}\n" FILL
              "control trial on d { start when y > 0  command pump = on at priority 9 }\n"
              "alarm runs on d { raise low when pump == on }\n");
    take(f, Y, 1, 1);
    outputs_are(f, "pump* on claimed #1 by trial 9 at 1\n");
    take(f, X, 6, 2);
    outputs_are(f, "pump on claimed #1 by fill 12 at 2\n");
    take(f, Y, 0, 3);
    outputs_are(f, "runs raised at 2\n"
                   "pump* on claimed #2 by fill 12 at 3\n");
    end(f);
}

static void a_canary_is_real_on_its_share_of_the_devices(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "}\ncontrol fill on d { start when x > 5  command pump = on\n"
              "rollout canary 30 % }\n");
    int real = 0;
    for (int i = 0; i < 1000; i++) {
        char id[16];
        snprintf(id, sizeof id, "d%d", i);
        take_of(f, id, X, 6, S, S);
        const char *shadow = strstr(fb_buf_terminated(&f->outputs), "* on claimed #1");
        assert_non_null(shadow);
        real += strstr(f->outputs.p, id) != shadow - strlen(id); /* the real one comes first */
        f->outputs.n = 0;
    }
    assert_in_range(real, 250, 350);
    end(f);
}

/* ---- A9 ---- */

static void another_winner_of_the_same_value_is_told(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "}\n" FILL
              "control first on d { start when y > 0  command pump = on at priority 9\n"
              "rollout armed }\n");
    take(f, X, 6, 1);
    take(f, Y, 1, 2);
    take(f, X, 1, 3);
    take(f, Y, 0, 4);
    outputs_are(f, "pump on claimed #1 by fill 12 at 1\n"
                   "pump on claimed #2 by first 9 at 2\n"
                   "pump off relinquished #3 by default 17 at 4\n");
    end(f);
}

static void a_slewed_step_goes_on_by_itself(void **state) {
    (void)state;
    struct fixture *f =
        begin(VALVE "slew 10 per 4s }\n"
              "control open on d { start when x > 0  command valve = 25  rollout armed }\n");
    take(f, X, 0, 0);
    take(f, X, 1, 10);
    fb_core_advance(f->core, 30 * S);
    outputs_are(f, "valve 10 slew #1 by open 12 at 10\n"
                   "valve 20 slew #2 by open 12 at 14\n"
                   "valve 25 claimed #3 by open 12 at 18\n");
    end(f);
}

/* ---- A10 ---- */

static void a_claim_is_renewed_every_third_of_the_lease(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 30s }\n" FILL);
    take(f, X, 6, 0);
    fb_core_advance(f->core, 20 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 0\n"
                   "pump on renewed #2 by fill 12 at 10\n");
    fb_core_advance(f->core, 21 * S);
    outputs_are(f, "pump on renewed #3 by fill 12 at 20\n");
    take(f, X, 1, 25);
    fb_core_advance(f->core, 100 * S);
    outputs_are(f, "pump off relinquished #4 by default 17 at 25\n");
    end(f);
}

static void a_default_that_is_not_safe_is_renewed(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE "default 5  lease 30s }\n"
                              "control open on d { start when x > 0  command valve = 25\n"
                              "rollout armed }\n");
    take(f, X, 1, 0);
    take(f, X, 0, 1);
    fb_core_advance(f->core, 12 * S);
    outputs_are(f, "valve 25 claimed #1 by open 12 at 0\n"
                   "valve 5 relinquished #2 by default 17 at 1\n"
                   "valve 5 renewed #3 by default 17 at 11\n");
    end(f);
}

static void what_is_held_is_renewed_as_it_was(void **state) {
    (void)state;
    struct fixture *f =
        begin("actuator fan on d : (off, on) { safe on  default off  lease 30s\n"
              "minimum on 0s, off 25s }\n"
              "control rest on d { start when x < 0  command fan = off  rollout armed }\n"
              "control spin on d { start when y > 0  command fan = on at priority 9\n"
              "rollout armed }\n");
    take(f, X, 1, 0);
    take(f, Y, 1, 1); /* towards safe: at once */
    f->outputs.n = 0;
    take(f, Y, 0, 2);
    outputs_are(f, "fan off relinquished #2 by default 17 at 2\n");
    fb_core_advance(f->core, 13 * S);
    outputs_are(f, "fan off renewed #3 by default 17 at 12\n");
    end(f);
}

/* ---- A11 ---- */

static void a_block_is_told_when_it_begins_and_when_it_ends(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "permissive when y > 0  lease 30s }\n" FILL);
    take(f, Y, 0, 0);
    take(f, X, 6, 1);
    outputs_are(f, "pump blocked by permissive, nothing, wants on by fill 12 at 1\n");
    take(f, X, 7, 2);
    take(f, X, 1, 3);
    outputs_are(f, "pump no more blocked by permissive, after 1, nothing, wants off by default 17 "
                   "at 3\n");
    take(f, X, 6, 4);
    take(f, Y, 1, 5);
    outputs_are(f, "pump blocked by permissive, nothing, wants on by fill 12 at 4\n"
                   "pump no more blocked by permissive, after 1, on, wants on by fill 12 at 5\n"
                   "pump on claimed #1 by fill 12 at 5\n");
    end(f);
}

static void another_guardrail_takes_over_a_block(void **state) {
    (void)state;
    struct fixture *f = begin("actuator pump on d : (off, on) { safe off  minimum on 0s, off 10s\n"
                              "permissive when y > 0 }\n" FILL);
    take(f, Y, 0, 0);
    take(f, X, 6, 1);
    take(f, Y, 1, 2);
    outputs_are(f, "pump blocked by permissive, nothing, wants on by fill 12 at 1\n"
                   "pump no more blocked by permissive, after 1, nothing, wants on by fill 12 "
                   "at 2\n"
                   "pump blocked by minimum, nothing, wants on by fill 12 at 2\n");
    fb_core_advance(f->core, 11 * S);
    outputs_are(f, "pump no more blocked by minimum, after 1, on, wants on by fill 12 at 10\n"
                   "pump on claimed #1 by fill 12 at 10\n");
    end(f);
}

/* ---- A12 ---- */

static void a_timer_of_the_same_instant_goes_first(void **state) {
    (void)state;
    struct fixture *f = begin(
        PUMP "}\ncontrol kick on d { start when x > 5  command pump = on for 5s rollout armed }\n"
        "alarm long on d { raise low when x > 5 for 5s }\n"
        "alarm longer on d { raise low when x > 5 for 6s }\n");
    take_of(f, "a", X, 6, 100 * S, 103 * S);
    f->outputs.n = 0;
    fb_core_advance(f->core, 120 * S);
    outputs_are(f, "long raised at 105\n"
                   "pump off relinquished #2 by default 17 at 108\n"
                   "longer raised at 106\n");
    end(f);
}

static void deadlines_of_several_devices_go_in_the_order_of_the_clock(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 30s }\n" FILL);
    take_of(f, "b", X, 6, 100 * S, 100 * S);
    take_of(f, "c", X, 6, 99 * S, 101 * S);
    f->outputs.n = 0;
    fb_core_advance(f->core, 130 * S);
    outputs_are(f, "pump/b on renewed #2 by fill 12 at 110\n"
                   "pump/c on renewed #2 by fill 12 at 111\n"
                   "pump/b on renewed #3 by fill 12 at 120\n"
                   "pump/c on renewed #3 by fill 12 at 121\n");
    end(f);
}

static void the_last_tick_decides_what_is_due_at_it(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 30s }\n" FILL);
    take(f, X, 6, 0);
    f->outputs.n = 0;
    fb_core_advance(f->core, 10 * S);
    outputs_are(f, "");
    fb_core_finish(f->core, 10 * S);
    outputs_are(f, "pump on renewed #2 by fill 12 at 10\n");
    end(f);
}

/* The start that would be the last reversal opens the breaker and is not made. */
static void nothing_is_started_only_to_be_stopped(void **state) {
    (void)state;
    struct fixture *f =
        begin("actuator pump on d : (off, on) { safe off  minimum on 0s, off 0s  maximum on 10s\n"
              "lease 1h  breaker 2 reversals in 1h, safe 1h }\n" FILL
              "control first on d { start when y > 0  command pump = on at priority 9\n"
              "rollout armed }\n");
    take(f, X, 1, 0); /* beside a maximum it rests for a second at least */
    take(f, X, 6, 1);
    take(f, X, 1, 2);
    take(f, X, 6, 3);
    outputs_are(f, "pump on claimed #1 by fill 12 at 1\n"
                   "pump off relinquished #2 by default 17 at 2\n"
                   "pump blocked by breaker, off, wants on by fill 12 at 3\n");
    take(f, Y, 1, 5);
    take(f, Y, 0, 30);
    take(f, X, 1, 31);
    outputs_are(f, "pump no more blocked by breaker, after 3, off, wants off by default 17 at 31\n"
                   "");
    end(f);
}

/* A rule on trial decides nothing of what is real, neither by coming nor by going. */
static void what_comes_and_goes_in_shadow_decides_nothing(void **state) {
    (void)state;
    static const char held[] = "actuator pump on d : (off, on) { safe off  minimum on 0s, off 60s "
                               "lease 1h }\n" FILL;
    static const char tried[] =
        "actuator pump on d : (off, on) { safe off  minimum on 0s, off 60s "
        "lease 1h }\n" FILL "control trial on d { start when y > 9  command pump = on }\n";
    struct fixture *f = begin(held);
    take(f, X, 6, 1);
    outputs_are(f, "pump blocked by minimum, nothing, wants on by fill 12 at 1\n");
    change_to(f, tried);
    fb_core_advance(f->core, 20 * S);
    change_to(f, held);
    fb_core_advance(f->core, 70 * S);
    outputs_are(f, "pump* blocked by minimum, nothing, wants on by fill 12 at 1\n"
                   "pump no more blocked by minimum, after 1, on, wants on by fill 12 at 61\n"
                   "pump on claimed #1 by fill 12 at 61\n");
    end(f);
}

/* A deadline is on the clock: that a record runs ahead of it does not make it due. */
static void a_record_ahead_of_the_clock_makes_no_deadline_due(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 30s }\n" FILL);
    take(f, X, 6, 0);
    f->outputs.n = 0;
    take_of(f, "a", X, 6, 100 * S, 5 * S);
    outputs_are(f, "");
    fb_core_advance(f->core, 11 * S);
    outputs_are(f, "pump on renewed #2 by fill 12 at 10\n");
    end(f);
}

static void a_record_finds_its_deadlines_done(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 30s }\n" FILL);
    take(f, X, 6, 0);
    f->outputs.n = 0;
    fb_core_expect(f->core, 0, FB_S("a"));
    take(f, X, 1, 15);
    outputs_are(f, "pump on renewed #2 by fill 12 at 10\n"
                   "pump off relinquished #3 by default 17 at 15\n");
    end(f);
}

/* ---- A13 ---- */

static void what_reads_an_actuator_sees_each_command(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" FILL "alarm runs on d { raise low when pump == on }\n"
                              "alarm known on d { raise low when pump is good }\n");
    take(f, X, 1, 0);
    take(f, X, 6, 10);
    outputs_are(f, "pump on claimed #1 by fill 12 at 10\n");
    take(f, X, 1, 20);
    outputs_are(f, "runs raised at 10\nknown raised at 10\n"
                   "pump off relinquished #2 by default 17 at 20\n");
    fb_core_advance(f->core, 21 * S);
    outputs_are(f, "runs cleared at 20\n");
    end(f);
}

static void a_control_that_undoes_itself_goes_round_twice_a_second(void **state) {
    (void)state;
    struct fixture *f = begin(
        VALVE "}\ncontrol odd on d { start when x > 0 and valve < 5  command valve = 9\n"
        "rollout armed }\n"
        "control first on d { start when y > 0  command valve = 1 at priority 9 rollout armed }\n");
    take(f, Y, 1, 0);
    take(f, X, 1, 1);
    take(f, Y, 0, 2);
    fb_core_advance(f->core, 12 * S);
    assert_in_range(fb_core_stats(f->core).commands, 10, 25);
    end(f);
}

/* ---- catch_up and the wall clock ---- */

static void what_is_old_is_not_acted_upon(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" FILL);
    f->config.max_lag_us = 60 * S;
    fb_core_configure(f->core, &f->config);
    fb_core_set_wall(f->core, 1000 * S);
    take(f, X, 6, 900);
    outputs_are(f, "pump blocked by catch_up, nothing, wants on by fill 12 at 900\n");
    take(f, X, 6, 920);
    outputs_are(f, "");
    fb_core_set_wall(f->core, 1001 * S);
    take(f, X, 6, 950);
    outputs_are(f, "pump no more blocked by catch_up, after 2, on, wants on by fill 12 at 941\n"
                   "pump on claimed #1 by fill 12 at 941\n");
    end(f);
}

static int64_t expires_us, lease_us;
static void note(void *context, const struct fb_output *output) {
    (void)context;
    expires_us = output->expires_at_us;
    lease_us = output->lease_until_us;
}

static void a_command_expires_on_the_wall_clock(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 20s  deliver within 7s }\n" FILL);
    fb_core_free(f->core);
    f->core = fb_core_new(f->programs[0].program, &f->config, note, NULL);
    fb_core_set_wall(f->core, 1000 * S);
    take(f, X, 6, 990);
    assert_int_equal(expires_us, 1007 * S);
    assert_int_equal(lease_us, 1020 * S);
    fb_core_set_wall(f->core, FB_NO_TIME);
    take(f, X, 1, 995);
    assert_int_equal(expires_us, 1002 * S);
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_decides_at_the_clock),
        cmocka_unit_test(a_timer_decides_when_the_device_came_to_it),
        cmocka_unit_test(a_timer_ahead_of_the_clock_decides_at_the_clock),
        cmocka_unit_test(a_new_device_waits_as_long_as_if_it_had_just_stopped),
        cmocka_unit_test(actuators_are_decided_after_all_rules_in_the_order_of_the_text),
        cmocka_unit_test(what_changes_no_claim_decides_nothing),
        cmocka_unit_test(an_interlock_that_changes_decides),
        cmocka_unit_test(an_unknown_start_holds),
        cmocka_unit_test(an_unknown_start_stops),
        cmocka_unit_test(an_unknown_start_asks_for_safe),
        cmocka_unit_test(a_hold_ends),
        cmocka_unit_test(what_is_known_again_in_time_goes_on),
        cmocka_unit_test(a_control_without_start_is_on_from_the_first_record),
        cmocka_unit_test(a_claim_follows_its_value_and_keeps_the_last_known),
        cmocka_unit_test(an_unknown_value_withdraws_the_claim),
        cmocka_unit_test(an_unknown_value_asks_for_safe_as_long_as_it_may),
        cmocka_unit_test(a_value_that_was_never_known_claims_nothing),
        cmocka_unit_test(a_value_is_followed_while_the_control_is_off),
        cmocka_unit_test(a_pulse_ends_and_comes_again_with_the_next_start),
        cmocka_unit_test(the_lowest_number_wins),
        cmocka_unit_test(claims_of_one_priority_combine),
        cmocka_unit_test(what_no_rule_has_claimed_is_not_touched),
        cmocka_unit_test(a_shadow_decides_with_all_claims_and_reaches_nothing),
        cmocka_unit_test(a_canary_is_real_on_its_share_of_the_devices),
        cmocka_unit_test(another_winner_of_the_same_value_is_told),
        cmocka_unit_test(a_slewed_step_goes_on_by_itself),
        cmocka_unit_test(a_claim_is_renewed_every_third_of_the_lease),
        cmocka_unit_test(a_default_that_is_not_safe_is_renewed),
        cmocka_unit_test(what_is_held_is_renewed_as_it_was),
        cmocka_unit_test(a_block_is_told_when_it_begins_and_when_it_ends),
        cmocka_unit_test(another_guardrail_takes_over_a_block),
        cmocka_unit_test(a_timer_of_the_same_instant_goes_first),
        cmocka_unit_test(deadlines_of_several_devices_go_in_the_order_of_the_clock),
        cmocka_unit_test(the_last_tick_decides_what_is_due_at_it),
        cmocka_unit_test(nothing_is_started_only_to_be_stopped),
        cmocka_unit_test(what_comes_and_goes_in_shadow_decides_nothing),
        cmocka_unit_test(a_record_ahead_of_the_clock_makes_no_deadline_due),
        cmocka_unit_test(a_record_finds_its_deadlines_done),
        cmocka_unit_test(what_reads_an_actuator_sees_each_command),
        cmocka_unit_test(a_control_that_undoes_itself_goes_round_twice_a_second),
        cmocka_unit_test(what_is_old_is_not_acted_upon),
        cmocka_unit_test(a_command_expires_on_the_wall_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
