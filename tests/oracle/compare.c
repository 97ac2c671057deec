/* compare: random cases through the product and the reference interpreter, side by side.
 *
 * Place in the flow: the oracle tests run it over fixed seeds. Everything must be equal: which
 * alerts and events come, in which order, with which values, to the bit. */
#include "tests/oracle/generate.h"
#include "tests/oracle/run_both.h"
#include "tests/oracle/shrink.h"

#include <argp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    uint64_t from, to;
    bool shrink, statistics, print, all;
};

struct totals {
    uint64_t seeds, differing, refused, with_alerts, with_outputs, with_commands, with_calls,
        with_modes, linked, with_woken;
    struct run_counts counts;
    struct ora_usage usage[512];
    uint32_t n_usage;
    struct ora_moves moves;
};

/* Of the running seed, for the handler that names it when the product or the interpreter aborts. */
static char running[64];
static struct totals totals;

static void on_abort(int signal_number) {
    (void)signal_number;
    ssize_t ignored = write(STDERR_FILENO, running, strlen(running));
    (void)ignored;
}

static void add_usage(const struct ora *o) {
    uint32_t n;
    const struct ora_usage *usage = ora_usage(o, &n);
    for (uint32_t i = 0; i < n && i < 512; i++) {
        if (totals.n_usage <= i) {
            totals.usage[i].name = strdup(usage[i].name);
            totals.n_usage = i + 1;
        }
        totals.usage[i].evaluated += usage[i].evaluated;
        totals.usage[i].known += usage[i].known;
        totals.usage[i].truths += usage[i].truths;
    }
    struct ora_moves moves = ora_moves(o);
    totals.moves.begun += moves.begun;
    totals.moves.went += moves.went;
    totals.moves.by_time += moves.by_time;
    totals.moves.stayed += moves.stayed;
    totals.with_modes += moves.begun > 0;
    totals.moves.woken += moves.woken;
    totals.with_woken += moves.woken > 0;
    totals.moves.samples += moves.samples;
}

static void add_counts(const struct run_counts *counts) {
    totals.counts.muted += counts->muted;
    totals.counts.unmuted += counts->unmuted;
    totals.counts.of_groups += counts->of_groups;
    totals.counts.raised += counts->raised;
    totals.counts.severity += counts->severity;
    totals.counts.cleared += counts->cleared;
    totals.counts.events += counts->events;
    totals.counts.late += counts->late;
    totals.counts.future += counts->future;
    totals.counts.commands += counts->commands;
    totals.counts.blocks += counts->blocks;
    for (int i = 0; i <= FB_REASON_SLEW; i++)
        totals.counts.reasons[i] += counts->reasons[i];
    for (int i = 0; i < FB_GUARDS; i++)
        totals.counts.guards[i] += counts->guards[i];
    uint64_t calls = 0;
    for (int i = 0; i < FB_CALLS; i++)
        for (int k = 0; k <= FB_CALL_NOT_IN_MAINTENANCE; k++) {
            totals.counts.calls[i][k] += counts->calls[i][k];
            calls += counts->calls[i][k];
        }
    totals.with_calls += calls > 0;
    totals.with_commands += counts->commands > 0;
    totals.with_alerts += counts->raised > 0;
    totals.with_outputs += counts->raised + counts->events > 0;
}

static void print_side(const char *name, const struct run_lines *lines, size_t i) {
    if (i < lines->n)
        printf("  %s %.*s\n", name, FB_ARG(lines->items[i]));
    else
        printf("  %s (nothing)\n", name);
}

static void print_difference(const struct run_result *result) {
    size_t at = result->first_difference, start = at > 3 ? at - 3 : 0;
    printf("outputs: product %zu, reference %zu; the first difference is number %zu\n",
           result->product.n, result->oracle.n, at);
    for (size_t i = start; i < at; i++)
        print_side("same     ", &result->product, i);
    for (size_t i = at; i < at + 3; i++) {
        print_side("product  ", &result->product, i);
        print_side("reference", &result->oracle, i);
    }
}

