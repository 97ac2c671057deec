/* Lint: rules that are right and probably not meant so.
 *
 * Place in the flow: after check, for `flyball check` only: parse -> check -> lint. It reads the
 * checked tree and changes nothing. */
#ifndef FB_RULES_LINT_H
#define FB_RULES_LINT_H

#include "rules/check.h"

/* Adds warnings (W6xx) and hints (H7xx) to diags. The tree must have been checked without errors.
 */
void fb_lint(const struct fb_checked *checked, struct fb_diags *diags);

#endif
