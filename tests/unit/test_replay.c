/* `replay` as its callers see it: files in, lines out; merging, clocks, dead letters, envelopes. */
#include "engine/run/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/file_out.h"
#include "engine/base/calendar.h"
#include "rules/compile.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z, in milliseconds */

static char folder[] = "/tmp/fb-test-replay-XXXXXX";
static struct fb_err err;

/* ---- one run ---- */

enum { INPUTS_MAX = 8 };

static struct fb_diags *diags;
static struct fb_compiled compiled;
static struct fb_replay_input inputs[INPUTS_MAX];
static struct fb_replay_set sets[1];
static struct fb_replay_options options;
static struct fb_replay_result result;
static char paths[INPUTS_MAX][128];
static struct fb_buf streams[FB_STREAMS]; /* what came out, as text */
static struct fb_buf seen;                /* "time rule device message|", of the watcher */

static bool write_line(void *context, enum fb_stream stream, struct fb_str line,
                       struct fb_err *why) {
    (void)context;
    (void)why;
    fb_buf_str(&streams[stream], line);
    return true;
}

static void watch(void *context, const struct fb_output *output, struct fb_str message) {
    (void)context;
    char at[FB_TIME_TEXT_MAX];
    at[fb_time_format(output->at_us, at)] = '\0';
    fb_buf_printf(&seen, "%.8s ", at + 11);
    if (output->kind == FB_OUT_ALERT)
        fb_buf_printf(&seen, "%s ", fb_alert_event_name(output->event));
    fb_buf_printf(&seen, "%.*s %.*s %.*s|", FB_ARG(output->rule->name), FB_ARG(output->device),
                  FB_ARG(message));
}

static void forget(void) {
    for (int i = 0; i < FB_STREAMS; i++)
        streams[i].n = 0;
    seen.n = 0;
}

static void write_file(const char *path, const char *text) {
    struct fb_file_out *out = fb_file_out_open(path, &err);
    assert_non_null(out);
    assert_true(fb_file_out_put(out, fb_str_of(text), &err));
    assert_true(fb_file_out_close(out, &err));
}

/* Starts on a replay of these rules, without inputs. */
static void rules(const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/test.rules", folder);
    write_file(path, text);
    fb_diags_free(diags);
    fb_compiled_free(&compiled);
    diags = fb_diags_new();
    const char *const files[] = {path};
    if (!fb_compile_all(files, 1, diags, &compiled)) {
        struct fb_buf report = {0};
        fb_diags_print(diags, compiled.sources, false, &report);
        fail_msg("%s", fb_buf_terminated(&report));
    }
    unlink(path);
    options = (struct fb_replay_options){
        .program = compiled.program,
        .inputs = inputs,
        .sets = sets,
        .tasks = 1,
        .max_skew_us = 10 * FB_MINUTE,
        .application = FB_S("test"),
        .write = write_line,
        .watch = watch,
    };
    forget();
}

static void input(const char *topic, const char *name, const char *text) {
    uint32_t i = options.n_inputs++;
    assert_in_range(i, 0, INPUTS_MAX - 1);
    snprintf(paths[i], sizeof paths[i], "%s/%s", folder, name);
    write_file(paths[i], text);
    inputs[i] = (struct fb_replay_input){.topic = fb_str_of(topic), .path = paths[i]};
}

static bool try(void) {
    bool done = fb_replay(&options, &result, &err);
    for (uint32_t i = 0; i < options.n_inputs; i++)
        unlink(paths[i]);
    return done;
}

static void run(void) {
    if (!try())
        fail_msg("%s", err.text);
}

static void expect_seen(const char *wanted) {
    assert_string_equal(fb_buf_terminated(&seen), wanted);
}

static uint32_t count(enum fb_stream stream, const char *words) {
    uint32_t n = 0;
    for (const char *p = fb_buf_terminated(&streams[stream]); (p = strstr(p, words)); p++)
        n++;
    return n;
}

static void expect_in(enum fb_stream stream, const char *words) {
    if (count(stream, words) != 1)
        fail_msg("%u times %s in %s", count(stream, words), words,
                 fb_buf_terminated(&streams[stream]));
}

