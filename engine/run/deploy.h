/* The writing end of the rules topic, and what the instances say of it.
 *
 * Place in the flow: `flyball deploy` and `flyball drain`, from outside of any running instance.
 * One owner, one thread; every call may wait for the broker, half a minute at most. */
#ifndef FB_RUN_DEPLOY_H
#define FB_RUN_DEPLOY_H

#include "engine/run/deployments.h"

struct fb_config;
struct fb_deploy;

/* Reads what was deployed. writes: the topic is created where it is missing and topics.create
 * allows it. The configuration must outlive it. NULL: err says why, retriable where the broker is
 * the trouble. */
struct fb_deploy *fb_deploy_open(const struct fb_config *config, bool writes, struct fb_err *err);
void fb_deploy_close(struct fb_deploy *deploy);
const char *fb_deploy_topic(const struct fb_deploy *deploy);
const struct fb_deployments *fb_deploy_all(const struct fb_deploy *deploy);

/* Writes a bundle (its bytes), or a call to drain (p NULL), and waits until all replicas have it.
 * by: who does it. NULL: err; else the record as it stands in the topic, a view until the next
 * call. */
const struct fb_deployment *fb_deploy_write(struct fb_deploy *deploy, struct fb_str bundle,
                                            const char *by, int64_t wall_us, struct fb_err *err);

/* For operators' calls, instead of fb_deploy_open: the control topic is created where it is missing
 * and topics.create allows it. Only fb_deploy_topic, fb_control_write and fb_deploy_close may
 * follow. */
struct fb_deploy *fb_control_writer_open(const struct fb_config *config, struct fb_err *err);
/* Writes a call and waits until all replicas have it. offset: it stands there, or behind it where
 * others write at the same time. */
bool fb_control_write(struct fb_deploy *control, struct fb_str call, int64_t *offset,
                      struct fb_err *err);

/* What was last told of a partition on the status topic. */
struct fb_told {
    int64_t stamp_us; /* when; FB_NO_STAMP: nothing in the time that was looked at */
    char rules[16], mode[16], instance[204], detail[256];
};
struct fb_told_all {
    struct fb_told *items; /* one a partition */
    int64_t *next;         /* where reading goes on; -1: not begun */
    int32_t n;             /* 0: there is no status topic */
};
/* Reads on; at the first call from since_us on. False: err says why. */
bool fb_deploy_told(struct fb_deploy *deploy, int64_t since_us, struct fb_told_all *told,
                    struct fb_err *err);
void fb_told_free(struct fb_told_all *told);

/* The rules that the application runs by, or ran by last, though nobody deployed any: those of
 * `--rules`, which the instance told last. The status topic names them, the snapshot topic has the
 * files. */
struct fb_undeployed {
    struct fb_buf bytes; /* of the bundle; empty: nobody told any, or the files are not there */
    char name[16], instance[204];
};
/* Reads both topics. False: err says why, fatal where a right is missing. The caller frees bytes.
 */
bool fb_deploy_find_undeployed(struct fb_deploy *deploy, struct fb_undeployed *found,
                               struct fb_err *err);

#endif
