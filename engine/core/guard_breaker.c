/* Guardrail 8, breaker: after too many reversals the actuator keeps what it has, or becomes safe.
 *
 * Place in the flow: see guard.h; fb_guards_accepted counts the reversals and opens it. */
#include "engine/core/guard.h"

enum fb_verdict fb_guard_breaker(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                                 struct fb_request *request, int64_t now_us, int64_t *until_us) {
    fb_guard_close_breaker(actuator, cell, now_us);
    if (cell->breaker_end_us == FB_NO_TIME)
        return FB_VERDICT_PASS;
    *until_us = cell->breaker_end_us;
    if (actuator->breaker_safe) {
        if (request->value == actuator->safe)
            return FB_VERDICT_PASS;
        request->value = actuator->safe;
        return FB_VERDICT_CHANGE;
    }
    const bool no_step = cell->has_accepted && request->value == cell->accepted;
    return no_step || fb_is_towards_safe(actuator, cell, request->value) ? FB_VERDICT_PASS
                                                                         : FB_VERDICT_HOLD;
}
