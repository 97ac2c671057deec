/* `flyball explain ID FILE...`: why an alarm or a command came, or was blocked; with --rule: why
 * not.
 *
 * Place in the flow: lines of an audit trail, or run/trail of a live application ->
 * run/audit_find -> explain_text; or a replay up to a time -> explain_state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/lines.h"
#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/log.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/explain_state.h"
#include "engine/cli/explain_text.h"
#include "engine/cli/explain_words.h"
#include "engine/cli/read_config.h"
#include "engine/cli/replay_request.h"
#include "engine/run/trail.h"

enum { KEY_RULE = FB_REPLAY_KEYS_END, KEY_DEVICE, KEY_AT };

struct explain_options {
    const char *id;
    char **files;
    int n_files;
    struct fb_config_request live; /* the application whose topics are read, in place of files */
    const char *rule, *device; /* why not; else NULL */
    struct fb_replay_request what;
    bool replay_options; /* one of a replay was given, beside --rules */
    bool json;
};

static bool is_live(const struct explain_options *options) {
    return options->live.path || options->live.n_sets;
}

/* ID and files, or ID and an application, or a rule on a device at a time. */
static void check(const struct explain_options *options, struct argp_state *state) {
    if (options->rule || options->device) {
        if (!options->rule || !options->device)
            argp_error(state, "%s is missing: --rule R and --device D go together",
                       options->rule ? "--device" : "--rule");
        if (options->id)
            argp_error(state, "`%s`: with --rule there is no ID; events go behind --input",
                       options->id);
        if (is_live(options))
            argp_error(state,
                       "--config and -X go with an ID; with --rule, events are replayed from "
                       "--input FILE");
        fb_replay_request_check(&options->what, state);
        return;
    }
    if (options->replay_options)
        argp_error(state, "--at, --input and what belongs to them go with --rule and --device");
    if (!options->id)
        argp_error(state, "ID is missing: of an alert, a command, an event or an audit record");
    if (!fb_audit_find_is_id(fb_str_of(options->id)))
        argp_error(state, "`%s` is no id: it has %d to %d of the digits 0 to 9 and a to f",
                   options->id, FB_FIND_DIGITS_MIN, FB_FIND_DIGITS_MAX);
    if (options->n_files == 0 && !is_live(options))
        argp_error(state, "name files of audit records, - for standard input, or the running "
                          "application with --config FILE");
    if (options->n_files && is_live(options))
        argp_error(state,
                   "`%s`: either files are read, or the topics of the application that "
                   "--config and -X name",
                   options->files[0]);
}

static error_t parse_replay(struct explain_options *options, int key, char *value,
                            struct argp_state *state) {
    uint32_t rules = options->what.rules.n;
    error_t known = fb_replay_request_option(&options->what, key, value, state);
    options->replay_options |= known == 0 && options->what.rules.n == rules;
    return known;
}

