/* Series items -> samples; samples of one device and instant -> one record.
 *
 * Place in the flow: see rule_series.h. */
#include "engine/run/rule_series.h"

#include <stdlib.h>
#include <string.h>

#include "connectors/lines.h"
#include "engine/base/calendar.h"
#include "engine/base/map.h"
#include "engine/codec/decode.h"

/* Without records a test starts at a whole day and week: 2026-01-05, a Monday. */
#define START_US (INT64_C(1767571200) * FB_SECOND)

/* One sample of a series; `order` keeps equal instants in the order of writing. */
struct point {
    int64_t at_us;
    uint32_t device, order;
    const struct fb_test_step *step;
    struct fb_sample sample;
};

struct maker {
    const struct fb_program *program;
    const struct fb_checked *checked;
    const struct fb_checked_test *test;
    const struct fb_class *class_;
    struct fb_arena *arena;
    struct fb_err *err;
    const struct fb_test_step *step; /* the present one, for messages */
    struct point *points;
    uint32_t n_points, cap_points;
    struct fb_rule_device *devices;
    uint32_t n_devices, cap_devices;
    struct fb_entry *entries; /* malloc'ed; copied into the arena at the end */
    uint32_t n_entries, cap_entries;
    int64_t start_us;
};

#define FAIL(maker, format, ...)                                                                   \
    fb_fail((maker)->err, FB_FATAL, "line %u: " format,                                            \
            fb_rule_series_line((maker)->checked, (maker)->step), __VA_ARGS__)

uint32_t fb_rule_series_line(const struct fb_checked *checked, const struct fb_test_step *step) {
    uint32_t line, column;
    fb_source_place(&checked->tree->sources->files[step->span.file], step->span.start, &line,
                    &column);
    return line;
}

static struct fb_str path_of(const struct maker *maker) {
    return maker->checked->tree->sources->files[maker->test->decl->span.file].path;
}

static uint32_t device_of(struct maker *maker, uint32_t class_index, struct fb_str id) {
    for (uint32_t i = 0; i < maker->n_devices; i++)
        if (maker->devices[i].class_index == class_index && fb_str_eq(maker->devices[i].id, id))
            return i;
    FB_PUSH_ROOM(maker->devices, maker->n_devices, maker->cap_devices);
    maker->devices[maker->n_devices] = (struct fb_rule_device){class_index, id};
    return maker->n_devices++;
}

static const struct fb_field_decl *decl_of(const struct maker *maker, uint16_t field) {
    return maker->checked->classes[maker->step->class_index].decl->fields[field];
}

/* The class that the present step, or a device of a series, is of. */
static void go_to_class(struct maker *maker, uint32_t class_index) {
    maker->class_ = class_index == UINT32_MAX ? NULL : &maker->program->classes[class_index];
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
    return FAIL(maker, "a value of `%.*s` is not known before the test is run",
                FB_ARG(decl_of(maker, field)->name));
}

static void check_range(const struct fb_field *field, double x, struct fb_sample *sample) {
    if (field->has_range && (x < field->range_low || x > field->range_high))
        sample->state = FB_SAMPLE_RANGE;
    if (field->has_null && field->type == FB_T_NUMBER && x == field->null_value.num)
        sample->state = FB_SAMPLE_NULL;
}

static bool whole(double x, int64_t *i) {
    const double beyond = 9223372036854775808.0; /* 2^63 */
    if (!(x >= -beyond && x < beyond))
        return false;
    *i = (int64_t)x;
    return (double)*i == x;
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
        if (field->type != FB_T_INTEGER)
            sample->num = x;
        else if (!whole(x, &sample->i))
            return FAIL(maker, "`%.*s` is an integer, and %.17g is none", FB_ARG(field->name), x);
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
    return FAIL(maker, "`%.*s` takes no values", FB_ARG(field->name));
}

/* The parts of an id, one a key, between commas; false: not as many. */
static bool key_samples(const struct maker *maker, struct fb_str id, struct fb_sample *samples) {
    uint32_t n = maker->class_->n_keys;
    for (uint32_t i = 0; i < n; i++) {
        size_t length = 0;
        while (length < id.n && (id.p[length] != ',' || i + 1 == n))
            length++;
        samples[i] = (struct fb_sample){.field = (uint16_t)i, .text = {id.p, length}};
        if (!length || (i + 1 < n && length == id.n))
            return false;
        id.p += length + (i + 1 < n);
        id.n -= length + (i + 1 < n);
    }
    return true;
}

/* The id has a part for each key, and a series of a key repeats that part. */
static bool check_keys(const struct maker *maker, uint16_t field) {
    const struct fb_class *class_ = maker->class_;
    const struct fb_test_step *step = maker->step;
    struct fb_sample *keys = FB_ARENA_ARRAY(maker->arena, struct fb_sample, class_->n_keys);
    if (!key_samples(maker, step->device, keys)) {
        struct fb_buf names = {0};
        for (uint32_t i = 0; i < class_->n_keys; i++)
            fb_buf_printf(&names, "%s%.*s", i ? "," : "", FB_ARG(class_->fields[i].name));
        FAIL(maker, "a device of `%.*s` is named `%.*s`, a part for each key; `%.*s` is not",
             FB_ARG(class_->name), (int)names.n, names.p, FB_ARG(step->device));
        fb_buf_free(&names);
        return false;
    }
    for (uint32_t i = 0; field < class_->n_keys && i < step->n_items; i++)
        if (step->items[i].kind == FB_SERIES_NULL ||
            (step->items[i].kind == FB_SERIES_VALUE &&
             !fb_str_eq(step->items[i].from->text, keys[field].text)))
            return FAIL(maker, "`%.*s` is a key: in a record of `%.*s` it is \"%.*s\"",
                        FB_ARG(step->field), FB_ARG(step->device), FB_ARG(keys[field].text));
    return true;
}

