/* From the values that a record carries to an entry of one class. */
#include "engine/codec/maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "engine/base/arena.h"
#include "engine/base/calendar.h"
#include "engine/base/err.h"
#include "engine/base/num.h"
#include "engine/model/id.h"

#define FIRST_US INT64_C(-62135596800000000) /* 0001-01-01T00:00:00Z */
#define LAST_US INT64_C(253402300799999999)  /* 9999-12-31T23:59:59.999999Z */

enum { INTEGER_TEXT_MAX = 24, SHOWN_BYTES_MAX = 80 };

struct fb_maker {
    const struct fb_class *class_;
    uint16_t class_index;
    struct fb_sample *samples;
    bool plain_key; /* there is one, and it is a text */
    bool *plain;    /* [field]: a number, with no range and no value that means null */
    char (*integer_texts)[INTEGER_TEXT_MAX]; /* of keys that are numbers */
    char id[FB_DEVICE_ID_MAX];
    struct fb_buf detail;
};

struct fb_maker *fb_maker_new(const struct fb_program *program, uint16_t class_index) {
    FB_ASSERT(class_index < program->n_classes);
    const struct fb_class *class_ = &program->classes[class_index];
    FB_ASSERT(class_->n_keys > 0 && class_->n_keys <= class_->n_fields);
    struct fb_maker *maker = fb_alloc(sizeof *maker);
    maker->class_ = class_;
    maker->class_index = class_index;
    maker->plain_key = class_->n_keys == 1 && class_->fields[0].type == FB_T_TEXT;
    maker->samples = fb_alloc(class_->n_fields * sizeof *maker->samples);
    maker->plain = fb_alloc(class_->n_fields * sizeof *maker->plain);
    for (uint32_t i = 0; i < class_->n_fields; i++) {
        const struct fb_field *field = &class_->fields[i];
        maker->plain[i] = (field->type == FB_T_NUMBER || field->type == FB_T_COUNTER) &&
                          !field->has_range && !field->has_null;
    }
    maker->integer_texts = fb_alloc(class_->n_keys * sizeof *maker->integer_texts);
    return maker;
}

void fb_maker_free(struct fb_maker *maker) {
    if (!maker)
        return;
    free(maker->samples);
    free(maker->plain);
    free(maker->integer_texts);
    fb_buf_free(&maker->detail);
    free(maker);
}

/* ---- time ---- */

/* value * 10^shift as a whole number, halves away from zero. False beyond int64. */
static bool scaled_text(struct fb_str number, int32_t shift, int64_t *x) {
    int64_t exponent = shift;
    size_t end = number.n;
    for (size_t i = 0; i < number.n; i++) {
        if ((number.p[i] | 0x20) != 'e')
            continue;
        struct fb_str text = {number.p + i + 1, number.n - i - 1};
        if (text.n && *text.p == '+')
            text = (struct fb_str){text.p + 1, text.n - 1};
        bool negative = text.n && *text.p == '-';
        int64_t e = 0;
        for (size_t k = negative; k < text.n && e < INT32_MAX; k++)
            e = e * 10 + (text.p[k] - '0');
        exponent += negative ? -e : e;
        end = i;
        break;
    }
    const char *point = memchr(number.p, '.', end);
    int64_t place = (point ? point - number.p : (ptrdiff_t)end) + exponent;
    place -= number.p[0] == '-'; /* how many digits stand before the scaled point */
    int64_t whole = 0;
    bool up = false;
    for (size_t i = number.p[0] == '-'; i < end; i++) {
        if (number.p[i] == '.')
            continue;
        int digit = number.p[i] - '0';
        if (place-- > 0) {
            if (__builtin_mul_overflow(whole, 10, &whole) ||
                __builtin_add_overflow(whole, digit, &whole))
                return false;
        } else {
            up = place == -1 && digit >= 5;
            break;
        }
    }
    for (; place > 0 && whole; place--)
        if (__builtin_mul_overflow(whole, 10, &whole))
            return false;
    if (up && __builtin_add_overflow(whole, 1, &whole))
        return false;
    *x = number.p[0] == '-' ? -whole : whole;
    return true;
}

static bool scaled_number(const struct fb_json_value *value, int32_t shift, int64_t *x) {
    int32_t exponent = value->exponent + shift;
    uint64_t m = value->mantissa;
    if (value->wide || exponent > 18)
        return scaled_text(value->text, shift, x);
    if (exponent > 0) {
        if (__builtin_mul_overflow(m, fb_powers_of_ten[exponent], &m))
            return false;
    }
    if (exponent < 0) {
        /* Only the first digit that falls away decides. */
        for (; exponent < -1 && m; exponent++)
            m /= 10;
        m = m / 10 + (m % 10 >= 5);
    }
    if (m > INT64_MAX)
        return false;
    *x = value->negative ? -(int64_t)m : (int64_t)m;
    return true;
}

