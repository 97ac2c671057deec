/* What stands at the actuator: takes newer commands that have not expired, and goes to the device's
 * own fail-safe when the lease is over. engine/PROTOCOL.md is what it honours.
 *
 * Place in the flow: between the line of commands and the plant. Plain memory, one owner. */
#ifndef FB_PLANT_RECEIVER_H
#define FB_PLANT_RECEIVER_H

#include "engine/plant/line.h"

struct fb_receiver {
    double safe;
    double value;     /* in force */
    uint64_t seq;     /* of the last one taken; 0: none */
    int64_t lease_us; /* until then */
    uint32_t expired, fenced, lapsed;
    bool leased;
};

void fb_receiver_take(struct fb_receiver *receiver, const struct fb_line_message *message,
                      int64_t now_us);
/* The value in force at now_us. */
double fb_receiver_value(struct fb_receiver *receiver, int64_t now_us);

#endif
