/* Rules read and checked, for tests of what the checker writes into the tree.
 *
 * Place in the flow: parser and checker, without lowering; one owner. */
#ifndef FB_TESTS_CHECKED_RULES_H
#define FB_TESTS_CHECKED_RULES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/check.h"
#include "rules/parse.h"

struct rules {
    struct fb_sources *sources;
    struct fb_diags *diags;
    struct fb_tree *tree;
    struct fb_units *units;
    struct fb_checked checked;
};

static inline void read_text(struct rules *r, const char *text) {
    r->sources = fb_sources_new();
    r->diags = fb_diags_new();
    r->units = fb_units_new();
    fb_sources_add(r->sources, FB_S("test.rules"), fb_str_of(text));
    r->tree = fb_parse(r->sources, r->diags);
    fb_check(r->tree, r->units, r->diags, &r->checked);
}

static inline void must_pass(const struct rules *r) {
    if (!r->diags->errors)
        return;
    struct fb_buf out = {0};
    fb_diags_print(r->diags, r->sources, false, &out);
    fail_msg("%s", fb_buf_terminated(&out));
}

static inline void drop(struct rules *r) {
    fb_tree_free(r->tree);
    fb_units_free(r->units);
    fb_diags_free(r->diags);
    fb_sources_free(r->sources);
}

static inline void expect_unit(const struct fb_node *node, const char *text) {
    struct fb_str unit = fb_unit_text(node->unit);
    if (!fb_str_eq(unit, fb_str_of(text)))
        fail_msg("the unit is `%.*s`, not `%s`", FB_ARG(unit), text);
}

#endif
