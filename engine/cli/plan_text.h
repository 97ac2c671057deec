/* What a change of rules does to running state, for people and for programs.
 *
 * Place in the flow: core/migrate says it, `flyball plan` and `flyball deploy` print it. */
#ifndef FB_CLI_PLAN_TEXT_H
#define FB_CLI_PLAN_TEXT_H

#include "engine/core/migrate.h"

/* Lines; what goes without saying is left out, the last line sums up. Appends. */
void fb_plan_text(const struct fb_migration *migration, struct fb_buf *out);
/* One JSON object and a line's end. Appends. */
void fb_plan_json(const struct fb_migration *migration, struct fb_buf *out);

#endif
