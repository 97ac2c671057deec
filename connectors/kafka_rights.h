/* What a broker refuses, told as what its administrator has to allow.
 *
 * Place in the flow: inside connectors/ only; used wherever the broker answers. */
#ifndef FB_CONNECTORS_KAFKA_RIGHTS_H
#define FB_CONNECTORS_KAFKA_RIGHTS_H

#include "engine/base/err.h"

#include <librdkafka/rdkafka.h>

/* What rights are given for, in the words of Kafka's tools. */
#define FB_KAFKA_ON_TOPIC "topic"
#define FB_KAFKA_ON_GROUP "group"
#define FB_KAFKA_ON_TRANSACTIONAL_ID "transactional id"

/* A lack of rights, for whatever they would be needed. */
bool fb_kafka_is_denied(rd_kafka_resp_err_t code);
/* Fills err (fatal: only an administrator can help) where code is a lack of rights, and returns
 * true. right: Read, Write, Create; kind: one of the above; for a code that is about something else
 * than this kind of resource, what the code is about is named in their place. */
bool fb_kafka_denied(struct fb_err *err, rd_kafka_resp_err_t code, const char *right,
                     const char *kind, const char *name);

#endif
