/* What of a record's headers goes along with what the record causes. */
#include "engine/run/headers.h"

#include <stdio.h>

static uint32_t read_headers(const struct fb_record *record, struct fb_header *headers,
                             uint32_t max) {
    return record->headers ? record->headers(record->message, headers, max) : 0;
}

/* ---- traces ---- */

/* n lower-case hex digits, not all of them 0, then `end` (0: the text's). */
static bool take_hex(const char **at, int n, char end, bool zero_allowed) {
    bool zero = true;
    for (int i = 0; i < n; i++) {
        char c = *(*at)++;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        zero = zero && c == '0';
    }
    return (zero_allowed || !zero) && (!end || *(*at)++ == end);
}

static bool is_trace(struct fb_str s) {
    const char *at = s.p;
    return s.n == FB_TRACE_BYTES && memcmp(at, "00-", 3) == 0 && (at += 3) &&
           take_hex(&at, 32, '-', false) && take_hex(&at, 16, '-', false) &&
           take_hex(&at, 2, '\0', true);
}

struct fb_str fb_headers_trace(const struct fb_record *record, char out[FB_TRACE_BYTES]) {
    static const struct fb_str names[] = {{"ce_traceparent", 14}, {"traceparent", 11}};
    struct fb_header headers[FB_HEADERS_KEPT_MAX];
    uint32_t n = read_headers(record, headers, FB_HEADERS_KEPT_MAX);
    n = n < FB_HEADERS_KEPT_MAX ? n : FB_HEADERS_KEPT_MAX;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (uint32_t i = 0; i < n; i++)
            if (fb_str_eq(headers[i].name, names[k]) && is_trace(headers[i].value)) {
                memcpy(out, headers[i].value.p, FB_TRACE_BYTES);
                return (struct fb_str){out, FB_TRACE_BYTES};
            }
    return (struct fb_str){NULL, 0};
}

/* ---- hops ---- */

/* Digits alone; what is too much stays 255. */
static uint8_t parse_hops(struct fb_str s) {
    uint32_t hops = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return 0;
        hops = hops * 10 + (uint32_t)(s.p[i] - '0');
        hops = hops < UINT8_MAX ? hops : UINT8_MAX;
    }
    return (uint8_t)hops;
}

uint8_t fb_headers_hops(const struct fb_record *record) {
    struct fb_header headers[FB_HEADERS_KEPT_MAX];
    uint32_t n = read_headers(record, headers, FB_HEADERS_KEPT_MAX);
    for (uint32_t i = 0; i < n && i < FB_HEADERS_KEPT_MAX; i++)
        if (fb_str_eq(headers[i].name, FB_S("ce_hop")))
            return parse_hops(headers[i].value);
    return 0;
}

/* ---- dead letters ---- */

static bool is_ours(struct fb_str name) {
    return name.n >= 3 && memcmp(name.p, "fb_", 3) == 0;
}

uint32_t fb_headers_of_dead(const struct fb_record *record, struct fb_header *headers,
                            char count[16]) {
    struct fb_header all[FB_HEADERS_KEPT_MAX];
    uint32_t n = read_headers(record, all, FB_HEADERS_KEPT_MAX), kept = 0;
    uint32_t left_out = n > FB_HEADERS_KEPT_MAX ? n - FB_HEADERS_KEPT_MAX : 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < n && i < FB_HEADERS_KEPT_MAX; i++) {
        if (is_ours(all[i].name))
            continue;
        bytes += all[i].name.n + all[i].value.n;
        headers[kept++] = all[i];
    }
    for (; bytes > FB_HEADERS_BYTES_MAX; left_out++) {
        kept--;
        bytes -= headers[kept].name.n + headers[kept].value.n;
    }
    if (left_out) {
        int digits = snprintf(count, 16, "%u", left_out);
        headers[kept++] = (struct fb_header){FB_S("fb_headers_left_out"), {count, (size_t)digits}};
    }
    return kept;
}
