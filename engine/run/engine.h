/* The live engine: workers, signals, the state of affairs in the log.
 *
 * Place in the flow: `flyball run` calls it once with a program and a configuration. */
#ifndef FB_RUN_ENGINE_H
#define FB_RUN_ENGINE_H

#include "engine/base/err.h"
#include "rules/compile.h"

struct fb_config;

struct fb_engine_options {
    struct fb_compiled *compiled;   /* taken over */
    const struct fb_config *config; /* finished */
    const char *input;              /* NULL: Kafka; else a file or "-" */
    const char *input_topic; /* of the input's records; NULL: the only one that the rules name */
    const char *build;       /* of this engine, for the audit */
    const char *output;      /* NULL: Kafka; else a file or "-" */
};

enum fb_engine_end {
    FB_ENGINE_DONE,  /* stopped by a signal or at the input's end, everything committed */
    FB_ENGINE_WRONG, /* the configuration does not fit the rules or the broker: err says why */
    FB_ENGINE_FAILED /* input or output failed: err says why */
};

/* Returns when SIGTERM or SIGINT came, the input ended or a worker failed. A second signal ends the
 * process at once with status 3. To be called from the main thread, before there are others. */
enum fb_engine_end fb_engine_run(const struct fb_engine_options *options, struct fb_err *err);

#endif
