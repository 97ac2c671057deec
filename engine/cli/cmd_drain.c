/* `flyball drain`: brings a running application to its end with all of its state in snapshots.
 *
 * Place in the flow: a record in the rules topic, which every instance follows; then the
 * status topic. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/deployer.h"
#include "engine/cli/read_config.h"
#include "engine/run/deploy.h"
#include "engine/run/time.h"

enum {
    KEY_WAIT = 0x200,
    WAIT_S = 60,       /* unless told */
    FIRST_US = 5000000 /* in which one that has just started is heard of */
};

struct request {
    struct fb_config_request config;
    int64_t wait_s;
};

static error_t parse(int key, char *value, struct argp_state *state) {
    struct request *request = state->input;
    if (key == KEY_WAIT) {
        request->wait_s = fb_cli_wait_s(value, state);
        return 0;
    }
    if (key == ARGP_KEY_ARG)
        argp_error(state, "`%s`: the configuration goes behind --config", value);
    return fb_config_request_option(&request->config, key, value, state);
}

/* ---- waiting ---- */

/* How the partitions fare that were heard of before the call, or since. */
struct drained {
    struct fb_told_all told;
    int64_t *before; /* [p]: when it was told of last before the call */
    bool *asked;     /* [p]: some instance had it, and it was not drained before */
    int32_t n_asked, done, halted;
};

static bool is(const struct fb_told *told, const char *mode) {
    return strcmp(told->mode, mode) == 0;
}

static bool look(struct fb_deploy *deploy, int64_t since_us, struct drained *drained,
                 struct fb_err *err) {
    if (!fb_deploy_told(deploy, since_us, &drained->told, err))
        return false;
    if (!drained->asked) {
        drained->asked = fb_alloc((size_t)drained->told.n * sizeof *drained->asked + 1);
        drained->before = fb_alloc((size_t)drained->told.n * sizeof *drained->before + 1);
        for (int32_t p = 0; p < drained->told.n; p++)
            drained->before[p] = drained->told.items[p].stamp_us;
    }
    drained->n_asked = drained->done = drained->halted = 0;
    for (int32_t p = 0; p < drained->told.n; p++) {
        const struct fb_told *one = &drained->told.items[p];
        /* An instance that has just started may tell nothing else of it than that it is drained. */
        drained->asked[p] |= one->stamp_us != FB_NO_STAMP &&
                             (!is(one, "drained") || one->stamp_us != drained->before[p]);
        if (!drained->asked[p])
            continue;
        drained->n_asked++;
        drained->done += is(one, "drained");
        drained->halted += is(one, "halted");
    }
    return true;
}

static void print_rest(const struct drained *drained) {
    int64_t now_us = fb_wall_us(&fb_machine_time);
    for (int32_t p = 0; p < drained->told.n; p++) {
        const struct fb_told *one = &drained->told.items[p];
        if (drained->asked[p] && !is(one, "drained"))
            fprintf(stderr, "partition %d of instance %s: %s, told %lld s ago%s%s\n", p,
                    one->instance, one->mode, (long long)(now_us - one->stamp_us) / 1000000,
                    one->detail[0] ? ": " : "", one->detail);
    }
}

static int tell(const struct drained *drained, int64_t wait_s) {
    int32_t missing = drained->n_asked - drained->done - drained->halted;
    if (drained->n_asked == 0)
        printf("no instance was heard of in the last %d s: nothing runs that could drain\n",
               FB_HEARD_US / 1000000);
    else if (drained->n_asked == drained->done)
        printf("drained: all state of %d partition%s is in snapshots\n", drained->done,
               drained->done == 1 ? "" : "s");
    else if (missing)
        fprintf(stderr,
                "flyball drain: %d of %d partitions are not drained after %lld s; they go on "
                "draining as long as their instances run:\n",
                missing, drained->n_asked, (long long)wait_s);
    else
        fprintf(stderr,
                "flyball drain: %d of %d partitions are halted, and what is halted stays as it "
                "is; the others are drained:\n",
                drained->halted, drained->n_asked);
    print_rest(drained);
    return drained->n_asked == drained->done ? FB_EXIT_OK : FB_EXIT_PROBLEMS;
}

/* Until every partition that some instance has is drained, whoever has it by then. */
static int await(struct fb_deploy *deploy, struct drained *drained, int64_t wait_s) {
    struct fb_err err;
    int64_t begun_us = fb_wall_us(&fb_machine_time);
    while (look(deploy, begun_us, drained, &err)) {
        int64_t waited_us = fb_wall_us(&fb_machine_time) - begun_us;
        bool all = drained->done + drained->halted == drained->n_asked;
        bool heard = drained->n_asked == drained->told.n && drained->n_asked > 0;
        if ((all && (heard || waited_us >= FIRST_US)) || waited_us >= wait_s * 1000000)
            return tell(drained, wait_s);
        usleep(FB_LOOK_US);
    }
    return fb_cli_failed("drain", &err);
}

/* ---- the command ---- */

static int ask(struct fb_deploy *deploy, const struct fb_config *config, int64_t wait_s) {
    struct drained drained = {0};
    struct fb_err err;
    char by[256];
    int64_t now_us = fb_wall_us(&fb_machine_time);
    int status = FB_EXIT_OK;
    fb_cli_who(by, sizeof by);
    const struct fb_deployment *written = NULL;
    if (!wait_s || look(deploy, now_us - FB_HEARD_US, &drained, &err))
        written = fb_deploy_write(deploy, (struct fb_str){0}, by, now_us, &err);
    if (written) {
        printf("asked all instances of %s to drain (offset %lld of %s): each takes nothing more, "
               "makes a snapshot of its state and ends with status 0\n",
               fb_config_text(config, FB_KEY_APPLICATION_ID), (long long)written->offset,
               fb_deploy_topic(deploy));
        fflush(stdout);
    } else
        status = fb_cli_failed("drain", &err);
    if (written && wait_s)
        status = await(deploy, &drained, wait_s);
    fb_told_free(&drained.told);
    free(drained.before);
    free(drained.asked);
    return status;
}

static int drain(const struct fb_config *config, int64_t wait_s) {
    struct fb_err err;
    struct fb_deploy *deploy = fb_deploy_open(config, true, &err);
    if (!deploy)
        return fb_cli_failed("drain", &err);
    int status = ask(deploy, config, wait_s);
    fb_deploy_close(deploy);
    return status;
}

int fb_cmd_drain(int argc, char **argv) {
    static const struct argp_option rows[] = {
        FB_CONFIG_OPTIONS,
        {"wait", KEY_WAIT, "SECONDS", 0,
         "Wait so long until all partitions are drained (60; 0: do not wait)", 0},
        {0}};
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "",
        .doc = "Ends all running instances of an application with their whole state in snapshots, "
               "so that the next start reads no journal, and another build of flyball may be the "
               "one that starts; waits until all of it is committed, and names who is missing. "
               "Exit status 0: all partitions are drained, or nothing runs; 1: some are not yet, "
               "or are halted; 2: wrong usage or configuration; 3: Kafka could not be reached.\v"
               "Example: flyball drain --config flyball.properties"};
    struct request request = {.wait_s = WAIT_S};
    fb_cli_options(&argp, argc, argv, &request);
    struct fb_config *config = fb_config_new();
    int status = FB_EXIT_USAGE;
    if (fb_cli_read_config(&request.config, config) && fb_cli_has_rules_topic("drain", config))
        status = drain(config, request.wait_s);
    fb_config_free(config);
    return status;
}
