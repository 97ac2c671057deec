/* Looks at devices, cells and values.
 *
 * Place in the flow: see look.h. */
#include "engine/core/look.h"

struct fb_device *fb_look_device(const struct fb_core *core, uint16_t class_index,
                                 struct fb_str id) {
    return fb_devices_find(core->devices, fb_device_hash(class_index, id),
                           &core->plans[class_index], id);
}

int64_t fb_look_clock(const struct fb_core *core) {
    return core->clock_us;
}

int64_t fb_look_time(const struct fb_core *core, const struct fb_device *device) {
    return fb_device_time(device, core->clock_us);
}

const void *fb_look_cell(const struct fb_device *device, uint32_t offset) {
    return (const char *)device + device->plan->block_at + offset;
}

int64_t fb_look_maintenance(const struct fb_device *device) {
    return fb_device_service(device)->until_us;
}

struct fb_value fb_look_field(const struct fb_core *core, const struct fb_device *device,
                              uint32_t field, int64_t *at_us) {
    const struct fb_field *declared = &device->plan->class_->fields[field];
    const struct fb_field_cell *cell = fb_look_cell(device, declared->offset);
    *at_us = cell->ts_us;
    return fb_field_value(declared, cell, core->texts, fb_look_time(core, device));
}

/* As of a timer at D; each look is a moment of its own, so that no memo of another one counts. */
static struct fb_eval begin(struct fb_core *core, struct fb_device *device) {
    struct fb_moment moment = {.device = device,
                               .t_us = fb_look_time(core, device),
                               .silent = true,
                               .cause = {.timer = true}};
    core->moment++;
    return fb_moment_eval(core, &moment);
}

struct fb_value fb_look_run(struct fb_core *core, struct fb_device *device,
                            const struct fb_code *code) {
    struct fb_eval eval = begin(core, device);
    return fb_eval_run(&eval, code);
}

struct fb_value fb_look_window(struct fb_core *core, struct fb_device *device, uint32_t window,
                               uint8_t aggregate, uint16_t needs) {
    struct fb_eval eval = begin(core, device);
    return fb_eval_window(&eval, window, aggregate, needs)->value;
}
