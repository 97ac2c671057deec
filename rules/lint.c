/* The linter: what is said of each rule and each device.
 *
 * Place in the flow: after check, for `flyball check`. */
#include "rules/lint.h"

#include "engine/base/calendar.h"
#include "rules/lint_internal.h"

/* ---- delays --------------------------------------------------------------------------------- */

/* The shortest `every` of the fields read; 0: none is declared. */
static int64_t shortest_every(const struct fb_linter *lint, const struct fb_lint_reads *reads,
                              const struct fb_field_decl **of) {
    int64_t shortest = 0, every;
    for (uint32_t i = 0; i < lint->class_decl->n_fields; i++) {
        const struct fb_field_decl *field = lint->class_decl->fields[i];
        if (!fb_field_set_has(&reads->fields, field->index) || !field->every ||
            !fb_check_span(field->every, lint->checked->units, &every))
            continue;
        if (shortest == 0 || every < shortest) {
            shortest = every;
            *of = field;
        }
    }
    return shortest;
}

static void check_delay(struct fb_linter *lint, const struct fb_node *condition,
                        const struct fb_node *delay) {
    struct fb_lint_reads reads = {0};
    const struct fb_field_decl *field = NULL;
    int64_t us;
    fb_lint_reads(condition, &reads);
    int64_t every = shortest_every(lint, &reads, &field);
    if (reads.silence || every == 0 || !fb_check_span(delay, lint->checked->units, &us) ||
        us >= 2 * every)
        return;
    char text[32];
    fb_span_format(2 * every, text);
    fb_diag_add(lint->diags, FB_W_SHORT_DELAY, delay->span,
                fb_lint_print(lint, "make it %s or longer, or leave it out", text),
                "the delay is shorter than two samples of `%.*s`, so it filters nothing",
                FB_ARG(field->name));
}

/* What is commanded shows in the next sample at the earliest. */
static void check_reaction(struct fb_linter *lint, const struct fb_actuator_decl *actuator) {
    struct fb_lint_reads reads = {0};
    const struct fb_field_decl *field = NULL;
    int64_t us;
    fb_lint_reads(actuator->feedback, &reads);
    int64_t every = shortest_every(lint, &reads, &field);
    if (reads.silence || every == 0 ||
        !fb_check_span(actuator->feedback_after, lint->checked->units, &us) || us >= every)
        return;
    char text[32];
    fb_span_format(every, text);
    fb_diag_add(lint->diags, FB_W_SHORT_DELAY, actuator->feedback_after->span,
                fb_lint_print(lint, "make it longer than %s, and than the equipment takes", text),
                "the delay is shorter than a sample of `%.*s`, so it ends before the equipment can "
                "show what it does",
                FB_ARG(field->name));
}

static void visit_delay(const struct fb_node *node, void *arg) {
    if (node->kind == FB_N_FOR)
        check_delay(arg, node->a, node->b);
}

/* ---- small things in expressions ------------------------------------------------------------ */

static void visit_bool(const struct fb_node *node, void *arg) {
    struct fb_linter *lint = arg;
    if (node->kind != FB_N_COMPARE)
        return;
    const struct fb_node *literal = node->a->kind == FB_N_BOOL   ? node->a
                                    : node->b->kind == FB_N_BOOL ? node->b
                                                                 : NULL;
    if (!literal)
        return;
    bool plain = literal->truth == (node->op == FB_OP_EQ);
    fb_diag_add(lint->diags, FB_H_BOOL_COMPARED, node->op_span,
                plain ? "the value alone says the same" : "`not` before the value says the same",
                "a bool needs no comparison");
}

struct minutes {
    const struct fb_node *metres[16];
    const struct fb_node *spans[16];
    uint32_t n_metres, n_spans;
};

static void visit_minutes(const struct fb_node *node, void *arg) {
    struct minutes *found = arg;
    if (node->kind == FB_N_NUMBER && fb_str_eq(node->unit_text, FB_S("m")) && found->n_metres < 16)
        found->metres[found->n_metres++] = node;
    if (node->kind == FB_N_DURATION && found->n_spans < 16)
        found->spans[found->n_spans++] = node;
}

