/* Guardrail 10, ignore steps under: a small step of a number is left out, unless it is the last one
 * to an end of the range or to safe, or what slew left of a larger one.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

enum fb_verdict fb_guard_ignore(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                                struct fb_request *request, int64_t now_us, int64_t *until_us) {
    (void)now_us, (void)until_us;
    const double value = request->value;
    if (actuator->is_switch || request->slewed || value == actuator->low ||
        value == actuator->high || value == actuator->safe)
        return FB_VERDICT_PASS;
    const double base = fb_guard_base(actuator, cell);
    const double step = value > base ? value - base : base - value;
    return step < actuator->ignore_under ? FB_VERDICT_REFUSE : FB_VERDICT_PASS;
}
