/* Gives windows their samples.
 *
 * Place in the flow: 7 of the event's way: core.c calls it for each record that is taken. */
#ifndef FB_CORE_FEED_H
#define FB_CORE_FEED_H

#include "engine/core/state.h"

/* t_us: the device's time. The fields must hold the record's samples already (late: for the time of
 * the call). */
void fb_feed_windows(struct fb_core *core, struct fb_device *device, const struct fb_entry *entry,
                     int64_t t_us, bool late);

#endif
