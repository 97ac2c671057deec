/* What the files of the reference interpreter share.
 *
 * Place in the flow: oracle_expand turns each condition of the parse tree into one expression
 * without lets and params; oracle_eval computes it at an instant, oracle_window computes windows
 * from the history, oracle_rule turns values into alerts, oracle.c keeps time. */
#ifndef FB_TESTS_ORACLE_INTERNAL_H
#define FB_TESTS_ORACLE_INTERNAL_H

#include "tests/oracle/oracle.h"
#include "tests/oracle/oracle_units.h"

#include "engine/model/program.h"

#include <regex.h>

struct ora_actuator;
struct ora_asked;
struct ora_claim;
struct ora_memory;

/* --- Expressions ---------------------------------------------------------------------------- */

enum ora_kind {
    ORA_CONST,      /* constant */
    ORA_UNKNOWN,    /* the word unknown */
    ORA_FIELD,      /* present value of field */
    ORA_IS,         /* field is [negated] quality; of an expression a: whether it is known */
    ORA_CONVERT,    /* a in another unit */
    ORA_NEGATE,     /* -a */
    ORA_ARITH,      /* a op b */
    ORA_PERCENT_OF, /* a * constant / 100 */
    ORA_ABS,
    ORA_ROUND,
    ORA_SQRT,
    ORA_MIN,
    ORA_MAX,      /* of items */
    ORA_CLAMP,    /* a limited to b..c */
    ORA_COMPARE,  /* a op b */
    ORA_CLOCK,    /* a op b, a being AGE or ELAPSED */
    ORA_IN_RANGE, /* a [negated] in b..c */
    ORA_IN_LIST,  /* a [negated] in (items) */
    ORA_MATCHES,  /* a matches regex */
    ORA_NOT,
    ORA_AND,
    ORA_OR,
    ORA_VOTE,     /* votes of (items) */
    ORA_IF,       /* if a then b else c */
    ORA_CASE,     /* a param: if a is known and true then b, else c */
    ORA_COALESCE, /* items */
    ORA_LET,      /* a, for which a let stands */
    ORA_FOR,      /* a for b */
    ORA_UNTIL,    /* a until b */
    ORA_ELAPSED,  /* elapsed(a), inside ORA_CLOCK */
    ORA_AGE,      /* age(field), age(), inside ORA_CLOCK */
    ORA_SILENT,   /* silent, silent(field) */
    ORA_WINDOW,   /* aggregate of window */
    ORA_PREVIOUS,
    ORA_CHANGE,
    ORA_CHANGED,     /* of a; window: its last two samples */
    ORA_ALARM,       /* whether alarm is active (A50); held: as its commands see it (A51) */
    ORA_MODE,        /* the state that mode is in (A21) */
    ORA_ACTUATOR,    /* what actuator accepted last (A13) */
    ORA_LINKED,      /* of the device that a link leads to (A33) */
    ORA_GROUP,       /* of several devices (A35) */
    ORA_ASKED_ON,    /* whether a commander's S is true (A81) */
    ORA_ASKED_VALUE, /* what the commanders ask for of followed (A83) */
    ORA_IN_STATE,    /* of the mode a in the state `constant`; items: what leads out of it (A82) */
    ORA_KINDS
};

enum { ORA_EVERY_RECORD = -1 }; /* in place of a field: any record */

struct ora_window;

struct ora_expr {
    enum ora_kind kind;
    enum fb_type type;
    struct ora_unit unit;
    const struct fb_type_decl *words; /* of an enumeration */
    enum fb_op op;
    bool negated;
    struct fb_value constant;
    bool literal; /* CONST: a number as written, exactly `exact` */
    struct ora_ratio exact;
    bool param; /* for which a param stands */
    int field;  /* ORA_EVERY_RECORD: of the record itself */
    enum fb_quality quality;
    struct ora_expr *a, *b, *c;
    struct ora_expr **items;
    uint32_t n_items, votes;
    regex_t *regex;
    struct ora_conversion conversion;
    const struct fb_let_decl *let;
    uint32_t op_index; /* FOR, UNTIL, ELAPSED: its state among those of the condition */
    const struct ora_condition *home; /* FOR, UNTIL, ELAPSED: the condition whose state it is */
    struct ora_window *window;
    enum fb_aggregate aggregate;
    double needs;
    const struct ora_actuator *actuator;
    const struct ora_actuator *followed; /* FOR: of A_discrepancy, whose failures are counted */
    const struct fb_rule_decl *mode;
    const struct fb_rule_decl *alarm;
    bool held;
    struct ora_other *other; /* LINKED, GROUP */
    struct fb_str name;      /* LINKED, GROUP: what it is called in values */
};

