/* Ends a consumer in bounded time. */
#include "connectors/kafka_end.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/log.h"

enum { END_S = 10 };

/* Freed by who comes last. */
struct ending {
    rd_kafka_t *consumer;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done, left;
};

static void end_free(struct ending *ending) {
    pthread_cond_destroy(&ending->ended);
    pthread_mutex_destroy(&ending->lock);
    free(ending);
}

static void *thread_main(void *context) {
    struct ending *ending = context;
    rd_kafka_destroy(ending->consumer);
    pthread_mutex_lock(&ending->lock);
    ending->done = true;
    bool left = ending->left;
    pthread_cond_signal(&ending->ended);
    pthread_mutex_unlock(&ending->lock);
    if (left)
        end_free(ending);
    return NULL;
}

static struct ending *ending_new(rd_kafka_t *consumer) {
    struct ending *ending = fb_alloc(sizeof *ending);
    pthread_condattr_t attributes;
    ending->consumer = consumer;
    FB_ASSERT(pthread_condattr_init(&attributes) == 0);
    FB_ASSERT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    FB_ASSERT(pthread_cond_init(&ending->ended, &attributes) == 0);
    FB_ASSERT(pthread_mutex_init(&ending->lock, NULL) == 0);
    pthread_condattr_destroy(&attributes);
    return ending;
}

void fb_kafka_end(rd_kafka_t *consumer) {
    struct ending *ending = ending_new(consumer);
    pthread_t thread;
    if (pthread_create(&thread, NULL, thread_main, ending) != 0) {
        end_free(ending);
        rd_kafka_destroy(consumer);
        return;
    }
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += END_S;
    pthread_mutex_lock(&ending->lock);
    for (int code = 0; !ending->done && code == 0;)
        code = pthread_cond_timedwait(&ending->ended, &ending->lock, &end);
    bool done = ending->done;
    ending->left = !done;
    pthread_mutex_unlock(&ending->lock);
    if (done) {
        pthread_join(thread, NULL);
        end_free(ending);
    } else {
        pthread_detach(thread);
        fb_log(FB_LOG_WARN, "a Kafka consumer has not ended after %d s and is left behind", END_S);
    }
}
