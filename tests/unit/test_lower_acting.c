/* What actuators and controls become in the program: memory, claims, code, identity, version. */
#include "rules/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/layout.h"
#include "rules/cost.h"
#include "rules/listing.h"

#define S INT64_C(1000000)
#define MIN (60 * S)
#define TANK                                                                                       \
    "device tank from \"tanks\" {\n  key tank  time ts\n  level : number [m] every 5s\n"           \
    "  temp : number [degC]\n  wet : bool\n  state : one of (off, on)\n}\n"
#define PUMP "actuator pump on tank : (off, on) { safe off }\n"

struct made {
    struct fb_diags *diags;
    struct fb_compiled compiled;
    const struct fb_program *program;
    const struct fb_class *tank;
};

static struct made make(const char *rules) {
    struct made made = {.diags = fb_diags_new()};
    struct fb_sources *sources = fb_sources_new();
    struct fb_buf source = {0}, printed = {0};
    fb_buf_text(&source, TANK);
    fb_buf_text(&source, rules);
    fb_sources_add(sources, FB_S("test.rules"), (struct fb_str){source.p, source.n});
    fb_buf_free(&source);
    if (!fb_compile_sources(sources, made.diags, &made.compiled)) {
        fb_diags_print(made.diags, sources, false, &printed);
        fail_msg("%s", fb_buf_terminated(&printed));
    }
    made.program = made.compiled.program;
    made.tank = fb_program_class(made.program, FB_S("tank"));
    return made;
}

static void unmake(struct made *made) {
    fb_compiled_free(&made->compiled);
    fb_diags_free(made->diags);
}

static void code_is(const struct made *made, struct fb_code code, const char *wanted) {
    struct fb_buf text = {0};
    fb_listing_code(made->tank, code, 0, &text);
    assert_string_equal(fb_buf_terminated(&text), wanted);
    fb_buf_free(&text);
}

static const struct fb_rule *rule_of(const struct made *made, const char *name) {
    for (uint32_t i = 0; i < made->program->n_rules; i++)
        if (fb_str_eq(made->program->rules[i].name, fb_str_of(name)))
            return &made->program->rules[i];
    fail_msg("no rule %s", name);
    return NULL;
}

static const struct fb_condition *condition_of(const struct made *made, const char *rule,
                                               uint32_t i) {
    const struct fb_rule *of = rule_of(made, rule);
    assert_true(i < of->n_conditions);
    return &made->tank->conditions[of->first_condition + i];
}

static void text_is(struct fb_str text, const char *wanted) {
    assert_int_equal(text.n, strlen(wanted));
    assert_memory_equal(text.p, wanted, text.n);
}

static void number_is(double x, double wanted) {
    assert_true(x == wanted);
}

/* ---- actuators ----------------------------------------------------------------------------- */

static void clauses_that_are_not_written_have_their_defaults(void **state) {
    (void)state;
    struct made made = make(PUMP "actuator valve on tank : number [%] range 5..90 { safe 10 % }");
    const struct fb_actuator *pump = &made.tank->actuators[0], *valve = &made.tank->actuators[1];
    assert_int_equal(made.tank->n_actuators, 2);
    assert_true(pump->is_switch && !pump->shadow);
    text_is(pump->words[0], "off");
    text_is(pump->words[1], "on");
    number_is(pump->low, 0);
    number_is(pump->high, 1);
    number_is(pump->fallback, 0);
    assert_int_equal(pump->minimum_us[0], MIN);
    assert_int_equal(pump->minimum_us[1], MIN);
    assert_int_equal(pump->maximum_on_us, 0);
    assert_int_equal(pump->starts, 0);
    assert_int_equal(pump->lease_us, MIN);
    assert_int_equal(pump->deliver_us, 30 * S);
    assert_int_equal(pump->hold_us, 240 * MIN);
    assert_int_equal(pump->combine, FB_COMBINE_NONE);
    assert_int_equal(pump->lockout_us, 0);
    assert_int_equal(pump->interlock, FB_NO_CONDITION);
    assert_int_equal(pump->permissive, FB_NO_CONDITION);
    assert_int_equal(pump->reversals, 4);
    assert_int_equal(pump->reversals_us, 10 * MIN);
    assert_int_equal(pump->breaker_us, 30 * MIN);
    assert_false(pump->breaker_safe);
    assert_false(valve->is_switch);
    text_is(valve->unit, "%");
    number_is(valve->low, 5);
    number_is(valve->high, 90);
    number_is(valve->safe, 10);
    number_is(valve->fallback, 10);
    assert_int_equal(valve->minimum_us[0] + valve->minimum_us[1], 0);
    assert_int_equal(valve->reversals, 0);
    number_is(valve->slew[0] + valve->slew[1] + valve->ignore_under, 0);
    unmake(&made);
}

