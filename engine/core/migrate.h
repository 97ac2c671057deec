/* From one program to another: what becomes of each cell of a device, and the change itself.
 *
 * Place in the flow: run makes a migration when new rules come, `flyball plan` prints it, the task
 * changes its core between two records, at a place that its journal names.
 *
 * A class is the same as one of that name with the same keys; its devices stay. Cells are found
 * again by their hash, then by their likeness (model/program.h). engine/ARCHITECTURE.md, "Reload",
 * says what that means for rules. */
#ifndef FB_CORE_MIGRATE_H
#define FB_CORE_MIGRATE_H

#include "engine/core/core.h"

enum fb_fate {
    FB_FATE_KEEP,    /* as it is */
    FB_FATE_MIGRATE, /* its content goes into a cell of another form */
    FB_FATE_RESET,   /* it begins anew */
    FB_FATE_NEW,     /* there was none */
    FB_FATE_REMOVE,  /* there is none any more */
    FB_FATES
};
const char *fb_fate_name(enum fb_fate fate);

#define FB_NONE UINT32_MAX

struct fb_cell_move {
    enum fb_fate fate;
    uint32_t from, to; /* indices in the classes' cells; FB_NONE */
    const char *why;   /* for people, static; NULL: nothing of it changed */
};

struct fb_class_change {
    uint32_t from, to; /* classes; to FB_NONE: its devices are forgotten; from FB_NONE: new */
    const char *why;   /* they are forgotten */
    struct fb_cell_move *moves; /* one for each new cell, in its place; then the removed ones */
    uint32_t n_moves;
    uint32_t *condition_from; /* of each new condition: the old one that it goes on from; FB_NONE */
    uint32_t *rule_from;      /* of each new rule of the class: the old program's; FB_NONE */
    bool *condition_due;      /* of each new condition: it is evaluated at the change */
};

struct fb_migration {
    const struct fb_program *from, *to;
    struct fb_class_change *classes; /* the old ones in their order, then the new ones */
    uint32_t n_classes;
    uint32_t cells[FB_FATES]; /* of classes that stay */
    uint32_t forgotten;       /* classes */
};

/* The programs must outlive it. */
struct fb_migration *fb_migration_new(const struct fb_program *from, const struct fb_program *to);
void fb_migration_free(struct fb_migration *migration);
/* `commands at most`, of all rules together: KEEP (also: there is none before and after), MIGRATE
 * (other numbers: what it counted goes along), NEW or REMOVE. */
enum fb_fate fb_migration_of_limit(const struct fb_migration *migration);
/* Neither a cell is reset nor a class forgotten. */
bool fb_migration_keeps_all(const struct fb_migration *migration);

/* Changes the program of a core, which must be migration->from; no snapshot may be open. Active
 * alarms of rules and devices that are gone end with `removed`, in the order of the device ids,
 * then of the classes and rules. They are outputs of the old program, given to the sink before the
 * call returns: it must still be the one that encodes by the old program. What else changes is
 * evaluated by timers that are due now, and fire when the clock moves on. The old program may be
 * freed afterwards. change.c */
void fb_core_change_program(struct fb_core *core, const struct fb_migration *migration);

#endif
