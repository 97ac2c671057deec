/* Preparation of a class: layout of its devices, and which conditions and windows a field concerns.
 *
 * Place in the flow: set-up only; the one place of the core that allocates besides device.c,
 * timer.c and text.c. */
#ifndef FB_CORE_PLAN_H
#define FB_CORE_PLAN_H

#include "engine/core/device.h"

void fb_plan_make(struct fb_class_plan *plan, const struct fb_program *program,
                  uint16_t class_index);
void fb_plan_free(struct fb_class_plan *plan);

#endif
