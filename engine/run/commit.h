/* One commit of a worker: seals what its tasks took, puts their outputs into the sink and makes
 * them last, with the positions behind them.
 *
 * Place in the flow: task -> batch -> (here) -> sink; run/worker calls it when a commit is due, and
 * opens both ends again where this asks for it. On the worker's thread, which waits meanwhile. */
#ifndef FB_RUN_COMMIT_H
#define FB_RUN_COMMIT_H

#include "engine/run/partitions.h"
#include "engine/run/worker_config.h"

enum { FB_STOP_PATIENCE_US = 30000000 }; /* how long a stop waits for acknowledgements */

struct fb_commit_request {
    const struct fb_worker_config *config;
    struct fb_partitions *parts;
    struct fb_record_source *source; /* both ends are open, and stay the caller's */
    struct fb_sink *sink;
    int64_t patience_us; /* how long to wait for acknowledgements; less where a stop comes */
    /* Acknowledgements take more than a moment (true, again and again), or all are there. */
    void (*waiting)(void *context, bool waits);
    void *context;
};

/* Something was taken or put out that is in no commit yet. */
bool fb_commit_is_due(const struct fb_worker_config *config, const struct fb_partitions *parts);

/* True: batches are empty; where err says retriable, the positions go with the next commit. False:
 * err says why. *reopen is set where nobody knows whether the commit was made, or what was put must
 * not be committed any more: then both ends are to be opened anew before anything else is taken. */
bool fb_commit(const struct fb_commit_request *request, bool *reopen, struct fb_err *err);

#endif
