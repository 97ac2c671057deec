/* Source, sink and history over the modelled Kafka: what connectors/kafka_* are to the real one.
 *
 * Place in the flow: the worker under test calls them; they ask tests/sim/model, after sim_pass has
 * let time and troubles in. A killed process's calls fail and have no effect. */
#ifndef FB_SIM_CLIENT_H
#define FB_SIM_CLIENT_H

#include "connectors/connector.h"
#include "tests/sim/world.h"

/* "A-0": the static identity of a worker in the group, and its transactional.id. */
void sim_identity(const struct sim_process *process, uint32_t worker, char name[SIM_NAME_MAX]);

/* For struct fb_worker_config; context: the struct sim_process. */
struct fb_record_source *sim_open_source(void *context, uint32_t worker,
                                         const struct fb_record_source_events *events, void *owner,
                                         struct fb_err *err);
struct fb_sink *sim_open_sink(void *context, uint32_t worker, struct fb_err *err);
/* At least once. */
struct fb_sink *sim_open_plain_sink(void *context, uint32_t worker, struct fb_err *err);
struct fb_history *sim_open_history(void *context, uint32_t worker, struct fb_err *err);

/* Of a source that sim_open_source opened: its membership. */
uint64_t sim_source_member(const struct fb_record_source *source, uint32_t *generation);

#endif
