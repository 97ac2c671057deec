/* Any bytes as a rule file, through the compiler and the formatter.
 *
 * Place in the flow: libFuzzer target; seeds in corpus/rules. Whatever parses must keep its tree
 * when it is formatted, and format to itself. */
#include <stdint.h>

#include "rules/compile.h"
#include "rules/format.h"
#include "rules/lint.h"
#include "rules/parse.h"
#include "tests/golden/dump_tree.h"

struct parsed {
    struct fb_sources *sources;
    struct fb_diags *diags;
    struct fb_tree *tree;
};

static struct parsed parse(struct fb_str text) {
    struct parsed p = {.sources = fb_sources_new(), .diags = fb_diags_new()};
    fb_sources_add(p.sources, FB_S("fuzz.rules"), text);
    p.tree = fb_parse_alone(p.sources, 0, p.diags);
    return p;
}

static void drop(struct parsed *p) {
    fb_tree_free(p->tree);
    fb_diags_free(p->diags);
    fb_sources_free(p->sources);
}

static struct fb_str view(const struct fb_buf *buf) {
    return (struct fb_str){buf->p, buf->n};
}

static void check_format(const struct parsed *first) {
    struct fb_buf text = {0}, before = {0}, after = {0}, again = {0};
    fb_format(first->tree, 0, &text);
    struct parsed second = parse(view(&text));
    FB_ASSERT(second.diags->errors == 0);
    dump_file(first->tree, 0, &before);
    dump_file(second.tree, 0, &after);
    FB_ASSERT(fb_str_eq(view(&before), view(&after)));
    fb_format(second.tree, 0, &again);
    FB_ASSERT(fb_str_eq(view(&text), view(&again)));
    drop(&second);
    fb_buf_free(&text);
    fb_buf_free(&before);
    fb_buf_free(&after);
    fb_buf_free(&again);
}

static bool names_file(const struct fb_item *items, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].kind == FB_ITEM_USE && items[i].use.n > 0) {
            return true;
        }
    }
    return false;
}

static bool uses_files(const struct fb_tree *tree) {
    const struct fb_file *file = tree->files[0];
    return names_file(file->items, file->n_items) || names_file(file->broken, file->n_broken);
}

static void print(const struct fb_diags *diags, const struct fb_sources *sources) {
    struct fb_buf out = {0};
    fb_diags_print(diags, sources, true, &out);
    fb_diags_print_json(diags, sources, &out);
    FB_ASSERT(fb_str_is_utf8(view(&out)));
    fb_buf_free(&out);
}

static void compile(struct fb_str text) {
    struct fb_sources *sources = fb_sources_new();
    struct fb_diags *diags = fb_diags_new();
    struct fb_compiled compiled;
    fb_sources_add(sources, FB_S("fuzz.rules"), text);
    bool ok = fb_compile_sources(sources, diags, &compiled);
    FB_ASSERT(ok == (diags->errors == 0));
    if (ok) {
        fb_lint(&compiled.checked, diags);
    }
    print(diags, compiled.sources);
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    struct fb_str text = {(const char *)bytes, n};
    struct parsed p = parse(text);
    print(p.diags, p.sources);
    if (p.diags->errors == 0) {
        check_format(&p);
    }
    /* No files of the machine take part. */
    if (!uses_files(p.tree)) {
        compile(text);
    }
    drop(&p);
    return 0;
}
