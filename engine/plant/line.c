/* See line.h.
 *
 * Place in the flow: see line.h. */
#include "engine/plant/line.h"

#include "engine/base/err.h"

void fb_line_send(struct fb_line *line, struct fb_line_message message) {
    const bool lost = fb_random_chance(&line->random, line->lost_percent);
    const bool late = fb_random_chance(&line->random, line->late_percent);
    message.arrives_us = message.sent_us;
    if (late)
        message.arrives_us += fb_random_between(&line->random, line->late_us / 2, line->late_us);
    if (lost)
        return;
    if (line->in_order && message.arrives_us < line->last_arrival_us)
        message.arrives_us = line->last_arrival_us;
    line->last_arrival_us = message.arrives_us;
    FB_ASSERT(line->n < FB_LINE_MESSAGES_MAX);
    line->messages[line->n++] = message;
}

bool fb_line_receive(struct fb_line *line, int64_t now_us, struct fb_line_message *message) {
    uint32_t first = 0;
    for (uint32_t i = 1; i < line->n; i++)
        if (line->messages[i].arrives_us < line->messages[first].arrives_us)
            first = i;
    if (line->n == 0 || line->messages[first].arrives_us > now_us)
        return false;
    *message = line->messages[first];
    line->n--;
    for (uint32_t i = first; i < line->n; i++)
        line->messages[i] = line->messages[i + 1];
    return true;
}
