/* Actuators: what is not written has its default here (rules/LANGUAGE.md, "actuator"). */
#include "rules/lower_internal.h"

#include <stdlib.h>

#include "engine/base/err.h"

#define SECOND INT64_C(1000000)

enum {
    LEASE_S = 60,
    DELIVER_S = 30,
    HOLD_S = 4 * 3600,
    REVERSALS = 4,
    REVERSALS_S = 600,
    BREAKER_S = 1800
};
/* Where `maximum on` switched off and a claim goes on; else it would be on again at once. */
#define REST_AFTER_MAXIMUM_US INT64_C(1000000)

/* ---- what it is ---------------------------------------------------------------------------- */

static int64_t span_or(const struct fb_lower_class *c, const struct fb_node *node,
                       int64_t seconds) {
    return node ? fb_lower_span(c, node) : seconds * SECOND;
}

static double value_of(const struct fb_actuator_decl *decl, const struct fb_node *node) {
    return decl->type.type == FB_T_ENUM ? (double)node->word
                                        : fb_lower_constant(node, decl->type.unit);
}

/* A step: a difference of two values. */
static double step_of(const struct fb_lower_class *c, const struct fb_actuator_decl *decl,
                      const struct fb_node *node) {
    return node ? fb_lower_constant(node, fb_unit_difference(c->units, decl->type.unit)) : 0;
}

static enum fb_combine combine_of(enum fb_combine_word word) {
    switch (word) {
    case FB_COMBINE_WORD_NONE:
        return FB_COMBINE_NONE;
    case FB_COMBINE_WORD_MIN:
        return FB_COMBINE_MIN;
    case FB_COMBINE_WORD_MAX:
        return FB_COMBINE_MAX;
    case FB_COMBINE_WORD_SAFEST:
        return FB_COMBINE_SAFEST;
    }
    FB_ASSERT(false && "a word of combine");
    return FB_COMBINE_NONE;
}

static void set_breaker(const struct fb_lower_class *c, const struct fb_actuator_decl *decl,
                        struct fb_actuator *out) {
    if (decl->reversals) {
        out->reversals = decl->reversals;
        out->reversals_us = fb_lower_span(c, decl->reversals_in);
        out->breaker_us = fb_lower_span(c, decl->breaker_for);
        out->breaker_safe = decl->breaker_safe;
    } else if (out->is_switch) { /* reversals that long minimums make rare are counted for longer */
        int64_t least_us = REVERSALS * (out->minimum_us[0] + out->minimum_us[1]);
        out->reversals = REVERSALS;
        out->reversals_us = least_us > REVERSALS_S * SECOND ? least_us : REVERSALS_S * SECOND;
        out->breaker_us = BREAKER_S * SECOND;
    }
}

static void set_switch(const struct fb_lower_class *c, const struct fb_actuator_decl *decl,
                       struct fb_actuator *out) {
    FB_ASSERT(decl->type.n_words == 2);
    for (int i = 0; i < 2; i++)
        out->words[i] = fb_str_copy(c->arena, decl->type.words[i]);
    out->high = 1;
    out->minimum_us[0] = span_or(c, decl->minimum_off, FB_MINIMUM_DEFAULT_S);
    out->minimum_us[1] = span_or(c, decl->minimum_on, FB_MINIMUM_DEFAULT_S);
    out->maximum_on_us = fb_lower_span(c, decl->maximum_on);
    if (out->maximum_on_us && out->minimum_us[0] < REST_AFTER_MAXIMUM_US)
        out->minimum_us[0] = REST_AFTER_MAXIMUM_US;
    out->starts = decl->starts;
    out->starts_us = fb_lower_span(c, decl->starts_per);
}

static void set_number(const struct fb_lower_class *c, const struct fb_actuator_decl *decl,
                       struct fb_actuator *out) {
    out->unit = fb_str_copy(c->arena, decl->type.unit_text);
    out->low = value_of(decl, decl->range_low);
    out->high = value_of(decl, decl->range_high);
    out->slew[0] = step_of(c, decl, decl->slew_down);
    out->slew[1] = step_of(c, decl, decl->slew_up);
    out->slew_us[0] = fb_lower_span(c, decl->slew_down_per);
    out->slew_us[1] = fb_lower_span(c, decl->slew_up_per);
    out->ignore_under = step_of(c, decl, decl->ignore_under);
}

