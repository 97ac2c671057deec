/* Windows over the last n on-time samples; previous, change and changed with n = 2 (M22). */
#include "engine/core/shapes.h"
#include "engine/core/stat.h"
#include "engine/core/text.h"

/* Samples in the places by ordinal; their times behind them where they are needed. */
struct last {
    uint64_t next; /* ordinal of the next sample */
};
_Static_assert(sizeof(struct last) == FB_LAST_HEAD_BYTES, "model/layout.h");

struct view {
    uint64_t next;
    uint32_t n;
    union fb_cell *values, *times;
};

static struct view view_of(const struct fb_window *window, void *cell) {
    struct last *last = cell;
    union fb_cell *values = (void *)(last + 1);
    return (struct view){last->next, window->places, values, values + window->places};
}

/* The i-th of the n samples, 0 the oldest. */
static uint32_t place_of(const struct view *v, uint32_t i) {
    return (uint32_t)((v->next + i) % v->n);
}

static double num(const struct view *v, uint32_t i) {
    return v->values[place_of(v, i)].num;
}

void fb_last_take(const struct fb_window *window, void *cell, struct fb_texts *texts,
                  const struct fb_window_sample *sample, struct fb_window_counts *counts) {
    struct last *last = cell;
    struct view v = view_of(window, cell);
    if (!sample->value)
        return;
    if (sample->late) {
        counts->late_ignored++;
        return;
    }
    uint32_t place = (uint32_t)(last->next++ % v.n);
    if (window->type == FB_T_TEXT)
        v.values[place].i = (int64_t)fb_texts_set(texts, (uint64_t)v.values[place].i,
                                                  sample->value->text);
    else
        v.values[place].i = sample->value->i;
    if (fb_last_has_times(window))
        v.times[place].i = sample->ts_us;
}

/* Where the run ends that begins with, or holds, sample i (M15). */
static uint32_t run_end(const struct view *v, uint32_t i) {
    uint64_t ordinal = v->next - v->n + i;
    uint64_t end = i + FB_RUN_SAMPLES - ordinal % FB_RUN_SAMPLES;
    return end < v->n ? (uint32_t)end : v->n;
}

static double sum(const struct view *v) {
    struct fb_fold total = {0};
    for (uint32_t i = 0; i < v->n;) {
        struct fb_fold part = {0};
        for (uint32_t end = run_end(v, i); i < end; i++)
            fb_fold_add(&part, num(v, i));
        fb_fold_add(&total, part.value);
    }
    return total.value;
}

static struct fb_moments moments(const struct view *v) {
    struct fb_moments total = {0};
    for (uint32_t i = 0; i < v->n;) {
        struct fb_moments part = {0};
        for (uint32_t end = run_end(v, i); i < end; i++)
            part = fb_moments_add(part, num(v, i));
        total = fb_moments_join(total, part);
    }
    return total;
}

static double extreme(const struct view *v, bool least) {
    double x = num(v, 0);
    for (uint32_t i = 1; i < v->n; i++)
        if (least ? num(v, i) < x : num(v, i) > x)
            x = num(v, i);
    return x;
}

static double count(const struct view *v, bool condition) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->n; i++)
        n += !condition || v->values[i].i;
    return n;
}

static struct fb_value growth(const struct view *v, bool rate) {
    struct fb_fold total = {0};
    for (uint32_t i = 1; i < v->n;) {
        struct fb_fold part = {0};
        for (uint32_t end = run_end(v, i); i < end; i++)
            fb_fold_add(&part, fb_growth(num(v, i - 1), num(v, i)));
        fb_fold_add(&total, part.value);
    }
    if (!rate || v->n == 1)
        return fb_number(total.value);
    int64_t us = v->times[place_of(v, v->n - 1)].i - v->times[place_of(v, 0)].i;
    return fb_number(total.value / ((double)us / 1e6));
}

static struct fb_value time_avg(const struct view *v) {
    struct fb_fold total = {0};
    int64_t first = v->times[place_of(v, 0)].i, us = v->times[place_of(v, v->n - 1)].i - first;
    for (uint32_t i = 0; i + 1 < v->n;) {
        struct fb_fold part = {0};
        for (uint32_t end = run_end(v, i); i < end && i + 1 < v->n; i++) {
            int64_t dt = v->times[place_of(v, i + 1)].i - v->times[place_of(v, i)].i;
            if (dt > 0)
                fb_fold_add(&part, num(v, i) * (double)dt);
        }
        if (part.any)
            fb_fold_add(&total, part.value);
    }
    return us > 0 ? fb_number(total.value / (double)us) : fb_unknown();
}

static struct fb_value truth(bool value) {
    return (struct fb_value){.i = value, .quality = FB_Q_GOOD};
}

static bool differ(const struct fb_window *window, const struct fb_texts *texts, union fb_cell a,
                   union fb_cell b) {
    switch (window->type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER: return a.num != b.num;
    case FB_T_TEXT:
        return !fb_str_eq(fb_texts_get(texts, (uint64_t)a.i), fb_texts_get(texts, (uint64_t)b.i));
    default: return a.i != b.i;
    }
}

static struct fb_value change(const struct fb_window *window, union fb_cell from,
                              union fb_cell to) {
    if (window->type == FB_T_NUMBER || window->type == FB_T_COUNTER)
        return fb_number(to.num - from.num);
    struct fb_value value = {.quality = FB_Q_GOOD};
    return __builtin_sub_overflow(to.i, from.i, &value.i) ? fb_unknown() : value;
}

static struct fb_value value_of(const struct fb_window *window, const struct fb_texts *texts,
                                union fb_cell cell) {
    struct fb_value value = {.i = cell.i, .quality = FB_Q_GOOD};
    if (window->type == FB_T_TEXT)
        value.text = fb_texts_get(texts, (uint64_t)cell.i);
    return value;
}

struct fb_value fb_last_read(const struct fb_window *window, void *cell,
                             const struct fb_window_query *query) {
    struct view v = view_of(window, cell);
    if (v.next < v.n)
        return fb_unknown();
    union fb_cell first = v.values[place_of(&v, 0)], last = v.values[place_of(&v, v.n - 1)];
    bool condition = window->type == FB_T_BOOL;
    switch (query->aggregate) {
    case FB_AGG_AVG: return fb_number(sum(&v) / (double)v.n);
    case FB_AGG_SUM: return fb_number(sum(&v));
    case FB_AGG_COUNT: return fb_number(count(&v, condition));
    case FB_AGG_MIN: return fb_number(extreme(&v, true));
    case FB_AGG_MAX: return fb_number(extreme(&v, false));
    case FB_AGG_SPREAD: return fb_number(extreme(&v, false) - extreme(&v, true));
    case FB_AGG_STDDEV: return fb_stddev(moments(&v));
    case FB_AGG_PREVIOUS:
    case FB_AGG_FIRST: return value_of(window, query->texts, first);
    case FB_AGG_LAST: return value_of(window, query->texts, last);
    case FB_AGG_DELTA: return fb_number(last.num - first.num);
    case FB_AGG_INCREASE: return growth(&v, false);
    case FB_AGG_RATE: return growth(&v, true);
    case FB_AGG_TIME_AVG: return time_avg(&v);
    case FB_AGG_ANY: return truth(count(&v, true) > 0);
    case FB_AGG_ALL: return truth(count(&v, true) == (double)v.n);
    case FB_AGG_CHANGE: return change(window, first, last);
    case FB_AGG_CHANGED:
        return truth(query->instant.carried && differ(window, query->texts, first, last));
    default: return fb_unknown();
    }
}
