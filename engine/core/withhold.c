/* The accepted value goes back, and who reads it is told.
 *
 * Place in the flow: see withhold.h. */
#include "engine/core/withhold.h"

#include "engine/base/err.h"
#include "engine/core/device.h"
#include "engine/core/state.h"
#include "engine/core/timer.h"

/* As of a command that changes it, A13. */
static void wake_readers(const struct fb_core *core, struct fb_device *device, uint32_t actuator) {
    const struct fb_class *class_ = device->plan->class_;
    int64_t at_us = fb_device_time(device, core->clock_us);
    for (uint32_t i = 0; i < class_->n_conditions; i++)
        if (class_->conditions[i].actuators >> actuator & 1 && at_us < device->deadlines[i])
            fb_device_set_deadline(device, i, at_us);
}

static bool is_other(const struct fb_actuator_cell *cell, const struct fb_actuator_before *before) {
    return cell->has_accepted != before->has_accepted || cell->accepted != before->accepted;
}

static void restore(struct fb_actuator_cell *cell, const struct fb_actuator_before *before) {
    cell->accepted = before->accepted;
    cell->direction = before->direction;
    cell->changed_us = before->changed_us;
    cell->sent_us = before->sent_us;
    cell->lease_until_us = before->lease_until_us;
    cell->winner = before->winner;
    cell->has_accepted = before->has_accepted;
    cell->priority = before->priority;
}

void fb_core_withhold(struct fb_core *core, uint16_t class_index, struct fb_str id, uint32_t index,
                      const struct fb_actuator_before *before) {
    struct fb_device *device = fb_devices_find(core->devices, fb_device_hash(class_index, id),
                                               &core->plans[class_index], id);
    FB_ASSERT(device); /* it was commanded in this very batch */
    const struct fb_actuator *actuator = &device->plan->class_->actuators[index];
    struct fb_actuator_cell *cell = (void *)(fb_device_block(device) + actuator->offset);
    fb_core_touch(core, device);
    bool other = is_other(cell, before);
    restore(cell, before);
    if (core->clock_us < cell->due_us)
        cell->due_us = core->clock_us;
    if (core->clock_us < device->acting_us)
        device->acting_us = core->clock_us;
    if (other && !actuator->shadow)
        wake_readers(core, device, index);
    fb_timers_schedule(core->timers, device);
}
