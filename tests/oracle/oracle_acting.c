/* Actuators from the tree, claims, arbitration, and when it is decided (A1 to A6). */
#include "tests/oracle/oracle_acting.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/hash.h"

#include <stdlib.h>
#include <string.h>

/* --- From the tree --- */

static struct ora_class *class_of(struct ora *o, struct fb_str name) {
    for (uint32_t i = 0; i < o->n_classes; i++)
        if (fb_str_eq(o->classes[i].decl->name, name))
            return &o->classes[i];
    FB_BUG("a class that is declared");
}

void ora_count_actuator(struct ora *o, const struct fb_actuator_decl *decl) {
    class_of(o, decl->class_name)->n_actuators++;
}

static int64_t span_or(const struct fb_node *n, int64_t otherwise) {
    return n == NULL ? otherwise : ora_literal_span(n);
}

/* The number of a literal in the actuator's unit, of a word its index. */
static double literal_of(struct ora_scope *s, const struct ora_actuator *a,
                         const struct fb_node *n, struct ora_unit unit) {
    if (a->is_switch) {
        FB_ASSERT(n->kind == FB_N_NAME);
        return fb_str_eq(n->text, a->decl->type.words[1]) ? 1 : 0;
    }
    struct ora_expr *e = ora_in_unit(s, ora_expand_expr(s, n), unit);
    FB_ASSERT(e->kind == ORA_CONST);
    return e->constant.num;
}

static void add_switch(struct ora_actuator *a) {
    const struct fb_actuator_decl *decl = a->decl;
    a->high = 1;
    a->minimum[0] = span_or(decl->minimum_off, FB_MINUTE);
    a->minimum[1] = span_or(decl->minimum_on, FB_MINUTE);
    a->maximum_on = span_or(decl->maximum_on, 0);
    if (a->maximum_on > 0 && a->minimum[0] < FB_SECOND)
        a->minimum[0] = FB_SECOND;
    a->starts_per = span_or(decl->starts_per, 0);
    if (decl->reversals == 0) {
        int64_t longer = 4 * (a->minimum[0] + a->minimum[1]);
        a->reversals = 4;
        a->reversals_in = longer > 10 * FB_MINUTE ? longer : 10 * FB_MINUTE;
        a->breaker_for = 30 * FB_MINUTE;
    }
}

static void add_number(struct ora_scope *s, struct ora_actuator *a) {
    const struct fb_actuator_decl *decl = a->decl;
    struct ora_unit step = ora_unit_difference(a->unit);
    const struct fb_node *slew[2] = {decl->slew_down, decl->slew_up};
    const struct fb_node *per[2] = {decl->slew_down_per, decl->slew_up_per};
    a->low = literal_of(s, a, decl->range_low, a->unit);
    a->high = literal_of(s, a, decl->range_high, a->unit);
    for (int up = 0; up < 2; up++) {
        if (slew[up] == NULL)
            continue;
        a->slew[up] = literal_of(s, a, slew[up], step);
        a->slew_per[up] = ora_literal_span(per[up]);
    }
    if (decl->ignore_under != NULL)
        a->ignore_under = literal_of(s, a, decl->ignore_under, step);
}

static struct ora_condition *condition_of(struct ora_scope *s, const struct fb_node *n) {
    if (n == NULL)
        return NULL;
    struct ora_condition *c = FB_ARENA_NEW(s->o->arena, struct ora_condition);
    ora_new_condition(s, c, NULL);
    ora_condition_done(s, c, ora_expand_expr(s, n));
    return c;
}

static void add_actuator(struct ora *o, struct ora_class *class, struct ora_actuator *a) {
    const struct fb_actuator_decl *decl = a->decl;
    struct ora_scope s = {.o = o, .class = class};
    a->is_switch = decl->type.type == FB_T_ENUM;
    a->unit = ora_unit_of(decl->type.unit_text);
    if (a->is_switch)
        add_switch(a);
    else
        add_number(&s, a);
    a->safe = literal_of(&s, a, decl->safe, a->unit);
    a->fallback = decl->default_value == NULL ? a->safe
                                              : literal_of(&s, a, decl->default_value, a->unit);
    a->lease = span_or(decl->lease, 60 * FB_SECOND);
    a->deliver = span_or(decl->deliver, 30 * FB_SECOND);
    a->hold = span_or(decl->hold, 240 * FB_MINUTE);
    a->lockout = span_or(decl->lockout, 0);
    if (decl->reversals > 0) {
        a->reversals = decl->reversals;
        a->reversals_in = ora_literal_span(decl->reversals_in);
        a->breaker_for = ora_literal_span(decl->breaker_for);
    }
    a->interlock = condition_of(&s, decl->interlock);
    a->permissive = condition_of(&s, decl->permissive);
    for (int shadow = 0; shadow < 2; shadow++) {
        a->out[shadow].name = decl->name;
        a->out[shadow].is_switch = a->is_switch;
        a->out[shadow].shadow = shadow == 1;
    }
}

