/* The rule files of one compilation: bytes, names, and offsets turned into line and column.
 *
 * Place in the flow: first stage of the compiler: source -> lex -> parse -> check -> lower. */
#ifndef FB_RULES_SOURCE_H
#define FB_RULES_SOURCE_H

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdint.h>

enum { FB_SOURCE_BYTES_MAX = 4 << 20 }; /* a larger rule file is refused */

/* A stretch of one file. */
struct fb_span {
    uint32_t file;       /* index in struct fb_sources */
    uint32_t start, end; /* byte offsets, end exclusive */
};

struct fb_source {
    struct fb_str path; /* as the user wrote it */
    struct fb_str real_path; /* absolute, without links; empty for a text that is no file */
    struct fb_str text;
    uint32_t *line_starts; /* offsets of the lines' first bytes */
    uint32_t n_lines;
};

struct fb_sources {
    struct fb_arena *arena;
    struct fb_source *files;
    uint32_t n_files, cap_files;
};

struct fb_sources *fb_sources_new(void);
void fb_sources_free(struct fb_sources *sources);
/* Adds a text under a name; returns its index. The text is copied. */
uint32_t fb_sources_add(struct fb_sources *sources, struct fb_str path, struct fb_str text);
/* Adds a file, or every *.rules of a folder in byte order of the names; a file that is there
 * already (same real path) is not added again. False: unreadable, too large, no rules in the
 * folder. */
bool fb_sources_load(struct fb_sources *sources, const char *path, struct fb_err *err);
/* Line and column from 1; the column counts UTF-8 characters. */
void fb_source_place(const struct fb_source *source, uint32_t offset, uint32_t *line,
                     uint32_t *column);

#endif
