/* What the journal and the snapshots of a task are good for: after it was drained, also to a build
 * of other semantics; and where some of it is damaged. */
#include "engine/run/restore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/codec/chunk.h"
#include "engine/core/snapshot.h"
#include "engine/run/task_commit.h"
#include "engine/run/task_state.h"
#include "tests/unit/bundle_of_text.h"
#include "tests/unit/memory_history.h"

static const char rules[] = "device m from \"in\" {\n"
                            "  key id\n"
                            "  time arrival\n"
                            "  temp: number [degC]\n"
                            "}\n"
                            "alarm hot on m {\n"
                            "  raise high when temp > 80 degC until temp < 70 degC\n"
                            "}\n";

/* ---- a task that leaves a history behind ---- */

struct fixture {
    struct fb_bundle *bundle;
    struct fb_task_config config;
    struct fb_memory_history *memory;
    struct fb_task *task;
};

static void commit(struct fixture *f) {
    fb_memory_commit(f->memory, f->task, 2000000);
}

static void take(struct fixture *f, const char *value) {
    fb_memory_take(f->memory, f->task, fb_str_of(value), 1000000, 1500000);
}

static struct fixture *begin_with(struct fb_snapshot_pace pace) {
    struct fixture *f = fb_alloc(sizeof *f);
    struct fb_bundle_settings settings = {.max_skew_us = 600000000, .max_age_us = 60000000};
    f->bundle = bundle_of_text(rules, &settings);
    f->config = (struct fb_task_config){.application = FB_S("t"),
                                        .room = {FB_BATCH_MEMORY_MAX, "/tmp"},
                                        .journalled = true,
                                        .pace = pace};
    f->memory = fb_memory_history_new();
    f->task = fb_task_new(&f->config, f->bundle, 0);
    fb_task_activate(f->task, FB_S("test"), 1000000);
    fb_task_begin(f->task, 0, 0);
    return f;
}

static struct fixture *begin(bool drained) {
    struct fixture *f = begin_with(
        (struct fb_snapshot_pace){.least_us = INT64_C(3600000000), .most_us = INT64_C(7200000000)});
    take(f, "{\"id\":\"a\",\"temp\":90}");
    commit(f);
    take(f, "{\"id\":\"b\",\"temp\":20}");
    commit(f);
    take(f, "{\"id\":\"c\",\"temp\":85}");
    if (drained)
        fb_task_drain(f->task);
    assert_false(drained && fb_task_is_drained(f->task));
    int commits = 0;
    while (fb_task_has_news(f->task)) {
        commit(f);
        assert_true(commits++ < 10);
    }
    return f;
}

static void end(struct fixture *f) {
    fb_task_free(f->task);
    fb_bundle_drop(f->bundle);
    fb_memory_history_free(f->memory);
    free(f);
}

static bool progress(void *context, int32_t partition, uint32_t permille) {
    (void)context;
    (void)partition;
    (void)permille;
    return true;
}

/* *task: NULL where there is none. */
static enum fb_restored restore(struct fixture *f, bool all_is_shown, struct fb_task **task,
                                struct fb_restore_figures *figures, struct fb_err *err) {
    struct fb_restore_wish wish = {.config = &f->config,
                                   .bundle = f->bundle,
                                   .journal = "journal",
                                   .snapshot = "snapshot",
                                   .all_is_shown = all_is_shown,
                                   .progress = progress};
    *task = NULL;
    return fb_restore(&f->memory->base, &wish, task, figures, err);
}

/* To be freed. */
static struct fb_task *restored(struct fixture *f, bool all_is_shown,
                                struct fb_restore_figures *figures) {
    struct fb_task *task;
    struct fb_err err;
    assert_int_equal(restore(f, all_is_shown, &task, figures, &err), FB_RESTORE_DONE);
    assert_non_null(task);
    return task;
}

static void expect_halt(struct fixture *f, const char *why) {
    struct fb_restore_figures figures;
    struct fb_task *task;
    struct fb_err err;
    assert_int_equal(restore(f, false, &task, &figures, &err), FB_RESTORE_HALT);
    assert_null(task);
    assert_non_null(strstr(err.text, why));
}

static void replace(struct fb_memory_record *item, struct fb_buf value) {
    fb_buf_free(&item->value);
    item->value = value;
}

