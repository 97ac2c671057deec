/* Failures of the outside world, and the assert that stays in release builds. */
#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool fb_fail(struct fb_err *err, enum fb_failure kind, const char *format, ...) {
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        err->kind = kind;
    }
    return false;
}

_Noreturn void fb_bug(const char *file, int line, const char *what) {
    fprintf(stderr, "flyball: internal error at %s:%d: broken promise: %s\n", file, line, what);
    abort();
}
