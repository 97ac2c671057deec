/* What a Kafka source and a transactional sink share: the membership under which positions are
 * committed, and the end of the transactions of members that are gone.
 *
 * Place in the flow: inside connectors/ only, for the library's types stand here. */
#ifndef FB_CONNECTORS_KAFKA_GROUP_H
#define FB_CONNECTORS_KAFKA_GROUP_H

#include "connectors/connector.h"
#include "connectors/kafka_conf.h"
#include "connectors/kafka_source.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

/* As it was when the partitions were assigned, so that positions which are sent too late are
 * refused. NULL: none were, or not a Kafka source. Lives until the next assignment or the close. */
const rd_kafka_consumer_group_metadata_t *
fb_kafka_source_group(const struct fb_record_source *source);

/* Names that their owner keeps. */
struct fb_kafka_names {
    char **items;
    size_t n, cap;
};
void fb_kafka_names_free(struct fb_kafka_names *names);

struct fb_kafka_membership {
    rd_kafka_t *consumer;
    const char *group, *member;
    const char *const *kin; /* as in kafka_source.h */
    uint32_t n_kin;
    struct fb_kafka_names *seen; /* other members at the last assignment; replaced here */
    const struct fb_kafka_settings *settings;
    const atomic_bool *stop;
    struct fb_kafka_health *health;
};
/* Fences those who committed last in these partitions, as their notes say, and those who were
 * members at our last assignment, if they are no longer members of the group: the latter because
 * who took partitions over and was killed within its very first transaction stands in no note. A
 * living member ends its transaction before it gives a partition up. One that lives but was shut
 * out of the group, or has not come back to it after an outage, loses its producer by this once: it
 * is a member again before it commits again. Kin are spared that. What does not succeed is told in
 * the log, and only costs time. */
void fb_kafka_fence_gone(const struct fb_kafka_membership *us,
                         const rd_kafka_topic_partition_list_t *partitions);

#endif
