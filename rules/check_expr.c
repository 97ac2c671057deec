/* Types of expressions: every node but comparisons and calls.
 *
 * Place in the flow: inside check; called for every expression of every statement. */
#include "engine/base/err.h"
#include "rules/check_internal.h"

bool fb_check_failed(const struct fb_node *node) {
    return node->type == FB_T_NONE && node->kind != FB_N_UNKNOWN;
}

void fb_facts_add(struct fb_facts *to, const struct fb_facts *from) {
    if (!to->moving)
        to->moving = from->moving;
    if (!to->window)
        to->window = from->window;
    if (!to->others)
        to->others = from->others;
    if (!to->lookup_only)
        to->lookup_only = from->lookup_only;
    for (int i = 0; i < FB_FIELDS_MAX / 64; i++)
        to->reads.words[i] |= from->reads.words[i];
    if (to->alarms < from->alarms)
        to->alarms = from->alarms;
    if (to->depth < from->depth)
        to->depth = from->depth;
    if (to->nodes < from->nodes)
        to->nodes = from->nodes;
}

const char *fb_check_type_text(enum fb_type type) {
    switch (type) {
    case FB_T_NONE:
        return "unknown";
    case FB_T_NUMBER:
        return "a number";
    case FB_T_COUNTER:
        return "a counter";
    case FB_T_INTEGER:
        return "an integer";
    case FB_T_BOOL:
        return "a bool";
    case FB_T_TEXT:
        return "a text";
    case FB_T_TIME:
        return "a time";
    case FB_T_ENUM:
        return "a word of an enumeration";
    }
    return "";
}

/* ---- enumerations --------------------------------------------------------------------------- */

const struct fb_type_decl *fb_check_words(const struct fb_node *node) {
    if (node->type != FB_T_ENUM)
        return NULL;
    const struct fb_type_decl *words = NULL;
    switch (node->kind) {
    case FB_N_NAME:
        if (node->ref == FB_REF_FIELD)
            return &node->field->type;
        if (node->ref == FB_REF_LET)
            return fb_check_words(node->let->value);
        if (node->ref == FB_REF_ACTUATOR)
            return &node->actuator->type;
        if (node->ref == FB_REF_MODE)
            return &node->mode->mode_type;
        if (node->ref == FB_REF_WORD)
            return node->words;
        return node->ref == FB_REF_PARAM ? fb_check_words(node->param->value) : NULL;
    case FB_N_LINKED:
        return fb_check_words(node->there);
    case FB_N_GROUP:
        return fb_check_words(node->group->expr);
    case FB_N_IF:
        words = fb_check_words(node->b);
        return words ? words : fb_check_words(node->c);
    case FB_N_CALL:
        for (uint32_t i = 0; i < node->n_args && !words; i++)
            words = node->args[i].expr ? fb_check_words(node->args[i].expr) : NULL;
        return words;
    default:
        return NULL;
    }
}

/* A let may stand in both branches of the next, so the steps are counted: beyond the bound a word
 * is just not recognised. */
enum { FORESEE_STEPS = 1000 };

static const struct fb_type_decl *foresee(const struct fb_checker *ck, const struct fb_scope *scope,
                                          const struct fb_node *node, int *steps) {
    const struct fb_type_decl *words = NULL;
    if (!node || (*steps)-- <= 0)
        return NULL;
    switch (node->kind) {
    case FB_N_NAME: {
        const struct fb_scope *where;
        const struct fb_definition *let = fb_check_definition(scope, node->text, &where);
        if (let)
            return foresee(ck, where, let->let->value, steps);
        for (; scope; scope = scope->outer) {
            const struct fb_field_decl *field = fb_check_field(scope->class_decl, node->text);
            if (field)
                return field->type.type == FB_T_ENUM ? &field->type : NULL;
            const struct fb_actuator_decl *actuator = fb_check_actuator_named(scope, node->text);
            if (actuator) /* of one with a mistake in it the words are known */
                return actuator->type.n_words ? &actuator->type : NULL;
            const struct fb_rule_decl *mode = fb_check_mode_named(scope, node->text);
            if (mode)
                return &mode->mode_type;
        }
        return NULL;
    }
    case FB_N_LINKED: {
        while (scope && !scope->class_decl)
            scope = scope->outer;
        const struct fb_link_decl *link =
            scope ? fb_check_link_named(scope->class_decl, node->text) : NULL;
        if (!link || link->class_index == UINT32_MAX)
            return NULL;
        return foresee(ck, &ck->class_scopes[link->class_index], node->there, steps);
    }
    case FB_N_IF:
        words = foresee(ck, scope, node->b, steps);
        return words ? words : foresee(ck, scope, node->c, steps);
    case FB_N_CALL: {
        const struct fb_function *f = fb_function_find(node->text);
        if (!f || f->gives != FB_GIVES_SAME)
            return NULL;
        for (uint32_t i = 0; i < node->n_args && !words; i++)
            words = foresee(ck, scope, node->args[i].expr, steps);
        return words;
    }
    default:
        return NULL;
    }
}

