/* What the sink and the history of a state folder see of it.
 *
 * Place in the flow: between state_dir, state_sink and state_history; nobody else includes it. */
#ifndef FB_CONNECTORS_STATE_PARTS_H
#define FB_CONNECTORS_STATE_PARTS_H

#include "connectors/state_journal.h"
#include "connectors/state_slots.h"

struct fb_state_dir {
    struct fb_disk *disk;
    char *path, *done_path;
    int32_t partition;
    int lock, done_file;
    int64_t done; /* the last record whose outputs are written; -1: none */
    struct fb_journal_files *journal;
    struct fb_slots *slots;
};

/* The outputs of all records are written. Not synced: a mark that is lost costs a repetition. */
void fb_state_mark_done(struct fb_state_dir *dir);

#endif
