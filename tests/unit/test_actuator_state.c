/* What actuators remember: across changes of the rules (A15), restarts and snapshots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/acting.h"

#define FILL "control fill on d { start when x > 5  command pump = on  rollout armed }\n"

/* ---- changes of the rules ---- */

static void other_rules_beside_leave_a_command_as_it_is(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 60s }\n" FILL);
    take(f, X, 6, 0);
    outputs_are(f, "pump on claimed #1 by fill 12 at 0\n");
    fb_core_advance(f->core, 5 * S);
    change_to(f, "alarm hot on d { raise high when x > 5 }\n" PUMP "lease 60s }\n"
                 "control fill on d { start when x > 4  command pump = on  rollout armed }\n");
    fb_core_advance(f->core, 15 * S);
    outputs_are(f, "hot raised at 5\n");
    fb_core_advance(f->core, 21 * S);
    outputs_are(f, "pump on renewed #2 by fill 12 at 20\n");
    end(f);
}

static void a_claim_of_a_control_that_is_gone_is_withdrawn(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" FILL);
    take(f, X, 6, 0);
    fb_core_advance(f->core, 5 * S);
    f->outputs.n = 0;
    change_to(f, PUMP "}\n");
    outputs_are(f, "");
    fb_core_advance(f->core, 6 * S);
    outputs_are(f, "pump off relinquished #2 by default 17 at 5\n");
    end(f);
}

static void another_control_takes_over(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" FILL);
    take(f, X, 6, 0);
    fb_core_advance(f->core, 5 * S);
    f->outputs.n = 0;
    change_to(f, PUMP "}\ncontrol other on d { start when x > 3  command pump = on\n"
                      "rollout armed }\n");
    fb_core_advance(f->core, 6 * S);
    outputs_are(f, "pump on claimed #2 by other 12 at 5\n");
    end(f);
}

static void a_shadow_becomes_real(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "}\ncontrol fill on d { start when x > 5  command pump = on }\n");
    take(f, X, 6, 0);
    outputs_are(f, "pump* on claimed #1 by fill 12 at 0\n");
    fb_core_advance(f->core, 5 * S);
    change_to(f, PUMP "}\n" FILL);
    fb_core_advance(f->core, 6 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 5\n");
    end(f);
}

static void a_new_actuator_counts_from_the_change(void **state) {
    (void)state;
    struct fixture *f = begin("alarm hot on d { raise high when x > 50 }\n");
    take(f, X, 6, 0);
    fb_core_advance(f->core, 100 * S);
    change_to(f, "actuator pump on d : (off, on) { safe off  minimum on 0s, off 10s }\n" FILL);
    fb_core_advance(f->core, 111 * S);
    outputs_are(f, "pump blocked by minimum, nothing, wants on by fill 12 at 100\n"
                   "pump no more blocked by minimum, after 1, on, wants on by fill 12 at 110\n"
                   "pump on claimed #1 by fill 12 at 110\n");
    end(f);
}

static void other_words_are_told_anew_and_the_count_goes_on(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "}\n" FILL);
    take(f, X, 6, 0);
    fb_core_advance(f->core, 5 * S);
    f->outputs.n = 0;
    change_to(f, "actuator pump on d : (closed, open) { safe closed  minimum on 0s, off 0s }\n"
                 "control fill on d { start when x > 5  command pump = open  rollout armed }\n");
    fb_core_advance(f->core, 6 * S);
    outputs_are(f, "pump open claimed #2 by fill 12 at 5\n");
    end(f);
}

#define STARTS(n) PUMP "starts " n " per 100s  lease 1h }\n" FILL

static void start(struct fixture *f, int64_t at_s) {
    take(f, X, 6, at_s);
    take(f, X, 1, at_s + 1);
}

static void fewer_remembered_starts_are_the_newest(void **state) {
    (void)state;
    struct fixture *f = begin(STARTS("4"));
    start(f, 10);
    start(f, 20);
    start(f, 30);
    change_to(f, STARTS("2"));
    f->outputs.n = 0;
    take(f, X, 6, 40);
    fb_core_advance(f->core, 121 * S);
    outputs_are(f, "pump blocked by starts, off, wants on by fill 12 at 40\n"
                   "pump no more blocked by starts, after 1, on, wants on by fill 12 at 120\n"
                   "pump on claimed #7 by fill 12 at 120\n");
    end(f);
}

static void more_remembered_starts_begin_with_the_old_ones(void **state) {
    (void)state;
    struct fixture *f = begin(STARTS("2"));
    start(f, 10);
    start(f, 20);
    change_to(f, STARTS("3"));
    start(f, 30);
    f->outputs.n = 0;
    take(f, X, 6, 40);
    fb_core_advance(f->core, 111 * S);
    outputs_are(f, "pump blocked by starts, off, wants on by fill 12 at 40\n"
                   "pump no more blocked by starts, after 1, on, wants on by fill 12 at 110\n"
                   "pump on claimed #7 by fill 12 at 110\n");
    end(f);
}

