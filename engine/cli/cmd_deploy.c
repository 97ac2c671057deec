/* `flyball deploy`: gives a running application other rules, and tells which it has.
 *
 * Place in the flow: rules -> fb_compile -> a bundle -> the rules topic; then the status topic. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/compile.h"
#include "engine/cli/deployer.h"
#include "engine/cli/plan_text.h"
#include "engine/cli/read_config.h"
#include "engine/run/deploy.h"
#include "engine/run/time.h"
#include "engine/run/topics.h"

enum {
    KEY_ROLLBACK = 0x200,
    KEY_LIST,
    KEY_WAIT,
    KEY_OTHER_TOPICS,
    WAIT_S = 30 /* unless told */
};

static const struct argp_option option_table[] = {
    FB_RULES_OPTION,
    FB_CONFIG_OPTIONS,
    {"rollback", KEY_ROLLBACK, NULL, 0, "Deploy again what was in force before", 0},
    {"list", KEY_LIST, NULL, 0, "Show what was deployed when and by whom, and end", 0},
    {"wait", KEY_WAIT, "SECONDS", 0,
     "Wait so long until all partitions that run have the rules (30; 0: do not wait)", 0},
    {"other-topics", KEY_OTHER_TOPICS, NULL, 0,
     "Deploy rules that read other topics than those before: running instances refuse them until "
     "each is restarted with these rules",
     0},
    {0}};

struct request {
    struct fb_rules_request rules;
    struct fb_config_request config;
    bool rollback, list, other_topics;
    int64_t wait_s;
};

static void check_request(const struct request *request, struct argp_state *state) {
    if (request->rollback && request->list)
        argp_error(state, "--rollback and --list exclude each other");
    if (request->rules.n && (request->rollback || request->list))
        argp_error(state, "--rules does not go with %s",
                   request->rollback ? "--rollback, which takes them from the rules topic"
                                     : "--list");
    if (!request->rules.n && !request->rollback && !request->list)
        argp_error(state, "--rules is missing");
}

static error_t parse(int key, char *value, struct argp_state *state) {
    struct request *request = state->input;
    switch (key) {
    case KEY_ROLLBACK:
        request->rollback = true;
        return 0;
    case KEY_LIST:
        request->list = true;
        return 0;
    case KEY_OTHER_TOPICS:
        request->other_topics = true;
        return 0;
    case KEY_WAIT:
        request->wait_s = fb_cli_wait_s(value, state);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "`%s`: rules go behind --rules, the configuration behind --config",
                   value);
        return 0;
    case ARGP_KEY_END:
        check_request(request, state);
        return 0;
    default:
        if (fb_rules_request_option(&request->rules, key, value, state) == 0)
            return 0;
        return fb_config_request_option(&request->config, key, value, state);
    }
}

/* ---- what is in force, and what is to be ---- */

static void print_plan(const struct fb_bundle *from, const struct fb_bundle *to) {
    struct fb_buf out = {0};
    struct fb_migration *migration = fb_migration_new(from->program, to->program);
    fb_buf_printf(&out, "from rules %s to %s:\n", from->name, to->name);
    fb_plan_text(migration, &out);
    fb_cli_put(&out, stdout);
    fflush(stdout);
    fb_migration_free(migration);
    fb_buf_free(&out);
}

/* Says what the change does; false: it may not be made. */
static bool may_follow(const struct fb_bundle *before, const struct fb_bundle *next,
                       bool other_topics) {
    if (!before)
        return true; /* nothing to compare with; instances refuse what they cannot take */
    bool same = fb_bundle_reads_the_same(before, next);
    if (!same && !other_topics)
        fprintf(stderr,
                "flyball deploy: error: these rules read other topics than those in force "
                "(%s): a running instance does not change its topics\n"
                "help: give --other-topics, then restart each instance with these rules\n",
                before->name);
    else
        print_plan(before, next);
    return same || other_topics;
}

/* Rules that nobody deployed go into the topic first, so that --rollback finds them. */
static bool note_former(struct fb_deploy *deploy, const struct fb_in_force *former,
                        struct fb_err *err) {
    char by[256];
    snprintf(by, sizeof by, "run --rules of %s", former->instance);
    const struct fb_deployment *written =
        fb_deploy_write(deploy, former->bundle->bytes, by, fb_wall_us(&fb_machine_time), err);
    if (written)
        printf("rules %s were in force by --rules: noted at offset %lld of %s\n", written->name,
               (long long)written->offset, fb_deploy_topic(deploy));
    return written != NULL;
}

/* ---- waiting ---- */

static bool has(const struct fb_told *told, const char *name) {
    return strcmp(told->rules, name) == 0;
}

