/* What two runs over the same events have told differently, for people and for programs.
 *
 * Place in the flow: behind `flyball diff`. */
#ifndef FB_CLI_DIFF_TEXT_H
#define FB_CLI_DIFF_TEXT_H

#include "engine/review/episodes.h"
#include "engine/run/bundle.h"
#include "engine/run/replay.h"

/* One of the two runs. */
struct fb_diff_side {
    const char *path;
    struct fb_bundle *bundle, *other; /* of the rules, and of the other side's */
    struct fb_episodes *episodes;
    struct fb_replay_result result;
};

/* Appends each difference (not with `summary`) and tables of them, a row a rule, a row an actuator.
 * near_us: as of fb_episodes_compare. True: they differ. */
bool fb_diff_print(const struct fb_diff_side sides[2], int64_t near_us, bool json, bool summary,
                   struct fb_buf *out);

#endif
