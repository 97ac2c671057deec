/* Controls: when they are on, and what they ask of which actuator. */
#include "rules/lower_internal.h"

#include "engine/base/err.h"

/* Of the devices on which the commands are real (A6). */
static double percent_of(const struct fb_rule_decl *decl) {
    switch (decl->rollout) {
    case FB_ROLLOUT_NONE:
    case FB_ROLLOUT_SHADOW:
        return 0;
    case FB_ROLLOUT_CANARY:
        return decl->canary;
    case FB_ROLLOUT_ARMED:
        return 100;
    }
    FB_ASSERT(false && "a rollout");
    return 0;
}

/* A number in the actuator's unit, or the place of one of its words; of a step a difference. */
static uint16_t lower_value(struct fb_piece *piece, const struct fb_command_decl *command) {
    const struct fb_type_decl *type = &command->actuator->type;
    if (command->is_step)
        return fb_lower_in_unit(piece, command->value,
                                fb_unit_difference(piece->c->units, type->unit));
    return type->type == FB_T_ENUM ? fb_lower_expr(piece, command->value).reg
                                   : fb_lower_in_unit(piece, command->value, type->unit);
}

static void lower_step(struct fb_lower_rule *rule, const struct fb_command_decl *step,
                       struct fb_claim *claim) {
    const struct fb_unit *unit = step->actuator->type.unit;
    claim->is_step = true;
    claim->every_us = fb_lower_span(rule->c, step->every);
    claim->low = fb_lower_constant(step->low, unit);
    claim->high = fb_lower_constant(step->high, unit);
    claim->has_from = step->from != NULL;
    if (step->from)
        claim->from = fb_lower_number_look(rule, step->from, unit);
}

static void lower_command(struct fb_lower_rule *rule, const struct fb_command_decl *command) {
    struct fb_lower_class *c = rule->c;
    struct fb_piece *piece = fb_lower_begin_condition(rule, command->value->span);
    uint16_t value = lower_value(piece, command);
    uint32_t offset =
        command->is_step
            ? fb_lower_room(c, sizeof(struct fb_step_cell), _Alignof(struct fb_step_cell))
            : fb_lower_room(c, sizeof(struct fb_claim_cell), _Alignof(struct fb_claim_cell));
    struct fb_condition *condition = fb_lower_end_condition(rule, FB_ROLE_CLAIM, value, offset);
    condition->claim = c->out->n_claims;
    c->out->claims[c->out->n_claims++] = (struct fb_claim){
        .rule = rule->index,
        .actuator = fb_lower_actuator_index(c, command->actuator),
        .condition = c->out->n_conditions - 1,
        .priority = command->priority ? (uint8_t)command->priority : FB_PRIORITY_DEFAULT,
        .percent = percent_of(rule->decl),
        .pulse_us = fb_lower_span(c, command->pulse),
        .offset = offset,
    };
}

void fb_lower_control(struct fb_lower_rule *rule) {
    const struct fb_rule_decl *decl = rule->decl;
    struct fb_rule *out = rule->out;
    const struct fb_node *start = decl->start ? decl->start : decl->where;
    out->has_start = start != NULL;
    if (start)
        fb_lower_condition(rule, FB_ROLE_WHEN, start);
    fb_lower_commands(rule);
}

/* The place of a state among those of the mode's name. */
static uint32_t word_of(const struct fb_rule_decl *decl, uint32_t state) {
    uint32_t word = 0;
    for (uint32_t i = 0; i < state; i++)
        word += !decl->states[i].any;
    return word;
}

/* Of another control of the class that is the same rule (A81); NULL: there is none before. */
static struct fb_fleet *fleet_of_name(const struct fb_lower_rule *rule) {
    const struct fb_rule *rules = rule->out - rule->index; /* of the program */
    const struct fb_class *class_ = rule->c->out;
    for (uint32_t i = 0; i < class_->n_fleets; i++)
        if (fb_str_eq(rules[class_->fleets[i].rule].name, rule->decl->name))
            return &class_->fleets[i];
    return NULL;
}

void fb_lower_fleet(struct fb_lower_rule *rule) {
    const struct fb_rule_decl *decl = rule->decl;
    struct fb_lower_class *c = rule->c;
    if (!decl->fleet_share || !decl->n_commands) /* it may command other devices only */
        return;
    struct fb_fleet *fleet = fleet_of_name(rule);
    if (fleet) {
        rule->out->fleet = fleet;
        return;
    }
    fleet = &c->out->fleets[c->out->n_fleets++];
    *fleet = (struct fb_fleet){
        .rule = rule->index,
        .percent = decl->fleet_share->value,
        .per_us = fb_lower_span(c, decl->fleet_per),
        .relation = decl->fleet_relation,
        .offset = fb_lower_room(c, sizeof(struct fb_fleet_cell), _Alignof(struct fb_fleet_cell)),
    };
    rule->out->fleet = fleet;
}

void fb_lower_commands(struct fb_lower_rule *rule) {
    const struct fb_rule_decl *decl = rule->decl;
    struct fb_rule *out = rule->out;
    out->first_claim = rule->c->out->n_claims;
    out->n_claims = decl->n_commands;
    for (uint32_t i = 0; i < decl->n_commands; i++) {
        lower_command(rule, &decl->commands[i]);
        struct fb_claim *claim = &rule->c->out->claims[out->first_claim + i];
        claim->of_mode = decl->kind == FB_RULE_MODE;
        claim->state = claim->of_mode ? word_of(decl, decl->commands[i].state) : 0;
    }
    for (uint32_t i = 0; i < decl->n_commands; i++) /* these look at all conditions */
        if (decl->commands[i].is_step)
            lower_step(rule, &decl->commands[i], &rule->c->out->claims[out->first_claim + i]);
}

void fb_lower_rate(struct fb_lower_rule *rule) {
    struct fb_lower_class *c = rule->c;
    struct fb_rate *rate = &c->out->rates[c->out->n_rates++];
    *rate = (struct fb_rate){.n = rule->decl->at_most,
                             .per_us = fb_lower_span(c, rule->decl->at_most_per),
                             .rule = rule->index,
                             .offset = fb_lower_room(c, fb_rate_bytes(rule->decl->at_most),
                                                     _Alignof(struct fb_rate_cell))};
    rule->out->rate = rate;
}
