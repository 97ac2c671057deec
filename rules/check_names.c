/* Names: what is declared where, and what a name in an expression means.
 *
 * Place in the flow: inside check, first. */
#include <stdlib.h>

#include "engine/base/err.h"
#include "rules/check_internal.h"

enum { CANDIDATES_MAX = 512 };

uint32_t fb_check_class_index(struct fb_checker *ck, struct fb_str name, struct fb_span span) {
    uint32_t index = fb_map_get(ck->classes, name);
    if (index != FB_MAP_NONE && ck->out->classes[index].group_class != FB_NO_INDEX)
        index = FB_MAP_NONE; /* of groups: nobody else's */
    if (index != FB_MAP_NONE || ck->incomplete)
        return index;
    uint32_t n = fb_map_size(ck->classes);
    struct fb_str *names = FB_ARENA_ARRAY(ck->arena, struct fb_str, n + 1);
    for (uint32_t i = 0; i < n; i++)
        names[i] = fb_map_key_at(ck->classes, i);
    const char *help = fb_check_suggest(ck, name, names, n);
    fb_diag_add(
        ck->diags, FB_E_UNKNOWN_DEVICE, span,
        help ? help
             : fb_check_print(ck, "declare it: device %.*s from \"topic\" { .. }", FB_ARG(name)),
        "there is no device `%.*s`", FB_ARG(name));
    return FB_MAP_NONE;
}

static struct fb_str param_key(const struct fb_checker *ck, struct fb_str class_name,
                               struct fb_str name) {
    if (class_name.n == 0) /* of all devices */
        class_name = FB_S("");
    return fb_str_printf(ck->arena, "%.*s\n%.*s", FB_ARG(class_name), FB_ARG(name));
}

/* Index of a class's param, else of a common one; FB_MAP_NONE: there is none. */
static uint32_t param_index(const struct fb_checker *ck, struct fb_str class_name,
                            struct fb_str name) {
    uint32_t index = fb_map_get(ck->params, param_key(ck, class_name, name));
    return index != FB_MAP_NONE ? index : fb_map_get(ck->params, param_key(ck, FB_S(""), name));
}

struct fb_field_decl *fb_check_field(const struct fb_class_decl *decl, struct fb_str name) {
    for (uint32_t i = 0; decl && i < decl->n_fields; i++)
        if (fb_str_eq(decl->fields[i]->name, name))
            return decl->fields[i];
    return NULL;
}

static int64_t word_index(const struct fb_type_decl *words, struct fb_str name) {
    for (uint32_t i = 0; words && i < words->n_words; i++)
        if (fb_str_eq(words->words[i], name))
            return i;
    return -1;
}

const struct fb_actuator_decl *fb_check_actuator_named(const struct fb_scope *scope,
                                                       struct fb_str name) {
    for (; scope; scope = scope->outer)
        for (uint32_t i = 0; i < scope->n_actuators; i++)
            if (fb_str_eq(scope->actuators[i]->name, name))
                return scope->actuators[i];
    return NULL;
}

/* "pumps.rules:12", where a name was declared first. */
static const char *place_of(struct fb_checker *ck, struct fb_span span) {
    const struct fb_source *source = &ck->tree->sources->files[span.file];
    uint32_t line, column;
    fb_source_place(source, span.start, &line, &column);
    return fb_check_print(ck, "%.*s:%u", FB_ARG(source->path), line);
}

/* ---- collecting ----------------------------------------------------------------------------- */

static void add_class(struct fb_checker *ck, struct fb_class_decl *decl) {
    uint32_t before = fb_map_get(ck->classes, decl->name);
    if (before != FB_MAP_NONE) {
        fb_diag_add(ck->diags, FB_E_DEVICE_TWICE, decl->name_span,
                    "leave out `from` to add lets to a device that is declared elsewhere",
                    "the device `%.*s` is declared twice, first in %s", FB_ARG(decl->name),
                    place_of(ck, ck->out->classes[before].decl->name_span));
        return;
    }
    struct fb_checked *out = ck->out;
    fb_map_put(ck->classes, decl->name, out->n_classes);
    out->classes[out->n_classes++] =
        (struct fb_checked_class){.decl = decl, .group_class = FB_NO_INDEX};
}

