/* The configuration of a command, with the mistakes printed for people.
 *
 * Place in the flow: what the commands begin with that meet a running application. */
#ifndef FB_CLI_READ_CONFIG_H
#define FB_CLI_READ_CONFIG_H

#include "engine/run/config.h"

/* The file (NULL: none), then the -X options, then fb_config_finish. False: all that is wrong is on
 * stderr. */
bool fb_cli_read_config(const char *path, const char *const *sets, uint32_t n_sets,
                        struct fb_config *config);

#endif