/* `5 m` and `5m` in one condition: right here, but easily misread. */
static void check_minutes(struct fb_linter *lint, const struct fb_node *condition) {
    struct minutes found = {0};
    fb_lint_visit(condition, visit_minutes, &found);
    for (uint32_t i = 0; i < found.n_metres; i++)
        for (uint32_t k = 0; k < found.n_spans; k++) {
            double minutes = (double)found.spans[k]->span_us / 60e6;
            if (found.metres[i]->value < minutes || found.metres[i]->value > minutes)
                continue;
            fb_diag_add(lint->diags, FB_H_MINUTES_AND_METRES, found.metres[i]->span,
                        "`m` behind a blank is metres, `m` touching the digits minutes",
                        "`%.*s m` stands beside `%.*sm`", FB_ARG(found.metres[i]->text),
                        FB_ARG(found.metres[i]->text));
            return;
        }
}

static void check_expression(struct fb_linter *lint, const struct fb_node *expression) {
    fb_lint_visit(expression, visit_delay, lint);
    fb_lint_visit(expression, visit_bool, lint);
    check_minutes(lint, expression);
    fb_lint_ranges(lint, expression);
    fb_lint_overlap(lint, expression);
}

static void check_condition(struct fb_linter *lint, const struct fb_node *condition) {
    struct fb_lint_reads reads = {0};
    check_expression(lint, condition);
    fb_lint_reads(condition, &reads);
    bool any = reads.silence || reads.others || reads.n_actuators;
    for (int i = 0; i < FB_FIELDS_MAX / 64; i++)
        any |= reads.fields.words[i] != 0;
    if (!any)
        fb_diag_add(lint->diags, FB_W_NEVER_CHANGES, condition->span, NULL,
                    "this reads no field, so it never changes");
}

/* ---- names ---------------------------------------------------------------------------------- */

static void check_hidden(struct fb_linter *lint, const struct fb_rule_decl *rule,
                         const struct fb_checked_class *class) {
    for (uint32_t i = 0; i < rule->n_lets; i++) {
        const struct fb_let_decl *let = rule->lets[i];
        const char *what = NULL;
        for (uint32_t k = 0; k < class->decl->n_fields; k++)
            if (fb_str_eq(class->decl->fields[k]->name, let->name))
                what = "a field";
        for (uint32_t k = 0; k < class->n_lets; k++)
            if (fb_str_eq(class->lets[k]->name, let->name))
                what = "a let";
        for (uint32_t k = 0; k < lint->checked->n_actuators; k++) {
            const struct fb_checked_actuator *actuator = &lint->checked->actuators[k];
            if (&lint->checked->classes[actuator->class_index] == class &&
                fb_str_eq(actuator->decl->name, let->name))
                what = "an actuator";
        }
        if (what)
            fb_diag_add(lint->diags, FB_W_HIDDEN_NAME, let->span, "give it another name",
                        "in this rule `%.*s` hides %s of `%.*s`", FB_ARG(let->name), what,
                        FB_ARG(class->decl->name));
    }
}

/* ---- rules and devices ---------------------------------------------------------------------- */

