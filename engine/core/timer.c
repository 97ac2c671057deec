/* A heap of all devices by the clock at which they are due, and those due now in firing order.
 *
 * Place in the flow: see timer.h. */
#include "engine/core/timer.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/num.h"

struct fb_timer_due {
    int64_t came_us;
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
    free(timers->came);
    free(timers);
}

static void grow_came(struct fb_timers *timers) {
    timers->came = fb_grow(timers->came, sizeof *timers->came * timers->cap);
    for (uint32_t i = timers->n_came; i < timers->cap; i++)
        timers->came[i] = FB_NEVER;
    timers->n_came = timers->cap;
}

void fb_timers_reserve(struct fb_timers *timers, uint32_t devices) {
    while (timers->cap < devices) {
        timers->cap = timers->cap ? timers->cap * 2 : 64;
        timers->heap = fb_grow(timers->heap, sizeof *timers->heap * timers->cap);
        timers->position = fb_grow(timers->position, sizeof *timers->position * timers->cap);
        if (timers->cap_due < timers->cap + 1)
            timers->cap_due = timers->cap + 1;
        timers->due = fb_grow(timers->due, sizeof *timers->due * timers->cap_due);
        if (timers->follows)
            grow_came(timers);
    }
}

void fb_timers_follow_due(struct fb_timers *timers) {
    FB_ASSERT(timers->cap == 0);
    timers->follows = true;
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

/* The due places are the top of the heap: counts them, up to `most`. */
static uint32_t count_due(const struct fb_timers *timers, uint32_t i, int64_t c_us,
                          uint32_t most) {
    if (i >= timers->n || timers->heap[i].at_us > c_us)
        return 0;
    uint32_t count = 1;
    for (uint32_t child = i * 4 + 1; child <= i * 4 + 4 && count < most; child++)
        count += count_due(timers, child, c_us, most - count);
    return count;
}

bool fb_timers_many(const struct fb_timers *timers, int64_t c_us) {
    uint32_t many = timers->n / 8 + 8;
    return count_due(timers, 0, c_us, many) >= many;
}

void fb_timers_take_out(struct fb_timers *timers, int64_t c_us,
                        void (*take)(void *context, struct fb_device *device), void *context) {
    uint32_t n = timers->n, kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct fb_timer_place place = timers->heap[i];
        if (place.at_us > c_us) {
            put(timers, kept++, place);
            continue;
        }
        if (i + 4 < n)
            __builtin_prefetch(fb_devices_at(timers->devices, timers->heap[i + 4].device));
        struct fb_device *device = fb_devices_at(timers->devices, place.device);
        device->scheduled_us = FB_NEVER;
        take(context, device);
    }
    timers->n = kept;
    for (uint32_t i = kept / 4 + 1; i-- > 0;)
        if (i < kept)
            sift_down(timers, i, timers->heap[i]);
}

/* Bytes as a number of the same order, zeros behind the end. */
static uint64_t id_part(struct fb_str id, size_t from) {
    uint64_t part = 0;
    if (id.n > from)
        memcpy(&part, id.p + from, id.n - from < sizeof part ? id.n - from : sizeof part);
    return __builtin_bswap64(part);
}

static bool fires_before(const struct fb_timer_due *a, const struct fb_timer_due *b) {
    if (a->came_us != b->came_us)
        return a->came_us < b->came_us;
    if (a->id_head != b->id_head)
        return a->id_head < b->id_head;
    if (a->id_tail != b->id_tail)
        return a->id_tail < b->id_tail;
    int order = fb_str_cmp(fb_device_id(a->device), fb_device_id(b->device));
    if (order)
        return order < 0;
    return a->device->plan->class_index < b->device->plan->class_index;
}

/* ---- due now ---- */

static uint32_t due_at(const struct fb_timers *timers, uint32_t i) {
    uint32_t at = timers->first_due + i;
    return at < timers->cap_due ? at : at - timers->cap_due;
}

