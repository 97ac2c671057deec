/* Exact fractions for conversions between units: computed without rounding, rounded once at the
 * end.
 *
 * Place in the flow: the compiler's units only; never at run time.
 *
 * A fraction is sign * num / den, reduced. Numbers beyond FB_RATIONAL_WORDS * 32 bits make it
 * `bad`, and everything computed from it, so one test at the end is enough. Values, no
 * ownership. */
#ifndef FB_RULES_RATIONAL_H
#define FB_RULES_RATIONAL_H

#include "engine/base/str.h"

#include <stdint.h>

enum { FB_RATIONAL_WORDS = 40 };

struct fb_big {
    uint32_t words[FB_RATIONAL_WORDS]; /* least significant first */
    uint32_t n;                        /* used; the highest is not 0; 0 is none */
};

struct fb_rational {
    struct fb_big num, den;
    bool negative, bad;
};

struct fb_rational fb_rational_of(int64_t x);
/* "4.4482216152605", "1e-3", "1025/68"; bad where it is none of these. */
struct fb_rational fb_rational_parse(struct fb_str text);
/* The decimal number that a person means by x: its shortest text that reads back the same. */
struct fb_rational fb_rational_of_double(double x);
struct fb_rational fb_rational_mul(struct fb_rational a, struct fb_rational b);
struct fb_rational fb_rational_div(struct fb_rational a, struct fb_rational b); /* b = 0: bad */
struct fb_rational fb_rational_add(struct fb_rational a, struct fb_rational b);
struct fb_rational fb_rational_sub(struct fb_rational a, struct fb_rational b);
struct fb_rational fb_rational_pow(struct fb_rational a, int power);
bool fb_rational_eq(struct fb_rational a, struct fb_rational b);
bool fb_rational_is_zero(const struct fb_rational *a);
/* The square root where it is a fraction too; bad otherwise. */
struct fb_rational fb_rational_root(struct fb_rational a);
/* The nearest double, ties to even; 0 for a bad one. */
double fb_rational_double(const struct fb_rational *a);

#endif
