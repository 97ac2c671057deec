/* Guardrail rate: a rule changes what is commanded on a device at most so often.
 *
 * Place in the flow: see guard.h; core/rate.h counts. */
#include "engine/core/guard.h"

enum fb_verdict fb_guard_rate(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                              struct fb_request *request, int64_t now_us, int64_t *until_us) {
    (void)actuator, (void)cell;
    if (now_us >= request->rate_end_us)
        return FB_VERDICT_PASS;
    *until_us = request->rate_end_us;
    return FB_VERDICT_HOLD;
}