static void add_param(struct fb_checker *ck, struct fb_param_decl *param) {
    struct fb_checked *out = ck->out;
    struct fb_str key = param_key(ck, param->class_name, param->name);
    uint32_t before = fb_map_get(ck->params, key);
    if (before != FB_MAP_NONE) {
        fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, param->name_span, NULL,
                    "the parameter `%.*s` is declared twice, first in %s", FB_ARG(param->name),
                    place_of(ck, out->params[before]->name_span));
        return;
    }
    fb_map_put(ck->params, key, out->n_params);
    out->params[out->n_params++] = param;
}

/* Two actuators of one name, which is reported, have two alarms of one name. */
static bool of_one_name(const struct fb_rule_decl *a, const struct fb_rule_decl *b) {
    return a->feedback_of && b->feedback_of &&
           fb_str_eq(a->feedback_of->name, b->feedback_of->name);
}

static void refuse_alarm(struct fb_checker *ck, const struct fb_rule_decl *rule,
                         const struct fb_rule_decl *before) {
    if (!of_one_name(rule, before))
        fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, rule->name_span,
                    "give the other one, or the actuator, another name",
                    "the alarm of this is `%.*s`, and there is a rule of this name, in %s",
                    FB_ARG(rule->name), place_of(ck, before->name_span));
}

/* The commands of the alarm that was added last; of one that was refused nothing more is said. */
static void add_commands(struct fb_checker *ck, struct fb_rule_decl *control) {
    struct fb_checked *out = ck->out;
    const struct fb_checked_rule *alarm = out->n_rules ? &out->rules[out->n_rules - 1] : NULL;
    if (!alarm || alarm->decl != control->commands_of)
        return;
    uint32_t class_index = alarm->class_index;
    out->rules[out->n_rules++] =
        (struct fb_checked_rule){.decl = control, .class_index = class_index};
}

/* What a rule asks of other devices; of one that was refused nothing more is said. */
static void add_asked(struct fb_checker *ck, struct fb_rule_decl *control) {
    struct fb_checked *out = ck->out;
    uint32_t i = out->n_rules;
    while (i > 0 && out->rules[i - 1].decl->asked_of == control->asked_of)
        i--;
    if (i == 0 || out->rules[i - 1].decl != control->asked_of)
        return;
    uint32_t index = fb_check_asked_class(ck, control, out->rules[i - 1].class_index);
    if (index != FB_MAP_NONE)
        control->class_name = out->classes[index].decl->name;
    out->rules[out->n_rules++] = (struct fb_checked_rule){.decl = control, .class_index = index};
}

static void add_rule(struct fb_checker *ck, struct fb_rule_decl *rule) {
    if (rule->asked_of) {
        add_asked(ck, rule);
        return;
    }
    if (rule->commands_of) {
        add_commands(ck, rule);
        return;
    }
    uint32_t before = fb_map_get(ck->rules, rule->name);
    if (before != FB_MAP_NONE && rule->feedback_of) {
        refuse_alarm(ck, rule, ck->out->rules[before].decl);
        return;
    }
    if (before != FB_MAP_NONE) {
        fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, rule->name_span,
                    "a rule's name is part of its alerts' key; give each its own",
                    "the rule `%.*s` is declared twice, first in %s", FB_ARG(rule->name),
                    place_of(ck, ck->out->rules[before].decl->name_span));
        return;
    }
    uint32_t index = rule->feedback_of /* its actuator reports */
                         ? fb_map_get(ck->classes, rule->class_name)
                         : fb_check_class_index(ck, rule->class_name, rule->class_span);
    if (index != FB_MAP_NONE && rule->by.n)
        index = fb_check_class_of_groups(ck, rule, index);
    struct fb_checked *out = ck->out;
    fb_map_put(ck->rules, rule->name, out->n_rules);
    out->rules[out->n_rules++] = (struct fb_checked_rule){.decl = rule, .class_index = index};
}

/* Who receives commands knows an actuator by its name and the device's id, which devices of two
 * classes may share. */
static void refuse_same_of_others(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    struct fb_str key = param_key(ck, FB_S(""), actuator->name);
    uint32_t index = fb_map_get(ck->actuators, key);
    if (index == FB_MAP_NONE) {
        fb_map_put(ck->actuators, key, ck->out->n_actuators);
        return;
    }
    const struct fb_actuator_decl *before = ck->out->actuators[index].decl;
    fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, actuator->name_span,
                "an actuator's name is part of its commands' key; give each its own",
                "`%.*s` is also an actuator of `%.*s`, in %s", FB_ARG(actuator->name),
                FB_ARG(before->class_name), place_of(ck, before->name_span));
}

