/* Prints one encoded record of each kind, one JSON object a line, for validate.py. */
#include "tests/schemas/sample.h"

#include <stdio.h>

#include "engine/codec/audit.h"
#include "engine/run/status.h"

#define TEXT(literal) {literal, sizeof(literal) - 1}

static const struct fb_str calls[] = {
    TEXT("{\"call\":\"hand\",\"actuator\":\"valve\",\"device\":\"p-1\",\"value\":5.5,"
         "\"until\":\"2026-11-21T12:00:00Z\",\"who\":\"ann\",\"reason\":\"a test\"}"),
    TEXT("{\"call\":\"kill\",\"mode\":\"safe\",\"all\":true,\"who\":\"ann\","
         "\"reason\":\"smoke\"}"),
    TEXT("{\"call\":\"unkill\",\"rule\":\"hot\",\"who\":\"ann\"}"),
    TEXT("{\"call\":\"reset\",\"actuator\":\"fan\",\"device\":\"p-1\",\"who\":\"ann\"}"),
    TEXT("{\"call\":\"ack\",\"alarm\":\"hot/p-1\",\"who\":\"ann\"}"),
    TEXT("{\"call\":\"shelve\",\"alarm\":\"hot/p-1\",\"until\":\"2026-11-21T12:00:00Z\","
         "\"who\":\"ann\",\"reason\":\"repair\"}"),
    TEXT("{\"call\":\"unshelve\",\"alarm\":\"hot/p-1\",\"who\":\"ann\"}"),
    TEXT("{\"call\":\"maintenance\",\"device\":\"p-1\",\"until\":\"2026-11-21T12:00:00Z\","
         "\"who\":\"ann\"}"),
    TEXT("{\"call\":\"service\",\"device\":\"p-1\",\"who\":\"ann\"}"),
    TEXT("{\"call\":\"dance\",\"who\":\"ann\"}"),
    TEXT("no call"),
};

static void print_calls(struct fb_encoder *encoder, struct fb_auditor *auditor,
                        struct fb_buf *out) {
    struct fb_call_reader *reader = fb_call_reader_new();
    struct fb_origin origin = {.topic = FB_S("plant.control"), .offset = 7};
    struct fb_encoded encoded;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct fb_call_read read;
        if (fb_call_read(reader, calls[i], &read)) {
            fb_buf_str(out, calls[i]);
            fb_buf_char(out, '\n');
        }
        for (int outcome = FB_CALL_ACCEPTED; outcome <= FB_CALL_NO_ACTUATOR; outcome++) {
            fb_audit_call(auditor, encoder, &read, (enum fb_call_outcome)outcome, calls[i],
                          &origin, &encoded);
            fb_encode_line(&encoded, out);
        }
    }
    fb_call_reader_free(reader);
}

static void print_audit(struct fb_encoder *encoder, struct fb_output *decisions, size_t n,
                        const struct fb_dead_letter *letter, struct fb_buf *out) {
    struct fb_auditor auditor = sample_auditor();
    struct fb_encoded encoded;
    for (int began = 0; began < 2; began++) {
        fb_audit_rules(&auditor, encoder, "0.1.0", &encoded);
        fb_encode_line(&encoded, out);
        fb_audit_rejected(&auditor, encoder, letter, &encoded);
        fb_encode_line(&encoded, out);
        auditor.clock_us = 1795247999123456;
    }
    for (size_t i = 0; i < n; i++) {
        fb_audit_decision(&auditor, encoder, &decisions[i],
                          (struct fb_circumstance){.initial = true}, NULL, &encoded);
        fb_encode_line(&encoded, out);
    }
    struct fb_withheld withheld[] = {sample_withheld(), sample_withheld_shadow()};
    for (int i = 0; i < 2; i++) {
        fb_audit_withheld(&auditor, encoder, &withheld[i], &encoded);
        fb_encode_line(&encoded, out);
    }
    print_calls(encoder, &auditor, out);
    for (int i = 0; i < 2; i++) {
        fb_audit_clock(&auditor, encoder, 0, i ? &letter->origin : NULL, &encoded);
        fb_encode_line(&encoded, out);
    }
}

static void print_statuses(struct fb_buf *out) {
    const struct fb_status_config config = {
        .application = "plant", .instance = "a", .build = "0.1"};
    const struct fb_posting postings[] = {{.mode = FB_MODE_RESTORING,
                                           .permille = 1000,
                                           .lag = -1,
                                           .clock_us = FB_NO_TIME,
                                           .snapshot_us = FB_NO_TIME},
                                          {.partition = 2,
                                           .mode = FB_MODE_NORMAL,
                                           .lag = 7,
                                           .clock_us = 1795247999123456,
                                           .snapshot_us = 1795247999000000,
                                           .seq = 12,
                                           .audit_seq = 3,
                                           .rules = "0123456789ab"},
                                          {.partition = 3,
                                           .mode = FB_MODE_FROZEN,
                                           .clock_us = FB_NO_TIME,
                                           .snapshot_us = FB_NO_TIME},
                                          {.partition = -1,
                                           .mode = FB_MODE_HALTED,
                                           .clock_us = FB_NO_TIME,
                                           .snapshot_us = FB_NO_TIME,
                                           .detail = "a \"reason\""}};
    for (size_t i = 0; i < sizeof postings / sizeof *postings; i++) {
        fb_buf_printf(out,
                      "{\"specversion\":\"1.0\",\"id\":\"%032d\",\"source\":\"/flyball/plant\","
                      "\"type\":\"flyball.status\",\"subject\":\"plant/%d\","
                      "\"time\":\"2026-11-21T00:00:00.000Z\","
                      "\"datacontenttype\":\"application/json\",\"data\":",
                      (int)i, postings[i].partition);
        fb_status_write(&config, &postings[i], 1795247999123456, out);
        fb_buf_text(out, "}\n");
    }
}

int main(void) {
    struct fb_encoder *encoder = fb_encoder_new(sample_program(), FB_S("plant"));
    struct fb_output outputs[] = {sample_alert(),        sample_cleared(),  sample_removed(),
                                  sample_shelved(),      sample_acked(),    sample_suppressed(),
                                  sample_unshelved(),    sample_flapping(), sample_event(),
                                  sample_late(),         sample_future(),   sample_command(),
                                  sample_relinquished(), sample_shadow()};
    struct fb_output decisions[] = {sample_alert(),
                                    sample_cleared(),
                                    sample_shelved(),
                                    sample_muted(),
                                    sample_flapping(),
                                    sample_muted_flapping(),
                                    sample_command(),
                                    sample_relinquished(),
                                    sample_shadow(),
                                    sample_block(),
                                    sample_block_ended(),
                                    sample_block_of_fleet(),
                                    sample_block_of_breaker(),
                                    sample_block_of_rate()};
    struct fb_dead_letter letters[] = {sample_dead(), sample_dead_binary()};
    struct fb_encoded encoded;
    struct fb_buf out = {0};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        fb_encode(encoder, &outputs[i], (struct fb_circumstance){.historical = i == 0}, &encoded);
        fb_encode_line(&encoded, &out);
        encoded.traceparent = FB_S("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        memcpy(encoded.hop, "16", 3);
        fb_encode_line(&encoded, &out);
    }
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        fb_encode_dead(encoder, &letters[i], &encoded);
        fb_encode_line(&encoded, &out);
    }
    print_audit(encoder, decisions, sizeof decisions / sizeof *decisions, &letters[1], &out);
    print_statuses(&out);
    fwrite(out.p, 1, out.n, stdout);
    fb_buf_free(&out);
    fb_encoder_free(encoder);
    return 0;
}
