/* Windows over a span of time that keep every sample (M14). Samples stand in the order taken; each
 * run of 32 keeps what it comes to, and is folded as a whole while all of it is in use. */
#include "engine/core/shapes.h"
#include "engine/core/good.h"
#include "engine/core/stat.h"

/* A sample. */
struct place {
    union {
        double num;
        int64_t i;
    };
    int64_t stamp; /* twice its time, and LATE */
};
enum { LATE = 1 };

struct run {
    int64_t least_us; /* earliest time of its samples */
    uint64_t count;   /* its samples; of a condition the true ones */
};

struct ring {
    uint64_t next;     /* ordinal of the next sample */
    uint64_t in_use;   /* no sample before this one is in use any more */
    uint64_t late_end; /* ordinal after the last late sample */
    uint64_t held_ordinal;
    struct fb_held held; /* last on-time sample */
    struct fb_held lost; /* on-time sample that lost its place last */
    struct fb_good good;
    struct fb_truth truth;
    int64_t forgotten_us;   /* good time up to here is not remembered */
    uint32_t position, run; /* place of the next sample, run of the last one */
    uint16_t mask, run_bytes;
    uint16_t newest_stretch, stretches; /* ended stretches of good time that are remembered */
};
_Static_assert(sizeof(struct ring) == FB_RING_HEAD_BYTES, "model/layout.h");
_Static_assert(sizeof(struct place) == FB_PLACE_BYTES, "model/layout.h");
_Static_assert(sizeof(struct run) == FB_RUN_HEAD_BYTES, "model/layout.h");
_Static_assert(sizeof(struct fb_stretch) == FB_STRETCH_BYTES, "model/layout.h");

/* What every read needs stands together in front. */
struct view {
    const struct fb_window *window;
    struct ring *ring;
    unsigned char *runs;
    struct fb_stretch *stretches;
    struct place *places;
    uint32_t n, n_runs, n_stretches;
};

static struct view view_of(const struct fb_window *window, struct ring *ring) {
    uint32_t n = window->places;
    struct view v = {
        .window = window,
        .ring = ring,
        .runs = (unsigned char *)(ring + 1),
        .n = n,
        .n_runs = fb_ring_runs(n),
        .n_stretches = fb_ring_stretches(n),
    };
    v.stretches = (void *)(v.runs + (size_t)v.n_runs * ring->run_bytes);
    v.places = (void *)(v.stretches + v.n_stretches);
    return v;
}

static int64_t time_of(const struct place *place) {
    return place->stamp >> 1;
}

static struct fb_held held_of(const struct place *place) {
    return (struct fb_held){.i = place->i, .ts_us = time_of(place)};
}

static uint64_t oldest(const struct view *v) {
    return v->ring->next > v->n ? v->ring->next - v->n : 0;
}

static uint32_t place_index(const struct view *v, uint64_t ordinal) {
    uint32_t index = v->ring->position + v->n - (uint32_t)(v->ring->next - ordinal);
    return index < v->n ? index : index - v->n;
}

static struct place *place_at(const struct view *v, uint64_t ordinal) {
    return &v->places[place_index(v, ordinal)];
}

/* The run that holds a kept sample. */
static struct run *run_at(const struct view *v, uint64_t ordinal) {
    uint64_t back = (v->ring->next - 1) / FB_RUN_SAMPLES - ordinal / FB_RUN_SAMPLES;
    uint32_t index = v->ring->run + v->n_runs - (uint32_t)back;
    return (void *)(v->runs + (size_t)(index < v->n_runs ? index : index - v->n_runs) *
                                  v->ring->run_bytes);
}

static union fb_cell *parts_of(struct run *run) {
    return (void *)(run + 1);
}

