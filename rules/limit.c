/* Reads limits out of comparisons.
 *
 * Place in the flow: see rules/limit.h. Only what is certain is read: a limit that is neither a
 * constant nor a constant away from a parameter is none. */
#include "rules/limit.h"

#include "rules/lint_internal.h"

static enum fb_op turned(enum fb_op op) {
    switch (op) {
    case FB_OP_LT:
        return FB_OP_GT;
    case FB_OP_LE:
        return FB_OP_GE;
    case FB_OP_GT:
        return FB_OP_LT;
    case FB_OP_GE:
        return FB_OP_LE;
    default:
        return op;
    }
}

static bool is_fixed(const struct fb_node *node) {
    double ignored;
    return fb_check_constant(node, node->unit, &ignored);
}

static bool read_offset(const struct fb_node *node, const struct fb_unit *unit,
                        struct fb_limit *out) {
    if (fb_check_constant(node, unit, &out->offset))
        return true;
    if (node->kind == FB_N_NAME && node->ref == FB_REF_PARAM) {
        out->base = node->param;
        out->offset = 0;
        return true;
    }
    if (node->kind != FB_N_ARITH || (node->op != FB_OP_ADD && node->op != FB_OP_SUB) ||
        node->a->kind != FB_N_NAME || node->a->ref != FB_REF_PARAM)
        return false;
    double step, from = 0;
    if (!fb_check_constant(node->b, node->b->unit, &step))
        return false;
    if (!fb_check_constant(node->a, unit, &from))
        out->base = node->a->param;
    /* Steps of a scale have no offset of their own, so only the sizes are converted. */
    if (!fb_unit_is_point(unit))
        step = fb_unit_convert_value(node->b->unit, unit, false, step);
    else if (!fb_unit_same(node->a->unit, unit))
        return false;
    out->offset = node->op == FB_OP_ADD ? from + step : from - step;
    return true;
}

static bool is_number(const struct fb_node *node) {
    return node->type == FB_T_NUMBER || node->type == FB_T_INTEGER;
}

bool fb_limit_read(const struct fb_node *node, struct fb_limit *out) {
    *out = (struct fb_limit){.node = node};
    if (node->kind != FB_N_COMPARE || !is_number(node->a))
        return false;
    bool fixed_left =
        is_fixed(node->a) || (node->a->kind == FB_N_NAME && node->a->ref == FB_REF_PARAM);
    out->value = fixed_left ? node->b : node->a;
    out->op = fixed_left ? turned(node->op) : node->op;
    return read_offset(fixed_left ? node->a : node->b, out->value->unit, out);
}

bool fb_limit_read_range(const struct fb_node *node, struct fb_limit *low, struct fb_limit *high) {
    if (node->kind != FB_N_IN || !node->b || !is_number(node->a))
        return false;
    *low = (struct fb_limit){.node = node, .value = node->a, .op = FB_OP_GE};
    *high = (struct fb_limit){.node = node, .value = node->a, .op = FB_OP_LE};
    return read_offset(node->b, node->a->unit, low) && read_offset(node->c, node->a->unit, high);
}

bool fb_limit_same_subject(const struct fb_limit *a, const struct fb_limit *b) {
    return a->base == b->base && fb_unit_same(a->value->unit, b->value->unit) &&
           fb_lint_equal(a->value, b->value);
}

bool fb_limit_is_above(enum fb_op op) {
    return op == FB_OP_GT || op == FB_OP_GE;
}

bool fb_limit_is_below(enum fb_op op) {
    return op == FB_OP_LT || op == FB_OP_LE;
}

bool fb_limits_meet(const struct fb_limit *a, const struct fb_limit *b) {
    const struct fb_limit *above = fb_limit_is_above(a->op) ? a : b, *below = above == a ? b : a;
    if (!fb_limit_is_above(above->op) || !fb_limit_is_below(below->op))
        return fb_limit_is_above(a->op) == fb_limit_is_above(b->op);
    bool both_ends = above->op == FB_OP_GE && below->op == FB_OP_LE;
    return both_ends ? above->offset <= below->offset : above->offset < below->offset;
}
