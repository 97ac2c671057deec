/* Expressions at an instant (M10, M22 to M27, and the functions of language.md, section 7). */
#include "tests/oracle/oracle_internal.h"
#include "tests/oracle/oracle_acting.h"

#include "engine/base/err.h"
#include "engine/base/num.h"

#include <string.h>

struct fb_value ora_not_known(void) {
    return (struct fb_value){.quality = FB_Q_UNKNOWN};
}

struct fb_value ora_known_number(double x) {
    if (!fb_num_finite(x))
        return ora_not_known();
    return (struct fb_value){.num = x, .quality = FB_Q_GOOD};
}

struct fb_value ora_known_bool(bool truth) {
    return (struct fb_value){.i = truth, .quality = FB_Q_GOOD};
}

static bool known(struct fb_value v) {
    return v.quality == FB_Q_GOOD;
}

bool ora_is_true(struct fb_value v) {
    return known(v) && v.i != 0;
}

static bool is_false(struct fb_value v) {
    return known(v) && v.i == 0;
}

double ora_number_of(const struct ora_expr *e, struct fb_value v) {
    return e->type == FB_T_NUMBER || e->type == FB_T_COUNTER ? v.num : (double)v.i;
}

void ora_note_deadline(struct ora_view *view, int64_t due) {
    if (due > view->t && due < view->next)
        view->next = due;
}

void ora_note_deadline_now(struct ora_view *view, int64_t due) {
    if (due >= view->t && due < view->next)
        view->next = due;
}

/* M10. */
struct fb_value ora_field_at(const struct ora_view *view, uint32_t field) {
    struct fb_value value = ora_not_known();
    if (view->late != NULL && view->late->carries[field]) {
        if (view->late->good[field])
            return view->late->values[field];
        value.quality = FB_Q_BAD;
        return value;
    }
    if (view->n == 0)
        return value;
    const struct ora_held *held = &view->device->records[view->n - 1].after[field];
    int64_t stale = view->device->class->stale[field];
    if (!held->seen)
        return value;
    if (held->bad) {
        value.quality = FB_Q_BAD;
        return value;
    }
    value = held->value;
    if (stale > 0 && view->t - held->good_ts > stale)
        value.quality = FB_Q_STALE;
    return value;
}

static struct fb_value field_and_deadline(struct ora_view *view, uint32_t field) {
    struct fb_value value = ora_field_at(view, field);
    int64_t stale = view->device->class->stale[field];
    if (value.quality == FB_Q_GOOD && stale > 0) {
        const struct ora_held *held = &view->device->records[view->n - 1].after[field];
        ora_note_deadline(view, held->good_ts + stale + 1);
    }
    return value;
}

static struct fb_value arith(const struct ora_expr *e, struct fb_value a, struct fb_value b) {
    if (!known(a) || !known(b))
        return ora_not_known();
    double x = ora_number_of(e->a, a), y = ora_number_of(e->b, b);
    switch (e->op) {
    case FB_OP_ADD:
        return ora_known_number(x + y);
    case FB_OP_SUB:
        return ora_known_number(x - y);
    case FB_OP_MUL:
        return ora_known_number(x * y);
    case FB_OP_DIV:
        return ora_known_number(x / y);
    default:
        break;
    }
    FB_BUG("an arithmetic operator");
}

static bool holds_for(enum fb_op op, int order) {
    switch (op) {
    case FB_OP_LT:
        return order < 0;
    case FB_OP_LE:
        return order <= 0;
    case FB_OP_GT:
        return order > 0;
    case FB_OP_GE:
        return order >= 0;
    case FB_OP_EQ:
        return order == 0;
    case FB_OP_NE:
        return order != 0;
    default:
        break;
    }
    FB_BUG("a comparison");
}

