/* Exactly once at the edge: the transactional sink and the positions of the source against a real
 * broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "connectors/kafka_group.h"
#include "connectors/kafka_source.h"
#include "connectors/kafka_txn_sink.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/topic.h"
#include "tests/kafka/transaction.h"

enum { PARTITIONS = 2, TAKEN_MAX = 64, POLLS_MAX = 1200, POLL_MS = 50 };

/* A worker without an engine: what it reads it writes, when it is told to. */
struct member {
    const char *address;
    char application[64], name[80], input[64], output[64];
    const char *inputs[1], *outputs[1];
    int32_t partitions[1];
    struct fb_kafka_setting settings[2];
    struct fb_kafka_health health;
    atomic_bool stop;
    struct fb_kafka_source_config source_config;
    struct fb_kafka_txn_sink_config sink_config;
    struct fb_record_source *source;
    struct fb_sink *sink;
    struct part {
        bool mine, fresh, at_end;
        int64_t from, next; /* where it began; a poll that begins may take records at once */
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
        *part = (struct part){.mine = true,
                              .fresh = positions[i].fresh,
                              .from = positions[i].next,
                              .next = positions[i].next};
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
    member->address = address;
    snprintf(member->application, sizeof member->application, "%s", application);
    snprintf(member->name, sizeof member->name, "%s-%s", application, name);
    snprintf(member->input, sizeof member->input, "%.50s-in", application);
    snprintf(member->output, sizeof member->output, "%.50s-out", application);
    member->inputs[0] = member->input;
    member->outputs[0] = member->output;
    member->partitions[0] = PARTITIONS;
    member->only = -1;
    member->settings[0] = (struct fb_kafka_setting){"bootstrap.servers", address};
    member->settings[1] = (struct fb_kafka_setting){"session.timeout.ms", "6000"};
    struct fb_kafka_settings settings = {member->settings, 2};
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

/* As the engine does: the number of the commit, and who committed. */
static const char *note_of(const struct member *member, int commit_no, char note[static 100]) {
    snprintf(note, 100, "%d %s", commit_no, member->name);
    return note;
}

static void must_commit(struct member *member, int commit_no) {
    char note[100];
    struct fb_err err;
    note_of(member, commit_no, note);
    enum fb_commit outcome = commit(member, note, 100, &err);
    if (outcome != FB_COMMITTED)
        fail_msg("commit ends with %d: %s", (int)outcome, err.text);
}

/* Takes n records, writes and commits them. */
static void echo(struct member *member, unsigned n, int commit_no) {
    take(member, n);
    put_taken(member);
    must_commit(member, commit_no);
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

/* A member of an application of its own, with n records in each partition of its input. */
static struct member *lone_member(const char *prefix, int n) {
    const char *address = fb_broker_shared();
    char application[64];
    fb_topic_name(application, prefix);
    make_topics(address, application, n);
    return new_member(address, application, "a-0");
}

/* The output holds exactly what the input holds, for readers of committed records. */
static void assert_echoed(const struct member *member, size_t n) {
    struct fb_records in = fb_topic_read(member->address, member->input, true);
    struct fb_records out = fb_topic_await(member->address, member->output, true, n);
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
    char note[100];
    struct member *member = lone_member("txn", 3);
    open_member(member);
    take(member, 6);
    assert_true(member->parts[0].fresh && member->parts[1].fresh);
    put_taken(member);
    assert_echoed(member, 0);
    must_commit(member, 1);
    assert_echoed(member, 6);
    struct fb_records out = fb_topic_read(member->address, member->output, true);
    assert_int_equal(out.v[0].stamp_ms, 1700000000123);
    fb_records_free(&out);
    must_commit(member, 2); /* of positions alone */
    assert_int_equal(fb_group_offset_stable(member->address, member->application, member->input, 0),
                     3);
    close_member(member);

    open_member(member);
    fb_topic_put(member->address, member->input, 1, 0, "k", "1-3", NULL, 0);
    take(member, 1);
    for (int p = 0; p < PARTITIONS; p++) {
        assert_false(member->parts[p].fresh);
        assert_string_equal(member->parts[p].note, note_of(member, 2, note));
    }
    put_taken(member);
    close_member(member); /* not committed: aborted */
    open_member(member);
    take(member, 1);
    assert_string_equal(member->taken[0].value, "1-3");
    put_taken(member);
    must_commit(member, 3);
    assert_echoed(member, 7);
    free_member(member);
}

static void a_zombie_commits_nothing(void **state) {
    (void)state;
    struct member *zombie = lone_member("zombie", 2);
    struct member *heir = new_member(zombie->address, zombie->application, "a-0");
    struct fb_err err;
    open_member(zombie);
    take(zombie, 4);
    put_taken(zombie);
    open_member(heir);
    assert_int_equal(commit(zombie, "1 zombie", 100, &err), FB_COMMIT_DOUBT);
    assert_true(strlen(err.text) > 0);
    put_taken(zombie);
    assert_int_equal(commit(zombie, "1 zombie", 100, &err), FB_COMMIT_DOUBT);
    echo(heir, 4, 1);
    assert_echoed(heir, 4);
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

/* ---- partitions ---- */

static void wait_for_end(struct member *member, int32_t partition) {
    for (int i = 0; !member->parts[partition].at_end; i++) {
        assert_true(i < POLLS_MAX);
        poll_once(member);
    }
}

static int64_t end_of(struct member *member, int32_t partition) {
    struct fb_position position = {.topic = fb_str_of(member->input),
                                   .partition = partition,
                                   .next = member->parts[partition].next};
    return member->source->calls->end_of(member->source, &position);
}

static void marks_and_open_transactions_in_the_input_are_no_lag(void **state) {
    (void)state;
    struct member *member = lone_member("marks", 0);
    fb_transact(member->address, member->input, 0, 2, true);  /* 0 1, a mark at 2 */
    fb_transact(member->address, member->input, 2, 4, false); /* 3 4, a mark at 5 */
    open_member(member);
    take(member, 2);
    wait_for_end(member, 0);
    assert_int_equal(member->parts[0].next, 2);
    assert_int_equal(end_of(member, 0), 2);
    must_commit(member, 1);
    assert_int_equal(fb_group_offset_stable(member->address, member->application, member->input, 0),
                     2);

    rd_kafka_t *open =
        fb_transaction_begin(member->address, "other", member->input, 0, 4, 5); /* 6 */
    for (int i = 0; end_of(member, 0) != 2; i++) {
        assert_true(i < POLLS_MAX);
        poll_once(member);
    }
    poll_once(member);
    assert_int_equal(end_of(member, 0), 2);
    member->parts[0].at_end = false;
    fb_transaction_end(open, true); /* a mark at 7 */
    take(member, 1);
    assert_int_equal(member->parts[0].next, 7);
    wait_for_end(member, 0);
    assert_int_equal(end_of(member, 0), 7);

    close_member(member); /* begins at 2 again, and behind the mark of what was not committed */
    open_member(member);
    take(member, 1);
    must_commit(member, 2);
    close_member(member);
    open_member(member); /* begins at 7: nothing but a mark */
    wait_for_end(member, 0);
    assert_int_equal(end_of(member, 0), 7);
    free_member(member);
}

static void a_partition_without_a_position_rests(void **state) {
    (void)state;
    struct member *member = lone_member("rest", 3);
    member->only = 1;
    open_member(member);
    take(member, 3);
    wait_for_end(member, 1);
    for (unsigned i = 0; i < member->n_taken; i++)
        assert_int_equal(member->taken[i].partition, 1);
    put_taken(member);
    must_commit(member, 1); /* with the position of the other one */
    assert_int_equal(fb_group_offset_stable(member->address, member->application, member->input, 0),
                     0);
    assert_int_equal(fb_group_offset_stable(member->address, member->application, member->input, 1),
                     3);
    free_member(member);
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Has committed all that it read, and sent further positions that it will never commit. */
static _Noreturn void hang(const char *address, const char *application, int said) {
    struct member *member = new_member(address, application, "a-0");
    open_member(member);
    echo(member, 4, 1);
    rd_kafka_t *rk = fb_transaction_begin(address, member->name, member->output, 0, 0, 1);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, member->input, 0)->offset = 77;
    if (rd_kafka_send_offsets_to_transaction(rk, list, fb_kafka_source_group(member->source),
                                             60000) ||
        write(said, "x", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void what_a_killed_owner_left_open_is_ended_at_the_take_over(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char application[64], byte, note[100];
    fb_topic_name(application, "killed");
    make_topics(address, application, 2);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        hang(address, application, ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);

    int64_t killed_ms = now_ms();
    struct member *heir = new_member(address, application, "b-0");
    open_member(heir);
    for (int i = 0; !heir->parts[0].mine || !heir->parts[1].mine; i++) {
        assert_true(i < POLLS_MAX);
        poll_once(heir);
    }
    print_message("taken over %lld ms after the kill, with a session of 6000 ms\n",
                  (long long)(now_ms() - killed_ms));
    snprintf(note, sizeof note, "1 %s-a-0", application);
    assert_int_equal(heir->parts[0].from, 2);
    assert_string_equal(heir->parts[0].note, note);
    /* Nothing is open any more: the output ends where its records end, for all readers. */
    assert_int_equal(fb_topic_end(address, heir->output, 0, true),
                     fb_topic_end(address, heir->output, 0, false));
    assert_echoed(heir, 4);
    free_member(heir);
}

/* Joins an instance that works, puts its first output and never commits: no note has its name. */
static _Noreturn void hang_at_first(const char *address, const char *application, int begin,
                                    int said) {
    char byte;
    if (read(begin, &byte, 1) != 1)
        _exit(1);
    struct member *member = new_member(address, application, "a-0");
    open_member(member);
    while (!member->started)
        poll_once(member);
    int32_t mine = member->parts[0].mine ? 0 : 1;
    fb_transaction_begin(address, member->name, member->output, mine, 0, 1);
    if (write(said, "x", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void an_owner_killed_within_its_first_transaction_is_shut_out_too(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char application[64], byte;
    fb_topic_name(application, "first");
    make_topics(address, application, 2);
    int begin[2], said[2];
    assert_int_equal(pipe(begin), 0);
    assert_int_equal(pipe(said), 0);
    pid_t child = fork(); /* before this process has threads */
    if (child == 0)
        hang_at_first(address, application, begin[0], said[1]);
    fcntl(said[0], F_SETFL, O_NONBLOCK);
    struct member *heir = new_member(address, application, "b-0");
    open_member(heir);
    echo(heir, 4, 1);
    assert_int_equal(write(begin[1], "x", 1), 1);
    for (int i = 0; read(said[0], &byte, 1) != 1; i++) {
        assert_true(i < POLLS_MAX);
        poll_once(heir);
    }
    assert_true(heir->parts[0].mine != heir->parts[1].mine);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (int i = 0; !heir->parts[0].mine || !heir->parts[1].mine; i++) {
        assert_true(i < POLLS_MAX);
        poll_once(heir);
    }
    for (int32_t p = 0; p < 2; p++)
        assert_int_equal(fb_topic_end(address, heir->output, p, true),
                         fb_topic_end(address, heir->output, p, false));
    free_member(heir);
    for (int i = 0; i < 2; i++) {
        close(begin[i]);
        close(said[i]);
    }
}

static void a_living_member_is_not_shut_out(void **state) {
    (void)state;
    char note[100];
    struct member *first = lone_member("living", 2);
    struct member *second = new_member(first->address, first->application, "b-0");
    open_member(first);
    echo(first, 4, 1);
    open_member(second);
    for (int i = 0; first->started < 2 || second->started < 1; i++) {
        assert_true(i < POLLS_MAX);
        poll_once(first);
        poll_once(second);
    }
    assert_true(first->parts[0].mine != first->parts[1].mine);
    assert_true(second->parts[0].mine != second->parts[1].mine);
    int given = second->parts[0].mine ? 0 : 1;
    assert_string_equal(second->parts[given].note, note_of(first, 1, note));
    fb_topic_put(first->address, first->input, 1 - given, 0, "k", "more", NULL, 0);
    echo(first, 1, 2); /* its producer is still the only one */
    assert_echoed(first, 5);
    free_member(second);
    free_member(first);
}

/* ---- outages ---- */

/* As a worker does: until what it has taken is committed, exactly once. */
static void commit_whatever_comes(struct member *member, const char *note) {
    static const char *const names[] = {"committed", "wait", "again", "doubt", "failed"};
    struct part wanted[PARTITIONS];
    struct fb_err err;
    memcpy(wanted, member->parts, sizeof wanted);
    for (int i = 0; i < 20; i++) {
        enum fb_commit outcome = commit(member, note, 100, &err);
        print_message("%s: %s %s\n", note, names[outcome], err.text);
        if (outcome == FB_COMMITTED)
            return;
        assert_true(outcome == FB_COMMIT_AGAIN || outcome == FB_COMMIT_DOUBT);
        if (outcome == FB_COMMIT_DOUBT) {
            close_member(member);
            open_member(member);
            while (!member->started)
                poll_once(member);
            if (strcmp(member->parts[0].note, note) == 0) {
                assert_int_equal(member->parts[0].from, wanted[0].next);
                return; /* it was committed */
            }
            unsigned n = 0;
            for (int p = 0; p < PARTITIONS; p++)
                n += (unsigned)(wanted[p].next - member->parts[p].from);
            take(member, n);
        }
        put_taken(member);
    }
    fail_msg("%s", err.text);
}

static void an_outage_within_a_transaction_neither_loses_nor_doubles(void **state) {
    (void)state;
    struct fb_broker *broker = fb_broker_start();
    const char *address = fb_broker_address(broker);
    struct fb_err err;
    make_topics(address, "outage", 2);
    struct member *member = new_member(address, "outage", "a-0");
    open_member(member);
    take(member, 4);
    put_taken(member);
    fb_broker_kill(broker);
    fb_broker_restart(broker);
    commit_whatever_comes(member, "killed-after-put");
    member->n_taken = 0;

    fb_topic_put(address, member->input, 0, 0, "k", "0-2", NULL, 0);
    take(member, 1);
    put_taken(member);
    commit(member, "stopped-in-commit", 0, &err);
    fb_broker_stop(broker);
    fb_broker_restart(broker);
    commit_whatever_comes(member, "stopped-in-commit");
    member->n_taken = 0;

    /* The process ends in doubt: the next one learns from the position what holds. */
    fb_topic_put(address, member->input, 0, 0, "k", "0-3", NULL, 0);
    take(member, 1);
    put_taken(member);
    enum fb_commit outcome = commit(member, "killed-in-commit", 0, &err);
    fb_broker_kill(broker);
    close_member(member);
    fb_broker_restart(broker);
    member->started = 0;
    open_member(member);
    while (!member->started)
        poll_once(member);
    bool committed = strcmp(member->parts[0].note, "killed-in-commit") == 0;
    assert_true(committed || outcome != FB_COMMITTED);
    print_message("killed in commit: it was %scommitted\n", committed ? "" : "not ");
    assert_int_equal(member->parts[0].from, committed ? 4 : 3);
    assert_echoed(member, committed ? 6 : 5);
    if (!committed) {
        echo(member, 1, 4);
    }
    assert_echoed(member, 6);
    free_member(member);
    fb_broker_free(broker);
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_positions_and_notes_come_together),
        cmocka_unit_test(a_zombie_commits_nothing),
        cmocka_unit_test(a_record_that_no_broker_takes_ends_the_commit),
        cmocka_unit_test(marks_and_open_transactions_in_the_input_are_no_lag),
        cmocka_unit_test(a_partition_without_a_position_rests),
        cmocka_unit_test(what_a_killed_owner_left_open_is_ended_at_the_take_over),
        cmocka_unit_test(an_owner_killed_within_its_first_transaction_is_shut_out_too),
        cmocka_unit_test(a_living_member_is_not_shut_out),
        cmocka_unit_test(an_outage_within_a_transaction_neither_loses_nor_doubles),
    };
    return cmocka_run_group_tests_name("txn", tests, NULL, NULL);
}
