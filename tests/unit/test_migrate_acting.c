/* Other rules for devices whose actuators are in use: what is remembered, what is withdrawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "engine/core/migrate.h"
#include "rules/compile.h"

#define S INT64_C(1000000)
#define DEVICE                                                                                     \
    "device d from \"t\" {\n key k  time ts [s]\n x : number\n y : number\n}\n"
#define FREE "minimum on 0s, off 0s"
#define PUMP "actuator pump on d : (off, on) { safe off  " FREE " }\n"

enum { PROGRAMS = 4 };

struct fixture {
    struct fb_diags *diags[PROGRAMS];
    struct fb_compiled programs[PROGRAMS];
    int n;
    struct fb_core *core;
    struct fb_buf outputs; /* since they were looked at last */
};

/* "1: pump on claimed by run, 3"; renewals are left out, a shadow's name stands in brackets. */
static void put(void *context, const struct fb_output *output) {
    struct fixture *f = context;
    const struct fb_actuator *actuator = output->actuator;
    if (output->kind != FB_OUT_COMMAND || output->reason == FB_REASON_RENEWED)
        return;
    fb_buf_printf(&f->outputs, "%lld: %s%.*s%s ", (long long)(output->at_us / S),
                  actuator->shadow ? "(" : "", FB_ARG(actuator->name),
                  actuator->shadow ? ")" : "");
    if (actuator->is_switch)
        fb_buf_str(&f->outputs, actuator->words[output->value > 0]);
    else
        fb_buf_printf(&f->outputs, "%g", output->value);
    fb_buf_printf(&f->outputs, " %s", fb_command_reason_name(output->reason));
    if (output->rule)
        fb_buf_printf(&f->outputs, " by %.*s", FB_ARG(output->rule->name));
    fb_buf_printf(&f->outputs, ", %llu\n", (unsigned long long)output->seq);
}

static const struct fb_program *compile(struct fixture *f, const char *rules) {
    struct fb_sources *sources = fb_sources_new();
    struct fb_buf text = {0}, printed = {0};
    assert_true(f->n < PROGRAMS);
    fb_buf_text(&text, DEVICE);
    fb_buf_text(&text, rules);
    f->diags[f->n] = fb_diags_new();
    fb_sources_add(sources, FB_S("test.rules"), (struct fb_str){text.p, text.n});
    if (!fb_compile_sources(sources, f->diags[f->n], &f->programs[f->n])) {
        fb_diags_print(f->diags[f->n], f->programs[f->n].sources, false, &printed);
        fail_msg("%s", fb_buf_terminated(&printed));
    }
    fb_buf_free(&text);
    return f->programs[f->n++].program;
}

static struct fixture *begin(const char *rules) {
    static const struct fb_core_config config = {.max_skew_us = 100000 * S};
    struct fixture *f = calloc(1, sizeof *f);
    f->core = fb_core_new(compile(f, rules), &config, put, f);
    return f;
}

static void end(struct fixture *f) {
    fb_core_free(f->core);
    for (int i = 0; i < f->n; i++) {
        fb_compiled_free(&f->programs[i]);
        fb_diags_free(f->diags[i]);
    }
    fb_buf_free(&f->outputs);
    free(f);
}

/* A record of device a at the second `at`; the clock goes there, too. */
static void take(struct fixture *f, int64_t at, uint16_t field, double value) {
    const struct fb_sample samples[] = {{.field = 0, .text = FB_S("a")},
                                        {.field = field, .num = value}};
    const struct fb_entry entry = {
        .device = FB_S("a"), .ts_us = at * S, .samples = samples, .n_samples = 2};
    assert_int_equal(fb_core_take(f->core, &entry, at * S), FB_TAKEN);
}
static void take_x(struct fixture *f, int64_t at, double x) {
    take(f, at, 1, x);
}

static void outputs_are(struct fixture *f, const char *wanted) {
    assert_string_equal(fb_buf_terminated(&f->outputs), wanted);
    f->outputs.n = 0;
}

static void change(struct fixture *f, const char *rules) {
    const struct fb_program *from = f->programs[f->n - 1].program;
    struct fb_migration *migration = fb_migration_new(from, compile(f, rules));
    fb_core_change_program(f->core, migration);
    fb_migration_free(migration);
}

/* ---- claims -------------------------------------------------------------------------------- */

#define RUN "control run on d { start when x > 10  command pump = on  rollout armed }\n"

static void the_claim_of_a_control_that_is_gone_is_withdrawn(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP RUN);
    take_x(f, 1, 20);
    outputs_are(f, "1: pump on claimed by run, 1\n");
    change(f, PUMP);
    fb_core_advance(f->core, 3 * S);
    outputs_are(f, "1: pump off relinquished, 2\n");
    end(f);
}

static void a_control_with_another_number_keeps_its_claim(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP RUN);
    take_x(f, 1, 20);
    outputs_are(f, "1: pump on claimed by run, 1\n");
    change(f, PUMP "control run on d { start when x > 15  command pump = on  rollout armed }\n");
    fb_core_advance(f->core, 3 * S);
    outputs_are(f, "");
    change(f, PUMP "control run on d { start when x > 25  command pump = on  rollout armed }\n");
    fb_core_advance(f->core, 5 * S);
    outputs_are(f, "3: pump off relinquished, 2\n");
    end(f);
}

static void a_command_with_another_value_is_followed_without_a_record(void **state) {
    (void)state;
    struct fixture *f = begin("actuator v on d : number range 0..100 { safe 0 }\n"
                              "control run on d { command v = 2 * x  rollout armed }\n");
    take_x(f, 1, 20);
    outputs_are(f, "1: v 40 claimed by run, 1\n");
    change(f, "actuator v on d : number range 0..100 { safe 0 }\n"
              "control run on d { command v = 3 * x  rollout armed }\n");
    fb_core_advance(f->core, 3 * S);
    outputs_are(f, "1: v 60 claimed by run, 2\n");
    end(f);
}

