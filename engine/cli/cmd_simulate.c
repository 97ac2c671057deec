/* `flyball simulate`: rules in a closed loop with modelled plants.
 *
 * Place in the flow: options -> fb_cli_compile, plant file -> engine/run/simulate -> figures, a
 * page, records. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/calendar.h"
#include "engine/base/num.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/compile.h"
#include "engine/cli/output_files.h"
#include "engine/cli/replay_request.h"
#include "engine/cli/watch_text.h"
#include "engine/run/bundle.h"
#include "engine/run/simulate.h"

enum { KEY_REPORT = 0x300, KEY_SEED, KEY_START, KEY_QUIET, KEY_WATCH, PLANT_BYTES_MAX = 1 << 20 };

static const struct argp_option option_table[] = {
    FB_RULES_OPTION,
    {"plant", 'p', "FILE", 0, "What the rules act upon: docs/SIMULATE.md says how it is written",
     0},
    {"fleet", 'n', "N", 0, "How many plants, their parameters spread as the file says (1)", 0},
    {"duration", 'd', "SPAN", 0, "How much time to go through: 90s, 10m, 8h (4h)", 0},
    {"seed", KEY_SEED, "N", 0, "Another course of noise, shocks and losses (1)", 0},
    {"start", KEY_START, "TIME", 0, "Time of the beginning (2026-01-01T00:00:00Z)", 0},
    {"report", KEY_REPORT, "FILE.html", 0,
     "Write a page with plots of telemetry, alarms and commands; needs no network to be seen", 0},
    {"out", 'o', "DIR", 0,
     "Write alerts.ndjson, commands.ndjson, shadow.ndjson, late.ndjson, audit.ndjson there", 0},
    {"watch", KEY_WATCH, NULL, 0, "Show alerts and commands as they come", 0},
    {"quiet", KEY_QUIET, NULL, 0, "No progress line", 0},
    {0}};

struct request {
    struct fb_rules_request rules;
    const char *plant, *report, *out;
    struct fb_simulate_options options;
    struct fb_plant_file file;
    struct fb_output_files files;
    struct fb_page *page;
    bool watching, quiet, terminal, colour;
};

static uint64_t number_of(struct argp_state *state, const char *option, const char *text,
                          uint64_t most) {
    int64_t n;
    if (!fb_num_parse_int(fb_str_of(text), &n) || n < 1 || (uint64_t)n > most)
        argp_error(state, "%s takes a number from 1 to %" PRIu64 ", not `%s`", option, most, text);
    return (uint64_t)n;
}

static error_t parse(int key, char *value, struct argp_state *state) {
    struct request *request = state->input;
    struct fb_simulate_options *options = &request->options;
    switch (key) {
    case 'p':
        request->plant = value;
        return 0;
    case 'n':
        options->fleet = (uint32_t)number_of(state, "--fleet", value, FB_FLEET_MAX);
        return 0;
    case 'd':
        if (!fb_span_parse(fb_str_of(value), &options->length_us) || options->length_us < FB_SECOND)
            argp_error(state, "--duration takes a span such as 90s or 1h30m, not `%s`", value);
        return 0;
    case KEY_SEED:
        options->seed = number_of(state, "--seed", value, INT64_MAX);
        return 0;
    case KEY_START:
        if (!fb_time_parse(fb_str_of(value), &options->start_us))
            argp_error(state, "--start takes a time such as 2026-01-01T12:00:00Z, not `%s`", value);
        return 0;
    case KEY_REPORT:
        request->report = value;
        return 0;
    case 'o':
        request->out = value;
        return 0;
    case KEY_WATCH:
        request->watching = true;
        return 0;
    case KEY_QUIET:
        request->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "`%s`: files go behind --rules and --plant", value);
        return 0;
    case ARGP_KEY_END:
        if (!request->rules.n)
            argp_error(state, "--rules is missing");
        if (!request->plant)
            argp_error(state, "--plant is missing");
        return 0;
    default:
        return fb_rules_request_option(&request->rules, key, value, state);
    }
}

/* ---- running ------------------------------------------------------------------------------- */

static bool read_file(const char *path, struct fb_buf *text, struct fb_err *err) {
    FILE *file = fopen(path, "r");
    if (!file)
        return fb_fail(err, FB_FATAL, "%s: %s", path, strerror(errno));
    size_t n = 1;
    while (n && text->n <= PLANT_BYTES_MAX) {
        n = fread(fb_buf_room(text, 4096), 1, 4096, file);
        text->n += n;
    }
    bool failed = ferror(file), large = text->n > PLANT_BYTES_MAX;
    int reason = errno;
    fclose(file);
    if (failed)
        return fb_fail(err, FB_FATAL, "%s: %s", path, strerror(reason));
    return !large || fb_fail(err, FB_FATAL, "%s: a plant file is at most 1 MB long", path);
}

static bool write_line(void *context, enum fb_stream stream, struct fb_str line,
                       struct fb_err *err) {
    struct request *request = context;
    return fb_output_files_write(&request->files, stream, line, err);
}

static void note_record(void *context, const struct fb_entry *entry) {
    const struct request *request = context;
    fb_page_record(request->page, entry);
}

static void note_output(void *context, const struct fb_output *output, struct fb_str message) {
    const struct request *request = context;
    fb_page_output(request->page, output, message);
    if (request->watching)
        fb_watch_show(output, message, request->terminal, request->colour);
}

static void show_progress(void *context, int64_t done_us, int64_t length_us) {
    (void)context;
    fprintf(stderr, "\rsimulating: %d %%", (int)(done_us * 100 / length_us));
}

