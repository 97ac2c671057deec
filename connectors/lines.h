/* Lines of a file, of a .zst file or of standard input.
 *
 * Place in the flow: file and pipe inputs of `replay` and `run`. One owner. */
#ifndef FB_CONNECTORS_LINES_H
#define FB_CONNECTORS_LINES_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdint.h>

enum { FB_LINE_BYTES_MAX = 16 << 20 };

struct fb_lines;

/* path "-": standard input. Compressed files are known by their first bytes. NULL with err: cannot
 * be opened or read, is a folder. */
struct fb_lines *fb_lines_open(const char *path, struct fb_err *err);
void fb_lines_close(struct fb_lines *lines);

enum fb_line { FB_LINE_END = 0, FB_LINE_WHOLE, FB_LINE_CUT, FB_LINE_FAILED, FB_LINE_WAIT };

/* The next line, without its end ("\n" or "\r\n"); the last one needs none. FB_LINE_CUT: it is
 * longer than FB_LINE_BYTES_MAX and only its beginning is given. The view lives until the next
 * call. */
enum fb_line fb_lines_next(struct fb_lines *lines, struct fb_str *line, struct fb_err *err);
/* The same for a live input: FB_LINE_WAIT when no whole line comes within timeout_ms of a part. */
enum fb_line fb_lines_next_within(struct fb_lines *lines, int timeout_ms, struct fb_str *line,
                                  struct fb_err *err);
/* Bytes read from the file so far, and its size (0: not known), for a progress line. */
void fb_lines_progress(const struct fb_lines *lines, uint64_t *read_bytes, uint64_t *size_bytes);

#endif
