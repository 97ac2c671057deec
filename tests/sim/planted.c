/* Each planted bug in turn: which seed shows it, and by which invariant. */
#include "tests/sim/planted.h"

#include <stdio.h>

enum fb_planted_bug fb_planted;

#define TEXT(name, text) {#name, text},
static const struct {
    const char *name, *text;
} bugs[FB_BUGS] = {{"NO_BUG", "none"}, FB_PLANTED_BUGS_X(TEXT)};

bool sim_table_of_bugs(const struct sim_bundles *bundles, unsigned long long seeds, int only) {
    unsigned missed = 0, n = 0;
    printf("| bug | what is wrong | seed | invariant |\n|---|---|---|---|\n");
    for (int bug = 1; bug < FB_BUGS; bug++) {
        if (only && bug != only)
            continue;
        struct sim_result result = {0};
        unsigned long long seed = 0;
        n++;
        while (!result.violation && seed < seeds) {
            struct sim_options options = {
                .seed = ++seed,
                .faults = 20,
                .least = bug >= FB_BUG_POSITIONS_FIRST, /* they can be seen only there */
                .bug = (enum fb_planted_bug)bug};
            result = sim_run(&options, bundles);
            fb_buf_free(&result.tail);
        }
        missed += !result.violation;
        if (result.violation)
            printf("| %s | %s | %llu | %s |\n", bugs[bug].name, bugs[bug].text, seed,
                   result.violation);
        else
            printf("| %s | %s | MISSED in %llu | |\n", bugs[bug].name, bugs[bug].text, seeds);
        if (only)
            printf("%s\n", result.text);
        fflush(stdout);
    }
    printf("%u bugs, %u missed\n", n, missed);
    return missed == 0;
}
