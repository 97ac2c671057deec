/* Alarms, events and controls.
 *
 * Place in the flow: inside check, after devices and parameters. */
#include "rules/check_internal.h"

/* ---- lets ----------------------------------------------------------------------------------- */

static void check_lets(struct fb_checker *ck, const struct fb_rule_decl *rule,
                       struct fb_scope *scope) {
    for (uint32_t i = 0; i < rule->n_lets; i++)
        for (uint32_t k = 0; k < i; k++)
            if (fb_str_eq(rule->lets[k]->name, rule->lets[i]->name))
                fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, rule->lets[i]->span,
                            rule->lets[k]->in_state != rule->lets[i]->in_state
                                ? "records show a let by its name, so each needs one of its own"
                                : NULL,
                            "`%.*s` is declared twice in `%.*s`", FB_ARG(rule->lets[i]->name),
                            FB_ARG(rule->name));
    for (uint32_t i = 0; i < rule->n_lets; i++)
        if (!rule->lets[i]->in_state)
            scope->lets[scope->n_lets++].let = rule->lets[i];
    for (uint32_t i = 0; i < scope->n_lets; i++)
        fb_check_define(ck, &scope->lets[i], scope, scope->lets[i].let->span);
}

/* ---- deadband ------------------------------------------------------------------------------- */

static const struct fb_node *find_until(const struct fb_node *node) {
    if (!node || node->kind == FB_N_UNTIL)
        return node;
    const struct fb_node *found = find_until(node->a);
    if (!found)
        found = find_until(node->b);
    if (!found)
        found = find_until(node->c);
    for (uint32_t i = 0; i < node->n_items && !found; i++)
        found = find_until(node->items[i]);
    return found; /* not in arguments: what stands there is no edge of the raise */
}

/* A comparison whose limit the deadband moves: < <= > >= and ranges, outside calls, lets and the
 * conditions of ifs; with deadband NULL any of them. in_unit: only those that have a unit. */
static const struct fb_node *find_limit(const struct fb_node *node, const struct fb_node *deadband,
                                        bool in_unit) {
    if (!node || node->kind == FB_N_CALL)
        return NULL;
    if ((node->kind == FB_N_COMPARE && node->op >= FB_OP_LT && node->op <= FB_OP_GE) ||
        (node->kind == FB_N_IN && node->b)) {
        bool number = node->a->type == FB_T_NUMBER || node->a->type == FB_T_INTEGER;
        bool moved = number && (!deadband || fb_unit_agree(node->a->unit, deadband->unit));
        return moved && (!in_unit || node->a->unit) ? node : NULL;
    }
    const struct fb_node *found = NULL;
    if (node->kind != FB_N_IF)
        found = find_limit(node->a, deadband, in_unit);
    if (!found)
        found = find_limit(node->b, deadband, in_unit);
    if (!found)
        found = find_limit(node->c, deadband, in_unit);
    for (uint32_t i = 0; i < node->n_items && !found; i++)
        found = find_limit(node->items[i], deadband, in_unit);
    return found;
}

static void refuse_deadband(struct fb_checker *ck, const struct fb_rule_decl *rule) {
    const struct fb_node *limit = NULL, *deadband = rule->deadband;
    for (uint32_t i = 0; i < rule->n_raises && !limit; i++)
        limit = find_limit(rule->raises[i].when, NULL, true);
    const struct fb_unit *unit = limit ? fb_unit_difference(ck->units, limit->a->unit) : NULL;
    if (unit && !deadband->unit && fb_check_is_literal(deadband))
        fb_diag_add(ck->diags, FB_E_BARE_NUMBER, deadband->span,
                    fb_check_print(ck, "did you mean `%s %.*s`?", fb_check_source(ck, deadband),
                                   FB_ARG(fb_unit_written(ck->units, unit))),
                    "`%s` has no unit, and the limit that it moves is in %.*s",
                    fb_check_source(ck, deadband), FB_ARG(fb_unit_text(limit->a->unit)));
    else
        fb_diag_add(ck->diags, FB_E_DEADBAND_NOTHING, rule->deadband_span,
                    "compare with a limit in the raise itself, or use `until`",
                    "no raise has a limit that this could move: %s",
                    fb_check_in_unit(ck, deadband));
}

