/* The tokens of JSON: blanks, strings, numbers, literals.
 *
 * Place in the flow: inside the scanner only, below json.c and json_shape.c. Each function reads
 * what begins at p and returns what is behind it, or NULL after a mistake. What most records hold
 * is read inline.
 *
 * No byte needs a bounds check of its own: the text ends with a closing bracket, or has a NUL
 * behind it. Both end every run of digits, blanks or letters, so that the end must only be looked
 * for inside strings and behind a closing bracket. */
#ifndef FB_CODEC_JSON_TOKEN_H
#define FB_CODEC_JSON_TOKEN_H

#include "engine/codec/json.h"
#include "engine/codec/json_digits.h"
#include "engine/codec/json_find.h"

/* What is read from, and what becomes of it. */
struct fb_json_reader {
    const char *start, *end;
    enum fb_json_error error; /* of what gave NULL, and where */
    const char *error_at;
    char *scratch; /* unescaped text; has room for as many bytes as start..end */
    size_t scratch_n;
};

/* Notes a mistake; at the end of the text it is that it was cut off. Returns NULL. */
const char *fb_json_fail(struct fb_json_reader *in, enum fb_json_error error, const char *at);

static inline bool fb_json_is_digit(char c) {
    return (unsigned char)(c - '0') <= 9;
}

static inline const char *fb_json_skip_blanks(const char *p) {
    if ((unsigned char)*p > ' ')
        return p;
    while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')
        p++;
    return p;
}

/* A string with something in it that is not plain, found at p. */
const char *fb_json_take_odd_string(struct fb_json_reader *in, const char *start, const char *p,
                                    struct fb_str *text);

/* The string whose first byte behind the quote is at p; returns what is behind its last quote. */
static inline __attribute__((always_inline)) const char *
fb_json_take_string(struct fb_json_reader *in, const char *p, struct fb_str *text) {
    const char *end = in->end, *q = fb_json_find(in->start, p, end);
    if (q == end || *q != '"')
        return fb_json_take_odd_string(in, p, q, text);
    *text = (struct fb_str){p, (size_t)(q - p)};
    return q + 1;
}

/* number = [ "-" ] ( "0" | digit1-9 digits ) [ "." digits ] [ exponent ] */
const char *fb_json_take_any_number(struct fb_json_reader *in, const char *p,
                                    struct fb_json_value *value);

static inline __attribute__((always_inline)) const char *
fb_json_take_number(struct fb_json_reader *in, const char *p, bool negative,
                    struct fb_json_value *value) {
    uint64_t mantissa;
    int32_t exponent;
    uint32_t n;
    if (__builtin_expect(in->end - p < FB_JSON_DIGITS_ROOM, 0) ||
        (n = fb_json_take_digits(p + negative, &mantissa, &exponent)) == 0)
        return fb_json_take_any_number(in, p, value);
    n += negative;
    *value = (struct fb_json_value){.kind = FB_JSON_NUM,
                                    .negative = negative,
                                    .quick = true,
                                    .exponent = exponent,
                                    .mantissa = mantissa,
                                    .num = fb_json_digits_num(mantissa, exponent, negative),
                                    .text = {p, n}};
    return p + n;
}

/* true, false, null; or the mistake that stands in place of a value. */
const char *fb_json_take_literal(struct fb_json_reader *in, const char *p,
                                 struct fb_json_value *value);

/* Anything but an object or an array. */
static inline __attribute__((always_inline)) const char *
fb_json_take_scalar(struct fb_json_reader *in, const char *p, struct fb_json_value *value) {
    bool negative = *p == '-';
    if (fb_json_is_digit(p[negative]))
        return fb_json_take_number(in, p, negative, value);
    if (*p == '"') {
        value->kind = FB_JSON_TEXT;
        return fb_json_take_string(in, p + 1, &value->text);
    }
    return fb_json_take_literal(in, p, value);
}

#endif
