/* Aligned windows that are read when they are complete (M21). */
#include "engine/base/num.h"
#include "engine/core/shapes.h"
#include "engine/core/slices.h"

#define DAY_US INT64_C(86400000000)

struct each {
    struct fb_slices slices;
    int64_t begin_us; /* start of the window that holds the device's first record */
    int64_t end_us;   /* of the last complete window, as found last */
};
_Static_assert(sizeof(struct each) == FB_EACH_HEAD_BYTES, "model/layout.h");

/* Weeks begin on Monday, 1969-12-29. */
static int64_t origin_of(const struct fb_window *window) {
    return window->length_us == 7 * DAY_US ? -3 * DAY_US : 0;
}

static struct fb_slice_view view_of(const struct fb_window *window, struct each *each) {
    return (struct fb_slice_view){
        .window = window,
        .slices = &each->slices,
        .at = (unsigned char *)(each + 1),
        .n = fb_each_slices(window),
        .origin_us = origin_of(window),
    };
}

void fb_each_init(const struct fb_window *window, void *cell) {
    struct each *each = cell;
    struct fb_slice_view view = view_of(window, each);
    fb_slices_init(&view);
    each->begin_us = each->end_us = FB_NO_TIME;
}

bool fb_each_is_sound(const struct fb_window *window, const void *cell, uint32_t words) {
    struct each *each = (void *)(uintptr_t)cell; /* only read */
    struct fb_slice_view view = view_of(window, each);
    return fb_slices_are_sound(&view, words) && fb_time_is_sound(each->begin_us) &&
           fb_time_is_sound(each->end_us);
}

void fb_each_move(const struct fb_window *from, void *from_cell, const struct fb_window *to,
                  void *to_cell) {
    struct each *old = from_cell, *each = to_cell;
    struct fb_slice_view old_view = view_of(from, old), view = view_of(to, each);
    fb_slices_move(&old_view, &view);
    each->begin_us = old->begin_us;
    each->end_us = old->end_us;
}

void fb_each_begin(const struct fb_window *window, void *cell, int64_t first_ts_us) {
    struct each *each = cell;
    struct fb_slice_view view = view_of(window, each);
    each->begin_us = fb_slices_start(&view, first_ts_us);
}

void fb_each_take(const struct fb_window *window, void *cell,
                  const struct fb_window_sample *sample, struct fb_window_counts *counts) {
    struct each *each = cell;
    struct fb_slice_plan plan = fb_slice_plan_here(window, &each->slices, 0);
    if (plan.plain && !sample->late && sample->good && sample->value &&
        fb_slices_take_plain(&plan, &each->slices, (unsigned char *)(each + 1), sample->ts_us,
                             sample->value->num, sample->good_until_us))
        return;
    struct fb_slice_view view = view_of(window, each);
    fb_slices_take(&view, sample, NULL, counts);
}

/* End of the last window that is complete at the instant, whether the device was there or not. */
static int64_t complete_at(const struct fb_window *window, int64_t known_us,
                           struct fb_window_instant instant) {
    int64_t limit = instant.t_us - window->late_us - !instant.timer, origin = origin_of(window);
    if ((uint64_t)limit - (uint64_t)known_us < (uint64_t)window->length_us)
        return known_us;
    return fb_floor_div(limit - origin, window->length_us) * window->length_us + origin;
}

int64_t fb_each_completed(const struct fb_window *window, const void *cell,
                          struct fb_window_instant instant) {
    const struct each *each = cell;
    int64_t end = complete_at(window, each->end_us, instant);
    return each->begin_us == FB_NO_TIME || end <= each->begin_us ? FB_NO_TIME : end;
}

/* Behind the last complete window, `end` of which is known. */
static int64_t next_of(const struct fb_window *window, const struct each *each, int64_t end) {
    return (end > each->begin_us ? end : each->begin_us) + window->length_us + window->late_us;
}

int64_t fb_each_next(const struct fb_window *window, const void *cell,
                     struct fb_window_instant instant) {
    const struct each *each = cell;
    if (each->begin_us == FB_NO_TIME)
        return FB_NEVER;
    return next_of(window, each, complete_at(window, each->end_us, instant));
}

/* Neither the last complete window nor one behind it has a sample, and in all of them either
 * nothing or everything is good time. */
bool fb_each_rests(const struct fb_window *window, const void *cell,
                   struct fb_window_instant instant) {
    const struct each *each = cell;
    int64_t end = complete_at(window, each->end_us, instant), start = end - window->length_us;
    const struct fb_stretch good = each->slices.good.present;
    if (each->begin_us == FB_NO_TIME || end <= each->begin_us || each->slices.newest_us >= start)
        return false;
    return good.until_us <= start || (good.from_us <= start && good.until_us == FB_NEVER);
}

/* One complete window. */
struct complete {
    const struct each *each;
    int64_t start_us, end_us;
    struct fb_stretch present; /* good time that is not put down yet */
    uint32_t mask;
    uint64_t count;
    union fb_cell *part; /* NULL: nothing came in it */
};

static int64_t stat(const struct complete *c, uint32_t stat, int64_t otherwise) {
    return c->part ? fb_stat_at(c->mask, c->part, stat)->i : otherwise;
}

static struct fb_value number(const struct complete *c, uint32_t stat) {
    return c->count ? fb_number(fb_stat_at(c->mask, c->part, stat)->num) : fb_unknown();
}

