/* decode: nanoseconds a document, from JSON bytes to values and to entries, beside simdjson.
 * usage: build/bench/decode [DOCUMENTS [ROUNDS]]
 *
 * The documents are all different, 155 bytes on average: like those of one stream, the same with
 * blanks as many libraries put them, and with their members shuffled. Each round runs every
 * candidate once, so that what else goes on in the machine touches all of them; the best round of
 * each counts. CPU time of the thread. */
#include "bench/decode.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/codec/decode.h"

enum { MEMBERS = 9, CANDIDATES = 4, PADDING = 64 };

static const char *const candidate_names[CANDIDATES] = {
    "scan: framing, validation, values", "decode: the same to entries",
    "simdjson On-Demand, in place", "simdjson On-Demand, copied to be padded"};

/* ---- documents ---- */

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static double uniform(void) {
    return (double)(next_random() >> 11) / 9007199254740992.0;
}

static void write_members(char members[MEMBERS][40], size_t i, bool spaced) {
    const char *gap = spaced ? " " : "";
    size_t device = i % 10000;
    double phase = (double)(i / 10000) * 0.02 + (double)device * 0.37;
#define MEMBER(k, format, ...)                                                                     \
    snprintf(members[k], sizeof members[k], "\"" format, gap, __VA_ARGS__)
    MEMBER(0, "device\":%s\"dev-%06zu\"", device);
    MEMBER(1, "ts\":%s%llu", 1732147200000ull + i / 10000 * 1000 + device / 10);
    MEMBER(2, "temperature\":%s%.2f", 25 + 5 * sin(phase) + 2 * (uniform() - 0.5));
    MEMBER(3, "vibration\":%s%.3f", 0.3 + 0.2 * sin(phase * 1.7) + 0.1 * uniform());
    MEMBER(4, "humidity\":%s%.1f", 45 + 15 * sin(phase * 0.6) + uniform());
    MEMBER(5, "pressure\":%s%.2f", 101 + 1.5 * sin(phase * 0.9) + 0.3 * uniform());
    MEMBER(6, "status\":%s\"%s\"", uniform() < 0.001 ? "fault" : "ok");
    MEMBER(7, "seq\":%s%zu", i / 10000);
    MEMBER(8, "site\":%s\"plant-%zu\"", device % 7);
#undef MEMBER
}

static void make_documents(struct bench_document *documents, size_t n, struct fb_buf *bytes,
                           bool spaced, bool shuffled) {
    bytes->n = 0;
    for (size_t i = 0; i < n; i++) {
        char members[MEMBERS][40];
        size_t order[MEMBERS], start = bytes->n;
        write_members(members, i, spaced);
        for (size_t k = 0; k < MEMBERS; k++) {
            size_t other = shuffled ? next_random() % (k + 1) : k;
            order[k] = order[other];
            order[other] = k;
        }
        for (size_t k = 0; k < MEMBERS; k++)
            fb_buf_printf(bytes, "%s%s", k == 0 ? "{" : spaced ? ", " : ",", members[order[k]]);
        fb_buf_char(bytes, '}');
        documents[i].n = bytes->n - start;
    }
    size_t total = bytes->n, start = 0;
    for (int i = 0; i < PADDING; i++)
        fb_buf_char(bytes, ' ');
    for (size_t i = 0; i < n; start += documents[i++].n)
        documents[i].bytes = bytes->p + start;
    FB_ASSERT(start == total);
}

/* ---- candidates ---- */

#define NAME(text)                                                                                 \
    { text, sizeof(text) - 1 }
static struct fb_str paths_read[] = {NAME("device"),   NAME("temperature"), NAME("vibration"),
                                     NAME("humidity"), NAME("pressure"),    NAME("status"),
                                     NAME("ts")};
enum { N_PATHS = 7 };
static struct fb_str words[] = {NAME("ok"), NAME("fault")};
static struct fb_field fields[] = {
    {.role = FB_ROLE_KEY, .type = FB_T_TEXT, .paths = &paths_read[0], .n_paths = 1},
    {.type = FB_T_NUMBER, .paths = &paths_read[1], .n_paths = 1},
    {.type = FB_T_NUMBER, .paths = &paths_read[2], .n_paths = 1},
    {.type = FB_T_NUMBER, .paths = &paths_read[3], .n_paths = 1},
    {.type = FB_T_NUMBER, .paths = &paths_read[4], .n_paths = 1},
    {.type = FB_T_ENUM, .paths = &paths_read[5], .n_paths = 1, .words = words, .n_words = 2},
};
static struct fb_class class_ = {.fields = fields,
                                 .n_fields = sizeof fields / sizeof *fields,
                                 .n_keys = 1,
                                 .time_path = NAME("ts"),
                                 .time_unit = FB_TIME_MS};
