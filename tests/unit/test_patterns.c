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

/* No step costs more than this, nor does the last one go further beyond the limit: an item of 160
 * bytes, at the other end of 255 bytes. */
enum { STEP_MAX = 1 + 160 / 16 + 2 * 255 / 16, CALLS_MAX = FB_MATCH_STEPS };
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

/* ---- PCRE2 itself ---- */

/* Both as match.c compiles them, but counted here on its own. */
struct direct {
    pcre2_code *code, *items;
    pcre2_match_data *data;
    pcre2_match_context *limits, *counting;
    uint64_t calls;
};

static int one_more(pcre2_callout_block *block, void *behind) {
    (void)block;
    return ++*(uint64_t *)behind > CALLS_MAX ? PCRE2_ERROR_CALLOUT : 0;
}

static void direct_set_up(struct direct *d, const char *pattern) {
    int error = 0;
    size_t at = 0;
    *d = (struct direct){.data = pcre2_match_data_create(1, NULL),
                         .limits = pcre2_match_context_create(NULL),
                         .counting = pcre2_match_context_create(NULL)};
    d->code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &error, &at, NULL);
    d->items = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                             PCRE2_UTF | PCRE2_AUTO_CALLOUT, &error, &at, NULL);
    assert_true(d->code && d->items);
    pcre2_set_match_limit(d->limits, FB_MATCH_STEPS);
    pcre2_set_depth_limit(d->limits, FB_MATCH_DEPTH);
    pcre2_set_depth_limit(d->counting, FB_MATCH_DEPTH);
    pcre2_set_callout(d->counting, one_more, &d->calls);
}

static void direct_free(struct direct *d) {
    pcre2_code_free(d->code);
    pcre2_code_free(d->items);
    pcre2_match_data_free(d->data);
    pcre2_match_context_free(d->limits);
    pcre2_match_context_free(d->counting);
}

