/* Operators' calls about alarms and devices on the core (A40 to A47), and across a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/call.h"
#include "tests/unit/acting.h"

#define HOT "alarm hot on d { raise high when x > 5 }\n"
#define STEPS "alarm hot on d { raise low when x > 1  raise high when x > 5 }\n"
#define FILL "control fill on d { start when y > 5  command pump = on  rollout armed }\n"

static enum fb_call_outcome call_at(struct fixture *f, struct fb_call call, int64_t c_s) {
    return fb_core_call(f->core, &call, c_s * S);
}

static struct fb_call of(enum fb_call_kind kind, const char *alarm) {
    return (struct fb_call){.kind = kind,
                            .alarm = fb_str_of(alarm),
                            .device = FB_S("a"),
                            .who = FB_S("ann"),
                            .origin = {.topic = FB_S("control"), .offset = 7}};
}

static struct fb_call shelve(int64_t until_s, bool once) {
    struct fb_call call = of(FB_CALL_SHELVE, "hot");
    call.until_us = until_s * S;
    call.once = once;
    return call;
}

static struct fb_call maintenance(int64_t until_s) {
    struct fb_call call = of(FB_CALL_MAINTENANCE, "");
    call.until_us = until_s * S;
    return call;
}

#define ACK of(FB_CALL_ACK, "hot")
#define UNSHELVE of(FB_CALL_UNSHELVE, "hot")
#define SERVICE of(FB_CALL_SERVICE, "")

/* ---- ack ---- */

static void acknowledging_clears_nothing_and_clearing_acknowledges_nothing(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    take(f, X, 6, 10);
    assert_int_equal(call_at(f, ACK, 11), FB_CALL_ACCEPTED);
    take(f, X, 7, 12);
    take(f, X, 1, 13);
    take(f, X, 6, 14);
    take(f, X, 1, 15);
    assert_int_equal(call_at(f, ACK, 16), FB_CALL_ACCEPTED);
    outputs_are(f, "hot raised at 10\n"
                   "hot acked high at 11: active acked\n"
                   "hot cleared at 13\n"
                   "hot raised at 14\n"
                   "hot cleared at 15\n"
                   "hot acked high at 16: acked\n");
    end(f);
}

static void a_higher_severity_is_to_be_acknowledged_anew(void **state) {
    (void)state;
    struct fixture *f = begin(STEPS);
    take(f, X, 2, 10);
    assert_int_equal(call_at(f, ACK, 10), FB_CALL_ACCEPTED);
    take(f, X, 6, 11);
    assert_int_equal(call_at(f, ACK, 11), FB_CALL_ACCEPTED);
    take(f, X, 2, 12);
    assert_int_equal(call_at(f, ACK, 12), FB_CALL_ACKED);
    outputs_are(f, "hot raised at 10\nhot acked low at 10: active acked\n"
                   "hot severity at 11\nhot acked high at 11: active acked\n"
                   "hot severity at 12\n");
    end(f);
}

static void calls_of_what_is_not_there_are_refused(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" HOT FILL);
    take(f, X, 1, 10);
    struct fb_call other = ACK;
    other.device = FB_S("b");
    assert_int_equal(call_at(f, other, 10), FB_CALL_ELSEWHERE);
    assert_int_equal(call_at(f, of(FB_CALL_ACK, "cold"), 10), FB_CALL_NO_ALARM);
    assert_int_equal(call_at(f, of(FB_CALL_ACK, "fill"), 10), FB_CALL_NO_ALARM);
    assert_int_equal(call_at(f, of(FB_CALL_ACK, "pump"), 10), FB_CALL_NO_ALARM);
    assert_int_equal(call_at(f, ACK, 10), FB_CALL_NOT_ACTIVE);
    assert_int_equal(call_at(f, shelve(20, false), 10), FB_CALL_NOT_ACTIVE);
    assert_int_equal(call_at(f, UNSHELVE, 10), FB_CALL_NOT_SHELVED);
    assert_int_equal(call_at(f, SERVICE, 10), FB_CALL_NOT_IN_MAINTENANCE);
    take(f, X, 6, 11);
    assert_int_equal(call_at(f, ACK, 11), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, ACK, 11), FB_CALL_ACKED);
    take(f, X, 1, 12);
    assert_int_equal(call_at(f, ACK, 12), FB_CALL_NOT_ACTIVE);
    end(f);
}

/* ---- shelve, unshelve ---- */

