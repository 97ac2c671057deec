/* Modes: their states and the ways between them. */
#include "rules/lower_internal.h"

#include "engine/base/err.h"

static bool is_mode(const struct fb_lower_item *item, uint32_t class_index) {
    return item->rule && item->rule->class_index == class_index &&
           item->rule->decl->kind == FB_RULE_MODE;
}

void fb_lower_modes(struct fb_lower_class *c, uint32_t class_index,
                    const struct fb_lower_item *items, uint32_t n) {
    struct fb_class *out = c->out;
    uint32_t most = 0;
    for (uint32_t i = 0; i < n; i++)
        most += is_mode(&items[i], class_index);
    out->modes = FB_ARENA_ARRAY(c->arena, struct fb_machine, most);
    c->modes = FB_ARENA_ARRAY(c->arena, const struct fb_rule_decl *, most);
    for (uint32_t i = 0; i < n; i++) {
        if (!is_mode(&items[i], class_index))
            continue;
        const struct fb_rule_decl *decl = items[i].rule->decl;
        c->modes[out->n_modes] = decl;
        out->modes[out->n_modes++] = (struct fb_machine){
            .rule = i,
            .name = fb_str_copy(c->arena, decl->name),
            .states = fb_lower_words(c->arena, decl->mode_type.words, decl->mode_type.n_words),
            .n_states = decl->mode_type.n_words};
    }
}

uint32_t fb_lower_mode_index(const struct fb_lower_class *c, const struct fb_rule_decl *decl) {
    for (uint32_t i = 0; i < c->out->n_modes; i++)
        if (c->modes[i] == decl)
            return i;
    FB_BUG("a mode of another class passed the checker");
}

uint32_t fb_lower_mode_conditions(const struct fb_rule_decl *decl) {
    uint32_t n = decl->where != NULL;
    for (uint32_t i = 0; i < decl->n_gos; i++)
        n += decl->gos[i].when != NULL;
    return n;
}

/* The place of a state among those of the mode's name. */
static uint32_t word_of(const struct fb_rule_decl *decl, uint32_t state) {
    uint32_t word = 0;
    if (decl->states[state].any)
        return FB_ANY_STATE;
    for (uint32_t i = 0; i < state; i++)
        word += !decl->states[i].any;
    return word;
}

static void lower_gos(struct fb_lower_rule *rule, struct fb_machine *mode, bool any) {
    const struct fb_rule_decl *decl = rule->decl;
    for (uint32_t i = 0; i < decl->n_gos; i++) {
        const struct fb_go_decl *go = &decl->gos[i];
        if (decl->states[go->state].any != any)
            continue;
        struct fb_go *out = &mode->gos[mode->n_gos++];
        *out = (struct fb_go){.from = word_of(decl, go->state),
                              .to = word_of(decl, go->to),
                              .condition = FB_NO_CONDITION,
                              .after_us = fb_lower_span(rule->c, go->after),
                              .at_once = go->at_once};
        if (go->when) {
            out->condition = rule->c->out->n_conditions;
            fb_lower_condition(rule, FB_ROLE_WHEN, go->when);
        }
    }
}

void fb_lower_mode(struct fb_lower_rule *rule) {
    struct fb_lower_class *c = rule->c;
    const struct fb_rule_decl *decl = rule->decl;
    rule->out->mode = fb_lower_mode_index(c, decl);
    struct fb_machine *mode = &c->out->modes[rule->out->mode];
    mode->stay_us = FB_ARENA_ARRAY(c->arena, int64_t, mode->n_states);
    for (uint32_t i = 0; i < decl->n_states; i++)
        if (!decl->states[i].any)
            mode->stay_us[word_of(decl, i)] = fb_lower_span(c, decl->states[i].stay);
    rule->out->has_start = decl->where != NULL;
    if (decl->where)
        fb_lower_condition(rule, FB_ROLE_WHEN, decl->where);
    mode->gos = FB_ARENA_ARRAY(c->arena, struct fb_go, decl->n_gos);
    lower_gos(rule, mode, true);
    lower_gos(rule, mode, false);
    fb_lower_commands(rule);
}
