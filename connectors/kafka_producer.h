/* A producer with its output topics: what the sinks of Kafka share.
 *
 * Place in the flow: inside connectors/ only; kafka_sink and kafka_txn_sink own one each. */
#ifndef FB_CONNECTORS_KAFKA_PRODUCER_H
#define FB_CONNECTORS_KAFKA_PRODUCER_H

#include "connectors/kafka_client.h"
#include "connectors/kafka_sink.h"

#include <stdatomic.h>

struct fb_kafka_filling;
struct fb_kafka_producer {
    const struct fb_kafka_sink_config *config;
    rd_kafka_t *client;
    rd_kafka_topic_t **topics;         /* of config->topics, in their order */
    uint64_t waiting;                  /* records handed to the library, fate unknown */
    struct fb_kafka_filling *fillings; /* what of them waits to be sent, of each topic */
    size_t batch_bytes_max, batch_records_max;
    bool transactional;
    atomic_uint denied;    /* 1 + the topic that could not enter a transaction last; 0: none */
    struct fb_err failure; /* of the first delivery that will not go better; not failed: kind 0 */
};

/* What a producer with a transactional.id is given besides; a throw-away one too. */
void fb_kafka_set_transactional(rd_kafka_conf_t *conf, const char *transactional_id);

/* transactional_id: NULL where there are no transactions. The producer must not move meanwhile;
 * `config` outlives it. False: err says why; to be closed all the same. */
bool fb_kafka_producer_open(struct fb_kafka_producer *producer,
                            const struct fb_kafka_sink_config *config, const char *transactional_id,
                            struct fb_err *err);
/* Gives up what is not delivered. Of a zeroed or closed one: nothing. */
void fb_kafka_producer_close(struct fb_kafka_producer *producer);
/* Retriable: full for now. True also where the producer or its transaction has failed: the commit
 * says so, and everything is put again. */
bool fb_kafka_producer_put(struct fb_kafka_producer *producer, const struct fb_outgoing *record,
                           struct fb_err *err);

#endif
