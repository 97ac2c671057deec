/* What the checker writes into the tree: types, units, converted literals, meanings of names. What
 * it refuses is in tests/golden/check. */
#include "tests/unit/checked_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const char devices[] = "device pump from \"pumps\" {\n"
                              "  key id\n"
                              "  time ts\n"
                              "  tag own_limit : number [degC]\n"
                              "  load : number [%] every 10s\n"
                              "  temp : number [degC]\n"
                              "  oven : number [degF]\n"
                              "  level : number [m]\n"
                              "  flow : number [m3/h]\n"
                              "  bytes : counter [kB]\n"
                              "  errors : integer\n"
                              "  running : bool\n"
                              "  valve : one of (open, closed, level)\n"
                              "}\n";

static void read_rules(struct rules *r, const char *text) {
    struct fb_buf all = {0};
    fb_buf_text(&all, devices);
    fb_buf_text(&all, text);
    read_text(r, fb_buf_terminated(&all));
    fb_buf_free(&all);
}

/* Reads `alarm a` with the condition, after `before`, and returns the condition. */
static const struct fb_node *condition(struct rules *r, const char *before, const char *text) {
    struct fb_buf all = {0};
    fb_buf_text(&all, before);
    fb_buf_printf(&all, "\nalarm a on pump { raise high when %s }\n", text);
    read_rules(r, fb_buf_terminated(&all));
    fb_buf_free(&all);
    must_pass(r);
    assert_int_equal(r->checked.n_rules, 1);
    return r->checked.rules[0].decl->raises[0].when;
}

/* The literal on the right of `condition` is delivered as this value in this unit, to the bit. */
static void expect_literal(const char *text, double value, const char *unit) {
    struct rules r;
    const struct fb_node *node = condition(&r, "", text);
    if (node->b->converted != value)
        fail_msg("%s: %.17g, not %.17g", text, node->b->converted, value);
    expect_unit(node->b, unit);
    drop(&r);
}

static void a_literal_is_converted_to_the_unit_beside_it(void **state) {
    (void)state;
    expect_literal("temp > 80 degC", 80, "degC");
    expect_literal("temp > 77 degF", 25, "degC");
    expect_literal("temp > 300 K", 26.85, "degC");
    expect_literal("oven > 25 degC", 77, "degF");
    expect_literal("level > 12 cm", 0.12, "m");
    expect_literal("level > 0.1 km", 100, "m");
    expect_literal("level > 0", 0, "m");
    expect_literal("load > 0", 0, "%");
    expect_literal("age(level) > 5m", 300, "s");
    expect_literal("age(level) > 1.5 h", 5400, "s");
    expect_literal("rate(bytes over 5m) > 2 MB/s", 2000, "kB/s");
    expect_literal("flow > 1 l/s", 3.6, "m3/h");
    expect_literal("load / 2 > 10 %", 10, "%");
    expect_literal("errors > 5", 5, "");
    expect_literal("change(oven) > 5 K", 9, "degF");
    expect_literal("spread(temp over 5m) > 9 degR", 5, "K");
    expect_literal("level / level > 50 %", 0.5, "");
}

static void a_literal_on_the_left_takes_the_unit_of_the_right(void **state) {
    (void)state;
    struct rules r;
    const struct fb_node *node = condition(&r, "", "77 degF < temp");
    assert_true(node->a->converted == 25);
    expect_unit(node->a, "degC");
    drop(&r);
}

static void the_steps_of_a_scale_are_added_to_it(void **state) {
    (void)state;
    struct rules r;
    const struct fb_node *node = condition(&r, "", "oven + 5 K > 100 degC");
    expect_unit(node->a, "degF");
    assert_false(node->a->difference);
    assert_true(node->a->b->converted == 9);
    assert_false(fb_unit_is_point(node->a->b->unit));
    assert_true(node->b->converted == 212);
    drop(&r);
    node = condition(&r, "", "temp - oven > 5 K");
    expect_unit(node->a, "K");
    assert_true(node->a->difference);
    drop(&r);
}

