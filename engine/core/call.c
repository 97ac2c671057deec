/* Calls: what each sets, and which actuators are decided for it.
 *
 * Place in the flow: see call.h. */
#include "engine/core/call.h"

#include "engine/base/err.h"
#include "engine/core/fleet.h"
#include "engine/core/follow.h"
#include "engine/core/kill.h"
#include "engine/core/mute.h"
#include "engine/core/timer.h"

/* ---- decided for it ---- */

static struct fb_actuator_cell *cell_of(struct fb_device *device, uint32_t index) {
    return (void *)(fb_device_block(device) + device->plan->class_->actuators[index].offset);
}

/* Has the actuator decided when the clock moves on. */
static void make_due(struct fb_core *core, struct fb_device *device, uint32_t index) {
    struct fb_actuator_cell *cell = cell_of(device, index);
    if (core->clock_us < cell->due_us)
        cell->due_us = core->clock_us;
    if (core->clock_us < device->acting_us)
        device->acting_us = core->clock_us;
}

static bool has_claim_of(const struct fb_core *core, const struct fb_class *class_,
                         const struct fb_actuator *actuator, struct fb_str rule) {
    for (uint32_t i = 0; i < actuator->n_claims; i++) {
        const struct fb_claim *claim = &class_->claims[actuator->claims[i]];
        if (fb_str_eq(core->program->rules[claim->rule].name, rule))
            return true;
    }
    return false;
}

static bool is_concerned(const struct fb_core *core, const struct fb_class *class_,
                         const struct fb_actuator *actuator, const struct fb_call *call) {
    return call->scope == FB_SCOPE_ALL ||
           (call->scope == FB_SCOPE_ACTUATOR && fb_str_eq(actuator->name, call->name)) ||
           (call->scope == FB_SCOPE_RULE && has_claim_of(core, class_, actuator, call->name));
}

/* Those that a kill, or its end, concerns, by index in the class. */
static uint64_t concerned(const struct fb_core *core, const struct fb_class *class_,
                          const struct fb_call *call) {
    uint64_t set = 0;
    for (uint32_t i = 0; i < class_->n_actuators; i++)
        set |= (uint64_t)is_concerned(core, class_, &class_->actuators[i], call) << i;
    return set;
}

static void make_all_due(struct fb_core *core, const struct fb_call *call) {
    const struct fb_class *class_ = NULL;
    uint64_t set = 0;
    for (uint32_t i = 0; i < fb_devices_count(core->devices); i++) {
        struct fb_device *device = fb_devices_at(core->devices, i);
        if (device->plan->class_ != class_) {
            class_ = device->plan->class_;
            set = concerned(core, class_, call);
        }
        if (!set)
            continue;
        fb_core_touch(core, device);
        for (uint64_t bits = set; bits; bits &= bits - 1)
            make_due(core, device, (uint32_t)__builtin_ctzll(bits));
        fb_timers_schedule(core->timers, device);
    }
}

/* ---- kill, unkill ---- */

static bool has_control(const struct fb_program *program, struct fb_str name) {
    for (uint32_t i = 0; i < program->n_rules; i++)
        if ((program->rules[i].sort == FB_SORT_CONTROL || program->rules[i].sort == FB_SORT_MODE) &&
            fb_str_eq(program->rules[i].name, name))
            return true;
    return false;
}

static uint32_t find_actuator(const struct fb_class *class_, struct fb_str name) {
    for (uint32_t i = 0; i < class_->n_actuators; i++)
        if (fb_str_eq(class_->actuators[i].name, name))
            return i; /* the shadow stands behind it */
    return UINT32_MAX;
}

static bool has_actuator(const struct fb_program *program, struct fb_str name) {
    for (uint32_t i = 0; i < program->n_classes; i++)
        if (find_actuator(&program->classes[i], name) != UINT32_MAX)
            return true;
    return false;
}

static enum fb_call_outcome kill(struct fb_core *core, const struct fb_call *call) {
    if (call->scope == FB_SCOPE_RULE && !has_control(core->program, call->name))
        return FB_CALL_NO_RULE;
    if (call->scope == FB_SCOPE_ACTUATOR && !has_actuator(core->program, call->name))
        return FB_CALL_NO_ACTUATOR;
    if (!fb_kill_put(&core->kills, call->scope, call->mode, call->name))
        return FB_CALL_TOO_MANY;
    make_all_due(core, call);
    return FB_CALL_ACCEPTED;
}

/* What is killed may have lost its name in the rules meanwhile. */
static enum fb_call_outcome unkill(struct fb_core *core, const struct fb_call *call) {
    if (!fb_kill_drop(&core->kills, call->scope, call->name))
        return FB_CALL_NOT_KILLED;
    make_all_due(core, call);
    return FB_CALL_ACCEPTED;
}

/* ---- of one actuator ---- */

static bool value_of(const struct fb_actuator *actuator, const struct fb_call *call,
                     double *value) {
    *value = call->number;
    if (!actuator->is_switch)
        return call->is_number && call->number >= actuator->low && call->number <= actuator->high;
    *value = !fb_str_eq(call->word, actuator->words[0]);
    return !call->is_number && fb_str_eq(call->word, actuator->words[*value != 0]);
}

