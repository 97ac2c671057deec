/* What the parts of the model share.
 *
 * Place in the flow: included by tests/sim/model_*.c only. */
#ifndef FB_SIM_MODEL_INSIDE_H
#define FB_SIM_MODEL_INSIDE_H

#include "tests/sim/model.h"

/* At the end of a log; its state is the caller's to set. */
struct sim_record *sim_log_add(struct sim_kafka *kafka, int topic, int32_t partition,
                               const struct fb_outgoing *from);
/* Markers that are due, and transactions that have lasted too long. */
void sim_transactions_at(struct sim_kafka *kafka);
/* Sessions, rebalances, expiry. */
void sim_group_at(struct sim_kafka *kafka);
/* SIM_OK: this member of this generation may commit. */
enum sim_code sim_may_commit(const struct sim_kafka *kafka, uint64_t member, uint32_t generation);
void sim_offset_takes_effect(struct sim_kafka *kafka, const struct sim_offset *offset);

#endif
