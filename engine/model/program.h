/* The compiled program: what rules/ writes and codec/ and core/ read. This page is the manual of
 * the instruction set.
 *
 * Place in the flow: text -> tree -> program -> decoder, core, encoder. Immutable after lowering,
 * so any number of threads may read it. Everything lives in the program's arena.
 *
 * A device class has fields, windows and conditions; a device of that class has one block of memory
 * whose cells stand at offsets that model/layout.c gives. Every expression is straight code without
 * jumps: stateful operators must see every evaluation, so nothing is short-circuited. */
#ifndef FB_MODEL_PROGRAM_H
#define FB_MODEL_PROGRAM_H

#include "engine/base/arena.h"
#include "engine/base/hash.h"
#include "engine/model/actuator.h"
#include "engine/model/value.h"

/* Changes whenever the same program and input would give other outputs. */
enum { FB_SEMANTICS = 1 };

enum {
    FB_FIELDS_MAX = 256,       /* fields, tags and keys of a class */
    FB_REGISTERS_MAX = 1024,   /* of one piece of code */
    FB_BLOCK_BYTES_MAX = 65536,
    FB_TEXT_BYTES_MAX = 255,   /* a text value */
    FB_DEVICE_ID_MAX = 256
};

#define FB_NEVER INT64_MAX  /* no deadline */
#define FB_NO_TIME INT64_MIN /* not yet */

/* A set of fields of one class. */
struct fb_field_set {
    uint64_t words[FB_FIELDS_MAX / 64];
};
static inline void fb_field_set_add(struct fb_field_set *set, uint32_t field) {
    set->words[field / 64] |= UINT64_C(1) << (field % 64);
}
static inline bool fb_field_set_has(const struct fb_field_set *set, uint32_t field) {
    return (set->words[field / 64] >> (field % 64)) & 1;
}
static inline bool fb_field_sets_meet(const struct fb_field_set *a, const struct fb_field_set *b) {
    uint64_t any = 0;
    for (int i = 0; i < FB_FIELDS_MAX / 64; i++)
        any |= a->words[i] & b->words[i];
    return any != 0;
}

enum fb_opcode {
    /* Constants. imm: index in the class's numbers, ints, texts. All known. */
    FB_I_NUMBER,  /* dst := numbers[imm]                                   (number) */
    FB_I_INT,     /* dst := ints[imm]                        (integer, bool, enum, time) */
    FB_I_TEXT,    /* dst := texts[imm] */
    FB_I_UNKNOWN, /* dst := unknown */

    /* Fields, tags and keys. imm: the field. Known if its quality at t is good. */
    FB_I_FIELD,    /* dst := present value; deadline: when it goes stale (ts + stale + 1 us) */
    FB_I_QUALITY,  /* dst := quality of field imm is in the set a (bit 1 << enum fb_quality), always
                    * known; deadline as FIELD */
    FB_I_ACTUATOR, /* dst := what actuators[imm] last accepted (number, or the word's index);
                    * unknown before its first command */

    FB_I_ALARM, /* dst := the alarm that is rule imm of the class (index in its rules) is active;
                 * sub 1: unknown while it is held only because no raise of it is known */
    FB_I_MODE,  /* dst := the state that modes[imm] is in (its index); unknown while in none */
    /* Other devices, A30 to A39. What they publish was computed by their own code. */
    FB_I_LINKED, /* dst := published[imm] of the device that links[a] leads to; none: unknown */
    FB_I_GROUP,  /* dst := function sub (enum fb_group_function) of groups[imm]; PERCENTILE: b is
                  * the index in numbers of its percent */

