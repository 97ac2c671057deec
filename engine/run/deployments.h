/* What stands in the rules topic: the bundles that were deployed, and calls to drain.
 *
 * Place in the flow: `flyball deploy` and `flyball drain` write the records, run/deployed reads
 * them in every instance. Reading and the making of records only; no threads, one owner.
 *
 * A bundle's record has the key "rules" and as value what codec/chunk makes of the bundle's bytes;
 * a call to drain has the key "drain" and no content. Headers: fb_by (who), fb_at (when). */
#ifndef FB_RUN_DEPLOYMENTS_H
#define FB_RUN_DEPLOYMENTS_H

#include "connectors/connector.h"
#include "engine/run/bundle.h"

enum { FB_DEPLOYMENT_HEADERS = 2 };

enum fb_deployment_kind {
    FB_DEPLOYED_RULES,
    FB_DEPLOYED_DRAIN,
    FB_DEPLOYED_DAMAGED /* a record that nobody can make use of */
};

struct fb_deployment {
    enum fb_deployment_kind kind;
    int64_t offset;
    char name[13]; /* RULES: of the bundle */
    uint8_t hash[32];
    struct fb_buf bytes;  /* of the bundle */
    char by[256], at[40]; /* terminated; empty: not told */
};

struct fb_deployments {
    struct fb_deployment *items; /* by ascending offset */
    size_t n, cap;
    int64_t next; /* offset that reading goes on from */
};

/* Appends what came since the last call; a topic that does not exist gives nothing, `sure`: only
 * after several looks. One that was made anew is read from its beginning. False: err says why. */
bool fb_deployments_read(struct fb_deployments *all, struct fb_history *history, const char *topic,
                         bool sure, struct fb_err *err);
/* Forgets the items, not the place. */
void fb_deployments_clear(struct fb_deployments *all);
void fb_deployments_free(struct fb_deployments *all);
/* The newest bundle before the item `before` whose hash is not this one (NULL: whichever); NULL:
 * there is none. */
const struct fb_deployment *fb_deployments_last(const struct fb_deployments *all, size_t before,
                                                const uint8_t *other_than);

/* The record of a deployment: views of texts and of `value`, which is filled here. `bundle`: the
 * bytes; p NULL: a call to drain. */
struct fb_outgoing fb_deployment_record(const char *topic, struct fb_str bundle, const char *by,
                                        const char *at, struct fb_header *headers,
                                        struct fb_buf *value);

#endif
