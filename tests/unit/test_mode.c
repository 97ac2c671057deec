/* Modes by rule texts: rules/MEANING.md, A21. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/acting.h"

#define VALVE "actuator valve on d : number range 0..100 { safe 0  lease 1h }\n"
#define MODE(states) VALVE "mode m on d {\n" states "\n rollout armed\n}\n"
#define BACK "go one when x < 0\n"

static void it_begins_in_its_first_state_and_goes_by_its_ways(void **state) {
    (void)state;
    struct fixture *f = begin(MODE("state one { command valve = 10  go two when x > 5 }\n"
                                   "state two { command valve = 20  go one when x < 3 }"));
    take(f, X, 4, 100);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n");
    take(f, X, 6, 101);
    outputs_are(f, "valve 20 claimed #2 by m 12 at 101\n");
    take(f, X, 4, 102);
    outputs_are(f, "");
    take(f, X, 2, 103);
    outputs_are(f, "valve 10 claimed #3 by m 12 at 103\n");
    end(f);
}

static void of_several_ways_the_first_in_the_text_is_taken(void **state) {
    (void)state;
    struct fixture *f =
        begin(MODE("state one { command valve = 10  go two when x > 7  go three when x > 5 }\n"
                   "state two { command valve = 20 " BACK "}\n"
                   "state three { command valve = 30 " BACK "}"));
    take(f, X, 0, 100);
    take(f, X, 8, 105);
    take(f, X, -1, 110);
    take(f, X, 6, 115);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n"
                   "valve 20 claimed #2 by m 12 at 105\n"
                   "valve 10 claimed #3 by m 12 at 110\n"
                   "valve 30 claimed #4 by m 12 at 115\n");
    end(f);
}

static void ways_of_any_state_go_before_its_own_but_not_to_itself(void **state) {
    (void)state;
    struct fixture *f = begin(MODE("state one { command valve = 10  go two when x > 5 }\n"
                                   "state two { command valve = 20  go one when x > 8 }\n"
                                   "state off { go one when x < 3 }\n"
                                   "state any { go off when x > 8 }"));
    take(f, X, 4, 100);
    take(f, X, 6, 105);
    take(f, X, 9, 110);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n"
                   "valve 20 claimed #2 by m 12 at 105\n"
                   "valve 0 relinquished #3 by default 17 at 110\n");
    take(f, X, 10, 115); /* true again: it is there already */
    fb_core_advance(f->core, 130 * S);
    outputs_are(f, "");
    end(f);
}

static void it_stays_and_then_goes_by_itself_but_at_once_where_that_is_said(void **state) {
    (void)state;
    struct fixture *f =
        begin(MODE("state one { stay 30s  command valve = 10  go three when x > 9 at once\n"
                   "  go two when x > 5 }\n"
                   "state two { command valve = 20 " BACK "}\n"
                   "state three { command valve = 30 " BACK "}"));
    take(f, X, 0, 100);
    take(f, X, 6, 110);
    fb_core_advance(f->core, 129 * S);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n");
    fb_core_advance(f->core, 140 * S);
    outputs_are(f, "valve 20 claimed #2 by m 12 at 130\n");
    take(f, X, -1, 140);
    take(f, X, 10, 141);
    outputs_are(f, "valve 10 claimed #3 by m 12 at 140\n"
                   "valve 30 claimed #4 by m 12 at 141\n");
    end(f);
}

static void a_way_that_is_false_again_when_stay_is_over_is_not_taken(void **state) {
    (void)state;
    struct fixture *f = begin(MODE("state one { stay 30s  command valve = 10  go two when x > 5 }\n"
                                   "state two { command valve = 20 " BACK "}"));
    take(f, X, 6, 100);
    take(f, X, 5, 120);
    fb_core_advance(f->core, 200 * S);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n");
    end(f);
}

