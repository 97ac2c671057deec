#include "tests/oracle/oracle_units.h"

#include "engine/base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ora_ratio lowest(__int128 num, __int128 den) {
    FB_ASSERT(den != 0);
    if (den < 0) {
        num = -num;
        den = -den;
    }
    __int128 a = num < 0 ? -num : num, b = den;
    while (b != 0) {
        __int128 rest = a % b;
        a = b;
        b = rest;
    }
    if (a > 1) {
        num /= a;
        den /= a;
    }
    FB_ASSERT(num <= INT64_MAX && num >= -INT64_MAX && den <= INT64_MAX);
    return (struct ora_ratio){(int64_t)num, (int64_t)den};
}

struct ora_ratio ora_ratio(int64_t num, int64_t den) {
    return lowest(num, den);
}

struct ora_ratio ora_ratio_add(struct ora_ratio a, struct ora_ratio b) {
    return lowest((__int128)a.num * b.den + (__int128)b.num * a.den, (__int128)a.den * b.den);
}

struct ora_ratio ora_ratio_mul(struct ora_ratio a, struct ora_ratio b) {
    return lowest((__int128)a.num * b.num, (__int128)a.den * b.den);
}

struct ora_ratio ora_ratio_div(struct ora_ratio a, struct ora_ratio b) {
    return lowest((__int128)a.num * b.den, (__int128)a.den * b.num);
}

struct ora_ratio ora_ratio_of_text(struct fb_str decimal) {
    struct ora_ratio value = {0, 1};
    int64_t scale = 1;
    bool negative = false, fraction = false;
    for (size_t i = 0; i < decimal.n; i++) {
        char c = decimal.p[i];
        if (c == '-') {
            negative = true;
        } else if (c == '.') {
            fraction = true;
        } else if (c == 'e' || c == 'E') {
            int exponent = atoi(decimal.p + i + 1);
            for (; exponent > 0; exponent--)
                value = ora_ratio_mul(value, ora_ratio(10, 1));
            for (; exponent < 0; exponent++)
                value = ora_ratio_mul(value, ora_ratio(1, 10));
            break;
        } else {
            FB_ASSERT(c >= '0' && c <= '9');
            if (fraction)
                scale *= 10;
            value = fraction ? ora_ratio_add(value, ora_ratio(c - '0', scale))
                             : ora_ratio_add(ora_ratio_mul(value, ora_ratio(10, 1)),
                                             ora_ratio(c - '0', 1));
        }
    }
    return negative ? ora_ratio(-value.num, value.den) : value;
}

double ora_ratio_double(struct ora_ratio a) {
    const int64_t exact = INT64_C(1) << 53;
    FB_ASSERT(a.num <= exact && a.num >= -exact && a.den <= exact);
    return (double)a.num / (double)a.den;
}

struct named_unit {
    const char *name;
    int dim[ORA_DIMENSIONS];
    struct ora_ratio scale, zero;
    bool absolute;
};

static const struct named_unit units[] = {
    {"K", {0, 0, 0, 1}, {1, 1}, {0, 1}, false},
    {"degC", {0, 0, 0, 1}, {1, 1}, {27315, 100}, true},
    {"degF", {0, 0, 0, 1}, {5, 9}, {45967 * 5, 900}, true},
    {"%", {0}, {1, 100}, {0, 1}, false},
    {"Pa", {-1, 1, -2, 0}, {1, 1}, {0, 1}, false},
    {"inH2O", {-1, 1, -2, 0}, {24908891, 100000}, {0, 1}, false},
    {"kPa", {-1, 1, -2, 0}, {1000, 1}, {0, 1}, false},
    {"bar", {-1, 1, -2, 0}, {100000, 1}, {0, 1}, false},
    {"m", {1, 0, 0, 0}, {1, 1}, {0, 1}, false},
    {"km", {1, 0, 0, 0}, {1000, 1}, {0, 1}, false},
    {"ms", {0, 0, 1, 0}, {1, 1000}, {0, 1}, false},
    {"s", {0, 0, 1, 0}, {1, 1}, {0, 1}, false},
    {"min", {0, 0, 1, 0}, {60, 1}, {0, 1}, false},
    {"h", {0, 0, 1, 0}, {3600, 1}, {0, 1}, false},
    {"W", {2, 1, -3, 0}, {1, 1}, {0, 1}, false},
    {"kW", {2, 1, -3, 0}, {1000, 1}, {0, 1}, false},
    {"kWh", {2, 1, -2, 0}, {3600000, 1}, {0, 1}, false},
    {"delta_degF", {0, 0, 0, 1}, {5, 9}, {0, 1}, false},
    {"degR", {0, 0, 0, 1}, {5, 9}, {0, 1}, false},
    {"ppm", {0}, {1, 1000000}, {0, 1}, false},
    {"mm", {1, 0, 0, 0}, {1, 1000}, {0, 1}, false},
    {"m3", {3, 0, 0, 0}, {1, 1}, {0, 1}, false},
    {"kg", {0, 1, 0, 0}, {1, 1}, {0, 1}, false},
    {"t", {0, 1, 0, 0}, {1000, 1}, {0, 1}, false},
    {"A", {0, 0, 0, 0, 1}, {1, 1}, {0, 1}, false},
    {"V", {2, 1, -3, 0, -1}, {1, 1}, {0, 1}, false},
    {"mA", {0, 0, 0, 0, 1}, {1, 1000}, {0, 1}, false},
    {"mV", {2, 1, -3, 0, -1}, {1, 1000}, {0, 1}, false},
    {"B", {0, 0, 0, 0, 0, 1}, {1, 1}, {0, 1}, false},
    {"MB", {0, 0, 0, 0, 0, 1}, {1000000, 1}, {0, 1}, false},
    {"GB", {0, 0, 0, 0, 0, 1}, {1000000000, 1}, {0, 1}, false},
    {"Mbit", {0, 0, 0, 0, 0, 1}, {125000, 1}, {0, 1}, false},
    {"l", {3, 0, 0, 0}, {1, 1000}, {0, 1}, false},
    {"deg", {0, 0, 0, 0, 0, 0, 0, 1}, {1, 1}, {0, 1}, false},
    {"dBm", {0, 0, 0, 0, 0, 0, 1}, {1, 1}, {0, 1}, false},
};