/* A value that other devices read (A32). */
struct ora_published {
    uint32_t index; /* in the class */
    struct ora_condition *condition;
};

/* Which other devices a place sees, and what of them. */
struct ora_other {
    enum {
        ORA_LEADS_THERE, /* the one whose id is the text of own */
        ORA_LEADS_HERE,  /* those the text of whose theirs is the id */
        ORA_SAME_TEXT    /* those that have the same texts in theirs as this one in own */
    } way;
    struct ora_class *class;
    uint32_t *own, *theirs;          /* fields; where several lead to a device, of it its keys */
    uint32_t n;                      /* of both */
    struct ora_published *x, *where; /* NULL: none */
    struct fb_str function;
};

/* Who was seen, with what. */
struct ora_seen_one {
    const struct ora_device *device;
    struct fb_value x, where;
};
struct ora_seen {
    struct ora_seen_one *items;
    uint32_t n;
};

/* The samples of an expression (M11) and which of them an instant sees. */
struct ora_window {
    uint32_t index; /* in the class */
    enum fb_window_shape shape;
    struct ora_expr *x;     /* NULL: every record is a sample */
    struct ora_expr *where; /* NULL: none */
    int64_t length, pane;
    uint32_t last;             /* over last n */
    uint32_t places;           /* ring */
    bool *reads_x, *reads_all; /* fields of x; of x and where */
    bool reads_others;         /* A87 */
};

/* --- Rules ---------------------------------------------------------------------------------- */

/* State of one temporal operator of one condition of one device (M23, M24, M25). */
struct ora_op {
    bool running, paused; /* for: t0 is there; t stood still since paused_at */
    int64_t t0, paused_at;
    bool set;        /* until */
    bool last_known; /* elapsed */
    bool risen;
    int64_t rise;
    struct fb_value value; /* at its last evaluation: what messages show (M34) */
};

struct ora_condition {
    struct ora_rule *rule; /* NULL: of an actuator */
    uint32_t index; /* among the conditions of the class */
    struct ora_expr *root;
    bool *reads; /* fields a record of which concerns it (M7) */
    bool every_record, twice;
    bool *actuators; /* whose names it reads */
    const struct fb_rule_decl **modes; /* likewise */
    uint32_t n_modes;
    struct ora_expr **alarms; /* the names of alarms in it */
    uint32_t n_alarms, cap_alarms;
    struct ora_other **others; /* that it reads */
    uint32_t n_others, cap_others;
    uint32_t n_ops;
};

struct ora_part {
    struct fb_str literal, builtin;
    struct ora_expr *expr;
};

struct ora_rule {
    const struct fb_rule_decl *decl;
    struct ora_class *class;
    uint32_t index; /* among the rules of the class */
    struct ora_condition *conditions;
    uint32_t n_conditions;
    struct ora_expr *clear_after, *at_most_per; /* seconds */
    struct ora_expr *whenever; /* without `where`; for what it reads, never evaluated */
    bool *whenever_reads;
    struct ora_expr **shown; /* FIELD or LET, byte order of the names */
    uint32_t n_shown;
    struct ora_expr **slots; /* of message, then response */
    uint32_t n_slots;
    struct ora_condition *start; /* control, mode; NULL: always on */
    struct ora_condition **gos;  /* mode: of each go; NULL: after */
    struct ora_claim *claims;    /* control: of each command */
    struct fb_rule out; /* what outputs point to: names, types, units, templates */
};

struct ora_class {
    const struct fb_class_decl *decl;
    uint32_t index;
    const struct fb_field_decl **fields; /* by index */
    uint32_t n_fields;
    const struct fb_let_decl **lets; /* reopened blocks included */
    uint32_t n_lets;
    int64_t *stale; /* by field; 0: never */
    int64_t late;
    struct ora_window **windows;
    uint32_t n_windows, cap_windows;
    struct ora_rule **rules;
    uint32_t n_rules, cap_rules;
    struct ora_condition **conditions; /* by index */
    uint32_t n_conditions, cap_conditions;
    struct ora_published **published; /* in the order of reading */
    uint32_t n_published, cap_published;
    struct ora_actuator *actuators;
    uint32_t n_actuators, n_claims;
    uint32_t *tags; /* byte order of the names */
    uint32_t n_tags;
    const struct ora_class *group_of; /* A38: of the members; NULL: it is of devices */
    uint32_t group_by[2], n_group_by; /* fields of the members: the domain's, where t is another
                                       * one, and t; of this class they are the keys */
};

