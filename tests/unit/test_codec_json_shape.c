/* Shapes and forms: what the scanner has learned makes no difference to what it finds. */
#include "engine/codec/json_shape.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/num.h"
#include "engine/codec/json_token.h"

static const struct fb_str paths_read[] = {
    {"device", 6},
    {"ts", 2},
    {"t", 1},
    {"data.temp", 9},
    {"data.deep.x", 11},
    {"state", 5},
    {"\xC3\xA9t\xC3\xA9", 5},
    {"ok", 2},
    {"list", 4},
};
enum { N_PATHS = sizeof paths_read / sizeof *paths_read };

static uint64_t random_state;

static uint32_t below(uint32_t n) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % n;
}

/* ---- records ---- */

struct text {
    char p[2000];
    size_t n;
};

static void put(struct text *out, const char *text) {
    size_t n = strlen(text);
    memcpy(out->p + out->n, text, n);
    out->n += n;
}

static void put_digits(struct text *out, uint32_t n) {
    while (n--)
        out->p[out->n++] = (char)('0' + below(10));
}

static void put_number(struct text *out) {
    uint32_t kind = below(12), n_whole = below(below(8) ? 4 : 20);
    if (below(4) == 0)
        put(out, "-");
    if (n_whole && below(20)) /* else it may begin with a 0 that it must not have */
        out->p[out->n++] = (char)('1' + below(9));
    else
        put_digits(out, 1);
    put_digits(out, n_whole);
    if (kind < 8) {
        put(out, ".");
        put_digits(out, 1 + below(below(8) ? 3 : 12));
    }
    if (kind == 11) {
        put(out, below(2) ? "e" : "E-");
        put_digits(out, 1 + below(3));
    }
}

static void put_string(struct text *out) {
    static const char *const texts[] = {"",
                                        "ok",
                                        "fault",
                                        "dev-000123",
                                        "sixteen bytes, !",
                                        "a text that is longer than thirty-two bytes are",
                                        "caf\xC3\xA9",
                                        "\\\"\\u00e9\\ud83d\\ude00",
                                        "tab\\there"};
    put(out, "\"");
    put(out, texts[below(below(3) ? 6 : 9)]);
    put(out, "\"");
}

static void put_value(struct text *out, char kind) {
    static const char *const words[] = {"true", "false", "null"};
    if (below(40) == 0)
        kind = "nsw"[below(3)];
    if (kind == 'n')
        put_number(out);
    else if (kind == 's')
        put_string(out);
    else
        put(out, words[below(3)]);
}

/* N, S and W stand for values. The last ones are not learned, and would stop all learning if they
 * came often. */
static const char *const skeletons[] = {
    "{\"device\":S,\"ts\":N,\"t\":N,\"state\":S,\"seq\":N,\"site\":S}",
    "{\"device\":S,\"ts\":N,\"t\":N,\"state\":S,\"ok\":W,\"t2\":N}",
    "{ \"device\": S, \"ts\": N, \"\xC3\xA9t\xC3\xA9\": N, \"note\": S, \"ok\": W }",
    "{\"ts\":N,\"data\":{\"temp\":N,\"deep\":{\"y\":W,\"x\":N}},\"device\":S}",
    "{\"data\":{\"a_rather_long_name_of_a_member\":N,\"temp\":N},\"x\":[N,[S,W],{\"t\":N},{},[]]}",
    "{\n\t\"t\" : N ,\r\n\t\"list\" : S\n}",
    "{\"data\":N,\"t\":N,\"device\":W}",
    "{\"t\":N}",
    "{\"list\":[N,N],\"ts\":N}",
    "{\"st\\u0061te\":S,\"t\":N}",
    "{}",
    "{\"t\":N,\"t\":N}",
};
enum { N_SKELETONS = sizeof skeletons / sizeof *skeletons, N_USUAL = 8 };

static void put_record(struct text *out, uint32_t skeleton) {
    for (const char *p = skeletons[skeleton]; *p; p++)
        if (*p == 'N' || *p == 'S' || *p == 'W')
            put_value(out, (char)(*p | 0x20));
        else
            out->p[out->n++] = *p;
}

static void mutate(struct text *text) {
    static const char odd[] = "{}[]\",:0-.eE\\ \n\t\x01\x80\xC3truefalsn";
    size_t at = below((uint32_t)text->n);
    char c = below(4) ? odd[below(sizeof odd - 1)] : (char)below(256);
    switch (below(5)) {
    case 0:
        text->n = at;
        break;
    case 1:
        memmove(text->p + at, text->p + at + 1, text->n-- - at - 1);
        break;
    case 2:
        memmove(text->p + at + 1, text->p + at, text->n++ - at);
        text->p[at] = c;
        break;
    default:
        text->p[at] = c;
    }
}

static uint32_t any_skeleton(void) {
    return below(16) ? below(N_USUAL) : below(N_SKELETONS);
}

/* One record, some as lines, or an array of some; most of them as they should be. */
static void make_payload(struct text *out) {
    uint32_t framing = below(8), n = framing < 2 ? below(6) : 1;
    out->n = 0;
    if (framing == 0)
        put(out, "[");
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            put(out, framing == 0 ? "," : "\n");
        put_record(out, any_skeleton());
    }
    if (framing == 0)
        put(out, "]");
    while (out->n && below(8) == 0)
        mutate(out);
}

