/* Calls: arguments, windows, and what a function gives.
 *
 * Place in the flow: inside check; what each function takes is in rules/functions.inc. */
#include <string.h>

#include "engine/base/err.h"
#include "rules/check_internal.h"
#include "rules/lint_internal.h"

#define DAY_US INT64_C(86400000000)

enum {
    LAST_MAX = 1024, /* samples of `over last` */
    ARGUMENTS_MAX = 64
};

/* ---- windows -------------------------------------------------------------------------------- */

static bool check_each(struct fb_checker *ck, const struct fb_arg *arg, int64_t us) {
    if (us > 0 && (us == 7 * DAY_US || (us <= DAY_US && DAY_US % us == 0)))
        return true;
    fb_diag_add(ck->diags, FB_E_WINDOW_LENGTH, arg->length->span,
                "for instance 1m, 5m, 10m, 15m, 30m, 1h, 6h, 12h, 1d, 7d",
                "the length of `each` must divide a day, or be 1d or 7d");
    return false;
}

static bool check_over(struct fb_checker *ck, const struct fb_arg *arg, int64_t us) {
    if (us > 0) /* too long a one depends on how it is kept: lowering says so */
        return true;
    fb_diag_add(ck->diags, FB_E_WINDOW_LENGTH, arg->length->span, NULL,
                "a window must be longer than nothing");
    return false;
}

static bool check_last(struct fb_checker *ck, const struct fb_arg *arg) {
    if (arg->last >= 1 && arg->last <= LAST_MAX)
        return true;
    fb_diag_add(ck->diags, FB_E_WINDOW_LENGTH, arg->span, NULL, "`over last` keeps 1 to %d samples",
                LAST_MAX);
    return false;
}

static bool check_length(struct fb_checker *ck, const struct fb_arg *arg) {
    int64_t us;
    if (arg->window == FB_W_LAST)
        return check_last(ck, arg);
    if (!fb_check_duration(ck, arg->length, true, &us))
        return false;
    return arg->window == FB_W_EACH ? check_each(ck, arg, us) : check_over(ck, arg, us);
}

static const char *moving_text(const struct fb_node *node) {
    switch (node->kind) {
    case FB_N_FOR:
        return "for";
    case FB_N_UNTIL:
        return "until";
    case FB_N_SILENT:
        return "silent";
    default:
        return NULL;
    }
}

static bool inside(struct fb_span inner, struct fb_span outer) {
    return inner.file == outer.file && inner.start >= outer.start && inner.end <= outer.end;
}

/* A sample is taken when a record comes, so nothing in it may change without one. What comes
 * through a let is shown where the let is used. */
static bool check_still(struct fb_checker *ck, const struct fb_facts *facts,
                        const struct fb_node *call, const struct fb_arg *arg) {
    const struct fb_node *wrong = facts->moving ? facts->moving : facts->window;
    if (!wrong)
        return true;
    const char *word = moving_text(wrong);
    struct fb_str name = word ? fb_str_of(word) : wrong->text;
    bool here = inside(wrong->span, arg->span);
    struct fb_span span = here ? wrong->span : arg->expr->span;
    const char *how = here ? "" : "by a let, ";
    if (facts->moving)
        fb_diag_add(ck->diags, FB_E_MOVES_IN_WINDOW, span,
                    "a window keeps samples, which are taken when a record comes; put the operator "
                    "around the window",
                    "%s`%.*s` changes without a record, so it cannot stand inside `%.*s(..)`", how,
                    FB_ARG(name), FB_ARG(call->text));
    else
        fb_diag_add(ck->diags, FB_E_WINDOW_IN_WINDOW, span,
                    "use one window, or compare the two beside each other",
                    "%s`%.*s(..)` has a window of its own, so it cannot stand inside `%.*s(..)`",
                    how, FB_ARG(name), FB_ARG(call->text));
    return false;
}

