/* A state folder under crashes at every call, power cuts and failing disks: what comes back is what
 * was committed.
 *
 * A small engine commits records with outputs and snapshots on a modelled disk. At each call of a
 * run it is killed, or the power is cut with some, all or none of what is not safe; then it starts
 * again and everything is compared. */
#include "connectors/state_dir.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/base/log.h"
#include "tests/disk/faulty_disk.h"

enum { RECORDS = 22, PIECES = 3, SEGMENT_BYTES = 700, LINE_MAX_BYTES = 64 };

/* ---- what is written ---- */

static void journal_text(int64_t number, struct fb_buf *out) {
    out->n = 0;
    fb_buf_printf(out, "journal %" PRId64 " ", number);
    for (int64_t i = 0; i < number * 37 % 200; i++)
        fb_buf_char(out, 'x');
}

static int outputs_of(int64_t number) {
    return (int)(number % 3);
}

static void output_text(int64_t number, int i, char *line) {
    snprintf(line, LINE_MAX_BYTES, "output %d of %" PRId64 "\n", i, number);
}

static void expected_outputs(int64_t end, struct fb_buf *out) {
    char line[LINE_MAX_BYTES];
    out->n = 0;
    for (int64_t n = 0; n < end; n++)
        for (int i = 0; i < outputs_of(n); i++) {
            output_text(n, i, line);
            fb_buf_text(out, line);
        }
}

/* ---- where outputs go: a file that can go back, or a pipe to a reader ---- */

struct out_sink {
    struct fb_sink base;
    struct fb_faulty_disk *disk;
    bool pipe;
    bool early; /* a bug: it says that it has written before it has */
    int file;
    uint64_t size;
    struct fb_buf lines;   /* since the last commit */
    struct fb_buf late;    /* early: of the last commit */
    struct fb_buf *reader; /* of the pipe; outlives the process */
};

static bool out_put(struct fb_sink *base, const struct fb_outgoing *record, struct fb_err *err) {
    (void)err;
    fb_buf_str(&((struct out_sink *)base)->lines, record->value);
    return true;
}

/* A pipe's reader gets line by line. */
static bool write_pipe(struct out_sink *sink, const struct fb_buf *lines) {
    for (size_t at = 0; at < lines->n;) {
        const char *end = memchr(lines->p + at, '\n', lines->n - at);
        size_t next = (size_t)(end - lines->p) + 1;
        if (!fb_faulty_disk_step(sink->disk))
            return false;
        fb_buf_put(sink->reader, lines->p + at, next - at);
        at = next;
    }
    return true;
}

static bool write_out(struct out_sink *sink, const struct fb_buf *lines) {
    struct fb_disk *disk = fb_faulty_disk_base(sink->disk);
    if (sink->pipe)
        return write_pipe(sink, lines);
    if (disk->calls->write(disk, sink->file, sink->size, lines->p, lines->n) ||
        disk->calls->sync(disk, sink->file))
        return false;
    sink->size += lines->n;
    return true;
}

static enum fb_commit out_commit(struct fb_sink *base, struct fb_record_source *source,
                                 const struct fb_position *positions, uint32_t n, int timeout_ms,
                                 struct fb_err *err) {
    struct out_sink *sink = (struct out_sink *)base;
    (void)source;
    (void)positions;
    (void)n;
    (void)timeout_ms;
    if (!write_out(sink, sink->early ? &sink->late : &sink->lines)) {
        fb_fail(err, FB_FATAL, "cannot write /out: mend this and start again");
        return FB_COMMIT_FAILED;
    }
    sink->late.n = 0;
    if (sink->early)
        fb_buf_put(&sink->late, sink->lines.p, sink->lines.n);
    sink->lines.n = 0;
    return FB_COMMITTED;
}

static void out_close(struct fb_sink *base) {
    struct out_sink *sink = (struct out_sink *)base;
    struct fb_disk *disk = fb_faulty_disk_base(sink->disk);
    if (sink->file >= 0)
        disk->calls->close(disk, sink->file);
    fb_buf_free(&sink->lines);
    fb_buf_free(&sink->late);
    free(sink);
}

