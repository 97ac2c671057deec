/* Numbers, durations and units.
 *
 * Place in the flow: second stage of the compiler, called by lex.c; knows which words the grammar
 * lets follow an expression, because those are never units. */
#include "rules/lex_number.h"

#include <stdio.h>
#include <string.h>

/* Words that may follow an expression or a number in the grammar, those of statements to come
 * included: none of them is ever a unit, so that `10 kW per 10s` or `5 at 3s` reads as meant. */
static const char *const followers[] = {
    "actuator", "after", "ago", "alarm", "and", "armed", "at", "breaker", "by", "canary",
    "clear", "cleared", "combine", "command", "control", "critical", "deadband", "default",
    "deliver", "device", "domain", "each", "else", "escalate", "event", "every", "expect",
    "failures", "feedback", "fleet", "for", "forget", "from", "go", "growing", "hi", "high",
    "hihi", "hold", "ignore", "in", "info", "interlock", "is", "key", "label", "latch", "late",
    "lease", "let", "limits", "link", "lo", "lockout", "lolo", "low", "matches", "maximum",
    "medium", "message", "minimum", "mode", "most", "needs", "not", "null", "of", "off", "on",
    "or", "over", "param", "per", "permissive", "priority", "raise", "raised", "range",
    "records", "registry", "reorder", "repeat", "response", "reversals", "rollout", "safe",
    "schedule", "series", "shadow", "since", "slew", "stale", "start", "starts",
    "state", "stay", "step", "steps", "suppress", "tag", "test", "then", "time", "to", "under",
    "until", "up", "use", "when", "whenever", "where", "with", "within", "zone"};

/* True for a word that may follow an expression, which is never a unit. */
static bool is_follower(struct fb_str word) {
    for (size_t i = 0; i < sizeof followers / sizeof *followers; i++) {
        if (fb_str_eq(word, fb_str_of(followers[i]))) {
            return true;
        }
    }
    return false;
}

/* Microseconds of a duration's unit; 0: not one. */
static int64_t unit_us(struct fb_str unit) {
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {{"us", 1},           {"ms", 1000},          {"s", 1000000},
                 {"m", 60000000},     {"h", 3600000000},     {"d", 86400000000},
                 {"w", 604800000000}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (fb_str_eq(unit, fb_str_of(units[i].name))) {
            return units[i].us;
        }
    }
    return 0;
}

/* duration = { DIGITS UNIT }, each unit shorter than the one before. 1: read; 0: it is none;
 * -1: it is one but does not fit. */
static int read_duration(struct fb_str s, int64_t *us) {
    int64_t total = 0, before = INT64_MAX;
    bool fits = true;
    if (s.n == 0) {
        return 0;
    }
    for (size_t i = 0; i < s.n;) {
        size_t digits = i;
        int64_t n = 0;
        while (i < s.n && fb_lex_is_digit(s.p[i])) {
            fits = fits && !__builtin_mul_overflow(n, 10, &n) &&
                   !__builtin_add_overflow(n, s.p[i] - '0', &n);
            i++;
        }
        size_t letters = i;
        while (i < s.n && fb_lex_is_letter(s.p[i])) {
            i++;
        }
        int64_t size = unit_us((struct fb_str){s.p + letters, i - letters});
        if (letters == digits || size == 0 || size >= before) {
            return 0;
        }
        fits = fits && !__builtin_mul_overflow(n, size, &n) &&
               !__builtin_add_overflow(total, n, &total);
        before = size;
    }
    *us = total;
    return fits ? 1 : -1;
}

bool fb_lex_duration(struct fb_str written, int64_t *us) {
    return read_duration(written, us) == 1;
}

/* True for x5: "five times", in the series of tests. */
static bool is_times(struct fb_str s) {
    if (s.n < 2 || s.p[0] != 'x') {
        return false;
    }
    for (size_t i = 1; i < s.n; i++) {
        if (!fb_lex_is_digit(s.p[i])) {
            return false;
        }
    }
    return true;
}

static bool begins_unit(const struct fb_lexer *lexer, uint32_t at) {
    int c = fb_lex_byte(lexer, at);
    return fb_lex_is_letter(c) || c == '%' || fb_lex_is_foreign(lexer, at);
}

