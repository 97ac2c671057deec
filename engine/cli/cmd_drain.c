/* `flyball drain`: brings a running application to its end with all of its state in snapshots.
 *
 * Place in the flow: a record in the rules topic, which every instance follows. */
#include <stdio.h>

#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/deployer.h"
#include "engine/cli/read_config.h"
#include "engine/run/deploy.h"
#include "engine/run/time.h"

static error_t parse(int key, char *value, struct argp_state *state) {
    if (key == ARGP_KEY_ARG)
        argp_error(state, "`%s`: the configuration goes behind --config", value);
    return fb_config_request_option(state->input, key, value, state);
}

static int drain(const struct fb_config *config) {
    struct fb_err err;
    char by[256];
    struct fb_deploy *deploy = fb_deploy_open(config, true, &err);
    if (!deploy)
        return fb_cli_failed("drain", &err);
    fb_cli_who(by, sizeof by);
    const struct fb_deployment *written =
        fb_deploy_write(deploy, (struct fb_str){0}, by, fb_wall_us(&fb_machine_time), &err);
    int status = written ? FB_EXIT_OK : fb_cli_failed("drain", &err);
    if (written)
        printf("asked all instances of %s to drain (offset %lld of %s): each takes nothing more, "
               "makes a snapshot of its state and ends with status 0\n",
               fb_config_text(config, FB_KEY_APPLICATION_ID), (long long)written->offset,
               fb_deploy_topic(deploy));
    fb_deploy_close(deploy);
    return status;
}

int fb_cmd_drain(int argc, char **argv) {
    static const struct argp_option rows[] = {FB_CONFIG_OPTIONS, {0}};
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "",
        .doc = "Ends all running instances of an application with their whole state in snapshots, "
               "so that the next start reads no journal, and another build of flyball may be the "
               "one that starts. Exit status 0: they were asked; 2: wrong usage or configuration; "
               "3: Kafka could not be reached.\v"
               "Example: flyball drain --config flyball.properties"};
    struct fb_config_request request = {0};
    fb_cli_options(&argp, argc, argv, &request);
    struct fb_config *config = fb_config_new();
    int status = FB_EXIT_USAGE;
    if (fb_cli_read_config(&request, config) && fb_cli_has_rules_topic("drain", config))
        status = drain(config);
    fb_config_free(config);
    return status;
}
