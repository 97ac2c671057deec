/* Exact fractions over a fixed number of 32-bit words.
 *
 * Place in the flow: the compiler's units only. */
#include "rules/rational.h"

#include <math.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/base/num.h"

enum { WORDS = FB_RATIONAL_WORDS, MANTISSA_BITS = 53 };

static void big_trim(struct fb_big *a) {
    while (a->n && a->words[a->n - 1] == 0)
        a->n--;
}

static struct fb_big big_of(uint64_t x) {
    struct fb_big a = {.words = {(uint32_t)x, (uint32_t)(x >> 32)}, .n = 2};
    big_trim(&a);
    return a;
}

static int big_cmp(const struct fb_big *a, const struct fb_big *b) {
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (uint32_t i = a->n; i-- > 0;)
        if (a->words[i] != b->words[i])
            return a->words[i] < b->words[i] ? -1 : 1;
    return 0;
}

static uint32_t big_bits(const struct fb_big *a) {
    return a->n ? a->n * 32 - (uint32_t)__builtin_clz(a->words[a->n - 1]) : 0;
}

/* a := a * factor + carry; false: too large */
static bool big_scale(struct fb_big *a, uint32_t factor, uint32_t carry) {
    uint64_t sum = carry;
    for (uint32_t i = 0; i < a->n; i++) {
        sum += (uint64_t)a->words[i] * factor;
        a->words[i] = (uint32_t)sum;
        sum >>= 32;
    }
    if (sum == 0)
        return big_trim(a), true;
    if (a->n == WORDS)
        return false;
    a->words[a->n++] = (uint32_t)sum;
    return true;
}

