/* The evaluator's one switch.
 *
 * Place in the flow: see eval.h. Straight code: every instruction runs, in order. */
#include "engine/core/eval.h"

#include "engine/core/mode.h"

#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/core/group.h"
#include "engine/core/match.h"
#include "engine/core/text.h"
#include "engine/core/window.h"

enum { FALSE_ = 0, TRUE_ = 1, UNKNOWN_ = 2 };

static const struct fb_value UNKNOWN = {.quality = FB_Q_UNKNOWN};

static inline bool known(const struct fb_value *v) {
    return v->quality == FB_Q_GOOD;
}

static inline struct fb_value truth(bool b) {
    return (struct fb_value){.i = b, .quality = FB_Q_GOOD};
}

static inline struct fb_value number(double x) {
    if (!fb_num_finite(x))
        return UNKNOWN;
    return (struct fb_value){.num = x, .quality = FB_Q_GOOD};
}

static inline uint8_t three(const struct fb_value *v) {
    return known(v) ? (uint8_t)v->i : UNKNOWN_;
}

static inline struct fb_value of_three(uint8_t v) {
    return v == UNKNOWN_ ? UNKNOWN : truth(v == TRUE_);
}

struct fb_value fb_field_value(const struct fb_field *field, const struct fb_field_cell *cell,
                               const struct fb_texts *texts, int64_t t_us) {
    struct fb_value value = {.quality = (uint8_t)fb_field_quality(field, cell, t_us)};
    if (value.quality != FB_Q_GOOD)
        return value;
    if (field->type == FB_T_TEXT)
        value.text = fb_texts_get(texts, cell->text);
    else
        value.i = cell->i; /* the union's other members are as wide */
    return value;
}

/* Seconds as whole microseconds, halves away from zero, kept within int64. */
static int64_t whole_us(double seconds) {
    double x = fb_num_round(seconds * 1e6);
    return x >= 9.2e18 ? INT64_MAX : x <= -9.2e18 ? INT64_MIN + 1 : (int64_t)x;
}

bool fb_duration_us(struct fb_value seconds, int64_t *us) {
    if (!known(&seconds) || seconds.num < 0)
        return false;
    *us = whole_us(seconds.num);
    return true;
}

static inline bool compare(uint8_t cmp, int order) {
    switch ((enum fb_cmp)cmp) {
    case FB_CMP_LT: return order < 0;
    case FB_CMP_LE: return order <= 0;
    case FB_CMP_GT: return order > 0;
    case FB_CMP_GE: return order >= 0;
    case FB_CMP_EQ: return order == 0;
    case FB_CMP_NE: return order != 0;
    }
    FB_BUG("a comparison");
    return false;
}

