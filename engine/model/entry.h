/* One entry of a task's ordered log: a decoded record of one device.
 *
 * Place in the flow: codec/decode makes it, core takes it. Views point into the decoder's input and
 * scratch; they live until the decoder's next call. */
#ifndef FB_MODEL_ENTRY_H
#define FB_MODEL_ENTRY_H

#include "engine/model/value.h"

/* Where a record came from. `index` counts the objects within one record (NDJSON, arrays). */
struct fb_origin {
    struct fb_str topic; /* the topic's name, or the file's */
    int32_t partition;   /* -1 for files */
    int64_t offset;      /* in files: the record's number, from 0 */
    uint32_t index;
    uint8_t hops; /* applications that it came through (A96) */
};

/* Why a sample is bad; the field is bad and unknown until the next good one. */
enum fb_sample_state {
    FB_SAMPLE_GOOD = 0,
    FB_SAMPLE_NULL,  /* JSON null, or the declared null value */
    FB_SAMPLE_TYPE,  /* wrong type, text too long, a number that is not representable */
    FB_SAMPLE_WORD,  /* not a word of the enumeration */
    FB_SAMPLE_RANGE  /* outside the declared range */
};

/* A value that a record carries for a field. Number, integer, time, word index, bool or text by the
 * field's type, as in struct fb_value. A name that is missing in the record has no sample. */
struct fb_sample {
    uint16_t field; /* index in the class */
    uint8_t state;  /* enum fb_sample_state */
    union {
        double num;
        int64_t i;
        struct fb_str text;
    };
};

struct fb_entry {
    uint16_t class_index;
    struct fb_str device;            /* canonical id: keys joined by ',', percent-encoded */
    int64_t ts_us;                   /* the sample's own time */
    const struct fb_sample *samples; /* in the order of the class's fields, at most one a field */
    uint16_t n_samples;
    struct fb_origin origin;
    struct fb_str raw; /* the object's bytes, for the late output */
};

#endif
