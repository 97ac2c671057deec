/* Tries, before a run begins, whether topics may be read. */
#include "connectors/kafka_may_read.h"

#include <stdlib.h>

#include "connectors/kafka_client.h"
#include "connectors/kafka_rights.h"
#include "engine/base/arena.h"

enum { ANSWER_MS = 3000, LOOK_MS = 100 };

struct attempt {
    rd_kafka_topic_t **topics;
    bool *answered;
    uint32_t n, n_answered;
    struct fb_err *err;
    bool denied;
};

/* The end of a partition, or a record, says that it may be read. */
static void on_message(rd_kafka_message_t *message, void *opaque) {
    struct attempt *attempt = opaque;
    uint32_t i = 0;
    while (i < attempt->n && attempt->topics[i] != message->rkt)
        i++;
    if (i == attempt->n || attempt->answered[i] || attempt->denied)
        return;
    attempt->denied = fb_kafka_denied(attempt->err, message->err, "Read", FB_KAFKA_ON_TOPIC,
                                      rd_kafka_topic_name(message->rkt));
    if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return;
    attempt->answered[i] = true;
    attempt->n_answered++;
}

/* Rights are by topic, so one partition of each tells. The library finds an end that it is given as
 * such half a second later than one that was asked for. */
static void begin(rd_kafka_t *client, rd_kafka_queue_t *queue, const char *const *names, uint32_t n,
                  struct attempt *attempt) {
    for (uint32_t i = 0; i < n; i++) {
        int64_t end;
        if (fb_kafka_ask_offset(client, names[i], 0, RD_KAFKA_OFFSET_END, &end, ANSWER_MS))
            continue;
        rd_kafka_topic_t *topic = rd_kafka_topic_new(client, names[i], NULL);
        if (!topic)
            continue;
        if (rd_kafka_consume_start_queue(topic, 0, end, queue) == 0)
            attempt->topics[attempt->n++] = topic;
        else
            rd_kafka_topic_destroy(topic);
    }
}

bool fb_kafka_may_read(const struct fb_kafka_settings *settings, const char *const *topics,
                       uint32_t n, struct fb_err *err) {
    rd_kafka_conf_t *conf = fb_kafka_conf_new(FB_KAFKA_CONSUMER, settings, err);
    if (!conf)
        return false;
    fb_kafka_conf_set(conf, "fetch.wait.max.ms", "10"); /* the end comes with an empty answer */
    rd_kafka_t *client = fb_kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (!client)
        return false;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    struct attempt attempt = {.topics = fb_alloc((n + 1) * sizeof *attempt.topics),
                              .answered = fb_alloc((n + 1) * sizeof *attempt.answered),
                              .err = err};
    begin(client, queue, topics, n, &attempt);
    int64_t end_ms = fb_kafka_now_ms() + ANSWER_MS;
    while (!attempt.denied && attempt.n_answered < attempt.n && fb_kafka_now_ms() < end_ms)
        rd_kafka_consume_callback_queue(queue, LOOK_MS, on_message, &attempt);
    for (uint32_t i = 0; i < attempt.n; i++) {
        rd_kafka_consume_stop(attempt.topics[i], 0);
        rd_kafka_topic_destroy(attempt.topics[i]);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
    free(attempt.topics);
    free(attempt.answered);
    return !attempt.denied;
}
