/* A live application, executed again from its topics or its folder. */
#include "engine/run/audit_place.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/kafka_history.h"
#include "connectors/kafka_may_read.h"
#include "connectors/kafka_topics.h"
#include "connectors/state_copy.h"
#include "connectors/state_dir.h"
#include "engine/base/arena.h"
#include "engine/run/config.h"
#include "engine/run/kafka_settings.h"
#include "engine/run/topics.h"

enum { BROKER_MS = 10000, PATIENCE_MS = 5000, PIPE = -1 /* the partition of pipes and files */ };

struct work {
    const struct fb_audit_place *place;
    struct fb_audit_places *places;
    struct fb_task_config task;
    struct fb_audit_live_wish wish; /* but for the partition */
    const char *also[FB_COMMANDED_MAX];
    int32_t also_partitions[FB_COMMANDED_MAX];
    struct fb_kafka_settings settings;
    atomic_bool stop; /* nobody sets it: signals end the process */
    atomic_int next;
};

static const char *temporary_folder(void) {
    const char *folder = getenv("TMPDIR");
    return folder && folder[0] ? folder : "/tmp";
}

/* Pace and medium have no part in what comes out. */
static void describe(struct work *work, bool lines) {
    const struct fb_config *config = work->place->config;
    work->task = (struct fb_task_config){
        .application = fb_str_of(fb_config_text(config, FB_KEY_APPLICATION_ID)),
        .room = {FB_BATCH_MEMORY_MAX, temporary_folder()},
        .lines = lines,
        .journalled = true,
        .stamp_by_wall = lines};
    work->wish.config = &work->task;
    work->wish.from_beginning = work->place->from_beginning;
}

static void make_room(struct work *work, int32_t n) {
    work->places->partitions = fb_alloc((size_t)n * sizeof *work->places->partitions);
    work->places->n = n;
}

/* ---- Kafka ---- */

static struct fb_kafka_settings settings_of(struct work *work) {
    if (!work->settings.items)
        work->settings = fb_kafka_settings_of(work->place->config);
    return work->settings;
}

static bool find_topics(struct work *work, struct fb_kafka_topics *kafka, struct fb_err *err) {
    const char *names[FB_STREAMS + FB_COMMANDED_MAX];
    uint32_t n = 0;
    for (int i = 0; i < FB_STREAM_STATUS; i++) {
        const char *name = fb_topics_name(work->place->config, (enum fb_stream)i);
        work->wish.partitions[i] = fb_topics_find(work->place->config, kafka, name, err);
        if (work->wish.partitions[i] < 0)
            return false;
        work->wish.topics[i] = names[n++] = name;
    }
    for (uint32_t i = 0; i < fb_config_n_also(work->place->config); i++) {
        const char *name = fb_config_also_at(work->place->config, i);
        work->also_partitions[i] = fb_topics_find(work->place->config, kafka, name, err);
        if (work->also_partitions[i] < 0)
            return false;
        work->also[i] = names[n++] = name;
    }
    work->wish.also = work->also;
    work->wish.also_partitions = work->also_partitions;
    work->wish.n_also = fb_config_n_also(work->place->config);
    struct fb_kafka_settings settings = settings_of(work);
    return fb_kafka_may_read(&settings, names, n, err);
}

static void *take_partitions(void *context) {
    struct work *work = context;
    struct fb_kafka_settings settings = settings_of(work);
    struct fb_err err = {0};
    struct fb_history *history = fb_kafka_history_open(&settings, &work->stop, &err);
    for (int i; (i = atomic_fetch_add(&work->next, 1)) < work->places->n;) {
        struct fb_audit_live_result *result = &work->places->partitions[i];
        struct fb_audit_live_wish wish = work->wish;
        wish.partition = i;
        if (history) {
            fb_audit_live(history, &wish, result);
        } else {
            result->end = FB_AUDIT_LIVE_UNREADABLE;
            snprintf(result->task, sizeof result->task, "%.*s/%d", FB_ARG(work->task.application),
                     i);
            fb_buf_printf(&result->findings, "%s: %s\n", result->task, err.text);
            result->n_findings = 1;
        }
    }
    if (history)
        history->calls->close(history);
    return NULL;
}

