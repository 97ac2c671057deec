/* What an operator asks for: hands, kills, and breakers that close (A16 to A18). */
#include "tests/oracle/oracle_acting.h"

#include "engine/base/err.h"

#include <stdlib.h>

/* --- Kills (A17) --- */

static struct ora_kill *find_kill(struct ora *o, enum fb_scope scope, struct fb_str name) {
    for (size_t i = 0; i < o->n_kills; i++)
        if (o->kills[i].scope == scope &&
            (scope == FB_SCOPE_ALL || fb_str_eq(o->kills[i].name, name)))
            return &o->kills[i];
    return NULL;
}

enum fb_kill ora_kill_of(struct ora *o, const struct ora_actuator *a,
                         const struct ora_rule *winner) {
    const struct ora_kill *kills[] = {
        find_kill(o, FB_SCOPE_ALL, FB_S("")),
        find_kill(o, FB_SCOPE_ACTUATOR, a->decl->name),
        winner == NULL ? NULL : find_kill(o, FB_SCOPE_RULE, winner->decl->name),
    };
    enum fb_kill found = FB_KILL_NONE;
    for (size_t i = 0; i < sizeof kills / sizeof *kills; i++)
        if (kills[i] != NULL && found != FB_KILL_SAFE)
            found = kills[i]->mode;
    return found;
}

static bool claims(const struct ora_actuator *a, struct fb_str rule) {
    for (uint32_t i = 0; i < a->n_claims; i++)
        if (fb_str_eq(a->claims[i]->rule->decl->name, rule))
            return true;
    return false;
}

static bool concerns(const struct fb_call *call, const struct ora_actuator *a) {
    switch (call->scope) {
    case FB_SCOPE_ALL:
        return true;
    case FB_SCOPE_ACTUATOR:
        return fb_str_eq(a->decl->name, call->name);
    case FB_SCOPE_RULE:
        return claims(a, call->name);
    }
    FB_BUG("a scope");
}

static const struct ora_actuator *find_actuator(const struct ora *o, struct fb_str name) {
    for (uint32_t i = 0; i < o->n_classes; i++)
        for (uint32_t k = 0; k < o->classes[i].n_actuators; k++)
            if (fb_str_eq(o->classes[i].actuators[k].decl->name, name))
                return &o->classes[i].actuators[k];
    return NULL;
}

static bool is_in_rules(const struct ora *o, const struct fb_call *call) {
    for (uint32_t i = 0; i < o->n_classes; i++) {
        const struct ora_class *class = &o->classes[i];
        for (uint32_t k = 0; call->scope == FB_SCOPE_RULE && k < class->n_rules; k++)
            if (class->rules[k]->claims != NULL &&
                fb_str_eq(class->rules[k]->decl->name, call->name))
                return true;
    }
    return call->scope == FB_SCOPE_ALL ||
           (call->scope == FB_SCOPE_ACTUATOR && find_actuator(o, call->name) != NULL);
}

/* A16: a deadline at C. */
static void make_due(const struct ora *o, const struct ora_actuator *a,
                     struct ora_memory *const both[2]) {
    for (int shadow = 0; shadow < 1 + a->has_shadow; shadow++)
        both[shadow]->due = o->c;
}

void ora_all_due(struct ora_device *device, int64_t c) {
    for (uint32_t k = 0; k < device->class->n_actuators; k++)
        for (int shadow = 0; shadow < 1 + device->class->actuators[k].has_shadow; shadow++)
            device->memories[2 * k + (uint32_t)shadow]->due = c;
}

static void make_killed_due(struct ora *o, const struct fb_call *call) {
    for (size_t i = 0; i < o->n_devices; i++) {
        const struct ora_class *class = o->devices[i]->class;
        for (uint32_t k = 0; k < class->n_actuators; k++)
            if (concerns(call, &class->actuators[k]))
                make_due(o, &class->actuators[k], &o->devices[i]->memories[2 * k]);
    }
}

static enum fb_call_outcome kill(struct ora *o, const struct fb_call *call) {
    struct ora_kill *kill = find_kill(o, call->scope, call->name);
    if (!is_in_rules(o, call))
        return call->scope == FB_SCOPE_RULE ? FB_CALL_NO_RULE : FB_CALL_NO_ACTUATOR;
    if (kill == NULL) {
        if (o->n_kills == FB_KILLS_MAX)
            return FB_CALL_TOO_MANY;
        kill = &o->kills[o->n_kills++];
        kill->scope = call->scope;
        kill->name = fb_str_copy(o->arena, call->name);
    }
    kill->mode = call->mode;
    make_killed_due(o, call);
    return FB_CALL_ACCEPTED;
}

