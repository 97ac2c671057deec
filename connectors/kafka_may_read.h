/* Tries, before a run begins, whether topics may be read.
 *
 * Place in the flow: engine/run/topics, once at the start. Whoever may write a topic may look it up
 * too, so that a right to read is missing would else show only when it is read: of the journal when
 * a state has to be rebuilt. (What may be written cannot be tried without writing.) */
#ifndef FB_CONNECTORS_KAFKA_MAY_READ_H
#define FB_CONNECTORS_KAFKA_MAY_READ_H

#include "connectors/kafka_conf.h"

/* False: err names the right that is missing. True also where a broker does not answer in time. All
 * the topics exist. */
bool fb_kafka_may_read(const struct fb_kafka_settings *settings, const char *const *topics,
                       uint32_t n, struct fb_err *err);

#endif
