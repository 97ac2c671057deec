/* Rule files to a tree.
 *
 * Place in the flow: third stage of the compiler: source -> lex -> parse -> check -> lower. */
#ifndef FB_RULES_PARSE_H
#define FB_RULES_PARSE_H

#include "rules/ast.h"
#include "rules/diag.h"

/* Parses all files of the sources, and those they `use`, which it loads into the sources, each file
 * once. Never NULL: what could not be read is reported and left out, so a tree is only worth
 * checking when diags->errors did not grow. The tree's names are views of the sources' text or live
 * in the tree; the sources must outlive it. */
struct fb_tree *fb_parse(struct fb_sources *sources, struct fb_diags *diags);
/* The same for one file of the sources alone: what it uses is not loaded. */
struct fb_tree *fb_parse_alone(struct fb_sources *sources, uint32_t file, struct fb_diags *diags);
void fb_tree_free(struct fb_tree *tree);

/* True for a word that cannot stand as a plain name inside an expression. */
bool fb_parse_is_reserved(struct fb_str word);
/* True for a word that goes on with an `expect command` or its block: an actuator's own word of
 * this name stands in back quotes there. */
bool fb_parse_goes_on_in_test(struct fb_str word);

#endif
