/* Records that a client of the modelled Kafka has taken and perhaps not sent.
 *
 * Place in the flow: the sinks of tests/sim keep theirs in one. One owner. */
#ifndef FB_SIM_QUEUE_H
#define FB_SIM_QUEUE_H

#include "connectors/connector.h"

struct sim_queued {
    int topic;
    int32_t partition;
    int64_t stamp_us;
    size_t at; /* in the log, when it was sent */
    struct fb_buf key, value;
    bool has_key, has_value;
    struct fb_header *headers;
    struct fb_buf *header_bytes;
    uint32_t n_headers;
};

struct sim_queue {
    struct sim_queued *items;
    uint32_t n, cap;
};

/* Copies everything. */
void sim_queue_add(struct sim_queue *queue, int topic, const struct fb_outgoing *record);
/* Views, without the topic's name. */
struct fb_outgoing sim_queue_at(const struct sim_queue *queue, uint32_t index);
void sim_queue_clear(struct sim_queue *queue);
void sim_queue_free(struct sim_queue *queue);

#endif
