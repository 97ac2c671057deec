/* State machines: which state a device is in, and when it goes to another one.
 *
 * Place in the flow: between 9 and 10 of the event's way: claim.c marks the modes a way of which
 * changed, core.c has them looked at after all rules of an evaluation, before actuators are
 * decided, and at their own deadlines. rules/MEANING.md, A21. */
#ifndef FB_CORE_MODE_H
#define FB_CORE_MODE_H

#include "engine/core/moment.h"

/* Looks at those of the set (by index in the class), in order, at now_us: each goes at most once.
 * Marks the actuators whose claims became others; conditions that read a mode are due. */
void fb_modes_look(struct fb_core *core, const struct fb_moment *moment, uint64_t set,
                   int64_t now_us);
/* When a mode of the device is looked at next without an evaluation, in C; FB_NEVER. */
int64_t fb_modes_due(const struct fb_device *device);
/* Those with a deadline at or before c_us. */
uint64_t fb_modes_due_at(const struct fb_device *device, int64_t c_us);
/* All modes of a class. */
static inline uint64_t fb_modes_all(const struct fb_class *class_) {
    return class_->n_modes ? UINT64_MAX >> (64 - class_->n_modes) : 0;
}
/* The state that the mode is in; unknown while in none. */
struct fb_value fb_mode_value(const struct fb_device *device, uint32_t index);

#endif
