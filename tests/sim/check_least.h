/* What has to hold after a run at least once.
 *
 * Place in the flow: tests/sim/run calls it in the place of tests/sim/check when all has been
 * taken. */
#ifndef FB_SIM_CHECK_LEAST_H
#define FB_SIM_CHECK_LEAST_H

#include "tests/sim/run.h"

/* Counts what must come of single records, whatever state was lost: dead letters, and events that
 * nothing but their record is behind. Nothing may be lost, and a repeat needs a record that was
 * read again. Notes the first difference in the world. */
void sim_check_least(struct sim_world *world, struct sim_result *result);

#endif
