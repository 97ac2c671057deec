/* Diagnostics: the list, and how it is shown.
 *
 * Place in the flow: filled by every stage of the compiler, printed once at the end. */
#include "rules/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_COLUMNS = 160, TAB_COLUMNS = 4, TEXT_BYTES_MAX = 1000 };

static const struct fb_diag_info infos[] = {
#define FB_DIAG(name, number, level, title, explanation, bad, good)                                \
    {number, level, title, explanation, bad, good},
#include "rules/diag_codes.inc"
#undef FB_DIAG
};

const struct fb_diag_info *fb_diag_code_info(enum fb_diag_code code) {
    FB_ASSERT((unsigned)code < FB_DIAG_CODES);
    return &infos[code];
}

bool fb_diag_code_find(struct fb_str number, enum fb_diag_code *code) {
    for (unsigned i = 0; i < FB_DIAG_CODES; i++) {
        if (strlen(infos[i].number) == number.n &&
            strncasecmp(infos[i].number, number.p, number.n) == 0) {
            *code = (enum fb_diag_code)i;
            return true;
        }
    }
    return false;
}

struct fb_diags *fb_diags_new(void) {
    struct fb_arena *arena = fb_arena_new();
    struct fb_diags *diags = FB_ARENA_NEW(arena, struct fb_diags);
    diags->arena = arena;
    return diags;
}

void fb_diags_free(struct fb_diags *diags) {
    if (diags == NULL) {
        return;
    }
    free(diags->items);
    fb_arena_free(diags->arena);
}

/* A copy, cut where it quotes something endless. */
static struct fb_str keep(struct fb_arena *arena, struct fb_str text) {
    if (text.n <= TEXT_BYTES_MAX) {
        return fb_str_copy(arena, text);
    }
    size_t n = TEXT_BYTES_MAX;
    while (n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80) {
        n--;
    }
    return fb_str_printf(arena, "%.*s...", (int)n, text.p);
}

void fb_diag_add(struct fb_diags *diags, enum fb_diag_code code, struct fb_span span,
                 const char *help, const char *format, ...) {
    diags->errors += fb_diag_code_info(code)->level == FB_DIAG_ERROR;
    if (diags->n >= FB_DIAGS_MAX) {
        diags->dropped++;
        return;
    }
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        fb_out_of_memory(1);
    FB_PUSH_ROOM(diags->items, diags->n, diags->cap);
    diags->items[diags->n++] = (struct fb_diag){
        .code = code,
        .span = span,
        .text = keep(diags->arena, (struct fb_str){text, (size_t)n}),
        .help = help == NULL ? (struct fb_str){0} : keep(diags->arena, fb_str_of(help))};
    free(text);
}

