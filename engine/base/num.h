/* Numbers and their text: exact, without locale and without libm.
 *
 * Place in the flow: scanner, compiler, core and encoder all read and write numbers here only. */
#ifndef FB_BASE_NUM_H
#define FB_BASE_NUM_H

#include "engine/base/str.h"

#include <stdint.h>

enum { FB_NUM_TEXT_MAX = 32 };

/* 10^0 to 10^19. */
extern const uint64_t fb_powers_of_ten[20];

/* The decimal text of a finite double in the fewest digits that read back the same; -0 gives "0".
 * Plain notation for 1e-5 <= |x| < 1e17 ("0.00012", "20", "1234567890123456"), else "1.5e+20".
 * Valid JSON. Returns the length; out holds FB_NUM_TEXT_MAX. */
size_t fb_num_format(double x, char *out);
/* A whole number; the same room, the same result. */
size_t fb_num_format_int(int64_t x, char *out);
/* The nearest double of a JSON number's text (RFC 8259 grammar, exactly all of s), ties to even.
 * False if the text is not such a number or the value is not finite. */
bool fb_num_parse(struct fb_str s, double *x);
/* mantissa * 10^exponent, rounded once to the nearest double, ties to even. False where the
 * operands are too large for the quick exact ways (always true for |exponent| <= 19): then parse
 * the text. */
bool fb_num_of_decimal(uint64_t mantissa, int64_t exponent, double *x);
/* A whole number: a JSON number whose value is integral (5, -3, 5.0, 1e3), within int64. */
bool fb_num_parse_int(struct fb_str s, int64_t *x);
/* Nearest integer as a double, halves away from zero, exact for every double. */
double fb_num_round(double x);
double fb_num_sqrt(double x); /* correctly rounded; NaN below 0 */
double fb_num_floor(double x);
static inline bool fb_num_finite(double x) {
    return x - x == 0;
}
/* a / b rounded towards minus infinity; b > 0. */
int64_t fb_floor_div(int64_t a, int64_t b);
/* Sum that stays at INT64_MAX or INT64_MIN instead of overflowing. */
static inline int64_t fb_add_sat(int64_t a, int64_t b) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

#endif