static struct fb_state_mark out_mark(void *context) {
    const struct out_sink *sink = context;
    return (struct fb_state_mark){fb_faulty_disk_id(sink->disk, sink->file), (int64_t)sink->size};
}

static bool out_go_back(void *context, struct fb_state_mark mark, struct fb_err *err) {
    struct out_sink *sink = context;
    struct fb_disk *disk = fb_faulty_disk_base(sink->disk);
    if (fb_faulty_disk_id(sink->disk, sink->file) != mark.file || (int64_t)sink->size <= mark.at)
        return true;
    sink->size = (uint64_t)mark.at;
    int code = disk->calls->truncate(disk, sink->file, sink->size);
    return code == 0 || fb_fail(err, FB_FATAL, "cannot cut /out: mend this and start again");
}

/* ---- the world, and the small engine in it ---- */

struct world {
    struct fb_faulty_disk *disk;
    bool pipe, early;
    bool damaged;                     /* by hand: the newest snapshot may be gone */
    struct fb_buf reader;             /* what the pipe's reader got */
    int64_t committed;                /* records whose commit went well */
    int64_t attempted;                /* records whose commit was begun */
    int64_t snapshot;                 /* id of the newest one that was committed */
    int64_t manifest_at[RECORDS + 1]; /* by id: the record it was put with */
    struct fb_err err;                /* why a life ended */
    char violation[600];              /* the first one */
};

struct engine {
    struct world *world;
    struct fb_state_dir *dir;
    struct fb_sink *sink;
    int64_t end;
    int64_t snapshot, barrier; /* under way, or the newest */
    int piece;                 /* the next one; -1: none is under way */
};

