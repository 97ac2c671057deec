#include "engine/core/slices.h"

#include <stddef.h>
#include <string.h>

#include "engine/base/num.h"
#include "engine/core/shapes.h"

/* ---- one slice ---- */

uint64_t fb_slice_count(const struct fb_slice_view *view, const void *slice) {
    return fb_slice_is_wide(view->window) ? ((const struct fb_slice_wide *)slice)->count
                                          : ((const struct fb_slice_narrow *)slice)->count;
}

int64_t fb_slice_good_us(const struct fb_slice_view *view, const void *slice) {
    return fb_slice_is_wide(view->window)
               ? (int64_t)((const struct fb_slice_wide *)slice)->good_us
               : (int64_t)((const struct fb_slice_narrow *)slice)->good_us;
}

union fb_cell *fb_slice_parts(const struct fb_slice_view *view, void *slice) {
    return (void *)((unsigned char *)slice + (fb_slice_is_wide(view->window)
                                                  ? sizeof(struct fb_slice_wide)
                                                  : sizeof(struct fb_slice_narrow)));
}

static void add_to(const struct fb_slice_view *view, void *slice, uint64_t count, int64_t good_us) {
    if (fb_slice_is_wide(view->window)) {
        struct fb_slice_wide *s = slice;
        s->count += count;
        s->good_us += (uint64_t)good_us;
    } else {
        struct fb_slice_narrow *s = slice;
        s->count += (uint32_t)count;
        s->good_us += (uint32_t)good_us;
    }
}

static void clear(const struct fb_slice_view *view, void *slice) {
    memset(slice, 0, view->slices->stride);
    fb_stat_clear(view->slices->mask, fb_slice_parts(view, slice));
}

/* ---- all of them ---- */

static void *slot(const struct fb_slice_view *view, uint32_t position) {
    return view->at + (size_t)position * view->slices->stride;
}

static bool is_tracked(const struct fb_window *window) {
    uint32_t any_all = 1u << FB_AGG_ANY | 1u << FB_AGG_ALL;
    return fb_stat_mask(window) & FB_STAT_AREA ||
           (window->shape == FB_SHAPE_EACH && window->aggregates & any_all);
}

static bool is_plain(const struct fb_window *window) {
    return !is_tracked(window) && !(window->aggregates & FB_ORDER_BOUND) &&
           window->input != FB_INPUT_RECORDS &&
           (window->type == FB_T_NUMBER || window->type == FB_T_COUNTER);
}

struct fb_slice_plan fb_slice_plan_of(const struct fb_window *window) {
    bool each = window->shape == FB_SHAPE_EACH;
    return (struct fb_slice_plan){
        .pane_us = window->pane_us,
        .reach_us = 2 * window->pane_us,
        .n = each ? fb_each_slices(window) : window->places,
        .mask = (uint16_t)fb_stat_mask(window),
        .stride = (uint8_t)fb_slice_bytes(window),
        .closed = !each,
        .plain = is_plain(window),
        .wide = fb_slice_is_wide(window),
    };
}

void fb_slices_init(const struct fb_slice_view *view) {
    struct fb_slices *slices = view->slices;
    slices->newest_us = slices->first_ts_us = slices->held.ts_us = FB_NO_TIME;
    fb_good_init(&slices->good);
    slices->mask = (uint16_t)fb_stat_mask(view->window);
    slices->stride = (uint8_t)fb_slice_bytes(view->window);
    slices->tracked = is_tracked(view->window);
    slices->plain = is_plain(view->window);
    for (uint32_t i = 0; i < view->n; i++)
        clear(view, slot(view, i));
}

static bool stat_is_sound(const struct fb_slice_view *view, uint32_t stat, int64_t i,
                          uint32_t words) {
    const uint32_t times = FB_STAT_FIRST_TS | FB_STAT_LAST_TS | FB_STAT_START_TS;
    if (stat & times)
        return fb_time_is_sound(i);
    if (stat == FB_STAT_TERMS)
        return i >= 0 && i < 2 * FB_TERM_TRUE;
    return !(stat & (FB_STAT_FIRST | FB_STAT_LAST)) ||
           fb_bits_are_sound(view->window->type, i, words);
}

