/* The leap's examination.
 *
 * Place in the flow: see file_clock.h. */
#include "engine/run/file_clock.h"

#include <stdlib.h>

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

/* Entries that wait for a decision. */
struct queue {
    struct fb_arena *arena;
    struct timed *items;
    uint32_t n, cap;
};

struct fb_file_clock {
    const struct fb_program *program;
    int64_t max_skew_us;
    fb_clocked_fn *take;
    void *context;
    int64_t clock_us;
    uint64_t records;
    struct tail tail;
    struct queue start; /* the first record and those below it */
    struct queue leap;  /* the first leap and those behind it of its device */
    bool begun;         /* the first record was decided about */
    bool same_decides;  /* no other device was near the leap */
};

struct fb_file_clock *fb_file_clock_new(const struct fb_program *program, int64_t max_skew_us,
                                        fb_clocked_fn *take, void *context) {
    struct fb_file_clock *clock = fb_alloc(sizeof *clock);
    clock->program = program;
    clock->max_skew_us = max_skew_us;
    clock->take = take;
    clock->context = context;
    clock->clock_us = FB_NO_TIME;
    clock->start.arena = fb_arena_new();
    clock->leap.arena = fb_arena_new();
    return clock;
}

void fb_file_clock_free(struct fb_file_clock *clock) {
    if (!clock)
        return;
    fb_arena_free(clock->start.arena);
    fb_arena_free(clock->leap.arena);
    fb_buf_free(&clock->tail.device);
    free(clock->start.items);
    free(clock->leap.items);
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

static int64_t less_skew(const struct fb_file_clock *clock, int64_t time_us) {
    return fb_add_sat(time_us, -clock->max_skew_us);
}

static bool leaps(const struct fb_file_clock *clock, int64_t time_us) {
    return clock->clock_us != FB_NO_TIME &&
           time_us > fb_add_sat(clock->clock_us, clock->max_skew_us);
}

/* Texts are views into the record or the decoder's scratch, as everything is. */
static struct fb_sample *copy_samples(struct fb_arena *arena, const struct fb_class *class,
                                      const struct fb_entry *entry) {
    struct fb_sample *samples = FB_ARENA_ARRAY(arena, struct fb_sample, entry->n_samples);
    for (uint16_t i = 0; i < entry->n_samples; i++) {
        samples[i] = entry->samples[i];
        if (samples[i].state == FB_SAMPLE_GOOD &&
            class->fields[samples[i].field].type == FB_T_TEXT)
            samples[i].text = fb_str_copy(arena, samples[i].text);
    }
    return samples;
}

static void hold(const struct fb_file_clock *clock, struct queue *queue,
                 const struct fb_entry *entry, int64_t time_us) {
    struct fb_entry copy = *entry;
    copy.samples =
        copy_samples(queue->arena, &clock->program->classes[entry->class_index], entry);
    copy.device = fb_str_copy(queue->arena, entry->device);
    copy.raw = fb_str_copy(queue->arena, entry->raw);
    copy.origin.topic = fb_str_copy(queue->arena, entry->origin.topic);
    FB_PUSH_ROOM(queue->items, queue->n, queue->cap);
    queue->items[queue->n++] = (struct timed){copy, time_us};
}

static void take(struct fb_file_clock *clock, const struct fb_entry *entry, int64_t time_us) {
    if (time_us > clock->clock_us)
        clock->clock_us = time_us;
    clock->take(clock->context, entry, clock->clock_us);
}

static void let_go(struct fb_file_clock *clock, bool real) {
    struct queue *leap = &clock->leap;
    for (uint32_t i = 0; i < leap->n; i++) {
        const struct timed *held = &leap->items[i];
        take(clock, &held->entry, real ? held->time_us : clock->clock_us);
    }
    leap->n = 0;
    fb_arena_reset(leap->arena);
}

/* Whether the entry was held behind the first leap, or nothing more need be done with it. */
static bool examine(struct fb_file_clock *clock, const struct fb_entry *entry, int64_t time_us) {
    const struct timed *first = &clock->leap.items[0];
    bool same = same_device(first->entry.class_index, first->entry.device, entry);
    if (same && !clock->same_decides) {
        if (!leaps(clock, time_us))
            return false;
        hold(clock, &clock->leap, entry, time_us);
        return true;
    }
    let_go(clock, time_us >= less_skew(clock, first->time_us));
    return false;
}

/* An entry behind the start. */
static void go_on(struct fb_file_clock *clock, const struct fb_entry *entry, int64_t time_us) {
    bool held = clock->leap.n && examine(clock, entry, time_us);
    if (!held && leaps(clock, time_us)) {
        clock->same_decides = alone(clock, entry);
        hold(clock, &clock->leap, entry, time_us);
    } else if (!held) {
        take(clock, entry, time_us);
    }
    remember(clock, entry);
}

/* Where the first record leapt, the second begins the clock and the first comes behind it. */
static void begin(struct fb_file_clock *clock, bool first_leapt) {
    const struct queue *start = &clock->start;
    uint32_t next = 0;
    clock->begun = true;
    if (first_leapt) {
        remember(clock, &start->items[0].entry);
        go_on(clock, &start->items[1].entry, start->items[1].time_us);
        take(clock, &start->items[0].entry, clock->clock_us);
        next = 2;
    }
    for (; next < start->n; next++)
        go_on(clock, &start->items[next].entry, start->items[next].time_us);
    fb_arena_reset(start->arena);
}

/* Whether an entry above or below the first one decides about it; the second never does when below:
 * one of two is wrong, and which one only a third can say. */
static bool decides(const struct fb_file_clock *clock, const struct fb_entry *entry, bool above) {
    const struct queue *start = &clock->start;
    if (above || start->n >= NEIGHBOURS)
        return true;
    if (start->n < 2)
        return false;
    const struct fb_entry *second = &start->items[1].entry;
    return !same_device(second->class_index, second->device, entry);
}

void fb_file_clock_stamped(struct fb_file_clock *clock, const struct fb_entry *entry,
                           int64_t stamp_us) {
    if (!clock->begun) {
        const struct queue *start = &clock->start;
        bool above = start->n && stamp_us >= less_skew(clock, start->items[0].time_us);
        if (!decides(clock, entry, above)) {
            hold(clock, &clock->start, entry, stamp_us);
            return;
        }
        begin(clock, !above);
    }
    go_on(clock, entry, stamp_us);
}

void fb_file_clock_entry(struct fb_file_clock *clock, const struct fb_entry *entry) {
    fb_file_clock_stamped(clock, entry, entry->ts_us);
}

int64_t fb_file_clock_end(struct fb_file_clock *clock) {
    if (!clock->begun) /* with one record below it alone the first stands */
        begin(clock, clock->start.n > 2);
    let_go(clock, false);
    return clock->clock_us;
}
