/* Guardrail 3, lockout: safe for a while after the interlock has ended.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

enum fb_verdict fb_guard_lockout(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                                 struct fb_request *request, int64_t now_us, int64_t *until_us) {
    if (cell->lockout_end_us == FB_NO_TIME || now_us >= cell->lockout_end_us)
        return FB_VERDICT_PASS;
    *until_us = cell->lockout_end_us;
    request->safety = true;
    if (request->value == actuator->safe)
        return FB_VERDICT_PASS;
    request->value = actuator->safe;
    return FB_VERDICT_CHANGE;
}
