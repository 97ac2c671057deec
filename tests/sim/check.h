/* What has to hold after a run, whatever went wrong in it.
 *
 * Place in the flow: tests/sim/run calls it when all has been drained. */
#ifndef FB_SIM_CHECK_H
#define FB_SIM_CHECK_H

#include "tests/sim/run.h"

/* Takes the journal of every partition again, record by record, with a fresh task and compares what
 * was committed with it; notes the first difference in the world. */
void sim_check(struct sim_world *world, struct sim_result *result);

#endif
