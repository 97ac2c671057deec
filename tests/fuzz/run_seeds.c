/* Runs a fuzz target over files instead of libFuzzer, each also cut at several places.
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

int main(int argc, char **argv) {
    static uint8_t bytes[1 << 20];
    if (argc < 2) {
        fprintf(stderr, "no seeds\n");
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return 1;
        }
        size_t n = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        for (size_t cut = 0; cut <= n && cut < 2000; cut++)
            run_copy(bytes, cut);
        run_copy(bytes, n);
    }
    return 0;
}
