#include "tests/kafka/program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 64, PATIENCE_MS = 60000, POLL_MS = 20, LOG_MAX = 1 << 20 };

static _Noreturn void die(const char *what, const char *detail) {
    fprintf(stderr, "program: %s: %s\n", what, detail);
    abort();
}

static void become(const char *log, const char *const *args, pid_t parent) {
    const char *argv[ARGS_MAX + 2] = {FB_PROGRAM};
    for (size_t i = 0; args[i] && i < ARGS_MAX; i++)
        argv[i + 1] = args[i];
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(127);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    execv(FB_PROGRAM, (char *const *)(void *)argv);
    _exit(127);
}

struct fb_program_run fb_program_done(const char *folder, const char *name) {
    struct fb_program_run run = {0};
    snprintf(run.log, sizeof run.log, "%s/%s", folder, name);
    return run;
}

struct fb_program_run fb_program_start(const char *folder, const char *name,
                                       const char *const *args) {
    struct fb_program_run run = fb_program_done(folder, name);
    unlink(run.log); /* nobody takes an earlier run's words for this one's */
    pid_t parent = getpid();
    run.pid = fork();
    if (run.pid < 0)
        die("cannot fork", name);
    if (run.pid == 0)
        become(run.log, args, parent);
    return run;
}

void fb_program_signal(const struct fb_program_run *run, int signal) {
    if (kill(run->pid, signal))
        die("cannot signal", run->log);
}

void fb_program_show(const struct fb_program_run *run) {
    char line[1024];
    FILE *log = fopen(run->log, "r");
    while (log && fgets(line, sizeof line, log))
        fprintf(stderr, "%s", line);
    if (log)
        fclose(log);
}

int fb_program_wait(const struct fb_program_run *run) {
    int status;
    if (waitpid(run->pid, &status, 0) != run->pid)
        die("cannot wait", run->log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int fb_program_do(const char *folder, const char *name, const char *const *args) {
    struct fb_program_run run = fb_program_start(folder, name, args);
    return fb_program_wait(&run);
}

bool fb_program_said(const struct fb_program_run *run, const char *text) {
    FILE *file = fopen(run->log, "r");
    if (!file)
        return false;
    char *log = malloc(LOG_MAX);
    if (!log)
        die("no memory", run->log);
    log[fread(log, 1, LOG_MAX - 1, file)] = '\0';
    bool found = strstr(log, text) != NULL;
    free(log);
    fclose(file);
    return found;
}

void fb_program_await(const struct fb_program_run *run, const char *text) {
    for (int waited_ms = 0; !fb_program_said(run, text); waited_ms += POLL_MS) {
        if (waited_ms > PATIENCE_MS)
            die(run->log, text);
        usleep(POLL_MS * 1000);
    }
}
