/* `flyball run` with a broker that asks who it is and decides what it may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connectors/kafka_history.h"
#include "connectors/kafka_source.h"
#include "connectors/kafka_txn_sink.h"
#include "tests/kafka/access.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/program.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/topic.h"

#define SCRAM_USER "User:flyball"
#define MTLS_USER "User:CN=flyball"

enum { BLOCK_MAX = 2048 };

static struct fb_broker *node;

/* A command in each of two topics and a shadow at the first hot record. */
static const char *const acting_rules =
    "device meter from \"%s\" { key id  time ts [ms]  temp: number [degC] }\n"
    "actuator fan on meter : (off, on) { safe off  minimum on 0s, off 0s }\n"
    "actuator vent on meter : (shut, open) { to \"%s\"  safe shut  minimum on 0s, off 0s }\n"
    "control cool on meter {\n"
    "  start when temp > 80 degC  command fan = on  command vent = open  rollout armed\n"
    "}\n"
    "control more on meter { start when temp > 85 degC  command fan = on at priority 9 }\n";

static const char *const rules = "device meter from \"%s\" {\n"
                                 "  key id\n"
                                 "  time ts [ms]\n"
                                 "  temp: number [degC]\n"
                                 "}\n"
                                 "alarm hot on meter {\n"
                                 "  raise high when temp > 80 degC until temp < 70 degC\n"
                                 "}\n";

static void read_settings(void);

static int set_up(void **state) {
    node = fb_broker_start_secure();
    read_settings();
    return fb_folder_make(state);
}

static int tear_down(void **state) {
    fb_broker_free(node);
    return fb_folder_remove(state);
}

/* The first line of a file of the node's. */
static void read_line(const char *name, char line[static 128]) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", fb_broker_tls(node), name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, 128, file));
    line[strcspn(line, "\n")] = '\0';
    fclose(file);
}

/* ---- an application ---- */

/* The names of all that rights are needed for. */
struct app {
    char input[64], name[64], member[80]; /* member: the prefix of its transactional ids */
    char alerts[80], late[80], dead[80], audit[80], journal[80], snapshot[80], status[80];
    char commands[80], also[80], shadow[80], rules[80], control[80];
};

/* One with topics of its own, and input that makes a record for each output. */
static struct app new_app(bool with_outputs) {
    struct app app;
    struct timespec now;
    char hot[80];
    const char *address = fb_broker_address(node);
    fb_topic_name(app.input, "events");
    fb_topic_name(app.name, "app");
    snprintf(app.member, sizeof app.member, "%s-", app.name);
    const struct {
        char *name;
        const char *suffix;
    } outputs[] = {{app.alerts, "alerts"},     {app.late, "late"},       {app.dead, "dead"},
                   {app.audit, "audit"},       {app.journal, "journal"}, {app.snapshot, "snapshot"},
                   {app.commands, "commands"}, {app.shadow, "shadow"},   {app.status, "status"},
                   {app.rules, "rules"},       {app.control, "control"}, {app.also, "vents"}};
    fb_topic_create(address, app.input, 1, NULL);
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        snprintf(outputs[i].name, sizeof app.alerts, "%s.%s", app.name, outputs[i].suffix);
        if (with_outputs)
            fb_topic_create(address, outputs[i].name, 1, NULL);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(hot, sizeof hot, "{\"id\":\"x\",\"ts\":%lld000,\"temp\":90}", (long long)now.tv_sec);
    const char *const values[] = {hot, "{\"id\":\"x\",\"ts\":4102444800000}", "nonsense"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        fb_topic_put(address, app.input, 0, 0, "x", values[i], NULL, 0);
    fb_write_text(fb_path_of("a.rules"), rules, app.input);
    return app;
}

/* ---- how it comes to the node ---- */

/* In settings: $O is the open listener's port, $S the port for passwords, $M the port for
 * certificates, $T the folder of the node's certificates, $F the test's. */
static char by_scram[BLOCK_MAX], by_certificate[BLOCK_MAX], by_certificate_as_text[BLOCK_MAX];
static const char by_another_s[] = "kafka.bootstrap.servers = 127.0.0.1:$M\n"
                                   "kafka.security.protocol = SSL\n"
                                   "kafka.ssl.ca.location = $T/ca.pem\n"
                                   "kafka.ssl.certificate.location = $T/stranger.pem\n"
                                   "kafka.ssl.key.location = $T/stranger.key\n";
static const char without_certificate[] = "kafka.bootstrap.servers = 127.0.0.1:$M\n"
                                          "kafka.security.protocol = SSL\n"
                                          "kafka.ssl.ca.location = $T/ca.pem\n";

static void replace_all(char text[static BLOCK_MAX], const char *from, const char *to) {
    char made[BLOCK_MAX] = "";
    size_t n = 0;
    for (const char *p = text; *p;) {
        bool here = strncmp(p, from, strlen(from)) == 0;
        n += (size_t)snprintf(made + n, sizeof made - n, here ? "%s" : "%.1s", here ? to : p);
        p += here ? strlen(from) : 1;
        assert_true(n < sizeof made);
    }
    strcpy(text, made);
}

/* The block of docs/KAFKA.md that begins with the line "# NAME". */
static void read_block(const char *name, char block[static BLOCK_MAX]) {
    char line[512], first[128];
    FILE *file = fopen(FB_PROJECT_DIR "/docs/KAFKA.md", "r");
    assert_non_null(file);
    snprintf(first, sizeof first, "# %s\n", name);
    bool fence = false, inside = false;
    size_t n = 0;
    while (fgets(line, sizeof line, file) && !(inside && strcmp(line, "```\n") == 0)) {
        inside |= fence && strcmp(line, first) == 0;
        fence = strncmp(line, "```", 3) == 0;
        if (inside)
            n += (size_t)snprintf(block + n, BLOCK_MAX - n, "%s", line);
        assert_true(n < BLOCK_MAX);
    }
    fclose(file);
    assert_true(n > 0);
}

static void read_settings(void) {
    const struct {
        const char *name;
        char *block;
    } blocks[] = {{"SCRAM", by_scram},
                  {"certificate", by_certificate},
                  {"certificate as text", by_certificate_as_text}};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        read_block(blocks[i].name, blocks[i].block);
        replace_all(blocks[i].block, "broker1.example.com:9094", "127.0.0.1:$S");
        replace_all(blocks[i].block, "broker1.example.com:9095", "127.0.0.1:$M");
        replace_all(blocks[i].block, "/etc/flyball/tls/", "$T/");
    }
}

