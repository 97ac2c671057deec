/* Actuators, and the commands that ask something of them.
 *
 * Place in the flow: inside check: types before everything that reads them, the declarations after
 * the devices, commands with their control. */
#include "engine/model/actuator.h"
#include "rules/check_internal.h"

enum { LEASE_US_MIN = 3000000 };

static bool is_switch(const struct fb_actuator_decl *actuator) {
    return actuator->type.type == FB_T_ENUM;
}

/* ---- types ---------------------------------------------------------------------------------- */

void fb_check_actuator_type(struct fb_checker *ck, struct fb_actuator_decl *actuator) {
    bool ok = true;
    if (!actuator->broken)
        actuator->type.unit =
            fb_check_unit(ck, actuator->type.unit_text, actuator->type.unit_span, &ok);
    actuator->broken |= !ok;
    if (actuator->broken)
        actuator->type.type = FB_T_NONE;
}

static void check_words(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    const struct fb_type_decl *type = &actuator->type;
    if (type->n_words == 2 && fb_str_eq(type->words[0], type->words[1]))
        fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, actuator->name_span,
                    "the first word is the inactive state, the second the active one",
                    "both words of `%.*s` are `%.*s`", FB_ARG(actuator->name),
                    FB_ARG(type->words[0]));
}

static bool check_range(struct fb_checker *ck, const struct fb_actuator_decl *actuator, double *low,
                        double *high) {
    if (!actuator->range_low)
        return false;
    const struct fb_unit *unit = actuator->type.unit;
    bool ok = fb_check_declared_number(ck, actuator->range_low, unit, "a range", low);
    ok &= fb_check_declared_number(ck, actuator->range_high, unit, "a range", high);
    if (ok && !(*low < *high)) {
        fb_diag_add(ck->diags, FB_E_RANGE_ORDER, actuator->range_low->span,
                    "write the lower end first, and another one as the upper end",
                    "the range leaves nothing to choose: its lower end is not below its upper end");
        return false;
    }
    return ok;
}

/* ---- names ---------------------------------------------------------------------------------- */

static const char *named_alike(struct fb_checker *ck, const struct fb_actuator_decl *actuator,
                               uint32_t class_index) {
    const struct fb_checked_class *class = &ck->out->classes[class_index];
    if (fb_check_field(class->decl, actuator->name))
        return fb_check_print(ck, "a field of `%.*s`", FB_ARG(class->decl->name));
    for (uint32_t i = 0; i < class->n_lets; i++)
        if (fb_str_eq(class->lets[i]->name, actuator->name))
            return fb_check_print(ck, "a let of `%.*s`", FB_ARG(class->decl->name));
    for (uint32_t i = 0; i < ck->out->n_params; i++) {
        const struct fb_param_decl *param = ck->out->params[i];
        if (fb_str_eq(param->name, actuator->name) &&
            (param->class_name.n == 0 || fb_str_eq(param->class_name, class->decl->name)))
            return "a parameter";
    }
    return fb_map_get(ck->rules, actuator->name) != FB_MAP_NONE ? "a rule" : NULL;
}

static void check_name(struct fb_checker *ck, const struct fb_actuator_decl *actuator,
                       uint32_t class_index) {
    const char *other = named_alike(ck, actuator, class_index);
    if (other)
        fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, actuator->name_span, "give it another name",
                    "`%.*s` is also %s", FB_ARG(actuator->name), other);
}

/* ---- values --------------------------------------------------------------------------------- */

static const char *values_text(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    const struct fb_type_decl *type = &actuator->type;
    if (is_switch(actuator))
        return fb_check_print(ck, "`%.*s` takes %.*s or %.*s", FB_ARG(actuator->name),
                              FB_ARG(type->words[0]), FB_ARG(type->words[1]));
    return type->unit ? fb_check_print(ck, "`%.*s` takes a number in %.*s", FB_ARG(actuator->name),
                                       FB_ARG(fb_unit_text(type->unit)))
                      : fb_check_print(ck, "`%.*s` takes a number", FB_ARG(actuator->name));
}