void fb_ring_init(const struct fb_window *window, void *cell) {
    struct ring *ring = cell;
    ring->held.ts_us = ring->lost.ts_us = ring->forgotten_us = FB_NO_TIME;
    fb_good_init(&ring->good);
    fb_truth_init(&ring->truth);
    ring->mask = (uint16_t)fb_stat_mask(window);
    ring->run_bytes =
        (uint16_t)(sizeof(struct run) + 8 * (uint32_t)__builtin_popcount(ring->mask));
}

/* ---- from outside ---- */

static bool heads_are_sound(const struct ring *ring, const struct view *v, uint32_t words) {
    enum fb_type type = v->window->type;
    return ring->next < UINT64_C(1) << 62 && ring->in_use <= ring->next &&
           ring->late_end <= ring->next && ring->position == ring->next % v->n &&
           ring->run == (ring->next ? (ring->next - 1) / FB_RUN_SAMPLES % v->n_runs : 0) &&
           (ring->held.ts_us == FB_NO_TIME || ring->held_ordinal < ring->next) &&
           ring->newest_stretch < v->n_stretches && ring->stretches <= v->n_stretches &&
           fb_time_is_sound(ring->held.ts_us) && fb_bits_are_sound(type, ring->held.i, words) &&
           fb_time_is_sound(ring->lost.ts_us) && fb_bits_are_sound(type, ring->lost.i, words) &&
           fb_good_is_sound(&ring->good) && fb_truth_is_sound(&ring->truth) &&
           fb_time_is_sound(ring->forgotten_us);
}

static bool runs_are_sound(const struct view *v) {
    for (uint32_t i = 0; i < v->n_runs; i++) {
        struct run *run = (void *)(v->runs + (size_t)i * v->ring->run_bytes);
        if (!fb_time_is_sound(run->least_us))
            return false;
        if (v->ring->mask & FB_STAT_TERMS) {
            int64_t terms = fb_stat_at(v->ring->mask, parts_of(run), FB_STAT_TERMS)->i;
            if (terms < 0 || terms >= 2 * FB_TERM_TRUE)
                return false;
        }
    }
    return true;
}

bool fb_ring_is_sound(const struct fb_window *window, const void *cell, uint32_t words) {
    struct ring *ring = (void *)(uintptr_t)cell; /* only read */
    uint32_t mask = fb_stat_mask(window);
    if (ring->mask != mask ||
        ring->run_bytes != sizeof(struct run) + 8 * (uint32_t)__builtin_popcount(mask))
        return false;
    struct view v = view_of(window, ring);
    if (!heads_are_sound(ring, &v, words) || !runs_are_sound(&v))
        return false;
    for (uint32_t i = 0; i < v.n_stretches; i++)
        if (!fb_time_is_sound(v.stretches[i].from_us) || !fb_end_is_sound(v.stretches[i].until_us))
            return false;
    for (uint32_t i = 0; i < v.n; i++)
        if (!fb_time_is_sound(time_of(&v.places[i])) ||
            !fb_bits_are_sound(window->type, v.places[i].i, words))
            return false;
    return true;
}

/* ---- good time ---- */

static struct fb_stretch stretch_back(const struct view *v, uint32_t back) {
    uint32_t index = v->ring->newest_stretch + v->n_stretches - back;
    return v->stretches[index < v->n_stretches ? index : index - v->n_stretches];
}

static void remember(const struct view *v, struct fb_stretch stretch) {
    struct ring *ring = v->ring;
    ring->newest_stretch =
        ring->newest_stretch + 1u == v->n_stretches ? 0 : (uint16_t)(ring->newest_stretch + 1);
    if (ring->stretches == v->n_stretches)
        ring->forgotten_us = v->stretches[ring->newest_stretch].until_us;
    else
        ring->stretches++;
    v->stretches[ring->newest_stretch] = stretch;
}

/* Good time in (from, to]. */
static int64_t good_within(const struct view *v, int64_t from_us, int64_t to_us) {
    struct fb_stretch stretch = v->ring->good.present;
    int64_t us = fb_stretch_within(stretch, from_us, to_us);
    for (uint32_t i = 0; i < v->ring->stretches && stretch.from_us > from_us; i++) {
        stretch = stretch_back(v, i);
        us += fb_stretch_within(stretch, from_us, to_us);
    }
    return us;
}