static void after_counts_from_the_entry_and_waits_for_stay(void **state) {
    (void)state;
    struct fixture *f =
        begin(MODE("state one { command valve = 10  go two after 20s }\n"
                   "state two { stay 40s  command valve = 20  go three after 20s }\n"
                   "state three { stay 40s  command valve = 30  go one after 20s at once }"));
    take(f, X, 0, 100);
    take(f, X, 1, 119);
    fb_core_advance(f->core, 190 * S);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n"
                   "valve 20 claimed #2 by m 12 at 120\n"
                   "valve 30 claimed #3 by m 12 at 160\n"
                   "valve 10 claimed #4 by m 12 at 180\n");
    end(f);
}

static void for_counts_from_when_its_condition_became_true(void **state) {
    (void)state;
    struct fixture *f = begin(MODE("state one { command valve = 10  go two after 20s }\n"
                                   "state two { command valve = 20  go one when x > 5 for 30s }"));
    take(f, X, 6, 100);
    fb_core_advance(f->core, 131 * S);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n"
                   "valve 20 claimed #2 by m 12 at 120\n"
                   "valve 10 claimed #3 by m 12 at 130\n");
    end(f);
}

static void what_two_neighbouring_states_ask_for_goes_on_without_a_command(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" VALVE "mode m on d {\n"
                                   "state one { command pump = on  command valve = 10\n"
                                   "  go two when x > 5 }\n"
                                   "state two { command pump = on  command valve = 20\n"
                                   "  go off when x > 8 }\n"
                                   "state off { " BACK "}\n"
                                   "rollout armed\n}\n");
    take(f, X, 0, 100);
    outputs_are(f, "pump on claimed #1 by m 12 at 100\n"
                   "valve 10 claimed #1 by m 12 at 100\n");
    take(f, X, 6, 101);
    outputs_are(f, "valve 20 claimed #2 by m 12 at 101\n");
    take(f, X, 9, 102);
    outputs_are(f, "pump off relinquished #2 by default 17 at 102\n"
                   "valve 0 relinquished #3 by default 17 at 102\n");
    end(f);
}

static void a_length_and_a_step_begin_anew_with_each_entry(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "}\n" VALVE "mode m on d {\n"
                   "state one { command pump = on for 10s  go two after 15s }\n"
                   "state two { command pump = on for 10s  go one after 15s\n"
                   "  step valve by 10 every 6s within 0..100 from 40 at priority 11 }\n"
                   "rollout armed\n}\n");
    take(f, X, 0, 100);
    fb_core_advance(f->core, 131 * S);
    outputs_are(f, "pump on claimed #1 by m 12 at 100\n"
                   "pump off relinquished #2 by default 17 at 110\n"
                   "pump on claimed #3 by m 12 at 115\n"
                   "valve 40 claimed #1 by m 11 at 115\n"
                   "valve 50 claimed #2 by m 11 at 121\n"
                   "pump off relinquished #4 by default 17 at 125\n"
                   "valve 60 claimed #3 by m 11 at 127\n"
                   "pump on claimed #5 by m 12 at 130\n"
                   "valve 0 relinquished #4 by default 17 at 130\n");
    fb_core_advance(f->core, 146 * S);
    outputs_are(f, "pump off relinquished #6 by default 17 at 140\n"
                   "pump on claimed #7 by m 12 at 145\n"
                   "valve 40 claimed #5 by m 11 at 145\n");
    end(f);
}

/* ---- at most one state an evaluation -------------------------------------------------------- */

static void it_goes_one_state_an_evaluation_and_the_next_a_second_later(void **state) {
    (void)state;
    struct fixture *f = begin(MODE("state one { command valve = 10  go two when x > 1 }\n"
                                   "state two { command valve = 20  go three when x > 2 }\n"
                                   "state three { command valve = 30 " BACK "}"));
    take(f, X, 9, 100);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n");
    fb_core_advance(f->core, 110 * S);
    outputs_are(f, "valve 20 claimed #2 by m 12 at 101\n"
                   "valve 30 claimed #3 by m 12 at 102\n");
    end(f);
}

