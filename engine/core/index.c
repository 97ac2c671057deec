/* Sorted cuts of a field and who has them.
 *
 * Place in the flow: see index.h. */
#include "engine/core/index.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"

static bool is_number(enum fb_type type) {
    return type == FB_T_NUMBER || type == FB_T_COUNTER;
}

/* A delay that each evaluation reads anew could change by itself. */
static bool is_constant(const struct fb_class *class_, const struct fb_code *code) {
    return code->count == 1 && class_->code[code->first].op == FB_I_NUMBER;
}

bool fb_index_can_follow(const struct fb_program *program, const struct fb_class *class_,
                         const struct fb_condition *condition) {
    const struct fb_rule *rule = &program->rules[condition->rule];
    if (condition->role == FB_ROLE_CLAIM || condition->every_record || condition->twice ||
        (rule->has_clear_after && !is_constant(class_, &rule->clear_after)))
        return false;
    for (uint32_t i = 0; i < condition->code.count; i++) {
        const struct fb_instr *in = &class_->code[condition->code.first + i];
        switch ((enum fb_opcode)in->op) {
        case FB_I_FIELD:
            if (is_number(class_->fields[in->imm].type))
                return false;
            break;
        case FB_I_ACTUATOR:
        case FB_I_ALARM:
        case FB_I_MODE:
        case FB_I_LINKED:
        case FB_I_GROUP:
        case FB_I_ELAPSED:
        case FB_I_AGE:
        case FB_I_SILENT:
        case FB_I_WINDOW:
        case FB_I_WINDOW_CMP:
            return false;
        default:
            break;
        }
    }
    return true;
}

static bool has(const uint64_t *set, uint32_t i) {
    return set[i / 64] >> (i % 64) & 1;
}

static void add(uint64_t *set, uint32_t i) {
    set[i / 64] |= UINT64_C(1) << (i % 64);
}

/* A comparison of the field with a constant in some condition. */
struct atom {
    double cut;
    uint32_t condition;
};

static int by_cut(const void *a, const void *b) {
    const struct atom *x = a, *y = b;
    if (x->cut != y->cut)
        return x->cut < y->cut ? -1 : 1;
    return x->condition < y->condition ? -1 : x->condition > y->condition;
}

static uint32_t collect(const struct fb_class *class_, uint32_t field, const uint64_t *followed,
                        struct atom **atoms) {
    uint32_t n = 0, cap = 0;
    for (uint32_t c = 0; c < class_->n_conditions; c++) {
        const struct fb_code *code = &class_->conditions[c].code;
        for (uint32_t i = 0; has(followed, c) && i < code->count; i++) {
            const struct fb_instr *in = &class_->code[code->first + i];
            if (in->op != FB_I_FIELD_CMP || in->a != field)
                continue;
            FB_PUSH_ROOM(*atoms, n, cap);
            (*atoms)[n++] = (struct atom){class_->numbers[in->imm], c};
        }
    }
    if (n)
        qsort(*atoms, n, sizeof **atoms, by_cut);
    return n;
}

void fb_index_make(struct fb_field_index *index, const struct fb_program *program,
                   const struct fb_class *class_, uint32_t field, const uint64_t *followed,
                   uint32_t words) {
    *index = (struct fb_field_index){0};
    for (uint32_t c = 0; c < class_->n_conditions; c++) {
        const struct fb_condition *condition = &class_->conditions[c];
        if (!has(followed, c) || !fb_field_set_has(&condition->reads, field))
            continue;
        if (!index->indexed) {
            index->indexed = fb_alloc(sizeof(uint64_t) * words);
            index->whenever = fb_alloc(sizeof(uint64_t) * words);
        }
        add(index->indexed, c);
        if (program->rules[condition->rule].whenever)
            add(index->whenever, c);
    }
    struct atom *atoms = NULL;
    uint32_t n = collect(class_, field, followed, &atoms);
    index->cuts = fb_alloc(sizeof(double) * (n + 1u));
    index->first = fb_alloc(sizeof(uint32_t) * (n + 1u));
    index->conditions = fb_alloc(sizeof(uint32_t) * (n + 1u));
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || atoms[i].cut != atoms[i - 1].cut) {
            index->first[index->n_cuts] = i;
            index->cuts[index->n_cuts++] = atoms[i].cut;
        }
        index->conditions[i] = atoms[i].condition;
    }
    index->first[index->n_cuts] = n;
    free(atoms);
}

void fb_index_free(struct fb_field_index *index) {
    free(index->cuts);
    free(index->first);
    free(index->conditions);
    free(index->indexed);
    free(index->whenever);
}

uint32_t fb_index_position(const struct fb_field_index *index, double value) {
    uint32_t low = 0, high = index->n_cuts; /* the first cut that is not below the value */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->cuts[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low * 2 + (low < index->n_cuts && index->cuts[low] == value);
}

void fb_index_mark(const struct fb_field_index *index, uint32_t from, uint32_t to, uint64_t *set) {
    if (from > to) {
        uint32_t swap = from;
        from = to;
        to = swap;
    }
    /* Cut i is at position 2 i + 1. */
    uint32_t first = from / 2, behind = (to + 1) / 2;
    for (uint32_t k = index->first[first]; k < index->first[behind]; k++)
        add(set, index->conditions[k]);
}
