/* CloudEvents in binary mode: attributes in headers, data as the record's value. */
#include "engine/run/cloudevent.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/codec/json.h"
#include "engine/codec/json_write.h"

enum { ATTRIBUTES_MAX = 64 };

struct fb_cloudevents {
    struct fb_json_paths *paths;
    struct fb_json *json; /* reads nothing: it says whether a value is one object */
    struct fb_buf whole;
};

struct fb_cloudevents *fb_cloudevents_new(void) {
    static const struct fb_str any = {"data", 4};
    struct fb_cloudevents *events = fb_alloc(sizeof *events);
    events->paths = fb_json_paths_new(&any, 1);
    events->json = fb_json_new(events->paths, FB_JSON_LIMITS);
    return events;
}

void fb_cloudevents_free(struct fb_cloudevents *events) {
    if (!events)
        return;
    fb_json_free(events->json);
    fb_json_paths_free(events->paths);
    fb_buf_free(&events->whole);
    free(events);
}

static bool below_data(struct fb_str path) {
    return path.n > 5 && memcmp(path.p, "data.", 5) == 0;
}

bool fb_cloudevents_wanted(const struct fb_program *program, const struct fb_route *route) {
    for (uint32_t c = 0; c < route->n_classes; c++) {
        const struct fb_class *class = &program->classes[route->classes[c]];
        if (below_data(class->time_path))
            return true;
        for (uint32_t f = 0; f < class->n_fields; f++)
            for (uint32_t p = 0; p < class->fields[f].n_paths; p++)
                if (below_data(class->fields[f].paths[p]))
                    return true;
    }
    return false;
}

/* The attribute that a header carries: lower-case letters and digits, `data` is none. */
static struct fb_str attribute_of(struct fb_str header) {
    if (fb_str_eq(header, FB_S("content-type")))
        return FB_S("datacontenttype");
    struct fb_str name = {header.p + 3, header.n - 3}, none = {NULL, 0};
    if (header.n <= 3 || memcmp(header.p, "ce_", 3) != 0 || fb_str_eq(name, FB_S("data")))
        return none;
    for (size_t i = 0; i < name.n; i++)
        if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9')))
            return none;
    return name;
}

static bool is_one_object(struct fb_cloudevents *events, struct fb_str value) {
    struct fb_json_object object;
    size_t blanks = 0;
    while (blanks < value.n && memchr(" \t\r\n", value.p[blanks], 4))
        blanks++;
    if (blanks == value.n || value.p[blanks] != '{')
        return false;
    fb_json_begin(events->json, value);
    /* A name that comes twice is for the decoder to refuse, which knows the declared ones. */
    return fb_json_next(events->json, &object) &&
           (object.error == FB_JSON_OK || object.error == FB_JSON_DUPLICATE_KEY) &&
           !fb_json_next(events->json, &object);
}

struct fb_str fb_cloudevents_whole(struct fb_cloudevents *events, const struct fb_record *record) {
    struct fb_header headers[ATTRIBUTES_MAX];
    struct fb_buf *whole = &events->whole;
    uint32_t n = record->headers ? record->headers(record->message, headers, ATTRIBUTES_MAX) : 0;
    bool event = false;
    n = n < ATTRIBUTES_MAX ? n : ATTRIBUTES_MAX;
    for (uint32_t i = 0; i < n; i++)
        event |= fb_str_eq(headers[i].name, FB_S("ce_specversion"));
    if (!event || (record->value.n && !is_one_object(events, record->value)))
        return (struct fb_str){NULL, 0};
    whole->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct fb_str name = attribute_of(headers[i].name);
        if (!name.n || !headers[i].value.p || !fb_str_is_utf8(headers[i].value))
            continue;
        fb_buf_text(whole, whole->n ? ",\"" : "{\"");
        fb_buf_str(whole, name);
        fb_buf_text(whole, "\":");
        fb_json_put_text(whole, headers[i].value);
    }
    if (record->value.n) {
        fb_buf_text(whole, whole->n ? ",\"data\":" : "{\"data\":");
        fb_buf_str(whole, record->value);
    }
    fb_buf_text(whole, whole->n ? "}" : "{}");
    return (struct fb_str){whole->p, whole->n};
}
