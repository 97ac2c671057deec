/* Deletes old records of inputs and journals, as retention does.
 *
 * Place in the flow: a fault of tests/sim/world; what is deleted is out of the engines' reach, but
 * kept for the checks. */
#ifndef FB_SIM_RETENTION_H
#define FB_SIM_RETENTION_H

#include "tests/sim/world.h"

/* Never what the second newest snapshot of a partition needs. */
void sim_retain(struct sim_world *world);

#endif
