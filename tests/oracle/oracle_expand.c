/* From the parse tree to one expression a condition: names looked up, lets and params replaced by
 * what they stand for (M6), units made the same, `where` and `deadband` written out (M20, M28).
 *
 * Place in the flow: once per rule file, before the first record. The files it is given have passed
 * the product's checker, so mistakes end in an assert. */
#include "tests/oracle/oracle_internal.h"
#include "tests/oracle/oracle_acting.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/num.h"

#include <stdlib.h>
#include <string.h>

struct ora_expr *ora_new_expr(const struct ora_scope *s, enum ora_kind kind, enum fb_type type) {
    struct ora_expr *e = FB_ARENA_NEW(s->o->arena, struct ora_expr);
    e->kind = kind;
    e->type = type;
    e->unit = ora_unit_none();
    return e;
}

static struct ora_expr *literal(const struct ora_scope *s, struct ora_ratio value,
                                struct ora_unit unit) {
    struct ora_expr *e = ora_new_expr(s, ORA_CONST, FB_T_NUMBER);
    e->literal = true;
    e->exact = value;
    e->constant = ora_known_number(ora_ratio_double(value));
    e->unit = unit;
    return e;
}

bool ora_is_numeric(const struct ora_expr *e) {
    return e->type == FB_T_NUMBER || e->type == FB_T_COUNTER || e->type == FB_T_INTEGER;
}

/* --- Units (language.md, section 8) --------------------------------------------------------- */

/* A literal, or a param all of whose values are: converted exactly. */
static bool is_literal(const struct ora_expr *e) {
    if (e->kind == ORA_CASE)
        return is_literal(e->b) && is_literal(e->c);
    return e->kind == ORA_CONST && e->literal;
}

/* What is computed of numbers alone (T2). */
static bool is_known(const struct ora_expr *e, double *x) {
    double a, b;
    if (e->type != FB_T_NUMBER)
        return false;
    switch (e->kind) {
    case ORA_CONST:
        *x = e->constant.num;
        return true;
    case ORA_LET:
        return is_known(e->a, x);
    case ORA_NEGATE:
    case ORA_PERCENT_OF:
        if (!is_known(e->a, &a))
            return false;
        *x = e->kind == ORA_NEGATE ? -a : a * e->constant.num / 100;
        return fb_num_finite(*x);
    case ORA_ARITH:
        if (!is_known(e->a, &a) || !is_known(e->b, &b))
            return false;
        *x = e->op == FB_OP_ADD   ? a + b
             : e->op == FB_OP_SUB ? a - b
             : e->op == FB_OP_MUL ? a * b
                                  : a / b;
        return fb_num_finite(*x);
    default:
        return false;
    }
}

static bool is_short(double x, char text[FB_NUM_TEXT_MAX], size_t *n) {
    size_t digits = 0;
    *n = fb_num_format(x, text);
    for (size_t i = 0; i < *n && text[i] != 'e'; i++)
        digits += text[i] >= '0' && text[i] <= '9';
    return digits <= 12;
}

static struct ora_expr *in_unit(const struct ora_scope *s, struct ora_expr *e,
                                struct ora_unit unit) {
    char text[FB_NUM_TEXT_MAX];
    size_t n;
    double x;
    if (!ora_is_numeric(e) || ora_unit_same(e->unit, unit))
        return e;
    if (e->kind == ORA_CONST && e->literal) {
        bool bare = ora_unit_same(e->unit, ora_unit_none());
        return literal(s, bare ? e->exact : ora_unit_exact(e->exact, e->unit, unit), unit);
    }
    if (e->kind == ORA_CASE) {
        struct ora_expr *copy = ora_new_expr(s, ORA_CASE, e->type);
        copy->a = e->a;
        copy->b = in_unit(s, e->b, unit);
        copy->c = in_unit(s, e->c, unit);
        copy->unit = unit;
        copy->param = true;
        return copy;
    }
    if (is_known(e, &x) && !ora_unit_same(e->unit, ora_unit_none()) && is_short(x, text, &n)) {
        struct ora_ratio exact = ora_ratio_of_text((struct fb_str){text, n});
        struct ora_expr *known = literal(s, ora_unit_exact(exact, e->unit, unit), unit);
        known->literal = false;
        known->a = e; /* the lets that it names are shown (M34) */
        return known;
    }
    struct ora_expr *converted = ora_new_expr(s, ORA_CONVERT, FB_T_NUMBER);
    converted->a = e;
    converted->conversion = ora_unit_conversion(e->unit, unit);
    converted->unit = unit;
    return converted;
}

struct ora_expr *ora_in_unit(const struct ora_scope *s, struct ora_expr *e, struct ora_unit unit) {
    return in_unit(s, e, unit);
}

/* A literal or a param takes the unit of the other side. */
static bool gives_way(const struct ora_expr *e) {
    return e->param || is_literal(e);
}

/* Two sides of an operator in one unit: a literal or a param takes the other side's, else the right
 * the left's. */
