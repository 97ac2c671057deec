/* Numbers and their text. The conversions between decimal text and doubles that need more than one
 * rounding are libc's, which is exact; the process never leaves the C locale. */
#include "engine/base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "engine/base/arena.h"
#include "engine/base/err.h"

#define EXACT_INTEGERS 9007199254740992.0 /* 2^53: below it every integer is a double */

const uint64_t fb_powers_of_ten[] = {1,
                                     10,
                                     100,
                                     1000,
                                     10000,
                                     100000,
                                     1000000,
                                     10000000,
                                     100000000,
                                     1000000000,
                                     10000000000,
                                     100000000000,
                                     1000000000000,
                                     10000000000000,
                                     100000000000000,
                                     1000000000000000,
                                     10000000000000000,
                                     100000000000000000,
                                     1000000000000000000,
                                     10000000000000000000u};

static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { EXACT_POWER_MAX = 22 };

/* ---- double to text ---- */

/* Writes the digits of x so that they end before `end`; gives where they begin. */
static char *digits_before(char *end, uint64_t x) {
    do
        *--end = (char)('0' + x % 10);
    while ((x /= 10) > 0);
    return end;
}

size_t fb_num_format_int(int64_t x, char *out) {
    char room[FB_NUM_TEXT_MAX], *end = room + sizeof room;
    char *p = digits_before(end, x < 0 ? 0 - (uint64_t)x : (uint64_t)x);
    if (x < 0)
        *--p = '-';
    size_t n = (size_t)(end - p);
    memcpy(out, p, n);
    out[n] = '\0';
    return n;
}

/* Decimal digits d1 d2 ... dn, without trailing zeros, of the value 0.d1d2...dn * 10^point. */
struct decimal {
    char digits[20];
    int n, point;
};

static void decimal_of_integer(uint64_t m, int shift, struct decimal *out) {
    char room[24], *end = room + sizeof room, *text = digits_before(end, m);
    int n = (int)(end - text);
    out->point = n - shift;
    while (n > 1 && text[n - 1] == '0')
        n--;
    memcpy(out->digits, text, (size_t)n);
    out->n = n;
}

/* A decimal of at most 15 digits is the only one of its length that reads as x, so the first power
 * of ten that makes x whole gives the shortest text. */
static bool decimal_of_short(double x, struct decimal *out) {
    for (int k = 0; k <= 9; k++) {
        double scaled = x * powers_of_ten[k];
        if (scaled >= 1e15)
            return false;
        double whole = fb_num_round(scaled);
        if (whole / powers_of_ten[k] == x) {
            decimal_of_integer((uint64_t)whole, k, out);
            return true;
        }
    }
    return false;
}

/* The 17 digits at most of x in "%.*e" form, cut into its parts. */
static void decimal_of_digits(double x, int n_digits, struct decimal *out) {
    char text[40];
    snprintf(text, sizeof text, "%.*e", n_digits - 1, x);
    char *e = strchr(text, 'e');
    FB_ASSERT(e);
    out->point = (int)strtol(e + 1, NULL, 10) + 1;
    out->n = 0;
    for (const char *p = text; p < e; p++)
        if (*p >= '0' && *p <= '9')
            out->digits[out->n++] = *p;
}

static double decimal_value(const struct decimal *d) {
    char text[40];
    snprintf(text, sizeof text, "%.*se%d", d->n, d->digits, d->point - d->n);
    return strtod(text, NULL);
}

/* The next decimal of the same number of digits. */
static void decimal_up(struct decimal *d) {
    int i = d->n - 1;
    while (i >= 0 && d->digits[i] == '9')
        d->digits[i--] = '0';
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1';
        d->point++;
    }
}

static void decimal_of(double x, struct decimal *out) {
    if (x >= 1e-5 && decimal_of_short(x, out))
        return;
    /* Normal doubles tell all decimals of 15 digits apart; subnormal ones do not, so that fewer
     * digits have to be tried. */
    for (int n = x < 2.2250738585072014e-308 ? 1 : 15; n <= 17; n++) {
        decimal_of_digits(x, n, out);
        if (decimal_value(out) == x)
            break;
        /* Above a power of two there is more room than below it: the nearest decimal may lie just
         * outside below while the next one is inside above. */
        struct decimal up = *out;
        decimal_up(&up);
        if (decimal_value(&up) == x) {
            *out = up;
            break;
        }
    }
    while (out->n > 1 && out->digits[out->n - 1] == '0')
        out->n--;
}