static void what_is_shelved_lives_on_and_is_not_annunciated(void **state) {
    (void)state;
    struct fixture *f = begin(STEPS);
    take(f, X, 2, 10);
    assert_int_equal(call_at(f, shelve(20, false), 11), FB_CALL_ACCEPTED);
    take(f, X, 6, 12);
    take(f, X, 0, 13);
    take(f, X, 6, 14);
    assert_int_equal(call_at(f, ACK, 15), FB_CALL_ACCEPTED);
    take(f, X, 6, 20);
    outputs_are(f, "hot raised at 10\n"
                   "hot shelved low at 11: active shelved\n"
                   "muted hot severity at 12\nmuted hot cleared at 13\nmuted hot raised at 14\n"
                   "hot acked high at 15: active acked shelved\n");
    fb_core_advance(f->core, 20 * S + 1);
    outputs_are(f, "hot unshelved high at 20: active acked\n");
    take(f, X, 0, 21);
    outputs_are(f, "hot cleared at 21\n");
    end(f);
}

static void a_shelf_ends_when_the_clock_is_beyond_its_end(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    take(f, X, 6, 10);
    assert_int_equal(call_at(f, shelve(20, false), 10), FB_CALL_ACCEPTED);
    take(f, X, 1, 15);
    f->outputs.n = 0;
    fb_core_advance(f->core, 20 * S);
    outputs_are(f, "");
    take(f, X, 6, 21); /* what was due comes before the record */
    outputs_are(f, "hot unshelved high at 20:\nhot raised at 21\n");
    end(f);
}

static void the_end_of_a_file_ends_a_shelf_that_ends_then(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    take(f, X, 6, 10);
    assert_int_equal(call_at(f, shelve(20, false), 10), FB_CALL_ACCEPTED);
    f->outputs.n = 0;
    fb_core_finish(f->core, 20 * S);
    outputs_are(f, "hot unshelved high at 20: active\n");
    end(f);
}

static void a_shelf_for_once_ends_with_the_alarm(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    take(f, X, 6, 10);
    assert_int_equal(call_at(f, shelve(100, true), 11), FB_CALL_ACCEPTED);
    take(f, X, 1, 12);
    take(f, X, 6, 13);
    fb_core_advance(f->core, 200 * S);
    outputs_are(f, "hot raised at 10\nhot shelved high at 11: active shelved\n"
                   "muted hot cleared at 12\nhot unshelved high at 12:\nhot raised at 13\n");
    assert_int_equal(call_at(f, shelve(210, true), 200), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 211 * S);
    outputs_are(f, "hot shelved high at 200: active shelved\n"
                   "hot unshelved high at 210: active\n");
    end(f);
}

static void another_shelf_takes_the_place_of_the_former(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    take(f, X, 6, 10);
    assert_int_equal(call_at(f, shelve(20, true), 10), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, shelve(30, false), 11), FB_CALL_ACCEPTED);
    take(f, X, 1, 12);
    assert_int_equal(call_at(f, shelve(40, true), 13), FB_CALL_NOT_ACTIVE);
    assert_int_equal(call_at(f, shelve(40, false), 13), FB_CALL_ACCEPTED);
    f->outputs.n = 0;
    fb_core_advance(f->core, 40 * S);
    outputs_are(f, "");
    assert_int_equal(call_at(f, UNSHELVE, 40), FB_CALL_ACCEPTED);
    outputs_are(f, "hot unshelved high at 40:\n");
    fb_core_advance(f->core, 50 * S);
    outputs_are(f, "");
    assert_int_equal(call_at(f, UNSHELVE, 50), FB_CALL_NOT_SHELVED);
    end(f);
}

static void a_shelf_has_an_end_within_8_hours(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    take(f, X, 6, 10);
    assert_int_equal(call_at(f, shelve(10, false), 10), FB_CALL_PAST);
    assert_int_equal(call_at(f, shelve(10 + 8 * 3600 + 1, false), 10), FB_CALL_TOO_LONG);
    assert_int_equal(call_at(f, shelve(10 + 8 * 3600, false), 10), FB_CALL_ACCEPTED);
    end(f);
}

/* ---- maintenance ---- */