/* -1, 0, 1 for two known values. */
static int order_of(const struct ora_expr *ea, struct fb_value a, const struct ora_expr *eb,
                    struct fb_value b) {
    if (ea->type == FB_T_TEXT)
        return fb_str_cmp(a.text, b.text);
    bool doubles = ea->type == FB_T_NUMBER || ea->type == FB_T_COUNTER || eb->type == FB_T_NUMBER ||
                   eb->type == FB_T_COUNTER;
    if (!doubles)
        return (a.i > b.i) - (a.i < b.i);
    double x = ora_number_of(ea, a), y = ora_number_of(eb, b);
    return (x > y) - (x < y);
}

static struct fb_value compare(enum fb_op op, const struct ora_expr *ea, struct fb_value a,
                               const struct ora_expr *eb, struct fb_value b) {
    if (!known(a) || !known(b))
        return ora_not_known();
    return ora_known_bool(holds_for(op, order_of(ea, a, eb, b)));
}

static struct fb_value not3(struct fb_value a) {
    return known(a) ? ora_known_bool(a.i == 0) : a;
}

static struct fb_value and3(struct fb_value a, struct fb_value b) {
    if (is_false(a) || is_false(b))
        return ora_known_bool(false);
    return known(a) && known(b) ? ora_known_bool(true) : ora_not_known();
}

static struct fb_value or3(struct fb_value a, struct fb_value b) {
    return not3(and3(not3(a), not3(b)));
}

static struct fb_value in_range(struct ora_view *view, const struct ora_expr *e) {
    struct fb_value x = ora_eval(view, e->a), low = ora_eval(view, e->b),
                    high = ora_eval(view, e->c);
    struct fb_value inside =
        and3(compare(FB_OP_GE, e->a, x, e->b, low), compare(FB_OP_LE, e->a, x, e->c, high));
    return e->negated ? not3(inside) : inside;
}

static struct fb_value in_list(struct ora_view *view, const struct ora_expr *e) {
    struct fb_value x = ora_eval(view, e->a), inside = ora_known_bool(false);
    for (uint32_t i = 0; i < e->n_items; i++) {
        struct fb_value item = ora_eval(view, e->items[i]);
        inside = or3(inside, compare(FB_OP_EQ, e->a, x, e->items[i], item));
    }
    return e->negated ? not3(inside) : inside;
}

static struct fb_value matches(const struct ora_expr *e, struct fb_value a) {
    char text[FB_TEXT_BYTES_MAX + 1];
    if (!known(a))
        return ora_not_known();
    FB_ASSERT(a.text.n <= FB_TEXT_BYTES_MAX);
    memcpy(text, a.text.p, a.text.n);
    text[a.text.n] = 0;
    return ora_known_bool(regexec(e->regex, text, 0, NULL, 0) == 0);
}

static struct fb_value vote(struct ora_view *view, const struct ora_expr *e) {
    uint32_t truths = 0, unknowns = 0;
    for (uint32_t i = 0; i < e->n_items; i++) {
        struct fb_value item = ora_eval(view, e->items[i]);
        truths += ora_is_true(item);
        unknowns += !known(item);
    }
    if (truths >= e->votes)
        return ora_known_bool(true);
    return truths + unknowns < e->votes ? ora_known_bool(false) : ora_not_known();
}

static struct fb_value least_or_greatest(struct ora_view *view, const struct ora_expr *e) {
    struct fb_value best = ora_not_known();
    bool all = true;
    for (uint32_t i = 0; i < e->n_items; i++) {
        struct fb_value item = ora_eval(view, e->items[i]);
        if (!known(item)) {
            all = false;
            continue;
        }
        double x = ora_number_of(e->items[i], item);
        bool better = e->kind == ORA_MIN ? x < best.num : x > best.num;
        if (!known(best) || better)
            best = ora_known_number(x);
    }
    return all ? best : ora_not_known();
}