static bool violate(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool violate(struct world *world, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (!world->violation[0])
        vsnprintf(world->violation, sizeof world->violation, format, args);
    va_end(args);
    return false;
}

static struct fb_sink *open_out(struct world *world, struct fb_state_marks *marks) {
    static const struct fb_sink_calls calls = {out_put, out_commit, out_close};
    struct fb_disk *disk = fb_faulty_disk_base(world->disk);
    struct out_sink *sink = fb_alloc(sizeof *sink);
    sink->base.calls = &calls;
    sink->disk = world->disk;
    sink->pipe = world->pipe;
    sink->early = world->early;
    sink->reader = &world->reader;
    sink->file = -1;
    *marks = (struct fb_state_marks){out_mark, out_go_back, sink};
    if (sink->pipe)
        return &sink->base;
    sink->file = disk->calls->open(disk, "/out", FB_DISK_WRITE);
    int64_t size = sink->file < 0 ? -1 : disk->calls->size(disk, sink->file);
    if (size < 0 || disk->calls->sync_dir(disk, "/") || disk->calls->sync(disk, sink->file)) {
        out_close(&sink->base);
        fb_fail(&world->err, FB_FATAL, "cannot open /out: mend this and start again");
        return NULL;
    }
    sink->size = (uint64_t)size;
    return &sink->base;
}

static void close_engine(struct engine *engine) {
    if (engine->sink)
        engine->sink->calls->close(engine->sink);
    fb_state_dir_close(engine->dir);
}

static bool open_engine(struct engine *engine) {
    struct world *world = engine->world;
    struct fb_state_marks marks;
    struct fb_state_place place = {"/state", "plant", 3, fb_faulty_disk_base(world->disk),
                                   SEGMENT_BYTES};
    engine->dir = fb_state_dir_open(&place, &world->err);
    struct fb_sink *inner = engine->dir ? open_out(world, &marks) : NULL;
    if (inner)
        engine->sink = fb_state_sink_open(engine->dir, inner, world->pipe ? NULL : &marks,
                                          "journal", "snapshot", &world->err);
    return engine->sink != NULL;
}

/* ---- what has to hold ---- */

static bool check_journal(struct engine *engine, struct fb_history *history, int64_t *first) {
    struct world *world = engine->world;
    struct fb_err *err = &world->err;
    struct fb_buf wanted = {0};
    struct fb_record record;
    enum fb_read read;
    bool ok = history->calls->bounds(history, "journal", 3, first, &engine->end, err);
    if (ok && (engine->end < world->committed || engine->end > world->attempted))
        ok = violate(world,
                     "the journal ends at %" PRId64 ", committed %" PRId64 ", attempted %" PRId64,
                     engine->end, world->committed, world->attempted);
    struct fb_reader *reader = ok ? history->calls->open(history, "journal", 3, *first, err) : NULL;
    if (!reader)
        return false;
    int64_t at = *first;
    while (ok && (read = reader->calls->next(reader, &record, err)) == FB_READ_RECORD) {
        journal_text(at, &wanted);
        if (record.offset != at || !fb_str_eq(record.value, (struct fb_str){wanted.p, wanted.n}))
            ok = violate(world, "journal record %" PRId64 " is another one", at);
        at++;
    }
    if (ok && read == FB_READ_END && at != engine->end)
        ok = violate(world, "the journal breaks off at %" PRId64, at);
    fb_buf_free(&wanted);
    reader->calls->close(reader);
    return ok && read == FB_READ_END;
}

/* What was read of the snapshot topic. */
struct found {
    int64_t id[2], barrier[2]; /* 0: no manifest */
    int pieces[2], manifest_pieces[2];
    int64_t piece_id[2]; /* -1: of several */
    int64_t rules;       /* how many bundles */
    int64_t newest_rules;
    bool wrong;
};

static void take_piece(struct found *found, const struct fb_record *record) {
    char key[64], value[300];
    int64_t id, index, barrier;
    snprintf(key, sizeof key, "%.*s", FB_ARG(record->key));
    snprintf(value, sizeof value, "%.*s", FB_ARG(record->value));
    int slot = key[0] == 'B';
    if (sscanf(key, "rules/%" SCNd64, &index) == 1) {
        found->wrong |= index != found->rules++ || atoi(value) != index;
    } else if (strcmp(key, "rules/newest") == 0) {
        found->newest_rules = atoi(value);
    } else if (strcmp(key + 1, "/manifest") == 0) {
        found->wrong |= sscanf(value, "%" SCNd64 " %" SCNd64 " %d", &found->id[slot],
                               &found->barrier[slot], &found->manifest_pieces[slot]) != 3;
    } else if (sscanf(key + 1, "/%" SCNd64, &index) == 1 &&
               sscanf(value, "%" SCNd64 " %" SCNd64, &id, &barrier) == 2 && barrier == index) {
        found->piece_id[slot] = found->pieces[slot] == 0 || found->piece_id[slot] == id ? id : -1;
        found->pieces[slot]++;
    } else {
        found->wrong = true;
    }
}

static bool check_found(struct engine *engine, const struct found *found, int64_t first) {
    struct world *world = engine->world;
    int64_t newest = 0;
    for (int slot = 0; slot < 2; slot++) {
        int64_t id = found->id[slot];
        if (world->damaged && !id && !found->wrong)
            continue; /* the rest of a damaged one is not shown */
        if (found->wrong || found->pieces[slot] != found->manifest_pieces[slot] ||
            (id && found->piece_id[slot] != id))
            return violate(world, "slot %d is not whole: snapshot %" PRId64 ", %d pieces", slot, id,
                           found->pieces[slot]);
        if (id && world->manifest_at[id] >= engine->end)
            return violate(world, "snapshot %" PRId64 " was never committed", id);
        if (id && !world->damaged && first > 0 && first > found->barrier[slot])
            return violate(world,
                           "snapshot %" PRId64 " needs the journal from %" PRId64
                           ", it begins at %" PRId64,
                           id, found->barrier[slot], first);
        if (id > newest) {
            newest = id;
            engine->barrier = found->barrier[slot];
        }
    }
    int64_t next = world->snapshot + 1;
    bool next_committed = world->manifest_at[next] >= 0 && world->manifest_at[next] < engine->end;
    if (newest < world->snapshot + next_committed - world->damaged)
        return violate(world, "the newest snapshot is %" PRId64 ", not %" PRId64, newest,
                       world->snapshot + next_committed);
    if (first > 0 && (!newest || first > engine->barrier))
        return violate(world, "nothing holds what was before record %" PRId64, first);
    for (int64_t id = newest + 1; id <= RECORDS; id++)
        world->manifest_at[id] = -1; /* it will be made anew */
    engine->snapshot = newest;
    int64_t rules = (engine->end + 4) / 5;
    if (found->rules != rules || (rules && found->newest_rules != rules - 1))
        return violate(world,
                       "%" PRId64 " rule bundles, newest %" PRId64 ", after %" PRId64 " records",
                       found->rules, found->newest_rules, engine->end);
    return true;
}

static bool check_snapshots(struct engine *engine, struct fb_history *history, int64_t first) {
    struct world *world = engine->world;
    struct found found = {0};
    struct fb_record record;
    enum fb_read read;
    struct fb_reader *reader = history->calls->open(history, "snapshot", 3, 0, &world->err);
    if (!reader)
        return false;
    while ((read = reader->calls->next(reader, &record, &world->err)) == FB_READ_RECORD)
        take_piece(&found, &record);
    reader->calls->close(reader);
    return read == FB_READ_END && check_found(engine, &found, first);
}

/* In a file every output of what is finished is there once, and nothing else. */
static bool check_file(struct engine *engine, int64_t finished) {
    struct fb_buf wanted = {0};
    expected_outputs(finished, &wanted);
    struct fb_str got = fb_faulty_disk_content(engine->world->disk, "/out");
    bool ok = fb_str_eq(got, (struct fb_str){wanted.p, wanted.n});
    if (!ok)
        violate(engine->world,
                "outputs of %" PRId64 " records should be there (%zu bytes), not: %.*s", finished,
                wanted.n, (int)(got.n < 400 ? got.n : 400), got.p ? got.p : "");
    fb_buf_free(&wanted);
    return ok;
}

/* A pipe's reader, who drops what it has seen, has all in order; repetitions are of the last record
 * only. */
static bool check_pipe(struct engine *engine, int64_t finished) {
    struct world *world = engine->world;
    struct fb_buf seen = {0}, wanted = {0};
    char line[LINE_MAX_BYTES];
    int64_t record, of = -1;
    int i;
    bool ok = true;
    expected_outputs(world->attempted, &wanted);
    for (size_t at = 0; ok && at < world->reader.n; at += strlen(line)) {
        const char *p = world->reader.p + at;
        size_t n = (size_t)((char *)memchr(p, '\n', world->reader.n - at) - p) + 1;
        snprintf(line, sizeof line, "%.*s", (int)n, p);
        FB_ASSERT(sscanf(line, "output %d of %" SCNd64, &i, &record) == 2);
        if (seen.n + n <= wanted.n && memcmp(wanted.p + seen.n, line, n) == 0) {
            fb_buf_put(&seen, line, n);
            of = record;
        } else if (record != of) {
            ok = violate(world, "the reader got another record's output again, or too early: %s",
                         line);
        }
    }
    expected_outputs(finished, &wanted);
    if (ok && seen.n < wanted.n)
        ok = violate(world, "the reader has not all outputs of %" PRId64 " records", finished);
    fb_buf_free(&seen);
    fb_buf_free(&wanted);
    return ok;
}

static bool check_outputs(struct engine *engine) {
    int64_t unfinished = fb_state_unfinished(engine->dir);
    if (unfinished >= 0 && unfinished != engine->end - 1)
        return violate(engine->world, "record %" PRId64 " is unfinished, the end is %" PRId64,
                       unfinished, engine->end);
    int64_t finished = unfinished < 0 ? engine->end : unfinished;
    return engine->world->pipe ? check_pipe(engine, finished) : check_file(engine, finished);
}

static bool check(struct engine *engine) {
    struct world *world = engine->world;
    struct fb_history_topics topics = {"journal", "snapshot", "input", NULL};
    struct fb_history *history = fb_state_history_open(engine->dir, &topics, &world->err);
    int64_t first = 0;
    bool ok = check_journal(engine, history, &first) && check_snapshots(engine, history, first) &&
              check_outputs(engine);
    history->calls->close(history);
    engine->piece = -1;
    return ok;
}

/* ---- its work ---- */

static void put(struct engine *engine, const char *topic, const char *key, const char *value) {
    struct fb_outgoing out = {
        .topic = topic, .partition = 3, .stamp_us = 7, .value = fb_str_of(value)};
    if (key)
        out.key = fb_str_of(key);
    FB_ASSERT(engine->sink->calls->put(engine->sink, &out, &engine->world->err));
}

static void put_outputs(struct engine *engine, int64_t number) {
    char line[LINE_MAX_BYTES];
    for (int i = 0; i < outputs_of(number); i++) {
        output_text(number, i, line);
        put(engine, "alerts", "device", line);
    }
}

static void put_rules(struct engine *engine, int64_t number) {
    char key[64], value[64];
    if (number % 5)
        return;
    snprintf(key, sizeof key, "rules/%" PRId64, number / 5);
    snprintf(value, sizeof value, "%" PRId64, number / 5);
    put(engine, "snapshot", key, value);
    put(engine, "snapshot", "rules/newest", value);
}

/* A piece with each record, the manifest with the last one; every second snapshot is given up once
 * after its first piece, and begun anew. */
static void put_pieces(struct engine *engine, int64_t number) {
    char key[64], value[300];
    char slot;
    if (engine->piece < 0 && number % 2 == 0)
        return;
    if (engine->piece < 0 || (engine->piece == 1 && number % 8 == 2)) {
        engine->snapshot += engine->piece < 0;
        engine->barrier = number - 1;
        engine->piece = 0;
    }
    slot = engine->snapshot % 2 ? 'A' : 'B';
    snprintf(key, sizeof key, "%c/%08d", slot, engine->piece);
    snprintf(value, sizeof value, "%" PRId64 " %d %*d", engine->snapshot, engine->piece,
             30 + 50 * engine->piece, 0);
    put(engine, "snapshot", key, value);
    if (++engine->piece < PIECES)
        return;
    snprintf(key, sizeof key, "%c/manifest", slot);
    snprintf(value, sizeof value, "%" PRId64 " %" PRId64 " %d", engine->snapshot, engine->barrier,
             PIECES);
    put(engine, "snapshot", key, value);
    engine->world->manifest_at[engine->snapshot] = number;
    engine->piece = -1;
}

static bool commit(struct engine *engine) {
    return engine->sink->calls->commit(engine->sink, NULL, NULL, 0, 0, &engine->world->err) ==
           FB_COMMITTED;
}

static bool commit_record(struct engine *engine, int64_t number) {
    struct world *world = engine->world;
    struct fb_buf text = {0};
    journal_text(number, &text);
    world->attempted = number + 1 > world->attempted ? number + 1 : world->attempted;
    put_outputs(engine, number);
    put_pieces(engine, number);
    put(engine, "journal", NULL, fb_buf_terminated(&text));
    put_rules(engine, number);
    fb_buf_free(&text);
    if (!commit(engine))
        return false;
    world->committed = engine->end = number + 1;
    if (world->manifest_at[engine->snapshot] == number)
        world->snapshot = engine->snapshot;
    return true;
}

/* One life of the process; true: all is done. */
static bool live(struct world *world) {
    struct engine engine = {.world = world, .piece = -1};
    world->err = (struct fb_err){0};
    bool ok = open_engine(&engine) && check(&engine);
    if (ok && fb_state_unfinished(engine.dir) >= 0) {
        put_outputs(&engine, engine.end - 1);
        ok = commit(&engine);
    }
    /* Whatever outcome it had for those who waited, it is committed now. */
    if (ok && world->committed < engine.end)
        world->committed = engine.end;
    if (ok && world->snapshot < engine.snapshot)
        world->snapshot = engine.snapshot;
    while (ok && engine.end < RECORDS)
        ok = commit_record(&engine, engine.end);
    close_engine(&engine);
    return ok;
}

/* A life without faults has to do everything. */
static bool live_well(struct world *world) {
    fb_faulty_disk_plan(world->disk, &(struct fb_faulty_plan){0}, 1);
    return live(world) || violate(world, "refused: %s", world->err.text);
}

static struct world new_world(bool pipe) {
    struct world world = {.disk = fb_faulty_disk_new(), .pipe = pipe};
    for (int i = 0; i <= RECORDS; i++)
        world.manifest_at[i] = -1;
    return world;
}

static void free_world(struct world *world) {
    fb_faulty_disk_free(world->disk);
    fb_buf_free(&world->reader);
}

static uint64_t calls_of_a_run(bool pipe) {
    struct world world = new_world(pipe);
    assert_true(live_well(&world));
    uint64_t calls = fb_faulty_disk_calls(world.disk);
    free_world(&world);
    return calls;
}

/* ---- the tests ---- */

enum { LOSSES = 8 };
static enum fb_loss loss_of(uint64_t seed) {
    return seed % LOSSES == 0 ? FB_KEEP_ALL : seed % LOSSES == 1 ? FB_LOSE_ALL : FB_LOSE_SOME;
}

/* A crash at each call, each loss after it; how many violate something. `plan` holds lies. */
static uint64_t crash_everywhere(bool pipe, bool early, struct fb_faulty_plan plan, char *example) {
    uint64_t calls = calls_of_a_run(pipe), wrong = 0;
    for (uint64_t at = 1; at <= calls; at++)
        for (uint64_t seed = 0; seed < LOSSES; seed++) {
            struct world world = new_world(pipe);
            world.early = early;
            plan.crash_at = at;
            fb_faulty_disk_plan(world.disk, &plan, at * LOSSES + seed);
            live(&world);
            fb_faulty_disk_reboot(world.disk, loss_of(seed));
            if (!world.violation[0] && live_well(&world))
                live_well(&world);
            if (world.violation[0] && wrong++ == 0)
                snprintf(example, sizeof world.violation + 60, "call %d, loss %d: %s", (int)at,
                         (int)seed, world.violation);
            free_world(&world);
        }
    return wrong;
}

static void a_crash_at_any_call_loses_nothing_that_was_committed(void **state) {
    char example[700] = "";
    (void)state;
    for (int pipe = 0; pipe < 2; pipe++)
        if (crash_everywhere(pipe, false, (struct fb_faulty_plan){0}, example))
            fail_msg("%s: %s", pipe ? "pipe" : "file", example);
}

/* Up to five lives that end in a crash or a failure, then one that does not. */
static void many_crashes_and_failures_lose_nothing_either(void **state) {
    (void)state;
    uint64_t calls = calls_of_a_run(false);
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct world world = new_world(seed % 2);
        uint64_t random = seed;
        for (int lives = 0; lives < 5 && !world.violation[0]; lives++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            uint64_t at = (random >> 33) % (calls / 2) + 1;
            struct fb_faulty_plan plan = {.crash_at = at};
            if ((random >> 20) % 4 == 0)
                plan = (struct fb_faulty_plan){
                    .fail_at = at, .fail_code = -EIO, .fail_on = (random >> 22) % 2};
            fb_faulty_disk_plan(world.disk, &plan, random);
            live(&world);
            fb_faulty_disk_reboot(world.disk, loss_of(random >> 24));
        }
        if (world.violation[0] || !live_well(&world))
            fail_msg("seed %d: %s", (int)seed, world.violation);
        free_world(&world);
    }
}

