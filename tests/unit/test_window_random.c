/* Windows against their definition: rules/MEANING.md, M10 to M22, computed from the whole history
 * at every read, over random records, late ones, gaps and instants. */
#include "engine/core/window.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/num.h"
#include "engine/core/text.h"
#include "engine/model/layout.h"

/* ---- history ---- */

enum { RECORDS_MAX = 1400 };

struct record {
    int64_t ts, at, until;
    bool late, has, good;
    union {
        double num;
        int64_t i;
    };
    int64_t ordinal; /* among the samples that take a place; -1: none */
};

struct history {
    const struct fb_window *w;
    struct record r[RECORDS_MAX];
    int n;
    int64_t samples, first_ts;
};

static bool on_time(const struct record *r) {
    return r->has && !r->late;
}

/* Index of the first on-time sample; n: none. */
static int first_of_all(const struct history *h) {
    int i = 0;
    while (i < h->n && !on_time(&h->r[i]))
        i++;
    return i;
}

/* ---- good time (M12) ---- */

/* (from, until] */
struct stretch {
    int64_t from_us, until_us;
};

struct stretches {
    struct stretch s[RECORDS_MAX];
    int n;
};

static bool is_empty(struct stretch s) {
    return s.from_us >= s.until_us;
}

static void find_stretches(const struct history *h, struct stretches *out, bool all) {
    out->n = 0;
    for (int i = first_of_all(h); i < h->n; i++) {
        if (h->r[i].late || !h->r[i].good)
            continue;
        struct stretch s = {h->r[i].ts, h->r[i].until};
        for (int j = i + 1; j < h->n; j++)
            if (!h->r[j].late) {
                if (h->r[j].ts < s.until_us)
                    s.until_us = h->r[j].ts;
                break;
            }
        struct stretch *last = out->n ? &out->s[out->n - 1] : NULL;
        if (last && s.from_us <= last->until_us) {
            last->until_us = s.until_us;
        } else {
            if (last && is_empty(*last))
                out->n--;
            out->s[out->n++] = s;
        }
    }
    int keep = (int)(h->w->places / 4 + 1) + 1;
    if (!all && h->w->shape == FB_SHAPE_RING && out->n > keep) {
        memmove(out->s, out->s + out->n - keep, sizeof *out->s * (size_t)keep);
        out->n = keep;
    }
}

static int64_t overlap(struct stretch s, int64_t from, int64_t to) {
    int64_t a = s.from_us > from ? s.from_us : from, b = s.until_us < to ? s.until_us : to;
    return b > a ? b - a : 0;
}

static int64_t good_in(const struct stretches *s, int64_t from, int64_t to) {
    int64_t us = 0;
    for (int i = 0; i < s->n; i++)
        us += overlap(s->s[i], from, to);
    return us;
}

static bool good_at(const struct history *h, int64_t t) {
    int last = h->n - 1;
    if (first_of_all(h) == h->n)
        return false;
    while (h->r[last].late)
        last--;
    return h->r[last].good && t <= h->r[last].until;
}

/* ---- what is in use, and in which part ---- */

static int64_t pane_of(const struct history *h, int64_t ts) {
    return fb_floor_div(ts - 1, h->w->pane_us);
}

static int64_t left_edge(const struct history *h, int64_t t) {
    int64_t p = h->w->pane_us, e = t - h->w->length_us;
    if (h->w->shape != FB_SHAPE_PANES)
        return e;
    int64_t k = fb_floor_div(e, p);
    return k * p == e ? e : (k + 1) * p;
}

struct span { /* (from, to], each: [from, to) */
    int64_t from, to;
};

static bool kept(const struct history *h, const struct record *r) {
    return r->has && (h->w->shape != FB_SHAPE_RING ||
                      r->ordinal >= h->samples - (int64_t)h->w->places);
}

