/* Guardrail 1, range: a number outside the range becomes the end of the range.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

enum fb_verdict fb_guard_range(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                               struct fb_request *request, int64_t now_us, int64_t *until_us) {
    (void)cell, (void)now_us, (void)until_us;
    if (actuator->is_switch ||
        (request->value >= actuator->low && request->value <= actuator->high))
        return FB_VERDICT_PASS;
    request->value = request->value > actuator->high ? actuator->high : actuator->low;
    return FB_VERDICT_CHANGE;
}
