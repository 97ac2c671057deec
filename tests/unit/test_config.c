/* The configuration: what is taken, what is refused and how that is said. */
#include "engine/run/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/fb-test-config-XXXXXX";
static char path[64], secret_path[64];
static struct fb_config *config;
static struct fb_buf errors, printed;

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/fb.properties", folder);
    snprintf(secret_path, sizeof secret_path, "%s/secret", folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fb_config_free(config);
    fb_buf_free(&errors);
    fb_buf_free(&printed);
    unlink(path);
    unlink(secret_path);
    return rmdir(folder);
}

static void write_file(const char *name, const char *text) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Reads a file of this text and finishes; what was wrong, without the folder's name. */
static const char *load(const char *text, const char *option) {
    fb_config_free(config);
    config = fb_config_new();
    errors.n = 0;
    write_file(path, text);
    bool ok = fb_config_read(config, path, &errors);
    if (option)
        ok &= fb_config_set(config, option, &errors);
    ok = ok && fb_config_finish(config, &errors);
    assert_int_equal(ok, errors.n == 0);
    static char said[4096];
    size_t n = 0;
    fb_buf_terminated(&errors);
    for (const char *p = errors.p; *p && n < sizeof said - 1;) {
        if (strncmp(p, folder, strlen(folder)) == 0)
            p += strlen(folder) + 1;
        else
            said[n++] = *p++;
    }
    said[n] = '\0';
    return said;
}

static void every_key_has_a_default(void **state) {
    (void)state;
    assert_string_equal(load("", NULL), "");
    assert_string_equal(fb_config_text(config, FB_KEY_TOPICS_ALERTS), "flyball.alerts");
    assert_int_equal(fb_config_number(config, FB_KEY_COMMIT_INTERVAL_MS), 100);
    assert_true(fb_config_bool(config, FB_KEY_TOPICS_CREATE));
    assert_true(fb_config_is(config, FB_KEY_START_FROM, "latest"));
    assert_true(fb_config_number(config, FB_KEY_WORKERS) >= 1);
    assert_true(fb_config_text(config, FB_KEY_INSTANCE_ID)[0] != '\0');
}

static void options_override_the_file(void **state) {
    (void)state;
    assert_string_equal(
        load("# a comment\n\n application.id=plant \ntopics.late = x\r\n", "application.id = mill"),
        "");
    assert_string_equal(fb_config_text(config, FB_KEY_APPLICATION_ID), "mill");
    assert_string_equal(fb_config_text(config, FB_KEY_TOPICS_DEAD), "mill.dead");
    assert_string_equal(fb_config_text(config, FB_KEY_TOPICS_LATE), "x");
}

static void an_unknown_key_has_a_suggestion(void **state) {
    (void)state;
    assert_string_equal(load("\nworker = 2\n", NULL),
                        "fb.properties:2: error: unknown key 'worker'\n"
                        "help: did you mean 'workers'?\n");
    assert_string_equal(load("", "aplication.id=x"), "-X: error: unknown key 'aplication.id'\n"
                                                     "help: did you mean 'application.id'?\n");
    assert_non_null(strstr(load("zzzzzzzzzz = 2\n", NULL), "docs/CONFIGURATION.md"));
}

static void all_mistakes_are_shown_at_once(void **state) {
    (void)state;
    assert_string_equal(load("worker = 2\nnonsense\nworkers = 1\nworkers = 2\n", NULL),
                        "fb.properties:1: error: unknown key 'worker'\n"
                        "help: did you mean 'workers'?\n"
                        "fb.properties:2: error: 'nonsense' is not of the form key = value\n"
                        "fb.properties:4: error: 'workers' is set twice in this file\n");
    assert_string_equal(
        load("workers = 0\nstart.from = now\ntopics.create = yes\napplication.id = a b\n", NULL),
        "fb.properties:4: error: 'application.id' must be 1 to 200 letters, digits, '.', '_' or "
        "'-', not 'a b'\n"
        "fb.properties:1: error: 'workers' must be a whole number in 1..256, not '0'\n"
        "fb.properties:2: error: 'start.from' must be one of latest|earliest, not 'now'\n"
        "fb.properties:3: error: 'topics.create' must be true or false, not 'yes'\n");
}

static void outputs_need_topics_of_their_own(void **state) {
    (void)state;
    assert_string_equal(load("topics.alerts = x\ntopics.dead = x\n", NULL),
                        "fb.properties:2: error: 'topics.alerts' and 'topics.dead' are the same "
                        "topic, 'x'\n");
}

