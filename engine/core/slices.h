/* Slices of time with their partial results: what the panes of `over` and the windows of `each`
 * share.
 *
 * Place in the flow: the head of a cell of FB_SHAPE_PANES and FB_SHAPE_EACH. A slice is named by
 * its start. Panes are (start, end], windows of `each` [start, end); for good time there is no
 * difference. Kept are the newest slice and the n - 1 before it.
 *
 * Good time is put down in the slices when a stretch ends, and, where areas or truths are followed
 * (`tracked`), also at each on-time sample and slice border; until then it stands in `good`
 * only. */
#ifndef FB_CORE_SLICES_H
#define FB_CORE_SLICES_H

#include <string.h>

#include "engine/core/good.h"
#include "engine/core/stat.h"
#include "engine/core/window.h"

struct fb_slices {
    int64_t newest_us; /* start of the newest slice; FB_NO_TIME: none yet */
    struct fb_good good;
    struct fb_held held;
    int64_t first_ts_us; /* of the first on-time sample of all; FB_NO_TIME: none yet */
    uint16_t position;   /* of the newest slice among the kept */
    uint16_t mask;       /* of enum fb_stat */
    uint8_t stride;      /* bytes of a slice */
    bool tracked;
    bool plain;   /* numbers only, and nothing that is bound to their order: see the quick way */
    bool changed; /* another slice became the newest, or one before it was changed */
};

/* The head of a slice; its parts follow. */
struct fb_slice_narrow {
    uint32_t count, good_us;
};
struct fb_slice_wide {
    uint64_t count, good_us;
};

/* A cell of which the slices are the first member. */
struct fb_slice_view {
    const struct fb_window *window;
    struct fb_slices *slices;
    unsigned char *at; /* first of the kept */
    uint32_t n;
    int64_t origin_us; /* start of some slice */
    int64_t closed;    /* 1: a slice ends with its last instant; 0: begins with its first */
};

/* A slice's own count and good time, and its parts. */
uint64_t fb_slice_count(const struct fb_slice_view *view, const void *slice);
int64_t fb_slice_good_us(const struct fb_slice_view *view, const void *slice);
union fb_cell *fb_slice_parts(const struct fb_slice_view *view, void *slice);

/* Fresh slices. */
void fb_slices_init(const struct fb_slice_view *view);
/* Of bytes from outside (core/window.h). */
bool fb_slices_are_sound(const struct fb_slice_view *view, uint32_t words);
/* One slice of them. */
bool fb_slice_is_sound(const struct fb_slice_view *view, const void *slice, uint32_t words);
/* Moves what slices of the same length hold into fresh ones, which keep no more of each. */
void fb_slices_move(const struct fb_slice_view *from, const struct fb_slice_view *to);
/* Start of the slice that holds an instant. */
int64_t fb_slices_start(const struct fb_slice_view *view, int64_t ts_us);
/* The kept slice of that start; NULL: none. */
void *fb_slices_find(const struct fb_slice_view *view, int64_t start_us);

/* Makes `sum`, a slice, what the n kept slices from that start on come to, oldest first; returns
 * their good time, which may be more than one slice can have. */
int64_t fb_slices_fold(const struct fb_slice_view *view, void *sum, int64_t start_us, uint32_t n);

/* What the quick way of most samples needs to know of a window, the same for all devices. */
struct fb_slice_plan {
    int64_t pane_us, reach_us; /* behind the newest slice's start; reach_us: of what is taken */
    uint32_t n;                /* slices that are kept */
    uint16_t mask; /* of enum fb_stat */
    uint8_t stride;
    uint8_t closed; /* as in the view */
    bool plain, wide;
};
struct fb_slice_plan fb_slice_plan_of(const struct fb_window *window);
/* The same as far as it costs nothing, of a cell. */
static inline struct fb_slice_plan fb_slice_plan_here(const struct fb_window *window,
                                                      const struct fb_slices *slices,
                                                      uint8_t closed) {
    return (struct fb_slice_plan){
        .pane_us = window->pane_us,
        .reach_us = window->pane_us, /* how many are kept is not known without a division */
        .mask = slices->mask,
        .stride = slices->stride,
        .closed = closed,
        .plain = slices->plain,
        .wide = fb_slice_is_wide(window),
    };
}

static inline void fb_slice_add(const struct fb_slice_plan *plan, unsigned char *slice, double x) {
    if (plan->wide) {
        struct fb_slice_wide *s = (void *)slice;
        fb_stat_add(plan->mask, (void *)(s + 1), s->count++, x);
    } else {
        struct fb_slice_narrow *s = (void *)slice;
        fb_stat_add(plan->mask, (void *)(s + 1), s->count++, x);
    }
}

/* The quick way: a good number on time, in the newest slice or in the one behind it, within the
 * present stretch of good time, of slices that keep a count and sums only (`plain`). Does what
 * fb_slices_take does, or declines; `at`: the first of the kept slices. */
static inline bool fb_slices_take_plain(const struct fb_slice_plan *plan, struct fb_slices *slices,
                                        unsigned char *at, int64_t ts_us, double x,
                                        int64_t good_until_us) {
    uint64_t within = (uint64_t)(ts_us - plan->closed) - (uint64_t)slices->newest_us;
    if (within >= (uint64_t)plan->reach_us || ts_us > slices->good.present.until_us)
        return false;
    slices->good.present.until_us = good_until_us;
    slices->good.is_good = true;
    if (within >= (uint64_t)plan->pane_us) {
        slices->position = slices->position + 1u == plan->n ? 0 : (uint16_t)(slices->position + 1);
        memset(at + (size_t)slices->position * plan->stride, 0, plan->stride);
        slices->newest_us += plan->pane_us;
        slices->changed = true;
    }
    fb_slice_add(plan, at + (size_t)slices->position * plan->stride, x);
    return true;
}

/* Takes a record; the start of the slice that took its sample, FB_NO_TIME: none did. truth: NULL,
 * or where the truth of a condition is followed as a whole. */
int64_t fb_slices_take(const struct fb_slice_view *view, const struct fb_window_sample *sample,
                       struct fb_truth *truth, struct fb_window_counts *counts);

#endif
