/* What a worker is given, and passes on to what works for it.
 *
 * Place in the flow: the engine fills it; run/worker, run/takeover and run/commit read it. */
#ifndef FB_RUN_WORKER_CONFIG_H
#define FB_RUN_WORKER_CONFIG_H

#include "connectors/connector.h"
#include "engine/run/board.h"
#include "engine/run/control.h"
#include "engine/run/crumbs.h"
#include "engine/run/deployed.h"
#include "engine/run/park.h"
#include "engine/run/time.h"

#include <stdatomic.h>

/* What is asked of a worker that shall end with all of its state in snapshots. It leaves by its own
 * judgement: a partition that came meanwhile, from one who gave it up undrained, is drained first.
 */
enum fb_drain {
    FB_DRAIN_NOT,
    FB_DRAIN_WANTED, /* take nothing more, bring all of the state into snapshots, stay */
    FB_DRAIN_LEAVE   /* the same, and end as soon as it is done */
};

struct fb_worker_config {
    const struct fb_task_config *task; /* task->journalled: exactly once */
    struct fb_bundle *bundle;          /* at the start */
    /* Which bundle should be in force now, asked after each commit. NULL: always the one of the
     * start. Exactly once only. */
    struct fb_deployed *deployed;
    struct fb_control *control;     /* operators' calls; NULL: there are none */
    struct fb_park *park;           /* of all workers: tasks between two assignments */
    const char *topics[FB_STREAMS]; /* of the outputs */
    const char *const *also;        /* other topics that commands may name */
    uint32_t n_also;
    const char *pipe_topic;         /* NULL: Kafka */
    const char *build;              /* of this engine, for the audit */
    const char *owner; /* exactly once: the name that its commits carry, the same after a restart */
    int64_t commit_interval_us;
    const struct fb_time *time;
    struct fb_board *board;   /* how the partitions fare; NULL: nobody asks */
    struct fb_crumbs *crumbs; /* which record is in hand; NULL: nobody notes it */
    /* Open the worker's own ends, on its thread. NULL: err says why. */
    struct fb_record_source *(*open_source)(void *context, uint32_t worker,
                                            const struct fb_record_source_events *events,
                                            void *owner, struct fb_err *err);
    struct fb_sink *(*open_sink)(void *context, uint32_t worker, struct fb_err *err);
    /* Exactly once: what was written before; opened when there is something to be rebuilt. */
    struct fb_history *(*open_history)(void *context, uint32_t worker, struct fb_err *err);
    bool last_is_unfinished; /* as in run/restore.h */
    void *context;
    uint32_t worker;   /* its number */
    atomic_bool *stop; /* true: commit, return */
    atomic_int *drain; /* enum fb_drain; NULL: never. Exactly once only */
};

#endif
