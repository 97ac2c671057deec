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
enum { PATH_SIZE = 256, SETTINGS = 6 };

extern char **environ;

struct fb_broker {
    char folder[PATH_SIZE];
    char address[96], tls[PATH_SIZE + 16];
    int port, nodes, proxy;
    bool secure;
    int lifeline; /* closed: the guard removes the node */
    pid_t guard;
};

static _Noreturn void die(const char *what) {
    fprintf(stderr, "broker: %s\n", what);
    abort();
}

/* The environment with the settings of tools/kafka.sh for a node, or all of a cluster (0); the
 * caller frees the array only, after its use; settings holds their text. */
static char **environment_of(char settings[SETTINGS][PATH_SIZE + 24],
                             const struct fb_broker *broker, int node) {
    static const char *const names[SETTINGS] = {
        "FB_KAFKA_DIR=",   "FB_KAFKA_PORT=", "FB_KAFKA_SECURE=",
        "FB_KAFKA_NODES=", "FB_KAFKA_NODE=", "FB_KAFKA_PROXY="};
    char port[16], nodes[16], which[16] = "", proxy[16] = "";
    snprintf(port, sizeof port, "%d", broker->port);
    snprintf(nodes, sizeof nodes, "%d", broker->nodes);
    if (node)
        snprintf(which, sizeof which, "%d", node);
    if (broker->proxy)
        snprintf(proxy, sizeof proxy, "%d", broker->proxy);
    const char *values[SETTINGS] = {broker->folder, port,  broker->secure ? "1" : "",
                                    nodes,          which, proxy};
    size_t n = 0, kept = 0;
    while (environ[n])
        n++;
    char **made = calloc(n + SETTINGS + 1, sizeof *made);
    FB_ASSERT(made);
    for (size_t i = 0; i < n; i++) {
        bool ours = false;
        for (int k = 0; k < SETTINGS; k++)
            ours |= strncmp(environ[i], names[k], strlen(names[k])) == 0;
        if (!ours)
            made[kept++] = environ[i];
    }
    for (int k = 0; k < SETTINGS; k++) {
        snprintf(settings[k], PATH_SIZE + 24, "%s%s", names[k], values[k]);
        made[kept++] = settings[k];
    }
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

/* tools/kafka.sh COMMAND for a node, or all of them (0); its exit status. */
static int script(char *command, const struct fb_broker *broker, int node) {
    char settings[SETTINGS][PATH_SIZE + 24];
    char **environment = environment_of(settings, broker, node);
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
    char settings[SETTINGS][PATH_SIZE + 24];
    char **environment = environment_of(settings, broker, 0);
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

static struct fb_broker *start(bool secure, int nodes, int proxy) {
    struct fb_broker *broker = calloc(1, sizeof *broker);
    FB_ASSERT(broker);
    broker->secure = secure;
    broker->nodes = nodes;
    broker->proxy = proxy;
    const char *temporary = getenv("TMPDIR");
    snprintf(broker->folder, sizeof broker->folder, "%s/fb-broker-XXXXXX",
             temporary ? temporary : "/tmp");
    if (!mkdtemp(broker->folder))
        die(strerror(errno));
    guard(broker);
    if (script("start-any", broker, 0) != 0)
        die("no node could be started, see above");
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/bootstrap", broker->folder);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%95s", broker->address) != 1)
        die(path);
    fclose(file);
    broker->port = atoi(strchr(broker->address, ':') + 1);
    snprintf(broker->tls, sizeof broker->tls, "%s/tls", broker->folder);
    return broker;
}

struct fb_broker *fb_broker_start(void) {
    return start(false, 1, 0);
}

struct fb_broker *fb_broker_start_secure(void) {
    return start(true, 1, 0);
}

struct fb_broker *fb_broker_start_cluster(void) {
    return start(false, FB_BROKER_NODES, 0);
}

struct fb_broker *fb_broker_start_behind(int proxy) {
    return start(false, 1, proxy);
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

int fb_broker_proxied_port(const struct fb_broker *broker) {
    return broker->port + 2;
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
    fb_broker_stop_node(broker, 0);
}

void fb_broker_kill(struct fb_broker *broker) {
    fb_broker_kill_node(broker, 0);
}

void fb_broker_restart(struct fb_broker *broker) {
    fb_broker_restart_node(broker, 0);
}

void fb_broker_stop_node(struct fb_broker *broker, int node) {
    if (script("stop", broker, node) != 0)
        die("the node could not be stopped");
}

void fb_broker_kill_node(struct fb_broker *broker, int node) {
    if (script("kill", broker, node) != 0)
        die("the node could not be killed");
}

void fb_broker_restart_node(struct fb_broker *broker, int node) {
    if (script("start", broker, node) != 0)
        die("the node could not be started again");
}
