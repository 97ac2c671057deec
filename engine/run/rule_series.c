/* Series items -> samples; samples of one device and instant -> one record.
 *
 * Place in the flow: see rule_series.h. */
#include "engine/run/rule_series.h"

#include <stdlib.h>
#include <string.h>

#include "connectors/lines.h"
#include "engine/base/calendar.h"
#include "engine/codec/decode.h"

/* Without records a test starts at a whole day and week: 2026-01-05, a Monday. */
#define START_US (INT64_C(1767571200) * FB_SECOND)

/* One sample of a series; `order` keeps equal instants in the order of writing. */
struct point {
    int64_t at_us;
    uint32_t device, order;
    bool missing;
    struct fb_sample sample;
};

struct maker {
    const struct fb_program *program;
    const struct fb_checked *checked;
    const struct fb_checked_test *test;
    const struct fb_class *class_;
    struct fb_arena *arena;
    struct fb_err *err;
    struct point *points;
    uint32_t n_points, cap_points;
    struct fb_str *devices;
    uint32_t n_devices, cap_devices;
    struct fb_entry *entries; /* malloc'ed; copied into the arena at the end */
    uint32_t n_entries, cap_entries;
    int64_t start_us;
};

static struct fb_str path_of(const struct maker *maker) {
    return maker->checked->tree->sources->files[maker->test->decl->span.file].path;
}

static bool fail(const struct maker *maker, const char *what, struct fb_str which) {
    return fb_fail(maker->err, FB_FATAL, "%.*s: test \"%.*s\": %s `%.*s`", FB_ARG(path_of(maker)),
                   FB_ARG(maker->test->decl->title), what, FB_ARG(which));
}

static uint32_t device_of(struct maker *maker, struct fb_str id) {
    for (uint32_t i = 0; i < maker->n_devices; i++)
        if (fb_str_eq(maker->devices[i], id))
            return i;
    FB_PUSH_ROOM(maker->devices, maker->n_devices, maker->cap_devices);
    maker->devices[maker->n_devices] = id;
    return maker->n_devices++;
}

static const struct fb_field_decl *decl_of(const struct maker *maker, uint16_t field) {
    return maker->checked->classes[maker->test->class_index].decl->fields[field];
}

static uint16_t field_of(const struct maker *maker, struct fb_str name) {
    for (uint32_t i = 0; i < maker->class_->n_fields; i++)
        if (fb_str_eq(maker->class_->fields[i].name, name))
            return (uint16_t)i;
    return UINT16_MAX;
}

static bool word_sample(const struct fb_field *field, struct fb_str word,
                        struct fb_sample *sample) {
    for (uint32_t i = 0; i < field->n_words; i++)
        if (fb_str_eq(field->words[i], word)) {
            sample->i = i;
            return true;
        }
    sample->state = FB_SAMPLE_WORD;
    return true;
}

static bool number_of(const struct maker *maker, uint16_t field, const struct fb_node *node,
                      double *x) {
    if (fb_check_constant(node, decl_of(maker, field)->type.unit, x))
        return true;
    return fail(maker, "a value is no constant, in the series of", decl_of(maker, field)->name);
}

static void check_range(const struct fb_field *field, double x, struct fb_sample *sample) {
    if (field->has_range && (x < field->range_low || x > field->range_high))
        sample->state = FB_SAMPLE_RANGE;
    if (field->has_null && field->type == FB_T_NUMBER && x == field->null_value.num)
        sample->state = FB_SAMPLE_NULL;
}

/* The value of an item's k-th sample. */
static bool value_sample(const struct maker *maker, const struct fb_series_item *item, uint32_t k,
                         struct fb_sample *sample) {
    const struct fb_field *field = &maker->class_->fields[sample->field];
    const struct fb_node *node = item->from;
    double x = 0, y = 0;
    switch (field->type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER:
    case FB_T_INTEGER:
        if (node->kind == FB_N_TEXT || node->kind == FB_N_BOOL) {
            sample->state = FB_SAMPLE_TYPE;
            return true;
        }
        if (!number_of(maker, sample->field, node, &x))
            return false;
        if (item->to) {
            if (!number_of(maker, sample->field, item->to, &y))
                return false;
            /* Multiplied first: a ramp of whole steps has whole values. */
            if (item->times > 1)
                x += (y - x) * (double)k / (double)(item->times - 1);
        }
        check_range(field, x, sample);
        if (field->type == FB_T_INTEGER)
            sample->i = (int64_t)x;
        else
            sample->num = x;
        return true;
    case FB_T_BOOL:
        sample->i = node->truth;
        if (node->kind != FB_N_BOOL)
            sample->state = FB_SAMPLE_TYPE;
        return true;
    case FB_T_ENUM:
        return word_sample(field, node->text, sample);
    case FB_T_TEXT:
        sample->text = node->text;
        return true;
    case FB_T_TIME:
        if (!fb_time_parse(node->text, &sample->i))
            sample->state = FB_SAMPLE_TYPE;
        return true;
    case FB_T_NONE:
        break;
    }
    return fail(maker, "cannot give values to", field->name);
}

