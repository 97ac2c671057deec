/* A stream of sample telemetry: the same seed gives the same bytes, on every machine.
 *
 * Place in the flow: profile -> records as JSON, in the order of their arrival. One owner. */
#ifndef FB_SAMPLE_STREAM_H
#define FB_SAMPLE_STREAM_H

#include "engine/base/str.h"
#include "engine/sample/profile.h"

struct fb_stream_options {
    const struct fb_profile *profile;
    uint32_t devices;
    double rate;           /* records a second and device; 0: the profile's own */
    int64_t duration_us;
    int64_t start_us;      /* ts of the first record */
    uint64_t seed;
    uint32_t fault_factor; /* in per cent of the profile's shares; 0: none */
    uint32_t poison_every; /* one record in so many is no JSON; 0: none */
};

struct fb_sample_stream;

struct fb_sample_stream *fb_stream_new(const struct fb_stream_options *options);
void fb_stream_free(struct fb_sample_stream *stream);

struct fb_stream_record {
    struct fb_str key, value; /* views until the next call */
    int64_t stamp_us;         /* when it arrives */
};
/* The next record in the order of arrival; false at the end. */
bool fb_stream_next(struct fb_sample_stream *stream, struct fb_stream_record *record);

#endif
