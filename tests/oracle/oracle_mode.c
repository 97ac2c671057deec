/* Modes: from the tree, and what one look at them does (A21). */
#include "tests/oracle/oracle_acting.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"

/* --- From the tree --- */

void ora_add_gos(struct ora_scope *s, struct ora_rule *rule) {
    const struct fb_rule_decl *decl = rule->decl;
    rule->gos = FB_ARENA_ARRAY(s->o->arena, struct ora_condition *, decl->n_gos + 1);
    for (int any = 1; any >= 0;
         any--) { /* the order in which conditions are evaluated is no matter */
        for (uint32_t i = 0; i < decl->n_gos; i++) {
            if (decl->states[decl->gos[i].state].any != any || decl->gos[i].when == NULL)
                continue;
            s->state = decl->gos[i].state + 1;
            rule->gos[i] = ora_new_condition(s, &rule->conditions[rule->n_conditions], rule);
            ora_condition_done(s, rule->gos[i], ora_condition_expr(s, decl->gos[i].when));
        }
    }
    s->state = 0;
}

struct ora_expr *ora_mode_expr(struct ora_scope *s, struct fb_str name) {
    for (uint32_t f = 0; f < s->o->tree->n_files; f++) {
        const struct fb_file *file = s->o->tree->files[f];
        for (uint32_t i = 0; i < file->n_items; i++) {
            const struct fb_item *item = &file->items[i];
            if (item->kind != FB_ITEM_RULE || item->rule->kind != FB_RULE_MODE ||
                !fb_str_eq(item->rule->name, name) ||
                !fb_str_eq(item->rule->class_name, s->class->decl->name))
                continue;
            struct ora_expr *e = ora_new_expr(s, ORA_MODE, FB_T_ENUM);
            e->mode = item->rule;
            e->words = &item->rule->mode_type;
            return e;
        }
    }
    return NULL;
}

/* --- Its value --- */

static struct ora_rule_state *state_of(const struct ora_device *device,
                                       const struct fb_rule_decl *mode) {
    for (uint32_t i = 0; i < device->class->n_rules; i++)
        if (device->class->rules[i]->decl == mode)
            return &device->rules[i];
    FB_BUG("a mode that is declared");
}

struct fb_value ora_mode_value(const struct ora_device *device, const struct fb_rule_decl *mode) {
    const struct ora_rule_state *state = state_of(device, mode);
    if (!state->in_state)
        return (struct fb_value){.quality = FB_Q_UNKNOWN};
    for (uint32_t i = 0; i < mode->mode_type.n_words; i++)
        if (fb_str_eq(mode->mode_type.words[i], mode->states[state->state].name))
            return (struct fb_value){.i = i, .quality = FB_Q_GOOD};
    FB_BUG("a state with a name");
}

/* --- Its conditions --- */

static void evaluate(struct ora_view *view, struct ora_device *device, struct ora_rule *rule,
                     const struct ora_condition *c, const bool *due) {
    if (c == NULL || !due[c->index])
        return;
    struct fb_value value = ora_condition_value(view, device, c);
    uint8_t now = value.quality != FB_Q_GOOD ? 2 : value.i != 0;
    device->rules[rule->index].concerned |= now != device->conditions[c->index].value;
    device->conditions[c->index].value = now;
}

void ora_mode_conditions(struct ora_view *view, struct ora_device *device, struct ora_rule *rule,
                         const bool *due) {
    evaluate(view, device, rule, rule->start, due);
    for (uint32_t i = 0; i < rule->decl->n_gos; i++)
        evaluate(view, device, rule, rule->gos[i], due);
    if (view->record != NULL && device->n_records == 1)
        device->rules[rule->index].concerned = true;
}

/* --- One look --- */

static int where_of(const struct ora_device *device, const struct ora_rule *rule) {
    return rule->start == NULL ? 1 : device->conditions[rule->start->index].value;
}

static int truth_of(const struct ora_device *device, const struct ora_rule *rule, uint32_t go) {
    return rule->gos[go] != NULL ? device->conditions[rule->gos[go]->index].value
                                 : where_of(device, rule);
}

static uint32_t index_of(const struct fb_rule_decl *mode, struct fb_str name) {
    for (uint32_t i = 0; i < mode->n_states; i++)
        if (fb_str_eq(mode->states[i].name, name))
            return i;
    FB_BUG("a state that is declared");
}

static bool leads_out(const struct fb_rule_decl *mode, const struct ora_rule_state *state,
                      const struct fb_go_decl *go) {
    if (mode->states[go->state].any)
        return index_of(mode, go->target) != state->state;
    return go->state == state->state;
}

