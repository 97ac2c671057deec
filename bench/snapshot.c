/* snapshot: what a snapshot costs while records go on, how long the way back takes, and how long
 * other rules hold a core up.
 * usage: build/bench/snapshot [DEVICES [ROUNDS]]
 *
 * A core with so many devices takes records of all of them in turn, with no snapshot open, and with
 * one that is swept a piece after every 1,000 records: the ns of a record in both cases, what the
 * pieces add to each, and the longest time that a piece took. Then the sweep alone, the hash of the
 * state, the restoring into a fresh core, and the change of the program of all devices at once, to
 * rules of which one has another limit and one is new, and what is then evaluated. CPU time of the
 * thread; the best round counts, of the longest times the worst. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/core/migrate.h"
#include "engine/core/snapshot.h"
#include "rules/compile.h"

enum { PIECE_BYTES = 384 * 1024, RECORDS_A_PIECE = 1000 };
#define S INT64_C(1000000)

static const char rules[] =
    "device machine from \"t\" {\n"
    "  key id  time ts [s]  tag site\n"
    "  temp : number [degC] every 10s, stale after 1m\n"
    "  load : number [%] every 10s, stale after 1m\n"
    "  state : one of (stopped, running)\n"
    "}\n"
    "alarm hot on machine { raise high when temp > 80 degC for 10s until temp < 75 degC for 30s }\n"
    "alarm busy on machine { raise medium when avg(load over 1m) > 95 % }\n"
    "alarm unsteady on machine { raise low when stddev(temp each 15m) > 20 K  clear after 1m }\n"
    "event started on machine { when state == running }\n";
/* What comes behind the device in the rules that replace these. */
static const char other_rules[] =
    "alarm hot on machine { raise high when temp > 82 degC for 10s until temp < 75 degC for 30s }\n"
    "alarm busy on machine { raise medium when avg(load over 1m) > 95 % }\n"
    "alarm idle on machine { raise low when state == stopped for 1h }\n"
    "alarm unsteady on machine { raise low when stddev(temp each 15m) > 20 K  clear after 1m }\n"
    "event started on machine { when state == running }\n";

struct bench {
    struct fb_compiled compiled, other;
    struct fb_core *core;
    uint32_t devices;
    uint64_t random;
    int64_t ts_us;
    uint64_t outputs;
};

static double cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void count(void *context, const struct fb_output *output) {
    struct bench *bench = context;
    bench->outputs += output->kind != FB_OUT_LATE;
}

static struct fb_core *fresh_core(struct bench *bench) {
    struct fb_core_config config = {.max_skew_us = 600 * S};
    return fb_core_new(bench->compiled.program, &config, count, bench);
}

static void take(struct bench *bench, uint32_t device) {
    char id[24];
    bench->random = bench->random * 6364136223846793005u + 1442695040888963407u;
    double x = (double)(bench->random >> 40) / (double)(1 << 24);
    struct fb_str name = {id, (size_t)snprintf(id, sizeof id, "machine-%07u", device)};
    const struct fb_sample samples[] = {{.field = 0, .text = name},
                                        {.field = 1, .text = FB_S("north")},
                                        {.field = 2, .num = 60 + 10 * x},
                                        {.field = 3, .num = 90 * x},
                                        {.field = 4, .i = x > 0.1}};
    struct fb_entry entry = {
        .device = name, .ts_us = bench->ts_us, .samples = samples, .n_samples = 5};
    FB_ASSERT(fb_core_take(bench->core, &entry, bench->ts_us) == FB_TAKEN);
}

/* The i-th record of a round: one of each device, in an order that no memory foresees. */
static void take_next(struct bench *bench, uint32_t i) {
    take(bench, (uint32_t)(i * UINT64_C(7919) % bench->devices));
}

static double take_round(struct bench *bench) {
    double began = cpu_ns();
    bench->ts_us += 10 * S;
    for (uint32_t i = 0; i < bench->devices; i++)
        take_next(bench, i);
    return (cpu_ns() - began) / bench->devices;
}

struct swept {
    double ns, sweep_ns, longest_ns; /* of a record; of the pieces, for each record; of a piece */
};

/* The same with a snapshot open from its beginning on; what is left of it is given up. */
static struct swept take_round_swept(struct bench *bench) {
    struct swept swept = {0};
    struct fb_buf piece = {0};
    double began = cpu_ns(), records = 0, sweep = 0;
    bench->ts_us += 10 * S;
    fb_core_snapshot_begin(bench->core);
    for (uint32_t i = 0; i < bench->devices; i++) {
        take_next(bench, i);
        if (i % RECORDS_A_PIECE != RECORDS_A_PIECE - 1 || !fb_core_snapshot_is_open(bench->core))
            continue;
        double at = cpu_ns();
        records += at - began;
        piece.n = 0;
        fb_core_snapshot_next(bench->core, PIECE_BYTES, &piece);
        began = cpu_ns();
        sweep += began - at;
        if (began - at > swept.longest_ns)
            swept.longest_ns = began - at;
    }
    records += cpu_ns() - began;
    fb_core_snapshot_drop(bench->core);
    fb_buf_free(&piece);
    swept.ns = records / bench->devices;
    swept.sweep_ns = sweep / bench->devices;
    return swept;
}

struct pieces {
    struct fb_buf *items;
    size_t n, cap, bytes;
};

