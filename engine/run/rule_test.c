/* Runs a test and lays what came beside what was expected.
 *
 * Place in the flow: see rule_test.h. */
#include "engine/run/rule_test.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/calendar.h"
#include "engine/codec/encode.h"
#include "engine/core/core.h"
#include "engine/run/file_clock.h"
#include "engine/run/rule_series.h"

enum { MAX_SKEW_MIN = 10 };
#define SERIES_MAX_US (INT64_C(1) << 60)

/* An alert or event that came, kept. */
struct came {
    const struct fb_rule *rule;
    bool is_event;
    enum fb_alert_event event;
    enum fb_severity severity;
    struct fb_str device, message;
    int64_t at_us;
    struct fb_value *shown;
    bool expected;
};

struct run {
    const struct fb_program *program;
    const struct fb_checked *checked;
    const struct fb_checked_test *test;
    struct fb_arena *arena;
    struct fb_core *core;
    struct came *came;
    uint32_t n_came, cap_came;
    int64_t start_us;
    struct fb_rule_test_result *result;
    uint32_t cap_lines;
};

static void keep(void *context, const struct fb_output *output) {
    struct run *run = context;
    if (output->kind == FB_OUT_LATE)
        return;
    struct fb_buf message = {0};
    fb_encode_template(&output->rule->message, output, &message);
    struct came came = {
        .rule = output->rule,
        .is_event = output->kind == FB_OUT_EVENT,
        .event = output->event,
        .severity = output->severity,
        .device = fb_str_copy(run->arena, output->device),
        .message = fb_str_copy(run->arena, (struct fb_str){message.p, message.n}),
        .at_us = output->at_us,
        .shown = FB_ARENA_ARRAY(run->arena, struct fb_value, output->rule->n_shown + 1),
    };
    fb_buf_free(&message);
    for (uint32_t i = 0; i < output->rule->n_shown; i++) {
        came.shown[i] = output->shown[i];
        if (output->rule->shown[i].type == FB_T_TEXT && came.shown[i].quality == FB_Q_GOOD)
            came.shown[i].text = fb_str_copy(run->arena, output->shown[i].text);
    }
    FB_PUSH_ROOM(run->came, run->n_came, run->cap_came);
    run->came[run->n_came++] = came;
}

static void take(void *context, const struct fb_entry *entry, int64_t c_us) {
    struct run *run = context;
    run->result->records++;
    (void)fb_core_take(run->core, entry, c_us);
}

static bool at_of(const struct run *run, const struct fb_test_step *step, int64_t *at_us) {
    return step->at && fb_check_span(step->at, run->checked->units, at_us);
}

/* Whoever writes a series means its gaps: only records from files can leap by mistake. */
static int64_t max_skew_us(const struct fb_test_decl *test) {
    for (uint32_t i = 0; i < test->n_steps; i++)
        if (test->steps[i].kind == FB_STEP_RECORDS)
            return MAX_SKEW_MIN * FB_MINUTE;
    return SERIES_MAX_US;
}

static void play(struct run *run, const struct fb_rule_series *series) {
    struct fb_file_clock *clock = fb_file_clock_new(max_skew_us(run->test->decl), take, run);
    for (uint32_t i = 0; i < series->n_entries; i++)
        fb_file_clock_entry(clock, &series->entries[i]);
    int64_t end_us = fb_file_clock_end(clock);
    fb_file_clock_free(clock);
    /* What is expected after the last record needs the clock to go on. */
    for (uint32_t i = 0; i < run->test->decl->n_steps; i++) {
        int64_t at_us;
        if (run->test->decl->steps[i].kind == FB_STEP_EXPECT &&
            at_of(run, &run->test->decl->steps[i], &at_us) && run->start_us + at_us > end_us)
            end_us = run->start_us + at_us;
    }
    if (series->n_entries)
        fb_core_finish(run->core, end_us);
}

/* ---- comparison ---- */

static const char *word_of(const struct came *came) {
    if (came->is_event)
        return "";
    return came->event == FB_ALERT_SEVERITY ? fb_severity_name(came->severity)
                                            : fb_alert_event_name(came->event);
}

static bool word_fits(const struct fb_test_step *step, const struct came *came) {
    if (!step->word.n)
        return true;
    if (fb_str_eq(step->word, fb_str_of(word_of(came))))
        return true;
    return !came->is_event && came->event != FB_ALERT_CLEARED &&
           fb_str_eq(step->word, fb_str_of(fb_severity_name(came->severity)));
}

