/* The audit trail of a live application that is killed again and again: one unbroken chain a
 * partition that only grows, and a decision for every alert; and what comes out when it is executed
 * again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/run/audit_chain.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/compare.h"
#include "tests/kafka/program.h"
#include "tests/kafka/setup.h"
#include "tests/kafka/topic.h"

enum {
    PARTITIONS = 2,
    DEVICES = 40,
    EVENTS = 8000 /* of a portion */,
    KILLS = 6,
    PATIENCE_S = 120
};

static const char *address;
static char application[64], input[64], audit_topic[80], alerts_topic[80], dead_topic[80],
    journal_topic[80];

/* ---- input ---- */

static void write_files(void) {
    FILE *file = fopen(fb_path_of("a.rules"), "w");
    assert_non_null(file);
    fprintf(file,
            "device meter from \"%s\" { key id  time ts [ms]  temp : number [degC]  load : number "
            "}\n"
            "alarm hot on meter { raise high when temp > 80 degC until temp < 60 degC }\n"
            "alarm busy on meter { raise low when load > 50 for 2s }\n",
            input);
    fclose(file);
    file = fopen(fb_path_of("fb.properties"), "w");
    assert_non_null(file);
    fprintf(file,
            "application.id = %s\nstart.from = earliest\ncommit.interval.ms = 20\n"
            "snapshot.interval.min.ms = 100\n"
            "processing.guarantee = exactly_once\nkafka.bootstrap.servers = %s\n"
            "kafka.queued.max.messages.kbytes = 1024\nkafka.max.partition.fetch.bytes = 20000\n",
            application, address);
    fclose(file);
}

/* The next portion, for one run of the engine. */
static void put_events(int portion) {
    static int64_t base_ms;
    struct fb_topic_record *events = calloc(EVENTS, sizeof *events);
    assert_non_null(events);
    if (portion == 0)
        base_ms = fb_wall_ms() - 3600 * 1000;
    for (int n_event = 0; n_event < EVENTS; n_event++) {
        int i = portion * EVENTS + n_event;
        char key[16], text[128];
        int device = i % DEVICES, turn = i / DEVICES;
        snprintf(key, sizeof key, "m-%d", device);
        int n = snprintf(text, sizeof text, "{\"id\":\"m-%d\",\"ts\":%lld,\"temp\":%d,\"load\":%d}",
                         device, (long long)base_ms + i * 25, (turn * 7 + device) % 23 * 5,
                         (turn + device) % 13 < 5 ? 60 : 40);
        if (i % 97 == 0)
            n = snprintf(text, sizeof text, "nonsense %d", i);
        events[n_event] = (struct fb_topic_record){.partition = device % PARTITIONS,
                                                   .stamp_ms = base_ms + i * 25,
                                                   .key = strdup(key),
                                                   .key_n = strlen(key),
                                                   .value = strdup(text),
                                                   .value_n = (size_t)n};
    }
    fb_topic_put_all(address, input, events, EVENTS);
    for (int i = 0; i < EVENTS; i++) {
        free(events[i].key);
        free(events[i].value);
    }
    free(events);
}

/* ---- the engine ---- */

static struct fb_program_run start_engine(const char *workers) {
    const char *const args[] = {
        "run",   "--rules", fb_path_of("a.rules"), "--config", fb_path_of("fb.properties"), "-X",
        workers, NULL};
    return fb_program_start(fb_folder(), "run.log", args);
}

static int64_t committed(void) {
    int64_t sum = 0;
    for (int p = 0; p < PARTITIONS; p++) {
        int64_t offset = fb_group_offset(address, application, input, p);
        sum += offset > 0 ? offset : 0;
    }
    return sum;
}

static void await_committed(int64_t offset) {
    for (int64_t end_ms = fb_wall_ms() + PATIENCE_S * 1000; committed() < offset;) {
        if (fb_wall_ms() > end_ms)
            fail_msg("the group has not got to %lld", (long long)offset);
        usleep(50000);
    }
}

/* ---- the trail ---- */

static void fail_finding(void *context, struct fb_str text) {
    (void)context;
    fail_msg("%.*s", (int)text.n, text.p);
}

static struct fb_audit_head heads[PARTITIONS]; /* exported at the last look */
static uint32_t n_heads;
static char names[PARTITIONS][80];