const struct fb_type_decl *fb_check_foresee(const struct fb_checker *ck,
                                            const struct fb_node *node) {
    int steps = FORESEE_STEPS;
    return foresee(ck, ck->scope, node, &steps);
}

/* ---- what must be a condition, a number, a duration ----------------------------------------- */

static const char *how_to_ask(struct fb_checker *ck, const struct fb_node *node) {
    const char *source = fb_check_source(ck, node);
    switch (node->type) {
    case FB_T_NUMBER:
    case FB_T_INTEGER:
        return fb_check_print(ck, "compare it, as in `%s > ..`", source);
    case FB_T_ENUM: {
        const struct fb_type_decl *words = fb_check_words(node);
        return words && words->n_words ? fb_check_print(ck, "compare it, as in `%s == %.*s`",
                                                        source, FB_ARG(words->words[0]))
                                       : NULL;
    }
    case FB_T_TEXT:
        return fb_check_print(ck, "compare it, as in `%s == \"..\"`", source);
    default:
        return NULL;
    }
}

bool fb_check_condition(struct fb_checker *ck, struct fb_node *node, const char *what) {
    fb_check_node(ck, node, NULL);
    if (fb_check_failed(node))
        return false;
    if (node->kind == FB_N_UNKNOWN)
        node->type = FB_T_BOOL;
    if (node->type == FB_T_BOOL)
        return true;
    fb_diag_add(ck->diags, FB_E_NOT_A_CONDITION, node->span, how_to_ask(ck, node),
                "%s must be true or false, and `%s` is %s", what, fb_check_source(ck, node),
                fb_check_type_text(node->type));
    return false;
}

bool fb_check_is_number(struct fb_checker *ck, const struct fb_node *node) {
    if (node->type == FB_T_NUMBER || node->type == FB_T_INTEGER)
        return true;
    if (node->type == FB_T_COUNTER)
        fb_diag_add(
            ck->diags, FB_E_COUNTER_VALUE, node->span,
            node->kind == FB_N_NAME
                ? fb_check_print(ck, "use its growth: `increase(%s over 5m)` or `rate(%s over 5m)`",
                                 fb_check_source(ck, node), fb_check_source(ck, node))
                : "use its growth: `increase(x over 5m)` or `rate(x over 5m)` of the counter x",
            "`%s` is a counter, whose value says nothing by itself", fb_check_source(ck, node));
    else if (!fb_check_failed(node))
        fb_diag_add(ck->diags, FB_E_NOT_A_NUMBER, node->span, NULL,
                    "a number is expected here, and `%s` is %s", fb_check_source(ck, node),
                    fb_check_type_text(node->type));
    return false;
}

bool fb_check_duration(struct fb_checker *ck, struct fb_node *node, bool known, int64_t *us) {
    int64_t span = 0;
    fb_check_node(ck, node, NULL);
    if (fb_check_failed(node))
        return false;
    if (node->type != FB_T_NUMBER && node->type != FB_T_INTEGER) {
        fb_diag_add(ck->diags, FB_E_NOT_A_DURATION, node->span, "as in 30s, 5m, 1h30m",
                    "a span of time is expected here, and `%s` is %s", fb_check_source(ck, node),
                    fb_check_type_text(node->type));
        return false;
    }
    if (!fb_unit_is_time(node->unit)) {
        const char *help = fb_unit_agree(node->unit, fb_unit_find(ck->units, FB_S("m")))
                               ? "`5m` is five minutes, `5 m` five metres"
                               : "give it a unit of time, as in `param limit [min] = 5`";
        fb_diag_add(ck->diags, FB_E_NOT_A_DURATION, node->span, help, "%s, not a span of time",
                    fb_check_in_unit(ck, node));
        return false;
    }
    bool is_known = fb_check_span(node, ck->units, &span);
    if (known && !is_known) {
        fb_diag_add(ck->diags, FB_E_NOT_CONSTANT, node->span,
                    "write a duration, or a param without cases",
                    "this length must be known when the rules are read, and `%s` is not",
                    fb_check_source(ck, node));
        return false;
    }
    if (is_known && span < 0) {
        fb_diag_add(ck->diags, FB_E_SPAN, node->span, NULL, "a span of time cannot be negative");
        return false;
    }
    if (is_known && span > FB_CHECK_SPAN_US_MAX) {
        fb_diag_add(ck->diags, FB_E_SPAN, node->span, NULL,
                    "a span of time is at most 3652500d, ten thousand years");
        return false;
    }
    if (us)
        *us = span;
    return true;
}

