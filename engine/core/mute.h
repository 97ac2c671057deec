/* Shelves and maintenance: which alarms are not annunciated, and until when.
 *
 * Place in the flow: core/call sets them, report.c asks at every change of an alarm, actuator.c
 * whether the device is in maintenance; core.c ends what is over, as a deadline of the device on C.
 * rules/MEANING.md, A40 to A46. */
#ifndef FB_CORE_MUTE_H
#define FB_CORE_MUTE_H

#include "engine/core/moment.h"
#include "engine/model/call.h"

/* Most cores have no such device, and then nothing of it is looked at. */
static inline bool fb_is_in_maintenance(const struct fb_core *core,
                                        const struct fb_device *device) {
    return __builtin_expect(core->called > 0, 0) &&
           fb_device_service(device)->until_us != FB_NO_TIME;
}
/* The earliest end of a shelf of the device, or of its maintenance; FB_NEVER. */
static inline int64_t fb_mute_due(const struct fb_core *core, const struct fb_device *device) {
    return __builtin_expect(core->called > 0, 0) ? fb_device_service(device)->due_us : FB_NEVER;
}
/* Finds that anew: after a change of either. */
void fb_mute_find_due(struct fb_core *core, struct fb_device *device);
/* Ends what is over at now_us, and tells of it. */
void fb_mute_end(struct fb_core *core, const struct fb_moment *moment, int64_t now_us);
/* The alarm has become inactive: a shelf that lasts `once` ends. */
void fb_mute_cleared(struct fb_core *core, const struct fb_moment *moment,
                     const struct fb_rule *rule, struct fb_rule_cell *cell);

/* Whether the cell of an alarm holds what it can hold; of its flags, and its shelf. */
bool fb_mute_is_sound(const struct fb_rule_cell *cell);

/* ack, shelve, unshelve; maintenance, service. The clock is at the call. */
enum fb_call_outcome fb_mute_call_alarm(struct fb_core *core, const struct fb_call *call);
enum fb_call_outcome fb_mute_call_device(struct fb_core *core, const struct fb_call *call);

#endif
