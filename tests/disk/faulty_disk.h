/* A disk in memory that can lose, tear and refuse what is written.
 *
 * Place in the flow: tests put it in the place of connectors/disk's real one. One owner.
 *
 * It knows what is written and what is safe: a file's bytes after its `sync`, a name after the
 * `sync_dir` of its folder. A kill of the process loses nothing but the call under way; a power cut
 * loses any part of what is not safe, in any order. After a `sync` that failed, what it should have
 * made safe can be read but never becomes safe, as on Linux. */
#ifndef FB_TESTS_DISK_FAULTY_DISK_H
#define FB_TESTS_DISK_FAULTY_DISK_H

#include "connectors/disk.h"
#include "engine/base/str.h"

enum fb_loss { FB_KEEP_ALL /* only the process dies */, FB_LOSE_ALL, FB_LOSE_SOME };

struct fb_faulty_plan {
    uint64_t crash_at; /* the call during which the process dies; 0: never */
    uint64_t fail_at;  /* the call that fails with fail_code; 0: none */
    int fail_code;     /* an errno, negated */
    bool fail_on;      /* all later calls that write fail too */
    /* A lie: `sync` of files, or `sync_dir` of folders, whose path holds this text says that it
     * went well and does nothing. NULL: none. */
    const char *no_sync, *no_sync_dir;
};

struct fb_faulty_disk;

struct fb_faulty_disk *fb_faulty_disk_new(void);
void fb_faulty_disk_free(struct fb_faulty_disk *disk);
struct fb_disk *fb_faulty_disk_base(struct fb_faulty_disk *disk);
/* From here on; calls are counted from 1 again. */
void fb_faulty_disk_plan(struct fb_faulty_disk *disk, const struct fb_faulty_plan *plan,
                         uint64_t seed);
uint64_t fb_faulty_disk_calls(const struct fb_faulty_disk *disk);
bool fb_faulty_disk_is_dead(const struct fb_faulty_disk *disk);
/* Counts as a call: false where the process dies in it, or is dead. For what else has an effect
 * outside. */
bool fb_faulty_disk_step(struct fb_faulty_disk *disk);
/* The process is gone, with its open files and locks; perhaps the power too. */
void fb_faulty_disk_reboot(struct fb_faulty_disk *disk, enum fb_loss loss);

/* What a reader of the file sees now; empty if there is none. */
struct fb_str fb_faulty_disk_content(const struct fb_faulty_disk *disk, const char *path);
uint64_t fb_faulty_disk_id(const struct fb_faulty_disk *disk, int file);
/* For damage by hand: the i-th file that there is, NULL behind the last; its bytes may be changed.
 */
char *fb_faulty_disk_bytes(struct fb_faulty_disk *disk, size_t i, const char **path, size_t *n);
/* Cuts a file, safely. */
void fb_faulty_disk_cut(struct fb_faulty_disk *disk, const char *path, size_t n);
/* Removes a name, safely. */
void fb_faulty_disk_remove(struct fb_faulty_disk *disk, const char *path);
/* A copy, with nothing open. */
struct fb_faulty_disk *fb_faulty_disk_copy(const struct fb_faulty_disk *disk);

#endif
