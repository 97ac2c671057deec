/* The decoder: from a record's bytes to entries and rejects, over two classes made by hand. */
#include "engine/codec/decode.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/num.h"

static struct fb_str unit_words[] = {{"off", 3}, {"on", 2}, {"fault", 5}};
#define PATHS(...)                                                                                 \
    (struct fb_str[]) {                                                                            \
        __VA_ARGS__                                                                                \
    }
#define NAME(text)                                                                                 \
    { text, sizeof(text) - 1 }

/* pump: key site, no; time ts */
static struct fb_field pump_fields[] = {
    {.name = NAME("site"), .role = FB_ROLE_KEY, .type = FB_T_TEXT, .n_paths = 1},
    {.name = NAME("no"), .role = FB_ROLE_KEY, .type = FB_T_TEXT, .n_paths = 1},
    {.name = NAME("load"),
     .type = FB_T_NUMBER,
     .paths = PATHS(NAME("data.load"), NAME("load")),
     .n_paths = 2,
     .has_range = true,
     .range_low = 0,
     .range_high = 100,
     .has_null = true,
     .null_value = {.num = -1}},
    {.name = NAME("starts"),
     .type = FB_T_INTEGER,
     .n_paths = 1,
     .has_range = true,
     .range_low = -5,
     .range_high = 1e18,
     .has_null = true,
     .null_value = {.i = 99}},
    {.name = NAME("energy"), .type = FB_T_COUNTER, .n_paths = 1},
    {.name = NAME("running"), .type = FB_T_BOOL, .n_paths = 1},
    {.name = NAME("note"),
     .type = FB_T_TEXT,
     .n_paths = 1,
     .has_null = true,
     .null_value = {.text = NAME("n/a")}},
    {.name = NAME("seen"), .type = FB_T_TIME, .n_paths = 1},
    {.name = NAME("state"), .type = FB_T_ENUM, .n_paths = 1, .words = unit_words, .n_words = 3},
};
/* fan: key fan; time arrival */
static struct fb_field fan_fields[] = {
    {.name = NAME("fan"), .role = FB_ROLE_KEY, .type = FB_T_INTEGER, .n_paths = 1},
    {.name = NAME("speed"), .type = FB_T_NUMBER, .n_paths = 1},
};
static struct fb_class classes[] = {
    {.name = NAME("pump"),
     .fields = pump_fields,
     .n_fields = sizeof pump_fields / sizeof *pump_fields,
     .n_keys = 2,
     .time_path = NAME("ts"),
     .time_unit = FB_TIME_MS},
    {.name = NAME("fan"),
     .fields = fan_fields,
     .n_fields = sizeof fan_fields / sizeof *fan_fields,
     .n_keys = 1,
     .time_unit = FB_TIME_ARRIVAL},
};
static const struct fb_program program = {.classes = classes, .n_classes = 2};

static struct fb_decoder *decoder;
static struct fb_buf shown;

static int set_up(void **state) {
    (void)state;
    static const uint16_t both[] = {0, 1};
    for (size_t i = 0; i < program.n_classes; i++)
        for (uint32_t f = 0; f < classes[i].n_fields; f++)
            if (!classes[i].fields[f].paths)
                classes[i].fields[f].paths = &classes[i].fields[f].name;
    classes[0].time_unit = FB_TIME_MS;
    decoder = fb_decoder_new(&program, both, 2, FB_JSON_LIMITS);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fb_decoder_free(decoder);
    fb_buf_free(&shown);
    return 0;
}

static void show_sample(const struct fb_field *field, const struct fb_sample *sample) {
    static const char *const states[] = {"", "NULL", "TYPE", "WORD", "RANGE"};
    char number[FB_NUM_TEXT_MAX];
    fb_buf_printf(&shown, " %.*s=", FB_ARG(field->name));
    if (sample->state != FB_SAMPLE_GOOD)
        fb_buf_text(&shown, states[sample->state]);
    else if (field->type == FB_T_TEXT)
        fb_buf_printf(&shown, "'%.*s'", FB_ARG(sample->text));
    else if (field->type == FB_T_NUMBER || field->type == FB_T_COUNTER)
        fb_buf_put(&shown, number, fb_num_format(sample->num, number));
    else
        fb_buf_printf(&shown, "%lld", (long long)sample->i);
}

