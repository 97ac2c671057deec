/* One partition: its decoders, its core, its clock, its positions and what it wants to put out.
 *
 * Place in the flow: run/worker hands it records and ticks; its batch goes to the sink. One owner;
 * knows nothing of threads, brokers or wall clocks but what it is told. */
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

/* Takes a record of one of the topics, read at wall_us; everything it causes is in the batch. */
void fb_task_record(struct fb_task *task, uint32_t route, const struct fb_record *record,
                    int64_t wall_us);
/* The record has ended the process twice: it is not looked at, and goes to the dead letters. */
void fb_task_quarantine(struct fb_task *task, uint32_t route, const struct fb_record *record,
                        int64_t wall_us);
/* Nothing is left to read at wall_us: what is due by the clock fires. */
void fb_task_tick(struct fb_task *task, int64_t wall_us);

struct fb_batch *fb_task_batch(struct fb_task *task);
struct fb_task_stats fb_task_stats(const struct fb_task *task);

/* What a status tells of a task: clock, rules, commit, snapshot, audit. */
void fb_task_describe(const struct fb_task *task, struct fb_posting *posting);

/* ---- commits, where they are journalled ---- */

/* Something was taken or put out since the last seal, or a snapshot is under way. Ticks that
 * brought nothing do not count: who takes over finds the same. */
bool fb_task_has_news(const struct fb_task *task);
/* Nothing is taken from here on; commits go on until fb_task_is_drained. */
void fb_task_drain(struct fb_task *task);
/* All that was taken is in a snapshot, and that is committed. */
bool fb_task_is_drained(const struct fb_task *task);
/* Ends what goes into one commit: the journal's record and pieces of snapshots join the outputs.
 * Nothing more may be taken until fb_task_committed. */
void fb_task_seal(struct fb_task *task, int64_t wall_us);
bool fb_task_is_sealed(const struct fb_task *task);
/* Of the last seal, or of what the task was rebuilt from; 0: none yet. */
uint64_t fb_task_seq(const struct fb_task *task);
/* When the last seal was. */
int64_t fb_task_sealed_at(const struct fb_task *task);
/* The sealed commit is safe: forgets its bytes. */
void fb_task_committed(struct fb_task *task);
/* Who is about to commit what is sealed. Names are copied, to FB_NOTE_BYTES_MAX. */
void fb_task_claim(struct fb_task *task, struct fb_str owner);
/* The note for its positions: the seal, or what was committed last. Appends. */
void fb_task_note(const struct fb_task *task, struct fb_buf *out);
/* Whether a task that waited may go on where `seq` by `owner` (0: nothing) is the last commit of
 * its partition. If that is the one it had sealed, not knowing the outcome, it is committed by
 * this; if it is the one before, what is sealed is to be put again. Otherwise another one was here.
 */
bool fb_task_goes_on(struct fb_task *task, uint64_t seq, struct fb_str owner);

/* ---- rebuilding ---- */

/* Takes this as what the task has done; before the core's state is read or operations are taken
 * again. False: err says what does not fit the bundle. */
bool fb_task_resume(struct fb_task *task, const struct fb_journal *at, struct fb_err *err);
/* The task's bundle is in force from here on, at wall_us: told to journal and audit. build: of this
 * engine. */
void fb_task_activate(struct fb_task *task, struct fb_str build, int64_t wall_us);
/* Nothing was taken or put out since the last commit. */
bool fb_task_may_change(const struct fb_task *task);
/* Goes over to another bundle, as journal and audit tell. Only where it may. */
void fb_task_change(struct fb_task *task, struct fb_bundle *bundle, struct fb_str build,
                    int64_t wall_us);
/* Where a new task begins to read a topic. */
void fb_task_begin(struct fb_task *task, uint32_t route, int64_t offset);
/* Between these, what is taken is not journalled and outputs are only counted. */
void fb_task_replay_begin(struct fb_task *task);
void fb_task_replay_end(struct fb_task *task, const struct fb_journal *last,
                        struct fb_str committer);
/* Instead of fb_task_replayed for the last commit: its outputs may not be there, and stay to be put
 * once more. */
bool fb_task_replayed_unfinished(struct fb_task *task, const struct fb_journal *journal,
                                 struct fb_err *err);
/* Forgets outputs of a replay; false: what was taken since did not have the effects that this
 * record tells of, and err says in what. */
bool fb_task_replayed(struct fb_task *task, const struct fb_journal *journal, struct fb_err *err);

#endif