static void change_journal(struct fb_memory_record *item, void (*change)(struct fb_journal *)) {
    struct fb_journal_writer writer = {0};
    struct fb_journal commit_;
    struct fb_buf out = {0};
    assert_true(fb_journal_parse(fb_memory_view(&item->value), &commit_, NULL));
    fb_buf_str(&writer.bytes, commit_.operations);
    change(&commit_);
    fb_journal_seal(&writer, &commit_, &out);
    fb_journal_writer_free(&writer);
    replace(item, out);
}

static void of_other_semantics(struct fb_journal *journal) {
    journal->semantics = FB_SEMANTICS + 1;
}

static void without_epoch(struct fb_journal *journal) {
    journal->epoch_ms = 0;
}

/* As if a build of other semantics had written the journal. */
static void change_semantics(struct fixture *f) {
    struct fb_memory_log *journal = &f->memory->logs[FB_STREAM_JOURNAL];
    for (size_t i = 0; i < journal->n; i++)
        change_journal(&journal->records[i], of_other_semantics);
}

static void change_layout(struct fixture *f, const char *layout) {
    struct fb_memory_log *snapshot = &f->memory->logs[FB_STREAM_SNAPSHOT];
    int changed = 0;
    for (size_t i = 0; i < snapshot->n; i++) {
        struct fb_memory_record *item = &snapshot->records[i];
        struct fb_manifest manifest;
        struct fb_buf out = {0};
        if (!strstr(fb_buf_terminated(&item->key), "manifest"))
            continue;
        assert_true(fb_manifest_decode(fb_memory_view(&item->value), &manifest, NULL));
        assert_true(fb_str_eq(manifest.layout, fb_str_of(f->bundle->layout)));
        manifest.layout = fb_str_of(layout);
        fb_manifest_encode(&manifest, &out);
        replace(item, out);
        changed++;
    }
    assert_true(changed > 0);
}

/* ---- tests ---- */

static void what_was_drained_is_rebuilt_without_a_journal(void **state) {
    (void)state;
    struct fixture *f = begin(true);
    struct fb_restore_figures figures;
    assert_true(fb_task_is_drained(f->task));
    struct fb_task *task = restored(f, false, &figures);
    assert_int_equal(figures.taken, 0);
    assert_true(figures.commits > 0); /* that carried the snapshot */
    assert_int_equal(figures.records, 0);
    assert_int_equal(figures.devices, 3);
    assert_int_equal(fb_task_next(task, 0), 3);
    fb_task_free(task);
    end(f);
}

static int64_t epoch_of(const struct fb_task *task) {
    struct fb_journal now;
    fb_task_mark(task, &now);
    return now.epoch_ms;
}

static void the_epoch_of_commands_is_kept(void **state) {
    (void)state;
    for (int drained = 0; drained < 2; drained++) {
        struct fixture *f = begin(drained);
        struct fb_restore_figures figures;
        int64_t epoch = epoch_of(f->task);
        assert_true(epoch > 0);
        struct fb_task *task = restored(f, false, &figures);
        assert_true(epoch_of(task) == epoch);
        fb_task_tick(task, (epoch + 5000) * 1000);
        assert_true(epoch_of(task) == epoch);
        fb_task_free(task);
        end(f);
    }
}

/* As a build wrote it that commanded nothing: the epoch begins with what is taken next, and stays
 * where that is taken again. */
static void a_journal_without_an_epoch_gets_one(void **state) {
    (void)state;
    struct fixture *f = begin(false);
    struct fb_restore_figures figures;
    struct fb_memory_log *journal = &f->memory->logs[FB_STREAM_JOURNAL];
    for (size_t i = 0; i < journal->n; i++)
        change_journal(&journal->records[i], without_epoch);
    fb_task_free(f->task);
    f->task = restored(f, false, &figures);
    assert_true(epoch_of(f->task) == 0);
    take(f, "{\"id\":\"d\",\"temp\":20}");
    int64_t epoch = epoch_of(f->task);
    assert_true(epoch > 0);
    commit(f);
    struct fb_task *task = restored(f, false, &figures);
    assert_true(epoch_of(task) == epoch);
    fb_task_free(task);
    end(f);
}

static void draining_again_makes_a_snapshot_only_where_something_was_taken(void **state) {
    (void)state;
    struct fixture *f = begin(true);
    const struct fb_memory_log *journal = &f->memory->logs[FB_STREAM_JOURNAL];
    size_t n = journal->n;
    fb_task_drain(f->task);
    assert_false(fb_task_has_news(f->task));
    take(f, "{\"id\":\"d\",\"temp\":20}");
    assert_false(fb_task_is_drained(f->task));
    while (fb_task_has_news(f->task))
        commit(f);
    assert_true(fb_task_is_drained(f->task));
    assert_true(journal->n > n + 1); /* its record, and the manifest behind it */
    end(f);
}