/* A sample comes with a record of this device, so it is made of at least one value of it. */
static bool check_own(struct fb_checker *ck, const struct fb_facts *facts,
                      const struct fb_field_set *reads, const struct fb_node *call,
                      const struct fb_arg *arg) {
    const struct fb_scope *scope = ck->scope;
    while (scope && !scope->class_decl)
        scope = scope->outer;
    const struct fb_class_decl *decl = scope ? scope->class_decl : NULL;
    const struct fb_node *others = facts->others;
    if (!others || !decl || decl->broken ||
        decl->n_keys == decl->n_fields) /* a group has no records, which is told elsewhere */
        return true;
    for (uint32_t i = decl->n_keys; i < decl->n_fields; i++)
        if (fb_field_set_has(reads, i))
            return true;
    bool linked = others->kind == FB_N_LINKED;
    struct fb_str other = linked ? others->link->class_name : others->group->class_name;
    const char *help =
        linked && others == arg->expr && !arg->where
            ? fb_check_print(ck,
                             "keep the window where the records come: `device %.*s { let .. = "
                             "%.*s(%s%s) }`, and read that let behind the dot",
                             FB_ARG(other), FB_ARG(call->text), fb_check_source(ck, others->there),
                             arg->window ? " .." : "")
            : fb_check_print(ck,
                             "keep a window where the records come, in a let of `%.*s`, and read "
                             "that let here; or compute with a field of `%.*s`, too",
                             FB_ARG(other), FB_ARG(decl->name));
    fb_diag_add(ck->diags, FB_E_SAMPLES_OF_OTHERS, arg->expr->span, help,
                "`%.*s(..)` takes its samples from the records of this `%.*s`, and `%s` reads "
                "nothing of them",
                FB_ARG(call->text), FB_ARG(decl->name), fb_check_source(ck, arg->expr));
    return false;
}

static bool looks_back(const struct fb_node *call) {
    return fb_str_eq(call->text, FB_S("previous")) || fb_str_eq(call->text, FB_S("change"));
}

/* Types what is kept in a window, apart from what stands around it. */
static bool check_sample(struct fb_checker *ck, struct fb_node *call, struct fb_arg *arg,
                         struct fb_facts *facts) {
    struct fb_facts *outer = ck->facts;
    bool ok = true;
    *facts = (struct fb_facts){0};
    ck->facts = facts;
    if (arg->expr) {
        fb_check_node(ck, arg->expr, NULL);
        ok = !fb_check_failed(arg->expr);
    }
    const struct fb_field_set sampled = facts->reads;
    if (arg->where)
        ok &= fb_check_condition(ck, arg->where, "what stands behind `where`");
    ck->facts = outer;
    ok = ok && check_still(ck, facts, call, arg);
    ok = ok && (!arg->expr || check_own(ck, facts, &sampled, call, arg));
    struct fb_facts seen = *facts;
    seen.moving = arg->window == FB_W_EACH ? call : NULL;
    /* previous and change look at samples only: they may stand in another one's. */
    seen.window = looks_back(call) ? NULL : call;
    seen.lookup_only = call;
    fb_facts_add(ck->facts, &seen);
    return ok;
}

/* ---- what a function takes ------------------------------------------------------------------ */

static const struct fb_node *plain(const struct fb_node *node) {
    for (int i = 0; i < FB_CHECK_DEPTH_MAX && node->kind == FB_N_NAME && node->ref == FB_REF_LET &&
                    !node->let->unit;
         i++)
        node = node->let->value;
    return node;
}

/* A field or tag: a key is none here, for it never changes and its samples are not counted. */
static bool is_field(const struct fb_node *node) {
    return node->kind == FB_N_NAME && node->ref == FB_REF_FIELD && node->field->role != FB_KEY;
}

static bool takes_anything(struct fb_checker *ck, const struct fb_function *f,
                           const struct fb_node *node) {
    if (node->kind == FB_N_UNKNOWN || node->type == FB_T_NUMBER || node->type == FB_T_BOOL)
        return node->kind != FB_N_UNKNOWN;
    if (node->type == FB_T_COUNTER && f->id != FB_F_previous)
        return fb_check_is_number(ck, node);
    if (is_field(plain(node)))
        return true;
    fb_diag_add(ck->diags, FB_E_NOT_A_FIELD, node->span, "give it the field itself",
                "`%.*s` keeps %s only of a field, and `%s` is none", FB_ARG(f->name),
                fb_check_type_text(node->type), fb_check_source(ck, node));
    return false;
}

