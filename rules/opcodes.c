#include "rules/opcodes.h"

#include "engine/base/err.h"

#define FB_OPCODE(name, text, sub, a, b, imm)                                                      \
    [FB_I_##name] = {text, FB_OPERAND_##sub, FB_OPERAND_##a, FB_OPERAND_##b, FB_OPERAND_##imm},
static const struct fb_opcode_row rows[FB_OPCODES] = {
#include "rules/opcodes.inc"
};
#undef FB_OPCODE

enum {
#define FB_OPCODE(name, text, sub, a, b, imm) ROW_##name,
#include "rules/opcodes.inc"
#undef FB_OPCODE
    N_ROWS
};
_Static_assert((int)N_ROWS == (int)FB_OPCODES,
               "every instruction has its row in rules/opcodes.inc");

const struct fb_opcode_row *fb_opcode_row(uint8_t op) {
    FB_ASSERT(op < FB_OPCODES && rows[op].name);
    return &rows[op];
}

const char *fb_cmp_text(uint8_t cmp) {
    static const char *const texts[] = {
        [FB_CMP_LT] = "<",  [FB_CMP_LE] = "<=", [FB_CMP_GT] = ">",
        [FB_CMP_GE] = ">=", [FB_CMP_EQ] = "==", [FB_CMP_NE] = "!=",
    };
    FB_ASSERT(cmp <= FB_CMP_NE);
    return texts[cmp];
}

const char *fb_aggregate_text(uint8_t aggregate) {
    static const char *const texts[FB_AGGREGATES] = {
        [FB_AGG_AVG] = "avg",       [FB_AGG_MIN] = "min",
        [FB_AGG_MAX] = "max",       [FB_AGG_SUM] = "sum",
        [FB_AGG_COUNT] = "count",   [FB_AGG_FIRST] = "first",
        [FB_AGG_LAST] = "last",     [FB_AGG_TIME_AVG] = "time_avg",
        [FB_AGG_STDDEV] = "stddev", [FB_AGG_SPREAD] = "spread",
        [FB_AGG_DELTA] = "delta",   [FB_AGG_INCREASE] = "increase",
        [FB_AGG_RATE] = "rate",     [FB_AGG_ANY] = "any",
        [FB_AGG_ALL] = "all",       [FB_AGG_PREVIOUS] = "previous",
        [FB_AGG_CHANGE] = "change", [FB_AGG_CHANGED] = "changed",
    };
    FB_ASSERT(aggregate < FB_AGGREGATES && texts[aggregate]);
    return texts[aggregate];
}

enum fb_cmp fb_cmp_turned(enum fb_cmp cmp) {
    switch (cmp) {
    case FB_CMP_LT:
        return FB_CMP_GT;
    case FB_CMP_LE:
        return FB_CMP_GE;
    case FB_CMP_GT:
        return FB_CMP_LT;
    case FB_CMP_GE:
        return FB_CMP_LE;
    default:
        return cmp;
    }
}
