/* The configuration of `flyball run`. */
#include "engine/run/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connectors/kafka_conf.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/map.h"
#include "engine/base/num.h"

enum { FILE_BYTES_MAX = 1 << 20, NAME_BYTES_MAX = 200, PATH_BYTES_MAX = 900 };

struct key {
    const char *name;
    enum fb_config_type type;
    const char *allowed, *preset, *doc;
};

static const struct key keys[] = {
#define KEY_ROW(id, name, type, allowed, preset, doc) {name, type, allowed, preset, doc},
    FB_CONFIG_KEYS(KEY_ROW)
#undef KEY_ROW
};

/* One key that was given, in the table or not (kafka.*). Texts live in the arena. */
struct entry {
    const char *name, *value; /* value: as written, then resolved */
    const char *origin;       /* "FILE:LINE", "-X" or "default" */
    const char *folder;       /* where @file is looked for */
    bool secret;
};

struct fb_config {
    struct fb_arena *arena;
    struct entry fixed[FB_CONFIG_KEYS_N]; /* value NULL: not given */
    int64_t numbers[FB_CONFIG_KEYS_N];
    struct fb_str also[FB_COMMANDED_MAX]; /* topics.commands.also; terminated */
    uint32_t n_also;
    struct entry *kafka;
    size_t n_kafka, cap_kafka;
};

struct fb_config *fb_config_new(void) {
    struct fb_config *config = fb_alloc(sizeof *config);
    config->arena = fb_arena_new();
    return config;
}

void fb_config_free(struct fb_config *config) {
    if (!config)
        return;
    free(config->kafka);
    fb_arena_free(config->arena);
    free(config);
}

__attribute__((format(printf, 3, 4))) static bool wrong(struct fb_buf *errors, const char *origin,
                                                        const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fb_buf_printf(errors, "%s: error: %s\n", origin, text);
    return false;
}

/* ---- reading ---- */

static struct fb_str trim(struct fb_str s) {
    while (s.n > 0 && strchr(" \t\r", s.p[0]))
        s.p++, s.n--;
    while (s.n > 0 && strchr(" \t\r", s.p[s.n - 1]))
        s.n--;
    return s;
}

static bool unknown_key(struct fb_str name, const char *origin, struct fb_buf *errors) {
    struct fb_str names[FB_CONFIG_KEYS_N];
    for (int i = 0; i < FB_CONFIG_KEYS_N; i++)
        names[i] = fb_str_of(keys[i].name);
    wrong(errors, origin, "unknown key '%.*s'", FB_ARG(name));
    struct fb_str nearest = fb_str_nearest(name, names, FB_CONFIG_KEYS_N);
    if (nearest.n)
        fb_buf_printf(errors, "help: did you mean '%.*s'?\n", FB_ARG(nearest));
    else
        fb_buf_text(errors, "help: docs/CONFIGURATION.md lists all keys; those of the Kafka client "
                            "begin with 'kafka.'\n");
    return false;
}

static struct entry *kafka_entry(struct fb_config *config, struct fb_str name) {
    for (size_t i = 0; i < config->n_kafka; i++)
        if (fb_str_eq(fb_str_of(config->kafka[i].name), name))
            return &config->kafka[i];
    FB_PUSH_ROOM(config->kafka, config->n_kafka, config->cap_kafka);
    config->kafka[config->n_kafka] = (struct entry){0};
    return &config->kafka[config->n_kafka++];
}

static struct entry *entry_of(struct fb_config *config, struct fb_str name) {
    if (name.n > 6 && memcmp(name.p, "kafka.", 6) == 0)
        return kafka_entry(config, name);
    for (int i = 0; i < FB_CONFIG_KEYS_N; i++)
        if (fb_str_eq(name, fb_str_of(keys[i].name)))
            return &config->fixed[i];
    return NULL;
}

/* The rest of the line may be a secret. */
static bool not_an_assignment(struct fb_str line, const char *origin, struct fb_buf *errors) {
    size_t n = 0;
    while (n < line.n && !strchr(" \t:", line.p[n]))
        n++;
    return wrong(errors, origin, "'%.*s%s' is not of the form key = value", (int)n, line.p,
                 n < line.n ? " .." : "");
}

