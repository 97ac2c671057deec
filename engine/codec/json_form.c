/* Forms of numbers: which one the bytes at hand have, and how it is made. */
#include "engine/codec/json_form.h"

enum { NO_DIGIT = -1 };

static uint64_t power_of_ten(int n) {
    uint64_t power = 1;
    while (n-- > 0)
        power *= 10;
    return power;
}

/* The least exponent among n bytes; NO_DIGIT where none is a digit. */
static int least_exponent(const int *exponents, int n) {
    int least = NO_DIGIT;
    for (int i = 0; i < n; i++)
        if (exponents[i] != NO_DIGIT && (least == NO_DIGIT || exponents[i] < least))
            least = exponents[i];
    return least;
}

/* The digits of n bytes have weights relative to the last of them; gives its exponent. */
static int weigh(int16_t *weights, int stride, const int *exponents, int n) {
    int least = least_exponent(exponents, n);
    for (int i = 0; i < n; i += stride) {
        int part = least_exponent(exponents + i, stride);
        weights[i / stride] = part == NO_DIGIT ? 0 : (int16_t)power_of_ten(part - least);
    }
    return least;
}

/* exponents: of each byte's digit, as a power of ten in the mantissa. */
static void set_weights(struct fb_json_form *form, const int exponents[16]) {
    for (int i = 0; i < 16; i += 2)
        weigh(form->weights + i, 1, exponents + i, 2);
    for (int i = 0; i < 16; i += 4)
        weigh(form->pair_weights + i / 2, 2, exponents + i, 4);
    for (int i = 0; i < 16; i += 8)
        weigh(form->four_weights + i / 4, 4, exponents + i, 8);
    form->upper_weight = power_of_ten(least_exponent(exponents, 8));
}

static void set_byte(struct fb_json_form *form, uint32_t i, int least, int greatest) {
    form->least[i] = (uint8_t)least;
    form->span[i] = (uint8_t)(greatest - least);
}

static void make(struct fb_json_form *form, bool negative, uint32_t n_whole, uint32_t n_fraction) {
    int exponents[16], exponent = (int)(n_whole + n_fraction);
    uint32_t n = 0;
    for (int i = 0; i < 16; i++) {
        exponents[i] = NO_DIGIT;
        set_byte(form, (uint32_t)i, 0, 255);
    }
    if (negative)
        set_byte(form, n++, '-', '-');
    for (uint32_t i = 0; i < n_whole; i++) {
        bool not_zero = i == 0 && n_whole > 1;
        exponents[n] = --exponent;
        if (not_zero)
            form->base = power_of_ten(exponent);
        set_byte(form, n++, not_zero ? '1' : '0', '9');
    }
    if (n_fraction)
        set_byte(form, n++, '.', '.');
    for (uint32_t i = 0; i < n_fraction; i++) {
        exponents[n] = --exponent;
        set_byte(form, n++, '0', '9');
    }
    /* Behind it neither digit, point nor 'e' in either case: from 'e' + 1 around to '.' - 1. */
    set_byte(form, n, 'e' + 1, 256 + '.' - 1);
    form->n = n;
    form->pattern = (struct fb_json_value){
        .kind = FB_JSON_NUM, .negative = negative, .quick = true, .exponent = -(int32_t)n_fraction};
    form->divisor = (double)power_of_ten((int)n_fraction) * (negative ? -1 : 1);
    set_weights(form, exponents);
}

const struct fb_json_form *fb_json_forms_make(struct fb_json_forms *forms, bool negative,
                                              uint32_t n_whole, uint32_t n_fraction) {
    uint32_t n = negative + n_whole + (n_fraction > 0) + n_fraction;
    if (n_whole == 0 || n >= FB_JSON_FORM_ROOM || forms->n == FB_JSON_FORMS)
        return NULL;
    struct fb_json_form *form = &forms->at[forms->n++];
    forms->place[negative][n_whole][n_fraction] = (uint8_t)forms->n;
    make(form, negative, n_whole, n_fraction);
    return form;
}
