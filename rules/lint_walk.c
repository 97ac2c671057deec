/* Walks over checked expressions.
 *
 * Place in the flow: inside lint. */
#include <stdarg.h>
#include <stdio.h>

#include "engine/base/map.h"
#include "rules/lint_internal.h"

const char *fb_lint_print(struct fb_linter *lint, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fb_str_copy(lint->arena, fb_str_of(text)).p;
}

void fb_lint_visit(const struct fb_node *node, void (*visit)(const struct fb_node *node, void *arg),
                   void *arg) {
    if (!node)
        return;
    visit(node, arg);
    fb_lint_visit(node->a, visit, arg);
    fb_lint_visit(node->b, visit, arg);
    fb_lint_visit(node->c, visit, arg);
    for (uint32_t i = 0; i < node->n_items; i++)
        fb_lint_visit(node->items[i], visit, arg);
    for (uint32_t i = 0; i < node->n_args; i++) {
        fb_lint_visit(node->args[i].expr, visit, arg);
        fb_lint_visit(node->args[i].where, visit, arg);
        fb_lint_visit(node->args[i].upto, visit, arg);
    }
}

bool fb_lint_reads_distant(const struct fb_lint_reads *reads,
                           const struct fb_actuator_decl *actuator) {
    for (uint32_t i = 0; i < reads->n_distant; i++)
        if (reads->distant[i] == actuator)
            return true;
    return false;
}

bool fb_lint_reads_actuator(const struct fb_lint_reads *reads,
                            const struct fb_actuator_decl *actuator) {
    for (uint32_t i = 0; i < reads->n_actuators; i++)
        if (reads->actuators[i] == actuator)
            return true;
    return false;
}

struct walk {
    struct fb_lint_reads *reads;
    struct fb_map *seen; /* lets and params, each walked once, and once from afar */
    bool distant;        /* what stands here is read from another device */
};

static void note(const struct fb_node *node, void *arg);

static void follow(struct walk *walk, const void *decl, const struct fb_node *value) {
    const struct {
        const void *decl;
        uintptr_t distant;
    } place = {decl, walk->distant};
    struct fb_str key = {(const char *)&place, sizeof place};
    if (fb_map_get(walk->seen, key) == FB_MAP_NONE) {
        fb_map_put(walk->seen, key, 1);
        fb_lint_visit(value, note, walk);
    }
}

/* What a mode or an alarm follows. */
static void follow_rule(struct walk *walk, const struct fb_rule_decl *rule) {
    struct fb_str key = {(const char *)&rule, sizeof rule};
    if (fb_map_get(walk->seen, key) != FB_MAP_NONE)
        return;
    fb_map_put(walk->seen, key, 1);
    fb_lint_visit(rule->where, note, walk);
    for (uint32_t i = 0; i < rule->n_raises; i++)
        fb_lint_visit(rule->raises[i].when, note, walk);
    for (uint32_t i = 0; i < rule->n_gos; i++)
        fb_lint_visit(rule->gos[i].when, note, walk);
}

static void add_distant(struct fb_lint_reads *reads, const struct fb_actuator_decl *actuator) {
    for (uint32_t i = 0; i < reads->n_distant; i++)
        if (reads->distant[i] == actuator)
            return;
    if (reads->n_distant < FB_ACTUATORS_MAX)
        reads->distant[reads->n_distant++] = actuator;
}

static void follow_name(struct walk *walk, const struct fb_node *node) {
    if (node->ref == FB_REF_FIELD) {
        if (!walk->distant)
            fb_field_set_add(&walk->reads->fields, node->field->index);
    } else if (node->ref == FB_REF_ACTUATOR && walk->distant) {
        add_distant(walk->reads, node->actuator);
    } else if (node->ref == FB_REF_ACTUATOR) {
        struct fb_lint_reads *reads = walk->reads;
        if (!fb_lint_reads_actuator(reads, node->actuator) &&
            reads->n_actuators < FB_ACTUATORS_MAX)
            reads->actuators[reads->n_actuators++] = node->actuator;
    } else if (node->ref == FB_REF_MODE) {
        follow_rule(walk, node->mode);
    } else if (node->ref == FB_REF_ALARM) {
        follow_rule(walk, node->alarm);
    } else if (node->ref == FB_REF_LET) {
        follow(walk, node->let, node->let->value);
    } else if (node->ref == FB_REF_PARAM) {
        follow(walk, node->param, node->param->value);
        for (uint32_t i = 0; i < node->param->n_cases; i++) {
            fb_lint_visit(node->param->cases[i].value, note, walk);
            fb_lint_visit(node->param->cases[i].where, note, walk);
        }
    }
}