static bool is_dot(const struct fb_lexer *lexer, uint32_t at) { /* N·m */
    return fb_lex_byte(lexer, at) == 0xC2 && fb_lex_byte(lexer, at + 1) == 0xB7;
}

static bool in_unit_word(const struct fb_lexer *lexer, uint32_t at) {
    int c = fb_lex_byte(lexer, at), next = fb_lex_byte(lexer, at + 1);
    return fb_lex_is_digit(c) || begins_unit(lexer, at) || (c >= 0x80 && (c & 0xC0) == 0x80) ||
           (c == '-' && fb_lex_is_digit(next)) ||
           (c == '^' && (fb_lex_is_digit(next) || next == '-'));
}

/* Behind ) of a product of units in brackets that begins here: `(m2.K)`; 0: it is none. One word
 * alone is none, for it may be a field's name: `5 m/(x)`. */
static uint32_t product_end(const struct fb_lexer *lexer, uint32_t at) {
    bool product = false;
    if (fb_lex_byte(lexer, at) != '(') {
        return 0;
    }
    for (uint32_t join = 1; join > 0;) {
        at += join;
        if (!begins_unit(lexer, at)) {
            return 0;
        }
        while (in_unit_word(lexer, at) && !is_dot(lexer, at)) {
            at++;
        }
        bool dot = is_dot(lexer, at), point = fb_lex_byte(lexer, at) == '.';
        product |= dot || point;
        join = dot ? 2 : point || fb_lex_byte(lexer, at) == '/' ? 1 : 0;
    }
    return product && fb_lex_byte(lexer, at) == ')' ? at + 1 : 0;
}

/* The end of a unit that begins here. A sign needs a digit behind it, / and . something of a unit,
 * so that `5 K..8 K` and `5 m/(x)` end where they should; % has no letters behind it: `5%of x`. */
static uint32_t unit_end(const struct fb_lexer *lexer, uint32_t at) {
    for (;;) {
        int c = fb_lex_byte(lexer, at), next = fb_lex_byte(lexer, at + 1);
        bool behind_percent = at > 0 && fb_lex_byte(lexer, at - 1) == '%';
        uint32_t behind_product = c == '/' ? product_end(lexer, at + 1) : 0;
        bool goes_on =
            in_unit_word(lexer, at) || is_dot(lexer, at) || behind_product ||
            ((c == '/' || c == '.') && (begins_unit(lexer, at + 1) || fb_lex_is_digit(next)));
        if (!goes_on || (behind_percent && c != '/' && c != '.' && c != '^')) {
            return at;
        }
        at = behind_product ? behind_product : at + 1;
    }
}

/* Digits and the units of durations in turn, in whatever order. */
static bool is_mixed_duration(struct fb_str s) {
    int64_t us;
    for (size_t i = 0; i < s.n;) {
        size_t start = i;
        while (i < s.n && fb_lex_is_digit(s.p[i])) {
            i++;
        }
        while (i < s.n && fb_lex_is_letter(s.p[i])) {
            i++;
        }
        if (i == start || read_duration((struct fb_str){s.p + start, i - start}, &us) == 0) {
            return false;
        }
    }
    return s.n > 0;
}

