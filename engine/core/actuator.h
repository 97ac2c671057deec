/* Actuators: claims, arbitration, the way through the guardrails, commands and their renewal.
 *
 * Place in the flow: 10 to 12 of the event's way; rule.c marks actuators whose claims or conditions
 * changed, core.c has them decided at the end of the evaluation and at their own deadlines.
 * rules/MEANING.md, A1 to A15. */
#ifndef FB_CORE_ACTUATOR_H
#define FB_CORE_ACTUATOR_H

#include "engine/core/moment.h"

/* Decides those of the set (by index in the class), in order, at now_us; sets their deadlines and
 * those of conditions that read what changed. The moment's cause is that of what is put out. */
void fb_actuators_decide(struct fb_core *core, const struct fb_moment *moment, uint64_t set,
                         int64_t now_us);
/* Earliest deadline of the device's actuators and of the steps for them, in C; FB_NEVER. */
int64_t fb_actuators_due(const struct fb_device *device);
/* Those with a deadline at or before c_us. */
uint64_t fb_actuators_due_at(const struct fb_device *device, int64_t c_us);
/* A device has come, with its first record: A2. */
void fb_actuators_begin(struct fb_device *device, int64_t now_us);
/* Has those of the set, all of them, decided at c_us. */
void fb_actuators_make_some_due(struct fb_device *device, uint64_t set, int64_t c_us);
void fb_actuators_make_due(struct fb_device *device, int64_t c_us);
/* All actuators of a class. */
static inline uint64_t fb_actuators_all(const struct fb_class *class_) {
    return class_->n_actuators ? UINT64_MAX >> (64 - class_->n_actuators) : 0;
}

#endif
