#include "rules/rule_version.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/hash.h"
#include "engine/base/map.h"
#include "rules/format.h"
#include "rules/parse.h"

struct fb_rule_texts {
    const struct fb_checked *checked;
    struct fb_sources *sources; /* what the formatter makes of the files, without comments */
    struct fb_diags *diags;
    struct fb_tree *tree;
    /* From a class, let, param, actuator or rule to the one that stands for it in the formatted
     * tree. */
    struct fb_map *places;
    const void **twins;
    uint32_t n_twins, cap_twins;
};

/* ---- twins --------------------------------------------------------------------------------- */

static struct fb_str key_of(const void *const *decl) {
    return (struct fb_str){(const char *)decl, sizeof *decl};
}

static void pair(struct fb_rule_texts *texts, const void *decl, const void *twin) {
    fb_map_put(texts->places, key_of(&decl), texts->n_twins);
    FB_PUSH_ROOM(texts->twins, texts->n_twins, texts->cap_twins);
    texts->twins[texts->n_twins++] = twin;
}

static const void *twin_of(const struct fb_rule_texts *texts, const void *decl) {
    uint32_t at = fb_map_get(texts->places, key_of(&decl));
    FB_ASSERT(at != FB_MAP_NONE);
    return texts->twins[at];
}

static void pair_lets(struct fb_rule_texts *texts, struct fb_let_decl *const *lets,
                      struct fb_let_decl *const *twins, uint32_t n, uint32_t n_twins) {
    FB_ASSERT(n == n_twins);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n; k++)
            if (fb_str_eq(lets[i]->name, twins[k]->name))
                pair(texts, lets[i], twins[k]);
}

static void pair_items(struct fb_rule_texts *texts, const struct fb_item *item,
                       const struct fb_item *twin) {
    FB_ASSERT(item->kind == twin->kind);
    switch (item->kind) {
    case FB_ITEM_CLASS:
        pair(texts, item->class_decl, twin->class_decl);
        pair_lets(texts, item->class_decl->lets, twin->class_decl->lets, item->class_decl->n_lets,
                  twin->class_decl->n_lets);
        break;
    case FB_ITEM_PARAM:
        pair(texts, item->param, twin->param);
        break;
    case FB_ITEM_RULE:
        pair(texts, item->rule, twin->rule);
        pair_lets(texts, item->rule->lets, twin->rule->lets, item->rule->n_lets,
                  twin->rule->n_lets);
        break;
    case FB_ITEM_ACTUATOR:
        pair(texts, item->actuator, twin->actuator);
        break;
    case FB_ITEM_USE:
    case FB_ITEM_TEST:
    case FB_ITEM_LIMIT:
        break;
    }
}

/* A file without comments, `use` and tests. */
static struct fb_file bare(struct fb_arena *arena, const struct fb_file *file) {
    struct fb_file kept = {.source = file->source};
    kept.items = FB_ARENA_ARRAY(arena, struct fb_item, file->n_items);
    for (uint32_t i = 0; i < file->n_items; i++)
        if (file->items[i].kind != FB_ITEM_USE && file->items[i].kind != FB_ITEM_TEST)
            kept.items[kept.n_items++] = file->items[i];
    return kept;
}

