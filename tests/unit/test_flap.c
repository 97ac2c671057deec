/* `suppress flapping` (MEANING.md A60 to A64): the sums, when it begins and ends, what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/core/call.h"
#include "engine/core/flap.h"
#include "engine/core/look.h"
#include "tests/unit/acting.h"

/* Slots of 10 s. */
#define HOT "alarm hot on d { raise high when x > 5  suppress flapping over 200s }\n"

static enum fb_call_outcome call_at(struct fixture *f, struct fb_call call, int64_t c_s) {
    return fb_core_call(f->core, &call, c_s * S);
}

static struct fb_call of_hot(enum fb_call_kind kind, int64_t until_s) {
    return (struct fb_call){.kind = kind,
                            .alarm = FB_S("hot"),
                            .device = FB_S("a"),
                            .who = FB_S("jo"),
                            .until_us = until_s * S};
}

static struct fb_call of_a(enum fb_call_kind kind, int64_t until_s) {
    return (struct fb_call){
        .kind = kind, .device = FB_S("a"), .who = FB_S("jo"), .until_us = until_s * S};
}

/* Raised at 0, cleared at 10, .. n changes, the last one at 10 (n - 1). */
static void change_each_slot(struct fixture *f, int n) {
    for (int i = 0; i < n; i++)
        take(f, X, i % 2 ? 1 : 6, i * 10);
}

/* ---- the sums ---- */

static void the_weights_are_those_of_nagios(void **state) {
    (void)state;
    const struct {
        uint32_t changes, hundredths; /* of a percent, rounded */
    } vectors[] = {{0x7, 1836},     {0xf, 2421},      {0x1f, 2993}, {0x3f, 3553},
                   {0xf0000, 1579}, {0xfffff, 10000}, {0, 0}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct fb_flap_cell flap = {.changes = vectors[i].changes};
        assert_int_equal((fb_flap_sum(&flap, 0) * 10000 + 760) / 1520, vectors[i].hundredths);
    }
    const struct fb_flap_cell newest = {.changes = 1};
    assert_int_equal(fb_flap_sum(&newest, 0), 95);
    assert_int_equal(fb_flap_sum(&newest, 19), 57);
    assert_int_equal(fb_flap_sum(&newest, 20), 0);
}

static void a_slot_counts_once_and_a_gap_is_forgotten(void **state) {
    (void)state;
    const struct fb_rule rule = {.flap_slot_us = 10};
    struct fb_flap_cell flap = {.slot = FB_NO_TIME};
    fb_flap_changed(&rule, &flap, -1);
    assert_int_equal(flap.slot, -1);
    fb_flap_changed(&rule, &flap, 0);
    fb_flap_changed(&rule, &flap, 9);
    assert_int_equal(flap.changes, 3);
    fb_flap_changed(&rule, &flap, 199); /* slot 19: that of -1 has gone */
    assert_int_equal(flap.changes, 1u << 19 | 1);
    fb_flap_changed(&rule, &flap, 399);
    assert_int_equal(flap.changes, 1);
    fb_flap_changed(&rule, &flap, INT64_C(1) << 60);
    assert_int_equal(flap.changes, 1);
}

/* ---- begin, end ---- */

static void the_sixth_change_in_a_row_begins_it_and_sixteen_quiet_slots_end_it(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    change_each_slot(f, 5); /* 29.93 % */
    outputs_are(f, "hot raised at 0\nhot cleared at 10\nhot raised at 20\nhot cleared at 30\n"
                   "hot raised at 40\n");
    take(f, X, 1, 50);
    outputs_are(f, "muted hot cleared at 50\nhot suppressed high at 50: suppressed\n");
    fb_core_advance(f->core, 210 * S);
    outputs_are(f, "");
    fb_core_advance(f->core, 210 * S + 1); /* the 16th slot behind that of 50 has begun */
    outputs_are(f, "hot unsuppressed high at 210:\n");
    take(f, X, 6, 300);
    outputs_are(f, "hot raised at 300\n");
    end(f);
}

static void a_change_before_the_end_puts_it_off(void **state) {
    (void)state;
    for (int64_t late = 0; late < 2; late++) {
        struct fixture *f = begin(HOT);
        change_each_slot(f, 6);
        f->outputs.n = 0;
        take_of(f, "a", X, 6, 210 * S + late, 210 * S + late);
        /* at 210 itself the record comes first; with its slot 335 of 1520 have changed */
        outputs_are(f, late ? "hot unsuppressed high at 210:\nhot raised at 210.000001\n"
                            : "muted hot raised at 210\n");
        fb_core_advance(f->core, 225 * S);
        outputs_are(f, late ? "" : "hot unsuppressed high at 220: active\n");
        end(f);
    }
}

