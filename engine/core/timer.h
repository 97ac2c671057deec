/* Timers: one place a device in a heap ordered by the task's clock.
 *
 * Place in the flow: 5 of the event's way. A device is due when its own time D passes its deadline
 * T, that is when C reaches T + 1 - W + Cw, and when C passes the earliest deadline of its
 * actuators. Moved lazily: an entry may be early, never late. */
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
    struct fb_timer_due *due; /* timer.c: a ring in firing order, or a heap */
    uint32_t first_due, n_due, cap_due;
    bool heaped; /* `due` is a heap */
    int64_t *came; /* by a device's number: its place among those due; NULL: not followed */
    uint32_t n_came;
    bool follows;
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
    if (device->deadline_us == FB_NEVER)
        at_us = FB_NEVER;
    if (device->acting_us < at_us)
        at_us = device->acting_us + 1;
    if (at_us < device->scheduled_us)
        fb_timers_place(timers, device, at_us);
}
void fb_timers_reserve(struct fb_timers *timers, uint32_t devices);
/* Whether so many places are at or before C that it is cheaper to take all of them out at once. */
bool fb_timers_many(const struct fb_timers *timers, int64_t c_us);
/* Takes the device of every place that is at or before C out, and gives it to the function, which
 * must place none. In no order of meaning. */
void fb_timers_take_out(struct fb_timers *timers, int64_t c_us,
                        void (*take)(void *context, struct fb_device *device), void *context);
/* Removes and gives a device whose place is at or before C; NULL: none. */
struct fb_device *fb_timers_pop(struct fb_timers *timers, int64_t c_us);
void fb_timers_remove(struct fb_timers *timers, struct fb_device *device);
/* Earliest place in the heap; FB_NEVER: empty. */
static inline int64_t fb_timers_next(const struct fb_timers *timers) {
    return timers->n ? timers->heap[0].at_us : FB_NEVER;
}

/* Those that are due now, in the order (C at which they came, device id, class), A37. What comes in
 * that order, as devices do that were placed as they fired, is only put behind; else all become a
 * heap until it is empty. */
void fb_due_push(struct fb_timers *timers, struct fb_device *device, int64_t came_us);
/* From now on, before there are devices: one that stands there already may be pushed again, at an
 * earlier C. */
void fb_timers_follow_due(struct fb_timers *timers);
/* Where it stands among those due, if that is followed; FB_NEVER: it does not. */
static inline int64_t fb_due_came(const struct fb_timers *timers, const struct fb_device *device) {
    return timers->came[device->number];
}
/* NULL: none. */
struct fb_device *fb_due_pop(struct fb_timers *timers);

#endif