static void alarms_of_a_device_in_maintenance_are_not_annunciated(void **state) {
    (void)state;
    struct fixture *f = begin(HOT "alarm wet on d { raise low when y > 5 }\n"
                                  "alarm dry on d { raise low when y < 2 }\n");
    take(f, X, 6, 10);
    take(f, Y, 3, 10);
    assert_int_equal(call_at(f, maintenance(20), 11), FB_CALL_ACCEPTED);
    outputs_are(f, "hot raised at 10\nhot suppressed high at 11: active suppressed\n");
    take_of(f, "b", X, 6, 12 * S, 12 * S);
    take(f, X, 1, 12);
    take(f, Y, 1, 13); /* comes and goes unseen */
    take(f, Y, 6, 14);
    outputs_are(f, "hot/b raised at 12\nmuted hot cleared at 12\nmuted dry raised at 13\n"
                   "muted wet raised at 14\nmuted dry cleared at 14\n");
    fb_core_advance(f->core, 20 * S);
    outputs_are(f, "");
    fb_core_advance(f->core, 20 * S + 1);
    outputs_are(f, "hot unsuppressed high at 20:\nwet unsuppressed low at 20: active\n");
    take(f, Y, 3, 21);
    outputs_are(f, "wet cleared at 21\n");
    end(f);
}

static void a_device_is_put_back_into_service(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    take(f, X, 1, 10);
    assert_int_equal(call_at(f, maintenance(20), 10), FB_CALL_ACCEPTED);
    take(f, X, 6, 11);
    assert_int_equal(call_at(f, maintenance(30), 12), FB_CALL_ACCEPTED);
    take(f, X, 1, 13);
    outputs_are(f, "muted hot raised at 11\nhot suppressed high at 12: active suppressed\n"
                   "muted hot cleared at 13\n");
    fb_core_advance(f->core, 29 * S);
    assert_int_equal(call_at(f, SERVICE, 29), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, SERVICE, 29), FB_CALL_NOT_IN_MAINTENANCE);
    outputs_are(f, "hot unsuppressed high at 29:\n");
    fb_core_advance(f->core, 40 * S);
    outputs_are(f, "");
    end(f);
}

static void shelf_and_maintenance_end_each_by_itself(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    take(f, X, 6, 10);
    assert_int_equal(call_at(f, shelve(20, false), 10), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, maintenance(20), 11), FB_CALL_ACCEPTED);
    take(f, X, 1, 12);
    f->outputs.n = 0;
    fb_core_advance(f->core, 21 * S);
    outputs_are(f, "hot unsuppressed high at 20: shelved\nhot unshelved high at 20:\n");
    take(f, X, 6, 22);
    assert_int_equal(call_at(f, maintenance(40), 23), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, shelve(30, true), 23), FB_CALL_ACCEPTED);
    f->outputs.n = 0;
    fb_core_advance(f->core, 31 * S);
    take(f, X, 1, 32);
    fb_core_advance(f->core, 41 * S);
    outputs_are(f, "hot unshelved high at 30: active suppressed\nmuted hot cleared at 32\n"
                   "hot unsuppressed high at 40:\n");
    end(f);
}

static void maintenance_is_refused_where_it_can_not_be(void **state) {
    (void)state;
    struct fixture *f = begin("device e from \"u\" {\n key k  time ts [s]  w : number\n}\n" HOT
                              "alarm odd on e { raise low when w > 5 }\n");
    take(f, X, 1, 10);
    struct fb_call call = maintenance(20);
    call.device = FB_S("b");
    assert_int_equal(call_at(f, call, 10), FB_CALL_ELSEWHERE);
    call = maintenance(20);
    call.class_ = FB_S("e");
    assert_int_equal(call_at(f, call, 10), FB_CALL_ELSEWHERE);
    call.class_ = FB_S("f");
    assert_int_equal(call_at(f, call, 10), FB_CALL_NO_CLASS);
    assert_int_equal(call_at(f, maintenance(10), 10), FB_CALL_PAST);
    const struct fb_sample samples[] = {{.field = 0, .text = FB_S("a")}, {.field = 1, .num = 6}};
    const struct fb_entry entry = {
        .class_index = 1, .device = FB_S("a"), .ts_us = 10 * S, .samples = samples, .n_samples = 2};
    assert_int_equal(fb_core_take(f->core, &entry, 10 * S), FB_TAKEN);
    assert_int_equal(call_at(f, maintenance(20), 10), FB_CALL_AMBIGUOUS);
    f->outputs.n = 0;
    call.class_ = FB_S("e");
    assert_int_equal(call_at(f, call, 10), FB_CALL_ACCEPTED);
    outputs_are(f, "odd suppressed low at 10: active suppressed\n");
    end(f);
}