/* --- History -------------------------------------------------------------------------------- */

/* A field as it stands after a record. */
struct ora_held {
    bool seen, bad, good_once;
    struct fb_value value; /* of the last good sample */
    int64_t good_ts;       /* its time */
};

struct ora_record {
    int64_t ts;
    bool late;
    int64_t d; /* the device's time once the record was there */
    struct fb_origin origin;
    bool *carries, *good;    /* by field */
    struct fb_value *values; /* by field, where good */
    struct ora_held *after;  /* by field */
};

/* A sample of a window's expression; found once, kept. */
struct ora_sample {
    bool found, there;
    struct fb_value value;
    bool others_known; /* A88: since the last record at which it was looked */
};

struct ora_times {
    int64_t *items;
    size_t n, cap;
};

struct ora_rule_state {
    int64_t deadline; /* of `clear after` */
    struct ora_op clear;
    enum fb_severity severity;
    uint8_t seen, seen_held; /* what conditions that read the alarm were told of last */
    int64_t since;
    bool ever_raised, acked, shelved, once; /* A40; once: of the shelf */
    bool told;                              /* of it something since maintenance began */
    enum fb_severity last_severity;         /* with which it cleared */
    int64_t shelf_until;
    int64_t at_most_start;
    bool at_most_begun;
    uint32_t let_through;
    uint64_t withheld;
    bool on, safe;        /* control (A3): on, and asking for safe */
    int64_t on_since;     /* C at which it became on */
    int64_t unknown_since; /* C since which `start` is unknown; FB_NO_TIME: it is known */
    int64_t *changes;      /* A60: the t of each */
    size_t n_changes, cap_changes;
    bool flapping;
    int64_t rests;         /* E of A62; FB_NEVER: it does not flap */
    int64_t acted[2];      /* A90: on actuators, on their shadows; FB_NO_TIME: never */
    bool open[2];          /* the breaker of `fleet` */
    struct ora_times counted[2]; /* A100: all commands that ever were, and those to shadows */
    /* a mode (A21); on_since is the instant of entry */
    bool in_state, concerned;
    uint32_t state;  /* index in the declaration */
    int64_t look_at; /* C; FB_NEVER */
};

/* What a command asks for (A4). */
struct ora_claim_state {
    bool known, ever;
    double value; /* the last known one; of a step what it has come to */
    int64_t unknown_since;
    /* a step (A19) */
    double by; /* the last known one */
    bool begun;
    int64_t next; /* FB_NEVER: none for now */
};

struct ora_condition_state {
    int64_t deadline;
    struct ora_op *ops;
    uint8_t value; /* 0 false, 1 true, 2 unknown; an event: the last known one */
    bool holds;
    struct ora_seen *seen; /* by what it reads of others: when it was told last */
};

struct ora_device {
    struct ora_class *class;
    struct fb_str id;
    struct ora_record *records;
    size_t n_records, cap_records;
    struct ora_sample **samples; /* by window, then record */
    size_t *cap_samples;
    int64_t came; /* C of its first record */
    int64_t w, cw, d;
    int64_t d_before; /* before the clock moved to where it is (A12) */
    struct ora_condition_state *conditions;
    struct ora_rule_state *rules;
    struct fb_value *published;
    struct ora_claim_state *claims;
    int64_t maintenance_until; /* A44; FB_NO_TIME: it is in service */
    struct ora_asked *asked; /* by claim, before the evaluation */
    struct ora_memory **memories; /* by actuator, two each: the real one, its shadow */
};

struct ora_kill {
    enum fb_scope scope;
    enum fb_kill mode;
    struct fb_str name;
};

/* What ora_free must free of an expression; the rest is the arena's. */
struct ora_regex {
    regex_t regex;
    struct ora_regex *next;
};

struct ora {
    struct ora_regex *regexes; /* all of them */
    const struct fb_tree *tree;
    struct fb_arena *arena, *scratch;
    int64_t max_skew, max_lag, c, wall; /* wall: FB_NO_TIME: there is none */
    bool has_c;
    fb_output_fn *sink;
    void *context;
    struct ora_class *classes;
    uint32_t n_classes;
    struct ora_device **devices;
    size_t n_devices, cap_devices;
    struct ora_kill kills[FB_KILLS_MAX]; /* in force (A17) */
    size_t n_kills;
    const struct fb_limit_decl *limit; /* A102; NULL: there is none */
    struct ora_times counted[2];       /* by it, also where there is none */
    uint64_t kinds[ORA_KINDS][3], windows[FB_SHAPE_EACH + 1][FB_AGGREGATES][3];
    struct ora_usage *usage;
    struct ora_moves moves;
    bool reads_others;
};

