/* One device that misbehaves changes no byte of what is put out for the others.
 *
 * Place in the flow: engine/run/task with the sample fleet's records, and a stranger's between
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/calendar.h"
#include "engine/run/task.h"
#include "engine/sample/stream.h"
#include "tests/unit/bundle_of_text.h"

enum { DEVICES = 30, MANY = 1000, SPACE = 2 * MANY };

#define START_US (INT64_C(1767225600) * FB_SECOND)

static const char rules[] =
    "device pump from \"p\" { key pump time ts [ms] tag station\n"
    "  temp : number [degC] range -20..200, every 1s, stale after 5s\n"
    "  pressure : number [bar] range 0..16, every 1s\n"
    "  flow : number [m3/h]\n  running : bool\n  late up to 5s }\n"
    "alarm hot on pump { raise high when temp > 64 degC for 5s until temp < 62 degC for 3s }\n"
    "alarm swings on pump { raise low when stddev(pressure over 1m) > 0.05 bar deadband 0.01 bar "
    "}\n"
    "alarm quiet on pump { raise high when silent for 20s }\n"
    "event minute on pump { whenever avg(flow each 1m) > 100 m3/h }\n";

/* What comes between two records of the others. */
struct stranger {
    const char *key;
    uint32_t records;    /* after each of another; MANY: after each of the first device's */
    int64_t ts_us;       /* of the event; 0: as the others' */
    bool stamped;        /* ts_us is the record's stamp, too */
    const char *payload; /* instead of telemetry */
};

/* What is put out, for each device of the fleet and for the stranger. */
struct outputs {
    struct fb_buf of[DEVICES + 1];
    uint32_t n;
    uint64_t dead;
};

/* Alerts have the rule before the device in their key. */
static uint32_t number_of(struct fb_str key) {
    char name[32];
    const char *slash = memchr(key.p, '/', key.n);
    if (slash)
        key = (struct fb_str){slash + 1, key.n - (size_t)(slash + 1 - key.p)};
    for (uint32_t i = 0; i < DEVICES; i++) {
        snprintf(name, sizeof name, "pump-%04u", i);
        if (fb_str_eq(key, fb_str_of(name)))
            return i;
    }
    return DEVICES;
}

static void drain(struct fb_task *task, struct outputs *outputs) {
    struct fb_batch *batch = fb_task_batch(task);
    for (uint32_t i = 0; i < fb_batch_count(batch); i++) {
        struct fb_outgoing record;
        struct fb_header headers[FB_BATCH_HEADERS_MAX];
        enum fb_stream stream = fb_batch_at(batch, i, &record, headers);
        struct fb_buf *out = &outputs->of[number_of(record.key)];
        fb_buf_printf(out, "%d ", (int)stream);
        fb_buf_str(out, record.key);
        fb_buf_str(out, record.value);
        for (uint32_t h = 0; h < record.n_headers; h++) {
            fb_buf_str(out, headers[h].name);
            fb_buf_str(out, headers[h].value);
        }
        fb_buf_char(out, '\n');
        outputs->n++;
    }
    fb_batch_clear(batch);
}

static void write_telemetry(struct fb_buf *out, const struct stranger *stranger, int64_t at_us,
                            uint32_t i) {
    out->n = 0;
    if (stranger->payload) {
        fb_buf_text(out, stranger->payload);
        return;
    }
    int64_t ts_us = stranger->ts_us ? stranger->ts_us : at_us;
    fb_buf_printf(out,
                  "{\"pump\":\"%s\",\"ts\":%lld,\"temp\":%u,\"pressure\":%u.5,\"flow\":130,"
                  "\"running\":true}",
                  stranger->key, (long long)(ts_us / 1000), 50 + i % 30, i % 9);
}

/* The stranger's records, spread over the time until the next of the others; they take offsets
 * that the others leave free, since an output's identity is its cause's offset. */
static void intrude(struct fb_task *task, const struct stranger *stranger, int64_t offset,
                    int64_t at_us, struct fb_buf *text) {
    for (uint32_t i = 0; i < stranger->records; i++) {
        int64_t now_us = at_us + (int64_t)i * FB_SECOND / (DEVICES * SPACE);
        write_telemetry(text, stranger, now_us, i);
        struct fb_record record = {.topic = FB_S("p"),
                                   .offset = offset + 1 + i,
                                   .stamp_us = stranger->stamped ? stranger->ts_us : now_us,
                                   .key = fb_str_of(stranger->key),
                                   .value = {text->p, text->n}};
        fb_task_record(task, 0, &record, now_us + FB_SECOND);
    }
}