/* "class[index] device@ts field=value .." for each entry, "!CODE[index]" for each reject. */
static const char *decode_at(struct fb_str payload, int64_t arrival_us) {
    struct fb_origin origin = {.topic = FB_S("t"), .partition = 3, .offset = 17};
    struct fb_entry entry;
    struct fb_reject reject;
    shown.n = 0;
    fb_decoder_begin(decoder, payload, &origin, arrival_us);
    for (;;) {
        enum fb_decoded decoded = fb_decoder_next(decoder, &entry, &reject);
        if (decoded == FB_DECODED_END)
            return fb_buf_terminated(&shown);
        if (shown.n)
            fb_buf_text(&shown, " | ");
        if (decoded == FB_DECODED_REJECT) {
            assert_int_equal(reject.origin.offset, 17);
            fb_buf_printf(&shown, "!%s[%u]", reject.code, reject.origin.index);
            continue;
        }
        const struct fb_class *class_ = &classes[entry.class_index];
        assert_int_equal(entry.origin.offset, 17);
        fb_buf_printf(&shown, "%.*s[%u] %.*s@%lld", FB_ARG(class_->name), entry.origin.index,
                      FB_ARG(entry.device), (long long)entry.ts_us);
        for (uint32_t i = 0; i < entry.n_samples; i++) {
            assert_true(i == 0 || entry.samples[i].field > entry.samples[i - 1].field);
            show_sample(&class_->fields[entry.samples[i].field], &entry.samples[i]);
        }
    }
}

static const char *decode(const char *payload) {
    return decode_at(fb_str_of(payload), 1000);
}

/* Decodes one pump with one more member and gives what is shown behind the keys. */
static const char *decode_member(const char *member) {
    struct fb_buf text = {0};
    fb_buf_printf(&text, "{\"site\":\"s\",\"no\":1,\"ts\":1,%s}", member);
    const char *out = decode_at((struct fb_str){text.p, text.n}, 0);
    fb_buf_free(&text);
    static const char wanted[] = "pump[0] s,1@1000 site='s' no='1'";
    assert_memory_equal(out, wanted, sizeof wanted - 1);
    out += sizeof wanted - 1;
    return *out ? out + 1 : out;
}

static void decodes_every_type(void **state) {
    (void)state;
    assert_string_equal(
        decode("{\"site\":\"north\",\"no\":7,\"ts\":1732147200000,\"data\":{\"load\":55.5},"
               "\"starts\":12,\"energy\":1e6,\"running\":true,\"note\":\"ok\","
               "\"seen\":\"2026-11-21T08:00:00Z\",\"state\":\"fault\",\"other\":[1]}"),
        "pump[0] north,7@1732147200000000 site='north' no='7' load=55.5 starts=12 energy=1000000 "
        "running=1 note='ok' seen=1795248000000000 state=2");
}

static void a_missing_name_gives_no_sample(void **state) {
    (void)state;
    assert_string_equal(decode_member("\"zzz\":1"), "");
}

static void the_first_path_that_is_there_wins(void **state) {
    (void)state;
    assert_string_equal(decode_member("\"load\":2"), "load=2");
    assert_string_equal(decode_member("\"load\":2,\"data\":{\"load\":3}"), "load=3");
    assert_string_equal(decode_member("\"load\":2,\"data\":{\"load\":null}"), "load=NULL");
    assert_string_equal(decode_member("\"load\":2,\"data\":7"), "load=2");
}

static void a_wrong_type_spoils_the_field_only(void **state) {
    (void)state;
    assert_string_equal(decode_member("\"load\":\"5\",\"starts\":true,\"energy\":{},\"running\":1,"
                                      "\"note\":5,\"seen\":\"soon\",\"state\":1"),
                        "load=TYPE starts=TYPE energy=TYPE running=TYPE note=TYPE seen=TYPE "
                        "state=TYPE");
    assert_string_equal(decode_member("\"load\":[1],\"starts\":1.5,\"energy\":1e999,"
                                      "\"running\":\"true\",\"seen\":true,\"state\":[]"),
                        "load=TYPE starts=TYPE energy=TYPE running=TYPE seen=TYPE state=TYPE");
}

static void null_and_the_declared_null_are_bad(void **state) {
    (void)state;
    assert_string_equal(decode_member("\"load\":null,\"starts\":null,\"note\":null,\"seen\":null,"
                                      "\"state\":null,\"running\":null"),
                        "load=NULL starts=NULL running=NULL note=NULL seen=NULL state=NULL");
    assert_string_equal(decode_member("\"load\":-1.0,\"starts\":99,\"note\":\"n/a\""),
                        "load=NULL starts=NULL note=NULL");
}

