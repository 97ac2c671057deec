/* Builds the state of a partition from what was written: the newest snapshot, the journal behind
 * it, and the inputs that the journal names, taken again in the same order.
 *
 * Place in the flow: run/worker calls it when a partition becomes its own and no task of it waits.
 * On the worker's thread; takes as long as it takes, telling `progress` now and then.
 *
 * A newest snapshot that is damaged gives way to the one before it, and that one to the first
 * commit, as far as the journal reaches back.
 *
 * This is the only way in which state comes into being. Outputs are suppressed, their rolling hash
 * is compared with the journal's at every commit: what does not agree is never gone on with. */
#ifndef FB_RUN_RESTORE_H
#define FB_RUN_RESTORE_H

#include "connectors/connector.h"
#include "engine/run/task.h"

enum fb_restored {
    FB_RESTORE_NOTHING, /* there is no journal yet: a new task may begin */
    FB_RESTORE_DONE,
    FB_RESTORE_HALT,   /* err says why this state can not be had; the partition must rest */
    FB_RESTORE_BEHIND, /* err, fatal if it lasts: the group knows of a commit that the journal does
                        * not show, or the journal of a snapshot that its topic does not show. The
                        * marker that ends a transaction comes to each partition by itself */
    FB_RESTORE_FAILED, /* err, retriable: the outside could not be read for now */
    FB_RESTORE_STOPPED /* progress said so */
};

struct fb_restore_wish {
    const struct fb_task_config *config;
    struct fb_bundle *bundle; /* that the engine runs by: saves reading it where it is the same;
                               * NULL: there is none */
    const char *pipe_topic;   /* as for the bundle; NULL: Kafka */
    const char *journal, *snapshot; /* topics */
    int32_t partition;
    uint64_t committed_seq;  /* of the note at the committed positions; 0: there is none */
    struct fb_str committer; /* of that note */
    /* The outputs of the journal's last commit may not be there: the task keeps them, sealed. */
    bool last_is_unfinished;
    bool positions_are_fresh; /* nobody has committed one, or they have expired */
    /* No transaction is open: what is not there will not come, and what would be FB_RESTORE_BEHIND
     * for want of the newest snapshot falls back to the one before it. */
    bool all_is_shown;
    /* How far it is, 0 to 1000; false: stop. */
    bool (*progress)(void *context, int32_t partition, uint32_t permille);
    /* Nobody goes on with the task: what a group says is not asked. */
    bool for_audit;
    /* From commit 1 instead of the newest snapshot; halts where the journal has lost it. */
    bool from_beginning;
    /* What a commit put out, before it is compared with the journal and forgotten; false: stop.
     * NULL: nobody looks. */
    bool (*outputs)(void *context, const struct fb_journal *commit, struct fb_batch *batch);
    void *context;
};

struct fb_restore_figures {
    uint32_t devices;        /* of the snapshot */
    uint64_t snapshot_bytes; /* of its state */
    uint64_t commits;        /* behind it */
    uint64_t taken, records; /* of them those in which something was taken; and how much was */
};

/* FB_RESTORE_DONE: *task is the caller's. */
enum fb_restored fb_restore(struct fb_history *history, const struct fb_restore_wish *wish,
                            struct fb_task **task, struct fb_restore_figures *figures,
                            struct fb_err *err);

#endif
