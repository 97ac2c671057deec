/* Reads topics as a member of a consumer group.
 *
 * Place in the flow: Kafka -> here -> engine/run/worker. One owner and one thread each. */
#ifndef FB_CONNECTORS_KAFKA_SOURCE_H
#define FB_CONNECTORS_KAFKA_SOURCE_H

#include "connectors/connector.h"
#include "connectors/kafka_conf.h"

#include <stdatomic.h>

/* Shared by all clients of a process, so that a lost broker is told once. Zeroed at first. */
struct fb_kafka_health {
    atomic_bool lost;
    atomic_bool told;                    /* that it is */
    atomic_llong lost_at_ms, back_at_ms; /* monotonic */
};

struct fb_kafka_source_config {
    struct fb_kafka_settings settings;
    const char *group, *member; /* member: the same after a restart, different for every source */
    /* Members of the group that live in this process, and so end their transactions themselves. */
    const char *const *kin;
    uint32_t n_kin;
    const char *const *topics;
    uint32_t n_topics;
    bool from_earliest;      /* where the group has no position */
    const atomic_bool *stop; /* ends waiting for the broker inside a call */
    struct fb_kafka_health *health;
};

/* The configuration and what it points to must outlive the source. NULL: err says why. */
struct fb_record_source *fb_kafka_source_open(const struct fb_kafka_source_config *config,
                                              const struct fb_record_source_events *events,
                                              void *context, struct fb_err *err);

#endif
