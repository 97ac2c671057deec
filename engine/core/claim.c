/* The state of controls, views of their claims, and the choice among them.
 *
 * Place in the flow: see claim.h. */
#include "engine/core/claim.h"

#include <string.h>

#include "engine/base/num.h"

static const struct fb_rule_cell *control_cell(const struct fb_device *device,
                                               const struct fb_rule *rule) {
    return (const void *)((const char *)device + device->plan->block_at + rule->offset);
}

static const struct fb_claim_cell *claim_cell(const struct fb_device *device,
                                              const struct fb_claim *claim) {
    return (const void *)((const char *)device + device->plan->block_at + claim->offset);
}

/* ---- controls and their claims ---- */

static enum fb_control_state state_of(const struct fb_rule *rule,
                                      const struct fb_condition_cell *start, uint8_t before) {
    if (!start)
        return FB_CONTROL_ON;
    if (start->value != FB_UNKNOWN)
        return start->value ? FB_CONTROL_ON : FB_CONTROL_OFF;
    if (rule->on_unknown == FB_POLICY_STOP)
        return FB_CONTROL_OFF;
    if (rule->on_unknown == FB_POLICY_SAFE)
        return FB_CONTROL_SAFE;
    if (before != FB_CONTROL_SAFE)
        return (enum fb_control_state)before;
    return start->holds ? FB_CONTROL_ON : FB_CONTROL_OFF;
}

bool fb_claim_is_real(const struct fb_device *device, const struct fb_claim *claim) {
    if (claim->percent >= 100 || claim->percent <= 0)
        return claim->percent > 0;
    struct fb_str id = fb_device_id(device);
    return (double)(fb_checksum64(id.p, id.n) % 10000) / 100 < claim->percent;
}

/* What is asked for while the claim is in force. False: it is not. */
static bool asks(const struct fb_rule *rule, const struct fb_claim_cell *cell, uint8_t state,
                 double safe, struct fb_claim_view *view) {
    view->value = cell->value;
    if (state == FB_CONTROL_ON && cell->known == 1)
        return true;
    if (state == FB_CONTROL_SAFE || rule->on_unknown == FB_POLICY_SAFE) {
        view->value = safe;
        view->safe = true;
        return true;
    }
    return rule->on_unknown != FB_POLICY_STOP && cell->known == 2;
}

/* An end from_us + span_us of the claim; FB_NO_TIME: it has not begun. */
static void ends(struct fb_claim_view *view, int64_t from_us, int64_t span_us) {
    if (from_us == FB_NO_TIME)
        return;
    int64_t at_us = fb_add_sat(from_us, span_us);
    if (at_us < view->ends_us)
        view->ends_us = at_us;
}

/* Its control is on; of a mode, in the state that it stands in. */
static bool is_on(const struct fb_claim *claim, const struct fb_rule_cell *control) {
    return control->severity != FB_CONTROL_OFF &&
           (!claim->of_mode || control->let_through == claim->state);
}

static struct fb_claim_view view_of(const struct fb_device *device, uint32_t index,
                                    int64_t now_us) {
    const struct fb_class_plan *plan = device->plan;
    const struct fb_claim *claim = &plan->class_->claims[index];
    const struct fb_rule *rule = plan->claims[index].rule;
    const struct fb_actuator *actuator = &plan->class_->actuators[claim->actuator];
    const struct fb_rule_cell *control = control_cell(device, rule);
    const struct fb_claim_cell *cell = claim_cell(device, claim);
    struct fb_claim_view view = {.ends_us = FB_NEVER};
    if (!is_on(claim, control) || !asks(rule, cell, control->severity, actuator->safe, &view))
        return (struct fb_claim_view){.ends_us = FB_NEVER};
    if (claim->pulse_us)
        ends(&view, control->since_us, claim->pulse_us);
    ends(&view, control->clear_paused_us, actuator->hold_us);
    ends(&view, cell->unknown_us, actuator->hold_us);
    if (view.ends_us <= now_us)
        return (struct fb_claim_view){.ends_us = FB_NEVER};
    view.in_force = true;
    return view;
}

/* ---- the instants of steps ---- */

static double clamp(const struct fb_claim *claim, double x) {
    return x < claim->low ? claim->low : x > claim->high ? claim->high : x;
}

static struct fb_step_cell *step_cell(const struct fb_device *device,
                                      const struct fb_claim *claim) {
    return (void *)(fb_device_block((struct fb_device *)device) + claim->offset);
}

