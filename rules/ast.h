/* The tree of a rule file, as parsed; the checker writes types and what names mean into it.
 *
 * Place in the flow: parse makes it; format prints it, check annotates it, lower turns it into a
 * program, the reference interpreter (tests/oracle) walks it. Everything lives in the tree's arena
 * and is not changed after check. */
#ifndef FB_RULES_AST_H
#define FB_RULES_AST_H

#include "engine/model/value.h"
#include "rules/source.h"

enum fb_node_kind {
    FB_N_NUMBER,     /* value, unit_text (may be empty) */
    FB_N_DURATION,   /* span_us */
    FB_N_TEXT,       /* text, escapes resolved */
    FB_N_BOOL,       /* truth */
    FB_N_UNKNOWN,    /* the word unknown */
    FB_N_NAME,       /* text */
    FB_N_SILENT,     /* silent, silent(x): a is x or NULL */
    FB_N_NEGATE,     /* -a */
    FB_N_ARITH,      /* a op b: + - * / */
    FB_N_COMPARE,    /* a op b: < <= > >= == != */
    FB_N_IN,         /* a [not] in range (b..c) or list (items) */
    FB_N_IS,         /* a is [not] quality */
    FB_N_MATCHES,    /* a matches text */
    FB_N_NOT,        /* not a */
    FB_N_AND,        /* a and b */
    FB_N_OR,         /* a or b */
    FB_N_PERCENT_OF, /* value % of a */
    FB_N_VOTE,       /* votes of (items) */
    FB_N_IF,         /* if a then b else c */
    FB_N_CALL,       /* text(args) */
    FB_N_FOR,        /* a for b (b is a duration: literal, name or bracketed expression) */
    FB_N_UNTIL,      /* a until b; each may be a FOR */
    FB_N_LINKED,     /* text.there: a value of the device that the link `text` leads to */
    FB_N_GROUP       /* text(group): of several devices together */
};

enum fb_op {
    FB_OP_ADD, FB_OP_SUB, FB_OP_MUL, FB_OP_DIV,
    FB_OP_LT, FB_OP_LE, FB_OP_GT, FB_OP_GE, FB_OP_EQ, FB_OP_NE
};

enum fb_window_kind { FB_W_NONE = 0, FB_W_OVER, FB_W_LAST, FB_W_EACH };

/* One argument of a call: `expr [where cond] [.. upto] [window]`. */
struct fb_arg {
    struct fb_node *expr; /* NULL for a window alone: count(over 5m) */
    struct fb_node *where;
    struct fb_node *upto;        /* a..b */
    enum fb_window_kind window;
    struct fb_node *length;      /* over, each: a duration; last: NULL */
    uint32_t last;               /* over last N */
    struct fb_span span;
};

/* What stands in the brackets of a GROUP: `expr of NAME [by names] [where cond]`, of count and
 * share `NAME [by names] [where cond]`. Both expressions belong to the device that is named: who
 * walks an expression for what it reads of its own device stays out of them. */
struct fb_group_decl {
    struct fb_node *expr; /* NULL: count, share */
    struct fb_node *where;
    struct fb_str class_name;
    struct fb_span class_span;
    struct fb_str *by;
    uint32_t n_by;
    struct fb_span by_span;
    struct fb_span span;
    /* Made for a command to other devices, and written nowhere: its commanders are the members, and
     * `class_name` is their class (rules/check_ask.c). NULL: it stands in the text. */
    const struct fb_ask_decl *ask;
    uint8_t ask_function; /* enum fb_group_function */
    double ask_nearest;   /* ASKED_NEAREST: to what */
};

/* Who walks an expression may recurse: no branch is longer. */
enum { FB_EXPR_HEIGHT_MAX = 1000, FB_NESTING_MAX = 256 };

struct fb_field_decl;
struct fb_let_decl;
struct fb_param_decl;
struct fb_actuator_decl;
struct fb_rule_decl;
struct fb_link_decl;
struct fb_ask_decl;

/* What a name means; set by the checker. */
enum fb_ref_kind {
    FB_REF_NONE = 0,
    FB_REF_FIELD, /* field, tag or key */
    FB_REF_LET,
    FB_REF_PARAM,
    FB_REF_ACTUATOR, /* the value last accepted */
    FB_REF_ALARM,    /* whether it is active */
    FB_REF_MODE,     /* the state that it is in */
    FB_REF_WORD      /* of an enumeration: its index in `word` */
};

