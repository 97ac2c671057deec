/* Gives windows their samples.
 *
 * Place in the flow: 7 of the event's way: core.c calls it for each record that is taken. */
#ifndef FB_CORE_FEED_H
#define FB_CORE_FEED_H

#include "engine/core/state.h"

/* An on-time sample goes into a window of its field, in general. */
void fb_feed_window(struct fb_core *core, struct fb_device *device,
                    const struct fb_field_plan *field, uint32_t i, const struct fb_sample *sample,
                    int64_t ts_us, int64_t t_us);
/* An on-time sample goes into the windows of its field. ts_us: its time. t_us: the device's. */
static inline void fb_feed_field(struct fb_core *core, struct fb_device *device,
                                 const struct fb_field_plan *field, const struct fb_sample *sample,
                                 int64_t ts_us, int64_t t_us) {
    for (uint32_t i = 0; i < field->n_windows; i++) {
        const struct fb_fed_window *fed = &field->windows[i];
        struct fb_slices *slices = (void *)((char *)device + fed->cell_at);
        if (!fed->slices.plain || sample->state != FB_SAMPLE_GOOD ||
            !fb_slices_take_plain(&fed->slices, slices,
                                  (unsigned char *)slices + FB_EACH_HEAD_BYTES, ts_us, sample->num,
                                  field->stale_us ? ts_us + field->stale_us : FB_NEVER))
            fb_feed_window(core, device, field, i, sample, ts_us, t_us);
    }
}

/* An on-time record goes into all other windows. The fields must hold its samples already. */
void fb_feed_others(struct fb_core *core, struct fb_device *device, const struct fb_entry *entry,
                    int64_t t_us);
/* A late record goes into all windows; its own samples must stand in the fields meanwhile. */
void fb_feed_late(struct fb_core *core, struct fb_device *device, const struct fb_entry *entry,
                  int64_t t_us);

#endif
