/* The decoder: the bytes of a record -> entries, or rejects with their reasons.
 *
 * Place in the flow: connectors -> decoder -> core. One owner each; the program must outlive it.
 * Rows of CSV have a decoder of their own (codec/csv). */
#ifndef FB_CODEC_DECODE_H
#define FB_CODEC_DECODE_H

#include "engine/codec/maker.h"

enum fb_decoded { FB_DECODED_END, FB_DECODED_ENTRY, FB_DECODED_REJECT };

struct fb_decoder;
/* For a topic: `classes` are the indices of those that take its records, at least one. A path that
 * several of them declare is one name: twice in an object it spoils the object for all. */
struct fb_decoder *fb_decoder_new(const struct fb_program *program, const uint16_t *classes,
                                  uint32_t n_classes, struct fb_json_limits limits);
void fb_decoder_free(struct fb_decoder *decoder);

/* Starts on a record: one object, NDJSON or an array (codec/json). arrival_us: the broker's stamp,
 * FB_NO_TIME if it gave none. The payload and the topic's name must live until the last
 * fb_decoder_next. */
void fb_decoder_begin(struct fb_decoder *decoder, struct fb_str payload,
                      const struct fb_origin *origin, int64_t arrival_us);
/* The next entry or reject, in the order of the objects, then of the classes. Every class whose
 * keys are all in an object takes it; when none does, it is a reject NO_KEY. Only the struct that
 * the result names is filled; views live until the next call. */
enum fb_decoded fb_decoder_next(struct fb_decoder *decoder, struct fb_entry *entry,
                                struct fb_reject *reject);

#endif
