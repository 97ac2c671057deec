/* Which node of a cluster does what, and whether all of them have everything.
 *
 * Place in the flow: tests only; beside tests/kafka/broker.h, which starts and kills them. Nodes
 * are numbered from 1. What fails ends the test program with a message. */
#ifndef FB_TESTS_KAFKA_CLUSTER_H
#define FB_TESTS_KAFKA_CLUSTER_H

#include <stdint.h>

struct fb_broker;

/* The node that leads a partition; waits while none does. */
int fb_cluster_leader(const char *address, const char *topic, int32_t partition);
/* The nodes that coordinate a group and the transactions of a transactional.id. */
int fb_cluster_of_group(const char *address, const char *group);
int fb_cluster_of_transactions(const char *address, const char *id);
/* The active controller, as the nodes' own files say. */
int fb_cluster_controller(const struct fb_broker *broker);

/* Waits until every partition of every topic is on all its nodes again. */
void fb_cluster_await_whole(const char *address);

#endif