static void other_semantics_go_on_from_what_was_drained(void **state) {
    (void)state;
    struct fixture *f = begin(true);
    struct fb_restore_figures figures;
    change_semantics(f);
    fb_task_free(restored(f, false, &figures));
    assert_int_equal(figures.devices, 3);
    end(f);
}

static void other_semantics_do_not_take_again_what_was_not_drained(void **state) {
    (void)state;
    for (int behind = 0; behind < 2; behind++) { /* without a snapshot of it; with records behind */
        struct fixture *f = begin(behind);
        if (behind) {
            take(f, "{\"id\":\"a\",\"temp\":20}");
            commit(f);
        }
        change_semantics(f);
        expect_halt(f, "flyball drain");
        end(f);
    }
}

static struct fixture *begin_of_layout(const char *layout, bool other_semantics) {
    struct fixture *f = begin(true);
    if (other_semantics)
        change_semantics(f);
    change_layout(f, layout);
    return f;
}

static void a_state_of_another_layout_is_refused(void **state) {
    (void)state;
    for (int other = 0; other < 2; other++) {
        struct fixture *f = begin_of_layout("00000000000000000000000000000000", other);
        expect_halt(f, "lays out the state in another way");
        end(f);
    }
}

static void a_snapshot_that_tells_no_layout_is_read_by_its_own_semantics_only(void **state) {
    (void)state;
    struct fb_restore_figures figures;
    struct fixture *own = begin_of_layout("", false), *other = begin_of_layout("", true);
    fb_task_free(restored(own, false, &figures));
    expect_halt(other, "lays out the state in another way");
    end(own);
    end(other);
}

/* ---- damage ---- */

/* Snapshots of one, two and three devices, of which the last two count, and a record behind them.
 */
static struct fixture *begin_with_snapshots(void) {
    struct fixture *f = begin_with((struct fb_snapshot_pace){.least_us = 0, .most_us = 0});
    static const char *const records[] = {
        "{\"id\":\"a\",\"temp\":90}", "{\"id\":\"b\",\"temp\":20}", "{\"id\":\"c\",\"temp\":85}"};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        take(f, records[i]);
        while (fb_task_has_news(f->task))
            commit(f);
    }
    take(f, "{\"id\":\"d\",\"temp\":20}");
    commit(f);
    return f;
}

static bool ends_with(const struct fb_memory_record *item, const char *text) {
    size_t n = strlen(text);
    return item->key.n >= n && memcmp(item->key.p + item->key.n - n, text, n) == 0;
}

/* The last record but `before` whose key ends so. */
static struct fb_memory_record *find(struct fixture *f, const char *end, int before) {
    struct fb_memory_log *snapshot = &f->memory->logs[FB_STREAM_SNAPSHOT];
    for (size_t i = snapshot->n; i-- > 0;)
        if (ends_with(&snapshot->records[i], end) && before-- == 0)
            return &snapshot->records[i];
    fail_msg("no record %s", end);
    return NULL;
}

static void flip(struct fb_memory_record *item) {
    item->value.p[item->value.n / 2] ^= 1;
}

static void hide(struct fb_memory_record *item) {
    memset(item->key.p, '?', item->key.n);
}

static void lie(struct fb_memory_record *item) {
    struct fb_manifest manifest;
    struct fb_buf out = {0};
    assert_true(fb_manifest_decode(fb_memory_view(&item->value), &manifest, NULL));
    manifest.state_hash.low ^= 1;
    fb_manifest_encode(&manifest, &out);
    replace(item, out);
}

enum { DAMAGES = 5 };

/* before: 0 the newest, 1 the older one. */
static void damage(struct fixture *f, int how, int before) {
    static const char *const ends[DAMAGES] = {"/00000000", "/00000000", "/manifest", "/manifest",
                                              "/manifest"};
    static void (*const ways[DAMAGES])(struct fb_memory_record *) = {flip, hide, flip, hide, lie};
    ways[how](find(f, ends[how], before));
}

static void expect_same_state(struct fixture *f, struct fb_task *task) {
    assert_non_null(task);
    assert_int_equal(fb_task_next(task, 0), fb_task_next(f->task, 0));
    assert_true(fb_hash128_eq(fb_core_state_hash(fb_task_core(task)),
                              fb_core_state_hash(fb_task_core(f->task))));
}

