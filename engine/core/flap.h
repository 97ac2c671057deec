/* Flapping: whether an alarm changes so often that what it does is not told.
 *
 * Place in the flow: 9 of the event's way; alarm.c says each change, report.c asks what is told.
 * Nagios' weights in whole numbers; rules/MEANING.md, A60 to A64. */
#ifndef FB_CORE_FLAP_H
#define FB_CORE_FLAP_H

#include "engine/model/program.h"

static inline struct fb_flap_cell *fb_flap_of(struct fb_rule_cell *cell) {
    return (void *)(cell + 1);
}
static inline const struct fb_flap_cell *fb_flap_in(const struct fb_rule_cell *cell) {
    return (const void *)(cell + 1);
}
static inline bool fb_is_flapping(const struct fb_rule *rule, const struct fb_rule_cell *cell) {
    return rule->flap_slot_us && fb_flap_in(cell)->flapping;
}
/* The alarm, of a rule with slots, has changed at t_us. True: with this it begins to flap. */
bool fb_flap_changed(const struct fb_rule *rule, struct fb_flap_cell *flap, int64_t t_us);
/* When it ends if nothing changes; FB_NEVER: it does not flap. In device time. */
int64_t fb_flap_end(const struct fb_rule *rule, const struct fb_rule_cell *cell);
/* In 1,520ths: of the slots that end with the one that is `later` behind that of the last change.
 */
uint32_t fb_flap_sum(const struct fb_flap_cell *flap, uint32_t later);
bool fb_flap_is_sound(const struct fb_rule *rule, const struct fb_flap_cell *flap);

#endif
