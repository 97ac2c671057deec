/* Guardrail 4b, discrepancy: what has not followed several commands in a row is commanded no more,
 * but towards safe, until an operator has looked.
 *
 * Place in the flow: see guard.h; core/follow.c counts the failures. */
#include "engine/core/guard.h"

enum fb_verdict fb_guard_discrepancy(const struct fb_actuator *actuator,
                                     struct fb_actuator_cell *cell, struct fb_request *request,
                                     int64_t now_us, int64_t *until_us) {
    (void)now_us, (void)until_us;
    const bool passes = !request->stopped || request->value == actuator->safe ||
                        fb_is_towards_safe(actuator, cell, request->value);
    return passes ? FB_VERDICT_PASS : FB_VERDICT_REFUSE;
}