static void expect_each_damage_survived(int before, bool all_is_shown, uint32_t devices) {
    for (int how = 0; how < DAMAGES; how++) {
        struct fixture *f = begin_with_snapshots();
        struct fb_restore_figures figures;
        damage(f, how, before);
        struct fb_task *task = restored(f, all_is_shown, &figures);
        expect_same_state(f, task);
        assert_int_equal(figures.devices, devices);
        fb_task_free(task);
        end(f);
    }
}

static void a_damaged_newest_snapshot_gives_way_to_the_one_before(void **state) {
    (void)state;
    expect_each_damage_survived(0, true, 2);
}

/* The next snapshot takes the place of the damaged one, never of the one that serves. */
static void the_one_that_served_stays_until_the_next_is_whole(void **state) {
    (void)state;
    struct fixture *f = begin_with_snapshots();
    struct fb_restore_figures figures;
    char damaged = find(f, "/manifest", 0)->key.p[0];
    damage(f, 0, 0);
    struct fb_task *task = restored(f, false, &figures);
    fb_task_free(f->task);
    f->task = task;
    take(f, "{\"id\":\"e\",\"temp\":20}");
    while (fb_task_has_news(f->task))
        commit(f);
    assert_int_equal(find(f, "/manifest", 0)->key.p[0], damaged);
    task = restored(f, false, &figures);
    assert_true(figures.devices >= 4);
    expect_same_state(f, task);
    fb_task_free(task);
    end(f);
}

static void a_damaged_older_snapshot_harms_nobody(void **state) {
    (void)state;
    expect_each_damage_survived(1, false, 3);
}

static void pieces_that_may_still_come_are_waited_for(void **state) {
    (void)state;
    struct fixture *f = begin_with_snapshots();
    struct fb_restore_figures figures;
    struct fb_task *task;
    struct fb_err err;
    hide(find(f, "/manifest", 0));
    assert_int_equal(restore(f, false, &task, &figures, &err), FB_RESTORE_BEHIND);
    assert_null(task);
    end(f);
}

static void without_any_snapshot_the_whole_journal_serves(void **state) {
    (void)state;
    struct fixture *f = begin_with_snapshots();
    struct fb_restore_figures figures;
    damage(f, 0, 0);
    damage(f, 0, 1);
    struct fb_task *task = restored(f, false, &figures);
    assert_int_equal(figures.records, 4);
    expect_same_state(f, task);
    fb_task_free(task);
    end(f);
}

static void a_journal_that_does_not_reach_back_to_the_older_one_halts(void **state) {
    (void)state;
    for (int both = 0; both < 2; both++) {
        struct fixture *f = begin_with_snapshots();
        struct fb_memory_log *journal = &f->memory->logs[FB_STREAM_JOURNAL];
        struct fb_manifest manifest;
        struct fb_memory_record *last = find(f, "/manifest", both);
        assert_true(fb_manifest_decode(fb_memory_view(&last->value), &manifest, NULL));
        if (both)
            damage(f, 0, 1);
        damage(f, 0, 0);
        journal->first = (int64_t)manifest.at.seq - 1; /* commit n stands at n - 1 */
        expect_halt(f, "the newest snapshot cannot be used");
        expect_halt(f, both ? "lacks commit 1" : "does not reach back");
        assert_true(journal->first < (int64_t)journal->n);
        end(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_drained_is_rebuilt_without_a_journal),
        cmocka_unit_test(the_epoch_of_commands_is_kept),
        cmocka_unit_test(a_journal_without_an_epoch_gets_one),
        cmocka_unit_test(draining_again_makes_a_snapshot_only_where_something_was_taken),
        cmocka_unit_test(other_semantics_go_on_from_what_was_drained),
        cmocka_unit_test(other_semantics_do_not_take_again_what_was_not_drained),
        cmocka_unit_test(a_state_of_another_layout_is_refused),
        cmocka_unit_test(a_snapshot_that_tells_no_layout_is_read_by_its_own_semantics_only),
        cmocka_unit_test(a_damaged_newest_snapshot_gives_way_to_the_one_before),
        cmocka_unit_test(the_one_that_served_stays_until_the_next_is_whole),
        cmocka_unit_test(a_damaged_older_snapshot_harms_nobody),
        cmocka_unit_test(pieces_that_may_still_come_are_waited_for),
        cmocka_unit_test(without_any_snapshot_the_whole_journal_serves),
        cmocka_unit_test(a_journal_that_does_not_reach_back_to_the_older_one_halts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