    /* Numbers. Unknown in, unknown out; a result that is not finite is unknown. */
    FB_I_INT_TO_NUMBER, /* dst := (double) a */
    FB_I_ADD,
    FB_I_SUB,
    FB_I_MUL,
    FB_I_DIV, /* dst := a op b */
    FB_I_NEG,
    FB_I_ABS,
    FB_I_ROUND,
    FB_I_SQRT, /* dst := op a; ROUND: halves away from zero */
    FB_I_MIN,
    FB_I_MAX,     /* dst := the lesser, greater of a and b */
    FB_I_CLAMP,   /* dst := a limited to b..imm (registers); b > imm: unknown */
    FB_I_CONVERT, /* dst := a * numbers[imm] + numbers[imm + 1]; sub 1: a / numbers[imm] .. */

    /* Comparisons. sub: enum fb_cmp. */
    FB_I_CMP_NUMBER, /* dst := a cmp b */
    FB_I_CMP_INT,    /* integers, enums, times, bools */
    FB_I_CMP_TEXT,   /* EQ and NE by bytes; the others by byte order */
    FB_I_MATCHES,    /* dst := text a matches patterns[imm]; over a limit of PCRE2: unknown */

    /* Logic, three-valued (Kleene). */
    FB_I_NOT,
    FB_I_AND,
    FB_I_OR,
    FB_I_KNOWN,    /* dst := a is known, always known; sub 1: is not known */
    FB_I_IF,       /* dst := a ? b : imm (registers); a unknown: unknown */
    FB_I_SELECT,   /* dst := a known and true ? b : imm (registers): the cases of a param */
    FB_I_COALESCE, /* dst := a known ? a : b */
    FB_I_VOTE,     /* dst := at least imm of the b registers from a on are true; true when imm are
                    * true, false when imm can not be reached, else unknown */

    /* State. imm: the cell's offset in the block. Durations are numbers in seconds; they become
     * whole microseconds, halves away from zero. */
    FB_I_FOR,     /* dst := a for b; deadline: t0 + b while a is true and not yet long enough */
    FB_I_UNTIL,   /* dst := a until b (set, reset; b wins) */
    FB_I_ELAPSED, /* dst := elapsed(a) cmp[sub] b; deadline: the crossing */
    FB_I_AGE,    /* dst := age(field a) cmp[sub] b; a = UINT16_MAX: age(); deadline: the crossing */
    FB_I_SILENT, /* dst := silent(field a); a = UINT16_MAX: silent */
    FB_I_FOR_PEEK,
    FB_I_UNTIL_PEEK,
    FB_I_ELAPSED_PEEK, /* dst := what the operator at imm gave at
                        * its last evaluation: for lets in `values` and messages, which change no
                        * state */
    FB_I_WINDOW, /* dst := aggregate[sub] of windows[imm], unknown below a share of numbers[a] of
                  * good time; deadline: when that can change without a record */

    /* The most frequent sequences as one instruction each; rules/fuse.c makes them. */
    FB_I_FIELD_CMP,  /* dst := number field a cmp[sub] numbers[imm]; deadline as FIELD */
    FB_I_WINDOW_CMP, /* dst := WINDOW (sub & 31, a, imm) cmp[sub >> 5] numbers[b] */
    FB_I_FOR_CONST,  /* dst := a for ints[b] microseconds; imm, deadline as FOR */

    FB_OPCODES
};

enum fb_cmp { FB_CMP_LT, FB_CMP_LE, FB_CMP_GT, FB_CMP_GE, FB_CMP_EQ, FB_CMP_NE };

struct fb_instr {
    uint8_t op;  /* enum fb_opcode */
    uint8_t sub; /* enum fb_cmp, enum fb_aggregate, or as said above */
    uint16_t dst, a, b;
    uint32_t imm;
};

enum fb_aggregate {
    FB_AGG_AVG, FB_AGG_MIN, FB_AGG_MAX, FB_AGG_SUM, FB_AGG_COUNT, FB_AGG_FIRST, FB_AGG_LAST,
    FB_AGG_TIME_AVG, FB_AGG_STDDEV, FB_AGG_SPREAD, FB_AGG_DELTA, FB_AGG_INCREASE, FB_AGG_RATE,
    FB_AGG_ANY, FB_AGG_ALL,
    /* of FB_SHAPE_LAST with 2 places only */
    FB_AGG_PREVIOUS, FB_AGG_CHANGE, FB_AGG_CHANGED,
    FB_AGGREGATES
};

