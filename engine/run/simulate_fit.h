/* What the names of a plant file mean in the rules.
 *
 * Place in the flow: the first thing a simulation does. */
#ifndef FB_RUN_SIMULATE_FIT_H
#define FB_RUN_SIMULATE_FIT_H

#include "engine/base/err.h"
#include "engine/model/entry.h"
#include "engine/model/program.h"
#include "engine/plant/plant_file.h"

#define FB_NO_ACTUATOR UINT32_MAX

/* Where a sample comes from. */
struct fb_fit_sample {
    uint16_t field; /* of the class */
    enum { FB_FIT_KEY, FB_FIT_PROCESS, FB_FIT_ACTUATOR, FB_FIT_CONSTANT } from;
    uint32_t index; /* of the process, or the actuator in the class */
    struct fb_sample constant;
};

struct fb_fit {
    const struct fb_class *class_;
    uint16_t class_index;
    struct fb_fit_sample samples[2 * FB_PLANT_PARTS_MAX + 1]; /* in the order of the fields */
    uint16_t n_samples;
    /* Of each input of each process; FB_NO_ACTUATOR: none. */
    uint32_t actuators[FB_PLANT_PARTS_MAX][FB_PLANT_INPUTS_MAX];
};

/* False: err says which line of the file names what the rules do not have. */
bool fb_fit_make(const struct fb_program *program, const struct fb_plant_file *file,
                 const char *file_name, struct fb_fit *fit, struct fb_err *err);

#endif
