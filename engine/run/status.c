/* Tells the status topic how the partitions of this process fare. */
#include "engine/run/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/hash.h"
#include "engine/base/log.h"
#include "engine/codec/json_write.h"
#include "engine/model/program.h"

enum { PARTITIONS_MAX = 4096, EVERY_US = 10000000, WAIT_MS = 100 };

struct fb_status {
    struct fb_status_config config;
    struct fb_posting *now, *told;
    bool *missed; /* [i]: told[i] could not be written */
    uint32_t n_told;
    int64_t told_us; /* all of them */
    bool failed;     /* for good, which has been logged */
    struct fb_buf value;
};

struct fb_status *fb_status_new(const struct fb_status_config *config) {
    struct fb_status *status = fb_alloc(sizeof *status);
    status->config = *config;
    status->now = fb_alloc(PARTITIONS_MAX * sizeof *status->now);
    status->told = fb_alloc(PARTITIONS_MAX * sizeof *status->told);
    status->missed = fb_alloc(PARTITIONS_MAX * sizeof *status->missed);
    return status;
}

void fb_status_free(struct fb_status *status) {
    if (!status)
        return;
    free(status->now);
    free(status->told);
    free(status->missed);
    fb_buf_free(&status->value);
    free(status);
}

/* ---- one record ---- */

static void put_text(struct fb_buf *out, const char *name, const char *text) {
    fb_buf_printf(out, ",\"%s\":", name);
    if (text[0])
        fb_json_put_text(out, fb_str_of(text));
    else
        fb_buf_text(out, "null");
}

static void put_time(struct fb_buf *out, const char *name, int64_t us) {
    fb_buf_printf(out, ",\"%s\":", name);
    if (us == FB_NO_TIME)
        fb_buf_text(out, "null");
    else
        fb_json_put_time(out, us);
}

void fb_status_write(const struct fb_status_config *config, const struct fb_posting *posting,
                     int64_t wall_us, struct fb_buf *out) {
    char head[65];
    fb_hex(posting->audit_head, sizeof posting->audit_head, head);
    fb_buf_printf(out, "{\"task\":\"%s/%d\",\"mode\":\"%s\"", config->application,
                  posting->partition, fb_mode_name(posting->mode));
    if (posting->mode == FB_MODE_RESTORING)
        fb_buf_printf(out, ",\"restored_percent\":%u.%u", posting->permille / 10,
                      posting->permille % 10);
    else
        fb_buf_text(out, ",\"restored_percent\":null");
    fb_buf_printf(out, posting->lag < 0 ? ",\"lag\":null" : ",\"lag\":%lld",
                  (long long)posting->lag);
    put_time(out, "clock", posting->clock_us);
    put_time(out, "wall", wall_us);
    put_text(out, "rules", posting->rules);
    put_time(out, "snapshot", posting->snapshot_us);
    fb_buf_printf(out, ",\"commit\":%llu,\"audit_seq\":%llu,\"audit_head\":\"%s\"",
                  (unsigned long long)posting->seq, (unsigned long long)posting->audit_seq, head);
    put_text(out, "detail", posting->detail);
    put_text(out, "instance", config->instance);
    put_text(out, "build", config->build);
    fb_buf_printf(out, ",\"semantics\":%d}", FB_SEMANTICS);
}

/* ---- telling ---- */

static bool put(struct fb_status *status, const struct fb_posting *posting, int64_t wall_us) {
    const struct fb_status_config *config = &status->config;
    char key[300], id[33], time[FB_TIME_TEXT_MAX], source[300];
    struct fb_err err;
    int n = snprintf(key, sizeof key, "%s/%d", config->application, posting->partition);
    snprintf(source, sizeof source, "/flyball/%s", config->application);
    status->value.n = 0;
    fb_status_write(config, posting, wall_us, &status->value);
    uint8_t digest[32];
    struct fb_str value = {status->value.p, status->value.n};
    fb_sha256(&value, 1, digest);
    fb_hex(digest, 16, id);
    fb_time_format(wall_us, time);
    struct fb_header headers[] = {
        {FB_S("ce_specversion"), FB_S("1.0")},           {FB_S("ce_id"), fb_str_of(id)},
        {FB_S("ce_source"), fb_str_of(source)},          {FB_S("ce_type"), FB_S("flyball.status")},
        {FB_S("ce_subject"), {key, (size_t)n}},          {FB_S("ce_time"), fb_str_of(time)},
        {FB_S("content-type"), FB_S("application/json")}};
    struct fb_outgoing out = {.topic = config->topic,
                              .partition = posting->partition < 0 ? 0 : posting->partition,
                              .stamp_us = FB_NO_STAMP,
                              .key = {key, (size_t)n},
                              .value = value,
                              .headers = headers,
                              .n_headers = sizeof headers / sizeof *headers};
    return config->sink->calls->put(config->sink, &out, &err);
}

static bool is_told(const struct fb_status *status, const struct fb_posting *posting) {
    for (uint32_t i = 0; i < status->n_told; i++)
        if (status->told[i].partition == posting->partition)
            return status->told[i].mode == posting->mode && !status->missed[i] &&
                   strcmp(status->told[i].rules, posting->rules) == 0 &&
                   strcmp(status->told[i].detail, posting->detail) == 0;
    return false;
}

void fb_status_tell(struct fb_status *status, int64_t wall_us) {
    struct fb_err err;
    uint32_t n = fb_board_read(status->config.board, status->now, PARTITIONS_MAX);
    bool all = wall_us - status->told_us >= EVERY_US;
    n = n < PARTITIONS_MAX ? n : PARTITIONS_MAX;
    bool missed[PARTITIONS_MAX];
    for (uint32_t i = 0; i < n; i++)
        missed[i] =
            (all || !is_told(status, &status->now[i])) && !put(status, &status->now[i], wall_us);
    memcpy(status->missed, missed, n * sizeof *missed);
    memcpy(status->told, status->now, n * sizeof *status->told);
    status->n_told = n;
    if (all)
        status->told_us = wall_us;
    if (status->config.sink->calls->commit(status->config.sink, NULL, NULL, 0, 0, &err) !=
            FB_COMMIT_FAILED ||
        status->failed)
        return;
    status->failed = true;
    fb_log(FB_LOG_WARN, "the status topic is no longer written: %s", err.text);
}

void fb_status_flush(struct fb_status *status, int patience_ms) {
    struct fb_err err;
    const struct fb_sink_calls *calls = status->config.sink->calls;
    for (int waited_ms = 0; waited_ms < patience_ms; waited_ms += WAIT_MS)
        if (calls->commit(status->config.sink, NULL, NULL, 0, WAIT_MS, &err) != FB_COMMIT_WAIT)
            return;
}