static enum fb_call_outcome unkill(struct ora *o, const struct fb_call *call) {
    struct ora_kill *kill = find_kill(o, call->scope, call->name);
    if (kill == NULL)
        return FB_CALL_NOT_KILLED;
    *kill = o->kills[--o->n_kills];
    make_killed_due(o, call);
    return FB_CALL_ACCEPTED;
}

/* --- Of one actuator of one device --- */

bool ora_hand_holds(const struct ora_memory *memory, int64_t now) {
    return memory->has_hand && now < memory->hand_until;
}

static bool hand_value(const struct ora_actuator *a, const struct fb_call *call, double *value) {
    if (a->is_switch) {
        if (call->is_number)
            return false;
        *value = fb_str_eq(call->word, a->decl->type.words[1]);
        return *value != 0 || fb_str_eq(call->word, a->decl->type.words[0]);
    }
    *value = call->number;
    return call->is_number && call->number >= a->low && call->number <= a->high;
}

static enum fb_call_outcome hand(const struct ora *o, const struct fb_call *call,
                                 const struct ora_actuator *a, struct ora_memory *const both[2]) {
    double value;
    if (!hand_value(a, call, &value))
        return FB_CALL_BAD_VALUE;
    if (call->until_us <= o->c)
        return FB_CALL_PAST;
    for (int shadow = 0; shadow < 2; shadow++) {
        both[shadow]->has_hand = true;
        both[shadow]->hand = value;
        both[shadow]->hand_until = call->until_us;
    }
    return FB_CALL_ACCEPTED;
}

static enum fb_call_outcome automatic(const struct ora *o, struct ora_memory *const both[2]) {
    if (!ora_hand_holds(both[0], o->c))
        return FB_CALL_NOT_IN_HAND;
    both[0]->has_hand = both[1]->has_hand = false;
    return FB_CALL_ACCEPTED;
}

static enum fb_call_outcome reset(const struct ora *o, struct ora_device *device,
                                  const struct ora_actuator *a, struct ora_memory *const both[2]) {
    bool any = ora_is_stopped(a, both[0], false);
    if (any) {
        ora_follow_again(device, a);
        both[0]->due = o->c;
    }
    for (int shadow = 0; shadow < 2; shadow++) {
        if (both[shadow]->breaker_end == FB_NO_TIME || both[shadow]->breaker_end <= o->c)
            continue;
        both[shadow]->breaker_end = both[shadow]->due = o->c;
        any = true;
    }
    return any ? FB_CALL_ACCEPTED : FB_CALL_NOT_OPEN;
}

struct ora_device *ora_find_device(const struct ora *o, const struct ora_class *class,
                                   struct fb_str id) {
    for (size_t i = 0; i < o->n_devices; i++)
        if (o->devices[i]->class == class && fb_str_eq(o->devices[i]->id, id))
            return o->devices[i];
    return NULL;
}

static enum fb_call_outcome of_one(struct ora *o, const struct fb_call *call) {
    const struct ora_actuator *a = find_actuator(o, call->actuator);
    if (a == NULL)
        return FB_CALL_NO_ACTUATOR;
    struct ora_device *device = ora_find_device(o, a->class, call->device);
    if (device == NULL)
        return FB_CALL_ELSEWHERE;
    struct ora_memory *const *both = &device->memories[2 * a->index];
    enum fb_call_outcome outcome = call->kind == FB_CALL_HAND   ? hand(o, call, a, both)
                                   : call->kind == FB_CALL_AUTO ? automatic(o, both)
                                                                : reset(o, device, a, both);
    if (outcome == FB_CALL_ACCEPTED && call->kind != FB_CALL_RESET)
        make_due(o, a, both);
    return outcome;
}

enum fb_call_outcome ora_call(struct ora *o, const struct fb_call *call, int64_t c_us) {
    ora_advance(o, c_us);
    if (call->kind == FB_CALL_KILL)
        return kill(o, call);
    if (call->kind == FB_CALL_UNKILL)
        return unkill(o, call);
    if (call->kind == FB_CALL_RESET && call->scope == FB_SCOPE_RULE)
        return ora_reset_fleet(o, call);
    if (call->kind <= FB_CALL_RESET)
        return of_one(o, call);
    return ora_call_of_alarms(o, call);
}
