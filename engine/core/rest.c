/* Conditions that rest, and are woken.
 *
 * Place in the flow: see rest.h. */
#include "engine/core/rest.h"

#include "engine/core/window.h"

/* When the next `each` window that the condition reads is complete, as its evaluation at the
 * instant would say; FB_NEVER: none has begun. */
static int64_t next_window(const struct fb_device *device, uint32_t condition,
                           struct fb_window_instant instant) {
    const struct fb_class *class_ = device->plan->class_;
    const struct fb_code *code = &class_->conditions[condition].code;
    const char *block = (const char *)device + device->plan->block_at;
    int64_t least_us = FB_NEVER;
    for (uint32_t i = 0; i < code->count; i++) {
        const struct fb_instr *in = &class_->code[code->first + i];
        if (in->op != FB_I_WINDOW && in->op != FB_I_WINDOW_CMP)
            continue;
        const struct fb_window *window = &class_->windows[in->imm];
        if (window->shape != FB_SHAPE_EACH)
            continue;
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