static void changes_within_one_slot_are_one(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    for (int i = 0; i < 50; i++) /* five slots, a change each second */
        take(f, X, i % 2 ? 1 : 6, i);
    assert_null(strstr(fb_buf_terminated(&f->outputs), "suppressed"));
    end(f);
}

static void a_severity_that_goes_up_and_down_flaps_too(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise low when x > 1  raise high when x > 5\n"
                              "suppress flapping over 200s }\n");
    for (int i = 0; i < 6; i++)
        take(f, X, i % 2 ? 6 : 2, i * 10);
    outputs_are(f, "hot raised at 0\nhot severity at 10\nhot severity at 20\nhot severity at 30\n"
                   "hot severity at 40\nmuted hot severity at 50\n"
                   "hot suppressed high at 50: active suppressed\n");
    end(f);
}

static void the_end_goes_with_clear_after(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 5  clear after 5s\n"
                              "suppress flapping over 200s }\n");
    for (int i = 0; i < 6; i++)
        take(f, X, i % 2 ? 1 : 6, i * 10);
    fb_core_advance(f->core, 56 * S);
    outputs_are(
        f, "hot raised at 0\nhot cleared at 15\nhot raised at 20\nhot cleared at 35\n"
           "hot raised at 40\nmuted hot cleared at 55\nhot suppressed high at 55: suppressed\n");
    take(f, X, 6, 190);
    take(f, X, 1, 215); /* cleared at 220, which is E of the change at 190 */
    fb_core_advance(f->core, 400 * S);
    outputs_are(f, "muted hot raised at 190\nmuted hot cleared at 220\n"
                   "hot unsuppressed high at 230:\n");
    end(f);
}

/* ---- with others ---- */

static void calls_are_told_while_it_flaps(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    change_each_slot(f, 7);
    f->outputs.n = 0;
    assert_int_equal(call_at(f, of_hot(FB_CALL_ACK, 0), 61), FB_CALL_ACCEPTED);
    assert_int_equal(call_at(f, of_hot(FB_CALL_SHELVE, 100), 62), FB_CALL_ACCEPTED);
    take(f, X, 1, 70);
    fb_core_advance(f->core, 101 * S);
    outputs_are(f, "hot acked high at 61: active acked suppressed\n"
                   "hot shelved high at 62: active acked shelved suppressed\n"
                   "muted hot cleared at 70\n"
                   "hot unshelved high at 100: acked suppressed\n");
    take(f, X, 6, 110); /* raised again: not acked */
    fb_core_advance(f->core, 400 * S);
    outputs_are(f, "muted hot raised at 110\nhot unsuppressed high at 240: active\n");
    end(f);
}

static void a_shelf_once_ends_with_the_first_clearing(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    change_each_slot(f, 7);
    f->outputs.n = 0;
    struct fb_call once = of_hot(FB_CALL_SHELVE, 1000);
    once.once = true;
    assert_int_equal(call_at(f, once, 62), FB_CALL_ACCEPTED);
    take(f, X, 1, 70);
    outputs_are(f, "hot shelved high at 62: active shelved suppressed\n"
                   "muted hot cleared at 70\nhot unshelved high at 70: suppressed\n");
    end(f);
}

static void maintenance_tells_at_its_end_what_flaps_still(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    change_each_slot(f, 6);
    f->outputs.n = 0;
    assert_int_equal(call_at(f, of_a(FB_CALL_MAINTENANCE, 100), 60), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 101 * S);
    outputs_are(f,
                "hot suppressed high at 60: suppressed\nhot suppressed high at 100: suppressed\n");
    fb_core_advance(f->core, 211 * S);
    outputs_are(f, "hot unsuppressed high at 210:\n");
    end(f);
}

static void maintenance_tells_at_its_end_what_flaps_no_more(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    change_each_slot(f, 6);
    f->outputs.n = 0;
    assert_int_equal(call_at(f, of_a(FB_CALL_MAINTENANCE, 300), 60), FB_CALL_ACCEPTED);
    fb_core_advance(f->core, 301 * S);
    outputs_are(f, "hot suppressed high at 60: suppressed\nhot unsuppressed high at 300:\n");
    end(f);
}

