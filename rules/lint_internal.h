/* What the files of the linter share.
 *
 * Place in the flow: inside lint: lint.c walks over rules, lint_limits.c compares limits with each
 * other and with ranges, lint_unused.c finds names that nothing reads, lint_walk.c knows what an
 * expression reads. Private to rules/lint*.c. */
#ifndef FB_RULES_LINT_INTERNAL_H
#define FB_RULES_LINT_INTERNAL_H

#include "engine/model/program.h"
#include "rules/functions.h"
#include "rules/lint.h"

struct fb_linter {
    const struct fb_checked *checked;
    struct fb_diags *diags;
    struct fb_arena *arena;
    const struct fb_class_decl *class_decl; /* of the rule at hand */
};

/* ---- lint_walk.c ---- */

/* What an expression reads, through lets and params too. */
struct fb_lint_reads {
    struct fb_field_set fields;
    bool silence; /* silent, age, elapsed: changes without a field */
    bool limit;   /* a comparison of numbers */
};
void fb_lint_reads(const struct fb_node *node, struct fb_lint_reads *reads);
/* Written alike: the same operators, names and literals. */
bool fb_lint_equal(const struct fb_node *a, const struct fb_node *b);
/* Calls visit for the node and all below it, not through names. */
void fb_lint_visit(const struct fb_node *node, void (*visit)(const struct fb_node *node, void *arg),
                   void *arg);
const char *fb_lint_print(struct fb_linter *lint, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- lint_unused.c ---- */

/* Lets and params that nothing reads. */
void fb_lint_unused(struct fb_linter *lint);

/* ---- lint_limits.c ---- */

/* Limits outside the range of their field. */
void fb_lint_ranges(struct fb_linter *lint, const struct fb_node *condition);
/* `a until b` where both can hold at once. */
void fb_lint_overlap(struct fb_linter *lint, const struct fb_node *condition);
/* A raise that holds whenever a lower one does. */
void fb_lint_implied(struct fb_linter *lint, const struct fb_rule_decl *rule);

#endif
