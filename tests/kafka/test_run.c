/* `flyball run` from Kafka to Kafka, at least once, against what `replay` makes of the same
 * events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/calendar.h"
#include "engine/codec/json_write.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/program.h"
#include "tests/kafka/topic.h"

enum {
    EVENTS = 200000,
    DEVICES = 500,
    PARTITIONS = 4,
    STEP_MS = 10,              /* between two events: each device sends every 5 s */
    BACK_MS = 3 * 3600 * 1000, /* the first event lies so far back: all timers are due at the end */
    PATIENCE_S = 120
};

static const char *const rules =
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

static char folder[] = "/tmp/fb-test-run-XXXXXX";

static char *path_of(const char *name) {
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_text(const char *path, const char *format, ...) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    va_list args;
    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    fclose(file);
}

/* ---- events ---- */

static uint64_t chance(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int64_t wall_ms(void) {
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
static struct fb_topic_record *make_events(int64_t base_ms, bool some_late) {
    static double temp[DEVICES];
    struct fb_topic_record *events = calloc(EVENTS, sizeof *events);
    assert_non_null(events);
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < EVENTS; i++) {
        int device = i % DEVICES;
        char text[256], key[32];
        int64_t stamp_ms = base_ms + (int64_t)i * STEP_MS, ts_ms = stamp_ms;
        uint64_t dice = chance(&seed);
        int n;
        temp[device] += (double)(dice % 2001) / 100 - 10;
        if (temp[device] < 40 || temp[device] > 110)
            temp[device] = 60;
        if (some_late && dice % 100 == 7)
            ts_ms -= 60000;
        if (device % 50 == 3 && i > EVENTS / 4 && i < EVENTS / 2)
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
        events[i] = (struct fb_topic_record){.partition = device % PARTITIONS,
                                             .stamp_ms = stamp_ms,
                                             .key = strdup(key),
                                             .key_n = strlen(key),
                                             .value = strdup(text),
                                             .value_n = (size_t)n};
    }
    return events;
}

static void free_events(struct fb_topic_record *events) {
    for (int i = 0; i < EVENTS; i++) {
        free(events[i].key);
        free(events[i].value);
    }
    free(events);
}

static void write_events(const char *path, const struct fb_topic_record *events) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < EVENTS; i++)
        fprintf(file, "%s\n", events[i].value);
    fclose(file);
}

/* ---- outputs, comparable ---- */

struct item {
    char *key, *text, *id; /* id: "" where it is of no interest */
    size_t order;
};

struct items {
    struct item *v;
    size_t n, cap;
};

static void add_item(struct items *items, const char *key, size_t key_n, const char *text,
                     size_t text_n, const char *id) {
    if (items->n == items->cap) {
        items->cap = items->cap ? items->cap * 2 : 1024;
        items->v = realloc(items->v, items->cap * sizeof *items->v);
        assert_non_null(items->v);
    }
    items->v[items->n] =
        (struct item){strndup(key, key_n), strndup(text, text_n), strdup(id), items->n};
    items->n++;
}

static void free_items(struct items *items) {
    for (size_t i = 0; i < items->n; i++) {
        free(items->v[i].key);
        free(items->v[i].text);
        free(items->v[i].id);
    }
    free(items->v);
    *items = (struct items){0};
}