static void ranges_and_lists_are_in_the_unit_of_their_value(void **state) {
    (void)state;
    struct rules r;
    const struct fb_node *node = condition(&r, "", "level not in 10 cm..2 m");
    assert_true(node->b->converted == 0.1 && node->c->converted == 2);
    expect_unit(node->b, "m");
    drop(&r);
    node = condition(&r, "", "level in (1 m, 3 cm)");
    assert_true(node->items[0]->converted == 1 && node->items[1]->converted == 0.03);
    drop(&r);
}

static void a_declared_unit_belongs_to_bare_numbers(void **state) {
    (void)state;
    struct rules r;
    const struct fb_node *node =
        condition(&r, "param hot on pump [degF] = 77, 300 K where running", "temp > hot");
    const struct fb_param_decl *hot = node->b->param;
    expect_unit(hot->value, "degF");
    assert_true(hot->value->converted == 77);
    assert_true(hot->cases[0].value->converted == 80.33);
    expect_unit(node->b, "degF");
    drop(&r);
    node = condition(&r, "param hot on pump [degC] = if running then 10 else 5", "temp > hot");
    expect_unit(node->b->param->value, "degC");
    expect_unit(node->b->param->value->c, "degC");
    drop(&r);
}

static void a_let_is_in_its_declared_unit(void **state) {
    (void)state;
    struct rules r;
    const struct fb_node *node =
        condition(&r, "device pump { let deep [cm] = level }", "deep > 5 m");
    expect_unit(node->a, "cm");
    assert_true(node->b->converted == 500);
    assert_int_equal(node->a->ref, FB_REF_LET);
    drop(&r);
}

static void products_have_a_unit_of_their_own(void **state) {
    (void)state;
    struct rules r;
    const struct fb_node *node = condition(&r, "", "flow * 2h > 5 m3");
    expect_unit(node->a, "m3/h.s");
    assert_true(node->b->converted == 18000);
    drop(&r);
}

static void words_come_first_opposite_their_enumeration(void **state) {
    (void)state;
    struct rules r;
    const struct fb_node *node = condition(&r, "", "valve == level");
    assert_int_equal(node->b->ref, FB_REF_WORD);
    assert_int_equal(node->b->word, 2);
    drop(&r);
    node = condition(&r, "", "closed != previous(valve)");
    assert_int_equal(node->a->word, 1);
    assert_int_equal(node->b->type, FB_T_ENUM);
    drop(&r);
    node = condition(&r, "", "(if running then open else valve) in (open, level)");
    assert_int_equal(node->a->b->ref, FB_REF_WORD);
    assert_int_equal(node->items[1]->word, 2);
    assert_ptr_equal(fb_check_words(node->a), &node->a->c->field->type);
    drop(&r);
}

static void types_of_results(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum fb_type type;
        const char *unit;
    } cases[] = {
        {"errors", FB_T_INTEGER, ""},
        {"errors + 1", FB_T_NUMBER, ""},
        {"max(errors, 5)", FB_T_NUMBER, ""},
        {"previous(errors)", FB_T_INTEGER, ""},
        {"avg(errors over 5m)", FB_T_NUMBER, ""},
        {"count(running over 5m)", FB_T_NUMBER, ""},
        {"increase(bytes over 5m)", FB_T_NUMBER, "kB"},
        {"min(level, 5 cm)", FB_T_NUMBER, "m"},
        {"sqrt(level * level)", FB_T_NUMBER, "sqrt(m.m)"},
        {"coalesce(unknown, level)", FB_T_NUMBER, "m"},
        {"if running then unknown else level", FB_T_NUMBER, "m"},
        {"20 % of level", FB_T_NUMBER, "m"},
        {"stddev(temp over 5m)", FB_T_NUMBER, "K"},
        {"last(temp over last 5)", FB_T_NUMBER, "degC"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rules r;
        struct fb_buf text = {0};
        fb_buf_printf(&text, "alarm a on pump { let x = %s  raise high when running }",
                      cases[i].text);
        read_rules(&r, fb_buf_terminated(&text));
        must_pass(&r);
        const struct fb_node *value = r.checked.rules[0].decl->lets[0]->value;
        if (value->type != cases[i].type)
            fail_msg("%s is %s", cases[i].text, fb_check_type_text(value->type));
        expect_unit(value, cases[i].unit);
        fb_buf_free(&text);
        drop(&r);
    }
}

