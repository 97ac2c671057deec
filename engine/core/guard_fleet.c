/* Guardrail 12, fleet: a rule acts on so many devices of a domain at a time, and no more.
 *
 * Place in the flow: see guard.h; core/fleet.c counts, and opens the breaker. */
#include "engine/core/guard.h"

#include "engine/base/num.h"

#define AGAIN_US INT64_C(1000000)

bool fb_fleet_is_exceeded(const struct fb_fleet_view *view) {
    return !view->nowhere && !view->open && view->acted > view->budget;
}

enum fb_verdict fb_guard_fleet(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                               struct fb_request *request, int64_t now_us, int64_t *until_us) {
    (void)actuator, (void)cell;
    const struct fb_fleet_view *view = request->fleet;
    if (view && (view->nowhere || view->open))
        return FB_VERDICT_REFUSE;
    if (!view || !fb_fleet_is_exceeded(view))
        return FB_VERDICT_PASS;
    if (view->settled)
        return FB_VERDICT_REFUSE;
    *until_us = fb_add_sat(now_us, view->per_us / 10 > AGAIN_US ? view->per_us / 10 : AGAIN_US);
    return FB_VERDICT_HOLD;
}
