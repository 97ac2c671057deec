/* Names in the checked tree -> places in the text -> lines with values in them.
 *
 * Place in the flow: see rule_text.h. */
#include "engine/run/rule_text.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "rules/format.h"

enum { LETS_MAX = 64 };

/* Where a name stands in the file at hand. */
struct place {
    struct fb_span span;
    struct fb_str name;
    const struct fb_param_decl *param; /* NULL: a field, let or actuator */
};

struct writer {
    const struct fb_compiled *compiled;
    fb_operand_fn *operand;
    void *context;
    struct place *places;
    uint32_t n, cap;
    struct fb_arena *names;
    const struct fb_let_decl
        *lets[LETS_MAX]; /* of the device, in the order in which they are met */
    uint32_t n_lets;
    struct fb_span own; /* of what is printed as a whole: the lets in it are not repeated */
    struct fb_buf *out;
};

/* ---- places ---- */

static struct fb_str text_of(const struct writer *w, struct fb_span span) {
    const struct fb_source *source = &w->compiled->sources->files[span.file];
    return (struct fb_str){source->text.p + span.start, span.end - span.start};
}

static void gather(struct writer *w, const struct fb_node *node);

static bool is_inside(struct fb_span inner, struct fb_span outer) {
    return inner.file == outer.file && inner.start >= outer.start && inner.end <= outer.end;
}

static void note(struct writer *w, struct place place) {
    FB_PUSH_ROOM(w->places, w->n, w->cap);
    w->places[w->n++] = place;
}

static void note_let(struct writer *w, const struct fb_let_decl *let) {
    if (is_inside(let->span, w->own) || w->n_lets == LETS_MAX)
        return;
    for (uint32_t i = 0; i < w->n_lets; i++)
        if (w->lets[i] == let)
            return;
    w->lets[w->n_lets++] = let;
    note(w, (struct place){let->span, let->name, NULL});
    gather(w, let->value);
}

static void note_name(struct writer *w, const struct fb_node *node) {
    if (node->ref != FB_REF_FIELD && node->ref != FB_REF_LET && node->ref != FB_REF_PARAM &&
        node->ref != FB_REF_ACTUATOR)
        return;
    note(w, (struct place){node->span, node->text, node->ref == FB_REF_PARAM ? node->param : NULL});
    if (node->ref == FB_REF_LET)
        note_let(w, node->let);
}

/* What is read of others, as it is called in `values`. */
static struct fb_str name_of(const struct writer *w, const struct fb_node *node) {
    struct fb_buf text = {0};
    struct fb_node plain = *node;
    plain.bracketed = false;
    fb_format_expr(w->compiled->sources, &plain, &text);
    struct fb_str name = fb_str_copy(w->names, (struct fb_str){text.p, text.n});
    fb_buf_free(&text);
    return name;
}

static void gather(struct writer *w, const struct fb_node *node) {
    if (!node)
        return;
    if (node->kind == FB_N_NAME)
        note_name(w, node);
    bool is_written = node->kind == FB_N_LINKED || (node->kind == FB_N_GROUP && !node->group->ask);
    if (is_written)
        note(w, (struct place){node->span, name_of(w, node), NULL});
    gather(w, node->a);
    gather(w, node->b);
    gather(w, node->c);
    for (uint32_t i = 0; i < node->n_items; i++)
        gather(w, node->items[i]);
    for (uint32_t i = 0; i < node->n_args; i++) {
        gather(w, node->args[i].expr);
        gather(w, node->args[i].where);
        gather(w, node->args[i].upto);
    }
}

static int by_place(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->span.file != y->span.file)
        return x->span.file < y->span.file ? -1 : 1;
    return x->span.start < y->span.start ? -1 : x->span.start > y->span.start;
}

/* ---- lines ---- */

static void put_operand(struct writer *w, const struct place *place) {
    struct fb_buf text = {0};
    if (place->param) {
        if (place->param->n_cases == 0)
            fb_buf_str(&text, text_of(w, place->param->value->span));
    } else if (!w->operand(w->context, place->name, &text)) {
        text.n = 0;
    }
    if (text.n)
        fb_buf_printf(w->out, " (%.*s)", FB_ARG(((struct fb_str){text.p, text.n})));
    fb_buf_free(&text);
}

/* Whether the name stands before it on the line. */
static bool repeats(const struct writer *w, uint32_t i, struct fb_span line) {
    struct fb_str name = w->places[i].name;
    while (i-- > 0 && is_inside(w->places[i].span, line))
        if (fb_str_eq(w->places[i].name, name))
            return true;
    return false;
}

static void put_line(struct writer *w, struct fb_span line) {
    uint32_t at = line.start;
    for (uint32_t i = 0; i < w->n; i++) {
        struct fb_span span = w->places[i].span;
        if (!is_inside(span, line) || span.start < at || repeats(w, i, line))
            continue;
        fb_buf_str(w->out, text_of(w, (struct fb_span){line.file, at, span.end}));
        put_operand(w, &w->places[i]);
        at = span.end;
    }
    fb_buf_str(w->out, text_of(w, (struct fb_span){line.file, at, line.end}));
    while (w->out->n && (w->out->p[w->out->n - 1] == ' ' || w->out->p[w->out->n - 1] == '\r'))
        w->out->n--;
    fb_buf_char(w->out, '\n');
}

