/* How often rules acted, by what the audit says: a judgement of its own, not by the engine's code.
 *
 * Place in the flow: tests/sim/check calls it for each partition. What changes rules, restores and
 * takes over must not lose what a limit has counted, and a journal that is taken again by the same
 * code would lose it in the same way. */
#ifndef FB_SIM_CHECK_LIMITS_H
#define FB_SIM_CHECK_LIMITS_H

#include "tests/sim/run.h"

/* Notes in the world the first command of the partition beyond `at most n per d` or `commands at
 * most n per d` of the rules then in force, or on a machine for which the breaker of its rule's
 * `fleet` is open (rules/MEANING.md, A90 to A103). */
void sim_check_limits(struct sim_world *world, int32_t partition, struct sim_result *result);

#endif