static void print_case(const struct gen_case *c) {
    struct fb_buf text = {0};
    gen_print_rules(c, &text);
    fb_buf_char(&text, '\n');
    gen_print_events(c, &text);
    fwrite(text.p, 1, text.n, stdout);
    fb_buf_free(&text);
}

static void report(struct gen_case *c, uint64_t seed, struct run_result *result, bool shrink) {
    printf("\n=== seed %" PRIu64 ": product and reference differ\n", seed);
    if (shrink) {
        shrink_case(c);
        run_result_free(result);
        run_case(c, result, NULL);
    }
    print_case(c);
    print_difference(result);
    fflush(stdout);
}

static void run_seed(uint64_t seed, const struct options *options) {
    struct run_result result;
    struct gen_case *c = gen_case_new(seed);
    snprintf(running, sizeof running, "\nstopped in seed %" PRIu64 "\n", seed);
    if (options->print)
        print_case(c);
    fflush(stdout);
    run_case(c, &result, add_usage);
    totals.seeds++;
    totals.linked += result.compiled && c->linked;
    if (!result.compiled) {
        totals.refused++;
        if (options->all) {
            print_case(c);
            printf("=== seed %" PRIu64 " is refused:\n%s", seed,
                   fb_buf_terminated(&result.diagnostics));
        }
    } else {
        add_counts(&result.counts);
        for (size_t i = 0; options->print && i < result.oracle.n; i++)
            printf("%.*s\n", FB_ARG(result.oracle.items[i]));
        if (result.first_difference != SIZE_MAX) {
            if (totals.differing++ == 0 || options->all)
                report(c, seed, &result, options->shrink);
            else
                printf("seed %" PRIu64 " differs too\n", seed);
        }
    }
    run_result_free(&result);
    gen_case_free(c);
}

static void print_statistics(void) {
    const struct run_counts *counts = &totals.counts;
    printf("%" PRIu64 " seeds: %" PRIu64 " differ, %" PRIu64 " refused by the checker, %" PRIu64
           " with alerts, %" PRIu64 " with alerts or events\n",
           totals.seeds, totals.differing, totals.refused, totals.with_alerts, totals.with_outputs);
    printf("not annunciated %" PRIu64 ", unshelved or unsuppressed %" PRIu64 "\n", counts->muted,
           counts->unmuted);
    printf("raised %" PRIu64 ", severity %" PRIu64 ", cleared %" PRIu64 ", events %" PRIu64
           ", late %" PRIu64 ", future %" PRIu64 "\n",
           counts->raised, counts->severity, counts->cleared, counts->events, counts->late,
           counts->future);
    printf("commands %" PRIu64 " in %" PRIu64 " seeds:", counts->commands, totals.with_commands);
    for (int i = 0; i <= FB_REASON_SLEW; i++)
        printf(" %s %" PRIu64, fb_command_reason_name((enum fb_command_reason)i),
               counts->reasons[i]);
    printf("; blocks %" PRIu64 ":", counts->blocks);
    for (int i = 0; i < FB_GUARDS; i++)
        printf(" %s %" PRIu64, fb_guard_name((enum fb_guard)i), counts->guards[i]);
    printf("\nmodes of devices begun %" PRIu64 " in %" PRIu64 " seeds, went %" PRIu64
           ", of these by a deadline %" PRIu64 ", kept by `stay` %" PRIu64 "\n",
           totals.moves.begun, totals.with_modes, totals.moves.went, totals.moves.by_time,
           totals.moves.stayed);
    printf("seeds with links and groups %" PRIu64 ", conditions woken by other devices %" PRIu64
           " in %" PRIu64 " seeds, outputs of rules on groups %" PRIu64
           ", samples that read others %" PRIu64 "\n",
           totals.linked, totals.moves.woken, totals.with_woken, counts->of_groups,
           totals.moves.samples);
}

