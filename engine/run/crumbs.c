/* Breadcrumbs: which record each worker has in hand, in a mapped file that outlives a crash. */
#include "engine/run/crumbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/base/hash.h"
#include "engine/base/planted.h"

enum { WORKERS_MAX = 256, CRASHES_MAX = 256 };
#define POISON_TIMES (FB_PLANTED(ONCE_IS_POISON) ? 1u : 2u)

static const char magic[8] = "FBCRUMB1";

struct mapped {
    char magic[8];
    uint32_t n_crashes;
    uint32_t unused;
    struct fb_crash crashes[CRASHES_MAX];
    struct fb_crumb crumbs[WORKERS_MAX];
};

struct fb_crumbs {
    int fd;
    bool any_poison;
    struct mapped *mapped;
};

uint64_t fb_crumb_topic(struct fb_str topic) {
    return fb_hash128(topic.p, topic.n).low;
}

/* ---- what the last process left ---- */

static bool same_place(const struct fb_crash *crash, const struct fb_crumb *crumb) {
    return crash->topic == crumb->topic && crash->partition == crumb->partition &&
           crash->offset == crumb->offset;
}

/* A crash at the same place as the time before counts on; the list forgets the others, but those
 * that are poison. */
static void take_stock(struct mapped *mapped) {
    struct fb_crash crashes[CRASHES_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        const struct fb_crumb *crumb = &mapped->crumbs[i];
        if (!crumb->active || n == CRASHES_MAX)
            continue;
        crashes[n] = (struct fb_crash){crumb->topic, crumb->offset, crumb->partition, 1};
        for (uint32_t k = 0; k < mapped->n_crashes; k++)
            if (same_place(&mapped->crashes[k], crumb) && !FB_PLANTED(CRASH_FORGOTTEN))
                crashes[n].times += mapped->crashes[k].times;
        n++;
    }
    for (uint32_t k = mapped->n_crashes; k-- > 0 && n < CRASHES_MAX;) {
        bool there = false;
        for (uint32_t i = 0; i < n; i++)
            there |= crashes[i].topic == mapped->crashes[k].topic &&
                     crashes[i].partition == mapped->crashes[k].partition &&
                     crashes[i].offset == mapped->crashes[k].offset;
        if (!there && mapped->crashes[k].times >= POISON_TIMES)
            crashes[n++] = mapped->crashes[k];
    }
    memcpy(mapped->crashes, crashes, n * sizeof *crashes);
    mapped->n_crashes = n;
    memset(mapped->crumbs, 0, sizeof mapped->crumbs);
}

/* ---- the file ---- */

static bool make_folder(const char *folder, struct fb_err *err) {
    if (mkdir(folder, 0700) == 0 || errno == EEXIST)
        return true;
    return fb_fail(err, FB_FATAL, "cannot make the folder %s: %s (state.dir, or TMPDIR)", folder,
                   strerror(errno));
}

static int open_file(const char *path, struct fb_err *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        fb_fail(err, FB_FATAL, "cannot open %s: %s (state.dir, or TMPDIR)", path, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        fb_fail(err, FB_FATAL,
                "another process runs this application under this instance.id on this host (%s is "
                "locked): give each its own instance.id",
                path);
        close(fd);
        return -1;
    }
    return fd;
}

static struct mapped *map_file(int fd, const char *path, struct fb_err *err) {
    struct stat stat;
    void *at = MAP_FAILED;
    bool whole = fstat(fd, &stat) == 0 && stat.st_size == (off_t)sizeof(struct mapped);
    if (posix_fallocate(fd, 0, sizeof(struct mapped)) == 0 &&
        ftruncate(fd, sizeof(struct mapped)) == 0)
        at = mmap(NULL, sizeof(struct mapped), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        fb_fail(err, FB_FATAL, "cannot use %s: %s (state.dir, or TMPDIR)", path, strerror(errno));
        return NULL;
    }
    struct mapped *mapped = at;
    if (!whole || memcmp(mapped->magic, magic, sizeof magic) != 0 ||
        mapped->n_crashes > CRASHES_MAX) {
        memset(mapped, 0, sizeof *mapped);
        memcpy(mapped->magic, magic, sizeof magic);
    }
    return mapped;
}

struct fb_crumbs *fb_crumbs_open(const char *folder, const char *name, uint32_t workers,
                                 struct fb_err *err) {
    char path[4096];
    FB_ASSERT(workers <= WORKERS_MAX);
    snprintf(path, sizeof path, "%s/%s.crumbs", folder, name);
    int fd = make_folder(folder, err) ? open_file(path, err) : -1;
    struct mapped *mapped = fd < 0 ? NULL : map_file(fd, path, err);
    if (!mapped) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    take_stock(mapped);
    struct fb_crumbs *crumbs = fb_alloc(sizeof *crumbs);
    crumbs->fd = fd;
    crumbs->mapped = mapped;
    for (uint32_t i = 0; i < mapped->n_crashes; i++)
        crumbs->any_poison |= mapped->crashes[i].times >= POISON_TIMES;
    return crumbs;
}

void fb_crumbs_close(struct fb_crumbs *crumbs) {
    if (!crumbs)
        return;
    munmap(crumbs->mapped, sizeof *crumbs->mapped);
    close(crumbs->fd);
    free(crumbs);
}

struct fb_crumb *fb_crumbs_of(struct fb_crumbs *crumbs, uint32_t worker) {
    FB_ASSERT(worker < WORKERS_MAX);
    return &crumbs->mapped->crumbs[worker];
}

bool fb_crumbs_crash(const struct fb_crumbs *crumbs, uint32_t index, struct fb_crash *crash) {
    if (index >= crumbs->mapped->n_crashes)
        return false;
    *crash = crumbs->mapped->crashes[index];
    return true;
}

bool fb_crumbs_is_poison(const struct fb_crumbs *crumbs, uint64_t topic, int32_t partition,
                         int64_t offset) {
    if (!crumbs->any_poison)
        return false;
    for (uint32_t i = 0; i < crumbs->mapped->n_crashes; i++) {
        const struct fb_crash *crash = &crumbs->mapped->crashes[i];
        if (crash->times >= POISON_TIMES && crash->topic == topic &&
            crash->partition == partition && crash->offset == offset)
            return true;
    }
    return false;
}
