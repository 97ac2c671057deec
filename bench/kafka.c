/* Kafka to Kafka: CPU of an empty librdkafka loop and of flyball over the same topic, in one run.
 *
 * Place in the flow: a program for people; `./dev bench` starts a broker and calls it.
 *
 *   kafka FLYBALL BOOTSTRAP [EVENTS [ROUNDS [WHICH]]]
 *
 * The stream: device events of about 155 bytes, 10,000 devices, each once a second of event time,
 * two partitions, lz4. The rules: workload W2 (mean of 10 s windows against a limit) and W4
 * (hysteresis with a hold of 5 s), 10 and 100 rules each, at least once; W4 also as controls, each
 * with an actuator of its own, which exactly once commands and renews; 10 also exactly once, with
 * one snapshot at the start as always and no other, with snapshots as often as they ever come (8
 * times their bytes read in between), and at the default pace, of which only a run of more than a
 * minute has a second one (90,000,000 events). WHICH: besides the empty loop only rows with this in
 * their names.
 * Printed: events per CPU-second of the whole process, start-up included, the ratio to the empty
 * loop (callback queue), what of that the client's threads and what flyball's own spend, and what a
 * guarantee adds, as the median over the rounds. For that the row that it is added to runs beside
 * it, at the same time: two runs one after the other differ by more than what is looked for, since
 * the machine does. (So no ratio to the empty loop, which runs alone.) Each round runs all rows,
 * one after the other, every second round backwards, so that what else goes on in the machine
 * touches all; the figures are those of all rounds together. docs/performance.md tells more. */
#include <dirent.h>
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
        while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, n, key,
                                (size_t)m, NULL))
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

/* What the threads of the client, whose names begin with rdk:, have spent in a process so far, by
 * the system's clock ticks. Those that have ended by then are left out: they are short. */
