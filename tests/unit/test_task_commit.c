/* Whether a task that waited with a commit in doubt may go on, by what the group says was committed
 * last. */
#include "engine/run/task_commit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/run/task.h"
#include "tests/unit/bundle_of_text.h"

static const char rules[] = "device m from \"in\" {\n"
                            "  key id\n"
                            "  time arrival\n"
                            "  temp: number [degC]\n"
                            "}\n"
                            "alarm hot on m { raise high when temp > 80 degC }\n";

struct fixture {
    struct fb_bundle *bundle;
    struct fb_task_config config;
    struct fb_task *task;
    int64_t next;
};

static int begin(void **state) {
    static struct fixture f;
    const struct fb_bundle_settings settings = {.max_skew_us = 600000000, .max_age_us = 60000000};
    f = (struct fixture){.bundle = bundle_of_text(rules, &settings),
                         .config = {.application = FB_S("t"),
                                    .room = {FB_BATCH_MEMORY_MAX, "/tmp"},
                                    .journalled = true}};
    f.task = fb_task_new(&f.config, f.bundle, 0);
    fb_task_activate(f.task, FB_S("test"), 1000000);
    fb_task_begin(f.task, 0, 0);
    *state = &f;
    return 0;
}

static int end(void **state) {
    struct fixture *f = *state;
    fb_task_free(f->task);
    fb_bundle_drop(f->bundle);
    return 0;
}

/* A record is taken, and its commit begun. */
static void seal(struct fixture *f) {
    const struct fb_record record = {.topic = FB_S("in"),
                                     .offset = f->next++,
                                     .stamp_us = 1000000,
                                     .key = FB_S("a"),
                                     .value = FB_S("{\"id\":\"a\",\"temp\":90}")};
    fb_task_record(f->task, 0, &record, 1500000);
    fb_task_seal(f->task, 2000000);
    fb_task_claim(f->task, FB_S("me"));
}

/* The group has none of a commit that never came about, and of one whose positions it has dropped:
 * put again, the latter would stand in the journal twice. */
static void
a_first_commit_in_doubt_is_asked_of_the_journal_where_the_group_knows_none(void **state) {
    struct fixture *f = *state;
    seal(f);
    assert_false(fb_task_goes_on(f->task, 0, FB_S("")));
    assert_true(fb_task_is_sealed(f->task));
}

static void a_task_that_has_begun_no_commit_goes_on_where_the_group_knows_none(void **state) {
    struct fixture *f = *state;
    assert_true(fb_task_goes_on(f->task, 0, FB_S("")));
}

static void a_later_commit_in_doubt_does_not_go_on_where_the_group_knows_none(void **state) {
    struct fixture *f = *state;
    seal(f);
    fb_task_committed(f->task);
    assert_false(fb_task_goes_on(f->task, 0, FB_S("")));
    seal(f);
    assert_false(fb_task_goes_on(f->task, 0, FB_S("")));
}

static void a_commit_in_doubt_that_the_group_knows_is_done(void **state) {
    struct fixture *f = *state;
    seal(f);
    assert_true(fb_task_goes_on(f->task, 1, FB_S("me")));
    assert_false(fb_task_is_sealed(f->task));
    assert_int_equal(fb_batch_count(fb_task_batch(f->task)), 0);
}

static void a_commit_in_doubt_behind_the_one_that_the_group_knows_is_put_again(void **state) {
    struct fixture *f = *state;
    seal(f);
    fb_task_committed(f->task);
    seal(f);
    assert_true(fb_task_goes_on(f->task, 1, FB_S("me")));
    assert_true(fb_task_is_sealed(f->task));
    assert_true(fb_batch_count(fb_task_batch(f->task)) > 0);
}

static void commits_of_the_same_number_by_another_are_not_its_own(void **state) {
    struct fixture *f = *state;
    seal(f);
    assert_false(fb_task_goes_on(f->task, 1, FB_S("other")));
    fb_task_committed(f->task);
    seal(f);
    assert_false(fb_task_goes_on(f->task, 1, FB_S("other")));
    assert_false(fb_task_goes_on(f->task, 2, FB_S("other")));
    assert_false(fb_task_goes_on(f->task, 3, FB_S("me")));
    assert_true(fb_task_is_sealed(f->task));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_first_commit_in_doubt_is_asked_of_the_journal_where_the_group_knows_none, begin, end),
        cmocka_unit_test_setup_teardown(
            a_task_that_has_begun_no_commit_goes_on_where_the_group_knows_none, begin, end),
        cmocka_unit_test_setup_teardown(
            a_later_commit_in_doubt_does_not_go_on_where_the_group_knows_none, begin, end),
        cmocka_unit_test_setup_teardown(a_commit_in_doubt_that_the_group_knows_is_done, begin, end),
        cmocka_unit_test_setup_teardown(
            a_commit_in_doubt_behind_the_one_that_the_group_knows_is_put_again, begin, end),
        cmocka_unit_test_setup_teardown(commits_of_the_same_number_by_another_are_not_its_own,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
