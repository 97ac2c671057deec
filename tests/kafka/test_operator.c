/* Operators' calls over Kafka, the engine killed behind each: every partition takes each call once,
 * and a kill, a shelf, a maintenance outlive the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/kafka/broker.h"
#include "tests/kafka/compare.h"
#include "tests/kafka/program.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/topic.h"

enum { PARTITIONS = 2, DEVICES = 4, PATIENCE_MS = 120000, BEAT_US = 100000 };

static const char rules[] =
    "device room from \"%s\" { key room  time ts [ms]  temp : number [degC] stale after 1h }\n"
    "actuator fan on room : (off, on) {\n"
    "  safe off  minimum on 0s, off 0s  breaker 32 reversals in 1s, hold 1s\n"
    "  lease 3s  deliver within 3s\n"
    "}\n"
    "control cool on room {\n"
    "  start when temp > 30 degC until temp < 25 degC  command fan = on  rollout armed\n"
    "}\n"
    "alarm hot on room { raise high when temp > 30 degC }\n";

struct plant {
    const char *address;
    char input[64], application[64], commands[80], audit[80], alerts[80];
    struct fb_program_run run;
    unsigned starts, calls;
};

static void begin(struct plant *plant) {
    *plant = (struct plant){.address = fb_broker_shared()};
    fb_topic_name(plant->input, "rooms");
    fb_topic_name(plant->application, "app");
    snprintf(plant->commands, sizeof plant->commands, "%s.commands", plant->application);
    snprintf(plant->audit, sizeof plant->audit, "%s.audit", plant->application);
    snprintf(plant->alerts, sizeof plant->alerts, "%s.alerts", plant->application);
    fb_write_text(fb_path_of("a.rules"), rules, plant->input);
    fb_write_text(fb_path_of("fb.properties"),
                  "application.id = %s\ninstance.id = a\nworkers = 2\nstart.from = earliest\n"
                  "commit.interval.ms = 20\nsnapshot.interval.min.ms = 200\n"
                  "snapshot.interval.max.ms = 2000\nkafka.bootstrap.servers = %s\nstate.dir = %s\n",
                  plant->application, plant->address, fb_folder());
    fb_topic_create(plant->address, plant->input, PARTITIONS, NULL);
    fb_topic_create(plant->address, plant->commands, PARTITIONS, NULL);
    plant->run = fb_engine_start(plant->starts++);
}

/* Every room is hot. */
static void beat(const struct plant *plant) {
    for (int d = 0; d < DEVICES; d++) {
        char key[16], value[96];
        snprintf(key, sizeof key, "r%d", d);
        snprintf(value, sizeof value, "{\"room\":\"%s\",\"ts\":%" PRId64 ",\"temp\":35}", key,
                 fb_wall_ms());
        fb_topic_put(plant->address, plant->input, -1, 0, key, value, NULL, 0);
    }
    usleep(BEAT_US);
}

/* The last command of a room's fan holds this text. */
static bool last_says(const struct fb_records *records, int device, const char *text) {
    char key[16];
    const char *last = "";
    snprintf(key, sizeof key, "fan/r%d", device);
    for (size_t i = 0; i < records->n; i++)
        if (strcmp(records->v[i].key, key) == 0)
            last = records->v[i].value;
    return strstr(last, text) != NULL;
}

/* Beats until the last command of each of these rooms holds the text. */
static void until(struct plant *plant, int first, int last, const char *text) {
    int64_t end_ms = fb_wall_ms() + PATIENCE_MS;
    for (int done = -1; done < last - first + 1;) {
        beat(plant);
        struct fb_records records = fb_topic_read(plant->address, plant->commands, true);
        done = 0;
        for (int d = first; d <= last; d++)
            done += last_says(&records, d, text);
        fb_records_free(&records);
        if (fb_wall_ms() > end_ms) {
            fb_program_show(&plant->run);
            fail_msg("not all of r%d to r%d came to %s", first, last, text);
        }
    }
}

static size_t operator_records(const struct plant *plant, const char *outcome) {
    size_t n = 0;
    struct fb_records records = fb_topic_read(plant->address, plant->audit, true);
    for (size_t i = 0; i < records.n; i++)
        n += strstr(records.v[i].value, "\"kind\":\"operator\"") &&
             strstr(records.v[i].value, outcome);
    fb_records_free(&records);
    return n;
}