static void commands_of_a_device_in_maintenance_are_withheld(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 60s }\n" FILL);
    take(f, Y, 6, 0);
    assert_int_equal(call_at(f, maintenance(100), 10), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 50 * S); /* nor a renewal, at 20 */
    outputs_are(f, "pump on claimed #1 by fill 12 at 0\n"
                   "pump blocked by maintenance, on, wants on by fill 12 at 10\n");
    take(f, Y, 1, 51); /* towards safe */
    outputs_are(f,
                "pump no more blocked by maintenance, after 2, off, wants off by default 17 at 51\n"
                "pump off relinquished #2 by default 17 at 51\n");
    take(f, Y, 6, 52);
    outputs_are(f, "pump blocked by maintenance, off, wants on by fill 12 at 52\n");
    fb_core_advance(f->core, 100 * S);
    outputs_are(f, "");
    fb_core_advance(f->core, 101 * S);
    outputs_are(f, "pump no more blocked by maintenance, after 2, on, wants on by fill 12 at 100\n"
                   "pump on claimed #3 by fill 12 at 100\n");
    end(f);
}

static void a_hand_is_withheld_too_and_a_kill_comes_first(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 60s }\n" FILL);
    take(f, Y, 6, 0);
    assert_int_equal(call_at(f, maintenance(100), 10), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 11 * S);
    f->outputs.n = 0;
    struct fb_call all = {.kind = FB_CALL_KILL, .mode = FB_KILL_SAFE, .scope = FB_SCOPE_ALL};
    assert_int_equal(call_at(f, all, 12), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 13 * S);
    outputs_are(f, "pump no more blocked by maintenance, after 1, off, wants on by fill 12 at 12\n"
                   "pump blocked by kill, off, wants on by fill 12 at 12\n"
                   "pump off safe #2 by fill 12 at 12\n");
    all.kind = FB_CALL_UNKILL;
    assert_int_equal(call_at(f, all, 14), FB_CALL_ACCEPTED);
    struct fb_call hand = of(FB_CALL_HAND, "");
    hand.actuator = FB_S("pump");
    hand.word = FB_S("on");
    hand.until_us = 1000 * S;
    assert_int_equal(call_at(f, hand, 15), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 16 * S);
    outputs_are(f, "pump no more blocked by kill, after 1, off, wants on by fill 12 at 14\n"
                   "pump blocked by maintenance, off, wants on by fill 12 at 14\n");
    assert_int_equal(call_at(f, SERVICE, 20), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 21 * S);
    outputs_are(f, "pump no more blocked by maintenance, after 2, on, wants on by hand 8 at 20\n"
                   "pump on claimed #3 by hand 8 at 20\n");
    end(f);
}

/* ---- restarts, other rules ---- */

enum { STEPS_OF_ALL = 16 };

/* One step of a run through everything. */
static void step(struct fixture *f, int i) {
    switch (i) {
    case 0:
        take(f, X, 2, 10);
        break;
    case 1:
        call_at(f, ACK, 11);
        break;
    case 2:
        call_at(f, shelve(30, false), 12);
        break;
    case 3:
        take(f, X, 6, 13);
        break;
    case 4:
        call_at(f, maintenance(40), 14);
        break;
    case 5:
        take(f, Y, 6, 15);
        break;
    case 6:
        fb_core_advance(f->core, 30 * S);
        break;
    case 7:
        fb_core_advance(f->core, 31 * S);
        break;
    case 8:
        call_at(f, shelve(90, true), 32);
        break;
    case 9:
        fb_core_advance(f->core, 40 * S);
        break;
    case 10:
        take(f, Y, 6, 41);
        break;
    case 11:
        take(f, X, 0, 42);
        break;
    case 12:
        call_at(f, ACK, 43);
        break;
    case 13:
        call_at(f, maintenance(60), 44);
        break;
    case 14:
        call_at(f, SERVICE, 45);
        break;
    default:
        fb_core_advance(f->core, 100 * S);
        break;
    }
}

static const char all_of_it[] =
    "hot raised at 10\n"
    "hot acked low at 11: active acked\n"
    "hot shelved low at 12: active acked shelved\n"
    "muted hot severity at 13\n"
    "hot suppressed high at 14: active shelved suppressed\n"
    "pump blocked by maintenance, nothing, wants on by fill 12 at 15\n"
    "hot unshelved high at 30: active suppressed\n"
    "hot shelved high at 32: active shelved suppressed\n"
    "hot unsuppressed high at 40: active shelved\n"
    "pump no more blocked by maintenance, after 1, on, wants on by fill 12 at 40\n"
    "pump on claimed #1 by fill 12 at 40\n"
    "muted hot cleared at 42\n"
    "hot unshelved high at 42:\n"
    "hot acked high at 43: acked\n"
    "pump blocked by maintenance, on, wants on by fill 12 at 44\n"
    "pump no more blocked by maintenance, after 1, on, wants on by fill 12 at 45\n";

