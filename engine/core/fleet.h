/* On how many devices of a domain a rule acts at a time: counted, and stopped. A90 to A94.
 *
 * Place in the flow: 11 of the event's way: core/actuator.c has it count where a rule with `fleet`
 * would act, guard_fleet.c says what becomes of that; core/call.c resets. The counts are made from
 * the cells of the domain's devices, which core/relation.h finds. */
#ifndef FB_CORE_FLEET_H
#define FB_CORE_FLEET_H

#include "engine/core/guard.h"
#include "engine/core/state.h"

/* The device has come, at C. */
void fb_fleets_begin(struct fb_device *device, int64_t clock_us);
/* What it is now to act on the device too. As many steps as the domain has devices, unless its own
 * breaker is open. */
struct fb_fleet_view fb_fleet_look(const struct fb_device *device, const struct fb_fleet *fleet,
                                   bool shadow, int64_t now_us);
/* The rule has acted on the device. */
void fb_fleet_acted(struct fb_device *device, const struct fb_fleet *fleet, bool shadow,
                    int64_t now_us);
/* Opens the breaker in the device's domain. */
void fb_fleet_open(struct fb_core *core, struct fb_device *device, const struct fb_fleet *fleet,
                   bool shadow, int64_t now_us);
/* The call `reset` of a rule: has the actuators that it commands decided when the clock moves on.
 */
enum fb_call_outcome fb_fleet_reset(struct fb_core *core, const struct fb_call *call);

#endif
