/* Units as exact fractions over base dimensions; UDUNITS-2 for words that our table lacks.
 *
 * Place in the flow: check and lower. The only file that includes udunits2.h. */
#include "rules/units.h"

#include <stdlib.h>
#include <string.h>
#include <udunits2.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/map.h"
#include "rules/rational.h"

enum base {
    BASE_M,
    BASE_KG,
    BASE_S,
    BASE_K,
    BASE_A,
    BASE_MOL,
    BASE_CD,
    BASE_DEG,
    BASE_B,
    BASE_DB,
    BASES
};

static const char *const base_names[BASES] = {"m",   "kg", "s",   "K", "A",
                                              "mol", "cd", "deg", "B", "dB"};

enum { POWER_MAX = 20, NESTING_MAX = 16 };

enum prefixes { NONE, SI, DATA };

struct fb_unit {
    struct fb_str text;
    struct fb_rational factor, offset; /* base = value * factor + offset */
    int powers[BASES];
    bool derived;
    bool bad; /* a power or the factor is out of all bounds: agrees with nothing */
};

struct row {
    struct fb_str text, factor, base, offset;
    enum prefixes prefixes;
};

static const struct row rows[] = {
#define FB_UNIT(text, factor, base, offset, prefixes)                                              \
    {FB_S(text), FB_S(factor), FB_S(base), FB_S(offset), prefixes},
#include "rules/unit_table.inc"
#undef FB_UNIT
};

static const struct prefix {
    struct fb_str text, factor;
    enum prefixes of;
} prefixes[] = {
    {FB_S("Ki"), FB_S("1024"), DATA},
    {FB_S("Mi"), FB_S("1048576"), DATA},
    {FB_S("Gi"), FB_S("1073741824"), DATA},
    {FB_S("Ti"), FB_S("1099511627776"), DATA},
    {FB_S("Pi"), FB_S("1125899906842624"), DATA},
    {FB_S("K"), FB_S("1000"), DATA},
    {FB_S("k"), FB_S("1000"), DATA},
    {FB_S("M"), FB_S("1e6"), DATA},
    {FB_S("G"), FB_S("1e9"), DATA},
    {FB_S("T"), FB_S("1e12"), DATA},
    {FB_S("P"), FB_S("1e15"), DATA},
    {FB_S("E"), FB_S("1e18"), DATA},
    {FB_S("da"), FB_S("10"), SI},
    {FB_S("Y"), FB_S("1e24"), SI},
    {FB_S("Z"), FB_S("1e21"), SI},
    {FB_S("E"), FB_S("1e18"), SI},
    {FB_S("P"), FB_S("1e15"), SI},
    {FB_S("T"), FB_S("1e12"), SI},
    {FB_S("G"), FB_S("1e9"), SI},
    {FB_S("M"), FB_S("1e6"), SI},
    {FB_S("k"), FB_S("1000"), SI},
    {FB_S("h"), FB_S("100"), SI},
    {FB_S("d"), FB_S("1/10"), SI},
    {FB_S("c"), FB_S("1/100"), SI},
    {FB_S("m"), FB_S("1/1000"), SI},
    {FB_S("u"), FB_S("1e-6"), SI},
    {FB_S("\xc2\xb5"), FB_S("1e-6"), SI}, /* the micro sign */
    {FB_S("\xce\xbc"), FB_S("1e-6"), SI}, /* the Greek letter */
    {FB_S("n"), FB_S("1e-9"), SI},
    {FB_S("p"), FB_S("1e-12"), SI},
    {FB_S("f"), FB_S("1e-15"), SI},
    {FB_S("a"), FB_S("1e-18"), SI},
};

#define LENGTH(array) (sizeof(array) / sizeof *(array))

struct fb_units {
    struct fb_arena *arena;
    struct fb_map *by_text; /* index in found */
    const struct fb_unit **found;
    uint32_t n_found, cap_found;
    ut_system *udunits; /* read when first needed; NULL: not yet, or not installed */
    bool udunits_tried;
};

