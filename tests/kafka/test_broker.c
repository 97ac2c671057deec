/* The tools of the other tests with a real broker: what they read is what was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kafka/broker.h"
#include "tests/kafka/topic.h"

static void reads_back_what_was_put(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char topic[64];
    fb_topic_name(topic, "put");
    fb_topic_create(address, topic, 3, NULL);
    assert_int_equal(fb_topic_end(address, topic, 2, true), 0);

    struct fb_topic_header headers[] = {{(char[]){"ce_id"}, (char[]){"x\0y"}, 3}};
    fb_topic_put(address, topic, 2, 1700000000123, "k", "{}", headers, 1);
    fb_topic_put(address, topic, 0, 0, NULL, "text", NULL, 0);
    fb_topic_put(address, topic, 2, 0, "k", NULL, NULL, 0);

    struct fb_records got = fb_topic_read(address, topic, true);
    assert_int_equal(got.n, 3);
    assert_int_equal(got.v[0].partition, 0);
    assert_null(got.v[0].key);
    assert_string_equal(got.v[0].value, "text");
    assert_true(got.v[0].stamp_ms > 1700000000123);
    assert_int_equal(got.v[1].partition, 2);
    assert_int_equal(got.v[1].offset, 0);
    assert_int_equal(got.v[1].stamp_ms, 1700000000123);
    assert_string_equal(got.v[1].key, "k");
    assert_int_equal(got.v[1].headers_n, 1);
    assert_int_equal(got.v[1].headers[0].value_n, 3);
    assert_memory_equal(fb_record_header(&got.v[1], "ce_id"), "x\0y", 4);
    assert_null(fb_record_header(&got.v[1], "ce_i"));
    assert_int_equal(got.v[2].offset, 1);
    assert_null(got.v[2].value);
    assert_int_equal(fb_topic_end(address, topic, 2, true), 2);
    fb_records_free(&got);
}

static void files_keep_their_order_per_key(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char topic[64], path[] = "/tmp/fb-lines-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    enum { LINES = 3000, KEYS = 10 };
    for (int i = 0; i < LINES; i++)
        fprintf(file, "{\"device\": \"d%d\", \"n\": %d}\n", i % KEYS, i);
    fputs("{\"n\":1}", file); /* no key, and no end of line */
    fclose(file);
    fb_topic_name(topic, "file");
    fb_topic_create(address, topic, 4, NULL);
    assert_int_equal(fb_topic_put_file(address, topic, path, "device"), LINES + 1);
    unlink(path);

    struct fb_records got = fb_topic_await(address, topic, false, LINES + 1);
    assert_int_equal(got.n, LINES + 1);
    int last[KEYS], used[4] = {0}, keyless = 0;
    for (int i = 0; i < KEYS; i++)
        last[i] = i - KEYS;
    for (size_t i = 0; i < got.n; i++) {
        int key, n;
        used[got.v[i].partition] = 1;
        if (!got.v[i].key) {
            keyless++;
            continue;
        }
        assert_int_equal(sscanf(got.v[i].key, "d%d", &key), 1);
        assert_int_equal(sscanf(strstr(got.v[i].value, "\"n\""), "\"n\": %d}", &n), 1);
        assert_int_equal(n, last[key] + KEYS);
        last[key] = n;
    }
    assert_int_equal(keyless, 1);
    assert_true(used[0] + used[1] + used[2] + used[3] > 1);
    fb_records_free(&got);
}

/* One record in a transaction that stays open until it is committed or aborted. */
static rd_kafka_t *transaction(const char *address, const char *topic, const char *value) {
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", address, text, sizeof text);
    rd_kafka_conf_set(conf, "transactional.id", topic, text, sizeof text);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(rk);
    assert_null(rd_kafka_init_transactions(rk, 60000));
    assert_null(rd_kafka_begin_transaction(rk));
    assert_int_equal(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                       RD_KAFKA_V_VALUE((char *)value, strlen(value)),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                     0);
    assert_int_equal(rd_kafka_flush(rk, 60000), 0);
    return rk;
}

static void committed_readers_see_no_open_or_aborted_transaction(void **state) {
    (void)state;
    const char *address = fb_broker_shared();
    char topic[64];
    fb_topic_name(topic, "transaction");
    fb_topic_create(address, topic, 1, NULL);
    rd_kafka_t *rk = transaction(address, topic, "aborted");
    struct fb_records got = fb_topic_read(address, topic, true);
    assert_int_equal(got.n, 0);
    assert_int_equal(fb_topic_end(address, topic, 0, true), 0);
    assert_int_equal(fb_topic_end(address, topic, 0, false), 1);
    assert_null(rd_kafka_abort_transaction(rk, 60000));
    rd_kafka_destroy(rk);

    rk = transaction(address, topic, "committed");
    assert_null(rd_kafka_commit_transaction(rk, 60000));
    rd_kafka_destroy(rk);
    got = fb_topic_await(address, topic, true, 1);
    assert_int_equal(got.n, 1);
    assert_string_equal(got.v[0].value, "committed");
    fb_records_free(&got);
    got = fb_topic_read(address, topic, false);
    assert_int_equal(got.n, 2);
    fb_records_free(&got);
}

static void own_broker_keeps_its_records_over_stop_and_kill(void **state) {
    (void)state;
    struct fb_broker *broker = fb_broker_start();
    const char *address = fb_broker_address(broker);
    static const char *const compacted[] = {"cleanup.policy", "compact", NULL};
    fb_topic_create(address, "t", 1, compacted);
    fb_topic_put(address, "t", 0, 0, "k", "1", NULL, 0);
    assert_int_equal(fb_group_offset(address, "nobody", "t", 0), -1);
    fb_broker_stop(broker);
    fb_broker_restart(broker);
    fb_topic_put(address, "t", 0, 0, "k", "2", NULL, 0);
    fb_broker_kill(broker);
    fb_broker_restart(broker);
    struct fb_records got = fb_topic_read(address, "t", true);
    assert_int_equal(got.n, 2);
    assert_string_equal(got.v[1].value, "2");
    fb_records_free(&got);
    fb_broker_free(broker);
}

static bool listens(int port) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    bool connected = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return connected;
}

/* A test that is killed must not leave a node behind. */
static void own_broker_ends_with_the_process_that_started_it(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        const char *address = fb_broker_address(fb_broker_start());
        if (write(ends[1], address, strlen(address)) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    char address[64] = "";
    assert_true(read(ends[0], address, sizeof address - 1) > 0);
    close(ends[0]);
    close(ends[1]);
    int port = atoi(strchr(address, ':') + 1);
    assert_true(listens(port));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (int i = 0; listens(port); i++) {
        assert_true(i < 600);
        usleep(100000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_broker_ends_with_the_process_that_started_it),
        cmocka_unit_test(reads_back_what_was_put),
        cmocka_unit_test(files_keep_their_order_per_key),
        cmocka_unit_test(committed_readers_see_no_open_or_aborted_transaction),
        cmocka_unit_test(own_broker_keeps_its_records_over_stop_and_kill),
    };
    return cmocka_run_group_tests_name("broker", tests, NULL, NULL);
}
