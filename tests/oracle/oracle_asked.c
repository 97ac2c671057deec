/* Commands to other devices: the control of theirs that one stands for (A80 to A86). */
#include "tests/oracle/oracle_acting.h"

#include "engine/base/err.h"

/* --- Who commands (A80) --- */

static const struct ora_rule *rule_of(const struct ora *o, const struct fb_rule_decl *decl) {
    for (uint32_t i = 0; i < o->n_classes; i++)
        for (uint32_t k = 0; k < o->classes[i].n_rules; k++)
            if (o->classes[i].rules[k]->decl == decl)
                return o->classes[i].rules[k];
    FB_BUG("a rule that stands before its commands");
}

struct ora_class *ora_asked_class(const struct ora *o, const struct fb_rule_decl *control) {
    const struct fb_ask_decl *ask = control->ask;
    if (ask->each)
        return ora_class_named(o, ask->device);
    const struct ora_class *from = ora_class_named(o, control->asked_of->class_name);
    return ora_class_named(o, ora_find_link(from, ask->device)->class_name);
}

/* The link of the target's class by which `each` finds it; NULL: texts are the same. */
static const struct fb_link_decl *link_here(const struct ora_class *target,
                                            const struct ora_class *commander,
                                            const struct fb_ask_decl *ask) {
    const struct fb_class_decl *decl = target->decl;
    if (ask->n_by > 1)
        return NULL;
    for (uint32_t i = 0; i < decl->n_links; i++)
        if (fb_str_eq(decl->links[i]->class_name, commander->decl->name) &&
            (ask->n_by == 0 || fb_str_eq(decl->links[i]->name, ask->by[0])))
            return decl->links[i];
    return NULL;
}

/* The commanders, as the target sees them. */
static struct ora_other *commanders(struct ora_scope *s, const struct ora_rule *rule,
                                    const struct fb_ask_decl *ask) {
    struct ora_other *other = ora_new_other(s->o, rule->class, ask->n_by);
    if (!ask->each) {
        other->way = ORA_LEADS_HERE;
        other->n =
            ora_fields_of_link(rule->class, ora_find_link(rule->class, ask->device), other->theirs);
        return other;
    }
    const struct fb_link_decl *link = link_here(s->class, rule->class, ask);
    if (link != NULL) {
        other->way = ORA_LEADS_THERE;
        other->n = ora_fields_of_link(s->class, link, other->own);
    } else {
        other->way = ORA_SAME_TEXT;
        for (uint32_t i = 0; i < ask->n_by; i++) {
            ora_fields_of_tie(s->class, ask->by[i], other->own + other->n);
            other->n += ora_fields_of_tie(rule->class, ask->by[i], other->theirs + other->n);
        }
    }
    return other;
}

/* --- S (A82) --- */

static bool leads_out(const struct fb_rule_decl *mode, const struct fb_go_decl *go,
                      uint32_t state) {
    if (!mode->states[go->state].any)
        return go->state == state;
    return !fb_str_eq(go->target, mode->states[state].name);
}

static struct ora_expr *in_state(struct ora_scope *s, const struct fb_rule_decl *mode,
                                 uint32_t state) {
    struct ora_expr *e = ora_new_expr(s, ORA_IN_STATE, FB_T_BOOL);
    e->a = ora_mode_expr(s, mode->name);
    for (uint32_t i = 0; i < mode->mode_type.n_words; i++)
        if (fb_str_eq(mode->mode_type.words[i], mode->states[state].name))
            e->constant.i = i;
    e->items = FB_ARENA_ARRAY(s->o->arena, struct ora_expr *, mode->n_gos + 1);
    if (mode->where != NULL)
        e->items[e->n_items++] = ora_expand_expr(s, mode->where);
    for (uint32_t i = 0; i < mode->n_gos; i++)
        if (mode->gos[i].when != NULL && leads_out(mode, &mode->gos[i], state)) {
            s->state = mode->gos[i].state + 1;
            e->items[e->n_items++] = ora_condition_expr(s, mode->gos[i].when);
            s->state = 0;
        }
    return e;
}

struct fb_value ora_in_state(struct ora_view *view, const struct ora_expr *e) {
    struct fb_value mode = ora_eval(view, e->a);
    bool unknown = false;
    for (uint32_t i = 0; i < e->n_items; i++)
        unknown |= ora_eval(view, e->items[i]).quality != FB_Q_GOOD;
    if (mode.quality != FB_Q_GOOD || mode.i != e->constant.i)
        return ora_known_bool(false);
    return unknown ? ora_not_known() : ora_known_bool(true);
}

