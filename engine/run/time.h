/* The time that a worker lives in: the machine's, or a simulator's.
 *
 * Place in the flow: under run/worker and all that it calls; what reads a clock reads it here.
 * Thread-safe as far as the given functions are; the machine's are. */
#ifndef FB_RUN_TIME_H
#define FB_RUN_TIME_H

#include <stdint.h>

enum fb_clock_kind { FB_CLOCK_MONOTONIC, FB_CLOCK_WALL };

struct fb_time {
    int64_t (*now_us)(void *context, enum fb_clock_kind kind);
    void (*sleep_us)(void *context, int64_t us);
    void *context;
};
extern const struct fb_time fb_machine_time;

int64_t fb_now_us(const struct fb_time *time); /* monotonic */
int64_t fb_wall_us(const struct fb_time *time);
void fb_sleep_us(const struct fb_time *time, int64_t us);

#endif
