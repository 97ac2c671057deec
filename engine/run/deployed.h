/* Which rules are in force: those that were deployed last, as far as this process can run them.
 *
 * Place in the flow: the engine opens it before its workers; a thread of its own looks into the
 * rules topic once a second, or when a worker asks it to, so that a broker that does not answer
 * holds up nobody; workers follow after each commit. What stands below fb_deployed_close is
 * thread-safe. */
#ifndef FB_RUN_DEPLOYED_H
#define FB_RUN_DEPLOYED_H

#include "connectors/connector.h"
#include "engine/run/board.h"
#include "engine/run/bundle.h"

#include <stdatomic.h>

struct fb_config;

struct fb_deployed_config {
    const char *topic;
    struct fb_history *history; /* taken over; its own */
    struct fb_bundle *bundle;   /* of --rules: in force until others are deployed, and what is
                                 * deployed must read the same topics */
    struct fb_board *board;     /* told of what is refused */
    const struct fb_config *config; /* says which topics rules may command; NULL: any */
    bool is_absent;             /* the topic was looked for just now: there is none yet */
    const atomic_bool *stop;
};

struct fb_deployed;

/* Looks once, where there is a topic. NULL: err says why. */
struct fb_deployed *fb_deployed_open(const struct fb_deployed_config *config, struct fb_err *err);
/* Looks again: what came since. False: err says why, nothing has changed. */
bool fb_deployed_look(struct fb_deployed *deployed, struct fb_err *err);
/* Goes on looking, on its own thread, until `stop`. */
bool fb_deployed_start(struct fb_deployed *deployed, struct fb_err *err);
/* Waits for the thread; `stop` must be set if there is one. */
void fb_deployed_close(struct fb_deployed *deployed);

/* The bundle in force, a reference for the caller. deployed NULL: `otherwise`. */
struct fb_bundle *fb_deployed_wanted(struct fb_deployed *deployed, struct fb_bundle *otherwise);
/* Asks for a look that begins after this call, at once: its number. */
uint64_t fb_deployed_ask(struct fb_deployed *deployed);
/* The look of this number, or one after it, has gone well. */
bool fb_deployed_has_looked(const struct fb_deployed *deployed, uint64_t look);
/* Somebody has asked for a look that has not begun. */
bool fb_deployed_is_asked(const struct fb_deployed *deployed);
/* Since the opening somebody has asked the application to drain. */
bool fb_deployed_drains(const struct fb_deployed *deployed);

#endif
