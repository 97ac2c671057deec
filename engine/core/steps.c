/* Truths of one byte, no values.
 *
 * Place in the flow: see steps.h. */
#include "engine/core/steps.h"

#include "engine/base/err.h"
#include "engine/base/num.h"

enum { LESS = 1, EQUAL = 2, GREATER = 4 };

/* ---- set-up ---- */

static uint8_t orders_of(enum fb_cmp cmp) {
    switch (cmp) {
    case FB_CMP_LT: return LESS;
    case FB_CMP_LE: return LESS | EQUAL;
    case FB_CMP_GT: return GREATER;
    case FB_CMP_GE: return GREATER | EQUAL;
    case FB_CMP_EQ: return EQUAL;
    case FB_CMP_NE: return LESS | GREATER;
    }
    FB_BUG("a comparison");
}

static void make_comparison(struct fb_step *step, const struct fb_class *class_,
                            const struct fb_instr *in, uint32_t block_at) {
    if (in->op == FB_I_FIELD_CMP) {
        const struct fb_field *field = &class_->fields[in->a];
        step->op = FB_STEP_FIELD;
        step->orders = orders_of((enum fb_cmp)in->sub);
        step->at = block_at + field->offset;
        step->span_us = field->stale_us;
        step->limit = class_->numbers[in->imm];
        return;
    }
    step->op = class_->windows[in->imm].shape == FB_SHAPE_EACH ? FB_STEP_EACH : FB_STEP_WINDOW;
    step->orders = orders_of((enum fb_cmp)(in->sub >> 5));
    step->aggregate = in->sub & 31;
    step->needs = in->a;
    step->at = in->imm;
    step->limit = class_->numbers[in->b];
}

static bool make(struct fb_step *step, const struct fb_class *class_, const struct fb_instr *in,
                 uint32_t block_at) {
    *step = (struct fb_step){.dst = (uint8_t)in->dst};
    switch ((enum fb_opcode)in->op) {
    case FB_I_FIELD_CMP:
    case FB_I_WINDOW_CMP:
        make_comparison(step, class_, in, block_at);
        return in->dst < FB_STEPS_MAX;
    case FB_I_FOR_CONST:
        step->op = FB_STEP_FOR;
        step->at = block_at + in->imm;
        step->span_us = class_->ints[in->b];
        step->a = (uint8_t)in->a;
        return in->dst < FB_STEPS_MAX && in->a < FB_STEPS_MAX;
    case FB_I_UNTIL:
        step->op = FB_STEP_UNTIL;
        step->at = block_at + in->imm;
        break;
    case FB_I_NOT:
        step->op = FB_STEP_NOT;
        step->a = (uint8_t)in->a;
        return in->dst < FB_STEPS_MAX && in->a < FB_STEPS_MAX;
    case FB_I_AND: step->op = FB_STEP_AND; break;
    case FB_I_OR: step->op = FB_STEP_OR; break;
    default: return false;
    }
    step->a = (uint8_t)in->a;
    step->b = (uint8_t)in->b;
    return in->dst < FB_STEPS_MAX && in->a < FB_STEPS_MAX && in->b < FB_STEPS_MAX;
}

uint32_t fb_steps_make(struct fb_step *steps, const struct fb_class *class_,
                       const struct fb_condition *condition, uint32_t block_at) {
    const struct fb_code *code = &condition->code;
    if (condition->role == FB_ROLE_CLAIM || code->count > FB_STEPS_MAX)
        return 0;
    for (uint32_t i = 0; i < code->count; i++)
        if (!make(&steps[i], class_, &class_->code[code->first + i], block_at))
            return 0;
    return code->count && steps[code->count - 1].dst == code->result ? code->count : 0;
}

/* ---- running ---- */

/* The numbers are finite. */
static inline uint8_t compare(uint8_t orders, double a, double b) {
    return orders >> ((a > b) - (a < b) + 1) & 1;
}

static inline uint8_t field(struct fb_eval *eval, const struct fb_step *step, const char *at) {
    const struct fb_field_cell *cell = (const void *)at;
    if (cell->quality != FB_Q_GOOD)
        return FB_UNKNOWN;
    if (step->span_us) {
        if (eval->t_us - cell->ts_us > step->span_us)
            return FB_UNKNOWN;
        fb_eval_due(eval, fb_add_sat(cell->ts_us, step->span_us + 1));
    }
    return compare(step->orders, cell->num, step->limit);
}

static inline uint8_t window(struct fb_eval *eval, const struct fb_step *step, bool each) {
    const struct fb_window_memo *memo =
        fb_eval_window(eval, step->at, step->aggregate, step->needs);
    int64_t *deadline_us = each ? &eval->each_us : &eval->deadline_us;
    if (memo->deadline_us < *deadline_us)
        *deadline_us = memo->deadline_us;
    eval->restless |= memo->restless;
    return memo->value.quality == FB_Q_GOOD
               ? compare(step->orders, memo->value.num, step->limit)
               : FB_UNKNOWN;
}

static inline uint8_t delay(struct fb_eval *eval, const struct fb_step *step, char *at,
                            uint8_t c) {
    struct fb_for_cell *cell = (void *)at;
    return cell->value = fb_delay(&cell->t0_us, &cell->paused_us, c, true, step->span_us,
                                  eval->t_us, &eval->deadline_us);
}

uint8_t fb_steps_run(struct fb_eval *eval, const struct fb_step *steps, uint32_t n) {
    char *device = (char *)eval->device;
    uint8_t r[FB_STEPS_MAX];
    uint8_t value = FB_UNKNOWN;
    for (const struct fb_step *step = steps; step < steps + n; step++) {
        switch ((enum fb_step_op)step->op) {
        case FB_STEP_FIELD: value = field(eval, step, device + step->at); break;
        case FB_STEP_WINDOW: value = window(eval, step, false); break;
        case FB_STEP_EACH: value = window(eval, step, true); break;
        case FB_STEP_FOR: value = delay(eval, step, device + step->at, r[step->a]); break;
        case FB_STEP_UNTIL:
            value = fb_until((void *)(device + step->at), r[step->a], r[step->b]);
            break;
        case FB_STEP_NOT: value = r[step->a] == FB_UNKNOWN ? FB_UNKNOWN : !r[step->a]; break;
        case FB_STEP_AND: value = fb_both(r[step->a], r[step->b], FB_FALSE); break;
        case FB_STEP_OR: value = fb_both(r[step->a], r[step->b], FB_TRUE); break;
        }
        r[step->dst] = value;
    }
    return value;
}
