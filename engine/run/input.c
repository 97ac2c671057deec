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

struct fb_input {
    struct fb_lines *lines;
    const char *path;
    struct fb_str topic;
    struct fb_decoder *decoder; /* of JSON; NULL: the file is CSV */
    struct fb_csv *csv;
    bool begun; /* the decoder is in the middle of a record */
    bool ended;
    int64_t records, stamp_us;
    struct fb_entry entry;
    struct fb_reject reject;
};

static bool takes(const struct fb_class *class_, struct fb_str topic) {
    for (uint32_t i = 0; i < class_->n_topics; i++)
        if (fb_str_eq(class_->topics[i], topic))
            return true;
    return class_->n_topics == 0;
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

/* The indices of the classes that take a topic; free() them. */
static uint16_t *classes_for(const struct fb_program *program, struct fb_str topic, uint32_t *n,
                             struct fb_err *err) {
    uint16_t *classes = fb_alloc(sizeof *classes * (program->n_classes + 1u));
    *n = 0;
    for (uint32_t i = 0; i < program->n_classes; i++)
        if (takes(&program->classes[i], topic))
            classes[(*n)++] = (uint16_t)i;
    if (*n)
        return classes;
    free(classes);
    fb_fail(err, FB_FATAL,
            "no device of the rules takes the topic `%.*s`; name one that they read `from`",
            FB_ARG(topic));
    return NULL;
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
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

struct fb_input *fb_input_open(const struct fb_replay_options *options, uint32_t index,
                               struct fb_err *err) {
    const struct fb_replay_input *wanted = &options->inputs[index];
    struct fb_str topic = wanted->topic;
    if (!topic.n && !only_topic(options->program, &topic, err))
        return NULL;
    uint32_t n;
    uint16_t *classes = classes_for(options->program, topic, &n, err);
    if (!classes)
        return NULL;
    struct fb_lines *lines = fb_lines_open(wanted->path, err);
    struct fb_input *input = NULL;
    if (lines) {
        input = fb_alloc(sizeof *input);
        input->lines = lines;
        input->path = wanted->path;
        input->topic = topic;
        input->stamp_us = FB_NO_TIME;
        if (ends_with(wanted->path, ".csv") || ends_with(wanted->path, ".csv.zst"))
            input->csv = csv_for(options, wanted->path, classes, n);
        else
            input->decoder = fb_decoder_new(options->program, classes, n, FB_JSON_LIMITS);
    }
    free(classes);
    return input;
}

void fb_input_close(struct fb_input *input) {
    if (!input)
        return;
    fb_lines_close(input->lines);
    if (input->decoder)
        fb_decoder_free(input->decoder);
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

static struct fb_origin origin_of(struct fb_input *input) {
    return (struct fb_origin){.topic = input->topic, .partition = -1, .offset = input->records++};
}

/* Starts on the next record of an NDJSON file. */
static enum fb_input_state begin_json(struct fb_input *input, struct fb_err *err) {
    struct fb_str line;
    enum fb_line got;
    do
        got = fb_lines_next(input->lines, &line, err);
    while (got == FB_LINE_WHOLE && is_blank(line));
    if (got == FB_LINE_END)
        return FB_INPUT_END;
    if (got == FB_LINE_FAILED)
        return FB_INPUT_FAILED;
    struct fb_origin origin = origin_of(input);
    fb_decoder_begin(input->decoder, line, &origin, input->stamp_us);
    return FB_INPUT_ENTRY;
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
    struct fb_origin origin = origin_of(input);
    fb_csv_begin(input->csv, &origin, input->stamp_us);
    return FB_INPUT_ENTRY;
}

enum fb_input_state fb_input_next(struct fb_input *input, struct fb_err *err) {
    for (;;) {
        if (!input->begun) {
            enum fb_input_state state = input->csv ? begin_csv(input, err) : begin_json(input, err);
            if (state != FB_INPUT_ENTRY)
                return state;
            input->begun = true;
        }
        switch (input->csv ? fb_csv_next(input->csv, &input->entry, &input->reject)
                           : fb_decoder_next(input->decoder, &input->entry, &input->reject)) {
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
