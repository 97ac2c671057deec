/* Forms of numbers: sign, digits before and behind the point. Checked and read sixteen bytes at
 * once.
 *
 * Place in the flow: inside the scanner only; the shapes of json_shape.h guess a number's form by
 * what stood there last time.
 *
 * A form is the grammar of RFC 8259 for numbers of one layout: it fits only what the scanner's loop
 * over single digits takes, and gives the same value; a test compares them. With a guess nothing
 * waits for the number's end to be found, and all constants are at hand. */
#ifndef FB_CODEC_JSON_FORM_H
#define FB_CODEC_JSON_FORM_H

#include "engine/codec/json.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { FB_JSON_FORM_ROOM = 16, FB_JSON_FORMS = 64 };

/* Byte i of a number of this form lies in least[i] .. least[i] + span[i], around 256 too. The value
 * is what the digits come to with their weights: in pairs, pairs in fours, fours in eights. */
struct fb_json_form {
    _Alignas(16) uint8_t least[16];
    uint8_t span[16];
    int16_t weights[16], pair_weights[8], four_weights[8];
    uint64_t upper_weight;        /* of the first eight bytes */
    uint64_t base;                /* what is lost where least is '1' */
    double divisor;               /* what makes the mantissa the value; with the sign */
    struct fb_json_value pattern; /* only what stands before the mantissa */
    uint32_t n;                   /* bytes */
};

struct fb_json_forms {
    uint8_t place[2][16][16]; /* [negative][digits before][behind the point]; 0: none yet */
    uint32_t n;
    struct fb_json_form at[FB_JSON_FORMS];
};

/* How many of the bytes at p are digits, `from` being the first that is looked at; up to the 16th.
 * FB_JSON_FORM_ROOM bytes must be readable at p; so it is below. */
static inline uint32_t fb_json_form_digits(const char *p, uint32_t from) {
#if defined(__SSE2__)
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i above = _mm_sub_epi8(x, _mm_set1_epi8('0'));
    __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(9)), above);
    return (uint32_t)__builtin_ctz(~((uint32_t)_mm_movemask_epi8(digit) >> from));
#else
    uint32_t n = 0;
    while (from + n < FB_JSON_FORM_ROOM && (unsigned char)(p[from + n] - '0') <= 9)
        n++;
    return n;
#endif
}

/* Makes a form. NULL: there is none, or there are too many. */
const struct fb_json_form *fb_json_forms_make(struct fb_json_forms *forms, bool negative,
                                              uint32_t n_whole, uint32_t n_fraction);

/* The form of the number at p, which needs not be one: it may turn out not to fit. NULL: it has
 * more than 15 bytes, or there are too many forms. */
static inline const struct fb_json_form *fb_json_forms_find(struct fb_json_forms *forms,
                                                            const char *p) {
    uint32_t negative = *p == '-', n_whole = fb_json_form_digits(p, negative), n_fraction = 0;
    if (negative + n_whole >= FB_JSON_FORM_ROOM)
        return NULL;
    uint32_t point = negative + n_whole;
    n_fraction = fb_json_form_digits(p, point + 1) & (0 - (uint32_t)(p[point] == '.'));
    if (point + n_fraction >= FB_JSON_FORM_ROOM)
        return NULL;
    uint32_t place = forms->place[negative][n_whole][n_fraction];
    return place ? &forms->at[place - 1] : fb_json_forms_make(forms, negative, n_whole, n_fraction);
}

#if defined(__SSE2__)
/* Whether a number of this form stands at p, and behind it what cannot be more of it. */
static inline bool fb_json_form_fits(const struct fb_json_form *form, const char *p) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i above = _mm_sub_epi8(x, _mm_load_si128((const __m128i *)(const void *)form->least));
    __m128i over = _mm_subs_epu8(above, _mm_load_si128((const __m128i *)(const void *)form->span));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(over, _mm_setzero_si128())) == 0xFFFF;
}

/* The digits at p, which fit, as one number. */
static inline uint64_t fb_json_form_mantissa(const struct fb_json_form *form, const char *p) {
    const __m128i zero = _mm_setzero_si128();
    const __m128i *weights = (const __m128i *)(const void *)form->weights;
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i above = _mm_sub_epi8(x, _mm_load_si128((const __m128i *)(const void *)form->least));
    __m128i low = _mm_madd_epi16(_mm_unpacklo_epi8(above, zero), _mm_load_si128(weights));
    if (form->n <= 8) {
        __m128i four = _mm_madd_epi16(_mm_packs_epi32(low, low), _mm_load_si128(weights + 2));
        __m128i eight = _mm_madd_epi16(_mm_packs_epi32(four, four), _mm_load_si128(weights + 3));
        return (uint32_t)_mm_cvtsi128_si32(eight) + form->base;
    }
    __m128i high = _mm_madd_epi16(_mm_unpackhi_epi8(above, zero), _mm_load_si128(weights + 1));
    __m128i fours = _mm_madd_epi16(_mm_packs_epi32(low, high), _mm_load_si128(weights + 2));
    __m128i eights = _mm_madd_epi16(_mm_packs_epi32(fours, fours), _mm_load_si128(weights + 3));
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);
    return (both & UINT32_MAX) * form->upper_weight + (both >> 32) + form->base;
}
#else
static inline bool fb_json_form_fits(const struct fb_json_form *form, const char *p) {
    for (uint32_t i = 0; i <= form->n; i++)
        if ((uint8_t)((uint8_t)p[i] - form->least[i]) > form->span[i])
            return false;
    return true;
}

static inline uint64_t fb_json_form_mantissa(const struct fb_json_form *form, const char *p) {
    uint64_t mantissa = 0;
    for (uint32_t i = 0; i < form->n; i++)
        if (form->weights[i])
            mantissa = mantissa * 10 + (uint64_t)(p[i] - '0');
    return mantissa;
}
#endif

/* The value of the number at p, which fits; `text` is where it stands in the payload. */
static inline void fb_json_form_read(const struct fb_json_form *form, const char *p,
                                     const char *text, struct fb_json_value *value) {
    memcpy(value, &form->pattern, offsetof(struct fb_json_value, mantissa));
    value->mantissa = fb_json_form_mantissa(form, p);
    value->num = (double)(int64_t)value->mantissa / form->divisor;
    value->text = (struct fb_str){text, form->n};
}

#endif
