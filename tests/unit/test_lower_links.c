/* What links, groups and rules on groups become in the program. */
#include "rules/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/listing.h"

#define RACK                                                                                       \
    "device rack from \"racks\" {\n  key rack  time ts  tag room, row  domain room\n"              \
    "  link cooler : crac\n  inlet : number [degC] every 5s\n  slots : integer\n"                  \
    "  on : bool\n  state : one of (up, down)\n  let hot = inlet > 30 degC for 1m\n}\n"            \
    "device crac from \"cracs\" {\n  key crac  time ts  tag room  domain room\n"                   \
    "  supply : number [degC] every 5s\n  fans : integer\n  state : one of (off, running)\n"       \
    "  let cold = supply < 10 degC for 1m\n}\n"

struct made {
    struct fb_diags *diags;
    struct fb_compiled compiled;
    const struct fb_program *program;
    const struct fb_class *rack, *crac;
};

static struct made make(const char *rules) {
    struct made made = {.diags = fb_diags_new()};
    struct fb_sources *sources = fb_sources_new();
    struct fb_buf source = {0}, printed = {0};
    fb_buf_text(&source, RACK);
    fb_buf_text(&source, rules);
    fb_sources_add(sources, FB_S("test.rules"), (struct fb_str){source.p, source.n});
    fb_buf_free(&source);
    if (!fb_compile_sources(sources, made.diags, &made.compiled)) {
        fb_diags_print(made.diags, sources, false, &printed);
        fail_msg("%s", fb_buf_terminated(&printed));
    }
    made.program = made.compiled.program;
    made.rack = fb_program_class(made.program, FB_S("rack"));
    made.crac = fb_program_class(made.program, FB_S("crac"));
    return made;
}

static void unmake(struct made *made) {
    fb_compiled_free(&made->compiled);
    fb_diags_free(made->diags);
}