struct fb_unit; /* rules/units.h; NULL: no unit */

struct fb_node {
    enum fb_node_kind kind;
    enum fb_op op;
    struct fb_span span;
    struct fb_span op_span; /* of the operator or the called name: where unit errors point */
    bool held;              /* of an alarm's name: unknown while the alarm is only held (A51) */
    bool bracketed;         /* written in ( ): the formatter keeps them where needed */
    bool negated;           /* not in, is not */
    bool truth;
    uint16_t height; /* of the tree below, itself included; at most FB_EXPR_HEIGHT_MAX */
    enum fb_quality quality; /* IS */
    double value;            /* NUMBER, PERCENT_OF (70 for 70 %) */
    int64_t span_us;         /* DURATION */
    struct fb_str text;      /* NAME, TEXT, CALL, MATCHES, LINKED, GROUP; NUMBER as written (digits
                              * only) */
    struct fb_str unit_text; /* NUMBER */
    uint32_t votes;          /* VOTE */
    struct fb_node *a, *b, *c;
    struct fb_node **items; /* IN list, VOTE */
    uint32_t n_items;
    struct fb_arg *args; /* CALL */
    uint32_t n_args;
    struct fb_node *needs; /* CALL: `needs 50 %`, a NUMBER; NULL: the default, 80 % */
    struct fb_node *there; /* LINKED: a NAME, or a LINKED in its turn, of the other device */
    struct fb_group_decl *group; /* GROUP */

    /* written by the checker */
    enum fb_type type;
    const struct fb_unit *unit;
    bool difference; /* a temperature difference, in the unit's own size of degree (K for degC) */
    enum fb_ref_kind ref;
    const struct fb_field_decl *field;
    const struct fb_let_decl *let;
    const struct fb_param_decl *param;
    const struct fb_actuator_decl *actuator;
    const struct fb_rule_decl *mode;
    const struct fb_rule_decl *alarm;
    const struct fb_link_decl *link; /* LINKED */
    bool of_kin;    /* LINKED, GROUP: of other devices of the same class, this one not among them */
    uint32_t place; /* LINKED: index of the other class's published value; GROUP: of the class's
                     * groups */
    int64_t word;
    const struct fb_type_decl *words; /* WORD: those that it is one of; NULL: of a state's name */
    double converted; /* NUMBER: its value in the unit of the other side */
};

struct fb_type_decl {
    enum fb_type type;
    struct fb_str unit_text; /* of [unit] */
    struct fb_span unit_span;
    struct fb_str *words; /* one of (..) */
    uint32_t n_words;
    const struct fb_unit *unit; /* by the checker */
};

enum fb_field_role { FB_FIELD, FB_TAG, FB_KEY };

/* A field, a tag or a key of a device. */
struct fb_field_decl {
    enum fb_field_role role;
    struct fb_str name;
    struct fb_span span; /* of the name */
    bool typed;          /* `tag site` without a type is a text */
    struct fb_type_decl type;
    struct fb_node *range_low, *range_high; /* NULL: none */
    struct fb_node *every, *stale_after;    /* durations; NULL: none */
    struct fb_node *null_value;             /* NULL: none */
    struct fb_str *from; /* paths in the record, first that is there wins; none: the name itself */
    uint32_t n_from;
    uint32_t index; /* in the class: keys, tags, fields, each in the order of writing */
    bool broken;    /* a mistake in it was reported: nothing is known of its type */
    bool of_link;   /* a tag that comes with a link of its name; it is not written */
};

/* link NAME : CLASS [by names] */
struct fb_link_decl {
    struct fb_str name;
    struct fb_span span; /* of the name */
    struct fb_str class_name;
    struct fb_span class_span;
    struct fb_str *by;
    uint32_t n_by;
    struct fb_span by_span;

    /* by the checker */
    uint32_t class_index; /* UINT32_MAX: a mistake in it was reported */
    uint16_t *fields;     /* whose texts together are the id of the other device */
    uint32_t n_fields;
    uint32_t index; /* among the links of the class that are read; UINT32_MAX: none reads it */
    bool is_used;   /* read, or a group is made by it */
};

