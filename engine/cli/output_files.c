/* Records in files of a folder, or on standard output; a page in a file.
 *
 * Place in the flow: see output_files.h. */
#include "engine/cli/output_files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/cli/commands.h"

static const char *const stream_files[FB_STREAMS] = {
    [FB_STREAM_ALERTS] = "alerts.ndjson",     [FB_STREAM_LATE] = "late.ndjson",
    [FB_STREAM_DEAD] = "dead.ndjson",         [FB_STREAM_AUDIT] = "audit.ndjson",
    [FB_STREAM_COMMANDS] = "commands.ndjson", [FB_STREAM_SHADOW] = "shadow.ndjson",
};

bool fb_output_files_write(struct fb_output_files *files, enum fb_stream stream, struct fb_str line,
                           struct fb_err *err) {
    if (fwrite(line.p, 1, line.n, files->files[stream]) == line.n)
        return true;
    return fb_fail(err, FB_FATAL, "%s%s%s: %s", files->folder ? files->folder : "standard output",
                   files->folder ? "/" : "", files->folder ? stream_files[stream] : "",
                   strerror(errno));
}

bool fb_output_files_open(struct fb_output_files *files, const char *folder, struct fb_err *err) {
    files->folder = folder;
    for (int i = 0; i < FB_STREAMS; i++)
        files->files[i] = stdout;
    if (!files->folder)
        return true;
    if (mkdir(files->folder, 0777) && errno != EEXIST)
        return fb_fail(err, FB_FATAL, "%s: %s", files->folder, strerror(errno));
    for (int i = 0; i < FB_STREAMS; i++) {
        char path[4096];
        if (!stream_files[i])
            continue;
        snprintf(path, sizeof path, "%s/%s", files->folder, stream_files[i]);
        files->files[i] = fopen(path, "w");
        if (!files->files[i])
            return fb_fail(err, FB_FATAL, "%s: %s", path, strerror(errno));
    }
    return true;
}

bool fb_output_files_close(struct fb_output_files *files, struct fb_err *err) {
    bool good = true;
    for (int i = 0; i < FB_STREAMS; i++) {
        FILE *file = files->files[i];
        if (!file || file == stdout)
            continue;
        bool written = !fflush(file) && !ferror(file);
        if (!written && good)
            good = fb_fail(err, FB_FATAL, "%s/%s: %s", files->folder, stream_files[i],
                           strerror(errno));
        fclose(file);
    }
    return good;
}

bool fb_page_file_write(struct fb_page *page, struct fb_str title, const char *path,
                        struct fb_err *err) {
    struct fb_buf text = {0};
    fb_page_put(page, title, fb_str_of(fb_cli_build()), &text);
    FILE *file = fopen(path, "w");
    bool good = file && fwrite(text.p, 1, text.n, file) == text.n;
    int reason = errno;
    if (file && fclose(file) && good) {
        good = false;
        reason = errno;
    }
    fb_buf_free(&text);
    return good || fb_fail(err, FB_FATAL, "%s: %s", path, strerror(reason));
}
