/* Rule tests: that their series and expectations speak of things that exist.
 *
 * Place in the flow: inside check, last. */
#include "rules/check_internal.h"

#include "engine/base/calendar.h"

static void class_of_test(struct fb_checker *ck, struct fb_checked_test *test) {
    const struct fb_test_decl *decl = test->decl;
    if (decl->class_name.n)
        test->class_index = fb_check_class_index(ck, decl->class_name, decl->class_span);
    else if (ck->out->n_classes == 1)
        test->class_index = 0;
}

static bool is_word_of(const struct fb_type_decl *type, struct fb_str word) {
    if (type->type == FB_T_BOOL)
        return fb_str_eq(word, FB_S("true")) || fb_str_eq(word, FB_S("false"));
    for (uint32_t i = 0; i < type->n_words; i++)
        if (fb_str_eq(type->words[i], word))
            return true;
    return false;
}

/* `truex4` is one name, unlike 20x4; true: reported. */
static bool is_touching_times(struct fb_checker *ck, const struct fb_node *node,
                              const struct fb_field_decl *field) {
    if (node->kind != FB_N_NAME || is_word_of(&field->type, node->text))
        return false;
    struct fb_str word = node->text;
    size_t digits = 0;
    while (digits < word.n && word.p[word.n - digits - 1] >= '0' &&
           word.p[word.n - digits - 1] <= '9')
        digits++;
    size_t x = word.n - digits;
    if (!digits || x < 2 || word.p[x - 1] != 'x')
        return false;
    struct fb_str before = {word.p, x - 1};
    if (!is_word_of(&field->type, before) && !fb_str_eq(before, FB_S("null")))
        return false;
    struct fb_str help = fb_str_printf(ck->arena, "write `%.*s %.*s`", FB_ARG(before),
                                       (int)(digits + 1), word.p + x - 1);
    fb_diag_add(ck->diags, FB_E_TEST, node->span, help.p,
                "between a word and the number of times stands a blank");
    return true;
}

/* An instant, as the field takes it. */
static void check_time(struct fb_checker *ck, const struct fb_node *node,
                       const struct fb_field_decl *field) {
    int64_t ignored;
    if (node->kind != FB_N_TEXT || !fb_time_parse(node->text, &ignored))
        fb_diag_add(ck->diags, FB_E_VALUE_TYPE, node->span,
                    "write it as a text: \"2026-01-05T06:00:00Z\"",
                    "`%.*s` is %s, and this is none", FB_ARG(field->name),
                    fb_check_type_text(FB_T_TIME));
}

static void refuse_unknown(struct fb_checker *ck, const struct fb_node *node, struct fb_str name) {
    fb_diag_add(ck->diags, FB_E_TEST, node->span, "write a number, a word or a text",
                "this value for `%.*s` is not known before the test is run", FB_ARG(name));
}

static void check_number(struct fb_checker *ck, struct fb_node *node,
                         const struct fb_field_decl *field) {
    double ignored;
    if (!fb_check_constant(node, node->unit, &ignored))
        refuse_unknown(ck, node, field->name);
    else if (field->type.unit)
        fb_check_declared(ck, node, field->type.unit, node->span);
    else if (!fb_unit_agree(node->unit, NULL))
        fb_diag_add(ck->diags, FB_E_DECLARED_UNIT, node->span, NULL,
                    "%s, and `%.*s` is declared without a unit", fb_check_in_unit(ck, node),
                    FB_ARG(field->name));
}

