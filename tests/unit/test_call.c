/* Operators' calls on the core (A16 to A18), and across a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/call.h"
#include "tests/unit/acting.h"

#define FILL "control fill on d { start when x > 5  command pump = on  rollout armed }\n"
#define VALVE "actuator valve on d : number range 0..100 { safe 0  slew 10 per 10s  lease 1h }\n"
#define OPEN "control open on d { start when x > 5  command valve = 50  rollout armed }\n"

static enum fb_call_outcome call_at(struct fixture *f, struct fb_call call, int64_t c_s) {
    return fb_core_call(f->core, &call, c_s * S);
}

static struct fb_call hand(const char *actuator, const char *word, double number,
                           int64_t until_s) {
    return (struct fb_call){.kind = FB_CALL_HAND,
                            .actuator = fb_str_of(actuator),
                            .device = FB_S("a"),
                            .is_number = !word,
                            .word = word ? fb_str_of(word) : (struct fb_str){0},
                            .number = number,
                            .until_us = until_s * S};
}

static struct fb_call of(enum fb_call_kind kind, const char *actuator) {
    return (struct fb_call){.kind = kind, .actuator = fb_str_of(actuator), .device = FB_S("a")};
}

static struct fb_call kill(enum fb_kill mode, enum fb_scope scope, const char *name) {
    return (struct fb_call){.kind = mode == FB_KILL_NONE ? FB_CALL_UNKILL : FB_CALL_KILL,
                            .mode = mode,
                            .scope = scope,
                            .name = fb_str_of(name)};
}

#define KILL_ALL(mode) kill(mode, FB_SCOPE_ALL, "")

/* ---- hand, auto ---- */

static void a_hand_wins_over_the_rules_until_its_end(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h }\n" FILL);
    take(f, X, 6, 0);
    outputs_are(f, "pump on claimed #1 by fill 12 at 0\n");
    assert_int_equal(call_at(f, hand("pump", "off", 0, 30), 10), FB_CALL_ACCEPTED);
    outputs_are(f, "");
    fb_core_advance(f->core, 11 * S);
    outputs_are(f, "pump off claimed #2 by hand 8 at 10\n");
    take(f, X, 1, 20);
    take(f, X, 7, 21);
    outputs_are(f, "");
    fb_core_advance(f->core, 31 * S);
    outputs_are(f, "pump on claimed #3 by fill 12 at 30\n");
    end(f);
}

static void a_hand_touches_what_no_rule_has_claimed(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h }\n" FILL);
    take(f, X, 1, 0);
    assert_int_equal(call_at(f, hand("pump", "on", 0, 30), 10), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 31 * S);
    outputs_are(f, "pump on claimed #1 by hand 8 at 10\n"
                   "pump off relinquished #2 by default 17 at 30\n");
    end(f);
}

static void auto_goes_on_from_what_is_accepted(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE OPEN);
    take(f, X, 1, 0);
    assert_int_equal(call_at(f, hand("valve", NULL, 20, 1000), 10), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 40 * S);
    take(f, X, 6, 41);
    outputs_are(f, "valve 10 slew #1 by hand 8 at 10\nvalve 20 claimed #2 by hand 8 at 20\n");
    assert_int_equal(call_at(f, of(FB_CALL_AUTO, "valve"), 45), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 56 * S);
    outputs_are(f, "valve 30 slew #3 by open 12 at 45\nvalve 40 slew #4 by open 12 at 55\n");
    end(f);
}

static void guardrails_keep_a_hand_back_too(void **state) {
    (void)state;
    struct fixture *f =
        begin("actuator pump on d : (off, on) { safe off  minimum on 0s, off 20s  lease 1h\n"
              "interlock when y > 5 }\n" FILL);
    take(f, Y, 1, 0);
    take(f, X, 1, 1);
    assert_int_equal(call_at(f, hand("pump", "on", 0, 1000), 5), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 21 * S);
    outputs_are(f, "pump blocked by minimum, nothing, wants on by hand 8 at 5\n"
                   "pump no more blocked by minimum, after 1, on, wants on by hand 8 at 20\n"
                   "pump on claimed #1 by hand 8 at 20\n");
    take(f, Y, 6, 30);
    outputs_are(f, "pump blocked by interlock, off, wants on by hand 8 at 30\n"
                   "pump off safe #2 by hand 8 at 30\n");
    end(f);
}