static void ways_in_a_circle_are_gone_once_a_second(void **state) {
    (void)state;
    struct fixture *f = begin("actuator valve on d : number range 0..100 { safe 0  lease 1h\n"
                              "  breaker 30 reversals in 1s, hold 1s }\n"
                              "mode m on d {\n"
                              "state one { command valve = 10  go two when x > 1 }\n"
                              "state two { command valve = 20  go one when x > 2 }\n"
                              "rollout armed\n}\n");
    take(f, X, 9, 100);
    fb_core_advance(f->core, 104 * S + S / 2);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n"
                   "valve 20 claimed #2 by m 12 at 101\n"
                   "valve 10 claimed #3 by m 12 at 102\n"
                   "valve 20 claimed #4 by m 12 at 103\n"
                   "valve 10 claimed #5 by m 12 at 104\n");
    end(f);
}

/* ---- its name in an expression -------------------------------------------------------------- */

static void its_name_is_its_state_and_unknown_while_it_is_in_none(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE "mode m on d where y > 0 {\n"
                                    "state one { command valve = 10  go two when x > 5 }\n"
                                    "state two { command valve = 20 " BACK "}\n rollout armed\n}\n"
                                    "alarm second on d { raise low when m == two }\n"
                                    "alarm none on d { raise low when m is unknown }\n");
    take(f, X, 0, 100);
    outputs_are(f, "none raised at 100\n");
    take(f, Y, 1, 110);
    fb_core_advance(f->core, 111 * S);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 110\n"
                   "none cleared at 110\n");
    take(f, X, 6, 120);
    fb_core_advance(f->core, 121 * S);
    outputs_are(f, "valve 20 claimed #2 by m 12 at 120\n"
                   "second raised at 120\n");
    take(f, Y, -1, 130);
    fb_core_advance(f->core, 131 * S);
    outputs_are(f, "valve 0 relinquished #3 by default 17 at 130\n"
                   "none raised at 130\n");
    end(f);
}

static void a_mode_follows_another_mode_that_it_reads(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE "mode lead on d { state idle { go busy when x > 5 }\n"
                                    "  state busy { go idle when x < 3 } }\n"
                                    "mode m on d {\n"
                                    "state one { command valve = 10  go two when lead == busy }\n"
                                    "state two { command valve = 20  go one when lead == idle }\n"
                                    "rollout armed\n}\n");
    take(f, X, 0, 100);
    take(f, X, 6, 110);
    fb_core_advance(f->core, 111 * S);
    take(f, X, 2, 120);
    fb_core_advance(f->core, 121 * S);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n"
                   "valve 20 claimed #2 by m 12 at 110\n"
                   "valve 10 claimed #3 by m 12 at 120\n");
    end(f);
}

static void one_without_actuators_is_a_value_only(void **state) {
    (void)state;
    struct fixture *f = begin("mode m on d { state one { go two when x > 5 }\n"
                              "  state two { go one after 20s } }\n"
                              "alarm second on d { raise low when m == two }\n");
    take(f, X, 0, 100);
    take(f, X, 6, 110);
    take(f, X, 0, 120);
    fb_core_advance(f->core, 140 * S);
    outputs_are(f, "second raised at 110\n"
                   "second cleared at 130\n");
    end(f);
}

/* ---- unknown -------------------------------------------------------------------------------- */

/* z goes stale after 10s; it decides the way out of `two` only. */
#define UNKNOWN(policy)                                                                            \
    MODE("state one { command valve = 10  go two when x > 5 }\n"                                   \
         "state two { command valve = 20  go one when z > 3 }\n"                                   \
         "on unknown " policy)

static void known_then_stale(struct fixture *f) {
    take(f, Z, 1, 100);
    take(f, X, 0, 105);
    fb_core_advance(f->core, 115 * S); /* in `one` an unknown z is no matter */
    take(f, X, 6, 116);
    take(f, Z, 1, 120);
    fb_core_advance(f->core, 140 * S);
}

static void while_a_way_out_is_unknown_the_claims_are_held(void **state) {
    (void)state;
    struct fixture *f = begin(UNKNOWN("hold"));
    known_then_stale(f);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n"
                   "valve 20 claimed #2 by m 12 at 116\n");
    end(f);
}

static void or_withdrawn(void **state) {
    (void)state;
    struct fixture *f = begin(UNKNOWN("stop"));
    known_then_stale(f);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 105\n"
                   "valve 0 relinquished #2 by default 17 at 116\n"
                   "valve 20 claimed #3 by m 12 at 120\n"
                   "valve 0 relinquished #4 by default 17 at 130.000001\n");
    end(f);
}

