/* Rule files: loading, and offsets turned into places.
 *
 * Place in the flow: first stage of the compiler; whatever prints a place asks here. */
#include "rules/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fb_sources *fb_sources_new(void) {
    struct fb_arena *arena = fb_arena_new();
    struct fb_sources *sources = FB_ARENA_NEW(arena, struct fb_sources);
    sources->arena = arena;
    return sources;
}

void fb_sources_free(struct fb_sources *sources) {
    if (sources == NULL) {
        return;
    }
    free(sources->files);
    fb_arena_free(sources->arena);
}

static void index_lines(struct fb_arena *arena, struct fb_source *source) {
    uint32_t lines = 1;
    for (size_t i = 0; i < source->text.n; i++) {
        lines += source->text.p[i] == '\n';
    }
    source->line_starts = FB_ARENA_ARRAY(arena, uint32_t, lines);
    source->n_lines = 1;
    for (size_t i = 0; i < source->text.n; i++) {
        if (source->text.p[i] == '\n') {
            source->line_starts[source->n_lines++] = (uint32_t)i + 1;
        }
    }
}

uint32_t fb_sources_add(struct fb_sources *sources, struct fb_str path, struct fb_str text) {
    FB_ASSERT(text.n < UINT32_MAX);
    FB_PUSH_ROOM(sources->files, sources->n_files, sources->cap_files);
    struct fb_source *source = &sources->files[sources->n_files];
    *source = (struct fb_source){.path = fb_str_copy(sources->arena, path),
                                 .text = fb_str_copy(sources->arena, text)};
    index_lines(sources->arena, source);
    return sources->n_files++;
}

static bool is_loaded(const struct fb_sources *sources, struct fb_str real) {
    for (uint32_t i = 0; i < sources->n_files; i++) {
        if (fb_str_eq(sources->files[i].real_path, real)) {
            return true;
        }
    }
    return false;
}

/* Reads at most one byte more than the limit, so that a file that grows meanwhile is refused
 * too. */
static bool read_file(int fd, const char *path, struct fb_buf *text, struct fb_err *err) {
    char block[65536];
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fb_fail(err, FB_FATAL, "cannot read %s: %s", path, strerror(errno));
        }
        if (n == 0) {
            return true;
        }
        fb_buf_put(text, block, (size_t)n);
        if (text->n > FB_SOURCE_BYTES_MAX) {
            return fb_fail(err, FB_FATAL, "%s is larger than %d MiB; split it into several files",
                           path, FB_SOURCE_BYTES_MAX >> 20);
        }
    }
}

static bool load_file(struct fb_sources *sources, const char *path, struct fb_err *err) {
    char *real = realpath(path, NULL);
    if (real == NULL) {
        return fb_fail(err, FB_FATAL, "cannot open %s: %s", path, strerror(errno));
    }
    bool ok = true;
    if (!is_loaded(sources, fb_str_of(real))) {
        struct fb_buf text = {0};
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ok = fd >= 0 ? read_file(fd, path, &text, err)
                     : fb_fail(err, FB_FATAL, "cannot open %s: %s", path, strerror(errno));
        if (ok) {
            uint32_t at = fb_sources_add(sources, fb_str_of(path),
                                         (struct fb_str){text.p, text.n});
            sources->files[at].real_path = fb_str_copy(sources->arena, fb_str_of(real));
        }
        if (fd >= 0) {
            close(fd);
        }
        fb_buf_free(&text);
    }
    free(real);
    return ok;
}

static int is_rules(const struct dirent *entry) {
    struct fb_str name = fb_str_of(entry->d_name), ending = FB_S(".rules");
    return entry->d_name[0] != '.' && name.n > ending.n &&
           memcmp(name.p + name.n - ending.n, ending.p, ending.n) == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool load_folder(struct fb_sources *sources, const char *path, struct fb_err *err) {
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, is_rules, by_bytes);
    if (n < 0) {
        return fb_fail(err, FB_FATAL, "cannot read the folder %s: %s", path, strerror(errno));
    }
    bool ok = n > 0 || fb_fail(err, FB_FATAL, "the folder %s holds no *.rules file", path);
    const char *slash = path[0] != '\0' && path[strlen(path) - 1] == '/' ? "" : "/";
    for (int i = 0; i < n; i++) {
        struct fb_buf name = {0};
        fb_buf_printf(&name, "%s%s%s", path, slash, entries[i]->d_name);
        ok = ok && load_file(sources, fb_buf_terminated(&name), err);
        fb_buf_free(&name);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

bool fb_sources_load(struct fb_sources *sources, const char *path, struct fb_err *err) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return load_folder(sources, path, err);
    }
    return load_file(sources, path, err);
}

void fb_source_place(const struct fb_source *source, uint32_t offset, uint32_t *line,
                     uint32_t *column) {
    if (offset > source->text.n) {
        offset = (uint32_t)source->text.n;
    }
    uint32_t low = 0, high = source->n_lines;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (source->line_starts[middle] <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    uint32_t characters = 0;
    for (uint32_t i = source->line_starts[low]; i < offset; i++) {
        characters += ((unsigned char)source->text.p[i] & 0xC0) != 0x80;
    }
    *line = low + 1;
    *column = characters + 1;
}