struct fb_let_decl {
    struct fb_str name;
    struct fb_span span;
    struct fb_str unit_text;
    struct fb_span unit_span;
    struct fb_node *value;
    const struct fb_unit *unit; /* declared, by the checker */
    uint32_t in_state;          /* of a mode: 1 + the state that alone knows it; 0: all know it */
};

/* An item of a block in the order of writing, for the formatter. */
struct fb_class_item {
    enum {
        FB_ITEM_KEY,
        FB_ITEM_TIME,
        FB_ITEM_DOMAIN,
        FB_ITEM_TAGS,
        FB_ITEM_FIELD,
        FB_ITEM_LET,
        FB_ITEM_LATE,
        FB_ITEM_LINK
    } kind;
    struct fb_span span;
    uint32_t first, count; /* KEY, TAGS, FIELD: indices of fields; LET, LINK: of lets, links */
};

struct fb_class_decl {
    struct fb_str name;
    struct fb_span span, name_span;
    struct fb_span block; /* braces included */
    struct fb_str *topics;
    uint32_t n_topics;
    bool reopened; /* device NAME { let .. } without `from`, of a class declared elsewhere */
    struct fb_class_item *items;
    uint32_t n_items;
    struct fb_field_decl **fields; /* keys, then tags, then fields, each as written */
    uint32_t n_fields, n_keys;
    struct fb_let_decl **lets;
    uint32_t n_lets;
    struct fb_link_decl **links;
    uint32_t n_links;
    bool has_time, time_arrival;
    struct fb_str time_field, time_unit; /* time_unit: s ms us ns, empty: ISO 8601 */
    struct fb_span time_span;
    struct fb_str domain;
    struct fb_span domain_span;
    struct fb_node *late; /* duration; NULL: 0 */
    bool broken;          /* a mistake in a block of it was reported: names may be missing */
};

struct fb_param_case {
    struct fb_node *value, *where;
};

struct fb_param_decl {
    struct fb_str name;
    struct fb_span span, name_span;
    struct fb_str class_name; /* `on NAME`; empty: for all */
    struct fb_span class_span;
    struct fb_str unit_text;
    struct fb_span unit_span;
    struct fb_node *value; /* the default */
    struct fb_node *range_low, *range_high;
    struct fb_param_case *cases;
    uint32_t n_cases;
    bool broken; /* a mistake in it was reported: only its name is known */
    const struct fb_unit *unit; /* by the checker */
};

struct fb_raise_decl {
    enum fb_severity severity;
    struct fb_node *when;
    struct fb_span span;
};

/* CLEAR and RAISE: alarms; STOP and SAFE: controls. */
enum fb_on_unknown {
    FB_UNKNOWN_HOLD = 0,
    FB_UNKNOWN_CLEAR,
    FB_UNKNOWN_RAISE,
    FB_UNKNOWN_STOP,
    FB_UNKNOWN_SAFE
};

/* command NAME = expr [at priority N] [for dur]
 * step NAME by expr every dur within a..b [from expr] [at priority N] */
struct fb_command_decl {
    struct fb_str target;
    struct fb_span span, target_span;
    struct fb_node *value;
    uint32_t priority; /* 0: not written; then FB_PRIORITY_DEFAULT */
    struct fb_span priority_span;
    struct fb_node *pulse; /* duration; NULL: none */
    bool is_step;          /* `value` is what stands behind `by` */
    struct fb_node *every, *low, *high; /* step: a duration, numbers */
    struct fb_node *from;               /* step; NULL: what is accepted */
    uint32_t state;                     /* of a mode: index of the state that it stands in */

    const struct fb_actuator_decl *actuator; /* by the checker */
};

/* command each CLASS.NAME [by names] = expr [where cond] ..
 * command LINK.NAME = expr .. */
struct fb_ask_decl {
    struct fb_command_decl command; /* its target is the actuator there; never a step */
    bool each;
    struct fb_str device; /* each: the class; else the link */
    struct fb_span device_span;
    struct fb_str *by;
    uint32_t n_by;
    struct fb_span by_span;
    struct fb_node *where; /* NULL: none */