static bool big_mul(const struct fb_big *a, const struct fb_big *b, struct fb_big *out) {
    uint32_t wide[2 * WORDS] = {0};
    for (uint32_t i = 0; i < a->n; i++) {
        uint64_t carry = 0;
        for (uint32_t j = 0; j < b->n; j++) {
            carry += (uint64_t)a->words[i] * b->words[j] + wide[i + j];
            wide[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        wide[i + b->n] = (uint32_t)carry;
    }
    uint32_t n = a->n + b->n;
    while (n && wide[n - 1] == 0)
        n--;
    if (n > WORDS)
        return false;
    memset(out, 0, sizeof *out);
    memcpy(out->words, wide, n * sizeof *wide);
    out->n = n;
    return true;
}

static bool big_add(struct fb_big *a, const struct fb_big *b) {
    uint64_t carry = 0;
    uint32_t n = a->n > b->n ? a->n : b->n;
    for (uint32_t i = 0; i < n; i++) {
        carry += (uint64_t)a->words[i] + b->words[i];
        a->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    a->n = n;
    if (carry == 0)
        return true;
    if (n == WORDS)
        return false;
    a->words[a->n++] = (uint32_t)carry;
    return true;
}

/* a := a - b, a >= b */
static void big_sub(struct fb_big *a, const struct fb_big *b) {
    int64_t borrow = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        borrow += (int64_t)a->words[i] - b->words[i];
        a->words[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    FB_ASSERT(borrow == 0);
    big_trim(a);
}

static bool big_shift_left(struct fb_big *a, uint32_t bits) {
    if (a->n == 0)
        return true;
    if (big_bits(a) + bits > WORDS * 32)
        return false;
    uint32_t whole = bits / 32, part = bits % 32;
    for (uint32_t i = WORDS; i-- > 0;) {
        uint32_t low = i >= whole ? a->words[i - whole] : 0;
        uint32_t lower = i >= whole + 1 ? a->words[i - whole - 1] : 0;
        a->words[i] = part ? (low << part) | (lower >> (32 - part)) : low;
    }
    a->n = WORDS;
    big_trim(a);
    return true;
}

static void big_halve(struct fb_big *a) {
    for (uint32_t i = 0; i < a->n; i++)
        a->words[i] = (a->words[i] >> 1) | (i + 1 < a->n ? a->words[i + 1] << 31 : 0);
    big_trim(a);
}

/* quotient and remainder, by subtraction of shifted divisors: short, and fast enough for a few
 * hundred conversions */
static struct fb_big big_div(struct fb_big a, const struct fb_big *b, struct fb_big *rest) {
    struct fb_big quotient = {0};
    if (big_cmp(&a, b) >= 0) {
        uint32_t shift = big_bits(&a) - big_bits(b);
        struct fb_big part = *b;
        FB_ASSERT(big_shift_left(&part, shift));
        quotient.n = shift / 32 + 1;
        for (uint32_t i = shift + 1; i-- > 0; big_halve(&part)) {
            if (big_cmp(&a, &part) < 0)
                continue;
            big_sub(&a, &part);
            quotient.words[i / 32] |= 1u << (i % 32);
        }
        big_trim(&quotient);
    }
    *rest = a;
    return quotient;
}

static struct fb_big big_gcd(struct fb_big a, struct fb_big b) {
    while (b.n) {
        struct fb_big rest;
        big_div(a, &b, &rest);
        a = b;
        b = rest;
    }
    return a;
}

static struct fb_rational bad(void) {
    return (struct fb_rational){.den = big_of(1), .bad = true};
}

static struct fb_rational reduced(struct fb_rational a) {
    if (a.den.n == 0)
        return bad();
    struct fb_big common = big_gcd(a.num, a.den), rest;
    if (!(common.n == 1 && common.words[0] == 1)) {
        a.num = big_div(a.num, &common, &rest);
        a.den = big_div(a.den, &common, &rest);
    }
    if (a.num.n == 0)
        a.negative = false;
    return a;
}

struct fb_rational fb_rational_of(int64_t x) {
    uint64_t size = x < 0 ? -(uint64_t)x : (uint64_t)x;
    return (struct fb_rational){.num = big_of(size), .den = big_of(1), .negative = x < 0};
}

static bool times_ten(struct fb_big *a, int64_t times) {
    for (int64_t i = 0; i < times; i++)
        if (!big_scale(a, 10, 0))
            return false;
    return true;
}

/* [-] digits [. digits] [e [+-] digits] */
static struct fb_rational parse_decimal(struct fb_str text) {
    struct fb_rational out = {.den = big_of(1)};
    size_t i = 0;
    int64_t exponent = 0, written = 0;
    bool point = false, any = false;
    if (i < text.n && text.p[i] == '-')
        out.negative = true, i++;
    for (; i < text.n; i++) {
        char c = text.p[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        if (out.num.n == 0)
            out.num = big_of((uint64_t)(c - '0'));
        else if (!big_scale(&out.num, 10, (uint32_t)(c - '0')))
            return bad();
        any = true;
        exponent -= point;
    }
    if (i < text.n && (text.p[i] == 'e' || text.p[i] == 'E')) {
        bool minus = ++i < text.n && text.p[i] == '-';
        if (i < text.n && (text.p[i] == '-' || text.p[i] == '+'))
            i++;
        for (any = false; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++, any = true)
            if ((written = written * 10 + (text.p[i] - '0')) > 1000)
                return bad();
        exponent += minus ? -written : written;
    }
    if (!any || i != text.n ||
        !times_ten(exponent < 0 ? &out.den : &out.num, exponent < 0 ? -exponent : exponent))
        return bad();
    return reduced(out);
}

struct fb_rational fb_rational_parse(struct fb_str text) {
    const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    if (!slash)
        return parse_decimal(text);
    size_t before = (size_t)(slash - text.p);
    return fb_rational_div(parse_decimal((struct fb_str){text.p, before}),
                           parse_decimal((struct fb_str){slash + 1, text.n - before - 1}));
}

struct fb_rational fb_rational_of_double(double x) {
    if (!fb_num_finite(x))
        return bad();
    char text[FB_NUM_TEXT_MAX];
    size_t n = fb_num_format(x, text);
    return parse_decimal((struct fb_str){text, n});
}

struct fb_rational fb_rational_mul(struct fb_rational a, struct fb_rational b) {
    struct fb_rational out = {.negative = a.negative != b.negative};
    if (a.bad || b.bad || !big_mul(&a.num, &b.num, &out.num) || !big_mul(&a.den, &b.den, &out.den))
        return bad();
    return reduced(out);
}

struct fb_rational fb_rational_div(struct fb_rational a, struct fb_rational b) {
    struct fb_rational inverse = {
        .num = b.den, .den = b.num, .negative = b.negative, .bad = b.bad || b.num.n == 0};
    return fb_rational_mul(a, inverse);
}

struct fb_rational fb_rational_add(struct fb_rational a, struct fb_rational b) {
    struct fb_big left, right;
    struct fb_rational out = {0};
    if (a.bad || b.bad || !big_mul(&a.num, &b.den, &left) || !big_mul(&b.num, &a.den, &right) ||
        !big_mul(&a.den, &b.den, &out.den))
        return bad();
    out.negative = a.negative;
    if (a.negative == b.negative) {
        if (!big_add(&left, &right))
            return bad();
    } else if (big_cmp(&left, &right) >= 0) {
        big_sub(&left, &right);
    } else {
        big_sub(&right, &left);
        left = right;
        out.negative = b.negative;
    }
    out.num = left;
    return reduced(out);
}

struct fb_rational fb_rational_sub(struct fb_rational a, struct fb_rational b) {
    b.negative = !b.negative;
    return fb_rational_add(a, b);
}

struct fb_rational fb_rational_pow(struct fb_rational a, int power) {
    struct fb_rational out = fb_rational_of(1);
    for (int i = 0; i < (power < 0 ? -power : power); i++)
        out = power < 0 ? fb_rational_div(out, a) : fb_rational_mul(out, a);
    return out;
}

bool fb_rational_is_zero(const struct fb_rational *a) {
    return !a->bad && a->num.n == 0;
}

bool fb_rational_eq(struct fb_rational a, struct fb_rational b) {
    return !a.bad && !b.bad && a.negative == b.negative && big_cmp(&a.num, &b.num) == 0 &&
           big_cmp(&a.den, &b.den) == 0;
}

/* floor(sqrt(a)) bit by bit; false where a is not a square */
static bool big_root(const struct fb_big *a, struct fb_big *root) {
    *root = big_of(0);
    for (uint32_t bit = big_bits(a) / 2 + 1; bit-- > 0;) {
        struct fb_big tried = *root, square;
        if (tried.n < bit / 32 + 1)
            tried.n = bit / 32 + 1;
        tried.words[bit / 32] |= 1u << (bit % 32);
        if (big_mul(&tried, &tried, &square) && big_cmp(&square, a) <= 0)
            *root = tried;
    }
    struct fb_big square;
    return big_mul(root, root, &square) && big_cmp(&square, a) == 0;
}

struct fb_rational fb_rational_root(struct fb_rational a) {
    struct fb_rational out = {0};
    if (a.bad || a.negative || !big_root(&a.num, &out.num) || !big_root(&a.den, &out.den))
        return bad();
    return reduced(out);
}

double fb_rational_double(const struct fb_rational *a) {
    if (a->bad || a->num.n == 0)
        return 0;
    /* A quotient of 63 to 65 bits, then rounded by hand: one rounding, ties to even. */
    struct fb_big num = a->num, den = a->den, rest;
    int shift = 64 - (int)big_bits(&num) + (int)big_bits(&den);
    if (!big_shift_left(shift > 0 ? &num : &den, (uint32_t)(shift > 0 ? shift : -shift)))
        return 0;
    struct fb_big quotient = big_div(num, &den, &rest);
    bool sticky = rest.n != 0;
    while (big_bits(&quotient) > MANTISSA_BITS + 1) {
        sticky |= quotient.words[0] & 1;
        big_halve(&quotient);
        shift--;
    }
    uint64_t bits = quotient.words[0] | (uint64_t)quotient.words[1] << 32;
    bool half = bits & 1;
    bits >>= 1;
    shift--;
    if (half && (sticky || (bits & 1)))
        bits++;
    double size = ldexp((double)bits, -shift);
    return a->negative ? -size : size;
}
