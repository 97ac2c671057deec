/* Writes files, pipes and standard output, compressed where the name ends in .zst.
 *
 * Place in the flow: last, for replay and `run --output -`. Reading: connectors/lines.h. One
 * owner. */
#ifndef FB_CONNECTORS_FILE_OUT_H
#define FB_CONNECTORS_FILE_OUT_H

#include "engine/base/err.h"
#include "engine/base/str.h"

struct fb_file_out;

/* Written from its beginning; "-" is standard output. NULL: err says why. */
struct fb_file_out *fb_file_out_open(const char *path, struct fb_err *err);
/* Buffered; false with err when the medium refuses (disk full, closed pipe). */
bool fb_file_out_put(struct fb_file_out *out, struct fb_str bytes, struct fb_err *err);
bool fb_file_out_flush(struct fb_file_out *out, struct fb_err *err);
/* Flushes and closes; it is closed also where that fails. */
bool fb_file_out_close(struct fb_file_out *out, struct fb_err *err);

#endif
