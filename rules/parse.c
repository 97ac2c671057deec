/* Statements: which one stands here, use and param; and the files of a compilation.
 *
 * Place in the flow: third stage of the compiler: lex -> parse -> check. Each function opens with
 * the grammar's production it reads. Clauses may come in any order. */
#include "rules/parser.h"

#include <string.h>

/* ---- param --------------------------------------------------------------------------------- */

/* "," expr "where" or ; the comma is taken */
static bool param_case(struct fb_parser *p, struct fb_param_decl *decl) {
    struct fb_param_case one = {0};
    if ((one.value = fb_p_or(p)) == NULL) {
        return false;
    }
    if (!fb_p_accept_word(p, "where")) {
        return fb_p_unexpected(p, "`where`",
                               "a further value says where it applies: `, 7 where c`");
    }
    if ((one.where = fb_p_or(p)) == NULL) {
        return false;
    }
    *FB_P_PUSH(p, decl->cases, decl->n_cases) = one;
    return true;
}

/* param = "param" NAME [ "on" NAME ] [ unit ] "=" expr [ "range" range ] { "," expr "where" or } ;
 * the word is taken */
static bool param(struct fb_parser *p, struct fb_item *item) {
    struct fb_param_decl *decl = FB_ARENA_NEW(p->arena, struct fb_param_decl);
    item->kind = FB_ITEM_PARAM;
    item->param = decl;
    if (!fb_p_name(p, "the parameter's name", &decl->name, &decl->name_span)) {
        return false;
    }
    if (fb_p_accept_word(p, "on") &&
        !fb_p_name(p, "a device's name", &decl->class_name, &decl->class_span)) {
        return false;
    }
    fb_p_unit(p, &decl->unit_text, &decl->unit_span);
    if (!fb_p_expect(p, FB_TOK_ASSIGN, "`on`, a unit in brackets or `=`") ||
        (decl->value = fb_p_or(p)) == NULL) {
        return false;
    }
    for (;;) {
        struct fb_span span = fb_p_span(p, fb_p_peek(p, 0));
        bool ok = true;
        if (fb_p_accept_word(p, "range")) {
            fb_p_once(p, decl->range_low != NULL, span, "range");
            ok = fb_p_range(p, &decl->range_low, &decl->range_high);
        } else if (fb_p_accept(p, FB_TOK_COMMA)) {
            ok = param_case(p, decl);
        } else {
            break;
        }
        if (!ok) {
            return false;
        }
    }
    decl->span = fb_p_span_from(p, &p->tokens.items[p->at - 1]);
    return true;
}

/* ---- files --------------------------------------------------------------------------------- */

/* The path of `use`, seen from the file it stands in. */
static void use_path(const struct fb_source *source, struct fb_str path, struct fb_buf *out) {
    const char *slash = memrchr(source->path.p, '/', source->path.n);
    if (path.p[0] != '/' && slash != NULL) {
        fb_buf_put(out, source->path.p, (size_t)(slash - source->path.p) + 1);
    }
    fb_buf_str(out, path);
}

/* use = "use" TEXT ; the word is taken; the file joins the sources, where there are any, and is
 * parsed in its turn */
static bool use(struct fb_parser *p, struct fb_item *item, struct fb_sources *sources) {
    const struct fb_token *token = fb_p_peek(p, 0);
    item->kind = FB_ITEM_USE;
    if (!fb_p_text_literal(p, "a path in double quotes", &item->use)) {
        return false;
    }
    struct fb_span span = fb_p_span(p, token);
    if (item->use.n == 0) {
        fb_diag_add(p->diags, FB_E_USE, span, NULL, "the path is empty");
        return false;
    }
    if (sources == NULL) {
        return true;
    }
    struct fb_buf path = {0};
    struct fb_err err = {0};
    use_path(&sources->files[p->tokens.file], item->use, &path);
    bool ok = fb_sources_load(sources, fb_buf_terminated(&path), &err);
    if (!ok) {
        fb_diag_add(p->diags, FB_E_USE, span,
                    item->use.p[0] == '/'
                        ? NULL
                        : "the path is relative to the folder of this file",
                    "%s", err.text);
    }
    fb_buf_free(&path);
    return ok;
}

