/* A load of records whose outputs can be counted beforehand, the engine that takes it, and how
 * much memory that has.
 *
 * Place in the flow: tests only, for those that look at a run from outside and for long; what the
 * outputs are in every byte is tests/kafka/compare.h's matter. */
#ifndef FB_TESTS_KAFKA_LOAD_H
#define FB_TESTS_KAFKA_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "tests/kafka/program.h"

enum { FB_LOAD_PARTITIONS = 4 };

struct fb_load {
    const char *address; /* of the broker; outlives the load */
    const char *folder;  /* for rules, configuration and logs; outlives the load */
    char input[64], application[64];
    size_t padding;    /* bytes in each record that no rule reads */
    int64_t first_ms;  /* the time of the first record */
    int64_t rate;      /* records a second, by their own times */
    uint64_t n;        /* put so far; whole numbers of all below */
    uint64_t hot, bad; /* of these give an event; are no events at all */
    uint64_t seed;
};

/* Makes the input topic. */
void fb_load_begin(struct fb_load *load);
/* The next n records, all stored when it returns. */
void fb_load_put(struct fb_load *load, size_t n);
/* `flyball run` over it, as many workers as given; settings: further lines of its configuration. */
struct fb_program_run fb_load_run(const struct fb_load *load, const char *name, int workers,
                                  const char *settings);
/* After the end of the run: each record that is hot gave its event once, each bad one its dead
 * letter, or the cmocka test fails. Prints the numbers; returns how many differed. */
uint64_t fb_load_expect_counts(const struct fb_load *load);

/* Resident memory of a process, in KiB. */
long fb_resident_kib(pid_t pid);

#endif
