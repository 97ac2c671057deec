/* What the Kafka connectors share: a client made of fixed, preset and the user's settings.
 *
 * Place in the flow: inside connectors/ only, for the library's types stand here. */
#ifndef FB_CONNECTORS_KAFKA_CLIENT_H
#define FB_CONNECTORS_KAFKA_CLIENT_H

#include "connectors/connector.h"
#include "connectors/kafka_conf.h"

#include <librdkafka/rdkafka.h>

struct fb_kafka_health; /* connectors/kafka_source.h */

enum fb_kafka_role { FB_KAFKA_CONSUMER, FB_KAFKA_PRODUCER };

/* Presets of the role, then the user's settings, then what is fixed. NULL: err says why. */
rd_kafka_conf_t *fb_kafka_conf_new(enum fb_kafka_role role,
                                   const struct fb_kafka_settings *settings, struct fb_err *err);
/* Sets one property that the code itself chooses; a refusal is a bug. */
void fb_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value);
/* Takes the configuration over. NULL: err says why. */
rd_kafka_t *fb_kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct fb_err *err);
/* The log callback of every client that has none of its own. */
void fb_kafka_on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text);
/* For the error callback of a client: says once a process that all brokers are lost; true when this
 * error means that. */
bool fb_kafka_on_error(struct fb_kafka_health *health, rd_kafka_resp_err_t code,
                       const char *reason);
/* None came again: says so where it was held back, for brokers that are lost for a moment only. */
void fb_kafka_on_no_answer(struct fb_kafka_health *health);
/* After a question without an answer, where errors are not looked at: is any broker there? Says so
 * where none is; false then. */
bool fb_kafka_look(rd_kafka_t *client, struct fb_kafka_health *health);
/* An answer came: says, once a process, that the brokers are back. */
void fb_kafka_on_answer(struct fb_kafka_health *health);
int64_t fb_kafka_now_ms(void); /* monotonic */
/* The first offset with a stamp of `at` ms or later; RD_KAFKA_OFFSET_BEGINNING, _END: the first,
 * the end, which with read_committed is the last stable offset. Asks the broker that leads the
 * partition. In the place of rd_kafka_query_watermark_offsets, which before librdkafka 2.3 waits
 * for that one for as long as it is away, whatever the time-out is. */
rd_kafka_resp_err_t fb_kafka_ask_offset(rd_kafka_t *client, const char *topic, int32_t partition,
                                        int64_t at, int64_t *offset, int timeout_ms);
/* Both ends, each within the time-out; after an error it looks who leads now, for the next time. */
rd_kafka_resp_err_t fb_kafka_ask_ends(rd_kafka_t *client, const char *topic, int32_t partition,
                                      int64_t *first, int64_t *end, int timeout_ms);
/* After a question that was not answered: lets the client learn which broker to ask. */
void fb_kafka_look_who_leads(rd_kafka_t *client, const char *topic, int timeout_ms);
/* A message of a topic as a record; views live as long as the message and the topic's name. */
struct fb_record fb_kafka_record(rd_kafka_message_t *message, struct fb_str topic);
/* Fills err from an error of the library, retriable where trying again may help. */
bool fb_kafka_failed(struct fb_err *err, rd_kafka_resp_err_t code, const char *what);

#endif
