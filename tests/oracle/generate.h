/* Random rule files and random events, from a seed.
 *
 * Place in the flow: compare.c runs each through the product and the reference interpreter. A case
 * is kept as a tree, so that a difference can be shrunk piece by piece. */
#ifndef FB_TESTS_GENERATE_H
#define FB_TESTS_GENERATE_H

#include "engine/base/arena.h"
#include "engine/base/str.h"
#include "engine/model/call.h"
#include "engine/model/entry.h"

struct gen_random {
    uint64_t state;
};
uint64_t gen_next(struct gen_random *r);
/* 0 <= result < n */
uint32_t gen_below(struct gen_random *r, uint32_t n);
/* True in p of 100. */
bool gen_chance(struct gen_random *r, uint32_t p);

/* What kind of value an expression has: those of one family may be compared and added. */
enum gen_family {
    GEN_BOOL,
    GEN_PLAIN,
    GEN_INTEGER,
    GEN_TEMPERATURE,
    GEN_KELVIN,
    GEN_PRESSURE,
    GEN_PERCENT,
    GEN_POWER,
    GEN_SECONDS,
    GEN_COUNTER,
    GEN_PER_SECOND,
    GEN_TEXT,
    GEN_WORD,
    GEN_TIME,
    GEN_FAMILIES
};

enum { GEN_KIDS = 4 };

/* A piece of an expression. In `text`, @ and a digit stand for the next kid, bracketed where it
 * binds less than the digit says. */
struct gen_node {
    struct fb_str text;
    int binds; /* 1 until, 2 for, 3 or, 4 and, 5 not, 6 comparison, 7 sum, 8 product, 10 primary */
    enum gen_family family;
    struct gen_node *kids[GEN_KIDS];
    uint32_t n_kids;
};

enum gen_role { GEN_OWN, GEN_TAG, GEN_KEY };
enum gen_texts { GEN_ANY_TEXT, GEN_HALL, GEN_ROW, GEN_ID, GEN_PART, GEN_WHOLE_ID };

struct gen_field {
    enum gen_family family;
    const char *name, *unit;
    enum gen_role role;
    int64_t every_s, stale_s; /* 0: not said */
    bool has_range, has_null;
    double low, high, null_value;
    enum gen_texts texts; /* others than any: devices are found by it */
    bool off; /* shrunk away */
};

struct gen_let {
    const char *name;
    enum gen_family family;
    struct gen_node *value;
    const char *unit; /* declared; NULL: none */
    bool moves;       /* holds something that moves without a record: not for windows */
    uint32_t level;   /* it reads of other devices only what is of a lower level */
    bool off;
};

enum { GEN_FIELDS_MAX = 16, GEN_LETS_MAX = 4, GEN_RAISES_MAX = 3, GEN_RULES_MAX = 8 };

struct gen_class {
    const char *name;
    struct gen_field fields[GEN_FIELDS_MAX]; /* the key first */
    uint32_t n_fields;
    struct gen_let lets[GEN_LETS_MAX];
    uint32_t n_lets;
    bool reopened; /* its lets stand in a block of their own, at the end */
    int64_t late_s;
};

struct gen_param {
    const char *name, *class_name;
    enum gen_family family;
    const char *unit;                                 /* declared */
    struct gen_node *value, *case_value, *case_where; /* case: NULL for none */
    bool off;
};

struct gen_raise {
    const char *severity;
    struct gen_node *when;
    bool off;
};

enum { GEN_COMMANDS_MAX = 7 };

struct gen_rule {
    bool alarm, whenever;
    struct fb_str name;
    uint32_t class_index;
    const char *by; /* of a rule on groups; NULL: it is none */
    struct gen_node *where;
    struct gen_let lets[GEN_LETS_MAX];
    uint32_t n_lets;
    struct gen_raise raises[GEN_RAISES_MAX]; /* an event has one */
    uint32_t n_raises;
    struct gen_node *deadband, *clear_after;
    const char *flapping; /* the span of `suppress flapping`; NULL: none */
    const char *on_unknown;
    uint32_t at_most;
    int64_t at_most_s;
    struct gen_node *slots[2];
    const char *slot_formats[2];
    uint32_t n_slots;
    bool response; /* the slots stand in the response */
    struct gen_node *commands[GEN_COMMANDS_MAX]; /* of an alarm; the rollout too */
    uint32_t n_commands;
    bool off;
};

/* Actuators and controls are clauses: pieces of text with conditions and values in them. The first
 * ones must stand. */