static bool takes_counter(struct fb_checker *ck, const struct fb_function *f,
                          const struct fb_node *node) {
    if (node->type == FB_T_COUNTER)
        return true;
    const char *source = fb_check_source(ck, node);
    fb_diag_add(ck->diags, FB_E_NOT_A_COUNTER, node->span,
                fb_check_print(ck,
                               "declare it as a counter if it only grows; of a gauge, "
                               "`delta(%s over ..)` is the change",
                               source),
                "`%.*s` is for counters, and `%s` is %s", FB_ARG(f->name), source,
                fb_check_type_text(node->type));
    return false;
}

static bool takes_condition(struct fb_checker *ck, const struct fb_function *f,
                            struct fb_node *node) {
    if (node->kind == FB_N_UNKNOWN)
        node->type = FB_T_BOOL;
    if (node->type == FB_T_BOOL)
        return true;
    const char *source = fb_check_source(ck, node);
    fb_diag_add(ck->diags, FB_E_NOT_A_CONDITION, node->span,
                f->id == FB_F_count
                    ? "`count(over ..)` counts records, `count(c over ..)` those with c true"
                    : NULL,
                "`%.*s` looks at something that is true or false, and `%s` is %s", FB_ARG(f->name),
                source, fb_check_type_text(node->type));
    return false;
}

static bool takes_numbers(struct fb_checker *ck, const struct fb_function *f,
                          const struct fb_node *node) {
    if (node->type == FB_T_BOOL && f->window == FB_WINDOW_ALWAYS) {
        fb_diag_add(ck->diags, FB_E_NOT_A_NUMBER, node->span,
                    "`count(c over w)` counts samples, `any` and `all` look at the whole window",
                    "`%.*s` takes a number, and `%s` is a bool", FB_ARG(f->name),
                    fb_check_source(ck, node));
        return false;
    }
    return fb_check_is_number(ck, node);
}

static bool takes(struct fb_checker *ck, const struct fb_function *f, struct fb_node *node) {
    switch (f->takes) {
    case FB_TAKES_NUMBERS:
        return takes_numbers(ck, f, node);
    case FB_TAKES_COUNTER:
        return takes_counter(ck, f, node);
    case FB_TAKES_CONDITION:
        return takes_condition(ck, f, node);
    case FB_TAKES_ANYTHING:
        return takes_anything(ck, f, node);
    case FB_TAKES_FIELD:
        if (is_field(node))
            return true;
        fb_diag_add(ck->diags, FB_E_NOT_A_FIELD, node->span,
                    "name a field, or leave it out: `age()` is of the whole record",
                    "`%.*s` is of a field, and `%s` is none", FB_ARG(f->name),
                    fb_check_source(ck, node));
        return false;
    case FB_TAKES_ALIKE:
    case FB_TAKES_BETWEEN:
        break;
    }
    return true;
}

/* ---- what it gives -------------------------------------------------------------------------- */

static bool refuse_point(struct fb_checker *ck, const struct fb_node *call,
                         const struct fb_node *arg, const char *help) {
    fb_diag_add(ck->diags, FB_E_TEMPERATURE_ARITHMETIC, call->op_span, help,
                "`%s` is a temperature in %.*s, whose `%.*s` has no meaning",
                fb_check_source(ck, arg), FB_ARG(fb_unit_text(arg->unit)), FB_ARG(call->text));
    return false;
}

static bool gives_root(struct fb_checker *ck, struct fb_node *call, const struct fb_node *arg) {
    const struct fb_unit *root;
    if (!fb_unit_root(ck->units, arg->unit, &root)) {
        fb_diag_add(ck->diags, FB_E_NO_ROOT, call->op_span,
                    "make it a square first, or divide it by its unit: `sqrt(x / 1 bar)`",
                    "%s, which has no square root", fb_check_in_unit(ck, arg));
        return false;
    }
    call->type = FB_T_NUMBER;
    call->unit = root;
    return true;
}

