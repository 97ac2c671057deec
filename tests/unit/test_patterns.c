/* A thousand hostile patterns over hostile texts: each match ends, as true, false or unknown, and
 * within the limits that the language promises.
 *
 * Place in the flow: rules with `matches` in a task, against PCRE2 asked directly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "engine/base/calendar.h"
#include "engine/core/match.h"
#include "engine/run/task.h"
#include "rules/pattern.h"
#include "tests/unit/bundle_of_text.h"

/* As rules/LANGUAGE.md says of `matches`. */
enum { STEPS = 100000, DEPTH = 1000, HEAP_KB = 512 };
enum { PATTERNS = 1000, A_BUNDLE = 50, PATTERN_BYTES = 160, TEXT_BYTES = 255 };

static const char *const atoms[] = {"a",     "[ab]",   "(?:a|b)", "(?:a|a)",  ".",
                                    "(?i)A", "(?:a?)", "[^!]",    "(?:aa|a)", "(?:a|b|ab)"};
static const char *const repeats[] = {
    "(?:%s+)+",    "(?:%s*)*",  "(?:%s+)*",      "(?:%s{1,9}){1,9}", "(?:%s+?)+?",
    "(?:%s|%s+)+", "(%s+)\\1*", "(?:(?:%s+)+)+", "(?=(%s+))\\1+",    "(?:%s*%s*%s*)*"};
static const char *const wholes[] = {"^%s$",         "%s!$",
                                     "(?:%s)+c",     "^(?:%s)*(?:%s)*$",
                                     "%s(?<!a)b\\b", "(?s)%s.*%s.*%s[0-9]",
                                     "(%s|x)*\\1y",  "(?:(?=%s)a)*z",
                                     "(?>%s)a",      "(r(?1)?%s)*s|%s(?:\\d)"};

/* What each %s stands for in turn; at most three. */
static void fill(char out[static PATTERN_BYTES], const char *format, const char *with) {
    size_t n = 0;
    for (const char *p = format; *p; p++) {
        const char *piece = p[0] == '%' && p[1] == 's' ? with : NULL;
        size_t length = piece ? strlen(piece) : 1;
        assert_true(n + length < PATTERN_BYTES);
        memcpy(out + n, piece ? piece : p, length);
        n += length;
        p += piece != NULL;
    }
    out[n] = '\0';
}

static void make_pattern(uint32_t i, char out[static PATTERN_BYTES]) {
    char repeat[PATTERN_BYTES];
    fill(repeat, repeats[i / 10 % 10], atoms[i % 10]);
    fill(out, wholes[i / 100], repeat);
}

/* ---- texts ---- */

static const char *const units[] = {"a", "ab", "\xC3\xA9", "a", "aab", "r1"};
enum { TEXTS = sizeof units / sizeof *units };

/* As long as a text may be, with an end that most patterns stumble over; then short ones. */
static struct fb_str make_text(uint32_t i, char out[static TEXT_BYTES + 1]) {
    const char *unit = units[i];
    size_t n = 0, step = strlen(unit), room = i < TEXTS / 2 ? TEXT_BYTES - 1 : 24;
    for (; n + step <= room; n += step)
        memcpy(out + n, unit, step);
    out[n++] = i % 2 ? '!' : '#';
    return (struct fb_str){out, n};
}

/* ---- PCRE2 itself, under the limits of the language ---- */

struct direct {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

static struct direct direct_new(const char *pattern) {
    int error = 0;
    size_t at = 0;
    struct direct d = {.data = pcre2_match_data_create(1, NULL),
                       .limits = pcre2_match_context_create(NULL)};
    d.code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &error, &at, NULL);
    assert_non_null(d.code);
    pcre2_set_match_limit(d.limits, STEPS);
    pcre2_set_depth_limit(d.limits, DEPTH);
    pcre2_set_heap_limit(d.limits, HEAP_KB);
    return d;
}

static void direct_free(struct direct *d) {
    pcre2_code_free(d->code);
    pcre2_match_data_free(d->data);
    pcre2_match_context_free(d->limits);
}

/* 1, 0 or, beyond a limit, -1. */
static int direct_match(const struct direct *d, struct fb_str text) {
    int n = pcre2_match(d->code, (PCRE2_SPTR)text.p, text.n, 0, 0, d->data, d->limits);
    if (n >= 0)
        return 1;
    if (n == PCRE2_ERROR_NOMATCH)
        return 0;
    assert_true(n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT ||
                n == PCRE2_ERROR_HEAPLIMIT);
    return -1;
}

