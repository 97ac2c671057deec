/* The fault simulator: seeds in, violated invariants out.
 *
 * usage: sim --seeds A..B [--faults N] [--at-least-once] [--twice] [--print] [--trace FILE] [--log]
 *        sim_planted --bugs SEEDS [--bug N] [--seeds A..B ..] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/log.h"
#include "tests/sim/engine.h"
#include "tests/sim/planted.h"
#include "tests/sim/run.h"

struct wishes {
    unsigned long long from, to;
    int faults;
    unsigned long long bug_seeds;
    int bug;
    bool twice, print, log, least;
    const char *trace;
};

static bool parse(int argc, char **argv, struct wishes *wishes) {
    *wishes = (struct wishes){.from = 1, .to = 100, .faults = -1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--seeds") == 0 &&
            sscanf(value, "%llu..%llu", &wishes->from, &wishes->to) == 2)
            i++;
        else if (strcmp(argv[i], "--faults") == 0 && sscanf(value, "%d", &wishes->faults) == 1)
            i++;
#ifdef FB_PLANTED_BUGS
        else if (strcmp(argv[i], "--bugs") == 0 && sscanf(value, "%llu", &wishes->bug_seeds) == 1)
            i++;
        else if (strcmp(argv[i], "--bug") == 0 && sscanf(value, "%d", &wishes->bug) == 1)
            i++;
#endif
        else if (strcmp(argv[i], "--trace") == 0 && *value)
            wishes->trace = argv[++i];
        else if (strcmp(argv[i], "--at-least-once") == 0)
            wishes->least = true;
        else if (strcmp(argv[i], "--twice") == 0)
            wishes->twice = true;
        else if (strcmp(argv[i], "--print") == 0)
            wishes->print = true;
        else if (strcmp(argv[i], "--log") == 0)
            wishes->log = true;
        else
            return false;
    }
    return wishes->from <= wishes->to;
}

struct sums {
    unsigned long long seeds, faults, restarts, records, outputs, commits, snapshots, buried,
        withheld, limited, opened, violations;
};

static void add(struct sums *sums, const struct sim_result *result) {
    sums->seeds++;
    sums->faults += (unsigned)result->faults;
    sums->restarts += (unsigned)result->restarts;
    sums->records += result->records;
    sums->outputs += result->outputs;
    sums->commits += result->commits;
    sums->snapshots += result->snapshots;
    sums->buried += result->buried;
    sums->withheld += result->withheld;
    sums->limited += result->limited;
    sums->opened += result->opened;
    sums->violations += result->violation != NULL;
}

static bool run_seed(unsigned long long seed, const struct wishes *wishes,
                     const struct sim_bundles *bundles, FILE *trace, struct sums *sums) {
    struct sim_options options = {.seed = seed,
                                  .faults = wishes->faults,
                                  .least = wishes->least,
                                  .trace = trace,
                                  .bug = (enum fb_planted_bug)wishes->bug};
    struct sim_result result = sim_run(&options, bundles);
    bool ok = !result.violation;
    add(sums, &result);
    if (!ok)
        printf("seed %llu: %s violated: %s\n%s", seed, result.violation, result.text,
               fb_buf_terminated(&result.tail));
    else if (wishes->print)
        printf("seed %llu: %d faults, %u records, %u outputs, %u commits, %u snapshots, %016llx\n",
               seed, result.faults, result.records, result.outputs, result.commits,
               result.snapshots, (unsigned long long)result.trace_hash);
    if (wishes->twice) {
        struct sim_result second = sim_run(&options, bundles);
        if (second.trace_hash != result.trace_hash) {
            printf("seed %llu: two runs differ: %016llx and %016llx\n", seed,
                   (unsigned long long)result.trace_hash, (unsigned long long)second.trace_hash);
            ok = false;
        }
        fb_buf_free(&second.tail);
    }
    fb_buf_free(&result.tail);
    fflush(stdout);
    return ok;
}

int main(int argc, char **argv) {
    struct wishes wishes;
    struct sim_bundles bundles;
    struct sums sums = {0};
    if (!parse(argc, argv, &wishes)) {
        fprintf(stderr, "usage: sim --seeds A..B [--faults N] [--twice] [--print] [--trace FILE] "
                        "[--log]\n");
        return 2;
    }
    /* Every trouble is logged; here it is wanted only by those who look at one seed. */
    fb_log_setup(wishes.log ? FB_LOG_DEBUG : FB_LOG_ERROR, false);
    if (!wishes.log && !freopen("/dev/null", "w", stderr))
        return 3;
    FILE *trace = wishes.trace ? fopen(wishes.trace, "w") : NULL;
    if (!sim_bundles_make(&bundles) || (wishes.trace && !trace))
        return 3;
#ifdef FB_PLANTED_BUGS
    if (wishes.bug_seeds) {
        bool all = sim_table_of_bugs(&bundles, wishes.bug_seeds, wishes.bug);
        sim_files_end();
        return all ? 0 : 1;
    }
#endif
    bool ok = true;
    for (unsigned long long seed = wishes.from; seed <= wishes.to; seed++)
        ok &= run_seed(seed, &wishes, &bundles, trace, &sums);
    printf("%llu seeds, %llu faults, %llu starts, %llu records, %llu outputs, %llu commits, "
           "%llu snapshots, %llu records put aside, %llu commands withheld, "
           "%llu within limits, %llu breakers of fleets: %llu violations\n",
           sums.seeds, sums.faults, sums.restarts, sums.records, sums.outputs, sums.commits,
           sums.snapshots, sums.buried, sums.withheld, sums.limited, sums.opened, sums.violations);
    printf("torture: sim cases=%llu faults=%llu violations=%llu seeds=%llu..%llu\n", sums.seeds,
           sums.faults, sums.violations, wishes.from, wishes.to);
    if (trace)
        fclose(trace);
    sim_bundles_free(&bundles);
    sim_files_end();
    return ok ? 0 : 1;
}
