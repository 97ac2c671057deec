/* Lines of calls, one after the other.
 *
 * Place in the flow: see call_file.h. */
#include "engine/run/call_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"

struct fb_call_file {
    FILE *file;
    const char *path;
    char *line; /* getline's */
    size_t room;
    struct fb_call_reader *reader;
    int64_t number, last_us;
};

struct fb_call_file *fb_call_file_open(const char *path, struct fb_err *err) {
    FILE *opened = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!opened) {
        fb_fail(err, FB_FATAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct fb_call_file *file = fb_alloc(sizeof *file);
    file->file = opened;
    file->path = path;
    file->reader = fb_call_reader_new();
    file->last_us = INT64_MIN;
    return file;
}

void fb_call_file_close(struct fb_call_file *file) {
    if (!file)
        return;
    if (file->file != stdin)
        fclose(file->file);
    fb_call_reader_free(file->reader);
    free(file->line);
    free(file);
}

static bool is_blank(struct fb_str line) {
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
            return false;
    return true;
}

/* The next line that is not blank; n 0: there is none. */
static struct fb_str next_line(struct fb_call_file *file) {
    ssize_t n;
    while ((n = getline(&file->line, &file->room, file->file)) > 0) {
        struct fb_str line = {file->line, (size_t)n};
        if (line.p[line.n - 1] == '\n')
            line.n--;
        file->number++;
        if (!is_blank(line))
            return line;
    }
    return (struct fb_str){0};
}

bool fb_call_file_next(struct fb_call_file *file, struct fb_filed_call *call, struct fb_err *err) {
    *err = (struct fb_err){0};
    struct fb_str line = next_line(file);
    if (line.n == 0 && ferror(file->file))
        return fb_fail(err, FB_FATAL, "%s: %s", file->path, strerror(errno));
    if (line.n == 0)
        return false;
    *call = (struct fb_filed_call){.line = line, .number = file->number};
    fb_call_read(file->reader, line, &call->read);
    if (!call->read.has_at)
        return fb_fail(err, FB_FATAL,
                       "%s:%lld: a call in a file needs the time at which it came: `\"at\": "
                       "\"2026-01-01T12:00:00Z\"`",
                       file->path, (long long)file->number);
    if (call->read.at_us < file->last_us)
        return fb_fail(err, FB_FATAL,
                       "%s:%lld: `at` lies before that of the line before: sort them", file->path,
                       (long long)file->number);
    file->last_us = call->read.at_us;
    return true;
}