static void put_place(char what, char *to, size_t room) {
    if (what == 'T' || what == 'F')
        snprintf(to, room, "%s", what == 'T' ? fb_broker_tls(node) : fb_folder());
    else
        snprintf(to, room, "%d",
                 what == 'S'   ? fb_broker_scram_port(node)
                 : what == 'M' ? fb_broker_mtls_port(node)
                               : atoi(strchr(fb_broker_address(node), ':') + 1));
}

/* The settings with the node's in the place of what stands for them. Valid until the next call. */
static const char *of_node(const char *settings) {
    static char text[4096];
    size_t n = 0;
    for (const char *p = settings; *p; p++) {
        char place[256] = {*p, '\0'};
        if (*p == '$' && p[1] != '{')
            put_place(*++p, place, sizeof place);
        assert_true(n + strlen(place) < sizeof text);
        n += (size_t)sprintf(text + n, "%s", place);
    }
    text[n] = '\0';
    return text;
}

static void write_config(const struct app *app, const char *settings) {
    fb_write_text(fb_path_of("a.conf"),
                  "application.id = %s\nworkers = 1\nstart.from = earliest\n"
                  "snapshot.interval.min.ms = 10\nsnapshot.interval.max.ms = 10\n"
                  "topics.commands.also = %s\n%s",
                  app->name, app->also, of_node(settings));
}

static struct fb_program_run start(const char *setting, const char *guarantee) {
    char text[64];
    snprintf(text, sizeof text, "processing.guarantee=%s", guarantee);
    const char *const args[] = {"run",
                                "--rules",
                                fb_path_of("a.rules"),
                                "--config",
                                fb_path_of("a.conf"),
                                "-X",
                                setting,
                                "-X",
                                text,
                                NULL};
    return fb_program_start(fb_folder(), "a.log", args);
}

static void expect_said(const struct fb_program_run *run, const char *text) {
    if (fb_program_said(run, text))
        return;
    fb_program_show(run);
    fail_msg("%s, above, does not say \"%s\"", run->log, text);
}

/* ---- rights ---- */

#define ONCE "exactly_once"
#define AT_LEAST_ONCE "at_least_once"
enum { ALL = -1, GOES_ON = -2 };

/* What docs/KAFKA.md lists for `topics.create = false`. Where the user may at least look a thing up
 * (another right to it lets him too), that he may not write it shows only when it is written. */
