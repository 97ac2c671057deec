/* Conditions that rest, and are woken.
 *
 * Place in the flow: see rest.h. */
#include "engine/core/rest.h"

#include "engine/core/window.h"

/* When the next `each` window that the condition reads is complete, as its evaluation at the
 * instant would say; FB_NEVER: none has begun. */
static inline int64_t next_window(const struct fb_device *device, uint32_t condition,
                                  struct fb_window_instant instant) {
    const struct fb_class_plan *plan = device->plan;
    const char *block = (const char *)device + plan->block_at;
    const uint32_t *at = plan->each_windows + plan->conditions[condition].first_each;
    const uint32_t *end = at + plan->conditions[condition].n_each;
    int64_t least_us = FB_NEVER;
    for (; at < end; at++) {
        const struct fb_window *window = &plan->class_->windows[*at];
        int64_t us = fb_window_next(window, block + window->offset, instant);
        if (us < least_us)
            least_us = us;
    }
    return least_us;
}

void fb_rest_wake_all(struct fb_device *device, int64_t t_us) {
    const struct fb_class_plan *plan = device->plan;
    device->resting = false;
    for (uint32_t i = 0; i < plan->n_each_conditions; i++) {
        uint32_t c = plan->each_conditions[i];
        if (device->deadlines[c] != FB_NEVER)
            continue;
        int64_t at_us = next_window(device, c, (struct fb_window_instant){.t_us = t_us});
        fb_device_set_deadline(device, c, at_us);
        device->resting |= at_us == FB_NEVER;
    }
}

void fb_rest_tell(const struct fb_core *core, const struct fb_moment *moment, uint32_t condition,
                  int64_t after_us, int64_t now_us) {
    struct fb_device *device = moment->device;
    int64_t t_us = moment->t_us, at_us = fb_add_sat(t_us, after_us);
    if (after_us > 0 && device->deadlines[condition] == FB_NEVER &&
        device->plan->conditions[condition].may_rest) {
        /* What ends at the moment itself it would have seen where timers of this instant went
         * first: they do, but at a record, and where the device's own time stands still. */
        bool timer = moment->cause.timer && fb_device_came_at(core, device, t_us) <= now_us;
        int64_t next_us = next_window(device, condition,
                                      (struct fb_window_instant){.t_us = t_us, .timer = timer});
        at_us = next_us < at_us ? next_us : at_us;
    }
    if (at_us < device->deadlines[condition])
        fb_device_set_deadline(device, condition, at_us);
}
