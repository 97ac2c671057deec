/* The list of kills, which is also how it stands in a snapshot.
 *
 * Place in the flow: see kill.h. */
#include "engine/core/kill.h"

#include <string.h>

struct entry {
    enum fb_scope scope;
    enum fb_kill mode;
    struct fb_str name;
    size_t at, bytes; /* in the list */
};

enum { HEAD_BYTES = 4 };

/* The entry that begins at `at`; false: there is none. */
static bool entry_at(struct fb_str list, size_t at, struct entry *entry) {
    if (list.n - at < HEAD_BYTES)
        return false;
    const uint8_t *head = (const uint8_t *)list.p + at;
    uint16_t n;
    memcpy(&n, head + 2, sizeof n);
    *entry = (struct entry){(enum fb_scope)head[0],
                            (enum fb_kill)head[1],
                            {list.p + at + HEAD_BYTES, n},
                            at,
                            HEAD_BYTES + (size_t)n};
    return list.n - at >= entry->bytes;
}

static struct fb_str view(const struct fb_kills *kills) {
    return (struct fb_str){kills->bytes.p, kills->bytes.n};
}

static bool concerns(const struct entry *entry, const struct fb_actuator *actuator,
                     const struct fb_rule *winner) {
    if (entry->scope == FB_SCOPE_RULE)
        return winner && fb_str_eq(entry->name, winner->name);
    return entry->scope == FB_SCOPE_ALL || fb_str_eq(entry->name, actuator->name);
}

enum fb_kill fb_kill_find(const struct fb_kills *kills, const struct fb_actuator *actuator,
                          const struct fb_rule *winner) {
    enum fb_kill found = FB_KILL_NONE;
    struct entry entry;
    for (size_t at = 0; entry_at(view(kills), at, &entry); at += entry.bytes) {
        if (concerns(&entry, actuator, winner) && entry.mode > found)
            found = entry.mode;
    }
    return found;
}

static bool find(const struct fb_kills *kills, enum fb_scope scope, struct fb_str name,
                 struct entry *entry) {
    for (size_t at = 0; entry_at(view(kills), at, entry); at += entry->bytes)
        if (entry->scope == scope && fb_str_eq(entry->name, name))
            return true;
    return false;
}

bool fb_kill_put(struct fb_kills *kills, enum fb_scope scope, enum fb_kill mode,
                 struct fb_str name) {
    struct entry entry;
    if (find(kills, scope, name, &entry)) {
        kills->bytes.p[entry.at + 1] = (char)mode;
        return true;
    }
    if (kills->n == FB_KILLS_MAX)
        return false;
    uint16_t n = (uint16_t)name.n;
    fb_buf_char(&kills->bytes, (char)scope);
    fb_buf_char(&kills->bytes, (char)mode);
    fb_buf_put(&kills->bytes, &n, sizeof n);
    fb_buf_str(&kills->bytes, name);
    kills->n++;
    return true;
}

bool fb_kill_drop(struct fb_kills *kills, enum fb_scope scope, struct fb_str name) {
    struct entry entry;
    if (!find(kills, scope, name, &entry))
        return false;
    size_t end = entry.at + entry.bytes;
    memmove(kills->bytes.p + entry.at, kills->bytes.p + end, kills->bytes.n - end);
    kills->bytes.n -= entry.bytes;
    kills->n--;
    return true;
}

static bool is_sound(const struct entry *entry) {
    return entry->scope <= FB_SCOPE_ACTUATOR && entry->mode >= FB_KILL_FREEZE &&
           entry->mode <= FB_KILL_SAFE && entry->name.n <= FB_CALL_NAME_MAX &&
           (entry->scope == FB_SCOPE_ALL) == (entry->name.n == 0);
}

bool fb_kills_read(struct fb_kills *kills, struct fb_str bytes) {
    struct entry entry;
    size_t at = 0;
    uint32_t n = 0;
    for (; at < bytes.n && entry_at(bytes, at, &entry) && is_sound(&entry); at += entry.bytes)
        n++;
    if (at != bytes.n || n > FB_KILLS_MAX)
        return false;
    kills->bytes.n = 0;
    fb_buf_str(&kills->bytes, bytes);
    kills->n = n;
    return true;
}
