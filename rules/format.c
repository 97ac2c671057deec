/* The formatter: the order of statements and clauses, comments, lines.
 *
 * Place in the flow: beside the compiler's stages; prints what parse made, for `flyball fmt`.
 *
 * Statements, and the clauses of a block, become entries: their text, their rank in the canonical
 * order and the comments that belong to them. Comments are given to entries in the order of the
 * source, then the entries are sorted and printed. */
#include "rules/format.h"

#include <stdlib.h>
#include <string.h>

#include "rules/diag.h"
#include "rules/format_internal.h"
#include "rules/lex.h"

enum { INDENT = 2, CONTINUED_INDENT = 4 };

/* Neighbours that are aligned with each other; 0: none. */
enum { GROUP_HEAD = 1, GROUP_FIELD, GROUP_RAISE, GROUP_TEXT, GROUP_SERIES, GROUP_COMMAND };

struct printer {
    const struct fb_file *file;
    struct fb_written written;
    uint32_t next_comment; /* the first one not yet given to an entry */
    struct fb_buf *out;
};

/* A statement, or a clause of a block. */
struct entry {
    struct fb_span span;
    uint32_t head_end; /* comments from here to the span's end are the block's own */
    int rank, group;
    struct fb_buf text;                 /* with FB_FORMAT_BREAK and _ALIGN; of a block its head */
    uint32_t first_comment, n_comments; /* before it */
    uint32_t trailing;                  /* index of the comment behind it; UINT32_MAX: none */
    const struct fb_item *block;        /* NULL: a plain clause, or a state */
    const struct fb_rule_decl *rule;    /* of a state */
    const struct fb_state_decl *state;  /* NULL: it is none */
    uint32_t inner_first, inner_end;    /* comments within its braces */
};

struct entries {
    struct entry *items;
    uint32_t n, cap;
};

static void print_block(struct printer *f, const struct entry *entry, uint32_t indent);

/* ---- small pieces -------------------------------------------------------------------------- */

static bool on_one_line(const struct printer *f, uint32_t start, uint32_t end) {
    return end <= start || memchr(f->written.source.p + start, '\n', end - start) == NULL;
}

/* An empty line stands before this offset. */
static bool blank_before(const struct printer *f, uint32_t offset) {
    unsigned lines = 0;
    while (offset > 0 && memchr(" \t\r\n", f->written.source.p[offset - 1], 4) != NULL) {
        lines += f->written.source.p[--offset] == '\n';
    }
    return lines >= 2;
}

static uint32_t columns(struct fb_str s) {
    uint32_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    }
    return n;
}

/* ---- the order of clauses, and their neighbours -------------------------------------------- */

static int class_item_group(const struct fb_class_item *item) {
    return item->kind == FB_ITEM_FIELD                              ? GROUP_FIELD
           : item->kind == FB_ITEM_LET || item->kind == FB_ITEM_LATE ? 0
                                                                     : GROUP_HEAD;
}

static int class_item_rank(const struct fb_class_item *item) {
    switch (item->kind) {
    case FB_ITEM_KEY:
        return 0;
    case FB_ITEM_TIME:
        return 1;
    case FB_ITEM_TAGS:
        return 2;
    case FB_ITEM_DOMAIN:
        return 3;
    case FB_ITEM_LINK:
        return 4;
    case FB_ITEM_FIELD:
        return 5;
    case FB_ITEM_LET:
        return 6;
    case FB_ITEM_LATE:
        break;
    }
    return 7;
}

static int rule_item_group(const struct fb_rule_item *item) {
    return item->kind == FB_ITEM_RAISE                                       ? GROUP_RAISE
           : item->kind == FB_ITEM_COMMAND || item->kind == FB_ITEM_ASK      ? GROUP_COMMAND
           : item->kind == FB_ITEM_MESSAGE || item->kind == FB_ITEM_RESPONSE ? GROUP_TEXT
                                                                             : 0;
}

/* Of a control: what it does, then its texts; of the others what it commands stands before its
 * texts. */