static void code_is(const struct fb_class *class_, struct fb_code code, const char *wanted) {
    struct fb_buf text = {0};
    fb_listing_code(class_, code, 0, &text);
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

static const struct fb_condition *condition_of(const struct made *made, const char *name) {
    const struct fb_rule *rule = rule_of(made, name);
    return &made->program->classes[rule->class_index].conditions[rule->first_condition];
}

static void names_are(const struct fb_class *class_, const char *wanted) {
    struct fb_buf text = {0};
    for (uint32_t i = 0; i < class_->n_published; i++)
        fb_buf_printf(&text, "%s%.*s", i ? "; " : "", FB_ARG(class_->published[i].name));
    assert_string_equal(fb_buf_terminated(&text), wanted);
    fb_buf_free(&text);
}

static uint16_t field_of(const struct fb_class *class_, const char *name) {
    for (uint32_t i = 0; i < class_->n_fields; i++)
        if (fb_str_eq(class_->fields[i].name, fb_str_of(name)))
            return (uint16_t)i;
    fail_msg("no field %s", name);
    return 0;
}

static void a_value_is_published_once_in_the_order_of_its_first_reader(void **state) {
    (void)state;
    struct made made =
        make("alarm b on rack { raise low when cooler.cold and cooler.supply > 3 degC\n"
             "  message \"{cooler.state}\" }\n"
             "alarm a on rack { raise low when cooler.supply > 5 degC or cooler.fans > 2 }\n");
    names_are(made.crac, "cold; supply; state; fans");
    assert_int_equal(made.rack->n_published, 0);
    assert_int_equal(made.crac->published[0].type, FB_T_BOOL);
    assert_int_equal(made.crac->published[2].type, FB_T_ENUM);
    assert_int_equal(made.crac->published[3].type, FB_T_INTEGER);
    const struct fb_rule *first = &made.program->rules[0];
    assert_int_equal(first->sort, FB_SORT_PUBLISHED);
    assert_int_equal(first->class_index, made.crac - made.program->classes);
    assert_int_equal(first->n_conditions, 4);
    assert_int_equal(first->first_condition, 0);
    for (uint32_t i = 0; i < 4; i++) {
        const struct fb_condition *condition = &made.crac->conditions[i];
        assert_int_equal(condition->role, FB_ROLE_PUBLISHED);
        assert_int_equal(condition->published, i);
        assert_int_equal(condition->offset, made.crac->published[i].offset);
        assert_int_equal(made.crac->published[i].condition, i);
    }
    unmake(&made);
}

static void a_link_leads_by_the_text_of_its_field(void **state) {
    (void)state;
    struct made made = make("alarm a on rack { raise low when inlet > cooler.supply + 5 K }\n");
    assert_int_equal(made.rack->n_links, 1);
    const struct fb_link *link = &made.rack->links[0];
    assert_ptr_equal(link->to, made.crac);
    const struct fb_relation *relation = &made.rack->relations[link->relation];
    assert_int_equal(relation->n_fields, 1);
    assert_int_equal(relation->fields[0], field_of(made.rack, "cooler"));
    assert_int_equal(made.rack->fields[relation->fields[0]].role, FB_ROLE_TAG);
    assert_int_equal(made.rack->domain, field_of(made.rack, "room"));
    const struct fb_condition *condition = condition_of(&made, "a");
    assert_true(fb_field_set_has(&condition->reads, field_of(made.rack, "cooler")));
    assert_true(fb_field_set_has(&condition->reads, field_of(made.rack, "room")));
    code_is(made.rack, condition->code,
            "r0   field inlet\nr1   linked cooler.supply\nr2   number 5\nr3   add r1 r2\n"
            "r4   cmp_number r0 > r3\n");
    unmake(&made);
}

static void the_domain_is_the_first_key_where_nothing_links(void **state) {
    (void)state;
    struct made made = make("device pump from \"p\" { key pump, part  time ts  flow : number }\n"
                            "alarm a on pump { raise low when flow > 3 }\n");
    assert_int_equal(fb_program_class(made.program, FB_S("pump"))->domain, 0);
    assert_int_equal(made.rack->n_published + made.rack->n_links + made.rack->n_groups, 0);
    assert_int_equal(made.rack->group_class, FB_NO_INDEX);
    unmake(&made);
}

static void those_that_link_here_need_no_text_of_this_device(void **state) {
    (void)state;
    struct made made = make("alarm a on crac { raise low when max(inlet of rack) > 30 degC }\n");
    assert_int_equal(made.crac->n_groups, 1);
    const struct fb_group *group = &made.crac->groups[0];
    assert_int_equal(group->own, FB_NO_INDEX);
    assert_int_equal(made.rack->relations[group->relation].fields[0],
                     field_of(made.rack, "cooler"));
    assert_int_equal(group->where, FB_NO_INDEX);
    names_are(made.rack, "inlet");
    unmake(&made);
}

static void a_group_by_a_tag_has_a_relation_on_each_side(void **state) {
    (void)state;
    struct made made = make(
        "alarm a on rack { raise low when inlet > median(inlet of rack by row where on) + 5 K }\n"
        "alarm b on rack { raise low when p99_9(inlet of rack by row where on) > 3 degC\n"
        "  or count(rack by room) > 3 or share(crac by room where supply > 20 degC) > 50 % }\n");
    assert_int_equal(made.rack->n_groups, 3);
    const struct fb_group *group = &made.rack->groups[0];
    assert_int_equal(group->own, group->relation);
    assert_int_equal(made.rack->relations[group->own].fields[0], field_of(made.rack, "row"));
    assert_int_equal(made.rack->groups[1].value, FB_NO_INDEX);
    names_are(made.rack, "inlet; on");
    names_are(made.crac, "supply > 20 degC");
    code_is(made.rack, condition_of(&made, "b")->code,
            "r0   group p99_9 of (inlet of rack by row where on)\nr1   number 3\n"
            "r2   cmp_number r0 > r1\nr3   group count of (rack by room)\nr4   int 3\n"
            "r5   cmp_int r3 > r4\nr6   or r2 r5\n"
            "r7   group share of (crac by room where supply > 20 degC)\nr8   number 0.5\n"
            "r9   cmp_number r7 > r8\nr10  or r6 r9\n");
    unmake(&made);
}

static void integers_are_numbers_to_functions_of_numbers(void **state) {
    (void)state;
    struct made made = make("alarm a on crac { raise low when sum(slots of rack) > 30\n"
                            "  or distinct(slots of rack) > 3 }\n");
    assert_int_equal(made.rack->n_published, 2);
    assert_int_equal(made.rack->published[0].type, FB_T_NUMBER);
    assert_int_equal(made.rack->published[1].type, FB_T_INTEGER);
    code_is(made.rack, made.rack->conditions[0].code, "r0   field slots\nr1   int_to_number r0\n");
    unmake(&made);
}

static void a_rule_on_groups_is_of_a_class_without_topics(void **state) {
    (void)state;
    struct made made = make("alarm a on rack by row { raise low when any(hot of rack) }\n"
                            "event e on rack by row { when count(rack) > 3 }\n"
                            "event f on rack by room { when count(rack) > 3 }\n");
    assert_int_equal(made.program->n_classes, 4);
    const struct fb_class *rows = fb_program_class(made.program, FB_S("rack by row"));
    const struct fb_class *rooms = fb_program_class(made.program, FB_S("rack by room"));
    assert_int_equal(rows->n_topics, 0);
    assert_int_equal(rows->n_keys, 2);
    assert_string_equal(rows->fields[0].name.p, "room");
    assert_string_equal(rows->fields[1].name.p, "row");
    assert_int_equal(rows->domain, 0);
    assert_int_equal(rows->group_class, made.rack - made.program->classes);
    assert_int_equal(made.rack->relations[rows->group_relation].fields[0],
                     field_of(made.rack, "row"));
    assert_int_equal(rows->groups[0].relation, rows->group_relation);
    assert_int_equal(rows->relations[rows->groups[0].own].fields[0], 1);
    assert_int_equal(rows->n_rules, 2);
    assert_int_equal(rooms->n_keys, 1);
    assert_int_equal(rooms->relations[rooms->groups[0].own].fields[0], 0);
    unmake(&made);
}

static void values_of_other_devices_are_shown_by_their_names(void **state) {
    (void)state;
    struct made made =
        make("alarm a on rack where cooler.state == running {\n"
             "  raise low when inlet > (cooler.supply) and cooler.supply is good }\n");
    const struct fb_rule *rule = rule_of(&made, "a");
    assert_int_equal(rule->n_shown, 3);
    assert_string_equal(rule->shown[0].name.p, "cooler.state");
    assert_string_equal(rule->shown[0].words[1].p, "running");
    assert_string_equal(rule->shown[1].name.p, "cooler.supply");
    assert_string_equal(rule->shown[1].unit.p, "degC");
    assert_string_equal(rule->shown[2].name.p, "inlet");
    unmake(&made);
}

static bool cell_hash(const struct fb_class *class_, const char *name, struct fb_hash128 *hash) {
    for (uint32_t i = 0; i < class_->n_cells; i++)
        if (fb_str_eq(class_->cells[i].name, fb_str_of(name))) {
            *hash = class_->cells[i].hash;
            return true;
        }
    return false;
}

static void a_published_value_is_found_again_wherever_it_stands(void **state) {
    (void)state;
    struct made before =
        make("alarm a on rack { raise low when cooler.cold and cooler.fans > 3 }\n");
    struct made after =
        make("alarm a on rack { raise low when cooler.fans > 3 and cooler.cold }\n");
    struct made other = make("device crac { let cold2 = supply < 11 degC for 1m }\n"
                             "alarm a on rack { raise low when cooler.cold2 }\n");
    struct fb_hash128 x, y, z;
    assert_true(cell_hash(before.crac, "published: cold", &x));
    assert_true(cell_hash(after.crac, "published: cold", &y));
    assert_true(cell_hash(other.crac, "published: cold2", &z));
    assert_memory_equal(&x, &y, sizeof x);
    assert_memory_not_equal(&x, &z, sizeof x);
    unmake(&before);
    unmake(&after);
    unmake(&other);
}

static const struct fb_cell_id *cell_of(const struct fb_class *class_, const char *name) {
    for (uint32_t i = 0; i < class_->n_cells; i++)
        if (fb_str_eq(class_->cells[i].name, fb_str_of(name)))
            return &class_->cells[i];
    fail_msg("no cell %s", name);
    return NULL;
}

static void another_limit_over_there_is_another_condition_of_the_same_likeness(void **state) {
    (void)state;
    const char *rule = "alarm a on rack { raise low when cooler.more for 1m }\n"
                       "alarm b on rack { raise low when share(rack by row where inlet > %d degC) "
                       "> 50 %% }\n";
    char text[3][512];
    struct made made[3];
    for (int i = 0; i < 3; i++) {
        int n = snprintf(text[i], sizeof text[i], "device crac { let more = supply %s %d degC }\n",
                         i == 2 ? "<" : ">", i == 1 ? 21 : 20);
        snprintf(text[i] + n, sizeof text[i] - (size_t)n, rule, i == 1 ? 31 : 30);
        made[i] = make(text[i]);
    }
    static const char *const names[] = {"a: raise low, `for`", "b: raise low"};
    for (int i = 0; i < 2; i++) {
        const struct fb_cell_id *x = cell_of(made[0].rack, names[i]);
        const struct fb_cell_id *y = cell_of(made[1].rack, names[i]);
        assert_memory_not_equal(&x->hash, &y->hash, sizeof x->hash);
        assert_memory_equal(&x->likeness, &y->likeness, sizeof x->hash);
    }
    assert_memory_not_equal(&cell_of(made[0].rack, names[0])->likeness,
                            &cell_of(made[2].rack, names[0])->likeness, sizeof(struct fb_hash128));
    for (int i = 0; i < 3; i++)
        unmake(&made[i]);
}

static void a_version_follows_what_the_other_device_publishes(void **state) {
    (void)state;
    const char *rule = "alarm a on rack { raise low when cooler.more }\n";
    char text[3][256];
    struct made made[3];
    snprintf(text[0], sizeof text[0], "device crac { let more = supply > 20 degC }\n%s", rule);
    snprintf(text[1], sizeof text[1], "device crac { let more = supply > 21 degC }\n%s", rule);
    snprintf(text[2], sizeof text[2],
             "device crac { let more = supply > 20 degC  let less = supply < 3 degC }\n%s", rule);
    for (int i = 0; i < 3; i++)
        made[i] = make(text[i]);
    assert_string_not_equal(rule_of(&made[0], "a")->version, rule_of(&made[1], "a")->version);
    assert_string_equal(rule_of(&made[0], "a")->version, rule_of(&made[2], "a")->version);
    for (int i = 0; i < 3; i++)
        unmake(&made[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_published_once_in_the_order_of_its_first_reader),
        cmocka_unit_test(a_link_leads_by_the_text_of_its_field),
        cmocka_unit_test(the_domain_is_the_first_key_where_nothing_links),
        cmocka_unit_test(those_that_link_here_need_no_text_of_this_device),
        cmocka_unit_test(a_group_by_a_tag_has_a_relation_on_each_side),
        cmocka_unit_test(integers_are_numbers_to_functions_of_numbers),
        cmocka_unit_test(a_rule_on_groups_is_of_a_class_without_topics),
        cmocka_unit_test(values_of_other_devices_are_shown_by_their_names),
        cmocka_unit_test(a_published_value_is_found_again_wherever_it_stands),
        cmocka_unit_test(another_limit_over_there_is_another_condition_of_the_same_likeness),
        cmocka_unit_test(a_version_follows_what_the_other_device_publishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