enum fb_window_shape {
    FB_SHAPE_RING,  /* over d, every sample kept */
    FB_SHAPE_PANES, /* over d, partial results of aligned panes */
    FB_SHAPE_LAST,  /* over last n; previous, change, changed with n = 2 */
    FB_SHAPE_EACH   /* each d */
};

enum fb_window_input {
    FB_INPUT_FIELD,     /* the field itself */
    FB_INPUT_CODE,      /* `sample`: a number, or a bool for any, all, count */
    FB_INPUT_RECORDS    /* every record counts: count(over d) */
};

/* A cell that takes samples. Shared by everything in the class that means the same content. */
struct fb_window {
    enum fb_window_shape shape;
    enum fb_window_input input;
    enum fb_type type;         /* of a sample */
    bool looks_back;           /* `sample` reads previous or change: a late record gives none */
    bool sees_others; /* `sample` reads other devices: a late record gives none, and its good time
                       * is only while these are known */
    uint16_t field;            /* FB_INPUT_FIELD */
    struct fb_code sample;     /* FB_INPUT_CODE */
    struct fb_field_set gives; /* a record that carries one of these gives a sample */
    struct fb_field_set reads; /* these and those of `where`: its good time follows them */
    uint32_t aggregates;       /* set of 1 << enum fb_aggregate that are read from it */
    int64_t length_us;         /* over, each */
    int64_t pane_us;           /* panes; each: the length */
    uint32_t places;           /* ring, last; panes: how many are kept */
    int64_t late_us;           /* the class's lateness */
    uint32_t offset, bytes;    /* in the block; bytes by fb_window_bytes */
};

struct fb_field {
    struct fb_str name;
    enum { FB_ROLE_FIELD, FB_ROLE_TAG, FB_ROLE_KEY } role;
    enum fb_type type;
    struct fb_str unit;   /* as declared; empty: none */
    struct fb_str *words; /* enum */
    uint32_t n_words;
    struct fb_str *paths; /* in the record; the first that is there wins; at least one */
    uint32_t n_paths;
    bool has_range;
    double range_low, range_high; /* both ends included */
    bool has_null;
    struct fb_value null_value;
    int64_t every_us; /* 0: not declared */
    int64_t stale_us; /* 0: never goes stale; 3 x every by default */
    uint32_t offset;  /* of its cell (struct fb_field_cell) in the block */
};

/* The cell of a field. A key's is filled at registration and never changes. */
struct fb_field_cell {
    union {
        double num;
        int64_t i;
        uint64_t text; /* handle of engine/core/text.h */
    };
    int64_t ts_us;   /* of the last good sample; FB_NO_TIME before the first */
    uint32_t position; /* of the last good number among the core's thresholds */
    uint8_t quality;   /* FB_Q_UNKNOWN never seen, FB_Q_GOOD, FB_Q_BAD; stale is found by age */
};

/* Cells of the temporal operators. `value`: 0 false, 1 true, 2 unknown, of the last evaluation. */
struct fb_for_cell {
    int64_t t0_us, paused_us; /* FB_NO_TIME: none */
    uint8_t value;
};
struct fb_until_cell {
    uint8_t set, value;
};
struct fb_elapsed_cell {
    int64_t rise_us;  /* FB_NO_TIME: none yet */
    uint8_t was_true; /* the last known value of the condition */
    uint8_t value;    /* of the comparison */
};

/* What a condition is for. CLAIM: the value of a command, a number or a word's index; the others
 * are truths. */
