/* How the cell of a window is laid out: which partial results it keeps and how large it is.
 *
 * Place in the flow: lowering gives every cell its place by it; core/window*.c fill the cells.
 *
 * A cell of FB_SHAPE_PANES or FB_SHAPE_EACH is a head, (panes) one slice that holds what the older
 * slices come to, and window->places slices, of `each` fb_each_slices. A slice is a count and the
 * good time, 4 + 4 bytes (8 + 8 where the slice is longer than 32 bits of us), and 8 bytes for each
 * bit of fb_stat_mask. avg: 16 bytes a pane.
 * A cell of FB_SHAPE_RING is a head, a run for every 32 places (24 bytes for avg), a stretch of
 * good time of 16 bytes for every 4 places and the places of 16 bytes.
 * A cell of FB_SHAPE_LAST is a head of 8 bytes and 8 bytes for each sample, 16 where an aggregate
 * needs the times. */
#ifndef FB_MODEL_LAYOUT_H
#define FB_MODEL_LAYOUT_H

#include "engine/model/program.h"

/* What a part of a window (M15) keeps beyond its count; 8 bytes each, in this order. */
enum fb_stat {
    FB_STAT_SUM = 1 << 0,
    FB_STAT_MIN = 1 << 1,
    FB_STAT_MAX = 1 << 2,
    FB_STAT_MEAN = 1 << 3, /* with M2: Welford's moments */
    FB_STAT_M2 = 1 << 4,
    FB_STAT_FIRST = 1 << 5,    /* first on-time sample and its time */
    FB_STAT_FIRST_TS = 1 << 6,
    FB_STAT_LAST = 1 << 7,     /* last one; `each` only */
    FB_STAT_LAST_TS = 1 << 8,
    FB_STAT_START_TS = 1 << 9, /* rate: time of the sample before the first one, else of that one */
    FB_STAT_GROWTH = 1 << 10,
    FB_STAT_AREA = 1 << 11,
    FB_STAT_TERMS = 1 << 12    /* set of enum fb_terms */
};

/* Aggregates that take on-time samples only (M16). */
#define FB_ORDER_BOUND                                                                             \
    (1u << FB_AGG_FIRST | 1u << FB_AGG_LAST | 1u << FB_AGG_TIME_AVG | 1u << FB_AGG_DELTA |         \
     1u << FB_AGG_INCREASE | 1u << FB_AGG_RATE | 1u << FB_AGG_ANY | 1u << FB_AGG_ALL |             \
     1u << FB_AGG_PREVIOUS | 1u << FB_AGG_CHANGE | 1u << FB_AGG_CHANGED)

enum {
    FB_RUN_SAMPLES = 32, /* M15 */
    FB_PANES_HEAD_BYTES = 112,
    FB_EACH_HEAD_BYTES = 80,
    FB_RING_HEAD_BYTES = 128,
    FB_RUN_HEAD_BYTES = 16,
    FB_STRETCH_BYTES = 16,
    FB_PLACE_BYTES = 16,
    FB_LAST_HEAD_BYTES = 8
};

uint32_t fb_stat_mask(const struct fb_window *window);
uint32_t fb_slice_bytes(const struct fb_window *window);
/* Count and good time of a slice take 8 bytes each. */
static inline bool fb_slice_is_wide(const struct fb_window *window) {
    return window->pane_us > UINT32_MAX;
}
/* Windows that may be open, the one last completed included. */
static inline uint32_t fb_each_slices(const struct fb_window *window) {
    int64_t late = window->late_us / window->pane_us;
    return 3 + (late < INT32_MAX ? (uint32_t)late : INT32_MAX); /* too many are refused */
}
static inline uint32_t fb_ring_runs(uint32_t places) {
    return (places + FB_RUN_SAMPLES - 2) / FB_RUN_SAMPLES + 1;
}
static inline uint32_t fb_ring_stretches(uint32_t places) {
    return places / 4 + 1;
}
/* over last: the samples' times are kept too. */
static inline bool fb_last_has_times(const struct fb_window *window) {
    return window->aggregates & (1u << FB_AGG_RATE | 1u << FB_AGG_TIME_AVG);
}

#endif
