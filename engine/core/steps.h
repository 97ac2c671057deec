/* Conditions that are made of comparisons with constants, delays, latches and logic only, as short
 * steps over truths.
 *
 * Place in the flow: plan.c makes them of a condition's code, rule.c runs them in place of eval.c's
 * switch. They give the same value, state and deadlines to the bit: only the way is shorter, since
 * what never changes (places, constants, shapes of windows) stands in the step itself. */
#ifndef FB_CORE_STEPS_H
#define FB_CORE_STEPS_H

#include "engine/core/eval.h"

enum { FB_STEPS_MAX = 32 }; /* of a condition */

enum fb_step_op {
    FB_STEP_FIELD,  /* number field cmp limit */
    FB_STEP_WINDOW, /* window cmp limit */
    FB_STEP_EACH,   /* the same of an `each` window */
    FB_STEP_FOR,    /* a for span */
    FB_STEP_UNTIL,  /* a until b */
    FB_STEP_NOT,
    FB_STEP_AND,
    FB_STEP_OR
};

/* a, b, dst: truths (0 false, 1 true, 2 unknown). */
struct fb_step {
    uint8_t op, dst, a, b;
    uint8_t orders;    /* a comparison is true if 1 << (order + 1) is in it, order -1, 0 or 1 */
    uint8_t aggregate; /* of a window */
    uint16_t needs;    /* index in the class's numbers */
    uint32_t at;       /* bytes from the device to the cell; of a window: its index */
    int64_t span_us;   /* FOR: how long; FIELD: until it is stale, 0: never */
    double limit;
};

/* The number of steps written, at most FB_STEPS_MAX; 0: the code has others than these, or its
 * value is no truth. block_at: bytes from a device to its block. */
uint32_t fb_steps_make(struct fb_step *steps, const struct fb_class *class_,
                       const struct fb_condition *condition, uint32_t block_at);
/* 0 false, 1 true, 2 unknown; lowers the deadlines of eval as fb_eval_run does. */
uint8_t fb_steps_run(struct fb_eval *eval, const struct fb_step *steps, uint32_t n);

#endif