/* Folds on the areas of a value that was held from .. to. */
static void fold_area(const struct view *v, double value, int64_t from_us, int64_t to_us,
                      struct fb_fold *area) {
    struct fb_stretch present = v->ring->good.present;
    uint32_t i = 0;
    if (present.from_us > from_us)
        while (i < v->ring->stretches && stretch_back(v, i).until_us > from_us)
            i++;
    while (i-- > 0) {
        int64_t us = fb_stretch_within(stretch_back(v, i), from_us, to_us);
        if (us > 0)
            fb_fold_add(area, value * (double)us);
    }
    int64_t us = fb_stretch_within(present, from_us, to_us);
    if (us > 0)
        fb_fold_add(area, value * (double)us);
}

/* ---- taking ---- */

/* Before a sample takes the next place: the sample there loses it. */
static void make_room(const struct view *v, const struct fb_window_sample *sample,
                      struct fb_window_counts *counts) {
    struct ring *ring = v->ring;
    struct place *place = &v->places[ring->position];
    if (ring->next < v->n)
        return;
    if (!(place->stamp & LATE))
        ring->lost = (struct fb_held){.i = place->i, .ts_us = time_of(place)};
    if (time_of(place) > sample->at_us - v->window->length_us)
        counts->left_early++;
}

static struct run *put(const struct view *v, const struct fb_window_sample *sample) {
    struct ring *ring = v->ring;
    struct place *place = &v->places[ring->position];
    place->i = v->window->type == FB_T_TEXT ? 0 : sample->value->i;
    place->stamp = sample->ts_us * 2 + (sample->late ? LATE : 0);
    bool begins = ring->next % FB_RUN_SAMPLES == 0;
    if (begins && ring->next)
        ring->run = ring->run + 1 == v->n_runs ? 0 : ring->run + 1;
    ring->next++;
    ring->position = ring->position + 1 == v->n ? 0 : ring->position + 1;
    struct run *run = (void *)(v->runs + (size_t)ring->run * ring->run_bytes);
    if (begins) {
        *run = (struct run){.least_us = sample->ts_us};
        fb_stat_clear(ring->mask, parts_of(run));
    } else if (sample->ts_us < run->least_us) {
        run->least_us = sample->ts_us;
    }
    fb_stat_add(ring->mask, parts_of(run), run->count, place->num);
    run->count += v->window->type != FB_T_BOOL || place->i;
    return run;
}

/* The area of the held sample, which the one at ts_us follows, goes to its run. */
static void settle_area(const struct view *v, int64_t ts_us) {
    struct ring *ring = v->ring;
    if (!(ring->mask & FB_STAT_AREA) || ring->held.ts_us == FB_NO_TIME)
        return;
    uint64_t oldest_run = ring->next <= v->n ? 0 : (ring->next - v->n) / FB_RUN_SAMPLES;
    if (ring->held_ordinal / FB_RUN_SAMPLES < oldest_run)
        return;
    union fb_cell *part = parts_of(run_at(v, ring->held_ordinal));
    union fb_cell *sum = fb_stat_at(ring->mask, part, FB_STAT_AREA);
    union fb_cell *terms = fb_stat_at(ring->mask, part, FB_STAT_TERMS);
    struct fb_fold area = {sum->num, terms->i & FB_TERM_AREA};
    fold_area(v, ring->held.num, ring->held.ts_us, ts_us, &area);
    if (area.any) {
        sum->num = area.value;
        terms->i |= FB_TERM_AREA;
    }
}

static void follow_good(const struct view *v, const struct fb_window_sample *sample) {
    struct ring *ring = v->ring;
    struct fb_stretch ended;
    if (fb_good_take(&ring->good, sample->ts_us, sample->good, sample->good_until_us, &ended)) {
        fb_truth_held(&ring->truth, &ring->held, ended, sample->ts_us);
        remember(v, ended);
    }
}