static void every_clause_is_taken_over(void **state) {
    (void)state;
    struct made made =
        make("actuator fan on tank : (still, running) { safe still  default running\n"
             "  minimum on 2m, off 0s  maximum on 1h  starts 6 per 1h  lease 90s\n"
             "  deliver within 10s  hold at most 30m  combine safest\n"
             "  permissive when level > 1 m  interlock when wet  lockout 5m after interlock\n"
             "  breaker 6 reversals in 20m, safe 15m }");
    const struct fb_actuator *fan = &made.tank->actuators[0];
    number_is(fan->safe, 0);
    number_is(fan->fallback, 1);
    assert_int_equal(fan->minimum_us[0], 1000000); /* beside a maximum */
    assert_int_equal(fan->minimum_us[1], 2 * MIN);
    assert_int_equal(fan->maximum_on_us, 60 * MIN);
    assert_int_equal(fan->starts, 6);
    assert_int_equal(fan->starts_us, 60 * MIN);
    assert_int_equal(fan->lease_us, 90 * S);
    assert_int_equal(fan->deliver_us, 10 * S);
    assert_int_equal(fan->hold_us, 30 * MIN);
    assert_int_equal(fan->combine, FB_COMBINE_SAFEST);
    assert_int_equal(fan->lockout_us, 5 * MIN);
    assert_int_equal(fan->reversals, 6);
    assert_int_equal(fan->reversals_us, 20 * MIN);
    assert_int_equal(fan->breaker_us, 15 * MIN);
    assert_true(fan->breaker_safe);
    const struct fb_rule *rule = rule_of(&made, "fan");
    assert_int_equal(rule->sort, FB_SORT_ACTUATOR);
    assert_int_equal(rule->n_conditions, 2);
    assert_int_equal(fan->interlock, rule->first_condition);
    assert_int_equal(fan->permissive, rule->first_condition + 1);
    assert_int_equal(condition_of(&made, "fan", 0)->role, FB_ROLE_INTERLOCK);
    assert_int_equal(condition_of(&made, "fan", 1)->role, FB_ROLE_PERMISSIVE);
    code_is(&made, condition_of(&made, "fan", 1)->code, "r0   field_cmp level > 1\n");
    assert_int_equal(rule->n_shown, 2);
    text_is(rule->shown[0].name, "level");
    text_is(rule->shown[1].name, "wet");
    unmake(&made);
}

static void long_minimums_make_the_breakers_default_patient(void **state) {
    (void)state;
    struct made made =
        make("actuator pump on tank : (off, on) { safe off  minimum on 2m, off 3m }");
    assert_int_equal(made.tank->actuators[0].reversals_us, 20 * MIN);
    unmake(&made);
}

