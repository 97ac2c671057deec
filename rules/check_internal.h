/* What the files of the checker share.
 *
 * Place in the flow: inside check: check.c collects and orders, check_names.c looks names up,
 * check_expr.c, check_compare.c and check_call.c type expressions, check_units.c brings units
 * together, check_class.c, check_actuator.c, check_rule.c and check_test.c know the statements,
 * check_link.c reads other devices, check_groups.c has the rules on several of them,
 * check_ask.c has what is asked of them, check_published.c collects what is read of each,
 * check_acting.c looks at all controls together. Private to rules/check*.c and rules/lint*.c. */
#ifndef FB_RULES_CHECK_INTERNAL_H
#define FB_RULES_CHECK_INTERNAL_H

#include "engine/base/map.h"
#include "engine/model/program.h"
#include "rules/check.h"
#include "rules/functions.h"

/* What is found while an expression is checked, its lets and params included. */
struct fb_facts {
    const struct fb_node
        *moving; /* for, until, silent, age, elapsed, each: change without a record */
    const struct fb_node *window;      /* any window, previous included */
    const struct fb_node *others;      /* what is read of other devices */
    const struct fb_node *lookup_only; /* what a param may not hold: any of these, or `silent` */
    struct fb_field_set reads;
    uint32_t alarms; /* the last alarm that is read, as its place among the rules plus 1 */
    uint32_t depth; /* of lets and params */
    uint32_t nodes; /* depth of the tree, with those of lets and params hung into it */
};

enum fb_progress { FB_NOT_CHECKED = 0, FB_CHECKING, FB_DONE };

/* A let or a param while it is checked. */
struct fb_definition {
    struct fb_let_decl *let;     /* either */
    struct fb_param_decl *param; /* or */
    enum fb_progress progress;
    struct fb_facts facts;
};

/* Where names are looked up: a rule's lets, then its class, then params, then actuators. */
struct fb_scope {
    struct fb_definition *lets;
    uint32_t n_lets;
    struct fb_class_decl *class_decl; /* NULL: none */
    const struct fb_actuator_decl **actuators; /* of the class */
    uint32_t n_actuators;
    const struct fb_rule_decl **modes; /* of the class */
    uint32_t n_modes;
    const struct fb_scope *outer;     /* of a rule: its class's; NULL: only params are left */
};

struct fb_checker {
    struct fb_tree *tree;
    struct fb_units *units;
    struct fb_diags *diags;
    struct fb_arena *arena;
    struct fb_checked *out;
    struct fb_scope *class_scopes; /* of each class */
    struct fb_map *classes;        /* name -> index */
    struct fb_map *params;         /* "class\0name" or "\0name" -> index */
    struct fb_map *rules;          /* name -> index */
    struct fb_map *actuators;      /* "class\nname" -> index */
    struct fb_definition *param_definitions;
    const struct fb_scope *scope; /* of the expression at hand */
    struct fb_facts *facts;       /* of the expression at hand */
    struct fb_definition *lets;   /* of the last rule: its commands see them */
    /* What the last rule's values see, of a mode in each of its states: also what it asks of other
     * devices. */
    const struct fb_scope *asking;
    const struct fb_scope *asking_states; /* NULL: it is no mode */
    const struct fb_rule_decl *rule; /* at hand; NULL: none */
    struct fb_scope *states;         /* of each state of the mode at hand; NULL: no mode */
    struct fb_definition **path;  /* lets and params being checked, the innermost last */
    uint32_t n_path, cap_path;
    const struct fb_node *compared[2]; /* sides of the comparison being checked */
    uint32_t nesting;                  /* of fb_check_node, for the stack's sake */
    uint32_t base;                     /* nesting where the definition at hand began */
    bool incomplete; /* a statement or file was lost with its name: any may be declared in it */
};

/* ---- check_names.c ---- */
void fb_check_collect(struct fb_checker *ck);
uint32_t fb_check_class_index(struct fb_checker *ck, struct fb_str name, struct fb_span span);
struct fb_definition *fb_check_definition(const struct fb_scope *scope, struct fb_str name,
                                          const struct fb_scope **where);
struct fb_field_decl *fb_check_field(const struct fb_class_decl *decl, struct fb_str name);
const struct fb_actuator_decl *fb_check_actuator_named(const struct fb_scope *scope,
                                                       struct fb_str name);
