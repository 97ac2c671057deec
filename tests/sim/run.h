/* One seed from beginning to end: processes with real workers, faults, then quiet, then the checks.
 *
 * Place in the flow: tests/sim/sim calls it for each seed. */
#ifndef FB_SIM_RUN_H
#define FB_SIM_RUN_H

#include "engine/base/planted.h"
#include "engine/run/bundle.h"
#include "tests/sim/world.h"

#include <stdio.h>

struct sim_options {
    uint64_t seed;
    int faults;              /* -1: as the seed says */
    bool least;              /* at least once, whatever the seed says */
    FILE *trace;             /* NULL: none */
    enum fb_planted_bug bug; /* only in the build that has them */
};

struct sim_result {
    uint64_t trace_hash;
    int faults, restarts;
    uint32_t records, outputs, commits, snapshots, buried, withheld;
    uint32_t limited, opened; /* commands that a limit was asked about; breakers of fleets */
    const char *violation; /* "I1" ..; NULL: none */
    char text[1024];
    struct fb_buf tail; /* the last lines of the trace; the caller's to free */
};

/* The compiled rules for 1 and 2 topics, each in its variants; made once, shared by all seeds. */
struct sim_bundles {
    struct fb_bundle *of[3][SIM_RULES];
    struct fb_bundle *least[3]; /* of at least once */
};
bool sim_bundles_make(struct sim_bundles *bundles);
void sim_bundles_free(struct sim_bundles *bundles);

struct sim_result sim_run(const struct sim_options *options, const struct sim_bundles *bundles);

#endif
