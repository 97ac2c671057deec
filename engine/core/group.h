/* What a device sees of others: the value behind a link, and functions of groups. A31 to A35.
 *
 * Place in the flow: 8 of the event's way: the evaluator's FB_I_LINKED and FB_I_GROUP. What a
 * function gives is kept with the members it was made of, so that n readers of one group look at
 * its n members once. */
#ifndef FB_CORE_GROUP_H
#define FB_CORE_GROUP_H

#include "engine/core/relation.h"

/* What an expression last gave of a bucket. */
struct fb_group_memo {
    uint64_t version; /* the bucket's then; 0: none */
    struct fb_value value;
    uint32_t *ranks; /* RANK: of each member in the bucket's order; 0: it has none */
    uint32_t cap;
};

/* Finds the expressions that each relation's buckets keep memos of. */
void fb_groups_set_up(struct fb_relations *relations);
void fb_groups_tear_down(struct fb_relations *relations);
/* Room to sort so many members. */
void fb_groups_reserve(struct fb_relations *relations, uint32_t members);
/* NULL for none. */
struct fb_group_memo *fb_group_memos_new(uint32_t n);
void fb_group_memos_free(struct fb_group_memo *memos, uint32_t n);

/* The instruction, of the device's class, read by the device. */
struct fb_value fb_linked_read(const struct fb_relations *relations, const struct fb_device *device,
                               const struct fb_instr *in);
struct fb_value fb_group_read(struct fb_relations *relations, const struct fb_device *device,
                              const struct fb_instr *in);

#endif
