/* What the parts of the formatter share: the text of statements and clauses, not yet on lines.
 *
 * Place in the flow: format_text.c writes it, format.c lays it out. Appended texts hold
 * FB_FORMAT_BREAK and FB_FORMAT_INNER_BREAK where a line may be broken. */
#ifndef FB_RULES_FORMAT_INTERNAL_H
#define FB_RULES_FORMAT_INTERNAL_H

#include "rules/ast.h"
#include "rules/lex.h"

/* Within a text: what follows stands in one column with that of its neighbours. */
#define FB_FORMAT_ALIGN '\x02'

/* A file as it was written, where texts are looked up in their spelling. */
struct fb_written {
    const struct fb_sources *sources;
    struct fb_str source;
    const struct fb_tokens *tokens;
};

/* A statement up to its block, or the whole of one without. */
void fb_format_head(const struct fb_written *w, const struct fb_item *item, struct fb_buf *out);

void fb_format_class_item(const struct fb_written *w, const struct fb_class_decl *decl,
                          const struct fb_class_item *item, struct fb_buf *out);
/* Of a clause that stands twice, for `on` and `off` or `up` and `down`: the second half. */
bool fb_format_is_second_half(const struct fb_actuator_decl *decl,
                              const struct fb_actuator_item *item);
void fb_format_actuator_item(const struct fb_written *w, const struct fb_actuator_decl *decl,
                             const struct fb_actuator_item *item, struct fb_buf *out);
void fb_format_rule_item(const struct fb_written *w, const struct fb_rule_decl *rule,
                         const struct fb_rule_item *item, struct fb_buf *out);
void fb_format_state_item(const struct fb_written *w, const struct fb_rule_decl *rule,
                          const struct fb_state_decl *state, const struct fb_state_item *item,
                          struct fb_buf *out);
void fb_format_step(const struct fb_written *w, const struct fb_test_step *step,
                    struct fb_buf *out);

#endif