enum { GEN_CLAUSES_MAX = 18, GEN_ACTUATORS_MAX = 3, GEN_CONTROLS_MAX = 5 };

/* Of a case with `fillers`: so many names that not all of them can be killed. */
enum { GEN_FILLERS_ACTUATORS = 25, GEN_FILLERS_CONTROLS = 45 };

struct gen_actuator {
    const char *name, *unit;
    enum gen_family family; /* GEN_WORD: off, on */
    uint32_t class_index;
    double low, high;
    struct gen_node *clauses[GEN_CLAUSES_MAX]; /* NULL: shrunk away */
    uint32_t n_clauses, n_fixed;
    bool off;
};

struct gen_control {
    struct fb_str name;
    uint32_t class_index;
    struct gen_node *where;
    struct gen_node *clauses[GEN_CLAUSES_MAX];
    uint32_t n_clauses, n_fixed;
    bool first; /* stands before the alarms */
    bool off;
    bool is_mode;
};

struct gen_event {
    struct fb_entry entry;
    bool tick;        /* no record: only the clock moves */
    struct fb_call *call; /* in place of a record; NULL: none */
    int64_t clock_us; /* the task's clock at the record */
    int64_t wall_us;  /* the wall clock; INT64_MIN: there is none */
    bool off;
};

struct gen_case {
    struct fb_arena *arena;
    struct gen_random random;
    uint64_t seed;
    struct gen_class classes[2];
    uint32_t n_classes;
    struct gen_param params[4];
    uint32_t n_params;
    struct gen_rule rules[GEN_RULES_MAX];
    uint32_t n_rules;
    struct gen_event *events;
    size_t n_events, cap_events;
    int64_t finish_us; /* the last tick */
    int64_t finish_wall_us;
    int64_t max_skew_us, max_lag_us;
    struct gen_actuator actuators[GEN_ACTUATORS_MAX];
    uint32_t n_actuators;
    struct gen_control controls[GEN_CONTROLS_MAX];
    uint32_t n_controls;
    const char *limit; /* the statement for all rules; NULL: none */
    bool fillers; /* more actuators and controls, of the first class */
    bool linked;  /* devices read others: two classes in halls, the second one links to the first */
    bool chained; /* and the first one to itself */
    bool two_keys; /* the first class has two; the second one links to it by two tags */
};

/* Everything lives in the case's own arena. */
struct gen_case *gen_case_new(uint64_t seed);
void gen_case_free(struct gen_case *c);

/* The rule file, without what was shrunk away. */
void gen_print_rules(const struct gen_case *c, struct fb_buf *out);
/* The events as NDJSON, each with its clock, class and device. */
void gen_print_events(const struct gen_case *c, struct fb_buf *out);

/* Used among the generator's files. */
void gen_rules(struct gen_case *c);
/* Actuators, controls, and rules that read what was commanded; then walls, once there are events.
 */
void gen_acting(struct gen_case *c);
void gen_walls(struct gen_case *c);
void gen_print_actuators(const struct gen_case *c, struct fb_buf *out);
void gen_print_controls(const struct gen_case *c, bool first, struct fb_buf *out);
void gen_events(struct gen_case *c);
/* Puts calls between the events. */
void gen_calls(struct gen_case *c);
void gen_put_call(const struct fb_call *call, struct fb_buf *out);
void gen_put_node(const struct gen_node *n, int binds, struct fb_buf *out);
struct gen_node *gen_make(struct gen_case *c, enum gen_family family, int binds, const char *text,
                          struct gen_node *a, struct gen_node *b);
/* Of a class's fields, lets and params. */
struct gen_node *gen_condition(struct gen_case *c, uint32_t class_index);
/* One that changes often. */
struct gen_node *gen_plain_condition(struct gen_case *c, uint32_t class_index);
struct gen_node *gen_number(struct gen_case *c, uint32_t class_index, enum gen_family family);
struct gen_node *gen_literal(struct gen_case *c, enum gen_family family);
/* Of what devices, read by links and groups, are told: their actuators, modes, and the alarms among
 * the first n rules; `groups`: for a rule on groups. NULL: none was found. */
struct gen_node *gen_other_acting(struct gen_case *c, uint32_t class_index, bool groups,
                                  uint32_t n_rules);
/* A value that the limits in rules are drawn from, too, as text; `index` picks. */
uint32_t gen_values(enum gen_family family, const char *unit);
double gen_value(enum gen_family family, const char *unit, uint32_t index);
extern const char *const gen_words[3];
extern const char *const gen_texts[5];

#endif
