/* Outputs: fills what an alert, an event, a command or a late record says and hands it to the sink.
 *
 * Place in the flow: 9 of the event's way, after the decision. */
#ifndef FB_CORE_REPORT_H
#define FB_CORE_REPORT_H

#include "engine/core/moment.h"
#include "engine/model/call.h"

/* The alarm's cell holds what is after the event; call: that brings it about, or NULL. A change of
 * what is shelved or in maintenance is told to the audit only. */
void fb_report_alert(struct fb_core *core, const struct fb_moment *moment,
                     const struct fb_rule *rule, enum fb_alert_event event,
                     const struct fb_call *call);
void fb_report_event(struct fb_core *core, const struct fb_moment *moment,
                     const struct fb_rule *rule, uint64_t withheld);
/* A command or a block: `said` without class, device, cause and what its rule (or none) shows. */
void fb_report_acting(struct fb_core *core, const struct fb_moment *moment,
                      const struct fb_output *said);
/* device may be NULL (a future record of a new device). */
void fb_report_late(struct fb_core *core, const struct fb_entry *entry,
                    const struct fb_device *device, bool future);

#endif