static void same_unit(const struct ora_scope *s, struct ora_expr **a, struct ora_expr **b) {
    if (!ora_is_numeric(*a) || !ora_is_numeric(*b))
        return;
    bool left_has_unit = !ora_unit_same((*a)->unit, ora_unit_none());
    if (gives_way(*a) && (!gives_way(*b) || !left_has_unit))
        *a = in_unit(s, *a, (*b)->unit);
    else
        *b = in_unit(s, *b, (*a)->unit);
}

/* --- Names ---------------------------------------------------------------------------------- */

static const struct fb_let_decl *find_let(const struct ora_scope *s, struct fb_str name) {
    for (uint32_t i = 0; s->rule != NULL && i < s->rule->decl->n_lets; i++)
        if (fb_str_eq(s->rule->decl->lets[i]->name, name) &&
            (s->rule->decl->lets[i]->in_state == 0 || s->rule->decl->lets[i]->in_state == s->state))
            return s->rule->decl->lets[i];
    return NULL;
}

static const struct fb_let_decl *find_class_let(const struct ora_scope *s, struct fb_str name) {
    for (uint32_t i = 0; i < s->class->n_lets; i++)
        if (fb_str_eq(s->class->lets[i]->name, name))
            return s->class->lets[i];
    return NULL;
}

static const struct fb_field_decl *find_field(const struct ora_scope *s, struct fb_str name) {
    for (uint32_t i = 0; i < s->class->n_fields; i++)
        if (fb_str_eq(s->class->fields[i]->name, name))
            return s->class->fields[i];
    return NULL;
}

static const struct fb_param_decl *find_param(const struct ora_scope *s, struct fb_str name) {
    for (uint32_t f = 0; f < s->o->tree->n_files; f++) {
        const struct fb_file *file = s->o->tree->files[f];
        for (uint32_t i = 0; i < file->n_items; i++) {
            if (file->items[i].kind != FB_ITEM_PARAM)
                continue;
            const struct fb_param_decl *param = file->items[i].param;
            bool here =
                param->class_name.n == 0 || fb_str_eq(param->class_name, s->class->decl->name);
            if (here && fb_str_eq(param->name, name))
                return param;
        }
    }
    return NULL;
}

struct ora_expr *ora_field_expr(const struct ora_scope *s, const struct fb_field_decl *field) {
    struct ora_expr *e = ora_new_expr(s, ORA_FIELD, field->typed ? field->type.type : FB_T_TEXT);
    e->field = (int)field->index;
    e->unit = ora_unit_of(field->type.unit_text);
    e->words = &field->type;
    return e;
}

/* The condition's expression in which a let stands, for messages and values (M34). */
static struct ora_expr *find_let_in(struct ora_expr *e, const struct fb_let_decl *let) {
    if (e == NULL)
        return NULL;
    if (e->kind == ORA_LET && e->let == let)
        return e;
    struct ora_expr *found = find_let_in(e->a, let);
    if (found == NULL)
        found = find_let_in(e->b, let);
    if (found == NULL)
        found = find_let_in(e->c, let);
    for (uint32_t i = 0; found == NULL && i < e->n_items; i++)
        found = find_let_in(e->items[i], let);
    if (found == NULL && e->window != NULL && e->window->x != NULL)
        found = find_let_in(e->window->x, let);
    if (found == NULL && e->window != NULL && e->window->where != NULL)
        found = find_let_in(e->window->where, let);
    return found;
}

/* A let stands for its expression in brackets; deadband does not look into it. */
static struct ora_expr *let_expr(struct ora_scope *s, const struct fb_let_decl *let) {
    if (s->condition == NULL && s->rule != NULL) {
        for (uint32_t i = 0; i < s->rule->n_conditions; i++) {
            struct ora_expr *found = find_let_in(s->rule->conditions[i].root, let);
            if (found != NULL)
                return found;
        }
    }
    struct ora_scope inner = *s;
    inner.in_copy = false;
    inner.state = let->in_state;
    struct ora_expr *value = ora_expand_expr(&inner, let->value);
    if (let->unit_text.n > 0)
        value = in_unit(s, value, ora_unit_of(let->unit_text));
    struct ora_expr *e = ora_new_expr(s, ORA_LET, value->type);
    e->a = value;
    e->unit = value->unit;
    e->words = value->words;
    e->let = let;
    return e;
}

/* The first case that is true, else the default. */
static struct ora_expr *param_expr(struct ora_scope *s, const struct fb_param_decl *param) {
    struct ora_scope inner = *s;
    inner.in_copy = false;
    inner.rule = NULL;
    struct ora_unit unit = ora_unit_of(param->unit_text);
    struct ora_expr *value = in_unit(s, ora_expand_expr(&inner, param->value), unit);
    for (uint32_t i = param->n_cases; i-- > 0;) {
        struct ora_expr *chosen = ora_new_expr(s, ORA_CASE, value->type);
        chosen->a = ora_expand_expr(&inner, param->cases[i].where);
        chosen->b = in_unit(s, ora_expand_expr(&inner, param->cases[i].value), unit);
        chosen->c = value;
        chosen->unit = value->unit;
        chosen->words = value->words;
        value = chosen;
    }
    value->param = true;
    return value;
}

