/* Units of expressions: bringing values together, arithmetic, and the errors that say what to
 * write.
 *
 * Place in the flow: inside check. */
#include <string.h>

#include "engine/base/err.h"
#include "engine/base/num.h"
#include "rules/check_internal.h"

const struct fb_unit *fb_check_unit(struct fb_checker *ck, struct fb_str text, struct fb_span span,
                                    bool *ok) {
    *ok = true;
    if (text.n == 0)
        return NULL;
    const struct fb_unit *unit = fb_unit_find(ck->units, text);
    if (unit)
        return unit;
    struct fb_str near = fb_unit_nearest(ck->units, text);
    const char *help = near.n ? fb_check_print(ck, "did you mean `%.*s`?", FB_ARG(near)) : NULL;
    fb_diag_add(ck->diags, FB_E_UNKNOWN_UNIT, span, help, "the unit `%.*s` is not known",
                FB_ARG(text));
    *ok = false;
    return NULL;
}

bool fb_check_is_literal(const struct fb_node *node) {
    return node->kind == FB_N_NUMBER || node->kind == FB_N_DURATION ||
           (node->kind == FB_N_NEGATE && fb_check_is_literal(node->a));
}

/* A let may stand on both sides of the next, so the steps are counted. */
enum { BARE_STEPS = 1000 };

static bool all_bare(const struct fb_node *node, int *steps) {
    if (node->unit || (*steps)-- <= 0)
        return false;
    switch (node->kind) {
    case FB_N_NUMBER:
        return true;
    case FB_N_NEGATE:
        return all_bare(node->a, steps);
    case FB_N_ARITH:
        return all_bare(node->a, steps) && all_bare(node->b, steps);
    case FB_N_NAME:
        if (node->ref == FB_REF_PARAM)
            return all_bare(node->param->value, steps);
        return node->ref == FB_REF_LET && all_bare(node->let->value, steps);
    default:
        return false;
    }
}

/* A number without a unit, however it is written: 90, -5, 2 * 45, a param or let of such. */
static bool is_bare(const struct fb_node *node) {
    int steps = BARE_STEPS;
    return all_bare(node, &steps);
}

static bool is_zero(const struct fb_node *node) {
    return (node->kind == FB_N_NUMBER && node->value == 0) ||
           (node->kind == FB_N_NEGATE && is_zero(node->a));
}

/* Says of a literal in which unit it is delivered, converting it exactly. */
static void deliver(struct fb_node *literal, const struct fb_unit *unit) {
    if (literal->kind == FB_N_NEGATE) {
        deliver(literal->a, unit);
    } else {
        double value =
            literal->kind == FB_N_NUMBER ? literal->value : (double)literal->span_us / 1e6;
        literal->converted = fb_unit_convert_value(literal->unit, unit, false, value);
    }
    literal->unit = unit;
}

/* A bare literal takes the unit as it stands, without conversion. */
static void take_unit(struct fb_node *literal, const struct fb_unit *unit) {
    if (literal->kind == FB_N_NEGATE)
        take_unit(literal->a, unit);
    else
        literal->converted = literal->value;
    literal->unit = unit;
}

/* Gives bare literals in the places of a value (branches of if, arguments of coalesce) the unit. */
static void give_unit(struct fb_node *node, const struct fb_unit *unit) {
    if (node->unit)
        return;
    if (fb_check_is_literal(node)) {
        take_unit(node, unit);
    } else if (node->kind == FB_N_IF) {
        give_unit(node->b, unit);
        give_unit(node->c, unit);
        if (fb_unit_same(node->b->unit, unit) && fb_unit_same(node->c->unit, unit))
            node->unit = unit;
    } else if (node->kind == FB_N_CALL) {
        const struct fb_function *f = fb_function_find(node->text);
        if (!f || f->id != FB_F_coalesce)
            return;
        bool all = true;
        for (uint32_t i = 0; i < node->n_args; i++) {
            give_unit(node->args[i].expr, unit);
            all &= fb_unit_same(node->args[i].expr->unit, unit);
        }
        if (all)
            node->unit = unit;
    }
}

const char *fb_check_in_unit(struct fb_checker *ck, const struct fb_node *node) {
    const char *source = fb_check_source(ck, node);
    if (!node->unit)
        return fb_check_print(ck, "`%s` has no unit", source);
    return fb_check_print(ck, node->difference ? "`%s` is a difference in %.*s" : "`%s` is in %.*s",
                          source, FB_ARG(fb_unit_text(node->unit)));
}

