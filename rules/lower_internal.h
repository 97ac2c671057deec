/* What the files of the lowering share.
 *
 * Place in the flow: inside lower: lower.c makes the classes, lower_rule.c their rules,
 * lower_link.c what is read of other devices, lower_control.c what controls ask for,
 * lower_actuator.c the actuators, lower_expr.c and lower_window.c the code, lower_code.c keeps what
 * they emit, fuse.c shortens it; lower_table.c has what all of that points into. Private to these.
 */
#ifndef FB_RULES_LOWER_INTERNAL_H
#define FB_RULES_LOWER_INTERNAL_H

#include "rules/functions.h"
#include "rules/lower.h"
#include "rules/units.h"

/* A class while it is lowered. Growing arrays are malloc'ed, and copied into the program at its
 * end. */
struct fb_lower_class {
    struct fb_arena *arena; /* of the program */
    struct fb_units *units;
    struct fb_diags *diags;
    const struct fb_class_decl *decl;
    const struct fb_checked *checked;
    uint32_t index;                 /* of the class */
    const struct fb_class *classes; /* of the program, this one too */
    struct fb_class *out;
    struct fb_instr *code;
    uint32_t n_code, cap_code;
    double *numbers;
    uint32_t n_numbers, cap_numbers;
    int64_t *ints;
    uint32_t n_ints, cap_ints;
    struct fb_str *texts;
    uint32_t n_texts, cap_texts;
    struct fb_str *patterns;
    uint32_t n_patterns, cap_patterns;
    struct fb_window *windows;
    uint32_t n_windows, cap_windows;
    const struct fb_rule_decl **rules; /* of each rule of the class; NULL: an actuator's */
    uint32_t n_rules;
    const struct fb_rule_decl **modes;         /* of each mode of the class */
    const struct fb_actuator_decl **actuators; /* of each actuator of the class; its shadow's too */
    uint64_t block_bytes; /* next free byte of the block */
};

/* A value in a register. */
struct fb_lowered {
    uint16_t reg;
    enum fb_type type; /* of what the register holds: min of integers is a NUMBER here */
};

/* What a node of the tree became: the cell of a temporal operator, the window of a call. */
struct fb_lower_place {
    const struct fb_node *node;
    uint32_t where; /* offset or window */
};

struct fb_lower_let {
    const void *decl; /* let or param */
    const struct fb_unit *unit; /* that a param's value was brought to */
    struct fb_lowered value;
};

/* One piece of straight code while it is written: every register is written once, by the
 * instruction of its number, and equal instructions are written once. */
struct fb_piece {
    struct fb_lower_class *c;
    struct fb_span span; /* what an error about the piece points at */
    struct fb_instr *code;
    uint32_t n, cap;
    bool too_long;
    struct fb_field_set reads;
    uint64_t actuators; /* whose accepted value is read */
    uint64_t modes;     /* whose state is read */
    bool every_record, twice;
    bool samples; /* of a window: which others are meant does not count as read */
    bool sees_others;
    struct fb_lower_place *places;
    uint32_t n_places, cap_places;
    struct fb_lower_let *lets; /* lowered already; also: which ones are used */
    uint32_t n_lets, cap_lets;
    /* the copy of a condition for `deadband` */
    const struct fb_node *deadband; /* NULL: not in such a copy */
    bool towards_shorter;           /* inside an odd number of `not`s */
    /* code that only looks: a temporal operator in a let gives what it gave in the first condition
     * that uses the let */
    bool looks;
    const struct fb_piece *conditions;
    uint32_t n_conditions;
    const struct fb_piece *looks_at; /* inside a let; NULL: no condition uses it */
};

/* A rule while it is lowered: the pieces of its conditions, which what it shows looks at. */
struct fb_lower_rule {
    struct fb_lower_class *c;
    const struct fb_rule_decl *decl; /* NULL: an actuator's */
    uint32_t index;                  /* in the program */
    struct fb_rule *out;
    struct fb_piece *pieces;
    uint32_t n_pieces, cap_pieces;
    uint32_t cap_shown;
};

