/* The decoder: one scan of an object serves every class of its topic. */
#include "engine/codec/decode.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

/* What one class reads, as nodes of the table of paths. */
struct reader {
    struct fb_maker *maker;
    uint32_t n_fields;
    uint32_t *first_node; /* by field: index of its first path in `nodes`; one more at the end */
    uint32_t *nodes;
    uint32_t time_node;
    bool has_time;
    const struct fb_json_value *time;      /* NULL: it is the arrival's */
    const struct fb_json_value **by_field; /* where it has one path only: set once */
    uint32_t *several, n_several;          /* the fields that have more */
};

struct fb_decoder {
    struct fb_arena *arena;
    struct fb_json_paths *paths;
    struct fb_json *json;
    struct reader *readers;
    uint32_t n_readers;

    struct fb_origin origin;
    int64_t arrival_us;
    struct fb_json_object object; /* the present one, and which class comes next */
    uint32_t next_reader;
    bool taken;
    struct fb_buf detail; /* of rejects that are no single class's */
};

static uint32_t count_paths(const struct fb_class *class_) {
    uint32_t n = 1; /* the time's */
    for (uint32_t i = 0; i < class_->n_fields; i++)
        n += class_->fields[i].n_paths;
    return n;
}

/* Gathers the paths of a class; until the table exists, `nodes` are indices of paths. */
static void gather_paths(struct fb_decoder *d, struct reader *reader, const struct fb_class *class_,
                         struct fb_str *paths, uint32_t *n_paths) {
    reader->n_fields = class_->n_fields;
    reader->first_node = FB_ARENA_ARRAY(d->arena, uint32_t, class_->n_fields + 1);
    reader->nodes = FB_ARENA_ARRAY(d->arena, uint32_t, count_paths(class_));
    reader->by_field = FB_ARENA_ARRAY(d->arena, const struct fb_json_value *, class_->n_fields);
    reader->several = FB_ARENA_ARRAY(d->arena, uint32_t, class_->n_fields);
    uint32_t n = 0;
    for (uint32_t i = 0; i < class_->n_fields; i++) {
        const struct fb_field *field = &class_->fields[i];
        FB_ASSERT(field->n_paths > 0);
        if (field->n_paths > 1)
            reader->several[reader->n_several++] = i;
        reader->first_node[i] = n;
        for (uint32_t k = 0; k < field->n_paths; k++) {
            reader->nodes[n++] = *n_paths;
            paths[(*n_paths)++] = field->paths[k];
        }
    }
    reader->first_node[class_->n_fields] = n;
    reader->has_time = class_->time_unit != FB_TIME_ARRIVAL;
    if (reader->has_time) {
        reader->time_node = *n_paths;
        paths[(*n_paths)++] = class_->time_path;
    }
}

static void resolve_nodes(const struct fb_decoder *d, struct reader *reader) {
    for (uint32_t i = 0; i < reader->first_node[reader->n_fields]; i++)
        reader->nodes[i] = fb_json_node(d->paths, reader->nodes[i]);
    if (reader->has_time)
        reader->time_node = fb_json_node(d->paths, reader->time_node);
}

/* The value of a field: that of its first path that is there. */
static const struct fb_json_value *first_value(const struct fb_decoder *d,
                                               const struct reader *reader, uint32_t field) {
    const struct fb_json_value *values = fb_json_values(d->json);
    uint32_t at = reader->first_node[field], end = reader->first_node[field + 1];
    while (values[reader->nodes[at]].kind == FB_JSON_ABSENT && at + 1 < end)
        at++;
    return &values[reader->nodes[at]];
}

struct fb_decoder *fb_decoder_new(const struct fb_program *program, const uint16_t *classes,
                                  uint32_t n_classes, struct fb_json_limits limits) {
    FB_ASSERT(n_classes > 0);
    struct fb_decoder *d = fb_alloc(sizeof *d);
    d->arena = fb_arena_new();
    d->n_readers = n_classes;
    d->readers = FB_ARENA_ARRAY(d->arena, struct reader, n_classes);
    uint32_t room = 0, n_paths = 0;
    for (uint32_t i = 0; i < n_classes; i++)
        room += count_paths(&program->classes[classes[i]]);
    struct fb_str *paths = FB_ARENA_ARRAY(d->arena, struct fb_str, room);
    for (uint32_t i = 0; i < n_classes; i++) {
        d->readers[i].maker = fb_maker_new(program, classes[i]);
        gather_paths(d, &d->readers[i], &program->classes[classes[i]], paths, &n_paths);
    }
    d->paths = fb_json_paths_new(paths, n_paths);
    for (uint32_t i = 0; i < n_classes; i++)
        resolve_nodes(d, &d->readers[i]);
    d->json = fb_json_new(d->paths, limits);
    for (uint32_t i = 0; i < n_classes; i++) {
        struct reader *reader = &d->readers[i];
        for (uint32_t f = 0; f < reader->n_fields; f++)
            reader->by_field[f] = first_value(d, reader, f);
        if (reader->has_time)
            reader->time = &fb_json_values(d->json)[reader->time_node];
    }
    d->next_reader = n_classes;
    return d;
}

