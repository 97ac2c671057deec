/* The lexer: bytes to tokens, comments kept aside.
 *
 * Place in the flow: second stage of the compiler; knows which words the grammar lets follow an
 * expression, because those are never units. */
#include "rules/lex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lexer {
    struct fb_str text;
    uint32_t file, at, end;
    bool in_message; /* a quote is written \" */
    bool line_start;
    bool after_number; /* the last token is a number without a unit, `at` is behind it */
    struct fb_diags *diags;
    struct fb_tokens *tokens;
    uint32_t *open; /* stack of indices of unclosed brackets */
    uint32_t n_open, cap_open;
};

/* Words that may follow an expression or a number in the grammar, those of statements to come
 * included: none of them is ever a unit, so that `10 kW per 10s` or `5 at 3s` reads as meant. */
static const char *const followers[] = {
    "actuator", "after", "ago", "alarm", "and", "armed", "at", "breaker", "by", "canary",
    "clear", "cleared", "combine", "command", "control", "critical", "deadband", "default",
    "deliver", "device", "domain", "each", "else", "escalate", "event", "every", "expect",
    "feedback", "fleet", "for", "forget", "from", "go", "growing", "hi", "high", "hihi",
    "hold", "ignore", "in", "info", "interlock", "is", "key", "label", "latch", "late",
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

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word_byte(int c) {
    return is_letter(c) || is_digit(c);
}

bool fb_lex_is_word(struct fb_str s) {
    if (s.n == 0 || is_digit(s.p[0])) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!is_word_byte(s.p[i])) {
            return false;
        }
    }
    return true;
}

/* The byte at an offset; -1 behind the end. */
static int byte_at(const struct lexer *lexer, uint32_t at) {
    return at < lexer->end ? (unsigned char)lexer->text.p[at] : -1;
}

static struct fb_str slice(const struct lexer *lexer, uint32_t start, uint32_t end) {
    return (struct fb_str){lexer->text.p + start, end - start};
}

static struct fb_span span_of(const struct lexer *lexer, uint32_t start, uint32_t end) {
    return (struct fb_span){lexer->file, start, end};
}

static struct fb_token *push(struct lexer *lexer, enum fb_token_kind kind, uint32_t start) {
    struct fb_tokens *tokens = lexer->tokens;
    FB_PUSH_ROOM(tokens->items, tokens->n, tokens->cap);
    struct fb_token *token = &tokens->items[tokens->n++];
    *token = (struct fb_token){.kind = (uint8_t)kind, .start = start, .end = lexer->at};
    token->flags = lexer->line_start ? FB_TOKEN_LINE_START : 0;
    lexer->line_start = false;
    return token;
}

/* Bytes of the UTF-8 character that begins here (the text is well-formed). */
static uint32_t character_length(int c) {
    return c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
}

/* ---- operators, ours and those of other languages ------------------------------------------- */

struct spelling {
    const char *written;
    enum fb_token_kind kind;
    const char *meant; /* not NULL: of another language; reported, then taken for `kind` */
};

