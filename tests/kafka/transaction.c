/* Transactions that a test begins and ends by hand. */
#include "tests/kafka/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

rd_kafka_t *fb_transaction_begin(const char *address, const char *id, const char *topic,
                                 int32_t partition, int from, int to) {
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", address, text, sizeof text);
    rd_kafka_conf_set(conf, "transactional.id", id, text, sizeof text);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(rk);
    assert_null(rd_kafka_init_transactions(rk, 60000));
    assert_null(rd_kafka_begin_transaction(rk));
    for (int i = from; i < to; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(
            rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                              RD_KAFKA_V_KEY(text, strlen(text)),
                              RD_KAFKA_V_VALUE(text, strlen(text)),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
            0);
    }
    assert_int_equal(rd_kafka_flush(rk, 60000), 0);
    return rk;
}

void fb_transaction_end(rd_kafka_t *rk, bool commits) {
    assert_null(commits ? rd_kafka_commit_transaction(rk, 60000)
                        : rd_kafka_abort_transaction(rk, 60000));
    rd_kafka_destroy(rk);
}

void fb_transact(const char *address, const char *topic, int from, int to, bool commits) {
    fb_transaction_end(fb_transaction_begin(address, topic, topic, 0, from, to), commits);
}