void fb_decoder_free(struct fb_decoder *d) {
    if (!d)
        return;
    for (uint32_t i = 0; i < d->n_readers; i++)
        fb_maker_free(d->readers[i].maker);
    fb_json_free(d->json);
    fb_json_paths_free(d->paths);
    fb_buf_free(&d->detail);
    fb_arena_free(d->arena);
    free(d);
}

void fb_decoder_begin(struct fb_decoder *d, struct fb_str payload, const struct fb_origin *origin,
                      int64_t arrival_us) {
    d->origin = *origin;
    d->arrival_us = arrival_us;
    d->next_reader = d->n_readers;
    d->object.last = false;
    fb_json_begin(d->json, payload);
}

static enum fb_made read_class(struct fb_decoder *d, struct reader *reader, struct fb_entry *entry,
                               struct fb_reject *reject) {
    for (uint32_t i = 0; i < reader->n_several; i++)
        reader->by_field[reader->several[i]] = first_value(d, reader, reader->several[i]);
    return fb_maker_make(reader->maker, reader->by_field, reader->time, d->arrival_us, entry,
                         reject);
}

static enum fb_decoded finish_reject(const struct fb_decoder *d, struct fb_reject *reject) {
    reject->origin = d->origin;
    reject->raw = d->object.raw;
    return FB_DECODED_REJECT;
}

static enum fb_decoded reject_json(struct fb_decoder *d, struct fb_reject *reject) {
    d->detail.n = 0;
    fb_buf_printf(&d->detail, "%s, at byte %zu of the record", fb_json_error_text(d->object.error),
                  d->object.error_at);
    reject->code = fb_json_error_code(d->object.error);
    reject->detail = (struct fb_str){d->detail.p, d->detail.n};
    return finish_reject(d, reject);
}

/* Asks the classes that have not been asked about the present object. */
static enum fb_decoded ask_classes(struct fb_decoder *d, struct fb_entry *entry,
                                   struct fb_reject *reject) {
    while (d->next_reader < d->n_readers) {
        enum fb_made made = read_class(d, &d->readers[d->next_reader++], entry, reject);
        if (made == FB_MADE_NO_KEY) {
            if (d->detail.n > 0)
                fb_buf_text(&d->detail, "; ");
            fb_buf_str(&d->detail, reject->detail);
            continue;
        }
        d->taken = true;
        if (made == FB_MADE_REJECT)
            return finish_reject(d, reject);
        entry->origin = d->origin;
        entry->raw = d->object.raw;
        return FB_DECODED_ENTRY;
    }
    if (d->taken)
        return FB_DECODED_END;
    d->taken = true;
    reject->code = "NO_KEY";
    reject->detail = (struct fb_str){d->detail.p, d->detail.n};
    return finish_reject(d, reject);
}

static __attribute__((noinline)) enum fb_decoded
decode_next(struct fb_decoder *d, struct fb_entry *entry, struct fb_reject *reject) {
    for (;;) {
        if (d->next_reader < d->n_readers) {
            enum fb_decoded decoded = ask_classes(d, entry, reject);
            if (decoded != FB_DECODED_END)
                return decoded;
        }
        if (!fb_json_next(d->json, &d->object))
            return FB_DECODED_END;
        d->origin.index = d->object.index;
        if (d->object.error != FB_JSON_OK)
            return reject_json(d, reject);
        d->next_reader = 0;
        d->taken = false;
        d->detail.n = 0;
    }
}

enum fb_decoded fb_decoder_next(struct fb_decoder *d, struct fb_entry *entry,
                                struct fb_reject *reject) {
    if (d->object.last && d->next_reader == d->n_readers)
        return FB_DECODED_END;
    return decode_next(d, entry, reject);
}
