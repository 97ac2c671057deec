/* Plays a test's records through a core and keeps what comes.
 *
 * Place in the flow: see rule_test.h. */
#include "engine/run/rule_test.h"

#include <stdlib.h>

#include "engine/base/calendar.h"
#include "engine/codec/encode.h"
#include "engine/core/core.h"
#include "engine/run/file_clock.h"
#include "engine/run/rule_judge.h"
#include "engine/run/rule_series.h"

enum { MAX_SKEW_MIN = 10 };
#define SERIES_MAX_US (INT64_C(1) << 60)

struct run {
    const struct fb_checked *checked;
    const struct fb_checked_test *test;
    struct fb_arena *arena;
    struct fb_core *core;
    struct fb_came *came;
    uint32_t n_came, cap_came;
    int64_t start_us;
    struct fb_rule_test_result *result;
};

/* Renewals say nothing new, shadows command nobody. */
static bool is_of_interest(const struct fb_output *output) {
    switch (output->kind) {
    case FB_OUT_ALERT:
    case FB_OUT_EVENT:
        return true;
    case FB_OUT_COMMAND:
        return !output->actuator->shadow && output->reason != FB_REASON_RENEWED;
    case FB_OUT_LATE:
    case FB_OUT_BLOCKED:
    case FB_OUT_MUTED:
        break;
    }
    return false;
}

static void keep_shown(const struct run *run, const struct fb_output *output,
                       struct fb_came *came) {
    uint32_t n = output->rule->n_shown;
    came->shown = FB_ARENA_ARRAY(run->arena, struct fb_value, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        came->shown[i] = output->shown[i];
        if (output->rule->shown[i].type == FB_T_TEXT && came->shown[i].quality == FB_Q_GOOD)
            came->shown[i].text = fb_str_copy(run->arena, output->shown[i].text);
    }
}

static void keep(void *context, const struct fb_output *output) {
    struct run *run = context;
    struct fb_buf message = {0};
    if (!is_of_interest(output))
        return;
    if (output->rule)
        fb_encode_template(&output->rule->message, output, &message);
    struct fb_came came = {
        .rule = output->rule,
        .actuator = output->kind == FB_OUT_COMMAND ? output->actuator : NULL,
        .value = output->value,
        .requested = output->requested,
        .class_index = output->class_index,
        .is_event = output->kind == FB_OUT_EVENT,
        .event = output->event,
        .severity = output->severity,
        .device = fb_str_copy(run->arena, output->device),
        .message = fb_str_copy(run->arena, (struct fb_str){message.p, message.n}),
        .at_us = output->at_us - run->start_us,
    };
    fb_buf_free(&message);
    if (!came.actuator)
        keep_shown(run, output, &came);
    FB_PUSH_ROOM(run->came, run->n_came, run->cap_came);
    run->came[run->n_came++] = came;
}

static void take(void *context, const struct fb_entry *entry, int64_t c_us) {
    struct run *run = context;
    enum fb_taken taken = fb_core_take(run->core, entry, c_us);
    run->result->records++;
    run->result->late += taken == FB_TAKEN_LATE;
    run->result->future += taken == FB_TAKEN_FUTURE;
}

/* Whoever writes a series means its gaps: only records from files can leap by mistake. */
static int64_t max_skew_us(const struct fb_test_decl *test) {
    for (uint32_t i = 0; i < test->n_steps; i++)
        if (test->steps[i].kind == FB_STEP_RECORDS)
            return MAX_SKEW_MIN * FB_MINUTE;
    return SERIES_MAX_US;
}

static void play(struct run *run, const struct fb_program *program,
                 const struct fb_rule_series *series) {
    const struct fb_test_decl *decl = run->test->decl;
    struct fb_file_clock *clock = fb_file_clock_new(program, max_skew_us(decl), take, run);
    for (uint32_t i = 0; i < series->n_entries; i++)
        fb_file_clock_entry(clock, &series->entries[i]);
    int64_t end_us = fb_file_clock_end(clock);
    fb_file_clock_free(clock);
    /* What is expected after the last record needs the clock to go on. */
    for (uint32_t i = 0; i < decl->n_steps; i++) {
        int64_t at_us = fb_rule_judge_at(run->checked, &decl->steps[i]);
        if (at_us != FB_NO_TIME && run->start_us + at_us > end_us)
            end_us = run->start_us + at_us;
    }
    fb_core_finish(run->core, end_us);
}

/* ---- what no run could meet ---- */

static bool has_device_of(const struct fb_rule_series *series, uint32_t class_index) {
    for (uint32_t i = 0; i < series->n_devices; i++)
        if (series->devices[i].class_index == class_index)
            return true;
    return false;
}

/* Of a command the rule that stands for its actuator. Two devices may have actuators of one name:
 * then that of the test's, or else one that the records are of. */
