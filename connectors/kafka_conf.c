/* The settings of the Kafka client. */
#include "connectors/kafka_conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connectors/kafka_client.h"
#include "engine/base/arena.h"

struct refused {
    const char *name, *reason;
};

/* Without these rules outputs could be lost or doubled, or a line of configuration run code. */
static const struct refused refused[] = {
    {"plugin.library.paths", "a configuration must not load code"},
    {"sasl.kerberos.kinit.cmd", "a configuration must not run commands"},
    {"ssl.engine.location", "a configuration must not load code"},
    {"ssl_engine_callback_data", "a configuration must not load code"},
    {"group.id", "made of application.id"},
    {"group.instance.id", "made of application.id and instance.id"},
    {"transactional.id", "made of application.id and instance.id"},
    {"transaction.timeout.ms", "part of the delivery guarantee"},
    {"enable.auto.commit", "positions are committed after their outputs"},
    {"auto.commit.enable", "positions are committed after their outputs"},
    {"auto.commit.interval.ms", "use commit.interval.ms"},
    {"enable.auto.offset.store", "positions are committed after their outputs"},
    {"offset.store.method", "positions are kept by the broker"},
    {"offset.store.path", "positions are kept by the broker"},
    {"auto.offset.reset", "use start.from; later on a lost position is an error"},
    {"isolation.level", "only committed input is read"},
    {"partition.assignment.strategy", "inputs that belong together are assigned by range"},
    {"enable.partition.eof", "the engine needs to know when it has caught up"},
    {"check.crcs", "damaged input must be noticed"},
    {"enable.idempotence", "retries must neither double nor reorder outputs"},
    {"enable.gapless.guarantee", "retries must neither double nor reorder outputs"},
    {"acks", "outputs are on all replicas before the position is committed"},
    {"request.required.acks", "outputs are on all replicas before the position is committed"},
    {"max.in.flight", "retries must neither double nor reorder outputs"},
    {"max.in.flight.requests.per.connection", "retries must neither double nor reorder outputs"},
    {"retries", "outputs are retried until they are delivered"},
    {"message.send.max.retries", "outputs are retried until they are delivered"},
    {"message.timeout.ms", "outputs are retried until they are delivered"},
    {"delivery.timeout.ms", "outputs are retried until they are delivered"},
    {"partitioner", "an output goes to the partition of its input"},
    {"client.rack", "fetching from followers stalls this client (librdkafka 2.0)"},
};

enum { N_REFUSED = sizeof refused / sizeof *refused };

/* Values of otherwise free properties that would switch verification off. */
static const struct {
    const char *name, *value;
} unsafe[] = {
    {"enable.ssl.certificate.verification", "false"},
    {"ssl.endpoint.identification.algorithm", "none"},
};

bool fb_kafka_refused(uint32_t i, const char **name, const char **reason) {
    if (i >= N_REFUSED)
        return false;
    *name = refused[i].name;
    *reason = refused[i].reason;
    return true;
}

bool fb_kafka_setting_is_secret(const char *name) {
    static const char *const words[] = {"password", "secret", "key.pem", "oauthbearer.config",
                                        "token"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(name, words[i]) && strcmp(name, "sasl.oauthbearer.token.endpoint.url") != 0)
            return true;
    return false;
}

/* The names of the library's properties: the first word of each row of the table that it prints.
 * Views of `text`. */
static size_t property_names(struct fb_str text, struct fb_str *names, size_t max) {
    size_t n = 0;
    while (text.n > 0 && n < max) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t length = end ? (size_t)(end - text.p) : text.n;
        size_t word = 0;
        while (word < length && text.p[word] != ' ' && text.p[word] != '|')
            word++;
        if (word > 0 && word < length && memchr(text.p, '|', length))
            names[n++] = (struct fb_str){text.p, word};
        length += end != NULL;
        text = (struct fb_str){text.p + length, text.n - length};
    }
    return n;
}

static bool unknown_name(const char *name, struct fb_err *err) {
    enum { NAMES_MAX = 1024 };
    struct fb_str *names = fb_alloc(NAMES_MAX * sizeof *names), nearest = {0};
    struct fb_str text = {0};
    char *bytes = NULL;
    FILE *memory = open_memstream(&bytes, &text.n);
    FB_ASSERT(memory);
    rd_kafka_conf_properties_show(memory);
    fclose(memory);
    text.p = bytes;
    nearest = fb_str_nearest(fb_str_of(name), names, property_names(text, names, NAMES_MAX));
    if (nearest.n)
        fb_fail(err, FB_FATAL, "the Kafka client has no property '%s'; did you mean 'kafka.%.*s'?",
                name, FB_ARG(nearest));
    else
        fb_fail(err, FB_FATAL, "the Kafka client has no property '%s'", name);
    free(bytes);
    free(names);
    return false;
}

/* The library knows several words for one value: it is asked what it has understood. */
static bool is_unsafe(const rd_kafka_conf_t *conf, const char *name) {
    char value[64] = "";
    size_t room = sizeof value;
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++)
        if (strcmp(name, unsafe[i].name) == 0)
            return rd_kafka_conf_get(conf, name, value, &room) != RD_KAFKA_CONF_OK ||
                   strcmp(value, unsafe[i].value) == 0;
    return false;
}

/* Files of keys and certificates: the library would say of a missing one "system lib". */
static bool check_location(const struct fb_kafka_setting *setting, struct fb_err *err) {
    size_t n = strlen(setting->name);
    bool location = strncmp(setting->name, "ssl.", 4) == 0 && n > 9 &&
                    strcmp(setting->name + n - 9, ".location") == 0;
    if (!location || strcmp(setting->value, "probe") == 0 || access(setting->value, R_OK) == 0)
        return true;
    return fb_fail(err, FB_FATAL, "'kafka.%s': cannot read '%s': %s", setting->name, setting->value,
                   strerror(errno));
}

bool fb_kafka_setting_check(const struct fb_kafka_setting *setting, struct fb_err *err) {
    for (int i = 0; i < N_REFUSED; i++)
        if (strcmp(setting->name, refused[i].name) == 0)
            return fb_fail(err, FB_FATAL, "'kafka.%s' cannot be set: %s", setting->name,
                           refused[i].reason);
    char why[256] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, setting->name, setting->value, why, sizeof why);
    bool bad = result == RD_KAFKA_CONF_OK && is_unsafe(conf, setting->name);
    rd_kafka_conf_destroy(conf);
    if (bad)
        return fb_fail(err, FB_FATAL,
                       "'kafka.%s' cannot be '%s': the broker's certificate must be verified",
                       setting->name, setting->value);
    if (result == RD_KAFKA_CONF_UNKNOWN)
        return unknown_name(setting->name, err);
    if (result != RD_KAFKA_CONF_OK) {
        if (fb_kafka_setting_is_secret(setting->name)) /* the library's text may quote it */
            return fb_fail(err, FB_FATAL, "'kafka.%s' does not take this value", setting->name);
        return fb_fail(err, FB_FATAL, "'kafka.%s' does not take '%s': %s", setting->name,
                       setting->value, why);
    }
    return check_location(setting, err);
}
