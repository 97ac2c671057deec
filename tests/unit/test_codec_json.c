/* The JSON scanner: values by path, what is refused, and the objects of a payload. */
#include "engine/codec/json.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/codec/json_find.h"

/* What every test reads: a, b, data.temp, data.deep.x, data (a prefix of others), long names. */
static const struct fb_str paths_read[] = {
    {"a", 1},
    {"b", 1},
    {"data.temp", 9},
    {"data.deep.x", 11},
    {"data", 4},
    {"temperature_sensor_one", 22},
    {"temperature_sensor_two", 22},
    {"a", 1},
};
enum { A, B, TEMP, DEEP, DATA, LONG_ONE, LONG_TWO, A_AGAIN, N_PATHS };

static struct fb_json_paths *paths;
static struct fb_json *json;
static char *payload_copy;

static int set_up(void **state) {
    (void)state;
    paths = fb_json_paths_new(paths_read, N_PATHS);
    json = fb_json_new(paths, FB_JSON_LIMITS);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free(payload_copy);
    payload_copy = NULL;
    fb_json_free(json);
    fb_json_paths_free(paths);
    return 0;
}

/* The payload lies at the end of a block of exactly its size, so that a sanitizer sees any read
 * behind it. */
static void begin(struct fb_str payload) {
    free(payload_copy);
    payload_copy = malloc(payload.n + (payload.n == 0));
    if (payload.n)
        memcpy(payload_copy, payload.p, payload.n);
    fb_json_begin(json, (struct fb_str){payload_copy, payload.n});
}

static const struct fb_json_value *value(uint32_t path) {
    return fb_json_values(json) + fb_json_node(paths, path);
}

static void scan(const char *text) {
    struct fb_json_object object;
    begin(fb_str_of(text));
    if (!fb_json_next(json, &object) || object.error != FB_JSON_OK)
        fail_msg("%s is refused: %s", text, fb_json_error_code(object.error));
}

static void check_text(uint32_t path, const char *wanted, size_t n) {
    assert_int_equal(value(path)->kind, FB_JSON_TEXT);
    assert_int_equal(value(path)->text.n, n);
    assert_memory_equal(value(path)->text.p, wanted, n);
}

static void check_number(uint32_t path, double wanted) {
    double x;
    assert_int_equal(value(path)->kind, FB_JSON_NUM);
    assert_true(fb_json_number(value(path), &x));
    assert_true(x == wanted);
}

static void reads_each_kind_of_value(void **state) {
    (void)state;
    scan("{\"a\":null,\"b\":true}");
    assert_int_equal(value(A)->kind, FB_JSON_NULL);
    assert_int_equal(value(A_AGAIN)->kind, FB_JSON_NULL);
    assert_int_equal(value(B)->kind, FB_JSON_TRUE);
    assert_int_equal(value(TEMP)->kind, FB_JSON_ABSENT);
    scan(" \t\r\n{ \"a\" : false , \"b\" : -12.5e1 } \n");
    assert_int_equal(value(A)->kind, FB_JSON_FALSE);
    check_number(B, -125);
    scan("{\"a\":[1,{\"b\":2},[]],\"b\":{\"a\":{}}}");
    assert_int_equal(value(A)->kind, FB_JSON_ARRAY);
    assert_int_equal(value(B)->kind, FB_JSON_OBJECT);
    scan("{}");
    assert_int_equal(value(A)->kind, FB_JSON_ABSENT);
}

static void reads_nested_paths(void **state) {
    (void)state;
    scan(
        "{\"data\":{\"deep\":{\"y\":0,\"x\":3},\"a\":9,\"temp\":21.5},\"a\":1,\"x\":{\"temp\":8}}");
    check_number(TEMP, 21.5);
    check_number(DEEP, 3);
    check_number(A, 1);
    assert_int_equal(value(DATA)->kind, FB_JSON_OBJECT);
    scan("{\"data\":[{\"temp\":1}],\"data.temp\":2}");
    assert_int_equal(value(DATA)->kind, FB_JSON_ARRAY);
    assert_int_equal(value(TEMP)->kind, FB_JSON_ABSENT);
    scan("{\"data\":7}");
    check_number(DATA, 7);
}

static void tells_long_names_apart(void **state) {
    (void)state;
    scan(
        "{\"temperature_sensor_two\":2,\"temperature_sensor_one\":1,\"temperature_xxxxxx_two\":3}");
    check_number(LONG_ONE, 1);
    check_number(LONG_TWO, 2);
}

