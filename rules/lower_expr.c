#include "rules/lower_internal.h"
#include "rules/opcodes.h"

#include "engine/base/err.h"
#include "engine/base/map.h"
#include "engine/base/num.h"
#include "rules/functions.h"

static const struct fb_lowered nothing = {0};

static struct fb_lowered value_of(uint16_t reg, enum fb_type type) {
    return (struct fb_lowered){.reg = reg, .type = type};
}

static struct fb_lowered truth_of(uint16_t reg) {
    return value_of(reg, FB_T_BOOL);
}

static struct fb_lowered number_of(uint16_t reg) {
    return value_of(reg, FB_T_NUMBER);
}

static bool is_numeric(enum fb_type type) {
    return type == FB_T_NUMBER || type == FB_T_COUNTER || type == FB_T_INTEGER;
}

static uint16_t emit1(struct fb_piece *piece, enum fb_opcode op, uint16_t a) {
    return fb_piece_emit(piece, op, 0, a, 0, 0);
}

static uint16_t emit2(struct fb_piece *piece, enum fb_opcode op, uint16_t a, uint16_t b) {
    return fb_piece_emit(piece, op, 0, a, b, 0);
}

/* ---- units --------------------------------------------------------------------------------- */

static bool is_literal(const struct fb_node *node) {
    return node->kind == FB_N_NUMBER || node->kind == FB_N_DURATION;
}

/* Stands for a limit: the other side is what is measured. */
static bool gives_way(const struct fb_node *node) {
    while (node->kind == FB_N_NEGATE && node->a->kind != FB_N_NAME)
        node = node->a;
    return is_literal(node) || (node->kind == FB_N_NAME && node->ref == FB_REF_PARAM);
}

static uint16_t to_number(struct fb_piece *piece, struct fb_lowered value) {
    if (value.type == FB_T_INTEGER || value.type == FB_T_TIME)
        return emit1(piece, FB_I_INT_TO_NUMBER, value.reg);
    return value.reg;
}

/* A number that is converted exactly: its decimal is a short one (T2). */
static bool is_exact(double x) {
    char text[FB_NUM_TEXT_MAX];
    size_t n = fb_num_format(x, text), digits = 0;
    for (size_t i = 0; i < n && text[i] != 'e'; i++)
        digits += text[i] >= '0' && text[i] <= '9';
    return digits <= 12;
}

static double convert_known(const struct fb_unit *from, const struct fb_unit *to,
                            struct fb_unit_conversion how, double x) {
    if (is_exact(x))
        return fb_unit_convert_value(from, to, false, x);
    return (how.divide ? x / how.scale : x * how.scale) + how.offset;
}

/* What is known now is converted exactly and rounded once. */
static uint16_t convert(struct fb_piece *piece, uint16_t reg, const struct fb_unit *from,
                        const struct fb_unit *to) {
    if (from == to || !fb_unit_agree(from, to))
        return reg; /* a bare 0 is 0 in every unit */
    struct fb_unit_conversion how = fb_unit_convert(from, to, false);
    double constant;
    if (how.same)
        return reg;
    if (fb_piece_constant(piece, reg, &constant))
        return fb_piece_number(piece, convert_known(from, to, how, constant));
    return fb_piece_emit(piece, FB_I_CONVERT, how.divide, reg, 0,
                         fb_lower_number_pair(piece->c, how.scale, how.offset));
}

static struct fb_lowered lower_param(struct fb_piece *piece, const struct fb_param_decl *param,
                                     const struct fb_unit *unit);

uint16_t fb_lower_in_unit(struct fb_piece *piece, const struct fb_node *node,
                          const struct fb_unit *unit) {
    if (node->kind == FB_N_NAME && node->ref == FB_REF_PARAM)
        return to_number(piece, lower_param(piece, node->param, unit));
    return convert(piece, to_number(piece, fb_lower_expr(piece, node)), node->unit, unit);
}

uint16_t fb_lower_seconds(struct fb_piece *piece, const struct fb_node *node) {
    return fb_lower_in_unit(piece, node, fb_unit_second(piece->c->units));
}

/* ---- names --------------------------------------------------------------------------------- */

const struct fb_node *fb_lower_resolve(const struct fb_node *node) {
    while (node->kind == FB_N_NAME && node->ref == FB_REF_LET && !node->let->unit_text.n)
        node = node->let->value;
    return node;
}

