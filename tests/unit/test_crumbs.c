/* Breadcrumbs: what a process had in hand when it died, and what makes a record poison. */
#include "engine/run/crumbs.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/fb-crumbs-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? 0 : -1;
}

static struct fb_crumbs *reopen(const char *name) {
    struct fb_err err;
    struct fb_crumbs *crumbs = fb_crumbs_open(folder, name, 4, &err);
    if (!crumbs)
        fail_msg("%s", err.text);
    return crumbs;
}

/* A process that takes a record and dies of it, or (offset -1) ends in good order. */
static void live(const char *name, uint32_t worker, int64_t offset) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct fb_err err;
        struct fb_crumbs *crumbs = fb_crumbs_open(folder, name, 4, &err);
        struct fb_crumb *crumb = crumbs ? fb_crumbs_of(crumbs, worker) : NULL;
        if (!crumb)
            _exit(1);
        fb_crumb_drop(crumb, fb_crumb_topic(FB_S("t")), 3, offset - 1);
        fb_crumb_clear(crumb);
        if (offset >= 0) {
            fb_crumb_drop(crumb, fb_crumb_topic(FB_S("t")), 3, offset);
            raise(SIGKILL);
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(offset < 0 ? WIFEXITED(status) && WEXITSTATUS(status) == 0
                           : WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static bool is_poison(const struct fb_crumbs *crumbs, int64_t offset) {
    return fb_crumbs_is_poison(crumbs, fb_crumb_topic(FB_S("t")), 3, offset);
}

static void a_record_that_killed_once_is_tried_again(void **state) {
    (void)state;
    struct fb_crash crash;
    live("once", 1, 77);
    struct fb_crumbs *crumbs = reopen("once");
    assert_true(fb_crumbs_crash(crumbs, 0, &crash));
    assert_int_equal(crash.offset, 77);
    assert_int_equal(crash.partition, 3);
    assert_int_equal(crash.times, 1);
    assert_false(fb_crumbs_crash(crumbs, 1, &crash));
    assert_false(is_poison(crumbs, 77));
    fb_crumbs_close(crumbs);
}

static void a_record_that_killed_twice_is_poison_whichever_worker_had_it(void **state) {
    (void)state;
    live("twice", 0, 5);
    live("twice", 2, 5);
    struct fb_crumbs *crumbs = reopen("twice");
    assert_true(is_poison(crumbs, 5));
    assert_false(is_poison(crumbs, 6));
    assert_false(fb_crumbs_is_poison(crumbs, fb_crumb_topic(FB_S("t")), 2, 5));
    assert_false(fb_crumbs_is_poison(crumbs, fb_crumb_topic(FB_S("u")), 3, 5));
    fb_crumbs_close(crumbs);
    live("twice", 0, 900); /* another crash does not clear it of suspicion */
    crumbs = reopen("twice");
    assert_true(is_poison(crumbs, 5));
    assert_false(is_poison(crumbs, 900));
    fb_crumbs_close(crumbs);
}

static void crashes_at_different_records_are_no_poison(void **state) {
    (void)state;
    live("others", 0, 5);
    live("others", 0, 6);
    live("others", 0, 5);
    struct fb_crumbs *crumbs = reopen("others");
    assert_false(is_poison(crumbs, 5));
    assert_false(is_poison(crumbs, 6));
    fb_crumbs_close(crumbs);
}

static void an_end_in_good_order_is_no_crash(void **state) {
    (void)state;
    struct fb_crash crash;
    live("good", 0, 5);
    live("good", 0, -1);
    live("good", 0, 5);
    struct fb_crumbs *crumbs = reopen("good");
    assert_true(fb_crumbs_crash(crumbs, 0, &crash));
    assert_int_equal(crash.times, 1);
    fb_crumbs_close(crumbs);
}

static void a_second_process_is_refused(void **state) {
    (void)state;
    struct fb_err err;
    struct fb_crumbs *crumbs = reopen("shared");
    assert_null(fb_crumbs_open(folder, "shared", 1, &err));
    assert_non_null(strstr(err.text, "give each its own instance.id"));
    fb_crumbs_close(crumbs);
}

static void a_damaged_file_begins_anew(void **state) {
    (void)state;
    char path[128];
    struct fb_crash crash;
    snprintf(path, sizeof path, "%s/damaged.crumbs", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("something else altogether", file);
    fclose(file);
    struct fb_crumbs *crumbs = reopen("damaged");
    assert_false(fb_crumbs_crash(crumbs, 0, &crash));
    fb_crumbs_close(crumbs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_killed_once_is_tried_again),
        cmocka_unit_test(a_record_that_killed_twice_is_poison_whichever_worker_had_it),
        cmocka_unit_test(crashes_at_different_records_are_no_poison),
        cmocka_unit_test(an_end_in_good_order_is_no_crash),
        cmocka_unit_test(a_second_process_is_refused),
        cmocka_unit_test(a_damaged_file_begins_anew),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
