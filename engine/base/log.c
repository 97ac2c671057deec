/* Log lines to stderr, as text or one JSON object a line. */
#include "engine/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/calendar.h"
#include "engine/base/str.h"

enum { TEXT_MAX = 2048 };

/* Written by fb_log_setup before there are threads, then only read. */
static struct {
    enum fb_log_level level;
    bool json;
} setup = {FB_LOG_INFO, false};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void fb_log_setup(enum fb_log_level level, bool json) {
    setup.level = level;
    setup.json = json;
}

/* Text that is not UTF-8 (a foreign name, a cut) is taken as Latin-1: the line stays valid JSON. */
static void put_json_text(struct fb_buf *line, const char *text) {
    bool utf8 = fb_str_is_utf8(fb_str_of(text));
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fb_buf_char(line, '\\');
        if ((unsigned char)*text < 0x20 || (!utf8 && (unsigned char)*text >= 0x80))
            fb_buf_printf(line, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            fb_buf_char(line, *text);
    }
}

static void put_line(struct fb_buf *line, enum fb_log_level level, const char *text) {
    struct timespec now;
    char time_text[FB_TIME_TEXT_MAX];
    clock_gettime(CLOCK_REALTIME, &now);
    fb_time_format((int64_t)now.tv_sec * FB_SECOND + now.tv_nsec / 1000, time_text);
    if (!setup.json) {
        fb_buf_printf(line, "%s %-5s ", time_text, level_names[level]);
        for (; *text; text++) /* a line stays one line */
            fb_buf_char(line, *text == '\n' ? ' ' : *text);
        fb_buf_char(line, '\n');
        return;
    }
    fb_buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"text\":\"", time_text,
                  level_names[level]);
    put_json_text(line, text);
    fb_buf_text(line, "\"}\n");
}

void fb_log(enum fb_log_level level, const char *format, ...) {
    if (level > setup.level)
        return;
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct fb_buf line = {0};
    put_line(&line, level, text);
    ssize_t written;
    do {
        written = write(STDERR_FILENO, line.p, line.n);
    } while (written < 0 && errno == EINTR);
    fb_buf_free(&line);
}
