/* Ends a consumer in bounded time.
 *
 * Place in the flow: inside connectors/ only, where a consumer is closed. */
#ifndef FB_CONNECTORS_KAFKA_END_H
#define FB_CONNECTORS_KAFKA_END_H

#include <librdkafka/rdkafka.h>

/* Destroys a consumer that was closed, whose messages and queues have been given back. The library
 * (2.0.2) waits for its threads, and after a partition was refused one of them may never end: after
 * 10 s the consumer is left behind, with a warning, so that the process can end or begin anew. Any
 * thread; no callback of it is called any more. */
void fb_kafka_end(rd_kafka_t *consumer);

#endif
