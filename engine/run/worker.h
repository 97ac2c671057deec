/* A thread with one source, one sink and the tasks of its partitions; only the park is shared.
 *
 * Place in the flow: source -> (here) -> task -> batch -> commit -> sink. Every function but
 * fb_worker_run is called by the engine's own thread.
 *
 * Exactly once: outputs, journal, pieces of snapshots and positions are one commit of the sink.
 * Where its outcome is not known, both ends are closed and opened again; the position that is
 * committed then says whether a task goes on, puts the same bytes again, or is rebuilt. There is no
 * undo: the state after a batch is right whether or not it was committed. At least once: outputs
 * are safe before the positions that caused them are committed, so what a crash loses is decided
 * again. */
#ifndef FB_RUN_WORKER_H
#define FB_RUN_WORKER_H

#include "engine/run/worker_config.h"

#include <stdatomic.h>

/* Read by the engine's thread while the worker runs. */
struct fb_worker_figures {
    atomic_ullong records, alerts, late, dead;
    atomic_llong lag; /* records that are in the topics and not read, as far as known */
    atomic_uint partitions;
    atomic_uint halted; /* of them: their state cannot be rebuilt */
    /* As `drain` asked: all is in snapshots, and no partition is on its way. */
    atomic_bool drained;
    atomic_bool waiting; /* for outputs to be acknowledged, for more than a moment */
};

struct fb_worker;

/* Opens nothing yet. config, and what it points to, outlives the worker. */
struct fb_worker *fb_worker_new(const struct fb_worker_config *config);
void fb_worker_free(struct fb_worker *worker); /* when its thread is over, or never began */
const struct fb_worker_figures *fb_worker_figures(const struct fb_worker *worker);

/* The whole life of the worker, until `stop`, the source's end or a failure (then false, and err
 * says why). */
bool fb_worker_run(struct fb_worker *worker, struct fb_err *err);

#endif
