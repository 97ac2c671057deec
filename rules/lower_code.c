#include "rules/lower_internal.h"

#include <stdlib.h>

#include "engine/base/err.h"
#include "engine/base/map.h"
#include "engine/base/num.h"
#include "rules/fuse.h"
#include "rules/opcodes.h"

/* ---- pieces -------------------------------------------------------------------------------- */

void fb_piece_begin(struct fb_piece *piece, struct fb_lower_class *c, struct fb_span span) {
    *piece = (struct fb_piece){.c = c, .span = span};
}

void fb_piece_free(struct fb_piece *piece) {
    free(piece->code);
    free(piece->places);
    free(piece->lets);
    *piece = (struct fb_piece){0};
}

void fb_piece_too_long(struct fb_piece *piece) {
    if (!piece->too_long)
        fb_diag_add(piece->c->diags, FB_E_CODE_TOO_LONG, piece->span,
                    "split it into several rules, or give fewer alternatives",
                    "this becomes more than %d instructions, lets and params included",
                    FB_REGISTERS_MAX);
    piece->too_long = true;
}

/* Past the bound the code is dropped: the program is refused anyway. */
static uint16_t append(struct fb_piece *piece, struct fb_instr instr) {
    if (piece->n == FB_REGISTERS_MAX) {
        fb_piece_too_long(piece);
        return FB_REGISTERS_MAX - 1;
    }
    FB_PUSH_ROOM(piece->code, piece->n, piece->cap);
    instr.dst = (uint16_t)piece->n;
    piece->code[piece->n] = instr;
    return (uint16_t)piece->n++;
}

static bool constants_of(const struct fb_piece *piece, uint16_t a, uint16_t b, double *x,
                         double *y) {
    return fb_piece_constant(piece, a, x) && fb_piece_constant(piece, b, y);
}

/* Arithmetic on constants is done here, with the very operations of the evaluator. */
static bool fold(const struct fb_piece *piece, enum fb_opcode op, uint16_t a, uint16_t b,
                 double *result) {
    double x, y;
    switch (op) {
    case FB_I_ADD:
    case FB_I_SUB:
    case FB_I_MUL:
    case FB_I_DIV:
        if (!constants_of(piece, a, b, &x, &y))
            return false;
        *result = op == FB_I_ADD ? x + y : op == FB_I_SUB ? x - y : op == FB_I_MUL ? x * y : x / y;
        break;
    case FB_I_NEG:
        if (!fb_piece_constant(piece, a, &x))
            return false;
        *result = -x;
        break;
    default:
        return false;
    }
    return fb_num_finite(*result); /* what is not finite stays for the evaluator: unknown */
}

uint16_t fb_piece_emit(struct fb_piece *piece, enum fb_opcode op, uint8_t sub, uint16_t a,
                       uint16_t b, uint32_t imm) {
    double folded;
    if (fold(piece, op, a, b, &folded))
        return fb_piece_number(piece, folded);
    for (uint32_t i = 0; i < piece->n; i++) {
        const struct fb_instr *have = &piece->code[i];
        if (have->op == op && have->sub == sub && have->a == a && have->b == b && have->imm == imm)
            return (uint16_t)i;
    }
    return append(piece,
                  (struct fb_instr){.op = (uint8_t)op, .sub = sub, .a = a, .b = b, .imm = imm});
}

static uint32_t state_room(struct fb_lower_class *c, enum fb_opcode op) {
    switch (op) {
    case FB_I_FOR:
        return fb_lower_room(c, sizeof(struct fb_for_cell), _Alignof(struct fb_for_cell));
    case FB_I_UNTIL:
        return fb_lower_room(c, sizeof(struct fb_until_cell), _Alignof(struct fb_until_cell));
    default:
        FB_ASSERT(op == FB_I_ELAPSED);
        return fb_lower_room(c, sizeof(struct fb_elapsed_cell), _Alignof(struct fb_elapsed_cell));
    }
}

/* Equal operators with equal operands see the same instants, so they are in the same state. */
uint16_t fb_piece_emit_state(struct fb_piece *piece, const struct fb_node *node, enum fb_opcode op,
                             uint8_t sub, uint16_t a, uint16_t b) {
    for (uint32_t i = 0; i < piece->n; i++) {
        const struct fb_instr *have = &piece->code[i];
        if (have->op == op && have->sub == sub && have->a == a && have->b == b) {
            fb_piece_place(piece, node, have->imm);
            return (uint16_t)i;
        }
    }
    uint32_t cell = state_room(piece->c, op);
    fb_piece_place(piece, node, cell);
    return append(piece,
                  (struct fb_instr){.op = (uint8_t)op, .sub = sub, .a = a, .b = b, .imm = cell});
}

