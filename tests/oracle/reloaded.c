/* reloaded: other rules come in the middle of a series.
 *
 * Place in the flow: the oracle tests run it over random rules and events. The same rules must
 * change nothing, to the bit; a rule that comes or goes must change no output of the others; any
 * other rules must give a core that goes on, and whose snapshot can be restored. */
#include "tests/oracle/side.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/migrate.h"

struct program {
    struct fb_diags *diags;
    struct fb_compiled compiled;
    bool ok;
};

static void compile(struct program *program, const struct gen_case *c) {
    program->diags = fb_diags_new();
    program->ok = compile_case(c, program->diags, &program->compiled);
}

static void program_free(struct program *program) {
    fb_compiled_free(&program->compiled);
    fb_diags_free(program->diags);
}

struct totals {
    uint64_t same, added, reset, shadows, other, ended, outputs;
};

static void change(struct side *side, const struct fb_migration *migration) {
    fb_core_change_program(side->core, migration);
    side->program = migration->to;
}

static bool run_same(const struct gen_case *c, const struct program *full, size_t barrier,
                     struct totals *totals) {
    struct program again;
    struct input in = input_of(c, &full->compiled);
    struct side plain, changed;
    bool ok = true;
    compile(&again, c);
    struct fb_migration *migration =
        fb_migration_new(full->compiled.program, again.compiled.program);
    if (!fb_migration_keeps_all(migration) || migration->cells[FB_FATE_MIGRATE] ||
        migration->cells[FB_FATE_NEW] || migration->cells[FB_FATE_REMOVE]) {
        printf("the same rules have other cells\n");
        ok = false;
    }
    side_begin(&plain, &in);
    side_run_out(&plain, &in, 0);
    side_begin(&changed, &in);
    side_run(&changed, &in, 0, barrier);
    struct fb_hash128 before = fb_core_state_hash(changed.core);
    change(&changed, migration);
    ok &= same_hash(before, fb_core_state_hash(changed.core), "before and after the same rules");
    side_run_out(&changed, &in, barrier);
    ok &= same_bytes(side_outputs(&plain, 0), side_outputs(&changed, 0),
                     "with and without the same rules again");
    ok &= same_hash(fb_core_state_hash(plain.core), fb_core_state_hash(changed.core),
                    "at the end, with and without the same rules again");
    totals->same++;
    totals->outputs += plain.bytes.n;
    side_end(&plain);
    side_end(&changed);
    fb_migration_free(migration);
    program_free(&again);
    return ok;
}

/* From one of the two programs to the other, which differ by a rule: what the others put out. */
static bool run_change(const struct gen_case *c, const struct program *from,
                       const struct program *to, struct fb_str rule, size_t barrier,
                       bool real_only, const char *what, struct totals *totals) {
    struct input in = input_of(c, &from->compiled), after = input_of(c, &to->compiled);
    struct side plain, changed;
    bool ok = true;
    struct fb_migration *migration = fb_migration_new(from->compiled.program, to->compiled.program);
    if (!fb_migration_keeps_all(migration)) { /* a shared window that keeps something more now */
        totals->reset++;
        fb_migration_free(migration);
        return true;
    }
    side_begin(&plain, &after);
    plain.leave_out = rule;
    plain.real_only = real_only;
    side_run(&plain, &after, 0, barrier);
    side_begin(&changed, &in);
    changed.leave_out = rule;
    changed.real_only = real_only;
    side_run(&changed, &in, 0, barrier);
    change(&changed, migration);
    side_run_out(&plain, &after, barrier);
    side_run_out(&changed, &in, barrier);
    ok &= same_bytes(side_outputs(&plain, 0), side_outputs(&changed, 0), what);
    totals->added++;
    totals->outputs += plain.bytes.n;
    side_end(&plain);
    side_end(&changed);
    fb_migration_free(migration);
    return ok;
}