static void a_delay_in_a_start_goes_on_with_another_length(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP "control run on d { start when x > 10 for 20s\n"
                                   "  command pump = on  rollout armed }");
    take_x(f, 1, 20);
    change(f, PUMP "control run on d { start when x > 10 for 8s\n"
                   "  command pump = on  rollout armed }");
    take(f, 30, 2, 1);
    outputs_are(f, "9: pump on claimed by run, 1\n");
    end(f);
}

static void a_control_that_is_not_armed_any_more_leaves_the_actuator(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP RUN);
    take_x(f, 1, 20);
    outputs_are(f, "1: pump on claimed by run, 1\n");
    change(f, PUMP "control run on d { start when x > 10  command pump = on  rollout shadow }\n");
    fb_core_advance(f->core, 3 * S);
    outputs_are(f, "1: pump off relinquished, 2\n1: (pump) on claimed by run, 1\n");
    end(f);
}

/* ---- memory -------------------------------------------------------------------------------- */

static void a_minimum_off_time_goes_on_whatever_else_changes(void **state) {
    (void)state;
    struct fixture *f =
        begin("actuator pump on d : (off, on) { safe off  minimum on 0s, off 60s }\n" RUN);
    take_x(f, 1, 0);
    take_x(f, 61, 20);
    take_x(f, 100, 0);
    outputs_are(f, "61: pump on claimed by run, 1\n100: pump off relinquished, 3\n");
    change(f, "actuator pump on d : (off, on) { safe off  minimum on 0s, off 50s  starts 9 per 1h\n"
              "  breaker 9 reversals in 1h, hold 1h }\n"
              "actuator other on d : (off, on) { safe off }\n"
              "control run on d { start when y > 10  command pump = on  rollout armed }\n");
    take(f, 110, 2, 20);
    outputs_are(f, "");
    take(f, 200, 2, 20);
    outputs_are(f, "150: pump on claimed by run, 6\n");
    end(f);
}

static void starts_are_counted_on_where_there_is_room_for_more(void **state) {
    (void)state;
    static const char *const three =
        "actuator pump on d : (off, on) { safe off  " FREE "  starts 3 per 1h  lease 3h }\n" RUN;
    struct fixture *f =
        begin("actuator pump on d : (off, on) { safe off  " FREE
              "  starts 2 per 1h  lease 3h }\n" RUN);
    for (int64_t i = 0; i < 2; i++) {
        take_x(f, 1 + 20 * i, 20);
        take_x(f, 11 + 20 * i, 0);
    }
    outputs_are(f, "1: pump on claimed by run, 1\n11: pump off relinquished, 2\n"
                   "21: pump on claimed by run, 3\n31: pump off relinquished, 4\n");
    change(f, three);
    take_x(f, 41, 20);
    take_x(f, 51, 0);
    outputs_are(f, "41: pump on claimed by run, 5\n51: pump off relinquished, 6\n");
    take_x(f, 61, 20);
    outputs_are(f, "");
    take_x(f, 3700, 20);
    outputs_are(f, "3601: pump on claimed by run, 7\n");
    end(f);
}

static void of_other_words_nothing_counts_as_accepted(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP RUN);
    take_x(f, 1, 20);
    outputs_are(f, "1: pump on claimed by run, 1\n");
    change(f, "actuator pump on d : (shut, open) { safe shut  " FREE " }\n"
              "control run on d { start when x > 10  command pump = open  rollout armed }\n");
    fb_core_advance(f->core, 3 * S);
    outputs_are(f, "1: pump open claimed by run, 2\n");
    end(f);
}

static void with_another_topic_all_is_kept(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP RUN);
    take_x(f, 1, 20);
    outputs_are(f, "1: pump on claimed by run, 1\n");
    assert_int_equal(f->programs[0].program->classes[0].actuators[0].to.n, 0);
    change(f, "actuator pump on d : (off, on) { to \"valves\"  safe off  " FREE " }\n" RUN);
    take_x(f, 2, 20);
    outputs_are(f, "");
    take_x(f, 3, 0);
    outputs_are(f, "3: pump off relinquished, 2\n");
    const struct fb_actuator *pump = &f->programs[1].program->classes[0].actuators[0];
    assert_true(fb_str_eq(pump->to, FB_S("valves")));
    end(f);
}

static void an_actuator_that_is_gone_gets_nothing_more(void **state) {
    (void)state;
    struct fixture *f = begin(PUMP RUN);
    take_x(f, 1, 20);
    outputs_are(f, "1: pump on claimed by run, 1\n");
    change(f, "alarm a on d { raise low when y > 1 }");
    fb_core_advance(f->core, 300 * S);
    outputs_are(f, "");
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_claim_of_a_control_that_is_gone_is_withdrawn),
        cmocka_unit_test(a_control_with_another_number_keeps_its_claim),
        cmocka_unit_test(a_command_with_another_value_is_followed_without_a_record),
        cmocka_unit_test(a_delay_in_a_start_goes_on_with_another_length),
        cmocka_unit_test(a_control_that_is_not_armed_any_more_leaves_the_actuator),
        cmocka_unit_test(a_minimum_off_time_goes_on_whatever_else_changes),
        cmocka_unit_test(starts_are_counted_on_where_there_is_room_for_more),
        cmocka_unit_test(of_other_words_nothing_counts_as_accepted),
        cmocka_unit_test(with_another_topic_all_is_kept),
        cmocka_unit_test(an_actuator_that_is_gone_gets_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
