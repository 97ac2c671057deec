/* On how many devices of a domain a rule acts at a time: A90 to A94, at the edges, across restarts
 * and changes of the rules. What the row itself says is in test_guards.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/call.h"
#include "tests/unit/acting.h"

/* Fields: g (1), the domain; x (2). */
#define FLEET                                                                                      \
    "device d from \"t\" {\n key k  time ts [s]  late up to 10s\n tag g  domain g\n x : number\n"  \
    "}\n"
#define FILL_WITH(clauses)                                                                         \
    "control fill on d { start when x > 5  command pump = on  " clauses "  rollout armed }\n"
#define FILL FILL_WITH("fleet 25 % per 100s")

/* Reports a device of a domain; NULL: it says none. */
static void report(struct fixture *f, const char *id, const char *domain, double x, double at_s) {
    struct fb_sample samples[3] = {{.field = 0, .text = fb_str_of(id)}};
    uint16_t n = 1;
    if (domain)
        samples[n++] = (struct fb_sample){.field = 1, .text = fb_str_of(domain)};
    samples[n++] = (struct fb_sample){.field = 2, .num = x};
    int64_t at_us = (int64_t)(at_s * 1e6);
    const struct fb_entry entry = {
        .device = fb_str_of(id), .ts_us = at_us, .samples = samples, .n_samples = n};
    assert_int_equal(fb_core_take(f->core, &entry, at_us), FB_TAKEN);
}

/* So many devices of a domain, called a, b, .., report x = 1. */
static void all_report(struct fixture *f, int n, const char *domain, double at_s) {
    for (int i = 0; i < n; i++)
        report(f, (char[]){(char)('a' + i), '\0'}, domain, 1, at_s);
}

static struct fixture *begin_fleet(const char *rules, int devices) {
    struct fixture *f = begin_behind(FLEET PUMP "lease 1h }\n", rules);
    all_report(f, devices, "n", 0);
    all_report(f, devices, "n", 90);
    return f;
}

static enum fb_call_outcome reset_at(struct fixture *f, const char *rule, const char *device,
                                     double at_s) {
    const struct fb_call call = {.kind = FB_CALL_RESET,
                                 .scope = FB_SCOPE_RULE,
                                 .name = fb_str_of(rule),
                                 .device = fb_str_of(device)};
    return fb_core_call(f->core, &call, (int64_t)(at_s * 1e6));
}

/* ---- the budget ---- */

static void a_budget_is_a_share_of_what_reports_rounded_down(void **state) {
    (void)state;
    struct fixture *f = begin_fleet(FILL, 8);
    report(f, "a", "n", 6, 100);
    report(f, "b", "n", 6, 100);
    outputs_are(f,
                "pump on claimed #1 by fill 12 at 100\npump/b on claimed #1 by fill 12 at 100\n");
    report(f, "c", "n", 6, 100);
    report(f, "d", "n", 6, 101);
    outputs_are(f, "pump/c blocked by fleet, nothing, wants on by fill 12 at 100\n"
                   "pump/d blocked by fleet, nothing, wants on by fill 12 at 101\n");
    fb_core_advance(f->core, 1000 * S); /* it has no end of its own */
    report(f, "e", "n", 6, 1001);
    outputs_are(f, "pump/e blocked by fleet, nothing, wants on by fill 12 at 1001\n");
    end(f);
    f = begin_fleet(FILL, 7); /* 1.75 */
    report(f, "a", "n", 6, 100);
    report(f, "b", "n", 6, 100);
    outputs_are(f, "pump on claimed #1 by fill 12 at 100\n"
                   "pump/b blocked by fleet, nothing, wants on by fill 12 at 100\n");
    end(f);
}

static void one_device_may_always_be_acted_upon(void **state) {
    (void)state;
    struct fixture *f = begin_fleet(FILL_WITH("fleet 0.01 % per 100s"), 3);
    report(f, "b", "n", 6, 100);
    outputs_are(f, "pump/b on claimed #1 by fill 12 at 100\n");
    report(f, "c", "n", 6, 100);
    outputs_are(f, "pump/c blocked by fleet, nothing, wants on by fill 12 at 100\n");
    end(f);
}

