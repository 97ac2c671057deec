/* `flyball check RULES...`: everything that can be said about rule files without running them.
 *
 * Place in the flow: load -> parse -> check -> lower, then the diagnostics and what the rules cost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "rules/compile.h"
#include "rules/lint.h"
#include "rules/cost.h"
#include "rules/listing.h"

struct check_options {
    const char **paths;
    size_t n_paths, cap_paths;
    bool json, listing;
};

static error_t parse(int key, char *value, struct argp_state *state) {
    struct check_options *options = state->input;
    switch (key) {
    case 'f':
        if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
            argp_error(state, "--format is text or json, not `%s`", value);
        options->json = strcmp(value, "json") == 0;
        return 0;
    case 'l':
        options->listing = true;
        return 0;
    case ARGP_KEY_ARG:
        FB_PUSH_ROOM(options->paths, options->n_paths, options->cap_paths);
        options->paths[options->n_paths++] = value;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "RULES is missing: a rule file or a folder");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char *plural(uint32_t n) {
    return n == 1 ? "" : "s";
}

static void print_program(const struct fb_program *program, bool listing) {
    struct fb_buf out = {0};
    if (listing)
        fb_listing(program, &out);
    else
        fb_cost_text(program, &out);
    fb_cli_put(&out, stdout);
    fb_buf_free(&out);
}

/* As they are written: what an alarm commands is a part of it, and what is commanded of others. */
static uint32_t count_rules(const struct fb_checked *checked) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < checked->n_rules; i++)
        n +=
            checked->rules[i].decl->commands_of == NULL && checked->rules[i].decl->asked_of == NULL;
    return n;
}

static void print_counts(const struct fb_checked *checked, uint32_t n_files) {
    uint32_t n_rules = count_rules(checked);
    printf("%u file%s read, %u rule%s, ", n_files, plural(n_files), n_rules, plural(n_rules));
    if (checked->n_actuators)
        printf("%u actuator%s, ", checked->n_actuators, plural(checked->n_actuators));
    printf("no errors\n");
}

static void print_text(const struct fb_diags *diags, const struct fb_compiled *compiled,
                       bool listing) {
    struct fb_buf out = {0};
    fb_diags_print(diags, compiled->sources, fb_cli_colour(stderr), &out);
    fb_cli_put(&out, stderr);
    fb_buf_free(&out);
    if (compiled->program)
        print_program(compiled->program, listing);
    uint32_t n_files = compiled->sources->n_files;
    if (diags->errors)
        fprintf(stderr, "%u error%s in %u file%s\n", diags->errors, plural(diags->errors), n_files,
                plural(n_files));
    else
        print_counts(&compiled->checked, n_files);
}

static void print_json(const struct fb_diags *diags, const struct fb_compiled *compiled) {
    struct fb_buf out = {0};
    fb_buf_printf(&out, "{\"files\":%u,\"rules\":%u,\"errors\":%u,\"diagnostics\":",
                  compiled->sources->n_files, compiled->checked.n_rules, diags->errors);
    fb_diags_print_json(diags, compiled->sources, &out);
    if (compiled->program) {
        fb_buf_text(&out, ",\"cost\":");
        fb_cost_json(compiled->program, &out);
    }
    fb_buf_text(&out, "}\n");
    fb_cli_put(&out, stdout);
    fb_buf_free(&out);
}

int fb_cmd_check(int argc, char **argv) {
    static const struct argp_option rows[] = {
        {"format", 'f', "text|json", 0, "How to print what was found (text)", 0},
        {"listing", 'l', NULL, 0, "Print the compiled program instead of its cost", 0},
        {0}};
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "RULES...",
        .doc =
            "Check rule files: names, types, units and bounds; print what each rule costs. RULES "
            "is a file or a folder of *.rules.\v"
            "Example: flyball check rules/ --format json"};
    struct check_options options = {0};
    fb_cli_options(&argp, argc, argv, &options);
    struct fb_diags *diags = fb_diags_new();
    struct fb_compiled compiled;
    bool ok = fb_compile_all(options.paths, options.n_paths, diags, &compiled);
    if (ok)
        fb_lint(&compiled.checked, diags);
    if (options.json)
        print_json(diags, &compiled);
    else
        print_text(diags, &compiled, options.listing);
    int status = ok ? FB_EXIT_OK : compiled.unreadable ? FB_EXIT_IO : FB_EXIT_PROBLEMS;
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
    free(options.paths);
    return status;
}
