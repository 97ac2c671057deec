/* Tokens that are not as most are: escapes, other numbers, literals, mistakes. */
#include "engine/codec/json_token.h"

enum { MANTISSA_DIGITS_MAX = 19, EXPONENT_MAX = 100000000 };

const char *fb_json_fail(struct fb_json_reader *in, enum fb_json_error error, const char *at) {
    bool cut = at >= in->end && (error == FB_JSON_SYNTAX || error == FB_JSON_NUMBER);
    in->error = cut ? FB_JSON_TRUNCATED : error;
    in->error_at = at;
    return NULL;
}

static int hex_digit(char c) {
    if (fb_json_is_digit(c))
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four hex digits at p, as a code unit; -1 with the error set. */
static int32_t take_code_unit(struct fb_json_reader *in, const char *p) {
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = p + i < in->end ? hex_digit(p[i]) : -1;
        if (digit < 0) {
            fb_json_fail(in, FB_JSON_SYNTAX, p + i);
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static size_t put_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* The escape at p (a backslash); adds its character to the scratch and returns its end. */
static const char *take_escape(struct fb_json_reader *in, const char *p) {
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (p + 1 >= in->end)
        return fb_json_fail(in, FB_JSON_SYNTAX, in->end);
    if (p[1] != 'u') {
        const char *found = memchr(plain, p[1], sizeof plain - 1);
        if (!found)
            return fb_json_fail(in, FB_JSON_SYNTAX, p + 1);
        in->scratch[in->scratch_n++] = meant[found - plain];
        return p + 2;
    }
    int32_t unit = take_code_unit(in, p + 2);
    if (unit < 0)
        return NULL;
    uint32_t c = (uint32_t)unit;
    const char *behind = p + 6;
    if (c >= 0xDC00 && c < 0xE000)
        return fb_json_fail(in, FB_JSON_UTF8, p);
    if (c >= 0xD800 && c < 0xDC00) {
        if (in->end - behind < 2 || behind[0] != '\\' || behind[1] != 'u')
            return fb_json_fail(in, FB_JSON_UTF8, p);
        int32_t low = take_code_unit(in, behind + 2);
        if (low < 0)
            return NULL;
        if (low < 0xDC00 || low >= 0xE000)
            return fb_json_fail(in, FB_JSON_UTF8, p);
        c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
        behind += 6;
    }
    in->scratch_n += put_utf8(in->scratch + in->scratch_n, c);
    return behind;
}

static void copy_to_scratch(struct fb_json_reader *in, const char *from, const char *to) {
    memcpy(in->scratch + in->scratch_n, from, (size_t)(to - from));
    in->scratch_n += (size_t)(to - from);
}

/* A string with something in it that is not plain, found at p. Unescaped text never needs more room
 * than its source, so the scratch cannot overflow: it is as large as the payload. */
const char *fb_json_take_odd_string(struct fb_json_reader *in, const char *start, const char *p,
                                    struct fb_str *text) {
    size_t scratch_start = in->scratch_n;
    const char *pending = start; /* what the scratch lacks */
    bool escaped = false;
    for (;; p = fb_json_find(in->start, p, in->end)) {
        if (p == in->end)
            return fb_json_fail(in, FB_JSON_SYNTAX, p);
        if (*p == '"')
            break;
        if (*p == '\\') {
            escaped = true;
            copy_to_scratch(in, pending, p);
            p = pending = take_escape(in, p);
            if (!p)
                return NULL;
        } else {
            if ((unsigned char)*p < 0x80)
                return fb_json_fail(in, FB_JSON_SYNTAX, p);
            size_t n = fb_utf8_sequence(p, (size_t)(in->end - p));
            if (!n)
                return fb_json_fail(in, FB_JSON_UTF8, p);
            p += n;
        }
    }
    if (escaped) {
        copy_to_scratch(in, pending, p);
        *text = (struct fb_str){in->scratch + scratch_start, in->scratch_n - scratch_start};
    } else {
        *text = (struct fb_str){start, (size_t)(p - start)};
    }
    return p + 1;
}

/* exponent = ( "e" | "E" ) [ "+" | "-" ] digits; p is behind the letter */
static const char *take_exponent(struct fb_json_reader *in, const char *p,
                                 struct fb_json_value *value) {
    bool negative = *p == '-';
    if (*p == '+' || *p == '-')
        p++;
    if (!fb_json_is_digit(*p))
        return fb_json_fail(in, FB_JSON_NUMBER, p);
    int32_t exponent = 0;
    for (; fb_json_is_digit(*p); p++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (*p - '0');
    value->exponent += negative ? -exponent : exponent;
    return p;
}

const char *fb_json_take_any_number(struct fb_json_reader *in, const char *p,
                                    struct fb_json_value *value) {
    const char *start = p;
    value->negative = *p == '-';
    p += value->negative;
    const char *digits = p;
    uint64_t mantissa = 0;
    for (; fb_json_is_digit(*p); p++)
        mantissa = mantissa * 10 + (uint64_t)(*p - '0');
    if (p == digits || (*digits == '0' && p - digits > 1))
        return fb_json_fail(in, FB_JSON_NUMBER, p == digits ? p : digits + 1);
    ptrdiff_t n_digits = p - digits;
    value->exponent = 0;
    if (*p == '.') {
        const char *fraction = ++p;
        for (; fb_json_is_digit(*p); p++)
            mantissa = mantissa * 10 + (uint64_t)(*p - '0');
        if (p == fraction)
            return fb_json_fail(in, FB_JSON_NUMBER, p);
        n_digits += p - fraction;
        value->exponent = -(int32_t)(p - fraction);
    }
    if ((*p | 0x20) == 'e') {
        p = take_exponent(in, p + 1, value);
        if (!p)
            return NULL;
    }
    value->kind = FB_JSON_NUM;
    value->wide = n_digits > MANTISSA_DIGITS_MAX;
    value->mantissa = mantissa;
    value->quick = !value->wide && mantissa < UINT64_C(1) << 53 && value->exponent <= 0 &&
                   value->exponent >= -FB_JSON_DIGITS_POWER_MAX;
    value->num = value->quick ? fb_json_digits_num(mantissa, value->exponent, value->negative) : 0;
    value->text = (struct fb_str){start, (size_t)(p - start)};
    return p;
}

static const char *take_word(struct fb_json_reader *in, const char *p, const char *word, size_t n) {
    if ((size_t)(in->end - p) >= n && memcmp(p, word, n) == 0)
        return p + n;
    while (p < in->end && *p == *word) {
        p++;
        word++;
    }
    return fb_json_fail(in, FB_JSON_SYNTAX, p);
}

const char *fb_json_take_literal(struct fb_json_reader *in, const char *p,
                                 struct fb_json_value *value) {
    switch (*p) {
    case 't':
        value->kind = FB_JSON_TRUE;
        return take_word(in, p, "true", 4);
    case 'f':
        value->kind = FB_JSON_FALSE;
        return take_word(in, p, "false", 5);
    case 'n':
        value->kind = FB_JSON_NULL;
        return take_word(in, p, "null", 4);
    default:
        return *p == '-' ? fb_json_take_any_number(in, p, value)
                         : fb_json_fail(in, FB_JSON_SYNTAX, p);
    }
}