static int order_of_ints(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

/* A span that grows from base_us on, against a limit: the value now and when it will change. */
static struct fb_value crossing(struct fb_eval *eval, uint8_t cmp, int64_t base_us,
                                const struct fb_value *limit) {
    if (base_us == FB_NO_TIME || !known(limit))
        return UNKNOWN;
    int64_t limit_us = whole_us(limit->num);
    int64_t reached = fb_add_sat(base_us, limit_us), passed = fb_add_sat(reached, 1);
    if (cmp == FB_CMP_GE || cmp == FB_CMP_LT || cmp == FB_CMP_EQ || cmp == FB_CMP_NE)
        fb_eval_due(eval, reached);
    if (cmp == FB_CMP_GT || cmp == FB_CMP_LE || cmp == FB_CMP_EQ || cmp == FB_CMP_NE)
        fb_eval_due(eval, passed);
    return truth(compare(cmp, order_of_ints(eval->t_us - base_us, limit_us)));
}

static struct fb_value elapsed(struct fb_eval *eval, const struct fb_instr *in,
                               struct fb_elapsed_cell *cell) {
    const struct fb_value *c = &eval->registers[in->a];
    if (known(c)) {
        if (c->i && !cell->was_true)
            cell->rise_us = eval->t_us;
        cell->was_true = (uint8_t)c->i;
    }
    struct fb_value value = crossing(eval, in->sub, cell->rise_us, &eval->registers[in->b]);
    cell->value = three(&value);
    return value;
}

static struct fb_value vote(const struct fb_value *votes, uint32_t n, uint32_t wanted) {
    uint32_t yes = 0, open = 0;
    for (uint32_t i = 0; i < n; i++) {
        yes += three(&votes[i]) == TRUE_;
        open += three(&votes[i]) == UNKNOWN_;
    }
    if (yes >= wanted)
        return truth(true);
    return yes + open < wanted ? truth(false) : UNKNOWN;
}

void fb_eval_read_window(const struct fb_eval *eval, uint32_t index, uint8_t aggregate,
                         uint16_t needs, struct fb_window_memo *memo) {
    const struct fb_class *class_ = eval->device->plan->class_;
    const struct fb_window *w = &class_->windows[index];
    char *cell = fb_device_block(eval->device) + w->offset;
    struct fb_window_instant instant = {
        .t_us = eval->t_us,
        .timer = eval->timer,
        .carried = eval->carried && fb_field_sets_meet(eval->carried, &w->reads),
    };
    memo->moment = eval->moment;
    memo->aggregate = aggregate;
    memo->needs = needs;
    memo->restless =
        w->shape == FB_SHAPE_EACH && !(eval->timer && fb_window_rests(w, cell, instant));
    memo->deadline_us = FB_NEVER;
    memo->value = fb_window_read(w, cell, eval->texts, (enum fb_aggregate)aggregate,
                                 class_->numbers[needs], instant, &memo->deadline_us);
}

static struct fb_value window(struct fb_eval *eval, const struct fb_class *class_,
                              const struct fb_instr *in, uint8_t aggregate) {
    const struct fb_window_memo *memo = fb_eval_window(eval, in->imm, aggregate, in->a);
    bool each = class_->windows[in->imm].shape == FB_SHAPE_EACH;
    int64_t *deadline_us = each ? &eval->each_us : &eval->deadline_us;
    if (memo->deadline_us < *deadline_us)
        *deadline_us = memo->deadline_us;
    eval->restless |= memo->restless;
    return memo->value;
}

static struct fb_value arithmetic(uint8_t op, double a, double b) {
    switch (op) {
    case FB_I_ADD: return number(a + b);
    case FB_I_SUB: return number(a - b);
    case FB_I_MUL: return number(a * b);
    case FB_I_DIV: return number(a / b);
    case FB_I_MIN: return number(b < a ? b : a);
    default: return number(b > a ? b : a);
    }
}

static struct fb_value unary(uint8_t op, double a) {
    switch (op) {
    case FB_I_NEG: return number(-a);
    case FB_I_ABS: return number(a < 0 ? -a : a);
    case FB_I_ROUND: return number(fb_num_round(a));
    default: return number(fb_num_sqrt(a));
    }
}

static struct fb_value convert(const struct fb_instr *in, const double *k, double a) {
    return number((in->sub ? a / k[0] : a * k[0]) + k[1]);
}

static struct fb_value compare_numbers(uint8_t cmp, double a, double b) {
    switch ((enum fb_cmp)cmp) {
    case FB_CMP_LT: return truth(a < b);
    case FB_CMP_LE: return truth(a <= b);
    case FB_CMP_GT: return truth(a > b);
    case FB_CMP_GE: return truth(a >= b);
    case FB_CMP_EQ: return truth(a == b);
    case FB_CMP_NE: return truth(a != b);
    }
    FB_BUG("a comparison");
}

static struct fb_value field_against(struct fb_eval *eval, const struct fb_class *class_,
                                     const struct fb_instr *in, const char *block) {
    const struct fb_field *field = &class_->fields[in->a];
    const struct fb_field_cell *cell = (const void *)(block + field->offset);
    if (fb_field_quality(field, cell, eval->t_us) != FB_Q_GOOD)
        return UNKNOWN;
    if (field->stale_us)
        fb_eval_due(eval, fb_add_sat(cell->ts_us, field->stale_us + 1));
    return compare_numbers(in->sub, cell->num, class_->numbers[in->imm]);
}

/* What the actuator was last commanded; unknown before. */
static struct fb_value accepted_value(struct fb_device *device,
                                      const struct fb_actuator *actuator) {
    const struct fb_actuator_cell *cell =
        (const void *)(fb_device_block(device) + actuator->offset);
    if (!cell->has_accepted)
        return UNKNOWN;
    if (actuator->is_switch)
        return (struct fb_value){.i = cell->accepted != 0, .quality = FB_Q_GOOD};
    return (struct fb_value){.num = cell->accepted, .quality = FB_Q_GOOD};
}

struct fb_value fb_eval_run(struct fb_eval *eval, const struct fb_code *code) {
    const struct fb_class *class_ = eval->device->plan->class_;
    char *block = fb_device_block(eval->device);
    struct fb_value *r = eval->registers;
    const struct fb_instr *in = class_->code + code->first, *end = in + code->count;
    for (; in < end; in++) {
        const struct fb_value *a = &r[in->a], *b = &r[in->b];
        struct fb_value *dst = &r[in->dst];
        switch ((enum fb_opcode)in->op) {
        case FB_I_NUMBER:
            *dst = (struct fb_value){.num = class_->numbers[in->imm], .quality = FB_Q_GOOD};
            break;
        case FB_I_INT:
            *dst = (struct fb_value){.i = class_->ints[in->imm], .quality = FB_Q_GOOD};
            break;
        case FB_I_TEXT:
            *dst = (struct fb_value){.text = class_->texts[in->imm], .quality = FB_Q_GOOD};
            break;
        case FB_I_UNKNOWN:
            *dst = UNKNOWN;
            break;
        case FB_I_ACTUATOR:
            *dst = accepted_value(eval->device, &class_->actuators[in->imm]);
            break;
        case FB_I_ALARM:
            *dst = of_three(fb_alarm_state(eval->device, in->imm, in->sub == 1));
            break;
        case FB_I_MODE:
            *dst = fb_mode_value(eval->device, in->imm);
            break;
        case FB_I_FIELD:
        case FB_I_QUALITY: {
            const struct fb_field *field = &class_->fields[in->imm];
            const struct fb_field_cell *cell = (const void *)(block + field->offset);
            struct fb_value value = fb_field_value(field, cell, eval->texts, eval->t_us);
            if (value.quality == FB_Q_GOOD && field->stale_us)
                fb_eval_due(eval, fb_add_sat(cell->ts_us, field->stale_us + 1));
            *dst = in->op == FB_I_FIELD ? value : truth((in->a >> value.quality) & 1);
            break;
        }
        case FB_I_INT_TO_NUMBER:
            *dst = known(a) ? number((double)a->i) : UNKNOWN;
            break;
        case FB_I_ADD:
        case FB_I_SUB:
        case FB_I_MUL:
        case FB_I_DIV:
        case FB_I_MIN:
        case FB_I_MAX:
            *dst = known(a) && known(b) ? arithmetic(in->op, a->num, b->num) : UNKNOWN;
            break;
        case FB_I_NEG:
        case FB_I_ABS:
        case FB_I_ROUND:
        case FB_I_SQRT:
            *dst = known(a) ? unary(in->op, a->num) : UNKNOWN;
            break;
        case FB_I_CLAMP: {
            const struct fb_value *high = &r[in->imm];
            if (!known(a) || !known(b) || !known(high) || b->num > high->num)
                *dst = UNKNOWN;
            else
                *dst = number(a->num < b->num ? b->num : a->num > high->num ? high->num : a->num);
            break;
        }
        case FB_I_CONVERT:
            *dst = known(a) ? convert(in, &class_->numbers[in->imm], a->num) : UNKNOWN;
            break;
        case FB_I_CMP_NUMBER:
            *dst = known(a) && known(b) ? compare_numbers(in->sub, a->num, b->num) : UNKNOWN;
            break;
        case FB_I_CMP_INT:
            *dst = known(a) && known(b) ? truth(compare(in->sub, order_of_ints(a->i, b->i)))
                                        : UNKNOWN;
            break;
        case FB_I_CMP_TEXT:
            *dst = known(a) && known(b) ? truth(compare(in->sub, fb_str_cmp(a->text, b->text)))
                                        : UNKNOWN;
            break;
        case FB_I_MATCHES: {
            int found =
                known(a) ? fb_matcher_match(eval->device->plan->matcher, in->imm, a->text) : -1;
            *dst = found < 0 ? UNKNOWN : truth(found > 0);
            break;
        }
        case FB_I_NOT:
            *dst = known(a) ? truth(!a->i) : UNKNOWN;
            break;
        case FB_I_AND:
            *dst = of_three(fb_both(three(a), three(b), FALSE_));
            break;
        case FB_I_OR:
            *dst = of_three(fb_both(three(a), three(b), TRUE_));
            break;
        case FB_I_KNOWN:
            *dst = truth(known(a) != (in->sub == 1));
            break;
        case FB_I_IF:
            *dst = !known(a) ? UNKNOWN : a->i ? *b : r[in->imm];
            break;
        case FB_I_SELECT:
            *dst = known(a) && a->i ? *b : r[in->imm];
            break;
        case FB_I_COALESCE:
            *dst = known(a) ? *a : *b;
            break;
        case FB_I_VOTE:
            *dst = vote(a, in->b, in->imm);
            break;
        case FB_I_FOR: {
            struct fb_for_cell *cell = (void *)(block + in->imm);
            int64_t d_us = 0;
            bool d_known = fb_duration_us(*b, &d_us);
            cell->value = fb_delay(&cell->t0_us, &cell->paused_us, three(a), d_known, d_us,
                                   eval->t_us, &eval->deadline_us);
            *dst = of_three(cell->value);
            break;
        }
        case FB_I_UNTIL:
            *dst = of_three(fb_until((void *)(block + in->imm), three(a), three(b)));
            break;
        case FB_I_ELAPSED:
            *dst = elapsed(eval, in, (void *)(block + in->imm));
            break;
        case FB_I_AGE: {
            int64_t base = eval->device->watermark_us;
            if (in->a != UINT16_MAX)
                base = ((struct fb_field_cell *)(block + class_->fields[in->a].offset))->ts_us;
            *dst = crossing(eval, in->sub, base, b);
            break;
        }
        case FB_I_SILENT:
            *dst = truth(eval->silent || !eval->carried ||
                         (in->a != UINT16_MAX && !fb_field_set_has(eval->carried, in->a)));
            break;
        case FB_I_FOR_PEEK:
            *dst = of_three(((struct fb_for_cell *)(block + in->imm))->value);
            break;
        case FB_I_UNTIL_PEEK:
            *dst = of_three(((struct fb_until_cell *)(block + in->imm))->value);
            break;
        case FB_I_ELAPSED_PEEK:
            *dst = of_three(((struct fb_elapsed_cell *)(block + in->imm))->value);
            break;
        case FB_I_WINDOW:
            *dst = window(eval, class_, in, in->sub);
            break;
        case FB_I_FIELD_CMP:
            *dst = field_against(eval, class_, in, block);
            break;
        case FB_I_WINDOW_CMP: {
            struct fb_value value = window(eval, class_, in, in->sub & 31);
            *dst = known(&value) ? compare_numbers(in->sub >> 5, value.num, class_->numbers[in->b])
                                 : UNKNOWN;
            break;
        }
        case FB_I_FOR_CONST: {
            struct fb_for_cell *cell = (void *)(block + in->imm);
            cell->value = fb_delay(&cell->t0_us, &cell->paused_us, three(a), true,
                                   class_->ints[in->b], eval->t_us, &eval->deadline_us);
            *dst = of_three(cell->value);
            break;
        }
        case FB_I_LINKED:
            *dst = fb_linked_read(eval->device->plan->relations, eval->device, in);
            break;
        case FB_I_GROUP:
            *dst = fb_group_read(eval->device->plan->relations, eval->device, in);
            break;
        case FB_OPCODES:
            FB_BUG("an opcode");
        }
    }
    return r[code->result];
}
