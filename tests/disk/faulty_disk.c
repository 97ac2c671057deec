/* A disk in memory that can lose, tear and refuse what is written. */
#include "tests/disk/faulty_disk.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"

enum { FILES_MAX = 64 };

/* A change of a file that is not safe yet. */
struct change {
    bool cut; /* to `at` bytes; else bytes are written there */
    uint64_t at;
    struct fb_buf bytes;
};

struct node {
    uint64_t id;
    bool folder, locked;
    struct fb_buf safe, now;
    struct change *changes;
    size_t n, cap;
};

/* A change of names in a folder that is not safe yet: `gone` loses its name, `came` gets one. */
struct move {
    char *folder, *gone, *came; /* gone, came: NULL: none */
    struct node *node;
};

struct name {
    char *path;
    struct node *node;
};

struct names {
    struct name *items;
    size_t n, cap;
};

struct opened {
    struct node *node; /* NULL: not open */
    char *path;
    bool locks;
};

struct fb_faulty_disk {
    struct fb_disk base;
    struct fb_faulty_plan plan;
    struct node **nodes;
    size_t n_nodes, cap_nodes;
    struct names safe, now;
    struct move *moves;
    size_t n_moves, cap_moves;
    struct opened files[FILES_MAX];
    uint64_t calls, random;
    bool dead;
};

static uint64_t draw(struct fb_faulty_disk *disk, uint64_t below) {
    disk->random = disk->random * 6364136223846793005u + 1442695040888963407u;
    return below ? (disk->random >> 33) % below : 0;
}

static char *copy_of(const char *text) {
    char *copy = strdup(text);
    FB_ASSERT(copy);
    return copy;
}

static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = copy_of(slash && slash > path ? path : "/");
    if (slash && slash > path)
        folder[slash - path] = '\0';
    return folder;
}

/* ---- names ---- */

static struct name *find(const struct names *names, const char *path) {
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->items[i].path, path) == 0)
            return &names->items[i];
    return NULL;
}

static void take_away(struct names *names, const char *path) {
    struct name *name = find(names, path);
    if (!name)
        return;
    free(name->path);
    *name = names->items[--names->n];
}

static void give(struct names *names, const char *path, struct node *node) {
    take_away(names, path);
    FB_PUSH_ROOM(names->items, names->n, names->cap);
    names->items[names->n++] = (struct name){copy_of(path), node};
}

static void move_in(struct names *names, const struct move *move) {
    if (move->gone)
        take_away(names, move->gone);
    if (move->came)
        give(names, move->came, move->node);
}

static void drop_move(struct move *move) {
    free(move->folder);
    free(move->gone);
    free(move->came);
}

static void note_move(struct fb_faulty_disk *disk, const char *gone, const char *came,
                      struct node *node) {
    FB_PUSH_ROOM(disk->moves, disk->n_moves, disk->cap_moves);
    struct move *move = &disk->moves[disk->n_moves++];
    *move = (struct move){.folder = folder_of(gone ? gone : came),
                          .gone = gone ? copy_of(gone) : NULL,
                          .came = came ? copy_of(came) : NULL,
                          .node = node};
    move_in(&disk->now, move);
}

static void copy_names(struct names *to, const struct names *from) {
    while (to->n > 0)
        free(to->items[--to->n].path);
    for (size_t i = 0; i < from->n; i++)
        give(to, from->items[i].path, from->items[i].node);
}

static bool folder_exists(const struct names *names, const char *path) {
    char *folder = folder_of(path);
    const struct name *name = find(names, folder);
    bool exists = strcmp(folder, "/") == 0 || (name && name->node->folder);
    free(folder);
    return exists;
}

/* Names whose folder is gone cannot be reached. */
static void drop_lost(struct names *names) {
    for (size_t i = 0; i < names->n;)
        if (folder_exists(names, names->items[i].path)) {
            i++;
        } else {
            char *path = copy_of(names->items[i].path);
            take_away(names, path);
            free(path);
            i = 0;
        }
}

/* ---- bytes ---- */

static void set_size(struct fb_buf *buf, size_t n) {
    if (n > buf->n)
        memset(fb_buf_room(buf, n - buf->n), 0, n - buf->n);
    buf->n = n;
}

