#include "tests/kafka/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS_MAX = 256, CHUNK = 65536, LOOK_MS = 20 };

/* A client's connection, 0, and the broker's for it, 1. */
struct pair {
    int fd[2];
};

struct fb_proxy {
    pthread_t thread;
    int listener, port;
    atomic_int to, cut;
    atomic_bool over;
    struct pair pairs[PAIRS_MAX]; /* the thread's own */
    size_t n;
};

static _Noreturn void die(const char *what) {
    fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
    abort();
}

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void end_pair(struct fb_proxy *proxy, size_t i) {
    close(proxy->pairs[i].fd[0]);
    close(proxy->pairs[i].fd[1]);
    proxy->pairs[i] = proxy->pairs[--proxy->n];
}

static void end_all(struct fb_proxy *proxy) {
    while (proxy->n > 0)
        end_pair(proxy, proxy->n - 1);
}

static void take_client(struct fb_proxy *proxy) {
    struct sockaddr_in to = loopback(atomic_load(&proxy->to));
    int on = 1, client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server < 0)
        die("socket");
    if (client < 0 || proxy->n == PAIRS_MAX || atomic_load(&proxy->cut) == FB_CUT_CLOSED ||
        connect(server, (struct sockaddr *)&to, sizeof to) < 0) {
        if (client >= 0)
            close(client);
        close(server);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    proxy->pairs[proxy->n++] = (struct pair){{client, server}};
}

/* What has come on one side goes to the other. False: the connection is over. */
static bool forward(int from, int to) {
    static _Thread_local char bytes[CHUNK];
    ssize_t n = recv(from, bytes, sizeof bytes, 0);
    for (ssize_t sent = 0, one; sent < n; sent += one) {
        one = send(to, bytes + sent, (size_t)(n - sent), MSG_NOSIGNAL);
        if (one <= 0)
            return false;
    }
    return n > 0;
}

/* Once round all connections. */
static void serve(struct fb_proxy *proxy) {
    struct pollfd fds[1 + 2 * PAIRS_MAX];
    size_t n = proxy->n;
    fds[0] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
    for (size_t i = 0; i < n; i++)
        for (size_t side = 0; side < 2; side++)
            fds[1 + 2 * i + side] =
                (struct pollfd){.fd = proxy->pairs[i].fd[side], .events = POLLIN};
    if (poll(fds, (nfds_t)(1 + 2 * n), LOOK_MS) <= 0)
        return;
    for (size_t i = n; i-- > 0;) { /* from behind: a pair that ends is replaced by the last */
        const struct pair pair = proxy->pairs[i];
        if ((fds[1 + 2 * i].revents && !forward(pair.fd[0], pair.fd[1])) ||
            (fds[2 + 2 * i].revents && !forward(pair.fd[1], pair.fd[0])))
            end_pair(proxy, i);
    }
    if (fds[0].revents)
        take_client(proxy);
}

static void *proxy_main(void *context) {
    struct fb_proxy *proxy = context;
    int before = FB_CUT_NONE;
    while (!atomic_load(&proxy->over)) {
        int cut = atomic_load(&proxy->cut);
        if (cut == FB_CUT_CLOSED || (before == FB_CUT_SILENT && cut == FB_CUT_NONE))
            end_all(proxy);
        before = cut;
        if (cut == FB_CUT_SILENT)
            usleep(LOOK_MS * 1000);
        else
            serve(proxy);
    }
    end_all(proxy);
    return NULL;
}

struct fb_proxy *fb_proxy_start(void) {
    struct fb_proxy *proxy = calloc(1, sizeof *proxy);
    struct sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    if (!proxy)
        die("memory");
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (proxy->listener < 0 || bind(proxy->listener, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(proxy->listener, 64) < 0 ||
        getsockname(proxy->listener, (struct sockaddr *)&at, &size) < 0)
        die("listen");
    proxy->port = ntohs(at.sin_port);
    if (pthread_create(&proxy->thread, NULL, proxy_main, proxy) != 0)
        die("thread");
    return proxy;
}

int fb_proxy_port(const struct fb_proxy *proxy) {
    return proxy->port;
}

void fb_proxy_lead(struct fb_proxy *proxy, int port) {
    atomic_store(&proxy->to, port);
}

void fb_proxy_cut(struct fb_proxy *proxy, enum fb_cut cut) {
    atomic_store(&proxy->cut, (int)cut);
}

void fb_proxy_free(struct fb_proxy *proxy) {
    atomic_store(&proxy->over, true);
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
    free(proxy);
}
