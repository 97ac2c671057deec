/* Bugs that a test plants to see that it would find them.
 *
 * Place in the flow: at single places of core, codec and run, and of the simulator's clients; only
 * the simulator's own build of them (tests/sim) defines FB_PLANTED_BUGS, in every other the
 * condition is constantly false and leaves nothing behind. docs/faults.md has the table of them. */
#ifndef FB_BASE_PLANTED_H
#define FB_BASE_PLANTED_H

#include <stdbool.h>

/* X(name, what is wrong) */
#define FB_PLANTED_BUGS_X(X)                                                                       \
    X(OFFSETS_OUTSIDE, "positions are committed outside the transaction")                          \
    X(NO_FENCING, "a producer does not shut its predecessor out")                                  \
    X(READ_UNCOMMITTED, "open and aborted transactions are read")                                  \
    X(NO_GENERATION, "positions are sent without the member's generation")                         \
    X(UNSTABLE_POSITIONS, "pending positions are not waited for")                                  \
    X(DEAD_OUTSIDE, "dead letters are written outside the transaction")                            \
    X(SNAPSHOT_OUTSIDE, "pieces of snapshots are written outside the transaction")                 \
    X(DROP_ON_ABORT, "what was put is not put again after an abort")                               \
    X(RESEND_IN_DOUBT, "a commit that succeeded unseen is put again")                              \
    X(DOUBT_IS_COMMITTED, "a commit in doubt is taken for done")                                   \
    X(WAIT_IS_COMMITTED, "a commit under way is taken for done")                                   \
    X(WALL_CLOCK, "a clock that is not journalled moves the task's")                               \
    X(JOURNAL_ORDER, "a tick is journalled before the records that came first")                    \
    X(TICK_UNJOURNALLED, "ticks are not journalled")                                               \
    X(END_UNJOURNALLED, "what expires before a batch ends goes by a clock that is not journalled") \
    X(EXPIRED_CLAIMED, "a command that is withheld stays accepted in the state")                   \
    X(NO_BARRIER, "a touched device is written as it is later")                                    \
    X(SKIPS_TOUCHED, "a touched device is left out of the snapshot")                               \
    X(MANIFEST_FIRST, "the manifest comes before the last piece")                                  \
    X(MIXED_SLOTS, "pieces of an older snapshot in the slot are taken too")                        \
    X(INCOMPLETE_SNAPSHOT, "a snapshot counts when it is begun, and no manifest is asked for")     \
    X(NO_TAIL, "the journal behind the snapshot is not taken again")                               \
    X(TAIL_TWICE, "records of the journal are taken twice")                                        \
    X(RECORDS_LOST, "some records are left out when a state is rebuilt")                           \
    X(OUTPUTS_AGAIN, "outputs are put out again when a state is rebuilt")                          \
    X(WRONG_CLOCK, "the clock of a rebuilt task is the wall clock")                                \
    X(NO_TIMERS, "timers are not set again in a rebuilt state")                                    \
    X(GROUP_POSITION, "a rebuilt task reads on where the group says, not the journal")             \
    X(ANY_OWNER, "a commit of the same number by another owner is taken for one's own")            \
    X(KEPT_WHEN_OVERTAKEN, "a task goes on though others have had its partition")                  \
    X(AUDIT_HEAD, "the head of the audit chain is not restored")                                   \
    X(HIDDEN_COMMIT, "a last commit that the journal does not show yet is overlooked")             \
    X(CRUMB_KEPT, "a crumb is not taken away behind its record")                                   \
    X(NO_CRUMB, "no crumb is dropped before a record")                                             \
    X(CRASH_FORGOTTEN, "how often a record ended the process is not counted on")                   \
    X(ONCE_IS_POISON, "a record that ended the process once is put aside")                         \
    X(POISON_AS_TAKEN, "what is put aside is journalled as taken")                                 \
    X(DEPLOYED_FIRST, "of several deployments that are new the oldest is used")                    \
    X(RULES_OF_START, "what was deployed before the start is overlooked")                          \
    X(RULES_UNJOURNALLED, "a change of the rules is not journalled")                               \
    X(RULES_UNASKED, "rules of a journal that are not known yet are taken back")                   \
    X(DRAIN_EVERY_START, "an old call to drain is obeyed at each start")                           \
    X(DRAIN_TAKES, "records are taken while a process drains")                                     \
    X(DRAIN_TICKS, "the clock goes on while a process drains")                                     \
    X(DRAIN_EARLY, "a snapshot under way counts as drained")                                       \
    X(NO_RELATIONS, "what belongs together is not found again in a rebuilt state")                 \
    X(STALE_GROUPS, "what a group gave is kept when a member publishes another value")             \
    X(READERS_ASLEEP, "what reads another device waits for a timer or record of its own")          \
    X(FLEET_ACTS_LOST, "on which machines a rule with a fleet acted is not restored")              \
    X(FLEET_UNTOUCHED,                                                                             \
      "a breaker opens for machines that a snapshot under way has still to write")                 \
    X(FLEET_CLOSED, "the open breaker of a fleet is forgotten when the rules change")              \
    X(FLEET_FORGIVES, "the open breaker of a fleet closes by itself")                              \
    X(RATE_LOST, "what `at most n per d` has counted is not restored")                             \
    X(RATE_FORGOTTEN, "what `at most n per d` has counted is forgotten when the rules change")     \
    X(RATE_SHORT, "what a limit has counted holds back for half of its time only")                 \
    X(LIMIT_LOST, "what `commands at most n per d` has counted is not restored")                   \
    X(LIMIT_FORGOTTEN, "what `commands at most n per d` has counted is forgotten with the rules")  \
    X(POSITIONS_FIRST, "at least once: positions are committed before the outputs are there")      \
    X(POSITION_AHEAD, "at least once: a position is committed one record ahead")                   \
    X(EVERYTHING_AGAIN, "at least once: a task begins anew in front of what is committed")

#define FB_PLANTED_NAME(name, text) FB_BUG_##name,
enum fb_planted_bug { FB_NO_BUG, FB_PLANTED_BUGS_X(FB_PLANTED_NAME) FB_BUGS };

#ifdef FB_PLANTED_BUGS
extern enum fb_planted_bug fb_planted; /* set by tests/sim before each run */
#define FB_PLANTED(name) (fb_planted == FB_BUG_##name)
#else
#define FB_PLANTED(name) false
#endif

#endif
