/* Lines -> records -> entries of one file.
 *
 * Place in the flow: see input.h. */
#include "engine/run/input.h"

#include <stdlib.h>
#include <string.h>

#include "connectors/lines.h"
#include "engine/base/arena.h"
#include "engine/codec/csv.h"
#include "engine/codec/decode.h"
#include "engine/run/envelope.h"

struct route {
    struct fb_str topic;
    struct fb_decoder *decoder;
};

struct fb_input {
    struct fb_lines *lines;
    const char *path;
    struct fb_csv *csv; /* NULL: the file is JSON */
    struct route *routes; /* without envelopes one; with them every topic that the rules name */
    uint32_t n_routes;
    struct route *route; /* of the present record */
    struct fb_envelopes *envelopes;
    bool enveloped; /* in the middle of a line of envelopes */
    bool begun;     /* the decoder is in the middle of a record */
    bool ended;
    int64_t records, stamp_us;
    struct fb_entry entry;
    struct fb_reject reject;
};

static bool takes(const struct fb_class *class_, struct fb_str topic) {
    for (uint32_t i = 0; i < class_->n_topics; i++)
        if (fb_str_eq(class_->topics[i], topic))
            return true;
    return false;
}

/* The topic of an input that names none: the only one that the rules name. */
static bool only_topic(const struct fb_program *program, struct fb_str *topic, struct fb_err *err) {
    *topic = (struct fb_str){0};
    for (uint32_t i = 0; i < program->n_classes; i++)
        for (uint32_t k = 0; k < program->classes[i].n_topics; k++) {
            struct fb_str other = program->classes[i].topics[k];
            if (topic->n && !fb_str_eq(*topic, other))
                return fb_fail(err, FB_FATAL,
                               "the rules read several topics (%.*s, %.*s ..); say which one the "
                               "file holds: --input %.*s=FILE",
                               FB_ARG(*topic), FB_ARG(other), FB_ARG(*topic));
            *topic = other;
        }
    return true;
}

