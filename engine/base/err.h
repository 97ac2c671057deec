/* Failures of the outside world, and the assert that stays in release builds.
 *
 * Place in the flow: used by everything; knows nothing but libc.
 *
 * Three kinds of failure stay apart: a bug ends the process through FB_ASSERT; an operating error
 * travels in a struct fb_err; a mistake in a user's file is a diagnostic (rules/diag.h). */
#ifndef FB_BASE_ERR_H
#define FB_BASE_ERR_H

#include <stdbool.h>

enum fb_failure { FB_NO_FAILURE = 0, FB_RETRIABLE, FB_FATAL };

/* Says what happened, where, and what to do. Owned by the caller, usually on its stack. */
struct fb_err {
    enum fb_failure kind;
    char text[512];
};

/* Fills err (which may be NULL) and returns false, so that `return fb_fail(err, ...)` reads
 * well. */
bool fb_fail(struct fb_err *err, enum fb_failure kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints what is broken with its place to stderr and aborts. */
_Noreturn void fb_bug(const char *file, int line, const char *what);

#define FB_ASSERT(promise)                                                                         \
    ((__builtin_expect(!(promise), 0)) ? fb_bug(__FILE__, __LINE__, #promise) : (void)0)

/* For a place that cannot be reached; says what would have to be there. */
#define FB_BUG(what) fb_bug(__FILE__, __LINE__, what)

#endif
