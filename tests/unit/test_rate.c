/* How often a rule, and all rules together, may command: A100 to A103. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/call.h"
#include "engine/core/rate.h"
#include "tests/unit/acting.h"

#define PUMPS(more) PUMP "lease 1h }\n" FILL(more)
#define FILL(more)                                                                                 \
    "control fill on d { start when x > 5  command pump = on  " more "\nrollout armed }\n"
#define VALVE "actuator valve on d : number range 0..100 { safe 0  lease 1h }\n"
#define FOLLOW(more)                                                                               \
    "control follow on d { start when x > 0  command valve = z  " more "\nrollout armed }\n"

static void start(struct fixture *f, int64_t at_s) {
    take(f, X, 6, at_s);
    take(f, X, 1, at_s + 1);
}

static void start_of(struct fixture *f, const char *id, int64_t at_s) {
    take_of(f, id, X, 6, at_s * S, at_s * S);
}

static void stop_of(struct fixture *f, const char *id, int64_t at_s) {
    take_of(f, id, X, 1, at_s * S, at_s * S);
}

static void advance(struct fixture *f, int64_t to_us) {
    fb_core_advance(f->core, to_us);
}

/* ---- what is counted ---- */

static void instants_are_counted_from_the_ring_wherever_it_begins(void **state) {
    (void)state;
    const int64_t times[] = {30, 40, 40, 10, 20};
    assert_int_equal(fb_times_since(times, 5, 3, 9), 5);
    assert_int_equal(fb_times_since(times, 5, 3, 10), 4);
    assert_int_equal(fb_times_since(times, 5, 3, 29), 3);
    assert_int_equal(fb_times_since(times, 5, 3, 30), 2);
    assert_int_equal(fb_times_since(times, 5, 3, 39), 2);
    assert_int_equal(fb_times_since(times, 5, 3, 40), 0);
    const int64_t few[] = {7, FB_NO_TIME, FB_NO_TIME};
    assert_int_equal(fb_times_since(few, 3, 1, FB_NO_TIME), 1);
    assert_int_equal(fb_times_since(few, 3, 1, 6), 1);
    assert_int_equal(fb_times_since(few, 3, 1, 7), 0);
    const int64_t none[] = {FB_NO_TIME};
    assert_int_equal(fb_times_since(none, 1, 0, FB_NO_TIME), 0);
}

/* ---- a rule ---- */

static void what_is_beyond_n_is_held_until_the_first_of_them_is_d_ago(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("at most 2 per 100s"));
    start(f, 10); /* its end goes towards safe, and is not counted */
    start(f, 20);
    f->outputs.n = 0;
    take(f, X, 6, 40);
    outputs_are(f, "pump blocked by rate, off, wants on by fill 12 at 40\n");
    advance(f, 110 * S);
    outputs_are(f, "");
    advance(f, 110 * S + 1);
    outputs_are(f, "pump no more blocked by rate, after 1, on, wants on by fill 12 at 110\n"
                   "pump on claimed #5 by fill 12 at 110\n");
    end(f);
}

static void at_the_very_end_it_is_let_through(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("at most 1 per 100s"));
    start(f, 10);
    f->outputs.n = 0;
    take(f, X, 6, 110);
    outputs_are(f, "pump on claimed #3 by fill 12 at 110\n");
    end(f);
}

static void a_request_that_ends_meanwhile_is_not_sent(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("at most 1 per 100s"));
    start(f, 10);
    f->outputs.n = 0;
    start(f, 20);
    advance(f, 200 * S);
    outputs_are(f, "pump blocked by rate, off, wants on by fill 12 at 20\n"
                   "pump no more blocked by rate, after 1, off, wants off by default 17 at 21\n");
    end(f);
}

