/* Guardrail 2, interlock: safe while its condition is true or unknown.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

enum fb_verdict fb_guard_interlock(const struct fb_actuator *actuator,
                                   struct fb_actuator_cell *cell, struct fb_request *request,
                                   int64_t now_us, int64_t *until_us) {
    (void)cell, (void)now_us, (void)until_us;
    if (request->interlock == 0)
        return FB_VERDICT_PASS;
    request->safety = true;
    if (request->value == actuator->safe)
        return FB_VERDICT_PASS;
    request->value = actuator->safe;
    return FB_VERDICT_CHANGE;
}
