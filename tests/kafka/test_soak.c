/* A steady load for half an hour (FB_SOAK_SECONDS: another time): resident memory stays flat, the
 * lag bounded, and every output is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kafka/broker.h"
#include "tests/kafka/compare.h"
#include "tests/kafka/load.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/watch.h"

enum {
    RATE = 2000,
    LAG_MAX = RATE * 15, /* records */
    SECONDS = 1800,
    SECONDS_MAX = 7 * 86400,
    GROWTH_PERCENT = 10,
    PATIENCE_MS = 120000
};

static int wanted_seconds(void) {
    const char *wish = getenv("FB_SOAK_SECONDS");
    int seconds = wish ? atoi(wish) : SECONDS;
    assert_in_range(seconds, 30, SECONDS_MAX);
    return seconds;
}

static int by_size(const void *a, const void *b) {
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

static long median(const long *v, size_t n) {
    long *sorted = malloc(n * sizeof *sorted);
    assert_non_null(sorted);
    memcpy(sorted, v, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    long middle = sorted[n / 2];
    free(sorted);
    return middle;
}

struct samples {
    long *kib;
    size_t n;
    uint64_t most_lag, last_lag;
};

/* Puts what is due, and once a second looks at the run. */
static void soak(struct fb_load *load, const struct fb_program_run *run, struct fb_watch *watch,
                 int seconds, struct samples *samples) {
    int64_t begun_ms = fb_watch_now_ms();
    samples->kib = calloc((size_t)seconds + 1, sizeof *samples->kib);
    assert_non_null(samples->kib);
    for (int64_t spent_ms = 0; spent_ms < seconds * 1000L; usleep(100000)) {
        spent_ms = fb_watch_now_ms() - begun_ms;
        uint64_t due = (uint64_t)(spent_ms * RATE / 1000);
        if (due > load->n)
            fb_load_put(load, due - load->n);
        if ((size_t)(spent_ms / 1000) <= samples->n || samples->n == (size_t)seconds)
            continue;
        samples->kib[samples->n++] = fb_resident_kib(run->pid);
        samples->last_lag = load->n - (uint64_t)fb_watch_total(watch);
        if (samples->last_lag > samples->most_lag)
            samples->most_lag = samples->last_lag;
    }
}

static void memory_and_lag_stay_bounded_under_a_steady_load(void **state) {
    (void)state;
    int seconds = wanted_seconds();
    struct fb_broker *broker = fb_broker_start();
    struct fb_load load = {.address = fb_broker_address(broker),
                           .folder = fb_folder(),
                           .padding = 40,
                           .first_ms = fb_wall_ms(),
                           .rate = RATE};
    struct samples samples = {0};
    fb_load_begin(&load);
    struct fb_program_run run =
        fb_load_run(&load, "soak", 2,
                    "snapshot.interval.min.ms = 2000\nsnapshot.interval.max.ms = 2000\n");
    struct fb_watch *watch =
        fb_watch_start(load.address, load.application, load.input, FB_LOAD_PARTITIONS);
    soak(&load, &run, watch, seconds, &samples);
    for (int64_t begun_ms = fb_watch_now_ms(); (uint64_t)fb_watch_total(watch) < load.n;
         usleep(20000))
        if (fb_watch_now_ms() - begun_ms > PATIENCE_MS)
            fail_msg("taken: %lld of %llu", (long long)fb_watch_total(watch),
                     (unsigned long long)load.n);
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);
    assert_int_equal(fb_watch_end(watch), 0);

    size_t third = samples.n / 3;
    long second = median(samples.kib + third, third);
    long last = median(samples.kib + 2 * third, third);
    print_message("%d s at %d records a second: resident, medians of the thirds: %ld, %ld, %ld "
                  "KiB; lag at most %llu records, %llu at the end\n",
                  seconds, RATE, median(samples.kib, third), second, last,
                  (unsigned long long)samples.most_lag, (unsigned long long)samples.last_lag);
    free(samples.kib);
    uint64_t wrong = fb_load_expect_counts(&load);
    printf("torture: soak cases=%llu violations=%llu\n", (unsigned long long)load.n,
           (unsigned long long)wrong);
    assert_true(last <= second + second * GROWTH_PERCENT / 100);
    assert_true(samples.last_lag <= LAG_MAX);
    fb_broker_free(broker);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_and_lag_stay_bounded_under_a_steady_load),
    };
    return cmocka_run_group_tests(tests, fb_folder_make, fb_folder_remove);
}