static void print_calls(void) {
    printf("calls in %" PRIu64 " seeds:\n", totals.with_calls);
    for (int i = 0; i < FB_CALLS; i++) {
        const uint64_t *outcomes = totals.counts.calls[i];
        printf("  %-11s accepted %" PRIu64, fb_call_name((enum fb_call_kind)i),
               outcomes[FB_CALL_ACCEPTED]);
        for (int k = FB_CALL_ACCEPTED + 1; k <= FB_CALL_NOT_IN_MAINTENANCE; k++)
            if (outcomes[k] > 0)
                printf("; %" PRIu64 ": %s", outcomes[k],
                       fb_call_outcome_text((enum fb_call_outcome)k));
        printf("\n");
    }
}

static void print_usage(void) {
    printf("%-18s %12s %12s %12s\n", "expression", "evaluated", "known", "true");
    for (uint32_t i = 0; i < totals.n_usage; i++)
        printf("%-18s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n", totals.usage[i].name,
               totals.usage[i].evaluated, totals.usage[i].known, totals.usage[i].truths);
}

static error_t take_option(int key, char *value, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case 's':
        if (sscanf(value, "%" SCNu64 "..%" SCNu64, &options->from, &options->to) != 2)
            argp_error(state, "--seeds wants FROM..TO");
        return 0;
    case 'n':
        options->from = strtoull(value, NULL, 10);
        options->to = options->from + 1;
        return 0;
    case 'k':
        options->shrink = true;
        return 0;
    case 't':
        options->statistics = true;
        return 0;
    case 'p':
        options->print = true;
        return 0;
    case 'a':
        options->all = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option option_list[] = {
    {"seeds", 's', "FROM..TO", 0, "Seeds to run, TO exclusive", 0},
    {"seed", 'n', "N", 0, "One seed", 0},
    {"shrink", 'k', NULL, 0, "Make the differing case small before printing it", 0},
    {"statistics", 't', NULL, 0, "Print how often each expression was evaluated, known, true", 0},
    {"print", 'p', NULL, 0, "Print each case and the reference's outputs", 0},
    {"all", 'a', NULL, 0, "Report all differing and refused seeds, not only the first", 0},
    {0}};

/* FB_TORTURE=N runs N times as many seeds, at least twenty times. */
static void stretch(struct options *options) {
    const char *torture = getenv("FB_TORTURE");
    uint64_t times = torture == NULL ? 1 : strtoull(torture, NULL, 10);
    if (torture != NULL && times < 20)
        times = 20;
    uint64_t n = options->to - options->from;
    options->from *= times;
    options->to = options->from + n * times;
}

int main(int argc, char **argv) {
    struct options options = {.from = 0, .to = 500};
    const struct argp parser = {
        option_list,
        take_option,
        NULL,
        "Random rules and events through the product and the reference interpreter.\v"
        "Example: compare --seeds 0..500 --shrink",
        NULL,
        NULL,
        NULL};
    argp_parse(&parser, argc, argv, 0, NULL, &options);
    if (options.to - options.from > 1)
        stretch(&options);
    signal(SIGABRT, on_abort);
    for (uint64_t seed = options.from; seed < options.to; seed++)
        run_seed(seed, &options);
    print_statistics();
    print_calls();
    if (options.statistics)
        print_usage();
    printf("torture: compare cases=%" PRIu64 " violations=%" PRIu64 " seeds=%" PRIu64 "..%" PRIu64
           "\n",
           totals.seeds, totals.differing, options.from, options.to - 1);
    /* An empty comparison, or one of files that the checker refuses, proves nothing. */
    const struct run_counts *counts = &totals.counts;
    bool empty =
        totals.seeds >= 100 &&
        (totals.with_outputs * 2 < totals.seeds || totals.refused * 50 > totals.seeds ||
         totals.with_commands * 5 < totals.seeds || totals.with_woken * 10 < totals.seeds ||
         counts->of_groups == 0 || totals.moves.samples == 0);
    for (int i = 0; i < FB_CALLS; i++)
        empty |= totals.seeds >= 1000 && totals.counts.calls[i][FB_CALL_ACCEPTED] == 0;
    if (empty)
        printf("too few cases were compiled, gave outputs or took calls\n");
    return totals.differing > 0 || empty;
}
