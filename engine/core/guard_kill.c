/* Guardrail 0, kill: an operator lets nothing go out any more, or nothing but the step to safe.
 *
 * Place in the flow: see guard.h; core/kill.c knows what is killed. */
#include "engine/core/guard.h"

enum fb_verdict fb_guard_kill(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                              struct fb_request *request, int64_t now_us, int64_t *until_us) {
    (void)now_us, (void)until_us;
    if (request->kill == FB_KILL_NONE)
        return FB_VERDICT_PASS;
    const bool is_safe = cell->has_accepted ? cell->accepted == actuator->safe : cell->seq == 0;
    if (request->kill == FB_KILL_FREEZE || is_safe)
        return FB_VERDICT_REFUSE;
    request->safety = true;
    if (request->value == actuator->safe)
        return FB_VERDICT_PASS;
    request->value = actuator->safe;
    return FB_VERDICT_CHANGE;
}