/* Indices of the diagnostics, by file and offset; those of one place stay as they came. */
static uint32_t *in_order(const struct fb_diags *diags) {
    uint32_t *order = fb_alloc(sizeof *order * (diags->n + 1));
    for (uint32_t i = 0; i < diags->n; i++) {
        uint32_t at = i;
        const struct fb_span *span = &diags->items[i].span;
        while (at > 0) {
            const struct fb_span *before = &diags->items[order[at - 1]].span;
            if (before->file < span->file ||
                (before->file == span->file && before->start <= span->start)) {
                break;
            }
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
    return order;
}

static const char *level_name(enum fb_diag_level level) {
    static const char *const names[] = {"error", "warning", "note"};
    return names[level];
}

/* One character of a source line as it is shown. */
struct shown {
    uint32_t start, end; /* offsets in the source */
    uint32_t columns;
};

static struct shown next_shown(struct fb_str text, uint32_t at) {
    unsigned char c = (unsigned char)text.p[at];
    uint32_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    if (at + n > text.n || !fb_str_is_utf8((struct fb_str){text.p + at, n})) {
        n = 1;
    }
    return (struct shown){at, at + n, c == '\t' ? TAB_COLUMNS : 1};
}

static void put_shown(struct fb_buf *out, struct fb_str text, struct shown one) {
    unsigned char c = (unsigned char)text.p[one.start];
    if (c == '\t') {
        fb_buf_printf(out, "%*s", TAB_COLUMNS, "");
    } else if (c < 0x20 || c == 0x7F || (c >= 0x80 && one.end - one.start == 1)) {
        fb_buf_text(out, "\xEF\xBF\xBD"); /* U+FFFD */
    } else {
        fb_buf_put(out, text.p + one.start, one.end - one.start);
    }
}

static void put_blanks(struct fb_buf *out, uint32_t n) {
    fb_buf_printf(out, "%*s", (int)n, "");
}

/* Columns of a stretch; where there are more than `most`, some number above it. */
static uint32_t columns_of(struct fb_str text, uint32_t start, uint32_t end, uint32_t most) {
    uint32_t columns = 0;
    while (start < end && columns <= most) {
        struct shown one = next_shown(text, start);
        columns += one.columns;
        start = one.end;
    }
    return columns;
}

/* Where the shown part of a line begins: at its start, or, when it is too long, half of what is
 * shown before the place. Looks at no more of the line than that. */
static uint32_t first_shown(struct fb_str text, uint32_t start, uint32_t end, uint32_t place) {
    if (columns_of(text, start, end, SHOWN_COLUMNS) <= SHOWN_COLUMNS) {
        return start;
    }
    uint32_t at = place < end ? place : end;
    for (uint32_t columns = 0; at > start;) {
        uint32_t before = at - 1;
        while (before > start && at - before < 4 &&
               ((unsigned char)text.p[before] & 0xC0) == 0x80) {
            before--;
        }
        struct shown one = next_shown(text, before);
        if (one.end != at) { /* bytes that are no character */
            before = at - 1;
        }
        columns += text.p[before] == '\t' ? TAB_COLUMNS : 1;
        if (columns > SHOWN_COLUMNS / 2) {
            break;
        }
        at = before;
    }
    return at;
}

/* The line of the span's start, cut around the span when it is very long, and the caret below. */
static void print_line(const struct fb_source *source, struct fb_span span, bool colour,
                       struct fb_buf *out) {
    uint32_t line, column;
    fb_source_place(source, span.start, &line, &column);
    uint32_t start = source->line_starts[line - 1];
    uint32_t end = line < source->n_lines ? source->line_starts[line] - 1
                                          : (uint32_t)source->text.n;
    if (end > start && source->text.p[end - 1] == '\r') {
        end--;
    }
    uint32_t to = span.end < end ? span.end : end;
    uint32_t first = first_shown(source->text, start, end, span.start);
    bool cut = first > start;
    uint32_t place = span.start < end ? span.start : end;
    uint32_t before = columns_of(source->text, first, place, UINT32_MAX);
    fb_buf_text(out, cut ? "  ... " : "  ");
    uint32_t columns = 0, marked = 0, at = first;
    while (at < end && columns < SHOWN_COLUMNS) {
        struct shown one = next_shown(source->text, at);
        put_shown(out, source->text, one);
        columns += one.columns;
        marked += one.start >= span.start && one.start < to ? one.columns : 0;
        at = one.end;
    }
    fb_buf_text(out, at < end ? " ...\n" : "\n");
    put_blanks(out, (cut ? 6 : 2) + before);
    fb_buf_text(out, colour ? "\033[1;32m^" : "^");
    for (uint32_t i = 1; i < marked; i++) {
        fb_buf_char(out, '~');
    }
    fb_buf_text(out, colour ? "\033[0m\n" : "\n");
}

/* A text of ours that may quote the file: without control characters. */
static void put_plain(struct fb_buf *out, struct fb_str text) {
    for (uint32_t at = 0; at < text.n;) {
        struct shown one = next_shown(text, at);
        put_shown(out, text, one);
        at = one.end;
    }
}

static void print_one(const struct fb_diag *diag, const struct fb_sources *sources, bool colour,
                      struct fb_buf *out) {
    const struct fb_diag_info *info = fb_diag_code_info(diag->code);
    const struct fb_source *source = &sources->files[diag->span.file];
    uint32_t line, column;
    fb_source_place(source, diag->span.start, &line, &column);
    const char *paint = !colour                         ? ""
                        : info->level == FB_DIAG_ERROR  ? "\033[1;31m"
                        : info->level == FB_DIAG_WARNING ? "\033[1;35m"
                                                        : "\033[1;36m";
    const char *plain = colour ? "\033[0m" : "";
    put_plain(out, source->path);
    /* A file that could not be read has no line to show. */
    bool placed = diag->code != FB_E_RULES_UNREADABLE;
    if (placed)
        fb_buf_printf(out, ":%u:%u", line, column);
    fb_buf_printf(out, ": %s%s[%s]%s: ", paint, level_name(info->level), info->number, plain);
    put_plain(out, diag->text);
    fb_buf_char(out, '\n');
    if (placed)
        print_line(source, diag->span, colour, out);
    if (diag->help.n > 0) {
        fb_buf_text(out, "help: ");
        put_plain(out, diag->help);
        fb_buf_char(out, '\n');
    }
}

void fb_diags_print(const struct fb_diags *diags, const struct fb_sources *sources, bool colour,
                    struct fb_buf *out) {
    uint32_t *order = in_order(diags);
    for (uint32_t i = 0; i < diags->n; i++) {
        print_one(&diags->items[order[i]], sources, colour, out);
    }
    if (diags->dropped > 0) {
        fb_buf_printf(out, "... and %u more\n", diags->dropped);
    }
    free(order);
}

static void put_json_text(struct fb_buf *out, struct fb_str s) {
    fb_buf_char(out, '"');
    for (uint32_t at = 0; at < s.n;) {
        struct shown one = next_shown(s, at);
        unsigned char c = (unsigned char)s.p[at];
        if (c == '"' || c == '\\') {
            fb_buf_printf(out, "\\%c", c);
        } else if (c < 0x20) {
            fb_buf_printf(out, "\\u%04x", c);
        } else if (c >= 0x80 && one.end - one.start == 1) {
            fb_buf_text(out, "\xEF\xBF\xBD"); /* U+FFFD */
        } else {
            fb_buf_put(out, s.p + at, one.end - one.start);
        }
        at = one.end;
    }
    fb_buf_char(out, '"');
}

void fb_diags_print_json(const struct fb_diags *diags, const struct fb_sources *sources,
                         struct fb_buf *out) {
    uint32_t *order = in_order(diags);
    fb_buf_char(out, '[');
    for (uint32_t i = 0; i < diags->n; i++) {
        const struct fb_diag *diag = &diags->items[order[i]];
        const struct fb_diag_info *info = fb_diag_code_info(diag->code);
        const struct fb_source *source = &sources->files[diag->span.file];
        uint32_t line, column, end_line, end_column;
        fb_source_place(source, diag->span.start, &line, &column);
        fb_source_place(source, diag->span.end, &end_line, &end_column);
        fb_buf_text(out, i == 0 ? "\n{\"file\":" : ",\n{\"file\":");
        put_json_text(out, source->path);
        fb_buf_printf(out,
                      ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u,"
                      "\"level\":\"%s\",\"code\":\"%s\",\"text\":",
                      line, column, end_line, end_column, level_name(info->level), info->number);
        put_json_text(out, diag->text);
        fb_buf_text(out, ",\"help\":");
        put_json_text(out, diag->help);
        fb_buf_char(out, '}');
    }
    fb_buf_text(out, diags->n > 0 ? "\n]\n" : "]\n");
    free(order);
}