static void apply(struct fb_buf *buf, const struct change *change, size_t from, size_t to) {
    if (change->cut) {
        set_size(buf, change->at);
        return;
    }
    if (to <= from)
        return;
    if (buf->n < change->at + to)
        set_size(buf, change->at + to);
    memcpy(buf->p + change->at + from, change->bytes.p + from, to - from);
}

static void drop_changes(struct node *node) {
    while (node->n > 0)
        fb_buf_free(&node->changes[--node->n].bytes);
}

static void change(struct node *node, bool cut, uint64_t at, const void *bytes, size_t n) {
    FB_PUSH_ROOM(node->changes, node->n, node->cap);
    struct change *change = &node->changes[node->n++];
    *change = (struct change){.cut = cut, .at = at};
    fb_buf_put(&change->bytes, bytes, n);
    apply(&node->now, change, 0, n);
}

static struct node *new_node(struct fb_faulty_disk *disk, bool folder) {
    FB_PUSH_ROOM(disk->nodes, disk->n_nodes, disk->cap_nodes);
    struct node *node = fb_alloc(sizeof *node);
    node->id = disk->n_nodes;
    node->folder = folder;
    return disk->nodes[disk->n_nodes++] = node;
}

/* ---- faults ---- */

enum fate { GO, FAIL, DIE };

static enum fate fate_of(struct fb_faulty_disk *disk, bool writes) {
    if (disk->dead)
        return FAIL;
    disk->calls++;
    if (disk->calls == disk->plan.crash_at) {
        disk->dead = true;
        return DIE;
    }
    bool later = disk->plan.fail_on && writes && disk->calls > disk->plan.fail_at;
    return disk->plan.fail_at && (disk->calls == disk->plan.fail_at || later) ? FAIL : GO;
}

static int code_of(const struct fb_faulty_disk *disk) {
    return disk->dead ? -EIO : disk->plan.fail_code;
}

#define SELF struct fb_faulty_disk *disk = (struct fb_faulty_disk *)base
#define STEP(writes)                                                                               \
    do {                                                                                           \
        if (fate_of(disk, writes) != GO)                                                           \
            return code_of(disk);                                                                  \
    } while (0)

static bool lies(const char *text, const char *path) {
    return text && strstr(path, text);
}

/* ---- the calls ---- */

static int open_file(struct fb_disk *base, const char *path, enum fb_disk_open how) {
    SELF;
    STEP(how == FB_DISK_NEW);
    struct name *name = find(&disk->now, path);
    if (name && name->node->folder)
        return -EISDIR;
    if (!name && (how == FB_DISK_READ || !folder_exists(&disk->now, path)))
        return -ENOENT;
    if (!name) {
        note_move(disk, NULL, path, new_node(disk, false));
        name = find(&disk->now, path);
    } else if (how == FB_DISK_NEW) {
        change(name->node, true, 0, NULL, 0);
    }
    for (int i = 0; i < FILES_MAX; i++)
        if (!disk->files[i].node) {
            disk->files[i] = (struct opened){name->node, copy_of(path), false};
            return i;
        }
    FB_BUG("too many open files");
}

static void close_file(struct fb_disk *base, int file) {
    SELF;
    struct opened *opened = &disk->files[file];
    FB_ASSERT(opened->node);
    if (opened->locks)
        opened->node->locked = false;
    free(opened->path);
    *opened = (struct opened){0};
}

static int64_t size_of(struct fb_disk *base, int file) {
    SELF;
    STEP(false);
    return (int64_t)disk->files[file].node->now.n;
}

static int64_t read_at(struct fb_disk *base, int file, uint64_t at, void *into, size_t n) {
    SELF;
    STEP(false);
    const struct fb_buf *now = &disk->files[file].node->now;
    if (at >= now->n)
        return 0;
    n = n < now->n - at ? n : (size_t)(now->n - at);
    memcpy(into, now->p + at, n);
    return (int64_t)n;
}

/* Where it does not go well, a part is written. */
static int write_at(struct fb_disk *base, int file, uint64_t at, const void *bytes, size_t n) {
    SELF;
    bool alive = !disk->dead;
    enum fate fate = fate_of(disk, true);
    FB_ASSERT(disk->files[file].node);
    if (alive)
        change(disk->files[file].node, false, at, bytes, fate == GO ? n : draw(disk, n));
    return fate == GO ? 0 : code_of(disk);
}