/* A value of a series, as the field takes it. */
static void check_value(struct fb_checker *ck, struct fb_node *node,
                        const struct fb_field_decl *field) {
    enum fb_type type = field->type.type;
    if (!node || is_touching_times(ck, node, field))
        return;
    if (type == FB_T_TIME) {
        check_time(ck, node, field);
        return;
    }
    fb_check_node(ck, node, type == FB_T_ENUM ? &field->type : NULL);
    if (fb_check_failed(node))
        return;
    bool number = type == FB_T_NUMBER || type == FB_T_COUNTER || type == FB_T_INTEGER;
    if (number && node->type == FB_T_NUMBER) {
        check_number(ck, node, field);
        return;
    }
    bool literal = node->kind == FB_N_TEXT || node->kind == FB_N_BOOL || node->ref == FB_REF_WORD;
    if (node->type == type && !literal)
        refuse_unknown(ck, node, field->name);
    else if (node->type != type)
        fb_diag_add(ck->diags, FB_E_VALUE_TYPE, node->span, NULL, "`%.*s` is %s, and `%s` is %s",
                    FB_ARG(field->name), fb_check_type_text(type), fb_check_source(ck, node),
                    fb_check_type_text(node->type));
}

/* Whether a class has all fields that the test's series give the device. */
static bool has_all_fields(const struct fb_class_decl *decl, const struct fb_test_decl *test,
                           struct fb_str device) {
    for (uint32_t i = 0; i < test->n_steps; i++) {
        const struct fb_test_step *step = &test->steps[i];
        if (step->kind == FB_STEP_SERIES && fb_str_eq(step->device, device) &&
            !fb_check_field(decl, step->field))
            return false;
    }
    return true;
}

/* The test's, or the one other class that has the fields. */
static uint32_t class_of_series(struct fb_checker *ck, const struct fb_checked_test *test,
                                const struct fb_test_step *step) {
    const struct fb_checked *out = ck->out;
    if (test->class_index != FB_MAP_NONE &&
        (has_all_fields(out->classes[test->class_index].decl, test->decl, step->device) ||
         out->classes[test->class_index].decl->broken))
        return test->class_index;
    uint32_t found = FB_MAP_NONE, n = 0;
    for (uint32_t i = 0; i < out->n_classes; i++)
        if (out->classes[i].group_class == FB_NO_INDEX &&
            has_all_fields(out->classes[i].decl, test->decl, step->device)) {
            found = i;
            n++;
        }
    if (n == 1)
        return found;
    if (n == 0 || ck->incomplete)
        return test->class_index; /* which says what it has not */
    fb_diag_add(ck->diags, FB_E_TEST, step->span,
                "say it behind the title: test \"..\" on pump; or give it a field that only its "
                "kind has",
                "%u devices have what is said of `%.*s`, so that it is not known which it is", n,
                FB_ARG(step->device));
    return FB_MAP_NONE;
}

static void check_series(struct fb_checker *ck, const struct fb_checked_test *test,
                         struct fb_test_step *step) {
    uint32_t errors = ck->diags->errors;
    if (step->every)
        fb_check_duration(ck, step->every, true, NULL);
    step->class_index = class_of_series(ck, test, step);
    if (step->class_index == FB_MAP_NONE) {
        if (!ck->incomplete && ck->diags->errors == errors)
            fb_diag_add(ck->diags, FB_E_TEST, step->span,
                        "say it behind the title: test \"..\" on pump",
                        "it is not said of which device this series is");
        return;
    }
    const struct fb_class_decl *class_decl = ck->out->classes[step->class_index].decl;
    const struct fb_field_decl *field = fb_check_field(class_decl, step->field);
    if (field ? field->broken : class_decl->broken)
        return;
    if (!field) {
        struct fb_str *names = FB_ARENA_ARRAY(ck->arena, struct fb_str, class_decl->n_fields + 1);
        for (uint32_t i = 0; i < class_decl->n_fields; i++)
            names[i] = class_decl->fields[i]->name;
        fb_diag_add(ck->diags, FB_E_UNKNOWN_NAME, step->span,
                    fb_check_suggest(ck, step->field, names, class_decl->n_fields),
                    "`%.*s` is no field of `%.*s`", FB_ARG(step->field), FB_ARG(class_decl->name));
        return;
    }
    for (uint32_t i = 0; i < step->n_items; i++) {
        check_value(ck, step->items[i].from, field);
        check_value(ck, step->items[i].to, field);
        if (step->items[i].to && field->type.type != FB_T_NUMBER &&
            field->type.type != FB_T_INTEGER && field->type.type != FB_T_COUNTER)
            fb_diag_add(ck->diags, FB_E_VALUE_TYPE, step->items[i].to->span, NULL,
                        "only numbers have ramps, and `%.*s` is %s", FB_ARG(field->name),
                        fb_check_type_text(field->type.type));
    }
}

