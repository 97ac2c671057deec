/* Makes a failing case small: drops events, rules, clauses and parts of expressions as long as
 * product and reference interpreter still differ.
 *
 * Place in the flow: compare --shrink, before it prints. */
#ifndef FB_TESTS_SHRINK_H
#define FB_TESTS_SHRINK_H

#include "tests/oracle/generate.h"

/* Changes the case in place. */
void shrink_case(struct gen_case *c);

#endif