/* On this thread too, so that it goes on where no other can be had. */
static void take_all(struct work *work) {
    int32_t n = (int32_t)fb_config_number(work->place->config, FB_KEY_WORKERS);
    if (n > work->places->n)
        n = work->places->n;
    pthread_t *threads = fb_alloc((size_t)n * sizeof *threads);
    int32_t started = 0;
    while (started < n - 1 && !pthread_create(&threads[started], NULL, take_partitions, work))
        started++;
    take_partitions(work);
    for (int32_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

static enum fb_audit_place_end from_kafka(struct work *work, struct fb_err *err) {
    struct fb_kafka_settings settings = settings_of(work);
    struct fb_kafka_topics *kafka = fb_kafka_topics_open(&settings, BROKER_MS, err);
    bool ok = kafka && find_topics(work, kafka, err);
    fb_kafka_topics_close(kafka);
    if (!ok)
        return FB_AUDIT_PLACE_UNREADABLE;
    describe(work, false);
    work->wish.n_partitions = work->wish.partitions[FB_STREAM_JOURNAL];
    work->wish.patience_ms = PATIENCE_MS;
    make_room(work, work->wish.n_partitions);
    take_all(work);
    return FB_AUDIT_PLACE_DONE;
}

/* ---- a folder ---- */

/* Whether a commit took records that are not in the journal themselves. */
static bool is_of_file(const struct fb_journal *journal, struct fb_err *err) {
    struct fb_journal_reader ops = fb_journal_ops(journal);
    struct fb_journal_op op;
    while (fb_journal_next_op(&ops, &op, err))
        if (op.kind == FB_JOURNAL_TAKE)
            return true;
    return false;
}

/* The topic of a pipe is named only in its journal. False: err, or there is no record. */
static bool read_topic(struct fb_state_dir *dir, const struct fb_history_topics *topics,
                       char name[256], bool *of_file, struct fb_err *err) {
    struct fb_record record;
    struct fb_journal journal;
    int64_t first, end;
    struct fb_history *history = fb_state_history_open(dir, topics, err);
    struct fb_reader *reader = NULL;
    if (history->calls->bounds(history, topics->journal, PIPE, &first, &end, err))
        reader = history->calls->open(history, topics->journal, PIPE, first, err);
    bool ok = reader && reader->calls->next(reader, &record, err) == FB_READ_RECORD &&
              fb_journal_parse(record.value, &journal, err) && journal.n_inputs > 0;
    if (ok)
        snprintf(name, 256, "%.*s", FB_ARG(journal.inputs[0].topic));
    *of_file = ok && is_of_file(&journal, err);
    if (reader)
        reader->calls->close(reader);
    history->calls->close(history);
    return ok;
}

static enum fb_audit_place_end from_copy(struct work *work, struct fb_state_dir *dir,
                                         struct fb_err *err) {
    struct fb_history_topics topics = {"journal", "snapshot", "", NULL};
    char topic[256] = "";
    bool of_file = false;
    if (!read_topic(dir, &topics, topic, &of_file, err) && err->kind)
        return FB_AUDIT_PLACE_UNREADABLE;
    if (of_file && !work->place->input) {
        fb_fail(err, FB_FATAL, "the application reads '%s' from a file: name it with --input FILE",
                topic);
        return FB_AUDIT_PLACE_WRONG;
    }
    if (work->place->input_topic && strcmp(work->place->input_topic, topic) != 0) {
        fb_fail(err, FB_FATAL, "the state is of the topic '%s', not '%s'", topic,
                work->place->input_topic);
        return FB_AUDIT_PLACE_WRONG;
    }
    topics.input = topic;
    topics.input_path = work->place->input;
    describe(work, true);
    work->wish.pipe_topic = topic;
    work->wish.topics[FB_STREAM_JOURNAL] = topics.journal;
    work->wish.topics[FB_STREAM_SNAPSHOT] = topics.snapshot;
    work->wish.partition = PIPE;
    make_room(work, 1);
    struct fb_history *history = fb_state_history_open(dir, &topics, err);
    fb_audit_live(history, &work->wish, &work->places->partitions[0]);
    history->calls->close(history);
    return FB_AUDIT_PLACE_DONE;
}

static enum fb_audit_place_end from_folder(struct work *work, const char *root,
                                           struct fb_err *err) {
    const char *application = fb_config_text(work->place->config, FB_KEY_APPLICATION_ID);
    struct fb_state_copy *copy = fb_state_copy_new(root, application, temporary_folder(), err);
    if (!copy)
        return FB_AUDIT_PLACE_UNREADABLE;
    struct fb_state_place place = {
        .root = fb_state_copy_root(copy), .application = application, .partition = PIPE};
    struct fb_state_dir *dir = fb_state_dir_open(&place, err);
    enum fb_audit_place_end end = dir ? from_copy(work, dir, err) : FB_AUDIT_PLACE_UNREADABLE;
    fb_state_dir_close(dir);
    fb_state_copy_free(copy);
    return end;
}

/* ---- either ---- */

static bool has_brokers(const struct fb_config *config) {
    const char *name, *value;
    for (uint32_t i = 0; i < fb_config_n_kafka(config); i++) {
        fb_config_kafka(config, i, &name, &value);
        if (strcmp(name, "bootstrap.servers") == 0)
            return true;
    }
    return false;
}

enum fb_audit_place_end fb_audit_place_again(const struct fb_audit_place *place,
                                             struct fb_audit_places *places, struct fb_err *err) {
    struct work work = {.place = place, .places = places};
    const char *folder = fb_config_text(place->config, FB_KEY_STATE_DIR);
    enum fb_audit_place_end end = FB_AUDIT_PLACE_WRONG;
    *places = (struct fb_audit_places){0};
    *err = (struct fb_err){0};
    /* With brokers, state.dir is only where crashes are noted. */
    if (has_brokers(place->config) && !place->input)
        end = from_kafka(&work, err);
    else if (folder[0])
        end = from_folder(&work, folder, err);
    else
        fb_fail(err, FB_FATAL,
                "the configuration has neither kafka.bootstrap.servers nor state.dir: there is no "
                "journal to execute again");
    fb_kafka_settings_free(work.settings);
    return end;
}

void fb_audit_places_free(struct fb_audit_places *places) {
    for (int32_t i = 0; i < places->n; i++)
        fb_buf_free(&places->partitions[i].findings);
    free(places->partitions);
    *places = (struct fb_audit_places){0};
}