void fb_check_name(struct fb_checker *ck, struct fb_node *node, const struct fb_type_decl *words);
bool fb_check_refuse_depth(struct fb_checker *ck, struct fb_span user); /* returns false */
/* Types and units of a definition, unless done; false where it holds an error or reaches itself. */
bool fb_check_define(struct fb_checker *ck, struct fb_definition *definition,
                     const struct fb_scope *scope, struct fb_span user);
/* ---- check_expr.c ---- */
/* Types the node and all below it; words: the enumeration opposite, whose words come first, or
 * NULL. After an error node->type is FB_T_NONE, and whoever uses the node keeps silent. */
void fb_check_node(struct fb_checker *ck, struct fb_node *node, const struct fb_type_decl *words);
/* A node that must be a bool. */
bool fb_check_condition(struct fb_checker *ck, struct fb_node *node, const char *what);
/* A node that must be a number (or an integer); reports a counter by its own error. */
bool fb_check_is_number(struct fb_checker *ck, const struct fb_node *node);
/* A span of time that is not negative where it is known; known: it must be, and *us is set. */
bool fb_check_duration(struct fb_checker *ck, struct fb_node *node, bool known, int64_t *us);
/* The enumeration a node will have, before it is checked; NULL: none, or not known. */
const struct fb_type_decl *fb_check_foresee(const struct fb_checker *ck,
                                            const struct fb_node *node);
/* Sets the type of UNKNOWN nodes to that of the others, and checks that all are alike. */
bool fb_check_alike(struct fb_checker *ck, struct fb_node *const *values, uint32_t n,
                    enum fb_type *type, struct fb_span span);
bool fb_check_failed(const struct fb_node *node); /* an error was reported in it */
/* Adds what is known of a part to the whole. */
void fb_facts_add(struct fb_facts *to, const struct fb_facts *from);

/* ---- check_compare.c ---- */
void fb_check_compare(struct fb_checker *ck, struct fb_node *node);
void fb_check_in(struct fb_checker *ck, struct fb_node *node);
void fb_check_is(struct fb_checker *ck, struct fb_node *node);
void fb_check_matches(struct fb_checker *ck, struct fb_node *node);

/* ---- check_call.c ---- */
void fb_check_call(struct fb_checker *ck, struct fb_node *node);
void fb_check_silent(struct fb_checker *ck, struct fb_node *node);

/* ---- check_link.c ---- */
/* What the links of a class lead to, before any expression. */
void fb_check_links(struct fb_checker *ck, uint32_t class_index);
struct fb_link_decl *fb_check_link_named(const struct fb_class_decl *decl, struct fb_str name);
/* The field that says a device's domain; NULL: a mistake in it was reported. */
const struct fb_field_decl *fb_check_domain_field(const struct fb_class_decl *decl);
void fb_check_linked(struct fb_checker *ck, struct fb_node *node);
void fb_check_group(struct fb_checker *ck, struct fb_node *node);
/* The members link to a device of the class `own`, by this link of theirs; else they share what
 * stands behind `by`. */
bool fb_check_group_leads_here(const struct fb_group_decl *group,
                               const struct fb_class_decl *members, uint32_t own,
                               const struct fb_link_decl **link);

/* That devices of the class `members` belong to one of `own` as the group says. */
bool fb_check_members(struct fb_checker *ck, const struct fb_node *node, uint32_t own,
                      uint32_t members);
/* There is no link of the node's name. */
void fb_check_refuse_link(struct fb_checker *ck, const struct fb_node *node,
                          const struct fb_class_decl *decl);

/* ---- check_ask.c ---- */
/* The class of the devices that a command to others is for; FB_MAP_NONE: there is none. */
uint32_t fb_check_asked_class(struct fb_checker *ck, const struct fb_rule_decl *control,
                              uint32_t commander);
/* A control that a command to other devices stands for, by its place among the rules. */
void fb_check_ask(struct fb_checker *ck, uint32_t index);

/* ---- check_groups.c ---- */
/* The class of a rule on groups of devices of a class; it is made where it is not there.
 * FB_MAP_NONE after a report. */
uint32_t fb_check_class_of_groups(struct fb_checker *ck, const struct fb_rule_decl *rule,
                                  uint32_t members);
/* That it reads nothing that comes with records. */
void fb_check_rule_on_groups(struct fb_checker *ck, const struct fb_rule_decl *rule);

/* ---- check_published.c ---- */
/* What each class publishes for others, and the places of all that reads it; after all else, where
 * no error was found. */
void fb_check_published(struct fb_checker *ck);

