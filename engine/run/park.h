/* Where tasks wait while their partition is nobody's: between two assignments.
 *
 * Place in the flow: run/worker leaves its tasks here when partitions are taken from it, and looks
 * here first when it is given some, so that a partition that comes back to any worker of the
 * process finds its state. Thread-safe. */
#ifndef FB_RUN_PARK_H
#define FB_RUN_PARK_H

#include "engine/run/task.h"

struct fb_park;

/* A task that nobody took for keep_us is given up. */
struct fb_park *fb_park_new(int64_t keep_us);
void fb_park_free(struct fb_park *park); /* and what still waits */
/* Takes the task over; one of the same partition that waits already is given up. */
void fb_park_leave(struct fb_park *park, struct fb_task *task, int64_t now_us);
/* The task of a partition, the caller's from now on; NULL: none waits. */
struct fb_task *fb_park_take(struct fb_park *park, int32_t partition, int64_t now_us);

#endif