static bool add_series(struct maker *maker, const struct fb_test_step *step) {
    uint16_t field = field_of(maker, step->field);
    if (field == UINT16_MAX)
        return fail(maker, "there is no field", step->field);
    int64_t every_us = maker->class_->fields[field].every_us;
    if (!every_us)
        every_us = FB_SECOND;
    if (step->every && !fb_check_span(step->every, maker->checked->units, &every_us))
        return fail(maker, "`every` is no constant, in the series of", step->field);
    uint32_t device = device_of(maker, step->device);
    int64_t at_us = 0;
    for (uint32_t i = 0; i < step->n_items; i++) {
        const struct fb_series_item *item = &step->items[i];
        for (uint32_t k = 0; k < item->times; k++, at_us += every_us) {
            struct point point = {
                .at_us = at_us,
                .device = device,
                .order = maker->n_points,
                .missing = item->kind == FB_SERIES_MISSING,
                .sample = {.field = field},
            };
            if (item->kind == FB_SERIES_NULL)
                point.sample.state = FB_SAMPLE_NULL;
            else if (!point.missing && !value_sample(maker, item, k, &point.sample))
                return false;
            if (point.missing)
                continue;
            FB_PUSH_ROOM(maker->points, maker->n_points, maker->cap_points);
            maker->points[maker->n_points++] = point;
        }
    }
    return true;
}