static const struct fb_program program = {.classes = &class_, .n_classes = 1};

static double run_scan(struct fb_json *json, const struct fb_json_paths *paths,
                       const struct bench_document *documents, size_t n) {
    uint32_t node[N_PATHS];
    double sum = 0;
    for (uint32_t i = 0; i < N_PATHS; i++)
        node[i] = fb_json_node(paths, i);
    for (size_t i = 0; i < n; i++) {
        struct fb_json_object object;
        fb_json_begin(json, (struct fb_str){documents[i].bytes, documents[i].n});
        if (!fb_json_next(json, &object) || object.error != FB_JSON_OK)
            return -1;
        const struct fb_json_value *values = fb_json_values(json);
        for (uint32_t k = 1; k < 5; k++) {
            double x = 0;
            fb_json_number(&values[node[k]], &x);
            sum += x;
        }
        int64_t ts = 0;
        fb_json_integer(&values[node[6]], &ts);
        sum += (double)(values[node[0]].text.n + values[node[5]].text.n) + (double)(ts % 2);
    }
    return sum;
}

static double run_decode(struct fb_decoder *decoder, const struct bench_document *documents,
                         size_t n) {
    const struct fb_origin origin = {.topic = FB_S("bench")};
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        struct fb_entry entry;
        struct fb_reject reject;
        fb_decoder_begin(decoder, (struct fb_str){documents[i].bytes, documents[i].n}, &origin, 0);
        while (fb_decoder_next(decoder, &entry, &reject) == FB_DECODED_ENTRY)
            sum += entry.samples[1].num + (double)entry.ts_us;
    }
    return sum;
}

static double cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct bench {
    struct fb_json_paths *paths;
    struct fb_json *json;
    struct fb_decoder *decoder;
    struct bench_document *documents;
    size_t n;
    bool walk; /* how simdjson is quicker */
};

static double run(struct bench *b, int candidate) {
    switch (candidate) {
    case 0:
        return run_scan(b->json, b->paths, b->documents, b->n);
    case 1:
        return run_decode(b->decoder, b->documents, b->n);
    default:
        return bench_simdjson(b->documents, b->n, candidate == 3, b->walk);
    }
}

static void measure(struct bench *b, const char *shape, int rounds, struct fb_buf *bytes) {
    double best[CANDIDATES], sums[CANDIDATES];
    int n_candidates = *bench_simdjson_name() ? CANDIDATES : 2;
    for (int round = 0; round < rounds; round++)
        for (int k = 0; k < n_candidates; k++) {
            double start = cpu_ns();
            sums[k] = run(b, k);
            double ns = (cpu_ns() - start) / (double)b->n;
            if (round == 0 || ns < best[k])
                best[k] = ns;
        }
    printf("%s (%zu documents, %zu bytes on average)\n", shape, b->n, (bytes->n - PADDING) / b->n);
    for (int k = 0; k < n_candidates; k++) {
        printf("  %-42s %6.1f ns", candidate_names[k], best[k]);
        if (n_candidates > 3)
            printf("  %.2f of simdjson copied", best[k] / best[3]);
        printf("\n");
    }
    if (n_candidates > 3 && fabs(sums[0] - sums[3]) > 1e-9 * fabs(sums[0])) {
        fprintf(stderr, "decode: simdjson read other values: %.17g, not %.17g\n", sums[3],
                sums[0]);
        exit(1);
    }
}

int main(int argc, char **argv) {
    static const uint16_t class_index;
    struct bench b = {.n = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000};
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    struct fb_buf bytes = {0};
    if (b.n == 0 || rounds <= 0) {
        fprintf(stderr, "usage: build/bench/decode [DOCUMENTS [ROUNDS]]\n");
        return 2;
    }
    b.paths = fb_json_paths_new(paths_read, N_PATHS);
    b.json = fb_json_new(b.paths, FB_JSON_LIMITS);
    b.decoder = fb_decoder_new(&program, &class_index, 1, FB_JSON_LIMITS);
    b.documents = fb_alloc(b.n * sizeof *b.documents);
    printf("decode, ns of CPU a document; simdjson: %s\n",
           *bench_simdjson_name() ? bench_simdjson_name() : "not installed");
    make_documents(b.documents, b.n, &bytes, false, false);
    measure(&b, "one stream", rounds, &bytes);
    make_documents(b.documents, b.n, &bytes, true, false);
    measure(&b, "one stream, blanks behind , and :", rounds, &bytes);
    make_documents(b.documents, b.n, &bytes, false, true);
    b.walk = true;
    measure(&b, "members shuffled", rounds, &bytes);
    fb_decoder_free(b.decoder);
    fb_json_free(b.json);
    fb_json_paths_free(b.paths);
    fb_buf_free(&bytes);
    free(b.documents);
    return 0;
}
