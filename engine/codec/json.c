/* The strict JSON scanner. One pass, no recursion: a loop over values with a small stack of the
 * containers that are open.
 *
 * As the tokens want it, the payload ends with a closing bracket, or lies in a copy with a NUL
 * behind it: fb_json_begin sees to that. */
#include "engine/codec/json.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/codec/json_find.h"
#include "engine/codec/json_guess.h"
#include "engine/codec/json_paths.h"
#include "engine/codec/json_shape.h"
#include "engine/codec/json_token.h"

enum { DEPTH_MAX = 64 };

enum framing { AT_LINE, IN_ARRAY_FIRST, IN_ARRAY_NEXT, AT_END };

struct fb_json {
    /* The payload, or its copy; the scratch has room for all of it. First, so that it is at the
     * scanner's own address: the loops have no register for another one. */
    struct fb_json_reader in;
    size_t scratch_cap;

    const struct fb_json_paths *paths;
    struct fb_json_limits limits;
    struct fb_json_value *values; /* by node */
    uint32_t *touched;            /* nodes whose value is not ABSENT */
    uint32_t n_touched;

    struct fb_json_guesses guesses;
    struct fb_json_shapes *shapes;    /* NULL until there was a good object */
    const struct fb_json_step *shape; /* the end of that of the present object; NULL: none fits */

    const char *p; /* where the next object is looked for */
    enum framing framing;
    uint32_t n_objects;

    char *copy; /* of a payload without a closing bracket at its end */
    size_t copy_cap;
};

static const struct {
    const char *code, *text;
} errors[FB_JSON_ERRORS] = {
    [FB_JSON_OK] = {"JSON_OK", "no error"},
    [FB_JSON_SYNTAX] = {"JSON_SYNTAX", "a byte that cannot stand there"},
    [FB_JSON_NUMBER] = {"JSON_NUMBER", "a number that is not written as JSON wants it"},
    [FB_JSON_UTF8] = {"JSON_UTF8", "text that is not valid UTF-8, or half of a surrogate pair"},
    [FB_JSON_TRUNCATED] = {"JSON_TRUNCATED", "the text ends inside a value"},
    [FB_JSON_TRAILING] = {"JSON_TRAILING", "something stands behind the value"},
    [FB_JSON_NOT_OBJECT] = {"JSON_NOT_OBJECT", "an object {...} is wanted"},
    [FB_JSON_DUPLICATE_KEY] = {"JSON_DUPLICATE_KEY", "a declared name that was there before"},
    [FB_JSON_DEPTH] = {"JSON_DEPTH", "objects and arrays nested too deeply"},
    [FB_JSON_KEYS] = {"JSON_KEYS", "too many names in one object"},
    [FB_JSON_SIZE] = {"JSON_SIZE", "the object is too long"},
};

const char *fb_json_error_code(enum fb_json_error error) {
    FB_ASSERT(error < FB_JSON_ERRORS);
    return errors[error].code;
}

const char *fb_json_error_text(enum fb_json_error error) {
    FB_ASSERT(error < FB_JSON_ERRORS);
    return errors[error].text;
}

/* ---- values ---- */

bool fb_json_number_slow(const struct fb_json_value *value, double *x) {
    if (value->wide || !fb_num_of_decimal(value->mantissa, value->exponent, x))
        return fb_num_parse(value->text, x);
    if (value->negative)
        *x = -*x;
    return true;
}

bool fb_json_integer(const struct fb_json_value *value, int64_t *x) {
    FB_ASSERT(value->kind == FB_JSON_NUM);
    if (value->wide || value->exponent != 0 || value->mantissa > (uint64_t)INT64_MAX)
        return fb_num_parse_int(value->text, x);
    *x = value->negative ? -(int64_t)value->mantissa : (int64_t)value->mantissa;
    return true;
}

const struct fb_json_value *fb_json_values(const struct fb_json *json) {
    return json->values;
}

static void forget_values(struct fb_json *json) {
    for (uint32_t i = 0; i < json->n_touched; i++)
        json->values[json->touched[i]].kind = FB_JSON_ABSENT;
    json->n_touched = 0;
}