static bool refuse_value(struct fb_checker *ck, const struct fb_node *value,
                         const struct fb_actuator_decl *actuator) {
    const char *help = NULL;
    if (value->type == FB_T_BOOL && is_switch(actuator) && value->kind != FB_N_BOOL)
        help =
            fb_check_print(ck, "put it behind `start when`, or write `if %s then %.*s else %.*s`",
                           fb_check_source(ck, value), FB_ARG(actuator->type.words[1]),
                           FB_ARG(actuator->type.words[0]));
    else if (value->type == FB_T_TEXT && is_switch(actuator))
        help = "a word stands without quotes";
    fb_diag_add(ck->diags, FB_E_ACTUATOR_VALUE, value->span, help, "%s, and `%s` is %s",
                values_text(ck, actuator), fb_check_source(ck, value),
                value->kind == FB_N_UNKNOWN ? "none" : fb_check_type_text(value->type));
    return false;
}

/* `safe` and `default`: a word, or a number in the range where that is known. */
static void check_constant(struct fb_checker *ck, struct fb_node *value,
                           const struct fb_actuator_decl *actuator, const char *what,
                           const double *range) {
    double x;
    if (!value)
        return;
    if (is_switch(actuator)) {
        fb_check_node(ck, value, &actuator->type);
        if (!fb_check_failed(value) && value->ref != FB_REF_WORD)
            refuse_value(ck, value, actuator);
        return;
    }
    if (fb_check_declared_number(ck, value, actuator->type.unit, what, &x) && range &&
        !(x >= range[0] && x <= range[1]))
        fb_diag_add(ck->diags, FB_E_OUTSIDE_RANGE, value->span, NULL,
                    "`%s` is outside the range of `%.*s`", fb_check_source(ck, value),
                    FB_ARG(actuator->name));
}

/* The size of a step: more than nothing, in the difference of the actuator's unit. */
static void check_step(struct fb_checker *ck, struct fb_node *node,
                       const struct fb_actuator_decl *actuator, const char *what) {
    double x;
    if (!node)
        return;
    fb_check_node(ck, node, NULL);
    if (fb_check_failed(node))
        return;
    if (fb_unit_is_point(node->unit)) {
        fb_diag_add(ck->diags, FB_E_DIFFERENCE_COMPARED, node->span,
                    node->kind == FB_N_NUMBER ? fb_check_as_difference(ck, node) : NULL,
                    "%s is a difference, and `%s` is a temperature", what,
                    fb_check_source(ck, node));
        return;
    }
    const struct fb_unit *unit = fb_unit_difference(ck->units, actuator->type.unit);
    if (fb_check_declared_number(ck, node, unit, what, &x) && !(x > 0))
        fb_diag_add(ck->diags, FB_E_SPAN, node->span, NULL, "%s must be more than nothing", what);
}

/* ---- clauses -------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    bool of_switch, of_number;
} clauses[] = {
    [FB_ACT_DEFAULT] = {"default", true, true},
    [FB_ACT_SAFE] = {"safe", true, true},
    [FB_ACT_MINIMUM] = {"minimum", true, false},
    [FB_ACT_MAXIMUM] = {"maximum", true, false},
    [FB_ACT_STARTS] = {"starts", true, false},
    [FB_ACT_SLEW] = {"slew", false, true},
    [FB_ACT_IGNORE] = {"ignore", false, true},
    [FB_ACT_LEASE] = {"lease", true, true},
    [FB_ACT_DELIVER] = {"deliver within", true, true},
    [FB_ACT_HOLD] = {"hold at most", true, true},
    [FB_ACT_COMBINE] = {"combine", true, true},
    [FB_ACT_FEEDBACK] = {"feedback", true, true},
    [FB_ACT_PERMISSIVE] = {"permissive", true, true},
    [FB_ACT_INTERLOCK] = {"interlock", true, true},
    [FB_ACT_LOCKOUT] = {"lockout", true, false},
    [FB_ACT_BREAKER] = {"breaker", true, true},
    [FB_ACT_TO] = {"to", true, true},
};

/* What maximum on makes inactive would stay so under an interlock that asks for active. */
static void check_maximum(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    const struct fb_node *safe = actuator->safe;
    if (!actuator->maximum_on || !is_switch(actuator) || !safe || safe->kind != FB_N_NAME ||
        actuator->type.n_words != 2 || !fb_str_eq(safe->text, actuator->type.words[1]))
        return;
    fb_diag_add(ck->diags, FB_E_ACTUATOR_CLAUSE, actuator->maximum_on->span,
                "leave `maximum on` out, or let the inactive word be safe",
                "`maximum on` would end what is safe: `%.*s` is safe when `%.*s`, also under its "
                "interlock",
                FB_ARG(actuator->name), FB_ARG(safe->text));
}