/* All names are known before the first condition is read. */
void ora_add_actuators(struct ora *o) {
    for (uint32_t i = 0; i < o->n_classes; i++) {
        struct ora_class *class = &o->classes[i];
        class->actuators = FB_ARENA_ARRAY(o->arena, struct ora_actuator, class->n_actuators);
        class->n_actuators = 0;
    }
    for (uint32_t f = 0; f < o->tree->n_files; f++) {
        const struct fb_file *file = o->tree->files[f];
        for (uint32_t i = 0; i < file->n_items; i++) {
            if (file->items[i].kind != FB_ITEM_ACTUATOR)
                continue;
            struct ora_class *class = class_of(o, file->items[i].actuator->class_name);
            struct ora_actuator *a = &class->actuators[class->n_actuators];
            a->decl = file->items[i].actuator;
            a->class = class;
            a->index = class->n_actuators++;
            a->is_switch = a->decl->type.type == FB_T_ENUM;
            a->unit = ora_unit_of(a->decl->type.unit_text);
        }
    }
    for (uint32_t i = 0; i < o->n_classes; i++)
        for (uint32_t k = 0; k < o->classes[i].n_actuators; k++)
            add_actuator(o, &o->classes[i], &o->classes[i].actuators[k]);
}

struct ora_actuator *ora_find_actuator(const struct ora_class *class, struct fb_str name) {
    for (uint32_t i = 0; i < class->n_actuators; i++)
        if (fb_str_eq(class->actuators[i].decl->name, name))
            return &class->actuators[i];
    return NULL;
}

struct ora_expr *ora_actuator_expr(struct ora_scope *s, struct fb_str name) {
    const struct ora_actuator *a = ora_find_actuator(s->class, name);
    if (a == NULL)
        return NULL;
    struct ora_expr *e =
        ora_new_expr(s, ORA_ACTUATOR, a->is_switch ? FB_T_ENUM : FB_T_NUMBER);
    e->actuator = a;
    e->words = &a->decl->type;
    e->unit = a->unit;
    return e;
}

/* The value of a command: opposite an actuator with two words these are known, in the branches of
 * an `if` and in `coalesce` too. */
struct ora_expr *ora_claim_value(struct ora_scope *s, const struct ora_actuator *a,
                                 const struct fb_node *n) {
    if (!a->is_switch)
        return ora_in_unit(s, ora_expand_expr(s, n), a->unit);
    if (n->kind == FB_N_NAME) {
        for (uint32_t i = 0; i < 2; i++) {
            if (!fb_str_eq(n->text, a->decl->type.words[i]))
                continue;
            struct ora_expr *e = ora_new_expr(s, ORA_CONST, FB_T_ENUM);
            e->constant = (struct fb_value){.i = (int64_t)i, .quality = FB_Q_GOOD};
            e->words = &a->decl->type;
            return e;
        }
    }
    if (n->kind == FB_N_IF) {
        struct ora_expr *e = ora_new_expr(s, ORA_IF, FB_T_ENUM);
        e->words = &a->decl->type;
        e->a = ora_expand_expr(s, n->a);
        e->b = ora_claim_value(s, a, n->b);
        e->c = ora_claim_value(s, a, n->c);
        return e;
    }
    return ora_expand_expr(s, n);
}

static void add_step(struct ora_scope *s, const struct ora_actuator *a, struct ora_claim *claim) {
    const struct fb_command_decl *step = claim->decl;
    claim->every = ora_literal_span(step->every);
    claim->low = literal_of(s, a, step->low, a->unit);
    claim->high = literal_of(s, a, step->high, a->unit);
    if (step->from != NULL)
        claim->from = ora_in_unit(s, ora_expand_expr(s, step->from), a->unit);
}

