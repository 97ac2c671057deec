/* Two heaps: all devices by the clock at which they are due, and those due now in firing order.
 *
 * Place in the flow: see timer.h. */
#include "engine/core/timer.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/num.h"

struct place {
    int64_t at_us; /* C */
    struct fb_device *device;
};

struct fb_timers {
    struct place *heap;
    uint32_t n, cap;
    struct fb_due *due;
    uint32_t n_due, cap_due;
};

struct fb_timers *fb_timers_new(void) {
    return fb_alloc(sizeof(struct fb_timers));
}

void fb_timers_free(struct fb_timers *timers) {
    if (!timers)
        return;
    free(timers->heap);
    free(timers->due);
    free(timers);
}

void fb_timers_reserve(struct fb_timers *timers, uint32_t devices) {
    while (timers->cap < devices) {
        timers->cap = timers->cap ? timers->cap * 2 : 64;
        timers->heap = fb_grow(timers->heap, sizeof *timers->heap * timers->cap);
        timers->cap_due = timers->cap + 1;
        timers->due = fb_grow(timers->due, sizeof *timers->due * timers->cap_due);
    }
}

static void put(struct fb_timers *timers, uint32_t i, struct place place) {
    timers->heap[i] = place;
    place.device->heap_position = i;
}

static void sift_up(struct fb_timers *timers, uint32_t i, struct place place) {
    while (i > 0 && place.at_us < timers->heap[(i - 1) / 4].at_us) {
        put(timers, i, timers->heap[(i - 1) / 4]);
        i = (i - 1) / 4;
    }
    put(timers, i, place);
}

static void sift_down(struct fb_timers *timers, uint32_t i, struct place place) {
    for (;;) {
        uint32_t least = i, first = i * 4 + 1;
        int64_t at = place.at_us;
        for (uint32_t child = first; child < first + 4 && child < timers->n; child++)
            if (timers->heap[child].at_us < at) {
                least = child;
                at = timers->heap[child].at_us;
            }
        if (least == i)
            break;
        put(timers, i, timers->heap[least]);
        i = least;
    }
    put(timers, i, place);
}

static int64_t due_clock(const struct fb_device *device) {
    /* T + 1 - W + Cw */
    return fb_add_sat(fb_add_sat(device->deadline_us, 1),
                      device->clock_at_us - device->watermark_us);
}

void fb_timers_schedule(struct fb_timers *timers, struct fb_device *device) {
    if (device->deadline_us == FB_NEVER)
        return;
    struct place place = {due_clock(device), device};
    if (device->heap_position == FB_NOT_SCHEDULED) {
        FB_ASSERT(timers->n < timers->cap);
        sift_up(timers, timers->n++, place);
    } else if (place.at_us < timers->heap[device->heap_position].at_us) {
        sift_up(timers, device->heap_position, place);
    }
}

void fb_timers_remove(struct fb_timers *timers, struct fb_device *device) {
    uint32_t i = device->heap_position;
    if (i == FB_NOT_SCHEDULED)
        return;
    device->heap_position = FB_NOT_SCHEDULED;
    struct place last = timers->heap[--timers->n];
    if (i == timers->n)
        return;
    if (i > 0 && last.at_us < timers->heap[(i - 1) / 4].at_us)
        sift_up(timers, i, last);
    else
        sift_down(timers, i, last);
}

struct fb_device *fb_timers_pop(struct fb_timers *timers, int64_t c_us) {
    if (!timers->n || timers->heap[0].at_us > c_us)
        return NULL;
    struct fb_device *device = timers->heap[0].device;
    fb_timers_remove(timers, device);
    return device;
}

int64_t fb_timers_next(const struct fb_timers *timers) {
    return timers->n ? timers->heap[0].at_us : FB_NEVER;
}

static bool fires_before(const struct fb_due *a, const struct fb_due *b) {
    if (a->deadline_us != b->deadline_us)
        return a->deadline_us < b->deadline_us;
    int order = fb_str_cmp(fb_device_id(a->device), fb_device_id(b->device));
    if (order)
        return order < 0;
    return a->device->plan->class_index < b->device->plan->class_index;
}

void fb_due_push(struct fb_timers *timers, struct fb_due due) {
    FB_ASSERT(timers->n_due < timers->cap_due);
    uint32_t i = timers->n_due++;
    while (i > 0 && fires_before(&due, &timers->due[(i - 1) / 2])) {
        timers->due[i] = timers->due[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    timers->due[i] = due;
}

bool fb_due_pop(struct fb_timers *timers, struct fb_due *due) {
    if (!timers->n_due)
        return false;
    *due = timers->due[0];
    struct fb_due last = timers->due[--timers->n_due];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = i * 2 + 1;
        if (child >= timers->n_due)
            break;
        if (child + 1 < timers->n_due &&
            fires_before(&timers->due[child + 1], &timers->due[child]))
            child++;
        if (!fires_before(&timers->due[child], &last))
            break;
        timers->due[i] = timers->due[child];
        i = child;
    }
    timers->due[i] = last;
    return true;
}