/* ---- through rules ---- */

static struct fb_bundle *rules_of(uint32_t first) {
    struct fb_buf text = {0};
    struct fb_bundle_settings settings = {.max_skew_us = FB_MINUTE, .max_age_us = FB_MINUTE};
    fb_buf_text(&text, "device d from \"d\" { key id time ts [ms] t : text }\n");
    for (uint32_t i = first; i < first + A_BUNDLE; i++) {
        char pattern[PATTERN_BYTES], quoted[2 * PATTERN_BYTES];
        size_t n = 0;
        make_pattern(i, pattern);
        for (const char *p = pattern; *p; p++) {
            if (*p == '\\')
                quoted[n++] = '\\';
            quoted[n++] = *p;
        }
        quoted[n] = '\0';
        fb_buf_printf(&text, "event yes%u on d { whenever t matches \"%s\" }\n", i, quoted);
        fb_buf_printf(&text, "event no%u on d { whenever not (t matches \"%s\") }\n", i, quoted);
    }
    struct fb_bundle *bundle = bundle_of_text(fb_buf_terminated(&text), &settings);
    fb_buf_free(&text);
    return bundle;
}

/* The verdicts of one bundle's rules on one text: 1, 0, or -1 where neither came. */
static void judge(struct fb_task *task, int64_t offset, struct fb_str text, uint32_t first,
                  int verdicts[static A_BUNDLE]) {
    struct fb_buf json = {0};
    int64_t at_us = INT64_C(1767225600) * FB_SECOND + offset * FB_SECOND;
    fb_buf_printf(&json, "{\"id\":\"x\",\"ts\":%lld,\"t\":\"%.*s\"}", (long long)(at_us / 1000),
                  FB_ARG(text));
    struct fb_record record = {.topic = FB_S("d"),
                               .offset = offset,
                               .stamp_us = at_us,
                               .key = FB_S("x"),
                               .value = {json.p, json.n}};
    fb_task_record(task, 0, &record, at_us);
    for (uint32_t i = 0; i < A_BUNDLE; i++)
        verdicts[i] = -1;
    struct fb_batch *batch = fb_task_batch(task);
    for (uint32_t i = 0; i < fb_batch_count(batch); i++) {
        struct fb_outgoing out;
        struct fb_header headers[FB_BATCH_HEADERS_MAX];
        assert_int_equal(fb_batch_at(batch, i, &out, headers), FB_STREAM_ALERTS);
        bool yes = out.key.p[0] == 'y';
        uint32_t rule = (uint32_t)strtoul(out.key.p + (yes ? 3 : 2), NULL, 10) - first;
        assert_true(rule < A_BUNDLE);
        assert_int_equal(verdicts[rule], -1); /* never both */
        verdicts[rule] = yes;
    }
    fb_batch_clear(batch);
    fb_buf_free(&json);
}