/* 1, 0 or -1: not within so many steps from each place, or not within the depth. */
static int direct_match(const struct direct *d, struct fb_str text) {
    int n = pcre2_match(d->code, (PCRE2_SPTR)text.p, text.n, 0, 0, d->data, d->limits);
    return n >= 0 ? 1 : n == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

/* The items that are tried in all; more than CALLS_MAX are not counted. */
static uint64_t direct_count(struct direct *d, struct fb_str text, int *result) {
    d->calls = 0;
    *result = pcre2_match(d->items, (PCRE2_SPTR)text.p, text.n, 0, 0, d->data, d->counting);
    return d->calls;
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
    uint32_t matched, missed, unknown, counted, n;
    uint32_t most;               /* steps of a match that came to its end */
    double ms[PATTERNS * TEXTS]; /* for information only */
    double slowest_ms;
    char slowest[PATTERN_BYTES];
};

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void note(struct tally *tally, const char *pattern, int verdict, uint32_t counted,
                 double ms) {
    *(verdict > 0 ? &tally->matched : verdict ? &tally->unknown : &tally->missed) += 1;
    tally->counted += counted > 0;
    if (verdict >= 0 && counted > tally->most)
        tally->most = counted;
    tally->ms[tally->n++] = ms;
    if (ms > tally->slowest_ms) {
        tally->slowest_ms = ms;
        memcpy(tally->slowest, pattern, PATTERN_BYTES);
    }
}

/* What it says is what PCRE2 says; that it says nothing has a reason; it cost no more than it may.
 */
static void compare_one(struct direct *direct, int verdict, uint32_t counted, struct fb_str text) {
    int expected = direct_match(direct, text), result;
    uint64_t calls = direct_count(direct, text, &result);
    assert_true(counted <= FB_MATCH_STEPS + STEP_MAX);
    if (verdict >= 0) {
        assert_true(counted <= FB_MATCH_STEPS);
        assert_true(expected < 0 || expected == verdict);
        assert_true(counted == 0 || calls <= counted); /* an item is a step at least */
        assert_true(result == PCRE2_ERROR_CALLOUT || (result >= 0) == (verdict > 0));
    } else {
        assert_true(counted > FB_MATCH_STEPS || result == PCRE2_ERROR_DEPTHLIMIT || expected < 0);
        assert_true(calls * STEP_MAX > FB_MATCH_STEPS || result == PCRE2_ERROR_DEPTHLIMIT);
    }
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
        struct direct direct;
        make_pattern(first + i, pattern);
        direct_set_up(&direct, pattern);
        struct fb_str view = fb_str_of(pattern);
        struct fb_matcher *matcher = fb_matcher_new(&view, 1);
        for (uint32_t t = 0; t < TEXTS; t++) {
            struct fb_str text = make_text(t, bytes);
            double before = now_ms();
            int verdict = fb_matcher_match(matcher, 0, text);
            double ms = now_ms() - before;
            uint32_t counted = fb_matcher_counted(matcher);
            if (by_rule[t][i] != verdict)
                print_error("%s, text %u: %d, in a rule %d\n", pattern, t, verdict, by_rule[t][i]);
            assert_int_equal(by_rule[t][i], verdict);
            compare_one(&direct, verdict, counted, text);
            note(tally, pattern, verdict, counted, ms);
        }
        fb_matcher_free(matcher);
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
    print_message("%u patterns, %u texts: %u true, %u false, %u unknown; %u counted, to %u steps "
                  "where one ended; processor time p50 %.4f ms, p99 %.2f ms, p99.9 %.2f ms, at "
                  "most %.2f ms: %s\n",
                  PATTERNS, TEXTS, tally.matched, tally.missed, tally.unknown, tally.counted,
                  tally.most, tally.ms[tally.n / 2], tally.ms[tally.n * 99 / 100],
                  tally.ms[tally.n * 999 / 1000], tally.slowest_ms, tally.slowest);
    assert_int_equal(tally.n, PATTERNS * TEXTS);
    assert_true(tally.matched >= 500 && tally.missed >= 500 && tally.unknown >= 500);
    assert_true(tally.counted > tally.unknown); /* and some of them came to their end */
}

/* A text longer by one byte takes twice the steps: some length is the last below the limit. Here
 * every item and every stretch of text is short, and a step is one call. */
static void a_match_is_unknown_from_the_promised_step_on(void **state) {
    (void)state;
    struct fb_str pattern = FB_S("^(?:a+)+$");
    struct fb_matcher *matcher = fb_matcher_new(&pattern, 1);
    struct direct direct;
    direct_set_up(&direct, pattern.p);
    char bytes[64];
    uint32_t below = 0, beyond = 0;
    for (size_t n = 2; n < 16; n++) {
        int result;
        memset(bytes, 'a', n);
        bytes[n - 1] = '!';
        struct fb_str text = {bytes, n};
        uint64_t calls = direct_count(&direct, text, &result);
        int verdict = fb_matcher_match(matcher, 0, text);
        uint32_t counted = fb_matcher_counted(matcher);
        assert_int_equal(verdict, calls > FB_MATCH_STEPS ? -1 : 0);
        assert_true(counted == 0 || counted == calls);
        below += counted > 0 && verdict == 0;
        beyond += verdict < 0;
    }
    assert_true(below > 0 && beyond > 0);
    direct_free(&direct);
    fb_matcher_free(matcher);
}

/* The count goes on from one place of the text to the next: many that cost little each are as dear
 * as one that costs much. */
static void all_places_where_a_match_may_begin_count_together(void **state) {
    (void)state;
    struct fb_str patterns[] = {FB_S("(?:a|aa){8}[!x]"), FB_S("^(?:a|aa){8}[!x]")};
    struct fb_matcher *matcher = fb_matcher_new(patterns, 2);
    char bytes[TEXT_BYTES];
    memset(bytes, 'a', sizeof bytes);
    struct fb_str text = {bytes, sizeof bytes};
    assert_int_equal(fb_matcher_match(matcher, 1, text), 0);
    uint32_t at_one = fb_matcher_counted(matcher);
    assert_true(at_one > 0 && at_one < FB_MATCH_STEPS / 10);
    assert_int_equal(fb_matcher_match(matcher, 0, text), -1);
    assert_true(fb_matcher_counted(matcher) > FB_MATCH_STEPS);
    fb_matcher_free(matcher);
}

/* Neither what was matched before nor the memory that it left behind has a part in a result. */
static void a_verdict_does_not_depend_on_the_matches_before(void **state) {
    enum { N = 200, STRIDE = 5, MANY = 600 };
    static char texts[N + 1][PATTERN_BYTES], many[2 * MANY + 32];
    struct fb_str patterns[N + 1];
    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        make_pattern(i * STRIDE, texts[i]);
        patterns[i] = fb_str_of(texts[i]);
    }
    for (size_t i = 0; i < MANY; i++)
        memcpy(many + 2 * i, "()", 2);
    memcpy(many + 2 * MANY, "(?:a|a)*[!x]", sizeof "(?:a|a)*[!x]");
    patterns[N] = fb_str_of(many); /* few of its frames are much memory */
    struct fb_matcher *one = fb_matcher_new(patterns, N + 1);
    char bytes[TEXT_BYTES + 1];
    for (uint32_t k = 0; k < (N + 1) * TEXTS; k++) {
        uint32_t i = k * 7 % (N + 1);
        struct fb_str text = make_text(k / (N + 1), bytes);
        struct fb_matcher *fresh = fb_matcher_new(&patterns[i], 1);
        assert_int_equal(fb_matcher_match(one, i, text), fb_matcher_match(fresh, 0, text));
        assert_int_equal(fb_matcher_counted(one), fb_matcher_counted(fresh));
        fb_matcher_free(fresh);
    }
    fb_matcher_free(one);
}

