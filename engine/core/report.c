/* The values that a rule shows, computed at the instant of the decision.
 *
 * Place in the flow: see report.h. */
#include "engine/core/report.h"

#include "engine/core/flap.h"
#include "engine/core/hops.h"
#include "engine/core/mute.h"

static struct fb_value field_at(struct fb_core *core, const struct fb_moment *moment,
                                uint16_t index) {
    const struct fb_field *field = &moment->device->plan->class_->fields[index];
    const struct fb_field_cell *cell =
        (const void *)(fb_device_block(moment->device) + field->offset);
    return fb_field_value(field, cell, core->texts, moment->t_us);
}

/* What reads an actuator has a deadline after it changed (A13), not far off: where one of the rule
 * is so near, it may not have been evaluated since. */
enum { NEAR_US = 1000000 };

static bool have_seen(const struct fb_moment *moment, const struct fb_rule *rule,
                      uint32_t actuator) {
    const struct fb_device *device = moment->device;
    const struct fb_class *class_ = device->plan->class_;
    for (uint32_t i = 0; i < rule->n_conditions; i++)
        if (class_->conditions[rule->first_condition + i].actuators >> actuator & 1 &&
            device->deadlines[rule->first_condition + i] <= fb_add_sat(moment->t_us, NEAR_US))
            return false;
    return true;
}

static struct fb_shown_source actuator_source(const struct fb_moment *moment,
                                              const struct fb_rule *rule, uint32_t actuator) {
    const struct fb_actuator_cell *cell =
        (const void *)(fb_device_block(moment->device) +
                       moment->device->plan->class_->actuators[actuator].offset);
    bool is_known = cell->has_accepted && have_seen(moment, rule, actuator);
    return (struct fb_shown_source){.at_us = is_known ? cell->changed_us : FB_NO_TIME};
}

/* Of the rule's own mode it is the state that claims; of another one as of an actuator. */
static struct fb_shown_source mode_source(const struct fb_moment *moment,
                                          const struct fb_rule *rule, uint32_t mode) {
    const struct fb_device *device = moment->device;
    const struct fb_class *class_ = device->plan->class_;
    const struct fb_rule_cell *cell =
        (const void *)(fb_device_block(moment->device) + class_->modes[mode].offset);
    bool is_own = rule->sort == FB_SORT_MODE && rule->mode == mode;
    bool is_known = cell->since_us != FB_NO_TIME;
    for (uint32_t i = 0; i < rule->n_conditions && !is_own; i++)
        if (class_->conditions[rule->first_condition + i].modes >> mode & 1 &&
            device->deadlines[rule->first_condition + i] <= fb_add_sat(moment->t_us, NEAR_US))
            is_known = false;
    return (struct fb_shown_source){.at_us = is_known ? cell->since_us : FB_NO_TIME};
}

/* What is read of others wakes the conditions that read it, at once: where one of the rule waits
 * for that, it has not seen it. */
static struct fb_shown_source others_source(const struct fb_moment *moment,
                                            const struct fb_rule *rule) {
    for (uint32_t i = 0; i < rule->n_conditions; i++)
        if (moment->device->deadlines[rule->first_condition + i] <= moment->t_us)
            return (struct fb_shown_source){.at_us = FB_NO_TIME};
    return (struct fb_shown_source){.at_us = moment->t_us};
}

static struct fb_shown_source source_of(const struct fb_moment *moment, const struct fb_rule *rule,
                                        const struct fb_shown *shown) {
    if (shown->is_actuator)
        return actuator_source(moment, rule, shown->actuator);
    if (shown->is_mode)
        return mode_source(moment, rule, shown->mode);
    if (shown->is_others)
        return others_source(moment, rule);
    if (!shown->is_field)
        return (struct fb_shown_source){.at_us = FB_NO_TIME};
    const struct fb_field *field = &moment->device->plan->class_->fields[shown->field];
    const struct fb_field_cell *cell =
        (const void *)(fb_device_block(moment->device) + field->offset);
    return (struct fb_shown_source){.at_us = cell->ts_us,
                                    .carried = moment->carried &&
                                               fb_field_set_has(moment->carried, shown->field)};
}

/* A let is good or unknown: the quality of what it is computed from is not its own. */
static struct fb_value let_value(struct fb_eval *eval, const struct fb_code *code) {
    struct fb_value value = fb_eval_run(eval, code);
    if (value.quality != FB_Q_GOOD)
        value.quality = FB_Q_UNKNOWN;
    return value;
}

static void show(struct fb_core *core, const struct fb_moment *moment, struct fb_eval *eval,
                 const struct fb_rule *rule, struct fb_value *values,
                 struct fb_shown_source *sources) {
    for (uint32_t i = 0; i < rule->n_shown; i++) {
        const struct fb_shown *shown = &rule->shown[i];
        values[i] =
            shown->is_field ? field_at(core, moment, shown->field) : let_value(eval, &shown->code);
        sources[i] = source_of(moment, rule, shown);
    }
}

static struct fb_output report(struct fb_core *core, const struct fb_moment *moment,
                               const struct fb_rule *rule) {
    const struct fb_class_plan *plan = moment->device->plan;
    struct fb_eval eval = fb_moment_eval(core, moment);
    show(core, moment, &eval, rule, core->shown, core->sources);
    for (uint32_t i = 0; i < rule->n_slots; i++)
        core->slots[i] = fb_eval_run(&eval, &rule->slots[i].code);
    for (uint32_t i = 0; i < plan->class_->n_tags; i++)
        core->tags[i] = field_at(core, moment, plan->class_->tags[i]);
    return (struct fb_output){
        .rule = rule,
        .class_index = plan->class_index,
        .device = fb_device_id(moment->device),
        .cause = moment->cause,
        .at_us = moment->t_us,
        .shown = core->shown,
        .sources = core->sources,
        .slots = core->slots,
        .tags = core->tags,
    };
}

