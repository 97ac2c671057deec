#include "tests/kafka/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RIGHTS_MAX = 16, ANSWER_MS = 30000, TRIES = 3000, POLL_US = 10000 };

static _Noreturn void die(const char *what) {
    fprintf(stderr, "access: %s\n", what);
    abort();
}

static rd_kafka_t *client(const char *address) {
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", address, why, sizeof why))
        die(why);
    rd_kafka_t *made = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!made)
        die(why);
    return made;
}

/* The answer to an admin call, which the caller destroys. */
static rd_kafka_event_t *answer(rd_kafka_queue_t *queue) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ANSWER_MS);
    rd_kafka_queue_destroy(queue);
    if (!event)
        die("no answer");
    if (rd_kafka_event_error(event))
        die(rd_kafka_event_error_string(event));
    return event;
}

static const rd_kafka_ResourceType_t kinds[] = {RD_KAFKA_RESOURCE_TOPIC, RD_KAFKA_RESOURCE_GROUP};
enum { KINDS = sizeof kinds / sizeof *kinds };

static rd_kafka_AclBindingFilter_t *all_of(const char *user, rd_kafka_ResourceType_t kind) {
    char why[256];
    rd_kafka_AclBindingFilter_t *filter = rd_kafka_AclBindingFilter_new(
        kind, NULL, RD_KAFKA_RESOURCE_PATTERN_ANY, user, NULL,
        RD_KAFKA_ACL_OPERATION_ANY, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, why, sizeof why);
    if (!filter)
        die(why);
    return filter;
}

static size_t count(rd_kafka_t *rk, const char *user, rd_kafka_ResourceType_t kind) {
    size_t n;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AclBindingFilter_t *filter = all_of(user, kind);
    rd_kafka_DescribeAcls(rk, filter, NULL, queue);
    rd_kafka_AclBinding_destroy(filter);
    rd_kafka_event_t *event = answer(queue);
    rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event), &n);
    rd_kafka_event_destroy(event);
    return n;
}

/* The controller takes rights; the broker, which decides and answers here, has them a moment
 * later. */
static void await_rights(rd_kafka_t *rk, const char *user, size_t wanted) {
    size_t n = wanted + 1;
    for (int tries = 0; n != wanted; tries++) {
        if (tries == TRIES)
            die("the broker does not learn the rights");
        if (tries > 0)
            usleep(POLL_US);
        n = 0;
        for (int i = 0; i < KINDS; i++)
            n += count(rk, user, kinds[i]);
    }
}

void fb_access_give(const char *address, const char *user, const struct fb_right *rights,
                    size_t n) {
    rd_kafka_t *rk = client(address);
    rd_kafka_AclBinding_t *bindings[RIGHTS_MAX];
    char why[256];
    if (n > RIGHTS_MAX)
        die("too many rights");
    for (size_t i = 0; i < n; i++) {
        bindings[i] = rd_kafka_AclBinding_new(
            rights[i].kind, rights[i].name,
            rights[i].prefix ? RD_KAFKA_RESOURCE_PATTERN_PREFIXED
                             : RD_KAFKA_RESOURCE_PATTERN_LITERAL,
            user, "*", rights[i].operation, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, why, sizeof why);
        if (!bindings[i])
            die(why);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateAcls(rk, bindings, n, NULL, queue);
    rd_kafka_event_t *event = answer(queue);
    size_t given;
    const rd_kafka_acl_result_t **results =
        rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event), &given);
    for (size_t i = 0; i < given; i++)
        if (rd_kafka_acl_result_error(results[i]))
            die(rd_kafka_error_string(rd_kafka_acl_result_error(results[i])));
    rd_kafka_event_destroy(event);
    rd_kafka_AclBinding_destroy_array(bindings, n);
    await_rights(rk, user, n);
    rd_kafka_destroy(rk);
}

void fb_access_await(const char *address, const char *user, size_t n) {
    rd_kafka_t *rk = client(address);
    await_rights(rk, user, n);
    rd_kafka_destroy(rk);
}

void fb_access_take(const char *address, const char *user) {
    rd_kafka_t *rk = client(address);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AclBindingFilter_t *filters[KINDS];
    for (int i = 0; i < KINDS; i++)
        filters[i] = all_of(user, kinds[i]);
    rd_kafka_DeleteAcls(rk, filters, KINDS, NULL, queue);
    rd_kafka_AclBinding_destroy_array(filters, KINDS);
    rd_kafka_event_destroy(answer(queue));
    await_rights(rk, user, 0);
    rd_kafka_destroy(rk);
}
