/* Windows, recomputed from all records of the device at every evaluation (M11 to M22).
 *
 * Place in the flow: oracle_eval asks for an aggregate at an instant; here the samples of the
 * expression are found, those that the window shows at the instant are chosen, and the aggregate is
 * computed over them as its definition says. */
#include "tests/oracle/oracle_internal.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/num.h"

#include <stdlib.h>
#include <string.h>

enum { RUN = 32, STDDEV_MIN = 8 };

/* --- Samples of an expression (M11) --------------------------------------------------------- */

/* Keys do not count: every record carries them, and they never change. */
static bool carries_any(const struct ora_class *class, const struct ora_record *record,
                        const bool *fields) {
    for (uint32_t f = 0; f < class->n_fields; f++)
        if (fields[f] && record->carries[f] && class->fields[f]->role != FB_KEY)
            return true;
    return false;
}

/* previous and change look at the order of the samples: they have nothing to say of a late one. */
static bool looks_back(const struct ora_expr *e) {
    if (e == NULL)
        return false;
    if (e->kind == ORA_PREVIOUS || e->kind == ORA_CHANGE)
        return true;
    for (uint32_t i = 0; i < e->n_items; i++)
        if (looks_back(e->items[i]))
            return true;
    return looks_back(e->a) || looks_back(e->b) || looks_back(e->c);
}

static struct ora_view view_then(struct ora *o, const struct ora_device *device, size_t i) {
    return (struct ora_view){.o = o,
                             .device = device,
                             .n = i + 1,
                             .t = device->records[i].ts,
                             .record = &device->records[i],
                             .next = FB_NEVER};
}

static struct ora_sample find_sample(struct ora *o, const struct ora_device *device,
                                     const struct ora_window *w, size_t i) {
    const struct ora_record *record = &device->records[i];
    struct ora_sample sample = {.found = true};
    if (w->x == NULL) {
        sample.there = true;
        sample.value = ora_known_number(1);
        return sample;
    }
    if (!carries_any(device->class, record, w->reads_x))
        return sample;
    if (record->late && (looks_back(w->x) || looks_back(w->where) || w->reads_others))
        return sample;
    struct ora_view then = view_then(o, device, i);
    then.late = record->late ? record : NULL;
    sample.value = ora_eval(&then, w->x);
    sample.there = sample.value.quality == FB_Q_GOOD;
    if (w->where != NULL && !ora_is_true(ora_eval(&then, w->where)))
        sample.there = false;
    return sample;
}

static const struct ora_sample *sample_at(struct ora *o, const struct ora_device *device,
                                          const struct ora_window *w, size_t i) {
    struct ora_sample *sample = &device->samples[w->index][i];
    if (!sample->found)
        *sample = find_sample(o, device, w, i);
    return sample;
}

static bool others_known(struct ora_view *then, const struct ora_expr *e) {
    if (e == NULL)
        return true;
    if (e->other != NULL)
        return ora_eval(then, e).quality == FB_Q_GOOD;
    bool known = others_known(then, e->a) && others_known(then, e->b) && others_known(then, e->c);
    for (uint32_t i = 0; i < e->n_items; i++)
        known = known && others_known(then, e->items[i]);
    return known;
}

void ora_take_samples(struct ora *o, const struct ora_device *device) {
    size_t i = device->n_records - 1;
    const struct ora_record *record = &device->records[i];
    struct ora_view then = view_then(o, device, i);
    for (uint32_t k = 0; k < device->class->n_windows; k++) {
        const struct ora_window *w = device->class->windows[k];
        if (!w->reads_others)
            continue;
        o->moves.samples += sample_at(o, device, w, i)->there;
        struct ora_sample *samples = device->samples[w->index];
        if (!record->late && carries_any(device->class, record, w->reads_all))
            samples[i].others_known = others_known(&then, w->x) && others_known(&then, w->where);
        else
            samples[i].others_known = i > 0 && samples[i - 1].others_known;
    }
}

/* A sample as a window sees it at an instant. */
struct seen {
    size_t record;
    int64_t ts;
    bool late;
    int64_t part; /* M15: pane, run of 32, or 0 */
    struct fb_value value;
};