static void or_ask_for_the_safe_value(void **state) {
    (void)state;
    struct fixture *f = begin(UNKNOWN("safe"));
    known_then_stale(f);
    outputs_are(f, "valve 0 safe #1 by m 12 at 100\n"
                   "valve 10 claimed #2 by m 12 at 105\n"
                   "valve 0 safe #3 by m 12 at 116\n"
                   "valve 20 claimed #4 by m 12 at 120\n"
                   "valve 0 safe #5 by m 12 at 130.000001\n");
    end(f);
}

static void a_known_way_is_taken_while_another_one_is_unknown(void **state) {
    (void)state;
    struct fixture *f =
        begin(MODE("state one { command valve = 10  go two when z > 3  go three when x > 5 }\n"
                   "state two { command valve = 20 " BACK "}\n"
                   "state three { command valve = 30 " BACK "}\n"
                   "on unknown safe"));
    take(f, X, 6, 100);
    fb_core_advance(f->core, 102 * S);
    outputs_are(f, "valve 0 safe #1 by m 12 at 100\n"
                   "valve 30 claimed #2 by m 12 at 101\n");
    end(f);
}

/* ---- rollout -------------------------------------------------------------------------------- */

static void one_that_is_not_armed_commands_the_shadow(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE "mode m on d {\n"
                                    "state one { command valve = 10  go two when x > 5 }\n"
                                    "state two { command valve = 20 " BACK "}\n}\n"
                                    "alarm second on d { raise low when m == two }\n");
    take(f, X, 0, 100);
    take(f, X, 6, 101);
    fb_core_advance(f->core, 102 * S);
    outputs_are(f, "valve* 10 claimed #1 by m 12 at 100\n"
                   "valve* 20 claimed #2 by m 12 at 101\n"
                   "second raised at 101\n");
    end(f);
}

static void a_canary_is_real_on_some_devices(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE "mode m on d {\n"
                                    "state one { command valve = 10  go two when x > 5 }\n"
                                    "state two { command valve = 20 " BACK "}\n"
                                    "rollout canary 50 %\n}\n");
    unsigned real = 0, shadow = 0;
    for (int i = 0; i < 64; i++) {
        char id[8], armed[80];
        snprintf(id, sizeof id, "n%d", i);
        snprintf(armed, sizeof armed, "valve/%s 10 claimed", id);
        take_of(f, id, X, 0, 100 * S, 100 * S);
        real += strstr(fb_buf_terminated(&f->outputs), armed) != NULL;
        shadow += strstr(fb_buf_terminated(&f->outputs), "* 10 claimed") != NULL;
        f->outputs.n = 0;
    }
    assert_int_equal(shadow, 64); /* a shadow is decided on every device */
    assert_true(real > 10 && real < 54);
    end(f);
}

/* ---- change and restart --------------------------------------------------------------------- */

static void other_rules_keep_the_state_of_the_same_name(void **state) {
    (void)state;
    struct fixture *f = begin(MODE("state one { command valve = 10  go two when x > 5 }\n"
                                   "state two { command valve = 20  go one after 60s }"));
    take(f, X, 6, 100);
    fb_core_advance(f->core, 110 * S);
    outputs_are(f, "valve 10 claimed #1 by m 12 at 100\n"
                   "valve 20 claimed #2 by m 12 at 101\n");
    change_to(f, MODE("state zero { go one when x > 7 }\n"
                      "state one { command valve = 10  go two when x > 5 }\n"
                      "state two { command valve = 25  go zero after 30s }"));
    fb_core_advance(f->core, 120 * S);
    outputs_are(f, "valve 25 claimed #3 by m 12 at 110\n");
    fb_core_advance(f->core, 140 * S); /* the entry was at 101 */
    outputs_are(f, "valve 0 relinquished #4 by default 17 at 131\n");
    end(f);
}