static int set_up(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    fb_diags_free(diags);
    fb_compiled_free(&compiled);
    for (int i = 0; i < FB_STREAMS; i++)
        fb_buf_free(&streams[i]);
    fb_buf_free(&seen);
    return rmdir(folder);
}

/* Every record tells: its time, device and value. */
static const char pumps[] = "device pump from \"pumps\" { key id  time ts  v : number }\n"
                            "event told on pump { whenever changed(v)  message \"{v}\" }\n";

static const char fans[] = "device fan from \"fans\" { key fan  time ts [ms]  v : number }\n"
                           "event heard on fan { whenever changed(v)  message \"{v}\" }\n";

static const char *both(void) {
    static char text[512];
    snprintf(text, sizeof text, "%s%s", pumps, fans);
    return text;
}

/* ---- merging ---- */

static void several_inputs_are_merged_by_time(void **state) {
    (void)state;
    rules(pumps);
    input("", "a", "{\"id\":\"a\",\"ts\":\"2026-01-01T00:00:01Z\",\"v\":0}\n"
                   "{\"id\":\"a\",\"ts\":\"2026-01-01T00:00:04Z\",\"v\":1}\n"
                   "{\"id\":\"a\",\"ts\":\"2026-01-01T00:00:08Z\",\"v\":2}\n");
    input("", "b", "{\"id\":\"b\",\"ts\":\"2026-01-01T00:00:02Z\",\"v\":0}\n"
                   "{\"id\":\"b\",\"ts\":\"2026-01-01T00:00:03Z\",\"v\":3}\n"
                   "{\"id\":\"b\",\"ts\":\"2026-01-01T00:00:06Z\",\"v\":4}\n");
    run();
    expect_seen("00:00:03 told b 3|00:00:04 told a 1|00:00:06 told b 4|00:00:08 told a 2|");
    assert_int_equal(result.records, 6);
}

static void ties_come_in_the_order_of_the_options(void **state) {
    (void)state;
    static const char first[] = "{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":0}\n"
                                "{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":1}\n";
    static const char second[] = "{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":2}\n";
    rules(pumps);
    input("", "z", first);
    input("", "a", second);
    run();
    expect_seen("00:00:00 told p 1|00:00:00 told p 2|");
    rules(pumps);
    input("", "a", second);
    input("", "z", first);
    run();
    expect_seen("00:00:00 told p 0|00:00:00 told p 1|");
}

static void several_classes_of_a_topic_take_one_record_each_in_their_order(void **state) {
    (void)state;
    rules("device pump from \"t\" { key pump  time ts  v : number }\n"
          "device motor from \"t\" { key motor  time ts  v : number }\n"
          "event p on pump { whenever changed(v)  message \"{v}\" }\n"
          "event m on motor { whenever changed(v)  message \"{v}\" }\n");
    input("", "a", "{\"pump\":\"a\",\"motor\":\"b\",\"ts\":\"2026-01-01\",\"v\":1}\n"
                   "{\"pump\":\"a\",\"motor\":\"b\",\"ts\":\"2026-01-01\",\"v\":2}\n"
                   "{\"motor\":\"b\",\"ts\":\"2026-01-01\",\"v\":3}\n"
                   "{\"fan\":\"c\",\"ts\":\"2026-01-01\",\"v\":4}\n");
    run();
    expect_seen("00:00:00 p a 2|00:00:00 m b 2|00:00:00 m b 3|");
    assert_int_equal(result.dead, 1);
    expect_in(FB_STREAM_DEAD, "\"reason\":\"NO_KEY\"");
    expect_in(FB_STREAM_DEAD, "\"offset\":3");
}

static void a_topic_must_be_named_where_the_rules_read_several(void **state) {
    (void)state;
    rules(both());
    input("", "a", "");
    assert_false(try());
    assert_non_null(strstr(err.text, "say which one"));
    rules(both());
    input("motors", "a", "");
    assert_false(try());
    assert_non_null(strstr(err.text, "no device of the rules takes the topic `motors`"));
}

/* ---- kinds of files ---- */

