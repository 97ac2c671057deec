/* A thread with one source, one sink and the tasks of its partitions; only the park is shared.
 *
 * Place in the flow: source -> task -> batch -> sink -> commit. Every function but fb_worker_run is
 * called by the engine's own thread.
 *
 * At least once: outputs are put and safe before the positions that caused them are committed, so
 * what a crash loses is decided again. Exactly once will open a transaction where `commit` begins
 * to put, and carry the positions in it. */
#ifndef FB_RUN_WORKER_H
#define FB_RUN_WORKER_H

#include "connectors/connector.h"
#include "engine/run/park.h"

#include <stdatomic.h>

struct fb_worker_config {
    const struct fb_task_config *task;
    struct fb_park *park; /* of all workers: tasks between two assignments */
    const char *topics[FB_STREAMS]; /* of the outputs */
    int64_t commit_interval_us;
    /* Open the worker's own ends, on its thread. NULL: err says why. */
    struct fb_record_source *(*open_source)(void *context, uint32_t worker,
                                            const struct fb_record_source_events *events,
                                            void *owner, struct fb_err *err);
    struct fb_sink *(*open_sink)(void *context, uint32_t worker, struct fb_err *err);
    void *context;
    uint32_t worker;   /* its number */
    atomic_bool *stop; /* true: drain, commit, return */
};

/* Read by the engine's thread while the worker runs. */
struct fb_worker_figures {
    atomic_ullong records, alerts, late, dead;
    atomic_llong lag; /* records that are in the topics and not read, as far as known */
    atomic_uint partitions;
    atomic_bool waiting; /* for outputs to be acknowledged, for more than a moment */
};

struct fb_worker;

struct fb_worker *fb_worker_new(const struct fb_worker_config *config);
void fb_worker_free(struct fb_worker *worker);
const struct fb_worker_figures *fb_worker_figures(const struct fb_worker *worker);

/* The whole life of the worker, until `stop`, the source's end or a failure (then false, and err
 * says why). */
bool fb_worker_run(struct fb_worker *worker, struct fb_err *err);

#endif