static void an_act_leaves_the_window_after_its_length(void **state) {
    (void)state;
    struct fixture *f = begin_fleet(FILL, 3);
    report(f, "a", "n", 6, 100);
    report(f, "c", "n", 1, 150);
    f->outputs.n = 0;
    report(f, "b", "n", 6, 199.999999);
    outputs_are(f, "pump/b blocked by fleet, nothing, wants on by fill 12 at 199.999999\n");
    end(f);
    f = begin_fleet(FILL, 3);
    report(f, "a", "n", 6, 100);
    report(f, "c", "n", 1, 150);
    f->outputs.n = 0;
    report(f, "b", "n", 6, 200);
    outputs_are(f, "pump/b on claimed #1 by fill 12 at 200\n");
    end(f);
}

static void what_reported_before_the_window_is_not_live(void **state) {
    (void)state;
    struct fixture *f = begin_behind(FLEET PUMP "lease 1h }\n", FILL);
    all_report(f, 8, "n", 0);
    report(f, "a", "n", 6, 100); /* those of 0 are live at 100 yet: 2 */
    report(f, "b", "n", 6, 100);
    outputs_are(f,
                "pump on claimed #1 by fill 12 at 100\npump/b on claimed #1 by fill 12 at 100\n");
    end(f);
    f = begin_behind(FLEET PUMP "lease 1h }\n", FILL);
    all_report(f, 8, "n", 0);
    all_report(f, 4, "n", 50);
    report(f, "a", "n", 6, 100.000001); /* a to d only: 1 */
    report(f, "b", "n", 6, 100.000001);
    outputs_are(f, "pump on claimed #1 by fill 12 at 100.000001\n"
                   "pump/b blocked by fleet, nothing, wants on by fill 12 at 100.000001\n");
    end(f);
}

static void a_device_that_was_acted_upon_costs_nothing_more(void **state) {
    (void)state;
    struct fixture *f = begin_fleet(FILL, 4);
    report(f, "a", "n", 6, 100);
    report(f, "a", "n", 1, 101); /* towards safe: no act */
    report(f, "a", "n", 6, 102);
    outputs_are(f, "pump on claimed #1 by fill 12 at 100\n"
                   "pump off relinquished #2 by default 17 at 101\n"
                   "pump on claimed #3 by fill 12 at 102\n");
    report(f, "c", "n", 1, 190);
    report(f, "d", "n", 1, 190);
    report(f, "b", "n", 6, 201.999999); /* the last act counts */
    outputs_are(f, "pump/b blocked by fleet, nothing, wants on by fill 12 at 201.999999\n");
    end(f);
}

/* ---- before it is settled ---- */

static void a_fleet_that_only_comes_is_held_and_asked_again(void **state) {
    (void)state;
    struct fixture *f = begin_behind(FLEET PUMP "lease 1h }\n", FILL);
    report(f, "a", "n", 6, 0);
    report(f, "b", "n", 6, 0);
    outputs_are(f, "pump on claimed #1 by fill 12 at 0\n"
                   "pump/b blocked by fleet, nothing, wants on by fill 12 at 0\n");
    for (int i = 2; i < 8; i++)
        report(f, (char[]){(char)('a' + i), '\0'}, "n", 1, 9);
    outputs_are(f, "");
    fb_core_advance(f->core, 10 * S + 1); /* a tenth later: 2 of 8 */
    outputs_are(f, "pump/b no more blocked by fleet, after 1, on, wants on by fill 12 at 10\n"
                   "pump/b on claimed #1 by fill 12 at 10\n");
    report(f, "c", "n", 6, 99);
    outputs_are(f, "pump/c blocked by fleet, nothing, wants on by fill 12 at 99\n");
    all_report(f, 2, "n", 105);
    f->outputs.n = 0;
    fb_core_advance(f->core, 109 * S + 1); /* b acted at 10, a at 0: free again */
    outputs_are(f, "pump/c no more blocked by fleet, after 1, on, wants on by fill 12 at 109\n"
                   "pump/c on claimed #1 by fill 12 at 109\n");
    end(f);
}