/* It was heard of, and not as one that has ended. */
static bool runs(const struct fb_told *told) {
    return told->stamp_us != FB_NO_STAMP && strcmp(told->mode, "drained") != 0;
}

static bool refuses(const struct fb_told *told, const char *name) {
    char text[64];
    snprintf(text, sizeof text, "rules %s are refused", name);
    return strncmp(told->detail, text, strlen(text)) == 0;
}

struct count {
    int32_t heard, have, refuse;
};

static struct count count(const struct fb_told_all *told, const char *name) {
    struct count count = {0, 0, 0};
    for (int32_t p = 0; p < told->n; p++) {
        if (!runs(&told->items[p]))
            continue;
        count.heard++;
        count.have += has(&told->items[p], name);
        count.refuse += !has(&told->items[p], name) && refuses(&told->items[p], name);
    }
    return count;
}

static void print_rest(const struct fb_told_all *told, const char *name) {
    for (int32_t p = 0; p < told->n; p++) {
        const struct fb_told *one = &told->items[p];
        if (runs(one) && !has(one, name))
            fprintf(stderr, "partition %d of instance %s: %s, rules %s%s%s\n", p, one->instance,
                    one->mode, one->rules[0] ? one->rules : "not known", one->detail[0] ? ": " : "",
                    one->detail);
    }
}

/* Follows the status topic until every partition that was heard of lately has the rules. */
static int await(struct fb_deploy *deploy, const char *name, int64_t wait_s) {
    struct fb_told_all told = {0};
    struct fb_err err;
    struct count now = {0, 0, 0};
    int64_t begun_us = fb_wall_us(&fb_machine_time);
    bool ok = true, over = false;
    while (!over && (ok = fb_deploy_told(deploy, begun_us - FB_HEARD_US, &told, &err))) {
        now = count(&told, name);
        over = now.have + now.refuse == now.heard ||
               fb_wall_us(&fb_machine_time) - begun_us >= wait_s * 1000000;
        if (!over)
            usleep(FB_LOOK_US);
    }
    int status = FB_EXIT_PROBLEMS;
    if (!ok)
        status = fb_cli_failed("deploy", &err);
    else if (now.heard == 0)
        printf("no instance was heard of in the last %d s: the rules are in force when one "
               "starts\n",
               FB_HEARD_US / 1000000);
    else if (now.have == now.heard)
        printf("in force in %d of %d partitions%s\n", now.have, told.n,
               now.heard < told.n ? "; of the others nothing was heard" : "");
    else
        fprintf(stderr,
                "flyball deploy: rules %s are deployed, but %d of %d partitions do not "
                "have them%s:\n",
                name, now.heard - now.have, now.heard, now.refuse ? "" : " yet");
    if (ok && now.have == now.heard)
        status = FB_EXIT_OK;
    if (ok)
        print_rest(&told, name);
    fb_told_free(&told);
    return status;
}

/* ---- the commands ---- */

static int write_bundle(struct fb_deploy *deploy, const struct request *request,
                        const struct fb_bundle *bundle) {
    struct fb_err err;
    char by[256];
    fb_cli_who(by, sizeof by);
    const struct fb_deployment *written =
        fb_deploy_write(deploy, bundle->bytes, by, fb_wall_us(&fb_machine_time), &err);
    if (!written)
        return fb_cli_failed("deploy", &err);
    printf("deployed rules %s at offset %lld of %s\n", written->name, (long long)written->offset,
           fb_deploy_topic(deploy));
    fflush(stdout);
    return request->wait_s && !request->other_topics ? await(deploy, bundle->name, request->wait_s)
                                                     : FB_EXIT_OK;
}

static int deploy_bundle(struct fb_deploy *deploy, const struct request *request,
                         const struct fb_bundle *bundle) {
    struct fb_in_force former;
    struct fb_err err;
    if (!fb_cli_in_force("deploy", deploy, &former, &err))
        return fb_cli_failed("deploy", &err);
    const struct fb_bundle *before = former.bundle;
    bool same = before && memcmp(before->hash, bundle->hash, sizeof before->hash) == 0;
    if (same && former.deployed)
        printf("rules %s are deployed already (offset %lld of %s): deployed once more\n",
               bundle->name, (long long)former.offset, fb_deploy_topic(deploy));
    else if (same)
        printf("rules %s are in force already, by --rules\n", bundle->name);
    int status = FB_EXIT_OK;
    if (!same && !may_follow(before, bundle, request->other_topics))
        status = FB_EXIT_PROBLEMS;
    else if (!same && before && !former.deployed && !note_former(deploy, &former, &err))
        status = fb_cli_failed("deploy", &err);
    else
        status = write_bundle(deploy, request, bundle);
    fb_bundle_drop(former.bundle);
    return status;
}

