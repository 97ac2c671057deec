/* What the files of the linter share.
 *
 * Place in the flow: inside lint: lint.c walks over rules, lint_limits.c compares limits with each
 * other and with ranges, lint_chatter.c looks for what damps them, lint_acting.c at controls and
 * actuators, lint_guards.c at guardrails, lint_unused.c finds names that nothing reads, lint_walk.c
 * knows what an expression reads. Private to rules/lint*.c; the walk serves rules/limit.c and
 * rules/check_*.c, too. */
#ifndef FB_RULES_LINT_INTERNAL_H
#define FB_RULES_LINT_INTERNAL_H

#include "engine/model/actuator.h"
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
    bool others;  /* other devices, through links and in groups */
    bool limit;   /* a comparison of numbers */
    const struct fb_actuator_decl *actuators[FB_ACTUATORS_MAX];
    uint32_t n_actuators;
    /* Of other kinds of devices, and of groups that this one belongs to. Those of its neighbours,
     * as a belt's next belt, are left out: along a line commands may follow one another. */
    const struct fb_actuator_decl *distant[FB_ACTUATORS_MAX];
    uint32_t n_distant;
};
void fb_lint_reads(const struct fb_node *node, struct fb_lint_reads *reads);
bool fb_lint_reads_distant(const struct fb_lint_reads *reads,
                           const struct fb_actuator_decl *actuator);
bool fb_lint_reads_actuator(const struct fb_lint_reads *reads,
                            const struct fb_actuator_decl *actuator);
/* Written alike: the same operators, names and literals; lets by what they stand for. */
bool fb_lint_equal(const struct fb_node *a, const struct fb_node *b);
/* Calls visit for the node and all below it, not through names. */
void fb_lint_visit(const struct fb_node *node, void (*visit)(const struct fb_node *node, void *arg),
                   void *arg);
const char *fb_lint_print(struct fb_linter *lint, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- lint_chatter.c ---- */

/* An alarm on a moving value that nothing damps, with a proposal. */
void fb_lint_alarm_chatter(struct fb_linter *lint, const struct fb_rule_decl *rule);
/* The same of what a control starts by, and of the choices in the values of its commands. */
void fb_lint_hunting(struct fb_linter *lint, const struct fb_rule_decl *rule);
void fb_lint_mode_hunting(struct fb_linter *lint, const struct fb_rule_decl *mode);
/* The same of an interlock, where no other guardrail keeps the actuator from coming back at once.
 */
void fb_lint_interlock(struct fb_linter *lint, const struct fb_actuator_decl *actuator);

/* ---- lint_guards.c ---- */

/* Guardrails that do another thing than they seem to. */
void fb_lint_guards(struct fb_linter *lint, const struct fb_actuator_decl *actuator);

/* ---- lint_acting.c ---- */

/* What a mode says about its ways, its rollout and its commands. */
void fb_lint_mode(struct fb_linter *lint, const struct fb_rule_decl *mode);
/* What a control says about its rollout and its commands. */
void fb_lint_control(struct fb_linter *lint, const struct fb_rule_decl *rule);
/* What an actuator says about itself and the commands for it. */
void fb_lint_actuator(struct fb_linter *lint, const struct fb_checked_actuator *checked);

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
