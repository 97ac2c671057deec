/* The task clock C of a live partition: monotone, and never ahead of what has been read.
 *
 * Place in the flow: run/task asks it at each record and at the partition's end. One owner.
 *
 * While the partition is behind, C follows the records' stamps, but not beyond the wall clock of
 * the read; only at the partition's end does it follow the wall clock itself. So an outage of the
 * engine is not a silence of the devices. */
#ifndef FB_RUN_CLOCK_H
#define FB_RUN_CLOCK_H

#include <stdint.h>

struct fb_clock {
    int64_t c_us; /* FB_NO_TIME before the first record */
};

struct fb_clock fb_clock_new(void);
/* A record with this stamp (negative: it has none) was read at wall_us. Returns the new C: a record
 * without a stamp leaves it, and starts it at wall_us where there is none yet. */
int64_t fb_clock_record(struct fb_clock *clock, int64_t stamp_us, int64_t wall_us);
/* Nothing is left to read at wall_us. */
int64_t fb_clock_end(struct fb_clock *clock, int64_t wall_us);

#endif
