/* Files and folders by the operating system's own calls. */
#include "connectors/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int result(int code) {
    return code < 0 ? -errno : code;
}

static int open_file(struct fb_disk *disk, const char *path, enum fb_disk_open how) {
    static const int flags[] = {[FB_DISK_READ] = O_RDONLY,
                                [FB_DISK_WRITE] = O_RDWR | O_CREAT,
                                [FB_DISK_NEW] = O_RDWR | O_CREAT | O_TRUNC};
    (void)disk;
    return result(open(path, flags[how] | O_CLOEXEC, 0666));
}

static void close_file(struct fb_disk *disk, int file) {
    (void)disk;
    close(file);
}

static int64_t size_of(struct fb_disk *disk, int file) {
    struct stat info;
    (void)disk;
    return fstat(file, &info) ? -errno : (int64_t)info.st_size;
}

static int64_t read_at(struct fb_disk *disk, int file, uint64_t at, void *into, size_t n) {
    size_t done = 0;
    (void)disk;
    while (done < n) {
        ssize_t got = pread(file, (char *)into + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

static int write_at(struct fb_disk *disk, int file, uint64_t at, const void *bytes, size_t n) {
    (void)disk;
    for (size_t done = 0; done < n;) {
        ssize_t got = pwrite(file, (const char *)bytes + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        done += (size_t)got;
    }
    return 0;
}

static int cut(struct fb_disk *disk, int file, uint64_t size) {
    (void)disk;
    return result(ftruncate(file, (off_t)size));
}

static int sync_file(struct fb_disk *disk, int file) {
    (void)disk;
    return result(fdatasync(file));
}

static int lock_file(struct fb_disk *disk, int file) {
    (void)disk;
    return result(flock(file, LOCK_EX | LOCK_NB));
}

static int make_dir(struct fb_disk *disk, const char *path) {
    (void)disk;
    return result(mkdir(path, 0777));
}

static int sync_dir(struct fb_disk *disk, const char *path) {
    (void)disk;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    int code = result(fsync(dir));
    close(dir);
    return code;
}

static int move(struct fb_disk *disk, const char *from, const char *to) {
    (void)disk;
    return result(rename(from, to));
}

static int remove_file(struct fb_disk *disk, const char *path) {
    (void)disk;
    return result(unlink(path));
}

static int list(struct fb_disk *disk, const char *path,
                void (*each)(void *context, const char *name), void *context) {
    (void)disk;
    DIR *dir = opendir(path);
    if (!dir)
        return -errno;
    int code = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry) {
            code = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            each(context, entry->d_name);
    }
    closedir(dir);
    return code;
}

struct fb_disk *fb_disk_real(void) {
    static const struct fb_disk_calls calls = {
        open_file, close_file, size_of,  read_at, write_at,    cut, sync_file,
        lock_file, make_dir,   sync_dir, move,    remove_file, list};
    static struct fb_disk real = {&calls};
    return &real;
}