static void of_a_number_the_latest_value_goes_out(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE FOLLOW("at most 2 per 60s"));
    take(f, Z, 0, 0); /* safe */
    take(f, X, 1, 0);
    take(f, Z, 10, 1);
    take(f, Z, 20, 2);
    f->outputs.n = 0;
    take(f, Z, 30, 3);
    take(f, Z, 50, 4);
    take(f, Z, 40, 55); /* it was stale since 14 */
    advance(f, 62 * S);
    outputs_are(f, "valve blocked by rate, 20, wants 30 by follow 12 at 3\n"
                   "valve no more blocked by rate, after 4, 40, wants 40 by follow 12 at 61\n"
                   "valve 40 claimed #4 by follow 12 at 61\n");
    end(f);
}

static void a_step_towards_safe_is_neither_held_nor_counted(void **state) {
    (void)state;
    struct fixture *f = begin(VALVE FOLLOW("at most 1 per 60s"));
    take(f, Z, 50, 0);
    take(f, X, 1, 0);
    take(f, Z, 40, 1);
    take(f, Z, 30, 2);
    outputs_are(f, "valve 50 claimed #1 by follow 12 at 0\nvalve 40 claimed #2 by follow 12 at 1\n"
                   "valve 30 claimed #3 by follow 12 at 2\n");
    take(f, Z, 31, 59);
    advance(f, 61 * S);
    outputs_are(f, "valve blocked by rate, 30, wants 31 by follow 12 at 59\n"
                   "valve no more blocked by rate, after 1, 31, wants 31 by follow 12 at 60\n"
                   "valve 31 claimed #4 by follow 12 at 60\n");
    end(f);
}

static void a_renewal_goes_out_while_a_request_is_held(void **state) {
    (void)state;
    struct fixture *f =
        begin("actuator valve on d : number range 0..100 { safe 0  lease 30s }\n" FOLLOW(
            "at most 1 per 25s"));
    take(f, X, 1, 0);
    take(f, Z, 10, 0);
    take(f, Z, 20, 5);
    take(f, Z, 20, 9); /* else it goes stale */
    take(f, Z, 20, 18);
    advance(f, 26 * S);
    outputs_are(f, "valve 10 claimed #1 by follow 12 at 0\n"
                   "valve blocked by rate, 10, wants 20 by follow 12 at 5\n"
                   "valve 10 renewed #2 by follow 12 at 10\n"
                   "valve 10 renewed #3 by follow 12 at 20\n"
                   "valve no more blocked by rate, after 3, 20, wants 20 by follow 12 at 25\n"
                   "valve 20 claimed #4 by follow 12 at 25\n");
    end(f);
}

static void all_actuators_of_a_rule_have_one_limit(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMP "lease 1h }\n" VALVE "control fill on d { start when x > 5  command valve = 40\n"
                   "command pump = on  at most 1 per 10s  rollout armed }\n");
    take(f, X, 6, 0);
    advance(f, 100 * S); /* actuators in the order of the text, whatever the commands' is */
    outputs_are(f, "pump on claimed #1 by fill 12 at 0\n"
                   "valve blocked by rate, nothing, wants 40 by fill 12 at 0\n"
                   "valve no more blocked by rate, after 1, 40, wants 40 by fill 12 at 10\n"
                   "valve 40 claimed #1 by fill 12 at 10\n");
    end(f);
}

static void devices_and_other_rules_have_limits_of_their_own(void **state) {
    (void)state;
    struct fixture *f =
        begin(PUMPS("at most 1 per 100s") "control dry on d { start when y > 5  command pump = on\n"
                                          "at priority 10  rollout armed }\n");
    start(f, 10);
    start_of(f, "b", 20);
    take(f, Y, 6, 30);
    outputs_are(f, "pump on claimed #1 by fill 12 at 10\n"
                   "pump off relinquished #2 by default 17 at 11\n"
                   "pump/b on claimed #1 by fill 12 at 20\npump on claimed #3 by dry 10 at 30\n");
    end(f);
}