static void steps_are_differences_in_the_actuators_unit(void **state) {
    (void)state;
    struct made made = make("actuator set on tank : number [degF] range 40..140 { safe 20 degC\n"
                            "  slew up 2 K per 1m  ignore steps under 0.5 K }\n"
                            "actuator valve on tank : number [%] range 0..100 { safe 0 %\n"
                            "  slew 5 % per 10s }");
    const struct fb_actuator *set = &made.tank->actuators[0], *valve = &made.tank->actuators[1];
    number_is(set->safe, 68);
    number_is(set->slew[0], 0);
    number_is(set->slew[1], 3.6);
    assert_int_equal(set->slew_us[1], MIN);
    number_is(set->ignore_under, 0.9);
    number_is(valve->slew[0], 5);
    number_is(valve->slew[1], 5);
    assert_int_equal(valve->slew_us[0], 10 * S);
    unmake(&made);
}

static void an_actuators_memory_has_room_for_its_times(void **state) {
    (void)state;
    struct made made = make("actuator pump on tank : (off, on) { safe off  starts 6 per 1h }");
    const struct fb_actuator *pump = &made.tank->actuators[0];
    assert_int_equal(pump->bytes, sizeof(struct fb_actuator_cell) + 8 * (6 + 4));
    assert_int_equal(pump->offset % 8, 0);
    assert_true(pump->offset + pump->bytes <= made.tank->block_bytes);
    unmake(&made);
}

/* ---- controls ------------------------------------------------------------------------------ */

#define CONTROL(rollout) "control fill on tank { start when wet  command pump = on " rollout " }"

static void a_control_is_its_start_and_then_its_commands(void **state) {
    (void)state;
    struct made made =
        make(PUMP "actuator valve on tank : number [%] range 0..100 { safe 0 % }\n"
                  "control fill on tank { start when level < 2 m until level > 3 m\n"
                  "  command pump = on at priority 10 for 90s  command valve = 40 %\n"
                  "  on unknown stop  rollout armed }");
    const struct fb_rule *fill = rule_of(&made, "fill");
    assert_int_equal(fill->sort, FB_SORT_CONTROL);
    assert_int_equal(fill->on_unknown, FB_POLICY_STOP);
    assert_true(fill->has_start);
    assert_int_equal(fill->n_conditions, 3);
    assert_int_equal(fill->first_claim, 0);
    assert_int_equal(fill->n_claims, 2);
    assert_int_equal(condition_of(&made, "fill", 0)->role, FB_ROLE_WHEN);
    for (uint32_t i = 0; i < 2; i++) {
        const struct fb_condition *condition = condition_of(&made, "fill", 1 + i);
        const struct fb_claim *claim = &made.tank->claims[i];
        assert_int_equal(condition->role, FB_ROLE_CLAIM);
        assert_int_equal(condition->claim, i);
        assert_int_equal(condition->raise, 1 + i);
        assert_ptr_equal(&made.tank->conditions[claim->condition], condition);
        assert_int_equal(claim->offset, condition->offset);
        assert_int_equal(claim->offset % 8, 0);
        assert_int_equal(claim->actuator, i);
        number_is(claim->percent, 100);
        assert_int_equal(made.tank->actuators[i].n_claims, 1);
        assert_int_equal(made.tank->actuators[i].claims[0], i);
    }
    assert_int_equal(made.tank->claims[0].priority, 10);
    assert_int_equal(made.tank->claims[0].pulse_us, 90 * S);
    assert_int_equal(made.tank->claims[1].priority, FB_PRIORITY_DEFAULT);
    assert_int_equal(made.tank->claims[1].pulse_us, 0);
    code_is(&made, condition_of(&made, "fill", 1)->code, "r0   int 1\n");
    unmake(&made);
}

