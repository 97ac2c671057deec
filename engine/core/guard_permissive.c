/* Guardrail 5, permissive: no start, of a number no step, while its condition is false or unknown.
 *
 * Place in the flow: see guard.h. */
#include "engine/core/guard.h"

enum fb_verdict fb_guard_permissive(const struct fb_actuator *actuator,
                                    struct fb_actuator_cell *cell, struct fb_request *request,
                                    int64_t now_us, int64_t *until_us) {
    (void)cell, (void)now_us, (void)until_us;
    const bool starts = !actuator->is_switch || request->value == 1;
    return starts && request->permissive != 1 ? FB_VERDICT_REFUSE : FB_VERDICT_PASS;
}