static bool cached(const struct fb_piece *piece, const void *decl, const struct fb_unit *unit,
                   struct fb_lowered *value) {
    for (uint32_t i = 0; i < piece->n_lets; i++)
        if (piece->lets[i].decl == decl && piece->lets[i].unit == unit) {
            *value = piece->lets[i].value;
            return true;
        }
    return false;
}

static struct fb_lowered cache(struct fb_piece *piece, const void *decl, const struct fb_unit *unit,
                               struct fb_lowered value) {
    FB_PUSH_ROOM(piece->lets, piece->n_lets, piece->cap_lets);
    piece->lets[piece->n_lets++] =
        (struct fb_lower_let){.decl = decl, .unit = unit, .value = value};
    return value;
}

static const struct fb_piece *first_user(const struct fb_piece *piece,
                                         const struct fb_let_decl *let) {
    struct fb_lowered value;
    for (uint32_t i = 0; i < piece->n_conditions; i++)
        if (cached(&piece->conditions[i], let, NULL, &value))
            return &piece->conditions[i];
    return NULL;
}

struct fb_lowered fb_lower_let_value(struct fb_piece *piece, const struct fb_let_decl *let) {
    struct fb_lowered value;
    if (cached(piece, let, NULL, &value))
        return value;
    const struct fb_node *deadband = piece->deadband;
    const struct fb_piece *looks_at = piece->looks_at;
    piece->deadband = NULL; /* limits inside a let are not moved */
    if (!looks_at)
        piece->looks_at = first_user(piece, let);
    if (let->unit_text.n)
        value = number_of(fb_lower_in_unit(piece, let->value, let->unit));
    else
        value = fb_lower_expr(piece, let->value);
    piece->looks_at = looks_at;
    piece->deadband = deadband;
    return cache(piece, let, NULL, value);
}

/* The unit in which a param's values are delivered. */
static const struct fb_unit *unit_of_param(const struct fb_param_decl *param) {
    return param->unit_text.n ? param->unit : param->value->unit;
}

/* One of a param's values: as the param declares it, then in the unit that is asked for. */
static struct fb_lowered param_value(struct fb_piece *piece, const struct fb_param_decl *param,
                                     const struct fb_node *node, const struct fb_unit *unit) {
    const struct fb_unit *own = unit_of_param(param);
    struct fb_lowered value = fb_lower_expr(piece, node);
    if (!is_numeric(value.type))
        return value;
    if (value.type == FB_T_INTEGER && fb_unit_same(own, unit))
        return value;
    uint16_t reg = convert(piece, to_number(piece, value), node->unit, own);
    return number_of(convert(piece, reg, own, unit));
}

static bool all_cases_are(const struct fb_param_decl *param, enum fb_type type) {
    for (uint32_t i = 0; i < param->n_cases; i++)
        if (param->cases[i].value->type != type)
            return false;
    return param->value->type == type;
}

/* The first case that is true wins, unknown is not true. */
static struct fb_lowered lower_param(struct fb_piece *piece, const struct fb_param_decl *param,
                                     const struct fb_unit *unit) {
    struct fb_lowered have;
    if (cached(piece, param, unit, &have))
        return have;
    const struct fb_node *deadband = piece->deadband;
    piece->deadband = NULL;
    bool numbers = is_numeric(param->value->type) && !all_cases_are(param, FB_T_INTEGER);
    struct fb_lowered value = param_value(piece, param, param->value, unit);
    uint16_t reg = numbers ? to_number(piece, value) : value.reg;
    for (uint32_t i = param->n_cases; i-- > 0;) {
        uint16_t where = fb_lower_expr(piece, param->cases[i].where).reg;
        struct fb_lowered chosen = param_value(piece, param, param->cases[i].value, unit);
        reg = fb_piece_emit(piece, FB_I_SELECT, 0, where,
                            numbers ? to_number(piece, chosen) : chosen.reg, reg);
    }
    piece->deadband = deadband;
    return cache(piece, param, unit, value_of(reg, numbers ? FB_T_NUMBER : value.type));
}

static struct fb_lowered lower_actuator_name(struct fb_piece *piece,
                                             const struct fb_actuator_decl *actuator) {
    uint32_t index = fb_lower_actuator_index(piece->c, actuator);
    piece->actuators |= UINT64_C(1) << index;
    return value_of(fb_piece_emit(piece, FB_I_ACTUATOR, 0, 0, 0, index), actuator->type.type);
}

