/* Transactions that a test begins and ends by hand, where it needs one that is open or aborted.
 *
 * Place in the flow: tests only, beside the engine's own sink. What fails ends the test. */
#ifndef FB_TESTS_KAFKA_TRANSACTION_H
#define FB_TESTS_KAFKA_TRANSACTION_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/* Records `from` .. `to`-1, with their numbers as keys and values, in an open transaction; the
 * caller ends it, which frees the producer too. */
rd_kafka_t *fb_transaction_begin(const char *address, const char *id, const char *topic,
                                 int32_t partition, int from, int to);
void fb_transaction_end(rd_kafka_t *rk, bool commits);
/* Both, in partition 0. */
void fb_transact(const char *address, const char *topic, int from, int to, bool commits);

#endif