static struct ora_expr *name_expr(struct ora_scope *s, const struct fb_node *n) {
    if (s->rule != NULL && s->rule->decl->commands_of != NULL && n == s->rule->decl->start)
        return ora_held_alarm_expr(s, s->rule->decl->commands_of); /* no other name hides it */
    const struct fb_let_decl *let = find_let(s, n->text);
    if (let == NULL)
        let = find_class_let(s, n->text);
    if (let != NULL)
        return let_expr(s, let);
    const struct fb_field_decl *field = find_field(s, n->text);
    if (field != NULL)
        return ora_field_expr(s, field);
    const struct fb_param_decl *param = find_param(s, n->text);
    if (param != NULL)
        return param_expr(s, param);
    struct ora_expr *actuator = ora_actuator_expr(s, n->text);
    if (actuator != NULL)
        return actuator;
    struct ora_expr *mode = ora_mode_expr(s, n->text);
    return mode != NULL ? mode : ora_alarm_expr(s, n->text);
}

/* A word of an enumeration opposite a side of that type. */
static struct ora_expr *word_expr(const struct ora_scope *s, const struct ora_expr *side,
                                  const struct fb_node *n) {
    if (side == NULL || side->type != FB_T_ENUM || n->kind != FB_N_NAME)
        return NULL;
    for (uint32_t i = 0; i < side->words->n_words; i++) {
        if (!fb_str_eq(side->words->words[i], n->text))
            continue;
        struct ora_expr *e = ora_new_expr(s, ORA_CONST, FB_T_ENUM);
        e->constant = (struct fb_value){.i = (int64_t)i, .quality = FB_Q_GOOD};
        e->words = side->words;
        return e;
    }
    return NULL;
}

static struct ora_expr *expand_opposite(struct ora_scope *s, const struct ora_expr *side,
                                        const struct fb_node *n) {
    struct ora_expr *word = word_expr(s, side, n);
    return word != NULL ? word : ora_expand_expr(s, n);
}

void ora_expand_sides(struct ora_scope *s, const struct fb_node *na, const struct fb_node *nb,
                      struct ora_expr **a, struct ora_expr **b) {
    *a = na->kind == FB_N_NAME ? name_expr(s, na) : ora_expand_expr(s, na);
    *b = word_expr(s, *a, nb);
    if (*b == NULL)
        *b = ora_expand_expr(s, nb);
    struct ora_expr *word = word_expr(s, *b, na);
    if (word != NULL && (*a == NULL || (*b)->kind != ORA_CONST))
        *a = word;
    FB_ASSERT(*a != NULL);
    same_unit(s, a, b);
}

/* --- Calls ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum fb_aggregate aggregate;
} aggregates[] = {
    {"avg", FB_AGG_AVG},       {"min", FB_AGG_MIN},           {"max", FB_AGG_MAX},
    {"sum", FB_AGG_SUM},       {"count", FB_AGG_COUNT},       {"first", FB_AGG_FIRST},
    {"last", FB_AGG_LAST},     {"time_avg", FB_AGG_TIME_AVG}, {"stddev", FB_AGG_STDDEV},
    {"spread", FB_AGG_SPREAD}, {"delta", FB_AGG_DELTA},       {"increase", FB_AGG_INCREASE},
    {"rate", FB_AGG_RATE},     {"any", FB_AGG_ANY},           {"all", FB_AGG_ALL},
};

bool ora_reads_field(const struct ora_expr *e) {
    return e->kind == ORA_FIELD || (e->kind == ORA_IS && e->a == NULL) ||
           ((e->kind == ORA_AGE || e->kind == ORA_SILENT) && e->field != ORA_EVERY_RECORD);
}

static void reads_of(const struct ora_expr *e, bool *fields) {
    if (e == NULL)
        return;
    if (ora_reads_field(e))
        fields[e->field] = true;
    reads_of(e->a, fields);
    reads_of(e->b, fields);
    reads_of(e->c, fields);
    for (uint32_t i = 0; i < e->n_items; i++)
        reads_of(e->items[i], fields);
}

static bool reads_others(const struct ora_expr *e) {
    if (e == NULL)
        return false;
    if (e->other != NULL || reads_others(e->a) || reads_others(e->b) || reads_others(e->c))
        return true;
    for (uint32_t i = 0; i < e->n_items; i++)
        if (reads_others(e->items[i]))
            return true;
    return false;
}

static struct ora_window *new_window(struct ora_scope *s, struct ora_expr *x,
                                     struct ora_expr *where) {
    struct ora_class *class = s->class;
    struct ora_window *w = FB_ARENA_NEW(s->o->arena, struct ora_window);
    w->x = x;
    w->where = where;
    w->reads_x = FB_ARENA_ARRAY(s->o->arena, bool, class->n_fields);
    w->reads_all = FB_ARENA_ARRAY(s->o->arena, bool, class->n_fields);
    reads_of(x, w->reads_x);
    reads_of(x, w->reads_all);
    reads_of(where, w->reads_all);
    w->reads_others = reads_others(x) || reads_others(where);
    w->index = class->n_windows;
    FB_PUSH_ROOM(class->windows, class->n_windows, class->cap_windows);
    class->windows[class->n_windows++] = w;
    return w;
}

/* The smallest natural length not below d / 64. */
static int64_t pane_length(int64_t d) {
    const int64_t ms = 1000, s = FB_SECOND, min = FB_MINUTE, h = FB_HOUR;
    const int64_t natural[] = {ms,       2 * ms,   5 * ms,  10 * ms, 20 * ms,  50 * ms,  100 * ms,
                               200 * ms, 500 * ms, s,       2 * s,   5 * s,    10 * s,   15 * s,
                               30 * s,   min,      2 * min, 5 * min, 10 * min, 15 * min, 30 * min,
                               h,        2 * h,    3 * h,   6 * h,   12 * h,   FB_DAY};
    for (size_t i = 0; i < sizeof natural / sizeof *natural; i++)
        if (natural[i] * 64 >= d)
            return natural[i];
    FB_BUG("a window of at most 64 days");
}