static struct fb_lowered lower_mode_name(struct fb_piece *piece, const struct fb_rule_decl *mode) {
    uint32_t index = fb_lower_mode_index(piece->c, mode);
    piece->modes |= UINT64_C(1) << index;
    return value_of(fb_piece_emit(piece, FB_I_MODE, 0, 0, 0, index), FB_T_ENUM);
}

static struct fb_lowered lower_alarm_name(struct fb_piece *piece, const struct fb_node *node) {
    const struct fb_lower_class *c = piece->c;
    for (uint32_t i = 0; i < c->n_rules; i++)
        if (c->rules[i] == node->alarm)
            return value_of(fb_piece_emit(piece, FB_I_ALARM, node->held, 0, 0, i), FB_T_BOOL);
    FB_BUG("an alarm of another class passed the checker");
}

static struct fb_lowered lower_name(struct fb_piece *piece, const struct fb_node *node) {
    switch (node->ref) {
    case FB_REF_FIELD:
        fb_field_set_add(&piece->reads, node->field->index);
        return value_of(fb_piece_emit(piece, FB_I_FIELD, 0, 0, 0, node->field->index),
                        node->field->type.type);
    case FB_REF_LET:
        return fb_lower_let_value(piece, node->let);
    case FB_REF_PARAM:
        return lower_param(piece, node->param, unit_of_param(node->param));
    case FB_REF_WORD:
        return value_of(fb_piece_int(piece, node->word), FB_T_ENUM);
    case FB_REF_ACTUATOR:
        return lower_actuator_name(piece, node->actuator);
    case FB_REF_ALARM:
        return lower_alarm_name(piece, node);
    case FB_REF_MODE:
        return lower_mode_name(piece, node->mode);
    case FB_REF_NONE:
        break;
    }
    FB_ASSERT(false && "a name without a meaning passed the checker");
    return nothing;
}

/* ---- arithmetic ---------------------------------------------------------------------------- */

static struct fb_lowered lower_times(struct fb_piece *piece, const struct fb_node *node) {
    uint16_t a = to_number(piece, fb_lower_expr(piece, node->a));
    uint16_t b = to_number(piece, fb_lower_expr(piece, node->b));
    uint16_t microseconds = emit2(piece, FB_I_SUB, a, b);
    return number_of(fb_piece_emit(piece, FB_I_CONVERT, 1, microseconds, 0,
                                   fb_lower_number_pair(piece->c, 1e6, 0)));
}

/* Points of a temperature scale keep their scale beside differences; two give a difference. */
static struct fb_lowered lower_sum(struct fb_piece *piece, const struct fb_node *node) {
    if (node->a->type == FB_T_TIME && node->b->type == FB_T_TIME)
        return lower_times(piece, node);
    struct fb_units *units = piece->c->units;
    struct fb_node *const sides[] = {node->a, node->b};
    bool point_a = fb_unit_is_point(node->a->unit), point_b = fb_unit_is_point(node->b->unit);
    const struct fb_unit *unit_a, *unit_b;
    if (point_a != point_b) {
        unit_a = point_a ? node->a->unit : fb_unit_difference(units, node->b->unit);
        unit_b = point_b ? node->b->unit : fb_unit_difference(units, node->a->unit);
    } else {
        unit_a = unit_b = fb_check_common_unit(sides, 2);
    }
    uint16_t a = fb_lower_in_unit(piece, node->a, unit_a);
    uint16_t b = fb_lower_in_unit(piece, node->b, unit_b);
    return number_of(emit2(piece, node->op == FB_OP_ADD ? FB_I_ADD : FB_I_SUB, a, b));
}

static struct fb_lowered lower_arith(struct fb_piece *piece, const struct fb_node *node) {
    if (node->op == FB_OP_ADD || node->op == FB_OP_SUB)
        return lower_sum(piece, node);
    uint16_t a = to_number(piece, fb_lower_expr(piece, node->a));
    uint16_t b = to_number(piece, fb_lower_expr(piece, node->b));
    return number_of(emit2(piece, node->op == FB_OP_MUL ? FB_I_MUL : FB_I_DIV, a, b));
}

/* p % of x is x * p / 100 */
static struct fb_lowered lower_percent(struct fb_piece *piece, const struct fb_node *node) {
    uint16_t whole = to_number(piece, fb_lower_expr(piece, node->a));
    uint16_t product = emit2(piece, FB_I_MUL, whole, fb_piece_number(piece, node->value));
    return number_of(emit2(piece, FB_I_DIV, product, fb_piece_number(piece, 100)));
}