static void check_clauses(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    for (uint32_t i = 0; i < actuator->n_items; i++) {
        uint32_t kind = actuator->items[i].kind;
        bool fits = is_switch(actuator) ? clauses[kind].of_switch : clauses[kind].of_number;
        if (fits)
            continue;
        fb_diag_add(ck->diags, FB_E_ACTUATOR_CLAUSE, actuator->items[i].span,
                    is_switch(actuator) ? "for two words there are minimum, maximum and starts"
                                        : "for numbers there are slew and ignore steps under",
                    is_switch(actuator) ? "`%s` is for numbers, and `%.*s` has two words"
                                        : "`%s` is for two words, and `%.*s` is a number",
                    clauses[kind].text, FB_ARG(actuator->name));
    }
    if (actuator->lockout && !actuator->interlock)
        fb_diag_add(ck->diags, FB_E_ACTUATOR_CLAUSE, actuator->lockout->span,
                    "add `interlock when ..`, or leave `lockout` out",
                    "`lockout` begins when an interlock ends, and `%.*s` has none",
                    FB_ARG(actuator->name));
    check_maximum(ck, actuator);
}

/* Whether it may be commanded is the configuration's to say, when they run. */
static void check_topic(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    if (actuator->to_span.end == 0 || fb_str_is_topic(actuator->to))
        return;
    fb_diag_add(
        ck->diags, FB_E_TOPIC_NAME, actuator->to_span,
        "a topic's name has 1 to 249 letters, digits, `.`, `_` or `-`: `to \"plant.valves\"`",
        "Kafka has no topic of this name");
}

/* More would not be reached in a plant's life, and none would stop what never failed. */
static void check_failures(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    if (actuator->failures > FB_FAILURES_MAX)
        fb_diag_add(ck->diags, FB_E_ACTUATOR_COUNT, actuator->feedback_span, NULL,
                    "`stop after` counts from 1 to %u failures, and this says %u", FB_FAILURES_MAX,
                    actuator->failures);
}

static void check_count(struct fb_checker *ck, const struct fb_actuator_decl *actuator,
                        enum fb_actuator_item_kind kind, uint32_t n, uint32_t least,
                        uint32_t most) {
    for (uint32_t i = 0; i < actuator->n_items; i++)
        if (actuator->items[i].kind == kind && (n < least || n > most))
            fb_diag_add(ck->diags, FB_E_ACTUATOR_COUNT, actuator->items[i].span, NULL,
                        "`%s` counts from %u to %u, and this says %u", clauses[kind].text, least,
                        most, n);
}

