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

struct fb_value fb_stddev(struct fb_moments moments) {
    if (moments.n < 8)
        return fb_unknown();
    return fb_number(fb_num_sqrt(moments.m2 / (moments.n - 1)));
}