/* Longer ones first. */
static const struct spelling spellings[] = {
    {"===", FB_TOK_EQ, "=="},    {"!==", FB_TOK_NE, "!="},   {"...", FB_TOK_RANGE, ".."},
    {"<=", FB_TOK_LE, NULL},     {">=", FB_TOK_GE, NULL},    {"==", FB_TOK_EQ, NULL},
    {"!=", FB_TOK_NE, NULL},     {"..", FB_TOK_RANGE, NULL}, {"<>", FB_TOK_NE, "!="},
    {"=<", FB_TOK_LE, "<="},     {"=>", FB_TOK_GE, ">="},    {"&&", FB_TOK_NAME, "and"},
    {"||", FB_TOK_NAME, "or"},   {"!", FB_TOK_NAME, "not"},  {"**", FB_TOK_BAD, "x * x"},
    {"(", FB_TOK_OPEN, NULL},    {")", FB_TOK_CLOSE, NULL},  {"{", FB_TOK_BEGIN, NULL},
    {"}", FB_TOK_FINISH, NULL},  {",", FB_TOK_COMMA, NULL},  {":", FB_TOK_COLON, NULL},
    {".", FB_TOK_DOT, NULL},     {"=", FB_TOK_ASSIGN, NULL}, {"<", FB_TOK_LT, NULL},
    {">", FB_TOK_GT, NULL},      {"+", FB_TOK_PLUS, NULL},   {"-", FB_TOK_MINUS, NULL},
    {"*", FB_TOK_STAR, NULL},    {"/", FB_TOK_SLASH, NULL},
    {"\xE2\x89\xA4", FB_TOK_LE, "<="}, {"\xE2\x89\xA5", FB_TOK_GE, ">="},
    {"\xE2\x89\xA0", FB_TOK_NE, "!="}, {"\xE2\x88\x92", FB_TOK_MINUS, "-"},
    {"\xC3\x97", FB_TOK_STAR, "*"},    {"\xC2\xB7", FB_TOK_STAR, "*"},
    {"\xE2\x80\xA6", FB_TOK_RANGE, ".."}};

static const struct spelling *spelling_at(const struct lexer *lexer) {
    struct fb_str rest = slice(lexer, lexer->at, lexer->end);
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        size_t n = strlen(spellings[i].written);
        if (n <= rest.n && memcmp(rest.p, spellings[i].written, n) == 0) {
            return &spellings[i];
        }
    }
    return NULL;
}

/* A character outside ASCII that is no operator written with one. */
static bool is_foreign_letter(const struct lexer *lexer, uint32_t offset) {
    struct lexer there = *lexer;
    there.at = offset;
    return byte_at(lexer, offset) >= 0x80 && spelling_at(&there) == NULL;
}

/* ---- texts and quoted names ---------------------------------------------------------------- */