/* A number in the unit, or a text in ISO 8601. */
static bool read_time(const struct fb_json_value *value, int unit, int64_t *us) {
    int32_t shift;
    switch (value->kind) {
    case FB_JSON_TEXT:
        return fb_time_parse(value->text, us);
    case FB_JSON_NUM:
        switch (unit) {
        case FB_TIME_S:
            shift = 6;
            break;
        case FB_TIME_MS:
            shift = 3;
            break;
        case FB_TIME_US:
            shift = 0;
            break;
        case FB_TIME_NS:
            shift = -3;
            break;
        default:
            return false;
        }
        return scaled_number(value, shift, us) && *us >= FIRST_US && *us <= LAST_US;
    default:
        return false;
    }
}

/* ---- samples ---- */

static bool find_word(const struct fb_field *field, struct fb_str word, int64_t *index) {
    for (uint32_t i = 0; i < field->n_words; i++)
        if (field->words[i].n == word.n && memcmp(field->words[i].p, word.p, word.n) == 0) {
            *index = i;
            return true;
        }
    return false;
}

static bool in_range(const struct fb_field *field, double x) {
    return !field->has_range || (x >= field->range_low && x <= field->range_high);
}

static uint8_t take_number(const struct fb_field *field, const struct fb_json_value *value,
                           struct fb_sample *sample) {
    double x;
    if (value->kind != FB_JSON_NUM || !fb_json_number(value, &x))
        return FB_SAMPLE_TYPE;
    sample->num = x;
    if (field->has_null && x == field->null_value.num)
        return FB_SAMPLE_NULL;
    return in_range(field, x) ? FB_SAMPLE_GOOD : FB_SAMPLE_RANGE;
}

static uint8_t take_integer(const struct fb_field *field, const struct fb_json_value *value,
                            struct fb_sample *sample) {
    if (value->kind != FB_JSON_NUM || !fb_json_integer(value, &sample->i))
        return FB_SAMPLE_TYPE;
    if (field->has_null && sample->i == field->null_value.i)
        return FB_SAMPLE_NULL;
    return in_range(field, (double)sample->i) ? FB_SAMPLE_GOOD : FB_SAMPLE_RANGE;
}

static uint8_t take_text(const struct fb_field *field, const struct fb_json_value *value,
                         struct fb_sample *sample) {
    if (value->kind != FB_JSON_TEXT)
        return FB_SAMPLE_TYPE;
    sample->text = value->text;
    if (field->has_null && fb_str_eq(value->text, field->null_value.text))
        return FB_SAMPLE_NULL;
    return value->text.n <= FB_TEXT_BYTES_MAX ? FB_SAMPLE_GOOD : FB_SAMPLE_TYPE;
}

static uint8_t take_sample(const struct fb_maker *maker, const struct fb_field *field,
                           const struct fb_json_value *value, struct fb_sample *sample) {
    if (value->kind == FB_JSON_NULL)
        return FB_SAMPLE_NULL;
    switch (field->type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        return take_number(field, value, sample);
    case FB_T_INTEGER:
        return take_integer(field, value, sample);
    case FB_T_BOOL:
        if (value->kind != FB_JSON_TRUE && value->kind != FB_JSON_FALSE)
            return FB_SAMPLE_TYPE;
        sample->i = value->kind == FB_JSON_TRUE;
        return field->has_null && sample->i == field->null_value.i ? FB_SAMPLE_NULL
                                                                   : FB_SAMPLE_GOOD;
    case FB_T_TEXT:
        return take_text(field, value, sample);
    case FB_T_TIME:
        if (!read_time(value, (int)maker->class_->time_unit, &sample->i))
            return FB_SAMPLE_TYPE;
        return field->has_null && sample->i == field->null_value.i ? FB_SAMPLE_NULL
                                                                   : FB_SAMPLE_GOOD;
    case FB_T_ENUM:
        if (value->kind != FB_JSON_TEXT)
            return FB_SAMPLE_TYPE;
        if (!find_word(field, value->text, &sample->i))
            return FB_SAMPLE_WORD;
        return field->has_null && sample->i == field->null_value.i ? FB_SAMPLE_NULL
                                                                   : FB_SAMPLE_GOOD;
    case FB_T_NONE:
        break;
    }
    FB_BUG("a field without a type");
    return FB_SAMPLE_TYPE;
}

/* ---- rejects ---- */

static void put_name(struct fb_maker *maker, const char *what, struct fb_str name) {
    maker->detail.n = 0;
    fb_buf_printf(&maker->detail, "device %.*s: %s %.*s ", FB_ARG(maker->class_->name), what,
                  FB_ARG(name));
}

