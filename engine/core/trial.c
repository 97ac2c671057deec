/* Cells filled by hand.
 *
 * Place in the flow: see trial.h. */
#include "engine/core/trial.h"

#include "engine/core/moment.h"
#include "engine/core/relation.h"
#include "engine/core/text.h"

/* The instant of all that is tried: so late that anything may be older. */
#define NOW_US (INT64_C(1) << 52)

struct fb_device *fb_trial_device(struct fb_core *core, uint16_t class_index) {
    struct fb_str id = FB_S("trial");
    struct fb_device *device = fb_devices_register(core->devices, &core->plans[class_index],
                                                   fb_device_hash(class_index, id), id);
    device->watermark_us = device->clock_at_us = device->floor_us = NOW_US;
    core->clock_us = NOW_US;
    return device;
}

void fb_trial_set(struct fb_core *core, struct fb_device *device, uint32_t index,
                  const struct fb_value *value) {
    const struct fb_field_plan *plan = &device->plan->fields[index];
    struct fb_field_cell *cell = fb_device_cell(device, plan);
    bool stale = value->quality == FB_Q_STALE && plan->stale_us > 0;
    cell->quality = value->quality == FB_Q_STALE ? FB_Q_BAD : value->quality;
    cell->ts_us = value->quality == FB_Q_UNKNOWN ? FB_NO_TIME : NOW_US;
    if (stale) {
        cell->quality = FB_Q_GOOD;
        cell->ts_us = NOW_US - plan->stale_us - 1;
    }
    if (value->quality != FB_Q_GOOD)
        return;
    if (plan->is_text)
        cell->text = fb_texts_set(core->texts, cell->text, value->text);
    else if (plan->is_number)
        cell->num = value->num;
    else
        cell->i = value->i;
}

void fb_trial_accept(struct fb_device *device, uint32_t index, const struct fb_value *value) {
    const struct fb_actuator *actuator = &device->plan->class_->actuators[index];
    struct fb_actuator_cell *cell = (void *)(fb_device_block(device) + actuator->offset);
    cell->has_accepted = value->quality == FB_Q_GOOD;
    if (cell->has_accepted)
        cell->accepted = actuator->is_switch ? (double)value->i : value->num;
}

void fb_trial_tell(struct fb_core *core, const struct fb_value *others) {
    if (core->relations)
        core->relations->told = others;
}

struct fb_value fb_trial_run(struct fb_core *core, struct fb_device *device,
                             const struct fb_code *code) {
    struct fb_moment moment = {
        .device = device, .t_us = NOW_US, .silent = true, .cause = {.timer = true}};
    core->moment++;
    struct fb_eval eval = fb_moment_eval(core, &moment);
    return fb_eval_run(&eval, code);
}