static void lint_rule(struct fb_linter *lint, const struct fb_checked_rule *checked,
                      struct fb_lint_reads *of_class) {
    const struct fb_rule_decl *rule = checked->decl;
    const struct fb_checked_class *class = &lint->checked->classes[checked->class_index];
    lint->class_decl = class->decl;
    if (!rule->commands_of && !rule->asked_of)
        check_hidden(lint, rule, class);
    for (uint32_t i = 0; i < rule->n_raises; i++) {
        /* The delay of feedback is no filter. */
        check_condition(lint,
                        rule->feedback_of ? rule->raises[i].when->a : rule->raises[i].when);
        fb_lint_reads(rule->raises[i].when, of_class);
        if (rule->clear_after)
            check_delay(lint, rule->raises[i].when, rule->clear_after);
    }
    if (rule->when) {
        check_condition(lint, rule->when);
        fb_lint_reads(rule->when, of_class);
    }
    if (rule->start) {
        check_condition(lint, rule->start);
        fb_lint_reads(rule->start, of_class);
    }
    for (uint32_t i = 0; i < rule->n_gos; i++) {
        if (!rule->gos[i].when)
            continue;
        check_condition(lint, rule->gos[i].when);
        fb_lint_reads(rule->gos[i].when, of_class);
    }
    for (uint32_t i = 0; i < rule->n_commands; i++) {
        check_expression(lint, rule->commands[i].value);
        fb_lint_reads(rule->commands[i].value, of_class);
        if (rule->commands[i].from) {
            check_expression(lint, rule->commands[i].from);
            fb_lint_reads(rule->commands[i].from, of_class);
        }
    }
    for (uint32_t i = 0; i < rule->n_asks; i++) {
        check_expression(lint, rule->asks[i].command.value);
        fb_lint_reads(rule->asks[i].command.value, of_class);
    }
    if (rule->asked_of && rule->where) {
        check_condition(lint, rule->where);
        fb_lint_reads(rule->where, of_class);
    }
    if (rule->feedback_of)
        check_reaction(lint, rule->feedback_of);
    fb_lint_implied(lint, rule);
    fb_lint_alarm_chatter(lint, rule);
    if (rule->kind == FB_RULE_MODE)
        fb_lint_mode(lint, rule);
    if (rule->kind == FB_RULE_CONTROL) {
        fb_lint_hunting(lint, rule);
        fb_lint_control(lint, rule);
    }
}

static void lint_actuator(struct fb_linter *lint, const struct fb_checked_actuator *checked,
                          struct fb_lint_reads *of_class) {
    const struct fb_node *conditions[] = {checked->decl->interlock, checked->decl->permissive};
    lint->class_decl = lint->checked->classes[checked->class_index].decl;
    for (int i = 0; i < 2; i++)
        if (conditions[i]) {
            check_condition(lint, conditions[i]);
            fb_lint_reads(conditions[i], of_class);
        }
    fb_lint_actuator(lint, checked);
}

/* Fields whose loss nobody would notice: no staleness, and no rule asks for silence. */
static void check_staleness(struct fb_linter *lint, const struct fb_class_decl *decl,
                            const struct fb_lint_reads *reads) {
    struct fb_buf names = {0};
    uint32_t n = 0;
    if (reads->silence)
        return;
    for (uint32_t i = 0; i < decl->n_fields; i++) {
        const struct fb_field_decl *field = decl->fields[i];
        if (field->role == FB_FIELD && !field->every && !field->stale_after &&
            fb_field_set_has(&reads->fields, field->index))
            fb_buf_printf(&names, "%s`%.*s`", n++ ? ", " : "", FB_ARG(field->name));
    }
    if (n)
        fb_diag_add(lint->diags, FB_H_NEVER_STALE, decl->name_span,
                    "declare `every` or `stale after`, or add an alarm with `silent for`",
                    "%s never %s stale, and no rule looks for silence: rules would trust a last "
                    "value for ever",
                    fb_buf_terminated(&names), n == 1 ? "goes" : "go");
    fb_buf_free(&names);
}

void fb_lint(const struct fb_checked *checked, struct fb_diags *diags) {
    struct fb_linter lint = {.checked = checked, .diags = diags, .arena = checked->tree->arena};
    for (uint32_t c = 0; c < checked->n_classes; c++) {
        struct fb_lint_reads reads = {0};
        for (uint32_t i = 0; i < checked->n_rules; i++)
            if (checked->rules[i].class_index == c)
                lint_rule(&lint, &checked->rules[i], &reads);
        for (uint32_t i = 0; i < checked->n_actuators; i++)
            if (checked->actuators[i].class_index == c)
                lint_actuator(&lint, &checked->actuators[i], &reads);
        check_staleness(&lint, checked->classes[c].decl, &reads);
    }
    fb_lint_unused(&lint);
}