/* Those of any state are asked first. */
static void a_mode_is_where_its_ways_and_then_its_commands(void **state) {
    (void)state;
    struct made made =
        make(PUMP "mode fill on tank where wet {\n"
                  "  state idle { go run when level < 2 m  go off after 1h }\n"
                  "  state any { go off when level > 5 m at once }\n"
                  "  state run { stay 30s  command pump = on at priority 10  go idle after 5m }\n"
                  "  state off { command pump = off at priority 11 for 90s  go idle after 5m }\n"
                  "  rollout armed }\n"
                  "alarm runs on tank { raise low when fill == run }");
    const struct fb_rule *rule = rule_of(&made, "fill");
    assert_int_equal(rule->sort, FB_SORT_MODE);
    assert_true(rule->has_start);
    assert_int_equal(rule->n_conditions, 5);
    assert_int_equal(made.tank->n_modes, 1);
    const struct fb_machine *mode = &made.tank->modes[0];
    assert_int_equal(mode->offset, rule->offset);
    assert_int_equal(mode->n_states, 3);
    assert_int_equal(mode->stay_us[1], 30 * S);
    assert_int_equal(mode->stay_us[2], 0);
    assert_int_equal(mode->n_gos, 5);
    assert_true(mode->gos[0].from == FB_ANY_STATE && mode->gos[0].to == 2 && mode->gos[0].at_once);
    assert_int_equal(mode->gos[0].condition, rule->first_condition + 1);
    assert_true(mode->gos[1].from == 0 && mode->gos[1].to == 1);
    assert_int_equal(mode->gos[1].condition, rule->first_condition + 2);
    assert_true(mode->gos[2].condition == FB_NO_CONDITION && mode->gos[2].after_us == 3600 * S);
    const struct fb_claim *claims = &made.tank->claims[rule->first_claim];
    assert_true(claims[0].of_mode && claims[0].state == 1 && claims[0].priority == 10);
    assert_true(claims[1].of_mode && claims[1].state == 2 && claims[1].pulse_us == 90 * S);
    assert_int_equal(condition_of(&made, "runs", 0)->modes, 1);
    code_is(&made, condition_of(&made, "runs", 0)->code,
            "r0   mode fill\nr1   int 1\nr2   cmp_int r0 == r1\n");
    unmake(&made);
}

static void a_commands_number_is_brought_to_the_actuators_unit(void **state) {
    (void)state;
    struct made made = make("actuator set on tank : number [degF] range 40..140 { safe 68 degF }\n"
                            "control a on tank { command set = temp + 5 K }\n"
                            "control b on tank { command set = 20 degC at priority 13 }\n");
    code_is(&made, condition_of(&made, "a", 0)->code, "r0   field temp\n"
                                                      "r1   number 5\n"
                                                      "r2   add r0 r1\n"
                                                      "r3   convert r2 1.8 + 32\n");
    code_is(&made, condition_of(&made, "b", 0)->code, "r0   number 68\n");
    unmake(&made);
}

static void where_goes_into_the_start_and_stands_for_it(void **state) {
    (void)state;
    struct made made =
        make(PUMP "control a on tank where wet { start when level < 2 m  command pump = on }\n"
                  "control b on tank where wet { command pump = off at priority 13 }\n"
                  "control c on tank { command pump = on at priority 14 }\n");
    code_is(&made, condition_of(&made, "a", 0)->code, "r0   field_cmp level < 2\n"
                                                      "r1   field wet\n"
                                                      "r2   and r1 r0\n");
    code_is(&made, condition_of(&made, "a", 1)->code, "r0   int 1\n");
    assert_true(rule_of(&made, "b")->has_start);
    code_is(&made, condition_of(&made, "b", 0)->code, "r0   field wet\n");
    assert_false(rule_of(&made, "c")->has_start);
    assert_int_equal(rule_of(&made, "c")->n_conditions, 1);
    assert_int_equal(condition_of(&made, "c", 0)->role, FB_ROLE_CLAIM);
    unmake(&made);
}

static void a_control_shows_what_its_start_and_commands_name(void **state) {
    (void)state;
    struct made made =
        make("actuator valve on tank : number [%] range 0..100 { safe 0 % }\n"
             "control a on tank where wet { let wanted = if temp > 5 degC then 80 % else 20 %\n"
             "  start when level < 2 m  command valve = wanted }");
    const struct fb_rule *a = rule_of(&made, "a");
    static const char *const names[] = {"level", "temp", "wanted", "wet"};
    assert_int_equal(a->n_shown, 4);
    for (uint32_t i = 0; i < 4; i++)
        text_is(a->shown[i].name, names[i]);
    text_is(a->shown[2].unit, "%");
    unmake(&made);
}