/* ---- comparisons --------------------------------------------------------------------------- */

static const enum fb_cmp cmp_of_op[] = {
    [FB_OP_LT] = FB_CMP_LT, [FB_OP_LE] = FB_CMP_LE, [FB_OP_GT] = FB_CMP_GT,
    [FB_OP_GE] = FB_CMP_GE, [FB_OP_EQ] = FB_CMP_EQ, [FB_OP_NE] = FB_CMP_NE,
};

/* age(x), age(), elapsed(c): they move with time, so the comparison itself is the instruction. */
static const struct fb_node *moving(const struct fb_node *node) {
    node = fb_lower_resolve(node);
    if (node->kind == FB_N_CALL &&
        (fb_str_eq(node->text, FB_S("age")) || fb_str_eq(node->text, FB_S("elapsed"))))
        return node;
    return NULL;
}

/* A limit in `unit`; in the copy for a deadband moved so that the comparison holds longer. */
static uint16_t moved_limit(struct fb_piece *piece, uint16_t limit, const struct fb_unit *unit,
                            enum fb_cmp cmp) {
    const struct fb_node *deadband = piece->deadband;
    if (!deadband || cmp == FB_CMP_EQ || cmp == FB_CMP_NE || !fb_unit_agree(unit, deadband->unit))
        return limit;
    piece->deadband = NULL;
    uint16_t by = fb_lower_in_unit(piece, deadband, fb_unit_difference(piece->c->units, unit));
    piece->deadband = deadband;
    bool up = (cmp == FB_CMP_LT || cmp == FB_CMP_LE) != piece->towards_shorter;
    return emit2(piece, up ? FB_I_ADD : FB_I_SUB, limit, by);
}

static const struct fb_field_decl *field_of(const struct fb_node *node) {
    node = fb_lower_resolve(node);
    FB_ASSERT(node->kind == FB_N_NAME && node->ref == FB_REF_FIELD);
    return node->field;
}

static uint16_t compare_age(struct fb_piece *piece, const struct fb_node *call, uint16_t limit,
                            enum fb_cmp cmp) {
    uint16_t field = UINT16_MAX;
    if (call->n_args && call->args[0].expr) {
        field = (uint16_t)field_of(call->args[0].expr)->index;
        fb_field_set_add(&piece->reads, field);
    } else {
        piece->every_record = true;
    }
    return fb_piece_emit(piece, FB_I_AGE, (uint8_t)cmp, field, limit, 0);
}

static uint16_t look(struct fb_piece *piece, const struct fb_node *node, enum fb_opcode op) {
    uint32_t cell = piece->looks_at ? fb_piece_place_of(piece->looks_at, node) : FB_MAP_NONE;
    if (cell == FB_MAP_NONE) {
        fb_diag_add(piece->c->diags, FB_E_NO_STATE_TO_SHOW, node->span,
                    "use the let in a raise or `when`, too, or do without the delay here",
                    "no condition of the rule uses this, so its delay is kept nowhere");
        return fb_piece_emit(piece, FB_I_UNKNOWN, 0, 0, 0, 0);
    }
    return fb_piece_emit(piece, op, 0, 0, 0, cell);
}

static uint16_t compare_moving(struct fb_piece *piece, const struct fb_node *call,
                               const struct fb_node *place, const struct fb_node *other,
                               enum fb_cmp cmp) {
    bool elapsed = fb_str_eq(call->text, FB_S("elapsed"));
    if (elapsed && piece->looks)
        return look(piece, place, FB_I_ELAPSED_PEEK);
    const struct fb_unit *second = fb_unit_second(piece->c->units);
    uint16_t limit = moved_limit(piece, fb_lower_seconds(piece, other), second, cmp);
    if (!elapsed)
        return compare_age(piece, call, limit, cmp);
    const struct fb_node *deadband = piece->deadband;
    piece->deadband = NULL;
    uint16_t condition = fb_lower_expr(piece, call->args[0].expr).reg;
    piece->deadband = deadband;
    return fb_piece_emit_state(piece, place, FB_I_ELAPSED, (uint8_t)cmp, condition, limit);
}

/* A whole number beside an integer stays one: no rounding above 2^53. */
static bool whole(struct fb_piece *piece, const struct fb_node *node, uint16_t *reg) {
    if (!is_literal(node)) {
        struct fb_lowered value = fb_lower_expr(piece, node);
        *reg = value.reg;
        return value.type == FB_T_INTEGER;
    }
    double x = node->converted;
    if (node->unit || x != fb_num_floor(x) || x > 9007199254740992.0 || x < -9007199254740992.0)
        return false;
    *reg = fb_piece_int(piece, (int64_t)x);
    return true;
}

