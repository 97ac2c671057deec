/* The configuration of a command: its options, and the mistakes printed for people.
 *
 * Place in the flow: what the commands begin with that meet a running application. */
#ifndef FB_CLI_READ_CONFIG_H
#define FB_CLI_READ_CONFIG_H

#include <argp.h>

#include "engine/run/config.h"

enum { FB_CONFIG_SETS_MAX = 256 };

/* What --config and -X said; the texts are of argv. */
struct fb_config_request {
    const char *path; /* NULL: no --config */
    const char *sets[FB_CONFIG_SETS_MAX];
    uint32_t n_sets;
};

/* Rows of a table of options. */
#define FB_CONFIG_OPTIONS                                                                          \
    {"config", 'c', "FILE", 0, "The configuration of the application, a properties file", 0}, {    \
        "set", 'X', "KEY=VALUE", 0, "Override a key of the configuration; may be given again", 0   \
    }

/* One of these options; ARGP_ERR_UNKNOWN: it is another. Ends the process where there are too many.
 */
error_t fb_config_request_option(struct fb_config_request *request, int key, char *value,
                                 struct argp_state *state);
/* The file, then the -X options, then fb_config_finish. False: all that is wrong is on stderr. */
bool fb_cli_read_config(const struct fb_config_request *request, struct fb_config *config);

#endif
