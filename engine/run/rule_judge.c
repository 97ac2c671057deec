/* Expectations and outputs: who belongs to whom, and what is wrong with the rest.
 *
 * Place in the flow: see rule_judge.h. */
#include "engine/run/rule_judge.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/calendar.h"
#include "engine/codec/encode.h"
#include "rules/lex.h"

enum { NONE = UINT32_MAX };

struct judge {
    const struct fb_checked *checked;
    const struct fb_checked_test *test;
    const struct fb_came *came;
    uint32_t n_came;
    struct fb_arena *arena;
    struct fb_rule_test_result *result;
    uint32_t *met_by;  /* of each step: the output that meets it */
    uint32_t *meets;   /* of each output: the step that it meets */
    uint32_t *forbids; /* of each output: the `expect no` that names it */
    bool *seen;        /* of each output, during one search */
};

int64_t fb_rule_judge_at(const struct fb_checked *checked, const struct fb_test_step *step) {
    int64_t at_us;
    return step->kind == FB_STEP_EXPECT && step->at &&
                   fb_check_span(step->at, checked->units, &at_us)
               ? at_us
               : FB_NO_TIME;
}

/* ---- does it fit ---- */

static bool rule_fits(const struct fb_test_step *step, const struct fb_came *came) {
    if (step->command || came->actuator)
        return step->command && came->actuator && fb_str_eq(came->actuator->name, step->rule);
    return came->is_event == (step->rule_kind == FB_RULE_EVENT) &&
           fb_str_eq(came->rule->name, step->rule);
}

static bool device_fits(const struct fb_test_step *step, const struct fb_came *came) {
    return !step->of.n || fb_str_eq(step->of, came->device);
}

static bool word_fits(const struct fb_test_step *step, const struct fb_came *came) {
    if (!step->word.n)
        return true;
    if (came->actuator)
        return came->actuator->is_switch &&
               fb_str_eq(step->word, came->actuator->words[came->value != 0]);
    bool severity = fb_str_eq(step->word, fb_str_of(fb_severity_name(came->severity))) &&
                    (came->event == FB_ALERT_RAISED || came->event == FB_ALERT_SEVERITY);
    if (step->severity.n)
        return came->event == FB_ALERT_RAISED &&
               fb_str_eq(step->severity, fb_str_of(fb_severity_name(came->severity)));
    return severity || (came->event != FB_ALERT_SEVERITY &&
                        fb_str_eq(step->word, fb_str_of(fb_alert_event_name(came->event))));
}

