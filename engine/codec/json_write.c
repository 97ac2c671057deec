/* Writes JSON: text with escapes, numbers, times and values. */
#include "engine/codec/json_write.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/codec/json_find.h"

static void put_escaped(struct fb_buf *out, unsigned char c) {
    static const char short_form[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                      ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (c < sizeof short_form && short_form[c]) {
        fb_buf_char(out, '\\');
        fb_buf_char(out, short_form[c]);
    } else {
        fb_buf_printf(out, "\\u%04x", (unsigned)c);
    }
}

void fb_json_put_text(struct fb_buf *out, struct fb_str text) {
    fb_buf_char(out, '"');
    const char *end = text.p + text.n, *pending = text.p; /* what the output lacks */
    for (const char *p = pending; p < end; p++) {
        p = fb_json_find(text.p, p, end);
        if (p == end || (unsigned char)*p >= 0x80)
            continue;
        fb_buf_put(out, pending, (size_t)(p - pending));
        put_escaped(out, (unsigned char)*p);
        pending = p + 1;
    }
    fb_buf_put(out, pending, (size_t)(end - pending));
    fb_buf_char(out, '"');
}

void fb_json_put_number(struct fb_buf *out, double x) {
    FB_ASSERT(fb_num_finite(x));
    out->n += fb_num_format(x, fb_buf_room(out, FB_NUM_TEXT_MAX));
}

void fb_json_put_int(struct fb_buf *out, int64_t i) {
    out->n += fb_num_format_int(i, fb_buf_room(out, FB_NUM_TEXT_MAX));
}

void fb_json_put_time(struct fb_buf *out, int64_t us) {
    fb_buf_char(out, '"');
    out->n += fb_time_format(us, fb_buf_room(out, FB_TIME_TEXT_MAX));
    fb_buf_char(out, '"');
}

void fb_json_put_value(struct fb_buf *out, enum fb_type type, const struct fb_str *words,
                       const struct fb_value *value) {
    if (value->quality != FB_Q_GOOD) {
        fb_buf_text(out, "null");
        return;
    }
    switch (type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        fb_json_put_number(out, value->num);
        return;
    case FB_T_INTEGER:
        fb_json_put_int(out, value->i);
        return;
    case FB_T_BOOL:
        fb_buf_text(out, value->i ? "true" : "false");
        return;
    case FB_T_TEXT:
        fb_json_put_text(out, value->text);
        return;
    case FB_T_TIME:
        fb_json_put_time(out, value->i);
        return;
    case FB_T_ENUM:
        fb_json_put_text(out, words[value->i]);
        return;
    case FB_T_NONE:
        break;
    }
    FB_BUG("a value that is put out has a type");
}

void fb_json_put_one_line(struct fb_buf *out, struct fb_str json) {
    size_t start = out->n;
    fb_buf_str(out, json);
    for (size_t i = start; i < out->n; i++)
        if (out->p[i] == '\n' || out->p[i] == '\r')
            out->p[i] = ' ';
}

void fb_json_put_base64(struct fb_buf *out, struct fb_str bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t group = (uint32_t)(unsigned char)bytes.p[i] << 16;
        if (left > 1)
            group |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
        if (left > 2)
            group |= (uint32_t)(unsigned char)bytes.p[i + 2];
        fb_buf_char(out, digits[group >> 18]);
        fb_buf_char(out, digits[(group >> 12) & 63]);
        fb_buf_char(out, left > 1 ? digits[(group >> 6) & 63] : '=');
        fb_buf_char(out, left > 2 ? digits[group & 63] : '=');
    }
}