static void it_is_settled_when_its_first_device_is_as_old_as_the_window(void **state) {
    (void)state;
    static const struct {
        double at_s;
        const char *then;
    } cases[] = {
        {99.999999, "pump/b blocked by fleet, nothing, wants on by fill 12 at 99.999999\n"},
        {100, "pump/b blocked by fleet, nothing, wants on by fill 12 at 100\n"}};
    for (int i = 0; i < 2; i++) {
        struct fixture *f = begin_behind(FLEET PUMP "lease 1h }\n", FILL);
        report(f, "a", "n", 1, 0);
        report(f, "b", "n", 1, 60);
        report(f, "c", "n", 6, 60);
        f->outputs.n = 0;
        report(f, "b", "n", 6, cases[i].at_s);
        outputs_are(f, cases[i].then);
        /* Only where it was settled is the breaker open. */
        assert_int_equal(reset_at(f, "fill", "a", cases[i].at_s),
                         i == 0 ? FB_CALL_NOT_OPEN : FB_CALL_ACCEPTED);
        end(f);
    }
}

static void where_less_than_half_report_it_is_held(void **state) {
    (void)state;
    struct fixture *f = begin_fleet(FILL, 4);
    report(f, "a", "n", 6, 300); /* all were silent for long */
    report(f, "b", "n", 1, 300);
    report(f, "b", "n", 6, 301); /* 2 of 4 */
    outputs_are(f, "pump on claimed #1 by fill 12 at 300\n"
                   "pump/b blocked by fleet, nothing, wants on by fill 12 at 301\n");
    assert_int_equal(reset_at(f, "fill", "a", 301), FB_CALL_ACCEPTED);
    end(f);
    f = begin_fleet(FILL, 5);
    report(f, "a", "n", 6, 300);
    report(f, "b", "n", 6, 301); /* 2 of 5 */
    outputs_are(f, "pump on claimed #1 by fill 12 at 300\n"
                   "pump/b blocked by fleet, nothing, wants on by fill 12 at 301\n");
    assert_int_equal(reset_at(f, "fill", "a", 301), FB_CALL_NOT_OPEN);
    end(f);
}

static void a_short_window_asks_again_after_a_second(void **state) {
    (void)state;
    struct fixture *f = begin_behind(FLEET PUMP "lease 1h }\n", FILL_WITH("fleet 50 % per 5s"));
    report(f, "a", "n", 6, 0);
    report(f, "b", "n", 6, 0);
    report(f, "c", "n", 1, 0.5);
    report(f, "d", "n", 1, 0.5);
    f->outputs.n = 0;
    fb_core_advance(f->core, S);
    outputs_are(f, "");
    fb_core_advance(f->core, S + 1);
    outputs_are(f, "pump/b no more blocked by fleet, after 1, on, wants on by fill 12 at 1\n"
                   "pump/b on claimed #1 by fill 12 at 1\n");
    end(f);
}

/* ---- while it is open ---- */

/* a on, b refused, at 100. */
static struct fixture *opened(const char *rules) {
    struct fixture *f = begin_fleet(rules, 4);
    report(f, "a", "n", 6, 100);
    report(f, "b", "n", 6, 100);
    outputs_are(f, "pump on claimed #1 by fill 12 at 100\n"
                   "pump/b blocked by fleet, nothing, wants on by fill 12 at 100\n");
    return f;
}

static void steps_towards_safe_and_renewals_go_on(void **state) {
    (void)state;
    struct fixture *f = begin_behind(FLEET PUMP "lease 300s }\n", FILL);
    all_report(f, 4, "n", 0);
    all_report(f, 4, "n", 90);
    report(f, "a", "n", 6, 100);
    report(f, "b", "n", 6, 100);
    f->outputs.n = 0;
    fb_core_advance(f->core, 201 * S);
    outputs_are(f, "pump on renewed #2 by fill 12 at 200\n");
    report(f, "a", "n", 1, 202);
    report(f, "a", "n", 6, 203);
    outputs_are(f, "pump off relinquished #3 by default 17 at 202\n"
                   "pump blocked by fleet, off, wants on by fill 12 at 203\n");
    end(f);
}