enum fb_condition_role {
    FB_ROLE_WHEN, /* a `raise`, the `when` of an event, the `start` of a control */
    FB_ROLE_CLAIM,
    FB_ROLE_INTERLOCK,
    FB_ROLE_PERMISSIVE,
    FB_ROLE_PUBLISHED /* what other devices read of this one: a value of any type but text */
};

/* One `raise .. when`, the `when` of an event; what a control or an actuator consists of. */
struct fb_condition {
    uint32_t rule;  /* index in the program */
    uint32_t raise; /* index in the rule; 0 for an event. A control: `start`, if it has one, then
                     * its commands; an actuator: interlock, then permissive */
    enum fb_condition_role role;
    uint32_t claim;     /* CLAIM: index in the class */
    uint32_t published; /* PUBLISHED: index in the class */
    uint64_t actuators; /* set of those whose accepted value it reads, by index in the class */
    uint64_t modes;     /* set of those whose state it reads, likewise */
    struct fb_code code;
    struct fb_field_set reads; /* fields, also through lets, params and windows; not those read
                                * only inside `each` windows, which a record can not change */
    bool every_record;         /* reads silent, age(), changed or count(over d) */
    bool twice;                /* reads silent: a second evaluation at the record's instant */
    uint32_t offset; /* of struct fb_condition_cell; CLAIM, PUBLISHED: of that cell of theirs */
};

struct fb_condition_cell {
    uint8_t value; /* of the last evaluation: 0 false, 1 true, 2 unknown; an event: of the last
                    * known one, 0 at first */
    uint8_t holds; /* alarm: what the raise counts as, `on unknown` applied; control: whether it was
                    * on by the last known value */
};

/* What a rule shows in `values`. */
struct fb_shown {
    struct fb_str name, unit;
    enum fb_type type;
    bool is_field, is_actuator, is_mode; /* none: a let, or what is read of others */
    bool is_others;                      /* `code` is the one instruction that reads it */
    uint16_t field, actuator, mode; /* in the class; of an actuator the real one */
    struct fb_code code;        /* but of a field; reads state, never changes it */
    struct fb_str *words; /* enum */
};

/* An expression inside a message. */
struct fb_slot {
    struct fb_str unit; /* as declared; empty: none */
    enum fb_type type;
    int8_t decimals; /* -1: shortest */
    struct fb_code code;
    struct fb_str *words;
};

struct fb_template_part {
    enum { FB_PART_LITERAL, FB_PART_SLOT, FB_PART_DEVICE, FB_PART_RULE, FB_PART_SEVERITY } kind;
    struct fb_str literal;
    uint32_t slot; /* index in rule->slots */
};

struct fb_template {
    struct fb_template_part *parts;
    uint32_t n_parts;
};

struct fb_label {
    struct fb_str name, value;
};

/* ACTUATOR: a declared actuator, as the owner of its conditions; its name is the actuator's.
 * PUBLISHED: the owner of a class's published values, before all its other rules; its name is the
 * class's. */
enum fb_rule_sort {
    FB_SORT_ALARM,
    FB_SORT_EVENT,
    FB_SORT_CONTROL,
    FB_SORT_ACTUATOR,
    FB_SORT_MODE,
    FB_SORT_PUBLISHED
};
enum fb_unknown_policy {
    FB_POLICY_HOLD,
    FB_POLICY_CLEAR,
    FB_POLICY_RAISE,
    FB_POLICY_STOP,
    FB_POLICY_SAFE
};

