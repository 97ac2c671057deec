/* What a rule test expects laid beside what came.
 *
 * Place in the flow: second half of a rule test: rule_test.c keeps what came, this compares. */
#ifndef FB_RUN_RULE_JUDGE_H
#define FB_RUN_RULE_JUDGE_H

#include "engine/model/output.h"
#include "engine/run/rule_test.h"

/* An alert, event or command that came, kept. */
struct fb_came {
    const struct fb_rule *rule; /* NULL: a command of the default */
    const struct fb_actuator *actuator; /* NULL: it is no command */
    double value, requested;            /* of a command */
    uint16_t class_index;
    bool is_event;
    enum fb_alert_event event;
    enum fb_severity severity;
    struct fb_str device, message;
    int64_t at_us;          /* from the test's start */
    struct fb_value *shown; /* as rule->shown; not of a command */
};

/* When an expectation wants it, from the test's start; FB_NO_TIME: at any time. */
int64_t fb_rule_judge_at(const struct fb_checked *checked, const struct fb_test_step *step);

/* Compares; `came` in the order of its coming. Fills passed, lines and n_lines of the result, in
 * the arena. An output that an `expect no` names is wrong and meets no expectation; of the others
 * each meets at most one, and they are dealt out so that as many expectations as possible are
 * met. */
void fb_rule_judge(const struct fb_checked *checked, const struct fb_checked_test *test,
                   const struct fb_came *came, uint32_t n_came, struct fb_arena *arena,
                   struct fb_rule_test_result *result);

#endif
