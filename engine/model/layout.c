#include "engine/model/layout.h"

#include <stdio.h>

#include "engine/base/err.h"

#define MS INT64_C(1000)
#define S (1000 * MS)
#define MIN (60 * S)
#define H (60 * MIN)
#define DAY (24 * H)

enum { PANES = 64 };

/* A length that divides the next longer one or the day, so that panes end where clocks strike. */
static const int64_t natural_lengths[] = {
    1 * MS,  2 * MS,  5 * MS,  10 * MS, 20 * MS, 50 * MS, 100 * MS, 200 * MS, 500 * MS,
    1 * S,   2 * S,   5 * S,   10 * S,  15 * S,  30 * S,  1 * MIN,  2 * MIN,  5 * MIN,
    10 * MIN, 15 * MIN, 30 * MIN, 1 * H, 2 * H,  3 * H,   6 * H,    12 * H,   1 * DAY};

bool fb_panes_of(int64_t length_us, int64_t *pane_us, uint32_t *places) {
    if (length_us < MS)
        return false;
    for (size_t i = 0; i < sizeof natural_lengths / sizeof *natural_lengths; i++) {
        int64_t pane = natural_lengths[i];
        if (pane * PANES >= length_us) {
            *pane_us = pane;
            *places = (uint32_t)((length_us + pane - 1) / pane);
            return true;
        }
    }
    return false;
}

static uint32_t mask_of(enum fb_aggregate aggregate, enum fb_window_shape shape) {
    bool slices = shape == FB_SHAPE_PANES || shape == FB_SHAPE_EACH, each = shape == FB_SHAPE_EACH;
    const uint32_t first = FB_STAT_FIRST | FB_STAT_FIRST_TS, last = FB_STAT_LAST | FB_STAT_LAST_TS;
    switch (aggregate) {
    case FB_AGG_AVG:
    case FB_AGG_SUM: return FB_STAT_SUM;
    case FB_AGG_MIN: return FB_STAT_MIN;
    case FB_AGG_MAX: return FB_STAT_MAX;
    case FB_AGG_SPREAD: return FB_STAT_MIN | FB_STAT_MAX;
    case FB_AGG_STDDEV: return FB_STAT_MEAN | FB_STAT_M2;
    case FB_AGG_TIME_AVG: return FB_STAT_AREA | FB_STAT_TERMS;
    case FB_AGG_FIRST: return slices ? first : 0;
    case FB_AGG_LAST: return each ? last : 0;
    case FB_AGG_DELTA: return (slices ? first : 0) | (each ? last : 0);
    case FB_AGG_INCREASE:
        return FB_STAT_GROWTH | FB_STAT_TERMS;
    case FB_AGG_RATE:
        return FB_STAT_GROWTH | FB_STAT_TERMS | (slices ? FB_STAT_START_TS : 0) | (each ? last : 0);
    case FB_AGG_ANY:
    case FB_AGG_ALL: return each ? FB_STAT_TERMS : 0;
    default: return 0;
    }
}

uint32_t fb_stat_mask(const struct fb_window *window) {
    uint32_t mask = 0;
    for (uint32_t a = 0; a < FB_AGGREGATES; a++)
        if (window->aggregates >> a & 1)
            mask |= mask_of((enum fb_aggregate)a, window->shape);
    return mask;
}

static uint32_t stat_bytes(uint32_t mask) {
    return 8 * (uint32_t)__builtin_popcount(mask);
}

uint32_t fb_slice_bytes(const struct fb_window *window) {
    return (fb_slice_is_wide(window) ? 16 : 8) + stat_bytes(fb_stat_mask(window));
}

uint32_t fb_window_bytes(const struct fb_window *window) {
    uint64_t bytes = 0, places = window->places;
    switch (window->shape) {
    case FB_SHAPE_PANES:
        bytes = FB_PANES_HEAD_BYTES + (places + 1) * fb_slice_bytes(window);
        break;
    case FB_SHAPE_EACH:
        bytes = FB_EACH_HEAD_BYTES + (uint64_t)fb_each_slices(window) * fb_slice_bytes(window);
        break;
    case FB_SHAPE_RING:
        bytes = FB_RING_HEAD_BYTES +
                (uint64_t)fb_ring_runs(window->places) *
                    (FB_RUN_HEAD_BYTES + stat_bytes(fb_stat_mask(window))) +
                (uint64_t)fb_ring_stretches(window->places) * FB_STRETCH_BYTES +
                places * FB_PLACE_BYTES;
        break;
    case FB_SHAPE_LAST:
        bytes = FB_LAST_HEAD_BYTES + places * (fb_last_has_times(window) ? 16 : 8);
        break;
    }
    FB_ASSERT(places > 0 || window->shape == FB_SHAPE_EACH);
    return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
}

static struct fb_hash128 next_numbers(struct fb_hash128 hash, uint64_t a, uint64_t b, uint64_t c) {
    char text[80];
    int n = snprintf(text, sizeof text, "%llx %llx %llx;", (unsigned long long)a,
                     (unsigned long long)b, (unsigned long long)c);
    return fb_hash128_next(hash, text, (size_t)n);
}

struct fb_hash128 fb_program_layout(const struct fb_program *program) {
    struct fb_hash128 hash = {0};
    for (uint32_t i = 0; i < program->n_classes; i++) {
        const struct fb_class *class_ = &program->classes[i];
        hash = next_numbers(hash, class_->n_keys, class_->n_cells, class_->block_bytes);
        hash = fb_hash128_next(hash, class_->name.p, class_->name.n);
        for (uint32_t k = 0; k < class_->n_cells; k++) {
            const struct fb_cell_id *cell = &class_->cells[k];
            hash = next_numbers(hash, cell->kind, cell->offset, cell->words);
            hash = next_numbers(hash, cell->hash.high, cell->hash.low, 0);
        }
        for (uint32_t k = 0; k < class_->n_windows; k++)
            hash = next_numbers(hash, class_->windows[k].shape, class_->windows[k].offset,
                                class_->windows[k].bytes);
        for (uint32_t k = 0; k < class_->n_actuators; k++) /* the rings behind a cell */
            hash = next_numbers(hash, class_->actuators[k].offset, class_->actuators[k].bytes,
                                (uint64_t)class_->actuators[k].starts << 32 |
                                    class_->actuators[k].reversals);
        for (uint32_t k = 0; k < class_->n_rates; k++)
            hash = next_numbers(hash, class_->rates[k].offset, class_->rates[k].n, 0);
        if (class_->n_actuators) /* their cells name guardrails by number */
            hash = next_numbers(hash, FB_GUARDS, 0, 0);
    }
    if (program->rate.n)
        hash = next_numbers(hash, program->rate.n, 0, 0);
    return hash;
}