static int by_key(const void *a, const void *b) {
    const struct item *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

static int by_text(const void *a, const void *b) {
    return strcmp(((const struct item *)a)->text, ((const struct item *)b)->text);
}

static int by_id(const void *a, const void *b) {
    const struct item *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* Removes all but the first of each id; returns how many went. */
static size_t drop_repeats(struct items *items) {
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

static void expect_same(struct items *live, struct items *replayed,
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

static struct items read_events(const char *address, const char *topic) {
    struct items items = {0};
    struct fb_records records = fb_topic_read(address, topic, true);
    for (size_t i = 0; i < records.n; i++) {
        const struct fb_topic_record *r = &records.v[i];
        add_item(&items, r->key, r->key_n, r->value, comparable(r->value, r->value_n),
                 fb_record_header(r, "ce_id"));
    }
    fb_records_free(&records);
    return items;
}

static struct items read_lines(const char *path) {
    struct items items = {0};
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

/* reason, encoding and payload; Kafka has the payload itself, and says where it stood. */
static struct items read_dead_topic(const char *address, const char *topic, const char *input) {
    struct items items = {0};
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
        size_t k = 0; /* the record that it says it was */
        while (k < source.n && (source.v[k].partition != atoi(id) ||
                                source.v[k].offset != atoll(strchr(id, '/') + 1)))
            k++;
        assert_true(k < source.n);
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

static struct items read_dead_lines(const char *path) {
    struct items items = {0};
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

/* ---- helpers ---- */

static int set_up(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static int64_t committed(const char *address, const char *group, const char *topic) {
    int64_t sum = 0;
    for (int32_t p = 0; p < PARTITIONS; p++) {
        int64_t offset = fb_group_offset(address, group, topic, p);
        sum += offset > 0 ? offset : 0;
    }
    return sum;
}

/* Lets the engine run in slices, short ones first, until the group has got to an offset. */
static void run_until(const struct fb_program_run *run, const char *address, const char *group,
                      const char *topic, int64_t offset) {
    fb_program_signal(run, SIGSTOP);
    for (unsigned slice_us = 5000; committed(address, group, topic) < offset;) {
        fb_program_signal(run, SIGCONT);
        usleep(slice_us);
        slice_us = slice_us < 40000 ? slice_us * 2 : slice_us;
        fb_program_signal(run, SIGSTOP);
        assert_false(fb_program_said(run, "stopped: "));
    }
}

static void await_committed(const char *address, const char *group, const char *topic,
                            int64_t offset) {
    for (int64_t end_ms = wall_ms() + PATIENCE_S * 1000;
         committed(address, group, topic) < offset;) {
        if (wall_ms() > end_ms)
            fail_msg("the group has not got to %lld", (long long)offset);
        usleep(50000);
    }
}

/* Until a topic has at least so many different outputs; the last are those of timers. */
static struct items await_events(const char *address, const char *topic, size_t n,
                                 size_t *repeats) {
    for (int64_t end_ms = wall_ms() + PATIENCE_S * 1000;;) {
        struct items items = read_events(address, topic);
        *repeats = drop_repeats(&items);
        if (items.n >= n || wall_ms() > end_ms)
            return items;
        free_items(&items);
        usleep(50000);
    }
}

/* ---- tests ---- */

static void outputs_are_those_of_replay_though_the_broker_goes_and_comes(void **state) {
    (void)state;
    struct fb_broker *broker = fb_broker_start();
    const char *address = fb_broker_address(broker);
    char input[64], group[64], alerts[80], late[80], dead[80], until[FB_TIME_TEXT_MAX];
    fb_topic_name(input, "events");
    fb_topic_name(group, "app");
    snprintf(alerts, sizeof alerts, "%s.alerts", group);
    snprintf(late, sizeof late, "%s.late", group);
    snprintf(dead, sizeof dead, "%s.dead", group);
    write_text(path_of("a.rules"), rules, input);
    struct fb_topic_record *events = make_events(wall_ms() - BACK_MS, true);
    write_events(path_of("events.ndjson"), events);
    fb_topic_create(address, input, PARTITIONS, NULL);
    fb_topic_put_all(address, input, events, EVENTS);
    free_events(events);

    write_text(path_of("fb.properties"),
               "application.id = %s\nworkers = 2\nstart.from = earliest\ncommit.interval.ms = 10\n"
               "processing.guarantee = at_least_once\n"
               "kafka.bootstrap.servers = %s\n"
               "kafka.queued.max.messages.kbytes = 1024\nkafka.max.partition.fetch.bytes = 20000\n",
               group, address);
    const char *const run_args[] = {
        "run", "--rules", path_of("a.rules"), "--config", path_of("fb.properties"), NULL};
    struct fb_program_run run = fb_program_start(folder, "run.log", run_args);
    fb_program_await(&run, "application ");
    run_until(&run, address, group, input, 1);
    assert_true(committed(address, group, input) < EVENTS);
    fb_broker_stop(broker);
    fb_program_signal(&run, SIGCONT);
    fb_program_await(&run, "no Kafka broker can be reached");
    fb_broker_restart(broker);
    fb_program_await(&run, "Kafka is back");
    run_until(&run, address, group, input, EVENTS / 2);
    fb_broker_kill(broker);
    fb_program_signal(&run, SIGCONT);
    fb_broker_restart(broker);
    await_committed(address, group, input, EVENTS);

    fb_time_format(wall_ms() * 1000, until);
    const char *const replay_args[] = {"replay",
                                       "--rules",
                                       path_of("a.rules"),
                                       "--input",
                                       path_of("events.ndjson"),
                                       "--out",
                                       path_of("out"),
                                       "--until",
                                       until,
                                       "--application",
                                       group,
                                       NULL};
    assert_int_equal(fb_program_do(folder, "replay.log", replay_args), 0);
    struct items replayed = read_lines(path_of("out/alerts.ndjson"));
    size_t repeats;
    struct items live = await_events(address, alerts, replayed.n, &repeats);
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);
    free_items(&live);
    live = await_events(address, alerts, replayed.n, &repeats);
    print_message("%zu alerts and events, %zu repeats\n", live.n, repeats);
    expect_same(&live, &replayed, by_key);
    free_items(&live);
    free_items(&replayed);

    live = read_events(address, late);
    repeats = drop_repeats(&live);
    replayed = read_lines(path_of("out/late.ndjson"));
    print_message("%zu late records, %zu repeats\n", live.n, repeats);
    expect_same(&live, &replayed, by_key);
    free_items(&live);
    free_items(&replayed);

    live = read_dead_topic(address, dead, input);
    repeats = drop_repeats(&live);
    replayed = read_dead_lines(path_of("out/dead.ndjson"));
    print_message("%zu dead letters, %zu repeats\n", live.n, repeats);
    expect_same(&live, &replayed, by_text);
    free_items(&live);
    free_items(&replayed);
    fb_broker_free(broker);
}

static const char *const small_rules = "device meter from \"%s\" {\n"
                                       "  key id\n"
                                       "  time arrival\n"
                                       "  temp: number [degC]\n"
                                       "}\n"
                                       "alarm hot on meter {\n"
                                       "  raise high when temp > 80 degC until temp < 70 degC\n"
                                       "}\n";

static const char *const each_rules = "device meter from \"%s\" {\n"
                                      "  key id\n"
                                      "  time ts [ms]\n"
                                      "  temp: number [degC]\n"
                                      "}\n"
                                      "event warm on meter {\n"
                                      "  whenever temp > 80 degC\n"
                                      "}\n";

/* One worker, fast to notice who is gone. */
static struct fb_program_run start_instance(const char *name, const char *address,
                                            const char *group) {
    char config[64], log[64];
    snprintf(config, sizeof config, "%s.properties", name);
    snprintf(log, sizeof log, "%s.log", name);
    write_text(path_of(config),
               "application.id = %s\ninstance.id = %s\nworkers = 1\nstart.from = earliest\n"
               "kafka.bootstrap.servers = %s\nkafka.session.timeout.ms = 6000\n",
               group, name, address);
    const char *const args[] = {"run",      "--rules",       path_of("small.rules"),
                                "--config", path_of(config), NULL};
    return fb_program_start(folder, log, args);
}

static void a_task_keeps_its_state_when_its_partition_comes_back(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char input[64], group[64], alerts[80];
    fb_topic_name(input, "events");
    fb_topic_name(group, "app");
    snprintf(alerts, sizeof alerts, "%s.alerts", group);
    write_text(path_of("small.rules"), small_rules, input);
    fb_topic_create(address, input, 2, NULL);
    struct fb_program_run first = start_instance("a", address, group);
    fb_topic_put(address, input, 0, 0, "x", "{\"id\":\"x\",\"temp\":90}", NULL, 0);
    fb_program_await(&first, "created topic");
    struct fb_records got = fb_topic_await(address, alerts, true, 1);
    assert_non_null(strstr(got.v[0].value, "\"event\":\"raised\""));
    char since[FB_TIME_TEXT_MAX + 16];
    snprintf(since, sizeof since, "%.35s", strstr(got.v[0].value, "\"since\":"));
    fb_records_free(&got);

    struct fb_program_run second = start_instance("b", address, group);
    fb_program_await(&second, "worker 0 has 1 partition");
    fb_program_await(&first, "worker 0 has 1 partition");
    fb_topic_put(address, input, 0, 0, "x", "{\"id\":\"x\",\"temp\":60}", NULL, 0);
    got = fb_topic_await(address, alerts, true, 2);
    assert_non_null(strstr(got.v[1].value, "\"event\":\"cleared\""));
    assert_non_null(strstr(got.v[1].value, since));
    fb_records_free(&got);
    fb_program_signal(&first, SIGTERM);
    fb_program_signal(&second, SIGINT);
    assert_int_equal(fb_program_wait(&first), 0);
    assert_int_equal(fb_program_wait(&second), 0);
}

/* Without state there is one right answer after a crash too: every record's event, at least once,
 * and again only with the same id. */
static void nothing_is_lost_when_the_engine_is_killed(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char input[64], group[64], alerts[80];
    fb_topic_name(input, "events");
    fb_topic_name(group, "app");
    snprintf(alerts, sizeof alerts, "%s.alerts", group);
    write_text(path_of("each.rules"), each_rules, input);
    struct fb_topic_record *events = make_events(wall_ms() - BACK_MS, false);
    write_events(path_of("events.ndjson"), events);
    fb_topic_create(address, input, PARTITIONS, NULL);
    fb_topic_put_all(address, input, events, EVENTS);
    free_events(events);
    write_text(path_of("each.properties"),
               "application.id = %s\nworkers = 2\nstart.from = earliest\ncommit.interval.ms = 50\n"
               "processing.guarantee = at_least_once\n"
               "kafka.bootstrap.servers = %s\nkafka.queued.max.messages.kbytes = 1024\n"
               "kafka.max.partition.fetch.bytes = 20000\n",
               group, address);
    const char *const args[] = {
        "run", "--rules", path_of("each.rules"), "--config", path_of("each.properties"), NULL};
    for (int kills = 0; kills < 4; kills++) {
        struct fb_program_run run = fb_program_start(folder, "each.log", args);
        fb_program_await(&run, "application ");
        run_until(&run, address, group, input, 1 + kills * (EVENTS / 5));
        fb_program_signal(&run, SIGKILL);
        assert_int_equal(fb_program_wait(&run), 128 + SIGKILL);
    }
    assert_true(committed(address, group, input) < EVENTS);
    struct fb_program_run run = fb_program_start(folder, "each.log", args);
    await_committed(address, group, input, EVENTS);
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);

    const char *const replay_args[] = {
        "replay", "--rules",       path_of("each.rules"), "--input", path_of("events.ndjson"),
        "--out",  path_of("each"), "--application",       group,     NULL};
    assert_int_equal(fb_program_do(folder, "replay.log", replay_args), 0);
    struct items replayed = read_lines(path_of("each/alerts.ndjson"));
    struct items live = read_events(address, alerts);
    size_t repeats = drop_repeats(&live);
    print_message("%zu events, %zu repeats\n", live.n, repeats);
    expect_same(&live, &replayed, by_key);
    free_items(&live);
    free_items(&replayed);
}

static void a_position_that_the_topic_has_lost_is_an_error(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char input[64], group[64];
    fb_topic_name(input, "events");
    fb_topic_name(group, "app");
    write_text(path_of("small.rules"), small_rules, input);
    fb_topic_create(address, input, PARTITIONS, NULL);
    struct fb_program_run run = start_instance("c", address, group);
    fb_topic_put(address, input, 1, 0, "x", "{\"id\":\"x\",\"temp\":60}", NULL, 0);
    await_committed(address, group, input, 1);
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);
    for (int i = 0; i < 3; i++)
        fb_topic_put(address, input, 1, 0, "x", "{\"id\":\"x\",\"temp\":90}", NULL, 0);
    fb_topic_cut(address, input, 1, 3);
    run = start_instance("c", address, group);
    assert_int_equal(fb_program_wait(&run), 3);
    assert_true(fb_program_said(&run, "is no longer in the topic: records were deleted before"));
}

static void what_cannot_start_says_why(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char input[64], servers[128], expected[256];
    fb_topic_name(input, "none");
    write_text(path_of("small.rules"), small_rules, input);
    snprintf(servers, sizeof servers, "kafka.bootstrap.servers=%s", address);
    const char *const no_topic[] = {"run", "--rules", path_of("small.rules"), "-X", servers, NULL};
    struct fb_program_run run = fb_program_start(folder, "wrong.log", no_topic);
    assert_int_equal(fb_program_wait(&run), 2);
    snprintf(expected, sizeof expected, "the input topic '%s' does not exist", input);
    assert_true(fb_program_said(&run, expected));

    const char *const no_broker[] = {
        "run", "--rules", path_of("small.rules"), "-X", "kafka.bootstrap.servers=127.0.0.1:1",
        NULL};
    run = fb_program_start(folder, "wrong.log", no_broker);
    assert_int_equal(fb_program_wait(&run), 3);
    assert_true(fb_program_said(&run, "cannot reach Kafka at 127.0.0.1:1"));
    assert_true(fb_program_said(&run, "Connection refused"));

    const char *const no_key[] = {"run", "--rules",      path_of("small.rules"),
                                  "-X",  "start.form=x", NULL};
    run = fb_program_start(folder, "wrong.log", no_key);
    assert_int_equal(fb_program_wait(&run), 2);
    assert_true(fb_program_said(&run, "did you mean 'start.from'?"));

    fb_topic_create(address, input, 1, NULL);
    const char *const no_output[] = {"run",
                                     "--rules",
                                     path_of("small.rules"),
                                     "-X",
                                     servers,
                                     "-X",
                                     "topics.create=false",
                                     "-X",
                                     "application.id=no-output",
                                     NULL};
    run = fb_program_start(folder, "wrong.log", no_output);
    assert_int_equal(fb_program_wait(&run), 2);
    assert_true(fb_program_said(&run, "the output topic 'no-output.alerts' does not exist"));

    char application[64], forgetful[128];
    fb_topic_name(application, "app");
    snprintf(forgetful, sizeof forgetful, "application.id=%s", application);
    const char *const too_short[] = {"run",
                                     "--rules",
                                     path_of("small.rules"),
                                     "-X",
                                     servers,
                                     "-X",
                                     forgetful,
                                     "-X",
                                     "journal.retention.ms=3600000",
                                     "-X",
                                     "snapshot.interval.max.ms=3600000",
                                     NULL};
    run = fb_program_start(folder, "wrong.log", too_short);
    assert_int_equal(fb_program_wait(&run), 2);
    snprintf(expected, sizeof expected, "the topic '%s.journal' keeps its records for 3600 s",
             application);
    assert_true(fb_program_said(&run, expected));
    assert_true(fb_program_said(&run, "at least 4 times snapshot.interval.max.ms, 14400 s"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_those_of_replay_though_the_broker_goes_and_comes),
        cmocka_unit_test(a_task_keeps_its_state_when_its_partition_comes_back),
        cmocka_unit_test(nothing_is_lost_when_the_engine_is_killed),
        cmocka_unit_test(a_position_that_the_topic_has_lost_is_an_error),
        cmocka_unit_test(what_cannot_start_says_why),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