void fb_ring_take(const struct fb_window *window, void *cell,
                  const struct fb_window_sample *sample, struct fb_window_counts *counts) {
    struct ring *ring = cell;
    struct view v = view_of(window, ring);
    if (sample->late) {
        if (!sample->value)
            return;
        counts->late_ignored += (window->aggregates & FB_ORDER_BOUND) != 0;
        make_room(&v, sample, counts);
        put(&v, sample);
        ring->late_end = ring->next;
        return;
    }
    if (!sample->value) {
        if (ring->held.ts_us != FB_NO_TIME)
            follow_good(&v, sample);
        return;
    }
    fb_truth_held(&ring->truth, &ring->held, ring->good.present, sample->ts_us);
    follow_good(&v, sample);
    settle_area(&v, sample->ts_us);
    make_room(&v, sample, counts);
    struct run *run = put(&v, sample);
    struct fb_held next = {.i = sample->value->i, .ts_us = sample->ts_us};
    if (ring->mask & FB_STAT_GROWTH && ring->held.ts_us != FB_NO_TIME)
        fb_stat_growth(ring->mask, parts_of(run), fb_growth(ring->held.num, next.num));
    if (sample->good)
        ring->truth.last_us[next.i != 0] = sample->ts_us;
    ring->held = next;
    ring->held_ordinal = ring->next - 1;
}

/* ---- moving ---- */

/* Good time, as much of it as there is room for, oldest first. */
static void move_good(const struct view *from, const struct view *to, int64_t begin_us) {
    const struct ring *old = from->ring;
    struct ring *ring = to->ring;
    ring->truth = old->truth;
    ring->forgotten_us = old->forgotten_us;
    for (uint32_t i = old->stretches; i-- > 0;) {
        struct fb_stretch stretch = stretch_back(from, i);
        if (stretch.from_us < begin_us)
            stretch.from_us = begin_us;
        if (stretch.from_us < stretch.until_us)
            remember(to, stretch);
    }
    ring->good = old->good;
    if (ring->good.present.from_us < begin_us)
        ring->good.present.from_us =
            begin_us < ring->good.present.until_us ? begin_us : ring->good.present.until_us;
}

/* The samples keep their ordinals, so that they stand in the same runs as before. */
static void begin_at(const struct view *v, uint64_t first) {
    struct ring *ring = v->ring;
    ring->next = ring->in_use = first;
    ring->position = (uint32_t)(first % v->n);
    ring->run = (uint32_t)(first ? (first - 1) / FB_RUN_SAMPLES % v->n_runs : 0);
    if (first % FB_RUN_SAMPLES) { /* the rest of a run: only ever looked at sample by sample */
        struct run *run = (void *)(v->runs + (size_t)ring->run * ring->run_bytes);
        *run = (struct run){.least_us = FB_NO_TIME};
        fb_stat_clear(ring->mask, parts_of(run));
    }
}

static void move_sample(const struct view *to, const struct place *place) {
    struct ring *ring = to->ring;
    bool late = place->stamp & LATE;
    struct fb_value value = {.i = place->i, .quality = FB_Q_GOOD};
    struct fb_window_sample sample = {.ts_us = time_of(place), .late = late, .value = &value};
    if (late) {
        put(to, &sample);
        return;
    }
    if (ring->held.ts_us != FB_NO_TIME && ring->held_ordinal < ring->next)
        settle_area(to, sample.ts_us);
    struct run *run = put(to, &sample);
    if (ring->mask & FB_STAT_GROWTH && ring->held.ts_us != FB_NO_TIME)
        fb_stat_growth(ring->mask, parts_of(run), fb_growth(ring->held.num, place->num));
    ring->held = held_of(place);
    ring->held_ordinal = ring->next - 1;
}