/* The side of a comparison. Limits that stand inside one are not moved. */
static uint16_t side(struct fb_piece *piece, const struct fb_node *node,
                     const struct fb_unit *unit) {
    const struct fb_node *deadband = piece->deadband;
    piece->deadband = NULL;
    uint16_t reg = is_numeric(node->type) ? fb_lower_in_unit(piece, node, unit)
                                          : fb_lower_expr(piece, node).reg;
    piece->deadband = deadband;
    return reg;
}

/* unit: to which both are brought. of_range: the right side is an end of a range, which is the
 * limit whatever stands on the left. */
static uint16_t compare_numbers(struct fb_piece *piece, struct fb_node *left, struct fb_node *right,
                                enum fb_cmp cmp, const struct fb_unit *unit, bool of_range) {
    uint16_t a, b;
    if ((left->type == FB_T_INTEGER || right->type == FB_T_INTEGER) && !piece->deadband &&
        whole(piece, left, &a) && whole(piece, right, &b))
        return fb_piece_emit(piece, FB_I_CMP_INT, (uint8_t)cmp, a, b, 0);
    a = side(piece, left, unit);
    b = side(piece, right, unit);
    if (!of_range && gives_way(left) && !gives_way(right)) /* 80 degC < temp */
        a = moved_limit(piece, a, unit, fb_cmp_turned(cmp));
    else
        b = moved_limit(piece, b, unit, cmp);
    return fb_piece_emit(piece, FB_I_CMP_NUMBER, (uint8_t)cmp, a, b, 0);
}

static uint16_t compare_others(struct fb_piece *piece, const struct fb_node *left,
                               const struct fb_node *right, enum fb_cmp cmp) {
    uint16_t a = side(piece, left, NULL), b = side(piece, right, NULL);
    return fb_piece_emit(piece, left->type == FB_T_TEXT ? FB_I_CMP_TEXT : FB_I_CMP_INT,
                         (uint8_t)cmp, a, b, 0);
}

static uint16_t compare(struct fb_piece *piece, const struct fb_node *place, struct fb_node *left,
                        struct fb_node *right, enum fb_cmp cmp) {
    const struct fb_node *call = moving(left);
    if (call)
        return compare_moving(piece, call, place, right, cmp);
    call = moving(right);
    if (call)
        return compare_moving(piece, call, place, left, fb_cmp_turned(cmp));
    struct fb_node *const sides[] = {left, right};
    if (is_numeric(left->type))
        return compare_numbers(piece, left, right, cmp, fb_check_common_unit(sides, 2), false);
    return compare_others(piece, left, right, cmp);
}

/* One comparison of `in`; all values of the whole are brought to one unit. */
static uint16_t compare_within(struct fb_piece *piece, const struct fb_node *place,
                               struct fb_node *x, struct fb_node *end, enum fb_cmp cmp,
                               const struct fb_unit *unit) {
    const struct fb_node *call = moving(x);
    if (call)
        return compare_moving(piece, call, place, end, cmp);
    return is_numeric(x->type) ? compare_numbers(piece, x, end, cmp, unit, true)
                               : compare_others(piece, x, end, cmp);
}

static const struct fb_unit *unit_of_in(const struct fb_piece *piece, const struct fb_node *node) {
    uint32_t n = node->n_items ? node->n_items + 1 : 3;
    struct fb_node **values = FB_ARENA_ARRAY(piece->c->arena, struct fb_node *, n);
    values[0] = node->a;
    for (uint32_t i = 1; i < n; i++)
        values[i] = node->n_items ? node->items[i - 1] : i == 1 ? node->b : node->c;
    return is_numeric(node->a->type) ? fb_check_common_unit(values, n) : NULL;
}

