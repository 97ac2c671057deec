/* The checker: orders the work of its parts.
 *
 * Place in the flow: parse -> check -> lower. */
#include "rules/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/check_internal.h"

enum { SOURCE_TEXT_MAX = 48 };

/* ---- words for messages --------------------------------------------------------------------- */

const char *fb_check_print(struct fb_checker *ck, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fb_str_copy(ck->arena, fb_str_of(text)).p;
}

/* On one line, blanks joined; a long one is cut at a character. */
const char *fb_check_source(struct fb_checker *ck, const struct fb_node *node) {
    const struct fb_str text = ck->tree->sources->files[node->span.file].text;
    char out[SOURCE_TEXT_MAX + 8];
    size_t n = 0;
    bool blank = false, cut = false;
    for (uint32_t i = node->span.start; i < node->span.end && i < text.n; i++) {
        char c = text.p[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            blank = n > 0;
            continue;
        }
        if (n + 2 > SOURCE_TEXT_MAX && (c & 0xc0) != 0x80) {
            cut = true;
            break;
        }
        if (blank)
            out[n++] = ' ';
        blank = false;
        out[n++] = c;
        if (n > SOURCE_TEXT_MAX + 3)
            break;
    }
    return fb_check_print(ck, "%.*s%s", (int)n, out, cut ? ".." : "");
}

const char *fb_check_suggest(struct fb_checker *ck, struct fb_str wanted,
                             const struct fb_str *candidates, uint32_t n) {
    struct fb_str near = fb_str_nearest(wanted, candidates, n);
    return near.n ? fb_check_print(ck, "did you mean `%.*s`?", FB_ARG(near)) : NULL;
}

/* ---- order ---------------------------------------------------------------------------------- */

static void make_scopes(struct fb_checker *ck) {
    struct fb_checked *out = ck->out;
    ck->class_scopes = FB_ARENA_ARRAY(ck->arena, struct fb_scope, out->n_classes + 1);
    for (uint32_t i = 0; i < out->n_classes; i++) {
        const struct fb_checked_class *class = &out->classes[i];
        struct fb_scope *scope = &ck->class_scopes[i];
        *scope = (struct fb_scope){.n_lets = class->n_lets, .class_decl = class->decl};
        scope->lets = FB_ARENA_ARRAY(ck->arena, struct fb_definition, class->n_lets + 1);
        for (uint32_t k = 0; k < class->n_lets; k++)
            scope->lets[k].let = class->lets[k];
        scope->actuators = FB_ARENA_ARRAY(ck->arena, const struct fb_actuator_decl *,
                                          out->n_actuators + 1);
        for (uint32_t k = 0; k < out->n_actuators; k++)
            if (out->actuators[k].class_index == i)
                scope->actuators[scope->n_actuators++] = out->actuators[k].decl;
        scope->modes = FB_ARENA_ARRAY(ck->arena, const struct fb_rule_decl *, out->n_rules + 1);
        for (uint32_t k = 0; k < out->n_rules; k++)
            if (out->rules[k].class_index == i && out->rules[k].decl->kind == FB_RULE_MODE)
                scope->modes[scope->n_modes++] = out->rules[k].decl;
    }
    ck->param_definitions = FB_ARENA_ARRAY(ck->arena, struct fb_definition, out->n_params + 1);
    for (uint32_t i = 0; i < out->n_params; i++)
        ck->param_definitions[i] = (struct fb_definition){
            .param = out->params[i],
            .progress = out->params[i]->broken ? FB_DONE : FB_NOT_CHECKED,
        };
}

static void check_params(struct fb_checker *ck) {
    for (uint32_t i = 0; i < ck->out->n_params; i++) {
        struct fb_param_decl *param = ck->out->params[i];
        if (param->class_name.n && !param->broken)
            fb_check_class_index(ck, param->class_name, param->class_span);
        fb_check_define(ck, &ck->param_definitions[i], NULL, param->name_span);
    }
}

bool fb_check(struct fb_tree *tree, struct fb_units *units, struct fb_diags *diags,
              struct fb_checked *out) {
    uint32_t errors = diags->errors;
    *out = (struct fb_checked){.tree = tree, .units = units};
    struct fb_checker ck = {.tree = tree,
                            .units = units,
                            .diags = diags,
                            .arena = tree->arena,
                            .out = out,
                            .classes = fb_map_new(),
                            .params = fb_map_new(),
                            .rules = fb_map_new(),
                            .actuators = fb_map_new()};
    fb_check_collect(&ck);
    make_scopes(&ck);
    for (uint32_t i = 0; i < out->n_classes; i++)
        fb_check_field_types(&ck, out->classes[i].decl);
    for (uint32_t i = 0; i < out->n_classes; i++)
        fb_check_links(&ck, i);
    for (uint32_t i = 0; i < out->n_actuators; i++)
        fb_check_actuator_type(&ck, out->actuators[i].decl);
    check_params(&ck);
    for (uint32_t i = 0; i < out->n_classes; i++)
        fb_check_class(&ck, i);
    for (uint32_t i = 0; i < out->n_actuators; i++)
        fb_check_actuator(&ck, i);
    for (uint32_t i = 0; i < out->n_rules; i++)
        fb_check_rule(&ck, i);
    if (out->limit) {
        struct fb_facts facts = {0};
        ck.facts = &facts;
        fb_check_limit(&ck, out->limit->at_most, FB_ALL_RATE_MAX, out->limit->per,
                       out->limit->span);
    }
    fb_check_acting(&ck);
    if (diags->errors == 0)
        fb_check_published(&ck);
    for (uint32_t i = 0; i < out->n_tests; i++)
        fb_check_test(&ck, i);
    fb_map_free(ck.classes);
    fb_map_free(ck.params);
    fb_map_free(ck.rules);
    fb_map_free(ck.actuators);
    free(ck.path);
    return diags->errors == errors;
}