/* A ring where every field that is read says `every` and d is at most 128 times the smallest. */
static void choose_over(const struct ora_scope *s, struct ora_window *w) {
    int64_t least = 0;
    bool all = w->x != NULL;
    for (uint32_t f = 0; f < s->class->n_fields; f++) {
        if (!w->reads_all[f])
            continue;
        const struct fb_node *every = s->class->fields[f]->every;
        if (every == NULL)
            all = false;
        else if (least == 0 || every->span_us < least)
            least = every->span_us;
    }
    if (all && least > 0 && w->length <= 128 * least) {
        w->shape = FB_SHAPE_RING;
        w->places = (uint32_t)(2 * ((w->length + least - 1) / least) + 1);
    } else {
        w->shape = FB_SHAPE_PANES;
        w->pane = pane_length(w->length);
    }
}

int64_t ora_literal_span(const struct fb_node *n) {
    FB_ASSERT(n->kind == FB_N_DURATION);
    return n->span_us;
}

static enum fb_type aggregate_type(enum fb_aggregate aggregate, const struct ora_expr *x) {
    if (aggregate == FB_AGG_ANY || aggregate == FB_AGG_ALL)
        return FB_T_BOOL;
    if (aggregate == FB_AGG_FIRST || aggregate == FB_AGG_LAST)
        return x->type;
    return FB_T_NUMBER;
}

static struct ora_unit aggregate_unit(enum fb_aggregate aggregate, const struct ora_expr *x) {
    struct ora_unit second = ora_unit_of(FB_S("s"));
    switch (aggregate) {
    case FB_AGG_COUNT:
    case FB_AGG_ANY:
    case FB_AGG_ALL:
        return ora_unit_none();
    case FB_AGG_STDDEV:
    case FB_AGG_SPREAD:
    case FB_AGG_DELTA:
        return ora_unit_difference(x->unit);
    case FB_AGG_RATE: {
        struct ora_unit none = ora_unit_none();
        return ora_unit_same(x->unit, none) ? none : ora_unit_product(x->unit, second, true);
    }
    default:
        return x->unit;
    }
}

static struct ora_expr *aggregate_expr(struct ora_scope *s, const struct fb_node *n,
                                       enum fb_aggregate aggregate) {
    const struct fb_arg *arg = &n->args[0];
    struct ora_scope inner = *s;
    inner.in_copy = false;
    struct ora_expr *x = arg->expr == NULL ? NULL : ora_expand_expr(&inner, arg->expr);
    struct ora_expr *where = arg->where == NULL ? NULL : ora_expand_expr(&inner, arg->where);
    struct ora_window *w = new_window(s, x, where);
    struct ora_expr *e = ora_new_expr(s, ORA_WINDOW, aggregate_type(aggregate, x));
    e->window = w;
    e->aggregate = aggregate;
    e->unit = x == NULL ? ora_unit_none() : aggregate_unit(aggregate, x);
    e->words = x == NULL ? NULL : x->words;
    e->needs = 0.8;
    if (n->needs != NULL)
        e->needs =
            ora_ratio_double(ora_ratio_div(ora_ratio_of_text(n->needs->text), ora_ratio(100, 1)));
    if (arg->window == FB_W_LAST) {
        w->shape = FB_SHAPE_LAST;
        w->last = arg->last;
        return e;
    }
    w->length = ora_literal_span(arg->length);
    if (arg->window == FB_W_EACH)
        w->shape = FB_SHAPE_EACH;
    else
        choose_over(s, w);
    return e;
}