static const struct fb_rule *rule_of(const struct run *run, const struct fb_program *program,
                                     const struct fb_rule_series *series,
                                     const struct fb_test_step *step) {
    const struct fb_rule *found = NULL;
    for (uint32_t i = 0; i < program->n_rules; i++) {
        const struct fb_rule *rule = &program->rules[i];
        if (rule->sort == FB_SORT_PUBLISHED || step->command != (rule->sort == FB_SORT_ACTUATOR) ||
            !fb_str_eq(rule->name, step->rule))
            continue;
        if (rule->class_index == run->test->class_index ||
            (run->test->class_index == UINT32_MAX && has_device_of(series, rule->class_index)))
            return rule;
        found = rule;
    }
    FB_ASSERT(found); /* check has looked for it */
    return found;
}

/* "p1, p2": at most ten. */
static void list_name(struct fb_buf *list, uint32_t n, struct fb_str name) {
    enum { NAMES_MAX = 10 };
    if (n < NAMES_MAX)
        fb_buf_printf(list, "%s`%.*s`", n ? ", " : "", FB_ARG(name));
    else if (n == NAMES_MAX)
        fb_buf_text(list, ", ..");
}

static bool check_device(const struct run *run, const struct fb_program *program,
                         const struct fb_rule_series *series, const struct fb_test_step *step,
                         const struct fb_rule *rule, struct fb_err *err) {
    if (program->classes[rule->class_index].group_class != FB_NO_INDEX)
        return true; /* a group comes with its members and has no records */
    struct fb_buf list = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < series->n_devices; i++) {
        if (series->devices[i].class_index != rule->class_index)
            continue;
        if (!step->of.n || fb_str_eq(series->devices[i].id, step->of)) {
            fb_buf_free(&list);
            return true;
        }
        list_name(&list, n++, series->devices[i].id);
    }
    uint32_t line = fb_rule_series_line(run->checked, step);
    if (!step->of.n)
        fb_fail(err, FB_FATAL, "line %u: no record of this test is of a device that `%.*s` is for",
                line, FB_ARG(rule->name));
    else
        fb_fail(err, FB_FATAL, "line %u: no record of this test is of `%.*s`; its devices are %.*s",
                line, FB_ARG(step->of), (int)list.n, list.p);
    fb_buf_free(&list);
    return false;
}

static bool check_with(const struct run *run, const struct fb_test_step *step,
                       const struct fb_rule *rule, struct fb_err *err) {
    for (uint32_t i = 0; i < step->n_with; i++) {
        uint32_t k = 0;
        while (k < rule->n_shown && !fb_str_eq(rule->shown[k].name, step->with[i].name))
            k++;
        if (k < rule->n_shown)
            continue;
        struct fb_buf list = {0};
        for (k = 0; k < rule->n_shown; k++)
            list_name(&list, k, rule->shown[k].name);
        fb_fail(err, FB_FATAL,
                "line %u: `%.*s` carries no value `%.*s`: it has those that its conditions name%s"
                "%.*s",
                fb_rule_series_line(run->checked, step), FB_ARG(rule->name),
                FB_ARG(step->with[i].name), list.n ? ", " : ", and they name none", (int)list.n,
                list.n ? list.p : "");
        fb_buf_free(&list);
        return false;
    }
    return true;
}

/* An expectation of a device or value that cannot come would fail without saying why, and an
 * `expect no` of it would never fail. */
static bool check_expectations(const struct run *run, const struct fb_program *program,
                               const struct fb_rule_series *series, struct fb_err *err) {
    const struct fb_test_decl *decl = run->test->decl;
    if (!series->n_entries)
        return fb_fail(err, FB_FATAL, "the test has no records: write `series ID.FIELD = ..` or "
                                      "`records \"file.ndjson\"`");
    for (uint32_t i = 0; i < decl->n_steps; i++) {
        const struct fb_test_step *step = &decl->steps[i];
        if (step->kind != FB_STEP_EXPECT)
            continue;
        const struct fb_rule *rule = rule_of(run, program, series, step);
        if (!check_device(run, program, series, step, rule, err) ||
            (!step->command && !check_with(run, step, rule, err)))
            return false;
    }
    return true;
}

void fb_rule_test_run(const struct fb_program *program, const struct fb_checked *checked,
                      const struct fb_checked_test *test, struct fb_arena *arena,
                      struct fb_rule_test_result *result) {
    *result = (struct fb_rule_test_result){.passed = true};
    struct run run = {.checked = checked, .test = test, .arena = arena, .result = result};
    struct fb_rule_series series;
    if (!fb_rule_series_make(program, checked, test, arena, &series, &result->err) ||
        !check_expectations(&run, program, &series, &result->err)) {
        result->passed = false;
        return;
    }
    struct fb_core_config config = {.max_skew_us = max_skew_us(test->decl)};
    run.start_us = series.start_us;
    run.core = fb_core_new(program, &config, keep, &run);
    play(&run, program, &series);
    fb_rule_judge(checked, test, run.came, run.n_came, arena, result);
    fb_core_free(run.core);
    free(run.came);
}
