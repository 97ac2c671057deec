/* `flyball run`: the live engine.
 *
 * Place in the flow: options -> configuration, fb_compile -> engine/run/engine. */
#include <stdio.h>
#include <string.h>

#include "engine/base/log.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/compile.h"
#include "engine/cli/read_config.h"
#include "engine/run/engine.h"

enum { KEY_PRINT_CONFIG = 0x200, KEY_PRINT_REFERENCE };

static const struct argp_option option_table[] = {
    FB_RULES_OPTION,
    FB_CONFIG_OPTIONS,
    {"print-config", KEY_PRINT_CONFIG, NULL, 0,
     "Show the whole configuration and where each value comes from, and end", 0},
    {"print-reference", KEY_PRINT_REFERENCE, NULL, 0,
     "Write the page about all keys (Markdown), and end", 0},
    {"input", 'i', "[TOPIC=]FILE", 0, "Read JSON lines instead of Kafka; - is standard input", 0},
    {"output", 'o', "FILE", 0, "Write JSON lines instead of to Kafka; - is standard output", 0},
    {0}};

struct request {
    struct fb_rules_request rules;
    struct fb_config_request config;
    const char *input, *output;
    char topic[256]; /* of --input TOPIC=FILE; empty: not given */
    bool print_config, print_reference;
};

/* A '=' behind a '/' belongs to the file's name. */
static void set_input(struct request *request, char *text, struct argp_state *state) {
    const char *equals = strchr(text, '='), *slash = strchr(text, '/');
    request->input = text;
    if (!equals || (slash && slash < equals))
        return;
    size_t n = (size_t)(equals - text);
    if (n >= sizeof request->topic)
        argp_error(state, "--input: the topic's name is too long");
    memcpy(request->topic, text, n);
    request->topic[n] = '\0';
    request->input = equals + 1;
}

static error_t parse(int key, char *value, struct argp_state *state) {
    struct request *request = state->input;
    switch (key) {
    case 'i':
        set_input(request, value, state);
        return 0;
    case 'o':
        request->output = value;
        return 0;
    case KEY_PRINT_CONFIG:
        request->print_config = true;
        return 0;
    case KEY_PRINT_REFERENCE:
        request->print_reference = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "`%s`: rules go behind --rules, the configuration behind --config",
                   value);
        return 0;
    case ARGP_KEY_END:
        if (!request->rules.n && !request->print_config && !request->print_reference)
            argp_error(state, "--rules is missing");
        return 0;
    default:
        if (fb_rules_request_option(&request->rules, key, value, state) == 0)
            return 0;
        return fb_config_request_option(&request->config, key, value, state);
    }
}

static int print_config(const struct fb_config *config) {
    struct fb_buf out = {0};
    fb_config_print(config, &out);
    fb_cli_put(&out, stdout);
    fb_buf_free(&out);
    return FB_EXIT_OK;
}

static int print_reference(void) {
    struct fb_buf out = {0};
    fb_config_reference(&out);
    fb_cli_put(&out, stdout);
    fb_buf_free(&out);
    return FB_EXIT_OK;
}

static void set_up_log(const struct fb_config *config) {
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < 4; i++)
        if (fb_config_is(config, FB_KEY_LOG_LEVEL, levels[i]))
            fb_log_setup((enum fb_log_level)i, fb_config_is(config, FB_KEY_LOG_FORMAT, "json"));
}

static int run(const struct request *request, const struct fb_config *config) {
    struct fb_compiled compiled;
    struct fb_err err;
    int status = fb_cli_compile(request->rules.paths, request->rules.n, &compiled);
    if (status != FB_EXIT_OK)
        return status;
    struct fb_engine_options options = {.compiled = &compiled,
                                        .config = config,
                                        .build = fb_cli_build(),
                                        .input = request->input,
                                        .input_topic = request->topic[0] ? request->topic : NULL,
                                        .output = request->output};
    switch (fb_engine_run(&options, &err)) {
    case FB_ENGINE_DONE:
        status = FB_EXIT_OK;
        break;
    case FB_ENGINE_WRONG:
        status = FB_EXIT_USAGE;
        break;
    case FB_ENGINE_FAILED:
        status = FB_EXIT_IO;
        break;
    }
    if (status != FB_EXIT_OK)
        fprintf(stderr, "flyball run: error: %s\n", err.text);
    fb_compiled_free(&compiled);
    return status;
}

int fb_cmd_run(int argc, char **argv) {
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .args_doc = "",
        .doc = "Runs rules over live events: from Kafka to Kafka, or through pipes. After SIGTERM "
               "or SIGINT it takes nothing more, commits and ends; a second one ends it at once. "
               "Exit status 0: stopped so, drained, or at the input's end; 1: the rules have "
               "errors; 2: wrong usage or configuration; 3: input or output failed.\v"
               "Examples:\n"
               "  flyball run --rules pumps.rules --config flyball.properties\n"
               "  flyball run --rules pumps.rules -X kafka.bootstrap.servers=localhost:9092\n"
               "  gateway | flyball run --rules pumps.rules --input - --output - | notify",
    };
    struct request request = {0};
    fb_cli_options(&argp, argc, argv, &request);
    if (request.print_reference)
        return print_reference();
    struct fb_config *config = fb_config_new();
    int status = FB_EXIT_USAGE;
    if (fb_cli_read_config(&request.config, config)) {
        set_up_log(config);
        status = request.print_config ? print_config(config) : run(&request, config);
    }
    fb_config_free(config);
    return status;
}
