/* Writes records to topics in transactions, each with the positions that it goes back to: all of it
 * is there for readers with read_committed, or nothing.
 *
 * Place in the flow: engine/run/worker -> here -> Kafka. One owner and one thread each. */
#ifndef FB_CONNECTORS_KAFKA_TXN_SINK_H
#define FB_CONNECTORS_KAFKA_TXN_SINK_H

#include <stdatomic.h>

#include "connectors/kafka_sink.h"

struct fb_kafka_txn_sink_config {
    struct fb_kafka_sink_config sink;
    const char *transactional_id; /* the `member` of the worker's source */
    const char *group;            /* of the worker's source; may be NULL where there is none */
    const atomic_bool *stop;      /* ends waiting for the broker at the opening */
};

/* Shuts out whoever had this transactional_id before, and ends what it left open. The configuration
 * and what it points to must outlive the sink. The source of a commit must be a Kafka source, or
 * NULL where there are no positions. A commit may take half a minute longer than its timeout_ms
 * while a broker is away. NULL: err says why. */
struct fb_sink *fb_kafka_txn_sink_open(const struct fb_kafka_txn_sink_config *config,
                                       struct fb_err *err);

#endif
