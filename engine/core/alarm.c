/* The life of an alarm: raises that hold, the highest severity, the off-delay.
 *
 * Place in the flow: 9 of the event's way; called by rule.c. ISA-18.2's active and return to
 * normal; rules/MEANING.md, M29 to M31. */
#include "engine/core/flap.h"
#include "engine/core/mute.h"
#include "engine/core/report.h"
#include "engine/core/rule.h"

enum { FALSE_ = 0, TRUE_ = 1, UNKNOWN_ = 2 };

void fb_alarm_raise(const struct fb_rule *rule, struct fb_condition_cell *cell, uint8_t value) {
    cell->value = value;
    if (value != UNKNOWN_)
        cell->holds = value;
    else if (rule->on_unknown != FB_POLICY_HOLD)
        cell->holds = rule->on_unknown == FB_POLICY_RAISE;
}

/* The highest severity of a raise that holds; *open: none does, but one is unknown and on hold. */
static enum fb_severity highest(const struct fb_moment *moment, const struct fb_rule *rule,
                                bool *open) {
    const struct fb_class *class_ = moment->device->plan->class_;
    const char *block = fb_device_block(moment->device);
    enum fb_severity severity = FB_SEV_NONE;
    bool unknown = false;
    for (uint32_t i = 0; i < rule->n_conditions; i++) {
        const struct fb_condition_cell *cell =
            (const void *)(block + class_->conditions[rule->first_condition + i].offset);
        if (cell->holds && rule->severities[i] > severity)
            severity = rule->severities[i];
        unknown |= cell->value == UNKNOWN_;
    }
    *open = severity == FB_SEV_NONE && unknown && rule->on_unknown == FB_POLICY_HOLD;
    return severity;
}

/* Whether the off-delay is over (no delay: at once). */
static bool quiet_for_long(struct fb_core *core, const struct fb_moment *moment,
                           const struct fb_rule *rule, struct fb_rule_cell *cell, bool open,
                           int64_t *deadline_us) {
    if (!rule->has_clear_after)
        return true;
    struct fb_eval eval = fb_moment_eval(core, moment);
    int64_t d_us = 0;
    bool d_known = fb_duration_us(fb_eval_run(&eval, &rule->clear_after), &d_us);
    return fb_delay(&cell->clear_t0_us, &cell->clear_paused_us, open ? UNKNOWN_ : TRUE_, d_known,
                    d_us, moment->t_us, deadline_us) == TRUE_;
}

uint8_t fb_alarm_state(const struct fb_device *device, uint32_t local, bool held) {
    const struct fb_rule_plan *alarm = &device->plan->rules[local];
    const struct fb_rule_cell *cell = (const void *)((const char *)device + alarm->cell_at);
    if (cell->severity == FB_SEV_NONE)
        return FALSE_;
    if (!held || alarm->rule->on_unknown != FB_POLICY_HOLD)
        return TRUE_;
    for (uint32_t i = 0; i < alarm->rule->n_conditions; i++)
        if (fb_device_truth(device, alarm->rule->first_condition + i) != UNKNOWN_)
            return TRUE_;
    return UNKNOWN_;
}

/* What changed; it may be the change with which the alarm begins to flap. */
static void tell(struct fb_core *core, const struct fb_moment *moment, const struct fb_rule *rule,
                 struct fb_rule_cell *cell, enum fb_alert_event event) {
    bool begins = rule->flap_slot_us && fb_flap_changed(rule, fb_flap_of(cell), moment->t_us);
    fb_report_alert(core, moment, rule, event, NULL);
    if (begins && !fb_is_in_maintenance(core, moment->device))
        fb_report_alert(core, moment, rule, FB_ALERT_SUPPRESSED, NULL);
}

/* At its own deadline it flaps no more, unless the alarm has changed just now (A62). Gives when. */
static int64_t end_flapping(struct fb_core *core, const struct fb_moment *moment,
                            const struct fb_rule *rule, struct fb_rule_cell *cell) {
    int64_t end_us = fb_flap_end(rule, cell);
    if (!moment->cause.timer || moment->t_us < end_us)
        return end_us;
    fb_flap_of(cell)->flapping = 0;
    if (!fb_is_in_maintenance(core, moment->device))
        fb_report_alert(core, moment, rule, FB_ALERT_UNSUPPRESSED, NULL);
    return FB_NEVER;
}

int64_t fb_alarm_change(struct fb_core *core, const struct fb_moment *moment,
                        const struct fb_rule *rule) {
    struct fb_rule_cell *cell = (void *)(fb_device_block(moment->device) + rule->offset);
    int64_t deadline_us = FB_NEVER;
    bool open = false;
    enum fb_severity severity = highest(moment, rule, &open), before = cell->severity;
    if (severity != FB_SEV_NONE) {
        cell->clear_t0_us = cell->clear_paused_us = FB_NO_TIME;
        cell->severity = (uint8_t)severity;
        if (before == FB_SEV_NONE)
            cell->since_us = moment->t_us;
        if (before < severity) /* it is worse than what was acknowledged */
            cell->flags &= ~(uint32_t)FB_ALARM_ACKED;
        if (before != severity)
            tell(core, moment, rule, cell,
                 before == FB_SEV_NONE ? FB_ALERT_RAISED : FB_ALERT_SEVERITY);
    } else if (before != FB_SEV_NONE &&
               quiet_for_long(core, moment, rule, cell, open, &deadline_us)) {
        cell->clear_t0_us = cell->clear_paused_us = FB_NO_TIME;
        cell->severity = FB_SEV_NONE;
        cell->flags &= FB_ALARM_FLAGS;
        cell->flags |= (uint32_t)before << FB_ALARM_SEVERITY_SHIFT;
        tell(core, moment, rule, cell, FB_ALERT_CLEARED);
        fb_mute_cleared(core, moment, rule, cell);
    }
    if (fb_is_flapping(rule, cell)) {
        int64_t end_us = end_flapping(core, moment, rule, cell);
        return end_us < deadline_us ? end_us : deadline_us;
    }
    return deadline_us;
}
