/* A copy of the files of a state folder, so that they can be looked at and stay as they are: to
 * open a folder mends what a crash left in it.
 *
 * Place in the flow: `flyball audit verify --reexecute` before state_dir opens the copy. */
#ifndef FB_CONNECTORS_STATE_COPY_H
#define FB_CONNECTORS_STATE_COPY_H

#include "connectors/disk.h"
#include "engine/base/err.h"

struct fb_state_copy;

/* Copies ROOT/APPLICATION/pipe below a new folder in `temporary`. NULL: err says why: there is no
 * such folder, a process uses it, or it can not be read or copied. */
struct fb_state_copy *fb_state_copy_new(const char *root, const char *application,
                                        const char *temporary, struct fb_err *err);
/* For state_dir, instead of the root of the original. */
const char *fb_state_copy_root(const struct fb_state_copy *copy);
/* Removes it; nobody has it open. NULL is fine. */
void fb_state_copy_free(struct fb_state_copy *copy);

#endif