static void a_compressed_file_is_read_as_it_is(void **state) {
    (void)state;
    rules(pumps);
    input("", "a.ndjson.zst", "{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":0}\n"
                              "{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":1}\n");
    run();
    expect_seen("00:00:00 told p 1|");
}

static void a_csv_file_may_take_the_device_from_its_name(void **state) {
    (void)state;
    rules(pumps);
    input("", "p7.csv", "ts,v\n2026-01-01 00:00:01,1\n2026-01-01 00:00:02,2\n");
    input("", "p8.csv.zst", "ts,v\n2026-01-01 00:00:01,1\n2026-01-01 00:00:03,3\n");
    sets[0] = (struct fb_replay_set){.name = FB_S("id"), .filename = true};
    options.n_sets = 1;
    run();
    expect_seen("00:00:02 told p7 2|00:00:03 told p8 3|");
}

static void a_csv_file_without_the_keys_is_refused(void **state) {
    (void)state;
    rules(pumps);
    input("", "p7.csv", "ts,v\n2026-01-01,1\n");
    assert_false(try());
    assert_non_null(strstr(err.text, "p7.csv"));
}

/* ---- the clock ---- */

static void until_carries_the_clock_on(void **state) {
    (void)state;
    static const char text[] =
        "device pump from \"pumps\" { key id  time ts  v : number stale after 30s }\n"
        "alarm lost on pump { raise high when silent for 1m  message \"lost\" }\n";
    static const char record[] = "{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":0}\n";
    rules(text);
    input("", "a", record);
    run();
    expect_seen("");
    rules(text);
    input("", "a", record);
    options.has_until = true;
    options.until_us = T0 * 1000 + 2 * FB_MINUTE;
    run();
    expect_seen("00:01:00 raised lost p lost|");
}

static void a_leap_that_nobody_follows_goes_to_late_as_future(void **state) {
    (void)state;
    rules(pumps);
    input("", "a", "{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:00Z\",\"v\":0}\n"
                   "{\"id\":\"q\",\"ts\":\"2099-01-01T00:00:00Z\",\"v\":0}\n"
                   "{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:01Z\",\"v\":1}\n");
    run();
    expect_seen("00:00:01 told p 1|");
    expect_in(FB_STREAM_LATE, "\"reason\":\"future\"");
    assert_int_equal(result.stats.future, 1);
}

static void a_leap_of_the_first_record_goes_to_late_as_future(void **state) {
    (void)state;
    rules(pumps);
    input("", "a", "{\"id\":\"q\",\"ts\":\"2099-01-01T00:00:00Z\",\"v\":0}\n"
                   "{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:00Z\",\"v\":0}\n"
                   "{\"id\":\"q\",\"ts\":\"2026-01-01T00:00:00Z\",\"v\":0}\n"
                   "{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:01Z\",\"v\":1}\n"
                   "{\"id\":\"q\",\"ts\":\"2026-01-01T00:00:02Z\",\"v\":1}\n");
    run();
    expect_seen("00:00:01 told p 1|00:00:02 told q 1|");
    expect_in(FB_STREAM_LATE, "\"reason\":\"future\"");
    assert_int_equal(result.stats.future, 1);
}

static void a_gap_that_all_cross_is_crossed(void **state) {
    (void)state;
    rules(pumps);
    input("", "a", "{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:00Z\",\"v\":0}\n"
                   "{\"id\":\"q\",\"ts\":\"2026-01-01T00:00:00Z\",\"v\":0}\n"
                   "{\"id\":\"p\",\"ts\":\"2026-01-08T00:00:00Z\",\"v\":1}\n"
                   "{\"id\":\"q\",\"ts\":\"2026-01-08T00:00:00Z\",\"v\":1}\n");
    run();
    expect_seen("00:00:00 told p 1|00:00:00 told q 1|");
    assert_int_equal(result.stats.future, 0);
}

/* ---- dead letters ---- */

