/* Operators' calls, as they stand in the control topic.
 *
 * Place in the flow: the engine opens it before its workers; a thread of its own reads the topic
 * on, a few times a second; workers hand each task the calls behind its own last one, between two
 * commits. What stands below fb_control_close is thread-safe.
 *
 * All calls that the topic holds are kept: a task that is rebuilt, or new, takes those that it has
 * not taken, and so a kill is in force in every partition, whenever it came. */
#ifndef FB_RUN_CONTROL_H
#define FB_RUN_CONTROL_H

#include "connectors/connector.h"

#include <stdatomic.h>

struct fb_control_config {
    const char *topic;
    struct fb_history *history; /* taken over; its own */
    const atomic_bool *stop;
};

struct fb_control;

/* Reads what is there; a topic that does not exist holds nothing. NULL: err says why. */
struct fb_control *fb_control_open(const struct fb_control_config *config, struct fb_err *err);
/* Reads on, on its own thread, until `stop`. */
bool fb_control_start(struct fb_control *control, struct fb_err *err);
/* Waits for the thread; `stop` must be set if there is one. NULL: nothing. */
void fb_control_close(struct fb_control *control);

struct fb_control_call {
    struct fb_str topic, bytes; /* live as long as the control */
    int64_t offset;
};
/* The first one at or behind this offset. False: there is none yet. control NULL: there is none. */
bool fb_control_next(struct fb_control *control, int64_t from, struct fb_control_call *call);

#endif