void fb_ring_move(const struct fb_window *from, void *from_cell, const struct fb_window *to,
                  void *to_cell) {
    struct ring *old = from_cell, *ring = to_cell;
    struct view f = view_of(from, old), t = view_of(to, ring);
    uint64_t first = old->next > t.n ? old->next - t.n : 0, ordinal = oldest(&f);
    struct fb_held lost = old->lost;
    for (; ordinal < first; ordinal++)
        if (!(place_at(&f, ordinal)->stamp & LATE))
            lost = held_of(place_at(&f, ordinal));
    move_good(&f, &t, to->length_us > from->length_us ? lost.ts_us : FB_NO_TIME);
    begin_at(&t, ordinal);
    ring->lost = lost;
    ring->held = lost;
    ring->held_ordinal = UINT64_MAX; /* of no sample that is kept */
    for (; ordinal < old->next; ordinal++)
        move_sample(&t, place_at(&f, ordinal));
    ring->late_end = old->late_end;
    ring->held = old->held;
    ring->held_ordinal = old->held_ordinal;
}

/* ---- reading ---- */

/* Passes over what is out of use for good; the first sample to look at. */
static uint64_t first_to_see(const struct view *v, int64_t edge_us) {
    struct ring *ring = v->ring;
    uint64_t kept = oldest(v);
    if (ring->in_use < kept)
        ring->in_use = kept;
    uint32_t index = place_index(v, ring->in_use);
    while (ring->in_use < ring->next && time_of(&v->places[index]) <= edge_us) {
        ring->in_use++;
        index = index + 1 == v->n ? 0 : index + 1;
    }
    return ring->in_use;
}

/* Earliest time of a kept sample after the edge; FB_NEVER: none. */
static int64_t earliest_after(const struct view *v, uint64_t first, int64_t edge_us) {
    int64_t earliest = FB_NEVER;
    for (uint64_t o = first; v->ring->late_end <= first && o < v->ring->next; o++)
        if (time_of(place_at(v, o)) > edge_us)
            return time_of(place_at(v, o));
    for (uint64_t o = first; o < v->ring->next;) {
        uint64_t end = (o / FB_RUN_SAMPLES + 1) * FB_RUN_SAMPLES;
        if (end > v->ring->next)
            end = v->ring->next;
        const struct run *run = run_at(v, o);
        if (o % FB_RUN_SAMPLES == 0 && run->least_us > edge_us) {
            if (run->least_us < earliest)
                earliest = run->least_us;
            o = end;
        }
        for (; o < end; o++) {
            int64_t ts = time_of(place_at(v, o));
            if (ts > edge_us && ts < earliest)
                earliest = ts;
        }
        if (earliest != FB_NEVER && v->ring->late_end <= o)
            break; /* the others come later */
    }
    return earliest;
}

/* A run, or what is left of it. */
struct range {
    uint64_t from, to; /* ordinals of one run */
    struct run *run;
    bool whole;        /* all of it is in use, and nothing else of that run was */
};

static bool next_range(const struct view *v, uint64_t from, int64_t edge_us, struct range *range) {
    if (from >= v->ring->next)
        return false;
    range->from = from;
    range->to = (from / FB_RUN_SAMPLES + 1) * FB_RUN_SAMPLES;
    if (range->to > v->ring->next)
        range->to = v->ring->next;
    range->run = run_at(v, from);
    range->whole = from % FB_RUN_SAMPLES == 0 && range->run->least_us > edge_us;
    return true;
}

/* The samples of a range that are in use, in their order; at most those of one run. The copy is
 * without jumps, so that it costs little beside the fold that follows. */
static uint32_t gather(const struct view *v, const struct range *r, int64_t edge_us, double *out) {
    const struct place *place = place_at(v, r->from), *end = v->places + v->n;
    uint32_t n = 0;
    for (uint64_t left = r->to - r->from; left; left--) {
        out[n] = place->num;
        n += time_of(place) > edge_us;
        place = place + 1 == end ? v->places : place + 1;
    }
    return n;
}