static size_t write_plain(const struct decimal *d, char *out) {
    char *p = out;
    if (d->point <= 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = d->point; i < 0; i++)
            *p++ = '0';
    }
    for (int i = 0; i < d->n; i++) {
        if (i == d->point && i > 0)
            *p++ = '.';
        *p++ = d->digits[i];
    }
    for (int i = d->n; i < d->point; i++)
        *p++ = '0';
    return (size_t)(p - out);
}

static size_t write_scientific(const struct decimal *d, char *out) {
    char *p = out;
    *p++ = d->digits[0];
    if (d->n > 1) {
        *p++ = '.';
        memcpy(p, d->digits + 1, (size_t)d->n - 1);
        p += d->n - 1;
    }
    p += sprintf(p, "e%+03d", d->point - 1);
    return (size_t)(p - out);
}

size_t fb_num_format(double x, char *out) {
    FB_ASSERT(fb_num_finite(x));
    size_t n = 0;
    if (x < 0) {
        out[n++] = '-';
        x = -x;
    }
    if (x == 0) {
        out[n++] = '0';
    } else {
        struct decimal d;
        decimal_of(x, &d);
        n += x >= 1e-5 && x < 1e17 ? write_plain(&d, out + n) : write_scientific(&d, out + n);
    }
    out[n] = '\0';
    return n;
}

/* ---- text to number ---- */

/* A JSON number cut into its parts: value = mantissa * 10^exponent unless `cut`, when the number
 * has more digits than the mantissa takes. */
struct parts {
    bool negative, cut;
    uint64_t mantissa;
    int64_t exponent;
};