/* ---- constants ------------------------------------------------------------------------------ */

static bool constant(const struct fb_node *node, const struct fb_unit *unit, double *value,
                     int depth) {
    if (depth > FB_CHECK_DEPTH_MAX)
        return false;
    const struct fb_unit *from = node->unit;
    double x;
    switch (node->kind) {
    case FB_N_NUMBER:
    case FB_N_DURATION:
        x = node->converted;
        break;
    case FB_N_NEGATE:
        if (!constant(node->a, from, &x, depth + 1))
            return false;
        x = -x;
        break;
    case FB_N_NAME:
        if (node->ref == FB_REF_LET && constant(node->let->value, from, &x, depth + 1))
            break;
        if (node->ref != FB_REF_PARAM || node->param->n_cases > 0 ||
            !constant(node->param->value, from, &x, depth + 1))
            return false;
        break;
    default:
        return false;
    }
    if (!fb_unit_agree(from, unit))
        return false;
    *value = fb_unit_convert_value(from, unit, false, x);
    return true;
}

bool fb_check_constant(const struct fb_node *node, const struct fb_unit *unit, double *value) {
    return constant(node, unit, value, 0);
}

bool fb_check_span(const struct fb_node *node, struct fb_units *units, int64_t *us) {
    if (node->kind == FB_N_DURATION) {
        *us = node->span_us;
        return true;
    }
    double value;
    if (!fb_check_constant(node, fb_unit_find(units, FB_S("us")), &value) ||
        !(value > -9e18 && value < 9e18))
        return false;
    double whole = (double)(int64_t)value, rest = value - whole;
    *us = (int64_t)whole + (rest >= 0.5 ? 1 : rest <= -0.5 ? -1 : 0);
    return true;
}

/* ---- values of one kind --------------------------------------------------------------------- */

static bool number_like(enum fb_type type) {
    return type == FB_T_NUMBER || type == FB_T_INTEGER;
}

static bool same_words(const struct fb_type_decl *a, const struct fb_type_decl *b) {
    if (!a || !b || a == b)
        return true;
    if (a->n_words != b->n_words)
        return false;
    for (uint32_t i = 0; i < a->n_words; i++)
        if (!fb_str_eq(a->words[i], b->words[i]))
            return false;
    return true;
}

static bool refuse_mix(struct fb_checker *ck, const struct fb_node *a, const struct fb_node *b,
                       struct fb_span span) {
    const struct fb_node *text = a->kind == FB_N_TEXT ? a : b->kind == FB_N_TEXT ? b : NULL;
    const struct fb_node *other = text == a ? b : a;
    const char *help = NULL;
    if (a->type == FB_T_COUNTER || b->type == FB_T_COUNTER)
        return fb_check_is_number(ck, a->type == FB_T_COUNTER ? a : b);
    if (text && other->type == FB_T_ENUM)
        help = fb_check_print(ck, "a word stands without quotes: `%.*s`", FB_ARG(text->text));
    else if (a->type == FB_T_TEXT && b->kind == FB_N_NUMBER)
        help = fb_check_print(ck, "a text stands in quotes: `\"%s\"`", fb_check_source(ck, b));
    else if (a->type == FB_T_ENUM && b->type == FB_T_ENUM)
        help = "two enumerations go together where their words are the same";
    fb_diag_add(ck->diags, FB_E_TYPES_DIFFER, span, help, "`%s` is %s, `%s` is %s",
                fb_check_source(ck, a), fb_check_type_text(a->type), fb_check_source(ck, b),
                fb_check_type_text(b->type));
    return false;
}