/* The indices of the classes that take a topic, none perhaps; free() them. */
static uint16_t *classes_for(const struct fb_program *program, struct fb_str topic, uint32_t *n) {
    uint16_t *classes = fb_alloc(sizeof *classes * (program->n_classes + 1u));
    *n = 0;
    for (uint32_t i = 0; i < program->n_classes; i++)
        if (takes(&program->classes[i], topic))
            classes[(*n)++] = (uint16_t)i;
    return classes;
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

static bool is_csv(const char *path) {
    return ends_with(path, ".csv") || ends_with(path, ".csv.zst");
}

/* The file's name without folder and endings: a natural id of the device it is about. */
static struct fb_str stem(const char *path) {
    const char *slash = strrchr(path, '/');
    struct fb_str name = fb_str_of(slash ? slash + 1 : path);
    const char *dot = name.n ? memchr(name.p + 1, '.', name.n - 1) : NULL;
    if (dot)
        name.n = (size_t)(dot - name.p);
    return name;
}

static struct fb_csv *csv_for(const struct fb_replay_options *options, const char *path,
                              const uint16_t *classes, uint32_t n) {
    struct fb_csv_set *sets = fb_alloc(sizeof *sets * (options->n_sets + 1u));
    for (uint32_t i = 0; i < options->n_sets; i++) {
        sets[i].name = options->sets[i].name;
        sets[i].value = options->sets[i].filename ? stem(path) : options->sets[i].value;
    }
    struct fb_csv *csv = fb_csv_new(options->program, classes, n, sets, options->n_sets);
    free(sets);
    return csv;
}

static void add_route(struct fb_input *input, struct fb_str topic, struct fb_decoder *decoder) {
    size_t n = input->n_routes + 1u;
    input->routes = fb_grow(input->routes, sizeof *input->routes * n);
    input->routes[input->n_routes++] = (struct route){topic, decoder};
}

/* The one topic of an input without envelopes. */
static bool open_topic(struct fb_input *input, const struct fb_replay_options *options,
                       struct fb_str topic, struct fb_err *err) {
    if (!topic.n && !only_topic(options->program, &topic, err))
        return false;
    uint32_t n;
    uint16_t *classes = classes_for(options->program, topic, &n);
    if (n && is_csv(input->path)) {
        input->csv = csv_for(options, input->path, classes, n);
        add_route(input, topic, NULL);
    } else if (n) {
        add_route(input, topic, fb_decoder_new(options->program, classes, n, FB_JSON_LIMITS));
    }
    free(classes);
    input->route = input->routes;
    if (!n)
        fb_fail(err, FB_FATAL,
                "no device of the rules takes the topic `%.*s`; name one that they read `from`",
                FB_ARG(topic));
    return n > 0;
}

static struct route *route_for(const struct fb_input *input, struct fb_str topic) {
    for (uint32_t i = 0; i < input->n_routes; i++)
        if (fb_str_eq(input->routes[i].topic, topic))
            return &input->routes[i];
    return NULL;
}

static void add_enveloped(struct fb_input *input, const struct fb_program *program,
                          struct fb_str topic) {
    uint32_t n;
    uint16_t *classes = classes_for(program, topic, &n);
    add_route(input, topic, fb_decoder_new(program, classes, n, FB_JSON_LIMITS));
    free(classes);
}

static bool open_envelopes(struct fb_input *input, const struct fb_program *program,
                           struct fb_err *err) {
    if (is_csv(input->path))
        return fb_fail(err, FB_FATAL, "%s: envelopes are JSON, one a line; a CSV file has none",
                       input->path);
    for (uint32_t i = 0; i < program->n_classes; i++) {
        const struct fb_class *class_ = &program->classes[i];
        for (uint32_t k = 0; k < class_->n_topics; k++)
            if (!route_for(input, class_->topics[k]))
                add_enveloped(input, program, class_->topics[k]);
    }
    input->envelopes = fb_envelopes_new();
    return true;
}

struct fb_input *fb_input_open(const struct fb_replay_options *options, uint32_t index,
                               struct fb_err *err) {
    const struct fb_replay_input *wanted = &options->inputs[index];
    struct fb_input *input = fb_alloc(sizeof *input);
    input->path = wanted->path;
    input->stamp_us = FB_NO_TIME;
    if (!(options->envelope ? open_envelopes(input, options->program, err)
                            : open_topic(input, options, wanted->topic, err)) ||
        !(input->lines = fb_lines_open(wanted->path, err))) {
        fb_input_close(input);
        return NULL;
    }
    return input;
}

void fb_input_close(struct fb_input *input) {
    if (!input)
        return;
    for (uint32_t i = 0; i < input->n_routes; i++)
        fb_decoder_free(input->routes[i].decoder);
    free(input->routes);
    fb_lines_close(input->lines);
    fb_envelopes_free(input->envelopes);
    if (input->csv)
        fb_csv_free(input->csv);
    free(input);
}

static bool is_blank(struct fb_str line) {
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t')
            return false;
    return true;
}

static struct fb_origin origin_of(struct fb_input *input, struct fb_str topic) {
    return (struct fb_origin){.topic = topic, .partition = -1, .offset = input->records++};
}

static enum fb_input_state next_line(struct fb_input *input, struct fb_str *line,
                                     struct fb_err *err) {
    enum fb_line got;
    do
        got = fb_lines_next(input->lines, line, err);
    while (got == FB_LINE_WHOLE && is_blank(*line));
    if (got == FB_LINE_END)
        return FB_INPUT_END;
    return got == FB_LINE_FAILED ? FB_INPUT_FAILED : FB_INPUT_ENTRY;
}

/* Starts on the next record of an NDJSON file. */
static enum fb_input_state begin_json(struct fb_input *input, struct fb_err *err) {
    struct fb_str line;
    enum fb_input_state state = next_line(input, &line, err);
    if (state != FB_INPUT_ENTRY)
        return state;
    struct fb_origin origin = origin_of(input, input->route->topic);
    fb_decoder_begin(input->route->decoder, line, &origin, input->stamp_us);
    return FB_INPUT_ENTRY;
}

/* A record that no decoder gets to see; it belongs to no topic that the rules know. */
static enum fb_input_state refuse(struct fb_input *input, struct fb_str topic) {
    input->stamp_us = FB_NO_TIME;
    input->reject.origin = origin_of(input, topic);
    return FB_INPUT_REJECT;
}

static enum fb_input_state begin_record(struct fb_input *input,
                                        const struct fb_envelope *envelope) {
    input->route = route_for(input, envelope->topic);
    if (!input->route) {
        input->reject = (struct fb_reject){.code = "NO_CLASS",
                                           .detail = FB_S("no device of the rules takes the topic"),
                                           .raw = envelope->raw};
        return refuse(input, envelope->topic);
    }
    struct fb_origin origin = origin_of(input, envelope->topic);
    input->stamp_us = envelope->stamp_us;
    fb_decoder_begin(input->route->decoder, envelope->value, &origin, envelope->stamp_us);
    return FB_INPUT_ENTRY;
}

/* Starts on the record in the next envelope. */
static enum fb_input_state begin_enveloped(struct fb_input *input, struct fb_err *err) {
    for (;;) {
        if (!input->enveloped) {
            struct fb_str line;
            enum fb_input_state state = next_line(input, &line, err);
            if (state != FB_INPUT_ENTRY)
                return state;
            fb_envelopes_begin(input->envelopes, line);
            input->enveloped = true;
        }
        struct fb_envelope envelope;
        switch (fb_envelopes_next(input->envelopes, &envelope, &input->reject)) {
        case FB_ENVELOPED_RECORD:
            return begin_record(input, &envelope);
        case FB_ENVELOPED_REJECT:
            return refuse(input, fb_str_of(input->path));
        case FB_ENVELOPED_END:
            input->enveloped = false;
        }
    }
}

static enum fb_input_state csv_failed(const struct fb_input *input, struct fb_err *err) {
    struct fb_err why = *err;
    fb_fail(err, FB_FATAL, "%s: %s", input->path, why.text);
    return FB_INPUT_FAILED;
}

/* Starts on the next row of a CSV file. */
static enum fb_input_state begin_csv(struct fb_input *input, struct fb_err *err) {
    enum fb_csv_line taken = FB_CSV_TAKEN;
    while (taken == FB_CSV_TAKEN && !input->ended) {
        struct fb_str line;
        enum fb_line got = fb_lines_next(input->lines, &line, err);
        if (got == FB_LINE_FAILED)
            return FB_INPUT_FAILED;
        input->ended = got == FB_LINE_END;
        taken = input->ended ? fb_csv_end(input->csv, err) : fb_csv_line(input->csv, line, err);
    }
    if (taken == FB_CSV_FAILED)
        return csv_failed(input, err);
    if (taken == FB_CSV_TAKEN)
        return FB_INPUT_END;
    struct fb_origin origin = origin_of(input, input->route->topic);
    fb_csv_begin(input->csv, &origin, input->stamp_us);
    return FB_INPUT_ENTRY;
}

static enum fb_input_state begin(struct fb_input *input, struct fb_err *err) {
    if (input->csv)
        return begin_csv(input, err);
    return input->envelopes ? begin_enveloped(input, err) : begin_json(input, err);
}

static enum fb_decoded next_of_record(struct fb_input *input) {
    if (input->csv)
        return fb_csv_next(input->csv, &input->entry, &input->reject);
    return fb_decoder_next(input->route->decoder, &input->entry, &input->reject);
}

enum fb_input_state fb_input_next(struct fb_input *input, struct fb_err *err) {
    for (;;) {
        if (!input->begun) {
            enum fb_input_state state = begin(input, err);
            if (state != FB_INPUT_ENTRY)
                return state;
            input->begun = true;
        }
        switch (next_of_record(input)) {
        case FB_DECODED_ENTRY:
            return FB_INPUT_ENTRY;
        case FB_DECODED_REJECT:
            return FB_INPUT_REJECT;
        case FB_DECODED_END:
            input->begun = false;
        }
    }
}

const struct fb_entry *fb_input_entry(const struct fb_input *input) {
    return &input->entry;
}

const struct fb_reject *fb_input_reject(const struct fb_input *input) {
    return &input->reject;
}

int64_t fb_input_stamp(const struct fb_input *input) {
    return input->stamp_us;
}

void fb_input_progress(const struct fb_input *input, uint64_t *read_bytes, uint64_t *size_bytes) {
    fb_lines_progress(input->lines, read_bytes, size_bytes);
}
