/* One trial at a time: from a change of the accepted value until the equipment agrees, or does not.
 *
 * Place in the flow: see follow.h. The condition is `c for d`; what c is stands in the delay's
 * cell. */
#include "engine/core/follow.h"

#include "engine/base/err.h"
#include "engine/core/shapes.h"

static struct fb_actuator_cell *cell_of(struct fb_device *device, uint32_t actuator) {
    return (void *)(fb_device_block(device) + device->plan->class_->actuators[actuator].offset);
}

uint32_t fb_follow_failures(const struct fb_actuator *actuator,
                            const struct fb_actuator_cell *cell) {
    const struct fb_trial_cell *trial =
        (const void *)(cell->times + actuator->starts + actuator->reversals);
    return actuator->failures ? trial->failures : 0;
}

bool fb_follow_is_stopped(const struct fb_actuator *actuator, const struct fb_actuator_cell *cell) {
    return actuator->failures && fb_follow_failures(actuator, cell) >= actuator->failures;
}

void fb_follow_begin(struct fb_trial_cell *trial) {
    *trial = (struct fb_trial_cell){.t0_us = FB_NO_TIME, .paused_us = FB_NO_TIME};
}

bool fb_follow_is_sound(const struct fb_trial_cell *trial) {
    return fb_num_finite(trial->seen) && fb_time_is_sound(trial->t0_us) &&
           fb_time_is_sound(trial->paused_us) && trial->has_seen <= 1 &&
           trial->failures <= FB_FAILURES_MAX && trial->state <= FB_TRIAL_GOES_ON &&
           (trial->state == FB_TRIAL_GOES_ON) == (trial->t0_us != FB_NO_TIME) &&
           (trial->t0_us != FB_NO_TIME || trial->paused_us == FB_NO_TIME);
}

/* Whether the accepted value is another one than at the evaluation before. */
static bool look(struct fb_trial_cell *trial, const struct fb_actuator_cell *cell) {
    const bool changed = cell->has_accepted && !(trial->has_seen && trial->seen == cell->accepted);
    trial->seen = cell->has_accepted ? cell->accepted : 0;
    trial->has_seen = cell->has_accepted;
    return changed;
}

/* d of `c for d`, and c as the delay saw it; a d that is not known makes c unknown. */
static uint8_t differs(const struct fb_eval *eval, uint32_t condition, int64_t *d_us) {
    const struct fb_class *class_ = eval->device->plan->class_;
    const struct fb_code *code = &class_->conditions[condition].code;
    const struct fb_instr *in = &class_->code[code->first + code->count - 1];
    FB_ASSERT(in->op == FB_I_FOR || in->op == FB_I_FOR_CONST);
    const struct fb_for_cell *delay = (const void *)(fb_device_block(eval->device) + in->imm);
    if (in->op == FB_I_FOR_CONST)
        *d_us = class_->ints[in->b];
    else if (!fb_duration_us(eval->registers[in->b], d_us))
        return FB_UNKNOWN;
    if (delay->t0_us == FB_NO_TIME)
        return delay->value;
    return delay->paused_us == FB_NO_TIME ? FB_TRUE : FB_UNKNOWN;
}

static void end(struct fb_trial_cell *trial) {
    trial->state = FB_TRIAL_NONE;
    trial->t0_us = trial->paused_us = FB_NO_TIME;
}

static void step(struct fb_trial_cell *trial, bool changed, uint8_t c, int64_t d_us, int64_t t_us,
                 int64_t *deadline_us) {
    if (changed && trial->state == FB_TRIAL_NONE)
        trial->state = FB_TRIAL_AWAITED;
    if (trial->state == FB_TRIAL_AWAITED && c != FB_UNKNOWN)
        trial->state = c == FB_TRUE ? FB_TRIAL_GOES_ON : FB_TRIAL_NONE;
    if (trial->state != FB_TRIAL_GOES_ON)
        return;
    const uint8_t over =
        fb_delay(&trial->t0_us, &trial->paused_us, c, true, d_us, t_us, deadline_us);
    if (over == FB_TRUE)
        trial->failures++;
    else if (c == FB_FALSE && !changed)
        trial->failures = 0;
    if (over == FB_TRUE || c == FB_FALSE)
        end(trial);
}

void fb_follow_evaluated(struct fb_core *core, struct fb_eval *eval, uint32_t condition,
                         uint32_t actuator) {
    const struct fb_actuator *what = &eval->device->plan->class_->actuators[actuator];
    struct fb_actuator_cell *cell = cell_of(eval->device, actuator);
    struct fb_trial_cell *trial = fb_actuator_trial(what, cell);
    int64_t d_us = 0;
    const uint8_t c = differs(eval, condition, &d_us);
    const bool changed = look(trial, cell);
    if (fb_follow_is_stopped(what, cell)) {
        end(trial); /* with fewer failures than before, by other rules */
        return;
    }
    step(trial, changed, c, d_us, eval->t_us, &eval->deadline_us);
    if (fb_follow_is_stopped(what, cell))
        core->marked |= UINT64_C(1) << actuator;
}

bool fb_follow_reset(struct fb_core *core, struct fb_device *device, uint32_t actuator) {
    const struct fb_actuator *what = &device->plan->class_->actuators[actuator];
    struct fb_actuator_cell *cell = cell_of(device, actuator);
    if (!fb_follow_is_stopped(what, cell))
        return false;
    struct fb_trial_cell *trial = fb_actuator_trial(what, cell);
    end(trial);
    trial->failures = 0;
    trial->state = cell->has_accepted ? FB_TRIAL_AWAITED : FB_TRIAL_NONE;
    const int64_t t_us = fb_device_time(device, core->clock_us);
    if (t_us < device->deadlines[what->feedback])
        fb_device_set_deadline(device, what->feedback, t_us);
    return true;
}