/* `line` is "key = value"; `given` holds the keys of the same file, or is NULL. */
static bool assign(struct fb_config *config, struct fb_str line, const char *origin,
                   const char *folder, struct fb_map *given, struct fb_buf *errors) {
    const char *equals = memchr(line.p, '=', line.n);
    if (!equals)
        return not_an_assignment(line, origin, errors);
    struct fb_str name = trim((struct fb_str){line.p, (size_t)(equals - line.p)});
    struct fb_str value = trim((struct fb_str){equals + 1, line.n - (size_t)(equals + 1 - line.p)});
    if (memchr(line.p, '\0', line.n) || !fb_str_is_utf8(line))
        return wrong(errors, origin, "the line is not UTF-8 text");
    if (given && fb_map_get(given, name) != FB_MAP_NONE)
        return wrong(errors, origin, "'%.*s' is set twice in this file", FB_ARG(name));
    if (given)
        fb_map_put(given, name, 1);
    struct entry *entry = entry_of(config, name);
    if (!entry)
        return unknown_key(name, origin, errors);
    entry->name = fb_str_copy(config->arena, name).p;
    entry->value = fb_str_copy(config->arena, value).p;
    entry->origin = fb_str_copy(config->arena, fb_str_of(origin)).p;
    entry->folder = fb_str_copy(config->arena, fb_str_of(folder)).p;
    return true;
}

/* The whole file; false with errno. */
static bool slurp(const char *path, struct fb_buf *out) {
    char block[4096];
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t n;
    while ((n = fread(block, 1, sizeof block, file)) > 0 && out->n <= FILE_BYTES_MAX)
        fb_buf_put(out, block, n);
    int failure = ferror(file) ? errno : out->n > FILE_BYTES_MAX ? EFBIG : 0;
    fclose(file);
    errno = failure;
    return failure == 0;
}

static const char *folder_of(struct fb_arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    size_t n = slash == path ? 1 : (size_t)(slash - path);
    return fb_str_copy(arena, (struct fb_str){path, n}).p;
}

bool fb_config_read(struct fb_config *config, const char *path, struct fb_buf *errors) {
    struct fb_buf text = {0};
    char origin[1024];
    if (!slurp(path, &text)) {
        fb_buf_free(&text);
        return wrong(errors, path, "cannot read the configuration: %s", strerror(errno));
    }
    struct fb_map *given = fb_map_new();
    const char *folder = folder_of(config->arena, path);
    bool ok = true;
    size_t at = 0;
    for (int line = 1; at < text.n; line++) {
        const char *end = memchr(text.p + at, '\n', text.n - at);
        size_t n = end ? (size_t)(end - (text.p + at)) : text.n - at;
        struct fb_str content = trim((struct fb_str){text.p + at, n});
        at += n + 1;
        if (content.n == 0 || content.p[0] == '#')
            continue;
        snprintf(origin, sizeof origin, "%s:%d", path, line);
        ok &= assign(config, content, origin, folder, given, errors);
    }
    fb_map_free(given);
    fb_buf_free(&text);
    return ok;
}

bool fb_config_set(struct fb_config *config, const char *assignment, struct fb_buf *errors) {
    return assign(config, fb_str_of(assignment), "-X", ".", NULL, errors);
}

/* ---- references ---- */

/* A text with every ${NAME} replaced; NULL: an error was added. */
static const char *expand(struct fb_config *config, const struct entry *entry,
                          struct fb_buf *errors) {
    struct fb_buf out = {0};
    const char *p = entry->value, *open, *result = NULL;
    while ((open = strstr(p, "${"))) {
        const char *close = strchr(open, '}');
        if (!close) {
            wrong(errors, entry->origin, "'${' without '}' in the value of '%s'", entry->name);
            goto cleanup;
        }
        struct fb_str name = {open + 2, (size_t)(close - open - 2)};
        const char *value = getenv(fb_str_copy(config->arena, name).p);
        if (!value) {
            wrong(errors, entry->origin,
                  "'%s' needs the environment variable '%.*s': it is not set", entry->name,
                  FB_ARG(name));
            goto cleanup;
        }
        fb_buf_put(&out, p, (size_t)(open - p));
        fb_buf_text(&out, value);
        p = close + 1;
    }
    fb_buf_text(&out, p);
    result = fb_str_copy(config->arena, (struct fb_str){out.p, out.n}).p;
cleanup:
    fb_buf_free(&out);
    return result;
}

