/* Rule tests: the `test` blocks of rule files, run on the same core as everything else.
 *
 * Place in the flow: series and records -> file clock -> core -> compared with what is expected. */
#ifndef FB_RUN_RULE_TEST_H
#define FB_RUN_RULE_TEST_H

#include "engine/base/err.h"
#include "engine/model/output.h"
#include "engine/model/program.h"
#include "rules/check.h"

/* One line of a test's report: an expectation, what came, or both where they belong together. */
struct fb_rule_test_line {
    int64_t at_us;          /* from the test's start; FB_NO_TIME: the expectation names no time */
    struct fb_str expected; /* empty: it came unexpected */
    struct fb_str actual;   /* empty: it did not come */
    struct fb_str why;      /* where what came is nearly what was expected: what differs */
    bool wrong;
    uint32_t order; /* among lines of one time: expectations as written, then what else came */
};

struct fb_rule_test_result {
    bool passed;
    struct fb_err err; /* the test could not be run at all; kind FB_NO_FAILURE: it was */
    struct fb_rule_test_line *lines; /* in the order of time, those without one last */
    uint32_t n_lines;
    uint64_t records;
    uint64_t late, future; /* of these, refused as such */
};

/* Runs one test. The result's texts live in the arena. */
void fb_rule_test_run(const struct fb_program *program, const struct fb_checked *checked,
                      const struct fb_checked_test *test, struct fb_arena *arena,
                      struct fb_rule_test_result *result);

#endif
