/* Gets the task of a partition that has just become a worker's: the one that waits in the park, one
 * rebuilt from what was written, or a new one.
 *
 * Place in the flow: run/worker, when its source says which partitions are its own. On the worker's
 * thread. */
#ifndef FB_RUN_TAKEOVER_H
#define FB_RUN_TAKEOVER_H

#include "engine/run/worker_config.h"

struct fb_takeover {
    const struct fb_worker_config *config;
    /* Keeps the worker's place in the group while it rebuilds; false: stop. */
    bool (*stay)(void *context);
    void *context;
};

enum fb_taken_over {
    FB_TAKEN_NEW,     /* begins at the positions, which the caller sets */
    FB_TAKEN_KEPT,    /* goes on where it stands */
    FB_TAKEN_REBUILT, /* the same */
    FB_TAKEN_NOT      /* stopped, or it can not be had: the log says why; there is no task */
};

/* positions: all that the source has started; those of other partitions are left alone. */
enum fb_taken_over fb_take_over(const struct fb_takeover *takeover, int32_t partition,
                                const struct fb_position *positions, uint32_t n,
                                struct fb_task **task);

#endif
