/* Connections that a broker, or our own check of it, has refused: what happened, what to do. */
#include "connectors/kafka_login.h"

#include <string.h>

#define NO_CERTIFICATE "Kafka wants a certificate of this client"
#define GIVE_CERTIFICATE                                                                          \
    "kafka.ssl.certificate.location and kafka.ssl.key.location must name one that the broker "    \
    "trusts; or this port is not the one for kafka.security.protocol"

static const struct fb_kafka_login logins[] = {
    {"SASL authentication error", "Kafka refuses the login",
     "check kafka.sasl.username and kafka.sasl.password, and that this user has credentials for "
     "kafka.sasl.mechanism",
     true},
    {"mechanism handshake failed", "Kafka does not take this kind of login",
     "set kafka.sasl.mechanism to one that the broker has, such as SCRAM-SHA-512", true},
    {"certificate verify failed", "the broker's certificate is not trusted",
     "kafka.ssl.ca.location must name the certificate of the authority that signed it, and "
     "kafka.bootstrap.servers a host that it was made for",
     true},
    /* RFC 8446 has an alert of its own; which of the two comes is up to the broker's Java. */
    {"alert certificate required", NO_CERTIFICATE, GIVE_CERTIFICATE, true},
    {"alert bad certificate", NO_CERTIFICATE, GIVE_CERTIFICATE, true},
    {"alert certificate", "Kafka does not take this client's certificate",
     "kafka.ssl.certificate.location and kafka.ssl.key.location must name one that the broker "
     "trusts and that has not expired",
     true},
    {"alert unknown ca", "Kafka does not trust this client's certificate",
     "kafka.ssl.certificate.location must name one that the broker's authority has signed", true},
    {"SSL handshake failed", "no encrypted connection comes about",
     "check that this port expects TLS, and kafka.security.protocol", false},
    {"in state SSL_HANDSHAKE", "no encrypted connection comes about",
     "check that this port expects TLS, and kafka.security.protocol", false},
    {"verify that security.protocol", "Kafka ends the connection",
     "this port may want a login: check kafka.security.protocol and kafka.sasl settings", false},
    {"incorrect security.protocol", "Kafka ends the connection",
     "this port may want TLS: check kafka.security.protocol", false},
};

const struct fb_kafka_login *fb_kafka_login_of(const char *reason) {
    for (size_t i = 0; i < sizeof logins / sizeof *logins; i++)
        if (strstr(reason, logins[i].in_reason))
            return &logins[i];
    return NULL;
}

struct fb_str fb_kafka_login_words(const char *reason) {
    const char *place = strstr(reason, "://");
    const char *begin = strstr(place ? place : reason, ": ");
    begin = begin ? begin + 2 : reason;
    const char *after = strstr(begin, " (after ");
    return (struct fb_str){begin, after ? (size_t)(after - begin) : strlen(begin)};
}
