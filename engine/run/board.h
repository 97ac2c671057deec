/* How each partition of this process fares: written by the workers, read by the engine's thread.
 *
 * Place in the flow: run/worker and run/takeover post here; run/status tells it to the world. Short
 * copies behind a lock; a few a second. Thread-safe. */
#ifndef FB_RUN_BOARD_H
#define FB_RUN_BOARD_H

#include <stdbool.h>
#include <stdint.h>

enum fb_mode {
    FB_MODE_RESTORING,   /* its state is rebuilt */
    FB_MODE_CATCHING_UP, /* records are there that it has not taken */
    FB_MODE_NORMAL,
    FB_MODE_FROZEN,  /* an operator's kill is in force: what it concerns is not commanded */
    FB_MODE_DRAINED, /* all that was taken is in a snapshot, and nothing more is */
    FB_MODE_HALTED   /* its state cannot be had: nothing is read or put out */
};
const char *fb_mode_name(enum fb_mode mode);

struct fb_posting {
    int32_t partition;
    enum fb_mode mode;
    uint32_t permille;   /* restoring: how far */
    int64_t lag;         /* records; -1: not known */
    int64_t clock_us;    /* the task clock; FB_NO_TIME: none yet */
    int64_t snapshot_us; /* wall clock of the newest complete one; FB_NO_TIME: there is none */
    uint64_t seq;        /* of the last commit */
    uint64_t audit_seq;
    uint8_t audit_head[32];
    char rules[13];   /* the bundle's name; empty: not known */
    char detail[256]; /* why it is halted, or which rules are refused; empty: nothing to tell */
};

struct fb_board;

struct fb_board *fb_board_new(void);
void fb_board_free(struct fb_board *board);
/* Replaces what stood there of the partition. board NULL: nothing. */
void fb_board_post(struct fb_board *board, const struct fb_posting *posting);
/* What is to be told beside every partition that has no detail of its own; cut to its room. */
void fb_board_note(struct fb_board *board, const char *text);
/* The partition is not ours any more. */
void fb_board_remove(struct fb_board *board, int32_t partition);
/* Copies at most max of them, by ascending partition; returns how many there are. */
uint32_t fb_board_read(struct fb_board *board, struct fb_posting *postings, uint32_t max);

#endif
