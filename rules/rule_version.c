#include "rules/rule_version.h"

#include <stdlib.h>

#include "engine/base/hash.h"

/* What a rule reads, each once, in the order in which it is met. */
struct read {
    const struct fb_checked *checked;
    const void **seen;
    uint32_t n_seen, cap_seen;
    struct fb_buf text;
};

static bool seen(struct read *read, const void *decl) {
    for (uint32_t i = 0; i < read->n_seen; i++)
        if (read->seen[i] == decl)
            return true;
    FB_PUSH_ROOM(read->seen, read->n_seen, read->cap_seen);
    read->seen[read->n_seen++] = decl;
    return false;
}

/* The words of a stretch of source, one blank between them, without comments. */
static void put_text(struct read *read, struct fb_span span) {
    const struct fb_str text = read->checked->tree->sources->files[span.file].text;
    char quote = 0;
    bool blank = false;
    for (uint32_t i = span.start; i < span.end; i++) {
        char c = text.p[i];
        if (!quote && c == '#')
            while (i + 1 < span.end && text.p[i + 1] != '\n')
                i++;
        if (!quote && (c == '#' || c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
            blank = true;
            continue;
        }
        if (blank)
            fb_buf_char(&read->text, ' ');
        blank = false;
        fb_buf_char(&read->text, c);
        if (quote && c == '\\' && i + 1 < span.end)
            fb_buf_char(&read->text, text.p[++i]);
        else if (quote ? c == quote : c == '"' || c == '`')
            quote = quote ? 0 : c;
    }
    fb_buf_char(&read->text, '\n');
}

static void read_node(struct read *read, const struct fb_node *node);

static void read_let(struct read *read, const struct fb_let_decl *let) {
    if (seen(read, let))
        return;
    read_node(read, let->value);
    fb_buf_text(&read->text, "let ");
    fb_buf_str(&read->text, let->name);
    fb_buf_char(&read->text, ' ');
    fb_buf_str(&read->text, let->unit_text);
    fb_buf_text(&read->text, " = ");
    put_text(read, let->value->span);
}

static void read_param(struct read *read, const struct fb_param_decl *param) {
    if (seen(read, param))
        return;
    read_node(read, param->value);
    for (uint32_t i = 0; i < param->n_cases; i++) {
        read_node(read, param->cases[i].value);
        read_node(read, param->cases[i].where);
    }
    put_text(read, param->span);
}

static void read_node(struct read *read, const struct fb_node *node) {
    if (!node)
        return;
    if (node->kind == FB_N_NAME && node->ref == FB_REF_LET)
        read_let(read, node->let);
    if (node->kind == FB_N_NAME && node->ref == FB_REF_PARAM)
        read_param(read, node->param);
    read_node(read, node->a);
    read_node(read, node->b);
    read_node(read, node->c);
    for (uint32_t i = 0; i < node->n_items; i++)
        read_node(read, node->items[i]);
    for (uint32_t i = 0; i < node->n_args; i++) {
        read_node(read, node->args[i].expr);
        read_node(read, node->args[i].where);
        read_node(read, node->args[i].upto);
        read_node(read, node->args[i].length);
    }
}

static void read_text(struct read *read, const struct fb_text_decl *text) {
    for (uint32_t i = 0; text && i < text->n_parts; i++)
        read_node(read, text->parts[i].expr);
}

static void read_rule(struct read *read, const struct fb_rule_decl *rule) {
    read_node(read, rule->where);
    read_node(read, rule->when);
    for (uint32_t i = 0; i < rule->n_raises; i++)
        read_node(read, rule->raises[i].when);
    read_node(read, rule->deadband);
    read_node(read, rule->clear_after);
    read_node(read, rule->at_most_per);
    read_text(read, rule->message);
    read_text(read, rule->response);
}

/* The class but for its lets: of these the rule reads only some. */
static void read_class(struct read *read, const struct fb_class_decl *decl) {
    fb_buf_str(&read->text, decl->name);
    for (uint32_t i = 0; i < decl->n_topics; i++) {
        fb_buf_char(&read->text, ' ');
        fb_buf_str(&read->text, decl->topics[i]);
    }
    fb_buf_char(&read->text, '\n');
    for (uint32_t i = 0; i < decl->n_items; i++)
        if (decl->items[i].kind != FB_ITEM_LET)
            put_text(read, decl->items[i].span);
}

void fb_rule_version(const struct fb_checked *checked, uint32_t rule,
                     char out[FB_RULE_VERSION_DIGITS + 1]) {
    const struct fb_checked_rule *of = &checked->rules[rule];
    struct read read = {.checked = checked};
    uint8_t digest[32];
    read_class(&read, checked->classes[of->class_index].decl);
    read_rule(&read, of->decl);
    put_text(&read, of->decl->span);
    fb_sha256(&(struct fb_str){read.text.p, read.text.n}, 1, digest);
    fb_hex(digest, FB_RULE_VERSION_DIGITS / 2, out);
    fb_buf_free(&read.text);
    free(read.seen);
}
