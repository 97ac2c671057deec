/* Kafka to Kafka: CPU of an empty librdkafka loop and of flyball over the same topic, in one run.
 *
 * Place in the flow: a program for people; `./dev bench` starts a broker and calls it.
 *
 *   kafka FLYBALL BOOTSTRAP [EVENTS [ROUNDS]]
 *
 * The stream: device events of about 155 bytes, 10,000 devices, each once a second of event time,
 * two partitions, lz4. The rules: workload W2 (mean of 10 s windows against a limit) and W4
 * (hysteresis with a hold of 5 s), 10 and 100 rules each, at least once, and 10 also exactly once.
 * Printed: events per CPU-second of the whole process, start-up included, and the ratio to the
 * empty loop (callback queue). Each round runs all of them, one after the other, so that what else
 * goes on in the machine touches all; the figures are those of all rounds together.
 * docs/performance.md tells more. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/workload.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"

enum { PARTITIONS = 2 };

struct bench {
    const char *flyball, *bootstrap;
    int64_t events;
    int round;
    char topic[64], folder[256];
};

static rd_kafka_conf_t *conf_of(const struct bench *bench, const char *const *settings) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[512];
    FB_ASSERT(!rd_kafka_conf_set(conf, "bootstrap.servers", bench->bootstrap, text, sizeof text));
    for (; *settings; settings += 2)
        FB_ASSERT(!rd_kafka_conf_set(conf, settings[0], settings[1], text, sizeof text));
    return conf;
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
    char text[512];
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
    FB_ASSERT(rk);
    return rk;
}

/* ---- the stream, into the broker ---- */

static void create_topic(rd_kafka_t *rk, const char *name) {
    char text[512];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, PARTITIONS, 1, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    FB_ASSERT(event && !rd_kafka_event_error(event));
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
}

static void load(const struct bench *bench) {
    struct bench_stream *stream = fb_alloc(sizeof *stream);
    bench_stream_begin(stream);
    rd_kafka_t *rk = client(
        RD_KAFKA_PRODUCER,
        conf_of(bench, (const char *const[]){"compression.codec", "lz4", "linger.ms", "20",
                                             "batch.size", "262144", "batch.num.messages", "20000",
                                             "queue.buffering.max.messages", "500000",
                                             "partitioner", "murmur2_random", NULL}));
    create_topic(rk, bench->topic);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, bench->topic, NULL);
    char value[BENCH_EVENT_MAX], key[16];
    for (int64_t i = 0; i < bench->events; i++) {
        size_t n = bench_stream_next(stream, value);
        int m = snprintf(key, sizeof key, "dev-%06d", (int)(i % BENCH_DEVICES));
        while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, n,
                                key, (size_t)m, NULL))
            rd_kafka_poll(rk, 5);
        if (i % 4096 == 0)
            rd_kafka_poll(rk, 0);
    }
    FB_ASSERT(!rd_kafka_flush(rk, 120000));
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    free(stream);
}

/* ---- the empty loop, in a process of its own ---- */

static void count_message(rd_kafka_message_t *message, void *opaque) {
    int64_t *count = opaque;
    *count += !message->err;
}

static void empty_loop(const struct bench *bench) {
    rd_kafka_t *rk =
        client(RD_KAFKA_CONSUMER,
               conf_of(bench, (const char *const[]){"group.id", "bench-empty", "enable.auto.commit",
                                                    "false", "auto.offset.reset", "earliest",
                                                    "queued.min.messages", "200000",
                                                    "queued.max.messages.kbytes", "65536",
                                                    "fetch.wait.max.ms", "50", NULL}));
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(PARTITIONS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_poll_set_consumer(rk);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        rd_kafka_topic_partition_list_add(parts, bench->topic, i)->offset = 0;
        rd_kafka_queue_t *own = rd_kafka_queue_get_partition(rk, bench->topic, i);
        rd_kafka_queue_forward(own, queue);
        rd_kafka_queue_destroy(own);
    }
    FB_ASSERT(!rd_kafka_assign(rk, parts));
    int64_t count = 0;
    while (count < bench->events)
        rd_kafka_consume_callback_queue(queue, 50, count_message, &count);
    _exit(0);
}

/* ---- runs ---- */