static void another_rule_and_another_domain_have_their_own(void **state) {
    (void)state;
    struct fixture *f = opened(
        FILL "control drain on d { start when x < 0  command pump = on  fleet 25 % per 100s  "
             "rollout armed }\n");
    report(f, "c", "n", -1, 101);
    outputs_are(f, "pump/c on claimed #1 by drain 12 at 101\n");
    report(f, "s", "south", 6, 102);
    outputs_are(f, "pump/s on claimed #1 by fill 12 at 102\n");
    report(f, "d", "n", 6, 103);
    outputs_are(f, "pump/d blocked by fleet, nothing, wants on by fill 12 at 103\n");
    end(f);
}

static void rules_without_fleet_are_not_limited(void **state) {
    (void)state;
    struct fixture *f =
        opened(FILL "control drain on d { start when x < 0  command pump = on  rollout armed }\n");
    report(f, "c", "n", -1, 101);
    report(f, "d", "n", -1, 101);
    outputs_are(f, "pump/c on claimed #1 by drain 12 at 101\n"
                   "pump/d on claimed #1 by drain 12 at 101\n");
    end(f);
}

static void a_device_brings_an_open_breaker_along(void **state) {
    (void)state;
    struct fixture *f = opened(FILL);
    report(f, "s", "south", 1, 101);
    report(f, "d", "south", 1, 102);
    report(f, "s", "south", 6, 103);
    outputs_are(f, "pump/s blocked by fleet, nothing, wants on by fill 12 at 103\n");
    end(f);
}

static void in_no_domain_nothing_goes_out(void **state) {
    (void)state;
    struct fixture *f = begin_fleet(FILL, 4);
    report(f, "u", NULL, 6, 100);
    outputs_are(f, "pump/u blocked by fleet, nothing, wants on by fill 12 at 100\n");
    assert_int_equal(reset_at(f, "fill", "u", 100), FB_CALL_NOT_OPEN);
    report(f, "u", "n", 7, 101); /* no claim changes: it is asked when one does */
    report(f, "u", "n", 1, 102);
    report(f, "u", "n", 6, 103);
    outputs_are(
        f, "pump/u no more blocked by fleet, after 1, nothing, wants off by default 17 at 102\n"
           "pump/u on claimed #1 by fill 12 at 103\n");
    end(f);
}

/* ---- what does not count ---- */

static void what_another_guardrail_holds_back_opens_nothing(void **state) {
    (void)state;
    struct fixture *f = begin_behind(
        FLEET "actuator pump on d : (off, on) { safe off  minimum on 0s, off 0s  lease 1h\n"
              "starts 1 per 50s  permissive when x < 9 }\n",
        FILL);
    all_report(f, 4, "n", 0);
    all_report(f, 4, "n", 90);
    report(f, "a", "n", 6, 100);
    f->outputs.n = 0;
    report(f, "b", "n", 10, 101);
    outputs_are(f, "pump/b blocked by permissive, nothing, wants on by fill 12 at 101\n");
    assert_int_equal(reset_at(f, "fill", "a", 102), FB_CALL_NOT_OPEN);
    end(f);
}

static void what_is_caught_up_with_opens_nothing(void **state) {
    (void)state;
    struct fixture *f = begin_fleet(FILL, 4);
    f->config.max_lag_us = 60 * S;
    fb_core_free(f->core);
    f->core = fb_core_new(f->programs[0].program, &f->config, put_output, f);
    all_report(f, 4, "n", 0);
    all_report(f, 4, "n", 90);
    fb_core_set_wall(f->core, 1000 * S);
    report(f, "a", "n", 6, 100);
    report(f, "b", "n", 6, 100);
    outputs_are(f, "pump blocked by catch_up, nothing, wants on by fill 12 at 100\n"
                   "pump/b blocked by catch_up, nothing, wants on by fill 12 at 100\n");
    assert_int_equal(reset_at(f, "fill", "a", 100), FB_CALL_NOT_OPEN);
    end(f);
}