/* What a window shows at an instant. */
struct sight {
    struct seen *in_use; /* in the order taken */
    size_t n;
    bool has_held; /* the latest on-time sample before them (M17) */
    struct seen held;
    size_t records;   /* the records that it knows of: [0, records) */
    int64_t from, to; /* the instants it covers: (from, to]; of `each`: [from, to) */
    bool half_open;   /* `each` */
};

/* --- Good time (M12) ------------------------------------------------------------------------ */

struct stretch {
    int64_t from, to;
};

/* The last instant at which everything the window reads is good, as the fields stand after record
 * i; INT64_MIN where something is not good even then. */
static int64_t good_until(const struct ora_device *device, const struct ora_window *w, size_t i) {
    int64_t until = FB_NEVER;
    const struct ora_record *record = &device->records[i];
    if (w->reads_others && !device->samples[w->index][i].others_known)
        return INT64_MIN;
    for (uint32_t f = 0; f < device->class->n_fields; f++) {
        if (w->x == NULL || !w->reads_all[f])
            continue;
        const struct ora_held *held = &record->after[f];
        int64_t stale = device->class->stale[f];
        if (!held->seen || held->bad)
            return INT64_MIN;
        if (stale > 0 && held->good_ts + stale < until)
            until = held->good_ts + stale;
    }
    return until;
}

/* The stretches of good time up to the instant `to`, as the records say that the window knows,
 * oldest first; neighbours that touch are one. It begins with the first sample. Returns how many.
 */
static size_t good_stretches(struct ora *o, const struct ora_device *device,
                             const struct ora_window *w, size_t records, int64_t to,
                             struct stretch *out) {
    size_t n = 0;
    bool begun = false;
    for (size_t i = 0; i < records; i++) {
        const struct ora_record *record = &device->records[i];
        if (record->late)
            continue;
        begun = begun || sample_at(o, device, w, i)->there; /* on time */
        if (!begun)
            continue;
        int64_t end = to;
        for (size_t j = i + 1; j < records; j++) {
            if (!device->records[j].late) {
                end = device->records[j].ts;
                break;
            }
        }
        int64_t until = good_until(device, w, i);
        if (until < end)
            end = until;
        if (end > to)
            end = to;
        if (end < record->ts)
            continue;
        if (n > 0 && out[n - 1].to == record->ts)
            out[n - 1].to = end;
        else
            out[n++] = (struct stretch){record->ts, end};
    }
    return n;
}

/* M14: a ring remembers the last stretch and so many not empty ones before it: the first one. */
static size_t first_remembered(const struct ora_window *w, const struct stretch *stretches,
                               size_t n) {
    size_t kept = 0, first;
    if (n == 0 || w->shape != FB_SHAPE_RING)
        return 0;
    for (first = n - 1; first > 0; first--) {
        bool empty = stretches[first - 1].from == stretches[first - 1].to;
        if (!empty && kept == w->places / 4 + 1)
            break;
        kept += !empty;
    }
    return first;
}

static int64_t overlap(struct stretch a, int64_t from, int64_t to) {
    int64_t start = a.from > from ? a.from : from, end = a.to < to ? a.to : to;
    return end > start ? end - start : 0;
}

static int64_t good_time(const struct sight *s, const struct stretch *good, size_t n_good) {
    int64_t sum = 0;
    for (size_t i = 0; i < n_good; i++)
        sum += overlap(good[i], s->from, s->to);
    return sum;
}

/* --- What a window shows (M13, M14, M21) ---------------------------------------------------- */

static struct seen seen_of(const struct ora_device *device, size_t i,
                           const struct ora_sample *sample, int64_t part) {
    const struct ora_record *record = &device->records[i];
    return (struct seen){i, record->ts, record->late, part, sample->value};
}

/* The pane of a time: pane k holds k * p < ts <= (k + 1) * p. */
static int64_t pane_of(int64_t ts, int64_t pane) {
    return fb_floor_div(ts - 1, pane);
}

