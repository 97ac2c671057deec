/* A command that was decided and is not told to anybody.
 *
 * Place in the flow: 12 of the event's way; run/unsent finds at the end of a batch which commands
 * have expired. rules/MEANING.md, A70 to A72. */
#ifndef FB_CORE_WITHHOLD_H
#define FB_CORE_WITHHOLD_H

#include "engine/core/core.h"

/* The actuator (by its index in the class) is again as it was before the command. Puts nothing out:
 * it is decided when the clock moves on. */
void fb_core_withhold(struct fb_core *core, uint16_t class_index, struct fb_str device,
                      uint32_t actuator, const struct fb_actuator_before *before);

#endif
