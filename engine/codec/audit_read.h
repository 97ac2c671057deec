/* Audit records as they were written: one line -> one record, with all that can be checked in it.
 *
 * Place in the flow: run/audit_chain reads lines with it and follows the chains. One owner, no
 * locks. */
#ifndef FB_CODEC_AUDIT_READ_H
#define FB_CODEC_AUDIT_READ_H

#include "engine/base/str.h"

#include <stdint.h>

/* Views live until the reader's next call. */
struct fb_audit_record {
    struct fb_str task; /* empty: the line was too broken to tell */
    uint64_t seq;
    uint8_t previous[32], hash[32];
    struct fb_str kind;
    struct fb_str build; /* where rules were activated; else empty */
    int64_t semantics;
    struct fb_str data; /* the JSON text */
    /* What is wrong with the line by itself; NULL: nothing, and then every byte of it is as it was
     * written, or someone made the hash anew. */
    const char *fault;
};

struct fb_audit_reader;
struct fb_audit_reader *fb_audit_reader_new(void);
void fb_audit_reader_free(struct fb_audit_reader *reader);

/* A line without its end: a structured CloudEvent, as files hold it, or its data alone, as the
 * value of a record in Kafka is. */
void fb_audit_read(struct fb_audit_reader *reader, struct fb_str line,
                   struct fb_audit_record *record);

#endif
