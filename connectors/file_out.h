/* Writes files, pipes and standard output, compressed where the name ends in .zst.
 *
 * Place in the flow: last, for replay and `run --output -`. Reading: connectors/lines.h. One
 * owner. */
#ifndef FB_CONNECTORS_FILE_OUT_H
#define FB_CONNECTORS_FILE_OUT_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdint.h>

struct fb_file_out;

/* Written from its beginning; "-" is standard output. NULL: err says why. */
struct fb_file_out *fb_file_out_open(const char *path, struct fb_err *err);
/* Goes on behind what a file holds already; for ever, so a power cut must not undo its making. Not
 * for names in .zst: what a crash leaves there could not be gone on with. */
struct fb_file_out *fb_file_out_open_behind(const char *path, struct fb_err *err);
/* Buffered; false with err when the medium refuses (disk full, closed pipe). */
bool fb_file_out_put(struct fb_file_out *out, struct fb_str bytes, struct fb_err *err);
bool fb_file_out_flush(struct fb_file_out *out, struct fb_err *err);
/* Flushes and waits until a regular file is on the disk; pipes and standard output take what is
 * flushed. */
bool fb_file_out_sync(struct fb_file_out *out, struct fb_err *err);
/* Which regular file it is, and how many bytes are flushed to it; at -1: it is none, or compressed.
 */
void fb_file_out_mark(const struct fb_file_out *out, uint64_t *file, int64_t *at);
/* Goes back to a mark, if this is the same file and reaches as far; leaves it alone otherwise. */
bool fb_file_out_go_back(struct fb_file_out *out, uint64_t file, int64_t at, struct fb_err *err);
/* Flushes and closes; it is closed also where that fails. */
bool fb_file_out_close(struct fb_file_out *out, struct fb_err *err);

#endif
