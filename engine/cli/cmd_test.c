/* `flyball test`: the test blocks of rule files.
 *
 * Place in the flow: fb_compile_all -> engine/run/rule_test -> a report, and JUnit's XML. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/calendar.h"
#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "engine/cli/compile.h"
#include "engine/run/rule_test.h"

enum { PATHS_MAX = 1024, KEY_JUNIT = 0x200 };

struct request {
    const char *paths[PATHS_MAX];
    uint32_t n_paths;
    const char *junit;
};

static const struct argp_option options[] = {
    {"junit", KEY_JUNIT, "FILE", 0, "Write the results as JUnit's XML too", 0}, {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
    struct request *request = state->input;
    switch (key) {
    case KEY_JUNIT:
        request->junit = value;
        return 0;
    case ARGP_KEY_ARG:
        if (request->n_paths == PATHS_MAX)
            argp_error(state, "at most %d files or folders", PATHS_MAX);
        request->paths[request->n_paths++] = value;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "name the rule files, or a folder of them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum { COLUMN = 60 };

/* Expected and actual side by side; a cell longer than its column stands alone. */
static void print_line(const struct fb_rule_test_line *line, struct fb_buf *out) {
    char at[FB_TIME_TEXT_MAX] = "any time";
    if (line->at_us != FB_NO_TIME)
        at[fb_span_format(line->at_us, at)] = 0;
    struct fb_str none = FB_S("-");
    struct fb_str expected = line->expected.n ? line->expected : none;
    struct fb_str actual = line->actual.n ? line->actual : none;
    fb_buf_printf(out, "  %c %9s  ", line->wrong ? '!' : ' ', at);
    if (expected.n > COLUMN)
        fb_buf_printf(out, "%.*s\n%*s| %.*s\n", FB_ARG(expected), 14 + COLUMN + 1, "",
                      FB_ARG(actual));
    else
        fb_buf_printf(out, "%-*.*s | %.*s\n", COLUMN, FB_ARG(expected), FB_ARG(actual));
}

static void print_failure(const struct fb_compiled *compiled, const struct fb_test_decl *test,
                          const struct fb_rule_test_result *result, struct fb_buf *out) {
    const struct fb_source *source = &compiled->sources->files[test->span.file];
    uint32_t line, column;
    fb_source_place(source, test->span.start, &line, &column);
    fb_buf_printf(out, "%.*s:%u: failed: \"%.*s\"\n", FB_ARG(source->path), line,
                  FB_ARG(test->title));
    if (result->err.kind != FB_NO_FAILURE) {
        fb_buf_printf(out, "  %s\n", result->err.text);
        return;
    }
    fb_buf_printf(out, "    %9s  %-*s | %s\n", "at", COLUMN, "expected", "came");
    for (uint32_t i = 0; i < result->n_lines; i++)
        print_line(&result->lines[i], out);
}

static void put_xml(struct fb_buf *out, struct fb_str text) {
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '<':
            fb_buf_text(out, "&lt;");
            break;
        case '>':
            fb_buf_text(out, "&gt;");
            break;
        case '&':
            fb_buf_text(out, "&amp;");
            break;
        case '"':
            fb_buf_text(out, "&quot;");
            break;
        default:
            fb_buf_char(out, text.p[i]);
        }
    }
}

static void put_case(struct fb_buf *out, struct fb_str file, struct fb_str title,
                     struct fb_str failure) {
    fb_buf_text(out, "  <testcase classname=\"");
    put_xml(out, file);
    fb_buf_text(out, "\" name=\"");
    put_xml(out, title);
    fb_buf_text(out, "\"");
    if (failure.n) {
        fb_buf_text(out, ">\n    <failure>");
        put_xml(out, failure);
        fb_buf_text(out, "</failure>\n  </testcase>\n");
    } else {
        fb_buf_text(out, "/>\n");
    }
}

static bool write_junit(const char *path, const struct fb_buf *cases, uint32_t tests,
                        uint32_t failed) {
    FILE *file = fopen(path, "w");
    if (file) {
        fprintf(file,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuite name=\"flyball\" tests=\"%u\" failures=\"%u\">\n",
                tests, failed);
        fb_cli_put(cases, file);
        fputs("</testsuite>\n", file);
        bool written = !ferror(file);
        if (!fclose(file) && written)
            return true;
    }
    fprintf(stderr, "flyball test: %s: %s\n", path, strerror(errno));
    return false;
}

static int run_all(const struct request *request, const struct fb_compiled *compiled) {
    uint32_t failed = 0, n = compiled->checked.n_tests;
    struct fb_buf cases = {0};
    for (uint32_t i = 0; i < n; i++) {
        const struct fb_checked_test *test = &compiled->checked.tests[i];
        struct fb_arena *arena = fb_arena_new();
        struct fb_rule_test_result result;
        fb_rule_test_run(compiled->program, &compiled->checked, test, arena, &result);
        struct fb_buf failure = {0};
        if (!result.passed) {
            failed++;
            print_failure(compiled, test->decl, &result, &failure);
            fb_cli_put(&failure, stdout);
        }
        put_case(&cases, compiled->sources->files[test->decl->span.file].path, test->decl->title,
                 (struct fb_str){failure.p, failure.n});
        fb_buf_free(&failure);
        fb_arena_free(arena);
    }
    int status = failed ? FB_EXIT_PROBLEMS : FB_EXIT_OK;
    if (n)
        printf("%u test%s, %u passed, %u failed\n", n, n == 1 ? "" : "s", n - failed, failed);
    else
        puts("no tests: a rule file's tests are its blocks test \"..\" on NAME { series .. expect "
             ".. }");
    if (request->junit && !write_junit(request->junit, &cases, n, failed))
        status = FB_EXIT_IO;
    fb_buf_free(&cases);
    return status;
}

int fb_cmd_test(int argc, char **argv) {
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "FILES...",
        .doc = "Runs the test blocks of rule files, on the same core as everything else.\v"
               "Example: flyball test --junit results.xml pumps.rules",
    };
    struct request request = {0};
    fb_cli_options(&argp, argc, argv, &request);
    struct fb_compiled compiled;
    int status = fb_cli_compile(request.paths, request.n_paths, &compiled);
    if (status != FB_EXIT_OK)
        return status;
    status = run_all(&request, &compiled);
    fb_compiled_free(&compiled);
    return status;
}
