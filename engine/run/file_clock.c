/* The leap's examination.
 *
 * Place in the flow: see file_clock.h. */
#include "engine/run/file_clock.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/num.h"
#include "engine/model/program.h"

enum { NEIGHBOURS = 1000 };

/* The device whose records came last, and how many of them in a row. */
struct tail {
    uint16_t class_index;
    struct fb_buf device;
    uint64_t run;
};

/* An entry with the time that moves the clock: its own, or its stamp. */
struct timed {
    struct fb_entry entry;
    int64_t time_us;
};

struct fb_file_clock {
    int64_t max_skew_us;
    fb_clocked_fn *take;
    void *context;
    int64_t clock_us;
    uint64_t records;
    struct tail tail;
    struct fb_arena *arena; /* of the held entries */
    struct timed *held;
    uint32_t n_held, cap_held;
    bool same_decides; /* no other device was near the leap */
};

struct fb_file_clock *fb_file_clock_new(int64_t max_skew_us, fb_clocked_fn *take, void *context) {
    struct fb_file_clock *clock = fb_alloc(sizeof *clock);
    clock->max_skew_us = max_skew_us;
    clock->take = take;
    clock->context = context;
    clock->clock_us = FB_NO_TIME;
    clock->arena = fb_arena_new();
    return clock;
}

void fb_file_clock_free(struct fb_file_clock *clock) {
    if (!clock)
        return;
    fb_arena_free(clock->arena);
    fb_buf_free(&clock->tail.device);
    free(clock->held);
    free(clock);
}

static struct fb_str device_of(const struct tail *tail) {
    return (struct fb_str){tail->device.p, tail->device.n};
}

static bool same_device(uint16_t class_index, struct fb_str device, const struct fb_entry *entry) {
    return class_index == entry->class_index && fb_str_eq(device, entry->device);
}

static void remember(struct fb_file_clock *clock, const struct fb_entry *entry) {
    struct tail *tail = &clock->tail;
    clock->records++;
    if (clock->records > 1 && same_device(tail->class_index, device_of(tail), entry)) {
        tail->run++;
        return;
    }
    tail->class_index = entry->class_index;
    tail->device.n = 0;
    fb_buf_str(&tail->device, entry->device);
    tail->run = 1;
}

static bool alone(const struct fb_file_clock *clock, const struct fb_entry *entry) {
    const struct tail *tail = &clock->tail;
    return same_device(tail->class_index, device_of(tail), entry) &&
           (tail->run >= NEIGHBOURS || tail->run == clock->records);
}

static bool leaps(const struct fb_file_clock *clock, int64_t time_us) {
    return clock->clock_us != FB_NO_TIME &&
           time_us > fb_add_sat(clock->clock_us, clock->max_skew_us);
}

static void hold(struct fb_file_clock *clock, const struct fb_entry *entry, int64_t time_us) {
    struct fb_entry copy = *entry;
    struct fb_sample *samples = FB_ARENA_ARRAY(clock->arena, struct fb_sample, entry->n_samples);
    if (entry->n_samples)
        memcpy(samples, entry->samples, sizeof *samples * entry->n_samples);
    copy.samples = samples;
    copy.device = fb_str_copy(clock->arena, entry->device);
    copy.raw = fb_str_copy(clock->arena, entry->raw);
    copy.origin.topic = fb_str_copy(clock->arena, entry->origin.topic);
    FB_PUSH_ROOM(clock->held, clock->n_held, clock->cap_held);
    clock->held[clock->n_held++] = (struct timed){copy, time_us};
}

static void take(struct fb_file_clock *clock, const struct fb_entry *entry, int64_t time_us) {
    if (time_us > clock->clock_us)
        clock->clock_us = time_us;
    clock->take(clock->context, entry, clock->clock_us);
}

static void let_go(struct fb_file_clock *clock, bool real) {
    for (uint32_t i = 0; i < clock->n_held; i++) {
        const struct timed *held = &clock->held[i];
        take(clock, &held->entry, real ? held->time_us : clock->clock_us);
    }
    clock->n_held = 0;
    fb_arena_reset(clock->arena);
}

/* Whether the entry was held behind the first leap, or nothing more need be done with it. */
static bool examine(struct fb_file_clock *clock, const struct fb_entry *entry, int64_t time_us) {
    const struct fb_entry *first = &clock->held[0].entry;
    bool same = same_device(first->class_index, first->device, entry);
    if (same && !clock->same_decides) {
        if (!leaps(clock, time_us))
            return false;
        hold(clock, entry, time_us);
        return true;
    }
    let_go(clock, time_us >= clock->held[0].time_us - clock->max_skew_us);
    return false;
}

void fb_file_clock_stamped(struct fb_file_clock *clock, const struct fb_entry *entry,
                           int64_t stamp_us) {
    bool held = clock->n_held && examine(clock, entry, stamp_us);
    if (!held && leaps(clock, stamp_us)) {
        clock->same_decides = alone(clock, entry);
        hold(clock, entry, stamp_us);
    } else if (!held) {
        take(clock, entry, stamp_us);
    }
    remember(clock, entry);
}

void fb_file_clock_entry(struct fb_file_clock *clock, const struct fb_entry *entry) {
    fb_file_clock_stamped(clock, entry, entry->ts_us);
}

int64_t fb_file_clock_end(struct fb_file_clock *clock) {
    let_go(clock, false);
    return clock->clock_us;
}