/* What the file behind @file holds, without the last line end; NULL: an error was added. */
static const char *from_file(struct fb_config *config, const struct entry *entry,
                             struct fb_buf *errors) {
    const char *path = entry->value + 1, *result = NULL;
    if (path[0] != '/')
        path = fb_str_printf(config->arena, "%s/%s", entry->folder, path).p;
    struct fb_buf text = {0};
    if (!slurp(path, &text)) {
        wrong(errors, entry->origin, "'%s' needs the file '%s': %s", entry->name, path,
              strerror(errno));
    } else if (text.n && memchr(text.p, '\0', text.n)) {
        wrong(errors, entry->origin, "'%s' needs the file '%s': it is not text", entry->name, path);
    } else {
        if (text.n && text.p[text.n - 1] == '\n')
            text.n--;
        if (text.n && text.p[text.n - 1] == '\r')
            text.n--;
        result = fb_str_copy(config->arena, (struct fb_str){text.p, text.n}).p;
    }
    fb_buf_free(&text);
    return result;
}

static bool resolve(struct fb_config *config, struct entry *entry, struct fb_buf *errors) {
    if (entry->secret && entry->value[0] != '@' && !strstr(entry->value, "${")) {
        wrong(errors, entry->origin, "'%s' is a secret and stands here in plain text", entry->name);
        fb_buf_printf(errors, "help: write %s = ${VARIABLE} or %s = @FILE\n", entry->name,
                      entry->name);
        return false;
    }
    const char *value =
        entry->value[0] == '@' ? from_file(config, entry, errors) : expand(config, entry, errors);
    if (value)
        entry->value = value;
    return value != NULL;
}

/* ---- checking ---- */

static bool is_name(const char *text) {
    return strlen(text) <= NAME_BYTES_MAX && fb_str_is_topic(fb_str_of(text));
}

/* True where `word` is one of "a|b|c". */
static bool among(const char *words, const char *word) {
    size_t n = strlen(word);
    for (const char *p = words;; p++) {
        size_t length = strcspn(p, "|");
        if (length == n && memcmp(p, word, n) == 0)
            return true;
        p += length;
        if (!*p)
            return false;
    }
}

static bool check_number(struct fb_config *config, int i, struct fb_buf *errors) {
    const struct entry *entry = &config->fixed[i];
    char *end;
    int64_t x, low = strtoll(keys[i].allowed, &end, 10), high = strtoll(end + 2, NULL, 10);
    if (!fb_num_parse_int(fb_str_of(entry->value), &x) || x < low || x > high)
        return wrong(errors, entry->origin, "'%s' must be a whole number in %s, not '%s'",
                     entry->name, keys[i].allowed, entry->value);
    config->numbers[i] = x;
    return true;
}

/* "a, b": there is one list, of topics. */
static bool check_names(struct fb_config *config, const struct entry *entry,
                        struct fb_buf *errors) {
    struct fb_str rest = trim(fb_str_of(entry->value));
    bool more = rest.n > 0;
    config->n_also = 0;
    while (more) {
        const char *comma = memchr(rest.p, ',', rest.n);
        struct fb_str name =
            trim((struct fb_str){rest.p, comma ? (size_t)(comma - rest.p) : rest.n});
        if (!fb_str_is_topic(name))
            return wrong(errors, entry->origin,
                         "'%s' must be topics with commas between, and '%.*s' is not 1 to 249 "
                         "letters, digits, '.', '_' or '-'",
                         entry->name, FB_ARG(name));
        if (config->n_also == FB_COMMANDED_MAX)
            return wrong(errors, entry->origin, "'%s' names more than %d topics", entry->name,
                         FB_COMMANDED_MAX);
        config->also[config->n_also++] = fb_str_copy(config->arena, name);
        more = comma != NULL;
        if (more)
            rest = (struct fb_str){comma + 1, rest.n - (size_t)(comma + 1 - rest.p)};
    }
    return true;
}

