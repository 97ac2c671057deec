/* The CSV decoder: header, cells by type, quotes, rows over lines, bad rows. */
#include "engine/codec/csv.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/num.h"

#define NAME(text)                                                                                 \
    { text, sizeof(text) - 1 }
#define PATHS(...)                                                                                 \
    (struct fb_str[]) {                                                                            \
        __VA_ARGS__                                                                                \
    }

static struct fb_str words[] = {NAME("off"), NAME("on")};
static struct fb_field fields[] = {
    {.name = NAME("host"),
     .role = FB_ROLE_KEY,
     .type = FB_T_TEXT,
     .paths = PATHS(NAME("host")),
     .n_paths = 1},
    {.name = NAME("load"),
     .type = FB_T_NUMBER,
     .paths = PATHS(NAME("data.load"), NAME("load")),
     .n_paths = 2},
    {.name = NAME("n"), .type = FB_T_INTEGER, .paths = PATHS(NAME("n")), .n_paths = 1},
    {.name = NAME("up"), .type = FB_T_BOOL, .paths = PATHS(NAME("up")), .n_paths = 1},
    {.name = NAME("note"), .type = FB_T_TEXT, .paths = PATHS(NAME("note")), .n_paths = 1},
    {.name = NAME("mode"),
     .type = FB_T_ENUM,
     .paths = PATHS(NAME("mode")),
     .n_paths = 1,
     .words = words,
     .n_words = 2},
    {.name = NAME("seen"), .type = FB_T_TIME, .paths = PATHS(NAME("seen")), .n_paths = 1},
};
static struct fb_class class_ = {.name = NAME("server"),
                                 .fields = fields,
                                 .n_fields = sizeof fields / sizeof *fields,
                                 .n_keys = 1,
                                 .time_path = NAME("ts"),
                                 .time_unit = FB_TIME_S};
static const struct fb_program program = {.classes = &class_, .n_classes = 1};
static const uint16_t class_index;

static struct fb_csv *csv;
static struct fb_buf shown;
static int64_t n_records;

static int set_up(void **state) {
    (void)state;
    csv = fb_csv_new(&program, &class_index, 1, NULL, 0);
    shown.n = 0;
    n_records = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fb_csv_free(csv);
    fb_buf_free(&shown);
    return 0;
}

static void show_sample(const struct fb_sample *sample) {
    static const char *const states[] = {"", "NULL", "TYPE", "WORD", "RANGE"};
    const struct fb_field *field = &fields[sample->field];
    char number[FB_NUM_TEXT_MAX];
    fb_buf_printf(&shown, " %.*s=", FB_ARG(field->name));
    if (sample->state != FB_SAMPLE_GOOD)
        fb_buf_text(&shown, states[sample->state]);
    else if (field->type == FB_T_TEXT)
        fb_buf_printf(&shown, "'%.*s'", FB_ARG(sample->text));
    else if (field->type == FB_T_NUMBER)
        fb_buf_put(&shown, number, fb_num_format(sample->num, number));
    else
        fb_buf_printf(&shown, "%lld", (long long)sample->i);
}

static void show_record(void) {
    struct fb_origin origin = {.topic = FB_S("f.csv"), .partition = -1, .offset = n_records++};
    struct fb_entry entry;
    struct fb_reject reject;
    enum fb_decoded decoded;
    fb_csv_begin(csv, &origin, FB_NO_TIME);
    while ((decoded = fb_csv_next(csv, &entry, &reject)) != FB_DECODED_END) {
        if (shown.n)
            fb_buf_text(&shown, " | ");
        if (decoded == FB_DECODED_REJECT) {
            assert_int_equal(reject.origin.offset, n_records - 1);
            fb_buf_printf(&shown, "!%s<%.*s>", reject.code, FB_ARG(reject.raw));
            continue;
        }
        assert_int_equal(entry.origin.offset, n_records - 1);
        fb_buf_printf(&shown, "%.*s@%lld", FB_ARG(entry.device), (long long)entry.ts_us);
        for (uint32_t i = 1; i < entry.n_samples; i++)
            show_sample(&entry.samples[i]);
    }
}

/* Feeds text line by line, as a reader of files does. */
static const char *decode(const char *text) {
    struct fb_err err;
    while (*text) {
        size_t n = strcspn(text, "\n");
        enum fb_csv_line line = fb_csv_line(csv, (struct fb_str){text, n}, &err);
        assert_int_not_equal(line, FB_CSV_FAILED);
        if (line == FB_CSV_RECORD)
            show_record();
        text += n + (text[n] == '\n');
    }
    if (fb_csv_end(csv, &err) == FB_CSV_RECORD)
        show_record();
    return fb_buf_terminated(&shown);
}

static void types_cells_by_declaration(void **state) {
    (void)state;
    assert_string_equal(decode("ts,host,load,n,up,note,mode,seen,other\n"
                               "1.5,h1,21.25,7,true,text,on,1970-01-01 00:00:02,x\n"
                               "2,h2, -3e2 ,5.0, 0 , text , on,4,\n"
                               "3,h3,\"7\",1.5,yes,5,1,soon,\n"),
                        "h1@1500000 load=21.25 n=7 up=1 note='text' mode=1 seen=2000000 | "
                        "h2@2000000 load=-300 n=5 up=0 note=' text ' mode=WORD seen=4000000 | "
                        "h3@3000000 load=7 n=TYPE up=TYPE note='5' mode=WORD seen=TYPE");
}

