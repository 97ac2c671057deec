/* Windows over a span of time, in panes (M13). */
#include "engine/base/num.h"
#include "engine/core/shapes.h"
#include "engine/core/slices.h"

struct panes {
    struct fb_slices slices;
    int64_t sampled_us; /* start of the newest pane that holds a sample */
    struct fb_truth truth;
    int64_t edge_us; /* the left edge that was used last */
    int64_t folded;  /* the fold stands for the panes from the edge up to the newest one */
    int64_t folded_good_us;
};
_Static_assert(sizeof(struct panes) == FB_PANES_HEAD_BYTES, "model/layout.h");

static struct fb_slice_view view_of(const struct fb_window *window, struct panes *panes) {
    return (struct fb_slice_view){
        .window = window,
        .slices = &panes->slices,
        .at = (unsigned char *)(panes + 1) + panes->slices.stride,
        .n = window->places,
        .closed = 1,
    };
}

void fb_panes_init(const struct fb_window *window, void *cell) {
    struct panes *panes = cell;
    panes->slices.stride = (uint8_t)fb_slice_bytes(window);
    struct fb_slice_view view = view_of(window, panes);
    fb_slices_init(&view);
    fb_truth_init(&panes->truth);
    panes->sampled_us = panes->edge_us = FB_NO_TIME;
}

bool fb_panes_are_sound(const struct fb_window *window, const void *cell, uint32_t words) {
    struct panes *panes = (void *)(uintptr_t)cell; /* only read */
    if (panes->slices.stride != fb_slice_bytes(window))
        return false;
    struct fb_slice_view view = view_of(window, panes);
    return fb_slices_are_sound(&view, words) && fb_slice_is_sound(&view, panes + 1, words) &&
           fb_time_is_sound(panes->sampled_us) && fb_truth_is_sound(&panes->truth) &&
           fb_time_is_sound(panes->edge_us) && (panes->folded == 0 || panes->folded == 1) &&
           panes->folded_good_us >= 0 && fb_time_is_sound(panes->folded_good_us);
}

void fb_panes_move(const struct fb_window *from, void *from_cell, const struct fb_window *to,
                   void *to_cell) {
    struct panes *old = from_cell, *panes = to_cell;
    struct fb_slice_view old_view = view_of(from, old), view = view_of(to, panes);
    fb_slices_move(&old_view, &view);
    panes->sampled_us = old->sampled_us;
    panes->truth = old->truth;
}

void fb_panes_take(const struct fb_window *window, void *cell,
                   const struct fb_window_sample *sample, struct fb_window_counts *counts) {
    struct panes *panes = cell;
    struct fb_slice_plan plan = fb_slice_plan_here(window, &panes->slices, 1);
    if (plan.plain && !sample->late && sample->good && sample->value &&
        panes->sampled_us == panes->slices.newest_us &&
        fb_slices_take_plain(&plan, &panes->slices,
                             (unsigned char *)(panes + 1) + panes->slices.stride, sample->ts_us,
                             sample->value->num, sample->good_until_us))
        return;
    struct fb_slice_view view = view_of(window, panes);
    bool any_all = window->aggregates & (1u << FB_AGG_ANY | 1u << FB_AGG_ALL);
    int64_t start = fb_slices_take(&view, sample, any_all ? &panes->truth : NULL, counts);
    if (start > panes->sampled_us)
        panes->sampled_us = start;
}

/* The pane boundary at or after t - length. */
static int64_t edge_at(const struct fb_window *window, struct panes *panes, int64_t t_us) {
    int64_t length = window->pane_us, exact = t_us - window->length_us;
    if ((uint64_t)panes->edge_us - (uint64_t)exact >= (uint64_t)length) {
        panes->edge_us = -fb_floor_div(-exact, length) * length;
        panes->folded = false;
    }
    return panes->edge_us;
}

/* Makes the first slice of the cell what the panes from the edge up to the newest one come to. */
static void *fold(const struct fb_slice_view *view, struct panes *panes) {
    void *sum = panes + 1;
    if (panes->folded && !panes->slices.changed)
        return sum;
    panes->folded = true;
    panes->slices.changed = false;
    int64_t length = view->window->pane_us, newest = panes->slices.newest_us;
    int64_t n = newest < panes->edge_us ? 0 : (newest - panes->edge_us) / length;
    panes->folded_good_us = fb_slices_fold(view, sum, newest - n * length, (uint32_t)n);
    return sum;
}