/* ---- names --------------------------------------------------------------------------------- */

static void an_actuators_name_is_what_it_last_accepted(void **state) {
    (void)state;
    struct made made =
        make(PUMP "actuator valve on tank : number [%] range 0..100 { safe 0 % }\n"
                  "control a on tank { command pump = on  rollout shadow }\n"
                  "alarm b on tank { raise high when pump == on and valve > 50 % }\n"
                  "alarm c on tank { raise high when level > 1 m }\n");
    const struct fb_condition *b = condition_of(&made, "b", 0);
    code_is(&made, b->code, "r0   actuator pump\n"
                            "r1   int 1\n"
                            "r2   cmp_int r0 == r1\n"
                            "r3   actuator valve\n"
                            "r4   number 50\n"
                            "r5   cmp_number r3 > r4\n"
                            "r6   and r2 r5\n");
    assert_int_equal(made.tank->n_actuators, 3); /* pump, its shadow, valve */
    assert_int_equal(b->actuators, 1u << 0 | 1u << 2);
    assert_int_equal(condition_of(&made, "c", 0)->actuators, 0);
    unmake(&made);
}

/* ---- shadows ------------------------------------------------------------------------------- */

static void shadows(const char *rules, uint32_t n_actuators, double percent) {
    struct made made = make(rules);
    assert_int_equal(made.tank->n_actuators, n_actuators);
    number_is(made.tank->claims[0].percent, percent);
    for (uint32_t i = 0; i < n_actuators; i++) {
        const struct fb_actuator *actuator = &made.tank->actuators[i];
        text_is(actuator->name, "pump");
        assert_int_equal(actuator->shadow, i == 1);
        assert_int_equal(actuator->n_claims, 1);
        assert_int_equal(actuator->rule, 0);
    }
    assert_int_equal(made.tank->claims[0].actuator, 0);
    if (n_actuators == 2) {
        assert_true(made.tank->actuators[1].offset >=
                    made.tank->actuators[0].offset + made.tank->actuators[0].bytes);
        assert_int_equal(made.tank->actuators[0].interlock, made.tank->actuators[1].interlock);
    }
    unmake(&made);
}

static void an_actuator_has_a_shadow_where_a_control_on_it_is_not_armed(void **state) {
    (void)state;
    shadows(PUMP CONTROL("rollout armed"), 1, 100);
    shadows(PUMP CONTROL(""), 2, 0);
    shadows(PUMP CONTROL("rollout shadow"), 2, 0);
    shadows(PUMP CONTROL("rollout canary 25 %"), 2, 25);
    shadows(PUMP CONTROL("rollout canary 100 %"), 2, 100);
}

static void claims_stand_in_the_order_of_the_text_wherever_the_actuator_does(void **state) {
    (void)state;
    struct made made = make("control a on tank { command pump = on at priority 13 }\n" PUMP
                            "control b on tank { command pump = off rollout armed }\n");
    const struct fb_actuator *pump = &made.tank->actuators[0];
    assert_int_equal(made.tank->n_actuators, 2);
    assert_int_equal(pump->rule, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pump[i].n_claims, 2);
        assert_int_equal(pump[i].claims[0], 0);
        assert_int_equal(pump[i].claims[1], 1);
    }
    text_is(made.program->rules[made.tank->claims[0].rule].name, "a");
    text_is(made.program->rules[made.tank->claims[1].rule].name, "b");
    unmake(&made);
}

/* ---- identity ------------------------------------------------------------------------------ */

static const struct fb_cell_id *cell_of(const struct made *made, enum fb_cell_kind kind,
                                        uint32_t index) {
    for (uint32_t i = 0; i < made->tank->n_cells; i++)
        if (made->tank->cells[i].kind == kind && made->tank->cells[i].index == index)
            return &made->tank->cells[i];
    fail_msg("no such cell");
    return NULL;
}

