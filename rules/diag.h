/* Diagnostics: what is wrong in a rule file, where, and what to write instead.
 *
 * Place in the flow: every stage of the compiler reports here; the commands print the list at the
 * end, so that one run shows all errors of all files. */
#ifndef FB_RULES_DIAG_H
#define FB_RULES_DIAG_H

#include "rules/source.h"

enum fb_diag_level { FB_DIAG_ERROR, FB_DIAG_WARNING, FB_DIAG_HELP };

/* The codes are a contract: one row each in rules/diag_codes.inc (X-macro: name, code, level,
 * title, explanation, bad example, good example), which feeds `flyball help CODE` and the reference
 * page. */
enum fb_diag_code {
#define FB_DIAG(name, number, level, title, explanation, bad, good) FB_##name,
#include "rules/diag_codes.inc"
#undef FB_DIAG
    FB_DIAG_CODES
};

/* A row of the table; all texts are constant. */
struct fb_diag_info {
    const char *number; /* "E203" */
    enum fb_diag_level level;
    const char *title, *explanation;
    const char *bad, *good; /* examples; may be empty */
};

const struct fb_diag_info *fb_diag_code_info(enum fb_diag_code code);
/* By number ("E203", case does not matter); false: there is no such code. */
bool fb_diag_code_find(struct fb_str number, enum fb_diag_code *code);

enum { FB_DIAGS_MAX = 1000 }; /* what comes after is counted, not kept */

struct fb_diag {
    enum fb_diag_code code;
    struct fb_span span;
    struct fb_str text; /* what is wrong */
    struct fb_str help; /* what to do; may be empty */
};

struct fb_diags {
    struct fb_arena *arena;
    struct fb_diag *items;
    uint32_t n, cap;
    uint32_t errors;  /* how many are errors, those not kept included */
    uint32_t dropped; /* beyond FB_DIAGS_MAX */
};

struct fb_diags *fb_diags_new(void);
void fb_diags_free(struct fb_diags *diags);
/* help may be NULL; it is taken as it stands (not a format). */
void fb_diag_add(struct fb_diags *diags, enum fb_diag_code code, struct fb_span span,
                 const char *help, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "file:line:column: error[E203]: text", the source line, the caret, "help: ..."; sorted by
 * place. */
void fb_diags_print(const struct fb_diags *diags, const struct fb_sources *sources, bool colour,
                    struct fb_buf *out);
/* One JSON array: file, line, column, end_line, end_column, level, code, text, help. */
void fb_diags_print_json(const struct fb_diags *diags, const struct fb_sources *sources,
                         struct fb_buf *out);

#endif
