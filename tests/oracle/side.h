/* A core over a series of entries, with its outputs as bytes.
 *
 * Place in the flow: restored.c and reloaded.c compare such sides. */
#ifndef FB_TESTS_SIDE_H
#define FB_TESTS_SIDE_H

#include "tests/oracle/generate.h"

#include "engine/core/snapshot.h"
#include "rules/compile.h"

struct input {
    const struct fb_program *program;
    struct gen_event *events; /* those that are off are left out */
    size_t n;
    int64_t finish_us, finish_wall_us, max_skew_us, max_lag_us;
};

struct side {
    struct fb_core *core;
    const struct fb_program *program; /* whose outputs come */
    struct fb_str leave_out;          /* outputs of this rule; empty: none */
    bool real_only;                   /* leave out blocks, and what shadows put out */
    struct fb_buf bytes;              /* the outputs */
    int64_t clock_us;                 /* as the caller knows it */
    fb_output_fn *tap;                /* gets each output, too; NULL: none */
    void *tap_context;
    enum fb_call_outcome outcome; /* of the last call */
    bool ticks; /* the clock is moved before each record by a call of its own */
};

/* The side must not move. */
void side_begin(struct side *side, const struct input *in);
void side_end(struct side *side);
/* Goes on with a fresh core that is restored from a snapshot. False: it can not; says why. */
bool side_restart(struct side *side, const struct input *in);
void side_step(struct side *side, const struct gen_event *event);
void side_run(struct side *side, const struct input *in, size_t from, size_t to);
void side_finish(struct side *side, const struct input *in); /* the last tick */
/* To the end, and the last tick. */
void side_run_out(struct side *side, const struct input *in, size_t from);
struct fb_str side_outputs(const struct side *side, size_t from);

/* A case with its rules compiled. */
struct compiled_case {
    struct gen_case *c;
    struct fb_compiled compiled;
    struct fb_diags *diags;
    bool ok; /* the checker took them */
};
void compiled_case_begin(struct compiled_case *of, uint64_t seed);
void compiled_case_end(struct compiled_case *of);
/* The rules of a case, as they are printed now. False: the checker refuses them. */
bool compile_case(const struct gen_case *c, struct fb_diags *diags, struct fb_compiled *compiled);
struct input input_of(const struct gen_case *c, const struct fb_compiled *compiled);

/* False: says what differs. */
bool same_hash(struct fb_hash128 a, struct fb_hash128 b, const char *what);
bool same_bytes(struct fb_str a, struct fb_str b, const char *what);

#endif
