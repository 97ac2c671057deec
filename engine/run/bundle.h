/* A rule bundle: rule files and the settings that results depend on, and what was made of them.
 *
 * Place in the flow: made at the start or read back from a snapshot; tasks work by one and share
 * it. Immutable, counted references, thread-safe.
 *
 * Its bytes are "flyball bundle 1\n", a line a setting ("max.skew.us 600000000\n"), then for every
 * file "file LENGTH NAME\n" and its bytes. The hash of these bytes is its identity in journal,
 * snapshots and audit. */
#ifndef FB_RUN_BUNDLE_H
#define FB_RUN_BUNDLE_H

#include "engine/run/routes.h"
#include "rules/compile.h"

#include <stdatomic.h>

struct fb_bundle_settings {
    int64_t max_skew_us;  /* a record further ahead of the clock is refused as future */
    int64_t max_hops;     /* a record that came through more applications is refused (A96) */
    int64_t max_age_us;   /* what was decided for a time further back is `historical` */
    uint32_t devices_max; /* of a partition; 0: no bound */
};

struct fb_config;
struct fb_bundle_settings fb_bundle_settings_of(const struct fb_config *config);

struct fb_bundle {
    atomic_uint references;
    uint8_t hash[32];
    char name[13];   /* the first 12 hex digits of the hash: for people */
    char layout[33]; /* of the state, by this build: fb_program_layout in hex */
    struct fb_str bytes;
    struct fb_bundle_settings settings;
    struct fb_compiled compiled;
    const struct fb_program *program; /* of compiled */
    struct fb_routes routes;
};

/* Takes a successful compilation over. pipe_topic: everything comes from one pipe that is called
 * so; NULL: the topics that the rules name. One reference, the caller's. */
struct fb_bundle *fb_bundle_of(struct fb_compiled *compiled,
                               const struct fb_bundle_settings *settings, const char *pipe_topic);
/* From the bytes of another one. NULL: err says why; a build that does not take the rules any more
 * is one reason. */
struct fb_bundle *fb_bundle_parse(struct fb_str bytes, const char *pipe_topic, struct fb_err *err);
struct fb_bundle *fb_bundle_keep(struct fb_bundle *bundle);
void fb_bundle_drop(struct fb_bundle *bundle); /* NULL is fine */
/* Both read the same topics: one may take the place of the other while records come. */
bool fb_bundle_reads_the_same(const struct fb_bundle *a, const struct fb_bundle *b);

#endif
