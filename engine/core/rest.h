/* Conditions that gave up the ends of their `each` windows while nothing can change them, and how
 * they get them back.
 *
 * Place in the flow: rule.c lets a condition rest; a record of its device (core.c), another
 * accepted value of an actuator that it reads (actuator.c), another state of a mode (mode.c) and
 * another value of other devices (wake.c) wake it. A condition that rests has no deadline at all.
 */
#ifndef FB_CORE_REST_H
#define FB_CORE_REST_H

#include "engine/core/moment.h"

/* Slow part of the following. */
void fb_rest_wake_all(struct fb_device *device, int64_t t_us);
/* A record may change what the next `each` windows hold: conditions that rested wait for them. */
static inline void fb_rest_wake(struct fb_device *device, int64_t t_us) {
    if (device->resting)
        fb_rest_wake_all(device, t_us);
}
/* What the condition (by index in the class) reads of an actuator, a mode or an alarm is another
 * one as of the moment, the C of which is now_us: it is evaluated after_us behind the moment's
 * time, or before. One that rests gets back the end of its next window, too, which may come before.
 */
void fb_rest_tell(const struct fb_core *core, const struct fb_moment *moment, uint32_t condition,
                  int64_t after_us, int64_t now_us);

#endif