static bool deadband_value(struct fb_checker *ck, struct fb_node *node) {
    fb_check_node(ck, node, NULL);
    if (fb_check_failed(node) || !fb_check_is_number(ck, node))
        return false;
    if (fb_unit_is_point(node->unit)) {
        fb_diag_add(ck->diags, FB_E_DIFFERENCE_COMPARED, node->span,
                    node->kind == FB_N_NUMBER
                        ? fb_check_as_difference(ck, node)
                        : NULL,
                    "a deadband is a difference, and `%s` is a temperature",
                    fb_check_source(ck, node));
        return false;
    }
    double value;
    if (fb_check_constant(node, node->unit, &value) && value < 0) {
        fb_diag_add(ck->diags, FB_E_SPAN, node->span, NULL, "a deadband cannot be negative");
        return false;
    }
    return true;
}

static void check_deadband(struct fb_checker *ck, const struct fb_rule_decl *rule) {
    if (!rule->deadband || !deadband_value(ck, rule->deadband))
        return;
    double value = 0;
    bool bare = fb_check_is_literal(rule->deadband) && !rule->deadband->unit &&
                (!fb_check_constant(rule->deadband, NULL, &value) || value > 0);
    bool any = false;
    for (uint32_t i = 0; i < rule->n_raises; i++) {
        const struct fb_node *until = find_until(rule->raises[i].when);
        any |= find_limit(rule->raises[i].when, rule->deadband, false) != NULL;
        if (bare && find_limit(rule->raises[i].when, rule->deadband, true)) { /* 3 beside 90 % */
            refuse_deadband(ck, rule);
            return;
        }
        if (until)
            fb_diag_add(ck->diags, FB_E_DEADBAND_UNTIL, rule->deadband_span, "write one of the two",
                        "`deadband` is the `until` of every raise, and a raise has one of its own");
        if (until)
            return;
    }
    if (!any)
        refuse_deadband(ck, rule);
}

/* ---- messages ------------------------------------------------------------------------------- */

static void check_text(struct fb_checker *ck, const struct fb_text_decl *text) {
    for (uint32_t i = 0; text && i < text->n_parts; i++) {
        struct fb_node *expr = text->parts[i].expr;
        if (!expr)
            continue;
        fb_check_node(ck, expr, NULL);
        if (fb_check_failed(expr))
            continue;
        if (expr->kind == FB_N_UNKNOWN)
            expr->type = FB_T_BOOL;
        if (text->parts[i].decimals >= 0 && expr->type != FB_T_NUMBER &&
            expr->type != FB_T_INTEGER && expr->type != FB_T_COUNTER)
            fb_diag_add(ck->diags, FB_E_MESSAGE_DECIMALS, expr->span, "leave the `:.Nf` out",
                        "only a number has decimals, and `%s` is %s", fb_check_source(ck, expr),
                        fb_check_type_text(expr->type));
    }
}

static void check_texts(struct fb_checker *ck, const struct fb_rule_decl *rule) {
    check_text(ck, rule->message);
    check_text(ck, rule->response);
    for (uint32_t i = 0; i < rule->n_labels; i++)
        for (uint32_t k = 0; k < i; k++)
            if (fb_str_eq(rule->labels[i].name, rule->labels[k].name))
                fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, rule->name_span, NULL,
                            "the label `%.*s` is set twice", FB_ARG(rule->labels[i].name));
}

/* ---- rules ---------------------------------------------------------------------------------- */

