/* How each partition of this process fares. */
#include "engine/run/board.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

struct fb_board {
    pthread_mutex_t lock;
    struct fb_posting *items; /* by partition */
    uint32_t n, cap;
    char note[sizeof((struct fb_posting *)0)->detail];
};

const char *fb_mode_name(enum fb_mode mode) {
    static const char *const names[] = {"restoring", "catching_up", "normal",
                                        "frozen",    "drained",     "halted"};
    return names[mode];
}

struct fb_board *fb_board_new(void) {
    struct fb_board *board = fb_alloc(sizeof *board);
    FB_ASSERT(pthread_mutex_init(&board->lock, NULL) == 0);
    return board;
}

void fb_board_free(struct fb_board *board) {
    if (!board)
        return;
    free(board->items);
    pthread_mutex_destroy(&board->lock);
    free(board);
}

/* Where the partition stands, or belongs. */
static uint32_t place_of(const struct fb_board *board, int32_t partition) {
    uint32_t i = 0;
    while (i < board->n && board->items[i].partition < partition)
        i++;
    return i;
}

static bool is_there(const struct fb_board *board, uint32_t i, int32_t partition) {
    return i < board->n && board->items[i].partition == partition;
}

void fb_board_post(struct fb_board *board, const struct fb_posting *posting) {
    if (!board)
        return;
    pthread_mutex_lock(&board->lock);
    uint32_t i = place_of(board, posting->partition);
    if (!is_there(board, i, posting->partition)) {
        FB_PUSH_ROOM(board->items, board->n, board->cap);
        memmove(&board->items[i + 1], &board->items[i], (board->n - i) * sizeof *board->items);
        board->n++;
    }
    board->items[i] = *posting;
    pthread_mutex_unlock(&board->lock);
}

void fb_board_remove(struct fb_board *board, int32_t partition) {
    if (!board)
        return;
    pthread_mutex_lock(&board->lock);
    uint32_t i = place_of(board, partition);
    if (is_there(board, i, partition)) {
        board->n--;
        memmove(&board->items[i], &board->items[i + 1], (board->n - i) * sizeof *board->items);
    }
    pthread_mutex_unlock(&board->lock);
}

void fb_board_note(struct fb_board *board, const char *text) {
    if (!board)
        return;
    size_t n = strlen(text);
    if (n >= sizeof board->note)
        for (n = sizeof board->note - 1; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
            continue; /* no half of a character */
    pthread_mutex_lock(&board->lock);
    memcpy(board->note, text, n);
    board->note[n] = '\0';
    pthread_mutex_unlock(&board->lock);
}

uint32_t fb_board_read(struct fb_board *board, struct fb_posting *postings, uint32_t max) {
    pthread_mutex_lock(&board->lock);
    uint32_t n = board->n;
    memcpy(postings, board->items, (n < max ? n : max) * sizeof *postings);
    for (uint32_t i = 0; i < n && i < max; i++)
        if (!postings[i].detail[0])
            memcpy(postings[i].detail, board->note, sizeof board->note);
    pthread_mutex_unlock(&board->lock);
    return n;
}