static void add_actuator(struct fb_checker *ck, struct fb_actuator_decl *actuator) {
    struct fb_checked *out = ck->out;
    struct fb_str key = param_key(ck, actuator->class_name, actuator->name);
    uint32_t before = fb_map_get(ck->actuators, key);
    if (before != FB_MAP_NONE) {
        fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, actuator->name_span, NULL,
                    "the actuator `%.*s` is declared twice, first in %s", FB_ARG(actuator->name),
                    place_of(ck, out->actuators[before].decl->name_span));
        return;
    }
    refuse_same_of_others(ck, actuator);
    fb_map_put(ck->actuators, key, out->n_actuators);
    out->actuators[out->n_actuators++] = (struct fb_checked_actuator){
        .decl = actuator,
        .class_index = fb_check_class_index(ck, actuator->class_name, actuator->class_span)};
}

static void add_limit(struct fb_checker *ck, const struct fb_limit_decl *limit) {
    if (!ck->out->limit)
        ck->out->limit = limit;
    else
        fb_diag_add(ck->diags, FB_E_SECOND_LIMIT, limit->span,
                    "all files together have one: it is for all rules",
                    "`commands at most` stands twice, first in %s",
                    place_of(ck, ck->out->limit->span));
}

static void for_each_item(struct fb_checker *ck,
                          void (*visit)(struct fb_checker *ck, struct fb_item *item)) {
    for (uint32_t f = 0; f < ck->tree->n_files; f++)
        for (uint32_t i = 0; i < ck->tree->files[f]->n_items; i++)
            visit(ck, &ck->tree->files[f]->items[i]);
}

static void collect_class(struct fb_checker *ck, struct fb_item *item) {
    if (item->kind == FB_ITEM_CLASS && !item->class_decl->reopened)
        add_class(ck, item->class_decl);
}

static void collect_others(struct fb_checker *ck, struct fb_item *item) {
    struct fb_checked *out = ck->out;
    if (item->kind == FB_ITEM_PARAM)
        add_param(ck, item->param);
    else if (item->kind == FB_ITEM_ACTUATOR)
        add_actuator(ck, item->actuator);
    else if (item->kind == FB_ITEM_RULE)
        add_rule(ck, item->rule);
    else if (item->kind == FB_ITEM_TEST)
        out->tests[out->n_tests++] =
            (struct fb_checked_test){.decl = item->test, .class_index = UINT32_MAX};
    else if (item->kind == FB_ITEM_LIMIT)
        add_limit(ck, item->limit);
}

static void collect_lets(struct fb_checker *ck, struct fb_item *item) {
    if (item->kind != FB_ITEM_CLASS || item->class_decl->name.n == 0)
        return;
    struct fb_class_decl *decl = item->class_decl;
    uint32_t index = decl->reopened ? fb_check_class_index(ck, decl->name, decl->name_span)
                                    : fb_map_get(ck->classes, decl->name);
    if (index == FB_MAP_NONE)
        return;
    struct fb_checked_class *class = &ck->out->classes[index];
    struct fb_let_decl **lets =
        FB_ARENA_ARRAY(ck->arena, struct fb_let_decl *, class->n_lets + decl->n_lets + 1);
    for (uint32_t i = 0; i < class->n_lets; i++)
        lets[i] = class->lets[i];
    for (uint32_t i = 0; i < decl->n_lets; i++)
        lets[class->n_lets++] = decl->lets[i];
    class->lets = lets;
}

static uint32_t count_items(const struct fb_tree *tree) {
    uint32_t n = 0;
    for (uint32_t f = 0; f < tree->n_files; f++)
        n += tree->files[f]->n_items + tree->files[f]->n_broken;
    return n;
}

/* ---- statements with a syntax error: their names are known, so that nobody misses them ------- */

static void collect_broken_class(struct fb_checker *ck, struct fb_class_decl *decl) {
    uint32_t index = fb_map_get(ck->classes, decl->name);
    decl->broken = true;
    if (decl->reopened && index != FB_MAP_NONE)
        ck->out->classes[index].decl->broken = true; /* it may have held a let */
    else
        add_class(ck, decl);
}

static void collect_broken_param(struct fb_checker *ck, struct fb_param_decl *param) {
    param->broken = true;
    if (!param->value)
        param->value = FB_ARENA_NEW(ck->arena, struct fb_node);
    param->value->kind = FB_N_NAME;
    param->value->type = FB_T_NONE;
    add_param(ck, param);
}

