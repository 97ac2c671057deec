/* What `flyball deploy` and `flyball drain` share.
 *
 * Place in the flow: between their options and engine/run/deploy. */
#ifndef FB_CLI_DEPLOYER_H
#define FB_CLI_DEPLOYER_H

#include "engine/base/err.h"

#include <stddef.h>

struct fb_config;

/* "USER@HOST" of who runs this command. */
void fb_cli_who(char *text, size_t room);
/* Tells err; the exit status: FB_EXIT_IO where the broker is the trouble, else FB_EXIT_USAGE. */
int fb_cli_failed(const char *command, const struct fb_err *err);
/* Only applications with exactly_once follow the rules topic; says so where it is another. */
bool fb_cli_has_rules_topic(const char *command, const struct fb_config *config);

#endif
