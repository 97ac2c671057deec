/* Stands for decode_simdjson.cpp where simdjson is not installed. */
#include "bench/decode.h"

double bench_simdjson(const struct bench_document *, size_t, bool, bool) {
    return 0;
}

const char *bench_simdjson_name(void) {
    return "";
}
