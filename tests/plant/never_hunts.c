/* never_hunts [--doc FILE] [--restart SECONDS] [--random N | --rules N | --changes N]: runs every
 * loop with guardrails and without, prints the table, and fails where a loop with them broke a
 * limit, where too few without them did, or where FILE holds another table. --restart: so often the
 * engine's core is another one, restored from a snapshot; the table must be the same. --random runs
 * N loops more with random limits. --rules prints the texts of a loop, --changes its course.
 *
 * Place in the flow: a test, and what docs/never-hunts.md is made of. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"
#include "tests/plant/judge.h"

enum { LEAST_LOOPS = 40, LEAST_BROKEN_PERCENT = 75 };

struct result {
    struct judgement judgement;
    struct loop_courses courses;
};

static void run_one(uint32_t loop, uint32_t guards, int64_t restart_us, struct result *result) {
    struct loop_setup setup;
    struct loop_limits limits;
    struct fb_buf rules = {0}, complaint = {0};
    loops_setup(loop, &setup, &limits);
    setup.restart_us = restart_us;
    loops_rules(loop, guards, &rules);
    if (!loop_run(fb_buf_terminated(&rules), &setup, &result->courses, &complaint)) {
        fprintf(stderr, "never_hunts: the rules of loop %u with guardrails %x:\n%s\n%.*s", loop + 1,
                guards, rules.p, (int)complaint.n, complaint.p);
        exit(1);
    }
    result->judgement = judge_all(&result->courses, &limits, &setup);
    fb_buf_free(&rules);
    fb_buf_free(&complaint);
}

struct counts {
    uint32_t blocks, lapses;
};

static struct counts counts_of(const struct loop_courses *courses) {
    struct counts counts = {0};
    for (uint32_t m = 0; m < LOOP_MACHINES_MAX; m++) {
        for (uint32_t a = 0; a < LOOP_ACTS_MAX; a++) {
            counts.blocks += courses->of[m][a].blocks;
            counts.lapses += courses->of[m][a].lapses;
        }
    }
    return counts;
}

static const char *const broken_names[] = {"hunts",     "too short", "starts",  "slew",
                                           "not safe",  "rivals",    "stale",   "maximum",
                                           "not tried", "rate",      "commands"};

static const char *first_broken(uint32_t broken) {
    for (uint32_t i = 0; i < sizeof(broken_names) / sizeof(*broken_names); i++)
        if (broken >> i & 1)
            return broken_names[i];
    return "keeps them";
}

static void print_seconds(struct fb_buf *out, int64_t us) {
    if (us < 0)
        fb_buf_printf(out, " %6s", "-");
    else
        fb_buf_printf(out, " %5" PRId64 "s", us / 1000000);
}

static void print_side(struct fb_buf *out, const struct result *result) {
    const struct judgement *j = &result->judgement;
    fb_buf_printf(out, " | %5u %4u", j->reversals, j->most_reversals);
    print_seconds(out, j->shortest_us);
    print_seconds(out, j->to_safe_us);
    fb_buf_printf(out, " %-10s", first_broken(j->broken));
}

static void print_row(struct fb_buf *out, uint32_t loop, const struct result sides[2]) {
    const struct loop_names names = loops_names(loop);
    struct loop_setup setup;
    struct loop_limits limits;
    loops_setup(loop, &setup, &limits);
    fb_buf_printf(out, "%2u %-10s %3us %-6s %-14s %-12s %5u", loop + 1, names.plant, names.dead_s,
                  names.sensor, names.fault, names.rules, limits.reversals);
    print_side(out, &sides[0]);
    print_side(out, &sides[1]);
    const struct counts counts = counts_of(&sides[1].courses);
    fb_buf_printf(out, " %6u %6u\n", counts.blocks, counts.lapses);
}

static void print_head(struct fb_buf *out) {
    fb_buf_printf(out, "%57s | %-34s | %-34s\n", "", "without guardrails", "with guardrails");
    fb_buf_printf(out, "%2s %-10s %4s %-6s %-14s %-12s %5s", "no", "plant", "dead", "sensor",
                  "fault", "rules", "limit");
    for (int side = 0; side <= 1; side++)
        fb_buf_printf(out, " | %5s %4s %6s %6s %-10s", "turns", "most", "least", "safe", "limits");
    fb_buf_printf(out, " %6s %6s\n", "blocks", "lapses");
}

static void print_rate(struct fb_buf *out, uint32_t limit, int64_t us, uint32_t without,
                       uint32_t with) {
    if (limit > 0)
        fb_buf_printf(out, " | %2u in %3" PRId64 "m %7u %4u", limit, us / 60000000, without, with);
    else
        fb_buf_printf(out, " | %9s %7s %4s", "-", "-", "-");
}

static uint32_t rates_of(const struct loop_limits *limits) {
    return (limits->rate > 0 ? BROKE_RATE : 0) | (limits->commands > 0 ? BROKE_COMMANDS : 0);
}

/* False: it keeps to a rate without guardrails, so it tries nothing, or does not with them. */
static bool run_rate(uint32_t loop, int64_t restart_us, struct fb_buf *out) {
    struct loop_setup setup;
    struct loop_limits limits;
    struct judgement sides[2];
    loops_setup(loop, &setup, &limits);
    for (int guarded = 0; guarded <= 1; guarded++) {
        struct result result;
        run_one(loop, guarded ? GUARDS_ALL : 0, restart_us, &result);
        sides[guarded] = result.judgement;
        loop_free(&result.courses);
    }
    fb_buf_printf(out, "%2u %-10s %8u %5u %-10s", loop + 1, loops_names(loop).plant, setup.machines,
                  setup.acts, loops_names(loop).rules);
    print_rate(out, limits.rate, limits.rate_us, sides[0].most_of_rule, sides[1].most_of_rule);
    print_rate(out, limits.commands, limits.commands_us, sides[0].most_of_all,
               sides[1].most_of_all);
    fb_buf_printf(out, "\n");
    const uint32_t rates = rates_of(&limits);
    return (sides[0].broken & rates) == rates && (sides[1].broken & rates) == 0;
}

