/* Commands from Kafka to a receiver that keeps its duties, while the engine is killed: nothing is
 * done twice or out of order, and without an engine the equipment goes back to its fail-safe.
 * FB_TORTURE=1: longer. */
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
#include <unistd.h>

#include "tests/kafka/broker.h"
#include "tests/kafka/compare.h"
#include "tests/kafka/program.h"
#include "tests/kafka/receiver.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/topic.h"

enum { PARTITIONS = 2, DEVICES = 4, PATIENCE_MS = 120000, BEAT_US = 100000 };

static const char rules[] =
    "device room from \"%s\" { key room  time ts [ms]  temp : number [degC] stale after 1h }\n"
    "actuator fan on room : (off, on) {\n"
    "  safe off  minimum on 0s, off 0s  breaker 32 reversals in 1s, hold 1s\n"
    "  lease 4s  deliver within 4s\n"
    "}\n"
    "control cool on room {\n"
    "  start when temp > 30 degC until temp < 25 degC  command fan = on  rollout armed\n"
    "}\n"
    "control dry on room { start when temp > 20 degC  command fan = on at priority 16 }\n";

struct plant {
    const char *address;
    char input[64], application[64], commands[80];
    struct fb_program_run run;
    unsigned starts;
    struct fb_receiver receiver;
    double temp;
};

static void begin(struct plant *plant) {
    *plant = (struct plant){.address = fb_broker_shared(), .temp = 22};
    fb_topic_name(plant->input, "rooms");
    fb_topic_name(plant->application, "app");
    snprintf(plant->commands, sizeof plant->commands, "%s.commands", plant->application);
    fb_write_text(fb_path_of("a.rules"), rules, plant->input);
    fb_write_text(fb_path_of("fb.properties"),
                  "application.id = %s\ninstance.id = a\nworkers = 2\nstart.from = earliest\n"
                  "commit.interval.ms = 20\nsnapshot.interval.min.ms = 200\n"
                  "snapshot.interval.max.ms = 2000\nkafka.bootstrap.servers = %s\nstate.dir = %s\n",
                  plant->application, plant->address, fb_folder());
    fb_topic_create(plant->address, plant->input, PARTITIONS, NULL);
    fb_topic_create(plant->address, plant->commands, PARTITIONS, NULL);
    plant->receiver =
        (struct fb_receiver){.address = plant->address, .topic = plant->commands};
    fb_receiver_start(&plant->receiver, fb_path_of("receiver.log"), fb_path_of("receiver.json"),
                      "fan=off");
    plant->run = fb_engine_start(plant->starts++);
}

/* Every room tells its temperature. */
static void tell_all(const struct plant *plant) {
    for (int d = 0; d < DEVICES; d++) {
        char key[16], value[96];
        snprintf(key, sizeof key, "r%d", d);
        snprintf(value, sizeof value, "{\"room\":\"%s\",\"ts\":%" PRId64 ",\"temp\":%g}", key,
                 fb_wall_ms(), plant->temp);
        fb_topic_put(plant->address, plant->input, -1, 0, key, value, NULL, 0);
    }
}

/* The receiver gets what is committed. */
static void beat(struct plant *plant) {
    tell_all(plant);
    fb_receiver_feed(&plant->receiver);
    usleep(BEAT_US);
}

/* Of the lines about a room's fan the last one that changed something. */
static bool last_is(const struct plant *plant, int device, const char *what) {
    char actuator[32], last[64] = "";
    char *lines = fb_receiver_lines(&plant->receiver), *rest = lines, *line;
    snprintf(actuator, sizeof actuator, " fan/r%d ", device);
    while ((line = strsep(&rest, "\n")))
        if (strstr(line, actuator) && strncmp(line, "renew", 5) && strncmp(line, "drop", 4))
            snprintf(last, sizeof last, "%.*s%s", (int)strcspn(line, " "), line,
                     strstr(line, actuator) + strlen(actuator) - 1);
    free(lines);
    size_t n = strlen(last), wanted = strlen(what);
    return n >= wanted && strcmp(last + n - wanted, what) == 0;
}

