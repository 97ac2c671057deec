/* Units: which words are known, which go together, and that conversions are exact. */
#include "rules/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct fb_units *units;

static int set_up(void **state) {
    (void)state;
    units = fb_units_new();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fb_units_free(units);
    return 0;
}

static const struct fb_unit *unit(const char *text) {
    const struct fb_unit *found = fb_unit_find(units, fb_str_of(text));
    if (!found)
        fail_msg("the unit %s is not known", text);
    return found;
}

static void expect_exact(const char *from, double value, const char *to, double expected) {
    double got = fb_unit_convert_value(unit(from), to ? unit(to) : NULL, false, value);
    if (got != expected) /* to the bit */
        fail_msg("%.17g %s is %.17g %s, not %.17g", value, from, got, to ? to : "1", expected);
}

static void literals_are_converted_exactly_and_rounded_once(void **state) {
    (void)state;
    expect_exact("degC", 25, "degF", 77);
    expect_exact("degF", 77, "degC", 25);
    expect_exact("degC", -40, "degF", -40);
    expect_exact("degC", 21.5, "K", 294.65);
    expect_exact("degF", 5, "K", 258.15);
    expect_exact("°C", 0.1, "°F", 32.18);
    expect_exact("%", 70, NULL, 0.7);
    expect_exact("%", 0.3, NULL, 0.003);
    expect_exact("ppm", 400, "%", 0.04);
    expect_exact("km", 1.1, "m", 1100);
    expect_exact("mm", 0.1, "m", 0.0001);
    expect_exact("h", 0.1, "s", 360);
    expect_exact("ms", 7, "s", 0.007);
    expect_exact("kWh", 1, "MJ", 3.6);
    expect_exact("m3/h", 3.6, "l/s", 1);
    expect_exact("GB", 1.5, "MB", 1500);
    expect_exact("GiB", 1, "MiB", 1024);
    expect_exact("KiB", 1, "B", 1024);
    expect_exact("Mbit/s", 8, "MB/s", 1);
    expect_exact("Mbps", 1, "kbit/s", 1000);
    expect_exact("rpm", 1, "deg/s", 6);
    expect_exact("in", 1, "mm", 25.4);
    expect_exact("inH2O", 1, "Pa", 249.08891);
    expect_exact("psi", 1, "bar", 0.068947572931683613); /* 0.0689475729316836133672.. */
    expect_exact("cfm", 1, "m3/h", 1.69901079552);
    expect_exact("gpm", 1, "l/min", 3.785411784);
}

static void differences_of_temperatures_have_no_offset(void **state) {
    (void)state;
    assert_true(fb_unit_convert_value(unit("degF"), unit("K"), true, 9) == 5);
    assert_true(fb_unit_convert_value(unit("K"), unit("degF"), true, 5) == 9);
    assert_true(fb_unit_is_point(unit("degC")));
    assert_false(fb_unit_is_point(unit("K")));
    const struct fb_unit *kelvin = fb_unit_difference(units, unit("degC"));
    assert_true(fb_unit_same(kelvin, unit("K")));
    const struct fb_unit *steps = fb_unit_difference(units, unit("degF"));
    assert_false(fb_unit_is_point(steps));
    assert_true(fb_unit_same(steps, unit("degR")));
    assert_ptr_equal(fb_unit_difference(units, unit("bar")), unit("bar"));
}

static void runtime_conversions_divide_where_that_is_exact(void **state) {
    (void)state;
    struct fb_unit_conversion c = fb_unit_convert(unit("m"), unit("km"), false);
    assert_true(c.divide && c.scale == 1000 && c.offset == 0 && !c.same);
    c = fb_unit_convert(unit("km"), unit("m"), false);
    assert_true(!c.divide && c.scale == 1000);
    c = fb_unit_convert(unit("degC"), unit("degF"), false);
    assert_true(!c.divide && c.scale == 1.8 && c.offset == 32);
    c = fb_unit_convert(unit("degC"), unit("K"), true);
    assert_true(c.same);
    c = fb_unit_convert(unit("%"), NULL, false);
    assert_true(c.divide && c.scale == 100);
}

static void units_of_one_dimension_agree(void **state) {
    (void)state;
    assert_true(fb_unit_agree(unit("degC"), unit("K")));
    assert_true(fb_unit_agree(unit("VA"), unit("kW")));
    assert_true(fb_unit_agree(unit("Wh"), unit("J")));
    assert_true(fb_unit_agree(unit("%"), NULL));
    assert_true(fb_unit_agree(unit("W/m2"), unit("kW/(m.m)")));
    assert_true(fb_unit_agree(unit("m^3.h-1"), unit("cfm")));
    assert_false(fb_unit_agree(unit("m"), unit("min")));
    assert_false(fb_unit_agree(unit("rpm"), unit("Hz")));
    assert_false(fb_unit_agree(unit("B"), NULL));
    assert_false(fb_unit_agree(unit("dBm"), unit("W")));
}