static int cut(struct fb_disk *base, int file, uint64_t size) {
    SELF;
    STEP(true);
    change(disk->files[file].node, true, size, NULL, 0);
    return 0;
}

static int sync_file(struct fb_disk *base, int file) {
    SELF;
    struct opened *opened = &disk->files[file];
    enum fate fate = fate_of(disk, true);
    if (fate == FAIL && !disk->dead)
        drop_changes(opened->node); /* what is read later looks safe, and is not */
    if (fate != GO)
        return code_of(disk);
    if (lies(disk->plan.no_sync, opened->path))
        return 0;
    struct node *node = opened->node;
    for (size_t i = 0; i < node->n; i++)
        apply(&node->safe, &node->changes[i], 0, node->changes[i].bytes.n);
    drop_changes(node);
    return 0;
}

static int lock_file(struct fb_disk *base, int file) {
    SELF;
    STEP(false);
    struct opened *opened = &disk->files[file];
    if (opened->node->locked)
        return -EWOULDBLOCK;
    opened->node->locked = opened->locks = true;
    return 0;
}

static int make_dir(struct fb_disk *base, const char *path) {
    SELF;
    STEP(true);
    if (find(&disk->now, path))
        return -EEXIST;
    if (!folder_exists(&disk->now, path))
        return -ENOENT;
    note_move(disk, NULL, path, new_node(disk, true));
    return 0;
}

static int sync_dir(struct fb_disk *base, const char *path) {
    SELF;
    size_t kept = 0;
    STEP(true);
    if (lies(disk->plan.no_sync_dir, path))
        return 0;
    for (size_t i = 0; i < disk->n_moves; i++) {
        struct move *move = &disk->moves[i];
        if (strcmp(move->folder, path) == 0) {
            move_in(&disk->safe, move);
            drop_move(move);
        } else {
            disk->moves[kept++] = *move;
        }
    }
    disk->n_moves = kept;
    return 0;
}

static int rename_file(struct fb_disk *base, const char *from, const char *to) {
    SELF;
    STEP(true);
    struct name *name = find(&disk->now, from);
    if (!name)
        return -ENOENT;
    note_move(disk, from, to, name->node);
    return 0;
}

static int remove_file(struct fb_disk *base, const char *path) {
    SELF;
    STEP(true);
    if (!find(&disk->now, path))
        return -ENOENT;
    note_move(disk, path, NULL, NULL);
    return 0;
}

static int list(struct fb_disk *base, const char *path,
                void (*each)(void *context, const char *name), void *context) {
    SELF;
    STEP(false);
    for (size_t i = 0; i < disk->now.n; i++) {
        char *folder = folder_of(disk->now.items[i].path);
        if (strcmp(folder, path) == 0)
            each(context, strrchr(disk->now.items[i].path, '/') + 1);
        free(folder);
    }
    return 0;
}

/* ---- for the test ---- */

static const struct fb_disk_calls all_calls = {
    open_file, close_file, size_of,  read_at,     write_at,    cut, sync_file,
    lock_file, make_dir,   sync_dir, rename_file, remove_file, list};

struct fb_faulty_disk *fb_faulty_disk_new(void) {
    struct fb_faulty_disk *disk = fb_alloc(sizeof *disk);
    disk->base.calls = &all_calls;
    return disk;
}

static void drop_names(struct names *names) {
    while (names->n > 0)
        free(names->items[--names->n].path);
    free(names->items);
}

void fb_faulty_disk_free(struct fb_faulty_disk *disk) {
    for (int i = 0; i < FILES_MAX; i++)
        free(disk->files[i].path);
    for (size_t i = 0; i < disk->n_nodes; i++) {
        drop_changes(disk->nodes[i]);
        free(disk->nodes[i]->changes);
        fb_buf_free(&disk->nodes[i]->safe);
        fb_buf_free(&disk->nodes[i]->now);
        free(disk->nodes[i]);
    }
    for (size_t i = 0; i < disk->n_moves; i++)
        drop_move(&disk->moves[i]);
    free(disk->moves);
    free(disk->nodes);
    drop_names(&disk->safe);
    drop_names(&disk->now);
    free(disk);
}

struct fb_disk *fb_faulty_disk_base(struct fb_faulty_disk *disk) {
    return &disk->base;
}

