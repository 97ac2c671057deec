/* Log lines to stderr, as text or one JSON object a line.
 *
 * Place in the flow: for engine/run, the connectors and the commands; the core never logs.
 * Thread-safe: a line is written with one write(2). */
#ifndef FB_BASE_LOG_H
#define FB_BASE_LOG_H

#include <stdbool.h>

enum fb_log_level { FB_LOG_ERROR, FB_LOG_WARN, FB_LOG_INFO, FB_LOG_DEBUG };

/* Set once, before threads start. Default: info, text. */
void fb_log_setup(enum fb_log_level level, bool json);
/* Says what happened, where, and what to do. No newline at the end. */
void fb_log(enum fb_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
