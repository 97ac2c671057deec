/* The table of planted bugs.
 *
 * Place in the flow: the command `sim_planted --bugs`, the only build in which there are any. */
#ifndef FB_SIM_PLANTED_H
#define FB_SIM_PLANTED_H

#include "tests/sim/run.h"

/* Prints a row a bug: the first of so many seeds that shows it. only: this one; 0: all. False: one
 * was missed. */
bool sim_table_of_bugs(const struct sim_bundles *bundles, unsigned long long seeds, int only);

#endif