/* Makes the call, kills the engine at once, and waits until both partitions have answered. */
static void call(struct plant *plant, const char *const *words) {
    const char *args[16] = {"operator"};
    size_t n = 1;
    int64_t end_ms = fb_wall_ms() + PATIENCE_MS;
    while ((args[n] = words[n - 1]))
        n++;
    args[n++] = "--config";
    args[n++] = fb_path_of("fb.properties");
    args[n] = NULL;
    int status = fb_program_do(fb_folder(), "call.log", args);
    struct fb_program_run done = fb_program_done(fb_folder(), "call.log");
    if (status != 0)
        fb_program_show(&done);
    assert_int_equal(status, 0);
    plant->calls++;
    usleep(plant->calls % 3 * 200000);
    fb_engine_kill(&plant->run);
    plant->run = fb_engine_start(plant->starts++);
    while (operator_records(plant, "") < (size_t)plant->calls * PARTITIONS) {
        beat(plant);
        assert_true(fb_wall_ms() < end_ms);
    }
}

#define CALL(plant, ...) call(plant, (const char *const[]){__VA_ARGS__, NULL})

/* In each partition each call once, in their order; so many were accepted, or of no concern. */
static void expect_each_once(const struct plant *plant, size_t accepted, size_t elsewhere) {
    int64_t next[PARTITIONS] = {0};
    struct fb_records records = fb_topic_read(plant->address, plant->audit, true);
    for (size_t i = 0; i < records.n; i++) {
        const struct fb_topic_record *record = &records.v[i];
        if (!strstr(record->value, "\"kind\":\"operator\""))
            continue;
        const char *cause = strstr(record->value, "\"cause\":{");
        assert_non_null(cause);
        assert_int_equal(fb_number_behind(cause, "\"offset\":"), next[record->partition]++);
    }
    fb_records_free(&records);
    for (int p = 0; p < PARTITIONS; p++)
        assert_int_equal(next[p], plant->calls);
    assert_int_equal(operator_records(plant, "\"outcome\":\"elsewhere\""), elsewhere);
    assert_int_equal(operator_records(plant, "\"outcome\":\"accepted\""), accepted);
    assert_int_equal(operator_records(plant, "\"outcome\":\"refused\""),
                     plant->calls * PARTITIONS - accepted - elsewhere);
}

/* Each actuator's commands are numbered 1, 2, .. */
static void expect_whole_numbers(const struct plant *plant) {
    int64_t seq[DEVICES] = {0};
    struct fb_records records = fb_topic_read(plant->address, plant->commands, true);
    for (size_t i = 0; i < records.n; i++) {
        int d = 0;
        assert_int_equal(sscanf(records.v[i].key, "fan/r%d", &d), 1);
        assert_in_range(d, 0, DEVICES - 1);
        assert_int_equal(fb_number_behind(records.v[i].value, "\"seq\":"), ++seq[d]);
    }
    fb_records_free(&records);
}

static void expect_reexecution_agrees(void) {
    const char *const args[] = {"audit",    "verify", "--reexecute", "--from-beginning",
                                "--config", fb_path_of("fb.properties"), NULL};
    int status = fb_program_do(fb_folder(), "verify.log", args);
    struct fb_program_run done = fb_program_done(fb_folder(), "verify.log");
    if (status != 0)
        fb_program_show(&done);
    assert_int_equal(status, 0);
    assert_true(fb_program_said(&done, "give the same outputs"));
}

/* For longer than a lease nothing goes out, over a restart too. */
static void expect_silence(struct plant *plant) {
    struct fb_records before = fb_topic_read(plant->address, plant->commands, true);
    for (int i = 0; i < 20; i++)
        beat(plant);
    fb_engine_kill(&plant->run);
    plant->run = fb_engine_start(plant->starts++);
    fb_program_await(&plant->run, "has 1 partition");
    for (int i = 0; i < 20; i++)
        beat(plant);
    struct fb_records after = fb_topic_read(plant->address, plant->commands, true);
    assert_int_equal(after.n, before.n);
    fb_records_free(&before);
    fb_records_free(&after);
}