static int rule_item_rank(const struct fb_rule_decl *rule, const struct fb_rule_item *item) {
    static const int of_control[] = {
        [FB_ITEM_RULE_LET] = 0,   [FB_ITEM_START] = 1,   [FB_ITEM_COMMAND] = 2,
        [FB_ITEM_ON_UNKNOWN] = 3, [FB_ITEM_AT_MOST] = 4, [FB_ITEM_ROLLOUT] = 5,
        [FB_ITEM_FLEET] = 6,      [FB_ITEM_MESSAGE] = 7, [FB_ITEM_RESPONSE] = 8,
        [FB_ITEM_LABEL] = 9,      [FB_ITEM_STATE] = 2,   [FB_ITEM_ASK] = 2};
    static const int of_others[] = {
        [FB_ITEM_RULE_LET] = 0,   [FB_ITEM_RAISE] = 1,       [FB_ITEM_WHEN] = 2,
        [FB_ITEM_DEADBAND] = 3,   [FB_ITEM_CLEAR_AFTER] = 4, [FB_ITEM_FLAPPING] = 5,
        [FB_ITEM_ON_UNKNOWN] = 6, [FB_ITEM_COMMAND] = 7,     [FB_ITEM_AT_MOST] = 8,
        [FB_ITEM_ROLLOUT] = 9,    [FB_ITEM_FLEET] = 10,      [FB_ITEM_MESSAGE] = 11,
        [FB_ITEM_RESPONSE] = 12,  [FB_ITEM_LABEL] = 13,      [FB_ITEM_ASK] = 7};
    bool acts = rule->kind == FB_RULE_CONTROL || rule->kind == FB_RULE_MODE;
    return acts ? of_control[item->kind] : of_others[item->kind];
}

/* The enumeration's order, but first where it goes, then `safe`, which must stand. */
static int actuator_item_rank(const struct fb_actuator_decl *decl,
                              const struct fb_actuator_item *item) {
    int rank = item->kind == FB_ACT_TO        ? 0
               : item->kind == FB_ACT_SAFE    ? 1
               : item->kind == FB_ACT_DEFAULT ? 2
                                              : (int)item->kind + 1;
    return 2 * rank + (fb_format_is_second_half(decl, item) ? 1 : 0);
}

/* ---- entries ------------------------------------------------------------------------------- */

static struct entry *add_entry(struct entries *entries, struct fb_span span, int rank) {
    FB_PUSH_ROOM(entries->items, entries->n, entries->cap);
    struct entry *entry = &entries->items[entries->n++];
    *entry = (struct entry){
        .span = span, .head_end = span.end, .rank = rank, .trailing = UINT32_MAX};
    return entry;
}

static void free_entries(struct entries *entries) {
    for (uint32_t i = 0; i < entries->n; i++) {
        fb_buf_free(&entries->items[i].text);
    }
    free(entries->items);
}

static void state_entries(const struct printer *f, const struct entry *of,
                          struct entries *entries) {
    for (uint32_t i = 0; i < of->state->n_items; i++) {
        const struct fb_state_item *item = &of->state->items[i];
        bool commands = item->kind == FB_ITEM_STATE_COMMAND || item->kind == FB_ITEM_STATE_ASK;
        struct entry *entry =
            add_entry(entries, item->span, commands ? FB_ITEM_STATE_COMMAND : (int)item->kind);
        entry->group = commands ? GROUP_COMMAND : 0;
        fb_format_state_item(&f->written, of->rule, of->state, item, &entry->text);
    }
}

static void block_entries(const struct printer *f, const struct entry *of,
                          struct entries *entries) {
    const struct fb_item *item = of->block;
    if (of->state != NULL) {
        state_entries(f, of, entries);
        return;
    }
    if (item->kind == FB_ITEM_CLASS) {
        const struct fb_class_decl *decl = item->class_decl;
        for (uint32_t i = 0; i < decl->n_items; i++) {
            struct entry *entry =
                add_entry(entries, decl->items[i].span, class_item_rank(&decl->items[i]));
            entry->group = class_item_group(&decl->items[i]);
            fb_format_class_item(&f->written, decl, &decl->items[i], &entry->text);
        }
    } else if (item->kind == FB_ITEM_ACTUATOR) {
        const struct fb_actuator_decl *decl = item->actuator;
        for (uint32_t i = 0; i < decl->n_items; i++) {
            struct entry *entry = add_entry(entries, decl->items[i].span,
                                            actuator_item_rank(decl, &decl->items[i]));
            fb_format_actuator_item(&f->written, decl, &decl->items[i], &entry->text);
        }
    } else if (item->kind == FB_ITEM_RULE) {
        const struct fb_rule_decl *rule = item->rule;
        for (uint32_t i = 0; i < rule->n_items; i++) {
            struct entry *entry =
                add_entry(entries, rule->items[i].span, rule_item_rank(rule, &rule->items[i]));
            entry->group = rule_item_group(&rule->items[i]);
            fb_format_rule_item(&f->written, rule, &rule->items[i], &entry->text);
            if (rule->items[i].kind == FB_ITEM_STATE) {
                entry->rule = rule;
                entry->state = &rule->states[rule->items[i].index];
                entry->head_end = entry->state->block.start;
            }
        }
    } else {
        FB_ASSERT(item->kind == FB_ITEM_TEST);
        for (uint32_t i = 0; i < item->test->n_steps; i++) {
            struct entry *entry = add_entry(entries, item->test->steps[i].span, 0);
            entry->group = item->test->steps[i].kind == FB_STEP_SERIES ? GROUP_SERIES : 0;
            fb_format_step(&f->written, &item->test->steps[i], &entry->text);
        }
    }
}