/* x in a..b is x >= a and x <= b; `not in` holds longer where the range is narrower. */
static struct fb_lowered lower_in(struct fb_piece *piece, const struct fb_node *node) {
    const struct fb_unit *unit = unit_of_in(piece, node);
    bool turn = node->negated;
    piece->towards_shorter ^= turn;
    uint16_t reg;
    if (node->n_items) {
        reg = compare_within(piece, node, node->a, node->items[0], FB_CMP_EQ, unit);
        for (uint32_t i = 1; i < node->n_items; i++)
            reg = emit2(piece, FB_I_OR, reg,
                        compare_within(piece, node, node->a, node->items[i], FB_CMP_EQ, unit));
    } else {
        uint16_t low = compare_within(piece, node, node->a, node->b, FB_CMP_GE, unit);
        uint16_t high = compare_within(piece, node->a, node->a, node->c, FB_CMP_LE, unit);
        reg = emit2(piece, FB_I_AND, low, high);
    }
    piece->towards_shorter ^= turn;
    return truth_of(turn ? emit1(piece, FB_I_NOT, reg) : reg);
}

static struct fb_lowered lower_is(struct fb_piece *piece, const struct fb_node *node) {
    const struct fb_node *of = fb_lower_resolve(node->a);
    if (of->kind != FB_N_NAME || of->ref != FB_REF_FIELD) {
        bool wants_known = (node->quality == FB_Q_GOOD) != node->negated;
        return truth_of(
            fb_piece_emit(piece, FB_I_KNOWN, !wants_known, fb_lower_expr(piece, of).reg, 0, 0));
    }
    const unsigned good = 1u << FB_Q_GOOD;
    const unsigned all = good | 1u << FB_Q_UNKNOWN | 1u << FB_Q_BAD | 1u << FB_Q_STALE;
    /* `is unknown` is `is not good`, for whatever reason */
    unsigned set = node->quality == FB_Q_UNKNOWN ? all & ~good : 1u << node->quality;
    uint16_t mask = (uint16_t)(node->negated ? all & ~set : set);
    fb_field_set_add(&piece->reads, of->field->index);
    return truth_of(fb_piece_emit(piece, FB_I_QUALITY, 0, mask, 0, of->field->index));
}

/* ---- logic --------------------------------------------------------------------------------- */

static struct fb_lowered lower_vote(struct fb_piece *piece, const struct fb_node *node) {
    uint16_t first = 0;
    bool in_row = true;
    uint16_t *regs = FB_ARENA_ARRAY(piece->c->arena, uint16_t, node->n_items);
    for (uint32_t i = 0; i < node->n_items; i++) {
        regs[i] = fb_lower_expr(piece, node->items[i]).reg;
        in_row = in_row && regs[i] == (uint16_t)(regs[0] + i);
    }
    first = regs[0];
    /* The instruction reads neighbours; `x and x` is x. Their numbers are new ones, or those of an
     * equal vote. */
    for (uint32_t i = 0; i < node->n_items && !in_row; i++) {
        uint16_t copy = fb_piece_copy(piece, regs[i]);
        if (i == 0)
            first = copy;
    }
    return truth_of(
        fb_piece_emit(piece, FB_I_VOTE, 0, first, (uint16_t)node->n_items, node->votes));
}

/* Values of which one is taken: numbers are brought to one unit, integers stay integers where all
 * are. */
static enum fb_type lower_alternatives(struct fb_piece *piece, struct fb_node *const *nodes,
                                       uint32_t n, bool as_numbers, uint16_t *regs) {
    const struct fb_unit *unit = fb_check_common_unit(nodes, n);
    enum fb_type type = nodes[0]->type;
    bool integers = true;
    for (uint32_t i = 0; i < n; i++) {
        struct fb_lowered value = fb_lower_expr(piece, nodes[i]);
        regs[i] = value.reg;
        integers = integers && value.type == FB_T_INTEGER;
    }
    if (!is_numeric(type) || (integers && !as_numbers))
        return type;
    for (uint32_t i = 0; i < n; i++)
        regs[i] = fb_lower_in_unit(piece, nodes[i], unit);
    return FB_T_NUMBER;
}

static struct fb_lowered lower_if(struct fb_piece *piece, const struct fb_node *node) {
    uint16_t condition = side(piece, node->a, NULL), regs[2]; /* its limits have no direction */
    struct fb_node *const both[] = {node->b, node->c};
    enum fb_type type = lower_alternatives(piece, both, 2, false, regs);
    return value_of(fb_piece_emit(piece, FB_I_IF, 0, condition, regs[0], regs[1]), type);
}

/* In the copy for a deadband there are no delays. */
static struct fb_lowered lower_for(struct fb_piece *piece, const struct fb_node *node) {
    if (piece->looks)
        return truth_of(look(piece, node, FB_I_FOR_PEEK));
    uint16_t condition = fb_lower_expr(piece, node->a).reg;
    if (piece->deadband)
        return truth_of(condition);
    return truth_of(
        fb_piece_emit_state(piece, node, FB_I_FOR, 0, condition, fb_lower_seconds(piece, node->b)));
}