/* ---- one unit for several values ------------------------------------------------------------ */

static bool is_param(const struct fb_node *node) {
    return node->kind == FB_N_NAME && node->ref == FB_REF_PARAM;
}

static bool is_numeric(const struct fb_node *node) {
    return node->type == FB_T_NUMBER || node->type == FB_T_INTEGER || node->type == FB_T_COUNTER;
}

const struct fb_unit *fb_check_common_unit(struct fb_node *const *values, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (!fb_check_is_literal(values[i]) && !is_param(values[i]) &&
            values[i]->kind != FB_N_UNKNOWN)
            return values[i]->unit;
    for (uint32_t i = 0; i < n; i++)
        if (values[i]->unit)
            return values[i]->unit;
    return NULL;
}

/* `5 m` beside a time, `5m` beside a length: each other's classic. */
static const char *minutes_or_metres(struct fb_checker *ck, const struct fb_node *a,
                                     const struct fb_node *b) {
    for (int i = 0; i < 2; i++) {
        const struct fb_node *literal = i == 0 ? a : b, *other = i == 0 ? b : a;
        if (literal->kind == FB_N_DURATION && !fb_unit_is_time(other->unit) && other->unit) {
            if (literal->span_us % 60000000 == 0 &&
                fb_unit_agree(other->unit, fb_unit_find(ck->units, FB_S("m"))))
                return fb_check_print(ck, "`%s` is a time; did you mean `%lld m`, in metres?",
                                      fb_check_source(ck, literal),
                                      (long long)(literal->span_us / 60000000));
        }
        if (literal->kind == FB_N_NUMBER && fb_str_eq(literal->unit_text, FB_S("m")) &&
            fb_unit_is_time(other->unit))
            return fb_check_print(ck, "`%s` is in metres; did you mean `%.*sm`, in minutes?",
                                  fb_check_source(ck, literal), FB_ARG(literal->text));
    }
    return NULL;
}

static const char *degrees_without_deg(struct fb_checker *ck, const struct fb_node *a,
                                       const struct fb_node *b) {
    for (int i = 0; i < 2; i++) {
        const struct fb_node *one = i == 0 ? a : b, *other = i == 0 ? b : a;
        struct fb_str text = fb_unit_text(one->unit);
        if (text.n == 1 && (text.p[0] == 'C' || text.p[0] == 'F') &&
            fb_unit_is_temperature(other->unit))
            return fb_check_print(ck, "`%c` is the %s; temperatures are in `deg%c`", text.p[0],
                                  text.p[0] == 'C' ? "coulomb" : "farad", text.p[0]);
    }
    return NULL;
}

const char *fb_check_as_difference(struct fb_checker *ck, const struct fb_node *number) {
    const struct fb_unit *steps = fb_unit_difference(ck->units, number->unit);
    return fb_check_print(ck, "did you mean `%.*s %.*s`?", FB_ARG(number->text),
                          FB_ARG(fb_unit_written(ck->units, steps)));
}

static bool refuse_dimensions(struct fb_checker *ck, const struct fb_node *a,
                              const struct fb_node *b, struct fb_span span, const char *verb) {
    const char *mixed = minutes_or_metres(ck, a, b);
    const char *help = mixed ? mixed : degrees_without_deg(ck, a, b);
    fb_diag_add(ck->diags, mixed ? FB_E_MINUTES_OR_METRES : FB_E_DIMENSIONS, span, help,
                "%s, %s: they cannot be %s", fb_check_in_unit(ck, a), fb_check_in_unit(ck, b),
                verb);
    return false;
}

/* A bare number beside a unit. The unit is that of a declared value: of a computed share, as
 * m / km, a bare number is no riddle. */
static bool refuse_bare(struct fb_checker *ck, const struct fb_node *bare,
                        const struct fb_unit *unit) {
    struct fb_str text = fb_unit_written(ck->units, unit);
    const char *source = fb_check_source(ck, bare);
    const char *help;
    if (bare->kind == FB_N_NAME)
        help = fb_check_print(ck, "give `%s` its unit where it is declared: `%s [%.*s] = ..`",
                              source, source, FB_ARG(text));
    else if (fb_check_is_literal(bare))
        help = fb_check_print(ck, "did you mean `%s %.*s`?", source, FB_ARG(text));
    else
        help = fb_check_print(ck, "give its numbers the unit `%.*s`", FB_ARG(text));
    fb_diag_add(ck->diags, FB_E_BARE_NUMBER, bare->span, help,
                "`%s` has no unit, and the value beside it is in %.*s", source,
                FB_ARG(fb_unit_text(unit)));
    return false;
}