static void what_cannot_be_read_is_a_dead_letter_with_its_bytes(void **state) {
    (void)state;
    rules(pumps);
    input("", "a", "{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":0}\n"
                   "\n"
                   "not json\n"
                   "{\"id\":\"p\",\"ts\":\"soon\",\"v\":7}\n"
                   "{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":1}\n");
    run();
    expect_seen("00:00:00 told p 1|");
    assert_int_equal(result.dead, 2);
    expect_in(FB_STREAM_DEAD, "\"reason\":\"JSON_NOT_OBJECT\"");
    expect_in(FB_STREAM_DEAD, "\"payload\":\"not json\"");
    expect_in(FB_STREAM_DEAD, "\"reason\":\"BAD_TIME\"");
    expect_in(FB_STREAM_DEAD, "\\\"v\\\":7}\"");
}

/* ---- tasks ---- */

/* What came out for one device. */
static struct fb_buf lines_of(const char *device) {
    struct fb_buf lines = {0};
    char wanted[32];
    int n = snprintf(wanted, sizeof wanted, "\"device\":\"%s\"", device);
    const char *line = streams[FB_STREAM_ALERTS].p, *end = line + streams[FB_STREAM_ALERTS].n;
    for (const char *newline; line < end; line = newline + 1) {
        newline = memchr(line, '\n', (size_t)(end - line));
        assert_non_null(newline);
        if (memmem(line, (size_t)(newline - line), wanted, (size_t)n))
            fb_buf_put(&lines, line, (size_t)(newline - line) + 1);
    }
    return lines;
}

static void the_number_of_tasks_changes_nothing_of_a_device(void **state) {
    (void)state;
    enum { DEVICES = 7 };
    struct fb_buf text = {0}, alone[DEVICES];
    for (int i = 0; i < 4000; i++)
        fb_buf_printf(&text, "{\"id\":\"p%d\",\"ts\":\"2026-01-01T00:%02d:%02dZ\",\"v\":%d}\n",
                      i % DEVICES, i / 120, i / 2 % 60, i * i % 11 + i / 400 % 2 * 5);
    for (int several = 0; several < 2; several++) {
        rules("device pump from \"pumps\" { key id  time ts  v : number }\n"
              "event told on pump { whenever changed(v) }\n"
              "alarm high on pump { raise high when avg(v over 20s) > 5 for 3s }\n"
              "event mean on pump { whenever avg(v each 1m) > 4 }\n");
        input("", "a", fb_buf_terminated(&text));
        options.tasks = several ? 4 : 1;
        run();
        assert_int_equal(result.stats.devices, DEVICES);
        assert_true(result.stats.alerts >= 10 && result.stats.events >= 1000);
        for (int i = 0; i < DEVICES; i++) {
            struct fb_buf lines = lines_of((char[]){'p', (char)('0' + i), '\0'});
            assert_true(lines.n > 0);
            if (several) {
                assert_string_equal(fb_buf_terminated(&lines), fb_buf_terminated(&alone[i]));
                fb_buf_free(&lines);
                fb_buf_free(&alone[i]);
            } else {
                alone[i] = lines;
            }
        }
    }
    fb_buf_free(&text);
}

/* The devices of a domain see each other, in whatever task they are; two classes whose domain is
 * not the same key of the id. */
