/* A task's commits: what it took is sealed, put, and known to be committed; and back: a task is
 * rebuilt from what was committed, and compared with it.
 *
 * Place in the flow: task -> (here) -> ledger, batch -> sink; run/commit calls the first half when
 * a worker commits, run/restore the second when a partition's state is to be had again. As
 * run/task: one owner, no threads. Sealing and rebuilding are for tasks that are journalled. */
#ifndef FB_RUN_TASK_COMMIT_H
#define FB_RUN_TASK_COMMIT_H

#include "engine/run/task.h"

/* ---- commits ---- */

/* Something was taken or put out since the last seal, or a snapshot is under way. Ticks that
 * brought nothing do not count: who takes over finds the same. */
bool fb_task_has_news(const struct fb_task *task);
/* Nothing is taken from here on; commits go on until fb_task_is_drained. */
void fb_task_drain(struct fb_task *task);
/* All that was taken is in a snapshot, and that is committed. */
bool fb_task_is_drained(const struct fb_task *task);
/* The batch ends at this wall clock, which its journal's record has: commands of it that have
 * expired are withheld (A70). A seal does it by itself; who takes the operations of a record again
 * does it behind them. */
void fb_task_end_batch(struct fb_task *task, int64_t wall_us);
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
 * this; if it is the one before, what is sealed is to be put again. Otherwise another one was here,
 * or, of a first commit in doubt, the group may have forgotten it, which only the journal tells. */
bool fb_task_goes_on(struct fb_task *task, uint64_t seq, struct fb_str owner);

/* ---- rebuilding ---- */

/* Takes this as what the task has done; before the core's state is read or operations are taken
 * again. False: err says what does not fit the bundle. */
bool fb_task_resume(struct fb_task *task, const struct fb_journal *at, struct fb_err *err);
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
