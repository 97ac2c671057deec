/* An operator's call: done between two records.
 *
 * Place in the flow: run hands one to each core, in the order of the calls; what it sets is seen by
 * every decision behind it. rules/MEANING.md, A16 to A18 and A40 to A46. */
#ifndef FB_CORE_CALL_H
#define FB_CORE_CALL_H

#include "engine/core/core.h"
#include "engine/model/call.h"

/* With the clock at c_us (moved first, as by fb_core_advance). Actuators that it
 * concerns are decided when the clock moves on; what it says of alarms is told at once. */
enum fb_call_outcome fb_core_call(struct fb_core *core, const struct fb_call *call, int64_t c_us);
/* Whether any kill is in force. */
bool fb_core_is_killed(const struct fb_core *core);

#endif