static double kept_stat(const struct view *v, const struct range *r, uint32_t stat) {
    return fb_stat_at(v->ring->mask, parts_of(r->run), stat)->num;
}

static struct fb_value sum(const struct view *v, uint64_t first, int64_t edge, bool average) {
    struct fb_fold total = {0};
    uint64_t count = 0;
    struct range r;
    for (uint64_t o = first; next_range(v, o, edge, &r); o = r.to) {
        if (r.whole) {
            fb_fold_add(&total, kept_stat(v, &r, FB_STAT_SUM));
            count += r.to - r.from;
            continue;
        }
        double x[FB_RUN_SAMPLES];
        uint32_t n = gather(v, &r, edge, x);
        if (n == 0)
            continue;
        double part = x[0];
        for (uint32_t i = 1; i < n; i++)
            part += x[i];
        fb_fold_add(&total, part);
        count += n;
    }
    if (average)
        return total.any ? fb_number(total.value / (double)count) : fb_unknown();
    return fb_number(total.any ? total.value : 0);
}

static struct fb_value count(const struct view *v, uint64_t first, int64_t edge) {
    bool condition = v->window->type == FB_T_BOOL;
    uint64_t n = 0;
    struct range r;
    for (uint64_t o = first; next_range(v, o, edge, &r); o = r.to) {
        if (r.whole) {
            n += r.run->count;
            continue;
        }
        for (uint64_t i = r.from; i < r.to; i++) {
            const struct place *p = place_at(v, i);
            n += time_of(p) > edge && (!condition || p->i);
        }
    }
    return fb_number((double)n);
}

static struct fb_value extreme(const struct view *v, uint64_t first, int64_t edge, bool least) {
    struct fb_value value = fb_unknown();
    struct range r;
    for (uint64_t o = first; next_range(v, o, edge, &r); o = r.to) {
        double x[FB_RUN_SAMPLES];
        uint32_t n = 1;
        if (r.whole)
            x[0] = kept_stat(v, &r, least ? FB_STAT_MIN : FB_STAT_MAX);
        else
            n = gather(v, &r, edge, x);
        if (n == 0)
            continue;
        double m = value.quality == FB_Q_GOOD ? value.num : x[0];
        if (least)
            for (uint32_t i = 0; i < n; i++)
                m = x[i] < m ? x[i] : m;
        else
            for (uint32_t i = 0; i < n; i++)
                m = x[i] > m ? x[i] : m;
        value = fb_number(m);
    }
    return value;
}

static struct fb_value stddev(const struct view *v, uint64_t first, int64_t edge) {
    struct fb_moments total = {0};
    struct range r;
    for (uint64_t o = first; next_range(v, o, edge, &r); o = r.to) {
        struct fb_moments part = {0};
        if (r.whole) {
            part = (struct fb_moments){(double)(r.to - r.from), kept_stat(v, &r, FB_STAT_MEAN),
                                       kept_stat(v, &r, FB_STAT_M2)};
        } else {
            double x[FB_RUN_SAMPLES];
            uint32_t n = gather(v, &r, edge, x);
            for (uint32_t i = 0; i < n; i++)
                part = fb_moments_add(part, x[i]);
        }
        total = fb_moments_join(total, part);
    }
    return fb_stddev(total);
}

/* The next on-time sample from an ordinal on; NULL: none. */
static const struct place *on_time_from(const struct view *v, uint64_t *ordinal) {
    for (; *ordinal < v->ring->next; ++*ordinal) {
        const struct place *p = place_at(v, *ordinal);
        if (!(p->stamp & LATE))
            return p;
    }
    return NULL;
}

static bool held_is_kept(const struct view *v) {
    return v->ring->held.ts_us != FB_NO_TIME && v->ring->held_ordinal >= oldest(v);
}

static struct fb_value last_value(const struct view *v, int64_t edge) {
    if (!held_is_kept(v) || v->ring->held.ts_us <= edge)
        return fb_unknown();
    return (struct fb_value){.i = v->ring->held.i, .quality = FB_Q_GOOD};
}

