#include "engine/model/program.h"

void fb_program_free(struct fb_program *program) {
    if (program)
        fb_arena_free(program->arena); /* the program itself lives in it too */
}

const struct fb_class *fb_program_class(const struct fb_program *program, struct fb_str name) {
    for (uint32_t i = 0; i < program->n_classes; i++)
        if (fb_str_eq(program->classes[i].name, name))
            return &program->classes[i];
    return NULL;
}