static double client_seconds(pid_t pid) {
    char path[64], name[400], line[1024];
    long ticks = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    FB_ASSERT(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        snprintf(name, sizeof name, "%s/%s/stat", path, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(name, "r");
        long user, system;
        if (file && fgets(line, sizeof line, file) && strstr(line, "(rdk:") &&
            sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld",
                   &user, &system) == 2)
            ticks += user + system;
        if (file)
            fclose(file);
    }
    closedir(folder);
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
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

/* Snapshots: the first comes at once, others when. */
static const char *const no_more[] = {"-X", "snapshot.interval.min.ms=86400000", "-X",
                                      "snapshot.interval.max.ms=86400000"};
static const char *const as_often_as_ever[] = {"-X", "snapshot.interval.min.ms=10", "-X",
                                               "snapshot.interval.max.ms=86400000"};
enum { SETTINGS = 4 };

/* What is measured; the first row is the measure of the others. */
static const struct row {
    const char *what;
    int rules;
    enum bench_rules kind;
    const char *guarantee;
    const char *const *settings; /* SETTINGS of them; NULL: none */
    int against; /* the row before, by so many, that it is compared with and that runs again beside
                    it, at the same time; 0: none */
} rows[] = {
    {.what = "empty librdkafka loop"},
    {"W2, 10 rules", 10, BENCH_W2, "at_least_once", NULL, 0},
    {"W2, 10 rules, exactly once", 10, BENCH_W2, "exactly_once", no_more, 1},
    {"W2, 10 rules, with snapshots", 10, BENCH_W2, "exactly_once", as_often_as_ever, 1},
    {"W2, 10 rules, snapshots at the default pace", 10, BENCH_W2, "exactly_once", NULL, 2},
    {"W2, 100 rules", 100, BENCH_W2, "at_least_once", NULL, 0},
    {"W4, 10 rules", 10, BENCH_W4, "at_least_once", NULL, 0},
    {"W4, 10 rules, exactly once", 10, BENCH_W4, "exactly_once", no_more, 1},
    {"W4, 10 rules, with snapshots", 10, BENCH_W4, "exactly_once", as_often_as_ever, 1},
    {"W4, 10 rules that act", 10, BENCH_W4_ACTING, "exactly_once", no_more, 2},
    {"W4, 10 rules, snapshots at the default pace", 10, BENCH_W4, "exactly_once", NULL, 3},
    {"W4, 100 rules", 100, BENCH_W4, "at_least_once", NULL, 0},
};
enum { ROWS = sizeof rows / sizeof *rows, ROUNDS_MAX = 100 };

/* In the child. */
static void exec_flyball(const struct bench *bench, const struct row *row, const char *path,
                         const char *application) {
    char set_application[160], set_bootstrap[256], set_guarantee[64];
    snprintf(set_guarantee, sizeof set_guarantee, "processing.guarantee=%s", row->guarantee);
    snprintf(set_application, sizeof set_application, "application.id=%s", application);
    snprintf(set_bootstrap, sizeof set_bootstrap, "kafka.bootstrap.servers=%s", bench->bootstrap);
    const char *args[20 + SETTINGS] = {bench->flyball, "run",
                                       "--rules",      path,
                                       "-X",           set_application,
                                       "-X",           set_bootstrap,
                                       "-X",           "start.from=earliest",
                                       "-X",           "workers=1",
                                       "-X",           set_guarantee};
    int n = 0;
    while (args[n])
        n++;
    for (int i = 0; row->settings && i < SETTINGS; i++)
        args[n++] = row->settings[i];
    FB_ASSERT(freopen("/dev/null", "w", stderr));
    execv(bench->flyball, (char *const *)(uintptr_t)args);
    _exit(127);
}

/* One run of flyball: from its start until the group has committed all events. */
struct run {
    char path[512], application[128];
    pid_t pid;
    rd_kafka_t *watch; /* asks what is committed; NULL: the run has ended */
    double cpu_s, client_s;
};

/* NAME: of the run in its round. */
static void begin_run(const struct bench *bench, const struct row *row, const char *name,
                      struct run *run) {
    *run = (struct run){0};
    snprintf(run->application, sizeof run->application, "%s-%d-%s", bench->topic, bench->round,
             name);
    snprintf(run->path, sizeof run->path, "%s/%s.rules", bench->folder, run->application);
    FILE *file = fopen(run->path, "w");
    FB_ASSERT(file);
    struct fb_buf text = {0};
    bench_rules_write(row->kind, row->rules, bench->topic, &text);
    FB_ASSERT(fwrite(text.p, 1, text.n, file) == text.n);
    FB_ASSERT(!fclose(file));
    fb_buf_free(&text);
    run->pid = fork();
    FB_ASSERT(run->pid >= 0);
    if (!run->pid)
        exec_flyball(bench, row, run->path, run->application);
    run->watch = client(RD_KAFKA_CONSUMER,
                        conf_of(bench, (const char *const[]){"group.id", run->application, NULL}));
}

static bool has_ended(const struct bench *bench, struct run *run) {
    if (!run->watch)
        return true;
    if (committed(run->watch, bench) < bench->events && waitpid(run->pid, NULL, WNOHANG) == 0)
        return false;
    rd_kafka_destroy(run->watch);
    run->watch = NULL;
    run->client_s = client_seconds(run->pid);
    FB_ASSERT(!kill(run->pid, SIGTERM));
    run->cpu_s = wait_for(run->pid);
    unlink(run->path);
    return true;
}

static double run_empty(const struct bench *bench) {
    pid_t pid = fork();
    FB_ASSERT(pid >= 0);
    if (!pid)
        empty_loop(bench);
    return wait_for(pid);
}

static void print_row(const char *what, double cpu_s, double empty_s, double events) {
    printf("%-30s %8.2f CPU-s %9.0f k events/CPU-s %6.0f ns/event", what, cpu_s,
           events / cpu_s / 1e3, cpu_s * 1e9 / events);
    if (empty_s > 0)
        printf("   ratio %.2f", empty_s / cpu_s);
    printf("\n");
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What each row spent in each round, and beside it, at the same time, the one it is compared with.
 */
struct figures {
    double cpu_s[ROUNDS_MAX], client_s[ROUNDS_MAX], beside_s[ROUNDS_MAX];
};

static void run_flyball(const struct bench *bench, const struct row *row, struct figures *figures) {
    struct run own, beside;
    char name[32];
    snprintf(name, sizeof name, "%d", (int)(row - rows));
    begin_run(bench, row, name, &own);
    if (row->against) {
        snprintf(name, sizeof name, "%d-beside", (int)(row - rows));
        begin_run(bench, row - row->against, name, &beside);
    }
    bool ended = false;
    while (!ended) {
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        ended = has_ended(bench, &own);
        if (row->against)
            ended &= has_ended(bench, &beside);
    }
    figures->cpu_s[bench->round] = own.cpu_s;
    figures->client_s[bench->round] = own.client_s;
    if (row->against)
        figures->beside_s[bench->round] = beside.cpu_s;
}

/* What a row adds to the one it is compared with, in percent: the median over the rounds, and the
 * least and the most, which tell how far that can be trusted. */
static void print_added(const struct figures *figures, int rounds, const struct row *row) {
    double added[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++)
        added[i] = (figures->cpu_s[i] / figures->beside_s[i] - 1) * 100;
    qsort(added, (size_t)rounds, sizeof *added, ascending);
    double median = (added[rounds / 2] + added[(rounds - 1) / 2]) / 2;
    printf("%s against %s beside it: %+.1f %% CPU (%+.1f to %+.1f)\n", row->what,
           (row - row->against)->what, median, added[0], added[rounds - 1]);
}

static double sum_of(const double *cpu_s, int rounds) {
    double sum = 0;
    for (int i = 0; i < rounds; i++)
        sum += cpu_s[i];
    return sum;
}

/* Where a row's time went: bench/core tells of flyball's own part. */
static void print_parts(const struct row *row, double cpu_s, double client_s, double events) {
    printf("%s: %.0f ns an event in the client's threads, %.0f in flyball's own, in which the "
           "client's queue and outputs are, too\n",
           row->what, client_s * 1e9 / events, (cpu_s - client_s) * 1e9 / events);
}

static bool is_wanted(const struct row *row, const char *which) {
    return row == rows || !which || strstr(row->what, which);
}

static void print_all(const struct figures *figures, int rounds, double events, const char *which) {
    double empty_s = sum_of(figures[0].cpu_s, rounds);
    for (int i = 0; i < ROWS; i++)
        if (is_wanted(&rows[i], which))
            print_row(rows[i].what, sum_of(figures[i].cpu_s, rounds), rows[i].against ? 0 : empty_s,
                      events * rounds);
    for (int i = 1; i < ROWS; i++)
        if (is_wanted(&rows[i], which))
            print_parts(&rows[i], sum_of(figures[i].cpu_s, rounds),
                        sum_of(figures[i].client_s, rounds), events * rounds);
    for (int i = 1; i < ROWS; i++)
        if (rows[i].against && is_wanted(&rows[i], which))
            print_added(&figures[i], rounds, &rows[i]);
}

int main(int argc, char **argv) {
    int rounds = argc > 4 ? atoi(argv[4]) : 2;
    const char *which = argc > 5 ? argv[5] : NULL;
    struct bench bench = {.events = argc > 3 ? atoll(argv[3]) : 6000000};
    if (argc < 3 || rounds <= 0 || rounds > ROUNDS_MAX || bench.events <= 0) {
        fprintf(stderr, "usage: kafka FLYBALL BOOTSTRAP [EVENTS [ROUNDS [WHICH]]]\n");
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
    static struct figures figures[ROWS];
    for (; bench.round < rounds; bench.round++)
        for (int n = 0; n < ROWS; n++) {
            int i = bench.round % 2 ? ROWS - 1 - n : n;
            if (!is_wanted(&rows[i], which))
                continue;
            if (rows[i].rules)
                run_flyball(&bench, &rows[i], &figures[i]);
            else
                figures[i].cpu_s[bench.round] = run_empty(&bench);
        }
    print_all(figures, rounds, (double)bench.events, which);
    rmdir(bench.folder);
    return 0;
}