static void file_entries(const struct printer *f, struct entries *entries) {
    for (uint32_t i = 0; i < f->file->n_items; i++) {
        const struct fb_item *item = &f->file->items[i];
        if (item->kind == FB_ITEM_RULE &&
            (item->rule->feedback_of != NULL || item->rule->commands_of != NULL ||
             item->rule->asked_of != NULL)) {
            continue; /* its actuator, its alarm has the clauses */
        }
        struct entry *entry = add_entry(entries, item->span, 0);
        fb_format_head(&f->written, item, &entry->text);
        if (item->kind == FB_ITEM_USE || item->kind == FB_ITEM_PARAM ||
            item->kind == FB_ITEM_LIMIT) {
            continue;
        }
        entry->block = item;
        entry->head_end = item->kind == FB_ITEM_CLASS      ? item->class_decl->block.start
                          : item->kind == FB_ITEM_ACTUATOR ? item->actuator->block.start
                          : item->kind == FB_ITEM_RULE     ? item->rule->block.start
                                                           : item->test->block.start;
    }
}

/* Gives the comments up to the n-th to the entries, in the order of the source: behind an entry on
 * its last line, within it before a block begins, or between entries: before the next one. Those
 * behind the last entry are left. */
static void give_comments(struct printer *f, struct entries *entries, uint32_t n) {
    const struct fb_comment *comments = f->file->comments;
    for (uint32_t i = 0; i < entries->n; i++) {
        struct entry *entry = &entries->items[i];
        entry->first_comment = f->next_comment;
        while (f->next_comment < n && comments[f->next_comment].span.start < entry->head_end) {
            f->next_comment++;
        }
        entry->n_comments = f->next_comment - entry->first_comment;
        entry->inner_first = f->next_comment;
        while (f->next_comment < n && comments[f->next_comment].span.start < entry->span.end) {
            f->next_comment++;
        }
        entry->inner_end = f->next_comment;
        if (f->next_comment < n &&
            on_one_line(f, entry->span.end, comments[f->next_comment].span.start) &&
            (i + 1 == entries->n ||
             comments[f->next_comment].span.start < entries->items[i + 1].span.start)) {
            entry->trailing = f->next_comment++;
        }
    }
}

/* Stable: entries of one rank stay as they were written. */
static void sort_entries(struct entries *entries) {
    struct entry *sorted = fb_alloc(sizeof *sorted * (entries->n + 1));
    uint32_t n = 0;
    for (int rank = 0; n < entries->n; rank++) {
        for (uint32_t i = 0; i < entries->n; i++) {
            if (entries->items[i].rank == rank) {
                sorted[n++] = entries->items[i];
            }
        }
    }
    free(entries->items);
    entries->items = sorted;
    entries->cap = entries->n + 1;
}

/* ---- lines --------------------------------------------------------------------------------- */

static uint32_t align_column(const struct entry *entry) {
    const char *mark = memchr(entry->text.p, FB_FORMAT_ALIGN, entry->text.n);
    struct fb_str before = {entry->text.p, mark == NULL ? 0 : (size_t)(mark - entry->text.p)};
    return columns(before);
}

/* Puts blanks in the place of FB_FORMAT_ALIGN, up to a column. */
static void align(struct entry *entry, uint32_t column) {
    struct fb_buf text = {0};
    for (size_t i = 0; i < entry->text.n; i++) {
        if (entry->text.p[i] != FB_FORMAT_ALIGN) {
            fb_buf_char(&text, entry->text.p[i]);
            continue;
        }
        uint32_t here = columns((struct fb_str){text.p, text.n});
        fb_buf_printf(&text, "%*s", column > here ? (int)(column - here) : 0, "");
    }
    fb_buf_free(&entry->text);
    entry->text = text;
}

