/* Modes: their states, the ways between them, and names of modes in expressions.
 *
 * Place in the flow: inside check; check_rule.c calls it for a mode, check_names.c for a name. */
#include "rules/check_internal.h"

enum { STATES_MAX = 32 };

const struct fb_rule_decl *fb_check_mode_named(const struct fb_scope *scope, struct fb_str name) {
    for (; scope; scope = scope->outer)
        for (uint32_t i = 0; i < scope->n_modes; i++)
            if (fb_str_eq(scope->modes[i]->name, name))
                return scope->modes[i];
    return NULL;
}

static void check_names(struct fb_checker *ck, const struct fb_rule_decl *mode) {
    if (mode->mode_type.n_words > STATES_MAX)
        fb_diag_add(ck->diags, FB_E_MODE, mode->name_span, NULL,
                    "`%.*s` has %u states, and %d is the most", FB_ARG(mode->name),
                    mode->mode_type.n_words, STATES_MAX);
    for (uint32_t i = 0; i < mode->n_states; i++)
        for (uint32_t k = 0; k < i; k++)
            if (fb_str_eq(mode->states[i].name, mode->states[k].name)) {
                fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, mode->states[i].name_span, NULL,
                            "`%.*s` has two states `%.*s`", FB_ARG(mode->name),
                            FB_ARG(mode->states[i].name));
                break;
            }
}

/* Each state sees its own lets before those of the mode. */
struct fb_scope *fb_check_states(struct fb_checker *ck, const struct fb_rule_decl *mode,
                                 const struct fb_scope *of_mode) {
    struct fb_scope *states = FB_ARENA_ARRAY(ck->arena, struct fb_scope, mode->n_states + 1);
    struct fb_definition *lets = FB_ARENA_ARRAY(ck->arena, struct fb_definition, mode->n_lets + 1);
    for (uint32_t s = 0; s < mode->n_states; s++) {
        struct fb_scope *scope = &states[s];
        *scope = (struct fb_scope){.lets = lets, .outer = of_mode};
        for (uint32_t i = 0; i < mode->n_lets; i++)
            if (mode->lets[i]->in_state == s + 1)
                lets[scope->n_lets++].let = mode->lets[i];
        for (uint32_t i = 0; i < scope->n_lets; i++)
            fb_check_define(ck, &lets[i], scope, lets[i].let->span);
        lets += scope->n_lets;
    }
    return states;
}

static void check_state(struct fb_checker *ck, const struct fb_state_decl *state) {
    if (state->stay && !state->any)
        fb_check_duration(ck, state->stay, true, NULL);
    for (uint32_t i = 0; state->any && i < state->n_items; i++)
        if (state->items[i].kind != FB_ITEM_GO && state->items[i].kind != FB_ITEM_STATE_LET)
            fb_diag_add(ck->diags, FB_E_MODE, state->items[i].span,
                        "write it in each state that it is meant for",
                        "`state any` is not a state of its own: it holds `go` and `let` only");
}

/* The states that a way may lead to. */
static const char *suggest(struct fb_checker *ck, const struct fb_rule_decl *mode,
                           struct fb_str name) {
    return fb_check_suggest(ck, name, mode->mode_type.words, mode->mode_type.n_words);
}

static uint32_t state_named(const struct fb_rule_decl *mode, struct fb_str name) {
    uint32_t i = 0;
    while (i < mode->n_states && (mode->states[i].any || !fb_str_eq(mode->states[i].name, name)))
        i++;
    return i;
}

static void check_go(struct fb_checker *ck, const struct fb_rule_decl *mode,
                     struct fb_go_decl *go) {
    go->to = state_named(mode, go->target);
    if (go->to == mode->n_states)
        fb_diag_add(ck->diags, FB_E_MODE, go->target_span, suggest(ck, mode, go->target),
                    "`%.*s` has no state `%.*s`", FB_ARG(mode->name), FB_ARG(go->target));
    else if (go->to == go->state)
        fb_diag_add(ck->diags, FB_E_MODE, go->target_span, "leave it out",
                    "this leads from `%.*s` to itself", FB_ARG(go->target));
    if (go->when)
        fb_check_condition(ck, go->when, "what stands behind `when`");
    fb_check_positive_span(ck, go->after, "the time behind `after`");
}

static bool is_open(const struct fb_rule_decl *mode, const struct fb_go_decl *go) {
    const struct fb_node *stay = mode->states[go->state].stay;
    bool waits = stay && stay->span_us > 0 && !go->at_once;
    return !waits && go->when && go->when->kind == FB_N_BOOL && go->when->truth;
}

/* Whether ways that are always open lead from a state back to it. */
static bool turns(const struct fb_rule_decl *mode, uint32_t from, uint32_t to, uint32_t left) {
    for (uint32_t i = 0; left > 0 && i < mode->n_gos; i++) {
        const struct fb_go_decl *go = &mode->gos[i];
        if (go->to < mode->n_states && go->state == from && is_open(mode, go) &&
            (go->to == to || turns(mode, go->to, to, left - 1)))
            return true;
    }
    return false;
}

void fb_check_mode(struct fb_checker *ck, struct fb_rule_decl *mode) {
    check_names(ck, mode);
    if (fb_check_actuator_named(ck->scope, mode->name))
        fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, mode->name_span, "give it another name",
                    "`%.*s` is also an actuator: in an expression it would be that",
                    FB_ARG(mode->name));
    const struct fb_scope *scope = ck->scope;
    for (uint32_t i = 0; i < mode->n_states; i++) {
        ck->scope = &ck->states[i];
        check_state(ck, &mode->states[i]);
    }
    for (uint32_t i = 0; i < mode->n_gos; i++) {
        ck->scope = &ck->states[mode->gos[i].state];
        check_go(ck, mode, &mode->gos[i]);
    }
    ck->scope = scope;
    for (uint32_t i = 0; i < mode->n_gos; i++)
        if (is_open(mode, &mode->gos[i]) &&
            turns(mode, mode->gos[i].to, mode->gos[i].state, mode->mode_type.n_words)) {
            fb_diag_add(ck->diags, FB_E_MODE, mode->gos[i].when->span,
                        "say when, or after which time: `go NAME after 5m`",
                        "ways that are always open lead round in a circle");
            return;
        }
}