/* Length of the escape that begins at p[0] == '\\', 0 if there is none. */
static uint32_t escape_length(struct fb_str s) {
    if (s.n < 2) {
        return 0;
    }
    if (s.p[1] == '"' || s.p[1] == '\\' || s.p[1] == 'n' || s.p[1] == 't') {
        return 2;
    }
    if (s.p[1] != 'u' || s.n < 3 || s.p[2] != '{') {
        return 0;
    }
    uint32_t value = 0, i = 3;
    while (i < s.n && i < 9 && strchr("0123456789abcdefABCDEF", s.p[i]) && s.p[i] != '\0') {
        int c = s.p[i];
        value = value * 16 + (uint32_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
        i++;
    }
    bool is_character = value > 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
    return i > 3 && i < s.n && s.p[i] == '}' && is_character ? i + 1 : 0;
}

static void put_character(struct fb_buf *out, uint32_t c) {
    if (c < 0x80) {
        fb_buf_char(out, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    fb_buf_char(out, (char)(lead[more] | (c >> (6 * more))));
    while (more-- > 0) {
        fb_buf_char(out, (char)(0x80 | ((c >> (6 * more)) & 0x3F)));
    }
}

struct fb_str fb_lex_unescape(struct fb_arena *arena, struct fb_str s) {
    struct fb_buf out = {0};
    for (size_t i = 0; i < s.n;) {
        struct fb_str rest = {s.p + i, s.n - i};
        uint32_t n = s.p[i] == '\\' ? escape_length(rest) : 0;
        if (s.p[i] != '\\') {
            fb_buf_char(&out, s.p[i++]);
        } else if (n == 0) {
            i++;
        } else if (n == 2) {
            fb_buf_char(&out, s.p[i + 1] == 'n' ? '\n' : s.p[i + 1] == 't' ? '\t' : s.p[i + 1]);
            i += 2;
        } else {
            put_character(&out, (uint32_t)strtoul(s.p + i + 3, NULL, 16));
            i += n;
        }
    }
    struct fb_str copy = fb_str_copy(arena, (struct fb_str){out.p, out.n});
    fb_buf_free(&out);
    return copy;
}

/* TEXT: from a quote to the next one that is not escaped, on one line. */
static void lex_text(struct lexer *lexer) {
    uint32_t start = lexer->at;
    bool bad = false;
    lexer->at++;
    for (;;) {
        int c = byte_at(lexer, lexer->at);
        if (c == '"') {
            lexer->at++;
            break;
        }
        if (c < 0 || c == '\n') {
            fb_diag_add(lexer->diags, FB_E_UNTERMINATED_TEXT,
                        span_of(lexer, start, lexer->at),
                        "end it with a quote on the same line; a line break inside is written \\n",
                        "this text has no end");
            bad = true;
            break;
        }
        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            fb_diag_add(lexer->diags, FB_E_CONTROL_CHARACTER,
                        span_of(lexer, lexer->at, lexer->at + 1),
                        "write \\u{..} with the character's number in hex digits",
                        "the control character 0x%02x in a text", (unsigned)c);
            bad = true;
        }
        if (c != '\\') {
            lexer->at++;
            continue;
        }
        uint32_t n = escape_length(slice(lexer, lexer->at, lexer->end));
        if (n == 0) {
            int next = byte_at(lexer, lexer->at + 1);
            uint32_t end = lexer->at + 1 + (next < 0 || next == '\n' ? 0 : character_length(next));
            fb_diag_add(lexer->diags, FB_E_BAD_ESCAPE, span_of(lexer, lexer->at, end),
                        next == 'u' ? "write \\u{..} with the character's number in hex digits, as "
                                      "in \\u{b0}"
                                    : "the escapes are \\\" \\\\ \\n \\t and \\u{..}; a backslash "
                                      "itself is written \\\\",
                        "`%.*s` is not an escape", FB_ARG(slice(lexer, lexer->at, end)));
            n = end - lexer->at;
        }
        lexer->at += n;
    }
    push(lexer, bad ? FB_TOK_BAD : FB_TOK_TEXT, start);
}

/* A text inside a message's braces: \"..\", without escapes of its own. */
static void lex_inner_text(struct lexer *lexer) {
    uint32_t start = lexer->at;
    lexer->at += 2;
    for (;;) {
        int c = byte_at(lexer, lexer->at);
        if (c < 0 || (c == '\\' && byte_at(lexer, lexer->at + 1) != '"')) {
            fb_diag_add(lexer->diags, c < 0 ? FB_E_UNTERMINATED_TEXT : FB_E_BAD_ESCAPE,
                        span_of(lexer, start, lexer->at),
                        "a text inside the braces of a message is written \\\"..\\\" and has no "
                        "other escapes",
                        "this text inside a message cannot be read");
            lexer->at = lexer->end;
            push(lexer, FB_TOK_BAD, start);
            return;
        }
        if (c == '\\') {
            lexer->at += 2;
            push(lexer, FB_TOK_TEXT, start);
            return;
        }
        lexer->at++;
    }
}

/* NAME in back quotes: any text on one line. */
static void lex_quoted_name(struct lexer *lexer) {
    uint32_t start = lexer->at++;
    int c;
    while ((c = byte_at(lexer, lexer->at)) >= 0x20 && c != '`' && c != 0x7F) {
        lexer->at++;
    }
    bool ended = c == '`';
    lexer->at += ended;
    if (!ended || lexer->at - start == 2) {
        fb_diag_add(lexer->diags, FB_E_UNTERMINATED_NAME, span_of(lexer, start, lexer->at),
                    "a name in back quotes ends with a back quote on the same line",
                    ended ? "a name in back quotes is empty" : "this quoted name has no end");
        push(lexer, FB_TOK_BAD, start);
        return;
    }
    push(lexer, FB_TOK_NAME, start)->flags |= FB_TOKEN_QUOTED;
}

/* ---- numbers, durations, units ------------------------------------------------------------- */

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
        while (i < s.n && is_digit(s.p[i])) {
            fits = fits && !__builtin_mul_overflow(n, 10, &n) &&
                   !__builtin_add_overflow(n, s.p[i] - '0', &n);
            i++;
        }
        size_t letters = i;
        while (i < s.n && is_letter(s.p[i])) {
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
        if (!is_digit(s.p[i])) {
            return false;
        }
    }
    return true;
}

static bool begins_unit(const struct lexer *lexer, uint32_t at) {
    int c = byte_at(lexer, at);
    return is_letter(c) || c == '%' || is_foreign_letter(lexer, at);
}

static bool is_dot(const struct lexer *lexer, uint32_t at) { /* N·m */
    return byte_at(lexer, at) == 0xC2 && byte_at(lexer, at + 1) == 0xB7;
}

static bool in_unit_word(const struct lexer *lexer, uint32_t at) {
    int c = byte_at(lexer, at), next = byte_at(lexer, at + 1);
    return is_digit(c) || begins_unit(lexer, at) || (c >= 0x80 && (c & 0xC0) == 0x80) ||
           (c == '-' && is_digit(next)) || (c == '^' && (is_digit(next) || next == '-'));
}

/* Behind ) of a product of units in brackets that begins here: `(m2.K)`; 0: it is none. One word
 * alone is none, for it may be a field's name: `5 m/(x)`. */
static uint32_t product_end(const struct lexer *lexer, uint32_t at) {
    bool product = false;
    if (byte_at(lexer, at) != '(') {
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
        bool dot = is_dot(lexer, at), point = byte_at(lexer, at) == '.';
        product |= dot || point;
        join = dot ? 2 : point || byte_at(lexer, at) == '/' ? 1 : 0;
    }
    return product && byte_at(lexer, at) == ')' ? at + 1 : 0;
}

/* The end of a unit that begins here. A sign needs a digit behind it, / and . something of a unit,
 * so that `5 K..8 K` and `5 m/(x)` end where they should; % has no letters behind it: `5%of x`. */
static uint32_t unit_end(const struct lexer *lexer, uint32_t at) {
    for (;;) {
        int c = byte_at(lexer, at), next = byte_at(lexer, at + 1);
        bool behind_percent = at > 0 && byte_at(lexer, at - 1) == '%';
        uint32_t behind_product = c == '/' ? product_end(lexer, at + 1) : 0;
        bool goes_on = in_unit_word(lexer, at) || is_dot(lexer, at) || behind_product ||
                       ((c == '/' || c == '.') && (begins_unit(lexer, at + 1) || is_digit(next)));
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
        while (i < s.n && is_digit(s.p[i])) {
            i++;
        }
        while (i < s.n && is_letter(s.p[i])) {
            i++;
        }
        if (i == start || read_duration((struct fb_str){s.p + start, i - start}, &us) == 0) {
            return false;
        }
    }
    return s.n > 0;
}

/* Reports `5min`, `80degC`, `1.5h`; `letters` is where they begin. */
static void report_touching(struct lexer *lexer, uint32_t start, uint32_t letters) {
    lexer->at = unit_end(lexer, letters);
    struct fb_str number = slice(lexer, start, letters);
    struct fb_str unit = slice(lexer, letters, lexer->at);
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
    if (help.n == 0 && is_mixed_duration(slice(lexer, start, lexer->at))) {
        fb_buf_text(&help, "a duration has its longest unit first and each at most once, as in "
                           "1h30m");
    }
    if (help.n == 0) {
        fb_buf_printf(&help, "put a blank %s: %.*s %.*s",
                      is_follower(unit) ? "behind the number" : "before the unit", FB_ARG(number),
                      FB_ARG(unit));
    }
    fb_diag_add(lexer->diags, FB_E_NUMBER_TOUCHES_LETTERS, span_of(lexer, start, lexer->at),
                fb_buf_terminated(&help), "`%.*s` is neither a number nor a duration",
                FB_ARG(slice(lexer, start, lexer->at)));
    fb_buf_free(&help);
}

static void skip_digits(struct lexer *lexer) {
    while (is_digit(byte_at(lexer, lexer->at))) {
        lexer->at++;
    }
}

/* NUMBER = DIGITS [ "." DIGITS ] [ "e" ["+"|"-"] DIGITS ]; what touches it decides about DURATION.
 * A point that is followed by another is a range's. */
static void lex_number(struct lexer *lexer) {
    uint32_t start = lexer->at;
    skip_digits(lexer);
    bool whole = true;
    if (byte_at(lexer, lexer->at) == '.' && is_digit(byte_at(lexer, lexer->at + 1))) {
        whole = false;
        lexer->at++;
        skip_digits(lexer);
    }
    if ((byte_at(lexer, lexer->at) | 0x20) == 'e') {
        int sign = byte_at(lexer, lexer->at + 1);
        uint32_t digits = lexer->at + (sign == '+' || sign == '-' ? 2 : 1);
        if (is_digit(byte_at(lexer, digits))) {
            whole = false;
            lexer->at = digits;
            skip_digits(lexer);
        }
    }
    uint32_t letters = lexer->at;
    while (is_word_byte(byte_at(lexer, lexer->at)) || is_foreign_letter(lexer, lexer->at)) {
        lexer->at += character_length(byte_at(lexer, lexer->at));
    }
    if (lexer->at > letters) {
        int64_t us;
        struct fb_str run = slice(lexer, start, lexer->at);
        int duration = whole ? read_duration(run, &us) : 0;
        if (is_times(slice(lexer, letters, lexer->at))) {
            lexer->at = letters; /* the x5 behind it is a token of its own */
        } else if (duration == 1) {
            push(lexer, FB_TOK_DURATION, start);
            return;
        } else {
            if (duration == -1) {
                fb_diag_add(lexer->diags, FB_E_BAD_NUMBER, span_of(lexer, start, lexer->at), NULL,
                            "the duration `%.*s` is too long", FB_ARG(run));
            } else {
                report_touching(lexer, start, letters);
            }
            push(lexer, FB_TOK_BAD, start);
            return;
        }
    }
    if (byte_at(lexer, lexer->at) == '.' && byte_at(lexer, lexer->at + 1) != '.') {
        uint32_t end = lexer->at;
        lexer->at++;
        skip_digits(lexer);
        struct fb_str number = slice(lexer, start, end);
        char help[64];
        snprintf(help, sizeof help, "write %.*s.0 or %.*s", (int)(number.n < 20 ? number.n : 20),
                 number.p, (int)(number.n < 20 ? number.n : 20), number.p);
        fb_diag_add(lexer->diags, FB_E_BAD_NUMBER, span_of(lexer, start, lexer->at),
                    whole && lexer->at == end + 1 ? help : NULL, "`%.*s` is not a number",
                    FB_ARG(slice(lexer, start, lexer->at)));
        push(lexer, FB_TOK_BAD, start);
        return;
    }
    push(lexer, FB_TOK_NUMBER, start);
    lexer->after_number = true;
}

/* UNIT behind a number: on its line, no word of the grammar, and no name that begins a field. */
static void lex_unit(struct lexer *lexer) {
    uint32_t start = lexer->at;
    while (byte_at(lexer, start) == ' ' || byte_at(lexer, start) == '\t') {
        start++;
    }
    if (!begins_unit(lexer, start) || (start == lexer->at && byte_at(lexer, start) != '%')) {
        return;
    }
    uint32_t end = unit_end(lexer, start), word = start;
    while (is_word_byte(byte_at(lexer, word))) {
        word++;
    }
    struct fb_str first = slice(lexer, start, word);
    uint32_t behind = end;
    while (byte_at(lexer, behind) == ' ' || byte_at(lexer, behind) == '\t') {
        behind++;
    }
    if (is_follower(first) || is_times(first) || byte_at(lexer, behind) == ':') {
        return;
    }
    lexer->at = end;
    push(lexer, FB_TOK_UNIT, start);
}

/* DECLARED_UNIT = "[" UNIT "]" */
static void lex_declared_unit(struct lexer *lexer) {
    uint32_t start = lexer->at++;
    int c;
    while ((c = byte_at(lexer, lexer->at)) >= 0 && c != ']' && (c >= 0x20 || c == '\t')) {
        lexer->at++;
    }
    bool ended = c == ']';
    lexer->at += ended;
    uint32_t first = start + 1, last = lexer->at - (ended ? 1 : 0);
    while (first < last && byte_at(lexer, first) == ' ') {
        first++;
    }
    while (last > first && byte_at(lexer, last - 1) == ' ') {
        last--;
    }
    struct fb_str unit = slice(lexer, first, last);
    bool blank = memchr(unit.p, ' ', unit.n) != NULL || memchr(unit.p, '\t', unit.n) != NULL;
    if (ended && unit.n > 0 && !blank) {
        push(lexer, FB_TOK_DECLARED_UNIT, start);
        return;
    }
    fb_diag_add(lexer->diags, FB_E_BAD_UNIT, span_of(lexer, start, lexer->at),
                !ended        ? "end it with ] on the same line"
                : unit.n == 0 ? "leave the brackets out where there is no unit"
                              : "a unit has no blanks inside, as in [m3/h]",
                !ended        ? "this unit has no end"
                : unit.n == 0 ? "a unit in brackets is empty"
                              : "a unit in brackets holds a blank");
    push(lexer, FB_TOK_BAD, start);
}

/* ---- brackets, and what is no token --------------------------------------------------------- */

static void pair(struct lexer *lexer, uint32_t index) {
    struct fb_token *items = lexer->tokens->items;
    uint8_t kind = items[index].kind;
    if (kind == FB_TOK_OPEN || kind == FB_TOK_BEGIN) {
        FB_PUSH_ROOM(lexer->open, lexer->n_open, lexer->cap_open);
        lexer->open[lexer->n_open++] = index;
        return;
    }
    uint8_t partner = kind == FB_TOK_CLOSE ? FB_TOK_OPEN : FB_TOK_BEGIN;
    /* A brace closes brackets that were left open inside it; a bracket never closes a brace. */
    while (lexer->n_open > 0) {
        uint32_t open = lexer->open[lexer->n_open - 1];
        if (items[open].kind == partner) {
            items[open].match = index;
            lexer->n_open--;
            return;
        }
        if (kind == FB_TOK_CLOSE) {
            return;
        }
        lexer->n_open--;
    }
}

static void lex_operator(struct lexer *lexer, const struct spelling *spelling) {
    uint32_t start = lexer->at;
    lexer->at += (uint32_t)strlen(spelling->written);
    if (spelling->meant != NULL) {
        char help[32];
        snprintf(help, sizeof help, "write `%s`", spelling->meant);
        fb_diag_add(lexer->diags, FB_E_FOREIGN_OPERATOR, span_of(lexer, start, lexer->at), help,
                    "`%s` is not an operator here", spelling->written);
    }
    push(lexer, spelling->kind, start);
    uint32_t index = lexer->tokens->n - 1;
    if (spelling->kind >= FB_TOK_OPEN && spelling->kind <= FB_TOK_FINISH) {
        pair(lexer, index);
    }
}

/* `.5`: the number that was meant. */
static bool lex_pointed(struct lexer *lexer) {
    if (byte_at(lexer, lexer->at) != '.' || !is_digit(byte_at(lexer, lexer->at + 1))) {
        return false;
    }
    uint32_t start = lexer->at++;
    skip_digits(lexer);
    struct fb_str digits = slice(lexer, start, lexer->at);
    char help[64];
    snprintf(help, sizeof help, "write 0%.*s", (int)(digits.n < 40 ? digits.n : 40), digits.p);
    fb_diag_add(lexer->diags, FB_E_BAD_NUMBER, span_of(lexer, start, lexer->at), help,
                "`%.*s` is not a number", FB_ARG(digits));
    push(lexer, FB_TOK_BAD, start);
    return true;
}

/* 'x': up to the other quote, if there is one on the line. */
static void skip_quoted(struct lexer *lexer) {
    uint32_t end = lexer->at;
    while (byte_at(lexer, end) >= 0x20 && byte_at(lexer, end) != '\'') {
        end++;
    }
    if (byte_at(lexer, end) == '\'') {
        lexer->at = end + 1;
    }
}

/* A run of characters that begin no token: one report for all of them. */
static void lex_stray(struct lexer *lexer) {
    uint32_t start = lexer->at;
    int first = byte_at(lexer, start);
    bool control = first < 0x20 || first == 0x7F;
    bool word = first >= 0x80 || is_letter(first);
    if (control) {
        int c = first;
        while (c == first) {
            lexer->at++;
            c = byte_at(lexer, lexer->at);
        }
    } else if (word) {
        while (is_foreign_letter(lexer, lexer->at) || is_word_byte(byte_at(lexer, lexer->at))) {
            lexer->at += character_length(byte_at(lexer, lexer->at));
        }
    } else {
        while (lexer->at < lexer->end && byte_at(lexer, lexer->at) == first) {
            lexer->at++;
        }
    }
    if (first == '\'') {
        skip_quoted(lexer);
    }
    struct fb_str run = slice(lexer, start, lexer->at);
    struct fb_span span = span_of(lexer, start, lexer->at);
    bool curly = run.n >= 3 && (memcmp(run.p, "\xE2\x80\x9C", 3) == 0 ||
                                memcmp(run.p, "\xE2\x80\x9D", 3) == 0);
    const char *help = first == ';'    ? "leave it out: statements and clauses end by themselves"
                       : first == '\'' ? "a text stands in double quotes"
                       : first == '%'  ? "a share is written as in 5 %; there is no remainder"
                       : first == '&'  ? "write `and`"
                       : first == '|'  ? "write `or`"
                       : first == ']'  ? "a declared unit is written [m3/h]"
                       : curly         ? "a text stands in plain double quotes: \""
                       : word          ? "a name with other characters than letters, digits and _ "
                                         "stands in back quotes"
                                       : NULL;
    if (control) {
        fb_diag_add(lexer->diags, FB_E_CONTROL_CHARACTER, span,
                    "remove it; inside a text write \\u{..}", "the control character 0x%02x",
                    (unsigned)first);
    } else {
        fb_diag_add(lexer->diags, FB_E_STRAY_CHARACTER, span, help, "`%.*s` has no place here",
                    FB_ARG(run));
    }
    /* A stray ; or a control character is as if it were not there; others stand for something. */
    if (!control && first != ';') {
        push(lexer, FB_TOK_BAD, start);
    }
}

static void lex_comment(struct lexer *lexer) {
    uint32_t start = lexer->at;
    while (lexer->at < lexer->end && byte_at(lexer, lexer->at) != '\n') {
        lexer->at++;
    }
    uint32_t end = lexer->at;
    while (end > start && (byte_at(lexer, end - 1) == '\r' || byte_at(lexer, end - 1) == ' ' ||
                           byte_at(lexer, end - 1) == '\t')) {
        end--;
    }
    struct fb_tokens *tokens = lexer->tokens;
    FB_PUSH_ROOM(tokens->comments, tokens->n_comments, tokens->cap_comments);
    tokens->comments[tokens->n_comments++] = (struct fb_comment){
        .span = span_of(lexer, start, end), .own_line = lexer->line_start};
}

static void lex_word(struct lexer *lexer) {
    uint32_t start = lexer->at;
    while (is_word_byte(byte_at(lexer, lexer->at))) {
        lexer->at++;
    }
    if (is_foreign_letter(lexer, lexer->at)) {
        lexer->at = start; /* größe: one report for the whole word */
        lex_stray(lexer);
        return;
    }
    push(lexer, FB_TOK_NAME, start);
}

static void lex_one(struct lexer *lexer) {
    int c = byte_at(lexer, lexer->at);
    const struct spelling *spelling = NULL;
    if (c == '\n') {
        lexer->line_start = true;
        lexer->at++;
    } else if (c == ' ' || c == '\t' || c == '\r') {
        lexer->at++;
    } else if (c == '#' && !lexer->in_message) {
        lex_comment(lexer);
    } else if (is_letter(c)) {
        lex_word(lexer);
    } else if (is_digit(c)) {
        lex_number(lexer);
    } else if (c == '"' && !lexer->in_message) {
        lex_text(lexer);
    } else if (c == '\\' && lexer->in_message && byte_at(lexer, lexer->at + 1) == '"') {
        lex_inner_text(lexer);
    } else if (c == '`') {
        lex_quoted_name(lexer);
    } else if (c == '[') {
        lex_declared_unit(lexer);
    } else if (lex_pointed(lexer)) {
        return;
    } else if ((spelling = spelling_at(lexer)) != NULL) {
        lex_operator(lexer, spelling);
    } else {
        lex_stray(lexer);
    }
    if (lexer->after_number) {
        lexer->after_number = false;
        lex_unit(lexer);
    }
}

static void lex_all(struct lexer *lexer) {
    while (lexer->at < lexer->end) {
        lex_one(lexer);
    }
    /* The end is shown behind the last token, not on the empty line after it. */
    struct fb_tokens *tokens = lexer->tokens;
    uint32_t end = tokens->n > 0 ? tokens->items[tokens->n - 1].end : lexer->at;
    push(lexer, FB_TOK_END, end);
    tokens->items[tokens->n - 1].end = end;
    free(lexer->open);
}

/* The offset of the first byte that is not UTF-8; the text is known not to be. */
static uint32_t first_bad_byte(struct fb_str text) {
    uint32_t at = 0;
    while (at < text.n) {
        int c = (unsigned char)text.p[at];
        uint32_t n = character_length(c);
        if (at + n > text.n || !fb_str_is_utf8((struct fb_str){text.p + at, n})) {
            return at;
        }
        at += n;
    }
    return at;
}

bool fb_lex(const struct fb_sources *sources, uint32_t file, struct fb_diags *diags,
            struct fb_tokens *tokens) {
    struct fb_str text = sources->files[file].text;
    struct lexer lexer = {.text = text, .file = file, .end = (uint32_t)text.n, .line_start = true,
                          .diags = diags, .tokens = tokens};
    *tokens = (struct fb_tokens){.file = file};
    bool readable = false;
    if (text.n > FB_SOURCE_BYTES_MAX) {
        fb_diag_add(diags, FB_E_USE, span_of(&lexer, 0, 0), "split it into several files",
                    "the file is larger than %d MiB", FB_SOURCE_BYTES_MAX >> 20);
    } else if (!fb_str_is_utf8(text)) {
        uint32_t bad = first_bad_byte(text);
        fb_diag_add(diags, FB_E_NOT_UTF8, span_of(&lexer, bad, bad + 1), "save the file as UTF-8",
                    "the byte 0x%02x is not UTF-8", (unsigned)(unsigned char)text.p[bad]);
    } else {
        readable = true;
    }
    if (!readable) {
        lexer.end = 0;
    } else if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0) {
        lexer.at = 3;
    }
    lex_all(&lexer);
    return readable;
}

void fb_lex_message_part(const struct fb_sources *sources, struct fb_span span,
                         struct fb_diags *diags, struct fb_tokens *tokens) {
    struct lexer lexer = {.text = sources->files[span.file].text, .file = span.file,
                          .at = span.start, .end = span.end, .in_message = true, .diags = diags,
                          .tokens = tokens};
    *tokens = (struct fb_tokens){.file = span.file};
    lex_all(&lexer);
    /* An empty part has its end where it begins. */
    if (tokens->n == 1) {
        tokens->items[0].start = tokens->items[0].end = span.start;
    }
}

void fb_tokens_free(struct fb_tokens *tokens) {
    free(tokens->items);
    free(tokens->comments);
    *tokens = (struct fb_tokens){0};
}
