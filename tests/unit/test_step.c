/* Steps by rule texts: rules/MEANING.md, A19. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/acting.h"

#define VALVE "actuator valve on d : number range 0..100 { safe 0  lease 1h }\n"
#define OPEN(clauses)                                                                              \
    VALVE "control open on d {\n start when x > 5\n " clauses "\n rollout armed\n}\n"

static void the_first_step_comes_one_period_after_the_start(void **state) {
    (void)state;
    struct fixture *f = begin(OPEN("step valve by 10 every 10s within 0..100 from 30"));
    take(f, X, 6, 100);
    outputs_are(f, "valve 30 claimed #1 by open 12 at 100\n");
    fb_core_advance(f->core, 110 * S);
    outputs_are(f, "");
    fb_core_advance(f->core, 121 * S);
    outputs_are(f, "valve 40 claimed #2 by open 12 at 110\n"
                   "valve 50 claimed #3 by open 12 at 120\n");
    end(f);
}

static void it_stays_within_its_ends_and_is_told_only_when_it_moves(void **state) {
    (void)state;
    struct fixture *f = begin(OPEN("step valve by 25 every 10s within 20..60 from 5"));
    take(f, X, 6, 100);
    fb_core_advance(f->core, 200 * S);
    outputs_are(f, "valve 20 claimed #1 by open 12 at 100\n"
                   "valve 45 claimed #2 by open 12 at 110\n"
                   "valve 60 claimed #3 by open 12 at 120\n");
    end(f);
}

static void it_begins_at_what_is_accepted_and_is_relinquished_at_the_end(void **state) {
    (void)state;
    struct fixture *f =
        begin(OPEN("step valve by -1 every 10s within 0..100 at priority 11")
              "control base on d { command valve = 50  rollout armed }\n");
    take(f, X, 0, 90);
    take(f, X, 6, 100);
    outputs_are(f, "valve 50 claimed #1 by base 12 at 90\n"
                   "valve 50 claimed #2 by open 11 at 100\n");
    fb_core_advance(f->core, 111 * S);
    take(f, X, 0, 115);
    fb_core_advance(f->core, 150 * S);
    outputs_are(f, "valve 49 claimed #3 by open 11 at 110\n"
                   "valve 50 claimed #4 by base 12 at 115\n");
    take(f, X, 6, 150);
    fb_core_advance(f->core, 161 * S);
    outputs_are(f, "valve 50 claimed #5 by open 11 at 150\n"
                   "valve 49 claimed #6 by open 11 at 160\n");
    end(f);
}

static void each_step_adds_what_by_is_then(void **state) {
    (void)state;
    struct fixture *f = begin(OPEN("step valve by y every 10s within 0..100 from 50"));
    take(f, Y, 3, 90);
    take(f, X, 6, 100);
    take(f, Y, 4, 105);
    fb_core_advance(f->core, 111 * S);
    take(f, Y, -20, 119);
    fb_core_advance(f->core, 121 * S);
    outputs_are(f, "valve 50 claimed #1 by open 12 at 100\n"
                   "valve 54 claimed #2 by open 12 at 110\n"
                   "valve 34 claimed #3 by open 12 at 120\n");
    end(f);
}

/* z goes stale after 10s. */
static void what_is_not_known_moves_nothing(void **state) {
    (void)state;
    struct fixture *f = begin(OPEN("step valve by z every 8s within 0..100 from 50"));
    take(f, Z, 1, 99);
    take(f, X, 6, 100);
    fb_core_advance(f->core, 130 * S);
    outputs_are(f, "valve 50 claimed #1 by open 12 at 100\n"
                   "valve 51 claimed #2 by open 12 at 108\n");
    take(f, Z, 2, 130);
    fb_core_advance(f->core, 133 * S);
    outputs_are(f, "valve 53 claimed #3 by open 12 at 132\n");
    end(f);
}

static void an_unknown_amount_withdraws_the_claim_if_it_should(void **state) {
    (void)state;
    struct fixture *f =
        begin(OPEN("step valve by z every 8s within 0..100 from 50  on unknown stop"));
    take(f, Z, 1, 99);
    take(f, X, 6, 100);
    fb_core_advance(f->core, 130 * S);
    outputs_are(f, "valve 50 claimed #1 by open 12 at 100\n"
                   "valve 51 claimed #2 by open 12 at 108\n"
                   "valve 0 relinquished #3 by default 17 at 109.000001\n");
    take(f, Z, 2, 130);
    fb_core_advance(f->core, 133 * S);
    outputs_are(f, "valve 51 claimed #4 by open 12 at 130\n"
                   "valve 53 claimed #5 by open 12 at 132\n");
    end(f);
}

