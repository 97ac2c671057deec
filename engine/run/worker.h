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

#include "connectors/connector.h"
#include "engine/run/board.h"
#include "engine/run/crumbs.h"
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
    /* The bundle that should be in force now, a reference for the caller; asked after each commit.
     * NULL: always the one of the start. Called on the worker's thread; exactly once only. */
    struct fb_bundle *(*wanted)(void *context);
    struct fb_park *park;           /* of all workers: tasks between two assignments */
    const char *topics[FB_STREAMS]; /* of the outputs */
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

/* The bundle that should be in force now, a reference for the caller. */
struct fb_bundle *fb_worker_wanted(const struct fb_worker_config *config);

/* Opens nothing yet. config, and what it points to, outlives the worker. */
struct fb_worker *fb_worker_new(const struct fb_worker_config *config);
void fb_worker_free(struct fb_worker *worker); /* when its thread is over, or never began */
const struct fb_worker_figures *fb_worker_figures(const struct fb_worker *worker);

/* The whole life of the worker, until `stop`, the source's end or a failure (then false, and err
 * says why). */
bool fb_worker_run(struct fb_worker *worker, struct fb_err *err);

#endif
