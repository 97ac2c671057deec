/* The names of alarms in expressions, and what an alarm commands (MEANING.md A50, A51). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/checked_rules.h"
#include "tests/unit/acting.h"

#define LONG_PUMP PUMP "lease 1h }\n"
#define HOT                                                                                        \
    "alarm hot on d { raise high when x > 5 until x < 3  command pump = on  rollout armed }\n"

static void the_command_lives_as_long_as_the_alarm(void **state) {
    (void)state;
    struct fixture *f = begin(LONG_PUMP HOT);
    take(f, X, 6, 10);
    take(f, X, 4, 20);
    fb_core_advance(f->core, 30 * S);
    outputs_are(f, "hot raised at 10\npump on claimed #1 by hot 12 at 10\n");
    take(f, X, 2, 40);
    fb_core_advance(f->core, 50 * S);
    outputs_are(f, "hot cleared at 40\npump off relinquished #2 by default 17 at 40\n");
    end(f);
}

static void it_goes_on_while_clear_after_lasts(void **state) {
    (void)state;
    struct fixture *f = begin(LONG_PUMP "alarm hot on d { raise high when x > 5  clear after 30s\n"
                                        "command pump = on  rollout armed }\n");
    take(f, X, 6, 10);
    take(f, X, 4, 20);
    fb_core_advance(f->core, 60 * S);
    outputs_are(f, "hot raised at 10\npump on claimed #1 by hot 12 at 10\n"
                   "hot cleared at 50\npump off relinquished #2 by default 17 at 50\n");
    end(f);
}

static void without_rollout_it_is_told_of_and_sends_nothing(void **state) {
    (void)state;
    struct fixture *f = begin(
        LONG_PUMP "alarm hot on d { raise high when x > 5 until x < 3  command pump = on }\n");
    take(f, X, 6, 10);
    fb_core_advance(f->core, 20 * S);
    outputs_are(f, "hot raised at 10\npump* on claimed #1 by hot 12 at 10\n");
    end(f);
}

/* z is stale 10 s after its sample: the alarm is held, its claim ends 20 s later. */
static void what_is_only_held_ends_with_hold_at_most(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h  hold at most 20s }\n"
                                   "alarm hot on d { raise high when z > 5  clear after 0s\n"
                                   "command pump = on  rollout armed }\n");
    take(f, Z, 6, 10);
    fb_core_advance(f->core, 100 * S);
    outputs_are(f, "hot raised at 10\npump on claimed #1 by hot 12 at 10\n"
                   "pump off relinquished #2 by default 17 at 40.000001\n");
    end(f);
}

static void what_is_unknown_commands_where_unknown_raises(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h  hold at most 20s }\n"
                                   "alarm hot on d { raise high when z > 5  clear after 0s\n"
                                   "on unknown raise  command pump = on  rollout armed }\n");
    take(f, Z, 1, 10);
    fb_core_advance(f->core, 100 * S);
    outputs_are(f, "hot raised at 20.000001\npump on claimed #1 by hot 12 at 20.000001\n");
    end(f);
}

static void a_let_of_its_name_does_not_hide_it_from_its_commands(void **state) {
    (void)state;
    struct fixture *f = begin(LONG_PUMP "alarm hot on d { let hot = y > 0\n"
                                        "raise high when x > 5 until x < 3 or hot\n"
                                        "command pump = on  rollout armed }\n");
    take(f, X, 6, 10);
    fb_core_advance(f->core, 20 * S);
    outputs_are(f, "");
    take(f, Y, 0, 30);
    fb_core_advance(f->core, 40 * S);
    outputs_are(f, "hot raised at 30\npump on claimed #1 by hot 12 at 30\n");
    end(f);
}

static void other_rules_read_whether_it_is_active(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 5 until x < 3 }\n"
                              "alarm both on d { raise low when hot and y > 0 until not hot }\n");
    take(f, Y, 1, 5);
    take(f, X, 6, 10);
    fb_core_advance(f->core, 15 * S);
    take(f, X, 2, 20);
    fb_core_advance(f->core, 30 * S);
    outputs_are(f, "hot raised at 10\nboth raised at 10\nhot cleared at 20\nboth cleared at 20\n");
    end(f);
}

static void nothing_is_forgotten_over_a_restart(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h  hold at most 20s }\n"
                                   "alarm hot on d { raise high when z > 5  clear after 0s\n"
                                   "command pump = on  rollout armed }\n"
                                   "event seen on d { when hot }\n");
    take(f, Z, 6, 10);
    fb_core_advance(f->core, 25 * S);
    outputs_are(f, "hot raised at 10\nseen event at 10\npump on claimed #1 by hot 12 at 10\n");
    restart(f, 25 * S);
    fb_core_advance(f->core, 100 * S);
    outputs_are(f, "pump off relinquished #2 by default 17 at 40.000001\n");
    end(f);
}

/* The code of the first mistake in the rules; "": there is none. */
static const char *mistake(const char *text) {
    static char code[8];
    struct rules r;
    struct fb_buf whole = {0};
    fb_buf_printf(&whole, "%s%s", DEVICE, text);
    read_text(&r, fb_buf_terminated(&whole));
    snprintf(code, sizeof code, "%s",
             r.diags->errors ? fb_diag_code_info(r.diags->items[0].code)->number : "");
    drop(&r);
    fb_buf_free(&whole);
    return code;
}

static void an_alarm_reads_only_those_before_it(void **state) {
    (void)state;
    assert_string_equal(mistake("alarm a on d { raise low when x > 1 until x < 0 }\n"
                                "alarm b on d { raise low when a until not a }\n"),
                        "");
    assert_string_equal(mistake("alarm b on d { raise low when a until not a }\n"
                                "alarm a on d { raise low when x > 1 until x < 0 }\n"),
                        "E521");
    assert_string_equal(mistake("alarm a on d { let again = a\n"
                                "raise low when x > 1 or again until x < 0 }\n"),
                        "E521");
    assert_string_equal(mistake("event e on d { when a }\n"
                                "alarm a on d { raise low when x > 1 until x < 0 }\n"),
                        "");
}

static void a_rollout_of_nothing_is_a_mistake(void **state) {
    (void)state;
    assert_string_equal(
        mistake("alarm a on d { raise low when x > 1 until x < 0  rollout armed }\n"), "E522");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_lives_as_long_as_the_alarm),
        cmocka_unit_test(it_goes_on_while_clear_after_lasts),
        cmocka_unit_test(without_rollout_it_is_told_of_and_sends_nothing),
        cmocka_unit_test(what_is_only_held_ends_with_hold_at_most),
        cmocka_unit_test(what_is_unknown_commands_where_unknown_raises),
        cmocka_unit_test(a_let_of_its_name_does_not_hide_it_from_its_commands),
        cmocka_unit_test(other_rules_read_whether_it_is_active),
        cmocka_unit_test(nothing_is_forgotten_over_a_restart),
        cmocka_unit_test(an_alarm_reads_only_those_before_it),
        cmocka_unit_test(a_rollout_of_nothing_is_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