static void a_hand_is_refused_where_it_can_not_be(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" VALVE FILL OPEN);
    take(f, X, 6, 100);
    struct fb_call other = hand("pump", "on", 0, 200);
    other.device = FB_S("b");
    assert_int_equal(call_at(f, other, 100), FB_CALL_ELSEWHERE);
    assert_int_equal(call_at(f, hand("fan", "on", 0, 200), 100), FB_CALL_NO_ACTUATOR);
    assert_int_equal(call_at(f, hand("pump", "up", 0, 200), 100), FB_CALL_BAD_VALUE);
    assert_int_equal(call_at(f, hand("pump", NULL, 1, 200), 100), FB_CALL_BAD_VALUE);
    assert_int_equal(call_at(f, hand("valve", "on", 0, 200), 100), FB_CALL_BAD_VALUE);
    assert_int_equal(call_at(f, hand("valve", NULL, 100.5, 200), 100), FB_CALL_BAD_VALUE);
    assert_int_equal(call_at(f, hand("pump", "off", 0, 100), 100), FB_CALL_PAST);
    assert_int_equal(call_at(f, of(FB_CALL_AUTO, "pump"), 100), FB_CALL_NOT_IN_HAND);
    f->outputs.n = 0;
    fb_core_advance(f->core, 101 * S);
    outputs_are(f, "");
    end(f);
}

static void a_shadow_is_in_hand_too(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h }\ncontrol fill on d { start when x > 5\n"
                                   "command pump = on }\n");
    take(f, X, 6, 0);
    assert_int_equal(call_at(f, hand("pump", "off", 0, 30), 10), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 11 * S);
    outputs_are(f, "pump* on claimed #1 by fill 12 at 0\n"
                   "pump off claimed #1 by hand 8 at 10\n"
                   "pump* off claimed #2 by hand 8 at 10\n");
    end(f);
}

/* ---- kill, unkill ---- */

static void freeze_lets_nothing_go_out(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 60s }\n" FILL);
    take(f, X, 6, 0);
    assert_false(fb_core_is_killed(f->core));
    assert_int_equal(call_at(f, KILL_ALL(FB_KILL_FREEZE), 10), FB_CALL_ACCEPTED);
    assert_true(fb_core_is_killed(f->core));
    f->outputs.n = 0;
    fb_core_advance(f->core, 50 * S);
    take(f, X, 1, 50);
    outputs_are(f, "pump blocked by kill, on, wants on by fill 12 at 10\n");
    assert_int_equal(call_at(f, KILL_ALL(FB_KILL_NONE), 60), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 61 * S);
    outputs_are(f, "pump no more blocked by kill, after 3, off, wants off by default 17 at 60\n"
                   "pump off relinquished #2 by default 17 at 60\n");
    end(f);
}

static void freeze_holds_from_the_call_on(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" FILL);
    take(f, X, 1, 0);
    assert_int_equal(call_at(f, KILL_ALL(FB_KILL_FREEZE), 10), FB_CALL_ACCEPTED);
    take(f, X, 6, 10);
    outputs_are(f, "pump blocked by kill, nothing, wants on by fill 12 at 10\n");
    end(f);
}

static void a_lease_that_ran_out_while_killed_has_lapsed(void **state) {
    (void)state;
    struct fixture *f =
        begin("actuator pump on d : (off, on) { safe off  minimum on 0s, off 20s  lease 60s }\n"
              FILL);
    take(f, X, 1, 0);
    take(f, X, 6, 30);
    outputs_are(f, "pump on claimed #1 by fill 12 at 30\n");
    assert_int_equal(call_at(f, KILL_ALL(FB_KILL_FREEZE), 40), FB_CALL_ACCEPTED);
    take(f, X, 6, 55);
    assert_int_equal(call_at(f, KILL_ALL(FB_KILL_NONE), 101), FB_CALL_ACCEPTED);
    f->outputs.n = 0;
    fb_core_advance(f->core, 122 * S);
    outputs_are(f, "pump no more blocked by kill, after 2, off, wants on by fill 12 at 101\n"
                   "pump blocked by minimum, off, wants on by fill 12 at 101\n"
                   "pump no more blocked by minimum, after 1, on, wants on by fill 12 at 121\n"
                   "pump on claimed #2 by fill 12 at 121\n");
    end(f);
}

static void safe_is_reached_once_and_then_frozen(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE PUMP "}\n" OPEN FILL
                              "control never on d { start when x > 99  command pump = on\n"
                              "rollout armed }\n");
    take(f, X, 6, 0);
    fb_core_advance(f->core, 15 * S);
    f->outputs.n = 0;
    assert_int_equal(call_at(f, kill(FB_KILL_SAFE, FB_SCOPE_ACTUATOR, "valve"), 15),
                     FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 16 * S);
    take(f, X, 7, 16);
    take(f, X, 1, 17);
    outputs_are(f, "valve blocked by kill, 0, wants 50 by open 12 at 15\n"
                   "valve 0 safe #2 by open 12 at 15\n"
                   "pump off relinquished #2 by default 17 at 17\n");
    end(f);
}