static int by_time(const void *a, const void *b) {
    const struct point *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    if (x->sample.field != y->sample.field)
        return x->sample.field < y->sample.field ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* The keys' samples: the id's parts between commas. */
static bool key_samples(const struct maker *maker, struct fb_str id, struct fb_sample *samples) {
    uint32_t n = maker->class_->n_keys;
    for (uint32_t i = 0; i < n; i++) {
        size_t length = 0;
        while (length < id.n && (id.p[length] != ',' || i + 1 == n))
            length++;
        samples[i] = (struct fb_sample){.field = (uint16_t)i, .text = {id.p, length}};
        if (!length || (i + 1 < n && length == id.n))
            return fail(maker, "the id does not have a part for each key:", id);
        id.p += length + (i + 1 < n);
        id.n -= length + (i + 1 < n);
    }
    return true;
}

static void push_entry(struct maker *maker, const struct fb_entry *entry) {
    FB_PUSH_ROOM(maker->entries, maker->n_entries, maker->cap_entries);
    maker->entries[maker->n_entries++] = *entry;
}

/* Samples of one device and instant are one record. */
static bool add_points(struct maker *maker) {
    if (maker->n_points)
        qsort(maker->points, maker->n_points, sizeof *maker->points, by_time);
    for (uint32_t i = 0, end; i < maker->n_points; i = end) {
        const struct point *first = &maker->points[i];
        for (end = i; end < maker->n_points && maker->points[end].at_us == first->at_us &&
                      maker->points[end].device == first->device;)
            end++;
        uint32_t n_keys = maker->class_->n_keys;
        struct fb_sample *samples =
            FB_ARENA_ARRAY(maker->arena, struct fb_sample, n_keys + (end - i));
        struct fb_str id = maker->devices[first->device];
        if (!key_samples(maker, id, samples))
            return false;
        uint32_t n = n_keys;
        for (uint32_t k = i; k < end; k++) {
            if (n > n_keys && samples[n - 1].field == maker->points[k].sample.field)
                return fail(maker, "two series give one field a value at one instant, for", id);
            samples[n++] = maker->points[k].sample;
        }
        struct fb_entry entry = {
            .class_index = (uint16_t)maker->test->class_index,
            .device = id,
            .ts_us = maker->start_us + first->at_us,
            .samples = samples,
            .n_samples = (uint16_t)n,
            .origin = {.topic = FB_S("test"), .partition = -1, .offset = maker->n_entries},
        };
        push_entry(maker, &entry);
    }
    return true;
}

static void keep_entry(struct maker *maker, struct fb_entry entry) {
    struct fb_sample *samples = FB_ARENA_ARRAY(maker->arena, struct fb_sample, entry.n_samples);
    memcpy(samples, entry.samples, sizeof *samples * entry.n_samples);
    const struct fb_class *class_ = &maker->program->classes[entry.class_index];
    for (uint32_t i = 0; i < entry.n_samples; i++)
        if (class_->fields[samples[i].field].type == FB_T_TEXT &&
            samples[i].state == FB_SAMPLE_GOOD)
            samples[i].text = fb_str_copy(maker->arena, samples[i].text);
    entry.samples = samples;
    entry.device = fb_str_copy(maker->arena, entry.device);
    entry.raw = fb_str_copy(maker->arena, entry.raw);
    push_entry(maker, &entry);
}

static bool read_records(struct maker *maker, struct fb_lines *lines, struct fb_decoder *decoder,
                         struct fb_str name) {
    struct fb_str line;
    enum fb_line got;
    for (int64_t n = 0; (got = fb_lines_next(lines, &line, maker->err)) == FB_LINE_WHOLE; n++) {
        if (!line.n)
            continue;
        struct fb_origin origin = {.topic = name, .partition = -1, .offset = n};
        struct fb_entry entry;
        struct fb_reject reject;
        enum fb_decoded decoded;
        fb_decoder_begin(decoder, line, &origin, FB_NO_TIME);
        while ((decoded = fb_decoder_next(decoder, &entry, &reject)) != FB_DECODED_END) {
            if (decoded == FB_DECODED_REJECT)
                return fb_fail(maker->err, FB_FATAL, "%.*s:%lld: %s: %.*s", FB_ARG(name),
                               (long long)n + 1, reject.code, FB_ARG(reject.detail));
            keep_entry(maker, entry);
        }
    }
    return got == FB_LINE_END;
}

/* A file beside the rules. */
static bool add_records(struct maker *maker, const struct fb_test_step *step) {
    struct fb_str rules = path_of(maker);
    size_t folder = rules.n;
    while (folder && rules.p[folder - 1] != '/')
        folder--;
    struct fb_str path =
        fb_str_printf(maker->arena, "%.*s%.*s", (int)folder, rules.p, FB_ARG(step->file));
    struct fb_lines *lines = fb_lines_open(path.p, maker->err);
    if (!lines)
        return false;
    uint16_t *classes = FB_ARENA_ARRAY(maker->arena, uint16_t, maker->program->n_classes + 1);
    uint32_t n = 0;
    if (maker->test->class_index != UINT32_MAX)
        classes[n++] = (uint16_t)maker->test->class_index;
    else
        for (; n < maker->program->n_classes; n++)
            classes[n] = (uint16_t)n;
    struct fb_decoder *decoder = fb_decoder_new(maker->program, classes, n, FB_JSON_LIMITS);
    bool good = read_records(maker, lines, decoder, path);
    fb_decoder_free(decoder);
    fb_lines_close(lines);
    return good;
}

/* Records and series are two inputs: next is the head with the lesser time, records first. */
static void merge(struct maker *maker, uint32_t n_records, struct fb_rule_series *series) {
    uint32_t a = 0, b = n_records, n = 0;
    series->entries = FB_ARENA_ARRAY(maker->arena, struct fb_entry, maker->n_entries + 1);
    while (a < n_records || b < maker->n_entries) {
        bool record = b == maker->n_entries ||
                      (a < n_records && maker->entries[a].ts_us <= maker->entries[b].ts_us);
        series->entries[n++] = maker->entries[record ? a++ : b++];
    }
    series->n_entries = n;
    series->start_us = maker->start_us;
}

bool fb_rule_series_make(const struct fb_program *program, const struct fb_checked *checked,
                         const struct fb_checked_test *test, struct fb_arena *arena,
                         struct fb_rule_series *series, struct fb_err *err) {
    struct maker maker = {
        .program = program,
        .checked = checked,
        .test = test,
        .class_ = test->class_index == UINT32_MAX ? NULL : &program->classes[test->class_index],
        .arena = arena,
        .err = err,
        .start_us = START_US,
    };
    bool good = true;
    for (uint32_t i = 0; good && i < test->decl->n_steps; i++)
        if (test->decl->steps[i].kind == FB_STEP_RECORDS)
            good = add_records(&maker, &test->decl->steps[i]);
    uint32_t n_records = maker.n_entries;
    if (n_records)
        maker.start_us = maker.entries[0].ts_us;
    for (uint32_t i = 0; good && i < test->decl->n_steps; i++)
        if (test->decl->steps[i].kind == FB_STEP_SERIES)
            good = maker.class_ ? add_series(&maker, &test->decl->steps[i])
                                : fail(&maker, "say which device: test \"..\" on NAME, for",
                                       test->decl->steps[i].field);
    good = good && add_points(&maker);
    if (good)
        merge(&maker, n_records, series);
    free(maker.points);
    free(maker.devices);
    free(maker.entries);
    return good;
}
