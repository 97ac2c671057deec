/* Guardrail 11, catch_up: what is too far behind the wall clock is not acted upon.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

#include "engine/base/num.h"

/* Asked again when it would let pass, were the wall clock to stand; not more often than this while
 * it goes on. */
enum { LEAST_US = 1000000 };

enum fb_verdict fb_guard_catch_up(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                                  struct fb_request *request, int64_t now_us, int64_t *until_us) {
    (void)actuator, (void)cell;
    if (request->lag_us > request->max_lag_us) {
        int64_t behind_us = request->lag_us - request->max_lag_us;
        *until_us = fb_add_sat(now_us, behind_us > LEAST_US ? behind_us : LEAST_US);
        return FB_VERDICT_HOLD;
    }
    return FB_VERDICT_PASS;
}
