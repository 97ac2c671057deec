/* The engine over recorded events, on event time: as fast as it can, always the same bytes.
 *
 * Place in the flow: files -> lines -> decoder -> file clock -> core -> encoder -> files. One
 * thread. The number of tasks changes nothing per key. */
#ifndef FB_RUN_REPLAY_H
#define FB_RUN_REPLAY_H

#include "engine/base/err.h"
#include "engine/codec/encode.h"
#include "engine/core/core.h"
#include "engine/model/program.h"

/* A field that every record of a CSV input gets: --set device=NAME, --set device=@filename. */
struct fb_replay_set {
    struct fb_str name, value;
    bool filename; /* the value is the file's name without folder and endings */
};

struct fb_replay_input {
    struct fb_str topic; /* empty: the only one that the rules name; not read with envelopes */
    const char *path;    /* "-": standard input */
};

struct fb_replay_options {
    const struct fb_program *program;
    const struct fb_replay_input *inputs;
    uint32_t n_inputs;
    const struct fb_replay_set *sets;
    uint32_t n_sets;
    const char *calls; /* operators' calls, NULL: none; run/call_file.h */
    bool envelope; /* lines of {topic, key, stamp, value} */
    bool has_until;
    int64_t until_us; /* carry on to this time after the end of the input */
    bool has_stop;
    int64_t stop_us;  /* the clock goes to this time and not beyond: the rest is not taken */
    /* How many cores the devices are spread over; at least 1. Those of one domain share one; where
     * devices see each other and a domain is a tag or a field, there is one only. */
    uint32_t tasks;
    int64_t max_skew_us;
    struct fb_str application; /* part of the ids */
    bool audit;                /* write audit records, too */
    uint8_t rules[32];         /* the bundle's hash, for the audit */
    const char *build;         /* of the engine, for the audit; NULL: not known */
    /* One line of NDJSON, with its end. False: it could not be written (err says why). */
    bool (*write)(void *context, enum fb_stream stream, struct fb_str line, struct fb_err *err);
    /* Each output but late records as it comes, for people, and the message of its rule, if it has
     * one; may be NULL. */
    void (*watch)(void *context, const struct fb_output *output, struct fb_str message);
    /* Each record that is taken, before it is; may be NULL. */
    void (*record)(void *context, const struct fb_entry *entry);
    /* Each task's core at the end; may be NULL. */
    void (*look)(void *context, struct fb_core *core);
    /* Now and then, for a progress line; may be NULL. size_bytes 0: not known. */
    void (*progress)(void *context, uint64_t read_bytes, uint64_t size_bytes);
    void *context;
};

struct fb_replay_result {
    uint64_t records, dead;
    uint64_t calls; /* operators' calls that were taken */
    uint64_t calls_behind; /* that lie behind the end */
    struct fb_core_stats stats; /* of all tasks together */
};

/* False: an input cannot be read or an output not written (FB_FATAL). */
bool fb_replay(const struct fb_replay_options *options, struct fb_replay_result *result,
               struct fb_err *err);

#endif