static struct ora_expr *previous_expr(struct ora_scope *s, const struct fb_node *n,
                                      enum ora_kind kind, enum fb_aggregate aggregate) {
    struct ora_scope inner = *s;
    inner.in_copy = false;
    struct ora_expr *x = ora_expand_expr(&inner, n->args[0].expr);
    struct ora_expr *e = ora_new_expr(s, kind, kind == ORA_CHANGED ? FB_T_BOOL : x->type);
    if (kind == ORA_CHANGE)
        e->type = FB_T_NUMBER;
    e->a = x;
    e->aggregate = aggregate;
    e->window = new_window(s, x, NULL);
    e->window->shape = FB_SHAPE_LAST;
    e->window->last = 2;
    if (kind != ORA_CHANGED) {
        e->unit = kind == ORA_CHANGE ? ora_unit_difference(x->unit) : x->unit;
        e->words = x->words;
    }
    return e;
}

/* All values in one unit: that of the first that is neither a literal nor a param, else of the
 * first that has one (T3). */
static void all_in_one_unit(const struct ora_scope *s, struct ora_expr **values, uint32_t n) {
    const struct ora_expr *unit_of = NULL;
    for (uint32_t i = 0; i < n && unit_of == NULL; i++)
        if (ora_is_numeric(values[i]) && !gives_way(values[i]))
            unit_of = values[i];
    for (uint32_t i = 0; i < n && unit_of == NULL; i++)
        if (ora_is_numeric(values[i]) && !ora_unit_same(values[i]->unit, ora_unit_none()))
            unit_of = values[i];
    for (uint32_t i = 0; i < n && unit_of != NULL; i++)
        if (values[i] != unit_of)
            values[i] = in_unit(s, values[i], unit_of->unit);
}

static struct ora_expr *values_expr(struct ora_scope *s, const struct fb_node *n,
                                    enum ora_kind kind) {
    struct ora_expr *e = ora_new_expr(s, kind, FB_T_NUMBER);
    const struct ora_expr *typed = NULL;
    e->items = FB_ARENA_ARRAY(s->o->arena, struct ora_expr *, n->n_args);
    e->n_items = n->n_args;
    for (uint32_t i = 0; i < n->n_args; i++)
        e->items[i] = expand_opposite(s, i > 0 ? e->items[0] : NULL, n->args[i].expr);
    all_in_one_unit(s, e->items, e->n_items);
    for (uint32_t i = 0; typed == NULL && i < n->n_args; i++)
        if (e->items[i]->kind != ORA_UNKNOWN)
            typed = e->items[i];
    e->type = ora_is_numeric(typed) ? FB_T_NUMBER : typed->type;
    e->unit = typed->unit;
    e->words = typed->words;
    return e;
}

static struct ora_expr *one_value_expr(struct ora_scope *s, const struct fb_node *n,
                                       enum ora_kind kind) {
    struct ora_scope inner = *s;
    inner.in_copy = false;
    struct ora_expr *e = ora_new_expr(s, kind, FB_T_NUMBER);
    e->a = ora_expand_expr(&inner, n->args[0].expr);
    e->unit = e->a->unit;
    return e;
}

static struct ora_expr *clamp_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_expr *e = one_value_expr(s, n, ORA_CLAMP);
    struct ora_scope inner = *s;
    inner.in_copy = false;
    struct ora_expr *values[] = {e->a, ora_expand_expr(&inner, n->args[1].expr),
                                 ora_expand_expr(&inner, n->args[1].upto)};
    all_in_one_unit(s, values, 3);
    e->a = values[0];
    e->b = values[1];
    e->c = values[2];
    e->unit = e->a->unit;
    return e;
}

static struct ora_expr *with_state(struct ora_scope *s, struct ora_expr *e) {
    FB_ASSERT(s->condition != NULL);
    e->home = s->condition;
    e->op_index = s->condition->n_ops++;
    return e;
}

static struct ora_expr *clock_operand(struct ora_scope *s, const struct fb_node *n) {
    bool elapsed = fb_str_eq(n->text, FB_S("elapsed"));
    struct ora_expr *e = ora_new_expr(s, elapsed ? ORA_ELAPSED : ORA_AGE, FB_T_TIME);
    struct ora_scope inner = *s;
    inner.in_copy = false;
    e->field = ORA_EVERY_RECORD;
    if (elapsed) {
        e->a = ora_expand_expr(&inner, n->args[0].expr);
        return with_state(s, e);
    }
    if (n->n_args > 0 && n->args[0].expr != NULL)
        e->field = (int)find_field(s, n->args[0].expr->text)->index;
    return e;
}