static bool check_value(struct fb_config *config, int i, struct fb_buf *errors) {
    const struct entry *entry = &config->fixed[i];
    switch (keys[i].type) {
    case FB_CONFIG_NAME:
        return is_name(entry->value) ||
               wrong(errors, entry->origin,
                     "'%s' must be 1 to %d letters, digits, '.', '_' or '-', not '%s'", entry->name,
                     NAME_BYTES_MAX, entry->value);
    case FB_CONFIG_NAMES:
        return check_names(config, entry, errors);
    case FB_CONFIG_PATH:
        return strlen(entry->value) <= PATH_BYTES_MAX ||
               wrong(errors, entry->origin, "'%s' is longer than %d bytes", entry->name,
                     PATH_BYTES_MAX);
    case FB_CONFIG_NUMBER:
        return check_number(config, i, errors);
    case FB_CONFIG_BOOL:
        return among("true|false", entry->value) ||
               wrong(errors, entry->origin, "'%s' must be true or false, not '%s'", entry->name,
                     entry->value);
    case FB_CONFIG_CHOICE:
        return among(keys[i].allowed, entry->value) ||
               wrong(errors, entry->origin, "'%s' must be one of %s, not '%s'", entry->name,
                     keys[i].allowed, entry->value);
    }
    fb_bug(__FILE__, __LINE__, "a key has a type");
}

static bool check_kafka(const struct entry *entry, struct fb_buf *errors) {
    struct fb_err err = {0};
    struct fb_kafka_setting setting = {entry->name + strlen("kafka."), entry->value};
    return fb_kafka_setting_check(&setting, &err) || wrong(errors, entry->origin, "%s", err.text);
}

/* The host's name with what a name may not hold replaced. */
static const char *host_name(struct fb_arena *arena) {
    char name[NAME_BYTES_MAX + 1] = "";
    gethostname(name, sizeof name - 1);
    for (char *p = name; *p; p++)
        if (*p != '.' && !is_name((const char[]){*p, '\0'}))
            *p = '-';
    return is_name(name) ? fb_str_copy(arena, fb_str_of(name)).p : "localhost";
}

/* Defaults that depend on the machine or on other keys. */
static const char *default_of(struct fb_config *config, enum fb_config_key key) {
    const char *application = config->fixed[FB_KEY_APPLICATION_ID].value;
    switch (key) {
    case FB_KEY_INSTANCE_ID:
        return host_name(config->arena);
    case FB_KEY_WORKERS:
        return fb_str_printf(config->arena, "%ld", sysconf(_SC_NPROCESSORS_ONLN)).p;
    case FB_KEY_TOPICS_ALERTS:
        return fb_str_printf(config->arena, "%s.alerts", application).p;
    case FB_KEY_TOPICS_COMMANDS:
        return fb_str_printf(config->arena, "%s.commands", application).p;
    case FB_KEY_TOPICS_SHADOW:
        return fb_str_printf(config->arena, "%s.shadow", application).p;
    case FB_KEY_TOPICS_LATE:
        return fb_str_printf(config->arena, "%s.late", application).p;
    case FB_KEY_TOPICS_DEAD:
        return fb_str_printf(config->arena, "%s.dead", application).p;
    case FB_KEY_TOPICS_AUDIT:
        return fb_str_printf(config->arena, "%s.audit", application).p;
    case FB_KEY_TOPICS_STATUS:
        return fb_str_printf(config->arena, "%s.status", application).p;
    case FB_KEY_TOPICS_RULES:
        return fb_str_printf(config->arena, "%s.rules", application).p;
    case FB_KEY_TOPICS_CONTROL:
        return fb_str_printf(config->arena, "%s.control", application).p;
    case FB_KEY_TOPICS_JOURNAL:
        return fb_str_printf(config->arena, "%s.journal", application).p;
    case FB_KEY_TOPICS_SNAPSHOT:
        return fb_str_printf(config->arena, "%s.snapshot", application).p;
    default:
        return keys[key].preset;
    }
}