static struct fb_value difference(struct fb_value a, struct fb_value b) {
    if (a.quality != FB_Q_GOOD || b.quality != FB_Q_GOOD)
        return fb_unknown();
    return fb_number(a.num - b.num);
}

/* The on-time samples in use, and the one from before the left edge. */
struct in_order {
    uint64_t first;        /* ordinal of the first one in use; ring->next: none */
    int64_t first_ts_us;   /* its time, or the instant where there is none */
    struct fb_held before; /* ts_us FB_NO_TIME: not known */
};

static struct in_order in_order(const struct view *v, uint64_t first, int64_t edge, int64_t t_us) {
    const struct ring *ring = v->ring;
    struct in_order in = {.first = first, .first_ts_us = t_us, .before.ts_us = FB_NO_TIME};
    const struct place *p;
    for (; (p = on_time_from(v, &in.first)) && time_of(p) <= edge; in.first++)
        in.before = held_of(p);
    if (p)
        in.first_ts_us = time_of(p);
    for (uint64_t o = first; in.before.ts_us == FB_NO_TIME && o > oldest(v); o--) {
        p = place_at(v, o - 1);
        if (!(p->stamp & LATE))
            in.before = held_of(p);
    }
    if (in.before.ts_us == FB_NO_TIME && ring->lost.ts_us <= edge)
        in.before = ring->lost;
    return in;
}

static struct fb_value first_value(const struct view *v, uint64_t first, int64_t edge) {
    const struct place *p;
    while ((p = on_time_from(v, &first)) && time_of(p) <= edge)
        first++;
    return p ? (struct fb_value){.i = p->i, .quality = FB_Q_GOOD} : fb_unknown();
}

/* Growth of a run's samples from an on-time one in use on. */
static struct fb_fold walk_growth(const struct view *v, uint64_t from, uint64_t to,
                                  struct fb_held previous) {
    struct fb_fold fold = {0};
    const struct place *p;
    for (; (p = on_time_from(v, &from)) && from < to; from++) {
        if (previous.ts_us != FB_NO_TIME)
            fb_fold_add(&fold, fb_growth(previous.num, p->num));
        previous = held_of(p);
    }
    return fold;
}

/* Only the first run has to be walked: of every later one all on-time samples are in use, and the
 * one before each of them too. */
static struct fb_value growth(const struct view *v, uint64_t first, int64_t edge, int64_t t_us,
                              bool rate) {
    const struct ring *ring = v->ring;
    struct in_order in = in_order(v, first, edge, t_us);
    bool before = in.before.ts_us != FB_NO_TIME;
    struct fb_fold total = {0};
    struct range r;
    for (uint64_t o = in.first; next_range(v, o, edge, &r); o = r.to) {
        struct fb_fold part;
        if (o == in.first) {
            part = walk_growth(v, o, r.to, in.before);
        } else {
            union fb_cell *kept = parts_of(r.run);
            part.any = fb_stat_at(ring->mask, kept, FB_STAT_TERMS)->i & FB_TERM_GROWTH;
            part.value = fb_stat_at(ring->mask, kept, FB_STAT_GROWTH)->num;
        }
        if (part.any)
            fb_fold_add(&total, part.value);
    }
    if (!total.any)
        return before || in.first < ring->next ? fb_number(0) : fb_unknown();
    int64_t start = before ? in.before.ts_us : in.first_ts_us;
    return fb_number(rate ? total.value / ((double)(ring->held.ts_us - start) / 1e6)
                          : total.value);
}

/* Areas of a run's on-time samples from one in use on. */
static struct fb_fold walk_area(const struct view *v, uint64_t from, uint64_t to, int64_t t_us) {
    struct fb_fold fold = {0};
    struct fb_stretch present = v->ring->good.present;
    const struct place *p = on_time_from(v, &from), *next;
    for (; p && from < to; p = next) {
        from++;
        next = on_time_from(v, &from);
        int64_t us = next ? time_of(next) - time_of(p) : 0;
        if (us > 0 && time_of(p) >= present.from_us && time_of(next) <= present.until_us)
            fb_fold_add(&fold, p->num * (double)us);
        else
            fold_area(v, p->num, time_of(p), next ? time_of(next) : t_us, &fold);
    }
    return fold;
}