static struct ora_expr *call_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_scope inner = *s;
    inner.in_copy = false;
    bool window = n->n_args > 0 && n->args[0].window != FB_W_NONE;
    for (size_t i = 0; window && i < sizeof aggregates / sizeof *aggregates; i++)
        if (fb_str_eq(fb_str_of(aggregates[i].name), n->text))
            return aggregate_expr(&inner, n, aggregates[i].aggregate);
    if (fb_str_eq(n->text, FB_S("previous")))
        return previous_expr(&inner, n, ORA_PREVIOUS, FB_AGG_PREVIOUS);
    if (fb_str_eq(n->text, FB_S("change")))
        return previous_expr(&inner, n, ORA_CHANGE, FB_AGG_CHANGE);
    if (fb_str_eq(n->text, FB_S("changed")))
        return previous_expr(&inner, n, ORA_CHANGED, FB_AGG_CHANGED);
    if (fb_str_eq(n->text, FB_S("coalesce")))
        return values_expr(&inner, n, ORA_COALESCE);
    if (fb_str_eq(n->text, FB_S("min")))
        return values_expr(&inner, n, ORA_MIN);
    if (fb_str_eq(n->text, FB_S("max")))
        return values_expr(&inner, n, ORA_MAX);
    if (fb_str_eq(n->text, FB_S("clamp")))
        return clamp_expr(&inner, n);
    if (fb_str_eq(n->text, FB_S("abs")))
        return one_value_expr(&inner, n, ORA_ABS);
    if (fb_str_eq(n->text, FB_S("round")))
        return one_value_expr(&inner, n, ORA_ROUND);
    if (fb_str_eq(n->text, FB_S("sqrt")))
        return one_value_expr(&inner, n, ORA_SQRT);
    FB_BUG("a function of stage 1");
}

/* --- Comparisons and the limits that `deadband` moves (M28) ---------------------------------- */

static bool moves(const struct ora_scope *s, const struct ora_expr *limit) {
    return s->in_copy && ora_is_numeric(limit) &&
           ora_unit_same_dimension(limit->unit, s->deadband->unit);
}

static struct ora_expr *moved(const struct ora_scope *s, struct ora_expr *limit, enum fb_op op) {
    struct ora_expr *e = ora_new_expr(s, ORA_ARITH, FB_T_NUMBER);
    e->op = op;
    e->a = limit;
    e->b = in_unit(s, s->deadband, ora_unit_difference(limit->unit));
    e->unit = limit->unit;
    return e;
}

static enum fb_op turned_op(enum fb_op op) {
    return op == FB_OP_ADD ? FB_OP_SUB : FB_OP_ADD;
}

/* `>`, `>=`: a lower limit holds longer, under `not` a higher one. */
static enum fb_op towards_normal(const struct ora_scope *s, enum fb_op comparison) {
    bool greater = comparison == FB_OP_GT || comparison == FB_OP_GE;
    return greater != s->turned ? FB_OP_SUB : FB_OP_ADD;
}

/* The limit is the right side, the left one where only that is a literal or a param. */
static void move_limit(const struct ora_scope *s, struct ora_expr *e) {
    if (e->op == FB_OP_EQ || e->op == FB_OP_NE || !moves(s, e->b))
        return;
    enum fb_op op = towards_normal(s, e->op);
    if (gives_way(e->a) && !gives_way(e->b))
        e->a = moved(s, e->a, turned_op(op));
    else
        e->b = moved(s, e->b, op);
}

static enum fb_op mirrored(enum fb_op op) {
    switch (op) {
    case FB_OP_LT:
        return FB_OP_GT;
    case FB_OP_LE:
        return FB_OP_GE;
    case FB_OP_GT:
        return FB_OP_LT;
    case FB_OP_GE:
        return FB_OP_LE;
    default:
        return op;
    }
}

bool ora_is_clock(const struct fb_node *n) {
    return n->kind == FB_N_CALL &&
           (fb_str_eq(n->text, FB_S("age")) || fb_str_eq(n->text, FB_S("elapsed")));
}

/* Limits inside a side of a comparison, or in the condition of an `if`, are not moved (M28). */
static struct ora_scope outside_copy(const struct ora_scope *s) {
    struct ora_scope outside = *s;
    outside.in_copy = false;
    return outside;
}

static struct ora_expr *compare_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_scope sides = outside_copy(s);
    struct ora_expr *e;
    if (ora_is_clock(n->a) || ora_is_clock(n->b)) {
        bool right = ora_is_clock(n->b);
        e = ora_new_expr(s, ORA_CLOCK, FB_T_BOOL);
        e->op = right ? mirrored(n->op) : n->op;
        e->a = clock_operand(&sides, right ? n->b : n->a);
        e->b = in_unit(s, ora_expand_expr(&sides, right ? n->a : n->b), ora_unit_of(FB_S("s")));
        if (e->op != FB_OP_EQ && e->op != FB_OP_NE && moves(s, e->b))
            e->b = moved(s, e->b, towards_normal(s, e->op));
        return e;
    }
    e = ora_new_expr(s, ORA_COMPARE, FB_T_BOOL);
    e->op = n->op;
    ora_expand_sides(&sides, n->a, n->b, &e->a, &e->b);
    move_limit(s, e);
    return e;
}