static void nothing_commanded_is_not_made_safe(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" FILL);
    take(f, X, 1, 0);
    assert_int_equal(call_at(f, KILL_ALL(FB_KILL_SAFE), 10), FB_CALL_ACCEPTED);
    take(f, X, 6, 11);
    fb_core_advance(f->core, 100 * S);
    outputs_are(f, "pump blocked by kill, nothing, wants on by fill 12 at 11\n");
    end(f);
}

static void a_killed_rule_leaves_others_alone(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h }\n" FILL
                              "control drain on d { start when y > 5  command pump = off at\n"
                              "priority 9  rollout armed }\n");
    take(f, X, 6, 0);
    assert_int_equal(call_at(f, kill(FB_KILL_FREEZE, FB_SCOPE_RULE, "fill"), 10),
                     FB_CALL_ACCEPTED);
    take(f, Y, 6, 20);
    take(f, Y, 1, 30);
    outputs_are(f, "pump on claimed #1 by fill 12 at 0\n"
                   "pump blocked by kill, on, wants on by fill 12 at 10\n"
                   "pump no more blocked by kill, after 1, off, wants off by drain 9 at 20\n"
                   "pump off claimed #2 by drain 9 at 20\n"
                   "pump blocked by kill, off, wants on by fill 12 at 30\n");
    end(f);
}

static void kills_are_told_apart(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" FILL);
    take(f, X, 1, 0);
    assert_int_equal(call_at(f, KILL_ALL(FB_KILL_NONE), 1), FB_CALL_NOT_KILLED);
    assert_int_equal(call_at(f, kill(FB_KILL_SAFE, FB_SCOPE_RULE, "pump"), 1), FB_CALL_NO_RULE);
    assert_int_equal(call_at(f, kill(FB_KILL_SAFE, FB_SCOPE_ACTUATOR, "fill"), 1),
                     FB_CALL_NO_ACTUATOR);
    assert_int_equal(call_at(f, kill(FB_KILL_SAFE, FB_SCOPE_RULE, "fill"), 1), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, KILL_ALL(FB_KILL_FREEZE), 1), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, KILL_ALL(FB_KILL_SAFE), 1), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, kill(FB_KILL_NONE, FB_SCOPE_ACTUATOR, "pump"), 1),
                     FB_CALL_NOT_KILLED);
    assert_int_equal(call_at(f, KILL_ALL(FB_KILL_NONE), 1), FB_CALL_ACCEPTED);
    assert_true(fb_core_is_killed(f->core));
    assert_int_equal(call_at(f, kill(FB_KILL_NONE, FB_SCOPE_RULE, "fill"), 1), FB_CALL_ACCEPTED);
    assert_false(fb_core_is_killed(f->core));
    end(f);
}

/* ---- reset ---- */

static void reset_closes_a_breaker_but_for_one_probe(void **state) {
    (void)state;
    struct fixture *f =
        begin("actuator pump on d : (off, on) { safe off  minimum on 0s, off 0s  lease 1h\n"
              "breaker 3 reversals in 100s, hold 1000s }\n" FILL);
    assert_int_equal(call_at(f, of(FB_CALL_RESET, "pump"), 0), FB_CALL_ELSEWHERE);
    take(f, X, 6, 0);
    assert_int_equal(call_at(f, of(FB_CALL_RESET, "pump"), 0), FB_CALL_NOT_OPEN);
    take(f, X, 1, 1);
    take(f, X, 6, 2);
    take(f, X, 1, 3);
    f->outputs.n = 0;
    take(f, X, 6, 4);
    outputs_are(f, "pump blocked by breaker, off, wants on by fill 12 at 4\n");
    assert_int_equal(call_at(f, of(FB_CALL_RESET, "pump"), 10), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 11 * S);
    take(f, X, 1, 12);
    take(f, X, 6, 13);
    outputs_are(f, "pump no more blocked by breaker, after 1, on, wants on by fill 12 at 10\n"
                   "pump on claimed #5 by fill 12 at 10\n"
                   "pump off relinquished #6 by default 17 at 12\n"
                   "pump blocked by breaker, off, wants on by fill 12 at 13\n");
    end(f);
}

/* ---- restarts, other rules ---- */