static void other_topics_of_commands_are_a_list(void **state) {
    (void)state;
    assert_string_equal(load("", NULL), "");
    assert_int_equal(fb_config_n_also(config), 0);
    assert_string_equal(load("topics.commands.also =\n", NULL), "");
    assert_int_equal(fb_config_n_also(config), 0);
    assert_string_equal(load("topics.commands.also = plant.valves , plant.pumps,x\n", NULL), "");
    assert_int_equal(fb_config_n_also(config), 3);
    assert_string_equal(fb_config_also_at(config, 0), "plant.valves");
    assert_string_equal(fb_config_also_at(config, 1), "plant.pumps");
    assert_true(fb_config_also(config, FB_S("x")));
    assert_false(fb_config_also(config, FB_S("plant")));
    assert_string_equal(fb_config_own_topic(config, FB_S("plant.pumps")), "topics.commands.also");
    assert_null(fb_config_own_topic(config, FB_S("y")));
    assert_string_equal(
        load("", "topics.commands.also=a1,a2,a3,a4,a5,a6,a7,a8,b1,b2,b3,b4,b5,b6,b7,b8"), "");
    assert_int_equal(fb_config_n_also(config), FB_COMMANDED_MAX);
}

static void a_list_of_topics_is_checked(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"x,,y", "-X: error: 'topics.commands.also' must be topics with commas between, and '' is "
                 "not 1 to 249 letters, digits, '.', '_' or '-'\n"},
        {"x, a b", "-X: error: 'topics.commands.also' must be topics with commas between, and 'a "
                   "b' is not 1 to 249 letters, digits, '.', '_' or '-'\n"},
        {"a1,a2,a3,a4,a5,a6,a7,a8,b1,b2,b3,b4,b5,b6,b7,b8,c",
         "-X: error: 'topics.commands.also' names more than 16 topics\n"},
        {"x, y, x", "-X: error: 'topics.commands.also' names the topic 'x' twice\n"},
        {"flyball.commands", "-X: error: 'topics.commands' and 'topics.commands.also' name the "
                             "same topic, 'flyball.commands'\n"},
        {"x, flyball.rules", "-X: error: 'topics.rules' and 'topics.commands.also' name the same "
                             "topic, 'flyball.rules'\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char option[200];
        snprintf(option, sizeof option, "topics.commands.also=%s", rows[i][0]);
        assert_string_equal(load("", option), rows[i][1]);
    }
}

static void references_are_resolved(void **state) {
    (void)state;
    setenv("FB_TEST_NAME", "mill", 1);
    write_file(secret_path, "hush\n");
    assert_string_equal(load("application.id = the-${FB_TEST_NAME}-x\n"
                             "kafka.sasl.password = @secret\n",
                             NULL),
                        "");
    assert_string_equal(fb_config_text(config, FB_KEY_APPLICATION_ID), "the-mill-x");
    const char *name, *value;
    assert_int_equal(fb_config_n_kafka(config), 1);
    fb_config_kafka(config, 0, &name, &value);
    assert_string_equal(name, "sasl.password");
    assert_string_equal(value, "hush");
    unsetenv("FB_TEST_NAME");
}

static void what_cannot_be_resolved_stops_the_start(void **state) {
    (void)state;
    assert_string_equal(load("instance.id = ${FB_TEST_NONE}\n", NULL),
                        "fb.properties:1: error: 'instance.id' needs the environment variable "
                        "'FB_TEST_NONE': it is not set\n");
    assert_non_null(strstr(load("instance.id = @none\n", NULL), "No such file"));
    assert_non_null(strstr(load("instance.id = ${X\n", NULL), "'${' without '}'"));
}

static void secrets_are_neither_taken_nor_shown_in_plain_text(void **state) {
    (void)state;
    assert_string_equal(load("kafka.ssl.key.password = hush\n", NULL),
                        "fb.properties:1: error: 'kafka.ssl.key.password' is a secret and stands "
                        "here in plain text\nhelp: write kafka.ssl.key.password = ${VARIABLE} or "
                        "kafka.ssl.key.password = @FILE\n");
    setenv("FB_TEST_SECRET", "hush", 1);
    assert_string_equal(load("kafka.ssl.key.password = ${FB_TEST_SECRET}\n", NULL), "");
    unsetenv("FB_TEST_SECRET");
    printed.n = 0;
    fb_config_print(config, &printed);
    assert_null(strstr(fb_buf_terminated(&printed), "hush"));
    assert_non_null(strstr(printed.p, "kafka.ssl.key.password = ******"));
    assert_string_equal(load("kafka.ssl.key.password: hush\n", NULL),
                        "fb.properties:1: error: 'kafka.ssl.key.password ..' is not of the form "
                        "key = value\n");
}

static void values_of_several_lines_are_printed_as_one(void **state) {
    (void)state;
    write_file(secret_path, "one\ntwo\n");
    assert_string_equal(load("kafka.client.id = @secret\n", NULL), "");
    printed.n = 0;
    fb_config_print(config, &printed);
    assert_non_null(strstr(fb_buf_terminated(&printed), "kafka.client.id = one ..    # "));
    assert_null(strstr(printed.p, "two"));
}