/* Aligns runs of neighbours of one group; comments and empty lines between them end a run. */
static void align_entries(const struct printer *f, struct entries *entries) {
    for (uint32_t first = 0; first < entries->n;) {
        uint32_t end = first, column = 0;
        do {
            uint32_t here = align_column(&entries->items[end]);
            column = here > column ? here : column;
            end++;
        } while (end < entries->n && entries->items[first].group != 0 &&
                 entries->items[end].group == entries->items[first].group &&
                 entries->items[end].n_comments == 0 &&
                 !blank_before(f, entries->items[end].span.start));
        for (; first < end; first++) {
            align(&entries->items[first], column);
        }
    }
}

static void blanks(struct printer *f, uint32_t n) {
    fb_buf_printf(f->out, "%*s", (int)n, "");
}

/* Puts a text that begins at a column and may be broken at a mark, with `room` columns behind it;
 * what is broken goes on at the indent. Pieces that are too long themselves are broken at the inner
 * marks. Returns the column reached. */
static uint32_t put_pieces(struct printer *f, struct fb_str text, char mark, uint32_t column,
                           uint32_t indent, uint32_t room) {
    bool fits = column + columns(text) + room <= FB_FORMAT_COLUMNS;
    for (size_t at = 0; at < text.n;) {
        const char *stop = memchr(text.p + at, mark, text.n - at);
        size_t end = stop != NULL ? (size_t)(stop - text.p) : text.n;
        struct fb_str piece = {text.p + at, end - at};
        uint32_t after = stop != NULL ? 0 : room;
        if (at > 0 && !fits && column + 1 + columns(piece) + after > FB_FORMAT_COLUMNS) {
            fb_buf_char(f->out, '\n');
            blanks(f, indent);
            column = indent;
        } else if (at > 0) {
            fb_buf_char(f->out, ' ');
            column++;
        }
        if (mark == FB_FORMAT_BREAK) {
            column = put_pieces(f, piece, FB_FORMAT_INNER_BREAK, column, indent + INDENT, after);
        } else {
            fb_buf_str(f->out, piece);
            column += columns(piece);
        }
        at = end + (stop != NULL ? 1 : 0);
    }
    return column;
}

/* A text at an indent, broken where it is longer than a line. No newline at the end. */
static void put_broken(struct printer *f, struct fb_str text, uint32_t indent, uint32_t room) {
    blanks(f, indent);
    put_pieces(f, text, FB_FORMAT_BREAK, indent, indent + CONTINUED_INDENT, room);
}

static void put_comment(struct printer *f, uint32_t index) {
    struct fb_span span = f->file->comments[index].span;
    fb_buf_put(f->out, f->written.source.p + span.start, span.end - span.start);
}

static void put_trailing(struct printer *f, uint32_t index) {
    if (index != UINT32_MAX) {
        fb_buf_text(f->out, "  ");
        put_comment(f, index);
    }
}

/* Comments on lines of their own. `first`: nothing stands before them in the block. */
static void put_comment_lines(struct printer *f, uint32_t from, uint32_t to, uint32_t indent,
                              bool first) {
    for (uint32_t i = from; i < to; i++) {
        if (!first && blank_before(f, f->file->comments[i].span.start)) {
            fb_buf_char(f->out, '\n');
        }
        first = false;
        blanks(f, indent);
        put_comment(f, i);
        fb_buf_char(f->out, '\n');
    }
}

/* The comments before an entry and the empty line that was there. Comments from inside the entry
 * follow those that stood before it. */
static void put_lead(struct printer *f, const struct entry *entry, uint32_t indent, bool first) {
    uint32_t end = entry->first_comment + entry->n_comments, inside = entry->first_comment;
    while (inside < end && f->file->comments[inside].span.start < entry->span.start) {
        inside++;
    }
    put_comment_lines(f, entry->first_comment, inside, indent, first);
    first = first && inside == entry->first_comment;
    if (!first && blank_before(f, entry->span.start)) {
        fb_buf_char(f->out, '\n');
    }
    put_comment_lines(f, inside, end, indent, true);
}

