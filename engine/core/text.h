/* Text values of devices: slots of a few sizes, so that a cell holds 8 bytes.
 *
 * Place in the flow: field cells and `previous` of texts. One store a task; grows in large steps as
 * devices do, never per event once the devices are known. */
#ifndef FB_CORE_TEXT_H
#define FB_CORE_TEXT_H

#include "engine/base/str.h"

#include <stdint.h>

struct fb_texts;

struct fb_texts *fb_texts_new(void);
void fb_texts_free(struct fb_texts *texts);
/* Replaces the text behind a handle (0: none yet) and returns the new handle. At most
 * FB_TEXT_BYTES_MAX bytes. */
uint64_t fb_texts_set(struct fb_texts *texts, uint64_t handle, struct fb_str text);
/* Gives the slot of a handle (0: none) to others. */
void fb_texts_release(struct fb_texts *texts, uint64_t handle);
/* The view lives until the next call of fb_texts_set for this handle. */
struct fb_str fb_texts_get(const struct fb_texts *texts, uint64_t handle);

#endif
