/* What `flyball deploy` and `flyball drain` share. */
#include "engine/cli/deployer.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "engine/run/config.h"

void fb_cli_who(char *text, size_t room) {
    char host[128] = "";
    const struct passwd *user = getpwuid(getuid());
    const char *name = user ? user->pw_name : getenv("USER");
    gethostname(host, sizeof host - 1);
    snprintf(text, room, "%.100s@%s", name && name[0] ? name : "?", host);
}

int fb_cli_failed(const char *command, const struct fb_err *err) {
    fprintf(stderr, "flyball %s: error: %s\n", command, err->text);
    return err->kind == FB_RETRIABLE ? FB_EXIT_IO : FB_EXIT_USAGE;
}

bool fb_cli_has_rules_topic(const char *command, const struct fb_config *config) {
    if (fb_config_is(config, FB_KEY_GUARANTEE, "exactly_once"))
        return true;
    fprintf(stderr,
            "flyball %s: error: an application with processing.guarantee = at_least_once keeps no "
            "state over a change: restart it with the new rules\n",
            command);
    return false;
}
