/* A tree as text without places and comments, to tell whether two say the same.
 *
 * Place in the flow: tests of the formatter and of the parser. */
#ifndef FB_TESTS_DUMP_TREE_H
#define FB_TESTS_DUMP_TREE_H

#include "rules/ast.h"

/* Clauses that may come in any order are in the grammar's. */
void dump_file(const struct fb_tree *tree, uint32_t file, struct fb_buf *out);

#endif
