/* Made-up events of meters, and the comparison of what a live run put out with what `replay` makes
 * of the same events.
 *
 * Place in the flow: tests only; the topics of tests/kafka/topic.h on one side, the files of
 * `flyball replay --out` on the other. What differs fails the cmocka test that runs. */
#ifndef FB_TESTS_KAFKA_COMPARE_H
#define FB_TESTS_KAFKA_COMPARE_H

#include "tests/kafka/topic.h"

/* A printf format whose one %s is the input topic. */
extern const char *const fb_meter_rules;

int64_t fb_wall_ms(void);

struct fb_event_shape {
    int n, partitions;
    int64_t base_ms; /* of the first event */
    bool some_late;
};
/* The same for the same shape, but for the times. Some are no events at all. */
struct fb_topic_record *fb_events_make(const struct fb_event_shape *shape);
void fb_events_free(struct fb_topic_record *events, int n);
void fb_events_write(const char *path, const struct fb_topic_record *events, int n);

/* What `replay` is to make of events in a file; the paths of files, and of the folder it makes. */
struct fb_replaying {
    const char *rules, *events, *out, *application;
    bool until_now; /* its clock goes on to now, behind the last event */
};
/* Its log goes to replay.log in the folder. */
void fb_events_replay(const char *folder, const struct fb_replaying *wish);

struct fb_item {
    char *key, *text, *id; /* id: "" where it is of no interest */
    size_t order;
};
struct fb_items {
    struct fb_item *v;
    size_t n, cap;
};
void fb_items_free(struct fb_items *items);
/* Alerts, events, late records: of a topic, read_committed, and of a file of lines. */
struct fb_items fb_items_of_topic(const char *address, const char *topic);
struct fb_items fb_items_of_lines(const char *path);
/* Dead letters: reason, encoding and payload. Kafka has the payload itself, and says where it
 * stood, which is looked up in `input`. */
struct fb_items fb_items_of_dead_topic(const char *address, const char *topic, const char *input);
struct fb_items fb_items_of_dead_lines(const char *path);
/* Removes all but the first of each id; returns how many went. */
size_t fb_items_drop_repeats(struct fb_items *items);
/* Orders for the next: of each key as they were put out; of no order that is promised. */
int fb_by_key(const void *a, const void *b);
int fb_by_text(const void *a, const void *b);
/* There is something, and it is the same. */
void fb_items_expect_same(struct fb_items *live, struct fb_items *replayed,
                          int (*order)(const void *, const void *));

#endif
