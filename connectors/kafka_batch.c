/* Messages that are taken from a queue of the library, some at a time. */
#include "connectors/kafka_batch.h"

#include "connectors/kafka_client.h"

enum {
    LONG = 64,      /* messages: of large ones a full queue does not hold more */
    EVERY_MS = 10,  /* a question costs 50 us of CPU */
    ANSWER_MS = 100 /* one round trip, for nothing is being fetched then; the answer is not used */
};

/* Where half of a queue that was long has been read. */
static void wake(struct fb_kafka_batch *batch, rd_kafka_t *client, rd_kafka_queue_t *queue,
                 const char *topic, int32_t partition) {
    size_t length = rd_kafka_queue_length(queue);
    int64_t end;
    if (length > batch->peak)
        batch->peak = length;
    if (batch->peak < LONG || length > batch->peak / 2)
        return;
    int64_t now_ms = fb_kafka_now_ms();
    if (now_ms - batch->woken_ms < EVERY_MS)
        return;
    fb_kafka_ask_offset(client, topic, partition, RD_KAFKA_OFFSET_END, &end, ANSWER_MS);
    batch->woken_ms = now_ms;
    batch->peak = rd_kafka_queue_length(queue);
}

void fb_kafka_batch_drop(struct fb_kafka_batch *batch) {
    /* The one before the next has not been given back yet. */
    for (size_t i = batch->at > 0 ? batch->at - 1 : 0; i < batch->n; i++)
        rd_kafka_message_destroy(batch->items[i]);
    batch->n = batch->at = batch->peak = 0;
}

rd_kafka_message_t *fb_kafka_batch_next(struct fb_kafka_batch *batch) {
    if (batch->at > 0)
        rd_kafka_message_destroy(batch->items[batch->at - 1]);
    if (batch->at < batch->n)
        return batch->items[batch->at++];
    batch->n = batch->at = 0;
    return NULL;
}

const rd_kafka_message_t *fb_kafka_batch_coming(const struct fb_kafka_batch *batch, size_t ahead) {
    return batch->at + ahead < batch->n ? batch->items[batch->at + ahead] : NULL;
}

bool fb_kafka_batch_fill(struct fb_kafka_batch *batch, rd_kafka_t *client, rd_kafka_queue_t *queue,
                         const char *topic, int32_t partition, int timeout_ms) {
    wake(batch, client, queue, topic, partition);
    /* The library waits until a batch is full, so it is asked for what is there. */
    ssize_t n = rd_kafka_consume_batch_queue(queue, 0, batch->items, FB_KAFKA_BATCH_MAX);
    batch->n = n > 0 ? (size_t)n : 0;
    if (batch->n == 0 && timeout_ms > 0 &&
        (batch->items[0] = rd_kafka_consume_queue(queue, timeout_ms)))
        batch->n = 1;
    return batch->n > 0;
}
