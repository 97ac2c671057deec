/* `flyball diff A B`: what two sets of rules make of the same recorded events.
 *
 * Place in the flow: two replays, whose alarms and events review/episodes gathers; diff_text
 * compares and prints them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/calendar.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/diff_text.h"
#include "engine/cli/replay_request.h"

enum { KEY_NEAR = FB_REPLAY_KEYS_END, KEY_SUMMARY };

static const struct argp_option option_table[] = {
    FB_REPLAY_INPUT_OPTIONS,
    {"near", KEY_NEAR, "SECONDS", 0,
     "What begins at most so far apart counts as the same, earlier or later (60)", 0},
    {"summary", KEY_SUMMARY, NULL, 0, "Only the table, not each difference", 0},
    {"format", 'f', "text|json", 0, "How to print the differences (text)", 0},
    {0}};

struct diff_options {
    struct fb_replay_request what; /* its rules are set for each of the two runs */
    const char *paths[2];
    int n_paths;
    int64_t near_us;
    bool summary, json;
};

static error_t parse(int key, char *value, struct argp_state *state) {
    struct diff_options *options = state->input;
    char *end;
    double seconds;
    switch (key) {
    case KEY_NEAR:
        seconds = strtod(value, &end);
        if (end == value || *end || !(seconds >= 0) || seconds > 1e9)
            argp_error(state, "--near takes a number of seconds, not `%s`", value);
        options->near_us = (int64_t)(seconds * 1e6);
        return 0;
    case KEY_SUMMARY:
        options->summary = true;
        return 0;
    case 'f':
        if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
            argp_error(state, "--format is text or json, not `%s`", value);
        options->json = strcmp(value, "json") == 0;
        return 0;
    case ARGP_KEY_ARG:
        if (options->n_paths == 2)
            argp_error(state, "`%s` is one too many: A and B are a file or a folder each", value);
        options->paths[options->n_paths++] = value;
        return 0;
    case ARGP_KEY_END:
        if (options->n_paths < 2)
            argp_error(state, "%s is missing: a rule file or a folder",
                       options->n_paths ? "B" : "A");
        options->what.rules = (struct fb_rules_request){.paths = {options->paths[0]}, .n = 1};
        fb_replay_request_check(&options->what, state);
        for (uint32_t i = 0; i < options->what.options.n_inputs; i++)
            if (!strcmp(options->what.inputs[i].path, "-"))
                argp_error(state, "--input - cannot be read twice: give a file");
        return 0;
    default:
        return key == 'r' ? ARGP_ERR_UNKNOWN
                          : fb_replay_request_option(&options->what, key, value, state);
    }
}

/* ---- running ------------------------------------------------------------------------------- */

static bool leave_out(void *context, enum fb_stream stream, struct fb_str line,
                      struct fb_err *err) {
    (void)context;
    (void)stream;
    (void)line;
    (void)err;
    return true;
}

static void note(void *context, const struct fb_output *output, struct fb_str message) {
    struct fb_diff_side *side = context;
    fb_episodes_add(side->episodes, output, message);
}

static int run_side(struct diff_options *options, struct fb_diff_side *side) {
    struct fb_err err = {0};
    struct fb_bundle *bundle;
    options->what.rules = (struct fb_rules_request){.paths = {side->path}, .n = 1};
    int status = fb_replay_request_compile(&options->what, &bundle);
    if (status != FB_EXIT_OK)
        return status;
    options->what.options.write = leave_out;
    options->what.options.watch = note;
    options->what.options.context = side;
    if (!fb_replay(&options->what.options, &side->result, &err)) {
        fprintf(stderr, "flyball diff: %s\n", err.text);
        status = FB_EXIT_IO;
    }
    fb_bundle_drop(bundle);
    return status;
}

/* ---- the command --------------------------------------------------------------------------- */

static int print_differences(const struct diff_options *options, const struct fb_diff_side *sides) {
    struct fb_buf out = {0};
    bool differs = fb_diff_print(sides, options->near_us, options->json, options->summary, &out);
    fb_cli_put(&out, stdout);
    fb_buf_free(&out);
    return differs ? FB_EXIT_PROBLEMS : FB_EXIT_OK;
}

int fb_cmd_diff(int argc, char **argv) {
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .args_doc = "A B",
        .doc = "Run the rules in A, then those in B over the same recorded events, and say what B "
               "would have told otherwise: what is new, what is gone, what begins earlier or "
               "later, what ends at another time or has another severity. Alarms of one rule and "
               "device are the same where they overlap. Exit status 0: no difference; 1: there "
               "are some.\v"
               "Example: flyball diff rules.old/ rules/ --input pumps.ndjson"};
    struct diff_options options = {.near_us = FB_MINUTE};
    fb_replay_request_init(&options.what);
    fb_cli_options(&argp, argc, argv, &options);
    struct fb_diff_side sides[2] = {{.path = options.paths[0]}, {.path = options.paths[1]}};
    int status = FB_EXIT_OK;
    for (int i = 0; i < 2 && status == FB_EXIT_OK; i++) {
        sides[i].episodes = fb_episodes_new();
        status = run_side(&options, &sides[i]);
    }
    if (status == FB_EXIT_OK)
        status = print_differences(&options, sides);
    for (int i = 0; i < 2; i++)
        fb_episodes_free(sides[i].episodes);
    return status;
}
