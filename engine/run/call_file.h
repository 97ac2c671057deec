/* A replay's operator calls: lines of calls, each with the time `at` at which it came.
 *
 * Place in the flow: `flyball replay --calls FILE` -> here -> run/replay, which takes each before
 * the first record whose clock is at or beyond its time. One owner. */
#ifndef FB_RUN_CALL_FILE_H
#define FB_RUN_CALL_FILE_H

#include "engine/base/err.h"
#include "engine/codec/call.h"

struct fb_call_file;
/* "-": standard input. NULL: err says why (FB_FATAL). */
struct fb_call_file *fb_call_file_open(const char *path, struct fb_err *err);
void fb_call_file_close(struct fb_call_file *file);

struct fb_filed_call {
    struct fb_call_read read; /* its at_us is ascending */
    struct fb_str line;
    int64_t number; /* of the line: 1, 2, .. */
};
/* The next one; its views live until the next call. False: that was all, or (err set) a line has no
 * time, or one before that of the line before. */
bool fb_call_file_next(struct fb_call_file *file, struct fb_filed_call *call, struct fb_err *err);

#endif
