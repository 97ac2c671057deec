/* Shapes: objects that were seen before, as the bytes between their values.
 *
 * Place in the flow: inside the scanner only. The scanner tries an object on the shapes first; what
 * fits none goes the general way from its start, and is then learned.
 *
 * Most records of a source are the same but for their values. What stands between two values was
 * validated when it was learned, so comparing it is enough: grammar, nesting, the number of names
 * and that none comes twice are the same again. Values are always validated. So whether an object
 * is taken by its shape or the general way makes no difference to what is found in it.
 *
 * The shapes are a tree of steps: those that begin alike share their first steps. */
#ifndef FB_CODEC_JSON_SHAPE_H
#define FB_CODEC_JSON_SHAPE_H

#include "engine/codec/json_form.h"
#include "engine/codec/json_paths.h"

enum { FB_JSON_STEP_BYTES = 16, FB_JSON_STEPS = 256, FB_JSON_ENDS = 32 };

enum fb_json_step_kind {
    FB_JSON_STEP_NUMBER,  /* or any value but an object or an array; the same with the next two */
    FB_JSON_STEP_IGNORED, /* a number that is not declared */
    FB_JSON_STEP_WORD,
    FB_JSON_STEP_TEXT, /* its first quote is the last byte of the step, its last not yet */
    FB_JSON_STEP_ON,   /* only more bytes */
    FB_JSON_STEP_END
};

/* Bytes, and what stands behind them. */
struct fb_json_step {
    _Alignas(16) char bytes[FB_JSON_STEP_BYTES];
    uint32_t others; /* a bit for each of the 16 that is none of them */
    uint8_t n, kind;
    uint16_t end; /* END: which one */
    struct fb_json_value *value;
    const struct fb_json_form *form; /* NUMBER, IGNORED: the last one */
    struct fb_json_step *next;
    struct fb_json_step *other; /* to try where this one does not fit */
};

struct fb_json_shapes {
    struct fb_json_step steps[FB_JSON_STEPS], *first;
    struct fb_json_step nowhere;  /* fits nothing: what is next where nothing was learned */
    struct fb_json_value ignored; /* what is not declared */
    uint32_t n_steps, n_ends;
    uint32_t n_words;  /* of 64 nodes each */
    uint64_t *present; /* by end: a bit for each node that has a value */
    int32_t credit;
    uint32_t pause, wait; /* objects */
    struct fb_json_forms forms;
};

struct fb_json_reader;

struct fb_json_shapes *fb_json_shapes_new(uint32_t n_nodes);
void fb_json_shapes_free(struct fb_json_shapes *shapes);

/* Whether to try: where few objects fit, it pays only now and then. */
static inline bool fb_json_shapes_wanted(struct fb_json_shapes *shapes) {
    if (shapes->wait == 0)
        return true;
    shapes->wait--;
    return false;
}

/* Reads the object at p if it fits a shape: gives its last step, and in `behind` its end. Otherwise
 * NULL; values may have been written all the same. */
const struct fb_json_step *fb_json_shapes_walk(struct fb_json_shapes *shapes,
                                               struct fb_json_reader *in, const char *p,
                                               const char **behind);
/* Learns the good object p..behind, which did not fit. */
void fb_json_shapes_learn(struct fb_json_shapes *shapes, const struct fb_json_paths *paths,
                          struct fb_json_value *values, const char *p, const char *behind);

static inline const uint64_t *fb_json_shapes_present(const struct fb_json_shapes *shapes,
                                                     const struct fb_json_step *end) {
    return shapes->present + (size_t)end->end * shapes->n_words;
}

#endif
