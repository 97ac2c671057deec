/* Compiled code in the words of the rule language, with lets and params written out.
 *
 * Place in the flow: `flyball explain` names parts of conditions with it: what is delayed, latched,
 * averaged. For people: it may change with any version. */
#ifndef FB_RUN_CODE_WORDS_H
#define FB_RUN_CODE_WORDS_H

#include "engine/model/program.h"

/* Appends what register `reg` of the code holds: "level > 3 m and door == closed". */
void fb_code_words(const struct fb_class *class_, const struct fb_code *code, uint16_t reg,
                   struct fb_buf *out);
/* The instruction that writes it. */
const struct fb_instr *fb_code_of(const struct fb_class *class_, const struct fb_code *code,
                                  uint16_t reg);
/* How long the `for` of this instruction waits; false: that is no constant. */
bool fb_code_delay(const struct fb_class *class_, const struct fb_code *code,
                   const struct fb_instr *in, int64_t *us);
/* Appends "avg of level over 10s". */
void fb_window_words(const struct fb_class *class_, uint32_t window, uint8_t aggregate,
                     struct fb_buf *out);
/* Appends a value as the language writes it: "3.05 m", "open", "unknown". words: of an
 * enumeration, else NULL. */
void fb_value_words(enum fb_type type, struct fb_str unit, const struct fb_str *words,
                    const struct fb_value *value, struct fb_buf *out);

#endif