static void unescapes_text(void **state) {
    (void)state;
    scan("{\"a\":\"x\\\"\\\\\\/\\b\\f\\n\\r\\ty\",\"b\":\"plain\"}");
    check_text(A, "x\"\\/\b\f\n\r\ty", 10);
    check_text(B, "plain", 5);
    scan("{\"a\":\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\u0000\",\"b\":\"\\ufffF tail\"}");
    check_text(A, "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0", 11);
    check_text(B, "\xEF\xBF\xBF tail", 8);
    scan("{\"a\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"}");
    check_text(A, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9);
    scan("{\"a\":\"\"}");
    check_text(A, "", 0);
}

static void text_without_escapes_is_a_view(void **state) {
    (void)state;
    scan("{\"a\":\"view\",\"b\":\"\xC3\xA9\"}");
    assert_ptr_equal(value(A)->text.p, payload_copy + 6);
    assert_ptr_equal(value(B)->text.p, payload_copy + 17);
}

static void an_escaped_name_is_the_same_name(void **state) {
    (void)state;
    scan("{\"\\u0061\":5,\"da\\u0074a\":{\"t\\u0065mp\":6}}");
    check_number(A, 5);
    check_number(TEMP, 6);
}

static void check_integer(const char *text, bool wanted_ok, int64_t wanted) {
    char document[128];
    int64_t x = 77;
    snprintf(document, sizeof document, "{\"a\":%s}", text);
    scan(document);
    assert_int_equal(value(A)->kind, FB_JSON_NUM);
    assert_true(fb_str_eq(value(A)->text, fb_str_of(text)));
    if (fb_json_integer(value(A), &x) != wanted_ok || x != (wanted_ok ? wanted : 77))
        fail_msg("%s reads as %lld", text, (long long)x);
}

static void reads_integers_exactly(void **state) {
    (void)state;
    check_integer("0", true, 0);
    check_integer("-0", true, 0);
    check_integer("9007199254740993", true, 9007199254740993);
    check_integer("-9223372036854775808", true, INT64_MIN);
    check_integer("9223372036854775807", true, INT64_MAX);
    check_integer("9223372036854775807.0", true, INT64_MAX);
    check_integer("1.0000000000000000000000", true, 1);
    check_integer("5.0", true, 5);
    check_integer("-12e1", true, -120);
    check_integer("9223372036854775808", false, 0);
    check_integer("18446744073709551617", false, 0);
    check_integer("100000000000000000000", false, 0);
    check_integer("1.5", false, 0);
    check_integer("1e400", false, 0);
}

static void check_double(const char *text, bool wanted_ok, double wanted) {
    char document[128];
    double x = 77;
    snprintf(document, sizeof document, "{\"a\":%s}", text);
    scan(document);
    if (fb_json_number(value(A), &x) != wanted_ok)
        fail_msg("%s", text);
    if (wanted_ok)
        assert_memory_equal(&x, &wanted, sizeof x);
}

static void reads_the_nearest_double(void **state) {
    (void)state;
    check_double("0", true, 0);
    check_double("-0", true, -0.0);
    check_double("-0.0e10", true, -0.0);
    check_double("21.35", true, 21.35);
    check_double("23.456789012345678", true, 23.456789012345678);
    check_double("-123456789012345678", true, -123456789012345678.0);
    check_double("18446744073709551617", true, 18446744073709551617.0);
    check_double("1.7976931348623157E+308", true, 1.7976931348623157e308);
    check_double("4.9e-324", true, 4.9e-324);
    check_double("1e-99999999999", true, 0);
    check_double("0e99999999999", true, 0);
    check_double("3.14159265358979323846264338327950288", true, 3.14159265358979323846);
    check_double("1e309", false, 0);
    check_double("-1e99999999999", false, 0);
}

/* Scans one payload that must be refused as a whole. */
static void check_refused(struct fb_str text, enum fb_json_error wanted, size_t at) {
    struct fb_json_object object;
    begin(text);
    if (!fb_json_next(json, &object))
        fail_msg("%.*s gives nothing", FB_ARG(text));
    if (object.error != wanted || object.error_at != at)
        fail_msg("%.*s: %s at %zu, wanted %s at %zu", FB_ARG(text),
                 fb_json_error_code(object.error), object.error_at, fb_json_error_code(wanted), at);
    if (fb_json_next(json, &object))
        fail_msg("%.*s gives more than one", FB_ARG(text));
}

