/* The kill switch: which kills are in force.
 *
 * Place in the flow: core/call sets them, core/actuator asks at every decision, core/snapshot
 * writes and reads them before all devices. They outlive every change of rules. */
#ifndef FB_CORE_KILL_H
#define FB_CORE_KILL_H

#include "engine/core/state.h"
#include "engine/model/call.h"

/* What concerns a decision about an actuator that this rule wins (NULL: no rule): SAFE before
 * FREEZE. Most cores have no kill. */
enum fb_kill fb_kill_find(const struct fb_kills *kills, const struct fb_actuator *actuator,
                          const struct fb_rule *winner);
static inline enum fb_kill fb_kill_of(const struct fb_core *core,
                                      const struct fb_actuator *actuator,
                                      const struct fb_rule *winner) {
    if (__builtin_expect(core->kills.n == 0, 1))
        return FB_KILL_NONE;
    return fb_kill_find(&core->kills, actuator, winner);
}

/* In place of the one of the same scope and name, if there is one. False: there are too many. */
bool fb_kill_put(struct fb_kills *kills, enum fb_scope scope, enum fb_kill mode,
                 struct fb_str name);
/* False: there is none. */
bool fb_kill_drop(struct fb_kills *kills, enum fb_scope scope, struct fb_str name);
/* From outside: takes the bytes as they are. False: they are no kills. */
bool fb_kills_read(struct fb_kills *kills, struct fb_str bytes);

#endif
