/* On how many devices of a domain a rule acts at a time (A90 to A94). */
#include "tests/oracle/oracle_acting.h"

#include "engine/base/calendar.h"
#include "engine/base/num.h"

/* The n-th device in the order of their coming, if it is of the class and in the domain. */
static struct ora_device *member(struct ora *o, size_t n, const struct ora_class *class,
                                 struct fb_str domain) {
    struct ora_device *device = o->devices[n];
    bool in = device->class == class && fb_str_eq(ora_domain_of(o, device), domain);
    return in ? device : NULL;
}

static bool is_of_name(const struct ora_rule *rule, struct fb_str name) {
    return rule->claims != NULL && rule->decl->n_commands > 0 && rule->decl->fleet_share != NULL &&
           fb_str_eq(rule->decl->name, name);
}

struct ora_rule_state *ora_fleet_state(const struct ora_device *device,
                                       const struct ora_rule *rule) {
    for (uint32_t i = 0; i < device->class->n_rules; i++)
        if (is_of_name(device->class->rules[i], rule->decl->name))
            return &device->rules[i];
    return &device->rules[rule->index];
}

struct fleet {
    uint32_t members, live, acted;
    int64_t began; /* the earliest of them */
    bool open;
};

static struct fleet count(struct ora *o, const struct ora_device *self, struct fb_str domain,
                          const struct ora_rule *rule, bool shadow, int64_t since) {
    struct fleet f = {.began = FB_NEVER};
    for (size_t i = 0; i < o->n_devices; i++) {
        const struct ora_device *device = member(o, i, self->class, domain);
        if (device == NULL)
            continue;
        const struct ora_rule_state *state = ora_fleet_state(device, rule);
        f.members++;
        f.live += device->cw >= since;
        f.acted +=
            device == self || (state->acted[shadow] != FB_NO_TIME && state->acted[shadow] > since);
        f.began = device->came < f.began ? device->came : f.began;
        f.open |= state->open[shadow];
    }
    return f;
}

bool ora_fleet_lets(struct ora *o, struct ora_device *device, const struct ora_rule *rule,
                    bool shadow, int64_t now, int64_t *hold) {
    struct fb_str domain = ora_domain_of(o, device);
    int64_t d = ora_literal_span(rule->decl->fleet_per);
    double percent = rule->decl->fleet_share->value;
    *hold = FB_NEVER;
    if (domain.n == 0)
        return false;
    struct fleet f = count(o, device, domain, rule, shadow, now - d);
    if (f.open)
        return false;
    double budget = fb_num_floor(percent * f.live / 100);
    if (f.acted <= (budget < 1 ? 1 : budget))
        return true;
    if (now < f.began + d || 2 * f.live < f.members) {
        *hold = now + (d / 10 > FB_SECOND ? d / 10 : FB_SECOND);
        return false;
    }
    for (size_t i = 0; i < o->n_devices; i++)
        if (member(o, i, device->class, domain) != NULL)
            ora_fleet_state(o->devices[i], rule)->open[shadow] = true;
    return false;
}

/* --- Its reset (A94) --- */

/* Of the class of the device that is meant, where several have rules of the name. */
static const struct ora_rule *find_rule(const struct ora *o, const struct fb_call *call,
                                        struct ora_device **device) {
    const struct ora_rule *found = NULL;
    for (uint32_t i = 0; i < o->n_classes; i++)
        for (uint32_t k = 0; k < o->classes[i].n_rules; k++) {
            const struct ora_rule *rule = o->classes[i].rules[k];
            if (!is_of_name(rule, call->name) || *device != NULL)
                continue;
            found = rule;
            *device = ora_find_device(o, rule->class, call->device);
        }
    return found;
}

static void forget(struct ora *o, struct ora_device *device, const struct ora_rule *rule) {
    struct ora_rule_state *state = ora_fleet_state(device, rule);
    for (int shadow = 0; shadow < 2; shadow++) {
        state->acted[shadow] = FB_NO_TIME;
        state->open[shadow] = false;
    }
    for (uint32_t i = 0; i < device->class->n_actuators; i++) {
        const struct ora_actuator *a = &device->class->actuators[i];
        bool commands = false;
        for (uint32_t k = 0; k < a->n_claims; k++)
            commands |= fb_str_eq(a->claims[k]->rule->decl->name, rule->decl->name);
        for (int shadow = 0; commands && shadow < 1 + a->has_shadow; shadow++)
            device->memories[2 * a->index + (uint32_t)shadow]->due = o->c;
    }
}

enum fb_call_outcome ora_reset_fleet(struct ora *o, const struct fb_call *call) {
    struct ora_device *device = NULL;
    const struct ora_rule *rule = find_rule(o, call, &device);
    if (rule == NULL)
        return FB_CALL_NO_FLEET;
    if (device == NULL)
        return FB_CALL_ELSEWHERE;
    struct fb_str domain = ora_domain_of(o, device);
    bool open = false;
    for (size_t i = 0; i < o->n_devices && domain.n > 0; i++) {
        const struct ora_device *one = member(o, i, rule->class, domain);
        if (one != NULL)
            open |= ora_fleet_state(one, rule)->open[0] || ora_fleet_state(one, rule)->open[1];
    }
    if (!open)
        return FB_CALL_NOT_OPEN;
    for (size_t i = 0; i < o->n_devices; i++) {
        struct ora_device *one = member(o, i, rule->class, domain);
        if (one != NULL)
            forget(o, one, rule);
    }
    return FB_CALL_ACCEPTED;
}
