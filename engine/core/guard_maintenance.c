/* Guardrail maintenance: somebody works on the device, which nothing moves but towards safe.
 *
 * Place in the flow: see guard.h; core/mute.c knows which devices are in maintenance. */
#include "engine/core/guard.h"

enum fb_verdict fb_guard_maintenance(const struct fb_actuator *actuator,
                                     struct fb_actuator_cell *cell, struct fb_request *request,
                                     int64_t now_us, int64_t *until_us) {
    (void)now_us, (void)until_us;
    if (!request->maintenance || fb_is_towards_safe(actuator, cell, request->value))
        return FB_VERDICT_PASS;
    return FB_VERDICT_REFUSE;
}