/* The steps are made at since_us + k * every: the first one behind now. */
static int64_t next_step(const struct fb_claim *claim, int64_t since_us, int64_t now_us) {
    if (since_us == FB_NO_TIME) /* of a spoilt image */
        return FB_NEVER;
    int64_t k = now_us > since_us ? (now_us - since_us) / claim->every_us + 1 : 1;
    int64_t ahead_us;
    return __builtin_mul_overflow(k, claim->every_us, &ahead_us) ? FB_NEVER
                                                                 : fb_add_sat(since_us, ahead_us);
}

bool fb_step_rests(const struct fb_claim *claim, const struct fb_step_cell *cell) {
    double next = clamp(claim, cell->claim.value + cell->by);
    return memcmp(&next, &cell->claim.value, sizeof next) == 0;
}

/* Too early a guess decides nothing. */
static void await_step(struct fb_device *device, const struct fb_claim *claim,
                       const struct fb_step_cell *cell) {
    if (cell->next_us < device->acting_us && !fb_step_rests(claim, cell))
        device->acting_us = cell->next_us;
}

void fb_step_catch_up(const struct fb_device *device, uint32_t index, struct fb_step_cell *cell,
                      int64_t now_us) {
    const struct fb_claim *claim = &device->plan->class_->claims[index];
    if (cell->next_us < now_us)
        cell->next_us =
            next_step(claim, control_cell(device, device->plan->claims[index].rule)->since_us,
                      fb_add_sat(now_us, -1));
}

/* Another amount may move what rested. */
static void set_amount(struct fb_core *core, const struct fb_moment *moment, uint32_t index,
                       double by) {
    struct fb_device *device = moment->device;
    const struct fb_claim *claim = &device->plan->class_->claims[index];
    struct fb_step_cell *cell = step_cell(device, claim);
    if (cell->by == by)
        return;
    fb_step_catch_up(device, index, cell, fb_moment_clock(core, moment));
    cell->by = by;
    await_step(device, claim, cell);
}

/* ---- what is known ---- */

/* Before anything of the control changes at the moment: its claims as they are. */
static void look(struct fb_core *core, const struct fb_moment *moment,
                 const struct fb_rule *rule) {
    if (!core->viewed)
        fb_control_look(core, moment, rule, fb_moment_clock(core, moment));
}

void fb_claim_evaluated(struct fb_core *core, const struct fb_moment *moment, uint32_t index,
                        struct fb_value value) {
    const struct fb_class_plan *plan = moment->device->plan;
    const struct fb_class *class_ = plan->class_;
    const struct fb_claim *claim = &class_->claims[class_->conditions[index].claim];
    struct fb_claim_cell *cell = (void *)(fb_device_block(moment->device) + claim->offset);
    struct fb_claim_cell now = {.value = cell->value, .unknown_us = cell->unknown_us};
    if (value.quality == FB_Q_GOOD) {
        bool is_switch = class_->actuators[claim->actuator].is_switch;
        if (claim->is_step)
            set_amount(core, moment, class_->conditions[index].claim, value.num);
        else
            now.value = is_switch ? (double)value.i : value.num;
        now.unknown_us = FB_NO_TIME;
        now.known = 1;
    } else {
        if (now.unknown_us == FB_NO_TIME)
            now.unknown_us = fb_moment_clock(core, moment);
        now.known = cell->known ? 2 : 0;
    }
    if (now.value == cell->value && now.known == cell->known &&
        now.unknown_us == cell->unknown_us)
        return;
    look(core, moment, plan->conditions[index].rule);
    *cell = now;
}

void fb_acting_evaluated(struct fb_core *core, const struct fb_moment *moment, uint32_t index,
                         uint8_t value) {
    const struct fb_condition_plan *condition = &moment->device->plan->conditions[index];
    if (condition->is_value)
        return;
    struct fb_condition_cell *cell = (void *)((char *)moment->device + condition->cell_at);
    if (cell->value == value)
        return;
    if (condition->rule->sort == FB_SORT_CONTROL)
        look(core, moment, condition->rule);
    if (condition->rule->sort == FB_SORT_MODE)
        core->moved |= UINT64_C(1) << condition->rule->mode;
    core->marked |= condition->marks;
    cell->value = value;
    if (value != FB_UNKNOWN)
        cell->holds = value;
}

/* ---- what follows ---- */

static bool is_same(const struct fb_claim_view *a, const struct fb_claim_view *b) {
    return a->in_force == b->in_force && a->value == b->value && a->ends_us == b->ends_us;
}

/* The actuator that the claim is for, and its shadow. */
static uint64_t actuators_of(const struct fb_device *device, const struct fb_claim *claim) {
    const struct fb_class *class_ = device->plan->class_;
    uint64_t set = fb_claim_is_real(device, claim) ? UINT64_C(1) << claim->actuator : 0;
    uint32_t next = claim->actuator + 1;
    if (next < class_->n_actuators && class_->actuators[next].shadow)
        set |= UINT64_C(1) << next;
    return set;
}

