/* The functions of several devices.
 *
 * Place in the flow: check types calls of them, lower makes code of them. */
#ifndef FB_RULES_GROUP_FUNCTION_H
#define FB_RULES_GROUP_FUNCTION_H

#include "engine/base/str.h"
#include "engine/model/program.h"
#include "rules/ast.h"

/* p50 is a PERCENTILE of 50, p99_9 of 99.9, as is median of 50; `percent` is 0 of all others.
 * False: there is none of this name. */
bool fb_group_function_find(struct fb_str name, enum fb_group_function *function, double *percent);
/* The function of a GROUP node, also of one that a command to other devices made; number: a
 * percent, or what is nearest. */
bool fb_group_function_of(const struct fb_node *node, enum fb_group_function *function,
                          double *number);
/* The name of a function as it is written; percent: of a percentile. */
void fb_group_function_text(enum fb_group_function function, double percent, struct fb_buf *out);
/* Names to choose from, of percentiles `median` and a few. */
enum { FB_GROUP_FUNCTION_NAMES = 16 };
extern const struct fb_str fb_group_function_names[FB_GROUP_FUNCTION_NAMES];

#endif
