/* A device that no record made: what code gives for values that someone says.
 *
 * Place in the flow: `flyball explain` recomputes conditions with it, from the operands that it
 * prints. On a core of its own, that takes no records. One owner. */
#ifndef FB_CORE_TRIAL_H
#define FB_CORE_TRIAL_H

#include "engine/core/core.h"

struct fb_device;

/* A device of that class, all of whose fields were never seen. One a core. */
struct fb_device *fb_trial_device(struct fb_core *core, uint16_t class_index);
/* The field, tag or key has this value, or is bad, stale or unknown. A field that never goes stale
 * is bad instead. */
void fb_trial_set(struct fb_core *core, struct fb_device *device, uint32_t field,
                  const struct fb_value *value);
/* The actuator has accepted this value (a word's index, a number), or nothing by its quality. */
void fb_trial_accept(struct fb_device *device, uint32_t actuator, const struct fb_value *value);
/* What each instruction of the device's class that reads other devices gives, until the core's end:
 * as many as the class has instructions. */
void fb_trial_tell(struct fb_core *core, const struct fb_value *others);
/* What the code gives: with the cells of delays, latches and windows as they are fresh, so what
 * reads them means nothing. A text lives until it is set again. */
struct fb_value fb_trial_run(struct fb_core *core, struct fb_device *device,
                             const struct fb_code *code);

#endif
