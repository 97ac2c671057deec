/* Rights on a secured node (fb_broker_start_secure): given and taken by its open listener.
 *
 * Of topics and groups only: the library knows no transactional ids; tools/kafka.sh acls does.
 *
 * Place in the flow: tests only. What fails ends the test program with a message. */
#ifndef FB_TESTS_KAFKA_ACCESS_H
#define FB_TESTS_KAFKA_ACCESS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

struct fb_right {
    rd_kafka_AclOperation_t operation;
    rd_kafka_ResourceType_t kind;
    const char *name;
    bool prefix; /* of all resources whose name begins so */
};

/* Allows a user ("User:NAME") these; they hold when it returns. At most 16. */
void fb_access_give(const char *address, const char *user, const struct fb_right *rights, size_t n);
/* Waits until a user has n rights, whoever has given them. */
void fb_access_await(const char *address, const char *user, size_t n);
/* Takes all of a user's rights away; none holds when it returns. */
void fb_access_take(const char *address, const char *user);

#endif
