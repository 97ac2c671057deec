/* Comparisons of a value with a limit that is known, or known but for one parameter.
 *
 * Place in the flow: after the types are known: the linter compares limits with each other and with
 * ranges, the checker asks it which commands exclude each other. Pure. */
#ifndef FB_RULES_LIMIT_H
#define FB_RULES_LIMIT_H

#include "rules/ast.h"

/* value OP limit, the limit in the value's unit: a known number above `base`, which is a parameter
 * or nothing. */
struct fb_limit {
    const struct fb_node *node; /* the comparison */
    const struct fb_node *value;
    const struct fb_param_decl *base;
    enum fb_op op;
    double offset;
};

/* A COMPARE of numbers, with the value on either side; false: its limit is not known. */
bool fb_limit_read(const struct fb_node *node, struct fb_limit *out);
/* Both ends of `value in low..high`. */
bool fb_limit_read_range(const struct fb_node *node, struct fb_limit *low, struct fb_limit *high);
/* Whether the two are about the same value and can be compared. */
bool fb_limit_same_subject(const struct fb_limit *a, const struct fb_limit *b);
/* Whether both can hold of one value, of two about the same subject; < <= > >= only. */
bool fb_limits_meet(const struct fb_limit *a, const struct fb_limit *b);
bool fb_limit_is_above(enum fb_op op);
bool fb_limit_is_below(enum fb_op op);

#endif
