/* CloudEvents in binary mode: attributes in headers, data as the record's value.
 *
 * Place in the flow: run/task asks before the decoder, of topics whose classes read something below
 * `data`. One owner.
 *
 * Such a record is read as the same event in structured mode, so that one `device` block takes
 * both: an object with the attributes as texts and the value as `data`. */
#ifndef FB_RUN_CLOUDEVENT_H
#define FB_RUN_CLOUDEVENT_H

#include "connectors/connector.h"
#include "engine/run/routes.h"

struct fb_cloudevents;

struct fb_cloudevents *fb_cloudevents_new(void);
void fb_cloudevents_free(struct fb_cloudevents *events);

/* Does a class of the route read a path below `data`? */
bool fb_cloudevents_wanted(const struct fb_program *program, const struct fb_route *route);

/* The event in structured mode; p is NULL where the record is no CloudEvent in binary mode, or its
 * value not one JSON object: then the value stands for itself. A view until the next call. */
struct fb_str fb_cloudevents_whole(struct fb_cloudevents *events, const struct fb_record *record);

#endif
