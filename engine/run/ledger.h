/* What the commits of a task leave behind: the records of its journal and the pieces of snapshots.
 *
 * Place in the flow: run/task notes here what it takes; at each commit the ledger adds its records
 * to the outputs, so that one transaction carries all. One owner, no threads, no clock but what it
 * is told.
 *
 * A snapshot's barrier is the end of a commit; its pieces go with the commits that follow: a few at
 * each seal, and between seals one whenever enough devices were touched. The manifest goes with the
 * last of them. */
#ifndef FB_RUN_LEDGER_H
#define FB_RUN_LEDGER_H

#include "engine/codec/journal.h"
#include "engine/core/core.h"
#include "engine/run/batch.h"
#include "engine/run/bundle.h"

/* When to make snapshots: never sooner than least_us after the former one, and when 8 times its
 * bytes have been read, at the latest after most_us if anything was read. */
struct fb_snapshot_pace {
    int64_t least_us, most_us;
    uint32_t piece_bytes; /* of state in a piece, before compression; 0: FB_CHUNK_BYTES */
};

struct fb_ledger;

/* pace must outlive the ledger. */
struct fb_ledger *fb_ledger_new(const struct fb_snapshot_pace *pace);
void fb_ledger_free(struct fb_ledger *ledger);
/* A task that was rebuilt goes on behind this commit. */
void fb_ledger_resume(struct fb_ledger *ledger, const struct fb_journal *last);

/* Where the task notes its operations. */
struct fb_journal_writer *fb_ledger_writer(struct fb_ledger *ledger);
/* A bundle is in force from here on: its files go with the next commit. A snapshot under way is
 * given up. */
void fb_ledger_rules(struct fb_ledger *ledger, struct fb_core *core, const struct fb_bundle *bundle,
                     struct fb_str build, int64_t wall_us);

/* The last commit that was sealed; 0: none yet. */
uint64_t fb_ledger_seq(const struct fb_ledger *ledger);
/* The newest snapshot that is complete; id 0: none. */
const struct fb_journal_snapshot *fb_ledger_snapshot(const struct fb_ledger *ledger);
bool fb_ledger_snapshot_is_open(const struct fb_ledger *ledger);

/* After each record and tick: where a snapshot is under way and a piece's worth of touched devices
 * waits, gives that piece. So what waits is bounded by a piece and by what one record touches, and
 * the seal is short however many were touched since the last one. */
void fb_ledger_relieve(struct fb_ledger *ledger, struct fb_core *core, struct fb_batch *batch);

/* From here on nothing is taken any more: the next seal begins a snapshot, if one is needed for all
 * that was taken to be in one. */
void fb_ledger_drain(struct fb_ledger *ledger);
/* All that was taken is in the newest snapshot, which is complete with the last seal. */
bool fb_ledger_is_drained(const struct fb_ledger *ledger);
bool fb_ledger_drains(const struct fb_ledger *ledger);

/* Ends what goes into one commit. `now`: clock, inputs, audit, wall clock and outputs of the task;
 * the rest is filled in. bytes_read: of inputs, since the task's beginning. */
void fb_ledger_seal(struct fb_ledger *ledger, struct fb_core *core, const struct fb_bundle *bundle,
                    struct fb_journal *now, uint64_t bytes_read, struct fb_batch *batch);

#endif
