/* The events of a rule test: series and record files as entries in the order of time.
 *
 * Place in the flow: first half of a rule test. */
#ifndef FB_RUN_RULE_SERIES_H
#define FB_RUN_RULE_SERIES_H

#include "engine/base/err.h"
#include "engine/model/entry.h"
#include "engine/model/program.h"
#include "rules/check.h"

struct fb_rule_device {
    uint32_t class_index;
    struct fb_str id;
};

struct fb_rule_series {
    struct fb_entry *entries;
    uint32_t n_entries;
    int64_t start_us; /* what the test's times count from: the first of `records`, else a Monday */
    struct fb_rule_device *devices; /* each once */
    uint32_t n_devices;
};

/* The line of a step in its file, for messages. */
uint32_t fb_rule_series_line(const struct fb_checked *checked, const struct fb_test_step *step);

/* Everything lives in the arena. False with err: a record file cannot be read, a device's id does
 * not fit the class's keys, a value does not fit its field. */
bool fb_rule_series_make(const struct fb_program *program, const struct fb_checked *checked,
                         const struct fb_checked_test *test, struct fb_arena *arena,
                         struct fb_rule_series *series, struct fb_err *err);

#endif