enum { MANTISSA_DIGITS_MAX = 19, EXPONENT_MAX = 1000000 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Adds the digits at p to the mantissa and returns their end. */
static const char *take_digits(const char *p, const char *end, struct parts *parts, int *n_digits,
                               int64_t *dropped) {
    for (; p < end && is_digit(*p); p++) {
        if (*n_digits == 0 && *p == '0')
            continue;
        if (*n_digits < MANTISSA_DIGITS_MAX) {
            parts->mantissa = parts->mantissa * 10 + (uint64_t)(*p - '0');
            ++*n_digits;
        } else {
            parts->cut |= *p != '0';
            ++*dropped;
        }
    }
    return p;
}

static bool take_exponent(const char *p, const char *end, int64_t *exponent) {
    bool negative = false;
    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    if (p == end)
        return false;
    int64_t e = 0;
    for (; p < end && is_digit(*p); p++)
        if (e < EXPONENT_MAX)
            e = e * 10 + (*p - '0');
    *exponent += negative ? -e : e;
    return p == end;
}

/* number = [ "-" ] ( "0" | digit1-9 digits ) [ "." digits ] [ "e" [ "+" | "-" ] digits ] */
static bool take_number(struct fb_str s, struct parts *parts) {
    if (s.n == 0)
        return false;
    const char *p = s.p, *end = p + s.n;
    int n_digits = 0;
    int64_t dropped = 0;
    *parts = (struct parts){0};
    if (*p == '-') {
        parts->negative = true;
        p++;
    }
    const char *start = p;
    p = take_digits(p, end, parts, &n_digits, &dropped);
    if (p == start || (*start == '0' && p - start > 1))
        return false;
    parts->exponent = dropped;
    if (p < end && *p == '.') {
        start = ++p;
        dropped = 0;
        p = take_digits(p, end, parts, &n_digits, &dropped);
        if (p == start)
            return false;
        parts->exponent -= (p - start) - dropped;
    }
    if (p < end && (*p == 'e' || *p == 'E'))
        return take_exponent(p + 1, end, &parts->exponent);
    return p == end;
}

static double parse_with_libc(struct fb_str s) {
    char small[128], *copy = small;
    if (s.n >= sizeof small)
        copy = fb_alloc(s.n + 1);
    memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    double x = strtod(copy, NULL);
    if (copy != small)
        free(copy);
    return x;
}

/* numerator / denominator, rounded once: a quotient of 55 bits or more, its last bit set where a
 * rest is left over, rounds as the true value does. denominator < 2^64, neither is 0. */
static double divide_exactly(uint64_t numerator, uint64_t denominator) {
    int shift = 64 + __builtin_clzll(numerator) - __builtin_clzll(denominator) - 1;
    unsigned __int128 shifted = (unsigned __int128)numerator << shift;
    uint64_t quotient = (uint64_t)(shifted / denominator);
    quotient |= shifted % denominator != 0;
    /* 2^-shift, a normal double */
    uint64_t bits = (uint64_t)(1023 - shift) << 52;
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return (double)quotient * scale;
}

bool fb_num_of_decimal(uint64_t mantissa, int64_t exponent, double *x) {
    enum { WHOLE_POWER_MAX = 19 };
    if (mantissa <= (uint64_t)EXACT_INTEGERS && exponent >= -EXACT_POWER_MAX &&
        exponent <= EXACT_POWER_MAX) {
        /* Both operands are exact, so the one operation rounds correctly (Clinger). */
        double m = (double)mantissa;
        *x = exponent < 0 ? m / powers_of_ten[-exponent] : m * powers_of_ten[exponent];
        return true;
    }
    if (mantissa == 0) {
        *x = 0;
        return true;
    }
    if (exponent < -WHOLE_POWER_MAX || exponent > WHOLE_POWER_MAX)
        return false;
    *x = exponent < 0 ? divide_exactly(mantissa, fb_powers_of_ten[-exponent])
                      : (double)((unsigned __int128)mantissa * fb_powers_of_ten[exponent]);
    return true;
}

bool fb_num_parse(struct fb_str s, double *x) {
    struct parts parts;
    if (!take_number(s, &parts))
        return false;
    if (!parts.cut && fb_num_of_decimal(parts.mantissa, parts.exponent, x)) {
        *x = parts.negative ? -*x : *x;
        return true;
    }
    *x = parse_with_libc(s);
    return fb_num_finite(*x);
}

bool fb_num_parse_int(struct fb_str s, int64_t *x) {
    struct parts parts;
    if (!take_number(s, &parts) || parts.cut)
        return false;
    uint64_t m = parts.mantissa;
    for (; parts.exponent < 0 && m; parts.exponent++) {
        if (m % 10)
            return false;
        m /= 10;
    }
    for (; parts.exponent > 0 && m; parts.exponent--)
        if (__builtin_mul_overflow(m, UINT64_C(10), &m))
            return false;
    if (m > (uint64_t)INT64_MAX + parts.negative)
        return false;
    *x = parts.negative ? (int64_t)(0 - m) : (int64_t)m;
    return true;
}

/* ---- arithmetic ---- */

static bool has_fraction_bits(double x) {
    return x > -EXACT_INTEGERS && x < EXACT_INTEGERS; /* false for NaN too */
}

double fb_num_round(double x) {
    if (!has_fraction_bits(x))
        return x;
    double whole = (double)(int64_t)x;
    double rest = x - whole;
    if (rest >= 0.5)
        return whole + 1;
    if (rest <= -0.5)
        return whole - 1;
    return whole;
}

double fb_num_floor(double x) {
    if (!has_fraction_bits(x))
        return x;
    double whole = (double)(int64_t)x;
    return whole > x ? whole - 1 : whole;
}

double fb_num_sqrt(double x) {
#if defined(__SSE2__)
    return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(x)));
#elif defined(__aarch64__)
    double root;
    __asm__("fsqrt %d0, %d1" : "=w"(root) : "w"(x));
    return root;
#else
#error "name this processor's correctly rounded square root here"
#endif
}

int64_t fb_floor_div(int64_t a, int64_t b) {
    FB_ASSERT(b > 0);
    return a / b - (a % b < 0);
}