/* M13. */
static void see_panes(struct ora_view *view, const struct ora_window *w, struct sight *s) {
    int64_t first = -fb_floor_div(-(view->t - w->length), w->pane); /* start >= t - d */
    s->from = first * w->pane;
    s->to = view->t;
    for (size_t i = 0; i < s->records; i++) {
        const struct ora_sample *sample = sample_at(view->o, view->device, w, i);
        const struct ora_record *record = &view->device->records[i];
        if (!sample->there)
            continue;
        struct seen seen = seen_of(view->device, i, sample, pane_of(record->ts, w->pane));
        if (seen.part >= first) {
            s->in_use[s->n++] = seen;
        } else if (!record->late) {
            s->held = seen;
            s->has_held = true;
        }
    }
}

/* M14. A full ring loses the sample taken first; where the last on-time one that it lost would
 * still be in use, the value before the oldest kept one is not known. */
static void see_ring(struct ora_view *view, const struct ora_window *w, struct sight *s) {
    size_t taken = 0, k = 0;
    for (size_t i = 0; i < s->records; i++)
        taken += sample_at(view->o, view->device, w, i)->there;
    s->from = view->t - w->length;
    s->to = view->t;
    for (size_t i = 0; i < s->records; i++) {
        const struct ora_sample *sample = sample_at(view->o, view->device, w, i);
        if (!sample->there)
            continue;
        bool lost = k + w->places < taken;
        struct seen seen = seen_of(view->device, i, sample, (int64_t)(k / RUN));
        k++;
        if (seen.ts > s->from && !lost) {
            s->in_use[s->n++] = seen;
        } else if (!seen.late) {
            s->held = seen;
            s->has_held = seen.ts <= s->from;
        }
    }
}

/* On-time samples only: no time names a place for a late one. */
static void see_last(struct ora_view *view, const struct ora_window *w, struct sight *s) {
    size_t taken = 0;
    s->from = INT64_MIN;
    s->to = view->t;
    for (size_t i = 0; i < s->records; i++) {
        const struct ora_sample *sample = sample_at(view->o, view->device, w, i);
        if (!sample->there || view->device->records[i].late)
            continue;
        s->in_use[s->n++] = seen_of(view->device, i, sample, (int64_t)(taken++ / RUN));
    }
    if (s->n > w->last) {
        memmove(s->in_use, s->in_use + (s->n - w->last), w->last * sizeof *s->in_use);
        s->n = w->last;
    }
}

/* Number of the `each` window that holds an instant; seven days begin on Mondays. */
static int64_t each_number(const struct ora_window *w, int64_t t) {
    int64_t origin = w->length == 7 * FB_DAY ? -3 * FB_DAY : 0;
    return fb_floor_div(t - origin, w->length);
}

static int64_t each_start(const struct ora_window *w, int64_t k) {
    int64_t origin = w->length == 7 * FB_DAY ? -3 * FB_DAY : 0;
    return origin + k * w->length;
}

/* M21: the last complete window; false where none is yet. */
static bool see_each(struct ora_view *view, const struct ora_window *w, struct sight *s) {
    int64_t late = view->device->class->late;
    int64_t first = each_number(w, view->device->records[0].ts);
    int64_t k = each_number(w, view->t - late) - 1; /* end + lateness <= t */
    int64_t visible = each_start(w, k + 1) + late;
    int64_t next = k + 1 < first ? first : k + 1;
    bool by_record = view->record != NULL || view->call != NULL; /* A41 */
    if (k >= first && by_record)
        ora_note_deadline_now(view, visible);
    ora_note_deadline(view, each_start(w, next + 1) + late);
    if (by_record && visible == view->t)
        k--;
    if (k < first)
        return false;
    s->from = each_start(w, k);
    s->to = s->from + w->length;
    s->half_open = true;
    for (size_t i = 0; i < s->records; i++) {
        const struct ora_sample *sample = sample_at(view->o, view->device, w, i);
        const struct ora_record *record = &view->device->records[i];
        if (!sample->there)
            continue;
        struct seen seen = seen_of(view->device, i, sample, 0);
        if (record->ts >= s->from && record->ts < s->to) {
            s->in_use[s->n++] = seen;
        } else if (!record->late && record->ts < s->from) {
            s->held = seen;
            s->has_held = true;
        }
    }
    return true;
}