static struct fb_lowered lower_until(struct fb_piece *piece, const struct fb_node *node) {
    if (piece->looks)
        return truth_of(look(piece, node, FB_I_UNTIL_PEEK));
    uint16_t set = fb_lower_expr(piece, node->a).reg;
    uint16_t reset = fb_lower_expr(piece, node->b).reg;
    return truth_of(fb_piece_emit_state(piece, node, FB_I_UNTIL, 0, set, reset));
}

static struct fb_lowered lower_not(struct fb_piece *piece, const struct fb_node *node) {
    piece->towards_shorter = !piece->towards_shorter;
    uint16_t reg = fb_lower_expr(piece, node->a).reg;
    piece->towards_shorter = !piece->towards_shorter;
    return truth_of(emit1(piece, FB_I_NOT, reg));
}

/* ---- calls --------------------------------------------------------------------------------- */

static struct fb_node *arg(const struct fb_node *call, uint32_t i) {
    FB_ASSERT(i < call->n_args && call->args[i].expr);
    return call->args[i].expr;
}

static struct fb_lowered lower_of_one(struct fb_piece *piece, const struct fb_node *node,
                                      enum fb_opcode op) {
    return number_of(emit1(piece, op, to_number(piece, fb_lower_expr(piece, arg(node, 0)))));
}

/* min, max: folded from the left; coalesce: the first that is known. */
static struct fb_lowered lower_of_several(struct fb_piece *piece, const struct fb_node *node,
                                          enum fb_opcode op) {
    uint32_t n = node->n_args;
    struct fb_node **nodes = FB_ARENA_ARRAY(piece->c->arena, struct fb_node *, n);
    uint16_t *regs = FB_ARENA_ARRAY(piece->c->arena, uint16_t, n);
    for (uint32_t i = 0; i < n; i++)
        nodes[i] = arg(node, i);
    enum fb_type type = lower_alternatives(piece, nodes, n, op != FB_I_COALESCE, regs);
    uint16_t reg = regs[0];
    for (uint32_t i = 1; i < n; i++)
        reg = emit2(piece, op, reg, regs[i]);
    return value_of(reg, type);
}

static struct fb_lowered lower_clamp(struct fb_piece *piece, const struct fb_node *node) {
    FB_ASSERT(node->n_args == 2 && node->args[1].upto);
    struct fb_node *const three[] = {arg(node, 0), arg(node, 1), node->args[1].upto};
    uint16_t regs[3];
    lower_alternatives(piece, three, 3, true, regs);
    return number_of(fb_piece_emit(piece, FB_I_CLAMP, 0, regs[0], regs[1], regs[2]));
}

static struct fb_lowered lower_call(struct fb_piece *piece, const struct fb_node *node) {
    const struct fb_function *function = fb_function_find(node->text);
    FB_ASSERT(function);
    if (node->n_args && node->args[0].window != FB_W_NONE)
        return fb_lower_window_call(piece, node, function->id);
    switch (function->id) {
    case FB_F_abs:
        return lower_of_one(piece, node, FB_I_ABS);
    case FB_F_round:
        return lower_of_one(piece, node, FB_I_ROUND);
    case FB_F_sqrt:
        return lower_of_one(piece, node, FB_I_SQRT);
    case FB_F_min:
        return lower_of_several(piece, node, FB_I_MIN);
    case FB_F_max:
        return lower_of_several(piece, node, FB_I_MAX);
    case FB_F_coalesce:
        return lower_of_several(piece, node, FB_I_COALESCE);
    case FB_F_clamp:
        return lower_clamp(piece, node);
    default:
        return fb_lower_window_call(piece, node, function->id);
    }
}

static struct fb_lowered lower_silent(struct fb_piece *piece, const struct fb_node *node) {
    uint16_t field = UINT16_MAX;
    if (node->a) {
        field = (uint16_t)field_of(node->a)->index;
        fb_field_set_add(&piece->reads, field);
    }
    piece->every_record = true;
    piece->twice = true;
    return truth_of(fb_piece_emit(piece, FB_I_SILENT, 0, field, 0, 0));
}

/* ---- all ----------------------------------------------------------------------------------- */

static struct fb_lowered lower_negate(struct fb_piece *piece, const struct fb_node *node) {
    uint16_t reg = to_number(piece, fb_lower_expr(piece, node->a));
    return number_of(emit1(piece, FB_I_NEG, reg));
}

