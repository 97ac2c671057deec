/* Where a piece of a class's code stands.
 *
 * Place in the flow: part of the compiled program (model/program.h), which is the manual of the
 * instruction set. */
#ifndef FB_MODEL_CODE_H
#define FB_MODEL_CODE_H

#include <stdint.h>

/* A piece of the class's code; its value is in register `result`. */
struct fb_code {
    uint32_t first, count;
    uint16_t result;
    uint16_t registers; /* how many it uses */
};

#endif
