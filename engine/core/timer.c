/* Two heaps: all devices by the clock at which they are due, and those due now in firing order.
 *
 * Place in the flow: see timer.h. */
#include "engine/core/timer.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/num.h"

struct fb_timer_due {
    int64_t deadline_us;
    uint64_t id_head, id_tail; /* the id's first 16 bytes as numbers: they order most ids */
    struct fb_device *device;
};

struct fb_timers *fb_timers_new(const struct fb_devices *devices) {
    struct fb_timers *timers = fb_alloc(sizeof *timers);
    timers->devices = devices;
    return timers;
}

void fb_timers_free(struct fb_timers *timers) {
    if (!timers)
        return;
    free(timers->heap);
    free(timers->position);
    free(timers->due);
    free(timers);
}

void fb_timers_reserve(struct fb_timers *timers, uint32_t devices) {
    while (timers->cap < devices) {
        timers->cap = timers->cap ? timers->cap * 2 : 64;
        timers->heap = fb_grow(timers->heap, sizeof *timers->heap * timers->cap);
        timers->position = fb_grow(timers->position, sizeof *timers->position * timers->cap);
        timers->cap_due = timers->cap + 1;
        timers->due = fb_grow(timers->due, sizeof *timers->due * timers->cap_due);
    }
}

static void put(struct fb_timers *timers, uint32_t i, struct fb_timer_place place) {
    timers->heap[i] = place;
    timers->position[place.device] = i;
}

static void sift_up(struct fb_timers *timers, uint32_t i, struct fb_timer_place place) {
    while (i > 0 && place.at_us < timers->heap[(i - 1) / 4].at_us) {
        put(timers, i, timers->heap[(i - 1) / 4]);
        i = (i - 1) / 4;
    }
    put(timers, i, place);
}

static void sift_down(struct fb_timers *timers, uint32_t i, struct fb_timer_place place) {
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

void fb_timers_place(struct fb_timers *timers, struct fb_device *device, int64_t at_us) {
    FB_ASSERT(device->number < timers->cap);
    bool is_new = device->scheduled_us == FB_NEVER;
    device->scheduled_us = at_us;
    sift_up(timers, is_new ? timers->n++ : timers->position[device->number],
            (struct fb_timer_place){at_us, device->number});
}

void fb_timers_remove(struct fb_timers *timers, struct fb_device *device) {
    if (device->scheduled_us == FB_NEVER)
        return;
    device->scheduled_us = FB_NEVER;
    uint32_t i = timers->position[device->number];
    struct fb_timer_place last = timers->heap[--timers->n];
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
    struct fb_device *device = fb_devices_at(timers->devices, timers->heap[0].device);
    fb_timers_remove(timers, device);
    if (timers->n) /* often due too */
        fb_device_fetch_deadlines(fb_devices_at(timers->devices, timers->heap[0].device));
    return device;
}

/* Bytes as a number of the same order, zeros behind the end. */
static uint64_t id_part(struct fb_str id, size_t from) {
    uint64_t part = 0;
    if (id.n > from)
        memcpy(&part, id.p + from, id.n - from < sizeof part ? id.n - from : sizeof part);
    return __builtin_bswap64(part);
}

static bool fires_before(const struct fb_timer_due *a, const struct fb_timer_due *b) {
    if (a->deadline_us != b->deadline_us)
        return a->deadline_us < b->deadline_us;
    if (a->id_head != b->id_head)
        return a->id_head < b->id_head;
    if (a->id_tail != b->id_tail)
        return a->id_tail < b->id_tail;
    int order = fb_str_cmp(fb_device_id(a->device), fb_device_id(b->device));
    if (order)
        return order < 0;
    return a->device->plan->class_index < b->device->plan->class_index;
}

void fb_due_push(struct fb_timers *timers, struct fb_device *device) {
    FB_ASSERT(timers->n_due < timers->cap_due);
    struct fb_str id = fb_device_id(device);
    struct fb_timer_due due = {device->deadline_us, id_part(id, 0), id_part(id, 8), device};
    uint32_t i = timers->n_due++;
    while (i > 0 && fires_before(&due, &timers->due[(i - 1) / 2])) {
        timers->due[i] = timers->due[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    timers->due[i] = due;
}

struct fb_device *fb_due_pop(struct fb_timers *timers, int64_t *deadline_us) {
    if (!timers->n_due)
        return NULL;
    struct fb_timer_due first = timers->due[0], last = timers->due[--timers->n_due];
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
    for (i = 0; i < 3 && i < timers->n_due; i++) /* one of them is the next */
        fb_device_fetch(timers->due[i].device, timers->due[i].device->plan);
    *deadline_us = first.deadline_us;
    return first.device;
}