static void refuses_bad_syntax_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum fb_json_error error;
        size_t at;
    } cases[] = {
        {"", FB_JSON_NOT_OBJECT, 0},
        {"  \n ", FB_JSON_NOT_OBJECT, 0},
        {"7", FB_JSON_NOT_OBJECT, 0},
        {"\"text\"", FB_JSON_NOT_OBJECT, 0},
        {"}", FB_JSON_NOT_OBJECT, 0},
        {"\xEF\xBB\xBF{}", FB_JSON_NOT_OBJECT, 0},
        {"{", FB_JSON_TRUNCATED, 1},
        {"{\"a\"", FB_JSON_TRUNCATED, 4},
        {"{\"a\":", FB_JSON_TRUNCATED, 5},
        {"{\"a\":1", FB_JSON_TRUNCATED, 6},
        {"{\"a\":1,", FB_JSON_TRUNCATED, 7},
        {"{\"a\":-", FB_JSON_TRUNCATED, 6},
        {"{\"a\":tr", FB_JSON_TRUNCATED, 7},
        {"{\"a\":\"x", FB_JSON_TRUNCATED, 7},
        {"{\"a\":\"x\\", FB_JSON_TRUNCATED, 8},
        {"{\"a\":\"x\\u00", FB_JSON_TRUNCATED, 11},
        {"{\"a\":{}", FB_JSON_TRUNCATED, 7},
        {"{\"a\":\"}", FB_JSON_TRUNCATED, 7},
        {"{\"a\":[1,2]", FB_JSON_TRUNCATED, 10},
        {"{\"a\":[1,2}", FB_JSON_SYNTAX, 9},
        {"{\"a\":{]}", FB_JSON_SYNTAX, 6},
        {"{a:1}", FB_JSON_SYNTAX, 1},
        {"{'a':1}", FB_JSON_SYNTAX, 1},
        {"{\"a\" 1}", FB_JSON_SYNTAX, 5},
        {"{\"a\":1,}", FB_JSON_SYNTAX, 7},
        {"{,}", FB_JSON_SYNTAX, 1},
        {"{\"a\":[1,]}", FB_JSON_SYNTAX, 8},
        {"{\"a\":1 \"b\":2}", FB_JSON_SYNTAX, 7},
        {"{\"a\":+1}", FB_JSON_SYNTAX, 5},
        {"{\"a\":.5}", FB_JSON_SYNTAX, 5},
        {"{\"a\":True}", FB_JSON_SYNTAX, 5},
        {"{\"a\":truE}", FB_JSON_SYNTAX, 8},
        {"{\"a\":nul}", FB_JSON_SYNTAX, 8},
        {"{\"a\":truex}", FB_JSON_SYNTAX, 9},
        {"{\"a\":NaN}", FB_JSON_SYNTAX, 5},
        {"{\"a\":Infinity}", FB_JSON_SYNTAX, 5},
        {"{\"a\":1 /* c */}", FB_JSON_SYNTAX, 7},
        {"{\"a\":\"\t\"}", FB_JSON_SYNTAX, 6},
        {"{\"a\":\"\x1F\"}", FB_JSON_SYNTAX, 6},
        {"{\"a\":\"\\x41\"}", FB_JSON_SYNTAX, 7},
        {"{\"a\":\"\\u12G4\"}", FB_JSON_SYNTAX, 10},
        {"{\"a\":\x0B 1}", FB_JSON_SYNTAX, 5},
        {"{\"a\":01}", FB_JSON_NUMBER, 6},
        {"{\"a\":-01}", FB_JSON_NUMBER, 7},
        {"{\"a\":1.}", FB_JSON_NUMBER, 7},
        {"{\"a\":1.e5}", FB_JSON_NUMBER, 7},
        {"{\"a\":1e}", FB_JSON_NUMBER, 7},
        {"{\"a\":1e+}", FB_JSON_NUMBER, 8},
        {"{\"a\":-}", FB_JSON_NUMBER, 6},
        {"{\"a\":-a}", FB_JSON_NUMBER, 6},
        {"{\"a\":1.5.2}", FB_JSON_SYNTAX, 8},
        {"{\"a\":0x10}", FB_JSON_SYNTAX, 6},
        {"{\"a\":\"\\ud800\"}", FB_JSON_UTF8, 6},
        {"{\"a\":\"\\udc00\"}", FB_JSON_UTF8, 6},
        {"{\"a\":\"\\ud800\\u0041\"}", FB_JSON_UTF8, 6},
        {"{\"a\":\"\\ud800\\n\"}", FB_JSON_UTF8, 6},
        {"{\"a\":\"\xFF\"}", FB_JSON_UTF8, 6},
        {"{\"a\":\"x\xC3\"}", FB_JSON_UTF8, 7},
        {"{\"a\":\"\xED\xA0\x80\"}", FB_JSON_UTF8, 6},
        {"{\"\xC0\x80\":1}", FB_JSON_UTF8, 2},
        {"{\"a\":\xC3\xA9}", FB_JSON_SYNTAX, 5},
        {"{\"a\":1}x", FB_JSON_TRAILING, 7},
        {"{\"a\":1}}", FB_JSON_TRAILING, 7},
        {"{\"a\":1}{\"a\":2}", FB_JSON_TRAILING, 7},
        {"{\"a\":1},{\"a\":2}", FB_JSON_TRAILING, 7},
        {"{\"a\":1} x", FB_JSON_TRAILING, 8},
        {"{\"a\":1,\"b\":2,\"a\":1}", FB_JSON_DUPLICATE_KEY, 13},
        {"{\"a\":1,\"\\u0061\":1}", FB_JSON_DUPLICATE_KEY, 7},
        {"{\"data\":{\"temp\":1,\"temp\":2}}", FB_JSON_DUPLICATE_KEY, 18},
        {"{\"data\":{\"temp\":1},\"data\":{}}", FB_JSON_DUPLICATE_KEY, 19},
        {"{\"a\":null,\"a\":null}", FB_JSON_DUPLICATE_KEY, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(fb_str_of(cases[i].text), cases[i].error, cases[i].at);
    check_refused((struct fb_str){"{\"a\":\"x\0y\"}", 11}, FB_JSON_SYNTAX, 7);
    check_refused((struct fb_str){"{\"a\":1}\0", 8}, FB_JSON_TRAILING, 7);
    check_refused((struct fb_str){"{\"a\":1\0}", 8}, FB_JSON_SYNTAX, 6);
}

/* Mistakes in what is not read count as well. */
static void validates_what_it_skips(void **state) {
    (void)state;
    check_refused(FB_S("{\"z\":[{\"y\":01}]}"), FB_JSON_NUMBER, 12);
    check_refused(FB_S("{\"z\":\"\\ud800\"}"), FB_JSON_UTF8, 6);
    check_refused(FB_S("{\"z\":{\"q\":\"\xFF\"}}"), FB_JSON_UTF8, 11);
    check_refused(FB_S("{\"z\":[nil]}"), FB_JSON_SYNTAX, 7);
    scan("{\"z\":1,\"z\":2,\"y\":{\"a\":1,\"a\":2},\"w\":1e999}"); /* not declared: no matter */
}

/* Every prefix of a good document is refused, at its end or before. */
static void refuses_every_truncation(void **state) {
    (void)state;
    static const char text[] =
        "{\"a\":\"x\\u00e9\xC3\xA9\",\"data\":{\"temp\":-1.5e3,\"z\":[true,null,{}]}"
        ",\"b\":false,\"yyyyyyyyyyyyyyyyyyyyyyy\":\"zzzzzzzzzzzzzzzzzzzzz\"}";
    for (size_t n = 1; n < sizeof text - 1; n++) {
        struct fb_json_object object;
        begin((struct fb_str){text, n});
        assert_true(fb_json_next(json, &object));
        assert_int_not_equal(object.error, FB_JSON_OK);
        assert_true(object.error_at <= n);
        assert_false(fb_json_next(json, &object));
    }
    scan(text);
}

static char *nested(size_t depth) {
    char *text = malloc(depth * 6 + 8), *p = text;
    p += sprintf(p, "{\"z\":");
    for (size_t i = 1; i < depth; i++)
        *p++ = '[';
    for (size_t i = 1; i < depth; i++)
        *p++ = ']';
    strcpy(p, depth == 1 ? "1}" : "}");
    return text;
}

static void limits_the_depth(void **state) {
    (void)state;
    char *text = nested(32);
    scan(text);
    free(text);
    text = nested(33);
    check_refused(fb_str_of(text), FB_JSON_DEPTH, 5 + 31);
    free(text);
    text = nested(100000);
    check_refused(fb_str_of(text), FB_JSON_DEPTH, 5 + 31);
    free(text);
}

static void limits_keys_and_bytes(void **state) {
    (void)state;
    struct fb_json *small = fb_json_new(paths, (struct fb_json_limits){40, 3, 2});
    static const struct {
        const char *text;
        enum fb_json_error error;
    } cases[] = {
        {"{\"a\":1,\"b\":{\"c\":1}}", FB_JSON_OK},
        {"{\"a\":1,\"b\":{\"c\":1,\"d\":1}}", FB_JSON_KEYS},
        {"{\"a\":\"0123456789012345678901234567890123\"}", FB_JSON_SIZE},
        {"{\"a\":\"01234567890123456789012345678901\"}", FB_JSON_OK},
        {"{\"a\":[[]]}", FB_JSON_DEPTH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fb_json_object object;
        fb_json_begin(small, fb_str_of(cases[i].text));
        assert_true(fb_json_next(small, &object));
        assert_string_equal(fb_json_error_code(object.error), fb_json_error_code(cases[i].error));
        assert_int_equal(object.raw.n, strlen(cases[i].text));
        assert_false(fb_json_next(small, &object));
    }
    fb_json_free(small);
}

/* Walks a payload and writes "index:raw" or "index:raw!CODE" for each object, with a's value. */
static const char *walk(struct fb_str payload) {
    static char out[2000];
    size_t n = 0;
    struct fb_json_object object;
    begin(payload);
    out[0] = '\0';
    while (fb_json_next(json, &object)) {
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%u=%.*s", n ? " | " : "", object.index,
                              FB_ARG(object.raw));
        if (object.error != FB_JSON_OK)
            n += (size_t)snprintf(out + n, sizeof out - n, "!%s",
                                  fb_json_error_code(object.error) + 5);
        else if (value(A)->kind == FB_JSON_NUM)
            n += (size_t)snprintf(out + n, sizeof out - n, "#%.*s", FB_ARG(value(A)->text));
    }
    assert_false(fb_json_next(json, &object)); /* the end stays the end */
    return out;
}

static void walks_lines(void **state) {
    (void)state;
    assert_string_equal(walk(FB_S("{\"a\":1}")), "0={\"a\":1}#1");
    assert_string_equal(walk(FB_S("{\"a\":1}\n{\"b\":1}\r\n\n  {\"a\":3}\n")),
                        "0={\"a\":1}#1 | 1={\"b\":1} | 2={\"a\":3}#3");
    assert_string_equal(walk(FB_S("{\"a\":1} {\"a\":2}\t{\"a\":3}")),
                        "0={\"a\":1}#1 | 1={\"a\":2}#2 | 2={\"a\":3}#3");
    assert_string_equal(walk(FB_S("{\n\"a\":1\n}\n{\n\"a\":2\n}")),
                        "0={\n\"a\":1\n}#1 | 1={\n\"a\":2\n}#2");
}

static void a_bad_line_costs_itself_only(void **state) {
    (void)state;
    assert_string_equal(walk(FB_S("{\"a\":1}\nrubbish\n{\"a\":2}")),
                        "0={\"a\":1}#1 | 1=rubbish!NOT_OBJECT | 2={\"a\":2}#2");
    assert_string_equal(walk(FB_S("{\"a\":1x}\n {\"a\":2}\n")),
                        "0={\"a\":1x}!SYNTAX | 1={\"a\":2}#2");
    assert_string_equal(walk(FB_S("{\"a\":\"x\n{\"a\":2}\n")),
                        "0={\"a\":\"x!SYNTAX | 1={\"a\":2}#2");
    assert_string_equal(walk(FB_S("{\"a\":1\n{\"a\":2}\n")), "0={\"a\":1!SYNTAX | 1={\"a\":2}#2");
    assert_string_equal(walk(FB_S("{\"a\":1,\n{\"a\":2}\n")), "0={\"a\":1,!SYNTAX | 1={\"a\":2}#2");
    assert_string_equal(walk(FB_S("{\"z\":\n{\"a\":2}\n{\"a\":3}\n")),
                        "0={\"z\":!SYNTAX | 1={\"a\":2}#2 | 2={\"a\":3}#3");
    assert_string_equal(walk(FB_S("{\"a\":1} x\n{\"a\":2}\n{\"a\":3")),
                        "0={\"a\":1} x!TRAILING | 1={\"a\":2}#2 | 2={\"a\":3!TRUNCATED");
    assert_string_equal(walk(FB_S("{\"a\":1,\"a\":1}\n{\"a\":2}")),
                        "0={\"a\":1,\"a\":1}!DUPLICATE_KEY | 1={\"a\":2}#2");
    assert_string_equal(walk(FB_S("7\n[{\"a\":1}]\n{\"a\":2}")),
                        "0=7!NOT_OBJECT | 1=[{\"a\":1}]!NOT_OBJECT | 2={\"a\":2}#2");
}

/* The inner lines of a broken object that is spread over lines are not taken for objects. */
static void a_bad_object_over_lines_costs_all_of_them(void **state) {
    (void)state;
    assert_string_equal(walk(FB_S("{\n \"a\":\n  {\"a\":1},\n  {\"a\":2}\n}\n{\"a\":3}")),
                        "0={\n \"a\":\n  {\"a\":1},\n  {\"a\":2}\n}!SYNTAX | 1={\"a\":3}#3");
}

static void walks_arrays(void **state) {
    (void)state;
    assert_string_equal(walk(FB_S("[]")), "");
    assert_string_equal(walk(FB_S(" [ ] \n")), "");
    assert_string_equal(walk(FB_S("[{\"a\":1}]")), "0={\"a\":1}#1");
    assert_string_equal(walk(FB_S(" [ {\"a\":1} ,\n{} , {\"a\":3} ] ")),
                        "0={\"a\":1}#1 | 1={} | 2={\"a\":3}#3");
}

static void a_bad_element_costs_itself_where_its_end_is_known(void **state) {
    (void)state;
    assert_string_equal(walk(FB_S("[{\"a\":1},7,[{\"a\":1}],\"x\",null,{\"a\":2}]")),
                        "0={\"a\":1}#1 | 1=7!NOT_OBJECT | 2=[{\"a\":1}]!NOT_OBJECT | "
                        "3=\"x\"!NOT_OBJECT | 4=null!NOT_OBJECT | 5={\"a\":2}#2");
    assert_string_equal(walk(FB_S("[{\"a\":1,\"a\":2},{\"a\":3}]")),
                        "0={\"a\":1,\"a\":2}!DUPLICATE_KEY | 1={\"a\":3}#3");
}

static void a_broken_array_spoils_its_rest(void **state) {
    (void)state;
    assert_string_equal(walk(FB_S("[{\"a\":1},{\"a\":x},{\"a\":3}]")),
                        "0={\"a\":1}#1 | 1={\"a\":x},{\"a\":3}]!SYNTAX");
    assert_string_equal(walk(FB_S("[{\"a\":1} {\"a\":2}]")), "0={\"a\":1}#1 | 1={\"a\":2}]!SYNTAX");
    assert_string_equal(walk(FB_S("[{\"a\":1},]")), "0={\"a\":1}#1 | 1=]!SYNTAX");
    assert_string_equal(walk(FB_S("[{\"a\":1},{\"a\":2")), "0={\"a\":1}#1 | 1={\"a\":2!TRUNCATED");
    assert_string_equal(walk(FB_S("[{\"a\":1}")), "0={\"a\":1}#1 | 1=!TRUNCATED");
    assert_string_equal(walk(FB_S("[{\"a\":1},")), "0={\"a\":1}#1 | 1=!TRUNCATED");
    assert_string_equal(walk(FB_S("[")), "0=!TRUNCATED");
    assert_string_equal(walk(FB_S("[,{}]")), "0=,{}]!SYNTAX");
    assert_string_equal(walk(FB_S("[{\"a\":1}] x")), "0={\"a\":1}#1 | 1=x!TRAILING");
    assert_string_equal(walk(FB_S("[]{}")), "0={}!TRAILING");
}

/* Without a copy the views of good objects stand in the payload, with one they do not; both read
 * the same. */
static void a_cut_payload_reads_the_same_up_to_the_cut(void **state) {
    (void)state;
    char *whole = strdup(walk(FB_S("{\"a\":1,\"b\":\"x\"}\n{\"a\":2}")));
    assert_memory_equal(walk(FB_S("{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n{\"a")), whole, strlen(whole));
    free(whole);
}

static void values_of_one_object_do_not_leak_into_the_next(void **state) {
    (void)state;
    struct fb_json_object object;
    begin(FB_S("{\"a\":1,\"data\":{\"temp\":2}}\n{\"b\":3}"));
    assert_true(fb_json_next(json, &object));
    assert_true(fb_json_next(json, &object));
    assert_int_equal(value(A)->kind, FB_JSON_ABSENT);
    assert_int_equal(value(DATA)->kind, FB_JSON_ABSENT);
    assert_int_equal(value(TEMP)->kind, FB_JSON_ABSENT);
    check_number(B, 3);
}

static void takes_payloads_larger_than_an_object_may_be(void **state) {
    (void)state;
    enum { LINES = 20000 };
    struct fb_buf buf = {0};
    for (int i = 0; i < LINES; i++)
        fb_buf_printf(&buf, "{\"a\":%d,\"b\":\"\\u0041%d\\n\"}\n", i, i);
    struct fb_json_object object;
    begin((struct fb_str){buf.p, buf.n});
    for (int i = 0; i < LINES; i++) {
        assert_true(fb_json_next(json, &object));
        assert_int_equal(object.error, FB_JSON_OK);
        assert_int_equal(object.index, i);
        check_number(A, i);
    }
    assert_false(fb_json_next(json, &object));
    fb_buf_free(&buf);
}

static void many_paths_are_told_apart(void **state) {
    (void)state;
    enum { MANY = 300 };
    static char names[MANY][40];
    struct fb_str many[MANY];
    struct fb_buf buf = {0};
    for (int i = 0; i < MANY; i++) {
        int n = snprintf(names[i], sizeof names[i], "group%d.sensor_value_number_%d", i % 7, i);
        many[i] = (struct fb_str){names[i], (size_t)n};
    }
    fb_buf_text(&buf, "{");
    for (int group = 0; group < 7; group++) {
        fb_buf_printf(&buf, "%s\"group%d\":{\"other\":0", group ? "," : "", group);
        for (int i = group; i < MANY; i += 7)
            fb_buf_printf(&buf, ",\"sensor_value_number_%d\":%d", i, i);
        fb_buf_text(&buf, "}");
    }
    fb_buf_text(&buf, "}");
    struct fb_json_paths *table = fb_json_paths_new(many, MANY);
    struct fb_json *reader = fb_json_new(table, FB_JSON_LIMITS);
    struct fb_json_object object;
    fb_json_begin(reader, (struct fb_str){buf.p, buf.n});
    assert_true(fb_json_next(reader, &object));
    assert_int_equal(object.error, FB_JSON_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        int64_t x;
        const struct fb_json_value *found = fb_json_values(reader) + fb_json_node(table, i);
        assert_int_equal(found->kind, FB_JSON_NUM);
        assert_true(fb_json_integer(found, &x));
        assert_int_equal(x, i);
    }
    fb_json_free(reader);
    fb_json_paths_free(table);
    fb_buf_free(&buf);
}

static void both_searches_find_the_same_byte(void **state) {
    (void)state;
    uint64_t seed = 4711;
    char bytes[100];
    for (int round = 0; round < 200000; round++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t n = (seed >> 33) % sizeof bytes, from = n ? (seed >> 50) % (n + 1) : 0;
        memset(bytes, 'x', sizeof bytes);
        if (round % 3 && n)
            bytes[(seed >> 20) % n] = (char)(seed >> 12);
        if (round % 5 == 0 && n)
            bytes[(seed >> 40) % n] = (char)(seed >> 3);
        const char *end = bytes + n, *p = bytes + from, *slow = p;
        while (slow < end && fb_json_is_plain(*slow))
            slow++;
        assert_ptr_equal(fb_json_find(bytes, p, end), slow);
        assert_ptr_equal(fb_json_find_portable(p, end), slow);
    }
}

/* Scans {"a":NUMBER} with more or less behind it and keeps what it gave. */
struct outcome {
    enum fb_json_error error;
    size_t error_at;
    struct fb_json_value value;
    char text[64];
};

static struct outcome scan_number(const char *number, const char *behind) {
    char document[200];
    struct outcome out;
    struct fb_json_object object;
    memset(&out, 0, sizeof out);
    snprintf(document, sizeof document, "{\"a\":%s%s", number, behind);
    begin(fb_str_of(document));
    assert_true(fb_json_next(json, &object));
    out.error = object.error;
    if (object.error != FB_JSON_OK) {
        out.error_at = object.error_at;
        return out;
    }
    out.value = *value(A);
    snprintf(out.text, sizeof out.text, "%.*s", FB_ARG(out.value.text));
    out.value.text = (struct fb_str){0};
    return out;
}

/* Near the end of a payload digits are read one by one, elsewhere many at once. */
static void both_ways_to_read_digits_agree(void **state) {
    (void)state;
    uint64_t seed = 99;
    int fast = 0;
    for (int round = 0; round < 100000; round++) {
        char number[40];
        size_t n = 0;
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint64_t bits = seed >> 16;
        if (bits % 4 == 0)
            number[n++] = '-';
        size_t whole = bits / 4 % 10, fraction = bits / 64 % 10, odd = bits / 1024 % 64;
        if (odd == 1)
            whole += 9;
        for (size_t i = 0; i < whole; i++)
            number[n++] = (char)('0' + (seed >> (i * 3 % 60)) % (odd == 2 ? 2 : 10));
        if (bits % 3 || odd == 3)
            number[n++] = '.';
        for (size_t i = 0; i < fraction && number[n - 1 + (n == 0)] != '-'; i++)
            number[n++] = (char)('0' + (seed >> (i * 5 % 60)) % 10);
        if (odd == 4)
            n += (size_t)sprintf(number + n, "e%d", (int)(seed % 40));
        if (odd == 5)
            number[n++] = "x.:/ee-+"[seed % 8];
        number[n] = '\0';
        struct outcome far = scan_number(number, ",\"padding\":\"xxxxxxxxxxxxxxxxxxx\"}");
        struct outcome near = scan_number(number, "}");
        if (memcmp(&far, &near, sizeof far) != 0 && !(far.error && far.error == near.error))
            fail_msg("%s reads in two ways", number);
        fast += far.error == FB_JSON_OK;
    }
    assert_true(fast > 30000);
}

/* A scanner remembers the names of the last object; it must not see them where they are not. */
static void a_remembered_name_is_not_taken_for_another(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int a, b, temp; /* -1: absent */
    } objects[] = {
        {"{\"a\":1,\"b\":2,\"data\":{\"temp\":3}}", 1, 2, 3},
        {"{\"a\":1,\"b\":2,\"data\":{\"temp\":3}}", 1, 2, 3},
        {"{\"b\":1,\"a\":2,\"data\":{\"temp\":3}}", 2, 1, 3},
        {"{\"a\":1,\"c\":2,\"data\":{\"tamp\":3}}", 1, -1, -1},
        {"{\"a\":1,\"b\":2,\"dada\":{\"temp\":3}}", 1, 2, -1},
        {"{\"a\":1,\"b\":2,\"data\":{\"temp\":3}}", 1, 2, 3},
        {"{\"a\":1,\"x\":{\"b\":2,\"data\":{\"temp\":3}}}", 1, -1, -1},
        {"{\"a\" :1,\"b\": 2, \"data\":{\"temp\"\n:3}}", 1, 2, 3},
        {"{\"a\":1,\"x\":{\"b\":2},\"data\":{\"temp\":3}}", 1, -1, 3},
        {"{\"x\":[{\"a\":1},{\"b\":2}],\"data\":{\"temp\":3}}", -1, -1, 3},
        {"{\"data\":{\"temp\":3,\"a\":4},\"a\":1}", 1, -1, 3},
        {"{\"data\":{\"temp\":3},\"a\":4,\"b\":1}", 4, 1, 3},
        {"{\"a\":1,\"temp\":2,\"data\":{\"b\":3}}", 1, -1, -1},
        {"{\"\\u0061\":1,\"b\":2}", 1, 2, -1},
        {"{\"a\":1,\"b\":2}", 1, 2, -1},
    };
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
            const int wanted[] = {objects[i].a, objects[i].b, objects[i].temp};
            scan(objects[i].text);
            for (uint32_t path = 0; path < 3; path++) {
                if (wanted[path] < 0)
                    assert_int_equal(value(path)->kind, FB_JSON_ABSENT);
                else
                    check_number(path, wanted[path]);
            }
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void check_raw(uint32_t path, int kind, const char *wanted) {
    assert_int_equal(value(path)->kind, kind);
    assert_int_equal(value(path)->text.n, strlen(wanted));
    assert_memory_equal(value(path)->text.p, wanted, strlen(wanted));
}

static void objects_and_arrays_are_given_as_they_are_written(void **state) {
    (void)state;
    scan("{\"a\": [1, {\"a\":[] } ,\"]\"] ,\"b\":{ \"x\":{} }, "
         "\"data\":{\"deep\":{\"x\":[ ]},\"temp\":{}} }");
    check_raw(A, FB_JSON_ARRAY, "[1, {\"a\":[] } ,\"]\"]");
    check_raw(B, FB_JSON_OBJECT, "{ \"x\":{} }");
    check_raw(DATA, FB_JSON_OBJECT, "{\"deep\":{\"x\":[ ]},\"temp\":{}}");
    check_raw(DEEP, FB_JSON_ARRAY, "[ ]");
    check_raw(TEMP, FB_JSON_OBJECT, "{}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(reads_each_kind_of_value),
        TEST(reads_nested_paths),
        TEST(objects_and_arrays_are_given_as_they_are_written),
        TEST(tells_long_names_apart),
        TEST(unescapes_text),
        TEST(text_without_escapes_is_a_view),
        TEST(an_escaped_name_is_the_same_name),
        TEST(reads_integers_exactly),
        TEST(reads_the_nearest_double),
        TEST(refuses_bad_syntax_with_its_place),
        TEST(validates_what_it_skips),
        TEST(refuses_every_truncation),
        TEST(limits_the_depth),
        TEST(limits_keys_and_bytes),
        TEST(walks_lines),
        TEST(a_bad_line_costs_itself_only),
        TEST(a_bad_object_over_lines_costs_all_of_them),
        TEST(walks_arrays),
        TEST(a_bad_element_costs_itself_where_its_end_is_known),
        TEST(a_broken_array_spoils_its_rest),
        TEST(a_cut_payload_reads_the_same_up_to_the_cut),
        TEST(values_of_one_object_do_not_leak_into_the_next),
        TEST(takes_payloads_larger_than_an_object_may_be),
        TEST(many_paths_are_told_apart),
        TEST(both_searches_find_the_same_byte),
        TEST(both_ways_to_read_digits_agree),
        TEST(a_remembered_name_is_not_taken_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