/* ---- what a scanner finds ---- */

static char *found;
static size_t n_found;
static const size_t found_max = 1 << 16;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...) {
    va_list args;
    va_start(args, format);
    n_found += (size_t)vsnprintf(found + n_found, found_max - n_found, format, args);
    va_end(args);
    assert_true(n_found < found_max);
}

static void note_value(const struct fb_json_value *value, struct fb_str payload) {
    double x = 0;
    note(" %d", value->kind);
    if (value->kind < FB_JSON_NUM)
        return;
    if (value->kind == FB_JSON_NUM) {
        bool fits = fb_json_number(value, &x);
        note("%d%a", value->quick, value->num);
        note(":%d%d %d %llu %d %a", value->negative, value->wide, value->exponent,
             (unsigned long long)value->mantissa, fits, fits ? x : 0);
    }
    bool view = value->text.p >= payload.p && value->text.p <= payload.p + payload.n;
    note("@%td+%zu", view ? value->text.p - payload.p : -1, value->text.n);
    for (size_t i = 0; i < value->text.n && !view; i++)
        note(" %02X", (unsigned char)value->text.p[i]);
}

/* All objects of a payload with their values, as text: views by their place, unless the payload had
 * to be copied. */
static char *scan(const struct fb_json_paths *paths, struct fb_json *json, struct fb_str payload) {
    struct fb_json_object object;
    n_found = 0;
    note("%s", "");
    fb_json_begin(json, payload);
    while (fb_json_next(json, &object)) {
        note("%u %s %zu+%zu", object.index, fb_json_error_code(object.error), object.error_at,
             object.raw.n);
        for (uint32_t i = 0; i < N_PATHS && object.error == FB_JSON_OK; i++)
            note_value(fb_json_values(json) + fb_json_node(paths, i), payload);
        note("\n");
    }
    char *text = malloc(n_found + 1);
    memcpy(text, found, n_found + 1);
    return text;
}

static void what_was_learned_makes_no_difference(void **state) {
    (void)state;
    static const struct fb_json_limits limits = {600, 9, 4};
    struct fb_json_paths *paths = fb_json_paths_new(paths_read, N_PATHS);
    struct fb_json *old = fb_json_new(paths, limits);
    struct text text;
    found = malloc(found_max);
    random_state = 20261122;
    for (int round = 0; round < 60000; round++) {
        make_payload(&text);
        if (text.n == 0)
            continue;
        char *payload = malloc(text.n); /* no more, so that a sanitizer sees reads behind it */
        memcpy(payload, text.p, text.n);
        struct fb_str bytes = {payload, text.n};
        struct fb_json *new = fb_json_new(paths, limits);
        char *wanted = scan(paths, new, bytes), *given = scan(paths, old, bytes);
        if (strcmp(wanted, given) != 0)
            fail_msg("%.*s\nis read as\n%sby a scanner that has seen others, else as\n%s",
                     FB_ARG(bytes), given, wanted);
        free(wanted);
        free(given);
        free(payload);
        fb_json_free(new);
    }
    free(found);
    fb_json_free(old);
    fb_json_paths_free(paths);
}

/* ---- shapes ---- */

struct fixture {
    struct fb_json_paths *paths;
    struct fb_json_value values[32];
    struct fb_json_shapes *shapes;
};

static struct fixture set_up(void) {
    struct fixture f = {.paths = fb_json_paths_new(paths_read, N_PATHS)};
    f.shapes = fb_json_shapes_new(f.paths->n_nodes);
    assert_true(f.paths->n_nodes <= 32);
    return f;
}

static void tear_down(struct fixture *f) {
    fb_json_shapes_free(f->shapes);
    fb_json_paths_free(f->paths);
}

static void learn(struct fixture *f, const char *object) {
    fb_json_shapes_learn(f->shapes, f->paths, f->values, object, object + strlen(object));
}

static bool is_known(struct fixture *f, const char *object) {
    char scratch[200];
    struct fb_json_reader in = {object, object + strlen(object), .scratch = scratch};
    const char *behind = NULL;
    const struct fb_json_step *step = fb_json_shapes_walk(f->shapes, &in, object, &behind);
    if (step)
        assert_ptr_equal(behind, in.end);
    return step != NULL;
}

static void objects_of_one_shape_are_known(void **state) {
    (void)state;
    struct fixture f = set_up();
    learn(&f, "{\"device\":\"a\",\"ts\":1,\"data\":{\"temp\":2.5,\"a_long_name_it_is\":[1,true]}}");
    assert_true(is_known(
        &f, "{\"device\":\"other\",\"ts\":-17,\"data\":{\"temp\":1e5,\"a_long_name_it_is\":[\"x\","
            "null]}}"));
    assert_false(is_known(
        &f, "{\"device\":\"a\",\"ts\":1,\"data\":{\"temp\":2.5,\"a_long_name_is_it\":[1,true]}}"));
    assert_false(is_known(
        &f, "{\"device\":\"a\",\"ts\":01,\"data\":{\"temp\":2.5,\"a_long_name_it_is\":[1,true]}}"));
    assert_false(is_known(&f, "{\"device\":\"a\",\"ts\":1,\"data\":{\"temp\":2.5}}"));
    learn(&f, "{\"device\":\"a\",\"ts\":1,\"data\":{\"temp\":2.5}}");
    assert_true(is_known(&f, "{\"device\":\"a\",\"ts\":1,\"data\":{\"temp\":2.5}}"));
    tear_down(&f);
}