static bool time_fits(const struct judge *judge, const struct fb_test_step *step,
                      const struct fb_came *came) {
    int64_t at_us = fb_rule_judge_at(judge->checked, step);
    return at_us == FB_NO_TIME || at_us == came->at_us;
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
static const struct fb_unit *unit_of(const struct fb_checked *checked, const struct fb_came *came,
                                     struct fb_str name) {
    for (uint32_t i = 0; i < checked->n_rules; i++) {
        const struct fb_rule_decl *rule = checked->rules[i].decl;
        const struct fb_checked_class *class_ = &checked->classes[checked->rules[i].class_index];
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

static const struct fb_unit *unit_of_actuator(const struct fb_checked *checked,
                                              const struct fb_came *came) {
    for (uint32_t i = 0; i < checked->n_actuators; i++)
        if (checked->actuators[i].class_index == came->class_index &&
            fb_str_eq(checked->actuators[i].decl->name, came->actuator->name))
            return checked->actuators[i].decl->type.unit;
    return NULL;
}

static uint32_t shown_index(const struct fb_rule *rule, struct fb_str name) {
    for (uint32_t i = 0; i < rule->n_shown; i++)
        if (fb_str_eq(rule->shown[i].name, name))
            return i;
    return NONE;
}

/* `value` and `requested`; a word is in the unit of none. */
static bool command_fits(const struct judge *judge, const struct fb_with *with,
                         const struct fb_came *came) {
    double value = fb_str_eq(with->name, FB_S("value")) ? came->value : came->requested, x;
    if (with->value->kind == FB_N_UNKNOWN)
        return with->op == FB_OP_NE;
    if (came->actuator->is_switch)
        return compares(with->op,
                        fb_str_cmp(came->actuator->words[value != 0], with->value->text));
    return fb_check_constant(with->value, unit_of_actuator(judge->checked, came), &x) &&
           compares(with->op, (value > x) - (value < x));
}

static bool with_fits(const struct judge *judge, const struct fb_with *with,
                      const struct fb_came *came) {
    if (came->actuator)
        return command_fits(judge, with, came);
    uint32_t i = shown_index(came->rule, with->name);
    if (i == NONE)
        return false;
    const struct fb_shown *shown = &came->rule->shown[i];
    const struct fb_value *value = &came->shown[i];
    const struct fb_node *wanted = with->value;
    if (wanted->kind == FB_N_UNKNOWN)
        return (value->quality != FB_Q_GOOD) == (with->op == FB_OP_EQ);
    if (value->quality != FB_Q_GOOD)
        return false;
    double x = 0;
    switch (shown->type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        return fb_check_constant(wanted,
                                 with->linked ? with->linked->unit
                                              : unit_of(judge->checked, came, with->name),
                                 &x) &&
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
    case FB_T_TIME: /* has no literal to compare with, but unknown */
    case FB_T_NONE:
        break;
    }
    return false;
}

static bool fits(const struct judge *judge, const struct fb_test_step *step,
                 const struct fb_came *came) {
    if (!rule_fits(step, came) || !device_fits(step, came) || !word_fits(step, came) ||
        !time_fits(judge, step, came))
        return false;
    for (uint32_t i = 0; i < step->n_with; i++)
        if (!with_fits(judge, &step->with[i], came))
            return false;
    return true;
}

/* ---- who belongs to whom ---- */

static const struct fb_test_step *step_at(const struct judge *judge, uint32_t i) {
    return &judge->test->decl->steps[i];
}

static bool wants(const struct judge *judge, uint32_t i) {
    return step_at(judge, i)->kind == FB_STEP_EXPECT && !step_at(judge, i)->no;
}

/* Finds an output for the step; another step gives its own up if it finds a second one. */
static bool meet(struct judge *judge, uint32_t step) {
    for (uint32_t i = 0; i < judge->n_came; i++) {
        if (judge->seen[i] || judge->forbids[i] != NONE ||
            !fits(judge, step_at(judge, step), &judge->came[i]))
            continue;
        judge->seen[i] = true;
        if (judge->meets[i] == NONE || meet(judge, judge->meets[i])) {
            judge->meets[i] = step;
            judge->met_by[step] = i;
            return true;
        }
    }
    return false;
}

static void deal_out(struct judge *judge) {
    uint32_t n_steps = judge->test->decl->n_steps;
    for (uint32_t i = 0; i < judge->n_came; i++)
        for (uint32_t k = 0; k < n_steps && judge->forbids[i] == NONE; k++)
            if (step_at(judge, k)->kind == FB_STEP_EXPECT && step_at(judge, k)->no &&
                fits(judge, step_at(judge, k), &judge->came[i]))
                judge->forbids[i] = k;
    for (uint32_t k = 0; k < n_steps; k++) {
        if (!wants(judge, k))
            continue;
        memset(judge->seen, 0, sizeof *judge->seen * judge->n_came);
        (void)meet(judge, k);
    }
}

static int64_t distance(int64_t a, int64_t b) {
    return a > b ? a - b : b - a;
}

/* The output that an unmet expectation most probably means: of its rule and device, with its word
 * or at its time; the nearest in time of those. */
static uint32_t nearest(const struct judge *judge, uint32_t k) {
    const struct fb_test_step *step = step_at(judge, k);
    int64_t at_us = fb_rule_judge_at(judge->checked, step);
    uint32_t best = NONE;
    bool best_word = false;
    int64_t best_distance = 0;
    for (uint32_t i = 0; i < judge->n_came; i++) {
        const struct fb_came *came = &judge->came[i];
        bool word = word_fits(step, came);
        if (judge->meets[i] != NONE || judge->forbids[i] != NONE || !rule_fits(step, came) ||
            !device_fits(step, came) || (!word && (!step->at || !time_fits(judge, step, came))))
            continue;
        int64_t far = at_us == FB_NO_TIME ? 0 : distance(came->at_us, at_us);
        if (best == NONE || word > best_word || (word == best_word && far < best_distance)) {
            best = i;
            best_word = word;
            best_distance = far;
        }
    }
    return best;
}

/* ---- texts ---- */

static struct fb_str keep_text(const struct judge *judge, struct fb_buf *buf) {
    struct fb_str copy = fb_str_copy(judge->arena, (struct fb_str){buf->p, buf->n});
    fb_buf_free(buf);
    return copy;
}

/* The expectation as it was written, on one line and without comments. */
static struct fb_str text_of(const struct judge *judge, uint32_t k) {
    const struct fb_test_step *step = step_at(judge, k);
    struct fb_str text = judge->checked->tree->sources->files[step->span.file].text;
    struct fb_buf buf = {0};
    bool blank = false;
    char quote = 0;
    for (uint32_t i = step->span.start; i < step->span.end; i++) {
        char c = text.p[i];
        if (!quote && c == '#')
            while (i + 1 < step->span.end && text.p[i + 1] != '\n')
                i++;
        if (!quote && (c == '#' || c == ' ' || c == '\n' || c == '\t' || c == '\r')) {
            blank = true;
            continue;
        }
        if (blank && buf.n)
            fb_buf_char(&buf, ' ');
        blank = false;
        fb_buf_char(&buf, c);
        if (quote == '"' && c == '\\' && i + 1 < step->span.end)
            fb_buf_char(&buf, text.p[++i]);
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '`')
            quote = c;
    }
    return keep_text(judge, &buf);
}

static void put_span(struct fb_buf *buf, int64_t us) {
    char text[FB_TIME_TEXT_MAX];
    fb_buf_put(buf, text, fb_span_format(us, text));
}

static void put_id(struct fb_buf *buf, struct fb_str id) {
    const char *quote = fb_lex_is_word(id) ? "" : "`";
    fb_buf_printf(buf, "%s%.*s%s", quote, FB_ARG(id), quote);
}

static void put_asked(struct fb_buf *buf, const struct fb_actuator *actuator, double value) {
    if (actuator->is_switch) {
        put_id(buf, actuator->words[value != 0]);
        return;
    }
    struct fb_slot slot = {.unit = actuator->unit, .type = FB_T_NUMBER, .decimals = -1};
    struct fb_value number = {.num = value, .quality = FB_Q_GOOD};
    fb_encode_value(&slot, &number, buf);
}

static void put_word(struct fb_buf *buf, const struct fb_came *came) {
    if (came->actuator) {
        put_asked(buf, came->actuator, came->value);
        return;
    }
    if (came->event != FB_ALERT_SEVERITY)
        fb_buf_text(buf, fb_alert_event_name(came->event));
    if (came->event == FB_ALERT_RAISED)
        fb_buf_char(buf, ' ');
    if (came->event == FB_ALERT_RAISED || came->event == FB_ALERT_SEVERITY)
        fb_buf_text(buf, fb_severity_name(came->severity));
}

/* What came, so that it can be copied into a test behind `expect`; then its message. */
static struct fb_str text_of_came(const struct judge *judge, const struct fb_came *came) {
    struct fb_buf buf = {0};
    bool number = came->actuator && !came->actuator->is_switch;
    fb_buf_text(&buf, came->actuator ? "command " : came->is_event ? "event " : "alarm ");
    put_id(&buf, came->actuator ? came->actuator->name : came->rule->name);
    fb_buf_text(&buf, " of ");
    put_id(&buf, came->device);
    if (!came->is_event && !number) {
        fb_buf_char(&buf, ' ');
        put_word(&buf, came);
    }
    fb_buf_text(&buf, " at ");
    put_span(&buf, came->at_us);
    if (number) {
        fb_buf_text(&buf, " with value == ");
        put_asked(&buf, came->actuator, came->value);
    }
    if (came->message.n)
        fb_buf_printf(&buf, ": %.*s", FB_ARG(came->message));
    return keep_text(judge, &buf);
}

static void put_value(struct fb_buf *buf, const struct fb_came *came, uint32_t i) {
    const struct fb_shown *shown = &came->rule->shown[i];
    struct fb_slot slot = {
        .unit = shown->unit, .type = shown->type, .decimals = -1, .words = shown->words};
    fb_encode_value(&slot, &came->shown[i], buf);
}

/* What is not as expected of an output that is nearly it. */
static struct fb_str difference(const struct judge *judge, uint32_t k, const struct fb_came *came) {
    const struct fb_test_step *step = step_at(judge, k);
    struct fb_buf buf = {0};
    if (!word_fits(step, came)) {
        fb_buf_text(&buf, "it was ");
        put_word(&buf, came);
    }
    if (!time_fits(judge, step, came)) {
        int64_t at_us = fb_rule_judge_at(judge->checked, step);
        fb_buf_text(&buf, buf.n ? ", and it came " : "it came ");
        put_span(&buf, distance(came->at_us, at_us));
        fb_buf_text(&buf, came->at_us > at_us ? " later" : " earlier");
    }
    for (uint32_t i = 0; i < step->n_with; i++) {
        if (with_fits(judge, &step->with[i], came))
            continue;
        struct fb_str name = step->with[i].name;
        fb_buf_printf(&buf, "%s`%.*s` was ", buf.n ? ", and " : "", FB_ARG(name));
        if (came->actuator) {
            bool value = fb_str_eq(name, FB_S("value"));
            put_asked(&buf, came->actuator, value ? came->value : came->requested);
            continue;
        }
        uint32_t shown = shown_index(came->rule, name);
        FB_ASSERT(shown != NONE); /* looked for before the test was run */
        put_value(&buf, came, shown);
    }
    return keep_text(judge, &buf);
}

/* ---- the report ---- */

static void add_line(struct judge *judge, struct fb_rule_test_line line) {
    judge->result->passed &= !line.wrong;
    judge->result->lines[judge->result->n_lines++] = line;
}

static void report_expectation(struct judge *judge, uint32_t k) {
    struct fb_rule_test_line line = {.at_us = fb_rule_judge_at(judge->checked, step_at(judge, k)),
                                     .expected = text_of(judge, k),
                                     .wrong = judge->met_by[k] == NONE};
    uint32_t i = judge->met_by[k];
    if (i == NONE && (i = nearest(judge, k)) != NONE) {
        judge->meets[i] = k;
        line.why = difference(judge, k, &judge->came[i]);
    }
    if (i != NONE) {
        line.at_us = line.at_us == FB_NO_TIME ? judge->came[i].at_us : line.at_us;
        line.actual = text_of_came(judge, &judge->came[i]);
    }
    add_line(judge, line);
}

static int by_time(const void *a, const void *b) {
    const struct fb_rule_test_line *x = a, *y = b;
    if (x->at_us != y->at_us) {
        bool before = x->at_us < y->at_us;
        if (x->at_us == FB_NO_TIME || y->at_us == FB_NO_TIME)
            before = y->at_us == FB_NO_TIME;
        return before ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static uint32_t *numbers(struct judge *judge, uint32_t n) {
    uint32_t *array = FB_ARENA_ARRAY(judge->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i <= n; i++)
        array[i] = NONE;
    return array;
}

void fb_rule_judge(const struct fb_checked *checked, const struct fb_checked_test *test,
                   const struct fb_came *came, uint32_t n_came, struct fb_arena *arena,
                   struct fb_rule_test_result *result) {
    struct judge judge = {.checked = checked,
                          .test = test,
                          .came = came,
                          .n_came = n_came,
                          .arena = arena,
                          .result = result};
    uint32_t n_steps = test->decl->n_steps;
    judge.met_by = numbers(&judge, n_steps);
    judge.meets = numbers(&judge, n_came);
    judge.forbids = numbers(&judge, n_came);
    judge.seen = FB_ARENA_ARRAY(arena, bool, n_came + 1);
    result->lines = FB_ARENA_ARRAY(arena, struct fb_rule_test_line, n_steps + n_came + 1);
    deal_out(&judge);
    for (uint32_t k = 0; k < n_steps; k++)
        if (wants(&judge, k))
            report_expectation(&judge, k);
    for (uint32_t i = 0; i < n_came; i++)
        if (judge.meets[i] == NONE) {
            uint32_t k = judge.forbids[i];
            add_line(&judge, (struct fb_rule_test_line){
                                 .at_us = came[i].at_us,
                                 .expected = k == NONE ? (struct fb_str){0} : text_of(&judge, k),
                                 .actual = text_of_came(&judge, &came[i]),
                                 .wrong = true});
        }
    for (uint32_t i = 0; i < result->n_lines; i++)
        result->lines[i].order = i;
    qsort(result->lines, result->n_lines, sizeof *result->lines, by_time);
}