static void check_spans(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    int64_t us;
    struct fb_node *minimums[] = {actuator->minimum_on, actuator->minimum_off};
    for (int i = 0; i < 2; i++)
        if (minimums[i])
            fb_check_duration(ck, minimums[i], true, NULL);
    fb_check_positive_span(ck, actuator->maximum_on, "`maximum on`");
    fb_check_positive_span(ck, actuator->starts_per, "the time behind `per`");
    fb_check_positive_span(ck, actuator->slew_up_per, "the time behind `per`");
    if (actuator->slew_down_per != actuator->slew_up_per)
        fb_check_positive_span(ck, actuator->slew_down_per, "the time behind `per`");
    fb_check_positive_span(ck, actuator->deliver, "`deliver within`");
    fb_check_positive_span(ck, actuator->hold, "`hold at most`");
    fb_check_positive_span(ck, actuator->lockout, "`lockout`");
    fb_check_positive_span(ck, actuator->reversals_in, "the time behind `in`");
    fb_check_positive_span(ck, actuator->breaker_for, "how long the breaker is open");
    if (actuator->lease && fb_check_duration(ck, actuator->lease, true, &us) && us < LEASE_US_MIN)
        fb_diag_add(ck->diags, FB_E_SPAN, actuator->lease->span,
                    "a command is renewed every third of its lease",
                    "a lease must be at least 3s long");
}

static void check_steps(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    check_step(ck, actuator->slew_up, actuator, "a step of `slew`");
    if (actuator->slew_down != actuator->slew_up)
        check_step(ck, actuator->slew_down, actuator, "a step of `slew`");
    check_step(ck, actuator->ignore_under, actuator, "the size of ignored steps");
}

void fb_check_actuator(struct fb_checker *ck, uint32_t index) {
    const struct fb_checked_actuator *checked = &ck->out->actuators[index];
    const struct fb_actuator_decl *actuator = checked->decl;
    struct fb_facts facts = {0};
    double range[2];
    if (checked->class_index == FB_MAP_NONE || actuator->broken)
        return;
    ck->facts = &facts;
    ck->scope = NULL; /* a declaration's numbers know no fields */
    check_name(ck, actuator, checked->class_index);
    check_words(ck, actuator);
    bool known = check_range(ck, actuator, &range[0], &range[1]);
    check_clauses(ck, actuator);
    check_topic(ck, actuator);
    check_constant(ck, actuator->safe, actuator, "`safe`", known ? range : NULL);
    check_constant(ck, actuator->default_value, actuator, "`default`", known ? range : NULL);
    check_spans(ck, actuator);
    if (!is_switch(actuator))
        check_steps(ck, actuator);
    check_count(ck, actuator, FB_ACT_STARTS, actuator->starts, 1, FB_STARTS_MAX);
    check_count(ck, actuator, FB_ACT_BREAKER, actuator->reversals, 2, FB_REVERSALS_MAX);
    check_failures(ck, actuator);
    ck->scope = &ck->class_scopes[checked->class_index];
    if (actuator->interlock)
        fb_check_condition(ck, actuator->interlock, "what stands behind `interlock when`");
    if (actuator->permissive)
        fb_check_condition(ck, actuator->permissive, "what stands behind `permissive when`");
    ck->scope = NULL;
}

/* ---- feedback ------------------------------------------------------------------------------- */

static bool refuse_within(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    if (is_switch(actuator))
        fb_diag_add(ck->diags, FB_E_ACTUATOR_CLAUSE, actuator->feedback_within->span,
                    "leave `within` out: what stands behind `feedback` is true while it is active",
                    "`within` is for numbers, and `%.*s` has two words", FB_ARG(actuator->name));
    else
        fb_diag_add(ck->diags, FB_E_ACTUATOR_CLAUSE, actuator->feedback_span,
                    "say how far apart the two may be, as in `feedback speed within 8 % after 60s`",
                    "`feedback` of a number needs `within`, and `%.*s` is a number",
                    FB_ARG(actuator->name));
    return false;
}

static bool check_tolerance(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    double x;
    struct fb_node *within = actuator->feedback_within;
    fb_check_node(ck, within, NULL);
    if (fb_check_failed(within) || !fb_check_is_number(ck, within))
        return false;
    if (fb_unit_is_point(within->unit)) {
        fb_diag_add(ck->diags, FB_E_DIFFERENCE_COMPARED, within->span,
                    within->kind == FB_N_NUMBER ? fb_check_as_difference(ck, within) : NULL,
                    "what stands behind `within` is a difference, and `%s` is a temperature",
                    fb_check_source(ck, within));
        return false;
    }
    const struct fb_unit *unit = fb_unit_difference(ck->units, actuator->type.unit);
    if (within->unit && !fb_unit_agree(within->unit, unit)) {
        fb_diag_add(ck->diags, FB_E_DIMENSIONS, within->span, NULL, "%s, and %s",
                    values_text(ck, actuator), fb_check_in_unit(ck, within));
        return false;
    }
    if (fb_check_constant(within, within->unit, &x) && x < 0) {
        fb_diag_add(ck->diags, FB_E_SPAN, within->span, NULL,
                    "what stands behind `within` cannot be negative");
        return false;
    }
    return true;
}