static void modes_and_alarms_have_it_too(void **state) {
    (void)state;
    struct fixture *f = begin(
        PUMP
        "lease 1h }\n"
        "mode run on d { state idle { go busy when x > 5 }\n"
        "state busy { command pump = on  go idle when x < 3 }\nat most 1 per 50s  rollout armed }\n"
        "actuator fan on d : (off, on) { safe off  minimum on 0s, off 0s  lease 1h }\n"
        "alarm hot on d { raise high when y > 5  command fan = on  at most 1 per 50s\n"
        "rollout armed }\n");
    take(f, X, 1, 0);
    take(f, X, 6, 2);
    take(f, X, 1, 4);
    take(f, Y, 6, 10);
    take(f, Y, 1, 11);
    f->outputs.n = 0;
    take(f, X, 6, 20);
    take(f, Y, 6, 21);
    advance(f, 61 * S);
    outputs_are(f, "fan off relinquished #2 by default 17 at 11\n"
                   "pump blocked by rate, off, wants on by run 12 at 20\n"
                   "hot raised at 21\n"
                   "fan blocked by rate, off, wants on by hot 12 at 21\n"
                   "pump no more blocked by rate, after 1, on, wants on by run 12 at 52\n"
                   "pump on claimed #3 by run 12 at 52\n"
                   "fan no more blocked by rate, after 1, on, wants on by hot 12 at 60\n"
                   "fan on claimed #3 by hot 12 at 60\n");
    end(f);
}

static void a_shadow_counts_for_shadows_only(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "lease 1h }\n"
                                   "control fill on d { start when x > 5  command pump = on\n"
                                   "at most 1 per 100s  rollout armed }\n"
                                   "control dry on d { start when y > 5  command pump = on\n"
                                   "at priority 10  at most 1 per 100s }\n"
                                   "commands at most 2 per 100s\n");
    take(f, Y, 6, 0);
    take(f, Y, 1, 1);
    take(f, Y, 6, 2);
    outputs_are(f, "pump* on claimed #1 by dry 10 at 0\n"
                   "pump* off relinquished #2 by default 17 at 1\n"
                   "pump* blocked by rate, off, wants on by dry 10 at 2\n");
    take(f, X, 6, 3);
    outputs_are(f, "pump on claimed #1 by fill 12 at 3\n");
    end(f);
}

/* ---- all rules together ---- */

static void all_devices_share_what_all_rules_may_do(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("") "commands at most 2 per 100s\n");
    start_of(f, "a", 10);
    start_of(f, "b", 20);
    stop_of(f, "b", 21);
    start_of(f, "c", 30);
    start_of(f, "b", 31);
    advance(f, 200 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 10\n"
                   "pump/b on claimed #1 by fill 12 at 20\n"
                   "pump/b off relinquished #2 by default 17 at 21\n"
                   "pump/c blocked by commands, nothing, wants on by fill 12 at 30\n"
                   "pump/b blocked by commands, off, wants on by fill 12 at 31\n"
                   /* both are due at 110: one has the place, the other waits for the next */
                   "pump/b no more blocked by commands, after 1, on, wants on by fill 12 at 110\n"
                   "pump/b on claimed #3 by fill 12 at 110\n"
                   "pump/c no more blocked by commands, after 2, on, wants on by fill 12 at 120\n"
                   "pump/c on claimed #1 by fill 12 at 120\n");
    end(f);
}

/* Each who waits asks once in D / 10, and once a second, however soon the next place comes. */
static void who_waits_is_not_asked_for_each_place_that_comes(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("") "commands at most 3 per 100s\n");
    start_of(f, "a", 0);
    start_of(f, "b", 1);
    start_of(f, "c", 2);
    start_of(f, "d", 10);
    start_of(f, "e", 99);
    f->outputs.n = 0;
    advance(f, 200 * S); /* d: at 100, the first place; e: at 109, though one comes at 101 */
    outputs_are(f, "pump/d no more blocked by commands, after 1, on, wants on by fill 12 at 100\n"
                   "pump/d on claimed #1 by fill 12 at 100\n"
                   "pump/e no more blocked by commands, after 1, on, wants on by fill 12 at 109\n"
                   "pump/e on claimed #1 by fill 12 at 109\n");
    end(f);
    f = begin(PUMPS("") "commands at most 1 per 2s\n");
    take_of(f, "a", X, 6, 0, 0);
    take_of(f, "b", X, 6, 1500000, 1500000);
    f->outputs.n = 0;
    advance(f, 10 * S);
    outputs_are(f, "pump/b no more blocked by commands, after 1, on, wants on by fill 12 at 2.5\n"
                   "pump/b on claimed #1 by fill 12 at 2.5\n");
    end(f);
}