/* Good time in (edge, t]. */
static int64_t good_us(const struct fb_slice_view *view, struct panes *panes, int64_t t_us) {
    int64_t edge = panes->edge_us;
    const struct fb_stretch present = panes->slices.good.present;
    int64_t us = fb_stretch_within(present, edge, t_us);
    if (present.from_us <= edge || panes->slices.newest_us < edge)
        return us;
    fold(view, panes);
    us += panes->folded_good_us;
    return us + fb_slice_good_us(view, fb_slices_find(view, panes->slices.newest_us));
}

/* A pane leaves: M13. */
static void lower_deadline(const struct fb_window *window, const struct panes *panes,
                           const struct fb_window_query *query, int64_t good) {
    int64_t t = query->instant.t_us, edge = panes->edge_us;
    bool lasts = good < t - edge && (good > 0 || fb_good_at(&panes->slices.good, t));
    if (panes->sampled_us < edge && !lasts)
        return;
    fb_lower_deadline(query, edge + window->length_us + 1);
}

/* Area of the good time that is not put down in panes yet, folded on behind `area`. */
static void fold_present_area(const struct panes *panes, int64_t length, int64_t t_us,
                              struct fb_fold *area) {
    struct fb_stretch present = panes->slices.good.present;
    int64_t edge = panes->edge_us, newest = panes->slices.newest_us;
    int64_t start = newest + length > edge ? newest + length : edge;
    if (present.from_us > start)
        start += (present.from_us - start) / length * length;
    for (; start < t_us && start < present.until_us; start += length) {
        int64_t end = start + length < t_us ? start + length : t_us;
        int64_t us = fb_stretch_within(present, start, end);
        if (us > 0)
            fb_fold_add(area, panes->slices.held.num * (double)us);
    }
}

static void add_part_area(uint32_t mask, union fb_cell *part, struct fb_fold *area) {
    if (fb_stat_at(mask, part, FB_STAT_TERMS)->i & FB_TERM_AREA)
        fb_fold_add(area, fb_stat_at(mask, part, FB_STAT_AREA)->num);
}

static struct fb_value time_avg(const struct fb_slice_view *view, struct panes *panes,
                                int64_t t_us, int64_t good) {
    uint32_t mask = panes->slices.mask;
    int64_t newest = panes->slices.newest_us, length = view->window->pane_us;
    struct fb_fold area = {0};
    if (good <= 0)
        return fb_unknown();
    if (newest >= panes->edge_us) {
        add_part_area(mask, fb_slice_parts(view, fold(view, panes)), &area);
        union fb_cell *part = fb_slice_parts(view, fb_slices_find(view, newest));
        struct fb_fold last = {0};
        add_part_area(mask, part, &last);
        int64_t end = newest + length < t_us ? newest + length : t_us;
        int64_t us = fb_stretch_within(panes->slices.good.present, newest, end);
        if (us > 0)
            fb_fold_add(&last, panes->slices.held.num * (double)us);
        if (last.any)
            fb_fold_add(&area, last.value);
    }
    fold_present_area(panes, length, t_us, &area);
    return fb_number(area.value / (double)good);
}

/* What the panes in use come to, in two halves: those before the newest one, and that. */
struct halves {
    uint32_t mask;
    uint64_t counts[2];
    union fb_cell *parts[2];
};

static struct fb_value sum(const struct halves *h, bool average) {
    struct fb_fold total = {0};
    for (int i = 0; i < 2; i++)
        if (h->counts[i])
            fb_fold_add(&total, fb_stat_at(h->mask, h->parts[i], FB_STAT_SUM)->num);
    if (!average)
        return fb_number(total.any ? total.value : 0);
    return total.any ? fb_number(total.value / (double)(h->counts[0] + h->counts[1]))
                     : fb_unknown();
}

static struct fb_value extreme(const struct halves *h, bool least) {
    uint32_t stat = least ? FB_STAT_MIN : FB_STAT_MAX;
    struct fb_value value = fb_unknown();
    for (int i = 0; i < 2; i++) {
        if (!h->counts[i])
            continue;
        double x = fb_stat_at(h->mask, h->parts[i], stat)->num;
        if (value.quality == FB_Q_UNKNOWN || (least ? x < value.num : x > value.num))
            value = fb_number(x);
    }
    return value;
}

static struct fb_value stddev(const struct halves *h) {
    struct fb_moments m[2] = {{0}};
    for (int i = 0; i < 2; i++) {
        union fb_cell *part = fb_stat_at(h->mask, h->parts[i], FB_STAT_MEAN);
        if (h->counts[i])
            m[i] = (struct fb_moments){(double)h->counts[i], part[0].num, part[1].num};
    }
    return fb_stddev(fb_moments_join(m[0], m[1]));
}

