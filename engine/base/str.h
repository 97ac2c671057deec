/* Text: a view (struct fb_str) that owns nothing, and a growing buffer (struct fb_buf) that does.
 *
 * Place in the flow: everywhere bytes are read or written. Bytes are UTF-8 unless said
 * otherwise. */
#ifndef FB_BASE_STR_H
#define FB_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct fb_arena;

struct fb_str {
    const char *p; /* not terminated; may be NULL when n is 0 */
    size_t n;
};

#define FB_S(literal) ((struct fb_str){(literal), sizeof(literal) - 1})
/* For printf's %.*s */
#define FB_ARG(s) (int)(s).n, (s).p

struct fb_str fb_str_of(const char *terminated);
bool fb_str_eq(struct fb_str a, struct fb_str b);
int fb_str_cmp(struct fb_str a, struct fb_str b); /* byte order, the shorter first */
struct fb_str fb_str_copy(struct fb_arena *arena, struct fb_str s); /* the copy is terminated too */
struct fb_str fb_str_printf(struct fb_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* True where s is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool fb_str_is_utf8(struct fb_str s);
/* What Kafka takes as a topic's name: 1 to 249 letters, digits, '.', '_' or '-', not "." or "..".
 */
bool fb_str_is_topic(struct fb_str s);
/* The length of the well-formed sequence at p that begins with a byte >= 0x80, 0 if there is none
 * in the n > 0 bytes. */
size_t fb_utf8_sequence(const char *p, size_t n);
/* The candidate with the smallest edit distance, if that is at most a third of its length (at
 * least 1); an empty string otherwise. For "did you mean". */
struct fb_str fb_str_nearest(struct fb_str wanted, const struct fb_str *candidates, size_t n);

struct fb_buf {
    char *p; /* malloc'ed; NULL when nothing was written; not terminated but by fb_buf_text */
    size_t n, cap;
};

void fb_buf_free(struct fb_buf *buf);
void fb_buf_grow(struct fb_buf *buf, size_t more); /* the slow half of fb_buf_room */

/* Inline, since an output is written in many small pieces, most of a length that is known where
 * they are written. */

/* Where n more bytes can be written; whoever does adds them to buf->n. A terminator still fits. */
static inline char *fb_buf_room(struct fb_buf *buf, size_t n) {
    if (buf->cap - buf->n <= n)
        fb_buf_grow(buf, n);
    return buf->p + buf->n;
}
static inline void fb_buf_put(struct fb_buf *buf, const void *bytes, size_t n) {
    char *to = fb_buf_room(buf, n);
    if (n)
        memcpy(to, bytes, n);
    buf->n += n;
}
static inline void fb_buf_str(struct fb_buf *buf, struct fb_str s) {
    fb_buf_put(buf, s.p, s.n);
}
static inline void fb_buf_text(struct fb_buf *buf, const char *terminated) {
    fb_buf_put(buf, terminated, strlen(terminated));
}
static inline void fb_buf_char(struct fb_buf *buf, char c) {
    *fb_buf_room(buf, 1) = c;
    buf->n++;
}
void fb_buf_printf(struct fb_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A terminated view of what is in the buffer, valid until the next write. */
const char *fb_buf_terminated(struct fb_buf *buf);

#endif
