/* Topics for a test: make them, fill them, read them whole into memory.
 *
 * Place in the flow: tests only; beside the engine's own connectors on purpose, so that what these
 * do wrong is not undone here. Brokers: tests/kafka/broker.h.
 *
 * What fails ends the test program with a message. A function may be called from any thread. */
#ifndef FB_TESTS_KAFKA_TOPIC_H
#define FB_TESTS_KAFKA_TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fb_topic_header {
    char *name;  /* terminated */
    char *value; /* terminated too, for reading; may hold zeros */
    size_t value_n;
};

struct fb_topic_record {
    int32_t partition;
    int64_t offset;
    int64_t stamp_ms;  /* the broker's, -1 when it has none */
    char *key, *value; /* terminated too, for reading; NULL when the record has none */
    size_t key_n, value_n;
    struct fb_topic_header *headers;
    size_t headers_n;
};

/* In the order of partition and offset. Owns all its text; fb_records_free ends it. */
struct fb_records {
    struct fb_topic_record *v;
    size_t n;
};

/* A name that no other test or run uses: "PREFIX-..." in name, for topics, groups, applications. */
void fb_topic_name(char name[static 64], const char *prefix);

/* Makes a topic of which so many brokers have a copy, and waits until all its partitions can be
 * written. settings: pairs of a topic's key and value, ended by NULL; may be NULL. */
void fb_topic_create_on(const char *address, const char *topic, int partitions, int copies,
                        const char *const *settings);
/* With the broker's default replication. */
void fb_topic_create(const char *address, const char *topic, int partitions,
                     const char *const *settings);

/* One record; stored by all when it returns. partition -1: by the hash of the key (murmur2, as
 * Java clients do). stamp_ms 0: now. headers may be NULL when there are none. */
void fb_topic_put(const char *address, const char *topic, int32_t partition, int64_t stamp_ms,
                  const char *key, const char *value, const struct fb_topic_header *headers,
                  size_t headers_n);

/* Records in their order, as fb_topic_put would put each; offsets are not read, headers neither.
 * All are stored when it returns. */
void fb_topic_put_all(const char *address, const char *topic, const struct fb_topic_record *records,
                      size_t n);

/* A file's lines, each a record in its order, keyed by the text of the JSON field key_field (no
 * key where a line has none; NULL: no keys). Returns how many; all are stored when it returns. */
size_t fb_topic_put_file(const char *address, const char *topic, const char *path,
                         const char *key_field);

/* All there is now: to the end offsets at the time of the call; committed: only what readers with
 * read_committed see, up to the last stable offset. */
struct fb_records fb_topic_read(const char *address, const char *topic, bool committed);
/* The same, again and again until there are at least n records; ends the test after a minute in
 * which none came. */
struct fb_records fb_topic_await(const char *address, const char *topic, bool committed, size_t n);
void fb_records_free(struct fb_records *records);
/* The value of a header, NULL where the record has none of that name. */
const char *fb_record_header(const struct fb_topic_record *record, const char *name);

/* Deletes the records of a partition before an offset, as a topic's retention would. */
void fb_topic_cut(const char *address, const char *topic, int32_t partition, int64_t before);

/* Deletes a topic, and waits until nobody knows it any more. */
void fb_topic_delete(const char *address, const char *topic);
/* Adds partitions to a topic, as its owner may do at any time. */
void fb_topic_grow(const char *address, const char *topic, int partitions);
/* Forgets a group, as the broker does after offsets.retention.minutes, as soon as it has no
 * members: static ones stay for their session.timeout.ms. */
void fb_group_delete(const char *address, const char *group);

/* The offset that a group has committed in a partition by now, -1 when none. An open transaction,
 * perhaps of a stopped program, is not waited for. */
int64_t fb_group_offset(const char *address, const char *group, const char *topic,
                        int32_t partition);
/* The same, but waits for the end of a transaction that holds one: a commit shows by now only a
 * moment after it is done. */
int64_t fb_group_offset_stable(const char *address, const char *group, const char *topic,
                               int32_t partition);
/* Where a partition ends: the offset of the next record; committed: the last stable offset. */
int64_t fb_topic_end(const char *address, const char *topic, int32_t partition, bool committed);

#endif
