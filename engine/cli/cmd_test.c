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

enum { PATHS_MAX = 1024, KEY_JUNIT = 0x200, KEY_ONLY };

struct request {
    const char *paths[PATHS_MAX];
    uint32_t n_paths;
    const char *junit, *only;
    bool verbose;
};

static const struct argp_option options[] = {
    {"only", KEY_ONLY, "TEXT", 0, "Run only the tests whose title holds TEXT", 0},
    {"verbose", 'v', NULL, 0, "Print what came in tests that pass, too", 0},
    {"junit", KEY_JUNIT, "FILE", 0, "Write the results as JUnit's XML too", 0},
    {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
    struct request *request = state->input;
    switch (key) {
    case KEY_JUNIT:
        request->junit = value;
        return 0;
    case KEY_ONLY:
        request->only = value;
        return 0;
    case 'v':
        request->verbose = true;
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

/* ---- the report ---- */

enum { COLUMN_MAX = 60, BEFORE = 16 }; /* what stands before the column of expectations */

static const struct fb_str nothing = {"-", 1};

static size_t column_of(const struct fb_rule_test_result *result) {
    size_t width = strlen("expected");
    for (uint32_t i = 0; i < result->n_lines; i++) {
        size_t n = result->lines[i].expected.n;
        if (n > width && n <= COLUMN_MAX)
            width = n;
    }
    return width;
}

/* Expected and actual side by side; a cell longer than its column stands alone. */
static void print_line(const struct fb_rule_test_line *line, size_t column, struct fb_buf *out) {
    char at[FB_TIME_TEXT_MAX] = "any time";
    if (line->at_us != FB_NO_TIME)
        at[fb_span_format(line->at_us, at)] = 0;
    struct fb_str expected = line->expected.n ? line->expected : nothing;
    struct fb_str actual = line->actual.n ? line->actual : nothing;
    fb_buf_printf(out, "  %c %10s  ", line->wrong ? '!' : ' ', at);
    fb_buf_str(out, expected);
    if (expected.n > column)
        fb_buf_printf(out, "\n%*s", BEFORE + (int)column, "");
    else
        fb_buf_printf(out, "%*s", (int)(column - expected.n), "");
    fb_buf_printf(out, " | %.*s\n", FB_ARG(actual));
    if (line->why.n)
        fb_buf_printf(out, "%*s   (%.*s)\n", BEFORE + (int)column, "", FB_ARG(line->why));
}

static void print_refused(uint64_t n, const char *why, struct fb_buf *out) {
    if (n)
        fb_buf_printf(out, "  %llu record%s %s\n", (unsigned long long)n, n == 1 ? "" : "s", why);
}

static void print_test(const struct fb_compiled *compiled, const struct fb_test_decl *test,
                       const struct fb_rule_test_result *result, struct fb_buf *out) {
    const struct fb_source *source = &compiled->sources->files[test->span.file];
    uint32_t line, column;
    fb_source_place(source, test->span.start, &line, &column);
    fb_buf_printf(out, "%.*s:%u: %s: \"%.*s\"\n", FB_ARG(source->path), line,
                  result->passed ? "passed" : "failed", FB_ARG(test->title));
    if (result->err.kind != FB_NO_FAILURE) {
        fb_buf_printf(out, "  %s\n", result->err.text);
        return;
    }
    size_t width = column_of(result);
    if (result->n_lines)
        fb_buf_printf(out, "    %10s  %-*s | came\n", "at", (int)width, "expected");
    for (uint32_t i = 0; i < result->n_lines; i++)
        print_line(&result->lines[i], width, out);
    print_refused(result->late, "came later than the device's `late up to` allows", out);
    print_refused(result->future, "leapt ahead of all others, and were taken for errors", out);
}

/* ---- JUnit's XML ---- */

/* XML 1.0 has no place for control characters but tab and line ends. */
static void put_xml(struct fb_buf *out, struct fb_str text, bool attribute) {
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '<')
            fb_buf_text(out, "&lt;");
        else if (c == '>')
            fb_buf_text(out, "&gt;");
        else if (c == '&')
            fb_buf_text(out, "&amp;");
        else if (c == '"')
            fb_buf_text(out, "&quot;");
        else if (attribute && (c == '\n' || c == '\t'))
            fb_buf_printf(out, "&#%d;", c);
        else if (c < ' ' && c != '\n' && c != '\t')
            fb_buf_char(out, '?');
        else
            fb_buf_char(out, (char)c);
    }
}

static void put_case(struct fb_buf *out, struct fb_str file, struct fb_str title,
                     struct fb_str failure) {
    fb_buf_text(out, "  <testcase classname=\"");
    put_xml(out, file, true);
    fb_buf_text(out, "\" name=\"");
    put_xml(out, title, true);
    fb_buf_text(out, "\"");
    if (failure.n) {
        fb_buf_text(out, ">\n    <failure message=\"not as expected\">");
        put_xml(out, failure, false);
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

struct tally {
    uint32_t run, failed;
    struct fb_buf cases;
};

static void run_one(const struct request *request, const struct fb_compiled *compiled,
                    const struct fb_checked_test *test, struct tally *tally) {
    struct fb_arena *arena = fb_arena_new();
    struct fb_rule_test_result result;
    fb_rule_test_run(compiled->program, &compiled->checked, test, arena, &result);
    struct fb_buf text = {0};
    if (!result.passed || request->verbose) {
        print_test(compiled, test->decl, &result, &text);
        fb_cli_put(&text, stdout);
    }
    tally->run++;
    tally->failed += !result.passed;
    put_case(&tally->cases, compiled->sources->files[test->decl->span.file].path,
             test->decl->title,
             result.passed ? (struct fb_str){0} : (struct fb_str){text.p, text.n});
    fb_buf_free(&text);
    fb_arena_free(arena);
}

static bool is_wanted(const struct request *request, const struct fb_checked_test *test) {
    return !request->only || !*request->only ||
           (test->decl->title.n && memmem(test->decl->title.p, test->decl->title.n, request->only,
                                          strlen(request->only)));
}

static int run_all(const struct request *request, const struct fb_compiled *compiled) {
    struct tally tally = {0};
    uint32_t n = compiled->checked.n_tests;
    for (uint32_t i = 0; i < n; i++)
        if (is_wanted(request, &compiled->checked.tests[i]))
            run_one(request, compiled, &compiled->checked.tests[i], &tally);
    int status = tally.failed ? FB_EXIT_PROBLEMS : FB_EXIT_OK;
    if (tally.run) {
        printf("%u test%s, %u passed, %u failed\n", tally.run, tally.run == 1 ? "" : "s",
               tally.run - tally.failed, tally.failed);
    } else if (n) {
        printf("none of %u test%s has a title that holds \"%s\"\n", n, n == 1 ? "" : "s",
               request->only);
        status = FB_EXIT_PROBLEMS;
    } else {
        puts("no tests: a rule file's tests are its blocks test \"..\" on NAME { series .. expect "
             ".. }");
    }
    if (request->junit && !write_junit(request->junit, &tally.cases, tally.run, tally.failed))
        status = FB_EXIT_IO;
    fb_buf_free(&tally.cases);
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
