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
#include "engine/cli/replay_request.h"
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

static const char *const stream_files[FB_STREAMS] = {
    [FB_STREAM_ALERTS] = "alerts.ndjson",
    [FB_STREAM_LATE] = "late.ndjson",
    [FB_STREAM_DEAD] = "dead.ndjson",
    [FB_STREAM_AUDIT] = "audit.ndjson",
    [FB_STREAM_COMMANDS] = "commands.ndjson",
    [FB_STREAM_SHADOW] = "shadow.ndjson",
};

struct request {
    struct fb_replay_request what;
    const char *out, *report;
    struct fb_page *page; /* NULL: none is asked for */
    FILE *files[FB_STREAMS];
    bool quiet, watching, terminal, colour;
};

/* What a line for people says before the message. */
struct shown {
    const char *word, *colour;
    struct fb_str what, name; /* severity and rule; value and actuator */
    char number[32];
};

static struct shown shown_of_alert(const struct fb_output *output) {
    static const char *const colours[] = {[FB_INFO] = "36",
                                          [FB_LOW] = "36",
                                          [FB_MEDIUM] = "33",
                                          [FB_HIGH] = "31",
                                          [FB_CRITICAL] = "1;31"};
    if (output->kind == FB_OUT_EVENT)
        return (struct shown){.word = "event", .colour = "36", .name = output->rule->name};
    return (struct shown){.word = fb_alert_event_name(output->event),
                          .colour = output->active ? colours[output->severity] : "32",
                          .what = fb_str_of(fb_severity_name(output->severity)),
                          .name = output->rule->name};
}

static void show_command(const struct fb_output *output, struct shown *shown) {
    const struct fb_actuator *actuator = output->actuator;
    bool blocked = output->kind == FB_OUT_BLOCKED;
    *shown = (struct shown){.word = blocked ? "blocked" : actuator->shadow ? "shadow" : "command",
                            .colour = blocked ? "33" : "35",
                            .name = actuator->name};
    if (blocked) {
        shown->what = fb_str_of(fb_guard_name(output->guard));
    } else if (actuator->is_switch) {
        shown->what = actuator->words[output->value != 0];
    } else {
        int n = snprintf(shown->number, sizeof shown->number, "%g%s%.*s", output->value,
                         actuator->unit.n ? " " : "", FB_ARG(actuator->unit));
        n = n < (int)sizeof shown->number ? n : (int)sizeof shown->number - 1;
        shown->what = (struct fb_str){shown->number, (size_t)n};
    }
}

/* "2026-01-01 08:00:31  raised   high  overheat  pump-0042  message". What only goes on is left
 * out: renewals, and that a guardrail blocks no longer. */
static void show_output(const struct request *request, const struct fb_output *output,
                        struct fb_str message) {
    struct shown shown;
    char at[FB_TIME_TEXT_MAX];
    if ((output->kind == FB_OUT_COMMAND && output->reason == FB_REASON_RENEWED) ||
        (output->kind == FB_OUT_BLOCKED && output->ended))
        return;
    if (output->kind == FB_OUT_COMMAND || output->kind == FB_OUT_BLOCKED)
        show_command(output, &shown);
    else
        shown = shown_of_alert(output);
    at[fb_time_format(output->at_us, at)] = 0;
    if (request->terminal)
        fputs("\r\033[K", stderr);
    printf("%.10s %.8s  %s%s%s%-8s %-8.*s%s  %-16.*s %-12.*s %.*s\n", at, at + 11,
           request->colour ? "\033[" : "", request->colour ? shown.colour : "",
           request->colour ? "m" : "", shown.word, FB_ARG(shown.what),
           request->colour ? "\033[0m" : "", FB_ARG(shown.name), FB_ARG(output->device),
           FB_ARG(message));
}

static void note_record(void *context, const struct fb_entry *entry) {
    const struct request *request = context;
    fb_page_record(request->page, entry);
}

static void note_output(void *context, const struct fb_output *output, struct fb_str message) {
    const struct request *request = context;
    if (request->page)
        fb_page_output(request->page, output, message);
    if (request->watching)
        show_output(request, output, message);
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
    if (fwrite(line.p, 1, line.n, request->files[stream]) == line.n)
        return true;
    return fb_fail(err, FB_FATAL, "%s%s%s: %s", request->out ? request->out : "standard output",
                   request->out ? "/" : "", request->out ? stream_files[stream] : "",
                   strerror(errno));
}

static void show_progress(void *context, uint64_t read_bytes, uint64_t size_bytes) {
    (void)context;
    if (size_bytes)
        fprintf(stderr, "\rreplaying: %llu %%",
                (unsigned long long)(read_bytes * 100 / size_bytes));
    else
        fprintf(stderr, "\rreplaying: %llu MB", (unsigned long long)(read_bytes >> 20));
}

static bool open_outputs(struct request *request, struct fb_err *err) {
    for (int i = 0; i < FB_STREAMS; i++)
        request->files[i] = stdout;
    if (!request->out)
        return true;
    if (mkdir(request->out, 0777) && errno != EEXIST)
        return fb_fail(err, FB_FATAL, "%s: %s", request->out, strerror(errno));
    for (int i = 0; i < FB_STREAMS; i++) {
        char path[4096];
        if (!stream_files[i])
            continue;
        snprintf(path, sizeof path, "%s/%s", request->out, stream_files[i]);
        request->files[i] = fopen(path, "w");
        if (!request->files[i])
            return fb_fail(err, FB_FATAL, "%s: %s", path, strerror(errno));
    }
    return true;
}

/* A full disk may show only here. */
static bool close_outputs(struct request *request, struct fb_err *err) {
    bool good = true;
    for (int i = 0; i < FB_STREAMS; i++) {
        FILE *file = request->files[i];
        if (!file || file == stdout)
            continue;
        bool written = !fflush(file) && !ferror(file);
        if (!written && good)
            good =
                fb_fail(err, FB_FATAL, "%s/%s: %s", request->out, stream_files[i], strerror(errno));
        fclose(file);
    }
    return good;
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
    if (!request->page)
        return true;
    struct fb_buf title = {0}, page = {0};
    fb_page_put(request->page, title_of(request, &title), fb_str_of(fb_cli_build()), &page);
    FILE *file = fopen(request->report, "w");
    bool good = file && fwrite(page.p, 1, page.n, file) == page.n;
    int reason = errno;
    if (file && fclose(file) && good) {
        good = false;
        reason = errno;
    }
    fb_buf_free(&title);
    fb_buf_free(&page);
    return good || fb_fail(err, FB_FATAL, "%s: %s", request->report, strerror(reason));
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
    fprintf(stderr, "%s%s\n", request->out ? "; see " : "", request->out ? request->out : "");
}

static int replay(struct request *request) {
    struct fb_err err = {0};
    struct fb_replay_result result = {0};
    bool good = open_outputs(request, &err) && fb_replay(&request->what.options, &result, &err);
    if (request->terminal)
        fputs("\r\033[K", stderr);
    good = close_outputs(request, good ? &err : NULL) && good;
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
