/* Messages that are taken from a queue of the library, some at a time.
 *
 * Place in the flow: inside connectors/ only; for those who read many records.
 *
 * Some at a time, because the library bounds what it fetches by what is in the queue: whoever takes
 * the whole queue at once (as the library's callbacks do) and is slow has soon the whole topic in
 * memory. And its thread that finds a queue full looks again after a second, or when it has
 * something to do: whoever empties the queue sooner would wait for the rest of that second, so it
 * is woken. */
#ifndef FB_CONNECTORS_KAFKA_BATCH_H
#define FB_CONNECTORS_KAFKA_BATCH_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FB_KAFKA_BATCH_MAX = 512 };

/* Zeroed: empty. */
struct fb_kafka_batch {
    rd_kafka_message_t *items[FB_KAFKA_BATCH_MAX];
    size_t n, at;     /* messages in it; the next one */
    size_t peak;      /* messages in the queue at most since the library was woken */
    int64_t woken_ms; /* when that was, monotonic */
};

/* The next message, which lives until the next call; NULL: the batch is used up. */
rd_kafka_message_t *fb_kafka_batch_next(struct fb_kafka_batch *batch);
/* The one that comes after it, or `ahead` behind that; NULL: not known yet. */
const rd_kafka_message_t *fb_kafka_batch_coming(const struct fb_kafka_batch *batch, size_t ahead);
/* Fills a batch that is used up with what is there, after waiting at most timeout_ms for a first
 * message. False: none has come. The partition is one of those that the queue holds: its broker
 * answers the question that wakes the library. */
bool fb_kafka_batch_fill(struct fb_kafka_batch *batch, rd_kafka_t *client, rd_kafka_queue_t *queue,
                         const char *topic, int32_t partition, int timeout_ms);
/* Gives up what is left. */
void fb_kafka_batch_drop(struct fb_kafka_batch *batch);

#endif