/* Reports `5min`, `80degC`, `1.5h`; `letters` is where they begin. */
static void report_touching(struct fb_lexer *lexer, uint32_t start, uint32_t letters) {
    lexer->at = unit_end(lexer, letters);
    struct fb_str number = fb_lex_slice(lexer, start, letters);
    struct fb_str unit = fb_lex_slice(lexer, letters, lexer->at);
    static const struct {
        const char *written, *meant;
    } spans[] = {{"sec", "s"},   {"secs", "s"},  {"second", "s"}, {"seconds", "s"}, {"min", "m"},
                 {"mins", "m"},  {"minute", "m"}, {"minutes", "m"}, {"hr", "h"},    {"hrs", "h"},
                 {"hour", "h"},  {"hours", "h"}, {"day", "d"},    {"days", "d"},    {"week", "w"},
                 {"weeks", "w"}, {"msec", "ms"}};
    struct fb_buf help = {0};
    bool whole = memchr(number.p, '.', number.n) == NULL && memchr(number.p, 'e', number.n) == NULL;
    for (size_t i = 0; whole && i < sizeof spans / sizeof *spans; i++) {
        if (fb_str_eq(unit, fb_str_of(spans[i].written))) {
            fb_buf_printf(&help, "write %.*s%s for a duration or %.*s %.*s for a quantity",
                          FB_ARG(number), spans[i].meant, FB_ARG(number), FB_ARG(unit));
        }
    }
    if (help.n == 0 && unit_us(unit) != 0 && !whole) {
        fb_buf_printf(&help, "a duration has whole numbers, as in 1h30m; the quantity is written "
                             "%.*s %.*s",
                      FB_ARG(number), FB_ARG(unit));
    }
    if (help.n == 0 && fb_str_eq(number, FB_S("0")) && (unit.p[0] | 0x20) == 'x') {
        fb_buf_text(&help, "numbers are written in decimal digits");
    }
    if (help.n == 0 && is_mixed_duration(fb_lex_slice(lexer, start, lexer->at))) {
        fb_buf_text(&help, "a duration has its longest unit first and each at most once, as in "
                           "1h30m");
    }
    if (help.n == 0) {
        fb_buf_printf(&help, "put a blank %s: %.*s %.*s",
                      is_follower(unit) ? "behind the number" : "before the unit", FB_ARG(number),
                      FB_ARG(unit));
    }
    fb_diag_add(lexer->diags, FB_E_NUMBER_TOUCHES_LETTERS, fb_lex_span(lexer, start, lexer->at),
                fb_buf_terminated(&help), "`%.*s` is neither a number nor a duration",
                FB_ARG(fb_lex_slice(lexer, start, lexer->at)));
    fb_buf_free(&help);
}

static void skip_digits(struct fb_lexer *lexer) {
    while (fb_lex_is_digit(fb_lex_byte(lexer, lexer->at))) {
        lexer->at++;
    }
}

/* NUMBER as far as it goes; returns whether it is a whole number without an exponent. */
static bool skip_number(struct fb_lexer *lexer) {
    skip_digits(lexer);
    bool whole = true;
    if (fb_lex_byte(lexer, lexer->at) == '.' &&
        fb_lex_is_digit(fb_lex_byte(lexer, lexer->at + 1))) {
        whole = false;
        lexer->at++;
        skip_digits(lexer);
    }
    if ((fb_lex_byte(lexer, lexer->at) | 0x20) == 'e') {
        int sign = fb_lex_byte(lexer, lexer->at + 1);
        uint32_t digits = lexer->at + (sign == '+' || sign == '-' ? 2 : 1);
        if (fb_lex_is_digit(fb_lex_byte(lexer, digits))) {
            whole = false;
            lexer->at = digits;
            skip_digits(lexer);
        }
    }
    return whole;
}

/* Letters that touch a number make a duration of it, or a mistake: then the token is there, and the
 * result true. */
static bool take_letters(struct fb_lexer *lexer, uint32_t start, bool whole) {
    uint32_t letters = lexer->at;
    while (fb_lex_is_word_byte(fb_lex_byte(lexer, lexer->at)) ||
           fb_lex_is_foreign(lexer, lexer->at)) {
        lexer->at += fb_lex_length(fb_lex_byte(lexer, lexer->at));
    }
    if (lexer->at == letters) {
        return false;
    }
    int64_t us;
    struct fb_str run = fb_lex_slice(lexer, start, lexer->at);
    int duration = whole ? read_duration(run, &us) : 0;
    if (is_times(fb_lex_slice(lexer, letters, lexer->at))) {
        lexer->at = letters; /* the x5 behind it is a token of its own */
        return false;
    }
    if (duration == -1) {
        fb_diag_add(lexer->diags, FB_E_BAD_NUMBER, fb_lex_span(lexer, start, lexer->at), NULL,
                    "the duration `%.*s` is too long", FB_ARG(run));
    } else if (duration == 0) {
        report_touching(lexer, start, letters);
    }
    fb_lex_push(lexer, duration == 1 ? FB_TOK_DURATION : FB_TOK_BAD, start);
    return true;
}

