/* Exactly once at the edge: the transactional sink, the positions of the source and the history
 * against a real broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connectors/kafka_history.h"
#include "connectors/kafka_source.h"
#include "connectors/kafka_txn_sink.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/topic.h"

enum { PARTITIONS = 2, TAKEN_MAX = 64, POLLS_MAX = 1200, POLL_MS = 50 };

/* A worker without an engine: what it reads it writes, when it is told to. */
struct member {
    char application[64], name[80], input[64], output[64];
    const char *inputs[1], *outputs[1];
    int32_t partitions[1];
    struct fb_kafka_setting setting;
    struct fb_kafka_health health;
    atomic_bool stop;
    struct fb_kafka_source_config source_config;
    struct fb_kafka_txn_sink_config sink_config;
    struct fb_record_source *source;
    struct fb_sink *sink;
    struct part {
        bool mine, fresh, at_end;
        int64_t next;
        char note[FB_NOTE_BYTES_MAX + 1];
    } parts[PARTITIONS];
    unsigned started, n_taken;
    int32_t only; /* the only partition that is to be read; -1: all */
    struct {
        int32_t partition;
        char value[32];
    } taken[TAKEN_MAX];
};

static bool on_record(void *context, const struct fb_record *record) {
    struct member *member = context;
    struct part *part = &member->parts[record->partition];
    assert_true(part->mine);
    assert_true(record->offset >= part->next);
    assert_true(member->n_taken < TAKEN_MAX);
    member->taken[member->n_taken].partition = record->partition;
    snprintf(member->taken[member->n_taken++].value, sizeof member->taken[0].value, "%.*s",
             FB_ARG(record->value));
    part->next = record->offset + 1;
    part->at_end = false;
    return true;
}

static void on_started(void *context, struct fb_position *positions, uint32_t n) {
    struct member *member = context;
    for (uint32_t i = 0; i < n; i++) {
        struct part *part = &member->parts[positions[i].partition];
        *part = (struct part){.mine = true, .fresh = positions[i].fresh, .next = positions[i].next};
        snprintf(part->note, sizeof part->note, "%.*s", FB_ARG(positions[i].note));
        if (member->only >= 0 && positions[i].partition != member->only)
            positions[i].next = FB_POSITION_NONE;
    }
    member->started++;
}

static void on_stopped(void *context, bool lost) {
    (void)lost;
    struct member *member = context;
    memset(member->parts, 0, sizeof member->parts);
    member->n_taken = 0;
}

static void on_end(void *context, struct fb_str topic, int32_t partition, int64_t end) {
    (void)topic;
    struct member *member = context;
    member->parts[partition].at_end = member->parts[partition].next >= end;
}

static const struct fb_record_source_events events = {on_record, on_started, on_stopped, on_end};

/* Several members of one application have different names. */
static struct member *new_member(const char *address, const char *application, const char *name) {
    struct member *member = calloc(1, sizeof *member);
    assert_non_null(member);
    snprintf(member->application, sizeof member->application, "%s", application);
    snprintf(member->name, sizeof member->name, "%s-%s", application, name);
    snprintf(member->input, sizeof member->input, "%.50s-in", application);
    snprintf(member->output, sizeof member->output, "%.50s-out", application);
    member->inputs[0] = member->input;
    member->outputs[0] = member->output;
    member->partitions[0] = PARTITIONS;
    member->only = -1;
    member->setting = (struct fb_kafka_setting){"bootstrap.servers", address};
    struct fb_kafka_settings settings = {&member->setting, 1};
    member->source_config = (struct fb_kafka_source_config){.settings = settings,
                                                            .group = member->application,
                                                            .member = member->name,
                                                            .topics = member->inputs,
                                                            .n_topics = 1,
                                                            .from_earliest = true,
                                                            .stop = &member->stop,
                                                            .health = &member->health};
    member->sink_config =
        (struct fb_kafka_txn_sink_config){.sink = {.settings = settings,
                                                   .topics = member->outputs,
                                                   .partitions = member->partitions,
                                                   .n_topics = 1,
                                                   .health = &member->health},
                                          .transactional_id = member->name,
                                          .stop = &member->stop};
    return member;
}

static void open_member(struct member *member) {
    struct fb_err err = {0};
    member->sink = fb_kafka_txn_sink_open(&member->sink_config, &err);
    if (!member->sink)
        fail_msg("sink: %s", err.text);
    member->source = fb_kafka_source_open(&member->source_config, &events, member, &err);
    if (!member->source)
        fail_msg("source: %s", err.text);
}

static void close_member(struct member *member) {
    if (member->source)
        member->source->calls->close(member->source);
    if (member->sink)
        member->sink->calls->close(member->sink);
    member->source = NULL;
    member->sink = NULL;
}