static bool compares(enum fb_op op, int order) {
    switch (op) {
    case FB_OP_LT:
        return order < 0;
    case FB_OP_LE:
        return order <= 0;
    case FB_OP_GT:
        return order > 0;
    case FB_OP_GE:
        return order >= 0;
    case FB_OP_EQ:
        return order == 0;
    case FB_OP_NE:
        return order != 0;
    default:
        return false;
    }
}

/* The unit in which a rule shows a name. */
static const struct fb_unit *unit_of(const struct run *run, const struct came *came,
                                     struct fb_str name) {
    for (uint32_t i = 0; i < run->checked->n_rules; i++) {
        const struct fb_rule_decl *rule = run->checked->rules[i].decl;
        const struct fb_checked_class *class_ =
            &run->checked->classes[run->checked->rules[i].class_index];
        if (!fb_str_eq(rule->name, came->rule->name))
            continue;
        for (uint32_t k = 0; k < rule->n_lets; k++)
            if (fb_str_eq(rule->lets[k]->name, name))
                return rule->lets[k]->unit ? rule->lets[k]->unit : rule->lets[k]->value->unit;
        for (uint32_t k = 0; k < class_->n_lets; k++)
            if (fb_str_eq(class_->lets[k]->name, name))
                return class_->lets[k]->unit ? class_->lets[k]->unit : class_->lets[k]->value->unit;
        for (uint32_t k = 0; k < class_->decl->n_fields; k++)
            if (fb_str_eq(class_->decl->fields[k]->name, name))
                return class_->decl->fields[k]->type.unit;
    }
    return NULL;
}

static bool with_fits(const struct run *run, const struct fb_with *with, const struct came *came) {
    uint32_t i = 0;
    while (i < came->rule->n_shown && !fb_str_eq(came->rule->shown[i].name, with->name))
        i++;
    if (i == came->rule->n_shown)
        return false;
    const struct fb_shown *shown = &came->rule->shown[i];
    const struct fb_value *value = &came->shown[i];
    const struct fb_node *wanted = with->value;
    if (wanted->kind == FB_N_UNKNOWN)
        return (value->quality != FB_Q_GOOD) == (with->op == FB_OP_EQ);
    if (value->quality != FB_Q_GOOD)
        return false;
    double x = 0;
    int64_t y = 0;
    switch (shown->type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        return fb_check_constant(wanted, unit_of(run, came, with->name), &x) &&
               compares(with->op, (value->num > x) - (value->num < x));
    case FB_T_INTEGER:
        return fb_check_constant(wanted, NULL, &x) &&
               compares(with->op, ((double)value->i > x) - ((double)value->i < x));
    case FB_T_BOOL:
        return compares(with->op, (int)value->i - (int)wanted->truth);
    case FB_T_ENUM:
        return compares(with->op, fb_str_cmp(shown->words[value->i], wanted->text));
    case FB_T_TEXT:
        return compares(with->op, fb_str_cmp(value->text, wanted->text));
    case FB_T_TIME:
        return fb_time_parse(wanted->text, &y) &&
               compares(with->op, (value->i > y) - (value->i < y));
    case FB_T_NONE:
        break;
    }
    return false;
}

static bool fits(const struct run *run, const struct fb_test_step *step, const struct came *came) {
    int64_t at_us;
    if (came->is_event != (step->rule_kind == FB_RULE_EVENT) ||
        !fb_str_eq(came->rule->name, step->rule) || !word_fits(step, came))
        return false;
    if (step->of.n && !fb_str_eq(step->of, came->device))
        return false;
    if (at_of(run, step, &at_us) && came->at_us != run->start_us + at_us)
        return false;
    for (uint32_t i = 0; i < step->n_with; i++)
        if (!with_fits(run, &step->with[i], came))
            return false;
    return true;
}

/* ---- report ---- */

static void add_line(struct run *run, int64_t at_us, struct fb_str expected, struct fb_str actual,
                     bool wrong) {
    struct fb_rule_test_result *result = run->result;
    FB_PUSH_ROOM(result->lines, result->n_lines, run->cap_lines);
    result->lines[result->n_lines++] = (struct fb_rule_test_line){at_us, expected, actual, wrong};
    result->passed &= !wrong;
}