/* `5.` */
static void report_point(struct fb_lexer *lexer, uint32_t start, bool whole) {
    uint32_t end = lexer->at;
    lexer->at++;
    skip_digits(lexer);
    struct fb_str number = fb_lex_slice(lexer, start, end);
    char help[64];
    snprintf(help, sizeof help, "write %.*s.0 or %.*s", (int)(number.n < 20 ? number.n : 20),
             number.p, (int)(number.n < 20 ? number.n : 20), number.p);
    fb_diag_add(lexer->diags, FB_E_BAD_NUMBER, fb_lex_span(lexer, start, lexer->at),
                whole && lexer->at == end + 1 ? help : NULL, "`%.*s` is not a number",
                FB_ARG(fb_lex_slice(lexer, start, lexer->at)));
    fb_lex_push(lexer, FB_TOK_BAD, start);
}

void fb_lex_number(struct fb_lexer *lexer) {
    uint32_t start = lexer->at;
    bool whole = skip_number(lexer);
    if (take_letters(lexer, start, whole)) {
        return;
    }
    if (fb_lex_byte(lexer, lexer->at) == '.' && fb_lex_byte(lexer, lexer->at + 1) != '.') {
        report_point(lexer, start, whole);
        return;
    }
    fb_lex_push(lexer, FB_TOK_NUMBER, start);
    lexer->after_number = true;
}

bool fb_lex_pointed(struct fb_lexer *lexer) {
    if (fb_lex_byte(lexer, lexer->at) != '.' ||
        !fb_lex_is_digit(fb_lex_byte(lexer, lexer->at + 1))) {
        return false;
    }
    uint32_t start = lexer->at++;
    skip_digits(lexer);
    struct fb_str digits = fb_lex_slice(lexer, start, lexer->at);
    char help[64];
    snprintf(help, sizeof help, "write 0%.*s", (int)(digits.n < 40 ? digits.n : 40), digits.p);
    fb_diag_add(lexer->diags, FB_E_BAD_NUMBER, fb_lex_span(lexer, start, lexer->at), help,
                "`%.*s` is not a number", FB_ARG(digits));
    fb_lex_push(lexer, FB_TOK_BAD, start);
    return true;
}

void fb_lex_unit(struct fb_lexer *lexer) {
    uint32_t start = lexer->at;
    while (fb_lex_byte(lexer, start) == ' ' || fb_lex_byte(lexer, start) == '\t') {
        start++;
    }
    if (!begins_unit(lexer, start) || (start == lexer->at && fb_lex_byte(lexer, start) != '%')) {
        return;
    }
    uint32_t end = unit_end(lexer, start), word = start;
    while (fb_lex_is_word_byte(fb_lex_byte(lexer, word))) {
        word++;
    }
    struct fb_str first = fb_lex_slice(lexer, start, word);
    uint32_t behind = end;
    while (fb_lex_byte(lexer, behind) == ' ' || fb_lex_byte(lexer, behind) == '\t') {
        behind++;
    }
    if (is_follower(first) || is_times(first) || fb_lex_byte(lexer, behind) == ':') {
        return;
    }
    lexer->at = end;
    fb_lex_push(lexer, FB_TOK_UNIT, start);
}

void fb_lex_declared_unit(struct fb_lexer *lexer) {
    uint32_t start = lexer->at++;
    int c;
    while ((c = fb_lex_byte(lexer, lexer->at)) >= 0 && c != ']' && (c >= 0x20 || c == '\t')) {
        lexer->at++;
    }
    bool ended = c == ']';
    lexer->at += ended;
    uint32_t first = start + 1, last = lexer->at - (ended ? 1 : 0);
    while (first < last && fb_lex_byte(lexer, first) == ' ') {
        first++;
    }
    while (last > first && fb_lex_byte(lexer, last - 1) == ' ') {
        last--;
    }
    struct fb_str unit = fb_lex_slice(lexer, first, last);
    bool blank = memchr(unit.p, ' ', unit.n) != NULL || memchr(unit.p, '\t', unit.n) != NULL;
    if (ended && unit.n > 0 && !blank) {
        fb_lex_push(lexer, FB_TOK_DECLARED_UNIT, start);
        return;
    }
    fb_diag_add(lexer->diags, FB_E_BAD_UNIT, fb_lex_span(lexer, start, lexer->at),
                !ended        ? "end it with ] on the same line"
                : unit.n == 0 ? "leave the brackets out where there is no unit"
                              : "a unit has no blanks inside, as in [m3/h]",
                !ended        ? "this unit has no end"
                : unit.n == 0 ? "a unit in brackets is empty"
                              : "a unit in brackets holds a blank");
    fb_lex_push(lexer, FB_TOK_BAD, start);
}