static void claim_actuator(struct ora *o, struct ora_actuator *a, struct ora_claim *claim) {
    struct ora_claim **more = FB_ARENA_ARRAY(o->arena, struct ora_claim *, a->n_claims + 1);
    if (a->n_claims > 0)
        memcpy(more, a->claims, a->n_claims * sizeof *more);
    more[a->n_claims++] = claim;
    a->claims = more;
    a->has_shadow |= claim->rule->decl->rollout != FB_ROLLOUT_ARMED;
}

void ora_add_claims(struct ora_scope *s, struct ora_rule *rule) {
    const struct fb_rule_decl *decl = rule->decl;
    if (decl->asked_of != NULL) {
        rule->start = ora_new_condition(s, &rule->conditions[rule->n_conditions], rule);
        ora_condition_done(s, rule->start, ora_asked_start(s, decl));
    } else if (decl->start != NULL || decl->where != NULL) {
        rule->start = ora_new_condition(s, &rule->conditions[rule->n_conditions], rule);
        ora_condition_done(s, rule->start,
                           decl->start != NULL ? ora_condition_expr(s, decl->start)
                                               : ora_expand_expr(s, decl->where));
    }
    if (decl->kind == FB_RULE_MODE)
        ora_add_gos(s, rule);
    rule->claims = FB_ARENA_ARRAY(s->o->arena, struct ora_claim, decl->n_commands);
    for (uint32_t i = 0; i < decl->n_commands; i++) {
        const struct fb_command_decl *command = &decl->commands[i];
        struct ora_actuator *a = ora_find_actuator(rule->class, command->target);
        struct ora_claim *claim = &rule->claims[i];
        s->state = decl->kind == FB_RULE_MODE ? command->state + 1 : 0;
        claim->decl = command;
        claim->rule = rule;
        claim->priority = command->priority == 0 ? 12 : (int)command->priority;
        claim->pulse = span_or(command->pulse, 0);
        claim->index = rule->class->n_claims++;
        claim->condition = ora_new_condition(s, &rule->conditions[rule->n_conditions], rule);
        ora_condition_done(s, claim->condition,
                           decl->asked_of != NULL ? ora_asked_value_expr(s, decl, a)
                           : command->is_step ? ora_in_unit(s, ora_expand_expr(s, command->value),
                                                            ora_unit_difference(a->unit))
                                              : ora_claim_value(s, a, command->value));
        if (command->is_step)
            add_step(s, a, claim);
        claim_actuator(s->o, a, claim);
    }
    s->state = 0;
}

/* --- State --- */

void ora_memories_new(struct ora *o, struct ora_device *device) {
    const struct ora_class *class = device->class;
    device->claims = FB_ARENA_ARRAY(o->arena, struct ora_claim_state, class->n_claims);
    device->asked = FB_ARENA_ARRAY(o->arena, struct ora_asked, class->n_claims);
    for (uint32_t i = 0; i < class->n_claims; i++) {
        device->claims[i].unknown_since = FB_NO_TIME;
        device->claims[i].next = FB_NEVER;
    }
    for (uint32_t i = 0; i < class->n_rules; i++) {
        device->rules[i].unknown_since = FB_NO_TIME;
        device->rules[i].look_at = FB_NEVER;
    }
    device->memories = FB_ARENA_ARRAY(o->arena, struct ora_memory *, 2 * class->n_actuators);
    for (uint32_t i = 0; i < class->n_actuators; i++) {
        for (int shadow = 0; shadow < 2; shadow++) {
            struct ora_memory *m = FB_ARENA_NEW(o->arena, struct ora_memory);
            m->lockout_end = m->breaker_end = FB_NO_TIME;
            m->blocks = FB_GUARDS;
            m->due = FB_NEVER;
            m->interlock = m->permissive = -1;
            device->memories[2 * i + (uint32_t)shadow] = m;
        }
    }
}

void ora_memories_free(struct ora_device *device) {
    for (uint32_t i = 0; i < device->class->n_actuators; i++) {
        for (int shadow = 0; shadow < 2; shadow++) {
            free(device->memories[2 * i + (uint32_t)shadow]->sent);
            free(device->memories[2 * i + (uint32_t)shadow]->starts.items);
            free(device->memories[2 * i + (uint32_t)shadow]->reversals.items);
        }
    }
}