static void several_tasks_keep_what_sees_each_other_together(void **state) {
    (void)state;
    static const char *const key[] = {"key hall, id", "key id, hall", "key id\n tag hall"};
    struct fb_buf text = {0}, alone = {0};
    for (int i = 0; i < 2000; i++)
        fb_buf_printf(
            &text,
            "{\"hall\":\"%c\",\"id\":\"%d\",\"ts\":\"2026-01-01T00:%02d:%02dZ\",\"%c\":%d,"
            "\"rack\":\"%d\"}\n",
            'a' + i * 7 % 5, i % 3, i / 60, i % 60, i % 2 ? 'x' : 'y', i * i % 13, i % 3);
    for (int domain = 0; domain < 3; domain++) {
        char words[640];
        snprintf(words, sizeof words,
                 "device rack from \"t\" { key hall, id  domain hall  time ts  x : number }\n"
                 "device fan from \"t\" { %s  domain hall  time ts  y : number\n tag rack\n"
                 " link at : rack by hall, rack }\n"
                 "alarm hot on fan { raise high when at.x > 6 and y > 3 }\n"
                 "alarm busy on rack by hall { raise high when avg(x of rack) > 5 }\n",
                 key[domain]);
        for (int several = 0; several < 2; several++) {
            rules(words);
            input("", "a", fb_buf_terminated(&text));
            options.tasks = several ? 4 : 1;
            options.audit = true;
            run();
            assert_true(result.stats.alerts >= 100);
            /* One task only, where the domain is no part of the id. */
            assert_int_equal(count(FB_STREAM_AUDIT, "\"kind\":\"rules\""),
                             several && domain < 2 ? 4 : 1);
            static const char *const fan[] = {"a,0", "0,a", "0"};
            struct fb_buf lines = lines_of(fan[domain]), row = lines_of("a");
            assert_true(lines.n > 0 && row.n > 0);
            fb_buf_put(&lines, row.p, row.n);
            fb_buf_free(&row);
            if (!several)
                fb_buf_put(&alone, lines.p, lines.n);
            assert_string_equal(fb_buf_terminated(&lines), fb_buf_terminated(&alone));
            fb_buf_free(&lines);
            alone.n = several ? 0 : alone.n;
        }
    }
    fb_buf_free(&alone);
    fb_buf_free(&text);
}

/* ---- envelopes ---- */

static void an_envelope_names_its_topic(void **state) {
    (void)state;
    rules(both());
    options.envelope = true;
    input("", "a",
          "{\"topic\":\"pumps\",\"stamp\":1767225600000,\"value\":{\"id\":\"p\",\"ts\":"
          "\"2026-01-01\",\"v\":0}}\n"
          "{\"topic\":\"fans\",\"stamp\":1767225600000,\"value\":{\"fan\":\"f\",\"ts\":"
          "1767225600000,\"v\":0}}\n"
          "{\"value\":{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:01Z\",\"v\":1},\"key\":\"p\","
          "\"stamp\":1767225601000,\"topic\":\"pumps\"}\n"
          "{\"topic\":\"f\\u0061ns\",\"stamp\":1767225602000,\"value\":[{\"fan\":\"f\",\"ts\":"
          "1767225602000,\"v\":2},{\"fan\":\"f\",\"ts\":1767225603000,\"v\":3}]}\n");
    run();
    assert_int_equal(result.dead, 0);
    expect_seen("00:00:01 told p 1|00:00:02 heard f 2|00:00:03 heard f 3|");
}

static void stamps_drive_the_clock_and_merge_the_inputs(void **state) {
    (void)state;
    static const char text[] =
        "device pump from \"pumps\" { key id  time ts [ms]  v : number }\n"
        "event told on pump { whenever changed(v)  message \"{v}\" }\n"
        "alarm lost on pump { raise high when silent for 1m  message \"lost\" }\n";
    rules(text);
    options.envelope = true;
    /* By ts q would come first; by stamp it comes last, and only then is p overdue. */
    input("", "a", "{\"topic\":\"pumps\",\"stamp\":1767225900000,"
                   "\"value\":{\"id\":\"q\",\"ts\":1767225600000,\"v\":5}}\n"
                   "{\"topic\":\"pumps\",\"stamp\":1767225900000,"
                   "\"value\":{\"id\":\"q\",\"ts\":1767225600000,\"v\":6}}\n");
    input("", "b", "{\"topic\":\"pumps\",\"stamp\":1767225660000,"
                   "\"value\":{\"id\":\"p\",\"ts\":1767225660000,\"v\":1}}\n"
                   "{\"topic\":\"pumps\",\"stamp\":1767225661000,"
                   "\"value\":{\"id\":\"p\",\"ts\":1767225660000,\"v\":2}}\n");
    run();
    expect_seen("00:01:01 told p 2|00:02:01 raised lost p lost|00:00:00 told q 6|");
}