struct fb_units *fb_units_new(void) {
    struct fb_units *units = fb_alloc(sizeof *units);
    units->arena = fb_arena_new();
    units->by_text = fb_map_new();
    return units;
}

void fb_units_free(struct fb_units *units) {
    if (!units)
        return;
    if (units->udunits)
        ut_free_system(units->udunits);
    fb_map_free(units->by_text);
    fb_arena_free(units->arena);
    free(units->found);
    free(units);
}

/* ---- arithmetic of units -------------------------------------------------------------------- */

static struct fb_unit one(void) {
    return (struct fb_unit){.factor = fb_rational_of(1), .offset = fb_rational_of(0)};
}

static struct fb_unit value_of(const struct fb_unit *unit) {
    return unit ? *unit : one();
}

static struct fb_unit raised(struct fb_unit a, int power) {
    a.factor = fb_rational_pow(a.factor, power);
    if (power != 1)
        a.offset = fb_rational_of(0);
    for (int i = 0; i < BASES; i++) {
        a.powers[i] *= power;
        a.bad |= abs(a.powers[i]) > POWER_MAX;
    }
    a.bad |= a.factor.bad;
    return a;
}

/* In a product a scale counts as its steps: degC/h is K/h. */
static struct fb_unit times(struct fb_unit a, struct fb_unit b) {
    a.factor = fb_rational_mul(a.factor, b.factor);
    a.offset = fb_rational_of(0);
    a.bad |= b.bad || a.factor.bad;
    for (int i = 0; i < BASES; i++) {
        a.powers[i] += b.powers[i];
        a.bad |= abs(a.powers[i]) > POWER_MAX;
    }
    return a;
}

static bool same_powers(const struct fb_unit *a, const struct fb_unit *b) {
    return memcmp(a->powers, b->powers, sizeof a->powers) == 0;
}

/* ---- one word of a unit --------------------------------------------------------------------- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Splits a trailing whole number off: m3, s-1, m^2. False: there is none. */
static bool split_power(struct fb_str word, struct fb_str *atom, int *power) {
    size_t end = word.n;
    while (end > 0 && is_digit(word.p[end - 1]))
        end--;
    if (end == word.n || word.n - end > 2)
        return false;
    *power = 0;
    for (size_t i = end; i < word.n; i++)
        *power = *power * 10 + (word.p[i] - '0');
    if (end > 0 && (word.p[end - 1] == '-' || word.p[end - 1] == '+'))
        *power = word.p[--end] == '-' ? -*power : *power;
    if (end > 0 && word.p[end - 1] == '^')
        end--;
    *atom = (struct fb_str){word.p, end};
    return end > 0;
}

/* The next word, up to a separator or bracket; false: it is empty. */
static bool next_word(struct fb_str *rest, struct fb_str *word) {
    size_t i = 0;
    while (i < rest->n && rest->p[i] != '.' && rest->p[i] != '*' && rest->p[i] != '/' &&
           rest->p[i] != '(' && rest->p[i] != ')')
        i++;
    *word = (struct fb_str){rest->p, i};
    *rest = (struct fb_str){rest->p + i, rest->n - i};
    return i > 0;
}

/* "kg.m2/s3" of the table */
static void read_base(struct fb_str text, int powers[BASES]) {
    int sign = 1;
    while (text.n) {
        struct fb_str word, atom;
        int power = 1;
        next_word(&text, &word);
        if (!split_power(word, &atom, &power))
            atom = word;
        int base = 0;
        while (base < BASES && !fb_str_eq(atom, fb_str_of(base_names[base])))
            base++;
        FB_ASSERT(base < BASES);
        powers[base] += sign * power;
        if (text.n) {
            sign = text.p[0] == '/' ? -1 : 1;
            text.p++, text.n--;
        }
    }
}

static struct fb_unit unit_of_row(const struct row *row) {
    struct fb_unit unit = one();
    unit.factor = fb_rational_parse(row->factor);
    unit.offset = fb_rational_parse(row->offset);
    FB_ASSERT(!unit.factor.bad && !unit.offset.bad);
    read_base(row->base, unit.powers);
    return unit;
}

