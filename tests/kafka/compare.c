#include "tests/kafka/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/calendar.h"
#include "engine/codec/json_write.h"
#include "tests/kafka/program.h"

enum { DEVICES = 500, STEP_MS = 10 /* between two events: each device sends every 5 s */ };

const char *const fb_meter_rules =
    "device meter from \"%s\" {\n"
    "  key id\n"
    "  time ts [ms]\n"
    "  tag site: text\n"
    "  temp: number [degC] range -50..200, every 5s\n"
    "  load: number [%%] range 0..100\n"
    "  mode: one of (auto, manual)\n"
    "}\n"
    "alarm hot on meter {\n"
    "  raise high when temp > 80 degC for 10s until temp < 70 degC for 10s\n"
    "  raise critical when temp > 95 degC until temp < 90 degC\n"
    "  message \"{device}: {temp:.1f}, {load}, {mode}, {severity}\"\n"
    "}\n"
    "alarm warm on meter {\n"
    "  raise low when avg(temp over 1m) > 66 degC until avg(temp over 1m) < 60 degC\n"
    "  clear after 20s\n"
    "}\n"
    "alarm busy on meter {\n"
    "  raise info when max(load each 5m) > 95 %% until max(load each 5m) < 94 %%\n"
    "}\n"
    "alarm quiet on meter {\n"
    "  raise medium when silent for 30s\n"
    "  clear after 15s\n"
    "}\n"
    "event jump on meter {\n"
    "  when change(temp) > 50 K\n"
    "  at most 3 per 10m\n"
    "  message \"{device} jumped\"\n"
    "}\n";

/* ---- events ---- */

static uint64_t chance(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

int64_t fb_wall_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What no class can take, one of several kinds. */
static int poison(char *to, size_t room, uint64_t kind, int i) {
    switch (kind % 6) {
    case 0:
        return snprintf(to, room, "{\"id\":\"m-%d\",\"ts\":", i);
    case 1:
        return snprintf(to, room, "{\"ts\":1,\"temp\":%d}", i);
    case 2:
        return snprintf(to, room, "nonsense \xff %d", i);
    case 3:
        return snprintf(to, room, "[%d]", i);
    case 4:
        return snprintf(to, room, "{\"id\":\"m-%d\",\"ts\":\"soon\"}", i % DEVICES);
    default:
        return snprintf(to, room, "{\"id\":\"\",\"ts\":%d}", i);
    }
}

/* Every device walks at random; some are silent for a while, some records may be late. */
struct fb_topic_record *fb_events_make(const struct fb_event_shape *shape) {
    double temp[DEVICES] = {0};
    struct fb_topic_record *events = calloc((size_t)shape->n, sizeof *events);
    assert_non_null(events);
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < shape->n; i++) {
        int device = i % DEVICES;
        char text[256], key[32];
        int64_t stamp_ms = shape->base_ms + (int64_t)i * STEP_MS, ts_ms = stamp_ms;
        uint64_t dice = chance(&seed);
        int n;
        temp[device] += (double)(dice % 2001) / 100 - 10;
        if (temp[device] < 40 || temp[device] > 110)
            temp[device] = 60;
        if (shape->some_late && dice % 100 == 7)
            ts_ms -= 60000;
        if (device % 50 == 3 && i > shape->n / 4 && i < shape->n / 2)
            device = 0; /* silent: another one speaks in its place */
        snprintf(key, sizeof key, "m-%d", device);
        if (dice % 200 == 13)
            n = poison(text, sizeof text, dice / 200, i);
        else
            n = snprintf(
                text, sizeof text,
                "{\"id\":\"m-%d\",\"ts\":%lld,\"site\":\"s%d\",\"temp\":%.2f,\"load\":%llu,"
                "\"mode\":\"%s\"}",
                device, (long long)ts_ms, device % 7, temp[device],
                (unsigned long long)(dice / 1000 % 97), dice % 3 ? "auto" : "manual");
        events[i] = (struct fb_topic_record){.partition = device % shape->partitions,
                                             .stamp_ms = stamp_ms,
                                             .key = strdup(key),
                                             .key_n = strlen(key),
                                             .value = strdup(text),
                                             .value_n = (size_t)n};
    }
    return events;
}

