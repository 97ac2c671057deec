/* `flyball audit verify --reexecute --config FILE`: a live application, executed again.
 *
 * Place in the flow: cmd_audit reads the options -> here -> engine/run/audit_place; prints what
 * came out. */
#ifndef FB_CLI_AUDIT_PLACE_H
#define FB_CLI_AUDIT_PLACE_H

#include <stdbool.h>
#include <stdint.h>

enum { FB_AUDIT_SETS_MAX = 256 };

struct fb_audit_place_request {
    const char *config; /* NULL: not given */
    const char *sets[FB_AUDIT_SETS_MAX];
    uint32_t n_sets;
    const char *input, *input_topic; /* or NULL */
    bool from_beginning;
};

/* Exit status. */
int fb_cli_audit_place(const struct fb_audit_place_request *request);

#endif