static void print_entry(struct printer *f, const struct entry *entry, uint32_t indent,
                        bool first) {
    put_lead(f, entry, indent, first);
    if (entry->block != NULL || entry->state != NULL) {
        print_block(f, entry, indent);
    } else {
        put_broken(f, (struct fb_str){entry->text.p, entry->text.n}, indent, 0);
    }
    put_trailing(f, entry->trailing);
    fb_buf_char(f->out, '\n');
}

/* HEAD { CLAUSE  CLAUSE } where the source has it on one line and it fits. */
static bool print_on_one_line(struct printer *f, const struct entry *entry,
                              const struct entries *clauses, uint32_t indent) {
    struct fb_buf line = {0};
    fb_buf_printf(&line, "%*s", (int)indent, "");
    fb_buf_put(&line, entry->text.p, entry->text.n);
    fb_buf_text(&line, " {");
    for (uint32_t i = 0; i < clauses->n; i++) {
        fb_buf_text(&line, i == 0 ? " " : "  ");
        for (size_t k = 0; k < clauses->items[i].text.n; k++) {
            char c = clauses->items[i].text.p[k];
            if (c != FB_FORMAT_ALIGN) {
                fb_buf_char(&line, c);
            }
        }
    }
    fb_buf_text(&line, " }");
    for (size_t i = 0; i < line.n; i++) {
        bool soft = line.p[i] == FB_FORMAT_BREAK || line.p[i] == FB_FORMAT_INNER_BREAK;
        line.p[i] = soft ? ' ' : line.p[i];
    }
    bool fits = columns((struct fb_str){line.p, line.n}) <= FB_FORMAT_COLUMNS;
    if (fits) {
        fb_buf_put(f->out, line.p, line.n);
    }
    fb_buf_free(&line);
    return fits;
}

static void print_block(struct printer *f, const struct entry *entry, uint32_t indent) {
    struct entries clauses = {0};
    block_entries(f, entry, &clauses);
    uint32_t behind = f->next_comment;
    f->next_comment = entry->inner_first;
    /* A comment behind the brace stays there. */
    uint32_t at_brace = UINT32_MAX;
    if (entry->inner_first < entry->inner_end &&
        on_one_line(f, entry->head_end, f->file->comments[entry->inner_first].span.start) &&
        (clauses.n == 0 ||
         f->file->comments[entry->inner_first].span.start < clauses.items[0].span.start)) {
        at_brace = f->next_comment++;
    }
    give_comments(f, &clauses, entry->inner_end);
    uint32_t tail = f->next_comment;
    f->next_comment = behind;
    sort_entries(&clauses);
    bool one_line = entry->inner_first == entry->inner_end &&
                    on_one_line(f, entry->head_end, entry->span.end);
    for (uint32_t i = 0; i < clauses.n; i++) {
        one_line = one_line && clauses.items[i].state == NULL;
    }
    if (!one_line || !print_on_one_line(f, entry, &clauses, indent)) {
        align_entries(f, &clauses);
        put_broken(f, (struct fb_str){entry->text.p, entry->text.n}, indent, 2);
        fb_buf_text(f->out, " {");
        put_trailing(f, at_brace);
        fb_buf_char(f->out, '\n');
        for (uint32_t i = 0; i < clauses.n; i++) {
            print_entry(f, &clauses.items[i], indent + INDENT, i == 0);
        }
        put_comment_lines(f, tail, entry->inner_end, indent + INDENT, clauses.n == 0);
        blanks(f, indent);
        fb_buf_char(f->out, '}');
    }
    free_entries(&clauses);
}

void fb_format(const struct fb_tree *tree, uint32_t file, struct fb_buf *out) {
    FB_ASSERT(file < tree->n_files);
    struct fb_tokens tokens;
    struct printer f = {.file = tree->files[file], .out = out};
    struct fb_diags *none = fb_diags_new();
    fb_lex(tree->sources, f.file->source, none, &tokens);
    fb_diags_free(none);
    f.written =
        (struct fb_written){tree->sources, tree->sources->files[f.file->source].text, &tokens};
    struct entries statements = {0};
    file_entries(&f, &statements);
    give_comments(&f, &statements, f.file->n_comments);
    uint32_t tail = f.next_comment;
    for (uint32_t i = 0; i < statements.n; i++) {
        print_entry(&f, &statements.items[i], 0, i == 0);
    }
    put_comment_lines(&f, tail, f.file->n_comments, 0, statements.n == 0);
    free_entries(&statements);
    fb_tokens_free(&tokens);
}