/* Type and unit of a call of one value; arg may be NULL where the type does not depend on it. */
static bool gives(struct fb_checker *ck, const struct fb_function *f, struct fb_node *call,
                  const struct fb_node *arg) {
    bool point = arg && fb_unit_is_point(arg->unit);
    switch (f->gives) {
    case FB_GIVES_SAME:
        call->type =
            f->window == FB_WINDOW_NEVER || f->takes == FB_TAKES_ANYTHING ? arg->type : FB_T_NUMBER;
        call->unit = arg->unit;
        call->difference = arg->difference;
        return true;
    case FB_GIVES_SUM:
        if (point)
            return refuse_point(ck, call, arg, "`avg` is their mean");
        break;
    case FB_GIVES_SIZE:
        if (point)
            return refuse_point(ck, call, arg, "subtract a temperature first");
        break;
    case FB_GIVES_SAME_NUMBER:
        break;
    case FB_GIVES_DIFFERENCE:
        call->type = FB_T_NUMBER;
        call->unit = fb_unit_difference(ck->units, arg->unit);
        call->difference = fb_unit_is_temperature(arg->unit);
        return true;
    case FB_GIVES_PER_SECOND:
        call->type = FB_T_NUMBER;
        call->unit = fb_unit_per_second(ck->units, arg->unit);
        return true;
    case FB_GIVES_ROOT:
        return gives_root(ck, call, arg);
    case FB_GIVES_COUNT:
        call->type = FB_T_NUMBER;
        return true;
    case FB_GIVES_BOOL:
        call->type = FB_T_BOOL;
        return true;
    case FB_GIVES_SECONDS:
        call->type = FB_T_NUMBER;
        call->unit = fb_unit_second(ck->units);
        return true;
    }
    call->type = FB_T_NUMBER;
    call->unit = arg->unit;
    call->difference = arg->difference;
    return true;
}

/* ---- shapes of calls ------------------------------------------------------------------------ */

static void refuse_shape(struct fb_checker *ck, const struct fb_node *call,
                         const struct fb_function *f, enum fb_diag_code code, const char *what) {
    fb_diag_add(ck->diags, code, call->op_span, fb_check_print(ck, "as in `%s`", f->example), "%s",
                what);
}

static bool has_window(const struct fb_node *call) {
    for (uint32_t i = 0; i < call->n_args; i++)
        if (call->args[i].window)
            return true;
    return false;
}

/* The parts of a span of time keep numbers; a text has its place only among the last samples. */
static bool keeps_text(struct fb_checker *ck, const struct fb_function *f,
                       const struct fb_arg *arg) {
    if (!arg->expr || arg->expr->type != FB_T_TEXT || arg->window == FB_W_LAST)
        return true;
    const char *source = fb_check_source(ck, arg->expr);
    fb_diag_add(ck->diags, FB_E_WINDOW_NOT_TAKEN, arg->span,
                fb_check_print(ck, "as in `%.*s(%s over last 5)`, or declare the words that it can "
                                   "have: `one of (..)`",
                               FB_ARG(f->name), source),
                "`%.*s` of a text looks at a number of samples, and `%s` is a text",
                FB_ARG(f->name), source);
    return false;
}

static void check_windowed(struct fb_checker *ck, struct fb_node *call,
                           const struct fb_function *f) {
    struct fb_facts facts;
    if (call->n_args != 1 || call->args[0].upto || (!call->args[0].expr && f->least > 0)) {
        refuse_shape(ck, call, f, FB_E_ARGUMENTS,
                     fb_check_print(ck, "`%.*s` takes one value and a window", FB_ARG(f->name)));
        return;
    }
    struct fb_arg *arg = &call->args[0];
    if (!check_sample(ck, call, arg, &facts))
        return;
    bool ok = check_length(ck, arg);
    if (arg->window == FB_W_LAST && call->needs) {
        fb_diag_add(ck->diags, FB_E_NEEDS, call->needs->span, "leave it out",
                    "`over last` needs its samples, not a share of time");
        ok = false;
    }
    if (ok && (!arg->expr || takes(ck, f, arg->expr)) && keeps_text(ck, f, arg))
        gives(ck, f, call, arg->expr);
}

/* age, elapsed: a timer is set at the crossing of what they are compared with. */
static void check_moving(struct fb_checker *ck, struct fb_node *call, const struct fb_function *f) {
    struct fb_facts here = {.moving = call, .lookup_only = call};
    struct fb_node *arg = call->n_args ? call->args[0].expr : NULL;
    bool compared = call == ck->compared[0] || call == ck->compared[1];
    if (arg) {
        fb_check_node(ck, arg, NULL);
        if (fb_check_failed(arg) || !takes(ck, f, arg))
            return;
    }
    if (!compared) {
        fb_diag_add(ck->diags, FB_E_MOVING_VALUE, call->op_span,
                    fb_check_print(ck, "as in `%s`", f->example),
                    "`%.*s` moves with time, so it stands only as one side of a comparison",
                    FB_ARG(call->text));
        return;
    }
    fb_facts_add(ck->facts, &here);
    gives(ck, f, call, arg);
}

