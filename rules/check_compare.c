/* Comparisons: what can stand beside what.
 *
 * Place in the flow: inside check. */
#include <string.h>

#include "rules/check_internal.h"
#include "rules/pattern.h"

static bool is_order(enum fb_op op) {
    return op == FB_OP_LT || op == FB_OP_LE || op == FB_OP_GT || op == FB_OP_GE;
}

/* age(..) or elapsed(..), which move with time. */
static const struct fb_function *moving_call(const struct fb_node *node) {
    if (node->kind != FB_N_CALL)
        return NULL;
    const struct fb_function *f = fb_function_find(node->text);
    return f && f->gives == FB_GIVES_SECONDS ? f : NULL;
}

static bool is_previous(const struct fb_node *node) {
    return node->kind == FB_N_CALL && fb_str_eq(node->text, FB_S("previous"));
}

/* A counter stands beside its own previous value, in either order. */
static bool counters(struct fb_checker *ck, const struct fb_node *a, const struct fb_node *b) {
    if (a->type == b->type && is_previous(a) != is_previous(b))
        return true;
    const struct fb_node *counter = a->type == FB_T_COUNTER ? a : b;
    fb_check_is_number(ck, counter);
    return false;
}

static bool refuse_order(struct fb_checker *ck, const struct fb_node *node, enum fb_type type) {
    fb_diag_add(ck->diags, FB_E_NO_ORDER, node->op_span,
                "compare with == or !=", "`%s` is %s, which has no order",
                fb_check_source(ck, node->a), fb_check_type_text(type));
    return false;
}

static void both_sides(struct fb_checker *ck, struct fb_node *a, struct fb_node *b) {
    const struct fb_type_decl *left = fb_check_foresee(ck, a);
    const struct fb_type_decl *right = left ? NULL : fb_check_foresee(ck, b);
    const struct fb_node *outer[] = {ck->compared[0], ck->compared[1]};
    ck->compared[0] = a;
    ck->compared[1] = b;
    fb_check_node(ck, a, right);
    fb_check_node(ck, b, left);
    memcpy(ck->compared, outer, sizeof outer);
}

static bool compare(struct fb_checker *ck, struct fb_node *node) {
    struct fb_node *a = node->a, *b = node->b;
    both_sides(ck, a, b);
    if (moving_call(a) && moving_call(b)) {
        fb_diag_add(ck->diags, FB_E_MOVING_VALUE, node->op_span, "compare each with a duration",
                    "both sides move with time, so the moment of crossing is not known");
        return false;
    }
    struct fb_node *values[] = {a, b};
    enum fb_type type;
    if (!fb_check_alike(ck, values, 2, &type, node->op_span))
        return false;
    if (type == FB_T_COUNTER && !counters(ck, a, b))
        return false;
    if ((type == FB_T_BOOL || type == FB_T_TEXT || type == FB_T_ENUM) && is_order(node->op))
        return refuse_order(ck, node, type);
    if (type == FB_T_NUMBER || type == FB_T_INTEGER || type == FB_T_COUNTER)
        return fb_check_bring(ck, values, 2, node->op_span, "compared");
    return true;
}

void fb_check_compare(struct fb_checker *ck, struct fb_node *node) {
    if (compare(ck, node))
        node->type = FB_T_BOOL;
}

/* ---- in ------------------------------------------------------------------------------------- */

static bool range(struct fb_checker *ck, struct fb_node *node) {
    struct fb_node *values[] = {node->a, node->b, node->c};
    enum fb_type type;
    for (int i = 0; i < 3; i++)
        fb_check_node(ck, values[i], NULL);
    if (!fb_check_alike(ck, values, 3, &type, node->op_span))
        return false;
    if (type != FB_T_NUMBER && type != FB_T_INTEGER && type != FB_T_TIME) {
        if (type == FB_T_COUNTER)
            return fb_check_is_number(ck, node->a);
        return refuse_order(ck, node, type);
    }
    if (type == FB_T_TIME)
        return true;
    if (!fb_check_bring(ck, values, 3, node->op_span, "compared"))
        return false;
    double low, high;
    if (fb_check_constant(node->b, node->a->unit, &low) &&
        fb_check_constant(node->c, node->a->unit, &high) && low > high) {
        fb_diag_add(ck->diags, FB_E_RANGE_ORDER, node->b->span, "write the lower end first",
                    "the range is empty: its lower end is above its upper end");
        return false;
    }
    return true;
}

static bool list(struct fb_checker *ck, struct fb_node *node) {
    const struct fb_type_decl *words = fb_check_foresee(ck, node->a);
    struct fb_node **values = FB_ARENA_ARRAY(ck->arena, struct fb_node *, node->n_items + 1);
    fb_check_node(ck, node->a, NULL);
    values[0] = node->a;
    for (uint32_t i = 0; i < node->n_items; i++) {
        fb_check_node(ck, node->items[i], words);
        values[i + 1] = node->items[i];
    }
    enum fb_type type;
    if (!fb_check_alike(ck, values, node->n_items + 1, &type, node->op_span))
        return false;
    if (type == FB_T_COUNTER)
        return fb_check_is_number(ck, node->a);
    return (type != FB_T_NUMBER && type != FB_T_INTEGER) ||
           fb_check_bring(ck, values, node->n_items + 1, node->op_span, "compared");
}

void fb_check_in(struct fb_checker *ck, struct fb_node *node) {
    if (node->b ? range(ck, node) : list(ck, node))
        node->type = FB_T_BOOL;
}

/* ---- is, matches ---------------------------------------------------------------------------- */

void fb_check_is(struct fb_checker *ck, struct fb_node *node) {
    fb_check_node(ck, node->a, NULL);
    if (fb_check_failed(node->a))
        return;
    bool field = node->a->kind == FB_N_NAME && node->a->ref == FB_REF_FIELD;
    if (!field && (node->quality == FB_Q_BAD || node->quality == FB_Q_STALE)) {
        fb_diag_add(ck->diags, FB_E_NOT_A_FIELD, node->a->span,
                    "of an expression, `is good` and `is unknown` say whether it has a value",
                    "only a field is bad or stale, and `%s` is none", fb_check_source(ck, node->a));
        return;
    }
    node->type = FB_T_BOOL;
}

void fb_check_matches(struct fb_checker *ck, struct fb_node *node) {
    fb_check_node(ck, node->a, NULL);
    bool ok = !fb_check_failed(node->a);
    if (node->a->kind == FB_N_UNKNOWN)
        node->a->type = FB_T_TEXT;
    if (ok && node->a->type != FB_T_TEXT) {
        fb_diag_add(ck->diags, FB_E_NOT_A_TEXT, node->a->span,
                    node->a->type == FB_T_ENUM ? "use `in (a, b)` for several words" : NULL,
                    "`matches` looks at a text, and `%s` is %s", fb_check_source(ck, node->a),
                    fb_check_type_text(node->a->type));
        ok = false;
    }
    char why[256];
    uint32_t at;
    if (!fb_pattern_check(node->text, why, &at)) {
        fb_diag_add(ck->diags, FB_E_BAD_PATTERN, node->span,
                    "patterns are Perl-compatible (PCRE2); in a rule file a backslash is written "
                    "twice",
                    "the pattern is refused at its character %u: %s", at + 1, why);
        ok = false;
    }
    if (ok)
        node->type = FB_T_BOOL;
}
