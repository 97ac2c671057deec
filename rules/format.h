/* The canonical layout of a rule file.
 *
 * Place in the flow: beside the compiler's stages: `flyball fmt` prints the tree that parse made.
 */
#ifndef FB_RULES_FORMAT_H
#define FB_RULES_FORMAT_H

#include "rules/ast.h"

enum { FB_FORMAT_COLUMNS = 100 };

/* Appends one file of a tree that was parsed without errors. Clauses come in the grammar's order,
 * one a line; a block that was on one line stays there where it fits; comments stay with what they
 * stand before or behind; numbers and texts keep their spelling. What comes out parses to the same
 * tree and formats to itself. */
void fb_format(const struct fb_tree *tree, uint32_t file, struct fb_buf *out);

/* Appends an expression on one line, in brackets only where it was written so. */
void fb_format_expr(const struct fb_sources *sources, const struct fb_node *node,
                    struct fb_buf *out);
/* The same with FB_FORMAT_BREAK in place of a blank where a long line may be broken, and
 * FB_FORMAT_INNER_BREAK within brackets, where it is broken only if need be. */
enum { FB_FORMAT_BREAK = '\x01', FB_FORMAT_INNER_BREAK = '\x03' };
void fb_format_breakable(const struct fb_sources *sources, const struct fb_node *node,
                         struct fb_buf *out);
/* Appends the target of a command to other devices, as it is written, with a number behind it where
 * it is not the rule's first for this target. */
void fb_format_target(const struct fb_rule_decl *control, struct fb_buf *out);
/* Appends a name, in back quotes where it is no plain word, or a reserved one in an expression. */
void fb_format_name(struct fb_str name, bool in_expression, struct fb_buf *out);

#endif
