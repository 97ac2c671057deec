/* What stands in the rules topic. */
#include "engine/run/deployments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/hash.h"
#include "engine/codec/chunk.h"

enum { HEADERS_MAX = 16 };

static void read_headers(const struct fb_record *record, struct fb_deployment *to) {
    struct fb_header headers[HEADERS_MAX];
    uint32_t n = record->headers ? record->headers(record->message, headers, HEADERS_MAX) : 0;
    for (uint32_t i = 0; i < n && i < HEADERS_MAX; i++) {
        if (fb_str_eq(headers[i].name, FB_S("fb_by")))
            snprintf(to->by, sizeof to->by, "%.*s", FB_ARG(headers[i].value));
        if (fb_str_eq(headers[i].name, FB_S("fb_at")))
            snprintf(to->at, sizeof to->at, "%.*s", FB_ARG(headers[i].value));
    }
}

static void read_record(struct fb_chunk_coder *coder, const struct fb_record *record,
                        struct fb_deployment *to) {
    struct fb_str bytes;
    struct fb_err err;
    *to = (struct fb_deployment){.kind = FB_DEPLOYED_DAMAGED, .offset = record->offset};
    read_headers(record, to);
    if (fb_str_eq(record->key, FB_S("drain")))
        to->kind = FB_DEPLOYED_DRAIN;
    if (!fb_str_eq(record->key, FB_S("rules")) ||
        !fb_rules_decode(coder, record->value, &bytes, &err))
        return;
    to->kind = FB_DEPLOYED_RULES;
    fb_buf_str(&to->bytes, bytes);
    fb_sha256(&bytes, 1, to->hash);
    fb_hex(to->hash, 6, to->name);
}

static bool read_from(struct fb_deployments *all, struct fb_history *history, const char *topic,
                      struct fb_err *err) {
    struct fb_record record;
    enum fb_read read;
    struct fb_reader *reader = history->calls->open(history, topic, 0, all->next, err);
    if (!reader)
        return false;
    struct fb_chunk_coder *coder = fb_chunk_coder_new();
    FB_ASSERT(coder);
    while ((read = reader->calls->next(reader, &record, err)) == FB_READ_RECORD) {
        FB_PUSH_ROOM(all->items, all->n, all->cap);
        read_record(coder, &record, &all->items[all->n++]);
        all->next = record.offset + 1;
    }
    fb_chunk_coder_free(coder);
    reader->calls->close(reader);
    return read == FB_READ_END;
}

bool fb_deployments_read(struct fb_deployments *all, struct fb_history *history, const char *topic,
                         bool sure, struct fb_err *err) {
    int64_t first, end;
    if (!(sure ? history->calls->bounds : history->calls->peek)(history, topic, 0, &first, &end,
                                                                err))
        return false;
    if (all->next < first || all->next > end)
        all->next = first;
    return all->next == end || read_from(all, history, topic, err);
}

void fb_deployments_clear(struct fb_deployments *all) {
    for (size_t i = 0; i < all->n; i++)
        fb_buf_free(&all->items[i].bytes);
    all->n = 0;
}

void fb_deployments_free(struct fb_deployments *all) {
    fb_deployments_clear(all);
    free(all->items);
    *all = (struct fb_deployments){0};
}

const struct fb_deployment *fb_deployments_last(const struct fb_deployments *all, size_t before,
                                                const uint8_t *other_than) {
    for (size_t i = before < all->n ? before : all->n; i-- > 0;) {
        const struct fb_deployment *item = &all->items[i];
        if (item->kind == FB_DEPLOYED_RULES &&
            (!other_than || memcmp(item->hash, other_than, sizeof item->hash) != 0))
            return item;
    }
    return NULL;
}

struct fb_outgoing fb_deployment_record(const char *topic, struct fb_str bundle, const char *by,
                                        const char *at, struct fb_header *headers,
                                        struct fb_buf *value) {
    if (bundle.p) {
        struct fb_chunk_coder *coder = fb_chunk_coder_new();
        FB_ASSERT(coder);
        fb_rules_encode(coder, bundle, value);
        fb_chunk_coder_free(coder);
    }
    headers[0] = (struct fb_header){FB_S("fb_by"), fb_str_of(by)};
    headers[1] = (struct fb_header){FB_S("fb_at"), fb_str_of(at)};
    return (struct fb_outgoing){.topic = topic,
                                .stamp_us = FB_NO_STAMP,
                                .key = bundle.p ? FB_S("rules") : FB_S("drain"),
                                .value = bundle.p ? (struct fb_str){value->p, value->n} : FB_S(""),
                                .headers = headers,
                                .n_headers = FB_DEPLOYMENT_HEADERS};
}