    /* By the checker: whose it is; each: the link of theirs that leads here, NULL where texts are
     * the same; else the link of `device`. */
    const struct fb_rule_decl *rule;
    const struct fb_link_decl *link;
};

enum fb_rollout { FB_ROLLOUT_NONE = 0, FB_ROLLOUT_SHADOW, FB_ROLLOUT_CANARY, FB_ROLLOUT_ARMED };

/* The items of an actuator that one node or two belong to. */
enum fb_actuator_item_kind {
    FB_ACT_DEFAULT,    /* default sum */
    FB_ACT_SAFE,       /* safe sum */
    FB_ACT_MINIMUM,    /* minimum on dur, off dur */
    FB_ACT_MAXIMUM,    /* maximum on dur */
    FB_ACT_STARTS,     /* starts INT per dur */
    FB_ACT_SLEW,       /* slew [up | down] sum per dur */
    FB_ACT_IGNORE,     /* ignore steps under sum */
    FB_ACT_LEASE,      /* lease dur */
    FB_ACT_DELIVER,    /* deliver within dur */
    FB_ACT_HOLD,       /* hold at most dur */
    FB_ACT_COMBINE,    /* combine min | max | safest */
    FB_ACT_FEEDBACK,   /* feedback expr [within sum] after dur [, stop after INT failures] */
    FB_ACT_PERMISSIVE, /* permissive when cond */
    FB_ACT_INTERLOCK,  /* interlock when cond */
    FB_ACT_LOCKOUT,    /* lockout dur after interlock */
    FB_ACT_BREAKER,    /* breaker INT reversals in dur, hold | safe dur */
    FB_ACT_TO          /* to TEXT */
};
struct fb_actuator_item {
    enum fb_actuator_item_kind kind;
    struct fb_span span;
};

enum fb_combine_word { FB_COMBINE_WORD_NONE = 0, FB_COMBINE_WORD_MIN, FB_COMBINE_WORD_MAX,
                       FB_COMBINE_WORD_SAFEST };

/* actuator NAME on CLASS : (off, on) | number [unit] range a..b { .. } */
struct fb_actuator_decl {
    struct fb_str name;
    struct fb_span span, name_span;
    struct fb_str class_name;
    struct fb_span class_span;
    struct fb_span block; /* braces included */
    struct fb_type_decl type; /* FB_T_ENUM with two words, the first inactive; or FB_T_NUMBER */
    struct fb_node *range_low, *range_high; /* number */
    struct fb_actuator_item *items; /* in the order of writing, for the formatter */
    uint32_t n_items;
    struct fb_str to;                     /* topic of its commands */
    struct fb_span to_span;               /* of that text; empty: not written */
    struct fb_node *default_value, *safe; /* NULL: not written */
    struct fb_node *minimum_on, *minimum_off, *maximum_on; /* durations */
    uint32_t starts; /* 0: not written */
    struct fb_node *starts_per;
    /* A slew without `up` and `down` is both: the same nodes stand in both places. */
    struct fb_node *slew_up, *slew_up_per, *slew_down, *slew_down_per;
    struct fb_node *ignore_under;
    struct fb_node *lease, *deliver, *hold;
    enum fb_combine_word combine;
    /* feedback: a condition of two words, a number of a number; NULL: none. `within`: NULL for two
     * words. The alarm that it raises is the file's next item. */
    struct fb_node *feedback, *feedback_within, *feedback_after;
    uint32_t failures;            /* in a row, that stop it; 0: not written */
    struct fb_span feedback_span; /* of the clause, broken ones too; empty: none */
    struct fb_node *permissive, *interlock; /* conditions */
    struct fb_node *lockout;
    uint32_t reversals; /* breaker; 0: not written */
    struct fb_node *reversals_in, *breaker_for;
    bool breaker_safe; /* safe while it is open; else hold */
    bool broken;       /* a mistake in it was reported: only its name is known */
};

/* A part of a message: literal text, or an expression in braces. */
struct fb_text_part {
    struct fb_str literal;
    struct fb_node *expr;  /* NULL: literal */
    struct fb_str builtin; /* device, rule, severity: a word that only messages know */
    int8_t decimals;       /* {x:.2f} gives 2; -1: shortest */
};

