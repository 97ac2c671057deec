/* The receiver of docs/receiver.py as a process of its own, fed from a topic of commands as a
 * reader with read_committed would feed it.
 *
 * Place in the flow: tests only. What fails here fails the cmocka test that runs. */
#ifndef FB_TESTS_KAFKA_RECEIVER_H
#define FB_TESTS_KAFKA_RECEIVER_H

#include <stdint.h>
#include <sys/types.h>

enum { FB_RECEIVER_PARTITIONS = 16 };

struct fb_receiver {
    const char *address, *topic; /* outlive it */
    char log[256];               /* what it says; said again by a later one */
    pid_t pid;
    int to;                               /* its standard input */
    int64_t next[FB_RECEIVER_PARTITIONS]; /* offsets that it has not got yet */
};

/* state: the file that it keeps over restarts. It begins with the first record of the topic. */
void fb_receiver_start(struct fb_receiver *receiver, const char *log, const char *state,
                       const char *fail_safe);
/* Gives it what is committed and it has not got yet. */
void fb_receiver_feed(struct fb_receiver *receiver);
/* How many of its lines begin so. */
unsigned fb_receiver_said(const struct fb_receiver *receiver, const char *beginning);
/* Its lines, the caller's to free. */
char *fb_receiver_lines(const struct fb_receiver *receiver);
/* Nothing comes any more: it ends by itself when the last lease is over. */
void fb_receiver_end(struct fb_receiver *receiver);
void fb_receiver_kill(struct fb_receiver *receiver);

#endif