static bool find_in_table(struct fb_str atom, struct fb_unit *out) {
    for (size_t i = 0; i < LENGTH(rows); i++)
        if (fb_str_eq(rows[i].text, atom)) {
            *out = unit_of_row(&rows[i]);
            return true;
        }
    for (size_t p = 0; p < LENGTH(prefixes); p++) {
        const struct prefix *prefix = &prefixes[p];
        if (atom.n <= prefix->text.n || memcmp(atom.p, prefix->text.p, prefix->text.n) != 0)
            continue;
        struct fb_str rest = {atom.p + prefix->text.n, atom.n - prefix->text.n};
        for (size_t i = 0; i < LENGTH(rows); i++) {
            if (rows[i].prefixes != prefix->of || !fb_str_eq(rows[i].text, rest))
                continue;
            *out = unit_of_row(&rows[i]);
            out->factor = fb_rational_mul(out->factor, fb_rational_parse(prefix->factor));
            return true;
        }
    }
    return false;
}

/* ---- UDUNITS-2 ------------------------------------------------------------------------------ */

static bool base_of_udunits(const ut_unit *basic, struct fb_unit *out) {
    const char *symbol = ut_get_symbol(basic, UT_ASCII);
    if (!symbol)
        symbol = ut_get_name(basic, UT_ASCII);
    if (!symbol)
        return false;
    *out = one();
    if (strcmp(symbol, "rad") == 0 || strcmp(symbol, "radian") == 0)
        return find_in_table(FB_S("rad"), out);
    for (int base = 0; base <= BASE_CD; base++)
        if (strcmp(symbol, base_names[base]) == 0) {
            out->powers[base] = 1;
            return true;
        }
    return false;
}

static ut_status visit_basic(const ut_unit *unit, void *arg) {
    return base_of_udunits(unit, arg) ? UT_SUCCESS : UT_VISIT_ERROR;
}

static ut_status visit_product(const ut_unit *unit, int count, const ut_unit *const *basics,
                               const int *powers, void *arg) {
    (void)unit;
    struct fb_unit *out = arg;
    *out = one();
    for (int i = 0; i < count; i++) {
        struct fb_unit basic;
        if (!base_of_udunits(basics[i], &basic))
            return UT_VISIT_ERROR;
        *out = times(*out, raised(basic, powers[i]));
    }
    return UT_SUCCESS;
}

static ut_status visit_galilean(const ut_unit *unit, double scale, const ut_unit *underlying,
                                double offset, void *arg);

static ut_status visit_timestamp(const ut_unit *unit, const ut_unit *seconds, double origin,
                                 void *arg) {
    (void)unit, (void)seconds, (void)origin, (void)arg;
    return UT_VISIT_ERROR; /* a date, not a unit */
}

static ut_status visit_logarithm(const ut_unit *unit, double base, const ut_unit *reference,
                                 void *arg) {
    (void)unit, (void)base, (void)reference, (void)arg;
    return UT_VISIT_ERROR; /* its conversions are no straight lines */
}

static const ut_visitor visitor = {.visit_basic = visit_basic,
                                   .visit_product = visit_product,
                                   .visit_galilean = visit_galilean,
                                   .visit_timestamp = visit_timestamp,
                                   .visit_logarithmic = visit_logarithm};

/* value_underlying = scale * (value + offset) */
static ut_status visit_galilean(const ut_unit *unit, double scale, const ut_unit *underlying,
                                double offset, void *arg) {
    (void)unit;
    struct fb_unit *out = arg;
    if (ut_accept_visitor(underlying, &visitor, out) != UT_SUCCESS)
        return UT_VISIT_ERROR;
    struct fb_rational exact = fb_rational_of_double(scale);
    struct fb_rational shift = fb_rational_mul(fb_rational_of_double(offset), exact);
    out->offset = fb_rational_add(out->offset, fb_rational_mul(shift, out->factor));
    out->factor = fb_rational_mul(out->factor, exact);
    return out->factor.bad || out->offset.bad ? UT_VISIT_ERROR : UT_SUCCESS;
}