/* Of the loops that limit how often rules act: most in one window. */
static bool run_rates(int64_t restart_us, struct fb_buf *out) {
    bool ok = true;
    fb_buf_printf(out, "%39s | %-22s | %-22s\n", "", "of one rule on one", "of all on all");
    fb_buf_printf(out, "%2s %-10s %8s %5s %-10s", "no", "plant", "machines", "each", "rules");
    for (int i = 0; i < 2; i++)
        fb_buf_printf(out, " | %9s %7s %4s", "limit", "without", "with");
    fb_buf_printf(out, "\n");
    for (uint32_t loop = 0; loop < loops_count(); loop++) {
        struct loop_setup setup;
        struct loop_limits limits;
        loops_setup(loop, &setup, &limits);
        if (rates_of(&limits) != 0)
            ok = run_rate(loop, restart_us, out) && ok;
    }
    return ok;
}

/* What each guardrail is worth: without it alone, so many loops break a limit. Those at the end may
 * break none: others do their work. False: one of the first breaks none, so it was not tried. */
static bool run_without_one(int64_t restart_us, struct fb_buf *out) {
    static const struct {
        uint32_t guard;
        const char *name;
        bool needed;
    } guards[] = {{GUARD_MINIMUM, "minimum", true},     {GUARD_STARTS, "starts", true},
                  {GUARD_BREAKER, "breaker", true},     {GUARD_SLEW, "slew", true},
                  {GUARD_INTERLOCK, "interlock", true}, {GUARD_RATE, "rate", true},
                  {GUARD_COMMANDS, "commands", true},   {GUARD_STEPS, "ignore steps", false},
                  {GUARD_UNTIL, "until and for", false}};
    bool ok = true;
    for (size_t i = 0; i < sizeof(guards) / sizeof(*guards); i++) {
        uint32_t broken = 0, turns = 0;
        for (uint32_t loop = 0; loop < loops_count(); loop++) {
            struct result result;
            run_one(loop, GUARDS_ALL & ~guards[i].guard, restart_us, &result);
            broken += result.judgement.broken != 0;
            turns += result.judgement.reversals;
            loop_free(&result.courses);
        }
        fb_buf_printf(out, "without %-13s alone %2u break a limit, %5u turns in all\n",
                      guards[i].name, broken, turns);
        ok = ok && (broken > 0 || !guards[i].needed);
    }
    return ok;
}

/* Whether all loops kept to what they must; the table is appended to out. */
static bool run_all(int64_t restart_us, struct fb_buf *out) {
    const uint32_t n = loops_count();
    uint32_t broken[2] = {0}, turns[2] = {0};
    print_head(out);
    for (uint32_t loop = 0; loop < n; loop++) {
        struct result sides[2];
        for (int guarded = 0; guarded <= 1; guarded++) {
            run_one(loop, guarded ? GUARDS_ALL : 0, restart_us, &sides[guarded]);
            broken[guarded] += sides[guarded].judgement.broken != 0;
            turns[guarded] += sides[guarded].judgement.reversals;
        }
        print_row(out, loop, sides);
        loop_free(&sides[0].courses);
        loop_free(&sides[1].courses);
    }
    fb_buf_printf(out,
                  "of %u loops %u break a limit without guardrails, %u with them; "
                  "turns in all %u and %u\n",
                  n, broken[0], broken[1], turns[0], turns[1]);
    const bool each_needed = run_without_one(restart_us, out);
    const bool rates_needed = run_rates(restart_us, out);
    return each_needed && rates_needed && n >= LEAST_LOOPS && broken[1] == 0 &&
           broken[0] * 100 >= n * LEAST_BROKEN_PERCENT;
}

