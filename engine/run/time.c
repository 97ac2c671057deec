/* The time that a worker lives in: the machine's, or a simulator's. */
#include "engine/run/time.h"

#include <time.h>

static int64_t machine_now_us(void *context, enum fb_clock_kind kind) {
    struct timespec now;
    (void)context;
    clock_gettime(kind == FB_CLOCK_WALL ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void machine_sleep_us(void *context, int64_t us) {
    (void)context;
    struct timespec wait = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&wait, NULL);
}

const struct fb_time fb_machine_time = {machine_now_us, machine_sleep_us, NULL};

int64_t fb_now_us(const struct fb_time *time) {
    return time->now_us(time->context, FB_CLOCK_MONOTONIC);
}

int64_t fb_wall_us(const struct fb_time *time) {
    return time->now_us(time->context, FB_CLOCK_WALL);
}

void fb_sleep_us(const struct fb_time *time, int64_t us) {
    time->sleep_us(time->context, us);
}