bool fb_slice_is_sound(const struct fb_slice_view *view, const void *slice, uint32_t words) {
    uint32_t mask = fb_stat_mask(view->window);
    bool wide = fb_slice_is_wide(view->window);
    const unsigned char *at =
        (const unsigned char *)slice +
        (wide ? sizeof(struct fb_slice_wide) : sizeof(struct fb_slice_narrow));
    for (; mask; mask &= mask - 1, at += sizeof(int64_t)) {
        int64_t i;
        memcpy(&i, at, sizeof i);
        if (!stat_is_sound(view, mask & -mask, i, words))
            return false;
    }
    return fb_slice_good_us(view, slice) >= 0 && fb_time_is_sound(fb_slice_good_us(view, slice));
}

/* The flags are looked at as bytes: another value than 0 and 1 must not be read as a bool. */
static bool flags_are_sound(const struct fb_slice_view *view) {
    const unsigned char *bytes = (const void *)view->slices;
    return bytes[offsetof(struct fb_slices, tracked)] == is_tracked(view->window) &&
           bytes[offsetof(struct fb_slices, plain)] == is_plain(view->window) &&
           bytes[offsetof(struct fb_slices, changed)] <= 1;
}

bool fb_slices_are_sound(const struct fb_slice_view *view, uint32_t words) {
    const struct fb_slices *slices = view->slices;
    if (slices->mask != fb_stat_mask(view->window) ||
        slices->stride != fb_slice_bytes(view->window) || slices->position >= view->n ||
        !flags_are_sound(view) || !fb_time_is_sound(slices->newest_us) ||
        !fb_time_is_sound(slices->first_ts_us) || !fb_time_is_sound(slices->held.ts_us) ||
        !fb_bits_are_sound(view->window->type, slices->held.i, words) ||
        !fb_good_is_sound(&slices->good))
        return false;
    for (uint32_t i = 0; i < view->n; i++)
        if (!fb_slice_is_sound(view, slot(view, i), words))
            return false;
    return true;
}

int64_t fb_slices_start(const struct fb_slice_view *view, int64_t ts_us) {
    int64_t length = view->window->pane_us, key = ts_us - view->closed;
    if ((uint64_t)key - (uint64_t)view->slices->newest_us < (uint64_t)length)
        return view->slices->newest_us;
    return fb_floor_div(key - view->origin_us, length) * length + view->origin_us;
}

void *fb_slices_find(const struct fb_slice_view *view, int64_t start_us) {
    const struct fb_slices *slices = view->slices;
    if (start_us == slices->newest_us)
        return slot(view, slices->position);
    if (slices->newest_us == FB_NO_TIME || start_us > slices->newest_us)
        return NULL;
    int64_t back = (slices->newest_us - start_us) / view->window->pane_us;
    if (back >= view->n)
        return NULL;
    uint32_t position = slices->position + view->n - (uint32_t)back;
    return slot(view, position < view->n ? position : position - view->n);
}

/* ---- moving ---- */

static void move_slice(const struct fb_slice_view *from, void *old, const struct fb_slice_view *to,
                       void *slice) {
    uint32_t old_mask = from->slices->mask, mask = to->slices->mask;
    add_to(to, slice, fb_slice_count(from, old), fb_slice_good_us(from, old));
    for (uint32_t left = mask; left; left &= left - 1) {
        uint32_t stat = left & -left;
        *fb_stat_at(mask, fb_slice_parts(to, slice), stat) =
            *fb_stat_at(old_mask, fb_slice_parts(from, old), stat);
    }
}

void fb_slices_move(const struct fb_slice_view *from, const struct fb_slice_view *to) {
    const struct fb_slices *old = from->slices;
    struct fb_slices *slices = to->slices;
    uint32_t n = from->n < to->n ? from->n : to->n;
    slices->newest_us = old->newest_us;
    slices->first_ts_us = old->first_ts_us;
    slices->good = old->good;
    if (to->window->aggregates & FB_ORDER_BOUND)
        slices->held = old->held;
    slices->changed = true;
    if (old->newest_us == FB_NO_TIME)
        return;
    for (uint32_t back = 0; back < n; back++)
        move_slice(from, slot(from, (old->position + from->n - back) % from->n), to,
                   slot(to, (to->n - back) % to->n));
    /* Before these there may have been good time, but its samples are gone. */
    int64_t oldest_us = old->newest_us - (int64_t)(n - 1) * to->window->pane_us;
    if (to->n > from->n && slices->good.present.from_us < oldest_us)
        slices->good.present.from_us =
            oldest_us < slices->good.present.until_us ? oldest_us : slices->good.present.until_us;
}

/* ---- folding ---- */

