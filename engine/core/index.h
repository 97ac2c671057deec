/* The threshold index: which conditions a sample can change.
 *
 * Place in the flow: between 6 and 8 of the event's way: core.c asks it as fields take samples.
 *
 * A condition made only of comparisons of fields with constants, of logic, delays and latches is
 * *indexed*: while none of its comparisons changes and none of its deadlines is reached, another
 * evaluation would give the same value, state and deadlines, so it is left out. Of each number
 * field the constants of its indexed comparisons stand sorted, as cuts; a field's position among
 * them is kept in its cell. A sample that stays between two cuts costs two comparisons, however
 * many rules there are; one that crosses cuts marks just the conditions that have them. */
#ifndef FB_CORE_INDEX_H
#define FB_CORE_INDEX_H

#include "engine/model/program.h"

/* Of one field. Position 2 i lies below cuts[i] and above cuts[i - 1], 2 i + 1 is cuts[i]
 * itself. */
struct fb_field_index {
    double *cuts;
    uint32_t n_cuts;
    uint32_t *first;      /* of each cut: where its conditions begin; n_cuts + 1 entries */
    uint32_t *conditions; /* by cut */
    uint64_t *indexed;    /* set of the indexed conditions that read the field; NULL: none */
    uint64_t *whenever;   /* of those, the events that fire at each sample while they are true */
};

/* Whether a condition is made only of what the index can follow, and is a truth. */
bool fb_index_can_follow(const struct fb_program *program, const struct fb_class *class_,
                         const struct fb_condition *condition);
/* `followed`: set of the class's conditions. Set-up only. */
void fb_index_make(struct fb_field_index *index, const struct fb_program *program,
                   const struct fb_class *class_, uint32_t field, const uint64_t *followed,
                   uint32_t words);
void fb_index_free(struct fb_field_index *index);

uint32_t fb_index_position(const struct fb_field_index *index, double value);
/* Adds the conditions whose cuts lie between the positions, both included, to a set. */
void fb_index_mark(const struct fb_field_index *index, uint32_t from, uint32_t to, uint64_t *set);

/* Whether the position is still that of the value. */
static inline bool fb_index_holds(const struct fb_field_index *index, uint32_t position,
                                  double value) {
    uint32_t i = position / 2;
    if (position & 1)
        return value == index->cuts[i];
    return (i == 0 || value > index->cuts[i - 1]) && (i == index->n_cuts || value < index->cuts[i]);
}

#endif
