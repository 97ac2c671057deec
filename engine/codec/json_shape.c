/* Shapes of objects: how one is walked, and how it is learned. */
#include "engine/codec/json_shape.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/codec/json_find.h"

enum {
    DEPTH_MAX = 64,
    OTHERS_MAX = 6, /* steps that are tried at one place */
    LEARNED_BYTES_MAX = 8192,
    CREDIT_MAX = 64,
    CREDIT_FIRST = 32,
    MISS_COSTS = 4, /* hits */
    PAUSE_MIN = 64,
    PAUSE_MAX = 8192
};

struct fb_json_shapes *fb_json_shapes_new(uint32_t n_nodes) {
    struct fb_json_shapes *shapes = fb_alloc(sizeof *shapes);
    shapes->n_words = (n_nodes + 63) / 64;
    shapes->present = fb_alloc(FB_JSON_ENDS * shapes->n_words * sizeof *shapes->present);
    shapes->credit = CREDIT_FIRST;
    shapes->pause = PAUSE_MIN;
    return shapes;
}

void fb_json_shapes_free(struct fb_json_shapes *shapes) {
    if (!shapes)
        return;
    free(shapes->present);
    free(shapes);
}

/* ---- the walk ---- */

/* What stands at p, with at least 16 readable bytes: zeros, which no value has, are behind the end
 * of the payload. */
struct tail {
    _Alignas(16) char bytes[32];
    const char *end, *last; /* the last place that has room */
};

static inline const char *look(const struct tail *tail, const char *p) {
    return p <= tail->last ? p : tail->bytes + 16 - (tail->end - p);
}

static inline bool step_fits(const struct fb_json_step *step, const char *p) {
#if defined(__SSE2__)
    __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p),
                                   _mm_load_si128((const __m128i *)(const void *)step->bytes));
    return ((uint32_t)_mm_movemask_epi8(equal) & step->mask) == step->mask;
#else
    return memcmp(p, step->bytes, step->n) == 0;
#endif
}

/* The number of plain bytes of the text at p; `at` is what look gave for it. */
static inline size_t plain_bytes(struct fb_json_room room, const char *p, const char *at) {
#if defined(__SSE2__)
    unsigned odd = fb_json_odd_bytes(at);
    if (odd)
        return (size_t)__builtin_ctz(odd);
#else
    (void)at;
#endif
    return (size_t)(fb_json_find(room.start, p, room.end) - p);
}

static __attribute__((noinline)) const char *take_odd_number(struct fb_json_shapes *shapes,
                                                             struct fb_json *json,
                                                             struct fb_json_step *step,
                                                             const char *p, const char *at) {
    struct fb_json_value ignored, *value = step->value ? step->value : &ignored;
    const struct fb_json_form *form = fb_json_forms_find(&shapes->forms, at);
    if (!form || !fb_json_form_fits(form, at))
        return fb_json_take_scalar(json, p, value);
    step->form = form;
    fb_json_form_read(form, at, p, value);
    return p + form->n;
}

static inline const char *take_number(struct fb_json_shapes *shapes, struct fb_json *json,
                                      struct fb_json_step *step, const char *p, const char *at) {
    const struct fb_json_form *form = step->form;
    if (!fb_json_form_fits(form, at))
        return take_odd_number(shapes, json, step, p, at);
    if (step->value)
        fb_json_form_read(form, at, p, step->value);
    return p + form->n;
}

/* The text whose first byte behind the quote is at p; returns its last quote. */
static inline const char *take_text(struct fb_json *json, struct fb_json_room room,
                                    const struct fb_json_step *step, const char *p,
                                    const char *at) {
    struct fb_json_value ignored, *value = step->value ? step->value : &ignored;
    size_t n = plain_bytes(room, p, at);
    if (p + n == room.end || p[n] != '"') {
        p = fb_json_take_scalar(json, p - 1, value);
        return p ? p - 1 : NULL;
    }
    value->kind = FB_JSON_TEXT;
    value->text = (struct fb_str){p, n};
    return p + n;
}