/* ---- restarts and snapshots ---- */

#define PLANT                                                                                      \
    "actuator pump on d : (off, on) { safe off  minimum on 3s, off 4s  maximum on 40s\n"           \
    "starts 3 per 60s  lease 9s  interlock when y > 8  lockout 5s after interlock\n"               \
    "breaker 3 reversals in 60s, hold 20s  hold at most 15s }\n"                                   \
    "actuator valve on d : number range 0..100 { safe 0  default 10  slew 7 per 2s  lease 30s\n"   \
    "ignore steps under 3  combine max  permissive when y > 1 }\n"                                 \
    "control fill on d { start when x > 5  command pump = on  rollout armed }\n"                   \
    "control kick on d { start when x > 7 for 2s  command pump = off for 6s at priority 9\n"       \
    "rollout armed }\n"                                                                            \
    "control follow on d { start when x > 2  command valve = z * 10 on unknown safe\n"             \
    "rollout armed }\n"                                                                            \
    "control other on d { start when pump == on  command valve = 40  rollout canary 50 % }\n"      \
    "alarm runs on d { raise low when pump == on for 3s }\n"

static struct fb_buf outputs_of(bool restarts) {
    static const char *const ids[] = {"a", "b", "c"};
    struct fixture *f = begin(PLANT);
    uint64_t random = 1;
    int64_t c_us = 0;
    for (int i = 0; i < 3000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t r = (uint32_t)(random >> 33);
        c_us += (int64_t)(r % 7) * (S / 2);
        take_of(f, ids[r / 7 % 3], (uint16_t)(X + r / 21 % 3), r / 63 % 11,
                c_us - (int64_t)(r / 700 % 3) * S, c_us);
        if (restarts)
            restart(f, c_us);
    }
    fb_core_finish(f->core, c_us + 100 * S);
    struct fb_buf outputs = f->outputs;
    f->outputs = (struct fb_buf){0};
    end(f);
    return outputs;
}

static void a_restart_forgets_nothing(void **state) {
    (void)state;
    struct fb_buf one = outputs_of(false), other = outputs_of(true);
    static const char *const seen[] = {
        "#100 ",     "renewed",    "by interlock", "by lockout", "by minimum", "by starts",
        "by breaker", "by permissive", "by ignore", "slew",      "valve* ",    "relinquished",
        "by kick 9", "runs raised", "safe #"};
    fb_buf_terminated(&one);
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        if (!strstr(one.p, seen[i]))
            fail_msg("the run shows nothing of `%s`", seen[i]);
    assert_string_equal(fb_buf_terminated(&other), one.p);
    fb_buf_free(&one);
    fb_buf_free(&other);
}

static void a_deadline_leaves_an_open_snapshot_as_it_was(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 30s }\n" FILL);
    take(f, X, 6, 0);
    struct fb_hash128 before = fb_core_state_hash(f->core);
    struct fb_buf piece = {0};
    fb_core_snapshot_begin(f->core);
    fb_core_advance(f->core, 11 * S);
    assert_false(fb_core_snapshot_next(f->core, SIZE_MAX / 2, &piece));
    assert_true(fb_hash128_eq(fb_core_snapshot_hash(f->core), before));
    assert_false(fb_hash128_eq(fb_core_state_hash(f->core), before));
    fb_buf_free(&piece);
    end(f);
}

/* What is not refused can be worked with: no wrong byte leads to an endless round. */
static void a_damaged_memory_is_refused_or_harmless(void **state) {
    (void)state;
    struct fixture *f = begin(PLANT);
    take(f, Y, 3, 0);
    take(f, Z, 6, 1);
    take(f, X, 8, 2);
    fb_core_advance(f->core, 3 * S);
    damage_is_refused_or_harmless(f, 3 * S);
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_rules_beside_leave_a_command_as_it_is),
        cmocka_unit_test(a_claim_of_a_control_that_is_gone_is_withdrawn),
        cmocka_unit_test(another_control_takes_over),
        cmocka_unit_test(a_shadow_becomes_real),
        cmocka_unit_test(a_new_actuator_counts_from_the_change),
        cmocka_unit_test(other_words_are_told_anew_and_the_count_goes_on),
        cmocka_unit_test(fewer_remembered_starts_are_the_newest),
        cmocka_unit_test(more_remembered_starts_begin_with_the_old_ones),
        cmocka_unit_test(a_restart_forgets_nothing),
        cmocka_unit_test(a_deadline_leaves_an_open_snapshot_as_it_was),
        cmocka_unit_test(a_damaged_memory_is_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