static void put_value(struct fb_buf *out, const struct fb_json_value *value) {
    static const char *const names[] = {
        [FB_JSON_ABSENT] = "missing", [FB_JSON_NULL] = "null",        [FB_JSON_FALSE] = "false",
        [FB_JSON_TRUE] = "true",      [FB_JSON_OBJECT] = "an object", [FB_JSON_ARRAY] = "an array"};
    if (value->kind != FB_JSON_NUM && value->kind != FB_JSON_TEXT) {
        fb_buf_printf(out, "is %s", names[value->kind]);
        return;
    }
    struct fb_str shown = value->text;
    if (shown.n > SHOWN_BYTES_MAX) {
        shown.n = SHOWN_BYTES_MAX;
        while (shown.n > 0 && ((unsigned char)shown.p[shown.n] & 0xC0) == 0x80)
            shown.n--;
    }
    const char *quote = value->kind == FB_JSON_TEXT ? "\"" : "";
    fb_buf_printf(out, "is %s", quote);
    fb_buf_str(out, shown);
    fb_buf_printf(out, "%s%s", shown.n < value->text.n ? ".." : "", quote);
}

static enum fb_made refuse(struct fb_maker *maker, struct fb_reject *reject, const char *code,
                           const char *wanted, enum fb_made made) {
    fb_buf_text(&maker->detail, wanted);
    reject->code = code;
    reject->detail = (struct fb_str){maker->detail.p, maker->detail.n};
    return made;
}

/* ---- keys ---- */

/* The canonical text of a key, and its sample. False: it is no key. */
static bool take_key(struct fb_maker *maker, uint32_t key, const struct fb_json_value *value,
                     struct fb_sample *sample, struct fb_str *text) {
    const struct fb_field *field = &maker->class_->fields[key];
    int64_t number = 0;
    bool whole = false;
    if (value->kind == FB_JSON_NUM)
        whole = fb_json_integer(value, &number);
    else if (value->kind == FB_JSON_TEXT && field->type != FB_T_TEXT && field->type != FB_T_ENUM)
        whole = fb_num_parse_int(value->text, &number);
    if (whole) {
        int n = snprintf(maker->integer_texts[key], INTEGER_TEXT_MAX, "%lld", (long long)number);
        *text = (struct fb_str){maker->integer_texts[key], (size_t)n};
    } else if (value->kind == FB_JSON_TEXT && value->text.n > 0) {
        *text = value->text;
    } else {
        return false;
    }
    switch (field->type) {
    case FB_T_TEXT:
        sample->text = *text;
        return true;
    case FB_T_INTEGER:
        sample->i = number;
        return whole;
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        sample->num = (double)number;
        return whole;
    case FB_T_ENUM:
        return find_word(field, *text, &sample->i);
    default:
        return false;
    }
}

#if defined(__SSE2__)
static inline bool are_bare(const char *eight, const char *other_eight) {
    __m128i x = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)eight),
                                   _mm_loadl_epi64((const __m128i *)(const void *)other_eight));
    __m128i odd = _mm_or_si128(
        _mm_cmpeq_epi8(x, _mm_set1_epi8('%')),
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(',')), _mm_cmpeq_epi8(x, _mm_set1_epi8('/'))));
    return _mm_movemask_epi8(odd) == 0;
}
#endif

static inline bool all_bare(struct fb_str text) {
    size_t i = 0;
#if defined(__SSE2__)
    if (text.n >= 8) {
        for (; text.n - i > 16; i += 16)
            if (!are_bare(text.p + i, text.p + i + 8))
                return false;
        const char *last = text.p + text.n - 8;
        return are_bare(text.n - i > 8 ? text.p + i : last, last);
    }
#endif
    while (i < text.n && fb_id_is_bare(text.p[i]))
        i++;
    return i == text.n;
}

/* One key that is a text and itself the device's id, as most are. */
static inline bool take_plain_key(const struct fb_maker *maker, const struct fb_json_value *value,
                                  struct fb_entry *entry) {
    if (!maker->plain_key || value->kind != FB_JSON_TEXT || value->text.n == 0 ||
        value->text.n > FB_TEXT_BYTES_MAX || !all_bare(value->text))
        return false;
    maker->samples[0].field = 0;
    maker->samples[0].state = FB_SAMPLE_GOOD;
    maker->samples[0].text = value->text;
    entry->device = value->text;
    return true;
}