static struct ora_expr *in_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_scope sides = outside_copy(s);
    struct ora_expr *e = ora_new_expr(s, n->n_items > 0 ? ORA_IN_LIST : ORA_IN_RANGE, FB_T_BOOL);
    uint32_t n_values = n->n_items > 0 ? n->n_items + 1 : 3;
    struct ora_expr **values = FB_ARENA_ARRAY(s->o->arena, struct ora_expr *, n_values);
    values[0] = ora_expand_expr(&sides, n->a);
    for (uint32_t i = 1; i < n_values; i++)
        values[i] = expand_opposite(&sides, values[0],
                                    n->n_items > 0 ? n->items[i - 1]
                                    : i == 1       ? n->b
                                                   : n->c);
    all_in_one_unit(s, values, n_values);
    e->negated = n->negated;
    e->a = values[0];
    if (n->n_items > 0) {
        e->items = values + 1;
        e->n_items = n->n_items;
        return e;
    }
    e->b = values[1];
    e->c = values[2];
    if (moves(s, e->a)) {
        enum fb_op low = n->negated != s->turned ? FB_OP_ADD : FB_OP_SUB;
        e->b = moved(s, e->b, low);
        e->c = moved(s, e->c, turned_op(low));
    }
    return e;
}

/* --- The other expressions ------------------------------------------------------------------- */

static struct ora_expr *number_expr(const struct ora_scope *s, const struct fb_node *n,
                                    bool negative) {
    struct ora_ratio value = ora_ratio_of_text(n->text);
    if (negative || (n->value < 0 && value.num > 0))
        value.num = -value.num;
    return literal(s, value, ora_unit_of(n->unit_text));
}

static struct ora_expr *negate_expr(struct ora_scope *s, const struct fb_node *n) {
    if (n->a->kind == FB_N_NUMBER)
        return number_expr(s, n->a, true);
    struct ora_expr *e = ora_new_expr(s, ORA_NEGATE, FB_T_NUMBER);
    e->a = ora_expand_expr(s, n->a);
    e->unit = e->a->unit;
    return e;
}

static struct ora_expr *arith_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_expr *e = ora_new_expr(s, ORA_ARITH, FB_T_NUMBER);
    struct ora_expr *a = ora_expand_expr(s, n->a), *b = ora_expand_expr(s, n->b);
    e->op = n->op;
    if (n->op == FB_OP_MUL || n->op == FB_OP_DIV) {
        e->unit = ora_unit_product(a->unit, b->unit, n->op == FB_OP_DIV);
    } else if (a->unit.absolute && b->unit.absolute) {
        same_unit(s, &a, &b);
        e->unit = ora_unit_difference(a->unit);
    } else if (a->unit.absolute) {
        b = in_unit(s, b, ora_unit_difference(a->unit));
        e->unit = a->unit;
    } else {
        same_unit(s, &a, &b);
        e->unit = a->unit;
    }
    e->a = a;
    e->b = b;
    return e;
}

static struct ora_expr *quality_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_expr *e = ora_new_expr(s, ORA_IS, FB_T_BOOL), *a = ora_expand_expr(s, n->a);
    FB_ASSERT(a->kind == ORA_FIELD || n->quality == FB_Q_GOOD || n->quality == FB_Q_UNKNOWN);
    if (a->kind == ORA_FIELD)
        e->field = a->field;
    else
        e->a = a;
    e->quality = n->quality;
    e->negated = n->negated;
    return e;
}

static struct ora_expr *matches_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_expr *e = ora_new_expr(s, ORA_MATCHES, FB_T_BOOL);
    e->a = ora_expand_expr(s, n->a);
    struct ora_regex *kept = FB_ARENA_NEW(s->o->arena, struct ora_regex);
    kept->next = s->o->regexes;
    s->o->regexes = kept;
    e->regex = &kept->regex;
    struct fb_str pattern = fb_str_copy(s->o->arena, n->text);
    FB_ASSERT(regcomp(e->regex, pattern.p, REG_EXTENDED | REG_NOSUB) == 0);
    return e;
}

static struct ora_expr *vote_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_expr *e = ora_new_expr(s, ORA_VOTE, FB_T_BOOL);
    e->votes = n->votes;
    e->n_items = n->n_items;
    e->items = FB_ARENA_ARRAY(s->o->arena, struct ora_expr *, n->n_items);
    for (uint32_t i = 0; i < n->n_items; i++)
        e->items[i] = ora_expand_expr(s, n->items[i]);
    return e;
}

static struct ora_expr *if_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_scope condition = outside_copy(s);
    struct ora_expr *e = ora_new_expr(s, ORA_IF, FB_T_NONE);
    e->a = ora_expand_expr(&condition, n->a);
    ora_expand_sides(s, n->b, n->c, &e->b, &e->c);
    const struct ora_expr *typed = e->b->kind == ORA_UNKNOWN ? e->c : e->b;
    e->type = ora_is_numeric(typed) ? FB_T_NUMBER : typed->type;
    e->unit = typed->unit;
    e->words = typed->words;
    return e;
}

