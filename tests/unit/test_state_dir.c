/* A state folder on a real disk: what comes back, who is refused, and what a pipe source does with
 * its position. Crashes and failing disks: tests/disk. */
#include "connectors/state_dir.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/file_out.h"
#include "connectors/pipe.h"

static char folder[64];
static struct fb_err err;

static int set_up(void **state) {
    (void)state;
    strcpy(folder, "/tmp/fb-test-state-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_all(const char *path) {
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char name[512];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (unlink(name))
            remove_all(name);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static int tear_down(void **state) {
    (void)state;
    remove_all(folder);
    return 0;
}

static const char *path_of(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *path, const char *text) {
    struct fb_file_out *out = fb_file_out_open(path, &err);
    assert_non_null(out);
    assert_true(fb_file_out_put(out, fb_str_of(text), &err));
    assert_true(fb_file_out_close(out, &err));
}

static void expect_file(const char *path, const char *expected) {
    char text[4096] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static struct fb_state_dir *open_dir_again(uint64_t segment_bytes) {
    struct fb_state_place place = {folder, "plant", -1, NULL, segment_bytes};
    return fb_state_dir_open(&place, &err);
}

static struct fb_state_dir *open_dir(void) {
    struct fb_state_dir *dir = open_dir_again(0);
    if (!dir)
        fail_msg("%s", err.text);
    return dir;
}

static void expect_refused(const char *what, const char *way_out) {
    assert_null(open_dir_again(0));
    assert_int_equal(err.kind, FB_FATAL);
    if (!strstr(err.text, what) || !strstr(err.text, way_out) || !strstr(err.text, folder))
        fail_msg("%s", err.text);
}

/* ---- a source that commits nothing, for sinks ---- */

static bool commit_nothing(struct fb_record_source *source, const struct fb_position *positions,
                           uint32_t n, struct fb_err *e) {
    (void)source;
    (void)positions;
    (void)n;
    (void)e;
    return true;
}
static const struct fb_record_source_calls source_calls = {.commit = commit_nothing};
static struct fb_record_source no_source = {&source_calls};

static struct fb_sink *open_sink(struct fb_state_dir *dir) {
    struct fb_state_marks marks;
    struct fb_sink *inner = fb_pipe_sink_open_behind(path_of("out"), &marks, &err);
    assert_non_null(inner);
    struct fb_sink *sink = fb_state_sink_open(dir, inner, &marks, "journal", "snapshot", &err);
    assert_non_null(sink);
    return sink;
}

static void put(struct fb_sink *sink, const char *topic, const char *key, const char *value) {
    struct fb_outgoing out = {.topic = topic, .partition = -1, .stamp_us = 5};
    if (key)
        out.key = fb_str_of(key);
    if (value)
        out.value = fb_str_of(value);
    assert_true(sink->calls->put(sink, &out, &err));
}

static void commit(struct fb_sink *sink) {
    if (sink->calls->commit(sink, &no_source, NULL, 0, 0, &err) != FB_COMMITTED)
        fail_msg("%s", err.text);
}

/* "offset key=value" of each record of a topic, with a '|' before it. */
static void expect_topic(struct fb_state_dir *dir, const char *topic, int64_t from,
                         const char *input_path, const char *expected) {
    struct fb_history_topics topics = {"journal", "snapshot", "input", input_path};
    struct fb_history *history = fb_state_history_open(dir, &topics, &err);
    struct fb_reader *reader = history->calls->open(history, topic, -1, from, &err);
    if (!reader)
        fail_msg("%s", err.text);
    struct fb_buf got = {0};
    struct fb_record record;
    enum fb_read read;
    while ((read = reader->calls->next(reader, &record, &err)) == FB_READ_RECORD)
        fb_buf_printf(&got, "|%d %.*s=%.*s", (int)record.offset, FB_ARG(record.key),
                      FB_ARG(record.value));
    assert_int_equal(read, FB_READ_END);
    assert_string_equal(fb_buf_terminated(&got), expected);
    fb_buf_free(&got);
    reader->calls->close(reader);
    history->calls->close(history);
}

static void close_both(struct fb_sink *sink, struct fb_state_dir *dir) {
    sink->calls->close(sink);
    fb_state_dir_close(dir);
}

/* ---- what comes back ---- */

static void a_new_folder_holds_nothing(void **state) {
    (void)state;
    struct fb_state_dir *dir = open_dir();
    assert_int_equal(fb_state_unfinished(dir), -1);
    expect_topic(dir, "journal", 0, NULL, "");
    expect_topic(dir, "snapshot", 0, NULL, "");
    fb_state_dir_close(dir);
}

static void what_was_committed_comes_back(void **state) {
    (void)state;
    struct fb_state_dir *dir = open_dir();
    struct fb_sink *sink = open_sink(dir);
    put(sink, "alerts", "d1", "one\n");
    put(sink, "journal", NULL, "first");
    put(sink, "snapshot", "rules/aa", "text");
    put(sink, "snapshot", "A/00000000", "a0");
    commit(sink);
    put(sink, "journal", NULL, "second");
    put(sink, "snapshot", "A/00000001", "a1");
    put(sink, "snapshot", "A/manifest", "am");
    put(sink, "alerts", "d1", "two\n");
    commit(sink);
    put(sink, "journal", NULL, "never committed");
    put(sink, "alerts", "d1", "never\n");
    close_both(sink, dir);
    dir = open_dir();
    assert_int_equal(fb_state_unfinished(dir), -1);
    expect_topic(dir, "journal", 0, NULL, "|0 =first|1 =second");
    expect_topic(dir, "journal", 1, NULL, "|1 =second");
    expect_topic(dir, "journal", 2, NULL, "");
    expect_topic(dir, "snapshot", 0, NULL,
                 "|0 rules/aa=text|1 A/00000000=a0|2 A/00000001=a1|3 A/manifest=am");
    expect_file(path_of("out"), "one\ntwo\n");
    fb_state_dir_close(dir);
}

static void a_snapshot_under_way_leaves_the_whole_ones_alone(void **state) {
    (void)state;
    struct fb_state_dir *dir = open_dir();
    struct fb_sink *sink = open_sink(dir);
    static const char *const pieces[][2] = {{"A/00000000", "1"}, {"A/manifest", "m1"},
                                            {"B/00000000", "2"}, {"B/manifest", "m2"},
                                            {"A/00000000", "3"}, {"A/00000001", "3"}};
    for (int i = 0; i < 6; i++) {
        put(sink, "journal", NULL, "j");
        put(sink, "snapshot", pieces[i][0], pieces[i][1]);
        commit(sink);
    }
    expect_topic(dir, "snapshot", 0, NULL,
                 "|0 A/00000000=1|1 A/manifest=m1|2 B/00000000=2|3 B/manifest=m2");
    close_both(sink, dir);
    dir = open_dir();
    expect_topic(dir, "snapshot", 1, NULL, "|1 A/manifest=m1|2 B/00000000=2|3 B/manifest=m2");
    /* Begun anew from its first piece; the older snapshot now comes first. */
    sink = open_sink(dir);
    put(sink, "snapshot", "A/00000000", "4");
    put(sink, "snapshot", "A/00000001", "4");
    put(sink, "journal", NULL, "j");
    commit(sink);
    put(sink, "snapshot", "A/00000000", "5");
    put(sink, "snapshot", "A/manifest", "m5");
    put(sink, "journal", NULL, "j");
    commit(sink);
    expect_topic(dir, "snapshot", 0, NULL,
                 "|0 B/00000000=2|1 B/manifest=m2|2 A/00000000=5|3 A/manifest=m5");
    close_both(sink, dir);
}

/* The last byte of the first record of a snapshot's pieces that holds this text. */
static void damage_file(const char *path, const char *text) {
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    char bytes[4096];
    size_t n = fread(bytes, 1, sizeof bytes, file);
    char *at = memmem(bytes, n, text, strlen(text));
    assert_non_null(at);
    fseek(file, (long)(at - bytes), SEEK_SET);
    fputc(*at ^ 1, file);
    fclose(file);
}

/* What is damaged within is left out from there on, and the other one is shown whole. */
static void a_damaged_snapshot_does_not_hide_the_other(void **state) {
    (void)state;
    static const char *const shown[] = {"|2 B/00000000=piece-b|3 B/manifest=m2",
                                        "|0 A/00000000=piece-a|1 A/manifest=m1"};
    static const char *const texts[] = {"piece-a", "piece-b"};
    for (int slot = 0; slot < 2; slot++) {
        char path[512];
        struct fb_state_dir *dir = open_dir();
        struct fb_sink *sink = open_sink(dir);
        static const char *const pieces[][2] = {{"A/00000000", "piece-a"},
                                                {"A/manifest", "m1"},
                                                {"B/00000000", "piece-b"},
                                                {"B/manifest", "m2"}};
        for (int i = 0; i < 4; i++) {
            put(sink, "journal", NULL, "j");
            put(sink, "snapshot", pieces[i][0], pieces[i][1]);
            commit(sink);
        }
        snprintf(path, sizeof path, "%s/snapshot-%c", fb_state_dir_path(dir), slot ? 'B' : 'A');
        close_both(sink, dir);
        damage_file(path, texts[slot]);
        dir = open_dir();
        expect_topic(dir, "snapshot", 0, NULL, shown[slot]);
        fb_state_dir_close(dir);
    }
}

static void other_keys_keep_their_newest_value(void **state) {
    (void)state;
    struct fb_state_dir *dir = open_dir();
    for (int i = 0; i < 2; i++) {
        struct fb_sink *sink = open_sink(dir);
        put(sink, "snapshot", "rules/aa", i ? "new" : "old");
        put(sink, "snapshot", "rules/bb", "same");
        put(sink, "snapshot", "rules/cc", i ? NULL : "removed");
        put(sink, "journal", NULL, "j");
        commit(sink);
        close_both(sink, dir);
        dir = open_dir();
    }
    expect_topic(dir, "snapshot", 0, NULL, "|0 rules/aa=new|1 rules/bb=same");
    fb_state_dir_close(dir);
}

/* What two snapshots may need stays, so that the older one can serve if the newer is damaged. */
static void segments_go_when_no_snapshot_needs_them(void **state) {
    (void)state;
    struct fb_state_dir *dir = open_dir_again(1);
    struct fb_sink *sink = open_sink(dir);
    int64_t first = -1, end = -1;
    for (int i = 0; i < 20; i++) {
        put(sink, "journal", NULL, "j");
        if (i % 5 == 3)
            put(sink, "snapshot", i % 2 ? "A/00000000" : "B/00000000", "piece");
        if (i % 5 == 4)
            put(sink, "snapshot", i % 2 ? "B/manifest" : "A/manifest", "manifest");
        commit(sink);
    }
    struct fb_history_topics topics = {"journal", "snapshot", "input", NULL};
    struct fb_history *history = fb_state_history_open(dir, &topics, &err);
    assert_true(history->calls->bounds(history, "journal", -1, &first, &end, &err));
    assert_int_equal(first, 9); /* the manifest before the last two */
    assert_int_equal(end, 20);
    assert_null(history->calls->open(history, "journal", -1, 8, &err));
    assert_int_equal(err.kind, FB_FATAL);
    assert_non_null(strstr(err.text, "only 9 to 19"));
    assert_true(history->calls->bounds(history, "journal", 3, &first, &end, &err));
    assert_true(first == 0 && end == 0);
    history->calls->close(history);
    close_both(sink, dir);
    dir = open_dir_again(1);
    expect_topic(dir, "journal", 19, NULL, "|19 =j");
    fb_state_dir_close(dir);
}

/* ---- outputs that may not be written ---- */

static enum fb_commit fail_to_commit(struct fb_sink *sink, struct fb_record_source *source,
                                     const struct fb_position *positions, uint32_t n, int timeout,
                                     struct fb_err *e) {
    (void)sink;
    (void)source;
    (void)positions;
    (void)n;
    (void)timeout;
    fb_fail(e, FB_FATAL, "the pipe is closed");
    return FB_COMMIT_FAILED;
}

static void outputs_of_an_unfinished_record_are_there_once(void **state) {
    (void)state;
    struct fb_state_dir *dir = open_dir();
    struct fb_state_marks marks;
    struct fb_sink *sink = open_sink(dir);
    put(sink, "journal", NULL, "first");
    put(sink, "alerts", NULL, "one\n");
    commit(sink);
    sink->calls->close(sink);
    /* This sink writes, and ends before it is known to have written. */
    struct fb_sink *inner = fb_pipe_sink_open_behind(path_of("out"), &marks, &err);
    struct fb_sink_calls calls = *inner->calls;
    calls.commit = fail_to_commit;
    inner->calls = &calls;
    sink = fb_state_sink_open(dir, inner, &marks, "journal", "snapshot", &err);
    put(sink, "journal", NULL, "second");
    put(sink, "alerts", NULL, "two, and half of three");
    assert_int_equal(sink->calls->commit(sink, &no_source, NULL, 0, 0, &err), FB_COMMIT_FAILED);
    assert_int_equal(sink->calls->commit(sink, &no_source, NULL, 0, 0, &err), FB_COMMIT_FAILED);
    assert_string_equal(err.text, "the pipe is closed");
    close_both(sink, dir);
    expect_file(path_of("out"), "one\ntwo, and half of three");
    dir = open_dir();
    assert_int_equal(fb_state_unfinished(dir), 1);
    sink = open_sink(dir);
    put(sink, "alerts", NULL, "two\n");
    put(sink, "alerts", NULL, "three\n");
    commit(sink);
    assert_int_equal(fb_state_unfinished(dir), -1);
    expect_topic(dir, "journal", 0, NULL, "|0 =first|1 =second");
    close_both(sink, dir);
    expect_file(path_of("out"), "one\ntwo\nthree\n");
}

static void an_output_file_that_was_replaced_is_left_alone(void **state) {
    (void)state;
    struct fb_state_marks marks, replaced;
    write_file(path_of("out"), "one\ntwo\n");
    struct fb_sink *sink = fb_pipe_sink_open_behind(path_of("out"), &marks, &err);
    struct fb_state_mark mark = marks.mark(marks.context);
    assert_int_equal(mark.at, 8);
    write_file(path_of("other"), "of somebody else\n");
    char from[300];
    snprintf(from, sizeof from, "%s", path_of("other"));
    assert_int_equal(rename(from, path_of("out")), 0);
    struct fb_sink *again = fb_pipe_sink_open_behind(path_of("out"), &replaced, &err);
    assert_true(replaced.go_back(replaced.context, mark, &err));
    sink->calls->close(sink);
    again->calls->close(again);
    expect_file(path_of("out"), "of somebody else\n");
    assert_null(fb_pipe_sink_open_behind(path_of("out.zst"), &marks, &err));
    assert_non_null(strstr(err.text, "without .zst"));
}

/* ---- an inner sink that is slow, full, aborts ---- */

struct scripted {
    struct fb_sink base;
    const char *script; /* f: put, full; w, a, d: a commit waits, has to be done again, is in doubt;
                         * everything else goes well */
    struct fb_buf got;
};

static bool next_is(struct scripted *sink, char c) {
    bool is = *sink->script == c;
    sink->script += is;
    return is;
}

static bool scripted_put(struct fb_sink *base, const struct fb_outgoing *record, struct fb_err *e) {
    struct scripted *sink = (struct scripted *)base;
    if (next_is(sink, 'f'))
        return fb_fail(e, FB_RETRIABLE, "full");
    fb_buf_printf(&sink->got, "%s %.*s=%.*s", record->topic, FB_ARG(record->key),
                  FB_ARG(record->value));
    for (uint32_t i = 0; i < record->n_headers; i++)
        fb_buf_printf(&sink->got, " %s:%.*s", record->headers[i].name.p,
                      FB_ARG(record->headers[i].value));
    fb_buf_char(&sink->got, '|');
    return true;
}

static enum fb_commit scripted_commit(struct fb_sink *base, struct fb_record_source *source,
                                      const struct fb_position *positions, uint32_t n, int timeout,
                                      struct fb_err *e) {
    struct scripted *sink = (struct scripted *)base;
    (void)timeout;
    (void)e;
    assert_true(source == &no_source && positions[0].next == 9 && n == 1);
    if (next_is(sink, 'w'))
        return FB_COMMIT_WAIT;
    if (next_is(sink, 'a')) {
        fb_buf_text(&sink->got, "aborted|");
        return FB_COMMIT_AGAIN;
    }
    return next_is(sink, 'd') ? FB_COMMIT_DOUBT : FB_COMMITTED;
}

static void scripted_close(struct fb_sink *base) {
    (void)base;
}

static void a_commit_that_takes_long_is_journalled_once(void **state) {
    (void)state;
    static const struct fb_sink_calls calls = {scripted_put, scripted_commit, scripted_close};
    struct scripted inner = {{&calls}, "fwwafw", {0}};
    struct fb_state_dir *dir = open_dir();
    struct fb_sink *sink = fb_state_sink_open(dir, &inner.base, NULL, "journal", "snapshot", &err);
    struct fb_position position = {.topic = FB_S("input"), .next = 9};
    struct fb_header headers[] = {{FB_S("ce_id"), FB_S("7")}, {FB_S("ce_type"), FB_S("t")}};
    struct fb_outgoing out = {.topic = "alerts", .key = FB_S("k"), .value = FB_S("v")};
    out.headers = headers;
    out.n_headers = 2;
    put(sink, "journal", NULL, "first");
    assert_true(sink->calls->put(sink, &out, &err));
    put(sink, "dead", NULL, "letter");
    int waits = 0;
    enum fb_commit result;
    while ((result = sink->calls->commit(sink, &no_source, &position, 1, 0, &err)) ==
           FB_COMMIT_WAIT)
        waits++;
    assert_int_equal(result, FB_COMMITTED);
    assert_int_equal(waits, 6);
    assert_string_equal(fb_buf_terminated(&inner.got),
                        "alerts k=v ce_id:7 ce_type:t|dead =letter|aborted|"
                        "alerts k=v ce_id:7 ce_type:t|dead =letter|");
    expect_topic(dir, "journal", 0, NULL, "|0 =first");
    /* In doubt both ends are opened again, and the outputs put again, with their record or not. */
    for (int with_record = 0; with_record < 2; with_record++) {
        inner.script = "d";
        put(sink, "journal", NULL, with_record ? "third" : "second");
        put(sink, "snapshot", "A/00000000", "piece");
        put(sink, "snapshot", "A/manifest", "manifest");
        assert_int_equal(sink->calls->commit(sink, &no_source, &position, 1, 0, &err),
                         FB_COMMIT_DOUBT);
        sink->calls->close(sink);
        assert_int_equal(fb_state_unfinished(dir), 1 + with_record);
        expect_topic(dir, "snapshot", 0, NULL, "|0 A/00000000=piece|1 A/manifest=manifest");
        sink = fb_state_sink_open(dir, &inner.base, NULL, "journal", "snapshot", &err);
        if (with_record)
            put(sink, "journal", NULL, "third");
        assert_int_equal(sink->calls->commit(sink, &no_source, &position, 1, 0, &err),
                         FB_COMMITTED);
        assert_int_equal(fb_state_unfinished(dir), -1);
    }
    expect_topic(dir, "journal", 0, NULL, "|0 =first|1 =second|2 =third");
    fb_buf_free(&inner.got);
    close_both(sink, dir);
}

/* ---- kill -9 ---- */

enum { KILLS = 20, KILLED_RECORDS = 400 };

/* Record n and its one output are the number n. */
static void put_number(struct fb_sink *sink, int64_t n, bool journal) {
    char text[64];
    snprintf(text, sizeof text, "%d\n", (int)n);
    put(sink, "alerts", NULL, text);
    if (journal)
        put(sink, "journal", NULL, text);
}

/* Goes on where the folder says. */
static void count_up(void) {
    struct fb_state_dir *dir = open_dir_again(500);
    if (!dir)
        fail_msg("%s", err.text);
    struct fb_history_topics topics = {"journal", "snapshot", "input", NULL};
    struct fb_history *history = fb_state_history_open(dir, &topics, &err);
    struct fb_sink *sink = open_sink(dir);
    int64_t first, n;
    char slot[32];
    assert_true(history->calls->bounds(history, "journal", -1, &first, &n, &err));
    history->calls->close(history);
    if (fb_state_unfinished(dir) >= 0) {
        put_number(sink, n - 1, false);
        commit(sink);
    }
    for (; n < KILLED_RECORDS; n++) {
        put_number(sink, n, true);
        if (n % 8 < 3) {
            snprintf(slot, sizeof slot, "%c/%s", n / 8 % 2 ? 'A' : 'B',
                     n % 8 < 2 ? n % 8 ? "00000001" : "00000000" : "manifest");
            put(sink, "snapshot", slot, "piece");
        }
        commit(sink);
    }
    close_both(sink, dir);
}

static void a_killed_process_leaves_every_output_once(void **state) {
    (void)state;
    srand(1);
    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();
        if (child == 0) {
            count_up();
            _exit(0);
        }
        usleep((useconds_t)(rand() % 30000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    count_up();
    struct fb_buf wanted = {0};
    for (int i = 0; i < KILLED_RECORDS; i++)
        fb_buf_printf(&wanted, "%d\n", i);
    expect_file(path_of("out"), fb_buf_terminated(&wanted));
    fb_buf_free(&wanted);
}

/* ---- who is refused ---- */

static void a_second_process_is_refused(void **state) {
    (void)state;
    int ends[2];
    char byte, pid[32];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct fb_state_dir *dir = open_dir_again(0);
        if (dir && write(ends[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    snprintf(pid, sizeof pid, "(pid %d)", (int)child);
    expect_refused(pid, "another application.id");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    fb_state_dir_close(open_dir());
}

static void what_is_not_ours_is_refused(void **state) {
    (void)state;
    char path[300];
    mkdir(path_of("plant"), 0777);
    mkdir(path_of("plant/pipe"), 0777);
    snprintf(path, sizeof path, "%s", path_of("plant/pipe/letters.txt"));
    write_file(path, "dear");
    expect_refused("letters.txt", "another one in state.dir");
    expect_file(path, "dear");
    unlink(path);
    fb_state_dir_close(open_dir());
    write_file(path_of("plant/pipe/format"), "flyball state 2\nwhatever\n");
    expect_refused("format 2, this flyball knows format 1", "move the folder away");
    write_file(path_of("plant/pipe/format"), "flyball state 1\napplication x\npartition 4\n");
    expect_refused("application x partition 4", "was it renamed?");
    write_file(path_of("plant/pipe/format"), "");
    expect_refused("says something else", "another one in state.dir");
}

static void a_folder_that_cannot_be_made_is_named(void **state) {
    (void)state;
    write_file(path_of("plant"), "a file");
    expect_refused("cannot make", "Not a directory");
}

/* ---- inputs ---- */

struct taken {
    int64_t next;
    struct fb_buf got;
};

static bool take(void *context, const struct fb_record *record) {
    struct taken *taken = context;
    fb_buf_printf(&taken->got, "|%d %.*s", (int)record->offset, FB_ARG(record->value));
    return true;
}

static void start(void *context, struct fb_position *positions, uint32_t n) {
    assert_int_equal(n, 1);
    assert_true(positions[0].fresh && positions[0].next == 0);
    positions[0].next = ((struct taken *)context)->next;
}

static void end(void *context, struct fb_str topic, int32_t partition, int64_t at) {
    (void)context;
    (void)topic;
    (void)partition;
    (void)at;
}

static const struct fb_record_source_events events = {.record = take, .started = start, .end = end};

static void expect_lines(const char *path, int64_t next, const char *expected) {
    struct taken taken = {.next = next};
    struct fb_record_source *source = fb_pipe_source_open(path, "input", &events, &taken, &err);
    enum fb_poll polled;
    do
        polled = source->calls->poll(source, 0, &err);
    while (polled == FB_POLL_OK);
    assert_int_equal(polled, next == FB_POSITION_NONE ? FB_POLL_FAILED : FB_POLL_END);
    assert_string_equal(fb_buf_terminated(&taken.got), expected);
    fb_buf_free(&taken.got);
    source->calls->close(source);
}

static void a_file_goes_on_where_its_owner_stands(void **state) {
    (void)state;
    static const char *const names[] = {"in", "in.zst"};
    for (int i = 0; i < 2; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s", path_of(names[i]));
        write_file(path, "a\nb\n\nc\nd");
        assert_string_equal(fb_pipe_file(path), path);
        expect_lines(path, 0, "|0 a|1 b|3 c|4 d");
        expect_lines(path, 2, "|3 c|4 d");
        expect_lines(path, 5, "");
        expect_lines(path, FB_POSITION_NONE, "");
        struct fb_state_dir *dir = open_dir();
        expect_topic(dir, "input", 0, path, "|0 =a|1 =b|3 =c|4 =d");
        expect_topic(dir, "input", 3, path, "|3 =c|4 =d");
        struct fb_history_topics topics = {"journal", "snapshot", "input", path};
        struct fb_history *history = fb_state_history_open(dir, &topics, &err);
        int64_t first, last;
        assert_true(history->calls->bounds(history, "input", -1, &first, &last, &err));
        assert_true(first == 0 && last == 5);
        assert_null(history->calls->open(history, "input", -1, 6, &err));
        assert_non_null(strstr(err.text, "has 5 lines, but 6 were read"));
        history->calls->close(history);
        fb_state_dir_close(dir);
        struct taken taken = {.next = 6};
        struct fb_record_source *source = fb_pipe_source_open(path, "input", &events, &taken, &err);
        assert_int_equal(source->calls->poll(source, 0, &err), FB_POLL_FAILED);
        assert_non_null(strstr(err.text, "has 5 lines, but 6 were read"));
        source->calls->close(source);
    }
}

static void a_pipe_numbers_on_from_where_its_owner_stands(void **state) {
    (void)state;
    char path[300];
    snprintf(path, sizeof path, "%s", path_of("fifo"));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(fb_pipe_file(path));
    pid_t child = fork();
    if (child == 0) {
        FILE *file = fopen(path, "w");
        fputs("x\n\ny\n", file);
        fclose(file);
        _exit(0);
    }
    expect_lines(path, 7, "|7 x|8 y");
    waitpid(child, NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_folder_holds_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_committed_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_snapshot_under_way_leaves_the_whole_ones_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(other_keys_keep_their_newest_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_snapshot_does_not_hide_the_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(segments_go_when_no_snapshot_needs_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(outputs_of_an_unfinished_record_are_there_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_output_file_that_was_replaced_is_left_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_commit_that_takes_long_is_journalled_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_killed_process_leaves_every_output_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_second_process_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_ours_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_made_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_goes_on_where_its_owner_stands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pipe_numbers_on_from_where_its_owner_stands, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