/* Those that people write are far from the limit also on texts as long as may be. */
static void ordinary_patterns_stay_far_below_the_limit(void **state) {
    static const char *const patterns[] = {"^A",
                                           "error",
                                           "(?i)error|fault|alarm",
                                           "^[A-Z]{2}[0-9]{4}$",
                                           "^(\\d{1,3}\\.){3}\\d{1,3}$",
                                           "^[\\w.+-]+@[\\w-]+\\.[\\w.-]+$",
                                           "[\\w.+-]+@[\\w-]+\\.[\\w.-]+",
                                           "error.*code=\\d+",
                                           ".*error.*code.*",
                                           "\\b(\\w+)\\s+\\1\\b",
                                           "^\\s*(\\S+)\\s+(\\S+)\\s+(\\S+)$",
                                           "([0-9a-f]{2}:){5}[0-9a-f]{2}",
                                           "^/(\\w+/)*\\w+\\.log$",
                                           "(door|gate|window)[ _-]?(open|closed)",
                                           "^[A-Za-z0-9.]+\\.[a-z]+$",
                                           "^(?=.*\\d)(?=.*[a-z]).{8,}$",
                                           "\\d+(\\.\\d+)?\\s*(degC|bar|rpm)",
                                           "^(a|b|c)+$",
                                           "\"[^\"]*\"",
                                           "(\\w+)=(\\w+);(\\w+)=(\\w+)",
                                           "\\w+\\s*:\\s*\\w+$",
                                           "^.*?(\\d+)$",
                                           "\\s+$",
                                           "^(.+),(.+),(.+)$",
                                           "(?<=id=)\\d+"};
    static const char *const pieces[] = {"a",
                                         "the quick brown fox jumps over ",
                                         "/var/log/app/",
                                         "192.168.1.17 ",
                                         "key=value;",
                                         "error in module 17, ",
                                         "user.name@example.org ",
                                         "0f:1a:2b:3c:4d:",
                                         "1234567890",
                                         "door closed ",
                                         "a.b.c.d.",
                                         "  ",
                                         "\xC3\xA9t\xC3\xA9 "};
    uint32_t most = 0;
    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct fb_str pattern = fb_str_of(patterns[i]);
        struct fb_matcher *matcher = fb_matcher_new(&pattern, 1);
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            struct fb_str piece = fb_str_of(pieces[k]);
            char bytes[TEXT_BYTES];
            size_t n = 0;
            for (; n + piece.n <= sizeof bytes; n += piece.n)
                memcpy(bytes + n, piece.p, piece.n);
            int verdict = fb_matcher_match(matcher, 0, (struct fb_str){bytes, n});
            uint32_t counted = fb_matcher_counted(matcher);
            most = counted > most ? counted : most;
            if (verdict < 0 || counted > FB_MATCH_STEPS / 5)
                print_error("%s on %s..: %d, %u steps\n", patterns[i], pieces[k], verdict, counted);
            assert_true(verdict >= 0 && counted <= FB_MATCH_STEPS / 5);
        }
        fb_matcher_free(matcher);
    }
    print_message("ordinary patterns: %u steps at most of %u\n", most, FB_MATCH_STEPS);
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

/* A pattern that passes can be counted: its items and the calls before them have room together. */
static void what_is_too_large_to_be_counted_is_refused(void **state) {
    (void)state;
    char text[1024] = "(?:", why[256] = "";
    uint32_t at = 0;
    memset(text + 3, 'a', 1000); /* 2 bytes each when compiled, 6 more for the call */
    memcpy(text + 1003, "){9}", 5);
    assert_false(fb_pattern_check(fb_str_of(text), why, &at));
    assert_non_null(strstr(why, "64 KB"));
    memcpy(text + 1003, "){7}", 5);
    assert_true(fb_pattern_check(fb_str_of(text), why, &at));
    struct fb_str pattern = fb_str_of(text);
    struct fb_matcher *matcher = fb_matcher_new(&pattern, 1);
    assert_int_equal(fb_matcher_match(matcher, 0, FB_S("aaa")), 0);
    fb_matcher_free(matcher);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_patterns_end_as_true_false_or_unknown),
        cmocka_unit_test(a_match_is_unknown_from_the_promised_step_on),
        cmocka_unit_test(all_places_where_a_match_may_begin_count_together),
        cmocka_unit_test(a_verdict_does_not_depend_on_the_matches_before),
        cmocka_unit_test(ordinary_patterns_stay_far_below_the_limit),
        cmocka_unit_test(a_pattern_cannot_lift_its_limits),
        cmocka_unit_test(what_is_too_large_to_be_counted_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