static struct fb_value clamp(struct ora_view *view, const struct ora_expr *e) {
    struct fb_value x = ora_eval(view, e->a), low = ora_eval(view, e->b),
                    high = ora_eval(view, e->c);
    if (!known(x) || !known(low) || !known(high))
        return ora_not_known();
    double v = ora_number_of(e->a, x), l = ora_number_of(e->b, low), h = ora_number_of(e->c, high);
    if (l > h)
        return ora_not_known();
    return ora_known_number(v < l ? l : v > h ? h : v);
}

static struct fb_value function1(const struct ora_expr *e, struct fb_value a) {
    if (!known(a))
        return ora_not_known();
    double x = ora_number_of(e->a, a);
    switch (e->kind) {
    case ORA_NEGATE:
        return ora_known_number(-x);
    case ORA_ABS:
        return ora_known_number(x < 0 ? -x : x);
    case ORA_ROUND:
        return ora_known_number(fb_num_round(x));
    case ORA_SQRT:
        return x < 0 ? ora_not_known() : ora_known_number(fb_num_sqrt(x));
    case ORA_PERCENT_OF:
        return ora_known_number(x * e->constant.num / 100);
    case ORA_CONVERT: {
        const struct ora_conversion *to = &e->conversion;
        return ora_known_number((to->divide ? x / to->factor : x * to->factor) + to->offset);
    }
    default:
        break;
    }
    FB_BUG("a function of one value");
}

/* Whole microseconds of a number of seconds, halves away from zero (M23, M26). */
static int64_t microseconds(double seconds) {
    double us = fb_num_round(seconds * 1e6);
    if (us > 9.2e18)
        return INT64_MAX;
    return us < -9.2e18 ? INT64_MIN : (int64_t)us;
}

/* M23. */
struct fb_value ora_step_for(struct ora_view *view, struct ora_op *state, struct fb_value c,
                             struct fb_value seconds) {
    struct ora_op next = *state;
    struct fb_value value = ora_not_known();
    int64_t d = known(seconds) && seconds.num >= 0 ? microseconds(seconds.num) : -1;
    if (ora_is_true(c)) {
        if (!next.running) {
            next.running = true;
            next.t0 = view->t;
        } else if (next.paused) {
            next.t0 += view->t - next.paused_at;
        }
        next.paused = false;
        if (d >= 0) {
            value = ora_known_bool(view->t - next.t0 >= d);
            ora_note_deadline(view, fb_add_sat(next.t0, d));
        }
    } else if (is_false(c)) {
        next.running = next.paused = false;
        if (d >= 0)
            value = ora_known_bool(false);
    } else if (next.running && !next.paused) {
        next.paused = true;
        next.paused_at = view->t;
    }
    *state = next;
    return value;
}

/* M24: the table, line by line. */
static struct fb_value step_until(struct ora_op *state, struct fb_value a, struct fb_value b) {
    bool s = state->set;
    struct fb_value value;
    if (ora_is_true(b)) {
        s = false;
        value = ora_known_bool(false);
    } else if (is_false(b)) {
        if (ora_is_true(a))
            s = true;
        value = ora_is_true(a) || s ? ora_known_bool(true)
                : is_false(a)       ? ora_known_bool(false)
                                    : ora_not_known();
    } else {
        if (ora_is_true(a))
            s = true;
        value = is_false(a) && !s ? ora_known_bool(false) : ora_not_known();
    }
    state->set = s;
    return value;
}

/* M25: the time since the last rise, in microseconds. */
static struct fb_value step_elapsed(const struct ora_view *view, struct ora_op *state,
                                    struct fb_value c) {
    if (ora_is_true(c) && !state->last_known) {
        state->risen = true;
        state->rise = view->t;
    }
    if (known(c))
        state->last_known = ora_is_true(c);
    if (!state->risen)
        return ora_not_known();
    return (struct fb_value){.i = view->t - state->rise, .quality = FB_Q_GOOD};
}

