/* `flyball gen`: sample telemetry with faults in it.
 *
 * Place in the flow: engine/sample -> stdout; for trying rules, demos and benchmarks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/calendar.h"
#include "engine/base/num.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/codec/json_write.h"
#include "engine/sample/stream.h"

enum { KEY_LIST = 0x200, FORMAT_LINES = 0, FORMAT_ENVELOPE, FORMAT_KEYED };

struct request {
    struct fb_stream_options stream;
    int format;
    struct fb_str topic;
};

static const struct argp_option options[] = {
    {"profile", 'p', "NAME", 0, "What the devices are; --list shows the profiles (default: pumps)",
     0},
    {"devices", 'n', "N", 0, "How many devices (default: 100)", 0},
    {"rate", 'r', "R", 0, "Records a second and device (default: the profile's own)", 0},
    {"duration", 'd', "SPAN", 0, "How much time the stream covers: 90s, 10m, 2h (default: 10m)", 0},
    {"start", 's', "TIME", 0, "Time of the first record (default: 2026-01-01T00:00:00Z)", 0},
    {"seed", 'S', "N", 0, "Another number gives another stream, the same one the same (default: 1)",
     0},
    {"faults", 'f', "PERCENT", 0,
     "How often faults occur, of the profile's own share (default: 100)", 0},
    {"poison", 'P', "N", 0, "Every Nth record is no JSON (default: none)", 0},
    {"format", 'F', "NAME", 0,
     "lines: a JSON object a line (default); envelope: {topic, key, stamp, value}; keyed: key, "
     "tab, value, as `kcat -K '\\t'` reads it",
     0},
    {"topic", 't', "TOPIC", 0, "Topic named in envelopes (default: telemetry.PROFILE)", 0},
    {"list", KEY_LIST, NULL, 0, "List the profiles", 0},
    {0}};

static void list(void) {
    for (const struct fb_profile *profile = fb_profiles; profile->name; profile++)
        printf("%-14s %s\n", profile->name, profile->about);
}

static uint64_t whole(struct argp_state *state, const char *option, const char *text,
                      uint64_t max) {
    int64_t x;
    if (!fb_num_parse_int(fb_str_of(text), &x) || x < 0 || (uint64_t)x > max)
        argp_error(state, "--%s takes a whole number up to %llu, not `%s`", option,
                   (unsigned long long)max, text);
    return (uint64_t)x;
}

static int64_t span(struct argp_state *state, const char *text) {
    int64_t us;
    if (!fb_span_parse(fb_str_of(text), &us))
        argp_error(state, "--duration takes a span such as 90s or 1h30m, not `%s`", text);
    return us;
}

static void set_profile(struct request *request, struct argp_state *state, const char *name) {
    request->stream.profile = fb_profile_find(name);
    if (request->stream.profile)
        return;
    struct fb_str names[32];
    size_t n = 0;
    for (const struct fb_profile *profile = fb_profiles; profile->name && n < 32; profile++)
        names[n++] = fb_str_of(profile->name);
    struct fb_str near = fb_str_nearest(fb_str_of(name), names, n);
    if (near.n)
        argp_error(state, "there is no profile `%s`; did you mean `%.*s`?", name, FB_ARG(near));
    argp_error(state, "there is no profile `%s`; --list shows them", name);
}

static void set_format(struct request *request, struct argp_state *state, const char *name) {
    static const char *const names[] = {"lines", "envelope", "keyed"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, names[i])) {
            request->format = i;
            return;
        }
    argp_error(state, "--format takes lines, envelope or keyed, not `%s`", name);
}

static error_t parse(int key, char *value, struct argp_state *state) {
    struct request *request = state->input;
    struct fb_stream_options *stream = &request->stream;
    switch (key) {
    case 'p':
        set_profile(request, state, value);
        return 0;
    case 'n':
        stream->devices = (uint32_t)whole(state, "devices", value, 10000000);
        return 0;
    case 'r':
        if (!fb_num_parse(fb_str_of(value), &stream->rate) || stream->rate <= 0 ||
            stream->rate > 1e6)
            argp_error(state, "--rate takes records a second, above 0 up to 1e6, not `%s`", value);
        return 0;
    case 'd':
        stream->duration_us = span(state, value);
        return 0;
    case 's':
        if (!fb_time_parse(fb_str_of(value), &stream->start_us))
            argp_error(state, "--start takes a time such as 2026-01-01T00:00:00Z, not `%s`", value);
        return 0;
    case 'S':
        stream->seed = whole(state, "seed", value, INT64_MAX);
        return 0;
    case 'f':
        stream->fault_factor = (uint32_t)whole(state, "faults", value, 100000);
        return 0;
    case 'P':
        stream->poison_every = (uint32_t)whole(state, "poison", value, UINT32_MAX);
        return 0;
    case 'F':
        set_format(request, state, value);
        return 0;
    case 't':
        request->topic = fb_str_of(value);
        return 0;
    case KEY_LIST:
        list();
        exit(fflush(stdout) ? FB_EXIT_IO : FB_EXIT_OK);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A poisoned record is cut short, hence no JSON: in an envelope it is a text. */
static void put_envelope(const struct request *request, const struct fb_stream_record *record,
                         struct fb_buf *line) {
    fb_buf_text(line, "{\"topic\":");
    fb_json_put_text(line, request->topic);
    fb_buf_text(line, ",\"key\":");
    fb_json_put_text(line, record->key);
    fb_buf_printf(line, ",\"stamp\":%lld,\"value\":", (long long)(record->stamp_us / 1000));
    if (record->value.p[record->value.n - 1] == '}')
        fb_buf_str(line, record->value);
    else
        fb_json_put_text(line, record->value);
    fb_buf_char(line, '}');
}

static void write_record(const struct request *request, const struct fb_stream_record *record,
                         struct fb_buf *line) {
    line->n = 0;
    if (request->format == FORMAT_ENVELOPE) {
        put_envelope(request, record, line);
    } else {
        if (request->format == FORMAT_KEYED)
            fb_buf_printf(line, "%.*s\t", FB_ARG(record->key));
        fb_buf_str(line, record->value);
    }
    fb_buf_char(line, '\n');
    fwrite(line->p, 1, line->n, stdout);
}

int fb_cmd_gen(int argc, char **argv) {
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Writes a stream of sample telemetry: noise, drift, stuck values, gaps, late and "
               "doubled records, spikes. The same options give the same bytes everywhere.\v"
               "Example: flyball gen --profile pumps --devices 1000 --duration 10m > pumps.ndjson",
    };
    struct request request = {
        .stream = {.profile = fb_profile_find("pumps"),
                   .devices = 100,
                   .duration_us = 10 * FB_MINUTE,
                   .seed = 1,
                   .fault_factor = 100},
    };
    fb_time_parse(FB_S("2026-01-01T00:00:00Z"), &request.stream.start_us);
    fb_cli_options(&argp, argc, argv, &request);
    struct fb_buf line = {0}, topic = {0};
    fb_buf_printf(&topic, "telemetry.%s", request.stream.profile->name);
    if (!request.topic.n)
        request.topic = (struct fb_str){topic.p, topic.n};
    struct fb_sample_stream *stream = fb_stream_new(&request.stream);
    struct fb_stream_record record;
    while (!ferror(stdout) && fb_stream_next(stream, &record))
        write_record(&request, &record, &line);
    fb_stream_free(stream);
    fb_buf_free(&line);
    fb_buf_free(&topic);
    return FB_EXIT_OK;
}