static void a_restart_forgets_no_call(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h }\n" VALVE FILL OPEN);
    take(f, X, 6, 0);
    fb_core_advance(f->core, 15 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 0\nvalve 10 slew #1 by open 12 at 10\n");
    assert_int_equal(call_at(f, hand("pump", "off", 0, 30), 15), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, kill(FB_KILL_FREEZE, FB_SCOPE_ACTUATOR, "valve"), 15),
                     FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, kill(FB_KILL_SAFE, FB_SCOPE_RULE, "open"), 15), FB_CALL_ACCEPTED);
    restart(f, 15 * S); /* the decisions are due */
    assert_true(fb_core_is_killed(f->core));
    fb_core_advance(f->core, 16 * S);
    outputs_are(f, "pump off claimed #2 by hand 8 at 15\n"
                   "valve blocked by kill, 0, wants 50 by open 12 at 15\n"
                   "valve 0 safe #2 by open 12 at 15\n");
    restart(f, 16 * S);
    fb_core_advance(f->core, 31 * S);
    outputs_are(f, "pump on claimed #3 by fill 12 at 30\n");
    assert_int_equal(call_at(f, kill(FB_KILL_NONE, FB_SCOPE_RULE, "open"), 40), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, kill(FB_KILL_NONE, FB_SCOPE_ACTUATOR, "valve"), 40),
                     FB_CALL_ACCEPTED);
    restart(f, 40 * S);
    fb_core_advance(f->core, 41 * S);
    outputs_are(f, "valve no more blocked by kill, after 1, 10, wants 50 by open 12 at 40\n"
                   "valve 10 slew #3 by open 12 at 40\n");
    end(f);
}

static void other_rules_leave_hand_and_kills(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h }\n" VALVE FILL OPEN);
    take(f, X, 6, 0);
    assert_int_equal(call_at(f, hand("pump", "off", 0, 1000), 5), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, kill(FB_KILL_FREEZE, FB_SCOPE_ACTUATOR, "valve"), 5),
                     FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 6 * S);
    f->outputs.n = 0;
    change_to(f, PUMP "lease 2h }\n" VALVE FILL OPEN);
    fb_core_advance(f->core, 50 * S);
    outputs_are(f, "");
    change_to(f, "actuator pump on d : (shut, open) { safe shut  minimum on 0s, off 0s }\n" VALVE
                 "control fill on d { start when x > 5  command pump = open  rollout armed }\n"
                 OPEN);
    fb_core_advance(f->core, 51 * S);
    outputs_are(f, "pump open claimed #3 by fill 12 at 50\n");
    end(f);
}

static void damaged_kills_are_refused(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" FILL);
    struct fb_err err;
    const struct fb_str pieces[] = {
        FB_S("\x05\0\0\0\0\0\0\0\1"),              /* cut off */
        FB_S("\x08\0\0\0\0\0\0\0\0\3\0\0"),        /* no such mode */
        FB_S("\x08\0\0\0\0\0\0\0\3\1\0\0"),        /* no such scope */
        FB_S("\x08\0\0\0\0\0\0\0\1\1\0\0"),        /* a rule without a name */
        FB_S("\x09\0\0\0\0\0\0\0\1\1\2\0" "a"),    /* shorter than it says */
    };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        assert_false(fb_core_restore(f->core, pieces[i], &err));
    assert_true(fb_core_restore(f->core, FB_S("\x09\0\0\0\0\0\0\0\1\1\1\0" "a"), &err));
    assert_true(fb_core_is_killed(f->core));
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hand_wins_over_the_rules_until_its_end),
        cmocka_unit_test(a_hand_touches_what_no_rule_has_claimed),
        cmocka_unit_test(auto_goes_on_from_what_is_accepted),
        cmocka_unit_test(guardrails_keep_a_hand_back_too),
        cmocka_unit_test(a_hand_is_refused_where_it_can_not_be),
        cmocka_unit_test(a_shadow_is_in_hand_too),
        cmocka_unit_test(freeze_lets_nothing_go_out),
        cmocka_unit_test(freeze_holds_from_the_call_on),
        cmocka_unit_test(a_lease_that_ran_out_while_killed_has_lapsed),
        cmocka_unit_test(safe_is_reached_once_and_then_frozen),
        cmocka_unit_test(nothing_commanded_is_not_made_safe),
        cmocka_unit_test(a_killed_rule_leaves_others_alone),
        cmocka_unit_test(kills_are_told_apart),
        cmocka_unit_test(reset_closes_a_breaker_but_for_one_probe),
        cmocka_unit_test(a_restart_forgets_no_call),
        cmocka_unit_test(other_rules_leave_hand_and_kills),
        cmocka_unit_test(damaged_kills_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
