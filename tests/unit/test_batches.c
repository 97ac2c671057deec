/* Where a batch is cut decides nothing: the same bytes with 1, 7 and 1,000 records a batch.
 *
 * Place in the flow: engine/run/task with the sample fleet's records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/calendar.h"
#include "engine/run/routes.h"
#include "engine/run/task.h"
#include "engine/sample/stream.h"
#include "tests/unit/bundle_of_text.h"

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

static void drain(struct fb_task *task, struct fb_buf *out) {
    struct fb_batch *batch = fb_task_batch(task);
    for (uint32_t i = 0; i < fb_batch_count(batch); i++) {
        struct fb_outgoing record;
        struct fb_header headers[FB_BATCH_HEADERS_MAX];
        fb_buf_printf(out, "%d ", (int)fb_batch_at(batch, i, &record, headers));
        fb_buf_str(out, record.key);
        fb_buf_str(out, record.value);
        for (uint32_t h = 0; h < record.n_headers; h++)
            fb_buf_str(out, headers[h].value);
        fb_buf_char(out, '\n');
    }
    fb_batch_clear(batch);
}

/* All outputs of a task that is drained after every so many records. */
static struct fb_buf run(const struct fb_task_config *config, struct fb_bundle *bundle,
                         int64_t every) {
    struct fb_stream_options options = {.profile = fb_profile_find("pumps"),
                                        .devices = 30,
                                        .duration_us = 5 * FB_MINUTE,
                                        .start_us = INT64_C(1767225600) * FB_SECOND,
                                        .seed = 3,
                                        .fault_factor = 500,
                                        .poison_every = 700};
    struct fb_sample_stream *stream = fb_stream_new(&options);
    struct fb_task *task = fb_task_new(config, bundle, 0);
    struct fb_stream_record from;
    struct fb_buf out = {0};
    int64_t offset = 0;
    fb_task_set_next(task, 0, 0);
    while (fb_stream_next(stream, &from)) {
        struct fb_record record = {.topic = FB_S("p"),
                                   .offset = offset++,
                                   .stamp_us = from.stamp_us,
                                   .key = from.key,
                                   .value = from.value};
        fb_task_record(task, 0, &record, from.stamp_us + FB_SECOND);
        if (offset % every == 0)
            drain(task, &out);
    }
    fb_task_tick(task, options.start_us + options.duration_us + FB_MINUTE);
    drain(task, &out);
    assert_int_equal(fb_task_stats(task).records, offset);
    fb_task_free(task);
    fb_stream_free(stream);
    return out;
}

static void results_do_not_depend_on_where_a_batch_is_cut(void **state) {
    (void)state;
    struct fb_bundle_settings settings = {.max_skew_us = 10 * FB_MINUTE, .max_age_us = FB_MINUTE};
    struct fb_bundle *bundle = bundle_of_text(rules, &settings);
    struct fb_task_config config = {.application = FB_S("t"),
                                    .room = {FB_BATCH_MEMORY_MAX, "/tmp"}};
    struct fb_buf one = run(&config, bundle, 1);
    static const int64_t others[] = {7, 1000};
    for (int i = 0; i < 2; i++) {
        struct fb_buf other = run(&config, bundle, others[i]);
        assert_int_equal(other.n, one.n);
        assert_memory_equal(other.p, one.p, one.n);
        fb_buf_free(&other);
    }
    config.room.memory_max = 1000; /* most of them by way of the temporary file */
    struct fb_buf other = run(&config, bundle, 1000);
    assert_int_equal(other.n, one.n);
    assert_memory_equal(other.p, one.p, one.n);
    fb_buf_free(&other);
    const char *text = fb_buf_terminated(&one);
    assert_non_null(strstr(text, "\"rule\":\"hot\""));
    assert_non_null(strstr(text, "\"rule\":\"swings\""));
    assert_non_null(strstr(text, "\"rule\":\"quiet\""));
    assert_non_null(strstr(text, "\"rule\":\"minute\""));
    assert_non_null(strstr(text, "JSON_"));
    fb_buf_free(&one);
    fb_bundle_drop(bundle);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_do_not_depend_on_where_a_batch_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