static bool doc_holds(const char *path, const struct fb_buf *table) {
    struct fb_buf text = {0};
    char piece[4096];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;)
        fb_buf_put(&text, piece, n);
    fclose(file);
    const bool holds = text.n >= table->n && memmem(text.p, text.n, table->p, table->n) != NULL;
    fb_buf_free(&text);
    if (!holds)
        fprintf(stderr, "never_hunts: %s holds another table than the one above; put that one in\n",
                path);
    return holds;
}

/* Random loops with guardrails, behind those of the table. */
static bool run_random(uint32_t n, int64_t restart_us) {
    uint32_t broken = 0, turns = 0, blocks = 0;
    for (uint32_t loop = loops_count(); loop < loops_count() + n; loop++) {
        struct result result;
        run_one(loop, GUARDS_ALL, restart_us, &result);
        const struct loop_names names = loops_names(loop);
        /* A random loop may stay safe, so that its fault does not begin. */
        const uint32_t what = result.judgement.broken & ~(uint32_t)BROKE_NOTHING_TRIED;
        if (what != 0)
            printf("%u %s, %us, %s, %s, %s: %s\n", loop + 1, names.plant, names.dead_s,
                   names.sensor, names.fault, names.rules, first_broken(what));
        broken += what != 0;
        turns += result.judgement.reversals;
        blocks += counts_of(&result.courses).blocks;
        loop_free(&result.courses);
    }
    printf("of %u random loops %u break a limit; %u turns, %u blocks\n", n, broken, turns, blocks);
    printf("torture: plants cases=%u violations=%u seeds=%u..%u\n", n, broken, loops_count() + 1,
           loops_count() + n);
    return broken == 0 && turns > n && blocks > n;
}

static void show_rules(uint32_t loop) {
    struct fb_buf rules = {0};
    for (int guarded = 0; guarded <= 1; guarded++) {
        fb_buf_printf(&rules, "# %s guardrails\n", guarded ? "with" : "without");
        loops_rules(loop, guarded ? GUARDS_ALL : 0, &rules);
    }
    fwrite(rules.p, 1, rules.n, stdout);
    fb_buf_free(&rules);
}

static void show_course(const struct loop_course *course) {
    printf("  spell from %" PRId64 "s, x from %g to %g, %u commands, %u blocks\n",
           course->spell_from_us / 1000000, course->least, course->most, course->commands,
           course->blocks);
    for (uint32_t i = 0; i < course->n_changes; i++)
        printf("%9.1fs %g %04x%s\n", (double)course->changes[i].at_us / 1e6,
               course->changes[i].value, (unsigned)(course->changes[i].winner & 0xffff),
               course->changes[i].lapsed ? " lapsed" : "");
}

static void show_changes(uint32_t loop, int64_t restart_us) {
    for (int guarded = 0; guarded <= 1; guarded++) {
        struct result result;
        run_one(loop, guarded ? GUARDS_ALL : 0, restart_us, &result);
        for (uint32_t m = 0; m < LOOP_MACHINES_MAX; m++) {
            for (uint32_t a = 0; a < LOOP_ACTS_MAX; a++) {
                if (result.courses.of[m][a].n_changes == 0)
                    continue;
                printf("%s guardrails, p%u, actuator %u:\n", guarded ? "with" : "without", m + 1,
                       a + 1);
                show_course(&result.courses.of[m][a]);
            }
        }
        loop_free(&result.courses);
    }
}

int main(int argc, char **argv) {
    struct fb_buf table = {0};
    const char *doc = NULL;
    int64_t restart_us = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        const uint32_t number = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--doc") == 0) {
            doc = argv[i + 1];
        } else if (strcmp(argv[i], "--restart") == 0) {
            restart_us = number * INT64_C(1000000);
        } else if (strcmp(argv[i], "--random") == 0) {
            return run_random(number, restart_us) ? 0 : 1;
        } else if (strcmp(argv[i], "--rules") == 0 && number > 0) {
            show_rules(number - 1);
            return 0;
        } else if (strcmp(argv[i], "--changes") == 0 && number > 0) {
            show_changes(number - 1, restart_us);
            return 0;
        } else {
            fprintf(stderr, "never_hunts: `%s %s` is not understood\n", argv[i], argv[i + 1]);
            return 2;
        }
    }
    bool ok = run_all(restart_us, &table);
    fwrite(table.p, 1, table.n, stdout);
    fflush(stdout);
    if (!ok)
        fprintf(stderr, "never_hunts: a loop with guardrails broke a limit, or too few without "
                        "them did; --rules N and --changes N show one\n");
    if (doc != NULL)
        ok = doc_holds(doc, &table) && ok;
    fb_buf_free(&table);
    return ok ? 0 : 1;
}
