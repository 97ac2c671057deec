/* A device's state as bytes, the same wherever it lies in memory: its image.
 *
 * Place in the flow: core/snapshot writes and reads images of devices; core/plan prepares a class's
 * parts. Pure functions of the device and the texts.
 *
 * The image: class name and id (16-bit lengths before them), watermark, clock, floor, deadlines,
 * then the cells in the order of the block without padding; texts (a length byte before them) stand
 * in place of handles, windows as they lie in the block. All numbers little-endian. */
#ifndef FB_CORE_IMAGE_H
#define FB_CORE_IMAGE_H

#include "engine/base/err.h"
#include "engine/core/device.h"

struct fb_texts;

/* What the block of a class is made of, in the order of the offsets. */
enum fb_part_kind {
    FB_CELL_FIELD,
    FB_CELL_WINDOW,
    FB_CELL_FOR,
    FB_CELL_UNTIL,
    FB_CELL_ELAPSED,
    FB_CELL_CONDITION,
    FB_CELL_RULE
};
struct fb_part {
    enum fb_part_kind kind;
    uint32_t index;  /* of the field, window; of the condition; of the rule in the program */
    uint32_t offset; /* in the block */
    uint32_t words;  /* how many a word of an enumeration is chosen from; 0: it is none */
};

/* Sets parts, n_parts and image_bytes_max of the plan; its other members are there. */
void fb_image_plan(struct fb_class_plan *plan, const struct fb_program *program);

/* Appends the image of a device. */
void fb_image_write(const struct fb_device *device, const struct fb_texts *texts,
                    struct fb_buf *out);

/* The head of an image, from outside: class name and id; the rest is what fb_image_read takes.
 * False: there is none. */
struct fb_image {
    struct fb_str class_name, id, rest;
};
bool fb_image_open(struct fb_str bytes, struct fb_image *image);
/* Makes a fresh device that of an image, derived values but for timers included. NULL: done; else
 * what is wrong with the bytes, and the device may be of no use. */
const char *fb_image_read(struct fb_device *device, struct fb_texts *texts, struct fb_str rest);

#endif