static void a_stamp_is_the_time_of_arrival(void **state) {
    (void)state;
    rules("device pump from \"pumps\" { key id  time arrival  v : number }\n"
          "event told on pump { whenever changed(v)  message \"{v}\" }\n");
    options.envelope = true;
    input("", "a",
          "{\"topic\":\"pumps\",\"stamp\":1767225600000,\"value\":{\"id\":\"p\",\"v\":1}}\n"
          "{\"topic\":\"pumps\",\"stamp\":1767225605000,\"value\":{\"id\":\"p\",\"v\":2}}\n"
          "{\"topic\":\"pumps\",\"stamp\":-1,\"value\":{\"id\":\"p\",\"v\":3}}\n"
          "{\"topic\":\"pumps\",\"value\":{\"id\":\"p\",\"v\":4}}\n");
    run();
    expect_seen("00:00:05 told p 2|");
    assert_int_equal(count(FB_STREAM_DEAD, "\"reason\":\"BAD_TIME\""), 2);
}

static void without_a_stamp_the_samples_time_drives_the_clock(void **state) {
    (void)state;
    rules(pumps);
    options.envelope = true;
    input("", "a",
          "{\"topic\":\"pumps\",\"value\":{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:01Z\",\"v\":1}}\n"
          "{\"topic\":\"pumps\",\"stamp\":-1,"
          "\"value\":{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:02Z\",\"v\":2}}\n"
          "{\"topic\":\"pumps\",\"stamp\":null,"
          "\"value\":{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:03Z\",\"v\":3}}\n");
    run();
    expect_seen("00:00:02 told p 2|00:00:03 told p 3|");
}

static void a_bad_envelope_is_a_dead_letter_that_says_why(void **state) {
    (void)state;
    static const struct {
        const char *line, *reason;
    } cases[] = {
        {"not json", "ENVELOPE_JSON"},
        {"{\"topic\":\"pumps\",\"value\":{\"id\":\"p\",\"ts\":}}", "ENVELOPE_JSON"},
        {"{\"topic\":\"pumps\",\"topic\":\"pumps\",\"value\":{}}", "ENVELOPE_JSON"},
        {"{\"value\":{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":1}}", "ENVELOPE_TOPIC"},
        {"{\"topic\":\"\",\"value\":{\"id\":\"p\"}}", "ENVELOPE_TOPIC"},
        {"{\"topic\":7,\"value\":{\"id\":\"p\"}}", "ENVELOPE_TOPIC"},
        {"{\"topic\":\"pumps\"}", "ENVELOPE_VALUE"},
        {"{\"topic\":\"pumps\",\"value\":null}", "ENVELOPE_VALUE"},
        {"{\"topic\":\"pumps\",\"value\":12}", "ENVELOPE_VALUE"},
        {"{\"topic\":\"pumps\",\"stamp\":\"noon\",\"value\":{\"id\":\"p\"}}", "ENVELOPE_STAMP"},
        {"{\"topic\":\"pumps\",\"stamp\":1.5,\"value\":{\"id\":\"p\"}}", "ENVELOPE_STAMP"},
        {"{\"topic\":\"pumps\",\"stamp\":-2,\"value\":{\"id\":\"p\"}}", "ENVELOPE_STAMP"},
        {"{\"topic\":\"pumps\",\"stamp\":1e30,\"value\":{\"id\":\"p\"}}", "ENVELOPE_STAMP"},
        {"{\"topic\":\"pumps\",\"stamp\":1,\"value\":{\"nobody\":1}}", "NO_KEY"},
        {"{\"topic\":\"pumps\",\"stamp\":1,\"value\":\"not json\"}", "JSON_NOT_OBJECT"},
        {"{\"topic\":\"motors\",\"stamp\":1,\"value\":{\"id\":\"p\"}}", "NO_CLASS"},
    };
    struct fb_buf text = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        fb_buf_printf(&text, "%s\n", cases[i].line);
    fb_buf_text(&text, "{\"topic\":\"pumps\",\"stamp\":1767225600000,"
                       "\"value\":{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":1}}\n"
                       "{\"topic\":\"pumps\",\"stamp\":1767225600000,"
                       "\"value\":{\"id\":\"p\",\"ts\":\"2026-01-01\",\"v\":2}}\n");
    rules(pumps);
    options.envelope = true;
    input("", "a", fb_buf_terminated(&text));
    run();
    expect_seen("00:00:00 told p 2|");
    assert_int_equal(result.dead, sizeof cases / sizeof *cases);
    const char *p = fb_buf_terminated(&streams[FB_STREAM_DEAD]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char wanted[64];
        p = strstr(p, "\"reason\":\"");
        assert_non_null(p);
        snprintf(wanted, sizeof wanted, "\"reason\":\"%s\"", cases[i].reason);
        if (strncmp(p, wanted, strlen(wanted)))
            fail_msg("%s: wanted %s, got %.200s", cases[i].line, wanted, p);
        p++;
    }
    fb_buf_free(&text);
}

