/* restored: a snapshot is taken while records go on, and a fresh core that is restored from it must
 * put out what the undisturbed one does, to the bit.
 *
 * Place in the flow: the oracle tests run it over random rules and events, and over rule files with
 * random records of their classes. With --damage the pieces are spoilt first: they must be refused,
 * or give a core that runs on; run that with sanitizers. */
#include "tests/oracle/side.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pieces {
    struct fb_buf items[4096];
    size_t n;
};

static void pull(struct side *side, struct pieces *pieces, struct gen_random *random) {
    if (pieces->n == sizeof pieces->items / sizeof *pieces->items)
        pieces->n--; /* the last one grows */
    struct fb_buf *piece = &pieces->items[pieces->n++];
    size_t bytes = gen_chance(random, 20) ? 0 : gen_below(random, 4000);
    fb_core_snapshot_next(side->core, bytes, piece);
}

static bool restore(struct side *side, const struct pieces *pieces, int64_t clock_us) {
    struct fb_err err = {0};
    for (size_t i = 0; i < pieces->n; i++) {
        struct fb_str piece = {pieces->items[i].p, pieces->items[i].n};
        if (!fb_core_restore(side->core, piece, &err)) {
            printf("%s\n", err.text);
            return false;
        }
    }
    fb_core_restored(side->core, clock_us);
    side->clock_us = clock_us;
    return true;
}

/* Goes on from the barrier with random pulls; the last ones before or after the finish. */
static void go_on(struct side *side, const struct input *in, size_t barrier, struct pieces *pieces,
                  struct gen_random *random) {
    uint32_t share = gen_below(random, 30);
    for (size_t i = barrier; i < in->n; i++) {
        side_step(side, &in->events[i]);
        if (fb_core_snapshot_is_open(side->core) && gen_chance(random, share))
            pull(side, pieces, random);
    }
    if (gen_chance(random, 50))
        while (fb_core_snapshot_is_open(side->core))
            pull(side, pieces, random);
    side_finish(side, in);
    while (fb_core_snapshot_is_open(side->core))
        pull(side, pieces, random);
}

struct totals {
    uint64_t cases, devices, bytes, outputs, refused, accepted;
};

static char other_byte(char c, struct gen_random *random) {
    switch (gen_below(random, 4)) {
    case 0: return (char)gen_below(random, 256);
    case 1: return (char)((unsigned char)c ^ 1u << gen_below(random, 8));
    case 2: return (char)0xff;
    default: return 0x7f;
    }
}

/* A copy with some bytes changed, or its end cut off: of just its length, so that reading too far
 * is seen. Free it. */
static char *spoilt(struct fb_str *piece, struct gen_random *random) {
    uint32_t changes = gen_below(random, 4);
    if (piece->n && gen_chance(random, 10))
        piece->n = gen_next(random) % piece->n;
    char *copy = malloc(piece->n ? piece->n : 1);
    if (piece->n)
        memcpy(copy, piece->p, piece->n);
    for (; piece->n && changes > 0; changes--) {
        size_t at = gen_next(random) % piece->n;
        copy[at] = other_byte(copy[at], random);
    }
    piece->p = copy;
    return copy;
}

/* Spoils a few bytes or cuts, restores, and runs on if that was not noticed. */
static void damage(const struct input *in, const struct pieces *pieces, size_t barrier,
                   struct gen_random *random, int64_t clock_us, struct totals *totals) {
    for (int round = 0; round < 20; round++) {
        struct side side;
        side_begin(&side, in);
        struct fb_err err = {0};
        bool ok = true;
        for (size_t i = 0; i < pieces->n && ok; i++) {
            struct fb_str piece = {pieces->items[i].p, pieces->items[i].n};
            char *exact = spoilt(&piece, random);
            ok = fb_core_restore(side.core, piece, &err);
            free(exact);
        }
        if (ok) {
            fb_core_restored(side.core, clock_us);
            side_run_out(&side, in, barrier);
        }
        totals->refused += !ok;
        totals->accepted += ok;
        side_end(&side);
    }
}

/* A restart behind every record, tick and call. */
static bool run_restarts(const struct input *in, const struct side *plain) {
    struct side side;
    bool ok = true;
    side_begin(&side, in);
    for (size_t i = 0; i < in->n && ok; i++) {
        side_step(&side, &in->events[i]);
        ok = side_restart(&side, in);
    }
    if (ok) {
        side_finish(&side, in);
        ok = same_bytes(side_outputs(plain, 0), side_outputs(&side, 0),
                        "with and without a restart behind every event");
        ok &= same_hash(fb_core_state_hash(plain->core), fb_core_state_hash(side.core),
                        "at the end, with and without a restart behind every event");
    }
    side_end(&side);
    return ok;
}