/* The expectation as it was written, on one line. */
static struct fb_str text_of(const struct run *run, const struct fb_test_step *step) {
    struct fb_str text = run->checked->tree->sources->files[step->span.file].text;
    struct fb_buf buf = {0};
    bool blank = false;
    for (uint32_t i = step->span.start; i < step->span.end; i++) {
        char c = text.p[i];
        if (c == '#')
            break;
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            blank = true;
            continue;
        }
        if (blank)
            fb_buf_char(&buf, ' ');
        blank = false;
        fb_buf_char(&buf, c);
    }
    struct fb_str copy = fb_str_copy(run->arena, (struct fb_str){buf.p, buf.n});
    fb_buf_free(&buf);
    return copy;
}

static struct fb_str text_of_came(const struct run *run, const struct came *came) {
    char at[FB_TIME_TEXT_MAX];
    at[fb_span_format(came->at_us - run->start_us, at)] = 0;
    const char *word = word_of(came);
    bool raised = !came->is_event && came->event == FB_ALERT_RAISED;
    return fb_str_printf(run->arena, "%s %.*s of %.*s%s%s%s%s at %s%s%.*s",
                         came->is_event ? "event" : "alarm", FB_ARG(came->rule->name),
                         FB_ARG(came->device), *word ? " " : "", word, raised ? " " : "",
                         raised ? fb_severity_name(came->severity) : "", at,
                         came->message.n ? ": " : "", FB_ARG(came->message));
}

static struct came *first_fit(struct run *run, const struct fb_test_step *step) {
    for (uint32_t i = 0; i < run->n_came; i++)
        if (!run->came[i].expected && fits(run, step, &run->came[i]))
            return &run->came[i];
    return NULL;
}

static void judge(struct run *run) {
    const struct fb_test_decl *test = run->test->decl;
    for (uint32_t i = 0; i < test->n_steps; i++) {
        const struct fb_test_step *step = &test->steps[i];
        if (step->kind != FB_STEP_EXPECT || step->no)
            continue;
        struct came *came = first_fit(run, step);
        int64_t at_us = FB_NO_TIME;
        (void)at_of(run, step, &at_us);
        if (came) {
            came->expected = true;
            add_line(run, came->at_us - run->start_us, text_of(run, step), text_of_came(run, came),
                     false);
        } else {
            add_line(run, at_us, text_of(run, step), (struct fb_str){0}, true);
        }
    }
    for (uint32_t i = 0; i < run->n_came; i++) {
        struct came *came = &run->came[i];
        struct fb_str forbidden = {0};
        for (uint32_t k = 0; !came->expected && k < test->n_steps; k++)
            if (test->steps[k].kind == FB_STEP_EXPECT && test->steps[k].no &&
                fits(run, &test->steps[k], came))
                forbidden = text_of(run, &test->steps[k]);
        if (!came->expected)
            add_line(run, came->at_us - run->start_us, forbidden, text_of_came(run, came), true);
    }
}

static int by_time(const void *a, const void *b) {
    const struct fb_rule_test_line *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    return 0;
}

void fb_rule_test_run(const struct fb_program *program, const struct fb_checked *checked,
                      const struct fb_checked_test *test, struct fb_arena *arena,
                      struct fb_rule_test_result *result) {
    *result = (struct fb_rule_test_result){.passed = true};
    struct run run = {
        .program = program,
        .checked = checked,
        .test = test,
        .arena = arena,
        .result = result,
    };
    struct fb_rule_series series;
    if (!fb_rule_series_make(program, checked, test, arena, &series, &result->err)) {
        result->passed = false;
        return;
    }
    struct fb_core_config config = {.max_skew_us = max_skew_us(test->decl)};
    run.start_us = series.start_us;
    run.core = fb_core_new(program, &config, keep, &run);
    play(&run, &series);
    judge(&run);
    fb_core_free(run.core);
    if (result->n_lines)
        qsort(result->lines, result->n_lines, sizeof *result->lines, by_time);
    struct fb_rule_test_line *lines =
        FB_ARENA_ARRAY(arena, struct fb_rule_test_line, result->n_lines + 1);
    if (result->n_lines)
        memcpy(lines, result->lines, sizeof *lines * result->n_lines);
    free(result->lines);
    result->lines = lines;
    free(run.came);
}
