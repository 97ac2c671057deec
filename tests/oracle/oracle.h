/* The reference interpreter: what the rule language means, computed as slowly and as plainly as
 * possible.
 *
 * Place in the flow: walks the parse tree over all samples a device ever gave; compare.c sets it
 * against the product. It keeps no windows, panes or timers' queues: every value is found anew from
 * the history by the definition of rules/MEANING.md, whose numbers (M1, M2, ...) it cites. It
 * shares engine/base, engine/model and the parser with the product, nothing else: names, types and
 * units are looked up here once more. */
#ifndef FB_TESTS_ORACLE_H
#define FB_TESTS_ORACLE_H

#include "engine/model/call.h"
#include "engine/model/entry.h"
#include "engine/model/output.h"
#include "rules/ast.h"

struct ora;

/* The tree must be free of errors and outlive the interpreter. */
struct ora *ora_new(const struct fb_tree *tree, int64_t max_skew_us, int64_t max_lag_us,
                    fb_output_fn *sink, void *context);
void ora_free(struct ora *o);

/* As fb_core_set_wall, fb_core_advance, fb_core_take, fb_core_finish of engine/core/core.h, and
 * fb_core_call of engine/core/call.h. */
void ora_set_wall(struct ora *o, int64_t wall_us);
void ora_advance(struct ora *o, int64_t c_us);
void ora_take(struct ora *o, const struct fb_entry *entry, int64_t c_us);
void ora_finish(struct ora *o, int64_t c_us);
enum fb_call_outcome ora_call(struct ora *o, const struct fb_call *call, int64_t c_us);

/* What an actuator of a device, or its shadow, is asked to have at present, within its range. */
struct ora_wish {
    uint16_t class_index;
    struct fb_str device, actuator;
    bool shadow;
    bool claimed; /* else it is the default */
    bool pending; /* a deadline at the present C is still to come */
    bool slews;   /* on its way there it may be held by slew, which is no block */
    double value;
};
void ora_each_wish(const struct ora *o, void (*each)(void *context, const struct ora_wish *wish),
                   void *context);

/* How often a kind of expression was evaluated, and how often its value was known: shows that a
 * comparison is not empty. Names: functions, operators, window shapes ("avg ring"). */
struct ora_usage {
    const char *name;
    uint64_t evaluated, known, truths;
};
const struct ora_usage *ora_usage(const struct ora *o, uint32_t *n);

/* What modes did (A21), and what was seen of other devices. */
struct ora_moves {
    uint64_t begun, went, by_time, stayed; /* stayed: a way was true, and `stay` not over */
    uint64_t woken; /* conditions of other devices, by what they read (A36) */
    uint64_t samples; /* in windows, of what is read of others (A87) */
};
struct ora_moves ora_moves(const struct ora *o);

#endif