static double cpu_seconds(const struct rusage *usage) {
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

static double wait_for(pid_t pid) {
    int status;
    struct rusage usage;
    FB_ASSERT(wait4(pid, &status, 0, &usage) == pid);
    FB_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return cpu_seconds(&usage);
}

/* How many events the group has committed. */
static int64_t committed(rd_kafka_t *rk, const struct bench *bench) {
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(parts, bench->topic, i);
    int64_t sum = 0;
    if (!rd_kafka_committed(rk, parts, 10000))
        for (int i = 0; i < parts->cnt; i++)
            sum += parts->elems[i].offset > 0 ? parts->elems[i].offset : 0;
    rd_kafka_topic_partition_list_destroy(parts);
    return sum;
}

/* What is measured; the first row is the measure of the others. */
static const struct row {
    const char *what, *name;
    int rules;
    enum bench_rules kind;
    const char *guarantee;
} rows[] = {
    {.what = "empty librdkafka loop"},
    {"W2, 10 rules", "w2", 10, BENCH_W2, "at_least_once"},
    {"W2, 10 rules, exactly once", "w2", 10, BENCH_W2, "exactly_once"},
    {"W2, 100 rules", "w2", 100, BENCH_W2, "at_least_once"},
    {"W4, 10 rules", "w4", 10, BENCH_W4, "at_least_once"},
    {"W4, 10 rules, exactly once", "w4", 10, BENCH_W4, "exactly_once"},
    {"W4, 100 rules", "w4", 100, BENCH_W4, "at_least_once"},
};
enum { ROWS = sizeof rows / sizeof *rows };

static double run_flyball(const struct bench *bench, const struct row *row) {
    char path[512], application[128], set_application[160], set_bootstrap[256], set_guarantee[64];
    snprintf(path, sizeof path, "%s/%s-%d.rules", bench->folder, row->name, row->rules);
    FILE *file = fopen(path, "w");
    FB_ASSERT(file);
    struct fb_buf text = {0};
    bench_rules_write(row->kind, row->rules, bench->topic, &text);
    FB_ASSERT(fwrite(text.p, 1, text.n, file) == text.n);
    FB_ASSERT(!fclose(file));
    fb_buf_free(&text);
    snprintf(application, sizeof application, "%s-%s-%d-%s-%d", bench->topic, row->name,
             row->rules, row->guarantee, bench->round);
    snprintf(set_guarantee, sizeof set_guarantee, "processing.guarantee=%s", row->guarantee);
    snprintf(set_application, sizeof set_application, "application.id=%s", application);
    snprintf(set_bootstrap, sizeof set_bootstrap, "kafka.bootstrap.servers=%s", bench->bootstrap);
    pid_t pid = fork();
    FB_ASSERT(pid >= 0);
    if (!pid) {
        FB_ASSERT(freopen("/dev/null", "w", stderr));
        execl(bench->flyball, bench->flyball, "run", "--rules", path, "-X", set_application, "-X",
              set_bootstrap, "-X", "start.from=earliest", "-X", "workers=1", "-X", set_guarantee,
              (char *)NULL);
        _exit(127);
    }
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER,
                            conf_of(bench, (const char *const[]){"group.id", application, NULL}));
    while (committed(rk, bench) < bench->events && waitpid(pid, NULL, WNOHANG) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    rd_kafka_destroy(rk);
    FB_ASSERT(!kill(pid, SIGTERM));
    double cpu_s = wait_for(pid);
    unlink(path);
    return cpu_s;
}

static double run_empty(const struct bench *bench) {
    pid_t pid = fork();
    FB_ASSERT(pid >= 0);
    if (!pid)
        empty_loop(bench);
    return wait_for(pid);
}

static void print_row(const char *what, double cpu_s, double empty_s, double events) {
    printf("%-28s %8.2f CPU-s %9.0f k events/CPU-s %6.0f ns/event   ratio %.2f\n", what, cpu_s,
           events / cpu_s / 1e3, cpu_s * 1e9 / events, empty_s / cpu_s);
}

int main(int argc, char **argv) {
    int rounds = argc > 4 ? atoi(argv[4]) : 2;
    struct bench bench = {.events = argc > 3 ? atoll(argv[3]) : 6000000};
    if (argc < 3 || rounds <= 0 || bench.events <= 0) {
        fprintf(stderr, "usage: kafka FLYBALL BOOTSTRAP [EVENTS [ROUNDS]]\n");
        return 2;
    }
    bench.flyball = argv[1];
    bench.bootstrap = argv[2];
    snprintf(bench.topic, sizeof bench.topic, "bench-%ld", (long)time(NULL));
    snprintf(bench.folder, sizeof bench.folder, "%s/fb-bench-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    FB_ASSERT(mkdtemp(bench.folder));
    printf("%" PRId64 " events, %d rounds\n", bench.events, rounds);
    fflush(stdout);
    load(&bench);
    double cpu_s[ROWS] = {0}; /* of all rounds */
    for (; bench.round < rounds; bench.round++)
        for (int i = 0; i < ROWS; i++)
            cpu_s[i] += rows[i].rules ? run_flyball(&bench, &rows[i]) : run_empty(&bench);
    for (int i = 0; i < ROWS; i++)
        print_row(rows[i].what, cpu_s[i], cpu_s[0], (double)bench.events * rounds);
    rmdir(bench.folder);
    return 0;
}