/* --- Evaluation ----------------------------------------------------------------------------- */

/* Where an expression is evaluated: a device, an instant, and what brought it about. */
struct ora_view {
    struct ora *o;
    const struct ora_device *device;
    size_t n; /* records taken so far */
    int64_t t;
    int64_t now; /* C of the evaluation (A1) */
    const struct ora_record *record; /* whose evaluation this is; NULL: a timer's */
    bool again;                      /* the second one of a record (M2, 7) */
    const struct ora_record *late;   /* M11: its samples stand in for the fields it carries */
    bool keep;                       /* false: look only, as messages do (M34) */
    int64_t next;                    /* the next deadline found (M8) */
    const struct fb_call *call;      /* that brings it about; NULL: none */
    int64_t until; /* the end of a shelf or of maintenance that does, on C; FB_NO_TIME: none */
};

struct fb_value ora_eval(struct ora_view *view, const struct ora_expr *e);
/* M10 */
struct fb_value ora_field_at(const struct ora_view *view, uint32_t field);
struct fb_value ora_known_number(double x);
struct fb_value ora_known_bool(bool truth);
struct fb_value ora_not_known(void);
double ora_number_of(const struct ora_expr *e, struct fb_value v);
bool ora_is_true(struct fb_value v);
/* M8: `due` counts if it comes after t. */
void ora_note_deadline(struct ora_view *view, int64_t due);
/* At a record's evaluation: also at t, where an `each` window completes that it does not see yet.
 */
void ora_note_deadline_now(struct ora_view *view, int64_t due);
/* M23; seconds: the value of d. */
struct fb_value ora_step_for(struct ora_view *view, struct ora_op *state, struct fb_value c,
                             struct fb_value seconds);

/* A30; empty: it is in none. */
struct fb_str ora_domain_of(struct ora *o, const struct ora_device *device);
/* A33, A35 */
struct fb_value ora_other_value(struct ora_view *view, const struct ora_expr *e);
/* A38: the class of the rule's groups. */
struct ora_class *ora_group_class(struct ora *o, const struct fb_rule_decl *rule);
/* A38: the groups that have a member now and were not there before. */
void ora_groups_come(struct ora *o);
struct ora_device *ora_new_device(struct ora *o, const struct fb_entry *entry);
/* Adds the record to the history, with the fields as they stand after it (M10). */
void ora_keep_record(struct ora *o, struct ora_device *device, const struct fb_entry *entry,
                     bool late);
/* A32: the published values that are due. */
void ora_publish(struct ora_view *view, struct ora_device *device, const bool *due);
/* A36: whoever sees something else than before has a deadline. */
void ora_wake(struct ora_view *view);

struct fb_value ora_window_value(struct ora_view *view, const struct ora_expr *e);
/* A87: what the windows that read others take at the record that came last. */
void ora_take_samples(struct ora *o, const struct ora_device *device);
/* True where an `each` window completes exactly at t. */
bool ora_each_completes(const struct ora_view *view, const struct ora_window *window);

/* --- From the tree -------------------------------------------------------------------------- */

/* What names mean at a place. */
struct ora_scope {
    struct ora *o;
    struct ora_class *class;
    const struct ora_rule *rule;     /* its lets come first; NULL: none */
    uint32_t state;                  /* of a mode: 1 + the one whose lets are seen, too; 0: none */
    struct ora_condition *condition; /* temporal operators get their state there; NULL: message */
    bool in_copy;                    /* in the copy that `deadband` makes */
    bool turned;                     /* under an odd number of `not`s there */
    struct ora_expr *deadband;
};

struct ora_expr *ora_expand_expr(struct ora_scope *s, const struct fb_node *n);
/* The two sides of an operator: words of an enumeration known, in one unit. */
void ora_expand_sides(struct ora_scope *s, const struct fb_node *na, const struct fb_node *nb,
                      struct ora_expr **a, struct ora_expr **b);
struct ora_expr *ora_new_expr(const struct ora_scope *s, enum ora_kind kind, enum fb_type type);
struct ora_expr *ora_two(struct ora_scope *s, enum ora_kind kind, struct ora_expr *a,
                         struct ora_expr *b);