static double sweep(struct bench *bench, struct pieces *pieces) {
    double began = cpu_ns();
    fb_core_snapshot_begin(bench->core);
    for (bool more = true; more;) {
        FB_PUSH_ROOM(pieces->items, pieces->n, pieces->cap);
        struct fb_buf *piece = &pieces->items[pieces->n++];
        *piece = (struct fb_buf){0};
        more = fb_core_snapshot_next(bench->core, PIECE_BYTES, piece);
        pieces->bytes += piece->n;
    }
    return cpu_ns() - began;
}

struct way_back {
    double restore_ns, change_ns, evaluate_ns;
};

static struct way_back restore(struct bench *bench, const struct pieces *pieces) {
    struct way_back back;
    struct fb_core *core = fresh_core(bench);
    struct fb_err err = {0};
    double began = cpu_ns();
    for (size_t i = 0; i < pieces->n; i++) {
        struct fb_str piece = {pieces->items[i].p, pieces->items[i].n};
        FB_ASSERT(fb_core_restore(core, piece, &err));
    }
    fb_core_restored(core, bench->ts_us);
    back.restore_ns = cpu_ns() - began;
    FB_ASSERT(fb_hash128_eq(fb_core_state_hash(core), fb_core_snapshot_hash(bench->core)));
    began = cpu_ns();
    struct fb_migration *migration =
        fb_migration_new(bench->compiled.program, bench->other.program);
    fb_core_change_program(core, migration);
    fb_migration_free(migration);
    back.change_ns = cpu_ns() - began;
    began = cpu_ns();
    fb_core_advance(core, bench->ts_us + 1);
    back.evaluate_ns = cpu_ns() - began;
    fb_core_free(core);
    return back;
}

static double least(double a, double b) {
    return a == 0 || b < a ? b : a;
}

static void measure(struct bench *bench, int rounds) {
    double closed = 0, sweeping = 0, hashing = 0;
    struct way_back back = {0};
    struct swept best = {0};
    struct pieces pieces = {0};
    for (int round = 0; round < rounds; round++) {
        closed = least(closed, take_round(bench));
        struct swept swept = take_round_swept(bench);
        best.ns = least(best.ns, swept.ns);
        best.sweep_ns = least(best.sweep_ns, swept.sweep_ns);
        if (swept.longest_ns > best.longest_ns)
            best.longest_ns = swept.longest_ns;
        for (size_t i = 0; i < pieces.n; i++)
            fb_buf_free(&pieces.items[i]);
        pieces.n = pieces.bytes = 0;
        sweeping = least(sweeping, sweep(bench, &pieces));
        double began = cpu_ns();
        struct fb_hash128 hash = fb_core_state_hash(bench->core);
        FB_ASSERT(fb_hash128_eq(hash, fb_core_snapshot_hash(bench->core)));
        hashing = least(hashing, cpu_ns() - began);
        struct way_back now = restore(bench, &pieces);
        back.restore_ns = least(back.restore_ns, now.restore_ns);
        back.change_ns = least(back.change_ns, now.change_ns);
        back.evaluate_ns = least(back.evaluate_ns, now.evaluate_ns);
    }
    double mega = (double)pieces.bytes / 1e6, n = bench->devices;
    printf("%-34s %12s\n%-34s %12.1f\n%-34s %12.1f\n%-34s %12.1f\n"
           "%-34s %12.2f\n\n",
           "while records go on", "ns", "record, no snapshot", closed, "record, snapshot open",
           best.ns, "pieces, for each record", best.sweep_ns, "longest piece, ms",
           best.longest_ns / 1e6);
    printf("%-34s %12s %12s %12s\n", "alone", "seconds", "MB/s", "devices/s");
    const struct {
        const char *name;
        double ns;
    } rows[] = {{"sweep", sweeping}, {"hash of the state", hashing}, {"restore", back.restore_ns},
                {"change of the rules", back.change_ns},
                {"evaluation after it", back.evaluate_ns}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        printf("%-34s %12.3f %12.0f %12.0f\n", rows[i].name, rows[i].ns / 1e9,
               mega / (rows[i].ns / 1e9), n / (rows[i].ns / 1e9));
    for (size_t i = 0; i < pieces.n; i++)
        fb_buf_free(&pieces.items[i]);
    free(pieces.items);
}

static void compile(const struct fb_buf *text, struct fb_compiled *out) {
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    fb_sources_add(sources, FB_S("bench.rules"), (struct fb_str){text->p, text->n});
    FB_ASSERT(fb_compile_sources(sources, diags, out));
    fb_diags_free(diags);
}

int main(int argc, char **argv) {
    struct bench bench = {.devices = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000,
                          .ts_us = 1700000000 * S};
    int rounds = argc > 2 ? atoi(argv[2]) : 3;
    if (bench.devices == 0 || rounds <= 0) {
        fprintf(stderr, "usage: build/bench/snapshot [DEVICES [ROUNDS]]\n");
        return 2;
    }
    struct fb_buf text = {0};
    fb_buf_text(&text, rules);
    compile(&text, &bench.compiled);
    text.n = (size_t)(strstr(rules, "alarm") - rules);
    fb_buf_text(&text, other_rules);
    compile(&text, &bench.other);
    fb_buf_free(&text);
    bench.core = fresh_core(&bench);
    for (int i = 0; i < 3; i++)
        take_round(&bench);
    printf("%u devices, blocks of %u bytes, pieces of %d bytes after every %d records\n\n",
           bench.devices, bench.compiled.program->classes[0].block_bytes, PIECE_BYTES,
           RECORDS_A_PIECE);
    measure(&bench, rounds);
    fb_core_free(bench.core);
    fb_compiled_free(&bench.compiled);
    fb_compiled_free(&bench.other);
    return 0;
}