struct fb_rule {
    enum fb_rule_sort sort;
    struct fb_str name;
    struct fb_str
        target;       /* a control that a command to other devices stands for: "fan.speed of
                       * exhaust", several of one rule are told apart by it; empty: it is none */
    char version[13]; /* hex digits of the canonical text's SHA-256 */
    uint16_t class_index;
    uint32_t first_condition, n_conditions; /* in the class */
    enum fb_severity *severities;           /* alarm: of each condition */
    enum fb_unknown_policy on_unknown;
    bool has_clear_after;
    struct fb_code clear_after; /* seconds */
    int64_t flap_slot_us;       /* alarm: of `suppress flapping`, a 20th of its period; 0: none */
    bool whenever;
    struct fb_field_set whenever_reads; /* plain reads of the whenever itself */
    uint32_t *whenever_each; /* `each` windows it reads: completion counts as a new value */
    uint32_t n_whenever_each;
    uint32_t at_most;           /* event; 0: no limit */
    struct fb_code at_most_per; /* seconds */
    bool has_start; /* control, mode: the first condition says when; else always */
    uint32_t first_claim, n_claims; /* control, mode: in the class */
    const struct fb_fleet *fleet;   /* control, mode: of the class; NULL: it has none */
    const struct fb_rate *rate;     /* control, mode: of its class; NULL: no limit */
    uint32_t mode;              /* of FB_SORT_MODE: in the class */
    uint32_t actuator;          /* of FB_SORT_ACTUATOR: in the class */
    struct fb_template message, response;
    struct fb_label *labels;
    uint32_t n_labels;
    struct fb_shown *shown; /* byte order of the names */
    uint32_t n_shown;
    struct fb_slot *slots;
    uint32_t n_slots;
    uint32_t offset; /* of struct fb_rule_cell */
};

/* An alarm's or an event's own state. The core keeps one deadline a condition and one a rule beside
 * the block; its initial content is all zero but for the FB_NO_TIMEs, which the core sets. */
struct fb_rule_cell {
    int64_t since_us;    /* alarm: at of the raised; event: start of the `at most` window */
    int64_t clear_t0_us, clear_paused_us; /* as FB_I_FOR */
    union {
        uint64_t withheld;      /* event */
        int64_t shelf_until_us; /* alarm, on C: while FB_ALARM_SHELVED */
    };
    union {
        uint32_t let_through; /* event: in the `at most` window */
        uint32_t flags;       /* alarm: enum fb_alarm_flag, and its last severity above them */
    };
    uint8_t severity; /* alarm: enum fb_severity; FB_SEV_NONE: not active */
    uint8_t told;     /* alarm: what the conditions that read it were woken for last, as in struct
                       * fb_condition_cell; 0 where none reads it */
};

/* Behind the cell of an alarm with `suppress flapping` (rules/MEANING.md, A60 to A62). */
enum { FB_FLAP_SLOTS = 20 };
#define FB_FLAPPING_US_MIN INT64_C(20000000) /* of the period */
#define FB_FLAPPING_US_MAX (INT64_C(64) * 86400 * 1000000)
struct fb_flap_cell {
    int64_t slot;     /* of the last change; FB_NO_TIME: there was none */
    uint32_t changes; /* bit i: there was one in the slot that is i before it */
    uint8_t flapping;
};
static inline uint32_t fb_rule_bytes(const struct fb_rule *rule) {
    return (uint32_t)(sizeof(struct fb_rule_cell) +
                      (rule->flap_slot_us ? sizeof(struct fb_flap_cell) : 0));
}

/* What operators have said of an alarm (rules/MEANING.md, A40 to A44). */
enum fb_alarm_flag {
    FB_ALARM_ACKED = 1 << 0,
    FB_ALARM_SHELVED = 1 << 1,
    FB_ALARM_ONCE = 1 << 2, /* the shelf ends with the alarm */
    FB_ALARM_TOLD = 1 << 3, /* something of it was put out since the device is in maintenance */
    FB_ALARM_FLAGS = (1 << 4) - 1,
    FB_ALARM_SEVERITY_SHIFT = 8 /* severity with which it cleared last */
};

/* What a place in a device's block means, so that another program's core finds it again. Two cells
 * of equal `hash` mean the same to the bit. `likeness` leaves out what may change without a new
 * meaning: the words of an enumeration, the length and aggregates of a window, the numbers of a
 * condition, all of a rule but its name and sort. rules/identity.c */
