/* Acknowledging, shelving, maintenance: what each sets and tells, and how it ends.
 *
 * Place in the flow: see mute.h. */
#include "engine/core/mute.h"

#include "engine/base/num.h"
#include "engine/core/actuator.h"
#include "engine/core/flap.h"
#include "engine/core/report.h"
#include "engine/core/shapes.h"
#include "engine/core/timer.h"

static struct fb_rule_cell *cell_of(struct fb_device *device, const struct fb_rule *rule) {
    return (void *)(fb_device_block(device) + rule->offset);
}

static bool is_active(const struct fb_rule_cell *cell) {
    return cell->severity != FB_SEV_NONE;
}

/* ---- ends ---- */

void fb_mute_find_due(struct fb_core *core, struct fb_device *device) {
    const struct fb_class_plan *plan = device->plan;
    struct fb_service *service = fb_device_service(device);
    int64_t due_us = service->until_us == FB_NO_TIME ? FB_NEVER : service->until_us;
    for (uint32_t i = 0; i < plan->class_->n_rules; i++) {
        if (!plan->rules[i].is_alarm)
            continue;
        const struct fb_rule_cell *cell = cell_of(device, plan->rules[i].rule);
        if (cell->flags & FB_ALARM_SHELVED && cell->shelf_until_us < due_us)
            due_us = cell->shelf_until_us;
    }
    core->called += due_us != FB_NEVER;
    core->called -= service->due_us != FB_NEVER;
    service->due_us = due_us;
    if (due_us < device->acting_us)
        device->acting_us = due_us; /* it may be too early: then nothing is found to be over */
}

static void end_shelf(struct fb_core *core, const struct fb_moment *moment,
                      const struct fb_rule *rule, struct fb_rule_cell *cell,
                      const struct fb_call *call) {
    cell->flags &= ~(uint32_t)(FB_ALARM_SHELVED | FB_ALARM_ONCE);
    cell->shelf_until_us = 0;
    fb_report_alert(core, moment, rule, FB_ALERT_UNSHELVED, call);
}

void fb_mute_cleared(struct fb_core *core, const struct fb_moment *moment,
                     const struct fb_rule *rule, struct fb_rule_cell *cell) {
    if (!(cell->flags & FB_ALARM_ONCE))
        return;
    end_shelf(core, moment, rule, cell, NULL);
    fb_mute_find_due(core, moment->device);
}

static void end_maintenance(struct fb_core *core, const struct fb_moment *moment, int64_t now_us,
                            const struct fb_call *call) {
    struct fb_device *device = moment->device;
    const struct fb_class_plan *plan = device->plan;
    fb_device_service(device)->until_us = FB_NO_TIME;
    for (uint32_t i = 0; i < plan->class_->n_rules; i++) {
        const struct fb_rule *rule = plan->rules[i].rule;
        struct fb_rule_cell *cell = cell_of(device, rule);
        if (!plan->rules[i].is_alarm)
            continue;
        bool flaps = fb_is_flapping(rule, cell); /* then it is suppressed still */
        if (flaps || is_active(cell) || cell->flags & FB_ALARM_TOLD)
            fb_report_alert(core, moment, rule, flaps ? FB_ALERT_SUPPRESSED : FB_ALERT_UNSUPPRESSED,
                            call);
    }
    fb_actuators_make_due(device, now_us);
}

void fb_mute_end(struct fb_core *core, const struct fb_moment *moment, int64_t now_us) {
    struct fb_device *device = moment->device;
    const struct fb_class_plan *plan = device->plan;
    const struct fb_service *service = fb_device_service(device);
    if (fb_mute_due(core, device) > now_us)
        return;
    struct fb_moment end = *moment;
    end.cause.deadline_us = now_us; /* on C, so that no two ends have one cause */
    if (service->until_us != FB_NO_TIME && service->until_us <= now_us)
        end_maintenance(core, &end, now_us, NULL);
    for (uint32_t i = 0; i < plan->class_->n_rules; i++) {
        struct fb_rule_cell *cell = cell_of(device, plan->rules[i].rule);
        if (plan->rules[i].is_alarm && cell->flags & FB_ALARM_SHELVED &&
            cell->shelf_until_us <= now_us)
            end_shelf(core, &end, plan->rules[i].rule, cell, NULL);
    }
    fb_mute_find_due(core, device);
}