static const struct need {
    const char *right, *kind;
    rd_kafka_AclOperation_t operation;
    rd_kafka_ResourceType_t resource;
    size_t name;       /* where its name stands in struct app */
    bool once;         /* exactly once only */
    int bare, visible; /* the exit status where he may not even look it up, and where he may;
                        * GOES_ON: it only warns */
} needs[] = {
    {"Read", "topic", RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, input), false, 2, 2},
    {"Write", "topic", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, alerts), false, 2, 3},
    {"Write", "topic", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, late), false, 2, 3},
    {"Write", "topic", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, dead), false, 2, 3},
    {"Read", "group", RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_GROUP,
     offsetof(struct app, name), false, 3, 3},
    {"Write", "topic", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, audit), true, 2, 3},
    {"Write", "topic", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, commands), true, 2, 3},
    {"Write", "topic", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, also), true, 2, 3},
    {"Write", "topic", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, shadow), true, 2, 3},
    {"Read", "topic", RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, journal), true, 2, 2},
    {"Write", "topic", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, journal), true, 3, 3},
    {"Read", "topic", RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, snapshot), true, 2, 2},
    {"Write", "topic", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, snapshot), true, 3, 3},
    {"Write", "topic", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, status), true, 2, GOES_ON},
    {"Read", "topic", RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, rules), true, 2, 2},
    {"Read", "topic", RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC,
     offsetof(struct app, control), true, 2, 2},
};
enum { NEEDS = sizeof needs / sizeof *needs };

static const char *name_of(const struct need *need, const struct app *app) {
    return (const char *)app + need->name;
}

static void give_only(const char *user, const struct fb_right *rights, size_t n) {
    fb_access_take(fb_broker_address(node), user);
    fb_access_give(fb_broker_address(node), user, rights, n);
}

/* All rights but one, transactions left aside; what that one is for may be looked up, or not by
 * that right. */
static void give_all_but(const char *user, const struct app *app, const char *guarantee,
                         int without, bool visible) {
    struct fb_right rights[NEEDS];
    size_t n = 0;
    for (int i = 0; i < NEEDS; i++) {
        if ((needs[i].once && strcmp(guarantee, ONCE) != 0) || (i == without && !visible))
            continue;
        rights[n++] =
            (struct fb_right){i == without ? RD_KAFKA_ACL_OPERATION_DESCRIBE : needs[i].operation,
                              needs[i].resource, name_of(&needs[i], app), false};
    }
    give_only(user, rights, n);
}

/* Gives (--add) or takes (--remove) the right to an application's transactions. */
static void acls(const char *how, const char *user, const struct app *app) {
    char command[1024];
    snprintf(command, sizeof command,
             "FB_KAFKA_DIR=%s %s/tools/kafka.sh acls %s --force --allow-principal %s "
             "--operation Write --transactional-id %s --resource-pattern-type prefixed >&2",
             fb_broker_folder(node), FB_PROJECT_DIR, how, user, app->member);
    assert_int_equal(system(command), 0);
}

/* To the transactions of every application of these tests. */
static void allow_transactions(const char *user) {
    static const struct app all = {.member = "app-"};
    acls("--add", user, &all);
}

static void expect_denied(const struct fb_program_run *run, const char *right, const char *kind,
                          const char *name, int status) {
    char wanted[256];
    snprintf(wanted, sizeof wanted, ": Kafka denies this client %s on the %s '%s' (", right, kind,
             name);
    if (status == GOES_ON) {
        fb_program_await(run, wanted);
        fb_program_signal(run, SIGTERM);
        assert_int_equal(fb_program_wait(run), 0);
        return;
    }
    int ended = fb_program_wait(run);
    expect_said(run, wanted);
    expect_said(run, "docs/KAFKA.md");
    assert_int_equal(ended, status);
}

static void expect_outputs(const struct app *app, const struct fb_program_run *run) {
    const char *address = fb_broker_address(node);
    const char *const topics[] = {app->alerts, app->late, app->dead};
    fb_program_await(run, "worker 0 has 1 partition");
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        struct fb_records got = fb_topic_await(address, topics[i], true, 1);
        assert_int_equal(got.n, 1);
        fb_records_free(&got);
    }
    fb_program_signal(run, SIGTERM);
    assert_int_equal(fb_program_wait(run), 0);
    assert_int_equal(fb_group_offset_stable(address, app->name, app->input, 0), 3);
}

