/* What one core consists of: shared by the files of engine/core, invisible outside.
 *
 * Place in the flow: core.c owns it; rule.c, alarm.c, event.c and report.c work on it. */
#ifndef FB_CORE_STATE_H
#define FB_CORE_STATE_H

#include "engine/core/core.h"
#include "engine/core/device.h"
#include "engine/core/eval.h"
#include "engine/core/window.h"

struct fb_core {
    const struct fb_program *program;
    struct fb_core_config config;
    fb_output_fn *sink;
    void *context;
    struct fb_class_plan *plans; /* of each class */
    struct fb_devices *devices;
    struct fb_device *expected; /* of the next record, perhaps; NULL: nothing is expected */
    struct fb_timers *timers;
    struct fb_texts *texts;
    struct fb_value *registers;
    struct fb_value *shown, *slots, *tags; /* as many as the largest rule or class has */
    struct fb_shown_source *sources;       /* of `shown` */
    struct fb_field_cell *kept_cells;      /* fields' cells while a late record stands in */
    uint64_t *late_texts;                  /* text handles for the same */
    int64_t clock_us;                      /* C */
    struct fb_core_stats stats;
    struct fb_window_counts counts;
};

#endif