void fb_faulty_disk_plan(struct fb_faulty_disk *disk, const struct fb_faulty_plan *plan,
                         uint64_t seed) {
    disk->plan = *plan;
    disk->random = seed * 2 + 1;
    disk->calls = 0;
    draw(disk, 0);
}

uint64_t fb_faulty_disk_calls(const struct fb_faulty_disk *disk) {
    return disk->calls;
}

bool fb_faulty_disk_is_dead(const struct fb_faulty_disk *disk) {
    return disk->dead;
}

bool fb_faulty_disk_step(struct fb_faulty_disk *disk) {
    return fate_of(disk, false) == GO;
}

/* A change comes to the disk whole, not at all, in part, or as a size without its bytes. */
static void apply_some(struct fb_faulty_disk *disk, struct node *node,
                       const struct change *change) {
    size_t n = change->bytes.n, from = draw(disk, n + 1), to = draw(disk, n + 1);
    switch (draw(disk, 5)) {
    case 0:
    case 1:
        apply(&node->safe, change, 0, n);
        break;
    case 2:
        apply(&node->safe, change, 0, to);
        break;
    case 3:
        apply(&node->safe, change, from < to ? from : to, n);
        break;
    default:
        if (!change->cut && node->safe.n < change->at + n && draw(disk, 2))
            set_size(&node->safe, change->at + n);
        break;
    }
}

void fb_faulty_disk_reboot(struct fb_faulty_disk *disk, enum fb_loss loss) {
    for (int i = 0; i < FILES_MAX; i++)
        if (disk->files[i].node)
            close_file(&disk->base, i);
    disk->dead = false;
    if (loss == FB_KEEP_ALL)
        return;
    for (size_t i = 0; i < disk->n_nodes; i++) {
        struct node *node = disk->nodes[i];
        for (size_t k = 0; loss == FB_LOSE_SOME && k < node->n; k++)
            apply_some(disk, node, &node->changes[k]);
        drop_changes(node);
        node->now.n = 0;
        fb_buf_put(&node->now, node->safe.p, node->safe.n);
    }
    for (size_t i = 0; i < disk->n_moves; i++) {
        if (loss == FB_LOSE_SOME && draw(disk, 2))
            move_in(&disk->safe, &disk->moves[i]);
        drop_move(&disk->moves[i]);
    }
    disk->n_moves = 0;
    drop_lost(&disk->safe);
    copy_names(&disk->now, &disk->safe);
}

struct fb_str fb_faulty_disk_content(const struct fb_faulty_disk *disk, const char *path) {
    const struct name *name = find(&disk->now, path);
    return name ? (struct fb_str){name->node->now.p, name->node->now.n} : FB_S("");
}

uint64_t fb_faulty_disk_id(const struct fb_faulty_disk *disk, int file) {
    return disk->files[file].node->id;
}

char *fb_faulty_disk_bytes(struct fb_faulty_disk *disk, size_t i, const char **path, size_t *n) {
    for (size_t k = 0; k < disk->now.n; k++) {
        struct node *node = disk->now.items[k].node;
        if (node->folder || i-- > 0)
            continue;
        *path = disk->now.items[k].path;
        *n = node->now.n;
        fb_buf_room(&node->now, 0);
        return node->now.p;
    }
    return NULL;
}

void fb_faulty_disk_cut(struct fb_faulty_disk *disk, const char *path, size_t n) {
    struct name *name = find(&disk->now, path);
    name->node->now.n = n;
    FB_ASSERT(name->node->n == 0);
    set_size(&name->node->safe, n);
}

void fb_faulty_disk_remove(struct fb_faulty_disk *disk, const char *path) {
    take_away(&disk->now, path);
    take_away(&disk->safe, path);
}

struct fb_faulty_disk *fb_faulty_disk_copy(const struct fb_faulty_disk *disk) {
    struct fb_faulty_disk *copy = fb_faulty_disk_new();
    for (size_t i = 0; i < disk->now.n; i++) {
        const struct node *node = disk->now.items[i].node;
        struct node *made = new_node(copy, node->folder);
        made->id = node->id;
        fb_buf_put(&made->now, node->now.p, node->now.n);
        fb_buf_put(&made->safe, node->now.p, node->now.n);
        give(&copy->now, disk->now.items[i].path, made);
        give(&copy->safe, disk->now.items[i].path, made);
    }
    return copy;
}
