/* The state of a rule on a device at a time, for people and for programs: why not?
 *
 * Place in the flow: cmd_explain replays up to the time, then this looks at the core. */
#ifndef FB_CLI_EXPLAIN_STATE_H
#define FB_CLI_EXPLAIN_STATE_H

#include "engine/core/look.h"
#include "rules/compile.h"

struct fb_state_question {
    const struct fb_compiled *compiled;
    const struct fb_rule *rule;
    struct fb_str device; /* its id, as in `device` of an alert */
    bool json;
};

/* Appends the answer. False: this core has no such device, and nothing is appended. */
bool fb_explain_state(const struct fb_state_question *question, struct fb_core *core,
                      struct fb_buf *out);

#endif
