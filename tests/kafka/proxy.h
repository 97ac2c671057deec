/* A way to a broker that can be cut: what a network does, without rights on the machine's own.
 *
 * Place in the flow: tests only; a thread of its own between the clients that come by its port and
 * a listener of the broker that advertises that port (FB_KAFKA_PROXY in tools/kafka.sh). What fails
 * ends the test program with a message. */
#ifndef FB_TESTS_KAFKA_PROXY_H
#define FB_TESTS_KAFKA_PROXY_H

struct fb_proxy;

enum fb_cut {
    FB_CUT_NONE,
    FB_CUT_SILENT, /* nothing arrives and nobody is told, as behind a cable that was pulled */
    FB_CUT_CLOSED  /* connections end, and new ones do at once */
};

/* Listens on a free port of the loopback, and forwards nothing yet. */
struct fb_proxy *fb_proxy_start(void);
int fb_proxy_port(const struct fb_proxy *proxy);
/* From now on to this port of the loopback. */
void fb_proxy_lead(struct fb_proxy *proxy, int port);
/* What a silent cut held back is lost: its connections end when the cut does, as after a reboot of
 * what lies between. */
void fb_proxy_cut(struct fb_proxy *proxy, enum fb_cut cut);
void fb_proxy_free(struct fb_proxy *proxy);

#endif