static void lets_of_reopened_devices_are_listed_in_order(void **state) {
    (void)state;
    struct rules r;
    read_rules(&r, "device pump { let a = b  let b = level }\ndevice pump { let c = a }");
    must_pass(&r);
    assert_int_equal(r.checked.n_classes, 1);
    assert_int_equal(r.checked.classes[0].n_lets, 3);
    assert_true(fb_str_eq(r.checked.classes[0].lets[2]->name, FB_S("c")));
    expect_unit(r.checked.classes[0].lets[2]->value, "m");
    drop(&r);
}

static void constants_are_read_through_names(void **state) {
    (void)state;
    struct rules r;
    const struct fb_node *node =
        condition(&r, "param wait [min] = 1.5\nparam other = wait", "running for other");
    int64_t us;
    assert_true(fb_check_span(node->b, r.units, &us));
    assert_int_equal(us, 90000000);
    drop(&r);
    node = condition(&r, "", "running for 7ms");
    assert_true(fb_check_span(node->b, r.units, &us));
    assert_int_equal(us, 7000);
    drop(&r);
}

/* Lets that use the one before twice are 2^60 paths; each is looked at once. */
static void doubled_lets_take_no_time(void **state) {
    (void)state;
    struct fb_buf text = {0};
    fb_buf_text(&text,
                "device pump {\n  let l0 = 1\n  let e0 = if running then valve else valve\n");
    for (int i = 1; i < 60; i++) {
        fb_buf_printf(&text, "  let l%d = l%d + l%d\n", i, i - 1, i - 1);
        fb_buf_printf(&text, "  let e%d = if running then e%d else e%d\n", i, i - 1, i - 1);
    }
    fb_buf_text(&text, "}\nalarm a on pump { raise high when l59 > 5 or e59 == open or 5 < l59 }");
    struct rules r;
    read_rules(&r, fb_buf_terminated(&text));
    must_pass(&r);
    fb_buf_free(&text);
    drop(&r);
}

static void thousands_of_rules_are_checked(void **state) {
    (void)state;
    struct fb_buf text = {0};
    for (int i = 0; i < 3000; i++)
        fb_buf_printf(&text,
                      "param p%d on pump [m] = %d\n"
                      "alarm a%d on pump { raise high when level > p%d for 5s }\n",
                      i, i, i, i);
    struct rules r;
    read_rules(&r, fb_buf_terminated(&text));
    must_pass(&r);
    assert_int_equal(r.checked.n_rules, 3000);
    fb_buf_free(&text);
    drop(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_literal_is_converted_to_the_unit_beside_it),
        cmocka_unit_test(a_literal_on_the_left_takes_the_unit_of_the_right),
        cmocka_unit_test(the_steps_of_a_scale_are_added_to_it),
        cmocka_unit_test(ranges_and_lists_are_in_the_unit_of_their_value),
        cmocka_unit_test(a_declared_unit_belongs_to_bare_numbers),
        cmocka_unit_test(a_let_is_in_its_declared_unit),
        cmocka_unit_test(products_have_a_unit_of_their_own),
        cmocka_unit_test(words_come_first_opposite_their_enumeration),
        cmocka_unit_test(types_of_results),
        cmocka_unit_test(lets_of_reopened_devices_are_listed_in_order),
        cmocka_unit_test(constants_are_read_through_names),
        cmocka_unit_test(doubled_lets_take_no_time),
        cmocka_unit_test(thousands_of_rules_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