static error_t parse(int key, char *value, struct argp_state *state) {
    struct explain_options *options = state->input;
    if (fb_config_request_option(&options->live, key, value, state) == 0)
        return 0;
    switch (key) {
    case 'f':
        if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
            argp_error(state, "--format is text or json, not `%s`", value);
        options->json = strcmp(value, "json") == 0;
        return 0;
    case KEY_RULE:
        options->rule = value;
        return 0;
    case KEY_DEVICE:
        options->device = value;
        return 0;
    case KEY_AT:
        if (!fb_time_parse(fb_str_of(value), &options->what.options.stop_us))
            argp_error(state, "--at takes a time such as 2026-01-01T12:00:00Z, not `%s`", value);
        options->what.options.has_stop = options->replay_options = true;
        return 0;
    case ARGP_KEY_ARGS:
        options->id = state->argv[state->next];
        options->files = state->argv + state->next + 1;
        options->n_files = state->argc - state->next - 1;
        return 0;
    case ARGP_KEY_END:
        check(options, state);
        return 0;
    default:
        return parse_replay(options, key, value, state);
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

static void take_line(void *context, struct fb_str line) {
    fb_audit_find_line(context, line);
}

/* Events are not in the trail: their topic is read where nothing in the trail has the id. */
static int read_topics(const struct explain_options *options, struct fb_audit_find *find) {
    struct fb_config *config = fb_config_new();
    struct fb_err err = {0};
    int status = FB_EXIT_USAGE;
    if (fb_cli_read_config(&options->live, config)) {
        fb_log_setup(FB_LOG_WARN, fb_config_is(config, FB_KEY_LOG_FORMAT, "json"));
        bool ok = fb_trail_read(config, FB_STREAM_AUDIT, take_line, find, &err) &&
                  (fb_audit_find_matches(find) > 0 ||
                   fb_trail_read(config, FB_STREAM_ALERTS, take_line, find, &err));
        status = ok ? FB_EXIT_OK : FB_EXIT_IO;
        if (!ok)
            fprintf(stderr, "flyball explain: %s\n", err.text);
    }
    fb_config_free(config);
    return status;
}

static int find_it(const struct explain_options *options, struct fb_audit_find *find) {
    int status = is_live(options) ? read_topics(options, find) : FB_EXIT_OK;
    if (status != FB_EXIT_OK)
        return status;
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
        fprintf(stderr, "flyball explain: none of %llu audit records has the id %s. %s\n",
                (unsigned long long)fb_audit_find_records(find), options->id,
                is_live(options) ? "Nor has an event; older ones may be gone from the topics"
                                 : "An event is found in the outputs (alerts.ndjson), all else in "
                                   "the audit trail");
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
    const struct fb_rules_request *rules = &options->what.rules;
    int status = FB_EXIT_OK;
    if (rules->n)
        status = fb_cli_compile(rules->paths, rules->n, &compiled);
    if (status != FB_EXIT_OK)
        return status;
    struct fb_audit_find *find = fb_audit_find_new(fb_str_of(options->id));
    status = find_it(options, find);
    if (status == FB_EXIT_OK)
        explain(options, find, rules->n ? &compiled : NULL);
    fb_audit_find_free(find);
    if (rules->n)
        fb_compiled_free(&compiled);
    return status;
}

/* ---- why not ---- */

struct looking {
    struct fb_state_question question;
    struct fb_buf out;
    bool found;
};

static bool leave_out(void *context, enum fb_stream stream, struct fb_str line,
                      struct fb_err *err) {
    (void)context;
    (void)stream;
    (void)line;
    (void)err;
    return true;
}

/* One of the tasks has the device; it may be one of those that the rule commands elsewhere. */
static void look(void *context, struct fb_core *core) {
    struct looking *looking = context;
    struct fb_state_question question = looking->question;
    const struct fb_program *program = question.compiled->program;
    looking->found |= fb_explain_state(&question, core, &looking->out);
    for (uint32_t i = 0; i < program->n_rules; i++) {
        question.rule = &program->rules[i];
        if (question.rule->target.n && fb_str_eq(question.rule->name, looking->question.rule->name))
            looking->found |= fb_explain_state(&question, core, &looking->out);
    }
}

/* NULL: there is none, which is told. */
static const struct fb_rule *rule_named(const struct fb_program *program, const char *name) {
    const struct fb_rule *rule = fb_program_rule(program, fb_str_of(name));
    if (rule)
        return rule;
    struct fb_str *names = fb_alloc(sizeof *names * (program->n_rules + 1u));
    size_t n = 0;
    for (uint32_t i = 0; i < program->n_rules; i++)
        if (program->rules[i].sort != FB_SORT_ACTUATOR &&
            program->rules[i].sort != FB_SORT_PUBLISHED)
            names[n++] = program->rules[i].name;
    struct fb_str nearest = fb_str_nearest(fb_str_of(name), names, n);
    fprintf(stderr, "flyball explain: the rules have no alarm, event, control or mode `%s`", name);
    if (nearest.n)
        fprintf(stderr, "; did you mean `%.*s`?", FB_ARG(nearest));
    fputc('\n', stderr);
    free(names);
    return NULL;
}

static int replay_and_look(struct explain_options *options, const struct fb_bundle *bundle) {
    struct fb_replay_options *replay = &options->what.options;
    struct fb_replay_result result;
    struct fb_err err = {0};
    struct looking looking = {.question = {.compiled = &bundle->compiled,
                                           .rule = rule_named(bundle->program, options->rule),
                                           .device = fb_str_of(options->device),
                                           .json = options->json}};
    if (!looking.question.rule)
        return FB_EXIT_USAGE;
    replay->write = leave_out;
    replay->look = look;
    replay->context = &looking;
    int status = FB_EXIT_OK;
    if (!fb_replay(replay, &result, &err)) {
        fprintf(stderr, "flyball explain: %s\n", err.text);
        status = FB_EXIT_IO;
    } else if (!looking.found) {
        fprintf(stderr, "flyball explain: no record of %s had come by then; devices that had: %u\n",
                options->device, result.stats.devices);
        status = FB_EXIT_PROBLEMS;
    } else {
        fb_cli_put(&looking.out, stdout);
    }
    fb_buf_free(&looking.out);
    return status;
}

static int explain_why_not(struct explain_options *options) {
    struct fb_bundle *bundle;
    int status = fb_replay_request_compile(&options->what, &bundle);
    if (status != FB_EXIT_OK)
        return status;
    status = replay_and_look(options, bundle);
    fb_bundle_drop(bundle);
    return status;
}

int fb_cmd_explain(int argc, char **argv) {
    static const struct argp_option rows[] = {
        {"rule", KEY_RULE, "RULE", 0, "Why not: the state of this alarm, event, control or mode",
         0},
        {"device", KEY_DEVICE, "DEVICE", 0, "on this device,", 0},
        {"at", KEY_AT, "TIME", 0, "at this time (the end of the input)", 0},
        {"format", 'f', "text|json", 0, "How to print it (text)", 0},
        {"config", 'c', "FILE", 0,
         "Look in the topics of this application, a properties file, in place of files", 0},
        {"override", 'X', "KEY=VALUE", 0, "Override a key of the configuration; may be given again",
         0},
        FB_REPLAY_OPTIONS,
        {0}};
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "ID FILE...\nID --config FILE\n--rule RULE --device DEVICE --at TIME --rules "
                    "RULES --input FILE",
        .doc = "Say why an alarm was raised or cleared, a command was sent or a request was "
               "blocked: the rule, the record that made it decide, each value, the claims on the "
               "actuator, what every guardrail said. ID is that of the alert, command or audit "
               "record, or its beginning. FILE holds audit records, one a line, also .zst, as "
               "`flyball replay --out` and the audit topic have them; - is standard input. An "
               "event is found in the outputs. With --config, the topics of an application that "
               "runs or ran exactly once are read from their beginning. With --rule, what did not "
               "come: the events are replayed up to the time, and the state of each condition, "
               "delay, claim and guardrail is told. Exit status 1: it is not there.\v"
               "Examples:\n"
               "  flyball explain b071ef51 results/audit.ndjson --rules pumps.rules\n"
               "  flyball explain b071ef51 --config fb.properties --rules pumps.rules\n"
               "  flyball explain --rule overheat --device p1 --at 2026-01-01T00:10:00Z \\\n"
               "      --rules pumps.rules --input pumps.ndjson"};
    struct explain_options *options = fb_alloc(sizeof *options);
    fb_replay_request_init(&options->what);
    fb_cli_options(&argp, argc, argv, options);
    int status = options->rule ? explain_why_not(options) : explain_id(options);
    free(options);
    return status;
}