static struct ora_expr *percent_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_expr *e = ora_new_expr(s, ORA_PERCENT_OF, FB_T_NUMBER);
    e->a = ora_expand_expr(s, n->a);
    e->constant = ora_known_number(n->value);
    e->unit = e->a->unit;
    return e;
}

struct ora_expr *ora_seconds(struct ora_scope *s, const struct fb_node *n) {
    struct ora_scope inner = *s;
    inner.in_copy = false;
    return in_unit(s, ora_expand_expr(&inner, n), ora_unit_of(FB_S("s")));
}

struct ora_expr *ora_for(struct ora_scope *s, struct ora_expr *c, const struct fb_node *d) {
    struct ora_expr *e = ora_new_expr(s, ORA_FOR, FB_T_BOOL);
    e->a = c;
    e->b = ora_seconds(s, d);
    return with_state(s, e);
}

struct ora_expr *ora_two(struct ora_scope *s, enum ora_kind kind, struct ora_expr *a,
                         struct ora_expr *b) {
    struct ora_expr *e = ora_new_expr(s, kind, FB_T_BOOL);
    e->a = a;
    e->b = b;
    return kind == ORA_UNTIL ? with_state(s, e) : e;
}

struct ora_expr *ora_not(struct ora_scope *s, struct ora_expr *a) {
    struct ora_expr *e = ora_new_expr(s, ORA_NOT, FB_T_BOOL);
    e->a = a;
    return e;
}

static struct ora_expr *silent_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_expr *e = ora_new_expr(s, ORA_SILENT, FB_T_BOOL);
    e->field = n->a == NULL ? ORA_EVERY_RECORD : (int)find_field(s, n->a->text)->index;
    return e;
}

static struct ora_expr *text_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_expr *e = ora_new_expr(s, ORA_CONST, FB_T_TEXT);
    e->constant = (struct fb_value){.text = n->text, .quality = FB_Q_GOOD};
    return e;
}

static struct ora_expr *bool_expr(struct ora_scope *s, const struct fb_node *n) {
    struct ora_expr *e = ora_new_expr(s, ORA_CONST, FB_T_BOOL);
    e->constant = ora_known_bool(n->truth);
    return e;
}

struct ora_expr *ora_expand_expr(struct ora_scope *s, const struct fb_node *n) {
    switch (n->kind) {
    case FB_N_NUMBER:
        return number_expr(s, n, false);
    case FB_N_DURATION:
        return literal(s, ora_ratio(n->span_us, 1000000), ora_unit_of(FB_S("s")));
    case FB_N_TEXT:
        return text_expr(s, n);
    case FB_N_BOOL:
        return bool_expr(s, n);
    case FB_N_UNKNOWN:
        return ora_new_expr(s, ORA_UNKNOWN, FB_T_BOOL);
    case FB_N_NAME: {
        struct ora_expr *e = name_expr(s, n);
        FB_ASSERT(e != NULL);
        return e;
    }
    case FB_N_SILENT:
        return silent_expr(s, n);
    case FB_N_NEGATE:
        return negate_expr(s, n);
    case FB_N_ARITH:
        return arith_expr(s, n);
    case FB_N_COMPARE:
        return compare_expr(s, n);
    case FB_N_IN:
        return in_expr(s, n);
    case FB_N_IS:
        return quality_expr(s, n);
    case FB_N_MATCHES:
        return matches_expr(s, n);
    case FB_N_NOT: {
        s->turned = !s->turned;
        struct ora_expr *a = ora_expand_expr(s, n->a);
        s->turned = !s->turned;
        return ora_not(s, a);
    }
    case FB_N_AND:
    case FB_N_OR: {
        struct ora_expr *a = ora_expand_expr(s, n->a), *b = ora_expand_expr(s, n->b);
        return ora_two(s, n->kind == FB_N_AND ? ORA_AND : ORA_OR, a, b);
    }
    case FB_N_PERCENT_OF:
        return percent_expr(s, n);
    case FB_N_VOTE:
        return vote_expr(s, n);
    case FB_N_IF:
        return if_expr(s, n);
    case FB_N_CALL:
        return call_expr(s, n);
    case FB_N_FOR: /* the copy for the deadband has none */
        return s->in_copy ? ora_expand_expr(s, n->a) : ora_for(s, ora_expand_expr(s, n->a), n->b);
    case FB_N_UNTIL: {
        struct ora_expr *a = ora_expand_expr(s, n->a), *b = ora_expand_expr(s, n->b);
        return ora_two(s, ORA_UNTIL, a, b);
    }
    case FB_N_LINKED:
        return ora_linked_expr(s, n);
    case FB_N_GROUP:
        return ora_group_expr(s, n);
    }
    FB_BUG("a node of an expression");
}