enum same { SAME, ALIKE, OTHER };

static enum same compare_cells(const char *one, const char *other, enum fb_cell_kind kind) {
    struct made a = make(one), b = make(other);
    const struct fb_cell_id *x = cell_of(&a, kind, 0), *y = cell_of(&b, kind, 0);
    enum same same = fb_hash128_eq(x->hash, y->hash)           ? SAME
                     : fb_hash128_eq(x->likeness, y->likeness) ? ALIKE
                                                               : OTHER;
    unmake(&a);
    unmake(&b);
    return same;
}

static void an_actuators_memory_is_found_again_by_its_name_alone(void **state) {
    (void)state;
    static const char *const base = PUMP;
    assert_int_equal(compare_cells(base,
                                   "actuator pump on tank : (off, on) { safe on  starts 3 per 1h "
                                   "minimum off 9m  interlock when wet }" CONTROL(""),
                                   FB_CELL_ACTUATOR),
                     SAME);
    assert_int_equal(compare_cells(base, "actuator pump on tank : (no, yes) { safe no }",
                                   FB_CELL_ACTUATOR),
                     ALIKE);
    assert_int_equal(compare_cells(base,
                                   "actuator pump on tank : number range 0..1 { safe 0 }",
                                   FB_CELL_ACTUATOR),
                     ALIKE);
    assert_int_equal(compare_cells("actuator v on tank : number [%] range 0..50 { safe 0 % }",
                                   "actuator v on tank : number [%] range 0..99 { safe 1 % }",
                                   FB_CELL_ACTUATOR),
                     SAME);
    assert_int_equal(compare_cells("actuator v on tank : number [%] range 0..50 { safe 0 % }",
                                   "actuator v on tank : number [m] range 0..50 { safe 0 m }",
                                   FB_CELL_ACTUATOR),
                     ALIKE);
    assert_int_equal(compare_cells(base, "actuator punp on tank : (off, on) { safe off }",
                                   FB_CELL_ACTUATOR),
                     OTHER);
    struct made made = make(PUMP CONTROL(""));
    assert_false(fb_hash128_eq(cell_of(&made, FB_CELL_ACTUATOR, 0)->likeness,
                               cell_of(&made, FB_CELL_ACTUATOR, 1)->likeness));
    unmake(&made);
}

static void a_claim_is_found_again_by_its_control_and_its_actuator(void **state) {
    (void)state;
    static const char *const base = PUMP "control a on tank { start when wet command pump = on }";
    static const char *const alike[] = {
        "control a on tank { start when wet command pump = off }",
        "control a on tank { start when wet command pump = on at priority 13 }",
        "control a on tank { start when wet command pump = on for 1m }",
        "control a on tank { start when wet command pump = on rollout armed }",
    };
    assert_int_equal(compare_cells(base,
                                   PUMP "control a on tank { start when level > 1 m  "
                                        "command pump = on  on unknown safe }",
                                   FB_CELL_CLAIM),
                     SAME);
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        struct fb_buf text = {0};
        fb_buf_printf(&text, "%s%s", PUMP, alike[i]);
        assert_int_equal(compare_cells(base, fb_buf_terminated(&text), FB_CELL_CLAIM), ALIKE);
        fb_buf_free(&text);
    }
    assert_int_equal(compare_cells(base, PUMP "control b on tank { command pump = on }",
                                   FB_CELL_CLAIM),
                     OTHER);
    assert_int_equal(compare_cells(base,
                                   "actuator pump on tank : number range 0..1 { safe 0 }"
                                   "control a on tank { start when wet command pump = 1 }",
                                   FB_CELL_CLAIM),
                     OTHER);
}

