#include "rules/compile.h"

#include "rules/lower.h"
#include "rules/parse.h"

/* A path that cannot be read is reported as a file without text. */
static struct fb_sources *load(const char *const *paths, size_t n, struct fb_diags *diags) {
    struct fb_sources *sources = fb_sources_new();
    for (size_t i = 0; i < n; i++) {
        struct fb_err err = {0};
        if (fb_sources_load(sources, paths[i], &err))
            continue;
        uint32_t file = fb_sources_add(sources, fb_str_of(paths[i]), FB_S(""));
        fb_diag_add(diags, FB_E_RULES_UNREADABLE, (struct fb_span){.file = file},
                    "name a rule file, or a folder with *.rules files", "%s", err.text);
    }
    return sources;
}

bool fb_compile_sources(struct fb_sources *sources, struct fb_diags *diags,
                        struct fb_compiled *out) {
    *out = (struct fb_compiled){.sources = sources};
    bool all_there = diags->errors == 0;
    out->tree = fb_parse(sources, diags);
    if (!all_there)
        return false; /* what a missing file declares would be missed everywhere */
    out->units = fb_units_new();
    fb_check(out->tree, out->units, diags, &out->checked);
    if (diags->errors)
        return false;
    out->program = fb_lower(&out->checked, diags);
    return out->program != NULL;
}

bool fb_compile_all(const char *const *paths, size_t n, struct fb_diags *diags,
                    struct fb_compiled *out) {
    struct fb_sources *sources = load(paths, n, diags);
    bool unreadable = diags->errors != 0;
    bool good = fb_compile_sources(sources, diags, out);
    out->unreadable = unreadable;
    return good;
}

void fb_compiled_free(struct fb_compiled *compiled) {
    fb_program_free(compiled->program);
    fb_tree_free(compiled->tree);
    fb_units_free(compiled->units);
    fb_sources_free(compiled->sources);
    *compiled = (struct fb_compiled){0};
}

struct fb_program *fb_compile(const char *const *paths, size_t n, struct fb_diags *diags,
                              struct fb_sources **sources) {
    struct fb_compiled compiled;
    fb_compile_all(paths, n, diags, &compiled);
    struct fb_program *program = compiled.program;
    *sources = compiled.sources;
    compiled.program = NULL;
    compiled.sources = NULL;
    fb_compiled_free(&compiled);
    return program;
}