static bool find_in_udunits(struct fb_units *units, struct fb_str atom, struct fb_unit *out) {
    if (!units->udunits_tried) {
        units->udunits_tried = true;
        ut_set_error_message_handler(ut_ignore);
        units->udunits = ut_read_xml(NULL);
    }
    char text[64];
    if (!units->udunits || atom.n >= sizeof text)
        return false;
    memcpy(text, atom.p, atom.n);
    text[atom.n] = '\0';
    ut_unit *unit = ut_parse(units->udunits, text, UT_UTF8);
    if (!unit)
        return false;
    bool found = ut_accept_visitor(unit, &visitor, out) == UT_SUCCESS;
    ut_free(unit);
    return found;
}

/* ---- whole units ---------------------------------------------------------------------------- */

static bool is_word(struct fb_str text) {
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
        if (!letter && !(i > 0 && is_digit(c)))
            return false;
    }
    return text.n > 0;
}

/* A word, with or without a power. First as it stands, for a word may end in a digit of its own;
 * our table first, so that UDUNITS is hardly ever loaded. */
static bool find_word(struct fb_units *units, struct fb_str word, struct fb_unit *out) {
    struct fb_str atom;
    int power;
    if (fb_str_eq(word, FB_S("1"))) {
        *out = one();
        return true;
    }
    if (find_in_table(word, out))
        return true;
    bool split = split_power(word, &atom, &power);
    if (!(split && find_in_table(atom, out))) {
        /* Only words go to UDUNITS, whose grammar would also read dates and numbers. */
        if (is_word(word) && find_in_udunits(units, word, out))
            return true;
        if (!split || !is_word(atom) || !find_in_udunits(units, atom, out))
            return false;
    }
    *out = raised(*out, power);
    return true;
}

static bool read_product(struct fb_units *units, struct fb_str *rest, struct fb_unit *out,
                         int depth);

/* word [power] | ( product ) */
static bool read_factor(struct fb_units *units, struct fb_str *rest, struct fb_unit *out,
                        int depth) {
    if (rest->n && rest->p[0] == '(') {
        rest->p++, rest->n--;
        if (depth == NESTING_MAX || !read_product(units, rest, out, depth + 1) || !rest->n ||
            rest->p[0] != ')')
            return false;
        rest->p++, rest->n--;
        return true;
    }
    struct fb_str word;
    return next_word(rest, &word) && find_word(units, word, out);
}

/* factor { ( "." | "*" | "/" ) factor } */
static bool read_product(struct fb_units *units, struct fb_str *rest, struct fb_unit *out,
                         int depth) {
    if (!read_factor(units, rest, out, depth))
        return false;
    while (rest->n && rest->p[0] != ')') {
        bool divide = rest->p[0] == '/';
        if (!divide && rest->p[0] != '.' && rest->p[0] != '*')
            return false;
        rest->p++, rest->n--;
        struct fb_unit factor;
        if (!read_factor(units, rest, &factor, depth))
            return false;
        *out = times(*out, raised(factor, divide ? -1 : 1));
    }
    return true;
}

static const struct fb_unit *keep(struct fb_units *units, struct fb_unit unit, struct fb_str text,
                                  bool derived) {
    struct fb_unit *kept = FB_ARENA_NEW(units->arena, struct fb_unit);
    *kept = unit;
    kept->text = fb_str_copy(units->arena, text);
    kept->derived = derived;
    return kept;
}

