/* What the cells of a class mean, as hashes: for a reload, which looks for its old cells.
 *
 * Place in the flow: the lowering's last step; core/migrate compares the cells of two programs. */
#ifndef FB_RULES_IDENTITY_H
#define FB_RULES_IDENTITY_H

#include "engine/model/program.h"

/* Sets the cells of every class. Everything else of the program is there. */
void fb_identify(struct fb_program *program);

#endif
