/* Records in files of a state folder: a head, key, value and checks, one behind the other.
 *
 * Place in the flow: state_journal and state_slots write and read these through connectors/disk.
 * One owner.
 *
 * A head has 56 bytes, numbers with the lowest byte first: "FBR1", the lengths of key and value (4
 * each, all ones: there is none), 4 of what is aside, the record's number, its stamp, the mark's
 * file and place (8 each), and 8 of the 128-bit XXH3 of these and the key. Key and value follow,
 * and 8 of the XXH3 of all three parts. */
#ifndef FB_CONNECTORS_STATE_FRAME_H
#define FB_CONNECTORS_STATE_FRAME_H

#include "connectors/connector.h"
#include "connectors/disk.h"
#include "connectors/state_dir.h"

enum { FB_FRAME_HEAD_BYTES = 56, FB_FRAME_EXTRA_BYTES = 64 /* beside key and value */ };

/* An open file and how far it is known to be good. */
struct fb_frame_file {
    struct fb_disk *disk;
    const char *path;
    int file;
    uint64_t size;
};

struct fb_frame {
    int64_t number;
    int64_t stamp_us;
    uint32_t aside; /* of a journal record: how much of `others` is committed with it, in bytes */
    struct fb_state_mark mark; /* of a journal record: where its outputs begin */
    struct fb_str key, value;  /* p NULL: there is none */
};

/* Appends its bytes. */
void fb_frame_encode(const struct fb_frame *frame, struct fb_buf *out);

enum fb_frame_read {
    FB_FRAME_OK,
    FB_FRAME_END,   /* `at` is the end */
    FB_FRAME_BAD,   /* torn, or damaged */
    FB_FRAME_FAILED /* err: it cannot be read */
};
/* The frame at `at`, and where the next one begins; key and value are views into `room`. `whole`:
 * checked to its last byte; else head and key are checked, and a value, if there is one, is
 * empty. */
enum fb_frame_read fb_frame_read(const struct fb_frame_file *file, uint64_t at, bool whole,
                                 struct fb_buf *room, struct fb_frame *frame, uint64_t *next,
                                 struct fb_err *err);
/* A whole frame with a number above `number` somewhere at or behind `at`: then what is bad before
 * it is no torn end. False with err: it cannot be read. */
bool fb_frame_is_beyond(const struct fb_frame_file *file, uint64_t at, int64_t number, bool *is,
                        struct fb_err *err);

/* Writes the same bytes in their place once more; they are safe after the next sync. (After a sync
 * that failed they may be in memory only, where the next sync looks for none that are new.) */
bool fb_frame_rewrite(const struct fb_frame_file *file, uint64_t from, uint64_t to,
                      struct fb_err *err);

/* Fails with what happened (an errno, negated), where and what to do. */
bool fb_disk_fail(struct fb_err *err, const char *what, const char *path, int64_t code);

#endif
