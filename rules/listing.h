/* A compiled program as text: classes, cells, windows, and the code of every condition.
 *
 * Place in the flow: beside lower: `flyball check --listing`, and tests that fix what is
 * emitted. */
#ifndef FB_RULES_LISTING_H
#define FB_RULES_LISTING_H

#include "engine/model/program.h"

/* Appends the listing. The text is for people: it may change with any version. */
void fb_listing(const struct fb_program *program, struct fb_buf *out);
/* Appends one piece of code, an instruction a line, each behind `indent` blanks. */
void fb_listing_code(const struct fb_class *class_, struct fb_code code, int indent,
                     struct fb_buf *out);
/* Appends what a window holds: "avg max of load over 5m: ring of 121 places". */
void fb_listing_window(const struct fb_class *class_, const struct fb_window *window,
                       struct fb_buf *out);

#endif
