/* What the operands of each instruction are, for those that walk over code without running it.
 *
 * Place in the flow: lower drops what nothing reads, listing and cost print. */
#ifndef FB_RULES_OPCODES_H
#define FB_RULES_OPCODES_H

#include "engine/model/program.h"

enum fb_operand {
    FB_OPERAND_NONE,
    FB_OPERAND_REG,
    FB_OPERAND_REGS,
    FB_OPERAND_FIELD,
    FB_OPERAND_MASK,
    FB_OPERAND_COUNT,
    FB_OPERAND_NUMBER,
    FB_OPERAND_PAIR,
    FB_OPERAND_INT,
    FB_OPERAND_TEXT,
    FB_OPERAND_PATTERN,
    FB_OPERAND_ALARM,
    FB_OPERAND_ACTUATOR,
    FB_OPERAND_MODE,
    FB_OPERAND_CELL,
    FB_OPERAND_WINDOW,
    FB_OPERAND_SHARE,
    FB_OPERAND_LINK,
    FB_OPERAND_PUBLISHED,
    FB_OPERAND_GROUP,
    FB_OPERAND_PERCENT,
    FB_OPERAND_GROUP_FUNCTION,
    FB_OPERAND_CMP,
    FB_OPERAND_AGG,
    FB_OPERAND_AGG_CMP,
    FB_OPERAND_FLAG
};

struct fb_opcode_row {
    const char *name;
    enum fb_operand sub, a, b, imm;
};

/* The row of an opcode, which must be one. */
const struct fb_opcode_row *fb_opcode_row(uint8_t op);
const char *fb_cmp_text(uint8_t cmp);          /* "<" */
enum fb_cmp fb_cmp_turned(enum fb_cmp cmp);    /* a cmp b is b turned(cmp) a */
const char *fb_aggregate_text(uint8_t aggregate); /* the function's name in the language */

#endif
