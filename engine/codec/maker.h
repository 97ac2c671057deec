/* From the values that a record carries to an entry of one class: types, keys, time.
 *
 * Place in the flow: codec/decode (JSON) and codec/csv find the values, a maker makes the entry.
 * One owner each; the program must outlive it. */
#ifndef FB_CODEC_MAKER_H
#define FB_CODEC_MAKER_H

#include "engine/codec/json.h"
#include "engine/model/entry.h"
#include "engine/model/program.h"

/* Why a record, or one object of it, gives no entry. Views live as long as an entry's. */
struct fb_reject {
    const char *code;     /* stable: NO_KEY, KEY_TOO_LONG, BAD_TIME, JSON_..., CSV_... */
    struct fb_str detail; /* what is wrong, in words */
    struct fb_origin origin;
    struct fb_str raw; /* the bytes that are given up */
};

enum fb_made {
    FB_MADE_ENTRY,
    FB_MADE_NO_KEY, /* a key is missing: perhaps a record of another class */
    FB_MADE_REJECT
};

struct fb_maker;
struct fb_maker *fb_maker_new(const struct fb_program *program, uint16_t class_index);
void fb_maker_free(struct fb_maker *maker);

/* The samples of a record. `by_field`: the value of each field of the class, ABSENT where the
 * record has none; `time`: that of the time field, not read with `time arrival`; arrival_us: the
 * broker's stamp, FB_NO_TIME if it gave none. Fills the entry's class, device, ts and samples, or
 * the reject's code and detail; they live until the next call. */
enum fb_made fb_maker_make(struct fb_maker *maker, const struct fb_json_value *const *by_field,
                           const struct fb_json_value *time, int64_t arrival_us,
                           struct fb_entry *entry, struct fb_reject *reject);

#endif