/* ---- steps ---- */

/* What a step starts at: `from`, else what the actuator it is for accepted, else safe. */
static double first_value(struct fb_core *core, const struct fb_moment *moment,
                          const struct fb_claim *claim) {
    const struct fb_device *device = moment->device;
    const struct fb_actuator *actuator = &device->plan->class_->actuators[claim->actuator];
    if (claim->has_from) {
        struct fb_eval eval = fb_moment_eval(core, moment);
        struct fb_value value = fb_eval_run(&eval, &claim->from);
        if (value.quality == FB_Q_GOOD)
            return value.num;
    }
    if (!fb_claim_is_real(device, claim))
        actuator++;
    const struct fb_actuator_cell *cell =
        (const void *)((const char *)device + device->plan->block_at + actuator->offset);
    return cell->has_accepted ? cell->accepted : actuator->safe;
}

/* A control with a step is on, or off, as of now. */
static void follow_step(struct fb_core *core, const struct fb_moment *moment,
                        const struct fb_claim *claim, const struct fb_rule_cell *control,
                        int64_t now_us) {
    struct fb_step_cell *cell = step_cell(moment->device, claim);
    bool on = is_on(claim, control);
    if (on)
        cell->claim.value =
            clamp(claim, cell->begun ? cell->claim.value : first_value(core, moment, claim));
    bool goes = on && control->clear_paused_us == FB_NO_TIME && cell->claim.known == 1;
    if (!goes || !cell->begun)
        cell->next_us = FB_NEVER;
    if (goes && cell->next_us == FB_NEVER)
        cell->next_us = next_step(claim, control->since_us, now_us);
    cell->begun = on;
}

static void follow_steps(struct fb_core *core, const struct fb_moment *moment,
                         const struct fb_rule *rule, int64_t now_us) {
    struct fb_device *device = moment->device;
    const struct fb_claim *claims = device->plan->class_->claims + rule->first_claim;
    for (uint32_t i = 0; i < rule->n_claims; i++) {
        if (!claims[i].is_step)
            continue;
        follow_step(core, moment, &claims[i], control_cell(device, rule), now_us);
        await_step(device, &claims[i], step_cell(device, &claims[i]));
    }
}

int64_t fb_steps_due(const struct fb_device *device) {
    const struct fb_class *class_ = device->plan->class_;
    int64_t due_us = FB_NEVER;
    for (uint32_t i = 0; i < class_->n_claims; i++) {
        const struct fb_claim *claim = &class_->claims[i];
        const struct fb_step_cell *cell = claim->is_step ? step_cell(device, claim) : NULL;
        if (cell && cell->next_us < due_us && !fb_step_rests(claim, cell))
            due_us = cell->next_us;
    }
    return due_us;
}

uint64_t fb_claims_step(struct fb_device *device, int64_t now_us, bool deciding) {
    const struct fb_class *class_ = device->plan->class_;
    uint64_t set = 0;
    if (!deciding && fb_steps_due(device) > now_us)
        return 0;
    for (uint32_t i = 0; i < class_->n_claims; i++) {
        const struct fb_claim *claim = &class_->claims[i];
        struct fb_step_cell *cell = claim->is_step ? step_cell(device, claim) : NULL;
        if (!cell || cell->next_us > now_us)
            continue;
        struct fb_claim_view before = view_of(device, i, now_us);
        cell->claim.value = clamp(claim, cell->claim.value + cell->by);
        cell->next_us =
            next_step(claim, control_cell(device, device->plan->claims[i].rule)->since_us, now_us);
        struct fb_claim_view after = view_of(device, i, now_us);
        if (!is_same(&before, &after))
            set |= actuators_of(device, claim);
    }
    return set;
}

/* Marks the actuators whose claims are other ones than in core->views. */
static void follow(struct fb_core *core, const struct fb_moment *moment, const struct fb_rule *rule,
                   int64_t now_us) {
    struct fb_device *device = moment->device;
    follow_steps(core, moment, rule, now_us);
    for (uint32_t i = 0; i < rule->n_claims; i++) {
        struct fb_claim_view view = view_of(device, rule->first_claim + i, now_us);
        if (!is_same(&view, &core->views[i]))
            core->marked |=
                actuators_of(device, &device->plan->class_->claims[rule->first_claim + i]);
    }
}