static bool in_use(const struct history *h, const struct record *r, struct span span) {
    switch (h->w->shape) {
    case FB_SHAPE_RING: return kept(h, r) && r->ts > span.from;
    case FB_SHAPE_PANES: return r->has && pane_of(h, r->ts) * h->w->pane_us >= span.from;
    case FB_SHAPE_LAST: return on_time(r) && r->ordinal >= h->samples - (int64_t)h->w->places;
    case FB_SHAPE_EACH: return r->has && r->ts >= span.from && r->ts < span.to;
    }
    return false;
}

static int64_t part_of(const struct history *h, const struct record *r) {
    switch (h->w->shape) {
    case FB_SHAPE_PANES: return pane_of(h, r->ts);
    case FB_SHAPE_EACH: return 0;
    default: return r->ordinal / 32;
    }
}

/* Terms with their parts; folded within a part, then the parts by number. */
struct term {
    int64_t part;
    double x;
};
struct terms {
    struct term t[4 * RECORDS_MAX];
    int n;
};

static void add_term(struct terms *terms, int64_t part, double x) {
    assert_true(terms->n < 4 * RECORDS_MAX);
    terms->t[terms->n++] = (struct term){part, x};
}

/* The next part after `after` that has terms; false: none. */
static bool next_part(const struct terms *terms, int64_t after, int64_t *part) {
    bool any = false;
    for (int i = 0; i < terms->n; i++)
        if (terms->t[i].part > after && (!any || terms->t[i].part < *part)) {
            *part = terms->t[i].part;
            any = true;
        }
    return any;
}

static double fold(const struct terms *terms) {
    double total = 0;
    bool first_part = true;
    int64_t part = INT64_MIN;
    while (next_part(terms, part, &part)) {
        double sum = 0;
        bool first = true;
        for (int i = 0; i < terms->n; i++)
            if (terms->t[i].part == part) {
                sum = first ? terms->t[i].x : sum + terms->t[i].x;
                first = false;
            }
        total = first_part ? sum : total + sum;
        first_part = false;
    }
    return total;
}

static struct terms terms_, samples_;

static const struct terms *samples_in_use(const struct history *h, struct span span) {
    samples_.n = 0;
    for (int i = 0; i < h->n; i++)
        if (in_use(h, &h->r[i], span))
            add_term(&samples_, part_of(h, &h->r[i]), h->r[i].num);
    return &samples_;
}

/* ---- order-free ---- */

static struct fb_value unknown(void) {
    return (struct fb_value){.quality = FB_Q_UNKNOWN};
}

static struct fb_value number(double x) {
    return (struct fb_value){.num = x, .quality = fb_num_finite(x) ? FB_Q_GOOD : FB_Q_UNKNOWN};
}

static struct fb_value boolean(bool x) {
    return (struct fb_value){.i = x, .quality = FB_Q_GOOD};
}

static struct fb_value count(const struct history *h, struct span span) {
    int n = 0;
    for (int i = 0; i < h->n; i++)
        n += in_use(h, &h->r[i], span) && (h->w->type != FB_T_BOOL || h->r[i].i);
    return number(n);
}

static struct fb_value extreme(const struct terms *samples, bool least) {
    bool any = false;
    double m = 0;
    int64_t part = INT64_MIN;
    while (next_part(samples, part, &part))
        for (int i = 0; i < samples->n; i++) {
            double x = samples->t[i].x;
            if (samples->t[i].part == part && (!any || (least ? x < m : x > m))) {
                m = x;
                any = true;
            }
        }
    return any ? number(m) : unknown();
}

static struct fb_value stddev(const struct terms *samples) {
    double n = 0, mean = 0, s = 0;
    int64_t part = INT64_MIN;
    while (next_part(samples, part, &part)) {
        double nb = 0, mb = 0, sb = 0;
        for (int i = 0; i < samples->n; i++)
            if (samples->t[i].part == part) {
                double x = samples->t[i].x, delta = x - mb;
                nb++;
                mb += delta / nb;
                sb += delta * (x - mb);
            }
        if (n == 0) {
            n = nb, mean = mb, s = sb;
            continue;
        }
        double na = n, d = mb - mean;
        n = na + nb;
        mean = mean + d * (nb / n);
        s = (s + sb) + d * d * (na * nb / n);
    }
    return n < 8 ? unknown() : number(fb_num_sqrt(s / (n - 1)));
}