/* What becomes a rule of the program: a statement, or what a class publishes (neither). */
struct fb_lower_item {
    const struct fb_checked_rule *rule;
    const struct fb_checked_actuator *actuator;
    uint32_t publishes; /* index of the class */
};

/* ---- lower.c ---- */
/* A constant in a unit; a span of time in us, 0 for NULL. */
double fb_lower_constant(const struct fb_node *node, const struct fb_unit *unit);
int64_t fb_lower_span(const struct fb_lower_class *c, const struct fb_node *node);

/* ---- lower_table.c ---- */
uint32_t fb_lower_number(struct fb_lower_class *c, double x);
uint32_t fb_lower_number_pair(struct fb_lower_class *c, double x, double y);
uint32_t fb_lower_int(struct fb_lower_class *c, int64_t x);
uint32_t fb_lower_text(struct fb_lower_class *c, struct fb_str text);
uint32_t fb_lower_pattern(struct fb_lower_class *c, struct fb_str text);
struct fb_str *fb_lower_words(struct fb_arena *arena, const struct fb_str *words, uint32_t n);
/* Room in the block; its offset. */
uint32_t fb_lower_room(struct fb_lower_class *c, uint32_t bytes, uint32_t align);

/* ---- lower_code.c ---- */
void fb_piece_begin(struct fb_piece *piece, struct fb_lower_class *c, struct fb_span span);
void fb_piece_free(struct fb_piece *piece);
/* Says, once, that the piece does not fit the instruction set. */
void fb_piece_too_long(struct fb_piece *piece);
uint16_t fb_piece_emit(struct fb_piece *piece, enum fb_opcode op, uint8_t sub, uint16_t a,
                       uint16_t b, uint32_t imm);
/* A stateful instruction; its cell is made when no equal one stands in the piece. */
uint16_t fb_piece_emit_state(struct fb_piece *piece, const struct fb_node *node, enum fb_opcode op,
                             uint8_t sub, uint16_t a, uint16_t b);
/* A new register with the same truth. */
uint16_t fb_piece_copy(struct fb_piece *piece, uint16_t reg);
uint16_t fb_piece_number(struct fb_piece *piece, double x);
uint16_t fb_piece_int(struct fb_piece *piece, int64_t x);
/* True where the register holds a constant number. */
bool fb_piece_constant(const struct fb_piece *piece, uint16_t reg, double *x);
void fb_piece_place(struct fb_piece *piece, const struct fb_node *node, uint32_t where);
/* FB_MAP_NONE: the node has none here. */
uint32_t fb_piece_place_of(const struct fb_piece *piece, const struct fb_node *node);
/* Appends the piece to the class's code. */
struct fb_code fb_piece_end(struct fb_piece *piece, uint16_t result);

/* ---- lower_expr.c ---- */
struct fb_lowered fb_lower_expr(struct fb_piece *piece, const struct fb_node *node);
/* A number, brought to a unit. */
uint16_t fb_lower_in_unit(struct fb_piece *piece, const struct fb_node *node,
                          const struct fb_unit *unit);
uint16_t fb_lower_seconds(struct fb_piece *piece, const struct fb_node *node);
struct fb_lowered fb_lower_let_value(struct fb_piece *piece, const struct fb_let_decl *let);
/* True where a comparison outside calls and lets has the deadband's dimension. */
bool fb_lower_has_limit(const struct fb_node *node, const struct fb_node *deadband);
/* Without lets that are plain names of other things. */
const struct fb_node *fb_lower_resolve(const struct fb_node *node);

/* ---- lower_window.c ---- */
struct fb_lowered fb_lower_window_call(struct fb_piece *piece, const struct fb_node *node,
                                       enum fb_function_id function);

