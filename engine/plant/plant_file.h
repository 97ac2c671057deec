/* What a plant file describes: one device of the rules, the processes behind its fields, how its
 * messages travel. docs/SIMULATE.md is the format's reference.
 *
 * Place in the flow: `simulate` reads one and makes a fleet of it. Plain data; views into the text.
 */
#ifndef FB_PLANT_PLANT_FILE_H
#define FB_PLANT_PLANT_FILE_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/plant/plant.h"

enum { FB_PLANT_PARTS_MAX = 16 };

/* A field whose value a process gives. */
struct fb_plant_process {
    struct fb_str field;
    uint32_t line; /* of the file, for messages */
    struct fb_plant_config config;
    struct fb_plant_acting {    /* of each input of the config */
        struct fb_str actuator; /* empty: none, and then there is no other one */
        uint32_t line;
        unsigned given; /* set of keys */
    } acting[FB_PLANT_INPUTS_MAX];
    bool has_band; /* where the value is to be */
    double band_low, band_high;
    double spread; /* start, outside, effect and time constant differ by up to so much, 0 to 1 */
};

/* A field that shows what an actuator does, or always the same. */
struct fb_plant_field {
    struct fb_str field;
    struct fb_str follows; /* an actuator; empty: `value` */
    struct fb_str value;   /* as written */
    uint32_t line;
};

/* How messages travel. */
struct fb_plant_line {
    uint32_t lost_percent, late_percent;
    int64_t late_us;
};

struct fb_plant_file {
    struct fb_str class_name, id; /* {n} in the id is the number of the plant */
    uint32_t class_line;
    int64_t every_us;
    struct fb_plant_line telemetry, commands;
    struct fb_plant_process processes[FB_PLANT_PARTS_MAX];
    uint32_t n_processes;
    struct fb_plant_field fields[FB_PLANT_PARTS_MAX];
    uint32_t n_fields;
};

/* False: err (FB_FATAL) says where and what is wrong: "NAME:12: ..". The text must outlive the
 * file.
 */
bool fb_plant_file_parse(const char *name, struct fb_str text, struct fb_plant_file *file,
                         struct fb_err *err);

#endif
