/* A core driven by rule texts: its programs, a restart, other rules.
 *
 * Place in the flow: below acting.h and others.h, which say what its outputs look like
 * (put_output). One owner. */
#ifndef FB_TESTS_UNIT_CORE_FIXTURE_H
#define FB_TESTS_UNIT_CORE_FIXTURE_H

#include <stdlib.h>

#include "engine/core/migrate.h"
#include "engine/core/snapshot.h"
#include "rules/compile.h"

#define S INT64_C(1000000)

enum { PROGRAMS = 4 };

struct fixture {
    struct fb_diags *diags[PROGRAMS];
    struct fb_compiled programs[PROGRAMS];
    int n;
    struct fb_core_config config;
    struct fb_core *core;
    struct fb_buf outputs; /* since they were looked at last */
    bool restarts;         /* others.h: a fresh core takes over before each record */
    uint8_t hops;          /* others.h: of each record */
};

/* Appends what an output says to the outputs of the fixture, the context. */
static inline void put_output(void *context, const struct fb_output *output);

/* A further program of the test: the rules behind the declarations. */
static inline const struct fb_program *compile_behind(struct fixture *f, const char *declarations,
                                                      const char *rules) {
    struct fb_sources *sources = fb_sources_new();
    struct fb_buf text = {0}, printed = {0};
    assert_true(f->n < PROGRAMS);
    fb_buf_text(&text, declarations);
    fb_buf_text(&text, rules);
    f->diags[f->n] = fb_diags_new();
    fb_sources_add(sources, FB_S("test.rules"), (struct fb_str){text.p, text.n});
    if (!fb_compile_sources(sources, f->diags[f->n], &f->programs[f->n])) {
        fb_diags_print(f->diags[f->n], f->programs[f->n].sources, false, &printed);
        fail_msg("%s", fb_buf_terminated(&printed));
    }
    fb_buf_free(&text);
    return f->programs[f->n++].program;
}

static inline struct fixture *begin_behind(const char *declarations, const char *rules) {
    struct fixture *f = calloc(1, sizeof *f);
    f->config.max_skew_us = 100000 * S;
    f->core = fb_core_new(compile_behind(f, declarations, rules), &f->config, put_output, f);
    return f;
}

static inline void end(struct fixture *f) {
    fb_core_free(f->core);
    for (int i = 0; i < f->n; i++) {
        fb_compiled_free(&f->programs[i]);
        fb_diags_free(f->diags[i]);
    }
    fb_buf_free(&f->outputs);
    free(f);
}

static inline void outputs_are(struct fixture *f, const char *wanted) {
    assert_string_equal(fb_buf_terminated(&f->outputs), wanted);
    f->outputs.n = 0;
}

/* The core goes on as another one that was restored from its snapshot. */
static inline void restart(struct fixture *f, int64_t clock_us) {
    struct fb_buf piece = {0};
    struct fb_err err;
    struct fb_hash128 before = fb_core_state_hash(f->core);
    fb_core_snapshot_begin(f->core);
    assert_false(fb_core_snapshot_next(f->core, SIZE_MAX / 2, &piece));
    fb_core_free(f->core);
    f->core = fb_core_new(f->programs[f->n - 1].program, &f->config, put_output, f);
    if (!fb_core_restore(f->core, (struct fb_str){piece.p, piece.n}, &err))
        fail_msg("%s", err.text);
    fb_core_restored(f->core, clock_us);
    assert_true(fb_hash128_eq(fb_core_state_hash(f->core), before));
    fb_buf_free(&piece);
}

/* Each byte of the core's snapshot, but for its first eight, spoilt by itself: another core refuses
 * it, as of a quarter of them at least, or goes on from it as if at clock_us without harm. */
static inline void damage_is_refused_or_harmless(struct fixture *f, int64_t clock_us) {
    struct fb_buf piece = {0};
    uint32_t refused = 0;
    fb_core_snapshot_begin(f->core);
    assert_false(fb_core_snapshot_next(f->core, SIZE_MAX / 2, &piece));
    for (size_t i = 8; i < piece.n; i++) {
        struct fb_err err;
        struct fb_core *core = fb_core_new(f->programs[0].program, &f->config, put_output, f);
        piece.p[i] ^= (char)0xa5;
        if (fb_core_restore(core, (struct fb_str){piece.p, piece.n}, &err)) {
            fb_core_restored(core, clock_us);
            fb_core_finish(core, 200 * S);
        } else {
            refused++;
        }
        piece.p[i] ^= (char)0xa5;
        f->outputs.n = 0;
        fb_core_free(core);
    }
    assert_in_range(refused, piece.n / 4, piece.n);
    fb_buf_free(&piece);
}

/* Another program, from the next record on. */
static inline void change_to_behind(struct fixture *f, const char *declarations,
                                    const char *rules) {
    const struct fb_program *before = f->programs[f->n - 1].program;
    struct fb_migration *migration =
        fb_migration_new(before, compile_behind(f, declarations, rules));
    fb_core_change_program(f->core, migration);
    fb_migration_free(migration);
}

#endif