static const struct fb_checked_rule *find_rule(struct fb_checker *ck,
                                               const struct fb_test_step *step) {
    uint32_t index = fb_map_get(ck->rules, step->rule);
    const char *kind = step->rule_kind == FB_RULE_ALARM ? "alarm" : "event";
    if (index != FB_MAP_NONE && ck->out->rules[index].decl->kind == step->rule_kind)
        return &ck->out->rules[index];
    if (ck->incomplete)
        return NULL;
    uint32_t n = 0;
    struct fb_str *names = FB_ARENA_ARRAY(ck->arena, struct fb_str, ck->out->n_rules + 1);
    for (uint32_t i = 0; i < ck->out->n_rules; i++)
        if (ck->out->rules[i].decl->kind == step->rule_kind)
            names[n++] = ck->out->rules[i].decl->name;
    fb_diag_add(ck->diags, FB_E_UNKNOWN_RULE, step->span,
                index != FB_MAP_NONE ? "the rule of this name is of the other kind"
                                     : fb_check_suggest(ck, step->rule, names, n),
                "there is no %s `%.*s`", kind, FB_ARG(step->rule));
    return NULL;
}

static bool is_known(const struct fb_node *value, const struct fb_unit *unit) {
    double ignored;
    if (value->kind == FB_N_UNKNOWN)
        return true;
    switch (value->type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER:
    case FB_T_INTEGER:
        return fb_check_constant(value, unit, &ignored);
    default:
        return value->kind == FB_N_BOOL || value->kind == FB_N_TEXT || value->ref == FB_REF_WORD;
    }
}

/* `with NAME op value`: a field or let of the device, or a let of the rule, if it is one's. */
static void check_with(struct fb_checker *ck, uint32_t class_index,
                       const struct fb_rule_decl *rule, struct fb_with *with) {
    uint32_t n_lets = rule ? rule->n_lets : 0;
    struct fb_scope scope = {.n_lets = n_lets, .outer = &ck->class_scopes[class_index]};
    struct fb_node name = {.kind = FB_N_NAME, .text = with->name, .span = with->span};
    if (with->linked)
        name = *with->linked;
    scope.lets = FB_ARENA_ARRAY(ck->arena, struct fb_definition, n_lets + 1);
    for (uint32_t i = 0; i < n_lets; i++)
        scope.lets[i] = (struct fb_definition){.let = rule->lets[i], .progress = FB_DONE};
    ck->scope = &scope;
    struct fb_node compare = {.kind = FB_N_COMPARE,
                              .op = with->op,
                              .a = &name,
                              .b = with->value,
                              .span = with->value->span,
                              .op_span = with->value->span};
    fb_check_node(ck, &compare, NULL);
    ck->scope = NULL;
    if (with->linked)
        *with->linked = name; /* whose unit the judge needs */
    if (!fb_check_failed(&compare) && !is_known(with->value, name.unit))
        refuse_unknown(ck, with->value, with->name);
}

/* ---- commands ------------------------------------------------------------------------------- */