static void forget_all_values(struct fb_json *json) {
    for (uint32_t i = 0; i < json->paths->n_nodes; i++)
        json->values[i].kind = FB_JSON_ABSENT;
    json->n_touched = 0;
    json->shape = NULL;
}

/* ---- set-up ---- */

struct fb_json *fb_json_new(const struct fb_json_paths *paths, struct fb_json_limits limits) {
    FB_ASSERT(limits.depth_max >= 1 && limits.depth_max <= DEPTH_MAX);
    struct fb_json *json = fb_alloc(sizeof *json);
    json->paths = paths;
    json->limits = limits;
    json->values = fb_alloc(paths->n_nodes * sizeof *json->values);
    json->touched = fb_alloc(paths->n_nodes * sizeof *json->touched);
    fb_json_guesses_clear(&json->guesses);
    json->scratch_cap = limits.bytes_max;
    json->in.scratch = fb_alloc(json->scratch_cap);
    json->framing = AT_END;
    return json;
}

void fb_json_free(struct fb_json *json) {
    if (!json)
        return;
    free(json->values);
    free(json->touched);
    free(json->copy);
    free(json->in.scratch);
    fb_json_shapes_free(json->shapes);
    free(json);
}

/* ---- objects ---- */

/* A short name that stands in the payload is loaded at once, with what is behind it cut off. */
static inline struct fb_json_name name_of(const struct fb_json *json, struct fb_str text,
                                          bool unescaped) {
    if (unescaped)
        return fb_json_name_of(text);
    if (text.n > 8 || json->in.end - text.p < 8 || text.n == 0)
        return fb_json_name_of(text);
    struct fb_json_name name = {text, fb_json_load8(text.p), 0};
    name.head &= ~UINT64_C(0) >> (64 - 8 * text.n);
    name.tail = text.n == 8 ? name.head : 0;
    return name;
}

/* name ":" at p, looked up and remembered as what follows *before, which is moved to it. Returns
 * what is behind the colon. */
static __attribute__((noinline)) const char *take_key(struct fb_json *json, const char *p,
                                                      uint32_t parent, uint32_t *node,
                                                      struct fb_json_guess **before) {
    const char *start = p;
    struct fb_str text;
    if (*p != '"')
        return fb_json_fail(&json->in, FB_JSON_SYNTAX, p);
    p = fb_json_take_string(&json->in, p + 1, &text);
    if (!p)
        return NULL;
    bool unescaped = text.p != start + 1, tight = *p == ':';
    struct fb_json_name name = name_of(json, text, unescaped);
    uint64_t hash = fb_json_hash(json->paths, parent, &name);
    p = fb_json_skip_blanks(p);
    if (*p != ':')
        return fb_json_fail(&json->in, FB_JSON_SYNTAX, p);
    p++;
    struct fb_json_guess *guess = &json->guesses.at[hash >> 57];
    if (tight && guess->parent == parent && fb_json_guess_fits(guess, start, json->in.end)) {
        *node = guess->node;
        (*before)->next = guess;
        *before = guess;
        return p;
    }
    *node = FB_JSON_NO_NODE;
    if (parent != FB_JSON_NO_NODE)
        *node = fb_json_child(json->paths, parent, &name, hash);
    if (tight && !unescaped && p - start <= FB_JSON_GUESS_BYTES) {
        fb_json_guess_learn(guess, start, (size_t)(p - start), parent, *node);
        (*before)->next = guess;
        *before = guess;
    }
    return p;
}

/* The object or array at p. `node` is that of its names: 0 reads the declared paths,
 * FB_JSON_NO_NODE only validates, without a limit on the number of names. Returns its end. */
