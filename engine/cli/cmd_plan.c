/* `flyball plan OLD NEW`: what becomes of running state when other rules come.
 *
 * Place in the flow: two compilations, and what core/migrate says of them. Nothing is changed. */
#include <stdio.h>
#include <string.h>

#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/compile.h"
#include "engine/cli/plan_text.h"

struct plan_options {
    const char *paths[2]; /* old, new */
    int n_paths;
    bool json;
};

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
        if (options->n_paths < 2)
            argp_error(state, "%s is missing: a rule file or a folder",
                       options->n_paths ? "NEW" : "OLD");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the command --------------------------------------------------------------------------- */

static int print_plan(const struct fb_compiled *from, const struct fb_compiled *to, bool json) {
    struct fb_migration *migration = fb_migration_new(from->program, to->program);
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

int fb_cmd_plan(int argc, char **argv) {
    static const struct argp_option rows[] = {
        {"format", 'f', "text|json", 0, "How to print the plan (text)", 0}, {0}};
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "OLD NEW",
        .doc = "Say what becomes of running state when the rules in OLD are replaced by those in "
               "NEW: what is kept, goes along in another form, begins anew, ends. Exit status 0: "
               "nothing is lost but with rules that are gone; 1: a window, delay or field begins "
               "anew, or devices are forgotten.\v"
               "Example: flyball plan rules.old/ rules/"};
    struct plan_options options = {0};
    fb_cli_options(&argp, argc, argv, &options);
    struct fb_compiled from, to;
    int status = fb_cli_compile(&options.paths[0], 1, &from);
    if (status != FB_EXIT_OK)
        return status;
    status = fb_cli_compile(&options.paths[1], 1, &to);
    if (status == FB_EXIT_OK) {
        status = print_plan(&from, &to, options.json);
        fb_compiled_free(&to);
    }
    fb_compiled_free(&from);
    return status;
}