void fb_control_change(struct fb_core *core, const struct fb_moment *moment, uint32_t local_rule) {
    struct fb_device *device = moment->device;
    const struct fb_rule_plan *plan = &device->plan->rules[local_rule];
    const struct fb_rule *rule = plan->rule;
    if (rule->sort == FB_SORT_MODE) { /* its ways are looked at after all rules */
        if (core->viewed)
            fb_control_follow(core, moment, rule, fb_moment_clock(core, moment));
        return;
    }
    struct fb_rule_cell *cell = (void *)((char *)device + plan->cell_at);
    const struct fb_condition_cell *start =
        rule->has_start ? (const void *)((const char *)device + plan->condition_at) : NULL;
    enum fb_control_state state = state_of(rule, start, cell->severity);
    if (!core->viewed && state == cell->severity)
        return;
    int64_t now_us = fb_moment_clock(core, moment);
    look(core, moment, rule);
    core->viewed = false;
    if (state == FB_CONTROL_OFF)
        cell->since_us = FB_NO_TIME;
    else if (cell->severity == FB_CONTROL_OFF)
        cell->since_us = now_us;
    cell->severity = (uint8_t)state;
    if (!start || start->value != FB_UNKNOWN)
        cell->clear_paused_us = FB_NO_TIME;
    else if (cell->clear_paused_us == FB_NO_TIME)
        cell->clear_paused_us = now_us;
    follow(core, moment, rule, now_us);
}

void fb_control_look(struct fb_core *core, const struct fb_moment *moment,
                     const struct fb_rule *rule, int64_t now_us) {
    core->viewed = true;
    for (uint32_t i = 0; i < rule->n_claims; i++)
        core->views[i] = view_of(moment->device, rule->first_claim + i, now_us);
}

void fb_control_follow(struct fb_core *core, const struct fb_moment *moment,
                       const struct fb_rule *rule, int64_t now_us) {
    core->viewed = false;
    follow(core, moment, rule, now_us);
}

/* ---- arbitration ---- */

static double distance(double a, double b) {
    return a < b ? b - a : a - b;
}

/* Whether a claim of the same priority, later in the text, wins over the one so far. */
static bool is_better(const struct fb_actuator *actuator, double value, double best) {
    switch (actuator->combine) {
    case FB_COMBINE_NONE: return false;
    case FB_COMBINE_MIN: return value < best;
    case FB_COMBINE_MAX: return value > best;
    case FB_COMBINE_SAFEST:
        return distance(value, actuator->safe) < distance(best, actuator->safe);
    }
    return false;
}

/* Its priority is before those of all rules. */
static void take_hand(const struct fb_actuator_cell *cell, int64_t now_us,
                      struct fb_arbitration *out) {
    if (cell->hand_until_us == FB_NO_TIME || cell->hand_until_us <= now_us)
        return;
    out->entries[out->n_entries++] =
        (struct fb_array_entry){NULL, FB_PRIORITY_HAND, cell->hand};
    out->priority = FB_PRIORITY_HAND;
    out->value = cell->hand;
    out->winner = FB_WINNER_HAND;
    out->ends_us = cell->hand_until_us;
}

void fb_arbitrate(const struct fb_device *device, uint32_t index, int64_t now_us,
                  struct fb_arbitration *out) {
    const struct fb_class_plan *plan = device->plan;
    const struct fb_actuator *actuator = &plan->class_->actuators[index];
    out->value = actuator->fallback;
    out->winner = 0;
    out->rule = NULL;
    out->priority = FB_PRIORITY_NONE;
    out->safe = false;
    out->ends_us = FB_NEVER;
    out->n_entries = 0;
    take_hand((const void *)((const char *)device + plan->block_at + actuator->offset), now_us,
              out);
    for (uint32_t i = 0; i < actuator->n_claims; i++) {
        const struct fb_claim *claim = &plan->class_->claims[actuator->claims[i]];
        if (!actuator->shadow && !fb_claim_is_real(device, claim))
            continue;
        struct fb_claim_view view = view_of(device, actuator->claims[i], now_us);
        if (!view.in_force)
            continue;
        const struct fb_claim_plan *known = &plan->claims[actuator->claims[i]];
        out->entries[out->n_entries++] =
            (struct fb_array_entry){known->rule, claim->priority, view.value};
        if (view.ends_us < out->ends_us)
            out->ends_us = view.ends_us;
        if (claim->priority > out->priority ||
            (claim->priority == out->priority && !is_better(actuator, view.value, out->value)))
            continue;
        out->priority = claim->priority;
        out->value = view.value;
        out->safe = view.safe;
        out->rule = known->rule;
        out->winner = known->winner;
    }
}

const struct fb_rule *fb_winner_rule(const struct fb_class_plan *plan, uint32_t index,
                                     uint64_t winner) {
    const struct fb_actuator *actuator = &plan->class_->actuators[index];
    for (uint32_t i = 0; winner && i < actuator->n_claims; i++)
        if (plan->claims[actuator->claims[i]].winner == winner)
            return plan->claims[actuator->claims[i]].rule;
    return NULL;
}
