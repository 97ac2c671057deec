/* Events: one record a rise, or one each time an input takes a value, and no more than allowed.
 *
 * Place in the flow: 9 of the event's way; called by rule.c. rules/MEANING.md, M32 and M33. */
#include "engine/core/report.h"
#include "engine/core/rule.h"

/* Whether the moment is one at which an input of `whenever` takes a new value. */
static bool takes_value(const struct fb_moment *moment, const struct fb_rule *rule) {
    if (moment->good)
        return fb_field_sets_meet(moment->good, &rule->whenever_reads);
    if (!moment->cause.timer)
        return false;
    const struct fb_class *class_ = moment->device->plan->class_;
    struct fb_window_instant instant = {.t_us = moment->t_us, .timer = true};
    for (uint32_t i = 0; i < rule->n_whenever_each; i++) {
        const struct fb_window *window = &class_->windows[rule->whenever_each[i]];
        const char *cell = fb_device_block(moment->device) + window->offset;
        int64_t end_us = fb_window_completed(window, cell, instant);
        if (end_us != FB_NO_TIME && end_us + window->late_us == moment->t_us)
            return true;
    }
    return false;
}

static bool let_through(struct fb_core *core, const struct fb_moment *moment,
                        const struct fb_rule *rule, struct fb_rule_cell *cell) {
    if (!rule->at_most)
        return true;
    struct fb_eval eval = fb_moment_eval(core, moment);
    int64_t d_us = INT64_MAX;
    (void)fb_duration_us(fb_eval_run(&eval, &rule->at_most_per), &d_us);
    if (cell->since_us == FB_NO_TIME || moment->t_us - cell->since_us >= d_us) {
        cell->since_us = moment->t_us;
        cell->let_through = 0;
    }
    if (cell->let_through == rule->at_most) {
        cell->withheld++;
        return false;
    }
    cell->let_through++;
    return true;
}

void fb_event_evaluated(struct fb_core *core, const struct fb_moment *moment,
                        const struct fb_rule *rule, struct fb_condition_cell *cell,
                        uint8_t value) {
    bool fires;
    if (rule->whenever)
        fires = value == 1 && takes_value(moment, rule);
    else
        fires = value == 1 && !cell->value;
    if (value != 2)
        cell->value = value;
    if (!fires)
        return;
    struct fb_rule_cell *state = (void *)(fb_device_block(moment->device) + rule->offset);
    if (!let_through(core, moment, rule, state))
        return;
    fb_report_event(core, moment, rule, state->withheld);
    state->withheld = 0;
}
