/* An alert, a command or a block explained, for people and for programs.
 *
 * Place in the flow: cmd_explain finds the records in a trail and prints what this makes of them.
 */
#ifndef FB_CLI_EXPLAIN_TEXT_H
#define FB_CLI_EXPLAIN_TEXT_H

#include "engine/run/audit_find.h"
#include "rules/compile.h"

/* What was found, read. */
struct fb_explained {
    const struct fb_audit_find *find;
    struct fb_story stories[FB_FINDS];
    bool has[FB_FINDS];
    const struct fb_compiled *compiled; /* --rules; NULL: none were given */
    struct fb_str unit;                 /* of the actuator; found by these functions themselves */
};

void fb_explain_text(const struct fb_explained *explained, struct fb_buf *out);
void fb_explain_json(const struct fb_explained *explained, struct fb_buf *out);

#endif
