/* Guardrail 6, minimum on and off: each state lasts at least so long, unless safety ends it.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

#include "engine/base/num.h"

enum fb_verdict fb_guard_minimum(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                                 struct fb_request *request, int64_t now_us, int64_t *until_us) {
    (void)request;
    if (!actuator->is_switch)
        return FB_VERDICT_PASS;
    const int64_t minimum_us = actuator->minimum_us[fb_guard_base(actuator, cell) == 1];
    const int64_t end_us = fb_add_sat(cell->changed_us, minimum_us);
    if (now_us >= end_us)
        return FB_VERDICT_PASS;
    *until_us = end_us;
    return FB_VERDICT_HOLD;
}
