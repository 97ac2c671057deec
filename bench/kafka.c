/* Kafka to Kafka: CPU of an empty librdkafka loop and of flyball over the same topic, in one run.
 *
 * Place in the flow: a program for people; `./dev bench` starts a broker and calls it.
 *
 *   kafka FLYBALL BOOTSTRAP [EVENTS]
 *
 * The stream: device events of about 155 bytes, 10,000 devices, each once a second of event time,
 * two partitions, lz4. The rules: workload W2 (mean of 10 s windows against a limit) and W4
 * (hysteresis with a hold of 5 s), 10 and 100 rules each. Printed: events per CPU-second of the
 * whole process, start-up included, and the ratio to the empty loop (callback queue). */
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

#include "engine/base/err.h"

enum { DEVICES = 10000, PARTITIONS = 2 };

struct bench {
    const char *flyball, *bootstrap;
    int64_t events;
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

/* ---- the stream ---- */

static uint64_t state = UINT64_C(88172645463325252);

static double unit(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) * (1.0 / 9007199254740992.0);
}

/* A smooth wave between -1 and 1 of period 1. */
static double wave(double turns) {
    double x = turns - (double)(int64_t)turns, half = x < 0.5 ? x * 2 : x * 2 - 1;
    double hill = 4 * half * (1 - half);
    return x < 0.5 ? hill : -hill;
}

static int event_text(int64_t i, const double *base, char *out, size_t room) {
    int64_t device = i % DEVICES, second = i / DEVICES;
    int64_t ts = INT64_C(1732147200000) + second * 1000 + device * 1000 / DEVICES;
    double phase = (double)second * 0.0032 + (double)device * 0.059;
    return snprintf(
        out, room,
        "{\"device\":\"dev-%06" PRId64 "\",\"ts\":%" PRId64
        ",\"temperature\":%.2f,\"vibration\":%.3f,\"humidity\":%.1f,"
        "\"pressure\":%.2f,\"status\":\"%s\",\"seq\":%" PRId64 ",\"site\":\"plant-%" PRId64 "\"}",
        device, ts, base[device] + 5 * wave(phase) + 2 * (unit() - .5),
        0.3 + 0.2 * wave(phase * 1.7) + 0.1 * unit(), 45 + 15 * wave(phase * 0.6) + unit(),
        101 + 1.5 * wave(phase * 0.9) + .3 * unit(), unit() < .001 ? "fault" : "ok", second,
        device % 7);
}

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
    static double base[DEVICES];
    for (int i = 0; i < DEVICES; i++)
        base[i] = 20 + 10 * unit();
    rd_kafka_t *rk = client(
        RD_KAFKA_PRODUCER,
        conf_of(bench, (const char *const[]){"compression.codec", "lz4", "linger.ms", "20",
                                             "batch.size", "262144", "batch.num.messages", "20000",
                                             "queue.buffering.max.messages", "500000",
                                             "partitioner", "murmur2_random", NULL}));
    create_topic(rk, bench->topic);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, bench->topic, NULL);
    char value[512], key[16];
    for (int64_t i = 0; i < bench->events; i++) {
        int n = event_text(i, base, value, sizeof value);
        int m = snprintf(key, sizeof key, "dev-%06d", (int)(i % DEVICES));
        while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, (size_t)n,
                                key, (size_t)m, NULL))
            rd_kafka_poll(rk, 5);
        if (i % 4096 == 0)
            rd_kafka_poll(rk, 0);
    }
    FB_ASSERT(!rd_kafka_flush(rk, 120000));
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
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

/* ---- rules ---- */

static void put_device(FILE *file, const struct bench *bench) {
    fprintf(file,
            "device dev from \"%s\" {\n  key device\n  time ts [ms]\n  temperature : number\n"
            "  humidity : number\n  vibration : number\n  pressure : number\n}\n",
            bench->topic);
}