bool fb_mute_is_sound(const struct fb_rule_cell *cell) {
    uint32_t severity = cell->flags >> FB_ALARM_SEVERITY_SHIFT;
    uint32_t flags = cell->flags & ((1u << FB_ALARM_SEVERITY_SHIFT) - 1);
    bool shelved = flags & FB_ALARM_SHELVED;
    return severity <= FB_CRITICAL && flags <= FB_ALARM_FLAGS &&
           (shelved || !(flags & FB_ALARM_ONCE)) &&
           (shelved ? cell->shelf_until_us != FB_NO_TIME && fb_time_is_sound(cell->shelf_until_us)
                    : cell->shelf_until_us == 0) &&
           (flags == 0 || cell->since_us != FB_NO_TIME);
}

/* ---- calls ---- */

/* A call is between two records: nothing is carried. */
static struct fb_moment begin(struct fb_core *core, struct fb_device *device,
                              const struct fb_call *call) {
    fb_core_touch(core, device);
    core->moment++;
    return (struct fb_moment){.device = device,
                              .t_us = fb_device_time(device, core->clock_us),
                              .silent = true,
                              .cause = {.origin = call->origin}};
}

static enum fb_call_outcome ack(struct fb_core *core, const struct fb_moment *moment,
                                const struct fb_rule *rule, const struct fb_call *call) {
    struct fb_rule_cell *cell = cell_of(moment->device, rule);
    bool acked = cell->flags & FB_ALARM_ACKED;
    if (!is_active(cell) && (acked || cell->since_us == FB_NO_TIME))
        return FB_CALL_NOT_ACTIVE;
    if (acked)
        return FB_CALL_ACKED;
    cell->flags |= FB_ALARM_ACKED;
    fb_report_alert(core, moment, rule, FB_ALERT_ACKED, call);
    return FB_CALL_ACCEPTED;
}

static enum fb_call_outcome shelve(struct fb_core *core, const struct fb_moment *moment,
                                   const struct fb_rule *rule, const struct fb_call *call) {
    struct fb_rule_cell *cell = cell_of(moment->device, rule);
    if (!is_active(cell) && (call->once || !(cell->flags & FB_ALARM_SHELVED)))
        return FB_CALL_NOT_ACTIVE;
    if (call->until_us <= core->clock_us)
        return FB_CALL_PAST;
    if (call->until_us > fb_add_sat(core->clock_us, FB_SHELF_MAX_US))
        return FB_CALL_TOO_LONG;
    cell->flags &= ~(uint32_t)FB_ALARM_ONCE;
    cell->flags |= FB_ALARM_SHELVED | (call->once ? FB_ALARM_ONCE : 0);
    cell->shelf_until_us = call->until_us;
    fb_report_alert(core, moment, rule, FB_ALERT_SHELVED, call);
    return FB_CALL_ACCEPTED;
}

static enum fb_call_outcome unshelve(struct fb_core *core, const struct fb_moment *moment,
                                     const struct fb_rule *rule, const struct fb_call *call) {
    struct fb_rule_cell *cell = cell_of(moment->device, rule);
    if (!(cell->flags & FB_ALARM_SHELVED))
        return FB_CALL_NOT_SHELVED;
    end_shelf(core, moment, rule, cell, call);
    return FB_CALL_ACCEPTED;
}

static const struct fb_rule *find_alarm(const struct fb_program *program, struct fb_str name) {
    for (uint32_t i = 0; i < program->n_rules; i++)
        if (program->rules[i].sort == FB_SORT_ALARM && fb_str_eq(program->rules[i].name, name))
            return &program->rules[i];
    return NULL;
}

