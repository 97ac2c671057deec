/* What was written before, read again: the history against a real broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "connectors/kafka_history.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/topic.h"
#include "tests/kafka/transaction.h"

struct reading {
    const char *address;
    struct fb_kafka_setting setting;
    struct fb_kafka_settings settings;
    atomic_bool stop;
    struct fb_history *history;
};

static void open_history(struct reading *reading, const char *address) {
    struct fb_err err = {0};
    *reading = (struct reading){.address = address, .setting = {"bootstrap.servers", address}};
    reading->settings = (struct fb_kafka_settings){&reading->setting, 1};
    reading->history = fb_kafka_history_open(&reading->settings, &reading->stop, &err);
    if (!reading->history)
        fail_msg("history: %s", err.text);
}

static void close_history(struct reading *reading) {
    reading->history->calls->close(reading->history);
}

static struct fb_reader *open_reader(struct reading *reading, const char *topic, int32_t partition,
                                     int64_t from) {
    struct fb_err err = {0};
    struct fb_reader *reader =
        reading->history->calls->open(reading->history, topic, partition, from, &err);
    if (!reader)
        fail_msg("reader: %s", err.text);
    return reader;
}

/* The next record must have this value; NULL: there is none. */
static int64_t must_read(struct fb_reader *reader, const char *value) {
    struct fb_record record = {0};
    struct fb_err err = {0};
    enum fb_read read = reader->calls->next(reader, &record, &err);
    if (read == FB_READ_FAILED)
        fail_msg("next: %s", err.text);
    assert_int_equal(read, value ? FB_READ_RECORD : FB_READ_END);
    if (!value)
        return -1;
    assert_int_equal(record.value.n, strlen(value));
    assert_memory_equal(record.value.p, value, record.value.n);
    return record.offset;
}

static void history_skips_what_was_not_committed(void **state) {
    (void)state;
    char topic[64], other[64], absent[64];
    struct reading reading;
    struct fb_err err = {0};
    int64_t first = -1, end = -1;
    open_history(&reading, fb_broker_shared());
    fb_topic_name(topic, "journal");
    fb_topic_name(other, "other");
    fb_topic_name(absent, "absent");
    fb_topic_create(reading.address, topic, 1, NULL);
    fb_topic_create(reading.address, other, 1, NULL);
    assert_true(reading.history->calls->bounds(reading.history, absent, 0, &first, &end, &err));
    assert_int_equal(first, 0);
    assert_int_equal(end, 0);
    assert_false(reading.history->calls->bounds(reading.history, topic, 1, &first, &end, &err));
    assert_int_equal(err.kind, FB_FATAL);
    assert_non_null(strstr(err.text, "has 1 partitions"));

    fb_transact(reading.address, topic, 0, 3, true);  /* 0 1 2 and a mark at 3 */
    fb_transact(reading.address, topic, 3, 5, false); /* 4 5, a mark at 6 */
    fb_transact(reading.address, topic, 5, 6, true);  /* 7, a mark at 8 */
    fb_transact(reading.address, topic, 6, 9, false); /* 9 10 11, a mark at 12 */
    fb_topic_put(reading.address, other, 0, 0, NULL, "x", NULL, 0);
    assert_true(reading.history->calls->bounds(reading.history, topic, 0, &first, &end, &err));
    assert_int_equal(first, 0);
    assert_int_equal(end, 13);
    struct fb_reader *one = open_reader(&reading, topic, 0, 0);
    struct fb_reader *two = open_reader(&reading, other, 0, 0);
    assert_int_equal(must_read(one, "0"), 0);
    assert_int_equal(must_read(two, "x"), 0);
    must_read(two, NULL);
    must_read(one, "1");
    fb_transact(reading.address, topic, 9, 10, true); /* behind the end of the opening */
    must_read(one, "2");
    assert_int_equal(must_read(one, "5"), 7);
    must_read(one, NULL);
    must_read(one, NULL);
    one->calls->close(one);
    one = open_reader(&reading, topic, 0, 8);
    must_read(one, "9");
    must_read(one, NULL);
    one->calls->close(one);
    one = open_reader(&reading, topic, 0, 15);
    must_read(one, NULL);
    one->calls->close(one);
    two->calls->close(two);
    close_history(&reading);
}

/* It remembers topics that were there: one that goes, comes, or is wider is another one all the
 * same. What it tells may be a moment old. */
