/* Any bytes, line by line, through the CSV decoder.
 *
 * Place in the flow: libFuzzer target; seeds in corpus/csv. */
#include <stdint.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/codec/csv.h"

static struct fb_str names[] = {{"host", 4}, {"load", 4}, {"n", 1}, {"up", 2}, {"note", 4}};
static struct fb_field fields[] = {
    {.role = FB_ROLE_KEY, .type = FB_T_TEXT, .paths = &names[0], .n_paths = 1},
    {.type = FB_T_NUMBER, .paths = &names[1], .n_paths = 1},
    {.type = FB_T_INTEGER, .paths = &names[2], .n_paths = 1},
    {.type = FB_T_BOOL, .paths = &names[3], .n_paths = 1},
    {.type = FB_T_TEXT, .paths = &names[4], .n_paths = 1},
};
static struct fb_class class_ = {.fields = fields,
                                 .n_fields = sizeof fields / sizeof *fields,
                                 .n_keys = 1,
                                 .time_path = {"ts", 2},
                                 .time_unit = FB_TIME_S};
static const struct fb_program program = {.classes = &class_, .n_classes = 1};

static void check_record(struct fb_csv *csv, int64_t number) {
    struct fb_origin origin = {.partition = -1, .offset = number};
    struct fb_entry entry;
    struct fb_reject reject;
    enum fb_decoded decoded;
    int given = 0;
    fb_csv_begin(csv, &origin, FB_NO_TIME);
    while ((decoded = fb_csv_next(csv, &entry, &reject)) != FB_DECODED_END) {
        given++;
        if (decoded == FB_DECODED_REJECT) {
            FB_ASSERT(reject.code && reject.detail.n > 0);
            continue;
        }
        FB_ASSERT(entry.device.n > 0 && entry.device.n <= FB_DEVICE_ID_MAX);
        FB_ASSERT(fb_str_is_utf8(entry.device));
        FB_ASSERT(entry.n_samples >= 1 && entry.n_samples <= class_.n_fields);
    }
    FB_ASSERT(given == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const uint16_t class_index;
    struct fb_csv *csv = fb_csv_new(&program, &class_index, 1, NULL, 0);
    const char *p = (const char *)bytes, *end = p + n;
    enum fb_csv_line line = FB_CSV_TAKEN;
    struct fb_err err;
    int64_t number = 0;
    while (p < end && line != FB_CSV_FAILED) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end;
        line = fb_csv_line(csv, (struct fb_str){p, (size_t)(stop - p)}, &err);
        if (line == FB_CSV_RECORD)
            check_record(csv, number++);
        p = newline ? newline + 1 : end;
    }
    if (line != FB_CSV_FAILED && fb_csv_end(csv, &err) == FB_CSV_RECORD)
        check_record(csv, number);
    fb_csv_free(csv);
    return 0;
}