static void an_empty_cell_is_a_missing_name(void **state) {
    (void)state;
    assert_string_equal(decode("ts,host,load,n,up,note,mode\n"
                               "1,h,,\"\",  ,,\n"
                               "2,,1,1,1,1,on\n"
                               ",h,1,1,1,1,on\n"),
                        "h@1000000 | !NO_KEY<2,,1,1,1,1,on> | !BAD_TIME<,h,1,1,1,1,on>");
}

static void the_first_column_with_a_value_wins(void **state) {
    (void)state;
    assert_string_equal(decode("ts,host,load,data.load\n1,h,2,3\n2,h,2,\n"),
                        "h@1000000 load=3 | h@2000000 load=2");
}

static void quoted_cells_hold_commas_quotes_and_line_ends(void **state) {
    (void)state;
    assert_string_equal(decode("\"ts\",\"host\",note\n"
                               "1,\"a,b\",\"say \"\"hi\"\"\"\n"
                               "2,h,\"two\nlines, \"\"really\"\"\n\"\n"
                               "3,h,\"\"\"\"\n"),
                        "a%2Cb@1000000 note='say \"hi\"' | "
                        "h@2000000 note='two\nlines, \"really\"\n' | h@3000000 note='\"'");
}

static void a_misplaced_quote_costs_its_line(void **state) {
    (void)state;
    assert_string_equal(decode("ts,host,note\n"
                               "1,h,5\" pipe\n"
                               "2,h,\"x\"y\n"
                               "3,h,fine\n"
                               "4,h,\"open\n"
                               "5,h,lost\n"),
                        "!CSV_QUOTE<1,h,5\" pipe> | !CSV_QUOTE<2,h,\"x\"y> | h@3000000 note='fine' "
                        "| !CSV_QUOTE<4,h,\"open\n5,h,lost>");
}

static void a_row_has_the_header_s_number_of_cells(void **state) {
    (void)state;
    assert_string_equal(decode("ts,host,load\n1,h\n1,h,2,3\n\n  \n1,h,2\n"),
                        "!CSV_COLUMNS<1,h> | !CSV_COLUMNS<1,h,2,3> | h@1000000 load=2");
}

static void text_is_utf8(void **state) {
    (void)state;
    assert_string_equal(decode("\xEF\xBB\xBFts,host,note\n1,h,\xC3\xA9\n2,h,\xFF\n"),
                        "h@1000000 note='\xC3\xA9' | !CSV_UTF8<2,h,\xFF>");
}

static void an_open_quote_swallows_a_hundred_lines_at_most(void **state) {
    (void)state;
    struct fb_buf text = {0};
    fb_buf_text(&text, "ts,host,note\n1,h,\"open\n");
    for (int i = 0; i < 99; i++)
        fb_buf_text(&text, "x\n");
    fb_buf_text(&text, "2,h,next\n");
    const char *out = decode(fb_buf_terminated(&text));
    assert_memory_equal(out, "!CSV_QUOTE<1,h,\"open\nx\n", 22);
    assert_non_null(strstr(out, "x> | h@2000000 note='next'"));
    fb_buf_free(&text);
}

static void a_column_can_be_set(void **state) {
    (void)state;
    const struct fb_csv_set set = {FB_S("host"), FB_S("from name")};
    fb_csv_free(csv);
    csv = fb_csv_new(&program, &class_index, 1, &set, 1);
    assert_string_equal(decode("ts,load\n1,2\n2,3\n"),
                        "from name@1000000 load=2 | from name@2000000 load=3");
}

static void check_header(const char *header, const char *wanted) {
    struct fb_err err = {0};
    struct fb_csv *fresh = fb_csv_new(&program, &class_index, 1, NULL, 0);
    assert_int_equal(fb_csv_line(fresh, fb_str_of(header), &err), FB_CSV_FAILED);
    assert_string_equal(err.text, wanted);
    fb_csv_free(fresh);
}

static void a_header_that_cannot_be_used_is_refused(void **state) {
    (void)state;
    check_header("ts,load", "no device of the rules can be read from the columns of the header: "
                            "device server needs a column host; --set NAME=VALUE adds a column");
    check_header("host,load", "no device of the rules can be read from the columns of the header: "
                              "device server needs a column ts; --set NAME=VALUE adds a column");
    check_header("ts,host,ts", "the column ts is there twice");
    check_header("ts,ho\"st", "the header is not a row of CSV in UTF-8");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(types_cells_by_declaration),
        TEST(an_empty_cell_is_a_missing_name),
        TEST(the_first_column_with_a_value_wins),
        TEST(quoted_cells_hold_commas_quotes_and_line_ends),
        TEST(a_misplaced_quote_costs_its_line),
        TEST(a_row_has_the_header_s_number_of_cells),
        TEST(text_is_utf8),
        TEST(an_open_quote_swallows_a_hundred_lines_at_most),
        TEST(a_column_can_be_set),
        TEST(a_header_that_cannot_be_used_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
