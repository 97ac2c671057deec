/* One evaluation of a device at an instant.
 *
 * Place in the flow: core.c makes one for a record or a timer; rule.c, alarm.c, event.c, report.c
 * work within it. */
#ifndef FB_CORE_MOMENT_H
#define FB_CORE_MOMENT_H

#include "engine/base/num.h"
#include "engine/core/state.h"

/* By a record or by a timer. */
struct fb_moment {
    struct fb_device *device;
    int64_t t_us;
    bool silent;                           /* what `silent` gives */
    const struct fb_field_set *carried;    /* on-time record: the fields it carries; else NULL */
    const struct fb_field_set *good;       /* of these, those with a good sample */
    struct fb_cause cause;
};

/* The C at which the device's time came, or comes, to t_us; not more than the present one. */
static inline int64_t fb_device_came_at(const struct fb_core *core, const struct fb_device *device,
                                        int64_t t_us) {
    int64_t at_us = fb_add_sat(t_us, device->clock_at_us - device->watermark_us);
    return at_us < core->clock_us ? at_us : core->clock_us;
}
/* The C of a moment, A1: C itself at a record, when the device's time came to T at a timer. */
static inline int64_t fb_moment_clock(const struct fb_core *core, const struct fb_moment *moment) {
    return moment->cause.timer ? fb_device_came_at(core, moment->device, moment->t_us)
                               : core->clock_us;
}

/* The evaluator's frame for the moment. */
static inline struct fb_eval fb_moment_eval(const struct fb_core *core,
                                            const struct fb_moment *moment) {
    return (struct fb_eval){
        .registers = core->registers,
        .texts = core->texts,
        .device = moment->device,
        .memos = core->memos,
        .moment = core->moment,
        .t_us = moment->t_us,
        .timer = moment->cause.timer,
        .silent = moment->silent,
        .carried = moment->carried,
        .deadline_us = FB_NEVER,
        .each_us = FB_NEVER,
    };
}

#endif