/* ---- check_units.c ---- */
/* A unit by its declared text; NULL with *ok false after an error, NULL with *ok true for none. */
const struct fb_unit *fb_check_unit(struct fb_checker *ck, struct fb_str text, struct fb_span span,
                                    bool *ok);
/* Literals: NUMBER, DURATION, signs before them. */
bool fb_check_is_literal(const struct fb_node *node);
/* "did you mean `5 K`?" for the number `5 degC`, where a difference is wanted. */
const char *fb_check_as_difference(struct fb_checker *ck, const struct fb_node *number);
/* Brings values to one unit; `verb` completes "cannot be ..". False after an error. */
bool fb_check_bring(struct fb_checker *ck, struct fb_node *const *values, uint32_t n,
                    struct fb_span span, const char *verb);
/* Types ADD, SUB, MUL, DIV; both sides are numbers. */
void fb_check_arithmetic(struct fb_checker *ck, struct fb_node *node);
/* A value that is declared with a unit: gives it to bare numbers, else they must agree. */
bool fb_check_declared(struct fb_checker *ck, struct fb_node *value, const struct fb_unit *unit,
                       struct fb_span span);
/* "`level` is in m"; "`5` has no unit". In the arena. */
const char *fb_check_in_unit(struct fb_checker *ck, const struct fb_node *node);

/* ---- check_class.c ---- */
/* Units and types of the fields, before anything reads them. */
void fb_check_field_types(struct fb_checker *ck, struct fb_class_decl *decl);
void fb_check_class(struct fb_checker *ck, uint32_t index);
void fb_check_param_body(struct fb_checker *ck, struct fb_param_decl *param);
/* A number of a declaration, known now, in its unit; *value is in that unit. */
bool fb_check_declared_number(struct fb_checker *ck, struct fb_node *node,
                              const struct fb_unit *unit, const char *what, double *value);
/* A duration of a declaration, longer than nothing; NULL: nothing is checked. */
void fb_check_positive_span(struct fb_checker *ck, struct fb_node *node, const char *what);
/* `at most n per d` of what is commanded: n is most at most, d is known. check_rule.c */
void fb_check_limit(struct fb_checker *ck, uint32_t n, uint32_t most, struct fb_node *per,
                    struct fb_span span);

/* ---- check_actuator.c ---- */
/* Units and words, before anything reads them. */
void fb_check_actuator_type(struct fb_checker *ck, struct fb_actuator_decl *actuator);
void fb_check_actuator(struct fb_checker *ck, uint32_t index);
/* What stands in `feedback`; only then is the condition of its alarm worth a look. */
bool fb_check_feedback(struct fb_checker *ck, const struct fb_actuator_decl *actuator);
/* The states of a mode and the ways between them. check_mode.c */
void fb_check_mode(struct fb_checker *ck, struct fb_rule_decl *mode);
/* What each of its states sees: its own lets, typed, then what the mode sees. */
struct fb_scope *fb_check_states(struct fb_checker *ck, const struct fb_rule_decl *mode,
                                 const struct fb_scope *of_mode);
/* NULL: the device has no such mode. check_mode.c */
/* The alarm of the scope's class; NULL: there is none. */
const struct fb_rule_decl *fb_check_alarm_named(const struct fb_checker *ck,
                                                const struct fb_scope *scope, struct fb_str name);
const struct fb_rule_decl *fb_check_mode_named(const struct fb_scope *scope, struct fb_str name);
/* A command of a control on the class: its target, its value, its priority and length. */
void fb_check_command(struct fb_checker *ck, struct fb_command_decl *command, uint32_t class_index);

/* ---- check_acting.c ---- */
/* What is found only with all controls at hand: how many there are on an actuator, and loops. */
void fb_check_acting(struct fb_checker *ck);

/* ---- check_rule.c, check_test.c ---- */
void fb_check_rule(struct fb_checker *ck, uint32_t index);
/* That the rule's `fleet` limits something among the devices of a class. */
void fb_check_fleet_of(struct fb_checker *ck, const struct fb_rule_decl *rule,
                       const struct fb_class_decl *decl);
void fb_check_test(struct fb_checker *ck, uint32_t index);

/* ---- check.c: words for messages ---- */
/* The node as written, shortened; in the arena. */
const char *fb_check_source(struct fb_checker *ck, const struct fb_node *node);
const char *fb_check_print(struct fb_checker *ck, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "did you mean `x`?", or NULL where nothing is near. */
const char *fb_check_suggest(struct fb_checker *ck, struct fb_str wanted,
                             const struct fb_str *candidates, uint32_t n);

#endif
