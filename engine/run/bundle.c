/* A rule bundle: rule files and the settings that results depend on. */
#include "engine/run/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/hash.h"
#include "engine/base/num.h"
#include "engine/run/config.h"

#define MAGIC "flyball bundle 1\n"

struct fb_bundle_settings fb_bundle_settings_of(const struct fb_config *config) {
    return (struct fb_bundle_settings){
        .max_skew_us = fb_config_number(config, FB_KEY_MAX_SKEW_MS) * 1000,
        .max_age_us = fb_config_number(config, FB_KEY_MAX_AGE_MS) * 1000,
        .max_hops = fb_config_number(config, FB_KEY_MAX_HOPS),
        .devices_max = (uint32_t)fb_config_number(config, FB_KEY_DEVICES_MAX)};
}

/* Without its folders: where the files lie is no part of what they say. */
static struct fb_str file_name(struct fb_str path) {
    const char *slash = memrchr(path.p, '/', path.n);
    if (!slash)
        return path;
    return (struct fb_str){slash + 1, (size_t)(path.p + path.n - slash - 1)};
}

static void write_bundle(const struct fb_sources *sources,
                         const struct fb_bundle_settings *settings, struct fb_buf *out) {
    fb_buf_text(out, MAGIC);
    fb_buf_printf(out, "max.skew.us %lld\n", (long long)settings->max_skew_us);
    fb_buf_printf(out, "max.age.us %lld\n", (long long)settings->max_age_us);
    fb_buf_printf(out, "max.hops %lld\n", (long long)settings->max_hops);
    fb_buf_printf(out, "devices.max %lu\n", (unsigned long)settings->devices_max);
    for (uint32_t i = 0; i < sources->n_files; i++) {
        const struct fb_source *file = &sources->files[i];
        fb_buf_printf(out, "file %zu ", file->text.n);
        fb_buf_str(out, file_name(file->path));
        fb_buf_char(out, '\n');
        fb_buf_str(out, file->text);
    }
}

struct fb_bundle *fb_bundle_of(struct fb_compiled *compiled,
                               const struct fb_bundle_settings *settings, const char *pipe_topic) {
    struct fb_bundle *bundle = fb_alloc(sizeof *bundle);
    struct fb_buf bytes = {0};
    atomic_init(&bundle->references, 1);
    write_bundle(compiled->sources, settings, &bytes);
    bundle->bytes = (struct fb_str){bytes.p, bytes.n};
    fb_sha256(&bundle->bytes, 1, bundle->hash);
    fb_hex(bundle->hash, 6, bundle->name);
    bundle->settings = *settings;
    bundle->compiled = *compiled;
    *compiled = (struct fb_compiled){0};
    bundle->program = bundle->compiled.program;
    struct fb_hash128 layout = fb_program_layout(bundle->program);
    snprintf(bundle->layout, sizeof bundle->layout, "%016llx%016llx",
             (unsigned long long)layout.high, (unsigned long long)layout.low);
    bundle->routes =
        pipe_topic ? fb_routes_to(bundle->program, pipe_topic) : fb_routes_of(bundle->program);
    return bundle;
}

struct fb_bundle *fb_bundle_keep(struct fb_bundle *bundle) {
    atomic_fetch_add_explicit(&bundle->references, 1, memory_order_relaxed);
    return bundle;
}

void fb_bundle_drop(struct fb_bundle *bundle) {
    if (!bundle || atomic_fetch_sub_explicit(&bundle->references, 1, memory_order_acq_rel) != 1)
        return;
    fb_routes_free(&bundle->routes);
    fb_compiled_free(&bundle->compiled);
    free((char *)(uintptr_t)bundle->bytes.p);
    free(bundle);
}

bool fb_bundle_reads_the_same(const struct fb_bundle *a, const struct fb_bundle *b) {
    if (a->routes.n != b->routes.n)
        return false;
    for (uint32_t i = 0; i < a->routes.n; i++) /* in byte order */
        if (strcmp(a->routes.items[i].topic, b->routes.items[i].topic) != 0)
            return false;
    return true;
}

/* ---- reading ---- */

/* The next line without its end; false: there is none. */
static bool next_line(struct fb_str *rest, struct fb_str *line) {
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    if (!end)
        return false;
    *line = (struct fb_str){rest->p, (size_t)(end - rest->p)};
    *rest = (struct fb_str){end + 1, rest->n - line->n - 1};
    return true;
}

/* "NAME NUMBER". */
static bool next_setting(struct fb_str *rest, const char *name, int64_t *value) {
    struct fb_str line;
    size_t n = strlen(name);
    return next_line(rest, &line) && line.n > n + 1 && memcmp(line.p, name, n) == 0 &&
           line.p[n] == ' ' &&
           fb_num_parse_int((struct fb_str){line.p + n + 1, line.n - n - 1}, value);
}

/* "file LENGTH NAME", and the bytes behind. */
static bool next_file(struct fb_str *rest, struct fb_str *name, struct fb_str *text) {
    struct fb_str line;
    int64_t n;
    if (!next_line(rest, &line) || line.n < 7 || memcmp(line.p, "file ", 5) != 0)
        return false;
    const char *blank = memchr(line.p + 5, ' ', line.n - 5);
    if (!blank ||
        !fb_num_parse_int((struct fb_str){line.p + 5, (size_t)(blank - line.p - 5)}, &n) || n < 0 ||
        (uint64_t)n > rest->n)
        return false;
    *name = (struct fb_str){blank + 1, (size_t)(line.p + line.n - blank - 1)};
    *text = (struct fb_str){rest->p, (size_t)n};
    *rest = (struct fb_str){rest->p + n, rest->n - (size_t)n};
    return true;
}

static bool read_bundle(struct fb_str bytes, struct fb_bundle_settings *settings,
                        struct fb_sources *sources) {
    struct fb_str line, name, text, rest = bytes;
    int64_t devices_max;
    if (!next_line(&rest, &line) || line.n + 1 != strlen(MAGIC) ||
        memcmp(line.p, MAGIC, line.n) != 0 ||
        !next_setting(&rest, "max.skew.us", &settings->max_skew_us) ||
        !next_setting(&rest, "max.age.us", &settings->max_age_us) ||
        !next_setting(&rest, "max.hops", &settings->max_hops) ||
        !next_setting(&rest, "devices.max", &devices_max) || devices_max < 0 ||
        devices_max > UINT32_MAX)
        return false;
    settings->devices_max = (uint32_t)devices_max;
    while (rest.n) {
        if (!next_file(&rest, &name, &text))
            return false;
        fb_sources_add(sources, name, text);
    }
    return true;
}

struct fb_bundle *fb_bundle_parse(struct fb_str bytes, const char *pipe_topic, struct fb_err *err) {
    struct fb_bundle_settings settings;
    struct fb_sources *sources = fb_sources_new();
    if (!read_bundle(bytes, &settings, sources)) {
        fb_sources_free(sources);
        fb_fail(err, FB_FATAL, "the rule bundle that was kept is damaged, or of a newer flyball");
        return NULL;
    }
    struct fb_diags *diags = fb_diags_new();
    struct fb_compiled compiled;
    bool good = fb_compile_sources(sources, diags, &compiled);
    if (!good) {
        struct fb_buf text = {0};
        fb_diags_print(diags, compiled.sources, false, &text);
        fb_fail(err, FB_FATAL, "this flyball does not take these rules: %s",
                fb_buf_terminated(&text));
        fb_buf_free(&text);
        fb_compiled_free(&compiled);
    }
    fb_diags_free(diags);
    return good ? fb_bundle_of(&compiled, &settings, pipe_topic) : NULL;
}
