/* Where the records of a replay or a simulation go.
 *
 * Place in the flow: behind the encoder; one line of NDJSON at a time. */
#ifndef FB_CLI_OUTPUT_FILES_H
#define FB_CLI_OUTPUT_FILES_H

#include <stdio.h>

#include "engine/base/err.h"
#include "engine/codec/encode.h"
#include "engine/review/page.h"

struct fb_output_files {
    const char *folder; /* NULL: all on stdout */
    FILE *files[FB_STREAMS];
};

/* Makes the folder where it is missing, and alerts.ndjson and the others in it. False: err. */
bool fb_output_files_open(struct fb_output_files *files, const char *folder, struct fb_err *err);
bool fb_output_files_write(struct fb_output_files *files, enum fb_stream stream, struct fb_str line,
                           struct fb_err *err);
/* Also after a failure, err NULL then. False: a full disk may show only here. */
bool fb_output_files_close(struct fb_output_files *files, struct fb_err *err);

bool fb_page_file_write(struct fb_page *page, struct fb_str title, const char *path,
                        struct fb_err *err);

#endif
