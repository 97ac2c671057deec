/* Numbers: shortest text, exact reading, rounding. */
#include "engine/base/num.h"

#include <float.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_text(double x, const char *wanted) {
    char text[FB_NUM_TEXT_MAX];
    size_t n = fb_num_format(x, text);
    assert_string_equal(text, wanted);
    assert_int_equal(n, strlen(wanted));
}

static void writes_the_fewest_digits_that_read_back(void **state) {
    (void)state;
    check_text(0.1, "0.1");
    check_text(0.1 + 0.2, "0.30000000000000004");
    check_text(1.0 / 3, "0.3333333333333333");
    check_text(2.0 / 3, "0.6666666666666666");
    check_text(20, "20");
    check_text(-21.5, "-21.5");
    check_text(123456.789, "123456.789");
    check_text(0.00012, "0.00012");
    check_text(1234567890123456, "1234567890123456");
    check_text(9007199254740993.0, "9007199254740992");
    check_text(5e-324, "5e-324");
    check_text(2.2250738585072014e-308, "2.2250738585072014e-308");
    check_text(2.225073858507201e-308, "2.225073858507201e-308"); /* the largest subnormal */
    check_text(DBL_MAX, "1.7976931348623157e+308");
    check_text(1e23, "1e+23");
    check_text(9.5e-7, "9.5e-07");
}

/* Just above a power of two the nearest 16-digit decimal does not read back, its neighbour does. */
static void finds_the_short_text_above_a_power_of_two(void **state) {
    (void)state;
    check_text(0x1p-44, "5.684341886080802e-14");
    check_text(0x1p+1021, "2.247116418577895e+307");
}

static void changes_notation_at_the_borders(void **state) {
    (void)state;
    check_text(1e-5, "0.00001");
    check_text(0.000009999999999999999, "9.999999999999999e-06");
    check_text(1e16, "10000000000000000");
    check_text(99999999999999984.0, "99999999999999980");
    check_text(1e17, "1e+17");
    check_text(1.5e20, "1.5e+20");
    check_text(-1e100, "-1e+100");
}

static void writes_no_negative_zero(void **state) {
    (void)state;
    check_text(0.0, "0");
    check_text(-0.0, "0");
}

static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void check_round_trip(double x) {
    char text[FB_NUM_TEXT_MAX], shorter[64];
    size_t n = fb_num_format(x, text);
    assert_true(n < FB_NUM_TEXT_MAX);
    double back = 0;
    assert_true(fb_num_parse((struct fb_str){text, n}, &back));
    if (x == 0)
        return;
    assert_memory_equal(&back, &x, sizeof x);
    /* One digit less, rounded to nearest, must not read back. */
    int digits = 0, zeros = 0;
    for (const char *p = text; *p && *p != 'e'; p++) {
        if (*p < '0' || *p > '9' || (digits == 0 && *p == '0'))
            continue;
        digits++;
        zeros = *p == '0' ? zeros + 1 : 0;
    }
    digits -= zeros;
    if (digits > 1) {
        snprintf(shorter, sizeof shorter, "%.*e", digits - 2, x);
        assert_true(strtod(shorter, NULL) != x);
    }
}

static void reads_back_what_it_wrote(void **state) {
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 30000; i++) {
        uint64_t bits = next_random(&seed);
        double x;
        memcpy(&x, &bits, sizeof x);
        if (fb_num_finite(x))
            check_round_trip(x);
        bits &= UINT64_C(0x800FFFFFFFFFFFFF) >> (i % 48); /* subnormal */
        memcpy(&x, &bits, sizeof x);
        check_round_trip(x);
        check_round_trip((double)(int64_t)(next_random(&seed) >> 30) / 1000);
        check_round_trip((double)next_random(&seed) / 64);
    }
}

static bool parses(const char *text, double wanted) {
    double x = 12345;
    bool ok = fb_num_parse(fb_str_of(text), &x);
    return ok && memcmp(&x, &wanted, sizeof x) == 0;
}