const struct fb_json_step *fb_json_shapes_walk(struct fb_json_shapes *shapes, struct fb_json *json,
                                               struct fb_json_room room, const char *p,
                                               const char **behind) {
    struct fb_json_step *step = shapes->first;
    if (room.end - room.start < 16)
        return NULL;
    struct tail tail = {.end = room.end, .last = room.end - 16};
    memcpy(tail.bytes, tail.last, 16);
    for (; step; step = step->next) {
        const char *at = look(&tail, p);
        while (!step_fits(step, at)) {
            step = step->other;
            if (!step)
                goto missed;
        }
        p += step->n;
        if (step->kind == FB_JSON_STEP_ON)
            continue;
        if (step->kind == FB_JSON_STEP_END) {
            shapes->credit += shapes->credit < CREDIT_MAX;
            *behind = p;
            return step;
        }
        at = look(&tail, p);
        struct fb_json_value ignored;
        if (step->kind == FB_JSON_STEP_NUMBER)
            p = take_number(shapes, json, step, p, at);
        else if (step->kind == FB_JSON_STEP_TEXT)
            p = take_text(json, room, step, p, at);
        else
            p = fb_json_take_scalar(json, p, step->value ? step->value : &ignored);
        if (!p)
            break;
    }
missed:
    if (shapes->credit > 0)
        shapes->credit -= MISS_COSTS;
    return NULL;
}

/* ---- learning ---- */

struct learner {
    struct fb_json_shapes *shapes;
    const struct fb_json_paths *paths;
    struct fb_json_value *values;
    struct fb_json_step **place; /* where the next step goes */
    const char *from;            /* the first byte that no step has */
    uint64_t *present;
};

static struct fb_json_step *find_step(struct learner *l, const struct fb_json_step *wanted) {
    struct fb_json_step *step;
    for (int i = 0; (step = *l->place) != NULL; i++, l->place = &step->other) {
        if (step->n == wanted->n && step->kind == wanted->kind && step->value == wanted->value &&
            memcmp(step->bytes, wanted->bytes, sizeof step->bytes) == 0)
            return step;
        if (i == OTHERS_MAX)
            return NULL;
    }
    if (l->shapes->n_steps == FB_JSON_STEPS)
        return NULL;
    step = &l->shapes->steps[l->shapes->n_steps++];
    *step = *wanted;
    *l->place = step;
    return step;
}

static bool add_piece(struct learner *l, const char *to, enum fb_json_step_kind kind,
                      struct fb_json_value *value, const struct fb_json_form *form) {
    size_t n = (size_t)(to - l->from);
    struct fb_json_step wanted = {.mask = UINT32_C(0xFFFF) >> (16 - n),
                                  .n = (uint8_t)n,
                                  .kind = (uint8_t)kind,
                                  .end = (uint16_t)l->shapes->n_ends,
                                  .value = value,
                                  .form = form};
    memcpy(wanted.bytes, l->from, n);
    struct fb_json_step *step = find_step(l, &wanted);
    if (!step)
        return false;
    l->place = &step->next;
    l->from = to;
    return true;
}

/* The bytes up to `to`, and behind them a value of that kind. */
static bool add_steps(struct learner *l, const char *to, enum fb_json_step_kind kind,
                      uint32_t node) {
    struct fb_json_value *value = node == FB_JSON_NO_NODE ? NULL : &l->values[node];
    const struct fb_json_form *form = NULL;
    if (kind == FB_JSON_STEP_NUMBER) {
        char room[FB_JSON_FORM_ROOM] = "0";
        form = fb_json_forms_find(&l->shapes->forms, room);
        if (!form)
            return false;
    }
    while (to - l->from > FB_JSON_STEP_BYTES)
        if (!add_piece(l, l->from + FB_JSON_STEP_BYTES, FB_JSON_STEP_ON, NULL, NULL))
            return false;
    if (value)
        l->present[node / 64] |= UINT64_C(1) << node % 64;
    return add_piece(l, to, kind, value, form);
}