static void sift_due_up(struct fb_timers *timers, uint32_t i, struct fb_timer_due due) {
    for (; i > 0 && fires_before(&due, &timers->due[(i - 1) / 2]); i = (i - 1) / 2)
        timers->due[i] = timers->due[(i - 1) / 2];
    timers->due[i] = due;
}

static void sift_due_down(struct fb_timers *timers, uint32_t i, struct fb_timer_due due) {
    for (uint32_t child; (child = i * 2 + 1) < timers->n_due; i = child) {
        if (child + 1 < timers->n_due &&
            fires_before(&timers->due[child + 1], &timers->due[child]))
            child++;
        if (!fires_before(&timers->due[child], &due))
            break;
        timers->due[i] = timers->due[child];
    }
    timers->due[i] = due;
}

/* What is in the ring moves to the front; in order it is a heap as it is. */
static void become_heap(struct fb_timers *timers) {
    uint32_t n = timers->n_due, first = timers->first_due, cap = timers->cap_due;
    bool in_order = first + n <= cap;
    if (in_order) {
        memmove(timers->due, timers->due + first, sizeof *timers->due * n);
    } else {
        uint32_t begin = first + n - cap; /* behind what went round */
        memmove(timers->due + begin, timers->due + first, sizeof *timers->due * (cap - first));
        for (uint32_t i = n / 2; i-- > 0;)
            sift_due_down(timers, i, timers->due[i]);
    }
    timers->first_due = 0;
    timers->heaped = true;
}

/* Its place; where it stood before is none any more. */
static void follow(struct fb_timers *timers, const struct fb_device *device, int64_t came_us) {
    timers->came[device->number] = came_us;
    if (timers->n_due < timers->cap_due)
        return;
    if (!timers->heaped)
        become_heap(timers);
    timers->cap_due *= 2;
    timers->due = fb_grow(timers->due, sizeof *timers->due * timers->cap_due);
}

void fb_due_push(struct fb_timers *timers, struct fb_device *device, int64_t came_us) {
    if (timers->follows)
        follow(timers, device, came_us);
    FB_ASSERT(timers->n_due < timers->cap_due);
    struct fb_str id = fb_device_id(device);
    struct fb_timer_due due = {came_us, id_part(id, 0), id_part(id, 8), device};
    uint32_t n = timers->n_due;
    if (!timers->heaped && n && fires_before(&due, &timers->due[due_at(timers, n - 1)]))
        become_heap(timers);
    timers->n_due++;
    if (timers->heaped)
        sift_due_up(timers, n, due);
    else
        timers->due[due_at(timers, n)] = due;
}

/* Some of these are next. */
static void fetch_next(const struct fb_timers *timers) {
    enum { FAR = 6, NEAR = 2 };
    if (timers->heaped) {
        for (uint32_t i = 0; i < 3 && i < timers->n_due; i++) {
            const struct fb_device *device = timers->due[i].device;
            fb_device_fetch(device, &device->plan->timer_lines);
        }
        return;
    }
    if (timers->n_due > FAR)
        __builtin_prefetch(timers->due[due_at(timers, FAR)].device);
    if (timers->n_due > NEAR) {
        const struct fb_device *device = timers->due[due_at(timers, NEAR)].device;
        fb_device_fetch(device, &device->plan->timer_lines);
    }
}

static struct fb_timer_due take_first(struct fb_timers *timers) {
    struct fb_timer_due first = timers->due[timers->first_due];
    timers->n_due--;
    if (timers->heaped)
        sift_due_down(timers, 0, timers->due[timers->n_due]);
    else
        timers->first_due = due_at(timers, 1);
    if (!timers->n_due) {
        timers->first_due = 0;
        timers->heaped = false;
    }
    return first;
}

struct fb_device *fb_due_pop(struct fb_timers *timers) {
    while (timers->n_due) {
        struct fb_timer_due first = take_first(timers);
        if (timers->follows) {
            int64_t *came_us = &timers->came[first.device->number];
            if (*came_us != first.came_us)
                continue; /* it came earlier, and was pushed again */
            *came_us = FB_NEVER;
        }
        fetch_next(timers);
        return first.device;
    }
    return NULL;
}