/* Until the last thing done to every fan ends so. */
static void until_all(struct plant *plant, const char *what) {
    int64_t end_ms = fb_wall_ms() + PATIENCE_MS;
    for (int done = 0; done < DEVICES; beat(plant)) {
        done = 0;
        for (int d = 0; d < DEVICES; d++)
            done += last_is(plant, d, what);
        if (fb_wall_ms() > end_ms) {
            char *lines = fb_receiver_lines(&plant->receiver);
            fb_program_show(&plant->run);
            fail_msg("not all fans came to `%s`; the receiver:\n%s", what, lines);
        }
    }
}

/* ---- what must hold ---- */

/* Each actuator's commands are numbered 1, 2, .. in one epoch, whatever was killed. */
static size_t expect_whole_numbers(const struct plant *plant) {
    struct fb_records records = fb_topic_read(plant->address, plant->commands, true);
    int64_t seq[DEVICES] = {0}, epoch[DEVICES] = {0};
    size_t n = records.n;
    for (size_t i = 0; i < n; i++) {
        const struct fb_topic_record *record = &records.v[i];
        int d = 0;
        assert_int_equal(sscanf(record->key, "fan/r%d", &d), 1);
        assert_in_range(d, 0, DEVICES - 1);
        int64_t now = fb_number_behind(record->value, "\"epoch\":");
        assert_true(now > 0 && (epoch[d] == 0 || now == epoch[d]));
        epoch[d] = now;
        assert_int_equal(fb_number_behind(record->value, "\"seq\":"), ++seq[d]);
        assert_string_equal(fb_record_header(record, "ce_type"), "flyball.command");
    }
    fb_records_free(&records);
    return n;
}

/* No command without its audit, nor the other way round. */
static void expect_explained(const struct plant *plant, size_t commands) {
    char topic[80];
    size_t explained = 0, shadows = 0;
    snprintf(topic, sizeof topic, "%s.audit", plant->application);
    struct fb_records records = fb_topic_read(plant->address, topic, true);
    for (size_t i = 0; i < records.n; i++) {
        bool of_command = strstr(records.v[i].value, "\"command\":") != NULL;
        bool shadow = strstr(records.v[i].value, "\"kind\":\"shadow\"") != NULL;
        explained += of_command && !shadow;
        shadows += of_command && shadow;
    }
    fb_records_free(&records);
    assert_int_equal(explained, commands);
    snprintf(topic, sizeof topic, "%s.shadow", plant->application);
    records = fb_topic_read(plant->address, topic, true);
    assert_int_equal(records.n, shadows);
    assert_true(shadows > 0);
    fb_records_free(&records);
}

/* What the committed commands came to: nothing came twice, and no fan was told what it was. */
static void expect_done_once(const struct plant *plant) {
    char is[DEVICES][16] = {{0}};
    char *lines = fb_receiver_lines(&plant->receiver), *rest = lines, *line;
    while ((line = strsep(&rest, "\n"))) {
        char what[16], value[16];
        int d;
        assert_null(strstr(line, "not newer"));
        assert_null(strstr(line, "no command"));
        if (sscanf(line, "%15s fan/r%d %15s", what, &d, value) != 3 || strcmp(what, "drop") == 0)
            continue;
        assert_in_range(d, 0, DEVICES - 1);
        if (strcmp(what, "renew") == 0)
            assert_string_equal(value, is[d]);
        else if (strcmp(what, "apply") == 0)
            assert_string_not_equal(value, is[d]);
        snprintf(is[d], sizeof is[d], "%s", strcmp(what, "lapse") ? value : "lapsed");
    }
    free(lines);
}

/* All of it once more, as one gets it who reads the topic from its beginning. */
static void expect_nothing_again(struct plant *plant, size_t commands) {
    fb_receiver_start(&plant->receiver, fb_path_of("again.log"), fb_path_of("receiver.json"),
                      "fan=off");
    fb_receiver_feed(&plant->receiver);
    fb_receiver_end(&plant->receiver);
    assert_int_equal(fb_receiver_said(&plant->receiver, "drop"), commands);
    assert_int_equal(fb_receiver_said(&plant->receiver, "apply"), 0);
}

