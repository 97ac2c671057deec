/* Walks over the devices of a domain.
 *
 * Place in the flow: see fleet.h. */
#include "engine/core/fleet.h"

#include "engine/base/num.h"
#include "engine/base/planted.h"
#include "engine/core/actuator.h"
#include "engine/core/relation.h"
#include "engine/core/timer.h"

static struct fb_fleet_cell *cell_of(const struct fb_device *device, const struct fb_fleet *fleet) {
    return (void *)(fb_device_block((struct fb_device *)(uintptr_t)device) + fleet->offset);
}

static int side_of(bool shadow) {
    return shadow ? FB_FLEET_SHADOW : FB_FLEET_ARMED;
}

/* NULL: it is in no domain. */
static const struct fb_bucket *members_of(const struct fb_device *device,
                                          const struct fb_fleet *fleet) {
    return fb_relations_place(device->plan->relations, device, fleet->relation);
}

void fb_fleets_begin(struct fb_device *device, int64_t clock_us) {
    const struct fb_class *class_ = device->plan->class_;
    for (uint32_t i = 0; i < class_->n_fleets; i++)
        cell_of(device, &class_->fleets[i])->began_us = clock_us;
}

/* ---- counting ---- */

static uint32_t budget_of(const struct fb_fleet *fleet, uint32_t live) {
    double whole = fleet->percent * live / 100;
    return whole < 1 ? 1 : (uint32_t)whole;
}

struct fb_fleet_view fb_fleet_look(const struct fb_device *device, const struct fb_fleet *fleet,
                                   bool shadow, int64_t now_us) {
    const struct fb_relations *relations = device->plan->relations;
    const struct fb_bucket *bucket = members_of(device, fleet);
    const int side = side_of(shadow);
    const int64_t from_us = fb_add_sat(now_us, -fleet->per_us);
    struct fb_fleet_view view = {.nowhere = !bucket,
                                 .opened_us = cell_of(device, fleet)->opened_us[side],
                                 .acted = 1,
                                 .per_us = fleet->per_us};
    int64_t began_us = now_us;
    for (uint32_t i = 0; bucket && view.opened_us == FB_NO_TIME && i < bucket->n; i++) {
        const struct fb_device *member = fb_devices_at(relations->devices, bucket->members[i]);
        const struct fb_fleet_cell *cell = cell_of(member, fleet);
        view.members++;
        view.live += member->clock_at_us >= from_us;
        view.acted += member != device && cell->acted_us[side] > from_us;
        view.opened_us = cell->opened_us[side];
        if (cell->began_us < began_us)
            began_us = cell->began_us;
    }
    view.open = view.opened_us != FB_NO_TIME &&
                !(FB_PLANTED(FLEET_FORGIVES) && now_us - view.opened_us >= fleet->per_us);
    view.budget = budget_of(fleet, view.live);
    view.settled = began_us <= from_us && view.live >= view.members - view.live;
    return view;
}

/* ---- what it does ---- */

void fb_fleet_acted(struct fb_device *device, const struct fb_fleet *fleet, bool shadow,
                    int64_t now_us) {
    cell_of(device, fleet)->acted_us[side_of(shadow)] = now_us;
}

void fb_fleet_open(struct fb_core *core, struct fb_device *device, const struct fb_fleet *fleet,
                   bool shadow, int64_t now_us) {
    const struct fb_bucket *bucket = members_of(device, fleet);
    for (uint32_t i = 0; i < bucket->n; i++) {
        struct fb_device *member = fb_devices_at(core->devices, bucket->members[i]);
        if (!FB_PLANTED(FLEET_UNTOUCHED))
            fb_core_touch(core, member);
        cell_of(member, fleet)->opened_us[side_of(shadow)] = now_us;
    }
}

/* ---- reset ---- */

static bool is_open(const struct fb_fleet_cell *cell) {
    return cell->opened_us[FB_FLEET_ARMED] != FB_NO_TIME ||
           cell->opened_us[FB_FLEET_SHADOW] != FB_NO_TIME;
}

static uint64_t commanded_by(const struct fb_class *class_, const struct fb_rule *rule) {
    uint64_t set = 0;
    for (uint32_t i = 0; i < rule->n_claims; i++) {
        uint32_t actuator = class_->claims[rule->first_claim + i].actuator;
        set |= UINT64_C(1) << actuator;
        if (actuator + 1 < class_->n_actuators && class_->actuators[actuator + 1].shadow)
            set |= UINT64_C(1) << (actuator + 1);
    }
    return set;
}

/* Those that the rule commands, by each of the controls that are one rule, and their shadows. */
static uint64_t commanded(const struct fb_program *program, const struct fb_class *class_,
                          const struct fb_fleet *fleet) {
    uint64_t set = 0;
    for (uint32_t i = 0; i < class_->n_rules; i++)
        if (program->rules[class_->rules[i]].fleet == fleet)
            set |= commanded_by(class_, &program->rules[class_->rules[i]]);
    return set;
}

static void reset_member(struct fb_core *core, struct fb_device *device,
                         const struct fb_fleet *fleet, uint64_t actuators) {
    struct fb_fleet_cell *cell = cell_of(device, fleet);
    fb_core_touch(core, device);
    for (int side = 0; side < FB_FLEET_SIDES; side++)
        cell->acted_us[side] = cell->opened_us[side] = FB_NO_TIME;
    fb_actuators_make_some_due(device, actuators, core->clock_us);
    fb_timers_schedule(core->timers, device);
}

static enum fb_call_outcome reset(struct fb_core *core, const struct fb_device *device,
                                  const struct fb_rule *rule) {
    const struct fb_bucket *bucket = members_of(device, rule->fleet);
    bool open = false;
    for (uint32_t i = 0; bucket && i < bucket->n; i++)
        open |= is_open(cell_of(fb_devices_at(core->devices, bucket->members[i]), rule->fleet));
    if (!open)
        return FB_CALL_NOT_OPEN;
    for (uint32_t i = 0; i < bucket->n; i++)
        reset_member(core, fb_devices_at(core->devices, bucket->members[i]), rule->fleet,
                     commanded(core->program, device->plan->class_, rule->fleet));
    return FB_CALL_ACCEPTED;
}

/* A rule may command devices of several classes, as one of its name for each. */
enum fb_call_outcome fb_fleet_reset(struct fb_core *core, const struct fb_call *call) {
    enum fb_call_outcome outcome = FB_CALL_NO_FLEET;
    for (uint32_t i = 0; i < core->program->n_rules; i++) {
        const struct fb_rule *rule = &core->program->rules[i];
        if (!rule->fleet || !fb_str_eq(rule->name, call->name))
            continue;
        const struct fb_device *device =
            fb_devices_find(core->devices, fb_device_hash(rule->class_index, call->device),
                            &core->plans[rule->class_index], call->device);
        if (device)
            return reset(core, device, rule);
        outcome = FB_CALL_ELSEWHERE;
    }
    return outcome;
}