static void free_member(struct member *member) {
    close_member(member);
    free(member);
}

static void poll_once(struct member *member) {
    struct fb_err err = {0};
    if (member->source->calls->poll(member->source, POLL_MS, &err) == FB_POLL_FAILED)
        fail_msg("poll: %s", err.text);
}

/* Until it has n records that it has not written yet. */
static void take(struct member *member, unsigned n) {
    for (int i = 0; member->n_taken < n; i++) {
        assert_true(i < POLLS_MAX);
        poll_once(member);
    }
    assert_int_equal(member->n_taken, n);
}

static void put_taken(struct member *member) {
    for (unsigned i = 0; i < member->n_taken; i++) {
        struct fb_err err = {0};
        struct fb_outgoing out = {.topic = member->output,
                                  .partition = member->taken[i].partition,
                                  .stamp_us = 1700000000123000,
                                  .key = fb_str_of("k"),
                                  .value = fb_str_of(member->taken[i].value)};
        while (!member->sink->calls->put(member->sink, &out, &err))
            if (err.kind != FB_RETRIABLE)
                fail_msg("put: %s", err.text);
    }
}

/* The positions of all that it has, with this note. */
static enum fb_commit commit(struct member *member, const char *note, int timeout_ms,
                             struct fb_err *err) {
    struct fb_position positions[PARTITIONS];
    uint32_t n = 0;
    for (int32_t p = 0; p < PARTITIONS; p++)
        if (member->parts[p].mine)
            positions[n++] = (struct fb_position){.topic = fb_str_of(member->input),
                                                  .partition = p,
                                                  .next = member->parts[p].next,
                                                  .note = fb_str_of(note)};
    enum fb_commit outcome = FB_COMMIT_WAIT;
    for (int i = 0; outcome == FB_COMMIT_WAIT && i < POLLS_MAX; i++) {
        *err = (struct fb_err){0};
        outcome = member->sink->calls->commit(member->sink, member->source, positions, n,
                                              timeout_ms, err);
        if (timeout_ms == 0)
            return outcome;
    }
    if (outcome == FB_COMMITTED)
        member->n_taken = 0;
    return outcome;
}

static void must_commit(struct member *member, const char *note) {
    struct fb_err err;
    enum fb_commit outcome = commit(member, note, 100, &err);
    if (outcome != FB_COMMITTED)
        fail_msg("commit ends with %d: %s", (int)outcome, err.text);
}

/* Two topics of two partitions; values "p-i" in each partition p. */
static void make_topics(const char *address, const char *application, int n) {
    char input[64], output[64], value[32];
    snprintf(input, sizeof input, "%.50s-in", application);
    snprintf(output, sizeof output, "%.50s-out", application);
    fb_topic_create(address, input, PARTITIONS, NULL);
    fb_topic_create(address, output, PARTITIONS, NULL);
    for (int32_t p = 0; p < PARTITIONS; p++)
        for (int i = 0; i < n; i++) {
            snprintf(value, sizeof value, "%d-%d", (int)p, i);
            fb_topic_put(address, input, p, 0, "k", value, NULL, 0);
        }
}

/* The output holds exactly what the input holds, for readers of committed records. */
static void assert_echoed(const char *address, const struct member *member, size_t n) {
    struct fb_records in = fb_topic_read(address, member->input, true);
    struct fb_records out = fb_topic_await(address, member->output, true, n);
    assert_int_equal(out.n, n);
    for (size_t i = 0, k = 0; i < in.n && n == in.n; i++, k++) {
        assert_int_equal(in.v[i].partition, out.v[k].partition);
        assert_string_equal(in.v[i].value, out.v[k].value);
    }
    fb_records_free(&in);
    fb_records_free(&out);
}

static void outputs_positions_and_notes_come_together(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char application[64];
    fb_topic_name(application, "txn");
    make_topics(address, application, 3);
    struct member *member = new_member(address, application, "a-0");
    open_member(member);
    take(member, 6);
    assert_true(member->parts[0].fresh && member->parts[1].fresh);
    put_taken(member);
    assert_echoed(address, member, 0);
    must_commit(member, "1 a-0");
    assert_echoed(address, member, 6);
    struct fb_records out = fb_topic_read(address, member->output, true);
    assert_int_equal(out.v[0].stamp_ms, 1700000000123);
    fb_records_free(&out);
    must_commit(member, "2 a-0"); /* of positions alone */
    assert_int_equal(fb_group_offset(address, application, member->input, 0), 3);
    close_member(member);

    open_member(member);
    fb_topic_put(address, member->input, 1, 0, "k", "1-3", NULL, 0);
    take(member, 1);
    for (int p = 0; p < PARTITIONS; p++) {
        assert_false(member->parts[p].fresh);
        assert_string_equal(member->parts[p].note, "2 a-0");
    }
    put_taken(member);
    close_member(member); /* not committed: aborted */
    open_member(member);
    take(member, 1);
    assert_string_equal(member->taken[0].value, "1-3");
    put_taken(member);
    must_commit(member, "3 a-0");
    assert_echoed(address, member, 7);
    free_member(member);
}