bool ora_each_completes(const struct ora_view *view, const struct ora_window *w) {
    if (view->record != NULL || w->shape != FB_SHAPE_EACH)
        return false;
    int64_t end = view->t - view->device->class->late;
    int64_t k = each_number(w, end);
    return each_start(w, k) == end && k - 1 >= each_number(w, view->device->records[0].ts);
}

/* --- Deadlines of `over` (M8, M13) ---------------------------------------------------------- */

static void note_over_deadlines(struct ora_view *view, const struct ora_window *w,
                                const struct sight *s, int64_t good, bool begun) {
    if (w->shape == FB_SHAPE_RING) {
        for (size_t i = 0; i < s->n; i++)
            ora_note_deadline(view, s->in_use[i].ts + w->length);
        return;
    }
    int64_t covered = s->to - s->from;
    bool good_now = begun && good_until(view->device, w, s->records - 1) >= view->t;
    bool moves = s->n > 0 || (good > 0 && good < covered) || (good_now && good < covered);
    if (!moves)
        return;
    /* The next boundary b whose pane leaves, at b + d + 1 us. */
    int64_t b = fb_floor_div(view->t - w->length - 1, w->pane) * w->pane + w->pane;
    ora_note_deadline(view, b + w->length + 1);
}

/* --- Aggregates (M15 to M19) ---------------------------------------------------------------- */

static bool order_bound(enum fb_aggregate aggregate) {
    switch (aggregate) {
    case FB_AGG_FIRST:
    case FB_AGG_LAST:
    case FB_AGG_DELTA:
    case FB_AGG_INCREASE:
    case FB_AGG_RATE:
    case FB_AGG_TIME_AVG:
    case FB_AGG_ANY:
    case FB_AGG_ALL:
    case FB_AGG_PREVIOUS:
    case FB_AGG_CHANGE:
    case FB_AGG_CHANGED:
        return true;
    default:
        return false;
    }
}

static double number_of(const struct ora_window *w, const struct seen *seen) {
    return w->x == NULL ? 1 : ora_number_of(w->x, seen->value);
}

/* The next part's samples, oldest part first: the least part number above `after`. */
static bool next_part(const struct sight *s, bool begun, int64_t after, int64_t *part) {
    bool any = false;
    for (size_t i = 0; i < s->n; i++) {
        int64_t p = s->in_use[i].part;
        if ((!begun || p > after) && (!any || p < *part)) {
            *part = p;
            any = true;
        }
    }
    return any;
}

/* M15. */
static double sum_of(const struct ora_window *w, const struct sight *s) {
    double sum = 0;
    bool begun = false;
    for (int64_t part = 0, last = 0; next_part(s, begun, last, &part); last = part) {
        double inner = 0;
        bool any = false;
        for (size_t i = 0; i < s->n; i++) {
            if (s->in_use[i].part != part)
                continue;
            double x = number_of(w, &s->in_use[i]);
            inner = any ? inner + x : x;
            any = true;
        }
        sum = begun ? sum + inner : inner;
        begun = true;
    }
    return sum;
}

/* M15: Welford within a part, Chan across. */
static struct fb_value stddev_of(const struct ora_window *w, const struct sight *s) {
    double n = 0, mean = 0, m2 = 0;
    bool begun = false;
    if (s->n < STDDEV_MIN)
        return ora_not_known();
    for (int64_t part = 0, last = 0; next_part(s, begun, last, &part); last = part) {
        double nb = 0, mb = 0, sb = 0;
        for (size_t i = 0; i < s->n; i++) {
            if (s->in_use[i].part != part)
                continue;
            double x = number_of(w, &s->in_use[i]);
            nb += 1;
            double delta = x - mb;
            mb += delta / nb;
            sb += delta * (x - mb);
        }
        if (!begun) {
            n = nb;
            mean = mb;
            m2 = sb;
        } else {
            double na = n, d = mb - mean;
            n = na + nb;
            mean = mean + d * (nb / n);
            m2 = (m2 + sb) + d * d * (na * nb / n);
        }
        begun = true;
    }
    return ora_known_number(fb_num_sqrt(m2 / (n - 1)));
}

