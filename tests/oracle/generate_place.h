/* What may stand at a place of an expression, and what grows there.
 *
 * Place in the flow: generate_rules grows expressions of a device's own values, generate_others
 * those of other devices. */
#ifndef FB_TESTS_GENERATE_PLACE_H
#define FB_TESTS_GENERATE_PLACE_H

#include "tests/oracle/generate.h"

/* Reading goes round in no circle: what stands at a place of some level reads of other devices only
 * what is of a lower one. */
enum { GEN_LEVELS = 3 };

struct gen_place {
    struct gen_case *c;
    const struct gen_class *class;
    uint32_t class_index;
    const struct gen_rule *rule; /* whose lets are known; NULL: none */
    bool still;                  /* nothing that moves without a record: inside windows */
    bool windows;                /* windows, previous, ... may stand here */
    bool samples;                /* inside a window: previous and change may stand here */
    bool params;
    bool groups;    /* of a rule on groups: nothing but groups may stand here */
    uint32_t level; /* 0: no other devices may be read */
    bool moved;     /* out: something that moves was grown */
};

/* Up to four kids; NULL: none. */
struct gen_node *gen_place_node(struct gen_place *p, enum gen_family family, int binds,
                                const char *text, struct gen_node *a, struct gen_node *b,
                                struct gen_node *c, struct gen_node *d);
struct gen_node *gen_leaf(struct gen_place *p, enum gen_family family, const char *text);
struct gen_node *gen_place_number(struct gen_place *p, enum gen_family family, int depth);
struct gen_node *gen_place_condition(struct gen_place *p, int depth);
struct gen_node *gen_place_literal(struct gen_place *p, enum gen_family family);
const struct gen_field *gen_some_field(struct gen_place *p, enum gen_family family);
/* A family of numbers that the class can say something about. */
enum gen_family gen_some_family(struct gen_place *p);

/* --- generate_others.c --- */
bool gen_reads_others(struct gen_place *p, uint32_t percent);
struct gen_node *gen_other_number(struct gen_place *p, enum gen_family family);
struct gen_node *gen_other_condition(struct gen_place *p);
/* Whether samples that read others too may stand here; what is kept in a window then, NULL: none.
 */
bool gen_samples_others(const struct gen_place *p, uint32_t percent);
struct gen_node *gen_sample_of_others(struct gen_place *p, enum gen_family family);
/* `alarm .. by t`; the place is one of the members' class. */
void gen_group_rule(struct gen_place *p, struct gen_rule *rule);

#endif