/* The chains are whole and go through what was exported before; exports anew. */
static void look_at_trail(void) {
    struct fb_records records = fb_topic_read(address, audit_topic, true);
    if (records.n == 0 && n_heads == 0) { /* killed before the first commit */
        fb_records_free(&records);
        return;
    }
    struct fb_audit_chains *chains = fb_audit_chains_new(false, fail_finding, NULL);
    for (uint32_t i = 0; i < n_heads; i++)
        fb_audit_chains_expect(chains, &heads[i]);
    for (size_t i = 0; i < records.n; i++)
        fb_audit_chains_line(chains, audit_topic, i,
                             (struct fb_str){records.v[i].value, records.v[i].value_n});
    fb_audit_chains_end(chains);
    n_heads = fb_audit_chains_tasks(chains);
    assert_in_range(n_heads, 1, PARTITIONS);
    for (uint32_t i = 0; i < n_heads; i++) {
        uint64_t first;
        heads[i] = fb_audit_chains_head(chains, i, &first);
        snprintf(names[i], sizeof names[i], "%.*s", FB_ARG(heads[i].task));
        heads[i].task = fb_str_of(names[i]);
    }
    fb_audit_chains_free(chains);
    fb_records_free(&records);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct ids {
    char **v;
    size_t n;
};

static void add_id(struct ids *ids, const char *id, size_t n) {
    ids->v = realloc(ids->v, (ids->n + 1) * sizeof *ids->v);
    assert_non_null(ids->v);
    ids->v[ids->n++] = strndup(id, n);
}

static void free_ids(struct ids *ids) {
    for (size_t i = 0; i < ids->n; i++)
        free(ids->v[i]);
    free(ids->v);
}

/* No alert without its decision, no decision without its alert, each once. */
static void compare_with_outputs(void) {
    struct fb_records records = fb_topic_read(address, audit_topic, true);
    struct fb_records alerts = fb_topic_read(address, alerts_topic, true);
    struct fb_records dead = fb_topic_read(address, dead_topic, true);
    struct ids explained = {0}, put_out = {0};
    size_t rejected = 0;
    for (size_t i = 0; i < records.n; i++) {
        const char *data = records.v[i].value;
        const char *id = strstr(data, "\"explains\":\"");
        rejected += strstr(data, "\"kind\":\"rejected\"") != NULL;
        if (strstr(data, "\"kind\":\"decision\""))
            add_id(&explained, id + strlen("\"explains\":\""), 32);
    }
    for (size_t i = 0; i < alerts.n; i++)
        add_id(&put_out, fb_record_header(&alerts.v[i], "ce_id"), 32);
    assert_true(put_out.n > 100);
    assert_int_equal(explained.n, put_out.n);
    qsort(explained.v, explained.n, sizeof *explained.v, by_text);
    qsort(put_out.v, put_out.n, sizeof *put_out.v, by_text);
    for (size_t i = 0; i < put_out.n; i++) {
        assert_string_equal(explained.v[i], put_out.v[i]);
        assert_true(i == 0 || strcmp(put_out.v[i], put_out.v[i - 1]) != 0);
    }
    assert_int_equal(rejected, ((KILLS + 1) * EVENTS + 96) / 97);
    assert_int_equal(rejected, dead.n);
    free_ids(&explained);
    free_ids(&put_out);
    fb_records_free(&records);
    fb_records_free(&alerts);
    fb_records_free(&dead);
}

static void kills_do_not_break_the_trail(void **state) {
    (void)state;
    address = fb_broker_shared();
    fb_topic_name(input, "events");
    fb_topic_name(application, "audited");
    snprintf(audit_topic, sizeof audit_topic, "%s.audit", application);
    snprintf(alerts_topic, sizeof alerts_topic, "%s.alerts", application);
    snprintf(dead_topic, sizeof dead_topic, "%s.dead", application);
    snprintf(journal_topic, sizeof journal_topic, "%s.journal", application);
    write_files();
    fb_topic_create(address, input, PARTITIONS, NULL);
    for (int kills = 0; kills < KILLS; kills++) {
        put_events(kills);
        struct fb_program_run run = start_engine(kills % 2 ? "workers=4" : "workers=1");
        fb_program_await(&run, "worker 0 has ");
        usleep((useconds_t)(kills * 60000)); /* any moment will do: before, in, between commits */
        fb_program_signal(&run, SIGKILL);
        assert_int_equal(fb_program_wait(&run), 128 + SIGKILL);
        look_at_trail();
    }
    put_events(KILLS);
    struct fb_program_run run = start_engine("workers=2");
    await_committed((KILLS + 1) * EVENTS);
    fb_program_signal(&run, SIGTERM);
    assert_int_equal(fb_program_wait(&run), 0);
    look_at_trail();
    assert_int_equal(n_heads, PARTITIONS);
    compare_with_outputs();
}

/* ---- executed again ---- */

static char said[8192];

/* Exit status of `flyball` with these words, for the application; what it said is in `said`. */
static int say(const char *words, const char *options) {
    char command[1024];
    snprintf(command, sizeof command, "%s %s --config %s %s 2>&1", FB_PROGRAM, words,
             fb_path_of("fb.properties"), options);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t n = fread(said, 1, sizeof said - 1, pipe);
    said[n] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int execute_again(const char *options) {
    return say("audit verify --reexecute", options);
}

static void assert_said(const char *text) {
    if (!strstr(said, text))
        fail_msg("'%s' was not said, but: %s", text, said);
}

/* How many of what is called so were compared, over all partitions. */
static unsigned long long compared(const char *what) {
    unsigned long long sum = 0, n;
    for (const char *at = said; (at = strstr(at, what)); at++) {
        const char *number = at - 1;
        while (number > said && number[-1] >= '0' && number[-1] <= '9')
            number--;
        if (sscanf(number, "%llu", &n) == 1)
            sum += n;
    }
    return sum;
}

static void assert_heads(void) {
    for (uint32_t i = 0; i < n_heads; i++) {
        struct fb_buf head = {0};
        fb_buf_text(&head, "; head ");
        fb_audit_head_put(&heads[i], &head);
        fb_buf_text(&head, "; ok\n");
        assert_said(fb_buf_terminated(&head));
        fb_buf_free(&head);
    }
}

static size_t count_of(const char *topic) {
    struct fb_records records = fb_topic_read(address, topic, true);
    size_t n = records.n;
    fb_records_free(&records);
    return n;
}

static void assert_all_compared(void) {
    assert_int_equal(compared(" alerts"), count_of(alerts_topic));
    assert_int_equal(compared(" dead letters"), count_of(dead_topic));
    assert_int_equal(compared(" audit records"), count_of(audit_topic));
}

/* After the test above: what several processes with one, two and four workers wrote between their
 * kills comes out again, to the byte, by one thread and by four. */
static void another_number_of_threads_gives_the_same(void **state) {
    (void)state;
    if (execute_again("-X workers=1") != 0)
        fail_msg("%s", said);
    assert_heads();
    assert_true(compared(" audit records") < count_of(audit_topic)); /* behind the snapshot */
    static const char *const counts[] = {"--from-beginning -X workers=1",
                                         "--from-beginning -X workers=4"};
    for (size_t i = 0; i < 2; i++) {
        if (execute_again(counts[i]) != 0)
            fail_msg("%s", said);
        assert_said(": commits 1 to ");
        assert_heads();
        assert_all_compared();
    }
}

/* What an operator does who was woken by an alert: its id alone says where to look. */
static void an_alert_is_explained_from_the_topics(void **state) {
    (void)state;
    struct fb_records alerts = fb_topic_read(address, alerts_topic, true);
    char words[80], rules[400];
    size_t raised = alerts.n / 2;
    while (!strstr(alerts.v[raised].value, "\"event\":\"raised\""))
        raised++;
    snprintf(rules, sizeof rules, "--rules %s", fb_path_of("a.rules"));
    snprintf(words, sizeof words, "explain %.12s", fb_record_header(&alerts.v[raised], "ce_id"));
    if (say(words, rules) != 0)
        fail_msg("%s", said);
    assert_said(" raised, ");
    assert_said("agrees");
    snprintf(words, sizeof words, "explain %s", "0123456789abcdef");
    assert_int_equal(say(words, ""), 1);
    assert_said(" audit records has the id 0123456789abcdef. Nor has an event");
    assert_int_equal(say("explain 0123", "-X application.id=nobody"), 3);
    assert_said("there is no topic 'nobody.audit'");
    fb_records_free(&alerts);
}

static void what_is_gone_of_topics_is_said(void **state) {
    (void)state;
    fb_topic_cut(address, alerts_topic, 0, fb_topic_end(address, alerts_topic, 0, true) / 2);
    assert_int_equal(execute_again("--from-beginning"), 0);
    assert_said(" are not kept any more)");
    assert_heads();
    fb_topic_cut(address, journal_topic, 0, 5);
    assert_int_equal(execute_again("--from-beginning"), 1);
    assert_said("/0: nothing was executed again; NOT ok\n");
    assert_said(": it can be executed again from commit ");
    assert_said("/1: commits 1 to ");
    assert_int_equal(execute_again(""), 0);
    assert_heads();
}

/* The last one again, with another value in it. */
static void forge(const char *topic, const char *from, const char *to) {
    struct fb_records records = fb_topic_read(address, topic, true);
    struct fb_topic_record *last = &records.v[records.n - 1];
    char *at = strstr(last->value, from);
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    fb_topic_put(address, topic, last->partition, 0, last->key, last->value, last->headers,
                 last->headers_n);
    fb_records_free(&records);
}

static void what_nobody_put_out_is_found(void **state) {
    (void)state;
    forge(audit_topic, "\"task\"", "\"tusk\"");
    assert_int_equal(execute_again(""), 1);
    assert_said(audit_topic);
    assert_said("1 not as it was executed, 0 not readable");
    forge(alerts_topic, "\"rule\"", "\"role\"");
    assert_int_equal(execute_again("-X topics.audit=x"), 3);
    assert_said("there is no topic 'x'");
    assert_int_equal(execute_again("--from-beginning"), 1);
    assert_said("the last one, it does not give this alert");
}

static int tear_down(void **state) {
    (void)state;
    static const char *const files[] = {"a.rules", "fb.properties", "run.log"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(fb_path_of(files[i]));
    return rmdir(fb_folder());
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(kills_do_not_break_the_trail),
                                       cmocka_unit_test(another_number_of_threads_gives_the_same),
                                       cmocka_unit_test(an_alert_is_explained_from_the_topics),
                                       cmocka_unit_test(what_is_gone_of_topics_is_said),
                                       cmocka_unit_test(what_nobody_put_out_is_found)};
    return cmocka_run_group_tests(tests, fb_folder_make, tear_down);
}