static void check_single(struct fb_checker *ck, struct fb_node *call, const struct fb_function *f) {
    if (f->gives == FB_GIVES_SECONDS) {
        check_moving(ck, call, f);
        return;
    }
    struct fb_node *arg = call->args[0].expr;
    if (f->id == FB_F_previous || f->id == FB_F_change || f->id == FB_F_changed) {
        struct fb_facts facts;
        if (!check_sample(ck, call, &call->args[0], &facts))
            return;
    } else {
        fb_check_node(ck, arg, NULL);
        if (fb_check_failed(arg))
            return;
        if (arg->kind == FB_N_UNKNOWN)
            arg->type = FB_T_NUMBER;
    }
    if (takes(ck, f, arg))
        gives(ck, f, call, arg);
}

static void check_several(struct fb_checker *ck, struct fb_node *call, struct fb_node **values,
                          uint32_t n, const struct fb_function *f) {
    const struct fb_type_decl *words = NULL;
    enum fb_type type;
    for (uint32_t i = 0; i < n && !words; i++)
        words = fb_check_foresee(ck, values[i]);
    for (uint32_t i = 0; i < n; i++)
        fb_check_node(ck, values[i], words);
    if (!fb_check_alike(ck, values, n, &type, call->op_span))
        return;
    bool number = type == FB_T_NUMBER || type == FB_T_INTEGER;
    if (type == FB_T_COUNTER || (!number && f->takes != FB_TAKES_ALIKE)) {
        fb_check_is_number(ck, values[0]);
        return;
    }
    if (number) {
        if (!fb_check_bring(ck, values, n, call->op_span, "used together"))
            return;
        call->unit = fb_check_common_unit(values, n);
        for (uint32_t i = 0; i < n; i++)
            call->difference |= values[i]->difference;
    }
    call->type = type;
}

static void check_clamp(struct fb_checker *ck, struct fb_node *call, const struct fb_function *f) {
    if (call->n_args != 2 || !call->args[0].expr || !call->args[1].expr || !call->args[1].upto) {
        refuse_shape(ck, call, f, FB_E_ARGUMENTS, "`clamp` takes a value and a range");
        return;
    }
    struct fb_node *values[] = {call->args[0].expr, call->args[1].expr, call->args[1].upto};
    check_several(ck, call, values, 3, f);
    double low, high;
    if (call->type != FB_T_NONE && fb_check_constant(values[1], call->unit, &low) &&
        fb_check_constant(values[2], call->unit, &high) && low > high) {
        fb_diag_add(ck->diags, FB_E_RANGE_ORDER, values[1]->span, "write the lower end first",
                    "the range is empty: its lower end is above its upper end");
        call->type = FB_T_NONE;
    }
}

static void check_plain(struct fb_checker *ck, struct fb_node *call, const struct fb_function *f) {
    struct fb_node *values[ARGUMENTS_MAX];
    for (uint32_t i = 0; i < call->n_args; i++) {
        const struct fb_arg *arg = &call->args[i];
        if (!arg->expr || arg->where || (arg->upto && f->takes != FB_TAKES_BETWEEN)) {
            refuse_shape(
                ck, call, f, FB_E_ARGUMENTS,
                fb_check_print(ck, "an argument of `%.*s` is a plain value", FB_ARG(f->name)));
            return;
        }
        values[i] = arg->expr;
    }
    if (f->takes == FB_TAKES_BETWEEN)
        check_clamp(ck, call, f);
    else if (f->most > 1)
        check_several(ck, call, values, call->n_args, f);
    else
        check_single(ck, call, f);
}

static const char *count_text(struct fb_checker *ck, const struct fb_function *f) {
    if (f->least == f->most)
        return fb_check_print(ck, "`%.*s` takes %u argument%s", FB_ARG(f->name), f->least,
                              f->least == 1 ? "" : "s");
    return fb_check_print(ck, "`%.*s` takes %u to %u arguments", FB_ARG(f->name), f->least,
                          f->most);
}