static bool says_what_to_do(const struct fb_err *err) {
    return err->kind == FB_FATAL && (strstr(err->text, "/state/") || strstr(err->text, "/out")) &&
           strstr(err->text, "start again");
}

/* The disk says no, once or from then on; then the process ends, perhaps the power too. */
static void a_disk_that_refuses_ends_the_run_with_a_way_out(void **state) {
    (void)state;
    static const int codes[] = {-ENOSPC, -EIO};
    for (int pipe = 0; pipe < 2; pipe++) {
        uint64_t calls = calls_of_a_run(pipe);
        for (uint64_t at = 1; at <= calls; at++)
            for (uint64_t seed = 0; seed < 4 * LOSSES; seed++) {
                struct world world = new_world(pipe);
                struct fb_faulty_plan plan = {.fail_at = at,
                                              .fail_code = codes[seed / LOSSES % 2],
                                              .fail_on = seed / LOSSES / 2};
                fb_faulty_disk_plan(world.disk, &plan, at * 64 + seed);
                bool done = live(&world);
                if (!done && !world.violation[0] && !says_what_to_do(&world.err))
                    violate(&world, "no way out is given: %s", world.err.text);
                fb_faulty_disk_reboot(world.disk, loss_of(seed));
                if (!world.violation[0] && live_well(&world))
                    live_well(&world);
                if (world.violation[0])
                    fail_msg("%s, call %d, case %d: %s", pipe ? "pipe" : "file", (int)at, (int)seed,
                             world.violation);
                free_world(&world);
            }
    }
}