/* limit = "commands" "at" "most" INT "per" dur ; the word is taken */
static bool limit(struct fb_parser *p, struct fb_item *item, const struct fb_token *first) {
    struct fb_limit_decl *decl = FB_ARENA_NEW(p->arena, struct fb_limit_decl);
    item->kind = FB_ITEM_LIMIT;
    item->limit = decl;
    if (!fb_p_expect_word(p, "at") || !fb_p_expect_word(p, "most") ||
        !fb_p_count(p, "a number of commands", &decl->at_most) || !fb_p_expect_word(p, "per") ||
        (decl->per = fb_p_dur(p)) == NULL) {
        return false;
    }
    decl->span = fb_p_span_from(p, first);
    return true;
}

static bool unknown_statement(struct fb_parser *p) {
    static const char *const names[] = {"use",   "device",  "param", "actuator", "alarm",
                                        "event", "control", "mode",  "commands", "test"};
    const struct fb_token *token = fb_p_peek(p, 0);
    if (token->kind != FB_TOK_NAME || (token->flags & FB_TOKEN_QUOTED) != 0) {
        return fb_p_unexpected(p,
                               "a statement: use, device, param, actuator, alarm, event, control, "
                               "mode, commands or test",
                               token->kind == FB_TOK_FINISH ? "this `}` closes nothing" : NULL);
    }
    struct fb_str word = fb_p_name_text(p, token);
    const char *help = fb_p_did_you_mean(p, word, names, FB_P_COUNT(names));
    fb_diag_add(p->diags, FB_E_UNKNOWN_STATEMENT, fb_p_span(p, token),
                help != NULL ? help
                             : "the statements are use, device, param, actuator, alarm, event, "
                               "control, mode, commands and test",
                "`%.*s` is not a statement", FB_ARG(word));
    return false;
}

static bool statement(struct fb_parser *p, struct fb_item *item, struct fb_sources *sources) {
    if (fb_p_accept_word(p, "use")) {
        return use(p, item, sources);
    }
    if (fb_p_accept_word(p, "device")) {
        return fb_p_device(p, item);
    }
    if (fb_p_accept_word(p, "param")) {
        return param(p, item);
    }
    if (fb_p_accept_word(p, "alarm")) {
        return fb_p_rule(p, item, FB_RULE_ALARM);
    }
    if (fb_p_accept_word(p, "event")) {
        return fb_p_rule(p, item, FB_RULE_EVENT);
    }
    if (fb_p_accept_word(p, "actuator")) {
        return fb_p_actuator(p, item);
    }
    if (fb_p_accept_word(p, "control")) {
        return fb_p_rule(p, item, FB_RULE_CONTROL);
    }
    if (fb_p_accept_word(p, "mode")) {
        return fb_p_rule(p, item, FB_RULE_MODE);
    }
    if (fb_p_is_word(p, 0, "commands")) {
        const struct fb_token *first = fb_p_peek(p, 0);
        fb_p_next(p);
        return limit(p, item, first);
    }
    if (fb_p_accept_word(p, "test")) {
        item->kind = FB_ITEM_TEST;
        item->test = fb_p_test(p);
        return item->test != NULL;
    }
    return unknown_statement(p);
}

static void set_span(struct fb_item *item) {
    if (item->kind == FB_ITEM_CLASS) {
        item->class_decl->span = item->span;
    } else if (item->kind == FB_ITEM_PARAM) {
        item->param->span = item->span;
    } else if (item->kind == FB_ITEM_ACTUATOR) {
        item->actuator->span = item->span;
    } else if (item->kind == FB_ITEM_RULE) {
        item->rule->span = item->span;
    } else if (item->kind == FB_ITEM_TEST) {
        item->test->span = item->span;
    }
}

static bool has_feedback(const struct fb_item *item) {
    return item->kind == FB_ITEM_ACTUATOR && item->actuator != NULL &&
           item->actuator->name.n > 0 && item->actuator->feedback_span.end > 0;
}

static bool commands(const struct fb_item *item) {
    return item->kind == FB_ITEM_RULE && item->rule->kind == FB_RULE_ALARM &&
           item->rule->n_commands + item->rule->n_asks > 0;
}