static void expect_missed(int i, const char *guarantee, bool visible) {
    struct app app = new_app(true);
    write_config(&app, by_scram);
    if (needs[i].name == offsetof(struct app, commands) ||
        needs[i].name == offsetof(struct app, also) ||
        needs[i].name == offsetof(struct app, shadow))
        fb_write_text(fb_path_of("a.rules"), acting_rules, app.input, app.also);
    give_all_but(SCRAM_USER, &app, guarantee, i, visible);
    struct fb_program_run run = start("topics.create=false", guarantee);
    expect_denied(&run, needs[i].right, needs[i].kind, name_of(&needs[i], &app),
                  visible ? needs[i].visible : needs[i].bare);
}

static void each_right_that_is_missing_is_named(void **state) {
    (void)state;
    for (int i = 0; i < NEEDS; i++)
        for (int visible = 0; visible < 2; visible++)
            if (!needs[i].once)
                expect_missed(i, AT_LEAST_ONCE, visible);
}

/* What may not even be looked up shows before there is a transaction, as above. */
static void each_right_of_exactly_once_that_is_missing_is_named(void **state) {
    (void)state;
    allow_transactions(SCRAM_USER);
    for (int i = 0; i < NEEDS; i++)
        expect_missed(i, ONCE, true);
}

static void transactions_that_are_not_allowed_are_named(void **state) {
    (void)state;
    struct app app = new_app(true);
    static const struct app all = {.member = "app-"};
    acls("--remove", SCRAM_USER, &all);
    write_config(&app, by_scram);
    give_all_but(SCRAM_USER, &app, ONCE, ALL, false);
    struct fb_program_run run = start("instance.id=host", ONCE);
    char id[128];
    snprintf(id, sizeof id, "%shost-0", app.member);
    expect_denied(&run, "Write", "transactional id", id, 3);
    acls("--add", SCRAM_USER, &app);
    run = start("topics.create=false", ONCE);
    expect_outputs(&app, &run);
}

/* Then the broker refuses the producer as a whole. */
static void having_no_output_to_write_is_an_end(void **state) {
    (void)state;
    struct app app = new_app(true);
    const struct fb_right rights[] = {
        {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC, app.input, false},
        {RD_KAFKA_ACL_OPERATION_DESCRIBE, RD_KAFKA_RESOURCE_TOPIC, app.name, true},
        {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_GROUP, app.name, false}};
    write_config(&app, by_scram);
    give_only(SCRAM_USER, rights, 3);
    struct fb_program_run run = start("topics.create=false", AT_LEAST_ONCE);
    expect_denied(&run, "Write", "topic", app.alerts, 3);
}

static void missing_outputs_need_the_right_to_create_them(void **state) {
    (void)state;
    struct app app = new_app(false);
    const struct fb_right rights[] = {
        {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC, app.input, false},
        {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_GROUP, app.name, false},
        {RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC, app.name, true},
        {RD_KAFKA_ACL_OPERATION_CREATE, RD_KAFKA_RESOURCE_TOPIC, app.name, true}};
    write_config(&app, by_scram);
    give_only(SCRAM_USER, rights, 3);
    struct fb_program_run run = start("topics.create=true", AT_LEAST_ONCE);
    expect_denied(&run, "Create", "topic", app.alerts, 2);
    give_only(SCRAM_USER, rights, 4);
    run = start("topics.create=true", AT_LEAST_ONCE);
    expect_outputs(&app, &run);
}

/* Runs the commands of these blocks of docs/KAFKA.md, which are to give so many rights. */
static void give_as_documented(const struct app *app, const char *const *blocks, size_t n) {
    char script[512], block[BLOCK_MAX];
    fb_write_text(fb_path_of("kafka-acls.sh"), /* instead of the server and the admin's login */
                  "shift 4\nFB_KAFKA_DIR=%s exec %s/tools/kafka.sh acls \"$@\"\n",
                  fb_broker_folder(node), FB_PROJECT_DIR);
    FILE *file = fopen(fb_path_of("give.sh"), "w");
    assert_non_null(file);
    fprintf(file, "set -e\n");
    for (; *blocks; blocks++) {
        read_block(*blocks, block);
        replace_all(block, "telemetry.pumps", app->input);
        replace_all(block, "pumps", app->name);
        replace_all(block, "User:ops", SCRAM_USER);
        replace_all(block, "kafka-acls.sh", of_node("sh $F/kafka-acls.sh"));
        fputs(block, file);
    }
    fclose(file);
    snprintf(script, sizeof script, "sh %s >&2", fb_path_of("give.sh"));
    assert_int_equal(system(script), 0);
    fb_access_await(fb_broker_address(node), SCRAM_USER, n);
}