static void the_default_is_counted_and_the_hand_is_not(void **state) {
    (void)state;
    const struct fb_call hand = {.kind = FB_CALL_HAND,
                                 .actuator = FB_S("valve"),
                                 .device = FB_S("a"),
                                 .is_number = true,
                                 .number = 90,
                                 .until_us = 30 * S};
    struct fixture *f =
        begin("actuator valve on d : number range 0..100 { safe 0  default 10  lease 1h }\n"
              "control open on d { start when x > 5  command valve = 5  rollout armed }\n"
              "commands at most 2 per 100s\n");
    take(f, X, 6, 0);
    take(f, X, 1, 1); /* to the default, away from safe */
    take(f, X, 6, 2); /* towards safe */
    take(f, X, 1, 3);
    outputs_are(f, "valve 5 claimed #1 by open 12 at 0\n"
                   "valve 10 relinquished #2 by default 17 at 1\n"
                   "valve 5 claimed #3 by open 12 at 2\n"
                   "valve blocked by commands, 5, wants 10 by default 17 at 3\n");
    assert_int_equal(fb_core_call(f->core, &hand, 20 * S), FB_CALL_ACCEPTED);
    advance(f, 21 * S);
    outputs_are(f, "valve no more blocked by commands, after 1, 90, wants 90 by hand 8 at 20\n"
                   "valve 90 claimed #4 by hand 8 at 20\n");
    end(f);
}

static void a_rule_with_a_limit_is_held_by_the_nearer_one_first(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("at most 1 per 20s") "commands at most 1 per 50s\n");
    start(f, 0);
    f->outputs.n = 0;
    take(f, X, 6, 10);
    advance(f, 100 * S);
    outputs_are(f, "pump blocked by rate, off, wants on by fill 12 at 10\n"
                   "pump no more blocked by rate, after 1, off, wants on by fill 12 at 20\n"
                   "pump blocked by commands, off, wants on by fill 12 at 20\n"
                   "pump no more blocked by commands, after 1, on, wants on by fill 12 at 50\n"
                   "pump on claimed #3 by fill 12 at 50\n");
    end(f);
}

/* ---- restarts, and other rules ---- */

static void a_change_keeps_the_newest(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("at most 3 per 100s"));
    start(f, 10);
    start(f, 20);
    start(f, 30);
    change_to(f, PUMPS("at most 2 per 100s"));
    f->outputs.n = 0;
    take(f, X, 6, 40);
    advance(f, 121 * S);
    outputs_are(f, "pump blocked by rate, off, wants on by fill 12 at 40\n"
                   "pump no more blocked by rate, after 1, on, wants on by fill 12 at 120\n"
                   "pump on claimed #7 by fill 12 at 120\n");
    end(f);
}

static void a_higher_limit_goes_on_from_what_was_counted(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("at most 1 per 100s"));
    start(f, 10);
    change_to(f, PUMPS("at most 2 per 100s"));
    start(f, 20);
    f->outputs.n = 0;
    take(f, X, 6, 40);
    advance(f, 111 * S);
    outputs_are(f, "pump blocked by rate, off, wants on by fill 12 at 40\n"
                   "pump no more blocked by rate, after 1, on, wants on by fill 12 at 110\n"
                   "pump on claimed #5 by fill 12 at 110\n");
    end(f);
}

