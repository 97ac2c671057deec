/* One case through the product and through the reference interpreter.
 *
 * Place in the flow: compare.c and the shrinker ask for differences here. Each output becomes one
 * line of text; numbers are in the shortest form that reads back the same, so that equal lines mean
 * equal bits (but for the sign of zero, which no output has). */
#ifndef FB_TESTS_RUN_BOTH_H
#define FB_TESTS_RUN_BOTH_H

#include "tests/oracle/generate.h"
#include "tests/oracle/oracle.h"

#include "engine/model/output.h"

struct run_lines {
    struct fb_str *items;
    size_t n, cap;
};

struct run_counts {
    uint64_t muted, unmuted, raised, severity, cleared, events, late, future, commands, blocks;
    uint64_t of_groups; /* what rules on groups put out */
    uint64_t reasons[FB_REASON_SLEW + 1], guards[FB_GUARDS];
    uint64_t calls[FB_CALLS][FB_CALL_NOT_IN_MAINTENANCE + 1];
};

struct run_result {
    struct fb_arena *arena;
    bool compiled;
    struct fb_buf diagnostics; /* where it did not compile */
    struct run_lines product, oracle;
    struct run_counts counts; /* of the oracle's outputs */
    size_t first_difference;  /* SIZE_MAX: none */
};

/* usage: called with the interpreter before it goes; may be NULL. */
void run_case(const struct gen_case *c, struct run_result *result,
              void (*usage)(const struct ora *o));
void run_result_free(struct run_result *result);

/* For tests that have a rule file and entries of their own. */
struct run_entry {
    struct fb_entry entry;
    int64_t clock_us;
    int64_t wall_us; /* FB_NO_TIME: there is none */
    bool tick;       /* no record: only the clock moves */
    const struct fb_call *call; /* in place of a record; NULL: none */
};
struct fb_compiled;
/* Fills `product` and `oracle` of the result by put_line; first_difference too. */
void run_compiled(const struct fb_compiled *compiled, const struct run_entry *entries, size_t n,
                  int64_t finish_us, int64_t max_skew_us,
                  void (*put_line)(const struct fb_output *output, struct fb_buf *out),
                  struct run_result *result);

#endif