struct ora_expr *ora_not(struct ora_scope *s, struct ora_expr *a);
struct ora_expr *ora_for(struct ora_scope *s, struct ora_expr *c, const struct fb_node *d);
/* A duration, in seconds. */
struct ora_expr *ora_seconds(struct ora_scope *s, const struct fb_node *n);
struct ora_expr *ora_field_expr(const struct ora_scope *s, const struct fb_field_decl *field);
struct ora_expr *ora_in_unit(const struct ora_scope *s, struct ora_expr *e, struct ora_unit unit);
bool ora_reads_field(const struct ora_expr *e);
bool ora_is_numeric(const struct ora_expr *e);
bool ora_is_clock(const struct fb_node *n);
int64_t ora_literal_span(const struct fb_node *n);

/* --- oracle_others.c, for oracle_asked.c --- */
struct ora_class *ora_class_named(const struct ora *o, struct fb_str name);
struct ora_other *ora_new_other(struct ora *o, struct ora_class *class, uint32_t n);
const struct fb_link_decl *ora_find_link(const struct ora_class *class, struct fb_str name);
uint32_t ora_fields_of_link(const struct ora_class *class, const struct fb_link_decl *link,
                            uint32_t *fields);
/* The tag, key or link of this name, as fields. */
uint32_t ora_fields_of_tie(const struct ora_class *class, struct fb_str name, uint32_t *fields);
/* `by names`, or by the link of theirs that leads here. */
void ora_find_way(const struct ora_class *class, struct ora_other *other, const struct fb_str *by,
                  uint32_t n_by);
/* A value of the class that is published; what is made between the two is its root. */
struct ora_published *ora_publish_begin(struct ora *o, struct ora_class *class,
                                        const struct ora_rule *rule, struct ora_scope *s);
void ora_publish_done(struct ora_scope *s, struct ora_published *p, struct ora_expr *root);
struct ora_seen ora_look(struct ora *o, const struct ora_device *device,
                         const struct ora_other *other);

struct ora_expr *ora_linked_expr(struct ora_scope *s, const struct fb_node *n);
struct ora_expr *ora_group_expr(struct ora_scope *s, const struct fb_node *n);
/* Adds the fields that decide whom it sees. */
void ora_other_reads(const struct ora_class *class, const struct ora_other *other, bool *reads);

/* The fields, tags and what is found by them. */
void ora_class_fields(struct ora *o, struct ora_class *class);
/* Fills the rules, conditions and windows of all classes. */
void ora_expand(struct ora *o);

/* The rule's part in one evaluation: its conditions that are `due`, then the alarm or event. */
void ora_rule_step(struct ora_view *view, struct ora_device *device, struct ora_rule *rule,
                   const bool *due, bool clear_due);
/* One condition: its value, and its next deadline. */
struct fb_value ora_condition_value(struct ora_view *view, struct ora_device *device,
                                    const struct ora_condition *c);
/* Tells of a change of an alarm, or only the audit (A43). oracle_alarm.c */
void ora_alert(struct ora_view *view, const struct ora_rule *rule, struct ora_rule_state *state,
               enum fb_alert_event event);
/* A61: a change at view->t; before it is told. True: it begins to flap. */
bool ora_flap_change(const struct ora_view *view, const struct ora_rule *rule,
                     struct ora_rule_state *state);
/* A62: the rule's evaluation at its deadline, without a change. */
void ora_flap_end(struct ora_view *view, const struct ora_rule *rule, struct ora_rule_state *state);
/* A42: behind the change to not active. */
void ora_alarm_cleared(struct ora_view *view, const struct ora_rule *rule,
                       struct ora_rule_state *state);
struct ora_device *ora_find_device(const struct ora *o, const struct ora_class *class,
                                   struct fb_str id);
/* Hands an output on with the values of the rule (M34); rule NULL: none. */
void ora_put_out(struct ora_view *view, const struct ora_rule *rule, struct fb_output *out);
/* A condition over the rule's, or an actuator's; rule NULL: of an actuator. `root` is made by the
 * caller while s->condition is it. */
struct ora_condition *ora_new_condition(struct ora_scope *s, struct ora_condition *c,
                                        struct ora_rule *rule);
void ora_condition_done(struct ora_scope *s, struct ora_condition *c, struct ora_expr *root);
/* M20: a `when` with the rule's `where`. */
struct ora_expr *ora_condition_expr(struct ora_scope *s, const struct fb_node *when);

#endif