static struct fb_device *find_device(const struct fb_core *core, uint16_t class_index,
                                     struct fb_str id) {
    return fb_devices_find(core->devices, fb_device_hash(class_index, id),
                           &core->plans[class_index], id);
}

enum fb_call_outcome fb_mute_call_alarm(struct fb_core *core, const struct fb_call *call) {
    const struct fb_rule *rule = find_alarm(core->program, call->alarm);
    struct fb_device *device = rule ? find_device(core, rule->class_index, call->device) : NULL;
    if (!device)
        return rule ? FB_CALL_ELSEWHERE : FB_CALL_NO_ALARM;
    struct fb_moment moment = begin(core, device, call);
    enum fb_call_outcome outcome = call->kind == FB_CALL_ACK ? ack(core, &moment, rule, call)
                                   : call->kind == FB_CALL_SHELVE
                                       ? shelve(core, &moment, rule, call)
                                       : unshelve(core, &moment, rule, call);
    fb_mute_find_due(core, device);
    fb_timers_schedule(core->timers, device);
    return outcome;
}

static enum fb_call_outcome begin_maintenance(struct fb_core *core, const struct fb_moment *moment,
                                              const struct fb_call *call) {
    struct fb_device *device = moment->device;
    const struct fb_class_plan *plan = device->plan;
    if (call->until_us <= core->clock_us)
        return FB_CALL_PAST;
    fb_device_service(device)->until_us = call->until_us;
    fb_mute_find_due(core, device);
    for (uint32_t i = 0; i < plan->class_->n_rules; i++) {
        const struct fb_rule *rule = plan->rules[i].rule;
        const struct fb_rule_cell *cell = cell_of(device, rule);
        if (plan->rules[i].is_alarm &&
            (is_active(cell) || cell->flags & FB_ALARM_SHELVED || fb_is_flapping(rule, cell)))
            fb_report_alert(core, moment, rule, FB_ALERT_SUPPRESSED, call);
    }
    fb_actuators_make_due(device, core->clock_us);
    return FB_CALL_ACCEPTED;
}

static enum fb_call_outcome serve(struct fb_core *core, const struct fb_moment *moment,
                                  const struct fb_call *call) {
    if (!fb_is_in_maintenance(core, moment->device))
        return FB_CALL_NOT_IN_MAINTENANCE;
    end_maintenance(core, moment, core->clock_us, call);
    return FB_CALL_ACCEPTED;
}

/* The one device of the id, in the class that the call names, else in whatever class. */
static enum fb_call_outcome look_for(const struct fb_core *core, const struct fb_call *call,
                                     struct fb_device **found) {
    bool any = call->class_.n == 0;
    for (uint32_t i = 0; i < core->program->n_classes; i++) {
        if (call->class_.n && !fb_str_eq(core->program->classes[i].name, call->class_))
            continue;
        any = true;
        struct fb_device *device = find_device(core, (uint16_t)i, call->device);
        if (device && *found)
            return FB_CALL_AMBIGUOUS;
        if (device)
            *found = device;
    }
    return *found ? FB_CALL_ACCEPTED : any ? FB_CALL_ELSEWHERE : FB_CALL_NO_CLASS;
}

enum fb_call_outcome fb_mute_call_device(struct fb_core *core, const struct fb_call *call) {
    struct fb_device *device = NULL;
    enum fb_call_outcome outcome = look_for(core, call, &device);
    if (outcome != FB_CALL_ACCEPTED)
        return outcome;
    struct fb_moment moment = begin(core, device, call);
    outcome = call->kind == FB_CALL_MAINTENANCE ? begin_maintenance(core, &moment, call)
                                                : serve(core, &moment, call);
    fb_mute_find_due(core, device);
    fb_timers_schedule(core->timers, device);
    return outcome;
}
