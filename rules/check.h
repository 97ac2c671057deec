/* The checker: what names mean, types, units and bounds of a parsed tree.
 *
 * Place in the flow: parse -> check -> lower. It writes into the tree what lowering needs (the last
 * members of struct fb_node, `unit` of declarations) and lists the statements by kind.
 *
 * What lowering may rely on where fb_check returned true:
 *
 * - Every name has its meaning: NAME nodes have `ref` and `field`, `let`, `param` or `word`. A WORD
 *   stands only opposite an expression of that enumeration; `word` is its index there.
 * - Every node has a type. NUMBER and DURATION literals are FB_T_NUMBER, INTEGER fields stay
 *   INTEGER where they stand alone, arithmetic and functions of numbers give NUMBER (first, last,
 *   previous, coalesce, if, min, max and clamp of INTEGER only: INTEGER). A COUNTER stands only in
 *   rate, increase, previous, `is`, age, silent, messages, and in a comparison with its
 *   `previous`. An UNKNOWN node has the type of what it stands beside.
 * - `unit` is the unit in which the node's value is delivered; NULL: none. A NUMBER or DURATION
 *   delivers `converted`, which is in `unit`: the unit of the other side, converted exactly. Every
 *   other node delivers what it has, and the operator converts:
 *     COMPARE, IN, IF, ADD, SUB and calls of several values: all values are brought to one unit:
 *     that of the first which is neither a literal nor a param, else of the first that has one. Of
 *     IF, ADD, SUB and calls it is the node's own unit, but where temperatures meet differences:
 *       point + x, x + point, point - x: x is brought to fb_unit_difference(point's unit);
 *       point - point: the right side is brought to the left's unit, the result has
 *       fb_unit_difference of it. A difference never has a point's unit, so that fb_unit_convert
 *       with `difference` false is right everywhere.
 *     MUL, DIV: nothing is converted; the node's unit is the product or quotient.
 *   fb_check_common_unit gives that one unit of several values.
 * - A let's value is delivered in let->unit where it was declared, else in the value's own; a
 *   param's likewise. A bare number as value of such a one has the declared unit already.
 * - Lengths of windows, `every`, `stale after`, `late up to`, ranges, `null`: constants, which
 *   fb_check_constant and fb_check_span read; so `at most .. per` of what is commanded. `for`,
 *   `clear after`, `at most .. per` of events: of the dimension of time; anything that is known at
 *   the time.
 * - age and elapsed are operands of a COMPARE whose other side does not move with time; inside a
 *   window's expression stands nothing that moves without a record, and no other window.
 * - first, last, previous and changed of a text, enumeration, time or integer: of a field, directly
 *   or through lets that are only its name.
 * - No let or param reaches itself; through lets and params nothing is nested deeper than
 *   FB_CHECK_DEPTH_MAX names and FB_CHECK_NODES_MAX nodes.
 * - A name of an actuator has `ref` ACTUATOR, `actuator`, and the type and unit of its declaration.
 *   Its `default` and `safe` are words (WORD nodes, `word` is 0 or 1) or constants that
 *   fb_check_constant reads in its unit; `slew` and `ignore steps` are read in the
 *   fb_unit_difference of it, durations by fb_check_span. The value of a command has its words'
 *   enumeration, or is a number that is brought to its unit.
 * - Patterns of `matches` have been compiled by rules/pattern.h.
 *
 * Single-threaded; the lists live in the tree's arena, the units as long as the struct fb_units. */
#ifndef FB_RULES_CHECK_H
#define FB_RULES_CHECK_H

#include "engine/model/program.h"
#include "rules/ast.h"
#include "rules/diag.h"
#include "rules/units.h"

enum {
    FB_CHECK_DEPTH_MAX = 64,  /* lets and params that use one another */
    FB_CHECK_NODES_MAX = 4000 /* nodes of an expression, lets and params written out */
};

/* Ten thousand years, so that sums of times and spans never overflow. */
#define FB_CHECK_SPAN_US_MAX (INT64_C(3652500) * 86400 * 1000000)

/* What other devices read of those of a class; LINKED nodes have its index in `place`. */
struct fb_checked_published {
    struct fb_str name;         /* the expression as it is formatted */
    const struct fb_node *node; /* the first that was read, of those that are written alike */
    enum fb_type type;          /* NUMBER also of integers that are computed with */
};
struct fb_checked_link {
    const struct fb_link_decl *decl; /* its `index` is the one here */
    uint32_t relation;
};
/* As struct fb_group; GROUP nodes have its index in `place`. */
struct fb_checked_group {
    const struct fb_group_decl *decl;
    uint32_t class_index, relation, own, value, where;
};

/* A device class with what later blocks add to it. */
struct fb_checked_class {
    struct fb_class_decl *decl;
    struct fb_let_decl **lets; /* of all its blocks, in the order of the text */
    uint32_t n_lets;
    /* what rules read of other devices, and others of these; where there is no error */
    struct fb_checked_published *published;
    uint32_t n_published;
    struct fb_relation *relations;
    uint32_t n_relations;
    struct fb_checked_link *links;
    uint32_t n_links;
    struct fb_checked_group *groups;
    uint32_t n_groups;
    /* A class whose devices are groups of devices of another one, by a relation of theirs, made for
     * `alarm .. on C by t`: its name is "C by t", its keys are the domain and t, or t alone where
     * that is the domain. FB_NO_INDEX: it is none. */
    uint32_t group_class, group_relation;
};

struct fb_checked_rule {
    struct fb_rule_decl *decl;
    uint32_t class_index;
};

struct fb_checked_actuator {
    struct fb_actuator_decl *decl;
    uint32_t class_index;
};

struct fb_checked_test {
    struct fb_test_decl *decl;
    uint32_t class_index; /* of `on`, or the only class; UINT32_MAX: it reads records only */
};

struct fb_checked {
    struct fb_tree *tree;
    struct fb_units *units;
    struct fb_checked_class *classes;
    uint32_t n_classes;
    struct fb_param_decl **params;
    uint32_t n_params;
    struct fb_checked_rule *rules; /* in the order of the files, then of the text */
    uint32_t n_rules;
    struct fb_checked_actuator *actuators; /* the same */
    uint32_t n_actuators;
    struct fb_checked_test *tests;
    uint32_t n_tests;
    const struct fb_limit_decl *limit; /* `commands at most`; NULL: none */
};

/* True: no errors were added to diags. *out is filled either way, as far as it went. Of statements
 * with a syntax error (struct fb_file's `broken`) only the names are taken, and a name that one of
 * them may have declared is not missed. */
bool fb_check(struct fb_tree *tree, struct fb_units *units, struct fb_diags *diags,
              struct fb_checked *out);

/* The value, in `unit`, of an expression that is known now: literals, signs, and params and lets
 * without cases that are such. False: it is not known now. */
bool fb_check_constant(const struct fb_node *node, const struct fb_unit *unit, double *value);
/* The same of a span of time, in whole microseconds, halves away from zero. */
bool fb_check_span(const struct fb_node *node, struct fb_units *units, int64_t *us);
/* The unit to which several values that are compared, chosen or summed are brought; see above. */
const struct fb_unit *fb_check_common_unit(struct fb_node *const *values, uint32_t n);
/* The enumeration that a node of type FB_T_ENUM belongs to; NULL for a lone word. */
const struct fb_type_decl *fb_check_words(const struct fb_node *node);
/* A type for people: "a number", "one of (open, closed)". */
const char *fb_check_type_text(enum fb_type type);

#endif