/* ---- order-bound ---- */

static const struct record *edge_sample(const struct history *h, struct span span, bool last) {
    for (int i = 0; i < h->n; i++) {
        const struct record *r = &h->r[last ? h->n - 1 - i : i];
        if (on_time(r) && in_use(h, r, span))
            return r;
    }
    return NULL;
}

static struct fb_value of_record(const struct record *r) {
    return r ? (struct fb_value){.i = r->i, .quality = FB_Q_GOOD} : unknown();
}

static bool before_edge(const struct history *h, const struct record *r, struct span span) {
    return h->w->shape == FB_SHAPE_EACH ? r->ts < span.from : r->ts <= span.from;
}

/* The on-time sample that lost its place last. */
static int lost(const struct history *h) {
    for (int i = h->n - 1; i >= 0; i--)
        if (on_time(&h->r[i]) && !kept(h, &h->r[i]))
            return i;
    return -1;
}

/* Index of the value from before the left edge; -1: not known. */
static int held_before(const struct history *h, struct span span) {
    if (h->w->shape == FB_SHAPE_LAST)
        return -1;
    for (int i = h->n - 1; i >= 0; i--)
        if (on_time(&h->r[i]) && before_edge(h, &h->r[i], span) &&
            (kept(h, &h->r[i]) || i == lost(h)))
            return i;
    return -1;
}

static double growth(double a, double b) {
    if (b >= a)
        return b - a;
    double m = 4294967296.0;
    if (a >= 0.9 * m && a <= m && b < 0.1 * m)
        return (m - a) + b;
    m = m * m;
    if (a >= 0.9 * m && a <= m && b < 0.1 * m)
        return (m - a) + b;
    return b;
}

static struct fb_value increase(const struct history *h, struct span span, bool rate) {
    int previous = held_before(h, span), used = previous >= 0;
    int64_t first = used ? h->r[previous].ts : 0, last = first;
    terms_.n = 0;
    for (int i = 0; i < h->n; i++) {
        const struct record *r = &h->r[i];
        if (!on_time(r) || !in_use(h, r, span))
            continue;
        if (used)
            add_term(&terms_, part_of(h, r), growth(h->r[previous].num, r->num));
        else
            first = r->ts;
        last = r->ts;
        previous = i;
        used++;
    }
    if (used == 0)
        return unknown();
    if (used == 1)
        return number(0);
    return number(rate ? fold(&terms_) / ((double)(last - first) / 1e6) : fold(&terms_));
}

static int next_on_time(const struct history *h, int i) {
    do
        i++;
    while (i < h->n && !on_time(&h->r[i]));
    return i;
}

static struct fb_value time_avg_of_last(const struct history *h, struct span span) {
    const struct record *first = edge_sample(h, span, false), *last = edge_sample(h, span, true);
    terms_.n = 0;
    for (int i = 0; i < h->n; i++) {
        int next = next_on_time(h, i);
        if (in_use(h, &h->r[i], span) && next < h->n && h->r[next].ts > h->r[i].ts)
            add_term(&terms_, part_of(h, &h->r[i]),
                     h->r[i].num * (double)(h->r[next].ts - h->r[i].ts));
    }
    int64_t us = last->ts - first->ts;
    return us > 0 ? number(fold(&terms_) / (double)us) : unknown();
}

/* Adds v held in (from, to] of good time, cut where the shape cuts. */
static void add_areas(const struct history *h, const struct stretches *s, int64_t part, double v,
                      int64_t from, int64_t to) {
    for (int i = 0; i < s->n; i++) {
        int64_t a = s->s[i].from_us > from ? s->s[i].from_us : from;
        int64_t b = s->s[i].until_us < to ? s->s[i].until_us : to;
        while (a < b) {
            int64_t cut = b;
            if (h->w->shape == FB_SHAPE_PANES) {
                part = fb_floor_div(a, h->w->pane_us);
                if ((part + 1) * h->w->pane_us < cut)
                    cut = (part + 1) * h->w->pane_us;
            }
            add_term(&terms_, part, v * (double)(cut - a));
            a = cut;
        }
    }
}

