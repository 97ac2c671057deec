/* Guardrail 9, slew: a number changes by steps of a largest size, and not too soon after another.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

#include "engine/base/num.h"

enum fb_verdict fb_guard_slew(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                              struct fb_request *request, int64_t now_us, int64_t *until_us) {
    const double base = fb_guard_base(actuator, cell);
    const bool up = request->value > base;
    const double largest = actuator->slew[up];
    if (actuator->is_switch || largest == 0 || request->value == base)
        return FB_VERDICT_PASS;
    const int64_t end_us = fb_add_sat(cell->changed_us, actuator->slew_us[up]);
    if (now_us < end_us) {
        *until_us = end_us;
        return FB_VERDICT_HOLD;
    }
    const double step = up ? request->value - base : base - request->value;
    if (step <= largest)
        return FB_VERDICT_PASS;
    request->value = up ? base + largest : base - largest;
    request->slewed = true;
    *until_us = fb_add_sat(now_us, actuator->slew_us[up]);
    return FB_VERDICT_CHANGE;
}