static bool run_input(const struct input *in, struct gen_random *random, bool spoil,
                      struct totals *totals) {
    static struct pieces pieces;
    struct side plain, ticked, swept, fresh;
    size_t barrier = in->n ? gen_next(random) % in->n : 0;
    bool ok = true;
    side_begin(&plain, in);
    side_run_out(&plain, in, 0);
    side_begin(&ticked, in);
    ticked.ticks = true;
    side_run_out(&ticked, in, 0);
    ok &= same_hash(fb_core_state_hash(plain.core), fb_core_state_hash(ticked.core),
                    "with and without ticks between the records");
    side_end(&ticked);

    ok &= run_restarts(in, &plain);

    side_begin(&swept, in);
    side_run(&swept, in, 0, barrier);
    int64_t clock_us = swept.clock_us;
    size_t before = swept.bytes.n;
    struct fb_hash128 at_barrier = fb_core_state_hash(swept.core);
    uint32_t devices = fb_core_stats(swept.core).devices;
    fb_core_snapshot_begin(swept.core);
    go_on(&swept, in, barrier, &pieces, random);
    ok &= same_hash(at_barrier, fb_core_snapshot_hash(swept.core), "of the barrier");
    if (fb_core_snapshot_devices(swept.core) != devices) {
        printf("%u devices of %u\n", fb_core_snapshot_devices(swept.core), devices);
        ok = false;
    }
    ok &= same_bytes(side_outputs(&plain, 0), side_outputs(&swept, 0),
                     "with and without a snapshot");
    ok &= same_hash(fb_core_state_hash(plain.core), fb_core_state_hash(swept.core),
                    "with and without a snapshot");

    side_begin(&fresh, in);
    if (restore(&fresh, &pieces, clock_us)) {
        ok &= same_hash(at_barrier, fb_core_state_hash(fresh.core), "as restored");
        side_run_out(&fresh, in, barrier);
        ok &= same_bytes(side_outputs(&swept, before), side_outputs(&fresh, 0), "once restored");
        ok &= same_hash(fb_core_state_hash(swept.core), fb_core_state_hash(fresh.core),
                        "at the end, once restored");
    } else {
        ok = false;
    }
    if (spoil)
        damage(in, &pieces, barrier, random, clock_us, totals);
    totals->cases++;
    totals->devices += devices;
    totals->outputs += swept.bytes.n - before;
    for (size_t i = 0; i < pieces.n; i++) {
        totals->bytes += pieces.items[i].n;
        fb_buf_free(&pieces.items[i]);
    }
    pieces.n = 0;
    side_end(&plain);
    side_end(&swept);
    side_end(&fresh);
    return ok;
}

/* --- random cases ----------------------------------------------------------------------------- */

static bool run_seed(uint64_t seed, bool spoil, struct totals *totals) {
    struct compiled_case of;
    bool ok = true;
    compiled_case_begin(&of, seed);
    if (of.ok) {
        struct input in = input_of(of.c, &of.compiled);
        ok = run_input(&in, &of.c->random, spoil, totals);
    }
    if (!ok)
        printf("seed %" PRIu64 "\n", seed);
    compiled_case_end(&of);
    return ok;
}

/* --- records for any rule file ---------------------------------------------------------------- */

enum { RECORDS = 600, DEVICES = 5 };

static double some_number(const struct fb_class *class_, const struct fb_field *field,
                          struct gen_random *random) {
    double x = class_->n_numbers ? class_->numbers[gen_below(random, class_->n_numbers)] : 0;
    x += gen_below(random, 3) == 0 ? 0 : (double)gen_below(random, 2000) / 100 - 10;
    if (field->has_range && x < field->range_low)
        x = field->range_low;
    if (field->has_range && x > field->range_high)
        x = field->range_high;
    return x;
}

static struct fb_str some_text(struct fb_arena *arena, struct gen_random *random) {
    int length = 1 + 9 * (int)gen_below(random, 4);
    return fb_str_printf(arena, "%0*u", length, gen_below(random, 5));
}

static struct fb_sample some_sample(const struct fb_class *class_, uint16_t index, uint32_t device,
                                    struct fb_arena *arena, struct gen_random *random) {
    const struct fb_field *field = &class_->fields[index];
    struct fb_sample sample = {.field = index};
    if (index >= class_->n_keys && gen_chance(random, 3)) {
        sample.state = FB_SAMPLE_NULL;
        return sample;
    }
    switch (field->type) {
    case FB_T_TEXT:
        sample.text = index < class_->n_keys ? fb_str_printf(arena, "d%u", device)
                                             : some_text(arena, random);
        break;
    case FB_T_BOOL: sample.i = gen_chance(random, 60); break;
    case FB_T_ENUM: sample.i = gen_below(random, field->n_words); break;
    case FB_T_INTEGER: sample.i = gen_below(random, 40); break;
    case FB_T_TIME: sample.i = INT64_C(1700000000000000) + gen_below(random, 1000000); break;
    default: sample.num = some_number(class_, field, random); break;
    }
    return sample;
}

