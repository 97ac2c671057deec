/* Timers: one place a device in a heap ordered by the task's clock.
 *
 * Place in the flow: 5 of the event's way. A device is due when its own time D passes its deadline
 * T, that is when C reaches T + 1 - W + Cw. Moved lazily: an entry may be early, never late. */
#ifndef FB_CORE_TIMER_H
#define FB_CORE_TIMER_H

#include "engine/base/num.h"
#include "engine/core/device.h"

/* Both heaps are made so that moving an element touches no device: devices lie all over the memory,
 * the heaps close together. Here for what is inline only. */
struct fb_timers {
    const struct fb_devices *devices;
    struct fb_timer_place {
        int64_t at_us; /* C */
        uint32_t device;
    } *heap;
    uint32_t *position; /* in the heap, by a device's number */
    uint32_t n, cap;
    struct fb_timer_due *due; /* timer.c */
    uint32_t n_due, cap_due;
};

/* The devices must outlive the timers. */
struct fb_timers *fb_timers_new(const struct fb_devices *devices);
void fb_timers_free(struct fb_timers *timers);
/* Makes sure that the device is looked at when C reaches its deadline. Room for every registered
 * device must have been made by fb_timers_reserve. */
void fb_timers_place(struct fb_timers *timers, struct fb_device *device, int64_t at_us);
static inline void fb_timers_schedule(struct fb_timers *timers, struct fb_device *device) {
    int64_t at_us = fb_add_sat(fb_add_sat(device->deadline_us, 1),
                               device->clock_at_us - device->watermark_us); /* T + 1 - W + Cw */
    if (at_us < device->scheduled_us && device->deadline_us != FB_NEVER)
        fb_timers_place(timers, device, at_us);
}
void fb_timers_reserve(struct fb_timers *timers, uint32_t devices);
/* Removes and gives a device whose place is at or before C; NULL: none. */
struct fb_device *fb_timers_pop(struct fb_timers *timers, int64_t c_us);
void fb_timers_remove(struct fb_timers *timers, struct fb_device *device);
/* Earliest place in the heap; FB_NEVER: empty. */
static inline int64_t fb_timers_next(const struct fb_timers *timers) {
    return timers->n ? timers->heap[0].at_us : FB_NEVER;
}

/* Those that are due now, in the order (T, device id, class): a second heap. */
void fb_due_push(struct fb_timers *timers, struct fb_device *device);
/* NULL: none. *deadline_us: the device's deadline when it was pushed. */
struct fb_device *fb_due_pop(struct fb_timers *timers, int64_t *deadline_us);

#endif
