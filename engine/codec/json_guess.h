/* A guess at the next name: what followed the present one last time.
 *
 * Place in the flow: inside the scanner only. What a guess finds is what a lookup would find, only
 * sooner: the bytes are compared in whole.
 *
 * To find where a name ends, its bytes must be searched, and all that follows waits for the result.
 * With a guess the scan runs on while the comparison is still under way. */
#ifndef FB_CODEC_JSON_GUESS_H
#define FB_CODEC_JSON_GUESS_H

#include "engine/codec/json_find.h"

enum { FB_JSON_GUESS_BYTES = 32, FB_JSON_GUESSES = 128, FB_JSON_NOTHING_LEARNED = UINT32_MAX - 1 };

struct fb_json_guess {
    _Alignas(16) char bytes[FB_JSON_GUESS_BYTES]; /* "name": with its quotes and colon */
    uint32_t mask;                                /* a bit for each of them */
    uint32_t n;
    uint32_t parent, node;      /* FB_JSON_NOTHING_LEARNED: none yet */
    struct fb_json_guess *next; /* what followed this name last time */
};

/* The names that were seen, each at a place that its hash gives; a newer one takes the place. The
 * last one stands for the beginning of an object. */
struct fb_json_guesses {
    struct fb_json_guess at[FB_JSON_GUESSES + 1];
};

/* Whether the bytes at p are those of the guess, which has learned something. */
static inline bool fb_json_guess_fits(const struct fb_json_guess *guess, const char *p,
                                      const char *end) {
#if defined(__SSE2__)
    if (guess->n <= 16) {
        if (end - p < 16)
            return false;
        __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p),
                                       _mm_load_si128((const __m128i *)(const void *)guess->bytes));
        return ((uint32_t)_mm_movemask_epi8(equal) & guess->mask) == guess->mask;
    }
    if (end - p < 32)
        return false;
    const __m128i *wanted = (const __m128i *)(const void *)guess->bytes;
    __m128i low =
        _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_load_si128(wanted));
    __m128i high = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16)),
                                  _mm_load_si128(wanted + 1));
    uint32_t equal = (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
    return (equal & guess->mask) == guess->mask;
#else
    return (size_t)(end - p) >= guess->n && memcmp(p, guess->bytes, guess->n) == 0;
#endif
}

/* Learns the n bytes at p, at most FB_JSON_GUESS_BYTES: a plain name from its quote to its colon.
 */
static inline void fb_json_guess_learn(struct fb_json_guess *guess, const char *p, size_t n,
                                       uint32_t parent, uint32_t node) {
    memcpy(guess->bytes, p, n);
    guess->mask = ~UINT32_C(0) >> (32 - n);
    guess->n = (uint32_t)n;
    guess->parent = parent;
    guess->node = node;
}

static inline void fb_json_guesses_clear(struct fb_json_guesses *guesses) {
    for (int i = 0; i <= FB_JSON_GUESSES; i++) {
        guesses->at[i].parent = FB_JSON_NOTHING_LEARNED;
        guesses->at[i].next = &guesses->at[0];
    }
}

#endif
