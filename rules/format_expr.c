/* Expressions as text.
 *
 * Place in the flow: used by the formatter and by reports that quote an expression. */
#include "rules/format.h"

#include "rules/lex.h"
#include "rules/parse.h"

struct writer {
    const struct fb_sources *sources;
    struct fb_buf *out;
    uint32_t depth; /* of brackets */
    bool breakable;
};

static void write_expr(struct writer *w, const struct fb_node *node);

static void text(struct writer *w, const char *s) {
    fb_buf_text(w->out, s);
}

/* A blank at which a line may be broken. */
static void soft_blank(struct writer *w) {
    fb_buf_char(w->out, !w->breakable   ? ' '
                        : w->depth == 0 ? (char)FB_FORMAT_BREAK
                                        : (char)FB_FORMAT_INNER_BREAK);
}

static void comma(struct writer *w, bool needed) {
    if (needed) {
        text(w, ",");
        soft_blank(w);
    }
}

void fb_format_name(struct fb_str name, bool in_expression, struct fb_buf *out) {
    bool quoted = !fb_lex_is_word(name) || (in_expression && fb_parse_is_reserved(name));
    fb_buf_text(out, quoted ? "`" : "");
    fb_buf_str(out, name);
    fb_buf_text(out, quoted ? "`" : "");
}

static const char *op_text(enum fb_op op) {
    static const char *const names[] = {" + ", " - ",  " * ", " / ",  " < ",
                                        " <= ", " > ", " >= ", " == ", " != "};
    return names[op];
}

static void write_number(struct writer *w, const struct fb_node *node) {
    fb_buf_str(w->out, node->text);
    if (node->unit_text.n > 0) {
        text(w, " ");
        fb_buf_str(w->out, node->unit_text);
    }
}

/* As it was written; inside a message its quotes were \". */
static void write_text(struct writer *w, const struct fb_node *node) {
    struct fb_str source = w->sources->files[node->span.file].text;
    struct fb_str written = {source.p + node->span.start, node->span.end - node->span.start};
    if (written.p[0] == '\\') {
        written = (struct fb_str){written.p + 1, written.n - 2};
        fb_buf_put(w->out, written.p, written.n - 1);
        text(w, "\"");
        return;
    }
    fb_buf_str(w->out, written);
}

static void write_items(struct writer *w, const struct fb_node *node) {
    text(w, "(");
    w->depth++;
    for (uint32_t i = 0; i < node->n_items; i++) {
        comma(w, i > 0);
        write_expr(w, node->items[i]);
    }
    w->depth--;
    text(w, ")");
}

static void write_window(struct writer *w, const struct fb_arg *arg, bool alone) {
    if (arg->window == FB_W_NONE) {
        return;
    }
    text(w, alone ? "" : " ");
    if (arg->window == FB_W_LAST) {
        fb_buf_printf(w->out, "over last %u", arg->last);
        return;
    }
    text(w, arg->window == FB_W_OVER ? "over " : "each ");
    write_expr(w, arg->length);
}

static void write_arg(struct writer *w, const struct fb_arg *arg) {
    if (arg->expr != NULL) {
        write_expr(w, arg->expr);
    }
    if (arg->where != NULL) {
        text(w, arg->expr != NULL ? " where " : "where ");
        write_expr(w, arg->where);
    }
    if (arg->upto != NULL) {
        text(w, "..");
        write_expr(w, arg->upto);
    }
    write_window(w, arg, arg->expr == NULL);
}

static void write_call(struct writer *w, const struct fb_node *node) {
    fb_buf_str(w->out, node->text);
    text(w, "(");
    w->depth++;
    for (uint32_t i = 0; i < node->n_args; i++) {
        comma(w, i > 0);
        write_arg(w, &node->args[i]);
    }
    if (node->needs != NULL) {
        comma(w, true);
        text(w, "needs ");
        write_expr(w, node->needs);
    }
    w->depth--;
    text(w, ")");
}

/* The names of the other device are no words of ours, but what is printed is read again. */
static void write_linked(struct writer *w, const struct fb_node *node) {
    fb_format_name(node->text, true, w->out);
    text(w, ".");
    write_expr(w, node->there);
}

static void write_group(struct writer *w, const struct fb_node *node) {
    const struct fb_group_decl *group = node->group;
    fb_buf_str(w->out, node->text);
    text(w, "(");
    w->depth++;
    if (group->expr != NULL) {
        write_expr(w, group->expr);
        text(w, " of ");
    }
    fb_format_name(group->class_name, true, w->out);
    for (uint32_t i = 0; i < group->n_by; i++) {
        text(w, i == 0 ? " by " : ", ");
        fb_format_name(group->by[i], true, w->out);
    }
    if (group->where != NULL) {
        soft_blank(w);
        text(w, "where ");
        write_expr(w, group->where);
    }
    w->depth--;
    text(w, ")");
}