struct fb_text_decl {
    struct fb_span span;
    struct fb_str raw; /* as written, quotes and escapes included */
    struct fb_text_part *parts;
    uint32_t n_parts;
};

struct fb_label_decl {
    struct fb_str name, value;
};

/* go NAME ( when cond | after dur ) [at once] */
struct fb_go_decl {
    struct fb_str target;
    struct fb_span span, target_span;
    uint32_t state;       /* index of the state that it stands in */
    struct fb_node *when; /* NULL: after */
    struct fb_node *after;
    bool at_once;
    uint32_t to; /* index of the target, by the checker */
};

/* state NAME { stay dur | command | step | let | go } ; `state any` has lets and gos only */
struct fb_state_item {
    enum {
        FB_ITEM_STATE_LET,
        FB_ITEM_STAY,
        FB_ITEM_STATE_COMMAND,
        FB_ITEM_GO,
        FB_ITEM_STATE_ASK
    } kind;
    struct fb_span span;
    uint32_t index; /* of the let, command, go, ask */
};
struct fb_state_decl {
    struct fb_str name;
    struct fb_span span, name_span;
    struct fb_span block; /* braces included */
    bool any;
    struct fb_node *stay; /* NULL: 0 */
    struct fb_state_item *items;
    uint32_t n_items;
};

struct fb_rule_item {
    enum {
        FB_ITEM_RULE_LET,
        FB_ITEM_RAISE,
        FB_ITEM_WHEN,
        FB_ITEM_DEADBAND,
        FB_ITEM_CLEAR_AFTER,
        FB_ITEM_ON_UNKNOWN,
        FB_ITEM_AT_MOST,
        FB_ITEM_MESSAGE,
        FB_ITEM_RESPONSE,
        FB_ITEM_LABEL,
        FB_ITEM_START,
        FB_ITEM_COMMAND,
        FB_ITEM_ROLLOUT,
        FB_ITEM_FLEET,
        FB_ITEM_STATE,
        FB_ITEM_ASK,
        FB_ITEM_FLAPPING
    } kind;
    struct fb_span span;
    uint32_t index; /* of the let, raise, label, command, state, ask */
};

enum fb_rule_kind { FB_RULE_ALARM, FB_RULE_EVENT, FB_RULE_CONTROL, FB_RULE_MODE };

struct fb_rule_decl {
    enum fb_rule_kind kind;
    /* The alarm that this actuator's `feedback` stands for; its spans are the clause's, and it has
     * no block. NULL: the rule stands in the text itself. */
    const struct fb_actuator_decl *feedback_of;
    /* A control that holds the commands of this alarm, which has none of its own then; it has the
     * alarm's name and lets, and no block. NULL: the rule stands in the text itself. */
    const struct fb_rule_decl *commands_of;
    const struct fb_rule_decl
        *commands_in; /* of an alarm: that control; NULL: it commands nothing */
    /* A control of the devices that this rule, a control or a mode, commands by `ask`; it has that
     * rule's name, and no block. NULL: the rule stands in the text itself. */
    const struct fb_rule_decl *asked_of;
    const struct fb_ask_decl *ask;
    struct fb_str name;
    struct fb_span span, name_span;
    struct fb_str class_name;
    struct fb_span class_span;
    struct fb_span block;  /* braces included */
    struct fb_str by;      /* on NAME by TAG: a rule on groups; empty: none */
    struct fb_span by_span;
    struct fb_node *where; /* NULL: none */
    struct fb_rule_item *items;
    uint32_t n_items;
    struct fb_let_decl **lets;
    uint32_t n_lets;
    struct fb_raise_decl *raises; /* alarm */
    uint32_t n_raises;
    struct fb_node *when; /* event */
    bool whenever;
    uint32_t at_most;             /* of events, or of what it commands; 0: no limit */
    struct fb_node *at_most_per;  /* duration */
    struct fb_span at_most_span;
    struct fb_node *deadband, *clear_after;
    struct fb_span deadband_span;
    struct fb_node *flapping; /* suppress flapping over dur */
    enum fb_on_unknown on_unknown;
    struct fb_text_decl *message, *response; /* NULL: none */
    struct fb_label_decl *labels;
    uint32_t n_labels;
    /* control */
    struct fb_node *start; /* NULL: always */
    struct fb_command_decl *commands;
    uint32_t n_commands;
    struct fb_ask_decl *asks; /* commands to other devices */
    uint32_t n_asks;
    enum fb_rollout rollout;
    double canary; /* percent */
    struct fb_node *canary_share; /* as written */
    struct fb_span rollout_span;
    struct fb_node *fleet_share, *fleet_per; /* NULL: no `fleet` */
    struct fb_span fleet_span;
    uint32_t fleet_relation; /* by the checker: of the class, all devices of a domain */
    /* mode; also what controls have, but for `start` */
    struct fb_state_decl *states;
    uint32_t n_states;
    struct fb_go_decl *gos;
    uint32_t n_gos;
    struct fb_type_decl mode_type; /* its states as words, those of `any` left out */
};