/* M26: microseconds since the last good sample, or since W. */
static struct fb_value age_of(const struct ora_view *view, const struct ora_expr *e) {
    int64_t since = view->device->w;
    if (e->field != ORA_EVERY_RECORD) {
        if (view->n == 0 || !view->device->records[view->n - 1].after[e->field].good_once)
            return ora_not_known();
        since = view->device->records[view->n - 1].after[e->field].good_ts;
    }
    return (struct fb_value){.i = view->t - since, .quality = FB_Q_GOOD};
}

static struct ora_op *op_of(const struct ora_view *view, const struct ora_expr *e) {
    return &view->device->conditions[e->home->index].ops[e->op_index];
}

/* A comparison of age or elapsed with a span; its timer stands at the crossing (M8). */
static struct fb_value clock_compare(struct ora_view *view, const struct ora_expr *e) {
    struct fb_value span;
    if (e->a->kind == ORA_AGE)
        span = age_of(view, e->a);
    else
        span = step_elapsed(view, op_of(view, e->a), ora_eval(view, e->a->a));
    struct fb_value other = ora_eval(view, e->b);
    if (!known(span) || !known(other))
        return ora_not_known();
    int64_t d = microseconds(ora_number_of(e->b, other)), start = view->t - span.i;
    if (e->op == FB_OP_GE || e->op == FB_OP_LT || e->op == FB_OP_EQ || e->op == FB_OP_NE)
        ora_note_deadline(view, fb_add_sat(start, d));
    if (e->op == FB_OP_GT || e->op == FB_OP_LE || e->op == FB_OP_EQ || e->op == FB_OP_NE)
        ora_note_deadline(view, fb_add_sat(fb_add_sat(start, d), 1));
    return ora_known_bool(holds_for(e->op, (span.i > d) - (span.i < d)));
}

/* M27. */
static struct fb_value silent(const struct ora_view *view, const struct ora_expr *e) {
    const struct ora_record *record = view->record;
    bool heard = record != NULL && !record->late && !view->again &&
                 (e->field == ORA_EVERY_RECORD || record->carries[e->field]);
    return ora_known_bool(!heard);
}

static struct fb_value is_quality(struct ora_view *view, const struct ora_expr *e) {
    struct fb_value value =
        e->a != NULL ? ora_eval(view, e->a) : field_and_deadline(view, (uint32_t)e->field);
    bool is = e->quality == FB_Q_UNKNOWN ? !known(value) : value.quality == e->quality;
    return ora_known_bool(is != e->negated);
}

static struct fb_value coalesce(struct ora_view *view, const struct ora_expr *e) {
    struct fb_value first = ora_not_known();
    for (uint32_t i = 0; i < e->n_items; i++) {
        struct fb_value item = ora_eval(view, e->items[i]);
        if (known(first) || !known(item))
            continue;
        first = e->type == FB_T_NUMBER ? ora_known_number(ora_number_of(e->items[i], item)) : item;
    }
    return first;
}

static struct fb_value choose(struct ora_view *view, const struct ora_expr *e) {
    struct fb_value c = ora_eval(view, e->a), yes = ora_eval(view, e->b), no = ora_eval(view, e->c);
    if (e->kind == ORA_IF && !known(c))
        return ora_not_known();
    const struct ora_expr *chosen = ora_is_true(c) ? e->b : e->c;
    struct fb_value value = ora_is_true(c) ? yes : no;
    if (known(value) && e->type == FB_T_NUMBER)
        return ora_known_number(ora_number_of(chosen, value));
    return value;
}

/* for, until, elapsed: a look gives what the condition had at its last evaluation (M34). */
static struct fb_value temporal(struct ora_view *view, const struct ora_expr *e) {
    struct ora_op *state = op_of(view, e->kind == ORA_CLOCK ? e->a : e);
    if (!view->keep)
        return state->value;
    if (e->kind == ORA_CLOCK) {
        state->value = clock_compare(view, e);
    } else {
        struct fb_value a = ora_eval(view, e->a), b = ora_eval(view, e->b);
        if (e->followed != NULL)
            ora_follow(view, e->followed, a, b);
        state->value =
            e->kind == ORA_FOR ? ora_step_for(view, state, a, b) : step_until(state, a, b);
    }
    return state->value;
}