/* A13: the value that the real one accepted. */
struct fb_value ora_accepted(const struct ora_device *device, const struct ora_actuator *a) {
    const struct ora_memory *m = device->memories[2 * a->index];
    if (!m->has_accepted)
        return ora_not_known();
    if (a->is_switch)
        return (struct fb_value){.i = (int64_t)m->accepted, .quality = FB_Q_GOOD};
    return ora_known_number(m->accepted);
}

/* --- Controls and claims (A3, A4) --- */

static void start_is(struct ora_rule_state *state, const struct fb_rule_decl *decl,
                     struct fb_value start, int64_t now) {
    bool was_on = state->on;
    if (start.quality == FB_Q_GOOD) {
        state->on = start.i != 0;
        state->safe = false;
        state->unknown_since = FB_NO_TIME;
    } else {
        if (state->unknown_since == FB_NO_TIME)
            state->unknown_since = now;
        if (decl->on_unknown == FB_UNKNOWN_STOP)
            state->on = false;
        if (decl->on_unknown == FB_UNKNOWN_SAFE)
            state->on = state->safe = true;
    }
    if (state->on && !was_on)
        state->on_since = now;
}

static void value_is(const struct ora_claim *claim, struct ora_claim_state *state,
                     struct fb_value value, int64_t now) {
    state->known = value.quality == FB_Q_GOOD;
    if (state->known) {
        double number = ora_number_of(claim->condition->root, value);
        state->ever = true;
        *(claim->every > 0 ? &state->by : &state->value) = number;
        state->unknown_since = FB_NO_TIME;
    } else if (state->unknown_since == FB_NO_TIME) {
        state->unknown_since = now;
    }
}

/* --- Steps (A19) --- */

static bool is_real(const struct ora_claim *claim, const struct ora_device *device);

static double within(const struct ora_claim *claim, double x) {
    if (x < claim->low)
        return claim->low;
    return x > claim->high ? claim->high : x;
}

static double start_of_step(const struct ora_view *view, const struct ora_device *device,
                            const struct ora_claim *claim) {
    const struct ora_actuator *a = NULL;
    for (uint32_t i = 0; i < device->class->n_actuators; i++)
        if (fb_str_eq(device->class->actuators[i].decl->name, claim->decl->target))
            a = &device->class->actuators[i];
    FB_ASSERT(a != NULL);
    if (claim->from != NULL) {
        struct ora_view look = *view;
        look.keep = false;
        struct fb_value value = ora_eval(&look, claim->from);
        if (value.quality == FB_Q_GOOD)
            return ora_number_of(claim->from, value);
    }
    const struct ora_memory *m = device->memories[2 * a->index + !is_real(claim, device)];
    return m->has_accepted ? m->accepted : a->safe;
}

/* The first instant behind now of those that lie k periods after the control became on. */
static int64_t next_step(const struct ora_claim *claim, int64_t since, int64_t now) {
    int64_t next = since + claim->every;
    if (next <= now)
        next += (now - next) / claim->every * claim->every;
    while (next <= now)
        next += claim->every;
    return next;
}

/* Of a mode, in the state that the command stands in. */
static bool is_on(const struct ora_claim *claim, const struct ora_rule_state *control) {
    bool mode = claim->rule->decl->kind == FB_RULE_MODE;
    return control->on && (!mode || claim->decl->state == control->state);
}

static void follow_step(const struct ora_view *view, struct ora_device *device,
                        const struct ora_claim *claim) {
    const struct ora_rule_state *control = &device->rules[claim->rule->index];
    struct ora_claim_state *state = &device->claims[claim->index];
    bool on = is_on(claim, control);
    bool goes = on && control->unknown_since == FB_NO_TIME && state->known;
    if (!on)
        state->begun = false;
    if (on && !state->begun) {
        state->begun = true;
        state->value = within(claim, start_of_step(view, device, claim));
        state->next = FB_NEVER;
    }
    if (!goes)
        state->next = FB_NEVER;
    else if (state->next == FB_NEVER)
        state->next = next_step(claim, control->on_since, view->now);
}

static void make_steps(const struct ora_view *view, struct ora_device *device,
                       const struct ora_actuator *a) {
    for (uint32_t i = 0; i < a->n_claims; i++) {
        const struct ora_claim *claim = a->claims[i];
        struct ora_claim_state *state = &device->claims[claim->index];
        if (claim->every == 0 || state->next != view->now)
            continue;
        state->value = within(claim, state->value + state->by);
        state->next =
            next_step(claim, device->rules[claim->rule->index].on_since, view->now);
    }
}

