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

struct names {
    char **items;
    size_t n, cap;
};

static void free_names(struct names *names) {
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i]);
    free(names->items);
}

/* What stands behind the first space of a note is the transactional.id of who committed it. */
static void add_owner(struct names *owners, const rd_kafka_topic_partition_t *one) {
    const char *note = one->metadata;
    const char *space = note ? memchr(note, ' ', one->metadata_size) : NULL;
    size_t n = space ? one->metadata_size - (size_t)(space + 1 - note) : 0;
    if (n == 0)
        return;
    char *name = strndup(space + 1, n);
    FB_ASSERT(name);
    for (size_t i = 0; i < owners->n; i++)
        if (strcmp(owners->items[i], name) == 0) {
            free(name);
            return;
        }
    FB_PUSH_ROOM(owners->items, owners->n, owners->cap);
    owners->items[owners->n++] = name;
}

static rd_kafka_event_t *answer_of(rd_kafka_queue_t *queue, rd_kafka_resp_err_t *code) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ANSWER_MS);
    *code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    return event;
}

/* The notes as they are now, also where a position is being replaced. */
static rd_kafka_resp_err_t read_owners(const struct fb_kafka_membership *us,
                                       const rd_kafka_topic_partition_list_t *partitions,
                                       struct names *owners) {
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

static void remove_name(struct names *owners, const char *name) {
    for (size_t i = 0; i < owners->n; i++)
        if (strcmp(owners->items[i], name) == 0) {
            free(owners->items[i]);
            owners->items[i--] = owners->items[--owners->n];
        }
}

static void remove_members(struct names *owners, const rd_kafka_ConsumerGroupDescription_t *group) {
    for (size_t m = 0; m < rd_kafka_ConsumerGroupDescription_member_count(group); m++) {
        const char *member = rd_kafka_MemberDescription_group_instance_id(
            rd_kafka_ConsumerGroupDescription_member(group, m));
        if (member)
            remove_name(owners, member);
    }
}

/* Leaves those that are not members. */
static rd_kafka_resp_err_t leave_gone(const struct fb_kafka_membership *us, struct names *owners) {
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
        remove_members(owners, groups[0]);
    else if (!code)
        code = RD_KAFKA_RESP_ERR__BAD_MSG;
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return code;
}

void fb_kafka_fence_gone(const struct fb_kafka_membership *us,
                         const rd_kafka_topic_partition_list_t *partitions) {
    struct names owners = {0};
    rd_kafka_resp_err_t code;
    if (partitions->cnt == 0) /* of none nothing can be asked, and there would be no answer ever */
        return;
    for (;;) {
        code = read_owners(us, partitions, &owners);
        remove_name(&owners, us->member);
        for (uint32_t i = 0; i < us->n_kin; i++)
            remove_name(&owners, us->kin[i]);
        if (!code && owners.n > 0)
            code = leave_gone(us, &owners);
        if (!code || fb_kafka_is_denied(code) || atomic_load(us->stop))
            break;
        fb_log(FB_LOG_DEBUG, "former owners of the partitions: %s", rd_kafka_err2str(code));
        fb_kafka_look(us->consumer, us->health);
        usleep(LOOK_MS * 1000);
    }
    for (size_t i = 0; !code && i < owners.n; i++) {
        struct fb_err err;
        int64_t begun_ms = fb_kafka_now_ms();
        if (fence(us->settings, owners.items[i], us->stop, &err))
            fb_log(FB_LOG_INFO,
                   "%s, whose partitions are taken over, is gone: shut out after %lld ms",
                   owners.items[i], (long long)(fb_kafka_now_ms() - begun_ms));
        else
            fb_log(FB_LOG_WARN, "%s, whose partitions are taken over, is not shut out: %s",
                   owners.items[i], err.text);
    }
    free_names(&owners);
}
