/* A device's state as bytes, the same wherever it lies in memory: its image.
 *
 * Place in the flow: core/snapshot writes and reads images of devices. Pure functions of the device
 * and the texts.
 *
 * The image: class name and id (16-bit lengths before them), watermark, clock, floor, deadlines,
 * then the cells in the order of the block without padding; texts (a length byte before them) stand
 * in place of handles, windows as they lie in the block; where the device is in maintenance, the
 * end of that. All numbers little-endian. */
#ifndef FB_CORE_IMAGE_H
#define FB_CORE_IMAGE_H

#include "engine/base/err.h"
#include "engine/core/device.h"

struct fb_texts;

/* An upper bound for the images of a class's devices. */
size_t fb_image_bytes_max(const struct fb_class *class_);

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