static struct ora_published *publish_s(struct ora *o, const struct ora_rule *rule,
                                       const struct fb_ask_decl *ask) {
    const struct fb_rule_decl *decl = rule->decl;
    struct ora_scope s;
    struct ora_published *p = ora_publish_begin(o, rule->class, rule, &s);
    struct ora_expr *root;
    if (decl->kind == FB_RULE_MODE) {
        root = in_state(&s, decl, ask->command.state);
    } else if (decl->start != NULL) {
        root = ora_condition_expr(&s, decl->start);
    } else if (decl->where != NULL) {
        root = ora_expand_expr(&s, decl->where);
    } else {
        root = ora_new_expr(&s, ORA_CONST, FB_T_BOOL);
        root->constant = ora_known_bool(true);
    }
    ora_publish_done(&s, p, root);
    return p;
}

/* --- The control (A81) --- */

static struct ora_expr *asked_expr(struct ora_scope *s, enum ora_kind kind,
                                   const struct fb_rule_decl *control) {
    const struct ora_rule *rule = rule_of(s->o, control->asked_of);
    struct ora_expr *e = ora_new_expr(s, kind, FB_T_BOOL);
    e->other = commanders(s, rule, control->ask);
    e->other->where = publish_s(s->o, rule, control->ask);
    s->o->reads_others = true;
    return e;
}

struct ora_expr *ora_asked_start(struct ora_scope *s, const struct fb_rule_decl *control) {
    struct ora_expr *on = asked_expr(s, ORA_ASKED_ON, control);
    const struct fb_node *w = control->ask->where;
    return w == NULL ? on : ora_two(s, ORA_AND, ora_expand_expr(s, w), on);
}

static bool is_literal(const struct ora_actuator *a, const struct fb_node *n) {
    if (n->kind == FB_N_NEGATE)
        n = n->a;
    if (n->kind == FB_N_NUMBER || n->kind == FB_N_DURATION)
        return true;
    return a->is_switch && n->kind == FB_N_NAME &&
           (fb_str_eq(n->text, a->decl->type.words[0]) ||
            fb_str_eq(n->text, a->decl->type.words[1]));
}

struct ora_expr *ora_asked_value_expr(struct ora_scope *s, const struct fb_rule_decl *control,
                                      const struct ora_actuator *a) {
    const struct fb_node *value = control->ask->command.value;
    if (is_literal(a, value))
        return ora_claim_value(s, a, value);
    const struct ora_rule *rule = rule_of(s->o, control->asked_of);
    struct ora_expr *e = asked_expr(s, ORA_ASKED_VALUE, control);
    struct ora_scope there;
    struct ora_published *p = ora_publish_begin(s->o, rule->class, rule, &there);
    if (rule->decl->kind == FB_RULE_MODE)
        there.state = control->ask->command.state + 1;
    ora_publish_done(&there, p, ora_claim_value(&there, a, value));
    e->other->x = p;
    e->followed = a;
    e->type = a->is_switch ? FB_T_ENUM : FB_T_NUMBER;
    e->words = &a->decl->type;
    e->unit = a->unit;
    return e;
}

/* --- What commanders ask for (A81, A83) --- */

static struct fb_value is_on(const struct ora_seen *seen) {
    bool unknown = false;
    for (uint32_t i = 0; i < seen->n; i++) {
        if (ora_is_true(seen->items[i].where))
            return ora_known_bool(true);
        unknown |= seen->items[i].where.quality != FB_Q_GOOD;
    }
    return unknown ? ora_not_known() : ora_known_bool(false);
}

static double distance(double a, double b) {
    return a < b ? b - a : a - b;
}

static bool goes_before(const struct ora_actuator *a, double x, double best) {
    switch (a->decl->combine) {
    case FB_COMBINE_WORD_NONE:
        return false;
    case FB_COMBINE_WORD_MIN:
        return x < best;
    case FB_COMBINE_WORD_MAX:
        return x > best;
    case FB_COMBINE_WORD_SAFEST:
        return distance(x, a->safe) < distance(best, a->safe);
    }
    FB_BUG("a way to combine");
}

static struct fb_value value_of(const struct ora_seen *seen, const struct ora_expr *e) {
    const struct ora_expr *root = e->other->x->condition->root;
    const struct ora_seen_one *best = NULL;
    for (uint32_t i = 0; i < seen->n; i++) {
        const struct ora_seen_one *one = &seen->items[i];
        if (!ora_is_true(one->where) || one->x.quality != FB_Q_GOOD)
            continue;
        if (best == NULL ||
            goes_before(e->followed, ora_number_of(root, one->x), ora_number_of(root, best->x)))
            best = one;
    }
    if (best == NULL)
        return ora_not_known();
    return e->type == FB_T_ENUM ? best->x : ora_known_number(ora_number_of(root, best->x));
}

struct fb_value ora_asked(struct ora_view *view, const struct ora_expr *e) {
    struct ora_seen seen = ora_look(view->o, view->device, e->other);
    return e->kind == ORA_ASKED_ON ? is_on(&seen) : value_of(&seen, e);
}
