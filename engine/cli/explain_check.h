/* Whether what an explanation prints gives what happened, in words.
 *
 * Place in the flow: run/recompute computes it, cli/explain_text and cli/explain_state print it. */
#ifndef FB_CLI_EXPLAIN_CHECK_H
#define FB_CLI_EXPLAIN_CHECK_H

#include "engine/run/recompute.h"

/* "agrees", "fits", "differs" */
const char *fb_recheck_name(enum fb_recheck verdict);
/* Appends what each condition of the record's rule comes to by the record's values, what of it does
 * not follow and why, and whether that is what happened. rule: in the record's version. */
enum fb_recheck fb_explain_check(const struct fb_program *program, const struct fb_rule *rule,
                                 const struct fb_story *story, struct fb_buf *out);

/* The same of the interlock and the permissive of the record's actuator, if it has them: in the
 * record's version, of that class. */
enum fb_recheck fb_explain_check_own(const struct fb_program *program, uint16_t class_index,
                                     const struct fb_actuator *actuator,
                                     const struct fb_story *story, struct fb_buf *out);

#endif
