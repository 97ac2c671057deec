/* Messages: a text and the expressions in its braces.
 *
 * Place in the flow: third stage of the compiler; parse.c calls it for message and response. */
#include "rules/parser.h"

#include <string.h>

/* One message on its way into parts; offsets are the file's. */
struct splitter {
    struct fb_parser *p;
    struct fb_text_decl *text;
    uint32_t literal; /* where the literal that is being read begins */
    uint32_t end;     /* of the text, quote excluded */
};

static struct fb_span at(const struct splitter *s, uint32_t start, uint32_t end) {
    return (struct fb_span){s->p->tokens.file, start, end};
}

static void flush_literal(struct splitter *s, uint32_t end) {
    if (end > s->literal) {
        struct fb_str written = fb_p_source(s->p, at(s, s->literal, end));
        *FB_P_PUSH(s->p, s->text->parts, s->text->n_parts) = (struct fb_text_part){
            .literal = fb_lex_unescape(s->p->arena, written), .decimals = -1};
    }
}

/* Length of the escape at an offset: \u{..} holds braces that are none of the message's. */
static uint32_t skip_escape(const struct splitter *s, uint32_t offset) {
    const char *p = s->p->text.p;
    uint32_t i = offset + 2;
    if (p[offset + 1] == 'u' && i < s->end && p[i] == '{') {
        while (i < s->end && p[i] != '}') {
            i++;
        }
        i++;
    }
    return i < s->end ? i : s->end;
}

/* The end of the braces that begin at `open`, and the colon of their format (0: none); false: there
 * is no end. Texts inside are written \"..\". */
static bool find_end(const struct splitter *s, uint32_t open, uint32_t *colon, uint32_t *end) {
    const char *p = s->p->text.p;
    bool quoted = false;
    *colon = 0;
    for (uint32_t i = open + 1; i < s->end; i++) {
        if (p[i] == '\\') {
            quoted ^= p[i + 1] == '"';
            i++;
        } else if (!quoted && p[i] == '{') {
            return false;
        } else if (!quoted && p[i] == ':' && *colon == 0) {
            *colon = i;
        } else if (!quoted && p[i] == '}') {
            *end = i;
            return true;
        }
    }
    return false;
}

static bool report_brace(const struct splitter *s, uint32_t offset, const char *what) {
    bool open = s->p->text.p[offset] == '{';
    fb_diag_add(s->p->diags, FB_E_LONE_BRACE, at(s, offset, offset + 1),
                open ? "an expression stands in `{..}`; a brace as such is written \\u{7b}"
                     : "a brace as such is written \\u{7d}",
                "%s", what);
    return false;
}

/* format = "." DIGIT "f" ; behind the colon */
static bool read_format(const struct splitter *s, uint32_t colon, uint32_t end, int8_t *decimals) {
    struct fb_str format = fb_p_source(s->p, at(s, colon + 1, end));
    if (format.n != 3 || format.p[0] != '.' || format.p[1] < '0' || format.p[1] > '9' ||
        format.p[2] != 'f') {
        fb_diag_add(s->p->diags, FB_E_MESSAGE_FORMAT, at(s, colon, end),
                    "write the number of decimals as in {x:.1f}", "`:%.*s` is not a format",
                    FB_ARG(format));
        return false;
    }
    *decimals = (int8_t)(format.p[1] - '0');
    return true;
}

static struct fb_str trimmed(struct fb_str s) {
    while (s.n > 0 && s.p[0] == ' ') {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && s.p[s.n - 1] == ' ') {
        s.n--;
    }
    return s;
}

/* Runs the expression parser on the inside of the braces. */
static struct fb_node *parse_inside(const struct splitter *s, struct fb_span span) {
    struct fb_parser inner = *s->p;
    inner.at = 0;
    inner.in_message = true;
    fb_lex_message_part(inner.sources, span, inner.diags, &inner.tokens);
    struct fb_node *expr = fb_p_or(&inner);
    if (expr != NULL && !fb_p_is(&inner, FB_TOK_END)) {
        fb_p_unexpected(&inner, "an operator, `:` and a format, or `}`", NULL);
        expr = NULL;
    }
    fb_tokens_free(&inner.tokens);
    return expr;
}

/* part = "{" ( "device" | "rule" | "severity" | expr ) [ ":" format ] "}" ; */
static bool read_part(struct splitter *s, uint32_t open, uint32_t *behind) {
    uint32_t colon, end;
    if (!find_end(s, open, &colon, &end)) {
        return report_brace(s, open, "this brace is not closed");
    }
    *behind = end + 1;
    uint32_t expr_end = colon != 0 ? colon : end;
    struct fb_str inside = trimmed(fb_p_source(s->p, at(s, open + 1, expr_end)));
    if (inside.n == 0) {
        return report_brace(s, open, "there is nothing in these braces");
    }
    struct fb_text_part part = {.decimals = -1};
    if (colon != 0 && !read_format(s, colon, end, &part.decimals)) {
        return false;
    }
    if (fb_str_eq(inside, FB_S("device")) || fb_str_eq(inside, FB_S("rule")) ||
        fb_str_eq(inside, FB_S("severity"))) {
        part.builtin = inside;
        if (colon != 0) {
            fb_diag_add(s->p->diags, FB_E_MESSAGE_FORMAT, at(s, colon, end), "leave the format out",
                        "{%.*s} is a text and has no decimals", FB_ARG(inside));
            return false;
        }
    } else {
        part.expr = parse_inside(s, at(s, open + 1, expr_end));
        if (part.expr == NULL) {
            return false;
        }
    }
    *FB_P_PUSH(s->p, s->text->parts, s->text->n_parts) = part;
    return true;
}

struct fb_text_decl *fb_p_message(struct fb_parser *p) {
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind != FB_TOK_TEXT) {
        fb_p_unexpected(p, "a text in double quotes", NULL);
        return NULL;
    }
    struct fb_text_decl *text = FB_ARENA_NEW(p->arena, struct fb_text_decl);
    text->span = fb_p_span(p, token);
    text->raw = fb_p_text(p, token);
    struct splitter s = {.p = p, .text = text, .literal = token->start + 1, .end = token->end - 1};
    fb_p_next(p);
    bool ok = true;
    for (uint32_t i = s.literal; i < s.end;) {
        char c = p->text.p[i];
        if (c == '\\') {
            i = skip_escape(&s, i);
        } else if (c == '{') {
            flush_literal(&s, i);
            uint32_t behind = i + 1;
            ok = read_part(&s, i, &behind) && ok;
            s.literal = i = behind;
        } else if (c == '}') {
            ok = report_brace(&s, i, "this brace closes nothing");
            i++;
        } else {
            i++;
        }
    }
    flush_literal(&s, s.end);
    return ok ? text : NULL;
}