static void a_value_outside_its_range_is_bad(void **state) {
    (void)state;
    assert_string_equal(decode_member("\"load\":100"), "load=100");
    assert_string_equal(decode_member("\"load\":0"), "load=0");
    assert_string_equal(decode_member("\"load\":100.00000000000001"), "load=RANGE");
    assert_string_equal(decode_member("\"load\":-0.5"), "load=RANGE");
    assert_string_equal(decode_member("\"starts\":-6"), "starts=RANGE");
    assert_string_equal(decode_member("\"starts\":-5"), "starts=-5");
}

static void words_are_looked_up(void **state) {
    (void)state;
    assert_string_equal(decode_member("\"state\":\"off\""), "state=0");
    assert_string_equal(decode_member("\"state\":\"o\\u006e\""), "state=1");
    assert_string_equal(decode_member("\"state\":\"ON\""), "state=WORD");
    assert_string_equal(decode_member("\"state\":\"\""), "state=WORD");
}

static void integers_are_exact(void **state) {
    (void)state;
    assert_string_equal(decode_member("\"starts\":5.0"), "starts=5");
    assert_string_equal(decode_member("\"starts\":900719925474099301"),
                        "starts=900719925474099301");
    assert_string_equal(decode_member("\"starts\":9223372036854775808"), "starts=TYPE");
}

static void text_of_more_than_255_bytes_is_bad(void **state) {
    (void)state;
    char member[300];
    memset(member, 'x', sizeof member);
    memcpy(member, "\"note\":\"", 8);
    memcpy(member + 8 + 255, "\"", 2);
    assert_int_equal(strlen(decode_member(member)), 5 + 255 + 2);
    memcpy(member + 8 + 255, "x\"", 3);
    assert_string_equal(decode_member(member), "note=TYPE");
}

static void keys_are_texts_or_integers(void **state) {
    (void)state;
    assert_string_equal(decode("{\"site\":12,\"no\":\"12\",\"ts\":0}"),
                        "pump[0] 12,12@0 site='12' no='12'");
    assert_string_equal(decode("{\"site\":12.0,\"no\":-1e1,\"ts\":0}"),
                        "pump[0] 12,-10@0 site='12' no='-10'");
    assert_string_equal(decode("{\"site\":\"a,b\",\"no\":\"100%/x\",\"ts\":0}"),
                        "pump[0] a%2Cb,100%25%2Fx@0 site='a,b' no='100%/x'");
    assert_string_equal(decode("{\"fan\":\"7\",\"speed\":3}"), "fan[0] 7@1000 fan=7 speed=3");
}

static void a_record_without_its_keys_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "{}",
        "{\"site\":\"a\",\"ts\":1}",
        "{\"site\":\"\",\"no\":1,\"ts\":1}",
        "{\"site\":null,\"no\":1,\"ts\":1}",
        "{\"site\":1.5,\"no\":1,\"ts\":1}",
        "{\"site\":true,\"no\":1,\"ts\":1}",
        "{\"site\":{},\"no\":1,\"ts\":1}",
        "{\"site\":[1],\"no\":1,\"ts\":1}",
        "{\"site\":99999999999999999999,\"no\":1,\"ts\":1}",
        "{\"fan\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_string_equal(decode(bad[i]), "!NO_KEY[0]");
}

static void every_class_whose_keys_are_there_takes_a_record(void **state) {
    (void)state;
    assert_string_equal(
        decode("{\"site\":\"a\",\"no\":1,\"ts\":1,\"fan\":2,\"speed\":3}\n{\"fan\":4}\n{\"x\":1}\n"
               "{\"site\":\"a\",\"no\":1,\"fan\":2}"),
        "pump[0] a,1@1000 site='a' no='1' | fan[0] 2@1000 fan=2 speed=3 | fan[1] 4@1000 fan=4 | "
        "!NO_KEY[2] | !BAD_TIME[3] | fan[3] 2@1000 fan=2");
}

