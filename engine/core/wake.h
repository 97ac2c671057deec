/* What a device publishes, and the conditions of others that read it. A32, A36, A38.
 *
 * Place in the flow: 8 of the event's way: rule.c publishes at the end of an evaluation, core.c
 * says what a record changed of links, tags and domains; what reads it comes as timers. */
#ifndef FB_CORE_WAKE_H
#define FB_CORE_WAKE_H

#include "engine/core/moment.h"
#include "engine/core/relation.h"

struct fb_readings;

/* Who reads what, from the programs' code. Set-up only. */
struct fb_readings *fb_readings_new(const struct fb_program *program);
void fb_readings_free(struct fb_readings *readings);

/* A published value of the moment's device was evaluated. */
void fb_publish(struct fb_core *core, const struct fb_moment *moment, uint32_t published,
                struct fb_value value);

/* Before a record that is on time is applied: whether it will change a text that relations or the
 * domain are made of. Keeps the domain as it was. */
bool fb_moves(struct fb_core *core, struct fb_device *device, const struct fb_entry *entry);
/* After it was applied, before anything is evaluated at t_us, where it does: the device leaves
 * buckets and comes into others, and groups that are new begin. */
void fb_move(struct fb_core *core, struct fb_device *device, int64_t t_us);

/* After a change of rules, with all devices in place: groups that the new ones have. */
void fb_groups_begin(struct fb_core *core);

/* A deadline of the device was set from outside its own evaluations: it must be found when it is
 * due. core.c */
void fb_core_woken(struct fb_core *core, struct fb_device *device);
/* D of a device with the clock at c_us, while another one's moment is evaluated. core.c */
int64_t fb_core_time(const struct fb_core *core, const struct fb_device *device, int64_t c_us);
/* A device that no record brought: W and Cw are the present clock. NULL: there are too many.
 * core.c */
struct fb_device *fb_core_begin_device(struct fb_core *core, uint16_t class_index,
                                       struct fb_str id);

#endif
