/* Partial results of the parts of a window (M15): taking a sample, folding parts together.
 *
 * Place in the flow: used by the shapes of windows. A part is packed: 8 bytes for each bit of its
 * mask (model/layout.h), its count is kept beside it. */
#ifndef FB_CORE_STAT_H
#define FB_CORE_STAT_H

#include "engine/model/layout.h"

union fb_cell {
    double num;
    int64_t i;
};

/* Bits of FB_STAT_TERMS: what has terms at all; what a condition held in good time. */
enum fb_terms {
    FB_TERM_GROWTH = 1,
    FB_TERM_AREA = 2,
    FB_TERM_FALSE = 4,
    FB_TERM_TRUE = 8
};

static inline union fb_cell *fb_stat_at(uint32_t mask, union fb_cell *part, uint32_t stat) {
    uint32_t below = mask & (stat - 1);
    below = below - (below >> 1 & 0x5555);
    below = (below & 0x3333) + (below >> 2 & 0x3333);
    below = (below + (below >> 4)) & 0x0f0f;
    return part + ((below + (below >> 8)) & 0x1f);
}

struct fb_moments {
    double n, mean, m2;
};

static inline struct fb_moments fb_moments_add(struct fb_moments a, double x) {
    double delta = x - a.mean;
    a.n += 1;
    a.mean += delta / a.n;
    a.m2 += delta * (x - a.mean);
    return a;
}
/* Chan's formula; an empty side changes nothing. */
static inline struct fb_moments fb_moments_join(struct fb_moments a, struct fb_moments b) {
    if (a.n == 0 || b.n == 0)
        return a.n == 0 ? b : a;
    double n = a.n + b.n, d = b.mean - a.mean;
    return (struct fb_moments){n, a.mean + d * (b.n / n),
                               (a.m2 + b.m2) + d * d * (a.n * b.n / n)};
}

/* A fold that begins with its first term. */
struct fb_fold {
    double value;
    bool any;
};
static inline void fb_fold_add(struct fb_fold *fold, double term) {
    fold->value = fold->any ? fold->value + term : term;
    fold->any = true;
}

/* Growth of a counter from a to b (M18). */
double fb_growth(double a, double b);

void fb_stat_clear(uint32_t mask, union fb_cell *part);
/* Takes x as the sample after `count` others: sum, min, max, moments. */
static inline void fb_stat_add(uint32_t mask, union fb_cell *part, uint64_t count, double x) {
    bool first = count == 0;
    if (mask & FB_STAT_SUM) {
        part->num = first ? x : part->num + x;
        part++;
    }
    if (mask & FB_STAT_MIN) {
        if (first || x < part->num)
            part->num = x;
        part++;
    }
    if (mask & FB_STAT_MAX) {
        if (first || x > part->num)
            part->num = x;
        part++;
    }
    if (mask & FB_STAT_MEAN) {
        struct fb_moments m = {(double)count, part[0].num, part[1].num};
        m = fb_moments_add(m, x);
        part[0].num = m.mean;
        part[1].num = m.m2;
    }
}
void fb_stat_growth(uint32_t mask, union fb_cell *part, double growth);
void fb_stat_area(uint32_t mask, union fb_cell *part, double area);

static inline struct fb_value fb_unknown(void) {
    return (struct fb_value){.quality = FB_Q_UNKNOWN};
}
static inline struct fb_value fb_number(double x) {
    return (struct fb_value){.num = x, .quality = x - x == 0 ? FB_Q_GOOD : FB_Q_UNKNOWN};
}
/* sqrt(m2 / (n - 1)), from 8 samples on. */
struct fb_value fb_stddev(struct fb_moments moments);

#endif
