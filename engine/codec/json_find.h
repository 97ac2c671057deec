/* The search that the scanner spends its time in: the next byte of a string that is not plain.
 *
 * Place in the flow: inside the scanner only. The portable form and the one for SSE2 give the same
 * on every input; a test compares them.
 *
 * Not plain: '"', '\', control characters below 0x20, and everything from 0x80 on. */
#ifndef FB_CODEC_JSON_FIND_H
#define FB_CODEC_JSON_FIND_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static inline bool fb_json_is_plain(char c) {
    return (signed char)c >= 0x20 && c != '"' && c != '\\';
}

static inline uint64_t fb_json_load8(const char *p) {
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* The first byte from p on that is not plain, or end. */
static inline const char *fb_json_find_portable(const char *p, const char *end) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    for (; end - p >= 8; p += 8) {
        uint64_t x = fb_json_load8(p);
        uint64_t quote = x ^ (ones * '"'), backslash = x ^ (ones * '\\');
        /* A top bit is set in the first byte that is zero, or less than 0x20; a borrow may set more
         * in later bytes only. */
        uint64_t found = (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                          ((x - ones * 0x20) & ~x) | x) &
                         tops;
        if (found)
            return p + __builtin_ctzll(found) / 8;
    }
    while (p < end && fb_json_is_plain(*p))
        p++;
    return p;
}

#if defined(__SSE2__)
static inline unsigned fb_json_odd_bytes(const char *p) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    /* Compared as signed bytes, those from 0x80 on are below 0x20 too. */
    __m128i odd = _mm_or_si128(_mm_cmplt_epi8(x, _mm_set1_epi8(0x20)),
                               _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')),
                                            _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))));
    return (unsigned)_mm_movemask_epi8(odd);
}
#endif

/* The same; bytes from `start` on may be looked at, start <= p <= end. */
static inline const char *fb_json_find(const char *start, const char *p, const char *end) {
#if defined(__SSE2__)
    for (; end - p >= 16; p += 16) {
        unsigned odd = fb_json_odd_bytes(p);
        if (odd)
            return p + __builtin_ctz(odd);
    }
    if (end - start < 16)
        return fb_json_find_portable(p, end);
    /* The last 16 bytes once more, without those before p; at least one bit is left behind. */
    unsigned odd = (fb_json_odd_bytes(end - 16) | 0x10000u) >> (16 - (end - p));
    return p + __builtin_ctz(odd);
#else
    (void)start;
    return fb_json_find_portable(p, end);
#endif
}

#endif
