#include "tests/kafka/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/err.h"

#define SCRIPT FB_PROJECT_DIR "/tools/kafka.sh"
enum { PATH_SIZE = 256 };

extern char **environ;

struct fb_broker {
    char folder[PATH_SIZE];
    char address[32], tls[PATH_SIZE + 16];
    int port;
    bool secure;
    int lifeline; /* closed: the guard removes the node */
    pid_t guard;
};

static _Noreturn void die(const char *what) {
    fprintf(stderr, "broker: %s\n", what);
    abort();
}

/* The environment with the settings of tools/kafka.sh for a node; the caller frees the array only,
 * after its use; settings holds their text. */
static char **environment_of(char settings[3][PATH_SIZE + 16], const struct fb_broker *broker) {
    size_t n = 0;
    while (environ[n])
        n++;
    char **made = calloc(n + 4, sizeof *made);
    FB_ASSERT(made);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], "FB_KAFKA_DIR=", 13) &&
            strncmp(environ[i], "FB_KAFKA_PORT=", 14) &&
            strncmp(environ[i], "FB_KAFKA_SECURE=", 16))
            made[kept++] = environ[i];
    snprintf(settings[0], sizeof settings[0], "FB_KAFKA_DIR=%s", broker->folder);
    snprintf(settings[1], sizeof settings[1], "FB_KAFKA_PORT=%d", broker->port);
    snprintf(settings[2], sizeof settings[2], "FB_KAFKA_SECURE=%s", broker->secure ? "1" : "");
    made[kept++] = settings[0];
    made[kept++] = settings[1];
    made[kept] = settings[2];
    return made;
}

/* Starts sh with the arguments; its output goes to stderr, or nowhere for the guard, whose input
 * is then the lifeline and which leaves the group of processes that a timeout would kill. */
static pid_t spawn(char *const *arguments, char **environment, int lifeline) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    if (lifeline >= 0) {
        posix_spawn_file_actions_adddup2(&actions, lifeline, STDIN_FILENO);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    } else {
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    }
    pid_t pid;
    int failed = posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed)
        die(strerror(failed));
    return pid;
}

static int exit_of(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die(strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* tools/kafka.sh COMMAND for a node; its exit status. */
static int script(char *command, const struct fb_broker *broker) {
    char settings[3][PATH_SIZE + 16];
    char **environment = environment_of(settings, broker);
    char *arguments[] = {"sh", SCRIPT, command, NULL};
    int status = exit_of(spawn(arguments, environment, -1));
    free(environment);
    return status;
}

const char *fb_broker_shared(void) {
    static char address[32];
    const char *port = getenv("FB_KAFKA_PORT");
    snprintf(address, sizeof address, "127.0.0.1:%s", port ? port : "39092");
    char *arguments[] = {"sh", SCRIPT, "start", NULL};
    if (exit_of(spawn(arguments, environ, -1)) != 0)
        die("the shared node does not start");
    return address;
}

/* A shell that waits for the end of this process, which closes its end of the pipe however it
 * ends, and then removes the node. */
static void guard(struct fb_broker *broker) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        die(strerror(errno));
    char settings[3][PATH_SIZE + 16];
    char **environment = environment_of(settings, broker);
    char *arguments[] = {"sh", "-c", "cat; exec sh \"$0\" wipe", SCRIPT, NULL};
    broker->guard = spawn(arguments, environment, ends[0]);
    free(environment);
    close(ends[0]);
    broker->lifeline = ends[1];
}

static void unguard(struct fb_broker *broker) {
    close(broker->lifeline);
    if (exit_of(broker->guard) != 0)
        die("the node could not be removed");
}

static struct fb_broker *start(bool secure) {
    struct fb_broker *broker = calloc(1, sizeof *broker);
    FB_ASSERT(broker);
    broker->secure = secure;
    const char *temporary = getenv("TMPDIR");
    snprintf(broker->folder, sizeof broker->folder, "%s/fb-broker-XXXXXX",
             temporary ? temporary : "/tmp");
    if (!mkdtemp(broker->folder))
        die(strerror(errno));
    guard(broker);
    if (script("start-any", broker) != 0)
        die("no node could be started, see above");
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/bootstrap", broker->folder);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%31s", broker->address) != 1)
        die(path);
    fclose(file);
    broker->port = atoi(strchr(broker->address, ':') + 1);
    snprintf(broker->tls, sizeof broker->tls, "%s/tls", broker->folder);
    return broker;
}

struct fb_broker *fb_broker_start(void) {
    return start(false);
}

struct fb_broker *fb_broker_start_secure(void) {
    return start(true);
}

void fb_broker_free(struct fb_broker *broker) {
    if (!broker)
        return;
    unguard(broker);
    free(broker);
}

const char *fb_broker_address(const struct fb_broker *broker) {
    return broker->address;
}

const char *fb_broker_folder(const struct fb_broker *broker) {
    return broker->folder;
}

int fb_broker_scram_port(const struct fb_broker *broker) {
    return broker->port + 2;
}

int fb_broker_mtls_port(const struct fb_broker *broker) {
    return broker->port + 3;
}

const char *fb_broker_tls(const struct fb_broker *broker) {
    return broker->tls;
}

void fb_broker_stop(struct fb_broker *broker) {
    if (script("stop", broker) != 0)
        die("the node could not be stopped");
}

void fb_broker_kill(struct fb_broker *broker) {
    if (script("kill", broker) != 0)
        die("the node could not be killed");
}

void fb_broker_restart(struct fb_broker *broker) {
    if (script("start", broker) != 0)
        die("the node could not be started again");
}