bool fb_check_alike(struct fb_checker *ck, struct fb_node *const *values, uint32_t n,
                    enum fb_type *type, struct fb_span span) {
    const struct fb_node *first = NULL;
    *type = FB_T_NONE;
    for (uint32_t i = 0; i < n; i++) {
        const struct fb_node *value = values[i];
        if (fb_check_failed(value))
            return false;
        if (value->kind == FB_N_UNKNOWN)
            continue;
        if (!first) {
            first = value;
            *type = value->type;
        } else if (number_like(*type) && number_like(value->type)) {
            if (*type != value->type)
                *type = FB_T_NUMBER;
        } else if (*type != value->type ||
                   !same_words(fb_check_words(first), fb_check_words(value))) {
            return refuse_mix(ck, first, value, span);
        }
    }
    if (!first) {
        fb_diag_add(ck->diags, FB_E_TYPES_DIFFER, span, NULL, "`unknown` alone has no type");
        return false;
    }
    for (uint32_t i = 0; i < n; i++)
        if (values[i]->kind == FB_N_UNKNOWN)
            values[i]->type = *type;
    return true;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

static void check_number(struct fb_checker *ck, struct fb_node *node) {
    bool ok;
    node->converted = node->value;
    node->unit = fb_check_unit(ck, node->unit_text, node->span, &ok);
    if (ok)
        node->type = FB_T_NUMBER;
}

static void check_negate(struct fb_checker *ck, struct fb_node *node) {
    fb_check_node(ck, node->a, NULL);
    if (fb_check_failed(node->a) || !fb_check_is_number(ck, node->a))
        return;
    node->unit = node->a->unit;
    node->difference = node->a->difference;
    if (fb_unit_is_point(node->unit)) {
        fb_diag_add(ck->diags, FB_E_TEMPERATURE_ARITHMETIC, node->op_span,
                    "subtract a temperature first, or declare the value in K",
                    "`%s` is a temperature in %.*s, which has no meaning behind a minus",
                    fb_check_source(ck, node->a), FB_ARG(fb_unit_text(node->unit)));
        return;
    }
    node->type = FB_T_NUMBER;
}

static void check_arith(struct fb_checker *ck, struct fb_node *node) {
    fb_check_node(ck, node->a, NULL);
    fb_check_node(ck, node->b, NULL);
    for (int i = 0; i < 2; i++) {
        struct fb_node *side = i == 0 ? node->a : node->b;
        if (side->kind == FB_N_UNKNOWN)
            side->type = FB_T_NUMBER;
    }
    bool left = !fb_check_failed(node->a) && fb_check_is_number(ck, node->a);
    bool right = !fb_check_failed(node->b) && fb_check_is_number(ck, node->b);
    if (left && right)
        fb_check_arithmetic(ck, node);
}

static void check_percent_of(struct fb_checker *ck, struct fb_node *node) {
    fb_check_node(ck, node->a, NULL);
    if (fb_check_failed(node->a) || !fb_check_is_number(ck, node->a))
        return;
    node->unit = node->a->unit;
    node->difference = node->a->difference;
    if (fb_unit_is_point(node->unit)) {
        fb_diag_add(ck->diags, FB_E_TEMPERATURE_ARITHMETIC, node->op_span,
                    "a share of a difference has a meaning: subtract a temperature first",
                    "`%s` is a temperature in %.*s, and a share of it has no meaning",
                    fb_check_source(ck, node->a), FB_ARG(fb_unit_text(node->unit)));
        return;
    }
    node->type = FB_T_NUMBER;
}

static void check_logic(struct fb_checker *ck, struct fb_node *node) {
    const char *what = node->kind == FB_N_NOT   ? "what `not` turns"
                       : node->kind == FB_N_AND ? "each side of `and`"
                                                : "each side of `or`";
    bool ok = fb_check_condition(ck, node->a, what);
    if (node->b)
        ok &= fb_check_condition(ck, node->b, what);
    if (ok)
        node->type = FB_T_BOOL;
}

static void check_vote(struct fb_checker *ck, struct fb_node *node) {
    bool ok = true;
    for (uint32_t i = 0; i < node->n_items; i++)
        ok &= fb_check_condition(ck, node->items[i], "each voter");
    if (node->votes < 1 || node->votes > node->n_items) {
        fb_diag_add(ck->diags, FB_E_VOTES, node->span, NULL,
                    "%u of %u can never be reached or missed: say 1 to %u", node->votes,
                    node->n_items, node->n_items);
        return;
    }
    if (ok)
        node->type = FB_T_BOOL;
}

static void check_if(struct fb_checker *ck, struct fb_node *node,
                     const struct fb_type_decl *words) {
    bool ok = fb_check_condition(ck, node->a, "the condition of `if`");
    if (!words && !(words = fb_check_foresee(ck, node->b)))
        words = fb_check_foresee(ck, node->c);
    fb_check_node(ck, node->b, words);
    fb_check_node(ck, node->c, words);
    struct fb_node *values[] = {node->b, node->c};
    enum fb_type type;
    if (!fb_check_alike(ck, values, 2, &type, node->span))
        return;
    if (type == FB_T_COUNTER) {
        fb_check_is_number(ck, node->b);
        return;
    }
    if (number_like(type)) {
        if (!fb_check_bring(ck, values, 2, node->span, "chosen from"))
            return;
        node->unit = fb_check_common_unit(values, 2);
        node->difference = node->b->difference || node->c->difference;
    }
    if (ok)
        node->type = type;
}

static void note_moving(struct fb_checker *ck, const struct fb_node *node) {
    struct fb_facts here = {.moving = node, .lookup_only = node};
    fb_facts_add(ck->facts, &here);
}

static void check_for(struct fb_checker *ck, struct fb_node *node) {
    bool ok = fb_check_condition(ck, node->a, "what stands before `for`");
    ok &= fb_check_duration(ck, node->b, false, NULL);
    note_moving(ck, node);
    if (ok)
        node->type = FB_T_BOOL;
}

static void check_until(struct fb_checker *ck, struct fb_node *node) {
    bool ok = fb_check_condition(ck, node->a, "what stands before `until`");
    ok &= fb_check_condition(ck, node->b, "what stands behind `until`");
    note_moving(ck, node);
    if (ok)
        node->type = FB_T_BOOL;
}

static void check_kind(struct fb_checker *ck, struct fb_node *node,
                       const struct fb_type_decl *words) {
    switch (node->kind) {
    case FB_N_NUMBER:
        check_number(ck, node);
        break;
    case FB_N_DURATION:
        node->type = FB_T_NUMBER;
        node->unit = fb_unit_second(ck->units);
        node->converted = (double)node->span_us / 1e6;
        break;
    case FB_N_TEXT:
        node->type = FB_T_TEXT;
        break;
    case FB_N_BOOL:
        node->type = FB_T_BOOL;
        break;
    case FB_N_UNKNOWN:
        break; /* as what it stands beside */
    case FB_N_NAME:
        fb_check_name(ck, node, words);
        break;
    case FB_N_SILENT:
        fb_check_silent(ck, node);
        break;
    case FB_N_NEGATE:
        check_negate(ck, node);
        break;
    case FB_N_ARITH:
        check_arith(ck, node);
        break;
    case FB_N_COMPARE:
        fb_check_compare(ck, node);
        break;
    case FB_N_IN:
        fb_check_in(ck, node);
        break;
    case FB_N_IS:
        fb_check_is(ck, node);
        break;
    case FB_N_MATCHES:
        fb_check_matches(ck, node);
        break;
    case FB_N_NOT:
    case FB_N_AND:
    case FB_N_OR:
        check_logic(ck, node);
        break;
    case FB_N_PERCENT_OF:
        check_percent_of(ck, node);
        break;
    case FB_N_VOTE:
        check_vote(ck, node);
        break;
    case FB_N_IF:
        check_if(ck, node, words);
        break;
    case FB_N_CALL:
        fb_check_call(ck, node);
        break;
    case FB_N_FOR:
        check_for(ck, node);
        break;
    case FB_N_UNTIL:
        check_until(ck, node);
        break;
    case FB_N_LINKED:
        fb_check_linked(ck, node);
        break;
    case FB_N_GROUP:
        fb_check_group(ck, node);
        break;
    }
}

void fb_check_node(struct fb_checker *ck, struct fb_node *node, const struct fb_type_decl *words) {
    node->type = FB_T_NONE;
    if (ck->nesting == FB_CHECK_NODES_MAX) {
        fb_check_refuse_depth(ck, node->span);
        return;
    }
    ck->nesting++;
    uint32_t own = ck->nesting - ck->base;
    if (ck->facts->nodes < own)
        ck->facts->nodes = own;
    check_kind(ck, node, words);
    ck->nesting--;
}
