/* Watches what a group commits: that no position goes back, and when each owner committed last.
 *
 * Place in the flow: tests only, on a thread of its own beside the test's; asks the broker again
 * and again, whatever happens to it. */
#ifndef FB_TESTS_KAFKA_WATCH_H
#define FB_TESTS_KAFKA_WATCH_H

#include <stdint.h>

struct fb_watch;

/* The texts must outlive the watch. */
struct fb_watch *fb_watch_start(const char *address, const char *group, const char *topic,
                                int partitions);
/* How often a position went back. Frees it too. */
unsigned fb_watch_end(struct fb_watch *watch);

/* Sum of the positions, 0 for those that are not there yet. */
int64_t fb_watch_total(struct fb_watch *watch);
int64_t fb_watch_position(struct fb_watch *watch, int32_t partition);
/* The longest time in which a position stood still, that of now included, since the last call; of
 * those that have moved before. */
int64_t fb_watch_still_ms(struct fb_watch *watch);
/* When the last commit was seen whose note names this owner, monotonic; 0: none yet. */
int64_t fb_watch_committed_ms(struct fb_watch *watch, const char *owner);
int64_t fb_watch_now_ms(void);

#endif
