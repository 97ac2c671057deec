/* The task clock C of a live partition. */
#include "engine/run/clock.h"

#include "engine/model/program.h"

struct fb_clock fb_clock_new(void) {
    return (struct fb_clock){FB_NO_TIME};
}

/* FB_NO_TIME is the least number there is. */
static int64_t forward(struct fb_clock *clock, int64_t to_us) {
    if (to_us > clock->c_us)
        clock->c_us = to_us;
    return clock->c_us;
}

int64_t fb_clock_record(struct fb_clock *clock, int64_t stamp_us, int64_t wall_us) {
    if (stamp_us < 0)
        return clock->c_us == FB_NO_TIME ? forward(clock, wall_us) : clock->c_us;
    return forward(clock, stamp_us < wall_us ? stamp_us : wall_us);
}

int64_t fb_clock_end(struct fb_clock *clock, int64_t wall_us) {
    return forward(clock, wall_us);
}