static void an_amount_that_was_never_known_claims_nothing(void **state) {
    (void)state;
    struct fixture *f = begin(OPEN("step valve by y every 10s within 0..100 from 50"));
    take(f, X, 6, 100);
    fb_core_advance(f->core, 123 * S);
    outputs_are(f, "");
    take(f, Y, 5, 123);
    fb_core_advance(f->core, 131 * S);
    outputs_are(f, "valve 50 claimed #1 by open 12 at 123\n"
                   "valve 55 claimed #2 by open 12 at 130\n");
    end(f);
}

/* Where `from` reads what is not known, as where there is none. */
static void an_unknown_beginning_is_what_is_accepted(void **state) {
    (void)state;
    struct fixture *f = begin(OPEN("step valve by 1 every 10s within 0..100 from y"));
    take(f, X, 6, 100);
    take(f, X, 0, 101);
    take(f, Y, 7, 102);
    take(f, X, 6, 103);
    outputs_are(f, "valve 0 claimed #1 by open 12 at 100\n"
                   "valve 0 relinquished #2 by default 17 at 101\n"
                   "valve 7 claimed #3 by open 12 at 103\n");
    end(f);
}

static void a_shadow_begins_at_what_the_shadow_accepted(void **state) {
    (void)state;
    struct fixture *f = begin(
        VALVE "control base on d { command valve = 50  rollout armed }\n"
              "control idea on d { start when x > 0  command valve = 70 at priority 11 }\n"
              "control open on d { start when x > 5  step valve by 1 every 10s within 0..100 at "
              "priority 10 }\n");
    take(f, X, 1, 100);
    take(f, X, 6, 101);
    fb_core_advance(f->core, 112 * S);
    outputs_are(f, "valve 50 claimed #1 by base 12 at 100\n"
                   "valve* 70 claimed #1 by idea 11 at 100\n"
                   "valve* 70 claimed #2 by open 10 at 101\n"
                   "valve* 71 claimed #3 by open 10 at 111\n");
    end(f);
}

static void it_survives_a_restart_and_other_rules(void **state) {
    (void)state;
    struct fixture *f = begin(OPEN("step valve by 10 every 10s within 0..100 from 30"));
    take(f, X, 6, 100);
    fb_core_advance(f->core, 111 * S);
    restart(f, 115 * S);
    fb_core_advance(f->core, 121 * S);
    outputs_are(f, "valve 30 claimed #1 by open 12 at 100\n"
                   "valve 40 claimed #2 by open 12 at 110\n"
                   "valve 50 claimed #3 by open 12 at 120\n");
    change_to(f, OPEN("step valve by 3 every 10s within 0..52 from 0"));
    fb_core_advance(f->core, 131 * S);
    outputs_are(f, "valve 52 claimed #4 by open 12 at 130\n");
    change_to(f, OPEN("command valve = 5"));
    fb_core_advance(f->core, 132 * S);
    change_to(f, OPEN("step valve by 2 every 10s within 0..100"));
    fb_core_advance(f->core, 145 * S);
    outputs_are(f, "valve 5 claimed #5 by open 12 at 131\n"
                   "valve 7 claimed #6 by open 12 at 140\n");
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_step_comes_one_period_after_the_start),
        cmocka_unit_test(it_stays_within_its_ends_and_is_told_only_when_it_moves),
        cmocka_unit_test(it_begins_at_what_is_accepted_and_is_relinquished_at_the_end),
        cmocka_unit_test(each_step_adds_what_by_is_then),
        cmocka_unit_test(what_is_not_known_moves_nothing),
        cmocka_unit_test(an_unknown_amount_withdraws_the_claim_if_it_should),
        cmocka_unit_test(an_amount_that_was_never_known_claims_nothing),
        cmocka_unit_test(an_unknown_beginning_is_what_is_accepted),
        cmocka_unit_test(a_shadow_begins_at_what_the_shadow_accepted),
        cmocka_unit_test(it_survives_a_restart_and_other_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