struct ora_unit ora_unit_none(void) {
    return (struct ora_unit){.scale = {1, 1}, .zero = {0, 1}};
}

static struct ora_unit one_unit(struct fb_str name) {
    if (fb_str_eq(name, FB_S("1")))
        return ora_unit_none();
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const struct named_unit *u = &units[i];
        if (!fb_str_eq(fb_str_of(u->name), name))
            continue;
        struct ora_unit unit = {.scale = ora_ratio(u->scale.num, u->scale.den),
                                .zero = ora_ratio(u->zero.num, u->zero.den),
                                .absolute = u->absolute};
        memcpy(unit.dim, u->dim, sizeof unit.dim);
        return unit;
    }
    fprintf(stderr, "the reference interpreter does not know the unit %.*s\n", FB_ARG(name));
    abort();
}

struct ora_unit ora_unit_of(struct fb_str text) {
    struct ora_unit all = ora_unit_none();
    bool divide = false;
    size_t start = 0;
    if (text.n == 0)
        return all;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != '/' && text.p[i] != '.')
            continue;
        struct ora_unit one = one_unit((struct fb_str){text.p + start, i - start});
        all = start == 0 ? one : ora_unit_product(all, one, divide);
        divide = i < text.n && text.p[i] == '/';
        start = i + 1;
    }
    return all;
}

bool ora_unit_same_dimension(struct ora_unit a, struct ora_unit b) {
    return memcmp(a.dim, b.dim, sizeof a.dim) == 0;
}

static bool same_ratio(struct ora_ratio a, struct ora_ratio b) {
    return a.num == b.num && a.den == b.den;
}

bool ora_unit_same(struct ora_unit a, struct ora_unit b) {
    return ora_unit_same_dimension(a, b) && same_ratio(a.scale, b.scale) &&
           same_ratio(a.zero, b.zero);
}

struct ora_unit ora_unit_product(struct ora_unit a, struct ora_unit b, bool divide) {
    struct ora_unit product = ora_unit_none();
    for (int i = 0; i < ORA_DIMENSIONS; i++)
        product.dim[i] = divide ? a.dim[i] - b.dim[i] : a.dim[i] + b.dim[i];
    product.scale = divide ? ora_ratio_div(a.scale, b.scale) : ora_ratio_mul(a.scale, b.scale);
    return product;
}

struct ora_unit ora_unit_difference(struct ora_unit a) {
    a.absolute = false;
    a.zero = ora_ratio(0, 1);
    return a;
}

struct ora_ratio ora_unit_exact(struct ora_ratio value, struct ora_unit from, struct ora_unit to) {
    FB_ASSERT(ora_unit_same_dimension(from, to));
    struct ora_ratio base = ora_ratio_add(ora_ratio_mul(value, from.scale), from.zero);
    struct ora_ratio shifted = ora_ratio_add(base, ora_ratio(-to.zero.num, to.zero.den));
    return ora_ratio_div(shifted, to.scale);
}

struct ora_conversion ora_unit_conversion(struct ora_unit from, struct ora_unit to) {
    FB_ASSERT(ora_unit_same_dimension(from, to));
    struct ora_conversion conversion = {0};
    if (ora_unit_same(from, to)) {
        conversion.none = true;
        return conversion;
    }
    struct ora_ratio factor = ora_ratio_div(from.scale, to.scale);
    struct ora_ratio back = ora_ratio_div(to.scale, from.scale);
    struct ora_ratio zero = ora_ratio_add(from.zero, ora_ratio(-to.zero.num, to.zero.den));
    conversion.divide = back.den == 1 && factor.den != 1;
    conversion.factor = ora_ratio_double(conversion.divide ? back : factor);
    conversion.offset = ora_ratio_double(ora_ratio_div(zero, to.scale));
    return conversion;
}