static void put_w2(FILE *file, int rules) {
    static const struct {
        const char *name;
        double from, step;
    } fields[] = {{"temperature", 34, .1},
                  {"humidity", 60.5, .05},
                  {"vibration", .55, .003},
                  {"pressure", 102.5, .01}};
    for (int k = 0; k < rules; k++)
        fprintf(file, "event r%d on dev { whenever avg(%s each 10s) > %.4f }\n", k,
                fields[k % 4].name, fields[k % 4].from + fields[k % 4].step * (k / 4));
}

static void put_w4(FILE *file, int rules) {
    for (int k = 0; k < rules; k++)
        fprintf(file,
                "alarm r%d on dev { raise high when temperature >= %.1f for 5s until temperature < "
                "%.1f for 5s }\n",
                k, 33 + .1 * k, 31 + .1 * k);
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

static double run_flyball(const struct bench *bench, const char *name, int rules,
                          void (*put)(FILE *file, int rules)) {
    char path[512], application[128], set_application[160], set_bootstrap[256];
    snprintf(path, sizeof path, "%s/%s-%d.rules", bench->folder, name, rules);
    FILE *file = fopen(path, "w");
    FB_ASSERT(file);
    put_device(file, bench);
    put(file, rules);
    FB_ASSERT(!fclose(file));
    snprintf(application, sizeof application, "%s-%s-%d", bench->topic, name, rules);
    snprintf(set_application, sizeof set_application, "application.id=%s", application);
    snprintf(set_bootstrap, sizeof set_bootstrap, "kafka.bootstrap.servers=%s", bench->bootstrap);
    pid_t pid = fork();
    FB_ASSERT(pid >= 0);
    if (!pid) {
        FB_ASSERT(freopen("/dev/null", "w", stderr));
        execl(bench->flyball, bench->flyball, "run", "--rules", path, "-X", set_application, "-X",
              set_bootstrap, "-X", "start.from=earliest", "-X", "workers=1", (char *)NULL);
        _exit(127);
    }
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER,
                            conf_of(bench, (const char *const[]){"group.id", application, NULL}));
    while (committed(rk, bench) < bench->events && waitpid(pid, NULL, WNOHANG) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    rd_kafka_destroy(rk);
    FB_ASSERT(!kill(pid, SIGTERM));
    return wait_for(pid);
}

static void print_row(const struct bench *bench, const char *what, double cpu_s, double empty_s) {
    printf("%-34s %8.2f CPU-s %9.0f k events/CPU-s %6.0f ns/event   ratio %.2f\n", what, cpu_s,
           (double)bench->events / cpu_s / 1e3, cpu_s * 1e9 / (double)bench->events,
           empty_s / cpu_s);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: kafka FLYBALL BOOTSTRAP [EVENTS]\n");
        return 2;
    }
    struct bench bench = {.flyball = argv[1],
                          .bootstrap = argv[2],
                          .events = argc > 3 ? atoll(argv[3]) : 2000000,
                          .folder = "fb-bench-XXXXXX"};
    snprintf(bench.topic, sizeof bench.topic, "bench-%ld", (long)time(NULL));
    snprintf(bench.folder, sizeof bench.folder, "%s/fb-bench-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    FB_ASSERT(mkdtemp(bench.folder));
    printf("loading %" PRId64 " events\n", bench.events);
    fflush(stdout);
    load(&bench);
    pid_t pid = fork();
    FB_ASSERT(pid >= 0);
    if (!pid)
        empty_loop(&bench);
    double empty_s = wait_for(pid);
    print_row(&bench, "empty librdkafka loop", empty_s, empty_s);
    print_row(&bench, "W2, 10 rules", run_flyball(&bench, "w2", 10, put_w2), empty_s);
    print_row(&bench, "W2, 100 rules", run_flyball(&bench, "w2", 100, put_w2), empty_s);
    print_row(&bench, "W4, 10 rules", run_flyball(&bench, "w4", 10, put_w4), empty_s);
    print_row(&bench, "W4, 100 rules", run_flyball(&bench, "w4", 100, put_w4), empty_s);
    return 0;
}