static void the_documented_commands_give_what_is_needed(void **state) {
    (void)state;
    static const struct {
        const char *guarantee, *create;
        const char *blocks[4];
        size_t rights; /* of topics and groups */
    } cases[] = {
        {AT_LEAST_ONCE, "topics.create=false", {"rights"}, 3},
        {AT_LEAST_ONCE, "topics.create=true", {"rights", "rights to create"}, 4},
        {ONCE, "topics.create=false", {"rights", "rights for exactly once"}, 7},
        {ONCE, "topics.create=true", {"rights", "rights for exactly once", "rights to create"}, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct app app = new_app(strcmp(cases[i].create, "topics.create=false") == 0);
        write_config(&app, by_scram);
        fb_access_take(fb_broker_address(node), SCRAM_USER);
        give_as_documented(&app, cases[i].blocks, cases[i].rights);
        struct fb_program_run run = start(cases[i].create, cases[i].guarantee);
        expect_outputs(&app, &run);
    }
}

/* ---- another user deploys ---- */

static int deployer(const char *command, const char *option, const char *value) {
    const char *const args[] = {command, "--config", fb_path_of("a.conf"), option, value, NULL};
    return fb_program_do(fb_folder(), "deploy.log", args);
}

static void expect_deployer_said(const char *text) {
    struct fb_program_run run = fb_program_done(fb_folder(), "deploy.log");
    expect_said(&run, text);
}

/* All rights to deploy but one. */
static void expect_deployer_denied(const struct app *app, size_t without, const char *right,
                                   const char *topic) {
    const struct fb_right rights[] = {
        {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC, app->rules, false},
        {RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC, app->rules, false},
        {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC, app->status, false},
        {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC, app->snapshot, false}};
    enum { RIGHTS = sizeof rights / sizeof *rights };
    struct fb_right given[RIGHTS];
    char wanted[256];
    size_t n = 0;
    for (size_t i = 0; i < RIGHTS; i++)
        if (i != without)
            given[n++] = rights[i];
    give_only(SCRAM_USER, given, n);
    int ended = deployer("deploy", "--rules", fb_path_of("a.rules"));
    snprintf(wanted, sizeof wanted, "Kafka denies this client %s on the topic '%s' (", right,
             topic);
    expect_deployer_said(wanted);
    assert_int_equal(ended, 2);
}

static void write_other_rules(const struct app *app, const char *name, const char *limit) {
    fb_write_text(fb_path_of(name),
                  "device meter from \"%s\" {\n  key id\n  time ts [ms]\n  temp: number [degC]\n}\n"
                  "alarm hot on meter {\n  raise high when temp > %s\n}\n",
                  app->input, limit);
}

/* With a snapshot, run by a user who may do everything; what comes next is done by another. */
static struct fb_program_run start_for_deployer(struct app *app) {
    *app = new_app(false);
    write_config(app, "kafka.bootstrap.servers = 127.0.0.1:$O\n");
    struct fb_program_run run = start("instance.id=a", ONCE);
    fb_program_await(&run, "worker 0 has 1 partition");
    const char *const told[] = {app->snapshot, app->status};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        struct fb_records got = fb_topic_await(fb_broker_address(node), told[i], false, 1);
        fb_records_free(&got);
    }
    write_config(app, by_scram);
    write_other_rules(app, "b.rules", "85 degC");
    write_other_rules(app, "c.rules", "95 degC");
    fb_access_take(fb_broker_address(node), SCRAM_USER);
    return run;
}

static void whoever_deploys_needs_what_is_documented(void **state) {
    (void)state;
    static const char *const block[] = {"rights to deploy", NULL};
    struct app app;
    struct fb_program_run run = start_for_deployer(&app);
    give_as_documented(&app, block, 5);
    assert_int_equal(deployer("deploy", "--rules", fb_path_of("b.rules")), 0);
    expect_deployer_said("in force in 1 of 1 partitions");
    assert_int_equal(deployer("deploy", "--rollback", NULL), 0); /* to what nobody had deployed */
    expect_deployer_said("in force in 1 of 1 partitions");
    assert_int_equal(deployer("plan", fb_path_of("c.rules"), NULL), 1);
    expect_deployer_said("reset    hot: raise high: another condition");
    expect_deployer_denied(&app, 0, "Read", app.rules);
    expect_deployer_denied(&app, 1, "Write", app.rules);
    expect_deployer_denied(&app, 2, "Read", app.status);
    fb_access_take(fb_broker_address(node), SCRAM_USER);
    give_as_documented(&app, block, 5);
    assert_int_equal(deployer("drain", "--wait", "60"), 0);
    assert_int_equal(fb_program_wait(&run), 0);
}