static bool same_rule(const char *one, const char *other, const char *name) {
    struct made a = make(one), b = make(other);
    uint32_t i = (uint32_t)(rule_of(&a, name) - a.program->rules);
    uint32_t k = (uint32_t)(rule_of(&b, name) - b.program->rules);
    bool same = fb_hash128_eq(cell_of(&a, FB_CELL_RULE, i)->hash,
                              cell_of(&b, FB_CELL_RULE, k)->hash);
    assert_true(fb_hash128_eq(cell_of(&a, FB_CELL_RULE, i)->likeness,
                              cell_of(&b, FB_CELL_RULE, k)->likeness));
    unmake(&a);
    unmake(&b);
    return same;
}

static void a_rule_is_another_where_its_claims_or_its_guardrails_are(void **state) {
    (void)state;
    assert_true(same_rule(PUMP CONTROL(""), CONTROL("") PUMP, "fill"));
    assert_false(same_rule(PUMP CONTROL(""), PUMP CONTROL("rollout armed"), "fill"));
    assert_true(same_rule(PUMP, PUMP CONTROL(""), "pump"));
    assert_false(same_rule(PUMP, "actuator pump on tank : (off, on) { safe off  lease 2m }",
                           "pump"));
    assert_false(same_rule("actuator pump on tank : (off, on) { safe off  interlock when wet }",
                           "actuator pump on tank : (off, on) { safe off  permissive when wet }",
                           "pump"));
    /* The alarm reads a value of another kind: it is evaluated anew. */
    assert_false(same_rule(
        PUMP "alarm a on tank { raise low when pump is unknown }",
        "actuator pump on tank : (no, yes) { safe no } alarm a on tank { raise low when pump is "
        "unknown }",
        "a"));
}

static bool same_layout(const char *one, const char *other) {
    struct made a = make(one), b = make(other);
    bool same = fb_hash128_eq(fb_program_layout(a.program), fb_program_layout(b.program));
    unmake(&a);
    unmake(&b);
    return same;
}

static void the_layout_knows_how_long_the_rings_are(void **state) {
    (void)state;
    assert_true(same_layout(PUMP, "# the same\n" PUMP));
    assert_false(same_layout(
        "actuator p on tank : (off, on) { safe off  starts 2 per 1h  breaker 3 reversals in 1h, "
        "hold 1h }",
        "actuator p on tank : (off, on) { safe off  starts 3 per 1h  breaker 2 reversals in 1h, "
        "hold 1h }"));
}

/* ---- versions ------------------------------------------------------------------------------ */

static void version(const char *rules, const char *name, char out[13]) {
    struct made made = make(rules);
    memcpy(out, rule_of(&made, name)->version, 13);
    unmake(&made);
}

static bool same_version(const char *one, const char *other, const char *name) {
    char a[13], b[13];
    version(one, name, a);
    version(other, name, b);
    return strcmp(a, b) == 0;
}

#define STUCK "alarm stuck on tank { raise low when pump == on }\n"
#define LIMIT(x) "param most on tank [m] = " x "\n"
#define GUARDED "actuator pump on tank : (off, on) { safe off  interlock when level > most }\n"

static void a_version_has_the_actuators_in_it_that_are_commanded_or_read(void **state) {
    (void)state;
    static const char *const other = "actuator pump on tank : (off, on) { safe on }\n";
    char with_other[256];
    snprintf(with_other, sizeof with_other, "%s%s%s", other, CONTROL(""), STUCK);
    assert_true(same_version(PUMP CONTROL("") STUCK,
                             "actuator pump on tank : (off, on) {\n  safe off # so\n}\n" CONTROL(
                                 "") STUCK,
                             "fill"));
    assert_false(same_version(PUMP CONTROL("") STUCK, with_other, "fill"));
    assert_false(same_version(PUMP CONTROL("") STUCK, with_other, "stuck"));
    assert_false(same_version(PUMP CONTROL("") STUCK, with_other, "pump"));
    assert_false(same_version(PUMP CONTROL("rollout armed"), PUMP CONTROL(""), "fill"));
    assert_true(same_version(PUMP CONTROL("rollout armed"), PUMP CONTROL(""), "pump"));
    assert_true(same_version(PUMP "alarm dry on tank { raise low when level < 1 m }",
                             "actuator pump on tank : (off, on) { safe on }\n"
                             "alarm dry on tank { raise low when level < 1 m }",
                             "dry"));
}