static void where_its_state_is_gone_it_begins_anew(void **state) {
    (void)state;
    struct fixture *f = begin(MODE("state one { command valve = 10  go two when x > 5 }\n"
                                   "state two { command valve = 20 " BACK "}"));
    take(f, X, 6, 100);
    fb_core_advance(f->core, 110 * S);
    f->outputs.n = 0;
    change_to(f, MODE("state first { command valve = 15  go one when x > 7 }\n"
                      "state one { command valve = 10 go first when x < 0 }"));
    fb_core_advance(f->core, 120 * S);
    outputs_are(f, "valve 15 claimed #3 by m 12 at 110\n");
    end(f);
}

static const char rich[] =
    PUMP "}\n" VALVE "mode m on d where (y > 0 until y < -5) {\n"
         "state one { stay 7s  command valve = 10  go two when x > 5 for 3s }\n"
         "state two { command valve = 20  command pump = on for 9s  go three after 12s\n"
         "  go one when z > 11 }\n"
         "state three { stay 4s  step valve by 10 every 3s within 0..100 from 40\n"
         "  command pump = on  go one when x < 3 at once  go two after 6s }\n"
         "state any { go one when x > 50 }\n"
         "on unknown safe  rollout armed\n}\n"
         "alarm third on d { raise low when m == three for 2s }\n"
         "alarm second on d { raise low when m == two }\n";

static void drive(struct fixture *f, bool restarts) {
    unsigned random = 12345;
    for (int64_t t = 100; t < 400; t++) {
        random = random * 1103515245u + 12345u;
        unsigned what = random >> 16 & 7;
        if (what < 3)
            take(f, (uint16_t)(X + what), (double)(random >> 20 & 15) - (what == 1 ? 1 : 3), t);
        else
            fb_core_advance(f->core, t * S);
        if (restarts)
            restart(f, t * S);
    }
}

static void a_restart_at_every_step_changes_nothing(void **state) {
    (void)state;
    struct fixture *plain = begin(rich), *restarted = begin(rich);
    drive(plain, false);
    drive(restarted, true);
    assert_non_null(strstr(fb_buf_terminated(&plain->outputs), "third raised"));
    assert_non_null(strstr(fb_buf_terminated(&plain->outputs), "valve 50"));
    assert_string_equal(fb_buf_terminated(&restarted->outputs), fb_buf_terminated(&plain->outputs));
    end(plain);
    end(restarted);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_in_its_first_state_and_goes_by_its_ways),
        cmocka_unit_test(of_several_ways_the_first_in_the_text_is_taken),
        cmocka_unit_test(ways_of_any_state_go_before_its_own_but_not_to_itself),
        cmocka_unit_test(it_stays_and_then_goes_by_itself_but_at_once_where_that_is_said),
        cmocka_unit_test(a_way_that_is_false_again_when_stay_is_over_is_not_taken),
        cmocka_unit_test(after_counts_from_the_entry_and_waits_for_stay),
        cmocka_unit_test(for_counts_from_when_its_condition_became_true),
        cmocka_unit_test(what_two_neighbouring_states_ask_for_goes_on_without_a_command),
        cmocka_unit_test(a_length_and_a_step_begin_anew_with_each_entry),
        cmocka_unit_test(it_goes_one_state_an_evaluation_and_the_next_a_second_later),
        cmocka_unit_test(ways_in_a_circle_are_gone_once_a_second),
        cmocka_unit_test(its_name_is_its_state_and_unknown_while_it_is_in_none),
        cmocka_unit_test(a_mode_follows_another_mode_that_it_reads),
        cmocka_unit_test(one_without_actuators_is_a_value_only),
        cmocka_unit_test(while_a_way_out_is_unknown_the_claims_are_held),
        cmocka_unit_test(or_withdrawn),
        cmocka_unit_test(or_ask_for_the_safe_value),
        cmocka_unit_test(a_known_way_is_taken_while_another_one_is_unknown),
        cmocka_unit_test(one_that_is_not_armed_commands_the_shadow),
        cmocka_unit_test(a_canary_is_real_on_some_devices),
        cmocka_unit_test(other_rules_keep_the_state_of_the_same_name),
        cmocka_unit_test(where_its_state_is_gone_it_begins_anew),
        cmocka_unit_test(a_restart_at_every_step_changes_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