enum fb_cell_kind {
    FB_CELL_FIELD,
    FB_CELL_WINDOW,
    FB_CELL_FOR,
    FB_CELL_UNTIL,
    FB_CELL_ELAPSED,
    FB_CELL_CONDITION,
    FB_CELL_RULE,
    FB_CELL_CLAIM,     /* index: claim of the class; found again by rule and actuator */
    FB_CELL_ACTUATOR,  /* index: actuator of the class; found again by its name alone */
    FB_CELL_PUBLISHED, /* index: published value of the class; found again by its condition */
    FB_CELL_FLEET,     /* index: fleet of the class; found again by its rule's name */
    FB_CELL_RATE       /* index: rate of the class; found again by the name of its rule */
};
struct fb_cell_id {
    enum fb_cell_kind kind;
    uint32_t index;  /* field, window; condition, also of its operators; rule in the program */
    uint32_t offset; /* in the block */
    uint32_t words;  /* how many words a value of an enumeration is chosen from; 0: it is none */
    struct fb_hash128 hash, likeness;
    struct fb_str name; /* for people: "temp", "avg of load over 1m", "hot: raise high" */
};

/* ---- other devices: A30 to A39 ---- */

#define FB_NO_INDEX UINT32_MAX

/* A value that other devices read. The condition that computes it stands before those of the rules,
 * so that what a record changes is published before any rule sees it. */
struct fb_published {
    struct fb_str name; /* as the rules call it behind the dot; else the expression's text */
    uint32_t condition; /* in the class */
    enum fb_type type;  /* a text: no group reads it */
    uint32_t offset;    /* of struct fb_published_cell */
    struct fb_str unit;
    struct fb_str *words; /* enum */
    uint32_t n_words;
};
struct fb_published_cell {
    union {
        double num;
        int64_t i;
        uint64_t text; /* handle in the core's store; 0: empty */
    };
    uint8_t known; /* 0: unknown, and the value 0 */
};

/* Devices of the class that have the same text in these fields, one joined behind the other as in
 * an id, within a domain. A link: the id of the device it leads to; else a tag. Where a link has
 * one field and leads to a class of several keys, the field's text is the id as it is. */
struct fb_relation {
    uint16_t *fields; /* keys, tags or fields; texts or integers */
    uint32_t n_fields;
};

/* Leads from a device to one other. */
struct fb_link {
    struct fb_str name;
    uint32_t relation;         /* of this class */
    uint16_t class_index;      /* of the device that it leads to */
    const struct fb_class *to; /* the same */
};

/* The devices that an expression of this class looks at together. */
struct fb_group {
    struct fb_str text;        /* for people: "inlet of rack by row" */
    uint16_t class_index;      /* of the members */
    const struct fb_class *of; /* the same */
    uint32_t relation;         /* of the members' class */
    uint32_t own; /* relation of this class with the same text, of a class of groups that of its
                   * key; FB_NO_INDEX: this device's id is what the members' relation says */
    uint32_t value, where; /* published values of the members' class; FB_NO_INDEX: none */
};

enum fb_group_function {
    FB_GROUP_COUNT, /* members whose `where` is true; without one: all members (int) */
    FB_GROUP_SHARE, /* of the known members, those whose `where` is true (number, 1 = all) */
    FB_GROUP_SUM,   /* this one to PERCENTILE: numbers, whatever the value's type is */
    FB_GROUP_AVG,
    FB_GROUP_MIN,
    FB_GROUP_MAX,
    FB_GROUP_SPREAD,
    FB_GROUP_PERCENTILE, /* median: 50 */
    FB_GROUP_DISTINCT,   /* (int) */
    FB_GROUP_ANY,
    FB_GROUP_ALL,
    FB_GROUP_RANK, /* of this device among the members (int) */
    /* What commanders ask of a target (A81, A83); no rule can write these. ON: of conditions; the
     * others: of those whose `where` is true and whose value is known, of the values' own type. */
    FB_GROUP_ON,
    FB_GROUP_ASKED_MIN,
    FB_GROUP_ASKED_MAX,
    FB_GROUP_ASKED_NEAREST, /* to a number, as PERCENTILE has one */
    FB_GROUP_FUNCTIONS
};

