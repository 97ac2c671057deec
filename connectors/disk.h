/* The calls to files and folders that durable state needs, behind one struct, so that a test can
 * put a disk in their place that fails.
 *
 * Place in the flow: state_dir and its parts know only this; nothing else in them touches files.
 * The real one may be shared by threads.
 *
 * Numbers below 0 are errors: the negative of an errno. What is written is safe from a power cut
 * only after `sync`; a name that was made, renamed or removed only after `sync_dir` of its folder.
 */
#ifndef FB_CONNECTORS_DISK_H
#define FB_CONNECTORS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fb_disk_open {
    FB_DISK_READ,
    FB_DISK_WRITE, /* and read; made where it does not exist */
    FB_DISK_NEW    /* and read; made, or emptied */
};

struct fb_disk;
struct fb_disk_calls {
    /* A handle, 0 or more. */
    int (*open)(struct fb_disk *disk, const char *path, enum fb_disk_open how);
    void (*close)(struct fb_disk *disk, int file);
    int64_t (*size)(struct fb_disk *disk, int file);
    /* How many bytes: fewer than n only at the file's end. */
    int64_t (*read)(struct fb_disk *disk, int file, uint64_t at, void *into, size_t n);
    /* All of it, or an error, and then a part may be there. */
    int (*write)(struct fb_disk *disk, int file, uint64_t at, const void *bytes, size_t n);
    int (*truncate)(struct fb_disk *disk, int file, uint64_t size);
    int (*sync)(struct fb_disk *disk, int file);
    /* Until the file is closed; -EWOULDBLOCK: somebody else has it. */
    int (*lock)(struct fb_disk *disk, int file);
    int (*make_dir)(struct fb_disk *disk, const char *path); /* -EEXIST: it is there */
    int (*sync_dir)(struct fb_disk *disk, const char *path);
    int (*rename)(struct fb_disk *disk, const char *from, const char *to);
    int (*unlink)(struct fb_disk *disk, const char *path);
    /* Each name in the folder but "." and "..", in any order. */
    int (*list)(struct fb_disk *disk, const char *path,
                void (*each)(void *context, const char *name), void *context);
};
struct fb_disk {
    const struct fb_disk_calls *calls;
};

/* The operating system's. */
struct fb_disk *fb_disk_real(void);

#endif