static struct fb_value time_avg(const struct history *h, const struct stretches *s,
                                struct span span) {
    int before = held_before(h, span);
    int64_t from = span.to;
    terms_.n = 0;
    for (int i = 0; i < h->n; i++) {
        const struct record *r = &h->r[i];
        if (!on_time(r) || (i != before && !in_use(h, r, span)))
            continue;
        int next = next_on_time(h, i);
        int64_t a = r->ts > span.from ? r->ts : span.from;
        int64_t b = next < h->n && h->r[next].ts < span.to ? h->r[next].ts : span.to;
        if (a < from)
            from = a;
        add_areas(h, s, i == before && h->w->shape == FB_SHAPE_RING ? -1 : part_of(h, r), r->num, a,
                  b);
    }
    int64_t us = good_in(s, from, span.to);
    return us > 0 ? number(fold(&terms_) / (double)us) : unknown();
}

static struct fb_value any_all(const struct history *h, struct span span, bool any, bool enough) {
    static struct stretches all;
    find_stretches(h, &all, true);
    bool seen[2] = {false, false};
    for (int i = 0; i < h->n; i++) {
        const struct record *r = &h->r[i];
        if (!on_time(r))
            continue;
        bool inside = h->w->shape == FB_SHAPE_EACH ? r->ts >= span.from && r->ts < span.to
                                                   : r->ts > span.from && r->ts <= span.to;
        if (inside && r->good)
            seen[r->i != 0] = true;
        int next = next_on_time(h, i);
        int64_t a = r->ts > span.from ? r->ts : span.from;
        int64_t b = next < h->n && h->r[next].ts < span.to ? h->r[next].ts : span.to;
        if (a < b && good_in(&all, a, b) > 0)
            seen[r->i != 0] = true;
    }
    if (any ? seen[1] : seen[0])
        return boolean(any);
    return enough && (seen[0] || seen[1]) ? boolean(!any) : unknown();
}

/* ---- reads ---- */

static struct fb_value difference(struct fb_value a, struct fb_value b) {
    if (a.quality != FB_Q_GOOD || b.quality != FB_Q_GOOD)
        return unknown();
    return number(a.num - b.num);
}

static struct fb_value aggregate(const struct history *h, const struct stretches *s,
                                 struct span span, enum fb_aggregate a, bool carried) {
    const struct terms *x = samples_in_use(h, span);
    const struct record *first = edge_sample(h, span, false), *last = edge_sample(h, span, true);
    switch (a) {
    case FB_AGG_AVG: return x->n ? number(fold(x) / x->n) : unknown();
    case FB_AGG_SUM: return number(x->n ? fold(x) : 0);
    case FB_AGG_COUNT: return count(h, span);
    case FB_AGG_MIN: return extreme(x, true);
    case FB_AGG_MAX: return extreme(x, false);
    case FB_AGG_SPREAD: return difference(extreme(x, false), extreme(x, true));
    case FB_AGG_STDDEV: return stddev(x);
    case FB_AGG_PREVIOUS:
    case FB_AGG_FIRST: return of_record(first);
    case FB_AGG_LAST: return of_record(last);
    case FB_AGG_CHANGE:
    case FB_AGG_DELTA: return difference(of_record(last), of_record(first));
    case FB_AGG_CHANGED: return boolean(carried && last->num != first->num);
    case FB_AGG_INCREASE: return increase(h, span, false);
    case FB_AGG_RATE: return increase(h, span, true);
    case FB_AGG_TIME_AVG:
        return h->w->shape == FB_SHAPE_LAST ? time_avg_of_last(h, span) : time_avg(h, s, span);
    default: return unknown();
    }
}

static void lower(int64_t *deadline, int64_t at, int64_t after) {
    if (at > after && at < *deadline)
        *deadline = at;
}