static void check_conditions(struct fb_checker *ck, const struct fb_rule_decl *rule) {
    if (rule->where)
        fb_check_condition(ck, rule->where, "what stands behind `where`");
    if (rule->feedback_of && !fb_check_feedback(ck, rule->feedback_of))
        return;
    for (uint32_t i = 0; i < rule->n_raises; i++)
        fb_check_condition(ck, rule->raises[i].when, "what stands behind `when`");
    if (rule->when)
        fb_check_condition(ck, rule->when,
                           rule->whenever ? "what stands behind `whenever`"
                                          : "what stands behind `when`");
}

/* An alarm sees only those before it, so that none depends on itself. */
static void check_sees_before(struct fb_checker *ck, uint32_t index, const struct fb_facts *facts) {
    const struct fb_rule_decl *rule = ck->out->rules[index].decl;
    if (rule->kind != FB_RULE_ALARM || facts->alarms <= index)
        return;
    const struct fb_rule_decl *other = ck->out->rules[facts->alarms - 1].decl;
    bool itself = other == rule;
    fb_diag_add(ck->diags, FB_E_ALARM_BEHIND, rule->name_span,
                itself ? "a condition that holds itself is an `until`"
                       : "write the other one before it",
                itself ? "the alarm `%.*s` reads itself"
                       : "the alarm `%.*s` reads one that stands behind it, `%.*s`",
                FB_ARG(rule->name), FB_ARG(other->name));
}

/* Devices that are each a domain of their own are no fleet. */
static bool has_domains_of_several(const struct fb_class_decl *decl) {
    const struct fb_field_decl *domain = fb_check_domain_field(decl);
    return !domain || domain->role != FB_KEY || decl->n_keys > 1;
}

void fb_check_fleet_of(struct fb_checker *ck, const struct fb_rule_decl *rule,
                       const struct fb_class_decl *decl) {
    if (rule->n_commands && !has_domains_of_several(decl))
        fb_diag_add(ck->diags, FB_E_FLEET_OF_ONE, rule->fleet_span,
                    fb_check_print(ck,
                                   "give `%.*s` a tag or field that devices of one fleet share, "
                                   "and say `domain NAME`",
                                   FB_ARG(decl->name)),
                    "each `%.*s` is a control domain by itself, `%.*s`: of a fleet of one this "
                    "limits nothing",
                    FB_ARG(decl->name), FB_ARG(decl->fields[0]->name));
}

static void check_fleet(struct fb_checker *ck, const struct fb_rule_decl *rule,
                        const struct fb_class_decl *decl) {
    int64_t per_us = 0;
    fb_check_fleet_of(ck, rule, decl);
    if (!(rule->fleet_share->value > 0))
        fb_diag_add(ck->diags, FB_E_FLEET, rule->fleet_span, "as in `fleet 5 % per 10m`",
                    "a fleet's share is more than 0 %%, and at most 100 %%");
    if (fb_check_duration(ck, rule->fleet_per, true, &per_us) && per_us == 0)
        fb_diag_add(ck->diags, FB_E_FLEET, rule->fleet_span, "as in `fleet 5 % per 10m`",
                    "in no time nothing is limited");
}

static void check_control(struct fb_checker *ck, const struct fb_rule_decl *rule,
                          uint32_t class_index) {
    if (rule->start)
        fb_check_condition(ck, rule->start, "what stands behind `start when`");
    const struct fb_scope *scope = ck->scope;
    for (uint32_t i = 0; i < rule->n_commands; i++) {
        ck->scope = ck->states ? &ck->states[rule->commands[i].state] : scope;
        fb_check_command(ck, &rule->commands[i], class_index);
    }
    ck->scope = scope;
    if (rule->rollout == FB_ROLLOUT_CANARY && !(rule->canary > 0 && rule->canary <= 100))
        fb_diag_add(ck->diags, FB_E_CANARY, rule->rollout_span,
                    "as in `rollout canary 5 %`; on none it is `rollout shadow`",
                    "a canary is on more than 0 %% of the devices, and at most on 100 %%");
    if (rule->fleet_share)
        check_fleet(ck, rule, ck->out->classes[class_index].decl);
}