static void history_follows_a_topic_that_comes_and_goes(void **state) {
    (void)state;
    char topic[64];
    struct reading reading;
    struct fb_err err = {0};
    int64_t first = -1, end = -1;
    open_history(&reading, fb_broker_shared());
    const struct fb_history_calls *calls = reading.history->calls;
    fb_topic_name(topic, "control");
    assert_true(calls->peek(reading.history, topic, 0, &first, &end, &err));
    assert_int_equal(first, 0);
    assert_int_equal(end, 0);
    fb_topic_create(reading.address, topic, 1, NULL);
    fb_transact(reading.address, topic, 0, 3, true);
    while (end == 0)
        assert_true(calls->peek(reading.history, topic, 0, &first, &end, &err));
    assert_int_equal(end, 4);
    fb_topic_grow(reading.address, topic, 2);
    while (!calls->peek(reading.history, topic, 1, &first, &end, &err))
        assert_non_null(strstr(err.text, "has 1 partitions"));
    fb_topic_delete(reading.address, topic);
    do
        assert_true(calls->bounds(reading.history, topic, 0, &first, &end, &err));
    while (end != 0);
    fb_topic_create(reading.address, topic, 1, NULL);
    fb_transact(reading.address, topic, 0, 1, true);
    while (end == 0)
        assert_true(calls->peek(reading.history, topic, 0, &first, &end, &err));
    assert_int_equal(end, 2);
    close_history(&reading);
}

static void history_skips_what_was_compacted(void **state) {
    (void)state;
    static const char *const settings[] = {
        "cleanup.policy", "compact", "segment.ms", "100", "min.cleanable.dirty.ratio",
        "0.01",           NULL};
    char topic[64];
    struct reading reading;
    open_history(&reading, fb_broker_shared());
    fb_topic_name(topic, "snapshots");
    fb_topic_create(reading.address, topic, 1, settings);
    fb_transact(reading.address, topic, 0, 4, true); /* 0 to 3, a mark at 4 */
    fb_transact(reading.address, topic, 1, 3, true); /* 5 6, a mark at 7 */
    size_t n = 6;
    for (int i = 0; n > 4; i++) {
        assert_true(i < 60);
        sleep(1);
        fb_transact(reading.address, topic, 100 + i, 101 + i, true); /* ends the segment before */
        struct fb_records all = fb_topic_read(reading.address, topic, true);
        n = all.n - (size_t)i - 1;
        fb_records_free(&all);
    }
    struct fb_reader *reader = open_reader(&reading, topic, 0, 1);
    assert_int_equal(must_read(reader, "3"), 3);
    assert_int_equal(must_read(reader, "1"), 5);
    assert_int_equal(must_read(reader, "2"), 6);
    must_read(reader, "100");
    reader->calls->close(reader);
    close_history(&reading);
}

static void history_finds_moments_and_says_what_is_gone(void **state) {
    (void)state;
    char topic[64];
    struct reading reading;
    struct fb_err err = {0};
    int64_t offset;
    open_history(&reading, fb_broker_shared());
    fb_topic_name(topic, "moments");
    fb_topic_create(reading.address, topic, 1, NULL);
    for (int i = 0; i < 5; i++)
        fb_topic_put(reading.address, topic, 0, 1700000000000 + i * 1000, NULL, "x", NULL, 0);
    const struct fb_history_calls *calls = reading.history->calls;
    assert_true(calls->offset_at(reading.history, topic, 0, 1700000002000000, &offset, &err));
    assert_int_equal(offset, 2);
    assert_true(calls->offset_at(reading.history, topic, 0, 1700000002000001, &offset, &err));
    assert_in_range(offset, 2, 3);
    assert_true(calls->offset_at(reading.history, topic, 0, 0, &offset, &err));
    assert_int_equal(offset, 0);
    assert_true(calls->offset_at(reading.history, topic, 0, 1800000000000000, &offset, &err));
    assert_int_equal(offset, 5);

    fb_topic_cut(reading.address, topic, 0, 3);
    assert_null(calls->open(reading.history, topic, 0, 2, &err));
    assert_int_equal(err.kind, FB_FATAL);
    assert_non_null(strstr(err.text, topic));
    assert_non_null(strstr(err.text, "offset 2"));
    assert_non_null(strstr(err.text, "3 is the first"));
    assert_null(calls->open(reading.history, topic, 0, 6, &err));
    assert_int_equal(err.kind, FB_FATAL);
    assert_non_null(strstr(err.text, "ends at offset 5"));
    struct fb_reader *reader = open_reader(&reading, topic, 0, 4);
    must_read(reader, "x");
    must_read(reader, NULL);
    reader->calls->close(reader);
    close_history(&reading);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history_skips_what_was_not_committed),
        cmocka_unit_test(history_follows_a_topic_that_comes_and_goes),
        cmocka_unit_test(history_skips_what_was_compacted),
        cmocka_unit_test(history_finds_moments_and_says_what_is_gone),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
