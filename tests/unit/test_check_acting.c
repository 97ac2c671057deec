/* What the checker writes into actuators and commands, and that large rule sets of controls are
 * checked in time. What it refuses is in tests/golden/check, which commands exclude each other in
 * tests/golden/conflicts. */
#include "tests/unit/checked_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/lint.h"

static const char devices[] =
    "device room from \"rooms\" {\n"
    "  key id\n"
    "  time ts\n"
    "  temp : number [degC] range -20..50, every 10s\n"
    "  load : number [%] every 10s\n"
    "  state : one of (on, off, idle) every 10s\n"
    "}\n"
    "actuator cooler on room : (off, on) { safe off }\n"
    "actuator vent on room : number [%] range 20..100 { safe 30  default 0.5 kg/kg }\n"
    "actuator setpoint on room : number [degC] range 16..30 { safe 70 degF\n"
    "  slew 1.8 degR per 1m  ignore steps under 0.5 }\n";

/* Reads one control with the command and returns it. */
static const struct fb_command_decl *command(struct rules *r, const char *before,
                                             const char *text) {
    struct fb_buf all = {0};
    fb_buf_text(&all, devices);
    fb_buf_printf(&all, "%s\ncontrol a on room { command %s }\n", before, text);
    read_text(r, fb_buf_terminated(&all));
    fb_buf_free(&all);
    must_pass(r);
    return &r->checked.rules[r->checked.n_rules - 1].decl->commands[0];
}

static void a_commands_literal_is_converted_to_its_actuators_unit(void **state) {
    (void)state;
    struct rules r;
    const struct fb_command_decl *found = command(&r, "", "setpoint = 77 degF");
    assert_true(found->value->converted == 25);
    expect_unit(found->value, "degC");
    assert_true(found->actuator == r.checked.actuators[2].decl);
    drop(&r);
    found = command(&r, "", "vent = 0.5 m/m");
    assert_true(found->value->converted == 50);
    expect_unit(found->value, "%");
    drop(&r);
    found = command(&r, "", "vent = 0");
    assert_true(found->value->converted == 0);
    expect_unit(found->value, "%");
    drop(&r);
}

static void a_computed_value_keeps_the_unit_that_lowering_converts(void **state) {
    (void)state;
    struct rules r;
    const struct fb_command_decl *found =
        command(&r, "", "setpoint = if load > 5 % then 70 degF else temp");
    assert_int_equal(found->value->type, FB_T_NUMBER);
    expect_unit(found->value, "degC");
    assert_true(fb_unit_agree(found->value->unit, found->actuator->type.unit));
    drop(&r);
}

static void a_commands_words_are_those_of_its_actuator(void **state) {
    (void)state;
    struct rules r;
    const struct fb_command_decl *found =
        command(&r, "", "cooler = if state == on then on else off");
    assert_int_equal(found->value->type, FB_T_ENUM);
    assert_int_equal(found->value->a->b->word, 0); /* of `state` */
    assert_int_equal(found->value->b->word, 1);    /* of `cooler` */
    assert_int_equal(found->value->c->word, 0);
    drop(&r);
}

static void an_actuators_name_is_looked_up_behind_lets_fields_and_params(void **state) {
    (void)state;
    struct rules r;
    const struct fb_command_decl *found = command(
        &r, "alarm b on room { let vent = load  raise high when vent > 5 % and cooler == on }",
        "vent = 50 %");
    assert_non_null(found);
    const struct fb_node *both = r.checked.rules[0].decl->raises[0].when;
    assert_int_equal(both->a->a->ref, FB_REF_LET);
    assert_int_equal(both->b->a->ref, FB_REF_ACTUATOR);
    assert_true(both->b->a->actuator == r.checked.actuators[0].decl);
    assert_int_equal(both->b->b->ref, FB_REF_WORD);
    assert_int_equal(both->b->b->word, 1);
    drop(&r);
}

static void the_numbers_of_an_actuator_are_read_in_its_unit(void **state) {
    (void)state;
    struct rules r;
    double value;
    command(&r, "", "cooler = on");
    const struct fb_actuator_decl *vent = r.checked.actuators[1].decl;
    const struct fb_actuator_decl *setpoint = r.checked.actuators[2].decl;
    assert_true(fb_check_constant(vent->safe, vent->type.unit, &value) && value == 30);
    assert_true(fb_check_constant(vent->default_value, vent->type.unit, &value) && value == 50);
    const struct fb_unit *steps = fb_unit_difference(r.units, setpoint->type.unit);
    assert_true(fb_check_constant(setpoint->slew_up, steps, &value) && value == 1);
    assert_true(fb_check_constant(setpoint->ignore_under, steps, &value) && value == 0.5);
    assert_true(fb_check_constant(setpoint->safe, setpoint->type.unit, &value));
    assert_true(value > 21.1 && value < 21.2);
    drop(&r);
}