void ora_follow_steps(const struct ora_view *view, struct ora_device *device,
                      const struct ora_rule *rule) {
    for (uint32_t i = 0; i < rule->decl->n_commands; i++)
        if (rule->claims[i].every > 0)
            follow_step(view, device, &rule->claims[i]);
}

void ora_control_step(struct ora_view *view, struct ora_device *device, struct ora_rule *rule,
                      const bool *due) {
    struct ora_rule_state *state = &device->rules[rule->index];
    if (rule->decl->kind == FB_RULE_MODE)
        ora_mode_conditions(view, device, rule, due);
    else if (rule->start == NULL && !state->on) {
        state->on = true;
        state->on_since = view->now;
    }
    if (rule->decl->kind != FB_RULE_MODE && rule->start != NULL && due[rule->start->index])
        start_is(state, rule->decl, ora_condition_value(view, device, rule->start), view->now);
    for (uint32_t i = 0; i < rule->decl->n_commands; i++) {
        const struct ora_claim *claim = &rule->claims[i];
        if (due[claim->condition->index])
            value_is(claim, &device->claims[claim->index],
                     ora_condition_value(view, device, claim->condition), view->now);
    }
    ora_follow_steps(view, device, rule);
}

/* A6 */
static bool is_real(const struct ora_claim *claim, const struct ora_device *device) {
    const struct fb_rule_decl *decl = claim->rule->decl;
    if (decl->rollout == FB_ROLLOUT_ARMED)
        return true;
    if (decl->rollout != FB_ROLLOUT_CANARY)
        return false;
    double bucket = (double)(fb_checksum64(device->id.p, device->id.n) % 10000) / 100;
    return bucket < decl->canary;
}

/* Whether the actuator, or its shadow, has the claim at all. */
static bool concerns(const struct ora_claim *claim, const struct ora_device *device, bool shadow) {
    return shadow || is_real(claim, device);
}

static void ends_at(struct ora_asked *asked, int64_t since, int64_t d) {
    if (since != FB_NO_TIME && since + d < asked->ends)
        asked->ends = since + d;
}

static struct ora_asked asks(const struct ora_actuator *a, const struct ora_claim *claim,
                             const struct ora_device *device, int64_t now) {
    const struct ora_rule_state *control = &device->rules[claim->rule->index];
    const struct ora_claim_state *state = &device->claims[claim->index];
    enum fb_on_unknown policy = claim->rule->decl->on_unknown;
    const struct ora_asked nothing = {.ends = FB_NEVER};
    struct ora_asked asked = {.in_force = true, .value = state->value, .ends = FB_NEVER};
    if (!is_on(claim, control))
        return nothing;
    if (control->safe || (!state->known && policy == FB_UNKNOWN_SAFE)) {
        asked.value = a->safe;
        asked.unknown_safe = true;
    } else if (!state->known && (policy == FB_UNKNOWN_STOP || !state->ever)) {
        return nothing;
    }
    if (claim->pulse > 0)
        ends_at(&asked, control->on_since, claim->pulse);
    ends_at(&asked, control->unknown_since, a->hold);
    ends_at(&asked, state->unknown_since, a->hold);
    return asked.ends <= now ? nothing : asked;
}

/* --- Arbitration (A5) --- */

static double distance(double a, double b) {
    return a < b ? b - a : a - b;
}

static bool beats(const struct ora_actuator *a, double value, double best) {
    switch (a->decl->combine) {
    case FB_COMBINE_WORD_NONE:
        return false;
    case FB_COMBINE_WORD_MIN:
        return value < best;
    case FB_COMBINE_WORD_MAX:
        return value > best;
    case FB_COMBINE_WORD_SAFEST:
        return distance(value, a->safe) < distance(best, a->safe);
    }
    FB_BUG("a way to combine");
}