static void follow_others(struct walk *walk, const struct fb_node *node) {
    bool outer = walk->distant;
    walk->reads->others = true;
    if (node->of_kin)
        return;
    walk->distant = true;
    fb_lint_visit(node->there, note, walk);
    if (node->group) {
        fb_lint_visit(node->group->expr, note, walk);
        fb_lint_visit(node->group->where, note, walk);
    }
    walk->distant = outer;
}

static bool is_number(const struct fb_node *node) {
    return node->type == FB_T_NUMBER || node->type == FB_T_INTEGER;
}

static void note(const struct fb_node *node, void *arg) {
    struct walk *walk = arg;
    const struct fb_function *f = node->kind == FB_N_CALL ? fb_function_find(node->text) : NULL;
    if (node->kind == FB_N_NAME)
        follow_name(walk, node);
    if (node->kind == FB_N_LINKED || node->kind == FB_N_GROUP)
        follow_others(walk, node);
    if (walk->distant)
        return;
    if (node->kind == FB_N_SILENT || (f && f->gives == FB_GIVES_SECONDS) ||
        (f && f->id == FB_F_count && !node->args[0].expr))
        walk->reads->silence = true;
    if ((node->kind == FB_N_COMPARE && node->op <= FB_OP_GE && is_number(node->a)) ||
        (node->kind == FB_N_IN && node->b))
        walk->reads->limit = true;
}

void fb_lint_reads(const struct fb_node *node, struct fb_lint_reads *reads) {
    struct walk walk = {.reads = reads, .seen = fb_map_new()};
    fb_lint_visit(node, note, &walk);
    fb_map_free(walk.seen);
}

/* A let may stand twice in the next, so the steps are counted: what is larger is taken for another
 * one. */
enum { EQUAL_STEPS = 10000 };

static bool equal(const struct fb_node *a, const struct fb_node *b, int *steps);

static bool equal_args(const struct fb_arg *a, const struct fb_arg *b, int *steps) {
    return a->window == b->window && a->last == b->last && equal(a->expr, b->expr, steps) &&
           equal(a->where, b->where, steps) && equal(a->upto, b->upto, steps) &&
           equal(a->length, b->length, steps);
}

static bool equal_groups(const struct fb_group_decl *a, const struct fb_group_decl *b, int *steps) {
    if (!a || !b)
        return a == b;
    bool alike =
        fb_str_eq(a->class_name, b->class_name) && a->n_by == b->n_by && !a->ask == !b->ask;
    if (alike && a->ask)
        alike = a->ask_function == b->ask_function && a->ask->each == b->ask->each &&
                a->ask->link == b->ask->link;
    if (!alike)
        return false;
    for (uint32_t i = 0; i < a->n_by; i++)
        if (!fb_str_eq(a->by[i], b->by[i]))
            return false;
    return equal(a->expr, b->expr, steps) && equal(a->where, b->where, steps);
}

static bool equal_names(const struct fb_node *a, const struct fb_node *b, int *steps) {
    if (a->ref != b->ref)
        return false;
    if (a->ref == FB_REF_LET && a->let != b->let)
        return equal(a->let->value, b->let->value, steps);
    return fb_str_eq(a->text, b->text);
}

static bool equal(const struct fb_node *a, const struct fb_node *b, int *steps) {
    if (!a || !b)
        return a == b;
    if ((*steps)-- <= 0)
        return false;
    bool literal = a->kind == FB_N_NUMBER || a->kind == FB_N_PERCENT_OF;
    if (a->kind != b->kind || a->op != b->op || a->negated != b->negated || a->truth != b->truth ||
        a->quality != b->quality || a->span_us != b->span_us || a->votes != b->votes ||
        a->n_items != b->n_items || a->n_args != b->n_args ||
        (literal && (a->value < b->value || a->value > b->value)) ||
        !fb_str_eq(a->unit_text, b->unit_text))
        return false;
    if (a->kind == FB_N_NAME)
        return equal_names(a, b, steps);
    if (!literal && !fb_str_eq(a->text, b->text))
        return false;
    for (uint32_t i = 0; i < a->n_items; i++)
        if (!equal(a->items[i], b->items[i], steps))
            return false;
    for (uint32_t i = 0; i < a->n_args; i++)
        if (!equal_args(&a->args[i], &b->args[i], steps))
            return false;
    return equal(a->there, b->there, steps) && equal_groups(a->group, b->group, steps) &&
           equal(a->needs, b->needs, steps) && equal(a->a, b->a, steps) &&
           equal(a->b, b->b, steps) && equal(a->c, b->c, steps);
}

bool fb_lint_equal(const struct fb_node *a, const struct fb_node *b) {
    int steps = EQUAL_STEPS;
    return equal(a, b, &steps);
}
