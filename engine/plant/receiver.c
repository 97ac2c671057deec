/* See receiver.h.
 *
 * Place in the flow: see receiver.h. */
#include "engine/plant/receiver.h"

void fb_receiver_take(struct fb_receiver *receiver, const struct fb_line_message *message,
                      int64_t now_us) {
    if (message->seq <= receiver->seq) {
        receiver->fenced++;
        return;
    }
    receiver->seq = message->seq;
    if (now_us >= message->expires_us) {
        receiver->expired++;
        return;
    }
    receiver->value = message->values[0];
    receiver->lease_us = message->lease_us;
    receiver->leased = true;
}

double fb_receiver_value(struct fb_receiver *receiver, int64_t now_us) {
    if (receiver->leased && now_us >= receiver->lease_us) {
        receiver->leased = false;
        receiver->lapsed += receiver->value != receiver->safe;
        receiver->value = receiver->safe;
    }
    return receiver->value;
}