/* test blocks */
struct fb_series_item {
    enum { FB_SERIES_VALUE, FB_SERIES_MISSING, FB_SERIES_NULL } kind;
    struct fb_node *from, *to; /* a value (literal, quantity, word, text); `to` for a ramp a..b */
    uint32_t times;            /* x5; 1 */
};

struct fb_test_step {
    enum { FB_STEP_SERIES, FB_STEP_RECORDS, FB_STEP_EXPECT } kind;
    struct fb_span span;
    /* series */
    struct fb_str device, field; /* the device's id as written: a name or text */
    struct fb_series_item *items;
    uint32_t n_items;
    struct fb_node *every; /* NULL: the field's own `every`, else 1s */
    uint32_t class_index;  /* by the checker: of the device */
    /* records */
    struct fb_str file;
    /* expect */
    bool no;
    bool command;             /* of an actuator; `rule` is its name, rule_kind says nothing */
    enum fb_rule_kind rule_kind;
    struct fb_str rule, word; /* word: raised, cleared, a severity; of an actuator: its value, as
                               * written for one of two words; empty: any */
    struct fb_str severity;   /* behind `raised`; empty: any */
    struct fb_str of;         /* device id; empty: any */
    struct fb_node *at;       /* duration; NULL: any time */
    struct fb_with {
        struct fb_str name;
        struct fb_span span; /* the name's */
        struct fb_node *linked; /* of another device, LINK.NAME; NULL: a plain name */
        enum fb_op op;
        struct fb_node *value;
    } *with;
    uint32_t n_with;
};

struct fb_test_decl {
    struct fb_str title;
    struct fb_str class_name; /* on NAME; may be empty */
    struct fb_span class_span;
    struct fb_span span;
    struct fb_span block; /* braces included */
    struct fb_test_step *steps;
    uint32_t n_steps;
};

/* commands at most INT per dur: of all rules together */
struct fb_limit_decl {
    uint32_t at_most;
    struct fb_node *per; /* duration */
    struct fb_span span;
};

/* The statements of a file in the order of writing. */
struct fb_item {
    enum {
        FB_ITEM_USE,
        FB_ITEM_CLASS,
        FB_ITEM_PARAM,
        FB_ITEM_ACTUATOR,
        FB_ITEM_RULE,
        FB_ITEM_TEST,
        FB_ITEM_LIMIT
    } kind;
    struct fb_span span;
    union {
        struct fb_str use; /* path as written, relative to the file */
        struct fb_class_decl *class_decl;
        struct fb_param_decl *param;
        struct fb_actuator_decl *actuator;
        struct fb_rule_decl *rule;
        struct fb_test_decl *test;
        struct fb_limit_decl *limit;
    };
};

struct fb_comment {
    struct fb_span span; /* from # to the end of the line, exclusive */
    bool own_line;       /* nothing but blanks before it on its line */
};

struct fb_file {
    uint32_t source; /* index in the sources */
    struct fb_item *items;
    uint32_t n_items;
    struct fb_item *broken; /* with a syntax error: as far as read; for check only */
    uint32_t n_broken;
    struct fb_comment *comments; /* in the order of the text */
    uint32_t n_comments;
};

/* All files of a compilation, `use`d ones included. */
struct fb_tree {
    struct fb_arena *arena;
    struct fb_sources *sources;
    struct fb_file **files;
    uint32_t n_files;
};

#endif
