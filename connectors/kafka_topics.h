/* Looks at topics and creates them, before a run begins.
 *
 * Place in the flow: engine/run/topics at the start; run/deploy and run/audit_place, which ask how
 * many partitions there are. One owner. */
#ifndef FB_CONNECTORS_KAFKA_TOPICS_H
#define FB_CONNECTORS_KAFKA_TOPICS_H

#include "connectors/kafka_conf.h"

struct fb_kafka_topics;

/* Waits at most timeout_ms for a broker. NULL: err says which and why. */
struct fb_kafka_topics *fb_kafka_topics_open(const struct fb_kafka_settings *settings,
                                             int timeout_ms, struct fb_err *err);
void fb_kafka_topics_close(struct fb_kafka_topics *topics);

/* How many partitions a topic has; 0: there is no such topic; -1 with err: it cannot be told, or
 * must not be. right: what flyball needs there (Read, Write), for err. */
int32_t fb_kafka_topics_partitions(struct fb_kafka_topics *topics, const char *topic,
                                   const char *right, struct fb_err *err);
/* Of how many brokers only one has some partition of the topic that was looked at last: what is in
 * it is lost with that one's disk. 0: every partition has copies, or there is only one broker. */
int fb_kafka_topics_lone(const struct fb_kafka_topics *topics);
/* With the broker's default replication and, of its other settings, these. A topic that is there
 * already is fine. */
bool fb_kafka_topics_create(struct fb_kafka_topics *topics, const char *topic, int32_t partitions,
                            const struct fb_kafka_settings *settings, struct fb_err *err);

/* How long a topic keeps its records, in ms; INT64_MAX: for ever, or its records are compacted; -1:
 * it cannot be told, for want of the right DescribeConfigs or of an answer. */
int64_t fb_kafka_topics_retention(struct fb_kafka_topics *topics, const char *topic);

#endif