/* What stands for a rule's commands to other devices, behind the rule. */
static void push_asked(struct fb_parser *p, struct fb_file *out, const struct fb_rule_decl *rule) {
    for (uint32_t i = 0; i < rule->n_asks; i++) {
        struct fb_item asked = fb_p_asked_of(p, rule, &rule->asks[i]);
        *FB_P_PUSH(p, out->items, out->n_items) = asked;
    }
}

/* file = { use | device | param | actuator | alarm | event | control | mode | limit | test } ;
 * statements with a mistake stand apart */
static void file(struct fb_parser *p, struct fb_file *out, struct fb_sources *sources) {
    while (!fb_p_is(p, FB_TOK_END)) {
        const struct fb_token *first = fb_p_peek(p, 0);
        uint32_t before = p->at;
        struct fb_item item = {0};
        p->clauses = NULL;
        p->fields = false;
        if (statement(p, &item, sources)) {
            item.span = fb_p_span_from(p, first);
            set_span(&item);
            *FB_P_PUSH(p, out->items, out->n_items) = item;
            if (has_feedback(&item)) {
                struct fb_item alarm = fb_p_feedback_alarm(p, item.actuator, false);
                *FB_P_PUSH(p, out->items, out->n_items) = alarm;
            }
            if (commands(&item)) {
                struct fb_item control = fb_p_commands_of(p, item.rule);
                *FB_P_PUSH(p, out->items, out->n_items) = control;
                push_asked(p, out, control.rule);
            } else if (item.kind == FB_ITEM_RULE) {
                push_asked(p, out, item.rule);
            }
            continue;
        }
        *FB_P_PUSH(p, out->broken, out->n_broken) = item;
        if (has_feedback(&item)) {
            struct fb_item alarm = fb_p_feedback_alarm(p, item.actuator, true);
            *FB_P_PUSH(p, out->broken, out->n_broken) = alarm;
        }
        /* Behind a block's end the next statement begins; anything else is skipped. */
        bool behind_block = p->at > before && p->tokens.items[p->at - 1].kind == FB_TOK_FINISH;
        if (p->at == before) {
            bool stray = fb_p_is(p, FB_TOK_FINISH);
            fb_p_next(p);
            behind_block = stray;
        }
        if (!behind_block) {
            fb_p_next_statement(p);
        }
    }
}

static struct fb_file *parse_file(struct fb_arena *arena, struct fb_sources *sources,
                                  uint32_t index, bool follow, struct fb_diags *diags) {
    struct fb_parser p = {.arena = arena,
                          .sources = sources,
                          .diags = diags,
                          .text = sources->files[index].text};
    struct fb_file *out = FB_ARENA_NEW(arena, struct fb_file);
    out->source = index;
    fb_lex(sources, index, diags, &p.tokens);
    file(&p, out, follow ? sources : NULL);
    out->n_comments = p.tokens.n_comments;
    if (out->n_comments > 0) {
        out->comments = FB_ARENA_ARRAY(arena, struct fb_comment, out->n_comments);
        memcpy(out->comments, p.tokens.comments, sizeof *out->comments * out->n_comments);
    }
    fb_tokens_free(&p.tokens);
    return out;
}

static struct fb_tree *new_tree(struct fb_sources *sources) {
    struct fb_arena *arena = fb_arena_new();
    struct fb_tree *tree = FB_ARENA_NEW(arena, struct fb_tree);
    tree->arena = arena;
    tree->sources = sources;
    return tree;
}

struct fb_tree *fb_parse_alone(struct fb_sources *sources, uint32_t file, struct fb_diags *diags) {
    struct fb_tree *tree = new_tree(sources);
    tree->files = FB_ARENA_NEW(tree->arena, struct fb_file *);
    tree->files[0] = parse_file(tree->arena, sources, file, false, diags);
    tree->n_files = 1;
    return tree;
}

struct fb_tree *fb_parse(struct fb_sources *sources, struct fb_diags *diags) {
    struct fb_tree *tree = new_tree(sources);
    struct fb_parser room = {.arena = tree->arena};
    /* The list grows while files are read that use others. */
    for (uint32_t i = 0; i < sources->n_files; i++) {
        struct fb_file *one = parse_file(tree->arena, sources, i, true, diags);
        *FB_P_PUSH(&room, tree->files, tree->n_files) = one;
    }
    return tree;
}

void fb_tree_free(struct fb_tree *tree) {
    if (tree != NULL) {
        fb_arena_free(tree->arena);
    }
}