static enum fb_made take_keys(struct fb_maker *maker, const struct fb_json_value *const *by_field,
                              struct fb_entry *entry, struct fb_reject *reject) {
    size_t n = 0;
    bool fits = true;
    uint32_t longest = 0;
    for (uint32_t key = 0; key < maker->class_->n_keys; key++) {
        struct fb_sample *sample = &maker->samples[key];
        struct fb_str text;
        *sample = (struct fb_sample){.field = (uint16_t)key, .state = FB_SAMPLE_GOOD};
        if (!take_key(maker, key, by_field[key], sample, &text)) {
            put_name(maker, "the key", maker->class_->fields[key].name);
            put_value(&maker->detail, by_field[key]);
            return refuse(maker, reject, "NO_KEY", "; a text, not empty, or an integer is wanted",
                          FB_MADE_NO_KEY);
        }
        if (text.n > FB_TEXT_BYTES_MAX || !fb_id_add(maker->id, &n, key == 0, text)) {
            longest = fits ? key : longest;
            fits = false;
        }
    }
    if (!fits) {
        put_name(maker, "the key", maker->class_->fields[longest].name);
        return refuse(maker, reject, "KEY_TOO_LONG",
                      "makes the device's id longer than 256 bytes, or is itself longer than 255",
                      FB_MADE_REJECT);
    }
    entry->device = (struct fb_str){maker->id, n};
    return FB_MADE_ENTRY;
}

static enum fb_made take_time(struct fb_maker *maker, const struct fb_json_value *time,
                              int64_t arrival_us, struct fb_entry *entry,
                              struct fb_reject *reject) {
    static const char *const wanted[] = {
        [FB_TIME_ISO] = "; a text in ISO 8601 is wanted",
        [FB_TIME_S] = "; seconds since 1970, or a text in ISO 8601, are wanted",
        [FB_TIME_MS] = "; milliseconds since 1970, or a text in ISO 8601, are wanted",
        [FB_TIME_US] = "; microseconds since 1970, or a text in ISO 8601, are wanted",
        [FB_TIME_NS] = "; nanoseconds since 1970, or a text in ISO 8601, are wanted"};
    static const struct {
        uint64_t us, too_many;
    } units[FB_TIME_NS + 1] = {[FB_TIME_S] = {1000000, LAST_US / 1000000 + 1},
                               [FB_TIME_MS] = {1000, LAST_US / 1000 + 1},
                               [FB_TIME_US] = {1, LAST_US + 1}};
    const struct fb_class *class_ = maker->class_;
    if (class_->time_unit == FB_TIME_ARRIVAL) {
        entry->ts_us = arrival_us;
        if (arrival_us >= FIRST_US && arrival_us <= LAST_US)
            return FB_MADE_ENTRY;
        maker->detail.n = 0;
        fb_buf_printf(&maker->detail, "device %.*s: ", FB_ARG(class_->name));
        return refuse(maker, reject, "BAD_TIME", "the record has no stamp of arrival",
                      FB_MADE_REJECT);
    }
    if (time->kind == FB_JSON_NUM && time->quick && time->exponent == 0 && !time->negative &&
        time->mantissa < units[class_->time_unit].too_many) {
        entry->ts_us = (int64_t)(time->mantissa * units[class_->time_unit].us);
        return FB_MADE_ENTRY;
    }
    if (read_time(time, (int)class_->time_unit, &entry->ts_us))
        return FB_MADE_ENTRY;
    put_name(maker, "the time", class_->time_path);
    put_value(&maker->detail, time);
    fb_buf_text(&maker->detail, wanted[class_->time_unit]);
    return refuse(maker, reject, "BAD_TIME", ", in the years 0001 to 9999", FB_MADE_REJECT);
}

enum fb_made fb_maker_make(struct fb_maker *maker, const struct fb_json_value *const *by_field,
                           const struct fb_json_value *time, int64_t arrival_us,
                           struct fb_entry *entry, struct fb_reject *reject) {
    const struct fb_class *class_ = maker->class_;
    enum fb_made made = FB_MADE_ENTRY;
    if (!take_plain_key(maker, by_field[0], entry))
        made = take_keys(maker, by_field, entry, reject);
    if (made == FB_MADE_ENTRY)
        made = take_time(maker, time, arrival_us, entry, reject);
    if (made != FB_MADE_ENTRY)
        return made;
    const bool *plain = maker->plain;
    const uint32_t n_fields = class_->n_fields;
    struct fb_sample *sample = maker->samples + class_->n_keys;
    for (uint32_t i = class_->n_keys; i < n_fields; i++) {
        const struct fb_json_value *value = by_field[i];
        if (value->kind == FB_JSON_ABSENT)
            continue;
        sample->field = (uint16_t)i;
        if (value->kind == FB_JSON_NUM && value->quick && plain[i]) {
            sample->state = FB_SAMPLE_GOOD;
            sample->num = value->num;
        } else {
            sample->text = (struct fb_str){0};
            sample->state = take_sample(maker, &class_->fields[i], value, sample);
        }
        sample++;
    }
    entry->class_index = maker->class_index;
    entry->samples = maker->samples;
    entry->n_samples = (uint16_t)(sample - maker->samples);
    return FB_MADE_ENTRY;
}
