#include "engine/core/stat.h"

#include "engine/base/num.h"

#define TWO_32 4294967296.0
#define TWO_64 18446744073709551616.0

double fb_growth(double a, double b) {
    if (b >= a)
        return b - a;
    static const double moduli[] = {TWO_32, TWO_64};
    for (int i = 0; i < 2; i++) {
        double m = moduli[i];
        if (0.9 * m <= a && a <= m && b < 0.1 * m)
            return (m - a) + b;
    }
    return b;
}

void fb_stat_clear(uint32_t mask, union fb_cell *part) {
    for (; mask; mask &= mask - 1, part++) {
        switch (mask & (0 - mask)) {
        case FB_STAT_FIRST_TS:
        case FB_STAT_LAST_TS:
        case FB_STAT_START_TS: part->i = FB_NO_TIME; break;
        default: part->i = 0;
        }
    }
}

void fb_stat_add(uint32_t mask, union fb_cell *part, uint64_t count, double x) {
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

static void add_term(uint32_t mask, union fb_cell *part, uint32_t stat, int64_t term, double x) {
    union fb_cell *cell = fb_stat_at(mask, part, stat), *terms = fb_stat_at(mask, part,
                                                                            FB_STAT_TERMS);
    cell->num = terms->i & term ? cell->num + x : x;
    terms->i |= term;
}

void fb_stat_growth(uint32_t mask, union fb_cell *part, double growth) {
    add_term(mask, part, FB_STAT_GROWTH, FB_TERM_GROWTH, growth);
}

void fb_stat_area(uint32_t mask, union fb_cell *part, double area) {
    add_term(mask, part, FB_STAT_AREA, FB_TERM_AREA, area);
}

static void join_order_free(uint32_t mask, union fb_cell *part, uint64_t count,
                            const union fb_cell *next, uint64_t next_count) {
    bool first = count == 0;
    if (mask & FB_STAT_SUM) {
        part->num = first ? next->num : part->num + next->num;
        part++, next++;
    }
    if (mask & FB_STAT_MIN) {
        if (first || next->num < part->num)
            part->num = next->num;
        part++, next++;
    }
    if (mask & FB_STAT_MAX) {
        if (first || next->num > part->num)
            part->num = next->num;
        part++, next++;
    }
    if (mask & FB_STAT_MEAN) {
        struct fb_moments m = {(double)count, part[0].num, part[1].num};
        m = fb_moments_join(m, (struct fb_moments){(double)next_count, next[0].num, next[1].num});
        part[0].num = m.mean;
        part[1].num = m.m2;
    }
}

static void join_first(uint32_t mask, union fb_cell *part, union fb_cell *next) {
    if (mask & FB_STAT_FIRST) {
        union fb_cell *to = fb_stat_at(mask, part, FB_STAT_FIRST);
        const union fb_cell *from = fb_stat_at(mask, next, FB_STAT_FIRST);
        if (to[1].i == FB_NO_TIME) {
            to[0] = from[0];
            to[1] = from[1];
        }
    }
    if (mask & FB_STAT_START_TS) {
        union fb_cell *to = fb_stat_at(mask, part, FB_STAT_START_TS);
        if (to->i == FB_NO_TIME)
            *to = *fb_stat_at(mask, next, FB_STAT_START_TS);
    }
}

void fb_stat_join(uint32_t mask, union fb_cell *part, uint64_t count, union fb_cell *next,
                  uint64_t next_count) {
    if (next_count)
        join_order_free(mask, part, count, next, next_count);
    if (!(mask & (FB_STAT_FIRST | FB_STAT_START_TS | FB_STAT_TERMS)))
        return;
    join_first(mask, part, next);
    if (!(mask & FB_STAT_TERMS))
        return;
    int64_t terms = fb_stat_at(mask, next, FB_STAT_TERMS)->i;
    if (terms & FB_TERM_GROWTH)
        fb_stat_growth(mask, part, fb_stat_at(mask, next, FB_STAT_GROWTH)->num);
    if (terms & FB_TERM_AREA)
        fb_stat_area(mask, part, fb_stat_at(mask, next, FB_STAT_AREA)->num);
}

struct fb_value fb_stddev(struct fb_moments moments) {
    if (moments.n < 8)
        return fb_unknown();
    return fb_number(fb_num_sqrt(moments.m2 / (moments.n - 1)));
}