/* Some kept slices, one after the other. */
struct row {
    const struct fb_slice_view *view;
    unsigned char *next, *begin, *end; /* the next one; of all kept slices */
    size_t stride;
    uint32_t left;
    bool wide;
};

static inline void *next_of(struct row *row) {
    if (!row->left)
        return NULL;
    unsigned char *slice = row->next;
    row->left--;
    row->next = slice + row->stride;
    if (__builtin_expect(row->next == row->end, 0)) /* a jump, so that nothing waits for it */
        row->next = row->begin;
    return slice;
}

static inline uint64_t count_in(const struct row *row, const void *slice) {
    return row->wide ? ((const struct fb_slice_wide *)slice)->count
                     : ((const struct fb_slice_narrow *)slice)->count;
}

static union fb_cell *stat_of(const struct fb_slice_view *view, void *slice, uint32_t stat) {
    return fb_stat_at(view->slices->mask, fb_slice_parts(view, slice), stat);
}

/* Where a stat stands in every slice. */
static size_t offset_of(const struct fb_slice_view *view, uint32_t stat) {
    return (size_t)((unsigned char *)stat_of(view, view->at, stat) - view->at);
}
static union fb_cell *cell_at(void *slice, size_t offset) {
    return (void *)((unsigned char *)slice + offset);
}

static int64_t fold_counts(struct row row, void *sum) {
    uint64_t count = 0;
    int64_t good_us = 0;
    for (void *slice; (slice = next_of(&row));) {
        count += count_in(&row, slice);
        good_us += row.wide ? (int64_t)((const struct fb_slice_wide *)slice)->good_us
                            : (int64_t)((const struct fb_slice_narrow *)slice)->good_us;
    }
    add_to(row.view, sum, count, 0);
    return good_us;
}

static void fold_sum(struct row row, void *sum) {
    size_t at = offset_of(row.view, FB_STAT_SUM);
    struct fb_fold fold = {0};
    for (void *slice; (slice = next_of(&row));)
        if (count_in(&row, slice))
            fb_fold_add(&fold, cell_at(slice, at)->num);
    cell_at(sum, at)->num = fold.value;
}

static void fold_extreme(struct row row, void *sum, uint32_t stat) {
    size_t at = offset_of(row.view, stat);
    bool any = false;
    double m = 0;
    for (void *slice; (slice = next_of(&row));) {
        if (!count_in(&row, slice))
            continue;
        double x = cell_at(slice, at)->num;
        m = !any || (stat == FB_STAT_MIN ? x < m : x > m) ? x : m;
        any = true;
    }
    cell_at(sum, at)->num = m;
}

static void fold_moments(struct row row, void *sum) {
    size_t at = offset_of(row.view, FB_STAT_MEAN);
    struct fb_moments total = {0};
    for (void *slice; (slice = next_of(&row));) {
        const union fb_cell *m = cell_at(slice, at);
        total = fb_moments_join(
            total, (struct fb_moments){(double)count_in(&row, slice), m[0].num, m[1].num});
    }
    cell_at(sum, at)[0].num = total.mean;
    cell_at(sum, at)[1].num = total.m2;
}

/* The first of the slices that has one: the first sample with its time, or where a rate starts. */
static void fold_first(struct row row, void *sum) {
    const struct fb_slice_view *view = row.view;
    uint32_t mask = view->slices->mask;
    bool any = false;
    for (void *slice; !any && (slice = next_of(&row));) {
        if (mask & FB_STAT_FIRST && stat_of(view, slice, FB_STAT_FIRST_TS)->i != FB_NO_TIME) {
            *stat_of(view, sum, FB_STAT_FIRST) = *stat_of(view, slice, FB_STAT_FIRST);
            *stat_of(view, sum, FB_STAT_FIRST_TS) = *stat_of(view, slice, FB_STAT_FIRST_TS);
            any = true;
        }
        if (mask & FB_STAT_START_TS && stat_of(view, slice, FB_STAT_START_TS)->i != FB_NO_TIME) {
            *stat_of(view, sum, FB_STAT_START_TS) = *stat_of(view, slice, FB_STAT_START_TS);
            any = true;
        }
    }
}

static void fold_terms(struct row row, void *sum, uint32_t stat, int64_t term) {
    size_t at = offset_of(row.view, stat), terms_at = offset_of(row.view, FB_STAT_TERMS);
    struct fb_fold fold = {0};
    for (void *slice; (slice = next_of(&row));)
        if (cell_at(slice, terms_at)->i & term)
            fb_fold_add(&fold, cell_at(slice, at)->num);
    if (fold.any) {
        cell_at(sum, at)->num = fold.value;
        cell_at(sum, terms_at)->i |= term;
    }
}