/* Opens a copy of a world whose disk was damaged: all that was committed is there, or it is refused
 * with a reason. */
static void expect_right_or_refused(struct world *world, const char *path, const char *how,
                                    size_t at, size_t *refused) {
    struct engine engine = {.world = world, .piece = -1};
    world->damaged = true;
    world->err = (struct fb_err){0};
    bool ok = open_engine(&engine) && check(&engine);
    if (world->violation[0] || (!ok && !world->err.text[0]))
        fail_msg("%s, byte %zu of %s: %s", how, at, path, world->violation);
    *refused += !ok;
    close_engine(&engine);
}

static struct world copy_world(const struct world *world) {
    struct world copy = *world;
    copy.disk = fb_faulty_disk_copy(world->disk);
    copy.reader = (struct fb_buf){0};
    return copy;
}

enum harm { FLIPPED_LOW, FLIPPED_HIGH, ZEROED, CUT, HARMS };

static void harm(struct fb_faulty_disk *disk, size_t file, size_t at, enum harm how) {
    const char *path;
    size_t n;
    char *bytes = fb_faulty_disk_bytes(disk, file, &path, &n);
    if (how == CUT)
        fb_faulty_disk_cut(disk, path, at);
    else
        bytes[at] = (char)(how == ZEROED ? 0 : bytes[at] ^ (how == FLIPPED_HIGH ? 0x80 : 1));
}

