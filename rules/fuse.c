/* A field or a window against a constant, a delay of a constant length.
 *
 * Place in the flow: see fuse.h. In a piece every register is written once, by the instruction of
 * its number, so an operand's instruction is at hand. */
#include "rules/fuse.h"

#include "engine/base/num.h"
#include "rules/lower_internal.h"
#include "rules/opcodes.h"

static bool fuse_comparison(const struct fb_instr *left, const struct fb_instr *right, uint8_t cmp,
                            struct fb_instr *instr) {
    if (right->op != FB_I_NUMBER)
        return false;
    if (left->op == FB_I_FIELD) {
        *instr = (struct fb_instr){.op = FB_I_FIELD_CMP,
                                   .sub = cmp,
                                   .dst = instr->dst,
                                   .a = (uint16_t)left->imm,
                                   .imm = right->imm};
        return true;
    }
    if (left->op == FB_I_WINDOW && right->imm <= UINT16_MAX) {
        *instr = (struct fb_instr){.op = FB_I_WINDOW_CMP,
                                   .sub = (uint8_t)(left->sub | cmp << 5),
                                   .dst = instr->dst,
                                   .a = left->a,
                                   .b = (uint16_t)right->imm,
                                   .imm = left->imm};
        return true;
    }
    return false;
}

static void fuse_delay(struct fb_piece *piece, struct fb_instr *instr) {
    const struct fb_instr *span = &piece->code[instr->b];
    if (span->op != FB_I_NUMBER)
        return;
    double us = fb_num_round(piece->c->numbers[span->imm] * 1e6);
    if (us < 0 || us >= 9e18)
        return;
    uint32_t constant = fb_lower_int(piece->c, (int64_t)us);
    if (constant > UINT16_MAX)
        return;
    instr->op = FB_I_FOR_CONST;
    instr->b = (uint16_t)constant;
}

void fb_fuse(struct fb_piece *piece) {
    for (uint32_t i = 0; i < piece->n; i++) {
        struct fb_instr *instr = &piece->code[i];
        if (instr->op == FB_I_CMP_NUMBER) {
            const struct fb_instr *a = &piece->code[instr->a], *b = &piece->code[instr->b];
            if (!fuse_comparison(a, b, instr->sub, instr))
                fuse_comparison(b, a, (uint8_t)fb_cmp_turned((enum fb_cmp)instr->sub), instr);
        } else if (instr->op == FB_I_FOR) {
            fuse_delay(piece, instr);
        }
    }
}