int64_t fb_slices_fold(const struct fb_slice_view *view, void *sum, int64_t start_us, uint32_t n) {
    uint32_t mask = view->slices->mask;
    clear(view, sum);
    unsigned char *first = fb_slices_find(view, start_us);
    if (!first || n == 0)
        return 0;
    struct row row = {
        .view = view,
        .next = first,
        .begin = view->at,
        .end = view->at + (size_t)view->n * view->slices->stride,
        .stride = view->slices->stride,
        .left = n,
        .wide = fb_slice_is_wide(view->window),
    };
    if (mask & FB_STAT_SUM)
        fold_sum(row, sum);
    if (mask & FB_STAT_MIN)
        fold_extreme(row, sum, FB_STAT_MIN);
    if (mask & FB_STAT_MAX)
        fold_extreme(row, sum, FB_STAT_MAX);
    if (mask & FB_STAT_MEAN)
        fold_moments(row, sum);
    if (mask & (FB_STAT_FIRST | FB_STAT_START_TS))
        fold_first(row, sum);
    if (mask & FB_STAT_GROWTH)
        fold_terms(row, sum, FB_STAT_GROWTH, FB_TERM_GROWTH);
    if (mask & FB_STAT_AREA)
        fold_terms(row, sum, FB_STAT_AREA, FB_TERM_AREA);
    return fold_counts(row, sum);
}

/* ---- good time ---- */

static void track(const struct fb_slice_view *view, void *slice, int64_t us) {
    struct fb_slices *slices = view->slices;
    union fb_cell *part = fb_slice_parts(view, slice);
    if (slices->held.ts_us == FB_NO_TIME)
        return;
    if (slices->mask & FB_STAT_AREA)
        fb_stat_area(slices->mask, part, slices->held.num * (double)us);
    else
        fb_stat_at(slices->mask, part, FB_STAT_TERMS)->i |=
            slices->held.i ? FB_TERM_TRUE : FB_TERM_FALSE;
}

/* Puts a stretch of good time, with the held value, down in the kept slices. */
static void put_down(const struct fb_slice_view *view, struct fb_stretch stretch) {
    struct fb_slices *slices = view->slices;
    int64_t length = view->window->pane_us, start = slices->newest_us;
    uint32_t position = slices->position;
    for (uint32_t i = 0; i < view->n && start + length > stretch.from_us; i++, start -= length) {
        int64_t us = fb_stretch_within(stretch, start, start + length);
        if (us > 0) {
            void *slice = slot(view, position);
            add_to(view, slice, 0, us);
            if (slices->tracked)
                track(view, slice, us);
            slices->changed |= start != slices->newest_us;
        }
        position = (position ? position : view->n) - 1;
    }
}

/* The present stretch up to an instant that no later on-time record can precede. */
static void settle(const struct fb_slice_view *view, int64_t to_us) {
    struct fb_stretch *present = &view->slices->good.present;
    struct fb_stretch known = {present->from_us,
                               present->until_us < to_us ? present->until_us : to_us};
    if (known.from_us < known.until_us) {
        put_down(view, known);
        present->from_us = known.until_us;
    }
}

/* Makes the slice of that later start the newest. */
static void move_on(const struct fb_slice_view *view, int64_t start_us) {
    struct fb_slices *slices = view->slices;
    if (slices->newest_us == FB_NO_TIME) {
        slices->newest_us = start_us;
        return;
    }
    int64_t steps = (start_us - slices->newest_us) / view->window->pane_us;
    for (int64_t i = 0; i < steps && i < view->n; i++) {
        slices->position = slices->position + 1u == view->n ? 0 : (uint16_t)(slices->position + 1);
        clear(view, slot(view, slices->position));
    }
    slices->newest_us = start_us;
    slices->changed = true;
    if (slices->tracked)
        settle(view, start_us);
}

static inline void advance(const struct fb_slice_view *view, int64_t start_us) {
    if (start_us > view->slices->newest_us)
        move_on(view, start_us);
}

/* ---- records ---- */