static struct fb_value edge_sample(const struct complete *c, uint32_t value, uint32_t ts) {
    if (stat(c, ts, FB_NO_TIME) == FB_NO_TIME)
        return fb_unknown();
    return (struct fb_value){.i = stat(c, value, 0), .quality = FB_Q_GOOD};
}

static struct fb_value less(struct fb_value a, struct fb_value b) {
    if (a.quality != FB_Q_GOOD || b.quality != FB_Q_GOOD)
        return fb_unknown();
    return fb_number(a.num - b.num);
}

static struct fb_value time_avg(const struct complete *c, int64_t good) {
    struct fb_fold area = {0};
    if (stat(c, FB_STAT_TERMS, 0) & FB_TERM_AREA)
        fb_fold_add(&area, fb_stat_at(c->mask, c->part, FB_STAT_AREA)->num);
    int64_t us = fb_stretch_within(c->present, c->start_us, c->end_us);
    if (us > 0)
        fb_fold_add(&area, c->each->slices.held.num * (double)us);
    return area.any ? fb_number(area.value / (double)good) : fb_unknown();
}

static struct fb_value truth(const struct complete *c, enum fb_aggregate aggregate, bool enough) {
    int64_t terms = stat(c, FB_STAT_TERMS, 0);
    const struct fb_held *held = &c->each->slices.held;
    if (held->ts_us != FB_NO_TIME && fb_stretch_within(c->present, c->start_us, c->end_us) > 0)
        terms |= held->i ? FB_TERM_TRUE : FB_TERM_FALSE;
    return fb_truth_value(aggregate, terms & FB_TERM_FALSE, terms & FB_TERM_TRUE, enough);
}

static struct fb_value growth(const struct complete *c, bool rate) {
    if (stat(c, FB_STAT_TERMS, 0) & FB_TERM_GROWTH) {
        double x = fb_stat_at(c->mask, c->part, FB_STAT_GROWTH)->num;
        if (!rate)
            return fb_number(x);
        int64_t us = stat(c, FB_STAT_LAST_TS, 0) - stat(c, FB_STAT_START_TS, 0);
        return fb_number(x / ((double)us / 1e6));
    }
    int64_t first = c->each->slices.first_ts_us;
    return first != FB_NO_TIME && first < c->end_us ? fb_number(0) : fb_unknown();
}

static struct fb_value aggregate_of(const struct complete *c, enum fb_aggregate aggregate,
                                    int64_t good) {
    switch (aggregate) {
    case FB_AGG_COUNT: return fb_number((double)c->count);
    case FB_AGG_SUM: return c->count ? number(c, FB_STAT_SUM) : fb_number(0);
    case FB_AGG_AVG:
        return c->count ? fb_number(number(c, FB_STAT_SUM).num / (double)c->count) : fb_unknown();
    case FB_AGG_MIN: return number(c, FB_STAT_MIN);
    case FB_AGG_MAX: return number(c, FB_STAT_MAX);
    case FB_AGG_SPREAD: return less(number(c, FB_STAT_MAX), number(c, FB_STAT_MIN));
    case FB_AGG_STDDEV:
        return c->count ? fb_stddev((struct fb_moments){(double)c->count, 0,
                                                        number(c, FB_STAT_M2).num})
                        : fb_unknown();
    case FB_AGG_FIRST: return edge_sample(c, FB_STAT_FIRST, FB_STAT_FIRST_TS);
    case FB_AGG_LAST: return edge_sample(c, FB_STAT_LAST, FB_STAT_LAST_TS);
    case FB_AGG_DELTA:
        return less(edge_sample(c, FB_STAT_LAST, FB_STAT_LAST_TS),
                    edge_sample(c, FB_STAT_FIRST, FB_STAT_FIRST_TS));
    case FB_AGG_TIME_AVG: return time_avg(c, good);
    case FB_AGG_INCREASE: return growth(c, false);
    case FB_AGG_RATE: return growth(c, true);
    default: return fb_unknown();
    }
}

struct fb_value fb_each_read(const struct fb_window *window, void *cell,
                             const struct fb_window_query *query) {
    struct each *each = cell;
    if (each->begin_us == FB_NO_TIME)
        return fb_unknown();
    int64_t length = window->length_us;
    int64_t end = each->end_us = complete_at(window, each->end_us, query->instant);
    fb_lower_deadline(query, next_of(window, each, end));
    if (end <= each->begin_us)
        return fb_unknown();
    struct fb_slice_view view = view_of(window, each);
    void *slice = fb_slices_find(&view, end - length);
    struct complete c = {
        .each = each,
        .start_us = end - length,
        .end_us = end,
        .present = each->slices.good.present,
        .mask = each->slices.mask,
        .count = slice ? fb_slice_count(&view, slice) : 0,
        .part = slice ? fb_slice_parts(&view, slice) : NULL,
    };
    int64_t good = fb_stretch_within(c.present, c.start_us, c.end_us) +
                   (slice ? fb_slice_good_us(&view, slice) : 0);
    bool enough = fb_good_suffices(good, length, query->needs);
    if (query->aggregate == FB_AGG_ANY || query->aggregate == FB_AGG_ALL)
        return truth(&c, query->aggregate, enough);
    return enough ? aggregate_of(&c, query->aggregate, good) : fb_unknown();
}
