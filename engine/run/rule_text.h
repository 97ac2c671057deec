/* A rule or an actuator as it stands in its file, with what its operands were.
 *
 * Place in the flow: `flyball explain` prints it; the values come from an audit record or from a
 * device of a replay. */
#ifndef FB_RUN_RULE_TEXT_H
#define FB_RUN_RULE_TEXT_H

#include "rules/compile.h"

/* Appends what is known of a field or let, without brackets; false: nothing is. */
typedef bool fb_operand_fn(void *context, struct fb_str name, struct fb_buf *out);

/* Appends the lines of the rule, indented, each operand's value in brackets behind its name where
 * that stands first on the line; then those of the lets of the device that it reads. A param has
 * its text behind it. False: there is no such rule. */
bool fb_rule_text(const struct fb_compiled *compiled, const struct fb_rule *rule,
                  fb_operand_fn *operand, void *context, struct fb_buf *out);
/* The same of an actuator: its interlock and its permissive have operands. */
bool fb_actuator_text(const struct fb_compiled *compiled, struct fb_str class_name,
                      struct fb_str actuator, fb_operand_fn *operand, void *context,
                      struct fb_buf *out);

#endif