bool fb_check_feedback(struct fb_checker *ck, const struct fb_actuator_decl *actuator) {
    struct fb_node *feedback = actuator->feedback;
    if (actuator->type.type == FB_T_NONE)
        return false; /* reported */
    if (is_switch(actuator) != (actuator->feedback_within == NULL))
        return refuse_within(ck, actuator);
    if (is_switch(actuator))
        return fb_check_condition(ck, feedback, "what stands behind `feedback`");
    fb_check_node(ck, feedback, NULL);
    if (fb_check_failed(feedback) || !fb_check_is_number(ck, feedback))
        return false;
    if (!fb_unit_agree(feedback->unit, actuator->type.unit)) {
        fb_diag_add(ck->diags, FB_E_DIMENSIONS, feedback->span, NULL, "%s, and %s",
                    values_text(ck, actuator), fb_check_in_unit(ck, feedback));
        return false;
    }
    return check_tolerance(ck, actuator);
}

/* ---- commands ------------------------------------------------------------------------------- */

/* How a rule of the class commands an actuator of another one. */
static const char *way_to(struct fb_checker *ck, const struct fb_actuator_decl *other,
                          uint32_t class_index) {
    const struct fb_class_decl *decl = ck->out->classes[class_index].decl;
    uint32_t there = fb_map_get(ck->classes, other->class_name);
    const struct fb_class_decl *its = there == FB_MAP_NONE ? NULL : ck->out->classes[there].decl;
    for (uint32_t i = 0; i < decl->n_links; i++)
        if (decl->links[i]->class_index == there)
            return fb_check_print(ck, "it is one of `%.*s`: `command %.*s.%.*s = ..`",
                                  FB_ARG(other->class_name), FB_ARG(decl->links[i]->name),
                                  FB_ARG(other->name));
    for (uint32_t i = 0; its && i < its->n_links; i++)
        if (its->links[i]->class_index == class_index)
            return fb_check_print(ck, "it is one of `%.*s`: `command each %.*s.%.*s = ..`",
                                  FB_ARG(other->class_name), FB_ARG(other->class_name),
                                  FB_ARG(other->name));
    return fb_check_print(ck,
                          "`%.*s` is an actuator of `%.*s`; a link between the two says which "
                          "device is meant",
                          FB_ARG(other->name), FB_ARG(other->class_name));
}

static void refuse_target(struct fb_checker *ck, const struct fb_command_decl *command,
                          uint32_t class_index) {
    const struct fb_class_decl *decl = ck->out->classes[class_index].decl;
    const struct fb_scope *scope = &ck->class_scopes[class_index];
    struct fb_str *names = FB_ARENA_ARRAY(ck->arena, struct fb_str, scope->n_actuators + 1);
    if (ck->incomplete)
        return;
    for (uint32_t i = 0; i < scope->n_actuators; i++)
        names[i] = scope->actuators[i]->name;
    const char *help = fb_check_suggest(ck, command->target, names, scope->n_actuators);
    for (uint32_t i = 0; i < ck->out->n_actuators && !help; i++) {
        const struct fb_actuator_decl *other = ck->out->actuators[i].decl;
        if (fb_str_eq(other->name, command->target))
            help = way_to(ck, other, class_index);
    }
    if (!help)
        help = fb_check_print(ck, "declare it: actuator %.*s on %.*s : (off, on) { safe off }",
                              FB_ARG(command->target), FB_ARG(decl->name));
    fb_diag_add(ck->diags, FB_E_UNKNOWN_ACTUATOR, command->target_span, help,
                "`%.*s` has no actuator `%.*s`", FB_ARG(decl->name), FB_ARG(command->target));
}

