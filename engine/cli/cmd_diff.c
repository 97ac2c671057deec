/* `flyball diff A B`: what two sets of rules make of the same recorded events.
 *
 * Place in the flow: two replays, whose alarms, events and commands review/episodes gathers;
 * diff_text compares and prints them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/calendar.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/diff_text.h"
#include "engine/cli/replay_request.h"

enum { KEY_NEAR = FB_REPLAY_KEYS_END, KEY_SUMMARY, KEY_SHADOW };

static const struct argp_option option_table[] = {
    FB_REPLAY_INPUT_OPTIONS,
    {"near", KEY_NEAR, "SECONDS", 0,
     "What begins at most so far apart counts as the same, earlier or later (60)", 0},
    {"shadow", KEY_SHADOW, NULL, 0,
     "Of one set of rules: what is commanded, and what would be were every control armed", 0},
    {"summary", KEY_SUMMARY, NULL, 0, "Only the table, not each difference", 0},
    {"format", 'f', "text|json", 0, "How to print the differences (text)", 0},
    {0}};

struct diff_options {
    struct fb_replay_request what[2]; /* alike but for the rules */
    const char *paths[2];
    int n_paths;
    int64_t near_us;
    bool summary, json;
    bool shadow; /* A alone */
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
    case KEY_SHADOW:
        options->shadow = true;
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
        if (options->n_paths == 0 || (options->n_paths == 1 && !options->shadow))
            argp_error(state, "%s is missing: a rule file or a folder",
                       options->n_paths ? "B" : "A");
        if (options->n_paths == 2 && options->shadow)
            argp_error(state, "`%s` is one too many: --shadow looks at one set of rules",
                       options->paths[1]);
        options->what[0].rules = (struct fb_rules_request){.paths = {options->paths[0]}, .n = 1};
        fb_replay_request_check(&options->what[0], state);
        for (uint32_t i = 0; i < options->what[0].options.n_inputs; i++)
            if (!options->shadow && !strcmp(options->what[0].inputs[i].path, "-"))
                argp_error(state, "--input - cannot be read twice: give a file");
        options->what[1] = options->what[0];
        return 0;
    default:
        return key == 'r' ? ARGP_ERR_UNKNOWN
                          : fb_replay_request_option(&options->what[0], key, value, state);
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

/* Whether a control on the actuator is not armed, so that it has a shadow. */
static bool has_shadow(const struct fb_bundle *bundle, struct fb_str class_name,
                       struct fb_str name) {
    const struct fb_class *class_ = fb_program_class(bundle->program, class_name);
    for (uint32_t i = 0; class_ && i < class_->n_actuators; i++)
        if (class_->actuators[i].shadow && fb_str_eq(class_->actuators[i].name, name))
            return true;
    return false;
}

/* Commands of an actuator that has a shadow in the other rules only are its shadow's in these:
 * nothing about them is unarmed. */
static void note_command(struct fb_diff_side *side, const struct fb_output *output) {
    struct fb_str class_name = side->bundle->program->classes[output->class_index].name;
    struct fb_str name = output->actuator->name;
    if (output->actuator->shadow) {
        fb_episodes_add_command(side->episodes, FB_EPISODE_SHADOW, class_name, output);
        return;
    }
    fb_episodes_add_command(side->episodes, FB_EPISODE_COMMAND, class_name, output);
    if (!has_shadow(side->bundle, class_name, name) && has_shadow(side->other, class_name, name))
        fb_episodes_add_command(side->episodes, FB_EPISODE_SHADOW, class_name, output);
}

static void note(void *context, const struct fb_output *output, struct fb_str message) {
    struct fb_diff_side *side = context;
    if (output->kind == FB_OUT_COMMAND)
        note_command(side, output);
    else
        fb_episodes_add(side->episodes, output, message);
}

/* One run for both: A is what is sent, B what would be, were every control armed. */
static void note_armed(void *context, const struct fb_output *output, struct fb_str message) {
    struct fb_diff_side *sides = context;
    if (output->kind != FB_OUT_COMMAND) {
        fb_episodes_add(sides[0].episodes, output, message);
        fb_episodes_add(sides[1].episodes, output, message);
        return;
    }
    struct fb_str class_name = sides[0].bundle->program->classes[output->class_index].name;
    bool armed = !has_shadow(sides[0].bundle, class_name, output->actuator->name);
    if (!output->actuator->shadow)
        fb_episodes_add_command(sides[0].episodes, FB_EPISODE_COMMAND, class_name, output);
    if (output->actuator->shadow || armed)
        fb_episodes_add_command(sides[1].episodes, FB_EPISODE_COMMAND, class_name, output);
}

static int compile_side(struct diff_options *options, int i, struct fb_diff_side *sides) {
    struct fb_replay_request *what = &options->what[i];
    what->rules = (struct fb_rules_request){.paths = {sides[i].path}, .n = 1};
    int status = fb_replay_request_compile(what, &sides[i].bundle);
    if (status == FB_EXIT_OK)
        sides[1 - i].other = sides[i].bundle;
    return status;
}

static int run(struct fb_replay_options *options,
               void (*watch)(void *, const struct fb_output *, struct fb_str), void *context,
               struct fb_replay_result *result) {
    struct fb_err err = {0};
    options->write = leave_out;
    options->watch = watch;
    options->context = context;
    if (fb_replay(options, result, &err))
        return FB_EXIT_OK;
    fprintf(stderr, "flyball diff: %s\n", err.text);
    return FB_EXIT_IO;
}

static int run_both(struct diff_options *options, struct fb_diff_side *sides) {
    int status = FB_EXIT_OK;
    for (int i = 0; i < 2 && status == FB_EXIT_OK; i++)
        status = compile_side(options, i, sides);
    for (int i = 0; i < 2 && status == FB_EXIT_OK; i++)
        status = run(&options->what[i].options, note, &sides[i], &sides[i].result);
    return status;
}

static int run_shadow(struct diff_options *options, struct fb_diff_side *sides) {
    int status = compile_side(options, 0, sides);
    if (status == FB_EXIT_OK)
        status = run(&options->what[0].options, note_armed, sides, &sides[0].result);
    sides[1].result = sides[0].result;
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
        .args_doc = "A B\n--shadow A",
        .doc = "Run the rules in A, then those in B over the same recorded events, and say what B "
               "would have told otherwise: what is new, what is gone, what begins earlier or "
               "later, what ends at another time or has another severity. Alarms of one rule and "
               "device are the same where they overlap. Commands are compared by the value that "
               "each actuator of a device has over time, with its starts and reversals; `shadow` "
               "compares what they would be were every control armed, of actuators that a control "
               "without `rollout armed` claims in A or B. With --shadow A is compared with itself, "
               "all controls armed. Exit status 0: no difference; 1: there "
               "are some.\v"
               "Example: flyball diff rules.old/ rules/ --input pumps.ndjson"};
    struct diff_options options = {.near_us = FB_MINUTE};
    fb_replay_request_init(&options.what[0]);
    fb_cli_options(&argp, argc, argv, &options);
    struct fb_diff_side sides[2] = {{.path = options.paths[0]}, {.path = options.paths[1]}};
    for (int i = 0; i < 2; i++)
        sides[i].episodes = fb_episodes_new();
    int status = (options.shadow ? run_shadow : run_both)(&options, sides);
    if (status == FB_EXIT_OK)
        status = print_differences(&options, sides);
    for (int i = 0; i < 2; i++) {
        fb_episodes_free(sides[i].episodes);
        fb_bundle_drop(sides[i].bundle);
    }
    return status;
}