static void take_value(const struct fb_slice_view *view, void *slice,
                       const struct fb_value *value) {
    struct fb_slices *slices = view->slices;
    const struct fb_window *window = view->window;
    uint64_t count = fb_slice_count(view, slice);
    if (window->input == FB_INPUT_RECORDS) {
        add_to(view, slice, 1, 0);
        return;
    }
    const uint32_t order_free = FB_STAT_SUM | FB_STAT_MIN | FB_STAT_MAX | FB_STAT_MEAN | FB_STAT_M2;
    if (slices->mask & order_free)
        fb_stat_add(slices->mask & order_free, fb_slice_parts(view, slice), count, value->num);
    add_to(view, slice, window->type != FB_T_BOOL || value->i != 0, 0);
}

static void take_in_order(const struct fb_slice_view *view, void *slice, struct fb_held sample,
                          bool good) {
    struct fb_slices *slices = view->slices;
    uint32_t mask = slices->mask;
    union fb_cell *part = fb_slice_parts(view, slice);
    if (mask & FB_STAT_FIRST) {
        union fb_cell *first = fb_stat_at(mask, part, FB_STAT_FIRST);
        if (first[1].i == FB_NO_TIME) {
            first[0].i = sample.i;
            first[1].i = sample.ts_us;
        }
    }
    if (mask & FB_STAT_LAST) {
        union fb_cell *last = fb_stat_at(mask, part, FB_STAT_LAST);
        last[0].i = sample.i;
        last[1].i = sample.ts_us;
    }
    if (mask & FB_STAT_START_TS) {
        union fb_cell *start = fb_stat_at(mask, part, FB_STAT_START_TS);
        if (start->i == FB_NO_TIME)
            start->i = slices->held.ts_us == FB_NO_TIME ? sample.ts_us : slices->held.ts_us;
    }
    if (mask & FB_STAT_GROWTH && slices->held.ts_us != FB_NO_TIME)
        fb_stat_growth(mask, part, fb_growth(slices->held.num, sample.num));
    if (slices->tracked && !(mask & FB_STAT_AREA) && good)
        fb_stat_at(mask, part, FB_STAT_TERMS)->i |= sample.i ? FB_TERM_TRUE : FB_TERM_FALSE;
}

static int64_t take_late(const struct fb_slice_view *view, const struct fb_window_sample *sample) {
    int64_t start = fb_slices_start(view, sample->ts_us);
    advance(view, start);
    void *slice = fb_slices_find(view, start);
    if (!slice)
        return FB_NO_TIME;
    take_value(view, slice, sample->value);
    view->slices->changed |= start != view->slices->newest_us;
    return start;
}

static void follow_good(const struct fb_slice_view *view, const struct fb_window_sample *sample,
                        struct fb_truth *truth) {
    struct fb_slices *slices = view->slices;
    bool records = view->window->input == FB_INPUT_RECORDS;
    struct fb_stretch ended;
    if (fb_good_take(&slices->good, sample->ts_us, records || sample->good,
                     records ? FB_NEVER : sample->good_until_us, &ended)) {
        if (truth)
            fb_truth_held(truth, &slices->held, ended, sample->ts_us);
        advance(view, fb_slices_start(view, sample->ts_us));
        put_down(view, ended);
    }
}

int64_t fb_slices_take(const struct fb_slice_view *view, const struct fb_window_sample *sample,
                       struct fb_truth *truth, struct fb_window_counts *counts) {
    struct fb_slices *slices = view->slices;
    bool is_sample = sample->value || view->window->input == FB_INPUT_RECORDS;
    if (sample->late) {
        if (!is_sample)
            return FB_NO_TIME;
        counts->late_ignored += (view->window->aggregates & FB_ORDER_BOUND) != 0;
        return take_late(view, sample);
    }
    if (slices->first_ts_us == FB_NO_TIME) {
        if (!is_sample)
            return FB_NO_TIME;
        slices->first_ts_us = sample->ts_us;
    }
    int64_t start = FB_NO_TIME;
    if (is_sample || slices->tracked) {
        start = fb_slices_start(view, sample->ts_us);
        advance(view, start);
    }
    if (is_sample && slices->tracked)
        settle(view, sample->ts_us);
    if (is_sample && truth)
        fb_truth_held(truth, &slices->held, slices->good.present, sample->ts_us);
    follow_good(view, sample, truth);
    if (!is_sample)
        return FB_NO_TIME;
    void *slice = slot(view, slices->position);
    take_value(view, slice, sample->value);
    if (view->window->aggregates & FB_ORDER_BOUND) {
        struct fb_held next = {.i = sample->value->i, .ts_us = sample->ts_us};
        take_in_order(view, slice, next, sample->good);
        slices->held = next;
        if (truth && sample->good)
            truth->last_us[next.i != 0] = sample->ts_us;
    }
    return start;
}
