/* Outputs -> CloudEvents 1.0: one JSON object a line in files, headers and a JSON value in Kafka.
 *
 * Place in the flow: after the core; the bytes are kept until they are known to be written. The
 * same output gives the same bytes, always. One owner, no locks. */
#ifndef FB_CODEC_ENCODE_H
#define FB_CODEC_ENCODE_H

#include "engine/base/str.h"
#include "engine/model/output.h"
#include "engine/model/program.h"

struct fb_header; /* connectors/connector.h */

enum fb_stream {
    FB_STREAM_ALERTS,
    FB_STREAM_LATE,
    FB_STREAM_DEAD,
    FB_STREAM_AUDIT,
    /* these two only exactly once, or in a replay: no command without its audit */
    FB_STREAM_COMMANDS,
    FB_STREAM_SHADOW,
    /* not for subscribers: what a task's state is rebuilt from; exactly once only */
    FB_STREAM_JOURNAL,
    FB_STREAM_SNAPSHOT,
    FB_STREAM_STATUS, /* the engine's own, in no batch */
    FB_STREAMS
};

struct fb_encoder;

/* `application` is what the ids and /flyball/APPLICATION are made of. The program must outlive the
 * encoder. */
struct fb_encoder *fb_encoder_new(const struct fb_program *program, struct fb_str application);
void fb_encoder_free(struct fb_encoder *encoder);

/* A record that could not be taken. */
struct fb_dead_letter {
    const char *reason;   /* a code: JSON_SYNTAX, KEY_MISSING, DEVICE_CAP .. */
    struct fb_str detail; /* for people; UTF-8 */
    struct fb_origin origin;
    struct fb_str payload; /* as it came */
    int64_t time_us;       /* when it was written; FB_NO_TIME: not known */
};

/* One CloudEvent. Views live until the encoder's next call. */
struct fb_encoded {
    enum fb_stream stream;
    const char *type; /* flyball.alert .. */
    struct fb_str to; /* the topic that it goes to in place of its stream's; empty: none */
    char id[33];
    struct fb_str source;
    struct fb_str subject;     /* also the record's key; empty: none */
    struct fb_str time;        /* RFC 3339; empty: not known */
    struct fb_str traceparent; /* of the record that caused it, by who knows it; empty: none */
    char hop[4];               /* of alerts, events, commands, late records: digits; else empty */
    struct fb_str data;        /* JSON */
};

/* What a live run knows beside the decision itself; all zero in replay and test. */
struct fb_circumstance {
    bool initial;     /* decided in the warm-up after a cold start */
    bool historical;  /* the cause lies further back than max_age */
    int64_t epoch_ms; /* the wall clock at which the task's journal began */
};

/* Of every output that goes out: not of those which only the audit tells of. */
void fb_encode(struct fb_encoder *encoder, const struct fb_output *output,
               struct fb_circumstance circumstance, struct fb_encoded *encoded);
/* For files: data holds the payload too. Kafka carries it as it came, beside headers. */
void fb_encode_dead(struct fb_encoder *encoder, const struct fb_dead_letter *letter,
                    struct fb_encoded *encoded);

/* Structured mode: appends the object and a line end. */
void fb_encode_line(const struct fb_encoded *encoded, struct fb_buf *out);

enum { FB_ENCODED_HEADERS_MAX = 9 };
/* Binary mode: the ce_* headers; the record's value is encoded->data. Returns how many. */
uint32_t fb_encode_headers(const struct fb_encoded *encoded, struct fb_header *headers);
/* The fb_* headers of a dead letter in Kafka, whose value is the payload. Views. */
uint32_t fb_encode_dead_headers(struct fb_encoder *encoder, const struct fb_dead_letter *letter,
                                struct fb_header *headers);

/* A rule's text with the values of its slots in place. Appends. */
void fb_encode_template(const struct fb_template *text, const struct fb_output *output,
                        struct fb_buf *out);

/* One value as a message shows it. Appends. */
void fb_encode_value(const struct fb_slot *slot, const struct fb_value *value, struct fb_buf *out);

#endif
