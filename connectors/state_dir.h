/* Journal and snapshots of one partition in a folder, for inputs and outputs that are files or
 * pipes.
 *
 * Place in the flow: run/engine opens it where state.dir serves and there is no broker; the worker
 * sees a sink and a history as everywhere. One owner and one thread; sink and history are used
 * while the folder is open.
 *
 * The journal is written ahead of the outputs: a commit first makes the pieces of the snapshot and
 * the journal record safe, then puts the outputs and makes them safe, then notes, without waiting
 * for the disk, that they are. So after a crash at any moment the folder holds every record that
 * was committed, perhaps one more, and nothing else; and the outputs of at most that last record
 * may be missing, or be there in whole or in part. docs/STATE.md is the exact text. */
#ifndef FB_CONNECTORS_STATE_DIR_H
#define FB_CONNECTORS_STATE_DIR_H

#include "connectors/connector.h"
#include "connectors/disk.h"

struct fb_state_place {
    const char *root;        /* state.dir; made if need be */
    const char *application; /* a folder in it */
    int32_t partition;       /* a folder in that; negative: "pipe" */
    struct fb_disk *disk;    /* NULL: the operating system's */
    uint64_t segment_bytes;  /* of the journal, after which another file is begun; 0: 16 MB */
};

/* Locks the folder, reads what is there and mends what a crash left. NULL: err says why, among
 * others that another process has it, that it is damaged, or of another version. */
struct fb_state_dir;
struct fb_state_dir *fb_state_dir_open(const struct fb_state_place *place, struct fb_err *err);
void fb_state_dir_close(struct fb_state_dir *dir);
const char *fb_state_dir_path(const struct fb_state_dir *dir);

/* Offset of the last journal record if its outputs may not be written, -1 if they are. Then these
 * have to be put and committed once more, without a journal record or with the same one, before the
 * next one is put. */
int64_t fb_state_unfinished(const struct fb_state_dir *dir);

/* Where outputs stand in a medium that can go back, so that those of an unfinished record need not
 * be there twice. */
struct fb_state_mark {
    uint64_t file; /* which one: a file that took its place is left alone */
    int64_t at;    /* behind everything committed, in bytes; -1: it cannot go back */
};
struct fb_state_marks {
    struct fb_state_mark (*mark)(void *context);
    bool (*go_back)(void *context, struct fb_state_mark mark, struct fb_err *err);
    void *context;
};

/* Keeps the records of the two topics in the folder and all others in `inner`, which it closes; so
 * it does where it fails. At most one journal record a commit, with the partition's own number.
 * After FB_COMMIT_FAILED it takes nothing more. marks: of inner, copied; NULL: it cannot go back.
 */
struct fb_sink *fb_state_sink_open(struct fb_state_dir *dir, struct fb_sink *inner,
                                   const struct fb_state_marks *marks, const char *journal_topic,
                                   const char *snapshot_topic, struct fb_err *err);

/* input: a file that can be read again, by its lines as connectors/pipe counts them; NULL: there is
 * none. The journal's offsets are 0, 1, ..; of the snapshot topic every key is there once. Records
 * of the input have no stamps. */
struct fb_history_topics {
    const char *journal, *snapshot;
    const char *input;      /* the topic of the input */
    const char *input_path; /* or NULL */
};
struct fb_history *fb_state_history_open(struct fb_state_dir *dir,
                                         const struct fb_history_topics *topics,
                                         struct fb_err *err);

#endif