static void shadows_count_by_themselves(void **state) {
    (void)state;
    struct fixture *f =
        begin_fleet("control fill on d { start when x > 5  command pump = on  "
                    "fleet 25 % per 100s  rollout shadow }\n"
                    "control drain on d { start when x < 0  command pump = on at priority 11  "
                    "fleet 25 % per 100s  rollout armed }\n",
                    4);
    report(f, "a", "n", 6, 100);
    report(f, "b", "n", 6, 100);
    outputs_are(f, "pump* on claimed #1 by fill 12 at 100\n"
                   "pump/b* blocked by fleet, nothing, wants on by fill 12 at 100\n");
    report(f, "c", "n", -1, 101);
    report(f, "d", "n", -1, 101);
    outputs_are(f, "pump/c on claimed #1 by drain 11 at 101\n"
                   "pump/c* on claimed #1 by drain 11 at 101\n"
                   "pump/d blocked by fleet, nothing, wants on by drain 11 at 101\n"
                   "pump/d* blocked by fleet, nothing, wants on by drain 11 at 101\n");
    assert_int_equal(reset_at(f, "fill", "a", 102), FB_CALL_ACCEPTED); /* the shadow's */
    end(f);
}

static void each_step_of_a_slew_is_an_act(void **state) {
    (void)state;
    struct fixture *f = begin_behind(
        FLEET "actuator valve on d : number range 0..100 { safe 0  slew 10 per 60s  lease 1h }\n",
        "control open on d { start when x > 5  command valve = 20  fleet 25 % per 100s  "
        "rollout armed }\n");
    all_report(f, 4, "n", 0);
    all_report(f, 4, "n", 90);
    report(f, "a", "n", 6, 100);
    fb_core_advance(f->core, 161 * S);
    outputs_are(f, "valve 10 slew #1 by open 12 at 100\nvalve 20 claimed #2 by open 12 at 160\n");
    report(f, "c", "n", 1, 200);
    report(f, "b", "n", 6, 259);
    outputs_are(f, "valve/b blocked by fleet, nothing, wants 20 by open 12 at 259\n");
    end(f);
}

/* ---- reset ---- */

static void reset_closes_it_and_makes_the_budget_whole(void **state) {
    (void)state;
    struct fixture *f = opened(FILL);
    assert_int_equal(reset_at(f, "fill", "d", 110), FB_CALL_ACCEPTED); /* any of the domain */
    outputs_are(f, "");
    fb_core_advance(f->core, 111 * S);
    outputs_are(f, "pump/b no more blocked by fleet, after 1, on, wants on by fill 12 at 110\n"
                   "pump/b on claimed #1 by fill 12 at 110\n");
    report(f, "c", "n", 6, 112);
    outputs_are(f, "pump/c blocked by fleet, nothing, wants on by fill 12 at 112\n");
    assert_int_equal(reset_at(f, "fill", "a", 113), FB_CALL_ACCEPTED);
    end(f);
}

static void reset_is_refused_where_there_is_nothing_to_reset(void **state) {
    (void)state;
    struct fixture *f =
        opened(FILL "control drain on d { start when x < 0  command pump = on  rollout armed }\n");
    assert_int_equal(reset_at(f, "drain", "a", 101), FB_CALL_NO_FLEET);
    assert_int_equal(reset_at(f, "pump", "a", 101), FB_CALL_NO_FLEET);
    assert_int_equal(reset_at(f, "fill", "z", 101), FB_CALL_ELSEWHERE);
    report(f, "s", "south", 1, 102);
    assert_int_equal(reset_at(f, "fill", "s", 102), FB_CALL_NOT_OPEN);
    assert_int_equal(reset_at(f, "fill", "a", 102), FB_CALL_ACCEPTED);
    assert_int_equal(reset_at(f, "fill", "a", 102), FB_CALL_NOT_OPEN);
    end(f);
}