struct fb_rule_texts *fb_rule_texts_new(const struct fb_checked *checked) {
    const struct fb_tree *tree = checked->tree;
    struct fb_rule_texts *texts = fb_alloc(sizeof *texts);
    struct fb_arena *arena = fb_arena_new();
    struct fb_file *files = FB_ARENA_ARRAY(arena, struct fb_file, tree->n_files);
    *texts = (struct fb_rule_texts){.checked = checked,
                                    .sources = fb_sources_new(),
                                    .diags = fb_diags_new(),
                                    .places = fb_map_new()};
    for (uint32_t i = 0; i < tree->n_files; i++) {
        struct fb_buf text = {0};
        files[i] = bare(arena, tree->files[i]);
        struct fb_file *one[] = {&files[i]};
        struct fb_tree alone = *tree;
        alone.files = one;
        alone.n_files = 1;
        fb_format(&alone, 0, &text);
        fb_sources_add(texts->sources, fb_str_printf(arena, "%u", i),
                       (struct fb_str){text.p, text.n});
        fb_buf_free(&text);
    }
    texts->tree = fb_parse(texts->sources, texts->diags);
    FB_ASSERT(texts->diags->errors == 0 && texts->tree->n_files == tree->n_files);
    for (uint32_t i = 0; i < tree->n_files; i++) {
        FB_ASSERT(texts->tree->files[i]->n_items == files[i].n_items);
        for (uint32_t k = 0; k < files[i].n_items; k++)
            pair_items(texts, &files[i].items[k], &texts->tree->files[i]->items[k]);
    }
    fb_arena_free(arena);
    return texts;
}

void fb_rule_texts_free(struct fb_rule_texts *texts) {
    fb_tree_free(texts->tree);
    fb_sources_free(texts->sources);
    fb_diags_free(texts->diags);
    fb_map_free(texts->places);
    free(texts->twins);
    free(texts);
}

/* ---- what a rule reads ---------------------------------------------------------------------- */