static void add_point(struct maker *maker, int64_t at_us, uint32_t device,
                      const struct fb_sample *sample) {
    FB_PUSH_ROOM(maker->points, maker->n_points, maker->cap_points);
    maker->points[maker->n_points] = (struct point){.at_us = at_us,
                                                    .device = device,
                                                    .order = maker->n_points,
                                                    .step = maker->step,
                                                    .sample = *sample};
    maker->n_points++;
}

static bool add_series(struct maker *maker) {
    const struct fb_test_step *step = maker->step;
    go_to_class(maker, step->class_index);
    if (!maker->class_)
        return FAIL(maker, "say which device `%.*s` is: test \"..\" on NAME",
                    FB_ARG(step->device));
    uint16_t field = field_of(maker, step->field);
    if (field == UINT16_MAX)
        return FAIL(maker, "there is no field `%.*s`", FB_ARG(step->field));
    int64_t every_us = maker->class_->fields[field].every_us;
    if (!every_us)
        every_us = FB_SECOND;
    if (step->every && !fb_check_span(step->every, maker->checked->units, &every_us))
        return FAIL(maker, "`every` of `%.*s` is not known before the test is run",
                    FB_ARG(step->field));
    if (!check_keys(maker, field))
        return false;
    uint32_t device = device_of(maker, step->class_index, step->device);
    int64_t at_us = 0;
    for (uint32_t i = 0; i < step->n_items; i++) {
        const struct fb_series_item *item = &step->items[i];
        for (uint32_t k = 0; k < item->times; k++, at_us += every_us) {
            struct fb_sample sample = {.field = field};
            if (item->kind == FB_SERIES_MISSING)
                continue;
            if (item->kind == FB_SERIES_NULL)
                sample.state = FB_SAMPLE_NULL;
            else if (!value_sample(maker, item, k, &sample))
                return false;
            add_point(maker, at_us, device, &sample);
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

static void push_entry(struct maker *maker, const struct fb_entry *entry) {
    FB_PUSH_ROOM(maker->entries, maker->n_entries, maker->cap_entries);
    maker->entries[maker->n_entries++] = *entry;
}

static bool two_values(struct maker *maker, const struct point *point) {
    char at[FB_TIME_TEXT_MAX];
    maker->step = point->step;
    return FAIL(maker, "`%.*s` of `%.*s` has a value of another series at %.*s",
                FB_ARG(point->step->field), FB_ARG(point->step->device),
                (int)fb_span_format(point->at_us, at), at);
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
        const struct fb_rule_device *device = &maker->devices[first->device];
        go_to_class(maker, device->class_index);
        uint32_t n_keys = maker->class_->n_keys;
        struct fb_sample *samples =
            FB_ARENA_ARRAY(maker->arena, struct fb_sample, n_keys + (end - i));
        (void)key_samples(maker, device->id, samples);
        uint32_t n = n_keys;
        for (uint32_t k = i; k < end; k++) {
            const struct point *point = &maker->points[k];
            if (point->sample.field < n_keys)
                continue;
            if (n > n_keys && samples[n - 1].field == point->sample.field)
                return two_values(maker, point);
            samples[n++] = point->sample;
        }
        struct fb_entry entry = {
            .class_index = (uint16_t)device->class_index,
            .device = device->id,
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

/* The devices that the records are of. */
static void list_devices(struct maker *maker, struct fb_rule_series *series) {
    series->devices = FB_ARENA_ARRAY(maker->arena, struct fb_rule_device, series->n_entries + 1);
    series->n_devices = 0;
    struct fb_map *map = fb_map_new();
    struct fb_buf name = {0};
    for (uint32_t i = 0; i < series->n_entries; i++) {
        const struct fb_entry *entry = &series->entries[i];
        name.n = 0;
        fb_buf_printf(&name, "%u %.*s", entry->class_index, FB_ARG(entry->device));
        struct fb_str text = {name.p, name.n};
        if (fb_map_get(map, text) != FB_MAP_NONE)
            continue;
        fb_map_put(map, text, series->n_devices);
        series->devices[series->n_devices++] =
            (struct fb_rule_device){entry->class_index, entry->device};
    }
    fb_buf_free(&name);
    fb_map_free(map);
}

bool fb_rule_series_make(const struct fb_program *program, const struct fb_checked *checked,
                         const struct fb_checked_test *test, struct fb_arena *arena,
                         struct fb_rule_series *series, struct fb_err *err) {
    struct maker maker = {
        .program = program,
        .checked = checked,
        .test = test,
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
    for (uint32_t i = 0; good && i < test->decl->n_steps; i++) {
        maker.step = &test->decl->steps[i];
        if (maker.step->kind == FB_STEP_SERIES)
            good = add_series(&maker);
    }
    good = good && add_points(&maker);
    if (good)
        merge(&maker, n_records, series);
    if (good)
        list_devices(&maker, series);
    free(maker.points);
    free(maker.devices);
    free(maker.entries);
    return good;
}
