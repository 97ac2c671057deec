/* Writes JSON: text with escapes, numbers, times and values. */
#include "engine/codec/json_write.h"

#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/num.h"

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
    size_t plain = 0; /* start of the run that needs no escape */
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        fb_buf_put(out, text.p + plain, i - plain);
        put_escaped(out, c);
        plain = i + 1;
    }
    if (text.n > plain)
        fb_buf_put(out, text.p + plain, text.n - plain);
    fb_buf_char(out, '"');
}

void fb_json_put_number(struct fb_buf *out, double x) {
    char text[FB_NUM_TEXT_MAX];
    FB_ASSERT(fb_num_finite(x));
    fb_buf_put(out, text, fb_num_format(x, text));
}

void fb_json_put_int(struct fb_buf *out, int64_t i) {
    char text[20];
    size_t at = sizeof text;
    uint64_t left = i < 0 ? -(uint64_t)i : (uint64_t)i;
    do
        text[--at] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (i < 0)
        text[--at] = '-';
    fb_buf_put(out, text + at, sizeof text - at);
}

void fb_json_put_time(struct fb_buf *out, int64_t us) {
    char text[FB_TIME_TEXT_MAX];
    size_t n = fb_time_format(us, text);
    fb_buf_char(out, '"');
    fb_buf_put(out, text, n);
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
