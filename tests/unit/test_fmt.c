/* `flyball fmt` on files: what it changes, what it leaves alone, what it says.
 *
 * Place in the flow: tests of engine/cli/cmd_fmt.c. The layout itself is held by tests/golden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/str.h"
#include "engine/cli/cli.h"

static char folder[64];

static int begin(void **state) {
    (void)state;
    strcpy(folder, "/tmp/fb_fmt_XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    return 0;
}

static int end(void **state) {
    (void)state;
    static const char *const names[] = {"a.rules", "b.rules", "link.rules"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        unlink(names[i]);
    }
    /* Fails where a temporary file was left behind. */
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

static void put(const char *name, const char *text) {
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void holds(const char *name, const char *text) {
    char seen[1024];
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    seen[fread(seen, 1, sizeof seen - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(seen, text);
}

/* Runs `flyball fmt ARG ARG2` in a process of its own; what it printed is in `said`. */
static char said[4096];

static int fmt(const char *arg, const char *arg2, const char *input) {
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        close(in[1]);
        close(out[0]);
        char *argv[] = {(char[]){"flyball"}, (char[]){"fmt"}, strdup(arg),
                        arg2 != NULL ? strdup(arg2) : NULL, NULL};
        int status = fb_cli_main(arg2 != NULL ? 4 : 3, argv);
        fflush(stdout);
        _exit(status);
    }
    close(in[0]);
    close(out[1]);
    assert_int_equal(write(in[1], input, strlen(input)), (ssize_t)strlen(input));
    close(in[1]);
    size_t n = 0;
    ssize_t got;
    while ((got = read(out[0], said + n, sizeof said - 1 - n)) > 0) {
        n += (size_t)got;
    }
    said[n] = '\0';
    close(out[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_file_is_laid_out_in_place_and_named(void **state) {
    (void)state;
    put("a.rules", "param  a=5");
    put("b.rules", "param b = 5\n");
    assert_int_equal(fmt("a.rules", "b.rules", ""), FB_EXIT_OK);
    assert_string_equal(said, "a.rules\n");
    holds("a.rules", "param a = 5\n");
    assert_int_equal(fmt("a.rules", "b.rules", ""), FB_EXIT_OK);
    assert_string_equal(said, "");
}

static void the_files_mode_stays(void **state) {
    (void)state;
    struct stat status;
    put("a.rules", "param  a=5");
    assert_int_equal(chmod("a.rules", 0640), 0);
    assert_int_equal(fmt("a.rules", NULL, ""), FB_EXIT_OK);
    assert_int_equal(stat("a.rules", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
}

static void a_link_stays_a_link(void **state) {
    (void)state;
    struct stat status;
    put("a.rules", "param  a=5");
    assert_int_equal(symlink("a.rules", "link.rules"), 0);
    assert_int_equal(fmt("link.rules", NULL, ""), FB_EXIT_OK);
    holds("a.rules", "param a = 5\n");
    assert_int_equal(lstat("link.rules", &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void check_lists_and_changes_nothing(void **state) {
    (void)state;
    put("a.rules", "param  a=5");
    put("b.rules", "param b = 5\n");
    assert_int_equal(fmt("--check", ".", ""), FB_EXIT_PROBLEMS);
    assert_string_equal(said, "./a.rules\n");
    holds("a.rules", "param  a=5");
    assert_int_equal(fmt("--check", "b.rules", ""), FB_EXIT_OK);
}

static void a_file_with_errors_is_left_alone(void **state) {
    (void)state;
    put("a.rules", "param  a=\n");
    put("b.rules", "param  b=5");
    assert_int_equal(fmt("a.rules", "b.rules", ""), FB_EXIT_PROBLEMS);
    assert_non_null(strstr(said, "a.rules:1:10: error[E120]"));
    assert_non_null(strstr(said, "b.rules\n"));
    holds("a.rules", "param  a=\n");
    holds("b.rules", "param b = 5\n");
}

static void names_need_no_meaning(void **state) {
    (void)state;
    put("a.rules", "use \"nowhere.rules\"\nalarm a on nothing{raise low when what}\n");
    assert_int_equal(fmt("a.rules", NULL, ""), FB_EXIT_OK);
    holds("a.rules", "use \"nowhere.rules\"\nalarm a on nothing { raise low when what }\n");
}

static void a_dash_is_standard_input_to_output(void **state) {
    (void)state;
    assert_int_equal(fmt("-", NULL, "param  a=5 # why"), FB_EXIT_OK);
    assert_string_equal(said, "param a = 5  # why\n");
    assert_int_equal(fmt("-", NULL, "parm a=5"), FB_EXIT_PROBLEMS);
    assert_non_null(strstr(said, "<stdin>:1:1: error[E121]"));
    assert_int_equal(fmt("--check", "-", "param  a=5"), FB_EXIT_PROBLEMS);
    assert_string_equal(said, "<stdin>\n");
}

static void what_cannot_be_read_is_said(void **state) {
    (void)state;
    assert_int_equal(fmt("no.rules", NULL, ""), FB_EXIT_IO);
    assert_non_null(strstr(said, "no.rules"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_laid_out_in_place_and_named),
        TEST(the_files_mode_stays),
        TEST(a_link_stays_a_link),
        TEST(check_lists_and_changes_nothing),
        TEST(a_file_with_errors_is_left_alone),
        TEST(names_need_no_meaning),
        TEST(a_dash_is_standard_input_to_output),
        TEST(what_cannot_be_read_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
