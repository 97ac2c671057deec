/* What stands at the actuator: takes newer commands that have not expired, and goes to the device's
 * own fail-safe when the lease is over. engine/PROTOCOL.md is what it honours.
 *
 * Place in the flow: between the line of commands and the plant. Plain memory, one owner. */
#ifndef FB_PLANT_RECEIVER_H
#define FB_PLANT_RECEIVER_H

#include "tests/plant/line.h"

struct receiver {
    double safe;
    double value;     /* in force */
    uint64_t seq;     /* of the last one taken; 0: none */
    int64_t lease_us; /* until then */
    uint32_t expired, fenced, lapsed;
    bool leased;
};

void receiver_take(struct receiver *receiver, const struct line_message *message, int64_t now_us);
/* The value in force at now_us. */
double receiver_value(struct receiver *receiver, int64_t now_us);

#endif
