/* A real broker for a test: the shared one, or one of its own that it may stop and kill.
 *
 * Place in the flow: tests only; drives tools/kafka.sh, which see. Topics: tests/kafka/topic.h.
 *
 * What fails here ends the test program with a message: without its broker a test has no result.
 * One thread at a time per broker. */
#ifndef FB_TESTS_KAFKA_BROKER_H
#define FB_TESTS_KAFKA_BROKER_H

enum { FB_BROKER_NODES = 3 }; /* of a cluster */

struct fb_broker;

/* The address of the node that tests share, which is started when it does not run (port
 * FB_KAFKA_PORT, else 39092) and is left running: other tests may use it. Static storage. */
const char *fb_broker_shared(void);

/* A new, empty node on free ports with its data in a temporary folder. It is ended and removed by
 * fb_broker_free, or when the calling process ends in whichever way. About three seconds. */
struct fb_broker *fb_broker_start(void);
/* The same with rights and encrypted listeners (FB_KAFKA_SECURE in tools/kafka.sh); whoever comes
 * by fb_broker_address may do everything. */
struct fb_broker *fb_broker_start_secure(void);
/* The same with three nodes, of which one may be away: every topic is on all of them, and a record
 * is stored when two have it. About ten seconds. Who leads what: tests/kafka/cluster.h. */
struct fb_broker *fb_broker_start_cluster(void);
/* A node that clients can also reach by this port of the loopback, at which a proxy leads to
 * fb_broker_proxied_port: whoever begins there is never told of another way. */
struct fb_broker *fb_broker_start_behind(int proxy);
int fb_broker_proxied_port(const struct fb_broker *broker);
void fb_broker_free(struct fb_broker *broker);

/* "127.0.0.1:PORT", of a cluster all, joined by commas; the same over stops and restarts; lives as
 * long as the broker. */
const char *fb_broker_address(const struct fb_broker *broker);
const char *fb_broker_folder(const struct fb_broker *broker); /* FB_KAFKA_DIR */
/* Of a secured node: the port for users with a password, the port for users with a certificate,
 * the folder with the certificates and the password (its files: tools/kafka.sh). */
int fb_broker_scram_port(const struct fb_broker *broker);
int fb_broker_mtls_port(const struct fb_broker *broker);
const char *fb_broker_tls(const struct fb_broker *broker);

/* The node ends in order; what it stored stays. */
void fb_broker_stop(struct fb_broker *broker);
/* The node ends as by a power cut (SIGKILL); what it stored stays. */
void fb_broker_kill(struct fb_broker *broker);
/* Starts it again after one of the two, and returns when it answers. */
void fb_broker_restart(struct fb_broker *broker);

/* The same with one node of a cluster, 1 to FB_BROKER_NODES. */
void fb_broker_stop_node(struct fb_broker *broker, int node);
void fb_broker_kill_node(struct fb_broker *broker, int node);
void fb_broker_restart_node(struct fb_broker *broker, int node);

#endif
