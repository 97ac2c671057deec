/* Frequent sequences of instructions become one.
 *
 * Place in the flow: the lowering's last step for a piece of code, before what nothing reads is
 * dropped. Changes no value, no state and no deadline. */
#ifndef FB_RULES_FUSE_H
#define FB_RULES_FUSE_H

struct fb_piece;

void fb_fuse(struct fb_piece *piece);

#endif
