/* Files, pipes and standard input: bytes in, lines out, zstd where the name ends in .zst.
 *
 * Place in the flow: first and last for replay, test and `run --input - --output -`. One owner. */
#ifndef FB_CONNECTORS_FILE_H
#define FB_CONNECTORS_FILE_H

#include "engine/base/err.h"
#include "engine/base/str.h"

struct fb_file_in;

/* A line may not be longer: a file without line ends must not fill the memory. */
#define FB_LINE_BYTES_MAX (16u << 20)

/* "-" is standard input. NULL: err says why. */
struct fb_file_in *fb_file_in_open(const char *path, struct fb_err *err);
void fb_file_in_close(struct fb_file_in *in);

enum fb_line {
    FB_LINE,      /* *line is set, without its line end; valid until the next call */
    FB_LINE_END,
    FB_LINE_WAIT, /* only with a time-out: nothing came in time */
    FB_LINE_FAILED
};
/* The next line; the last one needs no line end. A line end is LF or CR LF. timeout_ms: how long to
 * wait for more of a pipe or a terminal; -1: for ever. */
enum fb_line fb_file_in_line(struct fb_file_in *in, int timeout_ms, struct fb_str *line,
                             struct fb_err *err);
/* Bytes read of the file so far (compressed ones where it is), and its size; -1: not known. */
void fb_file_in_progress(const struct fb_file_in *in, long long *done_bytes,
                         long long *size_bytes);

/* A file that is written from its beginning; "-" is standard output. Compressed where the name
 * ends in .zst. */
struct fb_file_out;

struct fb_file_out *fb_file_out_open(const char *path, struct fb_err *err);
/* Buffered; false with err when the medium refuses (disk full, closed pipe). */
bool fb_file_out_put(struct fb_file_out *out, struct fb_str bytes, struct fb_err *err);
bool fb_file_out_flush(struct fb_file_out *out, struct fb_err *err);
/* Flushes and closes, also where it fails. */
bool fb_file_out_close(struct fb_file_out *out, struct fb_err *err);

#endif
