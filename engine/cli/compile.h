/* Rule files to a program, with the mistakes printed for people.
 *
 * Place in the flow: what the commands that need a program begin with. */
#ifndef FB_CLI_COMPILE_H
#define FB_CLI_COMPILE_H

#include "rules/compile.h"

/* Prints errors and warnings to stderr. FB_EXIT_OK: free *out with fb_compiled_free; else it is
 * freed already and the result is the exit status: FB_EXIT_PROBLEMS, or FB_EXIT_USAGE where a path
 * cannot be read. */
int fb_cli_compile(const char *const *paths, uint32_t n, struct fb_compiled *out);

#endif