/* A number without a unit that a value can be, other than 0: behind `then` and `else`, among the
 * arguments, in lets and params. */
static const struct fb_node *find_bare(const struct fb_node *node, int depth) {
    const struct fb_node *found = NULL;
    if (node->unit || depth == FB_CHECK_DEPTH_MAX)
        return NULL;
    switch (node->kind) {
    case FB_N_NUMBER:
        return node->value > 0 || node->value < 0 ? node : NULL;
    case FB_N_NEGATE:
        return find_bare(node->a, depth + 1) ? node : NULL;
    case FB_N_NAME:
        if (node->ref == FB_REF_LET)
            return find_bare(node->let->value, depth + 1) ? node : NULL;
        return node->ref == FB_REF_PARAM && find_bare(node->param->value, depth + 1) ? node : NULL;
    case FB_N_IF:
        found = find_bare(node->b, depth + 1);
        return found ? found : find_bare(node->c, depth + 1);
    case FB_N_CALL:
        for (uint32_t i = 0; i < node->n_args && !found; i++)
            if (node->args[i].expr && !node->args[i].window)
                found = find_bare(node->args[i].expr, depth + 1);
        return found;
    default:
        return NULL;
    }
}

static void check_number(struct fb_checker *ck, struct fb_node *value,
                         const struct fb_actuator_decl *actuator) {
    const struct fb_unit *unit = actuator->type.unit;
    const struct fb_node *bare = unit ? find_bare(value, 0) : NULL;
    if (bare) {
        struct fb_str text = fb_unit_written(ck->units, unit);
        fb_diag_add(
            ck->diags, FB_E_BARE_NUMBER, bare->span,
            bare->kind == FB_N_NAME
                ? fb_check_print(ck, "give it its unit where it is declared: [%.*s]", FB_ARG(text))
                : fb_check_print(ck, "did you mean `%s %.*s`?", fb_check_source(ck, bare),
                                 FB_ARG(text)),
            "`%s` has no unit, and `%.*s` is in %.*s", fb_check_source(ck, bare),
            FB_ARG(actuator->name), FB_ARG(fb_unit_text(unit)));
        return;
    }
    struct fb_node target = {.kind = FB_N_NAME,
                             .ref = FB_REF_ACTUATOR,
                             .actuator = actuator,
                             .type = FB_T_NUMBER,
                             .unit = unit,
                             .span = actuator->name_span};
    struct fb_node *both[] = {&target, value};
    if (!fb_unit_agree(value->unit, unit))
        fb_diag_add(ck->diags, FB_E_DIMENSIONS, value->span, NULL, "%s, and %s",
                    values_text(ck, actuator), fb_check_in_unit(ck, value));
    else
        fb_check_bring(ck, both, 2, value->span, "one value");
}

/* A value whose own type is known. */
static void check_fits(struct fb_checker *ck, struct fb_node *value,
                       const struct fb_actuator_decl *actuator) {
    if (is_switch(actuator)) {
        const struct fb_type_decl *words = fb_check_words(value), *own = &actuator->type;
        bool same = value->type == FB_T_ENUM &&
                    (!words || words == own ||
                     (words->n_words == 2 && fb_str_eq(words->words[0], own->words[0]) &&
                      fb_str_eq(words->words[1], own->words[1])));
        if (!same)
            refuse_value(ck, value, actuator);
        return;
    }
    if (value->type == FB_T_COUNTER)
        fb_check_is_number(ck, value);
    else if (value->type != FB_T_NUMBER && value->type != FB_T_INTEGER)
        refuse_value(ck, value, actuator);
    else
        check_number(ck, value, actuator);
}

static void check_value(struct fb_checker *ck, struct fb_node *value,
                        const struct fb_actuator_decl *actuator) {
    fb_check_node(ck, value, is_switch(actuator) ? &actuator->type : NULL);
    if (!fb_check_failed(value))
        check_fits(ck, value, actuator);
}