static void expect_reexecution_agrees(const struct plant *plant) {
    const char *const args[] = {"audit",    "verify", "--reexecute", "--from-beginning",
                                "--config", fb_path_of("fb.properties"), NULL};
    (void)plant;
    int status = fb_program_do(fb_folder(), "verify.log", args);
    struct fb_program_run done = fb_program_done(fb_folder(), "verify.log");
    if (status != 0)
        fb_program_show(&done);
    assert_int_equal(status, 0);
    assert_true(fb_program_said(&done, "give the same outputs"));
}

/* ---- the test ---- */

static void a_receiver_does_nothing_twice_and_falls_back_when_the_engine_is_gone(void **state) {
    (void)state;
    struct plant plant;
    begin(&plant);
    for (int round = 0; round < (fb_torture() ? 50 : 3); round++) {
        plant.temp = 35;
        until_all(&plant, "apply on");
        fb_engine_kill(&plant.run);
        until_all(&plant, "lapse off");
        plant.run = fb_engine_start(plant.starts++);
        until_all(&plant, "apply on");
        plant.temp = 22;
        fb_engine_kill(&plant.run); /* perhaps in the middle of the step */
        plant.run = fb_engine_start(plant.starts++);
        until_all(&plant, " off"); /* by a command, or for want of one */
    }
    fb_program_signal(&plant.run, SIGTERM);
    assert_int_equal(fb_program_wait(&plant.run), 0);
    fb_receiver_feed(&plant.receiver);
    fb_receiver_kill(&plant.receiver);
    size_t commands = expect_whole_numbers(&plant);
    expect_explained(&plant, commands);
    expect_done_once(&plant);
    expect_nothing_again(&plant, commands);
    expect_reexecution_agrees(&plant);
}

/* ---- actuators with a topic of their own ---- */

static const char two_actuators[] =
    "device room from \"%s\" { key room  time ts [ms]  temp : number [degC] stale after 1h }\n"
    "actuator fan on room : (off, on) {\n"
    "  safe off  minimum on 0s, off 0s  breaker 32 reversals in 1s, hold 1s\n"
    "  lease 1h  deliver within 1h\n"
    "}\n"
    "actuator vent on room : (shut, open) {\n"
    "  %s safe shut  minimum on 0s, off 0s  breaker 32 reversals in 1s, hold 1s\n"
    "  lease 1h  deliver within 1h\n"
    "}\n"
    "control cool on room {\n"
    "  start when temp > 30 degC until temp < 25 degC\n"
    "  command fan = on  command vent = open  rollout armed\n"
    "}\n";

/* The same application, with vents and without a receiver; `also` is their topic. */
static void begin_with_vents(struct plant *plant, char also[static 64]) {
    char to[80];
    *plant = (struct plant){.address = fb_broker_shared(), .temp = 22};
    fb_topic_name(plant->input, "rooms");
    fb_topic_name(plant->application, "app");
    fb_topic_name(also, "vents");
    snprintf(plant->commands, sizeof plant->commands, "%s.commands", plant->application);
    snprintf(to, sizeof to, "to \"%s\"", also);
    fb_write_text(fb_path_of("a.rules"), two_actuators, plant->input, to);
    fb_write_text(fb_path_of("b.rules"), two_actuators, plant->input, "");
    fb_write_text(fb_path_of("fb.properties"),
                  "application.id = %s\ninstance.id = a\nworkers = 2\nstart.from = earliest\n"
                  "commit.interval.ms = 20\nsnapshot.interval.min.ms = 200\n"
                  "snapshot.interval.max.ms = 2000\nkafka.bootstrap.servers = %s\nstate.dir = %s\n"
                  "topics.commands.also = %s\n",
                  plant->application, plant->address, fb_folder(), also);
    fb_topic_create(plant->address, plant->input, PARTITIONS, NULL);
    plant->run = fb_engine_start(plant->starts++);
    char made[128];
    snprintf(made, sizeof made, "created topic %s with %d partitions", also, PARTITIONS);
    fb_program_await(&plant->run, made);
    fb_program_await(&plant->run, "worker 1 has 1 partition");
}