/* Of an alarm that commands the claims go with it, so others may be in force without it. */
static bool run_one_rule(struct gen_case *c, const struct program *full, size_t barrier,
                         struct totals *totals) {
    struct gen_rule *rule = &c->rules[gen_below(&c->random, c->n_rules)];
    struct program less;
    bool ok = true;
    if (rule->n_commands > 0)
        return true;
    rule->off = true;
    compile(&less, c);
    rule->off = false;
    if (less.ok) {
        ok = run_change(c, &less, full, rule->name, barrier, false, "with a rule more",
                        totals);
        ok &= run_change(c, full, &less, rule->name, barrier, false, "with a rule less",
                         totals);
        if (!ok)
            printf("rule %.*s, before event %zu\n", FB_ARG(rule->name), barrier);
    }
    program_free(&less);
    return ok;
}

static bool is_armed(const struct gen_control *control) {
    for (uint32_t i = 0; i < control->n_clauses; i++)
        if (memcmp(control->clauses[i]->text.p, "rollout ", 8) == 0)
            return memcmp(control->clauses[i]->text.p, "rollout shadow", 14) != 0;
    return false;
}

/* A control that is not armed comes or goes: no real command is another one (A6). What counts
 * decisions is, for these are decided at the change; so is what the wall clock holds back. */
static bool run_one_shadow(struct gen_case *c, const struct program *full, size_t barrier,
                           struct totals *totals) {
    struct gen_control *control = &c->controls[gen_below(&c->random, c->n_controls)];
    struct program less;
    bool ok = true;
    if (is_armed(control))
        return true;
    control->off = true;
    compile(&less, c);
    control->off = false;
    for (size_t i = 0; i < c->n_events; i++)
        c->events[i].wall_us = FB_NO_TIME;
    c->finish_wall_us = FB_NO_TIME;
    if (less.ok) {
        totals->shadows++;
        ok = run_change(c, &less, full, control->name, barrier, true, "with a shadow more", totals);
        ok &= run_change(c, full, &less, control->name, barrier, true, "with a shadow less",
                         totals);
        if (!ok)
            printf("control %.*s, before event %zu\n", FB_ARG(control->name), barrier);
    }
    program_free(&less);
    return ok;
}

/* The events begin when the clock is there: an `each` window has an end in every minute of the
 * years between two cases. */
static void move_to(struct gen_case *c, int64_t clock_us) {
    int64_t by_us = c->n_events && clock_us != FB_NO_TIME ? clock_us - c->events[0].clock_us : 0;
    for (size_t i = 0; i < c->n_events; i++) {
        c->events[i].clock_us += by_us;
        c->events[i].entry.ts_us += by_us;
        if (c->events[i].wall_us != FB_NO_TIME)
            c->events[i].wall_us += by_us;
        if (c->events[i].call != NULL)
            c->events[i].call->until_us += by_us;
    }
    c->finish_us += by_us;
    if (c->finish_wall_us != FB_NO_TIME)
        c->finish_wall_us += by_us;
}

/* The same devices, registered in another order. */
static void restore_backwards(struct side *twin, struct side *side) {
    enum { PIECES_MAX = 64 };
    struct fb_buf pieces[PIECES_MAX] = {{0}};
    struct fb_err err = {0};
    size_t n = 0;
    fb_core_snapshot_begin(side->core);
    while (fb_core_snapshot_next(side->core, n < PIECES_MAX - 1 ? 1 : SIZE_MAX / 2, &pieces[n]))
        n++;
    for (size_t i = n + 1; i-- > 0;) {
        if (!fb_core_restore(twin->core, (struct fb_str){pieces[i].p, pieces[i].n}, &err))
            printf("%s\n", err.text);
        fb_buf_free(&pieces[i]);
    }
    fb_core_restored(twin->core, side->clock_us);
}