static struct fb_value first(const struct halves *h) {
    for (int i = 0; i < 2; i++) {
        union fb_cell *part = fb_stat_at(h->mask, h->parts[i], FB_STAT_FIRST);
        if (part[1].i != FB_NO_TIME)
            return (struct fb_value){.i = part[0].i, .quality = FB_Q_GOOD};
    }
    return fb_unknown();
}

static struct fb_value growth(const struct halves *h, const struct fb_slices *slices, bool rate) {
    struct fb_fold total = {0};
    int64_t start = FB_NO_TIME;
    for (int i = 0; i < 2; i++) {
        if (fb_stat_at(h->mask, h->parts[i], FB_STAT_TERMS)->i & FB_TERM_GROWTH)
            fb_fold_add(&total, fb_stat_at(h->mask, h->parts[i], FB_STAT_GROWTH)->num);
        if (rate && start == FB_NO_TIME)
            start = fb_stat_at(h->mask, h->parts[i], FB_STAT_START_TS)->i;
    }
    if (!total.any)
        return slices->first_ts_us == FB_NO_TIME ? fb_unknown() : fb_number(0);
    if (!rate)
        return fb_number(total.value);
    return fb_number(total.value / ((double)(slices->held.ts_us - start) / 1e6));
}

static struct fb_value last(const struct panes *panes) {
    if (panes->slices.held.ts_us == FB_NO_TIME || panes->slices.held.ts_us <= panes->edge_us)
        return fb_unknown();
    return (struct fb_value){.i = panes->slices.held.i, .quality = FB_Q_GOOD};
}

static struct fb_value difference(struct fb_value a, struct fb_value b) {
    if (a.quality != FB_Q_GOOD || b.quality != FB_Q_GOOD)
        return fb_unknown();
    return fb_number(a.num - b.num);
}

static struct fb_value truth(const struct panes *panes, const struct fb_window_query *query,
                             bool enough) {
    struct fb_truth t = panes->truth;
    fb_truth_held(&t, &panes->slices.held, panes->slices.good.present, query->instant.t_us);
    return fb_truth_value(query->aggregate, t.last_us[0] > panes->edge_us,
                          t.last_us[1] > panes->edge_us, enough);
}

struct fb_value fb_panes_read(const struct fb_window *window, void *cell,
                              const struct fb_window_query *query) {
    struct panes *panes = cell;
    struct fb_slice_view view = view_of(window, panes);
    int64_t t = query->instant.t_us, edge = edge_at(window, panes, t);
    int64_t good = good_us(&view, panes, t);
    lower_deadline(window, panes, query, good);
    bool enough = fb_good_suffices(good, t - edge, query->needs);
    if (query->aggregate == FB_AGG_ANY || query->aggregate == FB_AGG_ALL)
        return truth(panes, query, enough);
    if (!enough)
        return fb_unknown();
    if (query->aggregate == FB_AGG_LAST)
        return last(panes);
    if (query->aggregate == FB_AGG_TIME_AVG)
        return time_avg(&view, panes, t, good);
    void *older = fold(&view, panes), *newest = older;
    if (panes->slices.newest_us >= edge)
        newest = fb_slices_find(&view, panes->slices.newest_us);
    struct halves h = {
        .mask = panes->slices.mask,
        .counts = {fb_slice_count(&view, older),
                   newest == older ? 0 : fb_slice_count(&view, newest)},
        .parts = {fb_slice_parts(&view, older), fb_slice_parts(&view, newest)},
    };
    switch (query->aggregate) {
    case FB_AGG_AVG: return sum(&h, true);
    case FB_AGG_SUM: return sum(&h, false);
    case FB_AGG_COUNT: return fb_number((double)(h.counts[0] + h.counts[1]));
    case FB_AGG_MIN: return extreme(&h, true);
    case FB_AGG_MAX: return extreme(&h, false);
    case FB_AGG_SPREAD: return difference(extreme(&h, false), extreme(&h, true));
    case FB_AGG_STDDEV: return stddev(&h);
    case FB_AGG_FIRST: return first(&h);
    case FB_AGG_DELTA: return difference(last(panes), first(&h));
    case FB_AGG_INCREASE: return growth(&h, &panes->slices, false);
    case FB_AGG_RATE: return growth(&h, &panes->slices, true);
    default: return fb_unknown();
    }
}