static int64_t opens(const struct fb_rule_decl *mode, const struct ora_rule_state *state,
                     const struct fb_go_decl *go) {
    const struct fb_node *stay = mode->states[state->state].stay;
    int64_t at = state->on_since;
    if (stay != NULL && !go->at_once)
        at += ora_literal_span(stay);
    if (go->after != NULL && state->on_since + ora_literal_span(go->after) > at)
        at = state->on_since + ora_literal_span(go->after);
    return at;
}

static uint32_t first_state(const struct fb_rule_decl *mode) {
    uint32_t i = 0;
    while (mode->states[i].any)
        i++;
    return i;
}

/* True: another state was entered. */
static bool goes(struct ora_moves *moves, const struct ora_device *device,
                 const struct ora_rule *rule, struct ora_rule_state *state, int64_t now) {
    const struct fb_rule_decl *mode = rule->decl;
    uint32_t to = mode->n_states;
    if (!state->in_state)
        to = where_of(device, rule) == 1 ? first_state(mode) : to;
    for (int any = 1; any >= 0 && state->in_state; any--)
        for (uint32_t i = 0; i < mode->n_gos && to == mode->n_states; i++)
            if (mode->states[mode->gos[i].state].any == any &&
                leads_out(mode, state, &mode->gos[i]) && truth_of(device, rule, i) == 1 &&
                opens(mode, state, &mode->gos[i]) <= now)
                to = index_of(mode, mode->gos[i].target);
    if (to == mode->n_states)
        return false;
    moves->begun += !state->in_state;
    moves->went += state->in_state;
    state->in_state = true;
    state->state = to;
    state->on_since = now;
    return true;
}

/* A13 */
static void tell_readers(const struct ora_view *view, struct ora_device *device,
                         const struct fb_rule_decl *mode, bool soon) {
    int64_t t = view->t + (soon ? FB_SECOND : 0);
    for (uint32_t i = 0; i < device->class->n_conditions; i++) {
        const struct ora_condition *c = device->class->conditions[i];
        for (uint32_t k = 0; k < c->n_modes; k++)
            if (c->modes[k] == mode && device->conditions[i].deadline > t)
                device->conditions[i].deadline = t;
    }
}

static void look(struct ora_view *view, struct ora_device *device, const struct ora_rule *rule) {
    struct ora_rule_state *state = &device->rules[rule->index];
    const struct fb_rule_decl *mode = rule->decl;
    bool was = state->in_state;
    int64_t before = state->on_since, now = view->now;
    state->look_at = FB_NEVER;
    state->safe = false;
    if (where_of(device, rule) == 0) {
        state->in_state = state->on = false;
        state->unknown_since = FB_NO_TIME;
        if (was)
            tell_readers(view, device, mode, now - before < FB_SECOND);
        return;
    }
    bool went = goes(&view->o->moves, device, rule, state, now);
    bool unknown = where_of(device, rule) == 2;
    if (!state->in_state)
        return;
    for (uint32_t i = 0; i < mode->n_gos; i++) {
        if (!leads_out(mode, state, &mode->gos[i]))
            continue;
        unknown |= truth_of(device, rule, i) == 2;
        int64_t at = opens(mode, state, &mode->gos[i]);
        if (went && at < now + FB_SECOND)
            at = now + FB_SECOND;
        bool is_true = truth_of(device, rule, i) == 1;
        view->o->moves.stayed += is_true && at > now && mode->gos[i].when != NULL;
        if (is_true && at > now && at < state->look_at)
            state->look_at = at;
    }
    state->on = !unknown || mode->on_unknown != FB_UNKNOWN_STOP;
    state->safe = unknown && mode->on_unknown == FB_UNKNOWN_SAFE;
    if (!unknown)
        state->unknown_since = FB_NO_TIME;
    else if (state->unknown_since == FB_NO_TIME)
        state->unknown_since = now;
    ora_follow_steps(view, device, rule);
    if (went)
        tell_readers(view, device, mode, was && now - before < FB_SECOND);
}

void ora_modes_look(struct ora_view *view, struct ora_device *device, bool due_only) {
    for (uint32_t i = 0; i < device->class->n_rules; i++) {
        const struct ora_rule *rule = device->class->rules[i];
        struct ora_rule_state *state = &device->rules[i];
        if (rule->decl->kind != FB_RULE_MODE ||
            !(due_only ? state->look_at <= view->now : state->concerned))
            continue;
        state->concerned = false;
        uint64_t before = view->o->moves.went;
        look(view, device, rule);
        if (due_only)
            view->o->moves.by_time += view->o->moves.went - before;
        if (!state->in_state)
            ora_follow_steps(view, device, rule);
    }
}

struct ora_moves ora_moves(const struct ora *o) {
    return o->moves;
}