/* The last one, where it is not active. */
static enum fb_severity severity_of(const struct fb_rule *rule, const struct fb_rule_cell *cell) {
    if (cell->severity != FB_SEV_NONE)
        return (enum fb_severity)cell->severity;
    enum fb_severity last = (enum fb_severity)(cell->flags >> FB_ALARM_SEVERITY_SHIFT);
    return last != FB_SEV_NONE ? last : rule->severities[0];
}

static bool is_annunciation(enum fb_alert_event event) {
    return event == FB_ALERT_RAISED || event == FB_ALERT_CLEARED || event == FB_ALERT_SEVERITY;
}

static void put_flags(struct fb_core *core, const struct fb_moment *moment,
                      const struct fb_rule *rule, const struct fb_rule_cell *cell,
                      struct fb_output *output) {
    bool maintenance = fb_is_in_maintenance(core, moment->device);
    output->active = cell->severity != FB_SEV_NONE;
    output->acked = cell->flags & FB_ALARM_ACKED;
    output->shelved = cell->flags & FB_ALARM_SHELVED;
    output->once = cell->flags & FB_ALARM_ONCE;
    output->flapping = fb_is_flapping(rule, cell);
    output->flap_end_us = fb_flap_end(rule, cell);
    output->suppressed = maintenance || output->flapping;
    output->shelf_until_us = output->shelved ? cell->shelf_until_us : FB_NO_TIME;
    output->maintenance_until_us =
        maintenance ? fb_device_service(moment->device)->until_us : FB_NO_TIME;
}

/* Tells what concerns a device, with the hops that it carries. */
static void tell(const struct fb_core *core, const struct fb_moment *moment,
                 struct fb_output *output) {
    if (fb_device_service(moment->device)->hops) /* else the clock need not be found */
        output->hop = fb_hops_of(moment->device, fb_moment_clock(core, moment));
    output->hop++;
    core->sink(core->context, output);
}

void fb_report_alert(struct fb_core *core, const struct fb_moment *moment,
                     const struct fb_rule *rule, enum fb_alert_event event,
                     const struct fb_call *call) {
    struct fb_output output = report(core, moment, rule);
    struct fb_rule_cell *cell = (void *)(fb_device_block(moment->device) + rule->offset);
    output.event = event;
    output.severity = severity_of(rule, cell);
    output.since_us = cell->since_us;
    output.shelf_until_us = output.maintenance_until_us = FB_NO_TIME;
    output.acked = cell->flags & FB_ALARM_ACKED;
    if (event != FB_ALERT_REMOVED)
        put_flags(core, moment, rule, cell, &output);
    if (call) {
        output.who = call->who;
        output.because = call->reason;
    }
    bool muted = is_annunciation(event) && (output.shelved || output.suppressed);
    output.kind = muted ? FB_OUT_MUTED : FB_OUT_ALERT;
    if (!muted) {
        cell->flags &= ~(uint32_t)FB_ALARM_TOLD;
        cell->flags |= output.maintenance_until_us != FB_NO_TIME ? FB_ALARM_TOLD : 0;
        core->stats.alerts++;
    }
    tell(core, moment, &output);
}

void fb_report_event(struct fb_core *core, const struct fb_moment *moment,
                     const struct fb_rule *rule, uint64_t withheld) {
    struct fb_output output = report(core, moment, rule);
    output.kind = FB_OUT_EVENT;
    output.withheld = withheld;
    core->stats.events++;
    tell(core, moment, &output);
}

void fb_report_acting(struct fb_core *core, const struct fb_moment *moment,
                      const struct fb_output *said) {
    struct fb_output output = *said;
    output.class_index = moment->device->plan->class_index;
    output.device = fb_device_id(moment->device);
    output.cause = moment->cause;
    if (said->rule) {
        struct fb_output shows = report(core, moment, said->rule);
        output.shown = shows.shown;
        output.sources = shows.sources;
        output.slots = shows.slots;
        output.tags = shows.tags;
    }
    const struct fb_rule *own = &core->program->rules[said->actuator->rule];
    if (own->n_shown) {
        struct fb_eval eval = fb_moment_eval(core, moment);
        show(core, moment, &eval, own, core->own_shown, core->own_sources);
        output.own_shown = core->own_shown;
        output.own_sources = core->own_sources;
    }
    core->stats.commands += said->kind == FB_OUT_COMMAND && !said->actuator->shadow;
    tell(core, moment, &output);
}

void fb_report_late(struct fb_core *core, const struct fb_entry *entry,
                    const struct fb_device *device, bool future) {
    struct fb_output output = {
        .kind = FB_OUT_LATE,
        .class_index = entry->class_index,
        .device = entry->device,
        .cause = {.origin = entry->origin},
        .at_us = entry->ts_us,
        .future = future,
        .hop = (uint8_t)(entry->origin.hops + 1),
        .watermark_us = device ? device->watermark_us : FB_NO_TIME,
        .raw = entry->raw,
    };
    core->sink(core->context, &output);
}
