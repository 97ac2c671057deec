/* Writes records to topics, each acknowledged by all replicas, in the order of `put`.
 *
 * Place in the flow: engine/run/worker -> here -> Kafka. One owner and one thread each. */
#ifndef FB_CONNECTORS_KAFKA_SINK_H
#define FB_CONNECTORS_KAFKA_SINK_H

#include "connectors/connector.h"
#include "connectors/kafka_conf.h"

struct fb_kafka_health; /* connectors/kafka_source.h */

struct fb_kafka_sink_config {
    struct fb_kafka_settings settings;
    const char *const *topics; /* all that will be written */
    const int32_t *partitions; /* how many each has: a record goes to its own modulo these */
    uint32_t n_topics;
    struct fb_kafka_health *health;
};

/* The configuration and what it points to must outlive the sink. NULL: err says why. */
struct fb_sink *fb_kafka_sink_open(const struct fb_kafka_sink_config *config, struct fb_err *err);

#endif