static void collect_broken_rule(struct fb_checker *ck, struct fb_rule_decl *rule) {
    struct fb_checked *out = ck->out;
    fb_map_put(ck->rules, rule->name, out->n_rules);
    out->rules[out->n_rules++] =
        (struct fb_checked_rule){.decl = rule, .class_index = FB_MAP_NONE};
}

/* Its class and its name are known, or it may be any. */
static void collect_broken_actuator(struct fb_checker *ck, struct fb_actuator_decl *actuator) {
    uint32_t class_index = fb_map_get(ck->classes, actuator->class_name);
    struct fb_str key = param_key(ck, actuator->class_name, actuator->name);
    if (class_index == FB_MAP_NONE) {
        ck->incomplete = true;
        return;
    }
    if (fb_map_get(ck->actuators, key) != FB_MAP_NONE)
        return;
    actuator->broken = true;
    actuator->type.type = FB_T_NONE;
    fb_map_put(ck->actuators, key, ck->out->n_actuators);
    ck->out->actuators[ck->out->n_actuators++] =
        (struct fb_checked_actuator){.decl = actuator, .class_index = class_index};
}

static struct fb_str name_of(const struct fb_item *item) {
    switch (item->kind) {
    case FB_ITEM_CLASS:
        return item->class_decl->name;
    case FB_ITEM_PARAM:
        return item->param->name;
    case FB_ITEM_ACTUATOR:
        return item->actuator->name;
    case FB_ITEM_RULE:
        return item->rule->name;
    default:
        return (struct fb_str){0};
    }
}

static void collect_broken(struct fb_checker *ck, struct fb_item *item) {
    if (item->kind == FB_ITEM_TEST || item->kind == FB_ITEM_LIMIT)
        return;
    if (name_of(item).n == 0)
        ck->incomplete = true;
    else if (item->kind == FB_ITEM_CLASS)
        collect_broken_class(ck, item->class_decl);
    else if (item->kind == FB_ITEM_PARAM)
        collect_broken_param(ck, item->param);
    else if (item->kind == FB_ITEM_ACTUATOR)
        collect_broken_actuator(ck, item->actuator);
    else if (fb_map_get(ck->rules, item->rule->name) == FB_MAP_NONE)
        collect_broken_rule(ck, item->rule);
}

static void for_each_broken(struct fb_checker *ck,
                            void (*visit)(struct fb_checker *ck, struct fb_item *item)) {
    for (uint32_t f = 0; f < ck->tree->n_files; f++)
        for (uint32_t i = 0; i < ck->tree->files[f]->n_broken; i++)
            visit(ck, &ck->tree->files[f]->broken[i]);
}

void fb_check_collect(struct fb_checker *ck) {
    struct fb_checked *out = ck->out;
    uint32_t n = count_items(ck->tree) + 1;
    out->classes = FB_ARENA_ARRAY(ck->arena, struct fb_checked_class, 2 * n); /* and of groups */
    out->params = FB_ARENA_ARRAY(ck->arena, struct fb_param_decl *, n);
    out->actuators = FB_ARENA_ARRAY(ck->arena, struct fb_checked_actuator, n);
    out->rules = FB_ARENA_ARRAY(ck->arena, struct fb_checked_rule, n);
    out->tests = FB_ARENA_ARRAY(ck->arena, struct fb_checked_test, n);
    for_each_item(ck, collect_class);
    for_each_broken(ck, collect_broken);
    for_each_item(ck, collect_others);
    for_each_item(ck, collect_lets);
    for_each_broken(ck, collect_lets);
}

/* ---- looking up ----------------------------------------------------------------------------- */

struct fb_definition *fb_check_definition(const struct fb_scope *scope, struct fb_str name,
                                          const struct fb_scope **where) {
    for (; scope; scope = scope->outer)
        for (uint32_t i = 0; i < scope->n_lets; i++)
            if (fb_str_eq(scope->lets[i].let->name, name)) {
                *where = scope;
                return &scope->lets[i];
            }
    return NULL;
}

static const struct fb_class_decl *class_of(const struct fb_scope *scope) {
    while (scope && !scope->class_decl)
        scope = scope->outer;
    return scope ? scope->class_decl : NULL;
}