#define ALL PUMP "lease 1h }\n" STEPS FILL

static void a_restart_at_any_step_changes_nothing(void **state) {
    (void)state;
    for (int restarted = -1; restarted < STEPS_OF_ALL; restarted++) {
        struct fixture *f = begin(ALL);
        for (int i = 0; i < STEPS_OF_ALL; i++) {
            step(f, i);
            if (i == restarted || restarted == -1)
                restart(f, i < 6     ? (10 + i) * S
                           : i == 6  ? 30 * S
                           : i == 7  ? 31 * S
                           : i == 8  ? 32 * S
                           : i == 15 ? 100 * S
                                     : (31 + i) * S);
        }
        outputs_are(f, all_of_it);
        end(f);
    }
}

static void other_rules_in_the_middle_change_nothing_of_it(void **state) {
    (void)state;
    for (int changed = 0; changed < STEPS_OF_ALL; changed++) {
        struct fixture *f = begin(ALL);
        for (int i = 0; i < STEPS_OF_ALL; i++) {
            step(f, i);
            if (i == changed)
                change_to(f, "alarm new on d { raise low when z > 5 }\n" ALL);
        }
        outputs_are(f, all_of_it);
        end(f);
    }
}

static void alarms_that_are_gone_end_whatever_was_said_of_them(void **state) {
    (void)state;
    struct fixture *f = begin(HOT "alarm wet on d { raise low when y > 5 }\n"
                                  "alarm dry on d { raise low when z > 5 }\n");
    take(f, X, 6, 10);
    take(f, Z, 6, 10);
    assert_int_equal(call_at(f, shelve(100, false), 10), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, of(FB_CALL_ACK, "dry"), 10), FB_CALL_ACCEPTED);
    take(f, X, 1, 11);
    take(f, Z, 1, 11);
    take(f, Y, 6, 11);
    assert_int_equal(call_at(f, maintenance(100), 12), FB_CALL_ACCEPTED);
    take(f, Y, 1, 13);
    f->outputs.n = 0;
    change_to(f, "alarm new on d { raise low when z > 5 }\n");
    outputs_are(f, "hot removed at 13\nwet removed at 13\n");
    change_to(f, HOT);
    take(f, X, 6, 20); /* not shelved any more, but in maintenance */
    assert_int_equal(call_at(f, UNSHELVE, 21), FB_CALL_NOT_SHELVED);
    outputs_are(f, "muted hot raised at 20\n");
    end(f);
}

static void an_alarm_with_other_conditions_stays_shelved(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    take(f, X, 6, 10);
    assert_int_equal(call_at(f, shelve(30, false), 10), FB_CALL_ACCEPTED);
    f->outputs.n = 0;
    change_to(f, "alarm hot on d { raise critical when x > 4 }\n");
    take(f, X, 3, 12);
    fb_core_advance(f->core, 31 * S);
    outputs_are(f, "muted hot severity at 10\nmuted hot cleared at 12\n"
                   "hot unshelved critical at 30:\n");
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledging_clears_nothing_and_clearing_acknowledges_nothing),
        cmocka_unit_test(a_higher_severity_is_to_be_acknowledged_anew),
        cmocka_unit_test(calls_of_what_is_not_there_are_refused),
        cmocka_unit_test(what_is_shelved_lives_on_and_is_not_annunciated),
        cmocka_unit_test(a_shelf_ends_when_the_clock_is_beyond_its_end),
        cmocka_unit_test(the_end_of_a_file_ends_a_shelf_that_ends_then),
        cmocka_unit_test(a_shelf_for_once_ends_with_the_alarm),
        cmocka_unit_test(another_shelf_takes_the_place_of_the_former),
        cmocka_unit_test(a_shelf_has_an_end_within_8_hours),
        cmocka_unit_test(alarms_of_a_device_in_maintenance_are_not_annunciated),
        cmocka_unit_test(a_device_is_put_back_into_service),
        cmocka_unit_test(shelf_and_maintenance_end_each_by_itself),
        cmocka_unit_test(maintenance_is_refused_where_it_can_not_be),
        cmocka_unit_test(commands_of_a_device_in_maintenance_are_withheld),
        cmocka_unit_test(a_hand_is_withheld_too_and_a_kill_comes_first),
        cmocka_unit_test(a_restart_at_any_step_changes_nothing),
        cmocka_unit_test(other_rules_in_the_middle_change_nothing_of_it),
        cmocka_unit_test(alarms_that_are_gone_end_whatever_was_said_of_them),
        cmocka_unit_test(an_alarm_with_other_conditions_stays_shelved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