static void refuse_function(struct fb_checker *ck, const struct fb_node *call) {
    struct fb_str names[FB_FUNCTIONS];
    for (uint32_t i = 0; i < FB_FUNCTIONS; i++)
        names[i] = fb_function_row(i)->name;
    const char *help = fb_check_suggest(ck, call->text, names, FB_FUNCTIONS);
    fb_diag_add(ck->diags, FB_E_UNKNOWN_FUNCTION, call->op_span, help,
                "there is no function `%.*s`", FB_ARG(call->text));
}

struct share {
    struct fb_checker *ck;
    const struct fb_node *node; /* `5 % of fan`, where fan is a device */
};

static void find_share(const struct fb_node *node, void *arg) {
    struct share *share = arg;
    if (node->kind == FB_N_PERCENT_OF && node->a->kind == FB_N_NAME &&
        fb_map_get(share->ck->classes, node->a->text) != FB_MAP_NONE)
        share->node = node;
}

/* `any(speed > 5 % of fan)`: `5 % of x` is five hundredths of x, also where x is a device. */
static bool is_share_of_devices(struct fb_checker *ck, const struct fb_node *call) {
    struct share share = {.ck = ck};
    if (call->n_args == 0)
        return false;
    fb_lint_visit(call->args[0].expr, find_share, &share);
    if (!share.node)
        return false;
    fb_diag_add(ck->diags, FB_E_UNKNOWN_NAME, share.node->a->span,
                fb_check_print(ck, "put what stands before `of` in brackets: `%.*s((..) of %.*s)`",
                               FB_ARG(call->text), FB_ARG(share.node->a->text)),
                "`%s` is a share of a value, and `%.*s` is a device",
                fb_check_source(ck, share.node), FB_ARG(share.node->a->text));
    return true;
}

void fb_check_call(struct fb_checker *ck, struct fb_node *node) {
    const struct fb_function *f = fb_function_find(node->text);
    if (!f) {
        refuse_function(ck, node);
        return;
    }
    bool windowed = has_window(node);
    if (!windowed && is_share_of_devices(ck, node))
        return;
    if (windowed && f->window == FB_WINDOW_NEVER) {
        refuse_shape(ck, node, f, FB_E_WINDOW_NOT_TAKEN,
                     fb_check_print(ck, "`%.*s` takes no window", FB_ARG(f->name)));
    } else if (!windowed && f->window == FB_WINDOW_ALWAYS) {
        refuse_shape(ck, node, f, FB_E_WINDOW_MISSING,
                     fb_check_print(ck, "`%.*s` needs a window", FB_ARG(f->name)));
    } else if (node->needs && !windowed) {
        fb_diag_add(ck->diags, FB_E_NEEDS, node->needs->span, "leave it out",
                    "`needs` is a share of a window, and there is none");
    } else if (windowed) {
        check_windowed(ck, node, f);
    } else if (f->window == FB_WINDOW_EITHER && node->n_args < 2) {
        refuse_shape(
            ck, node, f, FB_E_WINDOW_MISSING,
            fb_check_print(ck, "`%.*s` needs a window, or several values", FB_ARG(f->name)));
    } else if (node->n_args < f->least || node->n_args > f->most) {
        refuse_shape(ck, node, f, FB_E_ARGUMENTS, count_text(ck, f));
    } else {
        check_plain(ck, node, f);
    }
}

void fb_check_silent(struct fb_checker *ck, struct fb_node *node) {
    struct fb_facts here = {.moving = node, .lookup_only = node};
    fb_facts_add(ck->facts, &here);
    if (node->a) {
        fb_check_node(ck, node->a, NULL);
        if (fb_check_failed(node->a))
            return;
        if (!is_field(node->a)) {
            fb_diag_add(ck->diags, FB_E_NOT_A_FIELD, node->a->span,
                        "name a field, or leave it out: `silent` is of the whole device",
                        "`silent(..)` is of a field, and `%s` is none",
                        fb_check_source(ck, node->a));
            return;
        }
    }
    node->type = FB_T_BOOL;
}
