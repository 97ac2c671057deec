/* One pass over the conditions of a moment.
 *
 * Place in the flow: see rule.h. */
#include "engine/core/rule.h"

#include "engine/base/err.h"

static void set_deadline(struct fb_device *device, uint32_t i, int64_t at_us) {
    device->deadlines[i] = at_us;
    if (at_us < device->deadline_us)
        device->deadline_us = at_us;
}

/* Whether later ends of its `each` windows bring nothing new: then the condition rests until the
 * device's next record (core.c wakes it). A record's evaluation may differ from a timer's. */
static bool rests(const struct fb_moment *moment, const struct fb_rule *rule, uint32_t index,
                  const struct fb_eval *eval, uint8_t value) {
    return moment->cause.timer && eval->deadline_us == FB_NEVER && !eval->restless &&
           moment->device->plan->may_rest[index] && !(rule->whenever && value == 1);
}

static void evaluate(struct fb_core *core, const struct fb_moment *moment, uint32_t index) {
    struct fb_device *device = moment->device;
    const struct fb_condition *condition = &device->plan->class_->conditions[index];
    const struct fb_rule *rule = &core->program->rules[condition->rule];
    struct fb_condition_cell *cell = (void *)(fb_device_block(device) + condition->offset);
    struct fb_eval eval = fb_moment_eval(core, moment);
    struct fb_value result = fb_eval_run(&eval, &condition->code);
    uint8_t value = result.quality == FB_Q_GOOD ? (uint8_t)result.i : 2;
    core->stats.evaluations++;
    if (eval.each_us < eval.deadline_us && !rests(moment, rule, index, &eval, value))
        eval.deadline_us = eval.each_us;
    set_deadline(device, index, eval.deadline_us);
    device->resting |= eval.deadline_us == FB_NEVER;
    if (rule->sort == FB_SORT_ALARM)
        fb_alarm_raise(rule, cell, value);
    else
        fb_event_evaluated(core, moment, rule, cell, value);
}

static void change(struct fb_core *core, const struct fb_moment *moment, uint32_t local_rule) {
    const struct fb_class_plan *plan = moment->device->plan;
    const struct fb_rule *rule = &core->program->rules[plan->class_->rules[local_rule]];
    if (rule->sort == FB_SORT_ALARM)
        set_deadline(moment->device, plan->class_->n_conditions + local_rule,
                     fb_alarm_change(core, moment, rule));
}

/* The rules between two places whose own delay is due at a timer's moment. */
static void change_due(struct fb_core *core, const struct fb_moment *moment, uint32_t from,
                       uint32_t to) {
    const struct fb_class *class_ = moment->device->plan->class_;
    for (uint32_t rule = from; rule < to; rule++)
        if (moment->device->deadlines[class_->n_conditions + rule] <= moment->t_us)
            change(core, moment, rule);
}

void fb_rules_evaluate(struct fb_core *core, const struct fb_moment *moment,
                       const uint64_t *conditions) {
    const struct fb_class_plan *plan = moment->device->plan;
    bool timer = moment->cause.timer;
    uint32_t next_rule = 0, current = UINT32_MAX;
    core->moment++;
    for (uint32_t word = 0; word < plan->condition_words; word++) {
        for (uint64_t bits = conditions[word]; bits; bits &= bits - 1) {
            uint32_t index = word * 64 + (uint32_t)__builtin_ctzll(bits);
            if (plan->rule_of[index] != current) {
                if (current != UINT32_MAX)
                    change(core, moment, current);
                current = plan->rule_of[index];
                if (timer)
                    change_due(core, moment, next_rule, current);
                next_rule = current + 1;
            }
            evaluate(core, moment, index);
        }
    }
    if (current != UINT32_MAX)
        change(core, moment, current);
    if (timer)
        change_due(core, moment, next_rule, plan->class_->n_rules);
}
