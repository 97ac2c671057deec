/* Guardrail 8, breaker: after too many reversals the actuator keeps what it has, or becomes safe.
 *
 * Place in the flow: see guard.h; fb_guards_accepted counts the reversals and opens it. */
#include "engine/core/guard.h"

#include "engine/base/num.h"

/* Whether a breaker that makes safe would open by this step: equipment is not started only to be
 * stopped at once. */
static bool would_open(const struct fb_actuator *actuator, const struct fb_actuator_cell *cell,
                       const struct fb_request *request, int64_t now_us) {
    if (!actuator->is_switch || !actuator->breaker_safe || actuator->reversals == 0 ||
        request->value == actuator->safe || request->lag_us > request->max_lag_us)
        return false;
    const double base = fb_guard_base(actuator, cell);
    const double direction = request->value - base;
    if (direction == 0 || direction != -cell->direction)
        return false;
    /* The ring has n places: behind the one that this reversal would take stands the oldest of n.
     */
    const uint32_t oldest = (cell->next_reversal + 1) % actuator->reversals;
    const int64_t oldest_us = cell->times[actuator->starts + oldest];
    return oldest_us != FB_NO_TIME && now_us < fb_add_sat(oldest_us, actuator->reversals_us);
}

enum fb_verdict fb_guard_breaker(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                                 struct fb_request *request, int64_t now_us, int64_t *until_us) {
    fb_guard_close_breaker(actuator, cell, now_us);
    if (cell->breaker_end_us == FB_NO_TIME && would_open(actuator, cell, request, now_us))
        cell->breaker_end_us = fb_add_sat(now_us, actuator->breaker_us);
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
