/* Windows over the last n on-time samples; previous, change and changed with n = 2 (M22). */
#include "engine/core/shapes.h"
#include "engine/core/stat.h"
#include "engine/core/text.h"

/* Behind the head the values, and their times where they are needed. */
struct last {
    uint32_t place; /* of the next sample, and of the oldest one once all places are taken */
    uint32_t taken; /* how many samples so far, above 2^31 only modulo that */
};
_Static_assert(sizeof(struct last) == FB_LAST_HEAD_BYTES, "model/layout.h");
enum { TAKEN_AGAIN = 1u << 31 };

struct view {
    uint32_t n, place, taken;
    union fb_cell *values, *times;
};

static struct view view_of(const struct fb_window *window, void *cell) {
    struct last *last = cell;
    union fb_cell *values = (void *)(last + 1);
    return (struct view){window->places, last->place, last->taken, values,
                         values + window->places};
}

bool fb_last_is_sound(const struct fb_window *window, const void *cell, uint32_t words) {
    struct view v = view_of(window, (void *)(uintptr_t)cell); /* only read */
    if (v.place >= v.n)
        return false;
    for (uint32_t i = 0; i < v.n; i++)
        if (!fb_bits_are_sound(window->type, v.values[i].i, words) ||
            (fb_last_has_times(window) && !fb_time_is_sound(v.times[i].i)))
            return false;
    return true;
}

/* A longer one is full once as many samples came as it has places, those kept included. */
void fb_last_move(const struct fb_window *from, void *from_cell, const struct fb_window *to,
                  void *to_cell, struct fb_texts *texts) {
    struct view old = view_of(from, from_cell), v = view_of(to, to_cell);
    struct last *last = to_cell;
    uint32_t kept = old.taken < old.n ? old.taken : old.n;
    uint32_t moved = kept < v.n ? kept : v.n;
    for (uint32_t i = 0; i < moved; i++) { /* the newest ones, oldest first */
        uint32_t place = (old.place + old.n - moved + i) % old.n;
        v.values[i] = old.values[place];
        old.values[place].i = 0;
        if (fb_last_has_times(to))
            v.times[i] = old.times[place];
    }
    last->place = moved % v.n;
    last->taken = kept < old.taken && kept < v.n ? kept : old.taken;
    fb_last_drop(from, from_cell, texts);
}

void fb_last_drop(const struct fb_window *window, void *cell, struct fb_texts *texts) {
    if (window->type != FB_T_TEXT)
        return;
    struct view v = view_of(window, cell);
    for (uint32_t i = 0; i < v.n; i++) {
        fb_texts_release(texts, (uint64_t)v.values[i].i);
        v.values[i].i = 0;
    }
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
    last->place = v.place + 1 == v.n ? 0 : v.place + 1;
    if (++last->taken == 0)
        last->taken = TAKEN_AGAIN;
    union fb_cell *value = &v.values[v.place];
    if (window->type == FB_T_TEXT)
        value->i = (int64_t)fb_texts_set(texts, (uint64_t)value->i, sample->value->text);
    else
        value->i = sample->value->i;
    if (fb_last_has_times(window))
        v.times[v.place].i = sample->ts_us;
}

/* Goes through the n samples, oldest first, run by run (M15). */
struct walk {
    uint32_t i, place, run_end; /* i-th sample, its place, where its run ends */
};

static void begin_run(const struct view *v, struct walk *w) {
    uint32_t ordinal = v->taken - v->n + w->i; /* modulo 2^31, which runs divide */
    w->run_end = w->i + FB_RUN_SAMPLES - ordinal % FB_RUN_SAMPLES;
    if (w->run_end > v->n)
        w->run_end = v->n;
}

static struct walk walk_of(const struct view *v) {
    struct walk w = {.place = v->place};
    begin_run(v, &w);
    return w;
}

static inline uint32_t after(const struct view *v, uint32_t place) {
    return place + 1 == v->n ? 0 : place + 1;
}

static inline void step(const struct view *v, struct walk *w) {
    w->i++;
    w->place = after(v, w->place);
}

static double sum(const struct view *v) {
    struct fb_fold total = {0};
    for (struct walk w = walk_of(v); w.i < v->n; begin_run(v, &w)) {
        double part = v->values[w.place].num;
        for (step(v, &w); w.i < w.run_end; step(v, &w))
            part += v->values[w.place].num;
        fb_fold_add(&total, part);
    }
    return total.value;
}

static struct fb_moments moments(const struct view *v) {
    struct fb_moments total = {0};
    for (struct walk w = walk_of(v); w.i < v->n; begin_run(v, &w)) {
        struct fb_moments part = {0};
        for (; w.i < w.run_end; step(v, &w))
            part = fb_moments_add(part, v->values[w.place].num);
        total = fb_moments_join(total, part);
    }
    return total;
}

static double extreme(const struct view *v, bool least) {
    struct walk w = walk_of(v);
    double m = v->values[w.place].num;
    for (; w.i < v->n; step(v, &w)) {
        double x = v->values[w.place].num;
        m = (least ? x < m : x > m) ? x : m;
    }
    return m;
}

static double count(const struct view *v, bool condition) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->n; i++)
        n += !condition || v->values[i].i;
    return n;
}

static uint32_t newest_place(const struct view *v) {
    return (v->place ? v->place : v->n) - 1;
}

static int64_t span_us(const struct view *v) {
    return v->times[newest_place(v)].i - v->times[v->place].i;
}

static struct fb_value growth(const struct view *v, bool rate) {
    struct fb_fold total = {0};
    double previous = v->values[v->place].num;
    for (struct walk w = walk_of(v); w.i < v->n; begin_run(v, &w)) {
        struct fb_fold part = {0};
        for (; w.i < w.run_end; step(v, &w)) {
            double x = v->values[w.place].num;
            if (w.i > 0)
                fb_fold_add(&part, fb_growth(previous, x));
            previous = x;
        }
        if (part.any)
            fb_fold_add(&total, part.value);
    }
    if (!rate || v->n == 1)
        return fb_number(total.value);
    return fb_number(total.value / ((double)span_us(v) / 1e6));
}

static struct fb_value time_avg(const struct view *v) {
    struct fb_fold total = {0};
    for (struct walk w = walk_of(v); w.i < v->n; begin_run(v, &w)) {
        struct fb_fold part = {0};
        for (; w.i < w.run_end; step(v, &w)) {
            int64_t us = v->times[after(v, w.place)].i - v->times[w.place].i;
            if (us > 0) /* not after the newest one, which the oldest follows */
                fb_fold_add(&part, v->values[w.place].num * (double)us);
        }
        if (part.any)
            fb_fold_add(&total, part.value);
    }
    return total.any ? fb_number(total.value / (double)span_us(v)) : fb_unknown();
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
    if (v.taken < v.n)
        return fb_unknown();
    union fb_cell first = v.values[v.place], last = v.values[newest_place(&v)];
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