static void some_records(struct gen_case *c, const struct fb_program *program,
                         const struct fb_class *class_) {
    int64_t clock_us = INT64_C(1700000000000000), step_us = 1000000;
    for (uint32_t i = 0; i < class_->n_fields; i++)
        if (class_->fields[i].every_us)
            step_us = class_->fields[i].every_us;
    for (int k = 0; k < RECORDS; k++) {
        uint32_t device = gen_below(&c->random, DEVICES);
        struct fb_sample *samples = FB_ARENA_ARRAY(c->arena, struct fb_sample, class_->n_fields);
        uint16_t n = 0;
        for (uint16_t f = 0; f < class_->n_fields; f++)
            if (f < class_->n_keys || gen_chance(&c->random, 70))
                samples[n++] = some_sample(class_, f, device, c->arena, &c->random);
        clock_us += (int64_t)(gen_next(&c->random) % (uint64_t)(step_us / 2));
        clock_us += gen_chance(&c->random, 2) ? 100 * step_us : 0;
        int64_t back = gen_chance(&c->random, 10) ? (int64_t)gen_below(&c->random, 20000000) : 0;
        struct gen_event event = {.clock_us = clock_us,
                                  .wall_us = FB_NO_TIME,
                                  .tick = gen_chance(&c->random, 5)};
        event.entry = (struct fb_entry){
            .class_index = (uint16_t)(class_ - program->classes),
            .device = fb_str_printf(c->arena, "d%u", device),
            .ts_us = clock_us - back,
            .samples = samples,
            .n_samples = n,
            .origin = {.topic = FB_S("t"), .offset = k},
            .raw = FB_S("{}"),
        };
        FB_PUSH_ROOM(c->events, c->n_events, c->cap_events);
        c->events[c->n_events++] = event;
    }
    c->finish_us = clock_us;
}

static bool run_file(const char *path, uint64_t seed, bool spoil, struct totals *totals) {
    struct fb_compiled compiled;
    struct fb_diags *diags = fb_diags_new();
    bool ok = fb_compile_all(&path, 1, diags, &compiled);
    for (uint32_t i = 0; ok && i < compiled.program->n_classes; i++) {
        struct gen_case c = {.arena = fb_arena_new(), .random.state = seed * 977 + i};
        some_records(&c, compiled.program, &compiled.program->classes[i]);
        struct input in = {compiled.program, c.events,  c.n_events, c.finish_us,
                           FB_NO_TIME,       600000000, 60000000};
        ok = run_input(&in, &c.random, spoil, totals);
        free(c.events);
        fb_arena_free(c.arena);
    }
    if (!ok)
        printf("%s, seed %" PRIu64 "\n", path, seed);
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
    return ok;
}

/* restored [--damage] FROM TO [FILE ..]: seeds FROM .. TO - 1, of each file or of the generator. */
int main(int argc, char **argv) {
    int at = 1;
    bool spoil = at < argc && strcmp(argv[at], "--damage") == 0;
    unsigned failed = 0;
    at += spoil;
    if (argc < at + 2) {
        fprintf(stderr, "restored [--damage] FROM TO [FILE ..]\n");
        return 2;
    }
    struct totals totals = {0};
    uint64_t from = strtoull(argv[at], NULL, 10), to = strtoull(argv[at + 1], NULL, 10);
    for (uint64_t seed = from; seed < to; seed++) {
        if (argc == at + 2)
            failed += !run_seed(seed, spoil, &totals);
        for (int i = at + 2; i < argc; i++)
            failed += !run_file(argv[i], seed, spoil, &totals);
    }
    printf("%" PRIu64 " cases, %" PRIu64 " devices in %" PRIu64 " bytes of snapshots, %" PRIu64
           " bytes of outputs after them",
           totals.cases, totals.devices, totals.bytes, totals.outputs);
    if (spoil)
        printf(", %" PRIu64 " spoilt ones refused, %" PRIu64 " taken", totals.refused,
               totals.accepted);
    printf("\ntorture: restored cases=%" PRIu64 " faults=%" PRIu64 " violations=%u seeds=%" PRIu64
           "..%" PRIu64 "\n",
           totals.cases, totals.refused + totals.accepted, failed, from, to - 1);
    return failed == 0 && totals.devices > 0 && totals.outputs > 0 ? 0 : 1;
}
