/* What each rule costs and what it does not know at first.
 *
 * Place in the flow: beside lower: `flyball check` prints it. */
#ifndef FB_RULES_COST_H
#define FB_RULES_COST_H

#include "engine/model/program.h"

struct fb_rule_cost {
    uint32_t own_bytes;    /* a device: the rule's cell, its conditions', its delays' */
    uint32_t window_bytes; /* a device: the windows that it reads, those of other rules too */
    uint32_t shared_bytes; /* of these: what other rules read as well */
    uint32_t instructions; /* most that one record can run: conditions and samples of windows */
    uint32_t timers;       /* deadlines kept a device */
};

struct fb_rule_cost fb_cost_of(const struct fb_program *program, uint32_t rule);

/* A table a class, and for each window its shape and from when it is known. */
void fb_cost_text(const struct fb_program *program, struct fb_buf *out);
/* The same as one JSON array with an object a class. */
void fb_cost_json(const struct fb_program *program, struct fb_buf *out);

#endif