static void what_begins_in_maintenance_is_told_at_its_end(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    change_each_slot(f, 3);
    take(f, X, 1, 25);
    f->outputs.n = 0;
    assert_int_equal(call_at(f, of_a(FB_CALL_MAINTENANCE, 70), 26), FB_CALL_ACCEPTED);
    take(f, X, 6, 30);
    take(f, X, 1, 40);
    take(f, X, 6, 50);
    take(f, X, 1, 60);
    outputs_are(f, "muted hot raised at 30\nmuted hot cleared at 40\nmuted hot raised at 50\n"
                   "muted hot cleared at 60\n");
    fb_core_advance(f->core, 71 * S);
    outputs_are(f, "hot suppressed high at 70: suppressed\n");
    end(f);
}

/* ---- what survives ---- */

static void a_restart_at_any_step_changes_nothing(void **state) {
    (void)state;
    for (int at = 0; at < 12; at++) {
        struct fixture *f = begin(HOT);
        for (int i = 0; i < 12; i++) {
            if (i == at)
                restart(f, fb_look_clock(f->core));
            if (i < 9)
                take(f, X, i % 2 ? 1 : 6, i * 10);
            else
                fb_core_advance(f->core, (230 + i) * S);
        }
        outputs_are(f, "hot raised at 0\nhot cleared at 10\nhot raised at 20\nhot cleared at 30\n"
                       "hot raised at 40\nmuted hot cleared at 50\n"
                       "hot suppressed high at 50: suppressed\nmuted hot raised at 60\n"
                       "muted hot cleared at 70\nmuted hot raised at 80\n"
                       "hot unsuppressed high at 240: active\n");
        end(f);
    }
}

static void other_rules_leave_it_as_it_is_but_another_period_ends_it(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    change_each_slot(f, 6);
    f->outputs.n = 0;
    change_to(f, "alarm hot on d { raise high when x > 4  suppress flapping over 200s }\n");
    take(f, X, 6, 60);
    outputs_are(f, "muted hot raised at 60\n");
    change_to(f, "alarm hot on d { raise high when x > 4  suppress flapping over 201s }\n");
    outputs_are(f, "hot unsuppressed high at 60: active\n");
    take(f, X, 1, 70);
    outputs_are(f, "hot cleared at 70\n");
    end(f);
}

static void without_the_clause_it_flaps_no_more(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    change_each_slot(f, 6);
    f->outputs.n = 0;
    change_to(f, "alarm hot on d { raise high when x > 5 }\n");
    outputs_are(f, "hot unsuppressed high at 50:\n");
    fb_core_advance(f->core, 400 * S);
    outputs_are(f, "");
    end(f);
}

static void a_rule_that_is_gone_is_told_as_removed(void **state) {
    (void)state;
    struct fixture *f = begin(HOT);
    change_each_slot(f, 6);
    f->outputs.n = 0;
    change_to(f, "alarm cold on d { raise high when x < 0 }\n");
    outputs_are(f, "hot removed at 50\n");
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_weights_are_those_of_nagios),
        cmocka_unit_test(a_slot_counts_once_and_a_gap_is_forgotten),
        cmocka_unit_test(the_sixth_change_in_a_row_begins_it_and_sixteen_quiet_slots_end_it),
        cmocka_unit_test(a_change_before_the_end_puts_it_off),
        cmocka_unit_test(changes_within_one_slot_are_one),
        cmocka_unit_test(a_severity_that_goes_up_and_down_flaps_too),
        cmocka_unit_test(the_end_goes_with_clear_after),
        cmocka_unit_test(calls_are_told_while_it_flaps),
        cmocka_unit_test(a_shelf_once_ends_with_the_first_clearing),
        cmocka_unit_test(maintenance_tells_at_its_end_what_flaps_still),
        cmocka_unit_test(maintenance_tells_at_its_end_what_flaps_no_more),
        cmocka_unit_test(what_begins_in_maintenance_is_told_at_its_end),
        cmocka_unit_test(a_restart_at_any_step_changes_nothing),
        cmocka_unit_test(other_rules_leave_it_as_it_is_but_another_period_ends_it),
        cmocka_unit_test(without_the_clause_it_flaps_no_more),
        cmocka_unit_test(a_rule_that_is_gone_is_told_as_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
