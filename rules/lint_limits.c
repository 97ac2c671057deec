/* Limits: against the range of their field, against each other, and between `when` and `until`.
 *
 * Place in the flow: inside lint. Only what is certain is said: a limit that is not a constant, or
 * a constant away from the same parameter, is left alone. */
#include "rules/limit.h"
#include "rules/lint_internal.h"

/* ---- ranges --------------------------------------------------------------------------------- */

/* The field whose range a value keeps: itself, or what avg and the like make of it. */
static const struct fb_field_decl *ranged_field(const struct fb_node *node) {
    if (node->kind == FB_N_NAME && node->ref == FB_REF_FIELD)
        return node->field->range_low ? node->field : NULL;
    if (node->kind != FB_N_CALL || node->n_args != 1 || !node->args[0].expr)
        return NULL;
    const struct fb_function *f = fb_function_find(node->text);
    return f->gives == FB_GIVES_SAME ? ranged_field(node->args[0].expr) : NULL;
}

static void warn_range(struct fb_linter *lint, const struct fb_node *limit,
                       const struct fb_field_decl *field, bool never) {
    const struct fb_source *source = &lint->checked->tree->sources->files[limit->span.file];
    struct fb_str written = {source->text.p + limit->span.start,
                             limit->span.end - limit->span.start};
    fb_diag_add(lint->diags, FB_W_LIMIT_OUTSIDE_RANGE, limit->span,
                fb_lint_print(lint, "a value of `%.*s` outside its range counts as bad",
                              FB_ARG(field->name)),
                never ? "`%.*s` is beyond what `%.*s` can reach: this is never true"
                      : "`%.*s` is beyond what `%.*s` can reach: this is always true",
                FB_ARG(written), FB_ARG(field->name));
}

static void check_range(struct fb_linter *lint, enum fb_op op, const struct fb_node *limit,
                        double at, const struct fb_field_decl *field) {
    double low, high;
    if (!fb_check_constant(field->range_low, field->type.unit, &low) ||
        !fb_check_constant(field->range_high, field->type.unit, &high))
        return;
    bool above = at > high || (at >= high && op == FB_OP_GT);
    bool below = at < low || (at <= low && op == FB_OP_LT);
    if (above || (below && fb_limit_is_below(op)) || (below && op == FB_OP_EQ))
        warn_range(lint, limit, field,
                   op == FB_OP_EQ || (above ? fb_limit_is_above(op) : fb_limit_is_below(op)));
    else if (below)
        warn_range(lint, limit, field, false);
}

static void visit_range(const struct fb_node *node, void *arg) {
    struct fb_linter *lint = arg;
    struct fb_limit limit;
    double at;
    if (node->kind == FB_N_IN && node->b) {
        const struct fb_field_decl *field = ranged_field(node->a);
        if (field && fb_check_constant(node->b, field->type.unit, &at))
            check_range(lint, node->negated ? FB_OP_LT : FB_OP_GE, node->b, at, field);
        if (field && fb_check_constant(node->c, field->type.unit, &at))
            check_range(lint, node->negated ? FB_OP_GT : FB_OP_LE, node->c, at, field);
        return;
    }
    if (!fb_limit_read(node, &limit) || limit.base)
        return;
    const struct fb_field_decl *field = ranged_field(limit.value);
    if (field && fb_unit_same(limit.value->unit, field->type.unit))
        check_range(lint, limit.op, limit.value == node->a ? node->b : node->a, limit.offset,
                    field);
}

void fb_lint_ranges(struct fb_linter *lint, const struct fb_node *condition) {
    fb_lint_visit(condition, visit_range, lint);
}

/* ---- until ---------------------------------------------------------------------------------- */

static const struct fb_node *without_for(const struct fb_node *node) {
    while (node->kind == FB_N_FOR)
        node = node->a;
    return node;
}

/* The terms of `a and b and ..`; returns false where one about the subject excludes the other. */
static bool terms_overlap(const struct fb_node *when, const struct fb_limit *end, bool *found) {
    when = without_for(when);
    if (when->kind == FB_N_AND)
        return terms_overlap(when->a, end, found) && terms_overlap(when->b, end, found);
    struct fb_limit limit;
    if (!fb_limit_read(when, &limit) || limit.op >= FB_OP_EQ || !fb_limit_same_subject(&limit, end))
        return true;
    *found = true;
    return fb_limits_meet(&limit, end);
}

static void check_end(struct fb_linter *lint, const struct fb_node *when,
                      const struct fb_node *end) {
    end = without_for(end);
    if (end->kind == FB_N_OR) {
        check_end(lint, when, end->a);
        check_end(lint, when, end->b);
        return;
    }
    struct fb_limit limit;
    bool found = false;
    if (!fb_limit_read(end, &limit) || limit.op >= FB_OP_EQ ||
        !terms_overlap(when, &limit, &found) || !found)
        return;
    fb_diag_add(lint->diags, FB_W_OVERLAP, end->span,
                "put the end on the other side: `x > 80 until x < 70`",
                "this and the condition before `until` can both be true; then `until` wins");
}

static void visit_until(const struct fb_node *node, void *arg) {
    if (node->kind == FB_N_UNTIL)
        check_end(arg, node->a, node->b);
}

void fb_lint_overlap(struct fb_linter *lint, const struct fb_node *condition) {
    fb_lint_visit(condition, visit_until, lint);
}

/* ---- raises --------------------------------------------------------------------------------- */

/* A raise that is one comparison, with its delay. */
static bool read_raise(const struct fb_node *when, struct fb_limit *limit, int64_t *delay_us,
                       struct fb_units *units) {
    *delay_us = 0;
    if (when->kind == FB_N_UNTIL)
        when = when->a;
    if (when->kind == FB_N_FOR) {
        if (!fb_check_span(when->b, units, delay_us))
            return false;
        when = when->a;
    }
    return fb_limit_read(when, limit) && limit->op < FB_OP_EQ;
}

/* Does `low` imply `high`? */
static bool implies(const struct fb_limit *low, const struct fb_limit *high) {
    if (fb_limit_is_above(low->op) != fb_limit_is_above(high->op) ||
        !fb_limit_same_subject(low, high))
        return false;
    bool equal_ok = low->op == high->op || high->op == FB_OP_GE || high->op == FB_OP_LE;
    if (fb_limit_is_above(low->op))
        return low->offset > high->offset || (low->offset >= high->offset && equal_ok);
    return low->offset < high->offset || (low->offset <= high->offset && equal_ok);
}

void fb_lint_implied(struct fb_linter *lint, const struct fb_rule_decl *rule) {
    for (uint32_t i = 0; i < rule->n_raises; i++)
        for (uint32_t k = 0; k < rule->n_raises; k++) {
            const struct fb_raise_decl *low = &rule->raises[i], *high = &rule->raises[k];
            struct fb_limit a, b;
            int64_t low_us, high_us;
            struct fb_units *units = lint->checked->units;
            if (low->severity >= high->severity || !read_raise(low->when, &a, &low_us, units) ||
                !read_raise(high->when, &b, &high_us, units) || high_us > low_us ||
                !implies(&a, &b))
                continue;
            fb_diag_add(lint->diags, FB_W_RAISE_IMPLIED, low->span,
                        "let the higher severity ask for more, or for longer",
                        "`%s` is never shown: whenever it holds, `%s` does too",
                        fb_severity_name(low->severity), fb_severity_name(high->severity));
        }
}
