#include "rules/lower_internal.h"

#include <string.h>

#include "engine/base/err.h"

enum { FB_RING_SAMPLES_MAX = 128 }; /* expected in its length; with more it has panes */

static enum fb_aggregate aggregate_of(enum fb_function_id function) {
    switch (function) {
    case FB_F_avg:
        return FB_AGG_AVG;
    case FB_F_min:
        return FB_AGG_MIN;
    case FB_F_max:
        return FB_AGG_MAX;
    case FB_F_sum:
        return FB_AGG_SUM;
    case FB_F_count:
        return FB_AGG_COUNT;
    case FB_F_first:
        return FB_AGG_FIRST;
    case FB_F_last:
        return FB_AGG_LAST;
    case FB_F_time_avg:
        return FB_AGG_TIME_AVG;
    case FB_F_stddev:
        return FB_AGG_STDDEV;
    case FB_F_spread:
        return FB_AGG_SPREAD;
    case FB_F_delta:
        return FB_AGG_DELTA;
    case FB_F_increase:
        return FB_AGG_INCREASE;
    case FB_F_rate:
        return FB_AGG_RATE;
    case FB_F_any:
        return FB_AGG_ANY;
    case FB_F_all:
        return FB_AGG_ALL;
    case FB_F_previous:
        return FB_AGG_PREVIOUS;
    case FB_F_change:
        return FB_AGG_CHANGE;
    case FB_F_changed:
        return FB_AGG_CHANGED;
    default:
        FB_ASSERT(false && "a function without an aggregate");
        return FB_AGG_AVG;
    }
}

static bool of_two(enum fb_aggregate aggregate) {
    return aggregate == FB_AGG_PREVIOUS || aggregate == FB_AGG_CHANGE ||
           aggregate == FB_AGG_CHANGED;
}

/* Gives a value of the samples' own type; the others compute with doubles. */
static bool keeps_type(enum fb_aggregate aggregate) {
    return aggregate == FB_AGG_FIRST || aggregate == FB_AGG_LAST || of_two(aggregate);
}

static enum fb_type type_of_result(enum fb_aggregate aggregate, enum fb_type sample) {
    switch (aggregate) {
    case FB_AGG_ANY:
    case FB_AGG_ALL:
    case FB_AGG_CHANGED:
        return FB_T_BOOL;
    case FB_AGG_FIRST:
    case FB_AGG_LAST:
    case FB_AGG_PREVIOUS:
    case FB_AGG_CHANGE:
        return sample == FB_T_COUNTER ? FB_T_NUMBER : sample;
    default:
        return FB_T_NUMBER;
    }
}

/* ---- what is sampled ----------------------------------------------------------------------- */

static bool same_code(const struct fb_lower_class *c, struct fb_code a, struct fb_code b) {
    return a.count == b.count && a.result == b.result &&
           memcmp(&c->code[a.first], &c->code[b.first], sizeof *c->code * a.count) == 0;
}

static void sample_of_field(struct fb_window *window, const struct fb_field_decl *field) {
    window->input = FB_INPUT_FIELD;
    window->field = (uint16_t)field->index;
    window->type = field->type.type;
    fb_field_set_add(&window->gives, field->index);
    fb_field_set_add(&window->reads, field->index);
}

static bool reads_window(const struct fb_piece *piece) {
    for (uint32_t i = 0; i < piece->n; i++)
        if (piece->code[i].op == FB_I_WINDOW)
            return true;
    return false;
}

/* Appends the sample's code to the class; window_of drops it again where another window has the
 * same. */
static void sample_of_code(struct fb_lower_class *c, struct fb_window *window,
                           const struct fb_arg *arg, bool as_number) {
    struct fb_piece piece;
    fb_piece_begin(&piece, c, arg->span);
    piece.samples = true;
    struct fb_lowered value = fb_lower_expr(&piece, arg->expr);
    window->type = value.type == FB_T_COUNTER ? FB_T_NUMBER : value.type;
    if (as_number && value.type == FB_T_INTEGER) {
        value.reg = fb_piece_emit(&piece, FB_I_INT_TO_NUMBER, 0, value.reg, 0, 0);
        window->type = FB_T_NUMBER;
    }
    window->gives = piece.reads;
    /* Every record has the keys: they do not count. */
    for (uint32_t key = 0; key < c->out->n_keys; key++)
        window->gives.words[key / 64] &= ~(UINT64_C(1) << (key % 64));
    if (arg->where) { /* no sample where it is not true; a record of its fields alone gives none */
        uint16_t where = fb_lower_expr(&piece, arg->where).reg;
        uint16_t none = fb_piece_emit(&piece, FB_I_UNKNOWN, 0, 0, 0, 0);
        value.reg = fb_piece_emit(&piece, FB_I_IF, 0, where, value.reg, none);
    }
    window->input = FB_INPUT_CODE;
    window->sees_others = piece.sees_others;
    window->looks_back = reads_window(&piece);
    window->reads = piece.reads;
    window->sample = fb_piece_end(&piece, value.reg);
    fb_piece_free(&piece);
}

static void describe_input(struct fb_lower_class *c, struct fb_window *window,
                           const struct fb_arg *arg, enum fb_aggregate aggregate) {
    if (!arg->expr) {
        window->input = FB_INPUT_RECORDS;
        window->type = FB_T_NONE;
        return;
    }
    const struct fb_node *expr = fb_lower_resolve(arg->expr);
    bool is_field = expr->kind == FB_N_NAME && expr->ref == FB_REF_FIELD && !arg->where;
    bool as_number = !keeps_type(aggregate) && aggregate != FB_AGG_COUNT;
    if (is_field && !(as_number && expr->field->type.type == FB_T_INTEGER))
        sample_of_field(window, expr->field);
    else
        sample_of_code(c, window, arg, as_number);
}

