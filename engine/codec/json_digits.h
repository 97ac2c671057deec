/* The quick way to read a number: 16 bytes at once.
 *
 * Place in the flow: inside the scanner only. It gives what the scanner's loop over single digits
 * gives, or declines; a test compares them.
 *
 * A digit at a time costs a branch each, and where numbers vary in length one of them is guessed
 * wrong. Here the end of the number comes from one bit mask, and its value from two multiplications
 * a group of eight digits that nothing has to wait for. */
#ifndef FB_CODEC_JSON_DIGITS_H
#define FB_CODEC_JSON_DIGITS_H

#include "engine/codec/json_find.h"

enum {
    FB_JSON_DIGITS_ROOM = 20, /* bytes that must be readable */
    FB_JSON_DIGITS_POWER_MAX = 14
};

/* mantissa * 10^exponent for a mantissa below 2^53 and an exponent of 0 down to -POWER_MAX: both
 * operands are exact, so the one operation rounds as it should. */
static inline double fb_json_digits_num(uint64_t mantissa, int32_t exponent, bool negative) {
    static const double powers[FB_JSON_DIGITS_POWER_MAX + 1] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
    double x = (double)(int64_t)mantissa / powers[-exponent];
    return negative ? -x : x;
}

#if defined(__SSE2__)
/* The number that the first n of eight bytes are, digits all of them; 1 <= n <= 8. */
static inline uint64_t fb_json_eight(uint64_t bytes, uint32_t n) {
    const uint64_t pairs = UINT64_C(0x000000FF000000FF);
    /* What is behind the digits goes out on the left, zeros come in before them. A borrow from what
     * is behind stays behind. */
    uint64_t x = (bytes - UINT64_C(0x3030303030303030)) << (64 - 8 * n);
    x = x * 10 + (x >> 8);
    return ((x & pairs) * (100 + (UINT64_C(1000000) << 32)) +
            ((x >> 16) & pairs) * (1 + (UINT64_C(10000) << 32))) >>
           32;
}

/* digits [ "." digits ] at p (a digit), fewer than 16 bytes in all, with a comma or a closing brace
 * behind. Gives how many bytes it took; 0 for everything else, mistakes included. */
static inline __attribute__((always_inline)) uint32_t
fb_json_take_digits(const char *p, uint64_t *mantissa, int32_t *exponent) {
    static const uint64_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i above = _mm_sub_epi8(x, _mm_set1_epi8('0'));
    __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(9)), above);
    uint32_t digits = (uint32_t)_mm_movemask_epi8(digit);
    uint32_t points = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8('.')));
    uint32_t behind_whole = digits + 1; /* its lowest set bit is the first byte that is no digit */
    uint32_t point = points & ~digits & behind_whole;
    uint32_t n_whole = (uint32_t)__builtin_ctz(behind_whole);
    uint32_t n = (uint32_t)__builtin_ctz((digits | point) + 1);
    if (n >= 16 || (p[n] != ',' && p[n] != '}') || (p[0] == '0' && n_whole > 1))
        return 0;
    uint64_t first = fb_json_load8(p);
    *exponent = 0;
    if (!point) {
        *mantissa = n <= 8 ? fb_json_eight(first, n)
                           : fb_json_eight(first, 8) * powers[n - 8] +
                                 fb_json_eight(fb_json_load8(p + 8), n - 8);
        return n;
    }
    uint32_t n_fraction = n - n_whole - 1;
    if (n_fraction == 0)
        return 0;
    *exponent = -(int32_t)n_fraction;
    if (n <= 9) {
        /* Close the gap where the point is: at most eight digits, so n_whole is at most seven. */
        uint64_t second = fb_json_load8(p + 1), whole = (UINT64_C(1) << (8 * n_whole)) - 1;
        *mantissa = fb_json_eight(second ^ ((first ^ second) & whole), n - 1);
        return n;
    }
    if (n_whole > 8 || n_fraction > 8)
        return 0;
    *mantissa = fb_json_eight(first, n_whole) * powers[n_fraction] +
                fb_json_eight(fb_json_load8(p + n_whole + 1), n_fraction);
    return n;
}
#else
static inline uint32_t fb_json_take_digits(const char *p, uint64_t *mantissa, int32_t *exponent) {
    (void)p, (void)mantissa, (void)exponent;
    return 0;
}
#endif

#endif