/* ---- lower_rule.c ---- */
/* Fills *rule and appends its conditions to the class. */
void fb_lower_rule(struct fb_lower_class *c, const struct fb_rule_decl *decl, uint32_t index,
                   struct fb_rule *rule);
struct fb_lower_rule fb_lower_begin_rule(struct fb_lower_class *c, enum fb_rule_sort sort,
                                         struct fb_str name, uint32_t index, struct fb_rule *out);
void fb_lower_end_rule(struct fb_lower_rule *rule);
/* Appends a condition that is a truth. */
void fb_lower_condition(struct fb_lower_rule *rule, enum fb_condition_role role,
                        const struct fb_node *when);
/* Any other: its piece, and when that is written the condition itself. */
struct fb_piece *fb_lower_begin_condition(struct fb_lower_rule *rule, struct fb_span span);
struct fb_condition *fb_lower_end_condition(struct fb_lower_rule *rule,
                                            enum fb_condition_role role, uint16_t value,
                                            uint32_t offset);
/* Code that gives a number in a unit and changes no state, as that of messages; after all
 * conditions of the rule. */
struct fb_code fb_lower_number_look(struct fb_lower_rule *rule, const struct fb_node *node,
                                    const struct fb_unit *unit);
/* What the expression names is shown in `values`. */
void fb_lower_show(struct fb_lower_rule *rule, const struct fb_node *node);

/* ---- lower_link.c ---- */
/* Links, relations, groups and the domain of a class, before any code. */
void fb_lower_links(struct fb_lower_class *c);
/* Its published values and the conditions that compute them, before those of its rules. */
void fb_lower_published(struct fb_lower_class *c, uint32_t index, struct fb_rule *rule);
struct fb_lowered fb_lower_linked(struct fb_piece *piece, const struct fb_node *node);
struct fb_lowered fb_lower_group(struct fb_piece *piece, const struct fb_node *node);

/* ---- lower_control.c ---- */
/* Appends the conditions of a control and its claims. */
void fb_lower_control(struct fb_lower_rule *rule);

/* Appends its commands as claims, and makes the beginnings of steps. */
void fb_lower_commands(struct fb_lower_rule *rule);
/* On how many devices of a domain they act at a time, where it says so. */
void fb_lower_fleet(struct fb_lower_rule *rule);
/* `at most` of what it commands. */
void fb_lower_rate(struct fb_lower_rule *rule);

/* ---- lower_mode.c ---- */
/* The modes of a class, before anything that names them: all but what fb_lower_mode fills in. */
void fb_lower_modes(struct fb_lower_class *c, uint32_t class_index,
                    const struct fb_lower_item *items, uint32_t n);
/* How many conditions it has, its commands left out. */
uint32_t fb_lower_mode_conditions(const struct fb_rule_decl *decl);
/* Appends the conditions of a mode and its claims. */
void fb_lower_mode(struct fb_lower_rule *rule);
/* Index in the class. */
uint32_t fb_lower_mode_index(const struct fb_lower_class *c, const struct fb_rule_decl *decl);

/* ---- lower_actuator.c ---- */
/* The actuators of a class and their places, before anything that names them: all but what
 * fb_lower_actuator and fb_lower_claims fill in. */
void fb_lower_actuators(struct fb_lower_class *c, uint32_t class_index,
                        const struct fb_lower_item *items, uint32_t n);
/* Its conditions and its cells. */
void fb_lower_actuator(struct fb_lower_class *c, const struct fb_actuator_decl *decl,
                       uint32_t index, struct fb_rule *rule);
/* Gives every actuator the claims on it; after all rules. */
void fb_lower_claims(struct fb_lower_class *c);
/* Index in the class; its shadow, where it has one, stands behind it. */
uint32_t fb_lower_actuator_index(const struct fb_lower_class *c,
                                 const struct fb_actuator_decl *decl);

#endif
