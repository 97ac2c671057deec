/* The options of a replay. */
#include "engine/cli/replay_request.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/calendar.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"

void fb_replay_request_init(struct fb_replay_request *request) {
    *request = (struct fb_replay_request){
        .options = {.tasks = 1,
                    .max_skew_us = FB_REPLAY_MAX_SKEW_US,
                    .application = FB_S("flyball"),
                    .build = fb_cli_build()},
    };
}

/* TOPIC=FILE; a '=' behind a '/' belongs to the file's name. */
static struct fb_replay_input input_of(const char *text) {
    const char *equals = strchr(text, '='), *slash = strchr(text, '/');
    if (!equals || (slash && slash < equals))
        return (struct fb_replay_input){.path = text};
    return (struct fb_replay_input){.topic = {text, (size_t)(equals - text)}, .path = equals + 1};
}

static struct fb_replay_set set_of(struct argp_state *state, const char *text) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        argp_error(state, "--set takes NAME=VALUE or NAME=@filename, not `%s`", text);
    return (struct fb_replay_set){.name = {text, (size_t)(equals - text)},
                                  .value = fb_str_of(equals + 1),
                                  .filename = !strcmp(equals + 1, "@filename")};
}

error_t fb_replay_request_option(struct fb_replay_request *request, int key, char *value,
                                 struct argp_state *state) {
    struct fb_replay_options *options = &request->options;
    switch (key) {
    case 'i':
    case 's':
        if (options->n_inputs == FB_REPLAY_INPUTS_MAX || options->n_sets == FB_REPLAY_INPUTS_MAX)
            argp_error(state, "at most %d of --input and --set each", FB_REPLAY_INPUTS_MAX);
        if (key == 'i')
            request->inputs[options->n_inputs++] = input_of(value);
        else
            request->sets[options->n_sets++] = set_of(state, value);
        return 0;
    case 'u':
        if (!fb_time_parse(fb_str_of(value), &options->until_us))
            argp_error(state, "--until takes a time such as 2026-01-01T12:00:00Z, not `%s`", value);
        options->has_until = true;
        return 0;
    case 'e':
        options->envelope = true;
        return 0;
    case FB_REPLAY_KEY_APPLICATION:
        options->application = fb_str_of(value);
        return 0;
    case FB_REPLAY_KEY_CALLS:
        options->calls = value;
        return 0;
    case FB_REPLAY_KEY_TASKS: {
        long n = strtol(value, NULL, 10);
        if (n < 1 || n > 1024)
            argp_error(state, "--tasks takes a number from 1 to 1024, not `%s`", value);
        options->tasks = (uint32_t)n;
        return 0;
    }
    default:
        return fb_rules_request_option(&request->rules, key, value, state);
    }
}

void fb_replay_request_check(const struct fb_replay_request *request, struct argp_state *state) {
    const struct fb_replay_options *options = &request->options;
    if (!request->rules.n)
        argp_error(state, "--rules is missing");
    if (!options->n_inputs)
        argp_error(state, "--input is missing");
    for (uint32_t i = 0; options->envelope && i < options->n_inputs; i++)
        if (request->inputs[i].topic.n)
            argp_error(state, "with --envelope the lines name their topics: --input %s",
                       request->inputs[i].path);
}

int fb_bundle_request_compile(const struct fb_rules_request *rules, int64_t max_skew_us,
                              struct fb_bundle **bundle) {
    struct fb_bundle_settings settings = {.max_skew_us = max_skew_us, .max_age_us = FB_MINUTE};
    struct fb_compiled compiled;
    int status = fb_cli_compile(rules->paths, rules->n, &compiled);
    if (status == FB_EXIT_OK)
        *bundle = fb_bundle_of(&compiled, &settings, NULL);
    return status;
}

int fb_replay_request_compile(struct fb_replay_request *request, struct fb_bundle **bundle) {
    struct fb_replay_options *options = &request->options;
    int status = fb_bundle_request_compile(&request->rules, options->max_skew_us, bundle);
    if (status != FB_EXIT_OK)
        return status;
    options->program = (*bundle)->program;
    options->inputs = request->inputs;
    options->sets = request->sets;
    memcpy(options->rules, (*bundle)->hash, sizeof options->rules);
    return FB_EXIT_OK;
}
