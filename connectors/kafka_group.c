/* The end of the transactions of members that are gone. */
#include "connectors/kafka_group.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connectors/kafka_client.h"
#include "connectors/kafka_producer.h"
#include "connectors/kafka_rights.h"
#include "engine/base/arena.h"
#include "engine/base/log.h"

enum { ANSWER_MS = 5000, FENCE_MS = 30000, LOOK_MS = 200 };

/* ---- fence ---- */

/* Shuts out whoever has this transactional.id, and ends the transaction that it left open: its
 * partitions can be read to their ends and its positions are known as soon as this returns, not
 * only after transaction.timeout.ms. Half a second. Retriable: no answer, or `stop` was set. */
static bool fence(const struct fb_kafka_settings *settings, const char *transactional_id,
                  const atomic_bool *stop, struct fb_err *err) {
    rd_kafka_conf_t *conf = fb_kafka_conf_new(FB_KAFKA_PRODUCER, settings, err);
    if (!conf)
        return false;
    fb_kafka_set_transactional(conf, transactional_id);
    rd_kafka_t *client = fb_kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
    if (!client)
        return false;
    int64_t begun_ms = fb_kafka_now_ms();
    rd_kafka_error_t *error;
    while ((error = rd_kafka_init_transactions(client, LOOK_MS)) &&
           rd_kafka_error_is_retriable(error) && !atomic_load(stop) &&
           fb_kafka_now_ms() - begun_ms < FENCE_MS)
        rd_kafka_error_destroy(error);
    bool ok = !error;
    if (error) {
        if (!fb_kafka_denied(err, rd_kafka_error_code(error), "Write", FB_KAFKA_ON_TRANSACTIONAL_ID,
                             transactional_id))
            fb_kafka_failed(err, rd_kafka_error_code(error), transactional_id);
        rd_kafka_error_destroy(error);
    }
    rd_kafka_destroy(client);
    return ok;
}

/* ---- who is gone ---- */

void fb_kafka_names_free(struct fb_kafka_names *names) {
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct fb_kafka_names){0};
}

static bool has_name(const struct fb_kafka_names *names, const char *name) {
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

/* Each once. */
static void add_name(struct fb_kafka_names *names, const char *name, size_t n) {
    char *copy = strndup(name, n);
    FB_ASSERT(copy);
    if (has_name(names, copy)) {
        free(copy);
        return;
    }
    FB_PUSH_ROOM(names->items, names->n, names->cap);
    names->items[names->n++] = copy;
}

/* What stands behind the first space of a note is the transactional.id of who committed it. */
static void add_owner(struct fb_kafka_names *owners, const rd_kafka_topic_partition_t *one) {
    const char *note = one->metadata;
    const char *space = note ? memchr(note, ' ', one->metadata_size) : NULL;
    size_t n = space ? one->metadata_size - (size_t)(space + 1 - note) : 0;
    if (n > 0)
        add_name(owners, space + 1, n);
}

static rd_kafka_event_t *answer_of(rd_kafka_queue_t *queue, rd_kafka_resp_err_t *code) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ANSWER_MS);
    *code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    return event;
}

