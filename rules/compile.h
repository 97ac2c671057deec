/* From rule files to a program, in one call.
 *
 * Place in the flow: what every command begins with: load -> parse -> check -> lower.
 * Single-threaded; mistakes are diagnostics, for fb_diags_print with the sources. */
#ifndef FB_RULES_COMPILE_H
#define FB_RULES_COMPILE_H

#include "engine/model/program.h"
#include "rules/check.h"
#include "rules/diag.h"

/* All stages, for the commands that look at more than the program. */
struct fb_compiled {
    struct fb_sources *sources; /* never NULL */
    struct fb_tree *tree;       /* NULL: no file could be read */
    struct fb_units *units;
    struct fb_checked checked;  /* filled as far as the checker went */
    struct fb_program *program; /* NULL: there are errors in diags */
    bool unreadable;            /* a path could not be read: input failed, not the rules */
};

/* paths: files, or folders of *.rules. Returns whether there is a program; fb_compiled_free either
 * way. */
bool fb_compile_all(const char *const *paths, size_t n, struct fb_diags *diags,
                    struct fb_compiled *out);
/* The same from sources that the caller has filled; it takes them over. */
bool fb_compile_sources(struct fb_sources *sources, struct fb_diags *diags,
                        struct fb_compiled *out);
void fb_compiled_free(struct fb_compiled *compiled);

/* The program alone; NULL: there are errors in diags. *sources is set either way, for the printing;
 * free it with fb_sources_free, the program with fb_program_free. */
struct fb_program *fb_compile(const char *const *paths, size_t n, struct fb_diags *diags,
                              struct fb_sources **sources);

#endif
