/* Conditions and what follows from them: alarms and events.
 *
 * Place in the flow: 8 to 9 of the event's way; core.c calls fb_rules_evaluate at every moment. */
#ifndef FB_CORE_RULE_H
#define FB_CORE_RULE_H

#include "engine/core/moment.h"

/* Evaluates the conditions in the set (words as in the class's plan), in order, each rule's change
 * after the last of its conditions. `rules_due` also lists rules of the class (as a function of
 * their deadline) whose own delay is due at the moment. Keeps the deadlines of the device. */
void fb_rules_evaluate(struct fb_core *core, const struct fb_moment *moment,
                       const uint64_t *conditions);

/* After an evaluation of some of an alarm's conditions, or at its `clear after`: at most one alert.
 * Gives the rule's deadline (FB_NEVER: none). alarm.c */
int64_t fb_alarm_change(struct fb_core *core, const struct fb_moment *moment,
                        const struct fb_rule *rule);
/* Sets what a raise counts as from its condition's value (M29). alarm.c */
void fb_alarm_raise(const struct fb_rule *rule, struct fb_condition_cell *cell, uint8_t value);
/* After an evaluation of an event's condition; value: 0 false, 1 true, 2 unknown. event.c */
void fb_event_evaluated(struct fb_core *core, const struct fb_moment *moment,
                        const struct fb_rule *rule, struct fb_condition_cell *cell, uint8_t value);

#endif
