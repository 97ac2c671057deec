/* `flyball run` with a broker that asks who it is and decides what it may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kafka/access.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/program.h"
#include "tests/kafka/topic.h"

#define SCRAM_USER "User:flyball"

static char folder[] = "/tmp/fb-test-security-XXXXXX";
static struct fb_broker *node;

static const char *const rules = "device meter from \"%s\" {\n"
                                 "  key id\n"
                                 "  time arrival\n"
                                 "  temp: number [degC]\n"
                                 "}\n"
                                 "alarm hot on meter {\n"
                                 "  raise high when temp > 80 degC until temp < 70 degC\n"
                                 "}\n";

static int set_up(void **state) {
    (void)state;
    node = fb_broker_start_secure();
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    fb_broker_free(node);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static char *path_of(const char *name) {
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
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

/* ---- an application of its own for every test ---- */

struct app {
    char input[64], name[64], alerts[80], late[80], dead[80];
};

static struct app new_app(void) {
    struct app app;
    const char *address = fb_broker_address(node);
    fb_topic_name(app.input, "events");
    fb_topic_name(app.name, "app");
    snprintf(app.alerts, sizeof app.alerts, "%s.alerts", app.name);
    snprintf(app.late, sizeof app.late, "%s.late", app.name);
    snprintf(app.dead, sizeof app.dead, "%s.dead", app.name);
    fb_topic_create(address, app.input, 1, NULL);
    fb_topic_create(address, app.alerts, 1, NULL);
    fb_topic_create(address, app.late, 1, NULL);
    fb_topic_create(address, app.dead, 1, NULL);
    fb_topic_put(address, app.input, 0, 0, "x", "{\"id\":\"x\",\"temp\":90}", NULL, 0);
    write_text(path_of("a.rules"), rules, app.input);
    return app;
}

/* Its configuration for the SCRAM listener. */
static void write_config(const struct app *app) {
    write_text(path_of("a.conf"),
               "application.id = %s\n"
               "workers = 1\n"
               "start.from = earliest\n"
               "topics.create = false\n"
               "kafka.bootstrap.servers = 127.0.0.1:%d\n"
               "kafka.security.protocol = SASL_SSL\n"
               "kafka.sasl.mechanism = SCRAM-SHA-512\n"
               "kafka.sasl.username = flyball\n"
               "kafka.sasl.password = @%s/password\n"
               "kafka.ssl.ca.location = %s/ca.pem\n",
               app->name, fb_broker_scram_port(node), fb_broker_tls(node), fb_broker_tls(node));
}

static struct fb_program_run start(void) {
    const char *const args[] = {"run",      "--rules",         path_of("a.rules"),
                                "--config", path_of("a.conf"), NULL};
    return fb_program_start(folder, "a.log", args);
}

/* ---- rights ---- */

/* What docs/KAFKA.md lists for `topics.create = false`. */
struct need {
    const char *about; /* which resource, by the name of its place in struct app */
    rd_kafka_AclOperation_t operation;
    rd_kafka_ResourceType_t kind;
    size_t name; /* where its name stands in struct app */
};

static const struct need needs[] = {
    {"input", RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_TOPIC, offsetof(struct app, input)},
    {"alerts", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC, offsetof(struct app, alerts)},
    {"late", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC, offsetof(struct app, late)},
    {"dead", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_RESOURCE_TOPIC, offsetof(struct app, dead)},
    {"group", RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_RESOURCE_GROUP, offsetof(struct app, name)},
};
enum { NEEDS = sizeof needs / sizeof *needs };

/* All rights but one (-1: all); of that one's resource only its description, or nothing. */
static void give_all_but(const struct app *app, int without, bool described) {
    struct fb_right rights[NEEDS];
    size_t n = 0;
    for (int i = 0; i < NEEDS; i++) {
        rights[n] = (struct fb_right){needs[i].operation, needs[i].kind,
                                      (const char *)app + needs[i].name, false};
        if (i == without)
            rights[n].operation = RD_KAFKA_ACL_OPERATION_DESCRIBE;
        n += i != without || described;
    }
    fb_access_take(fb_broker_address(node), SCRAM_USER);
    fb_access_give(fb_broker_address(node), SCRAM_USER, rights, n);
}

static void refused_for(const char *right, const char *kind, const char *name, int status) {
    char wanted[256];
    struct fb_program_run run = start();
    snprintf(wanted, sizeof wanted, "Kafka denies this client %s on the %s '%s'", right, kind,
             name);
    assert_int_equal(fb_program_wait(&run), status);
    if (!fb_program_said(&run, wanted) || !fb_program_said(&run, "docs/KAFKA.md"))
        fail_msg("the log does not say \"%s\"", wanted);
}

static void an_input_topic_that_may_not_be_read_is_named(void **state) {
    (void)state;
    struct app app = new_app();
    write_config(&app);
    give_all_but(&app, 0, false);
    refused_for("Read", "topic", app.input, 2);
    give_all_but(&app, 0, true);
    refused_for("Read", "topic", app.input, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_input_topic_that_may_not_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
