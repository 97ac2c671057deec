/* `flyball explain ID FILE...`: why an alarm or a command came, or was blocked.
 *
 * Place in the flow: lines of an audit trail -> run/audit_find -> explain_text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/lines.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/compile.h"
#include "engine/cli/explain_text.h"

struct explain_options {
    const char *id;
    char **files;
    int n_files;
    struct fb_rules_request rules;
    bool json;
};

static error_t parse(int key, char *value, struct argp_state *state) {
    struct explain_options *options = state->input;
    switch (key) {
    case 'f':
        if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
            argp_error(state, "--format is text or json, not `%s`", value);
        options->json = strcmp(value, "json") == 0;
        return 0;
    case ARGP_KEY_ARGS:
        options->id = state->argv[state->next];
        options->files = state->argv + state->next + 1;
        options->n_files = state->argc - state->next - 1;
        return 0;
    case ARGP_KEY_END:
        if (!options->id)
            argp_error(state, "ID is missing: of an alert, a command, an event or an audit record");
        if (!fb_audit_find_is_id(fb_str_of(options->id)))
            argp_error(state, "`%s` is no id: it has %d to %d of the digits 0 to 9 and a to f",
                       options->id, FB_FIND_DIGITS_MIN, FB_FIND_DIGITS_MAX);
        if (options->n_files == 0)
            argp_error(state, "name files of audit records, or - for standard input");
        return 0;
    default:
        return fb_rules_request_option(&options->rules, key, value, state);
    }
}

/* ---- reading ---- */

static bool read_file(struct fb_audit_find *find, const char *path) {
    struct fb_err err = {0};
    struct fb_str line;
    enum fb_line read;
    struct fb_lines *lines = fb_lines_open(path, &err);
    if (!lines) {
        fprintf(stderr, "flyball explain: %s\n", err.text);
        return false;
    }
    while ((read = fb_lines_next(lines, &line, &err)) == FB_LINE_WHOLE || read == FB_LINE_CUT)
        fb_audit_find_line(find, line);
    fb_lines_close(lines);
    if (read == FB_LINE_FAILED)
        fprintf(stderr, "flyball explain: %s\n", err.text);
    return read != FB_LINE_FAILED;
}

static int find_it(const struct explain_options *options, struct fb_audit_find *find) {
    for (int i = 0; i < options->n_files; i++)
        if (!read_file(find, options->files[i]))
            return FB_EXIT_IO;
    uint32_t matches = fb_audit_find_matches(find);
    if (matches == 1)
        return FB_EXIT_OK;
    if (matches > 1)
        fprintf(stderr, "flyball explain: %u records begin with %s: give more of its digits\n",
                matches, options->id);
    else
        fprintf(stderr,
                "flyball explain: none of %llu audit records has the id %s. An event is found in "
                "the outputs (alerts.ndjson), all else in the audit trail\n",
                (unsigned long long)fb_audit_find_records(find), options->id);
    return FB_EXIT_PROBLEMS;
}

/* ---- telling ---- */

static void explain(const struct explain_options *options, const struct fb_audit_find *find,
                    const struct fb_compiled *compiled) {
    struct fb_explained explained = {.find = find, .compiled = compiled};
    struct fb_story_reader *reader = fb_story_reader_new();
    struct fb_arena *arena = fb_arena_new();
    struct fb_buf out = {0};
    for (int i = 0; i < FB_FINDS; i++) {
        struct fb_str data = fb_audit_find_data(find, (enum fb_find)i);
        explained.has[i] = data.n > 0 && fb_story_read(reader, data, arena, &explained.stories[i]);
    }
    (options->json ? fb_explain_json : fb_explain_text)(&explained, &out);
    fb_cli_put(&out, stdout);
    fb_buf_free(&out);
    fb_arena_free(arena);
    fb_story_reader_free(reader);
}

static int explain_id(const struct explain_options *options) {
    struct fb_compiled compiled;
    int status = FB_EXIT_OK;
    if (options->rules.n)
        status = fb_cli_compile(options->rules.paths, options->rules.n, &compiled);
    if (status != FB_EXIT_OK)
        return status;
    struct fb_audit_find *find = fb_audit_find_new(fb_str_of(options->id));
    status = find_it(options, find);
    if (status == FB_EXIT_OK)
        explain(options, find, options->rules.n ? &compiled : NULL);
    fb_audit_find_free(find);
    if (options->rules.n)
        fb_compiled_free(&compiled);
    return status;
}

int fb_cmd_explain(int argc, char **argv) {
    static const struct argp_option rows[] = {
        FB_RULES_OPTION, {"format", 'f', "text|json", 0, "How to print it (text)", 0}, {0}};
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "ID FILE...",
        .doc = "Say why an alarm was raised or cleared, a command was sent or a request was "
               "blocked: the rule, the record that made it decide, each value, the claims on the "
               "actuator, what every guardrail said. ID is that of the alert, command or audit "
               "record, or its beginning. FILE holds audit records, one a line, also .zst, as "
               "`flyball replay --out` and the audit topic have them; - is standard input. An "
               "event is found in the outputs. Exit status 1: it is not there.\v"
               "Example: flyball explain b071ef51 results/audit.ndjson --rules pumps.rules"};
    struct explain_options options = {0};
    fb_cli_options(&argp, argc, argv, &options);
    return explain_id(&options);
}