static bool needs_unit(const struct fb_unit *unit) {
    return unit && !(fb_unit_is_derived(unit) && fb_unit_is_dimensionless(unit));
}

/* Two values that are compared or chosen from: dimensions, bare numbers, temperatures. */
static bool fits(struct fb_checker *ck, struct fb_node *a, struct fb_node *b, struct fb_span span,
                 const char *verb) {
    if (is_zero(a) && !a->unit)
        take_unit(a, b->unit);
    if (is_zero(b) && !b->unit)
        take_unit(b, a->unit);
    if (is_bare(a) && needs_unit(b->unit))
        return refuse_bare(ck, a, b->unit);
    if (is_bare(b) && needs_unit(a->unit))
        return refuse_bare(ck, b, a->unit);
    if (!fb_unit_agree(a->unit, b->unit))
        return refuse_dimensions(ck, a, b, span, verb);
    for (int i = 0; i < 2; i++) {
        const struct fb_node *step = i == 0 ? a : b, *point = i == 0 ? b : a;
        if (!step->difference || !fb_unit_is_point(point->unit))
            continue;
        const char *help = NULL;
        if (point->kind == FB_N_NUMBER)
            help = fb_check_as_difference(ck, point);
        fb_diag_add(ck->diags, FB_E_DIFFERENCE_COMPARED, span, help,
                    "%s, `%s` a temperature: they cannot be %s", fb_check_in_unit(ck, step),
                    fb_check_source(ck, point), verb);
        return false;
    }
    return true;
}