struct ora_winner ora_arbitrate(const struct ora_actuator *a, const struct ora_device *device,
                                bool shadow, int64_t now) {
    struct ora_winner winner = {
        .value = a->fallback, .priority = FB_PRIORITY_NONE, .ends = FB_NEVER};
    const struct ora_memory *m = device->memories[2 * a->index + (uint32_t)shadow];
    if (ora_hand_holds(m, now)) {
        winner.any = true;
        winner.priority = FB_PRIORITY_HAND;
        winner.value = m->hand;
        winner.ends = m->hand_until;
        winner.entries[winner.n_entries++] =
            (struct fb_array_entry){NULL, FB_PRIORITY_HAND, m->hand};
    }
    for (uint32_t i = 0; i < a->n_claims; i++) {
        const struct ora_claim *claim = a->claims[i];
        struct ora_asked asked = asks(a, claim, device, now);
        if (!asked.in_force || !concerns(claim, device, shadow))
            continue;
        if (asked.ends < winner.ends)
            winner.ends = asked.ends;
        winner.entries[winner.n_entries++] =
            (struct fb_array_entry){&claim->rule->out, (uint8_t)claim->priority, asked.value};
        bool first = !winner.any || claim->priority < winner.priority;
        if (!first && (claim->priority != winner.priority || !beats(a, asked.value, winner.value)))
            continue;
        winner.any = true;
        winner.rule = claim->rule;
        winner.priority = (uint8_t)claim->priority;
        winner.value = asked.value;
        winner.unknown_safe = asked.unknown_safe;
    }
    return winner;
}

/* --- When it is decided (A2) --- */

/* The truth of an interlock or a permissive, and the lockout that begins with its end. */
static void condition_is(const struct ora_actuator *a, struct ora_memory *m,
                         const struct ora_device *device, int64_t now) {
    int interlock = a->interlock == NULL ? 0 : device->conditions[a->interlock->index].value;
    int permissive = a->permissive == NULL ? 1 : device->conditions[a->permissive->index].value;
    if (interlock != 0)
        m->lockout_end = FB_NO_TIME;
    else if (interlock == 0 && m->interlock > 0 && a->lockout > 0)
        m->lockout_end = now + a->lockout;
    m->interlock = interlock;
    m->permissive = permissive;
}

void ora_acting_begins(const struct ora_view *view, struct ora_device *device) {
    for (uint32_t i = 0; i < device->class->n_actuators; i++) {
        const struct ora_actuator *a = &device->class->actuators[i];
        for (uint32_t k = 0; k < a->n_claims; k++)
            device->asked[a->claims[k]->index] = asks(a, a->claims[k], device, view->now);
    }
}

/* A2: is a claim on it another than before the evaluation, both as of now? */
static bool is_asked_otherwise(const struct ora_view *view, const struct ora_actuator *a,
                               const struct ora_device *device, bool shadow) {
    for (uint32_t i = 0; i < a->n_claims; i++) {
        struct ora_asked before = device->asked[a->claims[i]->index];
        struct ora_asked after = asks(a, a->claims[i], device, view->now);
        if (!concerns(a->claims[i], device, shadow))
            continue;
        if (before.in_force != after.in_force || before.value != after.value ||
            before.ends != after.ends)
            return true;
    }
    return false;
}

/* The truth of an interlock or a permissive; true: it is another than before. */
static bool look_at(struct ora_view *view, struct ora_device *device,
                    const struct ora_condition *c, const bool *due) {
    if (c == NULL || !due[c->index])
        return false;
    struct fb_value value = ora_condition_value(view, device, c);
    uint8_t before = device->conditions[c->index].value;
    uint8_t now = value.quality != FB_Q_GOOD ? 2 : value.i != 0;
    device->conditions[c->index].value = now;
    return now != before;
}

void ora_actuators_look(struct ora_view *view, struct ora_device *device, const bool *due) {
    for (uint32_t i = 0; i < device->class->n_actuators; i++) {
        const struct ora_actuator *a = &device->class->actuators[i];
        bool interlock = look_at(view, device, a->interlock, due);
        bool permissive = look_at(view, device, a->permissive, due);
        for (int shadow = 0; shadow < 2; shadow++)
            device->memories[2 * i + (uint32_t)shadow]->concerned |=
                interlock || permissive || is_asked_otherwise(view, a, device, shadow);
    }
}

/* A2: what the modes made of their claims. */
static void look_at_modes(struct ora_view *view, struct ora_device *device, bool due_only) {
    ora_acting_begins(view, device);
    ora_modes_look(view, device, due_only);
    for (uint32_t i = 0; i < device->class->n_actuators; i++)
        for (int shadow = 0; shadow < 2; shadow++)
            device->memories[2 * i + (uint32_t)shadow]->concerned |=
                is_asked_otherwise(view, &device->class->actuators[i], device, shadow);
}