static void a_limit_that_goes_lets_go_what_it_held(void **state) {
    (void)state;
    static const char *const later[] = {"", "commands at most 1 per 20s\n"};
    for (int i = 0; i < 2; i++) {
        struct fixture *f = begin(PUMPS("") "commands at most 1 per 1000s\n");
        char rules[1000];
        start(f, 0);
        take(f, X, 6, 10);
        f->outputs.n = 0;
        advance(f, 50 * S);
        snprintf(rules, sizeof rules, "%s%s", PUMPS(""), later[i]);
        change_to(f, rules);
        advance(f, 51 * S);
        outputs_are(f, "pump no more blocked by commands, after 1, on, wants on by fill 12 at 50\n"
                       "pump on claimed #3 by fill 12 at 50\n");
        end(f);
    }
}

static void a_limit_that_stays_holds_on(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("") "commands at most 1 per 100s\n");
    start(f, 0);
    take(f, X, 6, 10);
    f->outputs.n = 0;
    advance(f, 50 * S);
    change_to(
        f, "alarm wet on d { raise high when y > 5 }\n" PUMPS("") "commands at most 1 per 100s\n");
    advance(f, 100 * S);
    outputs_are(f, "");
    advance(f, 101 * S);
    outputs_are(f, "pump no more blocked by commands, after 1, on, wants on by fill 12 at 100\n"
                   "pump on claimed #3 by fill 12 at 100\n");
    end(f);
}

static struct fb_buf outputs_of(bool restarts) {
    static const char *const ids[] = {"a", "b", "c", "e", "f", "g"};
    struct fixture *f =
        begin(PUMP "lease 90s }\n" VALVE "control fill on d { start when x > 5  command pump = on\n"
                   "at most 2 per 120s  rollout canary 60 % }\n"
                   "control follow on d { start when y > 2  command valve = z * 10\n"
                   "at most 3 per 20s  rollout canary 50 % }\n"
                   "control other on d { start when y > 8  command valve = 40\n"
                   "at priority 10  rollout armed }\n"
                   "commands at most 12 per 40s\n");
    uint64_t random = 7;
    int64_t c_us = 0;
    for (int i = 0; i < 3000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t r = (uint32_t)(random >> 33);
        c_us += (int64_t)(r % 7) * (S / 4);
        take_of(f, ids[r / 7 % 6], (uint16_t)(X + r / 42 % 3), r / 126 % 11, c_us, c_us);
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
    static const char *const seen[] = {"by rate, after",    "by commands, after",
                                       "* blocked by rate", "* blocked by commands",
                                       "relinquished",      "renewed"};
    fb_buf_terminated(&one);
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        if (!strstr(one.p, seen[i]))
            fail_msg("the run shows nothing of `%s`", seen[i]);
    assert_string_equal(fb_buf_terminated(&other), one.p);
    fb_buf_free(&one);
    fb_buf_free(&other);
}

static void an_open_snapshot_has_what_was_counted_then(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("") "commands at most 3 per 100s\n");
    start(f, 0);
    struct fb_hash128 before = fb_core_state_hash(f->core);
    struct fb_buf piece = {0};
    fb_core_snapshot_begin(f->core);
    start(f, 10);
    assert_false(fb_core_snapshot_next(f->core, SIZE_MAX / 2, &piece));
    assert_true(fb_hash128_eq(fb_core_snapshot_hash(f->core), before));
    assert_int_equal(fb_core_snapshot_devices(f->core), 1);
    fb_buf_free(&piece);
    end(f);
}

static void damaged_counts_are_refused_or_harmless(void **state) {
    (void)state;
    struct fixture *f = begin(PUMPS("at most 2 per 100s") "commands at most 3 per 100s\n");
    start(f, 0);
    start(f, 10);
    damage_is_refused_or_harmless(f, 11 * S);
    end(f);
}