bool fb_check_bring(struct fb_checker *ck, struct fb_node *const *values, uint32_t n,
                    struct fb_span span, const char *verb) {
    uint32_t first = n;
    for (uint32_t i = 0; i < n; i++) {
        if (!is_numeric(values[i]) || values[i]->kind == FB_N_UNKNOWN)
            continue;
        /* The first value with a unit says what the others must fit. */
        if (first == n || (!values[first]->unit && values[i]->unit))
            first = i;
    }
    for (uint32_t i = 0; i < n; i++)
        if (i != first && is_numeric(values[i]) && values[i]->kind != FB_N_UNKNOWN &&
            !(i < first ? fits(ck, values[i], values[first], span, verb)
                        : fits(ck, values[first], values[i], span, verb)))
            return false;
    const struct fb_unit *unit = fb_check_common_unit(values, n);
    for (uint32_t i = 0; i < n; i++)
        if (is_numeric(values[i]) && fb_check_is_literal(values[i]))
            deliver(values[i], unit);
    return true;
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

static const char *op_text(enum fb_op op) {
    switch (op) {
    case FB_OP_ADD:
        return "+";
    case FB_OP_SUB:
        return "-";
    case FB_OP_MUL:
        return "*";
    case FB_OP_DIV:
        return "/";
    default:
        FB_ASSERT(!"an operator of arithmetic");
        return "";
    }
}

static bool refuse_point(struct fb_checker *ck, const struct fb_node *node,
                         const struct fb_node *point, const char *help) {
    fb_diag_add(ck->diags, FB_E_TEMPERATURE_ARITHMETIC, node->op_span, help,
                "`%s` is a temperature in %.*s, which has no meaning in `%s`",
                fb_check_source(ck, point), FB_ARG(fb_unit_text(point->unit)), op_text(node->op));
    return false;
}

static bool refuse_subtraction(struct fb_checker *ck, const struct fb_node *node) {
    fb_diag_add(ck->diags, FB_E_TEMPERATURE_SUBTRACTED, node->op_span,
                fb_check_as_difference(ck, node->b), "`%s` subtracts two temperatures",
                fb_check_source(ck, node));
    return false;
}

/* value + difference, in the steps of the value's scale */
static bool add_steps(struct fb_checker *ck, struct fb_node *node, struct fb_node *point,
                      struct fb_node *steps) {
    if (is_zero(steps) && !steps->unit)
        take_unit(steps, fb_unit_difference(ck->units, point->unit));
    const struct fb_unit *unit = fb_unit_difference(ck->units, point->unit);
    if (is_bare(steps))
        return refuse_bare(ck, steps, unit);
    if (!fb_unit_agree(steps->unit, unit))
        return refuse_dimensions(ck, point, steps, node->op_span,
                                 node->op == FB_OP_ADD ? "added" : "subtracted");
    if (fb_check_is_literal(steps))
        deliver(steps, unit);
    node->unit = point->unit;
    return true;
}

static bool sum_of_temperatures(struct fb_checker *ck, struct fb_node *node) {
    struct fb_node *a = node->a, *b = node->b;
    bool left = fb_unit_is_point(a->unit), right = fb_unit_is_point(b->unit);
    if (left && right) {
        if (node->op == FB_OP_ADD)
            return refuse_point(ck, node, b, b->kind == FB_N_NUMBER
                                    ? fb_check_as_difference(ck, b)
                                    : "one of the two must be a difference, in K or delta_degF");
        if (b->kind == FB_N_NUMBER)
            return refuse_subtraction(ck, node);
        if (fb_check_is_literal(a))
            deliver(a, b->unit);
        struct fb_node *values[] = {a, b};
        node->unit = fb_unit_difference(ck->units, fb_check_common_unit(values, 2));
        node->difference = true;
        return true;
    }
    if (left)
        return add_steps(ck, node, a, b);
    if (node->op == FB_OP_SUB && !is_zero(a))
        return refuse_point(ck, node, b, "a temperature can be subtracted from one only");
    return add_steps(ck, node, b, a);
}

static bool sum_units(struct fb_checker *ck, struct fb_node *node) {
    struct fb_node *a = node->a, *b = node->b;
    if (fb_unit_is_point(a->unit) || fb_unit_is_point(b->unit))
        return sum_of_temperatures(ck, node);
    struct fb_node *values[] = {a, b};
    if (!fb_check_bring(ck, values, 2, node->op_span,
                        node->op == FB_OP_ADD ? "added" : "subtracted"))
        return false;
    node->unit = fb_check_common_unit(values, 2);
    if (fb_unit_is_temperature(node->unit))
        node->difference = node->op == FB_OP_SUB || (a->difference && b->difference);
    return true;
}

static bool product_units(struct fb_checker *ck, struct fb_node *node) {
    struct fb_node *a = node->a, *b = node->b;
    const struct fb_node *point = fb_unit_is_point(a->unit)   ? a
                                  : fb_unit_is_point(b->unit) ? b
                                                              : NULL;
    if (point)
        return refuse_point(ck, node, point,
                            "subtract a temperature first, or declare the value in K");
    node->unit = node->op == FB_OP_MUL ? fb_unit_multiply(ck->units, a->unit, b->unit)
                                       : fb_unit_divide(ck->units, a->unit, b->unit);
    node->difference = fb_unit_is_temperature(node->unit) && (a->difference || b->difference);
    return true;
}

void fb_check_arithmetic(struct fb_checker *ck, struct fb_node *node) {
    node->type = FB_T_NUMBER;
    bool ok = node->op == FB_OP_ADD || node->op == FB_OP_SUB ? sum_units(ck, node)
                                                             : product_units(ck, node);
    if (!ok)
        node->type = FB_T_NONE;
}

/* ---- declared units ------------------------------------------------------------------------- */

bool fb_check_declared(struct fb_checker *ck, struct fb_node *value, const struct fb_unit *unit,
                       struct fb_span span) {
    if (!unit || fb_check_failed(value) || value->kind == FB_N_UNKNOWN)
        return !fb_check_failed(value);
    if (value->type != FB_T_NUMBER && value->type != FB_T_INTEGER) {
        fb_diag_add(ck->diags, FB_E_DECLARED_UNIT, span, NULL, "`%s` is %s, which has no unit",
                    fb_check_source(ck, value), fb_check_type_text(value->type));
        return false;
    }
    give_unit(value, unit);
    if (is_bare(value) && !fb_check_is_literal(value))
        return refuse_bare(ck, value, unit);
    bool point = fb_unit_is_point(unit);
    if (!fb_unit_agree(value->unit, unit) || (point && value->difference)) {
        const char *help =
            point && value->difference
                ? fb_check_print(ck, "declare it as `[%.*s]`",
                                 FB_ARG(fb_unit_written(
                                     ck->units, fb_unit_difference(ck->units, unit))))
                : NULL;
        fb_diag_add(ck->diags, FB_E_DECLARED_UNIT, span, help, "%s, but it is declared in %.*s",
                    fb_check_in_unit(ck, value), FB_ARG(fb_unit_text(unit)));
        return false;
    }
    if (fb_check_is_literal(value))
        deliver(value, unit);
    return true;
}
