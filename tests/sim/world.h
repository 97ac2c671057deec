/* The world of one seed: virtual time, processes that are stepped in one thread, and their
 * troubles.
 *
 * Place in the flow: tests/sim/run sets it up and lets it turn; every call of tests/sim/client
 * passes through sim_pass, where the seed decides who goes on, how much time goes by and what goes
 * wrong. Each worker of a process is a coroutine of its own; nothing runs at the same time. */
#ifndef FB_SIM_WORLD_H
#define FB_SIM_WORLD_H

#include "tests/sim/model.h"

#include <stdatomic.h>
#include <ucontext.h>

enum { SIM_RULES = 3 /* variants */ };
enum {
    SIM_PROCESSES_MAX = SIM_DEATHS_OF,
    SIM_WORKERS_MAX = 2,
    SIM_TRACE_LINES = 60,
    SIM_DEVICES_MAX = 32
};
/* Of a process: its workers, and what starts and watches them. */
enum { SIM_MAIN = SIM_WORKERS_MAX, SIM_ACTORS };

/* What a seed decides before the start. */
struct sim_plan {
    uint64_t seed;
    int processes, workers, partitions, topics;
    bool stored;  /* all input is there before the start, from one topic, hours old */
    bool reloads; /* rules are deployed now and then */
    bool drains;  /* at the end the processes are asked to drain, not told to stop */
    bool markers; /* the devices' producer uses transactions, too */
    bool least;   /* at least once: no journal, no transactions */
    int lethal;   /* so many records end each process that looks at them */
    int events, devices;
    uint32_t piece_bytes; /* of snapshots */
    int64_t step_us;      /* from one event to the next, about */
    int64_t look_us; /* from one look into the rules topic to the next, while there are faults */
    int faults;
    uint32_t fault_gap; /* passes between two faults, at most */
    int64_t commit_us, snapshot_least_us, snapshot_most_us;
    int64_t transaction_us;
    struct sim_kafka_config kafka;
};

/* Where an actor is when it yields. */
enum sim_point {
    SIM_AT_POLL,
    SIM_AT_PUT,
    SIM_AT_FLUSH,
    SIM_AT_OFFSETS,
    SIM_AT_END,   /* before a transaction is ended */
    SIM_AT_ENDED, /* behind that, before the answer */
    SIM_AT_REBALANCE,
    SIM_AT_OPEN,
    SIM_AT_READ, /* of history */
    SIM_POINTS
};

/* What the fault at a point is, for the one that passes it. */
enum sim_trouble {
    SIM_NO_TROUBLE,
    SIM_ABORTABLE,    /* the transaction can only be aborted */
    SIM_UNKNOWN_DONE, /* it takes effect and nobody says so */
    SIM_UNKNOWN_NOT,
    SIM_UNKNOWN_LATE, /* it takes effect later, if nobody has shut the producer out by then */
    SIM_UNANSWERED,   /* it takes effect, and the client asks again */
    SIM_FULL
};

struct sim_world;
struct sim_process;
struct fb_bundle;

struct sim_actor {
    struct sim_world *world;
    struct sim_process *process;
    uint32_t worker;
    ucontext_t context;
    char *stack;
    void (*run)(struct sim_actor *self);
    bool used, finished;
    int64_t wake_us;
    uint64_t member; /* of the group, while it has a consumer; 0: none */
    uint64_t calls_after_death;
};

struct sim_process {
    struct sim_world *world;
    char name[8];
    bool running;              /* some of its actors are not finished */
    bool dead;                 /* it was killed: its calls reach nobody */
    bool wanted;               /* it is to be running when the faults have stopped */
    int64_t start_us;          /* when it starts next; -1: not planned */
    int64_t paused_us, cut_us; /* until then */
    int64_t wall_offset_us;
    int rules; /* the variant that it is started with */
    atomic_bool stop;
    atomic_int drain; /* enum fb_drain */
    struct sim_actor actors[SIM_ACTORS];
    void *life;            /* what engine.c keeps for a running one */
    char *crumbs_at_death; /* as the file was when it was killed; NULL: it was not */
    size_t crumbs_bytes;
};

/* A request that is on its way. */
struct sim_late_end {
    struct sim_handle handle;
    uint32_t txn;
    int64_t at_us;
};

struct sim_world {
    struct sim_plan plan;
    struct fb_random random;
    struct sim_kafka *kafka;
    int64_t now_us;
    ucontext_t scheduler;
    struct sim_process processes[SIM_PROCESSES_MAX];
    int64_t outage_us; /* the broker is away until then */
    bool was_out;
    struct sim_late_end late[8];
    int n_late;
    int rules;                         /* the variant that was deployed last; 0 at the start */
    int *deployments; /* all variants that were ever to be in force, in order: 0, those deployed */
    size_t n_deployments, deployments_cap;
    struct fb_bundle *const *variants; /* of the rules */
    struct fb_bundle *least;           /* of at least once */
    struct fb_bundle *foreign;         /* reads other topics than the processes do */
    bool rules_changed;
    int64_t slow_us; /* history is read slowly until then */
    int faults_left;
    int64_t credit;        /* passes until the next fault */
    enum sim_point wanted; /* where it is to happen; after a long wait anywhere */
    int faults_done[16];
    int lethal_left; /* to be sent yet */
    bool quiet;      /* the faults are over */
    bool drained;    /* the processes have ended because they were asked to drain .. */
    int64_t drained_at[SIM_TOPICS_MAX][SIM_PARTITIONS_MAX]; /* .. when the logs ended here */
    uint32_t poison;                                        /* records of the input that are none */
    uint32_t put_aside;                 /* of the others: they ended a process twice by chance */
    uint32_t events;                    /* that were sent */
    int64_t newest_ms[SIM_DEVICES_MAX]; /* of each device's, future ones left out */
    char trace[SIM_TRACE_LINES][192];
    uint64_t trace_n, trace_hash;
    void *trace_file;      /* FILE, or NULL */
    const char *violation; /* the first one; NULL: none */
    char violation_text[1024];
};

void sim_world_init(struct sim_world *world, const struct sim_plan *plan);
void sim_world_free(struct sim_world *world);

/* A line of the trace; also part of its hash. */
void sim_trace(struct sim_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Notes a violated invariant ("I4"); the first one counts. */
void sim_violated(struct sim_world *world, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The actor gives way for least_us to most_us; a fault may happen meanwhile. */
enum sim_trouble sim_pass(struct sim_actor *self, enum sim_point point, int64_t least_us,
                          int64_t most_us);
/* Without a fault of its own. */
void sim_sleep(struct sim_actor *self, int64_t us);
bool sim_dead(const struct sim_actor *self);
bool sim_reachable(const struct sim_actor *self);
/* The actor looks into a record while its crumb says so: the process may end in the middle of it.
 * `dies`: it does. */
void sim_look_into(struct sim_actor *self, struct sim_record *record, bool dies);
int64_t sim_wall_us(const struct sim_actor *self);

/* The end of the handle's present transaction is asked for later. */
void sim_end_late(struct sim_world *world, struct sim_handle handle);

/* Makes an actor ready to run `run`. */
void sim_actor_start(struct sim_actor *actor, void (*run)(struct sim_actor *self));
/* One turn: time goes on to the next thing that happens, at most to until_us. False: nothing but
 * until_us is left. */
bool sim_turn(struct sim_world *world, int64_t until_us);
/* Kills a process; its actors find out by themselves. */
void sim_kill(struct sim_world *world, struct sim_process *process);
/* All troubles end. */
void sim_calm(struct sim_world *world);

#endif
