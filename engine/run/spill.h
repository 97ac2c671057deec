/* Frames of bytes in an unlinked temporary file: what a task wants to put out beyond its memory.
 *
 * Place in the flow: run/batch puts here what is too much for memory and reads it back. One owner.
 *
 * The file is made at the first frame, readable by this user only, and gone when the process is. A
 * failure to write or read lasts until the end: what is added later is only counted. */
#ifndef FB_RUN_SPILL_H
#define FB_RUN_SPILL_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdint.h>

struct fb_spill;

/* The folder's name is not copied. */
struct fb_spill *fb_spill_new(const char *folder);
void fb_spill_free(struct fb_spill *spill);

void fb_spill_add(struct fb_spill *spill, struct fb_str frame);
uint32_t fb_spill_count(const struct fb_spill *spill);
/* The i-th frame, a view until the next call; an empty one where the spill has failed. Made for
 * reading from some i onwards. */
struct fb_str fb_spill_at(struct fb_spill *spill, uint32_t i);
/* Gives the file back. */
void fb_spill_clear(struct fb_spill *spill);
/* False: a frame could not be written or read; fatal, and err says what to do. */
bool fb_spill_ok(const struct fb_spill *spill, struct fb_err *err);

#endif