static struct fb_value extreme(const struct ora_window *w, const struct sight *s, bool least) {
    if (s->n == 0)
        return ora_not_known();
    double best = number_of(w, &s->in_use[0]);
    for (size_t i = 1; i < s->n; i++) {
        double x = number_of(w, &s->in_use[i]);
        if (least ? x < best : x > best)
            best = x;
    }
    return ora_known_number(best);
}

static struct fb_value count_of(const struct ora_window *w, const struct sight *s) {
    double n = 0;
    bool condition = w->x != NULL && w->x->type == FB_T_BOOL;
    for (size_t i = 0; i < s->n; i++)
        n += !condition || ora_is_true(s->in_use[i].value);
    return ora_known_number(n);
}

/* M18. */
static double growth(double a, double b) {
    const double ranges[] = {4294967296.0, 18446744073709551616.0};
    if (b >= a)
        return b - a;
    for (int i = 0; i < 2; i++) {
        double m = ranges[i];
        if (a >= 0.9 * m && a <= m && b < 0.1 * m)
            return (m - a) + b;
    }
    return b;
}

static struct fb_value increase_or_rate(const struct ora_window *w, const struct sight *s,
                                        bool rate) {
    const struct seen *before = s->has_held ? &s->held : NULL, *first = before;
    double sum = 0, part_sum = 0;
    bool any_sum = false, any_part = false;
    if (s->n == 0)
        return before == NULL ? ora_not_known() : ora_known_number(0);
    for (size_t i = 0; i < s->n; i++) {
        const struct seen *sample = &s->in_use[i];
        if (first == NULL)
            first = sample;
        if (before != NULL) {
            double g = growth(number_of(w, before), number_of(w, sample));
            bool same_part = any_part && s->in_use[i - 1].part == sample->part;
            if (any_part && !same_part) {
                sum = any_sum ? sum + part_sum : part_sum;
                any_sum = true;
            }
            part_sum = same_part ? part_sum + g : g;
            any_part = true;
        }
        before = sample;
    }
    if (!any_part)
        return ora_known_number(0); /* one sample used */
    sum = any_sum ? sum + part_sum : part_sum;
    int64_t time = before->ts - first->ts;
    if (!rate)
        return ora_known_number(sum);
    return time > 0 ? ora_known_number(sum / ((double)time / 1e6)) : ora_not_known();
}

/* The areas of the parts before, folded, and of the present one. */
struct area {
    double done, part;
    bool any_done, any_part;
    int64_t present;
    int64_t time;
};

static void close_part(struct area *area) {
    if (area->any_part)
        area->done = area->any_done ? area->done + area->part : area->part;
    area->any_done |= area->any_part;
    area->any_part = false;
}

static void add_term(struct area *area, int64_t part, double v, int64_t dt) {
    if (dt <= 0)
        return;
    if (area->any_part && part != area->present)
        close_part(area);
    double term = v * (double)dt;
    area->part = area->any_part ? area->part + term : term;
    area->any_part = true;
    area->present = part;
    area->time += dt;
}

/* A value held from a to b in good time: in panes cut at their borders. */
static void add_stretch(struct area *area, const struct ora_window *w, int64_t part, double v,
                        int64_t a, int64_t b) {
    if (w->shape != FB_SHAPE_PANES) {
        add_term(area, part, v, b - a);
        return;
    }
    while (a < b) {
        int64_t pane = fb_floor_div(a, w->pane), end = (pane + 1) * w->pane;
        add_term(area, pane, v, (end < b ? end : b) - a);
        a = end;
    }
}

static struct fb_value area_over_time(struct area *area) {
    close_part(area);
    if (area->time == 0)
        return ora_not_known();
    return ora_known_number(area->done / (double)area->time);
}

