/* See receiver.h.
 *
 * Place in the flow: see receiver.h. */
#include "tests/plant/receiver.h"

void receiver_take(struct receiver *receiver, const struct line_message *message, int64_t now_us) {
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

double receiver_value(struct receiver *receiver, int64_t now_us) {
    if (receiver->leased && now_us >= receiver->lease_us) {
        receiver->leased = false;
        receiver->lapsed += receiver->value != receiver->safe;
        receiver->value = receiver->safe;
    }
    return receiver->value;
}