static uint32_t candidates(const struct fb_checker *ck, const struct fb_type_decl *words,
                           struct fb_str *names) {
    uint32_t n = 0;
    for (uint32_t i = 0; words && i < words->n_words && n < CANDIDATES_MAX; i++)
        names[n++] = words->words[i];
    for (const struct fb_scope *s = ck->scope; s; s = s->outer)
        for (uint32_t i = 0; i < s->n_lets && n < CANDIDATES_MAX; i++)
            names[n++] = s->lets[i].let->name;
    const struct fb_class_decl *decl = class_of(ck->scope);
    for (uint32_t i = 0; decl && i < decl->n_fields && n < CANDIDATES_MAX; i++)
        names[n++] = decl->fields[i]->name;
    for (uint32_t i = 0; i < ck->out->n_params && n < CANDIDATES_MAX; i++) {
        struct fb_str of = ck->out->params[i]->class_name;
        if (of.n == 0 || (decl && fb_str_eq(of, decl->name)))
            names[n++] = ck->out->params[i]->name;
    }
    for (const struct fb_scope *s = ck->scope; s; s = s->outer)
        for (uint32_t i = 0; i < s->n_actuators && n < CANDIDATES_MAX; i++)
            names[n++] = s->actuators[i]->name;
    return n;
}

/* A word that belongs to some enumeration of the class, used where none stands opposite. */
static const char *word_elsewhere(struct fb_checker *ck, struct fb_str name) {
    const struct fb_class_decl *decl = class_of(ck->scope);
    for (uint32_t i = 0; decl && i < decl->n_fields; i++)
        if (word_index(&decl->fields[i]->type, name) >= 0)
            return fb_check_print(ck, "`%.*s` is a word of `%.*s`: compare it, `%.*s == %.*s`",
                                  FB_ARG(name), FB_ARG(decl->fields[i]->name),
                                  FB_ARG(decl->fields[i]->name), FB_ARG(name));
    for (const struct fb_scope *s = ck->scope; s; s = s->outer)
        for (uint32_t i = 0; i < s->n_actuators; i++)
            if (word_index(&s->actuators[i]->type, name) >= 0)
                return fb_check_print(ck, "`%.*s` is a word of `%.*s`: compare it, `%.*s == %.*s`",
                                      FB_ARG(name), FB_ARG(s->actuators[i]->name),
                                      FB_ARG(s->actuators[i]->name), FB_ARG(name));
    return NULL;
}

static bool in_param(const struct fb_checker *ck) {
    return ck->n_path && ck->path[ck->n_path - 1]->param;
}

/* A word of an enumeration as the value of a param: nothing stands opposite that gives it a
 * type. */
static const char *word_in_param(struct fb_checker *ck, struct fb_str name) {
    for (uint32_t i = 0; in_param(ck) && i < ck->out->n_classes; i++) {
        const struct fb_class_decl *decl = ck->out->classes[i].decl;
        for (uint32_t k = 0; k < decl->n_fields; k++)
            if (word_index(&decl->fields[k]->type, name) >= 0)
                return fb_check_print(
                    ck,
                    "`%.*s` is a word of `%.*s` of `%.*s`, and a parameter holds none: write the "
                    "word in the condition, or name the comparison, `let .. = %.*s == %.*s`",
                    FB_ARG(name), FB_ARG(decl->fields[k]->name), FB_ARG(decl->name),
                    FB_ARG(decl->fields[k]->name), FB_ARG(name));
    }
    return NULL;
}

/* A field, used in a param for all devices. */
static const char *field_elsewhere(struct fb_checker *ck, struct fb_str name) {
    bool of_all = in_param(ck) && !class_of(ck->scope);
    for (uint32_t i = 0; of_all && i < ck->out->n_classes; i++) {
        const struct fb_class_decl *decl = ck->out->classes[i].decl;
        if (fb_check_field(decl, name))
            return fb_check_print(ck,
                                  "`%.*s` belongs to `%.*s`: say of which device this is, "
                                  "as in `param .. on %.*s`",
                                  FB_ARG(name), FB_ARG(decl->name), FB_ARG(decl->name));
    }
    return NULL;
}

/* A bare word beside a text. */
static const char *text_unquoted(struct fb_checker *ck, const struct fb_node *node) {
    const struct fb_node *other = ck->compared[node == ck->compared[0]];
    bool beside = node == ck->compared[0] || node == ck->compared[1];
    if (!beside || !other || other->type != FB_T_TEXT)
        return NULL;
    return fb_check_print(ck, "a text stands in quotes: `\"%.*s\"`", FB_ARG(node->text));
}