static void pane_deadlines(const struct history *h, const struct stretches *s, struct span span,
                           struct fb_window_instant now, int64_t *deadline) {
    bool holds = false;
    for (int i = 0; i < h->n; i++)
        holds |= in_use(h, &h->r[i], span);
    int64_t good = good_in(s, span.from, span.to), length = span.to - span.from;
    if (!holds && !(good > 0 && good < length) && !(good_at(h, now.t_us) && good < length))
        return;
    int64_t p = h->w->pane_us, b = (fb_floor_div(now.t_us - h->w->length_us, p) - 2) * p;
    for (int i = 0; i < 5; i++, b += p)
        lower(deadline, b + h->w->length_us + 1, now.t_us);
}

static int64_t origin(const struct history *h) {
    return h->w->length_us == INT64_C(604800000000) ? -INT64_C(259200000000) : 0;
}

/* Start of the last window of `each` that is visible; false: none yet. */
static bool visible(const struct history *h, struct fb_window_instant now, int64_t *start) {
    int64_t d = h->w->length_us;
    int64_t first = fb_floor_div(h->first_ts - origin(h), d) * d + origin(h);
    bool any = false;
    for (int64_t s = first; now.timer ? s + d + h->w->late_us <= now.t_us
                                      : s + d + h->w->late_us < now.t_us;
         s += d) {
        *start = s;
        any = true;
    }
    return any;
}

static struct fb_value read_naively(const struct history *h, enum fb_aggregate a, double needs,
                                    struct fb_window_instant now, int64_t *deadline) {
    static struct stretches s;
    const struct fb_window *w = h->w;
    struct span span = {left_edge(h, now.t_us), now.t_us};
    find_stretches(h, &s, false);
    if (w->shape == FB_SHAPE_LAST) {
        if (h->samples < (int64_t)w->places)
            return unknown();
        if (a == FB_AGG_ANY)
            return boolean(count(h, span).num > 0);
        if (a == FB_AGG_ALL)
            return boolean(count(h, span).num == w->places);
        return aggregate(h, &s, span, a, now.carried);
    }
    if (w->shape == FB_SHAPE_EACH) {
        int64_t d = w->length_us;
        if (h->n)
            for (int64_t e = fb_floor_div(h->first_ts - origin(h), d) * d + origin(h) + d;
                 *deadline == FB_NEVER; e += d)
                lower(deadline, e + w->late_us, now.timer ? now.t_us : now.t_us - 1);
        if (!h->n || !visible(h, now, &span.from))
            return unknown();
        span.to = span.from + d;
    } else if (w->shape == FB_SHAPE_PANES) {
        pane_deadlines(h, &s, span, now, deadline);
    } else {
        for (int i = 0; i < h->n; i++)
            if (kept(h, &h->r[i]))
                lower(deadline, h->r[i].ts + w->length_us, now.t_us);
    }
    bool enough = (double)good_in(&s, span.from, span.to) >= needs * (double)(span.to - span.from);
    if (a == FB_AGG_ANY || a == FB_AGG_ALL)
        return any_all(h, span, a == FB_AGG_ANY, enough);
    return enough ? aggregate(h, &s, span, a, now.carried) : unknown();
}

/* ---- random runs ---- */

static uint64_t seed;