static enum fb_call_outcome hand(const struct fb_core *core, const struct fb_actuator *actuator,
                                 struct fb_actuator_cell *cell, const struct fb_call *call) {
    double value;
    if (!value_of(actuator, call, &value))
        return FB_CALL_BAD_VALUE;
    if (call->until_us <= core->clock_us)
        return FB_CALL_PAST;
    cell->hand = value;
    cell->hand_until_us = call->until_us;
    return FB_CALL_ACCEPTED;
}

static enum fb_call_outcome to_auto(const struct fb_core *core, struct fb_actuator_cell *cell) {
    bool in_hand = cell->hand_until_us != FB_NO_TIME && cell->hand_until_us > core->clock_us;
    if (!in_hand)
        return FB_CALL_NOT_IN_HAND;
    cell->hand = 0;
    cell->hand_until_us = FB_NO_TIME;
    return FB_CALL_ACCEPTED;
}

/* The end of an open breaker is now; the decision that follows closes it, A8.8. */
static bool end_breaker(const struct fb_core *core, struct fb_actuator_cell *cell) {
    if (cell->breaker_end_us == FB_NO_TIME || cell->breaker_end_us <= core->clock_us)
        return false;
    cell->breaker_end_us = core->clock_us;
    return true;
}

static enum fb_call_outcome reset(struct fb_core *core, struct fb_device *device, uint32_t index) {
    const bool was_open = end_breaker(core, cell_of(device, index));
    const bool was_stopped = fb_follow_reset(core, device, index);
    return was_open || was_stopped ? FB_CALL_ACCEPTED : FB_CALL_NOT_OPEN;
}

static enum fb_call_outcome call_one(struct fb_core *core, struct fb_device *device,
                                     uint32_t index, const struct fb_call *call) {
    struct fb_actuator_cell *cell = cell_of(device, index);
    enum fb_call_outcome outcome = FB_CALL_ACCEPTED;
    if (call->kind == FB_CALL_HAND)
        outcome = hand(core, &device->plan->class_->actuators[index], cell, call);
    else if (call->kind == FB_CALL_AUTO)
        outcome = to_auto(core, cell);
    else
        outcome = reset(core, device, index);
    if (outcome == FB_CALL_ACCEPTED)
        make_due(core, device, index);
    return outcome;
}

/* The actuator decides what becomes of the call; its shadow follows, if it can. */
static enum fb_call_outcome call_device(struct fb_core *core, struct fb_device *device,
                                        uint32_t index, const struct fb_call *call) {
    const struct fb_class *class_ = device->plan->class_;
    uint32_t next = index + 1;
    fb_core_touch(core, device);
    enum fb_call_outcome outcome = call_one(core, device, index, call);
    if (next < class_->n_actuators && class_->actuators[next].shadow) {
        enum fb_call_outcome shadow = call_one(core, device, next, call);
        if (call->kind == FB_CALL_RESET && shadow == FB_CALL_ACCEPTED)
            outcome = shadow; /* only the shadow's is open */
    }
    fb_timers_schedule(core->timers, device);
    return outcome;
}

/* The first class, in the order of the program, that has such an actuator and such a device. */
static enum fb_call_outcome call_actuator(struct fb_core *core, const struct fb_call *call) {
    enum fb_call_outcome outcome = FB_CALL_NO_ACTUATOR;
    for (uint32_t i = 0; i < core->program->n_classes; i++) {
        uint32_t index = find_actuator(&core->program->classes[i], call->actuator);
        if (index == UINT32_MAX)
            continue;
        struct fb_device *device =
            fb_devices_find(core->devices, fb_device_hash((uint16_t)i, call->device),
                            &core->plans[i], call->device);
        if (device)
            return call_device(core, device, index, call);
        outcome = FB_CALL_ELSEWHERE;
    }
    return outcome;
}

enum fb_call_outcome fb_core_call(struct fb_core *core, const struct fb_call *call, int64_t c_us) {
    fb_core_advance(core, c_us);
    switch (call->kind) {
    case FB_CALL_KILL: return kill(core, call);
    case FB_CALL_UNKILL: return unkill(core, call);
    case FB_CALL_HAND:
    case FB_CALL_AUTO:
        return call_actuator(core, call);
    case FB_CALL_RESET:
        return call->scope == FB_SCOPE_RULE ? fb_fleet_reset(core, call)
                                            : call_actuator(core, call);
    case FB_CALL_ACK:
    case FB_CALL_SHELVE:
    case FB_CALL_UNSHELVE:
        return fb_mute_call_alarm(core, call);
    case FB_CALL_MAINTENANCE:
    case FB_CALL_SERVICE:
        return fb_mute_call_device(core, call);
    case FB_CALLS: break;
    }
    FB_BUG("a call of no kind");
}

bool fb_core_is_killed(const struct fb_core *core) {
    return core->kills.n > 0;
}
