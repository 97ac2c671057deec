/* Shapes of objects: how one is walked, and how it is learned. */
#include "engine/codec/json_shape.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/codec/json_find.h"
#include "engine/codec/json_token.h"

enum {
    DEPTH_MAX = 64,
    ROOM_BYTES = 32,
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
    shapes->nowhere.others = UINT32_MAX;
    shapes->first = &shapes->nowhere;
    return shapes;
}

void fb_json_shapes_free(struct fb_json_shapes *shapes) {
    if (!shapes)
        return;
    free(shapes->present);
    free(shapes);
}

/* ---- the walk ---- */

/* Where a walk is. Its last bytes are walked in a copy with zeros behind it, which no value has, so
 * that 32 bytes can always be looked at: a step's and a number's. */
struct walk {
    struct fb_json_shapes *shapes;
    struct fb_json_reader *in;
    const char *last; /* the last place that has so many bytes behind it */
    uintptr_t shift;  /* from where the walk is to the same place in the payload */
    _Alignas(16) char tail[2 * ROOM_BYTES];
};

static inline const char *in_payload(const struct walk *walk, const char *p) {
    return (const char *)((uintptr_t)p + walk->shift);
}

/* p, or the same place in the copy. */
static const char *enter_tail(struct walk *walk, const char *p) {
    const char *copy = walk->tail + (p - walk->last);
    walk->shift = (uintptr_t)p - (uintptr_t)copy;
    walk->last = walk->tail + sizeof walk->tail;
    return copy;
}

static inline bool step_fits(const struct fb_json_step *step, const char *p) {
#if defined(__SSE2__)
    __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p),
                                   _mm_load_si128((const __m128i *)(const void *)step->bytes));
    return ((uint32_t)_mm_movemask_epi8(equal) | step->others) == 0xFFFF;
#else
    return step->others < 0xFFFF && memcmp(p, step->bytes, step->n) == 0;
#endif
}

static __attribute__((noinline)) const char *take_scalar(struct walk *walk, const char *p,
                                                         struct fb_json_value *value) {
    const char *behind = fb_json_take_scalar(walk->in, in_payload(walk, p), value);
    return behind ? p + (behind - in_payload(walk, p)) : NULL;
}

/* A number of another form than the last one here, or whatever else is there. */
static __attribute__((noinline)) const char *
take_odd_number(struct walk *walk, struct fb_json_step *step, const char *p) {
    const struct fb_json_form *form = fb_json_forms_find(&walk->shapes->forms, p);
    if (!form || !fb_json_form_fits(form, p))
        return take_scalar(walk, p, step->value);
    step->form = form;
    fb_json_form_read(form, p, in_payload(walk, p), step->value);
    return p + form->n;
}

/* A text that is longer than 16 bytes or has something in it that is not plain; p is behind its
 * first quote. Returns its last quote. */
static __attribute__((noinline)) const char *take_odd_text(struct walk *walk, const char *p,
                                                           struct fb_json_value *value) {
    const char *end = take_scalar(walk, p - 1, value);
    return end ? end - 1 : NULL;
}

/* How many plain bytes there are at p, if fewer than 16; 16 otherwise. */
static inline unsigned count_plain(const char *p) {
#if defined(__SSE2__)
    return (unsigned)__builtin_ctz(fb_json_odd_bytes(p) | 0x10000);
#else
    return (unsigned)(fb_json_find_portable(p, p + 16) - p);
#endif
}

static struct fb_json_step *walk_on(struct walk *walk, struct fb_json_step *step, const char *p,
                                    const char **behind) {
    for (;; step = step->next) {
        if (p > walk->last)
            p = enter_tail(walk, p);
        while (!step_fits(step, p)) {
            step = step->other;
            if (!step)
                return NULL;
        }
        p += step->n;
        if (step->kind == FB_JSON_STEP_NUMBER) {
            const struct fb_json_form *form = step->form;
            if (fb_json_form_fits(form, p)) {
                fb_json_form_read(form, p, in_payload(walk, p), step->value);
                p += form->n;
            } else {
                p = take_odd_number(walk, step, p);
                if (!p)
                    return NULL;
            }
        } else if (step->kind == FB_JSON_STEP_TEXT) {
            unsigned n = count_plain(p);
            if (n < 16 && p[n] == '"') {
                step->value->kind = FB_JSON_TEXT;
                step->value->text = (struct fb_str){in_payload(walk, p), n};
                p += n;
            } else {
                p = take_odd_text(walk, p, step->value);
                if (!p)
                    return NULL;
            }
        } else if (step->kind == FB_JSON_STEP_IGNORED && fb_json_form_fits(step->form, p)) {
            p += step->form->n;
        } else if (step->kind == FB_JSON_STEP_END) {
            *behind = in_payload(walk, p);
            return step;
        } else if (step->kind != FB_JSON_STEP_ON) {
            p = step->kind == FB_JSON_STEP_WORD ? take_scalar(walk, p, step->value)
                                                : take_odd_number(walk, step, p);
            if (!p)
                return NULL;
        }
    }
}

static const struct fb_json_step *walk_from(struct fb_json_shapes *shapes,
                                            struct fb_json_reader *in, const char *p,
                                            const char **behind) {
    struct walk walk;
    if (in->end - in->start < ROOM_BYTES)
        return NULL;
    walk.shapes = shapes;
    walk.in = in;
    walk.last = in->end - ROOM_BYTES;
    walk.shift = 0;
    memcpy(walk.tail, walk.last, ROOM_BYTES);
    memset(walk.tail + ROOM_BYTES, 0, sizeof walk.tail - ROOM_BYTES);
    return walk_on(&walk, shapes->first, p, behind);
}

const struct fb_json_step *fb_json_shapes_walk(struct fb_json_shapes *shapes,
                                               struct fb_json_reader *in, const char *p,
                                               const char **behind) {
    const struct fb_json_step *end = walk_from(shapes, in, p, behind);
    if (!end && shapes->credit > 0)
        shapes->credit -= MISS_COSTS;
    else if (end && shapes->credit < CREDIT_MAX)
        shapes->credit++;
    return end;
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
    for (int i = 0; (step = *l->place) && step != &l->shapes->nowhere; i++) {
        if (step->n == wanted->n && step->kind == wanted->kind && step->value == wanted->value &&
            memcmp(step->bytes, wanted->bytes, sizeof step->bytes) == 0)
            return step;
        if (i == OTHERS_MAX)
            return NULL;
        l->place = &step->other;
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
    struct fb_json_step wanted = {.others = UINT32_C(0xFFFF) & ~(UINT32_C(0xFFFF) >> (16 - n)),
                                  .n = (uint8_t)n,
                                  .kind = (uint8_t)kind,
                                  .end = (uint16_t)l->shapes->n_ends,
                                  .value = value ? value : &l->shapes->ignored,
                                  .form = form,
                                  .next = &l->shapes->nowhere};
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
        kind = value ? FB_JSON_STEP_NUMBER : FB_JSON_STEP_IGNORED;
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
    shapes->first = &shapes->nowhere;
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
    uint32_t n_steps = shapes->n_steps;
    if (add_object(&learner, p, behind) && shapes->n_steps > n_steps) /* else it was known */
        shapes->n_ends++;
}
