/* Guardrail commands: all rules together change what is commanded at most so often.
 *
 * Place in the flow: see guard.h; core/rate.h counts. */
#include "engine/core/guard.h"

#include "engine/base/num.h"

/* Where thousands wait for the next place, they must not all be asked for each place that comes. */
enum { LEAST_US = 1000000, PARTS = 10 };

enum fb_verdict fb_guard_commands(const struct fb_actuator *actuator, struct fb_actuator_cell *cell,
                                  struct fb_request *request, int64_t now_us, int64_t *until_us) {
    (void)actuator, (void)cell;
    if (now_us >= request->commands_end_us)
        return FB_VERDICT_PASS;
    const int64_t part_us = request->commands_per_us / PARTS;
    const int64_t least_us = fb_add_sat(now_us, part_us > LEAST_US ? part_us : LEAST_US);
    *until_us = request->commands_end_us > least_us ? request->commands_end_us : least_us;
    return FB_VERDICT_HOLD;
}
