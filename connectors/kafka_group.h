/* What a Kafka source and a transactional sink share: the membership under which positions are
 * committed, and the end of somebody else's transactions.
 *
 * Place in the flow: inside connectors/ only, for the library's types stand here. */
#ifndef FB_CONNECTORS_KAFKA_GROUP_H
#define FB_CONNECTORS_KAFKA_GROUP_H

#include "connectors/connector.h"

#include <librdkafka/rdkafka.h>

/* As it was when the partitions were assigned, so that positions which are sent too late are
 * refused. NULL: none were, or not a Kafka source. Lives until the next assignment or the close. */
const rd_kafka_consumer_group_metadata_t *
fb_kafka_source_group(const struct fb_record_source *source);

#endif