/* Lets that each stand twice in the next, in both controls: written out, 2^60 names. */
static void doubled_lets_in_controls_take_no_time(void **state) {
    (void)state;
    struct fb_buf text = {0};
    fb_buf_text(&text, devices);
    for (int c = 0; c < 2; c++) {
        fb_buf_printf(&text, "control c%d on room {\n  let x0 = temp > %d degC\n", c, 20 + c);
        for (int i = 1; i < 60; i++)
            fb_buf_printf(&text, "  let x%d = %sx%d %s x%d\n", i, i % 3 ? "" : "not ", i - 1,
                          i % 2 ? "or" : "and", i - 1);
        fb_buf_printf(&text, "  start when x59\n  command vent = %d %%\n}\n", 30 + c);
    }
    struct rules r;
    read_text(&r, fb_buf_terminated(&text));
    assert_int_equal(r.diags->n, 1);
    assert_int_equal(r.diags->items[0].code, FB_E_CONFLICT); /* what is too large is not proven */
    fb_buf_free(&text);
    drop(&r);
}

static void long_alternatives_are_no_proof(void **state) {
    (void)state;
    struct fb_buf text = {0};
    fb_buf_text(&text, devices);
    for (int c = 0; c < 2; c++) {
        fb_buf_printf(&text, "control c%d on room { start when temp > 100 degC", c);
        for (int i = 0; i < 900; i++)
            fb_buf_printf(&text, " or load > %d %%", i);
        fb_buf_printf(&text, "  command vent = %d %% }\n", 30 + c);
    }
    struct rules r;
    read_text(&r, fb_buf_terminated(&text));
    assert_int_equal(r.diags->n, 1);
    assert_int_equal(r.diags->items[0].code, FB_E_CONFLICT);
    fb_buf_free(&text);
    drop(&r);
}

/* As deep as an expression may be: the stack holds. Terms beyond those kept prove nothing. */
static void long_conjunctions_are_walked(void **state) {
    (void)state;
    struct fb_buf text = {0};
    fb_buf_text(&text, devices);
    for (int c = 0; c < 2; c++) {
        fb_buf_printf(&text, "control c%d on room { start when ", c);
        for (int i = 0; i < 900; i++)
            fb_buf_printf(&text, "load > %d %% and ", i);
        fb_buf_printf(&text, "temp %s 20 degC  command vent = %d %% }\n", c ? ">" : "<", 30 + c);
    }
    struct rules r;
    read_text(&r, fb_buf_terminated(&text));
    assert_int_equal(r.diags->n, 1);
    assert_int_equal(r.diags->items[0].code, FB_E_CONFLICT);
    fb_buf_free(&text);
    drop(&r);
}

static void thousands_of_controls_are_checked(void **state) {
    (void)state;
    struct fb_buf text = {0};
    for (int c = 0; c < 100; c++) {
        fb_buf_printf(&text, "device d%d from \"d%d\" { key id  time ts  x : number every 10s }\n",
                      c, c);
        for (int a = 0; a < 32; a++)
            fb_buf_printf(&text,
                          "actuator a%d_%d on d%d : (off, on) { safe off }\n"
                          "control c%d_%d on d%d { start when x > %d  command a%d_%d = on }\n",
                          c, a, c, c, a, c, a, c, a);
    }
    struct rules r;
    read_text(&r, fb_buf_terminated(&text));
    must_pass(&r);
    fb_lint(&r.checked, r.diags);
    assert_int_equal(r.checked.n_actuators, 3200);
    assert_int_equal(r.diags->errors, 0);
    fb_buf_free(&text);
    drop(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commands_literal_is_converted_to_its_actuators_unit),
        cmocka_unit_test(a_computed_value_keeps_the_unit_that_lowering_converts),
        cmocka_unit_test(a_commands_words_are_those_of_its_actuator),
        cmocka_unit_test(an_actuators_name_is_looked_up_behind_lets_fields_and_params),
        cmocka_unit_test(the_numbers_of_an_actuator_are_read_in_its_unit),
        cmocka_unit_test(doubled_lets_in_controls_take_no_time),
        cmocka_unit_test(long_alternatives_are_no_proof),
        cmocka_unit_test(long_conjunctions_are_walked),
        cmocka_unit_test(thousands_of_controls_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
