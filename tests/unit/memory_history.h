/* What a task leaves behind, in memory: its topics and its input, to be read again.
 *
 * Place in the flow: for unit tests of what rebuilds a task or executes it again; a test may change
 * the records before. One partition; its owner is the test, which frees it: nobody closes it. */
#ifndef FB_TESTS_UNIT_MEMORY_HISTORY_H
#define FB_TESTS_UNIT_MEMORY_HISTORY_H

#include "connectors/connector.h"
#include "engine/codec/encode.h"
#include "engine/run/batch.h"
#include "engine/run/task.h"

/* FB_MEMORY_ALSO: commands that name the topic "also". */
enum { FB_MEMORY_INPUT = FB_STREAM_STATUS, FB_MEMORY_ALSO, FB_MEMORY_LOGS };

struct fb_memory_record {
    struct fb_buf key, value;
    bool keyed;
    int64_t stamp_us;
    struct fb_buf headers[FB_BATCH_HEADERS_MAX][2]; /* name and value */
    uint32_t n_headers;
};

struct fb_memory_log {
    const char *name; /* of the topic: "alerts", "journal"; "in" */
    struct fb_memory_record *records;
    size_t n, cap;
    int64_t first; /* records before it count as deleted */
};

struct fb_memory_history {
    struct fb_history base;
    struct fb_memory_log logs[FB_MEMORY_LOGS]; /* by stream, then the two others */
};

struct fb_memory_history *fb_memory_history_new(void);
void fb_memory_history_free(struct fb_memory_history *memory);

/* Valid until the next one. */
struct fb_memory_record *fb_memory_append(struct fb_memory_log *log, struct fb_str key,
                                          struct fb_str value, int64_t stamp_us);
void fb_memory_leave_out(struct fb_memory_log *log, size_t at);
/* "" rather than NULL where it is empty. */
struct fb_str fb_memory_view(const struct fb_buf *buf);

/* Puts a record into the input and gives it to the task. */
void fb_memory_take(struct fb_memory_history *memory, struct fb_task *task, struct fb_str value,
                    int64_t stamp_us, int64_t wall_us);
/* Seals the task and keeps all that it puts out. */
void fb_memory_commit(struct fb_memory_history *memory, struct fb_task *task, int64_t wall_us);

#endif
