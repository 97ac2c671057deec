#include "tests/kafka/receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kafka/topic.h"

/* In the child. It ends with the test, and holds nothing of it but its three streams. */
static void become(const struct fb_receiver *receiver, int from, const char *state,
                   const char *fail_safe) {
    int log = open(receiver->log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (log < 0 || dup2(from, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(127);
    execlp("python3", "python3", FB_PROJECT_DIR "/docs/receiver.py", "--state", state,
           "--fail-safe", fail_safe, (char *)NULL);
    _exit(127);
}

void fb_receiver_start(struct fb_receiver *receiver, const char *log, const char *state,
                       const char *fail_safe) {
    int ends[2];
    signal(SIGPIPE, SIG_IGN);
    snprintf(receiver->log, sizeof receiver->log, "%s", log);
    memset(receiver->next, 0, sizeof receiver->next);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    receiver->pid = fork();
    assert_true(receiver->pid >= 0);
    if (receiver->pid == 0)
        become(receiver, ends[0], state, fail_safe);
    close(ends[0]);
    receiver->to = ends[1];
}

static void give(const struct fb_receiver *receiver, const char *text, size_t n) {
    while (n > 0) {
        ssize_t written = write(receiver->to, text, n);
        if (written < 0 && errno == EINTR)
            continue;
        assert_true(written > 0);
        text += written;
        n -= (size_t)written;
    }
}

void fb_receiver_feed(struct fb_receiver *receiver) {
    struct fb_records records = fb_topic_read(receiver->address, receiver->topic, true);
    for (size_t i = 0; i < records.n; i++) {
        const struct fb_topic_record *record = &records.v[i];
        assert_in_range(record->partition, 0, FB_RECEIVER_PARTITIONS - 1);
        if (record->offset < receiver->next[record->partition])
            continue;
        receiver->next[record->partition] = record->offset + 1;
        give(receiver, record->value, record->value_n);
        give(receiver, "\n", 1);
    }
    fb_records_free(&records);
}

char *fb_receiver_lines(const struct fb_receiver *receiver) {
    char *text = NULL;
    size_t n;
    FILE *file = fopen(receiver->log, "r");
    if (!file || getdelim(&text, &n, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    if (file)
        fclose(file);
    assert_non_null(text);
    return text;
}

unsigned fb_receiver_said(const struct fb_receiver *receiver, const char *beginning) {
    unsigned count = 0;
    char *lines = fb_receiver_lines(receiver);
    for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n')
        count += strncmp(at, beginning, strlen(beginning)) == 0;
    free(lines);
    return count;
}

static void await(struct fb_receiver *receiver, int expected) {
    int status = 0;
    close(receiver->to);
    assert_int_equal(waitpid(receiver->pid, &status, 0), receiver->pid);
    assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), expected);
}

void fb_receiver_end(struct fb_receiver *receiver) {
    await(receiver, 0);
}

void fb_receiver_kill(struct fb_receiver *receiver) {
    kill(receiver->pid, SIGKILL);
    await(receiver, 128 + SIGKILL);
}
