/* Rule tests: that their series and expectations speak of things that exist.
 *
 * Place in the flow: inside check, last. */
#include "rules/check_internal.h"

static const struct fb_class_decl *class_of_test(struct fb_checker *ck,
                                                 struct fb_checked_test *test) {
    const struct fb_test_decl *decl = test->decl;
    if (decl->class_name.n)
        test->class_index = fb_check_class_index(ck, decl->class_name, decl->class_span);
    else if (ck->out->n_classes == 1)
        test->class_index = 0;
    return test->class_index == FB_MAP_NONE ? NULL : ck->out->classes[test->class_index].decl;
}

/* A value of a series, as the field takes it. */
static void check_value(struct fb_checker *ck, struct fb_node *node,
                        const struct fb_field_decl *field) {
    enum fb_type type = field->type.type;
    double ignored;
    if (!node)
        return;
    fb_check_node(ck, node, type == FB_T_ENUM ? &field->type : NULL);
    if (fb_check_failed(node))
        return;
    bool number = type == FB_T_NUMBER || type == FB_T_COUNTER || type == FB_T_INTEGER;
    if (number && node->type == FB_T_NUMBER && fb_check_constant(node, node->unit, &ignored)) {
        fb_check_declared(ck, node, field->type.unit, node->span);
        return;
    }
    bool time = type == FB_T_TIME && (node->kind == FB_N_TEXT || node->kind == FB_N_NUMBER);
    bool literal = node->kind == FB_N_TEXT || node->kind == FB_N_BOOL || node->ref == FB_REF_WORD;
    if (!time && (node->type != type || !literal))
        fb_diag_add(ck->diags, FB_E_VALUE_TYPE, node->span, NULL, "`%.*s` is %s, and `%s` is %s",
                    FB_ARG(field->name), fb_check_type_text(type), fb_check_source(ck, node),
                    fb_check_type_text(node->type));
}

static void check_series(struct fb_checker *ck, const struct fb_class_decl *class_decl,
                         const struct fb_test_step *step) {
    if (step->every)
        fb_check_duration(ck, step->every, true, NULL);
    const struct fb_field_decl *field = fb_check_field(class_decl, step->field);
    if (!field && ck->partial)
        return;
    if (!class_decl) {
        fb_diag_add(ck->diags, FB_E_TEST, step->span,
                    "say it behind the title: test \"..\" on pump",
                    "it is not said of which device this series is");
        return;
    }
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
    if (ck->partial)
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

/* `with NAME op value`: a field or let of the rule's device. */
static void check_with(struct fb_checker *ck, const struct fb_checked_rule *rule,
                       const struct fb_test_step *step, struct fb_with *with) {
    struct fb_scope scope = {.n_lets = rule->decl->n_lets,
                             .outer = &ck->class_scopes[rule->class_index]};
    struct fb_node name = {.kind = FB_N_NAME, .text = with->name, .span = step->span};
    scope.lets = FB_ARENA_ARRAY(ck->arena, struct fb_definition, rule->decl->n_lets + 1);
    for (uint32_t i = 0; i < rule->decl->n_lets; i++)
        scope.lets[i] = (struct fb_definition){.let = rule->decl->lets[i], .progress = FB_DONE};
    ck->scope = &scope;
    struct fb_node compare = {.kind = FB_N_COMPARE,
                              .op = with->op,
                              .a = &name,
                              .b = with->value,
                              .span = with->value->span,
                              .op_span = with->value->span};
    fb_check_node(ck, &compare, NULL);
    ck->scope = NULL;
}

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
        check_with(ck, rule, step, &step->with[i]);
}

void fb_check_test(struct fb_checker *ck, uint32_t index) {
    struct fb_checked_test *test = &ck->out->tests[index];
    const struct fb_class_decl *class_decl = class_of_test(ck, test);
    struct fb_facts facts = {0};
    ck->facts = &facts;
    ck->scope = NULL;
    for (uint32_t i = 0; i < test->decl->n_steps; i++) {
        const struct fb_test_step *step = &test->decl->steps[i];
        if (step->kind == FB_STEP_SERIES)
            check_series(ck, class_decl, step);
        else if (step->kind == FB_STEP_EXPECT)
            check_expect(ck, step);
    }
}
