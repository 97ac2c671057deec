/* core: where the nanoseconds of an event go, without Kafka and without threads.
 * usage: build/bench/core [EVENTS [ROUNDS]]
 *
 * The stages are run one on top of the other over the same events, and a part is the difference to
 * the stage below: decode alone; with a core that has no rules (the device's lookup, clock and
 * fields); with the windows of the rules and limits that are never reached; with the rules; with
 * their outputs written into memory. Each round runs every stage once, so that what else goes on in
 * the machine touches all of them; the best round of each counts. CPU time of the thread, after a
 * first tenth in which the devices are new. W2, W4: see workload.h; A4: W4's conditions as
 * controls, each with an actuator of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/workload.h"
#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/codec/decode.h"
#include "engine/codec/encode.h"
#include "engine/core/core.h"
#include "rules/compile.h"

enum { STAGES = 5 };
static const char *const part_names[STAGES] = {"decode", "lookup", "windows", "rules", "encode"};

struct events {
    struct fb_buf bytes;
    size_t *starts; /* one more at the end */
    size_t n;
};

struct run {
    struct fb_encoder *encoder; /* NULL: outputs are counted only */
    struct fb_buf line;
    uint64_t outputs, bytes;
};

static double cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct events make_events(size_t n) {
    struct events events = {.n = n, .starts = fb_alloc((n + 1) * sizeof *events.starts)};
    struct bench_stream *stream = fb_alloc(sizeof *stream);
    char text[BENCH_EVENT_MAX];
    bench_stream_begin(stream);
    for (size_t i = 0; i < n; i++) {
        fb_buf_put(&events.bytes, text, bench_stream_next(stream, text));
        events.starts[i + 1] = events.bytes.n;
    }
    free(stream);
    return events;
}

static void compile(enum bench_rules rules, int n, struct fb_compiled *out) {
    struct fb_buf text = {0};
    struct fb_diags *diags = fb_diags_new();
    struct fb_sources *sources = fb_sources_new();
    bench_rules_write(rules, n, "bench", &text);
    fb_sources_add(sources, FB_S("bench.rules"), (struct fb_str){text.p, text.n});
    FB_ASSERT(fb_compile_sources(sources, diags, out));
    fb_diags_free(diags);
    fb_buf_free(&text);
}

static void put_out(void *context, const struct fb_output *output) {
    struct run *run = context;
    run->outputs++;
    if (!run->encoder || output->kind == FB_OUT_BLOCKED)
        return; /* blocks are told in the audit only */
    struct fb_encoded encoded;
    run->line.n = 0;
    fb_encode(run->encoder, output, (struct fb_circumstance){.initial = false}, &encoded);
    fb_encode_line(&encoded, &run->line);
    run->bytes += run->line.n;
}

static void take(struct fb_decoder *decoder, struct fb_core *core, const struct events *events,
                 size_t from, size_t to) {
    struct fb_entry entry;
    struct fb_reject reject;
    for (size_t i = from; i < to; i++) {
        struct fb_origin origin = {.topic = FB_S("bench"), .offset = (int64_t)i};
        struct fb_str text = {events->bytes.p + events->starts[i],
                              events->starts[i + 1] - events->starts[i]};
        if (core) /* as where the Kafka record's key is the device's id */
            fb_core_expect(core, 0, bench_key(text));
        fb_decoder_begin(decoder, text, &origin, FB_NO_TIME);
        while (fb_decoder_next(decoder, &entry, &reject) == FB_DECODED_ENTRY)
            if (core)
                fb_core_take(core, &entry, entry.ts_us);
    }
}

/* The ns that an event takes up to this stage. */
static double run_stage(const struct events *events, const struct fb_program *program, int stage,
                        uint64_t *outputs) {
    static const uint16_t class_index;
    struct fb_core_config config = {.max_skew_us = 10 * FB_MINUTE};
    struct run run = {.encoder = stage == 4 ? fb_encoder_new(program, FB_S("bench")) : NULL};
    struct fb_decoder *decoder = fb_decoder_new(program, &class_index, 1, FB_JSON_LIMITS);
    struct fb_core *core = stage > 0 ? fb_core_new(program, &config, put_out, &run) : NULL;
    size_t first = events->n / 10;
    take(decoder, core, events, 0, first);
    run.outputs = 0;
    double began = cpu_ns();
    take(decoder, core, events, first, events->n);
    double ns = (cpu_ns() - began) / (double)(events->n - first);
    *outputs = run.outputs;
    fb_decoder_free(decoder);
    fb_core_free(core);
    fb_encoder_free(run.encoder);
    fb_buf_free(&run.line);
    return ns;
}

static void measure(const struct events *events, enum bench_rules rules, int n_rules, int rounds) {
    struct fb_compiled compiled[STAGES];
    double best[STAGES];
    uint64_t outputs = 0;
    const enum bench_rules windows = rules == BENCH_W2 ? BENCH_WINDOWS : BENCH_NONE;
    const enum bench_rules wanted[STAGES] = {BENCH_NONE, BENCH_NONE, windows, rules, rules};
    for (int stage = 0; stage < STAGES; stage++)
        compile(wanted[stage], n_rules, &compiled[stage]);
    for (int round = 0; round < rounds; round++)
        for (int stage = 0; stage < STAGES; stage++) {
            bool nothing_new = stage == 2 && wanted[2] == wanted[1]; /* there are no windows */
            double ns = nothing_new
                            ? best[1]
                            : run_stage(events, compiled[stage].program, stage, &outputs);
            if (round == 0 || ns < best[stage])
                best[stage] = ns;
        }
    printf("%s, %3d rules", rules == BENCH_W2 ? "W2" : rules == BENCH_W4 ? "W4" : "A4", n_rules);
    for (int stage = 0; stage < STAGES; stage++)
        printf(" %8.1f", best[stage] - (stage ? best[stage - 1] : 0));
    printf(" %8.1f %16.1f\n", best[STAGES - 1],
           (double)outputs * 1e3 / (double)(events->n - events->n / 10));
    fflush(stdout);
    for (int stage = 0; stage < STAGES; stage++)
        fb_compiled_free(&compiled[stage]);
}

int main(int argc, char **argv) {
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    int rounds = argc > 2 ? atoi(argv[2]) : 3;
    if (n < 10 || rounds <= 0) {
        fprintf(stderr, "usage: build/bench/core [EVENTS [ROUNDS]]\n");
        return 2;
    }
    struct events events = make_events(n);
    printf("core, ns of CPU an event; %zu events of %zu bytes, %d devices\n%13s", n,
           events.bytes.n / n, (int)BENCH_DEVICES, "");
    for (int i = 0; i < STAGES; i++)
        printf(" %8s", part_names[i]);
    printf(" %8s %16s\n", "all", "outputs of 1000");
    static const int counts[] = {10, 100};
    for (int i = 0; i < 2; i++)
        measure(&events, BENCH_W2, counts[i], rounds);
    for (int i = 0; i < 2; i++)
        measure(&events, BENCH_W4, counts[i], rounds);
    measure(&events, BENCH_W4_ACTING, counts[0], rounds);
    fb_buf_free(&events.bytes);
    free(events.starts);
    return 0;
}