static struct fb_actuator actuator_of(const struct fb_lower_class *c,
                                      const struct fb_actuator_decl *decl, uint32_t rule) {
    struct fb_actuator out = {
        .name = fb_str_copy(c->arena, decl->name),
        .to = fb_str_copy(c->arena, decl->to),
        .is_switch = decl->type.type == FB_T_ENUM,
        .rule = rule,
        .safe = value_of(decl, decl->safe),
        .fallback = value_of(decl, decl->default_value ? decl->default_value : decl->safe),
        .lease_us = span_or(c, decl->lease, LEASE_S),
        .deliver_us = span_or(c, decl->deliver, DELIVER_S),
        .hold_us = span_or(c, decl->hold, HOLD_S),
        .combine = combine_of(decl->combine),
        .interlock = FB_NO_CONDITION,
        .permissive = FB_NO_CONDITION,
        .lockout_us = fb_lower_span(c, decl->lockout),
        .feedback = FB_NO_CONDITION,
    };
    if (out.is_switch)
        set_switch(c, decl, &out);
    else
        set_number(c, decl, &out);
    set_breaker(c, decl, &out);
    return out;
}

/* ---- where it stands ----------------------------------------------------------------------- */

/* A control that commands it is not armed. */
static bool has_shadow(const struct fb_actuator_decl *decl, const struct fb_lower_item *items,
                       uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        const struct fb_rule_decl *rule = items[i].rule ? items[i].rule->decl : NULL;
        for (uint32_t k = 0; rule && k < rule->n_commands; k++)
            if (rule->commands[k].actuator == decl && rule->rollout != FB_ROLLOUT_ARMED)
                return true;
    }
    return false;
}

void fb_lower_actuators(struct fb_lower_class *c, uint32_t class_index,
                        const struct fb_lower_item *items, uint32_t n) {
    struct fb_class *out = c->out;
    uint32_t most = 0;
    for (uint32_t i = 0; i < n; i++)
        most += items[i].actuator && items[i].actuator->class_index == class_index ? 2 : 0;
    FB_ASSERT(most <= 2 * FB_ACTUATORS_MAX);
    out->actuators = FB_ARENA_ARRAY(c->arena, struct fb_actuator, most);
    c->actuators = FB_ARENA_ARRAY(c->arena, const struct fb_actuator_decl *, most);
    for (uint32_t i = 0; i < n; i++) {
        if (!items[i].actuator || items[i].actuator->class_index != class_index)
            continue;
        const struct fb_actuator_decl *decl = items[i].actuator->decl;
        int twins = has_shadow(decl, items, n) ? 2 : 1;
        for (int k = 0; k < twins; k++) {
            struct fb_actuator *actuator = &out->actuators[out->n_actuators];
            c->actuators[out->n_actuators++] = decl;
            *actuator = actuator_of(c, decl, i);
            actuator->shadow = k == 1;
            actuator->failures = actuator->shadow ? 0 : decl->failures;
        }
    }
}

uint32_t fb_lower_actuator_index(const struct fb_lower_class *c,
                                 const struct fb_actuator_decl *decl) {
    for (uint32_t i = 0; i < c->out->n_actuators; i++)
        if (c->actuators[i] == decl)
            return i;
    FB_BUG("an actuator of another class passed the checker");
}

void fb_lower_actuator(struct fb_lower_class *c, const struct fb_actuator_decl *decl,
                       uint32_t index, struct fb_rule *out) {
    struct fb_lower_rule rule =
        fb_lower_begin_rule(c, FB_SORT_ACTUATOR, decl->name, index, out);
    uint32_t interlock = FB_NO_CONDITION, permissive = FB_NO_CONDITION;
    out->actuator = fb_lower_actuator_index(c, decl);
    if (decl->interlock) {
        interlock = c->out->n_conditions;
        fb_lower_condition(&rule, FB_ROLE_INTERLOCK, decl->interlock);
    }
    if (decl->permissive) {
        permissive = c->out->n_conditions;
        fb_lower_condition(&rule, FB_ROLE_PERMISSIVE, decl->permissive);
    }
    fb_lower_show(&rule, decl->interlock);
    fb_lower_show(&rule, decl->permissive);
    for (uint32_t i = out->actuator; i < c->out->n_actuators && c->actuators[i] == decl; i++) {
        struct fb_actuator *actuator = &c->out->actuators[i];
        actuator->interlock = interlock;
        actuator->permissive = permissive;
        actuator->bytes = fb_actuator_bytes(actuator);
        actuator->offset =
            fb_lower_room(c, actuator->bytes, _Alignof(struct fb_actuator_cell));
    }
    fb_lower_end_rule(&rule);
}

void fb_lower_claims(struct fb_lower_class *c) {
    struct fb_class *out = c->out;
    for (uint32_t i = 0; i < out->n_claims; i++) {
        uint32_t first = out->claims[i].actuator;
        for (uint32_t k = first; k < out->n_actuators && c->actuators[k] == c->actuators[first];
             k++) {
            struct fb_actuator *actuator = &out->actuators[k];
            FB_ASSERT(actuator->n_claims < FB_CLAIMS_MAX);
            actuator->claims[actuator->n_claims++] = i;
        }
    }
}
