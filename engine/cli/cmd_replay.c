/* `flyball replay`: rules over recorded events.
 *
 * Place in the flow: options -> fb_compile -> engine/run/replay -> files or stdout. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/calendar.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/output_files.h"
#include "engine/cli/replay_request.h"
#include "engine/cli/watch_text.h"
#include "engine/review/page.h"

enum { KEY_QUIET = FB_REPLAY_KEYS_END, KEY_WATCH, KEY_AUDIT, KEY_REPORT };

static const struct argp_option option_table[] = {
    FB_REPLAY_OPTIONS,
    {"out", 'o', "DIR", 0,
     "Write alerts.ndjson, commands.ndjson, shadow.ndjson, late.ndjson, dead.ndjson, audit.ndjson "
     "there (default: stdout, without the audit)",
     0},
    {"audit", KEY_AUDIT, NULL, 0, "Put the audit records on stdout too", 0},
    {"watch", KEY_WATCH, NULL, 0, "Show alerts and commands for people on stdout; goes with --out",
     0},
    {"report", KEY_REPORT, "FILE.html", 0,
     "Write a page with plots of the telemetry and what was told; needs no network to be seen", 0},
    {"quiet", KEY_QUIET, NULL, 0, "No summary on stderr", 0},
    {0}};

struct request {
    struct fb_replay_request what;
    const char *out, *report;
    struct fb_page *page; /* NULL: none is asked for */
    struct fb_output_files files;
    bool quiet, watching, terminal, colour;
};

static void note_record(void *context, const struct fb_entry *entry) {
    const struct request *request = context;
    fb_page_record(request->page, entry);
}

static void note_output(void *context, const struct fb_output *output, struct fb_str message) {
    const struct request *request = context;
    if (request->page)
        fb_page_output(request->page, output, message);
    if (request->watching)
        fb_watch_show(output, message, request->terminal, request->colour);
}

static error_t parse(int key, char *value, struct argp_state *state) {
    struct request *request = state->input;
    switch (key) {
    case 'o':
        request->out = value;
        return 0;
    case KEY_WATCH:
        request->watching = true;
        return 0;
    case KEY_REPORT:
        request->report = value;
        return 0;
    case KEY_AUDIT:
        request->what.options.audit = true;
        return 0;
    case KEY_QUIET:
        request->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "`%s`: files go behind --rules and --input", value);
        return 0;
    case ARGP_KEY_END:
        fb_replay_request_check(&request->what, state);
        if (request->watching && !request->out)
            argp_error(state, "--watch shows alerts on stdout, so the records need --out DIR");
        request->what.options.audit |= request->out != NULL;
        return 0;
    default:
        return fb_replay_request_option(&request->what, key, value, state);
    }
}

static bool write_line(void *context, enum fb_stream stream, struct fb_str line,
                       struct fb_err *err) {
    struct request *request = context;
    return fb_output_files_write(&request->files, stream, line, err);
}

static void show_progress(void *context, uint64_t read_bytes, uint64_t size_bytes) {
    (void)context;
    if (size_bytes)
        fprintf(stderr, "\rreplaying: %llu %%",
                (unsigned long long)(read_bytes * 100 / size_bytes));
    else
        fprintf(stderr, "\rreplaying: %llu MB", (unsigned long long)(read_bytes >> 20));
}

/* "overheat.rules over pumps.ndjson": the names without their folders. */
static struct fb_str title_of(const struct request *request, struct fb_buf *text) {
    const char *path = request->what.rules.paths[0], *input = request->what.inputs[0].path;
    const char *slash = strrchr(path, '/'), *other = strrchr(input, '/');
    fb_buf_printf(text, "%s%s over %s%s", slash && slash[1] ? slash + 1 : path,
                  request->what.rules.n > 1 ? " and others" : "", other ? other + 1 : input,
                  request->what.options.n_inputs > 1 ? " and others" : "");
    return (struct fb_str){text->p, text->n};
}

static bool write_report(const struct request *request, struct fb_err *err) {
    struct fb_buf title = {0};
    bool good = !request->page ||
                fb_page_file_write(request->page, title_of(request, &title), request->report, err);
    fb_buf_free(&title);
    return good;
}

static void put_count(const char *before, uint64_t n, const char *what, const char *more) {
    fprintf(stderr, "%s%llu %s%s", before, (unsigned long long)n, what, n == 1 ? "" : more);
}

static void summarize(const struct request *request, const struct fb_replay_result *result) {
    const struct fb_core_stats *stats = &result->stats;
    fflush(stdout); /* alerts stand above their summary where both go to one file */
    put_count("replayed ", result->records, "event", "s");
    put_count(" of ", stats->devices, "device", "s");
    put_count(": ", stats->alerts, "alert", "s");
    put_count(", ", stats->events, "rule event", "s");
    put_count(", ", stats->late + stats->future, "late", "");
    put_count(", ", result->dead, "dead letter", "s");
    if (stats->commands)
        put_count(", ", stats->commands, "command", "s");
    if (result->calls)
        put_count(", ", result->calls, "operator call", "s");
    if (result->calls_behind)
        put_count(" (", result->calls_behind, "more behind the end)", "");
    fprintf(stderr, "%s%s\n", request->out ? "; see " : "", request->out ? request->out : "");
}

static int replay(struct request *request) {
    struct fb_err err = {0};
    struct fb_replay_result result = {0};
    bool good = fb_output_files_open(&request->files, request->out, &err) &&
                fb_replay(&request->what.options, &result, &err);
    if (request->terminal)
        fputs("\r\033[K", stderr);
    good = fb_output_files_close(&request->files, good ? &err : NULL) && good;
    good = good && write_report(request, &err);
    if (!good) {
        fprintf(stderr, "flyball replay: %s\n", err.text);
        return FB_EXIT_IO;
    }
    if (!request->quiet)
        summarize(request, &result);
    return FB_EXIT_OK;
}

int fb_cmd_replay(int argc, char **argv) {
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .args_doc = "",
        .doc = "Runs rules over recorded events, on the events' own time: as fast as it can, and "
               "always with the same result.\v"
               "Example: flyball replay --rules pumps.rules --input pumps.ndjson --out results",
    };
    struct request request = {0};
    fb_replay_request_init(&request.what);
    request.what.options.write = write_line;
    fb_cli_options(&argp, argc, argv, &request);
    request.terminal = !request.quiet && isatty(STDERR_FILENO);
    request.colour = fb_cli_colour(stdout);
    struct fb_bundle *bundle;
    int status = fb_replay_request_compile(&request.what, &bundle);
    if (status != FB_EXIT_OK)
        return status;
    request.what.options.progress = request.terminal ? show_progress : NULL;
    request.what.options.context = &request;
    if (request.report) {
        request.page = fb_page_new(request.what.options.program);
        request.what.options.record = note_record;
    }
    if (request.report || request.watching)
        request.what.options.watch = note_output;
    status = replay(&request);
    fb_page_free(request.page);
    fb_bundle_drop(bundle);
    return status;
}
