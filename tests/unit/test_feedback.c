/* `feedback` of actuators (MEANING.md A20): when the alarm comes, to the microsecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/acting.h"

#define FILL "control fill on d { start when x > 5  command pump = on  rollout armed }\n"
#define VALVE                                                                                      \
    "actuator valve on d : number range 0..10 { safe 0  lease 1h\n"                                \
    "feedback y within 1 after 5s }\n"                                                             \
    "control set on d { command valve = x  rollout armed }\n"

static void the_delay_ends_to_the_microsecond(void **state) {
    (void)state;
    for (int64_t late = 0; late < 2; late++) {
        struct fixture *f = begin(PUMP "lease 1h  feedback y > 0 after 5s }\n" FILL);
        take(f, Y, 0, 0);
        take(f, X, 6, 10);
        outputs_are(f, "pump on claimed #1 by fill 12 at 10\n");
        take_of(f, "a", Y, 1, 15 * S + late, 15 * S + late);
        outputs_are(f, late ? "pump_discrepancy raised at 15\n"
                              "pump_discrepancy cleared at 15.000001\n"
                            : "");
        end(f);
    }
}

static void before_the_first_command_there_is_nothing_to_differ_from(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h  feedback y > 0 after 5s }\n" FILL);
    take(f, Y, 1, 0);
    fb_core_advance(f->core, 100 * S);
    outputs_are(f, "");
    take(f, X, 6, 110);
    take(f, X, 1, 120);
    fb_core_advance(f->core, 126 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 110\n"
                   "pump off relinquished #2 by default 17 at 120\n"
                   "pump_discrepancy raised at 125\n");
    end(f);
}

static void what_is_unknown_neither_raises_nor_clears(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h  feedback z > 0 after 5s }\n" FILL);
    take(f, Z, 0, 0);
    take(f, X, 6, 2);
    fb_core_advance(f->core, 50 * S); /* z is stale from 10 s on */
    outputs_are(f, "pump on claimed #1 by fill 12 at 2\npump_discrepancy raised at 7\n");
    take(f, Z, 1, 60);
    outputs_are(f, "pump_discrepancy cleared at 60\n");
    end(f);
}

static void the_delay_stands_still_while_it_is_unknown(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h  feedback z > 0 after 15s }\n" FILL);
    take(f, Z, 0, 0);
    take(f, X, 6, 2);
    take(f, Z, 0, 30); /* stale since 10.000001 s, 8.000001 s after the command */
    take(f, Z, 0, 35);
    outputs_are(f, "pump on claimed #1 by fill 12 at 2\n");
    fb_core_advance(f->core, 40 * S);
    outputs_are(f, "pump_discrepancy raised at 36.999999\n");
    end(f);
}

static void each_change_of_a_switch_begins_the_delay_anew(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h  feedback y > 0 after 5s }\n" FILL);
    take(f, Y, 0, 0);
    take(f, X, 6, 10);
    take(f, X, 1, 13);
    take(f, X, 6, 16);
    fb_core_advance(f->core, 30 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 10\n"
                   "pump off relinquished #2 by default 17 at 13\n"
                   "pump on claimed #3 by fill 12 at 16\n"
                   "pump_discrepancy raised at 21\n");
    end(f);
}

static void a_number_may_be_as_far_away_as_its_tolerance(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE);
    take(f, Y, 4, 0);
    take(f, X, 5, 1);
    fb_core_advance(f->core, 20 * S);
    outputs_are(f, "valve 5 claimed #1 by set 12 at 1\n");
    take(f, X, 5.5, 30);
    fb_core_advance(f->core, 36 * S);
    outputs_are(f, "valve 5.5 claimed #2 by set 12 at 30\nvalve_discrepancy raised at 35\n");
    take(f, Y, 6.5, 40);
    outputs_are(f, "valve_discrepancy cleared at 40\n");
    end(f);
}

static void a_ramp_does_not_put_the_alarm_off(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE);
    take(f, Y, 2, 0);
    for (int i = 0; i < 4; i++)
        take(f, X, 4 + i, 10 + 2 * i);
    outputs_are(f, "valve 4 claimed #1 by set 12 at 10\nvalve 5 claimed #2 by set 12 at 12\n"
                   "valve 6 claimed #3 by set 12 at 14\nvalve_discrepancy raised at 15\n"
                   "valve 7 claimed #4 by set 12 at 16\n");
    end(f);
}

static void the_alarm_survives_a_restart_and_a_change_of_the_rules(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h  feedback y > 0 after 5s }\n" FILL);
    take(f, Y, 0, 0);
    take(f, X, 6, 10);
    restart(f, 10 * S);
    fb_core_advance(f->core, 16 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 10\npump_discrepancy raised at 15\n");
    change_to(f, PUMP "lease 2h  feedback y > 0 after 5s }\n" FILL);
    take(f, X, 6, 20);
    outputs_are(f, "");
    change_to(f, PUMP "lease 1h }\n" FILL);
    take(f, X, 6, 30);
    outputs_are(f, "pump_discrepancy removed at 20\n");
    end(f);
}

static const char *version_of(const struct fb_program *program, const char *name) {
    for (uint32_t i = 0; i < program->n_rules; i++)
        if (fb_str_eq(program->rules[i].name, fb_str_of(name)))
            return program->rules[i].version;
    fail_msg("there is no %s", name);
    return NULL;
}

static void the_alarms_version_follows_the_actuators_text(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h  feedback y > 0 after 5s }\n" FILL);
    const struct fb_program *first = f->programs[0].program;
    const struct fb_program *same =
        compile_behind(f, DEVICE, PUMP "feedback y>0   after 5s # layout\n lease 1h }\n" FILL);
    const struct fb_program *other =
        compile_behind(f, DEVICE, PUMP "lease 1h  feedback y > 0 after 6s }\n" FILL);
    const struct fb_program *lease =
        compile_behind(f, DEVICE, PUMP "lease 2h  feedback y > 0 after 5s }\n" FILL);
    const char *version = version_of(first, "pump_discrepancy");
    assert_string_equal(version, version_of(same, "pump_discrepancy"));
    assert_string_not_equal(version, version_of(other, "pump_discrepancy"));
    assert_string_not_equal(version, version_of(lease, "pump_discrepancy"));
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_delay_ends_to_the_microsecond),
        cmocka_unit_test(before_the_first_command_there_is_nothing_to_differ_from),
        cmocka_unit_test(what_is_unknown_neither_raises_nor_clears),
        cmocka_unit_test(the_delay_stands_still_while_it_is_unknown),
        cmocka_unit_test(each_change_of_a_switch_begins_the_delay_anew),
        cmocka_unit_test(a_number_may_be_as_far_away_as_its_tolerance),
        cmocka_unit_test(a_ramp_does_not_put_the_alarm_off),
        cmocka_unit_test(the_alarm_survives_a_restart_and_a_change_of_the_rules),
        cmocka_unit_test(the_alarms_version_follows_the_actuators_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