static void a_fleet_of_other_devices_is_theirs(void **state) {
    (void)state;
    struct fixture *f = begin_behind(
        "device plant from \"p\" {\n key g  time ts [s]  x : number\n}\n"
        "device d from \"t\" {\n key k  time ts [s]  tag g  domain g  link g : plant  x : "
        "number\n}\n" PUMP "lease 1h }\n",
        "control fill on plant { start when x > 5 until x < 3  command each d.pump = on\n"
        "  fleet 25 % per 100s  rollout armed }\n");
    const struct fb_program *program = f->programs[0].program;
    assert_int_equal(program->classes[0].n_fleets, 0);
    assert_int_equal(program->classes[1].n_fleets, 1);
    struct fb_sample samples[] = {
        {.field = 0, .text = FB_S("a")}, {.field = 1, .text = FB_S("a")}, {.field = 2, .num = 1}};
    struct fb_entry entry = {.class_index = 1, .samples = samples, .n_samples = 3};
    for (int64_t at_s = 0; at_s <= 90; at_s += 90)
        for (char id = 'a'; id < 'e'; id++) {
            samples[0].text = entry.device = (struct fb_str){&id, 1};
            entry.ts_us = at_s * S;
            assert_int_equal(fb_core_take(f->core, &entry, entry.ts_us), FB_TAKEN);
        }
    const struct fb_sample hot[] = {{.field = 0, .text = FB_S("a")}, {.field = 1, .num = 6}};
    const struct fb_entry of_plant = {
        .device = FB_S("a"), .ts_us = 100 * S, .samples = hot, .n_samples = 2};
    assert_int_equal(fb_core_take(f->core, &of_plant, 100 * S), FB_TAKEN);
    fb_core_advance(f->core, 101 * S);
    outputs_are(f, "pump on claimed #1 by fill 12 at 100\n"
                   "pump/b blocked by fleet, nothing, wants on by fill 12 at 100\n"
                   "pump/c blocked by fleet, nothing, wants on by fill 12 at 100\n"
                   "pump/d blocked by fleet, nothing, wants on by fill 12 at 100\n");
    assert_int_equal(reset_at(f, "fill", "a", 101), FB_CALL_ACCEPTED); /* d's a, not the plant's */
    end(f);
}

/* ---- restarts, other rules ---- */

static void a_restart_forgets_nothing(void **state) {
    (void)state;
    struct fixture *f = opened(FILL);
    restart(f, 100 * S);
    report(f, "c", "n", 6, 101);
    outputs_are(f, "pump/c blocked by fleet, nothing, wants on by fill 12 at 101\n");
    assert_int_equal(reset_at(f, "fill", "a", 101), FB_CALL_ACCEPTED);
    end(f);
    f = begin_fleet(FILL, 4);
    report(f, "a", "n", 6, 100);
    restart(f, 100 * S);
    f->outputs.n = 0;
    report(f, "c", "n", 6, 101);
    outputs_are(f, "pump/c blocked by fleet, nothing, wants on by fill 12 at 101\n");
    assert_int_equal(reset_at(f, "fill", "a", 101), FB_CALL_ACCEPTED);
    end(f);
}

static void other_numbers_leave_it_open(void **state) {
    (void)state;
    struct fixture *f = opened(FILL);
    change_to_behind(f, FLEET PUMP "lease 1h }\n", FILL_WITH("fleet 100 % per 10s"));
    fb_core_advance(f->core, 101 * S);
    f->outputs.n = 0;
    report(f, "c", "n", 6, 102);
    outputs_are(f, "pump/c blocked by fleet, nothing, wants on by fill 12 at 102\n");
    end(f);
}

