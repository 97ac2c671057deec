/* What `flyball deploy` and `flyball drain` share. */
#include "engine/cli/deployer.h"

#include <argp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/num.h"
#include "engine/cli/cli.h"
#include "engine/run/config.h"
#include "engine/run/deploy.h"

enum { WAIT_S_MAX = 86400 };

int64_t fb_cli_wait_s(const char *value, struct argp_state *state) {
    int64_t seconds = 0;
    if (!fb_num_parse_int(fb_str_of(value), &seconds) || seconds < 0 || seconds > WAIT_S_MAX)
        argp_error(state, "--wait takes whole seconds in 0..%d, not `%s`", WAIT_S_MAX, value);
    return seconds;
}

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

/* NULL: this flyball cannot read it, which is told. */
static struct fb_bundle *bundle_of(const char *command, const struct fb_buf *bytes,
                                   const char *name) {
    struct fb_err err;
    struct fb_bundle *bundle = fb_bundle_parse((struct fb_str){bytes->p, bytes->n}, NULL, &err);
    if (!bundle)
        fprintf(stderr, "flyball %s: rules %s: %s\n", command, name, err.text);
    return bundle;
}

bool fb_cli_in_force(const char *command, struct fb_deploy *deploy, struct fb_in_force *in_force,
                     struct fb_err *err) {
    struct fb_undeployed found;
    const struct fb_deployment *last = fb_deployments_last(fb_deploy_all(deploy), SIZE_MAX, NULL);
    *in_force = (struct fb_in_force){0};
    if (last) {
        in_force->deployed = true;
        in_force->offset = last->offset;
        in_force->bundle = bundle_of(command, &last->bytes, last->name);
        return true;
    }
    bool ok = fb_deploy_find_undeployed(deploy, &found, err);
    if (!ok && err->kind == FB_FATAL) /* as before such a right was asked for */
        fprintf(stderr,
                "flyball %s: the rules in force cannot be read, so there is nothing to compare "
                "with or to go back to: %s\n",
                command, err->text);
    if (ok && found.bytes.n) {
        in_force->bundle = bundle_of(command, &found.bytes, found.name);
        memcpy(in_force->instance, found.instance, sizeof in_force->instance);
    }
    fb_buf_free(&found.bytes);
    return ok || err->kind == FB_FATAL;
}