void fb_check_limit(struct fb_checker *ck, uint32_t n, uint32_t most, struct fb_node *per,
                    struct fb_span span) {
    if (n > most)
        fb_diag_add(ck->diags, FB_E_LIMIT_COUNT, span,
                    "a shorter time with fewer of them comes to the same in the long run",
                    "`at most` counts up to %u commands here, and this says %u", most, n);
    fb_check_positive_span(ck, per, "the time behind `per`");
}

static void check_at_most(struct fb_checker *ck, const struct fb_rule_decl *rule) {
    if (rule->kind == FB_RULE_EVENT)
        fb_check_duration(ck, rule->at_most_per, false, NULL);
    else
        fb_check_limit(ck, rule->at_most, FB_RATE_MAX, rule->at_most_per, rule->at_most_span);
}

static void check_name(struct fb_checker *ck, const struct fb_rule_decl *rule,
                       const struct fb_class_decl *decl) {
    if (fb_check_field(decl, rule->name))
        fb_diag_add(ck->diags, FB_E_RULE_NAMED_AS_FIELD, rule->name_span,
                    rule->feedback_of ? "it is the alarm of this; give the actuator another name"
                                      : "give it another name",
                    "`%.*s` is also a field of `%.*s`", FB_ARG(rule->name), FB_ARG(decl->name));
}

static void check_flapping(struct fb_checker *ck, const struct fb_rule_decl *rule) {
    int64_t us;
    if (rule->flapping && fb_check_duration(ck, rule->flapping, true, &us) &&
        (us < FB_FLAPPING_US_MIN || us > FB_FLAPPING_US_MAX))
        fb_diag_add(ck->diags, FB_E_FLAPPING, rule->flapping->span,
                    "20m, a minute for each of the 20 slots, suits most alarms",
                    "what stands behind `suppress flapping over` is at least 20s and at most 64 "
                    "days long");
}

void fb_check_rule(struct fb_checker *ck, uint32_t index) {
    const struct fb_checked_rule *checked = &ck->out->rules[index];
    const struct fb_rule_decl *rule = checked->decl;
    if (rule->asked_of) {
        fb_check_ask(ck, index);
        return;
    }
    if (checked->class_index == FB_MAP_NONE)
        return; /* reported; nothing can be known about its names */
    struct fb_scope *outer = &ck->class_scopes[checked->class_index];
    struct fb_facts facts = {0};
    struct fb_scope *scope = FB_ARENA_NEW(ck->arena, struct fb_scope);
    scope->outer = outer;
    ck->scope = scope;
    ck->facts = &facts;
    ck->rule = rule;
    if (rule->commands_of) {
        scope->lets = ck->lets;
        scope->n_lets = rule->n_lets;
    } else {
        scope->lets = FB_ARENA_ARRAY(ck->arena, struct fb_definition, rule->n_lets + 1);
        check_name(ck, rule, ck->out->classes[checked->class_index].decl);
        check_lets(ck, rule, scope);
    }
    ck->lets = scope->lets;
    ck->states = rule->kind == FB_RULE_MODE ? fb_check_states(ck, rule, scope) : NULL;
    ck->asking = scope;
    ck->asking_states = ck->states;
    check_conditions(ck, rule);
    check_sees_before(ck, index, &facts);
    check_control(ck, rule, checked->class_index);
    if (rule->kind == FB_RULE_MODE)
        fb_check_mode(ck, checked->decl);
    check_deadband(ck, rule);
    if (rule->clear_after)
        fb_check_duration(ck, rule->clear_after, false, NULL);
    check_flapping(ck, rule);
    if (rule->at_most_per)
        check_at_most(ck, rule);
    check_texts(ck, rule);
    if (rule->by.n)
        fb_check_rule_on_groups(ck, rule);
    ck->scope = NULL;
    ck->rule = NULL;
    ck->states = NULL;
}
