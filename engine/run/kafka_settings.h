/* What the configuration says to the Kafka client.
 *
 * Place in the flow: whoever opens a connection of an application: run/engine, run/deploy,
 * run/audit_place, run/trail. */
#ifndef FB_RUN_KAFKA_SETTINGS_H
#define FB_RUN_KAFKA_SETTINGS_H

#include "connectors/kafka_conf.h"

struct fb_config;

/* Those of kafka.*, in their order; the texts are the configuration's. fb_kafka_settings_free. */
struct fb_kafka_settings fb_kafka_settings_of(const struct fb_config *config);
/* Also where they are {0}. */
void fb_kafka_settings_free(struct fb_kafka_settings settings);

#endif