const struct fb_unit *fb_unit_find(struct fb_units *units, struct fb_str text) {
    uint32_t at = fb_map_get(units->by_text, text);
    if (at != FB_MAP_NONE)
        return units->found[at];
    struct fb_str rest = text;
    struct fb_unit unit;
    bool known = text.n && read_product(units, &rest, &unit, 0) && rest.n == 0 && !unit.bad;
    FB_PUSH_ROOM(units->found, units->n_found, units->cap_found);
    units->found[units->n_found] = known ? keep(units, unit, text, false) : NULL;
    fb_map_put(units->by_text, text, units->n_found);
    return units->found[units->n_found++];
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool equal_but_for_case(struct fb_str a, struct fb_str b) {
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

struct fb_str fb_unit_nearest(struct fb_units *units, struct fb_str text) {
    struct fb_str words[LENGTH(rows)];
    for (size_t i = 0; i < LENGTH(rows); i++) {
        words[i] = rows[i].text;
        if (equal_but_for_case(text, words[i]))
            return words[i];
    }
    /* kw, Mpa: a prefix and a word in the wrong case */
    for (size_t p = 0; p < LENGTH(prefixes); p++)
        for (size_t i = 0; i < LENGTH(rows); i++) {
            if (rows[i].prefixes != prefixes[p].of)
                continue;
            struct fb_str both = fb_str_printf(units->arena, "%.*s%.*s", FB_ARG(prefixes[p].text),
                                               FB_ARG(rows[i].text));
            if (equal_but_for_case(text, both))
                return both;
        }
    return fb_str_nearest(text, words, LENGTH(rows));
}

struct fb_str fb_unit_text(const struct fb_unit *unit) {
    return unit ? unit->text : (struct fb_str){0};
}

bool fb_unit_agree(const struct fb_unit *a, const struct fb_unit *b) {
    struct fb_unit left = value_of(a), right = value_of(b);
    return !left.bad && !right.bad && same_powers(&left, &right);
}

bool fb_unit_same(const struct fb_unit *a, const struct fb_unit *b) {
    struct fb_unit left = value_of(a), right = value_of(b);
    return a == b ||
           (!left.bad && !right.bad && same_powers(&left, &right) &&
            fb_rational_eq(left.factor, right.factor) && fb_rational_eq(left.offset, right.offset));
}

static bool has_dimension(const struct fb_unit *unit, enum base base) {
    struct fb_unit wanted = one(), have = value_of(unit);
    wanted.powers[base] = 1;
    return same_powers(&wanted, &have);
}

bool fb_unit_is_point(const struct fb_unit *unit) {
    return unit && !fb_rational_is_zero(&unit->offset);
}

bool fb_unit_is_temperature(const struct fb_unit *unit) {
    return has_dimension(unit, BASE_K);
}

bool fb_unit_is_time(const struct fb_unit *unit) {
    return has_dimension(unit, BASE_S);
}

bool fb_unit_is_dimensionless(const struct fb_unit *unit) {
    return fb_unit_agree(unit, NULL);
}

bool fb_unit_is_derived(const struct fb_unit *unit) {
    return unit && unit->derived;
}

const struct fb_unit *fb_unit_second(struct fb_units *units) {
    return fb_unit_find(units, FB_S("s"));
}

const struct fb_unit *fb_unit_difference(struct fb_units *units, const struct fb_unit *unit) {
    if (!fb_unit_is_point(unit))
        return unit;
    const struct fb_unit *kelvin = fb_unit_find(units, FB_S("K"));
    if (fb_rational_eq(kelvin->factor, unit->factor))
        return kelvin;
    struct fb_unit steps = *unit;
    steps.offset = fb_rational_of(0);
    return keep(units, steps, unit->text, false);
}

struct fb_str fb_unit_written(struct fb_units *units, const struct fb_unit *unit) {
    const struct fb_str names[] = {fb_unit_text(unit), FB_S("delta_degF")};
    for (size_t i = 0; unit && i < LENGTH(names); i++) {
        const struct fb_unit *named = fb_unit_find(units, names[i]);
        if (named && fb_unit_same(named, unit))
            return names[i];
    }
    return fb_unit_text(unit);
}

static bool is_compound(struct fb_str text) {
    return memchr(text.p, '/', text.n) || memchr(text.p, '.', text.n);
}

static const struct fb_unit *derived(struct fb_units *units, struct fb_unit unit,
                                     struct fb_str text) {
    struct fb_unit plain = one();
    if (!unit.bad && same_powers(&unit, &plain) && fb_rational_eq(unit.factor, plain.factor))
        return NULL;
    return keep(units, unit, text, true);
}

const struct fb_unit *fb_unit_multiply(struct fb_units *units, const struct fb_unit *a,
                                       const struct fb_unit *b) {
    if (!a || !b)
        return a ? a : b;
    return derived(units, times(*a, *b),
                   fb_str_printf(units->arena, "%.*s.%.*s", FB_ARG(a->text), FB_ARG(b->text)));
}

const struct fb_unit *fb_unit_divide(struct fb_units *units, const struct fb_unit *a,
                                     const struct fb_unit *b) {
    if (!b)
        return a;
    struct fb_str over = a ? a->text : FB_S("1");
    bool brackets = is_compound(b->text);
    struct fb_str text = fb_str_printf(units->arena, "%.*s/%s%.*s%s", FB_ARG(over),
                                       brackets ? "(" : "", FB_ARG(b->text), brackets ? ")" : "");
    return derived(units, times(value_of(a), raised(*b, -1)), text);
}

const struct fb_unit *fb_unit_per_second(struct fb_units *units, const struct fb_unit *unit) {
    return unit ? fb_unit_divide(units, unit, fb_unit_second(units)) : NULL;
}

bool fb_unit_root(struct fb_units *units, const struct fb_unit *unit, const struct fb_unit **out) {
    *out = NULL;
    if (!unit)
        return true;
    struct fb_unit root = *unit;
    for (int i = 0; i < BASES; i++) {
        if (root.powers[i] % 2 != 0)
            return false;
        root.powers[i] /= 2;
    }
    root.factor = fb_rational_root(root.factor);
    if (root.factor.bad || fb_unit_is_point(unit))
        return false;
    *out = derived(units, root, fb_str_printf(units->arena, "sqrt(%.*s)", FB_ARG(unit->text)));
    return true;
}

/* ---- conversion ----------------------------------------------------------------------------- */

static void exact_conversion(const struct fb_unit *from, const struct fb_unit *to, bool difference,
                             struct fb_rational *scale, struct fb_rational *offset) {
    FB_ASSERT(fb_unit_agree(from, to));
    struct fb_unit a = value_of(from), b = value_of(to);
    *scale = fb_rational_div(a.factor, b.factor);
    *offset = difference ? fb_rational_of(0)
                         : fb_rational_div(fb_rational_sub(a.offset, b.offset), b.factor);
}

static bool is_whole(const struct fb_rational *a) {
    return a->den.n == 1 && a->den.words[0] == 1;
}

struct fb_unit_conversion fb_unit_convert(const struct fb_unit *from, const struct fb_unit *to,
                                          bool difference) {
    struct fb_rational scale, offset, plain = fb_rational_of(1);
    exact_conversion(from, to, difference, &scale, &offset);
    struct fb_rational inverse = fb_rational_div(plain, scale);
    struct fb_unit_conversion out = {.offset = fb_rational_double(&offset)};
    out.same = fb_rational_eq(scale, plain) && fb_rational_is_zero(&offset);
    out.divide = !is_whole(&scale) && is_whole(&inverse);
    out.scale = fb_rational_double(out.divide ? &inverse : &scale);
    return out;
}

double fb_unit_convert_value(const struct fb_unit *from, const struct fb_unit *to, bool difference,
                             double value) {
    struct fb_rational scale, offset;
    exact_conversion(from, to, difference, &scale, &offset);
    struct fb_rational exact =
        fb_rational_add(fb_rational_mul(fb_rational_of_double(value), scale), offset);
    if (!exact.bad)
        return fb_rational_double(&exact);
    struct fb_unit_conversion rounded = fb_unit_convert(from, to, difference);
    return (rounded.divide ? value / rounded.scale : value * rounded.scale) + rounded.offset;
}
