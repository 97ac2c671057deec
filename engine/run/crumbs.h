/* Breadcrumbs: which record each worker has in hand, in a mapped file that outlives a crash.
 *
 * Place in the flow: run/worker drops one before it takes a record; at the next start the engine
 * learns which records the process died of. One that it died of twice is put among the dead letters
 * without being looked at. A crumb belongs to its worker's thread; the rest is read-only after the
 * opening.
 *
 * The file is APPLICATION-INSTANCE.crumbs: a magic, then the list of crashes, then a crumb a
 * worker. It holds across kill -9, not across a power cut, which is no crash of ours. */
#ifndef FB_RUN_CRUMBS_H
#define FB_RUN_CRUMBS_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdint.h>

struct fb_crumb {
    uint64_t topic; /* fb_crumb_topic */
    int64_t offset;
    int32_t partition;
    volatile uint32_t active; /* a record is in hand */
};

struct fb_crumbs;

/* Creates folder and file where they are missing. Another process with the same file: fatal. NULL:
 * err says why. */
struct fb_crumbs *fb_crumbs_open(const char *folder, const char *name, uint32_t workers,
                                 struct fb_err *err);
void fb_crumbs_close(struct fb_crumbs *crumbs); /* NULL is fine */
/* Of one worker, numbered from 0; lives until the close. */
struct fb_crumb *fb_crumbs_of(struct fb_crumbs *crumbs, uint32_t worker);
/* A name's stable hash. */
uint64_t fb_crumb_topic(struct fb_str topic);

/* Positions at which the process died, the last time it did; `index` from 0, false: no more. */
struct fb_crash {
    uint64_t topic;
    int64_t offset;
    int32_t partition;
    uint32_t times; /* in a row */
};
bool fb_crumbs_crash(const struct fb_crumbs *crumbs, uint32_t index, struct fb_crash *crash);
/* The process has died of this record at least twice. */
bool fb_crumbs_is_poison(const struct fb_crumbs *crumbs, uint64_t topic, int32_t partition,
                         int64_t offset);

static inline void fb_crumb_drop(struct fb_crumb *crumb, uint64_t topic, int32_t partition,
                                 int64_t offset) {
    crumb->active = 0; /* never a mixture of two positions */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    crumb->topic = topic;
    crumb->partition = partition;
    crumb->offset = offset;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    crumb->active = 1;
}
static inline void fb_crumb_clear(struct fb_crumb *crumb) {
    crumb->active = 0;
}

#endif
