/* From the checked tree to the program: what every command runs.
 *
 * Place in the flow: source -> lex -> parse -> check -> lower -> core and codec. Single-threaded;
 * the program owns all that it holds, so tree and sources may be freed afterwards. */
#ifndef FB_RULES_LOWER_H
#define FB_RULES_LOWER_H

#include "engine/model/program.h"
#include "rules/check.h"
#include "rules/diag.h"

/* The tree must have been checked without errors. NULL where a bound of the engine is passed (a
 * device's block, registers, fields); diags then says which. Free with fb_program_free. */
struct fb_program *fb_lower(const struct fb_checked *checked, struct fb_diags *diags);

#endif