struct fb_class {
    struct fb_str name;
    struct fb_str *topics;
    uint32_t n_topics;
    struct fb_field *fields; /* keys first */
    uint32_t n_fields, n_keys;
    struct fb_str time_path;
    enum { FB_TIME_ISO, FB_TIME_S, FB_TIME_MS, FB_TIME_US, FB_TIME_NS, FB_TIME_ARRIVAL } time_unit;
    int64_t late_us;
    uint16_t *tags; /* indices of fields, byte order of the names */
    uint32_t n_tags;
    struct fb_window *windows; /* before those whose samples read them */
    uint32_t n_windows;
    struct fb_condition *conditions; /* in the order of the rules, then of their raises */
    uint32_t n_conditions;
    uint32_t *rules; /* indices in the program, ascending */
    uint32_t n_rules;
    struct fb_actuator *actuators; /* in the order of the text, each before its shadow */
    uint32_t n_actuators;
    struct fb_claim *claims; /* in the order of the rules, then of their commands */
    uint32_t n_claims;
    struct fb_machine *modes; /* in the order of the text */
    uint32_t n_modes;
    struct fb_fleet *fleets; /* in the order of the rules */
    uint32_t n_fleets;
    struct fb_rate *rates; /* in the order of the rules */
    uint32_t n_rates;
    uint16_t domain; /* the field that says a device's control domain; the first key by default */
    struct fb_published *published;
    uint32_t n_published;
    struct fb_relation *relations;
    uint32_t n_relations;
    struct fb_link *links;
    uint32_t n_links;
    struct fb_group *groups;
    uint32_t n_groups;
    /* A class whose devices are groups of another class's, `alarm .. on rack by row`: no topics;
     * its keys are the domain (where that is not the tag itself) and the tag. FB_NO_INDEX: it is
     * none. */
    uint32_t group_class, group_relation; /* of the members */
    struct fb_instr *code;
    uint32_t n_code;
    double *numbers;
    uint32_t n_numbers;
    int64_t *ints;
    uint32_t n_ints;
    struct fb_str *texts;
    uint32_t n_texts;
    struct fb_str *patterns; /* PCRE2, checked at compile time */
    uint32_t n_patterns;
    uint16_t registers;   /* the most that any of its code uses */
    uint32_t block_bytes; /* all cells */
    struct fb_cell_id *cells; /* in the order of the block */
    uint32_t n_cells;
};

struct fb_program {
    struct fb_arena *arena;
    uint32_t semantics;
    struct fb_class *classes;
    uint32_t n_classes;
    struct fb_rule *rules; /* in the order of the text */
    uint32_t n_rules;
    struct fb_rate rate; /* of all rules together */
};

void fb_program_free(struct fb_program *program);

/* Size of a window's cell; places, pane_us and aggregates must be set. model/layout.c */
uint32_t fb_window_bytes(const struct fb_window *window);
/* Number and length of the panes of `over length_us`: the smallest natural length not below
 * length_us / 64. False above 64 days. model/layout.c */
bool fb_panes_of(int64_t length_us, int64_t *pane_us, uint32_t *places);

/* A number of how the program lays out the state of its devices: what each cell means, where it
 * lies, how long it is. State that was written under another one cannot be read. model/layout.c */
struct fb_hash128 fb_program_layout(const struct fb_program *program);

/* The class of a name; NULL: none. */
const struct fb_class *fb_program_class(const struct fb_program *program, struct fb_str name);

#endif