/* Each thing once, in the order in which it is met. */
struct read {
    const struct fb_rule_texts *texts;
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

/* The words of a stretch of formatted text, one blank between them. */
static void put_text(struct read *read, struct fb_span span) {
    const struct fb_str text = read->texts->sources->files[span.file].text;
    char quote = 0;
    bool blank = false;
    for (uint32_t i = span.start; i < span.end; i++) {
        char c = text.p[i];
        if (!quote && (c == ' ' || c == '\n')) {
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
    put_text(read, ((const struct fb_let_decl *)twin_of(read->texts, let))->value->span);
}

static void read_param(struct read *read, const struct fb_param_decl *param) {
    if (seen(read, param))
        return;
    read_node(read, param->value);
    for (uint32_t i = 0; i < param->n_cases; i++) {
        read_node(read, param->cases[i].value);
        read_node(read, param->cases[i].where);
    }
    put_text(read, ((const struct fb_param_decl *)twin_of(read->texts, param))->span);
}

static void read_actuator(struct read *read, const struct fb_actuator_decl *actuator) {
    if (seen(read, actuator))
        return;
    read_node(read, actuator->interlock);
    read_node(read, actuator->permissive);
    put_text(read, ((const struct fb_actuator_decl *)twin_of(read->texts, actuator))->span);
}

static void read_rule(struct read *read, const struct fb_rule_decl *rule);

static void read_mode(struct read *read, const struct fb_rule_decl *mode) {
    if (seen(read, mode))
        return;
    read_rule(read, mode);
    put_text(read, ((const struct fb_rule_decl *)twin_of(read->texts, mode))->span);
}

static void read_alarm(struct read *read, const struct fb_rule_decl *alarm) {
    if (seen(read, alarm))
        return;
    read_rule(read, alarm);
    put_text(read, ((const struct fb_rule_decl *)twin_of(read->texts, alarm))->span);
}

static void read_class(struct read *read, const struct fb_class_decl *class_decl);

static void read_other(struct read *read, const struct fb_class_decl *decl) {
    if (!seen(read, decl))
        read_class(read, decl);
}

/* What it reads of other devices: how they are found, and what they publish. */
static void read_group(struct read *read, const struct fb_node *node) {
    const struct fb_checked *checked = read->texts->checked;
    for (uint32_t i = 0; i < checked->n_classes; i++) {
        const struct fb_class_decl *decl = checked->classes[i].decl;
        if (!fb_str_eq(decl->name, node->group->class_name) || seen(read, node->group))
            continue;
        read_other(read, decl);
        read_node(read, node->group->expr);
        read_node(read, node->group->where);
    }
}

static void read_node(struct read *read, const struct fb_node *node) {
    if (!node)
        return;
    if (node->kind == FB_N_NAME && node->ref == FB_REF_ALARM)
        read_alarm(read, node->alarm);
    if (node->kind == FB_N_NAME && node->ref == FB_REF_MODE)
        read_mode(read, node->mode);
    if (node->kind == FB_N_LINKED) {
        const struct fb_checked *checked = read->texts->checked;
        read_other(read, checked->classes[node->link->class_index].decl);
        read_node(read, node->there);
    }
    if (node->kind == FB_N_GROUP)
        read_group(read, node);
    if (node->kind == FB_N_NAME && node->ref == FB_REF_ACTUATOR)
        read_actuator(read, node->actuator);
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
    read_node(read, rule->flapping);
    read_node(read, rule->at_most_per);
    read_node(read, rule->start);
    for (uint32_t i = 0; i < rule->n_commands; i++) {
        read_node(read, rule->commands[i].value);
        read_node(read, rule->commands[i].from);
        read_actuator(read, rule->commands[i].actuator);
    }
    for (uint32_t i = 0; i < rule->n_gos; i++) {
        read_node(read, rule->gos[i].when);
        read_node(read, rule->gos[i].after);
    }
    for (uint32_t i = 0; i < rule->n_states; i++)
        read_node(read, rule->states[i].stay);
    read_text(read, rule->message);
    read_text(read, rule->response);
}

/* The class but for its lets: of these the rule reads only some. */
static void read_class(struct read *read, const struct fb_class_decl *class_decl) {
    const struct fb_checked *checked = read->texts->checked;
    for (uint32_t i = 0; i < checked->n_classes; i++)
        if (checked->classes[i].decl == class_decl &&
            checked->classes[i].group_class != FB_NO_INDEX) {
            fb_buf_str(&read->text, class_decl->name); /* it stands nowhere */
            fb_buf_char(&read->text, '\n');
            read_class(read, checked->classes[checked->classes[i].group_class].decl);
            return;
        }
    const struct fb_class_decl *decl = twin_of(read->texts, class_decl);
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

static void end_version(struct read *read, char out[FB_RULE_VERSION_DIGITS + 1]) {
    uint8_t digest[32];
    fb_sha256(&(struct fb_str){read->text.p, read->text.n}, 1, digest);
    fb_hex(digest, FB_RULE_VERSION_DIGITS / 2, out);
    fb_buf_free(&read->text);
    free(read->seen);
}

void fb_rule_version(const struct fb_rule_texts *texts, const struct fb_checked_rule *rule,
                     char out[FB_RULE_VERSION_DIGITS + 1]) {
    struct read read = {.texts = texts};
    read_class(&read, texts->checked->classes[rule->class_index].decl);
    read_rule(&read, rule->decl);
    put_text(&read, ((const struct fb_rule_decl *)twin_of(texts, rule->decl))->span);
    end_version(&read, out);
}

void fb_published_version(const struct fb_rule_texts *texts, uint32_t class_index,
                          char out[FB_RULE_VERSION_DIGITS + 1]) {
    const struct fb_checked_class *class_ = &texts->checked->classes[class_index];
    struct read read = {.texts = texts};
    read_class(&read, class_->decl);
    for (uint32_t i = 0; i < class_->n_published; i++) {
        read_node(&read, class_->published[i].node);
        fb_buf_str(&read.text, class_->published[i].name);
        fb_buf_char(&read.text, '\n');
    }
    end_version(&read, out);
}

void fb_actuator_version(const struct fb_rule_texts *texts,
                         const struct fb_checked_actuator *actuator,
                         char out[FB_RULE_VERSION_DIGITS + 1]) {
    struct read read = {.texts = texts};
    read_class(&read, texts->checked->classes[actuator->class_index].decl);
    read_actuator(&read, actuator->decl);
    end_version(&read, out);
}
