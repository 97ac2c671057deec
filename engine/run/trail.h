/* What a live application has put out, read once from its topic: the audit trail, or the alerts and
 * events.
 *
 * Place in the flow: `flyball explain ID --config` -> here -> run/audit_find. Only what is
 * committed; no member of the application's group; writes nothing. */
#ifndef FB_RUN_TRAIL_H
#define FB_RUN_TRAIL_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/codec/encode.h"

struct fb_config;

/* A line is a view until it returns. */
typedef void fb_trail_fn(void *context, struct fb_str line);

/* Gives each record of the stream's topic to fn: of the audit its value, of other streams the whole
 * CloudEvent. Partition after partition, each up to the end that it had when its turn came. False:
 * the topic is not there, must not be read or could not be; err says which and what to do. */
bool fb_trail_read(const struct fb_config *config, enum fb_stream stream, fb_trail_fn *fn,
                   void *context, struct fb_err *err);

#endif
