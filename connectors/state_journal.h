/* The journal of a state folder: numbered records in segments "journal-FIRST".
 *
 * Place in the flow: state_dir appends one record a commit and opens readers for the history. One
 * owner.
 *
 * A record is committed once `append` has returned true: it is written and synced. A segment begins
 * with a frame whose key is "journal" and whose number is that of its first record. After a crash
 * the last segment may end in a torn record, which is cut off; anything else that is wrong is
 * damage, and refused. */
#ifndef FB_CONNECTORS_STATE_JOURNAL_H
#define FB_CONNECTORS_STATE_JOURNAL_H

#include "connectors/state_frame.h"

struct fb_journal_files;

/* names: all that are in the folder; n_names of them. done: the last record whose outputs are known
 * to be written, so it was committed; -1: none. NULL: err says why. */
struct fb_journal_files *fb_journal_files_open(struct fb_disk *disk, const char *folder,
                                               char *const *names, size_t n_names, int64_t done,
                                               uint64_t segment_bytes, struct fb_err *err);
void fb_journal_files_close(struct fb_journal_files *journal);
int64_t fb_journal_files_first(const struct fb_journal_files *journal);
int64_t fb_journal_files_end(const struct fb_journal_files *journal);
/* What is aside, as the last record says. */
uint32_t fb_journal_files_aside(const struct fb_journal_files *journal);
/* Its number is the end. After a failure the journal takes nothing more. */
bool fb_journal_files_append(struct fb_journal_files *journal, const struct fb_frame *frame,
                             struct fb_err *err);
/* Removes the segments all of whose records lie before `keep`. */
bool fb_journal_files_drop(struct fb_journal_files *journal, int64_t keep, struct fb_err *err);

/* Reads from `from`, which is there, to the end at this moment. */
struct fb_journal_cursor;
struct fb_journal_cursor *fb_journal_cursor_open(const struct fb_journal_files *journal,
                                                 int64_t from, struct fb_err *err);
/* Views until the next call. */
enum fb_read fb_journal_cursor_next(struct fb_journal_cursor *cursor, struct fb_frame *frame,
                                    struct fb_err *err);
void fb_journal_cursor_close(struct fb_journal_cursor *cursor);

#endif