static void bad_json_is_refused_with_its_code(void **state) {
    (void)state;
    assert_string_equal(decode("{\"fan\":1}\n{\"fan\":}\n{\"fan\":3}"),
                        "fan[0] 1@1000 fan=1 | !JSON_SYNTAX[1] | fan[2] 3@1000 fan=3");
    assert_string_equal(decode("[{\"fan\":1},{\"fan\":2,\"fan\":2},{\"fan\":3}]"),
                        "fan[0] 1@1000 fan=1 | !JSON_DUPLICATE_KEY[1] | fan[2] 3@1000 fan=3");
    assert_string_equal(decode(""), "!JSON_NOT_OBJECT[0]");
    assert_string_equal(decode("[]"), "");
}

static struct fb_reject first_reject(const char *payload) {
    struct fb_entry entry;
    struct fb_reject reject = {0};
    struct fb_origin origin = {.topic = FB_S("t")};
    fb_decoder_begin(decoder, fb_str_of(payload), &origin, FB_NO_TIME);
    assert_int_equal(fb_decoder_next(decoder, &entry, &reject), FB_DECODED_REJECT);
    return reject;
}

static void a_reject_says_what_is_wrong(void **state) {
    (void)state;
    struct fb_reject reject = first_reject("{\"site\":\"a\",\"no\":false}\n");
    assert_true(fb_str_eq(reject.raw, FB_S("{\"site\":\"a\",\"no\":false}")));
    assert_true(fb_str_eq(
        reject.detail,
        FB_S("device pump: the key no is false; a text, not empty, or an integer is wanted; "
             "device fan: the key fan is missing; a text, not empty, or an integer is wanted")));
    reject = first_reject("{\"site\":\"a\",\"no\":1,\"ts\":\"noon\"}");
    assert_true(fb_str_eq(reject.detail,
                          FB_S("device pump: the time ts is \"noon\"; milliseconds since 1970, or "
                               "a text in ISO 8601, are wanted, in the years 0001 to 9999")));
    reject = first_reject("{\"fan\":1}");
    assert_string_equal(reject.code, "BAD_TIME");
    reject = first_reject(" {\"fan\":01}");
    assert_true(
        fb_str_eq(reject.detail,
                  FB_S("a number that is not written as JSON wants it, at byte 9 of the record")));
}

static const char *decode_time(unsigned unit, const char *time) {
    char text[200];
    classes[0].time_unit = unit;
    snprintf(text, sizeof text, "{\"site\":1,\"no\":1,\"ts\":%s}", time);
    const char *out = decode(text);
    if (out[0] == '!')
        return out;
    char *end = strstr(out, " site");
    FB_ASSERT(end);
    *end = '\0';
    return strchr(out, '@') + 1;
}

static void reads_time_in_its_unit_exactly(void **state) {
    (void)state;
    assert_string_equal(decode_time(FB_TIME_S, "1732147200"), "1732147200000000");
    assert_string_equal(decode_time(FB_TIME_S, "1732147200.1234565"), "1732147200123457");
    assert_string_equal(decode_time(FB_TIME_S, "1732147200.1234564999"), "1732147200123456");
    assert_string_equal(decode_time(FB_TIME_S, "1732147200.123456499999999999999"),
                        "1732147200123456");
    assert_string_equal(decode_time(FB_TIME_S, "1732147200.123456500000000000000"),
                        "1732147200123457");
    assert_string_equal(decode_time(FB_TIME_S, "-0.0000005"), "-1");
    assert_string_equal(decode_time(FB_TIME_S, "-0.00000049"), "0");
    assert_string_equal(decode_time(FB_TIME_S, "1.7321472e9"), "1732147200000000");
    assert_string_equal(decode_time(FB_TIME_S, "17321472000000000000e-10"), "1732147200000000");
    assert_string_equal(decode_time(FB_TIME_S, "173214720000000000000000e-14"), "1732147200000000");
    assert_string_equal(decode_time(FB_TIME_S, "0.000000000000000001732147200E+27"),
                        "1732147200000000");
    assert_string_equal(decode_time(FB_TIME_S, "0e99999999999"), "0");
    assert_string_equal(decode_time(FB_TIME_S, "1e-99999999999"), "0");
    assert_string_equal(decode_time(FB_TIME_MS, "1732147200000.0005"), "1732147200000001");
    assert_string_equal(decode_time(FB_TIME_US, "-1.5"), "-2");
    assert_string_equal(decode_time(FB_TIME_US, "9007199254740993"), "9007199254740993");
    assert_string_equal(decode_time(FB_TIME_NS, "1732147200123456499"), "1732147200123456");
    assert_string_equal(decode_time(FB_TIME_NS, "1732147200123456500"), "1732147200123457");
    assert_string_equal(decode_time(FB_TIME_NS, "-1732147200123456500"), "-1732147200123457");
}