struct tally {
    uint32_t matched, missed, unknown, n;
    double ms[PATTERNS * TEXTS]; /* for information only */
    double slowest_ms;
    char slowest[PATTERN_BYTES];
};

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void compare(uint32_t first, struct tally *tally) {
    struct fb_task_config config = {.application = FB_S("t"),
                                    .room = {FB_BATCH_MEMORY_MAX, "/tmp"}};
    struct fb_bundle *bundle = rules_of(first);
    struct fb_task *task = fb_task_new(&config, bundle, 0);
    int by_rule[TEXTS][A_BUNDLE];
    char bytes[TEXT_BYTES + 1];
    fb_task_set_next(task, 0, 0);
    for (uint32_t t = 0; t < TEXTS; t++)
        judge(task, t, make_text(t, bytes), first, by_rule[t]);
    for (uint32_t i = 0; i < A_BUNDLE; i++) {
        char pattern[PATTERN_BYTES];
        make_pattern(first + i, pattern);
        struct direct direct = direct_new(pattern);
        for (uint32_t t = 0; t < TEXTS; t++) {
            double before = now_ms();
            int expected = direct_match(&direct, make_text(t, bytes));
            double ms = now_ms() - before;
            if (by_rule[t][i] != expected)
                print_error("%s, text %u: %d, PCRE2 %d\n", pattern, t, by_rule[t][i], expected);
            assert_int_equal(by_rule[t][i], expected);
            *(expected > 0 ? &tally->matched : expected ? &tally->unknown : &tally->missed) += 1;
            tally->ms[tally->n++] = ms;
            if (ms > tally->slowest_ms) {
                tally->slowest_ms = ms;
                memcpy(tally->slowest, pattern, sizeof pattern);
            }
        }
        direct_free(&direct);
    }
    fb_task_free(task);
    fb_bundle_drop(bundle);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void hostile_patterns_end_as_true_false_or_unknown(void **state) {
    static struct tally tally;
    (void)state;
    for (uint32_t first = 0; first < PATTERNS; first += A_BUNDLE)
        compare(first, &tally);
    qsort(tally.ms, tally.n, sizeof *tally.ms, by_size);
    print_message("%u patterns, %u texts: %u true, %u false, %u unknown; processor time p50 %.3f "
                  "ms, p99 %.1f ms, p99.9 %.1f ms, at most %.1f ms: %s\n",
                  PATTERNS, TEXTS, tally.matched, tally.missed, tally.unknown,
                  tally.ms[tally.n / 2], tally.ms[tally.n * 99 / 100],
                  tally.ms[tally.n * 999 / 1000], tally.slowest_ms, tally.slowest);
    assert_int_equal(tally.n, PATTERNS * TEXTS);
    assert_true(tally.matched >= 500 && tally.missed >= 500 && tally.unknown >= 500);
}

/* The least limit under which PCRE2 comes to an end. */
static uint32_t steps_of(const struct direct *d, struct fb_str text) {
    uint32_t low = 0, high = 10000000;
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2;
        pcre2_set_match_limit(d->limits, middle);
        if (direct_match(d, text) < 0)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* A text longer by one byte takes twice the steps: some length is the last below the limit. */
static void a_match_is_unknown_from_the_promised_step_on(void **state) {
    (void)state;
    struct fb_str pattern = FB_S("^(?:a+)+$");
    struct fb_matcher *matcher = fb_matcher_new(&pattern, 1);
    struct direct direct = direct_new(pattern.p);
    char bytes[64];
    uint32_t below = 0, beyond = 0;
    for (size_t n = 2; n < 22; n++) {
        memset(bytes, 'a', n);
        bytes[n - 1] = '!';
        struct fb_str text = {bytes, n};
        uint32_t steps = steps_of(&direct, text);
        assert_int_equal(fb_matcher_match(matcher, 0, text), steps > STEPS ? -1 : 0);
        below += steps <= STEPS;
        beyond += steps > STEPS;
    }
    assert_true(below > 0 && beyond > 0);
    direct_free(&direct);
    fb_matcher_free(matcher);
}

static void a_pattern_cannot_lift_its_limits(void **state) {
    (void)state;
    static const char *const refused[] = {
        "(*LIMIT_MATCH=4000000000)^(a+)+$",
        "(*LIMIT_DEPTH=4000000000)a",
        "(*LIMIT_HEAP=4000000000)a",
        "(*LIMIT_RECURSION=4000000000)a",
        "(*UTF)(*LIMIT_MATCH=1)a",
        "(*NO_START_OPT)a",
        "(*NO_JIT)a",
        "a(*LIMIT_MATCH=1)",
        "a(?C)",
        "a(?C255)b",
        "a(?C'text')b",
        "\\c\\(?C1)a",
        "(?#\\)(?C1)a",
        "\\Qa\\E(?C1)",
        "(?x)#\\\n(?C1)a",
        "a\\C",
        "\\C{2}",
    };
    static const char *const taken[] = {"[*]LIMIT", "\\(\\?C1\\)", "\\(*LIMIT_MATCH=1\\)",
                                        "\\\\C",    "[(?C1)]",     "\\Q(?C1)\\E"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char why[256] = "";
        uint32_t at = 0;
        bool passed = fb_pattern_check(fb_str_of(refused[i]), why, &at);
        if (passed)
            print_error("taken: %s\n", refused[i]);
        assert_false(passed);
        assert_true(why[0] != '\0' && at <= strlen(refused[i]));
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        char why[256] = "";
        uint32_t at = 0;
        bool passed = fb_pattern_check(fb_str_of(taken[i]), why, &at);
        if (!passed)
            print_error("refused: %s: %s\n", taken[i], why);
        assert_true(passed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_patterns_end_as_true_false_or_unknown),
        cmocka_unit_test(a_match_is_unknown_from_the_promised_step_on),
        cmocka_unit_test(a_pattern_cannot_lift_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
