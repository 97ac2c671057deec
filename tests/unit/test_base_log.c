/* Log lines, read back from a stderr that is a file of the test's own. */
#include "engine/base/log.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char written[4096];

/* Lets one line be logged and keeps what it wrote. */
#define CAPTURE(...)                                                                               \
    do {                                                                                           \
        FILE *file = tmpfile();                                                                    \
        assert_non_null(file);                                                                     \
        int old = dup(STDERR_FILENO);                                                              \
        assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);                                       \
        fb_log(__VA_ARGS__);                                                                       \
        assert_true(dup2(old, STDERR_FILENO) >= 0);                                                \
        close(old);                                                                                \
        rewind(file);                                                                              \
        written[fread(written, 1, sizeof written - 1, file)] = '\0';                               \
        fclose(file);                                                                              \
    } while (0)

static const char *behind_time(void) {
    assert_true(strlen(written) > 25);
    assert_memory_equal(written + 23, "Z ", 2);
    return written + 25;
}

static void a_text_line_stays_one_line(void **state) {
    (void)state;
    fb_log_setup(FB_LOG_INFO, false);
    CAPTURE(FB_LOG_WARN, "two\nlines of %d", 7);
    assert_string_equal(behind_time(), "warn  two lines of 7\n");
}

static void lower_levels_are_silent(void **state) {
    (void)state;
    fb_log_setup(FB_LOG_WARN, false);
    CAPTURE(FB_LOG_INFO, "not seen");
    assert_string_equal(written, "");
    CAPTURE(FB_LOG_ERROR, "seen");
    assert_string_equal(behind_time(), "error seen\n");
}

static void a_json_line_is_escaped(void **state) {
    (void)state;
    fb_log_setup(FB_LOG_DEBUG, true);
    CAPTURE(FB_LOG_DEBUG, "a \"b\" \\ \n \xC3\xBC");
    assert_memory_equal(written, "{\"time\":\"", 9);
    assert_string_equal(written + 33,
                        "\",\"level\":\"debug\",\"text\":\"a \\\"b\\\" \\\\ \\u000a \xC3\xBC\"}\n");
    CAPTURE(FB_LOG_DEBUG, "\xFF");
    assert_string_equal(written + 33, "\",\"level\":\"debug\",\"text\":\"\\u00ff\"}\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_stays_one_line),
        cmocka_unit_test(lower_levels_are_silent),
        cmocka_unit_test(a_json_line_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