/* The notes as they are now, also where a position is being replaced. */
static rd_kafka_resp_err_t read_owners(const struct fb_kafka_membership *us,
                                       const rd_kafka_topic_partition_list_t *partitions,
                                       struct fb_kafka_names *owners) {
    rd_kafka_resp_err_t code;
    size_t n = 0;
    rd_kafka_ListConsumerGroupOffsets_t *wanted =
        rd_kafka_ListConsumerGroupOffsets_new(us->group, partitions);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(us->consumer);
    rd_kafka_ListConsumerGroupOffsets(us->consumer, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = answer_of(queue, &code);
    const rd_kafka_group_result_t **groups =
        code ? NULL
             : rd_kafka_ListConsumerGroupOffsets_result_groups(
                   rd_kafka_event_ListConsumerGroupOffsets_result(event), &n);
    if (n == 1 && rd_kafka_group_result_error(groups[0]))
        code = rd_kafka_error_code(rd_kafka_group_result_error(groups[0]));
    const rd_kafka_topic_partition_list_t *list =
        n == 1 && !code ? rd_kafka_group_result_partitions(groups[0]) : NULL;
    for (int i = 0; list && i < list->cnt; i++)
        add_owner(owners, &list->elems[i]);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(wanted);
    return code;
}

/* A member's name is its transactional.id; those that others have joined by are left alone. */
static void add_members(const struct fb_kafka_membership *us, struct fb_kafka_names *members,
                        const rd_kafka_ConsumerGroupDescription_t *group) {
    size_t n = strlen(us->group);
    for (size_t m = 0; m < rd_kafka_ConsumerGroupDescription_member_count(group); m++) {
        const char *member = rd_kafka_MemberDescription_group_instance_id(
            rd_kafka_ConsumerGroupDescription_member(group, m));
        if (member && strncmp(member, us->group, n) == 0 && member[n] == '-')
            add_name(members, member, strlen(member));
    }
}

static rd_kafka_resp_err_t read_members(const struct fb_kafka_membership *us,
                                        struct fb_kafka_names *members) {
    rd_kafka_resp_err_t code;
    size_t n = 0;
    const char *group = us->group;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(us->consumer);
    rd_kafka_DescribeConsumerGroups(us->consumer, &group, 1, NULL, queue);
    rd_kafka_event_t *event = answer_of(queue, &code);
    const rd_kafka_ConsumerGroupDescription_t **groups =
        code ? NULL
             : rd_kafka_DescribeConsumerGroups_result_groups(
                   rd_kafka_event_DescribeConsumerGroups_result(event), &n);
    if (n == 1 && rd_kafka_ConsumerGroupDescription_error(groups[0]))
        code = rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(groups[0]));
    if (n == 1 && !code)
        add_members(us, members, groups[0]);
    else if (!code)
        code = RD_KAFKA_RESP_ERR__BAD_MSG;
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return code;
}

static bool is_ours(const struct fb_kafka_membership *us, const char *name) {
    for (uint32_t i = 0; i < us->n_kin; i++)
        if (strcmp(us->kin[i], name) == 0)
            return true;
    return strcmp(us->member, name) == 0;
}

static void shut_out(const struct fb_kafka_membership *us, const char *name) {
    struct fb_err err;
    int64_t begun_ms = fb_kafka_now_ms();
    if (fence(us->settings, name, us->stop, &err))
        fb_log(FB_LOG_INFO, "%s, whose partitions are taken over, is gone: shut out after %lld ms",
               name, (long long)(fb_kafka_now_ms() - begun_ms));
    else
        fb_log(FB_LOG_WARN, "%s, whose partitions are taken over, is not shut out: %s", name,
               err.text);
}

void fb_kafka_fence_gone(const struct fb_kafka_membership *us,
                         const rd_kafka_topic_partition_list_t *partitions) {
    struct fb_kafka_names owners = {0}, members = {0};
    rd_kafka_resp_err_t code;
    for (;;) {
        /* Of no partitions nothing can be asked: there would be no answer ever. */
        code = partitions->cnt == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR
                                    : read_owners(us, partitions, &owners);
        if (!code)
            code = read_members(us, &members);
        if (!code || fb_kafka_is_denied(code) || atomic_load(us->stop))
            break;
        fb_log(FB_LOG_DEBUG, "former owners of the partitions: %s", rd_kafka_err2str(code));
        fb_kafka_look(us->consumer, us->health);
        usleep(LOOK_MS * 1000);
    }
    for (size_t i = 0; i < us->seen->n; i++)
        add_name(&owners, us->seen->items[i], strlen(us->seen->items[i]));
    for (size_t i = 0; !code && i < owners.n; i++)
        if (!is_ours(us, owners.items[i]) && !has_name(&members, owners.items[i]))
            shut_out(us, owners.items[i]);
    fb_kafka_names_free(&owners);
    if (code) {
        fb_kafka_names_free(&members);
        return;
    }
    fb_kafka_names_free(us->seen);
    *us->seen = members;
}
