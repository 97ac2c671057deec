/* What `flyball deploy` and `flyball drain` share.
 *
 * Place in the flow: between their options and engine/run/deploy. */
#ifndef FB_CLI_DEPLOYER_H
#define FB_CLI_DEPLOYER_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FB_HEARD_US = 30000000, /* an instance tells its partitions three times as often */
    FB_LOOK_US = 300000     /* between two looks at what instances tell */
};

struct argp_state;
struct fb_bundle;
struct fb_config;
struct fb_deploy;

/* The value of --wait, in seconds; ends the process where it is none. */
int64_t fb_cli_wait_s(const char *value, struct argp_state *state);
/* "USER@HOST" of who runs this command. */
void fb_cli_who(char *text, size_t room);
/* Tells err; the exit status: FB_EXIT_IO where the broker is the trouble, else FB_EXIT_USAGE. */
int fb_cli_failed(const char *command, const struct fb_err *err);
/* The bundle in force: the one that was deployed last; else the one that instances run by without
 * it. */
struct fb_in_force {
    struct fb_bundle *bundle; /* the caller drops it; NULL: not known, or this flyball cannot read
                               * it, which is told */
    bool deployed;
    int64_t offset;     /* deployed: where it stands */
    char instance[204]; /* not deployed: which says that it runs by it */
};
/* command: for what is told. False: Kafka does not answer, err says so. */
bool fb_cli_in_force(const char *command, struct fb_deploy *deploy, struct fb_in_force *in_force,
                     struct fb_err *err);

/* Only applications with exactly_once follow the rules topic; says so where it is another. */
bool fb_cli_has_rules_topic(const char *command, const struct fb_config *config);

#endif
