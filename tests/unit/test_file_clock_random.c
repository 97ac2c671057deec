/* The clock of a file against the text of docs/INPUT.md, "The clock of a file", taken word by word
 * over whole arrays, on random inputs with leaps in both directions.
 *
 * Place in the flow: engine/run/file_clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/run/file_clock.h"

enum { RECORDS_MAX = 1100, SKEW = 600, NEAR = 1000 };

struct record {
    char device;
    int64_t time;
};

struct taken {
    int record;
    int64_t c;
};

struct run {
    struct record in[RECORDS_MAX];
    int n;
    struct taken out[2][RECORDS_MAX]; /* of the product, by the text */
    int n_out[2];
};

/* ---- the product ---- */

static void take(void *context, const struct fb_entry *entry, int64_t c_us) {
    struct run *run = context;
    run->out[0][run->n_out[0]++] = (struct taken){(int)entry->origin.offset, c_us};
}

static void run_product(struct run *run) {
    static struct fb_class class;
    static const struct fb_program program = {.classes = &class, .n_classes = 1};
    struct fb_file_clock *clock = fb_file_clock_new(&program, SKEW, take, run);
    for (int i = 0; i < run->n; i++) {
        struct fb_entry entry = {.device = {&run->in[i].device, 1},
                                 .ts_us = run->in[i].time,
                                 .origin = {.offset = i}};
        fb_file_clock_entry(clock, &entry);
    }
    fb_file_clock_end(clock);
    fb_file_clock_free(clock);
}

/* ---- the text ---- */

static void put(struct run *run, int record, int64_t *c, bool moves) {
    if (moves && run->in[record].time > *c)
        *c = run->in[record].time;
    run->out[1][run->n_out[1]++] = (struct taken){record, *c};
}

/* "F leapt as soon as there is a record below it of another device than the second record's, or the
 * 1,001st record is reached, or the input ends with two or more records below F." */
static bool first_leapt(const struct run *run) {
    int below = 0;
    for (int i = 1; i < run->n; i++) {
        if (run->in[i].time >= run->in[0].time - SKEW)
            return false;
        below++;
        if (run->in[i].device != run->in[1].device || i == NEAR)
            return true;
    }
    return below >= 2;
}

/* "where no other device was among the 1,000 records before the leap" */
static bool alone(const struct run *run, int leap) {
    for (int i = leap - 1; i >= 0 && i >= leap - NEAR; i--)
        if (run->in[i].device != run->in[leap].device)
            return false;
    return true;
}

/* Who decides about a leap: the first record behind it of another device, or the next one; n: the
 * end. */
static int decider(const struct run *run, int leap) {
    int i = leap + 1;
    while (i < run->n && !alone(run, leap) && run->in[i].device == run->in[leap].device)
        i++;
    return i < run->n ? i : run->n;
}

static void run_text(struct run *run) {
    bool leapt = first_leapt(run);
    int64_t c = run->n ? run->in[leapt].time : 0;
    for (int i = leapt; i < run->n;) {
        if (leapt && i == 2)
            put(run, 0, &c, false);
        if (run->in[i].time <= c + SKEW) {
            put(run, i++, &c, true);
            continue;
        }
        int until = decider(run, i);
        bool real = until < run->n && run->in[until].time >= run->in[i].time - SKEW;
        bool held[RECORDS_MAX] = {false};
        for (int k = i; k < until; k++) {
            held[k] = run->in[k].time > c + SKEW;
            if (!held[k])
                put(run, k, &c, true);
        }
        for (int k = i; k < until; k++)
            if (held[k])
                put(run, k, &c, real);
        i = until;
    }
}

/* ---- random inputs ---- */

static uint64_t dice(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void add(struct run *run, char device, int64_t time) {
    run->in[run->n++] = (struct record){device, time};
}

static int64_t leap_of(uint64_t *seed) {
    static const int64_t leaps[] = {SKEW, SKEW + 1, -SKEW, -SKEW - 1, 5000, -5000, 50000};
    return leaps[dice(seed) % 7];
}

/* A few records of a few devices. */
static void make_short(struct run *run, uint64_t *seed) {
    uint64_t devices = dice(seed) % 3 + 1;
    int64_t now = 1000000;
    for (int n = (int)(dice(seed) % 14); n > 0; n--) {
        int64_t leap = dice(seed) % 3 == 0 ? leap_of(seed) : 0;
        add(run, (char)('a' + (int)(dice(seed) % devices)), now + leap);
        now += (dice(seed) % 3 == 0 ? leap : 0) + (int64_t)(dice(seed) % 3);
    }
}

/* About a thousand of one device between others and leaps. */
static void make_long(struct run *run, uint64_t *seed) {
    int64_t now = 1000000;
    if (dice(seed) % 2)
        add(run, 'a', now + leap_of(seed));
    for (int n = 997 + (int)(dice(seed) % 6); n > 0; n--)
        add(run, 'b', now++);
    for (int n = (int)(dice(seed) % 6); n > 0; n--)
        add(run, "aabb"[dice(seed) % 4], now + (dice(seed) % 2 ? leap_of(seed) : 0));
}

static void make(struct run *run, uint64_t number) {
    uint64_t seed = number * 0x9E3779B97F4A7C15u + 1;
    run->n = 0;
    if (number % 8 == 0)
        make_long(run, &seed);
    else
        make_short(run, &seed);
}

static void clock_is_that_of_the_text(void **state) {
    (void)state;
    struct run *run = fb_alloc(sizeof *run);
    int leapt = 0, moved = 0;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        make(run, seed);
        run->n_out[0] = run->n_out[1] = 0;
        run_product(run);
        run_text(run);
        leapt += run->n > 1 && first_leapt(run);
        moved += run->n > 1 && run->out[1][0].record != 0;
        assert_int_equal(run->n_out[1], run->n);
        assert_int_equal(run->n_out[0], run->n);
        for (int i = 0; i < run->n; i++)
            if (run->out[0][i].record != run->out[1][i].record ||
                run->out[0][i].c != run->out[1][i].c)
                fail_msg("seed %llu, output %d: record %d at C %lld, by the text %d at %lld",
                         (unsigned long long)seed, i, run->out[0][i].record,
                         (long long)run->out[0][i].c, run->out[1][i].record,
                         (long long)run->out[1][i].c);
    }
    assert_true(leapt > 500 && moved == leapt);
    free(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(clock_is_that_of_the_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
