/* An application over the meters of tests/kafka/compare.h, its instances as processes of their
 * own, and what must hold of its outputs whatever was done to them.
 *
 * Place in the flow: tests only, for those of exactly once; above program.h, watch.h, compare.h.
 * What differs or does not come within two minutes fails the cmocka test that runs. */
#ifndef FB_TESTS_KAFKA_APP_H
#define FB_TESTS_KAFKA_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/kafka/program.h"

enum {
    FB_APP_PARTITIONS = 4,
    FB_APP_FETCHED = 200 /* records of a partition a second while there is trouble */
};

struct fb_watch;

struct fb_app {
    const char *address, *folder; /* of the broker; for files: both outlive the application */
    char input[64], name[64];
    int n_events;
    const char *pace;   /* of snapshots; settings */
    const char *poison; /* the dead letter of the record that ends the process; NULL: none does */
    struct fb_watch *watch;
};

/* For `pace`; the first is that of a new application. */
extern const char *const fb_app_often;
extern const char *const fb_app_seldom;

/* Zeros before its first start. */
struct fb_instance {
    const struct fb_app *app;
    char id[16], owner[96];
    const char *address; /* by which it comes to the broker; NULL: the application's */
    unsigned starts;
    int64_t started_ms;
    struct fb_program_run run;
};

void fb_pause_ms(int ms);

/* Makes rules and an input that is whole before anything reads it, so that the clock does not
 * depend on when what is read; watches its group. */
void fb_app_make(struct fb_app *app, const char *address, const char *folder, int n_events);
void fb_app_topic(const struct fb_app *app, const char *stream, char topic[static 96]);
void fb_app_path(const struct fb_app *app, const char *name, char path[static 256]);
/* Until the group has got so far. */
void fb_app_await_total(const struct fb_app *app, int64_t total);
/* Until all is taken and the last outputs are there: those of timers, after the last record. */
void fb_app_await_end(const struct fb_app *app);
/* After fb_app_await_end and the end of all instances: every committed output is what `replay`
 * makes of the same events, each once, the audit trail verifies, and no position ever went back.
 * Ends the watch too. */
void fb_app_expect_exact(struct fb_app *app);

/* Starts or starts again. It gets `fetched` records of a partition a second, for the broker is
 * asked to wait for more than one answer may hold: that makes the work last. 0: as fast as it
 * goes. */
void fb_instance_start(struct fb_instance *instance, const struct fb_app *app, const char *id,
                       int workers, int fetched);
/* After the trouble, of which there was some until now: each ends in order and is started again
 * with so many workers, for the rest at full speed; ends them after fb_app_await_end. */
void fb_app_finish(const struct fb_app *app, struct fb_instance *instances, int n, int workers);
/* Ends it, and expects status 0 where the signal is not SIGKILL. */
void fb_instance_end(struct fb_instance *instance, int signal);
/* How often its log holds a text, since it was started. */
unsigned fb_instance_said(const struct fb_instance *instance, const char *text);
void fb_instance_await_said(const struct fb_instance *instance, const char *text, unsigned times);
/* Until it has committed since it was started; how long that took. -1: nothing is left to do. */
int64_t fb_instance_await_commit(const struct fb_instance *instance);

#endif