static struct fb_lowered lower_both(struct fb_piece *piece, const struct fb_node *node,
                                    enum fb_opcode op) {
    uint16_t a = fb_lower_expr(piece, node->a).reg, b = fb_lower_expr(piece, node->b).reg;
    return truth_of(emit2(piece, op, a, b));
}

/* Deadbands do not reach into the arguments of calls. */
static struct fb_lowered lower_call_unmoved(struct fb_piece *piece, const struct fb_node *node) {
    const struct fb_node *deadband = piece->deadband;
    piece->deadband = NULL;
    struct fb_lowered value = lower_call(piece, node);
    piece->deadband = deadband;
    return value;
}

struct fb_lowered fb_lower_expr(struct fb_piece *piece, const struct fb_node *node) {
    switch (node->kind) {
    case FB_N_NUMBER:
    case FB_N_DURATION:
        return number_of(fb_piece_number(piece, node->converted));
    case FB_N_TEXT:
        return value_of(
            fb_piece_emit(piece, FB_I_TEXT, 0, 0, 0, fb_lower_text(piece->c, node->text)),
            FB_T_TEXT);
    case FB_N_BOOL:
        return truth_of(fb_piece_int(piece, node->truth));
    case FB_N_UNKNOWN:
        return value_of(fb_piece_emit(piece, FB_I_UNKNOWN, 0, 0, 0, 0), node->type);
    case FB_N_NAME:
        return lower_name(piece, node);
    case FB_N_SILENT:
        return lower_silent(piece, node);
    case FB_N_NEGATE:
        return lower_negate(piece, node);
    case FB_N_ARITH:
        return lower_arith(piece, node);
    case FB_N_COMPARE:
        return truth_of(compare(piece, node, node->a, node->b, cmp_of_op[node->op]));
    case FB_N_IN:
        return lower_in(piece, node);
    case FB_N_IS:
        return lower_is(piece, node);
    case FB_N_MATCHES:
        return truth_of(fb_piece_emit(piece, FB_I_MATCHES, 0, fb_lower_expr(piece, node->a).reg, 0,
                                      fb_lower_pattern(piece->c, node->text)));
    case FB_N_NOT:
        return lower_not(piece, node);
    case FB_N_AND:
        return lower_both(piece, node, FB_I_AND);
    case FB_N_OR:
        return lower_both(piece, node, FB_I_OR);
    case FB_N_PERCENT_OF:
        return lower_percent(piece, node);
    case FB_N_VOTE:
        return lower_vote(piece, node);
    case FB_N_IF:
        return lower_if(piece, node);
    case FB_N_CALL:
        return lower_call_unmoved(piece, node);
    case FB_N_FOR:
        return lower_for(piece, node);
    case FB_N_UNTIL:
        return lower_until(piece, node);
    case FB_N_LINKED:
        return fb_lower_linked(piece, node);
    case FB_N_GROUP:
        return fb_lower_group(piece, node);
    }
    FB_ASSERT(false && "a kind of node that is not lowered");
    return nothing;
}

/* ---- asked by the others ------------------------------------------------------------------- */

static bool limits(struct fb_node *left, struct fb_node *right, const struct fb_node *deadband) {
    struct fb_node *const sides[] = {left, right};
    return is_numeric(left->type) && fb_unit_agree(fb_check_common_unit(sides, 2), deadband->unit);
}

bool fb_lower_has_limit(const struct fb_node *node, const struct fb_node *deadband) {
    if (!node)
        return false;
    bool compares = (node->kind == FB_N_COMPARE && node->op != FB_OP_EQ && node->op != FB_OP_NE) ||
                    (node->kind == FB_N_IN && !node->n_items);
    if (compares && limits(node->a, node->b, deadband))
        return true;
    switch (node->kind) {
    case FB_N_CALL:
    case FB_N_NAME:
    case FB_N_COMPARE:
    case FB_N_IN:
        return false;
    case FB_N_IF:
        return fb_lower_has_limit(node->b, deadband) || fb_lower_has_limit(node->c, deadband);
    default:
        break;
    }
    for (uint32_t i = 0; i < node->n_items; i++)
        if (fb_lower_has_limit(node->items[i], deadband))
            return true;
    return fb_lower_has_limit(node->a, deadband) || fb_lower_has_limit(node->b, deadband) ||
           fb_lower_has_limit(node->c, deadband);
}
