/* Guardrail 7, starts: at most so many within a span of time.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

#include "engine/base/num.h"

enum fb_verdict fb_guard_starts(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                                struct fb_request *request, int64_t now_us, int64_t *until_us) {
    if (!actuator->is_switch || actuator->starts == 0 || request->value != 1)
        return FB_VERDICT_PASS;
    /* The ring has n places, so the next one to be overwritten is the n-th last start. */
    const int64_t nth_last_us = cell->times[cell->next_start];
    if (nth_last_us == FB_NO_TIME)
        return FB_VERDICT_PASS;
    const int64_t end_us = fb_add_sat(nth_last_us, actuator->starts_us);
    if (now_us >= end_us)
        return FB_VERDICT_PASS;
    *until_us = end_us;
    return FB_VERDICT_HOLD;
}