/* Nobody has deployed the rules of the start, so that what they are stands in snapshots only. */
static void a_first_deployment_without_the_snapshots_compares_with_nothing(void **state) {
    (void)state;
    struct app app;
    struct fb_program_run run = start_for_deployer(&app);
    const struct fb_right rights[] = {
        {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC, app.rules, false},
        {RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC, app.rules, false},
        {RD_KAFKA_ACL_OPERATION_CREATE, RD_KAFKA_RESOURCE_TOPIC, app.rules, false},
        {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC, app.status, false}};
    give_only(SCRAM_USER, rights, sizeof rights / sizeof *rights);
    assert_int_equal(deployer("deploy", "--rules", fb_path_of("b.rules")), 0);
    expect_deployer_said("in force in 1 of 1 partitions");
    expect_deployer_said("so there is nothing to compare with or to go back to: ");
    assert_int_equal(deployer("deploy", "--rollback", NULL), 1);
    expect_deployer_said("there is nothing to go back to");
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);
}

static void rights_that_are_taken_away_end_the_run(void **state) {
    (void)state;
    const char *const guarantees[] = {AT_LEAST_ONCE, ONCE};
    allow_transactions(SCRAM_USER);
    for (size_t i = 0; i < 2; i++) {
        struct app app = new_app(true);
        write_config(&app, by_scram);
        give_all_but(SCRAM_USER, &app, guarantees[i], ALL, false);
        struct fb_program_run run = start("topics.create=false", guarantees[i]);
        fb_program_await(&run, "worker 0 has 1 partition");
        fb_access_take(fb_broker_address(node), SCRAM_USER);
        assert_int_equal(fb_program_wait(&run), 3);
        expect_said(&run, "error: Kafka denies this client "); /* whatever it wanted next */
        assert_false(fb_program_said(&run, "on the topic ''"));
        assert_false(fb_program_said(&run, "on the group ''"));
    }
}

/* ---- transactions and history ---- */

/* What a worker opens, without the worker. */
struct ends {
    char id[80], journal[80], bootstrap[32], password[128], ca[512];
    const char *topics[1];
    int32_t partitions[1];
    struct fb_kafka_setting settings[6];
    struct fb_kafka_health health;
    atomic_bool stop;
    struct fb_kafka_txn_sink_config config;
};

static void make_ends(struct ends *ends, const struct app *app) {
    *ends = (struct ends){.partitions = {1}};
    snprintf(ends->id, sizeof ends->id, "%s-host-0", app->name);
    snprintf(ends->journal, sizeof ends->journal, "%s.journal", app->name);
    snprintf(ends->bootstrap, sizeof ends->bootstrap, "%s", of_node("127.0.0.1:$S"));
    snprintf(ends->ca, sizeof ends->ca, "%s", of_node("$T/ca.pem"));
    read_line("password", ends->password);
    ends->topics[0] = ends->journal;
    const struct fb_kafka_setting settings[] = {
        {"bootstrap.servers", ends->bootstrap}, {"security.protocol", "SASL_SSL"},
        {"sasl.mechanism", "SCRAM-SHA-512"},    {"sasl.username", "flyball"},
        {"sasl.password", ends->password},      {"ssl.ca.location", ends->ca}};
    memcpy(ends->settings, settings, sizeof settings);
    ends->config = (struct fb_kafka_txn_sink_config){.sink = {.settings = {ends->settings, 6},
                                                              .topics = ends->topics,
                                                              .partitions = ends->partitions,
                                                              .n_topics = 1,
                                                              .health = &ends->health},
                                                     .transactional_id = ends->id,
                                                     .stop = &ends->stop};
}

/* One record in a transaction of its own. */
static bool write_journal(struct ends *ends, struct fb_err *err) {
    struct fb_sink *sink = fb_kafka_txn_sink_open(&ends->config, err);
    if (!sink)
        return false;
    const struct fb_outgoing record = {.topic = ends->journal,
                                       .stamp_us = FB_NO_STAMP,
                                       .key = fb_str_of("k"),
                                       .value = fb_str_of("v")};
    assert_true(sink->calls->put(sink, &record, err));
    enum fb_commit end;
    while ((end = sink->calls->commit(sink, NULL, NULL, 0, 1000, err)) == FB_COMMIT_WAIT)
        continue;
    assert_true(end == FB_COMMITTED || end == FB_COMMIT_FAILED);
    sink->calls->close(sink);
    return end == FB_COMMITTED;
}

