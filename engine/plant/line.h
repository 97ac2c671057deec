/* A line that loses messages and brings others late, in the order in which they come to arrive.
 *
 * Place in the flow: between plant and engine, once in each direction. Plain memory, one owner. */
#ifndef FB_PLANT_LINE_H
#define FB_PLANT_LINE_H

#include "engine/base/random.h"

enum { FB_LINE_MESSAGES_MAX = 128, FB_LINE_VALUES_MAX = 16 };

struct fb_line_message {
    int64_t sent_us, arrives_us;
    double values[FB_LINE_VALUES_MAX];
    uint32_t good;     /* telemetry: bit set, which values there are */
    uint32_t actuator; /* commands: which one, its number, .. */
    uint64_t seq;
    int64_t expires_us, lease_us; /* .. instants on the wall clock */
    uint64_t tag;                 /* the sender's own */
};

struct fb_line {
    struct fb_random random;
    uint32_t lost_percent, late_percent;
    int64_t late_us; /* the most; at least half of it */
    bool in_order;   /* nothing overtakes: a topic's partition */
    int64_t last_arrival_us;
    struct fb_line_message messages[FB_LINE_MESSAGES_MAX];
    uint32_t n;
};

/* sent_us is now; arrives_us is set here. */
void fb_line_send(struct fb_line *line, struct fb_line_message message);
/* The next one that has arrived by now_us; false: none. */
bool fb_line_receive(struct fb_line *line, int64_t now_us, struct fb_line_message *message);

#endif
