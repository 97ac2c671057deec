/* Whether an actuator follows what it is commanded: failures in a row, and what they stop.
 *
 * Place in the flow: 8 of the event's way; rule.c calls it at each evaluation of the condition of
 * a discrepancy, actuator.c asks before the guardrails. rules/MEANING.md, A97 to A99. */
#ifndef FB_CORE_FOLLOW_H
#define FB_CORE_FOLLOW_H

#include "engine/core/moment.h"

/* The condition, of an actuator that failures stop, was evaluated: steps its trial, lowers the
 * evaluation's deadline to the trial's, and marks the actuator where it is stopped by this. */
void fb_follow_evaluated(struct fb_core *core, struct fb_eval *eval, uint32_t condition,
                         uint32_t actuator);
/* Failures in a row; of an actuator that they do not stop: 0. */
uint32_t fb_follow_failures(const struct fb_actuator *actuator,
                            const struct fb_actuator_cell *cell);
bool fb_follow_is_stopped(const struct fb_actuator *actuator, const struct fb_actuator_cell *cell);
/* An operator's reset: what is accepted is tried anew. False: it is not stopped. */
bool fb_follow_reset(struct fb_core *core, struct fb_device *device, uint32_t actuator);
/* As of a new device; whether it holds what it can hold. */
void fb_follow_begin(struct fb_trial_cell *trial);
bool fb_follow_is_sound(const struct fb_trial_cell *trial);

#endif