/* What was told to the fans and to the vents. */
struct told {
    int64_t epoch[2][DEVICES], seq[2][DEVICES];
    bool active[2][DEVICES];
    int32_t partition[DEVICES]; /* and 1; 0: not known */
};

/* The commands of a topic, behind those that were told before: numbered without a gap, each another
 * value than the one before, whatever was killed. */
static void add_told(const struct plant *plant, const char *topic, bool fans, struct told *told) {
    struct fb_records records = fb_topic_read(plant->address, topic, true);
    for (size_t i = 0; i < records.n; i++) {
        const struct fb_topic_record *record = &records.v[i];
        bool vent = strncmp(record->key, "vent/", 5) == 0;
        int d = 0;
        assert_int_equal(sscanf(record->key, vent ? "vent/r%d" : "fan/r%d", &d), 1);
        assert_in_range(d, 0, DEVICES - 1);
        assert_true(vent || fans);
        assert_string_equal(fb_record_header(record, "ce_type"), "flyball.command");
        assert_int_equal(fb_number_behind(record->value, "\"seq\":"), ++told->seq[vent][d]);
        int64_t epoch = fb_number_behind(record->value, "\"epoch\":");
        assert_true(told->epoch[vent][d] == 0 || told->epoch[vent][d] == epoch);
        told->epoch[vent][d] = epoch;
        bool active = strstr(record->value, vent ? "\"value\":\"open\"" : "\"value\":\"on\"");
        assert_true(active != told->active[vent][d]);
        told->active[vent][d] = active;
        assert_true(told->partition[d] == 0 || told->partition[d] == record->partition + 1);
        told->partition[d] = record->partition + 1;
    }
    fb_records_free(&records);
}

static struct told told_in(const struct plant *plant, const char *also) {
    struct told told = {0};
    add_told(plant, also, false, &told);
    add_told(plant, plant->commands, true, &told);
    return told;
}

/* Until all rooms are at `temp` and all their actuators as it asks for. */
static void until_told(struct plant *plant, const char *also, double temp) {
    int64_t end_ms = fb_wall_ms() + PATIENCE_MS;
    plant->temp = temp;
    for (int done = 0; done < 2 * DEVICES;) {
        tell_all(plant);
        struct told told = told_in(plant, also);
        done = 0;
        for (int d = 0; d < DEVICES; d++)
            for (int vent = 0; vent < 2; vent++)
                done += told.active[vent][d] == (temp > 30);
        if (fb_wall_ms() > end_ms) {
            fb_program_show(&plant->run);
            fail_msg("not all actuators came to what %g degrees ask for", temp);
        }
    }
}

/* Both are commanded by one decision, so in one transaction: none has more than the other. */
static size_t expect_told_together(const struct plant *plant, const char *also) {
    struct told told = told_in(plant, also);
    size_t n = 0;
    for (int d = 0; d < DEVICES; d++) {
        assert_int_equal(told.seq[0][d], told.seq[1][d]);
        assert_int_equal(told.epoch[0][d], told.epoch[1][d]);
        n += (size_t)(told.seq[0][d] + told.seq[1][d]);
    }
    return n;
}

/* Each command has its audit, which says to which topic it went. */
static void expect_audit_names(const struct plant *plant, const char *also, size_t commands) {
    char topic[80], to[80];
    size_t explained = 0, elsewhere = 0;
    snprintf(topic, sizeof topic, "%s.audit", plant->application);
    snprintf(to, sizeof to, "\"to\":\"%s\"", also);
    struct fb_records records = fb_topic_read(plant->address, topic, true);
    for (size_t i = 0; i < records.n; i++) {
        explained += strstr(records.v[i].value, "\"command\":") != NULL;
        elsewhere += strstr(records.v[i].value, to) != NULL;
    }
    fb_records_free(&records);
    records = fb_topic_read(plant->address, also, true);
    assert_int_equal(elsewhere, records.n);
    assert_int_equal(explained, commands);
    fb_records_free(&records);
}