/* Blanks and tabs that all lines but the first begin with are left out. */
static uint32_t indent_of(struct fb_str text) {
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '\n')
            continue;
        uint32_t blanks = 0;
        while (i + 1 + blanks < text.n &&
               (text.p[i + 1 + blanks] == ' ' || text.p[i + 1 + blanks] == '\t'))
            blanks++;
        bool empty = i + 1 + blanks >= text.n || text.p[i + 1 + blanks] == '\n';
        if (!empty && blanks < least)
            least = blanks;
    }
    return least == UINT32_MAX ? 0 : least;
}

static void put_lines(struct writer *w, struct fb_span span) {
    struct fb_str text = text_of(w, span);
    uint32_t indent = indent_of(text);
    size_t start = 0;
    while (start < text.n) {
        const char *newline = memchr(text.p + start, '\n', text.n - start);
        size_t end = newline ? (size_t)(newline - text.p) : text.n;
        size_t from = start;
        while (start > 0 && from < end && from - start < indent)
            from++;
        fb_buf_text(w->out, "  ");
        put_line(w, (struct fb_span){span.file, span.start + (uint32_t)from,
                                     span.start + (uint32_t)end});
        start = end + 1;
    }
}

static void put_place(struct writer *w, struct fb_span span) {
    const struct fb_source *source = &w->compiled->sources->files[span.file];
    uint32_t line, column;
    fb_source_place(source, span.start, &line, &column);
    fb_buf_printf(w->out, "%.*s:%u:\n", FB_ARG(source->path), line);
}

static void put_let(struct writer *w, const struct fb_let_decl *let) {
    put_place(w, let->span);
    fb_buf_text(w->out, "  let ");
    put_line(w, (struct fb_span){let->span.file, let->span.start, let->value->span.end});
}

static void put_all(struct writer *w, struct fb_span span) {
    if (w->n)
        qsort(w->places, w->n, sizeof *w->places, by_place);
    put_place(w, span);
    put_lines(w, span);
    for (uint32_t i = 0; i < w->n_lets; i++)
        put_let(w, w->lets[i]);
    free(w->places);
}

/* ---- what is asked for ---- */

/* Of several of one name the one that has the target. */
static bool is_it(const struct fb_rule_decl *decl, const struct fb_rule *rule) {
    if (!fb_str_eq(decl->name, rule->name) || (decl->asked_of != NULL) != (rule->target.n > 0))
        return false;
    struct fb_buf target = {0};
    if (decl->asked_of)
        fb_format_target(decl, &target);
    bool same = fb_str_eq((struct fb_str){target.p, target.n}, rule->target);
    fb_buf_free(&target);
    return same;
}

bool fb_rule_text(const struct fb_compiled *compiled, const struct fb_rule *rule,
                  fb_operand_fn *operand, void *context, struct fb_buf *out) {
    const struct fb_rule_decl *decl = NULL;
    for (uint32_t i = 0; i < compiled->checked.n_rules && !decl; i++)
        if (is_it(compiled->checked.rules[i].decl, rule))
            decl = compiled->checked.rules[i].decl;
    if (!decl)
        return false;
    struct writer w = {.compiled = compiled,
                       .operand = operand,
                       .context = context,
                       .names = fb_arena_new(),
                       .own = decl->span,
                       .out = out};
    gather(&w, decl->where);
    gather(&w, decl->when);
    gather(&w, decl->start);
    for (uint32_t i = 0; i < decl->n_lets; i++)
        gather(&w, decl->lets[i]->value);
    for (uint32_t i = 0; i < decl->n_raises; i++)
        gather(&w, decl->raises[i].when);
    for (uint32_t i = 0; i < decl->n_gos; i++)
        gather(&w, decl->gos[i].when);
    for (uint32_t i = 0; i < decl->n_commands; i++)
        gather(&w, decl->commands[i].value);
    for (uint32_t i = 0; i < decl->n_asks; i++)
        gather(&w, decl->asks[i].command.value);
    put_all(&w, decl->span);
    if (decl->feedback_of) { /* its text says only what is compared with it */
        struct fb_str name = decl->feedback_of->name;
        fb_buf_printf(out, "  %.*s", FB_ARG(name));
        put_operand(&w, &(struct place){.name = name});
        fb_buf_text(out, " is what was commanded\n");
    }
    fb_arena_free(w.names);
    return true;
}

bool fb_actuator_text(const struct fb_compiled *compiled, struct fb_str class_name,
                      struct fb_str actuator, fb_operand_fn *operand, void *context,
                      struct fb_buf *out) {
    const struct fb_actuator_decl *decl = NULL;
    for (uint32_t i = 0; i < compiled->checked.n_actuators && !decl; i++) {
        const struct fb_actuator_decl *one = compiled->checked.actuators[i].decl;
        if (fb_str_eq(one->name, actuator) &&
            (class_name.n == 0 || fb_str_eq(one->class_name, class_name)))
            decl = one;
    }
    if (!decl)
        return false;
    struct writer w = {.compiled = compiled,
                       .operand = operand,
                       .context = context,
                       .names = fb_arena_new(),
                       .own = decl->span,
                       .out = out};
    gather(&w, decl->interlock);
    gather(&w, decl->permissive);
    put_all(&w, decl->span);
    fb_arena_free(w.names);
    return true;
}