/* M17. In a ring the value from before the left edge is a part of its own. */
static struct fb_value time_avg_of(const struct ora_window *w, const struct sight *s,
                                   const struct stretch *good, size_t n_good) {
    struct area area = {0};
    for (size_t i = s->has_held ? 0 : 1; i <= s->n; i++) {
        const struct seen *sample = i == 0 ? &s->held : &s->in_use[i - 1];
        int64_t from = sample->ts, to = i < s->n ? s->in_use[i].ts : s->to;
        if (w->shape == FB_SHAPE_LAST) { /* until the next one, good or not */
            if (i < s->n)
                add_term(&area, sample->part, number_of(w, sample), to - from);
            continue;
        }
        if (from < s->from)
            from = s->from;
        int64_t part = i > 0 ? sample->part : w->shape == FB_SHAPE_RING ? -1 : 0;
        for (size_t g = 0; g < n_good; g++) {
            int64_t a = good[g].from > from ? good[g].from : from;
            int64_t b = good[g].to < to ? good[g].to : to;
            add_stretch(&area, w, part, number_of(w, sample), a, b);
        }
    }
    return area_over_time(&area);
}

/* M19: was c true (false) at some instant of good time? Each on-time sample of all counts at its
 * own time, and as long as it was the latest. */
static bool held_at_some_instant(struct ora_view *view, const struct ora_window *w,
                                 const struct sight *s, const struct stretch *good, size_t n_good,
                                 bool truth) {
    for (size_t i = 0; i < s->records; i++) {
        const struct ora_record *record = &view->device->records[i];
        const struct ora_sample *sample = sample_at(view->o, view->device, w, i);
        if (record->late || !sample->there || ora_is_true(sample->value) != truth)
            continue;
        bool inside = s->half_open ? record->ts >= s->from && record->ts < s->to
                                   : record->ts > s->from && record->ts <= s->to;
        if (inside && good_until(view->device, w, i) >= record->ts)
            return true;
        int64_t until = s->to;
        for (size_t j = s->records; j-- > i + 1;)
            if (!view->device->records[j].late && sample_at(view->o, view->device, w, j)->there)
                until = view->device->records[j].ts;
        int64_t from = record->ts > s->from ? record->ts : s->from;
        for (size_t g = 0; g < n_good; g++)
            if (overlap(good[g], from, until < s->to ? until : s->to) > 0)
                return true;
    }
    return false;
}

static struct fb_value any_or_all(struct ora_view *view, const struct ora_window *w,
                                  const struct sight *s, const struct stretch *good, size_t n_good,
                                  bool any, bool enough) {
    bool seen[2] = {false, false};
    if (w->shape == FB_SHAPE_LAST) {
        for (size_t i = 0; i < s->n; i++)
            seen[ora_is_true(s->in_use[i].value)] = true;
        return enough ? ora_known_bool(any ? seen[1] : !seen[0]) : ora_not_known();
    }
    for (int truth = 0; truth < 2; truth++)
        seen[truth] = held_at_some_instant(view, w, s, good, n_good, truth);
    if (seen[any])
        return ora_known_bool(any);
    return seen[!any] && enough ? ora_known_bool(!any) : ora_not_known();
}

static void drop_late(struct sight *s) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (!s->in_use[i].late)
            s->in_use[n++] = s->in_use[i];
    s->n = n;
}

static struct fb_value number_aggregate(const struct ora_expr *e, const struct sight *s,
                                        const struct stretch *good, size_t n_good) {
    const struct ora_window *w = e->window;
    size_t n = s->n;
    switch (e->aggregate) {
    case FB_AGG_COUNT:
        return count_of(w, s);
    case FB_AGG_SUM:
        return ora_known_number(sum_of(w, s));
    case FB_AGG_AVG:
        return n == 0 ? ora_not_known() : ora_known_number(sum_of(w, s) / (double)n);
    case FB_AGG_MIN:
        return extreme(w, s, true);
    case FB_AGG_MAX:
        return extreme(w, s, false);
    case FB_AGG_SPREAD: {
        struct fb_value high = extreme(w, s, false), low = extreme(w, s, true);
        return n == 0 ? ora_not_known() : ora_known_number(high.num - low.num);
    }
    case FB_AGG_STDDEV:
        return stddev_of(w, s);
    case FB_AGG_FIRST:
        return n == 0 ? ora_not_known() : s->in_use[0].value;
    case FB_AGG_LAST:
        return n == 0 ? ora_not_known() : s->in_use[n - 1].value;
    case FB_AGG_DELTA:
        return n == 0 ? ora_not_known()
                      : ora_known_number(number_of(w, &s->in_use[n - 1]) -
                                         number_of(w, &s->in_use[0]));
    case FB_AGG_INCREASE:
        return increase_or_rate(w, s, false);
    case FB_AGG_RATE:
        return increase_or_rate(w, s, true);
    case FB_AGG_TIME_AVG:
        return time_avg_of(w, s, good, n_good);
    default:
        break;
    }
    FB_BUG("an aggregate of numbers");
}

