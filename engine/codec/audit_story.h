/* What one record of the audit trail tells, as a struct: who decided what, when, from which values.
 *
 * Place in the flow: run/audit_find picks records out of a trail, `flyball explain` shows them.
 * Read beside codec/audit_read, which checks that a line is as it was written. One owner, no locks.
 */
#ifndef FB_CODEC_AUDIT_STORY_H
#define FB_CODEC_AUDIT_STORY_H

#include "engine/base/arena.h"
#include "engine/base/str.h"

#include <stdint.h>

/* A JSON value as it was written: a number's digits, a text without quotes and escapes, true,
 * false. */
struct fb_story_value {
    enum { FB_STORY_NONE, FB_STORY_NUMBER, FB_STORY_TRUTH, FB_STORY_TEXT } kind;
    struct fb_str text; /* NONE (null, or not there): "unknown" */
};

/* A field, let or actuator that the rule's conditions name. */
struct fb_story_input {
    struct fb_str name;
    struct fb_story_value value;
    struct fb_str unit;    /* of an event; audit records have none: empty */
    struct fb_str quality; /* good bad stale unknown */
    int64_t at_us;         /* of its last good sample; FB_NO_TIME: a let, or never seen. Of an
                            * actuator since when; FB_NO_TIME: no condition has seen it since */
    bool carried;          /* by the record that is the cause */
};

struct fb_story_verdict {
    struct fb_str guardrail, result; /* pass change hold refuse */
    struct fb_story_value requested, applied;
    int64_t until_us; /* FB_NO_TIME: it says none */
    /* of `fleet`, where `acted` is not 0 */
    int64_t acted, budget, live, members;
    int64_t open_since_us; /* FB_NO_TIME: its breaker is not open */
    /* of what limits how often, where `most` is not 0: used before this decision, of how many */
    int64_t counted, most;
    int64_t per_us; /* 0: not told, or no whole milliseconds */
};

struct fb_story_entry {
    struct fb_str rule; /* empty: the operator's hand */
    int64_t priority;
    struct fb_story_value value;
};

enum fb_story_sort {
    FB_STORY_ALARM,
    FB_STORY_COMMAND,
    FB_STORY_BLOCK,
    FB_STORY_EVENT, /* from an output: the trail has none */
    FB_STORY_REJECTED,
    FB_STORY_RULES,
    FB_STORY_CLOCK,
    FB_STORY_OPERATOR,
    FB_STORY_WITHHELD
};

/* Members that the sort does not have are empty, 0, FB_NO_TIME. All in the arena. */
struct fb_story {
    enum fb_story_sort sort;
    struct fb_str task, hash, explains, outcome;
    struct fb_str rule, rule_version, device; /* rule empty: the default, or none */
    int64_t at_us, clock_us;
    bool has_cause, timer;
    int64_t deadline_us; /* timer */
    struct fb_str topic; /* else: the record */
    int64_t partition, offset, index;
    struct fb_str severity;
    bool active;            /* of an alarm */
    struct fb_str actuator; /* with its device */
    bool shadow;
    struct fb_story_value requested, value, applied;
    int64_t epoch, command;
    struct fb_str to;        /* the topic of the command, where its actuator names one */
    struct fb_str guardrail; /* of a block */
    int64_t count;
    int64_t expires_us, wall_us; /* of what was withheld: when, and at the batch's end */
    struct fb_str message;      /* of an event */
    struct fb_str build, rules; /* where rules were activated */
    int64_t from_us;            /* of a jump of the clock */
    /* An operator's call; its value is `value`. */
    struct fb_str call, who, reason, why;
    struct fb_str what_actuator, what_device, what_rule, mode; /* no name: of all */
    struct fb_str what_alarm, what_class;
    bool once;
    int64_t until_us;
    /* What the actuator's own conditions came to. own_version empty: it has none. interlock,
     * permissive: true false unknown; empty: it has no such condition. */
    struct fb_str own_version, interlock, permissive;
    struct fb_story_input *own_inputs;
    uint32_t n_own_inputs;
    struct fb_story_input *inputs;
    struct fb_story_verdict *verdicts;
    struct fb_story_entry *entries;
    uint32_t n_inputs, n_verdicts, n_entries;
};

struct fb_story_reader;
struct fb_story_reader *fb_story_reader_new(void);
void fb_story_reader_free(struct fb_story_reader *reader);

/* `data` of an audit record, or of an event (its members stand in `values`). False: it is neither.
 */
bool fb_story_read(struct fb_story_reader *reader, struct fb_str data, struct fb_arena *arena,
                   struct fb_story *story);

/* Whether the operator's hand is among the claims. */
bool fb_story_has_hand(const struct fb_story *story);
/* NULL: it has no input of this name. */
const struct fb_story_input *fb_story_input(const struct fb_story *story, struct fb_str name);
/* The same of the actuator's own conditions. */
const struct fb_story_input *fb_story_own_input(const struct fb_story *story, struct fb_str name);

#endif