/* What the application writes, or keeps for itself. */
static const enum fb_config_key topics[] = {
    FB_KEY_TOPICS_ALERTS, FB_KEY_TOPICS_COMMANDS, FB_KEY_TOPICS_SHADOW,  FB_KEY_TOPICS_LATE,
    FB_KEY_TOPICS_DEAD,   FB_KEY_TOPICS_AUDIT,    FB_KEY_TOPICS_JOURNAL, FB_KEY_TOPICS_SNAPSHOT,
    FB_KEY_TOPICS_STATUS, FB_KEY_TOPICS_RULES,    FB_KEY_TOPICS_CONTROL};

const char *fb_config_own_topic(const struct fb_config *config, struct fb_str topic) {
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (fb_str_eq(fb_str_of(config->fixed[topics[i]].value), topic))
            return config->fixed[topics[i]].name;
    return fb_config_also(config, topic) ? config->fixed[FB_KEY_TOPICS_COMMANDS_ALSO].name : NULL;
}

/* The n-th of the list is none of the others, and none of what has another use. */
static bool check_also(const struct fb_config *config, uint32_t n, struct fb_buf *errors) {
    const struct entry *list = &config->fixed[FB_KEY_TOPICS_COMMANDS_ALSO];
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (fb_str_eq(fb_str_of(config->fixed[topics[i]].value), config->also[n]))
            return wrong(errors, list->origin, "'%s' and '%s' name the same topic, '%.*s'",
                         config->fixed[topics[i]].name, list->name, FB_ARG(config->also[n]));
    for (uint32_t i = 0; i < n; i++)
        if (fb_str_eq(config->also[i], config->also[n]))
            return wrong(errors, list->origin, "'%s' names the topic '%.*s' twice", list->name,
                         FB_ARG(config->also[n]));
    return true;
}

static bool check_topics(const struct fb_config *config, struct fb_buf *errors) {
    bool ok = true;
    for (size_t a = 0; a < sizeof topics / sizeof *topics; a++)
        for (size_t b = 0; b < a; b++) {
            const struct entry *one = &config->fixed[topics[a]], *other = &config->fixed[topics[b]];
            if (strcmp(one->value, other->value) == 0)
                ok = wrong(errors, one->origin, "'%s' and '%s' are the same topic, '%s'",
                           other->name, one->name, one->value);
        }
    for (uint32_t i = 0; i < config->n_also; i++)
        ok &= check_also(config, i, errors);
    return ok;
}

bool fb_config_finish(struct fb_config *config, struct fb_buf *errors) {
    bool ok = true;
    for (size_t i = 0; i < config->n_kafka; i++) {
        struct entry *entry = &config->kafka[i];
        entry->secret = fb_kafka_setting_is_secret(entry->name + strlen("kafka."));
        ok &= resolve(config, entry, errors) && check_kafka(entry, errors);
    }
    for (int i = 0; i < FB_CONFIG_KEYS_N; i++) {
        struct entry *entry = &config->fixed[i];
        bool fine = true, given = entry->value != NULL;
        if (given) {
            fine = resolve(config, entry, errors);
        } else {
            entry->name = keys[i].name;
            entry->value = default_of(config, (enum fb_config_key)i);
            entry->origin = "default";
        }
        /* Made of another key's value: that one is complained about. */
        bool derived = !given && keys[i].type == FB_CONFIG_NAME;
        ok &= fine && (derived || check_value(config, i, errors));
    }
    int64_t least = config->numbers[FB_KEY_SNAPSHOT_MIN_MS];
    if (ok && least > config->numbers[FB_KEY_SNAPSHOT_MAX_MS])
        ok = wrong(errors, config->fixed[FB_KEY_SNAPSHOT_MIN_MS].origin,
                   "'snapshot.interval.min.ms' is larger than 'snapshot.interval.max.ms'");
    return ok && check_topics(config, errors);
}

/* ---- reading out ---- */

const char *fb_config_text(const struct fb_config *config, enum fb_config_key key) {
    return config->fixed[key].value;
}

uint32_t fb_config_n_also(const struct fb_config *config) {
    return config->n_also;
}

const char *fb_config_also_at(const struct fb_config *config, uint32_t i) {
    return config->also[i].p;
}