static struct fb_value evaluate(struct ora_view *view, const struct ora_expr *e) {
    switch (e->kind) {
    case ORA_CONST:
        return e->constant;
    case ORA_UNKNOWN:
        return ora_not_known();
    case ORA_FIELD: {
        struct fb_value value = field_and_deadline(view, (uint32_t)e->field);
        return known(value) ? value : ora_not_known();
    }
    case ORA_IS:
        return is_quality(view, e);
    case ORA_CONVERT:
    case ORA_NEGATE:
    case ORA_PERCENT_OF:
    case ORA_ABS:
    case ORA_ROUND:
    case ORA_SQRT:
        return function1(e, ora_eval(view, e->a));
    case ORA_ARITH: {
        struct fb_value a = ora_eval(view, e->a), b = ora_eval(view, e->b);
        return arith(e, a, b);
    }
    case ORA_MIN:
    case ORA_MAX:
        return least_or_greatest(view, e);
    case ORA_CLAMP:
        return clamp(view, e);
    case ORA_COMPARE: {
        struct fb_value a = ora_eval(view, e->a), b = ora_eval(view, e->b);
        return compare(e->op, e->a, a, e->b, b);
    }
    case ORA_CLOCK:
        return e->a->kind == ORA_ELAPSED ? temporal(view, e) : clock_compare(view, e);
    case ORA_IN_RANGE:
        return in_range(view, e);
    case ORA_IN_LIST:
        return in_list(view, e);
    case ORA_MATCHES:
        return matches(e, ora_eval(view, e->a));
    case ORA_NOT:
        return not3(ora_eval(view, e->a));
    case ORA_AND: {
        struct fb_value a = ora_eval(view, e->a), b = ora_eval(view, e->b);
        return and3(a, b);
    }
    case ORA_OR: {
        struct fb_value a = ora_eval(view, e->a), b = ora_eval(view, e->b);
        return or3(a, b);
    }
    case ORA_VOTE:
        return vote(view, e);
    case ORA_IF:
    case ORA_CASE:
        return choose(view, e);
    case ORA_COALESCE:
        return coalesce(view, e);
    case ORA_LET:
        return ora_eval(view, e->a);
    case ORA_FOR:
    case ORA_UNTIL:
        return temporal(view, e);
    case ORA_SILENT:
        return silent(view, e);
    case ORA_WINDOW:
    case ORA_PREVIOUS:
    case ORA_CHANGE:
    case ORA_CHANGED:
        return ora_window_value(view, e);
    case ORA_ALARM:
        return ora_alarm_value(view->device, e);
    case ORA_MODE:
        return ora_mode_value(view->device, e->mode);
    case ORA_ACTUATOR:
        return ora_accepted(view->device, e->actuator);
    case ORA_LINKED:
    case ORA_GROUP:
        return ora_other_value(view, e);
    case ORA_ASKED_ON:
    case ORA_ASKED_VALUE:
        return ora_asked(view, e);
    case ORA_IN_STATE:
        return ora_in_state(view, e);
    case ORA_AGE:
    case ORA_ELAPSED:
    case ORA_KINDS:
        break;
    }
    FB_BUG("an expression that has a value of its own");
}

struct fb_value ora_eval(struct ora_view *view, const struct ora_expr *e) {
    struct fb_value value = evaluate(view, e);
    uint64_t *count = e->kind == ORA_WINDOW ? view->o->windows[e->window->shape][e->aggregate]
                                            : view->o->kinds[e->kind];
    count[0]++;
    count[1] += known(value);
    count[2] += known(value) && e->type == FB_T_BOOL && value.i != 0;
    return value;
}
