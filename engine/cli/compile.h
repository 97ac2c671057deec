/* Rule files to a program, with the mistakes printed for people; the option that names the files.
 *
 * Place in the flow: what the commands that need a program begin with. */
#ifndef FB_CLI_COMPILE_H
#define FB_CLI_COMPILE_H

#include <argp.h>

#include "rules/compile.h"

enum { FB_RULES_MAX = 256 };

/* What --rules named; the texts are of argv. */
struct fb_rules_request {
    const char *paths[FB_RULES_MAX];
    uint32_t n;
};

/* A row of a table of options. */
#define FB_RULES_OPTION                                                                            \
    { "rules", 'r', "RULES", 0, "A rule file, or a folder of *.rules; may be given again", 0 }

/* That option; ARGP_ERR_UNKNOWN: it is another. Ends the process where there are too many. */
error_t fb_rules_request_option(struct fb_rules_request *request, int key, char *value,
                                struct argp_state *state);

/* Prints errors and warnings to stderr. FB_EXIT_OK: free *out with fb_compiled_free; else it is
 * freed already and the result is the exit status: FB_EXIT_PROBLEMS, or FB_EXIT_IO where a path
 * cannot be read. */
int fb_cli_compile(const char *const *paths, uint32_t n, struct fb_compiled *out);

#endif