/* ---- shape --------------------------------------------------------------------------------- */

/* Smallest `every` of the fields that are read; 0 where one declares none. */
static int64_t every_of(const struct fb_lower_class *c, const struct fb_window *window) {
    int64_t every = 0;
    for (uint32_t i = 0; i < c->out->n_fields; i++) {
        if (!fb_field_set_has(&window->reads, i))
            continue;
        int64_t of_field = c->out->fields[i].every_us;
        if (of_field == 0)
            return 0;
        if (every == 0 || of_field < every)
            every = of_field;
    }
    return every;
}

static void shape_over(struct fb_lower_class *c, struct fb_window *window, struct fb_span span) {
    int64_t every = window->input == FB_INPUT_RECORDS ? 0 : every_of(c, window);
    int64_t length = window->length_us;
    if (every && (length - 1) / FB_RING_SAMPLES_MAX < every) {
        window->shape = FB_SHAPE_RING;
        window->places = (uint32_t)(2 * ((length + every - 1) / every) + 1);
        return;
    }
    window->shape = FB_SHAPE_PANES;
    if (fb_panes_of(length, &window->pane_us, &window->places))
        return;
    fb_diag_add(c->diags, FB_E_WINDOW_TOO_LONG, span,
                length < 1000 ? "use a longer window, or declare `every`"
                              : "use a shorter window, or `each` with a part of the time",
                "a window that moves is 1ms to 64d long");
    window->pane_us = length; /* the program is refused; until then its layout must hold */
    window->places = 1;
}

static void describe_shape(struct fb_lower_class *c, struct fb_window *window,
                           const struct fb_arg *arg, bool two) {
    if (two || arg->window == FB_W_LAST) {
        window->shape = FB_SHAPE_LAST;
        window->places = two ? 2 : arg->last;
        return;
    }
    FB_ASSERT(fb_check_span(arg->length, c->units, &window->length_us));
    if (arg->window == FB_W_EACH) {
        window->shape = FB_SHAPE_EACH;
        window->pane_us = window->length_us;
    } else {
        shape_over(c, window, arg->span);
    }
}

static bool same_content(const struct fb_lower_class *c, const struct fb_window *a,
                         const struct fb_window *b) {
    return a->shape == b->shape && a->input == b->input && a->type == b->type &&
           a->length_us == b->length_us && a->places == b->places &&
           (a->input != FB_INPUT_FIELD || a->field == b->field) &&
           (a->input != FB_INPUT_CODE || (same_code(c, a->sample, b->sample) &&
                                          memcmp(&a->gives, &b->gives, sizeof a->gives) == 0));
}

/* The window of a call: that of an equal one, or a new one. */
static uint32_t window_of(struct fb_lower_class *c, const struct fb_arg *arg,
                          enum fb_aggregate aggregate) {
    struct fb_window window = {.late_us = c->out->late_us};
    uint32_t code_before = c->n_code;
    describe_input(c, &window, arg, aggregate);
    describe_shape(c, &window, arg, of_two(aggregate));
    for (uint32_t i = 0; i < c->n_windows; i++)
        if (same_content(c, &c->windows[i], &window)) {
            c->n_code = code_before;
            c->windows[i].aggregates |= 1u << aggregate;
            return i;
        }
    window.aggregates = 1u << aggregate;
    FB_PUSH_ROOM(c->windows, c->n_windows, c->cap_windows);
    c->windows[c->n_windows] = window;
    return c->n_windows++;
}

/* ---- what is read -------------------------------------------------------------------------- */

/* previous, change, changed: unknown while their argument is. */
static uint16_t while_known(struct fb_piece *piece, const struct fb_node *x, uint16_t value) {
    uint16_t known = fb_piece_emit(piece, FB_I_KNOWN, 0, fb_lower_expr(piece, x).reg, 0, 0);
    uint16_t none = fb_piece_emit(piece, FB_I_UNKNOWN, 0, 0, 0, 0);
    return fb_piece_emit(piece, FB_I_IF, 0, known, value, none);
}

struct fb_lowered fb_lower_window_call(struct fb_piece *piece, const struct fb_node *node,
                                       enum fb_function_id function) {
    struct fb_lower_class *c = piece->c;
    enum fb_aggregate aggregate = aggregate_of(function);
    const struct fb_arg *arg = &node->args[0];
    uint32_t index = window_of(c, arg, aggregate);
    const struct fb_window *window = &c->windows[index];
    fb_piece_place(piece, node, index);
    if (window->shape != FB_SHAPE_EACH)
        for (uint32_t i = 0; i < c->out->n_fields; i++)
            if (fb_field_set_has(&window->reads, i))
                fb_field_set_add(&piece->reads, i);
    if (window->input == FB_INPUT_RECORDS || aggregate == FB_AGG_CHANGED)
        piece->every_record = piece->every_record || window->shape != FB_SHAPE_EACH;
    double needs = node->needs ? node->needs->value / 100 : 0.8;
    enum fb_type type = type_of_result(aggregate, window->type);
    uint32_t share = fb_lower_number(c, needs);
    if (share > UINT16_MAX)
        fb_piece_too_long(piece);
    uint16_t reg = fb_piece_emit(piece, FB_I_WINDOW, (uint8_t)aggregate, (uint16_t)share, 0, index);
    if (aggregate == FB_AGG_CHANGE && type == FB_T_INTEGER) { /* exact till here */
        reg = fb_piece_emit(piece, FB_I_INT_TO_NUMBER, 0, reg, 0, 0);
        type = FB_T_NUMBER;
    }
    if (of_two(aggregate))
        reg = while_known(piece, arg->expr, reg);
    return (struct fb_lowered){.reg = reg, .type = type};
}
