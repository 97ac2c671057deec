/* Reads again what is in topics: the journal, the snapshots and the inputs of a state that is
 * rebuilt. No member of any group, and only committed records.
 *
 * Place in the flow: Kafka -> here -> run/restore. One owner and one thread each, with its readers,
 * of which there may be several at once, but only one of a partition. */
#ifndef FB_CONNECTORS_KAFKA_HISTORY_H
#define FB_CONNECTORS_KAFKA_HISTORY_H

#include "connectors/connector.h"
#include "connectors/kafka_conf.h"

#include <stdatomic.h>

/* Both must outlive the history. `stop` ends waiting for the broker: what waits then fails,
 * retriable, as it does when no answer came for half a minute. NULL: err says why. */
struct fb_history *fb_kafka_history_open(const struct fb_kafka_settings *settings,
                                         const atomic_bool *stop, struct fb_err *err);

#endif