static struct fb_value time_avg(const struct view *v, uint64_t first, int64_t edge, int64_t t_us) {
    const struct ring *ring = v->ring;
    struct in_order in = in_order(v, first, edge, t_us);
    bool before = in.before.ts_us != FB_NO_TIME;
    int64_t good = good_within(v, before ? edge : in.first_ts_us, t_us);
    struct fb_fold total = {0};
    if (good <= 0)
        return fb_unknown();
    if (before)
        fold_area(v, in.before.num, edge, in.first_ts_us, &total);
    struct range r;
    for (uint64_t o = in.first; next_range(v, o, edge, &r); o = r.to) {
        struct fb_fold part;
        if (o == in.first || ring->forgotten_us > edge) {
            part = walk_area(v, o, r.to, t_us);
        } else {
            union fb_cell *kept = parts_of(r.run);
            part.any = fb_stat_at(ring->mask, kept, FB_STAT_TERMS)->i & FB_TERM_AREA;
            part.value = fb_stat_at(ring->mask, kept, FB_STAT_AREA)->num;
            if (ring->held_ordinal >= o && ring->held_ordinal < r.to)
                fold_area(v, ring->held.num, ring->held.ts_us, t_us, &part);
        }
        if (part.any)
            fb_fold_add(&total, part.value);
    }
    return fb_number(total.value / (double)good);
}

static struct fb_value truth(const struct view *v, const struct fb_window_query *query,
                             int64_t edge, bool enough) {
    struct fb_truth t = v->ring->truth;
    fb_truth_held(&t, &v->ring->held, v->ring->good.present, query->instant.t_us);
    return fb_truth_value(query->aggregate, t.last_us[0] > edge, t.last_us[1] > edge, enough);
}

struct fb_value fb_ring_read(const struct fb_window *window, void *cell,
                             const struct fb_window_query *query) {
    struct ring *ring = cell;
    struct view v = view_of(window, ring);
    int64_t t = query->instant.t_us, edge = t - window->length_us;
    uint64_t first = first_to_see(&v, edge);
    int64_t leaves = earliest_after(&v, first, edge);
    if (leaves != FB_NEVER)
        fb_lower_deadline(query, leaves + window->length_us);
    bool enough = fb_good_suffices(good_within(&v, edge, t), window->length_us, query->needs);
    if (query->aggregate == FB_AGG_ANY || query->aggregate == FB_AGG_ALL)
        return truth(&v, query, edge, enough);
    if (!enough)
        return fb_unknown();
    switch (query->aggregate) {
    case FB_AGG_AVG: return sum(&v, first, edge, true);
    case FB_AGG_SUM: return sum(&v, first, edge, false);
    case FB_AGG_COUNT: return count(&v, first, edge);
    case FB_AGG_MIN: return extreme(&v, first, edge, true);
    case FB_AGG_MAX: return extreme(&v, first, edge, false);
    case FB_AGG_SPREAD:
        return difference(extreme(&v, first, edge, false), extreme(&v, first, edge, true));
    case FB_AGG_STDDEV: return stddev(&v, first, edge);
    case FB_AGG_FIRST: return first_value(&v, first, edge);
    case FB_AGG_LAST: return last_value(&v, edge);
    case FB_AGG_DELTA: return difference(last_value(&v, edge), first_value(&v, first, edge));
    case FB_AGG_INCREASE: return growth(&v, first, edge, t, false);
    case FB_AGG_RATE: return growth(&v, first, edge, t, true);
    case FB_AGG_TIME_AVG: return time_avg(&v, first, edge, t);
    default: return fb_unknown();
    }
}