void fb_events_free(struct fb_topic_record *events, int n) {
    for (int i = 0; i < n; i++) {
        free(events[i].key);
        free(events[i].value);
    }
    free(events);
}

void fb_events_write(const char *path, const struct fb_topic_record *events, int n) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < n; i++)
        fprintf(file, "%s\n", events[i].value);
    fclose(file);
}

void fb_events_replay(const char *folder, const struct fb_replaying *wish) {
    char until[FB_TIME_TEXT_MAX];
    fb_time_format(fb_wall_ms() * 1000, until);
    const char *const args[] = {
        "replay", "--rules", wish->rules,     "--input",         wish->events,
        "--out",  wish->out, "--application", wish->application, wish->until_now ? "--until" : NULL,
        until,    NULL};
    assert_int_equal(fb_program_do(folder, "replay.log", args), 0);
}

/* ---- outputs, comparable ---- */

static void add_item(struct fb_items *items, const char *key, size_t key_n, const char *text,
                     size_t text_n, const char *id) {
    if (items->n == items->cap) {
        items->cap = items->cap ? items->cap * 2 : 1024;
        items->v = realloc(items->v, items->cap * sizeof *items->v);
        assert_non_null(items->v);
    }
    items->v[items->n] =
        (struct fb_item){strndup(key, key_n), strndup(text, text_n), strdup(id), items->n};
    items->n++;
}

void fb_items_free(struct fb_items *items) {
    for (size_t i = 0; i < items->n; i++) {
        free(items->v[i].key);
        free(items->v[i].text);
        free(items->v[i].id);
    }
    free(items->v);
    *items = (struct fb_items){0};
}

int fb_by_key(const void *a, const void *b) {
    const struct fb_item *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

int fb_by_text(const void *a, const void *b) {
    return strcmp(((const struct fb_item *)a)->text, ((const struct fb_item *)b)->text);
}

static int by_id(const void *a, const void *b) {
    const struct fb_item *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

size_t fb_items_drop_repeats(struct fb_items *items) {
    size_t kept = 0;
    if (items->n)
        qsort(items->v, items->n, sizeof *items->v, by_id);
    for (size_t i = 0; i < items->n; i++) {
        if (kept > 0 && strcmp(items->v[i].id, items->v[kept - 1].id) == 0) {
            assert_string_equal(items->v[i].text, items->v[kept - 1].text);
            free(items->v[i].key);
            free(items->v[i].text);
            free(items->v[i].id);
        } else {
            items->v[kept++] = items->v[i];
        }
    }
    size_t gone = items->n - kept;
    items->n = kept;
    return gone;
}

void fb_items_expect_same(struct fb_items *live, struct fb_items *replayed,
                          int (*order)(const void *, const void *)) {
    assert_true(replayed->n > 0);
    qsort(live->v, live->n, sizeof *live->v, order);
    qsort(replayed->v, replayed->n, sizeof *replayed->v, order);
    for (size_t i = 0; i < live->n && i < replayed->n; i++) {
        assert_string_equal(live->v[i].key, replayed->v[i].key);
        assert_string_equal(live->v[i].text, replayed->v[i].text);
    }
    assert_int_equal(live->n, replayed->n);
}

/* `data` without `historical`, its last member where there is one. */
static size_t comparable(const char *data, size_t n) {
    static const char word[] = ",\"historical\":";
    const char *at = memmem(data, n, word, sizeof word - 1);
    return at ? (size_t)(at - data) : n;
}

struct fb_items fb_items_of_topic(const char *address, const char *topic) {
    struct fb_items items = {0};
    struct fb_records records = fb_topic_read(address, topic, true);
    for (size_t i = 0; i < records.n; i++) {
        const struct fb_topic_record *r = &records.v[i];
        add_item(&items, r->key, r->key_n, r->value, comparable(r->value, r->value_n),
                 fb_record_header(r, "ce_id"));
    }
    fb_records_free(&records);
    return items;
}

struct fb_items fb_items_of_lines(const char *path) {
    struct fb_items items = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&line, &cap, file)) > 0;) {
        const char *subject = strstr(line, "\"subject\":\"") + strlen("\"subject\":\"");
        const char *data = strstr(line, ",\"data\":") + strlen(",\"data\":");
        size_t data_n = (size_t)(line + n - 2 - data); /* without "}\n" */
        add_item(&items, subject, strcspn(subject, "\""), data, comparable(data, data_n), "");
    }
    free(line);
    fclose(file);
    return items;
}