static void a_value_may_be_as_large_and_deep_as_any_record(void **state) {
    (void)state;
    struct fb_buf text = {0};
    for (int v = 1; v < 4; v++) {
        fb_buf_printf(&text,
                      "{\"topic\":\"pumps\",\"stamp\":%lld,\"value\":{\"id\":\"p\","
                      "\"ts\":\"2026-01-01\",\"v\":%d,\"x\":",
                      (long long)T0, v);
        int levels = v < 3 ? 31 : 32; /* 32 are allowed, the record's own included */
        for (int i = 0; i < 2 * levels; i++)
            fb_buf_char(&text, i < levels ? '[' : ']');
        fb_buf_text(&text, ",\"pad\":\"");
        for (int i = 0; i < 260000; i++)
            fb_buf_char(&text, 'x');
        fb_buf_text(&text, "\"}}\n");
    }
    rules(pumps);
    options.envelope = true;
    input("", "a", fb_buf_terminated(&text));
    run();
    expect_seen("00:00:00 told p 2|");
    expect_in(FB_STREAM_DEAD, "\"reason\":\"JSON_DEPTH\"");
    fb_buf_free(&text);
}

static void a_csv_file_holds_no_envelopes(void **state) {
    (void)state;
    rules(pumps);
    options.envelope = true;
    input("", "a.csv", "ts,v\n");
    assert_false(try());
    assert_non_null(strstr(err.text, "a CSV file has none"));
}

/* ---- the audit ---- */

static const char heat[] =
    "device pump from \"pumps\" { key id  time ts  temp : number [degC]  flow : number }\n"
    "alarm hot on pump { raise high when temp > 80 degC and flow < 5 }\n"
    "event seen on pump { whenever temp > 0 degC }\n";

static void the_audit_tells_of_rules_decisions_rejects_and_jumps(void **state) {
    (void)state;
    rules(heat);
    options.audit = true;
    options.build = "1.2.3";
    memset(options.rules, 0xAB, sizeof options.rules);
    input("", "a", "{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:00Z\",\"temp\":20,\"flow\":4}\n"
                   "{\"id\":\"q\",\"ts\":\"2026-01-01T00:00:00Z\",\"temp\":20,\"flow\":9}\n"
                   "not json\n"
                   "{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:09Z\",\"temp\":90}\n"
                   "{\"id\":\"q\",\"ts\":\"2026-01-01T00:10:10Z\",\"temp\":20}\n"
                   "{\"id\":\"p\",\"ts\":\"2026-01-01T00:10:10Z\",\"temp\":20}\n");
    run();
    assert_int_equal(count(FB_STREAM_AUDIT, "\n"), 5);
    static const char *const kinds[] = {"rules", "rejected", "decision", "clock", "decision"};
    const char *line = fb_buf_terminated(&streams[FB_STREAM_AUDIT]);
    for (int i = 0; i < 5; i++) {
        char begin[64];
        snprintf(begin, sizeof begin, "\"data\":{\"task\":\"test/0\",\"seq\":%d,", i + 1);
        const char *at = strstr(line, begin), *end = strchr(line, '\n');
        assert_true(at && at < end);
        at = strstr(line, "\"kind\":\"") + strlen("\"kind\":\"");
        assert_memory_equal(at, kinds[i], strlen(kinds[i]));
        line = end + 1;
    }
    expect_in(FB_STREAM_AUDIT, "\"outcome\":\"JSON_NOT_OBJECT\"");
    expect_in(FB_STREAM_AUDIT, "\"build\":\"1.2.3\",\"rules\":\"abababab");
    /* The record carries the temperature; the flow was known from before. */
    expect_in(FB_STREAM_AUDIT,
              "\"inputs\":[{\"name\":\"flow\",\"value\":4,\"quality\":\"good\","
              "\"at\":\"2026-01-01T00:00:00.000Z\",\"topic\":null,\"partition\":null,"
              "\"offset\":null},{\"name\":\"temp\",\"value\":90,\"quality\":\"good\","
              "\"at\":\"2026-01-01T00:00:09.000Z\",\"topic\":\"pumps\",\"partition\":-1,"
              "\"offset\":3}],\"verdicts\":[],\"outcome\":\"raised\"");
    expect_in(FB_STREAM_AUDIT, "\"from\":\"2026-01-01T00:00:09.000Z\"");
}