/* The last quote of the string at p; NULL where it has escapes, if that is not allowed. */
static const char *end_of_string(const char *p, bool escapes) {
    for (p++; *p != '"'; p++) {
        if (*p != '\\')
            continue;
        if (!escapes)
            return NULL;
        p++;
    }
    return p;
}

static bool ends_scalar(char c) {
    return c == ',' || c == '}' || c == ']' || (unsigned char)c <= ' ';
}

static uint32_t node_of_name(const struct learner *l, uint32_t parent, const char *p,
                             const char *quote) {
    if (parent == FB_JSON_NO_NODE)
        return FB_JSON_NO_NODE;
    struct fb_json_name name = fb_json_name_of((struct fb_str){p + 1, (size_t)(quote - p - 1)});
    return fb_json_child(l->paths, parent, &name, fb_json_hash(l->paths, parent, &name));
}

/* Over the tokens of a good object. False where it is none that can be learned. */
static bool add_object(struct learner *l, const char *p, const char *behind) {
    uint32_t parents[DEPTH_MAX], depth = 0, node = 0;
    uint64_t arrays = 0;
    bool name = false;
    while (p < behind) {
        bool in_array = depth && arrays >> (depth - 1) & 1;
        switch (*p) {
        case '{':
        case '[':
            if (node != FB_JSON_NO_NODE && l->paths->is_path[node])
                return false;
            name = *p == '{';
            arrays = (arrays & ~(UINT64_C(1) << depth)) | (uint64_t)!name << depth;
            if (!name)
                node = FB_JSON_NO_NODE;
            parents[depth++] = node;
            p++;
            break;
        case '}':
        case ']':
            depth--;
            p++;
            break;
        case ',':
            name = !in_array;
            node = FB_JSON_NO_NODE;
            p++;
            break;
        case ':':
        case ' ':
        case '\t':
        case '\r':
        case '\n':
            p++;
            break;
        case '"': {
            const char *quote = end_of_string(p, !name);
            if (!quote)
                return false;
            if (name) {
                node = node_of_name(l, parents[depth - 1], p, quote);
                name = false;
                p = quote + 1;
                break;
            }
            if (!add_steps(l, p + 1, FB_JSON_STEP_TEXT, node))
                return false;
            l->from = quote;
            p = quote + 1;
            break;
        }
        default: {
            bool word = *p == 't' || *p == 'f' || *p == 'n';
            if (!add_steps(l, p, word ? FB_JSON_STEP_WORD : FB_JSON_STEP_NUMBER, node))
                return false;
            while (!ends_scalar(*p))
                p++;
            l->from = p;
        }
        }
    }
    return add_steps(l, behind, FB_JSON_STEP_END, FB_JSON_NO_NODE);
}

/* With most objects missing, it is better to let it be for a while and then begin anew. */
static bool give_up(struct fb_json_shapes *shapes) {
    if (shapes->credit == CREDIT_MAX - MISS_COSTS)
        shapes->pause = PAUSE_MIN;
    if (shapes->credit > 0)
        return false;
    shapes->credit = CREDIT_FIRST;
    shapes->wait = shapes->pause;
    if (shapes->pause < PAUSE_MAX)
        shapes->pause *= 2;
    shapes->first = NULL;
    shapes->n_steps = shapes->n_ends = 0;
    return true;
}

void fb_json_shapes_learn(struct fb_json_shapes *shapes, const struct fb_json_paths *paths,
                          struct fb_json_value *values, const char *p, const char *behind) {
    if (give_up(shapes) || shapes->n_ends == FB_JSON_ENDS || behind - p > LEARNED_BYTES_MAX)
        return;
    struct learner learner = {.shapes = shapes,
                              .paths = paths,
                              .values = values,
                              .place = &shapes->first,
                              .from = p,
                              .present = shapes->present + shapes->n_ends * shapes->n_words};
    memset(learner.present, 0, shapes->n_words * sizeof *learner.present);
    if (add_object(&learner, p, behind))
        shapes->n_ends++;
}