static void what_cannot_have_been_counted_is_not_read(void **state) {
    (void)state;
    struct fb_rate_cell *cell = calloc(1, fb_rate_bytes(2));
    struct fb_buf bytes = {0};
    fb_rate_begin(cell, 2);
    for (int64_t i = 1; i <= 3; i++)
        fb_rate_note(cell, 2, false, i);
    fb_rate_note(cell, 2, true, 9);
    fb_rate_write(cell, 2, &bytes);
    assert_int_equal(bytes.n, 4 + 16 + 4 + 8);
    for (size_t n = 0; n <= bytes.n + 1; n++) {
        char *copy = calloc(1, bytes.n + 2);
        memcpy(copy, bytes.p, bytes.n);
        fb_rate_begin(cell, 2);
        assert_int_equal(fb_rate_read(cell, 2, (struct fb_str){copy, n}), n == bytes.n);
        free(copy);
    }
    fb_rate_begin(cell, 2);
    assert_true(fb_rate_read(cell, 2, (struct fb_str){bytes.p, bytes.n}));
    const struct fb_rate rate = {.n = 2, .per_us = 100};
    assert_int_equal(fb_rate_end(cell, &rate, false), 102);
    assert_int_equal(fb_rate_end(cell, &rate, true), FB_NO_TIME);
    assert_false(fb_rate_read(cell, 1, (struct fb_str){bytes.p, bytes.n}));
    fb_buf_free(&bytes);
    free(cell);
}

static void the_layout_says_how_many_are_kept(void **state) {
    (void)state;
    static const char *const rules[] = {
        PUMPS("at most 2 per 100s"), PUMPS("at most 3 per 100s"),
        PUMPS("at most 2 per 100s") "commands at most 3 per 100s\n",
        PUMPS("at most 2 per 100s") "commands at most 4 per 100s\n"};
    struct fixture *f = begin(rules[0]);
    for (int i = 1; i < 4; i++)
        compile_behind(f, DEVICE, rules[i]);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++)
            assert_false(fb_hash128_eq(fb_program_layout(f->programs[i].program),
                                       fb_program_layout(f->programs[k].program)));
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_counted_from_the_ring_wherever_it_begins),
        cmocka_unit_test(what_is_beyond_n_is_held_until_the_first_of_them_is_d_ago),
        cmocka_unit_test(at_the_very_end_it_is_let_through),
        cmocka_unit_test(a_request_that_ends_meanwhile_is_not_sent),
        cmocka_unit_test(of_a_number_the_latest_value_goes_out),
        cmocka_unit_test(a_step_towards_safe_is_neither_held_nor_counted),
        cmocka_unit_test(a_renewal_goes_out_while_a_request_is_held),
        cmocka_unit_test(all_actuators_of_a_rule_have_one_limit),
        cmocka_unit_test(devices_and_other_rules_have_limits_of_their_own),
        cmocka_unit_test(modes_and_alarms_have_it_too),
        cmocka_unit_test(a_shadow_counts_for_shadows_only),
        cmocka_unit_test(all_devices_share_what_all_rules_may_do),
        cmocka_unit_test(who_waits_is_not_asked_for_each_place_that_comes),
        cmocka_unit_test(the_default_is_counted_and_the_hand_is_not),
        cmocka_unit_test(a_rule_with_a_limit_is_held_by_the_nearer_one_first),
        cmocka_unit_test(a_change_keeps_the_newest),
        cmocka_unit_test(a_higher_limit_goes_on_from_what_was_counted),
        cmocka_unit_test(a_limit_that_goes_lets_go_what_it_held),
        cmocka_unit_test(a_limit_that_stays_holds_on),
        cmocka_unit_test(a_restart_forgets_nothing),
        cmocka_unit_test(an_open_snapshot_has_what_was_counted_then),
        cmocka_unit_test(damaged_counts_are_refused_or_harmless),
        cmocka_unit_test(what_cannot_have_been_counted_is_not_read),
        cmocka_unit_test(the_layout_says_how_many_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