static void reads_the_nearest_double(void **state) {
    (void)state;
    assert_true(parses("0", 0));
    assert_true(parses("-0", -0.0));
    assert_true(parses("-0.0e5", -0.0));
    assert_true(parses("21.25", 21.25));
    assert_true(parses("1e22", 1e22));
    assert_true(parses("1e23", 1e23));
    assert_true(parses("123456789e-22", 123456789e-22));
    assert_true(parses("9007199254740993", 9007199254740992.0));
    assert_true(parses("9007199254740993.00000000000000000001", 9007199254740994.0));
    assert_true(parses("9007199254740991e22", 9007199254740991e22));
    assert_true(parses("1.7976931348623157e308", DBL_MAX));
    assert_true(parses("5e-324", 5e-324));
    assert_true(parses("2.4e-324", 0));
    assert_true(parses("2.2250738585072011e-308", 2.2250738585072011e-308));
    assert_true(parses("0.000000000000000000000000000000000000000001e42", 1));
    assert_true(parses("1e-999999999999999999999", 0));
    assert_true(parses("0e999999999999999999999", 0));
    assert_true(parses("100000000000000000000000000000", 1e29));
    assert_true(parses("1E+2", 100));
}

/* The quick ways against libc's exact one, where mantissas do not fit a double. */
static void reads_nineteen_digits_as_libc_does(void **state) {
    (void)state;
    uint64_t seed = 2463534242u;
    for (int i = 0; i < 60000; i++) {
        uint64_t mantissa = next_random(&seed) >> (next_random(&seed) % 64);
        int exponent = (int)(next_random(&seed) % 51) - 25;
        char text[64];
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)mantissa, exponent);
        double x = -1, wanted = strtod(text, NULL);
        if (fb_num_of_decimal(mantissa, exponent, &x))
            assert_memory_equal(&x, &wanted, sizeof x);
        else
            assert_true(exponent < -19 || exponent > 19);
        assert_true(fb_num_parse(fb_str_of(text), &x));
        assert_memory_equal(&x, &wanted, sizeof x);
    }
}

/* Halves between two doubles and their nearest neighbours. */
static void rounds_halves_to_even(void **state) {
    (void)state;
    uint64_t seed = 77;
    for (int i = 0; i < 20000; i++) {
        int fives = (int)(next_random(&seed) % 10) + 1;
        uint64_t odd = ((next_random(&seed) >> 11) | UINT64_C(1) << 52) * 2 + 1; /* 54 bits */
        unsigned __int128 scaled = odd;
        for (int k = 0; k < fives; k++)
            scaled *= 5; /* odd / 2^fives = odd * 5^fives / 10^fives */
        if (scaled >> 63 >> 1)
            continue;
        for (int step = -1; step <= 1; step++) {
            char text[64];
            uint64_t mantissa = (uint64_t)scaled + (uint64_t)(int64_t)step;
            snprintf(text, sizeof text, "%llue-%d", (unsigned long long)mantissa, fives);
            double x = -1, wanted = strtod(text, NULL);
            assert_true(fb_num_of_decimal(mantissa, -fives, &x));
            assert_memory_equal(&x, &wanted, sizeof x);
        }
    }
}

static void reads_hundreds_of_digits(void **state) {
    (void)state;
    char text[900];
    memset(text, '0', sizeof text);
    text[0] = '1';
    text[300] = '.';
    text[899] = '1';
    double x;
    assert_true(fb_num_parse((struct fb_str){text, sizeof text}, &x));
    assert_true(x == 1e299);
}

static void refuses_what_is_not_a_json_number(void **state) {
    (void)state;
    static const char *const bad[] = {"",      "-",      "+1",
                                      "01",    "-01",    ".5",
                                      "5.",    "1e",     "1e+",
                                      "1e-",   "1.e3",   "0x10",
                                      "1 ",    " 1",     "1,5",
                                      "NaN",   "inf",    "1e5x",
                                      "--1",   "1.2.3",  "1e5.0",
                                      "1e5e5", "00",     "-.5",
                                      "1e309", "-1e400", "1e999999999999999999999"};
    double x;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(fb_num_parse(fb_str_of(bad[i]), &x));
    assert_false(fb_num_parse((struct fb_str){0}, &x));
}

static void reads_only_the_view(void **state) {
    (void)state;
    double x;
    assert_true(fb_num_parse((struct fb_str){"1234", 2}, &x));
    assert_true(x == 12);
    char *exact = malloc(24); /* not terminated: reading on would be seen by a sanitizer */
    memcpy(exact, "1.2345678901234567890123", 24);
    assert_true(fb_num_parse((struct fb_str){exact, 24}, &x));
    assert_true(x == 1.2345678901234567);
    free(exact);
}

static void check_int(const char *text, bool wanted_ok, int64_t wanted) {
    int64_t x = 77;
    assert_int_equal(fb_num_parse_int(fb_str_of(text), &x), wanted_ok);
    assert_true(x == (wanted_ok ? wanted : 77));
}

