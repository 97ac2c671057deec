/* Alerts, events and commands as they come, for people at a terminal.
 *
 * Place in the flow: `replay --watch`, `simulate --watch`. */
#ifndef FB_CLI_WATCH_TEXT_H
#define FB_CLI_WATCH_TEXT_H

#include "engine/model/output.h"

/* "2026-01-01 08:00:31  raised   high  overheat  pump-0042  message" on stdout. What only goes on
 * is left out: renewals, and that a guardrail blocks no longer. terminal: a progress line may stand
 * on stderr, which is taken away. */
void fb_watch_show(const struct fb_output *output, struct fb_str message, bool terminal,
                   bool colour);

#endif