uint16_t fb_piece_copy(struct fb_piece *piece, uint16_t reg) {
    return append(piece, (struct fb_instr){.op = FB_I_AND, .a = reg, .b = reg});
}

uint16_t fb_piece_number(struct fb_piece *piece, double x) {
    return fb_piece_emit(piece, FB_I_NUMBER, 0, 0, 0, fb_lower_number(piece->c, x));
}

uint16_t fb_piece_int(struct fb_piece *piece, int64_t x) {
    return fb_piece_emit(piece, FB_I_INT, 0, 0, 0, fb_lower_int(piece->c, x));
}

bool fb_piece_constant(const struct fb_piece *piece, uint16_t reg, double *x) {
    if (reg >= piece->n || piece->code[reg].op != FB_I_NUMBER)
        return false;
    *x = piece->c->numbers[piece->code[reg].imm];
    return true;
}

void fb_piece_place(struct fb_piece *piece, const struct fb_node *node, uint32_t where) {
    if (!node || fb_piece_place_of(piece, node) != FB_MAP_NONE)
        return;
    FB_PUSH_ROOM(piece->places, piece->n_places, piece->cap_places);
    piece->places[piece->n_places++] = (struct fb_lower_place){.node = node, .where = where};
}

uint32_t fb_piece_place_of(const struct fb_piece *piece, const struct fb_node *node) {
    for (uint32_t i = 0; i < piece->n_places; i++)
        if (piece->places[i].node == node)
            return piece->places[i].where;
    return FB_MAP_NONE;
}

/* ---- the end of a piece -------------------------------------------------------------------- */

static void want(bool *wanted, enum fb_operand kind, uint32_t operand, uint32_t count) {
    if (kind == FB_OPERAND_REG)
        wanted[operand] = true;
    else if (kind == FB_OPERAND_REGS)
        for (uint32_t i = 0; i < count; i++)
            wanted[operand + i] = true;
}

static bool keeps_state(uint8_t op) {
    return op == FB_I_FOR || op == FB_I_FOR_CONST || op == FB_I_UNTIL || op == FB_I_ELAPSED;
}

static void renumber(const uint16_t *numbers, enum fb_operand kind, uint16_t *operand) {
    if (kind == FB_OPERAND_REG || kind == FB_OPERAND_REGS)
        *operand = numbers[*operand];
}

/* Drops what nothing reads, as the terms of a folded sum; returns the new number of the result. */
static uint16_t drop_unread(struct fb_piece *piece, uint16_t result) {
    bool wanted[FB_REGISTERS_MAX] = {false};
    uint16_t numbers[FB_REGISTERS_MAX] = {0};
    wanted[result] = true;
    for (uint32_t i = piece->n; i-- > 0;) {
        const struct fb_instr *instr = &piece->code[i];
        wanted[i] |= keeps_state(instr->op);
        if (!wanted[i])
            continue;
        const struct fb_opcode_row *row = fb_opcode_row(instr->op);
        want(wanted, row->a, instr->a, instr->b);
        want(wanted, row->b, instr->b, 0);
        want(wanted, row->imm, instr->imm, 0);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < piece->n; i++) {
        if (!wanted[i])
            continue;
        struct fb_instr instr = piece->code[i];
        const struct fb_opcode_row *row = fb_opcode_row(instr.op);
        renumber(numbers, row->a, &instr.a);
        renumber(numbers, row->b, &instr.b);
        if (row->imm == FB_OPERAND_REG)
            instr.imm = numbers[instr.imm];
        instr.dst = numbers[i] = (uint16_t)kept;
        piece->code[kept++] = instr;
    }
    piece->n = kept;
    return numbers[result];
}

struct fb_code fb_piece_end(struct fb_piece *piece, uint16_t result) {
    struct fb_lower_class *c = piece->c;
    fb_fuse(piece);
    result = drop_unread(piece, result);
    struct fb_code code = {
        .first = c->n_code, .count = piece->n, .result = result, .registers = (uint16_t)piece->n};
    for (uint32_t i = 0; i < piece->n; i++) {
        FB_PUSH_ROOM(c->code, c->n_code, c->cap_code);
        c->code[c->n_code++] = piece->code[i];
    }
    if (c->out->registers < code.registers)
        c->out->registers = code.registers;
    return code;
}