static void reads_whole_numbers_exactly(void **state) {
    (void)state;
    check_int("0", true, 0);
    check_int("-0", true, 0);
    check_int("5.0", true, 5);
    check_int("1e3", true, 1000);
    check_int("1.25e2", true, 125);
    check_int("1200e-2", true, 12);
    check_int("9007199254740993", true, 9007199254740993);
    check_int("9223372036854775807", true, INT64_MAX);
    check_int("-9223372036854775808", true, INT64_MIN);
    check_int("9223372036854775807.000", true, INT64_MAX);
    check_int("0e99999999999", true, 0);
    check_int("9223372036854775808", false, 0);
    check_int("-9223372036854775809", false, 0);
    check_int("100000000000000000000", false, 0);
    check_int("1e19", false, 0);
    check_int("1.5", false, 0);
    check_int("1e-1", false, 0);
    check_int("1e-99999999999", false, 0);
    check_int("1e99999999999", false, 0);
    check_int("12345678901234567890.5", false, 0);
    check_int("007", false, 0);
    check_int("x", false, 0);
}

static void rounds_halves_away_from_zero(void **state) {
    (void)state;
    assert_true(fb_num_round(0.5) == 1);
    assert_true(fb_num_round(-0.5) == -1);
    assert_true(fb_num_round(2.5) == 3);
    assert_true(fb_num_round(0.49999999999999994) == 0);
    assert_true(fb_num_round(-2.4) == -2);
    assert_true(fb_num_round(4503599627370495.5) == 4503599627370496.0);
    assert_true(fb_num_round(4503599627370497.0) == 4503599627370497.0);
    assert_true(fb_num_round(1e300) == 1e300);
    assert_true(fb_num_floor(-0.5) == -1);
    assert_true(fb_num_floor(2.9) == 2);
    assert_true(fb_num_floor(-3) == -3);
    assert_true(fb_num_floor(-1e300) == -1e300);
    assert_true(fb_num_floor(4503599627370495.5) == 4503599627370495.0);
}

static void takes_square_roots(void **state) {
    (void)state;
    assert_true(fb_num_sqrt(2) == 1.4142135623730951);
    assert_true(fb_num_sqrt(0) == 0);
    assert_true(fb_num_sqrt(81) == 9);
    assert_false(fb_num_finite(fb_num_sqrt(-1)));
}

static void knows_finite_numbers(void **state) {
    (void)state;
    volatile double zero = 0;
    assert_true(fb_num_finite(DBL_MAX));
    assert_true(fb_num_finite(-0.0));
    assert_false(fb_num_finite(1 / zero));
    assert_false(fb_num_finite(-1 / zero));
    assert_false(fb_num_finite(zero / zero));
}

static void divides_towards_minus_infinity_and_saturates(void **state) {
    (void)state;
    assert_true(fb_floor_div(7, 2) == 3);
    assert_true(fb_floor_div(-7, 2) == -4);
    assert_true(fb_floor_div(-8, 2) == -4);
    assert_true(fb_floor_div(INT64_MIN, 1) == INT64_MIN);
    assert_true(fb_add_sat(INT64_MAX, 1) == INT64_MAX);
    assert_true(fb_add_sat(INT64_MIN, -1) == INT64_MIN);
    assert_true(fb_add_sat(INT64_MAX, INT64_MIN) == -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_fewest_digits_that_read_back),
        cmocka_unit_test(finds_the_short_text_above_a_power_of_two),
        cmocka_unit_test(changes_notation_at_the_borders),
        cmocka_unit_test(writes_no_negative_zero),
        cmocka_unit_test(reads_back_what_it_wrote),
        cmocka_unit_test(reads_the_nearest_double),
        cmocka_unit_test(reads_nineteen_digits_as_libc_does),
        cmocka_unit_test(rounds_halves_to_even),
        cmocka_unit_test(reads_hundreds_of_digits),
        cmocka_unit_test(refuses_what_is_not_a_json_number),
        cmocka_unit_test(reads_only_the_view),
        cmocka_unit_test(reads_whole_numbers_exactly),
        cmocka_unit_test(rounds_halves_away_from_zero),
        cmocka_unit_test(takes_square_roots),
        cmocka_unit_test(knows_finite_numbers),
        cmocka_unit_test(divides_towards_minus_infinity_and_saturates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
