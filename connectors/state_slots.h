/* The snapshots of a state folder: the last whole one of each slot, the one being written, and what
 * is kept beside them.
 *
 * Place in the flow: state_dir writes the snapshot topic's records here, before the journal record
 * of their commit, and settles them after it; the history reads them. One owner.
 *
 * Keys are taken as bytes but for this: "A/.." and "B/.." belong to a snapshot in that slot, and
 * ".../manifest" is its last one. Pieces go to "snapshot-A.new", which becomes "snapshot-A" when it
 * is whole, so that a snapshot under way harms none that is whole. All other keys are kept in
 * "others", the newest value of each.
 *
 * Every frame carries the number of the journal record that is committed with it: what was written
 * for a commit that never was has a number that the journal has not, and is dropped. The first
 * frame's key is "snapshot" or "others"; in a snapshot its number says from which journal record on
 * the snapshot may need the journal. */
#ifndef FB_CONNECTORS_STATE_SLOTS_H
#define FB_CONNECTORS_STATE_SLOTS_H

#include "connectors/state_frame.h"

struct fb_slots;

/* What there is of the journal. */
struct fb_slots_journal {
    int64_t first, end;
    uint32_t aside; /* so much of `others` is committed, in bytes */
};
/* Drops what was never committed, and finishes what was. NULL: err says why. */
struct fb_slots *fb_slots_open(struct fb_disk *disk, const char *folder, char *const *names,
                               size_t n_names, const struct fb_slots_journal *journal,
                               struct fb_err *err);
void fb_slots_close(struct fb_slots *slots);
/* Not safe before `sync`, and not to be read before `settle`. */
bool fb_slots_write(struct fb_slots *slots, const struct fb_frame *frame, struct fb_err *err);
bool fb_slots_sync(struct fb_slots *slots, struct fb_err *err);
/* Bytes of `others`, for the journal record of the commit. */
uint32_t fb_slots_aside(const struct fb_slots *slots);
/* What was written is committed. keep: the journal is needed from there on, if the newest snapshot
 * turns out damaged too. */
bool fb_slots_settle(struct fb_slots *slots, int64_t *keep, struct fb_err *err);

/* Every key once with its newest value: the others, the older snapshot, the newer one. */
int64_t fb_slots_count(const struct fb_slots *slots);
struct fb_slots_cursor;
struct fb_slots_cursor *fb_slots_cursor_open(const struct fb_slots *slots, int64_t from,
                                             struct fb_err *err);
/* Views until the next call; frame->number: the record's place in the count. */
enum fb_read fb_slots_cursor_next(struct fb_slots_cursor *cursor, struct fb_frame *frame,
                                  struct fb_err *err);
void fb_slots_cursor_close(struct fb_slots_cursor *cursor);

#endif