static void a_rule_that_has_had_no_fleet_begins_anew(void **state) {
    (void)state;
    struct fixture *f = opened(FILL);
    change_to_behind(f, FLEET PUMP "lease 1h }\n", FILL_WITH(""));
    fb_core_advance(f->core, 101 * S);
    outputs_are(f, "pump/b no more blocked by fleet, after 1, on, wants on by fill 12 at 100\n"
                   "pump/b on claimed #1 by fill 12 at 100\n");
    change_to_behind(f, FLEET PUMP "lease 1h }\n", FILL);
    report(f, "c", "n", 6, 110); /* nothing is known of acts before */
    report(f, "d", "n", 6, 110);
    outputs_are(f, "pump/c on claimed #1 by fill 12 at 110\n"
                   "pump/d blocked by fleet, nothing, wants on by fill 12 at 110\n");
    assert_int_equal(reset_at(f, "fill", "a", 110), FB_CALL_NOT_OPEN); /* not settled */
    end(f);
}

/* ---- modes, alarms ---- */

static void modes_and_alarms_that_command_have_fleets_too(void **state) {
    (void)state;
    struct fixture *f = begin_fleet("mode filling on d {\n"
                                    "  state idle { go busy when x > 5 }\n"
                                    "  state busy { command pump = on  go idle when x < 3 }\n"
                                    "  fleet 25 % per 100s  rollout armed }\n",
                                    4);
    report(f, "a", "n", 6, 100);
    report(f, "b", "n", 6, 100);
    outputs_are(f, "pump on claimed #1 by filling 12 at 100\n"
                   "pump/b blocked by fleet, nothing, wants on by filling 12 at 100\n");
    assert_int_equal(reset_at(f, "filling", "c", 101), FB_CALL_ACCEPTED);
    end(f);
    f = begin_fleet("alarm high on d { raise high when x > 5  command pump = on\n"
                    "  rollout armed  fleet 25 % per 100s }\n",
                    4);
    report(f, "a", "n", 6, 100);
    report(f, "b", "n", 6, 101);
    fb_core_advance(f->core, 102 * S);
    outputs_are(f, "high raised at 100\npump on claimed #1 by high 12 at 100\n"
                   "high/b raised at 101\n"
                   "pump/b blocked by fleet, nothing, wants on by high 12 at 101\n");
    assert_int_equal(reset_at(f, "high", "c", 102), FB_CALL_ACCEPTED);
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_is_a_share_of_what_reports_rounded_down),
        cmocka_unit_test(one_device_may_always_be_acted_upon),
        cmocka_unit_test(an_act_leaves_the_window_after_its_length),
        cmocka_unit_test(what_reported_before_the_window_is_not_live),
        cmocka_unit_test(a_device_that_was_acted_upon_costs_nothing_more),
        cmocka_unit_test(a_fleet_that_only_comes_is_held_and_asked_again),
        cmocka_unit_test(it_is_settled_when_its_first_device_is_as_old_as_the_window),
        cmocka_unit_test(where_less_than_half_report_it_is_held),
        cmocka_unit_test(a_short_window_asks_again_after_a_second),
        cmocka_unit_test(steps_towards_safe_and_renewals_go_on),
        cmocka_unit_test(another_rule_and_another_domain_have_their_own),
        cmocka_unit_test(rules_without_fleet_are_not_limited),
        cmocka_unit_test(a_device_brings_an_open_breaker_along),
        cmocka_unit_test(in_no_domain_nothing_goes_out),
        cmocka_unit_test(what_another_guardrail_holds_back_opens_nothing),
        cmocka_unit_test(what_is_caught_up_with_opens_nothing),
        cmocka_unit_test(shadows_count_by_themselves),
        cmocka_unit_test(each_step_of_a_slew_is_an_act),
        cmocka_unit_test(reset_closes_it_and_makes_the_budget_whole),
        cmocka_unit_test(reset_is_refused_where_there_is_nothing_to_reset),
        cmocka_unit_test(a_fleet_of_other_devices_is_theirs),
        cmocka_unit_test(a_restart_forgets_nothing),
        cmocka_unit_test(other_numbers_leave_it_open),
        cmocka_unit_test(a_rule_that_has_had_no_fleet_begins_anew),
        cmocka_unit_test(modes_and_alarms_that_command_have_fleets_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
