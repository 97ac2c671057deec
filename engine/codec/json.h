/* The strict JSON scanner: finds the objects in a record's bytes and reads their declared paths.
 *
 * Place in the flow: a record's payload -> objects -> values by path; codec/decode types them.
 * The table of paths is immutable and may be shared by threads; a scanner has one owner.
 *
 * RFC 8259 and RFC 3629 to the letter: what is not read is validated all the same. Nothing is
 * allocated per object and no byte outside the payload is touched. A path is the names of nested
 * objects joined by '.'; a name with a '.' in it cannot be reached. */
#ifndef FB_CODEC_JSON_H
#define FB_CODEC_JSON_H

#include "engine/base/str.h"

#include <stdint.h>

enum fb_json_error {
    FB_JSON_OK = 0,
    FB_JSON_SYNTAX,
    FB_JSON_NUMBER, /* a number that breaks the grammar: 01, 1., -, 1e */
    FB_JSON_UTF8,   /* malformed UTF-8, or half of a surrogate pair in an escape */
    FB_JSON_TRUNCATED,
    FB_JSON_TRAILING, /* something stands behind the object, on its line or behind the array */
    FB_JSON_NOT_OBJECT,
    FB_JSON_DUPLICATE_KEY, /* of a declared path */
    FB_JSON_DEPTH,
    FB_JSON_KEYS,
    FB_JSON_SIZE,
    FB_JSON_ERRORS
};
/* "JSON_SYNTAX": stable, for the reason of a dead letter. */
const char *fb_json_error_code(enum fb_json_error error);
/* What is wrong, in words. */
const char *fb_json_error_text(enum fb_json_error error);

enum fb_json_kind {
    FB_JSON_ABSENT = 0,
    FB_JSON_NULL,
    FB_JSON_FALSE,
    FB_JSON_TRUE,
    FB_JSON_NUM,
    FB_JSON_TEXT,
    FB_JSON_OBJECT,
    FB_JSON_ARRAY
};

struct fb_json_value {
    uint8_t kind;        /* enum fb_json_kind */
    bool negative, wide; /* NUM; wide: more digits than mantissa takes, only `text` is exact */
    bool quick;          /* NUM: so few digits, and no power of ten, that `num` is set */
    int32_t exponent;    /* NUM: value = mantissa * 10^exponent */
    uint64_t mantissa;
    double num; /* NUM that is quick: the nearest double */
    /* A view. NUM, OBJECT, ARRAY: as written; TEXT: unescaped UTF-8, may hold NUL. */
    struct fb_str text;
};
/* Of a NUM. The nearest double; false when that is infinite. */
bool fb_json_number_slow(const struct fb_json_value *value, double *x);
static inline bool fb_json_number(const struct fb_json_value *value, double *x) {
    if (!value->quick)
        return fb_json_number_slow(value, x);
    *x = value->num;
    return true;
}
/* Of a NUM. False when it is not whole or beyond int64. */
bool fb_json_integer(const struct fb_json_value *value, int64_t *x);

struct fb_json_paths;
/* Copies the paths. Equal paths are allowed; each is a non-empty list of non-empty names. */
struct fb_json_paths *fb_json_paths_new(const struct fb_str *paths, uint32_t n_paths);
void fb_json_paths_free(struct fb_json_paths *paths);

struct fb_json_limits {
    uint32_t bytes_max; /* of one object */
    uint32_t keys_max;  /* of one object, those of nested objects included */
    uint32_t depth_max; /* nested objects and arrays, the object itself included; at most 64 */
};
#define FB_JSON_LIMITS ((struct fb_json_limits){256 * 1024, 1024, 32})

struct fb_json;
struct fb_json *fb_json_new(const struct fb_json_paths *paths, struct fb_json_limits limits);
void fb_json_free(struct fb_json *json);

/* One object of a payload, or what stands where one should. */
struct fb_json_object {
    uint32_t index;           /* 0, 1, .. in the payload, bad ones counted too */
    enum fb_json_error error; /* FB_JSON_OK: its values can be read */
    size_t error_at;          /* byte in the payload */
    struct fb_str raw; /* a view: the object's own bytes; of a bad one all that is given up */
    bool last;         /* it is known that none follows */
};

/* Starts on a payload: one object, objects separated by white space (NDJSON), or one array of
 * objects. Views live until the next fb_json_begin; the payload must live as long. */
void fb_json_begin(struct fb_json *json, struct fb_str payload);
/* The next object; false at the end. A payload without any object gives one NOT_OBJECT, an empty
 * array nothing.
 *
 * A bad object outside an array costs its line: the scan goes on behind the line's end, or, where
 * the mistake was seen on a later line, at the next line that begins with '{'. In an array an
 * element that is well-formed, but no object, too large or with a duplicate key, costs itself;
 * anything else the rest of the array. */
bool fb_json_next(struct fb_json *json, struct fb_json_object *object);
/* The values of the last object, which must have been FB_JSON_OK, by node; fb_json_node gives the
 * node of a path. Valid until the next fb_json_next; the array stays where it is. */
const struct fb_json_value *fb_json_values(const struct fb_json *json);
uint32_t fb_json_node(const struct fb_json_paths *paths, uint32_t path);

#endif
