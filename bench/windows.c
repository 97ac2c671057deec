/* Windows: ns per sample taken and per read, for each shape and aggregate; the least of the rounds.
 *
 * ./build/bench/windows [devices] [records of each] [rounds] [name]. Devices are visited in turn,
 * so that with many of them the cells come from memory, with few from the cache. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/arena.h"
#include "engine/core/text.h"
#include "engine/core/window.h"

#define S INT64_C(1000000)
#define MIN (60 * S)

struct bench {
    const char *name;
    struct fb_window window;
    enum fb_aggregate aggregate;
    int64_t every_us;
    int late_percent;
};

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double sink;

/* Takes all records and, with reads, reads after each; returns the ns that one record took. */
static double run(const struct bench *b, size_t devices, int records, int reads) {
    struct fb_window w = b->window;
    w.aggregates = 1u << b->aggregate;
    w.bytes = (fb_window_bytes(&w) + 7) / 8 * 8;
    unsigned char *cells = fb_alloc(w.bytes * devices);
    struct fb_texts *texts = fb_texts_new();
    struct fb_window_counts counts = {0};
    int64_t start = INT64_C(1700000000) * S;
    for (size_t d = 0; d < devices; d++) {
        fb_window_init(&w, cells + d * w.bytes);
        if (w.shape == FB_SHAPE_EACH)
            fb_window_begin(&w, cells + d * w.bytes, start);
    }
    uint32_t seed = 1;
    double began = 0;
    for (int i = 0; i < 2 * records; i++) {
        if (i == records) /* the windows are full now */
            began = now_ns();
        int64_t ts = start + i * b->every_us;
        for (size_t d = 0; d < devices; d++) {
            seed = seed * 1664525u + 1013904223u;
            struct fb_value value = {.num = (double)(seed >> 8), .quality = FB_Q_GOOD};
            if (w.type == FB_T_COUNTER)
                value.num = (double)i * 100 + (double)(seed >> 26);
            if (w.type == FB_T_BOOL)
                value.i = seed >> 31;
            bool late = (int)((seed >> 8) % 100) < b->late_percent;
            struct fb_window_sample sample = {
                .ts_us = late ? ts - 3 * b->every_us : ts,
                .at_us = ts,
                .late = late,
                .value = &value,
                .good = true,
                .good_until_us = ts + 3 * b->every_us,
            };
            void *cell = cells + d * w.bytes;
            fb_window_take(&w, cell, texts, &sample, &counts);
            for (int r = 0; r < reads; r++) {
                int64_t deadline = FB_NEVER;
                struct fb_window_instant instant = {.t_us = ts, .carried = true};
                sink += fb_window_read(&w, cell, texts, b->aggregate, 0.8, instant, &deadline).num;
                sink += (double)(deadline & 1);
            }
        }
    }
    double ns = (now_ns() - began) / ((double)records * (double)devices);
    fb_texts_free(texts);
    free(cells);
    return ns;
}

static struct fb_window ring(int64_t length, int64_t every, enum fb_type type) {
    return (struct fb_window){
        .shape = FB_SHAPE_RING,
        .type = type,
        .length_us = length,
        .places = (uint32_t)(2 * ((length + every - 1) / every) + 1),
        .late_us = MIN,
    };
}

static struct fb_window panes(int64_t length, enum fb_type type) {
    struct fb_window w = {
        .shape = FB_SHAPE_PANES, .type = type, .length_us = length, .late_us = MIN};
    if (!fb_panes_of(length, &w.pane_us, &w.places))
        abort();
    return w;
}

static struct fb_window each(int64_t length, enum fb_type type) {
    return (struct fb_window){.shape = FB_SHAPE_EACH,
                              .type = type,
                              .length_us = length,
                              .pane_us = length,
                              .late_us = MIN};
}

static struct fb_window last(uint32_t n, enum fb_type type) {
    return (struct fb_window){.shape = FB_SHAPE_LAST, .type = type, .places = n};
}