static void reads_time_as_text(void **state) {
    (void)state;
    assert_string_equal(decode_time(FB_TIME_ISO, "\"1970-01-01T00:00:00.0000005Z\""), "1");
    assert_string_equal(decode_time(FB_TIME_ISO, "\"1970-01-01 02:00:00+01:00\""), "3600000000");
    assert_string_equal(decode_time(FB_TIME_MS, "\"1970-01-01\""), "0");
}

static void refuses_bad_times(void **state) {
    (void)state;
    static const struct {
        unsigned unit;
        const char *time;
    } bad[] = {
        {FB_TIME_ISO, "5"},
        {FB_TIME_ISO, "\"5\""},
        {FB_TIME_ISO, "\"2026-02-30\""},
        {FB_TIME_ISO, "null"},
        {FB_TIME_MS, "true"},
        {FB_TIME_MS, "\"5\""},
        {FB_TIME_MS, "{}"},
        {FB_TIME_S, "253402300800"},
        {FB_TIME_S, "253402300799.9999995"},
        {FB_TIME_S, "-62135596801"},
        {FB_TIME_S, "1e300"},
        {FB_TIME_S, "9223372036854775807"},
        {FB_TIME_S, "99999999999999999999999"},
        {FB_TIME_NS, "1e99999999999"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_string_equal(decode_time(bad[i].unit, bad[i].time), "!BAD_TIME[0]");
    assert_string_equal(decode("{\"site\":1,\"no\":1}"), "!BAD_TIME[0]");
    assert_string_equal(decode_time(FB_TIME_S, "253402300799.9999994"), "253402300799999999");
    assert_string_equal(decode_time(FB_TIME_S, "-62135596800"), "-62135596800000000");
}

static void takes_the_stamp_of_arrival(void **state) {
    (void)state;
    assert_string_equal(decode_at(FB_S("{\"fan\":1}"), -7), "fan[0] 1@-7 fan=1");
    assert_string_equal(decode_at(FB_S("{\"fan\":1}"), FB_NO_TIME), "!BAD_TIME[0]");
}

static const char *decode_keys(size_t first, size_t second, char filling) {
    struct fb_buf text = {0};
    fb_buf_text(&text, "{\"ts\":1,\"site\":\"");
    for (size_t i = 0; i < first; i++)
        fb_buf_char(&text, filling);
    fb_buf_text(&text, "\",\"no\":\"");
    for (size_t i = 0; i < second; i++)
        fb_buf_char(&text, filling);
    fb_buf_text(&text, "\"}");
    const char *out = decode_at((struct fb_str){text.p, text.n}, 0);
    fb_buf_free(&text);
    return out;
}

static void an_id_of_more_than_256_bytes_is_refused(void **state) {
    (void)state;
    assert_memory_equal(decode_keys(128, 127, 'k'), "pump", 4);
    assert_string_equal(decode_keys(128, 128, 'k'), "!KEY_TOO_LONG[0]");
    assert_string_equal(decode_keys(256, 1, 'k'), "!KEY_TOO_LONG[0]");
    assert_memory_equal(decode_keys(80, 5, '/'), "pump", 4);
    assert_string_equal(decode_keys(80, 6, '/'), "!KEY_TOO_LONG[0]");
    assert_string_equal(decode_keys(86, 1, '%'), "!KEY_TOO_LONG[0]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(decodes_every_type),
        TEST(a_missing_name_gives_no_sample),
        TEST(the_first_path_that_is_there_wins),
        TEST(a_wrong_type_spoils_the_field_only),
        TEST(null_and_the_declared_null_are_bad),
        TEST(a_value_outside_its_range_is_bad),
        TEST(words_are_looked_up),
        TEST(integers_are_exact),
        TEST(text_of_more_than_255_bytes_is_bad),
        TEST(keys_are_texts_or_integers),
        TEST(a_record_without_its_keys_is_refused),
        TEST(every_class_whose_keys_are_there_takes_a_record),
        TEST(bad_json_is_refused_with_its_code),
        TEST(a_reject_says_what_is_wrong),
        TEST(reads_time_in_its_unit_exactly),
        TEST(reads_time_as_text),
        TEST(refuses_bad_times),
        TEST(takes_the_stamp_of_arrival),
        TEST(an_id_of_more_than_256_bytes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