static int roll_back(struct fb_deploy *deploy, const struct request *request,
                     const struct fb_config *config) {
    const struct fb_deployments *all = fb_deploy_all(deploy);
    const struct fb_deployment *last = fb_deployments_last(all, SIZE_MAX, NULL);
    const struct fb_deployment *before =
        last ? fb_deployments_last(all, (size_t)(last - all->items), last->hash) : NULL;
    if (!before) {
        fprintf(stderr, "flyball deploy: error: %s; there is nothing to go back to\n",
                last ? "no other rules were deployed before" : "no rules were deployed");
        return FB_EXIT_PROBLEMS;
    }
    struct fb_err err;
    struct fb_bundle *bundle =
        fb_bundle_parse((struct fb_str){before->bytes.p, before->bytes.n}, NULL, &err);
    int status = FB_EXIT_PROBLEMS;
    if (bundle && fb_topics_may_be_commanded(config, bundle->program, &err))
        status = deploy_bundle(deploy, request, bundle);
    else
        fprintf(stderr, "flyball deploy: rules %s at offset %lld: %s\n", before->name,
                (long long)before->offset, err.text);
    fb_bundle_drop(bundle);
    return status;
}

static int list(const struct fb_deploy *deploy) {
    const struct fb_deployments *all = fb_deploy_all(deploy);
    const struct fb_deployment *last = fb_deployments_last(all, SIZE_MAX, NULL);
    static const char *const words[] = {"", "drain", "damaged"};
    for (size_t i = 0; i < all->n; i++) {
        const struct fb_deployment *item = &all->items[i];
        printf("%6lld  %-24s  %-12s  %s%s\n", (long long)item->offset, item->at[0] ? item->at : "-",
               item->kind == FB_DEPLOYED_RULES ? item->name : words[item->kind],
               item->by[0] ? item->by : "-", item == last ? "  (in force)" : "");
    }
    if (all->n == 0)
        printf("nothing was deployed: the rules of `flyball run --rules` are in force\n");
    return FB_EXIT_OK;
}

static int with_topic(const struct request *request, const struct fb_config *config,
                      const struct fb_bundle *bundle) {
    struct fb_err err;
    struct fb_deploy *deploy = fb_deploy_open(config, !request->list, &err);
    if (!deploy)
        return fb_cli_failed("deploy", &err);
    int status = request->list       ? list(deploy)
                 : request->rollback ? roll_back(deploy, request, config)
                                     : deploy_bundle(deploy, request, bundle);
    fb_deploy_close(deploy);
    return status;
}

/* The rules are compiled before anything of Kafka is touched. */
static int deploy(const struct request *request, const struct fb_config *config) {
    struct fb_bundle *bundle = NULL;
    struct fb_compiled compiled;
    if (request->rules.n) {
        int status = fb_cli_compile(request->rules.paths, request->rules.n, &compiled);
        if (status != FB_EXIT_OK)
            return status;
        struct fb_err err;
        if (!fb_topics_are_of_others(config, compiled.program, &err) ||
            !fb_topics_may_be_commanded(config, compiled.program, &err)) {
            fprintf(stderr, "flyball deploy: error: %s\n", err.text);
            fb_compiled_free(&compiled);
            return FB_EXIT_USAGE;
        }
        struct fb_bundle_settings settings = fb_bundle_settings_of(config);
        bundle = fb_bundle_of(&compiled, &settings, NULL);
    }
    int status = with_topic(request, config, bundle);
    fb_bundle_drop(bundle);
    return status;
}

int fb_cmd_deploy(int argc, char **argv) {
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .args_doc = "",
        .doc = "Gives a running application other rules without losing its state: checks them, "
               "says what they change, writes them to the rules topic, and waits until all "
               "partitions have them. Exit status 0: done; 1: the rules have errors, read other "
               "topics, or some partitions do not have them yet; 2: wrong usage or configuration; "
               "3: Kafka could not be reached.\v"
               "Examples:\n"
               "  flyball deploy --rules rules/ --config flyball.properties\n"
               "  flyball deploy --list --config flyball.properties\n"
               "  flyball deploy --rollback --config flyball.properties",
    };
    struct request request = {.wait_s = WAIT_S};
    fb_cli_options(&argp, argc, argv, &request);
    struct fb_config *config = fb_config_new();
    int status = FB_EXIT_USAGE;
    if (fb_cli_read_config(&request.config, config) && fb_cli_has_rules_topic("deploy", config))
        status = deploy(&request, config);
    fb_config_free(config);
    return status;
}
