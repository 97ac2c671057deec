/* Runs a fuzz target over files instead of libFuzzer, each also cut at several places. With
 * --changed N first: over N random changes of them instead, always the same ones.
 *
 * Place in the flow: linked with each fuzz_*.c where FB_FUZZ is off. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* In a block of just its size, so that a sanitizer sees any read behind it. */
static void run_copy(const uint8_t *bytes, size_t n) {
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

/* ---- random changes ---- */

enum { SEEDS_MAX = 256, CHANGED_BYTES_MAX = 4096 };

struct seed {
    uint8_t *bytes;
    size_t n;
};

struct seeds {
    struct seed of[SEEDS_MAX];
    size_t n;
    uint64_t random;
};

static size_t below(struct seeds *seeds, size_t n) {
    seeds->random ^= seeds->random << 13;
    seeds->random ^= seeds->random >> 7;
    seeds->random ^= seeds->random << 17;
    return n ? (size_t)(seeds->random >> 11) % n : 0;
}

/* A piece of any seed, where it stood or anywhere. */
static size_t splice(struct seeds *seeds, uint8_t *bytes, size_t n) {
    const struct seed *other = &seeds->of[below(seeds, seeds->n)];
    size_t from = below(seeds, other->n), length = 1 + below(seeds, 40), at = below(seeds, n + 1);
    if (length > other->n - from)
        length = other->n - from;
    if (length > CHANGED_BYTES_MAX - n)
        length = CHANGED_BYTES_MAX - n;
    memmove(bytes + at + length, bytes + at, n - at);
    memcpy(bytes + at, other->bytes + from, length);
    return n + length;
}

static size_t cut_out(struct seeds *seeds, uint8_t *bytes, size_t n) {
    size_t at = below(seeds, n), length = 1 + below(seeds, below(seeds, 4) ? 4 : 200);
    if (length > n - at)
        length = n - at;
    memmove(bytes + at, bytes + at + length, n - at - length);
    return n - length;
}

static size_t change(struct seeds *seeds, uint8_t *bytes, size_t n) {
    switch (below(seeds, 4)) {
    case 0:
        if (n)
            bytes[below(seeds, n)] = (uint8_t)below(seeds, 256);
        return n;
    case 1:
        if (n)
            bytes[below(seeds, n)] ^= (uint8_t)(1u << below(seeds, 8));
        return n;
    case 2:
        return cut_out(seeds, bytes, n);
    default:
        return splice(seeds, bytes, n);
    }
}

/* Long seeds give a window of themselves: what is short is tried more often. */
static void run_changed(struct seeds *seeds, long times) {
    uint8_t bytes[CHANGED_BYTES_MAX];
    for (long i = 0; i < times; i++) {
        const struct seed *seed = &seeds->of[below(seeds, seeds->n)];
        size_t room = below(seeds, 8) ? CHANGED_BYTES_MAX / 8 : CHANGED_BYTES_MAX;
        size_t n = seed->n < room ? seed->n : room;
        size_t from = below(seeds, 2) ? below(seeds, seed->n - n + 1) : 0;
        memcpy(bytes, seed->bytes + from, n);
        for (size_t changes = 1 + below(seeds, 4); changes > 0; changes--)
            n = change(seeds, bytes, n);
        run_copy(bytes, n);
    }
    printf("%ld changes of %zu seeds\n", times, seeds->n);
}

/* ---- files ---- */

static size_t read_file(const char *name, uint8_t *bytes, size_t room) {
    FILE *file = fopen(name, "rb");
    if (!file) {
        perror(name);
        exit(1);
    }
    size_t n = fread(bytes, 1, room, file);
    fclose(file);
    return n;
}

static void run_cut(const uint8_t *bytes, size_t n) {
    for (size_t cut = 0; cut <= n && cut < 2000; cut++)
        run_copy(bytes, cut);
    run_copy(bytes, n);
}

static void keep(struct seeds *seeds, const uint8_t *bytes, size_t n) {
    if (seeds->n == SEEDS_MAX)
        abort();
    uint8_t *copy = malloc(n + 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, n);
    seeds->of[seeds->n++] = (struct seed){copy, n};
}

int main(int argc, char **argv) {
    static uint8_t bytes[1 << 20];
    static struct seeds seeds = {.random = 88172645463325252u};
    long changed = argc > 2 && !strcmp(argv[1], "--changed") ? atol(argv[2]) : 0;
    int first = changed ? 3 : 1;
    if (argc <= first) {
        fprintf(stderr, "no seeds\n");
        return 1;
    }
    for (int i = first; i < argc; i++) {
        size_t n = read_file(argv[i], bytes, sizeof bytes);
        if (changed)
            keep(&seeds, bytes, n);
        else
            run_cut(bytes, n);
    }
    if (changed)
        run_changed(&seeds, changed);
    for (size_t i = 0; i < seeds.n; i++)
        free(seeds.of[i].bytes);
    return 0;
}