static bool reexecution_says(const char *text) {
    const char *const args[] = {"audit",       "verify",
                                "--reexecute", "--from-beginning",
                                "--config",    fb_path_of("fb.properties"),
                                NULL};
    assert_int_equal(fb_program_do(fb_folder(), "verify.log", args), 1);
    struct fb_program_run done = fb_program_done(fb_folder(), "verify.log");
    if (!fb_program_said(&done, text))
        fb_program_show(&done);
    return fb_program_said(&done, text);
}

/* A command stands there twice; then the topic is made anew, without its last one. */
static void expect_reexecution_finds(const struct plant *plant, const char *also) {
    struct fb_records records = fb_topic_read(plant->address, also, true);
    const struct fb_topic_record *last = &records.v[records.n - 1];
    assert_true(records.n > 4);
    fb_topic_put(plant->address, also, last->partition, 0, last->key, last->value, last->headers,
                 last->headers_n);
    assert_true(reexecution_says("it does not give this command"));
    fb_topic_delete(plant->address, also);
    fb_topic_create(plant->address, also, PARTITIONS, NULL);
    for (size_t i = 0; i + 1 < records.n; i++) {
        const struct fb_topic_record *record = &records.v[i];
        fb_topic_put(plant->address, also, record->partition, 0, record->key, record->value,
                     record->headers, record->headers_n);
    }
    char missing[128];
    snprintf(missing, sizeof missing, "it gives one more command than %s[%d] holds", also,
             last->partition);
    assert_true(reexecution_says(missing));
    fb_records_free(&records);
}

static int deploy(const char *path, const char *option) {
    const char *const args[] = {"deploy",
                                "--rules",
                                path,
                                "--config",
                                fb_path_of("fb.properties"),
                                "--wait",
                                option ? "3" : "60",
                                option ? "-X" : NULL,
                                option,
                                NULL};
    return fb_program_do(fb_folder(), "deploy.log", args);
}

static void commands_go_to_the_topic_that_their_actuator_names(void **state) {
    (void)state;
    struct plant plant;
    char also[64];
    begin_with_vents(&plant, also);
    for (int round = 0; round < 2; round++) {
        until_told(&plant, also, 35);
        fb_engine_kill(&plant.run);
        plant.run = fb_engine_start(plant.starts++);
        until_told(&plant, also, 22);
        plant.temp = 35;
        tell_all(&plant);
        fb_engine_kill(&plant.run); /* perhaps in the middle of it */
        plant.run = fb_engine_start(plant.starts++);
    }
    until_told(&plant, also, 35);
    size_t commands = expect_told_together(&plant, also);
    expect_audit_names(&plant, also, commands);
    /* What `deploy` was told to allow, the instance need not. */
    fb_write_text(fb_path_of("c.rules"), two_actuators, plant.input, "to \"strange\"");
    assert_int_equal(deploy(fb_path_of("c.rules"), NULL), 2);
    assert_int_not_equal(deploy(fb_path_of("c.rules"), "topics.commands.also=strange"), 0);
    fb_program_await(&plant.run, "the actuator `vent` is commanded in the topic 'strange'");
    /* With another topic all goes on. */
    assert_int_equal(deploy(fb_path_of("b.rules"), NULL), 0);
    struct fb_records before = fb_topic_read(plant.address, also, true);
    until_told(&plant, also, 22);
    struct fb_records after = fb_topic_read(plant.address, also, true);
    assert_int_equal(before.n, after.n);
    fb_records_free(&before);
    fb_records_free(&after);
    expect_audit_names(&plant, also, expect_told_together(&plant, also));
    fb_program_signal(&plant.run, SIGTERM);
    assert_int_equal(fb_program_wait(&plant.run), 0);
    expect_reexecution_agrees(&plant);
    expect_reexecution_finds(&plant, also);
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receiver_does_nothing_twice_and_falls_back_when_the_engine_is_gone),
        cmocka_unit_test(commands_go_to_the_topic_that_their_actuator_names),
    };
    return cmocka_run_group_tests(tests, fb_folder_make, fb_folder_remove);
}
