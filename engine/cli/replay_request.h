/* What a replay is asked for on a command line: rules, inputs and all that changes its results.
 *
 * Place in the flow: `replay`, and `audit verify --reexecute`, which runs the same again. */
#ifndef FB_CLI_REPLAY_REQUEST_H
#define FB_CLI_REPLAY_REQUEST_H

#include <argp.h>

#include "engine/cli/compile.h"
#include "engine/run/bundle.h"
#include "engine/run/replay.h"

enum { FB_REPLAY_INPUTS_MAX = 256 };

/* As a live run has it without a configuration. */
#define FB_REPLAY_MAX_SKEW_US INT64_C(600000000)

struct fb_replay_request {
    struct fb_rules_request rules;
    struct fb_replay_input inputs[FB_REPLAY_INPUTS_MAX];
    struct fb_replay_set sets[FB_REPLAY_INPUTS_MAX];
    struct fb_replay_options options; /* its inputs and sets are those above */
};

enum {
    FB_REPLAY_KEY_TASKS = 0x200,
    FB_REPLAY_KEY_APPLICATION,
    FB_REPLAY_KEY_CALLS,
    FB_REPLAY_KEYS_END
};

/* Rows of a table of options: what is read, and how; with the rules, and how they are run. */
#define FB_REPLAY_INPUT_OPTIONS                                                                    \
    {"input",                                                                                      \
     'i',                                                                                          \
     "[TOPIC=]FILE",                                                                               \
     0,                                                                                            \
     "Events: NDJSON or .csv, also .zst; - is standard input; may be given again. TOPIC may "      \
     "be left out when the rules read only one",                                                   \
     0},                                                                                           \
        {"set",                                                                                    \
         's',                                                                                      \
         "NAME=VALUE",                                                                             \
         0,                                                                                        \
         "CSV: a field that every record gets; @filename stands for the file's name",              \
         0},                                                                                       \
        {"until", 'u', "TIME", 0, "Carry the clock on to this time after the last event", 0}, {    \
        "envelope", 'e', NULL, 0,                                                                  \
            "Lines are {topic, key, stamp, value}, as of `flyball gen --format envelope`; "        \
            "the stamp, in milliseconds, is the time of arrival and drives the clock",             \
            0                                                                                      \
    }

#define FB_REPLAY_OPTIONS                                                                          \
    FB_RULES_OPTION, FB_REPLAY_INPUT_OPTIONS,                                                      \
        {"calls",                                                                                  \
         FB_REPLAY_KEY_CALLS,                                                                      \
         "FILE",                                                                                   \
         0,                                                                                        \
         "Operators' calls, one JSON object a line with its time `at`, in this order",             \
         0},                                                                                       \
        {"application",                                                                            \
         FB_REPLAY_KEY_APPLICATION,                                                                \
         "NAME",                                                                                   \
         0,                                                                                        \
         "Name that goes into ids (replay: flyball unless given; audit: as in the records)",       \
         0},                                                                                       \
    {                                                                                              \
        "tasks", FB_REPLAY_KEY_TASKS, "N", 0,                                                      \
            "Spread devices over N tasks, those of one domain to one; the result is the same "     \
            "(replay: 1 unless given; audit: as in the records). One only where devices see "      \
            "each other and their domain is a tag or a field",                                     \
            0                                                                                      \
    }

/* The defaults. */
void fb_replay_request_init(struct fb_replay_request *request);
/* One of the options; ARGP_ERR_UNKNOWN: it is another. */
error_t fb_replay_request_option(struct fb_replay_request *request, int key, char *value,
                                 struct argp_state *state);
/* At the end of the line: ends with wrong usage where something is missing. */
void fb_replay_request_check(const struct fb_replay_request *request, struct argp_state *state);
/* Compiles rules, with the settings of a live run by default, so that the bundle is the same: for
 * replays and simulations. The caller's reference. Exit status; not FB_EXIT_OK: there is none, and
 * the mistakes were printed. */
int fb_bundle_request_compile(const struct fb_rules_request *rules, int64_t max_skew_us,
                              struct fb_bundle **bundle);
/* Compiles the rules for the options, which hold views into the bundle: drop it when the replay is
 * over. Exit status; not FB_EXIT_OK: there is none, and the mistakes were printed. */
int fb_replay_request_compile(struct fb_replay_request *request, struct fb_bundle **bundle);

#endif