/* M22. */
static struct fb_value previous_value(struct ora_view *view, const struct ora_expr *e,
                                      const struct sight *s) {
    struct fb_value now = ora_eval(view, e->a);
    if (now.quality != FB_Q_GOOD || s->n < 2)
        return ora_not_known();
    const struct seen *before = &s->in_use[s->n - 2], *last = &s->in_use[s->n - 1];
    if (e->kind == ORA_PREVIOUS)
        return before->value;
    if (e->kind == ORA_CHANGE)
        return ora_known_number(number_of(e->window, last) - number_of(e->window, before));
    const struct ora_record *record = view->record;
    if (record == NULL || record->late ||
        !carries_any(view->device->class, record, e->window->reads_x))
        return ora_known_bool(false);
    if (e->a->type == FB_T_TEXT)
        return ora_known_bool(!fb_str_eq(before->value.text, last->value.text));
    if (e->a->type == FB_T_NUMBER || e->a->type == FB_T_COUNTER)
        return ora_known_bool(before->value.num < last->value.num ||
                              before->value.num > last->value.num);
    return ora_known_bool(before->value.i != last->value.i);
}

static struct fb_value aggregate_of(struct ora_view *view, const struct ora_expr *e,
                                    struct sight *s, struct stretch *good) {
    const struct ora_window *w = e->window;
    bool any_all = e->aggregate == FB_AGG_ANY || e->aggregate == FB_AGG_ALL;
    size_t n_all = good_stretches(view->o, view->device, w, s->records, s->to, good);
    size_t first = first_remembered(w, good, n_all), n_good = n_all - first;
    int64_t good_us = w->shape == FB_SHAPE_LAST ? 0 : good_time(s, good + first, n_good);
    bool enough = w->shape == FB_SHAPE_LAST
                      ? s->n >= w->last
                      : (double)good_us >= e->needs * (double)(s->to - s->from);
    if (w->shape == FB_SHAPE_RING || w->shape == FB_SHAPE_PANES)
        note_over_deadlines(view, w, s, good_us, n_all > 0);
    if (order_bound(e->aggregate))
        drop_late(s);
    if (any_all) /* they know of all good time, though its share is that of what is remembered */
        return any_or_all(view, w, s, good, n_all, e->aggregate == FB_AGG_ANY, enough);
    return enough ? number_aggregate(e, s, good + first, n_good) : ora_not_known();
}

struct fb_value ora_window_value(struct ora_view *view, const struct ora_expr *e) {
    const struct ora_window *w = e->window;
    struct sight s = {.records = view->n};
    struct fb_value value = ora_not_known();
    bool visible = true;
    s.in_use = fb_alloc((view->n + 1) * sizeof *s.in_use);
    struct stretch *good = fb_alloc((view->n + 1) * sizeof *good);
    switch (w->shape) {
    case FB_SHAPE_PANES:
        see_panes(view, w, &s);
        break;
    case FB_SHAPE_RING:
        see_ring(view, w, &s);
        break;
    case FB_SHAPE_LAST:
        see_last(view, w, &s);
        break;
    case FB_SHAPE_EACH:
        visible = see_each(view, w, &s);
        break;
    }
    if (e->kind != ORA_WINDOW)
        value = previous_value(view, e, &s);
    else if (visible)
        value = aggregate_of(view, e, &s, good);
    free(good);
    free(s.in_use);
    return value;
}
