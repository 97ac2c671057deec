/* `flyball audit verify --reexecute --config FILE`: a live application, executed again.
 *
 * Place in the flow: cmd_audit reads the options -> here -> engine/run/audit_place; prints what
 * came out. */
#ifndef FB_CLI_AUDIT_PLACE_H
#define FB_CLI_AUDIT_PLACE_H

#include "engine/cli/read_config.h"

struct fb_audit_place_request {
    struct fb_config_request config;
    const char *input, *input_topic; /* or NULL */
    bool from_beginning;
};

/* Exit status. */
int fb_cli_audit_place(const struct fb_audit_place_request *request);

#endif