static void a_shape_that_is_known_takes_no_more_room(void **state) {
    (void)state;
    struct fixture f = set_up();
    const char *object = "{\"device\":\"abcdefgh\",\"ts\":1,\"t\":2}";
    for (int i = 0; i < 10 * FB_JSON_ENDS; i++)
        learn(&f, object);
    assert_int_equal(f.shapes->n_ends, 1);
    assert_true(is_known(&f, object));
    tear_down(&f);
}

static void a_declared_container_is_not_learned(void **state) {
    (void)state;
    struct fixture f = set_up();
    learn(&f, "{\"ts\":1,\"device\":\"abc\",\"list\":[1,2]}");
    assert_false(is_known(&f, "{\"ts\":1,\"device\":\"abc\",\"list\":[1,2]}"));
    tear_down(&f);
}

static void there_is_room_for_so_many_shapes(void **state) {
    (void)state;
    struct fixture f = set_up();
    char object[200];
    int known = 0;
    for (int i = 0; i < 2000; i++) {
        const char *format = "{\"device\":\"abcdefgh\",\"ts\":1%d,\"m%d\":{}}";
        snprintf(object, sizeof object, format, i % 10, i % 1000);
        if (i < 1000)
            learn(&f, object);
        else
            known += is_known(&f, object);
    }
    assert_in_range(known, 4, FB_JSON_ENDS);
    tear_down(&f);
}

/* ---- forms ---- */

/* A form that is found for some bytes fits only where they begin with a number that ends there, and
 * always where behind it is what mostly is. */
static void a_form_fits_what_the_grammar_allows(void **state) {
    (void)state;
    static const char behind[] = ",}] \n\"x.eE-+5";
    struct fb_json_forms *forms = calloc(1, sizeof *forms);
    int fitting = 0;
    random_state = 7;
    for (int round = 0; round < 300000; round++) {
        struct text text = {.n = 0};
        put_number(&text);
        text.p[text.n++] = behind[below(sizeof behind - 1)];
        if (below(3) == 0)
            mutate(&text);
        memset(text.p + text.n, below(2) ? 0 : '7', FB_JSON_FORM_ROOM);
        const struct fb_json_form *form = fb_json_forms_find(forms, text.p);
        if (!form)
            continue;
        struct fb_str number = {text.p, form->n};
        double x, wanted;
        bool fits = fb_json_form_fits(form, text.p), is_number = fb_num_parse(number, &wanted);
        if (fits)
            assert_true(is_number && !memchr("0123456789.eE", text.p[form->n], 13));
        else
            assert_false(is_number && memchr(", \n}", text.p[form->n], 4));
        if (!fits)
            continue;
        struct fb_json_value value;
        fb_json_form_read(form, text.p, text.p, &value);
        assert_true(fb_json_number(&value, &x));
        assert_true(x == wanted);
        assert_int_equal(value.negative, text.p[0] == '-');
        assert_int_equal(value.text.n, form->n);
        fitting++;
    }
    assert_in_range(fitting, 50000, 300000);
    free(forms);
}

static void every_form_reads_every_digit(void **state) {
    (void)state;
    for (uint32_t n_whole = 1; n_whole <= 15; n_whole++)
        for (uint32_t n_fraction = 0; n_whole + n_fraction + (n_fraction > 0) <= 15; n_fraction++) {
            struct fb_json_forms *forms = calloc(1, sizeof *forms);
            for (uint32_t at = 0; at < n_whole + n_fraction; at++) {
                char text[40];
                uint64_t wanted = 0;
                uint32_t n = 0;
                for (uint32_t i = 0; i < n_whole + n_fraction; i++) {
                    uint32_t digit = i == at ? 9 : i == 0;
                    if (i == n_whole)
                        text[n++] = '.';
                    text[n++] = (char)('0' + digit);
                    wanted = wanted * 10 + digit;
                }
                memset(text + n, ',', 16);
                const struct fb_json_form *form = fb_json_forms_find(forms, text);
                assert_non_null(form);
                assert_true(fb_json_form_fits(form, text));
                assert_int_equal(fb_json_form_mantissa(form, text), wanted);
            }
            free(forms);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_learned_makes_no_difference),
        cmocka_unit_test(objects_of_one_shape_are_known),
        cmocka_unit_test(a_shape_that_is_known_takes_no_more_room),
        cmocka_unit_test(a_declared_container_is_not_learned),
        cmocka_unit_test(there_is_room_for_so_many_shapes),
        cmocka_unit_test(a_form_fits_what_the_grammar_allows),
        cmocka_unit_test(every_form_reads_every_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
