/* One partition: its decoders, its core, its clock, its positions and what it wants to put out.
 *
 * Place in the flow: run/worker hands it records and ticks; its batch goes to the sink, sealed by
 * run/task_commit. One owner; knows nothing of threads, brokers or wall clocks but what it is told.
 */
#ifndef FB_RUN_TASK_H
#define FB_RUN_TASK_H

#include "connectors/connector.h"
#include "engine/core/core.h"
#include "engine/run/batch.h"
#include "engine/run/board.h"
#include "engine/run/bundle.h"
#include "engine/run/ledger.h"

/* What all tasks of an application share. */
struct fb_task_config {
    struct fb_str application;
    struct fb_room room; /* for outputs that are not safe yet */
    bool lines;          /* outputs as lines of structured events, not as headers and values */
    bool journalled;     /* exactly once: commits carry audit, journal and snapshots too */
    /* The medium does not stamp records: the wall clock of their taking does. */
    bool stamp_by_wall;
    /* Records cannot be read again: their bytes go into the journal. */
    bool keep_bytes;
    struct fb_snapshot_pace pace;
};

struct fb_task_stats {
    uint64_t records, entries, dead;
    struct fb_core_stats core;
};

struct fb_task;

/* Keeps a reference of the bundle. */
struct fb_task *fb_task_new(const struct fb_task_config *config, struct fb_bundle *bundle,
                            int32_t partition);
void fb_task_free(struct fb_task *task);

int32_t fb_task_partition(const struct fb_task *task);
const struct fb_bundle *fb_task_bundle(const struct fb_task *task);
struct fb_core *fb_task_core(struct fb_task *task);
/* Where the task goes on in each topic of its bundle's routes; -1: it does not read that one. Set
 * at the start; each record moves it on. */
int64_t fb_task_next(const struct fb_task *task, uint32_t route);
void fb_task_set_next(struct fb_task *task, uint32_t route, int64_t offset);
/* Where a new task begins to read a topic. */
void fb_task_begin(struct fb_task *task, uint32_t route, int64_t offset);

/* Takes a record of one of the topics, read at wall_us; everything it causes is in the batch. */
void fb_task_record(struct fb_task *task, uint32_t route, const struct fb_record *record,
                    int64_t wall_us);
/* The record has ended the process twice: it is not looked at, and goes to the dead letters. */
void fb_task_quarantine(struct fb_task *task, uint32_t route, const struct fb_record *record,
                        int64_t wall_us);
/* Nothing is left to read at wall_us: what is due by the clock fires. */
void fb_task_tick(struct fb_task *task, int64_t wall_us);

/* Where the task goes on in the control topic. */
int64_t fb_task_calls_next(const struct fb_task *task);
/* Whether a kill is in force. */
bool fb_task_is_killed(const struct fb_task *task);
/* Takes an operator's call, its bytes, that stands at this offset of the control topic: done by the
 * core with the clock where it is, journalled, answered in the audit. */
void fb_task_call(struct fb_task *task, struct fb_str topic, int64_t offset, struct fb_str bytes,
                  int64_t wall_us);

struct fb_batch *fb_task_batch(struct fb_task *task);
struct fb_task_stats fb_task_stats(const struct fb_task *task);

/* What a status tells of a task: clock, rules, commit, snapshot, audit. */
void fb_task_describe(const struct fb_task *task, struct fb_posting *posting);

/* ---- other rules ---- */

/* The task's bundle is in force from here on, at wall_us: told to journal and audit. build: of this
 * engine. */
void fb_task_activate(struct fb_task *task, struct fb_str build, int64_t wall_us);
/* Nothing was taken or put out since the last commit. */
bool fb_task_may_change(const struct fb_task *task);
/* Goes over to another bundle, as journal and audit tell. Only where it may. */
void fb_task_change(struct fb_task *task, struct fb_bundle *bundle, struct fb_str build,
                    int64_t wall_us);

#endif