static size_t find_record(const struct fb_records *records, int32_t partition, int64_t offset) {
    size_t low = 0, high = records->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct fb_topic_record *r = &records->v[middle];
        if (r->partition < partition || (r->partition == partition && r->offset < offset))
            low = middle + 1;
        else
            high = middle;
    }
    assert_true(low < records->n);
    assert_int_equal(records->v[low].partition, partition);
    assert_int_equal(records->v[low].offset, offset);
    return low;
}

struct fb_items fb_items_of_dead_topic(const char *address, const char *topic, const char *input) {
    struct fb_items items = {0};
    struct fb_records records = fb_topic_read(address, topic, true);
    struct fb_records source = fb_topic_read(address, input, true);
    for (size_t i = 0; i < records.n; i++) {
        const struct fb_topic_record *r = &records.v[i];
        struct fb_str payload = {r->value, r->value_n};
        struct fb_buf text = {0};
        char id[64];
        snprintf(id, sizeof id, "%s/%s", fb_record_header(r, "fb_partition"),
                 fb_record_header(r, "fb_offset"));
        assert_string_equal(fb_record_header(r, "fb_topic"), input);
        size_t k = find_record(&source, atoi(id), atoll(strchr(id, '/') + 1));
        /* All of it; of an array the element. */
        bool array = source.v[k].value[0] == '[';
        assert_int_equal(source.v[k].value_n, r->value_n + (array ? 2 : 0));
        assert_memory_equal(source.v[k].value + array, r->value, r->value_n);
        assert_int_equal(source.v[k].key_n, r->key_n);
        assert_memory_equal(source.v[k].key, r->key, r->key_n);
        assert_int_equal(source.v[k].partition, r->partition);
        fb_buf_printf(&text, "%s,", fb_record_header(r, "fb_reason"));
        if (fb_str_is_utf8(payload)) {
            fb_buf_text(&text, "\"encoding\":\"utf-8\",\"payload\":");
            fb_json_put_text(&text, payload);
        } else {
            fb_buf_text(&text, "\"encoding\":\"base64\",\"payload\":\"");
            fb_json_put_base64(&text, payload);
            fb_buf_char(&text, '"');
        }
        add_item(&items, "", 0, text.p, text.n, id);
        fb_buf_free(&text);
    }
    fb_records_free(&source);
    fb_records_free(&records);
    return items;
}

struct fb_items fb_items_of_dead_lines(const char *path) {
    struct fb_items items = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&line, &cap, file)) > 0;) {
        const char *reason = strstr(line, "\"reason\":\"") + strlen("\"reason\":\"");
        const char *encoding = strstr(line, "\"encoding\":");
        struct fb_buf text = {0};
        fb_buf_printf(&text, "%.*s,%.*s", (int)strcspn(reason, "\""), reason,
                      (int)(line + n - 3 - encoding), encoding);
        add_item(&items, "", 0, text.p, text.n, "");
        fb_buf_free(&text);
    }
    free(line);
    fclose(file);
    return items;
}
