/* A broker that stands still and one that hardly moves, under load: the engine's memory stays
 * bounded though there is far more to read, and the lag drains when the broker is back.
 * FB_TORTURE=1: several hundred MB. */
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
    PADDING = 2000,
    QUEUED_KIB = 8192, /* that the client may hold for one worker */
    WORKERS = 2,
    /* 40 MB are usual. The thread sanitizer keeps several shadows of each byte. */
#ifdef __SANITIZE_THREAD__
    BOUND_KIB = 2048 << 10,
#else
    BOUND_KIB = 96 << 10,
#endif
    SAMPLE_MS = 100,
    PATIENCE_MS = 300000
};

static pid_t node(const struct fb_broker *broker) {
    char path[300];
    int pid = 0;
    snprintf(path, sizeof path, "%s/pid", fb_broker_folder(broker));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

/* The most memory that was seen, and what there was to read meanwhile. */
struct seen {
    const struct fb_program_run *run;
    long most_kib;
};

static void look(struct seen *seen, int ms) {
    for (int waited = 0; waited < ms; waited += SAMPLE_MS) {
        usleep(SAMPLE_MS * 1000);
        long kib = fb_resident_kib(seen->run->pid);
        if (kib > seen->most_kib)
            seen->most_kib = kib;
    }
}

static void await_total(struct seen *seen, struct fb_watch *watch, uint64_t total) {
    for (int64_t begun_ms = fb_watch_now_ms(); (uint64_t)fb_watch_total(watch) < total;
         look(seen, SAMPLE_MS))
        if (fb_watch_now_ms() - begun_ms > PATIENCE_MS)
            fail_msg("taken: %lld of %llu", (long long)fb_watch_total(watch),
                     (unsigned long long)total);
}

/* Stops the node for a part of each half second, so often or until `enough` was taken all the same:
 * a quick machine must leave something for the outage. Gives how often it was. */
static int slow(struct seen *seen, struct fb_watch *watch, pid_t broker, int times,
                uint64_t enough) {
    int stops = 0;
    while (stops < times && (uint64_t)fb_watch_total(watch) < enough) {
        assert_int_equal(kill(broker, SIGSTOP), 0);
        look(seen, 400);
        assert_int_equal(kill(broker, SIGCONT), 0);
        look(seen, 100);
        stops++;
    }
    return stops;
}

static void a_slow_broker_costs_time_but_no_memory(void **state) {
    (void)state;
    uint64_t records = fb_torture() ? 250000 : 70000;
    int stopped_s = fb_torture() ? 20 : 5;
    struct fb_broker *broker = fb_broker_start();
    struct fb_load load = {.address = fb_broker_address(broker),
                           .folder = fb_folder(),
                           .padding = PADDING,
                           .first_ms = fb_wall_ms() - 3600000,
                           .rate = 2000};
    char settings[256];
    fb_load_begin(&load);
    fb_load_put(&load, records);
    /* A fetch is kept small, so that the work lasts over the outage. */
    snprintf(settings, sizeof settings,
             "kafka.queued.max.messages.kbytes = %d\nkafka.max.partition.fetch.bytes = 200000\n"
             "kafka.queued.min.messages = 500\nsnapshot.interval.min.ms = 500\n"
             "snapshot.interval.max.ms = 2000\n",
             QUEUED_KIB);
    struct fb_program_run run = fb_load_run(&load, "slow", WORKERS, settings);
    struct fb_watch *watch =
        fb_watch_start(load.address, load.application, load.input, FB_LOAD_PARTITIONS);
    struct seen seen = {.run = &run};
    await_total(&seen, watch, records / 20);
    pid_t pid = node(broker);
    int stops = slow(&seen, watch, pid, stopped_s * 2, records / 10 * 7);
    uint64_t left = records - (uint64_t)fb_watch_total(watch);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    look(&seen, stopped_s * 1000);
    assert_int_equal(kill(pid, SIGCONT), 0);
    await_total(&seen, watch, records);
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);
    assert_int_equal(fb_watch_end(watch), 0);
    print_message(
        "a broker that stood still %d times, then for %d s with %llu MB still to be read: "
        "resident at most %ld MB, bound %d MB\n",
        stops, stopped_s, (unsigned long long)(left * PADDING / 1000000), seen.most_kib / 1024,
        BOUND_KIB / 1024);
    assert_true(stops >= 3 && left > 0); /* else neither met anything */
    assert_true(seen.most_kib < BOUND_KIB);
    uint64_t wrong = fb_load_expect_counts(&load);
    printf("torture: slow_broker cases=1 faults=%d violations=%llu\n", stops + 1,
           (unsigned long long)wrong);
    fb_broker_free(broker);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_broker_costs_time_but_no_memory),
    };
    return cmocka_run_group_tests(tests, fb_folder_make, fb_folder_remove);
}