void ora_actuators_step(struct ora_view *view, struct ora_device *device) {
    bool first = view->record != NULL && device->n_records == 1;
    look_at_modes(view, device, false);
    for (uint32_t i = 0; i < device->class->n_actuators; i++) {
        const struct ora_actuator *a = &device->class->actuators[i];
        for (int shadow = 0; shadow < 1 + a->has_shadow; shadow++) {
            struct ora_memory *m = device->memories[2 * i + (uint32_t)shadow];
            int64_t now = m->decided && m->now > view->now ? m->now : view->now;
            bool concerned = m->concerned || first;
            m->concerned = false;
            if (first)
                m->changed = now;
            if (!concerned)
                continue;
            condition_is(a, m, device, now);
            ora_decide(view, device, a, shadow, now);
        }
    }
}

/* A step is not concerned with what only the passing of time ends: that is a deadline. */
static bool is_stepped(const struct ora_view *view, const struct ora_actuator *a,
                       const struct ora_device *device, bool shadow) {
    for (uint32_t i = 0; i < a->n_claims; i++) {
        struct ora_asked after = asks(a, a->claims[i], device, view->now);
        if (a->claims[i]->every > 0 && concerns(a->claims[i], device, shadow) &&
            device->asked[a->claims[i]->index].value != after.value)
            return true;
    }
    return false;
}

int64_t ora_actuators_due(const struct ora_device *device) {
    int64_t due = ora_service_due(device);
    for (uint32_t i = 0; i < device->class->n_actuators; i++)
        for (int shadow = 0; shadow < 2; shadow++)
            if (device->memories[2 * i + (uint32_t)shadow]->due < due)
                due = device->memories[2 * i + (uint32_t)shadow]->due;
    for (uint32_t i = 0; i < device->class->n_claims; i++)
        if (device->claims[i].next < due)
            due = device->claims[i].next;
    for (uint32_t i = 0; i < device->class->n_rules; i++)
        if (device->rules[i].look_at < due)
            due = device->rules[i].look_at;
    return due;
}

void ora_actuators_fire(struct ora_view *view, struct ora_device *device) {
    ora_service_fire(view, device); /* A46 */
    look_at_modes(view, device, true);
    ora_acting_begins(view, device);
    for (uint32_t i = 0; i < device->class->n_actuators; i++)
        make_steps(view, device, &device->class->actuators[i]);
    for (uint32_t i = 0; i < device->class->n_actuators; i++) {
        const struct ora_actuator *a = &device->class->actuators[i];
        for (int shadow = 0; shadow < 1 + a->has_shadow; shadow++) {
            struct ora_memory *m = device->memories[2 * i + (uint32_t)shadow];
            bool concerned = m->concerned || is_stepped(view, a, device, shadow);
            m->concerned = false;
            if (m->due != view->now && !concerned)
                continue;
            ora_decide(view, device, a, shadow, view->now);
        }
    }
}

/* --- What is asked for at present --- */

static struct ora_wish wish_of(const struct ora *o, const struct ora_device *device,
                               const struct ora_actuator *a, bool shadow) {
    const struct ora_memory *m = device->memories[2 * a->index + (uint32_t)shadow];
    struct ora_winner winner = ora_arbitrate(a, device, shadow, o->c);
    double from = m->has_accepted ? m->accepted : a->safe, value = winner.value;
    if (value < a->low)
        value = a->low;
    if (value > a->high)
        value = a->high;
    return (struct ora_wish){.class_index = (uint16_t)device->class->index,
                             .device = device->id,
                             .actuator = a->decl->name,
                             .shadow = shadow,
                             .claimed = winner.any,
                             .pending = m->due <= o->c,
                             .slews = !a->is_switch && a->slew[value > from] > 0,
                             .value = value};
}

void ora_each_wish(const struct ora *o, void (*each)(void *context, const struct ora_wish *wish),
                   void *context) {
    for (size_t i = 0; i < o->n_devices; i++) {
        const struct ora_class *class = o->devices[i]->class;
        for (uint32_t k = 0; k < class->n_actuators; k++) {
            const struct ora_actuator *a = &class->actuators[k];
            for (int shadow = 0; shadow < 1 + a->has_shadow; shadow++) {
                struct ora_wish wish = wish_of(o, o->devices[i], a, shadow);
                each(context, &wish);
            }
        }
    }
}
