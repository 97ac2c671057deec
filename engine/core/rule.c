/* One pass over the conditions of a moment.
 *
 * Place in the flow: see rule.h. */
#include "engine/core/rule.h"

#include "engine/base/err.h"
#include "engine/core/claim.h"
#include "engine/core/follow.h"
#include "engine/core/rest.h"
#include "engine/core/steps.h"
#include "engine/core/wake.h"

/* Whether later ends of its `each` windows bring nothing new: then the condition rests until the
 * device's next record, or another accepted value of an actuator that it reads (rest.h). A record's
 * evaluation may differ from a timer's. */
static inline bool rests(const struct fb_condition_plan *condition, const struct fb_eval *eval,
                         uint8_t value) {
    return eval->timer && eval->deadline_us == FB_NEVER && !eval->restless && condition->may_rest &&
           eval->t_us - eval->device->watermark_us >= condition->unsettled_us &&
           !(condition->whenever && value == FB_TRUE);
}

static uint8_t interpret(struct fb_eval *eval, uint32_t index) {
    struct fb_value result =
        fb_eval_run(eval, &eval->device->plan->class_->conditions[index].code);
    return result.quality == FB_Q_GOOD ? (uint8_t)result.i : FB_UNKNOWN;
}

/* The value of a command is no truth; nor is what other devices read. */
static uint8_t interpret_value(struct fb_core *core, const struct fb_moment *moment,
                               struct fb_eval *eval, uint32_t index) {
    const struct fb_condition *condition = &eval->device->plan->class_->conditions[index];
    struct fb_value value = fb_eval_run(eval, &condition->code);
    if (condition->role == FB_ROLE_PUBLISHED)
        fb_publish(core, moment, condition->published, value);
    else
        fb_claim_evaluated(core, moment, index, value);
    return FB_UNKNOWN;
}

/* acting: the class has actuators or modes, or publishes. A constant where it is called, so that
 * others pay nothing. */
static inline __attribute__((always_inline)) void
evaluate(struct fb_core *core, const struct fb_moment *moment, struct fb_eval *eval,
         uint32_t index, bool acting) {
    struct fb_device *device = moment->device;
    const struct fb_condition_plan *condition = &device->plan->conditions[index];
    struct fb_condition_cell *cell = (void *)((char *)device + condition->cell_at);
    eval->deadline_us = eval->each_us = FB_NEVER;
    eval->restless = false;
    uint8_t value;
    if (acting && condition->is_value)
        value = interpret_value(core, moment, eval, index);
    else
        value = condition->steps ? fb_steps_run(eval, condition->steps, condition->n_steps)
                                 : interpret(eval, index);
    if (acting && condition->follows != FB_NO_INDEX)
        fb_follow_evaluated(core, eval, index, condition->follows);
    if (eval->each_us < eval->deadline_us && !rests(condition, eval, value))
        eval->deadline_us = eval->each_us;
    fb_device_set_deadline(device, index, eval->deadline_us);
    device->resting |= eval->deadline_us == FB_NEVER;
    if (condition->is_alarm)
        fb_alarm_raise(condition->rule, cell, value);
    else if (acting && condition->acts)
        fb_acting_evaluated(core, moment, index, value);
    else if (condition->whenever && value == FB_FALSE)
        cell->value = value;
    else
        fb_event_evaluated(core, moment, condition->rule, cell, value);
}

/* Where an alarm that has one raise, and no delay of its own, is what the raise asks for. */
static inline bool is_settled(const struct fb_rule_plan *rule, const struct fb_device *device) {
    const struct fb_condition_cell *raise =
        (const void *)((const char *)device + rule->condition_at);
    const struct fb_rule_cell *cell = (const void *)((const char *)device + rule->cell_at);
    return cell->severity == (raise->holds ? rule->rule->severities[0] : FB_SEV_NONE) &&
           cell->clear_t0_us == FB_NO_TIME && cell->clear_paused_us == FB_NO_TIME;
}

/* What reads the alarm is looked at by a timer when it is another one for it (A50). */
static int64_t change_alarm(struct fb_core *core, const struct fb_moment *moment,
                            uint32_t local_rule) {
    struct fb_device *device = moment->device;
    const struct fb_rule_plan *rule = &device->plan->rules[local_rule];
    int64_t deadline_us = fb_alarm_change(core, moment, rule->rule);
    struct fb_rule_cell *cell = (void *)((char *)device + rule->cell_at);
    uint8_t before = cell->told;
    cell->told = rule->is_read ? fb_alarm_state(device, local_rule, true) : FB_FALSE;
    if (before == cell->told)
        return deadline_us;
    int64_t now_us = fb_moment_clock(core, moment);
    bool turns = (before == FB_FALSE) != (cell->told == FB_FALSE);
    for (uint32_t i = 0; i < (turns ? rule->n_readers : rule->n_commands); i++)
        fb_rest_tell(core, moment, rule->readers[i], 0, now_us);
    return deadline_us;
}

static inline __attribute__((always_inline)) void change(struct fb_core *core,
                                                         const struct fb_moment *moment,
                                                         uint32_t local_rule, bool acting) {
    const struct fb_class_plan *plan = moment->device->plan;
    const struct fb_rule_plan *rule = &plan->rules[local_rule];
    if (acting && rule->is_control)
        fb_control_change(core, moment, local_rule);
    if (!rule->is_alarm)
        return;
    int64_t deadline_us = FB_NEVER;
    if (!rule->plain || !is_settled(rule, moment->device))
        deadline_us = change_alarm(core, moment, local_rule);
    fb_device_set_deadline(moment->device, plan->class_->n_conditions + local_rule, deadline_us);
}

/* The rules between two places whose own delay is due at a timer's moment. */
static void change_due(struct fb_core *core, const struct fb_moment *moment, uint32_t from,
                       uint32_t to) {
    const struct fb_class *class_ = moment->device->plan->class_;
    for (uint32_t rule = from; rule < to; rule++)
        if (moment->device->deadlines[class_->n_conditions + rule] <= moment->t_us)
            change(core, moment, rule, true);
}

static inline __attribute__((always_inline)) void
evaluate_all(struct fb_core *core, const struct fb_moment *moment, const uint64_t *conditions,
             bool acting) {
    const struct fb_class_plan *plan = moment->device->plan;
    bool timer = moment->cause.timer;
    uint32_t next_rule = 0, current = UINT32_MAX;
    core->moment++;
    struct fb_eval eval = fb_moment_eval(core, moment);
    for (uint32_t word = 0; word < plan->condition_words; word++) {
        for (uint64_t bits = conditions[word]; bits; bits &= bits - 1) {
            uint32_t index = word * 64 + (uint32_t)__builtin_ctzll(bits);
            uint32_t rule = plan->conditions[index].local_rule;
            if (rule != current) {
                if (current != UINT32_MAX)
                    change(core, moment, current, acting);
                current = rule;
                if (timer)
                    change_due(core, moment, next_rule, current);
                next_rule = current + 1;
            }
            core->stats.evaluations++;
            evaluate(core, moment, &eval, index, acting);
        }
    }
    if (current != UINT32_MAX)
        change(core, moment, current, acting);
    if (timer)
        change_due(core, moment, next_rule, plan->class_->n_rules);
}

void fb_rules_evaluate(struct fb_core *core, const struct fb_moment *moment,
                       const uint64_t *conditions) {
    if (__builtin_expect(moment->device->plan->acting, 0))
        evaluate_all(core, moment, conditions, true);
    else
        evaluate_all(core, moment, conditions, false);
}