bool fb_config_also(const struct fb_config *config, struct fb_str topic) {
    for (uint32_t i = 0; i < config->n_also; i++)
        if (fb_str_eq(config->also[i], topic))
            return true;
    return false;
}

int64_t fb_config_number(const struct fb_config *config, enum fb_config_key key) {
    FB_ASSERT(keys[key].type == FB_CONFIG_NUMBER);
    return config->numbers[key];
}

bool fb_config_bool(const struct fb_config *config, enum fb_config_key key) {
    FB_ASSERT(keys[key].type == FB_CONFIG_BOOL);
    return fb_config_is(config, key, "true");
}

bool fb_config_is(const struct fb_config *config, enum fb_config_key key, const char *word) {
    return strcmp(config->fixed[key].value, word) == 0;
}

uint32_t fb_config_n_kafka(const struct fb_config *config) {
    return (uint32_t)config->n_kafka;
}

void fb_config_kafka(const struct fb_config *config, uint32_t i, const char **name,
                     const char **value) {
    *name = config->kafka[i].name + strlen("kafka.");
    *value = config->kafka[i].value;
}

/* Of a value of several lines, as certificates are, the first. */
static void print_entry(const struct entry *entry, struct fb_buf *out) {
    const char *value = entry->secret ? "******" : entry->value;
    fb_buf_printf(out, "%s = %.*s%s    # %s\n", entry->name, (int)strcspn(value, "\n"), value,
                  strchr(value, '\n') ? " .." : "", entry->origin);
}

void fb_config_print(const struct fb_config *config, struct fb_buf *out) {
    for (int i = 0; i < FB_CONFIG_KEYS_N; i++)
        print_entry(&config->fixed[i], out);
    for (size_t i = 0; i < config->n_kafka; i++)
        print_entry(&config->kafka[i], out);
}

/* A cell of a Markdown table. */
static void put_cell(struct fb_buf *out, const char *text) {
    for (; *text; text++) {
        if (*text == '|')
            fb_buf_char(out, '\\');
        fb_buf_char(out, *text);
    }
}

static const char *const page_head =
    "# Configuration\n"
    "\n"
    "Made from the table in the code by `flyball run --print-reference`; do not edit.\n"
    "\n"
    "A properties file: `key = value`, one a line; a line that begins with `#` is a comment.\n"
    "`-X key=value` overrides. In a value `${NAME}` stands for an environment variable; a value\n"
    "`@FILE` is the content of a file, its path relative to the configuration's folder.\n"
    "`flyball run --print-config` shows what holds, and where each value comes from.\n"
    "\n"
    "| key | values | default | meaning |\n"
    "|---|---|---|---|\n";

static const char *const page_kafka =
    "\n"
    "## The Kafka client\n"
    "\n"
    "`kafka.NAME` sets the property NAME of librdkafka, for consumers and producers alike;\n"
    "`kafka.bootstrap.servers` is needed. Secrets (passwords, keys, tokens) are taken as "
    "`${NAME}`\n"
    "or `@FILE` only, and never shown. [KAFKA.md](KAFKA.md) has the settings for TLS and login.\n"
    "These properties are refused:\n"
    "\n"
    "| property | why |\n"
    "|---|---|\n";

void fb_config_reference(struct fb_buf *out) {
    static const char *const type_names[] = {"a name",     "a path", "a number",
                                             "true|false", "a word", "names, ..."};
    fb_buf_text(out, page_head);
    for (int i = 0; i < FB_CONFIG_KEYS_N; i++) {
        fb_buf_printf(out, "| `%s` | ", keys[i].name);
        put_cell(out, keys[i].allowed[0] ? keys[i].allowed : type_names[keys[i].type]);
        fb_buf_printf(out, " | %s | ", keys[i].preset[0] ? keys[i].preset : "see right");
        put_cell(out, keys[i].doc);
        fb_buf_text(out, " |\n");
    }
    fb_buf_text(out, page_kafka);
    const char *name, *reason;
    for (uint32_t i = 0; fb_kafka_refused(i, &name, &reason); i++)
        fb_buf_printf(out, "| `%s` | %s |\n", name, reason);
}