/* ---- figures ------------------------------------------------------------------------------- */

static void put_processes(const struct request *request, const struct fb_simulate_result *result,
                          struct fb_buf *out) {
    fb_buf_printf(out, "%-24s  %10s  %10s  %8s  %10s\n", "process", "least", "greatest", "in band",
                  "overshoot");
    for (uint32_t i = 0; i < request->file.n_processes; i++) {
        const struct fb_plant_process *process = &request->file.processes[i];
        const struct fb_process_figures *figures = &result->processes[i];
        fb_buf_printf(out, "%-24.*s  %10.4g  %10.4g", FB_ARG(process->field), figures->least,
                      figures->greatest);
        if (process->has_band)
            fb_buf_printf(out, "  %6.1f %%  %10.4g", 100 * figures->in_band, figures->overshoot);
        fb_buf_char(out, '\n');
    }
    fb_buf_char(out, '\n');
}

static void put_summary(const struct request *request, const struct fb_simulate_result *result,
                        struct fb_buf *out) {
    char span[FB_TIME_TEXT_MAX];
    span[fb_span_format(request->options.length_us, span)] = 0;
    fb_buf_printf(out,
                  "%" PRIu32 " plant%s for %s: %" PRIu64 " records, %" PRIu64 " lost; %" PRIu64
                  " commands lost, %" PRIu64 " leases ended\n\n",
                  request->options.fleet, request->options.fleet == 1 ? "" : "s", span,
                  result->records, result->lost, result->commands_lost, result->lapsed);
    put_processes(request, result, out);
    fb_page_put_tables(request->page, out);
}

/* "well.rules with well.plant" */
static struct fb_str title_of(const struct request *request, struct fb_buf *text) {
    const char *rules = strrchr(request->rules.paths[0], '/');
    const char *plant = strrchr(request->plant, '/');
    fb_buf_printf(text, "%s with %s", rules && rules[1] ? rules + 1 : request->rules.paths[0],
                  plant ? plant + 1 : request->plant);
    return (struct fb_str){text->p, text->n};
}

static bool write_report(const struct request *request, struct fb_err *err) {
    struct fb_buf title = {0};
    bool good = !request->report ||
                fb_page_file_write(request->page, title_of(request, &title), request->report, err);
    fb_buf_free(&title);
    return good;
}

static int simulate(struct request *request) {
    struct fb_err err = {0};
    struct fb_simulate_result result;
    struct fb_buf out = {0};
    bool good = !request->out || fb_output_files_open(&request->files, request->out, &err);
    good = good && fb_simulate(&request->options, &result, &err);
    if (request->terminal)
        fputs("\r\033[K", stderr);
    if (request->out)
        good = fb_output_files_close(&request->files, good ? &err : NULL) && good;
    good = good && write_report(request, &err);
    if (!good) {
        fprintf(stderr, "flyball simulate: %s\n", err.text);
        return FB_EXIT_IO;
    }
    put_summary(request, &result, &out);
    fb_cli_put(&out, stdout);
    fb_buf_free(&out);
    return FB_EXIT_OK;
}

/* ---- the command --------------------------------------------------------------------------- */

static int compile_and_simulate(struct request *request) {
    struct fb_bundle *bundle;
    int status = fb_bundle_request_compile(&request->rules, FB_REPLAY_MAX_SKEW_US, &bundle);
    if (status != FB_EXIT_OK)
        return status;
    struct fb_simulate_options *options = &request->options;
    options->program = bundle->program;
    memcpy(options->rules, bundle->hash, sizeof options->rules);
    request->page = fb_page_new(bundle->program);
    status = simulate(request);
    fb_page_free(request->page);
    fb_bundle_drop(bundle);
    return status;
}

int fb_cmd_simulate(int argc, char **argv) {
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .args_doc = "",
        .doc = "Runs rules in a closed loop: modelled plants send telemetry, commands act on them. "
               "Prints the figures people tune by: reversals an hour, starts, time in the active "
               "state, what the guardrails held back, time in the band, overshoot, chattering.\v"
               "Example: flyball simulate --rules well.rules --plant well.plant --fleet 20 "
               "--report well.html"};
    struct request request = {.options = {.fleet = 1,
                                          .seed = 1,
                                          .length_us = 4 * FB_HOUR,
                                          .application = FB_S("flyball"),
                                          .build = fb_cli_build(),
                                          .record = note_record,
                                          .watch = note_output}};
    struct fb_buf text = {0};
    struct fb_err err = {0};
    fb_time_parse(FB_S("2026-01-01T00:00:00Z"), &request.options.start_us);
    fb_cli_options(&argp, argc, argv, &request);
    request.terminal = !request.quiet && isatty(STDERR_FILENO);
    request.colour = fb_cli_colour(stdout);
    request.options.file = &request.file;
    request.options.file_name = request.plant;
    request.options.context = &request;
    request.options.audit = request.out != NULL;
    request.options.write = request.out ? write_line : NULL;
    request.options.progress = request.terminal ? show_progress : NULL;
    int status = FB_EXIT_IO;
    if (!read_file(request.plant, &text, &err))
        fprintf(stderr, "flyball simulate: %s\n", err.text);
    else if (!fb_plant_file_parse(request.plant, (struct fb_str){text.p, text.n}, &request.file,
                                  &err)) {
        fprintf(stderr, "%s\n", err.text);
        status = FB_EXIT_PROBLEMS;
    } else
        status = compile_and_simulate(&request);
    fb_buf_free(&text);
    return status;
}