static uint64_t random_bits(void) {
    seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
static int64_t below(int64_t n) {
    return (int64_t)(random_bits() % (uint64_t)n);
}
static bool chance(int percent) {
    return below(100) < percent;
}

enum kind { GAUGE, COUNTER, CONDITION, RECORDS };

struct run {
    uint64_t seed;
    struct fb_window w;
    enum kind kind;
    int64_t every, stale;
    int64_t grid; /* times are often multiples of it, so that borders are met */
    int bad, late, gap, same, behind; /* in percent */
};

static const enum fb_aggregate aggregates_of[][16] = {
    [GAUGE] = {FB_AGG_AVG, FB_AGG_MIN, FB_AGG_MAX, FB_AGG_SUM, FB_AGG_COUNT, FB_AGG_FIRST,
               FB_AGG_LAST, FB_AGG_TIME_AVG, FB_AGG_STDDEV, FB_AGG_SPREAD, FB_AGG_DELTA},
    [COUNTER] = {FB_AGG_INCREASE, FB_AGG_RATE, FB_AGG_COUNT},
    [CONDITION] = {FB_AGG_ANY, FB_AGG_ALL, FB_AGG_COUNT, FB_AGG_FIRST, FB_AGG_LAST},
    [RECORDS] = {FB_AGG_COUNT},
};
static const int n_aggregates_of[] = {11, 3, 5, 1};

static struct run random_run(enum fb_window_shape shape) {
    static const int64_t lengths[] = {1000,     7000,      60000,       1000000,   90500000,
                                      60000000, 300000000, 10800000000, 86400000000};
    struct run run = {
        .kind = (enum kind)below(shape == FB_SHAPE_RING || shape == FB_SHAPE_LAST ? 3 : 4),
        .bad = (int)below(3) * 12,
        .late = (int)below(3) * 10,
        .gap = (int)below(3) * 2,
        .same = (int)below(3) * 15,
        .behind = (int)below(3) * 20,
        .w = {.shape = shape, .type = FB_T_NUMBER, .input = FB_INPUT_FIELD},
    };
    struct fb_window *w = &run.w;
    w->length_us = lengths[below(9)];
    if (shape == FB_SHAPE_EACH && chance(10))
        w->length_us = INT64_C(604800000000);
    run.every = w->length_us / (1 + below(chance(50) ? 128 : 12));
    if (run.every < 2)
        run.every = 2;
    w->places = (uint32_t)(2 * ((w->length_us + run.every - 1) / run.every) + 1);
    if (shape == FB_SHAPE_LAST)
        w->places = (uint32_t)(1 + below(chance(50) ? 100 : 4));
    if (shape == FB_SHAPE_PANES)
        assert_true(fb_panes_of(w->length_us, &w->pane_us, &w->places));
    if (shape == FB_SHAPE_EACH)
        w->pane_us = w->length_us;
    const int64_t grids[] = {1, run.every, w->length_us,
                             shape == FB_SHAPE_PANES ? w->pane_us : 2};
    run.grid = grids[below(4)];
    run.stale = chance(60) ? 3 * run.every : 0;
    w->late_us = chance(50) ? below(3 * w->length_us) : 5 * run.every;
    if (run.kind == CONDITION)
        w->type = FB_T_BOOL;
    if (run.kind == RECORDS)
        w->input = FB_INPUT_RECORDS;
    while (!w->aggregates)
        for (int i = 0; i < n_aggregates_of[run.kind]; i++)
            if (chance(40))
                w->aggregates |= 1u << aggregates_of[run.kind][i];
    if (shape == FB_SHAPE_LAST && w->places == 2 && run.kind == GAUGE)
        w->aggregates |= 1u << FB_AGG_PREVIOUS | 1u << FB_AGG_CHANGE | 1u << FB_AGG_CHANGED;
    return run;
}

static double random_gauge(void) {
    switch (below(12)) {
    case 0: return 0.0;
    case 1: return -0.0;
    case 2: return chance(3) ? 1.7e308 : 1e15;
    case 3: return (double)below(3);
    default: return (double)below(2000001) / 1000.0 - 1000.0;
    }
}

static double random_count(double last) {
    if (chance(85))
        return last + (double)below(100000) / 8;
    static const double jumps[] = {0, 4294967290.0, 3865470567.0, 429496729.0, 429496730.0,
                                   18446744073709540000.0, 1e18, 5, 4294967296.0,
                                   0.9 * 4294967296.0, 0.1 * 4294967296.0};
    return jumps[below(11)];
}

struct state {
    struct run *run;
    struct history *h;
    void *cell;
    struct fb_texts *texts;
    struct fb_window_counts counts, naive_counts;
    int64_t w, d; /* watermark, device time */
    double counter;
};

static void compare_completed(const struct state *s, struct fb_window_instant now) {
    int64_t start, wanted = FB_NO_TIME;
    if (s->h->n && visible(s->h, now, &start))
        wanted = start + s->run->w.length_us;
    assert_int_equal(fb_window_completed(&s->run->w, s->cell, now), wanted);
}

static void compare(struct state *s, struct fb_window_instant now) {
    static const double needs[] = {0, 0.5, 0.8, 1};
    const struct fb_window *w = &s->run->w;
    if (w->shape == FB_SHAPE_EACH)
        compare_completed(s, now);
    for (int i = 0; i < FB_AGGREGATES; i++) {
        enum fb_aggregate a = (enum fb_aggregate)i;
        if (!(w->aggregates >> a & 1) || chance(50))
            continue;
        double need = needs[below(4)];
        int64_t deadline = FB_NEVER, wanted_deadline = FB_NEVER;
        struct fb_value got = fb_window_read(w, s->cell, s->texts, a, need, now, &deadline);
        struct fb_value wanted = read_naively(s->h, a, need, now, &wanted_deadline);
        if (got.quality != wanted.quality || (got.quality == FB_Q_GOOD && got.i != wanted.i) ||
            deadline != wanted_deadline) {
            print_error("seed %llu shape %d kind %d aggregate %d needs %g at %lld timer %d after "
                        "%d records: got %d %.17g %lld, wanted %d %.17g %lld\n",
                        (unsigned long long)s->run->seed, w->shape, s->run->kind, a, need,
                        (long long)now.t_us, now.timer, s->h->n, got.quality, got.num,
                        (long long)deadline, wanted.quality, wanted.num,
                        (long long)wanted_deadline);
            fail();
        }
    }
}

static int64_t snap(const struct run *run, int64_t at, int64_t least) {
    int64_t snapped = fb_floor_div(at, run->grid) * run->grid;
    return chance(80) && snapped >= least ? snapped : at;
}

static struct record random_record(struct state *s) {
    const struct run *run = s->run;
    int64_t step = chance(run->same) ? 0 : 1 + below(2 * run->every);
    if (chance(run->gap))
        step = below(2 * run->w.length_us + 2);
    struct record r = {
        .ts = snap(run, s->w + step, s->w),
        .late = s->h->n && chance(run->late),
        .has = true,
    };
    if (chance(run->behind) && s->d < s->w + 4 * run->w.length_us)
        s->d = snap(run, s->d + below(3 * run->every + 1), s->d); /* it was idle meanwhile */
    if (r.late) {
        int64_t back = chance(70) ? 2 * run->every : run->w.late_us;
        if (back > run->w.late_us)
            back = run->w.late_us;
        r.ts = snap(run, s->w - 1 - (back > 1 ? below(back) : 0), s->w - run->w.late_us);
        r.late = r.ts < s->w && r.ts >= s->w - run->w.late_us;
        if (!r.late)
            r.ts = s->w;
    }
    r.good = run->kind == RECORDS || !chance(run->bad);
    r.has = run->kind == RECORDS || (r.good ? !chance(5) : chance(10));
    r.until = run->kind == RECORDS || !run->stale ? FB_NEVER : r.ts + run->stale;
    if (r.late)
        r.good = false;
    else
        s->w = r.ts;
    if (r.ts > s->d)
        s->d = r.ts;
    r.at = s->d;
    switch (run->kind) {
    case GAUGE: r.num = random_gauge(); break;
    case COUNTER: r.num = s->counter = random_count(s->counter); break;
    case CONDITION: r.i = chance(20); break;
    case RECORDS: r.i = 1; break;
    }
    return r;
}

static void take(struct state *s, struct record r) {
    const struct fb_window *w = &s->run->w;
    struct history *h = s->h;
    struct fb_value value = {.i = r.i, .quality = FB_Q_GOOD};
    struct fb_window_sample sample = {
        .ts_us = r.ts,
        .at_us = r.at,
        .late = r.late,
        .value = r.has && w->input != FB_INPUT_RECORDS ? &value : NULL,
        .good = r.good,
        .good_until_us = r.until,
    };
    if (h->n == 0) {
        h->first_ts = r.ts;
        if (w->shape == FB_SHAPE_EACH)
            fb_window_begin(w, s->cell, r.ts);
    }
    if (r.has && r.late && (w->aggregates & FB_ORDER_BOUND || w->shape == FB_SHAPE_LAST))
        s->naive_counts.late_ignored++;
    bool takes_place = r.has && !(w->shape == FB_SHAPE_LAST && r.late);
    r.ordinal = takes_place ? h->samples++ : -1;
    if (w->shape == FB_SHAPE_LAST && r.late)
        r.has = false;
    for (int i = 0; takes_place && w->shape == FB_SHAPE_RING && i < h->n; i++)
        if (h->r[i].has && h->r[i].ordinal == r.ordinal - (int64_t)w->places &&
            h->r[i].ts > r.at - w->length_us)
            s->naive_counts.left_early++;
    h->r[h->n++] = r;
    fb_window_take(w, s->cell, s->texts, &sample, &s->counts);
}

static void check_run(struct run *run, int n_records) {
    struct history *h = test_calloc(1, sizeof *h);
    h->w = &run->w;
    run->w.bytes = fb_window_bytes(&run->w);
    struct state s = {
        .run = run,
        .h = h,
        .cell = test_calloc(1, run->w.bytes),
        .texts = fb_texts_new(),
        .w = INT64_C(1700000000000000) + below(1000000),
    };
    if (chance(10))
        s.w = -2 * run->w.length_us;
    s.d = s.w;
    fb_window_init(&run->w, s.cell);
    for (int i = 0; i < n_records; i++) {
        int64_t d = s.d;
        struct record r = random_record(&s);
        if (h->n && s.d > d) { /* timers before the record */
            int64_t deadline = FB_NEVER;
            struct fb_window_instant now = {.t_us = d, .timer = true};
            enum fb_aggregate a = (enum fb_aggregate)__builtin_ctz(run->w.aggregates);
            fb_window_read(&run->w, s.cell, s.texts, a, 0.8, now, &deadline);
            for (int n = 0; n < 3 && deadline < s.d; n++, deadline = FB_NEVER) {
                now.t_us = deadline;
                compare(&s, now);
                fb_window_read(&run->w, s.cell, s.texts, a, 0.8, now, &deadline);
            }
        }
        take(&s, r);
        if (chance(70))
            compare(&s, (struct fb_window_instant){s.d, chance(10), chance(70)});
    }
    assert_int_equal(s.counts.late_ignored, s.naive_counts.late_ignored);
    assert_int_equal(s.counts.left_early, s.naive_counts.left_early);
    test_free(s.cell); /* a guard behind it: nothing was written beyond its bytes */
    fb_texts_free(s.texts);
    test_free(h);
}

static void check_shape(enum fb_window_shape shape, uint64_t first_seed) {
    const char *runs = getenv("FB_WINDOW_RUNS"); /* more than the usual, by hand */
    int n = runs ? atoi(runs) : 120;
    for (int i = 0; i < n; i++) {
        seed = first_seed + (uint64_t)i;
        struct run run = random_run(shape);
        run.seed = first_seed + (uint64_t)i;
        check_run(&run, (int)(i % 8 == 0 ? 1200 : 200 + below(200)));
    }
}

static void a_ring_is_what_its_definition_says(void **state) {
    (void)state;
    check_shape(FB_SHAPE_RING, 1000000);
}

static void panes_are_what_their_definition_says(void **state) {
    (void)state;
    check_shape(FB_SHAPE_PANES, 2000000);
}

static void the_last_samples_are_what_their_definition_says(void **state) {
    (void)state;
    check_shape(FB_SHAPE_LAST, 3000000);
}

static void aligned_windows_are_what_their_definition_says(void **state) {
    (void)state;
    check_shape(FB_SHAPE_EACH, 4000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_is_what_its_definition_says),
        cmocka_unit_test(panes_are_what_their_definition_says),
        cmocka_unit_test(the_last_samples_are_what_their_definition_says),
        cmocka_unit_test(aligned_windows_are_what_their_definition_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