static void the_client_s_properties_are_checked(void **state) {
    (void)state;
    assert_string_equal(load("kafka.bootstrap.server = a:1\n", NULL),
                        "fb.properties:1: error: the Kafka client has no property "
                        "'bootstrap.server'; did you mean 'kafka.bootstrap.servers'?\n");
    assert_non_null(strstr(load("kafka.session.timeout.ms = soon\n", NULL),
                           "'kafka.session.timeout.ms' does not take 'soon'"));
    static const char *const refused[] = {"plugin.library.paths",
                                          "sasl.kerberos.kinit.cmd",
                                          "ssl.engine.location",
                                          "enable.auto.commit",
                                          "group.id",
                                          "isolation.level",
                                          "acks",
                                          "enable.idempotence",
                                          "transactional.id"};
    char line[128], expected[128];
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        snprintf(line, sizeof line, "kafka.%s = 1\n", refused[i]);
        snprintf(expected, sizeof expected, "'kafka.%s' cannot be set: ", refused[i]);
        assert_non_null(strstr(load(line, NULL), expected));
    }
    assert_non_null(strstr(load("kafka.ssl.ca.location = /nowhere/ca.pem\n", NULL),
                           "'kafka.ssl.ca.location': cannot read '/nowhere/ca.pem': No such file"));
    assert_string_equal(load("kafka.ssl.ca.location = probe\n", NULL), "");
}

static void certificates_are_verified_whatever_the_words(void **state) {
    (void)state;
    static const char *const off[] = {"enable.ssl.certificate.verification = false",
                                      "enable.ssl.certificate.verification = False",
                                      "enable.ssl.certificate.verification = f",
                                      "enable.ssl.certificate.verification = 0",
                                      "ssl.endpoint.identification.algorithm = none",
                                      "ssl.endpoint.identification.algorithm = NONE"};
    static const char *const on[] = {"enable.ssl.certificate.verification = true",
                                     "enable.ssl.certificate.verification = 1",
                                     "ssl.endpoint.identification.algorithm = https"};
    char line[128];
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        snprintf(line, sizeof line, "kafka.%s\n", off[i]);
        assert_non_null(strstr(load(line, NULL), "certificate must be verified"));
    }
    for (size_t i = 0; i < sizeof on / sizeof *on; i++) {
        snprintf(line, sizeof line, "kafka.%s\n", on[i]);
        assert_string_equal(load(line, NULL), "");
    }
}

static void the_print_says_where_each_value_comes_from(void **state) {
    (void)state;
    load("workers = 3\nkafka.bootstrap.servers = a:1\n", "max.age.ms=5");
    printed.n = 0;
    fb_config_print(config, &printed);
    char expected[128];
    snprintf(expected, sizeof expected, "workers = 3    # %s:1\n", path);
    assert_non_null(strstr(fb_buf_terminated(&printed), expected));
    assert_non_null(strstr(printed.p, "max.age.ms = 5    # -X\n"));
    assert_non_null(strstr(printed.p, "log.level = info    # default\n"));
    assert_non_null(strstr(printed.p, "kafka.bootstrap.servers = a:1    # "));
}

/* The page is made by `flyball run --print-reference > docs/CONFIGURATION.md`. */
static void the_reference_page_is_up_to_date(void **state) {
    (void)state;
    FILE *file = fopen(FB_PROJECT_DIR "/docs/CONFIGURATION.md", "r");
    assert_non_null(file);
    static char page[1 << 16];
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    printed.n = 0;
    fb_config_reference(&printed);
    assert_string_equal(page, fb_buf_terminated(&printed));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_has_a_default),
        cmocka_unit_test(options_override_the_file),
        cmocka_unit_test(an_unknown_key_has_a_suggestion),
        cmocka_unit_test(all_mistakes_are_shown_at_once),
        cmocka_unit_test(outputs_need_topics_of_their_own),
        cmocka_unit_test(other_topics_of_commands_are_a_list),
        cmocka_unit_test(a_list_of_topics_is_checked),
        cmocka_unit_test(references_are_resolved),
        cmocka_unit_test(what_cannot_be_resolved_stops_the_start),
        cmocka_unit_test(secrets_are_neither_taken_nor_shown_in_plain_text),
        cmocka_unit_test(values_of_several_lines_are_printed_as_one),
        cmocka_unit_test(certificates_are_verified_whatever_the_words),
        cmocka_unit_test(the_client_s_properties_are_checked),
        cmocka_unit_test(the_print_says_where_each_value_comes_from),
        cmocka_unit_test(the_reference_page_is_up_to_date),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