/* A field of the members, in a rule on groups. */
static const char *of_each_member(struct fb_checker *ck, struct fb_str name) {
    const struct fb_class_decl *decl = class_of(ck->scope);
    uint32_t index = decl ? fb_map_get(ck->classes, decl->name) : FB_MAP_NONE;
    if (index == FB_MAP_NONE || ck->out->classes[index].group_class == FB_NO_INDEX)
        return NULL;
    const struct fb_class_decl *members =
        ck->out->classes[ck->out->classes[index].group_class].decl;
    if (!fb_check_field(members, name))
        return NULL;
    return fb_check_print(ck,
                          "each `%.*s` of the group has its own: say of which, as in "
                          "`max(%.*s of %.*s)`",
                          FB_ARG(members->name), FB_ARG(name), FB_ARG(members->name));
}

static const char *param_elsewhere(struct fb_checker *ck, struct fb_str name) {
    for (uint32_t i = 0; i < ck->out->n_params; i++)
        if (fb_str_eq(ck->out->params[i]->name, name))
            return fb_check_print(ck, "`%.*s` is a parameter of `%.*s`", FB_ARG(name),
                                  FB_ARG(ck->out->params[i]->class_name));
    return NULL;
}

static const char *let_of_state(struct fb_checker *ck, struct fb_str name) {
    for (uint32_t i = 0; ck->rule && i < ck->rule->n_lets; i++) {
        const struct fb_let_decl *let = ck->rule->lets[i];
        if (let->in_state && fb_str_eq(let->name, name))
            return fb_check_print(ck,
                                  "it is a let of the state `%.*s`; outside the states all of them "
                                  "see it",
                                  FB_ARG(ck->rule->states[let->in_state - 1].name));
    }
    return NULL;
}

static void refuse_name(struct fb_checker *ck, const struct fb_node *node,
                        const struct fb_type_decl *words) {
    const struct fb_class_decl *decl = class_of(ck->scope);
    if (ck->incomplete || (decl && decl->broken))
        return;
    struct fb_str names[CANDIDATES_MAX];
    const char *help = fb_check_suggest(ck, node->text, names, candidates(ck, words, names));
    if (words) {
        struct fb_buf list = {0};
        for (uint32_t i = 0; i < words->n_words; i++)
            fb_buf_printf(&list, "%s%.*s", i ? ", " : "", FB_ARG(words->words[i]));
        fb_diag_add(ck->diags, FB_E_UNKNOWN_WORD, node->span, help,
                    "`%.*s` is none of the words %s", FB_ARG(node->text), fb_buf_terminated(&list));
        fb_buf_free(&list);
        return;
    }
    if (let_of_state(ck, node->text))
        help = let_of_state(ck, node->text);
    else if (fb_map_get(ck->rules, node->text) != FB_MAP_NONE)
        help = "a rule's name is not a value; repeat its condition, or give it a name with let";
    else if (field_elsewhere(ck, node->text))
        help = field_elsewhere(ck, node->text);
    else if (text_unquoted(ck, node))
        help = text_unquoted(ck, node);
    else if (of_each_member(ck, node->text))
        help = of_each_member(ck, node->text);
    if (fb_map_get(ck->classes, node->text) != FB_MAP_NONE)
        help = fb_check_print(ck,
                              "`%.*s` is a device: several of them are looked at by "
                              "`max(x of %.*s)`",
                              FB_ARG(node->text), FB_ARG(node->text));
    if (!help)
        help = word_in_param(ck, node->text);
    if (!help)
        help = word_elsewhere(ck, node->text);
    if (!help)
        help = param_elsewhere(ck, node->text);
    fb_diag_add(ck->diags, FB_E_UNKNOWN_NAME, node->span, help, "there is no `%.*s` here",
                FB_ARG(node->text));
}

/* ---- lets and params ------------------------------------------------------------------------ */

static const struct fb_scope *scope_of_param(const struct fb_checker *ck,
                                             const struct fb_param_decl *param) {
    uint32_t index = fb_map_get(ck->classes, param->class_name);
    return param->class_name.n && index != FB_MAP_NONE ? &ck->class_scopes[index] : NULL;
}

static void define_let(struct fb_checker *ck, struct fb_let_decl *let) {
    bool ok;
    const struct fb_unit *unit = fb_check_unit(ck, let->unit_text, let->unit_span, &ok);
    fb_check_node(ck, let->value, NULL);
    if (ok && fb_check_declared(ck, let->value, unit, let->unit_span))
        let->unit = unit;
    else
        let->value->type = FB_T_NONE;
    if (let->value->kind == FB_N_UNKNOWN) {
        fb_diag_add(ck->diags, FB_E_TYPES_DIFFER, let->value->span, NULL,
                    "`unknown` alone has no type");
        let->value->type = FB_T_NONE;
    }
}