/* Of any device: no two actuators have one name. */
static const struct fb_checked_actuator *find_actuator(struct fb_checker *ck,
                                                       const struct fb_test_step *step) {
    const struct fb_checked *out = ck->out;
    uint32_t n = 0;
    struct fb_str *names = FB_ARENA_ARRAY(ck->arena, struct fb_str, out->n_actuators + 1);
    for (uint32_t i = 0; i < out->n_actuators; i++) {
        if (fb_str_eq(out->actuators[i].decl->name, step->rule))
            return &out->actuators[i];
        names[n++] = out->actuators[i].decl->name;
    }
    if (!ck->incomplete)
        fb_diag_add(ck->diags, FB_E_UNKNOWN_ACTUATOR, step->span,
                    fb_map_get(ck->rules, step->rule) != FB_MAP_NONE
                        ? "name the actuator that is commanded, not the rule"
                        : fb_check_suggest(ck, step->rule, names, n),
                    "there is no actuator `%.*s`", FB_ARG(step->rule));
    return NULL;
}

static void check_word(struct fb_checker *ck, const struct fb_test_step *step,
                       const struct fb_actuator_decl *actuator) {
    if (step->word.n == 0 || actuator->type.type != FB_T_ENUM ||
        is_word_of(&actuator->type, step->word))
        return;
    fb_diag_add(ck->diags, FB_E_UNKNOWN_WORD, step->span,
                fb_check_suggest(ck, step->word, actuator->type.words, actuator->type.n_words),
                "`%.*s` takes %.*s or %.*s, not `%.*s`", FB_ARG(actuator->name),
                FB_ARG(actuator->type.words[0]), FB_ARG(actuator->type.words[1]),
                FB_ARG(step->word));
}

/* `with value ..`, `with requested ..`: as the actuator itself is compared in an expression. */
static void check_with_command(struct fb_checker *ck, uint32_t class_index,
                               const struct fb_actuator_decl *actuator, struct fb_with *with) {
    static const struct fb_str names[] = {{"value", 5}, {"requested", 9}};
    struct fb_with of_actuator = *with;
    if (!fb_str_eq(with->name, names[0]) && !fb_str_eq(with->name, names[1])) {
        fb_diag_add(ck->diags, FB_E_UNKNOWN_NAME, with->span,
                    fb_check_suggest(ck, with->name, names, 2),
                    "a command carries `value` and `requested`, not `%.*s`", FB_ARG(with->name));
        return;
    }
    of_actuator.name = actuator->name;
    check_with(ck, class_index, NULL, &of_actuator);
}

static void check_command(struct fb_checker *ck, const struct fb_test_step *step) {
    const struct fb_checked_actuator *actuator = find_actuator(ck, step);
    if (step->at)
        fb_check_duration(ck, step->at, true, NULL);
    if (!actuator || actuator->class_index == FB_MAP_NONE)
        return;
    check_word(ck, step, actuator->decl);
    for (uint32_t i = 0; i < step->n_with; i++)
        check_with_command(ck, actuator->class_index, actuator->decl, &step->with[i]);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void check_expect(struct fb_checker *ck, const struct fb_test_step *step) {
    const struct fb_checked_rule *rule = find_rule(ck, step);
    if (step->at)
        fb_check_duration(ck, step->at, true, NULL);
    if (step->rule_kind == FB_RULE_EVENT && step->word.n)
        fb_diag_add(ck->diags, FB_E_TEST, step->span, "leave it out",
                    "an event has no `%.*s`; it just happens", FB_ARG(step->word));
    if (!rule || rule->class_index == FB_MAP_NONE)
        return;
    for (uint32_t i = 0; i < step->n_with; i++)
        check_with(ck, rule->class_index, rule->decl, &step->with[i]);
}

void fb_check_test(struct fb_checker *ck, uint32_t index) {
    struct fb_checked_test *test = &ck->out->tests[index];
    class_of_test(ck, test);
    struct fb_facts facts = {0};
    ck->facts = &facts;
    ck->scope = NULL;
    for (uint32_t i = 0; i < test->decl->n_steps; i++) {
        struct fb_test_step *step = &test->decl->steps[i];
        if (step->kind == FB_STEP_SERIES)
            check_series(ck, test, step);
        else if (step->kind == FB_STEP_EXPECT && step->command)
            check_command(ck, step);
        else if (step->kind == FB_STEP_EXPECT)
            check_expect(ck, step);
    }
}