static void our_words_come_before_those_of_udunits(void **state) {
    (void)state;
    expect_exact("B", 1, "bit", 8);  /* not bel */
    expect_exact("min", 1, "s", 60); /* not milli-inch */
    expect_exact("kWh/m3/K", 1, "Wh/(m3.K)", 1000);
    assert_true(fb_unit_agree(unit("h"), unit("s")));
}

static void words_that_only_udunits_knows_are_found(void **state) {
    (void)state;
    expect_exact("furlong", 1, "yd", 220.00044000088); /* the survey foot's */
    expect_exact("day", 1, "h", 24);
    expect_exact("bushel", 0, "l", 0);
    assert_true(fb_unit_agree(unit("dyne"), unit("N")));
    assert_true(fb_unit_is_point(unit("degree_fahrenheit")));
    expect_exact("degree_fahrenheit", 212, "degC", 100);
}

static void strange_words_are_unknown(void **state) {
    (void)state;
    static const char *const texts[] = {"",   "foo",  "m/",        "/h",  "(m",  "m)",
                                        "..", "5",    "m//h",      "m h", "m3h", "2001-01-01",
                                        "-1", "m^99", "lg(re mW)", "K-K", "m@5", "10"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (fb_unit_find(units, fb_str_of(texts[i])))
            fail_msg("\"%s\" counts as a unit", texts[i]);
}

static void equal_texts_give_the_same_unit(void **state) {
    (void)state;
    assert_ptr_equal(unit("m3/h"), unit("m3/h"));
    assert_true(fb_str_eq(fb_unit_text(unit("m3/h")), FB_S("m3/h")));
    assert_int_equal(fb_unit_text(NULL).n, 0);
}

static void products_and_quotients_have_their_dimension(void **state) {
    (void)state;
    const struct fb_unit *volume = fb_unit_multiply(units, unit("m3/h"), unit("h"));
    assert_true(fb_unit_same(volume, unit("m3")));
    assert_true(fb_unit_is_derived(volume));
    assert_true(fb_str_eq(fb_unit_text(volume), FB_S("m3/h.h")));
    assert_null(fb_unit_divide(units, unit("bar"), unit("bar")));
    const struct fb_unit *ratio = fb_unit_divide(units, unit("m"), unit("km"));
    assert_true(fb_unit_is_dimensionless(ratio));
    assert_true(fb_unit_convert_value(ratio, NULL, false, 5) == 0.005);
    assert_true(
        fb_str_eq(fb_unit_text(fb_unit_divide(units, NULL, unit("m3/h"))), FB_S("1/(m3/h)")));
    assert_true(fb_unit_same(fb_unit_per_second(units, unit("kB")), unit("kB/s")));
    assert_null(fb_unit_per_second(units, NULL));
    assert_true(fb_unit_same(fb_unit_divide(units, unit("K"), unit("h")), unit("degC/h")));
}

static void only_even_powers_have_a_root(void **state) {
    (void)state;
    const struct fb_unit *out;
    assert_true(fb_unit_root(units, unit("m2"), &out));
    assert_true(fb_unit_same(out, unit("m")));
    assert_true(fb_unit_root(units, unit("km2"), &out));
    assert_true(fb_unit_same(out, unit("km")));
    assert_true(fb_unit_root(units, NULL, &out));
    assert_null(out);
    assert_false(fb_unit_root(units, unit("m3"), &out));
    assert_false(fb_unit_root(units, unit("ppb"), &out));
}

static void a_power_without_bounds_agrees_with_nothing(void **state) {
    (void)state;
    const struct fb_unit *big = unit("m");
    for (int i = 0; i < 12; i++)
        big = fb_unit_multiply(units, big, big);
    assert_false(fb_unit_agree(big, big));
}

static void unknown_words_get_a_suggestion(void **state) {
    (void)state;
    static const struct {
        const char *wrong, *right;
    } cases[] = {{"kwh", "kWh"},
                 {"Celsius", "celsius"},
                 {"degc", "degC"},
                 {"Mpa", "MPa"},
                 {"precent", "percent"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fb_str got = fb_unit_nearest(units, fb_str_of(cases[i].wrong));
        if (!fb_str_eq(got, fb_str_of(cases[i].right)))
            fail_msg("%s: %.*s", cases[i].wrong, FB_ARG(got));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_converted_exactly_and_rounded_once),
        cmocka_unit_test(differences_of_temperatures_have_no_offset),
        cmocka_unit_test(runtime_conversions_divide_where_that_is_exact),
        cmocka_unit_test(units_of_one_dimension_agree),
        cmocka_unit_test(our_words_come_before_those_of_udunits),
        cmocka_unit_test(words_that_only_udunits_knows_are_found),
        cmocka_unit_test(strange_words_are_unknown),
        cmocka_unit_test(equal_texts_give_the_same_unit),
        cmocka_unit_test(products_and_quotients_have_their_dimension),
        cmocka_unit_test(only_even_powers_have_a_root),
        cmocka_unit_test(a_power_without_bounds_agrees_with_nothing),
        cmocka_unit_test(unknown_words_get_a_suggestion),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