/* The class whose let it is; NULL: of a rule, or a param. */
static const struct fb_class_decl *owner_of(const struct fb_checker *ck,
                                            const struct fb_definition *definition) {
    for (uint32_t i = 0; i < ck->out->n_classes; i++) {
        const struct fb_scope *scope = &ck->class_scopes[i];
        if (scope->n_lets && definition >= scope->lets && definition < scope->lets + scope->n_lets)
            return scope->class_decl;
    }
    return NULL;
}

static void put_definition(const struct fb_checker *ck, const struct fb_definition *definition,
                           bool with_owner, struct fb_buf *out) {
    const struct fb_class_decl *owner = with_owner ? owner_of(ck, definition) : NULL;
    fb_buf_str(out, definition->let ? definition->let->name : definition->param->name);
    if (owner)
        fb_buf_printf(out, " of %.*s", FB_ARG(owner->name));
}

static const char *path_text(struct fb_checker *ck, const struct fb_definition *again) {
    struct fb_buf text = {0};
    uint32_t i = 0;
    while (i < ck->n_path && ck->path[i] != again)
        i++;
    bool several = false; /* the way leads through other devices */
    for (uint32_t k = i; k < ck->n_path; k++)
        several |= owner_of(ck, ck->path[k]) != owner_of(ck, again);
    for (; i < ck->n_path; i++) {
        put_definition(ck, ck->path[i], several, &text);
        fb_buf_text(&text, " -> ");
    }
    put_definition(ck, again, several, &text);
    const char *copy = fb_check_print(ck, "%s", fb_buf_terminated(&text));
    fb_buf_free(&text);
    return copy;
}

static bool refuse_cycle(struct fb_checker *ck, const struct fb_definition *definition,
                         struct fb_span user) {
    fb_diag_add(ck->diags, FB_E_CYCLE, user, NULL, "this is defined by itself: %s",
                path_text(ck, definition));
    return false;
}

bool fb_check_refuse_depth(struct fb_checker *ck, struct fb_span user) {
    fb_diag_add(ck->diags, FB_E_NESTED_NAMES, user, "write some of them out",
                "lets and parameters use one another more than %d deep, or %d operators deep",
                FB_CHECK_DEPTH_MAX, FB_CHECK_NODES_MAX);
    return false;
}

static bool failed(const struct fb_definition *definition) {
    return fb_check_failed(definition->let ? definition->let->value : definition->param->value);
}

bool fb_check_define(struct fb_checker *ck, struct fb_definition *definition,
                     const struct fb_scope *scope, struct fb_span user) {
    if (definition->progress == FB_CHECKING)
        return refuse_cycle(ck, definition, user);
    if (definition->progress == FB_DONE)
        return !failed(definition);
    if (ck->n_path == FB_CHECK_DEPTH_MAX)
        return fb_check_refuse_depth(ck, user);
    const struct fb_scope *old_scope = ck->scope;
    struct fb_facts *old_facts = ck->facts;
    uint32_t old_base = ck->base;
    FB_PUSH_ROOM(ck->path, ck->n_path, ck->cap_path);
    ck->path[ck->n_path++] = definition;
    definition->progress = FB_CHECKING;
    ck->scope = definition->param ? scope_of_param(ck, definition->param) : scope;
    ck->facts = &definition->facts;
    ck->base = ck->nesting;
    if (definition->let)
        define_let(ck, definition->let);
    else
        fb_check_param_body(ck, definition->param);
    ck->base = old_base;
    ck->facts = old_facts;
    ck->scope = old_scope;
    ck->n_path--;
    definition->progress = FB_DONE;
    definition->facts.depth++;
    return !failed(definition);
}

static bool use(struct fb_checker *ck, struct fb_node *node, struct fb_definition *definition,
                const struct fb_scope *where) {
    if (!fb_check_define(ck, definition, where, node->span))
        return false;
    uint32_t nodes = ck->nesting - ck->base + definition->facts.nodes;
    if (definition->facts.depth >= FB_CHECK_DEPTH_MAX || nodes > FB_CHECK_NODES_MAX)
        return fb_check_refuse_depth(ck, node->span);
    fb_facts_add(ck->facts, &definition->facts);
    if (ck->facts->nodes < nodes)
        ck->facts->nodes = nodes;
    return true;
}

