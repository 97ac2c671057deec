/* The reader of the control topic.
 *
 * Place in the flow: see control.h. */
#include "engine/run/control.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/base/log.h"

enum {
    SLICE_US = 50000,
    SLICES = 5,      /* between two looks */
    SLICES_IDLE = 10 /* the same while there was no call */
};

struct item {
    int64_t offset;
    struct fb_buf bytes;
};

struct fb_control {
    struct fb_control_config config;
    pthread_mutex_t lock;
    struct item *items; /* by ascending offset */
    size_t n, cap;
    int64_t next; /* of the thread: offset that reading goes on from */
    bool trouble_told;
    pthread_t thread;
    bool running;
};

static void keep(struct fb_control *control, const struct fb_record *record) {
    struct item item = {.offset = record->offset};
    fb_buf_str(&item.bytes, record->value);
    pthread_mutex_lock(&control->lock);
    FB_PUSH_ROOM(control->items, control->n, control->cap);
    control->items[control->n++] = item;
    pthread_mutex_unlock(&control->lock);
    control->next = record->offset + 1;
}

static bool read_on(struct fb_control *control, bool sure, struct fb_err *err) {
    struct fb_history *history = control->config.history;
    struct fb_record record;
    enum fb_read read;
    int64_t first, end;
    if (!(sure ? history->calls->bounds : history->calls->peek)(history, control->config.topic, 0,
                                                                &first, &end, err))
        return false;
    if (control->next < first)
        control->next = first;
    if (control->next >= end)
        return true;
    struct fb_reader *reader =
        history->calls->open(history, control->config.topic, 0, control->next, err);
    if (!reader)
        return false;
    while ((read = reader->calls->next(reader, &record, err)) == FB_READ_RECORD)
        keep(control, &record);
    reader->calls->close(reader);
    return read == FB_READ_END;
}

static void *thread_main(void *context) {
    struct fb_control *control = context;
    while (!atomic_load(control->config.stop)) {
        struct fb_err err = {0};
        int slices = control->next > 0 ? SLICES : SLICES_IDLE;
        for (int i = 0; i < slices && !atomic_load(control->config.stop); i++)
            usleep(SLICE_US);
        bool ok = atomic_load(control->config.stop) || read_on(control, false, &err);
        if (!ok && !control->trouble_told && !atomic_load(control->config.stop))
            fb_log(FB_LOG_WARN, "cannot look for operators' calls: %s", err.text);
        control->trouble_told = !ok;
    }
    return NULL;
}

struct fb_control *fb_control_open(const struct fb_control_config *config, struct fb_err *err) {
    struct fb_control *control = fb_alloc(sizeof *control);
    control->config = *config;
    FB_ASSERT(pthread_mutex_init(&control->lock, NULL) == 0);
    *err = (struct fb_err){0};
    if (read_on(control, true, err))
        return control;
    fb_control_close(control);
    return NULL;
}

bool fb_control_start(struct fb_control *control, struct fb_err *err) {
    int code = pthread_create(&control->thread, NULL, thread_main, control);
    control->running = code == 0;
    return code == 0 || fb_fail(err, FB_FATAL, "cannot start a thread: %s", strerror(code));
}

void fb_control_close(struct fb_control *control) {
    if (!control)
        return;
    if (control->running)
        pthread_join(control->thread, NULL);
    control->config.history->calls->close(control->config.history);
    for (size_t i = 0; i < control->n; i++)
        fb_buf_free(&control->items[i].bytes);
    free(control->items);
    pthread_mutex_destroy(&control->lock);
    free(control);
}

bool fb_control_next(struct fb_control *control, int64_t from, struct fb_control_call *call) {
    bool found = false;
    if (!control)
        return false;
    pthread_mutex_lock(&control->lock);
    size_t low = 0, high = control->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (control->items[middle].offset < from)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < control->n) {
        const struct item *item = &control->items[low];
        *call = (struct fb_control_call){fb_str_of(control->config.topic),
                                         {item->bytes.p, item->bytes.n},
                                         item->offset};
        found = true;
    }
    pthread_mutex_unlock(&control->lock);
    return found;
}