static double least(const struct bench *b, size_t devices, int records, int reads, int rounds) {
    double ns = run(b, devices, records, reads);
    for (int i = 1; i < rounds; i++) {
        double again = run(b, devices, records, reads);
        ns = again < ns ? again : ns;
    }
    return ns;
}

int main(int argc, char **argv) {
    size_t devices = argc > 1 ? (size_t)atol(argv[1]) : 10;
    int records = argc > 2 ? atoi(argv[2]) : 4000;
    int rounds = argc > 3 ? atoi(argv[3]) : 5;
    const enum fb_type num = FB_T_NUMBER, bit = FB_T_BOOL;
    const struct bench benches[] = {
        {"avg over 5m, ring of 10s", ring(5 * MIN, 10 * S, num), FB_AGG_AVG, 10 * S, 0},
        {"avg over 20m, ring of 10s", ring(20 * MIN, 10 * S, num), FB_AGG_AVG, 10 * S, 0},
        {"avg over 20m, ring, 1 % late", ring(20 * MIN, 10 * S, num), FB_AGG_AVG, 10 * S, 1},
        {"max over 20m, ring", ring(20 * MIN, 10 * S, num), FB_AGG_MAX, 10 * S, 0},
        {"stddev over 20m, ring", ring(20 * MIN, 10 * S, num), FB_AGG_STDDEV, 10 * S, 0},
        {"time_avg over 20m, ring", ring(20 * MIN, 10 * S, num), FB_AGG_TIME_AVG, 10 * S, 0},
        {"rate over 20m, ring", ring(20 * MIN, 10 * S, FB_T_COUNTER), FB_AGG_RATE, 10 * S, 0},
        {"delta over 20m, ring", ring(20 * MIN, 10 * S, num), FB_AGG_DELTA, 10 * S, 0},
        {"any over 20m, ring", ring(20 * MIN, 10 * S, bit), FB_AGG_ANY, 10 * S, 0},
        {"avg over 5m, panes of 5s, 1s", panes(5 * MIN, num), FB_AGG_AVG, S, 0},
        {"avg over 5m, panes of 5s, 10s", panes(5 * MIN, num), FB_AGG_AVG, 10 * S, 0},
        {"avg over 1h, panes of 1m, 1s", panes(60 * MIN, num), FB_AGG_AVG, S, 0},
        {"avg over 1h, panes, 1 % late", panes(60 * MIN, num), FB_AGG_AVG, S, 1},
        {"max over 1h, panes", panes(60 * MIN, num), FB_AGG_MAX, S, 0},
        {"stddev over 1h, panes", panes(60 * MIN, num), FB_AGG_STDDEV, S, 0},
        {"time_avg over 1h, panes", panes(60 * MIN, num), FB_AGG_TIME_AVG, S, 0},
        {"rate over 1h, panes", panes(60 * MIN, FB_T_COUNTER), FB_AGG_RATE, S, 0},
        {"any over 1h, panes", panes(60 * MIN, bit), FB_AGG_ANY, S, 0},
        {"avg each 15m", each(15 * MIN, num), FB_AGG_AVG, S, 0},
        {"time_avg each 15m", each(15 * MIN, num), FB_AGG_TIME_AVG, S, 0},
        {"avg over last 5", last(5, num), FB_AGG_AVG, S, 0},
        {"avg over last 100", last(100, num), FB_AGG_AVG, S, 0},
        {"changed", last(2, num), FB_AGG_CHANGED, S, 0},
    };
    printf("%zu devices, %d records of each\n", devices, records);
    printf("%-32s %8s %8s %8s\n", "window", "bytes", "ns take", "ns read");
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        struct bench b = benches[i];
        if (argc > 4 && !strstr(b.name, argv[4]))
            continue;
        b.window.aggregates = 1u << b.aggregate;
        double take = least(&b, devices, records, 0, rounds);
        double both = least(&b, devices, records, 1, rounds);
        printf("%-32s %8u %8.1f %8.1f\n", b.name, fb_window_bytes(&b.window), take, both - take);
    }
    return sink == 0.5; /* so that nothing is left out as unused */
}
