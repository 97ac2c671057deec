/* A line that loses messages and brings others late, in the order in which they come to arrive.
 *
 * Place in the flow: between plant and engine, once in each direction. Plain memory, one owner. */
#ifndef FB_PLANT_LINE_H
#define FB_PLANT_LINE_H

#include "tests/sim/random.h"

enum { LINE_MESSAGES_MAX = 128 };

struct line_message {
    int64_t sent_us, arrives_us;
    double values[2];
    bool good, trip;              /* telemetry: there is a value; a protection has tripped */
    uint64_t seq, winner;         /* commands: its number, and one a rule .. */
    int64_t expires_us, lease_us; /* .. instants on the wall clock */
    bool forced;                  /* safety asked for it */
};

struct line {
    struct sim_random random;
    uint32_t lost_percent, late_percent;
    int64_t late_us; /* the most; at least half of it */
    bool in_order;   /* nothing overtakes: a topic's partition */
    int64_t last_arrival_us;
    struct line_message messages[LINE_MESSAGES_MAX];
    uint32_t n;
};

/* sent_us is now; arrives_us is set here. */
void line_send(struct line *line, struct line_message message);
/* The next one that has arrived by now_us; false: none. */
bool line_receive(struct line *line, int64_t now_us, struct line_message *message);

#endif
