/* The settings of the Kafka client: what flyball fixes, what it presets, what a user may add.
 *
 * Place in the flow: configuration (engine/run/config) -> here -> kafka_source, kafka_sink. */
#ifndef FB_CONNECTORS_KAFKA_CONF_H
#define FB_CONNECTORS_KAFKA_CONF_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdint.h>

/* A property of the client by its librdkafka name; both terminated. */
struct fb_kafka_setting {
    const char *name, *value;
};

struct fb_kafka_settings {
    const struct fb_kafka_setting *items; /* what the user gave; bootstrap.servers among them */
    uint32_t n;
};

/* A property that only flyball sets, a name that the library does not know (with a suggestion), or
 * a value that it does not take: false, and err says why. */
bool fb_kafka_setting_check(const struct fb_kafka_setting *setting, struct fb_err *err);
/* Passwords, keys and the like: to be masked, and to be given by reference only. */
bool fb_kafka_setting_is_secret(const char *name);
/* The properties that a user may not set, for the reference page; false after the last. */
bool fb_kafka_refused(uint32_t i, const char **name, const char **reason);

#endif