static void each_task_has_a_chain_and_until_may_be_a_jump(void **state) {
    (void)state;
    rules(heat);
    options.audit = true;
    options.tasks = 3;
    options.has_until = true;
    options.until_us = T0 * 1000 + 11 * FB_MINUTE;
    input("", "a", "{\"id\":\"p\",\"ts\":\"2026-01-01T00:00:00Z\",\"temp\":20}\n");
    run();
    expect_in(FB_STREAM_AUDIT, "\"task\":\"test/2\",\"seq\":1,");
    expect_in(FB_STREAM_AUDIT, "\"task\":\"test/2\",\"seq\":2,");
    assert_int_equal(count(FB_STREAM_AUDIT, "\"kind\":\"clock\""), 3);
    assert_int_equal(count(FB_STREAM_AUDIT, "\"cause\":null"), 6);
}

static void without_being_asked_there_is_no_audit(void **state) {
    (void)state;
    rules(heat);
    input("", "a", "{\"id\":\"p\",\"ts\":\"2026-01-01\",\"temp\":90,\"flow\":0}\nno\n");
    run();
    expect_in(FB_STREAM_ALERTS, "\"event\":\"raised\"");
    assert_int_equal(streams[FB_STREAM_AUDIT].n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_inputs_are_merged_by_time),
        cmocka_unit_test(ties_come_in_the_order_of_the_options),
        cmocka_unit_test(several_classes_of_a_topic_take_one_record_each_in_their_order),
        cmocka_unit_test(a_topic_must_be_named_where_the_rules_read_several),
        cmocka_unit_test(a_compressed_file_is_read_as_it_is),
        cmocka_unit_test(a_csv_file_may_take_the_device_from_its_name),
        cmocka_unit_test(a_csv_file_without_the_keys_is_refused),
        cmocka_unit_test(until_carries_the_clock_on),
        cmocka_unit_test(a_leap_of_the_first_record_goes_to_late_as_future),
        cmocka_unit_test(a_leap_that_nobody_follows_goes_to_late_as_future),
        cmocka_unit_test(a_gap_that_all_cross_is_crossed),
        cmocka_unit_test(what_cannot_be_read_is_a_dead_letter_with_its_bytes),
        cmocka_unit_test(the_number_of_tasks_changes_nothing_of_a_device),
        cmocka_unit_test(several_tasks_keep_what_sees_each_other_together),
        cmocka_unit_test(an_envelope_names_its_topic),
        cmocka_unit_test(stamps_drive_the_clock_and_merge_the_inputs),
        cmocka_unit_test(a_stamp_is_the_time_of_arrival),
        cmocka_unit_test(without_a_stamp_the_samples_time_drives_the_clock),
        cmocka_unit_test(a_bad_envelope_is_a_dead_letter_that_says_why),
        cmocka_unit_test(a_value_may_be_as_large_and_deep_as_any_record),
        cmocka_unit_test(a_csv_file_holds_no_envelopes),
        cmocka_unit_test(the_audit_tells_of_rules_decisions_rejects_and_jumps),
        cmocka_unit_test(each_task_has_a_chain_and_until_may_be_a_jump),
        cmocka_unit_test(without_being_asked_there_is_no_audit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
