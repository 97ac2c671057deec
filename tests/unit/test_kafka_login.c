/* What a refused connection is called, by the words that the client and OpenSSL have for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/kafka_login.h"

static void expect(const char *reason, const char *what) {
    const struct fb_kafka_login *login = fb_kafka_login_of(reason);
    assert_non_null(login);
    assert_string_equal(login->what, what);
}

/* Java sends the one up to some release of 17, the other after it. */
static void a_missing_certificate_has_two_alerts(void **state) {
    (void)state;
    expect("SSL handshake failed: error:0A000412:SSL routines::sslv3 alert bad certificate: SSL "
           "alert number 42",
           "Kafka wants a certificate of this client");
    expect("Receive failed: error:0A00045C:SSL routines::tlsv13 alert certificate required: SSL "
           "alert number 116",
           "Kafka wants a certificate of this client");
}

static void a_certificate_that_is_not_taken_is_told_apart(void **state) {
    (void)state;
    expect("error:0A000415:SSL routines::sslv3 alert certificate expired: SSL alert number 45",
           "Kafka does not take this client's certificate");
    expect("error:0A000416:SSL routines::sslv3 alert certificate unknown: SSL alert number 46",
           "Kafka does not take this client's certificate");
    expect("error:0A000418:SSL routines::tlsv1 alert unknown ca: SSL alert number 48",
           "Kafka does not trust this client's certificate");
}

static void what_is_no_refusal_has_no_name(void **state) {
    (void)state;
    assert_null(fb_kafka_login_of("Connect to ipv4#127.0.0.1:1 failed: Connection refused"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_certificate_has_two_alerts),
        cmocka_unit_test(a_certificate_that_is_not_taken_is_told_apart),
        cmocka_unit_test(what_is_no_refusal_has_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