static void take_value(struct fb_node *node, const struct fb_node *value,
                       const struct fb_unit *declared) {
    node->type = value->type;
    node->unit = declared ? declared : value->unit;
    node->difference = value->difference;
}

static bool name_param(struct fb_checker *ck, struct fb_node *node) {
    const struct fb_class_decl *decl = class_of(ck->scope);
    uint32_t index = param_index(ck, decl ? decl->name : FB_S(""), node->text);
    if (index == FB_MAP_NONE)
        return false;
    struct fb_definition *definition = &ck->param_definitions[index];
    node->ref = FB_REF_PARAM;
    node->param = definition->param;
    if (use(ck, node, definition, NULL))
        take_value(node, node->param->value, node->param->unit);
    return true;
}

/* It changes when a command is accepted, which no record tells. */
static bool name_actuator(struct fb_checker *ck, struct fb_node *node) {
    const struct fb_actuator_decl *actuator = fb_check_actuator_named(ck->scope, node->text);
    if (!actuator)
        return false;
    struct fb_facts here = {.moving = node, .lookup_only = node};
    node->ref = FB_REF_ACTUATOR;
    node->actuator = actuator;
    node->type = actuator->type.type;
    node->unit = actuator->type.unit;
    fb_facts_add(ck->facts, &here);
    return true;
}

/* It changes at the end of an evaluation, or when a time is over. */
static bool name_mode(struct fb_checker *ck, struct fb_node *node) {
    const struct fb_rule_decl *mode = fb_check_mode_named(ck->scope, node->text);
    if (!mode)
        return false;
    struct fb_facts here = {.moving = node, .lookup_only = node};
    node->ref = FB_REF_MODE;
    node->mode = mode;
    node->type = FB_T_ENUM;
    fb_facts_add(ck->facts, &here);
    return true;
}

const struct fb_rule_decl *fb_check_alarm_named(const struct fb_checker *ck,
                                                const struct fb_scope *scope, struct fb_str name) {
    uint32_t index = fb_map_get(ck->rules, name);
    const struct fb_checked_rule *rule = index == FB_MAP_NONE ? NULL : &ck->out->rules[index];
    if (!rule || rule->decl->kind != FB_RULE_ALARM || rule->class_index == FB_MAP_NONE ||
        ck->out->classes[rule->class_index].decl != class_of(scope))
        return NULL;
    return rule->decl;
}

/* It changes at the end of an evaluation, or when a delay is over. */
static bool name_alarm(struct fb_checker *ck, struct fb_node *node) {
    if (node->ref != FB_REF_ALARM) {
        const struct fb_rule_decl *alarm = fb_check_alarm_named(ck, ck->scope, node->text);
        if (!alarm)
            return false;
        node->ref = FB_REF_ALARM;
        node->alarm = alarm;
    }
    struct fb_facts here = {.moving = node,
                            .lookup_only = node,
                            .alarms = fb_map_get(ck->rules, node->alarm->name) + 1};
    node->type = FB_T_BOOL;
    fb_facts_add(ck->facts, &here);
    return true;
}

void fb_check_name(struct fb_checker *ck, struct fb_node *node, const struct fb_type_decl *words) {
    if (node->ref == FB_REF_ALARM) { /* of an alarm's commands, whatever else has its name */
        name_alarm(ck, node);
        return;
    }
    int64_t word = word_index(words, node->text);
    if (word >= 0) {
        node->ref = FB_REF_WORD;
        node->word = word;
        node->words = words;
        node->type = FB_T_ENUM;
        return;
    }
    const struct fb_scope *where;
    struct fb_definition *let = fb_check_definition(ck->scope, node->text, &where);
    if (let) {
        node->ref = FB_REF_LET;
        node->let = let->let;
        if (use(ck, node, let, where))
            take_value(node, node->let->value, node->let->unit);
        return;
    }
    const struct fb_field_decl *field = fb_check_field(class_of(ck->scope), node->text);
    if (field) {
        node->ref = FB_REF_FIELD;
        node->field = field;
        node->type = field->type.type;
        node->unit = field->type.unit;
        if (field->index < FB_FIELDS_MAX)
            fb_field_set_add(&ck->facts->reads, field->index);
        return;
    }
    if (!name_param(ck, node) && !name_actuator(ck, node) && !name_mode(ck, node) &&
        !name_alarm(ck, node))
        refuse_name(ck, node, words);
}
