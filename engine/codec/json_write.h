/* Writes JSON: text with escapes, numbers, times and values.
 *
 * Place in the flow: codec/encode and the commands that print JSON. */
#ifndef FB_CODEC_JSON_WRITE_H
#define FB_CODEC_JSON_WRITE_H

#include "engine/base/str.h"
#include "engine/model/value.h"

/* A quoted string; the text must be UTF-8. */
void fb_json_put_text(struct fb_buf *out, struct fb_str text);
/* Shortest form that reads back the same; x is finite. */
void fb_json_put_number(struct fb_buf *out, double x);
void fb_json_put_int(struct fb_buf *out, int64_t i);
/* RFC 3339 in quotes. */
void fb_json_put_time(struct fb_buf *out, int64_t us);
/* A value of a type; `words` of an enumeration, else NULL. null where it is not good. */
void fb_json_put_value(struct fb_buf *out, enum fb_type type, const struct fb_str *words,
                       const struct fb_value *value);
/* A JSON text on one line: line ends outside strings, the only place they may be, become blanks. */
void fb_json_put_one_line(struct fb_buf *out, struct fb_str json);
void fb_json_put_base64(struct fb_buf *out, struct fb_str bytes);

#endif