static void write_in(struct writer *w, const struct fb_node *node) {
    write_expr(w, node->a);
    text(w, node->negated ? " not in " : " in ");
    if (node->b == NULL) {
        write_items(w, node);
        return;
    }
    write_expr(w, node->b);
    text(w, "..");
    write_expr(w, node->c);
}

/* a WORD b, where a line may be broken before the word. */
static void write_joined(struct writer *w, const struct fb_node *node, const char *word,
                         bool soft) {
    write_expr(w, node->a);
    if (soft) {
        soft_blank(w);
    } else {
        text(w, " ");
    }
    text(w, word);
    text(w, " ");
    write_expr(w, node->b);
}

static void write_if(struct writer *w, const struct fb_node *node) {
    text(w, "if ");
    write_expr(w, node->a);
    soft_blank(w);
    text(w, "then ");
    write_expr(w, node->b);
    soft_blank(w);
    text(w, "else ");
    write_expr(w, node->c);
}

static void write_bare(struct writer *w, const struct fb_node *node) {
    switch (node->kind) {
    case FB_N_NUMBER:
        write_number(w, node);
        return;
    case FB_N_DURATION:
        fb_buf_str(w->out, node->text);
        return;
    case FB_N_TEXT:
        write_text(w, node);
        return;
    case FB_N_BOOL:
        text(w, node->truth ? "true" : "false");
        return;
    case FB_N_UNKNOWN:
        text(w, "unknown");
        return;
    case FB_N_NAME:
        fb_format_name(node->text, true, w->out);
        return;
    case FB_N_SILENT:
        text(w, "silent");
        if (node->a != NULL) {
            text(w, "(");
            w->depth++;
            write_expr(w, node->a);
            w->depth--;
            text(w, ")");
        }
        return;
    case FB_N_NEGATE:
        text(w, "-");
        write_expr(w, node->a);
        return;
    case FB_N_ARITH:
    case FB_N_COMPARE:
        write_expr(w, node->a);
        text(w, op_text(node->op));
        write_expr(w, node->b);
        return;
    case FB_N_IN:
        write_in(w, node);
        return;
    case FB_N_IS:
        write_expr(w, node->a);
        text(w, node->negated ? " is not " : " is ");
        text(w, node->quality == FB_Q_UNKNOWN ? "unknown"
                : node->quality == FB_Q_GOOD  ? "good"
                : node->quality == FB_Q_BAD   ? "bad"
                                              : "stale");
        return;
    case FB_N_MATCHES:
        write_joined(w, node, "matches", false);
        return;
    case FB_N_NOT:
        text(w, "not ");
        write_expr(w, node->a);
        return;
    case FB_N_AND:
        write_joined(w, node, "and", true);
        return;
    case FB_N_OR:
        write_joined(w, node, "or", true);
        return;
    case FB_N_PERCENT_OF:
        fb_buf_str(w->out, node->text);
        text(w, " % of ");
        write_expr(w, node->a);
        return;
    case FB_N_VOTE:
        fb_buf_printf(w->out, "%u of ", node->votes);
        write_items(w, node);
        return;
    case FB_N_IF:
        write_if(w, node);
        return;
    case FB_N_CALL:
        write_call(w, node);
        return;
    case FB_N_FOR:
        write_joined(w, node, "for", false);
        return;
    case FB_N_UNTIL:
        write_joined(w, node, "until", true);
        return;
    case FB_N_LINKED:
        write_linked(w, node);
        return;
    case FB_N_GROUP:
        write_group(w, node);
        return;
    }
}

static void write_expr(struct writer *w, const struct fb_node *node) {
    if (!node->bracketed) {
        write_bare(w, node);
        return;
    }
    text(w, "(");
    w->depth++;
    write_bare(w, node);
    w->depth--;
    text(w, ")");
}

void fb_format_expr(const struct fb_sources *sources, const struct fb_node *node,
                    struct fb_buf *out) {
    struct writer w = {.sources = sources, .out = out};
    write_expr(&w, node);
}

void fb_format_breakable(const struct fb_sources *sources, const struct fb_node *node,
                         struct fb_buf *out) {
    struct writer w = {.sources = sources, .out = out, .breakable = true};
    write_expr(&w, node);
}