static void every_partition_takes_each_call_once_over_kill_9(void **state) {
    (void)state;
    struct plant plant;
    begin(&plant);
    until(&plant, 0, DEVICES - 1, "\"value\":\"on\"");
    CALL(&plant, "hand", "fan/r0", "off", "--until", "2099-01-01T00:00:00Z", "--reason", "a test");
    until(&plant, 0, 0, "\"value\":\"off\"");
    CALL(&plant, "kill", "safe", "all", "--reason", "smoke", "--who", "ann");
    until(&plant, 1, DEVICES - 1, "\"reason\":\"safe\"");
    CALL(&plant, "unkill", "actuator:fan"); /* refused: it is all that is killed */
    expect_silence(&plant);
    CALL(&plant, "unkill", "all");
    until(&plant, 1, DEVICES - 1, "\"value\":\"on\"");
    CALL(&plant, "kill", "freeze", "rule:cool", "--reason", "smoke");
    CALL(&plant, "auto", "fan/r0");
    fb_program_signal(&plant.run, SIGTERM);
    assert_int_equal(fb_program_wait(&plant.run), 0);
    expect_each_once(&plant, 3 * PARTITIONS + 2, 2 * (PARTITIONS - 1));
    expect_whole_numbers(&plant);
    expect_reexecution_agrees();
}

/* ---- alarms ---- */

/* A time to come, in seconds from now. */
static const char *in_seconds(int seconds) {
    static char text[32];
    time_t at = time(NULL) + seconds;
    struct tm parts;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &parts));
    return text;
}

/* The events of a room's alarm, in their order, each once. */
static void expect_alerts(const struct plant *plant, const char *key, const char *wanted) {
    struct fb_records records = fb_topic_read(plant->address, plant->alerts, true);
    char events[256] = "";
    for (size_t i = 0; i < records.n; i++) {
        const char *event = strstr(records.v[i].value, "\"event\":\"");
        if (strcmp(records.v[i].key, key) != 0)
            continue;
        assert_non_null(event);
        event += strlen("\"event\":\"");
        size_t n = strlen(events);
        snprintf(events + n, sizeof events - n, "%s%.*s", n ? " " : "", (int)strcspn(event, "\""),
                 event);
    }
    fb_records_free(&records);
    assert_string_equal(events, wanted);
}

static bool says_last(const struct plant *plant, const char *key, const char *text) {
    struct fb_records records = fb_topic_read(plant->address, plant->alerts, true);
    const char *last = "";
    for (size_t i = 0; i < records.n; i++)
        if (strcmp(records.v[i].key, key) == 0)
            last = records.v[i].value;
    bool says = strstr(last, text) != NULL;
    fb_records_free(&records);
    return says;
}

static void what_is_said_of_alarms_is_told_once_over_kill_9(void **state) {
    (void)state;
    struct plant plant;
    begin(&plant);
    until(&plant, 0, DEVICES - 1, "\"value\":\"on\"");
    CALL(&plant, "ack", "hot/r0", "--who", "ann");
    CALL(&plant, "shelve", "hot/r1", "--until", in_seconds(3600), "--reason", "known");
    CALL(&plant, "shelve", "hot/r2", "--until", in_seconds(-1), "--reason", "too late");
    CALL(&plant, "shelve", "hot/r2", "--until", in_seconds(3600), "--reason", "known", "--once");
    CALL(&plant, "maintenance", "r3", "--until", in_seconds(3600));
    CALL(&plant, "unshelve", "hot/r1");
    CALL(&plant, "service", "r3");
    until(&plant, 3, 3, "\"value\":\"on\"");
    fb_program_signal(&plant.run, SIGTERM);
    assert_int_equal(fb_program_wait(&plant.run), 0);
    expect_each_once(&plant, 6, 7 * (PARTITIONS - 1));
    expect_alerts(&plant, "hot/r0", "raised acked");
    expect_alerts(&plant, "hot/r1", "raised shelved unshelved");
    expect_alerts(&plant, "hot/r2", "raised shelved");
    expect_alerts(&plant, "hot/r3", "raised suppressed unsuppressed");
    assert_true(says_last(&plant, "hot/r0", "\"active\":true,\"acked\":true"));
    assert_true(says_last(&plant, "hot/r3", "\"active\":true,\"acked\":false"));
    expect_whole_numbers(&plant);
    expect_reexecution_agrees();
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_partition_takes_each_call_once_over_kill_9),
        cmocka_unit_test(what_is_said_of_alarms_is_told_once_over_kill_9),
    };
    return cmocka_run_group_tests(tests, fb_folder_make, fb_folder_remove);
}