/* Rules and events of another case from the barrier on. */
static bool run_other(const struct gen_case *c, const struct program *full, uint64_t seed,
                      size_t barrier, struct totals *totals) {
    struct gen_case *d = gen_case_new(seed);
    struct program other;
    bool ok = true;
    compile(&other, d);
    if (other.ok) {
        struct input in = input_of(c, &full->compiled);
        struct side changed, fresh;
        struct fb_buf piece = {0};
        struct fb_err err = {0};
        struct fb_migration *migration =
            fb_migration_new(full->compiled.program, other.compiled.program);
        side_begin(&changed, &in);
        side_run(&changed, &in, 0, barrier);
        struct side twin;
        side_begin(&twin, &in);
        restore_backwards(&twin, &changed);
        size_t at_barrier = changed.bytes.n;
        change(&changed, migration);
        change(&twin, migration);
        ok = same_bytes(side_outputs(&changed, at_barrier), side_outputs(&twin, 0),
                        "at the change, with devices in another order");
        ok &= same_hash(fb_core_state_hash(changed.core), fb_core_state_hash(twin.core),
                        "at the change, with devices in another order");
        totals->ended += twin.bytes.n > 0;
        side_end(&twin);
        move_to(d, changed.clock_us);
        struct input then = input_of(d, &other.compiled);
        then.max_skew_us = in.max_skew_us;
        then.max_lag_us = in.max_lag_us;
        side_begin(&fresh, &then);
        fb_core_snapshot_begin(changed.core);
        ok &= !fb_core_snapshot_next(changed.core, SIZE_MAX / 2, &piece);
        if (!fb_core_restore(fresh.core, (struct fb_str){piece.p, piece.n}, &err)) {
            printf("what other rules left can not be restored: %s\n", err.text);
            ok = false;
        }
        fb_core_restored(fresh.core, changed.clock_us);
        fresh.clock_us = changed.clock_us;
        size_t before = changed.bytes.n;
        side_run_out(&changed, &then, 0);
        side_run_out(&fresh, &then, 0);
        ok &= same_bytes(side_outputs(&changed, before), side_outputs(&fresh, 0),
                         "after other rules, restored");
        ok &= same_hash(fb_core_state_hash(changed.core), fb_core_state_hash(fresh.core),
                        "after other rules, restored");
        totals->other++;
        side_end(&changed);
        side_end(&fresh);
        fb_buf_free(&piece);
        fb_migration_free(migration);
    }
    program_free(&other);
    gen_case_free(d);
    return ok;
}

static bool run_seed(uint64_t seed, struct totals *totals) {
    struct gen_case *c = gen_case_new(seed);
    struct program full;
    bool ok = true;
    compile(&full, c);
    if (full.ok) {
        size_t barrier = c->n_events ? gen_next(&c->random) % c->n_events : 0;
        ok = run_same(c, &full, barrier, totals);
        ok &= run_one_rule(c, &full, barrier, totals);
        ok &= run_other(c, &full, seed + 1, barrier, totals);
        if (c->n_controls > 0)
            ok &= run_one_shadow(c, &full, barrier, totals);
    }
    if (!ok)
        printf("seed %" PRIu64 "\n", seed);
    program_free(&full);
    gen_case_free(c);
    return ok;
}

/* reloaded FROM TO: seeds FROM .. TO - 1. */
int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "reloaded FROM TO\n");
        return 2;
    }
    struct totals totals = {0};
    unsigned failed = 0;
    uint64_t from = strtoull(argv[1], NULL, 10), to = strtoull(argv[2], NULL, 10);
    for (uint64_t seed = from; seed < to; seed++)
        failed += !run_seed(seed, &totals);
    printf("%" PRIu64 " times the same rules, %" PRIu64 " a rule more or less (%" PRIu64
           " not, where it reset a window), %" PRIu64 " a control that is not armed, %" PRIu64
           " others, of which %" PRIu64 " ended alarms; %" PRIu64 " bytes of outputs\n",
           totals.same, totals.added, totals.reset, totals.shadows, totals.other, totals.ended,
           totals.outputs);
    bool all = totals.same > 0 && totals.added > 0 && totals.shadows > 0 && totals.ended > 0 &&
               totals.outputs > 0;
    printf("torture: reloaded cases=%" PRIu64 " violations=%u seeds=%" PRIu64 "..%" PRIu64 "\n",
           totals.same + totals.added + totals.other, failed, from, to - 1);
    return failed == 0 && all ? 0 : 1;
}