static void a_version_follows_what_an_interlock_reads(void **state) {
    (void)state;
    static const char *const names[] = {"pump", "fill", "stuck"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(same_version(LIMIT("4 m") GUARDED CONTROL("") STUCK,
                                  LIMIT("5 m") GUARDED CONTROL("") STUCK, names[i]));
    }
}

/* ---- cost ---------------------------------------------------------------------------------- */

static void costs_count_claims_and_both_memories(void **state) {
    (void)state;
    struct made made =
        make("actuator pump on tank : (off, on) { safe off  interlock when wet }\n" CONTROL(""));
    struct fb_rule_cost pump = fb_cost_of(made.program, 0), fill = fb_cost_of(made.program, 1);
    assert_int_equal(pump.own_bytes, sizeof(struct fb_rule_cell) +
                                         sizeof(struct fb_condition_cell) +
                                         2 * fb_actuator_bytes(&made.tank->actuators[0]));
    assert_int_equal(pump.timers, 2);
    assert_int_equal(fill.own_bytes, sizeof(struct fb_rule_cell) +
                                         sizeof(struct fb_condition_cell) +
                                         sizeof(struct fb_claim_cell));
    assert_int_equal(fill.instructions, 2);
    unmake(&made);
}

static void cost_text_is(const char *rules, const char *writes) {
    struct made made = make(rules);
    struct fb_buf text = {0};
    fb_cost_text(made.program, &text);
    assert_non_null(strstr(fb_buf_terminated(&text), writes));
    fb_buf_free(&text);
    unmake(&made);
}

static void what_is_written_follows_the_rollout(void **state) {
    (void)state;
    cost_text_is(PUMP, "reads tanks; writes nothing\n");
    cost_text_is(PUMP CONTROL(""), "reads tanks; writes shadow\n");
    cost_text_is(PUMP CONTROL("rollout armed"), "reads tanks; writes commands\n");
    cost_text_is(PUMP CONTROL("rollout canary 5 %") STUCK,
                 "reads tanks; writes alerts, commands, shadow\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clauses_that_are_not_written_have_their_defaults),
        cmocka_unit_test(every_clause_is_taken_over),
        cmocka_unit_test(long_minimums_make_the_breakers_default_patient),
        cmocka_unit_test(steps_are_differences_in_the_actuators_unit),
        cmocka_unit_test(an_actuators_memory_has_room_for_its_times),
        cmocka_unit_test(a_control_is_its_start_and_then_its_commands),
        cmocka_unit_test(a_mode_is_where_its_ways_and_then_its_commands),
        cmocka_unit_test(a_commands_number_is_brought_to_the_actuators_unit),
        cmocka_unit_test(where_goes_into_the_start_and_stands_for_it),
        cmocka_unit_test(a_control_shows_what_its_start_and_commands_name),
        cmocka_unit_test(an_actuators_name_is_what_it_last_accepted),
        cmocka_unit_test(an_actuator_has_a_shadow_where_a_control_on_it_is_not_armed),
        cmocka_unit_test(claims_stand_in_the_order_of_the_text_wherever_the_actuator_does),
        cmocka_unit_test(an_actuators_memory_is_found_again_by_its_name_alone),
        cmocka_unit_test(a_claim_is_found_again_by_its_control_and_its_actuator),
        cmocka_unit_test(a_rule_is_another_where_its_claims_or_its_guardrails_are),
        cmocka_unit_test(the_layout_knows_how_long_the_rings_are),
        cmocka_unit_test(a_version_has_the_actuators_in_it_that_are_commanded_or_read),
        cmocka_unit_test(a_version_follows_what_an_interlock_reads),
        cmocka_unit_test(costs_count_claims_and_both_memories),
        cmocka_unit_test(what_is_written_follows_the_rollout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
