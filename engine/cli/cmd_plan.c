/* `flyball plan OLD NEW`: what becomes of running state when other rules come.
 *
 * Place in the flow: two compilations, or one and the rules in force, and what core/migrate says of
 * them. Nothing is changed. */
#include <stdio.h>
#include <string.h>

#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/compile.h"
#include "engine/cli/deployer.h"
#include "engine/cli/plan_text.h"
#include "engine/cli/read_config.h"
#include "engine/run/deploy.h"
#include "engine/run/topics.h"

struct plan_options {
    const char *paths[2]; /* old, new */
    int n_paths;
    bool json;
    struct fb_config_request config;
};

/* With a configuration OLD is what the application has in force. */
static bool is_running(const struct plan_options *options) {
    return options->config.path || options->config.n_sets;
}

static error_t parse(int key, char *value, struct argp_state *state) {
    struct plan_options *options = state->input;
    switch (key) {
    case 'f':
        if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
            argp_error(state, "--format is text or json, not `%s`", value);
        options->json = strcmp(value, "json") == 0;
        return 0;
    case ARGP_KEY_ARG:
        if (options->n_paths == 2)
            argp_error(state, "`%s` is one too many: OLD and NEW are a file or a folder each",
                       value);
        options->paths[options->n_paths++] = value;
        return 0;
    case ARGP_KEY_END:
        if (is_running(options) && options->n_paths == 2)
            argp_error(state,
                       "`%s` is one too many: with --config or -X only NEW is given, OLD is "
                       "what is in force",
                       options->paths[1]);
        if (options->n_paths < 2 - is_running(options))
            argp_error(state, "%s is missing: a rule file or a folder",
                       options->n_paths || is_running(options) ? "NEW" : "OLD");
        return 0;
    default:
        return fb_config_request_option(&options->config, key, value, state);
    }
}

/* ---- the command --------------------------------------------------------------------------- */

static int print_plan(const struct fb_program *from, const struct fb_program *to, bool json) {
    struct fb_migration *migration = fb_migration_new(from, to);
    struct fb_buf out = {0};
    if (json)
        fb_plan_json(migration, &out);
    else
        fb_plan_text(migration, &out);
    fb_cli_put(&out, stdout);
    fb_buf_free(&out);
    int status = fb_migration_keeps_all(migration) ? FB_EXIT_OK : FB_EXIT_PROBLEMS;
    fb_migration_free(migration);
    return status;
}

/* What an instance would not take is no plan. */
static bool may_run(const struct fb_config *config, const struct fb_program *to) {
    struct fb_err err;
    if (fb_topics_may_be_commanded(config, to, &err))
        return true;
    fprintf(stderr, "flyball plan: error: %s\n", err.text);
    return false;
}

/* The rules in force of an application that may be given `to`. NULL: they are not known, or `to`
 * is not for it, which is told; *status says how it ended. */
static struct fb_bundle *in_force(const struct fb_config_request *request,
                                  const struct fb_program *to, int *status) {
    struct fb_in_force found = {0};
    struct fb_err err = {0};
    struct fb_config *config = fb_config_new();
    struct fb_deploy *deploy = NULL;
    *status = FB_EXIT_USAGE;
    if (fb_cli_read_config(request, config) && may_run(config, to) &&
        fb_cli_has_rules_topic("plan", config)) {
        deploy = fb_deploy_open(config, false, &err);
        if (!deploy || !fb_cli_in_force("plan", deploy, &found, &err))
            *status = fb_cli_failed("plan", &err);
        else if (!found.bundle)
            fprintf(stderr,
                    "flyball plan: error: no rules of %s are known: none were deployed, and "
                    "no instance has told any\n",
                    fb_config_text(config, FB_KEY_APPLICATION_ID));
    }
    fb_deploy_close(deploy);
    fb_config_free(config);
    return found.bundle;
}

static int plan_for_running(const struct plan_options *options) {
    struct fb_compiled to;
    int status = fb_cli_compile(&options->paths[0], 1, &to);
    if (status != FB_EXIT_OK)
        return status;
    struct fb_bundle *from = in_force(&options->config, to.program, &status);
    if (from)
        status = print_plan(from->program, to.program, options->json);
    fb_bundle_drop(from);
    fb_compiled_free(&to);
    return status;
}

static int plan_for_two(const struct plan_options *options) {
    struct fb_compiled from, to;
    int status = fb_cli_compile(&options->paths[0], 1, &from);
    if (status != FB_EXIT_OK)
        return status;
    status = fb_cli_compile(&options->paths[1], 1, &to);
    if (status == FB_EXIT_OK) {
        status = print_plan(from.program, to.program, options->json);
        fb_compiled_free(&to);
    }
    fb_compiled_free(&from);
    return status;
}

int fb_cmd_plan(int argc, char **argv) {
    static const struct argp_option rows[] = {
        {"format", 'f', "text|json", 0, "How to print the plan (text)", 0}, FB_CONFIG_OPTIONS, {0}};
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "OLD NEW\nNEW --config FILE",
        .doc = "Say what becomes of running state when the rules in OLD are replaced by those in "
               "NEW: what is kept, goes along in another form, begins anew, ends. Exit status 0: "
               "nothing is lost but with rules that are gone; 1: a window, delay or field begins "
               "anew, or devices are forgotten. With --config or -X, OLD is what that application "
               "has in force: what was deployed last, else the rules of `run --rules`.\v"
               "Examples:\n"
               "  flyball plan rules.old/ rules/\n"
               "  flyball plan rules/ --config flyball.properties"};
    struct plan_options options = {0};
    fb_cli_options(&argp, argc, argv, &options);
    return is_running(&options) ? plan_for_running(&options) : plan_for_two(&options);
}