static void a_zombie_commits_nothing(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char application[64];
    fb_topic_name(application, "zombie");
    make_topics(address, application, 2);
    struct member *zombie = new_member(address, application, "a-0");
    struct member *heir = new_member(address, application, "a-0");
    struct fb_err err;
    open_member(zombie);
    take(zombie, 4);
    put_taken(zombie);
    open_member(heir);
    assert_int_equal(commit(zombie, "1 zombie", 100, &err), FB_COMMIT_DOUBT);
    assert_true(strlen(err.text) > 0);
    put_taken(zombie);
    assert_int_equal(commit(zombie, "1 zombie", 100, &err), FB_COMMIT_DOUBT);
    take(heir, 4);
    put_taken(heir);
    must_commit(heir, "1 heir");
    assert_echoed(address, heir, 4);
    free_member(zombie);
    free_member(heir);
}

static void a_record_that_no_broker_takes_ends_the_commit(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char application[64], output[64];
    static const char *const small[] = {"max.message.bytes", "1000", NULL};
    fb_topic_name(application, "large");
    snprintf(output, sizeof output, "%.50s-out", application);
    fb_topic_create(address, output, PARTITIONS, small);
    struct member *member = new_member(address, application, "a-0");
    struct fb_err err = {0};
    member->sink = fb_kafka_txn_sink_open(&member->sink_config, &err);
    assert_non_null(member->sink);
    char value[5000];
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (char)(i * i * 31 >> 3);
    struct fb_outgoing out = {
        .topic = output, .stamp_us = FB_NO_STAMP, .value = {value, sizeof value}};
    assert_true(member->sink->calls->put(member->sink, &out, &err));
    assert_int_equal(commit(member, "", 100, &err), FB_COMMIT_FAILED);
    assert_non_null(strstr(err.text, output));
    assert_non_null(strstr(err.text, "MSG_SIZE_TOO_LARGE"));
    struct fb_records got = fb_topic_read(address, output, true);
    assert_int_equal(got.n, 0);
    fb_records_free(&got);
    free_member(member);
}

/* ---- history ---- */

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

/* Records FROM .. TO-1 in partition 0, with their numbers as values and keys, in a transaction. */
static void transact(const char *address, const char *topic, int from, int to, bool commits) {
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", address, text, sizeof text);
    rd_kafka_conf_set(conf, "transactional.id", topic, text, sizeof text);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(rk);
    assert_null(rd_kafka_init_transactions(rk, 60000));
    assert_null(rd_kafka_begin_transaction(rk));
    for (int i = from; i < to; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                           RD_KAFKA_V_KEY(text, strlen(text)),
                                           RD_KAFKA_V_VALUE(text, strlen(text)),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                           RD_KAFKA_V_END),
                         0);
    }
    assert_int_equal(rd_kafka_flush(rk, 60000), 0);
    assert_null(commits ? rd_kafka_commit_transaction(rk, 60000)
                        : rd_kafka_abort_transaction(rk, 60000));
    rd_kafka_destroy(rk);
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

    transact(reading.address, topic, 0, 3, true);  /* 0 1 2 and a mark at 3 */
    transact(reading.address, topic, 3, 5, false); /* 4 5, a mark at 6 */
    transact(reading.address, topic, 5, 6, true);  /* 7, a mark at 8 */
    transact(reading.address, topic, 6, 9, false); /* 9 10 11, a mark at 12 */
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
    transact(reading.address, topic, 9, 10, true); /* behind the end of the opening */
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
    transact(reading.address, topic, 0, 4, true); /* 0 to 3, a mark at 4 */
    transact(reading.address, topic, 1, 3, true); /* 5 6, a mark at 7 */
    size_t n = 6;
    for (int i = 0; n > 4; i++) {
        assert_true(i < 60);
        sleep(1);
        transact(reading.address, topic, 100 + i, 101 + i, true); /* ends the segment before */
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
        cmocka_unit_test(outputs_positions_and_notes_come_together),
        cmocka_unit_test(a_zombie_commits_nothing),
        cmocka_unit_test(a_record_that_no_broker_takes_ends_the_commit),
        cmocka_unit_test(history_skips_what_was_not_committed),
        cmocka_unit_test(history_skips_what_was_compacted),
        cmocka_unit_test(history_finds_moments_and_says_what_is_gone),
    };
    return cmocka_run_group_tests_name("txn", tests, NULL, NULL);
}
