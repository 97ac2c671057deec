/* A device as it is, for people: read only.
 *
 * Place in the flow: `flyball explain` asks it at the end of a replay. Nothing that the core does
 * depends on it; a window only remembers what was computed. One owner, as the core. */
#ifndef FB_CORE_LOOK_H
#define FB_CORE_LOOK_H

#include "engine/core/claim.h"
#include "engine/core/core.h"

/* NULL: the core has no such device. */
struct fb_device *fb_look_device(const struct fb_core *core, uint16_t class_index,
                                 struct fb_str id);
/* The task's clock C; FB_NO_TIME: nothing has come. */
int64_t fb_look_clock(const struct fb_core *core);
/* The device's own time D at C. */
int64_t fb_look_time(const struct fb_core *core, const struct fb_device *device);

/* A cell of the device's block, at an offset of the program: of conditions, rules, claims, `for`
 * and `until`, actuators. Times in it are the device's, but where model/ says C. */
const void *fb_look_cell(const struct fb_device *device, uint32_t offset);
/* The end of the device's maintenance, on C; FB_NO_TIME: it is in service. */
int64_t fb_look_maintenance(const struct fb_device *device);
/* A field's present value, at D; *at_us: of its last good sample, FB_NO_TIME: it has none. */
struct fb_value fb_look_field(const struct fb_core *core, const struct fb_device *device,
                              uint32_t field, int64_t *at_us);
/* The value of code that reads state and never changes it (struct fb_shown), at D. */
struct fb_value fb_look_run(struct fb_core *core, struct fb_device *device,
                            const struct fb_code *code);
/* An aggregate of a window at D. needs: index of a share among the class's numbers. */
struct fb_value fb_look_window(struct fb_core *core, struct fb_device *device, uint32_t window,
                               uint8_t aggregate, uint16_t needs);

#endif