static bool read_journal(struct ends *ends, struct fb_err *err) {
    struct fb_record record;
    struct fb_history *history =
        fb_kafka_history_open(&ends->config.sink.settings, &ends->stop, err);
    assert_non_null(history);
    struct fb_reader *reader = history->calls->open(history, ends->journal, 0, 0, err);
    bool read = reader && reader->calls->next(reader, &record, err) == FB_READ_RECORD;
    if (reader)
        reader->calls->close(reader);
    history->calls->close(history);
    return read;
}

static void expect_err(const struct fb_err *err, const char *right, const char *kind,
                       const char *name) {
    char wanted[256];
    snprintf(wanted, sizeof wanted, "Kafka denies this client %s on the %s '%s' (", right, kind,
             name);
    assert_int_equal(err->kind, FB_FATAL);
    if (!strstr(err->text, wanted))
        fail_msg("\"%s\" is not \"%s\"", err->text, wanted);
}

static void transactions_and_the_journal_need_rights_too(void **state) {
    (void)state;
    struct app app = new_app(true);
    struct ends ends;
    struct fb_err err = {0};
    make_ends(&ends, &app);
    struct fb_right rights[] = {
        {RD_KAFKA_ACL_OPERATION_DESCRIBE, RD_KAFKA_RESOURCE_TOPIC, ends.journal, false},
        {RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC, ends.journal, false},
        {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC, ends.journal, false}};
    give_only(SCRAM_USER, rights, 1);
    static const struct app all = {.member = "app-"};
    acls("--remove", SCRAM_USER, &all);
    assert_false(write_journal(&ends, &err));
    expect_err(&err, "Write", "transactional id", ends.id);
    acls("--add", SCRAM_USER, &app);
    assert_false(write_journal(&ends, &err));
    expect_err(&err, "Write", "topic", ends.journal);
    give_only(SCRAM_USER, rights, 2);
    assert_true(write_journal(&ends, &err));
    struct fb_records seen =
        fb_topic_await(fb_broker_address(node), ends.journal, true, 1); /* its commit, too */
    fb_records_free(&seen);
    assert_false(read_journal(&ends, &err));
    expect_err(&err, "Read", "topic", ends.journal);
    fb_access_take(fb_broker_address(node), SCRAM_USER);
    assert_false(read_journal(&ends, &err));
    expect_err(&err, "Read", "topic", ends.journal);
    give_only(SCRAM_USER, rights, 3);
    assert_true(write_journal(&ends, &err));
    assert_true(read_journal(&ends, &err));
}

/* ---- who is let in ---- */

/* No line of the log or of the configuration's print holds the text. */
static void expect_unsaid(const struct fb_program_run *run, const char *secret) {
    char command[1024], line[1024];
    bool said = fb_program_said(run, secret), any = false;
    snprintf(command, sizeof command, "%s run --config %s --print-config 2>&1", FB_PROGRAM,
             fb_path_of("a.conf"));
    FILE *print = popen(command, "r");
    assert_non_null(print);
    while (fgets(line, sizeof line, print)) {
        said |= strstr(line, secret) != NULL;
        any |= strstr(line, "******") != NULL;
    }
    assert_int_equal(pclose(print), 0);
    assert_true(any);
    assert_false(said);
}

static void a_password_leads_from_topic_to_topic(void **state) {
    (void)state;
    char password[128];
    struct app app = new_app(true);
    write_config(&app, by_scram);
    allow_transactions(SCRAM_USER);
    give_all_but(SCRAM_USER, &app, ONCE, ALL, false);
    struct fb_program_run run = start("topics.create=false", ONCE);
    expect_outputs(&app, &run);
    fb_write_text(fb_path_of("a.conf"), "application.id = %s\nlog.level = debug\n%s", app.name,
                  of_node(by_scram));
    read_line("password", password);
    run = start("kafka.debug=all", ONCE);
    fb_program_await(&run, "worker 0 has 1 partition");
    fb_program_signal(&run, SIGTERM);
    fb_program_wait(&run);
    expect_said(&run, "debug kafka client: ");
    expect_unsaid(&run, password);
}

static void a_certificate_leads_from_topic_to_topic(void **state) {
    (void)state;
    const char *const ways[] = {by_certificate, by_certificate_as_text};
    allow_transactions(MTLS_USER);
    for (size_t i = 0; i < 2; i++) {
        struct app app = new_app(true);
        write_config(&app, ways[i]);
        give_all_but(MTLS_USER, &app, ONCE, ALL, false);
        struct fb_program_run run = start("topics.create=false", ONCE);
        expect_outputs(&app, &run);
        if (ways[i] == by_certificate_as_text)
            expect_unsaid(&run, "PRIVATE KEY");
    }
}