static void damage_is_seen_or_does_no_harm(void **state) {
    static const char *const names[] = {"flipped", "flipped", "zeroed", "cut"};
    struct world world = new_world(false);
    size_t refused = 0, cases = 0, n;
    const char *path;
    (void)state;
    assert_true(live_well(&world));
    for (size_t i = 0; fb_faulty_disk_bytes(world.disk, i, &path, &n); i++) {
        if (strcmp(path, "/out") == 0)
            continue;
        for (size_t at = 0; at < n * HARMS; at++, cases++) {
            struct world copy = copy_world(&world);
            harm(copy.disk, i, at / HARMS, (enum harm)(at % HARMS));
            expect_right_or_refused(&copy, path, names[at % HARMS], at / HARMS, &refused);
            free_world(&copy);
        }
        struct world copy = copy_world(&world);
        fb_faulty_disk_remove(copy.disk, path);
        expect_right_or_refused(&copy, path, "removed", 0, &refused);
        free_world(&copy);
        cases++;
    }
    print_message("%zu of %zu damages are refused, the others do no harm\n", refused, cases);
    assert_true(refused > cases / 2);
    free_world(&world);
}

/* What these tests are worth: each bug of the order of things is seen by them. */
static void bugs_are_seen(void **state) {
    (void)state;
    static const struct {
        const char *what;
        bool pipe, early;
        struct fb_faulty_plan plan;
    } bugs[] = {
        {"no sync of a snapshot before it is renamed", false, false, {.no_sync = "snapshot-"}},
        {"no sync of the journal before the outputs", false, false, {.no_sync = "journal-"}},
        {"no sync of what is beside the snapshots", false, false, {.no_sync = "others"}},
        {"no sync of the outputs before the mark that they are done",
         false,
         false,
         {.no_sync = "/out"}},
        {"no sync of the folder's names", false, false, {.no_sync_dir = "/state/plant/3"}},
        {"the mark of what is done comes before the outputs", true, true, {0}},
    };
    for (size_t i = 0; i < sizeof bugs / sizeof *bugs; i++) {
        char example[700] = "";
        uint64_t wrong = crash_everywhere(bugs[i].pipe, bugs[i].early, bugs[i].plan, example);
        print_message("%s: %d cases; %s\n", bugs[i].what, (int)wrong, example);
        assert_true(wrong > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_at_any_call_loses_nothing_that_was_committed),
        cmocka_unit_test(many_crashes_and_failures_lose_nothing_either),
        cmocka_unit_test(a_disk_that_refuses_ends_the_run_with_a_way_out),
        cmocka_unit_test(damage_is_seen_or_does_no_harm),
        cmocka_unit_test(bugs_are_seen),
    };
    fb_log_setup(FB_LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
