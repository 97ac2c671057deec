/* Guardrail 4, maximum on: what has been active for so long is made inactive.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

#include "engine/base/num.h"

enum fb_verdict fb_guard_maximum(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                                 struct fb_request *request, int64_t now_us, int64_t *until_us) {
    if (!actuator->is_switch || actuator->maximum_on_us == 0 || !cell->has_accepted ||
        cell->accepted != 1)
        return FB_VERDICT_PASS;
    const int64_t end_us = fb_add_sat(cell->changed_us, actuator->maximum_on_us);
    request->safety |= now_us >= end_us;
    if (request->value != 1)
        return FB_VERDICT_PASS;
    if (now_us < end_us) {
        *until_us = end_us;
        return FB_VERDICT_PASS;
    }
    request->value = 0;
    return FB_VERDICT_CHANGE;
}