static const char *take_container(struct fb_json *json, const char *p, uint32_t node) {
    uint32_t nodes[DEPTH_MAX];
    uint64_t arrays = 0; /* bit d: the container at depth d is an array */
    uint32_t depth = 0, child = node;
    uint32_t keys_left = node == FB_JSON_NO_NODE ? UINT32_MAX : json->limits.keys_max;
    struct fb_json_guess *last_name = &json->guesses.at[FB_JSON_GUESSES];
    struct fb_json_value ignored, *value = &ignored, *owners[DEPTH_MAX];
    bool in_array;

open:
    if (depth == json->limits.depth_max)
        return fb_json_fail(&json->in, FB_JSON_DEPTH, p);
    in_array = *p == '[';
    node = in_array ? (uint32_t)FB_JSON_NO_NODE : child;
    nodes[depth] = node;
    owners[depth] = value;
    value->text.p = p;
    arrays = (arrays & ~(UINT64_C(1) << depth)) | (uint64_t)in_array << depth;
    depth++;
    p = fb_json_skip_blanks(p + 1);
    if (*p == (in_array ? ']' : '}'))
        goto close;
    if (in_array) {
        value = &ignored;
        child = FB_JSON_NO_NODE;
        goto take_value;
    }

take_member:
    if (keys_left-- == 0)
        return fb_json_fail(&json->in, *p == '"' ? FB_JSON_KEYS : FB_JSON_SYNTAX, p);
    {
        const char *key_at = p;
        struct fb_json_guess *guess = last_name->next;
        if (guess->parent == node && fb_json_guess_fits(guess, p, json->in.end)) {
            child = guess->node;
            p += guess->n;
            last_name = guess;
        } else {
            p = take_key(json, p, node, &child, &last_name);
            if (!p)
                return NULL;
        }
        value = &ignored;
        if (child != FB_JSON_NO_NODE) {
            value = &json->values[child];
            if (value->kind != FB_JSON_ABSENT)
                return fb_json_fail(&json->in, FB_JSON_DUPLICATE_KEY, key_at);
            json->touched[json->n_touched++] = child;
        }
    }
    p = fb_json_skip_blanks(p);

take_value:
    if (*p == '{' || *p == '[') {
        value->kind = *p == '{' ? FB_JSON_OBJECT : FB_JSON_ARRAY;
        if (child != FB_JSON_NO_NODE && !json->paths->is_parent[child])
            child = FB_JSON_NO_NODE;
        goto open;
    }
    p = fb_json_take_scalar(&json->in, p, value);
    if (!p)
        return NULL;

after_value:
    if (*p != ',')
        p = fb_json_skip_blanks(p);
    if (*p == ',') {
        p = fb_json_skip_blanks(p + 1);
        if (!in_array)
            goto take_member;
        goto take_value;
    }
    if (*p != (in_array ? ']' : '}'))
        return fb_json_fail(&json->in, FB_JSON_SYNTAX, p);

close:
    p++;
    if (--depth == 0)
        return p;
    owners[depth]->text.n = (size_t)(p - owners[depth]->text.p);
    if (p == json->in.end)
        return fb_json_fail(&json->in, FB_JSON_SYNTAX, p);
    node = nodes[depth - 1];
    in_array = arrays >> (depth - 1) & 1;
    value = &ignored;
    child = FB_JSON_NO_NODE;
    goto after_value;
}

/* ---- framing ---- */