static const char *const untrusted = "the broker's certificate is not trusted: "
                                     "kafka.ssl.ca.location must name the certificate of the "
                                     "authority";

/* Status 2: the configuration is wrong; 3: it may be, or the broker is not ready yet. */
static const struct refusal {
    const char *settings, *change;
    const char *says;
    int status;
} refusals[] = {
    {by_scram, "kafka.sasl.password=${FB_TEST_WRONG}",
     "Kafka refuses the login: check kafka.sasl.username and kafka.sasl.password", 2},
    {by_scram, "kafka.sasl.username=nobody", "Kafka refuses the login: check", 2},
    {by_scram, "kafka.sasl.mechanism=SCRAM-SHA-256",
     "set kafka.sasl.mechanism to one that the broker has", 2},
    {by_scram, "kafka.ssl.ca.location=$T/strangers.pem", untrusted, 2},
    {by_certificate, "kafka.ssl.ca.location=$T/strangers.pem", untrusted, 2},
    {by_scram, "kafka.bootstrap.servers=localhost:$S", untrusted, 2},
    {without_certificate, "workers=1", "Kafka wants a certificate of this client", 2},
    {by_another_s, "workers=1", "Kafka does not take this client's certificate", 2},
    {by_certificate, "kafka.ssl.key.location=$T/stranger.key", "key values mismatch", 2},
    {without_certificate, "kafka.ssl.keystore.location=$T/none", "No such file or directory", 2},
    {by_scram, "kafka.security.protocol=PLAINTEXT", "this port may want TLS", 3},
    {by_scram, "kafka.security.protocol=SSL", "this port may want a login", 3},
    {by_scram, "kafka.bootstrap.servers=127.0.0.1:$O", "check that this port expects TLS", 3},
    {by_scram, "kafka.enable.ssl.certificate.verification=0", "must be verified", 2},
    {by_scram, "kafka.ssl.endpoint.identification.algorithm=none", "must be verified", 2},
};
enum { REFUSALS = sizeof refusals / sizeof *refusals };

static void who_is_not_let_in_is_told_why(void **state) {
    (void)state;
    struct app app = new_app(true);
    struct fb_program_run runs[REFUSALS];
    setenv("FB_TEST_WRONG", "a-wrong-password", 1);
    for (int i = 0; i < REFUSALS; i++) { /* together: some take ten seconds to give up */
        char config[64], log[64], setting[512];
        snprintf(config, sizeof config, "%d.conf", i);
        snprintf(log, sizeof log, "%d.log", i);
        fb_write_text(fb_path_of(config), "application.id = %s\ninstance.id = %d\n%s", app.name, i,
                      of_node(refusals[i].settings));
        snprintf(setting, sizeof setting, "%s", of_node(refusals[i].change));
        const char *const args[] = {
            "run",   "--rules", fb_path_of("a.rules"), "--config", fb_path_of(config), "-X",
            setting, NULL};
        runs[i] = fb_program_start(fb_folder(), log, args);
    }
    for (int i = 0; i < REFUSALS; i++) {
        int status = fb_program_wait(&runs[i]);
        expect_said(&runs[i], refusals[i].says);
        assert_false(fb_program_said(&runs[i], "a-wrong-password"));
        assert_int_equal(status, refusals[i].status);
    }
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_right_that_is_missing_is_named),
        cmocka_unit_test(each_right_of_exactly_once_that_is_missing_is_named),
        cmocka_unit_test(transactions_that_are_not_allowed_are_named),
        cmocka_unit_test(having_no_output_to_write_is_an_end),
        cmocka_unit_test(missing_outputs_need_the_right_to_create_them),
        cmocka_unit_test(the_documented_commands_give_what_is_needed),
        cmocka_unit_test(whoever_deploys_needs_what_is_documented),
        cmocka_unit_test(a_first_deployment_without_the_snapshots_compares_with_nothing),
        cmocka_unit_test(rights_that_are_taken_away_end_the_run),
        cmocka_unit_test(transactions_and_the_journal_need_rights_too),
        cmocka_unit_test(a_password_leads_from_topic_to_topic),
        cmocka_unit_test(a_certificate_leads_from_topic_to_topic),
        cmocka_unit_test(who_is_not_let_in_is_told_why),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
