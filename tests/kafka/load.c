#include "tests/kafka/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kafka/compare.h"
#include "tests/kafka/topic.h"

enum { DEVICES = 500, BATCH = 5000, TEXT_MAX = 160 };

static const char *const rules_format =
    "device meter from \"%s\" {\n"
    "  key id\n"
    "  time ts [ms]\n"
    "  temp: number [degC]\n"
    "}\n"
    "event hot on meter { whenever temp > 99 degC }\n"
    "alarm warm on meter {\n"
    "  raise low when avg(temp over 5s) > 60 degC until avg(temp over 5s) < 50 degC\n"
    "}\n"
    "alarm quiet on meter { raise medium when silent for 10s }\n";

static uint64_t chance(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

void fb_load_begin(struct fb_load *load) {
    fb_topic_name(load->input, "load");
    fb_topic_name(load->application, "app");
    load->seed = 88172645463325252u;
    fb_topic_create(load->address, load->input, FB_LOAD_PARTITIONS, NULL);
}

/* Text that does not compress to nothing, or the client's bounds would be of other bytes. */
static void pad(char *to, size_t n, uint64_t *seed) {
    for (size_t i = 0; i < n; i++)
        to[i] = (char)('a' + chance(seed) % 16);
    to[n] = '\0';
}

static void make(struct fb_load *load, struct fb_topic_record *record) {
    uint64_t dice = chance(&load->seed);
    unsigned device = (unsigned)(load->n % DEVICES), temp = (unsigned)(dice % 100);
    char key[16];
    char *text = malloc(TEXT_MAX + load->padding);
    assert_non_null(text);
    int64_t ts_ms = load->first_ms + (int64_t)load->n * 1000 / load->rate;
    int n =
        snprintf(text, TEXT_MAX, "{\"id\":\"m-%u\",\"ts\":%lld,\"temp\":%u.5,\"note\":\"",
                 device, (long long)ts_ms, temp);
    pad(text + n, load->padding, &load->seed);
    bool bad = dice / 100 % 1000 == 7;
    strcat(text + n, bad ? "\"" : "\"}");
    load->bad += bad;
    load->hot += !bad && temp == 99;
    load->n++;
    snprintf(key, sizeof key, "m-%u", device);
    *record = (struct fb_topic_record){.partition = (int32_t)(device % FB_LOAD_PARTITIONS),
                                       .stamp_ms = ts_ms,
                                       .key = strdup(key),
                                       .key_n = strlen(key),
                                       .value = text,
                                       .value_n = strlen(text)};
}

void fb_load_put(struct fb_load *load, size_t n) {
    while (n > 0) {
        int batch = n < BATCH ? (int)n : BATCH;
        struct fb_topic_record *records = calloc((size_t)batch, sizeof *records);
        assert_non_null(records);
        for (int i = 0; i < batch; i++)
            make(load, &records[i]);
        fb_topic_put_all(load->address, load->input, records, (size_t)batch);
        fb_events_free(records, batch);
        n -= (size_t)batch;
    }
}

struct fb_program_run fb_load_run(const struct fb_load *load, const char *name, int workers,
                                  const char *settings) {
    char rules[256], config[256], log[96];
    snprintf(rules, sizeof rules, "%s/%s.rules", load->folder, load->application);
    FILE *file = fopen(rules, "w");
    assert_non_null(file);
    fprintf(file, rules_format, load->input);
    fclose(file);
    snprintf(config, sizeof config, "%s/%s", load->folder, name);
    file = fopen(config, "w");
    assert_non_null(file);
    fprintf(file,
            "application.id = %s\ninstance.id = %s\nworkers = %d\nstart.from = earliest\n"
            "kafka.bootstrap.servers = %s\n%s",
            load->application, name, workers, load->address, settings);
    fclose(file);
    snprintf(log, sizeof log, "%s.log", name);
    const char *const args[] = {"run", "--rules", rules, "--config", config, NULL};
    return fb_program_start(load->folder, log, args);
}

/* Of these values the ones that hold the text; they must have different ids. */
static uint64_t count(const struct fb_load *load, const char *stream, const char *text,
                      uint64_t *repeats) {
    char topic[96];
    uint64_t n = 0;
    snprintf(topic, sizeof topic, "%s.%s", load->application, stream);
    struct fb_items items = fb_items_of_topic(load->address, topic);
    *repeats += fb_items_drop_repeats(&items);
    for (size_t i = 0; i < items.n; i++)
        n += strstr(items.v[i].text, text) != NULL;
    fb_items_free(&items);
    return n;
}

uint64_t fb_load_expect_counts(const struct fb_load *load) {
    char topic[96];
    uint64_t repeats = 0;
    uint64_t hot = count(load, "alerts", "\"rule\":\"hot\"", &repeats);
    snprintf(topic, sizeof topic, "%s.dead", load->application);
    struct fb_records dead = fb_topic_read(load->address, topic, true);
    print_message("%llu records: %llu events of %llu, %zu dead letters of %llu, %llu repeats\n",
                  (unsigned long long)load->n, (unsigned long long)hot,
                  (unsigned long long)load->hot, dead.n, (unsigned long long)load->bad,
                  (unsigned long long)repeats);
    uint64_t wrong = repeats + (hot != load->hot) + (dead.n != load->bad);
    fb_records_free(&dead);
    assert_int_equal(hot, load->hot);
    assert_int_equal(wrong, 0);
    return wrong;
}

long fb_resident_kib(pid_t pid) {
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (kib < 0 && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld kB", &kib) != 1)
            kib = -1;
    fclose(file);
    assert_true(kib > 0);
    return kib;
}