static inline bool is_blank(char c) {
    return (unsigned char)c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

static void make_room(char **bytes, size_t *cap, size_t wanted) {
    if (wanted <= *cap)
        return;
    *bytes = fb_grow(*bytes, wanted);
    *cap = wanted;
}

void fb_json_begin(struct fb_json *json, struct fb_str payload) {
    size_t n = payload.n;
    while (n > 0 && is_blank(payload.p[n - 1]))
        n--;
    make_room(&json->in.scratch, &json->scratch_cap, n);
    json->in.start = payload.p;
    if (n > 0 && payload.p[n - 1] != '}' && payload.p[n - 1] != ']') {
        make_room(&json->copy, &json->copy_cap, n + 1);
        memcpy(json->copy, payload.p, n);
        json->copy[n] = '\0';
        json->in.start = json->copy;
    }
    json->in.end = n ? json->in.start + n : json->in.start;
    json->p = json->in.start;
    json->n_objects = 0;
    json->framing = AT_LINE;
    if (n == 0)
        return;
    json->p = fb_json_skip_blanks(json->in.start);
    if (*json->p == '[') {
        json->p = fb_json_skip_blanks(json->p + 1);
        json->framing = IN_ARRAY_FIRST;
    }
}

/* Hands out start..behind; an error if there is one. */
static bool give(struct fb_json *json, struct fb_json_object *object, const char *start,
                 const char *behind) {
    while (behind > start && is_blank(behind[-1]))
        behind--;
    *object = (struct fb_json_object){
        .index = json->n_objects++,
        .error = json->in.error,
        .raw = {start, (size_t)(behind - start)},
    };
    if (json->in.error != FB_JSON_OK)
        object->error_at = (size_t)(json->in.error_at - json->in.start);
    return true;
}

/* The values of an object that the last one had, too, are written again; others are to go. */
static void forget_others(struct fb_json *json, const struct fb_json_step *shape) {
    const struct fb_json_shapes *shapes = json->shapes;
    if (!json->shape) {
        const uint64_t *present = fb_json_shapes_present(shapes, shape);
        for (uint32_t i = 0; i < json->n_touched; i++)
            if (!(present[json->touched[i] / 64] >> json->touched[i] % 64 & 1))
                json->values[json->touched[i]].kind = FB_JSON_ABSENT;
        json->n_touched = 0;
        return;
    }
    const uint64_t *old = fb_json_shapes_present(shapes, json->shape);
    const uint64_t *present = fb_json_shapes_present(shapes, shape);
    for (uint32_t i = 0; i < shapes->n_words; i++)
        for (uint64_t gone = old[i] & ~present[i]; gone; gone &= gone - 1)
            json->values[i * 64 + (uint32_t)__builtin_ctzll(gone)].kind = FB_JSON_ABSENT;
}

/* The object at p, if it is of a shape that was there before; NULL, and no values, otherwise. */
static inline const char *read_known(struct fb_json *json, const char *p) {
    const char *behind;
    if (!json->shapes || !fb_json_shapes_wanted(json->shapes)) {
        if (json->shape)
            forget_all_values(json);
        else
            forget_values(json);
        return NULL;
    }
    const struct fb_json_step *shape = fb_json_shapes_walk(json->shapes, &json->in, p, &behind);
    if (!shape) {
        forget_all_values(json);
        json->in.scratch_n = 0;
        return NULL;
    }
    if (shape != json->shape) {
        forget_others(json, shape);
        json->shape = shape;
    }
    return behind;
}

static void learn(struct fb_json *json, const char *p, const char *behind) {
    if (!json->shapes)
        json->shapes = fb_json_shapes_new(json->paths->n_nodes);
    else if (json->shapes->wait == 0)
        fb_json_shapes_learn(json->shapes, json->paths, json->values, p, behind);
}

/* Hands out the good object start..behind. */
static inline bool give_good(struct fb_json *json, struct fb_json_object *object, const char *start,
                             const char *behind) {
    json->p = behind;
    *object = (struct fb_json_object){.index = json->n_objects++,
                                      .raw = {start, (size_t)(behind - start)},
                                      .last = json->framing == AT_END};
    return true;
}

/* Reads the object at p the general way. Where its mistake is none of syntax, its end is still
 * found; NULL otherwise. */
static __attribute__((noinline)) const char *read_unknown(struct fb_json *json, const char *p) {
    json->in.error = FB_JSON_OK;
    const char *behind = take_container(json, p, 0);
    if (behind)
        learn(json, p, behind);
    else if (json->in.error == FB_JSON_DUPLICATE_KEY || json->in.error == FB_JSON_KEYS) {
        enum fb_json_error error = json->in.error;
        const char *error_at = json->in.error_at;
        json->in.scratch_n = 0;
        behind = take_container(json, p, FB_JSON_NO_NODE);
        if (behind) {
            json->in.error = error;
            json->in.error_at = error_at;
        }
    }
    return behind;
}

static inline const char *read_object(struct fb_json *json, const char *p) {
    json->in.error = FB_JSON_OK;
    const char *behind = read_known(json, p);
    if (!behind)
        behind = read_unknown(json, p);
    if (behind && (size_t)(behind - p) > json->limits.bytes_max) {
        json->in.error = FB_JSON_SIZE;
        json->in.error_at = p;
    }
    return behind;
}

/* Where to go on after a mistake in what began at start. */
static const char *next_line(const struct fb_json *json, const char *start) {
    const char *newline = memchr(start, '\n', (size_t)(json->in.end - start));
    if (newline && json->in.error_at > newline)
        while (newline && newline[1] != '{')
            newline = memchr(newline + 1, '\n', (size_t)(json->in.end - newline - 1));
    return newline ? newline + 1 : json->in.end;
}

static bool give_bad_line(struct fb_json *json, struct fb_json_object *object, const char *start) {
    json->p = next_line(json, start);
    return give(json, object, start, json->p);
}

/* Behind an object its line must end, or another one begin behind a blank. */
static bool is_separated(struct fb_json *json, const char *behind) {
    const char *p = behind;
    while (p < json->in.end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    if (p == json->in.end || *p == '\n' || (*p == '{' && p > behind))
        return true;
    json->in.error = FB_JSON_TRAILING;
    json->in.error_at = p;
    return false;
}

static bool next_of_lines(struct fb_json *json, struct fb_json_object *object) {
    while (json->p < json->in.end && is_blank(*json->p))
        json->p++;
    const char *start = json->p;
    if (start == json->in.end) {
        json->framing = AT_END;
        if (json->n_objects > 0)
            return false;
        fb_json_fail(&json->in, FB_JSON_NOT_OBJECT, start);
        return give(json, object, start, start);
    }
    if (*start != '{') {
        fb_json_fail(&json->in, FB_JSON_NOT_OBJECT, start);
        return give_bad_line(json, object, start);
    }
    const char *behind = read_object(json, start);
    if (behind == json->in.end) /* the record's one object, mostly */
        json->framing = AT_END;
    else if (!behind || !is_separated(json, behind))
        return give_bad_line(json, object, start);
    if (json->in.error == FB_JSON_OK)
        return give_good(json, object, start, behind);
    json->p = behind;
    return give(json, object, start, behind);
}

static bool give_rest(struct fb_json *json, struct fb_json_object *object, const char *start) {
    json->framing = AT_END;
    return give(json, object, start, json->in.end);
}

static bool end_array(struct fb_json *json, struct fb_json_object *object) {
    const char *p = json->p + 1;
    json->framing = AT_END;
    while (p < json->in.end && is_blank(*p))
        p++;
    if (p == json->in.end)
        return false;
    fb_json_fail(&json->in, FB_JSON_TRAILING, p);
    return give_rest(json, object, p);
}

/* An element that is no object: its end is found like that of any value. */
static const char *skip_element(struct fb_json *json, const char *p) {
    struct fb_json_value ignored;
    const char *behind = *p == '[' ? take_container(json, p, FB_JSON_NO_NODE)
                                   : fb_json_take_scalar(&json->in, p, &ignored);
    if (behind)
        fb_json_fail(&json->in, FB_JSON_NOT_OBJECT, p);
    return behind;
}

static bool next_of_array(struct fb_json *json, struct fb_json_object *object) {
    const char *start = json->p;
    if (start == json->in.end) {
        fb_json_fail(&json->in, FB_JSON_TRUNCATED, start);
        return give_rest(json, object, start);
    }
    if (json->framing == IN_ARRAY_NEXT || *start == ']') {
        if (*start == ']')
            return end_array(json, object);
        if (*start != ',') {
            fb_json_fail(&json->in, FB_JSON_SYNTAX, start);
            return give_rest(json, object, start);
        }
        start = fb_json_skip_blanks(start + 1);
    }
    const char *behind = *start == '{' ? read_object(json, start) : skip_element(json, start);
    if (!behind)
        return give_rest(json, object, start);
    json->p = behind;
    while (json->p < json->in.end && is_blank(*json->p))
        json->p++;
    json->framing = IN_ARRAY_NEXT;
    return give(json, object, start, behind);
}

bool fb_json_next(struct fb_json *json, struct fb_json_object *object) {
    if (json->framing == AT_END)
        return false;
    json->in.scratch_n = 0;
    return json->framing == AT_LINE ? next_of_lines(json, object) : next_of_array(json, object);
}