static void check_priority(struct fb_checker *ck, const struct fb_command_decl *command) {
    bool written = command->priority_span.end > command->priority_span.start;
    if ((!written && !command->priority) ||
        (command->priority >= FB_PRIORITY_FIRST && command->priority <= FB_PRIORITY_LAST))
        return;
    fb_diag_add(ck->diags, FB_E_PRIORITY, written ? command->priority_span : command->span,
                "write 9 (goes first) to 16; without it, it is 12",
                command->priority < FB_PRIORITY_FIRST
                    ? "the priorities 1 to 8 belong to life safety, operators and the engine"
                    : "there are 16 priorities, and the last is 16");
}

/* What a step may add to: a number's range, or a part of it. */
static void check_within(struct fb_checker *ck, const struct fb_command_decl *step) {
    const struct fb_actuator_decl *actuator = step->actuator;
    const struct fb_unit *unit = actuator->type.unit;
    double low, high, least, most;
    bool ok = fb_check_declared_number(ck, step->low, unit, "an end of `within`", &low);
    ok &= fb_check_declared_number(ck, step->high, unit, "an end of `within`", &high);
    if (!ok || !fb_check_constant(actuator->range_low, unit, &least) ||
        !fb_check_constant(actuator->range_high, unit, &most))
        return;
    if (!(low < high))
        fb_diag_add(ck->diags, FB_E_RANGE_ORDER, step->low->span,
                    "write the lower end first, and another one as the upper end",
                    "`within` leaves nothing to choose: its lower end is not below its upper end");
    else if (low < least || high > most)
        fb_diag_add(ck->diags, FB_E_OUTSIDE_RANGE, low < least ? step->low->span : step->high->span,
                    NULL, "`within` goes beyond the range of `%.*s`", FB_ARG(actuator->name));
}

/* What a step adds. */
static void check_amount(struct fb_checker *ck, struct fb_node *value,
                         const struct fb_actuator_decl *difference) {
    fb_check_node(ck, value, NULL);
    if (fb_check_failed(value))
        return;
    if (fb_unit_is_point(value->unit))
        fb_diag_add(ck->diags, FB_E_DIFFERENCE_COMPARED, value->span,
                    value->kind == FB_N_NUMBER ? fb_check_as_difference(ck, value) : NULL,
                    "a step adds a difference, and `%s` is a temperature",
                    fb_check_source(ck, value));
    else
        check_fits(ck, value, difference);
}

/* by: a difference; from: a value of the actuator. */
static void check_step_of(struct fb_checker *ck, const struct fb_command_decl *step) {
    const struct fb_actuator_decl *actuator = step->actuator;
    if (is_switch(actuator)) {
        fb_diag_add(ck->diags, FB_E_ACTUATOR_CLAUSE, step->target_span,
                    "ask for one of its words: `command NAME = ..`",
                    "a step is for a number, and `%.*s` has two words", FB_ARG(actuator->name));
        return;
    }
    struct fb_actuator_decl difference = *actuator;
    difference.type.unit = fb_unit_difference(ck->units, actuator->type.unit);
    check_amount(ck, step->value, &difference);
    check_within(ck, step);
    if (step->from)
        check_value(ck, step->from, actuator);
}

void fb_check_command(struct fb_checker *ck, struct fb_command_decl *command,
                      uint32_t class_index) {
    command->actuator = fb_check_actuator_named(&ck->class_scopes[class_index], command->target);
    check_priority(ck, command);
    fb_check_positive_span(ck, command->pulse, "the time behind `for`");
    fb_check_positive_span(ck, command->every, "the time behind `every`");
    if (!command->actuator)
        refuse_target(ck, command, class_index);
    else if (command->is_step && command->actuator->type.type != FB_T_NONE)
        check_step_of(ck, command);
    else if (command->actuator->type.type != FB_T_NONE)
        check_value(ck, command->value, command->actuator);
}