static struct outputs run(struct fb_bundle *bundle, const struct stranger *stranger) {
    struct fb_stream_options options = {.profile = fb_profile_find("pumps"),
                                        .devices = DEVICES,
                                        .duration_us = 5 * FB_MINUTE,
                                        .start_us = START_US,
                                        .seed = 3,
                                        .fault_factor = 500,
                                        .poison_every = 700};
    struct fb_task_config config = {.application = FB_S("t"),
                                    .room = {FB_BATCH_MEMORY_MAX, "/tmp"}};
    struct fb_sample_stream *stream = fb_stream_new(&options);
    struct fb_task *task = fb_task_new(&config, bundle, 0);
    struct fb_stream_record from;
    struct outputs outputs = {0};
    struct fb_buf text = {0};
    fb_task_set_next(task, 0, 0);
    for (int64_t offset = 0; fb_stream_next(stream, &from); offset += SPACE) {
        struct fb_record record = {.topic = FB_S("p"),
                                   .offset = offset,
                                   .stamp_us = from.stamp_us,
                                   .key = from.key,
                                   .value = from.value};
        bool first = number_of(from.key) == 0;
        fb_task_record(task, 0, &record, from.stamp_us + FB_SECOND);
        if (stranger && (first || stranger->records < MANY))
            intrude(task, stranger, offset, from.stamp_us, &text);
        drain(task, &outputs);
    }
    fb_task_tick(task, options.start_us + options.duration_us + FB_MINUTE);
    drain(task, &outputs);
    outputs.dead = fb_task_stats(task).dead;
    fb_task_free(task);
    fb_stream_free(stream);
    fb_buf_free(&text);
    return outputs;
}

static void forget(struct outputs *outputs) {
    for (uint32_t i = 0; i <= DEVICES; i++)
        fb_buf_free(&outputs->of[i]);
}

/* Runs with and without. Gives what was put out for the stranger, or died with it. */
static struct outputs others_are_the_same(const struct stranger *stranger) {
    struct fb_bundle_settings settings = {.max_skew_us = 10 * FB_MINUTE, .max_age_us = FB_MINUTE};
    struct fb_bundle *bundle = bundle_of_text(rules, &settings);
    struct outputs alone = run(bundle, NULL), with = run(bundle, stranger);
    uint32_t talkative = 0;
    for (uint32_t i = 0; i < DEVICES; i++) {
        talkative += alone.of[i].n > 0;
        assert_int_equal(with.of[i].n, alone.of[i].n);
        if (alone.of[i].n)
            assert_memory_equal(with.of[i].p, alone.of[i].p, alone.of[i].n);
    }
    assert_int_equal(talkative, DEVICES);
    assert_int_equal(alone.of[DEVICES].n, 0);
    print_message("%s: %u outputs of the others, %u of its own\n", stranger->key, alone.n,
                  with.n - alone.n);
    with.dead -= alone.dead;
    forget(&alone);
    fb_bundle_drop(bundle);
    return with;
}

static void one_device_may_send_a_thousand_times_as_often(void **state) {
    (void)state;
    struct stranger stranger = {.key = "loud", .records = MANY};
    struct outputs with = others_are_the_same(&stranger);
    assert_int_equal(with.dead, 0);
    assert_true(with.of[DEVICES].n > 0);
    forget(&with);
}

static void one_device_may_be_in_the_year_2099(void **state) {
    (void)state;
    struct stranger stranger = {
        .key = "ahead", .records = 3, .ts_us = INT64_C(4070908800) * FB_SECOND};
    struct outputs with = others_are_the_same(&stranger);
    assert_true(with.of[DEVICES].n > 0);
    forget(&with);
    stranger.stamped = true;
    with = others_are_the_same(&stranger);
    forget(&with);
}

static void one_device_may_be_in_the_year_1970(void **state) {
    (void)state;
    struct stranger stranger = {.key = "behind", .records = 3, .ts_us = FB_SECOND};
    struct outputs with = others_are_the_same(&stranger);
    assert_true(with.of[DEVICES].n > 0);
    forget(&with);
    stranger.stamped = true;
    with = others_are_the_same(&stranger);
    forget(&with);
}

static void one_device_may_send_nothing_but_poison(void **state) {
    (void)state;
    static const char *const payloads[] = {"",
                                           "{",
                                           "{\"pump\":\"foul\",\"ts\":",
                                           "[[[[[[[[",
                                           "\xFF\xFE\x00",
                                           "{\"pump\":[7],\"ts\":1}",
                                           "{\"pump\":\"foul\",\"ts\":1e400,\"temp\":1}"};
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        struct stranger stranger = {.key = "foul", .records = 3, .payload = payloads[i]};
        struct outputs with = others_are_the_same(&stranger);
        assert_true(with.dead > 0);
        forget(&with);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_device_may_send_a_thousand_times_as_often),
        cmocka_unit_test(one_device_may_be_in_the_year_2099),
        cmocka_unit_test(one_device_may_be_in_the_year_1970),
        cmocka_unit_test(one_device_may_send_nothing_but_poison),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
